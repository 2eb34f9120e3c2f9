/** What the tests of hostile input share: small snapshots to damage, a tar writer without scruples, and the one judgement. */

import { Readable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";

import { expect } from "vitest";

import { footer, footerLength, readFooter } from "../../src/bundle/footer.js";
import { defaultLimits, type Limits } from "../../src/bundle/limits.js";
import { manifestName, parseManifest, type Manifest } from "../../src/bundle/manifest.js";
import { openBundle } from "../../src/bundle/open.js";
import { readSnapshot, type ReadOptions } from "../../src/ingest/read-snapshot.js";
import { UserError } from "../../src/shared/errors.js";
import type { Problem } from "../../src/shared/problem.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { plain } from "./builders.js";
import { bugReportLayout, ownLayout, type ArchiveFile } from "./mesh/layouts.js";
import { buildMesh } from "./mesh/mesh.js";
import type { Mesh } from "./mesh/model.js";
import { bundle, tarGz } from "./pack.js";
import { manifestOf } from "./samples.js";

// Small snapshots

/** Two sidecars, one Istiod. */
export const smallMesh = (): Mesh =>
  buildMesh({ bookinfo: false, services: 2, proxies: 2, replicas: 1, istiods: 1, namespaces: 1 });

const once = <T>(make: () => T): (() => T) => {
  const made: { value?: T } = {};
  return () => (made.value ??= make());
};

/** A file; of each list of a dump the first two elements: the rest is more of the same. */
export function shortened({ name, body, mtime }: ArchiveFile): ArchiveFile {
  if (!/\/config_dump[^/]*$|\/debug\/config_dump\//.test(name)) return { name, body, mtime };
  const dump = JSON.parse(body.toString()) as { configs: Record<string, unknown>[] };
  const configs = dump.configs.map((section) =>
    Object.fromEntries(
      Object.entries(section).map(([key, value]) => [key, Array.isArray(value) ? value.slice(0, 2) : value]),
    ),
  );
  return { name, body: JSON.stringify({ ...dump, configs }), mtime };
}

export const bundleFiles = once((): readonly ArchiveFile[] => [...ownLayout(smallMesh())].map(shortened));
export const bugReportFiles = once((): readonly ArchiveFile[] =>
  [...bugReportLayout(smallMesh(), { istioctl: "1.24" })].map(shortened),
);

export const smallBundle = (): Promise<Buffer> => bundle(bundleFiles(), manifestOf(smallMesh()));
export const smallBugReport = (): Promise<Buffer> => tarGz(bugReportFiles());

/** The dump of the first proxy. */
export const smallDump = once((): Buffer => fileOf(bundleFiles(), "/config_dump?include_eds"));

/** The first file whose name ends so. */
export function fileOf(files: Iterable<ArchiveFile>, ending: string): Buffer {
  for (const { name, body } of files) if (name.endsWith(ending)) return Buffer.from(body);
  throw new Error(`no file ${ending}`);
}

// Tar

export interface TarFields {
  readonly name?: string;
  readonly type?: string;
  /** As the header says; left out, the content's length. */
  readonly size?: number;
  readonly body?: Uint8Array | string;
  /** Changes the header before its checksum is made. */
  readonly before?: (header: Buffer) => void;
  /** Changes the header when it is complete. */
  readonly after?: (header: Buffer) => void;
}

export function checksumOf(header: Uint8Array): number {
  return header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 32 : byte), 0);
}

/** A size field in base 256. */
export function base256(size: bigint): Buffer {
  const field = Buffer.alloc(12);
  let rest = size < 0n ? size + (1n << 96n) : size;
  for (let at = 11; at >= 0; at--) {
    field[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  field[0] = (field[0] ?? 0) | 0x80;
  return field;
}

/** One entry: header, content, padding. */
export function tarEntry({ name = "", type = "0", size, body = "", before, after }: TarFields): Buffer {
  const content = Buffer.from(body);
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${(size ?? content.length).toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write(type, 156, 1, "latin1");
  header.write("ustar\0" + "00", 257);
  before?.(header);
  header.write(`${checksumOf(header).toString(8).padStart(6, "0")}\0 `, 148);
  after?.(header);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

export const tarEnd = Buffer.alloc(1024);

/** An archive of these files, whatever their names are. */
export const tarOf = (
  files: Iterable<{ readonly name: string; readonly body: Uint8Array | string }>,
): Buffer => Buffer.concat([...[...files].map(({ name, body }) => named(name, body)), tarEnd]);

/** An entry whose name may be longer than a header holds. */
export const named = (name: string, body: Uint8Array | string): Buffer =>
  Buffer.byteLength(name) <= 100
    ? tarEntry({ name, body })
    : Buffer.concat([pax({ path: name }), tarEntry({ name: name.slice(0, 50), body })]);

/** A pax header with these records. */
export function pax(records: Readonly<Record<string, string>>, type = "x"): Buffer {
  const text = Object.entries(records)
    .map(([key, value]) => paxRecord(`${key}=${value}`))
    .join("");
  return tarEntry({ name: "PaxHeader", type, body: text });
}

function paxRecord(record: string): string {
  const length = Buffer.byteLength(record) + 2;
  let digits = String(length).length;
  if (String(length + digits).length > digits) digits++;
  return `${length + digits} ${record}\n`;
}

// Our own bundle

export interface TakenApart {
  readonly manifest: Manifest;
  readonly manifestOffset: number;
  /** The bytes before the manifest's member. */
  readonly members: Buffer;
}

export function takeApart(bytes: Buffer): TakenApart {
  const offset = readFooter(bytes.subarray(-footerLength));
  if (offset === null) throw new Error("no footer");
  const tar = gunzipSync(bytes.subarray(offset, bytes.length - footerLength));
  const size = Number.parseInt(tar.toString("latin1", 124, 135), 8);
  return {
    manifest: parseManifest(tar.subarray(512, 512 + size), manifestName),
    manifestOffset: offset,
    members: bytes.subarray(0, offset),
  };
}

/** A bundle of these members, with this manifest, whatever it says. */
export function putTogether(members: Uint8Array, manifest: unknown, manifestOffset = members.length): Buffer {
  const body = typeof manifest === "string" ? manifest : JSON.stringify(manifest);
  const member = gzipSync(Buffer.concat([tarEntry({ name: manifestName, body }), tarEnd]));
  return Buffer.concat([members, member, footer(manifestOffset)]);
}

// Reading

export type Outcome =
  | { readonly snapshot: Snapshot; readonly error: null }
  | { readonly snapshot: null; readonly error: UserError };

const prototypeKeys = Reflect.ownKeys(Object.prototype).length;

/**
 * Reads an input as whoever opens a stranger's snapshot would. Whatever it is, it gives a snapshot or an error for the
 * user, and nothing that was in it has changed the program.
 */
export async function outcomeOf(input: Uint8Array | string, options: ReadOptions = {}): Promise<Outcome> {
  const result = await attempt(input, options);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(Reflect.ownKeys(Object.prototype)).toHaveLength(prototypeKeys);
  return result;
}

async function attempt(input: Uint8Array | string, options: ReadOptions): Promise<Outcome> {
  try {
    const snapshot =
      typeof input === "string"
        ? await readSnapshot(input, options)
        : await readSnapshot("-", { ...options, stdin: streamOf(input) });
    return { snapshot, error: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).not.toMatch(/\n|^\s*$/);
    return { snapshot: null, error };
  }
}

/** A stream of this content, in chunks as a pipe gives them. */
export const streamOf = (bytes: Uint8Array): AsyncIterable<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 65536) chunks.push(bytes.subarray(at, at + 65536));
  return Readable.from(chunks, { objectMode: true });
};

/** The snapshot of an input that must have one. */
export async function snapshotOf(input: Uint8Array | string, options: ReadOptions = {}): Promise<Snapshot> {
  const { snapshot, error } = await outcomeOf(input, options);
  if (snapshot === null) throw new Error(`not read: ${error.message}`);
  return snapshot;
}

/** The error of an input that must not be read. */
export async function errorOf(input: Uint8Array | string, options: ReadOptions = {}): Promise<string> {
  const { error } = await outcomeOf(input, options);
  if (error === null) throw new Error("it was read");
  return error.message;
}

/** Everything of an outcome that a user could see. */
export const seen = ({ snapshot, error }: Outcome): unknown =>
  snapshot === null ? error.message : plain(snapshot);

export const lostOf = ({ problems }: Snapshot): Problem[] =>
  problems.filter(({ severity }) => severity === "lost");

/** The proxies whose clusters were read, wholly or in part. */
export const readProxies = ({ proxies }: Snapshot): string[] =>
  proxies.filter(({ config }) => config.cluster.state === "present").map(({ id }) => id);

/** How many references of all kinds were read. */
export const referenceCount = ({ proxies }: Snapshot): number =>
  proxies
    .flatMap(({ config }) => Object.values(config))
    .reduce((sum, list) => sum + (list.state === "present" ? list.value.length : 0), 0);

/** Every entry of an archive with its content, and what was reported, below the level of snapshots. */
export async function entriesOf(
  input: Uint8Array | string,
  limits: Partial<Limits> = {},
): Promise<{ readonly entries: Map<string, Buffer>; readonly cut: string[]; readonly problems: Problem[] }> {
  const options = { limits: { ...defaultLimits, ...limits } };
  const archive =
    typeof input === "string"
      ? await openBundle(input, options)
      : await openBundle("-", { ...options, stdin: streamOf(input) });
  const entries = new Map<string, Buffer>();
  const cut: string[] = [];
  const problems: Problem[] = [];
  try {
    for await (const entry of archive.entries((problem) => problems.push(problem))) {
      const content = await entry.read();
      entries.set(entry.name, Buffer.from(content.bytes));
      if (content.cut) cut.push(entry.name);
    }
  } finally {
    await archive.close();
  }
  return { entries, cut, problems };
}
