import { expect, it } from "vitest";

import { matchPath, pathOnly } from "../../../src/trace/matchers/path-matcher.js";

it.each([
  ["/a?b", "/a"],
  ["/a#b", "/a"],
  ["/a#b?c", "/a"],
  ["/a?b#c", "/a"],
  ["/a", "/a"],
  ["", ""],
])("%s is %s without query and fragment", (path, own) => {
  expect(pathOnly(path)).toBe(own);
});

it("is compared without them", () => {
  expect(matchPath({ path: { exact: "/a" } }, "/a?x=1")).toBe(true);
  expect(matchPath({ path: { exact: "/a" } }, "/b?x=/a")).toBe(false);
});
