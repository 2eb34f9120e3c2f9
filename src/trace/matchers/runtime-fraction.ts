/** Fractions of requests: `RuntimeFractionalPercent` and the numbers of runtime (`source/common/runtime/runtime_impl.cc`). */
import { child, field, isMessage, number, text, type Message } from "../../snapshot/message.js";
import type { Runtime } from "../match-context.js";

/** Of requests, those whose random number modulo the denominator is below the numerator. */
export interface Fraction {
  readonly numerator: number;
  readonly denominator: number;
}

const denominators: Readonly<Record<string, number>> = {
  HUNDRED: 100,
  TEN_THOUSAND: 10_000,
  MILLION: 1_000_000,
};
const denominatorsByNumber = [100, 10_000, 1_000_000];

/** What a RuntimeFractionalPercent comes to: the value of its key, else its default. */
export function runtimeFraction(message: Message | undefined, runtime: Runtime): Fraction {
  const key = text(message, "runtime_key");
  const value = key === "" ? undefined : fractionIn(runtime.value(key));
  return value ?? fractionOf(child(message, "default_value"));
}

/** `envoy.type.v3.FractionalPercent`. */
export function fractionOf(message: Message | undefined): Fraction {
  const name = field(message, "denominator");
  const denominator =
    typeof name === "number" ? denominatorsByNumber[name] : denominators[text(message, "denominator")];
  return { numerator: number(message, "numerator") ?? 0, denominator: denominator ?? 100 };
}

/** A whole number is a percentage, as it was before there were fractions; undefined for what Envoy cannot read. */
function fractionIn(value: unknown): Fraction | undefined {
  const percentage = runtimeInteger(value);
  if (percentage !== undefined) return { numerator: percentage, denominator: 100 };
  if (isMessage(value)) return fractionOf(value);
  return typeof value === "string" ? fractionInText(value) : undefined;
}

/** A FractionalPercent that stands as text, JSON or YAML, in the value of a key. */
function fractionInText(value: string): Fraction | undefined {
  const numerator = /"?numerator"?\s{0,9}:\s{0,9}(\d{1,10})/.exec(value)?.[1];
  if (numerator === undefined) return undefined;
  const denominator = /"?denominator"?\s{0,9}:\s{0,9}"?([A-Z_]{1,20})/.exec(value)?.[1];
  return fractionOf({ numerator: Number(numerator), denominator });
}

/** A whole number of runtime, as a number or as text; undefined where the key is absent or holds something else. */
export function runtimeInteger(value: unknown): number | undefined {
  if (typeof value === "number") return value >= 0 ? Math.floor(value) : undefined;
  if (typeof value !== "string" || !/^\s{0,9}\d{1,19}(?:\.\d{1,19})?\s{0,9}$/.test(value)) return undefined;
  return Math.floor(Number(value));
}

/** Whether all, none, or some of the requests are meant. */
export function certainty({ numerator, denominator }: Fraction): boolean | null {
  if (numerator <= 0) return false;
  return numerator >= denominator ? true : null;
}
