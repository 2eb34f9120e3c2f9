import { expect, it } from "vitest";

import {
  asciiLower,
  matchString,
  textTest,
  textTestWords,
} from "../../../src/trace/matchers/string-matcher.js";
import { said } from "../requests.js";

it.each([
  { matcher: { exact: "a" }, text: "a", matches: true },
  { matcher: { exact: "a" }, text: "A", matches: false },
  { matcher: { exact: "a", ignore_case: true }, text: "A", matches: true },
  { matcher: { exact: "" }, text: "", matches: true },
  { matcher: { exact: "" }, text: "a", matches: false },
  { matcher: { prefix: "/a" }, text: "/ab", matches: true },
  { matcher: { prefix: "/A", ignore_case: true }, text: "/ab", matches: true },
  { matcher: { prefix: "/a" }, text: "b/a", matches: false },
  { matcher: { suffix: ".com" }, text: "a.com", matches: true },
  { matcher: { suffix: ".com" }, text: "a.org", matches: false },
  { matcher: { contains: "bc" }, text: "abcd", matches: true },
  { matcher: { contains: "BC", ignore_case: true }, text: "abcd", matches: true },
  { matcher: { contains: "bc" }, text: "acb", matches: false },
  { matcher: { safe_regex: { regex: "a.c" } }, text: "abc", matches: true },
  { matcher: { safe_regex: { google_re2: {}, regex: "a.c" } }, text: "xabc", matches: false },
  { matcher: { safe_regex: { regex: "A.C" }, ignore_case: true }, text: "abc", matches: false },
  { matcher: { exact: "\u00c4", ignore_case: true }, text: "\u00e4", matches: false },
])("$matcher on $text: $matches", ({ matcher, text, matches }) => {
  expect(matchString(matcher, text)).toBe(matches);
});

it.each([
  { matcher: {}, reason: "expression" },
  { matcher: { custom: { name: "lua" } }, reason: "expression" },
  { matcher: { safe_regex: { regex: "(?=a)" } }, reason: "regular expression" },
])("$matcher is unknown", ({ matcher, reason }) => {
  expect(said(matchString(matcher, "a"))).toEqual([reason]);
});

it("lowers ASCII only", () => {
  expect(asciiLower("ABC-\u00c4\u0130")).toBe("abc-\u00c4\u0130");
});

it.each([
  [{ exact: "a" }, 'exact "a"'],
  [{ prefix: "a", ignore_case: true }, 'prefix "a" in any case'],
  [{ safe_regex: { regex: "a.*" } }, "regex a.*"],
])("%j in words: %s", (matcher, words) => {
  const test = textTest(matcher);
  expect(test === null ? "" : textTestWords(test)).toBe(words);
});
