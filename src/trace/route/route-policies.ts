/** What a route asks for besides the cluster: time, retries, mirrors, and which hosts of the cluster. */
import { isGrpc } from "../grpc-request.js";
import { child, children, field, isMessage, number, text, type Message } from "../../snapshot/message.js";
import { certainty, runtimeFraction } from "../matchers/runtime-fraction.js";
import { asciiLower } from "../matchers/string-matcher.js";
import type { MatchContext, Runtime } from "../match-context.js";
import { firstHeader, headerValue, type HeaderList } from "../request.js";
import { grpcTimeout, milliseconds } from "./duration.js";
import { routeAction, type RouteEntry } from "./route-entry.js";

const defaultTimeout = 15_000;

/** For the whole response, with all retries, in milliseconds; null where there is none (`FilterUtility::finalTimeout`). */
export function routeTimeout(action: Message | undefined, headers: HeaderList): number | null {
  const inHeader = wholeHeader(headers, "x-envoy-upstream-rq-timeout-ms");
  const timeout = inHeader ?? configuredTimeout(action, headers);
  return timeout <= 0 ? null : timeout;
}

function configuredTimeout(action: Message | undefined, headers: HeaderList): number {
  const most = milliseconds(action, "max_grpc_timeout");
  if (most !== undefined && isGrpc(headers)) return cappedGrpcTimeout(action, most, headers);
  // newer settings take the place of this one, even where they are empty
  if (child(action, "max_stream_duration") !== undefined) return 0;
  return milliseconds(action, "timeout") ?? defaultTimeout;
}

/** 0 means no end, for the header as for the limit. */
function cappedGrpcTimeout(action: Message | undefined, most: number, headers: HeaderList): number {
  const asked = grpcTimeout(firstHeader(headers, "grpc-timeout")) ?? 0;
  const offset = milliseconds(action, "grpc_timeout_offset") ?? 0;
  const own = offset < asked ? asked - offset : asked;
  return most !== 0 && (own === 0 || own > most) ? most : own;
}

function wholeHeader(headers: HeaderList, name: string): number | undefined {
  const value = firstHeader(headers, name);
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

export interface RetryPolicy {
  /** `5xx,reset`, also what the request's own header adds. */
  readonly retryOn: string;
  readonly retries: number;
  /** In milliseconds; null where there is none. */
  readonly perTryTimeout: number | null;
  readonly retriableStatusCodes: readonly number[];
}

/** The route's policy, else the virtual host's, which do not add up; null where nothing is retried. */
export function retryPolicy({ virtualHost, route }: RouteEntry, headers: HeaderList): RetryPolicy | null {
  const policy = child(route, "route", "retry_policy") ?? child(virtualHost, "retry_policy");
  const asked = ["x-envoy-retry-on", "x-envoy-retry-grpc-on"].map((name) => headerValue(headers, name) ?? "");
  const retryOn = [text(policy, "retry_on"), ...asked].filter((one) => one !== "").join(",");
  if (retryOn === "") return null;
  const timeout = milliseconds(policy, "per_try_timeout") ?? 0;
  const codes = field(policy, "retriable_status_codes");
  return {
    retryOn,
    retries: wholeHeader(headers, "x-envoy-max-retries") ?? number(policy, "num_retries") ?? 1,
    perTryTimeout: timeout <= 0 ? null : timeout,
    retriableStatusCodes: Array.isArray(codes) ? codes.filter((code) => typeof code === "number") : [],
  };
}

export interface Mirror {
  readonly cluster: string;
  /** 0..1 of the requests of the route. */
  readonly share: number;
}

/** Where copies of the request go: the route's policies, else the virtual host's, else the route configuration's. */
export function mirrorsOf({ config, virtualHost, route }: RouteEntry, context: MatchContext): Mirror[] {
  if (headerValue(context.headers, ":method") === "CONNECT") return [];
  const levels = [child(route, "route"), virtualHost, config];
  const policies = levels
    .map((level) => children(level, "request_mirror_policies"))
    .find((list) => list.length > 0);
  return (policies ?? []).flatMap((policy) => {
    const share = mirroredShare(child(policy, "runtime_fraction"), context.runtime, context.random);
    const cluster = mirrorCluster(policy, context.headers);
    return share > 0 && cluster !== "" ? [{ cluster, share }] : [];
  });
}

function mirrorCluster(policy: Message, headers: HeaderList): string {
  const literal = text(policy, "cluster");
  return literal === "" ? (firstHeader(headers, asciiLower(text(policy, "cluster_header"))) ?? "") : literal;
}

function mirroredShare(fraction: Message | undefined, runtime: Runtime, random: bigint | null): number {
  if (fraction === undefined) return 1;
  const own = runtimeFraction(fraction, runtime);
  const certain = certainty(own);
  if (certain !== null) return certain ? 1 : 0;
  if (random === null) return own.numerator / own.denominator;
  return random % BigInt(own.denominator) < BigInt(own.numerator) ? 1 : 0;
}

/** The subset of hosts that is asked for: what the weighted entry names wins over the route's; null where none is. */
export function subsetCriteria(entry: RouteEntry): Readonly<Record<string, unknown>> | null {
  const criteria = [routeAction(entry), entry.weighted].map((level) => {
    const metadata = child(level ?? undefined, "metadata_match", "filter_metadata");
    const own = metadata === undefined ? undefined : field(metadata, "envoy.lb");
    return isMessage(own) ? own : undefined;
  });
  return criteria.every((one) => one === undefined)
    ? null
    : Object.fromEntries(criteria.flatMap((one) => Object.entries(one ?? {})));
}
