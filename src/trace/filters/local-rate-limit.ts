/** `envoy.filters.http.local_ratelimit`: token buckets (`source/extensions/filters/http/local_ratelimit`). */
import { child, field } from "../../snapshot/message.js";
import { unknown } from "../unknown.js";
import {
  mostSpecific,
  passed,
  undecided,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
} from "./filter.js";
import { isDrawn } from "./fraction-gate.js";

/** It denies only where it is enabled, enforced and has a bucket; how full that is, no snapshot tells. */
export function evaluateLocalRateLimit(filter: HttpFilter, context: FilterContext): FilterResult {
  const config = mostSpecific(filter) ?? filter.config;
  const hasBucket = ["token_bucket", "descriptors"].some((name) => field(config, name) !== undefined);
  // a fraction that is absent is none, unlike elsewhere
  const isNever = ["filter_enabled", "filter_enforced"].some(
    (name) => isDrawn(child(config, name), context, `the filter ${filter.name} acts`) === false,
  );
  if (!hasBucket || isNever) return passed();
  return undecided([
    unknown("rate limit", `Whether a token is left in the bucket of the filter ${filter.name}.`),
  ]);
}
