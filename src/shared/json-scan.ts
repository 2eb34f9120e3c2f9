/**
 * Finds where the values of a JSON text begin and end without building them, so that a dump of megabytes is cut into its
 * resources and only those are parsed that no proxy had before. It follows brackets and quotes; whether a piece is valid
 * JSON is for its parser to say. RFC 8259 defines the grammar.
 */

import { insideBrackets } from "./bracket-scan.js";

export class ScanError extends Error {
  override readonly name = "ScanError";
  constructor(
    /** `cut`: the text ends inside a value. `syntax`: it is no JSON here. */
    readonly reason: "cut" | "syntax",
    /** Byte offset. */
    readonly at: number,
  ) {
    super(
      reason === "cut" ? `the JSON is cut off after ${at} bytes` : `there is no valid JSON at byte ${at}`,
    );
  }
}

const lineFeed = 0x0a;
const space = 0x20;
const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** An even number, of what one value may have inside that is kept. */
const mostInside = 2 * 1024 * 1024;

/** Bytes that are worth another way of looking. */
const large = 256 * 1024;

/** Texts that were decoded are known again by their bytes, in as many slots, a power of two. */
const slots = 256;
const longestRepeated = 96;

interface Decoded {
  readonly start: number;
  readonly end: number;
  readonly value: string;
}

export class JsonScanner {
  readonly #repeated: (Decoded | undefined)[] = [];
  /** Used anew for each value: where the ones right inside stand. */
  readonly #inside: number[] = [];

  constructor(readonly bytes: Uint8Array) {}

  /** The next byte that is no white space. */
  skipSpace(from: number): number {
    const { bytes } = this;
    let at = from;
    for (;;) {
      const byte = bytes[at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at;
      at++;
    }
  }

  /** @returns the offset behind the value that begins at `start`, and how deep it is nested */
  skipValue(start: number): { readonly end: number; readonly depth: number } {
    const { bytes } = this;
    const first = bytes[start];
    if (first === quote) return { end: this.#skipString(start), depth: 0 };
    if (first !== openBrace && first !== openBracket) return { end: this.#skipScalar(start), depth: 0 };
    this.#inside.length = 0;
    return behindBrackets(bytes, start, this.#inside);
  }

  /**
   * Visits the members of the object at `start`. `visit` gets the key, where its value and where itself begins, and returns
   * where the value ends.
   * @returns the offset behind the object
   */
  object(start: number, visit: (key: string, valueStart: number, keyStart: number) => number): number {
    const { bytes } = this;
    this.#expect(start, openBrace);
    let at = this.skipSpace(start + 1);
    if (bytes[at] === closeBrace) return at + 1;
    for (;;) {
      this.#expect(at, quote);
      const keyStart = at;
      const keyEnd = this.#skipString(at);
      const key = this.string(at, keyEnd);
      at = this.skipSpace(keyEnd);
      this.#expect(at, 0x3a);
      at = this.skipSpace(visit(key, this.skipSpace(at + 1), keyStart));
      if (bytes[at] === closeBrace) return at + 1;
      this.#expect(at, 0x2c);
      at = this.skipSpace(at + 1);
    }
  }

  /** The keys of the object at `start`, found one by one; ends without an error where the text is cut off or broken. */
  *keys(start: number): Generator<string, void, void> {
    const { bytes } = this;
    let at = this.skipSpace(start + 1);
    try {
      while (bytes[at] === quote) {
        const keyEnd = this.#skipString(at);
        yield this.string(at, keyEnd);
        at = this.skipSpace(this.skipSpace(keyEnd) + 1);
        at = this.skipSpace(this.skipValue(at).end);
        if (bytes[at] !== 0x2c) return;
        at = this.skipSpace(at + 1);
      }
    } catch (error) {
      if (!(error instanceof ScanError)) throw error;
    }
  }

  /** Visits the elements of the array at `start`, as `object` does members. */
  array(start: number, visit: (index: number, valueStart: number) => number): number {
    const { bytes } = this;
    this.#expect(start, openBracket);
    let at = this.skipSpace(start + 1);
    if (bytes[at] === closeBracket) return at + 1;
    for (let index = 0; ; index++) {
      at = this.skipSpace(visit(index, at));
      if (bytes[at] === closeBracket) return at + 1;
      this.#expect(at, 0x2c);
      at = this.skipSpace(at + 1);
    }
  }

  /**
   * Where the elements of the array at `start` stand, found without a look at what is in them.
   * @returns beginning and end of each in turn, and the offset behind the array; null where not all of them are objects
   * with one comma between two, or there are too many
   */
  objectsIn(start: number): { readonly places: readonly number[]; readonly end: number } | null {
    const { bytes } = this;
    this.#expect(start, openBracket);
    const { places, end } = this.#insideOf(start);
    if (places.length >= mostInside) return null;
    let at = this.skipSpace(start + 1);
    for (let index = 0; index < places.length; index += 2) {
      if (index > 0) {
        if (bytes[at] !== 0x2c) return null;
        at = this.skipSpace(at + 1);
      }
      const behind = places[index + 1] ?? 0;
      if (at !== places[index] || bytes[at] !== openBrace || bytes[behind - 1] !== closeBrace) return null;
      at = this.skipSpace(behind);
    }
    return at === end - 1 && bytes[at] === closeBracket ? { places, end } : null;
  }

  #insideOf(start: number): { readonly places: readonly number[]; readonly end: number } {
    const { bytes } = this;
    const found = bytes.length - start < large ? null : insideBrackets(bytes, start, mostInside);
    if (found === null) {
      const places: number[] = [];
      const { end } = behindBrackets(bytes, start, places);
      return { places, end };
    }
    if (found.end === null) throw new ScanError("cut", bytes.length);
    return { places: found.places, end: found.end };
  }

  /** The text between two offsets. */
  text(start: number, end: number): string {
    return decoder.decode(this.bytes.subarray(start, end));
  }

  /** The value of the string token between two offsets. Short ones, keys above all, come again and again. */
  string(start: number, end: number): string {
    if (end - start > longestRepeated) return this.#string(start, end);
    const { bytes } = this;
    let hash = end - start;
    for (let at = start + 1; at < end - 1; at++) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    const slot = hash & (slots - 1);
    const known = this.#repeated[slot];
    if (known !== undefined && known.end - known.start === end - start)
      if (this.isSame(known.start, start, end)) return known.value;
    const value = this.#string(start, end);
    this.#repeated[slot] = { start, end, value };
    return value;
  }

  /** The value of the string token between two offsets that has no escapes; null for any other, and what is no valid one. */
  plainString(start: number, end: number): string | null {
    const { bytes } = this;
    if (bytes[start] !== quote) return null;
    for (let at = start + 1; at < end - 1; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === backslash || byte < space) return null;
    }
    return this.string(start, end);
  }

  /** Whether the same bytes stand at `before` as from `start` to `end`. */
  isSame(before: number, start: number, end: number): boolean {
    const { bytes } = this;
    for (let at = start; at < end; at++) if (bytes[at] !== bytes[before + at - start]) return false;
    return true;
  }

  #string(start: number, end: number): string {
    const token = this.text(start, end);
    if (!token.includes("\\")) return token.slice(1, -1);
    try {
      return JSON.parse(token) as string;
    } catch {
      throw new ScanError("syntax", start);
    }
  }

  #expect(at: number, byte: number): void {
    if (this.bytes[at] === byte) return;
    throw new ScanError(at >= this.bytes.length ? "cut" : "syntax", at);
  }

  #skipString(start: number): number {
    const { bytes } = this;
    for (let at = start + 1; ; at++) {
      const byte = bytes[at];
      if (byte === quote) return at + 1;
      if (byte === backslash) at++;
      else if (byte === undefined) throw new ScanError("cut", bytes.length);
    }
  }

  #skipScalar(start: number): number {
    const { bytes } = this;
    let at = start;
    for (;;) {
      const byte = bytes[at] ?? 0x20;
      const isWord =
        (byte >= 0x30 && byte <= 0x39) ||
        (byte >= 0x61 && byte <= 0x7a) ||
        byte === 0x2d ||
        byte === 0x2b ||
        byte === 0x2e ||
        byte === 0x45;
      if (!isWord) break;
      at++;
    }
    if (at === start) throw new ScanError(start >= bytes.length ? "cut" : "syntax", start);
    return at;
  }
}

/**
 * Passes over an object or array: most of a dump is never read, so most of the time goes here. What is most frequent is
 * asked for first, and the steps are such that V8 has seen all of them after a few bytes: it compiles this once.
 * @param inside gets beginning and end of each object or array right inside, up to `mostInside`
 */
function behindBrackets(
  bytes: Uint8Array,
  start: number,
  inside: number[],
): { readonly end: number; readonly depth: number } {
  const { length } = bytes;
  let depth = 0;
  let deepest = 0;
  let at = start;
  while (at < length) {
    const byte = bytes[at++] ?? 0;
    if (byte === quote) {
      let character = 0;
      while (at < length && character !== quote) {
        character = bytes[at] ?? 0;
        at += character === backslash ? 2 : 1;
      }
    } else if (byte === lineFeed) {
      while (at < length && bytes[at] === space) at++;
    } else if (byte >= openBracket) {
      const step = steps[byte] ?? 0;
      depth += step;
      if (depth < 2) {
        if (depth === 0) return { end: at, depth: deepest };
        if (step < 0 && inside.length < mostInside) inside.push(at);
      } else if (depth === 2 && step > 0 && inside.length < mostInside) inside.push(at - 1);
      if (depth > deepest) deepest = depth;
    }
  }
  throw new ScanError("cut", length);
}

/** How a byte outside of strings changes the depth. */
const steps = new Int8Array(256);
steps[openBrace] = steps[openBracket] = 1;
steps[closeBrace] = steps[closeBracket] = -1;

/** Stateless between calls; `ignoreBOM` so that a U+FEFF inside a text stays. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
