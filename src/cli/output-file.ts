import { randomUUID } from "node:crypto";
import { rmSync } from "node:fs";
import { open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";

import { UserError, messageOf } from "../shared/errors.js";
import { print } from "./output.js";

/** A file that only its owner can read, and that is whole or not there at all. */
export interface OutputFile {
  readonly stream: Writable;
  /** Puts it in its place. @throws UserError when that fails; it is removed then */
  commit(): Promise<void>;
  /** Removes what was written. */
  discard(): Promise<void>;
}

/** Opens a file to write, "-" for standard output. @throws UserError when it cannot be written */
export function openOutput(path: string): Promise<OutputFile> {
  return path === "-" ? standardOutput() : namedFile(path);
}

export function cannotWrite(path: string, error: unknown): UserError {
  const target = path === "-" ? "standard output" : path;
  return error instanceof UserError ? error : new UserError(`cannot write ${target}: ${messageOf(error)}`);
}

/** `<path>.partial`, which `commit` renames. It is removed also when the run is interrupted. */
async function namedFile(path: string): Promise<OutputFile> {
  const partial = `${path}.partial`;
  let handle: FileHandle;
  try {
    const present = await stat(path).catch(() => null);
    if (present?.isDirectory() === true) throw new UserError(`${path} is a folder; name a file`);
    await rm(partial, { force: true }); // of a run that was killed, and perhaps for others to read
    handle = await open(partial, "wx", 0o600);
  } catch (error) {
    throw cannotWrite(path, error);
  }
  const interrupted = (signal: NodeJS.Signals): void => {
    rmSync(partial, { force: true });
    process.kill(process.pid, signal); // nobody listens any more: it ends as it would have without us
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.once(signal, interrupted);
  const stream = handle.createWriteStream();
  stream.on("error", () => undefined); // whoever writes is told by the call
  const close = async (): Promise<void> => {
    for (const signal of signals) process.off(signal, interrupted);
    await new Promise<void>((resolve) => {
      if (stream.closed) resolve();
      else stream.once("close", resolve).destroy();
    });
  };
  const discard = async (): Promise<void> => {
    await close();
    await rm(partial, { force: true });
  };
  return {
    stream,
    commit: async () => {
      await close();
      try {
        await rename(partial, path);
      } catch (error) {
        await discard();
        throw cannotWrite(path, error);
      }
    },
    discard,
  };
}

/** Standard output, which gets nothing before all is there. */
async function standardOutput(): Promise<OutputFile> {
  const handle = await namelessFile();
  const stream = new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      append(handle, chunk).then(() => done(), done);
    },
  });
  stream.on("error", () => undefined); // as above
  return {
    stream,
    commit: async () => {
      for await (const chunk of contentOf(handle)) await print(chunk);
      await handle.close();
    },
    discard: async () => {
      stream.destroy();
      await handle.close();
    },
  };
}

/** A file in the system's folder for temporary ones, for its owner alone and without a name, so that it goes with this process. */
export async function namelessFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `istio-snapshot-${randomUUID()}`);
  try {
    const handle = await open(path, "wx+", 0o600);
    await rm(path);
    return handle;
  } catch (error) {
    throw cannotWrite("a temporary file (TMPDIR names another folder)", error);
  }
}

/** Writes at the end of a file. */
export async function append(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten;
}

/** The content of a file that stays open, from its beginning. */
export async function* contentOf(handle: FileHandle): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; ;) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(chunkSize), 0, chunkSize, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

const chunkSize = 1024 * 1024;
