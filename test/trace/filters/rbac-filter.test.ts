import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { FilterResult } from "../../../src/trace/filters/filter.js";
import { evaluateRbacFilter } from "../../../src/trace/filters/rbac-filter.js";
import { evaluate, headersOf, type Setting } from "./filter-builders.js";

const namespace = "envoy.filters.http.rbac";
const policies = (name: string): Message => ({
  [name]: { permissions: [{ header: { name: "x", present_match: true } }], principals: [{ any: true }] },
});
const unknownPolicies = {
  u: { permissions: [{ any: true }], principals: [{ any: true }], condition: {} },
};
const at = (config: Message, routes: readonly Message[] = [], setting: Setting = {}): FilterResult =>
  evaluate(evaluateRbacFilter, config, setting, routes);
const withX: Setting = { headers: headersOf({ x: "1" }) };
const left = (result: FilterResult): unknown => result.changes.dynamicMetadata?.get(namespace);

describe("the decision", () => {
  it.each([
    ["ALLOW", withX, "allowed", "a b"],
    ["ALLOW", {}, "denied", "none"],
    ["DENY", withX, "denied", "a b"],
    ["DENY", {}, "allowed", ""],
  ])("%s", (action, setting: Setting, decision, policy) => {
    expect(at({ rules: { action, policies: policies("a b") } }, [], setting)).toMatchObject({
      decision,
      policy,
    });
  });

  it("of a denial is 403 with the policy in its details", () => {
    expect(at({ rules: { action: "DENY", policies: policies("a b") } }, [], withX).reply).toMatchObject({
      status: 403,
      detail: "rbac_access_denied_matched_policy[a_b]",
      body: "RBAC: access denied",
      responseFlags: [],
    });
  });

  it("is none without rules, and open where nothing can be told", () => {
    expect(at({}).decision).toBe("passed");
    expect(at({ rules: { policies: unknownPolicies } })).toMatchObject({
      decision: "unknown",
      because: [{ reason: "expression" }],
    });
  });
});

describe("RBACPerRoute", () => {
  const denyAll = { rules: {} };
  it("takes the filter's place; without rbac nothing is enforced", () => {
    expect(at(denyAll, [{}]).decision).toBe("passed");
    expect(at(denyAll, [{ rbac: {} }]).decision).toBe("passed");
    expect(at(denyAll).decision).toBe("denied");
    expect(at({}, [{ rbac: denyAll }]).decision).toBe("denied");
  });

  it("of the deepest level counts", () => {
    expect(at({}, [{ rbac: denyAll }, {}]).decision).toBe("passed");
    expect(at({}, [{}, { rbac: denyAll }]).decision).toBe("denied");
  });
});

describe("what is left in the metadata", () => {
  const shadow: Message = {
    shadow_rules_stat_prefix: "istio_ext_authz_",
    shadow_rules: { action: "DENY", policies: policies("istio-ext-authz-ns[a]") },
  };

  it("is the result of shadow rules, under their prefix", () => {
    expect(left(at(shadow, [], withX))).toEqual({
      istio_ext_authz_shadow_effective_policy_id: "istio-ext-authz-ns[a]",
      istio_ext_authz_shadow_engine_result: "denied",
    });
    expect(left(at(shadow))).toEqual({ istio_ext_authz_shadow_engine_result: "allowed" });
    expect(at(shadow, [], withX).decision).toBe("passed");
  });

  it("is hidden where the shadow rules cannot be told", () => {
    const open = { shadow_rules: { policies: unknownPolicies } };
    expect(at(open)).toMatchObject({ decision: "passed", changes: { hiddenMetadata: [namespace] } });
  });

  it("is also the result that was enforced", () => {
    const result = at({ rules: { policies: policies("p") } }, [], withX);
    expect(left(result)).toEqual({
      enforced_effective_policy_id: "p",
      enforced_engine_result: "allowed",
    });
    expect(left(at({}))).toBeUndefined();
  });
});
