/** Sections 4.6 and 10 of the facts: HTTP and network filters that answer or refuse. */
import {
  chain,
  cluster,
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
  closed,
  httpScenario,
  scenario,
  through,
  to,
  type CasePair,
  type Expected,
  type Scenario,
} from "../../support/judge/scenario.js";
import type { HeaderList } from "../../../src/trace/request.js";
import type { JsonObject } from "../../support/mesh/json.js";

const rbacType = "envoy.extensions.filters.http.rbac.v3.RBAC";
const networkRbacType = "envoy.extensions.filters.network.rbac.v3.RBAC";

const any = [{ any: true }];
const policy = (permission: JsonObject, principal: JsonObject): JsonObject => ({
  permissions: [permission],
  principals: [principal],
});
const allow = (policies: JsonObject): JsonObject => ({ rules: { policies } });
const deny = (policies: JsonObject): JsonObject => ({ rules: { action: "DENY", policies } });

const denied = (policyName = "none"): Expected => ({
  status: 403,
  details: `rbac_access_denied_matched_policy[${policyName}]`,
  isReceived: false,
});
const allowed = to("r");

const rbac = (
  name: string,
  facts: string,
  config: JsonObject,
  cases: readonly CasePair[],
  more: { chain?: JsonObject; listener?: JsonObject; manager?: JsonObject } = {},
): Scenario =>
  httpScenario(`rbac: ${name}`, facts, {
    routes: [route("r", {}, { metadata: { filter_metadata: { own: { key: "value" } } } })],
    filters: [extension("rbac", rbacType, config)],
    ...more,
    cases,
  });

/** One permission in an ALLOW policy for everybody. */
const permission = (
  name: string,
  facts: string,
  one: JsonObject,
  rows: readonly (readonly [JudgedRequest, boolean])[],
  more: { chain?: JsonObject; listener?: JsonObject } = {},
): Scenario =>
  rbac(`permission: ${name}`, facts, allow({ p: policy(one, { any: true }) }), outcomes(rows), more);

/** One principal in an ALLOW policy for everything. */
const principal = (
  name: string,
  facts: string,
  one: JsonObject,
  rows: readonly (readonly [JudgedRequest, boolean])[],
  more: { chain?: JsonObject; listener?: JsonObject; manager?: JsonObject } = {},
): Scenario =>
  rbac(`principal: ${name}`, facts, allow({ p: policy({ any: true }, one) }), outcomes(rows), more);

const outcomes = (rows: readonly (readonly [JudgedRequest, boolean])[]): CasePair[] =>
  rows.map(([request, isAllowed]) => [request, isAllowed ? allowed : denied()]);

const x = (value: string): HeaderList => [["x", value]];
const xIs = (value: string): JsonObject => ({ header: { name: "x", string_match: { exact: value } } });

const proxied = { listener: { listener_filters: [proxyProtocol] } };
const from = (ip: string, port = 81, more: JudgedRequest = {}): JudgedRequest => ({
  ...more,
  proxy: { source: { ip, port: 5 }, destination: { ip: "10.0.0.1", port } },
});

const networkRbac = (
  name: string,
  facts: string,
  config: JsonObject,
  cases: readonly CasePair[],
  more: { chain?: JsonObject; listener?: JsonObject } = {},
): Scenario =>
  scenario(
    `network rbac: ${name}`,
    facts,
    {
      listeners: [
        listener(
          `network rbac: ${name}`,
          [
            chain(
              "tcp",
              [extension("rbac", networkRbacType, { stat_prefix: "judge", ...config }), tcpProxy("echo")],
              null,
              more.chain,
            ),
          ],
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

/** A symmetric key; nothing here is signed with it. */
const keys = '{"keys":[{"kty":"oct","alg":"HS256","kid":"judge","k":"anVkZ2U"}]}';
const jwtFilter = (config: JsonObject): JsonObject =>
  extension("jwt", "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication", {
    providers: {
      p: { issuer: "i", local_jwks: { inline_string: keys } },
      query: { issuer: "j", from_params: ["tok"], local_jwks: { inline_string: keys } },
    },
    ...config,
  });
const missingToken: Expected = { status: 401, details: "jwt_authn_access_denied", isReceived: false };

const extAuthz = (config: JsonObject = {}): JsonObject =>
  extension("authz", "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz", {
    transport_api_version: "V3",
    grpc_service: { envoy_grpc: { cluster_name: "no authorization server" }, timeout: "0.5s" },
    ...config,
  });
const perRoute = (name: string, type: string, config: JsonObject): JsonObject => ({
  typed_per_filter_config: { [name]: { "@type": typeUrl(type), ...config } },
});
const filterConfig = (name: string, config: JsonObject): JsonObject =>
  perRoute(name, "envoy.config.route.v3.FilterConfig", config);

const fault = (config: JsonObject): JsonObject =>
  extension("fault", "envoy.extensions.filters.http.fault.v3.HTTPFault", config);
const abort = (status: number, numerator = 100): JsonObject => ({
  abort: { http_status: status, percentage: { numerator, denominator: "HUNDRED" } },
});
const faulted = (status: number): Expected => ({
  status,
  flags: ["FI"],
  details: "fault_filter_abort",
  isReceived: false,
});

const denyAll = (name: string): JsonObject => extension(name, rbacType, { rules: {} });

export const rbacScenarios: readonly Scenario[] = [
  rbac("rules that are there and empty", "10.1; 12 #59", { rules: {} }, [[{}, denied()]]),
  rbac("no rules", "10.1; 12 #59", {}, [[{}, allowed]]),
  rbac("DENY without policies", "10.1", { rules: { action: "DENY" } }, [[{}, allowed]]),
  rbac("LOG", "10.1", { rules: { action: "LOG", policies: { p: policy({ any: true }, { any: true }) } } }, [
    [{}, allowed],
  ]),
  rbac(
    "the first policy by name",
    "10.1; 12 traps",
    deny({ b: policy({ any: true }, { any: true }), a: policy(xIs("1"), { any: true }) }),
    [
      [{ headers: x("1") }, denied("a")],
      [{}, denied("b")],
    ],
  ),
  rbac("names with blanks", "10.2", deny({ "a policy": policy({ any: true }, { any: true }) }), [
    [{}, denied("a_policy")],
  ]),
  rbac("DENY", "10.1", deny({ p: policy(xIs("bad"), { any: true }) }), [
    [{ headers: x("bad") }, denied("p")],
    [{ headers: x("good") }, allowed],
  ]),
  rbac(
    "a permission and a principal",
    "10.1",
    allow({ p: policy(xIs("1"), { header: { name: "y", present_match: true } }) }),
    [
      [
        {
          headers: [
            ["x", "1"],
            ["y", ""],
          ],
        },
        allowed,
      ],
      [{ headers: x("1") }, denied()],
      [{ headers: [["y", ""]] }, denied()],
    ],
  ),
  rbac(
    "shadow rules do not count",
    "10.1",
    { shadow_rules: { action: "DENY", policies: { p: policy({ any: true }, { any: true }) } } },
    [[{}, allowed]],
  ),
  rbac(
    "a matcher instead of rules",
    "10.1",
    {
      matcher: {
        matcher_tree: {
          input: extension("x", "envoy.type.matcher.v3.HttpRequestHeaderMatchInput", { header_name: "x" }),
          exact_match_map: {
            map: {
              yes: { action: extension("action", "envoy.config.rbac.v3.Action", { name: "yes" }) },
              no: {
                action: extension("action", "envoy.config.rbac.v3.Action", { name: "no", action: "DENY" }),
              },
            },
          },
        },
      },
    },
    [
      [{ headers: x("yes") }, allowed],
      [{ headers: x("no") }, denied("no")],
      [{}, denied()],
    ],
  ),
  rbac("two filters: DENY before ALLOW", "10.3", deny({ p: policy(xIs("bad"), { any: true }) }), [
    [{ headers: x("bad") }, denied("p")],
  ]),
  permission("not, of a missing header", "10.1; 12 #60", { not_rule: xIs("v") }, [
    [{}, true],
    [{ headers: x("w") }, true],
    [{ headers: x("v") }, false],
  ]),
  permission(
    "and, or",
    "10.1",
    {
      and_rules: {
        rules: [
          xIs("1"),
          {
            or_rules: {
              rules: [{ url_path: { path: { exact: "/a" } } }, { url_path: { path: { prefix: "/b" } } }],
            },
          },
        ],
      },
    },
    [
      [{ headers: x("1"), path: "/a" }, true],
      [{ headers: x("1"), path: "/bc" }, true],
      [{ headers: x("1"), path: "/c" }, false],
      [{ path: "/a" }, false],
    ],
  ),
  permission("url_path has no query", "10.1", { url_path: { path: { exact: "/a" } } }, [
    [{ path: "/a?b" }, true],
    [{ path: "/a" }, true],
    [{ path: "/a/" }, false],
  ]),
  permission(
    "header :path has the query",
    "10.1",
    { header: { name: ":path", string_match: { exact: "/a" } } },
    [
      [{ path: "/a?b" }, false],
      [{ path: "/a" }, true],
    ],
  ),
  permission(
    "header :authority has the port",
    "10.1",
    { header: { name: ":authority", string_match: { exact: "a.com:81" } } },
    [
      [{ authority: "a.com:81" }, true],
      [{ authority: "a.com" }, false],
    ],
  ),
  permission(
    "uri_template",
    "10.1",
    {
      uri_template: extension("t", "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig", {
        path_template: "/a/*/c",
      }),
    },
    [
      [{ path: "/a/b/c" }, true],
      [{ path: "/a/b/d" }, false],
    ],
  ),
  permission(
    "destination_ip",
    "10.1",
    { destination_ip: { address_prefix: "10.0.0.0", prefix_len: 30 } },
    [
      [from("10.9.9.9"), true],
      [{ proxy: { source: { ip: "10.9.9.9", port: 1 }, destination: { ip: "10.0.0.4", port: 81 } } }, false],
    ],
    proxied,
  ),
  permission(
    "destination_port",
    "10.1",
    { destination_port: 81 },
    [
      [from("10.9.9.9"), true],
      [from("10.9.9.9", 82), false],
    ],
    proxied,
  ),
  permission(
    "destination_port_range",
    "10.1",
    { destination_port_range: { start: 80, end: 82 } },
    [
      [from("10.9.9.9", 80), true],
      [from("10.9.9.9", 81), true],
      [from("10.9.9.9", 82), false],
    ],
    proxied,
  ),
  permission(
    "requested_server_name",
    "10.1",
    { requested_server_name: { exact: "a.com" } },
    [
      [{ tls: { sni: "a.com" } }, true],
      [{ tls: { sni: "b.com" } }, false],
      [{ tls: {} }, false],
    ],
    { chain: downstreamTls(), listener: { listener_filters: [tlsInspector] } },
  ),
  permission("requested_server_name, empty", "10.1", { requested_server_name: { exact: "" } }, [[{}, true]]),
  permission(
    "metadata of the route",
    "10.1",
    {
      sourced_metadata: {
        metadata_matcher: {
          filter: "own",
          path: [{ key: "key" }],
          value: { string_match: { exact: "value" } },
        },
        metadata_source: "ROUTE",
      },
    },
    [[{}, true]],
  ),
  permission(
    "dynamic metadata that nobody sets",
    "10.1",
    {
      metadata: { filter: "own", path: [{ key: "key" }], value: { string_match: { exact: "value" } } },
    },
    [[{}, false]],
  ),
  principal(
    "any TLS",
    "10.1; 12 traps",
    { authenticated: {} },
    [
      [{ tls: {} }, true],
      [{ tls: { certificate: "client" } }, true],
    ],
    { chain: downstreamTls({ require: false }) },
  ),
  principal("authenticated without TLS", "10.1", { authenticated: {} }, [[{}, false]]),
  principal(
    "a URI name",
    "10.1",
    { authenticated: { principal_name: { exact: "spiffe://cluster.local/ns/default/sa/client" } } },
    [
      [{ tls: { certificate: "client" } }, true],
      [{ tls: {} }, false],
    ],
    { chain: downstreamTls({ require: false }) },
  ),
  principal(
    "a DNS name, after URI names",
    "10.1",
    { authenticated: { principal_name: { exact: "client.judge" } } },
    [[{ tls: { certificate: "client" } }, true]],
    { chain: downstreamTls({ require: false }) },
  ),
  principal(
    "the subject, after both",
    "10.1",
    { authenticated: { principal_name: { exact: "CN=client" } } },
    [
      [{ tls: { certificate: "client" } }, true],
      [{ tls: {} }, false],
    ],
    { chain: downstreamTls({ require: false }) },
  ),
  principal(
    "namespaces as Istio writes them",
    "10.1",
    {
      authenticated: { principal_name: { safe_regex: { regex: ".*/ns/default/.*" } } },
    },
    [
      [{ tls: { certificate: "client" } }, true],
      [{ tls: {} }, false],
    ],
    { chain: downstreamTls({ require: false }) },
  ),
  principal(
    "source_ip, direct_remote_ip, remote_ip",
    "10.1",
    {
      and_ids: {
        ids: [
          { source_ip: { address_prefix: "10.9.9.9", prefix_len: 32 } },
          { direct_remote_ip: { address_prefix: "127.0.0.0", prefix_len: 8 } },
          { remote_ip: { address_prefix: "1.2.3.4", prefix_len: 32 } },
        ],
      },
    },
    [
      [from("10.9.9.9", 81, { headers: [["x-forwarded-for", "1.2.3.4"]] }), true],
      [from("10.9.9.9", 81, { headers: [["x-forwarded-for", "1.2.3.5"]] }), false],
      [from("10.9.9.8", 81, { headers: [["x-forwarded-for", "1.2.3.4"]] }), false],
      [from("10.9.9.9"), false],
    ],
    proxied,
  ),
  principal(
    "remote_ip with trusted hops",
    "4.5, 10.1",
    { remote_ip: { address_prefix: "1.1.1.1", prefix_len: 32 } },
    [
      [{ headers: [["x-forwarded-for", "1.1.1.1, 2.2.2.2"]] }, true],
      [{ headers: [["x-forwarded-for", "2.2.2.2, 1.1.1.1"]] }, false],
      [{ headers: [["x-forwarded-for", "1.1.1.1"]] }, false],
      [{ headers: [["x-forwarded-for", "0.0.0.1, 1.1.1.1, 2.2.2.2"]] }, true],
    ],
    { manager: { xff_num_trusted_hops: 1 } },
  ),
  principal(
    "remote_ip at the edge",
    "4.5, 10.1",
    { remote_ip: { address_prefix: "10.9.9.9", prefix_len: 32 } },
    [
      [from("10.9.9.9", 81, { headers: [["x-forwarded-for", "1.2.3.4"]] }), true],
      [from("10.9.9.8", 81, { headers: [["x-forwarded-for", "10.9.9.9"]] }), false],
    ],
    { ...proxied, manager: { use_remote_address: true } },
  ),
  principal(
    "or, not, header, url_path",
    "10.1",
    {
      or_ids: {
        ids: [
          { not_id: { header: { name: "x", present_match: true } } },
          { url_path: { path: { suffix: ".png" } } },
        ],
      },
    },
    [
      [{}, true],
      [{ headers: x("1") }, false],
      [{ headers: x("1"), path: "/a.png?q" }, true],
    ],
  ),
  httpScenario("rbac: per route", "10.1, 4.6", {
    routes: [
      route(
        "open",
        { prefix: "/open" },
        perRoute("rbac", "envoy.extensions.filters.http.rbac.v3.RBACPerRoute", {}),
      ),
      route(
        "other",
        { prefix: "/other" },
        perRoute("rbac", "envoy.extensions.filters.http.rbac.v3.RBACPerRoute", {
          rbac: allow({ p: policy(xIs("1"), { any: true }) }),
        }),
      ),
      route("rest"),
    ],
    filters: [denyAll("rbac")],
    cases: [
      [{ path: "/open" }, to("open")],
      [{ path: "/other" }, denied()],
      [{ path: "/other", headers: x("1") }, to("other")],
      [{ path: "/x" }, denied()],
    ],
  }),
  networkRbac(
    "ALLOW by source",
    "10.2",
    allow({
      p: policy({ any: true }, { direct_remote_ip: { address_prefix: "127.77.254.0", prefix_len: 24 } }),
    }),
    [
      [{}, through("echo")],
      [{ source: "127.77.253.9" }, cut()],
    ],
  ),
  networkRbac(
    "DENY by port",
    "10.2",
    deny({ p: policy({ destination_port: 81 }, { any: true }) }),
    [
      [from("10.9.9.9"), cut("p")],
      [from("10.9.9.9", 82), through("echo")],
    ],
    proxied,
  ),
  networkRbac(
    "url_path never matches",
    "10.2",
    allow({ p: policy({ url_path: { path: { prefix: "/" } } }, { any: true }) }),
    [[{ path: "/" }, cut()]],
  ),
  networkRbac(
    "nothing is sent, nothing is denied",
    "10.2",
    deny({ p: policy({ any: true }, { any: true }) }),
    [[{ protocol: "tcp", bytes: "first bytes" }, cut("p")]],
  ),
  networkRbac(
    "who the client is",
    "10.1, 10.2",
    allow({
      p: policy({ any: true }, { authenticated: { principal_name: { prefix: "spiffe://cluster.local/" } } }),
    }),
    [
      [{ tls: { certificate: "client" } }, through("echo")],
      [{ tls: {} }, cut()],
    ],
    { chain: downstreamTls({ require: false }) },
  ),
];

export const filterScenarios: readonly Scenario[] = [
  httpScenario("jwt: a missing token", "10.4", {
    routes: [route("r")],
    filters: [
      jwtFilter({
        rules: [
          { match: { prefix: "/a" }, requires: { provider_name: "p" } },
          { match: { prefix: "/free" } },
        ],
      }),
    ],
    cases: [
      [{ path: "/a" }, missingToken],
      [{ path: "/a", headers: [["authorization", "Basic abc"]] }, missingToken],
      [{ path: "/free" }, to("r")],
      [{ path: "/other" }, to("r")],
    ],
  }),
  httpScenario("jwt: allow_missing", "10.4", {
    routes: [route("r")],
    filters: [
      jwtFilter({
        rules: [
          {
            match: { prefix: "/" },
            requires: { requires_any: { requirements: [{ provider_name: "p" }, { allow_missing: {} }] } },
          },
        ],
      }),
    ],
    cases: [
      [{}, to("r")],
      [{ headers: [["authorization", "Bearer not.a.token"]] }, { status: 401, isReceived: false }],
    ],
  }),
  httpScenario("jwt: allow_missing_or_failed", "10.4", {
    routes: [route("r")],
    filters: [
      jwtFilter({
        rules: [
          {
            match: { prefix: "/" },
            requires: {
              requires_any: { requirements: [{ provider_name: "p" }, { allow_missing_or_failed: {} }] },
            },
          },
        ],
      }),
    ],
    cases: [
      [{}, to("r")],
      [{ headers: [["authorization", "Bearer not.a.token"]] }, to("r")],
    ],
  }),
  httpScenario("jwt: per route", "10.4", {
    routes: [
      route(
        "off",
        { prefix: "/off" },
        perRoute("jwt", "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", { disabled: true }),
      ),
      route(
        "named",
        { prefix: "/named" },
        perRoute("jwt", "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", {
          requirement_name: "strict",
        }),
      ),
      route(
        "unknown",
        { prefix: "/unknown" },
        perRoute("jwt", "envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", {
          requirement_name: "no such",
        }),
      ),
      route("rest"),
    ],
    filters: [
      jwtFilter({
        rules: [{ match: { prefix: "/off" }, requires: { provider_name: "p" } }],
        requirement_map: { strict: { provider_name: "p" } },
      }),
    ],
    cases: [
      [{ path: "/off" }, to("off")],
      [{ path: "/named" }, missingToken],
      [{ path: "/unknown" }, { status: 403, isReceived: false }],
      [{ path: "/x" }, to("rest")],
    ],
  }),
  httpScenario("jwt: preflight passes", "10.4", {
    routes: [route("r")],
    filters: [
      jwtFilter({
        bypass_cors_preflight: true,
        rules: [{ match: { prefix: "/" }, requires: { provider_name: "p" } }],
      }),
    ],
    cases: [
      [
        {
          method: "OPTIONS",
          headers: [
            ["origin", "a"],
            ["access-control-request-method", "GET"],
          ],
        },
        to("r"),
      ],
      [{ method: "OPTIONS" }, missingToken],
    ],
  }),
  httpScenario("ext_authz: no such cluster", "10.5", {
    routes: [
      route(
        "off",
        { prefix: "/off" },
        perRoute("authz", "envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute", { disabled: true }),
      ),
      route("rest"),
    ],
    filters: [extAuthz({ status_on_error: { code: "ServiceUnavailable" } })],
    clusters: [cluster("no authorization server", [{ address: "127.77.1.9", port: 1 }])],
    cases: [
      [{ path: "/x" }, { status: 503, flags: ["UAEX"], details: "ext_authz_error", isReceived: false }],
      [{ path: "/off" }, to("off")],
    ],
  }),
  httpScenario("ext_authz: fails open", "10.5", {
    routes: [route("rest")],
    filters: [extAuthz({ failure_mode_allow: true })],
    cases: [[{}, to("rest")]],
  }),
  httpScenario("ext_authz: fails closed", "10.5", {
    routes: [route("rest")],
    filters: [extAuthz()],
    cases: [[{}, { status: 403, flags: ["UAEX"], details: "ext_authz_error" }]],
  }),
  httpScenario("ext_authz: not enabled", "10.5", {
    routes: [route("rest")],
    filters: [extAuthz({ filter_enabled: { default_value: { numerator: 0 }, runtime_key: "judge.authz" } })],
    cases: [[{}, to("rest")]],
  }),
  httpScenario("ext_authz: denied where it is not enabled", "10.5", {
    routes: [route("rest")],
    filters: [
      extAuthz({
        filter_enabled: { default_value: { numerator: 0 }, runtime_key: "judge.authz2" },
        deny_at_disable: { default_value: true, runtime_key: "judge.deny" },
      }),
    ],
    cases: [[{}, { status: 403, isReceived: false }]],
  }),
  httpScenario("fault: abort", "4.6", {
    routes: [
      route(
        "own",
        { prefix: "/own" },
        perRoute("fault", "envoy.extensions.filters.http.fault.v3.HTTPFault", abort(418)),
      ),
      route("rest"),
    ],
    filters: [fault(abort(503))],
    cases: [
      [{ path: "/x" }, faulted(503)],
      [{ path: "/own" }, faulted(418)],
    ],
  }),
  httpScenario("fault: gates", "4.6", {
    routes: [forward("other", { prefix: "/other" }, { cluster: "fault other" }), route("rest")],
    filters: [
      fault({
        ...abort(500),
        upstream_cluster: "fault other",
        headers: [{ name: "x", present_match: true }],
      }),
    ],
    clusters: [cluster("fault other", [{ address: "127.77.1.1" }])],
    cases: [
      [{ path: "/other", headers: x("1") }, faulted(500)],
      [{ path: "/other" }, to("other")],
      [{ path: "/x", headers: x("1") }, to("rest")],
    ],
  }),
  httpScenario("fault: by the request's headers", "4.6", {
    routes: [route("rest")],
    filters: [fault({ abort: { header_abort: {}, percentage: { numerator: 100 } } })],
    cases: [
      [{ headers: [["x-envoy-fault-abort-request", "502"]] }, faulted(502)],
      [{}, to("rest")],
    ],
  }),
  httpScenario("cors: preflight", "4.6", {
    routes: [
      route(
        "r",
        { prefix: "/c" },
        perRoute("cors", "envoy.extensions.filters.http.cors.v3.CorsPolicy", {
          allow_origin_string_match: [{ exact: "https://a.com" }],
          allow_methods: "GET",
        }),
      ),
      route("rest"),
    ],
    filters: [extension("cors", "envoy.extensions.filters.http.cors.v3.Cors")],
    cases: [
      [
        {
          method: "OPTIONS",
          path: "/c",
          headers: [
            ["origin", "https://a.com"],
            ["access-control-request-method", "GET"],
          ],
        },
        { status: 200, isReceived: false, responseHeaders: { "access-control-allow-methods": "GET" } },
      ],
      [
        {
          method: "OPTIONS",
          path: "/c",
          headers: [
            ["origin", "https://b.com"],
            ["access-control-request-method", "GET"],
          ],
        },
        to("r"),
      ],
      [{ method: "OPTIONS", path: "/c", headers: [["origin", "https://a.com"]] }, to("r")],
      [
        {
          method: "GET",
          path: "/c",
          headers: [
            ["origin", "https://a.com"],
            ["access-control-request-method", "GET"],
          ],
        },
        to("r"),
      ],
      [
        {
          method: "OPTIONS",
          path: "/x",
          headers: [
            ["origin", "https://a.com"],
            ["access-control-request-method", "GET"],
          ],
        },
        to("rest"),
      ],
    ],
  }),
  httpScenario("local_ratelimit: a bucket of one", "4.6", {
    routes: [route("r")],
    filters: [
      extension("limit", "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit", {
        stat_prefix: "judge",
        token_bucket: { max_tokens: 1, tokens_per_fill: 1, fill_interval: "3600s" },
        filter_enabled: { default_value: { numerator: 0 }, runtime_key: "judge.limit" },
      }),
    ],
    cases: [[{}, to("r"), 3]],
  }),
  httpScenario("filters: disabled in the manager", "4.6; 12 #54", {
    routes: [
      route(
        "on",
        { prefix: "/on" },
        perRoute("off by default", "envoy.extensions.filters.http.rbac.v3.RBACPerRoute", {
          rbac: { rules: {} },
        }),
      ),
      route("on too", { prefix: "/empty" }, filterConfig("off by default", { config: {} })),
      route("rest"),
    ],
    filters: [{ ...denyAll("off by default"), disabled: true }],
    cases: [
      [{ path: "/on" }, denied()],
      [{ path: "/empty" }, denied()],
      [{ path: "/x" }, to("rest")],
    ],
  }),
  httpScenario("filters: disabled by a level, enabled by a deeper one", "4.6", {
    virtualHosts: [
      virtualHost(
        "off",
        ["off.com"],
        [
          route(
            "on again",
            { prefix: "/on" },
            perRoute("rbac", "envoy.extensions.filters.http.rbac.v3.RBACPerRoute", { rbac: { rules: {} } }),
          ),
          route("off"),
        ],
        filterConfig("rbac", { disabled: true }),
      ),
      virtualHost(
        "on",
        ["*"],
        [route("off here", { prefix: "/off" }, filterConfig("rbac", { disabled: true })), route("on")],
      ),
    ],
    filters: [denyAll("rbac")],
    cases: [
      [{ authority: "off.com" }, to("off")],
      [{ authority: "off.com", path: "/on" }, denied()],
      [{ authority: "a.com" }, denied()],
      [{ authority: "a.com", path: "/off" }, to("off here")],
    ],
  }),
  httpScenario("filters: keyed by their name in the list", "4.6", {
    routes: [
      route("first", { prefix: "/1" }, filterConfig("rbac one", { disabled: true })),
      route(
        "both",
        { prefix: "/2" },
        {
          typed_per_filter_config: {
            "rbac one": { "@type": typeUrl("envoy.config.route.v3.FilterConfig"), disabled: true },
            "rbac two": { "@type": typeUrl("envoy.config.route.v3.FilterConfig"), disabled: true },
          },
        },
      ),
    ],
    filters: [denyAll("rbac one"), denyAll("rbac two")],
    cases: [
      [{ path: "/1" }, denied()],
      [{ path: "/2" }, to("both")],
    ],
  }),
  httpScenario("filters: no route, only the manager's default", "4.6", {
    routes: [route("off", { prefix: "/off" }, filterConfig("rbac", { disabled: true }))],
    filters: [denyAll("rbac")],
    cases: [
      [{ path: "/x" }, denied()],
      [{ path: "/off" }, to("off")],
    ],
  }),
  httpScenario("filters: on a weighted entry", "4.6", {
    routes: [
      forward(
        "w",
        {},
        {
          weighted_clusters: {
            clusters: [{ name: "echo", weight: 1, ...filterConfig("rbac", { disabled: true }) }],
          },
        },
      ),
    ],
    filters: [denyAll("rbac")],
    cases: [[{}, to("w")]],
  }),
  httpScenario("filters: ECDS without its configuration", "4.6", {
    routes: [route("r")],
    filters: [
      {
        name: "from ecds",
        config_discovery: {
          config_source: {
            api_config_source: {
              api_type: "GRPC",
              transport_api_version: "V3",
              grpc_services: [{ envoy_grpc: { cluster_name: "no ecds server" } }],
            },
            initial_fetch_timeout: "0.2s",
            resource_api_version: "V3",
          },
          type_urls: [typeUrl(rbacType)],
        },
      },
    ],
    clusters: [cluster("no ecds server", [{ address: "127.77.1.9", port: 1 }])],
    cases: [[{}, { status: 500, isReceived: false }]],
  }),
  httpScenario("filters: optional and unknown", "4.6", {
    routes: [route("r")],
    filters: [
      {
        name: "unknown",
        is_optional: true,
        typed_config: { "@type": "type.googleapis.com/google.protobuf.Struct", value: {} },
      },
    ],
    cases: [[{}, to("r")]],
  }),
  httpScenario("filters: redirects and direct responses come after them", "2, pipeline", {
    routes: [
      route("redirect", { prefix: "/r" }, { redirect: { host_redirect: "b" } }),
      route("direct", {}, { direct_response: { status: 204 } }),
    ],
    filters: [denyAll("rbac")],
    cases: [
      [{ path: "/r" }, denied()],
      [{ path: "/d" }, denied()],
    ],
  }),
  httpScenario("filters: require_tls comes after them, too", "2, 5", {
    virtualHosts: [virtualHost("tls", ["*"], [route("r")], { require_tls: "ALL" })],
    filters: [
      extension("rbac", rbacType, {
        rules: {
          action: "DENY",
          policies: { p: policy({ header: { name: "x", present_match: true } }, { any: true }) },
        },
      }),
    ],
    cases: [
      [{ headers: x("1") }, denied("p")],
      [{}, { status: 301, location: "https://judge/" }],
    ],
  }),
  scenario(
    "network rbac after a missing cluster",
    "8, 10.2",
    {
      listeners: [
        listener("network rbac after a missing cluster", [
          chain("tcp", [
            extension("rbac", networkRbacType, { stat_prefix: "judge", rules: {} }),
            tcpProxy("nowhere"),
          ]),
        ]),
      ],
    },
    // the TCP proxy looks for its cluster before any bytes come
    [[{}, closed({ flags: ["NC"], details: "" })]],
  ),
  scenario(
    "network rbac before HTTP",
    "10.2",
    {
      listeners: [
        listener("network rbac before HTTP", [
          chain("http", [
            extension("rbac", networkRbacType, {
              stat_prefix: "judge",
              ...deny({
                p: {
                  permissions: any,
                  principals: [{ direct_remote_ip: { address_prefix: "127.77.253.9", prefix_len: 32 } }],
                },
              }),
            }),
            httpManager(routeConfig([virtualHost("all", ["*"], [route("r")])])),
          ]),
        ]),
      ],
    },
    [
      [{ source: "127.77.253.9" }, closed({ details: "rbac_access_denied_matched_policy[p]" })],
      [{}, to("r")],
    ],
  ),
];
