import { describe, expect, it } from "vitest";

import type { Snapshot } from "../../src/snapshot/model.js";
import { traceAllRoutes } from "../../src/trace/all-routes/all-routes.js";
import type { RouteEnd } from "../../src/trace/all-routes/route-end.js";
import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { traceRequest } from "../../src/trace/trace.js";
import { aCluster, aListener, aResource } from "../support/builders.js";
import { root } from "../support/cli.js";
import { anAssignment, anEdsCluster, meshOf, type Held } from "../support/drift-snapshot.js";

type Fields = Readonly<Record<string, unknown>>;

const type = (name: string): string => `type.googleapis.com/envoy.${name}`;
const socket = (address: string, port: number): Fields => ({
  socket_address: { address, port_value: port },
});
const listenerFilter = (kind: string, message: string): Fields => ({
  name: `envoy.filters.listener.${kind}`,
  typed_config: { "@type": type(`extensions.filters.listener.${kind}.v3.${message}`) },
});
const serverTls: Fields = {
  name: "envoy.transport_sockets.tls",
  typed_config: {
    "@type": type("extensions.transport_sockets.tls.v3.DownstreamTlsContext"),
    require_client_certificate: true,
    common_tls_context: {
      combined_validation_context: {
        validation_context_sds_secret_config: { name: "ROOTCA" },
        default_validation_context: { match_subject_alt_names: [{ prefix: "spiffe://cluster.local/" }] },
      },
    },
  },
};
const clientTls: Fields = {
  transport_socket: {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": type("extensions.transport_sockets.tls.v3.UpstreamTlsContext"),
      common_tls_context: { tls_certificate_sds_secret_configs: [{ name: "default" }] },
    },
  },
};
const tcpTo = (cluster: string): Fields => ({
  filters: [
    {
      name: "envoy.filters.network.tcp_proxy",
      typed_config: { "@type": type("extensions.filters.network.tcp_proxy.v3.TcpProxy"), cluster },
    },
  ],
});
const httpWith = (config: Fields): Fields => ({
  filters: [
    {
      name: "envoy.filters.network.http_connection_manager",
      typed_config: {
        "@type": type("extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
        ...config,
      },
    },
  ],
});

/** A pod that takes port 8080, as Istio's STRICT mode has it; other ports go on to the application. */
const strict: readonly Fields[] = [
  {
    filter_chain_match: { destination_port: 8080, transport_protocol: "tls" },
    transport_socket: serverTls,
    ...tcpTo("inbound|8080||"),
  },
  { filter_chain_match: { transport_protocol: "tls" }, ...tcpTo("InboundPassthroughCluster") },
  { filter_chain_match: { transport_protocol: "raw_buffer" }, ...tcpTo("InboundPassthroughCluster") },
];
const plaintext: readonly Fields[] = [
  { filter_chain_match: { destination_port: 8080 }, ...tcpTo("inbound|8080||") },
];
const serverClusters = [
  aCluster("inbound|8080||", { type: "ORIGINAL_DST" }),
  aCluster("InboundPassthroughCluster", { type: "ORIGINAL_DST" }),
  aCluster("BlackHoleCluster", { type: "STATIC" }),
];
const virtualInbound = (chains: readonly Fields[], port = 15006): Fields =>
  aListener("virtualInbound", {
    address: socket("0.0.0.0", port),
    traffic_direction: "INBOUND",
    listener_filters: [
      listenerFilter("original_dst", "OriginalDst"),
      listenerFilter("tls_inspector", "TlsInspector"),
    ],
    filter_chains: chains,
  });

interface Given {
  readonly clusters?: readonly Fields[];
  readonly endpoints?: readonly Fields[];
  /** Of the only route. */
  readonly route?: Fields;
  readonly routes?: readonly Fields[];
  readonly virtualHost?: Fields;
  readonly listeners?: readonly Fields[];
  readonly server?: Held | string;
  readonly more?: Partial<Snapshot>;
}

const mesh = ({
  clusters = [anEdsCluster("to server", clientTls)],
  endpoints = [anAssignment("to server", ["10.0.0.2"])],
  route = { route: { cluster: "to server" } },
  routes = [{ name: "only", match: { prefix: "/" }, ...route }],
  virtualHost = {},
  listeners = [],
  server = { clusters: serverClusters, listeners: [virtualInbound(strict)] },
  more = {},
}: Given = {}): Snapshot =>
  meshOf(
    {
      proxies: {
        "client-1.default": {
          ip: "10.0.0.1",
          metadata: { SERVICE_ACCOUNT: "client" },
          holds: {
            clusters,
            endpoints,
            listeners,
            routes: [
              aResource("routeConfiguration", "80", {
                virtual_hosts: [{ name: "server:80", domains: ["server"], routes, ...virtualHost }],
              }),
            ],
          },
        },
        "server-1.default": { ip: "10.0.0.2", holds: server },
      },
    },
    more,
  );

const all = (given: Given = {}): RouteEnd[] => [...traceAllRoutes(mesh(given))];
/** In a few words: `well`, or the reasons. */
const words = ({ end }: RouteEnd): string => {
  if (end.kind === "bad") return end.parts.map(({ reason }) => reason).join(", ");
  if (end.kind === "unknown") return `unknown: ${end.because.map(({ reason }) => reason).join(", ")}`;
  return end.kind;
};
const ends = (given: Given = {}): string[] => all(given).map(words);
const partsOf = (given: Given): unknown => {
  const [first] = all(given);
  return first?.end.kind === "bad" ? first.end.parts : first?.end;
};

describe("traceAllRoutes", () => {
  it("names the proxy, the configuration, the virtual host, the route and the resource that it is from", () => {
    const metadata = {
      filter_metadata: {
        istio: { config: "/apis/networking.istio.io/v1/namespaces/default/virtual-service/server" },
      },
    };
    expect(
      all({
        routes: [
          { match: { path: "/a" }, route: { cluster: "to server" } },
          { name: "rest", match: { prefix: "/" }, metadata, route: { cluster: "to server" } },
        ],
      }),
    ).toEqual([
      {
        proxy: "client-1.default",
        routeConfig: "80",
        virtualHost: "server:80",
        route: "route 1",
        origin: null,
        end: { kind: "well" },
      },
      {
        proxy: "client-1.default",
        routeConfig: "80",
        virtualHost: "server:80",
        route: "rest",
        origin: "VirtualService/server.default",
        end: { kind: "well" },
      },
    ]);
  });

  it("asks only the proxies that are asked for, and looks at the others as peers", () => {
    const given = mesh({ server: { clusters: serverClusters, listeners: [] } });
    expect([...traceAllRoutes(given, ({ id }) => id === "server-1.default")]).toEqual([]);
    expect([...traceAllRoutes(given, ({ id }) => id === "client-1.default")].map(words)).toEqual([
      "no inbound listener",
    ]);
  });

  describe("no cluster", () => {
    it("is a cluster that the proxy does not have", () => {
      expect(partsOf({ route: { route: { cluster: "other" } } })).toEqual([
        {
          reason: "no cluster",
          share: 1,
          cluster: "other",
          endpoint: null,
          peer: null,
          outcome: {
            kind: "failure",
            status: 503,
            responseFlags: ["NC"],
            detail: "cluster_not_found",
            location: null,
          },
          because: "the proxy has no cluster other",
        },
      ]);
      expect(ends()).toEqual(["well"]);
    });
    it("has its share of weighted clusters", () => {
      const weighted = (names: readonly string[]): Fields => ({
        route: { weighted_clusters: { clusters: names.map((name) => ({ name, weight: 50 })) } },
      });
      expect(partsOf({ route: weighted(["to server", "other"]) })).toMatchObject([
        { reason: "no cluster", cluster: "other", share: 0.5 },
      ]);
      expect(ends({ route: weighted(["to server", "to server"]) })).toEqual(["well"]);
    });
    it("has its share of the requests that a route for a fraction takes", () => {
      const match = {
        prefix: "/",
        runtime_fraction: { default_value: { numerator: 10, denominator: "HUNDRED" } },
      };
      expect(partsOf({ routes: [{ match, route: { cluster: "other" } }] })).toMatchObject([{ share: 1 }]);
      expect(ends({ routes: [{ match, route: { cluster: "to server" } }] })).toEqual(["well"]);
    });
    it("is found behind a header that names it", () => {
      const route = { route: { cluster_header: "x-cluster" } };
      const match = (cluster: string): Fields => ({
        prefix: "/",
        headers: [{ name: "x-cluster", string_match: { exact: cluster } }],
      });
      expect(ends({ routes: [{ match: match("other"), ...route }] })).toEqual(["no cluster"]);
      const present = { prefix: "/", headers: [{ name: "x-cluster", present_match: true }] };
      expect(ends({ routes: [{ match: present, ...route }] })).toEqual(["no request"]);
      expect(ends({ routes: [{ match: match("to server"), ...route }] })).toEqual(["well"]);
    });
    it("is not proved by a dump of which a part is lost", () => {
      const entry = "proxies/client-1.default/config_dump";
      const problem = { entry, pointer: "/configs/1", message: "damaged", severity: "lost" as const };
      const route = { route: { cluster: "other" } };
      expect(ends({ route, more: { problems: [problem] } })).toEqual(["unknown: not captured"]);
      expect(ends({ more: { problems: [problem] } })).toEqual(["well"]);
    });
  });

  describe("no endpoint", () => {
    const unhealthy = anAssignment("to server", ["10.0.0.2"], { health_status: "UNHEALTHY" });
    it("is a cluster without hosts", () => {
      expect(partsOf({ endpoints: [anAssignment("to server", [])] })).toMatchObject([
        {
          reason: "no endpoint",
          share: 1,
          outcome: { status: 503, responseFlags: ["UH"], detail: "no_healthy_upstream" },
          because: "the cluster to server has no endpoint that takes requests",
        },
      ]);
    });
    it("is not a cluster whose hosts are all unhealthy: it panics, unless it may not", () => {
      expect(ends({ endpoints: [unhealthy] })).toEqual(["well"]);
      const never = { ...clientTls, common_lb_config: { healthy_panic_threshold: { value: 0 } } };
      expect(ends({ clusters: [anEdsCluster("to server", never)], endpoints: [unhealthy] })).toEqual([
        "no endpoint",
      ]);
    });
    it("is a subset that no host is in", () => {
      const lb_subset_config = { fallback_policy: "NO_FALLBACK", subset_selectors: [{ keys: ["v"] }] };
      const subset = (v: string): Fields => ({
        clusters: [anEdsCluster("to server", { ...clientTls, lb_subset_config })],
        endpoints: [
          anAssignment("to server", ["10.0.0.2"], {
            metadata: { filter_metadata: { "envoy.lb": { v: "1" } } },
          }),
        ],
        route: {
          route: {
            cluster: "to server",
            metadata_match: { filter_metadata: { "envoy.lb": { v } } },
          },
        },
      });
      expect(ends(subset("2"))).toEqual(["no endpoint"]);
      expect(ends(subset("1"))).toEqual(["well"]);
    });
    it("is not said of hosts that were not captured", () => {
      expect(ends({ endpoints: [] })).toEqual(["unknown: not captured"]);
    });
  });

  it("says that a cluster refuses where its circuit breaker lets nothing through", () => {
    const closed = { ...clientTls, circuit_breakers: { thresholds: [{ max_requests: 0 }] } };
    const open = { ...clientTls, circuit_breakers: { thresholds: [{ max_requests: 1 }] } };
    expect(partsOf({ clusters: [anEdsCluster("to server", closed)] })).toMatchObject([
      { reason: "cluster refuses", outcome: { responseFlags: ["UO"] } },
    ]);
    expect(ends({ clusters: [anEdsCluster("to server", open)] })).toEqual(["well"]);
  });

  describe("no inbound listener", () => {
    it("is a peer on whose port nothing listens", () => {
      const server = { clusters: serverClusters, listeners: [virtualInbound(strict, 15007)] };
      expect(partsOf({ server })).toMatchObject([
        {
          reason: "no inbound listener",
          endpoint: "10.0.0.2:8080",
          peer: "server-1.default",
          outcome: { status: 503, responseFlags: ["UF"] },
          because: "nothing listens on 10.0.0.2:15006",
        },
      ]);
    });
    it("is a peer that has no filter chain for the port, and none for others", () => {
      const server = (port: number): Held => ({
        clusters: serverClusters,
        listeners: [virtualInbound([{ ...strict[0], filter_chain_match: { destination_port: port } }])],
      });
      expect(ends({ server: server(9090) })).toEqual(["no inbound listener"]);
      expect(ends({ server: server(8080) })).toEqual(["well"]);
    });
    it("is a filter chain that leads to a cluster without hosts", () => {
      const server = (cluster: string): Held => ({
        clusters: serverClusters,
        listeners: [virtualInbound([{ transport_socket: serverTls, ...tcpTo(cluster) }])],
      });
      expect(partsOf({ server: server("BlackHoleCluster") })).toMatchObject([
        {
          reason: "no inbound listener",
          because: "its filter chain leads to BlackHoleCluster, which has no hosts",
        },
      ]);
      expect(ends({ server: server("none") })).toEqual(["no inbound listener"]);
      expect(ends({ server: server("InboundPassthroughCluster") })).toEqual(["well"]);
    });
    it("is not proved by a peer that passes the port on to the application: that is not known", () => {
      const server = (port: number): Held => ({
        clusters: serverClusters,
        listeners: [
          virtualInbound(
            strict.map((chain, index) =>
              index > 0
                ? chain
                : { ...chain, filter_chain_match: { destination_port: port, transport_protocol: "tls" } },
            ),
          ),
        ],
      });
      expect(all({ server: server(9090) })[0]?.end).toEqual({
        kind: "unknown",
        because: [
          {
            reason: "runtime state",
            message:
              "No filter chain of server-1.default is for port 8080: it is passed to the application, if that listens there.",
          },
        ],
      });
      expect(ends({ server: server(8080) })).toEqual(["well"]);
    });
    it("is not proved by a dump of which a part is lost", () => {
      const server = { clusters: serverClusters, listeners: [] };
      const entry = "proxies/server-1.default/config_dump";
      const problem = { entry, pointer: "", message: "cut off", severity: "lost" as const };
      expect(ends({ server, more: { problems: [problem] } })).toEqual(["unknown: not captured"]);
      expect(ends({ server })).toEqual(["no inbound listener"]);
    });
    it("is not known where the listeners of the peer were not captured", () => {
      expect(ends({ server: '{"configs":[]}' })).toEqual(["unknown: not captured"]);
    });
    it("is not asked where no proxy of the snapshot has the address", () => {
      expect(ends({ endpoints: [anAssignment("to server", ["192.0.2.1"])] })).toEqual(["well"]);
    });
    it("is an internal listener that the proxy itself lacks", () => {
      const endpoint = {
        endpoint: { address: { envoy_internal_address: { server_listener_name: "tunnel" } } },
      };
      const clusters = [
        aCluster("to server", {
          type: "STATIC",
          load_assignment: { cluster_name: "to server", endpoints: [{ lb_endpoints: [endpoint] }] },
        }),
      ];
      expect(partsOf({ clusters, endpoints: [] })).toMatchObject([
        { reason: "no inbound listener", because: "the proxy has no internal listener tunnel" },
      ]);
      const listeners = [aListener("tunnel", { internal_listener: {} })];
      expect(ends({ clusters, endpoints: [], listeners })).toEqual(["well"]);
    });
  });

  describe("mTLS refused", () => {
    const plain = [anEdsCluster("to server")];
    const server = (chains: readonly Fields[]): Held => ({
      clusters: serverClusters,
      listeners: [virtualInbound(chains)],
    });
    it("is plaintext for a chain that takes TLS alone", () => {
      const strictOnly = [{ ...strict[0], filter_chain_match: { destination_port: 8080 } }];
      expect(partsOf({ clusters: plain, server: server(strictOnly) })).toMatchObject([
        {
          reason: "mTLS refused",
          endpoint: "10.0.0.2:8080",
          peer: "server-1.default",
          outcome: { status: 503, responseFlags: ["UC"] },
          because: "the filter chain takes TLS alone, and the client sends plaintext",
        },
      ]);
      expect(ends({ clusters: plain, server: server(plaintext) })).toEqual(["well"]);
    });
    it("is plaintext where no chain takes it", () => {
      const onlyTls = server([strict[0] ?? {}]);
      expect(partsOf({ clusters: plain, server: onlyTls })).toMatchObject([
        { reason: "mTLS refused", because: expect.stringContaining("transport protocol") as string },
      ]);
      expect(ends({ server: onlyTls })).toEqual(["well"]);
    });
    it("is a certificate of another trust domain", () => {
      const sans = (prefix: string): readonly Fields[] => [
        {
          ...strict[0],
          transport_socket: {
            typed_config: {
              ...(serverTls["typed_config"] as Fields),
              common_tls_context: {
                validation_context: {
                  trusted_ca: { filename: "/root" },
                  match_subject_alt_names: [{ prefix }],
                },
              },
            },
          },
        },
      ];
      expect(ends({ server: server(sans("spiffe://other/")) })).toEqual(["mTLS refused"]);
      expect(ends({ server: server(sans("spiffe://cluster.local/ns/default/")) })).toEqual(["well"]);
    });
  });

  describe("ends well", () => {
    it.each([
      ["a redirect", { redirect: { host_redirect: "other" } }],
      ["a direct response, whatever its status", { direct_response: { status: 502 } }],
      ["an original destination", { route: { cluster: "PassthroughCluster" } }],
    ])("with %s", (_, route) => {
      const clusters = [
        aCluster("PassthroughCluster", { type: "ORIGINAL_DST", lb_policy: "CLUSTER_PROVIDED" }),
      ];
      expect(ends({ route, clusters })).toEqual(["well"]);
    });
    it("with the redirect to https that the virtual host asks for", () => {
      const route = { route: { cluster: "none" } };
      expect(ends({ route, virtualHost: { require_tls: "ALL" } })).toEqual(["well"]);
      expect(ends({ route })).toEqual(["no cluster"]);
    });
    it("at the application of the pod itself, for what comes in", () => {
      const cluster = (address: string): Fields =>
        aCluster("inbound|8080||", {
          type: "STATIC",
          load_assignment: {
            cluster_name: "inbound|8080||",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: socket(address, 8080) } }] }],
          },
        });
      const inbound = (address: string, name = "inbound|8080||"): Held => ({
        clusters: [cluster(address)],
        listeners: [
          virtualInbound([
            httpWith({
              route_config: {
                name,
                virtual_hosts: [
                  {
                    name: "inbound|http|80",
                    domains: ["*"],
                    routes: [{ name: "default", match: { prefix: "/" }, route: { cluster: name } }],
                  },
                ],
              },
            }),
          ]),
        ],
      });
      const own = (server: Held): RouteEnd[] =>
        all({ server }).filter(({ proxy }) => proxy === "server-1.default");
      expect(own(inbound("10.0.0.2"))).toMatchObject([
        { routeConfig: "inbound|8080||", virtualHost: "inbound|http|80", end: { kind: "well" } },
      ]);
      expect(own(inbound("127.0.0.1")).map(words)).toEqual(["well"]);
      expect(own(inbound("127.0.0.1", "inbound|9090||")).map(words)).toEqual(["no cluster"]);
    });
  });

  describe("asks no request of a route", () => {
    const to = (match: Fields, cluster = "none"): Fields => ({ match, route: { cluster } });
    const header = (name: string, exact: string, fields: Fields = {}): Fields => ({
      prefix: "/",
      headers: [{ name, string_match: { exact }, ...fields }],
    });
    it("that an earlier one shadows", () => {
      const [, shadowed] = all({
        routes: [{ name: "first", ...to({ prefix: "/" }, "to server") }, to({ prefix: "/a" })],
      });
      expect(shadowed?.end).toEqual({
        kind: "no request",
        because: "an earlier route, first, takes the requests that its match asks for",
      });
    });
    it.each([
      ["another path", [to({ path: "/" }, "to server"), to({ prefix: "/" })]],
      ["another header", [to(header("x", "1"), "to server"), to({ prefix: "/" })]],
      [
        "the header that the earlier one excludes",
        [
          to({ prefix: "/", headers: [{ name: "x", present_match: false }] }, "to server"),
          to({ prefix: "/" }),
        ],
      ],
      ["another method", [to(header(":method", "GET"), "to server"), to({ prefix: "/" })]],
      [
        "the part that a fraction leaves",
        [
          to({ prefix: "/", runtime_fraction: { default_value: { numerator: 50 } } }, "to server"),
          to({ prefix: "/" }),
        ],
      ],
      [
        "what certificates leave open",
        [to({ prefix: "/", tls_context: { presented: true } }, "to server"), to({ prefix: "/" })],
      ],
    ])("but not where %s tells them apart", (_, routes) => {
      expect(ends({ routes })).toEqual(["well", "no cluster"]);
    });
    it("whose fraction is 0", () => {
      const fraction = (numerator: number): Fields => ({
        prefix: "/",
        runtime_fraction: { default_value: { numerator } },
      });
      expect(ends({ routes: [to(fraction(0))] })).toEqual(["no request"]);
      expect(ends({ routes: [to(fraction(1))] })).toEqual(["no cluster"]);
    });
    it("of a virtual host whose domains another one has", () => {
      const snapshot = meshOf({
        proxies: {
          "client-1.default": {
            holds: {
              routes: [
                aResource("routeConfiguration", "80", {
                  ignore_port_in_host_matching: true,
                  virtual_hosts: [
                    { name: "a", domains: ["a"], routes: [to({ prefix: "/" })] },
                    { name: "b", domains: ["a:80"], routes: [to({ prefix: "/" })] },
                  ],
                }),
              ],
            },
          },
        },
      });
      expect([...traceAllRoutes(snapshot)].map(words)).toEqual(["no cluster", "no request"]);
    });
  });

  describe("in a matcher tree", () => {
    const action = (route: Fields): Fields => ({
      action: {
        name: "route",
        typed_config: { "@type": type("config.route.v3.Route"), ...route },
      },
    });
    const input = (name: string): Fields => ({
      name: "input",
      typed_config: {
        "@type": type("type.matcher.v3.HttpRequestHeaderMatchInput"),
        header_name: name,
      },
    });
    const byHeader = (map: Fields, more: Fields = {}): Fields => ({
      matcher: { matcher_tree: { input: input("x"), exact_match_map: { map } }, ...more },
      routes: [],
    });
    const route = (name: string, cluster: string): Fields => ({
      name,
      match: { prefix: "/" },
      route: { cluster },
    });
    it("follows each route that it leads to", () => {
      const virtualHost = byHeader(
        { a: action(route("a", "to server")), b: action(route("b", "none")) },
        { on_no_match: action(route("rest", "none as well")) },
      );
      expect(all({ virtualHost }).map((one) => [one.route, words(one)])).toEqual([
        ["a", "well"],
        ["b", "no cluster"],
        ["rest", "no cluster"],
      ]);
    });
    it("makes no request for a route that it does not lead to", () => {
      const inner = byHeader({ b: action(route("b", "none")), a: action(route("a", "none")) });
      const virtualHost = byHeader({ a: { matcher: inner["matcher"] } });
      expect(all({ virtualHost }).map((one) => [one.route, words(one)])).toEqual([
        ["a", "no cluster"],
        ["b", "no request"],
      ]);
    });
  });

  it("answers for each proxy by its own endpoints and certificate, though they share clusters", () => {
    const held = (address: string): Held => ({
      clusters: [anEdsCluster("to server", clientTls)],
      endpoints: [anAssignment("to server", address === "" ? [] : [address])],
      routes: [
        aResource("routeConfiguration", "80", {
          virtual_hosts: [
            {
              name: "server:80",
              domains: ["*"],
              routes: [{ match: { prefix: "/" }, route: { cluster: "to server" } }],
            },
          ],
        }),
      ],
    });
    const other: Fields = {
      ...strict[0],
      transport_socket: {
        typed_config: {
          ...(serverTls["typed_config"] as Fields),
          common_tls_context: {
            validation_context: {
              trusted_ca: { filename: "/root" },
              match_subject_alt_names: [{ exact: "spiffe://cluster.local/ns/default/sa/a" }],
            },
          },
        },
      },
    };
    const snapshot = meshOf({
      proxies: {
        "a.default": { ip: "10.0.1.1", metadata: { SERVICE_ACCOUNT: "a" }, holds: held("10.0.0.2") },
        "b.default": { ip: "10.0.1.2", metadata: { SERVICE_ACCOUNT: "b" }, holds: held("10.0.0.2") },
        "c.default": { ip: "10.0.1.3", metadata: { SERVICE_ACCOUNT: "a" }, holds: held("") },
        "d.default": { ip: "10.0.1.4", metadata: { SERVICE_ACCOUNT: "a" }, holds: held("10.0.0.2") },
        "server-1.default": {
          ip: "10.0.0.2",
          holds: { clusters: serverClusters, listeners: [virtualInbound([other])] },
        },
      },
    });
    expect([...traceAllRoutes(snapshot)].map((one) => [one.proxy, words(one)])).toEqual([
      ["a.default", "well"],
      ["b.default", "mTLS refused"],
      ["c.default", "no endpoint"],
      ["d.default", "well"],
    ]);
  });
});

describe("the samples", () => {
  const read = (name: string): Promise<Snapshot> =>
    readSnapshot(`${root}samples/bookinfo-${name}.tar.gz`, { debug: "all" });
  const kinds = (snapshot: Snapshot): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { end } of traceAllRoutes(snapshot)) counts[end.kind] = (counts[end.kind] ?? 0) + 1;
    return counts;
  };
  it.each(["healthy", "bug-report-1.12"])("%s: all routes end well", async (name) => {
    expect(kinds(await read(name))).toEqual({ well: expect.any(Number) as number });
  });
  it("drift: the gateway does not listen on the port that its Service has", async () => {
    const bad = [...traceAllRoutes(await read("drift"))].filter(({ end }) => end.kind === "bad");
    expect(bad.map(words)).toEqual(Array(6).fill("no inbound listener"));
    expect(new Set(bad.map(({ virtualHost }) => virtualHost))).toEqual(
      new Set(["istio-ingressgateway.istio-system.svc.cluster.local:80"]),
    );
  });
  it("must-gather: without endpoints nothing is bad, and nothing that has endpoints is well", async () => {
    expect(kinds(await read("must-gather"))).toEqual({
      well: expect.any(Number) as number,
      unknown: 60,
    });
  });

  it("healthy: a request by a domain of a route that ends well is not answered with NC, UH or NR", async () => {
    const snapshot = await read("healthy");
    const sidecars = snapshot.proxies.filter(({ type: kind }) => kind === "sidecar");
    const routes = [...traceAllRoutes(snapshot, (proxy) => sidecars.includes(proxy))].filter(
      ({ routeConfig, end }) => /^\d+$/.test(routeConfig) && end.kind === "well",
    );
    const traced = routes.flatMap(({ proxy: from, virtualHost }) => {
      const [host, port] = virtualHost.split(":");
      if (host === undefined || port === undefined) return [];
      const { outcome } = traceRequest(snapshot, {
        from,
        direction: "outbound",
        method: "GET",
        scheme: "http",
        authority: `${host}:${port}`,
        path: "/",
        headers: [],
        originalDestination: null,
        sourceIp: null,
        tls: null,
        random: null,
        allBranches: false,
      });
      return [outcome.responseFlags.join()];
    });
    expect(traced.length).toBeGreaterThan(30);
    expect(traced.filter((flags) => /NC|UH|NR|UF|UC/.test(flags))).toEqual([]);
  });
});
