import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { UserError } from "../../src/shared/errors.js";
import { humanSize, parseSize } from "../../src/shared/size.js";

describe("a size that a user writes", () => {
  it.each([
    { text: "1", bytes: 1 },
    { text: "1000", bytes: 1000 },
    { text: "1000B", bytes: 1000 },
    { text: "2k", bytes: 2000 },
    { text: "2kB", bytes: 2000 },
    { text: "3M", bytes: 3_000_000 },
    { text: "3MB", bytes: 3_000_000 },
    { text: "1G", bytes: 1_000_000_000 },
    { text: "1.5GB", bytes: 1_500_000_000 },
    { text: "4KiB", bytes: 4096 },
    { text: "256MiB", bytes: 268_435_456 },
    { text: "1GiB", bytes: 1_073_741_824 },
    { text: "1.0001KiB", bytes: 1024 },
  ])("$text is $bytes bytes", ({ text, bytes }) => {
    expect(parseSize("max-dump-size", text)).toBe(bytes);
  });

  it.each([
    { text: "" },
    { text: "0" },
    { text: "0.4" },
    { text: "-1" },
    { text: "+1" },
    { text: "1e3" },
    { text: ".5M" },
    { text: "1.M" },
    { text: "1 MiB" },
    { text: "MiB" },
    { text: "256MiBB" },
    { text: "256mib" },
    { text: "256 " },
    { text: "1T" },
    { text: "0x10" },
    { text: "9".repeat(400), because: "no number holds it" },
    { text: `${"9".repeat(15)}G`, because: "no number holds it exactly" },
    { text: "1\n" },
  ])("$text is none", ({ text }) => {
    expect(() => parseSize("max-dump-size", text)).toThrow(UserError);
    expect(() => parseSize("max-dump-size", text)).toThrow(
      `--max-dump-size must be a size such as 256MiB, not "${text}"`,
    );
  });
});

describe("a size for people", () => {
  it.each([
    { bytes: 0, text: "0 B" },
    { bytes: 999, text: "999 B" },
    { bytes: 1000, text: "1.0 kB" },
    { bytes: 9949, text: "9.9 kB" },
    { bytes: 9950, text: "10 kB" },
    { bytes: 999_499, text: "999 kB" },
    { bytes: 999_500, text: "1.0 MB" },
    { bytes: 1_440_000, text: "1.4 MB" },
    { bytes: 268_435_456, text: "268 MB" },
    { bytes: 4_294_967_296, text: "4.3 GB" },
    { bytes: 2e12, text: "2.0 TB" },
    { bytes: 5e15, text: "5000 TB" },
  ])("$bytes bytes are $text", ({ bytes, text }) => {
    expect(humanSize(bytes)).toBe(text);
  });

  it("is within 6 % of the truth, and short", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 49 }), (bytes) => {
        const text = humanSize(bytes);
        const [, number = "", unit = ""] = /^(\d+(?:\.\d)?) ([kMGT]?)B$/.exec(text) ?? [];
        const value = Number(number) * { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 }[unit]!;
        expect(Math.abs(value - bytes)).toBeLessThanOrEqual(bytes * 0.06);
        expect(text.length).toBeLessThanOrEqual(6);
      }),
    );
  });
});
