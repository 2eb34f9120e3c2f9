/**
 * The last look at what is about to be written. It knows nothing of rules and places, only a few shapes that are a secret
 * wherever they stand, and it fails closed: with a finding that nobody allowed, no bundle is written. Fixed marks are
 * searched for, and what is around them is looked at, so a file of any size costs one pass.
 */
import { createHash } from "node:crypto";

import { pointerAt } from "./pointer.js";
import type { ScanFinding } from "./types.js";

interface Shape {
  readonly rule: string;
  /** Every match begins with one of these. */
  readonly marks: readonly string[];
  /** Tells a match from what only has the mark; sticky, and bounded in both directions. */
  readonly pattern: RegExp;
  readonly isMatch?: (match: RegExpExecArray) => boolean;
}

/** How far a pattern looks back, and how long its matches are. */
const longestMatch = 8 * 1024;
const blockSize = 1 << 20;
/** Findings of one file: whoever has so many has to look anyway. */
const most = 200;

/** A text as it stands in base64, whatever stands before it: the characters that depend on its neighbours are left out. */
function inBase64(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const coded = Buffer.from("\0".repeat(before) + text).toString("base64");
    const from = before === 0 ? 0 : before === 1 ? 2 : 3;
    const cut = (before + text.length) % 3 === 0 ? 0 : (before + text.length) % 3 === 1 ? 3 : 2;
    return coded.slice(from, coded.length - cut);
  });
}
const keyMark = "PRIVATE KEY-----";
const keyInBase64 = inBase64(keyMark);
const keyInBase64Twice = keyInBase64.flatMap(inBase64);

/** With what follows, so that one key's fingerprint is not that of all. */
const withRun = (texts: readonly string[]): RegExp =>
  new RegExp(`(?:${texts.map((text) => text.replace(/[+/]/g, "\\$&")).join("|")})[A-Za-z0-9+/=]{0,400}`, "y");

const shapes: readonly Shape[] = [
  {
    rule: "private key",
    marks: ["PRIVATE KEY", "PRIVATE%20KEY", "PRIVATE+KEY"],
    pattern: /(?<=BEGIN(?:[A-Z0-9 +]|%20){1,40})PRIVATE(?: |%20|\+)KEY[^"]{0,400}/y,
  },
  { rule: "private key in base64", marks: keyInBase64, pattern: withRun(keyInBase64) },
  { rule: "private key in base64 of base64", marks: keyInBase64Twice, pattern: withRun(keyInBase64Twice) },
  {
    rule: "JSON web token",
    marks: ["eyJ"],
    pattern: /eyJ[\w-]{8,2000}\.[\w-]{8,2000}\.[\w-]{8,2000}/y,
  },
  {
    rule: "bearer credential",
    marks: ["bearer", "Bearer", "BEARER"],
    pattern: /bearer(?:[ \t]|%20|\+){1,4}[A-Za-z0-9._~+/-]{16,2000}=*/iy,
    isMatch: ([text]) => /\d/.test(text.replace(/%20/g, "")),
  },
  {
    rule: "basic credential",
    marks: ["basic", "Basic", "BASIC"],
    pattern: /basic(?:[ \t]|%20|\+){1,4}([A-Za-z0-9+/]{8,1000}={0,2})/iy,
    isMatch: ([, coded = ""]) => isUserAndPassword(Buffer.from(coded, "base64").toString("latin1")),
  },
  {
    rule: "AWS access key",
    marks: ["AKIA", "ASIA"],
    pattern: /(?<![A-Za-z0-9+/=_-])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9+/=_-])/y,
  },
  { rule: "Google API key", marks: ["AIza"], pattern: /(?<![A-Za-z0-9+/_-])AIza[\w-]{35}(?![\w-])/y },
  { rule: "Google access token", marks: ["ya29."], pattern: /ya29\.[\w-]{20,2000}/y },
  {
    rule: "Azure key",
    marks: ["AccountKey=", "SharedAccessKey="],
    pattern: /(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,200}=*/y,
  },
];

const isUserAndPassword = (text: string): boolean => /^[\x21-\x7e]{1,200}:[\x20-\x7e]{1,200}$/.test(text);

interface Match {
  readonly rule: string;
  readonly offset: number;
  readonly text: string;
}

/** What still looks like a secret in a redacted file. */
export function scan(file: string, content: readonly Uint8Array[]): ScanFinding[] {
  const found = new Map<string, Match>();
  for (const { bytes, offset } of blocksOf(content)) {
    for (const match of [...matchesIn(bytes), ...matchesInUnescaped(bytes)]) {
      if (found.size >= most) break;
      const at = { ...match, offset: match.offset + offset };
      found.set(`${at.rule} ${at.offset}`, at);
    }
  }
  if (found.size === 0) return [];
  const whole = Buffer.concat(content);
  return [...found.values()]
    .sort((a, b) => a.offset - b.offset)
    .map(({ rule, offset, text }) => ({
      file,
      rule,
      offset,
      pointer: pointerAt(whole, offset),
      fingerprint: createHash("sha256").update(text, "latin1").digest("hex").slice(0, 16),
    }));
}

/** Blocks that overlap by what is looked at around a mark: a match that two of them hold is at one offset in both. */
function* blocksOf(content: readonly Uint8Array[]): Generator<{ bytes: Buffer; offset: number }> {
  const overlap = 2 * longestMatch;
  let carried = Buffer.alloc(0);
  let offset = 0;
  for (const piece of content) {
    for (let at = 0; at < piece.length; at += blockSize) {
      const block = Buffer.concat([carried, piece.subarray(at, at + blockSize)]);
      yield { bytes: block, offset };
      const keep = Math.min(overlap, block.length);
      carried = block.subarray(block.length - keep);
      offset += block.length - keep;
    }
  }
}

function* matchesIn(bytes: Buffer): Generator<Match> {
  let text: string | null = null;
  for (const { rule, marks, pattern, isMatch } of shapes) {
    for (const mark of marks) {
      for (let at = bytes.indexOf(mark, 0, "latin1"); at >= 0;) {
        text ??= bytes.toString("latin1");
        pattern.lastIndex = at;
        const match = pattern.exec(text);
        if (match !== null && isMatch?.(match) !== false) yield { rule, offset: at, text: match[0] };
        at = bytes.indexOf(mark, Math.max(at + 1, endOfWord(text, at)), "latin1");
      }
    }
  }
}

/** No other match begins in the same word. */
function endOfWord(text: string, at: number): number {
  word.lastIndex = at;
  word.test(text);
  return word.lastIndex;
}
const word = /[\w-]*/y;

/** Characters that JSON escaped though it need not, and slashes: the same bytes with these undone, offsets by the text before. */
function* matchesInUnescaped(bytes: Buffer): Generator<Match> {
  if (bytes.indexOf("\\u00", 0, "latin1") < 0 && bytes.indexOf("\\/", 0, "latin1") < 0) return;
  const removed: { readonly at: number; readonly bytes: number }[] = [];
  let gone = 0;
  const text = bytes
    .toString("latin1")
    .replace(/\\+(?:u00([2-7][0-9a-fA-F])|\/)/g, (escape, code: string | undefined, at: number) => {
      gone += escape.length - 1;
      removed.push({ at: at + escape.length - gone, bytes: gone });
      return code === undefined ? "/" : String.fromCharCode(Number.parseInt(code, 16));
    });
  for (const match of matchesIn(Buffer.from(text, "latin1"))) {
    const before = removed.findLast(({ at }) => at <= match.offset);
    yield { ...match, offset: match.offset + (before?.bytes ?? 0) };
  }
}
