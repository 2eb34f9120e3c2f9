import { rmSync } from "node:fs";
import { mkdtemp, open, rm, unlink, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { messageOf, UserError } from "../shared/errors.js";

/**
 * One answer on its way into the bundle, still unredacted: readable by its owner only, and without a name where the system
 * allows. Everything throws UserError when the disk is full or broken.
 */
export interface TemporaryFile {
  readonly size: number;
  append(bytes: Uint8Array): Promise<void>;
  read(): Promise<Buffer>;
  /** The same, piece by piece. */
  chunks(): AsyncIterable<Uint8Array>;
  /** The first bytes. */
  head(length: number): Promise<Buffer>;
  /** Forgets what was written, for another try. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export interface TemporaryFiles {
  create(): Promise<TemporaryFile>;
  /** Closes and removes everything. */
  remove(): Promise<void>;
}

/**
 * @param folder where the files go; null: the system's folder for such
 * @throws UserError when nothing can be written there
 */
export async function temporaryFiles(folder: string | null): Promise<TemporaryFiles> {
  const parent = folder ?? tmpdir();
  const onDisk = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw new UserError(
        `cannot keep an answer in a temporary file in ${parent} (TMPDIR names another folder): ${messageOf(error)}`,
      );
    }
  };
  const own = await onDisk(mkdtemp(join(parent, ".istio-snapshot-")));
  // also where the process ends at once, as it does when the user gives up
  const onExit = (): void => rmSync(own, { recursive: true, force: true });
  process.once("exit", onExit);
  const opened = new Set<TemporaryFile>();
  let count = 0;
  return {
    create: async () => {
      const path = join(own, String(count++));
      const handle = await onDisk(open(path, "wx+", 0o600));
      // a file without a name is gone with the process, however that ends; Windows keeps the name until the end
      await unlink(path).catch(() => undefined);
      const file = temporaryFile(handle, onDisk, () => opened.delete(file));
      opened.add(file);
      return file;
    },
    remove: async () => {
      for (const file of opened) await file.close();
      await rm(own, { recursive: true, force: true });
      process.off("exit", onExit);
    },
  };
}

const chunkSize = 1024 * 1024;
/** Bytes that one call of the system may read: it takes no more than 2^31 - 1. */
const readSize = 1024 * 1024 * 1024;

function temporaryFile(
  handle: FileHandle,
  onDisk: <T>(work: Promise<T>) => Promise<T>,
  onClose: () => void,
): TemporaryFile {
  let size = 0;
  let isOpen = true;
  const read = async (length: number, from = 0): Promise<Buffer> => {
    const buffer = Buffer.allocUnsafe(length);
    let at = 0;
    while (at < length) {
      const wanted = Math.min(length - at, readSize);
      const { bytesRead } = await onDisk(handle.read(buffer, at, wanted, from + at));
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return buffer.subarray(0, at);
  };
  return {
    get size() {
      return size;
    },
    append: async (bytes) => {
      let at = 0;
      while (at < bytes.length) {
        const { bytesWritten } = await onDisk(handle.write(bytes, at, bytes.length - at, size));
        at += bytesWritten;
        size += bytesWritten;
      }
    },
    read: () => read(size),
    chunks: async function* () {
      for (let from = 0; from < size; from += chunkSize)
        yield await read(Math.min(chunkSize, size - from), from);
    },
    head: (length) => read(Math.min(length, size)),
    clear: async () => {
      await onDisk(handle.truncate(0));
      size = 0;
    },
    close: async () => {
      if (!isOpen) return;
      isOpen = false;
      onClose();
      // what it held is not wanted any more, so neither is an error about it
      await handle.close().catch(() => undefined);
    },
  };
}
