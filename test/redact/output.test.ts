import fc from "fast-check";
import { expect, it } from "vitest";

import { Output } from "../../src/redact/output.js";

const textOf = (output: Output): string => Buffer.concat(output.finish().content).toString();

it("is what was added, in order", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" })), (texts) => {
      const output = new Output();
      for (const text of texts) output.addText(text);
      const { content, size } = output.finish();
      expect(Buffer.concat(content).toString()).toBe(texts.join(""));
      expect(size).toBe(Buffer.byteLength(texts.join("")));
    }),
  );
});

it("takes long stretches as they are and puts short ones together", () => {
  const output = new Output();
  const long = new Uint8Array(1_000_000).fill(0x61);
  output.add(long);
  for (let index = 0; index < 1000; index++) output.addText("b");
  output.add(long);
  const { content } = output.finish();
  expect(content).toHaveLength(3);
  expect(content[0]).toBe(long);
});

it("goes on after it was full", () => {
  const output = new Output();
  const text = "x".repeat(100_000);
  for (let index = 0; index < 10; index++) output.addText(text);
  expect(textOf(output)).toBe(text.repeat(10));
});

it("has edits in place of what they replace, and their rules", () => {
  const output = new Output();
  const bytes = Buffer.from("one two three");
  output.addEdited(bytes, 0, bytes.length, [
    { start: 0, end: 3, bytes: Buffer.from("1"), rules: ["secret"] },
    { start: 8, end: 13, bytes: Buffer.from("3"), rules: ["code", "secret"] },
  ]);
  expect(textOf(output)).toBe("1 two 3");
  expect(output.rules).toEqual(["secret", "code", "secret"]);
});
