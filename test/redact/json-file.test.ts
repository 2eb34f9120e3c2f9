import { describe, expect, it } from "vitest";

import { isBlank } from "../../src/redact/json-file.js";
import { aRedactor, redacted } from "./redacting.js";

const shown = (text: string): string => text.replace(/‹redacted:[^›]+›/g, "#");
const left = (name: string, content: string): string => shown(redacted(name, content));

describe("a file that must be JSON", () => {
  it.each([
    ["alone", '{"password":"x1"}\n', '{"password":"#"}\n'],
    [
      "behind a text",
      'Defaulted container "a" (password=x1)\n{"a":1}',
      'Defaulted container "a" (password=#)\n{"a":1}',
    ],
    ["before a text", '{"a":1}\nexit code 1, token=x1\n', '{"a":1}\nexit code 1, token=#\n'],
    [
      "one value after the other",
      '{"password":"x1"}\n{"password":"x1"}',
      '{"password":"#"}\n{"password":"#"}',
    ],
    ["an error text in its place", "404 page not found\n", "404 page not found\n"],
    ["cut off", '{"a":1,"password":"x', '{"a":1,"password":'],
    ["nothing", "", ""],
    ["white space", " \n", " \n"],
  ])("%s", (_, text, expected) => expect(left("proxies/a/b/config_dump", text)).toBe(expected));

  it("loses all that is behind a fault", () => {
    expect(left("proxies/a/b/config_dump", '{"a":1 {"env":[{"name":"X","value":"secret of X"}]}}')).toBe(
      '{"a":1 #',
    );
  });

  it("may be UTF-16 or begin with a mark", () => {
    const utf16 = Buffer.from('\ufeff{"password":"x1"}', "utf16le");
    expect(shown(redacted("a.json", utf16))).toBe('{"password":"#"}');
    expect(left("a.json", '\ufeff{"password":"x1"}')).toBe('{"password":"#"}');
  });
});

describe("a file that only looks like JSON", () => {
  it("is looked through as a text behind a fault, and said to be not covered", () => {
    const redactor = aRedactor();
    expect(shown(redacted("notes", '{"a":1} {not json} password=x1', redactor))).toBe(
      '{"a":1} {not json} password=#',
    );
    expect(redactor.notCovered).toEqual(["free text in notes"]);
  });

  it("is not mentioned where it is JSON in truth", () => {
    const redactor = aRedactor();
    redacted("notes", '{"a":1}', redactor);
    expect(redactor.notCovered).toEqual([]);
  });
});

it("knows what is blank", () => {
  expect([isBlank(Buffer.from(" \r\n\t")), isBlank(Buffer.from(" a"))]).toEqual([true, false]);
});
