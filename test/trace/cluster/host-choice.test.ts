import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  hostShares,
  keptWeights,
  type HostShares,
  type Picking,
} from "../../../src/trace/cluster/host-choice.js";
import { healthInConfiguration, healthInDump } from "../../../src/trace/cluster/host-health.js";
import type { Host } from "../../../src/trace/cluster/hosts.js";
import { loadBalancingOf } from "../../../src/trace/cluster/load-balancing.js";
import { aHost, inZone, noRuntime, withHealth } from "./builders.js";

const policy = { overprovisioningFactor: 140, isWeightedPriorityHealth: false };

const pickingOf = (cluster: Readonly<Record<string, unknown>>, more: Partial<Picking> = {}): Picking => ({
  balancing: loadBalancingOf(cluster, noRuntime),
  hasHash: false,
  localityWeights: keptWeights,
  ...more,
});

const sharesOf = (hosts: readonly Host[], cluster = {}, more: Partial<Picking> = {}): HostShares =>
  hostShares(hosts, policy, pickingOf(cluster, more));

/** Last part of the address -> percent, rounded to a hundredth. */
const percents = ({ hosts }: HostShares): Record<string, number | null> =>
  Object.fromEntries(
    hosts.map(({ host, share }) => [
      host.address.kind === "ip" ? host.address.ip.slice("10.0.0.".length) : "?",
      share === null ? null : Math.round(share * 10_000) / 100,
    ]),
  );

const weighted = { common_lb_config: { locality_weighted_lb_config: {} } };

describe("hosts of one priority", () => {
  it("share by weight", () => {
    expect(percents(sharesOf([aHost(1), aHost(2, { weight: 3 })]))).toEqual({ 1: 25, 2: 75 });
  });

  it("that are not healthy get nothing, unless the priority panics", () => {
    const healthy = sharesOf([aHost(1), aHost(2), aHost(3, withHealth("UNHEALTHY"))]);
    expect(percents(healthy)).toEqual({ 1: 50, 2: 50, 3: 0 });
    const panicking = sharesOf([aHost(1), ...[2, 3, 4].map((last) => aHost(last, withHealth("UNHEALTHY")))]);
    expect(percents(panicking)).toEqual({ 1: 25, 2: 25, 3: 25, 4: 25 });
    expect(panicking.priorities).toEqual([{ priority: 0, healthy: 100, degraded: 0, isPanicking: true }]);
  });

  it("that drain are not counted: two of four healthy are all of them", () => {
    const draining = [aHost(1), aHost(2), aHost(3, withHealth("DRAINING")), aHost(4, withHealth("DRAINING"))];
    expect(percents(sharesOf([...draining, aHost(5, { priority: 1 })]))).toEqual({
      1: 50,
      2: 50,
      3: 0,
      4: 0,
      5: 0,
    });
    const unhealthy = [
      aHost(1),
      aHost(2),
      aHost(3, withHealth("UNHEALTHY")),
      aHost(4, withHealth("UNHEALTHY")),
    ];
    expect(percents(sharesOf([...unhealthy, aHost(5, { priority: 1 })]))).toEqual({
      1: 35,
      2: 35,
      3: 0,
      4: 0,
      5: 30,
    });
  });

  it("are all used in panic, draining ones too", () => {
    const hosts = [aHost(1, withHealth("UNHEALTHY")), aHost(2, withHealth("DRAINING"))];
    expect(percents(sharesOf(hosts))).toEqual({ 1: 50, 2: 50 });
  });

  it("are none: every request fails", () => {
    expect(sharesOf([])).toMatchObject({ hosts: [], failure: 1 });
    const withoutPanic = { common_lb_config: { healthy_panic_threshold: {} } };
    const down = [aHost(1, withHealth("UNHEALTHY"))];
    expect(sharesOf(down, withoutPanic)).toMatchObject({ failure: 1, hosts: [{ share: 0 }] });
    expect(sharesOf(down)).toMatchObject({ failure: 0, hosts: [{ share: 1 }] });
  });

  it("fail in panic where the cluster says so", () => {
    const failing = { common_lb_config: { zone_aware_lb_config: { fail_traffic_on_panic: true } } };
    const hosts = [aHost(1), ...[2, 3, 4].map((last) => aHost(last, withHealth("UNHEALTHY")))];
    expect(sharesOf(hosts, failing)).toMatchObject({ failure: 1 });
    expect(sharesOf(hosts)).toMatchObject({ failure: 0 });
  });

  it("of which the dump does not tell whether they drain are counted, and it is said where that matters", () => {
    const shownUnhealthy = { health: healthInDump({ health_status: "UNHEALTHY" }) };
    const spilling = [aHost(1), aHost(2, shownUnhealthy), aHost(3, { priority: 1 })];
    expect(percents(sharesOf(spilling))).toEqual({ 1: 70, 2: 0, 3: 30 });
    expect(sharesOf(spilling).assumptions.join()).toContain("not draining");
    const irrelevant = [aHost(1), aHost(2), aHost(3), aHost(4, shownUnhealthy)];
    expect(sharesOf(irrelevant).assumptions).toEqual([]);
  });
});

describe("priorities", () => {
  it("may go by weights, which no dump tells: said where that matters", () => {
    const hosts = [aHost(1, { weight: 9 }), aHost(2, withHealth("UNHEALTHY")), aHost(3, { priority: 1 })];
    const sharesWith = (isWeightedPriorityHealth: boolean | "unknown", given = hosts): HostShares =>
      hostShares(given, { ...policy, isWeightedPriorityHealth }, pickingOf({}));
    expect(percents(sharesWith(true))).toEqual({ 1: 100, 2: 0, 3: 0 });
    expect(percents(sharesWith("unknown"))).toEqual({ 1: 70, 2: 0, 3: 30 });
    expect(sharesWith("unknown").assumptions.join()).toContain("weights");
    expect(sharesWith(false).assumptions).toEqual([]);
    expect(sharesWith("unknown", [aHost(1, { weight: 9 }), aHost(2)]).assumptions).toEqual([]);
  });

  it("take what the ones before cannot: half of P0 healthy is 70 to 30", () => {
    const hosts = [aHost(1), aHost(2, withHealth("UNHEALTHY")), aHost(3, { priority: 1 })];
    expect(percents(sharesOf(hosts))).toEqual({ 1: 70, 2: 0, 3: 30 });
  });

  it("send to degraded hosts what healthy ones leave", () => {
    const hosts = [aHost(1), ...[2, 3, 4].map((last) => aHost(last, withHealth("DEGRADED")))];
    // 1.4 * 1/4 = 35 %; the rest of 65 % for the three
    expect(percents(sharesOf(hosts))).toEqual({ 1: 35, 2: 21.67, 3: 21.67, 4: 21.67 });
  });
});

describe("localities", () => {
  const hosts = [aHost(1, inZone("a", 1)), aHost(2, inZone("b", 3)), aHost(3, inZone("b", 3))];

  it("are ignored without locality weighted load balancing", () => {
    expect(percents(sharesOf(hosts))).toEqual({ 1: 33.33, 2: 33.33, 3: 33.33 });
  });

  it("share by weight with it", () => {
    expect(percents(sharesOf(hosts, weighted))).toEqual({ 1: 25, 2: 37.5, 3: 37.5 });
  });

  it("are ignored in panic, and where none weighs anything", () => {
    const down = hosts.map((host) => ({ ...host, ...withHealth("UNHEALTHY") }));
    expect(percents(sharesOf(down, weighted))).toEqual({ 1: 33.33, 2: 33.33, 3: 33.33 });
    const weightless = [aHost(1, inZone("a", 0)), aHost(2, inZone("b", 0))];
    expect(percents(sharesOf(weightless, weighted))).toEqual({ 1: 50, 2: 50 });
  });

  it("without a weight get nothing beside one that has one", () => {
    expect(percents(sharesOf([aHost(1, inZone("a", 0)), aHost(2, inZone("b", 1))], weighted))).toEqual({
      1: 0,
      2: 100,
    });
  });

  it("make shares unknown where weights count and were not captured", () => {
    const lost = hosts.map((host) => ({ ...host, localityWeight: null }));
    expect(percents(sharesOf(lost, weighted))).toEqual({ 1: null, 2: null, 3: null });
    expect(sharesOf(lost, weighted).unknowns).toMatchObject([{ reason: "not captured" }]);
    expect(percents(sharesOf(lost))).toEqual({ 1: 33.33, 2: 33.33, 3: 33.33 });
  });

  it("weigh nothing in subsets that do not know of them, and less in smaller ones", () => {
    const ignored = sharesOf(hosts, weighted, { localityWeights: { kind: "ignored" } });
    expect(percents(ignored)).toEqual({ 1: 33.33, 2: 33.33, 3: 33.33 });
    const two = [aHost(1, inZone("a", 10)), aHost(2, inZone("b", 10))];
    const all = [...two, aHost(3, inZone("b", 10))];
    const scaled = sharesOf(two, weighted, { localityWeights: { kind: "scaled", all } });
    expect(percents(scaled)).toEqual({ 1: 66.67, 2: 33.33 }); // 10 and 10 * 1/2
  });

  it("keep traffic in the zone only where the bootstrap has a local cluster", () => {
    const six = [1, 2, 3, 4, 5, 6].map((last) => aHost(last, inZone(last < 4 ? "a" : "b", 0)));
    const balancing = loadBalancingOf({}, noRuntime, true);
    expect(sharesOf(six, {}, { balancing })).toMatchObject({ unknowns: [{ reason: "runtime state" }] });
    expect(sharesOf(six.slice(1), {}, { balancing }).unknowns).toEqual([]); // five hosts are too few
    expect(sharesOf(six).unknowns).toEqual([]);
  });
});

describe("policies", () => {
  it("random knows no weights", () => {
    expect(percents(sharesOf([aHost(1), aHost(2, { weight: 9 })], { lb_policy: "RANDOM" }))).toEqual({
      1: 50,
      2: 50,
    });
  });

  it("random takes the number that chose the priority", () => {
    // 46 of 100 numbers lead to P0 (0..45), of which 23 are even; 14 of the 54 others (46..99) are 1 modulo 4
    const hosts = [
      aHost(1),
      ...[2, 3].map((last) => aHost(last, withHealth("UNHEALTHY"))),
      ...[4, 5, 6, 7].map((last) => aHost(last, { priority: 1 })),
    ];
    expect(percents(sharesOf(hosts, { lb_policy: "RANDOM" }))).toEqual({
      1: 46,
      2: 0,
      3: 0,
      4: 13,
      5: 13,
      6: 14,
      7: 14,
    });
  });

  it("least request with unequal weights is said to be approximate", () => {
    const cluster = { lb_policy: "LEAST_REQUEST" };
    expect(sharesOf([aHost(1), aHost(2, { weight: 3 })], cluster).assumptions).toHaveLength(1);
    expect(sharesOf([aHost(1), aHost(2)], cluster).assumptions).toEqual([]);
  });

  it("a hash policy takes one of the hosts, which only the hash tells", () => {
    const hosts = [aHost(1), aHost(2), aHost(3, withHealth("UNHEALTHY"))];
    const shares = sharesOf(hosts, { lb_policy: "RING_HASH" }, { hasHash: true });
    expect(percents(shares)).toEqual({ 1: null, 2: null, 3: 0 });
    expect(shares).toMatchObject({ failure: 0, unknowns: [{ reason: "random" }] });
    const random = sharesOf(hosts, { lb_policy: "RING_HASH" });
    expect(percents(random)).toEqual({ 1: 50, 2: 50, 3: 0 });
    expect(random.assumptions).toHaveLength(1);
    const single = sharesOf([aHost(1)], { lb_policy: "MAGLEV" }, { hasHash: true });
    expect(single).toMatchObject({ hosts: [{ share: 1 }], unknowns: [] });
  });

  it("a hash policy has no table of degraded hosts", () => {
    const hosts = [aHost(1, withHealth("DEGRADED")), aHost(2, withHealth("DEGRADED"))];
    expect(sharesOf(hosts, { lb_policy: "RING_HASH" })).toMatchObject({ failure: 1 });
    expect(sharesOf(hosts)).toMatchObject({ failure: 0 });
  });

  it("a hash policy passes over localities without healthy hosts", () => {
    const cluster = { lb_policy: "MAGLEV", ...weighted };
    const hosts = [aHost(1, { ...inZone("a", 2), ...withHealth("DEGRADED") }), aHost(2, inZone("b", 5))];
    expect(percents(sharesOf([...hosts, aHost(3, inZone("b", 5))], cluster))).toEqual({ 1: 0, 2: 50, 3: 50 });
    const weightless = [aHost(1, { ...inZone("a", 5), ...withHealth("DEGRADED") }), aHost(2, inZone("b", 0))];
    expect(sharesOf(weightless, cluster)).toMatchObject({ failure: 1 });
  });

  it("an unknown policy leaves the shares unknown, but not which hosts there are", () => {
    const typed_config = { "@type": "type.googleapis.com/example.Balancer" };
    const cluster = { load_balancing_policy: { policies: [{ typed_extension_config: { typed_config } }] } };
    const shares = sharesOf([aHost(1), aHost(2)], cluster);
    expect(percents(shares)).toEqual({ 1: null, 2: null });
    expect(shares.unknowns).toMatchObject([{ reason: "unsupported filter" }]);
  });
});

it("shares and failures sum to 1, whatever the health", () => {
  const host = fc.record({
    priority: fc.nat(3),
    weight: fc.integer({ min: 1, max: 9 }),
    status: fc.constantFrom("HEALTHY", "UNHEALTHY", "DRAINING", "DEGRADED"),
    zone: fc.constantFrom("a", "b", "c"),
  });
  const clusters = fc.constantFrom(
    {},
    weighted,
    { lb_policy: "RANDOM" },
    { lb_policy: "RING_HASH" },
    { lb_policy: "MAGLEV", ...weighted },
    { lb_policy: "RANDOM", ...weighted },
    { common_lb_config: { healthy_panic_threshold: {} } },
  );
  fc.assert(
    fc.property(fc.array(host, { maxLength: 20 }), clusters, (given, cluster) => {
      const hosts = given.map(({ status, zone, ...more }, index) =>
        aHost(index, {
          ...more,
          ...inZone(zone, zone.charCodeAt(0) - 97),
          health: healthInConfiguration({ health_status: status }, 36),
        }),
      );
      const { hosts: shares, failure } = sharesOf(hosts, cluster);
      const sum = shares.reduce((all, { share }) => all + (share ?? NaN), failure ?? NaN);
      expect(sum).toBeCloseTo(1, 9);
      for (const { share } of shares) expect(share).toBeGreaterThanOrEqual(0);
    }),
  );
});
