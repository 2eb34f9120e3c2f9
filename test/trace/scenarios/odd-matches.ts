/** Section 6 of the facts, with requests that are easily matched wrong. */
import { downstreamTls, extension, forward, route, typeUrl } from "../../support/judge/messages.js";
import { httpScenario, noRoute, to, type CasePair, type Scenario } from "../../support/judge/scenario.js";
import type { HeaderList } from "../../../src/trace/request.js";
import type { JsonObject } from "../../support/mesh/json.js";

type Row = readonly [headers: HeaderList, isMatch: boolean];
const absent: HeaderList = [];
const x = (...values: readonly string[]): HeaderList => values.map((value) => ["x", value] as const);
const exact = (value: string): JsonObject => ({ string_match: { exact: value } });

const headerScenario = (name: string, facts: string, matcher: JsonObject, rows: readonly Row[]): Scenario =>
  httpScenario(`odd header: ${name}`, facts, {
    routes: [route("match", { headers: [{ name: "X", ...matcher }] }), route("rest")],
    cases: rows.map(([headers, isMatch]): CasePair => [{ headers }, to(isMatch ? "match" : "rest")]),
  });

const template = (path_template: string): JsonObject => ({
  path_match_policy: extension(
    "envoy.path.match.uri_template.uri_template_matcher",
    "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
    { path_template },
  ),
});

const input = (type: string, config: JsonObject = {}): JsonObject => extension("input", type, config);
const routeAction = (one: JsonObject): JsonObject => ({
  action: { name: "route", typed_config: { "@type": typeUrl("envoy.config.route.v3.Route"), ...one } },
});
const treeHost = (matcher: JsonObject): JsonObject => ({ name: "tree", domains: ["*"], matcher });
export const oddMatchScenarios: readonly Scenario[] = [
  httpScenario("routes after the first that matches are not looked at", "6.1; 12 #27", {
    routes: [
      route("broken", { prefix: "/a" }, { route: { cluster: "nowhere" } }),
      route("good", { prefix: "/a" }),
      route("rest"),
    ],
    cases: [
      [{ path: "/a" }, { route: "broken", status: 503, flags: ["NC"] }],
      [{ path: "/b" }, to("rest")],
    ],
  }),
  httpScenario("prefixes with a query, a slash, or nothing", "6.2", {
    routes: [
      route("query", { prefix: "/q?x" }),
      route("slash", { prefix: "/s/" }),
      route("escaped", { prefix: "/e%20" }),
      route("empty", { prefix: "", headers: [{ name: "x", present_match: true }] }),
    ],
    cases: [
      [{ path: "/q?x" }, noRoute],
      [{ path: "/s" }, noRoute],
      [{ path: "/s/" }, to("slash")],
      [{ path: "/s/?" }, to("slash")],
      [{ path: "/s?/" }, noRoute],
      [{ path: "/e%20f" }, to("escaped")],
      [{ path: "/E%20" }, noRoute],
      [{ path: "/any", headers: [["x", "1"]] }, to("empty")],
    ],
  }),
  httpScenario("a path with a query, and one of a slash", "6.2", {
    routes: [route("query", { path: "/q?x" }), route("slash", { path: "/" })],
    cases: [
      [{ path: "/q?x" }, noRoute],
      [{ path: "/" }, to("slash")],
      [{ path: "/?q" }, to("slash")],
      [{ path: "//" }, noRoute],
    ],
  }),
  httpScenario("separated prefixes of odd paths", "6.2; 12 #29", {
    routes: [
      route("deep", { path_separated_prefix: "/a/b" }),
      route("flat", { path_separated_prefix: "/a" }),
    ],
    cases: [
      [{ path: "/a/b//c" }, to("deep")],
      [{ path: "/a/bc" }, to("flat")],
      [{ path: "/a" }, to("flat")],
      [{ path: "/a?/b" }, to("flat")],
      [{ path: "/a%2Fb" }, noRoute],
      [{ path: "/A/b" }, noRoute],
      [{ path: "/ab" }, noRoute],
    ],
  }),
  httpScenario("any case, with letters that are not ASCII", "6.2", {
    routes: [
      route("path", { path: "/Straße", case_sensitive: false }),
      route("prefix", { prefix: "/K/", case_sensitive: false }),
    ],
    cases: [
      [{ path: "/k/x" }, to("prefix")],
      [{ path: "/K/x" }, to("prefix")],
      [{ path: "/STRASSE" }, noRoute],
    ],
  }),
  httpScenario("path parameters are ignored, by every kind of path", "6.2; 12 #32", {
    routes: [
      route("separated", { path_separated_prefix: "/sep" }),
      route("prefix", { prefix: "/pre/x" }),
      route("template", template("/t/{a}")),
      route("semicolon", { path: "/s;p=1" }),
      route("header", { prefix: "/h", headers: [{ name: ":path", ...exact("/h;p") }] }),
      route("query", { prefix: "/q", query_parameters: [{ name: "a", ...exact("1;2") }] }),
    ],
    routeConfig: { ignore_path_parameters_in_path_matching: true },
    cases: [
      [{ path: "/sep;p/x" }, to("separated")],
      [{ path: "/sep/x;p" }, to("separated")],
      [{ path: "/pre;p/x" }, noRoute],
      [{ path: "/pre/x;p/y" }, to("prefix")],
      [{ path: "/t/a;b" }, to("template")],
      [{ path: "/s;p=1" }, noRoute],
      [{ path: "/h;p" }, to("header")],
      [{ path: "/q?a=1;2" }, to("query")],
      [{ path: "/q?b=;&a=1;2" }, to("query")],
    ],
  }),
  httpScenario("regular expressions of one line, and of any", "6.2, 6.6", {
    routes: [
      route("star", { safe_regex: { regex: "/star/.*" } }),
      route("alternatives", { safe_regex: { regex: "/x|/y/(a|b)+|" } }),
      route("anchored", { safe_regex: { regex: "^/anchored$" } }),
      route("lazy", { safe_regex: { regex: "/lazy/a+?" } }),
      route("class", { safe_regex: { regex: "/class/[^/]+" } }),
      route("hex", { safe_regex: { regex: "/u/[[:xdigit:]]+" } }),
      route("case", { safe_regex: { regex: "/case/(?i:abc)d" } }),
      route("counted", { safe_regex: { regex: "/n/\\d{2,3}" } }),
      route("word", { safe_regex: { regex: "/w/\\bfoo\\b" } }),
      route("escape", { safe_regex: { regex: "/e/\\x41\\.\\*" } }),
    ],
    cases: [
      [{ path: "/star/" }, to("star")],
      [{ path: "/star/a/b?c" }, to("star")],
      [{ path: "/star" }, noRoute],
      [{ path: "/x" }, to("alternatives")],
      [{ path: "/y/abba" }, to("alternatives")],
      [{ path: "/y/abc" }, noRoute],
      [{ path: "/xx" }, noRoute],
      [{ path: "/anchored" }, to("anchored")],
      [{ path: "/anchored/" }, noRoute],
      [{ path: "/lazy/aaa" }, to("lazy")],
      [{ path: "/class/a.b" }, to("class")],
      [{ path: "/class/a/b" }, noRoute],
      [{ path: "/u/abC9" }, to("hex")],
      [{ path: "/u/xyz" }, noRoute],
      [{ path: "/case/AbCd" }, to("case")],
      [{ path: "/case/AbCD" }, noRoute],
      [{ path: "/n/12" }, to("counted")],
      [{ path: "/n/1234" }, noRoute],
      [{ path: "/w/foo" }, to("word")],
      [{ path: "/e/A.*" }, to("escape")],
      [{ path: "/e/Aab" }, noRoute],
    ],
  }),
  httpScenario("templates: literals and variables", "6.2", {
    routes: [
      route("dots", template("/v1.0/{name}.json")),
      route("nested", template("/n/{x=a/*/b}/end")),
      route("two", template("/2/{a}/{b}")),
      route("deep", template("/d/{all=**}")),
      route("middle", template("/m/*/x/*")),
      route("case", { ...template("/Case/*"), case_sensitive: false }),
      route("root", template("/")),
    ],
    cases: [
      [{ path: "/v1.0/x.json" }, to("dots")],
      [{ path: "/v1x0/x.json" }, noRoute],
      [{ path: "/v1.0/x-json" }, noRoute],
      [{ path: "/v1.0/a.b.json" }, to("dots")],
      [{ path: "/n/a/1/b/end" }, to("nested")],
      [{ path: "/n/a/1/2/b/end" }, noRoute],
      [{ path: "/2/a/b" }, to("two")],
      [{ path: "/2/a/" }, noRoute],
      [{ path: "/2/a*/b" }, to("two")],
      [{ path: "/2/a/b\\" }, noRoute],
      [{ path: "/2/a/b%20c" }, to("two")],
      [{ path: "/d/" }, to("deep")],
      [{ path: "/d/a//b/" }, to("deep")],
      [{ path: "/d" }, noRoute],
      [{ path: "/m/a/x/b?c" }, to("middle")],
      [{ path: "/m/a/y/b" }, noRoute],
      [{ path: "/case/a" }, noRoute],
      [{ path: "/Case/a" }, to("case")],
      [{ path: "/" }, to("root")],
      [{ path: "/?x" }, to("root")],
    ],
  }),
  headerScenario(
    "regular expression, inverted",
    "6.3",
    { string_match: { safe_regex: { regex: "a+" } }, invert_match: true },
    [
      [x("b"), true],
      [x("aa"), false],
      [absent, false],
      [x(""), true],
      [x("a", "a"), true],
    ],
  ),
  headerScenario(
    "regular expression of two lines",
    "6.3",
    { string_match: { safe_regex: { regex: "a,b" } } },
    [
      [x("a", "b"), true],
      [x("b", "a"), false],
    ],
  ),
  headerScenario("regular expression of nothing", "6.3", { string_match: { safe_regex: { regex: "a*" } } }, [
    [x(""), true],
    [absent, false],
  ]),
  headerScenario(
    "prefix, inverted, of two lines",
    "6.3",
    { string_match: { prefix: "b" }, invert_match: true },
    [
      [x("a", "b"), true],
      [x("b", "a"), false],
    ],
  ),
  headerScenario("suffix of two lines", "6.3", { string_match: { suffix: "b" } }, [
    [x("a", "b"), true],
    [x("b", "a"), false],
  ]),
  headerScenario("contains a comma", "6.3", { string_match: { contains: "," } }, [
    [x("a", "b"), true],
    [x("a,b"), true],
    [x("a"), false],
  ]),
  headerScenario(
    "range, missing is empty",
    "6.3",
    { range_match: { start: 0, end: 5 }, treat_missing_header_as_empty: true, invert_match: true },
    [
      [absent, true],
      [x("3"), false],
      [x("5"), true],
    ],
  ),
  headerScenario("range, odd numbers", "6.3; 12 #39", { range_match: { start: 1, end: 100 } }, [
    [x("+5"), true],
    [x("007"), true],
    [x("5 "), true],
    [x("5", "6"), false],
    [x("5,6"), false],
    [x("0x10"), false],
    [x("1e1"), false],
    [x("99"), true],
    [x("100"), false],
    [x("9223372036854775808"), false],
  ]),
  headerScenario(
    "range of 64 bits",
    "6.3",
    { range_match: { start: "-9223372036854775808", end: "9223372036854775807" } },
    [
      [x("-9223372036854775808"), true],
      [x("9223372036854775806"), true],
      [x("9223372036854775807"), false],
      [x("-9223372036854775809"), false],
    ],
  ),
  headerScenario("range that is empty", "6.3", { range_match: {} }, [
    [x("0"), false],
    [absent, false],
  ]),
  headerScenario(
    "contains, inverted, missing is empty",
    "6.3; 12 #35",
    { string_match: { contains: "a" }, invert_match: true, treat_missing_header_as_empty: true },
    [
      [absent, true],
      [x("a"), false],
      [x("b"), true],
    ],
  ),
  headerScenario(
    "present, inverted, missing is empty",
    "6.3",
    { present_match: true, invert_match: true, treat_missing_header_as_empty: true },
    [
      [absent, false],
      [x("a"), false],
    ],
  ),
  headerScenario(
    "absent, inverted, missing is empty",
    "6.3",
    { present_match: false, invert_match: true, treat_missing_header_as_empty: true },
    [
      [absent, true],
      [x("a"), true],
    ],
  ),
  headerScenario("no condition, inverted", "6.3", { invert_match: true }, [
    [absent, true],
    [x("a"), false],
  ]),
  headerScenario("deprecated exact_match, inverted", "6.3", { exact_match: "a", invert_match: true }, [
    [absent, false],
    [x("a"), false],
    [x("b"), true],
  ]),
  headerScenario(
    "deprecated prefix_match, inverted, missing is empty",
    "6.3",
    { prefix_match: "a", invert_match: true, treat_missing_header_as_empty: true },
    [
      [absent, true],
      [x("a"), false],
    ],
  ),
  headerScenario("blanks inside", "6.3", exact("a  b"), [
    [x("a  b"), true],
    [x("a b"), false],
  ]),
  httpScenario("odd header: headers that Envoy joins", "6.3", {
    routes: [
      route("agent", { headers: [{ name: "user-agent", ...exact("a,b") }] }),
      route("cookie", { headers: [{ name: "cookie", ...exact("a=1; b=2") }] }),
      route("cookies", { headers: [{ name: "cookie", ...exact("a=1,b=2") }] }),
      route("xff", { headers: [{ name: "x-forwarded-for", ...exact("1.1.1.1,2.2.2.2") }] }),
      route("rest"),
    ],
    cases: [
      [
        {
          headers: [
            ["user-agent", "a"],
            ["user-agent", "b"],
          ],
        },
        to("agent"),
      ],
      [{ headers: [["cookie", "a=1; b=2"]] }, to("cookie")],
      [
        {
          headers: [
            ["cookie", "a=1"],
            ["cookie", "b=2"],
          ],
        },
        to("cookies"),
      ],
      [
        {
          protocol: "h2",
          headers: [
            ["cookie", "a=1"],
            ["cookie", "b=2"],
          ],
        },
        to("cookie"),
      ],
      [
        {
          headers: [
            ["x-forwarded-for", "1.1.1.1"],
            ["x-forwarded-for", "2.2.2.2"],
          ],
        },
        to("xff"),
      ],
      [{ headers: [["x-forwarded-for", "1.1.1.1, 2.2.2.2"]] }, to("rest")],
    ],
  }),
  httpScenario("odd header: what routes do not see", "4.5, 6.3", {
    routes: [
      ...["connection", "transfer-encoding", "proxy-connection", ":protocol", "x-request-id"].map((name) =>
        route(name, { headers: [{ name, present_match: true }] }),
      ),
      route("length", { headers: [{ name: "content-length", ...exact("0") }] }),
      route("rest"),
    ],
    cases: [
      [{ headers: [["connection", "keep-alive"]] }, to("rest")],
      [{ headers: [["proxy-connection", "keep-alive"]] }, to("rest")],
      [{ headers: [["content-length", "0"]] }, to("length")],
      [{ headers: [["x-request-id", "1"]] }, to("x-request-id")],
    ],
  }),
  httpScenario("odd header: :path after a rewrite of the target", "6.3; 12 #33", {
    routes: [
      route("path", { headers: [{ name: ":path", ...exact("/b?c=../d") }] }),
      route("authority", {
        headers: [{ name: "Host", string_match: { suffix: ".COM", ignore_case: true } }],
      }),
      route("rest"),
    ],
    manager: { normalize_path: true, strip_any_host_port: true },
    cases: [
      [{ path: "/a/../b?c=../d" }, to("path")],
      [{ authority: "a.com:80" }, to("authority")],
      [{ authority: "a.org" }, to("rest")],
    ],
  }),
  httpScenario("odd query: splitting", "6.4; 12 #40, #41", {
    routes: [
      route("empty name", {
        query_parameters: [
          { name: "e", ...exact("") },
          { name: "z", ...exact("=") },
        ],
      }),
      route("equals", { query_parameters: [{ name: "x", ...exact("=y") }] }),
      route("second", { query_parameters: [{ name: "s", ...exact("?a") }] }),
      route("encoded name", { query_parameters: [{ name: "a b" }] }),
      route("as it is", { query_parameters: [{ name: "a%20b" }] }),
      route("plus", { query_parameters: [{ name: "p", ...exact("a+b") }] }),
      route("semicolon", { query_parameters: [{ name: "t", ...exact("1;u=2") }] }),
      route("rest"),
    ],
    cases: [
      [{ path: "/?e&z==" }, to("empty name")],
      [{ path: "/?e=&&z==&" }, to("empty name")],
      [{ path: "/?x==y" }, to("equals")],
      [{ path: "/?s=?a" }, to("second")],
      [{ path: "/??s=?a" }, to("rest")],
      [{ path: "/?a%20b=1" }, to("as it is")],
      [{ path: "/?a+b=1" }, to("rest")],
      [{ path: "/?p=a+b" }, to("plus")],
      [{ path: "/?t=1;u=2" }, to("semicolon")],
      [{ path: "/?=x" }, to("rest")],
      [{ path: "/?&" }, to("rest")],
    ],
  }),
  httpScenario("odd query: presence of the first of several", "6.4", {
    routes: [
      route("absent", { query_parameters: [{ name: "x", present_match: false }] }),
      route("any case", {
        query_parameters: [{ name: "x", string_match: { prefix: "AB", ignore_case: true } }],
      }),
      route("rest"),
    ],
    cases: [
      [{ path: "/?X=1" }, to("absent")],
      [{ path: "/?x=abc&x=1" }, to("any case")],
      [{ path: "/?x=1&x=abc" }, to("rest")],
      [{ path: "/?x" }, to("rest")],
    ],
  }),
  httpScenario("odd grpc: content types", "6.4; 12 #42", {
    routes: [route("grpc", { grpc: {} }), route("rest")],
    cases: [
      [{ headers: [["content-type", "application/grpc+"]] }, to("grpc")],
      [{ headers: [["content-type", "application/grpcx"]] }, to("rest")],
      [{ headers: [["content-type", "application/grpc "]] }, to("grpc")],
      [
        {
          headers: [
            ["content-type", "application/grpc"],
            ["content-type", "x"],
          ],
        },
        to("rest"),
      ],
      [{ headers: [["content-type", "text/plain"]] }, to("rest")],
      [{ protocol: "h2", headers: [["content-type", "application/grpc+json"]] }, to("grpc")],
    ],
  }),
  httpScenario("tls_context that wants no certificate", "6.4", {
    routes: [
      route("unvalidated", { tls_context: { presented: true, validated: false } }),
      route("none", { tls_context: { presented: false, validated: false } }),
      route("empty", { tls_context: {} }),
    ],
    chain: downstreamTls({ require: false }),
    cases: [
      [{ tls: { certificate: "client" } }, to("empty")],
      [{ tls: {} }, to("none")],
    ],
  }),
  httpScenario("fractions with a key of odd values", "6.4", {
    routes: [
      ...["true", "false", "half", "negative", "text number", "thousand", "empty", "zero struct"].map(
        (name) =>
          route(name, {
            prefix: `/${name.replace(" ", "-")}`,
            runtime_fraction: {
              default_value: {
                numerator: name === "true" || name === "half" ? 0 : 100,
                denominator: "HUNDRED",
              },
              runtime_key: `judge.odd.${name.replace(" ", "-")}`,
            },
          }),
      ),
      route("rest"),
    ],
    runtime: {
      "judge.odd.half": 0.5,
      "judge.odd.negative": -1,
      "judge.odd.text-number": "0",
      "judge.odd.thousand": { numerator: 1000, denominator: "TEN_THOUSAND" },
      "judge.odd.empty": "",
      "judge.odd.zero-struct": { numerator: 0 },
    },
    cases: [
      [{ path: "/true" }, to("rest"), 3],
      [{ path: "/half" }, to("rest"), 3],
      [{ path: "/negative" }, to("negative"), 3],
      [{ path: "/text-number" }, to("rest"), 3],
      [{ path: "/thousand" }, { shares: { of: "route", are: { thousand: 0.1, rest: 0.9 } } }, 200],
      [{ path: "/empty" }, to("empty"), 3],
      [{ path: "/zero-struct" }, to("rest"), 3],
    ],
  }),
  httpScenario("fractions: two of one number", "6.4", {
    routes: [
      route("30", { runtime_fraction: { default_value: { numerator: 30, denominator: "HUNDRED" } } }),
      route("20", { runtime_fraction: { default_value: { numerator: 20, denominator: "HUNDRED" } } }),
      route("60", { runtime_fraction: { default_value: { numerator: 6000, denominator: "TEN_THOUSAND" } } }),
      route("rest"),
    ],
    cases: [[{}, { shares: { of: "route", are: { "30": 0.3, "20": 0, "60": 0.42, rest: 0.28 } } }, 300]],
  }),
  httpScenario("odd CONNECT: what takes it", "6.1, 6.2", {
    routes: [
      forward(
        "host",
        { connect_matcher: {}, headers: [{ name: ":authority", ...exact("a.com:1") }] },
        { upgrade_configs: [{ upgrade_type: "CONNECT" }] },
      ),
      forward("regex", { safe_regex: { regex: ".*" } }, { upgrade_configs: [{ upgrade_type: "CONNECT" }] }),
      forward("connect", { connect_matcher: {} }, { upgrade_configs: [{ upgrade_type: "CONNECT" }] }),
    ],
    cases: [
      [
        { method: "CONNECT", path: "a.com:1" },
        { route: "host", status: 200 },
      ],
      [
        { method: "CONNECT", path: "a.com:2" },
        { route: "connect", status: 200 },
      ],
      [{ path: "/x" }, to("regex")],
    ],
  }),
  httpScenario("tree: a nested miss in a list goes on", "6.5, 3.3", {
    virtualHosts: [
      treeHost({
        matcher_list: {
          matchers: [
            {
              predicate: {
                single_predicate: {
                  input: input("envoy.type.matcher.v3.HttpRequestHeaderMatchInput", { header_name: "x" }),
                  value_match: { contains: "a" },
                },
              },
              on_match: {
                matcher: {
                  matcher_tree: {
                    input: input("envoy.type.matcher.v3.HttpRequestHeaderMatchInput", { header_name: "y" }),
                    exact_match_map: { map: { "1": routeAction(route("nested")) } },
                  },
                  on_no_match: routeAction(route("nested rest", { prefix: "/n" })),
                },
              },
            },
          ],
        },
        on_no_match: routeAction(route("rest")),
      }),
    ],
    cases: [
      [
        {
          headers: [
            ["x", "a"],
            ["y", "1"],
          ],
        },
        to("nested"),
      ],
      [{ path: "/n", headers: [["x", "a"]] }, to("nested rest")],
      [{ path: "/m", headers: [["x", "a"]] }, noRoute],
      [{ headers: [["x", "b"]] }, to("rest")],
    ],
  }),
];
