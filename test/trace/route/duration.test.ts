import { expect, it } from "vitest";

import { grpcTimeout, milliseconds } from "../../../src/trace/route/duration.js";

it.each([
  ["15s", 15_000],
  ["0s", 0],
  ["0.250s", 250],
  ["1.000000001s", 1000],
  ["-1.5s", -1500],
  ["0.29s", 290],
  [{ seconds: 30 }, 30_000],
  [{ seconds: "1", nanos: 500_000_000 }, 1500],
  [{}, 0],
  ["15", undefined],
  [undefined, undefined],
])("%j is %s milliseconds", (value, expected) => {
  expect(milliseconds({ d: value }, "d")).toBe(expected);
});

it.each([
  ["100m", 100],
  ["2S", 2000],
  ["1M", 60_000],
  ["1H", 3_600_000],
  ["1500u", 2],
  ["1n", 1],
  ["123456789m", undefined],
  ["5", undefined],
  [undefined, undefined],
])("the header %s is %s milliseconds", (value, expected) => {
  expect(grpcTimeout(value)).toBe(expected);
});
