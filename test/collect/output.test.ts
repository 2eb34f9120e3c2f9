import { execFile, spawn } from "node:child_process";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openOutput, type Output } from "../../src/collect/output.js";
import { OutputError } from "../../src/collect/packing.js";
import { root } from "../support/cli.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "istio-snapshot-output-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const bundle = (): string => join(folder, "bundle.tar.gz");
const names = async (): Promise<string[]> => (await readdir(folder)).sort();
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

async function write(output: Output, text: string): Promise<void> {
  await finished(output.stream.end(text));
}

describe("a bundle in a file", () => {
  it("has another name until it is whole, and belongs to its owner all the while", async () => {
    const output = await openOutput(bundle());
    expect(await names()).toEqual(["bundle.tar.gz.partial"]);
    expect(await modeOf(`${bundle()}.partial`)).toBe(0o600);
    await write(output, "whole");
    expect(await names()).toEqual(["bundle.tar.gz.partial"]);
    expect(await output.commit()).toBe(5);
    expect(await names()).toEqual(["bundle.tar.gz"]);
    expect(await readFile(bundle(), "utf8")).toBe("whole");
    expect(await modeOf(bundle())).toBe(0o600);
  });

  it("takes the place of an older one, whose mode is gone with it", async () => {
    await writeFile(bundle(), "old", { mode: 0o644 });
    const output = await openOutput(bundle());
    await write(output, "new");
    expect(await readFile(bundle(), "utf8")).toBe("old");
    await output.commit();
    expect(await readFile(bundle(), "utf8")).toBe("new");
    expect(await modeOf(bundle())).toBe(0o600);
  });

  it("leaves nothing behind when it is given up, and an older one as it was", async () => {
    await writeFile(bundle(), "old");
    const output = await openOutput(bundle());
    output.stream.write("half");
    output.discard();
    output.discard(); // twice is once
    expect(await names()).toEqual(["bundle.tar.gz"]);
    expect(await readFile(bundle(), "utf8")).toBe("old");
  });

  it("is not begun in a file of others: one left over from before is replaced, with its mode", async () => {
    const partial = `${bundle()}.partial`;
    await writeFile(partial, "left over, and longer than what follows");
    await chmod(partial, 0o666);
    const output = await openOutput(bundle());
    expect(await modeOf(partial)).toBe(0o600);
    await write(output, "new");
    await output.commit();
    expect(await readFile(bundle(), "utf8")).toBe("new");
  });

  it("is not written through a link that stands where it begins", async () => {
    const victim = join(folder, "victim");
    await writeFile(victim, "precious");
    await symlink(victim, `${bundle()}.partial`);
    const output = await openOutput(bundle());
    await write(output, "new");
    await output.commit();
    expect(await readFile(victim, "utf8")).toBe("precious");
    expect((await lstat(bundle())).isSymbolicLink()).toBe(false);
  });

  it("takes the place of a link, not of what that leads to", async () => {
    const victim = join(folder, "victim");
    await writeFile(victim, "precious");
    await symlink(victim, bundle());
    const output = await openOutput(bundle());
    await write(output, "new");
    await output.commit();
    expect(await readFile(victim, "utf8")).toBe("precious");
    expect(await readFile(bundle(), "utf8")).toBe("new");
  });
});

describe("no bundle", () => {
  const refused = async (path: string): Promise<unknown> =>
    openOutput(path).then(
      () => "opened",
      (error: unknown) => error,
    );

  it("is written into a folder that is not there", async () => {
    const path = join(folder, "no", "bundle.tar.gz");
    const error = await refused(path);
    expect(error).toBeInstanceOf(OutputError);
    expect(error).toMatchObject({
      message: `cannot write ${path}: there is no folder ${join(folder, "no")}`,
    });
  });

  it("takes the place of a folder", async () => {
    await mkdir(bundle());
    expect(await refused(bundle())).toMatchObject({ message: `cannot write ${bundle()}: it is a folder` });
    expect(await names()).toEqual(["bundle.tar.gz"]);
  });

  it("takes the place of what is no ordinary file, such as /dev/null", async () => {
    await promisify(execFile)("mkfifo", [bundle()]);
    expect(await refused(bundle())).toMatchObject({
      message: `cannot write ${bundle()}: it is no ordinary file, and would be replaced by one`,
    });
    expect(await names()).toEqual(["bundle.tar.gz"]);
  });

  it("begins where a folder stands", async () => {
    await mkdir(`${bundle()}.partial`);
    await writeFile(join(`${bundle()}.partial`, "precious"), "");
    expect(await refused(bundle())).toBeInstanceOf(OutputError);
    expect(await readdir(`${bundle()}.partial`)).toEqual(["precious"]);
  });

  it("is written behind a file that is no folder", async () => {
    await writeFile(join(folder, "file"), "");
    expect(await refused(join(folder, "file", "bundle"))).toBeInstanceOf(OutputError);
  });
});

describe("standard output", () => {
  /** Runs a few lines in a process of its own, whose standard output can be read. */
  async function run(lines: string): Promise<{ stdout: string; code: number | null; left: string[] }> {
    const source = `
      import { openOutput } from ${JSON.stringify(`${root}src/collect/output.ts`)};
      import { finished } from "node:stream/promises";
      const output = await openOutput("-");
      ${lines}`;
    await writeFile(join(folder, "run.mts"), source);
    const temporary = join(folder, "tmp");
    await mkdir(temporary);
    const child = spawn(process.execPath, ["--import", "tsx", join(folder, "run.mts")], {
      cwd: root,
      env: { ...process.env, TMPDIR: temporary },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let stdout = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return { stdout, code, left: await readdir(temporary) };
  }

  it("gets the bundle when it is whole, and its copy is gone", async () => {
    const { stdout, code, left } = await run(`
      await finished(output.stream.end("whole".repeat(100_000)));
      process.stdout.write("[");
      const size = await output.commit();
      process.stdout.write("]" + size);`);
    expect(code).toBe(0);
    expect(stdout === `[${"whole".repeat(100_000)}]500000`).toBe(true);
    expect(left.filter((name) => name.startsWith("istio-snapshot-"))).toEqual([]);
  });

  it("gets nothing of one that is given up, and nothing is left", async () => {
    const { stdout, code, left } = await run(`
      await new Promise((resolve) => output.stream.write("half", resolve));
      output.discard();`);
    expect({ stdout, code }).toEqual({ stdout: "", code: 0 });
    expect(left.filter((name) => name.startsWith("istio-snapshot-"))).toEqual([]);
  });

  it("is prepared in a folder of its owner's", async () => {
    const { stdout } = await run(`
      import { readdirSync, statSync } from "node:fs";
      const own = process.env.TMPDIR + "/" + readdirSync(process.env.TMPDIR).find((name) => name.startsWith("istio-snapshot-"));
      console.log((statSync(own).mode & 0o777).toString(8), (statSync(own + "/bundle").mode & 0o777).toString(8));
      output.discard();`);
    expect(stdout).toBe("700 600\n");
  });
});
