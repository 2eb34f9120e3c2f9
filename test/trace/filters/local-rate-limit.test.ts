import { expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { evaluateLocalRateLimit } from "../../../src/trace/filters/local-rate-limit.js";
import { evaluate } from "./filter-builders.js";

const fraction = (numerator: number): Message => ({ default_value: { numerator } });
const enforced: Message = {
  token_bucket: { max_tokens: 1 },
  filter_enabled: fraction(100),
  filter_enforced: fraction(100),
};
const without = (name: string): Message =>
  Object.fromEntries(Object.entries(enforced).filter(([own]) => own !== name));

it("hangs on its bucket", () => {
  expect(evaluate(evaluateLocalRateLimit, enforced)).toMatchObject({
    decision: "unknown",
    because: [{ reason: "rate limit" }],
  });
});

it.each(["token_bucket", "filter_enabled", "filter_enforced"])("denies nothing without %s", (name) => {
  expect(evaluate(evaluateLocalRateLimit, without(name)).decision).toBe("passed");
});

it("denies nothing where a fraction is none", () => {
  const config = { ...enforced, filter_enforced: fraction(0) };
  expect(evaluate(evaluateLocalRateLimit, config).decision).toBe("passed");
});

it("is what the most specific level says: Istio's own filter is empty", () => {
  expect(evaluate(evaluateLocalRateLimit, { stat_prefix: "x" }).decision).toBe("passed");
  expect(evaluate(evaluateLocalRateLimit, { stat_prefix: "x" }, {}, [enforced]).decision).toBe("unknown");
  expect(evaluate(evaluateLocalRateLimit, enforced, {}, [without("token_bucket")]).decision).toBe("passed");
});
