import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { excerpt, printable } from "../../src/shared/printable.js";

describe("printable", () => {
  it.each([
    { what: "a line break", text: "a\nb", shows: "a\\nb" },
    { what: "a tab", text: "a\tb", shows: "a\\tb" },
    { what: "the start of a terminal command", text: "\u001b[31m", shows: "\\u001b[31m" },
    { what: "a C1 control", text: "\u009b31m", shows: "\\u009b31m" },
    { what: "DEL", text: "\u007f", shows: "\\u007f" },
    { what: "a mark that turns the line around", text: "pod-\u202egnp", shows: "pod-\\u202egnp" },
    { what: "a bidirectional isolate", text: "\u2066x\u2069", shows: "\\u2066x\\u2069" },
    { what: "a zero-width space", text: "a\u200bb", shows: "a\\u200bb" },
    { what: "a byte order mark", text: "\ufeffa", shows: "\\ufeffa" },
    { what: "a line separator", text: "a\u2028b", shows: "a\\u2028b" },
    { what: "half a surrogate pair", text: "\ud83d!", shows: "\\ud83d!" },
    { what: "the other half", text: "!\ude00", shows: "!\\ude00" },
  ])("shows $what", ({ text, shows }) => {
    expect(printable(text)).toBe(shows);
  });

  it.each(["outbound|9080|v1|reviews.default.svc.cluster.local", "grüße 中文 😀", "a b", "\\u202e", ""])(
    "leaves %j alone",
    (text) => {
      expect(printable(text)).toBe(text);
    },
  );

  it("gives one line without controls, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const line = printable(text);
        // eslint-disable-next-line no-control-regex -- control characters are what this is about
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
        expect(line.isWellFormed()).toBe(true);
        expect(printable(line)).toBe(line);
      }),
    );
  });
});

describe("excerpt", () => {
  it.each([
    { text: "short", length: 5, gives: "short", because: "it fits" },
    { text: "longer", length: 5, gives: "long…", because: "the mark takes one character" },
    { text: "  padded \n", length: 80, gives: "padded", because: "blanks around it say nothing" },
    { text: "a\n\n  b\tc", length: 80, gives: "a b c", because: "white space becomes one blank" },
    { text: "", length: 5, gives: "", because: "there is nothing" },
    { text: "\u001b]0;x", length: 80, gives: "\\u001b]0;x", because: "it is made printable" },
  ])("of $text ($length) is $gives: $because", ({ text, length, gives }) => {
    expect(excerpt(text, length)).toBe(gives);
  });

  it("is never longer than asked for", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 40 }),
        fc.integer({ min: 1, max: 30 }),
        (text, length) => {
          expect(excerpt(text, length).length).toBeLessThanOrEqual(length);
        },
      ),
    );
  });
});
