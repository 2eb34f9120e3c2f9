/** What a matched route does with a request: forwards it, redirects it, or answers. */
import { child, children, field, flag, text, type Message } from "../../snapshot/message.js";
import { withoutPort } from "./virtual-host.js";
import { isText } from "../matchers/regex.js";
import type { EnvoyMinor, MatchContext } from "../match-context.js";
import { headerValue, withHeader, type HeaderList } from "../request.js";
import type { Unknown } from "../unknown.js";
import { clusterNotFoundStatus, weightedClusters, type WeightedCluster } from "./cluster-choice.js";
import { directResponse } from "./direct-response.js";
import type { FormatInput } from "./formatters.js";
import { mutateRequest, mutateResponse, type MutatedHeaders } from "./header-mutations.js";
import { rewrittenHost, withHost } from "./host-rewrite.js";
import { rewrittenPath } from "./path-rewrite.js";
import { redirectStatus, redirectTarget } from "./redirect.js";
import { levelsOf, routeAction, type RouteEntry } from "./route-entry.js";
import {
  mirrorsOf,
  retryPolicy,
  routeTimeout,
  subsetCriteria,
  type Mirror,
  type RetryPolicy,
} from "./route-policies.js";
import { withoutAskedOfRouter } from "./router-headers.js";
import { virtualClusterName } from "./virtual-cluster.js";

/** The request as the route sends it on, before a host is chosen. */
export interface RewrittenRequest {
  readonly headers: HeaderList;
  /** null where they stay as they were. */
  readonly authority: string | null;
  readonly path: string | null;
  readonly unknowns: readonly Unknown[];
}

export interface ForwardResult {
  readonly kind: "forward";
  readonly entry: RouteEntry;
  /** "" is answered like a cluster that does not exist. */
  readonly cluster: string;
  readonly clusterNotFoundStatus: number;
  /** All entries of weighted clusters, empty without them. */
  readonly weightedClusters: readonly WeightedCluster[];
  readonly request: RewrittenRequest;
  /** The chosen host's name becomes the host, where it has one. */
  readonly isHostRewrittenByEndpoint: boolean;
  /** In milliseconds; null where there is none. */
  readonly timeout: number | null;
  readonly retries: RetryPolicy | null;
  readonly mirrors: readonly Mirror[];
  /** `HashPolicy` messages, in order. */
  readonly hashPolicies: readonly Message[];
  /** Of `envoy.lb`; null where any host will do. */
  readonly subset: Readonly<Record<string, unknown>> | null;
  readonly priority: "DEFAULT" | "HIGH";
  /** null where the virtual host has none. */
  readonly virtualCluster: string | null;
  /** `typed_per_filter_config` is read from these, from the least to the most specific. */
  readonly levels: readonly Message[];
}

export interface RedirectResult {
  readonly kind: "redirect";
  readonly entry: RouteEntry;
  readonly status: number;
  /** null where it is not known. */
  readonly location: string | null;
  readonly levels: readonly Message[];
  readonly unknowns: readonly Unknown[];
}

export interface DirectResponseResult {
  readonly kind: "direct response";
  readonly entry: RouteEntry;
  readonly status: number;
  readonly body: string | null;
  readonly location: string | null;
  readonly levels: readonly Message[];
}

export type ActionResult = ForwardResult | RedirectResult | DirectResponseResult;

/** Since then the old host is kept in a header. */
const originalHostSince: EnvoyMinor = 35;

/** What the action of a route comes to, with the headers that the context has. */
export function actionOf(
  entry: RouteEntry,
  context: MatchContext,
  options: RewriteOptions = {},
): ActionResult {
  const levels = levelsOf(entry);
  if (child(entry.route, "redirect") !== undefined) {
    const { location, unknowns } = redirectTarget(entry.route, context.headers, context.envoy);
    const status = redirectStatus(child(entry.route, "redirect"));
    return { kind: "redirect", entry, status, location, levels, unknowns };
  }
  const direct = child(entry.route, "direct_response");
  if (direct !== undefined)
    return {
      kind: "direct response",
      entry,
      ...directResponse(direct, context.headers, context.envoy),
      levels,
    };
  return forward(entry, levels, context, options);
}

function forward(
  entry: RouteEntry,
  levels: readonly Message[],
  context: MatchContext,
  options: RewriteOptions,
): ForwardResult {
  const action = routeAction(entry);
  const rewritten = rewriteRequest(entry, context, options);
  const virtualCluster = virtualClusterName(entry.virtualHost, context.headers, context.envoy);
  const isNamed = virtualCluster === null || typeof virtualCluster === "string";
  return {
    kind: "forward",
    entry,
    cluster: entry.cluster,
    clusterNotFoundStatus: clusterNotFoundStatus(action),
    weightedClusters: weightedClusters(action, context.headers, context.runtime),
    request: isNamed
      ? rewritten
      : { ...rewritten, unknowns: [...rewritten.unknowns, ...virtualCluster.because] },
    isHostRewrittenByEndpoint: flag(action, "auto_host_rewrite") ?? false,
    timeout: routeTimeout(action, context.headers),
    retries: retryPolicy(entry, context.headers),
    mirrors: mirrorsOf(entry, context),
    hashPolicies: children(action, "hash_policy"),
    subset: subsetCriteria(entry),
    priority: isHigh(action) ? "HIGH" : "DEFAULT",
    virtualCluster: isNamed ? virtualCluster : null,
    levels,
  };
}

function isHigh(action: Message | undefined): boolean {
  const priority = field(action, "priority");
  return priority === "HIGH" || priority === 1;
}

export interface RewriteOptions {
  /** The router's `suppress_envoy_headers`: what was there before a rewrite is not kept in headers. */
  readonly suppressesEnvoyHeaders?: boolean;
}

/**
 * Headers, then the port of CONNECT, then the host, then the path (`finalizeRequestHeaders`).
 * @param context with the headers as they are when the request reaches the router
 */
export function rewriteRequest(
  entry: RouteEntry,
  context: MatchContext,
  { suppressesEnvoyHeaders = false }: RewriteOptions = {},
): RewrittenRequest {
  const action = routeAction(entry);
  const mutated = mutateRequest(entry, { request: context.headers, context });
  const unknowns: Unknown[] = [...mutated.unknowns];
  const before = withWeightedHost(entry, mutated.headers);
  let headers = withConnectPort(before, context);
  const inputNow = (): FormatInput => ({ request: headers, response: null, context, entry });

  const host = rewrittenHost(action, inputNow());
  if (host !== null && !isText(host)) unknowns.push(...host.because);
  else if (host !== null)
    headers = withHost(headers, host, action, !suppressesEnvoyHeaders && context.envoy >= originalHostSince);

  const path = headerValue(headers, ":path");
  const newPath = path === undefined ? null : rewrittenPath(entry.route, path, inputNow());
  if (newPath !== null && !isText(newPath)) unknowns.push(...newPath.because);
  else if (newPath !== null && path !== undefined) {
    const kept = suppressesEnvoyHeaders ? headers : withHeader(headers, "x-envoy-original-path", path);
    headers = withHeader(kept, ":path", newPath);
  }
  return {
    headers: withoutAskedOfRouter(headers),
    authority: changed(context.headers, headers, ":authority"),
    path: changed(context.headers, headers, ":path"),
    unknowns,
  };
}

/** The host of a weighted entry is set with that entry's headers: the route's own rewrite comes later. */
function withWeightedHost({ weighted }: RouteEntry, headers: HeaderList): HeaderList {
  const host = text(weighted ?? undefined, "host_rewrite_literal");
  return host === "" ? headers : withHeader(headers, ":authority", host);
}

/** CONNECT gets the port back that was cut off its host. */
function withConnectPort(headers: HeaderList, context: MatchContext): HeaderList {
  const port = context.filterState.get("envoy.router.original_connect_port");
  const host = headerValue(headers, ":authority") ?? "";
  if (port === undefined || withoutPort(host) !== host) return headers;
  return withHeader(headers, ":authority", `${host}:${port}`);
}

function changed(before: HeaderList, after: HeaderList, name: string): string | null {
  const value = headerValue(after, name);
  return value === undefined || value === headerValue(before, name) ? null : value;
}

/** The response's headers after the levels of the route. @param response as it comes from the cluster, or from Envoy itself */
export const rewriteResponse = (
  entry: RouteEntry,
  response: HeaderList,
  context: MatchContext,
): MutatedHeaders => mutateResponse(entry, response, { request: context.headers, context });
