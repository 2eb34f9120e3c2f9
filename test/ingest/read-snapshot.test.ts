import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { defaultLimits } from "../../src/bundle/limits.js";
import { readSnapshot, type EntryKind } from "../../src/ingest/read-snapshot.js";
import { sectionKinds, type Proxy, type Snapshot } from "../../src/snapshot/model.js";
import { columnStatus, syncStatus, type ProxyStatus } from "../../src/status/sync-status.js";
import {
  aCluster,
  aFolder,
  aResource,
  aSection,
  plain,
  reasonOf,
  referencesOf,
  snapshotIn,
  valueOf,
} from "../support/builders.js";
import { capturePlan } from "../support/mesh/capture.js";
import { applyFaults, faultNames, type FaultName, type FaultNote } from "../support/mesh/faults.js";
import {
  bugReportLayout,
  bugReportVersions,
  mustGatherLayout,
  ownLayout,
  type ArchiveFile,
} from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import type { Mesh } from "../support/mesh/model.js";
import { bundle, tarGz } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";

const healthy = buildMesh();
const allFaults = applyFaults(healthy, faultNames).mesh;

let folder: Awaited<ReturnType<typeof aFolder>>;
beforeAll(async () => {
  folder = await aFolder();
});
afterAll(() => folder.remove());

const ownBundle = async (mesh: Mesh): Promise<Snapshot> =>
  snapshotIn(await bundle(ownLayout(mesh), manifestOf(mesh)));
const archiveOf = async (files: Iterable<ArchiveFile>): Promise<Snapshot> => snapshotIn(await tarGz(files));

const idsOf = (snapshot: Snapshot): string[] => snapshot.proxies.map(({ id }) => id);
const proxyIn = (snapshot: Snapshot, id: string): Proxy => snapshot.proxies.find((proxy) => proxy.id === id)!;
const lostIn = (snapshot: Snapshot): string[] =>
  snapshot.problems
    .filter(({ severity }) => severity === "lost")
    .map(({ entry, message }) => `${entry} ${message}`);

/** What proxy-status says, without what depends on the layout. */
const statesOf = (snapshot: Snapshot): string[] =>
  syncStatus(snapshot).rows.map(
    (row) =>
      `${row.name} ${row.istiod} ${(["CDS", "LDS", "EDS", "RDS", "ECDS"] as const).map((type) => columnStatus(row, type).state).join(",")}`,
  );

/** Names and content of all that a proxy holds of the kinds that every layout has. */
const contentOf = ({ id, config, type }: Proxy): unknown => ({
  id,
  type,
  config: Object.fromEntries(
    sectionKinds
      .filter((kind) => kind !== "endpointAssignment")
      .map((kind) => [
        kind,
        config[kind].state === "absent"
          ? "absent"
          : referencesOf(config[kind]).map(({ name, hash, state }) => `${name} ${hash ?? "-"} ${state}`),
      ]),
  ),
});

describe("one mesh in every layout", () => {
  const expectedIds = healthy.proxies.map(({ id }) => id).sort();
  const expectedIstiods = healthy.istiods.map(({ name }) => name).sort();
  let own: Snapshot;
  beforeAll(async () => {
    own = await ownBundle(healthy);
  });

  it("as our own bundle has all proxies, Istiods and pods, and no problem", () => {
    expect(own.source).toMatchObject({
      kind: "bundle",
      program: "istio-snapshot-collect 0.1.0",
      redaction: { profile: "internal", rules: [] },
      window: { start: "2026-03-14T09:30:00.000Z", end: "2026-03-14T09:30:15.840Z" },
      asksOneIstiodOnly: false,
    });
    expect(idsOf(own)).toEqual(expectedIds);
    expect(own.istiods.map(({ id }) => id)).toEqual(expectedIstiods);
    expect(own.istiods.map(({ version }) => valueOf(version).version)).toEqual([
      expect.stringContaining("1.24.2"),
      expect.stringContaining("1.24.2"),
    ]);
    expect(valueOf(own.pods)).toHaveLength(healthy.pods.length);
    expect(valueOf(own.services)).toHaveLength(healthy.services.length);
    expect(own.istiods.flatMap(({ views }) => views.map(({ proxyId }) => proxyId)).sort()).toEqual(
      expectedIds,
    );
    expect(own.problems).toEqual([]);
  });

  const layouts = [
    { layout: "own, without a top folder", files: () => ownLayout(healthy, { root: "" }) },
    { layout: "own, below other folders", files: () => ownLayout(healthy, { root: "x/y z/istio-snapshot" }) },
    ...bugReportVersions.map((istioctl) => ({
      layout: `bug-report of istioctl ${istioctl}`,
      files: () => bugReportLayout(healthy, { istioctl }),
    })),
    {
      layout: "bug-report without a top folder",
      files: () => bugReportLayout(healthy, { istioctl: "1.24", root: "" }),
    },
    {
      layout: "bug-report in --dir",
      files: () => bugReportLayout(healthy, { istioctl: "1.12", root: "my dir/x" }),
    },
  ];
  it.each(layouts)(
    "as $layout has the same proxies with the same content, Istiods and states",
    async ({ files }) => {
      const snapshot = await archiveOf(files());
      expect(snapshot.proxies.map(contentOf)).toEqual(own.proxies.map(contentOf));
      expect(snapshot.istiods.map(({ id, namespace }) => [id, namespace])).toEqual(
        own.istiods.map(({ id, namespace }) => [id, namespace]),
      );
      expect(statesOf(snapshot)).toEqual(statesOf(own));
      expect(syncStatus(snapshot)).toMatchObject({ listsIncomplete: null, listedNotCaptured: [] });
    },
  );

  it.each(bugReportVersions)("as bug-report of istioctl %s loses nothing", async (istioctl) => {
    const snapshot = await archiveOf(bugReportLayout(healthy, { istioctl }));
    expect(snapshot.source.kind).toBe("bug-report");
    expect(snapshot.problems).toEqual([]);
    expect(snapshot.proxies.every(({ serverInfo, node }) => serverInfo.state === node.state)).toBe(true);
    expect(reasonOf(snapshot.pods)).toBe("the list of pods was not captured");
    expect(
      snapshot.istiods.every(({ views, syncBefore }) => views.length === 0 && syncBefore.state === "absent"),
    ).toBe(true);
  });

  it("as bug-report of Windows has no dumps, which its file system cannot name, and everything else", async () => {
    const snapshot = await archiveOf(bugReportLayout(healthy, { istioctl: "1.24", windows: true }));
    expect(idsOf(snapshot)).toEqual(expectedIds);
    expect(statesOf(snapshot)).toEqual(statesOf(own));
    for (const proxy of snapshot.proxies) {
      expect(reasonOf(proxy.config.cluster)).toBe("no config_dump of it was captured");
      expect(proxy.dumpEntry).toBeNull();
      expect(valueOf(proxy.node).parts?.proxyId, "known from server_info").toBe(proxy.id);
    }
    expect(snapshot.proxies.every(({ serverInfo }) => serverInfo.state === "present")).toBe(true);
  });

  it.each([2, 3] as const)(
    "as must-gather of OpenShift Service Mesh %d has the list of one Istiod",
    async (ossm) => {
      const snapshot = await archiveOf(mustGatherLayout(healthy, { ossm }));
      expect(snapshot.source).toMatchObject({ kind: "must-gather", asksOneIstiodOnly: true });
      expect(snapshot.proxies.map(contentOf)).toEqual(own.proxies.map(contentOf));
      expect(snapshot.istiods.map(({ id }) => id)).toEqual([
        ossm === 3 ? "revision/default" : "controlplane",
      ]);
      const [first] = own.istiods;
      const listed = valueOf(first!.sync).states.map(({ proxyId }) => proxyId);
      const { rows } = syncStatus(snapshot);
      for (const { name, connected } of rows)
        expect(connected, name).toBe(listed.includes(name) ? true : null);
      expect(snapshot.istiods[0]!.views.map(({ proxyId }) => proxyId)).toEqual([...listed].sort());
      expect(lostIn(snapshot)).toEqual([]);
    },
  );

  it("as must-gather reads dumps behind a remark of oc, and says so", async () => {
    const snapshot = await archiveOf(mustGatherLayout(healthy));
    const remarks = snapshot.problems.filter(({ message }) =>
      message.startsWith("text stands before the JSON"),
    );
    expect(remarks).toHaveLength(healthy.proxies.filter((_, index) => index % 3 === 1).length);
    expect(remarks.every(({ severity }) => severity === "note")).toBe(true);
  });

  it.each(["1.6.14", "1.8.6", "1.12.9", "1.13.4", "1.17.2", "1.20.1", "1.22.1", "1.30.0"])(
    "of Istio %s is in sync",
    async (istioVersion) => {
      const snapshot = await ownBundle(buildMesh({ istioVersion }));
      expect(snapshot.problems).toEqual([]);
      for (const row of syncStatus(snapshot).rows) {
        expect(row).toMatchObject({ connected: true, captured: true, version: istioVersion });
        for (const type of ["CDS", "LDS", "EDS", "RDS"]) expect(row.types.get(type)?.state).toBe("SYNCED");
      }
    },
  );

  it("is larger with more services and proxies", async () => {
    const mesh = buildMesh({ services: 20, proxies: 6, istiods: 3 });
    const snapshot = await ownBundle(mesh);
    expect(idsOf(snapshot)).toEqual(mesh.proxies.map(({ id }) => id).sort());
    expect(snapshot.istiods).toHaveLength(3);
    const references = snapshot.proxies.reduce((sum, { config }) => sum + valueOf(config.cluster).length, 0);
    const distinct = [...snapshot.resources.values()].filter(({ kind }) => kind === "cluster").length;
    expect(distinct, "what many proxies have is stored once").toBeLessThan(references / 3);
  });
});

describe("the DNS tables of proxies", () => {
  const [istiod] = healthy.istiods;
  const folder = `istio-snapshot/istio/${istiod!.namespace}/${istiod!.name}/debug/ndsz`;
  const aTable = (proxy: string, body: string): ArchiveFile => ({
    name: `${folder}/${proxy}`,
    body,
    mtime: new Date("2026-03-14T09:30:00Z"),
  });
  const table = {
    "@type": "type.googleapis.com/istio.networking.nds.v1.NameTable",
    table: { a: { ips: ["10.0.0.1"] } },
  };
  const withTables = async (files: readonly ArchiveFile[]): Promise<Snapshot> =>
    snapshotIn(await tarGz([...ownLayout(healthy), ...files]), { debug: "all" });
  const tablesIn = (snapshot: Snapshot): string[] =>
    snapshot.istiods.flatMap(({ nameTables }) => nameTables.map(({ proxyId }) => proxyId));

  it("belong to the Istiod that gave them, by proxy", async () => {
    const snapshot = await withTables([
      aTable("shop/web-1", JSON.stringify({ configs: [table] })),
      aTable("shop/cart-1", `[${JSON.stringify(table)}`),
      aTable("shop/plain-1", "{}"),
    ]);
    expect(tablesIn(snapshot)).toEqual(["cart-1.shop", "web-1.shop"]);
    const own = snapshot.istiods.find(({ id }) => id === istiod!.name)!;
    expect(own.nameTables[1]).toEqual({
      proxyId: "web-1.shop",
      hosts: new Map([["a", ["10.0.0.1"]]]),
      origin: { entry: `${folder}/shop/web-1`, pointer: "/configs/0" },
    });
  });

  it("that cannot be read cost themselves", async () => {
    const snapshot = await withTables([
      aTable("shop/web-1", "no JSON"),
      aTable("shop/cart-1", JSON.stringify({ configs: [table] })),
      aTable(
        "shop/far-1",
        "Proxy not connected to this Pilot instance. It may be connected to another instance.\n",
      ),
    ]);
    expect(tablesIn(snapshot)).toEqual(["cart-1.shop"]);
    expect(lostIn(snapshot)).toEqual(
      expect.arrayContaining([`${folder}/shop/web-1 is not JSON but the text "no JSON"`]),
    );
    expect(lostIn(snapshot).join()).not.toContain("far-1");
  });

  it("are read only where they were asked for", async () => {
    const files = [...ownLayout(healthy), aTable("shop/web-1", JSON.stringify({ configs: [table] }))];
    expect(tablesIn(await archiveOf(files))).toEqual([]);
    expect(tablesIn(await snapshotIn(await tarGz(files), { debug: new Set(["ndsz/shop/web-1"]) }))).toEqual([
      "web-1.shop",
    ]);
  });
});

describe("every fault is seen as its note says", () => {
  interface Seen {
    readonly snapshot: Snapshot;
    readonly note: FaultNote;
    readonly proxy: Proxy;
    readonly rows: readonly ProxyStatus[];
  }
  async function seen(fault: FaultName, istioVersion?: string): Promise<Seen> {
    const mesh = istioVersion === undefined ? healthy : buildMesh({ istioVersion });
    const { mesh: broken, notes } = applyFaults(mesh, [fault]);
    const snapshot = await ownBundle(broken);
    const note = notes[0]!;
    return {
      snapshot,
      note,
      proxy: proxyIn(snapshot, note.proxyId),
      rows: syncStatus(snapshot).rows.filter(({ name }) => name === note.proxyId),
    };
  }
  const states = (proxy: Proxy, kind: "cluster" | "listener", name: string): string[] =>
    referencesOf(proxy.config[kind])
      .filter((reference) => reference.name === name)
      .map(({ state }) => state);

  it.each(faultNames)("%s: the states of the proxy, and of no other", async (fault) => {
    const { snapshot, note } = await seen(fault);
    const expected = note.expect.status ?? {};
    for (const row of syncStatus(snapshot).rows) {
      for (const type of ["CDS", "LDS", "EDS", "RDS"] as const) {
        const state = columnStatus(row, type).state;
        if (row.connected !== true) expect(state).toBe("-");
        else
          expect(state, `${type} of ${row.name}`).toBe(
            (row.name === note.proxyId ? expected[type.toLowerCase() as "cds"] : undefined) ?? "SYNCED",
          );
      }
    }
  });

  it("stale-cds: stuck since 26 minutes, and the new cluster is not there", async () => {
    const { rows, note, proxy, snapshot } = await seen("stale-cds");
    const cds = rows[0]!.types.get("CDS")!;
    expect(cds).toMatchObject({ progress: "stuck", sentTime: "2026-03-14T09:04:00.000Z" });
    expect(cds.age).toBe(Date.parse("2026-03-14T09:30:15.840Z") - Date.parse("2026-03-14T09:04:00Z"));
    expect(states(proxy, "cluster", note.expect.resource!)).toEqual([]);
    for (const other of snapshot.proxies.filter(({ id }) => id !== note.proxyId))
      expect(states(other, "cluster", note.expect.resource!)).toEqual(["active"]);
    const view = snapshot.istiods
      .flatMap(({ views }) => views)
      .find(({ proxyId }) => proxyId === note.proxyId)!;
    expect(referencesOf(view.config.cluster).map(({ name }) => name)).toContain(note.expect.resource);
  });
  it("not-sent-rds-gateway: no routes, which is not wrong", async () => {
    const { proxy } = await seen("not-sent-rds-gateway");
    expect(proxy.type).toBe("router");
    expect(
      referencesOf(proxy.config.routeConfiguration).filter(({ source }) => source === "dynamic"),
    ).toEqual([]);
  });
  it("missing-from-syncz: captured, and not connected", async () => {
    const { rows } = await seen("missing-from-syncz");
    expect(rows).toMatchObject([{ connected: false, captured: true, istiod: "" }]);
  });
  it("listed-not-captured: in a list, and unknown else; the manifest says why", async () => {
    const { snapshot, note, proxy, rows } = await seen("listed-not-captured");
    expect(proxy).toBeUndefined();
    expect(rows).toMatchObject([{ connected: true, captured: false }]);
    expect(syncStatus(snapshot).listedNotCaptured).toEqual([note.proxyId]);
    expect(snapshot.gaps).toMatchObject([{ target: note.proxyId, what: "all files" }]);
  });
  it("rejected-listener: twice, by its name and without, and as text of the NACK", async () => {
    const { note, proxy, rows } = await seen("rejected-listener");
    const rejected = referencesOf(proxy.config.listener).filter(({ state }) => state === "rejected");
    expect(rejected.map(({ name, hash }) => [name, hash])).toEqual([
      [note.expect.resource, null],
      ["", null],
    ]);
    expect(rejected[0]!.rejection?.details).toBe(note.expect.details);
    expect(rows[0]!.types.get("LDS")?.error).toContain(note.expect.details);
  });
  it("rejected-listener: STALE before 1.23, which told no errors", async () => {
    const { rows } = await seen("rejected-listener", "1.20.1");
    expect(rows[0]!.types.get("LDS")).toMatchObject({
      state: "STALE",
      error: null,
      age: null,
      progress: "stuck",
    });
  });
  it.each([
    { fault: "warming-listener", kind: "listener", state: "warming" },
    { fault: "draining-listener", kind: "listener", state: "draining" },
    { fault: "warming-cluster", kind: "cluster", state: "warming" },
  ] as const)("$fault: a $kind that is only $state", async ({ fault, kind, state }) => {
    const { note, proxy } = await seen(fault);
    expect(states(proxy, kind, note.expect.resource!)).toEqual([state]);
  });
  it("version-skew: in node, list and server_info", async () => {
    const { note, proxy, rows } = await seen("version-skew");
    expect(rows[0]!.version).toBe(note.expect.details);
    expect(valueOf(proxy.node).metadata["ISTIO_VERSION"]).toBe(note.expect.details);
    expect(valueOf(proxy.serverInfo).parts?.version).toBe(valueOf(proxy.node).envoyVersion);
  });
  it("missing-server-info: absent, with a reason, and nothing else is lost", async () => {
    const { proxy, snapshot } = await seen("missing-server-info");
    expect(reasonOf(proxy.serverInfo)).toBe("no server_info of it was captured");
    expect(proxy.config.cluster.state).toBe("present");
    expect(lostIn(snapshot)).toEqual([]);
  });
  it("not-live: the state, and all dynamic listeners warming", async () => {
    const { proxy, note } = await seen("not-live");
    expect(valueOf(proxy.serverInfo).state).toBe(note.expect.details);
    const dynamic = referencesOf(proxy.config.listener).filter(({ source }) => source === "dynamic");
    expect(new Set(dynamic.map(({ state }) => state))).toEqual(new Set(["warming"]));
  });
  it("in-two-lists: two rows, one of each Istiod", async () => {
    const { rows, snapshot, note } = await seen("in-two-lists");
    expect(rows.map(({ istiod }) => istiod)).toEqual(healthy.istiods.map(({ name }) => name).sort());
    expect([...syncStatus(snapshot).listedTwice.keys()]).toEqual([note.proxyId]);
  });
  it.each([
    { fault: "in-flight", progress: "in flight" },
    { fault: "stuck", progress: "stuck" },
  ] as const)("$fault: $progress", async ({ fault, progress }) => {
    const { rows } = await seen(fault);
    expect(rows[0]!.types.get("EDS")?.progress).toBe(progress);
  });
  it("dump-truncated: what stood before the cut is there, and it is said", async () => {
    const { snapshot, proxy } = await seen("dump-truncated");
    expect(lostIn(snapshot)).toEqual([expect.stringContaining("the JSON is cut off after") as string]);
    expect(referencesOf(proxy.config.cluster).length).toBeGreaterThan(0);
    expect(reasonOf(proxy.config.secret)).toBe("the dump is cut off or damaged before this section");
    expect(proxy.dumpEntry).not.toBeNull();
  });
  it("dump-error-text: absent, with what it says", async () => {
    const { snapshot, proxy, note } = await seen("dump-error-text");
    expect(reasonOf(proxy.config.cluster)).toContain("is not JSON but the text");
    expect(reasonOf(proxy.config.cluster)).toContain(note.expect.details!.slice(0, 60));
    expect(lostIn(snapshot)).toHaveLength(1);
    expect(valueOf(proxy.node).origin.entry, "the node is known from server_info").toMatch(/server_info$/);
  });
  it("no-eds: no endpoints, because nobody asked for them", async () => {
    const { proxy, snapshot } = await seen("no-eds");
    expect(reasonOf(proxy.config.endpointAssignment)).toContain("captured without include_eds");
    expect(lostIn(snapshot)).toEqual([]);
  });

  it("all at once, each stays visible", async () => {
    const { mesh, notes } = applyFaults(healthy, faultNames);
    const snapshot = await ownBundle(mesh);
    const status = syncStatus(snapshot);
    for (const { fault, proxyId, expect: expected } of notes) {
      const rows = status.rows.filter(({ name }) => name === proxyId);
      for (const [type, state] of Object.entries(expected.status ?? {}))
        expect(
          rows.map(({ types }) => types.get(type.toUpperCase())?.state),
          `${fault} of ${proxyId}`,
        ).toContain(state);
    }
    expect(status.rows.filter(({ connected }) => connected === false)).toHaveLength(1);
    expect(status.listedNotCaptured).toHaveLength(1);
    expect(lostIn(snapshot), "the cut dump and the error text are one proxy's").toHaveLength(1);
  });
});

describe("the capture time", () => {
  const files = (): ArchiveFile[] => [...bugReportLayout(healthy, { istioctl: "1.24" })];
  const untimed = (): ArchiveFile[] => files().map((file) => ({ ...file, mtime: new Date(0) }));
  const after = new Date(Math.floor(capturePlan(healthy).after / 1000) * 1000).toISOString();
  const dump = (...times: (string | undefined)[]): object => ({
    configs: [
      aSection("Clusters", {
        dynamic_active_clusters: times.map((last_updated) => ({ cluster: aCluster("a"), last_updated })),
      }),
    ],
  });

  it("is the user's word, before all others", async () => {
    const at = "2030-01-01T00:00:00Z";
    const snapshot = await snapshotIn(await bundle(ownLayout(healthy), manifestOf(healthy)), { at });
    expect(snapshot.captureTime).toEqual({ value: at, source: "--at" });
    expect((await snapshotIn(dump("2026-01-01T00:00:00Z"), { at })).captureTime?.source).toBe("--at");
  });
  it("is the end of the manifest, before the entries' times", async () => {
    expect((await ownBundle(healthy)).captureTime).toEqual({
      value: manifestOf(healthy).end,
      source: "manifest",
    });
  });
  it("is the newest entry's time, before the times inside", async () => {
    expect((await archiveOf(files())).captureTime).toEqual({ value: after, source: "tar entry" });
  });
  it("is the newest last_updated, where entries have no time", async () => {
    const { captureTime } = await archiveOf(untimed());
    expect(captureTime?.source).toBe("newest last_updated");
    expect(Date.parse(captureTime!.value)).toBeLessThan(healthy.capturedAt);
    expect((await snapshotIn(dump("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"))).captureTime).toEqual({
      value: "2026-01-02T00:00:00Z",
      source: "newest last_updated",
    });
  });
  it("is unknown where nothing tells, and never the present", async () => {
    expect((await snapshotIn(dump(undefined))).captureTime).toBeNull();
    expect((await snapshotIn([{ proxy: "a.b" }])).captureTime).toBeNull();
  });
  it("of each file is the manifest's, else the entry's, else unknown", async () => {
    const { id } = healthy.proxies[1]!;
    expect(new Date(capturePlan(healthy).proxy(1)).toISOString()).toBe("2026-03-14T09:30:02.120Z");
    expect(proxyIn(await ownBundle(healthy), id).capturedAt).toBe("2026-03-14T09:30:02.120Z");
    expect(proxyIn(await archiveOf(files()), id).capturedAt).toBe("2026-03-14T09:30:02.000Z");
    expect(proxyIn(await archiveOf(untimed()), id).capturedAt).toBeNull();
  });
});

describe("a folder", () => {
  async function unpacked(
    name: string,
    files: Iterable<{ name: string; body: Buffer | string }>,
  ): Promise<string> {
    const root = join(folder.path, name);
    for (const { name: file, body } of files) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), body);
    }
    return root;
  }

  it("with an unpacked bundle gives the same snapshot as the bundle", async () => {
    const packed = await bundle(ownLayout(allFaults), manifestOf(allFaults));
    const path = await folder.write("bundle.tar.gz", packed);
    const contents = new Map<string, Uint8Array>();
    const fromArchive = await readSnapshot(path, {
      onContent: (entry, bytes) => contents.set(entry.name, bytes),
    });
    const manifest = Buffer.from(contents.get("istio-snapshot/manifest.json")!);
    const root = await unpacked("bundle", [
      ...ownLayout(allFaults),
      { name: "istio-snapshot/manifest.json", body: manifest },
    ]);
    expect(plain(await readSnapshot(root))).toEqual(plain(fromArchive));
    expect(plain(await readSnapshot(path, { seek: false })), "nor does its index change it").toEqual(
      plain(fromArchive),
    );
  });

  it.each([
    { name: "bug-report", files: () => bugReportLayout(allFaults, { istioctl: "1.24" }) },
    { name: "must-gather", files: () => mustGatherLayout(allFaults) },
  ])(
    "with an unpacked $name gives the same snapshot as the archive, but for times",
    async ({ name, files }) => {
      const untimed = [...files()].map((file) => ({ ...file, mtime: new Date(0) }));
      expect(plain(await readSnapshot(await unpacked(name, untimed)))).toEqual(
        plain(await archiveOf(untimed)),
      );
    },
  );

  it("without a known file in it is no snapshot", async () => {
    const root = await unpacked("other", [{ name: "README.md", body: "hello" }]);
    await expect(readSnapshot(root)).rejects.toThrow("no Istio snapshot in it: none of its 1 files");
    await expect(readSnapshot(await unpacked("empty", [{ name: "sub/x", body: "" }]))).rejects.toThrow(
      "no Istio snapshot",
    );
  });

  it("that is not there is said to be so", async () => {
    await expect(readSnapshot(join(folder.path, "nowhere"))).rejects.toThrow(
      "there is no such file or folder",
    );
  });
});

describe("the order of entries", () => {
  const [first] = healthy.proxies;
  const small = [...ownLayout(applyFaults(healthy, [{ fault: "stale-cds", proxy: first!.id }]).mesh)].filter(
    ({ name }) => !name.includes("proxies/") || name.includes(first!.pod.name) || name.includes("ratings"),
  );
  const manifest: ArchiveFile = {
    name: "istio-snapshot/manifest.json",
    body: JSON.stringify({ ...manifestOf(healthy), files: [] }),
    mtime: new Date(0),
  };

  it("does not matter", async () => {
    const files = [...small, manifest];
    const inOrder = plain(await archiveOf(files));
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(files, { minLength: files.length }), async (shuffled) => {
        expect(plain(await archiveOf(shuffled))).toEqual(inOrder);
      }),
      { numRuns: 10 },
    );
  });
});

describe("what is not wanted", () => {
  const synczOnly: ReadonlySet<EntryKind> = new Set(["syncz"]);

  it("is not read, and says so", async () => {
    const packed = await bundle(ownLayout(healthy), manifestOf(healthy));
    const path = await folder.write("wanted.tar.gz", packed);
    const read: string[] = [];
    const snapshot = await readSnapshot(path, {
      want: synczOnly,
      onContent: ({ role }) => read.push(role.kind),
    });
    expect(new Set(read)).toEqual(new Set(["manifest", "syncz"]));
    expect(idsOf(snapshot), "who was captured is known by the names").toEqual(
      healthy.proxies.map(({ id }) => id).sort(),
    );
    expect(reasonOf(snapshot.proxies[0]!.config.cluster)).toBe("not read for this command");
    expect(snapshot.proxies[0]!.dumpEntry).toMatch(/config_dump/);
  });

  it("may still give the node of each proxy", async () => {
    const packed = await bundle(ownLayout(healthy), manifestOf(healthy));
    const snapshot = await snapshotIn(packed, { want: synczOnly, nodes: true });
    for (const { id, node, type } of snapshot.proxies) {
      expect(valueOf(node).parts?.proxyId).toBe(id);
      expect(type).toBe(healthy.proxies.find((proxy) => proxy.id === id)!.type);
    }
  });
});

describe("one bad entry costs that entry", () => {
  const istiods = healthy.istiods.map(({ name }) => name).sort();
  const withFile = (part: string, body: string): Iterable<ArchiveFile> =>
    [...ownLayout(healthy)].map((file) => (file.name.includes(part) ? { ...file, body } : file));

  it.each([
    { part: `${istiods[0]!}/debug/syncz`, body: "404 page not found", absent: "is not JSON but the text" },
    { part: `${istiods[0]!}/debug/syncz`, body: "{}", absent: "is no list of proxies" },
  ])("the list of an Istiod: $body", async ({ part, body, absent }) => {
    const snapshot = await archiveOf(withFile(part, body));
    expect(reasonOf(snapshot.istiods[0]!.sync)).toContain(absent);
    expect(snapshot.istiods[1]!.sync.state).toBe("present");
    const status = syncStatus(snapshot);
    expect(status.listsIncomplete).toBe(`the list of ${istiods[0]!} is missing`);
    expect(status.rows.some(({ connected }) => connected === false)).toBe(false);
  });

  it.each([
    { part: "cluster/pods.json", body: "{}", of: (snapshot: Snapshot) => snapshot.pods },
    { part: "cluster/services.json", body: "", of: (snapshot: Snapshot) => snapshot.services },
    { part: "/version", body: "<html>", of: (snapshot: Snapshot) => snapshot.istiods[0]!.version },
    {
      part: "server_info",
      body: '{"version":1}',
      of: (snapshot: Snapshot) => snapshot.proxies[0]!.serverInfo,
    },
  ])("$part", async ({ part, body, of }) => {
    const snapshot = await archiveOf(withFile(part, body));
    expect(of(snapshot).state).toBe("absent");
    expect(lostIn(snapshot).some((message) => message.includes(part))).toBe(true);
    expect(idsOf(snapshot)).toHaveLength(healthy.proxies.length);
  });

  it("a view that another Istiod has: an answer, not a loss", async () => {
    const text = "Proxy not connected to this Pilot instance. It may be connected to another instance.\n";
    const snapshot = await archiveOf(withFile("debug/config_dump/default", text));
    expect(
      snapshot.problems.every(({ severity, message }) => severity === "note" || message.includes("manifest")),
    ).toBe(true);
    expect(
      snapshot.istiods.flatMap(({ views }) => views).every(({ proxyId }) => proxyId.endsWith("istio-system")),
    ).toBe(true);
  });

  it("a bundle that was cut off: what stood before, and the manifest is missed", async () => {
    const whole = await bundle(ownLayout(healthy), manifestOf(healthy));
    const snapshot = await snapshotIn(whole.subarray(0, whole.length / 2));
    expect(idsOf(snapshot).length).toBeGreaterThan(0);
    expect(lostIn(snapshot).some((message) => message.includes("the bundle has no manifest.json"))).toBe(
      true,
    );
  });

  it("a version as JSON is a version, too", async () => {
    const snapshot = await archiveOf(withFile("/version", '{"version":"1.24.2","revision":"x"}'));
    expect(valueOf(snapshot.istiods[0]!.version).version).toBe("1.24.2");
  });

  it("a dump under the name of another proxy is remarked", async () => {
    const [a, b] = healthy.proxies;
    const dump = [...ownLayout(healthy)].find(({ name }) => name.includes(`${b!.pod.name}/config_dump?`))!;
    const snapshot = await archiveOf(withFile(`${a!.pod.name}/config_dump?`, dump.body.toString()));
    expect(snapshot.problems.map(({ message }) => message)).toContain(
      `the node calls itself "${b!.id}", but the dump stands under ${a!.id}`,
    );
  });

  it("a second dump of a proxy is remarked, and the first one counts", async () => {
    const files = [...ownLayout(healthy)];
    const dump = files.find(({ name }) => name.includes("config_dump?"))!;
    const snapshot = await archiveOf([
      ...files,
      { ...dump, name: dump.name.replace("?include_eds", ""), body: '{"configs":[]}' },
    ]);
    expect(snapshot.problems.filter(({ message }) => message.includes("second dump"))).toHaveLength(1);
    expect(snapshot.proxies.every(({ config }) => config.cluster.state === "present")).toBe(true);
  });

  it("a JSON that is nested too deep costs itself", async () => {
    const deep = `[{"proxy":"a.b","resources":${'{"a":'.repeat(40)}{}${"}".repeat(40)}}]`;
    const packed = await tarGz(withFile(`${istiods[0]!}/debug/syncz`, deep));
    const snapshot = await snapshotIn(packed, { limits: { ...defaultLimits, jsonDepth: 30 } });
    expect(reasonOf(snapshot.istiods[0]!.sync)).toBe("is nested deeper than 30");
  });
});

describe("ambient meshes", () => {
  const dump = JSON.stringify({
    workloads: [{ uid: "u", name: "a", namespace: "b" }],
    services: [],
    policies: [],
  });
  const file = (name: string): ArchiveFile => ({ name, body: dump, mtime: new Date(0) });

  it.each([
    { where: "a bundle", name: "istio-snapshot/ztunnel/istio-system/ztunnel-x/config_dump" },
    {
      where: "a bug-report, beside the Envoys",
      name: "bug-report/proxies/istio-system/ztunnel-x/config_dump",
    },
  ])("have ztunnels in $where", async ({ name }) => {
    const snapshot = await archiveOf([file(name)]);
    expect(snapshot.ztunnels).toMatchObject([
      { id: "ztunnel-x.istio-system", pod: "ztunnel-x", namespace: "istio-system" },
    ]);
    expect(valueOf(snapshot.ztunnels[0]!.dump).workloads).toHaveLength(1);
    expect(idsOf(snapshot)).toEqual([]);
  });
  it("have ztunnels known by the head of their dumps", async () => {
    const snapshot = await snapshotIn(
      await tarGz([file("bug-report/proxies/istio-system/ztunnel-x/config_dump")]),
      {
        want: new Set<EntryKind>(["syncz"]),
        nodes: true,
      },
    );
    expect(snapshot.ztunnels.map(({ id }) => id)).toEqual(["ztunnel-x.istio-system"]);
    expect(idsOf(snapshot)).toEqual([]);
  });
});

describe("a bare file is told by its content", () => {
  const node = { id: "sidecar~10.0.0.1~a.default~default.svc.cluster.local" };
  const bootstrap = aSection("Bootstrap", { bootstrap: { node } });
  const client = { node: { id: "a.default" }, genericXdsConfigs: [] };
  const xds = (id: string): object => ({
    resources: [client],
    controlPlane: { identifier: JSON.stringify({ ID: id }) },
  });

  it.each([
    { what: "a config dump", json: { configs: [bootstrap] }, kind: "config_dump" },
    { what: "a ztunnel's", json: { workloads: [] }, kind: "ztunnel config_dump" },
    { what: "clusters", json: { cluster_statuses: [] }, kind: "clusters" },
    { what: "a list of /debug/syncz", json: [{ proxy: "a.default" }], kind: "syncz" },
    { what: "an empty list", json: [], kind: "syncz" },
    { what: "an XDS answer", json: xds("istiod-1"), kind: "xds sync answer" },
    { what: "answers by Istiod", json: { "istiod-1": [{ proxy: "a.default" }] }, kind: "istiod answers" },
    { what: "a route configuration", json: { virtual_hosts: [] }, kind: "route configuration" },
    { what: "a route configuration of Istiod", json: { virtualHosts: [] }, kind: "route configuration" },
  ])("$what is $kind", async ({ json, kind }) => {
    expect((await snapshotIn(json)).source.kind).toBe(kind);
  });

  it.each([
    { form: "compressed", pack: (text: string): Buffer => gzipSync(text) },
    { form: "in UTF-16", pack: (text: string): Buffer => Buffer.from(`\ufeff${text}`, "utf16le") },
    { form: "behind a remark", pack: (text: string): Buffer => Buffer.from(`a remark\n${text}`) },
    { form: "with a byte order mark", pack: (text: string): Buffer => Buffer.from(`\ufeff${text}`) },
  ])("$form too", async ({ pack }) => {
    expect(idsOf(await snapshotIn(pack(JSON.stringify({ configs: [bootstrap] }))))).toEqual(["a.default"]);
    expect(syncStatus(await snapshotIn(pack('[{"proxy":"a.default"}]'))).rows).toHaveLength(1);
  });

  it("a dump is named by its node, or by --as", async () => {
    expect(idsOf(await snapshotIn({ configs: [bootstrap] }))).toEqual(["a.default"]);
    expect(idsOf(await snapshotIn({ configs: [bootstrap] }, { as: "b.other" }))).toEqual(["b.other"]);
  });
  it("a slice names no proxy: --as does, or it is called unnamed, and that is remarked", async () => {
    const slice = { configs: [aResource("cluster", "c")] };
    const named = await snapshotIn(slice, { as: "b.other" });
    expect(named.proxies).toMatchObject([{ id: "b.other", pod: "b", namespace: "other", type: "unknown" }]);
    expect(referencesOf(named.proxies[0]!.config.cluster)).toMatchObject([{ name: "c", state: "unknown" }]);
    const unnamed = await snapshotIn(slice);
    expect(idsOf(unnamed)).toEqual(["unnamed"]);
    expect(unnamed.problems.map(({ message }) => message)).toEqual([
      'does not name its proxy (--as pod.namespace does); it is called "unnamed"',
    ]);
  });

  it("several XDS answers may follow each other, as istioctl prints them", async () => {
    const text = `${JSON.stringify(xds("istiod-2"))}\n${JSON.stringify(xds("istiod-1"), null, 4)}\n`;
    expect((await snapshotIn(text)).istiods.map(({ id }) => id)).toEqual(["istiod-1", "istiod-2"]);
  });
  it("of two answers of one Istiod the last one counts, as for istioctl", async () => {
    const second = { ...xds("istiod-1"), resources: [] };
    const snapshot = await snapshotIn(JSON.stringify(xds("istiod-1")) + JSON.stringify(second));
    expect(snapshot.istiods.map(({ sync }) => valueOf(sync).states.length)).toEqual([0]);
  });
  it("an answer that is none costs itself", async () => {
    const snapshot = await snapshotIn({ "istiod-1": [{ proxy: "a.default" }], "istiod-2": "timeout" });
    expect(snapshot.istiods.map(({ id }) => id)).toEqual(["istiod-1"]);
    expect(lostIn(snapshot)).toHaveLength(1);
  });

  it.each([
    {
      text: "404 page not found",
      says: 'it is neither an archive nor JSON but the text "404 page not found"',
    },
    { text: '{"kind":"Pod","a":{}}', says: 'its top keys are "kind", "a"' },
    { text: "{}", says: "its top keys are none" },
    { text: '[{"name":"a"}]', says: 'its elements name no "proxy"' },
    { text: "", says: "standard input is empty" },
    { text: '{"configs":7}', says: "/configs must be array" },
  ])("that is nothing of ours is refused: $text", async ({ text, says }) => {
    await expect(snapshotIn(text)).rejects.toThrow(says);
  });
});
