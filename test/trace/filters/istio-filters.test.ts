import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import {
  evaluateIstioAuthn,
  evaluatePeerMetadata,
  evaluateWasm,
} from "../../../src/trace/filters/istio-filters.js";
import { evaluate, headersOf, withTls } from "./filter-builders.js";

describe("peer metadata", () => {
  const sent = headersOf({ "x-envoy-peer-metadata": "1", "x-envoy-peer-metadata-id": "2", x: "3" });
  const inbound = { downstream_discovery: [{ istio_headers: {} }, { workload_discovery: {} }] };
  it("takes the headers of the other proxy off on the inbound side", () => {
    const at = (config: Message): unknown =>
      evaluate(evaluatePeerMetadata, config, { headers: sent }).changes;
    expect(at(inbound)).toEqual({ headers: headersOf({ x: "3" }) });
    expect(at({ upstream_discovery: [{ istio_headers: {} }] })).toEqual({});
  });
});

describe("wasm", () => {
  const plugin = (runtime: string, local: Message): Message => ({
    config: { vm_config: { runtime: `envoy.wasm.runtime.${runtime}`, code: { local } } },
  });
  it.each<[string, Message, string]>([
    ["Istio's own, compiled in", plugin("null", { inline_string: "envoy.wasm.stats" }), "passed"],
    ["of that name, in another engine", plugin("v8", { inline_string: "envoy.wasm.stats" }), "unknown"],
    ["another one, compiled in", plugin("null", { inline_string: "mine" }), "unknown"],
    [
      "Istio's own, as a file",
      plugin("v8", { filename: "/etc/istio/extensions/stats-filter.compiled.wasm" }),
      "passed",
    ],
    ["a user's", plugin("v8", { filename: "/var/lib/my-filter.wasm" }), "unknown"],
  ])("%s: %s", (_, config, decision) => {
    expect(evaluate(evaluateWasm, config).decision).toBe(decision);
  });
});

describe("istio_authn", () => {
  const namespace = "istio_authn";
  it("writes nothing for plain text without a token", () => {
    const { decision, changes } = evaluate(evaluateIstioAuthn, { policy: {} });
    expect([decision, changes.dynamicMetadata]).toEqual(["passed", new Map([[namespace, {}]])]);
  });

  it("writes what cannot be told for mTLS, and for a token", () => {
    const tls = evaluate(evaluateIstioAuthn, {}, { connection: withTls(null) });
    expect(tls.changes.hiddenMetadata).toEqual([namespace]);
    const dynamicMetadata = new Map([["envoy.filters.http.jwt_authn", { payload: {} }]]);
    expect(evaluate(evaluateIstioAuthn, {}, { dynamicMetadata }).changes.hiddenMetadata).toEqual([namespace]);
    expect(evaluate(evaluateIstioAuthn, {}, { isComplete: false }).changes.hiddenMetadata).toEqual([
      namespace,
    ]);
  });

  it("may refuse where a peer or an origin is asked for", () => {
    const at = (policy: Message): string => evaluate(evaluateIstioAuthn, { policy }).decision;
    expect(at({ peers: [{ mtls: {} }] })).toBe("unknown");
    expect(at({ peers: [{ mtls: {} }], peer_is_optional: true })).toBe("passed");
    expect(at({ origins: [{ jwt: {} }] })).toBe("unknown");
  });
});
