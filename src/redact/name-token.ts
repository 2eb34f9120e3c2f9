import { createHmac } from "node:crypto";

/** Gives words their tokens. */
export interface NameTokens {
  /** The token of a word; words that differ in case only share one, because hosts have no case. */
  of(word: string): string;
}

/**
 * A token is a DNS label of its own kind: hyphens at its third and fourth place are kept for encodings (RFC 5890, 2.3.1),
 * so that no host and hardly a workload is called like one.
 */
const form = /^nm--[a-z2-7]{12}$/;

/** Whether a word is a token already, of this bundle or of an older redaction. */
export const isNameToken = (word: string): boolean => word.length === 16 && form.test(word);

/** @param names takes each token with the word that it stands for */
export function nameTokens(salt: Uint8Array, names: Map<string, string>): NameTokens {
  const known = new Map<string, string>();
  return {
    of(word) {
      const plain = word.toLowerCase();
      const made = known.get(plain) ?? `nm--${digest(salt, plain)}`;
      known.set(plain, made);
      names.set(made, plain);
      return made;
    },
  };
}

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";

/** 60 bits: among a million words two share a token once in two million bundles. */
function digest(salt: Uint8Array, word: string): string {
  const bytes = createHmac("sha256", salt).update("name\0").update(word).digest();
  return Array.from(bytes.subarray(0, 12), (byte) => alphabet[byte & 31]).join("");
}
