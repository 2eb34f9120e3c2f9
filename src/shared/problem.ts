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
  readonly #more = new Map<string, { kept: number; more: number; lost: boolean }>();
  #count = 0;

  constructor(readonly perEntry = 50) {}

  add(problem: Problem): void {
    this.#count++;
    const counts = this.#more.get(problem.entry) ?? { kept: 0, more: 0, lost: false };
    this.#more.set(problem.entry, counts);
    if (counts.kept < this.perEntry) {
      counts.kept++;
      this.#kept.push(problem);
    } else {
      counts.more++;
      counts.lost ||= problem.severity === "lost";
    }
  }

  /** How many there were, kept or not. */
  get count(): number {
    return this.#count;
  }

  get all(): Problem[] {
    const more = [...this.#more].filter(([, counts]) => counts.more > 0);
    return [
      ...this.#kept,
      ...more.map(([entry, counts]) =>
        (counts.lost ? lost : note)(entry, `has ${counts.more} more problems like these`),
      ),
    ];
  }
}
