/**
 * Clusters of clusters: the priorities of all members that have hosts, one after the other, shared out as those of one
 * cluster; then the member's own load balancer picks. Source: envoyproxy/envoy, source/extensions/clusters/aggregate/cluster.cc.
 */
import { texts, typeOf, unpacked, child, type Message } from "../../snapshot/message.js";
import type { Unknown } from "../unknown.js";
import {
  keptWeights,
  loadsOf,
  pickUnknowns,
  poolOf,
  type HostShare,
  type Picking,
  type Pool,
  type PriorityShare,
} from "./host-choice.js";
import type { ClusterHosts } from "./hosts.js";
import type { LoadBalancing } from "./load-balancing.js";
import { priorityLoads, type PriorityLoad } from "./priority-load.js";
import { countsOf, prioritySet, type HostSet } from "./priority-set.js";
import type { SubsetTry } from "./subsets.js";

/** The names of an aggregate's clusters; null where a cluster is none. */
export function aggregatedClusters(cluster: Message): readonly string[] | null {
  const any = child(cluster, "cluster_type", "typed_config");
  return typeOf(any) === "envoy.extensions.clusters.aggregate.v3.ClusterConfig" ||
    typeOf(any) === "envoy.config.cluster.aggregate.v2alpha.ClusterConfig"
    ? texts(unpacked(any), "clusters")
    : null;
}

/** A member that the proxy has. */
export interface Member {
  readonly name: string;
  readonly hosts: ClusterHosts;
  readonly picking: Picking;
  /** Hosts to choose among, each where the one before finds none; null without subsets. */
  readonly tries: readonly SubsetTry[] | null;
}

export interface MemberShare {
  readonly name: string;
  /** 0..1 of what goes to the aggregate. */
  readonly share: number;
  readonly hosts: readonly HostShare[];
}

export interface AggregateShares {
  readonly members: readonly MemberShare[];
  readonly failure: number;
  /** By the number that the aggregate gives them. */
  readonly priorities: readonly (PriorityShare & { readonly member: string })[];
  readonly unknowns: readonly Unknown[];
}

interface Place {
  readonly member: Member;
  readonly set: HostSet;
}

/** Hosts of a member that its load balancer chooses among, by priority; it looks at the one that it is asked for by its own panic. */
interface MemberTry {
  readonly sets: readonly HostSet[];
  readonly loads: readonly PriorityLoad[];
  readonly picking: Picking;
}

function triesOf({ hosts, picking, tries }: Member): MemberTry[] {
  const all = tries ?? [{ hosts: hosts.hosts, localityWeights: keptWeights }];
  return all.map(({ hosts: own, localityWeights }) => {
    const sets = prioritySet(own);
    return {
      sets,
      loads: loadsOf(sets, hosts, picking.balancing),
      picking: { ...picking, localityWeights },
    };
  });
}

/** The hosts of the first try that has any. */
function poolIn(
  tries: readonly MemberTry[],
  priority: number,
  availability: "healthy" | "degraded",
  member: Member,
): Pick<Pool, "hosts" | "unknowns"> {
  for (const { sets, loads, picking } of tries) {
    const set = sets[priority];
    if (set === undefined) continue;
    const isPanicking = loads[priority]?.isPanicking ?? false;
    const pool = poolOf(set, availability, { isPanicking }, null, member.hosts, picking);
    if (pool.hosts.length > 0) return pool;
  }
  return { hosts: [], unknowns: [] };
}

/** @param balancing of the aggregate itself: its panic threshold decides among the priorities */
export function aggregateShares(members: readonly Member[], balancing: LoadBalancing): AggregateShares {
  const places = members.flatMap((member) =>
    prioritySet(member.hosts.hosts)
      .filter(({ hosts }) => hosts.length > 0)
      .map((set): Place => ({ member, set })),
  );
  if (places.length === 0) return { members: [], failure: 1, priorities: [], unknowns: [] };
  const loads = priorityLoads(
    places.map(({ member, set }) => countsOf(set, member.hosts)),
    balancing.panicThreshold,
  );
  const own = new Map(members.map((member) => [member, triesOf(member)]));
  const shares = new Map<Member, { share: number; hosts: Map<HostShare["host"], number> }>();
  const unknowns: Unknown[] = [];
  let failure = 0;
  for (const [index, { member, set }] of places.entries()) {
    const load = loads[index];
    for (const availability of ["healthy", "degraded"] as const) {
      const percent = load?.[availability] ?? 0;
      if (percent === 0) continue;
      const pool = poolIn(own.get(member) ?? [], set.priority, availability, member);
      unknowns.push(...pool.unknowns);
      if (pool.hosts.length === 0) failure += percent / 100;
      const sum = shares.get(member) ?? { share: 0, hosts: new Map<HostShare["host"], number>() };
      shares.set(member, sum);
      sum.share += percent / 100;
      for (const { host, share } of pool.hosts)
        sum.hosts.set(host, (sum.hosts.get(host) ?? 0) + share * (percent / 100));
    }
  }
  const listed = members.map((member) => {
    const { share, hosts } = shares.get(member) ?? { share: 0, hosts: new Map<HostShare["host"], number>() };
    const used = [...hosts.values()].filter((one) => one > 0).length;
    const { balancing: policy, hasHash } = member.picking;
    const reasons = pickUnknowns(policy, member.hosts.hosts, hasHash, used);
    unknowns.push(...reasons);
    return {
      name: member.name,
      share,
      hosts: member.hosts.hosts.map((host): HostShare => {
        const own = hosts.get(host) ?? 0;
        return { host, share: own > 0 && reasons.length > 0 ? null : own };
      }),
    };
  });
  return {
    members: listed,
    failure,
    priorities: places.map(({ member }, priority) => ({
      healthy: loads[priority]?.healthy ?? 0,
      degraded: loads[priority]?.degraded ?? 0,
      isPanicking: loads[priority]?.isPanicking ?? false,
      priority,
      member: member.name,
    })),
    unknowns,
  };
}
