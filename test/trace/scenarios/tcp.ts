/** Section 8 of the facts: TCP proxies, SNI routing, and what runs before them. */
import {
  chain,
  cluster,
  clusterOf,
  downstreamTls,
  extension,
  http2Upstream,
  httpManager,
  listener,
  proxyProtocol,
  route,
  routeConfig,
  tcpProxy,
  tlsInspector,
  virtualHost,
} from "../../support/judge/messages.js";
import {
  closed,
  scenario,
  through,
  type CasePair,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { JsonObject } from "../../support/mesh/json.js";

const host = [{ address: "127.77.1.1" }];
const noCluster: Expected = closed({ flags: ["NC"], cluster: null });

const tcp = (
  name: string,
  facts: string,
  filters: readonly JsonObject[],
  cases: readonly CasePair[],
  more: {
    clusters?: readonly JsonObject[];
    listener?: JsonObject;
    runtime?: JsonObject;
    chain?: JsonObject;
  } = {},
): Scenario =>
  scenario(
    name,
    facts,
    {
      listeners: [listener(name, [chain("tcp", filters, null, more.chain)], more.listener)],
      ...(more.clusters && { clusters: more.clusters }),
      ...(more.runtime && { runtime: more.runtime }),
    },
    cases,
  );

const sniCluster = extension(
  "envoy.filters.network.sni_cluster",
  "envoy.extensions.filters.network.sni_cluster.v3.SniCluster",
);

const setCluster = (value: string): JsonObject =>
  extension("set", "envoy.extensions.filters.network.set_filter_state.v3.Config", {
    on_new_connection: [
      {
        object_key: "envoy.tcp_proxy.cluster",
        format_string: { text_format_source: { inline_string: value } },
      },
    ],
  });

export const tcpScenarios: readonly Scenario[] = [
  tcp(
    "tcp: a cluster",
    "8",
    [tcpProxy("tcp cluster")],
    [
      [{ protocol: "tcp" }, through("tcp cluster", { upstreamHost: "127.77.1.2:19000" })],
      [{ protocol: "silent" }, { cluster: "tcp cluster" }],
    ],
    { clusters: [cluster("tcp cluster", [{ address: "127.77.1.2", kind: "tcp" }])] },
  ),
  tcp("tcp: no such cluster", "8", [tcpProxy("nowhere at all")], [[{ protocol: "tcp" }, noCluster]]),
  tcp(
    "tcp: a cluster without hosts",
    "8, 9",
    [tcpProxy("tcp empty")],
    [[{ protocol: "tcp" }, closed({ flags: ["UH"], cluster: "tcp empty" })]],
    { clusters: [cluster("tcp empty", [])] },
  ),
  tcp(
    "tcp: a host that refuses",
    "8",
    [tcpProxy("tcp refused")],
    [[{ protocol: "tcp" }, { isReceived: false, cluster: "tcp refused", flags: ["UF", "URX"] }]],
    { clusters: [cluster("tcp refused", [{ address: "127.77.1.3", port: 1 }])] },
  ),
  tcp(
    "tcp: filter state names the cluster",
    "8",
    [setCluster("tcp of filter state"), tcpProxy("nowhere")],
    [[{}, through("tcp of filter state")]],
    { clusters: [cluster("tcp of filter state", host)] },
  ),
  tcp(
    "tcp: filter state against weights",
    "8",
    [
      setCluster("echo"),
      tcpProxy({ weighted_clusters: { clusters: [{ name: "tcp only weight", weight: 1 }] } }),
    ],
    [[{}, through("tcp only weight")]],
    { clusters: [cluster("tcp only weight", host)] },
  ),
  tcp(
    "tcp: SNI names the cluster",
    "8; 12 traps",
    [sniCluster, tcpProxy("BlackHoleCluster")],
    [
      [
        { tls: { sni: "outbound_.80_._.a.b" } },
        { cluster: "outbound_.80_._.a.b", upstreamHost: "127.77.1.1:18443" },
      ],
      [{ tls: { sni: "outbound_.80_.v1_.a.b" } }, noCluster],
      [{ tls: {} }, noCluster],
      [{}, noCluster],
    ],
    {
      clusters: [cluster("outbound_.80_._.a.b", [{ address: "127.77.1.1", kind: "tls" }])],
      listener: { listener_filters: [tlsInspector] },
    },
  ),
  tcp(
    "tcp: direct response",
    "8",
    [
      extension("direct", "envoy.extensions.filters.network.direct_response.v3.Config", {
        response: { inline_string: "bye\n" },
      }),
    ],
    [[{ protocol: "tcp" }, closed({ cluster: null })]],
  ),
  scenario(
    "tcp: an internal listener",
    "9.1, 8",
    {
      listeners: [
        listener("outer", [chain("outer", [tcpProxy("to inner")])]),
        listener(
          "inner",
          [
            chain("inner", [
              httpManager(routeConfig([virtualHost("inside", ["*"], [route("inner route")])])),
            ]),
          ],
          { internal_listener: {} },
        ),
      ],
      clusters: [
        clusterOf("to inner", [
          {
            lb_endpoints: [
              {
                endpoint: {
                  address: { envoy_internal_address: { server_listener_name: "inner", endpoint_id: "one" } },
                },
              },
            ],
          },
        ]),
      ],
    },
    [
      [
        { path: "/x" },
        {
          listener: "outer",
          cluster: "to inner",
          upstreamHost: "envoy://inner/one",
          next: { listener: "inner", filterChain: "inner", route: "inner route", status: 200 },
        },
      ],
    ],
  ),
  scenario(
    "tcp: a tunnel",
    "8",
    {
      listeners: [
        listener(
          "tunnel in",
          [
            chain("in", [
              tcpProxy("to the tunnel", {
                tunneling_config: { hostname: "%DOWNSTREAM_LOCAL_ADDRESS%" },
              }),
            ]),
          ],
          { listener_filters: [proxyProtocol] },
        ),
        listener(
          "tunnel out",
          [
            chain("out", [
              httpManager(
                routeConfig([
                  virtualHost(
                    "tunnel",
                    ["*"],
                    [
                      route(
                        "connect",
                        { connect_matcher: {} },
                        {
                          route: {
                            cluster: "echo",
                            upgrade_configs: [{ upgrade_type: "CONNECT", connect_config: {} }],
                          },
                        },
                      ),
                    ],
                  ),
                ]),
                [],
                {
                  upgrade_configs: [{ upgrade_type: "CONNECT" }],
                  http2_protocol_options: { allow_connect: true },
                },
              ),
            ]),
          ],
          { internal_listener: {} },
        ),
      ],
      clusters: [
        clusterOf(
          "to the tunnel",
          [
            {
              lb_endpoints: [
                {
                  endpoint: {
                    address: { envoy_internal_address: { server_listener_name: "tunnel out" } },
                  },
                },
              ],
            },
          ],
          http2Upstream,
        ),
      ],
    },
    [
      [
        {
          path: "/x",
          proxy: { source: { ip: "10.0.0.1", port: 1 }, destination: { ip: "10.0.0.2", port: 80 } },
        },
        { listener: "tunnel in", cluster: "to the tunnel", isReceived: true },
      ],
    ],
  ),
  scenario(
    "tcp: TLS passes through",
    "3, 8",
    {
      listeners: [
        listener(
          "tcp: TLS passes through",
          [
            chain("a", [tcpProxy("tls server")], { server_names: ["a.com"] }),
            chain("b", [tcpProxy("echo")], { server_names: ["b.com"] }, downstreamTls()),
          ],
          { listener_filters: [tlsInspector] },
        ),
      ],
      clusters: [cluster("tls server", [{ address: "127.77.1.1", kind: "tls" }])],
    },
    [
      [{ tls: { sni: "a.com" } }, through("tls server", { filterChain: "a", upstreamTls: { sni: "a.com" } })],
      [{ tls: { sni: "b.com" } }, through("echo", { filterChain: "b", upstreamTls: null })],
    ],
  ),
];
