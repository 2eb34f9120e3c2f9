/** The ways that a request may go at one proxy, and where it goes on from there. */
import { sumOf, times } from "./shares.js";
import type { Message } from "../snapshot/message.js";
import {
  endpointShare,
  type ClusterResolution,
  type ResolvedHost,
  type UpstreamFailure,
} from "./cluster/cluster-resolution.js";
import type { Arrival } from "./listener/listener-choice.js";
import type { MatchContext } from "./match-context.js";
import { passedOn } from "./internal-connection.js";
import type { ProxyView } from "./proxy-view.js";
import { headerValue, type Connection, type HeaderList, type TlsClient } from "./request.js";
import type { Hop, NearMiss, Outcome, ResponseFlag } from "./result.js";
import { unknown, type Unknown } from "./unknown.js";

/** What comes to a proxy. */
export interface HopInput {
  readonly view: ProxyView;
  readonly direction: Hop["direction"];
  readonly arrival: Arrival;
  /** Of HTTP, names in lower case, pseudo headers first; null for TCP. */
  readonly request: HeaderList | null;
  /** What is inside of the request, where it is a CONNECT request; null else. */
  readonly tunnelled: Bytes | null;
  readonly random: bigint | null;
  readonly podOf: (ip: string) => string | null;
}

/** What is sent on a connection. */
export interface Bytes {
  /** null: no HTTP, or inside of TLS that another end opened. */
  readonly request: HeaderList | null;
  readonly tls: TlsClient | null | "unknown";
  readonly protocol: Connection["protocol"];
  readonly tunnelled: Bytes | null;
}

/** When a connection fails: `refused` before it stands, `at once` before TLS stands, `later` after that. */
export type Closing = "refused" | "at once" | "later";

/** One way that a request may go at a proxy. */
export interface Leaf {
  /** 0..1; null where it cannot be told. */
  readonly share: number | null;
  readonly hop: Hop;
  /** null where the request goes on to a host. */
  readonly outcome: Outcome | null;
  readonly onward: readonly Onward[];
  /** How the client's connection ends, of a failure without an answer; null else. */
  readonly closing: Closing | null;
  readonly assumptions: readonly string[];
  readonly unknowns: readonly Unknown[];
}

/** A host that the request may go on to. */
export interface Onward {
  readonly share: number | null;
  readonly host: ResolvedHost;
  /** Whether the proxy sends a request; else it passes bytes on. */
  readonly isHttp: boolean;
  readonly sent: Bytes;
  /** For a host that is a listener of the same Envoy. */
  readonly passed: NonNullable<Arrival["passed"]>;
}

export const emptyHop = (view: ProxyView, direction: Hop["direction"]): Hop => ({
  proxy: view.proxy.id,
  direction,
  listener: null,
  filterChain: null,
  filters: [],
  routeConfig: null,
  virtualHost: null,
  virtualCluster: null,
  domain: null,
  route: null,
  routeMatch: null,
  origin: null,
  cluster: null,
  weightedClusters: [],
  rewritten: { authority: null, path: null },
  requestHeaders: [],
  responseHeaders: [],
  mirrors: [],
  nearMisses: [],
  endpoints: [],
  details: { listeners: [], routesLoaded: null, policies: null, transports: [] },
});

export const failure = (
  status: number | null,
  responseFlags: readonly ResponseFlag[],
  detail: string,
): Outcome => ({ kind: "failure", status, responseFlags, detail, location: null });

export const unknownOutcome: Outcome = {
  kind: "unknown",
  status: null,
  responseFlags: [],
  detail: "",
  location: null,
};

/** The request reaches its host. */
export const endpoint: Outcome = {
  kind: "endpoint",
  status: null,
  responseFlags: [],
  detail: "",
  location: null,
};

export const leafOf = (
  hop: Hop,
  outcome: Outcome | null,
  unknowns: readonly Unknown[] = [],
  assumptions: readonly string[] = [],
  rest: Partial<Pick<Leaf, "share" | "onward" | "closing">> = {},
): Leaf => ({ share: 1, onward: [], closing: null, ...rest, hop, outcome, unknowns, assumptions });

const weightsOf = new WeakMap<object, Hop["weightedClusters"]>();

/** Shares of weighted clusters, as they are configured; made once for all the ways that a draw over them may go. */
export function weights(
  clusters: readonly { readonly name: string; readonly weight: number }[],
): Hop["weightedClusters"] {
  const known = weightsOf.get(clusters);
  if (known !== undefined) return known;
  const total = clusters.reduce((sum, { weight }) => sum + weight, 0);
  const made = clusters.map(({ name, weight }) => ({
    name,
    weight,
    share: total === 0 ? 0 : weight / total,
  }));
  weightsOf.set(clusters, made);
  return made;
}

/** What a client gets where its request goes nowhere. */
export interface Ended {
  readonly outcome: Outcome;
  readonly responseHeaders: HeaderList;
  readonly unknowns: readonly Unknown[];
}

/** Of a connection without HTTP. */
export const endedConnection = (responseFlags: readonly ResponseFlag[], detail = ""): Ended => ({
  outcome: failure(null, responseFlags, detail),
  responseHeaders: [],
  unknowns: [],
});

/** Where a request goes that was sent to a cluster. */
export interface ClusterTarget {
  readonly name: string;
  readonly share: number | null;
  /** Where the proxy has no such cluster. */
  readonly notFound: Ended;
  readonly failed: (failure: UpstreamFailure) => Ended;
  readonly resolve: (cluster: Message) => ClusterResolution;
  readonly isHttp: boolean;
  readonly sentTo: (host: ResolvedHost) => Bytes;
  /** As the filters leave it. */
  readonly context: MatchContext;
}

export function clusterLeaves(input: HopInput, hop: Hop, target: ClusterTarget): readonly Leaf[] {
  const { view, podOf } = input;
  const { name, share, isHttp } = target;
  // a TCP proxy connects upstream as soon as it has the connection
  const closing = isHttp ? null : "at once";
  const held = view.hasCluster(name);
  if (held === "unknown")
    return [
      leafOf(
        hop,
        unknownOutcome,
        [unknown("not captured", `The clusters of ${view.proxy.id} were not captured.`)],
        [],
        { share },
      ),
    ];
  const cluster = view.clusters.cluster(name);
  if (!held || cluster === undefined) return [endedLeaf(hop, target.notFound, [], [], { share, closing })];
  const { hosts, failures, unknowns, assumptions } = target.resolve(cluster);
  const own: Hop = {
    ...hop,
    endpoints: hosts.map((host) => endpointShare(host, podOf)),
    details: { ...hop.details, transports: [...new Set(hosts.map(transportWords))] },
  };
  const reached = hosts.filter((host) => host.share !== 0);
  const failed = failures.map((one) =>
    endedLeaf(own, target.failed(one), unknowns, assumptions, { share: times(share, one.share), closing }),
  );
  if (reached.length === 0 && failures.every(({ share: of }) => of === null))
    return [leafOf(own, unknownOutcome, unknowns, assumptions, { share })];
  if (reached.length === 0) return failed;
  const lost = sumOf(failures.map((one) => one.share));
  return [
    leafOf(own, null, unknowns, assumptions, {
      share: times(share, lost === null ? null : 1 - lost),
      onward: reached.map((host) => ({
        share: times(share, host.share),
        host,
        isHttp,
        sent: target.sentTo(host),
        passed: passedOn(view.clusters.cluster(host.cluster), host, target.context),
      })),
    }),
    ...failed,
  ];
}

const endedLeaf = (
  hop: Hop,
  { outcome, responseHeaders, unknowns }: Ended,
  others: readonly Unknown[],
  assumptions: readonly string[],
  rest: Partial<Pick<Leaf, "share" | "closing">>,
): Leaf => leafOf({ ...hop, responseHeaders }, outcome, [...others, ...unknowns], assumptions, rest);

/** The hop of a request that went to this host: what was sent may hang on the host (`auto_host_rewrite`). */
export function hopSentTo(hop: Hop, { isHttp, sent: { request } }: Onward): Hop {
  if (!isHttp || request === null || request === hop.requestHeaders) return hop;
  const authority = headerValue(request, ":authority");
  if (authority === undefined || authority === headerValue(hop.requestHeaders, ":authority")) return hop;
  return { ...hop, requestHeaders: request, rewritten: { ...hop.rewritten, authority } };
}

function transportWords({ transport: { name, tls } }: ResolvedHost): string {
  if (tls === "unknown") return "not known";
  if (tls === null) return "plaintext";
  const words = tls.certificate === null ? "TLS" : "mutual TLS";
  const server = tls.sni === "" ? "" : `, server name ${tls.sni}`;
  return `${words}${name === "" || name === "default" ? "" : ` (${name})`}${server}`;
}

/** Near misses of routes come last: they are the most telling. */
export const withNearMisses = (hop: Hop, more: readonly NearMiss[]): Hop => ({
  ...hop,
  nearMisses: [...hop.nearMisses, ...more],
});
