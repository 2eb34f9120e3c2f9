/** What redaction promises, to the collector and to `istio-snapshot redact`. */

import type { CertificateSummary } from "../shared/certificate-summary.js";
import type { RedactionRuleName } from "../shared/redaction-rules.js";

/** How much is taken out. `none` is for a bundle that never leaves its owner's hands. */
export const redactionProfiles = ["internal", "support", "public", "none"] as const;
export type RedactionProfile = (typeof redactionProfiles)[number];

export interface RedactorOptions {
  readonly profile: RedactionProfile;
  /** 32 random bytes, new for every bundle and never written to one: equal values have equal tokens inside a bundle only. */
  readonly salt: Uint8Array;
  /**
   * Namespaces of the mesh, where they are known: under `support` they tell `reviews-v1-abc.prod`, a proxy, from
   * `api.example`, a host outside.
   */
  readonly namespaces?: Iterable<string>;
  /** Fingerprints of findings that the user has looked at and lets pass. */
  readonly allowedFindings?: ReadonlySet<string>;
}

/** How a rule fared: the manifest's words. */
export interface RuleCount {
  readonly rule: RedactionRuleName;
  /** Values replaced. */
  readonly count: number;
  /** Files in which it replaced any. */
  readonly files: number;
}

/** Something in the redacted bytes that still looks like a secret: no bundle is written with one. */
export interface ScanFinding {
  readonly file: string;
  /** `private key`, `JSON web token`, ... */
  readonly rule: string;
  /** Bytes from the beginning of the redacted file. */
  readonly offset: number;
  /** JSON pointer of the value it stands in; "" in a text. */
  readonly pointer: string;
  /** 16 hex digits of the SHA-256 of the matched text: stable over runs, tells nothing of the value. */
  readonly fingerprint: string;
}

export type RedactedFile =
  | {
      readonly outcome: "kept";
      /** The entry's name, in which `public` replaces namespaces and pods. */
      readonly name: string;
      /** In order; together the redacted file. */
      readonly content: readonly Uint8Array[];
      /** Bytes of them all. */
      readonly size: number;
    }
  /** Nothing of it may be stored: it is no form that we can look through. */
  | { readonly outcome: "dropped"; readonly name: string; readonly reason: string };

/** Takes the secrets out of one bundle's files. Keeps the salt and counts; holds no file. */
export interface Redactor {
  readonly profile: RedactionProfile;
  /**
   * Redacts one file and looks at the result once more (`findings`).
   * @param name the entry's name: tells what the file is
   */
  file(name: string, content: Uint8Array): RedactedFile;
  /** Redacts a short text of ours or of a tool: a reason, an error. */
  text(value: string): string;
  /**
   * An entry's, namespace's or pod's name as it may be written.
   * @param kind that it is the name of kubectl's context, which names the environment: only its place tells
   */
  name(value: string, kind?: "context"): string;
  readonly rules: readonly RuleCount[];
  /** What was left on purpose, and why: for the manifest. */
  readonly kept: readonly { readonly what: string; readonly why: string }[];
  /** Where text in plain words stands that only the scanners for known shapes went through: `free text in ...`. */
  readonly notCovered: readonly string[];
  /** What the scan of the redacted bytes found and nobody allowed; with any, no bundle may be written. */
  readonly findings: readonly ScanFinding[];
  /** What it found and the user let pass. */
  readonly allowed: readonly ScanFinding[];
  /** Token -> what it stands for, of names, hosts and addresses; for the owner's eyes, never packed. */
  readonly names: ReadonlyMap<string, string>;
  /** The certificates that were replaced by tokens, by token; empty under `internal` and `none`, which keep them. */
  readonly certificates: ReadonlyMap<string, CertificateSummary>;
}
