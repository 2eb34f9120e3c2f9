import { describe, expect, it } from "vitest";

import { localityShares, plainLocalityShares } from "../../../src/trace/cluster/locality-load.js";

const locality = (weight: number, eligible: number, hosts = eligible, excluded = 0) => ({
  weight,
  eligible,
  hosts,
  excluded,
});

describe("the shares of localities", () => {
  it.each([
    ["by weight where all are healthy", [locality(1, 2), locality(3, 2)], [0.25, 0.75]],
    ["overprovisioned: 3 of 4 count as all", [locality(1, 3, 4), locality(1, 4)], [0.5, 0.5]],
    ["less where too few are healthy", [locality(1, 1, 2), locality(1, 2)], [0.7 / 1.7, 1 / 1.7]],
    ["nothing for a weight of 0", [locality(0, 2), locality(1, 2)], [0, 1]],
    ["nothing where none is healthy", [locality(5, 0, 2), locality(1, 2)], [0, 1]],
    ["excluded hosts do not count", [locality(1, 1, 3, 2), locality(1, 2)], [0.5, 0.5]],
    ["a locality of excluded hosts only", [locality(9, 0, 2, 2), locality(1, 2)], [0, 1]],
  ])("%s", (_, localities, expected) => {
    const shares = localityShares(localities, 140);
    expect(shares).toHaveLength(expected.length);
    for (const [index, share] of expected.entries()) expect(shares?.[index]).toBeCloseTo(share, 12);
  });

  it("are none where nothing weighs anything", () => {
    expect(localityShares([locality(0, 2), locality(0, 1)], 140)).toBeNull();
    expect(localityShares([], 140)).toBeNull();
  });

  it("of hash policies know no health", () => {
    expect(plainLocalityShares([locality(1, 1, 100), locality(3, 2)])).toEqual([0.25, 0.75]);
    expect(plainLocalityShares([locality(9, 0, 4), locality(1, 1)])).toEqual([0, 1]);
    expect(plainLocalityShares([locality(0, 1)])).toBeNull();
    expect(plainLocalityShares([locality(5, 0, 1), locality(0, 1)])).toBeNull();
  });
});
