/** Where a request goes that was routed to a cluster: its hosts with their shares, or why it goes nowhere (facts 9). */
import { child, text, typeOf, type Message } from "../../snapshot/message.js";
import { parseIp } from "../address.js";
import { localReply, type LocalReply } from "../filters/local-reply.js";
import type { MatchContext } from "../match-context.js";
import { firstHeader, type ClientCertificate } from "../request.js";
import type { EndpointShare, ResponseFlag } from "../result.js";
import { unknown, type Unknown } from "../unknown.js";
import { aggregatedClusters, aggregateShares, type Member } from "./aggregate.js";
import { closedLimit, maintenanceShare, type RoutingPriority } from "./circuit-breakers.js";
import { hostShares, keptWeights, type HostShare, type HostShares, type Picking } from "./host-choice.js";
import { shownHealth, type HostHealth } from "./host-health.js";
import {
  addressText,
  discoveryOf,
  hostsOf,
  type ClusterHosts,
  type Host,
  type HostAddress,
  type HostSource,
  type HostSources,
} from "./hosts.js";
import { loadBalancingOf, type LoadBalancing } from "./load-balancing.js";
import { originalDestination } from "./original-dst.js";
import { chooseSubset } from "./subsets.js";
import {
  upstreamProtocol,
  upstreamTransport,
  type UpstreamClient,
  type UpstreamTransport,
} from "./transport-socket.js";

/** What a proxy has, as far as clusters ask for it. */
export interface ProxyClusters {
  readonly sources: HostSources;
  /** An active cluster; undefined where the proxy has none of the name. */
  readonly cluster: (name: string) => Message | undefined;
  /** Whether the bootstrap's `cluster_manager` has a `local_cluster_name`. */
  readonly hasLocalCluster: boolean;
  /** The certificate of the workload itself. */
  readonly workload: ClientCertificate | "unknown";
}

/** A request, or a connection, as it comes to its cluster. */
export interface UpstreamRequest {
  readonly context: MatchContext;
  /** What it came in; null for TCP. */
  readonly protocol: "http/1.1" | "h2" | null;
  readonly priority: RoutingPriority;
  /** What subsets are chosen by; null where the route has none. */
  readonly criteria: Message | null;
  /** Whether a hash policy of the route gives a hash. */
  readonly hasHash: boolean;
  /** Whether the connection's local address is a restored original destination. */
  readonly isRestored: boolean;
  /** The host that a stateful session names, as `ip:port`; null where none does. */
  readonly session: { readonly host: string; readonly isStrict: boolean } | null;
  /** ALPN that a filter asks for. */
  readonly alpn: readonly string[];
  /** SNI that a filter asks for; "" where none does. */
  readonly serverName: string;
}

export interface ResolvedHost extends HostShare {
  /** The cluster that it belongs to: a member's where the cluster is an aggregate. */
  readonly cluster: string;
  readonly transport: UpstreamTransport;
}

export interface UpstreamFailure {
  /** 0..1 of what goes to the cluster; null where that cannot be told. */
  readonly share: number | null;
  readonly responseFlags: readonly ResponseFlag[];
  /** null for TCP, whose connection is closed. */
  readonly reply: LocalReply | null;
}

export interface ClusterResolution {
  readonly cluster: string;
  /** Which part of the snapshot the hosts are from. */
  readonly source: HostSource | "original destination" | "request";
  readonly hosts: readonly ResolvedHost[];
  readonly failures: readonly UpstreamFailure[];
  readonly priorities: HostShares["priorities"];
  /** Which subset was chosen, or fallen back to; null without subsets. */
  readonly subset: string | null;
  readonly assumptions: readonly string[];
  readonly unknowns: readonly Unknown[];
}

const noHealthyUpstream = localReply(503, "no_healthy_upstream", {
  responseFlags: ["UH"],
  body: "no healthy upstream",
});
const underMaintenance = localReply(503, "maintenance_mode", {
  responseFlags: ["UO"],
  body: "maintenance mode",
});
const dropped = localReply(503, "drop_overload", { responseFlags: ["DO"], body: "drop overload" });
const allDropped = localReply(503, "unconditional_drop_overload", {
  responseFlags: ["UDO"],
  body: "unconditional drop overload",
});
const overflowing = localReply(503, "upstream_reset_before_response_started{overflow}", {
  responseFlags: ["UO"],
  body: "upstream connect error or disconnect/reset before headers. reset reason: overflow",
});

export function resolveCluster(
  cluster: Message,
  request: UpstreamRequest,
  proxy: ProxyClusters,
): ClusterResolution {
  const { failure, dropShare, ...inner } = hostsFor(cluster, request, proxy);
  const refused =
    request.protocol === null
      ? connectionFailures(cluster, request.priority)
      : requestFailures(cluster, request, dropShare);
  const passing = refused.reduce((left, { share }) => left - (share ?? 0), 1);
  const unhealthy: UpstreamFailure = {
    share: times(failure, passing),
    responseFlags: noHealthyUpstream.responseFlags,
    reply: request.protocol === null ? null : noHealthyUpstream,
  };
  const full = poolFailure(cluster, request);
  const withHost = failure === null ? null : passing * (1 - failure);
  return {
    ...inner,
    cluster: text(cluster, "name"),
    hosts: inner.hosts.map((host) => ({
      ...host,
      share: times(host.share, full === null ? passing : 0),
    })),
    failures: [...refused, unhealthy, ...(full === null ? [] : [{ ...full, share: withHost }])].filter(
      ({ share }) => share !== 0,
    ),
  };
}

/** What refuses requests before a host is chosen, in Envoy's order. */
function requestFailures(
  cluster: Message,
  { context }: UpstreamRequest,
  dropShare: number,
): UpstreamFailure[] {
  const maintenance = maintenanceShare(cluster, context.runtime);
  return [
    httpFailure(maintenance, underMaintenance),
    httpFailure((1 - maintenance) * dropShare, dropShare === 1 ? allDropped : dropped),
  ];
}

const httpFailure = (share: number, reply: LocalReply): UpstreamFailure => ({
  share,
  responseFlags: reply.responseFlags,
  reply,
});

/** The same of TCP connections. */
const connectionFailures = (cluster: Message, priority: RoutingPriority): UpstreamFailure[] =>
  closedLimit(cluster, priority, "tcp") === "max_connections"
    ? [{ share: 1, responseFlags: ["UO"], reply: null }]
    : [];

/** What a host's pool refuses for want of room; for TCP it counts as a failed try to connect, and there is one try. */
function poolFailure(
  cluster: Message,
  { priority, protocol }: UpstreamRequest,
): Omit<UpstreamFailure, "share"> | null {
  const limit = closedLimit(cluster, priority, protocol === null ? "tcp" : "http");
  if (limit === null) return null;
  return protocol === null
    ? { responseFlags: ["URX"], reply: null }
    : { responseFlags: overflowing.responseFlags, reply: overflowing };
}

const times = (share: number | null, factor: number): number | null =>
  factor === 0 ? 0 : share === null ? null : share * factor;

interface Inner extends Omit<ClusterResolution, "cluster" | "failures"> {
  readonly failure: number | null;
  readonly dropShare: number;
}

const nothing = {
  hosts: [],
  failure: 0,
  dropShare: 0,
  priorities: [],
  subset: null,
  assumptions: [],
  unknowns: [],
} as const;

function hostsFor(cluster: Message, request: UpstreamRequest, proxy: ProxyClusters): Inner {
  const members = aggregatedClusters(cluster);
  if (members !== null) return aggregateHosts(cluster, members, request, proxy);
  const discovery = discoveryOf(cluster);
  if (discovery === "ORIGINAL_DST") return originalHost(cluster, request, proxy);
  if (discovery === "custom") return customHost(cluster, request, proxy);
  return listedHosts(cluster, request, proxy);
}

function listedHosts(cluster: Message, request: UpstreamRequest, proxy: ProxyClusters): Inner {
  const found = hostsOf(cluster, proxy.sources, request.context.envoy);
  const name = text(cluster, "name");
  const shared = { source: found.source, dropShare: found.dropShare, priorities: [], subset: null };
  if (found.source === "not captured")
    return { ...nothing, ...shared, failure: null, unknowns: found.unknowns };
  const balancing = loadBalancingOf(cluster, request.context.runtime, proxy.hasLocalCluster);
  const unknowns = [
    ...found.unknowns,
    ...(discoveryOf(cluster) === "LOGICAL_DNS"
      ? [unknown("DNS", `The address of ${name} is looked up again when a connection is made.`)]
      : []),
  ];
  const resolved = (shares: readonly HostShare[]): ResolvedHost[] =>
    shares.map((share) => resolvedHost(cluster, share, request, proxy));
  const session = sessionHost(found.hosts, balancing, request);
  if (session !== null) {
    const shares = found.hosts.map((host) => ({ host, share: host === session.host ? 1 : 0 }));
    const failure = session.host === null ? 1 : 0;
    return { ...nothing, ...shared, hosts: resolved(shares), failure, unknowns };
  }
  const { shares, subset, subsetUnknowns } = balancedShares(found, balancing, request);
  return {
    ...shared,
    hosts: resolved(shares.hosts),
    failure: shares.failure,
    priorities: shares.priorities,
    subset,
    assumptions: shares.assumptions,
    unknowns: [...unknowns, ...subsetUnknowns, ...shares.unknowns],
  };
}

interface BalancedShares {
  readonly shares: HostShares;
  readonly subset: string | null;
  readonly subsetUnknowns: readonly Unknown[];
}

function balancedShares(
  found: ClusterHosts,
  balancing: LoadBalancing,
  request: UpstreamRequest,
): BalancedShares {
  const { hasHash, criteria } = request;
  if (balancing.subsets === null) {
    const picking: Picking = { balancing, hasHash, localityWeights: keptWeights };
    return { shares: hostShares(found.hosts, found, picking), subset: null, subsetUnknowns: [] };
  }
  const choice = chooseSubset(balancing.subsets, found.hosts, criteria);
  let shares: HostShares = noShares(found.hosts);
  const used: string[] = [];
  for (const one of choice.tries) {
    // what one subset has no host for goes to the next
    if (shares.failure === 0) break;
    used.push(one.what);
    shares = after(
      shares,
      hostShares(one.hosts, found, { balancing, hasHash, localityWeights: one.localityWeights }),
    );
  }
  return { shares, subset: used.at(-1) ?? "none", subsetUnknowns: choice.unknowns };
}

const noShares = (hosts: readonly Host[]): HostShares => ({
  hosts: hosts.map((host) => ({ host, share: 0 })),
  failure: 1,
  priorities: [],
  assumptions: [],
  unknowns: [],
});

/** The shares of those requests that found no host before, added. */
function after(before: HostShares, next: HostShares): HostShares {
  const left = before.failure;
  const added = new Map(next.hosts.map(({ host, share }) => [host, share]));
  return {
    ...next,
    hosts: before.hosts.map(({ host, share }) => {
      const more = added.get(host) ?? (added.has(host) ? null : 0);
      return { host, share: more === 0 ? share : sumOf(share, left === null ? null : times(more, left)) };
    }),
    failure: left === null ? null : times(next.failure, left),
    assumptions: [...before.assumptions, ...next.assumptions],
    unknowns: [...before.unknowns, ...next.unknowns],
  };
}

const sumOf = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : a + b;

/** null: the session decides nothing; a host of null: it is strict, and its host may not be used. */
function sessionHost(
  hosts: readonly Host[],
  balancing: LoadBalancing,
  { session }: UpstreamRequest,
): { readonly host: Host | null } | null {
  if (session === null) return null;
  const named = hosts.find(({ address }) => addressText(address) === session.host);
  if (named !== undefined && balancing.overrideStatuses.includes(named.health.status)) return { host: named };
  return session.isStrict ? { host: null } : null;
}

function aggregateHosts(
  cluster: Message,
  names: readonly string[],
  request: UpstreamRequest,
  proxy: ProxyClusters,
): Inner {
  const { runtime, envoy } = request.context;
  const unknowns: Unknown[] = [];
  const clusters = new Map<string, Message>();
  const members = names.flatMap((name): Member[] => {
    const member = proxy.cluster(name);
    // Envoy passes over what it does not have, and an aggregate has no hosts of its own
    if (member === undefined || aggregatedClusters(member) !== null) return [];
    clusters.set(name, member);
    const balancing = loadBalancingOf(member, runtime, proxy.hasLocalCluster);
    const hosts = hostsOf(member, proxy.sources, envoy);
    const subset =
      balancing.subsets === null ? null : chooseSubset(balancing.subsets, hosts.hosts, request.criteria);
    unknowns.push(...hosts.unknowns, ...(subset?.unknowns ?? []));
    const picking: Picking = { balancing, hasHash: request.hasHash, localityWeights: keptWeights };
    return [{ name, hosts, picking, tries: subset?.tries ?? null }];
  });
  const isWhole = members.every(({ hosts }) => hosts.source !== "not captured");
  const shares = aggregateShares(members, loadBalancingOf(cluster, runtime, proxy.hasLocalCluster));
  const hosts = shares.members.flatMap((member) => {
    const own = clusters.get(member.name);
    return own === undefined
      ? []
      : member.hosts.map(({ host, share }) =>
          resolvedHost(own, { host, share: isWhole ? share : null }, request, proxy),
        );
  });
  return {
    ...nothing,
    source: members[0]?.hosts.source ?? "cluster",
    hosts,
    failure: isWhole ? shares.failure : null,
    priorities: shares.priorities,
    unknowns: [...unknowns, ...shares.unknowns],
  };
}

function originalHost(cluster: Message, request: UpstreamRequest, proxy: ProxyClusters): Inner {
  const found = originalDestination(cluster, request.context, request.isRestored);
  const source = "original destination";
  if (found.kind === "none") return { ...nothing, source, failure: 1 };
  if (found.kind === "unknown") return { ...nothing, source, failure: null, unknowns: [found.because] };
  const host = hostAt({ kind: "ip", ...found.address }, "");
  return { ...nothing, source, hosts: [resolvedHost(cluster, { host, share: 1 }, request, proxy)] };
}

function customHost(cluster: Message, request: UpstreamRequest, proxy: ProxyClusters): Inner {
  const type = typeOf(child(cluster, "cluster_type", "typed_config"));
  const name = text(cluster, "name");
  if (!type.startsWith("envoy.extensions.clusters.dynamic_forward_proxy.")) {
    const message = `Clusters of the type ${type}, as ${name} is one, are not evaluated.`;
    const because = unknown("unsupported filter", message);
    return { ...nothing, source: "not captured", failure: null, unknowns: [because] };
  }
  const target = forwardTarget(cluster, request);
  if (target === null) {
    const because = unknown("DNS", `Which host ${name} looks up is not known.`);
    return { ...nothing, source: "request", failure: null, unknowns: [because] };
  }
  const host = hostAt(target, target.kind === "name" ? target.name : "");
  const unknowns =
    target.kind === "name" ? [unknown("DNS", `${target.name} is looked up when the request comes.`)] : [];
  return {
    ...nothing,
    source: "request",
    hosts: [resolvedHost(cluster, { host, share: 1 }, request, proxy)],
    unknowns,
  };
}

const dynamicHostKey = "envoy.upstream.dynamic_host";
const dynamicPortKey = "envoy.upstream.dynamic_port";

/** The host and port of the authority, unless filter state names others; 443 with TLS, else 80, where there is none. */
function forwardTarget(cluster: Message, { context, protocol }: UpstreamRequest): HostAddress | null {
  const authority = context.filterState.get(dynamicHostKey) ?? firstHeader(context.headers, ":authority");
  if (protocol === null || authority === undefined) return null;
  const match = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([^:[\]]{1,255}))(?::(\d{1,5}))?$/.exec(authority);
  const name = match?.[1] ?? match?.[2];
  if (name === undefined) return null;
  const isTls = child(cluster, "transport_socket") !== undefined;
  const port = Number(context.filterState.get(dynamicPortKey) ?? match?.[3] ?? (isTls ? 443 : 80));
  return parseIp(name) === null ? { kind: "name", name, port } : { kind: "ip", ip: name, port };
}

const health: HostHealth = { class: "healthy", isExcluded: false, status: "HEALTHY", because: [] };

/** A host that a request makes, of which nothing else is known or configured. */
const hostAt = (address: HostAddress, hostname: string): Host => ({
  address,
  hostname,
  priority: 0,
  locality: { region: "", zone: "", subZone: "" },
  weight: 1,
  localityWeight: 0,
  health,
  metadata: {},
  localityMetadata: {},
  origin: { entry: "", pointer: "" },
});

function resolvedHost(
  cluster: Message,
  { host, share }: HostShare,
  request: UpstreamRequest,
  proxy: ProxyClusters,
): ResolvedHost {
  const client: UpstreamClient = {
    headers: request.context.headers,
    serverName: request.serverName,
    alpn: request.alpn,
    protocol: request.protocol === null ? null : upstreamProtocol(cluster, request.protocol),
    workload: proxy.workload,
  };
  return { host, share, cluster: text(cluster, "name"), transport: upstreamTransport(cluster, host, client) };
}

/** In the words of the answer. @param podOf the pod that has an IP address, as `pod.namespace` */
export function endpointShare(
  { host, share }: ResolvedHost,
  podOf: (ip: string) => string | null,
): EndpointShare {
  const { address } = host;
  const shown = { health: shownHealth(host.health), share, priority: host.priority };
  switch (address.kind) {
    case "ip":
      return { address: address.ip, port: address.port, ...shown, pod: podOf(address.ip) };
    case "name":
      return { address: address.name, port: address.port, ...shown, pod: null };
    case "pipe":
      return { address: address.path, port: null, ...shown, pod: null };
    case "internal":
      return { address: address.listener, port: null, ...shown, pod: null };
  }
}
