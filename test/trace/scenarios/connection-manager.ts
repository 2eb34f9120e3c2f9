/** Section 4 of the facts: where routes come from, normalisation of path and host, headers, upgrades. */
import { fileSource } from "../../support/live/xds-files.js";
import {
  chain,
  cluster,
  downstreamTls,
  extension,
  forward,
  httpManager,
  listener,
  proxyProtocol,
  route,
  routeConfig,
  router,
  virtualHost,
} from "../../support/judge/messages.js";
import {
  answered,
  httpScenario,
  noRoute,
  scenario,
  to,
  type CasePair,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { JsonObject } from "../../support/mesh/json.js";

/** A manager in which the route configuration comes from elsewhere. */
const managerFrom = (source: JsonObject): JsonObject =>
  extension(
    "envoy.filters.network.http_connection_manager",
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    { stat_prefix: "judge", generate_request_id: false, http_filters: [router], ...source },
  );

/** A source that never answers: there is no such server. */
const silentSource: JsonObject = {
  api_config_source: {
    api_type: "GRPC",
    transport_api_version: "V3",
    grpc_services: [{ envoy_grpc: { cluster_name: "no xds server" } }],
  },
  initial_fetch_timeout: "0.2s",
  resource_api_version: "V3",
};

const paths = (
  name: string,
  facts: string,
  manager: JsonObject,
  rows: readonly (readonly [string, string])[],
  others: readonly CasePair[] = [],
): Scenario =>
  httpScenario(`path: ${name}`, facts, {
    routes: [route("all")],
    manager,
    cases: [
      ...rows.map(([path, received]): CasePair => [{ path }, to("all", { path: received })]),
      ...others,
    ],
  });

const hosts = (
  name: string,
  facts: string,
  manager: JsonObject,
  rows: readonly (readonly [string, string])[],
  others: readonly CasePair[] = [],
): Scenario =>
  httpScenario(`host: ${name}`, facts, {
    routes: [route("all")],
    manager,
    cases: [
      ...rows.map(([authority, received]): CasePair => [{ authority }, to("all", { authority: received })]),
      ...others,
    ],
  });

const scoped = (extractor: JsonObject): JsonObject =>
  managerFrom({
    scoped_routes: {
      name: "scopes",
      scope_key_builder: { fragments: [{ header_value_extractor: extractor }] },
      scoped_route_configurations_list: {
        scoped_route_configurations: ["one", "two"].map((scope) => ({
          name: `scope ${scope}`,
          key: { fragments: [{ string_key: scope }] },
          route_configuration: routeConfig([virtualHost(scope, ["*"], [route(`to ${scope}`)])], {
            name: `routes of ${scope}`,
          }),
        })),
      },
    },
  });

export const connectionManagerScenarios: readonly Scenario[] = [
  scenario(
    "routes of RDS",
    "4.1",
    {
      listeners: [
        listener("routes of RDS", [
          chain("http", [
            managerFrom({
              rds: { route_config_name: "rds table", config_source: fileSource("rds", "rds table") },
            }),
          ]),
        ]),
      ],
      routes: [routeConfig([virtualHost("rds", ["a.com"], [route("of rds")])], { name: "rds table" })],
    },
    [
      [{ authority: "a.com" }, to("of rds", { virtualHost: "rds" })],
      [{ authority: "b.com" }, noRoute],
    ],
  ),
  scenario(
    "routes of RDS that never came",
    "4.1, 1.1",
    {
      listeners: [
        listener("routes of RDS that never came", [
          chain("http", [
            managerFrom({ rds: { route_config_name: "no table", config_source: silentSource } }),
          ]),
        ]),
      ],
      clusters: [cluster("no xds server", [{ address: "127.77.1.9", port: 1 }])],
    },
    [[{}, noRoute]],
  ),
  scenario(
    "scopes by a header",
    "4.1",
    {
      listeners: [
        listener("scopes by a header", [chain("http", [scoped({ name: "x-scope", index: 0 })])]),
        listener("scopes by an index", [
          chain("http", [scoped({ name: "x-scope", element_separator: ",", index: 1 })]),
        ]),
        listener("scopes by an element", [
          chain("http", [
            scoped({ name: "x-scope", element_separator: ";", element: { separator: "=", key: "s" } }),
          ]),
        ]),
      ],
    },
    [
      [{ headers: [["x-scope", "one"]] }, to("to one")],
      [{ headers: [["x-scope", "two"]] }, to("to two")],
      [
        {
          headers: [
            ["x-scope", "two"],
            ["x-scope", "one"],
          ],
        },
        to("to two"),
      ],
      [{ headers: [["x-scope", "three"]] }, noRoute],
      [{}, noRoute],
      [{ listener: "scopes by an index", headers: [["x-scope", "one,two"]] }, to("to two")],
      [{ listener: "scopes by an index", headers: [["x-scope", "one"]] }, noRoute],
      [{ listener: "scopes by an element", headers: [["x-scope", "a=1;s=two"]] }, to("to two")],
      [{ listener: "scopes by an element", headers: [["x-scope", "s"]] }, noRoute],
      [{ listener: "scopes by an element", headers: [["x-scope", "s=one;s=two"]] }, to("to one")],
    ],
  ),
  paths("as it comes", "4.3; 12 traps", {}, [
    ["/a/%2e%2e/b", "/a/%2e%2e/b"],
    ["/a//b", "/a//b"],
    ["/a/../b", "/a/../b"],
    ["/a%2Fb", "/a%2Fb"],
  ]),
  paths(
    "a fragment",
    "4.3; 12 traps",
    {},
    [["/a", "/a"]],
    [
      [{ path: "/foo#bar" }, answered(400, "path_normalization_failed")],
      [{ path: "/foo?x#bar" }, answered(400, "path_normalization_failed")],
    ],
  ),
  paths(
    "normalize_path",
    "4.3; 12 traps",
    { normalize_path: true },
    [
      ["/a/b/../c", "/a/c"],
      ["/a/%2e%2e/b", "/b"],
      ["/a/..\\c", "/c"],
      ["/a/b/%2E%2E/c", "/a/c"],
      ["/a/%2F%2f/c", "/a/%2F%2f/c"],
      ["/%c0%af", "/%c0%af"],
      ["/../../x", "/x"],
      ["/a//b", "/a//b"],
      ["/a/./b/", "/a/b/"],
      ["/a?b=../c", "/a?b=../c"],
      ["/%41%7e", "/A~"],
    ],
    [[{ path: "/a%00b" }, answered(400, "path_normalization_failed")]],
  ),
  paths("merge_slashes", "4.3", { merge_slashes: true }, [
    ["//a//b?x=//", "/a/b?x=//"],
    ["///", "//"],
    ["//?x", "//?x"],
    ["/a//", "/a/"],
    ["/a", "/a"],
  ]),
  paths(
    "escaped slashes are refused",
    "4.3",
    { path_with_escaped_slashes_action: "REJECT_REQUEST" },
    [
      ["/a%20b", "/a%20b"],
      ["/a?b=%2F", "/a?b=%2F"],
    ],
    ["/a%2Fb", "/a%2fb", "/a%5Cb", "/a%5cb"].map((path): CasePair => [
      { path },
      answered(400, "path_normalization_failed"),
    ]),
  ),
  paths(
    "escaped slashes are unescaped with a redirect",
    "4.3",
    { path_with_escaped_slashes_action: "UNESCAPE_AND_REDIRECT" },
    [["/a/b", "/a/b"]],
    [
      [{ path: "/a%2Fb?c=%2F" }, { status: 307, location: "/a/b?c=%2F", isReceived: false }],
      [{ path: "/a%2Fb", headers: [["content-type", "application/grpc"]] }, { isReceived: false }],
    ],
  ),
  paths(
    "escaped slashes are unescaped",
    "4.3",
    { path_with_escaped_slashes_action: "UNESCAPE_AND_FORWARD" },
    [
      ["/a%2Fb?c=%2F", "/a/b?c=%2F"],
      ["/a%5Cb", "/a\\b"],
    ],
  ),
  paths(
    "unescaped, normalized and merged",
    "4.3",
    { path_with_escaped_slashes_action: "UNESCAPE_AND_FORWARD", normalize_path: true, merge_slashes: true },
    [
      ["/%2F%2F", "//"], // the last slash is kept beside the first
      ["/a%2F..%2Fb", "/b"],
      ["/a%5Cb//c", "/a/b/c"],
    ],
  ),
  httpScenario("path: routes see the normalized one", "4.2, 4.3", {
    routes: [route("b", { path: "/b" }), route("rest")],
    manager: { normalize_path: true },
    cases: [
      [{ path: "/a/../b" }, to("b")],
      [{ path: "/a/b" }, to("rest")],
    ],
  }),
  hosts("as it comes", "4.4", {}, [
    ["a.com:80", "a.com:80"],
    ["a.com.", "a.com."],
    ["A.com", "A.com"],
  ]),
  hosts("strip_any_host_port", "4.4", { strip_any_host_port: true }, [
    ["a.com:80", "a.com"],
    ["[::1]:80", "[::1]"],
    ["[::1]", "[::1]"],
    ["a.com:", "a.com:"],
    ["a.com", "a.com"],
  ]),
  hosts("strip_matching_host_port", "4.4", { strip_matching_host_port: true }, [
    ["a.com:10000", "a.com"],
    ["a.com:10001", "a.com:10001"],
    ["a.com", "a.com"],
  ]),
  hosts("strip_trailing_host_dot", "4.4", { strip_trailing_host_dot: true }, [
    ["foo.com.", "foo.com"],
    ["foo.com.:80", "foo.com:80"],
    ["foo.com", "foo.com"],
    ["foo.com..", "foo.com."],
  ]),
  hosts(
    "illegal",
    "4.2",
    {},
    [["a_b.com", "a_b.com"]],
    [
      [{ authority: null }, answered(400, "missing_host_header")],
      [{ authority: "a b" }, answered(400, "http.invalid_authority")],
    ],
  ),
  scenario(
    "host: strip_matching_host_port by the restored port",
    "4.4",
    {
      listeners: [
        listener(
          "host: strip_matching_host_port by the restored port",
          [
            chain("http", [
              httpManager(routeConfig([virtualHost("all", ["*"], [route("all")])]), [], {
                strip_matching_host_port: true,
              }),
            ]),
          ],
          { listener_filters: [proxyProtocol] },
        ),
      ],
    },
    [
      [
        {
          authority: "a.com:81",
          proxy: { source: { ip: "10.0.0.9", port: 5 }, destination: { ip: "10.0.0.1", port: 81 } },
        },
        to("all", { authority: "a.com" }),
      ],
      [
        {
          authority: "a.com:10000",
          proxy: { source: { ip: "10.0.0.9", port: 5 }, destination: { ip: "10.0.0.1", port: 81 } },
        },
        to("all", { authority: "a.com:10000" }),
      ],
    ],
  ),
  httpScenario("absolute-form target", "4.2", {
    routes: [route("x", { path: "/x" }), route("rest")],
    cases: [
      [
        { path: "http://abs.com/x?y", authority: "other.com" },
        to("x", { authority: "abs.com", path: "/x?y" }),
      ],
      [{ path: "/x", authority: "other.com" }, to("x", { authority: "other.com" })],
    ],
  }),
  httpScenario("HTTP/1.0", "4.2", {
    routes: [route("all")],
    cases: [
      [{ protocol: "http/1.0" }, answered(426, "low_version", { flags: ["DPE"] })],
      [
        { protocol: "http/1.0", headers: [["content-type", "application/grpc"]] },
        answered(426, "low_version", { flags: ["DPE"] }),
      ],
      [{ protocol: "http/1.1" }, to("all")],
    ],
  }),
  httpScenario("hop-by-hop headers", "4.5", {
    routes: [
      route("seen", { headers: [{ name: "keep-alive", present_match: true }] }),
      route("internal", { headers: [{ name: "x-envoy-internal", present_match: true }] }),
      route("rest"),
    ],
    cases: [
      [{ headers: [["keep-alive", "5"]] }, to("rest", { headers: { "keep-alive": null } })],
      [{ headers: [["x-envoy-internal", "true"]] }, to("rest", { headers: { "x-envoy-internal": null } })],
      [{ headers: [["te", "trailers"]] }, to("rest", { headers: { te: "trailers" } })],
      [{ headers: [["te", "gzip"]] }, to("rest", { headers: { te: null } })],
    ],
  }),
  httpScenario("x-forwarded-proto is kept", "4.5", {
    routes: [
      route("https", { headers: [{ name: "x-forwarded-proto", string_match: { exact: "https" } }] }),
      route("rest"),
    ],
    cases: [
      [{ headers: [["x-forwarded-proto", "https"]] }, to("https")],
      [{}, to("rest", { headers: { "x-forwarded-proto": "http" } })],
    ],
  }),
  httpScenario("x-forwarded-proto is overwritten at the edge", "4.5; 12 traps", {
    routes: [
      route("https", { headers: [{ name: "x-forwarded-proto", string_match: { exact: "https" } }] }),
      route("rest"),
    ],
    manager: { use_remote_address: true },
    cases: [
      [
        { headers: [["x-forwarded-proto", "https"]] },
        to("rest", { headers: { "x-forwarded-proto": "http" } }),
      ],
      [{}, to("rest")],
    ],
  }),
  httpScenario("x-forwarded-proto with trusted hops", "4.5", {
    routes: [
      route("https", { headers: [{ name: "x-forwarded-proto", string_match: { exact: "https" } }] }),
      route("rest"),
    ],
    manager: { use_remote_address: true, xff_num_trusted_hops: 1 },
    cases: [
      [{ headers: [["x-forwarded-proto", "https"]] }, to("https")],
      [{}, to("rest")],
    ],
  }),
  httpScenario("scheme_header_transformation", "4.5", {
    routes: [
      route("https", { headers: [{ name: ":scheme", string_match: { exact: "https" } }] }),
      route("rest"),
    ],
    manager: { scheme_header_transformation: { scheme_to_overwrite: "https" } },
    cases: [[{}, to("https", { headers: { "x-forwarded-proto": "https" } })]],
  }),
  httpScenario("x-forwarded-for at the edge", "4.5", {
    routes: [route("all")],
    manager: { use_remote_address: true },
    listener: { listener_filters: [proxyProtocol] },
    cases: [
      [
        { proxy: { source: { ip: "10.9.9.9", port: 5 }, destination: { ip: "10.0.0.1", port: 81 } } },
        to("all", { headers: { "x-forwarded-for": "10.9.9.9" } }),
      ],
      [
        {
          headers: [["x-forwarded-for", "1.2.3.4"]],
          proxy: { source: { ip: "10.9.9.9", port: 5 }, destination: { ip: "10.0.0.1", port: 81 } },
        },
        to("all", { headers: { "x-forwarded-for": "1.2.3.4,10.9.9.9" } }),
      ],
    ],
  }),
  httpScenario("control headers from outside", "4.5", {
    routes: [
      route("timeout", { headers: [{ name: "x-envoy-retry-on", present_match: true }] }),
      route("own", { headers: [{ name: "x-own", present_match: true }] }),
      route("rest"),
    ],
    routeConfig: { internal_only_headers: ["x-own"] },
    manager: { use_remote_address: true },
    cases: [
      [{ headers: [["x-envoy-retry-on", "5xx"]] }, to("rest")],
      [{ headers: [["x-own", "1"]] }, to("rest")],
    ],
  }),
  httpScenario("control headers of internal requests", "4.5", {
    routes: [
      route("retries", { headers: [{ name: "x-envoy-retry-on", present_match: true }] }),
      route("own", { headers: [{ name: "x-own", present_match: true }] }),
      route("internal", { headers: [{ name: "x-envoy-internal", string_match: { exact: "true" } }] }),
      route("rest"),
    ],
    routeConfig: { internal_only_headers: ["x-own"] },
    manager: { internal_address_config: { cidr_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] } },
    cases: [
      [
        {
          headers: [
            ["x-envoy-retry-on", "5xx"],
            ["x-forwarded-for", "10.1.1.1"],
          ],
        },
        to("retries"),
      ],
      [
        {
          headers: [
            ["x-own", "1"],
            ["x-forwarded-for", "10.1.1.1"],
          ],
        },
        to("own"),
      ],
      [{ headers: [["x-forwarded-for", "10.1.1.1"]] }, to("internal")],
      [{ headers: [["x-envoy-retry-on", "5xx"]] }, to("rest")],
      [
        {
          headers: [
            ["x-own", "1"],
            ["x-forwarded-for", "11.1.1.1"],
          ],
        },
        to("rest"),
      ],
    ],
  }),
  ...(
    [
      ["SANITIZE", null],
      ["FORWARD_ONLY", null],
      ["ALWAYS_FORWARD_ONLY", "By=a"],
    ] as const
  ).map(([mode, received]) =>
    httpScenario(`x-forwarded-client-cert: ${mode}`, "4.5", {
      routes: [route("all")],
      manager: { forward_client_cert_details: mode },
      cases: [
        [
          { headers: [["x-forwarded-client-cert", "By=a"]] },
          to("all", { headers: { "x-forwarded-client-cert": received } }),
        ],
      ],
    }),
  ),
  httpScenario("a filter's header does not change the route", "4.2", {
    routes: [route("added", { headers: [{ name: "x-added", present_match: true }] }), route("rest")],
    filters: [
      extension("mutation", "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", {
        mutations: {
          request_mutations: [{ append: { header: { key: "x-added", value: "1" } } }],
        },
      }),
    ],
    cases: [[{}, to("rest", { headers: { "x-added": "1" } })]],
  }),
  httpScenario("a filter that clears the route cache", "4.2", {
    routes: [route("added", { headers: [{ name: "x-added", present_match: true }] }), route("rest")],
    filters: [
      extension("h2m", "envoy.extensions.filters.http.header_to_metadata.v3.Config", {
        request_rules: [{ header: "x-in", on_header_present: { key: "k", type: "STRING" }, remove: true }],
      }),
    ],
    cases: [
      [{ headers: [["x-in", "1"]] }, to("rest", { headers: { "x-in": null } })],
      [{ headers: [["x-added", "1"]] }, to("added")],
    ],
  }),
  httpScenario("early header mutation comes before the route", "4.2", {
    routes: [route("early", { headers: [{ name: "x-early", present_match: true }] }), route("rest")],
    manager: {
      early_header_mutation_extensions: [
        extension("early", "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation", {
          mutations: [{ append: { header: { key: "x-early", value: "1" } } }],
        }),
      ],
    },
    cases: [[{}, to("early")]],
  }),
  httpScenario("an upgrade that nobody allows", "4.2, 4.6", {
    routes: [route("ws", { prefix: "/ws" })],
    cases: [
      [
        {
          path: "/ws",
          headers: [
            ["upgrade", "websocket"],
            ["connection", "upgrade"],
          ],
        },
        answered(403, "upgrade_failed"),
      ],
      [
        {
          path: "/other",
          headers: [
            ["upgrade", "websocket"],
            ["connection", "upgrade"],
          ],
        },
        noRoute,
      ],
    ],
  }),
  httpScenario("an upgrade that the manager allows", "4.6", {
    routes: [
      forward(
        "off",
        { prefix: "/off" },
        { upgrade_configs: [{ upgrade_type: "websocket", enabled: false }] },
      ),
      route("ws"),
    ],
    manager: { upgrade_configs: [{ upgrade_type: "WebSocket" }] },
    cases: [
      [
        {
          path: "/ws",
          headers: [
            ["upgrade", "websocket"],
            ["connection", "upgrade"],
          ],
        },
        { route: "ws", status: 101, isReceived: true },
      ],
      [
        {
          path: "/off",
          headers: [
            ["upgrade", "websocket"],
            ["connection", "upgrade"],
          ],
        },
        answered(403, "upgrade_failed"),
      ],
    ],
  }),
  httpScenario("an upgrade that only the route allows", "4.6", {
    routes: [
      forward("on", { prefix: "/on" }, { upgrade_configs: [{ upgrade_type: "websocket" }] }),
      route("rest"),
    ],
    cases: [
      [
        {
          path: "/on",
          headers: [
            ["upgrade", "websocket"],
            ["connection", "upgrade"],
          ],
        },
        { route: "on", status: 101, isReceived: true },
      ],
      [
        {
          path: "/x",
          headers: [
            ["upgrade", "websocket"],
            ["connection", "upgrade"],
          ],
        },
        answered(403, "upgrade_failed"),
      ],
    ],
  }),
  httpScenario("HTTP/2 over cleartext and TLS", "4.2", {
    routes: [
      route("https", { headers: [{ name: ":scheme", string_match: { exact: "https" } }] }),
      route("http"),
    ],
    chain: downstreamTls({ alpn: ["h2", "http/1.1"] }),
    cases: [
      [{ protocol: "h2", scheme: "https", tls: { alpn: ["h2"] } }, to("https")],
      [{ protocol: "http/1.1", tls: { alpn: ["http/1.1"] } }, to("https")],
      [{ protocol: "http/1.1", tls: {}, headers: [["x-forwarded-proto", "http"]] }, to("http")],
    ],
  }),
  httpScenario("local replies that are mapped", "4.6", {
    routes: [route("only", { prefix: "/only" })],
    manager: {
      local_reply_config: {
        mappers: [
          {
            filter: {
              status_code_filter: {
                comparison: { op: "EQ", value: { default_value: 404, runtime_key: "judge.mapper" } },
              },
            },
            status_code: 418,
          },
        ],
      },
    },
    cases: [
      [{ path: "/x" }, { status: 418, flags: ["NR"], details: "route_not_found" }],
      [{ path: "/only" }, to("only")],
    ],
  }),
];
