/** Sections 6.1 and 6.2 of the facts: the order of routes, and path specifiers. */
import { extension, forward, route } from "../../support/judge/messages.js";
import { answered, httpScenario, noRoute, to, type Scenario } from "../../support/judge/scenario.js";
import type { JsonObject } from "../../support/mesh/json.js";

const template = (path_template: string): JsonObject => ({
  path_match_policy: extension(
    "envoy.path.match.uri_template.uri_template_matcher",
    "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
    { path_template },
  ),
});

export const pathScenarios: readonly Scenario[] = [
  httpScenario("the first route that matches wins", "6.1; 12 #27", {
    routes: [route("prefix", { prefix: "/a" }), route("exact", { path: "/ab" })],
    cases: [
      [{ path: "/ab" }, to("prefix")],
      [{ path: "/b" }, noRoute],
    ],
  }),
  httpScenario("an exact route before its prefix", "6.1", {
    routes: [route("exact", { path: "/ab" }), route("prefix", { prefix: "/a" })],
    cases: [
      [{ path: "/ab" }, to("exact")],
      [{ path: "/abc" }, to("prefix")],
    ],
  }),
  httpScenario("a prefix knows no segments", "6.2", {
    routes: [route("prefix", { prefix: "/foo" })],
    cases: [
      [{ path: "/foobar" }, to("prefix")],
      [{ path: "/foo" }, to("prefix")],
      [{ path: "/fo" }, noRoute],
      [{ path: "/Foo" }, noRoute],
      [{ path: "//foo" }, noRoute],
    ],
  }),
  httpScenario("an empty prefix", "6.2", {
    routes: [route("empty", { prefix: "" })],
    cases: [[{ path: "/x" }, to("empty")]],
  }),
  httpScenario("a path", "6.2; 12 #28", {
    routes: [route("path", { path: "/foo" })],
    cases: [
      [{ path: "/foo?x=1" }, to("path")],
      [{ path: "/foo/" }, noRoute],
      [{ path: "/FOO" }, noRoute],
      [{ path: "/foo%20" }, noRoute],
      [{ path: "/f%6fo" }, noRoute],
    ],
  }),
  httpScenario("a path separated prefix", "6.2; 12 #29", {
    routes: [route("separated", { path_separated_prefix: "/rest/api" })],
    cases: [
      [{ path: "/rest/apitest" }, noRoute],
      [{ path: "/rest/api?x" }, to("separated")],
      [{ path: "/rest/api/" }, to("separated")],
      [{ path: "/rest/api" }, to("separated")],
      [{ path: "/rest/api/thing" }, to("separated")],
      [{ path: "/rest/ap" }, noRoute],
      [{ path: "/rest/api;x" }, noRoute],
    ],
  }),
  httpScenario("a regular expression matches the whole path", "6.2; 12 #30", {
    routes: [route("regex", { safe_regex: { regex: "/b[io]t" } })],
    cases: [
      [{ path: "/bits" }, noRoute],
      [{ path: "/bit" }, to("regex")],
      [{ path: "/bot?x" }, to("regex")],
      [{ path: "/a/bit" }, noRoute],
    ],
  }),
  httpScenario("a regular expression is case-sensitive whatever case_sensitive says", "6.2; 12 #31", {
    routes: [
      route("regex", { safe_regex: { regex: "/foo" }, case_sensitive: false }),
      route("flag", { safe_regex: { regex: "(?i)/bar" } }),
    ],
    cases: [
      [{ path: "/FOO" }, noRoute],
      [{ path: "/foo" }, to("regex")],
      [{ path: "/BAR" }, to("flag")],
    ],
  }),
  httpScenario("alternatives of a regular expression are anchored as one", "6.6", {
    routes: [
      route("regex", { safe_regex: { regex: "/a|/b" } }),
      route("word", { safe_regex: { regex: "/\\w+\\d" } }),
    ],
    cases: [
      [{ path: "/a" }, to("regex")],
      [{ path: "/b" }, to("regex")],
      [{ path: "/ax" }, noRoute],
      [{ path: "/x/b" }, noRoute],
      [{ path: "/ax1" }, to("word")],
    ],
  }),
  httpScenario("RE2's own syntax", "6.6", {
    routes: [
      route("posix", { safe_regex: { regex: "/p/[[:alpha:]]+\\z" } }),
      route("quoted", { safe_regex: { regex: "/q/\\Q.*\\E" } }),
      route("named", { safe_regex: { regex: "/n/(?P<id>[0-9]+)" } }),
      route("ungreedy", { safe_regex: { regex: "(?U)/u/a+" } }),
    ],
    cases: [
      [{ path: "/p/abc" }, to("posix")],
      [{ path: "/p/ab1" }, noRoute],
      [{ path: "/q/.*" }, to("quoted")],
      [{ path: "/q/ab" }, noRoute],
      [{ path: "/n/12" }, to("named")],
      [{ path: "/u/aaa" }, to("ungreedy")],
    ],
  }),
  httpScenario("case_sensitive false", "6.2", {
    routes: [
      route("prefix", { prefix: "/Api", case_sensitive: false }),
      route("path", { path: "/Path", case_sensitive: false }),
      route("separated", { path_separated_prefix: "/Sep", case_sensitive: false }),
    ],
    cases: [
      [{ path: "/API/x" }, to("prefix")],
      [{ path: "/pATH" }, to("path")],
      [{ path: "/sep/x" }, to("separated")],
      [{ path: "/sepx" }, noRoute],
    ],
  }),
  httpScenario("ignore_path_parameters_in_path_matching", "6.2; 12 #32", {
    routes: [route("path", { path: "/p" }), route("regex", { safe_regex: { regex: "/r" } })],
    routeConfig: { ignore_path_parameters_in_path_matching: true },
    cases: [
      [{ path: "/p;env=1;v=2?a=b;c=d" }, to("path", { path: "/p;env=1;v=2?a=b;c=d" })],
      [{ path: "/r;x" }, to("regex")],
      [{ path: "/p/;x" }, noRoute],
    ],
  }),
  httpScenario("path parameters count unless they are ignored", "6.2", {
    routes: [route("path", { path: "/p" })],
    cases: [
      [{ path: "/p;env=1" }, noRoute],
      [{ path: "/p" }, to("path")],
    ],
  }),
  httpScenario("a template with one segment", "6.2", {
    routes: [route("segment", template("/a/{id}/b")), route("star", template("/s/*"))],
    cases: [
      [{ path: "/a/x/b" }, to("segment")],
      [{ path: "/a/x/y/b" }, noRoute],
      [{ path: "/a//b" }, noRoute],
      [{ path: "/A/x/b" }, noRoute],
      [{ path: "/s/x.y~z" }, to("star")],
      [{ path: "/s/" }, noRoute],
      [{ path: "/s/x/" }, noRoute],
    ],
  }),
  httpScenario("a template with many segments", "6.2", {
    routes: [route("media", template("/m/**.m3u8")), route("rest", template("/r/{rest=**}"))],
    cases: [
      [{ path: "/m/a/b.m3u8" }, to("media")],
      [{ path: "/m/.m3u8" }, to("media")],
      [{ path: "/m/a/b.mp4" }, noRoute],
      [{ path: "/r/" }, to("rest")],
      [{ path: "/r/a/b?c" }, to("rest")],
      [{ path: "/r" }, noRoute],
    ],
  }),
  httpScenario("CONNECT takes connect_matcher", "6.1, 6.2", {
    routes: [
      route("prefix", { prefix: "/" }),
      forward(
        "connect",
        { connect_matcher: {} },
        { upgrade_configs: [{ upgrade_type: "CONNECT", connect_config: {} }] },
      ),
    ],
    manager: { upgrade_configs: [{ upgrade_type: "CONNECT" }] },
    cases: [
      [
        { method: "CONNECT", path: "a.com:443", authority: "a.com:443" },
        { route: "connect", status: 200 },
      ],
      [{ method: "GET", path: "/x" }, to("prefix")],
    ],
  }),
  httpScenario("an extended CONNECT with a path takes a prefix route", "6.2; 12 traps", {
    routes: [
      route("other", { prefix: "/other" }),
      forward("prefix", { prefix: "/ws" }, {}),
      forward("connect", { connect_matcher: {} }, {}),
    ],
    manager: {
      upgrade_configs: [{ upgrade_type: "websocket" }],
      http2_protocol_options: { allow_connect: true },
    },
    cases: [
      [
        { protocol: "h2", method: "CONNECT", path: "/ws/x", headers: [[":protocol", "websocket"]] },
        { route: "prefix" },
      ],
      [{ protocol: "h2", method: "GET", path: "/ws/x" }, to("prefix")],
    ],
  }),
  httpScenario("CONNECT without a route that takes it", "6.1", {
    routes: [route("prefix", { prefix: "/" })],
    cases: [
      [
        { method: "CONNECT", path: "a.com:443", authority: "a.com:443" },
        { route: null, status: 404, isReceived: false },
      ],
      [{ method: "GET" }, to("prefix")],
    ],
  }),
  httpScenario("OPTIONS * and other paths without a slash", "4.2; 12 traps", {
    routes: [route("all")],
    cases: [
      [{ method: "OPTIONS", path: "*" }, answered(404, "absolute_path_rejected")],
      [{ method: "OPTIONS", path: "/" }, to("all")],
    ],
  }),
];
