import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { fullMatch, groupsOf, namedGroup, replaceAll } from "../../../src/trace/matchers/regex.js";
import { said } from "../requests.js";

describe("a full match", () => {
  it.each([
    { pattern: "/b[io]t", text: "/bit", matches: true, because: "all of it" },
    { pattern: "/b[io]t", text: "/bits", matches: false, because: "a part is not enough" },
    {
      pattern: "a|ab",
      text: "ab",
      matches: true,
      because: "the whole pattern is anchored, not one side of it",
    },
    { pattern: "^/users$", text: "/users", matches: true, because: "anchors are allowed" },
    { pattern: ".", text: "\n", matches: false, because: "a dot is no new line" },
    { pattern: "(?s).", text: "\n", matches: true, because: "unless it is asked for" },
    { pattern: "a$\\n", text: "a\n", matches: false, because: "$ is the end of the text" },
    { pattern: "(?m)a$\\nb", text: "a\nb", matches: true, because: "or of a line, with m" },
    { pattern: "(?i)/FOO", text: "/foo", matches: true, because: "flags stand in the pattern" },
    { pattern: "/foo", text: "/FOO", matches: false, because: "and nowhere else" },
    { pattern: "\\s", text: "\v", matches: false, because: "\\s has no vertical tab" },
    { pattern: "[[:space:]]", text: "\v", matches: true, because: "the POSIX class has" },
    { pattern: "\\d", text: "\u0663", matches: false, because: "\\d is ASCII" },
    { pattern: "\\w", text: "\u00e9", matches: false, because: "\\w is ASCII" },
    { pattern: "\\pL", text: "\u00e9", matches: true, because: "\\pL is Unicode" },
    { pattern: "[[:alpha:]]+", text: "abc", matches: true, because: "POSIX classes" },
    { pattern: "\\Qa.b\\E", text: "a.b", matches: true, because: "quoted" },
    { pattern: "\\Qa.b\\E", text: "axb", matches: false, because: "quoted" },
    { pattern: "\\Aa\\z", text: "a", matches: true, because: "RE2's anchors" },
    { pattern: "(?P<n>a)", text: "a", matches: true, because: "named groups" },
    { pattern: ".", text: "\u{1f600}", matches: true, because: "one character, not two" },
    { pattern: "", text: "", matches: true, because: "nothing is nothing" },
    {
      pattern: "^/users/\\d+/chargeaccounts/[^validate]\\w+$",
      text: "/users/1/chargeaccounts/hello",
      matches: true,
      because: "a class",
    },
  ])("of $pattern and $text: $because", ({ pattern, text, matches }) => {
    expect(fullMatch(pattern, text)).toBe(matches);
  });

  it.each([".", "[^a]", "(?s).*"])("%s does not match what cannot be UTF-8", (pattern) => {
    expect(fullMatch(pattern, "\ud800")).toBe(false);
  });

  it.each(["(?=a)", "(?<=a)b", "(a)\\1", "a++", "(?>a)", "\\C", "(", "a{1001}", "[z-a]"])(
    "is unknown for %s, which is refused",
    (pattern) => {
      expect(said(fullMatch(pattern, "a"))).toEqual(["regular expression"]);
    },
  );

  it("says which pattern it is", () => {
    const result = fullMatch("(?=secret)", "a");
    expect(result).toMatchObject({ because: [{ message: expect.stringContaining("(?=secret)") }] });
  });

  it("agrees with RegExp where the two mean the same", () => {
    const piece = fc.constantFrom(
      "a",
      "b",
      "ab",
      "[ab]",
      "[^a]",
      "(?:a|b)",
      "(?:a|ba)",
      "a*",
      "b+",
      "(?:ab)?",
      "(?:a|b)*",
    );
    const pattern = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(""));
    const text = fc
      .array(fc.constantFrom("a", "b", "c"), { maxLength: 6 })
      .map((letters) => letters.join(""));
    let matched = 0;
    fc.assert(
      fc.property(pattern, text, (one, other) => {
        const expected = new RegExp(`^(?:${one})$`, "u").test(other);
        if (expected) matched += 1;
        expect(fullMatch(one, other)).toBe(expected);
      }),
      { numRuns: 2000, seed: 7 },
    );
    expect(matched).toBeGreaterThan(100);
  });
});

describe("a hostile pattern", () => {
  const long = "a".repeat(100_000);

  it.each(["(a*)*b", "(a|aa)+$x", "(.*)(.*)(.*)(.*)x", "(x+x+)+y", "(?:a|a)*b", "[a-q][^u-z]{13}x"])(
    "%s ends on 100,000 characters",
    (pattern) => {
      expect(fullMatch(pattern, long)).toBe(false);
    },
  );

  it("still matches what it should", () => {
    expect(fullMatch("(a*)*", long)).toBe(true);
  });

  it.each([
    { name: "many repeats", pattern: "x{1000}".repeat(1000) },
    { name: "nested repeats", pattern: "(?:(?:(?:abcdefghijkl){10}){10}){10}" },
    { name: "a long text", pattern: Array.from({ length: 20_000 }, (_, index) => `k${index}`).join("|") },
  ])("of $name is not compiled", ({ pattern }) => {
    expect(said(fullMatch(pattern, "x"))).toEqual(["limit"]);
  });

  it("with few repeats is", () => {
    expect(fullMatch("[a-z0-9]{1,63}(?:\\.[a-z0-9]{1,63}){1,5}", "reviews.default.svc")).toBe(true);
  });

  it("of thousands of instructions is not run on a text of 100,000 characters", () => {
    expect(said(fullMatch("(a?){999}a{999}(b?){999}", long))).toEqual(["limit"]);
    expect(fullMatch("(a?){999}a{999}(b?){999}", "a".repeat(999))).toBe(true);
  });

  it("of which there are many does not fill the memory", () => {
    for (let index = 0; index < 2000; index++) expect(fullMatch(`k${index}[0-9]+`, `k${index}5`)).toBe(true);
    expect(fullMatch("k0[0-9]+", "k05")).toBe(true);
  });

  it("that replaces at every character of a long text is not run to its end", () => {
    expect(replaceAll("(?:.*b|a)", long, "x")).toMatchObject({ because: [{ reason: "limit" }] });
    expect(replaceAll("(?:.*b|a)", "aaab", "x")).toBe("x");
  });
});

describe("groups", () => {
  it("are those of a full match", () => {
    expect(groupsOf("/(?P<kind>[a-z]+)/(x)?(.*)", "/users/1")).toEqual(["/users/1", "users", null, "1"]);
    expect(groupsOf("/(a)", "/ab")).toBeNull();
  });

  it("have names", () => {
    expect(namedGroup("/(?P<kind>[a-z]+)", "kind")).toBe(1);
    expect(namedGroup("/(?P<kind>[a-z]+)", "constructor")).toBeUndefined();
  });
});

describe("a replacement", () => {
  it.each([
    {
      pattern: "a",
      text: "banana",
      substitution: "o",
      result: "bonono",
      because: "everywhere, not as a full match",
    },
    {
      pattern: "^/service/([^/]+)(/.*)$",
      text: "/service/foo/v1",
      substitution: "\\2/instance/\\1",
      result: "/v1/instance/foo",
      because: "groups",
    },
    { pattern: "a+", text: "caat", substitution: "[\\0]", result: "c[aa]t", because: "\\0 is the match" },
    { pattern: "a", text: "a", substitution: "\\\\", result: "\\", because: "a backslash is doubled" },
    { pattern: "(a)", text: "a", substitution: "$1$&", result: "$1$&", because: "dollars are literal" },
    {
      pattern: "a",
      text: "cat",
      substitution: "\\1",
      result: "cat",
      because: "a group that there is not: nothing is replaced",
    },
    {
      pattern: "a",
      text: "cat",
      substitution: "x\\q",
      result: "cxt",
      because: "another escape ends the substitution",
    },
    {
      pattern: "(a)|b",
      text: "ab",
      substitution: "<\\1>",
      result: "<a><>",
      because: "a group that took no part is empty",
    },
    {
      pattern: "a*",
      text: "baac",
      substitution: "x",
      result: "xbxcx",
      because: "no empty match right behind another match",
    },
    {
      pattern: "",
      text: "\u{1f600}a",
      substitution: "-",
      result: "-\u{1f600}-a-",
      because: "between characters, not inside of one",
    },
    {
      pattern: "^a",
      text: "aaa",
      substitution: "b",
      result: "baa",
      because: "^ is the beginning of the whole text",
    },
    {
      pattern: "\\ba",
      text: "aa a",
      substitution: "b",
      result: "ba b",
      because: "what stands before counts",
    },
    { pattern: "x", text: "abc", substitution: "y", result: "abc", because: "nothing matches" },
  ])("of $pattern in $text by $substitution: $because", ({ pattern, text, substitution, result }) => {
    expect(replaceAll(pattern, text, substitution)).toBe(result);
  });

  it("is unknown for a pattern that is refused", () => {
    expect(replaceAll("(?=a)", "a", "b")).toMatchObject({ because: [{ reason: "regular expression" }] });
  });

  it("is unknown for a text that is not Unicode", () => {
    expect(replaceAll("a", "a\udc00", "b")).toMatchObject({ because: [{ reason: "regular expression" }] });
  });
});
