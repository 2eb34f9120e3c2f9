import { createReadStream, fstatSync, readSync, statSync } from "node:fs";
import { open, readdir, readFile, stat, type FileHandle } from "node:fs/promises";
import { basename, join } from "node:path";
import { Readable } from "node:stream";

import { BundleFormatError, UserError, messageOf } from "../shared/errors.js";
import { lost, note, type Problem } from "../shared/problem.js";
import { isSpace, utf8 } from "../shared/json.js";
import { excerpt } from "../shared/printable.js";
import { compareText } from "../shared/sorting.js";
import { headBytes, type Entry } from "./entry.js";
import { inflate, type Inflated } from "./inflate.js";
import type { Limits } from "./limits.js";
import { roleOf } from "./roles.js";
import { seekEntries } from "./seek.js";
import { isHeader, looksLikeHeader } from "./tar-framing.js";
import { readTar, refuseName, refuseSize } from "./tar-reader.js";

/** A tar header. */
const block = 512;
/** How much of a stream is searched for a tar header when it does not begin with one. */
const searchedForHeader = 1024 * 1024;
/** Of an archive. */
const readAtOnce = 1024 * 1024;
/** Of anything: no call reads more than 2 GiB. */
const mostAtOnce = 1024 * 1024 * 1024;

export interface OpenBundle {
  /** As the user named it. */
  readonly name: string;
  readonly form: "archive" | "directory" | "document";
  /** Whether single entries can be read without reading the rest. */
  readonly seekable: boolean;
  /**
   * The entries, once. Reading ends with a UserError at a limit on the whole; anything else costs one piece and is reported.
   * A seekable archive may end with an `IndexMismatch`: then open it anew with `seek: false`.
   */
  entries(report: (problem: Problem) => void): AsyncGenerator<Entry, void, void>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly limits: Limits;
  /** Whether a bundle's index may be used; default true. */
  readonly seek?: boolean;
  /** Where "-" reads from. */
  readonly stdin?: AsyncIterable<Uint8Array>;
}

/**
 * Opens any accepted kind of snapshot, told apart by its content and never by its name.
 * @param path a file, a folder, or "-" for standard input
 * @throws UserError when it is none of them
 */
export async function openBundle(path: string, options: OpenOptions): Promise<OpenBundle> {
  if (path === "-") {
    const stdin: AsyncIterable<Uint8Array> = options.stdin ?? process.stdin;
    return openStream("-", stdin, options.limits, () => {
      if (stdin instanceof Readable) stdin.destroy(); // whoever writes may take his time to end
      return Promise.resolve();
    });
  }
  let isDirectory: boolean;
  let isFile: boolean;
  try {
    const stats = statSync(path);
    isDirectory = stats.isDirectory();
    isFile = stats.isFile();
  } catch (error) {
    throw cannotRead(path, error);
  }
  if (isDirectory) return openDirectory(path, options.limits);
  if (isFile) {
    const handle = await open(path).catch((error: unknown) => {
      throw cannotRead(path, error);
    });
    const close = (): Promise<void> => handle.close();
    const isArchive = options.seek !== false && !isJsonFile(handle);
    const entries = isArchive ? await seekEntries(handle, options.limits).catch(() => null) : null;
    if (entries !== null) return { name: path, form: "archive", seekable: true, entries, close };
    return openStream(path, contentOf(handle, options.limits), options.limits, close);
  }
  const stream = createReadStream(path, { highWaterMark: 1024 * 1024 });
  return openStream(path, stream as AsyncIterable<Uint8Array>, options.limits, () => {
    stream.destroy();
    return Promise.resolve();
  });
}

async function openStream(
  name: string,
  source: AsyncIterable<Uint8Array>,
  limits: Limits,
  close: () => Promise<void>,
): Promise<OpenBundle> {
  try {
    const outer = await peek(readable(source, name), block);
    const gzip: Inflated | null = isGzip(outer.head) ? inflate(outer.chunks, limits) : null;
    let inner = gzip === null ? outer : await peek(gzip.chunks, block);
    const reportGzip = (report: (problem: Problem) => void, isComplete: boolean): void => {
      if (gzip === null) return;
      const failure = gzip.failure();
      if (failure !== null)
        report(lost("", `the gzip stream is damaged (${failure}); what stood before the damage was read`));
      else if (gzip.cut()) report(lost("", "the gzip stream is cut off; what stood before the end was read"));
      else if (gzip.hasTail())
        report(
          (isComplete ? note : lost)("", "bytes that are no gzip follow the gzip stream; they were not read"),
        );
    };
    let isTar = looksLikeHeader(inner.head);
    if (!isTar && !isJson(inner.head) && !isZip(inner.head)) {
      // perhaps the first header is damaged
      inner = await peek(inner.chunks, searchedForHeader);
      isTar = hasHeader(inner.head);
    }
    if (isTar) {
      const entries = async function* (
        report: (problem: Problem) => void,
      ): AsyncGenerator<Entry, void, void> {
        const end = { isComplete: false };
        for await (const file of readTar(inner.chunks, limits, report, end)) {
          const capturedAt =
            file.modified === null
              ? null
              : { time: file.modified.toISOString(), source: "tar entry" as const };
          yield {
            name: file.name,
            role: roleOf(file.name),
            size: file.size,
            capturedAt,
            read: () => file.read(),
            readHead: () => file.readHead(),
          };
        }
        reportGzip(report, end.isComplete);
      };
      return { name, form: "archive", seekable: false, entries, close };
    }
    refuseOther(name, inner.head, gzip);
    const entries = async function* (report: (problem: Problem) => void): AsyncGenerator<Entry, void, void> {
      const read = async (): Promise<{ bytes: Uint8Array; cut: boolean }> => {
        const bytes = await readAll(inner.chunks, name, limits);
        reportGzip(report, true); // whether something is missing the content shows
        return { bytes, cut: false };
      };
      const label = name === "-" ? "standard input" : basename(name);
      yield await Promise.resolve({
        name: label,
        role: { kind: "document" } as const,
        size: null,
        capturedAt: null,
        read,
        readHead: async () => (await read()).bytes,
      });
    };
    return { name, form: "document", seekable: false, entries, close };
  } catch (error) {
    await close();
    throw error instanceof UserError ? error : cannotRead(name, error);
  }
}

/**
 * What a file holds: JSON, which is needed whole, in one piece; all else, which is an archive as a rule, in pieces.
 * Nothing else is to be done meanwhile, so it is waited for: that takes half the time of having it read in the background.
 */
async function* contentOf(file: FileHandle, limits: Limits): AsyncGenerator<Uint8Array> {
  const { size } = fstatSync(file.fd);
  const isWanted = size <= limits.entryBytes && isJsonFile(file);
  let at = 0;
  for (;;) {
    const piece = readFrom(file, at, isWanted && at === 0 ? Math.min(size, mostAtOnce) : readAtOnce);
    if (piece.length === 0) return;
    at += piece.length;
    yield await Promise.resolve(piece);
  }
}

function isJsonFile(file: FileHandle): boolean {
  try {
    return isJson(readFrom(file, 0, block));
  } catch {
    return false; // whoever reads it says why it cannot be read
  }
}

/** What stands at a place in a file, as far as one reading gives it; nothing at its end. */
function readFrom({ fd }: FileHandle, position: number, length: number): Uint8Array {
  const buffer = Buffer.allocUnsafeSlow(length);
  return buffer.subarray(0, readSync(fd, buffer, 0, length, position));
}

/** Says of content that is no tar and begins like no text what it is, with the way out. */
function refuseOther(name: string, head: Uint8Array, gzip: Inflated | null): void {
  const failure = gzip?.failure() ?? null;
  const what =
    head.length === 0
      ? failure === null
        ? "is empty"
        : `is a damaged gzip stream: ${failure}`
      : isZip(head)
        ? "is a zip archive; unpack it and name the folder"
        : head.every((byte) => byte === 0)
          ? "holds only zeros"
          : head.subarray(0, 64).includes(0) && !isUtf16(head)
            ? "is neither a gzip or tar archive nor text"
            : null;
  if (what === null) return;
  throw new UserError(
    `${label(name)} ${what}. A snapshot is a bundle, an istioctl bug-report, a must-gather, or a config_dump or syncz answer as JSON.`,
  );
}

const isZip = (head: Uint8Array): boolean => head[0] === 0x50 && head[1] === 0x4b && (head[2] ?? 0) < 10;

const isUtf16 = (head: Uint8Array): boolean =>
  (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);

/** Whether the first character that is no white space opens a JSON object or array. */
function isJson(head: Uint8Array): boolean {
  const first = utf8(head).find((byte) => !isSpace(byte));
  return first === 0x7b || first === 0x5b;
}

function hasHeader(head: Uint8Array): boolean {
  for (let at = 0; at + block <= head.length; at += block) {
    if (isHeader(head.subarray(at, at + block))) return true;
  }
  return false;
}

function openDirectory(path: string, limits: Limits): OpenBundle {
  const entries = async function* (report: (problem: Problem) => void): AsyncGenerator<Entry, void, void> {
    let count = 0;
    let total = 0;
    for await (const file of walk(path, "", report)) {
      count++;
      if (count > limits.entries) {
        throw new UserError(
          `${label(path)} has more than ${limits.entries} files (--max-entries raises the limit)`,
        );
      }
      const refusal = refuseName(file.name, limits) ?? refuseSize(file.size, limits);
      if (refusal !== null) {
        report(lost(excerpt(file.name, 200), refusal));
        continue;
      }
      const read = async (): Promise<{ bytes: Uint8Array; cut: boolean }> => {
        const bytes = await readFile(join(path, file.name)).catch((error: unknown) => {
          throw new BundleFormatError(file.name, "", messageOf(error));
        });
        total += bytes.length;
        if (total > limits.totalBytes) {
          throw new UserError(
            `${label(path)} holds more than ${limits.totalBytes} bytes (--max-total-bytes raises the limit)`,
          );
        }
        return { bytes, cut: false };
      };
      const readHead = async (): Promise<Uint8Array> => {
        const handle = await open(join(path, file.name)).catch((error: unknown) => {
          throw new BundleFormatError(file.name, "", messageOf(error));
        });
        try {
          const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
          return buffer.subarray(0, bytesRead);
        } finally {
          await handle.close();
        }
      };
      yield { name: file.name, role: roleOf(file.name), size: file.size, capturedAt: null, read, readHead };
    }
  };
  return { name: path, form: "directory", seekable: true, entries, close: () => Promise.resolve() };
}

/** The regular files below a folder, in the order of their names; links are not followed. */
async function* walk(
  root: string,
  folder: string,
  report: (problem: Problem) => void,
): AsyncGenerator<{ name: string; size: number }> {
  const items = await readdir(join(root, folder), { withFileTypes: true }).catch((error: unknown) => {
    if (folder === "") throw cannotRead(root, error);
    report(lost(folder, `cannot be listed: ${messageOf(error)}`));
    return [];
  });
  for (const item of items.sort((a, b) => compareText(a.name, b.name))) {
    const name = folder === "" ? item.name : `${folder}/${item.name}`;
    if (item.isDirectory()) yield* walk(root, name, report);
    else if (item.isFile()) {
      const size = await stat(join(root, name)).then(
        (stats) => stats.size,
        () => 0,
      );
      yield { name, size };
    } else report(note(name, "is a link or a special file; only regular files are read"));
  }
}

const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

const label = (name: string): string => (name === "-" ? "standard input" : name);

function cannotRead(name: string, error: unknown): UserError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason =
    code === "ENOENT"
      ? "there is no such file or folder"
      : code === "EACCES"
        ? "permission denied"
        : messageOf(error);
  return new UserError(`cannot read ${label(name)}: ${reason}`);
}

/** A source whose errors are the user's: a disk that fails, a pipe that breaks. */
async function* readable(source: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    throw error instanceof UserError ? error : cannotRead(name, error);
  }
}

/** The first bytes of a stream (less only where it is shorter), and the whole stream. */
async function peek(
  source: AsyncIterable<Uint8Array>,
  wanted: number,
): Promise<{ head: Uint8Array; chunks: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const held: Uint8Array[] = [];
  let length = 0;
  while (length < wanted) {
    const next = await iterator.next();
    if (next.done === true) break;
    held.push(next.value);
    length += next.value.length;
  }
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* held.splice(0);
      for (;;) {
        const next = await iterator.next();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  };
  return { head: joined(held).subarray(0, wanted), chunks: chunks() };
}

async function readAll(chunks: AsyncIterable<Uint8Array>, name: string, limits: Limits): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    const refusal = refuseSize(total, limits);
    if (refusal !== null)
      throw new UserError(
        `${label(name)} is larger than ${limits.entryBytes} bytes (--max-entry-bytes sets the limit)`,
      );
    all.push(chunk);
  }
  return joined(all);
}

/** One piece stays as it is. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
}
