/**
 * For each EDS cluster, the sets of endpoints that its clients hold, by the Istiod that each client is connected to: an
 * Istiod whose clients all lack a pod has not seen it. Weights, health and localities are left aside; they differ for good
 * reasons. So are addresses that a proxy found by DNS, each at its own time.
 */
import { by } from "../shared/sorting.js";
import { child, children, contentOf, number, text } from "../snapshot/message.js";
import type { Proxy, ReferenceList, Resource, Snapshot } from "../snapshot/model.js";
import { edsClusters } from "./eds-clusters.js";

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

/** Clusters whose clients disagree on the endpoints. */
export function endpointDivergences(snapshot: Snapshot): readonly EndpointDivergence[] {
  const connectedTo = connections(snapshot);
  const setOf = endpointSets();
  const edsCluster = edsClusters();
  const clusters = new Map<string, { cluster: string; scope: string; holders: Map<string, Holder[]> }>();
  for (const proxy of snapshot.proxies) {
    const list = proxy.config.endpointAssignment;
    const { cluster: held } = proxy.config;
    if (list.state === "absent" || held.state === "absent" || proxy.node.state === "absent") continue;
    const madeFrom = sourcesByName(held.value, edsCluster);
    const scope = scopeOf(proxy);
    const seen = new Set<string>();
    for (let index = 0; index < list.value.length; index++) {
      const resource = list.value.resource(index);
      const source = resource === null ? undefined : madeFrom.get(resource.name);
      if (resource === null || source === undefined || seen.has(resource.name)) continue;
      seen.add(resource.name);
      const key = `${resource.name}\u0000${scope}\u0000${source}`;
      const entry = clusters.get(key) ?? {
        cluster: resource.name,
        scope,
        holders: new Map<string, Holder[]>(),
      };
      clusters.set(key, entry);
      const set = setOf(resource);
      const holders = entry.holders.get(set) ?? [];
      holders.push({ proxy, list: list.value, index });
      entry.holders.set(set, holders);
    }
  }
  return [...clusters.values()]
    .filter(({ holders }) => holders.size > 1)
    .map(({ cluster, scope, holders }) => ({
      cluster,
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

/** What each outbound EDS cluster was made from, by the name that EDS is asked for. */
function sourcesByName(
  clusters: ReferenceList,
  edsCluster: ReturnType<typeof edsClusters>,
): ReadonlyMap<string, string> {
  const sources = new Map<string, string>();
  for (let index = 0; index < clusters.length; index++) {
    const resource = clusters.resource(index);
    const eds = resource?.name.startsWith("outbound") === true ? edsCluster(resource) : null;
    if (eds !== null) sources.set(eds.serviceName, eds.madeFrom);
  }
  return sources;
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
  connectedTo: ReadonlyMap<string, string>,
): EndpointSet {
  const istiods = new Map<string, number>();
  let newest: string | null = null;
  for (const { proxy, list, index } of holders) {
    const { lastUpdated } = list.at(index);
    const istiod = connectedTo.get(proxy.id) ?? "";
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

/** Which Istiod lists a proxy; the later list wins, and of two the one that comes last. */
function connections({ istiods }: Snapshot): Map<string, string> {
  const connected = new Map<string, string>();
  for (const { id, sync, syncBefore } of istiods)
    for (const list of [syncBefore, sync])
      if (list.state === "present") for (const { proxyId } of list.value.states) connected.set(proxyId, id);
  return connected;
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
      set = children(contentOf(resource), "endpoints")
        .flatMap((locality) => children(locality, "lb_endpoints"))
        .map((host) => {
          const address = child(host, "endpoint", "address");
          const socket = child(address, "socket_address");
          return socket === undefined
            ? JSON.stringify(address ?? null).replaceAll(" ", "")
            : `${text(socket, "address")}:${number(socket, "port_value") ?? 0}`;
        })
        .sort()
        .join(" ");
      known.set(resource.hash, set);
    }
    return set;
  };
}
