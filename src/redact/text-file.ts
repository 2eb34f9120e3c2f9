/** Texts of any size, looked through in pieces of whole lines. */
import type { Output } from "./output.js";
import type { Strings, TextKind } from "./strings.js";

/** Bytes of a piece; it ends with a line, however long that is. */
const pieceSize = 1 << 20;
/** V8's longest text is twice as long. */
const longestPiece = 2 ** 28;
/** A key that a piece ends in goes on in the next one. */
const longestKey = 64 * 1024;

/**
 * @param longest bytes of a line
 * @throws LineTooLong where a line is too long to be one text
 */
export function redactText(
  bytes: Uint8Array,
  kind: TextKind,
  strings: Strings,
  output: Output,
  longest = longestPiece,
): void {
  for (let start = 0; start < bytes.length;) {
    const end = endOfPiece(bytes, start);
    if (end - start > longest) throw new LineTooLong();
    const piece = bytes.subarray(start, end);
    const redacted = strings.text(decoder.decode(piece), kind);
    if (redacted === null) output.add(piece);
    else {
      output.addText(redacted.text);
      output.note(redacted.rules);
    }
    start = end;
  }
}

export class LineTooLong extends Error {
  override readonly name = "LineTooLong";
}

function endOfPiece(bytes: Uint8Array, start: number): number {
  let end = lineEnd(bytes, start + pieceSize);
  // a key in PEM has many lines
  const open = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  const begun = open.lastIndexOf("-----BEGIN");
  if (begun >= 0 && open.indexOf("-----END", begun) < 0) {
    const limit = Math.min(bytes.length, end + longestKey);
    const rest = Buffer.from(bytes.buffer, bytes.byteOffset + end, limit - end);
    const ending = rest.indexOf("-----END");
    if (ending >= 0) end = lineEnd(bytes, end + ending);
  }
  return end;
}

function lineEnd(bytes: Uint8Array, from: number): number {
  const newline = from >= bytes.length ? -1 : bytes.indexOf(0x0a, from);
  return newline < 0 ? bytes.length : newline + 1;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
