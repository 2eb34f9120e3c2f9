/** Two lists of resources of one kind held against each other, by name and meaning. */
import type { Origin, ReferenceList, Resource, SectionKind } from "../snapshot/model.js";
import { by } from "../shared/sorting.js";
import { changesBetween, mirrored, type Change } from "./changes.js";
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
    const isSwapped = before.hash > after.hash;
    const [first, second] = isSwapped ? [after, before] : [before, after];
    const key = `${first.hash} ${second.hash}`;
    let list = known.get(key);
    if (list === undefined) {
      list = changesBetween(formOf(first).value, formOf(second).value);
      known.set(key, list);
    }
    return isSwapped ? list.map(mirrored) : list;
  };
  return {
    same,
    changes,
    form: formOf,
    compare: (kind, before, after) => {
      const places = placesByName(after);
      const seen = new Set<string>();
      let equal = 0;
      let noise = 0;
      const differences: Difference[] = [];
      for (let index = 0; index < before.length; index++) {
        const name = before.name(index);
        const old = before.resource(index);
        // clusters that share an EDS service have one entry each, all alike
        if (old === null || seen.has(name)) continue;
        seen.add(name);
        const place = places.get(name);
        const now = place === undefined ? null : after.resource(place);
        if (place === undefined || now === null) {
          const holding = holdingAt(before, index, old);
          differences.push({ kind, name, class: "missing", before: holding, after: null, changes: [] });
        } else if (same(old, now)) {
          equal++;
          if (old.hash !== now.hash) noise++;
        } else
          differences.push({
            kind,
            name,
            class: "changed",
            before: holdingAt(before, index, old),
            after: holdingAt(after, place, now),
            changes: changes(old, now),
          });
      }
      for (const [name, place] of places) {
        const now = after.resource(place);
        if (now === null || seen.has(name)) continue;
        const holding = holdingAt(after, place, now);
        differences.push({ kind, name, class: "extra", before: null, after: holding, changes: [] });
      }
      return { kind, same: equal, noise, differences: differences.sort(by(({ name }) => name)) };
    },
  };
}

/** Where each name stands first. */
function placesByName(list: ReferenceList): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (let index = 0; index < list.length; index++) {
    const name = list.name(index);
    if (list.resource(index) !== null && !places.has(name)) places.set(name, index);
  }
  return places;
}

function holdingAt(list: ReferenceList, index: number, resource: Resource): Holding {
  const { lastUpdated, versionInfo, origin } = list.at(index);
  return { resource, lastUpdated, versionInfo, origin };
}
