/** Section 9 of the facts: which host a cluster gives, where that is certain or a matter of exact shares. */
import { fileSource } from "../../support/live/xds-files.js";
import {
  chain,
  cluster,
  clusterOf,
  extension,
  forward,
  http2Upstream,
  listener,
  locality,
  proxyProtocol,
  rawBuffer,
  route,
  tcpProxy,
  upstreamTls,
  type Host,
} from "../../support/judge/messages.js";
import {
  answered,
  closed,
  httpScenario,
  scenario,
  through,
  to,
  type CasePair,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { JsonObject } from "../../support/mesh/json.js";

/** Hosts 127.77.2.<number>. */
const hosts = (numbers: readonly number[], more: Omit<Host, "address"> = {}): Host[] =>
  numbers.map((number) => ({ address: `127.77.2.${number}`, ...more }));
const at = (number: number): string => `127.77.2.${number}:18080`;
/** Every number as likely as the others. */
const evenly = (numbers: readonly number[], whole = 1): Record<string, number> =>
  Object.fromEntries(numbers.map((number) => [at(number), whole / numbers.length]));
const shared = (are: Record<string, number>): Expected => to("r", { shares: { of: "upstreamHost", are } });

const noHost = answered(503, "no_healthy_upstream", { flags: ["UH"], upstreamHost: null });

/** One route to one cluster. */
const clusterScenario = (
  name: string,
  facts: string,
  clusters: readonly JsonObject[],
  cases: readonly CasePair[],
  action: JsonObject = {},
  more: { listener?: JsonObject; endpoints?: readonly JsonObject[] } = {},
): Scenario =>
  httpScenario(name, facts, {
    routes: [forward("r", {}, { cluster: clusters[0]?.["name"] ?? "", ...action })],
    clusters,
    ...more,
    cases,
  });

const random = { lb_policy: "RANDOM" };
const priority = (level: number, list: readonly Host[], overrides: JsonObject = {}): JsonObject =>
  locality(list, { priority: level, ...overrides });

const spread = 300;
/** The share of one priority by its hosts. */
const shares = (
  name: string,
  facts: string,
  localities: readonly JsonObject[],
  are: Record<string, number>,
  overrides: JsonObject = {},
): Scenario =>
  clusterScenario(
    name,
    facts,
    [clusterOf(name, localities, { ...random, ...overrides })],
    [[{}, shared(are), spread]],
  );

const healthy = hosts;
const unhealthy = (numbers: readonly number[]): Host[] => hosts(numbers, { health: "UNHEALTHY" });
const degraded = (numbers: readonly number[]): Host[] => hosts(numbers, { health: "DEGRADED" });
const draining = (numbers: readonly number[]): Host[] => hosts(numbers, { health: "DRAINING" });

const labels = (values: JsonObject): JsonObject => ({ "envoy.lb": values });
const criteria = (values: JsonObject): JsonObject => ({
  metadata_match: { filter_metadata: labels(values) },
});
const subsetCluster = (name: string, config: JsonObject): JsonObject =>
  cluster(
    name,
    [
      { address: "127.77.2.1", metadata: labels({ version: "v1", stage: "prod" }) },
      { address: "127.77.2.2", metadata: labels({ version: "v2", stage: "prod" }) },
      { address: "127.77.2.3", metadata: labels({ version: 1 }) },
    ],
    { ...random, lb_subset_config: config },
  );
const byVersion = { subset_selectors: [{ keys: ["version"] }] };

const matched = (values: JsonObject): JsonObject => ({ "envoy.transport_socket_match": values });
const mutualTls: JsonObject = {
  transport_socket_matches: [
    {
      name: "tlsMode-istio",
      match: { tlsMode: "istio" },
      transport_socket: upstreamTls({
        sni: "outbound_.80_._.a",
        alpn: ["istio-http/1.1", "http/1.1"],
        certificate: true,
      }),
    },
    { name: "tlsMode-disabled", match: {}, transport_socket: rawBuffer },
  ],
};

const aggregate = (name: string, members: readonly string[]): JsonObject => ({
  name,
  connect_timeout: "1s",
  lb_policy: "CLUSTER_PROVIDED",
  cluster_type: extension(
    "envoy.clusters.aggregate",
    "envoy.extensions.clusters.aggregate.v3.ClusterConfig",
    { clusters: members },
  ),
});

const original = (name: string, config: JsonObject = {}): JsonObject => ({
  name,
  type: "ORIGINAL_DST",
  lb_policy: "CLUSTER_PROVIDED",
  connect_timeout: "1s",
  ...config,
});
const destined = (ip: string, port: number) => ({
  source: { ip: "10.9.9.9", port: 5 },
  destination: { ip, port },
});

export const clusterScenarios: readonly Scenario[] = [
  clusterScenario("cluster: no hosts", "7.1, 9", [cluster("cluster: no hosts", [])], [[{}, noHost]]),
  clusterScenario(
    "cluster: no hosts for gRPC",
    "7.1, 9",
    [cluster("cluster: no hosts for gRPC", [])],
    [
      [
        { headers: [["content-type", "application/grpc"]] },
        { status: 200, flags: ["UH"], details: "no_healthy_upstream", isReceived: false },
      ],
      [
        // several are one, whose value is no gRPC
        {
          headers: [
            ["content-type", "application/grpc"],
            ["content-type", "text/plain"],
          ],
        },
        { status: 503, flags: ["UH"], details: "no_healthy_upstream", isReceived: false },
      ],
    ],
  ),
  clusterScenario(
    "cluster: nobody listens",
    "9",
    [cluster("cluster: nobody listens", [{ address: "127.77.2.1", port: 1 }])],
    [
      [
        {},
        {
          status: 503,
          flags: ["UF"],
          details: "upstream_reset_before_response_started",
          upstreamHost: "127.77.2.1:1",
        },
      ],
    ],
  ),
  clusterScenario(
    "cluster: h2c upstream",
    "9",
    [cluster("cluster: h2c upstream", [{ address: "127.77.2.1", kind: "h2c" }], http2Upstream)],
    [[{ path: "/x" }, to("r", { path: "/x", upstreamHost: "127.77.2.1:18081" })]],
  ),
  clusterScenario(
    "cluster: no type is STATIC",
    "9.1",
    [
      {
        name: "cluster: no type is STATIC",
        connect_timeout: "1s",
        load_assignment: { cluster_name: "x", endpoints: [locality(hosts([1]))] },
      },
    ],
    [[{}, to("r", { upstreamHost: at(1) })]],
  ),
  clusterScenario(
    "cluster: STRICT_DNS",
    "9.1",
    [
      {
        ...cluster("cluster: STRICT_DNS", []),
        type: "STRICT_DNS",
        load_assignment: { cluster_name: "x", endpoints: [locality([{ address: "localhost", port: 1 }])] },
      },
    ],
    [[{}, { status: 503, flags: ["UF"] }]],
  ),
  clusterScenario(
    "cluster: EDS by another name",
    "9.1; 12 traps",
    [
      {
        name: "cluster: EDS by another name",
        type: "EDS",
        connect_timeout: "1s",
        eds_cluster_config: { service_name: "the service", eds_config: fileSource("eds", "the service") },
      },
    ],
    [[{}, to("r", { upstreamHost: at(7) })]],
    {},
    { endpoints: [{ cluster_name: "the service", endpoints: [locality(hosts([7]))] }] },
  ),
  clusterScenario(
    "cluster: original destination",
    "9.1",
    [original("cluster: original destination")],
    [
      [{ proxy: destined("127.77.2.9", 18_080) }, to("r", { upstreamHost: at(9) })],
      [{ proxy: destined("127.77.2.8", 18_080) }, to("r", { upstreamHost: at(8) })],
    ],
    {},
    { listener: { listener_filters: [proxyProtocol] } },
  ),
  clusterScenario(
    "cluster: no original destination",
    "9.1; 12 traps",
    [original("cluster: no original destination")],
    [[{}, noHost]],
  ),
  clusterScenario(
    "cluster: original destination by header",
    "9.1",
    [
      original("cluster: original destination by header", {
        original_dst_lb_config: { use_http_header: true },
      }),
    ],
    [
      [{ headers: [["x-envoy-original-dst-host", "127.77.2.9:18080"]] }, to("r", { upstreamHost: at(9) })],
      [{ headers: [["x-envoy-original-dst-host", "no address"]] }, noHost],
      [{}, noHost],
    ],
  ),
  clusterScenario(
    "cluster: original destination by a header of another name",
    "9.1",
    [
      original("cluster: original destination by a header of another name", {
        original_dst_lb_config: { use_http_header: true, http_header_name: "x-there" },
      }),
    ],
    [
      [{ headers: [["x-there", "127.77.2.9:18080"]] }, to("r", { upstreamHost: at(9) })],
      [{ headers: [["x-envoy-original-dst-host", "127.77.2.9:18080"]] }, noHost],
    ],
  ),
  clusterScenario(
    "cluster: a header that is not to be used",
    "9.1",
    [original("cluster: a header that is not to be used")],
    [[{ headers: [["x-envoy-original-dst-host", "127.77.2.9:18080"]] }, noHost]],
  ),
  clusterScenario(
    "cluster: another port than the original one",
    "9.1",
    [
      original("cluster: another port than the original one", {
        original_dst_lb_config: { upstream_port_override: 18_080 },
      }),
    ],
    [[{ proxy: destined("127.77.2.9", 80) }, to("r", { upstreamHost: at(9) })]],
    {},
    { listener: { listener_filters: [proxyProtocol] } },
  ),
  scenario(
    "cluster: passthrough of TCP",
    "8, 9.1",
    {
      listeners: [
        listener("cluster: passthrough of TCP", [chain("tcp", [tcpProxy("PassthroughCluster")])], {
          listener_filters: [proxyProtocol],
        }),
      ],
      clusters: [original("PassthroughCluster")],
    },
    [
      [{ proxy: destined("127.77.2.9", 18_080) }, through("PassthroughCluster", { upstreamHost: at(9) })],
      [
        { protocol: "tcp", proxy: destined("127.77.2.9", 1) },
        closed({ flags: ["UF", "URX"], upstreamHost: "127.77.2.9:1" }),
      ],
    ],
  ),
  clusterScenario(
    "cluster: aggregate",
    "9.1; 12 traps",
    [
      aggregate("cluster: aggregate", ["aggregate nowhere", "aggregate empty", "aggregate full"]),
      cluster("aggregate empty", []),
      cluster("aggregate full", hosts([1])),
    ],
    [[{}, to("r", { upstreamHost: at(1) })]],
  ),
  clusterScenario(
    "cluster: aggregate fails over",
    "9.1, 9.3",
    [
      aggregate("cluster: aggregate fails over", ["aggregate half", "aggregate rest"]),
      cluster("aggregate half", [...healthy([1, 2]), ...unhealthy([3, 4])], random),
      cluster("aggregate rest", healthy([5]), random),
    ],
    [[{}, shared({ [at(1)]: 0.35, [at(2)]: 0.35, [at(5)]: 0.3 }), spread]],
  ),
  clusterScenario(
    "cluster: aggregate of one with subsets",
    "9.1, 9.6",
    [
      aggregate("cluster: aggregate of one with subsets", ["aggregate subsets", "aggregate spare"]),
      subsetCluster("aggregate subsets", byVersion),
      cluster("aggregate spare", hosts([1])),
    ],
    [[{}, noHost, 3]],
  ),
  clusterScenario(
    "cluster: the same address twice, STATIC",
    "9.1",
    [
      cluster(
        "cluster: the same address twice, STATIC",
        [...hosts([1]), ...hosts([1]), ...hosts([2])],
        random,
      ),
    ],
    [[{}, shared({ [at(1)]: 2 / 3, [at(2)]: 1 / 3 }), spread]],
  ),
  clusterScenario(
    "cluster: the same address twice, EDS",
    "9.1",
    [
      {
        name: "cluster: the same address twice, EDS",
        type: "EDS",
        connect_timeout: "1s",
        eds_cluster_config: { service_name: "twice", eds_config: fileSource("eds", "twice") },
        ...random,
      },
    ],
    [[{}, shared(evenly([1, 2])), spread]],
    {},
    {
      endpoints: [
        { cluster_name: "twice", endpoints: [locality([...hosts([1]), ...hosts([1]), ...hosts([2])])] },
      ],
    },
  ),
  clusterScenario(
    "subset: by one key",
    "9.6",
    [subsetCluster("subset: by one key", byVersion)],
    [[{}, to("r", { upstreamHost: at(2) }), 5]],
    criteria({ version: "v2" }),
  ),
  clusterScenario(
    "subset: no such value",
    "9.6",
    [subsetCluster("subset: no such value", byVersion)],
    [[{}, noHost]],
    criteria({ version: "v3" }),
  ),
  clusterScenario(
    "subset: values have types",
    "9.6",
    [subsetCluster("subset: values have types", byVersion)],
    [[{}, noHost]],
    criteria({ version: "1" }),
  ),
  clusterScenario(
    "subset: a number",
    "9.6",
    [subsetCluster("subset: a number", byVersion)],
    [[{}, to("r", { upstreamHost: at(3) }), 5]],
    criteria({ version: 1 }),
  ),
  clusterScenario(
    "subset: keys that no selector has",
    "9.6",
    [subsetCluster("subset: keys that no selector has", byVersion)],
    [[{}, noHost]],
    criteria({ version: "v1", stage: "prod" }),
  ),
  clusterScenario(
    "subset: no criteria",
    "9.6",
    [subsetCluster("subset: no criteria", byVersion)],
    [[{}, noHost]],
  ),
  clusterScenario(
    "subset: any endpoint instead",
    "9.6",
    [subsetCluster("subset: any endpoint instead", { ...byVersion, fallback_policy: "ANY_ENDPOINT" })],
    [[{}, shared(evenly([1, 2, 3])), spread]],
    criteria({ version: "v3" }),
  ),
  clusterScenario(
    "subset: the default subset instead",
    "9.6",
    [
      subsetCluster("subset: the default subset instead", {
        ...byVersion,
        fallback_policy: "DEFAULT_SUBSET",
        default_subset: { version: "v1" },
      }),
    ],
    [[{}, to("r", { upstreamHost: at(1) }), 5]],
    criteria({ version: "v3" }),
  ),
  clusterScenario(
    "subset: a selector's own fallback",
    "9.6",
    [
      subsetCluster("subset: a selector's own fallback", {
        subset_selectors: [{ keys: ["version"], fallback_policy: "NO_FALLBACK" }, { keys: ["stage"] }],
        fallback_policy: "ANY_ENDPOINT",
      }),
    ],
    [[{}, noHost]],
    criteria({ version: "v3" }),
  ),
  clusterScenario(
    "subset: the cluster's fallback for another selector",
    "9.6",
    [
      subsetCluster("subset: the cluster's fallback for another selector", {
        subset_selectors: [{ keys: ["version"], fallback_policy: "NO_FALLBACK" }, { keys: ["stage"] }],
        fallback_policy: "ANY_ENDPOINT",
      }),
    ],
    [[{}, shared(evenly([1, 2, 3])), spread]],
    criteria({ stage: "test" }),
  ),
  clusterScenario(
    "subset: fewer keys instead",
    "9.6",
    [
      subsetCluster("subset: fewer keys instead", {
        subset_selectors: [
          { keys: ["stage", "version"], fallback_policy: "KEYS_SUBSET", fallback_keys_subset: ["stage"] },
          { keys: ["stage"] },
        ],
      }),
    ],
    [[{}, shared(evenly([1, 2])), spread]],
    criteria({ version: "v3", stage: "prod" }),
  ),
  clusterScenario(
    "subset: panic mode any, after a fallback without hosts",
    "9.6",
    [
      subsetCluster("subset: panic mode any, after a fallback without hosts", {
        ...byVersion,
        fallback_policy: "DEFAULT_SUBSET",
        default_subset: { version: "v9" },
        panic_mode_any: true,
      }),
    ],
    [[{}, shared(evenly([1, 2, 3])), spread]],
    criteria({ version: "v3" }),
  ),
  clusterScenario(
    "subset: panic mode any, without a fallback",
    "9.6",
    [subsetCluster("subset: panic mode any, without a fallback", { ...byVersion, panic_mode_any: true })],
    [[{}, noHost]],
    criteria({ version: "v3" }),
  ),
  clusterScenario(
    "subset: lists",
    "9.6",
    [
      cluster(
        "subset: lists",
        [
          { address: "127.77.2.1", metadata: labels({ version: ["v1", "v2"] }) },
          { address: "127.77.2.2", metadata: labels({ version: "v3" }) },
        ],
        { lb_subset_config: { ...byVersion, list_as_any: true } },
      ),
    ],
    [[{}, to("r", { upstreamHost: at(1) }), 5]],
    criteria({ version: "v2" }),
  ),
  httpScenario("subset: a weighted entry's criteria over the route's", "9.6, 7.1", {
    routes: [
      forward(
        "r",
        {},
        {
          ...criteria({ version: "v1" }),
          weighted_clusters: {
            clusters: [{ name: "subset of the entry", weight: 1, ...criteria({ version: "v2" }) }],
          },
        },
      ),
    ],
    clusters: [subsetCluster("subset of the entry", byVersion)],
    cases: [[{}, to("r", { upstreamHost: at(2) }), 5]],
  }),
  clusterScenario(
    "transport socket: by the endpoint's metadata",
    "9.7; 12 traps",
    [
      cluster(
        "transport socket: by the endpoint's metadata",
        [{ address: "127.77.2.1", kind: "tls", metadata: matched({ tlsMode: "istio", more: "1" }) }],
        mutualTls,
      ),
    ],
    [[{}, to("r", { upstreamTls: { sni: "outbound_.80_._.a", alpn: "http/1.1" } })]],
  ),
  clusterScenario(
    "transport socket: the empty match",
    "9.7; 12 traps",
    [cluster("transport socket: the empty match", hosts([1]), mutualTls)],
    [[{}, to("r", { upstreamTls: null })]],
  ),
  clusterScenario(
    "transport socket: another value",
    "9.7",
    [
      cluster(
        "transport socket: another value",
        hosts([1], { metadata: matched({ tlsMode: "disabled" }) }),
        mutualTls,
      ),
    ],
    [[{}, to("r", { upstreamTls: null })]],
  ),
  clusterScenario(
    "transport socket: by the locality's metadata",
    "9.7",
    [
      clusterOf(
        "transport socket: by the locality's metadata",
        [
          locality([{ address: "127.77.2.1", kind: "tls" }], {
            metadata: { filter_metadata: matched({ tlsMode: "istio" }) },
          }),
        ],
        { transport_socket_matches: [(mutualTls["transport_socket_matches"] as JsonObject[])[0] ?? {}] },
      ),
    ],
    [[{}, to("r", { upstreamTls: { sni: "outbound_.80_._.a" } })]],
  ),
  clusterScenario(
    "transport socket: of the cluster where none matches",
    "9.7",
    [
      cluster(
        "transport socket: of the cluster where none matches",
        [{ address: "127.77.2.1", kind: "tls" }],
        {
          transport_socket_matches: [{ name: "other", match: { a: "b" }, transport_socket: rawBuffer }],
          transport_socket: upstreamTls({ sni: "of.the.cluster" }),
        },
      ),
    ],
    [[{}, to("r", { upstreamTls: { sni: "of.the.cluster" } })]],
  ),
  clusterScenario(
    "circuit breaker: nothing may pend",
    "9.8",
    [
      cluster("circuit breaker: nothing may pend", hosts([1]), {
        circuit_breakers: { thresholds: [{ max_pending_requests: 0 }] },
      }),
    ],
    [[{}, { status: 503, flags: ["UO"], isReceived: false }]],
  ),
  clusterScenario(
    "circuit breaker: no requests",
    "9.8",
    [
      cluster("circuit breaker: no requests", hosts([1]), {
        circuit_breakers: { thresholds: [{ max_requests: 0 }, { priority: "HIGH", max_requests: 5 }] },
      }),
    ],
    [[{}, { status: 503, flags: ["UO"], isReceived: false }]],
  ),
  httpScenario("circuit breaker: another priority", "9.8, 7.5", {
    routes: [forward("r", {}, { cluster: "breaker of two", priority: "HIGH" })],
    clusters: [
      cluster("breaker of two", hosts([1]), {
        circuit_breakers: { thresholds: [{ max_requests: 0 }, { priority: "HIGH", max_requests: 50 }] },
      }),
    ],
    cases: [[{}, to("r")]],
  }),
  clusterScenario(
    "hash: by a header",
    "9.5",
    [cluster("hash: by a header", hosts([1, 2, 3]), { lb_policy: "RING_HASH" })],
    [[{ headers: [["x-user", "a"]] }, to("r"), 5]],
    { hash_policy: [{ header: { header_name: "x-user" } }] },
  ),
  clusterScenario(
    "a load balancing policy overrides lb_policy",
    "9.5",
    [
      cluster("a load balancing policy overrides lb_policy", hosts([1, 2]), {
        lb_policy: "RING_HASH",
        load_balancing_policy: {
          policies: [
            {
              typed_extension_config: extension(
                "random",
                "envoy.extensions.load_balancing_policies.random.v3.Random",
              ),
            },
          ],
        },
      }),
    ],
    [[{}, shared(evenly([1, 2])), spread]],
  ),
];

export const shareScenarios: readonly Scenario[] = [
  shares("shares: equal hosts", "9.5", [locality(hosts([1, 2, 3]))], evenly([1, 2, 3])),
  shares(
    "shares: P0 half healthy",
    "9.3; 12 #55",
    [priority(0, [...healthy([1, 2]), ...unhealthy([3, 4])]), priority(1, healthy([5, 6]))],
    {
      ...evenly([1, 2], 0.7),
      ...evenly([5, 6], 0.3),
    },
  ),
  shares(
    "shares: panic of the only priority",
    "9.3; 12 #56",
    [priority(0, [...healthy([1]), ...unhealthy([2, 3, 4])])],
    evenly([1, 2, 3, 4]),
  ),
  shares(
    "shares: draining hosts are not counted",
    "9.2; 12 #57",
    [priority(0, [...healthy([1, 2]), ...draining([3, 4])]), priority(1, healthy([5]))],
    {
      ...evenly([1, 2]),
      [at(5)]: 0,
    },
  ),
  shares(
    "shares: unhealthy hosts are counted",
    "9.2; 12 #57",
    [priority(0, [...healthy([1, 2]), ...unhealthy([3, 4])])],
    evenly([1, 2]),
  ),
  shares(
    "shares: locality weights are ignored",
    "9.4; 12 #58",
    [
      locality(hosts([1]), { locality: { zone: "a" }, load_balancing_weight: 9 }),
      locality(hosts([2]), { locality: { zone: "b" }, load_balancing_weight: 1 }),
    ],
    evenly([1, 2]),
  ),
  shares(
    "shares: locality weights",
    "9.4",
    [
      locality(hosts([1]), { locality: { zone: "a" }, load_balancing_weight: 9 }),
      locality(hosts([2, 3]), { locality: { zone: "b" }, load_balancing_weight: 1 }),
    ],
    { [at(1)]: 0.9, [at(2)]: 0.05, [at(3)]: 0.05 },
    { common_lb_config: { locality_weighted_lb_config: {} } },
  ),
  shares(
    "shares: locality weights by health",
    "9.4",
    [
      locality([...healthy([1]), ...unhealthy([2])], { locality: { zone: "a" }, load_balancing_weight: 1 }),
      locality(hosts([3, 4]), { locality: { zone: "b" }, load_balancing_weight: 1 }),
    ],
    { [at(1)]: 0.7 / 1.7, ...evenly([3, 4], 1 / 1.7) },
    { common_lb_config: { locality_weighted_lb_config: {} } },
  ),
  shares(
    "shares: a locality without weight",
    "9.4",
    [
      locality(hosts([1]), { locality: { zone: "a" }, load_balancing_weight: 1 }),
      locality(hosts([2]), { locality: { zone: "b" } }),
    ],
    { [at(1)]: 1, [at(2)]: 0 },
    { common_lb_config: { locality_weighted_lb_config: {} } },
  ),
  shares(
    "shares: no locality has a weight",
    "9.4",
    [locality(hosts([1]), { locality: { zone: "a" } }), locality(hosts([2, 3]), { locality: { zone: "b" } })],
    evenly([1, 2, 3]),
    { common_lb_config: { locality_weighted_lb_config: {} } },
  ),
  shares(
    "shares: P0 nearly healthy",
    "9.3",
    [priority(0, [...healthy([1, 2, 3, 4, 5]), ...unhealthy([6])]), priority(1, healthy([7]))],
    {
      ...evenly([1, 2, 3, 4, 5]),
      [at(7)]: 0,
    },
  ),
  shares(
    "shares: a quarter healthy in two priorities",
    "9.3",
    [
      priority(0, [...healthy([1]), ...unhealthy([2, 3, 4])]),
      priority(1, [...healthy([5]), ...unhealthy([6, 7, 8])]),
    ],
    { ...evenly([1, 2, 3, 4], 0.5), ...evenly([5, 6, 7, 8], 0.5) },
  ),
  shares("shares: P0 is down", "9.3", [priority(0, unhealthy([1, 2])), priority(1, healthy([3]))], {
    [at(3)]: 1,
    [at(1)]: 0,
    [at(2)]: 0,
  }),
  shares(
    "shares: panic is switched off",
    "9.3",
    [priority(0, [...healthy([1]), ...unhealthy([2, 3, 4])])],
    { [at(1)]: 1 },
    {
      common_lb_config: { healthy_panic_threshold: { value: 0 } },
    },
  ),
  shares(
    "shares: a lower panic threshold",
    "9.3",
    [priority(0, [...healthy([1]), ...unhealthy([2, 3, 4])])],
    { [at(1)]: 1 },
    {
      common_lb_config: { healthy_panic_threshold: { value: 25 } },
    },
  ),
  shares("shares: degraded hosts", "9.3", [priority(0, [...healthy([1]), ...degraded([2, 3])])], {
    [at(1)]: 0.46,
    [at(2)]: 0.27,
    [at(3)]: 0.27,
  }),
  shares(
    "shares: degraded hosts come before the next priority",
    "9.3",
    [priority(0, [...degraded([1, 2])]), priority(1, healthy([3]))],
    { [at(1)]: 0, [at(2)]: 0, [at(3)]: 1 },
  ),
  shares("shares: only degraded hosts", "9.3", [priority(0, degraded([1, 2]))], evenly([1, 2])),
  shares(
    "shares: an overprovisioning factor",
    "9.3",
    [priority(0, [...healthy([1]), ...unhealthy([2])]), priority(1, healthy([3]))],
    { [at(1)]: 0.5, [at(3)]: 0.5 },
    { load_assignment: { policy: { overprovisioning_factor: 100 } } },
  ),
  shares(
    "shares: health by weight",
    "9.3",
    [
      priority(0, [...hosts([1], { weight: 1 }), ...hosts([2], { weight: 3, health: "UNHEALTHY" })]),
      priority(1, healthy([3])),
    ],
    { [at(1)]: 0.35, [at(3)]: 0.65 },
    { load_assignment: { policy: { weighted_priority_health: true } } },
  ),
  clusterScenario(
    "shares: weights of hosts, in turn",
    "9.5",
    [
      cluster("shares: weights of hosts, in turn", [
        ...hosts([1], { weight: 3 }),
        ...hosts([2], { weight: 1 }),
      ]),
    ],
    [[{}, shared({ [at(1)]: 0.75, [at(2)]: 0.25 }), spread]],
  ),
  shares(
    "shares: all are down, panic",
    "9.3",
    [priority(0, unhealthy([1, 2, 3])), priority(1, unhealthy([4]))],
    evenly([1, 2, 3, 4]),
  ),
  shares(
    "shares: TIMEOUT is unhealthy",
    "9.2",
    [priority(0, [...healthy([1, 2]), ...hosts([3], { health: "TIMEOUT" })])],
    evenly([1, 2]),
  ),
  shares("shares: an empty priority", "9.3", [priority(0, []), priority(1, healthy([1]))], { [at(1)]: 1 }),
  clusterScenario(
    "shares: all are down, no panic",
    "9.3",
    [
      clusterOf("shares: all are down, no panic", [locality(unhealthy([1, 2]))], {
        common_lb_config: { healthy_panic_threshold: { value: 0 } },
      }),
    ],
    [[{}, noHost, 3]],
  ),
  clusterScenario(
    "shares: only draining hosts",
    "9.2",
    [clusterOf("shares: only draining hosts", [locality(draining([1, 2]))], random)],
    [[{}, to("r"), 3]],
  ),
  httpScenario("shares: weighted clusters", "7.1", {
    routes: [
      forward(
        "r",
        {},
        {
          weighted_clusters: {
            clusters: [
              { name: "weight 1", weight: 1 },
              { name: "weight 2", weight: 2 },
              { name: "weight 0", weight: 0 },
              { name: "weight 7", weight: 7 },
            ],
          },
        },
      ),
    ],
    clusters: [1, 2, 0, 7].map((weight) => cluster(`weight ${weight}`, [{ address: "127.77.1.1" }])),
    cases: [
      [
        {},
        to("r", {
          shares: {
            of: "cluster",
            are: { "weight 1": 0.1, "weight 2": 0.2, "weight 0": 0, "weight 7": 0.7 },
          },
        }),
        spread,
      ],
    ],
  }),
  httpScenario("shares: a runtime fraction", "6.4", {
    routes: [
      route("quarter", { runtime_fraction: { default_value: { numerator: 25, denominator: "HUNDRED" } } }),
      route("rest"),
    ],
    cases: [[{}, { shares: { of: "route", are: { quarter: 0.25, rest: 0.75 } } }, spread]],
  }),
  httpScenario("shares: a runtime fraction and weights draw the same number", "6.4, 7.1", {
    routes: [
      forward(
        "half",
        { runtime_fraction: { default_value: { numerator: 50, denominator: "HUNDRED" } } },
        {
          weighted_clusters: {
            clusters: [
              { name: "correlated low", weight: 50 },
              { name: "correlated high", weight: 50 },
            ],
          },
        },
      ),
      route("rest"),
    ],
    clusters: ["correlated low", "correlated high"].map((name) => cluster(name, [{ address: "127.77.1.1" }])),
    cases: [
      [
        {},
        { shares: { of: "cluster", are: { "correlated low": 0.5, "correlated high": 0, echo: 0.5 } } },
        spread,
      ],
    ],
  }),
  httpScenario("shares: an abort of 30 %", "4.6", {
    routes: [route("r")],
    filters: [
      extension("fault", "envoy.extensions.filters.http.fault.v3.HTTPFault", {
        abort: { http_status: 418, percentage: { numerator: 30, denominator: "HUNDRED" } },
      }),
    ],
    cases: [[{}, { shares: { of: "status", are: { "418": 0.3, "200": 0.7 } } }, spread]],
  }),
  scenario(
    "shares: weighted clusters of TCP",
    "8",
    {
      listeners: [
        listener("shares: weighted clusters of TCP", [
          chain("tcp", [
            tcpProxy({
              weighted_clusters: {
                clusters: [
                  { name: "tcp weight 3", weight: 3 },
                  { name: "tcp weight 1", weight: 1 },
                ],
              },
            }),
          ]),
        ]),
      ],
      clusters: ["tcp weight 3", "tcp weight 1"].map((name) => cluster(name, [{ address: "127.77.1.1" }])),
    },
    [[{}, { shares: { of: "cluster", are: { "tcp weight 3": 0.75, "tcp weight 1": 0.25 } } }, spread]],
  ),
];
