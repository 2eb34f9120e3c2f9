/** One mesh, spelled as Envoys of every age and Istiod spell it, gives the same tables. */
import { describe, expect, it } from "vitest";

import { contentOf } from "../../src/snapshot/message.js";
import { clusterView } from "../../src/views/clusters.js";
import { edsView } from "../../src/views/endpoints.js";
import { listenerView } from "../../src/views/listeners.js";
import { routeView } from "../../src/views/routes.js";
import { secretView } from "../../src/views/secrets.js";
import { envoyDump } from "../support/mesh/dump.js";
import { buildMesh } from "../support/mesh/mesh.js";
import {
  aCluster,
  aListener,
  aSection,
  aStore,
  readDump,
  readText,
  renamed,
  resourceTypes,
  valueOf,
} from "../support/builders.js";

const options = { istioctl: 31, verbose: true, at: "2026-03-14T09:30:00Z" };

function tables(dump: unknown): unknown {
  const { sections } = readText(dump);
  return {
    clusters: clusterView(valueOf(sections.cluster), {}, options).rows,
    listeners: listenerView(valueOf(sections.listener), {}, options).rows,
    routes: routeView(valueOf(sections.routeConfiguration), {}, options).rows,
    eds: edsView(valueOf(sections.endpointAssignment), {}, options).rows,
    secrets: secretView(valueOf(sections.secret), options).rows,
  };
}

const mesh = buildMesh({ seed: 4 });

describe.each(mesh.proxies.map((proxy) => ({ id: proxy.id, proxy })))("$id", ({ proxy }) => {
  const dump = envoyDump(proxy, true);

  it("has rows in every table", () => {
    for (const rows of Object.values(tables(dump) as Record<string, unknown[]>))
      expect(rows.length).toBeGreaterThan(0);
  });
  it("is the same in lowerCamelCase", () => {
    const camel = { configs: (dump["configs"] as unknown[]).map((section) => renamed(section, "jsonName")) };
    expect(JSON.stringify(camel)).not.toBe(JSON.stringify(dump));
    expect(tables(camel)).toEqual(tables(dump));
  });
  it("is the same with the type names of API v2", () => {
    const old = JSON.stringify(dump)
      .replaceAll("envoy.config.cluster.v3.Cluster", "envoy.api.v2.Cluster")
      .replaceAll("envoy.config.listener.v3.Listener", "envoy.api.v2.Listener")
      .replaceAll("envoy.config.route.v3.RouteConfiguration", "envoy.api.v2.RouteConfiguration")
      .replaceAll("envoy.config.endpoint.v3.ClusterLoadAssignment", "envoy.api.v2.ClusterLoadAssignment")
      .replaceAll("envoy.extensions.transport_sockets.tls.v3.Secret", "envoy.api.v2.auth.Secret")
      .replaceAll(
        "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "envoy.config.filter.network.tcp_proxy.v2.TcpProxy",
      )
      .replaceAll(
        "envoy.extensions.filters.network.http_connection_manager.v3.",
        "envoy.config.filter.network.http_connection_manager.v2.",
      )
      .replaceAll("envoy.admin.v3.", "envoy.admin.v2alpha.");
    expect(tables(JSON.parse(old))).toEqual(tables(dump));
  });
});

/** What a cluster, listener or route says in a spelling of API v2, and in that of v3. */
describe("a spelling of API v2", () => {
  const listenerRows = (listener: object): unknown =>
    listenerView(
      valueOf(readDump([aSection("Listeners", { static_listeners: [{ listener }] })]).sections.listener),
      {},
      options,
    ).rows;
  const routeRows = (match: object): unknown => {
    const config = {
      "@type": "x/envoy.config.route.v3.RouteConfiguration",
      name: "80",
      virtual_hosts: [{ name: "v", domains: ["*"], routes: [{ match, route: { cluster: "c" } }] }],
    };
    return routeView(
      valueOf(
        readDump([aSection("Routes", { static_route_configs: [{ route_config: config }] })]).sections
          .routeConfiguration,
      ),
      {},
      options,
    ).rows;
  };
  const chain = (fields: object): object =>
    aListener("l", {
      address: { socket_address: { address: "0.0.0.0", port_value: 80 } },
      filter_chains: [fields],
    });
  const tcp = (config: object): object => ({ name: "envoy.filters.network.tcp_proxy", ...config });
  const v3tcp = tcp({
    typed_config: {
      "@type": "x/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
      stat_prefix: "s",
      cluster: "outbound|80||a",
    },
  });

  it.each([
    {
      spelling: "config (Struct) instead of typed_config",
      old: chain({ filters: [tcp({ config: { stat_prefix: "s", cluster: "outbound|80||a" } })] }),
    },
    {
      spelling: "config in lowerCamelCase",
      old: chain({ filters: [tcp({ config: { statPrefix: "s", cluster: "outbound|80||a" } })] }),
    },
    {
      spelling: "the v2 type name",
      old: chain({
        filters: [
          tcp({
            typed_config: {
              "@type": "x/envoy.config.filter.network.tcp_proxy.v2.TcpProxy",
              cluster: "outbound|80||a",
            },
          }),
        ],
      }),
    },
    {
      spelling: "the old filter name",
      old: chain({ filters: [{ name: "envoy.tcp_proxy", config: { cluster: "outbound|80||a" } }] }),
    },
    {
      spelling: "tls_context on the chain",
      old: chain({ tls_context: { common_tls_context: {} }, filters: [v3tcp] }),
    },
    {
      spelling: "use_original_dst under its hidden name",
      old: { ...chain({ filters: [v3tcp] }), hiddenEnvoyDeprecatedUseOriginalDst: true },
    },
    {
      spelling: "deprecated_v1.bind_to_port",
      old: { ...chain({ filters: [v3tcp] }), deprecated_v1: { bind_to_port: false } },
    },
    {
      spelling: "filter_chain_match.sni_domains",
      old: chain({ filter_chain_match: { sni_domains: ["a.b"] }, filters: [v3tcp] }),
      now: chain({ filter_chain_match: { server_names: ["a.b"] }, filters: [v3tcp] }),
    },
  ])("listener: $spelling", ({ old, now }) => {
    expect(listenerRows(old)).toEqual(listenerRows(now ?? chain({ filters: [v3tcp] })));
  });

  it.each([
    { spelling: "regex", old: { regex: "/a.*" }, now: { safe_regex: { regex: "/a.*" } } },
    {
      spelling: "safe_regex with its engine",
      old: { safe_regex: { google_re2: {}, regex: "/a" } },
      now: { safe_regex: { regex: "/a" } },
    },
    {
      spelling: "header regex_match",
      old: { prefix: "/", headers: [{ name: "h", regex_match: "x" }] },
      now: { prefix: "/", headers: [{ name: "h", string_match: { safe_regex: { regex: "x" } } }] },
    },
    {
      spelling: "header exact_match",
      old: { prefix: "/", headers: [{ name: "h", exact_match: "x" }] },
      now: { prefix: "/", headers: [{ name: "h", string_match: { exact: "x" } }] },
    },
  ])("route: $spelling", ({ old, now }) => {
    expect(routeRows(old)).toEqual(routeRows(now));
  });

  it.each([
    { spelling: "hosts", fields: { hosts: [{ socket_address: { address: "1.2.3.4", port_value: 80 } }] } },
    { spelling: "tls_context", fields: { tls_context: { sni: "a" } } },
    {
      spelling: "tls_context under its hidden name",
      fields: { hidden_envoy_deprecated_tls_context: { sni: "a" } },
    },
    {
      spelling: "hosts under its hidden JSON name",
      fields: { hiddenEnvoyDeprecatedHosts: [{ socketAddress: { address: "1.2.3.4", portValue: 80 } }] },
    },
  ])("cluster: $spelling is kept, and the row is the same", ({ fields }) => {
    const rows = (more: object): unknown =>
      clusterView(
        valueOf(
          readDump([
            aSection("Clusters", { static_clusters: [{ cluster: aCluster("outbound|80||a", { ...more }) }] }),
          ]).sections.cluster,
        ),
        {},
        options,
      ).rows;
    expect(rows(fields)).toEqual(rows({}));
  });

  it.each([
    {
      where: "route",
      fields: {
        host_rewrite: "a",
        request_mirror_policy: { cluster: "m" },
        use_websocket: true,
        auto_host_rewrite_header: "x",
      },
    },
    { where: "virtual host", fields: { per_filter_config: { "a.b": { keyOfData: 1, other_key: 2 } } } },
  ])("$where: old fields have one identity in both name styles", ({ where, fields }) => {
    const inner =
      where === "route"
        ? { routes: [{ match: { prefix: "/" }, route: { cluster: "c", ...fields } }] }
        : { ...fields };
    const config = {
      "@type": `type.googleapis.com/${resourceTypes.routeConfiguration}`,
      name: "80",
      virtual_hosts: [{ name: "v", domains: ["*"], ...inner }],
    };
    const store = aStore();
    for (const style of ["name", "jsonName"] as const) {
      readDump(
        [aSection("Routes", { dynamic_route_configs: [{ route_config: renamed(config, style) }] })],
        store,
      );
    }
    expect(store.resources.size).toBe(1);
    const [only] = store.resources.values();
    expect(JSON.stringify(only === undefined ? {} : contentOf(only))).toContain(
      where === "route" ? "host_rewrite" : "keyOfData",
    );
  });
});
