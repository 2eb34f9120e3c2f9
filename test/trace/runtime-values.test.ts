import { describe, expect, it } from "vitest";

import { runtimeGuard, runtimeNumber } from "../../src/trace/runtime-values.js";
import { runtimeOf } from "./cluster/builders.js";

describe("a guard", () => {
  it.each([
    [undefined, true, true],
    [undefined, false, false],
    [false, true, false],
    ["false", true, false],
    ["True", false, true],
    [0, true, false],
    ["0", true, false],
    [1, false, true],
    ["nonsense", true, true],
  ])("of %j, by default %s, is %s", (value, otherwise, expected) => {
    expect(runtimeGuard(runtimeOf({ "envoy.reloadable_features.x": value }), "x", otherwise)).toBe(expected);
  });
});

it("a number is the default where there is none", () => {
  expect(runtimeNumber(runtimeOf({ a: "12" }), "a", 5)).toBe(12);
  expect(runtimeNumber(runtimeOf({ a: "x" }), "a", 5)).toBe(5);
  expect(runtimeNumber(runtimeOf({}), "a", 5)).toBe(5);
});
