/**
 * Canaries: made-up secrets, one for each place of a capture in which a real one can stand. Whoever finds one in a
 * redacted bundle has found a leak.
 */

import type { RedactionProfile } from "../../../src/redact/types.js";
import { randomFor } from "../mesh/random.js";
import type { Secret, SecretKind } from "./values.js";

export type CanaryLayout = "bundle" | "bug-report" | "must-gather";

export interface Canary extends Secret {
  /** The place's own words and the field: `Envoy: route authorization header`. */
  readonly id: string;
  /** The entry and the field, in words. */
  readonly where: string;
  /** The layout that surely holds it. */
  readonly layout: CanaryLayout;
  /** The names of the entries of that layout of which at least one holds it. */
  readonly entry: RegExp;
  /** The profiles under which nothing of it may be left. */
  readonly gone: readonly RedactionProfile[];
}

/** The mildest profile that takes a value out; the stricter ones do too. */
export type GoneFrom = "internal" | "support" | "public";

const strictness: readonly GoneFrom[] = ["internal", "support", "public"];
const profilesFrom = (mildest: GoneFrom): readonly GoneFrom[] =>
  strictness.slice(strictness.indexOf(mildest));

/**
 * Makes a canary, and returns the text to put into the document.
 * @param field which field of the place: unique there
 */
export type Plant = (field: string, kind: SecretKind, from?: GoneFrom) => string;

/** The canaries of all documents, in the order in which they were planted. */
export class SeedBed {
  readonly #canaries = new Map<string, Canary>();

  get canaries(): readonly Canary[] {
    return [...this.#canaries.values()];
  }

  /** For the documents of one place. @param place the first word of the canaries' ids */
  at(place: string, layout: CanaryLayout, entry: RegExp): Plant {
    return (field, kind, from = "internal") => {
      const id = `${place}: ${field}`;
      if (this.#canaries.has(id)) throw new Error(`two canaries are called "${id}"`);
      const secret = kind(randomFor("canaries", id));
      const where = `${layout}, ${entry.source}, ${field}`;
      this.#canaries.set(id, { id, where, layout, entry, gone: profilesFrom(from), ...secret });
      return secret.text;
    };
  }
}
