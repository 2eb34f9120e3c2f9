/** Sections 7.1 to 7.4 of the facts: choice of the cluster, rewriting, redirects, direct responses. */
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

const host = [{ address: "127.77.1.1" }];
const xfp = (value: string) => [["x-forwarded-proto", value]] as const;

/** A route that redirects, and where requests go. */
const redirect = (
  name: string,
  facts: string,
  match: JsonObject,
  action: JsonObject,
  cases: readonly CasePair[],
): Scenario =>
  httpScenario(`redirect: ${name}`, facts, {
    routes: [route("redirect", match, { redirect: action })],
    cases,
  });
const goes = (location: string, status = 301): Expected => ({
  route: "redirect",
  status,
  location,
  isReceived: false,
});

const regex = (pattern: string, substitution: string): JsonObject => ({
  pattern: { regex: pattern },
  substitution,
});

const rewrite = (
  name: string,
  facts: string,
  match: JsonObject,
  action: JsonObject,
  rows: readonly (readonly [string, string])[],
): Scenario =>
  httpScenario(`rewrite: ${name}`, facts, {
    routes: [forward("rewrite", match, action)],
    cases: rows.map(([path, rewritten]): CasePair => [
      { path },
      to("rewrite", { path: rewritten, headers: { "x-envoy-original-path": path } }),
    ]),
  });

const add = (key: string, value: string, action?: string): JsonObject => ({
  header: { key, value },
  ...(action !== undefined && { append_action: action }),
});

const leveled = (mostSpecificWins: boolean): Omit<Parameters<typeof httpScenario>[2], "cases"> => {
  const level = (value: string): JsonObject => ({
    request_headers_to_add: [add("x", value, "OVERWRITE_IF_EXISTS_OR_ADD"), add("y", value)],
    response_headers_to_add: [add("z", value, "OVERWRITE_IF_EXISTS_OR_ADD")],
  });
  return {
    virtualHosts: [virtualHost("all", ["*"], [route("r", {}, level("route"))], level("virtual host"))],
    routeConfig: { ...level("table"), most_specific_header_mutations_wins: mostSpecificWins },
  };
};

export const clusterChoiceScenarios: readonly Scenario[] = [
  httpScenario("cluster_header", "7.1", {
    routes: [
      route("header", { prefix: "/h" }, { route: { cluster_header: "x-to" } }),
      route("authority", {}, { route: { cluster_header: ":authority" } }),
    ],
    clusters: [cluster("named by header", host)],
    cases: [
      [{ path: "/h", headers: [["x-to", "named by header"]] }, to("header", { cluster: "named by header" })],
      [
        {
          path: "/h",
          headers: [
            ["x-to", "echo"],
            ["x-to", "named by header"],
          ],
        },
        to("header", { cluster: "echo" }),
      ],
      [
        { path: "/h", headers: [["x-to", "nowhere"]] },
        answered(503, "cluster_not_found", { flags: ["NC"], cluster: null }),
      ],
      [{ path: "/h", headers: [["x-to", ""]] }, answered(503, "cluster_not_found", { flags: ["NC"] })],
      [{ path: "/h" }, answered(503, "cluster_not_found", { flags: ["NC"] })],
      [{ authority: "echo" }, to("authority", { cluster: "echo" })],
    ],
  }),
  httpScenario("a missing cluster, no fall-through", "7.1; 12 #46", {
    routes: [
      route("default", { prefix: "/d" }, { route: { cluster: "nowhere" } }),
      route(
        "404",
        { prefix: "/4" },
        { route: { cluster: "nowhere", cluster_not_found_response_code: "NOT_FOUND" } },
      ),
      route(
        "500",
        { prefix: "/5" },
        { route: { cluster: "nowhere", cluster_not_found_response_code: "INTERNAL_SERVER_ERROR" } },
      ),
      route("rest"),
    ],
    cases: [
      [
        { path: "/d" },
        answered(503, "cluster_not_found", { route: "default", flags: ["NC"], cluster: null }),
      ],
      [{ path: "/4" }, answered(404, "cluster_not_found", { route: "404", flags: ["NC"] })],
      [{ path: "/5" }, answered(500, "cluster_not_found", { route: "500", flags: ["NC"] })],
      [{ path: "/x" }, to("rest")],
    ],
  }),
  httpScenario("non_forwarding_action", "7", {
    routes: [route("none", { prefix: "/n" }, { non_forwarding_action: {} }), route("rest")],
    cases: [
      [{ path: "/n" }, answered(503, "cluster_not_found", { route: "none", flags: ["NC"] })],
      [{ path: "/x" }, to("rest")],
    ],
  }),
  httpScenario("weights by a header", "7.1; 12 #43, #44", {
    routes: [
      forward(
        "w",
        {},
        {
          weighted_clusters: {
            clusters: [
              { name: "header w0", weight: 0 },
              { name: "header w1", weight: 1 },
              { name: "header w9", weight: 9 },
            ],
            header_name: "x-random",
          },
        },
      ),
    ],
    clusters: [cluster("header w0", host), cluster("header w1", host), cluster("header w9", host)],
    cases: [
      [{ headers: [["x-random", "0"]] }, to("w", { cluster: "header w1" })],
      [{ headers: [["x-random", "1"]] }, to("w", { cluster: "header w9" })],
      [{ headers: [["x-random", "9"]] }, to("w", { cluster: "header w9" })],
      [{ headers: [["x-random", "10"]] }, to("w", { cluster: "header w1" })],
      [{ headers: [["x-random", "18446744073709551610"]] }, to("w", { cluster: "header w1" })],
      [{ headers: [["x-random", "18446744073709551615"]] }, to("w", { cluster: "header w9" })],
    ],
  }),
  httpScenario("weights by a header that is no number", "7.1; 12 #44", {
    routes: [
      forward(
        "w",
        {},
        {
          weighted_clusters: {
            clusters: [
              { name: "bad number w1", weight: 1 },
              { name: "bad number w9", weight: 1 },
            ],
            header_name: "x-random",
          },
        },
      ),
    ],
    clusters: [cluster("bad number w1", host), cluster("bad number w9", host)],
    cases: (
      [
        [
          ["x-random", "0"],
          ["x-random", "0"],
        ],
        [["x-random", "-1"]],
        [["x-random", "0x0"]],
        [["x-random", "1.5"]],
        [],
      ] as const
    ).map((headers): CasePair => [
      { headers },
      to("w", { shares: { of: "cluster", are: { "bad number w1": 0.5, "bad number w9": 0.5 } } }),
      60,
    ]),
  }),
  httpScenario("weights of the runtime", "7.1", {
    routes: [
      forward(
        "w",
        {},
        {
          weighted_clusters: {
            clusters: [
              { name: "runtime a", weight: 100 },
              { name: "runtime b", weight: 0 },
            ],
            runtime_key_prefix: "judge.weights",
          },
        },
      ),
    ],
    clusters: [cluster("runtime a", host), cluster("runtime b", host)],
    runtime: { "judge.weights.runtime a": 0, "judge.weights.runtime b": 7 },
    cases: [[{}, to("w", { cluster: "runtime b" }), 10]],
  }),
  httpScenario("a weighted entry with a cluster header", "7.1", {
    routes: [forward("w", {}, { weighted_clusters: { clusters: [{ cluster_header: "x-to", weight: 1 }] } })],
    cases: [
      [{ headers: [["x-to", "echo"]] }, to("w", { cluster: "echo" })],
      [{}, answered(503, "cluster_not_found", { flags: ["NC"] })],
    ],
  }),
  httpScenario("a cluster specifier plugin: matcher", "7.1", {
    routes: [
      forward(
        "plugin",
        {},
        {
          inline_cluster_specifier_plugin: {
            extension: extension(
              "matcher",
              "envoy.extensions.router.cluster_specifiers.matcher.v3.MatcherClusterSpecifier",
              {
                cluster_matcher: {
                  matcher_tree: {
                    input: extension("x", "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", {
                      header_name: "x",
                    }),
                    exact_match_map: {
                      map: {
                        e: {
                          action: extension(
                            "action",
                            "envoy.extensions.router.cluster_specifiers.matcher.v3.ClusterAction",
                            {
                              cluster: "echo",
                            },
                          ),
                        },
                      },
                    },
                  },
                },
              },
            ),
          },
        },
      ),
    ],
    cases: [
      [{ headers: [["x", "e"]] }, to("plugin", { cluster: "echo" })],
      [{ headers: [["x", "f"]] }, answered(503, "cluster_not_found", { flags: ["NC"] })],
    ],
  }),
  httpScenario("an unknown and optional cluster specifier plugin", "7.1; 12 #45", {
    routes: [
      forward(
        "plugin",
        {},
        {
          inline_cluster_specifier_plugin: {
            extension: {
              name: "unknown",
              typed_config: { "@type": "type.googleapis.com/google.protobuf.Struct", value: {} },
            },
            is_optional: true,
          },
        },
      ),
      route("rest"),
    ],
    cases: [[{}, to("rest")]],
  }),
  httpScenario("maintenance mode", "7.1", {
    routes: [forward("closed", { prefix: "/c" }, { cluster: "in maintenance" }), route("rest")],
    clusters: [cluster("in maintenance", host)],
    runtime: { "upstream.maintenance_mode.in maintenance": 100 },
    cases: [
      [{ path: "/c" }, answered(503, "maintenance_mode", { flags: ["UO"] })],
      [{ path: "/x" }, to("rest")],
    ],
  }),
];

export const rewriteScenarios: readonly Scenario[] = [
  rewrite("a prefix, as text", "7.2; 12 #47", { prefix: "/foo" }, { prefix_rewrite: "/" }, [
    ["/foo/bar?q", "//bar?q"],
    ["/foo", "/"],
    ["/foobar", "/bar"],
  ]),
  rewrite("a prefix with a slash", "7.2", { prefix: "/foo/" }, { prefix_rewrite: "/" }, [
    ["/foo/bar", "/bar"],
  ]),
  rewrite(
    "a prefix in another case",
    "7.2; 12 #48",
    { prefix: "/API", case_sensitive: false },
    { prefix_rewrite: "/v2" },
    [["/api/x", "/v2/x"]],
  ),
  rewrite(
    "prefix_rewrite of a regular expression",
    "7.2; 12 #49",
    { safe_regex: { regex: "/any.*" } },
    { prefix_rewrite: "/new" },
    [["/any/thing?x=1", "/new?x=1"]],
  ),
  rewrite("prefix_rewrite of a path", "7.2", { path: "/p" }, { prefix_rewrite: "/new/q" }, [
    ["/p?x", "/new/q?x"],
  ]),
  rewrite(
    "prefix_rewrite of a separated prefix",
    "7.2",
    { path_separated_prefix: "/a/b" },
    { prefix_rewrite: "/c" },
    [
      ["/a/b/d", "/c/d"],
      ["/a/b", "/c"],
    ],
  ),
  rewrite(
    "by regular expression, every match",
    "7.2, 6.6",
    { prefix: "/" },
    { regex_rewrite: regex("o(.)", "[\\1]") },
    [
      ["/foo/bar?oz", "/f[o]/bar?oz"],
      ["/oa/ob", "/[a]/[b]"],
      ["/x", "/x"],
    ],
  ),
  rewrite("a dollar is a dollar", "6.6", { prefix: "/" }, { regex_rewrite: regex("^/(a)", "/$1\\\\\\0") }, [
    ["/ab", "/$1\\/ab"],
  ]),
  httpScenario("rewrite: no original path where headers are suppressed", "7.2", {
    routes: [forward("r", { prefix: "/foo" }, { prefix_rewrite: "/x" })],
    manager: {
      http_filters: [
        extension("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", {
          suppress_envoy_headers: true,
        }),
      ],
    },
    cases: [[{ path: "/foo" }, to("r", { path: "/x", headers: { "x-envoy-original-path": null } })]],
  }),
  httpScenario("rewrite: with path parameters ignored", "7.2", {
    routes: [forward("r", { path: "/p" }, { prefix_rewrite: "/new" })],
    routeConfig: { ignore_path_parameters_in_path_matching: true },
    cases: [[{ path: "/p;a=b?c" }, to("r", { path: "/new;a=b?c" })]],
  }),
  httpScenario("rewrite: a template", "7.2", {
    routes: [
      forward(
        "r",
        {
          path_match_policy: extension(
            "m",
            "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
            {
              path_template: "/{lang}/{rest=**}",
            },
          ),
        },
        {
          path_rewrite_policy: extension(
            "w",
            "envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig",
            {
              path_template_rewrite: "/{rest}/{lang}",
            },
          ),
        },
      ),
    ],
    cases: [[{ path: "/en/a/b?c=d" }, to("r", { path: "/a/b/en?c=d" })]],
  }),
  httpScenario("rewrite: host", "7.2", {
    routes: [
      forward(
        "literal",
        { prefix: "/literal" },
        { host_rewrite_literal: "new.host:1", append_x_forwarded_host: true },
      ),
      forward("header", { prefix: "/header" }, { host_rewrite_header: "x-host" }),
      forward("path", { prefix: "/path" }, { host_rewrite_path_regex: regex("^/path/([^/]*).*$", "\\1") }),
      route("rest"),
    ],
    cases: [
      [
        { path: "/literal", authority: "old" },
        to("literal", {
          authority: "new.host:1",
          headers: { "x-envoy-original-host": "old", "x-forwarded-host": "old" },
        }),
      ],
      [
        {
          path: "/header",
          headers: [
            ["x-host", "h1"],
            ["x-host", "h2"],
          ],
        },
        to("header", { authority: "h1" }),
      ],
      [{ path: "/header", authority: "old" }, to("header", { authority: "old" })],
      [{ path: "/header", authority: "old", headers: [["x-host", ""]] }, to("header", { authority: "old" })],
      [{ path: "/path/a.b/c?d" }, to("path", { authority: "a.b" })],
      [{ path: "/path//c", authority: "old" }, to("path", { authority: "old" })],
      [
        { path: "/x", authority: "old" },
        to("rest", { authority: "old", headers: { "x-envoy-original-host": null } }),
      ],
    ],
  }),
  httpScenario("rewrite: host of the endpoint", "7.2", {
    routes: [forward("auto", {}, { cluster: "with a hostname", auto_host_rewrite: true })],
    clusters: [cluster("with a hostname", [{ address: "127.77.1.1", hostname: "end.point" }])],
    cases: [[{ authority: "old" }, to("auto", { authority: "end.point" })]],
  }),
  httpScenario("headers: the least specific level wins", "7.2; 12 #50", {
    ...leveled(false),
    cases: [
      [
        { headers: [["x", "client"]] },
        to("r", {
          headers: { x: "table", y: ["route", "virtual host", "table"] },
          responseHeaders: { z: "table" },
        }),
      ],
    ],
  }),
  httpScenario("headers: the most specific level wins", "7.2; 12 #50", {
    ...leveled(true),
    cases: [
      [
        { headers: [["x", "client"]] },
        to("r", {
          headers: { x: "route", y: ["table", "virtual host", "route"] },
          responseHeaders: { z: "route" },
        }),
      ],
    ],
  }),
  httpScenario("headers: the kinds of appending", "7.2", {
    routes: [
      route(
        "r",
        {},
        {
          request_headers_to_add: [
            add("append", "2"),
            add("if-absent", "2", "ADD_IF_ABSENT"),
            add("if-exists", "2", "OVERWRITE_IF_EXISTS"),
            add("overwrite", "2", "OVERWRITE_IF_EXISTS_OR_ADD"),
            add("empty", ""),
            { ...add("kept-empty", ""), keep_empty_value: true },
            { ...add("not-appended", "2"), append: false },
          ],
          request_headers_to_remove: ["gone", "append"],
        },
      ),
    ],
    cases: [
      [
        {
          headers: [
            ["append", "1"],
            ["if-absent", "1"],
            ["if-exists", "1"],
            ["overwrite", "1"],
            ["gone", "1"],
            ["not-appended", "1"],
          ],
        },
        to("r", {
          headers: {
            append: "2", // removals come first
            "if-absent": "1",
            "if-exists": "2",
            overwrite: "2",
            gone: null,
            empty: null,
            "kept-empty": "",
            "not-appended": "2",
          },
        }),
      ],
      [{}, to("r", { headers: { append: "2", "if-absent": "2", "if-exists": null, overwrite: "2" } })],
    ],
  }),
  httpScenario("headers: of a weighted entry", "7.2", {
    routes: [
      forward(
        "w",
        {},
        {
          weighted_clusters: {
            clusters: [
              {
                name: "echo",
                weight: 1,
                request_headers_to_add: [add("x", "entry")],
                request_headers_to_remove: ["gone"],
                host_rewrite_literal: "entry.host",
              },
            ],
          },
        },
        { request_headers_to_add: [add("x", "route")] },
      ),
    ],
    cases: [
      [
        { headers: [["gone", "1"]] },
        to("w", { authority: "entry.host", headers: { x: ["entry", "route"], gone: null } }),
      ],
    ],
  }),
  httpScenario("headers: request headers of redirects stay, response headers are added", "7.2", {
    routes: [
      route(
        "redirect",
        { prefix: "/r" },
        {
          redirect: { host_redirect: "x" },
          response_headers_to_add: [add("z", "1")],
        },
      ),
      route(
        "direct",
        {},
        {
          direct_response: { status: 200, body: { inline_string: "b" } },
          response_headers_to_add: [add("content-type", "application/json"), add("z", "1")],
        },
      ),
    ],
    cases: [
      [{ path: "/r" }, { status: 301, responseHeaders: { z: "1" } }],
      [{ path: "/d" }, { status: 200, responseHeaders: { "content-type": "application/json", z: "1" } }],
    ],
  }),
];

export const redirectScenarios: readonly Scenario[] = [
  redirect("host", "7.3", {}, { host_redirect: "new.host:99" }, [
    [{ authority: "old:81", path: "/p?q" }, goes("http://new.host:99/p?q")],
    [{ headers: xfp("https"), path: "/p" }, goes("https://new.host:99/p")],
  ]),
  redirect("to https", "7.3; 12 #52", {}, { https_redirect: true }, [
    [{ authority: "a.com:80" }, goes("https://a.com/")],
    [{ authority: "a.com:8080" }, goes("https://a.com:8080/")],
    [{ authority: "a.com" }, goes("https://a.com/")],
    [{ authority: "a.com:443", headers: xfp("https") }, goes("https://a.com:443/")],
  ]),
  redirect("to http", "7.3", {}, { scheme_redirect: "http" }, [
    [{ authority: "a.com:443", headers: xfp("https") }, goes("http://a.com/")],
    [{ authority: "a.com:80", headers: xfp("https") }, goes("http://a.com:80/")],
  ]),
  redirect("port", "7.3", {}, { port_redirect: 80 }, [
    [{ authority: "a.com:8080" }, goes("http://a.com:80/")],
    [{ authority: "[::1]:8080" }, goes("http://[::1]:80/")],
    [{ authority: "a.com" }, goes("http://a.com:80/")],
  ]),
  redirect("path", "7.3", {}, { path_redirect: "/new" }, [
    [{ authority: "a", path: "/p?q=1" }, goes("http://a/new?q=1")],
    [{ authority: "a", path: "/p" }, goes("http://a/new")],
  ]),
  redirect("path with a query", "7.3; 12 #51", {}, { path_redirect: "/n?foo=2", strip_query: true }, [
    [{ authority: "a", path: "/?bar=1" }, goes("http://a/n?foo=2")],
  ]),
  redirect("path without a slash", "7.3", {}, { path_redirect: "new" }, [
    [{ authority: "a" }, goes("http://a/new")],
  ]),
  redirect("strip_query", "7.3", {}, { strip_query: true, host_redirect: "b" }, [
    [{ path: "/p?q=1" }, goes("http://b/p")],
    [{ path: "/p" }, goes("http://b/p")],
  ]),
  redirect("prefix_rewrite", "7.3", { prefix: "/foo" }, { prefix_rewrite: "/bar" }, [
    [{ authority: "a", path: "/foo/x?q" }, goes("http://a/bar/x?q")],
  ]),
  redirect(
    "prefix_rewrite of a regular expression",
    "7.3",
    { safe_regex: { regex: "/foo.*" } },
    { prefix_rewrite: "/bar" },
    [[{ authority: "a", path: "/foo/x?q" }, goes("http://a/bar?q")]],
  ),
  redirect("regex_rewrite", "7.3", {}, { regex_rewrite: regex("/(\\w)\\w*", "/\\1") }, [
    [{ authority: "a", path: "/foo/bar?q" }, goes("http://a/f/b?q")],
  ]),
  redirect("regex_rewrite to nothing", "7.3; 12 #53", {}, { regex_rewrite: regex(".*", "") }, [
    [{ authority: "a", path: "/x" }, goes("http://a/x")],
  ]),
  ...(
    [
      ["MOVED_PERMANENTLY", 301],
      ["FOUND", 302],
      ["SEE_OTHER", 303],
      ["TEMPORARY_REDIRECT", 307],
      ["PERMANENT_REDIRECT", 308],
    ] as const
  ).map(([response_code, status]) =>
    redirect(response_code, "7.3", {}, { response_code, host_redirect: "b" }, [
      [{}, goes("http://b/", status)],
    ]),
  ),
  redirect("that changes nothing", "7.3", {}, {}, [[{ authority: "a", path: "/x" }, goes("http://a/x")]]),
  httpScenario("redirect: of a gRPC request", "7.3", {
    routes: [
      route("redirect", { prefix: "/r" }, { redirect: { host_redirect: "b" } }),
      route("direct", { prefix: "/d" }, { direct_response: { status: 403 } }),
      route("missing", { prefix: "/m" }, { route: { cluster: "nowhere" } }),
    ],
    // Envoy's own answers to gRPC are 200 with a grpc-status
    cases: (["http/1.1", "h2"] as const).flatMap((protocol) =>
      ["/r", "/d", "/m", "/x"].map((path): CasePair => [
        { protocol, path, headers: [["content-type", "application/grpc"]] },
        { status: 200, isReceived: false },
      ]),
    ),
  }),
  httpScenario("direct responses", "7.4; 12 traps", {
    routes: [
      route("200", { prefix: "/200" }, { direct_response: { status: 200, body: { inline_string: "yes" } } }),
      route("403", { prefix: "/403" }, { direct_response: { status: 403 } }),
      route("302", { prefix: "/302" }, { direct_response: { status: 302 } }),
      route("201", { prefix: "/201" }, { direct_response: { status: 201 } }),
      route("rest"),
    ],
    cases: [
      [
        { path: "/200" },
        {
          route: "200",
          status: 200,
          details: "direct_response",
          responseHeaders: { "content-length": "3", "content-type": "text/plain" },
        },
      ],
      [{ path: "/403" }, { route: "403", status: 403, details: "direct_response", flags: [] }],
      [
        { path: "/302?x", authority: "a:1" },
        { route: "302", status: 302, location: "http://a:1/302?x" },
      ],
      [
        { path: "/201", authority: "a" },
        { route: "201", status: 201, location: "http://a/201" },
      ],
      [{ path: "/404" }, to("rest")],
    ],
  }),
];
