/** Sections 6.4 and 6.5 of the facts: query, gRPC, TLS, runtime fraction, metadata, filter state; generic trees. */
import {
  chain,
  downstreamTls,
  extension,
  httpManager,
  listener,
  route,
  routeConfig,
  tlsInspector,
  typeUrl,
  virtualHost,
} from "../../support/judge/messages.js";
import { httpScenario, noRoute, scenario, to, type Scenario } from "../../support/judge/scenario.js";
import type { JsonObject } from "../../support/mesh/json.js";

const query = (name: string, matcher: JsonObject = {}): JsonObject => ({
  query_parameters: [{ name, ...matcher }],
});
const exact = (value: string): JsonObject => ({ string_match: { exact: value } });

const fraction = (numerator: number, key = "", denominator = "HUNDRED"): JsonObject => ({
  runtime_fraction: {
    default_value: { numerator, denominator },
    ...(key !== "" && { runtime_key: key }),
  },
});

const tlsRoutes = httpManager(
  routeConfig([
    virtualHost(
      "all",
      ["*"],
      [
        route("validated", { tls_context: { presented: true, validated: true } }),
        route("presented", { tls_context: { presented: true } }),
        route("none", { tls_context: { presented: false } }),
        route("rest"),
      ],
    ),
  ]),
);

const headerInput = (name: string): JsonObject =>
  extension("header", "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", { header_name: name });
const routeAction = (one: JsonObject): JsonObject => ({
  action: { name: "route", typed_config: { "@type": typeUrl("envoy.config.route.v3.Route"), ...one } },
});
const routeList = (routes: readonly JsonObject[]): JsonObject => ({
  action: { name: "routes", typed_config: { "@type": typeUrl("envoy.config.route.v3.RouteList"), routes } },
});
const treeHost = (matcher: JsonObject): JsonObject => ({ name: "tree", domains: ["*"], matcher });

export const conditionScenarios: readonly Scenario[] = [
  httpScenario("query: exact", "6.4; 12 #40", {
    routes: [route("match", query("debug", exact("foo"))), route("rest")],
    cases: [
      [{ path: "/?debug=foo" }, to("match")],
      [{ path: "/?a=b&debug=foo" }, to("match")],
      [{ path: "/?debug=bar&debug=foo" }, to("rest")],
      [{ path: "/?debug=foo&debug=bar" }, to("match")],
      [{ path: "/?Debug=foo" }, to("rest")],
      [{ path: "/?debug=FOO" }, to("rest")],
      [{ path: "/?debug=foo=1" }, to("rest")],
      [{ path: "/" }, to("rest")],
    ],
  }),
  httpScenario("query: no decoding", "6.4; 12 #41", {
    routes: [
      route("space", query("x", exact("a b"))),
      route("escaped", query("x", exact("a%20b"))),
      route("rest"),
    ],
    cases: [
      [{ path: "/?x=a%20b" }, to("escaped")],
      [{ path: "/?x=a+b" }, to("rest")],
    ],
  }),
  httpScenario("query: empty values", "6.4", {
    routes: [route("match", query("x", exact(""))), route("rest")],
    cases: [
      [{ path: "/?x" }, to("match")],
      [{ path: "/?x=" }, to("match")],
      [{ path: "/?y&x&z" }, to("match")],
      [{ path: "/?x=1" }, to("rest")],
      [{ path: "/?" }, to("rest")],
    ],
  }),
  httpScenario("query: presence", "6.4", {
    routes: [
      route("there", { prefix: "/a", ...query("x") }),
      route("present", { prefix: "/b", ...query("x", { present_match: true }) }),
      route("absent", { prefix: "/c", ...query("x", { present_match: false }) }),
      route("rest"),
    ],
    cases: [
      [{ path: "/a?x=1" }, to("there")],
      [{ path: "/a" }, to("rest")],
      [{ path: "/b?x" }, to("present")],
      [{ path: "/b?y" }, to("rest")],
      [{ path: "/c" }, to("absent")],
      [{ path: "/c?x" }, to("rest")],
    ],
  }),
  httpScenario("query: prefix, suffix, contains, regex, any case", "6.4", {
    routes: [
      route("prefix", { prefix: "/p", ...query("x", { string_match: { prefix: "ab" } }) }),
      route("suffix", { prefix: "/s", ...query("x", { string_match: { suffix: "bc" } }) }),
      route("contains", {
        prefix: "/c",
        ...query("x", { string_match: { contains: "B", ignore_case: true } }),
      }),
      route("regex", { prefix: "/r", ...query("x", { string_match: { safe_regex: { regex: "a+" } } }) }),
      route("rest"),
    ],
    cases: [
      [{ path: "/p?x=abc" }, to("prefix")],
      [{ path: "/p?x=cab" }, to("rest")],
      [{ path: "/s?x=abc" }, to("suffix")],
      [{ path: "/s?x=abcd" }, to("rest")],
      [{ path: "/c?x=abc" }, to("contains")],
      [{ path: "/c?x=ac" }, to("rest")],
      [{ path: "/r?x=aa" }, to("regex")],
      [{ path: "/r?x=aab" }, to("rest")],
    ],
  }),
  httpScenario("query: all of them", "6.4", {
    routes: [
      route("both", { query_parameters: [{ name: "a" }, { name: "b", ...exact("1") }] }),
      route("rest"),
    ],
    cases: [
      [{ path: "/?b=1&a" }, to("both")],
      [{ path: "/?b=1" }, to("rest")],
      [{ path: "/?a&b=2" }, to("rest")],
      [{ path: "/?q?a&b=1" }, to("rest")],
    ],
  }),
  httpScenario("grpc", "6.4; 12 #42", {
    routes: [route("grpc", { grpc: {} }), route("rest")],
    cases: [
      [{ headers: [["content-type", "application/grpc"]] }, to("grpc")],
      [{ headers: [["content-type", "application/grpc+proto"]] }, to("grpc")],
      [{ headers: [["content-type", "application/grpc-web"]] }, to("rest")],
      [{ headers: [["content-type", "application/grpc;x"]] }, to("rest")],
      [{ headers: [["content-type", "application/GRPC"]] }, to("rest")],
      [{}, to("rest")],
    ],
  }),
  scenario(
    "tls_context",
    "6.4",
    {
      listeners: [
        listener(
          "tls_context",
          [
            chain("tls", [tlsRoutes], { transport_protocol: "tls" }, downstreamTls({ require: false })),
            chain("plain", [tlsRoutes], { transport_protocol: "raw_buffer" }),
          ],
          { listener_filters: [tlsInspector] },
        ),
      ],
    },
    [
      [{ tls: { certificate: "client" } }, to("validated", { filterChain: "tls" })],
      [{ tls: {} }, to("none", { filterChain: "tls" })],
      [{}, to("none", { filterChain: "plain" })],
    ],
  ),
  httpScenario("runtime_fraction without a key", "6.4", {
    routes: [
      route("never", { prefix: "/", ...fraction(0) }),
      route("always", { prefix: "/a", ...fraction(100) }),
      route("above", { prefix: "/b", ...fraction(10_001, "", "TEN_THOUSAND") }),
      route("rest"),
    ],
    cases: [
      [{ path: "/a" }, to("always"), 5],
      [{ path: "/b" }, to("above"), 5],
      [{ path: "/c" }, to("rest"), 5],
    ],
  }),
  httpScenario("runtime_fraction with a key of the runtime", "6.4", {
    routes: [
      route("off", { prefix: "/off", ...fraction(100, "judge.off") }),
      route("on", { prefix: "/on", ...fraction(0, "judge.on") }),
      route("above", { prefix: "/above", ...fraction(0, "judge.above") }),
      route("struct", { prefix: "/struct", ...fraction(0, "judge.struct") }),
      route("text", { prefix: "/text", ...fraction(0, "judge.text") }),
      route("unknown", { prefix: "/unknown", ...fraction(100, "judge.unknown") }),
      route("rest"),
    ],
    runtime: {
      "judge.off": 0,
      "judge.on": 100,
      "judge.above": 150,
      "judge.struct": { numerator: 1_000_000, denominator: "MILLION" },
      "judge.text": "not a number",
    },
    cases: [
      [{ path: "/off" }, to("rest"), 5],
      [{ path: "/on" }, to("on"), 5],
      [{ path: "/above" }, to("above"), 5],
      [{ path: "/struct" }, to("struct"), 5],
      [{ path: "/text" }, to("rest"), 5],
      [{ path: "/unknown" }, to("unknown"), 5],
    ],
  }),
  httpScenario("dynamic metadata of no filter", "6.4", {
    routes: [
      route("set", {
        dynamic_metadata: [{ filter: "f", path: [{ key: "k" }], value: { string_match: { exact: "v" } } }],
      }),
      route("inverted", {
        prefix: "/i",
        dynamic_metadata: [
          { filter: "f", path: [{ key: "k" }], value: { string_match: { exact: "v" } }, invert: true },
        ],
      }),
      route("rest"),
    ],
    cases: [
      [{ path: "/i" }, to("inverted")],
      [{ path: "/x" }, to("rest")],
    ],
  }),
  httpScenario("filter state of no filter", "6.4", {
    routes: [
      route("set", { filter_state: [{ key: "some.key", string_match: { exact: "v" } }] }),
      route("rest"),
    ],
    cases: [[{}, to("rest")]],
  }),
  httpScenario("filter state that a network filter sets", "6.4", {
    routes: [
      route("set", { filter_state: [{ key: "judge.key", string_match: { exact: "v" } }] }),
      route("rest"),
    ],
    chain: {
      filters: [
        extension("set", "envoy.extensions.filters.network.set_filter_state.v3.Config", {
          on_new_connection: [
            {
              object_key: "judge.key",
              factory_key: "envoy.string",
              format_string: { text_format_source: { inline_string: "v" } },
            },
          ],
        }),
        httpManager(
          routeConfig([
            virtualHost(
              "all",
              ["*"],
              [
                route("set", { filter_state: [{ key: "judge.key", string_match: { exact: "v" } }] }),
                route("rest"),
              ],
            ),
          ]),
        ),
      ],
    },
    cases: [[{}, to("set")]],
  }),
  httpScenario("all conditions of a route", "6", {
    routes: [
      route("all", {
        prefix: "/a",
        headers: [{ name: "x", present_match: true }],
        ...query("q"),
        ...fraction(100),
      }),
    ],
    cases: [
      [{ path: "/a?q", headers: [["x", "1"]] }, to("all")],
      [{ path: "/a", headers: [["x", "1"]] }, noRoute],
      [{ path: "/a?q" }, noRoute],
      [{ path: "/b?q", headers: [["x", "1"]] }, noRoute],
    ],
  }),
  httpScenario("tree: exact map", "6.5, 3.3", {
    virtualHosts: [
      treeHost({
        matcher_tree: {
          input: headerInput("x"),
          exact_match_map: {
            map: { a: routeAction(route("a")), b: routeAction(route("b", { prefix: "/b" })) },
          },
        },
        on_no_match: routeAction(route("rest")),
      }),
    ],
    cases: [
      [{ headers: [["x", "a"]] }, to("a")],
      [{ headers: [["x", "b"]], path: "/b" }, to("b")],
      [{ headers: [["x", "b"]], path: "/c" }, noRoute], // the route's own match fails: no way back
      [{ headers: [["x", "c"]] }, to("rest")],
      [{}, to("rest")],
      [
        {
          headers: [
            ["x", "a"],
            ["x", "b"],
          ],
        },
        to("rest"),
      ],
    ],
  }),
  httpScenario("tree: prefix map", "6.5, 3.3", {
    virtualHosts: [
      treeHost({
        matcher_tree: {
          input: headerInput(":path"),
          prefix_match_map: {
            map: {
              "/a": routeAction(route("short")),
              "/a/b": {
                matcher: {
                  matcher_tree: {
                    input: headerInput("x"),
                    exact_match_map: { map: { deep: routeAction(route("deep")) } },
                  },
                },
              },
            },
          },
        },
      }),
    ],
    cases: [
      [{ path: "/a/c" }, to("short")],
      [{ path: "/a/b", headers: [["x", "deep"]] }, to("deep")],
      [{ path: "/a/b" }, to("short")], // a nested miss goes on with the next shorter prefix
      [{ path: "/b" }, noRoute],
    ],
  }),
  httpScenario("tree: list of predicates", "6.5, 3.3", {
    virtualHosts: [
      treeHost({
        matcher_list: {
          matchers: [
            {
              predicate: {
                and_matcher: {
                  predicate: [
                    { single_predicate: { input: headerInput("x"), value_match: { exact: "1" } } },
                    {
                      not_matcher: {
                        single_predicate: { input: headerInput("y"), value_match: { prefix: "n" } },
                      },
                    },
                  ],
                },
              },
              on_match: routeAction(route("and")),
            },
            {
              predicate: { single_predicate: { input: headerInput("x"), value_match: { prefix: "1" } } },
              on_match: {
                matcher: {
                  matcher_tree: {
                    input: headerInput("z"),
                    exact_match_map: { map: { z: routeAction(route("nested")) } },
                  },
                },
              },
            },
            {
              predicate: {
                or_matcher: {
                  predicate: [
                    { single_predicate: { input: headerInput("x"), value_match: { suffix: "1" } } },
                    {
                      single_predicate: {
                        input: headerInput("x"),
                        value_match: { safe_regex: { google_re2: {}, regex: "o+" } },
                      },
                    },
                  ],
                },
              },
              on_match: routeAction(route("or")),
            },
          ],
        },
      }),
    ],
    cases: [
      [
        {
          headers: [
            ["x", "1"],
            ["y", "a"],
          ],
        },
        to("and"),
      ],
      [{ headers: [["x", "1"]] }, to("and")],
      [
        {
          headers: [
            ["x", "1"],
            ["y", "no"],
            ["z", "z"],
          ],
        },
        to("nested"),
      ],
      [
        {
          headers: [
            ["x", "1"],
            ["y", "no"],
          ],
        },
        to("or"),
      ],
      [{ headers: [["x", "ooo"]] }, to("or")],
      [{ headers: [["x", "2"]] }, noRoute],
    ],
  }),
  httpScenario("tree: list of routes", "6.5", {
    virtualHosts: [
      treeHost({
        matcher_tree: {
          input: headerInput("x"),
          exact_match_map: {
            map: { a: routeList([route("one", { prefix: "/1" }), route("two", { prefix: "/2" })]) },
          },
        },
        on_no_match: routeAction(route("rest")),
      }),
    ],
    cases: [
      [{ path: "/1", headers: [["x", "a"]] }, to("one")],
      [{ path: "/2", headers: [["x", "a"]] }, to("two")],
      [{ path: "/3", headers: [["x", "a"]] }, noRoute],
      [{ path: "/3" }, to("rest")],
    ],
  }),
];
