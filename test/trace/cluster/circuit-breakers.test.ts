import { describe, expect, it } from "vitest";

import { closedLimit, maintenanceShare } from "../../../src/trace/cluster/circuit-breakers.js";
import { noRuntime, runtimeOf } from "./builders.js";

const limits = (...thresholds: readonly object[]) => ({ name: "c", circuit_breakers: { thresholds } });

describe("a limit of 0", () => {
  it.each([
    [{ max_requests: 0 }, "max_requests", null],
    [{ max_pending_requests: 0 }, "max_pending_requests", "max_pending_requests"],
    [{ max_connections: 0 }, null, "max_connections"],
    [{ max_retries: 0 }, null, null],
    [{ max_requests: 1, max_pending_requests: 1, max_connections: 1 }, null, null],
    [{}, null, null], // absent is 1024, not 0
  ])("%j refuses HTTP by %s, TCP by %s", (threshold, http, tcp) => {
    expect(closedLimit(limits(threshold), "DEFAULT", "http")).toBe(http);
    expect(closedLimit(limits(threshold), "DEFAULT", "tcp")).toBe(tcp);
  });

  it("counts for its own priority", () => {
    const cluster = limits({ priority: "HIGH", max_requests: 0 }, { max_requests: 5 });
    expect(closedLimit(cluster, "HIGH", "http")).toBe("max_requests");
    expect(closedLimit(cluster, "DEFAULT", "http")).toBeNull();
    expect(closedLimit({ name: "c" }, "HIGH", "http")).toBeNull();
  });
});

it("maintenance is a percentage of runtime", () => {
  const key = "upstream.maintenance_mode.c";
  expect(maintenanceShare({ name: "c" }, noRuntime)).toBe(0);
  expect(maintenanceShare({ name: "c" }, runtimeOf({ [key]: "25" }))).toBe(0.25);
  expect(maintenanceShare({ name: "c" }, runtimeOf({ [key]: 1000 }))).toBe(1);
  expect(maintenanceShare({ name: "other" }, runtimeOf({ [key]: 100 }))).toBe(0);
});
