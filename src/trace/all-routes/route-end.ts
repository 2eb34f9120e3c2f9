/** How the requests of a route end. */
import type { Outcome } from "../result.js";
import type { Unknown } from "../unknown.js";

/** A route of a proxy and how a request for it ends. */
export interface RouteEnd {
  /** Id of the proxy. */
  readonly proxy: string;
  readonly routeConfig: string;
  readonly virtualHost: string;
  /** `default`; `route 3` where it has no name. */
  readonly route: string;
  /** The Istio resource that it comes from, `VirtualService/reviews.default`. */
  readonly origin: string | null;
  readonly end: End;
}

export type End =
  | { readonly kind: "well" }
  /** At least one of the ways that its requests can go. */
  | { readonly kind: "bad"; readonly parts: readonly BadPart[] }
  | { readonly kind: "unknown"; readonly because: readonly Unknown[] }
  /** No request can be made for it, or none comes to it. @field because in one sentence */
  | { readonly kind: "no request"; readonly because: string };

/**
 * - `no cluster`: the proxy has none of the name (Envoy's NC).
 * - `no endpoint`: the cluster has no host that may be chosen (UH).
 * - `cluster refuses`: by its circuit breakers, `drop_overload` or maintenance mode (UO, DO, UDO).
 * - `no inbound listener`: nothing at the endpoint's proxy takes a connection for the port.
 * - `mTLS refused`: what the client sends and what the endpoint's proxy takes do not fit together.
 */
export const badReasons = [
  "no cluster",
  "no endpoint",
  "cluster refuses",
  "no inbound listener",
  "mTLS refused",
] as const;
export type BadReason = (typeof badReasons)[number];

/** A part of a route's requests that cannot end well. */
export interface BadPart {
  readonly reason: BadReason;
  /** 0..1 of the route's requests; null where it cannot be told. */
  readonly share: number | null;
  readonly cluster: string;
  /** The endpoint, `ip:port`, and its proxy; null where it does not come that far. */
  readonly endpoint: string | null;
  readonly peer: string | null;
  readonly outcome: Outcome;
  /** In one sentence. */
  readonly because: string;
}

/** What is known of a part of requests: both empty where they end well. */
export interface PartialEnd {
  readonly parts: readonly BadPart[];
  readonly unknowns: readonly Unknown[];
}

export const endsWell: PartialEnd = { parts: [], unknowns: [] };
export const notKnown = (...unknowns: readonly Unknown[]): PartialEnd => ({ parts: [], unknowns });
