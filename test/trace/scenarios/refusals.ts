/** Configurations that Envoy refuses: a snapshot cannot hold them, so a trace need not resolve them. */
import {
  chain,
  cluster,
  extension,
  forward,
  httpManager,
  listener,
  route,
  routeConfig,
  tcpProxy,
  virtualHost,
} from "../../support/judge/messages.js";
import { listenerRefusals } from "./listener-refusals.js";
import type { JudgedConfiguration } from "../../support/judge/judged-configuration.js";
import type { JsonObject } from "../../support/mesh/json.js";

export interface Refusal {
  readonly name: string;
  readonly facts: string;
  readonly refused: JudgedConfiguration;
  /** What stands in Envoy's log. */
  readonly says: RegExp;
  /** The same with the mistake mended. */
  readonly taken: JudgedConfiguration;
}

const http = (virtualHosts: readonly JsonObject[], overrides: JsonObject = {}): JudgedConfiguration => ({
  listeners: [listener("refused", [chain("http", [httpManager(routeConfig(virtualHosts), [], overrides)])])],
});
const all = [virtualHost("all", ["*"], [route("r")])];

const chains = (...matches: readonly JsonObject[]): JudgedConfiguration => ({
  listeners: [
    listener(
      "refused",
      matches.map((match, index) => chain(`chain ${index}`, [tcpProxy("echo")], match)),
    ),
  ],
});

const weighted = (...clusters: readonly JsonObject[]): JudgedConfiguration => ({
  ...http([virtualHost("all", ["*"], [forward("r", {}, { weighted_clusters: { clusters } })])]),
  clusters: [cluster("w", [])],
});

const networkRbac = (permission: JsonObject): JudgedConfiguration => ({
  listeners: [
    listener("refused", [
      chain("tcp", [
        extension("rbac", "envoy.extensions.filters.network.rbac.v3.RBAC", {
          stat_prefix: "judge",
          rules: { policies: { p: { permissions: [permission], principals: [{ any: true }] } } },
        }),
        tcpProxy("echo"),
      ]),
    ]),
  ],
});

const headerInput = extension("x", "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", { header_name: "x" });

const tree = (keep: boolean, input = headerInput): JudgedConfiguration => {
  const action = extension("route", "envoy.config.route.v3.Route", route("r"));
  return http([
    {
      name: "tree",
      domains: ["*"],
      matcher: {
        matcher_tree: {
          input,
          exact_match_map: { map: { a: { action, ...(keep && { keep_matching: true }) } } },
        },
      },
    },
  ]);
};

const template: JsonObject = {
  path_match_policy: extension(
    "template",
    "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
    { path_template: "/a/*" },
  ),
};
const randomPolicy: JsonObject = {
  load_balancing_policy: {
    policies: [
      {
        typed_extension_config: extension(
          "random",
          "envoy.extensions.load_balancing_policies.random.v3.Random",
        ),
      },
    ],
  },
};

export const refusals: readonly Refusal[] = [
  ...listenerRefusals,
  {
    name: "one domain in two virtual hosts, by case",
    facts: "5; 12 #23",
    refused: http([virtualHost("a", ["a.com"], []), virtualHost("b", ["A.COM"], [])]),
    says: /Only unique values for domains are permitted/,
    taken: http([virtualHost("a", ["a.com"], []), virtualHost("b", ["B.COM"], [])]),
  },
  {
    name: "both ways to strip a port",
    facts: "4.4",
    refused: http(all, { strip_any_host_port: true, strip_matching_host_port: true }),
    says: /strip_matching_host_port/,
    taken: http(all, { strip_any_host_port: true }),
  },
  {
    name: "a weighted cluster without a weight",
    facts: "7.1; 12 traps",
    refused: weighted({ name: "w" }),
    says: /weight/i,
    taken: weighted({ name: "w", weight: 1 }),
  },
  {
    name: "weights whose sum is 0",
    facts: "7.1",
    refused: weighted({ name: "w", weight: 0 }),
    says: /weight/i,
    taken: weighted({ name: "w", weight: 0 }, { name: "w", weight: 1 }),
  },
  {
    name: "two chains with one match",
    facts: "3.2",
    refused: chains({ server_names: ["a.com", "b.com"] }, { server_names: ["b.com", "c.com"] }),
    says: /multiple filter chains with overlapping matching rules/,
    taken: chains({ server_names: ["a.com", "b.com"] }, { server_names: ["c.com"] }),
  },
  {
    name: "a partial wildcard of a server name",
    facts: "3.2",
    refused: chains({ server_names: ["*x.com"] }),
    says: /partial wildcards are not supported/,
    taken: chains({ server_names: ["*.x.com"] }),
  },
  {
    name: "a header rule in the network RBAC filter",
    facts: "10.2; 12 #60",
    refused: networkRbac({ not_rule: { header: { name: "x", string_match: { exact: "v" } } } }),
    says: /not supported by RBAC network filter/,
    taken: networkRbac({ not_rule: { destination_port: 1 } }),
  },
  {
    name: "keep_matching in the tree of a virtual host",
    facts: "3.3, 6.5",
    refused: tree(true),
    says: /keep_matching is not supported/,
    taken: tree(false),
  },
  {
    name: "ignore_case of a regular expression",
    facts: "6.3",
    refused: http([
      virtualHost(
        "all",
        ["*"],
        [
          route("r", {
            headers: [{ name: "x", string_match: { safe_regex: { regex: "a" }, ignore_case: true } }],
          }),
        ],
      ),
    ]),
    says: /ignore_case has no effect for safe_regex/,
    taken: http([
      virtualHost(
        "all",
        ["*"],
        [route("r", { headers: [{ name: "x", string_match: { safe_regex: { regex: "a" } } }] })],
      ),
    ]),
  },
  {
    name: "a tree of a virtual host by a query parameter",
    facts: "6.5",
    refused: tree(
      false,
      extension("q", "envoy.type.matcher.v3.HttpRequestQueryParamMatchInput", { query_param: "x" }),
    ),
    says: /can only match on request headers/,
    taken: tree(false),
  },
  {
    name: "prefix_rewrite of a template",
    facts: "7.2",
    refused: http([virtualHost("all", ["*"], [forward("r", template, { prefix_rewrite: "/x" })])]),
    says: /Cannot use prefix_rewrite with matcher extension/,
    taken: http([virtualHost("all", ["*"], [forward("r", template, {})])]),
  },
  {
    name: "a regular expression that is too large",
    facts: "6.6",
    refused: http([virtualHost("all", ["*"], [route("r", { safe_regex: { regex: "/a{1,900}" } })])]),
    says: /RE2 program size/,
    taken: http([virtualHost("all", ["*"], [route("r", { safe_regex: { regex: "/a{1,9}" } })])]),
  },
  {
    name: "a load balancing policy beside localities of common_lb_config",
    facts: "9.5",
    refused: {
      ...http(all),
      clusters: [
        cluster("c", [], { ...randomPolicy, common_lb_config: { locality_weighted_lb_config: {} } }),
      ],
    },
    says: /load_balancing_policy cannot be combined/,
    taken: {
      ...http(all),
      clusters: [
        cluster("c", [], { ...randomPolicy, common_lb_config: { healthy_panic_threshold: { value: 1 } } }),
      ],
    },
  },
];
