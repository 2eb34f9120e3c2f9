import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach } from "vitest";

export interface Folder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function newFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "istio-snapshot-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A folder for the tests of a file: each gets a new and empty one, which goes away with it. */
export function folderForEach(): () => string {
  let folder: Folder | null = null;
  beforeEach(async () => {
    folder = await newFolder();
  });
  afterEach(() => folder?.remove());
  return () => folder?.path ?? "";
}

/** What a collector has left there; what it told of its memory is the test's. */
export const leftIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => !name.startsWith("usage-")).sort();
