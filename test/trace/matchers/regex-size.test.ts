import { expect, it } from "vitest";

import { programSizeOf } from "../../../src/trace/matchers/regex-size.js";

const limit = 100_000;

it.each([
  { pattern: "abc", size: 3, because: "a character each" },
  { pattern: "x{10}", size: 10, because: "a count" },
  { pattern: "x{2,10}", size: 10, because: "the higher count" },
  { pattern: "x{5,}", size: 6, because: "an open count" },
  { pattern: "(?:ab){10}", size: 60, because: "a group, and what it is made of" },
  { pattern: "[a-z{9}]{3}", size: 3, because: "a class is one, whatever stands in it" },
  { pattern: "[]{9}]{3}", size: 3, because: "a bracket that comes first" },
  { pattern: "[[:alpha:]]{4}", size: 4, because: "a POSIX class" },
  { pattern: "\\p{Greek}{4}", size: 4, because: "a name in braces is no count" },
  { pattern: "\\{9}", size: 3, because: "an escaped brace" },
  { pattern: "\\Qx{1000}\\E", size: 9, because: "quoted" },
  { pattern: "x{,5}", size: 5, because: "no count for RE2" },
  { pattern: "((((a", size: 1, because: "left open" },
])("$pattern: $because", ({ pattern, size }) => {
  expect(programSizeOf(pattern, limit)).toBe(size);
});

it.each(["(?:(?:(?:x{100}){100}){100}){100}", "x{1000}".repeat(200)])("%s is over the limit", (pattern) => {
  expect(programSizeOf(pattern, limit)).toBe(Infinity);
});

it.each([
  "(".repeat(100_000),
  "[".repeat(100_000),
  "\\Q".repeat(50_000),
  "[[:".repeat(30_000),
  "{1".repeat(50_000),
])("is linear for what is no pattern", (pattern) => {
  expect(programSizeOf(pattern, 10_000_000)).toBeGreaterThanOrEqual(0);
});
