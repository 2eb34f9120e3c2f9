/** The answer of a trace: the JSON that `trace -o json` prints, field by field. */
import type { HeaderList } from "./request.js";
import type { Unknown } from "./unknown.js";

/** Envoy's short names (envoy/docs/root/configuration/observability/access_log/usage.rst, %RESPONSE_FLAGS%). */
export type ResponseFlag =
  | "NR"
  | "NC"
  | "UH"
  | "UF"
  | "UC"
  | "UO"
  | "UAEX"
  | "RL"
  | "RLSE"
  | "FI"
  | "DI"
  | "DPE"
  | "DC"
  | "LH"
  | "NFCF"
  | "URX"
  | "DO"
  | "DR"
  | "UDO";

export interface Outcome {
  /**
   * `endpoint`: it reaches a host; `direct_response` and `redirect`: that action of a route; `failure`: what Envoy answers
   * by itself, or a connection that it closes; `unknown`: see `unknowns`.
   */
  readonly kind: "endpoint" | "direct_response" | "redirect" | "failure" | "unknown";
  /** null for an endpoint and for TCP. */
  readonly status: number | null;
  readonly responseFlags: readonly ResponseFlag[];
  /** `response_code_details` up to its first "{"; "" where there is none. */
  readonly detail: string;
  readonly location: string | null;
}

export interface FilterDecision {
  /** As the configuration names it. */
  readonly name: string;
  readonly decision: "passed" | "allowed" | "denied" | "answered" | "unknown" | "disabled";
  /** The policy, rule or provider that decided; "" where none is named. */
  readonly policy: string;
}

export interface EndpointShare {
  /** `ip`, a path of a pipe, or the name of an internal listener. */
  readonly address: string;
  /** null where it has none. */
  readonly port: number | null;
  readonly health: "healthy" | "degraded" | "unhealthy" | "draining" | "unknown";
  /** 0..1 of what goes to the cluster; null where it cannot be told. */
  readonly share: number | null;
  readonly priority: number;
  /** `pod.namespace` where the snapshot tells whose the address is. */
  readonly pod: string | null;
}

export interface NearMiss {
  readonly what: "listener" | "filter chain" | "virtual host" | "route";
  readonly name: string;
  /** Why it did not match, in one sentence. */
  readonly because: string;
}

/** What a reader wants to know of a hop besides: not part of the JSON. */
export interface HopDetails {
  /** `virtualOutbound on 0.0.0.0:15001 receives 10.0.0.5:80`: the listeners that the connection comes by, in order. */
  readonly listeners: readonly string[];
  /** When the route configuration was loaded, RFC 3339; null where the dump does not say. */
  readonly routesLoaded: string | null;
  /** What the route asks of the router; null where none forwards. Times in milliseconds, null: no end. */
  readonly policies: {
    readonly timeout: number | null;
    readonly retries: {
      readonly retryOn: string;
      readonly retries: number;
      readonly perTryTimeout: number | null;
    } | null;
    readonly mirrors: readonly { readonly cluster: string; readonly share: number }[];
  } | null;
  /** How it goes on to the hosts: `mutual TLS (tlsMode-istio)`, `plaintext`; several where they differ. */
  readonly transports: readonly string[];
}

export interface Hop {
  /** Id of the proxy. */
  readonly proxy: string;
  readonly direction: "outbound" | "inbound" | "gateway";
  readonly listener: { readonly name: string; readonly address: string; readonly port: number | null } | null;
  readonly filterChain: { readonly name: string; readonly matched: readonly string[] } | null;
  readonly filters: readonly FilterDecision[];
  readonly routeConfig: string | null;
  readonly virtualHost: string | null;
  readonly virtualCluster: string | null;
  readonly domain: string | null;
  readonly route: string | null;
  /** The condition that won, e.g. "prefix /reviews". */
  readonly routeMatch: string | null;
  /** The Istio resource that the route comes from, `VirtualService/reviews.default`. */
  readonly origin: string | null;
  readonly cluster: string | null;
  readonly weightedClusters: readonly {
    readonly name: string;
    readonly weight: number;
    readonly share: number;
  }[];
  readonly rewritten: { readonly authority: string | null; readonly path: string | null };
  /** As the next hop gets them; names in lower case. */
  readonly requestHeaders: HeaderList;
  readonly responseHeaders: HeaderList;
  readonly mirrors: readonly string[];
  readonly nearMisses: readonly NearMiss[];
  readonly endpoints: readonly EndpointShare[];
  readonly details: HopDetails;
}

export interface Branch {
  /** 0..1; null where it cannot be told. */
  readonly share: number | null;
  readonly outcome: Outcome;
  readonly hops: readonly Hop[];
}

export interface TraceResult {
  readonly request: {
    readonly method: string;
    readonly scheme: string;
    readonly authority: string;
    readonly path: string;
    readonly headers: HeaderList;
    readonly originalDestination: string | null;
  };
  /** Why the traffic never enters the first proxy, in one sentence; null where it does. Not part of the JSON. */
  readonly bypass: string | null;
  /** Of the most likely branch. */
  readonly outcome: Outcome;
  readonly hops: readonly Hop[];
  /** All of them, where they were asked for. */
  readonly branches: readonly Branch[];
  /** What was taken for granted, a sentence each. */
  readonly assumptions: readonly string[];
  readonly unknowns: readonly Unknown[];
}
