/** Three-valued logic: what a snapshot cannot tell is neither true nor false, and the answer names what it hangs on. */
import type { Unknown } from "./unknown.js";

export type Ternary = boolean | UnknownTruth;

/** Neither true nor false, with everything that would have to be known. */
export interface UnknownTruth {
  readonly because: readonly Unknown[];
}

export const isUnknown = (value: Ternary): value is UnknownTruth => typeof value === "object";
export const unknownTruth = (...because: readonly Unknown[]): UnknownTruth => ({ because });

export const not = (value: Ternary): Ternary => (isUnknown(value) ? value : !value);

/** False as soon as one is false, whatever the others are. */
export function allOf<T>(items: Iterable<T>, test: (item: T) => Ternary): Ternary {
  const because: Unknown[] = [];
  for (const item of items) {
    const value = test(item);
    if (value === false) return false;
    if (isUnknown(value)) because.push(...value.because);
  }
  return because.length === 0 ? true : { because: distinct(because) };
}

/** True as soon as one is true. */
export function anyOf<T>(items: Iterable<T>, test: (item: T) => Ternary): Ternary {
  const because: Unknown[] = [];
  for (const item of items) {
    const value = test(item);
    if (value === true) return true;
    if (isUnknown(value)) because.push(...value.because);
  }
  return because.length === 0 ? false : { because: distinct(because) };
}

function distinct(list: readonly Unknown[]): Unknown[] {
  const seen = new Map(list.map((one) => [`${one.reason}\u0000${one.message}`, one]));
  return [...seen.values()];
}
