import { describe, expect, it } from "vitest";

import type { JsonObject, JsonValue } from "../../../src/shared/json-value.js";
import { semanticForm } from "../../../src/diff/semantic-form.js";
import { resourceOf } from "../../support/diff-resources.js";

type Kind = "cluster" | "listener" | "routeConfiguration" | "endpointAssignment";
const v2Types: Readonly<Record<Kind, string>> = {
  cluster: "envoy.api.v2.Cluster",
  listener: "envoy.api.v2.Listener",
  routeConfiguration: "envoy.api.v2.RouteConfiguration",
  endpointAssignment: "envoy.api.v2.ClusterLoadAssignment",
};
const v3Types: Readonly<Record<Kind, string>> = {
  cluster: "envoy.config.cluster.v3.Cluster",
  listener: "envoy.config.listener.v3.Listener",
  routeConfiguration: "envoy.config.route.v3.RouteConfiguration",
  endpointAssignment: "envoy.config.endpoint.v3.ClusterLoadAssignment",
};
const url = (type: string): string => `type.googleapis.com/${type}`;
const said = (kind: Kind, type: string, fields: JsonObject): string =>
  semanticForm(resourceOf(kind, { "@type": url(type), ...fields })).text;

/** Fields of one message, inside a resource that has it. */
const places = {
  cluster: (fields: JsonObject): JsonObject => ({ name: "a", ...fields }),
  listener: (fields: JsonObject): JsonObject => ({ name: "a", ...fields }),
  chain: (fields: JsonObject): JsonObject => ({ name: "a", filter_chains: [fields] }),
  filter: (fields: JsonObject): JsonObject => ({ name: "a", filter_chains: [{ filters: [fields] }] }),
  listenerFilter: (fields: JsonObject): JsonObject => ({ name: "a", listener_filters: [fields] }),
  virtualHost: (fields: JsonObject): JsonObject => ({ name: "a", virtual_hosts: [{ name: "b", ...fields }] }),
  route: (fields: JsonObject): JsonObject => places.virtualHost({ routes: [fields] }),
  match: (fields: JsonObject): JsonObject => places.route({ match: fields }),
  header: (fields: JsonObject): JsonObject => places.match({ headers: [{ name: "h", ...fields }] }),
  query: (fields: JsonObject): JsonObject => places.match({ query_parameters: [{ name: "q", ...fields }] }),
  action: (fields: JsonObject): JsonObject => places.route({ route: { cluster: "c", ...fields } }),
} as const;
const kindOf: Readonly<Record<keyof typeof places, Kind>> = {
  cluster: "cluster",
  listener: "listener",
  chain: "listener",
  filter: "listener",
  listenerFilter: "listener",
  virtualHost: "routeConfiguration",
  route: "routeConfiguration",
  match: "routeConfiguration",
  header: "routeConfiguration",
  query: "routeConfiguration",
  action: "routeConfiguration",
};

const tls = "envoy.extensions.transport_sockets.tls.v3";
const http = "envoy.extensions.filters.http";
const network = "envoy.extensions.filters.network";
const tlsSocket = (context: string, fields: JsonObject): JsonValue => ({
  name: "envoy.transport_sockets.tls",
  typed_config: { "@type": url(`${tls}.${context}`), ...fields },
});
const socket = (address: string, port: number): JsonValue => ({
  socket_address: { address, port_value: port },
});

interface Case {
  readonly place: keyof typeof places;
  readonly v2: JsonObject;
  readonly v3: JsonObject;
  /** As `v2`, but saying something else. */
  readonly other: JsonObject;
}

const cases: Readonly<Record<string, Case>> = {
  "tls_context of a cluster": {
    place: "cluster",
    v2: { tls_context: { sni: "a.b" } },
    v3: { transport_socket: tlsSocket("UpstreamTlsContext", { sni: "a.b" }) },
    other: { tls_context: { sni: "a.c" } },
  },
  "tls_context of a filter chain": {
    place: "chain",
    v2: { tls_context: { common_tls_context: { alpn_protocols: ["h2"] }, require_client_certificate: true } },
    v3: {
      transport_socket: tlsSocket("DownstreamTlsContext", {
        require_client_certificate: true,
        common_tls_context: { alpn_protocols: ["h2"] },
      }),
    },
    other: { tls_context: { common_tls_context: { alpn_protocols: ["h2"] } } },
  },
  "the config of a TLS socket": {
    place: "cluster",
    v2: { transport_socket: { name: "tls", config: { sni: "a.b" } } },
    v3: { transport_socket: tlsSocket("UpstreamTlsContext", { sni: "a.b" }) },
    other: { transport_socket: { name: "tls", config: { sni: "a.c" } } },
  },
  "the config of a matched TLS socket": {
    place: "cluster",
    v2: {
      transport_socket_matches: [
        { name: "m", transport_socket: { name: "envoy.transport_sockets.tls", config: { sni: "a.b" } } },
        { name: "n", transport_socket: { name: "raw_buffer" } },
      ],
    },
    v3: {
      transport_socket_matches: [
        { name: "m", transport_socket: tlsSocket("UpstreamTlsContext", { sni: "a.b" }) },
        {
          name: "n",
          transport_socket: {
            name: "envoy.transport_sockets.raw_buffer",
            typed_config: { "@type": url("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer") },
          },
        },
      ],
    },
    other: {
      transport_socket_matches: [
        { name: "m", transport_socket: { name: "raw_buffer" } },
        { name: "n", transport_socket: { name: "raw_buffer" } },
      ],
    },
  },
  hosts: {
    place: "cluster",
    v2: { hosts: [socket("10.0.0.1", 80), socket("10.0.0.2", 80)] },
    v3: {
      load_assignment: {
        cluster_name: "a",
        endpoints: [
          {
            lb_endpoints: [
              { endpoint: { address: socket("10.0.0.2", 80) } },
              { endpoint: { address: socket("10.0.0.1", 80) } },
            ],
          },
        ],
      },
    },
    other: { hosts: [socket("10.0.0.1", 80), socket("10.0.0.3", 80)] },
  },
  verify_subject_alt_name: {
    place: "cluster",
    v2: {
      tls_context: { common_tls_context: { validation_context: { verify_subject_alt_name: ["b", "a"] } } },
    },
    v3: {
      transport_socket: tlsSocket("UpstreamTlsContext", {
        common_tls_context: {
          validation_context: { match_subject_alt_names: [{ exact: "a" }, { exact: "b" }] },
        },
      }),
    },
    other: {
      tls_context: { common_tls_context: { validation_context: { verify_subject_alt_name: ["b"] } } },
    },
  },
  sni_domains: {
    place: "chain",
    v2: { filter_chain_match: { sni_domains: ["a.b"] } },
    v3: { filter_chain_match: { server_names: ["a.b"] } },
    other: { filter_chain_match: { sni_domains: ["a.c"] } },
  },
  "deprecated_v1.bind_to_port": {
    place: "listener",
    v2: { deprecated_v1: { bind_to_port: false } },
    v3: { bind_to_port: false },
    other: { deprecated_v1: { bind_to_port: true } },
  },
  hidden_envoy_deprecated_use_original_dst: {
    place: "listener",
    v2: { hidden_envoy_deprecated_use_original_dst: true },
    v3: { use_original_dst: true },
    other: { hidden_envoy_deprecated_use_original_dst: false },
  },
  hiddenEnvoyDeprecatedTlsContext: {
    place: "cluster",
    v2: { hiddenEnvoyDeprecatedTlsContext: { sni: "a.b" } },
    v3: { transport_socket: tlsSocket("UpstreamTlsContext", { sni: "a.b" }) },
    other: { hiddenEnvoyDeprecatedTlsContext: { sni: "a.c" } },
  },
  "the config of a network filter with a well-known name": {
    place: "filter",
    v2: { name: "envoy.tcp_proxy", config: { statPrefix: "s", cluster: "c" } },
    v3: {
      name: "envoy.filters.network.tcp_proxy",
      typed_config: { "@type": url(`${network}.tcp_proxy.v3.TcpProxy`), stat_prefix: "s", cluster: "c" },
    },
    other: { name: "envoy.tcp_proxy", config: { stat_prefix: "s", cluster: "d" } },
  },
  "the hidden config of a network filter": {
    place: "filter",
    v2: { name: "envoy.tcp_proxy", hidden_envoy_deprecated_config: { stat_prefix: "s" } },
    v3: {
      name: "envoy.filters.network.tcp_proxy",
      typed_config: { "@type": url(`${network}.tcp_proxy.v3.TcpProxy`), stat_prefix: "s" },
    },
    other: { name: "envoy.tcp_proxy", hidden_envoy_deprecated_config: { stat_prefix: "t" } },
  },
  "HTTP filters inside the config of the connection manager, with and without a config": {
    place: "filter",
    v2: {
      name: "envoy.http_connection_manager",
      config: {
        stat_prefix: "s",
        http_filters: [
          { name: "envoy.fault", config: { abort: { percent: 10, http_status: 503 } } },
          { name: "envoy.router" },
        ],
        access_log: [{ name: "envoy.file_access_log", config: { path: "/dev/stdout" } }],
      },
    },
    v3: {
      name: "envoy.filters.network.http_connection_manager",
      typed_config: {
        "@type": url(`${network}.http_connection_manager.v3.HttpConnectionManager`),
        stat_prefix: "s",
        http_filters: [
          {
            name: "envoy.filters.http.fault",
            typed_config: {
              "@type": url(`${http}.fault.v3.HTTPFault`),
              abort: { percentage: { numerator: 10 }, http_status: 503 },
            },
          },
          {
            name: "envoy.filters.http.router",
            typed_config: { "@type": url(`${http}.router.v3.Router`) },
          },
        ],
        access_log: [
          {
            name: "envoy.access_loggers.file",
            typed_config: {
              "@type": url("envoy.extensions.access_loggers.file.v3.FileAccessLog"),
              path: "/dev/stdout",
            },
          },
        ],
      },
    },
    other: {
      name: "envoy.http_connection_manager",
      config: {
        stat_prefix: "s",
        http_filters: [{ name: "envoy.router" }],
        access_log: [{ name: "envoy.file_access_log", config: { path: "/dev/stdout" } }],
      },
    },
  },
  "a listener filter with a well-known name": {
    place: "listenerFilter",
    v2: { name: "envoy.listener.tls_inspector", config: {} },
    v3: {
      name: "envoy.filters.listener.tls_inspector",
      typed_config: { "@type": url("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector") },
    },
    other: { name: "envoy.listener.http_inspector" },
  },
  "regex of a route": {
    place: "match",
    v2: { regex: "/a.*" },
    v3: { safe_regex: { google_re2: {}, regex: "/a.*" } },
    other: { regex: "/b.*" },
  },
  "runtime of a route": {
    place: "match",
    v2: { prefix: "/", runtime: { default_value: 10, runtime_key: "k" } },
    v3: { prefix: "/", runtime_fraction: { default_value: { numerator: 10 }, runtime_key: "k" } },
    other: { prefix: "/", runtime: { default_value: 11, runtime_key: "k" } },
  },
  exact_match: {
    place: "header",
    v2: { exact_match: "v" },
    v3: { string_match: { exact: "v" } },
    other: { exact_match: "w" },
  },
  prefix_match: {
    place: "header",
    v2: { prefix_match: "v" },
    v3: { string_match: { prefix: "v" } },
    other: { suffix_match: "v" },
  },
  suffix_match: {
    place: "header",
    v2: { suffix_match: "v" },
    v3: { string_match: { suffix: "v" } },
    other: { prefix_match: "v" },
  },
  contains_match: {
    place: "header",
    v2: { contains_match: "v" },
    v3: { string_match: { contains: "v" } },
    other: { exact_match: "v" },
  },
  regex_match: {
    place: "header",
    v2: { regex_match: "v+" },
    v3: { string_match: { safe_regex: { regex: "v+" } } },
    other: { exact_match: "v+" },
  },
  safe_regex_match: {
    place: "header",
    v2: { safe_regex_match: { google_re2: {}, regex: "v+" } },
    v3: { string_match: { safe_regex: { regex: "v+" } } },
    other: { safe_regex_match: { google_re2: { max_program_size: 7 }, regex: "v+" } },
  },
  "value of a header": {
    place: "header",
    v2: { value: "v", regex: true },
    v3: { string_match: { safe_regex: { regex: "v" } } },
    other: { value: "v" },
  },
  "value of a query parameter": {
    place: "query",
    v2: { value: "v", regex: false },
    v3: { string_match: { exact: "v" } },
    other: { value: "v", regex: true },
  },
  host_rewrite: {
    place: "action",
    v2: { host_rewrite: "a.b" },
    v3: { host_rewrite_literal: "a.b" },
    other: { host_rewrite: "a.c" },
  },
  auto_host_rewrite_header: {
    place: "action",
    v2: { auto_host_rewrite_header: "x-host" },
    v3: { host_rewrite_header: "x-host" },
    other: { host_rewrite: "x-host" },
  },
  use_websocket: {
    place: "action",
    v2: { use_websocket: true },
    v3: { upgrade_configs: [{ upgrade_type: "websocket" }] },
    other: { use_websocket: false },
  },
  request_mirror_policy: {
    place: "action",
    v2: { request_mirror_policy: { cluster: "m", runtime_key: "k" } },
    v3: { request_mirror_policies: [{ cluster: "m", runtime_fraction: { runtime_key: "k" } }] },
    other: { request_mirror_policy: { cluster: "n", runtime_key: "k" } },
  },
  cors: {
    place: "virtualHost",
    v2: { cors: { allow_origin: ["a"], allow_origin_regex: ["b+"], enabled: true } },
    v3: {
      cors: {
        allow_origin_string_match: [{ exact: "a" }, { safe_regex: { regex: "b+" } }],
        filter_enabled: { default_value: { numerator: 100 } },
      },
    },
    other: { cors: { allow_origin: ["a"], enabled: true } },
  },
  "per_filter_config of a filter that has a type for routes": {
    place: "route",
    v2: { per_filter_config: { "envoy.fault": { delay: { percent: 5, fixed_delay: "1.0s" } } } },
    v3: {
      typed_per_filter_config: {
        "envoy.filters.http.fault": {
          "@type": url(`${http}.fault.v3.HTTPFault`),
          delay: { percentage: { numerator: 5 }, fixed_delay: "1s" },
        },
      },
    },
    other: { per_filter_config: { "envoy.fault": { delay: { percent: 5, fixed_delay: "2s" } } } },
  },
  "per_filter_config of another filter": {
    place: "virtualHost",
    v2: { per_filter_config: { mixer: { mixer_attributes: { a: 1 } } } },
    v3: {
      typed_per_filter_config: {
        mixer: { "@type": url("google.protobuf.Struct"), value: { mixer_attributes: { a: 1 } } },
      },
    },
    other: { per_filter_config: { mixer: { mixerAttributes: { a: 1 } } } },
  },
  "a host predicate without a type": {
    place: "action",
    v2: { retry_policy: { retry_host_predicate: [{ name: "envoy.retry_host_predicates.previous_hosts" }] } },
    v3: {
      retry_policy: {
        retry_host_predicate: [
          {
            name: "envoy.retry_host_predicates.previous_hosts",
            typed_config: {
              "@type": url("envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"),
            },
          },
        ],
      },
    },
    other: { retry_policy: { retry_host_predicate: [{ name: "envoy.retry_host_predicates.omit_canary" }] } },
  },
};

describe("what v2 said otherwise", () => {
  it.each(Object.entries(cases))("%s", (_, { place, v2, v3, other }) => {
    const kind = kindOf[place];
    const now = said(kind, v3Types[kind], places[place](v3));
    expect(said(kind, v2Types[kind], places[place](v2))).toBe(now);
    // and inside v3's messages, as Envoy 1.14 to 1.17 and Istiods of that time mix them
    expect(said(kind, v3Types[kind], places[place](v2))).toBe(now);
    expect(said(kind, v2Types[kind], places[place](other))).not.toBe(now);
  });

  it.each([
    ["envoy.config.filter.network.tcp_proxy.v2.TcpProxy", "tcp_proxy.v3.TcpProxy"],
    ["envoy.config.filter.network.rbac.v2.RBAC", "rbac.v3.RBAC"],
  ])("types by their names of today: %s", (v2, v3) => {
    const filter = (type: string): JsonObject =>
      places.filter({ name: "f", typed_config: { "@type": url(type), stat_prefix: "s" } });
    const now = said("listener", v3Types.listener, filter(`${network}.${v3}`));
    expect(said("listener", v2Types.listener, filter(v2))).toBe(now);
    expect(said("listener", v2Types.listener, filter("example.com.Nobody"))).not.toBe(now);
  });

  it.each(Object.entries(v2Types))("a %s without a type, as in dumps of Istio 1.4", (kind, type) => {
    const fields = { name: "a", cluster_name: "a", deprecated_v1: { bind_to_port: true } };
    const untyped = semanticForm(resourceOf(kind as Kind, fields)).text;
    const typed = said(kind as Kind, type, fields);
    expect(untyped).toBe(typed);
    expect(typed).toContain(url(v3Types[kind as Kind]));
  });
});

describe("what is said twice", () => {
  it("keeps both where the old and the new field are set: no difference may hide behind the other", () => {
    const both = (sni: string): string =>
      said("cluster", v3Types.cluster, {
        name: "a",
        tls_context: { sni },
        transport_socket: tlsSocket("UpstreamTlsContext", { sni: "a.b" }),
      });
    expect(both("a.b")).not.toBe(both("a.c"));
    const hosts = (port: number): string =>
      said("cluster", v3Types.cluster, { name: "a", hosts: [socket("10.0.0.1", port)], load_assignment: {} });
    expect(hosts(1)).not.toBe(hosts(2));
  });

  it("keeps both spellings of one filter's settings", () => {
    const both = (percent: number): string =>
      said(
        "routeConfiguration",
        v3Types.routeConfiguration,
        places.route({
          per_filter_config: { "envoy.fault": { delay: { percent } } },
          typed_per_filter_config: {
            "envoy.filters.http.fault": { "@type": url(`${http}.fault.v3.HTTPFault`) },
          },
        }),
      );
    expect(both(1)).not.toBe(both(2));
  });

  it("gives a filter that comes by ECDS no configuration of its own", () => {
    const manager = (filter: JsonObject): string =>
      said(
        "listener",
        v3Types.listener,
        places.filter({
          name: "envoy.filters.network.http_connection_manager",
          typed_config: {
            "@type": url(`${network}.http_connection_manager.v3.HttpConnectionManager`),
            http_filters: [filter],
          },
        }),
      );
    const discovered = { name: "envoy.filters.http.lua", config_discovery: { type_urls: ["a"] } };
    expect(manager(discovered)).not.toContain("lua.v3.Lua");
    expect(manager({ name: "envoy.filters.http.lua" })).toContain("lua.v3.Lua");
  });
});
