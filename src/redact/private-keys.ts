/**
 * Private keys in PEM (RFC 7468, and the older headed forms), wherever in a text they begin: with true line ends, with
 * escaped ones, percent-encoded, and cut off at either end.
 */
import type { Replace } from "./strings.js";

const label = "(?:[A-Z0-9 +]|%20){0,40}?PRIVATE(?: |%20|\\+)KEY(?:(?: |%20|\\+)BLOCK)?";
const beginning = new RegExp(`-----BEGIN${label}-----`, "g");
const ending = new RegExp(`-----END${label}-----`, "g");
/** What a key's lines are made of, as far as a text cut off in the middle tells. */
const keyText = /(?:[A-Za-z0-9+/=\s:,-]|\\[nrt\\/]|%0[AaDd9]|%2[BbFf]|%3[Dd])*/y;
/** No key is longer: a mark of an end that is farther away belongs to another one. */
const longestKey = 64 * 1024;

export function redactPrivateKeys(text: string, replace: Replace): string {
  if (!text.includes("PRIVATE")) return text;
  const ends = [...text.matchAll(ending)].map((match) => ({
    at: match.index,
    end: match.index + match[0].length,
  }));
  let nextEnd = 0;
  let done = 0;
  const pieces: string[] = [];
  const cut = (from: number, to: number): void => {
    pieces.push(text.slice(done, from), replace("private key", text.slice(from, to)));
    done = to;
  };
  for (const match of text.matchAll(beginning)) {
    if (match.index < done) continue;
    for (; nextEnd < ends.length && (ends[nextEnd]?.at ?? 0) < match.index; nextEnd++)
      headless(text, done, ends[nextEnd], cut);
    const bodyAt = match.index + match[0].length;
    const end = ends[nextEnd];
    if (end !== undefined && end.at - bodyAt <= longestKey) {
      cut(match.index, end.end);
      nextEnd++;
    } else cut(match.index, endOfKeyText(text, bodyAt));
  }
  for (; nextEnd < ends.length; nextEnd++) headless(text, done, ends[nextEnd], cut);
  return done === 0 ? text : pieces.join("") + text.slice(done);
}

function endOfKeyText(text: string, from: number): number {
  keyText.lastIndex = from;
  keyText.test(text);
  // a bracket or quote that follows white space is not the key's, nor is the white space
  return from + text.slice(from, keyText.lastIndex).trimEnd().length;
}

/** The end of a key whose beginning was cut off: what looks like its last lines goes with it. */
function headless(
  text: string,
  from: number,
  end: { readonly at: number; readonly end: number } | undefined,
  cut: (from: number, to: number) => void,
): void {
  if (end === undefined || end.at < from) return;
  let at = end.at;
  const stop = Math.max(from, end.at - longestKey);
  while (at > stop && isKeyCharacter(text.charCodeAt(at - 1))) at--;
  cut(at, end.end);
}

const isKeyCharacter = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x61 && code <= 0x7a) ||
  code === 0x2b ||
  code === 0x2f ||
  code === 0x3d ||
  code === 0x5c ||
  code === 0x0a ||
  code === 0x0d;

/** Whether bytes are a private key without its armour: PKCS #8, PKCS #1, SEC 1, or a PKCS #12 store. */
export function isDerPrivateKey(der: Uint8Array): boolean {
  if (der[0] !== 0x30 || der.length < 24) return false;
  const long = (der[1] ?? 0) & 0x80 ? (der[1] ?? 0) & 0x7f : 0;
  if (long > 4) return false;
  const at = 2 + long;
  if (der[at] !== 0x02 || der[at + 1] !== 0x01) return false; // a version: one small integer
  const version = der[at + 2] ?? 0xff;
  const next = der[at + 3];
  const isPkcs8OrPkcs12 = (version <= 1 || version === 3) && next === 0x30;
  const isPkcs1 = version <= 1 && next === 0x02;
  const isSec1 = version === 1 && next === 0x04;
  return isPkcs8OrPkcs12 || isPkcs1 || isSec1;
}
