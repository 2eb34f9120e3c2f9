/**
 * How a priority's traffic is shared among localities where the cluster weighs them.
 * Source: envoyproxy/envoy, source/extensions/load_balancing_policies/common/locality_wrr.cc (effectiveLocalityWeight) and
 * thread_aware_lb_impl.cc (normalizeLocalityWeights).
 */

export interface LocalityCounts {
  /** `load_balancing_weight`; 0 where it is absent. */
  readonly weight: number;
  readonly hosts: number;
  readonly excluded: number;
  /** Of the availability (healthy or degraded) that the traffic is for. */
  readonly eligible: number;
}

/**
 * The share of each locality; they sum to 1.
 * @param overprovisioningFactor percent
 * @returns null where no locality can be chosen by weight: then the priority's hosts are one pool
 */
export function localityShares(
  localities: readonly LocalityCounts[],
  overprovisioningFactor: number,
): number[] | null {
  return shares(
    localities.map(({ weight, hosts, excluded, eligible }) => {
      const counted = hosts - excluded;
      if (counted <= 0) return 0;
      return weight * Math.min(1, (overprovisioningFactor / 100) * (eligible / counted));
    }),
  );
}

/**
 * By weight alone, as the hash policies do: what a locality without eligible hosts weighs counts for nothing. null where no
 * locality with a weight has any, and then no host is found.
 */
export function plainLocalityShares(localities: readonly LocalityCounts[]): number[] | null {
  return shares(localities.map(({ weight, eligible }) => (eligible > 0 ? weight : 0)));
}

function shares(weights: readonly number[]): number[] | null {
  const total = weights.reduce((all, one) => all + one, 0);
  return total > 0 ? weights.map((weight) => weight / total) : null;
}
