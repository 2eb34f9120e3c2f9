import { beforeAll, describe, expect, it } from "vitest";

import { compareIstiods } from "../../src/diff/istiods.js";
import { driftOf } from "../../src/diff/drift.js";
import { comparer } from "../../src/diff/sections.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import {
  analyses,
  comparisonFindings,
  findingsOf,
  type Analysis,
  type Finding,
} from "../support/drift-findings.js";
import { driftFaults, faultyMeshOptions, type Seeded } from "../support/mesh/drift-faults.js";
import { buildMesh } from "../support/mesh/mesh.js";
import type { Mesh } from "../support/mesh/model.js";
import {
  bugReportFiles,
  bundleFiles,
  snapshotsLike,
  snapshotOf,
  type Layout,
} from "../support/snapshot-of.js";

const healthy = buildMesh(faultyMeshOptions);
const compare = comparer();

interface Capture {
  readonly layout: string;
  readonly files: Layout;
  /** Analyses that have no data in it. */
  readonly unseen: (seeded: Seeded) => readonly Analysis[];
}

const captures: readonly Capture[] = [
  { layout: "own layout", files: bundleFiles, unseen: () => [] },
  {
    layout: "bug-report",
    files: bugReportFiles("1.24"),
    unseen: ({ unseenInBugReport = ["Istiod against Envoy"] }) => unseenInBugReport,
  },
];

const textOf = ({ by, about, what, on }: Finding): string => `${by}: ${about} ${what} on ${on.join(", ")}`;
/** How a capture lacks the data of an analysis; in words, the commands say it (`test/cli/proxy-status-drift.test.ts`). */
const lacksData: Readonly<Partial<Record<Analysis, (snapshot: Snapshot) => void>>> = {
  "Istiod against Envoy": (snapshot) => {
    expect(driftOf(snapshot)).toEqual([]);
    expect(snapshot.istiods.flatMap(({ views }) => views)).toEqual([]);
  },
  Istiods: (snapshot) => {
    const { notCompared } = compareIstiods(snapshot);
    expect(notCompared).toEqual(
      snapshot.istiods.map(({ id }) => ({
        istiod: id,
        what: "version",
        reason: "no /version of it was captured",
      })),
    );
  },
};

describe.each(captures)("faults seeded into a mesh of 100 proxies, $layout", ({ files, unseen }) => {
  let read: (mesh: Mesh) => Snapshot;
  beforeAll(() => {
    read = snapshotsLike(healthy, files);
  });

  it("has 100 proxies and nothing to be found before", () => {
    expect(read(healthy).proxies).toHaveLength(100);
    expect(read(healthy).problems).toEqual([]);
    expect(findingsOf(read(healthy), compare)).toEqual([]);
  });

  // neither missed, nor a false alarm
  it.each(driftFaults)("$name: $says", ({ seed }) => {
    const seeded = seed(healthy);
    const snapshot = read(seeded.mesh);
    const hidden = unseen(seeded);
    const expected = seeded.findings.filter(({ by }) => !hidden.includes(by));
    const found = [
      ...findingsOf(snapshot, compare),
      ...(seeded.before === undefined ? [] : comparisonFindings(read(healthy), snapshot)),
    ];
    expect(found.map(textOf).sort()).toEqual(expected.map(textOf).sort());
    for (const by of hidden) lacksData[by]?.(snapshot);
  });
});

describe.each(captures)("what is not read again is what stands in the files, $layout", ({ files }) => {
  const small = buildMesh({ ...faultyMeshOptions, services: 8, proxies: 18 });
  let read: (mesh: Mesh) => Snapshot;
  beforeAll(() => {
    read = snapshotsLike(small, files);
  });

  it.each(["istiod-lacks-pod", "in-flight-sent", "listed-twice"])("%s", (name) => {
    const { mesh } = driftFaults.find((fault) => fault.name === name)!.seed(small);
    expect(contentOf(read(mesh))).toEqual(contentOf(snapshotOf(files(mesh))));
    expect(contentOf(read(mesh))).not.toEqual(contentOf(read(small)));
  });

  /** All of it, every reference of every list. */
  const contentOf = (snapshot: Snapshot): unknown =>
    JSON.parse(
      JSON.stringify({ ...snapshot, resources: null }, (_key, value: unknown) =>
        typeof value === "object" && value !== null && Symbol.iterator in value
          ? [...(value as Iterable<unknown>)]
          : value,
      ),
    );
});

describe("all of them", () => {
  it("are 30 or more, of every class, and all but one are to be found", () => {
    expect(driftFaults.length).toBeGreaterThanOrEqual(30);
    expect(new Set(driftFaults.map(({ name }) => name)).size).toBe(driftFaults.length);
    for (const analysis of analyses) expect(driftFaults.map(({ about }) => about)).toContain(analysis);
    const silent = driftFaults.filter(({ seed }) => seed(healthy).findings.length === 0);
    expect(silent.map(({ name }) => name)).toEqual(["pods-replaced"]);
  });
});
