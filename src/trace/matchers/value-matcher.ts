/** `envoy.type.matcher.v3.ValueMatcher` on a value of dynamic metadata (`source/common/common/matchers.cc`). */
import { child, children, field, flag, isMessage, number, type Message } from "../../snapshot/message.js";
import { anyOf, unknownTruth, type Ternary } from "../ternary.js";
import { unknown } from "../unknown.js";
import { matchString } from "./string-matcher.js";

/** @param value undefined where it is not set, which is not null */
export function matchValue(matcher: Message | undefined, value: unknown): Ternary {
  if (isMessage(field(matcher, "null_match"))) return value === null;
  const double = child(matcher, "double_match");
  if (double !== undefined) return typeof value === "number" && isDouble(double, value);
  const string = child(matcher, "string_match");
  if (string !== undefined) return typeof value === "string" && matchString(string, value);
  const bool = flag(matcher, "bool_match");
  if (bool !== undefined) return value === bool;
  const present = flag(matcher, "present_match");
  if (present !== undefined) return present && value !== undefined;
  const list = child(matcher, "list_match");
  if (list !== undefined)
    return Array.isArray(value) && anyOf<unknown>(value, (item) => matchValue(child(list, "one_of"), item));
  const or = child(matcher, "or_match");
  if (or !== undefined) return anyOf(children(or, "value_matchers"), (one) => matchValue(one, value));
  return unknownTruth(unknown("expression", "A value matcher without a condition that we know."));
}

function isDouble(matcher: Message, value: number): boolean {
  const range = child(matcher, "range");
  if (range !== undefined)
    return (number(range, "start") ?? 0) <= value && value < (number(range, "end") ?? 0);
  return number(matcher, "exact") === value;
}
