/** The tracer's prediction against what the real Envoy decided. */
import { isUnknownValue } from "../../../src/trace/request.js";
import type { EndpointShare, Hop, TraceResult } from "../../../src/trace/result.js";
import type { UnknownReason } from "../../../src/trace/unknown.js";
import type { Decision } from "./decision.js";
import { markerHeader } from "./judged-request.js";
import type { PredictedBranch } from "./prediction.js";

export interface Comparison {
  /** Sentences, one for each disagreement; none where both agree, or where the tracer says that it cannot know. */
  readonly disagreements: readonly string[];
  /** Its reason, where the tracer says so and nothing that it does say fits. */
  readonly unknown: UnknownReason | null;
}

/**
 * With the way that fits best: what is random agrees where Envoy's choice has a share above 0. A way that hangs on something
 * unknown is only a condition: where nothing fits, it is counted as unknown, by its reason.
 */
export function comparison(actual: Decision, predicted: readonly PredictedBranch[]): Comparison {
  const possible = predicted.filter(({ share }) => share !== 0);
  const known = possible.filter(({ outcome }) => outcome.kind !== "unknown");
  const disagreements = best(known.map((branch) => compareBranch(actual, branch)));
  if (disagreements !== null && disagreements.length === 0) return { disagreements, unknown: null };
  const reason = possible.flatMap(({ unknowns }) => unknowns)[0]?.reason;
  if (reason !== undefined) return { disagreements: [], unknown: reason };
  const isUnknown = possible.some(({ outcome }) => outcome.kind === "unknown");
  return {
    disagreements: isUnknown
      ? ["the outcome is unknown without a reason"]
      : (disagreements ?? ["nothing is predicted"]),
    unknown: null,
  };
}

/** Sentences, one for each disagreement with the trace that a user gets. */
export const compareDecision = (actual: Decision, predicted: TraceResult): readonly string[] =>
  comparison(
    actual,
    (predicted.branches.length > 0 ? predicted.branches : [{ ...predicted, share: 1 }]).map(
      ({ share, outcome, hops }) => ({ share, outcome, hops, unknowns: predicted.unknowns }),
    ),
  ).disagreements;

const best = (candidates: readonly (readonly string[])[]): readonly string[] | null =>
  candidates.reduce<readonly string[] | null>(
    (found, one) => (found === null || one.length < found.length ? one : found),
    null,
  );

/** What fails in a listener inside of Envoy before its log knows whose it is: the one in front of it tells that it fails. */
const failsUnseen = (actual: Decision, outcome: Predicted["outcome"]): boolean =>
  isUnreachable(actual) && actual.upstreamHost?.startsWith("envoy://") === true && outcome.kind === "failure";

type Predicted = Pick<PredictedBranch, "outcome" | "hops">;

function compareBranch(actual: Decision, { outcome, hops }: Predicted): string[] {
  const decisions = [actual, ...(actual.next === null ? [] : [actual.next])];
  const compared = decisions.flatMap((decision, index) => {
    const hop = hops[index];
    if (hop === undefined) return [`Envoy has a hop ${index + 1}, the trace has none`];
    const sentences = compareHop(decision, hop);
    return index === 0 ? sentences : sentences.map((sentence) => `hop ${index + 1}: ${sentence}`);
  });
  const last = decisions[decisions.length - 1] ?? actual;
  return failsUnseen(last, outcome) && hops.length > decisions.length
    ? compared
    : [...compared, ...compareOutcome(last, outcome)];
}

function compareHop(actual: Decision, hop: Hop): string[] {
  return [
    ...differs("listener", actual.listener, hop.listener?.name ?? null),
    ...differs("filter chain", actual.filterChain, nameOrNull(hop.filterChain?.name)),
    ...(actual.status === null || isBeforeRoutes(actual)
      ? []
      : [
          ...differs("virtual host", actual.virtualHost, nameOrNull(hop.virtualHost)),
          ...differs("route", actual.route, nameOrNull(hop.route)),
        ]),
    ...(actual.cluster === null || isCutOff(actual) || isBeforeRoutes(actual)
      ? []
      : differs("cluster", actual.cluster, hop.cluster)),
    ...hostDisagreements(actual, hop.endpoints),
    ...requestDisagreements(actual, hop),
  ];
}

const nameOrNull = (name: string | null | undefined): string | null =>
  name === undefined || name === "" ? null : name;

/**
 * Whether Envoy answered before it looked for a route: it does look then, too, to see how to word its answer, and its log
 * names that virtual host and route. A redirect of `require_tls` has no route of the configuration.
 */
const isBeforeRoutes = ({ details }: Decision): boolean =>
  /^(?:path_normalization_failed|missing_host_header|absolute_path_rejected|missing_path_rejected|low_version|http[12]?\.)/.test(
    details,
  );

/** A TCP proxy connects before a handshake fails, and before RBAC sees bytes: what it chose for them counts for nothing. */
const isCutOff = ({ status, isHandshakeFailed, details }: Decision): boolean =>
  status === null && (isHandshakeFailed || details !== "");

function hostDisagreements(actual: Decision, endpoints: readonly EndpointShare[]): string[] {
  const { upstreamHost } = actual;
  if (upstreamHost === null || !isSentOn(actual)) return [];
  const named = endpoints.filter((one) => hostOf(one) === hostName(upstreamHost));
  if (named.length === 0) return [`host: Envoy takes ${upstreamHost}, the trace does not list it`];
  return named.every(({ share }) => share === 0)
    ? [`host: Envoy takes ${upstreamHost}, the trace gives it no share`]
    : [];
}

const hostOf = ({ address, port }: EndpointShare): string =>
  port === null ? address : address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

/** Of `envoy://<listener>/<endpoint id>` the listener. */
const hostName = (upstreamHost: string): string =>
  /^envoy:\/\/([^/]*)/.exec(upstreamHost)?.[1] ?? upstreamHost;

/** What the server got; only where this hop is the last one. */
function requestDisagreements({ received, next }: Decision, hop: Hop): string[] {
  const http = received?.http ?? null;
  if (http === null || next !== null || hop.route === null) return [];
  const predicted = (name: string): string | null =>
    hop.requestHeaders.find(([own]) => own === name)?.[1] ?? null;
  return [
    ...differs("path at the server", http.path, predicted(":path")),
    ...differs("authority at the server", http.authority, predicted(":authority")),
    ...hop.requestHeaders
      .filter(([name, value]) => !name.startsWith(":") && name !== markerHeader && !isUnknownValue(value))
      .flatMap(([name]) =>
        differs(`header ${name} at the server`, all(http.headers, name), all(hop.requestHeaders, name)),
      ),
  ];
}

const all = (headers: Hop["requestHeaders"], name: string): string =>
  headers
    .filter(([own]) => own === name)
    .map(([, value]) => value)
    .join(",");

/** What a snapshot cannot tell: that nothing answers at the address that Envoy chose. The choice is what agrees. */
const isUnreachable = ({ flags, upstreamHost }: Decision): boolean =>
  flags.includes("UF") && upstreamHost !== null;

/** Whether a host got the request, or would have, were it there; a tunnel has details of how the client ended it. */
const isSentOn = (actual: Decision): boolean =>
  isUnreachable(actual) ||
  (actual.status === null
    ? actual.upstreamHost !== null && !isCutOff(actual)
    : actual.details === "via_upstream" ||
      (actual.upstreamHost !== null && actual.details.startsWith("downstream_")) ||
      actual.received !== null);

function compareOutcome(actual: Decision, outcome: Predicted["outcome"]): string[] {
  if (isSentOn(actual)) return differs("outcome", "endpoint", outcome.kind);
  if (outcome.kind === "endpoint") {
    const answer = actual.status === null ? "closes the connection" : `answers ${actual.status}`;
    return [`Envoy ${answer} (${actual.details} ${flagsOf(actual.flags)}), the trace reaches an endpoint`];
  }
  return [
    ...differs("status", actual.status, outcome.status),
    ...differs("flags", flagsOf(actual.flags), flagsOf(outcome.responseFlags)),
    // a TCP proxy without a cluster or a host gives none
    ...(actual.status === null && actual.details === ""
      ? []
      : differs("details", actual.details, outcome.detail)),
    ...differs("location", actual.location, outcome.location),
  ];
}

const flagsOf = (flags: readonly string[]): string => [...flags].sort().join(",");

const differs = (what: string, actual: unknown, predicted: unknown): string[] =>
  actual === predicted
    ? []
    : [`${what}: Envoy says ${JSON.stringify(actual)}, the trace says ${JSON.stringify(predicted)}`];
