/**
 * All the ways that a request may go through the HTTP filters where some act on a fraction of requests: each draws for itself
 * (`Snapshot::featureEnabled`), so shares multiply.
 */
import type { DrawFraction } from "../match-context.js";
import { runHttpFilters, type FilterChainInput, type FilterChainResult } from "./http-filters.js";

export interface FilterBranch {
  /** 0..1 */
  readonly share: number;
  readonly result: FilterChainResult;
  /** What was drawn and what was not, a sentence each. */
  readonly assumptions: readonly string[];
}

/** Further fractions on one way are not followed: they are unknown. */
const mostDraws = 5;

/** At least one. */
export function runFilterBranches(input: FilterChainInput): readonly FilterBranch[] {
  const branches: FilterBranch[] = [];
  const waiting: (readonly boolean[])[] = [[]];
  for (let given = waiting.pop(); given !== undefined; given = waiting.pop()) {
    const draws = new Draws(given);
    const result = runHttpFilters({ ...input, context: { ...input.context, drawn: draws.drawn } });
    waiting.push(...draws.others());
    branches.push({
      share: draws.share,
      result: { ...result, context: { ...result.context, drawn: undefined } },
      assumptions: draws.sentences,
    });
  }
  return branches;
}

/** Decides as it is given to, then that all is drawn; remembers what it decided. */
class Draws {
  share = 1;
  readonly sentences: string[] = [];
  readonly #taken: boolean[] = [];

  constructor(private readonly given: readonly boolean[]) {}

  readonly drawn: DrawFraction = ({ numerator, denominator }, what) => {
    if (this.#taken.length >= mostDraws) return null;
    const isDrawn = this.given[this.#taken.length] ?? true;
    this.#taken.push(isDrawn);
    this.share *= (isDrawn ? numerator : denominator - numerator) / denominator;
    this.sentences.push(
      `${isDrawn ? "Drawn" : "Not drawn"}: ${what} (${isDrawn ? numerator : denominator - numerator} of ${denominator} requests).`,
    );
    return isDrawn;
  };

  /** The ways that part from this one where it decided by itself. */
  others(): boolean[][] {
    return this.#taken.flatMap((_, index) =>
      index < this.given.length ? [] : [[...this.#taken.slice(0, index), false]],
    );
  }
}
