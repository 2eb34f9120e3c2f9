import { dirname } from "node:path";
/** Where an input comes from: folders, standard input, files that are something else. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";

import { afterAll, describe, expect, it } from "vitest";

import { defaultLimits } from "../../src/bundle/limits.js";
import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { UserError } from "../../src/shared/errors.js";
import { aFolder } from "../support/builders.js";
import { cli, root } from "../support/cli.js";
import {
  bugReportFiles,
  errorOf,
  fileOf,
  lostOf,
  outcomeOf,
  readProxies,
  seen,
  smallBugReport,
  smallBundle,
  smallDump,
  snapshotOf,
  tarOf,
} from "../support/hostile.js";
import { tried } from "../support/hostile-count.js";

const folder = await aFolder();
afterAll(() => folder.remove());

/** A folder with the files of a small bug-report. */
let folders = 0;
function aBugReport(): string {
  const path = `${folder.path}/report-${folders++}`;
  for (const { name, body } of bugReportFiles()) {
    mkdirSync(`${path}/${name.slice(0, name.lastIndexOf("/"))}`, { recursive: true });
    writeFileSync(`${path}/${name}`, body);
  }
  return path;
}
const proxyFolder = (path: string): string => {
  const name = bugReportFiles().find((file) => file.name.includes("/config_dump"))!.name;
  return `${path}/${name.slice(0, name.lastIndexOf("/"))}`;
};

describe("a folder", () => {
  it("is read like the archive", async () => {
    tried("folders");
    const inFolder = await snapshotOf(aBugReport());
    const inArchive = await snapshotOf(tarOf(bugReportFiles()));
    expect(readProxies(inFolder)).toEqual(readProxies(inArchive));
    expect(inFolder.problems).toEqual([]);
  });

  const withNote: readonly { what: string; make: (path: string) => void; notes: number }[] = [
    { what: "a link to itself", make: (path) => symlinkSync(".", `${path}/loop`), notes: 1 },
    { what: "a link to its parent", make: (path) => symlinkSync("..", `${path}/proxies`), notes: 1 },
    {
      what: "links in a ring",
      make: (path) => {
        symlinkSync("b", `${path}/a`);
        symlinkSync("a", `${path}/b`);
      },
      notes: 2,
    },
    { what: "a link to /", make: (path) => symlinkSync("/", `${path}/root`), notes: 1 },
    {
      what: "a link to a secret",
      make: (path) => symlinkSync("/etc/passwd", `${proxyFolder(path)}/clusters_`),
      notes: 1,
    },
    { what: "a link to nowhere", make: (path) => symlinkSync("/no/such/file", `${path}/nowhere`), notes: 1 },
    {
      what: "a link in place of a dump",
      make: (path) => {
        mkdirSync(`${path}/proxies/default/linked`, { recursive: true });
        symlinkSync(`${proxyFolder(path)}/server_info`, `${path}/proxies/default/linked/config_dump`);
      },
      notes: 1,
    },
    { what: "a fifo", make: (path) => void execFileSync("mkfifo", [`${path}/fifo`]), notes: 1 },
    {
      what: "a fifo in place of a dump",
      make: (path) => {
        mkdirSync(`${path}/proxies/default/fifo`, { recursive: true });
        execFileSync("mkfifo", [`${path}/proxies/default/fifo/config_dump`]);
      },
      notes: 1,
    },
    { what: "an empty folder", make: (path) => mkdirSync(`${path}/empty`), notes: 0 },
    {
      what: "a folder named like a file",
      make: (path) => void mkdirSync(`${path}/proxies/default/folder/config_dump`, { recursive: true }),
      notes: 0,
    },
    {
      what: "files in a folder named like a file",
      make: (path) => {
        mkdirSync(`${path}/proxies/default/folder/config_dump`, { recursive: true });
        writeFileSync(`${path}/proxies/default/folder/config_dump/config_dump`, "{}");
      },
      notes: 0,
    },
    {
      what: "a file with a newline in its name",
      make: (path) => writeFileSync(`${path}/a\nb\u001b[31m`, ""),
      notes: 0,
    },
    {
      what: "a file whose name is no UTF-8",
      make: (path) => writeFileSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0xfe])]), ""),
      notes: 0,
    },
    {
      what: "a file with backslashes in its name",
      make: (path) => writeFileSync(`${path}/..\\..\\x`, ""),
      notes: 0,
    },
    {
      what: "a name of 255 letters",
      make: (path) => writeFileSync(`${path}/${"n".repeat(255)}`, ""),
      notes: 0,
    },
    {
      what: "a thousand folders in each other",
      make: (path) => void mkdirSync(`${path}/${"d/".repeat(1000)}`, { recursive: true }),
      notes: 0,
    },
  ];

  it.each(withNote)("may hold $what", async ({ make, notes }) => {
    tried("folders");
    const path = aBugReport();
    const good = await snapshotOf(path);
    make(path);
    const snapshot = await snapshotOf(path);
    expect(readProxies(snapshot)).toEqual(readProxies(good));
    expect(lostOf(snapshot)).toEqual([]);
    expect(
      snapshot.problems.filter(({ message }) => message.includes("only regular files are read")),
    ).toHaveLength(notes);
    expect(JSON.stringify(seen({ snapshot, error: null }))).not.toContain("root:x:0");
  });

  it("may hold files that cannot be read", async () => {
    tried("folders", 2);
    const path = aBugReport();
    chmodSync(`${proxyFolder(path)}/server_info`, 0);
    mkdirSync(`${path}/closed`);
    chmodSync(`${path}/closed`, 0);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) {
      // root reads everything: be somebody else meanwhile
      chmodSync(dirname(path), 0o755);
      execFileSync("chown", ["-R", "65534", path]);
      process.seteuid?.(65534);
    }
    const snapshot = await snapshotOf(path).finally(() => {
      if (isRoot) process.seteuid?.(0);
    });
    chmodSync(`${path}/closed`, 0o700);
    expect(
      lostOf(snapshot)
        .map(({ message }) => message)
        .join(),
    ).toMatch(/EACCES.*EACCES|cannot be listed/);
    expect(readProxies(snapshot)).toHaveLength(2);
  });

  it("may be deeper than the system takes", async () => {
    tried("folders");
    const path = aBugReport();
    // 4,000 levels are more than a path may have, so they are made one by one
    execFileSync("sh", [
      "-c",
      `cd "${path}" && for i in $(seq 1 300); do mkdir dddddddddddddddd && cd -P dddddddddddddddd || exit 0; done; echo x > file`,
    ]);
    const snapshot = await snapshotOf(path);
    execFileSync("rm", ["-rf", path]); // Node cannot
    expect(readProxies(snapshot)).toHaveLength(2);
    expect(lostOf(snapshot).map(({ message }) => message)).toEqual([
      expect.stringMatching(/cannot be listed: ENAMETOOLONG/),
    ]);
  });

  it.each([
    { what: "empty", make: () => undefined, says: /the directory holds no file that can be read/ },
    {
      what: "of links only",
      make: (path: string) => symlinkSync("/etc", `${path}/x`),
      says: /holds no file that can be read/,
    },
    {
      what: "of other files",
      make: (path: string) => writeFileSync(`${path}/README`, "hello"),
      says: /no Istio snapshot in it/,
    },
  ])("is no snapshot when it is $what", async ({ what, make, says }) => {
    tried("folders");
    const path = `${folder.path}/${what}`;
    mkdirSync(path);
    make(path);
    expect(await errorOf(path)).toMatch(says);
  });

  it("is read up to the limits", async () => {
    tried("folders", 3);
    const path = aBugReport();
    const limits = (more: object): { limits: typeof defaultLimits } => ({
      limits: { ...defaultLimits, ...more },
    });
    expect(await errorOf(path, limits({ entries: 5 }))).toMatch(/has more than 5 files \(--max-entries/);
    expect(await errorOf(path, limits({ totalBytes: 5000 }))).toMatch(/holds more than 5000 bytes/);
    const snapshot = await snapshotOf(path, limits({ entryBytes: 5000 }));
    expect(
      lostOf(snapshot)
        .map(({ message }) => message)
        .join(),
    ).toMatch(/over the limit of 5000/);
  });
});

describe("standard input", () => {
  const dump = smallDump();
  const syncz = fileOf(bugReportFiles(), "/debug/syncz");
  it.each<{ kind: string; make: () => Uint8Array | Promise<Uint8Array> }>([
    { kind: "bundle", make: smallBundle },
    { kind: "bug-report", make: smallBugReport },
    { kind: "bug-report without gzip", make: async () => gunzipSync(await smallBugReport()) },
    { kind: "config_dump", make: () => dump },
    { kind: "config_dump in gzip", make: () => gzipSync(dump) },
    { kind: "syncz", make: () => syncz },
    { kind: "answers of Istiods", make: () => Buffer.from(`{"istiod-1":${syncz.toString()}}`) },
    { kind: "XDS answer", make: () => Buffer.from('{"resources":[{"node":{"id":"a.b"}}]}') },
    { kind: "ztunnel dump", make: () => Buffer.from('{"workloads":[]}') },
  ])("may be a $kind, and is read like a file", async ({ make }) => {
    tried("standard input");
    const bytes = await make();
    const path = await folder.write("input", bytes);
    const bare = (text: string): string => text.replaceAll("standard input", "input");
    expect(bare(JSON.stringify(seen(await outcomeOf(bytes))))).toEqual(
      bare(JSON.stringify(seen(await outcomeOf(path)))),
    );
  });

  const others: readonly { what: string; bytes: Uint8Array; says: RegExp }[] = [
    { what: "nothing", bytes: Buffer.alloc(0), says: /standard input is empty/ },
    { what: "a byte", bytes: Buffer.from("x"), says: /neither an archive nor JSON but the text "x"/ },
    { what: "a zero", bytes: Buffer.alloc(1), says: /holds only zeros/ },
    { what: "zeros", bytes: Buffer.alloc(3_000_000), says: /holds only zeros/ },
    {
      what: "a zip archive",
      bytes: Buffer.from("504b0304140000000800" + "00".repeat(900), "hex"),
      says: /is a zip archive; unpack it/,
    },
    {
      what: "an empty zip archive",
      bytes: Buffer.from("504b0506" + "00".repeat(18), "hex"),
      says: /is a zip archive/,
    },
    {
      what: "an xz file",
      bytes: Buffer.concat([Buffer.from("fd377a585a0000", "hex"), randomBytes(900)]),
      says: /standard input is/,
    },
    {
      what: "a zstd file",
      bytes: Buffer.concat([Buffer.from("28b52ffd", "hex"), randomBytes(900)]),
      says: /standard input is/,
    },
    {
      what: "a program",
      bytes: Buffer.concat([Buffer.from("7f454c4602010100", "hex"), Buffer.alloc(900)]),
      says: /neither a gzip or tar archive nor text/,
    },
    {
      what: "a picture",
      bytes: Buffer.concat([Buffer.from("89504e470d0a1a0a0000000d", "hex"), randomBytes(900)]),
      says: /neither/,
    },
    {
      what: "YAML",
      bytes: Buffer.from("apiVersion: v1\nkind: List\nitems: []\n"),
      says: /neither an archive nor JSON but the text "apiVersion/,
    },
    {
      what: "HTML",
      bytes: Buffer.from("<html><body>login {</body></html>"),
      says: /neither an archive nor JSON/,
    },
    {
      what: "a kubeconfig",
      bytes: Buffer.from('{"apiVersion":"v1","kind":"Config","clusters":[]}'),
      says: /no kind that is known here/,
    },
    {
      what: "an empty object",
      bytes: Buffer.from("{}"),
      says: /no kind that is known here: its top keys are none/,
    },
    {
      what: "an array of numbers",
      bytes: Buffer.from("[1,2,3]"),
      says: /neither an archive nor JSON|name no "proxy"/,
    },
    { what: "an array of objects", bytes: Buffer.from('[{"a":1}]'), says: /its elements name no "proxy"/ },
    { what: "JSON lines", bytes: Buffer.from('{"a":1}\n{"b":2}\n'), says: /no kind that is known here/ },
    { what: "JSON that is cut off", bytes: syncz.subarray(0, 900), says: /is not valid JSON/ },
    { what: "an empty archive", bytes: Buffer.alloc(10240), says: /holds only zeros/ },
    {
      what: "an archive of other files",
      bytes: tarOf([{ name: "README", body: "hello" }]),
      says: /no Istio snapshot in it/,
    },
    {
      what: "an archive of nothing that is read",
      bytes: tarOf([{ name: "../x", body: "hello" }]),
      says: /holds no file that can be read \(\.\.\/x has/,
    },
  ];

  it.each(others)("is no snapshot when it is $what", async ({ bytes, says }) => {
    tried("standard input", 3);
    expect(await errorOf(bytes)).toMatch(says);
    const path = await folder.write("standard input", bytes);
    expect(await errorOf(path)).toMatch(says);
    await errorOf(gzipSync(bytes));
  });

  it("may be noise, of any length", async () => {
    for (let length = 0; length < 3000; length += 37) {
      tried("standard input");
      await errorOf(randomBytes(length));
    }
  });

  it.each([0, 100, 511, 512, 20_000, 2_000_000])(
    "may break after %i bytes, which is the user's trouble",
    async (length) => {
      tried("standard input", 3);
      for (const whole of [
        dump,
        await smallBundle(),
        Buffer.concat([tarOf(bugReportFiles()), Buffer.alloc(3e6, 1)]),
      ]) {
        const broken = async function* (): AsyncGenerator<Uint8Array> {
          for (let at = 0; at < length; at += 10_000)
            yield await Promise.resolve(whole.subarray(at, Math.min(length, at + 10_000)));
          throw Object.assign(new Error("EIO: i/o error, read"), { code: "EIO" });
        };
        const reading = readSnapshot("-", { stdin: Readable.from(broken()) });
        if (length <= 20_000)
          await expect(reading).rejects.toThrow(
            new UserError("cannot read standard input: EIO: i/o error, read"),
          );
        else await reading.catch((error: unknown) => expect(error).toBeInstanceOf(UserError));
      }
    },
  );
});

describe("a path", () => {
  it.each([
    {
      what: "that leads nowhere",
      path: "/no/such/file",
      says: "cannot read /no/such/file: there is no such file or folder",
    },
    { what: "that is empty", path: "", says: "cannot read : there is no such file or folder" },
    { what: "through a file", path: "/etc/passwd/x", says: /cannot read \/etc\/passwd\/x: ENOTDIR/ },
    { what: "that is too long", path: "x".repeat(5000), says: /cannot read x+: ENAMETOOLONG/ },
    { what: "with a NUL", path: "a\0b", says: /cannot read a/ },
    { what: "to a device of zeros", path: "/dev/zero", says: /holds only zeros/ },
    { what: "to a device of nothing", path: "/dev/null", says: /is empty/ },
    { what: "to a device of noise", path: "/dev/urandom", says: /is / },
  ])("$what is an error in words", async ({ path, says }) => {
    tried("paths");
    expect(await errorOf(path, { limits: { ...defaultLimits, entryBytes: 3_000_000 } })).toMatch(says);
  });

  it("to a link is the file behind it", async () => {
    tried("paths");
    const path = await folder.write("behind", smallDump());
    symlinkSync(path, `${folder.path}/link`);
    expect(readProxies(await snapshotOf(`${folder.path}/link`))).toHaveLength(1);
  });

  it("to links in a ring is an error", async () => {
    tried("paths");
    symlinkSync("ring-b", `${folder.path}/ring-a`);
    symlinkSync("ring-a", `${folder.path}/ring-b`);
    expect(await errorOf(`${folder.path}/ring-a`)).toMatch(/ELOOP/);
  });
});

describe("the program", () => {
  const archive = tarOf(bugReportFiles());
  it.each<{ what: string; bytes: () => Uint8Array | Promise<Uint8Array>; args: string[]; code: number }>([
    { what: "a good bundle", bytes: smallBundle, args: ["ps"], code: 0 },
    { what: "a good bundle", bytes: smallBundle, args: ["verify"], code: 0 },
    { what: "a good bug-report", bytes: smallBugReport, args: ["verify"], code: 0 },
    {
      what: "a bundle that is cut off",
      bytes: async () => (await smallBundle()).subarray(0, -700),
      args: ["verify"],
      code: 1,
    },
    {
      what: "a bundle that is cut off",
      bytes: async () => (await smallBundle()).subarray(0, -700),
      args: ["version"],
      code: 0,
    },
    {
      what: "an archive with a damaged header",
      bytes: () => Buffer.from(archive).fill(7, 0, 512),
      args: ["verify"],
      code: 1,
    },
    {
      what: "an archive with a damaged header",
      bytes: () => Buffer.from(archive).fill(7, 0, 512),
      args: ["ps"],
      code: 0,
    },
    { what: "a dump", bytes: () => smallDump(), args: ["version"], code: 0 },
    { what: "a dump without an Istiod's list", bytes: () => smallDump(), args: ["ps"], code: 2 },
    { what: "half a dump", bytes: () => smallDump().subarray(0, 5000), args: ["report", "-o", "-"], code: 0 },
    {
      what: "a zip archive",
      bytes: () => Buffer.from("504b0304140000000800" + "00".repeat(900), "hex"),
      args: ["ps"],
      code: 2,
    },
    { what: "nothing", bytes: () => Buffer.alloc(0), args: ["verify"], code: 2 },
    { what: "noise", bytes: () => Buffer.alloc(4000, 0xa7), args: ["report", "-o", "-"], code: 2 },
    {
      what: "100,000 brackets",
      bytes: () => Buffer.from("[".repeat(1e5)),
      args: ["report", "-o", "-"],
      code: 2,
    },
    { what: "YAML", bytes: () => Buffer.from("kind: List\n"), args: ["version"], code: 2 },
  ])("given $what answers $args with $code", async ({ bytes, args, code }) => {
    const content = await bytes();
    const path = await folder.write("for-the-program", content);
    const runs = [() => cli([...args, "-f", path]), () => cli([...args, "-f", "-"], { input: content })];
    for (const run of args[0] === "ps" ? runs : runs.slice(0, 1)) {
      tried("program");
      const answer = await run();
      expect(answer.stderr).not.toMatch(/\n {4}at |node:internal|Error:/);
      for (const line of answer.stderr.split("\n").slice(0, -1)) expect(line).toMatch(/^istio-snapshot: /);
      expect(answer.code, answer.stderr).toBe(code);
      if (code === 2) expect(answer.stdout).toBe("");
    }
  });

  it.each([
    {
      what: "what it has seen is enough",
      bytes: Buffer.from("504b0304" + "00".repeat(900), "hex"),
      args: ["ps"],
    },
    { what: "a limit is reached", bytes: archive, args: ["ps", "--max-entries", "3"] },
  ])("does not wait for the end of its input when $what", async ({ bytes, args }) => {
    tried("program");
    const child = spawn(process.execPath, [`${root}bin/istio-snapshot.js`, ...args, "-f", "-"], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    child.stdin.on("error", () => undefined);
    child.stdin.write(bytes); // and no end
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect(code).toBe(2);
  });
});
