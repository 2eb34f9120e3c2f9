import type { FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { constants, gunzip } from "node:zlib";

import { messageOf } from "../shared/errors.js";
import { headBytes, type Entry } from "./entry.js";
import { footerLength, readFooter } from "./footer.js";
import { defaultLimits, type Limits } from "./limits.js";
import { manifestName, parseManifest, type Manifest, type ManifestFile, type Member } from "./manifest.js";
import { roleOf } from "./roles.js";
import { readTar, refuseName, refuseSize } from "./tar-reader.js";

const inflateMember = promisify(gunzip);
/** Tar header, a pax header with a long name, padding, end mark. */
const tarOverhead = 64 * 1024;

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

  // eslint-disable-next-line @typescript-eslint/require-await -- an async iterable is what readers take
  return async function* () {
    for (const listed of manifest.files) {
      const read = async (): Promise<{ bytes: Uint8Array; cut: boolean }> => {
        const wanted = { name: listed.name, size: listed.size, place: listed.member };
        return { bytes: await readMember(file, wanted, limits), cut: false };
      };
      const readHead = (): Promise<Uint8Array> => readMemberHead(file, listed);
      yield {
        name: listed.name,
        role: roleOf(listed.name),
        size: listed.size,
        capturedAt: null,
        read,
        readHead,
      };
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
    if (refuseName(name, limits) !== null || refuseSize(size, limits) !== null) return false;
    names.add(name);
    next += member.length;
    total += size;
  }
  return next === end && files.length < limits.entries && total <= limits.totalBytes;
}

async function readMember(
  file: FileHandle,
  { name, size, place }: { readonly name: string; readonly size: number | null; readonly place: Member },
  limits: Limits,
): Promise<Uint8Array> {
  const maxOutputLength =
    (size ?? Math.min(limits.entryBytes, Math.max(place.length * limits.ratio, tarOverhead))) + tarOverhead;
  const failed = (reason: string): IndexMismatch => new IndexMismatch(`${name}: ${reason}`);
  let tar: Uint8Array;
  try {
    tar = await inflateMember(await readAt(file, place), { maxOutputLength });
  } catch (error) {
    throw failed(messageOf(error));
  }
  const found: { name: string; bytes: Uint8Array }[] = [];
  for await (const entry of readTar(once(tar), limits, () => undefined)) {
    found.push({ name: entry.name, bytes: (await entry.read()).bytes });
  }
  const [only] = found;
  if (only === undefined || found.length > 1) throw failed(`its member holds ${found.length} entries`);
  if (only.name !== name) throw failed("its member holds another entry");
  if (size !== null && only.bytes.length !== size) throw failed("its member has another size");
  return only.bytes;
}

// eslint-disable-next-line @typescript-eslint/require-await -- an async iterable is what the reader takes
async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}

/** Compressed bytes that hold the head of any dump: JSON deflates to less than a tenth. */
const compressedHead = 32 * 1024;

/** The beginning of a member's file, without inflating the rest. */
async function readMemberHead(file: FileHandle, { name, member }: ManifestFile): Promise<Uint8Array> {
  const length = Math.min(member.length, compressedHead);
  let tar: Uint8Array;
  try {
    // what comes out of a truncated stream is bounded by what went in
    tar = await inflateMember(await readAt(file, { offset: member.offset, length }), {
      finishFlush: constants.Z_SYNC_FLUSH,
    });
  } catch (error) {
    throw new IndexMismatch(`${name}: ${messageOf(error)}`);
  }
  for await (const entry of readTar(once(tar), { ...defaultLimits }, () => undefined)) {
    if (entry.name !== name) throw new IndexMismatch(`${name}: its member holds another entry`);
    return (await entry.read()).bytes.subarray(0, headBytes);
  }
  throw new IndexMismatch(`${name}: its member holds no entry`);
}

async function readAt(file: FileHandle, { offset, length }: Member): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, offset);
  return buffer.subarray(0, bytesRead);
}
