/**
 * Which fields of a resource differ, between two semantic forms. Lists are aligned by what names their items (a virtual
 * host's name, a host's address) or else by their longest common part, so that one route more is one change.
 */
import { aligned, type Alignment } from "./alignment.js";
import { canonicalText, isList, isObject, type JsonObject, type JsonValue } from "../shared/json-value.js";
import { numbering, type NumberOf } from "./numbering.js";

export interface Change {
  /**
   * The field, from the resource down: `virtual_hosts[reviews:9080].routes[0].route.timeout`; "" is the whole. An item
   * without a name has the number of its place in the list that holds it, and in one of the two where both do.
   */
  readonly path: string;
  /** `moved`: the items of a list whose order matters stand in another order. */
  readonly kind: "added" | "removed" | "changed" | "moved";
  /** null where there was nothing. */
  readonly before: JsonValue;
  readonly after: JsonValue;
}

/** Every difference once, in the order of the fields. `changesBetween(b, a)` mirrors `changesBetween(a, b)`. */
export function changesBetween(before: JsonValue, after: JsonValue): readonly Change[] {
  // ties of the alignment are broken the same way whoever comes first
  const isSwapped = canonicalText(before) > canonicalText(after);
  const changes: Change[] = [];
  if (isSwapped) compare("", after, before, numbering(), changes);
  else compare("", before, after, numbering(), changes);
  return isSwapped ? changes.map(mirrored) : changes;
}

const mirroredKind = { added: "removed", removed: "added", changed: "changed", moved: "moved" } as const;

export const mirrored = ({ path, kind, before, after }: Change): Change => ({
  path,
  kind: mirroredKind[kind],
  before: after,
  after: before,
});

/** Costs what differs: equal parts are known by their numbers. */
function compare(
  path: string,
  before: JsonValue,
  after: JsonValue,
  numberOf: NumberOf,
  changes: Change[],
): void {
  if (numberOf(before) === numberOf(after)) return;
  if (isList(before) && isList(after)) compareLists(path, before, after, numberOf, changes);
  // another type is another thing: its fields are not to be held against each other
  else if (isObject(before) && isObject(after) && before["@type"] === after["@type"])
    compareObjects(path, before, after, numberOf, changes);
  else changes.push({ path, kind: "changed", before, after });
}

function compareObjects(
  path: string,
  before: JsonObject,
  after: JsonObject,
  numberOf: NumberOf,
  changes: Change[],
): void {
  for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    const inside = memberPath(path, key);
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    const now = Object.hasOwn(after, key) ? after[key] : undefined;
    compareMembers(inside, old, now, numberOf, changes);
  }
}

function compareMembers(
  path: string,
  old: JsonValue | undefined,
  now: JsonValue | undefined,
  numberOf: NumberOf,
  changes: Change[],
): void {
  if (old === undefined) changes.push({ path, kind: "added", before: null, after: now ?? null });
  else if (now === undefined) changes.push({ path, kind: "removed", before: old, after: null });
  else compare(path, old, now, numberOf, changes);
}

const memberPath = (path: string, key: string): string => {
  const name = /^[A-Za-z_@][\w@-]*$/.test(key) ? key : `[${JSON.stringify(key)}]`;
  return path === "" || name.startsWith("[") ? path + name : `${path}.${name}`;
};

function compareLists(
  path: string,
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  numberOf: NumberOf,
  changes: Change[],
): void {
  const { pairs, moved, names } = aligned(before, after, numberOf);
  if (moved)
    changes.push({
      path,
      kind: "moved",
      before: titles(before, names?.before),
      after: titles(after, names?.after),
    });
  for (const { before: i, after: j } of pairs) {
    const name = names === null ? String(j ?? i ?? 0) : (names.before[i ?? -1] ?? names.after[j ?? -1] ?? "");
    const old = i === null ? undefined : before[i];
    const now = j === null ? undefined : after[j];
    compareMembers(`${path}[${name}]`, old, now, numberOf, changes);
  }
}

/** What a moved list's items are called: by their names, a route by its match, else by all that they say. */
const titles = (
  items: readonly JsonValue[],
  names: Exclude<Alignment["names"], null>["before"] | undefined,
): readonly JsonValue[] =>
  names ?? items.map((item) => (isObject(item) ? (item["match"] ?? item["name"] ?? item) : item));
