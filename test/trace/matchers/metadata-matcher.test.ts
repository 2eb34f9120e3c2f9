import { describe, expect, it } from "vitest";

import { matchFilterState, matchMetadata } from "../../../src/trace/matchers/metadata-matcher.js";
import { aContext, said } from "../requests.js";

const matcher = (value: string, ...keys: readonly string[]) => ({
  filter: "f",
  path: keys.map((key) => ({ key })),
  value: { string_match: { exact: value } },
});

describe("dynamic metadata", () => {
  const context = aContext({ dynamicMetadata: new Map([["f", { a: { b: "v" }, c: "w" }]]) });

  it.each([
    { asked: matcher("v", "a", "b"), matches: true },
    { asked: matcher("w", "c"), matches: true },
    { asked: matcher("x", "c"), matches: false },
    { asked: matcher("w", "c", "d"), matches: false },
    { asked: { ...matcher("x", "c"), invert: true }, matches: true },
    { asked: { ...matcher("w", "c"), invert: true }, matches: false },
    { asked: { ...matcher("w", "missing"), invert: true }, matches: true },
    { asked: { ...matcher("w", "c"), filter: "other" }, matches: false },
    { asked: { ...matcher("w", "constructor") }, matches: false },
  ])("$asked: $matches", ({ asked, matches }) => {
    expect(matchMetadata(asked, context)).toBe(matches);
  });

  it("is unknown for a filter of which nothing is known, while others may have set it", () => {
    const open = aContext({ isComplete: false, dynamicMetadata: context.dynamicMetadata });
    expect(said(matchMetadata({ ...matcher("w", "c"), filter: "other" }, open))).toEqual([
      "dynamic metadata",
    ]);
    expect(said(matchMetadata({ ...matcher("w", "c"), filter: "other", invert: true }, open))).toEqual([
      "dynamic metadata",
    ]);
    expect(matchMetadata(matcher("w", "c"), open)).toBe(true);
  });
});

describe("filter state", () => {
  const context = aContext({
    filterState: new Map([
      ["k", "v"],
      ["ip", "10.1.2.3"],
    ]),
  });

  it.each([
    { asked: { key: "k", string_match: { exact: "v" } }, matches: true },
    { asked: { key: "k", string_match: { exact: "w" } }, matches: false },
    { asked: { key: "missing", string_match: { prefix: "" } }, matches: false },
    {
      asked: { key: "ip", address_match: { ranges: [{ address_prefix: "10.1.0.0", prefix_len: 16 }] } },
      matches: true,
    },
    {
      asked: { key: "ip", address_match: { ranges: [{ address_prefix: "10.2.0.0", prefix_len: 16 }] } },
      matches: false,
    },
    { asked: { key: "k", address_match: { ranges: [{ address_prefix: "0.0.0.0" }] } }, matches: false },
  ])("$asked: $matches", ({ asked, matches }) => {
    expect(matchFilterState(asked, context)).toBe(matches);
  });

  it("is unknown where a filter may have set it", () => {
    const open = aContext({ isComplete: false, filterState: context.filterState });
    expect(said(matchFilterState({ key: "missing", string_match: { exact: "" } }, open))).toEqual([
      "filter state",
    ]);
    expect(matchFilterState({ key: "k", string_match: { exact: "v" } }, open)).toBe(true);
  });

  it("is unknown for a condition that we do not know", () => {
    expect(said(matchFilterState({ key: "k" }, context))).toEqual(["filter state"]);
  });
});
