import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";

import { pack } from "tar-stream";

export interface TarFileToWrite {
  readonly name: string;
  /** Bytes; the header stands before the content. */
  readonly size: number;
  readonly content: Iterable<Uint8Array>;
  /** null: not known, and the header says 1970, which readers take for that. */
  readonly modified: Date | null;
}

export interface TarWriter {
  /** Appends one file; the next may be added when the promise is fulfilled. */
  add(file: TarFileToWrite): Promise<void>;
  /** Writes the end mark and ends the output. */
  finish(): Promise<void>;
}

/** Writes a gzip'd tar as istioctl and `oc adm must-gather` users attach it, without owner, group or host. */
export function tarGzWriter(output: Writable): TarWriter {
  const tar = pack();
  const written = pipeline(tar as AsyncIterable<Uint8Array>, createGzip({ level: 6 }), output);
  /** Fails as soon as the output does, also while a file waits for room. */
  const failed = written.then(() => new Promise<never>(() => undefined));
  failed.catch(() => undefined); // whoever adds or finishes gets it

  return {
    add: ({ name, size, content, modified }) =>
      Promise.race([
        failed,
        new Promise<void>((resolve, reject) => {
          const header = { name, size, mode: 0o600, uid: 0, gid: 0, mtime: modified ?? new Date(0) };
          const entry = tar.entry(header, (error) => {
            if (error) reject(error);
            else resolve();
          });
          entry.on("error", () => undefined); // its callback says so, too
          void feed(entry, content);
        }),
      ]),
    finish: async () => {
      tar.finalize();
      await written;
    },
  };
}

/** Gives a file's chunks to its entry, no more than there is room for. */
async function feed(entry: ReturnType<ReturnType<typeof pack>["entry"]>, content: Iterable<Uint8Array>) {
  for (const chunk of content) {
    if (!entry.write(chunk)) await new Promise<void>((resolve) => void entry.once("drain", resolve));
  }
  entry.end(null);
}
