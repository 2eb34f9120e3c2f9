/** Two lists of resources of one kind held against each other, by name and meaning. */
import type { Origin, ReferenceList, Resource, SectionKind } from "../snapshot/model.js";
import { by } from "../shared/sorting.js";
import { changesBetween, type Change } from "./changes.js";
import { canonicalText, type JsonValue } from "../shared/json-value.js";
import { semanticForms, type SemanticForm } from "./semantic-form.js";

/** One side's copy of a resource. */
export interface Holding {
  readonly resource: Resource;
  /** RFC 3339; null where the dump does not say, as Istiod's never does. */
  readonly lastUpdated: string | null;
  readonly versionInfo: string;
  readonly origin: Origin;
}

export interface Difference {
  readonly kind: SectionKind;
  readonly name: string;
  /** `missing`: only before; `extra`: only after. */
  readonly class: "missing" | "extra" | "changed";
  readonly before: Holding | null;
  readonly after: Holding | null;
  /** The fields, for `changed`. */
  readonly changes: readonly Change[];
}

export interface Comparison {
  readonly kind: SectionKind;
  /** Resources whose meaning is the same. */
  readonly same: number;
  /** Of those, the ones that are written differently: order, spelling, defaults. */
  readonly noise: number;
  /** By name. */
  readonly differences: readonly Difference[];
}

/** Holds resources against each other; what it worked out once, it keeps. */
export interface Comparer {
  /** Whether two resources mean the same to Envoy. */
  same(a: Resource, b: Resource): boolean;
  changes(before: Resource, after: Resource): readonly Change[];
  /** What a resource means. */
  form(resource: Resource): SemanticForm;
  /** References without a content are passed over. */
  compare(kind: SectionKind, before: ReferenceList, after: ReferenceList): Comparison;
}

export function comparer(): Comparer {
  const formOf = semanticForms();
  const known = new Map<string, readonly Change[]>();
  const same = (a: Resource, b: Resource): boolean => a.hash === b.hash || formOf(a).text === formOf(b).text;
  const changes = (before: Resource, after: Resource): readonly Change[] => {
    const key = `${before.hash} ${after.hash}`;
    let list = known.get(key);
    if (list === undefined) {
      list = changesBetween(formOf(before).value, formOf(after).value);
      known.set(key, list);
    }
    return list;
  };
  return {
    same,
    changes,
    form: formOf,
    compare: (kind, before, after) => {
      const [old, now] = [placesByName(kind, before), placesByName(kind, after)];
      let equal = 0;
      let noise = 0;
      const differences: Difference[] = [];
      const hold = (name: string, [first, second]: PlacePair): void => {
        const one = first === null ? null : before.resource(first);
        const other = second === null ? null : after.resource(second);
        if (one !== null && other !== null && same(one, other)) {
          equal++;
          if (one.hash !== other.hash) noise++;
          return;
        }
        differences.push({
          kind,
          name,
          class: other === null ? "missing" : one === null ? "extra" : "changed",
          before: one === null || first === null ? null : holdingAt(before, first, one),
          after: other === null || second === null ? null : holdingAt(after, second, other),
          changes: one === null || other === null ? [] : changes(one, other),
        });
      };
      const textAt = (list: ReferenceList) => (place: number) => {
        const resource = list.resource(place);
        return resource === null ? "" : formOf(resource).text;
      };
      for (const [name, places] of old)
        for (const pair of paired(places, now.get(name) ?? [], textAt(before), textAt(after)))
          hold(name, pair);
      for (const [name, places] of now)
        if (!old.has(name)) for (const place of places) hold(name, [null, place]);
      return { kind, same: equal, noise, differences: differences.sort(by(({ name }) => name)) };
    },
  };
}

/**
 * Where each name stands. The first place only, but for route configurations: those that stand in listeners need no name
 * of their own. Clusters that share an EDS service have one entry of endpoints each, all alike.
 */
function placesByName(kind: SectionKind, list: ReferenceList): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  for (let index = 0; index < list.length; index++) {
    if (list.resource(index) === null) continue;
    const name = list.name(index);
    const own = places.get(name);
    if (own === undefined) places.set(name, [index]);
    else if (kind === "routeConfiguration") own.push(index);
  }
  return places;
}

type PlacePair = readonly [before: number | null, after: number | null];

/**
 * Which of one name became which. Several are told apart by what they say alone, since Envoy dumps them in any order;
 * alike ones count as one.
 */
function paired(
  before: readonly number[],
  after: readonly number[],
  textBefore: (place: number) => string,
  textAfter: (place: number) => string,
): readonly PlacePair[] {
  if (before.length < 2 && after.length < 2) return [[before[0] ?? null, after[0] ?? null]];
  const old = new Map(before.map((place) => [textBefore(place), place]));
  const now = new Map(after.map((place) => [textAfter(place), place]));
  const equal = [...old].flatMap(([text, place]): PlacePair[] => {
    const other = now.get(text);
    return other === undefined ? [] : [[place, other]];
  });
  const gone = [...old].flatMap(([text, place]) => (now.has(text) ? [] : [place]));
  const come = [...now].flatMap(([text, place]) => (old.has(text) ? [] : [place]));
  return [
    ...equal,
    ...gone.map((place, index): PlacePair => [place, come[index] ?? null]),
    ...come.slice(gone.length).map((place): PlacePair => [null, place]),
  ];
}

/** A number for what a list of changes says: equal lists have equal numbers. Most proxies share the very list. */
export function changeNumbers(): (changes: readonly Change[]) => number {
  const byList = new WeakMap<readonly Change[], number>();
  const byText = new Map<string, number>();
  return (changes) => {
    let number = byList.get(changes);
    if (number === undefined) {
      const text = canonicalText(changes as unknown as JsonValue);
      number = byText.get(text) ?? byText.size;
      byText.set(text, number);
      byList.set(changes, number);
    }
    return number;
  };
}

function holdingAt(list: ReferenceList, index: number, resource: Resource): Holding {
  const { lastUpdated, versionInfo, origin } = list.at(index);
  return { resource, lastUpdated, versionInfo, origin };
}
