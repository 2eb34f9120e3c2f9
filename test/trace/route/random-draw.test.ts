import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  anyDraw,
  isDrawn,
  ShareCounter,
  splitBy,
  within,
  type Draw,
} from "../../../src/trace/route/random-draw.js";

const share = (draw: Draw): number | null => new ShareCounter().shareOf(draw);

describe("the share of a draw", () => {
  it.each([
    { draw: anyDraw, expected: 1, because: "every number" },
    { draw: [{ modulus: 10, from: 2, to: 5 }], expected: 0.3, because: "one interval" },
    { draw: [{ modulus: 10, from: 5, to: 5 }], expected: 0, because: "an empty interval" },
    {
      draw: [
        { modulus: 100, from: 0, to: 30 },
        { modulus: 10, from: 0, to: 5 },
      ],
      expected: 0.15,
      because: "30 of 100 hold three whole tens",
    },
    {
      draw: [
        { modulus: 100, from: 0, to: 5 },
        { modulus: 10, from: 0, to: 5 },
      ],
      expected: 0.05,
      because: "the smaller one is inside: they are not independent",
    },
    {
      draw: [
        { modulus: 100, from: 0, to: 5 },
        { modulus: 10, from: 5, to: 10 },
      ],
      expected: 0,
      because: "they exclude each other",
    },
    {
      draw: [
        { modulus: 2, from: 0, to: 1 },
        { modulus: 3, from: 0, to: 1 },
        { modulus: 5, from: 0, to: 1 },
      ],
      expected: 1 / 30,
      because: "independent ones multiply",
    },
    {
      draw: [
        { modulus: 4_000_000_000, from: 0, to: 1_000_000_000 },
        { modulus: 100, from: 0, to: 50 },
      ],
      expected: 0.125,
      because: "large totals are counted by windows",
    },
  ])("$draw is $expected: $because", ({ draw, expected }) => {
    expect(share(draw)).toBeCloseTo(expected, 12);
  });

  it("is not counted where that takes too long", () => {
    const draw = [999_983, 1_000_003, 100].map((modulus) => ({ modulus, from: 0, to: 50 }));
    expect(share(draw)).toBeNull();
    expect(share(draw.slice(0, 1))).toBe(50 / 999_983);
  });

  it("is not counted for ever, over many questions", () => {
    const counter = new ShareCounter();
    const draw = [1_000_000, 10_000, 100].map((modulus) => ({ modulus, from: 0, to: modulus / 2 }));
    const answers = Array.from({ length: 100 }, () => counter.shareOf(draw));
    expect(answers[0]).toBeCloseTo(0.125, 12);
    expect(answers.at(-1)).toBeNull();
  });

  it("is what counting all residues gives", () => {
    const interval = fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.nat(12), fc.nat(12))
      .map(([modulus, a, b]) => ({
        modulus,
        from: Math.min(a, b, modulus),
        to: Math.min(Math.max(a, b), modulus),
      }));
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 3 }), (intervals) => {
        const draw = intervals.reduce<Draw>((sum, one) => within(sum, one), anyDraw);
        const period = 27_720; // of all moduli up to 12
        let hits = 0;
        for (let number = 0; number < period; number++)
          if (intervals.every(({ modulus, from, to }) => from <= number % modulus && number % modulus < to))
            hits++;
        expect(share(draw)).toBeCloseTo(hits / period, 10);
      }),
      { numRuns: 200, seed: 7 },
    );
  });
});

it("a fraction splits a draw, and its parts are the whole", () => {
  const { hit, miss } = splitBy([{ modulus: 10, from: 0, to: 5 }], { numerator: 30, denominator: 100 });
  expect((share(hit) ?? 0) + (share(miss) ?? 0)).toBeCloseTo(0.5, 12);
  expect(share(hit)).toBeCloseTo(0.15, 12);
  const all = splitBy(anyDraw, { numerator: 300, denominator: 100 });
  expect([share(all.hit), share(all.miss)]).toEqual([1, 0]);
});

it("a number is in a draw if it is in all of its intervals", () => {
  const draw = [
    { modulus: 100, from: 0, to: 30 },
    { modulus: 7, from: 1, to: 2 },
  ];
  expect(isDrawn(draw, 8n)).toBe(true);
  expect(isDrawn(draw, 9n)).toBe(false);
  expect(isDrawn(draw, 36n)).toBe(false);
  expect(isDrawn([{ modulus: 100, from: 15, to: 16 }], (1n << 64n) - 1n)).toBe(true); // 18446744073709551615
  expect(isDrawn(anyDraw, 0n)).toBe(true);
});
