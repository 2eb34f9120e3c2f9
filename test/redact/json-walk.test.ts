import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { JsonWalker, type Walk } from "../../src/redact/json-walk.js";
import { anywhere } from "../../src/redact/places.js";
import { redacted, someStrings } from "./redacting.js";

const walk = (text: string, walker = new JsonWalker(someStrings())): Walk =>
  walker.walk(Buffer.from(text), 0, anywhere);

/** What is kept of a text, tokens shown as "#". */
function left(text: string): string {
  const bytes = Buffer.from(text);
  const { edits, end } = walk(text);
  const pieces: string[] = [];
  let at = 0;
  for (const edit of edits) {
    pieces.push(bytes.toString("utf8", at, edit.start), Buffer.from(edit.bytes).toString());
    at = edit.end;
  }
  return (pieces.join("") + bytes.toString("utf8", at, end)).replace(/‹redacted:[^›]+›/g, "#");
}

describe("a document", () => {
  it.each([
    ['{"password":"hunter2","a":1}', '{"password":"#","a":1}'],
    ['{ "password" : "hunter2" }', '{ "password" : "#" }'],
    ['{"pass\\u0077ord":"hunter2"}', '{"pass\\u0077ord":"#"}'],
    ['{"password":["a",{"b":"c"},1,null,true]}', '{"password":["#",{"b":"#"},0,null,true]}'],
    ['{"__proto__":{"password":"hunter2"}}', '{"__proto__":{"password":"#"}}'],
    ['{"password":"","password":"hunter2"}', '{"password":"","password":"#"}'],
    ['{"value":"hunter2","name":"PASSWORD"}', '{"value":"#","name":"PASSWORD"}'],
    ['{"name":"a","value":"hunter2","name":"PASSWORD"}', '{"name":"a","value":"#","name":"PASSWORD"}'],
    ['["a\\u00e4\\ud83d\\ude00"]', '["a\\u00e4\\ud83d\\ude00"]'],
    ['["tab\there", 1.5e-3, -1]', '["tab\there", 1.5e-3, -1]'],
    ['{"managedFields":[{"manager":"x"}],"a":1}', '{"managedFields":[],"a":1}'],
    ['"password=hunter2"', '"password=#"'],
    ["{}", "{}"],
    ["[]", "[]"],
    ["17", "17"],
  ])("%s", (text, expected) => {
    expect(left(text)).toBe(expected);
    expect(walk(text).outcome).toBe("whole");
  });

  it("ends where its value does", () => {
    expect(walk('{"a":1} {"password":"hunter2"}')).toMatchObject({ end: 7, edits: [], outcome: "whole" });
  });
});

describe("a document that breaks off", () => {
  it.each([
    ['{"a":1,"password":"hunt', '{"a":1,"password":', "cut"],
    ['{"a":1,"pass', '{"a":1,', "cut"],
    ['{"a":"x","b":', '{"a":"x","b":', "cut"],
    ['{"a":[1,2', '{"a":[1,2', "cut"],
    ['{"password":hunter2}', '{"password":', "broken"],
    ['{"a":1 "password":"hunter2"}', '{"a":1 ', "broken"],
    ['{"a":1,}', '{"a":1,', "broken"],
    ['{"a":truly}', '{"a":', "broken"],
    ['{"a":"\\x","b":1}', '{"a":', "broken"],
    ["{a:1}", "{", "broken"],
    ['{"a":[1 2]}', '{"a":[1 ', "broken"],
    ["", "", "cut"],
  ])("%s", (text, expected, outcome) => {
    expect(left(text)).toBe(expected);
    expect(walk(text).outcome).toBe(outcome);
  });

  it.each([
    ["a value whose name was still to come", '{"value":"hunter2","x":', '{"value":"#","x":'],
    ["a value that is not done", '{"env":[{"value":{"a":"hunter2","b":', '{"env":[{"value":'],
    ["data whose kind was still to come", '{"data":{"a":"hunter2"},"x":', '{"data":{"a":"#"},"x":'],
    ["data that is not done", '{"data":{"a":"hunter2","b":"x', '{"data":'],
  ])("does not keep %s", (_, text, expected) => {
    const kept = left(text);
    expect(kept.replace(/4oC5[A-Za-z0-9+/=]+/g, "#")).toBe(expected);
  });

  it("keeps nothing of a secret, wherever it is cut", () => {
    const document = JSON.stringify({
      env: [
        { value: "hunter2", name: "DB_PASSWORD" },
        { name: "A", value: "b" },
      ],
      data: { a: "hunter2" },
      list: [{ private_key: { inline_string: "hunter2" } }],
      nested: '{"password":"hunter2"}',
      kind: "Secret",
    });
    for (let length = 0; length <= document.length; length++)
      expect(left(document.slice(0, length))).not.toContain("hunter2");
  });
});

describe("nesting", () => {
  it("that is too deep goes whole, with the document still valid", () => {
    const deep = `${"[".repeat(5000)}"x"${"]".repeat(5000)}`;
    const kept = left(`{"a":${deep},"b":1}`);
    expect(JSON.parse(kept)).toMatchObject({ b: 1 });
    expect(kept).toContain('"#"');
  });

  it("that never ends is cut", () => {
    expect(walk("[".repeat(1_000_000)).outcome).toBe("cut");
    expect(walk('{"a":'.repeat(200_000)).outcome).toBe("cut");
  });

  it("of texts in texts is walked as it is, and ends", () => {
    let text = '{"password":"hunter2","x":"stays"}';
    for (let depth = 0; depth < 3; depth++) text = JSON.stringify({ a: text });
    expect(redacted("a.json", text)).not.toContain("hunter2");
    expect(redacted("a.json", text)).toContain("stays");
    for (let depth = 0; depth < 6; depth++) text = JSON.stringify({ a: text });
    expect(redacted("a.json", text)).not.toContain("hunter2");
  });

  it("of names and values costs no more than it is long", () => {
    let text = '"x"';
    for (let depth = 0; depth < 90; depth++)
      text = `{"value":{"sds_config":${text}},"name":"token","data":{"a":1}}`;
    expect(left(text)).toContain("token");
  });
});

describe("laws", () => {
  const walker = new JsonWalker(someStrings());
  const apply = (text: string): string => {
    const bytes = Buffer.from(text);
    const { edits, end } = walk(text, walker);
    let at = 0;
    let result = "";
    for (const edit of edits) {
      expect(edit.start).toBeGreaterThanOrEqual(at);
      result += bytes.toString("utf8", at, edit.start) + Buffer.from(edit.bytes).toString();
      at = edit.end;
    }
    return result + bytes.toString("utf8", at, end);
  };
  const key = fc.oneof(
    fc.constantFrom(
      ..."name value key data kind metadata password token secret private_key inline_string inline_bytes header headers @type".split(
        " ",
      ),
      ..."managedFields failed_configuration details node typed_config sds_config args when patch custom_tags direct_response body".split(
        " ",
      ),
    ),
    fc.string({ maxLength: 5 }),
  );
  const leaf = fc.oneof(
    fc.constantFrom(
      "Secret",
      "ConfigMap",
      "DB_PASSWORD",
      "authorization",
      "--password",
      "hunter2 and more",
      '{"token":"x1"}',
    ),
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
  );
  const { document } = fc.letrec((tie) => ({
    document: fc.oneof(
      { depthSize: "small" },
      leaf,
      fc.array(tie("document"), { maxLength: 4 }),
      fc.dictionary(key, tie("document"), { maxKeys: 5 }),
    ),
  }));

  it("valid stays valid, and doing it twice changes nothing", () => {
    fc.assert(
      fc.property(document, fc.constantFrom(undefined, 1), (value, indent) => {
        const once = apply(JSON.stringify(value, null, indent));
        expect(() => JSON.parse(once) as unknown).not.toThrow();
        expect(apply(once)).toBe(once);
      }),
      { numRuns: 500 },
    );
  });

  it("a document without secrets stays byte for byte", () => {
    const harmless = fc.stringMatching(/^[a-z ]{0,12}$/);
    const harmlessKey = fc.stringMatching(/^x_[a-f]{0,8}$/);
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: "small" },
        harmless,
        fc.integer(),
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(harmlessKey, tie("tree"), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const text = JSON.stringify(value, null, 1);
        expect(walk(text, walker)).toMatchObject({
          edits: [],
          end: Buffer.byteLength(text),
          outcome: "whole",
        });
      }),
    );
  });

  it("whatever it is given, it ends and keeps a beginning of it", () => {
    const piece = fc.constantFrom(
      '"',
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      "\\",
      "a",
      "1",
      " ",
      "true",
      '"name"',
      '"value"',
      "é",
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join("");
        const { end, outcome } = walk(text, walker);
        expect(end).toBeLessThanOrEqual(Buffer.byteLength(text));
        if (outcome === "whole")
          expect(() => JSON.parse(Buffer.from(text).toString("utf8", 0, end)) as unknown).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  it("equal stays equal, different stays different", () => {
    const password = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(password, password, (one, other) => {
        const { a, b } = JSON.parse(
          apply(JSON.stringify({ a: { password: one }, b: { password: other } })),
        ) as {
          a: unknown;
          b: unknown;
        };
        expect(JSON.stringify(a) === JSON.stringify(b)).toBe(one === other);
      }),
    );
  });
});
