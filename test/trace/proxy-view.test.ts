import { describe, expect, it } from "vitest";

import type { Proxy, Snapshot } from "../../src/snapshot/model.js";
import { newestEnvoy } from "../../src/trace/match-context.js";
import { proxyViews, type ProxyView } from "../../src/trace/proxy-view.js";
import { withProxies } from "../support/mesh/edits.js";
import { textOf, type JsonObject } from "../support/mesh/json.js";
import type { ListenerEntry, Mesh, MeshProxy } from "../support/mesh/model.js";
import { bundleFiles } from "../support/snapshot-of.js";
import {
  bookinfo,
  clusterOf,
  everyObject,
  fileOf,
  filesWith,
  held,
  objectIn,
  of,
  readForTrace,
  without,
} from "./paths/bookinfo.js";

const workload = "productpage-v1";

const proxyIn = (snapshot: Snapshot): Proxy => {
  const proxy = snapshot.proxies.find(({ id }) => id.startsWith(workload));
  if (proxy === undefined) throw new Error(`no ${workload}`);
  return proxy;
};
const viewOf = (snapshot: Snapshot): ProxyView => proxyViews(snapshot)(proxyIn(snapshot));
const viewIn = (mesh: Mesh): ProxyView => viewOf(readForTrace(bundleFiles(mesh)));
const changed = (change: (proxy: MeshProxy) => MeshProxy): Mesh =>
  withProxies(bookinfo, of(workload), change);
const withBootstrap = (change: (bootstrap: JsonObject) => JsonObject): Mesh =>
  changed((proxy) => ({ ...proxy, config: { ...proxy.config, bootstrap: change(proxy.config.bootstrap) } }));

describe("the release of Envoy", () => {
  const withoutInfo = (mesh: Mesh): Mesh =>
    withProxies(mesh, of(workload), (proxy) => ({ ...proxy, files: { ...proxy.files, serverInfo: false } }));

  it("is that of server_info", () => {
    const files = filesWith(bookinfo, fileOf(bookinfo, workload, "server_info"), (info) => ({
      ...(info as JsonObject),
      version: "0123456789abcdef/1.29.12-dev/Clean/RELEASE/BoringSSL",
    }));
    const view = viewOf(readForTrace(files));
    expect(view.envoy).toBe(29);
    expect(view.assumptions).toEqual([]);
  });

  it("else that of the node", () => {
    const view = viewIn(withoutInfo(bookinfo));
    expect(view.envoy).toBe(32);
    expect(view.assumptions).toEqual([]);
  });

  it("else the newest, which is said", () => {
    const unversioned = withBootstrap((bootstrap) => ({
      ...bootstrap,
      node: without(objectIn(bootstrap["node"]), "user_agent_build_version"),
    }));
    const view = viewIn(withoutInfo(unversioned));
    expect(view.envoy).toBe(newestEnvoy);
    expect(view.assumptions).toEqual([
      expect.stringMatching(/^The Envoy of productpage-v1-\S+ tells no version: the rules of the newest/),
    ]);
  });
});

describe("the runtime", () => {
  const runtimeFile = fileOf(bookinfo, workload, "runtime");
  const layered = (...layers: JsonObject[]): Mesh =>
    withBootstrap((bootstrap) => ({ ...bootstrap, layered_runtime: { layers } }));
  const withoutRuntime = (mesh: Mesh): Snapshot =>
    readForTrace([...bundleFiles(mesh)].filter(({ name }) => !name.endsWith(runtimeFile)));
  const layers = layered(
    {
      name: "first",
      static_layer: { "a.b": 1, nested: { key: "2" }, part: { numerator: 5, denominator: "HUNDRED" } },
    },
    { name: "second", static_layer: { "a.b": 3 } },
    { name: "admin", admin_layer: {} },
  );

  it("is that of /runtime, which has every layer", () => {
    const files = filesWith(layers, runtimeFile, () => ({
      layers: ["first", "second", "admin"],
      entries: { "a.b": { final_value: "7", layer_values: ["1", "3", "7"] } },
    }));
    const { runtime } = viewOf(readForTrace(files));
    expect(["a.b", "nested.key", "none"].map((key) => runtime.value(key))).toEqual([
      "7",
      undefined,
      undefined,
    ]);
  });

  it("without that the bootstrap's: the last layer counts, dots may be nesting", () => {
    const view = viewOf(withoutRuntime(layers));
    expect(["a.b", "nested.key", "part", "none"].map((key) => view.runtime.value(key))).toEqual([
      3,
      "2",
      { numerator: 5, denominator: "HUNDRED" },
      undefined,
    ]);
    expect(view.assumptions).toEqual([]);
  });

  it("of which a layer came by RTDS is not whole, which is said", () => {
    const discovered = layered({ name: "rtds", rtds_layer: { name: "rtds" } });
    expect(viewOf(withoutRuntime(discovered)).assumptions).toEqual([
      expect.stringMatching(/^The runtime of productpage-v1-\S+ is that of its bootstrap: .*RTDS/),
    ]);
    expect(viewIn(discovered).assumptions).toEqual([]);
  });
});

describe("the state of the server", () => {
  it.each([
    ["LIVE", null],
    ["DRAINING", null],
    ["PRE_INITIALIZING", /takes no connections yet: its state is PRE_INITIALIZING$/],
    ["INITIALIZING", /takes no connections yet: its state is INITIALIZING$/],
  ] as const)("%s: %s", (state, words) => {
    const { notServing } = viewIn(changed((proxy) => ({ ...proxy, state })));
    if (words === null) expect(notServing).toBeNull();
    else expect(notServing).toMatch(words);
  });
});

describe("what is in force", () => {
  const listed = (listeners: (old: readonly ListenerEntry[]) => readonly ListenerEntry[]): Mesh =>
    changed((proxy) => ({
      ...proxy,
      config: { ...proxy.config, listeners: [...listeners(proxy.config.listeners)] },
    }));
  const names = ({ listeners }: ProxyView): readonly string[] =>
    "reason" in listeners ? [] : [...listeners].map(({ name }) => name);

  it("are active listeners, and neither warming nor draining ones", () => {
    const state = (as: "warming" | "draining"): Mesh =>
      listed((old) =>
        old.map((entry) =>
          entry.name === "0.0.0.0_9080" && entry.active !== undefined
            ? { name: entry.name, [as]: entry.active }
            : entry,
        ),
      );
    expect(names(viewIn(bookinfo))).toContain("0.0.0.0_9080");
    for (const as of ["warming", "draining"] as const)
      expect(names(viewIn(state(as)))).not.toContain("0.0.0.0_9080");
    const updated = listed((old) =>
      old.map((entry) => (entry.active === undefined ? entry : { ...entry, warming: entry.active })),
    );
    expect(names(viewIn(updated))).toContain("0.0.0.0_9080");
  });

  it("is the cluster that came by CDS, not one of the bootstrap of its name", () => {
    const cluster = clusterOf("details");
    const isStatic = (name: string): JsonObject => ({
      cluster: { "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", name, type: "STATIC" },
    });
    const files = filesWith(bookinfo, fileOf(bookinfo, workload, "config_dump?include_eds"), (dump) =>
      everyObject(dump, (object) =>
        textOf(object, "@type").endsWith(".ClustersConfigDump")
          ? { ...object, static_clusters: [isStatic(cluster), isStatic("own")] }
          : object,
      ),
    );
    const view = viewOf(readForTrace(files));
    expect(view.clusters.cluster(cluster)).toMatchObject({ type: "EDS" });
    expect([cluster, "own", "none"].map((name) => view.hasCluster(name))).toEqual([true, true, false]);
  });

  it("is not known where the dump was cut off or is none", () => {
    const none = changed((proxy) => ({ ...proxy, files: { ...proxy.files, dump: "error text" } }));
    const view = viewIn(none);
    expect(view.listeners).toEqual({ reason: expect.any(String) as unknown });
    expect(view.hasCluster(clusterOf("details"))).toBe("unknown");
    expect(view.tables.routes("9080")).toBe("not captured");
    expect(view.discovered("any")).toBe("unknown");
    expect(view.routeConfigurations()).toEqual([]);
  });

  it("are the route configurations, by name and with the time when they came", () => {
    const view = viewIn(bookinfo);
    expect(view.tables.routes("9080")).toMatchObject({ configuration: { name: "9080" } });
    expect(view.tables.routes("none")).toBeUndefined();
    expect(view.routesLoaded("9080")).toMatch(/^2026-03-14T/);
    expect(view.routesLoaded("none")).toBeNull();
    const without = held(bookinfo, workload, "routes", "9080", () => null);
    expect(viewIn(without).tables.routes("9080")).toBeUndefined();
  });
});

describe("the certificate that the proxy shows", () => {
  it("has the name of its service account", () => {
    expect(viewIn(bookinfo).clusters.workload).toEqual({
      uriSans: ["spiffe://cluster.local/ns/default/sa/bookinfo-productpage"],
      dnsSans: [],
      subject: "",
      isValidated: true,
    });
  });

  it("in the trust domain of the mesh, or in Istio's default one, which is said", () => {
    const files = (change: (mesh: JsonObject) => JsonObject): Snapshot =>
      readForTrace(filesWith(bookinfo, "debug/mesh", (mesh) => change(mesh as JsonObject)));
    const other = viewOf(files((mesh) => ({ ...mesh, trustDomain: "example.com" })));
    expect(other.clusters.workload).toMatchObject({
      uriSans: ["spiffe://example.com/ns/default/sa/bookinfo-productpage"],
    });
    expect(other.assumptions).toEqual([]);
    const untold = viewOf(files((mesh) => without(mesh, "trustDomain")));
    expect(untold.clusters.workload).toMatchObject({
      uriSans: ["spiffe://cluster.local/ns/default/sa/bookinfo-productpage"],
    });
    expect(untold.assumptions).toEqual([
      expect.stringMatching(/^The trust domain of productpage-v1-\S+ is taken to be cluster\.local: /),
    ]);
  });

  it("is not known without a service account", () => {
    const nobody = withBootstrap((bootstrap) => {
      const node = objectIn(bootstrap["node"]);
      const metadata = without(objectIn(node["metadata"]), "SERVICE_ACCOUNT");
      return { ...bootstrap, node: { ...node, metadata } };
    });
    const withoutInfo = withProxies(nobody, of(workload), (proxy) => ({
      ...proxy,
      files: { ...proxy.files, serverInfo: false },
    }));
    expect(viewIn(withoutInfo).clusters.workload).toBe("unknown");
  });
});

it("a proxy is read once for all requests", () => {
  const snapshot = readForTrace(bundleFiles(bookinfo));
  expect(viewOf(snapshot)).toBe(viewOf(snapshot));
  expect(viewOf(readForTrace(bundleFiles(bookinfo)))).not.toBe(viewOf(snapshot));
});
