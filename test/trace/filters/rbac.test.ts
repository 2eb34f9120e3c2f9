import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { evaluateRbac, evaluateShadowRbac, rbacDetail } from "../../../src/trace/filters/rbac.js";
import type { MatchContext } from "../../../src/trace/match-context.js";
import { aContext, headersOf } from "./filter-builders.js";

const any = { any: true };
const hasHeader = (name: string): Message => ({ header: { name, present_match: true } });
/** Whoever it is may do it: a policy on a header. */
const policyOn = (name: string): Message => ({ permissions: [hasHeader(name)], principals: [any] });
/** CEL is not evaluated. */
const unknownPolicy: Message = { permissions: [any], principals: [any], condition: { const_expr: {} } };
const rules = (action: string | undefined, policies: Message): Message => ({
  rules: { ...(action === undefined ? {} : { action }), policies },
});
const withHeaders = (...names: readonly string[]): MatchContext =>
  aContext({ headers: headersOf(Object.fromEntries(names.map((name) => [name, "1"]))) });
const verdict = (rbac: Message, context = withHeaders()): string => evaluateRbac(rbac, context).verdict;

describe("the engine", () => {
  it.each([
    { action: "ALLOW", matches: true, verdict: "allowed", policy: "p" },
    { action: "ALLOW", matches: false, verdict: "denied", policy: "none" },
    { action: "DENY", matches: true, verdict: "denied", policy: "p" },
    { action: "DENY", matches: false, verdict: "allowed", policy: "" },
    { action: "LOG", matches: true, verdict: "allowed", policy: "p" },
    { action: "LOG", matches: false, verdict: "allowed", policy: "" },
    { action: undefined, matches: true, verdict: "allowed", policy: "p" },
    { action: undefined, matches: false, verdict: "denied", policy: "none" },
  ])("$action, matched: $matches -> $verdict by $policy", ({ action, matches, verdict: wanted, policy }) => {
    const result = evaluateRbac(rules(action, { p: policyOn("x") }), withHeaders(...(matches ? ["x"] : [])));
    expect(result).toMatchObject({ verdict: wanted, policy, because: [] });
  });

  it.each([
    ["ALLOW", "denied"],
    ["DENY", "allowed"],
    ["LOG", "allowed"],
  ])("%s without policies: everything is %s", (action, wanted) => {
    expect(verdict({ rules: { action } })).toBe(wanted);
  });

  it("denies everything where rules are there but empty, and nothing where they are absent (case 59)", () => {
    expect(evaluateRbac({ rules: {} }, withHeaders())).toMatchObject({ verdict: "denied", policy: "none" });
    expect(evaluateRbac({}, withHeaders())).toMatchObject({ verdict: "allowed", policy: "" });
  });

  it("names the first policy in the order of names, not of the configuration", () => {
    const both = rules("ALLOW", { b: policyOn("x"), a: policyOn("x") });
    expect(evaluateRbac(both, withHeaders("x")).policy).toBe("a");
    const second = rules("ALLOW", { b: policyOn("x"), a: policyOn("y") });
    expect(evaluateRbac(second, withHeaders("x")).policy).toBe("b");
  });

  it("orders names by their bytes: U+FFFD is before an emoji", () => {
    const both = rules("DENY", { "\u{1F600}": policyOn("x"), "\uFFFD": policyOn("x"), z: policyOn("y") });
    expect(evaluateRbac(both, withHeaders("x")).policy).toBe("\uFFFD");
  });

  it("asks a policy for a permission and for a principal", () => {
    const policy = (permission: Message, principal: Message): Message =>
      rules("ALLOW", { p: { permissions: [permission], principals: [principal] } });
    expect(verdict(policy(hasHeader("x"), hasHeader("y")), withHeaders("x", "y"))).toBe("allowed");
    expect(verdict(policy(hasHeader("x"), hasHeader("y")), withHeaders("x"))).toBe("denied");
    expect(verdict(policy(hasHeader("x"), hasHeader("y")), withHeaders("y"))).toBe("denied");
    expect(verdict(rules("ALLOW", { p: { permissions: [any] } }))).toBe("denied");
  });

  it("lets the matcher take the place of rules, and denies what it does not match", () => {
    const action = (name: string, own: Message): Message => ({
      action: {
        name: "action",
        typed_config: { "@type": "type.googleapis.com/envoy.config.rbac.v3.Action", name, ...own },
      },
    });
    const rbac = {
      ...rules("ALLOW", { p: { permissions: [any], principals: [any] } }),
      matcher: {
        matcher_tree: {
          input: {
            name: "i",
            typed_config: {
              "@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
              header_name: "x",
            },
          },
          exact_match_map: {
            map: {
              deny: action("foo bar", { action: "DENY" }),
              ok: action("ok", {}),
              log: action("logged", { action: "LOG" }),
            },
          },
        },
      },
    };
    const at = (x: string): ReturnType<typeof evaluateRbac> =>
      evaluateRbac(rbac, aContext({ headers: headersOf({ x }) }));
    expect(at("deny")).toMatchObject({ verdict: "denied", policy: "foo bar" });
    expect(at("ok")).toMatchObject({ verdict: "allowed", policy: "ok" });
    expect(at("log")).toMatchObject({ verdict: "allowed", policy: "logged" });
    expect(at("other")).toMatchObject({ verdict: "denied", policy: "none" });
  });

  it("evaluates shadow rules apart, and enforces none", () => {
    const rbac = { shadow_rules: rules("DENY", { p: policyOn("x") })["rules"] };
    expect(evaluateShadowRbac(rbac, withHeaders("x"))).toMatchObject({ verdict: "denied", policy: "p" });
    expect(evaluateShadowRbac(rbac, withHeaders())).toMatchObject({ verdict: "allowed", policy: "" });
    expect(verdict(rbac, withHeaders("x"))).toBe("allowed");
    expect(evaluateShadowRbac({}, withHeaders("x"))).toBeNull();
  });
});

describe("what is not known", () => {
  it("leaves the verdict open where the policy could decide", () => {
    const result = evaluateRbac(rules("ALLOW", { p: unknownPolicy }), withHeaders());
    expect(result).toMatchObject({ verdict: "unknown", candidates: ["p"] });
    expect(result.because).toEqual([
      { reason: "expression", message: "The policy p has a CEL condition, which is not evaluated." },
    ]);
  });

  it("does not matter where another policy gives the verdict, but for the name", () => {
    const result = evaluateRbac(rules("ALLOW", { a: unknownPolicy, b: policyOn("x") }), withHeaders("x"));
    expect(result).toMatchObject({ verdict: "allowed", policy: "", candidates: ["a", "b"] });
    const later = evaluateRbac(rules("ALLOW", { a: policyOn("x"), b: unknownPolicy }), withHeaders("x"));
    expect(later).toMatchObject({ verdict: "allowed", policy: "a", because: [] });
  });

  it("does not matter where the rest of the policy fails", () => {
    const policy = { ...unknownPolicy, permissions: [hasHeader("x")] };
    expect(verdict(rules("ALLOW", { p: policy }))).toBe("denied");
    expect(verdict(rules("ALLOW", { p: policy }), withHeaders("x"))).toBe("unknown");
  });

  it("never matters to LOG", () => {
    expect(verdict(rules("LOG", { p: unknownPolicy }))).toBe("allowed");
  });
});

describe("the details of a denial", () => {
  it("name the policy with its blanks replaced", () => {
    const result = evaluateRbac(rules("DENY", { "a\t b": policyOn("x") }), withHeaders("x"));
    expect(rbacDetail(result, 36)).toBe("rbac_access_denied_matched_policy[a__b]");
    expect(rbacDetail(evaluateRbac({ rules: {} }, withHeaders()), 36)).toBe(
      "rbac_access_denied_matched_policy[none]",
    );
  });

  it("do not name it before 1.16, and are left open where the name is", () => {
    const result = evaluateRbac(rules("DENY", { a: unknownPolicy, b: policyOn("x") }), withHeaders("x"));
    expect(result.verdict).toBe("denied");
    expect(rbacDetail(result, 36)).toBe("");
    expect(rbacDetail(result, 15)).toBe("rbac_access_denied");
  });
});

/** Permissions over headers a, b, c and a leaf that nothing can be told of. */
const permission = fc.letrec<{ tree: Message }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom("a", "b", "c").map(hasHeader),
    fc.constant<Message>(any),
    fc.constant<Message>({ matcher: { name: "upstream" } }),
    tie("tree").map((not_rule) => ({ not_rule })),
    fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((list) => ({ and_rules: { rules: list } })),
    fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((list) => ({ or_rules: { rules: list } })),
  ),
})).tree;
const present = fc.subarray(["a", "b", "c"]);
const allowing = (tree: Message): Message =>
  rules("ALLOW", { p: { permissions: [tree], principals: [any] } });

describe("laws", () => {
  it("De Morgan: not all is any not, not any is all not", () => {
    fc.assert(
      fc.property(fc.array(permission, { minLength: 1, maxLength: 3 }), present, (list, names) => {
        const context = withHeaders(...names);
        const negated = list.map((one) => ({ not_rule: one }));
        const both = [
          [{ not_rule: { and_rules: { rules: list } } }, { or_rules: { rules: negated } }],
          [{ not_rule: { or_rules: { rules: list } } }, { and_rules: { rules: negated } }],
        ] as const;
        for (const [left, right] of both)
          expect(verdict(allowing(left), context)).toBe(verdict(allowing(right), context));
      }),
    );
  });

  it("a leaf that becomes unknown never turns a verdict into its opposite", () => {
    const replaced = (node: Message, leaf: Message): Message =>
      JSON.parse(
        JSON.stringify(node).replaceAll(JSON.stringify(hasHeader("a")), JSON.stringify(leaf)),
      ) as Message;
    fc.assert(
      fc.property(permission, present, fc.constantFrom("ALLOW", "DENY"), (tree, names, action) => {
        const of = (one: Message): Message => rules(action, { p: { permissions: [one], principals: [any] } });
        const before = verdict(of(tree), withHeaders(...names));
        const unknownLeaf = verdict(of(replaced(tree, { matcher: { name: "x" } })), withHeaders(...names));
        if (before !== "unknown") expect([before, "unknown"]).toContain(unknownLeaf);
      }),
    );
  });

  it("an unknown verdict can go both ways, and a known one no way but its own", () => {
    const settled = (node: Message, value: Message): Message =>
      JSON.parse(
        JSON.stringify(node).replaceAll('{"matcher":{"name":"upstream"}}', JSON.stringify(value)),
      ) as Message;
    fc.assert(
      fc.property(permission, present, (tree, names) => {
        const context = withHeaders(...names);
        const result = verdict(allowing(tree), context);
        const ways = [any, { not_rule: any }].map((value) =>
          verdict(allowing(settled(tree, value)), context),
        );
        if (result !== "unknown") expect(new Set(ways)).toEqual(new Set([result]));
      }),
    );
  });

  it("the order in which policies are written never matters", () => {
    const name = fc.string({ minLength: 1, maxLength: 3, unit: "binary" });
    const policies = fc.uniqueArray(fc.tuple(name, fc.constantFrom("a", "b", "unknown")), {
      selector: ([own]) => own,
      maxLength: 6,
    });
    fc.assert(
      fc.property(policies, present, fc.constantFrom("ALLOW", "DENY", "LOG"), (list, names, action) => {
        const build = (entries: typeof list): Message =>
          rules(
            action,
            Object.fromEntries(
              entries.map(([own, kind]) => [own, kind === "unknown" ? unknownPolicy : policyOn(kind)]),
            ),
          );
        const context = withHeaders(...names);
        expect(evaluateRbac(build(list.toReversed()), context)).toEqual(evaluateRbac(build(list), context));
      }),
    );
  });

  it("the effective policy is the first by the bytes of UTF-8", () => {
    const name = fc
      .string({ minLength: 1, maxLength: 4, unit: "binary" })
      .filter((text) => text.isWellFormed());
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 6 }), (names) => {
        const all = rules("ALLOW", Object.fromEntries(names.map((one) => [one, policyOn("a")])));
        const [first] = names.map((one) => Buffer.from(one)).sort((a, b) => Buffer.compare(a, b));
        expect(evaluateRbac(all, withHeaders("a")).policy).toBe(first!.toString());
      }),
    );
  });

  it("a policy that nests without end is left open, and ends", () => {
    let tree: Message = any;
    for (let depth = 0; depth < 100_000; depth++) tree = { not_rule: tree };
    const result = evaluateRbac(allowing(tree), withHeaders());
    expect(result.verdict).toBe("unknown");
    expect(result.because[0]?.reason).toBe("limit");
  });
});
