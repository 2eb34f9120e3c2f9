import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import {
  evaluateExtProc,
  evaluateLua,
  evaluateStatefulSession,
} from "../../../src/trace/filters/code-filters.js";
import { evaluatorOf } from "../../../src/trace/filters/filter-kinds.js";
import { evaluate, headersOf } from "./filter-builders.js";

describe("lua", () => {
  const script = { default_source_code: { inline_string: "x" } };
  it.each<[string, Message, readonly Message[], string]>([
    ["without a script", {}, [], "passed"],
    ["with one", script, [], "unknown"],
    ["with the deprecated one", { inline_code: "x" }, [], "unknown"],
    ["off for the route", script, [{ disabled: true }], "passed"],
    ["with a script of the route", {}, [{ source_code: { inline_string: "x" } }], "unknown"],
    ["with a named one", { source_codes: { a: {} } }, [{ name: "a" }], "unknown"],
    ["with a name that is not there", script, [{ name: "a" }], "passed"],
  ])("%s", (_, config, routes, decision) => {
    expect(evaluate(evaluateLua, config, {}, routes).decision).toBe(decision);
  });
});

describe("ext_proc", () => {
  const config = { grpc_service: { envoy_grpc: { cluster_name: "p" } } };
  const skips = { request_header_mode: "SKIP" };
  it.each<[string, Message, readonly Message[], string]>([
    ["that sees headers, as by default", {}, [], "unknown"],
    ["that sees nothing of the request, as Istio's", { processing_mode: skips }, [], "passed"],
    ["that sees bodies", { processing_mode: { ...skips, request_body_mode: "BUFFERED" } }, [], "unknown"],
    ["that observes only", { observability_mode: true }, [], "passed"],
    ["off for the route", {}, [{ disabled: true }], "passed"],
    ["on for the route", { processing_mode: skips }, [{ overrides: { processing_mode: {} } }], "unknown"],
  ])("%s", (_, own, routes, decision) => {
    expect(evaluate(evaluateExtProc, { ...config, ...own }, {}, routes).decision).toBe(decision);
  });

  it("that may fail passes without its cluster", () => {
    const setting = { missingClusters: ["p"] };
    expect(evaluate(evaluateExtProc, { ...config, failure_mode_allow: true }, setting).decision).toBe(
      "passed",
    );
    expect(evaluate(evaluateExtProc, config, setting)).toMatchObject({
      decision: "unknown",
      because: [{ reason: "external processor" }],
    });
  });
});

describe("stateful_session", () => {
  const byCookie = { session_state: { typed_config: { cookie: { name: "s" } } } };
  const byHeader = { session_state: { typed_config: { name: "X-S" } } };
  it.each<[string, Message, Readonly<Record<string, string>>, readonly Message[], string]>([
    ["empty, as Istio's", {}, { cookie: "s=1" }, [], "passed"],
    ["with the cookie", byCookie, { cookie: "a=1; s=1" }, [], "unknown"],
    ["without it", byCookie, {}, [], "passed"],
    ["with the header", byHeader, { "x-s": "1" }, [], "unknown"],
    ["without it", byHeader, {}, [], "passed"],
    ["by the route", {}, { cookie: "s=1" }, [{ stateful_session: byCookie }], "unknown"],
    ["off for the route", byCookie, { cookie: "s=1" }, [{ disabled: true }], "passed"],
  ])("%s", (_, config, headers, routes, decision) => {
    const setting = { headers: headersOf(headers) };
    expect(evaluate(evaluateStatefulSession, config, setting, routes).decision).toBe(decision);
  });
});

describe("kinds of filters", () => {
  const decided = (type: string, name = "n"): [string, string | undefined] => {
    const { decision, because } = evaluate(evaluatorOf(type, name), {});
    return [decision, because[0]?.reason];
  };
  const type = (kind: string): string => `envoy.extensions.filters.http.${kind}.v3.Any`;

  it.each([
    "buffer",
    "compressor",
    "grpc_stats",
    "grpc_http1_bridge",
    "tap",
    "dynamic_forward_proxy",
    "on_demand",
  ])("%s lets pass", (kind) => {
    expect(decided(type(kind))).toEqual(["passed", undefined]);
  });

  it.each([
    ["golang", "code"],
    ["dynamic_modules", "code"],
    ["cache", "runtime state"],
    ["adaptive_concurrency", "runtime state"],
    ["rate_limit_quota", "rate limit"],
    ["ip_tagging", "unsupported filter"],
    ["grpc_json_transcoder", "unsupported filter"],
    ["own_invention", "unsupported filter"],
  ])("%s is unknown: %s", (kind, reason) => {
    expect(decided(type(kind))).toEqual(["unknown", reason]);
  });

  it("goes by the type, and by the name only without one", () => {
    expect(decided(type("tap"), "envoy.filters.http.golang")[0]).toBe("passed");
    expect(decided("", "envoy.filters.http.tap")[0]).toBe("passed");
    expect(decided("", "envoy.buffer")[0]).toBe("passed");
    expect(decided("", "mine")[0]).toBe("unknown");
    expect(decided("own.Type", "envoy.filters.http.tap")[0]).toBe("unknown");
    expect(decided("", "envoy.constructor")).toEqual(["unknown", "unsupported filter"]);
  });

  it.each([
    "io.istio.http.peer_metadata.Config",
    "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig",
    "stats.PluginConfig",
  ])("%s of Istio lets pass", (own) => {
    expect(decided(own)[0]).toBe("passed");
  });

  it("Istio's Mixer decided elsewhere", () => {
    expect(decided("istio.mixer.v1.config.client.HttpClientConfig")).toEqual([
      "unknown",
      "external authorization",
    ]);
  });
});
