import { expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { evaluateCsrf } from "../../../src/trace/filters/csrf.js";
import type { FilterResult } from "../../../src/trace/filters/filter.js";
import { evaluate, headersOf } from "./filter-builders.js";

const enabled = (numerator: number): Message => ({ filter_enabled: { default_value: { numerator } } });
const at = (
  headers: Readonly<Record<string, string>>,
  config: Message = enabled(100),
  routes: readonly Message[] = [],
): FilterResult =>
  evaluate(
    evaluateCsrf,
    config,
    { headers: headersOf({ ":method": "POST", ":authority": "svc.local:80", ...headers }) },
    routes,
  );

it.each([
  ["the host itself", { origin: "http://svc.local:80" }, "allowed"],
  ["the host itself, as the referer", { referer: "http://svc.local:80/x?y" }, "allowed"],
  ["no URL, but the host", { origin: "svc.local:80" }, "allowed"],
  ["the host without its port", { origin: "http://svc.local" }, "denied"],
  ["the host in another case", { origin: "http://SVC.local:80" }, "denied"],
  ["another host", { origin: "http://b.com:90" }, "denied"],
  ["null, which is an origin", { origin: "null", referer: "http://svc.local:80/" }, "denied"],
  ["none", {}, "denied"],
  ["none, for a request that only reads", { ":method": "GET" }, "passed"],
  ["none, for PATCH", { ":method": "PATCH" }, "denied"],
])("%s: %j %s", (_, headers: Readonly<Record<string, string>>, decision) => {
  expect(at(headers).decision).toBe(decision);
});

it("denies with 403", () => {
  expect(at({}).reply).toMatchObject({ status: 403, detail: "csrf_origin_mismatch", body: "Invalid origin" });
});

it("takes more origins from a list", () => {
  const config = { ...enabled(100), additional_origins: [{ exact: "b.com:90" }] };
  expect(at({ origin: "https://b.com:90/x" }, config).decision).toBe("allowed");
  expect(at({ origin: "https://b.com" }, config).decision).toBe("denied");
});

it("is off by its fraction, and left open where that is drawn", () => {
  expect(at({}, enabled(0)).decision).toBe("passed");
  expect(at({}, enabled(50))).toMatchObject({ decision: "unknown", because: [{ reason: "random" }] });
  expect(at({ origin: "svc.local:80" }, enabled(50)).decision).toBe("allowed");
});

it("is what the most specific level says", () => {
  expect(at({}, enabled(100), [enabled(0)]).decision).toBe("passed");
  expect(at({}, enabled(0), [enabled(0), enabled(100)]).decision).toBe("denied");
});
