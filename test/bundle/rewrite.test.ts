import { createHash } from "node:crypto";
import { Readable, Writable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";

import { extract } from "tar-stream";
import { describe, expect, it } from "vitest";

import { defaultLimits, type Limits } from "../../src/bundle/limits.js";
import { manifestName, parseManifest, type Manifest } from "../../src/bundle/manifest.js";
import { openBundle } from "../../src/bundle/open.js";
import { copyAsBundle, copyAsTar, type Copied, type CopyOptions } from "../../src/bundle/redacted-copy.js";
import { redactionRecordName, type RedactionRecord } from "../../src/bundle/redaction-record.js";
import { rewriteFile, type Rewriter } from "../../src/bundle/rewrite.js";
import { BundleFormatError } from "../../src/shared/errors.js";
import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { aFolder, snapshotIn } from "../support/builders.js";
import { bugReportLayout, mustGatherLayout, ownLayout, type ArchiveFile } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { bundle, tarGz } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";

/** Takes out "hunter2", calls the namespace "acme" another name, and refuses what begins with a NUL. */
const rewriter: Rewriter = {
  file: (name, content) => {
    const text = Buffer.from(content).toString("latin1");
    if (text.startsWith("\0")) return { outcome: "dropped", name: rewriter.name(name), reason: "is binary" };
    if (text.startsWith("crash")) throw new Error("no rule fits");
    const bytes = Buffer.from(rewriter.text(text), "latin1");
    // in two pieces, as a redactor gives it
    const middle = bytes.length >> 1;
    return {
      outcome: "kept",
      name: rewriter.name(name),
      content: [bytes.subarray(0, middle), bytes.subarray(middle)],
      size: bytes.length,
    };
  },
  name: (value) => value.replaceAll("acme", "ns-1"),
  text: (value) => value.replaceAll("hunter2", "[gone]"),
};

const at = new Date("2026-03-14T09:30:00Z");
const aFile = (name: string, body: Buffer | string, mtime = at): ArchiveFile => ({ name, body, mtime });

const record: RedactionRecord = {
  profile: "support",
  rules: [{ rule: "secret", count: 2, files: 1 }],
  kept: [{ what: "ports", why: "they are needed" }],
  notCovered: ["free text in logs"],
};

const earlierCertificates: CopyOptions["earlierCertificates"] = (bytes, entry) => {
  const text = Buffer.from(bytes).toString();
  if (!text.startsWith("{")) throw new BundleFormatError(entry, "", "must be object");
  return new Map(Object.entries(JSON.parse(rewriter.text(text)) as Record<string, object>));
};

interface Made extends Copied {
  readonly bytes: Buffer;
}

class Collected extends Writable {
  readonly chunks: Buffer[] = [];
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(Buffer.from(chunk));
    done();
  }
}

interface Changes {
  readonly limits?: Partial<Limits>;
  readonly certificates?: ReadonlyMap<string, object>;
  readonly record?: RedactionRecord;
}

async function copied(
  archive: Buffer,
  copy: (input: Awaited<ReturnType<typeof openBundle>>, options: CopyOptions) => Promise<Copied>,
  changes: Changes = {},
): Promise<Made> {
  const limits = { ...defaultLimits, ...changes.limits };
  const input = await openBundle("-", { limits, stdin: Readable.from([archive]) });
  const output = new Collected();
  const result = await copy(input, {
    output,
    rewriter,
    limits,
    record: () => changes.record ?? record,
    certificates: () => changes.certificates ?? new Map(),
    earlierCertificates,
  });
  return { ...result, bytes: Buffer.concat(output.chunks) };
}

const asTar = (archive: Buffer, changes?: Changes): Promise<Made> => copied(archive, copyAsTar, changes);

interface Held {
  readonly body: Buffer;
  readonly mtime: string;
  readonly owner: readonly unknown[];
}

/** Every entry of an archive, in order. */
async function entriesOf(archive: Buffer): Promise<Map<string, Held>> {
  const held = new Map<string, Held>();
  const tar = extract();
  tar.end(gunzipSync(archive));
  for await (const stream of tar) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
    const { name, mtime, uid, gid, uname, gname } = stream.header;
    held.set(name, {
      body: Buffer.concat(chunks),
      mtime: mtime.toISOString(),
      owner: [uid, gid, uname, gname],
    });
  }
  return held;
}

const manifestIn = async (archive: Buffer): Promise<Manifest> =>
  parseManifest((await entriesOf(archive)).get(manifestName)?.body ?? Buffer.alloc(0), manifestName);

const recordIn = async (archive: Buffer, root = ""): Promise<unknown> =>
  JSON.parse((await entriesOf(archive)).get(`${root}${redactionRecordName}`)?.body.toString() ?? "null");

const mesh = buildMesh({ seed: 3 });

describe("one file", () => {
  const rewrite = (name: string, content: Uint8Array, limits: Partial<Limits> = {}) =>
    rewriteFile(name, content, rewriter, { ...defaultLimits, ...limits });
  const textOf = (file: Awaited<ReturnType<typeof rewrite>>): string =>
    file.outcome === "kept" ? Buffer.concat(file.content).toString() : file.reason;

  it("is what the rewriter makes of it", async () => {
    const file = await rewrite("acme/a.log", Buffer.from("password hunter2"));
    expect(file).toMatchObject({ outcome: "kept", name: "ns-1/a.log", size: "password [gone]".length });
    expect(textOf(file)).toBe("password [gone]");
  });

  it("that is deflated is rewritten inside, and deflated again in the same bytes each time", async () => {
    const given: string[] = [];
    const inner: Rewriter = {
      ...rewriter,
      file: (name, content) => {
        given.push(name);
        return rewriter.file(name, content);
      },
    };
    const deflated = gzipSync("password hunter2");
    const first = await rewriteFile("acme/a.log.gz", deflated, inner, defaultLimits);
    const second = await rewriteFile(
      "acme/a.log.gz",
      gzipSync("password hunter2", { level: 1 }),
      inner,
      defaultLimits,
    );
    expect(given).toEqual(["acme/a.log", "acme/a.log"]); // the rules go by the name that it has inside
    expect(first.outcome === "kept" && gunzipSync(Buffer.concat(first.content)).toString()).toBe(
      "password [gone]",
    );
    expect(first).toMatchObject({ name: "ns-1/a.log.gz" });
    expect(first).toEqual(second);
  });

  it("that is deflated under another name keeps that name", async () => {
    expect(await rewrite("acme/stats", gzipSync("x"))).toMatchObject({ outcome: "kept", name: "ns-1/stats" });
  });

  it.each([
    { what: "a tar", content: async () => gunzipSync(await tarGz([aFile("a", "hunter2")])) },
    { what: "a gzip'd tar", content: () => tarGz([aFile("a", "hunter2")]) },
  ])("that is $what is left out", async ({ content }) => {
    expect(await rewrite("acme/inner.tar.gz", await content())).toEqual({
      outcome: "dropped",
      name: "ns-1/inner.tar.gz",
      reason: "is an archive inside the archive; unpack it and redact it by itself",
    });
  });

  it("that is deflated twice is left out", async () => {
    const file = await rewrite("a.gz.gz", gzipSync(gzipSync("hunter2")));
    expect(file).toMatchObject({ outcome: "dropped", reason: "is deflated twice" });
  });

  it("whose gzip stream is cut off keeps what stood before, and says so", async () => {
    const noise = createHash("sha512").update("x").digest("hex").repeat(3);
    const file = await rewrite("a.gz", gzipSync(`hunter2 ${noise}`).subarray(0, -12));
    expect(file).toMatchObject({ outcome: "kept", cut: "its gzip stream is cut off" });
    const text = file.outcome === "kept" ? gunzipSync(Buffer.concat(file.content)).toString() : "";
    expect(text).toMatch(/^\[gone\]/);
  });

  it("whose gzip stream is damaged from the beginning is left out", async () => {
    const broken = Buffer.from(gzipSync("hunter2"));
    broken[2] = 7;
    expect(await rewrite("a.gz", broken)).toMatchObject({
      outcome: "dropped",
      reason: "its gzip stream is damaged: unknown compression method",
    });
  });

  it("that inflates beyond the limit of an entry, or to a bomb, costs itself", async () => {
    const zeros = gzipSync(Buffer.alloc(3_000_000));
    const large = await rewrite("a.gz", zeros, { entryBytes: 1_000_000 });
    expect(large.outcome === "dropped" && large.reason).toMatch(
      /^inflated, it is \d+ bytes long, over the limit/,
    );
    const bomb = await rewrite("a.gz", zeros, { ratioFloor: 1000, ratio: 10 });
    expect(bomb.outcome === "dropped" && bomb.reason).toMatch(/inflates to more than 10 times its size/);
    expect((await rewrite("a.gz", gzipSync(Buffer.alloc(999, "x")), { entryBytes: 1000 })).outcome).toBe(
      "kept",
    );
  });

  it("that the rewriter fails at is left out", async () => {
    expect(await rewrite("acme/a", Buffer.from("crash"))).toEqual({
      outcome: "dropped",
      name: "ns-1/a",
      reason: "cannot be redacted: no rule fits",
    });
  });
});

describe("an archive that is none of ours", () => {
  const files = [
    aFile("bug-report/bug-report.log", "started\n", new Date("2026-03-14T09:29:00Z")),
    aFile("bug-report/proxies/acme/a-1/istio-proxy.log", "token hunter2"),
    aFile("bug-report/proxies/acme/a-1/server_info", '{"state":"LIVE"}', new Date("2026-03-14T09:31:00Z")),
    aFile("bug-report/zeros.gz", gzipSync("hunter2")),
  ];

  it("keeps names, order and times, and tells of nobody who packed it", async () => {
    const { bytes, files: count, losses } = await asTar(await tarGz(files));
    expect(count).toBe(4);
    expect(losses).toEqual([]);
    const entries = await entriesOf(bytes);
    expect([...entries].map(([name, { mtime }]) => [name, mtime])).toEqual([
      ["bug-report/bug-report.log", "2026-03-14T09:29:00.000Z"],
      ["bug-report/proxies/ns-1/a-1/istio-proxy.log", "2026-03-14T09:30:00.000Z"],
      ["bug-report/proxies/ns-1/a-1/server_info", "2026-03-14T09:31:00.000Z"],
      ["bug-report/zeros.gz", "2026-03-14T09:30:00.000Z"],
      ["bug-report/istio-snapshot-redaction.json", "2026-03-14T09:31:00.000Z"],
    ]);
    for (const { owner } of entries.values()) expect(owner).toEqual([0, 0, "", ""]);
    expect(entries.get("bug-report/proxies/ns-1/a-1/istio-proxy.log")?.body.toString()).toBe("token [gone]");
    expect(gunzipSync(entries.get("bug-report/zeros.gz")!.body).toString()).toBe("[gone]");
  });

  it("is the same bytes each time", async () => {
    const archive = await tarGz(files);
    expect((await asTar(archive)).bytes.equals((await asTar(archive)).bytes)).toBe(true);
  });

  it("ends with the record of what was taken out, which is read back", async () => {
    const { bytes, record: said } = await asTar(await tarGz(files));
    expect(await recordIn(bytes, "bug-report/")).toEqual({ ...record, leftOut: [] });
    expect(said).toEqual({ ...record, leftOut: [] });
    expect((await snapshotIn(bytes)).source.redaction).toEqual({ ...record, leftOut: [] });
  });

  it("without times has none after", async () => {
    const { bytes } = await asTar(await tarGz([aFile("proxies/acme/a-1/server_info", "{}", new Date(0))]));
    expect((await snapshotIn(bytes)).captureTime).toBeNull();
  });

  it.each([
    {
      layout: "a bug-report without a top folder",
      root: "",
      made: bugReportLayout(mesh, { istioctl: "1.24", root: "" }),
    },
    {
      layout: "a bug-report below folders",
      root: "my dir/x/",
      made: bugReportLayout(mesh, { istioctl: "1.12", root: "my dir/x" }),
    },
    { layout: "a must-gather", root: "must/gather/", made: mustGatherLayout(mesh, { root: "must/gather" }) },
    { layout: "a bundle that was cut off", root: "istio-snapshot/", made: ownLayout(mesh) },
  ])("of the layout of $layout has it at the layout's root", async ({ root, made }) => {
    const names = [
      ...(
        await entriesOf((await asTar(await tarGz(made), { certificates: new Map([["t", {}]]) })).bytes)
      ).keys(),
    ];
    expect(names.slice(-2)).toEqual([`${root}certificates.json`, `${root}istio-snapshot-redaction.json`]);
  });

  it("says what it left out, and so does its reader", async () => {
    const {
      bytes,
      losses,
      files: count,
    } = await asTar(
      await tarGz([
        aFile("bug-report/proxies/acme/a-1/server_info", '{"state":"LIVE"}'),
        aFile("bug-report/proxies/acme/a-1/cores/1.core", "\0\u0001"),
        aFile("/etc/hunter2", "x"),
        aFile("bug-report/crash", "crash"),
      ]),
    );
    expect(count).toBe(1);
    expect(losses).toEqual([
      { file: "bug-report/proxies/acme/a-1/cores/1.core", reason: "is binary" },
      { file: "/etc/hunter2", reason: "has an absolute name" },
      { file: "bug-report/crash", reason: "cannot be redacted: no rule fits" },
    ]);
    const snapshot = await snapshotIn(bytes);
    expect(snapshot.problems).toContainEqual({
      entry: "bug-report/proxies/ns-1/a-1/cores/1.core",
      pointer: "",
      message: "when the snapshot was redacted: is binary",
      severity: "lost",
    });
  });

  it("that is cut off keeps what there is, and says that it is not whole", async () => {
    const archive = await tarGz([
      aFile("proxies/acme/a-1/server_info", '{"state":"LIVE"}'),
      aFile("proxies/acme/a-1/certs", "hunter2".repeat(1000)),
    ]);
    const { bytes, losses, notes } = await asTar(gzipSync(gunzipSync(archive).subarray(0, 3 * 512 + 700)));
    expect(losses).toEqual([
      { file: "proxies/acme/a-1/certs", reason: "is not whole: the archive ends inside it" },
    ]);
    expect(notes).toEqual(["the archive ends without its end mark: it may have been cut off"]);
    expect((await entriesOf(bytes)).get("proxies/ns-1/a-1/certs")?.body.toString()).toMatch(
      /^(?:\[gone\])+$|hunter/,
    );
  });

  it("says of a manifest that cannot be read that the copy has none", async () => {
    const archive = await tarGz([
      aFile("istio-snapshot/proxies/acme/a-1/certs", "{}"),
      aFile(manifestName, '{"formatVersion": 1'),
    ]);
    const { losses, bytes } = await asTar(archive);
    expect(losses).toEqual([
      { file: manifestName, reason: "is a manifest that cannot be read; the copy has none" },
    ]);
    expect([...(await entriesOf(bytes)).keys()]).not.toContain(manifestName);
  });

  it("redacted twice has one record, of the stricter profile, and one file of certificates", async () => {
    const certificate = { subject: "CN=a" };
    const once = await asTar(await tarGz(files), {
      record: { ...record, profile: "public" },
      certificates: new Map([["token-b", certificate]]),
    });
    const twice = await asTar(once.bytes, {
      record: {
        profile: "internal",
        rules: [
          { rule: "secret", count: 1, files: 1 },
          { rule: "code", count: 3, files: 2 },
        ],
        kept: [{ what: "certificates", why: "internal keeps them" }],
        notCovered: ["free text in logs", "free text in bug-report.log"],
      },
      certificates: new Map([["token-a", certificate]]),
    });
    const names = [...(await entriesOf(twice.bytes)).keys()];
    expect(names.slice(-2)).toEqual([
      "bug-report/certificates.json",
      "bug-report/istio-snapshot-redaction.json",
    ]);
    expect(names.filter((name) => name.endsWith(".json"))).toHaveLength(2);
    expect(await recordIn(twice.bytes, "bug-report/")).toEqual({
      profile: "public",
      rules: [
        { rule: "secret", count: 3, files: 2 },
        { rule: "code", count: 3, files: 2 },
      ],
      kept: record.kept,
      notCovered: ["free text in logs", "free text in bug-report.log"],
      allowedFindings: [],
      leftOut: [],
    });
    const held = (await entriesOf(twice.bytes)).get("bug-report/certificates.json")?.body.toString() ?? "";
    expect(Object.keys(JSON.parse(held) as object)).toEqual(["token-a", "token-b"]);
  });
});

it("certificates of an earlier redaction that cannot be read are lost, and said to be", async () => {
  const file = (name: string, body: string): ArchiveFile => aFile(`proxies/acme/a-1/${name}`, body);
  const archive = (certificates: string): Promise<Buffer> =>
    tarGz([file("certs", "{}"), aFile("certificates.json", certificates)]);
  const { losses, bytes } = await asTar(await archive("gone"));
  expect(losses).toEqual([{ file: "certificates.json", reason: "must be object" }]);
  expect([...(await entriesOf(bytes)).keys()]).not.toContain("certificates.json");
  const read = await asTar(await archive('{"t": {"subject": "hunter2"}}'));
  expect(read.losses).toEqual([]);
  expect((await entriesOf(read.bytes)).get("certificates.json")?.body.toString()).not.toContain("hunter2");
});

describe("one of our bundles", () => {
  const facts = { ...manifestOf(mesh), cluster: "acme-eu", redaction: record };
  const packed = bundle(ownLayout(mesh), facts);
  const asBundle = async (archive: Buffer, changes?: Changes): Promise<Made> => {
    const manifest = await manifestIn(archive);
    return copied(
      archive,
      (input, options) => copyAsBundle(input, { manifest, entry: manifestName }, options),
      changes,
    );
  };

  it("is a bundle again: every file listed, sound, of the same time, to be read without reading the rest", async () => {
    const archive = await packed;
    const { bytes, losses } = await asBundle(archive);
    expect(losses).toEqual([]);
    const [before, after] = [await manifestIn(archive), await manifestIn(bytes)];
    expect(after.files.map(({ name, capturedAt }) => [name, capturedAt])).toEqual(
      before.files.map(({ name, capturedAt }) => [name, capturedAt]),
    );
    const entries = await entriesOf(bytes);
    for (const { name, size, sha256 } of after.files) {
      const body = entries.get(name)?.body ?? Buffer.alloc(0);
      expect([name, body.length, createHash("sha256").update(body).digest("hex")]).toEqual([
        name,
        size,
        sha256,
      ]);
    }
    const folder = await aFolder();
    try {
      const path = await folder.write("copy.tar.gz", bytes);
      const opened = await openBundle(path, { limits: defaultLimits });
      expect(opened.seekable).toBe(true);
      await opened.close();
      const snapshot = await readSnapshot(path);
      expect(snapshot.problems).toEqual([]);
      expect(snapshot.proxies.map(({ id }) => id)).toEqual(mesh.proxies.map(({ id }) => id).sort());
    } finally {
      await folder.remove();
    }
  });

  it("carries over what the manifest says of the capture, and of the redaction both", async () => {
    const { bytes } = await asBundle(await packed, {
      record: { profile: "public", rules: [{ rule: "name", count: 5, files: 4 }] },
    });
    expect({ ...(await manifestIn(bytes)), files: [] }).toEqual({
      ...facts,
      files: [],
      cluster: "ns-1-eu",
      redaction: {
        profile: "public",
        rules: [
          { rule: "secret", count: 2, files: 1 },
          { rule: "name", count: 5, files: 4 },
        ],
        kept: [],
        notCovered: ["free text in logs"],
        allowedFindings: [],
        leftOut: [],
      },
    });
  });

  const small = (files: readonly ArchiveFile[], more: Partial<Manifest> = {}): Promise<Buffer> =>
    bundle(files, {
      ...facts,
      targets: [{ kind: "proxy", namespace: "acme", name: "a-acme", outcome: "partial" }],
      failures: [{ target: "a.acme", what: "certs", reason: "401: password hunter2" }],
      ...more,
    });
  const info = aFile("istio-snapshot/proxies/acme/a-1/server_info", '{"state":"LIVE"}');

  it("names targets and failures as its files", async () => {
    const manifest = await manifestIn((await asBundle(await small([info]))).bytes);
    expect(manifest.targets).toEqual([
      { kind: "proxy", namespace: "ns-1", name: "a-ns-1", outcome: "partial" },
    ]);
    expect(manifest.failures).toEqual([{ target: "a.ns-1", what: "certs", reason: "401: password [gone]" }]);
    expect(manifest.files.map(({ name }) => name)).toEqual(["istio-snapshot/proxies/ns-1/a-1/server_info"]);
  });

  it("has certificates.json before the manifest", async () => {
    const { bytes } = await asBundle(await small([info]), { certificates: new Map([["t", { isCa: true }]]) });
    expect([...(await entriesOf(bytes)).keys()].slice(-2)).toEqual([
      "istio-snapshot/certificates.json",
      "istio-snapshot/manifest.json",
    ]);
    expect((await manifestIn(bytes)).files.at(-1)).toMatchObject({
      name: "istio-snapshot/certificates.json",
    });
    const twice = await asBundle(bytes, { certificates: new Map([["s", { isCa: false }]]) });
    expect(twice.losses).toEqual([]);
    expect((await entriesOf(twice.bytes)).get("istio-snapshot/certificates.json")?.body.toString()).toContain(
      '"t"',
    );
  });

  /** The same manifest, but other files. */
  async function repacked(files: readonly ArchiveFile[], listed: readonly ArchiveFile[]): Promise<Buffer> {
    const { body } = (await entriesOf(await small(listed))).get(manifestName)!;
    return tarGz([...files, aFile(manifestName, body)]);
  }

  it("says which files are not what they were, and leaves out what was added", async () => {
    const certs = aFile("istio-snapshot/proxies/acme/a-1/certs", "{}");
    const archive = await repacked(
      [aFile(info.name, '{"state":"DRAINING"}'), aFile("istio-snapshot/added", "x")],
      [info, certs],
    );
    const { losses, bytes } = await asBundle(archive);
    expect(losses).toEqual([
      { file: info.name, reason: "is not what the manifest says: it was changed after the capture" },
      {
        file: "istio-snapshot/added",
        reason: "is not listed in the manifest: it was added after the capture",
      },
      { file: certs.name, reason: "is listed in the manifest, but not in the archive" },
    ]);
    expect((await manifestIn(bytes)).redaction.leftOut).toHaveLength(3);
    expect((await asBundle(await repacked([info, certs], [info, certs]))).losses).toEqual([]);
  });

  it("takes a time that there never was for none", async () => {
    const body = (await entriesOf(await small([info]))).get(manifestName)!.body.toString();
    const broken = body.replaceAll(/"2026-03-14T[^"]*"/g, '"2026-99-99T99:99:99Z"');
    const { bytes } = await asBundle(await tarGz([info, aFile(manifestName, broken)]));
    expect((await manifestIn(bytes)).files[0]?.capturedAt).toBe("1970-01-01T00:00:00.000Z");
  });
});

describe("an output that fails", () => {
  class FullDisk extends Writable {
    constructor(readonly room: number) {
      super();
    }
    written = 0;
    override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
      this.written += chunk.length;
      if (this.written > this.room)
        done(Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }));
      else done();
    }
  }
  const noise = (seed: string): string =>
    Array.from({ length: 4000 }, (_, index) =>
      createHash("sha256").update(`${seed}${index}`).digest("base64"),
    ).join("");
  const files = Array.from({ length: 6 }, (_, index) =>
    aFile(`istio-snapshot/proxies/acme/a-${index}/certs`, noise(String(index))),
  );

  const attempt = async (room: number, ours: boolean): Promise<unknown> => {
    const archive = await bundle(files, manifestOf(mesh));
    const input = await openBundle("-", { limits: defaultLimits, stdin: Readable.from([archive]) });
    const output = new FullDisk(room);
    output.on("error", () => undefined);
    const options = {
      output,
      rewriter,
      limits: defaultLimits,
      record: () => record,
      certificates: () => new Map(),
      earlierCertificates,
    };
    return ours
      ? copyAsBundle(input, { manifest: await manifestIn(archive), entry: manifestName }, options)
      : copyAsTar(input, options);
  };

  it.each([
    { room: 0, ours: true },
    { room: 0, ours: false },
    { room: 300_000, ours: true },
    { room: 300_000, ours: false },
  ])("ends the copy with its error, after $room bytes (a bundle: $ours)", async ({ room, ours }) => {
    await expect(attempt(room, ours)).rejects.toThrow("ENOSPC");
  });

  it("that has room takes all", async () => {
    await expect(attempt(10_000_000, true)).resolves.toMatchObject({ files: 6 });
    await expect(attempt(10_000_000, false)).resolves.toMatchObject({ files: 6 });
  });
});
