/** Section 3.2 of the facts, level by level: what goes before what, and that nothing which is lost comes back. */
import { chainTo, noChain, takes } from "../../support/judge/echo-chains.js";
import {
  chain,
  clusterOf,
  downstreamTls,
  httpInspector,
  httpManager,
  listener,
  proxyProtocol,
  route,
  routeConfig,
  tcpProxy,
  tlsInspector,
  virtualHost,
} from "../../support/judge/messages.js";
import { closed, scenario, type CasePair, type Scenario } from "../../support/judge/scenario.js";
import type { JudgedRequest } from "../../support/judge/judged-request.js";
import type { JsonObject } from "../../support/mesh/json.js";

const tls = downstreamTls();
const range = (address_prefix: string, prefix_len: number): JsonObject => ({ address_prefix, prefix_len });

/** To an address, from another one; to 10.1.1.1:80 from 10.9.9.9:5555 if absent. */
const connection = (
  { to = "10.1.1.1", port = 80, from = "10.9.9.9", fromPort = 5555 } = {},
  more: JudgedRequest = {},
): JudgedRequest => ({
  ...more,
  proxy: { source: { ip: from, port: fromPort }, destination: { ip: to, port } },
});
const withTls = (sni: string, alpn: readonly string[] = []): JudgedRequest =>
  connection({}, { tls: { ...(sni !== "" && { sni }), ...(alpn.length > 0 && { alpn }) } });

const chains = (
  name: string,
  list: readonly JsonObject[],
  cases: readonly CasePair[],
  overrides: JsonObject = {},
): Scenario =>
  scenario(
    `levels: ${name}`,
    "3.2",
    {
      listeners: [
        listener(`levels: ${name}`, list, {
          listener_filters: [proxyProtocol, tlsInspector, httpInspector],
          ...overrides,
        }),
      ],
    },
    cases,
  );

/** Chains of an internal listener: its connections have no IP addresses at either end. */
const internalChains = (
  name: string,
  list: readonly { name: string; match: JsonObject | null }[],
  taken: string | null,
): Scenario => {
  const inner = `levels: ${name}, inner`;
  const manager = httpManager(routeConfig([virtualHost("inside", ["*"], [route("inner route")])]));
  return scenario(
    `levels: ${name}`,
    "3.2",
    {
      listeners: [
        listener(`levels: ${name}`, [chain("outer", [tcpProxy(`levels: ${name}`)])]),
        listener(
          inner,
          list.map((one) => chain(one.name, [manager], one.match)),
          { internal_listener: {} },
        ),
      ],
      clusters: [
        clusterOf(`levels: ${name}`, [
          {
            lb_endpoints: [
              { endpoint: { address: { envoy_internal_address: { server_listener_name: inner } } } },
            ],
          },
        ]),
      ],
    },
    [
      [
        {},
        {
          filterChain: "outer",
          next: { listener: inner, filterChain: taken, status: 200 },
        },
      ],
    ],
  );
};

export const chainLevelScenarios: readonly Scenario[] = [
  chains(
    "a port goes before an address",
    [
      chainTo("port", { destination_port: 80 }),
      chainTo("address", { prefix_ranges: [range("10.1.1.1", 32)] }),
    ],
    [
      [connection(), takes("port")],
      [connection({ port: 81 }), takes("address")],
      [connection({ to: "10.1.1.2", port: 81 }), noChain],
    ],
  ),
  chains(
    "an address goes before a server name",
    [
      chainTo("address", { prefix_ranges: [range("10.1.1.1", 32)] }, tls),
      chainTo("name", { server_names: ["a.com"] }, tls),
    ],
    [
      [withTls("a.com"), takes("address")],
      [connection({ to: "10.1.1.2" }, { tls: { sni: "a.com" } }), takes("name")],
      [connection({ to: "10.1.1.2" }, { tls: { sni: "b.com" } }), noChain],
    ],
  ),
  chains(
    "an address that is the longest and then lost to a server name",
    [
      chainTo("narrow", { prefix_ranges: [range("10.1.1.0", 24)], server_names: ["a.com"] }, tls),
      chainTo("wide", { prefix_ranges: [range("10.0.0.0", 8)] }, tls),
    ],
    [
      [withTls("a.com"), takes("narrow")],
      [withTls("b.com"), noChain],
      [connection({ to: "10.2.1.1" }, { tls: { sni: "b.com" } }), takes("wide")],
    ],
  ),
  chains(
    "a server name goes before the transport",
    [
      chainTo("name", { server_names: ["a.com"] }, tls),
      chainTo("transport", { transport_protocol: "tls" }, tls),
      chainTo("plain", { transport_protocol: "raw_buffer" }),
    ],
    [
      [withTls("a.com"), takes("name")],
      [withTls("b.com"), takes("transport")],
      [connection(), takes("plain")],
    ],
  ),
  chains(
    "a server name that is found and then lost to the transport",
    [
      chainTo("name", { server_names: ["a.com"], transport_protocol: "raw_buffer" }),
      chainTo("rest", { transport_protocol: "tls" }, tls),
    ],
    [
      [withTls("a.com"), noChain],
      [withTls("b.com"), takes("rest")],
    ],
  ),
  chains(
    "an exact server name that is lost to the protocol, beside wildcards",
    [
      chainTo("exact", { server_names: ["www.example.com"], application_protocols: ["h2"] }, tls),
      chainTo("longer", { server_names: ["*.b.example.com"], application_protocols: ["h2"] }, tls),
      chainTo("wildcard", { server_names: ["*.example.com"] }, tls),
    ],
    [
      [withTls("www.example.com"), noChain],
      [withTls("www.example.com", ["h2"]), takes("exact")],
      [withTls("a.b.example.com"), noChain],
      [withTls("a.b.example.com", ["h2"]), takes("longer")],
      [withTls("b.example.com"), takes("wildcard")],
      [withTls("x.y.example.com"), takes("wildcard")],
    ],
  ),
  chains(
    "server names with a dot at the end, and of one word",
    [
      chainTo("one word", { server_names: ["localhost"] }, tls),
      chainTo("name", { server_names: ["a.com"] }, tls),
      chainTo("wildcard", { server_names: ["*.com"] }, tls),
    ],
    [
      [withTls("localhost"), takes("one word")],
      [withTls("LOCALHOST"), takes("one word")],
      [withTls("a.com."), noChain],
      [withTls("x.localhost"), noChain],
      [withTls("b.a.com"), takes("wildcard")],
      [withTls("com"), noChain],
    ],
  ),
  chains(
    "the transport goes before the protocol",
    [
      chainTo("transport", { transport_protocol: "tls" }, tls),
      chainTo("protocol", { application_protocols: ["h2", "http/1.1"] }, tls),
      chainTo("plain", { application_protocols: ["http/1.0"] }),
    ],
    [
      [withTls("a.com", ["h2"]), takes("transport")],
      [connection({}, { protocol: "http/1.0" }), takes("plain")],
      [connection({}, { protocol: "tcp", bytes: "\u0000\u0001binary\n" }), noChain],
    ],
  ),
  chains(
    "the transport that is found and then lost to the protocol",
    [
      chainTo("A", { transport_protocol: "tls", application_protocols: ["istio"] }, tls),
      chainTo("B", {}, tls),
    ],
    [
      [withTls("", ["istio"]), takes("A")],
      [withTls("", ["h2"]), noChain],
      [withTls(""), noChain],
    ],
  ),
  chains(
    "the client's first protocol that is known counts, whatever it then loses",
    [
      chainTo("h2", { application_protocols: ["h2"], source_ports: [1] }, tls),
      chainTo("http/1.1", { application_protocols: ["http/1.1"] }, tls),
    ],
    [
      [withTls("", ["h2", "http/1.1"]), noChain],
      [withTls("", ["http/1.1", "h2"]), takes("http/1.1")],
      [connection({ fromPort: 1 }, { tls: { alpn: ["h2", "http/1.1"] } }), takes("h2")],
    ],
  ),
  chains(
    "Istio's protocols are plain strings",
    [
      chainTo("peers", { application_protocols: ["istio-peer-exchange", "istio"] }, tls),
      chainTo("http", { application_protocols: ["istio-http/1.1", "istio-h2"] }, tls),
      chainTo("rest", {}, tls),
    ],
    [
      [withTls("", ["istio-peer-exchange", "istio"]), takes("peers")],
      [withTls("", ["istio"]), takes("peers")],
      [withTls("", ["istio-http/1.1", "istio", "http/1.1"]), takes("http")],
      [withTls("", ["ISTIO"]), takes("rest")],
      [withTls("", ["istio-http/1.0"]), takes("rest")],
    ],
  ),
  chains(
    "a protocol goes before every source",
    [
      chainTo("protocol", { application_protocols: ["http/1.1"] }),
      chainTo("source", { source_prefix_ranges: [range("10.9.9.9", 32)], source_ports: [5555] }),
    ],
    [
      [connection(), takes("protocol")],
      [connection({}, { protocol: "http/1.0" }), takes("source")],
    ],
  ),
  chains(
    "the direct source goes before the source's type",
    [
      chainTo("peer", { direct_source_prefix_ranges: [range("127.77.0.0", 16)] }),
      chainTo("local", { source_type: "SAME_IP_OR_LOOPBACK" }),
    ],
    [
      [connection({ from: "127.0.0.1" }), takes("peer")],
      [connection(), takes("peer")],
    ],
  ),
  chains(
    "the direct source that is found and then lost to the source's type",
    [
      chainTo("peer", {
        direct_source_prefix_ranges: [range("127.0.0.0", 8)],
        source_type: "SAME_IP_OR_LOOPBACK",
      }),
      chainTo("rest", {}),
    ],
    [
      [connection(), noChain],
      [connection({ from: "127.0.0.1" }), takes("peer")],
    ],
  ),
  chains(
    "the source's type goes before its address",
    [
      chainTo("external", { source_type: "EXTERNAL" }),
      chainTo("address", { source_prefix_ranges: [range("10.9.9.9", 32), range("127.0.0.1", 32)] }),
    ],
    [
      [connection(), takes("external")],
      [connection({ from: "127.0.0.1" }), takes("address")],
      [connection({ from: "10.1.1.1" }), noChain],
    ],
  ),
  chains(
    "external sources that are then lost to their address",
    [
      chainTo("external", { source_type: "EXTERNAL", source_prefix_ranges: [range("10.9.0.0", 16)] }),
      chainTo("any", {}),
    ],
    [
      [connection(), takes("external")],
      [connection({ from: "10.8.9.9" }), noChain],
      [connection({ from: "10.1.1.1" }), takes("any")],
    ],
  ),
  chains(
    "what is a local source",
    [
      chainTo("local", { source_type: "SAME_IP_OR_LOOPBACK" }),
      chainTo("external", { source_type: "EXTERNAL" }),
    ],
    [
      [connection({ from: "127.0.0.1" }), takes("local")],
      [connection({ from: "127.0.0.2" }), takes("external")],
      [connection({ from: "10.1.1.1" }), takes("local")],
      [connection({ from: "::1", to: "fd00::1" }), takes("local")],
      [connection({ from: "fd00::1", to: "fd00::1" }), takes("local")],
      [connection({ from: "fd00::2", to: "fd00::1" }), takes("external")],
      [connection({ from: "::ffff:127.0.0.1", to: "fd00::1" }), takes("external")],
    ],
  ),
  chains(
    "only local sources",
    [chainTo("local", { source_type: "SAME_IP_OR_LOOPBACK" })],
    [
      [connection({ from: "127.0.0.1" }), takes("local")],
      [connection(), noChain],
    ],
  ),
  chains(
    "the source's address goes before its port",
    [
      chainTo("address", { source_prefix_ranges: [range("10.9.0.0", 16)] }),
      chainTo("port", { source_ports: [5555] }),
    ],
    [
      [connection(), takes("address")],
      [connection({ from: "10.8.9.9" }), takes("port")],
      [connection({ from: "10.8.9.9", fromPort: 5556 }), noChain],
    ],
  ),
  chains(
    "a source's port, and every other one",
    [chainTo("port", { source_ports: [5555, 5556] }), chainTo("rest", {})],
    [
      [connection(), takes("port")],
      [connection({ fromPort: 5556 }), takes("port")],
      [connection({ fromPort: 5557 }), takes("rest")],
    ],
  ),
  chains(
    "several ranges and ports in one chain",
    [
      chainTo("both", {
        prefix_ranges: [range("10.1.0.0", 16), range("fd00::", 8)],
        source_prefix_ranges: [range("10.9.0.0", 16), range("fd01::", 16)],
        source_ports: [5555, 5556],
      }),
      chainTo("rest", { prefix_ranges: [range("10.0.0.0", 8)] }),
    ],
    [
      [connection({ fromPort: 5556 }), takes("both")],
      [connection({ from: "fd01::9", to: "fd00::1" }), takes("both")],
      [connection({ from: "fd02::9", to: "fd00::1" }), noChain],
      [connection({ from: "10.8.0.1" }), noChain],
      [connection({ to: "10.2.0.1", from: "10.8.0.1" }), takes("rest")],
    ],
  ),
  chains(
    "IPv4 written as IPv6 is IPv6",
    [
      chainTo("mapped", { prefix_ranges: [range("::ffff:10.1.1.1", 128)] }),
      chainTo("six", { prefix_ranges: [range("::", 0)] }),
    ],
    [
      [connection(), noChain],
      [connection({ from: "::ffff:10.9.9.9", to: "::ffff:10.1.1.1" }), takes("mapped")],
      [connection({ from: "fd00::2", to: "fd00::1" }), takes("six")],
    ],
  ),
  chains(
    "ranges of IPv4 do not take IPv4 that is written as IPv6",
    [chainTo("four", { prefix_ranges: [range("10.0.0.0", 8)] }), chainTo("rest", {})],
    [
      [connection({ from: "::ffff:10.9.9.9", to: "::ffff:10.1.1.1" }), takes("rest")],
      [connection(), takes("four")],
    ],
  ),
  chains(
    "nested ranges by their length, whatever their order",
    [
      chainTo("eight", { prefix_ranges: [range("10.0.0.0", 8)] }),
      chainTo("thirty", { prefix_ranges: [range("10.1.1.0", 30)] }),
      chainTo("sixteen", { prefix_ranges: [range("10.1.0.0", 16)] }),
    ],
    [
      [connection({ to: "10.1.1.3" }), takes("thirty")],
      [connection({ to: "10.1.1.4" }), takes("sixteen")],
      [connection({ to: "10.2.1.4" }), takes("eight")],
      [connection({ to: "11.2.1.4" }), noChain],
    ],
  ),
  chains(
    "a default chain is for every level that is lost",
    [
      chainTo("port", { destination_port: 80, source_ports: [1] }),
      chainTo("name", { destination_port: 443, server_names: ["a.com"] }, tls),
      chainTo("range", { prefix_ranges: [range("10.1.1.1", 32)], source_type: "SAME_IP_OR_LOOPBACK" }),
    ],
    [
      [connection(), takes("default")],
      [connection({ fromPort: 1 }), takes("port")],
      [connection({ port: 443 }), takes("default")],
      [connection({ port: 444 }), takes("default")],
      [connection({ port: 444, from: "10.1.1.1" }), takes("range")],
      [connection({ port: 444, to: "10.1.1.2" }), takes("default")],
    ],
    { default_filter_chain: chainTo("default") },
  ),
  chains("only a default chain", [], [[connection(), takes("default")]], {
    default_filter_chain: chainTo("default"),
  }),
  chains(
    "a default chain without filters",
    [chainTo("port", { destination_port: 81 })],
    [
      [connection(), closed({ filterChain: "default" })],
      [connection({ port: 81 }), takes("port")],
    ],
    { default_filter_chain: chain("default", []) },
  ),
  chains(
    "server names without an inspector",
    [chainTo("named", { server_names: ["a.com"] }), chainTo("any", {})],
    [[withTls("a.com"), { filterChain: "any" }]],
    { listener_filters: [proxyProtocol] },
  ),
  chains(
    "names of chains may repeat",
    [chainTo("same", { destination_port: 80 }), chain("same", [], { destination_port: 81 })],
    [
      [connection(), takes("same")],
      [connection({ port: 81 }), closed({ filterChain: "same" })],
    ],
  ),
  scenario(
    "levels: a network filter without its configuration",
    "3.2",
    {
      listeners: [
        listener("levels: a network filter without its configuration", [
          chain("undelivered", [
            {
              name: "from ecds",
              config_discovery: {
                config_source: {
                  api_config_source: {
                    api_type: "GRPC",
                    transport_api_version: "V3",
                    grpc_services: [{ envoy_grpc: { cluster_name: "levels: no ecds server" } }],
                  },
                  initial_fetch_timeout: "0.2s",
                  resource_api_version: "V3",
                },
                type_urls: ["type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC"],
              },
            },
            tcpProxy("echo"),
          ]),
        ]),
      ],
      clusters: [clusterOf("levels: no ecds server", [])],
    },
    [[{}, closed({ filterChain: "undelivered" })]],
  ),
  internalChains(
    "a socket inside of Envoy goes to no port",
    [
      { name: "port", match: { destination_port: 80 } },
      { name: "rest", match: null },
    ],
    "rest",
  ),
  internalChains(
    "a socket inside of Envoy is looked up as 255.255.255.255",
    [
      { name: "odd", match: { prefix_ranges: [range("255.255.255.255", 32)] } },
      { name: "rest", match: { prefix_ranges: [range("0.0.0.0", 0)] } },
    ],
    "odd",
  ),
  internalChains(
    "a socket inside of Envoy is in the range of all",
    [
      { name: "some", match: { prefix_ranges: [range("10.0.0.0", 8)] } },
      { name: "all", match: null },
    ],
    "all",
  ),
  internalChains(
    "a socket inside of Envoy is no local one",
    [
      { name: "local", match: { source_type: "SAME_IP_OR_LOOPBACK" } },
      { name: "rest", match: null },
    ],
    "rest",
  ),
  internalChains(
    "a socket inside of Envoy is external",
    [
      { name: "external", match: { source_type: "EXTERNAL" } },
      { name: "any", match: null },
    ],
    "external",
  ),
  internalChains(
    "the peer of a socket inside of Envoy is looked up as 255.255.255.255, too",
    [
      {
        name: "odd",
        match: {
          source_prefix_ranges: [range("255.255.255.255", 32)],
          direct_source_prefix_ranges: [range("255.255.255.254", 31)],
        },
      },
      { name: "rest", match: null },
    ],
    "odd",
  ),
];
