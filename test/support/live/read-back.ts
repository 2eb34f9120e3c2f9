/** What is in a bundle that the collector wrote. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";

import { expect } from "vitest";

import type { Entry } from "../../../src/bundle/entry.js";
import { parseManifest, type Manifest } from "../../../src/bundle/manifest.js";
import { everything, readSnapshot, type EntryKind } from "../../../src/ingest/read-snapshot.js";
import type { Snapshot } from "../../../src/snapshot/model.js";

export interface ReadBack {
  readonly manifest: Manifest;
  /** Texts by the names of the entries, without the folder that all are in. */
  readonly files: ReadonlyMap<string, string>;
  readonly snapshot: Snapshot;
}

const folder = "istio-snapshot/";

/** Those of a bundle that no analysis reads, too. */
const everyKind = new Set<EntryKind>([
  ...everything,
  ...(["clusters", "certs", "runtime", "stats", "istiodDebug", "other", "unknown"] as const),
]);

/**
 * Reads a whole bundle and proves it: only its owner can read it, every file is the one of the manifest, there is no other
 * one, and each can be read.
 */
export async function readBack(path: string): Promise<ReadBack> {
  expect(((await stat(path)).mode & 0o777).toString(8), "mode of the bundle").toBe("600");
  const contents = new Map<string, Buffer>();
  const onContent = ({ name }: Entry, bytes: Uint8Array): void => {
    contents.set(name, Buffer.from(bytes));
  };
  const snapshot = await readSnapshot(path, { want: everyKind, debug: "all", seek: false, onContent });
  const own = `${folder}manifest.json`;
  const manifest = parseManifest(contents.get(own) ?? Buffer.from(""), own);
  contents.delete(own);
  expect(new Map(manifest.files.map(({ name, size, sha256 }) => [name, { size, sha256 }]))).toEqual(
    new Map(
      [...contents].map(([name, bytes]) => [
        name,
        { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") },
      ]),
    ),
  );
  expect(snapshot.problems.filter(({ severity }) => severity === "lost")).toEqual([]);
  return {
    manifest,
    snapshot,
    files: new Map(
      [...contents].map(([name, bytes]) => [name.replace(folder, ""), bytes.toString("utf8")] as const),
    ),
  };
}

/** What is not in it, as `<target>: <what>: <reason>`. */
export const gapsOf = ({ failures }: Manifest): string[] =>
  failures.map(({ target, what, reason }) => `${target}: ${what}: ${reason}`);

/** Those of one target. @param id `<pod>.<namespace>` */
export const gapsIn = ({ manifest }: ReadBack, id: string): string[] =>
  gapsOf({ ...manifest, failures: manifest.failures.filter(({ target }) => target === id) });

export const outcomeOf = ({ manifest }: ReadBack, id: string): string | undefined =>
  manifest.targets.find(({ name, namespace }) => `${name}.${namespace}` === id)?.outcome;

/** The files of a proxy that was captured whole. */
export const proxyFiles = [
  "certs",
  "clusters",
  "config_dump?include_eds",
  "runtime",
  "server_info",
  "stats",
] as const;

/** Sorted names of a proxy's files. */
export function filesOf({ files }: ReadBack, id: string): string[] {
  const [pod = "", namespace = ""] = id.split(".");
  const start = `proxies/${namespace}/${pod}/`;
  return [...files.keys()]
    .filter((name) => name.startsWith(start))
    .map((name) => name.slice(start.length))
    .sort();
}

/** What that Istiod would send that proxy, as it was kept; undefined where nothing is. */
export function viewIn({ files }: ReadBack, istiod: string, id: string): string | undefined {
  const [pod = "", namespace = ""] = id.split(".");
  return files.get(`istio/istio-system/${istiod}/debug/config_dump/${namespace}/${pod}`);
}

/** A text with all tokens alike: those of two bundles never are. */
export const withoutTokens = (text: string): string => text.replace(/‹redacted:[^›]*›/g, "‹redacted›");

/**
 * The content of JSON, to be compared: members and elements in an order of ours, for that of Envoy's lists changes from
 * answer to answer.
 */
export const canonical = (text: string): unknown => inOrder(JSON.parse(text));

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) {
    const elements = (value as readonly unknown[]).map((element) => {
      const ordered = inOrder(element);
      return { ordered, key: JSON.stringify(ordered) };
    });
    return elements.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ ordered }) => ordered);
  }
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, inOrder(member)]));
}
