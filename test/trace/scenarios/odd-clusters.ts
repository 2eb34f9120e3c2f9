/** Section 9 of the facts, with clusters whose hosts or shares are easily told wrong. */
import { fileSource } from "../../support/live/xds-files.js";
import {
  cluster,
  clusterOf,
  extension,
  forward,
  locality,
  proxyProtocol,
  rawBuffer,
  upstreamTls,
  type Host,
} from "../../support/judge/messages.js";
import {
  answered,
  httpScenario,
  to,
  type CasePair,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { JsonObject } from "../../support/mesh/json.js";

/** Hosts 127.77.3.<number>. */
const hosts = (numbers: readonly number[], more: Omit<Host, "address"> = {}): Host[] =>
  numbers.map((number) => ({ address: `127.77.3.${number}`, ...more }));
const at = (number: number): string => `127.77.3.${number}:18080`;
const evenly = (numbers: readonly number[], whole = 1): Record<string, number> =>
  Object.fromEntries(numbers.map((number) => [at(number), whole / numbers.length]));
const spread = 300;
const shared = (are: Record<string, number>): Expected => to("r", { shares: { of: "upstreamHost", are } });
const noHost = answered(503, "no_healthy_upstream", { flags: ["UH"], upstreamHost: null });
const random = { lb_policy: "RANDOM" };
const up = hosts;
const down = (numbers: readonly number[]): Host[] => hosts(numbers, { health: "UNHEALTHY" });
const worse = (numbers: readonly number[]): Host[] => hosts(numbers, { health: "DEGRADED" });
const leaving = (numbers: readonly number[]): Host[] => hosts(numbers, { health: "DRAINING" });

const clusterScenario = (
  name: string,
  facts: string,
  clusters: readonly JsonObject[],
  cases: readonly CasePair[],
  action: JsonObject = {},
  more: { listener?: JsonObject; endpoints?: readonly JsonObject[]; runtime?: JsonObject } = {},
): Scenario =>
  httpScenario(name, facts, {
    routes: [forward("r", {}, { cluster: clusters[0]?.["name"] ?? "", ...action })],
    clusters,
    ...more,
    cases,
  });
const priority = (level: number, list: readonly Host[], overrides: JsonObject = {}): JsonObject =>
  locality(list, { priority: level, ...overrides });
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

const zone = (name: string, weight?: number): JsonObject => ({
  locality: { zone: name },
  ...(weight !== undefined && { load_balancing_weight: weight }),
});
const weighted = { common_lb_config: { locality_weighted_lb_config: {} } };
const policy = (name: string, type: string, config: JsonObject = {}): JsonObject => ({
  load_balancing_policy: {
    policies: [
      { typed_extension_config: extension(name, `envoy.extensions.load_balancing_policies.${type}`, config) },
    ],
  },
});
const picking = (type: string): JsonObject => ({
  policies: [
    { typed_extension_config: extension("inner", `envoy.extensions.load_balancing_policies.${type}`) },
  ],
});

const labels = (values: JsonObject): JsonObject => ({ "envoy.lb": values });
const criteria = (values: JsonObject): JsonObject => ({
  metadata_match: { filter_metadata: labels(values) },
});
const labelled: Host[] = [
  { address: "127.77.3.1", metadata: labels({ v: "1", s: "a" }) },
  { address: "127.77.3.2", metadata: labels({ v: "2", s: "a" }) },
  { address: "127.77.3.3", metadata: labels({ v: "2", s: "b" }), health: "UNHEALTHY" },
  { address: "127.77.3.4" },
];
const subset = (name: string, config: JsonObject, list: readonly Host[] = labelled): JsonObject =>
  cluster(name, list, { ...random, lb_subset_config: config });

const aggregate = (name: string, members: readonly string[]): JsonObject => ({
  name,
  connect_timeout: "1s",
  lb_policy: "CLUSTER_PROVIDED",
  cluster_type: extension(
    "envoy.clusters.aggregate",
    "envoy.extensions.clusters.aggregate.v3.ClusterConfig",
    {
      clusters: members,
    },
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
const matched = (values: JsonObject): JsonObject => ({ "envoy.transport_socket_match": values });

export const oddClusterScenarios: readonly Scenario[] = [
  clusterScenario(
    "odd cluster: EDS by its own name",
    "9.1",
    [
      {
        name: "odd cluster: EDS by its own name",
        type: "EDS",
        connect_timeout: "1s",
        eds_cluster_config: { eds_config: fileSource("eds", "odd cluster: EDS by its own name") },
      },
    ],
    [[{}, to("r", { upstreamHost: at(7) })]],
    {},
    { endpoints: [{ cluster_name: "odd cluster: EDS by its own name", endpoints: [locality(hosts([7]))] }] },
  ),
  clusterScenario(
    "odd cluster: EDS without endpoints",
    "9.1",
    [
      {
        name: "odd cluster: EDS without endpoints",
        type: "EDS",
        connect_timeout: "1s",
        eds_cluster_config: { service_name: "no endpoints", eds_config: fileSource("eds", "no endpoints") },
      },
    ],
    [[{}, noHost]],
    {},
    { endpoints: [{ cluster_name: "no endpoints", endpoints: [] }] },
  ),
  clusterScenario(
    "odd cluster: EDS of several priorities and healths",
    "9.1, 9.2, 9.3",
    [
      {
        name: "odd cluster: EDS of several priorities and healths",
        type: "EDS",
        connect_timeout: "1s",
        ...random,
        eds_cluster_config: { service_name: "odd eds", eds_config: fileSource("eds", "odd eds") },
      },
    ],
    [[{}, shared({ [at(1)]: 0.7, [at(4)]: 0.3, [at(2)]: 0, [at(3)]: 0 }), spread]],
    {},
    {
      endpoints: [
        {
          cluster_name: "odd eds",
          endpoints: [priority(0, [...up([1]), ...down([2]), ...leaving([3])]), priority(1, up([4]))],
        },
      ],
    },
  ),
  clusterScenario(
    "odd cluster: what EDS drops",
    "9.1",
    [
      {
        name: "odd cluster: what EDS drops",
        type: "EDS",
        connect_timeout: "1s",
        eds_cluster_config: { service_name: "dropping", eds_config: fileSource("eds", "dropping") },
      },
    ],
    [[{}, { shares: { of: "status", are: { "503": 0.4, "200": 0.6 } } }, spread]],
    {},
    {
      endpoints: [
        {
          cluster_name: "dropping",
          endpoints: [locality(hosts([1]))],
          policy: {
            drop_overloads: [{ category: "a", drop_percentage: { numerator: 40, denominator: "HUNDRED" } }],
          },
        },
      ],
    },
  ),
  clusterScenario(
    "odd cluster: original destination by odd headers",
    "9.1",
    [
      original("odd cluster: original destination by odd headers", {
        original_dst_lb_config: { use_http_header: true, upstream_port_override: 18_080 },
      }),
    ],
    [
      [{ headers: [["x-envoy-original-dst-host", "127.77.3.9:1"]] }, { route: "r", upstreamHost: at(9) }],
      [{ headers: [["x-envoy-original-dst-host", "127.77.3.9"]] }, noHost],
      [
        { headers: [["x-envoy-original-dst-host", ""]], proxy: destined("127.77.3.8", 1) },
        { route: "r", upstreamHost: at(8) },
      ],
      [
        {
          headers: [
            ["x-envoy-original-dst-host", "127.77.3.9:1"],
            ["x-envoy-original-dst-host", "127.77.3.7:1"],
          ],
        },
        { route: "r", upstreamHost: at(9) },
      ],
      [
        { headers: [["x-envoy-original-dst-host", "127.77.3.9:1"]], proxy: destined("127.77.3.8", 1) },
        { route: "r", upstreamHost: at(9) },
      ],
      [{ proxy: destined("127.77.3.8", 1) }, { route: "r", upstreamHost: at(8) }],
    ],
    {},
    {
      listener: {
        listener_filters: [
          {
            ...proxyProtocol,
            typed_config: {
              ...(proxyProtocol["typed_config"] as JsonObject),
              allow_requests_without_proxy_protocol: true,
            },
          },
        ],
      },
    },
  ),
  clusterScenario(
    "odd aggregate: of an aggregate's own order",
    "9.1, 9.3",
    [
      aggregate("odd aggregate: of an aggregate's own order", ["odd first", "odd second"]),
      clusterOf("odd first", [priority(0, down([1])), priority(1, [...up([2]), ...down([3])])], random),
      clusterOf("odd second", [priority(0, up([4]))], random),
    ],
    [[{}, shared({ [at(2)]: 0.7, [at(4)]: 0.3 }), spread]],
  ),
  clusterScenario(
    "odd aggregate: nothing is well",
    "9.1, 9.3",
    [
      aggregate("odd aggregate: nothing is well", ["odd down 1", "odd down 2"]),
      cluster("odd down 1", down([1, 2]), random),
      cluster("odd down 2", down([3]), random),
    ],
    [[{}, shared({ ...evenly([1, 2], 0.67), [at(3)]: 0.33 }), spread]],
  ),
  clusterScenario(
    "odd aggregate: all are missing",
    "9.1",
    [aggregate("odd aggregate: all are missing", ["odd nowhere 1", "odd nowhere 2"])],
    [[{}, noHost]],
  ),
  shares(
    "odd shares: 71 % of the first",
    "9.3; 12 #55",
    [priority(0, [...up([1, 2, 3, 4, 5]), ...down([6, 7])]), priority(1, up([8]))],
    { ...evenly([1, 2, 3, 4, 5], 0.99), [at(8)]: 0.01 },
  ),
  shares(
    "odd shares: three priorities",
    "9.3",
    [
      priority(0, [...up([1]), ...down([2, 3, 4])]),
      priority(1, [...up([5]), ...down([6, 7, 8])]),
      priority(2, up([9])),
    ],
    { [at(1)]: 0.35, [at(5)]: 0.35, [at(9)]: 0.3 },
  ),
  shares(
    "odd shares: a middle priority without hosts",
    "9.3",
    [priority(0, [...up([1]), ...down([2])]), priority(1, []), priority(2, up([3]))],
    { [at(1)]: 0.7, [at(3)]: 0.3 },
  ),
  shares(
    "odd shares: degraded hosts of two priorities",
    "9.3",
    [priority(0, [...up([1]), ...worse([2]), ...down([3, 4])]), priority(1, worse([5]))],
    { [at(1)]: 0.35, [at(2)]: 0.35, [at(5)]: 0.3 },
  ),
  shares(
    "odd shares: panic counts hosts at the threshold",
    "9.3; 12 #56",
    [priority(0, [...up([1]), ...down([2])]), priority(1, down([3, 4]))],
    { [at(1)]: 1, [at(2)]: 0, [at(3)]: 0, [at(4)]: 0 },
  ),
  shares(
    "odd shares: draining hosts and panic",
    "9.2, 9.3; 12 #57",
    [priority(0, [...up([1]), ...down([2, 3]), ...leaving([4])])],
    evenly([1, 2, 3, 4]),
  ),
  shares(
    "odd shares: a panic threshold of the runtime",
    "9.3",
    [priority(0, [...up([1]), ...down([2, 3, 4])])],
    { [at(1)]: 1 },
    { common_lb_config: { healthy_panic_threshold: { value: 10.5 } } },
  ),
  shares(
    "odd shares: failing in panic",
    "9.3",
    [priority(0, [...up([1]), ...down([2])])],
    { [at(1)]: 1 },
    { common_lb_config: { zone_aware_lb_config: { fail_traffic_on_panic: true } } },
  ),
  clusterScenario(
    "odd shares: failing in panic, indeed",
    "9.3",
    [
      clusterOf("odd shares: failing in panic, indeed", [priority(0, [...up([1]), ...down([2, 3])])], {
        ...random,
        common_lb_config: { zone_aware_lb_config: { fail_traffic_on_panic: true } },
      }),
    ],
    [[{}, noHost, 5]],
  ),
  shares(
    "odd shares: an overprovisioning factor of 200",
    "9.3",
    [priority(0, [...up([1]), ...down([2, 3])]), priority(1, up([4]))],
    { [at(1)]: 0.66, [at(4)]: 0.34 },
    { load_assignment: { policy: { overprovisioning_factor: 200 } } },
  ),
  shares(
    "odd shares: localities by weight and health, of two priorities",
    "9.4",
    [
      priority(0, [...up([1]), ...down([2])], zone("a", 3)),
      priority(0, up([3]), zone("b", 1)),
      priority(1, up([4]), zone("c", 1)),
    ],
    // P0: 2 of 3 are well, 93 %; in it 3 * 0.7 to 1
    { [at(1)]: (0.93 * 2.1) / 3.1, [at(3)]: (0.93 * 1) / 3.1, [at(4)]: 0.07 },
    weighted,
  ),
  shares(
    "odd shares: localities in panic",
    "9.4",
    [locality([...up([1]), ...down([2, 3])], zone("a", 9)), locality(down([4]), zone("b", 1))],
    evenly([1, 2, 3, 4]),
    weighted,
  ),
  shares(
    "odd shares: a locality of weight, all down",
    "9.4",
    [locality(down([1]), zone("a", 9)), locality(up([2, 3]), zone("b", 1))],
    { [at(1)]: 0, ...evenly([2, 3]) },
    weighted,
  ),
  shares(
    "odd shares: localities with one name twice",
    "9.4",
    [locality(up([1]), zone("a", 1)), locality(up([2]), zone("a", 1)), locality(up([3]), zone("b", 1))],
    { ...evenly([1, 2], 0.5), [at(3)]: 0.5 },
    weighted,
  ),
  clusterScenario(
    "odd shares: localities and weights of hosts",
    "9.4, 9.5",
    [
      clusterOf(
        "odd shares: localities and weights of hosts",
        [
          locality([...hosts([1], { weight: 3 }), ...hosts([2])], zone("a", 1)),
          locality(hosts([3], { weight: 9 }), zone("b", 1)),
        ],
        weighted,
      ),
    ],
    [[{}, shared({ [at(1)]: 0.375, [at(2)]: 0.125, [at(3)]: 0.5 }), spread]],
  ),
  clusterScenario(
    "odd policy: round robin with localities of its own",
    "9.5, 9.4",
    [
      clusterOf(
        "odd policy: round robin with localities of its own",
        [locality(hosts([1]), zone("a", 9)), locality(hosts([2]), zone("b", 1))],
        policy("rr", "round_robin.v3.RoundRobin", {
          locality_lb_config: { locality_weighted_lb_config: {} },
        }),
      ),
    ],
    [[{}, shared({ [at(1)]: 0.9, [at(2)]: 0.1 }), spread]],
  ),
  clusterScenario(
    "odd policy: least request of equal weights",
    "9.5",
    [cluster("odd policy: least request of equal weights", hosts([1, 2]), { lb_policy: "LEAST_REQUEST" })],
    [[{}, to("r"), 40]],
  ),
  clusterScenario(
    "odd policy: maglev passes over what is down",
    "9.5",
    [
      cluster("odd policy: maglev passes over what is down", [...up([1, 2]), ...down([3])], {
        lb_policy: "MAGLEV",
      }),
    ],
    [
      [{ headers: [["x-user", "a"]] }, to("r"), 20],
      [{}, to("r"), 40],
    ],
    { hash_policy: [{ header: { header_name: "x-user" } }] },
  ),
  clusterScenario(
    "odd policy: the first that is known",
    "9.5",
    [
      cluster("odd policy: the first that is known", hosts([1, 2]), {
        load_balancing_policy: {
          policies: [
            {
              typed_extension_config: {
                name: "unknown",
                typed_config: { "@type": "type.googleapis.com/google.protobuf.Struct", value: {} },
              },
            },
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
    [[{}, to("r"), 10]], // a trace cannot tell which types an Envoy lacks
  ),
  clusterScenario(
    "odd subset: as a policy, with keys to spare",
    "9.6",
    [
      cluster(
        "odd subset: as a policy, with keys to spare",
        labelled,
        policy("subset", "subset.v3.Subset", {
          subset_selectors: [{ keys: ["s", "v"] }, { keys: ["v"] }],
          allow_redundant_keys: true,
          subset_lb_policy: picking("random.v3.Random"),
        }),
      ),
    ],
    [[{}, to("r", { upstreamHost: at(1) }), 10]],
    criteria({ v: "1", x: "y" }),
  ),
  clusterScenario(
    "odd subset: as a policy, without",
    "9.6",
    [
      cluster(
        "odd subset: as a policy, without",
        labelled,
        policy("subset", "subset.v3.Subset", {
          subset_selectors: [{ keys: ["v"] }],
          subset_lb_policy: picking("random.v3.Random"),
        }),
      ),
    ],
    [[{}, noHost]],
    criteria({ v: "1", x: "y" }),
  ),
  clusterScenario(
    "odd subset: health of its own",
    "9.6, 9.3",
    [subset("odd subset: health of its own", { subset_selectors: [{ keys: ["v"] }] })],
    [[{}, shared({ [at(2)]: 1, [at(3)]: 0 }), 60]],
    criteria({ v: "2" }),
  ),
  clusterScenario(
    "odd subset: all of it is down",
    "9.6, 9.3",
    [
      subset("odd subset: all of it is down", {
        subset_selectors: [{ keys: ["s"] }],
        fallback_policy: "ANY_ENDPOINT",
      }),
    ],
    [[{}, to("r", { upstreamHost: at(3) }), 10]],
    criteria({ s: "b" }),
  ),
  clusterScenario(
    "odd subset: keys in another order",
    "9.6",
    [subset("odd subset: keys in another order", { subset_selectors: [{ keys: ["v", "s"] }] })],
    [[{}, to("r", { upstreamHost: at(2) }), 10]],
    criteria({ s: "a", v: "2" }),
  ),
  clusterScenario(
    "odd subset: no selectors at all",
    "9.6",
    [subset("odd subset: no selectors at all", { fallback_policy: "NO_FALLBACK" }, hosts([1, 2]))],
    [[{}, shared(evenly([1, 2])), 100]],
    criteria({ v: "2" }),
  ),
  clusterScenario(
    "odd subset: the default subset, when nothing is asked for",
    "9.6",
    [
      subset("odd subset: the default subset, when nothing is asked for", {
        subset_selectors: [{ keys: ["v"] }],
        fallback_policy: "DEFAULT_SUBSET",
        default_subset: { s: "a", v: "2" },
      }),
    ],
    [[{}, to("r", { upstreamHost: at(2) }), 10]],
  ),
  clusterScenario(
    "odd subset: values that are lists, not taken apart",
    "9.6",
    [
      subset("odd subset: values that are lists, not taken apart", { subset_selectors: [{ keys: ["v"] }] }, [
        { address: "127.77.3.1", metadata: labels({ v: ["1", "2"] }) },
        { address: "127.77.3.2", metadata: labels({ v: "2" }) },
      ]),
    ],
    [[{}, to("r", { upstreamHost: at(2) }), 10]],
    criteria({ v: "2" }),
  ),
  clusterScenario(
    "odd subset: metadata of another filter",
    "9.6",
    [
      subset(
        "odd subset: metadata of another filter",
        { subset_selectors: [{ keys: ["v"] }], fallback_policy: "ANY_ENDPOINT" },
        hosts([1]),
      ),
    ],
    [[{}, to("r", { upstreamHost: at(1) })]],
    { metadata_match: { filter_metadata: { "istio.lb": { v: "2" } } } },
  ),
  clusterScenario(
    "odd transport: the first that fits",
    "9.7",
    [
      cluster(
        "odd transport: the first that fits",
        [{ address: "127.77.3.1", kind: "tls", metadata: matched({ a: "1", b: "2" }) }],
        {
          transport_socket_matches: [
            { name: "both", match: { a: "1", b: "3" }, transport_socket: rawBuffer },
            { name: "one", match: { b: "2" }, transport_socket: upstreamTls({ sni: "one" }) },
            { name: "two", match: { a: "1", b: "2" }, transport_socket: upstreamTls({ sni: "two" }) },
          ],
        },
      ),
    ],
    [[{}, to("r", { upstreamTls: { sni: "one" } })]],
  ),
  clusterScenario(
    "odd transport: values have types",
    "9.7",
    [
      cluster(
        "odd transport: values have types",
        [{ address: "127.77.3.1", metadata: matched({ tls: true }) }],
        {
          transport_socket_matches: [
            { name: "text", match: { tls: "true" }, transport_socket: upstreamTls({ sni: "text" }) },
          ],
        },
      ),
    ],
    [[{}, to("r", { upstreamTls: null })]],
  ),
  clusterScenario(
    "odd transport: the endpoint before its locality",
    "9.7",
    [
      clusterOf(
        "odd transport: the endpoint before its locality",
        [
          locality([{ address: "127.77.3.1", kind: "tls", metadata: matched({ m: "endpoint" }) }], {
            metadata: { filter_metadata: matched({ m: "locality" }) },
          }),
        ],
        {
          transport_socket_matches: [
            { name: "locality", match: { m: "locality" }, transport_socket: rawBuffer },
            {
              name: "endpoint",
              match: { m: "endpoint" },
              transport_socket: upstreamTls({ sni: "endpoint" }),
            },
          ],
        },
      ),
    ],
    [[{}, to("r", { upstreamTls: { sni: "endpoint" } })]],
  ),
  clusterScenario(
    "odd transport: the host as server name",
    "9.7",
    [
      cluster("odd transport: the host as server name", [{ address: "127.77.3.1", kind: "tls" }], {
        transport_socket: upstreamTls({}),
        typed_extension_protocol_options: {
          "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            upstream_http_protocol_options: { auto_sni: true },
            explicit_http_config: { http_protocol_options: {} },
          },
        },
      }),
    ],
    [
      [{ authority: "a.com:81" }, to("r", { upstreamTls: { sni: "a.com" } })],
      [{ authority: "10.0.0.1" }, to("r", { upstreamTls: { sni: null } })],
      [{ authority: "[::1]:80" }, to("r", { upstreamTls: { sni: null } })],
    ],
  ),
  clusterScenario(
    "odd breaker: of connections",
    "9.8",
    [
      cluster("odd breaker: of connections", hosts([1]), {
        circuit_breakers: { thresholds: [{ max_connections: 0 }] },
      }),
    ],
    [[{}, { isReceived: true }]],
  ),
  clusterScenario(
    "odd breaker: of the priority that is not used",
    "9.8, 7.5",
    [
      cluster("odd breaker: of the priority that is not used", hosts([1]), {
        circuit_breakers: { thresholds: [{ priority: "HIGH", max_requests: 0, max_pending_requests: 0 }] },
      }),
    ],
    [[{}, to("r")]],
  ),
  clusterScenario(
    "odd breaker: hosts that are down come first",
    "9.8, 9.3",
    [
      cluster("odd breaker: hosts that are down come first", [], {
        circuit_breakers: { thresholds: [{ max_requests: 0 }] },
      }),
    ],
    [[{}, noHost]],
  ),
];
