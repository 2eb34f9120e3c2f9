/**
 * Which class of health a host is in, and whether it counts where ratios are built.
 * Source: envoyproxy/envoy, source/common/upstream/upstream_impl.h (coarseHealth, healthStatus, excludeBasedOnHealthFlag).
 */
import { flag, type Message } from "../../snapshot/message.js";
import { enumName } from "../enum-value.js";
import type { EnvoyMinor } from "../match-context.js";
import type { EndpointShare } from "../result.js";

export type HealthClass = "healthy" | "degraded" | "unhealthy";

/** `envoy.config.core.v3.HealthStatus`, in its order. */
export const healthStatuses = ["UNKNOWN", "HEALTHY", "UNHEALTHY", "DRAINING", "TIMEOUT", "DEGRADED"] as const;
export type HealthStatus = (typeof healthStatuses)[number];

export interface HostHealth {
  readonly class: HealthClass;
  /**
   * Left out of the denominators, so neither used nor counted. "unknown": the config dump shows a draining host as an
   * unhealthy one.
   */
  readonly isExcluded: boolean | "unknown";
  /** What a stateful session compares with `override_host_status`. */
  readonly status: HealthStatus;
  /** The flags that put it in its class, such as `failed_outlier_check` or `eds_health_status DRAINING`; none for a healthy one. */
  readonly because: readonly string[];
}

/** Envoy counted draining hosts as unhealthy ones before `exclude_host_in_eds_status_draining`. */
const firstToExcludeDraining: EnvoyMinor = 31;

const healthy: HostHealth = { class: "healthy", isExcluded: false, status: "HEALTHY", because: [] };

const unhealthyFlags = ["failed_active_health_check", "failed_outlier_check"] as const;
const degradedFlags = ["failed_active_degraded_check", "failed_degraded_outlier_detection"] as const;
const excludingFlags = ["pending_active_hc", "excluded_via_immediate_hc_fail"] as const;

/** Of `/clusters` (`envoy.admin.v3.HostHealthStatus`): the only place that knows ejections. */
export function healthInStatus(status: Message | undefined): HostHealth {
  const eds = enumName(status, "eds_health_status", healthStatuses);
  const own = (names: readonly string[]): string[] => names.filter((name) => flag(status, name) === true);
  const excluding = own(excludingFlags);
  const isExcluded = excluding.length > 0 || eds === "DRAINING";
  const failed = own(unhealthyFlags);
  if (failed.length > 0 || isUnhealthy(eds)) {
    return {
      class: "unhealthy",
      isExcluded,
      status: failed.length > 0 ? "UNHEALTHY" : (eds as HealthStatus),
      because: [...failed, ...(isUnhealthy(eds) ? [`eds_health_status ${eds}`] : []), ...excluding],
    };
  }
  const degraded = [...own(degradedFlags), ...(eds === "DEGRADED" ? ["eds_health_status DEGRADED"] : [])];
  if (degraded.length > 0)
    return { class: "degraded", isExcluded, status: "DEGRADED", because: [...degraded, ...excluding] };
  return { ...healthy, isExcluded, because: excluding };
}

/** Of the EndpointsConfigDump, which Envoy writes from its live hosts with three values only. */
export function healthInDump(endpoint: Message): HostHealth {
  const status = enumName(endpoint, "health_status", healthStatuses);
  if (isUnhealthy(status))
    return {
      class: "unhealthy",
      isExcluded: "unknown",
      status: "UNHEALTHY",
      because: [`health_status ${status}`],
    };
  if (status === "DEGRADED") return degradedBy("health_status DEGRADED");
  return healthy;
}

/** Of a `load_assignment` as it was configured. */
export function healthInConfiguration(endpoint: Message, envoy: EnvoyMinor): HostHealth {
  const status = enumName(endpoint, "health_status", healthStatuses);
  if (isUnhealthy(status))
    return {
      class: "unhealthy",
      isExcluded: status === "DRAINING" && envoy >= firstToExcludeDraining,
      status: status as HealthStatus,
      because: [`health_status ${status}`],
    };
  if (status === "DEGRADED") return degradedBy("health_status DEGRADED");
  return { ...healthy, status: status === "HEALTHY" ? "HEALTHY" : "UNKNOWN" };
}

/** In the words of the answer. */
export function shownHealth({ class: own, status }: HostHealth): EndpointShare["health"] {
  return status === "DRAINING" ? "draining" : own;
}

const degradedBy = (because: string): HostHealth => ({
  class: "degraded",
  isExcluded: false,
  status: "DEGRADED",
  because: [because],
});

const isUnhealthy = (status: string): boolean =>
  status === "UNHEALTHY" || status === "DRAINING" || status === "TIMEOUT";
