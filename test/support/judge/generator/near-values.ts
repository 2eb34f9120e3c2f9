/** Conditions of texts with values that meet them and values that nearly do: one letter, its case, its place. */
import type { JsonObject } from "../../mesh/json.js";
import type { Random } from "../../mesh/random.js";

export interface TextCondition {
  /** A StringMatcher. */
  readonly matcher: JsonObject;
  readonly hits: readonly string[];
  readonly misses: readonly string[];
}

export const chance = (random: Random, probability: number): boolean => random.next() < probability;
/** Each member by its own chance, in order. */
export const some = <T>(random: Random, members: readonly T[], probability: number): T[] =>
  members.filter(() => chance(random, probability));

const words = ["v", "vw", "wv", "V", "v1", "v-1"];

const patterns = [
  { regex: "v+", hits: ["v", "vvv"], misses: ["V", "vvw", "wv", ""] },
  { regex: "(?i)v[12]", hits: ["V1", "v2"], misses: ["v3", "v12"] },
  { regex: "v|w.", hits: ["v", "wv"], misses: ["w", "vw", "v1"] },
  { regex: "[^v]*", hits: ["", "w", "1"], misses: ["v", "wv"] },
];

/** A StringMatcher in any form. @param word may be "" */
export function textCondition(random: Random, choices: readonly string[] = words): TextCondition {
  const word = random.pick(choices);
  const other = `${word}x`;
  const swapped = swappedCase(word);
  const anyCase = chance(random, 0.25);
  const inAnyCase = { ...(anyCase && { ignore_case: true }) };
  const caseMisses = swapped === word ? [] : [swapped];
  const sorted = (hits: readonly string[], misses: readonly string[]): Omit<TextCondition, "matcher"> =>
    anyCase ? { hits: [...hits, ...caseMisses], misses } : { hits, misses: [...misses, ...caseMisses] };
  switch (random.between(0, 4)) {
    case 0:
      return {
        matcher: { exact: word, ...inAnyCase },
        ...sorted([word], [other, `x${word}`, `${word} ${word}`]),
      };
    case 1:
      return { matcher: { prefix: word, ...inAnyCase }, ...sorted([word, other], [`x${word}`]) };
    case 2:
      return { matcher: { suffix: word, ...inAnyCase }, ...sorted([word, `x${word}`], [other]) };
    case 3:
      return {
        matcher: { contains: word, ...inAnyCase },
        ...sorted([word, `x${word}x`], [word.slice(1) + "!"]),
      };
    default: {
      const { regex, hits, misses } = random.pick(patterns);
      return { matcher: { safe_regex: { regex } }, hits, misses };
    }
  }
}

export const swappedCase = (text: string): string =>
  text.replace(/[a-zA-Z]/g, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
