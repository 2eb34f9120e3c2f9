/** Section 10.1 of the facts, where a tree takes the place of rules, and conditions at their edges. */
import {
  downstreamTls,
  extension,
  forward,
  proxyProtocol,
  route,
  tlsInspector,
  typeUrl,
} from "../../support/judge/messages.js";
import type { JudgedRequest } from "../../support/judge/judged-request.js";
import {
  httpScenario,
  to,
  type CasePair,
  type Expected,
  type HttpParts,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { HeaderList } from "../../../src/trace/request.js";
import type { JsonObject } from "../../support/mesh/json.js";

const rbac = (config: JsonObject): JsonObject =>
  extension("rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", config);
const denied = (policyName = "none"): Expected => ({
  status: 403,
  details: `rbac_access_denied_matched_policy[${policyName}]`,
  isReceived: false,
});
const outcomes = (rows: readonly (readonly [JudgedRequest, boolean])[]): CasePair[] =>
  rows.map(([request, isAllowed]) => [request, isAllowed ? to("r") : denied()]);

type Parts = Partial<Omit<HttpParts, "cases">>;

const policies = (name: string, config: JsonObject, cases: readonly CasePair[], more: Parts = {}): Scenario =>
  httpScenario(`conditions of policies: ${name}`, "10.1", {
    routes: [route("r")],
    filters: [rbac(config)],
    ...more,
    cases,
  });
const permits = (
  name: string,
  permission: JsonObject,
  rows: readonly (readonly [JudgedRequest, boolean])[],
  more: Parts = {},
): Scenario =>
  policies(
    name,
    { rules: { policies: { p: { permissions: [permission], principals: [{ any: true }] } } } },
    outcomes(rows),
    more,
  );

const action = (name: string, kind = "ALLOW"): JsonObject => ({
  action: extension(name, "envoy.config.rbac.v3.Action", { name, ...(kind !== "ALLOW" && { action: kind }) }),
});
const networkInput = (name: string): JsonObject =>
  extension("input", `envoy.extensions.matching.common_inputs.network.v3.${name}`);
const sslInput = (name: string): JsonObject =>
  extension("input", `envoy.extensions.matching.common_inputs.ssl.v3.${name}`);
const headerInput = (header_name: string): JsonObject =>
  extension("input", "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", { header_name });
const byValue = (input: JsonObject, map: JsonObject, more: JsonObject = {}): JsonObject => ({
  matcher: { matcher_tree: { input, exact_match_map: { map } }, ...more },
});

const proxied = { listener: { listener_filters: [proxyProtocol] } };
const from = (ip: string, headers: HeaderList = []): JudgedRequest => ({
  headers,
  proxy: { source: { ip, port: 5 }, destination: { ip: "10.0.0.1", port: 81 } },
});
const x = (...values: readonly string[]): HeaderList => values.map((value) => ["x", value]);
const xMatches = (more: JsonObject): JsonObject => ({ header: { name: "x", ...more } });

export const policyMatcherScenarios: readonly Scenario[] = [
  policies(
    "a tree by the client behind x-forwarded-for",
    byValue(networkInput("SourceIPInput"), {
      "1.2.3.4": action("told"),
      "10.9.9.9": action("proxied", "DENY"),
    }),
    [
      [from("10.9.9.9", [["x-forwarded-for", "1.2.3.4"]]), to("r")],
      [from("10.9.9.9"), denied("proxied")],
      [from("10.9.9.8"), denied()],
    ],
    proxied,
  ),
  policies(
    "a tree by the TCP peer",
    byValue(networkInput("DirectSourceIPInput"), { "127.77.254.1": action("peer") }),
    [
      [from("10.9.9.9", [["x-forwarded-for", "1.2.3.4"]]), to("r")],
      [{ ...from("10.9.9.9"), source: "127.77.253.5" }, denied()],
    ],
    proxied,
  ),
  policies(
    "a tree by the destination, then by a header",
    {
      matcher: {
        matcher_tree: {
          input: networkInput("DestinationPortInput"),
          exact_match_map: {
            map: {
              "81": {
                matcher: {
                  matcher_list: {
                    matchers: [
                      {
                        predicate: {
                          single_predicate: {
                            input: headerInput("x"),
                            value_match: { prefix: "good" },
                          },
                        },
                        on_match: action("good"),
                      },
                    ],
                  },
                },
              },
            },
          },
        },
        on_no_match: action("rest", "DENY"),
      },
    },
    [
      [from("10.9.9.9", x("goodness")), to("r")],
      [from("10.9.9.9", x("bad")), denied("rest")],
      [from("10.9.9.9"), denied("rest")],
    ],
    proxied,
  ),
  policies(
    "a tree by the names of the certificate",
    {
      matcher: {
        matcher_list: {
          matchers: [
            {
              predicate: {
                single_predicate: {
                  input: sslInput("UriSanInput"),
                  value_match: { exact: "spiffe://cluster.local/ns/default/sa/client" },
                },
              },
              on_match: action("known"),
            },
          ],
        },
      },
    },
    [
      [{ tls: { certificate: "client" } }, to("r")],
      [{ tls: {} }, denied()],
    ],
    { chain: downstreamTls({ require: false }) },
  ),
  policies(
    "a tree by the server name",
    byValue(networkInput("ServerNameInput"), { "a.com": action("named") }),
    [
      [{ tls: { sni: "A.com" } }, to("r")],
      [{ tls: {} }, denied()],
    ],
    { chain: downstreamTls(), listener: { listener_filters: [tlsInspector] } },
  ),
  permits("a number in a header", xMatches({ range_match: { start: -3, end: 10 } }), [
    [{ headers: x("-3") }, true],
    [{ headers: x("9") }, true],
    [{ headers: x("10") }, false],
    [{ headers: x("9x") }, false],
    [{ headers: x("") }, false],
    [{}, false],
    [{ headers: x("1", "2") }, false],
  ]),
  permits(
    "an expression with alternatives takes all of the value",
    xMatches({ string_match: { safe_regex: { regex: "a|ab|(?i)CD" } } }),
    [
      [{ headers: x("ab") }, true],
      [{ headers: x("cd") }, true],
      [{ headers: x("abc") }, false],
      [{ headers: x("xa") }, false],
    ],
  ),
  permits(
    "a missing header that counts as empty",
    xMatches({ string_match: { exact: "1" }, invert_match: true, treat_missing_header_as_empty: true }),
    [
      [{}, true],
      [{ headers: x("1") }, false],
    ],
  ),
  permits("a header in any case", xMatches({ string_match: { contains: "AbC", ignore_case: true } }), [
    [{ headers: x("xABCx") }, true],
    [{ headers: x("xAB Cx") }, false],
  ]),
  permits(
    "the path with its query, by header",
    { header: { name: ":path", string_match: { suffix: "?b=1" } } },
    [
      [{ path: "/a?b=1" }, true],
      [{ path: "/a" }, false],
      [{ path: "/a?b=1&" }, false],
    ],
  ),
  permits("a path of a question mark", { url_path: { path: { exact: "/" } } }, [
    [{ path: "/?" }, true],
    [{ path: "/??" }, true],
    [{ path: "//" }, false],
    [{ path: "/;a" }, false],
  ]),
  permits(
    "host names with ports, dots and capitals are as they came",
    {
      or_rules: {
        rules: [
          { header: { name: ":authority", string_match: { suffix: ".com." } } },
          { header: { name: ":authority", string_match: { exact: "[fd00::1]:80" } } },
          { header: { name: ":authority", string_match: { prefix: "API." } } },
        ],
      },
    },
    [
      [{ authority: "a.com." }, true],
      [{ authority: "a.com.:80" }, false],
      [{ authority: "[fd00::1]:80" }, true],
      [{ authority: "[fd00::1]" }, false],
      [{ authority: "API.a" }, true],
      [{ authority: "api.a" }, false],
    ],
  ),
  permits(
    "host names after the manager took their ports and dots off",
    { header: { name: ":authority", string_match: { exact: "a.com" } } },
    [
      [{ authority: "a.com" }, true],
      [{ authority: "a.com:8080" }, true],
      [{ authority: "a.com." }, true],
      [{ authority: "a.com.:80" }, true],
      [{ authority: "A.com" }, false],
    ],
    { manager: { strip_any_host_port: true, strip_trailing_host_dot: true } },
  ),
  permits(
    "a template with variables",
    {
      uri_template: extension("t", "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig", {
        path_template: "/a/{name}/**",
      }),
    },
    [
      [{ path: "/a/b/c/d" }, true],
      [{ path: "/a/b/c?x" }, true],
      [{ path: "/a/b" }, false],
      [{ path: "/a//c" }, false],
      [{ path: "/b/b/c" }, false],
    ],
  ),
  permits(
    "ports at the ends of a range",
    { destination_port_range: { start: 81, end: 82 } },
    [[from("10.9.9.9"), true]],
    proxied,
  ),
  policies(
    "addresses by ranges with host bits, and the whole of a family",
    {
      rules: {
        action: "DENY",
        policies: {
          "1": {
            permissions: [{ any: true }],
            principals: [{ remote_ip: { address_prefix: "10.9.9.9", prefix_len: 24 } }],
          },
          "2": {
            permissions: [{ any: true }],
            principals: [{ remote_ip: { address_prefix: "::", prefix_len: 0 } }],
          },
          "3": {
            permissions: [{ any: true }],
            principals: [{ not_id: { remote_ip: { address_prefix: "0.0.0.0" } } }],
          },
        },
      },
    },
    [
      [from("10.9.9.1"), denied("1")],
      [from("10.9.8.1"), to("r")],
      [
        { proxy: { source: { ip: "fd00::9", port: 1 }, destination: { ip: "fd00::1", port: 1 } } },
        denied("2"),
      ],
    ],
    proxied,
  ),
  policies(
    "the last of several addresses in x-forwarded-for, in several lines",
    {
      rules: {
        policies: {
          p: {
            permissions: [{ any: true }],
            principals: [{ remote_ip: { address_prefix: "1.1.1.1", prefix_len: 32 } }],
          },
        },
      },
    },
    outcomes([
      [{ headers: [["x-forwarded-for", "2.2.2.2, 1.1.1.1"]] }, true],
      [{ headers: [["x-forwarded-for", "1.1.1.1, 2.2.2.2"]] }, false],
      [
        {
          headers: [
            ["x-forwarded-for", "2.2.2.2"],
            ["x-forwarded-for", "1.1.1.1"],
          ],
        },
        true,
      ],
      [{ headers: [["x-forwarded-for", "1.1.1.1,"]] }, false],
      [{ headers: [["x-forwarded-for", " 1.1.1.1 "]] }, true],
    ]),
  ),
  httpScenario("conditions of policies: of the route configuration and a weighted entry", "10.1, 4.6", {
    routes: [
      forward(
        "w",
        { prefix: "/w" },
        {
          weighted_clusters: {
            clusters: [
              {
                name: "echo",
                weight: 1,
                typed_per_filter_config: {
                  rbac: {
                    "@type": typeUrl("envoy.extensions.filters.http.rbac.v3.RBACPerRoute"),
                    rbac: {
                      rules: {
                        action: "DENY",
                        policies: { entry: { permissions: [{ any: true }], principals: [{ any: true }] } },
                      },
                    },
                  },
                },
              },
            ],
          },
        },
      ),
      route("r"),
    ],
    routeConfig: {
      typed_per_filter_config: {
        rbac: { "@type": typeUrl("envoy.extensions.filters.http.rbac.v3.RBACPerRoute") },
      },
    },
    filters: [rbac({ rules: {} })],
    cases: [
      [{ path: "/w" }, denied("entry")],
      [{}, to("r")],
    ],
  }),
];
