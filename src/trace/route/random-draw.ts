/**
 * The random number of a stream, as far as it is known. Runtime fractions and weighted clusters of one request look at the
 * same number, each modulo something: what is left of it after several of them is an interval for each modulus.
 */
import type { Fraction } from "../matchers/runtime-fraction.js";

/** Of the numbers, those with `from <= number mod modulus < to`. */
export interface Interval {
  readonly modulus: number;
  readonly from: number;
  readonly to: number;
}

/** One interval for each modulus: all of them hold. */
export type Draw = readonly Interval[];

/** Every number. */
export const anyDraw: Draw = [];

/** Residues that are counted one by one, for all questions about one request. */
const countLimit = 2 ** 24;

/** Counts residues, until it has counted too many. */
export class ShareCounter {
  #left = countLimit;

  /** The share of the numbers that a draw leaves; null where it would be too much to count. */
  shareOf(draw: Draw): number | null {
    if (draw.some(({ from, to }) => from >= to)) return 0;
    const [widest, ...others] = [...draw].sort((a, b) => b.modulus - a.modulus);
    if (widest === undefined) return 1;
    if (others.length === 0) return (widest.to - widest.from) / widest.modulus;
    const period = others.reduce<number>(
      (sum, { modulus }) => leastCommonMultiple(sum, modulus),
      widest.modulus,
    );
    const windows = period / widest.modulus;
    const [second, ...rest] = others;
    const steps = rest.length === 0 ? windows : windows * (widest.to - widest.from);
    if (second === undefined || !Number.isSafeInteger(period) || steps > this.#left) return null;
    this.#left -= steps;
    const hits = rest.length === 0 ? countOfTwo(widest, second, windows) : count(widest, others, windows);
    return hits / period;
  }
}

/** Of two intervals, without looking at each number. */
function countOfTwo(widest: Interval, second: Interval, windows: number): number {
  let hits = 0;
  for (let window = 0; window < windows; window++) {
    const start = window * widest.modulus;
    hits += hitsBelow(second, start + widest.to) - hitsBelow(second, start + widest.from);
  }
  return hits;
}

/** How many numbers below a limit have a residue in the interval. */
function hitsBelow({ modulus, from, to }: Interval, limit: number): number {
  const whole = Math.floor(limit / modulus);
  return whole * (to - from) + Math.min(Math.max(limit - whole * modulus - from, 0), to - from);
}

function count(widest: Interval, others: readonly Interval[], windows: number): number {
  let hits = 0;
  for (let window = 0; window < windows; window++) {
    const start = window * widest.modulus;
    for (let number = start + widest.from; number < start + widest.to; number++) {
      if (others.every((interval) => isIn(interval, number % interval.modulus))) hits += 1;
    }
  }
  return hits;
}

const isIn = ({ from, to }: Interval, residue: number): boolean => from <= residue && residue < to;

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}

/** What is left of a draw in an interval. */
export function within(draw: Draw, interval: Interval): Draw {
  const at = draw.findIndex(({ modulus }) => modulus === interval.modulus);
  const own = draw[at];
  if (own === undefined) return [...draw, interval];
  const both = {
    modulus: own.modulus,
    from: Math.max(own.from, interval.from),
    to: Math.min(own.to, interval.to),
  };
  return draw.with(at, both);
}

/** The numbers that a fraction takes, and those that it leaves. */
export function splitBy(
  draw: Draw,
  { numerator, denominator }: Fraction,
): { readonly hit: Draw; readonly miss: Draw } {
  const threshold = Math.min(Math.max(numerator, 0), denominator);
  return {
    hit: within(draw, { modulus: denominator, from: 0, to: threshold }),
    miss: within(draw, { modulus: denominator, from: threshold, to: denominator }),
  };
}

/** Whether one number is in all intervals. @param random of 64 bits, not negative */
export const isDrawn = (draw: Draw, random: bigint): boolean =>
  draw.every((interval) => isIn(interval, Number(random % BigInt(interval.modulus))));
