import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Output } from "../../src/redact/output.js";
import { LineTooLong, redactText } from "../../src/redact/text-file.js";
import { aPrivateKey, redacted, someStrings } from "./redacting.js";

function left(text: string): string {
  const output = new Output();
  redactText(Buffer.from(text), "log", someStrings(), output);
  return Buffer.concat(output.finish().content).toString();
}

describe("a text of any size", () => {
  const line = "2024-01-02T03:04:05Z info a line of some length that says nothing\n";
  const long = line.repeat(40_000);

  it("stays where nothing is in it", () => expect(left(long)).toBe(long));

  it("loses a secret, wherever it stands", () => {
    fc.assert(
      fc.property(fc.nat(40_000), (at) => {
        const text = `${line.repeat(at)}password=hunter2\n${line.repeat(40_000 - at)}`;
        expect(left(text)).not.toContain("hunter2");
      }),
      { numRuns: 10 },
    );
  });

  it("loses a key that stands where one piece ends and the next begins", () => {
    const key = aPrivateKey();
    for (let shift = 0; shift < key.length + 40; shift += 20) {
      const before = `${"x".repeat((1 << 20) - key.length + shift - 20)}\n`;
      const text = left(before + key + line);
      for (const part of key.split("\n").slice(1, -2)) expect(text).not.toContain(part);
      expect(text).toContain("says nothing");
    }
  });

  it("may be one long line", () => {
    const text = `${"x ".repeat(1_500_000)}password=hunter2 ${"y ".repeat(10)}`;
    expect(left(text)).not.toContain("hunter2");
  });

  it("may not be a line that is too long for one text", () => {
    const text = (length: number): void =>
      redactText(Buffer.alloc(length, "x"), "log", someStrings(), new Output(), 1000);
    expect(() => text(1001)).toThrow(LineTooLong);
    expect(() => text(1000)).not.toThrow();
  });

  it("may have no line at all", () => expect(left("")).toBe(""));

  it("may begin anywhere in memory", () => {
    const memory = Buffer.from(`AAAA-----BEGIN PRIVATE KEY-----\n${long}`);
    expect(redacted("a.log", memory.subarray(4))).not.toContain("BEGIN");
  });
});
