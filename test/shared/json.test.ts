import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeText, jsonStart, notJson, parseJson, parseJsonSequence, utf8 } from "../../src/shared/json.js";
import { bytesOf } from "../support/builders.js";

const utf16le = (text: string): Buffer => Buffer.from(`\ufeff${text}`, "utf16le");
const utf16be = (text: string): Buffer => utf16le(text).swap16();
const withMark = (text: string): Buffer => Buffer.from(`\ufeff${text}`);
const encodings = [
  { name: "UTF-8", encode: (text: string): Buffer => Buffer.from(text) },
  { name: "UTF-8 with a byte order mark", encode: withMark },
  { name: "UTF-16, little end first", encode: utf16le },
  { name: "UTF-16, big end first", encode: utf16be },
];

describe.each(encodings)("$name", ({ encode }) => {
  it("is decoded", () => {
    expect(decodeText(encode('{"a":"ä😀"}'))).toBe('{"a":"ä😀"}');
  });
  it("becomes plain UTF-8", () => {
    expect(Buffer.from(utf8(encode('{"a":"ä😀"}'))).toString()).toBe('{"a":"ä😀"}');
  });
  it("is read as JSON", () => {
    expect(parseJson(encode('{"a":"ä😀"}'), "e").value).toEqual({ a: "ä😀" });
  });
});

it("does not copy bytes that are plain UTF-8", () => {
  const bytes = bytesOf("{}");
  expect(utf8(bytes)).toBe(bytes);
});

it("reads invalid bytes as U+FFFD", () => {
  expect(decodeText(Buffer.from([0x61, 0xff, 0x62]))).toBe("a\ufffdb");
});

describe("jsonStart", () => {
  it.each([
    { text: '{"a":1}', at: 0, because: "nothing stands before it" },
    { text: "  \n\t{}", at: 4, because: "white space is no text" },
    { text: 'Defaulted container "istio-proxy"\n{}', at: 34, because: "a line stands before it" },
    { text: "remark\r\n  []", at: 10, because: "the line may be indented" },
    { text: "[info] connecting\n{}", at: 18, because: "a word in brackets is no array" },
    { text: "[2026-03-14] asked\n[{}]", at: 19, because: "a time in brackets is no array" },
    { text: '["a"]', at: 0, because: "an array of texts is one" },
    { text: "[ ]", at: 0, because: "an empty array is one" },
    { text: "[[]]", at: 0, because: "an array of arrays is one" },
    { text: "[", at: 0, because: "it may be cut off right there" },
    { text: "error: {}", at: -1, because: "a bracket inside a line begins nothing" },
    { text: "404 page not found", at: -1, because: "there is no bracket" },
    { text: "", at: -1, because: "there is nothing" },
  ])("of $text is $at: $because", ({ text, at }) => {
    expect(jsonStart(bytesOf(text))).toBe(at);
  });
});

describe("parseJson", () => {
  it("gives the text around the JSON", () => {
    expect(parseJson(bytesOf('Unable to use a TTY\n[{"proxy":"a.b"}]\ntrailing\n'), "e")).toEqual({
      value: [{ proxy: "a.b" }],
      before: "Unable to use a TTY",
      rest: "trailing",
    });
  });

  it("gives empty texts where there is only JSON", () => {
    expect(parseJson(bytesOf(' {"a":"}]"} \n'), "e")).toEqual({ value: { a: "}]" }, before: "", rest: "" });
  });

  it.each([
    { text: "", says: "is empty" },
    { text: " \n ", says: "is empty" },
    { text: "404 page not found\n", says: 'is not JSON but the text "404 page not found"' },
    { text: "<!DOCTYPE html><p>no", says: 'is HTML, not JSON: "<!DOCTYPE html><p>no"' },
    { text: "<html><body>", says: 'is HTML, not JSON: "<html><body>"' },
    { text: "<nil>", says: 'is not JSON but the text "<nil>"' },
    { text: "\u001b[31mred", says: 'is not JSON but the text "\\u001b[31mred"' },
  ])("says of $text: $says", ({ text, says }) => {
    expect(() => parseJson(bytesOf(text), "istiod/syncz")).toThrow(`istiod/syncz: ${says}`);
    expect(notJson(bytesOf(text))).toBe(says);
  });

  it.each(['{"a":1', '{"a" 1}', "[1,]x", '{"a":tru}', '["\u0001"]'])(
    "says that %j is no valid JSON",
    (text) => {
      expect(() => parseJson(bytesOf(text), "e")).toThrow(/^e: is not (?:valid )?JSON/);
    },
  );

  it("reads what is nested as deep as allowed, and refuses what is deeper", () => {
    const nested = (depth: number): Buffer =>
      bytesOf(`${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`);
    expect(parseJson(nested(20), "e", 20).value).toBeTypeOf("object");
    expect(() => parseJson(nested(21), "e", 20)).toThrow("e: is nested deeper than 20");
    expect(() => parseJson(nested(100_000), "e")).toThrow("e: is nested deeper than 256");
  });

  it("does not count brackets in texts", () => {
    expect(parseJson(bytesOf(JSON.stringify({ a: '[{"\\[' })), "e", 1).value).toEqual({ a: '[{"\\[' });
  });

  it("reads every object as JSON.parse does", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseJson(bytesOf(text), "e")).toEqual({
          value: JSON.parse(text) as unknown,
          before: "",
          rest: "",
        });
      }),
    );
  });
});

describe("parseJsonSequence", () => {
  it.each([
    { text: '{"a":1}', values: [{ a: 1 }] },
    { text: '{"a":1}\n{"b":2}\n', values: [{ a: 1 }, { b: 2 }] },
    { text: '[{}] {"b":2}[]', values: [[{}], { b: 2 }, []] },
    { text: 'remark\n{"a":1} {"b":2} the end', values: [{ a: 1 }, { b: 2 }] },
  ])("reads the values of $text", ({ text, values }) => {
    expect(parseJsonSequence(bytesOf(text), "e")).toEqual(values);
  });

  it.each([
    { text: "no JSON", says: 'e: is not JSON but the text "no JSON"' },
    { text: '{"a":1}{"b":', says: "e: is not valid JSON" },
    { text: '{"a":1}{"b":[{}]}', depth: 2, says: "e: is nested deeper than 2" },
  ])("refuses $text", ({ text, depth, says }) => {
    expect(() => parseJsonSequence(bytesOf(text), "e", depth)).toThrow(says);
  });
});
