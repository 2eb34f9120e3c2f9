import { describe, expect, it } from "vitest";

import {
  headerWords,
  matchHeader,
  matchHeaders,
  wholeNumber,
} from "../../../src/trace/matchers/header-matcher.js";
import type { HeaderList } from "../../../src/trace/request.js";
import { said } from "../requests.js";

const here: HeaderList = [["x", "v"]];
const absent: HeaderList = [["y", "v"]];

describe("values", () => {
  it.each([
    { matcher: { exact_match: "v" }, headers: here, matches: true, because: "deprecated" },
    { matcher: { exact_match: "w" }, headers: here, matches: false, because: "another value" },
    {
      matcher: { exact_match: "" },
      headers: here,
      matches: true,
      because: "the deprecated empty text is any value",
    },
    {
      matcher: { string_match: { exact: "" } },
      headers: here,
      matches: false,
      because: "that of a StringMatcher is not",
    },
    {
      matcher: { string_match: { exact: "" } },
      headers: [["x", ""]] as HeaderList,
      matches: true,
      because: "an empty value is there",
    },
    {
      matcher: { prefix_match: "va" },
      headers: [["x", "value"]] as HeaderList,
      matches: true,
      because: "prefix",
    },
    {
      matcher: { suffix_match: "ue" },
      headers: [["x", "value"]] as HeaderList,
      matches: true,
      because: "suffix",
    },
    {
      matcher: { contains_match: "alu" },
      headers: [["x", "value"]] as HeaderList,
      matches: true,
      because: "contains",
    },
    {
      matcher: { safe_regex_match: { regex: "v.*e" } },
      headers: [["x", "value"]] as HeaderList,
      matches: true,
      because: "regex",
    },
    {
      matcher: { safe_regex_match: { regex: "v" } },
      headers: [["x", "value"]] as HeaderList,
      matches: false,
      because: "a full match",
    },
    {
      matcher: { string_match: { exact: "V" } },
      headers: here,
      matches: false,
      because: "values are case-sensitive",
    },
    {
      matcher: { string_match: { exact: "V", ignore_case: true } },
      headers: here,
      matches: true,
      because: "unless asked otherwise",
    },
    {
      matcher: { name: "X", string_match: { exact: "v" } },
      headers: here,
      matches: true,
      because: "names are not",
    },
    {
      matcher: { string_match: { exact: "v" }, invert_match: true },
      headers: here,
      matches: false,
      because: "inverted",
    },
    {
      matcher: { string_match: { exact: "w" }, invert_match: true },
      headers: here,
      matches: true,
      because: "inverted",
    },
    {
      matcher: { string_match: { exact: "v" }, invert_match: true },
      headers: absent,
      matches: false,
      because: "a missing header matches no value, inverted or not",
    },
    {
      matcher: { string_match: { exact: "v" }, invert_match: true, treat_missing_header_as_empty: true },
      headers: absent,
      matches: true,
      because: "unless it is taken for empty",
    },
    {
      matcher: { string_match: { exact: "" }, treat_missing_header_as_empty: true },
      headers: absent,
      matches: true,
      because: "empty",
    },
  ])("$matcher on $headers: $because", ({ matcher, headers, matches }) => {
    expect(matchHeader({ name: "x", ...matcher }, headers)).toBe(matches);
  });

  it("are unknown for a pattern that is refused, and inverted as well", () => {
    const matcher = { name: "x", safe_regex_match: { regex: "(?=a)" } };
    expect(said(matchHeader(matcher, here))).toEqual(["regular expression"]);
    expect(said(matchHeader({ ...matcher, invert_match: true }, here))).toEqual(["regular expression"]);
  });

  it("are those of pseudo headers, the path with its query", () => {
    const headers: HeaderList = [
      [":path", "/api?x=1"],
      [":authority", "a.com"],
    ];
    expect(matchHeader({ name: ":path", string_match: { exact: "/api" } }, headers)).toBe(false);
    expect(matchHeader({ name: ":path", string_match: { exact: "/api?x=1" } }, headers)).toBe(true);
    expect(matchHeader({ name: "Host", string_match: { exact: "a.com" } }, headers)).toBe(true);
  });
});

describe("several lines of one name", () => {
  const lines: HeaderList = [
    ["x", "a"],
    ["x", "b"],
  ];
  const both = { name: "x", string_match: { exact: "a,b" } };
  const one = { name: "x", string_match: { exact: "b" } };

  it.each([
    { envoy: 36, matcher: both, matches: true },
    { envoy: 36, matcher: one, matches: false },
    { envoy: 39, matcher: both, matches: false },
    { envoy: 39, matcher: one, matches: true },
  ])("in 1.$envoy $matcher: $matches", ({ envoy, matcher, matches }) => {
    expect(matchHeader(matcher, lines, envoy)).toBe(matches);
    expect(matchHeader({ ...matcher, invert_match: true }, lines, envoy)).toBe(!matches);
  });

  it("are joined for headers of which Envoy keeps one entry, in every release", () => {
    const headers: HeaderList = [
      ["x-forwarded-for", "1.1.1.1"],
      ["x-forwarded-for", "2.2.2.2"],
    ];
    const matcher = { name: "x-forwarded-for", string_match: { exact: "1.1.1.1,2.2.2.2" } };
    expect(matchHeader(matcher, headers, 39)).toBe(true);
  });

  it("can be compared one by one in another release", () => {
    expect(matchHeader(one, lines, 38, { isOneByOne: true })).toBe(true);
    expect(matchHeader(one, lines, 38, { isOneByOne: false })).toBe(false);
  });

  it("that are empty make a comma", () => {
    expect(
      matchHeader(
        { name: "x", string_match: { exact: "," } },
        [
          ["x", ""],
          ["x", ""],
        ],
        36,
      ),
    ).toBe(true);
  });
});

describe("presence", () => {
  it.each([
    { headers: here, present: true, invert: false, missingIsEmpty: false, matches: true },
    { headers: here, present: true, invert: false, missingIsEmpty: true, matches: true },
    { headers: here, present: false, invert: false, missingIsEmpty: false, matches: false },
    { headers: here, present: false, invert: false, missingIsEmpty: true, matches: false },
    { headers: here, present: true, invert: true, missingIsEmpty: false, matches: false },
    { headers: here, present: true, invert: true, missingIsEmpty: true, matches: false },
    { headers: here, present: false, invert: true, missingIsEmpty: false, matches: true },
    { headers: here, present: false, invert: true, missingIsEmpty: true, matches: true },
    { headers: absent, present: true, invert: false, missingIsEmpty: false, matches: false },
    { headers: absent, present: false, invert: false, missingIsEmpty: false, matches: true },
    { headers: absent, present: true, invert: true, missingIsEmpty: false, matches: true },
    { headers: absent, present: false, invert: true, missingIsEmpty: false, matches: false },
    { headers: absent, present: true, invert: false, missingIsEmpty: true, matches: true },
    { headers: absent, present: false, invert: false, missingIsEmpty: true, matches: false },
    { headers: absent, present: true, invert: true, missingIsEmpty: true, matches: false },
    { headers: absent, present: false, invert: true, missingIsEmpty: true, matches: true },
  ])("$headers, present $present, inverted $invert, missing is empty $missingIsEmpty: $matches", (row) => {
    const matcher = {
      name: "x",
      present_match: row.present,
      invert_match: row.invert,
      treat_missing_header_as_empty: row.missingIsEmpty,
    };
    expect(matchHeader(matcher, row.headers)).toBe(row.matches);
  });

  it("is meant by a matcher that has a name only", () => {
    expect(matchHeader({ name: "x" }, here)).toBe(true);
    expect(matchHeader({ name: "x" }, absent)).toBe(false);
    expect(matchHeader({ name: "x", invert_match: true }, absent)).toBe(true);
  });

  it("of false was taken for true by old releases", () => {
    expect(matchHeader({ name: "x", present_match: false }, absent, 16)).toBe(false);
    expect(matchHeader({ name: "x", present_match: false }, absent, 20)).toBe(true);
  });
});

describe("a range", () => {
  it.each([
    { value: "-1", matches: true },
    { value: "-10", matches: true },
    { value: "0", matches: false },
    { value: "-11", matches: false },
    { value: "-1something", matches: false },
    { value: "-1.5", matches: false },
    { value: " -5 ", matches: true },
    { value: "", matches: false },
    { value: "99999999999999999999", matches: false },
  ])("of [-10, 0) and $value: $matches", ({ value, matches }) => {
    expect(matchHeader({ name: "x", range_match: { start: "-10", end: 0 } }, [["x", value]])).toBe(matches);
  });

  it("reaches as far as 64 bits", () => {
    const matcher = { name: "x", range_match: { start: "9223372036854775806", end: "9223372036854775807" } };
    expect(matchHeader(matcher, [["x", "9223372036854775806"]])).toBe(true);
    expect(matchHeader(matcher, [["x", "9223372036854775805"]])).toBe(false);
  });
});

it.each([
  ["+5", 5n],
  ["007", 7n],
  ["-0", 0n],
  ["5 5", null],
  ["0x5", null],
  ["1".repeat(21), null],
])("%s is the number %s", (text, value) => {
  expect(wholeNumber(text)).toBe(value);
});

it("all matchers have to hold, and one that does not outweighs one that is unknown", () => {
  const unknownOne = { name: "x", safe_regex_match: { regex: "(?=a)" } };
  expect(matchHeaders([], here)).toBe(true);
  expect(matchHeaders([{ name: "x" }, { name: "z" }], here)).toBe(false);
  expect(matchHeaders([unknownOne, { name: "z" }], here)).toBe(false);
  expect(said(matchHeaders([unknownOne, { name: "x" }], here))).toEqual(["regular expression"]);
});

it.each([
  [{ name: "x", string_match: { exact: "v" } }, 'x exact "v"'],
  [{ name: "x", exact_match: "v", invert_match: true }, 'x not exact "v"'],
  [{ name: "x", range_match: { start: 1, end: 5 } }, "x in [1, 5)"],
  [{ name: "x" }, "x present"],
  [{ name: "x", present_match: false }, "x absent"],
  [{ name: "x", string_match: { custom: {} } }, "x by a custom matcher"],
])("%j in words", (matcher, words) => {
  expect(headerWords(matcher)).toBe(words);
});
