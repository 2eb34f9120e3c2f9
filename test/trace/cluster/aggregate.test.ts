import { describe, expect, it } from "vitest";

import { aggregatedClusters, aggregateShares, type Member } from "../../../src/trace/cluster/aggregate.js";
import { keptWeights } from "../../../src/trace/cluster/host-choice.js";
import type { Host } from "../../../src/trace/cluster/hosts.js";
import { loadBalancingOf } from "../../../src/trace/cluster/load-balancing.js";
import { aHost, noRuntime, withHealth } from "./builders.js";

const balancing = loadBalancingOf({}, noRuntime);
const member = (name: string, hosts: readonly Host[], cluster = {}, hasHash = false): Member => ({
  name,
  hosts: {
    source: "cluster",
    hosts,
    overprovisioningFactor: 140,
    isWeightedPriorityHealth: false,
    dropShare: 0,
    unknowns: [],
  },
  picking: { balancing: loadBalancingOf(cluster, noRuntime), hasHash, localityWeights: keptWeights },
  tries: null,
});
const down = withHealth("UNHEALTHY");
const sharesOf = (members: readonly Member[]): Record<string, number> =>
  Object.fromEntries(
    aggregateShares(members, balancing).members.map(({ name, share }) => [name, Math.round(share * 100)]),
  );

describe("an aggregate", () => {
  it("uses its clusters in order", () => {
    expect(sharesOf([member("a", [aHost(1)]), member("b", [aHost(2)])])).toEqual({ a: 100, b: 0 });
    expect(sharesOf([member("a", [aHost(1), aHost(2, down)]), member("b", [aHost(3)])])).toEqual({
      a: 70,
      b: 30,
    });
  });

  it("counts priorities that have hosts only, of one member after the other", () => {
    const a = member("a", [aHost(1, { priority: 2, ...down })]);
    const b = member("b", [aHost(2), aHost(3, { priority: 1 })]);
    const { priorities } = aggregateShares([a, b], balancing);
    expect(priorities.map(({ member: name, healthy }) => [name, healthy])).toEqual([
      ["a", 0],
      ["b", 100],
      ["b", 0],
    ]);
  });

  it("lets the member pick by its own panic", () => {
    // for the aggregate all is well; for a its own P0 is not, so that it uses all of its hosts
    const a = member("a", [aHost(1), aHost(2, down), aHost(3, down), aHost(4, down)]);
    const b = member("b", [aHost(5)]);
    const { members } = aggregateShares([a, b], balancing);
    expect(members[0]?.hosts.map(({ share }) => share)).toEqual([0.0875, 0.0875, 0.0875, 0.0875]);
    expect(members[1]?.hosts.map(({ share }) => share)).toEqual([0.65]);
  });

  it("without hosts fails", () => {
    expect(aggregateShares([member("a", [])], balancing)).toMatchObject({ failure: 1 });
    expect(aggregateShares([], balancing)).toMatchObject({ failure: 1 });
    expect(aggregateShares([member("a", [aHost(1)])], balancing)).toMatchObject({ failure: 0 });
  });

  it("does not know what a member's hash chooses", () => {
    const hosts = [aHost(1), aHost(2)];
    const hashed = aggregateShares([member("a", hosts, { lb_policy: "MAGLEV" }, true)], balancing);
    expect(hashed.members[0]?.hosts.map(({ share }) => share)).toEqual([null, null]);
    expect(hashed.unknowns).toMatchObject([{ reason: "random" }]);
    expect(aggregateShares([member("a", hosts)], balancing).unknowns).toEqual([]);
  });
});

it("names its clusters; other clusters have none", () => {
  const typed_config = {
    "@type": "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig",
    clusters: ["a", "b"],
  };
  expect(aggregatedClusters({ cluster_type: { name: "x", typed_config } })).toEqual(["a", "b"]);
  expect(aggregatedClusters({ name: "c", type: "EDS" })).toBeNull();
});
