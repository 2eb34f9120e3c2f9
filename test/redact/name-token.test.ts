import { describe, expect, it } from "vitest";

import { isNameToken, nameTokens } from "../../src/redact/name-token.js";
import { aSalt } from "./readable-tokens.js";

describe("a token", () => {
  const names = new Map<string, string>();
  const tokens = nameTokens(aSalt(), names);

  it("is one label, known by its form, and remembered with its word", () => {
    const token = tokens.of("Reviews");
    expect(token).toMatch(/^nm--[a-z2-7]{12}$/);
    expect(isNameToken(token)).toBe(true);
    expect(names.get(token)).toBe("reviews");
  });

  it("is the word's own, whatever its case", () => {
    expect(tokens.of("reviews")).toBe(tokens.of("REVIEWS"));
    expect(tokens.of("reviews")).not.toBe(tokens.of("ratings"));
    expect(nameTokens(aSalt(8), new Map()).of("reviews")).not.toBe(tokens.of("reviews"));
  });

  it.each([
    "reviews",
    "nm--",
    "nm--abc",
    "nm--abcdefghijklm",
    "NM--ABCDEFGHIJKL",
    "nm--abcdefghijk1",
    "xn--abcdefghijkl",
  ])("is not %s", (word) => {
    expect(isNameToken(word)).toBe(false);
  });
});
