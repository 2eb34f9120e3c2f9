import { expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { FilterResult } from "../../../src/trace/filters/filter.js";
import { evaluateHealthCheck } from "../../../src/trace/filters/health-check.js";
import { evaluate, headersOf, type Setting } from "./filter-builders.js";

const isHealthz = { headers: [{ name: ":path", string_match: { exact: "/healthz" } }] };
const at = (config: Message, path = "/healthz", setting: Setting = {}): FilterResult =>
  evaluate(
    evaluateHealthCheck,
    { ...isHealthz, ...config },
    { headers: headersOf({ ":path": path }), ...setting },
  );

it("answers health checks for certain, but with 503 while the server is failed", () => {
  expect(at({ pass_through_mode: false })).toMatchObject({
    decision: "unknown",
    reply: { status: 200, detail: "health_check_ok", isHealthCheck: true },
    because: [{ reason: "runtime state" }],
  });
});

it("lets everything else pass", () => {
  expect(at({ pass_through_mode: false }, "/other").decision).toBe("passed");
});

it("hands health checks on where that is its mode, if neither state nor cache answers", () => {
  expect(at({ pass_through_mode: true })).toMatchObject({ decision: "unknown", reply: null });
  expect(at({ pass_through_mode: true }).because).toHaveLength(1);
  expect(at({ pass_through_mode: true, cache_time: "5s" }).because).toHaveLength(2);
});

it("needs the clusters that it asks after", () => {
  const config = { cluster_min_healthy_percentages: { a: { value: 50 } } };
  expect(at(config).reply).toMatchObject({ status: 200, detail: "health_check_ok_cluster_healthy" });
  expect(at(config, "/healthz", { missingClusters: ["a"] }).reply).toMatchObject({
    status: 503,
    responseFlags: ["LH"],
    detail: "health_check_failed_no_cluster_found",
  });
});
