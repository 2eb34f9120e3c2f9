/** Section 8 of the facts, further: what chooses the cluster of a TCP proxy, what tunnels carry, and what ends a chain. */
import {
  chain,
  cluster,
  clusterOf,
  downstreamTls,
  extension,
  forward,
  http2Upstream,
  httpManager,
  listener,
  proxyProtocol,
  route,
  routeConfig,
  tcpProxy,
  tlsInspector,
  typeUrl,
  virtualHost,
} from "../../support/judge/messages.js";
import {
  closed,
  scenario,
  through,
  to,
  type CasePair,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { JudgedRequest } from "../../support/judge/judged-request.js";
import type { JsonObject } from "../../support/mesh/json.js";

const noCluster: Expected = closed({ flags: ["NC"], cluster: null });
const noHost = (name: string): Expected => closed({ flags: ["UH"], cluster: name });

interface Parts {
  readonly clusters?: readonly JsonObject[];
  readonly listener?: JsonObject;
  readonly chain?: JsonObject;
  readonly listeners?: readonly JsonObject[];
}

const tcp = (
  name: string,
  filters: readonly JsonObject[],
  cases: readonly CasePair[],
  more: Parts = {},
): Scenario =>
  scenario(
    `tcp proxy: ${name}`,
    "8",
    {
      listeners: [
        listener(`tcp proxy: ${name}`, [chain("tcp", filters, null, more.chain)], more.listener),
        ...(more.listeners ?? []),
      ],
      ...(more.clusters && { clusters: more.clusters }),
    },
    cases,
  );

const sniCluster = extension(
  "envoy.filters.network.sni_cluster",
  "envoy.extensions.filters.network.sni_cluster.v3.SniCluster",
);
const setState = (key: string, value: string, more: JsonObject = {}): JsonObject =>
  extension(`set ${key}`, "envoy.extensions.filters.network.set_filter_state.v3.Config", {
    on_new_connection: [
      {
        object_key: key,
        format_string: { text_format_source: { inline_string: value } },
        ...more,
      },
    ],
  });
const setCluster = (value: string, more: JsonObject = {}): JsonObject =>
  setState("envoy.tcp_proxy.cluster", value, more);

const inspected = { listener: { listener_filters: [proxyProtocol, tlsInspector] } };
const connection = (
  { toIp = "10.0.0.2", port = 80, from = "10.0.0.1" } = {},
  more: JudgedRequest = {},
): JudgedRequest => ({
  ...more,
  proxy: { source: { ip: from, port: 1234 }, destination: { ip: toIp, port } },
});

const subset = (value: string): JsonObject => ({ "envoy.lb": { version: value } });
const subsetMatch = (criteria: JsonObject): JsonObject => ({
  metadata_match: { filter_metadata: { "envoy.lb": criteria } },
});
const withSubsets = (name: string, fallback: string): JsonObject =>
  cluster(
    name,
    [
      { address: "127.77.1.5", metadata: subset("v1") },
      { address: "127.77.1.6", metadata: subset("v2") },
    ],
    {
      lb_subset_config: { fallback_policy: fallback, subset_selectors: [{ keys: ["version"] }] },
    },
  );

const internalCluster = (name: string, inner: string, overrides: JsonObject = {}): JsonObject =>
  clusterOf(
    name,
    [
      {
        lb_endpoints: [
          { endpoint: { address: { envoy_internal_address: { server_listener_name: inner } } } },
        ],
      },
    ],
    overrides,
  );

/** An internal listener that ends tunnels, with a route for each authority. */
const tunnelEnd = (name: string, authorities: Readonly<Record<string, string>>): JsonObject =>
  listener(
    name,
    [
      chain("out", [
        httpManager(
          routeConfig(
            Object.entries(authorities).map(([authority, target]) =>
              virtualHost(
                `host ${authority}`,
                [authority],
                [
                  route(
                    `to ${authority}`,
                    { connect_matcher: {} },
                    {
                      route: {
                        cluster: target,
                        upgrade_configs: [{ upgrade_type: "CONNECT", connect_config: {} }],
                      },
                    },
                  ),
                ],
              ),
            ),
          ),
          [],
          {
            upgrade_configs: [{ upgrade_type: "CONNECT" }],
            http2_protocol_options: { allow_connect: true },
          },
        ),
      ]),
    ],
    { internal_listener: {} },
  );

const answering = (name: string, match: JsonObject | null = null): JsonObject =>
  chain(name, [httpManager(routeConfig([virtualHost("inside", ["*"], [route("inner route")])]))], match);

export const tcpProxyScenarios: readonly Scenario[] = [
  tcp(
    "weights",
    [
      tcpProxy({
        weighted_clusters: {
          clusters: [
            { name: "tcp proxy: a", weight: 1 },
            { name: "tcp proxy: b", weight: 3 },
          ],
        },
      }),
    ],
    [
      [
        {},
        { flags: [], shares: { of: "cluster", are: { "tcp proxy: a": 0.25, "tcp proxy: b": 0.75 } } },
        200,
      ],
    ],
    {
      clusters: [
        cluster("tcp proxy: a", [{ address: "127.77.1.2" }]),
        cluster("tcp proxy: b", [{ address: "127.77.1.3" }]),
      ],
    },
  ),
  tcp(
    "weights, one to a cluster that is not there",
    [
      tcpProxy({
        weighted_clusters: {
          clusters: [
            { name: "tcp proxy: there", weight: 1 },
            { name: "tcp proxy: not there", weight: 1 },
          ],
        },
      }),
    ],
    [[{}, {}, 40]],
    { clusters: [cluster("tcp proxy: there", [{ address: "127.77.1.2" }])] },
  ),
  tcp(
    "criteria of the proxy",
    [tcpProxy("tcp proxy: subsets", subsetMatch({ version: "v2" }))],
    [[{}, through("tcp proxy: subsets", { upstreamHost: "127.77.1.6:18080" }), 4]],
    { clusters: [withSubsets("tcp proxy: subsets", "NO_FALLBACK")] },
  ),
  tcp(
    "criteria of an entry over those of the proxy",
    [
      tcpProxy(
        {
          weighted_clusters: {
            clusters: [{ name: "tcp proxy: entry", weight: 1, ...subsetMatch({ version: "v1" }) }],
          },
        },
        subsetMatch({ version: "v2" }),
      ),
    ],
    [[{}, through("tcp proxy: entry", { upstreamHost: "127.77.1.5:18080" }), 4]],
    { clusters: [withSubsets("tcp proxy: entry", "NO_FALLBACK")] },
  ),
  tcp(
    "criteria that no subset has",
    [tcpProxy("tcp proxy: no subset", subsetMatch({ version: "v3" }))],
    [[{}, noHost("tcp proxy: no subset")]],
    { clusters: [withSubsets("tcp proxy: no subset", "NO_FALLBACK")] },
  ),
  tcp(
    "no criteria, no fallback",
    [tcpProxy("tcp proxy: no criteria")],
    [[{}, noHost("tcp proxy: no criteria")]],
    { clusters: [withSubsets("tcp proxy: no criteria", "NO_FALLBACK")] },
  ),
  tcp(
    "no criteria, any endpoint",
    [tcpProxy("tcp proxy: any endpoint")],
    [[{}, through("tcp proxy: any endpoint"), 4]],
    { clusters: [withSubsets("tcp proxy: any endpoint", "ANY_ENDPOINT")] },
  ),
  tcp(
    "several attempts at a host that refuses",
    [tcpProxy("tcp proxy: refuses", { max_connect_attempts: 3 })],
    [[{ protocol: "tcp" }, { isReceived: false, cluster: "tcp proxy: refuses", flags: ["UF", "URX"] }]],
    { clusters: [cluster("tcp proxy: refuses", [{ address: "127.77.1.3", port: 1 }])] },
  ),
  tcp(
    "a host by the client's address",
    [tcpProxy("tcp proxy: hashed", { hash_policy: [{ source_ip: {} }] })],
    [[connection(), through("tcp proxy: hashed"), 4]],
    {
      listener: { listener_filters: [proxyProtocol] },
      clusters: [
        cluster("tcp proxy: hashed", [{ address: "127.77.1.2" }, { address: "127.77.1.3" }], {
          lb_policy: "RING_HASH",
        }),
      ],
    },
  ),
  tcp("an unhealthy host alone", [tcpProxy("tcp proxy: unhealthy")], [[{}, noHost("tcp proxy: unhealthy")]], {
    clusters: [
      cluster("tcp proxy: unhealthy", [{ address: "127.77.1.2", health: "UNHEALTHY" }], {
        common_lb_config: { healthy_panic_threshold: { value: 0 } },
      }),
    ],
  }),
  tcp(
    "SNI in capitals, and one of a word",
    [sniCluster, tcpProxy("BlackHoleCluster")],
    [
      [{ tls: { sni: "OUTBOUND_.81_._.A.B" } }, { cluster: "outbound_.81_._.a.b" }],
      [{ tls: { sni: "word" } }, { cluster: "word" }],
      [{ tls: { sni: "Other" } }, noCluster],
      [{ tls: { sni: "outbound_.81_._.a.b." } }, noCluster],
    ],
    {
      listener: { listener_filters: [tlsInspector] },
      clusters: [
        cluster("outbound_.81_._.a.b", [{ address: "127.77.1.1", kind: "tls" }]),
        cluster("word", [{ address: "127.77.1.1", kind: "tls" }]),
      ],
    },
  ),
  tcp(
    "SNI that no inspector saw",
    [sniCluster, tcpProxy("tcp proxy: own")],
    [[{ tls: { sni: "word" } }, { cluster: "tcp proxy: own" }]],
    { clusters: [cluster("tcp proxy: own", [{ address: "127.77.1.1", kind: "tls" }])] },
  ),
  tcp(
    "SNI of TLS that the chain ends",
    [sniCluster, tcpProxy("BlackHoleCluster")],
    [
      [{ tls: { sni: "ended.com" } }, through("ended.com", { upstreamTls: null })],
      [{ tls: { sni: "other.com" } }, noCluster],
    ],
    {
      ...{ listener: { listener_filters: [tlsInspector] }, chain: downstreamTls() },
      clusters: [cluster("ended.com", [{ address: "127.77.1.1" }])],
    },
  ),
  tcp(
    "SNI against weights",
    [sniCluster, tcpProxy({ weighted_clusters: { clusters: [{ name: "tcp proxy: weighted", weight: 1 }] } })],
    [[{ tls: { sni: "elsewhere" } }, { cluster: "tcp proxy: weighted" }]],
    {
      listener: { listener_filters: [tlsInspector] },
      clusters: [cluster("tcp proxy: weighted", [{ address: "127.77.1.1", kind: "tls" }])],
    },
  ),
  tcp(
    "a cluster by what the connection says",
    [setCluster("by port %DOWNSTREAM_LOCAL_PORT%"), tcpProxy("nowhere")],
    [
      [connection(), through("by port 80")],
      [connection({ port: 81 }), noCluster],
    ],
    { ...inspected, clusters: [cluster("by port 80", [{ address: "127.77.1.2" }])] },
  ),
  tcp(
    "the last word on the cluster",
    [setCluster("tcp proxy: first"), setCluster("tcp proxy: second"), tcpProxy("nowhere")],
    [[{}, through("tcp proxy: second")]],
    {
      clusters: [
        cluster("tcp proxy: first", [{ address: "127.77.1.2" }]),
        cluster("tcp proxy: second", [{ address: "127.77.1.3" }]),
      ],
    },
  ),
  tcp(
    "a word on the cluster that may not be changed",
    [setCluster("tcp proxy: fixed", { read_only: true }), sniCluster, tcpProxy("nowhere")],
    [[{}, through("tcp proxy: fixed")]],
    { clusters: [cluster("tcp proxy: fixed", [{ address: "127.77.1.2" }])] },
  ),
  tcp(
    "an empty word on the cluster is left out",
    [
      setCluster("%REQUESTED_SERVER_NAME%", {
        format_string: {
          text_format_source: { inline_string: "%REQUESTED_SERVER_NAME%" },
          omit_empty_values: true,
        },
        skip_if_empty: true,
      }),
      tcpProxy("tcp proxy: without a name"),
    ],
    [
      [connection(), through("tcp proxy: without a name")],
      [connection({}, { tls: { sni: "named" } }), { cluster: "named" }],
    ],
    {
      ...inspected,
      clusters: [
        cluster("tcp proxy: without a name", [{ address: "127.77.1.2" }]),
        cluster("named", [{ address: "127.77.1.1", kind: "tls" }]),
      ],
    },
  ),
  tcp(
    "an empty word on the cluster",
    [setCluster("%REQUESTED_SERVER_NAME%"), tcpProxy("tcp proxy: not taken")],
    [[connection(), noCluster]],
    { ...inspected, clusters: [cluster("tcp proxy: not taken", [{ address: "127.77.1.2" }])] },
  ),
  tcp(
    "echo ends the chain",
    [extension("echo", "envoy.extensions.filters.network.echo.v3.Echo")],
    [[{ protocol: "tcp" }, closed({ cluster: null })]],
  ),
  tcp(
    "a tunnel to the original destination, the server name, or by POST",
    [
      tcpProxy("tcp proxy: tunnel", {
        tunneling_config: { hostname: "%REQUESTED_SERVER_NAME%:443" },
      }),
    ],
    [
      [
        connection({}, { tls: { sni: "a.com" } }),
        { cluster: "tcp proxy: tunnel", upstreamHost: "envoy://tcp proxy: tunnel end/" },
      ],
    ],
    {
      ...inspected,
      listeners: [tunnelEnd("tcp proxy: tunnel end", { "a.com:443": "tcp proxy: tls server" })],
      clusters: [
        internalCluster("tcp proxy: tunnel", "tcp proxy: tunnel end", http2Upstream),
        cluster("tcp proxy: tls server", [{ address: "127.77.1.1", kind: "tls" }]),
      ],
    },
  ),
  tcp(
    "a tunnel whose authority has a route",
    [
      tcpProxy("tcp proxy: known tunnel", {
        tunneling_config: { hostname: "%DOWNSTREAM_LOCAL_ADDRESS%" },
      }),
    ],
    [[connection(), { cluster: "tcp proxy: known tunnel", isReceived: true }]],
    {
      ...inspected,
      listeners: [tunnelEnd("tcp proxy: known end", { "10.0.0.2:80": "echo" })],
      clusters: [internalCluster("tcp proxy: known tunnel", "tcp proxy: known end", http2Upstream)],
    },
  ),
  tcp(
    "a tunnel whose authority has no route",
    [
      tcpProxy("tcp proxy: lost tunnel", {
        tunneling_config: { hostname: "%DOWNSTREAM_LOCAL_ADDRESS%" },
      }),
    ],
    [[connection(), { cluster: "tcp proxy: lost tunnel", isReceived: false }]],
    {
      ...inspected,
      listeners: [tunnelEnd("tcp proxy: lost end", { "10.0.0.3:80": "echo" })],
      clusters: [internalCluster("tcp proxy: lost tunnel", "tcp proxy: lost end", http2Upstream)],
    },
  ),
  tcp(
    "a tunnel that filter state switches off",
    [
      setState("envoy.tcp_proxy.disable_tunneling", "true"),
      tcpProxy("tcp proxy: no tunnel", { tunneling_config: { hostname: "x:1" } }),
    ],
    [[{}, through("tcp proxy: no tunnel")]],
    { clusters: [cluster("tcp proxy: no tunnel", [{ address: "127.77.1.2" }])] },
  ),
  tcp(
    "filter state that is shared with an internal listener restores its addresses",
    [
      setState("envoy.filters.listener.original_dst.local_ip", "10.0.0.9:2201", {
        shared_with_upstream: "ONCE",
      }),
      setState("envoy.filters.listener.original_dst.remote_ip", "10.0.0.8:77", {
        shared_with_upstream: "ONCE",
      }),
      tcpProxy("tcp proxy: shared"),
    ],
    [[{}, { filterChain: "tcp", next: { filterChain: "restored", status: 200 } }]],
    {
      listeners: [
        listener(
          "tcp proxy: shared end",
          [
            answering("restored", {
              destination_port: 2201,
              source_prefix_ranges: [{ address_prefix: "10.0.0.8", prefix_len: 32 }],
            }),
            answering("rest"),
          ],
          {
            internal_listener: {},
            listener_filters: [
              extension(
                "envoy.filters.listener.original_dst",
                "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
              ),
            ],
          },
        ),
      ],
      clusters: [
        internalCluster("tcp proxy: shared", "tcp proxy: shared end", {
          transport_socket: extension(
            "internal",
            "envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
            {
              transport_socket: {
                name: "envoy.transport_sockets.raw_buffer",
                typed_config: {
                  "@type": typeUrl("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"),
                },
              },
            },
          ),
        }),
      ],
    },
  ),
  tcp(
    "filter state that is not shared restores nothing",
    [
      setState("envoy.filters.listener.original_dst.local_ip", "10.0.0.9:2202"),
      tcpProxy("tcp proxy: not shared"),
    ],
    [[{}, { filterChain: "tcp", next: { filterChain: "rest", status: 200 } }]],
    {
      listeners: [
        listener(
          "tcp proxy: not shared end",
          [answering("restored", { destination_port: 2202 }), answering("rest")],
          {
            internal_listener: {},
            listener_filters: [
              extension(
                "envoy.filters.listener.original_dst",
                "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
              ),
            ],
          },
        ),
      ],
      clusters: [internalCluster("tcp proxy: not shared", "tcp proxy: not shared end")],
    },
  ),
  tcp(
    "two internal listeners one after the other",
    [tcpProxy("tcp proxy: to the first")],
    [[{}, { filterChain: "tcp", isReceived: true }]],
    {
      listeners: [
        listener("tcp proxy: first inner", [chain("first", [tcpProxy("tcp proxy: to the second")])], {
          internal_listener: {},
        }),
        listener("tcp proxy: second inner", [chain("second", [tcpProxy("echo")])], { internal_listener: {} }),
      ],
      clusters: [
        internalCluster("tcp proxy: to the first", "tcp proxy: first inner"),
        internalCluster("tcp proxy: to the second", "tcp proxy: second inner"),
      ],
    },
  ),
  tcp(
    "an internal listener that is not there",
    [tcpProxy("tcp proxy: to none")],
    [[{}, { filterChain: "tcp", isReceived: false }]],
    { clusters: [internalCluster("tcp proxy: to none", "tcp proxy: no such listener")] },
  ),
  scenario(
    "tcp proxy: upstream HTTP filters change headers, not the host",
    "8",
    {
      listeners: [
        listener("tcp proxy: upstream HTTP filters change headers, not the host", [
          chain("http", [
            httpManager(
              routeConfig([
                virtualHost("all", ["*"], [forward("r", {}, { cluster: "tcp proxy: upstream filters" })]),
              ]),
            ),
          ]),
        ]),
      ],
      clusters: [
        cluster("tcp proxy: upstream filters", [{ address: "127.77.1.2" }], {
          typed_extension_protocol_options: {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
              "@type": typeUrl("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
              explicit_http_config: { http_protocol_options: {} },
              http_filters: [
                extension("mutate", "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", {
                  mutations: {
                    request_mutations: [
                      { remove: "x-gone" },
                      {
                        append: {
                          header: { key: "x-set", value: "upstream" },
                          append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
                        },
                      },
                    ],
                  },
                }),
                extension(
                  "envoy.filters.http.upstream_codec",
                  "envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
                ),
              ],
            },
          },
        }),
      ],
    },
    [
      [
        {
          headers: [
            ["x-gone", "1"],
            ["x-set", "own"],
          ],
        },
        to("r", {
          upstreamHost: "127.77.1.2:18080",
          headers: { "x-gone": null, "x-set": "upstream" },
        }),
      ],
    ],
  ),
];
