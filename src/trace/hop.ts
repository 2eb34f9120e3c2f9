/** One proxy's part of a path: from the listener to the hosts that it may send to, or to what it answers itself. */
import type { Message } from "../snapshot/message.js";
import { resolveCluster } from "./cluster/cluster-resolution.js";
import { acceptTls, agreedProtocol } from "./downstream-tls.js";
import { httpLeaves } from "./http-hop.js";
import {
  clusterLeaves,
  emptyHop,
  endedConnection,
  failure,
  leafOf,
  unknownOutcome,
  weights,
  type Bytes,
  type HopInput,
  type Leaf,
} from "./leaf.js";
import { chooseFilterChain, type FilterChain } from "./listener/filter-chain.js";
import { takeConnection, type Arrival, type TakenConnection } from "./listener/listener-choice.js";
import type { MatchContext } from "./match-context.js";
import { runNetworkFilters, type ClosedConnection } from "./network/network-filters.js";
import type { TcpRoute, Tunnel } from "./network/tcp-proxy.js";
import type { ProxyView } from "./proxy-view.js";
import { firstHeader, isUnknownValue, unknownValue, type Connection } from "./request.js";
import type { FilterDecision, Hop } from "./result.js";
import { unknown, type Unknown } from "./unknown.js";

/** All the ways that a request may go, at least one. */
export function hopLeaves(input: HopInput): readonly Leaf[] {
  const { view, direction } = input;
  const empty = emptyHop(view, direction);
  if ("reason" in view.listeners)
    return [
      leafOf(empty, unknownOutcome, [
        unknown("not captured", `Listeners of ${view.proxy.id}: ${view.listeners.reason}`),
      ]),
    ];
  if (view.notServing !== null)
    return [leafOf(empty, failure(null, [], ""), [], [view.notServing], { closing: "refused" })];
  const choice = takeConnection(view.listeners, withRequestLine(input), extensionsOf(view), view.envoy);
  const last = choice.steps.at(-1);
  const hop: Hop = {
    ...empty,
    listener: last === undefined ? null : { name: last.listener, ...splitAddress(last.address) },
    filters: choice.steps.flatMap(({ filters }) => filters.filter(({ decision }) => decision !== "passed")),
    nearMisses: choice.nearMisses,
    details: { ...empty.details, listeners: choice.steps.map(({ words }) => words) },
  };
  switch (choice.kind) {
    case "taken":
      return inListener(input, hop, choice, choice.unknowns);
    case "refused":
      return [leafOf(hop, failure(null, [], ""), choice.unknowns, [choice.because], { closing: "refused" })];
    case "closed":
    case "waits":
      return [leafOf(hop, failure(null, [], ""), choice.unknowns, [choice.because], { closing: "at once" })];
  }
}

/** A client that speaks HTTP speaks the version that it agreed upon with the filter chain. */
const speaking = (connection: Connection, chain: Message): Connection =>
  connection.protocol === "http/1.1" &&
  connection.tls !== null &&
  agreedProtocol(chain, connection.tls) === "h2"
    ? { ...connection, protocol: "h2c" }
    : connection;

/** What inspectors read of a request is its first line. */
function withRequestLine({ arrival, request }: HopInput): Arrival {
  if (request === null) return arrival;
  const [method = "GET", target = ""] = [":method", ":path"].map((name) => firstHeader(request, name));
  if ([method, target].some(isUnknownValue)) return arrival;
  return { ...arrival, client: { ...arrival.client, requestLine: { method, target } } };
}

const extensionsOf = (view: ProxyView) => (name: string) => {
  const found = view.discovered(name);
  return found === undefined || found === "unknown" ? null : found;
};

/** `0.0.0.0:15001`, `[::]:80`; the name of an internal listener has no port. */
function splitAddress(address: string): { readonly address: string; readonly port: number | null } {
  const [, ip, port] = /^\[?([^\]]*?)\]?:(\d{1,5})$/.exec(address) ?? [];
  return ip === undefined ? { address, port: null } : { address: ip, port: Number(port) };
}

function inListener(
  input: HopInput,
  hop: Hop,
  taken: TakenConnection,
  unknowns: readonly Unknown[],
): readonly Leaf[] {
  const { view } = input;
  const choice = chooseFilterChain(taken.listener.message, taken.socket, view.envoy);
  const nearMisses = [...hop.nearMisses, ...choice.nearMisses];
  if (choice.kind === "none")
    return [
      leafOf({ ...hop, nearMisses }, failure(null, ["NR"], choice.detail), unknowns, [choice.because], {
        closing: "at once",
      }),
    ];
  if (choice.kind !== "chain")
    return [leafOf({ ...hop, nearMisses }, unknownOutcome, [...unknowns, ...choice.because])];
  return inChain(input, { ...hop, nearMisses }, taken, choice.chain, unknowns);
}

function inChain(
  input: HopInput,
  before: Hop,
  taken: TakenConnection,
  chain: FilterChain,
  unknowns: readonly Unknown[],
): readonly Leaf[] {
  const { view } = input;
  const tls = acceptTls(chain.message, input.arrival.client.tls);
  const hop: Hop = {
    ...before,
    filterChain: {
      name: chain.name,
      matched: [...chain.matched, ...(tls.kind === "accepted" ? [tls.words] : [])],
    },
  };
  const open = tls.kind === "unknown" ? [...unknowns, tls.because] : unknowns;
  const context: MatchContext = {
    headers: [],
    connection: speaking(taken.connection, chain.message),
    downstreamRemote: taken.connection.source,
    dynamicMetadata: taken.socket.dynamicMetadata,
    filterState: taken.socket.filterState,
    isComplete: taken.socket.isComplete,
    route: null,
    runtime: view.runtime,
    random: input.random,
    isTlsTerminated: tls.kind === "accepted" ? tls.isTerminated : true,
    envoy: view.envoy,
  };
  const ran = runNetworkFilters(chain.message, taken.socket, context, extensionsOf(view));
  const filtered: Hop = { ...hop, filters: [...hop.filters, ...shown(ran.filters)] };
  const all = [...open, ...ran.unknowns];
  const { dynamicMetadata, filterState, isShared = new Map(), isComplete } = ran.socket;
  const after: MatchContext = { ...context, dynamicMetadata, filterState, isShared, isComplete };
  const tcpOf = (route: TcpRoute): readonly Leaf[] =>
    tcpLeaves(input, filtered, route, after, taken.socket.isRestored);
  if (tls.kind === "refused") {
    const refused = leafOf(hop, failure(null, [], ""), unknowns, [tls.because], { closing: "at once" });
    return ran.end.kind === "tcp" ? unlessFailed(tcpOf(ran.end.route), refused) : [refused];
  }
  switch (ran.end.kind) {
    case "http":
      return httpLeaves(input, filtered, ran.end.manager, after, taken.socket.isRestored).map((leaf) =>
        withMore(leaf, all, ran.assumptions),
      );
    case "tcp": {
      const { route, denied } = ran.end;
      const leaves = tcpOf(route).map((leaf) => withMore(leaf, all, ran.assumptions));
      return denied === null
        ? leaves
        : unlessFailed(leaves, deniedLeaf(filtered, denied, all, ran.assumptions));
    }
    case "closed":
      return [deniedLeaf(filtered, ran.end, all, ran.assumptions)];
    case "answered":
      return [
        leafOf(filtered, { ...failure(null, [], ran.end.detail), kind: "direct_response" }, all, [
          ran.end.because,
        ]),
      ];
    case "unknown":
      return [leafOf(filtered, unknownOutcome, [...all, ...ran.end.because], ran.assumptions)];
  }
}

/** A TCP proxy connects with a new connection, and closes it where it cannot: nothing later happens to that one. */
const unlessFailed = (leaves: readonly Leaf[], instead: Leaf): readonly Leaf[] =>
  leaves.map((leaf) => (leaf.outcome?.kind === "failure" ? leaf : { ...instead, share: leaf.share }));

const deniedLeaf = (
  hop: Hop,
  { responseFlags, detail, because }: ClosedConnection,
  unknowns: readonly Unknown[],
  assumptions: readonly string[],
): Leaf =>
  leafOf(hop, failure(null, responseFlags, detail), unknowns, [because, ...assumptions], {
    closing: "later",
  });

/** What only observes is not worth a line. */
const shown = (filters: readonly FilterDecision[]): readonly FilterDecision[] =>
  filters.filter(({ decision }) => decision !== "passed");

const withMore = (leaf: Leaf, unknowns: readonly Unknown[], assumptions: readonly string[]): Leaf => ({
  ...leaf,
  unknowns: [...unknowns, ...leaf.unknowns],
  assumptions: [...assumptions, ...leaf.assumptions],
});

function tcpLeaves(
  input: HopInput,
  hop: Hop,
  route: TcpRoute,
  context: MatchContext,
  isRestored: boolean,
): readonly Leaf[] {
  const weightedClusters = weights(route.weightedClusters.map(({ name, weight }) => ({ name, weight })));
  if (route.clusters.length === 0 || route.unknowns.length > 0)
    return [leafOf({ ...hop, weightedClusters }, unknownOutcome)];
  const assumptions = [
    ...(route.tunnel === null
      ? []
      : [`The bytes are carried in a CONNECT request to ${tunnelHost(route.tunnel)}.`]),
  ];
  return route.clusters.flatMap(({ name, share, metadataMatch }) =>
    clusterLeaves(
      input,
      { ...hop, cluster: name, weightedClusters },
      {
        name,
        share,
        notFound: endedConnection(["NC"], "cluster_not_found"),
        failed: ({ responseFlags }) => endedConnection(responseFlags),
        resolve: (cluster) =>
          resolveCluster(
            cluster,
            {
              context,
              protocol: null,
              priority: "DEFAULT",
              criteria: metadataMatch,
              hasHash: route.hashPolicy.length > 0,
              isRestored,
              session: null,
              alpn: listed(context.filterState.get("envoy.network.application_protocols")),
              serverName: context.filterState.get("envoy.network.upstream_server_name") ?? "",
            },
            input.view.clusters,
          ),
        isHttp: false,
        sentTo: ({ transport }) => {
          const bytes = bytesPassedOn(input, context, transport.tls);
          return route.tunnel === null ? bytes : tunnelOf(route.tunnel, input, context, transport.tls);
        },
        context,
      },
    ).map((leaf) => withMore(leaf, [], assumptions)),
  );
}

const listed = (value = ""): string[] => value.split(",").filter((item) => item !== "");

/** Without its own TLS a TCP proxy passes on what it gets: the client's TLS too, where the filter chain did not end it. */
function bytesPassedOn(
  { arrival, request, tunnelled }: HopInput,
  { isTlsTerminated, connection }: MatchContext,
  tls: Bytes["tls"],
): Bytes {
  const inner = connection.tls === null || isTlsTerminated === true ? null : arrival.client.tls;
  const { protocol } = arrival.client;
  if (inner === null) return { request, tls, protocol, tunnelled };
  // TLS inside of TLS: who ends the outer one sees bytes
  return tls === null
    ? { request, tls: inner, protocol, tunnelled }
    : { request: null, tls, protocol: "other", tunnelled: null };
}

/** A CONNECT request around the bytes; the clusters of tunnels speak HTTP/2. */
function tunnelOf(tunnel: Tunnel, input: HopInput, context: MatchContext, tls: Bytes["tls"]): Bytes {
  const inner = bytesPassedOn(input, context, null);
  if (tunnel.usesPost) return { request: null, tls, protocol: "other", tunnelled: null };
  return {
    request: [
      [":method", "CONNECT"],
      [":authority", tunnelHost(tunnel)],
    ],
    tls,
    protocol: "h2c",
    tunnelled: inner,
  };
}

const tunnelHost = ({ hostname }: Tunnel): string => (typeof hostname === "string" ? hostname : unknownValue);
