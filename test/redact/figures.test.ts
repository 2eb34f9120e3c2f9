import { expect, it } from "vitest";

import { isFigure } from "../../src/redact/figures.js";

it.each([
  "0",
  "9080",
  "4294967295",
  "0x1f",
  "1e9",
  "10s",
  "250ms",
  "3h5m",
  "512Mi",
  "100m",
  "v1",
  "v1alpha3",
  "2-rc",
  "1-24-2",
])("%s is a figure", (word) => {
  expect(isFigure(word)).toBe(true);
});

it.each(["", "v", "vm1", "a1", "1a", "10-1-2-3", "2-acme", "v1-acme", "5f8d", "1".repeat(40)])(
  "%j is none",
  (word) => {
    expect(isFigure(word)).toBe(false);
  },
);
