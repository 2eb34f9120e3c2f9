import { beforeAll, describe, expect, it } from "vitest";

import type { ConfigKind, ReportDocument } from "../../src/report/document.js";
import { buildReport } from "../../src/report/build-report.js";
import { withConfig } from "../../src/report/config-tables.js";
import type { ReferenceList, Snapshot } from "../../src/snapshot/model.js";
import { syncStatus } from "../../src/status/sync-status.js";
import { clusterView } from "../../src/views/clusters.js";
import { ecdsView } from "../../src/views/ecds.js";
import { edsView } from "../../src/views/endpoints.js";
import { listenerView } from "../../src/views/listeners.js";
import { routeView } from "../../src/views/routes.js";
import { secretView } from "../../src/views/secrets.js";
import { newestIstioctl as istioctl, type View } from "../../src/views/view.js";
import { aCluster, aListener, aResource, aSection, snapshotIn } from "../support/builders.js";
import { applyFaults } from "../support/mesh/faults.js";
import { ownLayout } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { bundle } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";

const reportOf = (snapshot: Snapshot): ReportDocument =>
  withConfig(buildReport(snapshot, syncStatus(snapshot), "0.0.0"), snapshot);

const all = { istioctl, states: ["active", "warming", "draining", "unknown"] } as const;
const views: Record<ConfigKind, (section: ReferenceList, snapshot: Snapshot) => View> = {
  cluster: (section) => clusterView(section, {}, all),
  listener: (section) => listenerView(section, {}, { ...all, verbose: true }),
  routeConfiguration: (section) => routeView(section, {}, { ...all, verbose: true }),
  endpointAssignment: (section) => edsView(section, {}, all),
  secret: (section, { captureTime }) => secretView(section, { ...all, at: captureTime?.value ?? null }),
  extensionConfig: (section) => ecdsView(section, all),
};

function kindOf(report: ReportDocument, kind: ConfigKind): ReportDocument["config"]["kinds"][number] {
  return report.config.kinds.find((each) => each.kind === kind)!;
}
function heldIn(report: ReportDocument, at: number, kind: ConfigKind) {
  const held = report.proxies[at]!.config[kind]!;
  if ("reason" in held) throw new Error(held.reason);
  return held;
}
const sorted = (rows: readonly (readonly string[])[]): string[] =>
  rows.map((row) => JSON.stringify(row)).sort();

describe("the tables of a mesh with replicas", () => {
  let snapshot: Snapshot;
  let report: ReportDocument;
  beforeAll(async () => {
    const { mesh } = applyFaults(buildMesh({ seed: 3 }), ["warming-cluster"]);
    snapshot = await snapshotIn(await bundle(ownLayout(mesh), manifestOf(mesh)));
    report = reportOf(snapshot);
  });

  it.each(Object.keys(views) as ConfigKind[])("hold each distinct %s once", (kind) => {
    const hashes = new Set<string>();
    let references = 0;
    for (const { config } of snapshot.proxies) {
      const section = config[kind];
      for (const { hash } of section.state === "absent" ? [] : section.value) {
        if (hash !== null) hashes.add(hash);
        references++;
      }
    }
    expect(kindOf(report, kind).resources).toHaveLength(hashes.size);
    if (kind === "cluster") expect(hashes.size).toBeLessThan(references / 2);
  });

  it.each(Object.keys(views) as ConfigKind[])(
    "say of a proxy's %s what the view of it alone says",
    (kind) => {
      const { header, resources } = kindOf(report, kind);
      for (const [at, { config }] of snapshot.proxies.entries()) {
        const section = config[kind];
        if (section.state === "absent") {
          expect(report.proxies[at]?.config[kind]).toEqual({ reason: section.reason });
          continue;
        }
        const { indexes } = heldIn(report, at, kind);
        expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
        expect(indexes.map((index) => resources[index]?.name).sort()).toEqual(
          [...section.value].map(({ name }) => name).sort(),
        );
        const alone = views[kind](section.value, snapshot);
        const same = alone.header.filter((_, column) => column < header.length);
        expect(header).toEqual(same);
        const width = header.length;
        expect(sorted(indexes.flatMap((index) => resources[index]?.rows ?? []))).toEqual(
          sorted(alone.rows.map((row) => row.slice(0, width))),
        );
      }
    },
  );

  it("keep the order of the view", () => {
    const section = snapshot.proxies[0]!.config.cluster;
    if (section.state === "absent") throw new Error(section.reason);
    const { resources } = kindOf(report, "cluster");
    expect(heldIn(report, 0, "cluster").indexes.flatMap((index) => resources[index]!.rows)).toEqual(
      views.cluster(section.value, snapshot).rows,
    );
  });

  it("tell the state of what is not active", () => {
    const states = report.proxies.flatMap((_, at) => Object.values(heldIn(report, at, "cluster").states));
    expect(states).toEqual(["warming"]);
  });

  it("lead from a listener to a route, to a cluster, to its endpoints", () => {
    const named = (kind: ConfigKind): Set<string> =>
      new Set(kindOf(report, kind).resources.map(({ name }) => name));
    const refers = (kind: ConfigKind, to: "routes" | "clusters" | "endpoints"): string[] =>
      kindOf(report, kind).resources.flatMap(({ refersTo }) => refersTo[to]);
    for (const [from, to, kind] of [
      ["listener", "routes", "routeConfiguration"],
      ["listener", "clusters", "cluster"],
      ["routeConfiguration", "clusters", "cluster"],
      ["cluster", "endpoints", "endpointAssignment"],
      ["endpointAssignment", "clusters", "cluster"],
    ] as const) {
      const names = named(kind);
      expect(refers(from, to).filter((name) => names.has(name)).length, `${from} -> ${to}`).toBeGreaterThan(
        0,
      );
    }
  });

  it("write resources with the names of JSON", () => {
    const [first] = kindOf(report, "listener").resources;
    expect(JSON.stringify(first?.json)).toContain('"filterChains"');
    expect(JSON.stringify(first?.json)).not.toContain('"filter_chains"');
  });

  it("are left out of a report that does not ask for them", () => {
    const plain = buildReport(snapshot, syncStatus(snapshot), "0.0.0");
    expect(plain.config).toEqual({ kinds: [] });
    expect(plain.proxies.map(({ config }) => config)).toEqual(plain.proxies.map(() => ({})));
  });
});

describe("where resources lead", () => {
  const typed = (type: string, fields: object): object => ({
    "@type": `type.googleapis.com/${type}`,
    ...fields,
  });
  const chain = (name: string, type: string, fields: object): object => ({
    filters: [{ name, typed_config: typed(`envoy.extensions.filters.network.${type}`, fields) }],
  });
  const route = {
    request_mirror_policies: [{ cluster: "mirror" }],
    weighted_clusters: { clusters: [{ name: "a" }, { name: "b" }] },
  };
  const hosts = [{ name: "h", domains: ["*"], routes: [{ route: { cluster: "a" } }, { route }] }];

  it("are all the names: inline routes, weights, mirrors, default chains, services of EDS", async () => {
    const tcp = ["envoy.filters.network.tcp_proxy", "tcp_proxy.v3.TcpProxy"] as const;
    const http = [
      "envoy.filters.network.http_connection_manager",
      "http_connection_manager.v3.HttpConnectionManager",
    ] as const;
    const listener = aListener("l", {
      filter_chains: [
        chain(...http, { rds: { route_config_name: "r" } }),
        chain(...http, { route_config: { name: "inline", virtual_hosts: hosts } }),
        chain(...tcp, { weighted_clusters: { clusters: [{ name: "t" }] } }),
      ],
      default_filter_chain: chain(...tcp, { cluster: "last" }),
    });
    const eds = aCluster("c", { type: "EDS", eds_cluster_config: { service_name: "s" } });
    const snapshot = await snapshotIn({
      configs: [
        aSection("Clusters", {
          dynamic_active_clusters: [{ cluster: eds }, { cluster: aCluster("d", { type: "STATIC" }) }],
        }),
        aSection("Listeners", { dynamic_listeners: [{ name: "l", active_state: { listener } }] }),
        aSection("Routes", {
          dynamic_route_configs: [
            { route_config: aResource("routeConfiguration", "r", { virtual_hosts: hosts }) },
          ],
        }),
      ],
    });
    const report = reportOf(snapshot);
    const refers = (kind: ConfigKind): unknown[] =>
      kindOf(report, kind).resources.map(({ refersTo }) => refersTo);
    expect(refers("listener")).toEqual([
      { routes: ["r"], clusters: ["a", "b", "mirror", "t", "last"], endpoints: [] },
    ]);
    expect(refers("routeConfiguration")).toEqual([
      { routes: [], clusters: ["a", "b", "mirror"], endpoints: [] },
    ]);
    expect(refers("cluster")).toEqual([
      { routes: [], clusters: [], endpoints: ["s"] },
      { routes: [], clusters: [], endpoints: [] },
    ]);
    expect(report.proxies[0]?.config.endpointAssignment).toHaveProperty("reason");
  });
});
