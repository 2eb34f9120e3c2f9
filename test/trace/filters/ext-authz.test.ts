import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { FilterResult } from "../../../src/trace/filters/filter.js";
import { evaluateExtAuthz } from "../../../src/trace/filters/ext-authz.js";
import { evaluate, theRuntime, type Setting } from "./filter-builders.js";

const http: Message = { http_service: { server_uri: { cluster: "authz" } } };
const grpc: Message = { grpc_service: { envoy_grpc: { cluster_name: "authz" } } };
const fraction = (numerator: number): Message => ({ default_value: { numerator } });
const at = (config: Message, setting: Setting = {}, routes: readonly Message[] = []): FilterResult =>
  evaluate(evaluateExtAuthz, config, setting, routes);
const withoutService: Setting = { missingClusters: ["authz"] };

describe("what the service answers", () => {
  it.each([
    ["HTTP", http],
    ["gRPC", grpc],
    ["a service that is no cluster", { grpc_service: { google_grpc: { target_uri: "x" } } }],
  ])("is not known: %s", (_, config: Message) => {
    expect(at(config)).toMatchObject({
      decision: "unknown",
      reply: null,
      because: [{ reason: "external authorization" }],
      changes: { hiddenMetadata: ["envoy.filters.http.ext_authz"] },
    });
  });

  it.each([
    ["HTTP", http],
    ["gRPC", grpc],
  ])("is a failure without its cluster: %s", (_, config) => {
    expect(at(config, withoutService)).toMatchObject({
      decision: "denied",
      reply: { status: 403, responseFlags: ["UAEX"], detail: "ext_authz_error" },
    });
  });

  it("may be any status on a failure, or let it pass", () => {
    const status = (code: unknown): number | undefined =>
      at({ ...http, status_on_error: { code } }, withoutService).reply?.status;
    expect([status("ServiceUnavailable"), status(429), status(undefined)]).toEqual([503, 429, 403]);
    expect(at({ ...http, failure_mode_allow: true }, withoutService).decision).toBe("allowed");
  });
});

describe("whether it is asked", () => {
  it("not where the route turns it off", () => {
    expect(at(http, {}, [{ disabled: true }]).decision).toBe("passed");
    expect(at(http, {}, [{ disabled: true }, { check_settings: {} }]).decision).toBe("unknown");
  });

  it("by a fraction, whose absence is all of them", () => {
    expect(at({ ...http, filter_enabled: fraction(0) }).decision).toBe("passed");
    expect(at({ ...http, filter_enabled: fraction(100) }, withoutService).decision).toBe("denied");
    expect(at({ ...http, filter_enabled: fraction(50) })).toMatchObject({
      decision: "unknown",
      because: [{ reason: "random" }],
    });
  });

  it("by what Istio's shadow rules left in the metadata", () => {
    const gated = {
      ...http,
      filter_enabled_metadata: {
        filter: "envoy.filters.http.rbac",
        path: [{ key: "istio_ext_authz_shadow_effective_policy_id" }],
        value: { string_match: { prefix: "istio-ext-authz" } },
      },
    };
    const left = (fields: Message): Setting => ({
      dynamicMetadata: new Map([["envoy.filters.http.rbac", fields]]),
    });
    const policy = "istio_ext_authz_shadow_effective_policy_id";
    expect(at(gated, left({ [policy]: "istio-ext-authz-ns[a]" })).because[0]?.reason).toBe(
      "external authorization",
    );
    expect(at(gated, left({})).decision).toBe("passed");
    expect(at(gated).decision).toBe("passed");
    expect(at(gated, { isComplete: false }).because[0]?.reason).toBe("dynamic metadata");
  });

  it("and where it is not, it may deny", () => {
    const off = (deny_at_disable: Message): Message => ({
      ...http,
      filter_enabled: fraction(0),
      deny_at_disable,
    });
    expect(at(off({ default_value: true })).reply).toMatchObject({ status: 403, responseFlags: ["UAEX"] });
    expect(at(off({ default_value: false })).decision).toBe("passed");
    const runtime = theRuntime({ key: false });
    expect(at(off({ default_value: true, runtime_key: "key" }), { runtime }).decision).toBe("passed");
  });
});
