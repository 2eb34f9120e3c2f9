/** Section 3.3 of the facts: the tree that names a filter chain. */
import { noChain, takes } from "../../support/judge/echo-chains.js";
import {
  chain,
  clusterOf,
  downstreamTls,
  extension,
  httpInspector,
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
import { scenario, type CasePair, type Scenario } from "../../support/judge/scenario.js";
import type { JudgedRequest } from "../../support/judge/judged-request.js";
import type { JsonObject } from "../../support/mesh/json.js";

const connection = (
  { to = "10.1.1.1", port = 80, from = "10.9.9.9", fromPort = 5555 } = {},
  more: JudgedRequest = {},
): JudgedRequest => ({
  ...more,
  proxy: { source: { ip: from, port: fromPort }, destination: { ip: to, port } },
});

const input = (name: string, config: JsonObject = {}): JsonObject =>
  extension("input", `envoy.extensions.matching.common_inputs.network.v3.${name}`, config);
const named = (name: string, action = name): JsonObject => ({
  action: { name: action, typed_config: { "@type": typeUrl("google.protobuf.StringValue"), value: name } },
});
const exactly = (of: JsonObject, map: JsonObject, more: JsonObject = {}): JsonObject => ({
  matcher_tree: { input: of, exact_match_map: { map } },
  ...more,
});
const byPrefix = (of: JsonObject, map: JsonObject, more: JsonObject = {}): JsonObject => ({
  matcher_tree: { input: of, prefix_match_map: { map } },
  ...more,
});
const nested = (matcher: JsonObject): JsonObject => ({ matcher });
const is = (of: JsonObject, value: JsonObject): JsonObject => ({
  single_predicate: { input: of, value_match: value },
});
const listOf = (
  entries: readonly (readonly [JsonObject, JsonObject])[],
  more: JsonObject = {},
): JsonObject => ({
  matcher_list: { matchers: entries.map(([predicate, on_match]) => ({ predicate, on_match })) },
  ...more,
});
const otherwise = (name: string): JsonObject => ({ on_no_match: named(name) });
const ranges = (of: JsonObject, entries: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  matcher_tree: {
    input: of,
    custom_match: extension("ip", "xds.type.matcher.v3.IPMatcher", { range_matchers: entries }),
  },
  ...more,
});
const range = (address_prefix: string, prefix_len: number): JsonObject => ({ address_prefix, prefix_len });

const port = input("DestinationPortInput");

/** A listener whose tree chooses among chains of these names; TLS for those that are called so. */
const tree = (
  name: string,
  chains: readonly string[],
  matcher: JsonObject,
  cases: readonly CasePair[],
  overrides: JsonObject = {},
): Scenario =>
  scenario(
    `tree: ${name}`,
    "3.3",
    {
      listeners: [
        listener(
          `tree: ${name}`,
          chains.map((one) =>
            chain(one, [tcpProxy("echo")], null, one.startsWith("tls") ? downstreamTls() : {}),
          ),
          {
            listener_filters: [proxyProtocol, tlsInspector, httpInspector],
            filter_chain_matcher: matcher,
            ...overrides,
          },
        ),
      ],
    },
    cases,
  );

export const chainMatcherScenarios: readonly Scenario[] = [
  tree(
    "the first condition that holds",
    ["first", "second", "rest"],
    listOf(
      [
        [is(port, { prefix: "8" }), named("first")],
        [is(port, { exact: "80" }), named("second")],
        [is(port, { suffix: "3" }), named("second")],
      ],
      otherwise("rest"),
    ),
    [
      [connection(), takes("first")],
      [connection({ port: 3 }), takes("second")],
      [connection({ port: 4 }), takes("rest")],
    ],
  ),
  tree(
    "without a result, without a default chain",
    ["first"],
    listOf([[is(port, { exact: "80" }), named("first")]]),
    [
      [connection(), takes("first")],
      [connection({ port: 4 }), noChain],
    ],
  ),
  tree(
    "and, or, not",
    ["both", "either", "neither", "rest"],
    listOf(
      [
        [
          {
            and_matcher: {
              predicate: [is(port, { exact: "80" }), is(input("SourceIPInput"), { prefix: "10.9." })],
            },
          },
          named("both"),
        ],
        [
          {
            or_matcher: {
              predicate: [is(port, { exact: "80" }), is(input("SourceIPInput"), { prefix: "10.9." })],
            },
          },
          named("either"),
        ],
        [{ not_matcher: is(port, { exact: "82" }) }, named("neither")],
      ],
      otherwise("rest"),
    ),
    [
      [connection(), takes("both")],
      [connection({ from: "10.8.9.9" }), takes("either")],
      [connection({ port: 82 }), takes("either")],
      [connection({ port: 81, from: "10.8.9.9" }), takes("neither")],
      [connection({ port: 82, from: "10.8.9.9" }), takes("rest")],
    ],
  ),
  tree(
    "a nested list without a result goes on with the next entry",
    ["nested", "next", "rest"],
    listOf(
      [
        [
          is(port, { exact: "80" }),
          nested(listOf([[is(input("SourceIPInput"), { exact: "10.9.9.9" }), named("nested")]])),
        ],
        [is(port, { prefix: "8" }), named("next")],
      ],
      otherwise("rest"),
    ),
    [
      [connection(), takes("nested")],
      [connection({ from: "10.8.9.9" }), takes("next")],
      [connection({ port: 90 }), takes("rest")],
    ],
  ),
  tree(
    "a nested on_no_match is a result",
    ["nested", "inner rest", "next"],
    listOf([
      [
        is(port, { exact: "80" }),
        nested(exactly(input("SourceIPInput"), { "10.9.9.9": named("nested") }, otherwise("inner rest"))),
      ],
      [is(port, { prefix: "8" }), named("next")],
    ]),
    [
      [connection(), takes("nested")],
      [connection({ from: "10.8.9.9" }), takes("inner rest")],
      [connection({ port: 81 }), takes("next")],
    ],
  ),
  tree(
    "exact keys whose subtree has no result",
    ["nested", "rest"],
    exactly(
      port,
      { "80": nested(exactly(input("SourcePortInput"), { "5555": named("nested") })) },
      otherwise("rest"),
    ),
    [
      [connection(), takes("nested")],
      [connection({ fromPort: 5556 }), takes("rest")],
      [connection({ port: 8 }), takes("rest")],
    ],
  ),
  tree(
    "prefixes, the longest first, then shorter ones",
    ["long", "short", "rest"],
    byPrefix(
      input("DestinationIPInput"),
      {
        "10.": named("short"),
        "10.1.": nested(exactly(port, { "80": named("long") })),
      },
      otherwise("rest"),
    ),
    [
      [connection(), takes("long")],
      [connection({ port: 81 }), takes("short")],
      [connection({ to: "10.2.1.1" }), takes("short")],
      [connection({ to: "11.1.1.1" }), takes("rest")],
    ],
  ),
  tree(
    "ranges: equal ones in their order, and those that exclude",
    ["first", "second", "exclusive", "wide", "rest"],
    ranges(
      input("DestinationIPInput"),
      [
        { ranges: [range("10.0.0.0", 8)], on_match: named("wide") },
        {
          ranges: [range("10.1.0.0", 16)],
          on_match: nested(exactly(port, { "80": named("first") })),
        },
        {
          ranges: [range("10.1.0.0", 16)],
          on_match: nested(exactly(port, { "80": named("second"), "81": named("second") })),
        },
        {
          ranges: [range("10.2.0.0", 16)],
          exclusive: true,
          on_match: nested(exactly(port, { "80": named("exclusive") })),
        },
        { ranges: [range("10.2.2.0", 24)], on_match: nested(exactly(port, { "90": named("second") })) },
      ],
      otherwise("rest"),
    ),
    [
      [connection(), takes("first")],
      [connection({ port: 81 }), takes("second")],
      [connection({ port: 82 }), takes("wide")],
      [connection({ to: "10.2.1.1" }), takes("exclusive")],
      [connection({ to: "10.2.2.1", port: 90 }), takes("second")],
      // behind a longer range an exclusive one does not count
      [connection({ to: "10.2.2.1" }), takes("wide")],
      [connection({ to: "11.2.2.1" }), takes("rest")],
    ],
  ),
  tree(
    "ranges: one that excludes ends the search",
    ["exclusive", "wide", "rest"],
    ranges(
      input("SourceIPInput"),
      [
        { ranges: [range("10.0.0.0", 8), range("fd00::", 8)], on_match: named("wide") },
        {
          ranges: [range("10.9.0.0", 16)],
          exclusive: true,
          on_match: nested(exactly(port, { "80": named("exclusive") })),
        },
      ],
      otherwise("rest"),
    ),
    [
      [connection(), takes("exclusive")],
      [connection({ port: 81 }), takes("wide")],
      [connection({ from: "10.8.1.1" }), takes("wide")],
      [connection({ from: "fd00::5", to: "fd00::1" }), takes("wide")],
      [connection({ from: "11.8.1.1" }), takes("rest")],
    ],
  ),
  tree(
    "the TCP peer, and who PROXY protocol names",
    ["peer", "told", "rest"],
    ranges(
      input("DirectSourceIPInput"),
      [
        {
          ranges: [range("127.77.254.1", 32)],
          on_match: nested(exactly(input("SourceIPInput"), { "10.9.9.9": named("told") }, otherwise("peer"))),
        },
      ],
      otherwise("rest"),
    ),
    [
      [connection(), takes("told")],
      [connection({ from: "10.9.9.8" }), takes("peer")],
      [connection({}, { source: "127.77.253.2" }), takes("rest")],
    ],
  ),
  tree(
    "local sources, and those without the input",
    ["local", "not local"],
    exactly(
      input("SourceTypeInput"),
      { local: named("local"), external: named("local") },
      otherwise("not local"),
    ),
    [
      [connection({ from: "127.0.0.1" }), takes("local")],
      [connection({ from: "10.1.1.1" }), takes("local")],
      [connection(), takes("not local")],
    ],
  ),
  tree(
    "conditions on a value that is not there",
    ["named", "not that name", "rest"],
    listOf(
      [
        [is(input("ServerNameInput"), { exact: "" }), named("named")],
        [is(input("ServerNameInput"), { prefix: "a." }), named("named")],
        [{ not_matcher: is(input("ServerNameInput"), { exact: "b.com" }) }, named("not that name")],
      ],
      otherwise("rest"),
    ),
    [
      [connection(), takes("not that name")],
      [connection({}, { tls: { sni: "A.com" } }), { filterChain: "named" }],
      [connection({}, { tls: { sni: "b.com" } }), { filterChain: "rest" }],
      [connection({}, { tls: { sni: "c.com" } }), { filterChain: "not that name" }],
      [connection({}, { tls: {} }), { filterChain: "not that name" }],
    ],
  ),
  tree(
    "server names by their suffix, and in one case",
    ["tls exact", "tls suffix", "plain"],
    listOf(
      [
        [is(input("ServerNameInput"), { exact: "A.COM", ignore_case: true }), named("tls exact")],
        [
          is(input("ServerNameInput"), { safe_regex: { google_re2: {}, regex: ".*\\.example\\.(com|org)" } }),
          named("tls suffix"),
        ],
      ],
      otherwise("plain"),
    ),
    [
      [connection({}, { tls: { sni: "a.com" } }), takes("tls exact")],
      [connection({}, { tls: { sni: "x.y.example.org" } }), takes("tls suffix")],
      [connection({}, { tls: { sni: "example.org" } }), { filterChain: "plain" }],
      [connection(), takes("plain")],
    ],
  ),
  tree(
    "several application protocols are one text",
    ["tls both", "tls one", "rest"],
    exactly(
      input("ApplicationProtocolInput"),
      { "'h2','http/1.1'": named("tls both"), "'http/1.1'": named("tls one"), h2: named("tls one") },
      otherwise("rest"),
    ),
    [
      [connection({}, { tls: { alpn: ["h2", "http/1.1"] } }), takes("tls both")],
      [connection({}, { tls: { alpn: ["http/1.1"] } }), takes("tls one")],
      [connection({}, { tls: { alpn: ["http/1.1", "h2"] } }), { filterChain: "rest" }],
      [connection({}, { tls: { alpn: ["h2"] } }), { filterChain: "rest" }],
      [connection({}, { tls: {} }), { filterChain: "rest" }],
    ],
  ),
  tree(
    "filter state that nobody sets",
    ["set", "rest"],
    exactly(input("FilterStateInput", { key: "judge.other" }), { "": named("set") }, otherwise("rest")),
    [[connection(), takes("rest")]],
  ),
  tree(
    "the result is the default chain's only where there is none",
    ["known"],
    exactly(port, { "80": named("default"), "81": named("known") }),
    [
      [connection(), noChain],
      [connection({ port: 81 }), takes("known")],
      [connection({ port: 82 }), takes("default")],
    ],
    { default_filter_chain: chain("default", [tcpProxy("echo")]) },
  ),
  tree(
    "a name that is empty",
    ["known"],
    exactly(port, { "80": named("known") }, { on_no_match: named("", "no name") }),
    [
      [connection(), takes("known")],
      [connection({ port: 81 }), noChain],
    ],
    { default_filter_chain: chain("default", [tcpProxy("echo")]) },
  ),
  scenario(
    "tree: a socket inside of Envoy has no addresses",
    "3.3",
    {
      listeners: [
        listener("tree: outside", [chain("outer", [tcpProxy("tree: to the inside")])]),
        listener(
          "tree: inside",
          ["ip", "port", "rest"].map((name) =>
            chain(name, [httpManager(routeConfig([virtualHost("inside", ["*"], [route("inner route")])]))]),
          ),
          {
            internal_listener: {},
            filter_chain_matcher: ranges(
              input("DestinationIPInput"),
              [{ ranges: [range("0.0.0.0", 0), range("::", 0)], on_match: named("ip") }],
              {
                on_no_match: nested(
                  listOf(
                    [[is(port, { safe_regex: { google_re2: {}, regex: ".*" } }), named("port")]],
                    otherwise("rest"),
                  ),
                ),
              },
            ),
          },
        ),
      ],
      clusters: [
        clusterOf("tree: to the inside", [
          {
            lb_endpoints: [
              {
                endpoint: {
                  address: { envoy_internal_address: { server_listener_name: "tree: inside" } },
                },
              },
            ],
          },
        ]),
      ],
    },
    [[{}, { filterChain: "outer", next: { filterChain: "rest", status: 200 } }]],
  ),
];
