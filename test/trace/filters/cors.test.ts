import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { evaluateCors } from "../../../src/trace/filters/cors.js";
import type { FilterResult } from "../../../src/trace/filters/filter.js";
import { anEntry, evaluate, headersOf, type Setting } from "./filter-builders.js";

const policy: Message = { allow_origin_string_match: [{ exact: "http://a.com" }] };
const preflight = {
  ":method": "OPTIONS",
  origin: "http://a.com",
  "access-control-request-method": "PUT",
  "access-control-request-headers": "x-a",
};
const at = (
  policies: readonly Message[],
  headers: Readonly<Record<string, string>> = preflight,
  setting: Setting = {},
): FilterResult => evaluate(evaluateCors, {}, { headers: headersOf(headers), ...setting }, policies);

describe("a preflight", () => {
  it("of an allowed origin is answered as it is, past all mappers", () => {
    expect(at([policy])).toMatchObject({
      decision: "answered",
      reply: {
        status: 200,
        detail: "cors_response",
        isFinal: true,
        headers: [["access-control-allow-origin", "http://a.com"]],
      },
    });
  });

  it("of another origin goes on, unless it is told not to", () => {
    const other = { ...preflight, origin: "http://b.com" };
    expect(at([policy], other).decision).toBe("passed");
    const { decision, reply } = at([{ ...policy, forward_not_matching_preflights: false }], other);
    expect(decision).toBe("answered");
    expect(reply?.headers).toEqual([]);
  });

  it.each([
    ["without an origin", { origin: "" }],
    ["without a method to ask for", { "access-control-request-method": "" }],
    ["that is no OPTIONS", { ":method": "GET" }],
  ])("is none %s", (_, own) => {
    expect(at([policy], { ...preflight, ...own }).decision).toBe("passed");
  });

  it("is told what is allowed; a star is what was asked for", () => {
    const config = {
      ...policy,
      allow_methods: "*",
      allow_headers: "*",
      max_age: "5",
      allow_credentials: true,
      allow_private_network_access: true,
    };
    const headers = { ...preflight, "access-control-request-private-network": "true" };
    expect(at([config], headers).reply?.headers).toEqual([
      ["access-control-allow-origin", "http://a.com"],
      ["access-control-allow-credentials", "true"],
      ["access-control-allow-methods", "PUT"],
      ["access-control-allow-headers", "x-a"],
      ["access-control-max-age", "5"],
      ["access-control-allow-private-network", "true"],
    ]);
    expect(at([{ ...policy, allow_methods: "GET" }]).reply?.headers[1]).toEqual([
      "access-control-allow-methods",
      "GET",
    ]);
  });
});

describe("other requests", () => {
  it("of an allowed origin get headers on their response", () => {
    const config = { ...policy, expose_headers: "x-b", allow_credentials: true };
    expect(at([config], { origin: "http://a.com" })).toMatchObject({
      decision: "passed",
      changes: {
        responseHeaders: [
          ["access-control-allow-origin", "http://a.com"],
          ["access-control-allow-credentials", "true"],
          ["access-control-expose-headers", "x-b"],
        ],
      },
    });
    expect(at([config], { origin: "http://b.com" }).changes).toEqual({});
  });
});

describe("the policy", () => {
  it("takes each field from the most specific level that has it", () => {
    const host = {
      ...policy,
      allow_methods: "of the host",
      filter_enabled: { default_value: { numerator: 0 } },
    };
    const route = { allow_methods: "of the route" };
    expect(at([host, route]).reply?.headers).toEqual([
      ["access-control-allow-origin", "http://a.com"],
      ["access-control-allow-methods", "of the route"],
    ]);
  });

  it("is on or off by the most specific level alone", () => {
    const off = { filter_enabled: { default_value: { numerator: 0 } } };
    expect(at([{ ...policy, ...off }]).decision).toBe("passed");
    expect(at([policy, off]).decision).toBe("passed");
    const half = { filter_enabled: { default_value: { numerator: 50 } } };
    expect(at([{ ...policy, ...half }])).toMatchObject({
      decision: "unknown",
      because: [{ reason: "random" }],
    });
  });

  it("is the deprecated one of route and virtual host only without any other", () => {
    const entry = anEntry({ route: { route: { cluster: "up", cors: policy } } });
    expect(at([], preflight, { entry }).decision).toBe("answered");
    expect(at([{ allow_methods: "X" }], preflight, { entry }).decision).toBe("passed");
    expect(at([], preflight, { entry: anEntry({ virtualHost: { cors: policy } }) }).decision).toBe(
      "answered",
    );
    expect(at([]).decision).toBe("passed");
  });

  it("does not count for a redirect, a direct response, and without a route", () => {
    const direct = anEntry({ route: { direct_response: { status: 200 } } });
    expect(at([policy], preflight, { entry: direct }).decision).toBe("passed");
    const redirect = anEntry({ route: { redirect: {} } });
    expect(at([policy], preflight, { entry: redirect }).decision).toBe("passed");
    expect(at([policy], preflight, { entry: null }).decision).toBe("passed");
  });

  it.each<[string, Message]>([
    ["a star", { allow_origin_string_match: [{ exact: "*" }] }],
    ["a regex", { allow_origin_string_match: [{ safe_regex: { regex: "http://a.*" } }] }],
    ["the deprecated list", { allow_origin: ["http://a.com"] }],
    ["the deprecated regexes", { allow_origin_regex: ["http://a.*"] }],
  ])("allows an origin by %s", (_, own) => {
    expect(at([own]).decision).toBe("answered");
    expect(at([own], { ...preflight, origin: "http://b.com" }).decision).toBe(
      JSON.stringify(own).includes("*") && !JSON.stringify(own).includes("a.*") ? "answered" : "passed",
    );
  });
});
