import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { JsonScanner, ScanError } from "../../src/shared/json-scan.js";
import { bytesOf } from "../support/builders.js";

const scannerOf = (text: string): JsonScanner => new JsonScanner(bytesOf(text));

/** What a scan threw, as `cut` or `syntax` and where. */
function failureOf(scan: () => unknown): string {
  try {
    scan();
    return "none";
  } catch (error) {
    if (!(error instanceof ScanError)) throw error;
    return `${error.reason} at ${error.at}`;
  }
}

/** Builds a value by visiting it: what the scanner finds, `JSON.parse` must find too. */
function rebuilt(scanner: JsonScanner, start: number): { readonly value: unknown; readonly end: number } {
  const first = scanner.bytes[start];
  if (first === 0x7b) {
    const members: [string, unknown][] = [];
    const end = scanner.object(start, (key, at) => {
      const member = rebuilt(scanner, at);
      members.push([key, member.value]);
      return member.end;
    });
    return { value: Object.fromEntries(members), end };
  }
  if (first === 0x5b) {
    const items: unknown[] = [];
    const end = scanner.array(start, (index, at) => {
      expect(index).toBe(items.length);
      const item = rebuilt(scanner, at);
      items.push(item.value);
      return item.end;
    });
    return { value: items, end };
  }
  const { end } = scanner.skipValue(start);
  return { value: JSON.parse(scanner.text(start, end)) as unknown, end };
}

const json = fc
  .tuple(fc.jsonValue({ stringUnit: "binary" }), fc.constantFrom(undefined, 1, "\t", "\r\n "))
  .map(([value, indent]) => JSON.stringify(value, null, indent));

describe("every JSON value", () => {
  it("is passed over to its end, whatever stands behind it", () => {
    fc.assert(
      fc.property(json, fc.constantFrom("", " ", ",", "]", "}", '"', "\n{"), (text, behind) => {
        expect(scannerOf(text + behind).skipValue(0).end).toBe(Buffer.byteLength(text));
      }),
    );
  });

  it("is found as JSON.parse finds it", () => {
    fc.assert(
      fc.property(json, (text) => {
        expect(rebuilt(scannerOf(text), 0)).toEqual({
          value: JSON.parse(text) as unknown,
          end: Buffer.byteLength(text),
        });
      }),
    );
  });

  it("that is an object or array is noticed to be cut, wherever the cut is", () => {
    const container = json.filter((text) => text.startsWith("{") || text.startsWith("["));
    fc.assert(
      fc.property(container, fc.nat(), (text, seed) => {
        const bytes = bytesOf(text);
        const length = 1 + (seed % (bytes.length - 1 || 1));
        fc.pre(length < bytes.length);
        const cut = new JsonScanner(bytes.subarray(0, length));
        expect(failureOf(() => cut.skipValue(0))).toBe(`cut at ${length}`);
      }),
    );
  });
});

describe("skipValue", () => {
  it.each([
    { text: "7", depth: 0 },
    { text: '"[["', depth: 0 },
    { text: "[]", depth: 1 },
    { text: '{"a":[{}],"b":[]}', depth: 3 },
    { text: '{"a\\"]}":"\\\\"}', depth: 1 },
  ])("says that $text is $depth deep", ({ text, depth }) => {
    expect(scannerOf(text).skipValue(0)).toEqual({ end: text.length, depth });
  });

  it.each([
    { text: "-1.5e+7,", ends: 7 },
    { text: "1E5]", ends: 3 },
    { text: "true}", ends: 4 },
    { text: "null", ends: 4 },
  ])("ends the scalar of $text at $ends", ({ text, ends }) => {
    expect(scannerOf(text).skipValue(0).end).toBe(ends);
  });

  it.each([
    { text: "", fails: "cut at 0", because: "there is nothing" },
    { text: '{"a":', fails: "cut at 5", because: "the object is open" },
    { text: '"abc', fails: "cut at 4", because: "the text is open" },
    { text: '["abc\\', fails: "cut at 6", because: "the escape is open" },
    { text: "]", fails: "syntax at 0", because: "nothing was opened" },
    { text: "Proxy", fails: "syntax at 0", because: "no value begins so" },
  ])("of $text fails, $fails: $because", ({ text, fails }) => {
    expect(failureOf(() => scannerOf(text).skipValue(0))).toBe(fails);
  });
});

describe("object", () => {
  const keysOf = (text: string): string[] => {
    const scanner = scannerOf(text);
    const keys: string[] = [];
    scanner.object(0, (key, at) => {
      keys.push(key);
      return scanner.skipValue(at).end;
    });
    return keys;
  };

  it("gives keys without their escapes", () => {
    expect(keysOf('{"a\\/b":1 , "\\u0040type" : 2, "ü\\n":3}')).toEqual(["a/b", "@type", "ü\n"]);
  });

  it("gives a key as often as it stands there", () => {
    expect(keysOf('{"a":1,"a":2}')).toEqual(["a", "a"]);
  });

  it.each([
    { text: "[]", fails: "syntax at 0", because: "it is an array" },
    { text: "{a:1}", fails: "syntax at 1", because: "a key has quotes" },
    { text: '{"a" 1}', fails: "syntax at 5", because: "a colon is missing" },
    { text: '{"a":1 "b":2}', fails: "syntax at 7", because: "a comma is missing" },
    { text: '{"a":1,}', fails: "syntax at 7", because: "nothing follows the comma" },
    { text: '{"a":1,', fails: "cut at 7", because: "the next key is missing" },
    { text: '{"a"', fails: "cut at 4", because: "the colon is missing" },
    { text: '{"\\x":1}', fails: "syntax at 1", because: "there is no such escape" },
  ])("of $text fails, $fails: $because", ({ text, fails }) => {
    expect(failureOf(() => keysOf(text))).toBe(fails);
  });
});

describe("array", () => {
  const scan = (text: string): number => {
    const scanner = scannerOf(text);
    return scanner.array(0, (_, at) => scanner.skipValue(at).end);
  };

  it("ends behind its bracket", () => {
    expect(scan("[ ]x")).toBe(3);
    expect(scan("[1, [2] ,3]x")).toBe(11);
  });

  it.each([
    { text: "{}", fails: "syntax at 0" },
    { text: "[1 2]", fails: "syntax at 3" },
    { text: "[1,]", fails: "syntax at 3" },
    { text: "[1,", fails: "cut at 3" },
    { text: "[", fails: "cut at 1" },
  ])("of $text fails, $fails", ({ text, fails }) => {
    expect(failureOf(() => scan(text))).toBe(fails);
  });
});

describe("keys", () => {
  it.each([
    { text: '{"configs":[{"a":1}],"b":2}', keys: ["configs", "b"] },
    { text: "{}", keys: [] },
    { text: '{"a":1,"b":{"c":', keys: ["a", "b"] },
    { text: '{"a":1 "b":2}', keys: ["a"] },
    { text: '{"a":1,"b', keys: ["a"] },
    { text: "[1]", keys: [] },
  ])("of $text are $keys, as far as it goes", ({ text, keys }) => {
    expect([...scannerOf(text).keys(0)]).toEqual(keys);
  });

  it("are found one by one: what follows is not looked at", () => {
    const first = scannerOf('{"configs":broken').keys(0).next();
    expect(first.value).toBe("configs");
  });
});

describe("text", () => {
  it("keeps a U+FEFF inside", () => {
    const scanner = scannerOf('["\ufeffa"]');
    expect(scanner.string(1, scanner.bytes.length - 1)).toBe("\ufeffa");
  });
});
