/** Numbers for JSON values: equal values have equal numbers, so two values are compared once, however deep they stand. */
import { isList, isObject, type JsonValue } from "../shared/json-value.js";

export type NumberOf = (value: JsonValue) => number;

/** Linear in what it is asked about, each value counted once; members may stand in any order. */
export function numbering(): NumberOf {
  const numbers = new Map<string, number>();
  const known = new WeakMap<object, number>();
  const textOf = (value: JsonValue): string => {
    if (isList(value)) return `[${value.map(numberOf).join(",")}]`;
    if (!isObject(value)) return JSON.stringify(value);
    const members = Object.keys(value)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${numberOf(value[key] ?? null)}`);
    return `{${members.join(",")}}`;
  };
  const numberOf = (value: JsonValue): number => {
    const isPart = typeof value === "object" && value !== null;
    const old = isPart ? known.get(value) : undefined;
    if (old !== undefined) return old;
    const text = textOf(value);
    const number = numbers.get(text) ?? numbers.size;
    numbers.set(text, number);
    if (isPart) known.set(value, number);
    return number;
  };
  return numberOf;
}
