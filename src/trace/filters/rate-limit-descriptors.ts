/** Whether a request has descriptors for a rate limit (`source/extensions/filters/common/ratelimit_config`). */
import { child, children, field, flag, number, text, type Message } from "../../snapshot/message.js";
import { enumName } from "../enum-value.js";
import { matchHeaders } from "../matchers/header-matcher.js";
import { metadataValue, type MetadataValue } from "../matchers/metadata-matcher.js";
import { matchQueryParameter, queryParameters } from "../matchers/query-matcher.js";
import { asciiLower } from "../matchers/string-matcher.js";
import { firstHeader } from "../request.js";
import { allOf, anyOf, not, unknownTruth, type Ternary } from "../ternary.js";
import { unknown } from "../unknown.js";
import type { FilterContext } from "./filter.js";

/** Whether any of `rate_limits` gives a descriptor. @param stage entries of other stages are for other filters */
export const hasDescriptor = (limits: readonly Message[], stage: number, context: FilterContext): Ternary =>
  anyOf(
    limits.filter((limit) => (number(limit, "stage") ?? 0) === stage && isSwitchedOn(limit, context)),
    (limit) => allOf(children(limit, "actions"), (action) => givesEntry(action, context)),
  );

function isSwitchedOn(limit: Message, { runtime }: FilterContext): boolean {
  const key = text(limit, "disable_key");
  const share = key === "" ? undefined : runtime.value(`ratelimit.${key}.http_filter_enabled`);
  return share !== 0 && share !== "0";
}

/** An action without an entry makes its descriptor void, unless it may be skipped. */
function givesEntry(action: Message, context: FilterContext): Ternary {
  for (const always of ["source_cluster", "destination_cluster", "generic_key"])
    if (field(action, always) !== undefined) return true;
  for (const address of ["remote_address", "masked_remote_address"])
    if (field(action, address) !== undefined) return hasAddress(context);
  for (const [name, test] of Object.entries(tests)) {
    const own = child(action, name);
    if (own !== undefined) return flag(own, "skip_if_absent") === true || test(own, context);
  }
  const name = Object.keys(action).join(", ");
  return unknownTruth(unknown("expression", `The action ${name} of a rate limit is not evaluated.`));
}

function hasAddress({ downstreamRemote }: FilterContext): Ternary {
  return downstreamRemote === "unknown"
    ? unknownTruth(unknown("client address", "The address of the client is not known."))
    : downstreamRemote !== null;
}

type ActionTest = (action: Message, context: FilterContext) => Ternary;

const tests: Readonly<Record<string, ActionTest>> = {
  request_headers: (action, { headers }) =>
    firstHeader(headers, asciiLower(text(action, "header_name"))) !== undefined,
  query_parameters: (action, { headers }) => parametersOf(headers).has(text(action, "query_parameter_name")),
  header_value_match: (action, { headers, envoy }) =>
    expected(action, matchHeaders(children(action, "headers"), headers, envoy)),
  query_parameter_value_match: (action, { headers, envoy }) =>
    expected(
      action,
      allOf(children(action, "query_parameters"), (one) =>
        matchQueryParameter(one, parametersOf(headers), envoy),
      ),
    ),
  dynamic_metadata: (action, context) => hasMetadata(action, context),
  metadata: (action, context) => hasMetadata(action, context),
};

const parametersOf = (headers: FilterContext["headers"]): ReadonlyMap<string, string> =>
  queryParameters(firstHeader(headers, ":path") ?? "");

const expected = (action: Message, matches: Ternary): Ternary =>
  (flag(action, "expect_match") ?? true) ? matches : not(matches);

/** A text that is not empty, or a default. */
function hasMetadata(action: Message, context: FilterContext): Ternary {
  if (text(action, "default_value") !== "") return true;
  const value = readMetadata(action, context);
  if (value.state === "unknown") return value.truth;
  return typeof value.value === "string" && value.value !== "";
}

function readMetadata(action: Message, context: FilterContext): MetadataValue {
  const key = child(action, "metadata_key");
  const path = children(key, "path").map((segment) => text(segment, "key"));
  const isOfRoute = enumName(action, "source", ["DYNAMIC", "ROUTE_ENTRY"]) === "ROUTE_ENTRY";
  const ofRoute = Object.entries(child(context.entry?.route, "metadata", "filter_metadata") ?? {});
  const source = isOfRoute ? { dynamicMetadata: new Map(ofRoute), isComplete: true } : context;
  return metadataValue(source, text(key, "key"), path);
}
