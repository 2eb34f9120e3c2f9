/** The hosts of a cluster by priority, sorted into what load balancing asks for. */
import type { ClusterHosts, Host } from "./hosts.js";
import type { PriorityCounts } from "./priority-load.js";

export type Availability = "healthy" | "degraded";

export interface HostSet {
  readonly priority: number;
  /** In Envoy's order. */
  readonly hosts: readonly Host[];
  readonly healthy: readonly Host[];
  readonly degraded: readonly Host[];
  readonly excluded: readonly Host[];
}

/** Priorities that are written may be far apart, and one number costs an entry a priority. */
const highestPriority = 128;

/**
 * One set for every priority from 0 to the highest; there is always one.
 * @param draining what hosts count as of which it is not known whether they are excluded
 */
export function prioritySet(hosts: readonly Host[], draining: "counted" | "excluded" = "counted"): HostSet[] {
  const known = hosts.filter(({ priority }) => priority >= 0 && priority <= highestPriority);
  const last = known.reduce((highest, { priority }) => Math.max(highest, priority), 0);
  const byPriority: Host[][] = Array.from({ length: last + 1 }, () => []);
  for (const host of known) byPriority[host.priority]?.push(host);
  return byPriority.map((own, priority) => hostSet(own, priority, draining));
}

export function hostSet(
  hosts: readonly Host[],
  priority: number,
  draining: "counted" | "excluded" = "counted",
): HostSet {
  const isExcluded = ({ health }: Host): boolean =>
    health.isExcluded === "unknown" ? draining === "excluded" : health.isExcluded;
  return {
    priority,
    hosts,
    healthy: hosts.filter(({ health }) => health.class === "healthy"),
    degraded: hosts.filter(({ health }) => health.class === "degraded"),
    excluded: hosts.filter(isExcluded),
  };
}

export function countsOf(
  { hosts, healthy, degraded, excluded }: HostSet,
  {
    overprovisioningFactor,
    isWeightedPriorityHealth,
  }: Pick<ClusterHosts, "overprovisioningFactor" | "isWeightedPriorityHealth">,
): PriorityCounts {
  return {
    hosts: hosts.length,
    excluded: excluded.length,
    healthy: healthy.length,
    degraded: degraded.length,
    weights:
      isWeightedPriorityHealth === true
        ? {
            hosts: weightOf(hosts),
            excluded: weightOf(excluded),
            healthy: weightOf(healthy),
            degraded: weightOf(degraded),
          }
        : null,
    overprovisioningFactor,
  };
}

const weightOf = (hosts: readonly Host[]): number => hosts.reduce((all, { weight }) => all + weight, 0);
