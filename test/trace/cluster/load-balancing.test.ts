import { describe, expect, it } from "vitest";

import { loadBalancingOf } from "../../../src/trace/cluster/load-balancing.js";
import { noRuntime, runtimeOf } from "./builders.js";

type Fields = Readonly<Record<string, unknown>>;

const policyOf = (short: string, fields: Fields = {}): Fields => ({
  policies: [
    {
      typed_extension_config: {
        typed_config: {
          "@type": `type.googleapis.com/envoy.extensions.load_balancing_policies.${short}.v3.Any`,
          ...fields,
        },
      },
    },
  ],
});
const withPolicy = (short: string, fields: Fields = {}): Fields => ({
  lb_policy: "RANDOM",
  load_balancing_policy: policyOf(short, fields),
});

describe("the load balancer of a cluster", () => {
  it.each([
    [{}, "round robin"],
    [{ lb_policy: "LEAST_REQUEST" }, "least request"],
    [{ lb_policy: 1 }, "least request"],
    [{ lb_policy: "RING_HASH" }, "ring hash"],
    [{ lb_policy: "MAGLEV" }, "maglev"],
    [{ lb_policy: "CLUSTER_PROVIDED" }, "cluster provided"],
    [{ lb_policy: "toString" }, "unknown"],
    [withPolicy("round_robin"), "round robin"], // load_balancing_policy wins over lb_policy
    [withPolicy("least_request"), "least request"],
    [withPolicy("override_host", { fallback_policy: policyOf("maglev") }), "maglev"],
    [withPolicy("wrr_locality", { endpoint_picking_policy: policyOf("random") }), "random"],
    [withPolicy("subset", { subset_lb_policy: policyOf("ring_hash") }), "ring hash"],
    [withPolicy("constructor"), "unknown"],
    [{ load_balancing_policy: {} }, "unknown"],
  ])("%j picks by %s", (cluster, picking) => {
    expect(loadBalancingOf(cluster, noRuntime).picking).toBe(picking);
  });

  it("ends where policies are nested without end", () => {
    let nested: Fields = policyOf("random");
    for (let depth = 0; depth < 50; depth++) nested = policyOf("override_host", { fallback_policy: nested });
    expect(loadBalancingOf({ load_balancing_policy: nested }, noRuntime).picking).toBe("unknown");
  });

  it("weighs localities by the common configuration, or by that of the policy where there is one", () => {
    const common = { common_lb_config: { locality_weighted_lb_config: {} } };
    expect(loadBalancingOf(common, noRuntime).isLocalityWeighted).toBe(true);
    expect(loadBalancingOf({ ...common, ...withPolicy("round_robin") }, noRuntime).isLocalityWeighted).toBe(
      false,
    );
    const own = withPolicy("round_robin", { locality_lb_config: { locality_weighted_lb_config: {} } });
    expect(loadBalancingOf(own, noRuntime).isLocalityWeighted).toBe(true);
    const wrr = withPolicy("wrr_locality", { endpoint_picking_policy: policyOf("round_robin") });
    expect(loadBalancingOf(wrr, noRuntime).isLocalityWeighted).toBe(true);
  });

  it("has subsets only with selectors", () => {
    const subsets = { fallback_policy: "ANY_ENDPOINT" };
    expect(loadBalancingOf({ lb_subset_config: subsets }, noRuntime).subsets).toBeNull();
    const selecting = { subset_selectors: [{ keys: ["version"] }] };
    expect(loadBalancingOf({ lb_subset_config: selecting }, noRuntime).subsets).toBe(selecting);
  });
});

describe("the panic threshold", () => {
  it.each([
    ["50 by default", {}, {}, 50],
    ["an empty Percent is 0", { healthy_panic_threshold: {} }, {}, 0],
    ["a fraction is rounded", { healthy_panic_threshold: { value: 33.5 } }, {}, 34],
    [
      "runtime has the last word",
      { healthy_panic_threshold: { value: 10 } },
      { "upstream.healthy_panic_threshold": "70" },
      70,
    ],
    ["at most 100", {}, { "upstream.healthy_panic_threshold": 500 }, 100],
  ])("%s", (_, common_lb_config, runtime, expected) => {
    expect(loadBalancingOf({ common_lb_config }, runtimeOf(runtime)).panicThreshold).toBe(expected);
  });

  it("is that of the common configuration under a load_balancing_policy too", () => {
    const cluster = { ...withPolicy("round_robin"), common_lb_config: { healthy_panic_threshold: {} } };
    expect(loadBalancingOf(cluster, noRuntime).panicThreshold).toBe(0);
  });
});

it("says which health a host named by a session may have", () => {
  expect(loadBalancingOf({}, noRuntime).overrideStatuses).toEqual(["UNKNOWN", "HEALTHY", "DEGRADED"]);
  const common_lb_config = { override_host_status: { statuses: ["HEALTHY", 3] } };
  expect(loadBalancingOf({ common_lb_config }, noRuntime).overrideStatuses).toEqual(["HEALTHY", "DRAINING"]);
});

it("starts slowly only with a window", () => {
  const slow = { round_robin_lb_config: { slow_start_config: { slow_start_window: "30s" } } };
  expect(loadBalancingOf(slow, noRuntime).isSlowStarting).toBe(true);
  expect(loadBalancingOf({}, noRuntime).isSlowStarting).toBe(false);
});
