import { gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import {
  base256,
  bugReportFiles,
  checksumOf,
  entriesOf,
  errorOf,
  lostOf,
  named,
  pax,
  readProxies,
  snapshotOf,
  tarEnd,
  tarEntry,
  tarOf,
} from "../support/hostile.js";
import { tried } from "../support/hostile-count.js";

const files = bugReportFiles();
const names = files.map(({ name }) => name);
const archive = tarOf(files);
/** Where each header stands. */
const headers = ((): number[] => {
  let at = 0;
  return files.map(({ name, body }) => {
    const header = at;
    at += named(name, body).length;
    return header;
  });
})();
const dumpIndex = names.findIndex((name) => name.includes("config_dump"));

const withHeader = (index: number, change: (header: Buffer) => void): Buffer => {
  const copy = Buffer.from(archive);
  change(copy.subarray(headers[index], headers[index]! + 512));
  return copy;
};
const resealed =
  (change: (header: Buffer) => void) =>
  (header: Buffer): void => {
    change(header);
    header.write(`${checksumOf(header).toString(8).padStart(6, "0")}\0 `, 148);
  };

const places = [
  { place: "first", index: 0 },
  { place: "second", index: 1 },
  { place: "dump's", index: dumpIndex },
  { place: "last", index: files.length - 1 },
];

describe("the archive without damage", () => {
  it("gives every file", async () => {
    const { entries, problems, cut } = await entriesOf(archive);
    expect([...entries.keys()]).toEqual(names);
    expect(problems).toEqual([]);
    expect(cut).toEqual([]);
    for (const { name, body } of files) expect(entries.get(name)!.equals(Buffer.from(body)), name).toBe(true);
  });
});

describe("a damaged tar header costs its entry", () => {
  const damages: readonly { what: string; change: (header: Buffer) => void }[] = [
    { what: "a wrong checksum", change: (header) => header.write("0000001", 148) },
    { what: "a checksum that is no number", change: (header) => header.write("zzzzzzz", 148) },
    { what: "an empty checksum", change: (header) => header.fill(0, 148, 156) },
    { what: "a changed name", change: (header) => header.write("X", 3) },
    { what: "a changed size", change: (header) => header.write("7", 130) },
    { what: "a magic that is none", change: resealed((header) => header.write("tarus", 257)) },
    { what: "half a magic", change: resealed((header) => header.write("ustarX", 257)) },
    { what: "a negative size", change: resealed((header) => base256(-512n).copy(header, 124)) },
    { what: "a size of minus 2^95", change: resealed((header) => header.fill(0x80, 124, 136)) },
    {
      what: "a size in base 256 beyond 2^53",
      change: resealed((header) => base256(2n ** 62n).copy(header, 124)),
    },
    {
      what: "a size in base 256 of 2^80",
      change: resealed((header) => base256(2n ** 80n).copy(header, 124)),
    },
    { what: "a size of 1 EB", change: resealed((header) => base256(10n ** 15n).copy(header, 124)) },
    { what: "a size that is no number", change: resealed((header) => header.write("size unknown", 124)) },
    { what: "a size with a sign", change: resealed((header) => header.write("-0000000001\0", 124)) },
    { what: "a size with an 8 in it", change: resealed((header) => header.write("00000000800\0", 124)) },
    { what: "zeros instead", change: (header) => header.fill(0) },
    { what: "ones instead", change: (header) => header.fill(0xff) },
    { what: "text instead", change: (header) => header.fill("lorem ipsum ") },
    {
      what: "noise instead",
      change: (header) => header.forEach((_, index) => (header[index] = (index * 97) % 251)),
    },
  ];
  const table = places.flatMap((place) => damages.map((damage) => ({ ...place, ...damage })));

  it.each(table)("the $place header has $what", async ({ index, change }) => {
    tried("tar header damaged");
    const damaged = withHeader(index, change);
    const { entries, problems } = await entriesOf(damaged);
    expect([...entries.keys()]).toEqual(names.filter((_, other) => other !== index));
    expect(problems.some(({ message }) => message.startsWith("the tar archive is damaged: "))).toBe(true);
    for (const { name, body } of files)
      if (entries.has(name)) expect(entries.get(name)!.equals(Buffer.from(body)), name).toBe(true);
  });

  it.each(places)("in gzip, too: the $place header", async ({ index }) => {
    tried("tar header damaged");
    const snapshot = await snapshotOf(gzipSync(withHeader(index, (header) => header.fill(0xee))));
    expect(lostOf(snapshot)).not.toEqual([]);
    expect(readProxies(snapshot)).toHaveLength(index === dumpIndex ? 1 : 2);
  });

  it("every single one of them", async () => {
    for (const index of names.keys()) {
      tried("tar header damaged");
      const { entries } = await entriesOf(withHeader(index, (header) => header.write("9", 150)));
      expect([...entries.keys()]).toEqual(names.filter((_, other) => other !== index));
    }
  });

  it("all of them", async () => {
    tried("tar header damaged");
    const copy = Buffer.from(archive);
    for (const at of headers) copy.fill(0xee, at, at + 512);
    expect(await errorOf(copy)).toMatch(/^standard input is /);
  });
});

describe("a tar header whose size is not that of its entry", () => {
  const after = dumpIndex + 1;
  const size = Buffer.byteLength(files[dumpIndex]!.body);
  it.each([
    { what: "0", claimed: 0, lostAfter: 0 },
    { what: "1", claimed: 1, lostAfter: 0 },
    { what: "half", claimed: Math.floor(size / 2), lostAfter: 0 },
    { what: "a block less", claimed: size - 512, lostAfter: 0 },
    { what: "a block more", claimed: size + 512, lostAfter: 1 },
    { what: "three blocks more", claimed: size + 1536, lostAfter: 2 },
  ])("costs it and those it swallows: $what", async ({ claimed, lostAfter }) => {
    tried("tar size lies");
    const octal = `${claimed.toString(8).padStart(11, "0")}\0`;
    const { entries, problems } = await entriesOf(
      withHeader(
        dumpIndex,
        resealed((header) => header.write(octal, 124)),
      ),
    );
    const read = [...entries.keys()];
    expect(read.slice(0, dumpIndex)).toEqual(names.slice(0, dumpIndex));
    expect(names.length - read.length).toBeLessThanOrEqual(lostAfter);
    for (const name of names.slice(after + lostAfter)) expect(read).toContain(name);
    expect(problems).not.toEqual([]);
  });

  it.each([
    { what: "1 MB", claimed: 1e6 },
    { what: "400 MB", claimed: 400e6 },
    { what: "8 GB less a byte", claimed: 8 ** 11 - 1 },
  ])("costs what follows when it claims the rest: $what", async ({ claimed }) => {
    tried("tar size lies");
    const octal = `${claimed.toString(8).padStart(11, "0")}\0`;
    const before = process.memoryUsage().arrayBuffers;
    const { entries, problems, cut } = await entriesOf(
      withHeader(
        dumpIndex,
        resealed((header) => header.write(octal, 124)),
      ),
    );
    expect([...entries.keys()].slice(0, dumpIndex)).toEqual(names.slice(0, dumpIndex));
    if (entries.has(names[dumpIndex]!)) expect(cut).toEqual([names[dumpIndex]]);
    expect(problems).not.toEqual([]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100e6);
  });

  it.each([
    { what: "blanks in front", field: "   " },
    { what: "NULs in front", field: "\0\0" },
    { what: "a blank, then a NUL in front", field: " \0" },
    { what: "a NUL, then a blank in front", field: "\0 " },
  ])("may be written with $what", async ({ field }) => {
    tried("tar size lies");
    const octal = `${field}${size.toString(8)}\0`.padEnd(12, "\0");
    const { entries, problems } = await entriesOf(
      withHeader(
        dumpIndex,
        resealed((header) => header.write(octal, 124, 12, "latin1")),
      ),
    );
    expect([...entries.keys()]).toEqual(names);
    expect(problems).toEqual([]);
  });

  it("may be written in base 256, and the checksum with blanks in front", async () => {
    tried("tar size lies");
    const copy = withHeader(dumpIndex, (header) => {
      base256(BigInt(size)).copy(header, 124);
      header.write(`${checksumOf(header).toString(8).padStart(6, " ")}\0 `, 148);
    });
    const { entries, problems } = await entriesOf(copy);
    expect([...entries.keys()]).toEqual(names);
    expect(problems).toEqual([]);
  });

  it("may be past the end of the stream: what there is of it is read", async () => {
    tried("tar size lies");
    const { entries, cut } = await entriesOf(archive.subarray(0, headers[dumpIndex]! + 512 + 1000));
    expect(cut).toEqual([names[dumpIndex]]);
    expect(entries.get(names[dumpIndex]!)).toHaveLength(1000);
  });
});

const proxyFile = (name: string): string => `bug-report/proxies/default/${name}/certs`;
const goodA = named(proxyFile("a"), "{}");
const goodB = named(proxyFile("b"), "{}");
const around = (...middle: Uint8Array[]): Buffer => Buffer.concat([goodA, ...middle, goodB, tarEnd]);
const neighbours = [proxyFile("a"), proxyFile("b")];

describe("the name of an entry", () => {
  it.each([
    { name: proxyFile("c"), as: proxyFile("c") },
    { name: `./${proxyFile("c")}`, as: proxyFile("c") },
    { name: proxyFile("c").replaceAll("/", "\\"), as: proxyFile("c") },
    { name: proxyFile("c..d"), as: proxyFile("c..d") },
    { name: proxyFile("<script>alert(1)</script>"), as: proxyFile("<script>alert(1)</script>") },
    { name: proxyFile("x".repeat(2000)), as: proxyFile("x".repeat(2000)) },
    { name: proxyFile("ünïcödé-\u202e"), as: proxyFile("ünïcödé-\u202e") },
    { name: "__proto__/constructor", as: "__proto__/constructor" },
  ])("may be $name", async ({ name, as }) => {
    tried("names");
    const { entries, problems } = await entriesOf(around(named(name, "{}")));
    expect([...entries.keys()]).toEqual([neighbours[0], as, neighbours[1]]);
    expect(problems).toEqual([]);
  });

  const long = "x".repeat(10_000);
  const hostile: readonly { what: string; name: string; says: RegExp }[] = [
    { what: "a way out", name: "../../etc/passwd", says: /has "\.\." in its name/ },
    { what: "a way out at the end", name: "bug-report/..", says: /has "\.\." in its name/ },
    { what: "a way out in the middle", name: "proxies/../proxies/default/c/certs", says: /has "\.\."/ },
    { what: "a way out of Windows", name: "..\\..\\windows\\system32", says: /has "\.\." in its name/ },
    { what: "only dots", name: "..", says: /has "\.\." in its name/ },
    { what: "an absolute name", name: "/etc/passwd", says: /has an absolute name/ },
    {
      what: "an absolute name of Windows",
      name: "C:\\proxies\\default\\c\\certs",
      says: /has an absolute name/,
    },
    { what: "a drive", name: "c:/x", says: /has an absolute name/ },
    { what: "a share", name: "\\\\server\\share\\x", says: /has an absolute name/ },
    { what: "a long name", name: `proxies/default/${long}/certs`, says: /has a name longer than 4096 bytes/ },
    { what: "a name of 1 MB", name: "y".repeat(1_000_000), says: /has a name longer than 4096 bytes/ },
    { what: "a name of many folders", name: "a/".repeat(5000), says: /has a name longer than 4096 bytes/ },
    { what: "the name of a neighbour", name: proxyFile("a"), says: /stands twice in the archive/ },
    {
      what: "the name of a neighbour, written otherwise",
      name: `./././${proxyFile("a")}`,
      says: /stands twice/,
    },
    {
      what: "the name of a neighbour with backslashes",
      name: proxyFile("a").replaceAll("/", "\\"),
      says: /twice/,
    },
    { what: "no name but a dot", name: "./", says: /has an empty name/ },
  ];

  it.each(hostile)("is refused when it is $what", async ({ name, says }) => {
    tried("names");
    const { entries, problems } = await entriesOf(around(named(name, "{}")));
    expect([...entries.keys()]).toEqual(neighbours);
    expect(problems).toHaveLength(1);
    expect(problems[0]!.message).toMatch(says);
    expect(problems[0]!.entry.length).toBeLessThanOrEqual(200);
  });

  it.each(hostile)("is refused in a pax header: $what", async ({ name, says }) => {
    tried("names");
    const { entries, problems } = await entriesOf(
      around(pax({ path: name }), tarEntry({ name: "innocent", body: "{}" })),
    );
    expect([...entries.keys()]).toEqual(neighbours);
    expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(says)]);
  });

  it.each(hostile)("is refused in a GNU long name: $what", async ({ name, says }) => {
    tried("names");
    const { entries, problems } = await entriesOf(
      around(
        tarEntry({ name: "././@LongLink", type: "L", body: `${name}\0` }),
        tarEntry({ name: "innocent", body: "{}" }),
      ),
    );
    expect([...entries.keys()]).toEqual(neighbours);
    expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(says)]);
  });

  it.each([
    { what: "empty", entry: tarEntry({ name: "", body: "{}" }), says: /has an empty name/ },
    {
      what: "one with a NUL in a pax header",
      entry: Buffer.concat([pax({ path: "proxies/default/c\0/certs" }), tarEntry({ name: "x", body: "{}" })]),
      says: /has a NUL in its name/,
    },
    {
      what: "one that a prefix makes absolute",
      entry: tarEntry({ name: "passwd", body: "{}", before: (header) => header.write("/etc", 345) }),
      says: /has an absolute name/,
    },
    {
      what: "one that a prefix leads out",
      entry: tarEntry({ name: "passwd", body: "{}", before: (header) => header.write("../etc", 345) }),
      says: /has "\.\." in its name/,
    },
  ])("is refused when it is $what", async ({ entry, says }) => {
    tried("names");
    const { entries, problems } = await entriesOf(around(entry));
    expect([...entries.keys()]).toEqual(neighbours);
    expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(says)]);
  });

  it("ends at a NUL in a header, and may be no UTF-8", async () => {
    tried("names", 2);
    const { entries } = await entriesOf(
      around(
        tarEntry({ name: `${proxyFile("c")}\0../../x`, body: "{}" }),
        tarEntry({ body: "{}", before: (header) => Buffer.from([0xff, 0xfe, 0x41]).copy(header) }),
      ),
    );
    expect([...entries.keys()]).toEqual([neighbours[0], proxyFile("c"), "\ufffd\ufffdA", neighbours[1]]);
  });

  it("of an entry that stands 5,000 times is read once, and said fifty times at most", async () => {
    tried("names");
    const again = Buffer.concat(Array.from({ length: 5000 }, () => named(proxyFile("a"), "[]")));
    const snapshot = await snapshotOf(Buffer.concat([goodA, again, goodB, tarEnd]));
    expect(snapshot.proxies.map(({ id }) => id)).toEqual(["a.default", "b.default"]);
    expect(snapshot.problems.length).toBeLessThan(60);
  });
});

describe("an entry that is no regular file", () => {
  const linked = (header: Buffer): void => void header.write("/etc/passwd", 157);
  it.each([
    { what: "a hard link", type: "1", says: /is a link/ },
    { what: "a symbolic link", type: "2", says: /is a symlink/ },
    { what: "a character device", type: "3", says: /is a character-device/ },
    { what: "a block device", type: "4", says: /is a block-device/ },
    { what: "a fifo", type: "6", says: /is a fifo/ },
    { what: "a sparse file of GNU tar", type: "S", says: /special file \(such as a sparse one\)/ },
    { what: "a continued file", type: "M", says: /special file/ },
    { what: "a volume's name", type: "V", says: /special file/ },
    { what: "of a type that nobody knows", type: "\xfe", says: /special file/ },
  ])("is not read: $what", async ({ type, says }) => {
    for (const size of [undefined, 512, 100_000]) {
      tried("links, devices, sparse files");
      const claims = size === undefined ? {} : { size };
      const hasBody = size !== undefined && !"12346".includes(type);
      const entry = tarEntry({
        name: proxyFile("c"),
        type,
        before: linked,
        ...claims,
        ...(hasBody ? { body: Buffer.alloc(size, "x") } : {}),
      });
      const { entries, problems } = await entriesOf(around(entry));
      expect([...entries.keys()]).toEqual(neighbours);
      expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(says)]);
    }
  });

  it("is passed over when it is a folder, whatever its size", async () => {
    tried("links, devices, sparse files", 2);
    const { entries, problems } = await entriesOf(
      around(
        tarEntry({ name: "bug-report/", type: "5" }),
        tarEntry({ name: "bug-report/x/", type: "5", size: 4096 }),
        Buffer.concat([pax({ size: "5000" }), tarEntry({ name: "bug-report/y/", type: "5" })]),
      ),
    );
    expect([...entries.keys()]).toEqual(neighbours);
    expect(problems).toEqual([]);
  });

  it("is read when it is a contiguous file, or of the type of old tars", async () => {
    tried("links, devices, sparse files", 2);
    const { entries, problems } = await entriesOf(
      around(
        tarEntry({ name: proxyFile("c"), type: "7", body: "{}" }),
        tarEntry({ name: proxyFile("d"), type: "\0", body: "{}" }),
      ),
    );
    expect([...entries.keys()]).toEqual([neighbours[0], proxyFile("c"), proxyFile("d"), neighbours[1]]);
    expect(problems).toEqual([]);
  });

  it.each([
    { what: "0.0", records: { "GNU.sparse.size": "1000000000000", "GNU.sparse.numblocks": "1" } },
    { what: "0.1", records: { "GNU.sparse.map": "0,1,999999999,1", "GNU.sparse.name": "x" } },
    {
      what: "1.0",
      records: { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "99" },
    },
  ])("is not read when it is a sparse file of pax $what", async ({ records }) => {
    tried("links, devices, sparse files");
    const sparse = Buffer.concat([pax(records), tarEntry({ name: proxyFile("c"), body: "1\n0\n512\n" })]);
    const { entries, problems } = await entriesOf(around(sparse));
    expect([...entries.keys()]).toEqual(neighbours);
    expect(problems.map(({ message }) => message)).toEqual([expect.stringMatching(/is a sparse file/)]);
  });

  it("costs no neighbour when it is a sparse file with an extended map", async () => {
    tried("links, devices, sparse files");
    const sparse = tarEntry({
      name: proxyFile("c"),
      type: "S",
      body: Buffer.alloc(512, 1),
      before: (header) => header.fill(1, 482, 483),
    });
    const { entries } = await entriesOf(around(sparse, Buffer.alloc(512, 0x30)));
    expect([...entries.keys()]).toEqual(neighbours);
  });
});

describe("an extended header", () => {
  const c = tarEntry({ name: proxyFile("c"), body: "{}" });

  it.each([
    { what: "a comment", header: pax({ comment: "hello" }) },
    { what: "a comment that looks like a size", header: pax({ comment: "\n11 size=99\n" }) },
    { what: "__proto__", header: pax({ ["__proto__"]: "polluted", constructor: "x", toString: "y" }) },
    { what: "the right size", header: pax({ size: "2" }) },
    { what: "an empty size", header: pax({ size: "" }) },
    {
      what: "two sizes, the last one right",
      header: Buffer.concat([pax({ size: "99999" }), pax({ size: "2" })]),
    },
    {
      what: "a size that a second header takes back",
      header: Buffer.concat([pax({ size: "99999" }), pax({ comment: "" })]),
    },
    { what: "a global one with a size", header: pax({ size: "99999" }, "g") },
    {
      what: "a global one and its own",
      header: Buffer.concat([pax({ size: "99999" }, "g"), pax({ comment: "x" })]),
    },
    { what: "a global one of 3 MB", header: pax({ comment: "x".repeat(3e6) }, "g") },
    { what: "an empty one", header: tarEntry({ type: "x" }) },
    { what: "an empty long name", header: tarEntry({ type: "L" }) },
    { what: "an empty long link", header: tarEntry({ type: "K" }) },
    { what: "no records at all", header: tarEntry({ type: "x", body: "lorem ipsum" }) },
    { what: "a record without end", header: tarEntry({ type: "x", body: "999999 comment=x\n" }) },
    { what: "a record of length 0", header: tarEntry({ type: "x", body: "0 comment=x\n" }) },
    { what: "only NULs", header: tarEntry({ type: "x", body: Buffer.alloc(600) }) },
    {
      what: "a hundred of them",
      header: Buffer.concat(Array.from({ length: 100 }, () => pax({ comment: "x" }))),
    },
  ])("changes nothing when it has $what", async ({ header }) => {
    tried("extended headers");
    const { entries, problems } = await entriesOf(around(header, c));
    expect([...entries.keys()]).toEqual([neighbours[0], proxyFile("c"), neighbours[1]]);
    expect(problems).toEqual([]);
  });

  it.each([
    { what: "a size below zero", header: pax({ size: "-5" }) },
    { what: "a size that is no number", header: pax({ size: "many" }) },
    { what: "a size with an exponent", header: pax({ size: "1e3" }) },
    { what: "a size beyond 2^53", header: pax({ size: "99999999999999999999" }) },
    { what: "a size of 1 EB", header: pax({ size: "1000000000000000" }) },
    {
      what: "a record of negative length",
      header: tarEntry({ type: "x", body: `-9 size=999\n${"x".repeat(99)}` }),
    },
    { what: "2 MB", header: pax({ comment: "x".repeat(2e6) }) },
    { what: "5 MB", header: pax({ comment: "x".repeat(5e6) }) },
    { what: "5 MB of a long name", header: tarEntry({ type: "L", body: "x".repeat(5e6) }) },
    { what: "5 MB of a long link", header: tarEntry({ type: "K", body: "x".repeat(5e6) }) },
    { what: "5 MB of an old long name", header: tarEntry({ type: "N", body: "x".repeat(5e6) }) },
    {
      what: "5 MB, then a good one",
      header: Buffer.concat([pax({ comment: "x".repeat(5e6) }), pax({ path: "y" })]),
    },
  ])("costs its entry when it has $what", async ({ header }) => {
    tried("extended headers");
    const { entries, problems } = await entriesOf(around(header, c));
    expect([...entries.keys()]).toEqual(neighbours);
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/the extended header at offset \d+ is beyond reason/),
    ]);
  });

  it.each([
    { what: "a wrong size", claimed: "1" },
    { what: "a size that swallows a neighbour", claimed: "1000" },
  ])("that lies costs little: $what", async ({ claimed }) => {
    tried("extended headers");
    const more = named(proxyFile("d"), "{}");
    const { entries } = await entriesOf(around(pax({ size: claimed }), c, more));
    expect([...entries.keys()]).toContain(neighbours[0]);
    expect([...entries.keys()]).toContain(neighbours[1]);
  });

  it("never names another entry than its own", async () => {
    tried("extended headers", 3);
    const broken = Buffer.from(c);
    broken.fill(0xee, 0, 512);
    for (const header of [
      pax({ path: proxyFile("evil") }),
      tarEntry({ type: "L", body: proxyFile("evil") }),
    ]) {
      const { entries } = await entriesOf(around(header, broken));
      expect([...entries.keys()]).toEqual(neighbours);
    }
    const { entries } = await entriesOf(around(pax({ size: "3000" }), broken));
    expect([...entries.keys()]).toEqual(neighbours);
  });

  it("takes no memory although there are 200 of a megabyte each", async () => {
    tried("extended headers");
    const big = pax({ comment: "x".repeat(1_000_000) });
    const stream = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(goodA);
      for (let index = 0; index < 200; index++) yield big;
      yield goodB;
      yield tarEnd;
    };
    const before = process.memoryUsage().arrayBuffers;
    const { readTar } = await import("../../src/bundle/tar-reader.js");
    const { defaultLimits } = await import("../../src/bundle/limits.js");
    const read: string[] = [];
    for await (const { name } of readTar(stream(), defaultLimits, () => undefined)) read.push(name);
    expect(read).toEqual(neighbours);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(150e6);
  });
});

describe("the limits", () => {
  it("on the number of entries end the reading", async () => {
    tried("limits");
    await expect(entriesOf(archive, { entries: 5 })).rejects.toThrow(
      /has more than 5 entries \(--max-entries/,
    );
    expect((await entriesOf(archive, { entries: names.length })).entries.size).toBe(names.length);
  });

  it("on the whole end the reading", async () => {
    tried("limits");
    await expect(entriesOf(archive, { totalBytes: 30_000 })).rejects.toThrow(/holds more than 30000 bytes/);
    expect((await entriesOf(archive, { totalBytes: archive.length })).entries.size).toBe(names.length);
  });

  it("on one entry cost that entry", async () => {
    tried("limits");
    const sizes = files.map(({ body }) => Buffer.byteLength(body));
    const longest = Math.max(...sizes);
    expect(sizes.filter((length) => length > longest - 100)).toHaveLength(2);
    const { entries, problems } = await entriesOf(archive, { entryBytes: longest - 100 });
    expect(entries.size).toBe(names.length - 2);
    expect(problems.map(({ message }) => message)).toEqual(
      Array.from({ length: 2 }, (): unknown => expect.stringMatching(/over the limit of \d+ for one entry/)),
    );
  });

  it("on names cost that entry", async () => {
    tried("limits");
    const { entries } = await entriesOf(around(named(proxyFile("c".repeat(100)), "{}")), { nameBytes: 90 });
    expect([...entries.keys()]).toEqual(neighbours);
  });
});

describe("the end of an archive", () => {
  it.each([
    { what: "its end mark", bytes: archive, notes: 0 },
    { what: "half an end mark", bytes: archive.subarray(0, -512), notes: 1 },
    { what: "no end mark", bytes: archive.subarray(0, -1024), notes: 1 },
    { what: "more zeros", bytes: Buffer.concat([archive, Buffer.alloc(9000)]), notes: 0 },
    { what: "another archive behind it", bytes: Buffer.concat([archive, around()]), notes: 0 },
    {
      what: "half a block",
      bytes: Buffer.concat([archive.subarray(0, -1024), Buffer.alloc(100, 1)]),
      notes: 2,
    },
  ])("may have $what", async ({ bytes, notes }) => {
    tried("end of the archive");
    const { entries, problems } = await entriesOf(bytes);
    expect([...entries.keys()]).toEqual(names);
    expect(problems).toHaveLength(notes);
  });

  it("may be anywhere: what stood before is read", async () => {
    for (let part = 1; part < 20; part++) {
      tried("end of the archive");
      const length = Math.floor((archive.length * part) / 20);
      const { entries, cut, problems } = await entriesOf(archive.subarray(0, length));
      expect(problems).not.toEqual([]);
      expect(cut.length).toBeLessThanOrEqual(1);
      expect([...entries.keys()]).toEqual(names.slice(0, entries.size));
    }
  });
});
