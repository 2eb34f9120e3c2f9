import { describe, expect, it } from "vitest";

import { SharedAnswers } from "../../../src/trace/all-routes/shared-answers.js";
import type { Runtime } from "../../../src/trace/match-context.js";

const runtime = (values: Readonly<Record<string, number>> = {}): Runtime => ({
  value: (key) => values[key],
});

describe("SharedAnswers", () => {
  const about = {};
  const counted = () => {
    let made = 0;
    const answers = new SharedAnswers<string>();
    const of = (own: Runtime, question = "q", object: object = about): string =>
      answers.of(object, question, own, ({ value }) => `${String(value("a"))}, the ${++made}.`);
    return of;
  };

  it("makes an answer once for all that have the same runtime, as far as it was asked", () => {
    const of = counted();
    expect(of(runtime())).toBe("undefined, the 1.");
    expect(of(runtime({ b: 1 }))).toBe("undefined, the 1.");
    expect(of(runtime({ a: 1 }))).toBe("1, the 2.");
    expect(of(runtime({ a: 1 }))).toBe("1, the 2.");
    expect(of(runtime())).toBe("undefined, the 1.");
  });

  it("tells objects and questions apart", () => {
    const of = counted();
    expect([of(runtime()), of(runtime(), "other"), of(runtime(), "q", {})]).toEqual([
      "undefined, the 1.",
      "undefined, the 2.",
      "undefined, the 3.",
    ]);
  });

  it("keeps a few answers to a question", () => {
    const of = counted();
    for (let a = 1; a <= 20; a++) of(runtime({ a }));
    expect(of(runtime({ a: 1 }))).toBe("1, the 1.");
    expect(of(runtime({ a: 20 }))).toBe("20, the 21.");
  });
});
