/** `envoy.filters.http.fault` (`source/extensions/filters/http/fault/fault_filter.cc`). */
import { child, children, number, text, texts, type Message } from "../../snapshot/message.js";
import { matchHeaders } from "../matchers/header-matcher.js";
import { fractionOf, runtimeInteger } from "../matchers/runtime-fraction.js";
import { firstHeader } from "../request.js";
import { runtimeNumber } from "../runtime-values.js";
import { allOf, anyOf, isUnknown, unknownTruth, type Ternary } from "../ternary.js";
import { unknown } from "../unknown.js";
import {
  answered,
  isForwarding,
  mostSpecific,
  passed,
  undecided,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
} from "./filter.js";
import { isDrawn } from "./fraction-gate.js";
import { localReply, type LocalReply } from "./local-reply.js";

type Kind = "delay" | "abort";

/** A delay and an abort are drawn apart; the most specific configuration takes the filter's place. */
export function evaluateFault(filter: HttpFilter, context: FilterContext): FilterResult {
  const fault = mostSpecific(filter) ?? filter.config;
  const applies = isApplied(fault, context);
  if (applies === false) return passed();
  const delayed = allOf([applies, isDelayed(filter, fault, context)], (one) => one);
  const reply = abortReply(fault, context);
  const aborted =
    reply === null ? false : allOf([applies, isChosen("abort", filter, fault, context)], (one) => one);
  const responseFlags = delayed === true ? (["DI"] as const) : [];
  if (isUnknown(aborted)) return undecided(aborted.because, { responseFlags });
  const because = isUnknown(delayed) ? delayed.because : [];
  if (aborted && reply !== null)
    return { ...answered({ ...reply, responseFlags: [...responseFlags, "FI"] }), because };
  return { ...passed({ responseFlags }), because };
}

/** The gates, in Envoy's order. */
function isApplied(fault: Message, context: FilterContext): Ternary {
  const gates: (() => Ternary)[] = [
    () => hasRoom(fault, context),
    () => isTargetCluster(text(fault, "upstream_cluster"), context),
    () => isTargetNode(texts(fault, "downstream_nodes"), context),
    () => matchHeaders(children(fault, "headers"), context.headers, context.envoy),
  ];
  return allOf(gates, (gate) => gate());
}

function hasRoom(fault: Message, { runtime }: FilterContext): Ternary {
  const key = text(fault, "max_active_faults_runtime") || "fault.http.max_active_faults";
  const most = runtimeNumber(runtime, key, number(fault, "max_active_faults") ?? Infinity);
  if (most <= 0) return false;
  if (most === Infinity) return true;
  return unknownTruth(unknown("runtime state", `Whether fewer than ${most} faults are active.`));
}

function isTargetCluster(target: string, context: FilterContext): boolean {
  if (target === "") return true;
  return isForwarding(context) && context.entry?.cluster === target;
}

function isTargetNode(nodes: readonly string[], { headers }: FilterContext): boolean {
  const node = firstHeader(headers, "x-envoy-downstream-service-node");
  return nodes.length === 0 || (node !== undefined && nodes.includes(node));
}

const percentKeys: Readonly<Record<Kind, string>> = {
  delay: "fault.http.delay.fixed_delay_percent",
  abort: "fault.http.abort.abort_percent",
};

/** By the percentage, or by that of the runtime; clients that name their cluster may have one more key, and draw. */
function isChosen(kind: Kind, filter: HttpFilter, fault: Message, context: FilterContext): Ternary {
  const percentage = percentageOf(kind, fault, context);
  const own = text(fault, `${kind}_percent_runtime`) || percentKeys[kind];
  const client = firstHeader(context.headers, "x-envoy-downstream-service-cluster") ?? "";
  const suffix = kind === "delay" ? "fixed_delay_percent" : "abort_percent";
  const keys = client === "" ? [own] : [own, `fault.http.${client}.${kind}.${suffix}`];
  return anyOf(keys, (key) =>
    isDrawn(
      { runtime_key: key, default_value: percentage },
      context,
      `the ${kind} of the filter ${filter.name}`,
    ),
  );
}

/** Faults by header take a smaller percentage from a header, too. */
function percentageOf(kind: Kind, fault: Message, { headers }: FilterContext): Message {
  const percentage = child(fault, kind, "percentage") ?? {};
  if (child(fault, kind, `header_${kind}`) === undefined) return percentage;
  const asked = headerNumber(firstHeader(headers, `x-envoy-fault-${kind}-request-percentage`));
  const { numerator } = fractionOf(percentage);
  return asked === undefined ? percentage : { ...percentage, numerator: Math.min(asked, numerator) };
}

const headerNumber = (value: string | undefined): number | undefined =>
  value === undefined || !/^\s{0,9}\d{1,10}\s{0,9}$/.test(value) ? undefined : runtimeInteger(value);

function isDelayed(filter: HttpFilter, fault: Message, context: FilterContext): Ternary {
  const milliseconds = delayOf(fault, context);
  return milliseconds > 0 && isChosen("delay", filter, fault, context);
}

function delayOf(fault: Message, { headers, runtime }: FilterContext): number {
  const delay = child(fault, "delay");
  const asked =
    child(delay, "header_delay") === undefined
      ? millisecondsOf(text(delay, "fixed_delay"))
      : (headerNumber(firstHeader(headers, "x-envoy-fault-delay-request")) ?? 0);
  if (delay === undefined || asked <= 0) return 0;
  const key = text(fault, "delay_duration_runtime") || "fault.http.delay.fixed_duration_ms";
  return runtimeNumber(runtime, key, asked);
}

/** Of a protobuf duration, `0.250s`. */
function millisecondsOf(duration: string): number {
  const seconds = /^(\d{1,12}(?:\.\d{1,9})?)s$/.exec(duration)?.[1];
  return seconds === undefined ? 0 : Math.floor(Number(seconds) * 1000);
}

/** What an abort answers; null where it has no status, as one by header without the header. */
function abortReply(fault: Message, context: FilterContext): LocalReply | null {
  const abort = child(fault, "abort");
  if (abort === undefined) return null;
  const body = { body: "fault filter abort" };
  const status = abortStatus(fault, abort, context);
  if (status !== undefined) return localReply(status, "fault_filter_abort", body);
  const grpcStatus = grpcAbortStatus(fault, abort, context);
  return grpcStatus === undefined ? null : localReply(200, "fault_filter_abort", { ...body, grpcStatus });
}

function abortStatus(
  fault: Message,
  abort: Message,
  { headers, runtime }: FilterContext,
): number | undefined {
  const asked =
    child(abort, "header_abort") === undefined
      ? number(abort, "http_status")
      : headerNumber(firstHeader(headers, "x-envoy-fault-abort-request"));
  if (asked === undefined || asked < 200 || asked >= 600) return undefined;
  const key = text(fault, "abort_http_status_runtime") || "fault.http.abort.http_status";
  return runtimeNumber(runtime, key, asked);
}

function grpcAbortStatus(
  fault: Message,
  abort: Message,
  { headers, runtime }: FilterContext,
): number | undefined {
  const asked =
    child(abort, "header_abort") === undefined
      ? number(abort, "grpc_status")
      : headerNumber(firstHeader(headers, "x-envoy-fault-abort-grpc-request"));
  if (asked === undefined) return undefined;
  const key = text(fault, "abort_grpc_status_runtime") || "fault.http.abort.grpc_status";
  return runtimeNumber(runtime, key, asked);
}
