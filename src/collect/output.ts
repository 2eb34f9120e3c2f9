import { createReadStream, rmSync } from "node:fs";
import { mkdtemp, open, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";

import { messageOf } from "../shared/errors.js";
import { OutputError } from "./packing.js";

/** Where a bundle is written: under another name, readable by its owner only, until it is whole. */
export interface Output {
  readonly stream: Writable;
  /** Gives the whole bundle its name. @returns its size in bytes */
  commit(): Promise<number>;
  /** Leaves nothing behind; synchronous, so that it can be the last thing a process does. */
  discard(): void;
}

/** @throws OutputError */
export async function openOutput(path: string): Promise<Output> {
  try {
    return path === "-" ? await toStandardOutput() : await toFile(path);
  } catch (error) {
    throw new OutputError(`cannot write ${path === "-" ? "the bundle" : path}: ${messageOf(error)}`);
  }
}

async function toFile(path: string): Promise<Output> {
  const there = await stat(path).catch(() => null);
  if (there?.isDirectory() === true) throw new Error("it is a folder");
  if (there?.isFile() === false) throw new Error("it is no ordinary file, and would be replaced by one");
  const partial = `${path}.partial`;
  const stream = await createPrivate(partial);
  return {
    stream,
    commit: async () => {
      const { size } = await stat(partial);
      await rename(partial, path);
      return size;
    },
    discard: () => {
      stream.destroy();
      rmSync(partial, { force: true });
    },
  };
}

/** Standard output gets the bundle when it is whole and nothing in it was objected to. */
async function toStandardOutput(): Promise<Output> {
  const folder = await mkdtemp(join(tmpdir(), "istio-snapshot-"));
  const path = join(folder, "bundle");
  const stream = await createPrivate(path);
  const discard = (): void => {
    stream.destroy();
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    stream,
    commit: async () => {
      const { size } = await stat(path);
      try {
        await pipeline(createReadStream(path), process.stdout, { end: false });
      } finally {
        discard();
      }
      return size;
    },
    discard,
  };
}

/** A new file with mode 0600; one of that name is removed first, so that neither its mode nor a link lives on. */
async function createPrivate(path: string): Promise<Writable> {
  await rm(path, { force: true });
  const handle = await open(path, "wx", 0o600).catch((error: unknown) => {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    throw missing ? new Error(`there is no folder ${dirname(path)}`) : error;
  });
  return handle.createWriteStream();
}
