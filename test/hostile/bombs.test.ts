/** Small files that inflate to much. Run through the program itself, of which the memory is measured at its end. */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { spawn } from "node:child_process";
import { gzipSync } from "node:zlib";

import { afterAll, describe, expect, it } from "vitest";

import { footer } from "../../src/bundle/footer.js";
import { aCluster, aFolder } from "../support/builders.js";
import { root, type Answer } from "../support/cli.js";
import { base256, named, tarEnd, tarEntry } from "../support/hostile.js";
import { tried } from "../support/hostile-count.js";

const folder = await aFolder();
afterAll(() => folder.remove());

const megabyte = 1024 * 1024;
const pieceSize = 32 * megabyte;
/** More than 10 GB. */
const pieces = 320;
const memberOf = (character: string): Buffer => gzipSync(Buffer.alloc(pieceSize, character), { level: 9 });
const zeros = memberOf("\0");
const blanks = memberOf(" ");
const letters = memberOf("x");

/** Writes these parts one after the other. */
function file(name: string, parts: Iterable<Uint8Array>): string {
  const path = `${folder.path}/${name}`;
  const descriptor = openSync(path, "w");
  for (const part of parts) writeSync(descriptor, part);
  closeSync(descriptor);
  return path;
}
const times = (part: Uint8Array, number = pieces): Uint8Array[] => Array.from({ length: number }, () => part);

/** Writes the largest resident size of the process, in kilobytes, where the environment says. */
const measure = `data:text/javascript,${encodeURIComponent(
  'import { writeFileSync } from "node:fs"; process.on("exit", () => writeFileSync(process.env.MAX_RSS_FILE, String(process.resourceUsage().maxRSS)));',
)}`;

async function measured(args: readonly string[]): Promise<Answer & { readonly megabytes: number }> {
  const rss = `${folder.path}/rss`;
  const answer = await new Promise<Answer>((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", measure, `${root}bin/istio-snapshot.js`, ...args], {
      cwd: folder.path,
      env: { ...process.env, MAX_RSS_FILE: rss, ISTIO_SNAPSHOT: "" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
  return { ...answer, megabytes: Number(readFileSync(rss, "utf8")) / 1024 };
}

const dumpName = "bug-report/proxies/default/a-1/config_dump";
const hugeHeader = (type: string, size = 10n ** 10n): Buffer =>
  tarEntry({
    name: dumpName,
    type,
    before: (header) => base256(size).copy(header, 124),
  });
const good = named("bug-report/proxies/default/b-1/server_info", '{"version":"x"}');
const smallDump = JSON.stringify({
  configs: [
    {
      "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
      static_clusters: [{ cluster: aCluster("a") }],
    },
  ],
});

describe("ten gigabytes in a small file", () => {
  const tooMuch =
    /^istio-snapshot: the gzip stream inflates to more than 250 times its size; that is no snapshot \(--max-ratio raises the limit\)\n$/;
  it.each<{ what: string; parts: () => Iterable<Uint8Array>; says: RegExp }>([
    { what: "zeros", parts: () => times(zeros), says: /holds only zeros/ },
    { what: "blanks", parts: () => times(blanks), says: tooMuch },
    { what: "letters", parts: () => times(letters), says: tooMuch },
    { what: "blanks in a dump", parts: () => [gzipSync('{"configs":['), ...times(blanks)], says: tooMuch },
    {
      what: "letters in a text of a dump",
      parts: () => [gzipSync('{"configs":[],"a":"'), ...times(letters)],
      says: tooMuch,
    },
    {
      what: "zeros in a dump of an archive",
      parts: () => [gzipSync(Buffer.concat([good, hugeHeader("0")])), ...times(zeros)],
      says: tooMuch,
    },
    {
      what: "blanks in a dump of an archive that may be as large as it says",
      parts: () => [gzipSync(Buffer.concat([good, hugeHeader("0", 500_000_000n)])), ...times(blanks)],
      says: tooMuch,
    },
    {
      what: "zeros in a fifo",
      parts: () => [gzipSync(Buffer.concat([good, hugeHeader("6")])), ...times(zeros)],
      says: /no Istio snapshot|nothing/,
    },
    {
      what: "zeros in a sparse file",
      parts: () => [gzipSync(Buffer.concat([good, hugeHeader("S")])), ...times(zeros)],
      says: tooMuch,
    },
    {
      what: "letters in a pax header",
      parts: () => [gzipSync(Buffer.concat([good, hugeHeader("x")])), ...times(letters)],
      says: tooMuch,
    },
    {
      what: "letters in a long name",
      parts: () => [gzipSync(Buffer.concat([good, hugeHeader("L")])), ...times(letters)],
      says: tooMuch,
    },
    { what: "garbage behind an entry", parts: () => [gzipSync(good), ...times(letters)], says: tooMuch },
    {
      what: "behind the footer's own bundle",
      parts: () => [gzipSync(Buffer.concat([good, hugeHeader("0")])), ...times(zeros), footer(0)],
      says: tooMuch,
    },
  ])("is an error, soon and without taking memory: $what", async ({ what, parts, says }) => {
    tried("bombs");
    const path = file("bomb.tar.gz", parts());
    const { code, stdout, stderr, megabytes } = await measured(["report", "-o", "-", "-f", path]);
    expect(megabytes).toBeLessThan(400);
    if (what === "zeros in a fifo") return; // a fifo has no content: what follows is past the end of the archive
    expect(stderr).toMatch(says);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });

  it("is an error although an entry before it is good", async () => {
    tried("bombs", 3);
    const entry = named(dumpName, smallDump);
    const path = file("bomb.tar.gz", [gzipSync(Buffer.concat([entry, hugeHeader("0")])), ...times(zeros)]);
    for (const command of ["verify", "version", "ps"]) {
      const { code, stderr, megabytes } = await measured([command, "-f", path]);
      expect(megabytes).toBeLessThan(400);
      expect(stderr).toMatch(tooMuch);
      expect(code).toBe(2);
    }
  });

  it("is no trouble behind the end of an archive", async () => {
    tried("bombs");
    const entry = named(dumpName, smallDump);
    const path = file("tail.tar.gz", [gzipSync(Buffer.concat([entry, tarEnd])), ...times(zeros)]);
    const { code, megabytes } = await measured(["report", "-o", "-", "-f", path]);
    expect(code).toBe(0);
    expect(megabytes).toBeLessThan(400);
  });
});

describe("a small file that says it is large", () => {
  it.each([100n, 400n, 500n].map((size) => ({ size })))(
    "takes no memory: an entry of $size MB",
    async ({ size }) => {
      tried("bombs");
      const path = file("liar.tar", [
        named(dumpName.replace("a-1", "b-1"), smallDump),
        hugeHeader("0", size * 1_000_000n),
      ]);
      const { code, stderr, megabytes } = await measured(["report", "-o", "-", "-f", path]);
      expect(megabytes).toBeLessThan(250);
      expect(stderr).toMatch(/the archive ends inside this entry/);
      expect(code).toBe(0);
    },
  );
});

describe("what is dense, but no bomb", () => {
  it("is read: a dump of 30 MB in 60 kB", async () => {
    tried("bombs");
    const dense = `${smallDump.slice(0, -1)},"comment":"${"x".repeat(30 * megabyte)}"}`;
    const path = file("dense.json.gz", [gzipSync(dense)]);
    const { code, stderr } = await measured(["report", "-o", "-", "-f", path]);
    expect(stderr).not.toMatch(/inflates/);
    expect(code).toBe(0);
  });

  it("is read when the user says so", async () => {
    tried("bombs");
    const dense = `${smallDump.slice(0, -1)},"comment":"${"x".repeat(80 * megabyte)}"}`;
    const path = file("dense.json.gz", [gzipSync(dense)]);
    expect((await measured(["report", "-o", "-", "-f", path])).code).toBe(2);
    expect((await measured(["report", "-o", "-", "-f", path, "--max-ratio", "2000"])).code).toBe(0);
  });
});
