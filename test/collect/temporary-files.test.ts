import { mkdtemp, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { temporaryFiles, type TemporaryFile } from "../../src/collect/temporary-files.js";
import { UserError } from "../../src/shared/errors.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "temporary-files-test-"));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const everything = (): Promise<string[]> => readdir(folder, { recursive: true });

const chunksOf = async (file: TemporaryFile): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.chunks()) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/** What every open file writes, reads and truncates with: there to be made to fail. */
async function fileHandlePrototype(): Promise<{ write: unknown; read: unknown; truncate: unknown }> {
  const handle = await open(join(folder, "probe"), "w");
  await handle.close();
  await rm(join(folder, "probe"));
  return Object.getPrototypeOf(handle) as { write: unknown; read: unknown; truncate: unknown };
}

describe("a temporary file", () => {
  it("gives back what was appended, whole, in pieces and from its beginning", async () => {
    const files = await temporaryFiles(folder);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
        fc.nat(1000),
        async (pieces, length) => {
          const file = await files.create();
          for (const piece of pieces) await file.append(piece);
          const whole = Buffer.concat(pieces);
          expect(file.size).toBe(whole.length);
          expect((await file.read()).equals(whole)).toBe(true);
          expect((await chunksOf(file)).equals(whole)).toBe(true);
          expect((await file.head(length)).equals(whole.subarray(0, length))).toBe(true);
          await file.close();
        },
      ),
      { numRuns: 50 },
    );
    await files.remove();
  });

  it("comes in pieces that are small beside it", async () => {
    const files = await temporaryFiles(folder);
    const file = await files.create();
    const block = Buffer.alloc(1_000_001, "x");
    for (let i = 0; i < 5; i++) await file.append(block);
    const sizes: number[] = [];
    for await (const chunk of file.chunks()) sizes.push(chunk.length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1024 * 1024);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(5_000_005);
    await files.remove();
  });

  it("forgets what a failed try wrote", async () => {
    const files = await temporaryFiles(folder);
    const file = await files.create();
    await file.append(Buffer.from('{"configs":[{"half'));
    await file.clear();
    expect(file.size).toBe(0);
    expect((await file.read()).toString()).toBe("");
    await file.append(Buffer.from("{}"));
    expect((await file.read()).toString()).toBe("{}");
    await files.remove();
  });

  it("has no name to be found by, in a folder for its owner alone", async () => {
    const files = await temporaryFiles(folder);
    const file = await files.create();
    await file.append(Buffer.from("secret"));
    const [own = "", ...others] = await everything();
    expect(others).toEqual([]);
    expect((await stat(join(folder, own))).mode & 0o777).toBe(0o700);
    await files.remove();
    expect(await everything()).toEqual([]);
  });

  it("was for its owner alone before its name was gone", async () => {
    const prototype = await fileHandlePrototype();
    const files = await temporaryFiles(folder);
    const file = await files.create();
    let mode = 0;
    vi.spyOn(prototype as { truncate: () => Promise<void> }, "truncate").mockImplementation(
      async function (this: { stat(): Promise<{ mode: number; nlink: number }> }) {
        const { mode: found, nlink } = await this.stat();
        mode = found & 0o777;
        expect(nlink).toBe(0);
      },
    );
    await file.clear();
    expect(mode).toBe(0o600);
    await files.remove();
  });

  it("can be closed twice, and before all are removed", async () => {
    const files = await temporaryFiles(folder);
    const [first, second] = [await files.create(), await files.create()];
    await first.close();
    await first.close();
    await second.append(Buffer.from("still there"));
    expect((await second.read()).toString()).toBe("still there");
    await files.remove();
    await files.remove();
    await expect(second.append(Buffer.from("x"))).rejects.toBeInstanceOf(UserError);
    expect(await everything()).toEqual([]);
  });

  it("is written whole where the system takes less at a time", async () => {
    const prototype = (await fileHandlePrototype()) as {
      write: (bytes: Uint8Array, offset: number, length: number, position: number) => Promise<unknown>;
    };
    const write = prototype.write;
    vi.spyOn(prototype, "write").mockImplementation(function (
      this: unknown,
      bytes,
      offset,
      length,
      position,
    ) {
      return write.call(this, bytes, offset, Math.min(length, 3), position);
    });
    const files = await temporaryFiles(folder);
    const file = await files.create();
    await file.append(Buffer.from('{"configs":[]}'));
    expect((await file.read()).toString()).toBe('{"configs":[]}');
    await files.remove();
  });
});

describe("a disk", () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
  const broken = Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });

  it.each([
    { method: "write", error: full, use: (file: TemporaryFile) => file.append(Buffer.from("x")) },
    { method: "read", error: broken, use: (file: TemporaryFile) => file.read() },
    { method: "read", error: broken, use: (file: TemporaryFile) => file.head(1) },
    { method: "truncate", error: broken, use: (file: TemporaryFile) => file.clear() },
  ] as const)(
    "that fails to $method is for the user to mend, and leaves nothing",
    async ({ method, error, use }) => {
      const prototype = (await fileHandlePrototype()) as Record<typeof method, () => Promise<never>>;
      const files = await temporaryFiles(folder);
      const file = await files.create();
      await file.append(Buffer.from("xyz"));
      vi.spyOn(prototype, method).mockRejectedValueOnce(error);
      const failure: unknown = await use(file).catch((reason: unknown) => reason);
      expect(failure).toBeInstanceOf(UserError);
      expect((failure as UserError).message).toBe(
        `cannot keep an answer in a temporary file in ${folder} (TMPDIR names another folder): ${error.message}`,
      );
      await files.remove();
      expect(await everything()).toEqual([]);
    },
  );

  it("without the folder is for the user to mend", async () => {
    await writeFile(join(folder, "file"), "");
    for (const wrong of ["missing", "file"])
      await expect(temporaryFiles(join(folder, wrong))).rejects.toBeInstanceOf(UserError);
    const files = await temporaryFiles(folder);
    await rm(folder, { recursive: true });
    await expect(files.create()).rejects.toBeInstanceOf(UserError);
    await files.remove();
  });
});
