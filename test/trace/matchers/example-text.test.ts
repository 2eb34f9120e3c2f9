import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { examplesOf } from "../../../src/trace/matchers/example-text.js";
import { fullMatch } from "../../../src/trace/matchers/regex.js";

describe("examplesOf", () => {
  it.each([
    "abc",
    "a|b",
    "(a|b)c",
    "(?:a|bb){2,3}",
    "a*b+c?",
    "a+?b*?",
    "[a-c][^a-z]",
    "[]a]",
    "[\\w.-]+@[[:alpha:]]+",
    "\\d\\D\\w\\W\\s\\S",
    "\\.\\*\\\\",
    "^/api/v[0-9]+(/.*)?$",
    "(?i)ABC",
    "(?P<name>x)(?<other>y)",
    "é+",
    "x{0}y",
    "a{1",
    "",
  ])("finds a text for %j", (pattern) => {
    expect(examplesOf(pattern).filter((text) => fullMatch(pattern, text) === true)).not.toEqual([]);
  });

  it.each(["(", "[a", "a)", "(?=a)", "\\1(", `${"(".repeat(60)}a${")".repeat(60)}`, "a".repeat(3000)])(
    "finds none where it does not understand the pattern: %#",
    (pattern) => {
      expect(examplesOf(pattern)).toEqual([]);
    },
  );

  it("does not make long texts of short patterns", () => {
    expect(examplesOf("(((a{1000}){1000}){1000}){1000}")).toEqual([]);
    expect(examplesOf("a{1000}")).toEqual(["a".repeat(1000)]);
  });

  it("reads any text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from("ab()[]{}|*+?\\^$.-:P<>,12 é")) }),
        (pattern) => {
          for (const text of examplesOf(pattern)) expect(text.length).toBeLessThanOrEqual(2000);
        },
      ),
    );
  });
});
