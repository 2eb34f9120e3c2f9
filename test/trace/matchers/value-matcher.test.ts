import { expect, it } from "vitest";

import { matchValue } from "../../../src/trace/matchers/value-matcher.js";
import { said } from "../requests.js";

it.each([
  { matcher: { null_match: {} }, value: null, matches: true },
  { matcher: { null_match: {} }, value: undefined, matches: false },
  { matcher: { double_match: { exact: 1.5 } }, value: 1.5, matches: true },
  { matcher: { double_match: { exact: 1.5 } }, value: "1.5", matches: false },
  { matcher: { double_match: { range: { start: 1, end: 2 } } }, value: 1, matches: true },
  { matcher: { double_match: { range: { start: 1, end: 2 } } }, value: 2, matches: false },
  { matcher: { string_match: { exact: "a" } }, value: "a", matches: true },
  { matcher: { string_match: { exact: "a" } }, value: ["a"], matches: false },
  { matcher: { string_match: { prefix: "" } }, value: undefined, matches: false },
  { matcher: { bool_match: true }, value: true, matches: true },
  { matcher: { bool_match: false }, value: undefined, matches: false },
  { matcher: { present_match: true }, value: "a", matches: true },
  { matcher: { present_match: true }, value: null, matches: true },
  { matcher: { present_match: true }, value: undefined, matches: false },
  { matcher: { present_match: false }, value: undefined, matches: false },
  { matcher: { list_match: { one_of: { string_match: { exact: "a" } } } }, value: ["b", "a"], matches: true },
  { matcher: { list_match: { one_of: { string_match: { exact: "a" } } } }, value: ["b"], matches: false },
  { matcher: { list_match: { one_of: { string_match: { exact: "a" } } } }, value: "a", matches: false },
  {
    matcher: { or_match: { value_matchers: [{ bool_match: true }, { string_match: { exact: "a" } }] } },
    value: "a",
    matches: true,
  },
  {
    matcher: { or_match: { value_matchers: [{ bool_match: true }, { string_match: { exact: "a" } }] } },
    value: "b",
    matches: false,
  },
])("$matcher on $value: $matches", ({ matcher, value, matches }) => {
  expect(matchValue(matcher, value)).toBe(matches);
});

it("is unknown without a condition", () => {
  expect(said(matchValue({}, "a"))).toEqual(["expression"]);
});
