/** What becomes of requests that a route sends to a cluster. */
import { child, flag, text, type Message } from "../../snapshot/message.js";
import { aggregatedClusters } from "../cluster/aggregate.js";
import {
  resolveCluster,
  type ClusterResolution,
  type UpstreamFailure,
} from "../cluster/cluster-resolution.js";
import { discoveryOf } from "../cluster/hosts.js";
import { httpProtocolOptions } from "../cluster/transport-socket.js";
import { failure } from "../leaf.js";
import type { MatchContext, Runtime } from "../match-context.js";
import type { ProxyView } from "../proxy-view.js";
import { headerValue } from "../request.js";
import type { ForwardResult } from "../route/route-action.js";
import { unknown, type Unknown } from "../unknown.js";
import { endpointsKey, type EndpointsKey } from "./endpoints-key.js";
import { internalListeners, type Peers } from "./peers.js";
import { notKnown, type BadPart, type PartialEnd } from "./route-end.js";
import { SharedAnswers } from "./shared-answers.js";

/** A proxy that requests go out from. */
export interface Sender {
  readonly view: ProxyView;
  readonly context: MatchContext;
  readonly endpoints: EndpointsKey;
  /** What else answers depend on: proxies of one kind that hold a cluster with its endpoints get the same. */
  readonly kind: string;
  /** What became of requests to its clusters. */
  readonly ends: Map<string, PartialEnd>;
}

export const senderOf = (view: ProxyView, context: MatchContext, peers: Peers): Sender => ({
  view,
  context,
  endpoints: endpointsKey(view.proxy),
  kind: JSON.stringify([
    view.envoy,
    peers.clients.of(view.clusters.workload),
    view.clusters.hasLocalCluster,
    internalListeners(view),
    peers.gapIn(view.proxy),
  ]),
  ends: new Map(),
});

/** Asked once for each proxy, and once for all proxies that hold the same. */
export class ClusterEnds {
  readonly #known = new SharedAnswers<PartialEnd>();

  constructor(private readonly peers: Peers) {}

  /** @param isInbound whether it is the application of the proxy's own pod that it goes to */
  of(action: ForwardResult, sender: Sender, isInbound: boolean): PartialEnd {
    const { view } = sender;
    const cluster = view.clusters.cluster(action.cluster);
    const question = JSON.stringify([
      action.cluster,
      action.priority,
      action.clusterNotFoundStatus,
      action.subset,
      action.hashPolicies.length > 0,
      isInbound,
      cluster === undefined ? null : authorityThatCounts(cluster, action),
    ]);
    const known = sender.ends.get(question) ?? this.#asked(question, action, cluster, sender, isInbound);
    sender.ends.set(question, known);
    return known;
  }

  #asked(
    question: string,
    action: ForwardResult,
    cluster: Message | undefined,
    sender: Sender,
    isInbound: boolean,
  ): PartialEnd {
    const { view, endpoints } = sender;
    if (view.hasCluster(action.cluster) === "unknown")
      return notKnown(unknown("not captured", `The clusters of ${view.proxy.id} were not captured.`));
    if (cluster === undefined) {
      const gap = action.cluster === "" ? null : this.peers.gapIn(view.proxy);
      return gap === null ? withoutCluster(action) : notKnown(gap);
    }
    const resolve = (runtime: Runtime): PartialEnd =>
      this.#resolve(action, cluster, { ...sender, context: { ...sender.context, runtime } }, isInbound);
    // an aggregate has the endpoints of other clusters
    const isShared = !isInbound && aggregatedClusters(cluster) === null;
    if (!isShared) return resolve(sender.context.runtime);
    const whole = [question, sender.kind, endpoints(cluster)].join(" ");
    return this.#known.of(cluster, whole, sender.context.runtime, resolve);
  }

  #resolve(
    action: ForwardResult,
    cluster: Message,
    { view, context }: Sender,
    isInbound: boolean,
  ): PartialEnd {
    const resolution = resolveCluster(
      cluster,
      {
        context: { ...context, headers: action.request.headers },
        protocol: "http/1.1",
        priority: action.priority,
        criteria: action.subset,
        hasHash: action.hashPolicies.length > 0,
        isRestored: true,
        session: null,
        alpn: [],
        serverName: "",
      },
      view.clusters,
    );
    const { hosts, failures, unknowns } = resolution;
    // where hosts were lost, that none is left proves nothing
    const lost = unknowns.filter(({ reason }) => reason === "not captured");
    const failed = lost.length > 0 ? [] : failures.flatMap((one) => failedPart(one, action.cluster) ?? []);
    const reached = hosts.filter(({ share }) => share !== 0);
    if (reached.length === 0 && failed.length === 0)
      return notKnown(...(unknowns.length > 0 ? unknowns : [noShares(action.cluster)]));
    const ends = goesToPeers(resolution)
      ? reached.map((host) => this.peers.endAt(host, view, isInbound))
      : [];
    return {
      parts: [...failed, ...ends.flatMap(({ parts }) => parts)],
      unknowns: ends.flatMap((end) => end.unknowns),
    };
  }
}

const noShares = (cluster: string): Unknown =>
  unknown("runtime state", `Which hosts of ${cluster} take requests is not known.`);

/** An original destination is the client's own choice, which nothing tells. */
const goesToPeers = ({ source }: ClusterResolution): boolean => source !== "original destination";

function withoutCluster({ cluster, clusterNotFoundStatus: status }: ForwardResult): PartialEnd {
  const part: BadPart = {
    reason: "no cluster",
    share: 1,
    cluster,
    endpoint: null,
    peer: null,
    outcome: failure(status, ["NC"], "cluster_not_found"),
    because: cluster === "" ? "the route names no cluster" : `the proxy has no cluster ${cluster}`,
  };
  return { parts: [part], unknowns: [] };
}

/** null where it is not known to fail. */
function failedPart({ share, responseFlags, reply }: UpstreamFailure, cluster: string): BadPart | null {
  if (share === null) return null;
  const what = share === 1 ? "requests" : "this part of the requests";
  const isEmpty = responseFlags.includes("UH");
  return {
    reason: isEmpty ? "no endpoint" : "cluster refuses",
    share,
    cluster,
    endpoint: null,
    peer: null,
    outcome: failure(reply?.status ?? null, responseFlags, (reply?.detail ?? "").replace(/\{.*$/s, "")),
    because: isEmpty
      ? `the cluster ${cluster} has no endpoint that takes ${what}`
      : `the cluster ${cluster} refuses ${what}: ${responseFlags.join(", ")}`,
  };
}

/** The host of the request, where the server name or the endpoint comes from it; null where it does not matter. */
function authorityThatCounts(cluster: Message, { request: { headers } }: ForwardResult): string | null {
  const options = child(httpProtocolOptions(cluster), "upstream_http_protocol_options");
  const isOfRequest =
    discoveryOf(cluster) === "custom" ||
    [options, child(cluster, "upstream_http_protocol_options")].some((one) => flag(one, "auto_sni") === true);
  if (!isOfRequest) return null;
  const override = text(options, "override_auto_sni_header").toLowerCase();
  return `${headerValue(headers, ":authority") ?? ""} ${override === "" ? "" : (headerValue(headers, override) ?? "")}`;
}
