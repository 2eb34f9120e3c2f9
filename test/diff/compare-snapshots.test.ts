import { describe, expect, it } from "vitest";

import {
  compareProxies,
  compareSnapshots,
  type SnapshotComparison,
} from "../../src/diff/compare-snapshots.js";
import { comparisonLines } from "../../src/report/drift-wording.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { aCluster, aListener, aResource } from "../support/builders.js";
import { dumpOf, meshOf, type GivenProxy, type Held } from "../support/drift-snapshot.js";

type Fields = Readonly<Record<string, unknown>>;

const meshWith = (proxies: Readonly<Record<string, Held | string | GivenProxy>>): Snapshot =>
  meshOf({
    proxies: Object.fromEntries(
      Object.entries(proxies).map(([id, given]): [string, GivenProxy] => [
        id,
        typeof given === "object" && "holds" in given ? given : { holds: given },
      ]),
    ),
  });

/** Each change as `source: class kind name on proxies`. */
const changesOf = ({ sources }: SnapshotComparison): string[] =>
  sources.flatMap(({ source, changes }) =>
    changes.map(
      ({ class: of, kind, name, proxies }) => `${source}: ${of} ${kind} ${name} on ${proxies.join()}`,
    ),
  );

const reviews = { WORKLOAD_NAME: "reviews" };
const reviewsHost = "outbound|80||reviews.default.svc.cluster.local";
const fromVirtualService = (name: string): Fields => ({
  metadata: {
    filter_metadata: {
      istio: { config: `/apis/networking.istio.io/v1alpha3/namespaces/default/virtual-service/${name}` },
    },
  },
});
const routes = (timeouts: Readonly<Record<string, string>>): Held => ({
  routes: [
    aResource("routeConfiguration", "80", {
      virtual_hosts: Object.entries(timeouts).map(([name, timeout]) => ({
        name,
        routes: [{ match: { prefix: "/" }, route: { timeout }, ...fromVirtualService(name) }],
      })),
    }),
  ],
});

describe("two snapshots", () => {
  it("differ in nothing from themselves", () => {
    const held: Held = { clusters: [aCluster("a")], ...routes({ reviews: "1s" }) };
    const comparison = compareSnapshots(meshWith({ "a.n": held }), meshWith({ "a.n": held }));
    expect(comparison).toMatchObject({ sources: [], vanished: [], appeared: [], compared: 1, noise: 0 });
    expect(comparisonLines(comparison)[0]).toBe("1 proxy was compared: no difference.");
  });

  it("differ by the Istio resource that a difference comes from", () => {
    const before = meshWith({
      "a.n": routes({ reviews: "1s", ratings: "1s" }),
      "b.n": routes({ reviews: "1s", ratings: "1s" }),
    });
    const after = meshWith({
      "a.n": routes({ reviews: "2s", ratings: "1s" }),
      "b.n": routes({ reviews: "2s", ratings: "1s" }),
    });
    expect(changesOf(compareSnapshots(before, after))).toEqual([
      "VirtualService/reviews.default: changed routeConfiguration 80 on a.n,b.n",
    ]);
    expect(comparisonLines(compareSnapshots(before, after))).toEqual([
      "2 proxies were compared: 1 difference.",
      "",
      "VirtualService/reviews.default",
      "  route configuration 80 changed in virtual_hosts[reviews].routes[0].route.timeout (1s -> 2s) on a.n, b.n",
    ]);
  });

  it("differ under each of several Istio resources", () => {
    const before = meshWith({ "a.n": routes({ reviews: "1s", ratings: "1s" }) });
    const after = meshWith({ "a.n": routes({ reviews: "2s", ratings: "2s" }) });
    const comparison = compareSnapshots(before, after);
    expect(changesOf(comparison)).toEqual([
      "VirtualService/ratings.default: changed routeConfiguration 80 on a.n",
      "VirtualService/reviews.default: changed routeConfiguration 80 on a.n",
    ]);
    expect(comparisonLines(comparison)[0]).toBe("1 proxy was compared: 1 difference.");
  });

  it("by the host that a cluster is for, where no other resource is named", () => {
    const before = meshWith({ "a.n": { clusters: [aCluster(reviewsHost)] } });
    expect(changesOf(compareSnapshots(before, meshWith({ "a.n": {} })))).toEqual([
      `Host/reviews.default.svc.cluster.local: vanished cluster ${reviewsHost} on a.n`,
    ]);
    expect(changesOf(compareSnapshots(meshWith({ "a.n": {} }), before))).toEqual([
      `Host/reviews.default.svc.cluster.local: appeared cluster ${reviewsHost} on a.n`,
    ]);
    const listener = meshWith({ "a.n": { listeners: [aListener("l")] } });
    expect(changesOf(compareSnapshots(meshWith({ "a.n": {} }), listener))).toEqual([
      ": appeared listener l on a.n",
    ]);
  });

  it("in their proxies", () => {
    const comparison = compareSnapshots(
      meshWith({ "a.n": {}, "b.n": {} }),
      meshWith({ "b.n": {}, "c.n": {} }),
    );
    expect(comparison).toMatchObject({ vanished: ["a.n"], appeared: ["c.n"], compared: 1, replaced: [] });
    expect(comparisonLines(comparison).slice(1)).toEqual([
      "Only in the second: c.n",
      "Only in the first: a.n",
    ]);
    const apart = compareSnapshots(meshWith({ "a.n": {} }), meshWith({ "c.n": {} }));
    expect(comparisonLines(apart)[0]).toBe("No proxy is in both.");
  });

  it("but not in pods that were replaced", () => {
    const pod = (ip: string, name: string): GivenProxy => ({
      holds: {
        clusters: [aCluster("inbound", { address: ip, stat_prefix: name })],
        secrets: [
          aResource("secret", "default", { tls_certificate: { certificate_chain: { inline_bytes: ip } } }),
        ],
      },
      metadata: reviews,
      ip,
    });
    const before = meshWith({ "old.n": pod("10.0.0.1", "old") });
    const comparison = compareSnapshots(before, meshWith({ "new.n": pod("10.0.0.2", "new") }));
    expect(comparison).toMatchObject({
      replaced: [{ before: "old.n", after: "new.n" }],
      vanished: [],
      appeared: [],
      sources: [],
    });
    expect(changesOf(compareSnapshots(before, meshWith({ "new.n": pod("10.0.0.9", "old") })))).toHaveLength(
      1,
    );
  });

  it("counts what is written otherwise", () => {
    const before = meshWith({ "a.n": { clusters: [aCluster("a", { connect_timeout: "1s" })] } });
    const after = meshWith({ "a.n": { clusters: [aCluster("a", { connectTimeout: "1.0s" })] } });
    expect(compareSnapshots(before, after)).toMatchObject({ noise: 1, sources: [] });
  });
});

describe("what could not be compared", () => {
  const whole = dumpOf({ clusters: [aCluster("a"), aCluster("b")], listeners: [aListener("l")] });
  const cut = whole.slice(0, whole.indexOf('"b"'));

  it("a dump that is cut off has lost what it lacks; nothing vanished or appeared", () => {
    const [one, other] = [meshWith({ "a.n": whole }), meshWith({ "a.n": cut })];
    for (const [before, after] of [
      [one, other],
      [other, one],
    ] as const) {
      const comparison = compareSnapshots(before, after);
      expect(comparison.sources).toEqual([]);
      expect(comparison.notCompared.map(({ kind }) => kind)).toEqual([
        "cluster",
        "listener",
        "routeConfiguration",
        "scopedRoutes",
        "endpointAssignment",
        "secret",
        "extensionConfig",
      ]);
    }
    expect(comparisonLines(compareSnapshots(one, other)).slice(-3)).toEqual([
      "Not compared:",
      expect.stringMatching(/^ {2}clusters of a\.n: after, in part: the JSON is cut off/),
      "  listeners, route configurations, scoped routes, lists of endpoints, secrets, extension configurations of a.n: after: the dump is cut off or damaged before this section",
    ]);
  });

  it("one line for one reason, however many proxies", () => {
    const text = '{"configs":[]}';
    const ids = ["a.n", "b.n", "c.n", "d.n", "e.n"];
    const none = meshWith(Object.fromEntries(ids.map((id) => [id, text])));
    const comparison = compareSnapshots(none, none);
    expect(comparison).toMatchObject({ sections: 0, sources: [] });
    expect(comparisonLines(comparison).filter((line) => line.startsWith("  clusters"))).toEqual([
      "  clusters of a.n, b.n, c.n and 2 more: on both sides: no ClustersConfigDump in this dump",
    ]);
  });

  it("an Envoy that asked for no extension has none, and that is no gap", () => {
    const extension = { extensions: [aResource("extensionConfig", "x")] };
    const comparison = compareSnapshots(meshWith({ "a.n": {} }), meshWith({ "a.n": extension }));
    expect(changesOf(comparison)).toEqual([": appeared extensionConfig x on a.n"]);
    expect(comparison.notCompared).toEqual([]);
  });
});

describe("two proxies", () => {
  it("differ, but for their own addresses and names", () => {
    const held = (ip: string, name: string, timeout: string): GivenProxy => ({
      holds: {
        clusters: [
          aCluster("own", { address: ip, stat_prefix: name }),
          aCluster("a", { connect_timeout: timeout }),
        ],
      },
      ip,
    });
    const snapshot = meshWith({ "x.n": held("10.0.0.1", "x", "1s"), "y.n": held("10.0.0.2", "y", "2s") });
    const [x, y] = snapshot.proxies;
    const comparison = compareProxies(snapshot, x!, y!);
    expect(changesOf(comparison)).toEqual([": changed cluster a on y.n"]);
    expect(comparisonLines(comparison)[0]).toBe("1 proxy was compared: 1 difference.");
    expect(compareProxies(snapshot, x!, x!).sources).toEqual([]);
  });
});
