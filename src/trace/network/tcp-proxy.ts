/** Where a TCP proxy sends a connection (facts 8; `source/common/tcp_proxy/tcp_proxy.cc`). */
import { child, children, field, flag, number, text, type Message } from "../../snapshot/message.js";
import type { AcceptedSocket } from "../listener/accepted-socket.js";
import type { MatchContext } from "../match-context.js";
import { unknown, type Unknown } from "../unknown.js";
import { formatForConnection } from "./connection-format.js";

export interface TcpCluster {
  readonly name: string;
  /** As configured; 1 where there are no weights. */
  readonly weight: number;
  /** 0..1: 1 for the one that a given random number chooses. */
  readonly share: number;
  /** Criteria of subsets, `envoy.lb`; null where there are none. */
  readonly metadataMatch: Message | null;
}

export interface Tunnel {
  /** Authority of the CONNECT request. */
  readonly hostname: string | Unknown;
  readonly usesPost: boolean;
  /** `envoy.config.core.v3.HeaderValueOption`. */
  readonly headersToAdd: readonly Message[];
}

export interface TcpRoute {
  /** The clusters that the connection may go to, each with a share above 0. */
  readonly clusters: readonly TcpCluster[];
  /** All weighted clusters, as configured; empty without them. */
  readonly weightedClusters: readonly TcpCluster[];
  /** A cluster that is missing is fetched: without it the connection is closed, NC. */
  readonly isOnDemand: boolean;
  readonly maxConnectAttempts: number;
  readonly tunnel: Tunnel | null;
  readonly hashPolicy: readonly Message[];
  readonly unknowns: readonly Unknown[];
}

/** What other filters choose the cluster by. */
export const clusterKey = "envoy.tcp_proxy.cluster";

/** @param proxy `envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy` */
export function tcpRoute(proxy: Message, socket: AcceptedSocket, context: MatchContext): TcpRoute {
  const configured = text(proxy, "cluster");
  const weighted = configured === "" ? weightedOf(proxy) : [];
  const single = (name: string): TcpCluster => ({
    name,
    weight: 1,
    share: 1,
    metadataMatch: criteria(proxy),
  });
  const clusters =
    weighted.length === 0
      ? [single(socket.filterState.get(clusterKey) ?? configured)]
      : drawn(weighted, context.random);
  const oldRoutes = children(child(proxy, "deprecated_v1"), "routes");
  return {
    clusters,
    weightedClusters: weighted,
    isOnDemand: child(proxy, "on_demand") !== undefined,
    maxConnectAttempts: number(proxy, "max_connect_attempts") ?? 1,
    tunnel: tunnelOf(proxy, socket, context),
    hashPolicy: children(proxy, "hash_policy"),
    unknowns:
      oldRoutes.length === 0
        ? []
        : [unknown("unsupported filter", "the TCP proxy chooses among the routes of its first version")],
  };
}

/** The criteria of the proxy, those of an entry laid over them. */
function criteria(proxy: Message, entry?: Message): Message | null {
  const own = child(proxy, "metadata_match", "filter_metadata", "envoy.lb");
  const over = child(entry, "metadata_match", "filter_metadata", "envoy.lb");
  return own === undefined && over === undefined ? null : { ...own, ...over };
}

function weightedOf(proxy: Message): TcpCluster[] {
  const entries = children(child(proxy, "weighted_clusters"), "clusters");
  const total = entries.reduce((sum, entry) => sum + weightOf(entry), 0);
  return entries.map((entry) => ({
    name: text(entry, "name"),
    weight: weightOf(entry),
    share: total === 0 ? 0 : weightOf(entry) / total,
    metadataMatch: criteria(proxy, entry),
  }));
}

const weightOf = (entry: Message): number => Math.max(0, Math.trunc(number(entry, "weight") ?? 0));

/** The one whose interval of the running sum holds the random number modulo the sum; without a number, all. */
function drawn(clusters: readonly TcpCluster[], random: bigint | null): TcpCluster[] {
  const possible = clusters.filter(({ share }) => share > 0);
  const total = possible.reduce((sum, { weight }) => sum + weight, 0);
  if (random === null || total === 0) return possible;
  let left = Number(BigInt.asUintN(64, random) % BigInt(total));
  for (const cluster of possible) {
    if (left < cluster.weight) return [{ ...cluster, share: 1 }];
    left -= cluster.weight;
  }
  return possible;
}

function tunnelOf(proxy: Message, socket: AcceptedSocket, { envoy }: MatchContext): Tunnel | null {
  const config = child(proxy, "tunneling_config");
  if (config === undefined || socket.filterState.get("envoy.tcp_proxy.disable_tunneling") === "true")
    return null;
  const hostname = field(config, "hostname");
  return {
    hostname: formatForConnection(typeof hostname === "string" ? hostname : "", socket, envoy),
    usesPost: flag(config, "use_post") ?? false,
    headersToAdd: children(config, "headers_to_add"),
  };
}
