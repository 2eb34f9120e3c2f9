/** Sections 2 and 3.4 of the facts: whose address takes a redirected connection, and what inspectors make of its first bytes. */
import { chainTo, noChain, takes } from "../../support/judge/echo-chains.js";
import {
  chain,
  clusterOf,
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
import type { JudgedRequest } from "../../support/judge/judged-request.js";
import type { JsonObject } from "../../support/mesh/json.js";

const taken = (name: string): Expected => takes(`chain of ${name}`, { listener: name });

const destined = (ip: string, port: number, more: JudgedRequest = {}): JudgedRequest => ({
  ...more,
  proxy: {
    source: { ip: ip.includes(":") ? "fd00::9" : "10.9.9.9", port: 5555 },
    destination: { ip, port },
  },
});

/** Without a socket of its own. */
const virtual = (name: string, address: string, port: number, overrides: JsonObject = {}): JsonObject =>
  listener(name, [chainTo(`chain of ${name}`)], {
    address: socketAddress(address, port),
    bind_to_port: false,
    ...overrides,
  });

const six = (address: string, port: number, compatible: boolean): JsonObject => ({
  address: { socket_address: { address, port_value: port, ipv4_compat: compatible } },
});

const capture = (name: string, overrides: JsonObject = {}): JsonObject =>
  listener(name, [chainTo(`chain of ${name}`)], {
    listener_filters: [proxyProtocol],
    use_original_dst: true,
    ...overrides,
  });

const byProtocol = [
  chainTo("http", { application_protocols: ["http/1.0", "http/1.1", "h2c"] }),
  chainTo("rest", {}),
];
const tls = downstreamTls();

/** A listener whose filters these are, after PROXY protocol unless they say otherwise. */
const inspected = (
  name: string,
  list: readonly JsonObject[],
  filters: readonly JsonObject[],
  cases: readonly CasePair[],
  overrides: JsonObject = {},
): Scenario =>
  scenario(
    `inspectors: ${name}`,
    "3.4",
    { listeners: [listener(`inspectors: ${name}`, list, { listener_filters: filters, ...overrides })] },
    cases,
  );

const disabledFor = (filter: JsonObject, predicate: JsonObject): JsonObject => ({
  ...filter,
  filter_disabled: predicate,
});
const ports = (start: number, end: number): JsonObject => ({ destination_port_range: { start, end } });

/** What an internal listener gets with a connection, by the metadata of the endpoint. */
const internalTo = (
  name: string,
  metadata: JsonObject,
  inner: JsonObject,
  more: readonly JsonObject[],
  next: Expected,
): Scenario =>
  scenario(
    name,
    "2.2",
    {
      listeners: [
        listener(name, [chain("outer", [tcpProxy(name)])]),
        { name: `${name}, inner`, internal_listener: {}, ...inner },
        ...more,
      ],
      clusters: [
        clusterOf(
          name,
          [
            {
              lb_endpoints: [
                {
                  endpoint: {
                    address: { envoy_internal_address: { server_listener_name: `${name}, inner` } },
                  },
                  metadata: { filter_metadata: metadata },
                },
              ],
            },
          ],
          {
            transport_socket: extension(
              "internal",
              "envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport",
              {
                passthrough_metadata: [{ kind: { host: {} }, name: "envoy.filters.listener.original_dst" }],
                transport_socket: {
                  name: "envoy.transport_sockets.raw_buffer",
                  typed_config: {
                    "@type": typeUrl("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"),
                  },
                },
              },
            ),
          },
        ),
      ],
    },
    [[{}, { filterChain: "outer", next }]],
  );
const answering = (name: string, match: JsonObject | null = null): JsonObject =>
  chain(name, [httpManager(routeConfig([virtualHost("inside", ["*"], [route("inner route")])]))], match);

export const listenerAddressScenarios: readonly Scenario[] = [
  scenario(
    "hand-off: IPv4 was there before the IPv6 wildcard",
    "2.2; 12 #5",
    {
      listeners: [
        capture("IPv4 first capture"),
        virtual("IPv4 first", "0.0.0.0", 2101),
        virtual("compatible second", "::", 2101, six("::", 2101, true)),
      ],
    },
    [
      [destined("10.0.0.9", 2101), taken("IPv4 first")],
      [destined("fd00::1", 2101), taken("compatible second")],
    ],
  ),
  scenario(
    "hand-off: IPv6 never lands on the wildcard of IPv4",
    "2.2",
    { listeners: [capture("IPv4 only capture"), virtual("IPv4 only", "0.0.0.0", 2102)] },
    [
      [destined("fd00::1", 2102), taken("IPv4 only capture")],
      [destined("10.0.0.9", 2102), taken("IPv4 only")],
    ],
  ),
  scenario(
    "hand-off: an IPv4 address that is written as IPv6",
    "2.2",
    {
      listeners: [
        capture("mapped capture"),
        virtual("mapped", "", 2103, six("::ffff:10.0.0.11", 2103, true)),
        virtual("mapped, IPv6 only", "", 2104, six("::ffff:10.0.0.11", 2104, false)),
      ],
    },
    [
      [destined("10.0.0.11", 2103), taken("mapped")],
      [destined("10.0.0.12", 2103), taken("mapped capture")],
      [destined("10.0.0.11", 2104), taken("mapped capture")],
    ],
  ),
  scenario(
    "hand-off: an address by its canonical text",
    "2.2",
    {
      listeners: [
        capture("spelled capture"),
        virtual("spelled out", "fd00:0:0:0::00ab", 2105),
        virtual("wildcard spelled out", "0:0::0", 2106, six("0:0::0", 2106, false)),
      ],
    },
    [
      [destined("fd00::ab", 2105), taken("spelled out")],
      [destined("fd00::1", 2106), taken("wildcard spelled out")],
      [destined("fd00::ac", 2105), taken("spelled capture")],
    ],
  ),
  scenario(
    "hand-off: the direction of traffic is no matter",
    "2.1",
    {
      listeners: [
        capture("outbound capture", { traffic_direction: "OUTBOUND" }),
        virtual("inbound taker", "0.0.0.0", 2107, { traffic_direction: "INBOUND" }),
      ],
    },
    [[destined("10.0.0.9", 2107), taken("inbound taker")]],
  ),
  scenario(
    "hand-off: an exact listener without a fitting chain",
    "2.2",
    {
      listeners: [
        capture("fallback capture", { default_filter_chain: chainTo("never") }),
        listener("no fitting chain", [chainTo("port", { destination_port: 1 })], {
          address: socketAddress("10.0.0.21", 2108),
          bind_to_port: false,
        }),
        virtual("wildcard that would fit", "0.0.0.0", 2108),
      ],
    },
    [
      [destined("10.0.0.21", 2108), { ...noChain, listener: "no fitting chain" }],
      [destined("10.0.0.22", 2108), taken("wildcard that would fit")],
    ],
  ),
  scenario(
    "hand-off: bound listeners are found, too",
    "2.2",
    {
      listeners: [
        capture("bound capture"),
        listener("bound beside", [chainTo("chain of bound beside")], {
          address: socketAddress("127.77.99.1", 12_109),
        }),
      ],
    },
    [
      [destined("127.77.99.1", 12_109), taken("bound beside")],
      [{ listener: "bound beside" }, taken("bound beside")],
    ],
  ),
  scenario(
    "hand-off: bind_to_port of the first API",
    "2.1",
    {
      listeners: [
        capture("old bind capture"),
        listener("old bind", [chainTo("chain of old bind")], {
          address: socketAddress("10.0.0.31", 2110),
          deprecated_v1: { bind_to_port: false },
        }),
      ],
    },
    [[destined("10.0.0.31", 2110), taken("old bind")]],
  ),
  scenario(
    "hand-off: back to the listener itself, whose filters run again",
    "2.2",
    {
      listeners: [
        capture("twice", {
          additional_addresses: [{ address: socketAddress("127.77.99.2", 12_111) }],
        }),
        capture("twice, optional", {
          additional_addresses: [{ address: socketAddress("127.77.99.2", 12_112) }],
          listener_filters: [
            extension(
              "envoy.filters.listener.proxy_protocol",
              "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
              { allow_requests_without_proxy_protocol: true },
            ),
          ],
        }),
      ],
    },
    [
      // the PROXY header is gone when the filter looks for it again
      [destined("127.77.99.2", 12_111), closed({ filterChain: null })],
      [destined("127.77.99.1", 12_113), taken("twice")],
      [{ ...destined("127.77.99.2", 12_112), listener: "twice, optional" }, taken("twice, optional")],
    ],
  ),
  scenario(
    "hand-off: the other listener waits for bytes of its own",
    "2.2, 3.4",
    {
      listeners: [
        capture("patient capture"),
        listener(
          "patient",
          [
            chain("rest", [tcpProxy("patient server")]),
            chainTo("http", { application_protocols: ["http/1.1"] }),
          ],
          {
            address: socketAddress("0.0.0.0", 2114),
            bind_to_port: false,
            listener_filters: [httpInspector],
            listener_filters_timeout: "0.2s",
            continue_on_listener_filters_timeout: true,
          },
        ),
        listener("impatient", byProtocol, {
          address: socketAddress("0.0.0.0", 2115),
          bind_to_port: false,
          listener_filters: [tlsInspector],
          listener_filters_timeout: "0.2s",
        }),
      ],
      clusters: [
        clusterOf("patient server", [
          { lb_endpoints: [{ endpoint: { address: socketAddress("127.77.1.1", 19_000) } }] },
        ]),
      ],
    },
    [
      [destined("10.0.0.9", 2114, { protocol: "silent" }), { listener: "patient", filterChain: "rest" }],
      [destined("10.0.0.9", 2114), takes("http", { listener: "patient" })],
      [destined("10.0.0.9", 2115, { protocol: "silent" }), closed({ filterChain: null })],
    ],
  ),
  internalTo(
    "internal: the original destination in the metadata of the endpoint",
    // what says "remote" there is not read
    { "envoy.filters.listener.original_dst": { local: "10.0.0.5:2116", remote: "10.9.9.9:77" } },
    {
      listener_filters: [originalDst],
      filter_chains: [
        answering("source", {
          destination_port: 2116,
          prefix_ranges: [{ address_prefix: "10.0.0.5", prefix_len: 32 }],
          source_prefix_ranges: [{ address_prefix: "10.9.9.9", prefix_len: 32 }],
        }),
        answering("port", {
          destination_port: 2116,
          prefix_ranges: [{ address_prefix: "10.0.0.5", prefix_len: 32 }],
          source_prefix_ranges: [{ address_prefix: "0.0.0.0", prefix_len: 0 }],
        }),
        answering("rest"),
      ],
    },
    [],
    { filterChain: "port", status: 200 },
  ),
  internalTo(
    "internal: without the filter nothing is restored",
    { "envoy.filters.listener.original_dst": { local: "10.0.0.5:2116" } },
    { filter_chains: [answering("port", { destination_port: 2116 }), answering("rest")] },
    [],
    { filterChain: "rest", status: 200 },
  ),
  internalTo(
    "internal: no hand-off from an internal listener",
    { "envoy.filters.listener.original_dst": { local: "10.0.0.5:2117" } },
    { listener_filters: [originalDst], use_original_dst: true, filter_chains: [answering("own")] },
    [
      listener("internal: taker", [answering("chain of taker")], {
        address: socketAddress("10.0.0.5", 2117),
        bind_to_port: false,
      }),
    ],
    { listener: "internal: no hand-off from an internal listener, inner", filterChain: "own", status: 200 },
  ),
  internalTo(
    "internal: metadata that is no address",
    { "envoy.filters.listener.original_dst": { local: "somewhere:80" } },
    {
      listener_filters: [originalDst],
      filter_chains: [answering("port", { destination_port: 80 }), answering("rest")],
    },
    [],
    { filterChain: "rest", status: 200 },
  ),
  inspected(
    "HTTP before PROXY protocol sees the header alone",
    byProtocol,
    [httpInspector, proxyProtocol],
    [[destined("10.1.1.1", 80), takes("rest")]],
  ),
  inspected(
    "TLS before PROXY protocol sees the header alone",
    [chainTo("tls", { transport_protocol: "tls" }), chainTo("rest", {})],
    [tlsInspector, proxyProtocol],
    [[destined("10.1.1.1", 80, { tls: { sni: "a.com" } }), { filterChain: "rest" }]],
  ),
  inspected(
    "a port is that of the moment: before PROXY protocol the listener's own",
    byProtocol,
    [disabledFor(httpInspector, ports(10_000, 10_001)), proxyProtocol, tlsInspector],
    [[destined("10.1.1.1", 80), takes("rest")]],
  ),
  inspected(
    "ports that are switched off, and both, and not",
    byProtocol,
    [
      proxyProtocol,
      disabledFor(httpInspector, {
        and_match: { rules: [ports(80, 100), { not_match: ports(90, 95) }] },
      }),
    ],
    [
      [destined("10.1.1.1", 79), takes("http")],
      [destined("10.1.1.1", 80), takes("rest")],
      [destined("10.1.1.1", 89), takes("rest")],
      [destined("10.1.1.1", 90), takes("http")],
      [destined("10.1.1.1", 94), takes("http")],
      [destined("10.1.1.1", 95), takes("rest")],
      [destined("10.1.1.1", 100), takes("http")],
      [destined("fd00::1", 80), takes("rest")],
    ],
  ),
  inspected(
    "TLS is not looked for on a port that is switched off",
    [
      chainTo("tls", { transport_protocol: "tls" }, tls),
      chainTo("raw", { transport_protocol: "raw_buffer" }),
    ],
    [proxyProtocol, disabledFor(tlsInspector, ports(3306, 3307)), httpInspector],
    [
      [destined("10.1.1.1", 3306, { tls: { sni: "a.com" } }), { filterChain: "raw" }],
      [destined("10.1.1.1", 3307, { tls: { sni: "a.com" } }), takes("tls")],
      [destined("10.1.1.1", 3307), takes("raw")],
    ],
  ),
  inspected(
    "a filter that is always switched off",
    byProtocol,
    [disabledFor(proxyProtocol, { any_match: true }), httpInspector],
    [[{}, takes("http")]],
  ),
  inspected(
    "PROXY protocol that is missing",
    byProtocol,
    [proxyProtocol, httpInspector],
    [[{}, closed({ filterChain: null })]],
  ),
  inspected(
    "PROXY protocol that may be missing",
    byProtocol,
    [
      extension(
        "envoy.filters.listener.proxy_protocol",
        "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
        { allow_requests_without_proxy_protocol: true },
      ),
      httpInspector,
    ],
    [
      [{}, takes("http")],
      [destined("10.1.1.1", 80), takes("http")],
      [{ protocol: "tcp" }, { filterChain: "rest" }],
    ],
  ),
  inspected(
    "TLS that is asked for and missing",
    [chainTo("tls", { transport_protocol: "tls" }, tls), chainTo("rest", {})],
    [
      extension(
        "envoy.filters.listener.tls_inspector",
        "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
        { close_connection_on_client_hello_parsing_errors: true },
      ),
    ],
    [
      [{ tls: { sni: "a.com" } }, takes("tls")],
      [{}, closed({ filterChain: null })],
    ],
  ),
  inspected(
    "methods of HTTP that are known and that are not",
    [
      chain("http", [httpManager(routeConfig([virtualHost("all", ["*"], [route("r")])]))], {
        application_protocols: ["http/1.1"],
      }),
      chainTo("rest", {}),
    ],
    [httpInspector],
    [
      [{ method: "PATCH" }, to("r", { filterChain: "http" })],
      [{ method: "PROPFIND" }, to("r", { filterChain: "http" })],
      [
        { method: "OPTIONS", path: "*" },
        { filterChain: "http", status: 404 },
      ],
      [{ method: "M-SEARCH" }, { filterChain: "http" }],
      [{ method: "FOO" }, { filterChain: "rest" }],
      [{ method: "get" }, { filterChain: "rest" }],
      [{ path: "http://a.com/x" }, { filterChain: "http" }],
      [{ path: "//x" }, { filterChain: "http" }],
      [{ path: "*x" }, { filterChain: "http" }],
      [{ path: "foo" }, { filterChain: "rest" }],
      [{ path: "?x" }, { filterChain: "rest" }],
      [{ path: "" }, { filterChain: "rest" }],
      [{ path: "mailto:x" }, { filterChain: "rest" }],
      [{ method: "CONNECT", path: "a.com:443" }, { filterChain: "http" }],
    ],
  ),
  inspected(
    "a protocol without an inspector is none",
    byProtocol,
    [],
    [
      [{}, takes("rest")],
      [{ protocol: "h2" }, { filterChain: "rest" }],
    ],
  ),
  inspected(
    "HTTP inside of TLS is not looked for",
    [
      chainTo("http", { application_protocols: ["http/1.1"] }),
      chainTo("tls", { transport_protocol: "tls" }, tls),
    ],
    [tlsInspector, httpInspector],
    [
      [{ tls: { sni: "a.com" } }, takes("tls")],
      [{}, takes("http")],
    ],
  ),
];
