/**
 * Looks for canaries in bytes, in whatever form: as they are, escaped once or twice as JSON, percent-encoded, in
 * hexadecimal, in base64 of either alphabet and any alignment, in gzip, in UTF-16, and in these inside one another.
 *
 * Forms are undone in what is searched, not applied to what is searched for: so any mix of escaped and plain characters
 * is seen, and the cost follows the size of the bytes, not the number of canaries.
 */

import { constants, gunzipSync } from "node:zlib";

import type { Canary } from "./canary.js";

export interface Leak {
  readonly canary: string;
  /** From the outside in: `base64 > JSON escapes`; "plain" for none. */
  readonly form: string;
  /** In the bytes with all those forms undone. */
  readonly offset: number;
}

/** How many forms may lie around a canary. */
const depth = 4;

/**
 * Every canary of which something is in the bytes, each once.
 * @param bytes a file, whole
 */
export function leaksOf(bytes: Uint8Array, canaries: readonly Canary[]): Leak[] {
  const index = indexOf(canaries);
  const found = new Map<Canary, Leak>();
  const search = (view: Uint8Array, forms: readonly string[]): void => {
    for (const { canary, offset } of index.hits(view)) {
      if (found.has(canary)) continue;
      found.set(canary, { canary: canary.id, form: forms.join(" > ") || "plain", offset });
    }
    if (forms.length === depth) return;
    for (const { form, views } of undoings) {
      for (const inner of views(view)) search(inner, [...forms, form]);
    }
  };
  search(bytes, []);
  return [...found.values()];
}

// What is searched for

interface Needle {
  readonly canary: Canary;
  readonly bytes: Buffer;
  readonly minimum: number;
}
/** Four bytes of a needle, by which it is noticed. */
interface Anchor {
  readonly needle: Needle;
  readonly position: number;
}

/** What a needle is noticed by. */
const anchorLength = 4;

const indexes = new WeakMap<readonly Canary[], NeedleIndex>();

function indexOf(canaries: readonly Canary[]): NeedleIndex {
  const known = indexes.get(canaries);
  if (known !== undefined) return known;
  const made = new NeedleIndex(canaries);
  indexes.set(canaries, made);
  return made;
}

/** All needles at once: each place of the bytes costs one look into a table, however many needles there are. */
class NeedleIndex {
  readonly #anchors = new Map<number, Anchor[]>();
  readonly #mayBegin = new Uint8Array(1 << 16);

  constructor(canaries: readonly Canary[]) {
    for (const canary of canaries) {
      for (const { bytes, minimum } of canary.fragments) this.#add({ canary, bytes, minimum });
    }
  }

  /** Anchors stand so close that any run of the needle's minimum holds one whole. */
  #add(needle: Needle): void {
    const step = needle.minimum - anchorLength + 1;
    if (step < 1) throw new Error(`${needle.canary.id} is too short to search for`);
    for (let position = 0; position + anchorLength <= needle.bytes.length; position += step) {
      const word = needle.bytes.readInt32BE(position);
      const anchors = this.#anchors.get(word) ?? [];
      anchors.push({ needle, position });
      this.#anchors.set(word, anchors);
      this.#mayBegin[hashOf(word)] = 1;
    }
  }

  *hits(bytes: Uint8Array): Generator<{ canary: Canary; offset: number }> {
    let word = 0;
    for (let index = 0; index < bytes.length; index++) {
      word = (word << 8) | (bytes[index] ?? 0);
      if (this.#mayBegin[hashOf(word)] === 0 || index < anchorLength - 1) continue;
      for (const anchor of this.#anchors.get(word) ?? []) {
        const offset = runAround(bytes, index - anchorLength + 1, anchor);
        if (offset !== null) yield { canary: anchor.needle.canary, offset };
      }
    }
  }
}

const hashOf = (word: number): number => Math.imul(word, 0x9e3779b1) >>> 16;

/** Where the needle's run around its anchor begins; null when it is shorter than the minimum. */
function runAround(bytes: Uint8Array, at: number, { needle, position }: Anchor): number | null {
  let before = 0;
  while (before < position && bytes[at - before - 1] === needle.bytes[position - before - 1]) before++;
  let after = 0;
  const rest = needle.bytes.length - position;
  while (after < rest && bytes[at + after] === needle.bytes[position + after]) after++;
  if (before + after < needle.minimum) return null;
  const isPart =
    needle.canary.wholeWord && (isWordByte(bytes[at - before - 1]) || isWordByte(bytes[at + after]));
  return isPart ? null : at - before;
}

const isWordByte = (byte: number | undefined): boolean =>
  byte !== undefined && /[0-9A-Za-z]/.test(String.fromCharCode(byte));

// The forms

interface Undoing {
  readonly form: string;
  readonly views: (bytes: Uint8Array) => Iterable<Uint8Array>;
}

const undoings: readonly Undoing[] = [
  { form: "JSON escapes", views: (bytes) => around(bytes, 0x5c, unescapeJson) },
  { form: "percent-encoding", views: (bytes) => around(bytes, 0x25, decodePercent) },
  { form: "hexadecimal", views: (bytes) => decodedRuns(bytes, hexadecimal) },
  { form: "base64", views: (bytes) => decodedRuns(bytes, base64) },
  { form: "gzip", views: inflatedMembers },
  { form: "UTF-16", views: withoutZeros },
];

/** Text on either side of an escape that is searched with it: more than any canary has between two of them. */
const neighbourhood = 256;

/** The parts of the bytes in which the mark begins an escape, with the escapes undone. */
function* around(
  bytes: Uint8Array,
  mark: number,
  undo: (bytes: Uint8Array, index: number) => { byte: number; length: number } | null,
): Generator<Uint8Array> {
  const output = Buffer.allocUnsafe(bytes.length + 1);
  let end = 0; // of what was taken into the output
  let length = 0;
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, Math.max(end, at + 1))) {
    if (undo(bytes, at) === null) continue;
    let index = Math.max(end, at - neighbourhood);
    let until = at + neighbourhood;
    if (index > end && length > 0) output[length++] = 0x0a;
    for (; index < Math.min(until, bytes.length); index++) {
      const escape = bytes[index] === mark ? undo(bytes, index) : null;
      output[length++] = escape?.byte ?? bytes[index] ?? 0;
      if (escape === null) continue;
      until = index + neighbourhood;
      index += escape.length - 1;
    }
    end = index;
  }
  if (length > 0) yield output.subarray(0, length);
}

const simpleEscapes = new Map(
  Object.entries({ n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", "/": "/", "\\": "\\", '"': '"' }).map(
    ([letter, meaning]) => [letter.charCodeAt(0), meaning.charCodeAt(0)],
  ),
);

function unescapeJson(bytes: Uint8Array, index: number): { byte: number; length: number } | null {
  const letter = bytes[index + 1] ?? 0;
  if (letter === 0x75) {
    const high = hexadecimalByte(bytes, index + 2);
    const low = hexadecimalByte(bytes, index + 4);
    return high === 0 && low !== null ? { byte: low, length: 6 } : null; // canaries are ASCII
  }
  const byte = simpleEscapes.get(letter);
  return byte === undefined ? null : { byte, length: 2 };
}

function decodePercent(bytes: Uint8Array, index: number): { byte: number; length: number } | null {
  const byte = hexadecimalByte(bytes, index + 1);
  return byte === null ? null : { byte, length: 3 };
}

function hexadecimalByte(bytes: Uint8Array, index: number): number | null {
  const high = hexadecimal.digits[bytes[index] ?? 0] ?? -1;
  const low = hexadecimal.digits[bytes[index + 1] ?? 0] ?? -1;
  return high < 0 || low < 0 ? null : high * 16 + low;
}

/** An encoding that writes some bytes as some digits. */
interface Encoding {
  /** By character: the digit's value, or -1. */
  readonly digits: Int8Array;
  readonly bitsPerDigit: number;
  /** Digits after which whole bytes end. */
  readonly group: number;
}

function encoding(bitsPerDigit: number, group: number, alphabets: readonly string[]): Encoding {
  const digits = new Int8Array(256).fill(-1);
  for (const alphabet of alphabets) {
    for (let value = 0; value < alphabet.length; value++) digits[alphabet.charCodeAt(value)] = value;
  }
  return { digits, bitsPerDigit, group };
}

const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const lower = upper.toLowerCase();
const hexadecimal = encoding(4, 2, ["0123456789abcdef", "0123456789ABCDEF"]);
const base64 = encoding(6, 4, [`${upper}${lower}0123456789+/`, `${upper}${lower}0123456789-_`]);

/** Shorter runs hold no canary. */
const shortestRun = 12;

/** All runs of digits, decoded: once for each digit of the first group at which the encoded text may begin. */
function* decodedRuns(bytes: Uint8Array, { digits, bitsPerDigit, group }: Encoding): Generator<Uint8Array> {
  const { values, starts, ends } = runsOf(bytes, digits);
  if (starts.length === 0) return;
  const last = ends[ends.length - 1] ?? 0;
  for (let first = 0; first < group; first++) {
    const output = Buffer.allocUnsafe(Math.ceil((last * bitsPerDigit) / 8) + starts.length);
    let length = 0;
    for (let run = 0; run < starts.length; run++) {
      const end = ends[run] ?? 0;
      let bits = 0;
      let collected = 0;
      for (let index = (starts[run] ?? 0) + first; index < end; index++) {
        collected = (collected << bitsPerDigit) | (values[index] ?? 0);
        bits += bitsPerDigit;
        if (bits < 8) continue;
        bits -= 8;
        output[length++] = (collected >> bits) & 0xff;
      }
      output[length++] = 0x0a;
    }
    yield output.subarray(0, length);
  }
}

/** The long enough runs of digits: all their values in one array, and where in it each begins and ends. */
interface Runs {
  readonly values: Uint8Array;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** A run that is broken into lines is one run. */
function runsOf(bytes: Uint8Array, digits: Int8Array): Runs {
  const values = new Uint8Array(bytes.length);
  const starts: number[] = [];
  const ends: number[] = [];
  let start = 0;
  let end = 0;
  let line = 0; // digits since the last line break
  const close = (): void => {
    if (end - start >= shortestRun) {
      starts.push(start);
      ends.push(end);
      start = end;
    } else end = start;
    line = 0;
  };
  for (let index = 0; index < bytes.length; index++) {
    const digit = digits[bytes[index] ?? 0] ?? -1;
    if (digit >= 0) {
      values[end++] = digit;
      line++;
    } else if (line >= shortestRun && isLineBreak(bytes[index])) {
      while (isSpace(bytes[index + 1])) index++;
      line = 0;
    } else if (end > start) close();
  }
  close();
  return { values, starts, ends };
}

const isLineBreak = (byte: number | undefined): boolean => byte === 0x0a || byte === 0x0d;
const isSpace = (byte: number | undefined): boolean => isLineBreak(byte) || byte === 0x20 || byte === 0x09;

const gzipMagic = Buffer.from([0x1f, 0x8b, 0x08]);

/** The content of each gzip member, of one that is cut off too. */
function* inflatedMembers(bytes: Uint8Array): Generator<Uint8Array> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = buffer.indexOf(gzipMagic);
  while (at !== -1) {
    let next = at + 1;
    try {
      // `info` gives the engine too, which knows how much it has read; its type leaves that out
      const options = { finishFlush: constants.Z_SYNC_FLUSH, info: true };
      const { buffer: content, engine } = gunzipSync(buffer.subarray(at), options) as unknown as {
        buffer: Buffer;
        engine: { bytesWritten: number };
      };
      if (content.length > 0) yield content;
      next = at + Math.max(1, engine.bytesWritten);
    } catch {
      // not gzip: the three bytes stand there by chance
    }
    at = buffer.indexOf(gzipMagic, next);
  }
}

/** ASCII in UTF-16 of either order has a zero after each character, but for the last one of a big-endian text. */
function* withoutZeros(bytes: Uint8Array): Generator<Uint8Array> {
  const letters: number[] = [];
  for (let at = bytes.indexOf(0, 1); at !== -1; at = bytes.indexOf(0, at + 1)) {
    letters.push(bytes[at - 1] ?? 0);
  }
  letters.push(bytes[bytes.length - 1] ?? 0);
  if (letters.length > shortestRun) yield Uint8Array.from(letters);
}

// For people

/** For each canary of which something is in the document: the JSON pointers of the strings and keys that hold it; [""] for a text. */
export function pointersOf(content: Uint8Array, canaries: readonly Canary[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const look = (text: string, pointer: string): void => {
    for (const { canary } of leaksOf(Buffer.from(text), canaries)) {
      found.set(canary, [...(found.get(canary) ?? []), pointer]);
    }
  };
  const walk = (value: unknown, pointer: string): void => {
    if (typeof value === "string" || typeof value === "number") look(String(value), pointer);
    if (typeof value !== "object" || value === null) return;
    for (const [key, member] of Object.entries(value)) {
      const inner = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      look(key, inner);
      walk(member, inner);
    }
  };
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(content).toString());
  } catch {
    for (const { canary } of leaksOf(content, canaries)) found.set(canary, [""]);
    return found;
  }
  walk(document, "");
  return found;
}
