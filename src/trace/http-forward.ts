/** A request that its route sends on: the filters of the cluster, the cluster, and what leaves for a host. */
import { child, children, text, unpacked, type Message } from "../snapshot/message.js";
import { resolveCluster, type ResolvedHost } from "./cluster/cluster-resolution.js";
import { httpProtocolOptions, upstreamProtocol } from "./cluster/transport-socket.js";
import { deliveredReply } from "./filters/delivered-reply.js";
import type { FilterChainResult } from "./filters/http-filters.js";
import { localReply, type LocalReply } from "./filters/local-reply.js";
import { replied } from "./http-answers.js";
import {
  downstreamProtocol,
  filtered,
  filtersOf,
  surroundingsOf,
  withDecisions,
  type Stage,
} from "./http-stage.js";
import { isConnect } from "./http/upgrade.js";
import {
  clusterLeaves,
  endedConnection,
  failure,
  type Bytes,
  type Ended,
  type HopInput,
  type Leaf,
} from "./leaf.js";
import type { MatchContext } from "./match-context.js";
import { withHeader } from "./request.js";
import type { Hop } from "./result.js";
import type { ForwardResult } from "./route/route-action.js";
import { routeAction, type RouteEntry } from "./route/route-entry.js";

/** Filters between the router and the host see the request that the router sends; they may still answer. */
export function behindUpstreamFilters(
  stage: Stage,
  action: ForwardResult,
  ran: FilterChainResult,
  config: Message,
): readonly Leaf[] {
  const filters = upstreamFilters(stage.input.view.clusters.cluster(action.cluster), stage.manager);
  if (filters.length === 0) return forwarded(stage, action, ran);
  const context = { ...ran.context, headers: action.request.headers };
  const surroundings = surroundingsOf(stage, config);
  return filtered({ filters, context, entry: ran.entry, surroundings }, (upstream) => {
    if (upstream.reply !== null) return [replied(stage, upstream.reply, upstream.context, upstream)];
    const request = { ...action.request, headers: upstream.context.headers };
    return forwarded(withDecisions(stage, upstream), { ...action, request }, ran).map((leaf) => ({
      ...leaf,
      unknowns: [...upstream.unknowns, ...leaf.unknowns],
    }));
  });
}

/** The cluster's own, else the router's (`source/common/router/upstream_request.cc`). */
function upstreamFilters(cluster: Message | undefined, manager: Message): readonly Message[] {
  const own = cluster === undefined ? [] : children(httpProtocolOptions(cluster), "http_filters");
  const router = unpacked(child(filtersOf(manager).at(-1), "typed_config"));
  return own.length > 0 ? own : children(router, "upstream_http_filters");
}

function forwarded(stage: Stage, action: ForwardResult, ran: FilterChainResult): readonly Leaf[] {
  const { request } = action;
  const hop: Hop = {
    ...stage.hop,
    cluster: action.cluster,
    rewritten: { authority: request.authority, path: request.path },
    requestHeaders: request.headers,
  };
  const notFound = localReply(action.clusterNotFoundStatus, "cluster_not_found", { responseFlags: ["NC"] });
  const delivered = (reply: LocalReply): Ended => {
    const { reply: own, because } = deliveredReply(reply, stage.received, ran.context, stage.manager);
    return {
      outcome: failure(own.status, own.responseFlags, own.detail),
      responseHeaders: own.headers,
      unknowns: because,
    };
  };
  const leaves = clusterLeaves(stage.input, hop, {
    name: action.cluster,
    share: 1,
    notFound: delivered(notFound),
    failed: ({ reply, responseFlags }) =>
      reply === null ? endedConnection(responseFlags) : delivered(reply),
    resolve: (cluster) =>
      resolveCluster(
        cluster,
        {
          context: ran.context,
          protocol: downstreamProtocol(ran.context),
          priority: action.priority,
          criteria: action.subset,
          hasHash: action.hashPolicies.length > 0,
          isRestored: stage.isRestored,
          session: null,
          alpn: alpnOf(ran),
          serverName: ran.context.filterState.get("envoy.network.upstream_server_name") ?? "",
        },
        stage.input.view.clusters,
      ),
    isHttp: true,
    sentTo: (host) => requestSent(stage.input, action, ran.context, host),
    context: ran.context,
  });
  return leaves.map((leaf) => ({ ...leaf, unknowns: [...request.unknowns, ...leaf.unknowns] }));
}

/** The request as it leaves for its host; where the route ends a CONNECT request, what is inside of it. */
function requestSent(
  { view, tunnelled }: HopInput,
  { request, entry, isHostRewrittenByEndpoint }: ForwardResult,
  context: MatchContext,
  { host, transport: { tls }, cluster }: ResolvedHost,
): Bytes {
  if (isConnect(request.headers) && endsConnect(entry)) {
    const inner = tunnelled ?? { request: null, tls: null, protocol: "other", tunnelled: null };
    if (tls === null) return inner;
    return inner.tls === null
      ? { ...inner, tls }
      : { request: null, tls, protocol: "other", tunnelled: null };
  }
  const spoken = upstreamProtocol(view.clusters.cluster(cluster) ?? {}, downstreamProtocol(context));
  const headers =
    isHostRewrittenByEndpoint && host.hostname !== ""
      ? withHeader(request.headers, ":authority", host.hostname)
      : request.headers;
  return { request: headers, tls, protocol: spoken === "h2" ? "h2c" : "http/1.1", tunnelled };
}

/** `connect_config`: the bytes go on without the request around them. */
const endsConnect = (entry: RouteEntry): boolean =>
  children(routeAction(entry), "upgrade_configs").some(
    (config) =>
      text(config, "upgrade_type").toUpperCase() === "CONNECT" &&
      child(config, "connect_config") !== undefined,
  );

/** What `istio.alpn` asks for (filter state `envoy.network.application_protocols`). */
const alpnOf = ({ context }: FilterChainResult): readonly string[] =>
  (context.filterState.get("envoy.network.application_protocols") ?? "")
    .split(",")
    .filter((name) => name !== "");
