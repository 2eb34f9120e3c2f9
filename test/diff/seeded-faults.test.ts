import { afterAll, describe, expect, it } from "vitest";

import { compareIstiods } from "../../src/diff/istiods.js";
import { driftOf } from "../../src/diff/drift.js";
import { textTable } from "../../src/shared/text-table.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { aStore } from "../support/builders.js";
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
import { bugReportOf, bundleOf } from "../support/snapshot-of.js";

const healthy = buildMesh(faultyMeshOptions);
const store = aStore();

const layouts = [
  {
    layout: "own layout",
    read: (mesh: Mesh): Snapshot => bundleOf(mesh, store),
    unseen: (): readonly Analysis[] => [],
  },
  {
    layout: "bug-report",
    read: (mesh: Mesh): Snapshot => bugReportOf(mesh, "1.24", store),
    unseen: ({ unseenInBugReport = ["Istiod against Envoy"] }: Seeded): readonly Analysis[] =>
      unseenInBugReport,
  },
] as const;

/** How one fault fared in one layout. */
interface Score {
  readonly expected: readonly Finding[];
  readonly missed: readonly Finding[];
  readonly falseAlarms: readonly Finding[];
}

const textOf = ({ by, about, what, on }: Finding): string => `${by}: ${about} ${what} on ${on.join(", ")}`;
const without = (findings: readonly Finding[], others: readonly Finding[]): Finding[] => {
  const known = new Set(others.map(textOf));
  return findings.filter((finding) => !known.has(textOf(finding)));
};

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

const scores = new Map<string, Map<string, Score>>();

describe.each(layouts)("faults seeded into a mesh of 100 proxies, $layout", ({ layout, read, unseen }) => {
  const own = new Map<string, Score>();
  scores.set(layout, own);
  let before: Snapshot | null = null;
  const healthySnapshot = (): Snapshot => (before ??= read(healthy));

  it("has 100 proxies and nothing to be found before", () => {
    expect(healthySnapshot().proxies).toHaveLength(100);
    expect(healthySnapshot().problems).toEqual([]);
    expect(findingsOf(healthySnapshot())).toEqual([]);
  });

  it.each(driftFaults)("$name: $says", ({ name, seed }) => {
    const seeded = seed(healthy);
    const snapshot = read(seeded.mesh);
    const hidden = unseen(seeded);
    const expected = seeded.findings.filter(({ by }) => !hidden.includes(by));
    const found = [
      ...findingsOf(snapshot),
      ...(seeded.before === undefined ? [] : comparisonFindings(healthySnapshot(), snapshot)),
    ];
    own.set(name, {
      expected,
      missed: without(expected, found),
      falseAlarms: without(found, expected),
    });
    expect(found.map(textOf).sort()).toEqual(expected.map(textOf).sort());
    for (const by of hidden) lacksData[by]?.(snapshot);
  });
});

describe("all of them", () => {
  it("are 30 or more, of every class", () => {
    expect(driftFaults.length).toBeGreaterThanOrEqual(30);
    expect(new Set(driftFaults.map(({ name }) => name)).size).toBe(driftFaults.length);
    for (const analysis of analyses) expect(driftFaults.map(({ about }) => about)).toContain(analysis);
  });

  it("are found in our own layout, none missed, no false alarm in either", () => {
    for (const layout of ["own layout", "bug-report"]) {
      const own = [...(scores.get(layout)?.values() ?? [])];
      expect(own).toHaveLength(driftFaults.length);
      expect(own.flatMap(({ missed }) => missed)).toEqual([]);
      expect(own.flatMap(({ falseAlarms }) => falseAlarms)).toEqual([]);
    }
    // all but the one in which there is nothing to find
    const visible = [...(scores.get("own layout")?.values() ?? [])].filter(
      ({ expected }) => expected.length > 0,
    );
    expect(visible).toHaveLength(driftFaults.length - 1);
  });
});

afterAll(() => {
  const cell = (score: Score | undefined, { name }: { readonly name: string }): string => {
    if (score === undefined) return "not run";
    const { expected, missed, falseAlarms } = score;
    const found = `${expected.length - missed.length} found, ${missed.length} missed, ${falseAlarms.length} false`;
    if (expected.length > 0 || falseAlarms.length > 0) return found;
    return name === "pods-replaced" ? "nothing, as there is nothing" : "not comparable";
  };
  const rows = driftFaults.map((fault) => [
    fault.name,
    fault.about,
    ...[...scores.values()].map((own) => cell(own.get(fault.name), fault)),
  ]);
  console.log(textTable(["FAULT", "CLASS", ...[...scores.keys()].map((name) => name.toUpperCase())], rows));
  for (const [layout, own] of scores) console.log(`${layout}: ${totals([...own.values()])}`);
});

function totals(all: readonly Score[]): string {
  const visible = all.filter(({ expected }) => expected.length > 0);
  const found = visible.filter(({ missed }) => missed.length === 0).length;
  const falseAlarms = all.reduce((sum, score) => sum + score.falseAlarms.length, 0);
  return `${found} faults found, ${visible.length - found} missed, ${all.length - visible.length} not to be seen, ${falseAlarms} false alarms`;
}
