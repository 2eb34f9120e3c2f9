import { expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { evaluateMatchDelegate } from "../../../src/trace/filters/match-delegate.js";
import { evaluate, headersOf, rbacType } from "./filter-builders.js";

const any = (type: string, own: Message = {}): Message => ({
  "@type": `type.googleapis.com/${type}`,
  ...own,
});
const treeFor = (action: Message, input = "envoy.type.matcher.v3.HttpRequestHeaderMatchInput"): Message => ({
  matcher_tree: {
    input: { name: "i", typed_config: any(input, { header_name: "x" }) },
    exact_match_map: { map: { "1": { action: { name: "a", typed_config: action } } } },
  },
});
const skip = any("envoy.extensions.filters.common.matcher.action.v3.SkipFilter");
const denyAll = { name: "rbac", typed_config: any(rbacType, { rules: {} }) };
const composite = {
  name: "composite",
  typed_config: any("envoy.extensions.filters.http.composite.v3.Composite"),
};
const execute = (own: Message): Message =>
  any("envoy.extensions.filters.http.composite.v3.ExecuteFilterAction", own);
const at = (
  extension_config: Message,
  tree: Message | undefined,
  x: string,
  routes: readonly Message[] = [],
): string =>
  evaluate(
    evaluateMatchDelegate,
    { extension_config, ...(tree === undefined ? {} : { xds_matcher: tree }) },
    { headers: headersOf({ x }) },
    routes,
  ).decision;

it("skips the filter where the tree says so, and runs it where nothing matches", () => {
  expect(at(denyAll, treeFor(skip), "1")).toBe("passed");
  expect(at(denyAll, treeFor(skip), "2")).toBe("denied");
});

it("skips it without a tree, which the route may bring", () => {
  expect(at(denyAll, undefined, "2")).toBe("passed");
  expect(at(denyAll, undefined, "2", [{ xds_matcher: treeFor(skip) }])).toBe("denied");
});

it("runs what the tree chooses, if it chooses something", () => {
  const chosen = treeFor(execute({ typed_config: denyAll }));
  expect(at(composite, chosen, "1")).toBe("denied");
  expect(at(composite, chosen, "2")).toBe("passed");
});

it.each<[string, Message]>([
  ["a sample", execute({ typed_config: denyAll, sample_percent: {} })],
  ["what is discovered", execute({ dynamic_config: { name: "x" } })],
])("leaves open %s", (_, action) => {
  expect(at(composite, treeFor(action), "1")).toBe("unknown");
  expect(at(composite, treeFor(action), "2")).toBe("passed");
});

it("leaves open what its tree asks for and we cannot tell", () => {
  expect(at(denyAll, treeFor(skip, "xds.type.matcher.v3.HttpAttributesCelMatchInput"), "1")).toBe("unknown");
});
