import { expect, it } from "vitest";

import { pointerAt } from "../../src/redact/pointer.js";

const text = '{"a": [1, {"b/c~": "here"}], "d": "there"}';
it.each([
  ["here", text, "/a/1/b~1c~0"],
  ["there", text, "/d"],
  ["1", text, "/a/0"],
  ["[", text, "/a"],
  ["here", ' ["x", "here"]', "/1"],
  ["here", '{"a": {"b": ["here", ', ""],
  ["here", "here is a text", ""],
  ["here", '{"here": 1}', "/here"],
])("%s in %s: %s", (word, json, pointer) => {
  expect(pointerAt(Buffer.from(json), json.indexOf(word))).toBe(pointer);
});
