import { gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";

import { afterAll, describe, expect, it } from "vitest";

import { footer, footerLength } from "../../src/bundle/footer.js";
import { manifestName, type Manifest, type ManifestFile } from "../../src/bundle/manifest.js";
import { openBundle } from "../../src/bundle/open.js";
import { defaultLimits } from "../../src/bundle/limits.js";
import type { ReadOptions } from "../../src/ingest/read-snapshot.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { applyFaults, faultNames } from "../support/mesh/faults.js";
import { ownLayout } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { aFolder } from "../support/builders.js";
import {
  bundleFiles,
  outcomeOf,
  putTogether,
  readProxies,
  seen,
  smallBundle,
  smallMesh,
  snapshotOf,
  takeApart,
  tarEnd,
  tarEntry,
} from "../support/hostile.js";
import { tried } from "../support/hostile-count.js";
import { bundle } from "../support/pack.js";
import { manifestOf, samples } from "../support/samples.js";
import { root } from "../support/cli.js";

const folder = await aFolder();
afterAll(() => folder.remove());

const good = await smallBundle();
const { manifest, members } = takeApart(good);

const isIndexRemark = (message: string): boolean => message.startsWith("the bundle's index is wrong (");

/** What `proxy-status` reads: most entries by their names alone. */
const fewEntries: ReadOptions = { want: new Set(["syncz", "synczBefore", "serverInfo"]), nodes: true };
const waysToRead: readonly ReadOptions[] = [{}, fewEntries];

const withoutRemark = (snapshot: Snapshot): Snapshot => ({
  ...snapshot,
  problems: snapshot.problems.filter(({ message }) => !isIndexRemark(message)),
});

/** Reads by the index and by stream, wholly and in part, and compares all that comes out. */
async function compare(name: string, bytes: Uint8Array): Promise<{ remarks: number }> {
  const path = await folder.write(name, bytes);
  let remarks = 0;
  for (const options of waysToRead) {
    const bySeek = await outcomeOf(path, options);
    const byStream = await outcomeOf(path, { ...options, seek: false });
    if (bySeek.snapshot === null) {
      expect(seen(bySeek)).toEqual(seen(byStream));
      continue;
    }
    remarks += bySeek.snapshot.problems.filter(({ message }) => isIndexRemark(message)).length;
    expect(seen({ snapshot: withoutRemark(bySeek.snapshot), error: null })).toEqual(seen(byStream));
  }
  return { remarks };
}

async function isSeekable(bytes: Uint8Array): Promise<boolean> {
  const opened = await openBundle(await folder.write("seekable", bytes), { limits: defaultLimits });
  await opened.close();
  return opened.seekable;
}

describe("a sound index", () => {
  it("is used", async () => {
    expect(await isSeekable(good)).toBe(true);
    expect((await compare("good", good)).remarks).toBe(0);
    tried("index");
  });

  it.each(samples.map(({ name }) => ({ name })))("gives what the stream gives: $name", async ({ name }) => {
    tried("index");
    const bytes = readFileSync(`${root}samples/${name}.tar.gz`);
    expect((await compare(name, bytes)).remarks).toBe(0);
    expect(await isSeekable(bytes)).toBe(!/bug-report|must-gather/.test(name));
  });

  it.each([0, 6, 12].map((from) => ({ faults: faultNames.slice(from, from + 6) })))(
    "gives what the stream gives with the faults $faults",
    async ({ faults }) => {
      tried("index");
      const { mesh } = applyFaults(buildMesh(), faults);
      const bytes = await bundle(ownLayout(mesh), manifestOf(mesh));
      expect(await isSeekable(bytes)).toBe(true);
      expect((await compare("faults", bytes)).remarks).toBe(0);
    },
  );

  it.each([0, 1, 17, footerLength - 1, footerLength, footerLength + 1, 400, 5000])(
    "is not there any more when the file lacks its last %i bytes",
    async (missing) => {
      tried("index");
      const cut = good.subarray(0, good.length - missing);
      expect(await isSeekable(cut)).toBe(missing === 0);
      await compare("cut", cut);
    },
  );

  it("may be of a bundle with long names", async () => {
    tried("index");
    const files = [
      ...bundleFiles(),
      { name: `istio-snapshot/proxies/default/${"x".repeat(250)}/certs`, body: "{}", mtime: new Date(0) },
      {
        name: `istio-snapshot/proxies/default/ünïcödé${"y".repeat(900)}/certs`,
        body: "",
        mtime: new Date(0),
      },
    ];
    const bytes = await bundle(files, manifestOf(smallMesh()));
    expect(await isSeekable(bytes)).toBe(true);
    expect((await compare("long", bytes)).remarks).toBe(0);
  });
});

describe("a footer that lies", () => {
  const base = good.subarray(0, good.length - footerLength);
  const own = (hex: string): Buffer => {
    const bytes = Buffer.from(footer(0));
    bytes.write(hex.padStart(16, "0"), 16, "latin1");
    return bytes;
  };
  const hex = (offset: number): string => offset.toString(16);

  it.each([
    { what: "the right place", offset: hex(members.length), isUsed: true },
    { what: "the first member", offset: "0" },
    { what: "the second byte", offset: "1" },
    { what: "the middle of a member", offset: hex(manifest.files[3]!.member.offset + 9) },
    { what: "another member", offset: hex(manifest.files[5]!.member.offset) },
    { what: "the last member before the manifest", offset: hex(manifest.files.at(-1)!.member.offset) },
    { what: "a byte before the manifest", offset: hex(members.length - 1) },
    { what: "a byte behind its beginning", offset: hex(members.length + 1) },
    { what: "itself", offset: hex(base.length) },
    { what: "a byte before itself", offset: hex(base.length - 1) },
    { what: "its own end", offset: hex(good.length) },
    { what: "a place beyond the file", offset: hex(good.length + 1000) },
    { what: "2^53 - 1", offset: hex(Number.MAX_SAFE_INTEGER) },
    { what: "2^53", offset: "20000000000000" },
    { what: "2^63", offset: "8000000000000000" },
    { what: "2^64 - 1", offset: "ffffffffffffffff" },
    { what: "a number below zero", offset: "-1".padStart(16, "0") },
    {
      what: "a number in capitals",
      offset: hex(members.length).toUpperCase().padStart(16, "0"),
      isUsed: null,
    },
    { what: "no number", offset: "zzzzzzzzzzzzzzzz" },
    { what: "blanks", offset: " ".repeat(16) },
  ])("points at $what", async ({ offset, isUsed = false }) => {
    tried("index");
    const bytes = Buffer.concat([base, own(offset)]);
    if (isUsed !== null) expect(await isSeekable(bytes)).toBe(isUsed);
    expect((await compare("footer", bytes)).remarks).toBe(0);
  });

  it.each([
    { what: "twice", bytes: Buffer.concat([good, own(hex(members.length))]) },
    { what: "without a bundle", bytes: Buffer.from(footer(0)) },
    { what: "and a byte", bytes: Buffer.concat([Buffer.from([0x1f]), own("0")]) },
    { what: "behind the bundle, and garbage", bytes: Buffer.concat([good, Buffer.from("garbage")]) },
    {
      what: "with another magic",
      bytes: Buffer.concat([base, Buffer.from(footer(members.length)).fill("X", 34, 38)]),
    },
    { what: "behind a bundle without manifest", bytes: Buffer.concat([members, own("0")]) },
    { what: "behind zeros", bytes: Buffer.concat([Buffer.alloc(600), own("0")]) },
    { what: "behind a dump", bytes: Buffer.concat([Buffer.from('{"configs":[]}'), own("0")]) },
  ])("stands $what", async ({ bytes }) => {
    tried("index");
    await compare("footer", bytes);
  });
});

type Files = readonly ManifestFile[];
const withFiles = (change: (files: ManifestFile[]) => Files | undefined): Buffer => {
  const files = structuredClone(manifest.files) as ManifestFile[];
  return putTogether(members, { ...manifest, files: change(files) ?? files });
};
const at = (files: ManifestFile[], index: number, change: Partial<ManifestFile>): undefined =>
  void (files[index] = { ...files[index]!, ...change });
const indexOf = (ending: string): number => {
  const index = manifest.files.findIndex(({ name }) => name.includes(ending));
  if (index < 0) throw new Error(ending);
  return index;
};
const dumpAt = indexOf("/config_dump?");
const certsAt = indexOf("/certs");
const serverInfoAt = indexOf("/server_info");
const synczAt = manifest.files.findIndex(({ name }) => name.endsWith("/debug/syncz"));

describe("a manifest that lies about the places", () => {
  it.each<{ what: string; change: (files: ManifestFile[]) => Files | undefined }>([
    { what: "the truth", change: () => undefined },
    {
      what: "one place for all",
      change: (files) => files.map((file) => ({ ...file, member: files[0]!.member })),
    },
    { what: "a loop", change: (files) => at(files, 5, { member: files[2]!.member }) },
    {
      what: "places that overlap",
      change: (files) =>
        files.map((file) => ({
          ...file,
          member: { offset: file.member.offset, length: file.member.length + 5 },
        })),
    },
    {
      what: "places a byte later",
      change: (files) =>
        files.map((file) => ({ ...file, member: { ...file.member, offset: file.member.offset + 1 } })),
    },
    {
      what: "the first place too long, the second too short",
      change: (files) => {
        const [first, second] = [files[0]!.member, files[1]!.member];
        at(files, 0, { member: { offset: 0, length: first.length + 1 } });
        at(files, 1, { member: { offset: second.offset + 1, length: second.length - 1 } });
        return undefined;
      },
    },
    { what: "a gap", change: (files) => at(files, 3, { member: { ...files[3]!.member, length: 1 } }) },
    {
      what: "a place beyond the file",
      change: (files) => at(files, 3, { member: { offset: 1e12, length: 9 } }),
    },
    {
      what: "a place of 2^53 bytes",
      change: (files) => at(files, 3, { member: { offset: 0, length: Number.MAX_SAFE_INTEGER } }),
    },
    { what: "names in another order", change: (files) => rotate(files, ["name"]) },
    { what: "names and sizes in another order", change: (files) => rotate(files, ["name", "size"]) },
    { what: "two files in one place", change: (files) => [...files, files[0]!] },
    { what: "two places in one", change: (files) => merge(files, dumpAt) },
    { what: "two small places in one", change: (files) => merge(files, certsAt) },
    {
      what: "all places in one",
      change: (files) => [{ ...files[0]!, member: { offset: 0, length: members.length } }],
    },
    { what: "no files", change: () => [] },
    { what: "one file less", change: (files) => files.slice(0, -1) },
    { what: "the first file less", change: (files) => files.slice(1) },
    { what: "the files backwards", change: (files) => files.toReversed() },
    { what: "a name twice", change: (files) => at(files, 3, { name: files[2]!.name }) },
  ])("says $what", async ({ what, change }) => {
    tried("index");
    const { remarks } = await compare("places", withFiles(change));
    if (what === "the truth") expect(remarks).toBe(0);
  });

  it.each<{ what: string; index: number; change: (file: ManifestFile) => Partial<ManifestFile> }>([
    {
      what: "another name of a dump",
      index: dumpAt,
      change: ({ name }) => ({ name: name.replace("catalog", "other") }),
    },
    {
      what: "another name of certs",
      index: certsAt,
      change: ({ name }) => ({ name: name.replace("catalog", "other") }),
    },
    { what: "a name that is no role", index: dumpAt, change: () => ({ name: "istio-snapshot/x" }) },
    {
      what: "a name with backslashes",
      index: certsAt,
      change: ({ name }) => ({ name: name.replaceAll("/", "\\") }),
    },
    { what: "a name with a dot before it", index: dumpAt, change: ({ name }) => ({ name: `./${name}` }) },
    { what: "a name that leads out", index: dumpAt, change: ({ name }) => ({ name: `../${name}` }) },
    { what: "an absolute name", index: dumpAt, change: ({ name }) => ({ name: `/${name}` }) },
    { what: "the manifest's name", index: certsAt, change: () => ({ name: manifestName }) },
    { what: "a long name", index: certsAt, change: () => ({ name: "x".repeat(10_000) }) },
    {
      what: "a dump's name of certs",
      index: certsAt,
      change: ({ name }) => ({ name: name.replace("certs", "config_dump") }),
    },
    { what: "a size too small", index: dumpAt, change: ({ size }) => ({ size: size - 1 }) },
    { what: "a size too large", index: dumpAt, change: ({ size }) => ({ size: size + 1 }) },
    { what: "a size too large by a block", index: certsAt, change: ({ size }) => ({ size: size + 512 }) },
    { what: "a size within the padding", index: certsAt, change: ({ size }) => ({ size: size + 1 }) },
    { what: "a size of 0", index: serverInfoAt, change: () => ({ size: 0 }) },
    { what: "a size of 500 MB", index: dumpAt, change: () => ({ size: 500e6 }) },
    { what: "a size of 2^53 - 1", index: dumpAt, change: () => ({ size: Number.MAX_SAFE_INTEGER }) },
    { what: "another hash", index: dumpAt, change: () => ({ sha256: "0".repeat(64) }) },
    { what: "another time", index: dumpAt, change: () => ({ capturedAt: "1999-12-31T23:59:59Z" }) },
    { what: "a time that is none", index: synczAt, change: () => ({ capturedAt: "2026-99-99T99:99:99Z" }) },
  ])("says of one file $what", async ({ index, change }) => {
    tried("index");
    await compare(
      "file",
      withFiles((files) => at(files, index, change(files[index]!))),
    );
  });
});

function rotate(files: readonly ManifestFile[], keys: readonly ("name" | "size")[]): ManifestFile[] {
  return files.map((file, index) => {
    const next = files[(index + 1) % files.length]!;
    return { ...file, ...Object.fromEntries(keys.map((key) => [key, next[key]])) };
  });
}

function merge(files: readonly ManifestFile[], index: number): ManifestFile[] {
  const [first, second] = [files[index]!, files[index + 1]!];
  const length = first.member.length + second.member.length;
  return [
    ...files.slice(0, index),
    { ...first, member: { offset: first.member.offset, length } },
    ...files.slice(index + 2),
  ];
}

describe("a member that is not what the manifest says", () => {
  /** The bundle with another member in the place of one file, and all places as they then are. */
  const withMember = (index: number, member: Uint8Array): Buffer => {
    const { offset, length } = manifest.files[index]!.member;
    const grown = member.length - length;
    const files = manifest.files.map((file, other) =>
      other < index
        ? file
        : other === index
          ? { ...file, member: { offset, length: member.length } }
          : { ...file, member: { ...file.member, offset: file.member.offset + grown } },
    );
    return putTogether(
      Buffer.concat([members.subarray(0, offset), member, members.subarray(offset + length)]),
      { ...manifest, files },
    );
  };
  const original = (index: number): Buffer => {
    const { offset, length } = manifest.files[index]!.member;
    return members.subarray(offset, offset + length);
  };
  const entryOf = (index: number, body?: string): Buffer => {
    const file = bundleFiles().find(({ name }) => name === manifest.files[index]!.name)!;
    return tarEntry({ name: file.name, body: body ?? Buffer.from(file.body) });
  };
  const hidden = tarEntry({
    name: "istio-snapshot/proxies/default/hidden/server_info",
    body: '{"version":"x"}',
  });
  const link = tarEntry({ name: "istio-snapshot/proxies/default/hidden/certs", type: "2" });

  const places = [
    { place: "a dump's", index: dumpAt },
    { place: "the certs'", index: certsAt },
    { place: "syncz's", index: synczAt },
  ];
  const replacements: readonly { what: string; member: (index: number) => Uint8Array }[] = [
    { what: "the same", member: original },
    { what: "the same, made anew", member: (index) => gzipSync(entryOf(index)) },
    { what: "the same in two gzip members", member: (index) => halves(entryOf(index)) },
    { what: "a second entry", member: (index) => gzipSync(Buffer.concat([entryOf(index), hidden])) },
    {
      what: "a second entry in a gzip member of its own",
      member: (index) => Buffer.concat([original(index), gzipSync(hidden)]),
    },
    { what: "another entry before it", member: (index) => gzipSync(Buffer.concat([hidden, entryOf(index)])) },
    { what: "a link behind it", member: (index) => gzipSync(Buffer.concat([entryOf(index), link])) },
    { what: "a link before it", member: (index) => gzipSync(Buffer.concat([link, entryOf(index)])) },
    { what: "another entry", member: () => gzipSync(hidden) },
    { what: "no entry", member: () => gzipSync("") },
    { what: "no tar", member: () => gzipSync("lorem ipsum") },
    { what: "no gzip", member: () => Buffer.from("lorem ipsum") },
    { what: "zeros", member: () => Buffer.alloc(100) },
    { what: "another content", member: (index) => gzipSync(entryOf(index, "{}")) },
    { what: "an empty content", member: (index) => gzipSync(entryOf(index, "")) },
    { what: "an end mark behind it", member: (index) => gzipSync(Buffer.concat([entryOf(index), tarEnd])) },
    { what: "an end mark before it", member: (index) => gzipSync(Buffer.concat([tarEnd, entryOf(index)])) },
    {
      what: "a block of zeros behind it",
      member: (index) => gzipSync(Buffer.concat([entryOf(index), Buffer.alloc(512)])),
    },
    {
      what: "a block of zeros before it",
      member: (index) => gzipSync(Buffer.concat([Buffer.alloc(512), entryOf(index)])),
    },
    {
      what: "a block of garbage behind it",
      member: (index) => gzipSync(Buffer.concat([entryOf(index), Buffer.alloc(512, "x")])),
    },
    {
      what: "half a block behind it",
      member: (index) => gzipSync(Buffer.concat([entryOf(index), Buffer.alloc(256)])),
    },
    { what: "no padding", member: (index) => gzipSync(entryOf(index).subarray(0, -1)) },
    {
      what: "a damaged header",
      member: (index) => gzipSync(Buffer.concat([Buffer.from("X"), entryOf(index).subarray(1)])),
    },
    { what: "zeros behind its gzip", member: (index) => Buffer.concat([original(index), Buffer.alloc(8)]) },
  ];
  const table = places.flatMap((place) => replacements.map((replacement) => ({ ...place, ...replacement })));

  it.each(table)("$place is $what", async ({ index, member, what }) => {
    tried("index");
    const { remarks } = await compare("member", withMember(index, member(index)));
    if (what === "the same" || what === "the same, made anew") expect(remarks).toBe(0);
  });

  it.each(places)("$place inflates to 64 MB and more", async ({ index }) => {
    tried("index");
    const bomb = gzipSync(entryOf(index, "0".repeat(90e6)), { level: 9 });
    const files = withMember(index, bomb);
    const { members: allMembers, manifest: listed } = takeApart(files);
    const honest = listed.files.map((file, other) => (other === index ? { ...file, size: 90e6 } : file));
    const path = await folder.write("bomb", putTogether(allMembers, { ...listed, files: honest }));
    for (const options of [{}, { seek: false }, fewEntries]) {
      const { error } = await outcomeOf(path, options);
      expect(error?.message).toMatch(/inflates to more than 250 times its size/);
    }
  });
});

const halves = (entry: Buffer): Buffer =>
  Buffer.concat([gzipSync(entry.subarray(0, 700)), gzipSync(entry.subarray(700))]);

describe("the manifest itself", () => {
  const text = JSON.stringify(manifest);
  it.each<{ what: string; body: string }>([
    { what: "as it is", body: text },
    { what: "cut off", body: text.slice(0, -100) },
    { what: "empty", body: "" },
    { what: "no JSON", body: "lorem ipsum" },
    { what: "an array", body: "[]" },
    { what: "null", body: "null" },
    { what: "an empty object", body: "{}" },
    { what: "two", body: `${text}${text}` },
    { what: "deep", body: `{"files":${"[".repeat(100_000)}${"]".repeat(100_000)}}` },
    { what: "of another version", body: JSON.stringify({ ...manifest, formatVersion: 2 }) },
    { what: "with __proto__", body: text.replace("{", '{"__proto__":{"polluted":true},') },
    { what: "of 1 MB", body: JSON.stringify({ ...manifest, comment: "x".repeat(1e6) }) },
    { what: "with a byte order mark", body: `\ufeff${text}` },
    { what: "with text before it", body: `warning\n${text}` },
  ])("is $what", async ({ body }) => {
    tried("index");
    await compare("manifest", putTogether(members, body));
  });

  it("is that of another bundle", async () => {
    tried("index", 2);
    const other = buildMesh({ seed: 9, bookinfo: false, services: 3, proxies: 3, replicas: 1, istiods: 1 });
    const foreign = takeApart(await bundle(ownLayout(other), manifestOf(other)));
    await compare("foreign", putTogether(members, foreign.manifest));
    await compare("foreign", putTogether(foreign.members, manifest));
  });

  it("is not the last entry of its member", async () => {
    tried("index", 3);
    const entry = tarEntry({ name: manifestName, body: text });
    const hidden = tarEntry({ name: "istio-snapshot/proxies/default/hidden/certs", body: "{}" });
    for (const tar of [
      [entry, hidden],
      [hidden, entry],
      [entry, entry],
    ]) {
      const member = gzipSync(Buffer.concat([...tar, tarEnd]));
      await compare("not-last", Buffer.concat([members, member, footer(members.length)]));
    }
  });

  it("is damaged in one bit", async () => {
    const start = members.length;
    const end = good.length - footerLength;
    for (let offset = start; offset < end; offset += 97) {
      tried("index");
      const bytes = Buffer.from(good);
      bytes[offset] = (bytes[offset] ?? 0) ^ 4;
      await compare("bit", bytes);
    }
  });

  it("lists files that the archive does not have, and is believed in nothing else", async () => {
    tried("index");
    const files: Manifest["files"] = [
      ...manifest.files,
      {
        ...manifest.files[0]!,
        name: "istio-snapshot/proxies/default/ghost/config_dump",
        member: { offset: members.length, length: 1 },
      },
    ];
    const bytes = putTogether(members, { ...manifest, files });
    await compare("ghost", bytes);
    expect(readProxies(await snapshotOf(await folder.write("ghost", bytes)))).toHaveLength(2);
  });
});
