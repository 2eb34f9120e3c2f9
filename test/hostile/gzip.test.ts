import { randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";

import { describe, expect, it } from "vitest";

import {
  entriesOf,
  errorOf,
  lostOf,
  outcomeOf,
  readProxies,
  referenceCount,
  seen,
  smallBugReport,
  smallBundle,
  smallDump,
  snapshotOf,
  takeApart,
} from "../support/hostile.js";
import { tried } from "../support/hostile-count.js";

const dump = smallDump();
const inputs = {
  bundle: await smallBundle(),
  "bug-report": await smallBugReport(),
  "config_dump in gzip": gzipSync(dump),
};
const kinds = Object.entries(inputs).map(([kind, bytes]) => ({ kind, bytes }));
const tenths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

const flipped = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x10;
  return copy;
};

describe("a gzip stream that is cut off", () => {
  it.each(kinds)("costs what follows the cut: $kind", async ({ kind, bytes }) => {
    const whole = await snapshotOf(bytes);
    expect(lostOf(whole)).toEqual([]);
    const counts: number[] = [];
    for (const tenth of tenths) {
      tried("gzip cut off");
      const { snapshot } = await outcomeOf(bytes.subarray(0, Math.floor((bytes.length * tenth) / 10)));
      if (snapshot !== null) expect(lostOf(snapshot), `${kind} at ${tenth}/10`).not.toEqual([]);
      counts.push(snapshot === null ? 0 : referenceCount(snapshot));
    }
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts[0]).toBe(0);
    expect(counts[9]).toBeGreaterThan(referenceCount(whole) / 2);
  });

  it.each(kinds)("is told from a whole one by its last bytes: $kind", async ({ kind, bytes }) => {
    for (const missing of [1, 4, 8, 9]) {
      tried("gzip cut off");
      const snapshot = await snapshotOf(bytes.subarray(0, bytes.length - missing));
      // the last bytes of a bundle are the footer, which is a member of its own without content
      expect(lostOf(snapshot)[0]?.message, kind).toMatch("the gzip stream is cut off");
      expect(readProxies(snapshot)).toEqual(readProxies(await snapshotOf(bytes)));
    }
  });
});

describe("a gzip stream with a changed byte", () => {
  it.each(kinds)("keeps what stood before it: $kind", async ({ kind, bytes }) => {
    for (const tenth of tenths) {
      tried("gzip with a changed byte");
      const at = Math.max(10, Math.floor((bytes.length * tenth) / 10)); // behind the header
      const { snapshot } = await outcomeOf(flipped(bytes, at));
      if (snapshot === null) expect(tenth).toBeLessThan(5);
      else expect(snapshot.problems, `${kind} at ${tenth}/10`).not.toEqual([]);
    }
  });

  it.each(kinds)("says so when only the checksum shows it: $kind", async ({ kind, bytes }) => {
    tried("gzip with a changed byte");
    const crcAt = kind === "bundle" ? firstTrailer(bytes) : bytes.length - 8;
    const snapshot = await snapshotOf(flipped(bytes, crcAt));
    expect(readProxies(snapshot)).toEqual(readProxies(await snapshotOf(bytes)));
    expect(lostOf(snapshot).map(({ message }) => message)).toContain(
      "the gzip stream is damaged (incorrect data check); what stood before the damage was read",
    );
  });

  it("loses little of what was inflated before", async () => {
    tried("gzip with a changed byte");
    // noise is stored, so that the damage is where the byte is
    const lines = Array.from({ length: 4000 }, () => randomBytes(250).toString("latin1")).join("");
    const text = Buffer.concat([Buffer.from('{"configs":[],"x":"'), Buffer.from(lines, "latin1")]);
    const { inflate } = await import("../../src/bundle/inflate.js");
    const { defaultLimits } = await import("../../src/bundle/limits.js");
    const { streamOf } = await import("../support/hostile.js");
    const gzip = gzipSync(text, { level: 6 });
    const damaged = Buffer.concat([gzip.subarray(0, 900_000), Buffer.alloc(5, 0xff), gzip.subarray(900_005)]);
    const inflated = inflate(streamOf(damaged), defaultLimits);
    let length = 0;
    for await (const chunk of inflated.chunks) length += chunk.length;
    expect(length).toBeGreaterThan(800_000);
  });
});

/** Where the checksum of the first member stands. */
function firstTrailer(bytes: Buffer): number {
  const next = bytes.indexOf(Buffer.from([0x1f, 0x8b, 8, 0]), 10);
  return next - 8;
}

describe("garbage behind a gzip stream", () => {
  const garbage: readonly (readonly [string, Uint8Array])[] = [
    ["zeros", Buffer.alloc(5000)],
    ["one zero", Buffer.alloc(1)],
    ["text", Buffer.from("-- \nsent from my phone\n")],
    ["half a gzip header", Buffer.from([0x1f, 0x8b])],
    ["a gzip header of no known method", Buffer.from([0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0, 0])],
    ["a byte of a gzip header", Buffer.from([0x1f])],
    ["noise", randomBytes(3000)],
    ["an empty member", gzipSync("")],
    ["zeros and a member", Buffer.concat([Buffer.alloc(700), gzipSync("\n")])],
  ];
  const table = kinds.flatMap((kind) => garbage.map(([what, bytes]) => ({ ...kind, what, garbage: bytes })));

  it.each(table)("changes nothing that was read: $what behind a $kind", async ({ bytes, garbage: tail }) => {
    tried("garbage behind a gzip");
    const snapshot = await snapshotOf(Buffer.concat([bytes, tail]));
    const good = await snapshotOf(bytes);
    const withoutGzip = {
      ...snapshot,
      problems: snapshot.problems.filter(
        ({ message }) =>
          !/^bytes that are no gzip|^text stands behind|^the gzip stream is cut off/.test(message),
      ),
    };
    expect(seen({ snapshot: withoutGzip, error: null })).toEqual(seen({ snapshot: good, error: null }));
  });

  it.each(kinds)("is read behind zeros between members: $kind", async ({ kind, bytes }) => {
    tried("garbage behind a gzip");
    const plain = gunzipSync(bytes);
    const half = Math.floor(plain.length / 2);
    for (const zeros of [1, 100, 65536]) {
      const parts = [gzipSync(plain.subarray(0, half)), Buffer.alloc(zeros), gzipSync(plain.subarray(half))];
      expect(readProxies(await snapshotOf(Buffer.concat(parts))), kind).toEqual(
        readProxies(await snapshotOf(bytes)),
      );
    }
  });
});

describe("the header of a gzip stream", () => {
  const body = gzipSync(dump).subarray(10);
  const header = (flags: number, ...rest: (Uint8Array | string)[]): Buffer =>
    Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3]),
      ...rest.map((part) => Buffer.from(part)),
      body,
    ]);
  const extra = Buffer.from([3, 0, 1, 2, 3]);

  it.each([
    { what: "plain", bytes: header(0) },
    { what: "a name", bytes: header(8, "dump.json\0") },
    { what: "a name and a comment", bytes: header(24, "dump.json\0", "made by hand\0") },
    { what: "an extra field", bytes: header(4, extra) },
    { what: "a checksum of itself", bytes: header(2, "ab") },
    { what: "everything", bytes: header(31, extra, "n\0", "c\0", "ab") },
    { what: "a name of 100 kB", bytes: header(8, `${"n".repeat(100_000)}\0`) },
  ])("may have $what", async ({ bytes }) => {
    tried("gzip header");
    const snapshot = await snapshotOf(bytes);
    expect(lostOf(snapshot)).toEqual([]);
    expect(readProxies(snapshot)).toHaveLength(1);
  });

  it.each([
    {
      what: "another method",
      bytes: Buffer.concat([Buffer.from([0x1f, 0x8b, 9]), gzipSync(dump).subarray(3)]),
    },
    { what: "reserved flags", bytes: header(0x80) },
    { what: "a name without end", bytes: Buffer.concat([header(8).subarray(0, 10), Buffer.alloc(3e6, 110)]) },
    { what: "no end", bytes: header(0).subarray(0, 7) },
    { what: "two bytes", bytes: Buffer.from([0x1f, 0x8b]) },
    {
      what: "an extra field that is longer than the file",
      bytes: header(4, Buffer.from([255, 255])).subarray(0, 60),
    },
    { what: "noise behind it", bytes: Buffer.concat([header(0).subarray(0, 10), Buffer.alloc(2000, 0xfe)]) },
  ])("that has $what is an error in words", async ({ bytes }) => {
    tried("gzip header");
    expect(await errorOf(bytes)).toMatch(/standard input is (?:empty|a damaged gzip stream)/);
  });
});

describe("a file that is no gzip although its name says so", () => {
  it("is read for what it is: a plain tar", async () => {
    tried("not gzip");
    expect(readProxies(await snapshotOf(gunzipSync(inputs["bug-report"])))).toHaveLength(2);
  });

  it("is read for what it is: a gzip in a gzip is none of ours", async () => {
    tried("not gzip");
    expect(await errorOf(gzipSync(inputs.bundle))).toMatch(
      /is neither an archive|is neither a gzip|no snapshot/,
    );
  });

  it("may come in chunks of one byte", async () => {
    tried("not gzip");
    const small = gzipSync(dump);
    const bytewise = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < small.length; at++) yield await Promise.resolve(small.subarray(at, at + 1));
    };
    const { readSnapshot } = await import("../../src/ingest/read-snapshot.js");
    expect(referenceCount(await readSnapshot("-", { stdin: bytewise() }))).toBe(
      referenceCount(await snapshotOf(dump)),
    );
  });
});

describe("damage in the middle of a bundle's stream", () => {
  it("leaves the entries before it whole", async () => {
    tried("gzip with a changed byte");
    const good = await entriesOf(inputs.bundle);
    const damaged = Buffer.from(inputs.bundle);
    const middle = Math.floor(damaged.length / 2);
    damaged.fill(0xff, middle, middle + 16);
    const { entries } = await entriesOf(damaged);
    const before = takeApart(inputs.bundle).manifest.files.filter(
      ({ member }) => member.offset + member.length <= middle,
    );
    expect(before.length).toBeGreaterThan(5);
    for (const { name } of before)
      expect(entries.get(name)?.equals(good.entries.get(name)!), name).toBe(true);
  });
});
