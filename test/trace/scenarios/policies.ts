/** Section 10 of the facts: what policies read, in which order filters decide, and what tokens and authorizers change. */
import {
  chain,
  downstreamTls,
  extension,
  forward,
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
import type { JudgedRequest } from "../../support/judge/judged-request.js";
import {
  httpScenario,
  scenario,
  through,
  to,
  type CasePair,
  type Expected,
  type HttpParts,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { HeaderList } from "../../../src/trace/request.js";
import type { JsonObject } from "../../support/mesh/json.js";

const rbacType = "envoy.extensions.filters.http.rbac.v3.RBAC";
const perRouteType = "envoy.extensions.filters.http.rbac.v3.RBACPerRoute";

const policy = (permission: JsonObject, principal: JsonObject = { any: true }): JsonObject => ({
  permissions: [permission],
  principals: [principal],
});
const allow = (policies: JsonObject): JsonObject => ({ rules: { policies } });
const deny = (policies: JsonObject): JsonObject => ({ rules: { action: "DENY", policies } });
const rbac = (config: JsonObject, name = "rbac"): JsonObject => extension(name, rbacType, config);

const denied = (policyName = "none"): Expected => ({
  status: 403,
  flags: [],
  details: `rbac_access_denied_matched_policy[${policyName}]`,
  isReceived: false,
});
const x = (...values: readonly string[]): HeaderList => values.map((value) => ["x", value]);
const header = (name: string, string_match: JsonObject, more: JsonObject = {}): JsonObject => ({
  header: { name, string_match, ...more },
});
const xIs = (value: string): JsonObject => header("x", { exact: value });

type Rows = readonly (readonly [JudgedRequest, boolean])[];
type Parts = Partial<Omit<HttpParts, "cases">>;

const filtered = (
  name: string,
  facts: string,
  filters: readonly JsonObject[],
  cases: readonly CasePair[],
  more: Parts = {},
): Scenario =>
  httpScenario(`policies: ${name}`, facts, {
    ...(more.virtualHosts === undefined && { routes: [route("r")] }),
    filters,
    ...more,
    cases,
  });

const outcomes = (rows: Rows): CasePair[] =>
  rows.map(([request, isAllowed]) => [request, isAllowed ? to("r") : denied()]);

/** One permission in an ALLOW policy for everybody, behind other filters. */
const permits = (
  name: string,
  permission: JsonObject,
  rows: Rows,
  { filters = [], ...more }: Parts = {},
): Scenario =>
  filtered(name, "10.1", [...filters, rbac(allow({ p: policy(permission) }))], outcomes(rows), more);

const identifies = (
  name: string,
  principal: JsonObject,
  rows: Rows,
  { filters = [], ...more }: Parts = {},
): Scenario =>
  filtered(
    name,
    "10.1",
    [...filters, rbac(allow({ p: policy({ any: true }, principal) }))],
    outcomes(rows),
    more,
  );

const proxied = { listener: { listener_filters: [proxyProtocol] } };
const range = (address_prefix: string, prefix_len: number): JsonObject => ({ address_prefix, prefix_len });
const from = (ip: string, more: JudgedRequest = {}, toIp = "10.0.0.1", port = 81): JudgedRequest => ({
  ...more,
  proxy: { source: { ip, port: 5 }, destination: { ip: toIp, port } },
});
const mayHaveCertificate = { chain: downstreamTls({ require: false }) };

const setMetadata = (namespace: string, value: JsonObject): JsonObject =>
  extension("set metadata", "envoy.extensions.filters.http.set_metadata.v3.Config", {
    metadata: [{ metadata_namespace: namespace, value }],
  });
const metadata = (
  filter: string,
  path: readonly string[],
  value: JsonObject,
  invert = false,
): JsonObject => ({
  filter,
  path: path.map((key) => ({ key })),
  value,
  ...(invert && { invert }),
});
const setFilterState = (key: string, value: string): JsonObject =>
  extension("set filter state", "envoy.extensions.filters.http.set_filter_state.v3.Config", {
    on_request_headers: [
      {
        object_key: key,
        factory_key: "envoy.string",
        format_string: { text_format_source: { inline_string: value } },
      },
    ],
  });
const mutation = (request: readonly JsonObject[]): JsonObject =>
  extension("mutate", "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", {
    mutations: { request_mutations: request },
  });
const setX = (value: string): JsonObject => ({
  append: { header: { key: "x", value }, append_action: "OVERWRITE_IF_EXISTS_OR_ADD" },
});

const perRoute = (name: string, type: string, config: JsonObject): JsonObject => ({
  typed_per_filter_config: { [name]: { "@type": typeUrl(type), ...config } },
});

const httpAuthz = (config: JsonObject = {}, server = "no such authorizer"): JsonObject =>
  extension("authz", "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz", {
    transport_api_version: "V3",
    http_service: { server_uri: { uri: "http://authz", cluster: server, timeout: "0.5s" } },
    ...config,
  });
const authzFailed = (status = 403): Expected => ({
  status,
  flags: ["UAEX"],
  details: "ext_authz_error",
  isReceived: false,
});

/** A symmetric key; nothing here is signed with it. */
const keys = '{"keys":[{"kty":"oct","alg":"HS256","kid":"judge","k":"anVkZ2U"}]}';
const provider = (config: JsonObject = {}): JsonObject => ({
  issuer: "judge",
  local_jwks: { inline_string: keys },
  ...config,
});
const jwt = (config: JsonObject, providers: JsonObject = { p: provider() }): JsonObject =>
  extension("jwt", "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication", { providers, ...config });
const needs = { provider_name: "p" };
const everywhere = (requires: JsonObject): JsonObject => ({ rules: [{ match: { prefix: "/" }, requires }] });
const optional = { requires_any: { requirements: [needs, { allow_missing: {} }] } };
const refused: Expected = { status: 401, flags: [], details: "jwt_authn_access_denied", isReceived: false };
const bearer = (token: string): HeaderList => [["authorization", `Bearer ${token}`]];

const networkRbac = (config: JsonObject, name = "rbac"): JsonObject =>
  extension(name, "envoy.extensions.filters.network.rbac.v3.RBAC", { stat_prefix: "judge", ...config });
const network = (
  name: string,
  filters: readonly JsonObject[],
  cases: readonly CasePair[],
  more: { chain?: JsonObject; listener?: JsonObject } = {},
): Scenario =>
  scenario(
    `network policies: ${name}`,
    "10.2",
    {
      listeners: [
        listener(
          `network policies: ${name}`,
          [chain("tcp", [...filters, tcpProxy("echo")], null, more.chain)],
          more.listener,
        ),
      ],
    },
    cases,
  );
const cut = (policyName = "none"): Expected => ({
  status: null,
  isReceived: false,
  details: `rbac_access_denied_matched_policy[${policyName}]`,
});

export const policyScenarios: readonly Scenario[] = [
  filtered(
    "every permission and principal of a policy is one of several",
    "10.1",
    [
      rbac(
        allow({
          p: {
            permissions: [xIs("1"), xIs("2")],
            principals: [header("y", { exact: "1" }), header("y", { exact: "2" })],
          },
        }),
      ),
    ],
    [
      [{ headers: [...x("2"), ["y", "1"]] }, to("r")],
      [{ headers: [...x("1"), ["y", "2"]] }, to("r")],
      [{ headers: [...x("3"), ["y", "2"]] }, denied()],
      [{ headers: [...x("1"), ["y", "3"]] }, denied()],
    ],
  ),
  filtered(
    "policies by the bytes of their names",
    "10.1",
    [
      rbac(
        deny({
          "ns[b]-policy[a]-rule[0]": policy({ any: true }),
          "ns[B]-policy[b]-rule[0]": policy(header("y", { exact: "1" })),
          "ns[a]-policy[z]-rule[10]": policy(xIs("1")),
          "ns[a]-policy[z]-rule[9]": policy(xIs("1")),
        }),
      ),
    ],
    [
      [{}, denied("ns[b]-policy[a]-rule[0]")],
      [
        {
          headers: [
            ["y", "1"],
            ["x", "1"],
          ],
        },
        denied("ns[B]-policy[b]-rule[0]"),
      ],
      [{ headers: x("1") }, denied("ns[a]-policy[z]-rule[10]")],
    ],
  ),
  filtered(
    "ALLOW with policies of which none matches, then DENY of another filter",
    "10.3",
    [
      rbac(deny({ d: policy(xIs("bad")) }), "rbac deny"),
      rbac(allow({ a: policy(header("y", { exact: "1" })) }), "rbac allow"),
    ],
    [
      [
        {
          headers: [
            ["x", "bad"],
            ["y", "1"],
          ],
        },
        denied("d"),
      ],
      [
        {
          headers: [
            ["x", "good"],
            ["y", "1"],
          ],
        },
        to("r"),
      ],
      [{ headers: [["x", "bad"]] }, denied("d")],
      [{}, denied()],
    ],
  ),
  filtered(
    "a matcher that logs, and shadows that do not count",
    "10.1",
    [
      rbac({
        matcher: {
          matcher_tree: {
            input: extension("x", "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", { header_name: "x" }),
            exact_match_map: {
              map: {
                log: {
                  action: extension("action", "envoy.config.rbac.v3.Action", { name: "log", action: "LOG" }),
                },
              },
            },
          },
          on_no_match: {
            action: extension("action", "envoy.config.rbac.v3.Action", {
              name: "not at all",
              action: "DENY",
            }),
          },
        },
        rules: {},
        shadow_rules: {},
      }),
    ],
    [
      [{ headers: x("log") }, to("r")],
      [{}, denied("not_at_all")],
    ],
  ),
  filtered(
    "a shadow matcher enforces nothing",
    "10.1",
    [
      rbac({
        shadow_matcher: {
          on_no_match: {
            action: extension("action", "envoy.config.rbac.v3.Action", { name: "d", action: "DENY" }),
          },
        },
      }),
    ],
    [[{}, to("r")]],
  ),
  permits(
    "not, around present and absent headers",
    {
      and_rules: {
        rules: [
          { not_rule: { header: { name: "x", present_match: true } } },
          { not_rule: { not_rule: { header: { name: "y", present_match: false } } } },
        ],
      },
    },
    [
      [{}, true],
      [{ headers: x("") }, false],
      [{ headers: [["y", "1"]] }, false],
    ],
  ),
  permits(
    "or without and, nested",
    {
      or_rules: {
        rules: [
          { and_rules: { rules: [xIs("1"), { any: true }] } },
          { url_path: { path: { suffix: "/z" } } },
        ],
      },
    },
    [
      [{ headers: x("1") }, true],
      [{ path: "/a/z" }, true],
      [{ path: "/a/z/" }, false],
    ],
  ),
  permits("a header in two lines is one text", xIs("1,2"), [
    [{ headers: x("1", "2") }, true],
    [{ headers: x("1,2") }, true],
    [{ headers: x("2", "1") }, false],
    [{ headers: x("1") }, false],
  ]),
  permits("an inverted header that is absent", header("x", { exact: "1" }, { invert_match: true }), [
    [{ headers: x("2") }, true],
    [{ headers: x("1") }, false],
    [{}, false],
  ]),
  permits("the host header is the authority", header("host", { exact: "A.com" }), [
    [{ authority: "A.com" }, true],
    [{ authority: "a.com" }, false],
  ]),
  permits("the method, as it is written", header(":method", { exact: "POST" }), [
    [{ method: "POST" }, true],
    [{ method: "GET" }, false],
  ]),
  permits("the scheme", header(":scheme", { exact: "http" }), [
    [{}, true],
    [{ protocol: "h2", scheme: "http" }, true],
  ]),
  permits(
    "url_path by an expression that must take all of it",
    { url_path: { path: { safe_regex: { regex: "/(a|b)/.+" } } } },
    [
      [{ path: "/a/x" }, true],
      [{ path: "/b/x?y" }, true],
      [{ path: "/a/" }, false],
      [{ path: "/a/?x" }, false],
      [{ path: "/c/x" }, false],
      [{ path: "/x/a/x" }, false],
    ],
  ),
  permits(
    "url_path in any case, and as it is encoded",
    { url_path: { path: { prefix: "/Ab%20", ignore_case: true } } },
    [
      [{ path: "/aB%20x" }, true],
      [{ path: "/ab+x" }, false],
    ],
  ),
  permits(
    "url_path after normalisation",
    { url_path: { path: { exact: "/b" } } },
    [
      [{ path: "/a/../b" }, true],
      [{ path: "/%62" }, true],
      [{ path: "//b" }, true],
      [{ path: "/b/" }, false],
    ],
    { manager: { normalize_path: true, merge_slashes: true } },
  ),
  permits("url_path without normalisation", { url_path: { path: { exact: "/b" } } }, [
    [{ path: "/a/../b" }, false],
    [{ path: "/b" }, true],
    [{ path: "//b" }, false],
  ]),
  permits(
    "what the route rewrites is not rewritten yet",
    { url_path: { path: { prefix: "/old" } } },
    [
      [{ path: "/old/x" }, true],
      [{ path: "/new/x" }, false],
    ],
    { routes: [forward("r", {}, { prefix_rewrite: "/new", host_rewrite_literal: "b.com" })] },
  ),
  permits(
    "what a filter before writes is there",
    xIs("set"),
    [
      [{}, true],
      [{ headers: x("own") }, true],
    ],
    { filters: [mutation([setX("set")])] },
  ),
  permits(
    "what a filter before removes is gone",
    { header: { name: "x", present_match: false } },
    [
      [{}, true],
      [{ headers: x("own") }, true],
    ],
    { filters: [mutation([{ remove: "x" }])] },
  ),
  permits(
    "destinations of IPv6",
    {
      or_rules: {
        rules: [{ destination_ip: range("fd00::", 64) }, { destination_ip: range("::ffff:10.0.0.0", 104) }],
      },
    },
    [
      [from("fd00::9", {}, "fd00::1"), true],
      [from("fd00::9", {}, "fd00:0:0:1::1"), false],
      [from("10.9.9.9"), false],
    ],
    proxied,
  ),
  permits(
    "destinations without a length are all of their family",
    { destination_ip: { address_prefix: "10.0.0.1" } },
    [
      [from("10.9.9.9", {}, "11.0.0.1"), true],
      [from("fd00::9", {}, "fd00::1"), false],
    ],
    proxied,
  ),
  permits(
    "a server name that no inspector saw",
    { requested_server_name: { exact: "a.com" } },
    [
      [{ tls: { sni: "a.com" } }, false],
      [{ tls: {} }, false],
    ],
    { chain: downstreamTls() },
  ),
  permits(
    "a server name is in small letters, and may be a pattern",
    { requested_server_name: { safe_regex: { regex: "(.*\\.)?a\\.com" } } },
    [
      [{ tls: { sni: "A.COM" } }, true],
      [{ tls: { sni: "x.a.com" } }, true],
      [{ tls: { sni: "xa.com" } }, false],
      [{ tls: {} }, false],
    ],
    { chain: downstreamTls(), listener: { listener_filters: [tlsInspector] } },
  ),
  permits(
    "metadata that a filter sets, of every kind",
    {
      and_rules: {
        rules: [
          { metadata: metadata("own", ["text"], { string_match: { prefix: "va" } }) },
          { metadata: metadata("own", ["number"], { double_match: { range: { start: 1, end: 3 } } }) },
          { metadata: metadata("own", ["flag"], { bool_match: true }) },
          {
            metadata: metadata("own", ["list"], { list_match: { one_of: { string_match: { exact: "b" } } } }),
          },
          { metadata: metadata("own", ["inner", "key"], { present_match: true }) },
          { metadata: metadata("own", ["inner", "other"], { present_match: true }, true) },
          { metadata: metadata("own", ["nothing"], { null_match: {} }) },
          { metadata: metadata("other", ["text"], { string_match: { prefix: "va" } }, true) },
        ],
      },
    },
    [[{}, true]],
    {
      filters: [
        setMetadata("own", {
          text: "value",
          number: 2,
          flag: true,
          list: ["a", "b"],
          inner: { key: "x" },
          nothing: null,
        }),
      ],
    },
  ),
  permits(
    "metadata of another kind does not match",
    {
      or_rules: {
        rules: [
          { metadata: metadata("own", ["number"], { string_match: { prefix: "2" } }) },
          { metadata: metadata("own", ["number"], { double_match: { exact: 3 } }) },
          { metadata: metadata("own", ["number"], { double_match: { range: { start: 0, end: 2 } } }) },
          { metadata: metadata("own", ["list"], { string_match: { exact: "a" } }) },
          {
            metadata: metadata("own", ["text"], {
              list_match: { one_of: { string_match: { exact: "value" } } },
            }),
          },
          { metadata: metadata("own", ["text", "deeper"], { present_match: true }) },
          { metadata: metadata("own", ["missing"], { null_match: {} }) },
          { metadata: metadata("own", ["text"], { present_match: false }) },
        ],
      },
    },
    [[{}, false]],
    { filters: [setMetadata("own", { text: "value", number: 2, list: ["a"] })] },
  ),
  permits(
    "metadata by its source",
    {
      or_rules: {
        rules: [
          {
            sourced_metadata: {
              metadata_matcher: metadata("shared", ["key"], { string_match: { exact: "of the route" } }),
            },
          },
          {
            and_rules: {
              rules: [
                xIs("1"),
                {
                  sourced_metadata: {
                    metadata_matcher: metadata("shared", ["key"], {
                      string_match: { exact: "of the route" },
                    }),
                    metadata_source: "ROUTE",
                  },
                },
              ],
            },
          },
          {
            and_rules: {
              rules: [
                xIs("2"),
                {
                  sourced_metadata: {
                    metadata_matcher: metadata("shared", ["no"], { present_match: true }, true),
                    metadata_source: "ROUTE",
                  },
                },
              ],
            },
          },
        ],
      },
    },
    [
      [{}, false],
      [{ headers: x("1") }, true],
      [{ headers: x("2") }, true],
    ],
    {
      routes: [route("r", {}, { metadata: { filter_metadata: { shared: { key: "of the route" } } } })],
      filters: [setMetadata("shared", { key: "of the request" })],
    },
  ),
  filtered(
    "metadata of a route that is not there",
    "10.1",
    [
      rbac(
        deny({
          inverted: policy({
            sourced_metadata: {
              metadata_matcher: metadata("own", ["no"], { present_match: true }, true),
              metadata_source: "ROUTE",
            },
          }),
        }),
      ),
    ],
    [
      [{ path: "/a" }, denied("inverted")],
      [{ path: "/b" }, { status: 404, details: "route_not_found" }],
    ],
    { routes: [route("r", { prefix: "/a" })] },
  ),
  identifies(
    "a name that may be empty, without a certificate",
    { authenticated: { principal_name: { safe_regex: { regex: ".*" } } } },
    [
      [{ tls: {} }, true],
      [{ tls: { certificate: "client" } }, true],
    ],
    mayHaveCertificate,
  ),
  identifies(
    "not a name: also without a certificate, also without TLS",
    {
      not_id: {
        authenticated: { principal_name: { exact: "spiffe://cluster.local/ns/default/sa/client" } },
      },
    },
    [
      [{ tls: {} }, true],
      [{ tls: { certificate: "client" } }, false],
    ],
    mayHaveCertificate,
  ),
  identifies("not authenticated, without TLS", { not_id: { authenticated: {} } }, [[{}, true]]),
  identifies(
    "names by wildcards, as Istio writes them",
    {
      or_ids: {
        ids: [
          { authenticated: { principal_name: { prefix: "spiffe://other/" } } },
          { authenticated: { principal_name: { suffix: "/sa/client" } } },
        ],
      },
    },
    [
      [{ tls: { certificate: "client" } }, true],
      [{ tls: {} }, false],
    ],
    mayHaveCertificate,
  ),
  identifies(
    "names are compared whole, in their case",
    {
      or_ids: {
        ids: [
          { authenticated: { principal_name: { exact: "SPIFFE://cluster.local/ns/default/sa/client" } } },
          { authenticated: { principal_name: { exact: "cluster.local/ns/default/sa/client" } } },
          { authenticated: { principal_name: { safe_regex: { regex: "/ns/default/" } } } },
          { authenticated: { principal_name: { exact: "client" } } },
        ],
      },
    },
    [[{ tls: { certificate: "client" } }, false]],
    mayHaveCertificate,
  ),
  identifies(
    "a validated certificate",
    {
      custom: extension("mtls", "envoy.extensions.rbac.principals.mtls_authenticated.v3.Config", {
        san_matcher: { san_type: "DNS", matcher: { suffix: ".judge" } },
      }),
    },
    [
      [{ tls: { certificate: "client" } }, true],
      [{ tls: {} }, false],
    ],
    mayHaveCertificate,
  ),
  ...(
    [
      ["source_ip", [true, false, false]],
      ["direct_remote_ip", [false, true, false]],
      ["remote_ip", [false, false, true]],
    ] as const
  ).map(([name, matches]) =>
    filtered(
      `${name} alone`,
      "10.1",
      ["10.9.9.9", "127.77.254.1", "1.2.3.4"].map((ip, index) =>
        rbac(
          matches[index] === true
            ? allow({ p: policy({ any: true }, { [name]: range(ip, 32) }) })
            : deny({ p: policy({ any: true }, { [name]: range(ip, 32) }) }),
          `rbac ${index}`,
        ),
      ),
      [[from("10.9.9.9", { headers: [["x-forwarded-for", "1.2.3.4"]] }), to("r")]],
      proxied,
    ),
  ),
  identifies("remote_ip of IPv6 in the header", { remote_ip: range("2001:db8::", 32) }, [
    [{ headers: [["x-forwarded-for", "2001:db8:1::1"]] }, true],
    [{ headers: [["x-forwarded-for", "[2001:db8:1::1]:80"]] }, false],
    [{ headers: [["x-forwarded-for", "2001:db9::1"]] }, false],
    [{ headers: [["x-forwarded-for", "nonsense"]] }, false],
  ]),
  identifies(
    "filter state that a filter sets",
    {
      filter_state: {
        key: "io.istio.peer_principal",
        string_match: { prefix: "spiffe://td/ns/a/" },
      },
    },
    [
      [{ headers: x("spiffe://td/ns/a/sa/b") }, true],
      [{ headers: x("spiffe://td/ns/b/sa/b") }, false],
      [{}, false],
    ],
    { filters: [setFilterState("io.istio.peer_principal", "%REQ(X)%")] },
  ),
  identifies(
    "filter state that nobody sets",
    { filter_state: { key: "judge.none", string_match: { safe_regex: { regex: ".*" } } } },
    [[{}, false]],
  ),
  identifies(
    "not filter state that nobody sets",
    { not_id: { filter_state: { key: "judge.none", string_match: { exact: "a" } } } },
    [[{}, true]],
  ),
  filtered(
    "per virtual host, per route, and back",
    "10.1, 4.6",
    [rbac(deny({ "of the filter": policy({ any: true }) }))],
    [
      [{ authority: "a.com", path: "/own" }, denied("of_the_route")],
      [{ authority: "a.com" }, denied("of_the_virtual_host")],
      [{ authority: "a.com", path: "/off" }, to("off")],
      [{ authority: "b.com" }, denied("of_the_filter")],
    ],
    {
      virtualHosts: [
        virtualHost(
          "a",
          ["a.com"],
          [
            route(
              "own",
              { prefix: "/own" },
              perRoute("rbac", perRouteType, { rbac: deny({ "of the route": policy({ any: true }) }) }),
            ),
            route("off", { prefix: "/off" }, perRoute("rbac", perRouteType, { rbac: {} })),
            route("rest"),
          ],
          perRoute("rbac", perRouteType, { rbac: deny({ "of the virtual host": policy({ any: true }) }) }),
        ),
        virtualHost("b", ["*"], [route("b")]),
      ],
    },
  ),
  filtered(
    "tokens before policies: who asks for one gets 401, who needs one gets 403",
    "10.3, 10.4",
    [
      jwt(everywhere(optional), { p: provider({ payload_in_metadata: "payload" }) }),
      rbac(
        allow({
          p: policy(
            { any: true },
            {
              metadata: metadata("envoy.filters.http.jwt_authn", ["payload", "iss"], {
                string_match: { exact: "judge" },
              }),
            },
          ),
          open: policy({ url_path: { path: { prefix: "/open" } } }),
        }),
      ),
    ],
    [
      [{}, denied()],
      [{ path: "/open" }, to("r")],
      [{ path: "/open", headers: bearer("no token") }, refused],
      [{ headers: bearer("a.b") }, refused],
    ],
  ),
  filtered(
    "Istio's CUSTOM action: shadow rules gate the authorizer",
    "10.3, 10.5",
    [
      rbac(
        {
          shadow_rules: {
            action: "DENY",
            policies: {
              "istio-ext-authz-ns[a]-policy[b]-rule[0]": policy({ url_path: { path: { prefix: "/admin" } } }),
            },
          },
          shadow_rules_stat_prefix: "istio_ext_authz_",
        },
        "rbac shadow",
      ),
      httpAuthz({
        filter_enabled_metadata: metadata(
          "envoy.filters.http.rbac",
          ["istio_ext_authz_shadow_effective_policy_id"],
          { string_match: { prefix: "istio-ext-authz" } },
        ),
      }),
    ],
    [
      [{ path: "/admin/x" }, authzFailed()],
      [{ path: "/x" }, to("r")],
      [{ path: "/administrator" }, authzFailed()],
    ],
  ),
  filtered(
    "an authorizer without its cluster",
    "10.5",
    [httpAuthz({ status_on_error: { code: "TooManyRequests" } })],
    [
      [{ path: "/x" }, authzFailed(429)],
      [{ path: "/off" }, to("off")],
      [{ path: "/checked" }, authzFailed(429)],
    ],
    {
      virtualHosts: [
        virtualHost(
          "all",
          ["*"],
          [
            route(
              "off",
              { prefix: "/off" },
              perRoute("authz", "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute", {
                disabled: true,
              }),
            ),
            route(
              "checked",
              { prefix: "/checked" },
              perRoute("authz", "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute", {
                check_settings: { context_extensions: { a: "b" } },
              }),
            ),
            route("rest"),
          ],
        ),
      ],
    },
  ),
  filtered(
    "an authorizer without its cluster that may fail",
    "10.5",
    [httpAuthz({ failure_mode_allow: true, failure_mode_allow_header_add: true }), rbac({ rules: {} })],
    [[{}, denied()]],
  ),
  filtered(
    "an authorizer that may fail, as the server sees it",
    "10.5",
    [httpAuthz({ failure_mode_allow: true, failure_mode_allow_header_add: true })],
    [[{}, to("r", { headers: { "x-envoy-auth-failure-mode-allowed": "true" } })]],
  ),
  filtered(
    "an authorizer switched off for the virtual host, and on again",
    "10.5",
    [httpAuthz()],
    [
      [{ path: "/on" }, authzFailed()],
      [{}, to("rest")],
    ],
    {
      virtualHosts: [
        virtualHost(
          "all",
          ["*"],
          [
            route(
              "on",
              { prefix: "/on" },
              perRoute("authz", "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute", {
                check_settings: {},
              }),
            ),
            route("rest"),
          ],
          perRoute("authz", "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute", {
            disabled: true,
          }),
        ),
      ],
    },
  ),
  filtered(
    "an authorizer by its runtime key",
    "10.5",
    [
      httpAuthz({
        filter_enabled: { default_value: { numerator: 0 }, runtime_key: "policies.authz" },
      }),
    ],
    [[{}, authzFailed()]],
    { runtime: { "policies.authz": 100 } },
  ),
  filtered(
    "an authorizer that is off and denies, by runtime",
    "10.5",
    [
      httpAuthz({
        status_on_error: { code: "Conflict" },
        filter_enabled: { default_value: { numerator: 0 }, runtime_key: "policies.authz off" },
        deny_at_disable: { default_value: false, runtime_key: "policies.deny" },
      }),
    ],
    [[{}, { status: 409, isReceived: false }]],
    { runtime: { "policies.deny": true } },
  ),
  filtered(
    "an authorizer by metadata that is inverted, or not there",
    "10.5",
    [
      httpAuthz({
        filter_enabled_metadata: metadata("own", ["skip"], { bool_match: true }, true),
      }),
    ],
    [[{ path: "/x" }, authzFailed()]],
  ),
  filtered(
    "rules of tokens: the first that matches, by path, headers and query",
    "10.4",
    [
      jwt({
        rules: [
          { match: { path_separated_prefix: "/sep" } },
          { match: { safe_regex: { regex: "/r[0-9]+" } }, requires: needs },
          { match: { prefix: "/CASE", case_sensitive: false }, requires: needs },
          {
            match: { prefix: "/q", query_parameters: [{ name: "a", string_match: { exact: "1" } }] },
            requires: needs,
          },
          {
            match: { path: "/h", headers: [{ name: "x", string_match: { exact: "1" }, invert_match: true }] },
            requires: needs,
          },
          { match: { prefix: "/named" }, requirement_name: "strict" },
          { match: { prefix: "/sep" }, requires: needs },
          { match: { prefix: "/" }, requires: {} },
          { match: { prefix: "/never" }, requires: needs },
        ],
        requirement_map: { strict: needs },
      }),
    ],
    [
      [{ path: "/sep" }, to("r")],
      [{ path: "/sep/x?y" }, to("r")],
      [{ path: "/separate" }, refused],
      [{ path: "/r1" }, refused],
      [{ path: "/r1?x" }, refused],
      [{ path: "/r1/x" }, to("r")],
      [{ path: "/case" }, refused],
      [{ path: "/q?a=1" }, refused],
      [{ path: "/q?a=2&a=1" }, to("r")],
      [{ path: "/q?A=1" }, to("r")],
      [{ path: "/h", headers: x("2") }, refused],
      [{ path: "/h" }, to("r")],
      [{ path: "/named/x" }, refused],
      [{ path: "/never" }, to("r")],
    ],
  ),
  filtered(
    "several requirements",
    "10.4",
    [
      jwt(
        {
          rules: [
            {
              match: { prefix: "/all" },
              requires: { requires_all: { requirements: [{ provider_name: "p" }, { allow_missing: {} }] } },
            },
            {
              match: { prefix: "/any" },
              requires: { requires_any: { requirements: [{ provider_name: "p" }, { provider_name: "q" }] } },
            },
            {
              match: { prefix: "/audience" },
              requires: { provider_and_audiences: { provider_name: "p", audiences: ["a"] } },
            },
            { match: { prefix: "/missing" }, requires: { allow_missing: {} } },
            { match: { prefix: "/failed" }, requires: { allow_missing_or_failed: {} } },
            {
              match: { prefix: "/both" },
              requires: {
                requires_all: {
                  requirements: [
                    { requires_any: { requirements: [{ provider_name: "p" }, { allow_missing: {} }] } },
                    { requires_any: { requirements: [{ provider_name: "q" }, { allow_missing: {} }] } },
                  ],
                },
              },
            },
          ],
        },
        { p: provider(), q: provider({ issuer: "q", from_headers: [{ name: "x-token" }] }) },
      ),
    ],
    [
      [{ path: "/all" }, refused],
      [{ path: "/any" }, refused],
      [{ path: "/any", headers: [["x-token", "abc"]] }, refused],
      [{ path: "/audience" }, refused],
      [{ path: "/missing" }, to("r")],
      [{ path: "/missing", headers: bearer("abc") }, refused],
      [{ path: "/missing", headers: [["x-token", "abc"]] }, refused],
      [{ path: "/failed", headers: bearer("abc") }, to("r")],
      [{ path: "/both" }, to("r")],
      [{ path: "/both", headers: [["x-token", "abc"]] }, refused],
      [{ path: "/both", headers: bearer("abc") }, refused],
    ],
  ),
  filtered(
    "where tokens stand",
    "10.4",
    [
      jwt(
        {
          rules: ["h", "v", "q", "c"].map((name) => ({
            match: { prefix: `/${name}` },
            requires: { requires_any: { requirements: [{ provider_name: name }, { allow_missing: {} }] } },
          })),
        },
        {
          h: provider({ issuer: "h", from_headers: [{ name: "X-Token" }] }),
          v: provider({ issuer: "v", from_headers: [{ name: "x-other", value_prefix: "Token=" }] }),
          q: provider({ issuer: "q", from_params: ["tok"] }),
          c: provider({ issuer: "c", from_cookies: ["session"] }),
        },
      ),
    ],
    [
      [{ path: "/h", headers: [["x-token", "abc"]] }, refused],
      [{ path: "/h", headers: bearer("abc") }, to("r")],
      [{ path: "/v", headers: [["x-other", "Token=abc"]] }, refused],
      [{ path: "/v", headers: [["x-other", "abc"]] }, to("r")],
      [{ path: "/v", headers: [["x-other", "token=abc"]] }, to("r")],
      [{ path: "/q?tok=abc" }, refused],
      [{ path: "/q?tok=" }, refused],
      [{ path: "/q?Tok=abc" }, to("r")],
      [{ path: "/q?access_token=abc" }, to("r")],
      [{ path: "/c", headers: [["cookie", "a=b; session=abc"]] }, refused],
      [{ path: "/c", headers: [["cookie", "a=b; sessions=abc"]] }, to("r")],
    ],
  ),
  filtered(
    "the usual places of tokens, and none in between",
    "10.4",
    [jwt(everywhere(optional))],
    [
      [{ headers: bearer("abc") }, refused],
      [{ headers: [["authorization", "bearer abc"]] }, to("r")],
      [{ headers: [["authorization", "Bearer"]] }, to("r")],
      [{ headers: [["authorization", "Basic YTpi"]] }, to("r")],
      [{ path: "/?access_token=abc" }, refused],
      [{ path: "/?x=1&access_token=abc" }, refused],
      [{ path: "/?access%5Ftoken=abc" }, refused],
      [{ headers: [["x-authorization", "Bearer abc"]] }, to("r")],
      [
        {
          headers: [
            ["authorization", "Basic YTpi"],
            ["authorization", "Bearer abc"],
          ],
        },
        refused,
      ],
    ],
  ),
  filtered(
    "headers in the place of claims are taken away",
    "10.4",
    [
      jwt(everywhere(optional), {
        p: provider({
          forward_payload_header: "x-payload",
          claim_to_headers: [{ header_name: "x-sub", claim_name: "sub" }],
        }),
      }),
    ],
    [
      [
        {
          headers: [
            ["x-payload", "forged"],
            ["x-sub", "forged"],
            ["x-other", "stays"],
          ],
        },
        to("r", { headers: { "x-payload": null, "x-sub": null, "x-other": "stays" } }),
      ],
    ],
  ),
  filtered(
    "tokens by virtual host and route",
    "10.4",
    [
      jwt({
        rules: [{ match: { prefix: "/" }, requires: needs }],
        requirement_map: { open: { allow_missing: {} } },
      }),
    ],
    [
      [{}, to("rest")],
      [{ path: "/strict" }, { ...refused, status: 403 }],
      [{ path: "/named" }, to("named")],
      [{ authority: "b.com" }, refused],
    ],
    {
      virtualHosts: [
        virtualHost(
          "a",
          ["*"],
          [
            route(
              "strict",
              { prefix: "/strict" },
              perRoute("jwt", "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", {
                requirement_name: "Open",
              }),
            ),
            route(
              "named",
              { prefix: "/named" },
              perRoute("jwt", "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", {
                requirement_name: "open",
              }),
            ),
            route("rest"),
          ],
          perRoute("jwt", "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", { disabled: true }),
        ),
        virtualHost("b", ["b.com"], [route("b")]),
      ],
    },
  ),
  filtered(
    "what a refused token gets in its answer",
    "10.4",
    [jwt(everywhere(needs))],
    [
      [
        { authority: "a.com:81", path: "/x?y=1" },
        { ...refused, responseHeaders: { "www-authenticate": 'Bearer realm="http://a.com:81/x?y=1"' } },
      ],
      [
        { headers: bearer("abc") },
        {
          ...refused,
          responseHeaders: { "www-authenticate": 'Bearer realm="http://judge/", error="invalid_token"' },
        },
      ],
    ],
  ),
  network(
    "the first of two that denies",
    [
      networkRbac(deny({ first: policy({ destination_port: 81 }) }), "rbac one"),
      networkRbac(
        deny({ "second rule": policy({ destination_port_range: { start: 80, end: 83 } }) }),
        "rbac two",
      ),
      networkRbac(allow({ third: policy({ destination_ip: range("10.0.0.0", 8) }) }), "rbac three"),
    ],
    [
      [from("10.9.9.9"), cut("first")],
      [from("10.9.9.9", {}, "10.0.0.1", 80), cut("second_rule")],
      [from("10.9.9.9", {}, "10.0.0.1", 83), through("echo")],
      [from("10.9.9.9", {}, "11.0.0.1", 83), cut()],
    ],
    proxied,
  ),
  network(
    "rules that are there and empty, that are not, and shadows",
    [
      networkRbac({}, "rbac none"),
      networkRbac({ shadow_rules: {} }, "rbac shadow"),
      networkRbac({ rules: { action: "DENY" } }, "rbac deny nothing"),
      networkRbac({ rules: { action: "LOG", policies: { p: policy({ any: true }) } } }, "rbac log"),
    ],
    [[{}, through("echo")]],
  ),
  network("rules that are there and empty", [networkRbac({ rules: {} })], [[{}, cut()]]),
  network(
    "every address of the client",
    [
      networkRbac(allow({ p: policy({ any: true }, { source_ip: range("10.9.9.0", 24) }) }), "rbac 1"),
      networkRbac(allow({ p: policy({ any: true }, { remote_ip: range("10.9.9.9", 32) }) }), "rbac 2"),
      networkRbac(
        allow({ p: policy({ any: true }, { direct_remote_ip: range("127.77.254.1", 32) }) }),
        "rbac 3",
      ),
    ],
    [
      [from("10.9.9.9"), through("echo")],
      [from("10.9.9.8"), cut()],
      [from("10.9.9.9", { source: "127.77.253.3" }), cut()],
    ],
    proxied,
  ),
  network(
    "server names, and any TLS",
    [
      networkRbac(
        deny({
          "by name": policy({ requested_server_name: { suffix: ".a.com" } }),
          "no name": policy({ requested_server_name: { exact: "" } }),
        }),
        "rbac 1",
      ),
      networkRbac(allow({ p: policy({ any: true }, { authenticated: {} }) }), "rbac 2"),
    ],
    [
      [{ tls: { sni: "x.a.com" } }, cut("by_name")],
      [{ tls: {} }, cut("no_name")],
      [{ tls: { sni: "a.com" } }, through("echo")],
    ],
    { chain: downstreamTls(), listener: { listener_filters: [tlsInspector] } },
  ),
  network(
    "TLS that the chain does not end is none",
    [networkRbac(deny({ p: policy({ any: true }, { authenticated: {} }) }))],
    [
      [{ tls: { sni: "a.com" } }, { filterChain: "tcp", details: "" }],
      [{}, through("echo")],
    ],
    { listener: { listener_filters: [tlsInspector] } },
  ),
  network(
    "a matcher instead of rules",
    [
      networkRbac({
        matcher: {
          matcher_tree: {
            input: extension(
              "port",
              "envoy.extensions.matching.common_inputs.network.v3.DestinationPortInput",
            ),
            exact_match_map: {
              map: {
                "81": { action: extension("action", "envoy.config.rbac.v3.Action", { name: "yes" }) },
                "82": {
                  action: extension("action", "envoy.config.rbac.v3.Action", { name: "no", action: "DENY" }),
                },
              },
            },
          },
        },
      }),
    ],
    [
      [from("10.9.9.9"), through("echo")],
      [from("10.9.9.9", {}, "10.0.0.1", 82), cut("no")],
      [from("10.9.9.9", {}, "10.0.0.1", 83), cut()],
    ],
    proxied,
  ),
  network(
    "metadata that nobody sets",
    [networkRbac(allow({ p: policy({ metadata: metadata("own", ["a"], { present_match: true }, true) }) }))],
    [[{}, through("echo")]],
  ),
  scenario(
    "network policies: before HTTP, by the address of the connection",
    "10.2",
    {
      listeners: [
        listener(
          "network policies: before HTTP, by the address of the connection",
          [
            chain("http", [
              networkRbac(deny({ p: policy({ any: true }, { remote_ip: range("10.9.9.9", 32) }) })),
              httpManager(routeConfig([virtualHost("all", ["*"], [route("r")])])),
            ]),
          ],
          { listener_filters: [proxyProtocol] },
        ),
      ],
    },
    [
      [from("10.9.9.9", { headers: [["x-forwarded-for", "1.2.3.4"]] }), cut("p")],
      [from("10.9.9.8", { headers: [["x-forwarded-for", "10.9.9.9"]] }), to("r")],
    ],
  ),
];
