/** A fact about the input that a reader must know: a piece that was lost, or a remark on one that was read. */
export interface Problem {
  /** The bundle's entry, or "" when the problem is about the whole input. */
  readonly entry: string;
  /** JSON pointer inside the entry, "" when it is the entry as a whole. */
  readonly pointer: string;
  readonly message: string;
  /** `lost`: something could not be read. `note`: everything was read, but a reader should know this. */
  readonly severity: "lost" | "note";
}

export const lost = (entry: string, message: string, pointer = ""): Problem => ({
  entry,
  pointer,
  message,
  severity: "lost",
});

export const note = (entry: string, message: string, pointer = ""): Problem => ({
  entry,
  pointer,
  message,
  severity: "note",
});

/** Problems of one input, of which a hostile one could make millions: the first ones of each entry, and how many more. */
export class ProblemList {
  readonly #kept: Problem[] = [];
  readonly #counts = new Map<string, number>();

  constructor(readonly perEntry = 50) {}

  add(problem: Problem): void {
    const count = (this.#counts.get(problem.entry) ?? 0) + 1;
    this.#counts.set(problem.entry, count);
    if (count <= this.perEntry) this.#kept.push(problem);
  }

  get all(): Problem[] {
    const more = [...this.#counts].filter(([, count]) => count > this.perEntry);
    return [
      ...this.#kept,
      ...more.map(([entry, count]) => lost(entry, `has ${count - this.perEntry} more problems like these`)),
    ];
  }
}
