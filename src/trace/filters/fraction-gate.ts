/** Filters that act on a fraction of requests, drawn by each for itself (`Snapshot::featureEnabled`). */
import type { Message } from "../../snapshot/message.js";
import type { MatchContext } from "../match-context.js";
import { certainty, runtimeFraction } from "../matchers/runtime-fraction.js";
import { unknownTruth, type Ternary } from "../ternary.js";
import { unknown } from "../unknown.js";

/**
 * Whether a `RuntimeFractionalPercent` takes the request; the stream's random number has no part in it.
 * @param what for the sentence of an unknown: `the filter "fault" aborts`
 */
export function isDrawn(fractional: Message | undefined, context: MatchContext, what: string): Ternary {
  const fraction = runtimeFraction(fractional, context.runtime);
  const { numerator, denominator } = fraction;
  return (
    certainty(fraction) ??
    context.drawn?.(fraction, what) ??
    unknownTruth(unknown("random", `Whether ${what} is drawn: ${numerator} of ${denominator} requests.`))
  );
}
