import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { redactNamedValues } from "../../src/redact/named-values.js";
import { noting } from "./redacting.js";

const token = "‹redacted:secret-in-text:1:0123456789abcdef›";

function left(text: string, bare = true): string {
  return redactNamedValues(text, noting().replace, { bare }).replaceAll(token, "#");
}
function taken(text: string): readonly string[] {
  const { replace, values } = noting();
  redactNamedValues(text, replace, { bare: true });
  return values;
}

describe("values that a text names", () => {
  it.each([
    ["password=hunter2", "password=#"],
    ["a?token=abc&x=1", "a?token=#&x=1"],
    ['password: "hunter2 and more", port: 80', 'password: "#", port: 80'],
    ["password: hunter2", "password: #"],
    ["DB_PASSWORD:        hunter2", "DB_PASSWORD:        #"],
    [`{"client_secret":"hunter2","id":"x"}`, `{"client_secret":"#","id":"x"}`],
    [String.raw`{\"apiKey\": \"hunter2\"}`, String.raw`{\"apiKey\": \"#\"}`],
    ["api_key => 'hunter2'", "api_key => '#'"],
    ["password:=hunter2;", "password:=#;"],
    ["map[password:hunter2 user:x]", "map[password:# user:x]"],
    ["x-api-key: abc", "x-api-key: #"],
    ["Authorization: Bearer a b c\nnext", "Authorization: #\nnext"],
    ["Cookie: a=1; b=2\r\nHost: x", "Cookie: #\r\nHost: x"],
    ["--password hunter2 --port 80", "--password # --port 80"],
    ["--token=hunter2", "--token=#"],
    ["'authorization', 'Basic eA=='\n':path', '/a'", "'authorization', '#'\n':path', '/a'"],
    ['private_key { inline_string: "hunter2" } name: "x"', 'private_key { inline_string: "#" } name: "x"'],
    ['"password":{"inline_string":"hunter2"},"name":"x"', '"password":{"inline_string":"#"},"name":"x"'],
    [
      'tls_key { filename: "/etc/key" inline_bytes: "aGk" }',
      'tls_key { filename: "/etc/key" inline_bytes: "#" }',
    ],
    ['key: "authorization" value: "hunter2"', 'key: "authorization" value: "#"'],
    [
      '{"name":"x-api-key","value":"hunter2"},{"value":"y"}',
      '{"name":"x-api-key","value":"#"},{"value":"y"}',
    ],
    ["password: |\n    one\n    two\nport: 80", "password: |\n    #\nport: 80"],
    ["password: >-\n  one", "password: >-\n  #"],
    ["secret: k3-x9", "secret: #"],
    ["password%3Dhunter2&", "password%3D#&"],
    ["tokens=[a, b] x", "tokens=# x"],
  ])("%j", (text, expected) => {
    expect(left(text)).toBe(expected);
    const once = redactNamedValues(text, noting().replace, { bare: true });
    expect(redactNamedValues(once, noting().replace, { bare: true })).toBe(once);
  });

  it.each([
    "token: invalid",
    "failed to fetch secret: default",
    "secretName: a, token_endpoint=x",
    "password=",
    'password: ""',
    "password: null, secret=true",
    "password=%s",
    "password=${DB_PASSWORD}",
    "max_tokens=5",
    "outbound|80||token.default.svc.cluster.local",
    "[TOKEN] nothing",
    'name: "reviews" value: "x"',
    "'x-request-id', 'abc'",
    "--token-file /etc/x",
  ])("none in %j", (text) => expect(left(text)).toBe(text));

  it("are given without their escapes, so that equal ones are equal", () => {
    expect(taken(String.raw`{"password":"a\"b"}`)).toEqual(['a"b']);
    expect(taken(`password='a"b'`)).toEqual(['a"b']);
  });
});

it("takes lines of statistics as figures, but quoted values as values", () => {
  expect(left("http.password: hunter2", false)).toBe("http.password: hunter2");
  expect(left('http.password: "hunter2"', false)).toBe('http.password: "#"');
  expect(left('metric{password="hunter2"} 1', false)).toBe('metric{password="#"} 1');
});

describe("costs one pass", () => {
  it.each([
    ["long words", "a".repeat(200_000)],
    ["hyphens", "a-".repeat(100_000)],
    ["quotes that never close", 'password="'.repeat(20_000)],
    ["names that never close", "name: '\\\"`".repeat(20_000)],
    ["backslashes", `secret {${"\\".repeat(100_000)}`],
    ["blocks in blocks", "secret { ".repeat(20_000)],
    ["white space", `password${" ".repeat(200_000)}`],
    ["empty blocks of lines", "password: |\n".repeat(20_000)],
  ])("over %s", (_, text) => expect(left(text).length).toBeLessThanOrEqual(text.length * 2));
});

it("changes nothing the second time", () => {
  const word = fc.constantFrom(
    "password",
    "token",
    "=",
    ": ",
    '"',
    "'",
    "\\",
    "{",
    "}",
    "x1",
    " ",
    "\n",
    "|",
    "name",
    "value",
    ",",
    "[",
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 20 }), (words) => {
      const once = redactNamedValues(words.join(""), noting().replace, { bare: true });
      expect(redactNamedValues(once, noting().replace, { bare: true })).toBe(once);
    }),
    { numRuns: 3000 },
  );
});
