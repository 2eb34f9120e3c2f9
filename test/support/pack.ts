import { createWriteStream } from "node:fs";
import { PassThrough, type Writable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { finished } from "node:stream/promises";
import { createGzip } from "node:zlib";

import { pack } from "tar-stream";

import type { Manifest } from "../../src/bundle/manifest.js";
import { bundleWriter } from "../../src/bundle/writer.js";
import type { ArchiveFile } from "./mesh/layouts.js";

/** Writes files as the gzip'd tar that istioctl or `oc adm must-gather` users attach: one gzip member, plain tar. */
export async function packTarGz(files: Iterable<ArchiveFile>, output: Writable, level = 6): Promise<void> {
  const gzip = createGzip({ level });
  gzip.pipe(output);
  const tar = pack();
  tar.pipe(gzip);
  for (const { name, body, mtime } of files) {
    await new Promise<void>((resolve, reject) => {
      tar.entry(
        { name, mtime, mode: 0o644, uid: 0, gid: 0 },
        typeof body === "string" ? Buffer.from(body) : body,
        (error) => {
          if (error) reject(error);
          else resolve();
        },
      );
    });
  }
  tar.finalize();
  await finished(output);
}

export type ManifestFacts = Omit<Manifest, "files">;

/** Writes files as our own bundle. */
export async function packBundle(
  files: Iterable<ArchiveFile>,
  manifest: ManifestFacts,
  output: Writable,
): Promise<Manifest> {
  const writer = bundleWriter(output);
  for (const { name, body, mtime } of files) {
    const content = typeof body === "string" ? Buffer.from(body) : body;
    await writer.add({ name, size: content.length, content: [content], capturedAt: mtime });
  }
  return writer.finish(manifest);
}

export async function tarGz(files: Iterable<ArchiveFile>): Promise<Buffer> {
  const output = new PassThrough();
  const [bytes] = await Promise.all([buffer(output), packTarGz(files, output)]);
  return bytes;
}

export async function bundle(files: Iterable<ArchiveFile>, manifest: ManifestFacts): Promise<Buffer> {
  const output = new PassThrough();
  const [bytes] = await Promise.all([buffer(output), packBundle(files, manifest, output)]);
  return bytes;
}

export const toFile = (path: string): Writable => createWriteStream(path);
