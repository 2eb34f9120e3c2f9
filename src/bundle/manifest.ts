import { BundleFormatError } from "../shared/errors.js";
import { parseJson } from "../shared/json.js";
import { validator } from "../shared/validator.js";
import type { RedactionRecord } from "./redaction-record.js";

export type { RedactionRecord };

export const manifestName = "istio-snapshot/manifest.json";
export const manifestFormatVersion = 1;

/** Where a file stands in the gzip: its own member, so that it can be inflated alone. */
export interface Member {
  /** Bytes from the beginning of the file. */
  readonly offset: number;
  readonly length: number;
}

export interface ManifestFile {
  readonly name: string;
  /** Bytes after inflating. */
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** RFC 3339: when the content was asked for. */
  readonly capturedAt: string;
  readonly member: Member;
  /** Set where the file was put together from several answers. */
  readonly slices?: readonly { readonly resource: string; readonly capturedAt: string }[];
}

/** `manifest.json` of a bundle: what was captured, when, by what, and what was not. Schema: `schemas/manifest.schema.json`. */
export interface Manifest {
  readonly formatVersion: typeof manifestFormatVersion;
  readonly program: { readonly name: string; readonly version: string };
  /** The kubeconfig context's name; "" where there was none. */
  readonly cluster: string;
  readonly start: string;
  readonly end: string;
  readonly targets: readonly {
    readonly kind: "istiod" | "proxy" | "ztunnel";
    readonly namespace: string;
    readonly name: string;
    readonly outcome: "captured" | "partial" | "failed";
  }[];
  readonly files: readonly ManifestFile[];
  readonly failures: readonly { readonly target: string; readonly what: string; readonly reason: string }[];
  readonly redaction: RedactionRecord;
}

/**
 * The entry that a manifest's file is, where the bundle was unpacked or packed anew under another folder.
 * @param manifestEntry the entry of the manifest itself
 */
export function entryOf(file: string, manifestEntry: string): string {
  const root = "istio-snapshot/";
  const folder = manifestEntry.slice(0, -"manifest.json".length);
  return file.startsWith(root) ? folder + file.slice(root.length) : file;
}

const validate = validator<Manifest>("manifest");

/** @throws BundleFormatError naming the field */
export function parseManifest(bytes: Uint8Array, entry: string): Manifest {
  const { value, rest } = parseJson(bytes, entry);
  if (rest !== "") throw new BundleFormatError(entry, "", "holds more than one JSON value");
  return validate(value, entry);
}
