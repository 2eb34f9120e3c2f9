import { describe, expect, it } from "vitest";

import { comparer, type Comparison } from "../../src/diff/sections.js";
import type { ReferenceList } from "../../src/snapshot/model.js";
import { aCluster, aSection, aStore, readDump, valueOf } from "../support/builders.js";

type Fields = Readonly<Record<string, unknown>>;

const store = aStore();
const listOf = (...clusters: readonly Fields[]): ReferenceList =>
  valueOf(
    readDump(
      [
        aSection("Clusters", {
          dynamic_active_clusters: clusters.map((cluster) => ({
            cluster,
            version_info: "7",
            last_updated: "2026-03-14T09:30:00Z",
          })),
        }),
      ],
      store,
    ).sections.cluster,
  );

const compared = (before: ReferenceList, after: ReferenceList): Comparison =>
  comparer().compare("cluster", before, after);
const inShort = ({ differences }: Comparison): string[] =>
  differences.map(({ class: of, name, changes }) => [of, name, ...changes.map(({ path }) => path)].join(" "));

const a = aCluster("a", { connect_timeout: "1s" });

describe("two lists of one kind", () => {
  it("are held against each other by name, whatever their order", () => {
    const comparison = compared(
      listOf(a, aCluster("gone"), aCluster("same")),
      listOf(aCluster("same"), aCluster("new"), aCluster("a", { connect_timeout: "2s" })),
    );
    expect(inShort(comparison)).toEqual(["changed a connect_timeout", "missing gone", "extra new"]);
    expect(comparison).toMatchObject({ kind: "cluster", same: 1, noise: 0 });
  });

  it("say where each side stands, and since when", () => {
    const [difference] = compared(listOf(a), listOf(aCluster("a"))).differences;
    expect(difference?.after).toMatchObject({
      lastUpdated: "2026-03-14T09:30:00Z",
      versionInfo: "7",
      origin: { entry: "dump", pointer: "/configs/0/dynamic_active_clusters/0/cluster" },
    });
    expect(compared(listOf(), listOf(a)).differences).toMatchObject([{ before: null, class: "extra" }]);
  });

  it("count what means the same and is written otherwise", () => {
    expect(compared(listOf(a), listOf(aCluster("a", { connectTimeout: "1.0s" })))).toMatchObject({
      same: 1,
      noise: 1,
      differences: [],
    });
  });

  it("take the first of several of one name", () => {
    expect(
      inShort(compared(listOf(a, aCluster("a")), listOf(a, aCluster("a", { alt_stat_name: "x" })))),
    ).toEqual([]);
    expect(inShort(compared(listOf(aCluster("a"), a), listOf(a)))).toEqual(["changed a connect_timeout"]);
  });

  it("mirror each other, also from what was worked out before", () => {
    const compare = comparer();
    const [one, other] = [listOf(a), listOf(aCluster("a", { connect_timeout: "2s" }))];
    const there = compare.compare("cluster", one, other).differences[0]?.changes;
    const back = compare.compare("cluster", other, one).differences[0]?.changes;
    expect(there).toMatchObject([{ before: "1s", after: "2s" }]);
    expect(back).toMatchObject([{ before: "2s", after: "1s" }]);
  });
});
