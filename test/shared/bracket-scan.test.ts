import { readFileSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { insideBrackets, type Inside } from "../../src/shared/bracket-scan.js";
import { JsonScanner, ScanError } from "../../src/shared/json-scan.js";
import { assembled } from "../../src/tools/bracket-scan.js";
import { bytesOf } from "../support/builders.js";
import { root } from "../support/cli.js";

const unlimited = Number.MAX_SAFE_INTEGER;

/** The same, character by character. */
function slowly(text: string, start = 0): Inside | null {
  const places: number[] = [];
  let depth = 0;
  let isInString = false;
  for (let at = start; at < text.length; at++) {
    const character = text[at] ?? "";
    if (isInString) {
      if (character === "\\") at++;
      else isInString = character !== '"';
    } else if (character === "\\") return null;
    else if (character === '"') isInString = true;
    else if ("[{".includes(character)) {
      if (++depth === 2) places.push(at);
    } else if ("]}".includes(character)) {
      if (--depth === 1) places.push(at + 1);
      if (depth === 0) return { places, end: at + 1 };
    }
  }
  return { places, end: null };
}

/** Lengths that bring what follows to the edges of the blocks of 64 bytes, and of the pieces of 65536. */
const filling = fc.oneof(
  fc.nat(130),
  fc.integer({ min: 65_536 - 70, max: 65_536 + 70 }),
  fc.integer({ min: 131_072 - 70, max: 131_072 + 70 }),
);

it("is what bracket-scan.wat says", async () => {
  expect(readFileSync(join(root, "src/shared/bracket-scan.generated.ts"), "utf8")).toBe(await assembled());
});

describe("what stands inside of a value", () => {
  it("is found as by looking at each character, at every edge", () => {
    const item = fc.constantFrom(
      "{}",
      "[]",
      '{"a":[{}]}',
      '"]"',
      '"\\""',
      '"\\\\"',
      '"\\\\\\"}"',
      "1",
      " \n",
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(filling, item), { maxLength: 4 }),
        fc.constantFrom("x", "\\\\", '\\"'),
        (items, inString) => {
          const texts = items.map(
            ([length, what]) => `"${inString.repeat(length / inString.length)}",${what}`,
          );
          const text = `[${texts.join(",")}] behind`;
          const found = insideBrackets(bytesOf(text), 0, unlimited);
          expect(found).toEqual(slowly(text));
          expect(found?.end).toBe(text.length - " behind".length);
        },
      ),
    );
  });

  it("is found as by looking at each character, also in what is no JSON", () => {
    const token = fc.constantFrom("{", "}", "[", "]", '"', "\\", "a", ",", "\n", "x".repeat(63));
    fc.assert(
      fc.property(fc.array(token, { maxLength: 200 }), (tokens) => {
        const text = `[${tokens.join("")}`;
        const found = insideBrackets(bytesOf(text), 0, unlimited);
        // it may have seen a backslash behind the end
        if (found !== null || !text.includes("\\")) expect(found).toEqual(slowly(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("begins anywhere, and ends where the text is cut off", () => {
    const text = '{"a":[{"b":1},{"c":[2]}],"d":0}';
    const bytes = bytesOf(text);
    const inside = { places: [6, 13, 14, 23], end: 24 };
    expect(insideBrackets(bytes, 5, unlimited)).toEqual(inside);
    expect(insideBrackets(bytes.subarray(0, 20), 5, unlimited)).toEqual({ places: [6, 13, 14], end: null });
  });

  it("is not told where there is too much of it", () => {
    const bytes = bytesOf("[{},{},{}]");
    expect(insideBrackets(bytes, 0, 6)?.places).toHaveLength(6);
    expect(insideBrackets(bytes, 0, 5)).toBeNull();
  });
});

describe("the objects of a list", () => {
  /** Of more than so many bytes the WebAssembly finds them. */
  const large = `"${"x".repeat(300_000)}"`;

  it.each([
    { size: "small", filled: "1" },
    { size: "large", filled: large },
  ])("are found in a $size one", ({ filled }) => {
    const text = `[ {"a":${filled}},\n{"b":[{}]} , {} ] behind`;
    const found = new JsonScanner(bytesOf(text)).objectsIn(0);
    expect(found?.end).toBe(text.indexOf(" behind"));
    const { places = [] } = found ?? {};
    const elements = [0, 2, 4].map((index) => text.slice(places[index], places[index + 1]));
    expect(elements).toEqual([`{"a":${filled}}`, '{"b":[{}]}', "{}"]);
    expect(places).toHaveLength(6);
  });

  it.each(["1", large])("are not all that there is where something else stands between them", (filled) => {
    for (const list of [
      "[{},1]",
      "[1,{}]",
      "[{} {}]",
      "[{};{}]",
      "[{},,{}]",
      "[{},]",
      "[,{}]",
      "[{},[]]",
      "[{],{}]",
      "[{}}",
      "[1]",
    ]) {
      const text = list.replace("]", ` ,{"a":${filled}}]`);
      const scanner = new JsonScanner(bytesOf(text));
      expect(scanner.objectsIn(0), list).toBeNull();
    }
    expect(new JsonScanner(bytesOf(`[{},{"a":${filled}}]`)).objectsIn(0)).not.toBeNull();
  });

  it.each(["1", large])("are cut off with their list", (filled) => {
    const text = `[{"a":${filled}},{`;
    const scan = (): unknown => new JsonScanner(bytesOf(text)).objectsIn(0);
    expect(scan).toThrow(ScanError);
    expect(scan).toThrow(`the JSON is cut off after ${text.length} bytes`);
  });

  it("are none in an empty list", () => {
    expect(new JsonScanner(bytesOf("[ ]")).objectsIn(0)).toEqual({ places: [], end: 3 });
  });
});
