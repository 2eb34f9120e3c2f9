/** Sections 2 and 3 of the facts: which listener and which filter chain take a connection. */
import { chainTo, noChain, takes } from "../../support/judge/echo-chains.js";
import {
  chain,
  downstreamTls,
  extension,
  httpInspector,
  httpManager,
  listener,
  originalDst,
  proxyProtocol,
  route,
  routeConfig,
  socketAddress,
  tcpProxy,
  tlsInspector,
  typeUrl,
  virtualHost,
} from "../../support/judge/messages.js";
import {
  closed,
  scenario,
  to,
  type CasePair,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { JudgedRequest, ProxiedAddresses } from "../../support/judge/judged-request.js";
import type { JsonObject } from "../../support/mesh/json.js";

const destined = (ip: string, port: number, from = "10.9.9.9"): ProxiedAddresses => ({
  source: { ip: from, port: 5555 },
  destination: { ip, port },
});

/** A listener with these chains and inspectors; every connection tells its addresses by PROXY protocol. */
const chains = (
  name: string,
  facts: string,
  list: readonly JsonObject[],
  cases: readonly CasePair[],
  overrides: JsonObject = {},
): Scenario =>
  scenario(
    name,
    facts,
    {
      listeners: [
        listener(name, list, {
          listener_filters: [proxyProtocol, tlsInspector, httpInspector],
          ...overrides,
        }),
      ],
    },
    cases,
  );

const sni = (name: string): JudgedRequest => ({ tls: { sni: name } });

const tls = downstreamTls();
const destination = destined("10.1.1.1", 80);

/** The handshake fails; the TCP proxy may have connected before that. */
const refused = (more: Expected): Expected => ({ status: null, isReceived: false, ...more });

/** Without a socket of its own. */
const virtual = (name: string, address: string, port: number, overrides: JsonObject = {}): JsonObject =>
  listener(name, [chainTo(`chain of ${name}`)], {
    address: socketAddress(address, port),
    bind_to_port: false,
    ...overrides,
  });

const six = (port: number, compatible: boolean): JsonObject => ({
  address: { socket_address: { address: "::", port_value: port, ipv4_compat: compatible } },
});

const capture = (name: string, overrides: JsonObject = {}): JsonObject =>
  listener(name, [chainTo(`chain of ${name}`)], {
    listener_filters: [proxyProtocol],
    use_original_dst: true,
    ...overrides,
  });

const matcherInput = (name: string): JsonObject =>
  extension("input", `envoy.extensions.matching.common_inputs.network.v3.${name}`);
const chainName = (name: string): JsonObject => ({
  action: { name, typed_config: { "@type": typeUrl("google.protobuf.StringValue"), value: name } },
});

export const listenerScenarios: readonly Scenario[] = [
  scenario(
    "hand-off",
    "2.2; 12 #1, #2, #3",
    {
      listeners: [
        capture("hand-off capture"),
        virtual("hand-off exact", "10.0.0.5", 2001),
        virtual("hand-off wildcard", "0.0.0.0", 2001),
      ],
    },
    [
      [
        { proxy: destined("10.0.0.5", 2001) },
        takes("chain of hand-off exact", { listener: "hand-off exact" }),
      ],
      [
        { proxy: destined("10.0.0.9", 2001) },
        takes("chain of hand-off wildcard", { listener: "hand-off wildcard" }),
      ],
      [
        { proxy: destined("10.0.0.9", 2002) },
        takes("chain of hand-off capture", { listener: "hand-off capture" }),
      ],
    ],
  ),
  scenario(
    "hand-off: an IPv6 wildcard that is v6 only",
    "2.2; 12 #4",
    {
      listeners: [capture("v6 only capture"), virtual("v6 only", "::", 2011, six(2011, false))],
    },
    [
      [{ proxy: destined("10.0.0.9", 2011) }, takes("chain of v6 only capture")],
      [{ proxy: destined("fd00::1", 2011, "fd00::2") }, takes("chain of v6 only")],
    ],
  ),
  scenario(
    "hand-off: an IPv6 wildcard that takes IPv4, too",
    "2.2; 12 #5",
    {
      listeners: [
        capture("v4 compatible capture"),
        virtual("v4 compatible alone", "::", 2021, six(2021, true)),
        virtual("v4 compatible", "::", 2022, six(2022, true)),
        virtual("v4 beside it", "0.0.0.0", 2022),
      ],
    },
    [
      [{ proxy: destined("10.0.0.9", 2021) }, takes("chain of v4 compatible alone")],
      [{ proxy: destined("10.0.0.9", 2022) }, takes("chain of v4 beside it")],
      [{ proxy: destined("fd00::1", 2022, "fd00::2") }, takes("chain of v4 compatible")],
    ],
  ),
  scenario(
    "no hand-off without use_original_dst",
    "2.2; 12 #6",
    {
      listeners: [
        listener(
          "inbound capture",
          [chainTo("inbound 2031", { destination_port: 2031 }), chainTo("inbound rest")],
          { listener_filters: [proxyProtocol] },
        ),
        virtual("not reached", "0.0.0.0", 2031),
      ],
    },
    [
      [{ proxy: destined("10.0.0.9", 2031) }, takes("inbound 2031", { listener: "inbound capture" })],
      [{ proxy: destined("10.0.0.9", 2032) }, takes("inbound rest", { listener: "inbound capture" })],
    ],
  ),
  scenario(
    "hand-off runs the listener filters of the other listener",
    "2.2",
    {
      listeners: [
        capture("inspecting capture"),
        listener(
          "inspecting",
          [chainTo("http", { application_protocols: ["http/1.1", "h2c"] }), chainTo("other")],
          {
            address: socketAddress("0.0.0.0", 2041),
            bind_to_port: false,
            listener_filters: [httpInspector],
          },
        ),
        listener(
          "blind",
          [chainTo("http", { application_protocols: ["http/1.1", "h2c"] }), chainTo("other")],
          {
            address: socketAddress("0.0.0.0", 2042),
            bind_to_port: false,
          },
        ),
      ],
    },
    [
      [{ proxy: destined("10.0.0.9", 2041) }, takes("http", { listener: "inspecting" })],
      [
        { proxy: destined("10.0.0.9", 2041), protocol: "tcp" },
        { listener: "inspecting", filterChain: "other" },
      ],
      [{ proxy: destined("10.0.0.9", 2042) }, takes("other", { listener: "blind" })],
    ],
  ),
  scenario(
    "hand-off: one hop only",
    "2.2",
    {
      listeners: [
        capture("first capture"),
        virtual("second capture", "0.0.0.0", 2051, { use_original_dst: true }),
        virtual("third", "10.0.0.5", 2052),
      ],
    },
    [[{ proxy: destined("10.0.0.9", 2051) }, takes("chain of second capture")]],
  ),
  scenario(
    "hand-off: additional addresses",
    "2.2, 2.1",
    {
      listeners: [
        capture("additional capture"),
        virtual("with two addresses", "10.0.0.6", 2061, {
          additional_addresses: [{ address: socketAddress("10.0.0.7", 2062) }],
        }),
      ],
    },
    [
      [{ proxy: destined("10.0.0.7", 2062) }, takes("chain of with two addresses")],
      [{ proxy: destined("10.0.0.6", 2062) }, takes("chain of additional capture")],
    ],
  ),
  scenario(
    "an original_dst filter where nothing is redirected",
    "2.2",
    {
      listeners: [
        listener("nothing redirected", [chainTo("own")], {
          listener_filters: [originalDst],
          use_original_dst: true,
        }),
      ],
    },
    [[{}, takes("own", { listener: "nothing redirected" })]],
  ),
  chains(
    "chains: a port is taken before all else",
    "3.2; 12 #7",
    [chainTo("A", { destination_port: 8080, application_protocols: ["istio"] }), chainTo("B", {})],
    [
      [{ proxy: destined("10.1.1.1", 8080) }, noChain],
      [{ proxy: destined("10.1.1.1", 8081) }, takes("B")],
    ],
  ),
  chains(
    "chains: with a default chain",
    "3.2; 12 #7",
    [chainTo("A", { destination_port: 8080, application_protocols: ["istio"] }), chainTo("B", {})],
    [
      [{ proxy: destined("10.1.1.1", 8080) }, takes("default")],
      [{ proxy: destined("10.1.1.1", 8081) }, takes("B")],
    ],
    { default_filter_chain: chainTo("default") },
  ),
  chains(
    "chains: the longest range, and no way back",
    "3.2; 12 #8",
    [
      chainTo(
        "A",
        { prefix_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }], transport_protocol: "tls" },
        tls,
      ),
      chainTo("B", {}),
    ],
    [
      [{ proxy: destined("10.1.1.1", 80) }, noChain],
      [{ proxy: destined("11.1.1.1", 80) }, takes("B")],
    ],
  ),
  chains(
    "chains: host bits and lengths of ranges",
    "3.2; 12 #17",
    [
      chainTo("sixteen", { prefix_ranges: [{ address_prefix: "10.1.2.3", prefix_len: 16 }] }),
      chainTo("host", { prefix_ranges: [{ address_prefix: "10.1.9.9", prefix_len: 32 }] }),
      chainTo("all", { prefix_ranges: [{ address_prefix: "1.2.3.4" }] }),
      chainTo("six", { prefix_ranges: [{ address_prefix: "fd00::", prefix_len: 16 }] }),
    ],
    [
      [{ proxy: destined("10.1.200.1", 80) }, takes("sixteen")],
      [{ proxy: destined("10.1.9.9", 80) }, takes("host")],
      [{ proxy: destined("10.2.0.1", 80) }, takes("all")],
      [{ proxy: destined("fd00::1", 80, "fd00::2") }, takes("six")],
      [{ proxy: destined("fd01::1", 80, "fd00::2") }, noChain],
    ],
  ),
  chains(
    "chains: SNI without the ALPN that its chain needs",
    "3.2; 12 #9",
    [chainTo("A", { server_names: ["x.com"], application_protocols: ["h2"] }, tls), chainTo("B", {}, tls)],
    [
      [{ ...sni("x.com"), proxy: destination }, noChain],
      [{ ...sni("y.com"), proxy: destination }, takes("B")],
      [{ proxy: destination, tls: { sni: "x.com", alpn: ["h2"] } }, takes("A")],
    ],
  ),
  chains(
    "chains: wildcards of server names",
    "3.2; 12 #10",
    [
      chainTo("A", { server_names: ["*.com"] }, tls),
      chainTo("B", { server_names: ["*.example.com"] }, tls),
      chainTo("C", { server_names: ["www.example.com"] }, tls),
    ],
    [
      [{ ...sni("example.com"), proxy: destination }, takes("A")],
      [{ ...sni("www.example.com"), proxy: destination }, takes("C")],
      [{ ...sni("api.example.com"), proxy: destination }, takes("B")],
      [{ ...sni("a.b.example.com"), proxy: destination }, takes("B")],
      [{ ...sni("example.org"), proxy: destination }, noChain],
      [{ tls: {}, proxy: destination }, noChain],
    ],
  ),
  chains(
    "chains: case of server names",
    "3.2; 12 #11",
    [chainTo("A", { server_names: ["FOO.com"] }, tls)],
    [
      [{ ...sni("foo.COM"), proxy: destination }, takes("A")],
      [{ ...sni("fo.com"), proxy: destination }, noChain],
    ],
  ),
  chains(
    "chains: no server name asks for none",
    "3.2",
    [chainTo("named", { server_names: ["a.com"] }, tls), chainTo("any", { transport_protocol: "tls" }, tls)],
    [
      [{ tls: {}, proxy: destination }, takes("any")],
      [{ ...sni("a.com"), proxy: destination }, takes("named")],
      [{ ...sni("b.com"), proxy: destination }, takes("any")],
      [{ proxy: destination }, noChain],
    ],
  ),
  chains(
    "chains: ALPN in the client's order",
    "3.2; 12 #12",
    [
      chainTo("A", { application_protocols: ["http/1.1"] }, tls),
      chainTo("B", { application_protocols: ["h2"] }, tls),
      chainTo("C", {}, tls),
    ],
    [
      [{ tls: { alpn: ["h2", "http/1.1"] }, proxy: destination }, takes("B")],
      [{ tls: { alpn: ["http/1.1", "h2"] }, proxy: destination }, takes("A")],
      [{ tls: { alpn: ["other", "h2"] }, proxy: destination }, takes("B")],
      [{ tls: { alpn: ["other"] }, proxy: destination }, takes("C")],
    ],
  ),
  chains(
    "chains: the protocols of http_inspector",
    "3.1, 3.4",
    [
      chainTo("one", { application_protocols: ["http/1.0"] }),
      chainTo("one one", { application_protocols: ["http/1.1"] }),
      chain("two", [httpManager(routeConfig([virtualHost("all", ["*"], [route("h2c")])]))], {
        application_protocols: ["h2c"],
      }),
      chainTo("other", {}),
    ],
    [
      [{ proxy: destination, protocol: "http/1.0" }, takes("one")],
      [{ proxy: destination }, takes("one one")],
      [{ proxy: destination, protocol: "h2" }, to("h2c", { filterChain: "two" })],
      [{ proxy: destination, protocol: "tcp", bytes: "\u0000\u0001binary\n" }, { filterChain: "other" }],
    ],
  ),
  chains(
    "chains: a local source, and no way back",
    "3.2; 12 #13",
    [chainTo("A", { source_type: "SAME_IP_OR_LOOPBACK", source_ports: [5555] }), chainTo("B", {})],
    [
      [
        { proxy: { source: { ip: "127.0.0.1", port: 6 }, destination: { ip: "10.1.1.1", port: 80 } } },
        noChain,
      ],
      [
        { proxy: { source: { ip: "10.1.1.1", port: 6 }, destination: { ip: "10.1.1.1", port: 80 } } },
        noChain,
      ],
      [
        { proxy: { source: { ip: "10.1.1.1", port: 5555 }, destination: { ip: "10.1.1.1", port: 80 } } },
        takes("A"),
      ],
      [
        { proxy: { source: { ip: "10.1.1.2", port: 6 }, destination: { ip: "10.1.1.1", port: 80 } } },
        takes("B"),
      ],
    ],
  ),
  chains(
    "chains: external sources",
    "3.2",
    [chainTo("external", { source_type: "EXTERNAL" }), chainTo("any", {})],
    [
      [{ proxy: destined("10.1.1.1", 80, "10.1.1.2") }, takes("external")],
      [{ proxy: destined("10.1.1.1", 80, "127.0.0.1") }, takes("any")],
    ],
  ),
  chains(
    "chains: ranges of the source",
    "3.2",
    [
      chainTo("narrow", {
        source_prefix_ranges: [{ address_prefix: "10.9.9.0", prefix_len: 24 }],
        source_ports: [5555],
      }),
      chainTo("wide", { source_prefix_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] }),
    ],
    [
      [{ proxy: destined("10.1.1.1", 80, "10.9.9.1") }, takes("narrow")],
      [
        { proxy: { source: { ip: "10.9.9.1", port: 1 }, destination: { ip: "10.1.1.1", port: 80 } } },
        noChain,
      ],
      [{ proxy: destined("10.1.1.1", 80, "10.8.9.1") }, takes("wide")],
      [{ proxy: destined("10.1.1.1", 80, "11.8.9.1") }, noChain],
    ],
  ),
  chains(
    "chains: the direct source is the TCP peer",
    "3.1, 3.2",
    [
      chainTo("peer", { direct_source_prefix_ranges: [{ address_prefix: "127.0.0.0", prefix_len: 8 }] }),
      chainTo("told", { direct_source_prefix_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] }),
    ],
    [[{ proxy: destined("10.1.1.1", 80, "10.9.9.1") }, takes("peer")]],
  ),
  chains(
    "chains: every combination of several values",
    "3.2",
    [
      chainTo("A", { server_names: ["a.com", "b.com"], application_protocols: ["x", "y"] }, tls),
      chainTo("B", { server_names: ["a.com"], application_protocols: ["z"] }, tls),
    ],
    [
      [{ tls: { sni: "b.com", alpn: ["y"] }, proxy: destination }, takes("A")],
      [{ tls: { sni: "a.com", alpn: ["z"] }, proxy: destination }, takes("B")],
      [{ tls: { sni: "b.com", alpn: ["z"] }, proxy: destination }, noChain],
    ],
  ),
  scenario(
    "chains: TLS without an inspector is raw_buffer",
    "3.2; 12 #14",
    {
      listeners: [
        listener("chains: TLS without an inspector is raw_buffer", [
          chainTo("raw", { transport_protocol: "raw_buffer" }),
          chainTo("tls", { transport_protocol: "tls" }, tls),
        ]),
      ],
    },
    [
      [{ tls: { sni: "a.com" } }, { filterChain: "raw" }],
      [{}, takes("raw")],
    ],
  ),
  scenario(
    "inspectors that time out",
    "3.4; 12 #15",
    {
      listeners: [
        listener(
          "inspectors that time out, go on",
          [
            chain("raw", [tcpProxy("speaks first")], { transport_protocol: "raw_buffer" }),
            chainTo("http", { application_protocols: ["http/1.1"] }),
          ],
          {
            listener_filters: [tlsInspector, httpInspector],
            listener_filters_timeout: "0.2s",
            continue_on_listener_filters_timeout: true,
          },
        ),
        listener("inspectors that time out, close", [chain("raw", [tcpProxy("speaks first")])], {
          listener_filters: [tlsInspector, httpInspector],
          listener_filters_timeout: "0.2s",
        }),
      ],
      clusters: [
        {
          name: "speaks first",
          type: "STATIC",
          connect_timeout: "1s",
          load_assignment: {
            cluster_name: "speaks first",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress("127.77.1.1", 19_000) } }] }],
          },
        },
      ],
    },
    [
      [{ protocol: "silent" }, { filterChain: "raw", cluster: "speaks first" }],
      [{ listener: "inspectors that time out, close", protocol: "silent" }, closed({ filterChain: null })],
    ],
  ),
  chains(
    "inspectors that are disabled by port",
    "3.4",
    [chainTo("http", { application_protocols: ["http/1.1"] }), chainTo("rest", {})],
    [
      [{ proxy: destined("10.1.1.1", 80) }, takes("http")],
      [{ proxy: destined("10.1.1.1", 90) }, takes("rest")],
      [{ proxy: destined("10.1.1.1", 91) }, takes("rest")],
      [{ proxy: destined("10.1.1.1", 92) }, takes("http")],
    ],
    {
      listener_filters: [
        proxyProtocol,
        {
          ...httpInspector,
          filter_disabled: {
            or_match: {
              rules: [{ destination_port_range: { start: 90, end: 92 } }, { not_match: { any_match: true } }],
            },
          },
        },
      ],
    },
  ),
  chains(
    "chains: an empty list of filters",
    "3.2",
    [chain("empty", [], { destination_port: 80 }), chainTo("rest", {})],
    [
      [{ proxy: destined("10.1.1.1", 80) }, closed({ filterChain: "empty" })],
      [{ proxy: destined("10.1.1.1", 81) }, takes("rest")],
    ],
  ),
  chains(
    "matcher: a name that no chain has",
    "3.3; 12 #16",
    [chainTo("known"), chainTo("other", { destination_port: 12345 })],
    [
      [{ proxy: destined("10.1.1.1", 80) }, noChain],
      [{ proxy: destined("10.1.1.1", 81) }, takes("known")],
      [{ proxy: destined("10.1.1.1", 82) }, takes("default")],
      [{ proxy: destined("10.1.1.1", 83) }, takes("other")], // filter_chain_match is not read
    ],
    {
      default_filter_chain: chainTo("default"),
      filter_chain_matcher: {
        matcher_tree: {
          input: matcherInput("DestinationPortInput"),
          exact_match_map: {
            map: { "80": chainName("x"), "81": chainName("known"), "83": chainName("other") },
          },
        },
      },
    },
  ),
  chains(
    "matcher: ranges of addresses",
    "3.3",
    [chainTo("narrow"), chainTo("wide"), chainTo("source"), chainTo("missed")],
    [
      [{ proxy: destined("10.1.2.3", 80) }, takes("narrow")],
      [{ proxy: destined("10.1.2.3", 81) }, takes("wide")], // a nested miss tries the next range
      [{ proxy: destined("10.2.2.3", 81) }, takes("wide")],
      [{ proxy: destined("11.2.2.3", 81) }, takes("missed")],
    ],
    {
      filter_chain_matcher: {
        matcher_tree: {
          input: matcherInput("DestinationIPInput"),
          custom_match: extension("ip", "xds.type.matcher.v3.IPMatcher", {
            range_matchers: [
              { ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }], on_match: chainName("wide") },
              {
                ranges: [{ address_prefix: "10.1.0.0", prefix_len: 16 }],
                on_match: {
                  matcher: {
                    matcher_tree: {
                      input: matcherInput("DestinationPortInput"),
                      exact_match_map: { map: { "80": chainName("narrow") } },
                    },
                  },
                },
              },
            ],
          }),
        },
        on_no_match: chainName("missed"),
      },
    },
  ),
  chains(
    "matcher: transport and application protocols",
    "3.3",
    [
      chain("tls", [tcpProxy("echo")], null, tls),
      chain("http", [tcpProxy("echo")]),
      chain("rest", [tcpProxy("echo")]),
    ],
    [
      [{ tls: { sni: "a.com" }, proxy: destination }, takes("tls")],
      [{ proxy: destination }, takes("http")],
      [{ proxy: destination, protocol: "http/1.0" }, takes("rest")],
    ],
    {
      filter_chain_matcher: {
        matcher_tree: {
          input: matcherInput("TransportProtocolInput"),
          exact_match_map: {
            map: {
              tls: chainName("tls"),
              raw_buffer: {
                matcher: {
                  matcher_tree: {
                    input: matcherInput("ApplicationProtocolInput"),
                    exact_match_map: { map: { "'http/1.1'": chainName("http") } },
                  },
                  on_no_match: chainName("rest"),
                },
              },
            },
          },
        },
      },
    },
  ),
  chains(
    "mTLS: strict, permissive, and none",
    "3, 12",
    [
      chainTo("strict", { destination_port: 1 }, downstreamTls({ require: true })),
      chainTo(
        "permissive tls",
        { destination_port: 2, transport_protocol: "tls" },
        downstreamTls({ require: true }),
      ),
      chainTo("permissive plain", { destination_port: 2, transport_protocol: "raw_buffer" }),
      chainTo("asks", { destination_port: 3 }, downstreamTls({ require: false })),
    ],
    [
      [{ tls: { certificate: "client" }, proxy: destined("10.1.1.1", 1) }, takes("strict")],
      [{ tls: {}, proxy: destined("10.1.1.1", 1) }, refused({ filterChain: "strict" })],
      [
        { tls: { certificate: "stranger" }, proxy: destined("10.1.1.1", 1) },
        refused({ filterChain: "strict" }),
      ],
      [{ proxy: destined("10.1.1.1", 1) }, closed({ filterChain: "strict" })],
      [{ proxy: destined("10.1.1.1", 2) }, takes("permissive plain")],
      [{ tls: { certificate: "client" }, proxy: destined("10.1.1.1", 2) }, takes("permissive tls")],
      [{ tls: {}, proxy: destined("10.1.1.1", 3) }, takes("asks")],
      [
        { tls: { certificate: "stranger" }, proxy: destined("10.1.1.1", 3) },
        refused({ filterChain: "asks" }),
      ],
    ],
  ),
];
