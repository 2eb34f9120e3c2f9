/**
 * How much of a cluster's traffic each priority gets, in percent, by Envoy's integer arithmetic.
 * Source: envoyproxy/envoy, source/extensions/load_balancing_policies/common/load_balancer_impl.cc
 * (recalculatePerPriorityState, recalculatePerPriorityPanic, recalculateLoadInTotalPanic).
 */

/** The hosts of one priority, counted. */
export interface PriorityCounts {
  /** All of them, the excluded ones too. */
  readonly hosts: number;
  readonly excluded: number;
  readonly healthy: number;
  readonly degraded: number;
  /** The same four as sums of weights, which availability is measured by under `weighted_priority_health`; else null. */
  readonly weights: Omit<PriorityCounts, "weights" | "overprovisioningFactor"> | null;
  /** Percent; 140 by default. */
  readonly overprovisioningFactor: number;
}

export interface PriorityLoad {
  /** Percent of the traffic that goes to healthy hosts (in panic: to all hosts) of this priority. */
  readonly healthy: number;
  /** Percent of the traffic that goes to its degraded hosts. */
  readonly degraded: number;
  /** Then all of its hosts are used, whatever their health. */
  readonly isPanicking: boolean;
}

/**
 * @param panicThreshold percent, 0 to 100; 0 = never panic
 * @returns one entry a priority; healthy and degraded loads of all sum to 100 (also where there is no host at all)
 */
export function priorityLoads(priorities: readonly PriorityCounts[], panicThreshold: number): PriorityLoad[] {
  const health = priorities.map((counts) => availability(counts, "healthy"));
  const degradation = priorities.map((counts) => availability(counts, "degraded"));
  const total = Math.min(100, sum(health) + sum(degradation));
  const panics = priorities.map((counts) => total < 100 && isBelow(counts, panicThreshold));
  const isTotalPanic = panics.every((panic) => panic);
  const loads = isTotalPanic
    ? { healthy: loadsByHosts(priorities), degraded: priorities.map(() => 0) }
    : loadsByAvailability(health, degradation, total);
  return priorities.map((_, index) => ({
    healthy: loads.healthy[index] ?? 0,
    degraded: loads.degraded[index] ?? 0,
    isPanicking: panics[index] ?? false,
  }));
}

/** Percent of a priority's hosts, times its overprovisioning factor, rounded down, at most 100. */
function availability(counts: PriorityCounts, which: "healthy" | "degraded"): number {
  if (counts.hosts - counts.excluded <= 0) return 0;
  const measured = counts.weights ?? counts;
  const all = BigInt(measured.hosts) - BigInt(measured.excluded);
  const percent = (BigInt(counts.overprovisioningFactor) * BigInt(measured[which])) / all;
  return percent > 100n ? 100 : Number(percent);
}

/** Real division, as Envoy does it. */
function isBelow({ hosts, excluded, healthy, degraded }: PriorityCounts, threshold: number): boolean {
  const all = hosts - excluded;
  const percent = all <= 0 ? 0 : (100 * healthy) / all + (100 * degraded) / all;
  return percent < threshold;
}

/** Priorities take what they can, in order, first with healthy and then with degraded hosts. */
function loadsByAvailability(
  health: readonly number[],
  degradation: readonly number[],
  total: number,
): { readonly healthy: number[]; readonly degraded: number[] } {
  if (total === 0) {
    // nothing is available and nothing panics: the first priority is chosen, and no host is found there
    return { healthy: health.map((_, index) => (index === 0 ? 100 : 0)), degraded: health.map(() => 0) };
  }
  let left = 100;
  const take = (percent: number): number => {
    const load = Math.min(left, Math.floor((percent * 100) / total));
    left -= load;
    return load;
  };
  const healthy = health.map(take);
  const degraded = degradation.map(take);
  // what is left is due to rounding down
  const firstHealthy = health.findIndex((percent) => percent > 0);
  if (firstHealthy >= 0) healthy[firstHealthy] = (healthy[firstHealthy] ?? 0) + left;
  else {
    const firstDegraded = degradation.findIndex((percent) => percent > 0);
    degraded[firstDegraded] = (degraded[firstDegraded] ?? 0) + left;
  }
  return { healthy, degraded };
}

/** Where every priority panics, health counts no more. */
function loadsByHosts(priorities: readonly PriorityCounts[]): number[] {
  const total = sum(priorities.map(({ hosts }) => hosts));
  if (total === 0) return priorities.map((_, index) => (index === 0 ? 100 : 0));
  const loads = priorities.map(({ hosts }) => Math.floor((100 * hosts) / total));
  const first = priorities.findIndex(({ hosts }) => hosts > 0);
  loads[first] = (loads[first] ?? 0) + 100 - sum(loads);
  return loads;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
