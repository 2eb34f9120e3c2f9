/** Seeded choices: the same seed and purpose give the same values on every machine and in every run. */

import { createHash } from "node:crypto";

export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [low, high]. */
  between(low: number, high: number): number;
  pick<T>(choices: readonly T[]): T;
  /** The same members in another order. */
  shuffle<T>(members: readonly T[]): T[];
  /** Lower-case hexadecimal digits. */
  hex(length: number): string;
  /** Letters and digits of Kubernetes' generated names (no vowels, no 0, 1, 3). */
  kubernetesSuffix(length: number): string;
  uuid(): string;
}

const kubernetesLetters = "bcdfghjklmnpqrstvwxz2456789";

/** A stream of its own for each purpose, so that one more draw here changes nothing there. */
export function randomFor(seed: number | string, purpose: string): Random {
  let state = createHash("sha256").update(`${seed}/${purpose}`).digest().readUInt32LE(0);

  /** mulberry32: small, fast, and the same everywhere because it uses 32-bit integers only. */
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  const pick = <T>(choices: readonly T[]): T => {
    const choice = choices[between(0, choices.length - 1)];
    if (choice === undefined) throw new Error("nothing to pick from");
    return choice;
  };
  const letters = (alphabet: string, length: number): string =>
    Array.from({ length }, () => alphabet.charAt(between(0, alphabet.length - 1))).join("");
  const hex = (length: number): string => letters("0123456789abcdef", length);

  return {
    next,
    between,
    pick,
    hex,
    shuffle: (members) =>
      members
        .map((member) => ({ member, key: next() }))
        .sort((left, right) => left.key - right.key)
        .map(({ member }) => member),
    kubernetesSuffix: (length) => letters(kubernetesLetters, length),
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${letters("89ab", 1)}${hex(3)}-${hex(12)}`,
  };
}
