import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { FilterChainResult } from "../../../src/trace/filters/http-filters.js";
import { unknown } from "../../../src/trace/unknown.js";
import {
  aFilter,
  anEntry,
  headerMutationType,
  headersOf,
  luaType,
  rbacType,
  router,
  run,
  surroundings,
  withTls,
} from "./filter-builders.js";

const type = (kind: string, message: string): string => `envoy.extensions.filters.http.${kind}.v3.${message}`;
const denyAll = aFilter(rbacType, { rules: {} });
const allowsWithX = aFilter(rbacType, {
  rules: {
    policies: {
      "with-x": {
        permissions: [{ header: { name: "x", present_match: true } }],
        principals: [{ any: true }],
      },
    },
  },
});
const addsX = aFilter(headerMutationType, {
  mutations: { request_mutations: [{ append: { header: { key: "x", value: "1" } } }] },
});
const lua = aFilter(luaType, { default_source_code: { inline_string: "x" } });
const clears = aFilter(type("set_filter_state", "Config"), { clear_route_cache: true });
const perRoute = (own: Message): Message => ({
  "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
  ...own,
});
const filterConfig = (own: Message): Message => ({
  "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
  ...own,
});
const names = ({ decisions }: FilterChainResult): string[] =>
  decisions.map(({ name, decision, policy }) => [name, decision, policy].join(" ").trim());

describe("the chain", () => {
  it("ends at the router", () => {
    const result = run([addsX, allowsWithX, router, denyAll]);
    expect(names(result)).toEqual(["header_mutation passed", "rbac allowed with-x", "router passed"]);
    expect(result).toMatchObject({ reply: null, isKnown: true, unknowns: [] });
    expect(result.context.headers).toEqual(headersOf({ x: "1" }));
  });

  it("ends at the first filter that denies", () => {
    const result = run([denyAll, lua, denyAll]);
    expect(names(result)).toEqual(["rbac denied none"]);
    expect(result).toMatchObject({ isKnown: true, unknowns: [], reply: { status: 403 } });
  });

  it("ends at the first that answers", () => {
    const fault = aFilter(type("fault", "HTTPFault"), {
      abort: { http_status: 503, percentage: { numerator: 100 } },
    });
    expect(names(run([fault, denyAll]))).toEqual(["fault answered"]);
  });

  it("sees headers as the filters before left them", () => {
    expect(run([allowsWithX, addsX]).reply?.status).toBe(403);
    expect(run([addsX, allowsWithX]).reply).toBeNull();
  });

  it("keeps what delays and CORS leave for the response", () => {
    const delay = aFilter(type("fault", "HTTPFault"), {
      delay: { fixed_delay: "1s", percentage: { numerator: 100 } },
    });
    const cors = aFilter(type("cors", "Cors"));
    const policy = {
      "@type": `type.googleapis.com/${type("cors", "CorsPolicy")}`,
      allow_origin_string_match: [{ exact: "a" }],
    };
    const entry = anEntry({ virtualHost: { typed_per_filter_config: { cors: policy } } });
    const result = run([delay, cors], { entry, headers: headersOf({ origin: "a" }) });
    expect(result.responseFlags).toEqual(["DI"]);
    expect(result.responseHeaders).toEqual([["access-control-allow-origin", "a"]]);
  });
});

describe("what is not known", () => {
  it("leaves the result open; the rest is as if the filter let it pass", () => {
    const result = run([lua, allowsWithX], { headers: headersOf({ x: "1" }) });
    expect(names(result)).toEqual(["lua unknown", "rbac allowed with-x", "router passed"]);
    expect(result).toMatchObject({ isKnown: false, reply: null, unknowns: [{ reason: "code" }] });
  });

  it("also where a filter behind it denies, for it could have answered or changed the request", () => {
    expect(run([lua, denyAll])).toMatchObject({ isKnown: false, reply: { status: 403 } });
    expect(run([denyAll, lua])).toMatchObject({ isKnown: true, reply: { status: 403 } });
  });

  it("does not matter where it only names the policy, or only delays", () => {
    const open = { permissions: [{ any: true }], principals: [{ any: true }], condition: {} };
    const sure = { permissions: [{ any: true }], principals: [{ any: true }] };
    const denies = aFilter(rbacType, { rules: { action: "DENY", policies: { a: open, b: sure } } });
    expect(run([denies])).toMatchObject({ isKnown: true, reply: { status: 403, detail: "" } });
    expect(run([denies]).unknowns).toHaveLength(1);
    const delay = aFilter(type("fault", "HTTPFault"), {
      delay: { fixed_delay: "1s", percentage: { numerator: 50 } },
    });
    expect(run([delay])).toMatchObject({ isKnown: true, unknowns: [{ reason: "random" }] });
  });

  it("ends the chain where a filter answers in any case", () => {
    const check = aFilter(type("health_check", "HealthCheck"), { pass_through_mode: false });
    expect(run([check, denyAll])).toMatchObject({ isKnown: false, reply: { status: 200 } });
  });
});

describe("which filters are on", () => {
  it("is told by the connection manager and by the levels of the route (case 54)", () => {
    const off = { ...denyAll, disabled: true };
    expect(names(run([off]))).toEqual(["rbac disabled", "router passed"]);
    const host = (value: Message): Partial<Parameters<typeof run>[1]> => ({
      entry: anEntry({ virtualHost: { typed_per_filter_config: { rbac: value } } }),
    });
    expect(run([off], host(filterConfig({ config: {} }))).reply?.status).toBe(403);
    expect(run([denyAll], host(filterConfig({ disabled: true }))).reply).toBeNull();
  });

  it("is told by the weighted cluster, too", () => {
    const weighted = { typed_per_filter_config: { rbac: filterConfig({ disabled: true }) } };
    expect(run([denyAll], { entry: anEntry({ weighted }) }).reply).toBeNull();
    expect(run([denyAll], { entry: anEntry({ weighted: {} }) }).reply?.status).toBe(403);
  });

  it("without a route is told by the connection manager alone", () => {
    expect(run([denyAll], { entry: null }).reply?.status).toBe(403);
    expect(run([{ ...denyAll, disabled: true }], { entry: null }).reply).toBeNull();
  });

  it("goes by the filter's own name since 1.23, and by that of its kind until 1.26", () => {
    const mine = { ...denyAll, name: "mine" };
    const entry = (key: string): ReturnType<typeof anEntry> =>
      anEntry({ route: { route: {}, typed_per_filter_config: { [key]: perRoute({}) } } });
    const isDenied = (key: string, envoy: number): boolean =>
      run([mine], { entry: entry(key), envoy }).reply !== null;
    expect([20, 24, 36].map((envoy) => isDenied("mine", envoy))).toEqual([true, false, false]);
    expect([20, 24, 36].map((envoy) => isDenied("envoy.filters.http.rbac", envoy))).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe("configurations of the route", () => {
  it("reach the filter; the most specific one counts", () => {
    const levels = (route: Message, host: Message): ReturnType<typeof anEntry> =>
      anEntry({
        route: { route: {}, typed_per_filter_config: { rbac: route } },
        virtualHost: { typed_per_filter_config: { rbac: host } },
      });
    const strict = perRoute({ rbac: { rules: {} } });
    expect(run([denyAll], { entry: levels(perRoute({}), strict) }).reply).toBeNull();
    expect(run([denyAll], { entry: levels(strict, perRoute({})) }).reply?.status).toBe(403);
  });
});

describe("a cleared route", () => {
  const other = anEntry({
    route: { name: "other", route: {}, typed_per_filter_config: { rbac: perRoute({}) } },
    cluster: "other",
  });
  const rematch = ({ headers }: { headers: ReturnType<typeof headersOf> }): ReturnType<typeof anEntry> =>
    headers.some(([name]) => name === "x") ? other : anEntry();

  it("is matched anew with the headers of that moment, and brings its own configurations", () => {
    const result = run([addsX, clears, denyAll], { own: { rematch } });
    expect(result).toMatchObject({ reply: null, isKnown: true });
    expect(result.entry?.cluster).toBe("other");
    expect(result.context.route).toMatchObject({ name: "other" });
  });

  it("stays as it was where nobody clears it, whatever headers are added", () => {
    const result = run([addsX, denyAll], { own: { rematch } });
    expect(result.entry?.cluster).toBe("up");
    expect(result.reply?.status).toBe(403);
  });

  it("does not turn filters on or off", () => {
    const withOff = anEntry({
      route: { route: {}, typed_per_filter_config: { rbac: filterConfig({ disabled: true }) } },
    });
    expect(run([clears, denyAll], { own: { rematch: () => withOff } }).reply?.status).toBe(403);
    expect(run([denyAll], { entry: withOff }).reply).toBeNull();
  });

  it("may be gone, or not be known", () => {
    expect(run([clears], { own: { rematch: () => null } })).toMatchObject({ entry: null, isKnown: true });
    const because = [unknown("random", "x")];
    expect(run([clears], { own: { rematch: () => ({ because }) } })).toMatchObject({
      isKnown: false,
      unknowns: because,
    });
  });
});

describe("discovered filters", () => {
  const discovered = (own: Message = {}): Message => ({ name: "d", config_discovery: own });
  const withConfig = (found: Message | undefined | "unknown"): Parameters<typeof run>[1] => ({
    own: { discovered: (name) => (name === "d" ? found : undefined) },
  });

  it("are evaluated as what was discovered", () => {
    expect(names(run([discovered()], withConfig(denyAll)))).toEqual(["d denied none"]);
    expect(names(run([discovered()], withConfig(allowsWithX)))).toEqual(["d denied none"]);
    expect(names(run([addsX, discovered()], withConfig(allowsWithX)))[1]).toBe("d allowed with-x");
  });

  it("answer 500 where there is none, but not before other filters", () => {
    const result = run([discovered()], withConfig(undefined));
    expect(names(result)).toEqual(["d answered"]);
    expect(result.reply).toMatchObject({ status: 500, responseFlags: ["NFCF"], detail: "" });
    expect(run([denyAll, discovered()], withConfig(undefined)).reply?.status).toBe(403);
  });

  it("have a default, or may be off", () => {
    const fallback = discovered({ default_config: denyAll["typed_config"] });
    expect(names(run([fallback], withConfig(undefined)))).toEqual(["d denied none"]);
    const entry = anEntry({
      route: { route: {}, typed_per_filter_config: { d: filterConfig({ disabled: true }) } },
    });
    expect(run([discovered()], { ...withConfig(undefined), entry }).reply).toBeNull();
  });

  it("are unknown where they were not captured", () => {
    expect(run([discovered()], withConfig("unknown"))).toMatchObject({
      isKnown: false,
      reply: null,
      unknowns: [{ reason: "not captured" }],
    });
  });
});

describe("Istio's filters in a row", () => {
  const needsToken = { provider_name: "p" };
  const jwt = aFilter(type("jwt_authn", "JwtAuthentication"), {
    providers: { p: { payload_in_metadata: "payload" } },
    rules: [
      {
        match: { prefix: "/" },
        requires: { requires_any: { requirements: [needsToken, { allow_missing: {} }] } },
      },
    ],
  });
  const claim = (key: string): Message => ({
    metadata: {
      filter: "envoy.filters.http.jwt_authn",
      path: [{ key: "payload" }, { key }],
      value: { string_match: { prefix: "" } },
    },
  });
  const allowsClaims = aFilter(rbacType, {
    rules: { policies: { claims: { permissions: [{ any: true }], principals: [claim("sub")] } } },
  });

  it("a request without a token passes the first and is denied by the second", () => {
    const result = run([jwt, allowsClaims]);
    expect(names(result)).toEqual(["jwt_authn allowed p", "rbac denied none"]);
    expect(result.isKnown).toBe(true);
  });

  it("a token leaves both open", () => {
    const result = run([jwt, allowsClaims], { headers: headersOf({ authorization: "Bearer a.b.c" }) });
    expect(names(result)).toEqual(["jwt_authn unknown", "rbac unknown", "router passed"]);
    expect(result.unknowns.map(({ reason }) => reason)).toEqual(["token", "dynamic metadata"]);
  });

  const shadow = (policy: Message): Message =>
    aFilter(rbacType, {
      shadow_rules_stat_prefix: "istio_ext_authz_",
      shadow_rules: { action: "DENY", policies: { "istio-ext-authz-ns[a]": policy } },
    });
  const onPath = (path: string): Message => ({
    permissions: [{ url_path: { path: { exact: path } } }],
    principals: [{ any: true }],
  });
  const custom = aFilter(type("ext_authz", "ExtAuthz"), {
    http_service: { server_uri: { cluster: "authz" } },
    filter_enabled_metadata: {
      filter: "envoy.filters.http.rbac",
      path: [{ key: "istio_ext_authz_shadow_effective_policy_id" }],
      value: { string_match: { prefix: "istio-ext-authz" } },
    },
  });
  const audit = aFilter(rbacType, { rules: { action: "DENY" } });

  it("CUSTOM asks its provider for what its shadow rules match, and for nothing else", () => {
    const result = run([shadow(onPath("/admin")), custom], { headers: headersOf({ ":path": "/admin" }) });
    expect(result).toMatchObject({ isKnown: false, unknowns: [{ reason: "external authorization" }] });
    expect(run([shadow(onPath("/admin")), custom])).toMatchObject({ isKnown: true, unknowns: [] });
  });

  it("CUSTOM is left open where its shadow rules are, also behind another RBAC filter", () => {
    const peer = {
      permissions: [{ any: true }],
      principals: [{ authenticated: { principal_name: { exact: "a" } } }],
    };
    const chain = [shadow(peer), audit, custom];
    const result = run(chain, { connection: withTls("unknown") });
    expect(result).toMatchObject({ isKnown: false, unknowns: [{ reason: "dynamic metadata" }] });
    expect([...result.hiddenMetadata]).toContain("envoy.filters.http.rbac");
    expect(run(chain, { connection: withTls(null) })).toMatchObject({ isKnown: true, unknowns: [] });
  });

  it("CUSTOM fails without its provider's cluster", () => {
    const own = { ...surroundings, hasCluster: (name: string): boolean => name !== "authz" };
    const result = run([shadow(onPath("/")), custom], { own });
    expect(result.reply).toMatchObject({ status: 403, responseFlags: ["UAEX"] });
    expect(result.isKnown).toBe(true);
  });
});

it("ends on filters that are no messages that we know", () => {
  expect(names(run([{}, { name: "x" }, { name: 5, typed_config: "text" }]))).toEqual([
    "unknown",
    "x unknown",
    "unknown",
    "router passed",
  ]);
});
