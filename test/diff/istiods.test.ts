import { describe, expect, it } from "vitest";

import { compareIstiods } from "../../src/diff/istiods.js";
import { istiodLines } from "../../src/report/mesh-drift-wording.js";
import { present, type Pod, type Snapshot } from "../../src/snapshot/model.js";
import { aRow } from "../support/builders.js";
import { meshOf, type GivenIstiod } from "../support/drift-snapshot.js";

const istiodsWith = (
  istiods: Readonly<Record<string, GivenIstiod>>,
  more: Partial<Snapshot> = {},
): Snapshot => meshOf({ istiods }, more);
const linesOf = (snapshot: Snapshot): string[] => istiodLines(compareIstiods(snapshot));

/** Names of one Deployment. */
const [a, b, c] = ["istiod-6d4cf56db6-aaaaa", "istiod-6d4cf56db6-bbbbb", "istiod-6d4cf56db6-ccccc"] as const;

const whole: GivenIstiod = {
  version: "1.24.2",
  mesh: { accessLogFile: "/dev/stdout", defaultConfig: { drainDuration: "45s" } },
  shards: {
    "reviews.default.svc.cluster.local": { "Kubernetes/Kubernetes": ["10.0.0.1:9080", "10.0.0.2:9080"] },
  },
};

describe("replicas of one control plane", () => {
  it("that say the same", () => {
    expect(linesOf(istiodsWith({ [a]: whole, [b]: whole }))).toEqual([]);
    expect(compareIstiods(istiodsWith({ [a]: whole, [b]: whole })).notCompared).toEqual([]);
  });

  it.each<{ says: string; other: GivenIstiod; line: string }>([
    {
      says: "another version",
      other: { ...whole, version: "1.23.0" },
      line: `version 1.24.2 on ${a}, ${b}, 1.23.0 on ${c}`,
    },
    {
      says: "another mesh configuration",
      other: { ...whole, mesh: { accessLogFile: "/dev/stdout", defaultConfig: { drainDuration: "5s" } } },
      line: `mesh configuration of ${c} differs in defaultConfig.drainDuration (45s -> 5s)`,
    },
    {
      says: "a pod less",
      other: {
        ...whole,
        shards: { "reviews.default.svc.cluster.local": { "Kubernetes/Kubernetes": ["10.0.0.1:9080"] } },
      },
      line: `endpoints of reviews.default.svc.cluster.local in Kubernetes/Kubernetes: 2 on ${a}, ${b}, 1 on ${c}`,
    },
    {
      says: "no shard",
      other: { ...whole, shards: {} },
      line: `endpoints of reviews.default.svc.cluster.local in Kubernetes/Kubernetes: 2 on ${a}, ${b}, 0 on ${c}`,
    },
  ])("$says", ({ other, line }) => {
    expect(linesOf(istiodsWith({ [a]: whole, [b]: whole, [c]: other }))).toEqual([line]);
  });

  it("a shard that nobody has filled is an empty one", () => {
    const empty = { ...whole, shards: { ...whole.shards, "x.y": { s: [] } } };
    expect(linesOf(istiodsWith({ [a]: whole, [b]: empty }))).toEqual([]);
  });

  it("a proxy that two list", () => {
    const rows = [aRow("p.n")];
    expect(linesOf(istiodsWith({ [a]: { ...whole, rows }, [b]: { ...whole, rows } }))).toEqual([
      `p.n is in the lists of ${a} and ${b}`,
    ]);
    expect(
      linesOf(istiodsWith({ [a]: { ...whole, rows: [...rows, ...rows] }, [b]: { ...whole, rows: [] } })),
    ).toEqual([]);
  });

  it("says what was not captured of whom", () => {
    const { notCompared, proxies } = compareIstiods(
      istiodsWith({ [a]: whole, [b]: { rows: [aRow("p.n")] } }),
    );
    expect(notCompared).toEqual(
      ["version", "mesh configuration", "endpoints"].map((what) => ({
        istiod: b,
        what,
        reason: "not captured",
      })),
    );
    expect(proxies).toEqual([
      { istiod: a, count: null },
      { istiod: b, count: 1 },
    ]);
    expect(compareIstiods(istiodsWith({ [b]: {} })).notCompared).toEqual([]);
  });

  it("lists the first thousand shards and counts all", () => {
    const shards = Object.fromEntries(
      Array.from({ length: 1500 }, (_, index) => [`h${index}`, { s: ["10.0.0.1:1"] }]),
    );
    const result = compareIstiods(istiodsWith({ [a]: { shards }, [b]: { shards: {} } }));
    expect(result.shards).toHaveLength(1000);
    expect(result.shardCount).toBe(1500);
    expect(istiodLines(result).at(-1)).toBe("and endpoints of 1490 more");
  });
});

describe("revisions", () => {
  const other: GivenIstiod = { ...whole, version: "1.25.0", mesh: {} };

  it("are not held against each other", () => {
    expect(linesOf(istiodsWith({ [a]: whole, "istiod-1-25-5c5ff8dd6-xxxxx": other }))).toEqual([]);
    expect(linesOf(istiodsWith({ [a]: whole, [b]: other }))).toHaveLength(2);
  });

  it("are told by the label of the pods, where those were captured", () => {
    const pod = (name: string, revision: string): Pod => ({
      name,
      namespace: "istio-system",
      labels: { "istio.io/rev": revision },
      owner: "",
      ips: [],
      hasProxy: false,
      hostNetwork: false,
      origin: { entry: "", pointer: "" },
    });
    const pods = (...revisions: readonly string[]): Partial<Snapshot> => ({
      pods: present([pod(a, revisions[0]!), pod(b, revisions[1]!)]),
    });
    expect(linesOf(istiodsWith({ [a]: whole, [b]: other }, pods("old", "new")))).toEqual([]);
    expect(linesOf(istiodsWith({ [a]: whole, [b]: other }, pods("same", "same")))).toHaveLength(2);
  });
});
