/** A proxy that only one of two snapshots has: it came or went, or the other did not capture it. */
import { describe, expect, it } from "vitest";

import { compareSnapshots } from "../../src/diff/compare-snapshots.js";
import { present, type Gap, type Pod, type Snapshot } from "../../src/snapshot/model.js";
import { aCluster } from "../support/builders.js";
import { meshOf } from "../support/drift-snapshot.js";

const meshWith = (ids: readonly string[], more: Partial<Snapshot> = {}): Snapshot =>
  meshOf(
    { proxies: Object.fromEntries(ids.map((id) => [id, { holds: { clusters: [aCluster("a")] } }])) },
    more,
  );
const gap: Gap = { target: "b.n", what: "all files", reason: "the answer timed out" };
const pod = (hasProxy: boolean): Pod => ({
  name: "b",
  namespace: "n",
  labels: {},
  owner: "",
  ips: [],
  hasProxy,
  hostNetwork: false,
  origin: { entry: "pods", pointer: "" },
});
const both = meshWith(["a.n", "b.n"]);

describe("a proxy of one snapshot only", () => {
  it("vanished or appeared where nothing says that it was there", () => {
    expect(compareSnapshots(both, meshWith(["a.n"]))).toMatchObject({ vanished: ["b.n"], notCompared: [] });
    expect(compareSnapshots(meshWith(["a.n"]), both)).toMatchObject({ appeared: ["b.n"], notCompared: [] });
  });

  it.each<{ says: string; less: Snapshot; reason: string }>([
    {
      says: "the collector failed to capture it",
      less: meshWith(["a.n"], { gaps: [gap] }),
      reason: "the answer timed out",
    },
    {
      says: "its pod was there",
      less: meshWith(["a.n"], { pods: present([pod(true)]) }),
      reason: "its pod is there, but no dump of it",
    },
  ])("is not compared where $says", ({ less, reason }) => {
    const later = compareSnapshots(both, less);
    expect(later.vanished).toEqual([]);
    expect(later.notCompared).toContainEqual({ proxyId: "b.n", kind: "cluster", reason: `after: ${reason}` });
    const earlier = compareSnapshots(less, both);
    expect(earlier.appeared).toEqual([]);
    expect(earlier.notCompared).toContainEqual({
      proxyId: "b.n",
      kind: "cluster",
      reason: `before: ${reason}`,
    });
  });

  it("vanished with its sidecar, too", () => {
    const less = meshWith(["a.n"], { pods: present([pod(false)]) });
    expect(compareSnapshots(both, less).vanished).toEqual(["b.n"]);
  });
});
