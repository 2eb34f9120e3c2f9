/**
 * For each EDS cluster, the sets of endpoints that its clients hold, by the Istiod that each client is connected to: an
 * Istiod whose clients all lack a pod has not seen it. Weights, health and localities are left aside; they differ for good
 * reasons. So are addresses that a proxy found by DNS, each at its own time, and what Istio gives to some nodes or
 * localities only.
 */
import { by } from "../shared/sorting.js";
import type { Istiod, Proxy, ReferenceList, Resource, Snapshot } from "../snapshot/model.js";
import {
  isByLocality,
  isByNode,
  nodeLocalServices,
  nodeOf,
  nodesByAddress,
  type HeldSet,
} from "./client-partitions.js";
import { connections } from "./connections.js";
import { edsClusters, type EdsCluster } from "./eds-clusters.js";
import { hostsOf } from "./held-hosts.js";
import { maySpareLocalities } from "./locality-distribution.js";

/** One set of endpoints of a cluster and who holds it. */
export interface EndpointSet {
  /** `ip:port`, sorted. */
  readonly endpoints: readonly string[];
  /** Ids. */
  readonly proxies: readonly string[];
  /** Istiod -> how many of the proxies are connected to it; "" where that is not known. */
  readonly istiods: ReadonlyMap<string, number>;
  /** When the newest of them got it, RFC 3339. */
  readonly newest: string | null;
}

export interface EndpointDivergence {
  /** EDS name of the cluster. */
  readonly cluster: string;
  /** Clients in one network and cluster, which must see the same. */
  readonly scope: string;
  /** The set of most clients first. */
  readonly sets: readonly EndpointSet[];
}

/** The clients of one cluster that must see the same, by the set that they hold. */
interface Clients {
  readonly cluster: EdsCluster;
  readonly scope: string;
  readonly holders: Map<string, Holder[]>;
}

/** Clusters whose clients disagree on the endpoints. */
export function endpointDivergences(snapshot: Snapshot): readonly EndpointDivergence[] {
  const connectedTo = connections(snapshot);
  const isExplained = explanations(snapshot);
  return clientsByCluster(snapshot)
    .filter((clients) => clients.holders.size > 1 && !isExplained(clients))
    .map(({ cluster, scope, holders }) => ({
      cluster: cluster.serviceName,
      scope,
      sets: [...holders]
        .map(([set, held]) => endpointSet(set, held, connectedTo))
        .sort(
          (a, b) => b.proxies.length - a.proxies.length || (a.endpoints.join() < b.endpoints.join() ? -1 : 1),
        ),
    }))
    .sort(
      by(
        ({ cluster }) => cluster,
        ({ scope }) => scope,
      ),
    );
}

function clientsByCluster(snapshot: Snapshot): readonly Clients[] {
  const setOf = endpointSets();
  const edsCluster = edsClusters();
  const audienceOf = audiences(snapshot);
  const clusters = new Map<string, Clients>();
  for (const proxy of snapshot.proxies) {
    const list = proxy.config.endpointAssignment;
    const { cluster: held } = proxy.config;
    if (list.state === "absent" || held.state === "absent" || proxy.node.state === "absent") continue;
    const madeFrom = clustersByName(held.value, edsCluster);
    const audience = audienceOf(proxy);
    const seen = new Set<string>();
    for (let index = 0; index < list.value.length; index++) {
      const resource = list.value.resource(index);
      const cluster = resource === null ? undefined : madeFrom.get(resource.name);
      if (resource === null || cluster === undefined || seen.has(resource.name)) continue;
      seen.add(resource.name);
      const scope = audience(cluster);
      if (scope === null) continue;
      const key = `${resource.name}\u0000${scope}\u0000${cluster.madeFrom}`;
      const entry = clusters.get(key) ?? { cluster, scope, holders: new Map<string, Holder[]>() };
      clusters.set(key, entry);
      const set = setOf(resource);
      const holders = entry.holders.get(set) ?? [];
      holders.push({ proxy, list: list.value, index });
      entry.holders.set(set, holders);
    }
  }
  return [...clusters.values()];
}

/** The outbound EDS clusters by the name that EDS is asked for. */
function clustersByName(
  clusters: ReferenceList,
  edsCluster: ReturnType<typeof edsClusters>,
): ReadonlyMap<string, EdsCluster> {
  const sources = new Map<string, EdsCluster>();
  for (let index = 0; index < clusters.length; index++) {
    const resource = clusters.resource(index);
    const eds = resource?.name.startsWith("outbound") === true ? edsCluster(resource) : null;
    if (eds !== null) sources.set(eds.serviceName, eds);
  }
  return sources;
}

/** Who sees the same of a cluster as a client; null where that is not known. */
function audiences(snapshot: Snapshot): (client: Proxy) => (cluster: EdsCluster) => string | null {
  const isNodeLocal = nodeLocalServices(snapshot);
  const known = new Map<EdsCluster, boolean>();
  return (client) => {
    const scope = scopeOf(client);
    const node = nodeOf(client);
    return (cluster) => {
      const isLocal = known.get(cluster) ?? (cluster.target !== null && isNodeLocal(cluster.target) === true);
      known.set(cluster, isLocal);
      if (!isLocal) return scope;
      return node === "" ? null : [scope, `node ${node}`].filter((part) => part !== "").join(", ");
    };
  };
}

/** Whether clients are to hold different endpoints of a cluster. */
function explanations(snapshot: Snapshot): (clients: Clients) => boolean {
  const isNodeLocal = nodeLocalServices(snapshot);
  let nodes: ReadonlyMap<string, string> | null = null;
  return ({ cluster, holders }) => {
    const sets = [...holders.values()].flatMap(heldSet);
    if (maySpareLocalities(cluster, snapshot.istiods) && isByLocality(sets)) return true;
    if (cluster.target === null || isNodeLocal(cluster.target) !== null) return false;
    return isByNode(sets, (nodes ??= nodesByAddress(snapshot)));
  };
}

function heldSet(holders: readonly Holder[]): HeldSet[] {
  const [first] = holders;
  const resource = first?.list.resource(first.index) ?? null;
  return resource === null ? [] : [{ hosts: hostsOf(resource), clients: holders.map(({ proxy }) => proxy) }];
}

interface Holder {
  readonly proxy: Proxy;
  /** Where the assignment stands. */
  readonly list: ReferenceList;
  readonly index: number;
}

function endpointSet(
  set: string,
  holders: readonly Holder[],
  connectedTo: ReadonlyMap<string, readonly Istiod[]>,
): EndpointSet {
  const istiods = new Map<string, number>();
  let newest: string | null = null;
  for (const { proxy, list, index } of holders) {
    const { lastUpdated } = list.at(index);
    const istiod = connectedTo.get(proxy.id)?.at(-1)?.id ?? "";
    istiods.set(istiod, (istiods.get(istiod) ?? 0) + 1);
    if (lastUpdated !== null && (newest === null || Date.parse(lastUpdated) > Date.parse(newest)))
      newest = lastUpdated;
  }
  return {
    endpoints: set === "" ? [] : set.split(" "),
    proxies: holders.map(({ proxy }) => proxy.id).sort(),
    istiods: new Map([...istiods].sort(([a], [b]) => (a < b ? -1 : 1))),
    newest,
  };
}

/** Proxies of another network reach pods by gateways, and a waypoint or ambient client sees other addresses. */
function scopeOf({ node, type }: Proxy): string {
  if (node.state === "absent") return "";
  const { metadata } = node.value;
  const told = (key: string): string => (typeof metadata[key] === "string" ? metadata[key] : "");
  return [told("CLUSTER_ID"), told("NETWORK"), type === "waypoint" ? "waypoint" : ""]
    .filter((part) => part !== "")
    .join(", ");
}

/** The addresses of an assignment as one text, worked out once per distinct resource. */
function endpointSets(): (resource: Resource) => string {
  const known = new Map<string, string>();
  return (resource) => {
    let set = known.get(resource.hash);
    if (set === undefined) {
      set = hostsOf(resource)
        .map(({ address }) => address)
        .sort()
        .join(" ");
      known.set(resource.hash, set);
    }
    return set;
  };
}
