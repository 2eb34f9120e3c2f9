import { expect, it } from "vitest";

import {
  certainty,
  fractionOf,
  runtimeFraction,
  runtimeInteger,
} from "../../../src/trace/matchers/runtime-fraction.js";

const asked = { runtime_key: "k", default_value: { numerator: 30, denominator: "HUNDRED" } };
const runtime = (value: unknown) => ({ value: (key: string) => (key === "k" ? value : undefined) });

it.each([
  { value: undefined, fraction: [30, 100], because: "the default" },
  { value: "50", fraction: [50, 100], because: "a whole number is a percentage" },
  { value: 0, fraction: [0, 100], because: "zero is a value" },
  { value: "250", fraction: [250, 100], because: "more than all" },
  { value: { numerator: 5, denominator: "MILLION" }, fraction: [5, 1_000_000], because: "a fraction" },
  {
    value: '{"numerator":5,"denominator":"TEN_THOUSAND"}',
    fraction: [5, 10_000],
    because: "a fraction as text",
  },
  { value: "numerator: 7", fraction: [7, 100], because: "a fraction in YAML" },
  { value: "fast", fraction: [30, 100], because: "what is no number counts as absent" },
  { value: true, fraction: [30, 100], because: "what is no number counts as absent" },
])("$value: $because", ({ value, fraction }) => {
  const { numerator, denominator } = runtimeFraction(asked, runtime(value));
  expect([numerator, denominator]).toEqual(fraction);
});

it("looks no key up where there is none", () => {
  const { numerator } = runtimeFraction({ default_value: { numerator: 1 } }, { value: () => 99 });
  expect(numerator).toBe(1);
});

it.each([
  [{ numerator: 3 }, 3, 100],
  [{ numerator: 3, denominator: 1 }, 3, 10_000],
  [{ denominator: "MILLION" }, 0, 1_000_000],
])("%j", (message, numerator, denominator) => {
  expect(fractionOf(message)).toEqual({ numerator, denominator });
});

it.each([
  [0, false],
  [100, true],
  [101, true],
  [1, null],
])("%i of 100 are certain: %s", (numerator, certain) => {
  expect(certainty({ numerator, denominator: 100 })).toBe(certain);
});

it.each([
  [5, 5],
  ["5", 5],
  ["5.7", 5],
  [-1, undefined],
  ["-1", undefined],
  ["", undefined],
  [null, undefined],
])("%j is the whole number %s", (value, whole) => {
  expect(runtimeInteger(value)).toBe(whole);
});
