/**
 * Regular expressions as Envoy's engine, RE2, takes them. Nothing else knows the port of it that we use, and no pattern of a
 * configuration ever reaches the built-in RegExp.
 *
 * The port follows Go's RE2. What it refuses and Envoy takes (`\C`, some names of scripts) is unknown, not an error, and so is
 * what would cost more than the limits below.
 */
import { RE2JS } from "re2js";

import { unknownTruth, type Ternary, type UnknownTruth } from "../ternary.js";
import { unknown } from "../unknown.js";
import { programSizeOf } from "./regex-size.js";

const limits = {
  /** Characters of a pattern, and instructions of its program. */
  patternLength: 20_000,
  programSize: 10_000,
  /** Instructions times characters of a text: the worst case of one match. */
  work: 5e8,
  /** Characters that the searches of one replacement may look at, all together, times instructions. */
  replacementWork: 5e7,
  /** Compiled patterns that are kept, and the longest text after which one is forgotten: its automaton has grown. */
  kept: 256,
  lastingText: 8192,
};

/** Least recently used first. */
const compiled = new Map<string, RE2JS | UnknownTruth>();

/** Whether the whole text matches; unknown for a pattern that the port refuses. */
export function fullMatch(pattern: string, text: string): Ternary {
  const regex = regexOf(pattern);
  if (isUnknownPattern(regex)) return regex;
  // RE2 reads UTF-8: what cannot be written in it matches nothing, and a full match has to take every byte
  if (!text.isWellFormed()) return false;
  if (regex.programSize() * text.length > limits.work) return tooMuch(pattern, text);
  const matches = regex.matches(text);
  forgetGrown(pattern, text);
  return matches;
}

/** The groups of a full match, the whole first, null for one that took no part; null where nothing matches. */
export function groupsOf(pattern: string, text: string): readonly (string | null)[] | null | UnknownTruth {
  const regex = regexOf(pattern);
  if (isUnknownPattern(regex)) return regex;
  if (!text.isWellFormed()) return null;
  if (regex.programSize() * text.length > limits.work) return tooMuch(pattern, text);
  const matcher = regex.matcher(text);
  if (!matcher.matches()) return null;
  const groups = Array.from({ length: regex.groupCount() + 1 }, (_, index) => matcher.group(index));
  forgetGrown(pattern, text);
  return groups;
}

/** The number of the group with a name; undefined where there is none. */
export function namedGroup(pattern: string, name: string): number | undefined | UnknownTruth {
  const regex = regexOf(pattern);
  if (isUnknownPattern(regex)) return regex;
  const groups = regex.namedGroups() as Readonly<Record<string, number>>;
  return Object.hasOwn(groups, name) ? groups[name] : undefined;
}

/**
 * Replaces every match (`RE2::GlobalReplace`): `\0` to `\9` in the substitution are groups and `\\` is a backslash; anything
 * else is literal, `$1` too. Where it names a group that the pattern lacks, nothing is replaced; another escape ends what is
 * written in the place of a match.
 */
export function replaceAll(pattern: string, text: string, substitution: string): string | UnknownTruth {
  const regex = regexOf(pattern);
  if (isUnknownPattern(regex)) return regex;
  if (!text.isWellFormed()) return tooOdd(pattern);
  const pieces = substitutionPieces(substitution);
  if (Math.max(-1, ...pieces.filter((piece) => typeof piece === "number")) > regex.groupCount()) return text;
  const replaced = globalReplace(regex, text, pieces);
  forgetGrown(pattern, text);
  return replaced ?? tooMuch(pattern, text);
}

/** Literal text, and numbers of groups. */
type Piece = string | number;

function substitutionPieces(substitution: string): Piece[] {
  const pieces: Piece[] = [];
  let literal = "";
  for (let at = 0; at < substitution.length; at++) {
    const character = substitution.charAt(at);
    if (character !== "\\") {
      literal += character;
      continue;
    }
    at += 1;
    const escaped = substitution.charAt(at);
    if (escaped === "\\") literal += "\\";
    else if (/^\d$/.test(escaped)) {
      pieces.push(literal, Number(escaped));
      literal = "";
    } else break;
  }
  return [...pieces, literal];
}

/** null where it costs too much. */
function globalReplace(regex: RE2JS, text: string, pieces: readonly Piece[]): string | null {
  const matcher = regex.matcher(text);
  const result: string[] = [];
  let at = 0;
  let lastEnd = -1;
  let work = 0;
  while (at <= text.length) {
    work += (text.length - at + 1) * regex.programSize();
    if (work > limits.replacementWork) return null;
    if (!matcher.find(at)) break;
    const [start, end] = [matcher.start(), matcher.end()];
    result.push(text.slice(at, start));
    if (start === lastEnd && end === start) {
      // an empty match right behind the last one is none: one character further
      const width = (text.codePointAt(start) ?? 0) > 0xffff ? 2 : 1;
      result.push(text.slice(start, start + width));
      at = start + width;
      continue;
    }
    for (const piece of pieces) result.push(typeof piece === "number" ? (matcher.group(piece) ?? "") : piece);
    at = end;
    lastEnd = end;
  }
  return result.join("") + text.slice(at);
}

function regexOf(pattern: string): RE2JS | UnknownTruth {
  const known = compiled.get(pattern);
  const regex = known ?? compile(pattern);
  if (known !== undefined) compiled.delete(pattern);
  else if (compiled.size >= limits.kept) compiled.delete(compiled.keys().next().value ?? "");
  compiled.set(pattern, regex);
  return regex;
}

function compile(pattern: string): RE2JS | UnknownTruth {
  if (
    pattern.length > limits.patternLength ||
    programSizeOf(pattern, limits.programSize) > limits.programSize
  )
    return unknownTruth(
      unknown("limit", `The regular expression ${shown(pattern)} is too large to be tried.`),
    );
  try {
    return RE2JS.compile(pattern);
  } catch {
    return unknownTruth(
      unknown("regular expression", `The regular expression ${shown(pattern)} is not understood.`),
    );
  }
}

function forgetGrown(pattern: string, text: string): void {
  if (text.length > limits.lastingText) compiled.delete(pattern);
}

const isUnknownPattern = (regex: RE2JS | UnknownTruth): regex is UnknownTruth => "because" in regex;

const tooMuch = (pattern: string, text: string): UnknownTruth =>
  unknownTruth(
    unknown(
      "limit",
      `The regular expression ${shown(pattern)} was not tried on a text of ${text.length} characters.`,
    ),
  );

const tooOdd = (pattern: string): UnknownTruth =>
  unknownTruth(
    unknown(
      "regular expression",
      `The regular expression ${shown(pattern)} meets a text that is not Unicode.`,
    ),
  );

const shown = (pattern: string): string =>
  JSON.stringify(pattern.length > 80 ? `${pattern.slice(0, 80)}…` : pattern);

/** Whether it is a text, not what is unknown. */
export const isText = (value: string | UnknownTruth): value is string => typeof value === "string";
