/**
 * Which item of one list became which item of another: the one of the same name, else the equal one, else the one that
 * stands where it stood. Items that are left over on both sides, and that a single field tells apart, are one item too.
 */
import { diffArrays } from "diff";

import { addressOf, localityOf, nameOf } from "./item-names.js";
import { isList, isObject, type JsonValue } from "../shared/json-value.js";
import type { NumberOf } from "./numbering.js";

/** Places in either list; null where the other has no such item. */
export interface Pair {
  readonly before: number | null;
  readonly after: number | null;
}

export interface Alignment {
  /** Equal items of lists without names are left out. */
  readonly pairs: readonly Pair[];
  /** Whether what stands in both stands in another order. */
  readonly moved: boolean;
  /** What the items are called; null where they have no names. */
  readonly names: { readonly before: readonly string[]; readonly after: readonly string[] } | null;
}

export function aligned(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  numberOf: NumberOf,
): Alignment {
  const names = namesOf(before, after);
  const { pairs, moved } =
    names === null ? byContent(before, after, numberOf) : byName(names.before, names.after);
  return { pairs: withHeirs(pairs, before, after, numberOf), moved, names };
}

// By name

/** What names each item, where every item of both lists has a name of its own. */
function namesOf(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
): { before: string[]; after: string[] } | null {
  for (const name of [nameOf, addressOf, localityOf]) {
    const old = before.map(name);
    const now = after.map(name);
    if (isUnique(old) && isUnique(now)) return { before: old, after: now };
  }
  return null;
}

const isUnique = (names: readonly (string | null)[]): names is readonly string[] & string[] =>
  names.every((name) => name !== null) && new Set(names).size === names.length;

function byName(before: readonly string[], after: readonly string[]): Omit<Alignment, "names"> {
  const placeAfter = new Map(after.map((name, index) => [name, index]));
  const known = new Set(before);
  const pairs = [
    ...before.map((name, index) => ({ before: index, after: placeAfter.get(name) ?? null })),
    ...after.flatMap((name, index) => (known.has(name) ? [] : [{ before: null, after: index }])),
  ];
  return { pairs, moved: isCrossing(pairs) };
}

/** Whether items that stand in both lists stand in another order. */
function isCrossing(pairs: readonly Pair[]): boolean {
  const places = pairs
    .flatMap(({ before, after }) => (before === null || after === null ? [] : [{ before, after }]))
    .sort((a, b) => a.before - b.before);
  return places.some(({ after }, index) => after < (places[index - 1]?.after ?? 0));
}

// By content

/** More edits than this are not searched for, since the search costs the square of it: the list was replaced. */
const maxEdits = 1000;

/** Places without an equal item on the other side, between items that have one. */
interface Run {
  readonly gone: number[];
  readonly come: number[];
}

function byContent(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  numberOf: NumberOf,
): Omit<Alignment, "names"> {
  const { equal, runs } = commonPart(before.map(numberOf), after.map(numberOf));
  const left = { gone: runs.flatMap(({ gone }) => gone), come: runs.flatMap(({ come }) => come) };
  /** What of the rest says the same in one respect, each once. */
  const alike = ({ gone, come }: Run, respect: (item: JsonValue) => JsonValue | undefined): WholePair[] => {
    const placesOf = (items: readonly JsonValue[], run: readonly number[]): Place[] =>
      run.flatMap((place) => {
        const part = respect(items[place] ?? null);
        return part === undefined ? [] : [{ place, number: numberOf(part) }];
      });
    return equalPairs(placesOf(before, gone), placesOf(after, come));
  };
  const elsewhere = alike(left, (item) => item);
  const changed = without(elsewhere)(left);
  const routes = alike(changed, memberOf("match"));
  const chains = alike(without(routes)(changed), memberOf("filter_chain_match"));
  // plain values are a set or a text by lines: what replaces what does not depend on what stands between
  const isPlain = [...before, ...after].every((item) => !isObject(item) && !isList(item));
  return {
    pairs: [
      ...routes,
      ...chains,
      ...(isPlain ? [left] : runs).map(without([...elsewhere, ...routes, ...chains])).flatMap(successors),
    ],
    // a filter chain has no place that matters
    moved: isCrossing([...equal, ...elsewhere, ...routes]),
  };
}

const memberOf =
  (name: string) =>
  (item: JsonValue): JsonValue | undefined =>
    isObject(item) ? item[name] : undefined;

/** The longest common part, and what lies between; one run of everything where it costs too much to find. */
function commonPart(old: readonly number[], now: readonly number[]): { equal: Pair[]; runs: Run[] } {
  const edits = diffArrays([...old], [...now], { maxEditLength: maxEdits });
  if (edits === undefined) return { equal: [], runs: [{ gone: [...old.keys()], come: [...now.keys()] }] };
  const equal: Pair[] = [];
  const runs: Run[] = [{ gone: [], come: [] }];
  let before = 0;
  let after = 0;
  for (const { added, removed, value } of edits) {
    const places = (from: number): number[] => value.map((_, index) => from + index);
    const run = runs.at(-1);
    for (const place of removed ? places(before) : []) run?.gone.push(place);
    for (const place of added ? places(after) : []) run?.come.push(place);
    if (!added && !removed) {
      for (const index of value.keys()) equal.push({ before: before + index, after: after + index });
      runs.push({ gone: [], come: [] });
    }
    if (!added) before += value.length;
    if (!removed) after += value.length;
  }
  return { equal, runs };
}

interface Place {
  readonly place: number;
  readonly number: number;
}

interface WholePair {
  readonly before: number;
  readonly after: number;
}

/** Equal numbers of both lists, each place in one pair, the first with the first. */
function equalPairs(before: readonly Place[], after: readonly Place[]): WholePair[] {
  const places = new Map<number, number[]>();
  for (const { place, number } of after) {
    const same = places.get(number);
    if (same === undefined) places.set(number, [place]);
    else same.push(place);
  }
  const taken = new Map<number, number>();
  return before.flatMap(({ place, number }) => {
    const count = taken.get(number) ?? 0;
    const other = places.get(number)?.[count];
    if (other === undefined) return [];
    taken.set(number, count + 1);
    return [{ before: place, after: other }];
  });
}

/** What is left of a run without the places of these pairs. */
function without(pairs: readonly WholePair[]): (run: Run) => Run {
  const before = new Set(pairs.map((pair) => pair.before));
  const after = new Set(pairs.map((pair) => pair.after));
  return ({ gone, come }) => ({
    gone: gone.filter((place) => !before.has(place)),
    come: come.filter((place) => !after.has(place)),
  });
}

/** What stands where something else stood, one after the other. */
const successors = ({ gone, come }: Run): Pair[] => [
  ...gone.map((place, index) => ({ before: place, after: come[index] ?? null })),
  ...come.slice(gone.length).map((place) => ({ before: null, after: place })),
];

// Heirs

/** Among more items than this nobody looks for heirs. */
const maxHeirs = 8;

/** An item that went and one that came are one item where a single field tells them apart: its name, its port. */
function withHeirs(
  pairs: readonly Pair[],
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  numberOf: NumberOf,
): readonly Pair[] {
  const gone = pairs.filter((pair) => pair.after === null);
  const come = new Set(pairs.filter((pair) => pair.before === null));
  if (gone.length === 0 || gone.length > maxHeirs || come.size > maxHeirs) return pairs;
  const heirs = new Map<Pair, Pair>();
  for (const old of gone) {
    const heir = [...come].find((now) =>
      differsInOneField(before[old.before ?? -1] ?? null, after[now.after ?? -1] ?? null, numberOf),
    );
    if (heir === undefined) continue;
    heirs.set(old, heir);
    come.delete(heir);
  }
  const adopted = new Set(heirs.values());
  return pairs.flatMap((pair) =>
    adopted.has(pair) ? [] : [{ before: pair.before, after: heirs.get(pair)?.after ?? pair.after }],
  );
}

const differsInOneField = (a: JsonValue, b: JsonValue, numberOf: NumberOf): boolean =>
  isObject(a) && isObject(b) && a["@type"] === b["@type"] && fieldsApart(a, b, numberOf) === 1;

/** How many fields tell two values apart, a list counted as one; 2 stands for more. */
function fieldsApart(a: JsonValue | undefined, b: JsonValue | undefined, numberOf: NumberOf): number {
  if (a !== undefined && b !== undefined && numberOf(a) === numberOf(b)) return 0;
  if (!isObject(a) || !isObject(b)) return 1;
  let count = 0;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    count += fieldsApart(member(a, key), member(b, key), numberOf);
    if (count > 1) return 2;
  }
  return count;
}

const member = (object: Readonly<Record<string, JsonValue>>, key: string): JsonValue | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;
