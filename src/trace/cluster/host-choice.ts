/**
 * What share of the requests each host of a cluster gets. Envoy's picks are random or go round, so the answer is a
 * distribution, exact where Envoy's is. Source: envoyproxy/envoy, source/extensions/load_balancing_policies/
 * (common/load_balancer_impl.cc, common/thread_aware_lb_impl.cc, random/random_lb.cc).
 */
import type { ClusterHosts, Host } from "./hosts.js";
import { placeOf } from "./hosts.js";
import type { LoadBalancing } from "./load-balancing.js";
import { localityShares, plainLocalityShares, type LocalityCounts } from "./locality-load.js";
import { priorityLoads, type PriorityLoad } from "./priority-load.js";
import { countsOf, prioritySet, type Availability, type HostSet } from "./priority-set.js";
import { unknown, type Unknown } from "../unknown.js";

export interface HostShare {
  readonly host: Host;
  /** 0..1; null: it is one of several, and which one cannot be told. */
  readonly share: number | null;
}

export interface PriorityShare extends PriorityLoad {
  readonly priority: number;
}

export interface HostShares {
  /** Every host that was given, those that get nothing too. */
  readonly hosts: readonly HostShare[];
  /** Of the requests that find no host: 503 UH. null where that cannot be told. */
  readonly failure: number | null;
  readonly priorities: readonly PriorityShare[];
  /** What was taken for granted, a sentence each. */
  readonly assumptions: readonly string[];
  readonly unknowns: readonly Unknown[];
}

type HostPolicy = Pick<ClusterHosts, "overprovisioningFactor" | "isWeightedPriorityHealth">;

/** How the hosts of a set may be picked, beside what the cluster says. */
export interface Picking {
  readonly balancing: LoadBalancing;
  /** Whether the request has a hash to choose by, from the route's `hash_policy`. */
  readonly hasHash: boolean;
  /** Subsets may ignore or scale what localities weigh; `kept` for a whole cluster. */
  readonly localityWeights: LocalityWeights;
}

export type LocalityWeights =
  | { readonly kind: "kept" | "ignored" }
  /** By how many of the cluster's hosts of a locality are in the subset. */
  | { readonly kind: "scaled"; readonly all: readonly Host[] };

export const keptWeights: LocalityWeights = { kind: "kept" };

/** What share of the requests each of these hosts gets. */
export function hostShares(hosts: readonly Host[], policy: HostPolicy, picking: Picking): HostShares {
  const sets = prioritySet(hosts);
  const loads = loadsOf(sets, policy, picking.balancing);
  const assumptions = loadAssumptions(hosts, policy, picking.balancing, loads);
  const pools: Pool[] = [];
  let from = 0;
  for (const availability of ["healthy", "degraded"] as const) {
    for (const [priority, set] of sets.entries()) {
      const load = loads[priority];
      if (load === undefined || load[availability] === 0) continue;
      pools.push(poolOf(set, availability, load, { from, to: from + load[availability] }, policy, picking));
      from += load[availability];
    }
  }
  return merged(hosts, pools, loads, assumptions, picking);
}

/** The priorities' loads of a set of hosts. */
export function loadsOf(
  sets: readonly HostSet[],
  policy: HostPolicy,
  balancing: LoadBalancing,
): PriorityLoad[] {
  return priorityLoads(
    sets.map((set) => countsOf(set, policy)),
    balancing.panicThreshold,
  );
}

/** What the dump does not tell and would change the loads. */
function loadAssumptions(
  hosts: readonly Host[],
  policy: HostPolicy,
  balancing: LoadBalancing,
  loads: readonly PriorityLoad[],
): string[] {
  const differ = (other: readonly PriorityLoad[]): boolean => JSON.stringify(other) !== JSON.stringify(loads);
  const assumptions: string[] = [];
  if (
    hosts.some(({ health }) => health.isExcluded === "unknown") &&
    differ(loadsOf(prioritySet(hosts, "excluded"), policy, balancing))
  )
    assumptions.push(
      "Endpoints that the dump shows as UNHEALTHY are not draining (only /clusters tells draining ones).",
    );
  if (
    policy.isWeightedPriorityHealth === "unknown" &&
    differ(loadsOf(prioritySet(hosts), { ...policy, isWeightedPriorityHealth: true }, balancing))
  )
    assumptions.push("Priorities go by how many hosts are healthy, not by their weights (no dump tells).");
  return assumptions;
}

/** What one priority's healthy or degraded traffic is spread over. */
export interface Pool {
  /** Percent of the cluster's traffic. */
  readonly load: number;
  /** Of the pool's own traffic; empty where no host is found. Sums to 1. */
  readonly hosts: readonly { readonly host: Host; readonly share: number }[];
  readonly unknowns: readonly Unknown[];
}

/** Of the random numbers modulo 100, those that choose a pool: from (inclusive) to (exclusive). */
interface Draw {
  readonly from: number;
  readonly to: number;
}

/** @param draw of the numbers 0 to 99, those that lead here; null: any */
export function poolOf(
  set: HostSet,
  availability: Availability,
  { isPanicking }: Pick<PriorityLoad, "isPanicking">,
  draw: Draw | null,
  policy: HostPolicy,
  picking: Picking,
): Pool {
  const { balancing } = picking;
  const load = draw === null ? 100 : draw.to - draw.from;
  const pool = (hosts: Pool["hosts"], unknowns: readonly Unknown[] = []): Pool => ({ load, hosts, unknowns });
  // hash policies build their tables from healthy hosts, also for the traffic of degraded ones
  const source = isHashing(balancing) && !isPanicking ? "healthy" : availability;
  const available = isPanicking ? set.hosts : set[source];
  if (isPanicking && balancing.failsOnPanic && !isHashing(balancing)) return pool([]);
  const isWeighted = balancing.isLocalityWeighted && picking.localityWeights.kind !== "ignored";
  if (!isWeighted || (isPanicking && !isHashing(balancing))) return pool(spread(available, draw, balancing));
  const localities = groupsOf(set, available, picking.localityWeights);
  if (localities === null) {
    const message = "What the localities weigh was not captured, and the cluster chooses by it.";
    return pool(spread(available, draw, balancing), [unknown("not captured", message)]);
  }
  const shares = isHashing(balancing)
    ? plainLocalityShares(localities)
    : localityShares(localities, policy.overprovisioningFactor);
  if (shares === null) return pool(isHashing(balancing) ? [] : spread(available, draw, balancing));
  const picked = localities.flatMap(({ members }, index) =>
    spread(members, draw, balancing).map(({ host, share }) => ({
      host,
      share: share * (shares[index] ?? 0),
    })),
  );
  return pool(picked);
}

const isHashing = ({ picking }: LoadBalancing): boolean => picking === "ring hash" || picking === "maglev";

interface LocalityGroup extends LocalityCounts {
  readonly members: readonly Host[];
}

/** A priority's hosts by locality; null where weights are not known. */
function groupsOf(
  set: HostSet,
  available: readonly Host[],
  weights: LocalityWeights,
): LocalityGroup[] | null {
  const groups = new Map<string, { all: Host[]; members: Host[] }>();
  for (const host of set.hosts) {
    const key = placeOf(host);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { all: [host], members: [] });
    else group.all.push(host);
  }
  for (const host of available) groups.get(placeOf(host))?.members.push(host);
  const excluded = new Set(set.excluded);
  const totals = new Map<string, number>();
  if (weights.kind === "scaled")
    for (const host of weights.all) totals.set(placeOf(host), (totals.get(placeOf(host)) ?? 0) + 1);
  const list: LocalityGroup[] = [];
  for (const [key, { all, members }] of groups) {
    const weight = all[0]?.localityWeight ?? null;
    if (weight === null) return null;
    list.push({
      weight:
        weights.kind === "scaled" ? scaledWeight(weight, all.length, totals.get(key) ?? all.length) : weight,
      hosts: all.length,
      excluded: all.filter((host) => excluded.has(host)).length,
      eligible: members.length,
      members,
    });
  }
  return list;
}

/** `scale_locality_weight`: never below 1 where there was a weight (subset_lb.cc, determineLocalityWeights). */
function scaledWeight(weight: number, inSubset: number, inCluster: number): number {
  return weight === 0 ? 0 : Math.max(1, Math.round((weight * inSubset) / inCluster));
}

/** One pool of hosts, by weight; a random pick knows no weights, and takes the number that chose the priority. */
function spread(hosts: readonly Host[], draw: Draw | null, balancing: LoadBalancing): Pool["hosts"] {
  if (balancing.picking === "random") {
    const shares = remainders(hosts.length, draw ?? { from: 0, to: 100 });
    return hosts.map((host, index) => ({ host, share: shares[index] ?? 0 }));
  }
  const total = hosts.reduce((all, { weight }) => all + weight, 0);
  return hosts.map((host) => ({ host, share: total > 0 ? host.weight / total : 1 / hosts.length }));
}

/** How often each remainder modulo `count` comes, of the numbers whose remainder modulo 100 is in the draw. */
function remainders(count: number, { from, to }: Draw): number[] {
  const common = greatestCommonDivisor(100, count);
  const classes = Array.from({ length: common }, () => 0);
  for (let number = from; number < to; number++)
    classes[number % common] = (classes[number % common] ?? 0) + 1;
  return Array.from(
    { length: count },
    (_, index) => ((classes[index % common] ?? 0) * common) / (count * (to - from)),
  );
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function merged(
  hosts: readonly Host[],
  pools: readonly Pool[],
  loads: readonly PriorityLoad[],
  assumptions: readonly string[],
  picking: Picking,
): HostShares {
  const { balancing, hasHash } = picking;
  const sums = new Map<Host, number>();
  let found = 0;
  for (const { load, hosts: picked } of pools) {
    if (picked.length > 0) found += load;
    for (const { host, share } of picked) sums.set(host, (sums.get(host) ?? 0) + share * (load / 100));
  }
  const used = [...sums.values()].filter((share) => share > 0).length;
  const unknowns = [
    ...pools.flatMap((pool) => pool.unknowns).slice(0, 1),
    ...pickUnknowns(balancing, hosts, hasHash, used),
  ];
  const isKnown = unknowns.length === 0 || used <= 1;
  return {
    hosts: hosts.map((host) => {
      const share = sums.get(host) ?? 0;
      return { host, share: isKnown || share === 0 ? share : null };
    }),
    failure: isKnown || found === 0 || found === 100 ? (100 - found) / 100 : null,
    priorities: loads.map((load, priority) => ({ ...load, priority })),
    assumptions: [...assumptions, ...approximations(balancing, hosts, hasHash)],
    unknowns: used > 1 ? unknowns : [],
  };
}

/** Why the shares of the hosts that can be chosen are not known. */
export function pickUnknowns(
  balancing: LoadBalancing,
  hosts: readonly Host[],
  hasHash: boolean,
  used: number,
): Unknown[] {
  if (used <= 1) return [];
  if (isHashing(balancing) && hasHash)
    return [
      unknown("random", `${capital(balancing.picking)} takes one of ${used} hosts, by the request's hash.`),
    ];
  if (balancing.picking === "client side weighted round robin")
    return [unknown("runtime state", "Hosts report their own weights, which a snapshot does not have.")];
  if (balancing.picking === "unknown")
    return [unknown("unsupported filter", `The load balancing policy ${balancing.name} is not evaluated.`)];
  const localities = new Set(hosts.filter(({ priority }) => priority === 0).map(placeOf)).size;
  const healthy = hosts.filter(({ priority, health }) => priority === 0 && health.class === "healthy").length;
  if (balancing.zoneAwareFrom !== null && localities >= 2 && healthy >= balancing.zoneAwareFrom)
    return [
      unknown(
        "runtime state",
        "Zone aware routing keeps traffic in the zone, by where the other clients are.",
      ),
    ];
  return [];
}

/** Why shares are near to, but not, what Envoy's would be. */
function approximations(balancing: LoadBalancing, hosts: readonly Host[], hasHash: boolean): string[] {
  const areWeighted = hosts.some(({ weight }) => weight !== hosts[0]?.weight);
  return [
    ...(balancing.isSlowStarting ? ["No host is in its slow start."] : []),
    ...(balancing.picking === "least request" && areWeighted
      ? ["Hosts are equally busy: least request turns from weights to who has fewer requests under way."]
      : []),
    ...(isHashing(balancing) && !hasHash && hosts.length > 1
      ? [`Without a hash, ${balancing.picking} spreads requests nearly by weight.`]
      : []),
  ];
}

const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
