import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { containedTexts } from "../../src/collect/contained-texts.js";

const slowly = (texts: ReadonlySet<string>): Set<string> =>
  new Set(
    [...texts].filter(
      (text) => text !== "" && [...texts].some((other) => other !== text && other.includes(text)),
    ),
  );

const found = (...texts: string[]): string[] => [...containedTexts(new Set(texts), 100)].sort();

describe("texts that are part of another", () => {
  it.each([
    { texts: [], contained: [] },
    { texts: ["a.b-1"], contained: [] },
    { texts: ["a.b-1", "c.d-2"], contained: [] },
    { texts: ["a.b-1", "a.b-12"], contained: ["a.b-1"] },
    { texts: ["a.b-1", "my-a.b-1"], contained: ["a.b-1"] },
    { texts: ["a.b-1", "x.a.b-1-y.c-9"], contained: ["a.b-1"] },
    { texts: ["aa", "aaa", "aaaa"], contained: ["aa", "aaa"] },
    { texts: ["bcd", "abcde", "cd", "xcdy"], contained: ["bcd", "cd"] },
    { texts: ["", "a"], contained: [] },
  ])("$texts: $contained", ({ texts, contained }) => {
    expect(found(...texts)).toEqual(contained);
  });

  it("are those that a search for each in each finds", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", ".", "-"), maxLength: 8 });
    fc.assert(
      fc.property(fc.uniqueArray(text, { maxLength: 12 }), (texts) => {
        const set = new Set(texts);
        expect(new Set(containedTexts(set, 100))).toEqual(slowly(set));
      }),
      { numRuns: 500 },
    );
  });

  it("are not looked for when they are longer than what is asked for, but looked through", () => {
    const long = `my-a.b-1${"x".repeat(200)}`;
    expect(found("a.b-1", long, `${long}y`)).toEqual(["a.b-1"]);
    expect(found("x".repeat(50), long)).toEqual(["x".repeat(50)]);
  });
});
