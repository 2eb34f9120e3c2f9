import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { RememberedValues } from "../../src/redact/remembered.js";

function remembering(...values: string[]): (text: string) => string {
  const remembered = new RememberedValues();
  for (const value of values) remembered.add(value);
  return (text) => remembered.redact(text, () => "#");
}

describe("values that were seen as secrets", () => {
  it.each([
    ["alone", "hunter2-x", "#"],
    ["in a sentence", "rejected hunter2-x, retry", "rejected #, retry"],
    ["in quotes", '"hunter2-x"', '"#"'],
    ["twice", "hunter2-x=hunter2-x", "#=#"],
    ["beside another one", "hunter2-xyz hunter2-x", "# #"],
  ])("are found %s", (_, text, expected) =>
    expect(remembering("hunter2-x", "hunter2-xyz")(text)).toBe(expected),
  );

  it("may hold any characters", () => {
    expect(remembering('a b"c\n=&%')('<a b"c\n=&%>')).toBe("<#>");
  });

  it.each([
    ["a part of a word", "xhunter2-x hunter2-xy"],
    ["something else", "hunter2 hunter3-x"],
  ])("are not found in %s", (_, text) => expect(remembering("hunter2-x")(text)).toBe(text));

  it.each(["short", "default", "enabled", "15010", "10.0.0.1"])(
    "are not %j, which any text may hold",
    (value) => expect(remembering(value)(`a ${value} b`)).toBe(`a ${value} b`),
  );

  it("leave no trace, wherever they stand", () => {
    const value = fc.string({ minLength: 6, maxLength: 20 }).map((text) => `${text}-7Q`);
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(7), { maxLength: 8 }),
        (values, order) => {
          const text = order.map((index) => values[index % values.length]).join(" | ");
          const left = remembering(...values)(text);
          for (const part of left.split(" | ")) if (values.includes(part)) expect(part).toBe("");
        },
      ),
    );
  });

  it("cost one pass, however alike they are", () => {
    const alike = Array.from({ length: 5000 }, (_, index) => `aaaaaaaa${"a".repeat(index % 200)}-${index}`);
    const text = "a".repeat(200_000);
    expect(remembering(...alike)(text)).toBe(text);
  });
});
