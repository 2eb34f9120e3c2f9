import { describe, expect, it } from "vitest";

import { isEqualValue, labelsMatch } from "../../../src/trace/cluster/metadata-labels.js";

describe("labels", () => {
  const metadata = { "envoy.lb": { version: "v1", canary: true, zones: ["a", "b"] } };

  it.each([
    [{}, true],
    [{ version: "v1" }, true],
    [{ version: "v1", canary: true }, true],
    [{ version: "v2" }, false],
    [{ canary: "true" }, false],
    [{ missing: "x" }, false],
    [{ zones: ["a", "b"] }, true],
    [{ zones: "a" }, false],
    [{ toString: "x" }, false],
  ])("%j: %s", (labels, expected) => {
    expect(labelsMatch(labels, metadata, "envoy.lb")).toBe(expected);
  });

  it("of no kind match metadata that is not there, others do not", () => {
    expect(labelsMatch({}, undefined, "envoy.lb")).toBe(true);
    expect(labelsMatch({ a: "b" }, undefined, "envoy.lb")).toBe(false);
    expect(labelsMatch({ version: "v1" }, metadata, "other")).toBe(false);
  });

  it("may match one element of a list", () => {
    expect(labelsMatch({ zones: "a" }, metadata, "envoy.lb", true)).toBe(true);
    expect(labelsMatch({ zones: "c" }, metadata, "envoy.lb", true)).toBe(false);
  });
});

it.each([
  ["1", 1, false],
  [1, 1, true],
  [null, null, true],
  [null, undefined, false],
  [{ a: [1, { b: "c" }] }, { a: [1, { b: "c" }] }, true],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [[1, 2], [2, 1], false],
  [[], {}, false],
])("the values %j and %j are equal: %s", (a, b, expected) => {
  expect(isEqualValue(a, b)).toBe(expected);
  expect(isEqualValue(b, a)).toBe(expected);
});
