import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Message } from "../../src/snapshot/message.js";
import type {
  ClusterResolution,
  ResolvedHost,
  UpstreamFailure,
} from "../../src/trace/cluster/cluster-resolution.js";
import {
  clusterLeaves,
  emptyHop,
  endedConnection,
  hopSentTo,
  weights,
  type ClusterTarget,
  type HopInput,
  type Leaf,
  type Onward,
} from "../../src/trace/leaf.js";
import type { ProxyView } from "../../src/trace/proxy-view.js";
import { aProxy } from "../support/builders.js";
import { aContext } from "./requests.js";

const cluster: Message = { name: "a", type: "STATIC" };
/** A proxy with one cluster; of a view no more is read. */
const viewWith = (has: boolean | "unknown"): ProxyView =>
  ({
    proxy: aProxy("a.default"),
    hasCluster: () => has,
    clusters: { cluster: () => (has === true ? cluster : undefined) },
  }) as unknown as ProxyView;
const inputOf = (has: boolean | "unknown"): HopInput => ({
  view: viewWith(has),
  direction: "outbound",
  arrival: {
    at: { internalListener: "" },
    originalDestination: null,
    peer: null,
    client: { proxyHeader: null, tls: null, protocol: "other" },
  },
  request: null,
  tunnelled: null,
  random: null,
  podOf: () => null,
});

const hostWith = (share: number | null, index: number): ResolvedHost =>
  ({
    share,
    cluster: "a",
    host: {
      address: { kind: "ip", ip: `10.0.0.${index}`, port: 80 },
      health: { class: "healthy", status: "HEALTHY" },
      priority: 0,
      metadata: {},
    },
    transport: { name: "", tls: null, sendsProxyProtocol: false, unknowns: [] },
  }) as unknown as ResolvedHost;
const failureWith = (share: number | null): UpstreamFailure => ({
  share,
  responseFlags: ["UH"],
  reply: null,
});

const leavesOf = (
  hosts: readonly (number | null)[],
  failures: readonly (number | null)[],
  share: number | null,
  has: boolean | "unknown" = true,
): readonly Leaf[] => {
  const resolution = {
    hosts: hosts.map(hostWith),
    failures: failures.map(failureWith),
    unknowns: [],
    assumptions: [],
  } as unknown as ClusterResolution;
  const target: ClusterTarget = {
    name: "a",
    share,
    notFound: endedConnection(["NC"], "cluster_not_found"),
    failed: ({ responseFlags }) => endedConnection(responseFlags),
    resolve: () => resolution,
    isHttp: false,
    sentTo: () => ({ request: null, tls: null, protocol: "other", tunnelled: null }),
    context: aContext(),
  };
  const input = inputOf(has);
  return clusterLeaves(input, emptyHop(input.view, "outbound"), target);
};
const sum = (shares: readonly (number | null)[]): number =>
  shares.reduce<number>((all, share) => all + (share ?? Number.NaN), 0);

describe("the ways through a cluster", () => {
  it("have shares that add up to that of the cluster, and those of hosts to that of their way", () => {
    const parts = fc
      .tuple(
        fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 3 }),
        fc.double({ min: 0.001, max: 1, noNaN: true }),
      )
      .filter(([hosts]) => hosts.some((weight) => weight > 0));
    fc.assert(
      fc.property(parts, ([hosts, failures, share]) => {
        const all = sum([...hosts, ...failures]);
        const leaves = leavesOf(
          hosts.map((weight) => weight / all),
          failures.map((weight) => weight / all),
          share,
        );
        expect(sum(leaves.map((leaf) => leaf.share))).toBeCloseTo(share, 9);
        const [through, ...failed] = leaves;
        expect(sum(through?.onward.map((one) => one.share) ?? [])).toBeCloseTo(through?.share ?? 0, 9);
        expect(through?.onward).toHaveLength(hosts.filter((weight) => weight > 0).length);
        expect(failed.map(({ outcome }) => outcome?.responseFlags)).toEqual(failures.map(() => ["UH"]));
      }),
    );
  });

  it("are failures alone where no host is reached", () => {
    expect(leavesOf([0], [1], 0.5)).toMatchObject([
      { share: 0.5, outcome: { kind: "failure", responseFlags: ["UH"] }, closing: "at once" },
    ]);
  });

  it("are not known where hosts are neither reached nor known to fail", () => {
    expect(leavesOf([], [], 0.5)).toMatchObject([{ share: 0.5, outcome: { kind: "unknown" } }]);
  });

  it("have no share where one of them cannot be told", () => {
    expect(leavesOf([0.5], [null], 1).map(({ share }) => share)).toEqual([null, null]);
    expect(leavesOf([0.5], [0.5], null).map(({ share }) => share)).toEqual([null, null]);
  });

  it("without the cluster are one: it is not there, or was not captured", () => {
    expect(leavesOf([1], [], 1, false)).toMatchObject([
      { share: 1, outcome: { kind: "failure", responseFlags: ["NC"] }, closing: "at once" },
    ]);
    expect(leavesOf([1], [], 1, "unknown")).toMatchObject([
      { share: 1, outcome: { kind: "unknown" }, unknowns: [{ reason: "not captured" }] },
    ]);
  });
});

describe("weights", () => {
  it("are shares of their sum", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1 }), (list) => {
        const shares = weights(list.map((weight, index) => ({ name: `${index}`, weight })));
        expect(sum(shares.map(({ share }) => share))).toBeCloseTo(1, 9);
        expect(shares.map(({ weight }) => weight)).toEqual(list);
      }),
    );
  });

  it("of nothing are nothing", () => {
    expect(weights([{ name: "a", weight: 0 }])).toEqual([{ name: "a", weight: 0, share: 0 }]);
  });
});

describe("the hop that is shown", () => {
  const hop = { ...emptyHop(viewWith(true), "outbound"), requestHeaders: [[":authority", "a"]] as const };
  const sent = (isHttp: boolean, authority: string): Onward =>
    ({ isHttp, sent: { request: [[":authority", authority]] } }) as unknown as Onward;

  it("has the authority that this host gets", () => {
    expect(hopSentTo(hop, sent(true, "b"))).toMatchObject({
      rewritten: { authority: "b" },
      requestHeaders: [[":authority", "b"]],
    });
  });

  it("is the same where that is the same, or there is none", () => {
    expect(hopSentTo(hop, sent(true, "a"))).toBe(hop);
    expect(hopSentTo(hop, sent(false, "b"))).toBe(hop);
  });
});
