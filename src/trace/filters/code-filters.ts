/** Filters whose work is done by code or by another process, which no snapshot shows. */
import { child, flag, text, type Message } from "../../snapshot/message.js";
import { enumName } from "../enum-value.js";
import { unknown, type UnknownReason } from "../unknown.js";
import {
  mostSpecific,
  passed,
  undecided,
  type EvaluateFilter,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
} from "./filter.js";

/** One that may answer, or change the request, in any way. */
export const mayDoAnything =
  (reason: UnknownReason, what: string): EvaluateFilter =>
  ({ name }) =>
    undecided([unknown(reason, `${what} ${name} may answer or change the request.`)]);

/** `envoy.filters.http.lua`: without a script for the route it does nothing. */
export function evaluateLua(filter: HttpFilter): FilterResult {
  const own = mostSpecific(filter);
  if (flag(own, "disabled") === true) return passed();
  const named = text(own, "name");
  const hasNamed = child(filter.config, "source_codes", named) !== undefined;
  const isOwn = child(own, "source_code") !== undefined || (named !== "" && hasNamed);
  const hasDefault =
    child(filter.config, "default_source_code") !== undefined || text(filter.config, "inline_code") !== "";
  if (named !== "" && !hasNamed) return passed();
  if (!isOwn && !hasDefault) return passed();
  return undecided([unknown("code", `The Lua filter ${filter.name} may answer or change the request.`)]);
}

/** `envoy.filters.http.ext_proc`: without a message about the request it cannot touch it; Istio adds such filters for routes. */
export function evaluateExtProc(filter: HttpFilter, context: FilterContext): FilterResult {
  const own = mostSpecific(filter);
  if (flag(own, "disabled") === true) return passed();
  const overrides = child(own, "overrides");
  const mode = child(overrides, "processing_mode") ?? child(filter.config, "processing_mode");
  if (flag(filter.config, "observability_mode") === true || !seesRequest(mode)) return passed();
  const service = child(overrides, "grpc_service") ?? child(filter.config, "grpc_service");
  const cluster = text(child(service, "envoy_grpc"), "cluster_name");
  const allowsFailure = flag(overrides, "failure_mode_allow") ?? flag(filter.config, "failure_mode_allow");
  if (cluster !== "" && context.surroundings.hasCluster(cluster) === false && allowsFailure === true)
    return passed();
  const whom = cluster === "" ? "a process" : cluster;
  return undecided([
    unknown("external processor", `The filter ${filter.name} lets ${whom} answer or change the request.`),
  ]);
}

/** Headers are sent by default, bodies are not. */
function seesRequest(mode: Message | undefined): boolean {
  const headers = enumName(mode, "request_header_mode", ["DEFAULT", "SEND", "SKIP"]);
  const body = enumName(mode, "request_body_mode", ["NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL"]);
  return headers !== "SKIP" || body !== "NONE";
}

/** `envoy.filters.http.stateful_session`: a session that the request carries picks the host. */
export function evaluateStatefulSession(filter: HttpFilter, { headers }: FilterContext): FilterResult {
  const own = mostSpecific(filter);
  if (flag(own, "disabled") === true) return passed();
  const config = child(own, "stateful_session") ?? filter.config;
  const state = child(config, "session_state", "typed_config");
  if (state === undefined) return passed();
  const cookie = text(child(state, "cookie"), "name");
  const header = text(state, "name");
  const carries = headers.some(
    ([name, value]) =>
      (cookie !== "" && name === "cookie" && value.includes(`${cookie}=`)) || name === header.toLowerCase(),
  );
  if (!carries) return passed();
  return undecided([
    unknown("unsupported filter", `The session that the filter ${filter.name} reads picks the host.`),
  ]);
}

/** Filters that put what they find out into headers or metadata, and let every request pass. */
export const addsSomething: EvaluateFilter = ({ name }) =>
  undecided([unknown("unsupported filter", `What the filter ${name} adds to the request is not evaluated.`)]);
