import { createHash } from "node:crypto";
import type { Writable } from "node:stream";
import { createGzip } from "node:zlib";

import { pack } from "tar-stream";

import { footer } from "./footer.js";
import { manifestName, type Manifest, type ManifestFile } from "./manifest.js";

/** One file on its way into a bundle. */
export interface NewFile {
  readonly name: string;
  /** Bytes; the tar header stands before the content, so it must be known. */
  readonly size: number;
  readonly content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly capturedAt: Date;
  readonly slices?: ManifestFile["slices"];
}

export interface BundleWriter {
  /** Appends one file; the next may be added when the promise is fulfilled. */
  add(file: NewFile): Promise<ManifestFile>;
  /** Writes the manifest and the footer, and ends the output. */
  finish(manifest: Omit<Manifest, "files">): Promise<Manifest>;
}

/** Two blocks of zeros: what tar-stream ends an archive with. */
const endMark = 1024;

/**
 * Writes a bundle: a gzip of one member per tar entry, the manifest last, then the footer that tells where it is. The
 * bytes depend on nothing but the content: no owner, no clock, no host.
 */
export function bundleWriter(output: Writable): BundleWriter {
  let offset = 0;
  const files: ManifestFile[] = [];

  const write = async (bytes: Uint8Array): Promise<void> => {
    offset += bytes.length;
    await new Promise<void>((resolve, reject) => {
      output.write(bytes, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  };

  const member = async (file: NewFile, isLast: boolean): Promise<ManifestFile> => {
    const begin = offset;
    const hash = createHash("sha256");
    const tar = pack();
    const gzip = createGzip({ level: 6 });
    const entry = tar.entry({
      name: file.name,
      size: file.size,
      mode: 0o600,
      uid: 0,
      gid: 0,
      mtime: new Date(Math.floor(file.capturedAt.getTime() / 1000) * 1000),
    });
    const feed = async (): Promise<void> => {
      for await (const chunk of file.content) {
        hash.update(chunk);
        if (!entry.write(chunk))
          await new Promise<void>((resolve) => void entry.once("drain", () => resolve()));
      }
      entry.end(null);
      tar.finalize();
    };
    const squeeze = async (): Promise<void> => {
      const blocks = tar as AsyncIterable<Uint8Array>;
      const padded = isLast ? blocks : withoutEnd(blocks, endMark);
      for await (const chunk of padded) {
        if (!gzip.write(chunk)) await new Promise((resolve) => gzip.once("drain", resolve));
      }
      gzip.end();
    };
    const drain = async (): Promise<void> => {
      let first = true;
      for await (const chunk of gzip as AsyncIterable<Buffer>) {
        if (first) chunk[9] = 255; // the operating system: zlib writes the one it was built for
        first = false;
        await write(chunk);
      }
    };
    try {
      await Promise.all([feed(), squeeze(), drain()]);
    } catch (error) {
      tar.destroy();
      gzip.destroy();
      throw error;
    }
    return {
      name: file.name,
      size: file.size,
      sha256: hash.digest("hex"),
      capturedAt: file.capturedAt.toISOString(),
      member: { offset: begin, length: offset - begin },
      ...(file.slices === undefined ? {} : { slices: file.slices }),
    };
  };

  return {
    add: async (file) => {
      const written = await member(file, false);
      files.push(written);
      return written;
    },
    finish: async (about) => {
      const manifest: Manifest = { ...about, files };
      const content = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
      const { member: place } = await member(
        { name: manifestName, size: content.length, content: [content], capturedAt: new Date(about.end) },
        true,
      );
      await write(footer(place.offset));
      await new Promise<void>((resolve, reject) => {
        output.on("error", reject);
        output.end((error?: Error | null) => {
          if (error) reject(error);
          else resolve();
        });
      });
      return manifest;
    },
  };
}

/** Everything of a stream but its last `length` bytes. */
async function* withoutEnd(stream: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
  let held: Uint8Array = new Uint8Array(0);
  for await (const chunk of stream) {
    const all = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const pass = Math.max(0, all.length - length);
    if (pass > 0) yield all.subarray(0, pass);
    held = all.subarray(pass);
  }
}
