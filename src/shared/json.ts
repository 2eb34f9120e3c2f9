import { BundleFormatError, messageOf } from "./errors.js";
import { excerpt } from "./printable.js";

/**
 * Bytes as text: UTF-8, or UTF-16 where a byte order mark says so (PowerShell's `>` writes that). Invalid sequences become
 * U+FFFD, as Envoy's own JSON has them.
 */
export function decodeText(bytes: Uint8Array): string {
  return new TextDecoder(encodingOf(bytes)).decode(bytes);
}

function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
}

/** UTF-8 bytes without a byte order mark, whatever the input was encoded in; the same object where nothing is to do. */
export function utf8(bytes: Uint8Array): Uint8Array {
  if (encodingOf(bytes) !== "utf-8") return new TextEncoder().encode(decodeText(bytes));
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/**
 * Where the JSON begins in an answer that may have text before it (`oc exec ... 2>&1` writes kubectl's remarks and the
 * answer into one file): at the first line that starts with a bracket.
 * @returns -1 where there is none
 */
export function jsonStart(bytes: Uint8Array): number {
  let lineStart = true;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === 0x0a) lineStart = true;
    else if (byte === 0x20 || byte === 0x09 || byte === 0x0d) continue;
    else if (lineStart && (byte === 0x7b || (byte === 0x5b && opensArray(bytes, index + 1)))) return index;
    else lineStart = false;
  }
  return -1;
}

/** Whether a JSON value or the array's end follows a "[": a log line such as "[info] ..." is no array. */
function opensArray(bytes: Uint8Array, from: number): boolean {
  let index = from;
  while (isSpace(bytes[index])) index++;
  const byte = bytes[index] ?? 0;
  return byte === 0x7b || byte === 0x5b || byte === 0x5d || byte === 0x22 || index >= bytes.length;
}

export const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

export interface ParsedJson {
  readonly value: unknown;
  /** Text before the JSON, "" when there is none. */
  readonly before: string;
  /** Text after it, "" when there is none. */
  readonly rest: string;
}

/**
 * A whole JSON document of an entry that is read as one (small ones: dumps are scanned, see snapshot/parse).
 * @param maxDepth nesting beyond it is refused before V8 sees it
 * @throws BundleFormatError with what the text looks like instead
 */
export function parseJson(bytes: Uint8Array, entry: string, maxDepth = 256): ParsedJson {
  const plain = utf8(bytes);
  const start = jsonStart(plain);
  if (start < 0) throw new BundleFormatError(entry, "", notJson(plain));
  const { value, end } = valueAt(plain, start, entry, maxDepth);
  const decoder = new TextDecoder();
  return {
    value,
    before: decoder.decode(plain.subarray(0, start)).trim(),
    rest: decoder.decode(plain.subarray(end)).trim(),
  };
}

/** All JSON values of a text that holds one after the other. @throws BundleFormatError as `parseJson` does */
export function parseJsonSequence(bytes: Uint8Array, entry: string, maxDepth = 256): unknown[] {
  const plain = utf8(bytes);
  let at = jsonStart(plain);
  if (at < 0) throw new BundleFormatError(entry, "", notJson(plain));
  const values: unknown[] = [];
  while (plain[at] === 0x7b || plain[at] === 0x5b) {
    const { value, end } = valueAt(plain, at, entry, maxDepth);
    values.push(value);
    at = end;
    while (isSpace(plain[at])) at++;
  }
  return values;
}

function valueAt(
  bytes: Uint8Array,
  start: number,
  entry: string,
  maxDepth: number,
): { value: unknown; end: number } {
  const end = endOfValue(bytes, start, maxDepth, entry);
  if (end - start > maxStringLength)
    throw new BundleFormatError(
      entry,
      "",
      `is longer than ${maxStringLength} bytes, too long to be one text`,
    );
  try {
    return { value: JSON.parse(new TextDecoder().decode(bytes.subarray(start, end))) as unknown, end };
  } catch (error) {
    throw new BundleFormatError(entry, "", `is not valid JSON: ${excerpt(messageOf(error), 160)}`);
  }
}

/** The longest text of V8 on 64 bits. */
const maxStringLength = 0x1fffffe8;

/** What a text is that was expected to be JSON, for the error message. */
export function notJson(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 2000)).trim();
  if (text === "") return "is empty";
  if (/^<(?:!doctype|html|\?xml|head|body)/i.test(text)) return `is HTML, not JSON: "${excerpt(text)}"`;
  return `is not JSON but the text "${excerpt(text)}"`;
}

/** The end of the object or array that begins at `start`, by its brackets; the length where it is not closed. */
function endOfValue(bytes: Uint8Array, start: number, maxDepth: number, entry: string): number {
  let depth = 0;
  for (let index = start; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === 0x22) {
      index++;
      while (index < bytes.length && bytes[index] !== 0x22) index += bytes[index] === 0x5c ? 2 : 1;
    } else if (byte === 0x7b || byte === 0x5b) {
      depth++;
      if (depth > maxDepth) throw new BundleFormatError(entry, "", `is nested deeper than ${maxDepth}`);
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
      if (depth === 0) return index + 1;
    }
  }
  return bytes.length;
}
