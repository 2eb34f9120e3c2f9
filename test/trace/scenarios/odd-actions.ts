/** Section 7 of the facts, with requests and settings whose outcome is easily told wrong. */
import { cluster, extension, forward, route, virtualHost } from "../../support/judge/messages.js";
import {
  answered,
  httpScenario,
  to,
  type CasePair,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { JsonObject } from "../../support/mesh/json.js";

const server = [{ address: "127.77.1.1" }];
const xfp = (value: string) => [["x-forwarded-proto", value]] as const;
const notFound = answered(503, "cluster_not_found", { flags: ["NC"] });
const regex = (pattern: string, substitution: string): JsonObject => ({
  pattern: { regex: pattern },
  substitution,
});
const add = (key: string, value: string, more: JsonObject = {}): JsonObject => ({
  header: { key, value },
  ...more,
});
const overwrite = { append_action: "OVERWRITE_IF_EXISTS_OR_ADD" };

const redirect = (
  name: string,
  match: JsonObject,
  action: JsonObject,
  cases: readonly CasePair[],
): Scenario =>
  httpScenario(`odd redirect: ${name}`, "7.3", {
    routes: [route("redirect", match, { redirect: action })],
    cases,
  });
const goes = (location: string, status = 301): Expected => ({
  route: "redirect",
  status,
  location,
  isReceived: false,
});

const rewrite = (
  name: string,
  match: JsonObject,
  action: JsonObject,
  rows: readonly (readonly [string, string])[],
): Scenario =>
  httpScenario(`odd rewrite: ${name}`, "7.2", {
    routes: [forward("rewrite", match, action)],
    cases: rows.map(([path, rewritten]): CasePair => [{ path }, to("rewrite", { path: rewritten })]),
  });

const template = (path_template: string): JsonObject => ({
  path_match_policy: extension("m", "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig", {
    path_template,
  }),
});
const templateRewrite = (path_template_rewrite: string): JsonObject => ({
  path_rewrite_policy: extension(
    "w",
    "envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig",
    { path_template_rewrite },
  ),
});

const toCluster = (name: string): JsonObject => ({
  action: extension("action", "envoy.extensions.router.cluster_specifiers.matcher.v3.ClusterAction", {
    cluster: name,
  }),
});

export const oddActionScenarios: readonly Scenario[] = [
  httpScenario("cluster_header: of what was there when the route was computed", "7.1, 4.2", {
    routes: [
      forward(
        "r",
        {},
        { cluster_header: "X-To" },
        { request_headers_to_add: [add("x-to", "nowhere", overwrite)] },
      ),
    ],
    cases: [
      [{ headers: [["x-to", "echo"]] }, to("r", { cluster: "echo", headers: { "x-to": "nowhere" } })],
      [{ headers: [["x-to", " echo "]] }, to("r", { cluster: "echo" })],
      [{ headers: [["x-to", "Echo"]] }, notFound],
      [{ headers: [["x-to", "echo,other"]] }, notFound],
      [
        {
          headers: [
            ["x-to", ""],
            ["x-to", "echo"],
          ],
        },
        notFound,
      ],
    ],
  }),
  httpScenario("cluster_header: with a code of its own", "7.1", {
    routes: [forward("r", {}, { cluster_header: ":path", cluster_not_found_response_code: "NOT_FOUND" })],
    cases: [[{ path: "/x" }, answered(404, "cluster_not_found", { flags: ["NC"] })]],
  }),
  httpScenario("weights: numbers in a header, in odd forms", "7.1; 12 #44", {
    routes: [
      forward(
        "w",
        {},
        {
          weighted_clusters: {
            clusters: [
              { name: "odd number w1", weight: 1 },
              { name: "odd number w2", weight: 2 },
            ],
            header_name: "X-Random",
          },
        },
      ),
    ],
    clusters: [cluster("odd number w1", server), cluster("odd number w2", server)],
    cases: [
      [{ headers: [["x-random", "+3"]] }, to("w", { cluster: "odd number w1" }), 4],
      [{ headers: [["x-random", "0003"]] }, to("w", { cluster: "odd number w1" }), 4],
      [{ headers: [["x-random", " 4 "]] }, to("w", { cluster: "odd number w2" }), 4],
      [
        { headers: [["x-random", "18446744073709551616"]] },
        to("w", { shares: { of: "cluster", are: { "odd number w1": 1 / 3, "odd number w2": 2 / 3 } } }),
        60,
      ],
      [
        { headers: [["x-random", ""]] },
        to("w", { shares: { of: "cluster", are: { "odd number w1": 1 / 3, "odd number w2": 2 / 3 } } }),
        60,
      ],
      [
        { headers: [["x-random", "3,3"]] },
        to("w", { shares: { of: "cluster", are: { "odd number w1": 1 / 3, "odd number w2": 2 / 3 } } }),
        60,
      ],
    ],
  }),
  httpScenario("weights: one is chosen that does not exist", "7.1", {
    routes: [
      forward(
        "w",
        {},
        {
          weighted_clusters: {
            clusters: [
              { name: "nowhere", weight: 1 },
              { name: "echo", weight: 1 },
            ],
            header_name: "x-random",
          },
          cluster_not_found_response_code: "INTERNAL_SERVER_ERROR",
        },
      ),
      route("rest"),
    ],
    cases: [
      [{ headers: [["x-random", "0"]] }, answered(500, "cluster_not_found", { route: "w", flags: ["NC"] })],
      [{ headers: [["x-random", "1"]] }, to("w", { cluster: "echo" })],
    ],
  }),
  httpScenario("weights: the same cluster twice", "7.1", {
    routes: [
      forward(
        "w",
        {},
        {
          weighted_clusters: {
            clusters: [
              { name: "echo", weight: 1, request_headers_to_add: [add("x-entry", "first")] },
              { name: "echo", weight: 3, request_headers_to_add: [add("x-entry", "second")] },
            ],
            header_name: "x-random",
          },
        },
      ),
    ],
    cases: [
      [{ headers: [["x-random", "0"]] }, to("w", { headers: { "x-entry": "first" } })],
      [{ headers: [["x-random", "3"]] }, to("w", { headers: { "x-entry": "second" } })],
      [{ headers: [["x-random", "4"]] }, to("w", { headers: { "x-entry": "first" } })],
    ],
  }),
  httpScenario("weights: the total is what it sums to", "7.1", {
    routes: [
      forward(
        "w",
        {},
        {
          weighted_clusters: {
            clusters: [
              { name: "odd total a", weight: 2 },
              { name: "odd total b", weight: 3 },
            ],
            total_weight: 1000,
            header_name: "x-random",
          },
        },
      ),
    ],
    clusters: [cluster("odd total a", server), cluster("odd total b", server)],
    cases: [
      [{ headers: [["x-random", "1"]] }, to("w", { cluster: "odd total a" })],
      [{ headers: [["x-random", "4"]] }, to("w", { cluster: "odd total b" })],
      [{ headers: [["x-random", "5"]] }, to("w", { cluster: "odd total a" })],
    ],
  }),
  httpScenario("weights: of the runtime, one of them", "7.1", {
    routes: [
      forward(
        "w",
        {},
        {
          weighted_clusters: {
            clusters: [
              { name: "odd runtime a", weight: 1 },
              { name: "odd runtime b", weight: 1 },
            ],
            runtime_key_prefix: "judge.odd.weights",
            header_name: "x-random",
          },
        },
      ),
    ],
    clusters: [cluster("odd runtime a", server), cluster("odd runtime b", server)],
    runtime: { "judge.odd.weights.odd runtime a": 5 },
    cases: [
      [{ headers: [["x-random", "4"]] }, to("w", { cluster: "odd runtime a" })],
      [{ headers: [["x-random", "5"]] }, to("w", { cluster: "odd runtime b" })],
      [{ headers: [["x-random", "6"]] }, to("w", { cluster: "odd runtime a" })],
    ],
  }),
  httpScenario("weights: an entry named by a header that is not there", "7.1", {
    routes: [
      forward(
        "w",
        {},
        {
          weighted_clusters: {
            clusters: [
              { cluster_header: "x-to", weight: 1 },
              { name: "echo", weight: 1 },
            ],
            header_name: "x-random",
          },
        },
      ),
    ],
    cases: [
      [{ headers: [["x-random", "0"]] }, notFound],
      [
        {
          headers: [
            ["x-random", "0"],
            ["x-to", "echo"],
            ["x-to", "nowhere"],
          ],
        },
        to("w", { cluster: "echo" }),
      ],
      [{ headers: [["x-random", "1"]] }, to("w", { cluster: "echo" })],
    ],
  }),
  httpScenario("plugin: named in the route configuration", "7.1", {
    routes: [forward("plugin", {}, { cluster_specifier_plugin: "named" })],
    routeConfig: {
      cluster_specifier_plugins: [
        {
          extension: extension(
            "named",
            "envoy.extensions.router.cluster_specifiers.matcher.v3.MatcherClusterSpecifier",
            {
              cluster_matcher: {
                matcher_list: {
                  matchers: [
                    {
                      predicate: {
                        single_predicate: {
                          input: extension("x", "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", {
                            header_name: "x",
                          }),
                          value_match: { prefix: "a" },
                        },
                      },
                      on_match: toCluster("echo"),
                    },
                  ],
                },
              },
            },
          ),
        },
      ],
    },
    cases: [
      [{ headers: [["x", "ab"]] }, to("plugin", { cluster: "echo" })],
      [{}, notFound],
    ],
  }),
  rewrite("a prefix that is empty", { prefix: "" }, { prefix_rewrite: "/x" }, [
    ["/foo", "/x/foo"],
    ["/?q", "/x/?q"],
  ]),
  rewrite("a prefix longer than what replaces it", { prefix: "/a/b/c" }, { prefix_rewrite: "/" }, [
    ["/a/b/c", "/"],
    ["/a/b/cd", "/d"],
    ["/a/b/c/d", "//d"],
    ["/a/b/c?d", "/?d"],
  ]),
  rewrite("of a path that has parameters", { path: "/p" }, { prefix_rewrite: "/n?x=1" }, [
    ["/p", "/n?x=1"],
    ["/p?y=2", "/n?x=1?y=2"],
  ]),
  rewrite("a prefix with normalisation before it", { prefix: "/a/" }, { prefix_rewrite: "/b/" }, [
    ["/a/../a/x", "/b/../a/x"],
    ["/a/%20?%20", "/b/%20?%20"],
  ]),
  rewrite(
    "groups that are not there",
    { prefix: "/" },
    { regex_rewrite: regex("/(?:(a)|(b))", "/[\\1\\2]") },
    [["/a/b/c", "/[a]/[b]/c"]],
  ),
  rewrite("empty matches", { prefix: "/" }, { regex_rewrite: regex("x*$", "/y") }, [
    ["/a", "/a/y"],
    ["/ax", "/a/y"],
  ]),
  rewrite(
    "by regular expression, without a leading slash in it",
    { prefix: "/" },
    { regex_rewrite: regex("^/api/v[0-9]+(/.*)$", "\\1") },
    [
      ["/api/v1/x?y", "/x?y"],
      ["/api/v12/", "/"],
      ["/api/vx/a", "/api/vx/a"],
      ["/api/v1", "/api/v1"],
    ],
  ),
  rewrite(
    "by regular expression of letters in any case",
    { prefix: "/" },
    { regex_rewrite: regex("(?i)FOO", "bar") },
    [["/foo/Foo?foo", "/bar/bar?foo"]],
  ),
  rewrite("a template with a literal", { ...template("/v1/{a}/{b=**}") }, templateRewrite("/v2/{b}/x/{a}"), [
    ["/v1/1/2/3", "/v2/2/3/x/1"],
    ["/v1/1/?q=1", "/v2//x/1?q=1"],
  ]),
  httpScenario("odd rewrite: the host", "7.2", {
    routes: [
      forward("path", { prefix: "/p" }, { host_rewrite_path_regex: regex("^/p/(.+)\\?.*$", "\\1") }),
      forward("global", { prefix: "/g" }, { host_rewrite_path_regex: regex("/", ".") }),
      forward("header", { prefix: "/h" }, { host_rewrite_header: "X-Host", append_x_forwarded_host: true }),
      forward("own", { prefix: "/o" }, { host_rewrite_header: "host" }),
      forward("same", { prefix: "/s" }, { host_rewrite_literal: "old", append_x_forwarded_host: true }),
    ],
    cases: [
      [{ path: "/p/a?b", authority: "old" }, to("path", { authority: "/p/a" })],
      [{ path: "/g/a/b", authority: "old" }, to("global", { authority: ".g.a.b" })],
      [
        {
          path: "/h",
          authority: "old",
          headers: [
            ["x-host", "new"],
            ["x-forwarded-host", "older"],
          ],
        },
        to("header", {
          authority: "new",
          headers: { "x-forwarded-host": "older,old", "x-envoy-original-host": "old" },
        }),
      ],
      [
        {
          path: "/h",
          authority: "old",
          headers: [
            ["x-host", "new"],
            ["x-forwarded-host", "old"],
          ],
        },
        to("header", { authority: "new", headers: { "x-forwarded-host": "old" } }),
      ],
      [
        { path: "/h", authority: "old" },
        to("header", { authority: "old", headers: { "x-forwarded-host": null } }),
      ],
      [{ path: "/o", authority: "old" }, to("own", { authority: "old" })],
      [{ path: "/s", authority: "old" }, to("same", { authority: "old" })],
    ],
  }),
  httpScenario("odd rewrite: host headers that the route itself adds", "7.2", {
    routes: [
      forward(
        "r",
        {},
        { host_rewrite_header: "x-host" },
        { request_headers_to_add: [add("x-host", "added", overwrite)] },
      ),
    ],
    cases: [[{ authority: "old", headers: [["x-host", "sent"]] }, to("r", { authority: "added" })]],
  }),
  httpScenario("odd rewrite: endpoints with and without a name", "7.2", {
    routes: [
      forward(
        "named",
        { prefix: "/n" },
        { cluster: "odd hostname", auto_host_rewrite: true, append_x_forwarded_host: true },
      ),
      forward("unnamed", {}, { cluster: "odd no hostname", auto_host_rewrite: true }),
    ],
    clusters: [
      cluster("odd hostname", [{ address: "127.77.1.1", hostname: "Named.Host" }]),
      cluster("odd no hostname", server),
    ],
    cases: [
      [
        { path: "/n", authority: "old" },
        to("named", { authority: "Named.Host", headers: { "x-forwarded-host": "old" } }),
      ],
      [{ authority: "old" }, to("unnamed", { authority: "old" })],
    ],
  }),
  httpScenario("odd headers: values with formats", "7.2", {
    routes: [
      route(
        "r",
        { prefix: "/" },
        {
          request_headers_to_add: [
            add("x-host", "%REQ(:authority)%"),
            add("x-else", "%REQ(x-none?:method)%"),
            add("x-cut", "%REQ(x-long):3%"),
            add("x-protocol", "%PROTOCOL%"),
            add("x-none-at-all", "%REQ(x-none)%"),
            add("x-percent", "100%%"),
            add("x-route", "%ROUTE_NAME%"),
            add("x-scheme", "%REQ(:SCHEME)%"),
          ],
        },
      ),
    ],
    cases: [
      [
        { authority: "A.com", headers: [["x-long", "abcdef"]] },
        to("r", {
          headers: {
            "x-host": "A.com",
            "x-else": "GET",
            "x-cut": "abc",
            "x-protocol": "HTTP/1.1",
            "x-percent": "100%",
            "x-route": "r",
            "x-scheme": "http",
          },
        }),
      ],
    ],
  }),
  httpScenario("odd headers: removed and added at several levels", "7.2; 12 #50", {
    virtualHosts: [
      virtualHost(
        "all",
        ["*"],
        [
          route(
            "r",
            {},
            {
              request_headers_to_add: [
                add("a", "route"),
                add("b", "route", { append_action: "ADD_IF_ABSENT" }),
              ],
            },
          ),
        ],
        {
          request_headers_to_remove: ["a"],
          request_headers_to_add: [add("c", "%REQ(a)%")],
        },
      ),
    ],
    routeConfig: {
      request_headers_to_add: [
        add("b", "table", { append_action: "ADD_IF_ABSENT" }),
        add("a", "table", { append_action: "OVERWRITE_IF_EXISTS" }),
      ],
    },
    cases: [[{ headers: [["a", "client"]] }, to("r", { headers: { a: null, b: "route" } })]],
  }),
  httpScenario("odd headers: what responses get", "7.2", {
    virtualHosts: [
      virtualHost(
        "all",
        ["*"],
        [
          route(
            "r",
            { prefix: "/r" },
            {
              response_headers_to_add: [add("z", "route")],
              response_headers_to_remove: ["content-type", "server"],
            },
          ),
          route(
            "d",
            {},
            { direct_response: { status: 204 }, response_headers_to_add: [add("z", "direct", overwrite)] },
          ),
        ],
        { response_headers_to_add: [add("z", "host")] },
      ),
    ],
    cases: [
      [{ path: "/r" }, to("r", { responseHeaders: { z: ["route", "host"] } })],
      [{ path: "/d" }, { route: "d", status: 204, responseHeaders: { z: ["direct", "host"] } }],
    ],
  }),
  redirect("host with IPv6 and ports", {}, { port_redirect: 8443, https_redirect: true }, [
    [{ authority: "[::1]" }, goes("https://[::1]:8443/")],
    [{ authority: "[::1]:80" }, goes("https://[::1]:8443/")],
    [{ authority: "a.com:80" }, goes("https://a.com:8443/")],
    [{ authority: "a.com:" }, goes("https://a.com:8443/")],
    [{ authority: "A.com" }, goes("https://A.com:8443/")],
  ]),
  redirect("to https from odd ports", {}, { https_redirect: true }, [
    [{ authority: "[::1]:80" }, goes("https://[::1]/")],
    [{ authority: "[::1]:8080" }, goes("https://[::1]:8080/")],
    [{ authority: "a.com:080" }, goes("https://a.com:080/")],
    [{ authority: "a.com:443" }, goes("https://a.com:443/")],
    [{ authority: "a.com:80", headers: xfp("https") }, goes("https://a.com:80/")],
    [{ authority: "a.com:80", headers: xfp("HTTP") }, goes("https://a.com/")],
    [{ authority: "a.com:443", headers: xfp("HTTPS") }, goes("https://a.com/")],
    [{ authority: "" }, goes("https:///")],
  ]),
  redirect("to http from https", {}, { scheme_redirect: "http", host_redirect: "" }, [
    [{ authority: "a.com:443", headers: xfp("https") }, goes("http://a.com/")],
    [{ authority: "a.com:443" }, goes("http://a.com:443/")],
  ]),
  redirect("to another scheme", {}, { scheme_redirect: "FTP" }, [
    [{ authority: "a.com:80", path: "/x" }, goes("FTP://a.com/x")],
  ]),
  redirect("host and port", {}, { host_redirect: "b.com:99", port_redirect: 7 }, [
    [{ path: "/" }, goes("http://b.com:99:7/")],
  ]),
  redirect("path with a fragment", {}, { path_redirect: "/n#f" }, [
    [{ authority: "a", path: "/?q" }, goes("http://a/n#f?q")],
  ]),
  redirect("path with a query of nothing", {}, { path_redirect: "/n?" }, [
    [{ authority: "a", path: "/p?q=1" }, goes("http://a/n?")],
  ]),
  redirect("path, without its query", {}, { path_redirect: "/n", strip_query: true }, [
    [{ authority: "a", path: "/p?q=1?r" }, goes("http://a/n")],
  ]),
  redirect("prefix_rewrite to a query", { prefix: "/foo" }, { prefix_rewrite: "/bar?x=1&y=" }, [
    [{ authority: "a", path: "/foo/z?q" }, goes("http://a/bar?x=1&y=/z?q")],
  ]),
  redirect(
    "prefix_rewrite to a query, stripped",
    { prefix: "/foo" },
    { prefix_rewrite: "/bar?x=", strip_query: true },
    [[{ authority: "a", path: "/foo/z?q" }, goes("http://a/bar")]],
  ),
  redirect("prefix_rewrite without a slash", { prefix: "/foo" }, { prefix_rewrite: "bar" }, [
    [{ authority: "a", path: "/foo/z" }, goes("http://a/bar/z")],
  ]),
  redirect(
    "prefix_rewrite in any case",
    { prefix: "/FOO", case_sensitive: false },
    { prefix_rewrite: "/bar" },
    [[{ authority: "a", path: "/fOo/z" }, goes("http://a/bar/z")]],
  ),
  redirect(
    "regex_rewrite that does not match",
    {},
    { regex_rewrite: regex("^/old/(.*)$", "/new/\\1"), host_redirect: "b" },
    [
      [{ path: "/old/x?y" }, goes("http://b/new/x?y")],
      [{ path: "/other?y" }, goes("http://b/other?y")],
    ],
  ),
  redirect(
    "regex_rewrite and the query that is stripped",
    {},
    { regex_rewrite: regex("/a", "/b"), strip_query: true },
    [[{ authority: "x", path: "/a/a?a=/a" }, goes("http://x/b/b")]],
  ),
  redirect("with path parameters", { path: "/p" }, { prefix_rewrite: "/n" }, [
    [{ authority: "a", path: "/p?x" }, goes("http://a/n?x")],
  ]),
  redirect("of a request with escapes", {}, { host_redirect: "b" }, [
    [{ path: "/a%20b%2F?c=%26" }, goes("http://b/a%20b%2F?c=%26")],
    [{ path: "//x" }, goes("http://b//x")],
  ]),
  httpScenario("odd redirect: HTTP/2 with a scheme of its own", "7.3", {
    routes: [route("redirect", {}, { redirect: { host_redirect: "b" } })],
    cases: [
      [{ protocol: "h2", scheme: "https", path: "/x" }, goes("https://b/x")],
      [{ protocol: "h2", scheme: "http", path: "/x", headers: xfp("https") }, goes("http://b/x")],
    ],
  }),
  httpScenario("odd redirect: from the edge, where headers do not count", "7.3, 4.5", {
    routes: [route("redirect", {}, { redirect: { https_redirect: true } })],
    manager: { use_remote_address: true },
    cases: [[{ authority: "a:80", headers: xfp("https") }, goes("https://a/")]],
  }),
  httpScenario("odd direct responses", "7.4", {
    routes: [
      route(
        "bytes",
        { prefix: "/bytes" },
        { direct_response: { status: 200, body: { inline_bytes: "eWVzIQ==" } } },
      ),
      route("empty", { prefix: "/empty" }, { direct_response: { status: 200, body: { inline_string: "" } } }),
      route("303", { prefix: "/303" }, { direct_response: { status: 303, body: { inline_string: "see" } } }),
      route("404", { prefix: "/404" }, { direct_response: { status: 404, body: { inline_string: "gone" } } }),
      route("599", { prefix: "/599" }, { direct_response: { status: 599 } }),
    ],
    cases: [
      [
        { path: "/bytes" },
        { status: 200, responseHeaders: { "content-length": "4", "content-type": "text/plain" } },
      ],
      [{ path: "/empty" }, { status: 200, responseHeaders: { "content-type": null } }],
      [
        { path: "/303?x", authority: "a" },
        { status: 303, location: "http://a/303?x" },
      ],
      [{ path: "/404" }, { status: 404, flags: [], details: "direct_response" }],
      [{ path: "/599" }, { status: 599 }],
      [{ method: "HEAD", path: "/404" }, { status: 404 }],
    ],
  }),
  httpScenario("other fields of a route change nothing", "7.5", {
    routes: [
      forward(
        "r",
        {},
        {
          timeout: "0s",
          idle_timeout: "1s",
          max_stream_duration: { max_stream_duration: "5s" },
          retry_policy: { retry_on: "5xx", num_retries: 2, per_try_timeout: "1s" },
          request_mirror_policies: [{ cluster: "nowhere" }, { cluster_header: "x-mirror" }],
          hash_policy: [{ header: { header_name: "x" } }],
          priority: "HIGH",
        },
        { decorator: { operation: "o" }, tracing: { random_sampling: { numerator: 100 } } },
      ),
    ],
    cases: [
      [{}, to("r", { cluster: "echo" })],
      [
        {
          headers: [
            ["x-mirror", "no such cluster"],
            ["x-envoy-upstream-rq-timeout-ms", "100"],
          ],
        },
        to("r"),
      ],
    ],
  }),
  httpScenario("timeouts that run out, retries that end", "7.5", {
    routes: [
      forward(
        "refused",
        { prefix: "/refused" },
        { cluster: "odd refusing", retry_policy: { retry_on: "connect-failure", num_retries: 1 } },
      ),
      route("rest"),
    ],
    clusters: [cluster("odd refusing", [{ address: "127.77.1.1", port: 1 }])],
    cases: [
      [{ path: "/refused" }, { route: "refused", status: 503, upstreamHost: "127.77.1.1:1" }],
      [{ path: "/x" }, to("rest")],
    ],
  }),
  httpScenario("maintenance, in part and not at all", "7.1", {
    routes: [
      forward("off", { prefix: "/off" }, { cluster: "odd maintenance off" }),
      forward("grpc", { prefix: "/grpc" }, { cluster: "odd maintenance on" }),
    ],
    clusters: [cluster("odd maintenance off", server), cluster("odd maintenance on", server)],
    runtime: {
      "upstream.maintenance_mode.odd maintenance off": 0,
      "upstream.maintenance_mode.odd maintenance on": 100,
    },
    cases: [
      [{ path: "/off" }, to("off")],
      [
        { path: "/grpc", headers: [["content-type", "application/grpc"]] },
        { status: 200, flags: ["UO"], isReceived: false },
      ],
    ],
  }),
  httpScenario("filters: of a level above that is overridden by nothing", "4.6", {
    virtualHosts: [
      virtualHost(
        "all",
        ["*"],
        [
          route(
            "own",
            { prefix: "/own" },
            {
              typed_per_filter_config: {
                fault: { "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault" },
              },
            },
          ),
          route("host"),
        ],
        {
          typed_per_filter_config: {
            fault: {
              "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
              abort: { http_status: 418, percentage: { numerator: 100 } },
            },
          },
        },
      ),
    ],
    filters: [extension("fault", "envoy.extensions.filters.http.fault.v3.HTTPFault")],
    cases: [
      [{ path: "/own" }, to("own")],
      [{ path: "/x" }, answered(418, "fault_filter_abort", { route: "host", flags: ["FI"] })],
    ],
  }),
];
