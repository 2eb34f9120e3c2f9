import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { by, compareText } from "../../src/shared/sorting.js";

describe("compareText", () => {
  it.each([
    { first: "B", second: "a", because: "capitals come first, whatever the locale" },
    { first: "a", second: "ä", because: "it goes by code unit" },
    { first: "pod-10", second: "pod-9", because: "digits are letters like others" },
    { first: "", second: "a", because: "nothing comes before something" },
    { first: "a", second: "a ", because: "a beginning comes before the whole" },
  ])("puts $first before $second: $because", ({ first, second }) => {
    expect(compareText(first, second)).toBe(-1);
    expect(compareText(second, first)).toBe(1);
  });

  it("finds a text equal to itself, and to nothing else", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
        expect(compareText(a, a)).toBe(0);
        expect(compareText(a, b) === 0).toBe(a === b);
      }),
    );
  });
});

describe("by", () => {
  interface Row {
    readonly cluster: string;
    readonly name: string;
  }
  const rows: readonly Row[] = [
    { cluster: "b", name: "1" },
    { cluster: "a", name: "2" },
    { cluster: "b", name: "0" },
  ];

  it("lets the first key that differs decide", () => {
    const sorted = [...rows].sort(
      by(
        ({ cluster }) => cluster,
        ({ name }) => name,
      ),
    );
    expect(sorted.map(({ cluster, name }) => cluster + name)).toEqual(["a2", "b0", "b1"]);
  });

  it("leaves equal items in their order", () => {
    expect([...rows].sort(by(({ cluster }) => cluster)).map(({ name }) => name)).toEqual(["2", "1", "0"]);
    expect([...rows].sort(by())).toEqual(rows);
  });
});
