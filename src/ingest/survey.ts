import type { Entry } from "../bundle/entry.js";
import type { Limits } from "../bundle/limits.js";
import { parseManifest } from "../bundle/manifest.js";
import type { FoundManifest } from "../bundle/redacted-copy.js";
import { parseRedactionRecord, type RedactionRecord } from "../bundle/redaction-record.js";
import { BundleFormatError } from "../shared/errors.js";
import type { Snapshot } from "../snapshot/model.js";
import { splitProxyId } from "../snapshot/parse/node.js";
import { readSnapshot, type EntryKind } from "./read-snapshot.js";

/** What redaction must know of a snapshot before it goes through it. */
export interface Survey {
  /** Namespaces of the mesh, as far as its small files and the entries' names tell. */
  readonly namespaces: ReadonlySet<string>;
  /** Of a bundle of ours that is whole. */
  readonly manifest: FoundManifest | null;
  /** What an earlier redaction took out. */
  readonly redaction: RedactionRecord | null;
}

/** Small files that name pods of every namespace; dumps are not read. */
const needed: ReadonlySet<EntryKind> = new Set<EntryKind>(["syncz", "synczBefore", "pods", "services"]);

/** @throws UserError when it is no snapshot, or a limit on the whole is reached */
export async function surveySnapshot(
  path: string,
  options: { readonly limits: Limits; readonly stdin?: AsyncIterable<Uint8Array> },
): Promise<Survey> {
  const inNames = new Set<string>();
  let manifest: FoundManifest | null = null as FoundManifest | null;
  let record: RedactionRecord | null = null;
  const snapshot = await readSnapshot(path, {
    ...options,
    want: needed,
    onEntry: ({ name }) => {
      const namespace = /(?:^|\/)namespaces\/([^/]+)\//.exec(name)?.[1];
      if (namespace !== undefined) inNames.add(namespace);
    },
    onContent: (entry, bytes) => {
      // what is none is reported when the archive is gone through
      if (entry.role.kind === "manifest") manifest = attempt(() => parsed(entry, bytes)) ?? manifest;
      if (entry.role.kind === "redaction") record = attempt(() => parseRedactionRecord(bytes, entry.name));
    },
  });
  return {
    namespaces: new Set([...inNames, ...namespacesOf(snapshot)].filter((name) => name !== "")),
    manifest,
    redaction: manifest?.manifest.redaction ?? record,
  };
}

const parsed = ({ name }: Entry, bytes: Uint8Array): FoundManifest => ({
  manifest: parseManifest(bytes, name),
  entry: name,
});

function attempt<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (error instanceof BundleFormatError) return null;
    throw error;
  }
}

function namespacesOf({ istiods, proxies, ztunnels, pods, services }: Snapshot): string[] {
  const listed = istiods.flatMap(({ sync, syncBefore }) =>
    [sync, syncBefore].flatMap((list) =>
      list.state === "present" ? list.value.states.map(({ proxyId }) => splitProxyId(proxyId)) : [],
    ),
  );
  return [
    ...istiods,
    ...proxies,
    ...ztunnels,
    ...listed,
    ...(pods.state === "present" ? pods.value : []),
    ...(services.state === "present" ? services.value : []),
  ].map(({ namespace }) => namespace);
}
