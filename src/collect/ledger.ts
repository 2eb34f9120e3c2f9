import type { Manifest } from "../bundle/manifest.js";
import { by } from "../shared/sorting.js";
import type { TargetKind } from "./targets.js";

/** A target by name; `id` is what the manifest calls it in `failures`. */
export interface TargetName {
  readonly kind: TargetKind;
  readonly namespace: string;
  readonly pod: string;
}

export interface Failure {
  /** null: not one target's, such as the list of services. */
  readonly target: TargetName | null;
  /** The file that is missing, or what could not be done. */
  readonly what: string;
  /** In the words of whoever refused. */
  readonly reason: string;
}

export type Outcome = Manifest["targets"][number]["outcome"];

/** `<pod>.<namespace>`, as proxy-status names proxies. */
export const targetId = ({ pod, namespace }: TargetName): string => `${pod}.${namespace}`;

/** What was captured of each target and what was not, while a capture runs. */
export class Ledger {
  readonly #kept = new Map<TargetName, number>();
  readonly #failures: Failure[] = [];
  readonly #failing = new Set<TargetName | null>();

  constructor(readonly targets: readonly TargetName[]) {}

  kept(target: TargetName): void {
    this.#kept.set(target, (this.#kept.get(target) ?? 0) + 1);
  }

  failed(target: TargetName | null, what: string, reason: string): void {
    this.#failures.push({ target, what, reason });
    this.#failing.add(target);
  }

  hasFailed(target: TargetName): boolean {
    return this.#failing.has(target);
  }

  outcome(target: TargetName): Outcome {
    if (!this.#kept.has(target)) return "failed";
    return this.hasFailed(target) ? "partial" : "captured";
  }

  get failureCount(): number {
    return this.#failures.length;
  }

  /** By target, then file: the order of a mesh's answers is chance. */
  get failures(): Failure[] {
    return [...this.#failures].sort(
      by(
        ({ target }) => (target === null ? "" : targetId(target)),
        ({ what }) => what,
      ),
    );
  }
}
