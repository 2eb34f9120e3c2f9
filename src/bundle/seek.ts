import type { FileHandle } from "node:fs/promises";

import { UserError } from "../shared/errors.js";
import type { Entry } from "./entry.js";
import { footerLength, readFooter } from "./footer.js";
import { inflate, type Inflated } from "./inflate.js";
import type { Limits } from "./limits.js";
import { manifestName, parseManifest, type Manifest, type ManifestFile, type Member } from "./manifest.js";
import { roleOf } from "./roles.js";
import { readTar, refuseName, refuseSize, type TarFile } from "./tar-reader.js";

/** Tar header, a pax header with a long name, padding, end mark. */
const tarOverhead = 64 * 1024;
const readAtOnce = 1024 * 1024;

/** The manifest led to something else than it says. The archive must be read through instead. */
export class IndexMismatch extends Error {
  override readonly name = "IndexMismatch";
}

/**
 * The entries of a bundle by the manifest's places, inflating only what is read.
 * @returns null when the file has no footer, or one that does not lead to a sound manifest: then it is read through
 */
export async function seekEntries(
  file: FileHandle,
  limits: Limits,
): Promise<(() => AsyncGenerator<Entry>) | null> {
  const { size: fileSize } = await file.stat();
  if (fileSize <= footerLength) return null;
  const offset = readFooter(await readAt(file, { offset: fileSize - footerLength, length: footerLength }));
  if (offset === null) return null;
  const place = { offset, length: fileSize - footerLength - offset };
  let manifest: Manifest;
  let manifestBytes: Uint8Array;
  try {
    if (place.length <= 0 || place.length > limits.entryBytes) return null;
    manifestBytes = await readMember(file, { name: manifestName, size: null, place }, limits);
    manifest = parseManifest(manifestBytes, manifestName);
  } catch {
    return null;
  }
  if (!isSound(manifest.files, offset, limits)) return null;

  return async function* () {
    for (const listed of manifest.files) {
      const proof = { given: false };
      const read = async (): Promise<{ bytes: Uint8Array; cut: boolean }> => {
        proof.given = true;
        const wanted = { name: listed.name, size: listed.size, place: listed.member };
        return { bytes: await readMember(file, wanted, limits), cut: false };
      };
      const readHead = (): Promise<Uint8Array> => {
        proof.given = true;
        return readMemberHead(file, listed, limits, compressedHead);
      };
      yield {
        name: listed.name,
        role: roleOf(listed.name),
        size: listed.size,
        capturedAt: null,
        read,
        readHead,
      };
      // its name alone says which proxies there are, so what nobody reads must be what the manifest says, too
      if (!proof.given) await readMemberHead(file, listed, limits, compressedHeader);
    }
    const read = (): Promise<{ bytes: Uint8Array; cut: boolean }> =>
      Promise.resolve({ bytes: manifestBytes, cut: false });
    yield {
      name: manifestName,
      role: { kind: "manifest" },
      size: manifestBytes.length,
      capturedAt: null,
      read,
      readHead: () => Promise.resolve(manifestBytes),
    };
  };
}

/** The members must follow each other without gap from the beginning to the manifest: no loop, no overlap, nothing hidden. */
function isSound(files: readonly ManifestFile[], end: number, limits: Limits): boolean {
  let next = 0;
  let total = 0;
  const names = new Set<string>();
  for (const { name, size, member } of files) {
    if (member.offset !== next || names.has(name)) return false;
    if (size > limits.ratioFloor && size > member.length * limits.ratio) return false;
    if (refuseName(name, limits) !== null || refuseSize(size, limits) !== null) return false;
    names.add(name);
    next += member.length;
    total += size;
  }
  return (
    next === end &&
    files.length < limits.entries &&
    total <= limits.totalBytes &&
    (total <= limits.ratioFloor || total <= end * limits.ratio)
  );
}

async function readMember(
  file: FileHandle,
  { name, size, place }: { readonly name: string; readonly size: number | null; readonly place: Member },
  limits: Limits,
): Promise<Uint8Array> {
  const failed = (reason: string): IndexMismatch => new IndexMismatch(`${name}: ${reason}`);
  const { bytes: tar, inflated } = await inflatePlace(
    file,
    place,
    limits,
    (size ?? limits.entryBytes) + tarOverhead,
  );
  const failure = inflated.failure();
  if (failure !== null) throw failed(failure);
  if (tar === null) throw failed("its member is larger than the manifest says");
  if (inflated.cut() || inflated.hasTail()) throw failed("its member has another length");
  const found: { entry: TarFile; bytes: Uint8Array }[] = [];
  const lost: string[] = [];
  for await (const entry of readTar(once(tar), limits, ({ severity, message }) => {
    if (severity === "lost") lost.push(message);
  })) {
    found.push({ entry, bytes: (await entry.read()).bytes });
  }
  const [only] = found;
  if (only === undefined || found.length > 1) throw failed(`its member holds ${found.length} entries`);
  if (only.entry.name !== name) throw failed("its member holds another entry");
  // the manifest, of which `size` is not known, is followed by the end mark
  if (
    size !== null &&
    (only.entry.size !== size || only.bytes.length !== size || only.entry.end !== tar.length)
  )
    throw failed("its member has another size");
  if (lost[0] !== undefined) throw failed(lost[0]);
  return only.bytes;
}

/**
 * Inflates what stands in a place of the file.
 * @returns null bytes when there are more than `most`, or more than the limits allow: what that means reading through tells
 */
async function inflatePlace(
  file: FileHandle,
  place: Member,
  limits: Limits,
  most: number,
): Promise<{ readonly bytes: Buffer | null; readonly inflated: Inflated }> {
  const inflated = inflate(readPlace(file, place), limits);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of inflated.chunks) {
      length += chunk.length;
      if (length > most) return { bytes: null, inflated };
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof UserError) return { bytes: null, inflated };
    throw error;
  }
  return { bytes: Buffer.concat(chunks, length), inflated };
}

async function* readPlace(file: FileHandle, { offset, length }: Member): AsyncGenerator<Uint8Array> {
  for (let at = offset; at < offset + length; at += readAtOnce) {
    const chunk = await readAt(file, { offset: at, length: Math.min(readAtOnce, offset + length - at) });
    if (chunk.length === 0) return;
    yield chunk;
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- an async iterable is what the reader takes
async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}

/** Compressed bytes that hold the head of any dump: JSON deflates to less than a tenth. */
const compressedHead = 32 * 1024;
/** Compressed bytes that hold a tar header, and the pax header before it if there is one. */
const compressedHeader = 2 * 1024;

/** The beginning of a member's file, without inflating the rest. That it holds no second entry its length proves. */
async function readMemberHead(
  file: FileHandle,
  { name, size, member }: ManifestFile,
  limits: Limits,
  compressed: number,
): Promise<Uint8Array> {
  const length = Math.min(member.length, compressed);
  const failed = (reason: string): IndexMismatch => new IndexMismatch(`${name}: ${reason}`);
  // what comes out of a truncated stream is bounded by what went in
  const { bytes: tar, inflated } = await inflatePlace(
    file,
    { offset: member.offset, length },
    limits,
    Infinity,
  );
  const failure = inflated.failure();
  if (failure !== null || tar === null) throw failed(failure ?? "its member is damaged");
  // a member ends with its length after inflating, modulo 2^32 (RFC 1952, 2.3.1)
  const trailer = await readAt(file, { offset: member.offset + Math.max(0, member.length - 4), length: 4 });
  const lost: string[] = [];
  for await (const entry of readTar(once(tar), limits, ({ severity, message }) => {
    if (severity === "lost") lost.push(message);
  })) {
    if (lost[0] !== undefined) throw failed(lost[0]);
    if (entry.name !== name) throw failed("its member holds another entry");
    if (entry.size !== size || trailer.length < 4 || entry.end % 2 ** 32 !== trailer.readUInt32LE())
      throw failed("its member has another size");
    return await entry.readHead(); // before the archive is closed
  }
  throw failed("its member holds no entry");
}

async function readAt(file: FileHandle, { offset, length }: Member): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  return buffer.subarray(0, bytesRead);
}
