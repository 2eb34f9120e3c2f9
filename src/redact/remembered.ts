/**
 * Secrets that a field gave away, looked for in texts for people: a NACK repeats the value that was rejected, a log the
 * token that was refused. Kept in memory only. Looking costs one step a character, however many secrets there are.
 */

/** Shorter ones are words of any text. */
const shortest = 6;
const longest = 256;
const most = 100_000;
/** Values with the same beginning may have so many lengths. */
const mostLengths = 16;

export class RememberedValues {
  readonly #values = new Set<string>();
  /** Beginning -> lengths of the values that have it, longest first. */
  readonly #lengths = new Map<string, number[]>();
  /** Whether any value begins with characters of this hash: most places of a text are passed by this alone. */
  readonly #beginnings = new Uint8Array(1 << 16);

  add(value: string): void {
    if (value.length < shortest || value.length > longest || this.#values.size >= most) return;
    if (this.#values.has(value) || isOrdinary(value)) return;
    const beginning = value.slice(0, shortest);
    const lengths = this.#lengths.get(beginning) ?? [];
    if (!lengths.includes(value.length)) {
      if (lengths.length >= mostLengths) return;
      lengths.push(value.length);
      lengths.sort((a, b) => b - a);
      this.#lengths.set(beginning, lengths);
    }
    this.#values.add(value);
    this.#beginnings[hashAt(value, 0)] = 1;
  }

  /** Replaces each value that stands in the text as a word of its own. */
  redact(text: string, replace: (value: string) => string): string {
    if (this.#values.size === 0) return text;
    const pieces: string[] = [];
    let done = 0;
    for (let at = 0; at + shortest <= text.length; at++) {
      if (this.#beginnings[hashAt(text, at)] === 0) continue;
      const end = this.#endOfValue(text, at);
      if (end === null) continue;
      pieces.push(text.slice(done, at), replace(text.slice(at, end)));
      done = end;
      at = end - 1;
    }
    return done === 0 ? text : pieces.join("") + text.slice(done);
  }

  #endOfValue(text: string, at: number): number | null {
    const lengths = this.#lengths.get(text.slice(at, at + shortest));
    if (lengths === undefined || isWord(text, at - 1, at)) return null;
    for (const length of lengths) {
      const end = at + length;
      if (end <= text.length && this.#values.has(text.slice(at, end)) && !isWord(text, end - 1, end))
        return end;
    }
    return null;
  }
}

function hashAt(text: string, at: number): number {
  let hash = 0;
  for (let index = at; index < at + shortest; index++) hash = (hash * 31 + text.charCodeAt(index)) & 0xffff;
  return hash;
}

/** Whether two characters side by side are of one word. */
function isWord(text: string, left: number, right: number): boolean {
  return isLetterOrDigit(text.charCodeAt(left)) && isLetterOrDigit(text.charCodeAt(right));
}

const isLetterOrDigit = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);

/** A plain word or a number says nothing where it stands again. */
const isOrdinary = (value: string): boolean => /^(?:[a-z]+|[A-Z]+|[\d.]+)$/.test(value) && value.length < 12;
