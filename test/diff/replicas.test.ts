import { describe, expect, it } from "vitest";

import { replicaDivergences, replicaGroups, replicaKey } from "../../src/diff/replicas.js";
import { comparer } from "../../src/diff/sections.js";
import { replicaLines } from "../../src/report/mesh-drift-wording.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { aCluster, aListener, aProxy, aResource } from "../support/builders.js";
import { dumpOf, meshOf, type GivenProxy, type Held } from "../support/drift-snapshot.js";

type Fields = Readonly<Record<string, unknown>>;

const reviews: Fields = {
  OWNER: "kubernetes://apis/apps/v1/namespaces/default/deployments/reviews-v1",
  WORKLOAD_NAME: "reviews-v1",
  ISTIO_VERSION: "1.24.2",
};

/** Replicas r1, r2, ... of reviews-v1 that hold this. */
const replicasWith = (...held: readonly (Held | string)[]): Snapshot =>
  meshOf({
    proxies: Object.fromEntries(
      held.map((holds, index): [string, GivenProxy] => [
        `r${index + 1}.default`,
        { holds, metadata: reviews, ip: `10.0.0.${index + 1}` },
      ]),
    ),
  });

const linesOf = (snapshot: Snapshot): string[] => replicaLines(replicaDivergences(snapshot, comparer()));

const all: Held = { clusters: [aCluster("a"), aCluster("b")] };

describe("replicas of one workload", () => {
  it("hold the same", () => {
    expect(linesOf(replicasWith(all, all, all))).toEqual([]);
    expect(
      linesOf(replicasWith(all, { clusters: [aCluster("b", { lbPolicy: "ROUND_ROBIN" }), aCluster("a")] })),
    ).toEqual([]);
  });

  it.each<{ says: string; held: readonly Held[]; lines: readonly string[] }>([
    {
      says: "one lacks a cluster",
      held: [all, all, { clusters: [aCluster("a")] }],
      lines: ["cluster b missing on r3.default, of 3 replicas of reviews-v1.default"],
    },
    {
      says: "one lacks all clusters: one line",
      held: [all, all, {}],
      lines: ["2 clusters (a, b) missing on r3.default, of 3 replicas of reviews-v1.default"],
    },
    {
      says: "one has one that the others lack",
      held: [all, all, { clusters: [...all.clusters!, aCluster("c")] }],
      lines: ["cluster c only on r3.default, of 3 replicas of reviews-v1.default"],
    },
    {
      says: "one holds other routes",
      held: ["1s", "1s", "2s"].map((timeout) => ({
        routes: [
          aResource("routeConfiguration", "80", {
            virtual_hosts: [{ name: "v", routes: [{ match: { prefix: "/" }, route: { timeout } }] }],
          }),
        ],
      })),
      lines: [
        "route configuration 80 differs in virtual_hosts[v].routes[0].route.timeout (1s -> 2s) on r3.default, of 3 replicas of reviews-v1.default",
      ],
    },
    {
      says: "one lacks an extension, and writes no section for any",
      held: [
        { extensions: [aResource("extensionConfig", "x")] },
        { extensions: [aResource("extensionConfig", "x")] },
        {},
      ],
      lines: ["extension configuration x missing on r3.default, of 3 replicas of reviews-v1.default"],
    },
    {
      says: "one refused a listener",
      held: [
        { listeners: [aListener("l")] },
        { listeners: [aListener("l")] },
        { more: { Listeners: { dynamic_listeners: [{ name: "l", error_state: { details: "no" } }] } } },
      ],
      lines: ["listener l missing on r3.default, of 3 replicas of reviews-v1.default (rejected: no)"],
    },
    {
      says: "one warms it",
      held: [
        { listeners: [aListener("l")] },
        { listeners: [aListener("l")] },
        {
          more: {
            Listeners: { dynamic_listeners: [{ name: "l", warming_state: { listener: aListener("l") } }] },
          },
        },
      ],
      lines: ["listener l missing on r3.default, of 3 replicas of reviews-v1.default (warming there)"],
    },
  ])("$says", ({ held, lines }) => {
    expect(linesOf(replicasWith(...held))).toEqual(lines);
    expect(linesOf(replicasWith(...held.slice(0, -1)))).toEqual([]);
  });

  it("of two, the one that got its content later differs", () => {
    const of = (timeout: string, lastUpdated: string): Held => ({
      clusters: [aCluster("a", { connect_timeout: timeout })],
      lastUpdated,
    });
    const [old, now] = [of("1s", "2026-03-14T09:00:00Z"), of("2s", "2026-03-14T09:10:00Z")];
    expect(replicaDivergences(replicasWith(now, old), comparer())).toMatchObject([
      { proxies: ["r1.default"], reference: "r2.default" },
    ]);
    expect(replicaDivergences(replicasWith(old, now), comparer())).toMatchObject([
      { proxies: ["r2.default"], reference: "r1.default" },
    ]);
  });

  it("may differ in their own addresses and names", () => {
    const held = (ip: string, name: string): Held => ({
      listeners: [aListener(`${ip}_80`), aListener("inbound", { address: ip, stat_prefix: name })],
    });
    expect(linesOf(replicasWith(held("10.0.0.1", "r1"), held("10.0.0.2", "r2")))).toEqual([]);
    expect(linesOf(replicasWith(held("10.0.0.1", "r1"), held("10.0.0.9", "r2")))).not.toEqual([]);
  });

  it("have no listener for their own address of a headless service", () => {
    const listeners = (...last: readonly number[]): Held => ({
      listeners: last.map((number) => aListener(`10.0.0.${number}_3306`)),
    });
    expect(linesOf(replicasWith(listeners(2, 3), listeners(1, 3), listeners(1, 2)))).toEqual([]);
    expect(linesOf(replicasWith(listeners(2, 3), listeners(1, 3), listeners(1)))).toEqual([
      "listener 10.0.0.2_3306 missing on r3.default, of 2 replicas of reviews-v1.default",
    ]);
  });

  it("are not held against a dump that is not whole", () => {
    const whole = dumpOf(all);
    const cut = whole.slice(0, whole.indexOf('"b"'));
    expect(linesOf(replicasWith(all, all, cut))).toEqual([]);
    const other = whole.replace('"name":"a"', '"name":"a","connect_timeout":"9s"');
    const changedAndCut = other.slice(0, other.indexOf('"b"'));
    expect(linesOf(replicasWith(all, all, changedAndCut))).toEqual([
      "cluster a differs in connect_timeout (added: 9s) on r3.default, of 3 replicas of reviews-v1.default",
    ]);
  });
});

describe("who is whose replica", () => {
  const keyOf = (
    metadata: Fields,
    id = "a.default",
    releases: "one release" | "any release" = "one release",
  ): string | null => replicaKey(aProxy(id, metadata), releases);

  it.each<{ says: string; other: Fields; isReplica: boolean }>([
    { says: "nothing else", other: {}, isReplica: true },
    {
      says: "the hash of its template",
      other: { LABELS: { app: "r", "pod-template-hash": "7" } },
      isReplica: true,
    },
    {
      says: "another owner",
      other: { OWNER: "kubernetes://apis/apps/v1/namespaces/default/deployments/x" },
      isReplica: false,
    },
    { says: "another release", other: { ISTIO_VERSION: "1.23.0" }, isReplica: false },
    { says: "another revision", other: { LABELS: { app: "r", "istio.io/rev": "canary" } }, isReplica: false },
    { says: "another label", other: { LABELS: { app: "s" } }, isReplica: false },
    { says: "another network", other: { NETWORK: "n" }, isReplica: false },
    { says: "another cluster", other: { CLUSTER_ID: "c" }, isReplica: false },
    { says: "another interception", other: { INTERCEPTION_MODE: "TPROXY" }, isReplica: false },
  ])("$says: $isReplica", ({ other, isReplica }) => {
    const own = { ...reviews, LABELS: { app: "r", "pod-template-hash": "6" } };
    expect(keyOf({ ...own, ...other }) === keyOf(own)).toBe(isReplica);
    expect(keyOf(own)).not.toBeNull();
  });

  it("releases and labels make no difference where pods were replaced", () => {
    const own = keyOf(reviews, "a.default", "any release");
    expect(
      keyOf({ ...reviews, ISTIO_VERSION: "1.25.0", LABELS: { a: "b" } }, "b.default", "any release"),
    ).toBe(own);
    expect(keyOf(reviews, "a.other", "any release")).not.toBe(own);
  });

  it("a proxy that does not say whose it is is nobody's", () => {
    expect(keyOf({})).toBeNull();
    const snapshot = meshOf({ proxies: { "a.n": { holds: all }, "b.n": { holds: {} } } });
    expect(replicaGroups(snapshot)).toEqual([]);
  });
});
