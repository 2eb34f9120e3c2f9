import { describe, expect, it } from "vitest";

import {
  healthInConfiguration,
  healthInDump,
  healthInStatus,
  shownHealth,
} from "../../../src/trace/cluster/host-health.js";

describe("health in /clusters", () => {
  it.each([
    [{ eds_health_status: "HEALTHY" }, "healthy", false],
    [undefined, "healthy", false],
    [{ eds_health_status: "HEALTHY", failed_outlier_check: true }, "unhealthy", false],
    [{ eds_health_status: "HEALTHY", failed_active_health_check: true }, "unhealthy", false],
    [{ eds_health_status: "UNHEALTHY" }, "unhealthy", false],
    [{ eds_health_status: 2 }, "unhealthy", false],
    [{ eds_health_status: "DRAINING" }, "unhealthy", true],
    [{ eds_health_status: "DEGRADED" }, "degraded", false],
    [{ eds_health_status: "HEALTHY", failed_active_degraded_check: true }, "degraded", false],
    [{ eds_health_status: "DEGRADED", failed_outlier_check: true }, "unhealthy", false],
    [{ failed_active_health_check: true, pending_active_hc: true }, "unhealthy", true],
    [{ failed_active_health_check: true, excluded_via_immediate_hc_fail: true }, "unhealthy", true],
    [{ eds_health_status: "HEALTHY", pending_dynamic_removal: true }, "healthy", false],
    [{ eds_health_status: "HEALTHY", active_hc_timeout: true }, "healthy", false],
  ])("%j is %s, excluded: %s", (status, expected, isExcluded) => {
    expect(healthInStatus(status)).toMatchObject({ class: expected, isExcluded });
  });

  it("names the flags that decided", () => {
    expect(healthInStatus({ eds_health_status: "UNHEALTHY", failed_outlier_check: true }).because).toEqual([
      "failed_outlier_check",
      "eds_health_status UNHEALTHY",
    ]);
    expect(healthInStatus({ eds_health_status: "HEALTHY" }).because).toEqual([]);
  });

  it("gives a stateful session the worst of the two", () => {
    expect(healthInStatus({ eds_health_status: "DRAINING" }).status).toBe("DRAINING");
    expect(healthInStatus({ eds_health_status: "DRAINING", failed_outlier_check: true }).status).toBe(
      "UNHEALTHY",
    );
  });
});

describe("health in the dump of endpoints", () => {
  it("does not tell a draining host from an unhealthy one", () => {
    expect(healthInDump({ health_status: "UNHEALTHY" })).toMatchObject({
      class: "unhealthy",
      isExcluded: "unknown",
    });
    expect(healthInDump({ health_status: "HEALTHY" })).toMatchObject({ class: "healthy", isExcluded: false });
    expect(healthInDump({ health_status: "DEGRADED" })).toMatchObject({
      class: "degraded",
      isExcluded: false,
    });
  });
});

describe("health as it is configured", () => {
  it.each([
    ["UNKNOWN", "healthy", false],
    ["HEALTHY", "healthy", false],
    ["UNHEALTHY", "unhealthy", false],
    ["TIMEOUT", "unhealthy", false],
    ["DRAINING", "unhealthy", true],
    ["DEGRADED", "degraded", false],
  ])("%s is %s, excluded: %s", (health_status, expected, isExcluded) => {
    expect(healthInConfiguration({ health_status }, 36)).toMatchObject({ class: expected, isExcluded });
  });

  it("takes a missing status for UNKNOWN", () => {
    expect(healthInConfiguration({}, 36)).toMatchObject({ class: "healthy", status: "UNKNOWN" });
  });

  it("counted draining hosts in older releases", () => {
    expect(healthInConfiguration({ health_status: "DRAINING" }, 16).isExcluded).toBe(false);
    expect(healthInConfiguration({ health_status: "DRAINING" }, 31).isExcluded).toBe(true);
  });
});

it("is shown in the words of the answer", () => {
  expect(shownHealth(healthInStatus({ eds_health_status: "DRAINING" }))).toBe("draining");
  expect(shownHealth(healthInStatus({ eds_health_status: "UNHEALTHY" }))).toBe("unhealthy");
  expect(shownHealth(healthInStatus({}))).toBe("healthy");
});
