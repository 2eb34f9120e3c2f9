import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { answerEnd, type ExpectedForm } from "../../src/collect/answer-end.js";

/** Whether a text that comes in pieces of a size may end where it ends. */
function isWhole(form: ExpectedForm, text: string | Uint8Array, size = 7): boolean {
  const end = answerEnd(form);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) end.see(bytes.subarray(at, at + size));
  return end.isReached();
}

const documents = fc
  .oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()))
  .chain((value) => fc.constantFrom(JSON.stringify(value), JSON.stringify(value, null, 2)));

describe("the end of JSON", () => {
  it("is where the first bracket is closed, however the pieces are cut", () => {
    fc.assert(
      fc.property(documents, fc.integer({ min: 1, max: 20 }), (text, size) => {
        expect(isWhole("json", text, size)).toBe(true);
        expect(isWhole("json", `${text}\n`, size)).toBe(true);
      }),
    );
  });

  it("is nowhere before", () => {
    fc.assert(
      fc.property(documents, fc.nat(), (text, cut) => {
        const bytes = Buffer.from(text);
        const length = 1 + (cut % (bytes.length - 1));
        expect(isWhole("json", bytes.subarray(0, length))).toBe(false);
      }),
    );
  });

  it.each([
    { text: '{"a":"}"}', whole: true },
    { text: '{"a":"}', whole: false },
    { text: '{"a":"\\"}"}', whole: true },
    { text: '{"a":"\\\\"}', whole: true },
    { text: '{"a":"\\\\\\"}', whole: false },
    { text: '{"configs":[{"a":1}', whole: false },
    { text: "", whole: true },
    { text: "{}}", whole: true },
  ])("$text: $whole", ({ text, whole }) => {
    for (const size of [1, 2, 100]) expect(isWhole("json or nothing", text, size)).toBe(whole);
  });
});

describe("the end of lines", () => {
  it.each([
    { text: "server.live: 1\nserver.state: 0\n", whole: true },
    { text: "server.live: 1\nserver.sta", whole: false },
    { text: "", whole: true },
  ])("$text: $whole", ({ text, whole }) => {
    expect(isWhole("lines", text)).toBe(whole);
  });

  it("does not matter where any text will do", () => {
    expect(isWhole("text", "1.27.0-abc-Clean")).toBe(true);
  });
});
