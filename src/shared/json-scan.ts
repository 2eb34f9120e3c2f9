/**
 * Finds where the values of a JSON text begin and end without building them, so that a dump of megabytes is cut into its
 * resources and only those are parsed that no proxy had before. It follows brackets and quotes; whether a piece is valid
 * JSON is for its parser to say. RFC 8259 defines the grammar.
 */

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

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

export class JsonScanner {
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
    const { length } = bytes;
    let depth = 0;
    let deepest = 0;
    for (let at = start; at < length; at++) {
      const byte = bytes[at];
      if (byte === quote) {
        at++;
        for (;;) {
          const inside = bytes[at];
          if (inside === quote) break;
          if (inside === backslash) at++;
          else if (inside === undefined) throw new ScanError("cut", length);
          at++;
        }
      } else if (byte === openBrace || byte === openBracket) {
        depth++;
        if (depth > deepest) deepest = depth;
      } else if (byte === closeBrace || byte === closeBracket) {
        depth--;
        if (depth === 0) return { end: at + 1, depth: deepest };
      }
    }
    throw new ScanError("cut", length);
  }

  /**
   * Visits the members of the object at `start`. `visit` gets the key and where its value begins, and returns where it ends.
   * @returns the offset behind the object
   */
  object(start: number, visit: (key: string, valueStart: number) => number): number {
    const { bytes } = this;
    this.#expect(start, openBrace);
    let at = this.skipSpace(start + 1);
    if (bytes[at] === closeBrace) return at + 1;
    for (;;) {
      this.#expect(at, quote);
      const keyEnd = this.#skipString(at);
      const key = this.string(at, keyEnd);
      at = this.skipSpace(keyEnd);
      this.#expect(at, 0x3a);
      at = this.skipSpace(visit(key, this.skipSpace(at + 1)));
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

  /** The text between two offsets. */
  text(start: number, end: number): string {
    return decoder.decode(this.bytes.subarray(start, end));
  }

  /** The value of the string token between two offsets. */
  string(start: number, end: number): string {
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

/** Stateless between calls; `ignoreBOM` so that a U+FEFF inside a text stays. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
