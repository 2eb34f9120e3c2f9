/**
 * Every route of every proxy, each from a request that its own match takes to the proxy of the pod that it reaches: what
 * cannot end well. Filters are not asked: whether a request is allowed depends on more than its route. Of TLS to an endpoint
 * the ALPN is the cluster's own: what Istio's filter adds to it for one request is not looked at.
 */
import { times } from "../shares.js";
import { text } from "../../snapshot/message.js";
import type { Proxy, Snapshot } from "../../snapshot/model.js";
import type { MatchContext } from "../match-context.js";
import { podIps } from "../pod-addresses.js";
import { proxyViews, type ProxyView } from "../proxy-view.js";
import type { RouteBranch } from "../route/route-table.js";
import type { Unknown } from "../unknown.js";
import { ClusterEnds, senderOf, type Sender } from "./cluster-ends.js";
import { KnownRoutes, type Ways } from "./known-routes.js";
import { Peers } from "./peers.js";
import { endsWell, notKnown, type BadPart, type End, type PartialEnd, type RouteEnd } from "./route-end.js";

/**
 * All routes of HTTP, proxy by proxy, in the order of their configurations: redirects and direct responses end well, whatever
 * their status, and so does what the client's own choice of a destination decides (`PassthroughCluster`).
 * @param isAsked the proxies whose routes are asked for; where they lead to is looked at in the whole snapshot
 */
export function* traceAllRoutes(
  snapshot: Snapshot,
  isAsked: (proxy: Proxy) => boolean = () => true,
): Generator<RouteEnd> {
  const viewOf = proxyViews(snapshot);
  const routes = new KnownRoutes();
  const peers = new Peers(snapshot, viewOf);
  const ends = new ClusterEnds(peers);
  for (const proxy of snapshot.proxies.filter(isAsked)) {
    const view = viewOf(proxy);
    const sender = senderOf(view, contextOf(view), peers);
    for (const { config, isInbound } of routes.heldBy(view))
      for (const { names, ways } of routes.of(config, sender.context))
        yield {
          proxy: proxy.id,
          routeConfig: text(config, "name"),
          ...names,
          end: endOf(ways, sender, ends, isInbound),
        };
  }
}

/** Of a connection of which nothing is known: no client is. */
const contextOf = ({ runtime, envoy, proxy }: ProxyView): MatchContext => ({
  headers: [],
  connection: {
    destination: { ip: podIps(proxy)[0] ?? "0.0.0.0", port: 0 },
    source: "unknown",
    directSource: "unknown",
    tls: { sni: "", alpn: [], certificate: "unknown" },
    protocol: "http/1.1",
  },
  downstreamRemote: "unknown",
  dynamicMetadata: new Map(),
  filterState: new Map(),
  isComplete: false,
  route: null,
  runtime,
  random: null,
  envoy,
});

function endOf(ways: Ways, sender: Sender, ends: ClusterEnds, isInbound: boolean): End {
  if (ways.kind !== "ways") return ways;
  const parts: BadPart[] = [];
  const unknowns: Unknown[] = [];
  for (const way of ways.branches) {
    const end = endOfWay(way, sender, ends, isInbound);
    parts.push(...end.parts);
    unknowns.push(...end.unknowns);
  }
  if (parts.length > 0) return { kind: "bad", parts };
  return unknowns.length > 0 ? { kind: "unknown", because: unknowns } : { kind: "well" };
}

function endOfWay(
  { share, result, unknowns }: RouteBranch,
  sender: Sender,
  ends: ClusterEnds,
  isInbound: boolean,
): PartialEnd {
  if (result.kind === "unknown") return notKnown(...unknowns);
  if (result.kind !== "route" || result.action.kind !== "forward") return endsWell;
  const end = ends.of(result.action, sender, isInbound);
  return share === 1
    ? end
    : { ...end, parts: end.parts.map((part) => ({ ...part, share: times(part.share, share) })) };
}
