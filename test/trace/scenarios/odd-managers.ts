/** Sections 4.1, 4.5, 4.6 and 9.8 of the facts, what the other files of oddities do not have. */
import {
  chain,
  cluster,
  downstreamTls,
  extension,
  forward,
  listener,
  route,
  routeConfig,
  router,
  tcpProxy,
  virtualHost,
} from "../../support/judge/messages.js";
import {
  answered,
  closed,
  httpScenario,
  noRoute,
  scenario,
  to,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { JsonObject } from "../../support/mesh/json.js";

const scopedBy = (
  fragments: readonly JsonObject[],
  scopes: Readonly<Record<string, readonly string[]>>,
): JsonObject =>
  extension(
    "envoy.filters.network.http_connection_manager",
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    {
      stat_prefix: "judge",
      generate_request_id: false,
      http_filters: [router],
      scoped_routes: {
        name: `scopes of ${Object.keys(scopes).join(" ")}`,
        scope_key_builder: {
          fragments: fragments.map((extractor) => ({ header_value_extractor: extractor })),
        },
        scoped_route_configurations_list: {
          scoped_route_configurations: Object.entries(scopes).map(([name, keys]) => ({
            name,
            key: { fragments: keys.map((string_key) => ({ string_key })) },
            route_configuration: routeConfig([virtualHost(name, ["*"], [route(`to ${name}`)])], {
              name: `routes of ${name}`,
            }),
          })),
        },
      },
    },
  );

const scoped = (
  name: string,
  fragments: readonly JsonObject[],
  scopes: Readonly<Record<string, readonly string[]>>,
  cases: Parameters<typeof scenario>[3],
): Scenario =>
  scenario(
    name,
    "4.1",
    { listeners: [listener(name, [chain("http", [scopedBy(fragments, scopes)])])] },
    cases,
  );

const websocket = [
  ["connection", "upgrade"],
  ["upgrade", "websocket"],
] as const;
const mutation = (key: string): JsonObject =>
  extension(`mutation ${key}`, "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", {
    mutations: { request_mutations: [{ append: { header: { key, value: "1" } } }] },
  });

const breaking = (
  name: string,
  thresholds: JsonObject,
  flags: readonly string[],
  addresses: readonly string[],
): Scenario =>
  scenario(
    name,
    "8, 9.8",
    {
      listeners: [listener(name, [chain("tcp", [tcpProxy(name)])])],
      clusters: [
        cluster(
          name,
          addresses.map((address) => ({ address })),
          { circuit_breakers: { thresholds: [thresholds] } },
        ),
      ],
    },
    [[{ protocol: "tcp" }, closed({ flags })]],
  );

const xfcc = (name: string, manager: JsonObject, cases: Parameters<typeof scenario>[3]): Scenario =>
  httpScenario(`certificate header: ${name}`, "4.5", {
    routes: [
      route("uri", {
        headers: [
          {
            name: "x-forwarded-client-cert",
            string_match: { contains: "URI=spiffe://cluster.local/ns/default/sa/client" },
          },
        ],
      }),
      route("sent", { headers: [{ name: "x-forwarded-client-cert", string_match: { prefix: "By=a" } }] }),
      route("there", { headers: [{ name: "x-forwarded-client-cert", present_match: true }] }),
      route("rest"),
    ],
    chain: downstreamTls({ require: false }),
    manager,
    cases,
  });
const sent = { headers: [["x-forwarded-client-cert", "By=a"]] } as const;
const withCertificate = { tls: { certificate: "client" } } as const;

export const oddManagerScenarios: readonly Scenario[] = [
  scoped(
    "odd scopes: of two fragments",
    [
      { name: "x-a", index: 0 },
      { name: "X-B", element_separator: ",", index: 1 },
    ],
    { "one two": ["one", "two"], "one three": ["one", "three"], "two one": ["two", "one"] },
    [
      [
        {
          headers: [
            ["x-a", "one"],
            ["x-b", "x,two"],
          ],
        },
        to("to one two"),
      ],
      [
        {
          headers: [
            ["x-a", "one"],
            ["x-b", "x,three"],
          ],
        },
        to("to one three"),
      ],
      [
        {
          headers: [
            ["x-a", "two"],
            ["x-b", ",one"],
          ],
        },
        to("to two one"),
      ],
      [{ headers: [["x-a", "one"]] }, noRoute],
      [
        {
          headers: [
            ["x-a", "one"],
            ["x-b", "two"],
          ],
        },
        noRoute,
      ],
      [
        {
          headers: [
            ["x-a", "One"],
            ["x-b", "x,two"],
          ],
        },
        noRoute,
      ],
    ],
  ),
  scoped(
    "odd scopes: elements",
    [{ name: "x-a", element_separator: ";", element: { separator: "=>", key: "k" } }],
    { value: ["v"], empty: ["=>v"] },
    [
      [{ headers: [["x-a", "a;k=>v;b"]] }, to("to value")],
      [{ headers: [["x-a", "k=>=>v"]] }, to("to empty")],
      [{ headers: [["x-a", " k=>v"]] }, to("to value")],
      [{ headers: [["x-a", "a; k=>v"]] }, noRoute],
      [{ headers: [["x-a", "K=>v"]] }, noRoute],
      [{ headers: [["x-a", "k=>"]] }, noRoute],
      [{ headers: [["x-a", ""]] }, noRoute],
    ],
  ),
  scoped(
    "odd scopes: one value without a separator",
    [{ name: ":authority", index: 0 }],
    { host: ["a.com"] },
    [
      [{ authority: "a.com" }, to("to host")],
      [{ authority: "a.com:80" }, noRoute],
      [{ authority: "A.com" }, noRoute],
    ],
  ),
  xfcc(
    "SANITIZE_SET",
    {
      forward_client_cert_details: "SANITIZE_SET",
      set_current_client_cert_details: { uri: true, subject: true },
    },
    [
      [withCertificate, to("uri")],
      [{ ...withCertificate, ...sent }, to("uri")],
      [{ tls: {}, ...sent }, to("rest", { headers: { "x-forwarded-client-cert": null } })],
    ],
  ),
  xfcc(
    "APPEND_FORWARD",
    { forward_client_cert_details: "APPEND_FORWARD", set_current_client_cert_details: { dns: true } },
    [
      [{ ...withCertificate, ...sent }, to("sent")],
      [withCertificate, to("there")],
      [{ tls: {}, ...sent }, to("rest")],
    ],
  ),
  xfcc("FORWARD_ONLY with a certificate", { forward_client_cert_details: "FORWARD_ONLY" }, [
    [{ ...withCertificate, ...sent }, to("sent", { headers: { "x-forwarded-client-cert": "By=a" } })],
    [withCertificate, to("rest")],
    [{ tls: {}, ...sent }, to("rest")],
  ]),
  httpScenario("an upgrade with filters of its own", "4.6", {
    routes: [
      forward("route", { prefix: "/r" }, { upgrade_configs: [{ upgrade_type: "websocket" }] }),
      route("rest"),
    ],
    filters: [mutation("x-normal")],
    manager: { upgrade_configs: [{ upgrade_type: "websocket", filters: [mutation("x-upgrade"), router] }] },
    cases: [
      [
        { path: "/r", headers: websocket },
        { route: "route", status: 101, headers: { "x-upgrade": "1", "x-normal": null } },
      ],
      [
        { path: "/x", headers: websocket },
        { route: "rest", status: 101, headers: { "x-upgrade": "1", "x-normal": null } },
      ],
      [{ path: "/x" }, to("rest", { headers: { "x-upgrade": null, "x-normal": "1" } })],
    ],
  }),
  httpScenario("an upgrade over HTTP/2", "4.6", {
    routes: [
      forward(
        "off",
        { prefix: "/off" },
        { upgrade_configs: [{ upgrade_type: "websocket", enabled: false }] },
      ),
      route("rest"),
    ],
    manager: {
      upgrade_configs: [{ upgrade_type: "websocket" }],
      http2_protocol_options: { allow_connect: true },
    },
    cases: [
      [
        { protocol: "h2", method: "CONNECT", path: "/x", headers: [[":protocol", "websocket"]] },
        { route: "rest" },
      ],
      [
        { protocol: "h2", method: "CONNECT", path: "/off", headers: [[":protocol", "websocket"]] },
        answered(403, "upgrade_failed", { route: "off" }),
      ],
      [
        { protocol: "h2", method: "CONNECT", path: "/x", headers: [[":protocol", "other"]] },
        answered(403, "upgrade_failed"),
      ],
    ],
  }),
  httpScenario("local replies: the first mapper that fits", "4.6", {
    routes: [
      route("missing", { prefix: "/missing" }, { route: { cluster: "nowhere" } }),
      route("redirect", { prefix: "/redirect" }, { redirect: { host_redirect: "b" } }),
      route("direct", { prefix: "/direct" }, { direct_response: { status: 404 } }),
    ],
    manager: {
      local_reply_config: {
        mappers: [
          {
            filter: { response_flag_filter: { flags: ["NC"] } },
            status_code: 502,
          },
          {
            filter: {
              status_code_filter: {
                comparison: { op: "GE", value: { default_value: 400, runtime_key: "judge.odd.mapper" } },
              },
            },
            status_code: 499,
            headers_to_add: [{ header: { key: "x-mapped", value: "1" } }],
          },
        ],
      },
    },
    cases: [
      [
        { path: "/missing" },
        { status: 502, flags: ["NC"], details: "cluster_not_found", responseHeaders: { "x-mapped": null } },
      ],
      [
        { path: "/none" },
        { status: 499, flags: ["NR"], details: "route_not_found", responseHeaders: { "x-mapped": "1" } },
      ],
      [{ path: "/direct" }, { status: 499, details: "direct_response" }],
      [{ path: "/redirect" }, { status: 301, location: "http://b/redirect" }],
      [{ path: "x y" }, { status: 499, flags: ["DPE"] }],
    ],
  }),
  breaking("odd tcp breaker: connections, no host", { max_connections: 0 }, ["UO"], []),
  breaking("odd tcp breaker: pending, no host", { max_pending_requests: 0 }, ["UH"], []),
  breaking("odd tcp breaker: connections", { max_connections: 0 }, ["UO"], ["127.77.1.1"]),
  breaking("odd tcp breaker: requests do not count", { max_requests: 0 }, ["UH"], []),
];
