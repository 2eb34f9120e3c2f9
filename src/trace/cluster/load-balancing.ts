/**
 * Which load balancer a cluster has: `load_balancing_policy` over `lb_policy`, with what the two take from
 * `common_lb_config`. Source: envoyproxy/envoy, source/common/upstream/upstream_impl.cc (configureLbPolicies).
 */
import {
  child,
  children,
  field,
  flag,
  isMessage,
  number,
  text,
  typeOf,
  unpacked,
  type Message,
} from "../../snapshot/message.js";
import { enumName, enumNames } from "../enum-value.js";
import type { Runtime } from "../match-context.js";
import { runtimeNumber } from "../runtime-values.js";
import { healthStatuses, type HealthStatus } from "./host-health.js";

export type HostPicking =
  | "round robin"
  | "least request"
  | "random"
  | "ring hash"
  | "maglev"
  | "client side weighted round robin"
  /** The cluster's own extension chooses. */
  | "cluster provided"
  /** An extension that is not evaluated. */
  | "unknown";

export interface LoadBalancing {
  readonly picking: HostPicking;
  /** The type of the policy, or the value of `lb_policy`. */
  readonly name: string;
  readonly isLocalityWeighted: boolean;
  /** Of healthy hosts, how many it takes for traffic to be kept in the zone; null: it is not. */
  readonly zoneAwareFrom: number | null;
  /** Whether a priority in panic uses no host instead of all. */
  readonly failsOnPanic: boolean;
  /** `lb_subset_config` or the subset policy; null without selectors. */
  readonly subsets: Message | null;
  /** Percent, 0 to 100. */
  readonly panicThreshold: number;
  /** Weights grow with the time since a host was added. */
  readonly isSlowStarting: boolean;
  /** Health that a host named by a stateful session may have. */
  readonly overrideStatuses: readonly HealthStatus[];
}

const legacyPolicies = [
  "ROUND_ROBIN",
  "LEAST_REQUEST",
  "RING_HASH",
  "RANDOM",
  "ORIGINAL_DST_LB",
  "MAGLEV",
  "CLUSTER_PROVIDED",
  "LOAD_BALANCING_POLICY_CONFIG",
] as const;

const legacyPickings: Readonly<Record<string, HostPicking>> = {
  ROUND_ROBIN: "round robin",
  LEAST_REQUEST: "least request",
  RING_HASH: "ring hash",
  RANDOM: "random",
  MAGLEV: "maglev",
  ORIGINAL_DST_LB: "cluster provided",
  CLUSTER_PROVIDED: "cluster provided",
};

/** @param hasLocalCluster whether the bootstrap has a `local_cluster_name`: without one nothing is zone aware */
export function loadBalancingOf(cluster: Message, runtime: Runtime, hasLocalCluster = false): LoadBalancing {
  const { zoneAwareFrom, ...balancing } = configuredBalancing(cluster, runtime);
  return { ...balancing, zoneAwareFrom: hasLocalCluster ? zoneAwareFrom : null };
}

function configuredBalancing(cluster: Message, runtime: Runtime): LoadBalancing {
  const common = child(cluster, "common_lb_config");
  const shared = {
    panicThreshold: panicThresholdOf(common, runtime),
    overrideStatuses: overrideStatusesOf(common),
  };
  const policies = child(cluster, "load_balancing_policy");
  if (policies !== undefined) return { ...extensionPolicy(policies, 0), ...shared };
  const name = enumName(cluster, "lb_policy", legacyPolicies);
  const picking = Object.hasOwn(legacyPickings, name) ? legacyPickings[name] : undefined;
  const subsets = child(cluster, "lb_subset_config");
  const slowStart =
    child(cluster, "round_robin_lb_config", "slow_start_config") ??
    child(cluster, "least_request_lb_config", "slow_start_config");
  return {
    picking: picking ?? "unknown",
    name,
    ...localityHandling(common),
    subsets: children(subsets, "subset_selectors").length > 0 ? (subsets ?? null) : null,
    isSlowStarting: isSlow(slowStart),
    ...shared,
  };
}

type ExtensionPolicy = Omit<LoadBalancing, "panicThreshold" | "overrideStatuses">;

const extensionPickings: Readonly<Record<string, HostPicking>> = {
  round_robin: "round robin",
  least_request: "least request",
  random: "random",
  ring_hash: "ring hash",
  maglev: "maglev",
  client_side_weighted_round_robin: "client side weighted round robin",
  cluster_provided: "cluster provided",
};

/** Policies hold policies; ours end before the stack does. */
const deepest = 8;

/** Envoy takes the first policy that it knows; which those are for another type only it can tell. */
function extensionPolicy(policies: Message, depth: number): ExtensionPolicy {
  const any = child(children(policies, "policies")[0], "typed_extension_config", "typed_config");
  const type = typeOf(any);
  const config = unpacked(any);
  const short = /^envoy\.extensions\.load_balancing_policies\.([a-z_]{1,64})\.v\d\./.exec(type)?.[1] ?? "";
  const inner = (name: string): ExtensionPolicy => {
    const nested = child(config, name);
    return nested === undefined || depth >= deepest
      ? plainPolicy("unknown", type, config)
      : extensionPolicy(nested, depth + 1);
  };
  switch (short) {
    case "subset": {
      const hasSelectors = children(config, "subset_selectors").length > 0;
      return { ...inner("subset_lb_policy"), subsets: hasSelectors ? (config ?? null) : null };
    }
    case "wrr_locality":
      return { ...inner("endpoint_picking_policy"), ...localityWeighted };
    case "override_host":
      return inner("fallback_policy");
    default: {
      const picking = Object.hasOwn(extensionPickings, short) ? extensionPickings[short] : undefined;
      return plainPolicy(picking ?? "unknown", type, config);
    }
  }
}

function plainPolicy(picking: HostPicking, name: string, config: Message | undefined): ExtensionPolicy {
  return {
    picking,
    name,
    ...localityHandling(child(config, "locality_lb_config")),
    subsets: null,
    isSlowStarting: isSlow(child(config, "slow_start_config")),
  };
}

type LocalityHandling = Pick<LoadBalancing, "isLocalityWeighted" | "zoneAwareFrom" | "failsOnPanic">;

const localityWeighted: LocalityHandling = {
  isLocalityWeighted: true,
  zoneAwareFrom: null,
  failsOnPanic: false,
};

/** @param config `CommonLbConfig` or `LocalityLbConfig`, which name the two alike */
function localityHandling(config: Message | undefined): LocalityHandling {
  if (isMessage(field(config, "locality_weighted_lb_config"))) return localityWeighted;
  const zoneAware = child(config, "zone_aware_lb_config");
  return {
    isLocalityWeighted: false,
    zoneAwareFrom: number(zoneAware, "min_cluster_size") ?? 6,
    failsOnPanic: flag(zoneAware, "fail_traffic_on_panic") === true,
  };
}

const isSlow = (config: Message | undefined): boolean => {
  const window = text(config, "slow_start_window");
  return window !== "" && window !== "0s";
};

/** `healthy_panic_threshold` is a Percent whose value 0 is left out; Envoy rounds it to a whole number. */
function panicThresholdOf(common: Message | undefined, runtime: Runtime): number {
  const percent = child(common, "healthy_panic_threshold");
  const configured = percent === undefined ? 50 : Math.round(number(percent, "value") ?? 0);
  return Math.min(100, Math.max(0, runtimeNumber(runtime, "upstream.healthy_panic_threshold", configured)));
}

function overrideStatusesOf(common: Message | undefined): readonly HealthStatus[] {
  const set = child(common, "override_host_status");
  if (set === undefined) return ["UNKNOWN", "HEALTHY", "DEGRADED"];
  const names = enumNames(set, "statuses", healthStatuses);
  return healthStatuses.filter((status) => names.includes(status));
}
