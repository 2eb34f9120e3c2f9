import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { FilterResult } from "../../../src/trace/filters/filter.js";
import { evaluateRateLimit } from "../../../src/trace/filters/rate-limit.js";
import { anEntry, evaluate, headersOf, theRuntime, type Setting } from "./filter-builders.js";

const config: Message = {
  rate_limit_service: { grpc_service: { envoy_grpc: { cluster_name: "limits" } } },
};
const key = { generic_key: { descriptor_value: "x" } };
const routeWith = (actions: readonly Message[], own: Message = {}): Setting => ({
  entry: anEntry({ route: { route: { cluster: "up", rate_limits: [{ actions, ...own }] } } }),
});
const at = (setting: Setting, own: Message = {}, routes: readonly Message[] = []): FilterResult =>
  evaluate(evaluateRateLimit, { ...config, ...own }, setting, routes);
const decision = (...parameters: Parameters<typeof at>): string => at(...parameters).decision;

describe("whether the service is asked", () => {
  it("not without a descriptor", () => {
    expect(decision({})).toBe("passed");
    expect(at(routeWith([key]))).toMatchObject({ decision: "unknown", because: [{ reason: "rate limit" }] });
  });

  it.each<[string, Message, Readonly<Record<string, string>>, string]>([
    ["source_cluster", { source_cluster: {} }, {}, "unknown"],
    ["destination_cluster", { destination_cluster: {} }, {}, "unknown"],
    ["remote_address", { remote_address: {} }, {}, "unknown"],
    ["request_headers", { request_headers: { header_name: "X-Q" } }, { "x-q": "1" }, "unknown"],
    ["request_headers, missing", { request_headers: { header_name: "x-q" } }, {}, "passed"],
    [
      "request_headers, to be skipped",
      { request_headers: { header_name: "x-q", skip_if_absent: true } },
      {},
      "unknown",
    ],
    [
      "header_value_match",
      { header_value_match: { headers: [{ name: "x-q", present_match: true }] } },
      { "x-q": "1" },
      "unknown",
    ],
    [
      "header_value_match of another value",
      { header_value_match: { headers: [{ name: "x-q", present_match: true }] } },
      {},
      "passed",
    ],
    [
      "header_value_match, expected not to match",
      { header_value_match: { expect_match: false, headers: [{ name: "x-q", present_match: true }] } },
      {},
      "unknown",
    ],
    [
      "query_parameter_value_match",
      { query_parameter_value_match: { query_parameters: [{ name: "a" }] } },
      { ":path": "/?a=1" },
      "unknown",
    ],
    [
      "query_parameter_value_match without it",
      { query_parameter_value_match: { query_parameters: [{ name: "a" }] } },
      { ":path": "/?b=1" },
      "passed",
    ],
    [
      "metadata without a value",
      { metadata: { metadata_key: { key: "m", path: [{ key: "k" }] } } },
      {},
      "passed",
    ],
    [
      "metadata with a default",
      { metadata: { metadata_key: { key: "m", path: [{ key: "k" }] }, default_value: "d" } },
      {},
      "unknown",
    ],
  ])("by %s", (_, action, headers, wanted) => {
    expect(decision({ ...routeWith([action]), headers: headersOf(headers) })).toBe(wanted);
  });

  it("only where every action gives an entry", () => {
    const header = { request_headers: { header_name: "x-q" } };
    expect(decision(routeWith([key, header]))).toBe("passed");
    expect(decision({ ...routeWith([key, header]), headers: headersOf({ "x-q": "1" }) })).toBe("unknown");
  });

  it("by metadata of the route or of the request", () => {
    const action = (source: string): Message => ({
      metadata: { metadata_key: { key: "m", path: [{ key: "k" }] }, source },
    });
    const route = (source: string): Setting => ({
      entry: anEntry({
        route: {
          route: { cluster: "up", rate_limits: [{ actions: [action(source)] }] },
          metadata: { filter_metadata: { m: { k: "v" } } },
        },
      }),
    });
    expect(decision(route("ROUTE_ENTRY"))).toBe("unknown");
    expect(decision(route("DYNAMIC"))).toBe("passed");
    expect(decision({ ...route("DYNAMIC"), dynamicMetadata: new Map([["m", { k: "v" }]]) })).toBe("unknown");
  });

  it("only for limits of the filter's stage, and those that are not switched off", () => {
    expect(decision(routeWith([key], { stage: 1 }))).toBe("passed");
    expect(decision(routeWith([key], { stage: 1 }), { stage: 1 })).toBe("unknown");
    const switchable = routeWith([key], { disable_key: "k" });
    const runtime = theRuntime({ "ratelimit.k.http_filter_enabled": 0 });
    expect(decision({ ...switchable, runtime })).toBe("passed");
    expect(decision(switchable)).toBe("unknown");
  });

  it("only for internal or external requests where it says so", () => {
    const internal = { ...routeWith([key]), headers: headersOf({ "x-envoy-internal": "true" }) };
    expect(decision(routeWith([key]), { request_type: "internal" })).toBe("passed");
    expect(decision(internal, { request_type: "internal" })).toBe("unknown");
    expect(decision(internal, { request_type: "external" })).toBe("passed");
    expect(decision(routeWith([key]), { request_type: "both" })).toBe("unknown");
  });

  it("not while the runtime turns it off, without a route, or without the route's cluster", () => {
    const runtime = theRuntime({ "ratelimit.http_filter_enabled": 0 });
    expect(decision({ ...routeWith([key]), runtime })).toBe("passed");
    expect(decision({ entry: null })).toBe("passed");
    expect(decision({ ...routeWith([key]), missingClusters: ["up"] })).toBe("passed");
  });
});

describe("limits of the virtual host", () => {
  const limits = { rate_limits: [{ actions: [key] }] };
  const entry = (route: Message): Setting => ({
    entry: anEntry({ virtualHost: limits, route: { route: { cluster: "up", ...route } } }),
  });
  const useless = { rate_limits: [{ actions: [{ request_headers: { header_name: "no" } }] }] };

  it("count where the route has none, or where they are included", () => {
    expect(decision(entry({}))).toBe("unknown");
    expect(decision(entry(useless))).toBe("passed");
    expect(decision(entry({ ...useless, include_vh_rate_limits: true }))).toBe("unknown");
    expect(decision(entry(useless), {}, [{ vh_rate_limits: "INCLUDE" }])).toBe("unknown");
    expect(decision(entry({}), {}, [{ vh_rate_limits: "IGNORE" }])).toBe("passed");
    expect(decision(entry({}), {}, [{ override_option: "IGNORE_POLICY" }])).toBe("passed");
    expect(decision(entry(useless), {}, [{ override_option: "INCLUDE_POLICY" }])).toBe("unknown");
  });
});

describe("a service without a cluster", () => {
  const missing = { ...routeWith([key]), missingClusters: ["limits"] };
  it("lets pass, or fails with 500", () => {
    expect(decision(missing)).toBe("allowed");
    expect(at(missing, { failure_mode_deny: true })).toMatchObject({
      decision: "denied",
      reply: { status: 500, responseFlags: ["RLSE"], detail: "rate_limiter_error" },
    });
  });

  it("is not asked for certain where the descriptor is not certain", () => {
    const perhaps = { ...missing, ...routeWith([{ extension: { name: "x" } }]) };
    expect(decision(perhaps, { failure_mode_deny: true })).toBe("unknown");
  });
});
