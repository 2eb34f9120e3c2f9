import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { priorityLoads, type PriorityCounts } from "../../../src/trace/cluster/priority-load.js";

const counts = (healthy: number, hosts: number, more: Partial<PriorityCounts> = {}): PriorityCounts => ({
  hosts,
  healthy,
  degraded: 0,
  excluded: 0,
  weights: null,
  overprovisioningFactor: 140,
  ...more,
});

describe("the loads of priorities", () => {
  it.each([
    { name: "half of P0 is healthy", hosts: [counts(5, 10), counts(10, 10)], healthy: [70, 30], panics: [] },
    { name: "71 % of P0", hosts: [counts(71, 100), counts(100, 100)], healthy: [99, 1], panics: [] },
    { name: "72 % of P0", hosts: [counts(72, 100), counts(100, 100)], healthy: [100, 0], panics: [] },
    { name: "25 % of both", hosts: [counts(25, 100), counts(25, 100)], healthy: [50, 50], panics: [0, 1] },
    // 7.1 % and 92.9 %: both rounded down, and the one that is left goes to P0
    { name: "5 % and 65 %", hosts: [counts(5, 100), counts(65, 100)], healthy: [8, 92], panics: [0] },
    { name: "one of four, the only priority", hosts: [counts(1, 4)], healthy: [100], panics: [0] },
    { name: "two of four: 50 is not below 50", hosts: [counts(2, 4)], healthy: [100], panics: [] },
    { name: "two healthy, two draining", hosts: [counts(2, 4, { excluded: 2 })], healthy: [100], panics: [] },
    { name: "no host at all", hosts: [counts(0, 0)], healthy: [100], panics: [0] },
    { name: "an empty P0", hosts: [counts(0, 0), counts(3, 3)], healthy: [0, 100], panics: [] },
    {
      name: "all are down, by hosts",
      hosts: [counts(0, 1), counts(0, 2)],
      healthy: [34, 66],
      panics: [0, 1],
    },
    {
      name: "all are down, P0 empty",
      hosts: [counts(0, 0), counts(0, 3)],
      healthy: [0, 100],
      panics: [0, 1],
    },
  ])("$name", ({ hosts, healthy, panics }) => {
    const loads = priorityLoads(hosts, 50);
    expect(loads.map((load) => load.healthy)).toEqual(healthy);
    expect(loads.flatMap((load, index) => (load.isPanicking ? [index] : []))).toEqual(panics);
  });

  it("give degraded hosts what healthy ones do not take, and the rounding to the first healthy priority", () => {
    // Envoy's own example: 10/20/10 % health and 20/10/0 % degraded
    const loads = priorityLoads(
      [
        counts(10, 100, { degraded: 20, overprovisioningFactor: 100 }),
        counts(20, 100, { degraded: 10, overprovisioningFactor: 100 }),
        counts(10, 100, { overprovisioningFactor: 100 }),
      ],
      0,
    );
    expect(loads.map(({ healthy, degraded }) => [healthy, degraded])).toEqual([
      [16, 28],
      [28, 14],
      [14, 0],
    ]);
  });

  it("give the rounding to the first degraded priority where nothing is healthy", () => {
    const loads = priorityLoads([counts(0, 3, { degraded: 1 }), counts(0, 3, { degraded: 1 })], 0);
    expect(loads.map(({ degraded }) => degraded)).toEqual([50, 50]);
    const uneven = priorityLoads([counts(0, 7, { degraded: 1 }), counts(0, 9, { degraded: 1 })], 0);
    expect(uneven.map(({ degraded }) => degraded)).toEqual([58, 42]); // 57 and 42, and what is left
  });

  it("never panic at a threshold of 0; without a host P0 gets all, and finds none", () => {
    expect(priorityLoads([counts(0, 4), counts(0, 4)], 0)).toEqual([
      { healthy: 100, degraded: 0, isPanicking: false },
      { healthy: 0, degraded: 0, isPanicking: false },
    ]);
  });

  it("never panic while all traffic has a place", () => {
    expect(priorityLoads([counts(1, 10), counts(9, 10)], 50)[0]).toMatchObject({ isPanicking: false });
    expect(priorityLoads([counts(1, 10), counts(2, 10)], 50)[0]).toMatchObject({ isPanicking: true });
  });

  it("measure availability by weights under weighted_priority_health, panic by hosts", () => {
    const weights = { hosts: 100, healthy: 10, degraded: 0, excluded: 0 };
    const loads = priorityLoads([counts(9, 10, { weights }), counts(10, 10)], 50);
    expect(loads.map(({ healthy }) => healthy)).toEqual([14, 86]);
    expect(priorityLoads([counts(9, 10, { weights })], 50)[0]).toMatchObject({ isPanicking: false });
    expect(priorityLoads([counts(4, 10, { weights })], 50)[0]).toMatchObject({ isPanicking: true });
  });

  it("stay exact where weights leave the range of doubles", () => {
    const huge = 2 ** 52;
    const weights = { hosts: huge, healthy: huge / 2, degraded: 0, excluded: 0 };
    expect(priorityLoads([counts(1, 2, { weights }), counts(2, 2)], 50)[0]?.healthy).toBe(70);
  });

  it("send everything to P0 where a small factor leaves no availability, and nothing panics", () => {
    expect(priorityLoads([counts(1, 2, { overprovisioningFactor: 1 })], 50)).toEqual([
      { healthy: 100, degraded: 0, isPanicking: false },
    ]);
  });
});

describe("on any state of health", () => {
  const priority = fc
    .record({ healthy: fc.nat(12), degraded: fc.nat(6), unhealthy: fc.nat(12), drained: fc.nat(3) })
    .map(({ healthy, degraded, unhealthy, drained }): PriorityCounts =>
      counts(healthy, healthy + degraded + unhealthy + drained, { degraded, excluded: drained }),
    );
  const state = fc.record({
    priorities: fc.array(priority, { minLength: 1, maxLength: 5 }),
    threshold: fc.constantFrom(0, 1, 10, 50, 90, 100),
    factor: fc.constantFrom(100, 140, 200),
  });

  it("the loads sum to 100", () => {
    fc.assert(
      fc.property(state, ({ priorities, threshold, factor }) => {
        const loads = priorityLoads(
          priorities.map((one) => ({ ...one, overprovisioningFactor: factor })),
          threshold,
        );
        expect(loads.reduce((sum, load) => sum + load.healthy + load.degraded, 0)).toBe(100);
      }),
    );
  });

  it("they are those of a plain reading of the documentation", () => {
    fc.assert(
      fc.property(state, ({ priorities, threshold, factor }) => {
        const all = priorities.map((one) => ({ ...one, overprovisioningFactor: factor }));
        expect(priorityLoads(all, threshold)).toEqual(asDocumented(all, threshold));
      }),
    );
  });

  /**
   * Percent by percent instead of by division: each priority takes single percents as long as they are due to it. What is due
   * is written as a comparison of products (rationals), so it shares no arithmetic with the implementation.
   */
  function asDocumented(priorities: readonly PriorityCounts[], threshold: number): unknown {
    /** The greatest p of 0..100 with p/100 <= factor/100 * part/all. */
    const percentOf = (part: number, all: number, factor: number): number => {
      let p = 0;
      while (p < 100 && all > 0 && (p + 1) * all <= factor * part) p++;
      return p;
    };
    const counted = (one: PriorityCounts): number => one.hosts - one.excluded;
    const health = priorities.map((one) => percentOf(one.healthy, counted(one), one.overprovisioningFactor));
    const worse = priorities.map((one) => percentOf(one.degraded, counted(one), one.overprovisioningFactor));
    const total = Math.min(
      100,
      [...health, ...worse].reduce((a, b) => a + b),
    );
    const panics = priorities.map(
      (one) =>
        total < 100 &&
        (counted(one) === 0 ? threshold > 0 : 100 * (one.healthy + one.degraded) < threshold * counted(one)),
    );
    const due = (percent: number): number => {
      let p = 0;
      while ((p + 1) * total <= percent * 100) p++;
      return p;
    };
    const result = priorities.map((_, index) => ({ healthy: 0, degraded: 0, isPanicking: panics[index]! }));
    if (panics.every(Boolean)) {
      const hosts = priorities.reduce((sum, one) => sum + one.hosts, 0);
      let left = 100;
      for (const [index, one] of priorities.entries())
        while (hosts > 0 && (result[index]!.healthy + 1) * hosts <= 100 * one.hosts) {
          result[index]!.healthy++;
          left--;
        }
      result[
        Math.max(
          0,
          priorities.findIndex((one) => one.hosts > 0),
        )
      ]!.healthy += left;
      return result;
    }
    if (total === 0) {
      result[0]!.healthy = 100;
      return result;
    }
    let left = 100;
    for (const which of ["healthy", "degraded"] as const)
      for (const [index, percent] of (which === "healthy" ? health : worse).entries())
        for (let count = due(percent); count > 0 && left > 0; count--, left--) result[index]![which]++;
    const first = health.findIndex((percent) => percent > 0);
    if (first >= 0) result[first]!.healthy += left;
    else result[worse.findIndex((percent) => percent > 0)]!.degraded += left;
    return result;
  }
});
