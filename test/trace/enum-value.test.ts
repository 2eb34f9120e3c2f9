import { expect, it } from "vitest";

import { enumName, enumNames } from "../../src/trace/enum-value.js";

const names = ["NONE", "SOME", "ALL"];

it.each([
  [{ x: "SOME" }, "SOME"],
  [{ x: 2 }, "ALL"],
  [{}, "NONE"],
  [{ x: 9 }, ""],
  [{ x: { y: 1 } }, "NONE"],
])("%j is %s", (message, expected) => {
  expect(enumName(message, "x", names)).toBe(expected);
});

it("reads a list of them", () => {
  expect(enumNames({ x: ["ALL", 1] }, "x", names)).toEqual(["ALL", "SOME"]);
  expect(enumNames({ x: "ALL" }, "x", names)).toEqual([]);
});
