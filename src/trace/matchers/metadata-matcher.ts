/** Conditions on what filters set before: dynamic metadata and filter state. */
import { child, children, field, flag, isMessage, text, type Message } from "../../snapshot/message.js";
import { cidrOfMessage, contains, parseIp } from "../address.js";
import type { MatchContext } from "../match-context.js";
import { not, unknownTruth, type Ternary, type UnknownTruth } from "../ternary.js";
import { unknown } from "../unknown.js";
import { matchString } from "./string-matcher.js";
import { matchValue } from "./value-matcher.js";

type Metadata = Pick<MatchContext, "dynamicMetadata" | "isComplete">;
type FilterState = Pick<MatchContext, "filterState" | "isComplete">;

/** `envoy.type.matcher.v3.MetadataMatcher`. */
export function matchMetadata(matcher: Message, context: Metadata): Ternary {
  const path = children(matcher, "path").map((segment) => text(segment, "key"));
  const value = metadataValue(context, text(matcher, "filter"), path);
  const matches = value.state === "unknown" ? value.truth : matchValue(child(matcher, "value"), value.value);
  return (flag(matcher, "invert") ?? false) ? not(matches) : matches;
}

export type MetadataValue =
  | { readonly state: "known"; readonly value: unknown }
  | { readonly state: "unknown"; readonly truth: UnknownTruth };

/** A value of dynamic metadata, undefined where it is not set (`Config::Metadata::metadataValue`). */
export function metadataValue(context: Metadata, filter: string, path: readonly string[]): MetadataValue {
  if (!context.dynamicMetadata.has(filter))
    return context.isComplete ? { state: "known", value: undefined } : notKnown(filter);
  let value: unknown = context.dynamicMetadata.get(filter);
  for (const key of path) {
    if (!isMessage(value)) return { state: "known", value: undefined };
    value = field(value, key);
  }
  return { state: "known", value: path.length === 0 ? undefined : value };
}

const notKnown = (filter: string): MetadataValue => ({
  state: "unknown",
  truth: unknownTruth(
    unknown("dynamic metadata", `What filters set under ${JSON.stringify(filter)} as they run is not known.`),
  ),
});

/** `envoy.type.matcher.v3.FilterStateMatcher`: an object that is missing does not match. */
export function matchFilterState(matcher: Message, context: FilterState): Ternary {
  const key = text(matcher, "key");
  const value = filterStateValue(context, key);
  if (value === undefined) return false;
  if (typeof value !== "string") return value;
  const stringMatch = child(matcher, "string_match");
  if (stringMatch !== undefined) return matchString(stringMatch, value);
  const addressMatch = child(matcher, "address_match");
  if (addressMatch === undefined)
    return unknownTruth(
      unknown("filter state", `A condition on ${JSON.stringify(key)} that we do not know.`),
    );
  const ip = parseIp(value);
  const ranges = children(addressMatch, "ranges").map(cidrOfMessage);
  const isCovered = ip !== null && ranges.some((range) => range !== null && contains(range, ip));
  return isCovered !== (flag(addressMatch, "invert_match") ?? false);
}

/** An object of filter state as text; undefined where it is not set. */
export function filterStateValue(context: FilterState, key: string): string | undefined | UnknownTruth {
  const value = context.filterState.get(key);
  if (value !== undefined || context.isComplete) return value;
  return unknownTruth(
    unknown("filter state", `Whether a filter sets ${JSON.stringify(key)} as it runs is not known.`),
  );
}
