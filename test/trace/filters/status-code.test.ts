import { expect, it } from "vitest";

import { statusOf } from "../../../src/trace/filters/status-code.js";

it.each([
  ["ServiceUnavailable", 503],
  ["TooManyRequests", 429],
  [418, 418],
  ["Empty", 403],
  [0, 403],
  [undefined, 403],
  ["constructor", 403],
])("%s is %i", (code, status) => {
  expect(statusOf({ code }, 403)).toBe(status);
});

it("is the default where there is none", () => {
  expect(statusOf(undefined, 500)).toBe(500);
});
