import { spawn } from "node:child_process";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

import fc from "fast-check";
import { extract } from "tar-stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { manifestName, parseManifest } from "../../src/bundle/manifest.js";
import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { aFolder } from "../support/builders.js";
import {
  canaries,
  leaksOf,
  seededBugReport,
  seededBundle,
  seededMesh,
  seededMustGather,
} from "../support/canaries.js";
import { cli, root } from "../support/cli.js";
import { bundleFiles, smallBugReport, smallBundle, smallMesh } from "../support/hostile.js";
import { inProcess } from "../support/in-process.js";
import { bundle, tarGz } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";

let folder: Awaited<ReturnType<typeof aFolder>>;
/** A file below the folder of these tests. */
const at = (name: string): string => join(folder.path, name);
const written = async (name: string, content: Uint8Array | string): Promise<string> => {
  mkdirSync(dirname(at(name)), { recursive: true });
  return folder.write(name, content);
};
beforeAll(async () => {
  folder = await aFolder();
  await written("bundle.tar.gz", await smallBundle());
  await written("bug-report.tar.gz", await smallBugReport());
});
afterAll(() => folder.remove());

const token =
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkiLCJuIjoxMjM0NTY3ODkwfQ.c2lnbmF0dXJlLW9mLWEtY2FuYXJ5LXRva2Vu";
const dump = (): Buffer => {
  const found = [...bundleFiles()].find(({ name }) => name.endsWith("/config_dump?include_eds"));
  return Buffer.from(found?.body ?? "");
};

/** Names and content of an archive's entries. */
async function entriesOf(path: string): Promise<Map<string, Buffer>> {
  const entries = new Map<string, Buffer>();
  const tar = extract();
  tar.end(gunzipSync(readFileSync(path)));
  for await (const stream of tar) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
    entries.set(stream.header.name, Buffer.concat(chunks));
  }
  return entries;
}

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("exit codes", () => {
  it.each([
    { args: ["bundle.tar.gz", "-o", "a.tar.gz"], code: 0, because: "all was copied" },
    { args: ["-f", "bug-report.tar.gz", "-o", "a.tar.gz"], code: 0, because: "all was copied" },
    { args: ["bundle.tar.gz"], code: 2, because: "no output is named" },
    { args: ["-o", "a.tar.gz"], code: 2, because: "no snapshot is named" },
    { args: ["no-such-file", "-o", "a.tar.gz"], code: 2, because: "there is no such file" },
    { args: ["bundle.tar.gz", "-o", "no/such/folder/a"], code: 2, because: "it cannot be written" },
    { args: ["bundle.tar.gz", "-o", "."], code: 2, because: "that is a folder" },
    { args: ["bundle.tar.gz", "-o", "a", "--profile", "none"], code: 2, because: "that takes nothing out" },
    {
      args: ["bundle.tar.gz", "-o", "a", "--allow-finding", "all"],
      code: 2,
      because: "that is no fingerprint",
    },
    {
      args: ["bundle.tar.gz", "-o", "a", "--max-entries", "3"],
      code: 2,
      because: "a limit on the whole is reached",
    },
    {
      args: ["bundle.tar.gz", "-o", "a", "--max-entry-bytes", "100"],
      code: 1,
      because: "large entries are left out",
    },
    { args: ["photos.tar.gz", "-o", "a"], code: 2, because: "that is no snapshot" },
    { args: ["zeros", "-o", "a"], code: 2, because: "that is neither archive nor text" },
  ])("$code for redact $args: $because", async ({ args, code }) => {
    await written("photos.tar.gz", await tarGz([{ name: "photo.jpg", body: "x", mtime: new Date(0) }]));
    await written("zeros", Buffer.alloc(2000));
    const answer = await cli(["redact", ...args], { cwd: folder.path });
    expect({ code: answer.code, stderr: answer.stderr }).toMatchObject({ code });
    expect(answer.stdout).toBe("");
    if (code === 2) expect(answer.stderr).toMatch(/^istio-snapshot: .+\n$/); // one line, with what and where
    expect(readdirSync(folder.path).filter((name) => name.includes(".partial"))).toEqual([]);
  });

  it("are in the help, with what each profile takes out", async () => {
    const { stdout } = await cli(["redact", "--help"]);
    const text = stdout.replace(/\s+/g, " ");
    for (const words of [
      "2 nothing was written",
      "public: all names and addresses",
      "--allow-finding",
      "--max-entries",
    ])
      expect(text).toContain(words);
    expect(text).not.toContain("--as "); // nothing is to be named
  });
});

describe("a copy", () => {
  it("of a bundle is one that verify proves, for its owner alone, with the meaning of its tokens beside it", async () => {
    const facts = { ...manifestOf(seededMesh), redaction: { profile: "none" as const, rules: [] } };
    await written("seeded.tar.gz", await bundle(seededBundle(), facts));
    const made = await cli(["redact", at("seeded.tar.gz"), "-o", at("public.tar.gz"), "--profile", "public"]);
    expect(made.code, made.stderr).toBe(0);
    expect(modeOf(at("public.tar.gz"))).toBe("600");
    expect(modeOf(at("public.tar.gz.map.json"))).toBe("600");
    expect(made.stderr).toContain("redacted (public)");
    expect(made.stderr).toMatch(/^RULE +VALUES +FILES$/m);
    expect(made.stderr).toMatch(/^private key +\d+ +\d+$/m);
    expect(made.stderr).toContain("istio-snapshot: kept: ");
    expect(made.stderr).toContain("istio-snapshot: not covered: free text in ");
    expect(made.stderr).toContain(`public.tar.gz.map.json: keep that file to yourself`);

    const entries = await entriesOf(at("public.tar.gz"));
    expect([...entries.keys()].slice(-2)).toEqual(["istio-snapshot/certificates.json", manifestName]);
    const map = JSON.parse(readFileSync(at("public.tar.gz.map.json"), "utf8")) as Record<string, string>;
    expect(Object.values(map)).toContain("team-0");
    const packed = [...entries.values()].join("\n");
    expect(packed).not.toContain("team-0");
    const secrets = canaries.filter((canary) => canary.layout === "bundle");
    for (const bytes of entries.values()) expect(leaksOf(bytes, secrets)).toEqual([]);

    const verified = await cli(["verify", at("public.tar.gz"), "-o", "json"]);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      whole: true,
      files: { wrong: [] },
      redaction: { profile: "public", weakened: expect.arrayContaining([expect.stringContaining("tokens")]) },
    });
  });

  it.each([
    { kind: "bug-report", files: seededBugReport, lost: "cores/0.core: is a core dump" },
    { kind: "must-gather", files: seededMustGather, lost: null },
  ])("of a $kind is one, and says what it left out", async ({ kind, files, lost }) => {
    await written(`seeded-${kind}.tar.gz`, await tarGz(files()));
    const path = at(`${kind}.support.tar.gz`);
    const made = await cli(["redact", at(`seeded-${kind}.tar.gz`), "-o", path]);
    expect(made.code, made.stderr).toBe(lost === null ? 0 : 1);
    if (lost !== null) expect(made.stderr).toContain(lost);
    const snapshot = await readSnapshot(path);
    expect(snapshot.source).toMatchObject({ kind, redaction: { profile: "support" } });
    expect(snapshot.proxies).toHaveLength((await readSnapshot(at(`seeded-${kind}.tar.gz`))).proxies.length);
    expect(snapshot.certificates.size).toBeGreaterThan(0);
    const verified = await cli(["verify", path]);
    expect(verified.stdout).toMatch(/^redacted +support: \d+ values replaced by \d+ rules$/m);
    expect(verified.stdout).toContain("Weakened by redaction:");
    expect(verified.stdout.includes(`when the snapshot was redacted: is a core dump`)).toBe(lost !== null);
  });

  it("of a folder is an archive", async () => {
    for (const { name, body } of bundleFiles()) await written(`folder/${name}`, body);
    const made = await inProcess([
      "redact",
      at("folder"),
      "-o",
      at("from-folder.tar.gz"),
      "--profile",
      "internal",
    ]);
    expect(made.code, made.stderr).toBe(0);
    const names = [...(await entriesOf(at("from-folder.tar.gz"))).keys()];
    expect(new Set(names)).toEqual(
      new Set([...bundleFiles().map(({ name }) => name), "istio-snapshot/istio-snapshot-redaction.json"]),
    );
    // when the files were copied to the folder says nothing of the capture
    expect((await readSnapshot(at("from-folder.tar.gz"))).captureTime?.source).toBe("newest last_updated");
  });

  it.each([
    { name: "dump.json", content: dump, reads: (bytes: Buffer) => bytes },
    { name: "dump.json.gz", content: () => gzipSync(dump()), reads: (bytes: Buffer) => gunzipSync(bytes) },
  ])("of a document is a document: $name", async ({ name, content, reads }) => {
    await written(name, content());
    const made = await inProcess(["redact", at(name), "-o", at(`red-${name}`), "--profile", "internal"]);
    expect(made.code, made.stderr).toBe(0);
    const read = async (bytes: Buffer): Promise<unknown> => {
      const path = await written("as-dump.json", bytes);
      const { proxies } = await readSnapshot(path);
      return proxies.map(({ id, config }) => [id, config.cluster.state]);
    };
    expect(await read(reads(readFileSync(at(`red-${name}`))))).toEqual(await read(dump()));
  });

  it("of a document without a place for certificates says so", async () => {
    await written("dump.json", dump());
    const made = await inProcess(["redact", at("dump.json"), "-o", at("red.json")]);
    expect(made.stderr).toMatch(
      /\d+ certificates? replaced: what is known of them has no place in a bare document/,
    );
  });

  it("of a log, which no other command reads, is a log", async () => {
    await written("discovery.log", `info\tauthorization: Bearer ${token}\n`);
    const made = await inProcess(["redact", at("discovery.log"), "-o", at("red.log")]);
    expect(made.code, made.stderr).toBe(0);
    const text = readFileSync(at("red.log"), "utf8");
    expect(text).toMatch(/^info\tauthorization: .*‹redacted:/);
    expect(text).not.toContain(token.slice(0, 30));
  });

  it("on standard output comes whole or not at all, and nothing is written beside it", async () => {
    const run = (command: string) =>
      new Promise<{ code: number | null; stderr: string }>((resolve) => {
        const child = spawn("sh", ["-c", command], { cwd: folder.path });
        let stderr = "";
        child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
        child.on("close", (code) => resolve({ code, stderr }));
      });
    const program = `"${process.execPath}" "${root}bin/istio-snapshot.js"`;
    const before = readdirSync(folder.path);
    const piped = await run(`cat bundle.tar.gz | ${program} redact - -o - --profile public > piped.tar.gz`);
    expect(piped.code, piped.stderr).toBe(0);
    expect(piped.stderr).toContain("what the tokens stand for is not written");
    expect(readdirSync(folder.path).filter((name) => !before.includes(name))).toEqual(["piped.tar.gz"]);
    expect((await readSnapshot(at("piped.tar.gz"))).problems).toEqual([]);
    const named = await run(`${program} redact bundle.tar.gz -o - | ${program} verify -`);
    expect(named.code).toBe(0);
  });

  it.each(["internal", "support", "public"])(
    "of a copy with the same profile, %s, has the same files",
    async (profile) => {
      const [once, twice] = [at(`once-${profile}.tar.gz`), at(`twice-${profile}.tar.gz`)];
      for (const [from, to] of [
        [at("bundle.tar.gz"), once],
        [once, twice],
      ] as const) {
        const made = await inProcess(["redact", from, "-o", to, "--profile", profile]);
        expect(made.code, made.stderr).toBe(0);
      }
      // an address in place of an address has no mark, and is replaced once more
      const contents = async (path: string): Promise<unknown> =>
        [...(await entriesOf(path))]
          .filter(([name]) => name !== manifestName)
          .map(([name, body]) => [name, body.toString().replace(/\d{1,3}(?:\.\d{1,3}){3}/g, "address")]);
      expect(await contents(twice)).toEqual(await contents(once));
    },
  );

  it("of what was redacted more strictly says so, and claims no less", async () => {
    await inProcess(["redact", at("bundle.tar.gz"), "-o", at("strict.tar.gz"), "--profile", "public"]);
    const made = await inProcess([
      "redact",
      at("strict.tar.gz"),
      "-o",
      at("again.tar.gz"),
      "--profile",
      "internal",
    ]);
    expect(made.stderr).toContain("the input was redacted more strictly before (public)");
    expect((await readSnapshot(at("again.tar.gz"))).source.redaction?.profile).toBe("public");
    const other = await inProcess([
      "redact",
      at("bundle.tar.gz"),
      "-o",
      at("again.tar.gz"),
      "--profile",
      "public",
    ]);
    expect(other.stderr).not.toContain("more strictly");
  });
});

it("a certificate of which certificates.json says nothing is unknown, and named", async () => {
  await inProcess(["redact", at("bug-report.tar.gz"), "-o", at("summed.tar.gz")]);
  const files = [...(await entriesOf(at("summed.tar.gz")))].map(([name, body]) => ({
    name,
    body,
    mtime: new Date(0),
  }));
  const without = files.filter(({ name }) => !name.endsWith("certificates.json"));
  expect(without).toHaveLength(files.length - 1);
  await written("unsummed.tar.gz", await tarGz(without));
  const time = ["--at", manifestOf(smallMesh()).end];
  const known = await inProcess(["pc", "secret", "-f", at("summed.tar.gz"), ...time]);
  expect(known.stdout).toBe(
    (await inProcess(["pc", "secret", "-f", at("bug-report.tar.gz"), ...time])).stdout,
  );
  expect(known.stderr).toBe("");
  const unknown = await inProcess(["pc", "secret", "-f", at("unsummed.tar.gz"), ...time]);
  expect(unknown.code).toBe(0);
  expect(unknown.stdout).toMatch(/ default +- +ACTIVE +unknown +- +- +-/);
  expect(unknown.stderr).toMatch(
    /^istio-snapshot: \S+: redaction replaced these certificates, and certificates\.json does not know them: default, ROOTCA$/m,
  );
});

describe("the input is never written on", () => {
  it.each([
    { what: "itself", output: "input.tar.gz", make: () => undefined },
    { what: "a link to it", output: "symbolic", make: () => symlinkSync("input.tar.gz", at("symbolic")) },
    { what: "another name of it", output: "hard", make: () => linkSync(at("input.tar.gz"), at("hard")) },
    {
      what: "such that this is written beside it",
      output: "x.tar.gz",
      make: () => linkSync(at("input.tar.gz"), at("x.tar.gz.map.json")),
    },
  ])("where the output is $what", async ({ output, make }) => {
    const bytes = await smallBundle();
    await written("input.tar.gz", bytes);
    make();
    const made = await inProcess(["redact", at("input.tar.gz"), "-o", at(output)]);
    expect(made.code).toBe(2);
    expect(made.stderr).toMatch(/^istio-snapshot: .* is the input; name another file with -o\n$/);
    expect(readFileSync(at("input.tar.gz")).equals(bytes)).toBe(true);
  });

  it("where the output lies in the folder", async () => {
    for (const { name, body } of bundleFiles()) await written(`own/${name}`, body);
    const made = await inProcess(["redact", at("own"), "-o", at("own/istio-snapshot/out.tar.gz")]);
    expect(made.code).toBe(2);
    expect(made.stderr).toContain("lies in the folder that is redacted");
    expect((await inProcess(["redact", at("own"), "-o", at("own-out.tar.gz")])).code).toBe(0);
  });
});

describe("what cannot be written", () => {
  it("leaves nothing behind, and an older file as it was", async () => {
    await written("old.tar.gz", "old");
    const answer = await new Promise<{ code: number | null; stderr: string }>((resolve) => {
      const command = `ulimit -f 8; exec "${process.execPath}" "${root}bin/istio-snapshot.js" redact bundle.tar.gz -o old.tar.gz`;
      const child = spawn("sh", ["-c", command], { cwd: folder.path });
      let stderr = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
      child.on("close", (code) => resolve({ code, stderr }));
    });
    expect(answer).toEqual({
      code: 2,
      stderr: "istio-snapshot: cannot write old.tar.gz: EFBIG: file too large, write\n",
    });
    expect(readFileSync(at("old.tar.gz"), "utf8")).toBe("old");
    expect(existsSync(at("old.tar.gz.partial"))).toBe(false);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("is removed when %s ends the run", async (signal) => {
    const path = at(`stopped-${signal}`);
    const script = `
      const { openOutput } = await import(${JSON.stringify(`file://${root}dist/cli/output-file.js`)});
      const output = await openOutput(${JSON.stringify(path)});
      output.stream.write("x", () => console.log("written"));
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    expect(existsSync(`${path}.partial`)).toBe(true);
    child.kill(signal);
    const ended = await new Promise((resolve) => child.on("close", (_code, by) => resolve(by)));
    expect(ended).toBe(signal);
    expect(existsSync(`${path}.partial`)).toBe(false);
  });

  it("replaces what a killed run left, and its mode", async () => {
    writeFileSync(at("left.tar.gz.partial"), "left", { mode: 0o644 });
    expect((await inProcess(["redact", at("bundle.tar.gz"), "-o", at("left.tar.gz")])).code).toBe(0);
    expect(modeOf(at("left.tar.gz"))).toBe("600");
    expect(existsSync(at("left.tar.gz.partial"))).toBe(false);
  });
});

describe("a damaged archive", () => {
  const damaged = async (archive: Buffer, place: number, byte: number, cut: boolean): Promise<void> => {
    const bytes = Buffer.from(archive);
    const index = Math.floor(place * bytes.length);
    bytes[index] = byte;
    await written("damaged.tar.gz", cut ? bytes.subarray(0, index) : bytes);
    const made = await inProcess(["redact", at("damaged.tar.gz"), "-o", at("from-damaged.tar.gz")]);
    expect(made.stderr).not.toContain("internal error");
    expect(readdirSync(folder.path).filter((name) => name.includes(".partial"))).toEqual([]);
    if (made.code === 2) return;
    // what was lost there is known here
    const { problems } = await readSnapshot(at("from-damaged.tar.gz"));
    expect(
      problems.some(({ severity }) => severity === "lost"),
      made.stderr,
    ).toBe(made.code === 1);
  };

  it.each([
    { kind: "bundle", archive: smallBundle },
    { kind: "bug-report", archive: smallBugReport },
  ])("($kind) is copied as far as it goes, and says how far", async ({ archive }) => {
    const bytes = await archive();
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (place, byte, cut) => damaged(bytes, place, byte, cut),
      ),
      { numRuns: 40 },
    );
  });
});

it("a copy of a bundle carries the times, targets and failures of its capture", async () => {
  const facts = manifestOf(smallMesh());
  const [target] = facts.targets;
  const failures = [
    { target: `${target?.name ?? ""}.${target?.namespace ?? ""}`, what: "certs", reason: "timed out" },
  ];
  await written("facts.tar.gz", await bundle(bundleFiles(), { ...facts, failures }));
  await inProcess(["redact", at("facts.tar.gz"), "-o", at("facts-red.tar.gz"), "--profile", "public"]);
  const map = JSON.parse(readFileSync(at("facts-red.tar.gz.map.json"), "utf8")) as Record<string, string>;
  const meant = (text: string): string => text.replace(/nm--[a-z2-7]{12}/g, (name) => map[name] ?? name);
  const manifest = parseManifest((await entriesOf(at("facts-red.tar.gz"))).get(manifestName)!, manifestName);
  expect(manifest).toMatchObject({ start: facts.start, end: facts.end });
  expect(manifest.targets.map(({ name, namespace }) => `${meant(name)}.${meant(namespace)}`)).toEqual(
    facts.targets.map(({ name, namespace }) => `${name}.${namespace}`),
  );
  expect(manifest.failures.map((failure) => meant(failure.target))).toEqual(
    failures.map((failure) => failure.target),
  );
  // the names of targets are those of the files
  const folders = new Set(manifest.files.map(({ name }) => name.split("/").slice(2, 4).join("/")));
  for (const { kind, name, namespace } of manifest.targets)
    if (kind === "proxy") expect(folders).toContain(`${namespace}/${name}`);
});
