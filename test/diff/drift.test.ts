import { describe, expect, it } from "vitest";

import {
  driftOf,
  hasDrift,
  type ComparedKind,
  type DriftItem,
  type KindDrift,
} from "../../src/diff/drift.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { aCluster, aListener, aResource, aRow, nonces, verdict } from "../support/builders.js";
import {
  anAssignment,
  anEdsCluster,
  dumpOf,
  meshOf,
  type GivenProxy,
  type Held,
} from "../support/drift-snapshot.js";

const before = "2026-03-14T09:30:00Z";
const between = "2026-03-14T09:30:05Z";
const after = "2026-03-14T09:30:10Z";

/** One proxy, `a.b`, of one Istiod. */
const meshWith = (sends: Held | string, holds: Held | string, proxy: Partial<GivenProxy> = {}): Snapshot =>
  meshOf({ istiods: { istiod: { sends: { "a.b": sends } } }, proxies: { "a.b": { holds, ...proxy } } });

const kindOf = (snapshot: Snapshot, kind: ComparedKind): KindDrift =>
  driftOf(snapshot)[0]!.kinds.find((each) => each.kind === kind)!;

function differencesOf(snapshot: Snapshot, kind: ComparedKind): readonly DriftItem[] {
  const drift = kindOf(snapshot, kind);
  if (drift.state === "not compared") throw new Error(drift.reason);
  return drift.differences;
}

const inShort = (items: readonly DriftItem[]): string[] =>
  items.map(({ class: of, name }) => `${of} ${name}`);

const dns = "outbound|53||kube-dns.kube-system.svc.cluster.local";

describe("Istiod against Envoy", () => {
  it.each<{ says: string; sends: Held; holds: Held; kind: ComparedKind; found: readonly string[] }>([
    {
      says: "a cluster that Envoy lacks",
      sends: { clusters: [aCluster("a"), aCluster(dns)] },
      holds: { clusters: [aCluster("a")] },
      kind: "cluster",
      found: [`missing ${dns}`],
    },
    {
      says: "a cluster that Istiod does not send",
      sends: { clusters: [aCluster("a")] },
      holds: { clusters: [aCluster("a"), aCluster("b")] },
      kind: "cluster",
      found: ["extra b"],
    },
    {
      says: "a listener that says something else",
      sends: { listeners: [aListener("l", { listener_filters_timeout: "0s" })] },
      holds: { listeners: [aListener("l", { listener_filters_timeout: "5s" })] },
      kind: "listener",
      found: ["changed l"],
    },
    {
      says: "a listener that is written otherwise",
      sends: { listeners: [aListener("l", { listenerFiltersTimeout: "5.000s" })] },
      holds: { listeners: [aListener("l", { listener_filters_timeout: "5s" })] },
      kind: "listener",
      found: [],
    },
    {
      says: "routes",
      sends: { routes: [aResource("routeConfiguration", "80"), aResource("routeConfiguration", "90")] },
      holds: { routes: [aResource("routeConfiguration", "80", { validate_clusters: false })] },
      kind: "routeConfiguration",
      found: ["changed 80", "missing 90"],
    },
    {
      says: "endpoints",
      sends: { clusters: [anEdsCluster("a")], endpoints: [anAssignment("a", ["10.0.0.1", "10.0.0.2"])] },
      holds: { clusters: [anEdsCluster("a")], endpoints: [anAssignment("a", ["10.0.0.1"])] },
      kind: "endpointAssignment",
      found: ["changed a"],
    },
    {
      says: "extensions",
      sends: { extensions: [aResource("extensionConfig", "x")] },
      holds: { extensions: [aResource("extensionConfig", "y")] },
      kind: "extensionConfig",
      found: ["missing x", "extra y"],
    },
    {
      says: "an Envoy that asked for no extension writes no section, and lacks one that it should have",
      sends: { extensions: [aResource("extensionConfig", "x")] },
      holds: {},
      kind: "extensionConfig",
      found: ["missing x"],
    },
    {
      says: "names of secrets",
      sends: { secrets: [aResource("secret", "kubernetes://a"), aResource("secret", "kubernetes://b")] },
      holds: { secrets: [aResource("secret", "kubernetes://a")] },
      kind: "secret",
      found: ["missing kubernetes://b"],
    },
  ])("$says", ({ sends, holds, kind, found }) => {
    const snapshot = meshWith(sends, holds);
    expect(inShort(differencesOf(snapshot, kind))).toEqual(found);
    expect(driftOf(snapshot).some(hasDrift)).toBe(found.length > 0);
    expect(driftOf(meshWith(sends, sends)).some(hasDrift)).toBe(false);
  });

  it("counts what is the same, and what of it is written otherwise", () => {
    const snapshot = meshWith(
      { clusters: [aCluster("a", { connectTimeout: "1.0s" }), aCluster("b")] },
      { clusters: [aCluster("a", { connect_timeout: "1s" }), aCluster("b")] },
    );
    expect(kindOf(snapshot, "cluster")).toMatchObject({ same: 2, noise: 1, differences: [] });
  });

  it("leaves out what is not Istiod's: the bootstrap's clusters, the agent's secrets", () => {
    const snapshot = meshWith(
      {},
      {
        secrets: ["default", "ROOTCA", "file-cert:/etc/a~/etc/b"].map((name) => aResource("secret", name)),
        more: { Clusters: { static_clusters: [{ cluster: aCluster("xds-grpc") }] } },
      },
    );
    expect(driftOf(snapshot).some(hasDrift)).toBe(false);
    expect(
      inShort(differencesOf(meshWith({}, { secrets: [aResource("secret", "other")] }), "secret")),
    ).toEqual(["extra other"]);
  });
});

describe("endpoints", () => {
  const eds = (name: string, addresses: readonly string[]): Held => ({
    clusters: [anEdsCluster(name)],
    endpoints: [anAssignment(name, addresses)],
  });

  it("are compared where both have the cluster: one that is missing is one difference", () => {
    const snapshot = meshWith(eds("a", ["10.0.0.1"]), {});
    expect(inShort(differencesOf(snapshot, "cluster"))).toEqual(["missing a"]);
    expect(differencesOf(snapshot, "endpointAssignment")).toEqual([]);
    const extra = meshWith({}, eds("a", ["10.0.0.1"]));
    expect(inShort(differencesOf(extra, "cluster"))).toEqual(["extra a"]);
    expect(differencesOf(extra, "endpointAssignment")).toEqual([]);
  });

  it("are not expected of a warming cluster", () => {
    const snapshot = meshWith(eds("a", ["10.0.0.1"]), {
      more: { Clusters: { dynamic_warming_clusters: [{ cluster: anEdsCluster("a") }] } },
    });
    expect(differencesOf(snapshot, "cluster")).toMatchObject([{ class: "missing", warming: true }]);
    expect(differencesOf(snapshot, "endpointAssignment")).toEqual([]);
  });

  it("are Istiod's by the names that clusters ask for, whichever list of the dump they stand in", () => {
    const cluster = anEdsCluster("a", { eds_cluster_config: { service_name: "service" } });
    const holds: Held = {
      clusters: [cluster],
      more: {
        Endpoints: {
          static_endpoint_configs: [
            { endpoint_config: anAssignment("service", ["10.0.0.9"]) },
            { endpoint_config: anAssignment("zipkin", ["10.0.0.8"]) },
          ],
        },
      },
    };
    const snapshot = meshWith(
      { clusters: [cluster], endpoints: [anAssignment("service", ["10.0.0.1"])] },
      holds,
    );
    expect(inShort(differencesOf(snapshot, "endpointAssignment"))).toEqual(["changed service"]);
  });

  it("may be less healthy than Istiod says, which Envoy finds out itself; not healthier", () => {
    const health = (status: string): object => ({ health_status: status });
    const of = (sent: string, held: string): readonly string[] =>
      inShort(
        differencesOf(
          meshWith(
            {
              clusters: [anEdsCluster("a")],
              endpoints: [anAssignment("a", ["10.0.0.1"], { ...health(sent) })],
            },
            {
              clusters: [anEdsCluster("a")],
              endpoints: [anAssignment("a", ["10.0.0.1"], { ...health(held) })],
            },
          ),
          "endpointAssignment",
        ),
      );
    expect(of("HEALTHY", "UNHEALTHY")).toEqual([]);
    expect(of("UNKNOWN", "DEGRADED")).toEqual([]);
    expect(of("DRAINING", "UNHEALTHY")).toEqual([]);
    expect(of("UNHEALTHY", "HEALTHY")).toEqual(["changed a"]);
  });
});

describe("why", () => {
  const sends: Held = { clusters: [aCluster("a", { connect_timeout: "1s" })] };
  const holds = (lastUpdated: string): Held => ({
    clusters: [aCluster("a", { connect_timeout: "2s" })],
    lastUpdated,
  });
  const inFlight = (lastUpdated: string, istiodAt?: string, proxyAt?: string): boolean => {
    const snapshot = meshOf({
      istiods: {
        istiod: { sends: { "a.b": sends }, ...(istiodAt === undefined ? {} : { capturedAt: istiodAt }) },
      },
      proxies: {
        "a.b": { holds: holds(lastUpdated), ...(proxyAt === undefined ? {} : { capturedAt: proxyAt }) },
      },
    });
    expect(driftOf(snapshot).some(hasDrift)).toBe(!differencesOf(snapshot, "cluster")[0]!.inFlight);
    return differencesOf(snapshot, "cluster")[0]!.inFlight;
  };

  it("in flight: it arrived between the two captures, whichever came first", () => {
    expect(inFlight(between, before, after)).toBe(true);
    expect(inFlight(between, after, before)).toBe(true);
    expect(inFlight(before, between, after)).toBe(false);
    expect(inFlight(after, before, between)).toBe(false);
    expect(inFlight(between)).toBe(false);
    expect(inFlight(between, before)).toBe(false);
    expect(inFlight("no time", before, after)).toBe(false);
  });

  it("warming: the proxy has it, but not in force", () => {
    const listener = aListener("l");
    const warming = { Listeners: { dynamic_listeners: [{ name: "l", warming_state: { listener } }] } };
    const [item] = differencesOf(meshWith({ listeners: [listener] }, { more: warming }), "listener");
    expect(item).toMatchObject({ class: "missing", warming: true, rejection: null });
    const [missing] = differencesOf(meshWith({ listeners: [listener] }, {}), "listener");
    expect(missing).toMatchObject({ class: "missing", warming: false });
  });

  it("rejected: Envoy says why, also of the update of a listener that it kept", () => {
    const refused = { name: "l", error_state: { details: "overlapping filter chain matches" } };
    const never = meshWith(
      { listeners: [aListener("l")] },
      { more: { Listeners: { dynamic_listeners: [refused, { error_state: refused.error_state }] } } },
    );
    expect(differencesOf(never, "listener")).toMatchObject([
      { class: "missing", rejection: { details: "overlapping filter chain matches" } },
    ]);
    const kept = meshWith(
      { listeners: [aListener("l", { stat_prefix: "new" })] },
      {
        more: {
          Listeners: { dynamic_listeners: [{ ...refused, active_state: { listener: aListener("l") } }] },
        },
      },
    );
    expect(differencesOf(kept, "listener")).toMatchObject([
      { class: "changed", rejection: { details: "overlapping filter chain matches" } },
    ]);
  });

  it.each([
    { says: "nonces that are the same", type: nonces("n"), acknowledged: true, refusal: null },
    { says: "nonces that are not", type: nonces("n", "m"), acknowledged: false, refusal: null },
    { says: "nothing was sent", type: nonces(""), acknowledged: null, refusal: null },
    { says: "a refusal", type: nonces("n", "m", { error: "no\n" }), acknowledged: false, refusal: "no" },
    { says: "the verdict STALE", type: verdict("STALE"), acknowledged: false, refusal: null },
    { says: "the verdict SYNCED", type: verdict("SYNCED"), acknowledged: true, refusal: null },
    { says: "the verdict UNKNOWN", type: verdict("UNKNOWN"), acknowledged: null, refusal: null },
  ])("what the proxy answered: $says", ({ type, acknowledged, refusal }) => {
    const snapshot = meshOf({
      istiods: { istiod: { sends: { "a.b": sends }, rows: [aRow("a.b", { CDS: type })] } },
      proxies: { "a.b": { holds: holds(before) } },
    });
    expect(kindOf(snapshot, "cluster")).toMatchObject({ sync: { acknowledged, refusal } });
    expect(kindOf(snapshot, "listener")).toMatchObject({ sync: { acknowledged: null, refusal: null } });
  });
});

describe("what proves nothing", () => {
  const sends: Held = { clusters: [aCluster("a"), aCluster("b")], listeners: [aListener("l")] };

  it("a section that was not captured is not compared, and says why", () => {
    const snapshot = meshWith(dumpOf(sends).replace("EndpointsConfigDump", "Nothing"), sends);
    expect(kindOf(snapshot, "endpointAssignment")).toEqual({
      state: "not compared",
      kind: "endpointAssignment",
      reason: "Istiod's side: no EndpointsConfigDump in this dump: it was captured without include_eds",
    });
  });

  it("what a dump lacks that is cut off is not missing", () => {
    const whole = dumpOf({ ...sends, clusters: [aCluster("a", { connect_timeout: "9s" }), aCluster("b")] });
    const cut = whole.slice(0, whole.indexOf('"b"'));
    const snapshot = meshWith(sends, cut);
    const clusters = kindOf(snapshot, "cluster");
    expect(clusters).toMatchObject({ state: "compared", partial: expect.stringContaining("cut off") });
    expect(inShort(differencesOf(snapshot, "cluster"))).toEqual(["changed a"]);
    expect(kindOf(snapshot, "listener")).toMatchObject({ state: "not compared" });
    expect(kindOf(snapshot, "extensionConfig")).toMatchObject({ state: "not compared" });
    // the other way round, what Istiod's dump lacks is not extra
    const other = meshWith(cut, sends);
    expect(inShort(differencesOf(other, "cluster"))).toEqual(["changed a"]);
    expect(kindOf(other, "cluster")).toMatchObject({ partial: expect.stringContaining("Istiod's dump") });
  });

  it("a piece that was lost costs its section only", () => {
    const broken = dumpOf({ ...sends, listeners: [] }).replace(
      /"cluster":\{[^{}]*"b"[^{}]*\}/,
      '"cluster":7',
    );
    const snapshot = meshWith(sends, broken);
    expect(kindOf(snapshot, "cluster")).toMatchObject({
      differences: [],
      partial: expect.stringContaining("/configs/0/dynamic_active_clusters/1"),
    });
    expect(kindOf(snapshot, "listener")).toMatchObject({
      differences: [{ class: "missing", name: "l" }],
    });
  });
});

describe("whose view", () => {
  it("a proxy that two Istiods list is held against both", () => {
    const snapshot = meshOf({
      istiods: {
        x: { sends: { "a.b": { clusters: [aCluster("a")] } } },
        y: { sends: { "a.b": { clusters: [aCluster("a"), aCluster("c")] } } },
      },
      proxies: { "a.b": { holds: { clusters: [aCluster("a")] } } },
    });
    expect(driftOf(snapshot).map(({ istiod, kinds }) => [istiod, kinds[0]])).toMatchObject([
      ["x", { differences: [] }],
      ["y", { differences: [{ class: "missing", name: "c" }] }],
    ]);
  });

  it("a proxy without Istiod's view is not compared, nor a view without its proxy", () => {
    expect(driftOf(meshOf({ proxies: { "a.b": { holds: {} } }, istiods: { x: {} } }))).toEqual([]);
    expect(driftOf(meshOf({ istiods: { x: { sends: { "a.b": {} } } } }))).toEqual([]);
  });

  it("of one proxy, if only one is asked for", () => {
    const snapshot = meshOf({
      istiods: { x: { sends: { "a.b": {}, "c.d": {} } } },
      proxies: { "a.b": { holds: {} }, "c.d": { holds: {} } },
    });
    expect(driftOf(snapshot).map(({ proxyId }) => proxyId)).toEqual(["a.b", "c.d"]);
    expect(driftOf(snapshot, "c.d").map(({ proxyId }) => proxyId)).toEqual(["c.d"]);
  });

  it("tells when the routes were last loaded", () => {
    const routes = { routes: [aResource("routeConfiguration", "80")], lastUpdated: between };
    expect(driftOf(meshWith({}, routes))[0]!.routesLoadedAt).toBe(between);
    expect(driftOf(meshWith({}, { routes: routes.routes }))[0]!.routesLoadedAt).toBeNull();
  });
});
