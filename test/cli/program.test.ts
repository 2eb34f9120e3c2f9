import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { cli, root } from "../support/cli.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "istio-snapshot-program-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cachePath = "dist/program/trace.cache";
const builtCache = (): Buffer => readFileSync(join(root, cachePath));

/** The program as a package holds it, with another cache. */
function withCache(name: string, cache: Uint8Array | null): string {
  const copy = join(folder, name);
  mkdirSync(join(copy, "dist"), { recursive: true });
  for (const part of ["bin", "dist/program", "package.json"])
    cpSync(join(root, part), join(copy, part), { recursive: true });
  if (cache === null) rmSync(join(copy, cachePath));
  else writeFileSync(join(copy, cachePath), cache);
  return copy;
}

/** Whether V8 took the cache; "none" where it was not offered one. */
function cacheOf(copy: string): string {
  const look = `const { script } = require(${JSON.stringify(join(copy, "bin/program.js"))}).load(["trace"]);
    process.stdout.write(String(script.cachedDataRejected ?? "none"));`;
  const said = execFileSync(process.execPath, ["-e", look], { encoding: "utf8" });
  return { false: "taken", true: "refused" }[said] ?? said;
}

describe("the cache of compiled code", () => {
  /** After the magic number stands the hash of V8's version. */
  const ofAnotherV8 = (): Buffer => {
    const cache = builtCache();
    cache.writeUInt32LE(cache.readUInt32LE(4) ^ 1, 4);
    return cache;
  };
  const ofAnotherProgram = (): Buffer =>
    Buffer.concat([builtCache().subarray(0, -64), Buffer.alloc(64, "0")]);

  it.each([
    { name: "as-built", cache: builtCache, then: "taken" },
    { name: "none", cache: () => null, then: "none" },
    { name: "empty", cache: () => Buffer.alloc(0), then: "none" },
    { name: "of-another-program", cache: ofAnotherProgram, then: "none" },
    { name: "of-another-v8", cache: ofAnotherV8, then: "refused" },
    {
      name: "cut",
      cache: () => Buffer.concat([builtCache().subarray(0, 100_000), builtCache().subarray(-64)]),
      then: "refused",
    },
  ])("$name: $then, and the program answers all the same", async ({ name, cache, then }) => {
    const copy = withCache(name, cache());
    expect(cacheOf(copy)).toBe(then);
    const args = ["trace", "http://reviews:9080/", "--from", "productpage"];
    const sample = join(root, "samples/bookinfo-healthy.tar.gz");
    const answer = spawnSync(process.execPath, [join(copy, "bin/istio-snapshot.js"), ...args, "-f", sample], {
      encoding: "utf8",
    });
    const expected = await cli([...args, "-f", sample]);
    expect(expected.code).toBe(0);
    expect({ code: answer.status, stdout: answer.stdout, stderr: answer.stderr }).toEqual(expected);
  });
});

describe("a command is loaded alone", () => {
  it.each([
    { command: "proxy-status", aliases: ["ps", "status"] },
    { command: "proxy-config", aliases: ["pc", "config"] },
    { command: "ztunnel-config", aliases: ["zc"] },
    { command: "authz", aliases: [] },
    { command: "trace", aliases: [] },
    { command: "query", aliases: [] },
    { command: "compare", aliases: [] },
    { command: "report", aliases: [] },
    { command: "version", aliases: [] },
    { command: "verify", aliases: [] },
    { command: "redact", aliases: [] },
  ])("$command, by every name: its help is the same as with all others", async ({ command, aliases }) => {
    for (const name of [command, ...aliases]) {
      const alone = await cli([name, "--help"]);
      expect(alone.code).toBe(0);
      expect(alone.stdout).toMatch(new RegExp(`^istio-snapshot (?:${name}|${command})\\b`));
      expect(alone).toEqual(await cli(["--color", name, "--help"])); // no command comes first
    }
  });

  it("is in the list of commands, as all are", async () => {
    const { stdout } = await cli(["--help"]);
    const listed = [...stdout.matchAll(/^ {2}istio-snapshot (\S+)/gm)].map((match) => match[1]);
    expect(listed).toEqual([
      "proxy-status",
      "proxy-config",
      "ztunnel-config",
      "authz",
      "trace",
      "query",
      "compare",
      "report",
      "version",
      "verify",
      "redact",
    ]);
  });
});

describe("a start", () => {
  /** Runs from a folder with a package.json of its own, and tells which files the program's code asked for. */
  function filesAsked(...args: string[]): string[] {
    const stands = join(folder, "stands");
    mkdirSync(stands, { recursive: true });
    writeFileSync(
      join(stands, "package.json"),
      '{ "version": "6.6.6", "yargs": { "boolean-negation": false } }',
    );
    const record = join(folder, "record.cjs");
    writeFileSync(
      record,
      `const fs = require("node:fs");
      const asked = new Set();
      for (const name of ["readFileSync", "readdirSync", "statSync", "openSync", "existsSync"]) {
        const original = fs[name];
        fs[name] = (path, ...rest) => { asked.add(String(path)); return original(path, ...rest); };
      }
      process.on("exit", () => fs.writeSync(2, JSON.stringify([...asked])));`,
    );
    const run = spawnSync(
      process.execPath,
      ["--require", record, join(root, "bin/istio-snapshot.js"), ...args],
      {
        cwd: stands,
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "de_DE.UTF-8" },
      },
    );
    const files = JSON.parse(run.stderr.slice(run.stderr.lastIndexOf("["))) as string[];
    const asked = files.map((file) =>
      file
        .replace(/^file:\/\//, "")
        .replace(root, "")
        .replaceAll("\\", "/"),
    );
    return [...new Set(asked)];
  }

  it.each([["--version"], ["--help"], ["trace", "http://reviews/"]])(
    "reads its own files alone: %s",
    (...args) => {
      // yargs asks for its English words, which stand in its code, too
      const files = filesAsked(...args).filter((file) => file !== "locales/en.json");
      const program = args[0] === "trace" ? "trace" : "istio-snapshot";
      expect(files.sort()).toEqual([
        "bin/istio-snapshot.js",
        "bin/program.js",
        `dist/program/${program}.cache`,
        `dist/program/${program}.js`,
        "package.json",
      ]);
    },
  );

  it("would be seen reading another", () => {
    expect(filesAsked("verify", join(root, "samples")).length).toBeGreaterThan(3);
  });

  it("speaks English wherever it is", async () => {
    const { stderr } = await cli(["no-such-command"], {
      env: { LC_ALL: "de_DE.UTF-8", LANG: "de_DE.UTF-8" },
    });
    expect(stderr).toMatch(/^istio-snapshot: Unknown argument: no-such-command /);
  });
});
