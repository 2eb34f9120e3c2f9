/** Pearson's chi-square test: how likely counts are that differ from the expected ones at least as much as these. */

export interface Bin {
  readonly count: number;
  /** Above 0. */
  readonly expected: number;
}

/** The p-value, by as many degrees of freedom as bins less one; 1 for fewer than two bins. */
export function chiSquareProbability(bins: readonly Bin[]): number {
  if (bins.length < 2) return 1;
  const statistic = bins.reduce((sum, { count, expected }) => sum + (count - expected) ** 2 / expected, 0);
  return upperGamma((bins.length - 1) / 2, statistic / 2);
}

const iterations = 1000;
const precision = 1e-14;

/** The regularized upper incomplete gamma function Q(a, x): its series below a + 1, its continued fraction above. */
function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const factor = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? 1 - factor * lowerSeries(a, x) : factor * upperFraction(a, x);
}

function lowerSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < iterations && term > sum * precision; n += 1) {
    term *= x / (a + n);
    sum += term;
  }
  return sum;
}

/** By Lentz's method. */
function upperFraction(a: number, x: number): number {
  const tiny = 1e-300;
  let b = x + 1 - a;
  let c = 1 / tiny;
  let d = 1 / b;
  let value = d;
  for (let n = 1; n < iterations; n += 1) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / orTiny(numerator * d + b, tiny);
    c = orTiny(b + numerator / c, tiny);
    const step = c * d;
    value *= step;
    if (Math.abs(step - 1) < precision) break;
  }
  return value;
}

const orTiny = (value: number, tiny: number): number => (Math.abs(value) < tiny ? tiny : value);

/** For halves of whole numbers, which are all that degrees of freedom give: from Γ(1/2) or Γ(1) up. */
function logGamma(half: number): number {
  let sum = half % 1 === 0 ? 0 : Math.log(Math.PI) / 2;
  for (let at = half % 1 === 0 ? 1 : 0.5; at < half; at += 1) sum += Math.log(at);
  return sum;
}
