import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { FilterResult } from "../../../src/trace/filters/filter.js";
import { evaluateJwtAuthn } from "../../../src/trace/filters/jwt-authn.js";
import { evaluate, headersOf, type Setting } from "./filter-builders.js";

const namespace = "envoy.filters.http.jwt_authn";
const provider: Message = { issuer: "i", payload_in_metadata: "payload" };
const needs: Message = { provider_name: "p" };
const optional: Message = { requires_any: { requirements: [needs, { allow_missing: {} }] } };
const all = { match: { prefix: "/" } };
const jwt = (requires: Message, own: Message = {}): Message => ({
  providers: { p: provider },
  rules: [{ ...all, requires }],
  ...own,
});
const at = (
  config: Message,
  headers: Readonly<Record<string, string>> = {},
  routeConfigs: readonly Message[] = [],
  setting: Setting = {},
): FilterResult =>
  evaluate(evaluateJwtAuthn, config, { headers: headersOf(headers), ...setting }, routeConfigs);
const bearer = { authorization: "Bearer a.b.c" };

describe("a token that is required", () => {
  it("denies with 401 where it is missing", () => {
    const result = at(jwt(needs), { ":path": "/x?y=1" });
    expect(result).toMatchObject({ decision: "denied", policy: "p" });
    expect(result.reply).toMatchObject({
      status: 401,
      detail: "jwt_authn_access_denied",
      body: "Jwt is missing",
      headers: [["www-authenticate", 'Bearer realm="http://svc.local/x?y=1"']],
      responseFlags: [],
    });
  });

  it("denies one that has no three sections, and says that it is invalid", () => {
    const { decision, reply } = at(jwt(needs), { authorization: "Bearer abc" });
    expect(decision).toBe("denied");
    expect(reply?.body).toMatch(/^Jwt is not in the form/);
    expect(reply?.headers[0]?.[1]).toBe('Bearer realm="http://svc.local/", error="invalid_token"');
  });

  it("leaves open what is in one that is there, and hides its claims", () => {
    const result = at(jwt(needs), bearer);
    expect(result).toMatchObject({ decision: "unknown", reply: null, because: [{ reason: "token" }] });
    expect(result.changes.hiddenMetadata).toEqual([namespace]);
  });

  it("leaves the claims alone where no provider writes them", () => {
    const config = jwt(needs, { providers: { p: { issuer: "i" } } });
    expect(at(config, bearer).changes.hiddenMetadata).toBeUndefined();
  });

  it("says nothing of it where it is told not to", () => {
    const { reply } = at(jwt(needs, { strip_failure_response: true }));
    expect(reply).toMatchObject({ status: 401, body: "", headers: [] });
  });
});

describe("where a token stands", () => {
  it.each([
    ["authorization, with its scheme", {}, { authorization: "Bearer a.b.c" }, "unknown"],
    ["authorization, with something before", {}, { authorization: "xBearer a.b.c" }, "unknown"],
    ["authorization, of another scheme", {}, { authorization: "Basic a.b.c" }, "denied"],
    ["authorization, in another case", {}, { authorization: "bearer a.b.c" }, "denied"],
    ["access_token", {}, { ":path": "/?access_token=a.b.c" }, "unknown"],
    ["access_token, encoded", {}, { ":path": "/?access%5Ftoken=a%2Eb.c" }, "unknown"],
    ["another parameter", {}, { ":path": "/?token=a.b.c" }, "denied"],
    ["a header of its own", { from_headers: [{ name: "X-Jwt" }] }, { "x-jwt": "a.b.c" }, "unknown"],
    ["not authorization then", { from_headers: [{ name: "x-jwt" }] }, bearer, "denied"],
    ["a parameter of its own", { from_params: ["t"] }, { ":path": "/?t=a.b.c" }, "unknown"],
    ["a cookie", { from_cookies: ["c"] }, { cookie: "b=1; c=a.b.c" }, "unknown"],
    ["another cookie", { from_cookies: ["c"] }, { cookie: "b=a.b.c" }, "denied"],
  ])("%s", (_, own: Message, headers: Readonly<Record<string, string>>, decision) => {
    expect(at(jwt(needs, { providers: { p: { ...provider, ...own } } }), headers).decision).toBe(decision);
  });
});

describe("requirements", () => {
  const any = (...requirements: Message[]): Message => ({ requires_any: { requirements } });
  const every = (...requirements: Message[]): Message => ({ requires_all: { requirements } });
  const malformed = { authorization: "Bearer abc" };
  it.each<{ what: string; requires: Message; none: string; bad: string; some: string }>([
    { what: "none", requires: {}, none: "allowed", bad: "allowed", some: "allowed" },
    { what: "a provider", requires: needs, none: "denied", bad: "denied", some: "unknown" },
    {
      what: "a provider and audiences",
      requires: { provider_and_audiences: { provider_name: "p", audiences: ["a"] } },
      none: "denied",
      bad: "denied",
      some: "unknown",
    },
    { what: "Istio's own", requires: optional, none: "allowed", bad: "denied", some: "unknown" },
    {
      what: "allow_missing",
      requires: { allow_missing: {} },
      none: "allowed",
      bad: "denied",
      some: "unknown",
    },
    {
      what: "allow_missing_or_failed",
      requires: { allow_missing_or_failed: {} },
      none: "allowed",
      bad: "allowed",
      some: "allowed",
    },
    {
      what: "any, with allow_missing_or_failed",
      requires: any(needs, { allow_missing_or_failed: {} }),
      none: "allowed",
      bad: "allowed",
      some: "allowed",
    },
    {
      what: "all, with one that is not optional",
      requires: every(needs, { allow_missing: {} }),
      none: "denied",
      bad: "denied",
      some: "unknown",
    },
    {
      what: "all that are optional",
      requires: every({ allow_missing: {} }, optional),
      none: "allowed",
      bad: "denied",
      some: "unknown",
    },
  ])("$what: no token $none, a malformed one $bad, another one $some", ({ requires, none, bad, some }) => {
    expect(at(jwt(requires)).decision).toBe(none);
    expect(at(jwt(requires), malformed).decision).toBe(bad);
    expect(at(jwt(requires), bearer).decision).toBe(some);
  });

  it("nest without end: left open", () => {
    let requires: Message = needs;
    for (let depth = 0; depth < 10_000; depth++) requires = any(requires);
    expect(at(jwt(requires))).toMatchObject({ decision: "unknown", because: [{ reason: "limit" }] });
  });
});

describe("rules", () => {
  const two = {
    providers: { p: provider },
    rules: [
      { match: { prefix: "/open" } },
      { match: { path: "/q", query_parameters: [{ name: "a" }] }, requires: needs },
      { match: { prefix: "/h", headers: [{ name: "x", present_match: true }] }, requires: needs },
    ],
  };
  it.each([
    ["/open/x", "passed", "the first rule asks for nothing"],
    ["/q?a=1", "denied", "path and query parameter hold"],
    ["/q", "passed", "the parameter is missing"],
    ["/h", "passed", "the header is missing"],
    ["/other", "passed", "no rule matches"],
  ])("%s %s: %s", (path, decision) => {
    expect(at(two, { ":path": path }).decision).toBe(decision);
  });

  it("compare headers, and nothing else of a route's conditions", () => {
    expect(at(two, { ":path": "/h", x: "1" }).decision).toBe("denied");
    const fraction = { runtime_fraction: { default_value: { numerator: 0 } } };
    const config = {
      providers: { p: provider },
      rules: [{ match: { prefix: "/", ...fraction }, requires: needs }],
    };
    expect(at(config).decision).toBe("denied");
  });

  it("may name a requirement of the map", () => {
    const config = {
      providers: { p: provider },
      requirement_map: { r: needs },
      rules: [{ ...all, requirement_name: "r" }],
    };
    expect(at(config).decision).toBe("denied");
    expect(at({ ...config, rules: [all] }).decision).toBe("passed");
  });

  it("leave it to the filter state where none matches", () => {
    const config = {
      providers: { p: provider },
      filter_state_rules: { name: "key", requires: { strict: needs } },
    };
    const value = (own: Setting): string => at(config, {}, [], own).decision;
    expect(value({ filterState: new Map([["key", "strict"]]) })).toBe("denied");
    expect(value({ filterState: new Map([["key", "other"]]) })).toBe("passed");
    expect(value({})).toBe("passed");
    expect(value({ isComplete: false })).toBe("unknown");
  });
});

describe("the route", () => {
  const config = jwt(needs, { requirement_map: { open: { allow_missing: {} } } });
  it.each<[string, Message, string]>([
    ["turns it off", { disabled: true }, "passed"],
    ["names another requirement", { requirement_name: "open" }, "allowed"],
    ["says nothing of use", { requirement_name: "zz" }, "denied"],
  ])("%s", (_, own, decision) => {
    expect(at(config, {}, [own]).decision).toBe(decision);
  });

  it("with a name that is not in the map denies with 403", () => {
    expect(at(config, {}, [{ requirement_name: "zz" }]).reply).toMatchObject({
      status: 403,
      detail: "jwt_authn_access_denied",
      body: "Failed JWT authentication: Wrong requirement_name: zz. It should be one of [open]",
    });
  });

  it("of the deepest level counts", () => {
    expect(at(config, {}, [{ disabled: true }, { requirement_name: "zz" }]).decision).toBe("denied");
  });
});

describe("preflights", () => {
  const preflight = { ":method": "OPTIONS", origin: "http://a", "access-control-request-method": "PUT" };
  it("pass where that is asked for", () => {
    expect(at(jwt(needs, { bypass_cors_preflight: true }), preflight).decision).toBe("passed");
    expect(at(jwt(needs), preflight).decision).toBe("denied");
    const noOrigin = { ...preflight, origin: "" };
    expect(at(jwt(needs, { bypass_cors_preflight: true }), noOrigin).decision).toBe("denied");
  });
});

describe("what is left behind", () => {
  it("are no claims without a token", () => {
    expect(at(jwt(optional)).changes.dynamicMetadata).toEqual(new Map([[namespace, {}]]));
  });

  it("are none of the headers that a client sends in the place of claims", () => {
    const claims = {
      ...provider,
      forward_payload_header: "X-Payload",
      claim_to_headers: [{ header_name: "x-sub", claim_name: "sub" }],
    };
    const sent = { "x-payload": "1", "x-sub": "2", "x-other": "3" };
    const { changes } = at(jwt(optional, { providers: { p: claims } }), sent);
    expect(changes.headers).toEqual(headersOf({ "x-other": "3" }));
    expect(at(jwt(optional), sent).changes.headers).toBeUndefined();
  });

  it("may be the status of a failure", () => {
    const told = { ...provider, failed_status_in_metadata: "failed" };
    expect(at(jwt(optional, { providers: { p: told } })).changes.hiddenMetadata).toEqual([namespace]);
  });
});
