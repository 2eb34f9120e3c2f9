/** Sections 8 and 10 of the facts: filters between the router and the host, and requests that filters see without a path or an address. */
import {
  chain,
  cluster,
  clusterOf,
  extension,
  forward,
  http2Upstream,
  httpManager,
  listener,
  router,
  route,
  routeConfig,
  tcpProxy,
  typeUrl,
  virtualHost,
} from "../../support/judge/messages.js";
import {
  answered,
  httpScenario,
  scenario,
  to,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { JsonObject } from "../../support/mesh/json.js";

const codec = extension(
  "envoy.filters.http.upstream_codec",
  "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
);
const sets = (value: string, name = "mutate"): JsonObject =>
  extension(name, "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", {
    mutations: {
      request_mutations: [
        {
          append: {
            header: { key: "x-set", value },
            append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
          },
        },
      ],
    },
  });
const withFilters = (filters: readonly JsonObject[]): JsonObject => ({
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": typeUrl("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
      explicit_http_config: { http_protocol_options: {} },
      http_filters: [...filters, codec],
    },
  },
});
const routerWith = (filters: readonly JsonObject[]): JsonObject =>
  extension("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", {
    upstream_http_filters: [...filters, codec],
  });

const rbac = (rules: JsonObject): JsonObject =>
  extension("rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", { rules });
const allow = (permission: JsonObject, principal: JsonObject = { any: true }): JsonObject => ({
  policies: { p: { permissions: [permission], principals: [principal] } },
});
const denied: Expected = answered(403, "rbac_access_denied_matched_policy[none]");

const host = [{ address: "127.77.1.2" }];
const setX = (value: string): Expected => to("r", { headers: { "x-set": value } });
const own = { headers: [["x-set", "own"]] } as const;

const setState = (key: string, value: string, more: JsonObject = {}): JsonObject =>
  extension("set", "envoy.extensions.filters.http.set_filter_state.v3.Config", {
    on_request_headers: [
      { object_key: key, format_string: { text_format_source: { inline_string: value } }, ...more },
    ],
  });
const inside = (name: string, chains: readonly JsonObject[], more: JsonObject = {}): JsonObject =>
  listener(name, chains, { internal_listener: {}, ...more });
const internalCluster = (name: string, inner: string): JsonObject =>
  clusterOf(
    name,
    [
      {
        lb_endpoints: [
          { endpoint: { address: { envoy_internal_address: { server_listener_name: inner } } } },
        ],
      },
    ],
    {
      transport_socket: extension(
        "internal",
        "envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
        {
          transport_socket: extension(
            "envoy.transport_sockets.raw_buffer",
            "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
          ),
        },
      ),
    },
  );
const answering = (
  name: string,
  filters: readonly JsonObject[] = [],
  match: JsonObject | null = null,
): JsonObject =>
  chain(
    name,
    [httpManager(routeConfig([virtualHost("inside", ["*"], [route("inner route")])]), filters)],
    match,
  );

/** A request that goes to a listener inside of Envoy, with this in its filter state. */
const handedOver = (name: string, more: JsonObject, taken: string): Scenario =>
  scenario(
    `upstream: ${name}`,
    "2.2",
    {
      listeners: [
        listener(`upstream: ${name}`, [
          chain("outer", [
            httpManager(
              routeConfig([virtualHost("all", ["*"], [forward("r", {}, { cluster: `upstream: ${name}` })])]),
              [setState("envoy.filters.listener.original_dst.local_ip", "%REQ(:AUTHORITY)%", more)],
            ),
          ]),
        ]),
        inside(
          `upstream: ${name}, inner`,
          [answering("restored", [], { destination_port: 2301 }), answering("rest")],
          {
            listener_filters: [
              extension(
                "envoy.filters.listener.original_dst",
                "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
              ),
            ],
          },
        ),
      ],
      clusters: [internalCluster(`upstream: ${name}`, `upstream: ${name}, inner`)],
    },
    [
      [
        { authority: "10.0.0.7:2301" },
        { filterChain: "outer", route: "r", next: { filterChain: taken, status: 200 } },
      ],
    ],
  );

export const upstreamFilterScenarios: readonly Scenario[] = [
  httpScenario("upstream: the cluster's filters", "8", {
    routes: [forward("r", {}, { cluster: "upstream: cluster" })],
    clusters: [cluster("upstream: cluster", host, withFilters([sets("cluster")]))],
    cases: [[own, setX("cluster")]],
  }),
  httpScenario("upstream: the router's filters", "8", {
    routes: [forward("other", { prefix: "/other" }, { cluster: "upstream: of its own" }), route("r")],
    manager: { http_filters: [routerWith([sets("router")])] },
    clusters: [cluster("upstream: of its own", host, withFilters([sets("cluster")]))],
    cases: [
      [own, setX("router")],
      [{ ...own, path: "/other" }, to("other", { headers: { "x-set": "cluster" } })],
    ],
  }),
  httpScenario("upstream: after what the route writes", "8", {
    routes: [
      forward(
        "r",
        {},
        { cluster: "upstream: late" },
        {
          request_headers_to_add: [
            { header: { key: "x-set", value: "route" }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" },
          ],
        },
      ),
    ],
    clusters: [cluster("upstream: late", host, withFilters([sets("cluster")]))],
    cases: [[own, setX("cluster")]],
  }),
  httpScenario("upstream: no host, no filters", "8", {
    routes: [forward("r", {}, { cluster: "upstream: empty" })],
    clusters: [cluster("upstream: empty", [], withFilters([sets("never")]))],
    cases: [[{}, { status: 503, flags: ["UH"] }]],
  }),
  httpScenario("upstream: a filter by its route", "8, 4.6", {
    routes: [
      forward(
        "own",
        { prefix: "/own" },
        { cluster: "upstream: per route" },
        {
          typed_per_filter_config: {
            mutate: {
              "@type": typeUrl("envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute"),
              mutations: {
                request_mutations: [
                  {
                    append: {
                      header: { key: "x-set", value: "route" },
                      append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
                    },
                  },
                ],
              },
            },
          },
        },
      ),
      forward("r", {}, { cluster: "upstream: per route" }),
    ],
    clusters: [cluster("upstream: per route", host, withFilters([sets("cluster")]))],
    cases: [
      [{ ...own, path: "/own" }, to("own", { headers: { "x-set": "route" } })],
      [own, setX("cluster")],
    ],
  }),
  httpScenario("upstream: a filter without its configuration", "8, 4.6", {
    routes: [forward("r", {}, { cluster: "upstream: undelivered" })],
    clusters: [
      cluster("upstream: no ecds server", [{ address: "127.77.1.9", port: 1 }]),
      cluster(
        "upstream: undelivered",
        host,
        withFilters([
          {
            name: "upstream from ecds",
            config_discovery: {
              config_source: {
                api_config_source: {
                  api_type: "GRPC",
                  transport_api_version: "V3",
                  grpc_services: [{ envoy_grpc: { cluster_name: "upstream: no ecds server" } }],
                },
                initial_fetch_timeout: "0.2s",
                resource_api_version: "V3",
              },
              type_urls: [typeUrl("envoy.extensions.filters.http.header_mutation.v3.HeaderMutation")],
            },
          },
        ]),
      ),
    ],
    cases: [[{}, { status: 500, isReceived: false }]],
  }),
  handedOver("filter state of a request that is shared", { shared_with_upstream: "ONCE" }, "restored"),
  handedOver("filter state of a request that is not shared", {}, "rest"),
  scenario(
    "upstream: policies inside of Envoy see no addresses",
    "10.1",
    {
      listeners: [
        listener("upstream: outside", [chain("outer", [tcpProxy("upstream: to the inside")])]),
        inside("upstream: inside", [
          answering("inner", [
            rbac({
              action: "DENY",
              policies: {
                "any IP": {
                  permissions: [
                    { destination_ip: { address_prefix: "0.0.0.0", prefix_len: 0 } },
                    { destination_port_range: { start: 0, end: 65535 } },
                    { destination_port: 80 },
                  ],
                  principals: [{ any: true }],
                },
                "any peer": {
                  permissions: [{ any: true }],
                  principals: [
                    { direct_remote_ip: { address_prefix: "0.0.0.0", prefix_len: 0 } },
                    { source_ip: { address_prefix: "0.0.0.0", prefix_len: 0 } },
                  ],
                },
              },
            }),
          ]),
        ]),
      ],
      clusters: [internalCluster("upstream: to the inside", "upstream: inside")],
    },
    [[{}, { filterChain: "outer", next: { filterChain: "inner", status: 200 } }]],
  ),
  httpScenario("upstream: CONNECT has no path that a policy could read", "10.1", {
    routes: [
      forward(
        "connect",
        { connect_matcher: {} },
        { cluster: "upstream: h2", upgrade_configs: [{ upgrade_type: "CONNECT" }] },
      ),
      route("r"),
    ],
    filters: [rbac(allow({ url_path: { path: { safe_regex: { regex: ".*" } } } }))],
    manager: {
      upgrade_configs: [{ upgrade_type: "CONNECT" }],
      http2_protocol_options: { allow_connect: true },
    },
    clusters: [cluster("upstream: h2", [{ address: "127.77.1.2", kind: "h2c" }], http2Upstream)],
    cases: [
      [{ protocol: "h2", method: "CONNECT", path: null, authority: "a.com:443" }, denied],
      [{ method: "CONNECT", path: "a.com:443", authority: "a.com:443" }, denied],
      [{ protocol: "h2" }, to("r")],
    ],
  }),
  httpScenario("upstream: a denial of gRPC", "10.2", {
    routes: [route("r")],
    filters: [rbac({})],
    cases: [
      [
        { protocol: "h2", method: "POST", headers: [["content-type", "application/grpc"]] },
        {
          status: 200,
          details: "rbac_access_denied_matched_policy[none]",
          responseHeaders: { "grpc-status": "7" },
        },
      ],
      [{ method: "HEAD" }, denied],
      [
        {
          headers: [
            ["upgrade", "websocket"],
            ["connection", "upgrade"],
          ],
        },
        { status: 403 },
      ],
    ],
  }),
  httpScenario("upstream: the router alone", "8", {
    routes: [route("r")],
    manager: { http_filters: [router] },
    cases: [[own, setX("own")]],
  }),
];
