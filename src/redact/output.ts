import type { RedactionRuleName } from "../shared/redaction-rules.js";
import type { Edit } from "./json-walk.js";

/** Smaller pieces are put together, so that a file of a million changes is not a million pieces. */
const pieceSize = 256 * 1024;

/** A redacted file as it grows: long stretches of the input are taken as they are, without a copy. */
export class Output {
  readonly #pieces: Uint8Array[] = [];
  #buffer = new Uint8Array(0);
  #used = 0;
  #size = 0;
  readonly rules: RedactionRuleName[] = [];

  add(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (bytes.length >= pieceSize) {
      this.#flush();
      this.#pieces.push(bytes);
      return;
    }
    if (this.#used + bytes.length > this.#buffer.length) {
      this.#flush();
      this.#buffer = new Uint8Array(pieceSize);
    }
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  addText(text: string): void {
    this.add(Buffer.from(text));
  }

  /** A stretch of the input with what became of some of it. */
  addEdited(bytes: Uint8Array, start: number, end: number, edits: readonly Edit[]): void {
    let at = start;
    for (const edit of edits) {
      this.add(bytes.subarray(at, edit.start));
      this.add(edit.bytes);
      this.note(edit.rules);
      at = edit.end;
    }
    this.add(bytes.subarray(at, end));
  }

  note(rules: readonly RedactionRuleName[]): void {
    for (const rule of rules) this.rules.push(rule);
  }

  finish(): { readonly content: readonly Uint8Array[]; readonly size: number } {
    this.#flush();
    return { content: this.#pieces, size: this.#size };
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#pieces.push(this.#buffer.subarray(0, this.#used));
    this.#buffer = this.#buffer.subarray(this.#used);
    this.#used = 0;
  }
}
