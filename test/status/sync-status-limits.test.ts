/** What a list that is torn, or of which two rows look alike, may and may not be taken for. */
import { describe, expect, it } from "vitest";

import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { syncStatus } from "../../src/status/sync-status.js";
import { ownLayout } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { bundle } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";
import { anIstiod, aProxy, aRow, aSnapshot, nonces, snapshotIn } from "../support/builders.js";

describe("a proxy in no list", () => {
  const captured = aProxy("a.default");

  it("is not connected where every list is whole", () => {
    const { rows } = syncStatus(aSnapshot({ istiods: [anIstiod("istiod-1")], proxies: [captured] }));
    expect(rows[0]).toMatchObject({ name: "a.default", connected: false });
  });

  it("is not known to be connected where a row was lost", () => {
    const torn = anIstiod("istiod-1", { list: { lostRows: 1 } });
    const status = syncStatus(aSnapshot({ istiods: [torn], proxies: [captured] }));
    expect(status.rows[0]).toMatchObject({ connected: null });
    expect(status.listsIncomplete).toBe("rows of the list of istiod-1 could not be read");
  });

  it("is not known to be connected where an Istiod could not be asked at all", async () => {
    const mesh = buildMesh({ seed: 5 });
    const [gone] = mesh.istiods;
    const files = [...ownLayout(mesh)].filter(({ name }) => !name.includes(gone?.pod.name ?? "?"));
    const bytes = await bundle(files, manifestOf(mesh));
    const { rows } = syncStatus(await snapshotIn(bytes));
    const unlisted = rows.filter(({ istiod }) => istiod === "");
    expect(unlisted.length).toBeGreaterThan(0);
    expect(unlisted.map(({ connected }) => connected)).toEqual(unlisted.map(() => null));
  });
});

it("two connections of one proxy are each compared with both of before", () => {
  const rows = [aRow("a.default", { EDS: nonces("2", "1") }), aRow("a.default", { EDS: nonces("9", "8") })];
  const both = anIstiod("istiod-1", { rows, before: rows });
  const progress = (status: ReturnType<typeof syncStatus>): unknown[] =>
    status.rows.map(({ types }) => types.get("EDS")?.progress);
  expect(progress(syncStatus(aSnapshot({ istiods: [both] })))).toEqual(["stuck", "stuck"]);
  const moved = anIstiod("istiod-1", { rows, before: [aRow("a.default", { EDS: nonces("1") })] });
  expect(progress(syncStatus(aSnapshot({ istiods: [moved] })))).toEqual(["in flight", "in flight"]);
});

it("two types with one short name are both shown", () => {
  const row = aRow("ztunnel.istio-system", {
    "istio.workload.Address": nonces("2", "1"),
    "istio.workload.Workload": nonces("3"),
  });
  const [status] = syncStatus(aSnapshot({ istiods: [anIstiod("istiod-1", { rows: [row] })] })).rows;
  expect(status?.types.get("WDS")?.state).toBe("STALE");
  expect(status?.types.get("istio.workload.Workload")?.state).toBe("SYNCED");
});

it("--at comes before the time at which the list was asked for", async () => {
  const path = new URL("../../samples/bookinfo-bug-report.tar.gz", import.meta.url).pathname;
  const age = async (at: string | null): Promise<number | null | undefined> => {
    const { rows } = syncStatus(await readSnapshot(path, { at }));
    return rows.find(({ name }) => name.startsWith("productpage"))?.types.get("CDS")?.age;
  };
  const [own, hourLater] = [await age(null), await age("2026-03-14T10:30:15Z")];
  expect((hourLater ?? 0) - (own ?? 0)).toBe(3_600_000);
});

describe("answers of several Istiods, one after the other", () => {
  const answer = (id: string, resources?: unknown[]): string =>
    JSON.stringify({
      typeUrl: "type.googleapis.com/envoy.service.status.v3.ClientConfig",
      controlPlane: { identifier: JSON.stringify({ ID: id }) },
      ...(resources === undefined ? {} : { resources }),
    });
  const client = { node: { id: "a.default" }, genericXdsConfigs: [] };

  it("one without proxies is an empty list", async () => {
    const { istiods } = await snapshotIn(`${answer("istiod-1", [client])}\n${answer("istiod-2")}`);
    expect(istiods.map(({ id }) => id)).toEqual(["istiod-1", "istiod-2"]);
    expect((await snapshotIn(answer("istiod-2"))).istiods).toHaveLength(1);
  });

  it("a bad one costs itself", async () => {
    const { istiods, problems } = await snapshotIn(`${answer("istiod-1", [client])}\n{"x":1}`);
    expect(istiods.map(({ id }) => id)).toEqual(["istiod-1"]);
    expect(problems).toMatchObject([{ severity: "lost", message: expect.stringContaining("answer 2") }]);
  });

  it("foreign JSON is none", async () => {
    await expect(snapshotIn('{"pods":[],"a":1}')).rejects.toThrow("no kind that is known");
    expect((await snapshotIn('{"istiod-1":[]}')).istiods).toHaveLength(1);
  });
});
