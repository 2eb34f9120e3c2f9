import { describe, expect, it } from "vitest";

import {
  cookiesOf,
  cookieWords,
  matchCookie,
  matchQueryParameter,
  queryParameters,
  queryWords,
} from "../../../src/trace/matchers/query-matcher.js";

describe("query parameters", () => {
  it.each([
    {
      path: "/?debug3=bar&debug3=foo",
      matcher: { name: "debug3", string_match: { exact: "foo" } },
      matches: false,
      because: "the first value counts",
    },
    {
      path: "/?debug3=bar&debug3=foo",
      matcher: { name: "debug3", string_match: { exact: "bar" } },
      matches: true,
      because: "the first value counts",
    },
    {
      path: "/?x=a%20b",
      matcher: { name: "x", string_match: { exact: "a b" } },
      matches: false,
      because: "nothing is decoded",
    },
    {
      path: "/?x=a%20b",
      matcher: { name: "x", string_match: { exact: "a%20b" } },
      matches: true,
      because: "nothing is decoded",
    },
    {
      path: "/?x",
      matcher: { name: "x", string_match: { exact: "" } },
      matches: true,
      because: "a key alone has an empty value",
    },
    {
      path: "/?x=a=b",
      matcher: { name: "x", string_match: { exact: "a=b" } },
      matches: true,
      because: "the first = counts",
    },
    { path: "/?a?x=1", matcher: { name: "x" }, matches: false, because: "the first ? counts" },
    { path: "/?x=1", matcher: { name: "x" }, matches: true, because: "presence" },
    { path: "/?X=1", matcher: { name: "x" }, matches: false, because: "names are case-sensitive" },
    {
      path: "/",
      matcher: { name: "x", string_match: { prefix: "" } },
      matches: false,
      because: "an absent key matches no value",
    },
    { path: "/", matcher: { name: "x", present_match: false }, matches: true, because: "absence" },
    { path: "/?x=1", matcher: { name: "x", present_match: false }, matches: false, because: "absence" },
    { path: "/?x=1", matcher: { name: "x", present_match: true }, matches: true, because: "presence" },
  ])("$matcher in $path: $because", ({ path, matcher, matches }) => {
    expect(matchQueryParameter(matcher, queryParameters(path), 36)).toBe(matches);
  });

  it("asked for presence in old releases, whatever present_match said", () => {
    const matcher = { name: "x", present_match: false };
    expect(matchQueryParameter(matcher, queryParameters("/?x=1"), 33)).toBe(true);
    expect(matchQueryParameter(matcher, queryParameters("/"), 33)).toBe(false);
  });

  it("are said in words", () => {
    expect(queryWords({ name: "x" })).toBe("x present");
    expect(queryWords({ name: "x", present_match: false })).toBe("x absent");
    expect(queryWords({ name: "x", string_match: { prefix: "a" } })).toBe('x prefix "a"');
  });
});

describe("cookies", () => {
  const cookies = cookiesOf([
    ["cookie", 'a=1; b="two"; a=3; bare; =x'],
    ["cookie", "c=4"],
  ]);

  it("are read from all lines, the first value of a name, without quotes", () => {
    expect([...cookies]).toEqual([
      ["a", "1"],
      ["b", "two"],
      ["c", "4"],
    ]);
  });

  it.each([
    { matcher: { name: "a", string_match: { exact: "1" } }, matches: true },
    { matcher: { name: "a", string_match: { exact: "3" } }, matches: false },
    { matcher: { name: "z", string_match: { exact: "1" } }, matches: false },
    { matcher: { name: "z", string_match: { exact: "1" }, invert_match: true }, matches: true },
    { matcher: { name: "a", string_match: { exact: "1" }, invert_match: true }, matches: false },
  ])("$matcher: $matches", ({ matcher, matches }) => {
    expect(matchCookie(matcher, cookies)).toBe(matches);
  });

  it("are said in words", () => {
    expect(cookieWords({ name: "a", string_match: { exact: "1" }, invert_match: true })).toBe(
      'a not exact "1"',
    );
  });
});
