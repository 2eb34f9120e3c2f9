/** A list of a dump that is read when it is asked for: what has a name, or mentions a word, by itself; all else as a whole. */
import type { ReferenceList } from "../model.js";
import { joined } from "../reference-list.js";

export interface DeferredElements {
  /** Beginning and end of each element in turn, byte offsets. */
  readonly places: readonly number[];
  /** What one element says. @throws UnreadableResource */
  readonly element: (index: number) => ReferenceList;
  /** What all of them say. @throws UnreadableResource */
  readonly all: () => ReferenceList;
  /** All of these bytes, from the first place to the last one. */
  readonly text: SearchedText;
}

/** Bytes of a dump as a text of which each character is one of them. */
export interface SearchedText {
  /** Where a text of ASCII stands, counted from the beginning, from an offset on; -1 where it does not. */
  readonly find: (text: string, from: number) => number;
  readonly all: () => string;
}

/** Names and words that are searched for, and elements that one search finds; whoever wants more needs all of the list. */
const mostSearches = 32;
const mostFound = 256;

/** What JSON may print as it is, and does where there is no escape. */
const printable = /^[ !#-[\]-~]+$/;

/** @throws UnreadableResource, whenever it is asked for something */
export function deferredList(elements: DeferredElements): ReferenceList {
  const { places, text } = elements;
  const begin = places[0] ?? 0;
  const read = new Map<number, ReferenceList>();
  const searches = new Map<string, ReferenceList>();
  let whole: ReferenceList | null = null;
  let escapes: boolean | null = null;
  let words: string | null = null;

  const all = (): ReferenceList => (whole ??= elements.all());
  const hasEscapes = (): boolean => (escapes ??= text.find("\\u", 0) >= 0 || text.find("\\/", 0) >= 0);
  const element = (index: number): ReferenceList => {
    const known = read.get(index) ?? elements.element(index);
    read.set(index, known);
    return known;
  };
  /** @param next the first place of what is searched for, from an offset on */
  const holding = (next: (from: number) => number): ReferenceList => {
    const indexes: number[] = [];
    for (let at = next(0); at >= 0 && indexes.length <= mostFound;) {
      const index = placeAround(places, begin + at);
      indexes.push(index);
      at = next((places[2 * index + 1] ?? 0) - begin);
    }
    return indexes.length > mostFound ? all() : joined(indexes.map(element));
  };
  const searched = (as: "name" | "word", what: string, next: (from: number) => number): ReferenceList => {
    const key = `${as} ${what}`;
    const known = searches.get(key);
    if (known !== undefined) return known;
    if (whole !== null || searches.size === mostSearches || !printable.test(what) || hasEscapes())
      return all();
    const found = holding(next);
    searches.set(key, found);
    return found;
  };
  return {
    get length() {
      return all().length;
    },
    at: (index) => all().at(index),
    resource: (index) => all().resource(index),
    name: (index) => all().name(index),
    source: (index) => all().source(index),
    state: (index) => all().state(index),
    named: (name) => searched("name", name, (from) => text.find(`"${name}"`, from)).named(name),
    mentioning: (word) => {
      const lower = word.toLowerCase();
      return searched("word", lower, (from) =>
        placeOfWord((words ??= text.all().toLowerCase()), lower, from),
      );
    },
    *[Symbol.iterator]() {
      yield* all();
    },
  };
}

/** The last element that begins at an offset or before it. */
function placeAround(places: readonly number[], offset: number): number {
  let low = 0;
  for (let high = places.length / 2; high - low > 1;) {
    const middle = (low + high) >>> 1;
    if ((places[2 * middle] ?? 0) <= offset) low = middle;
    else high = middle;
  }
  return low;
}

function placeOfWord(text: string, word: string, from: number): number {
  let at = text.indexOf(word, from);
  while (at >= 0 && (isInWord(text.charCodeAt(at - 1)) || isInWord(text.charCodeAt(at + word.length))))
    at = text.indexOf(word, at + 1);
  return at;
}

/** Of lower-case letters and digits; NaN, beyond the text, is none. */
const isInWord = (code: number): boolean => (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x7a);
