import type { Answer } from "./capture.js";

/** Requests to one target that failed one after the other: with too many it is given up, for each next one would wait as long. */
export class FailureStreak {
  #length: number;

  /** @param before failures that are behind it already */
  constructor(
    readonly limit: number,
    before = 0,
  ) {
    this.#length = before;
  }

  saw({ outcome }: Pick<Answer, "outcome">): void {
    this.#length = outcome === "failed" ? this.#length + 1 : 0;
  }

  get isOver(): boolean {
    return this.#length >= this.limit;
  }

  /** What to say of what is not asked any more. */
  get reason(): string {
    return `not asked: ${this.#length} requests in a row had failed`;
  }
}
