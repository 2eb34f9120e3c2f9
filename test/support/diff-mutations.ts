/** Resources with one thing changed in them: a value, a field more or less, an item of a list more, less or elsewhere. */
import { isList, isObject, objectOf, type JsonObject, type JsonValue } from "../../src/shared/json-value.js";
import { semanticForm } from "../../src/diff/semantic-form.js";
import type { Resource } from "../../src/snapshot/model.js";
import { currentName, messageFields, type FieldValue } from "../../src/snapshot/parse/field-table.js";
import { typeName } from "../../src/snapshot/parse/type-url.js";
import { contentOf, shapeOf } from "./diff-resources.js";
import type { Random } from "./mesh/random.js";

/** Keys of objects and places in lists, from the resource down. */
export type Path = readonly (string | number)[];

export interface Mutation {
  readonly path: Path;
  /** What stood there and what stands there now; undefined for nothing. */
  readonly old: JsonValue | undefined;
  readonly now: JsonValue | undefined;
  /** The content of the whole resource, before and after. */
  readonly before: JsonValue;
  readonly after: JsonValue;
  /** The v3 name of the message that has the field; "" in data of the user's own; null where nobody asked. */
  readonly type: string | null;
}

/** A value of the resource, as it was written, is another. */
export function valueChanged(resource: Resource, random: Random): Mutation {
  const before = contentOf(resource);
  const { path, value } = random.pick([...leavesOf(before)]);
  const now = otherThan(value);
  return { path, old: value, now, before, after: replacedAt(before, path, now), type: null };
}

/** A set of resources, in whose messages is seen what may stand in others. */
export class Mutations {
  readonly #forms = new Map<Resource, { readonly form: JsonValue; readonly messages: readonly Message[] }>();
  /** Values of each field of each type. */
  readonly #seen = new Map<string, Map<string, JsonValue[]>>();

  constructor(resources: readonly Resource[]) {
    for (const resource of resources) {
      const form = semanticForm(resource).value;
      const messages = [...messagesOf(form, shapeOf(resource))];
      this.#forms.set(resource, { form, messages });
      for (const { type, message } of messages) if (type !== "") this.#see(type, message);
    }
  }

  #see(type: string, message: JsonObject): void {
    const fields = this.#seen.get(type) ?? new Map<string, JsonValue[]>();
    this.#seen.set(type, fields);
    for (const [key, value] of fieldsOf(message)) {
      const values = fields.get(key) ?? [];
      fields.set(key, values);
      if (values.length < 100) values.push(value);
    }
  }

  /** A field that said something is gone. */
  memberRemoved(resource: Resource, random: Random): Mutation | null {
    const { form, messages } = this.#of(resource);
    const { path, type, message } = random.pick(messages);
    const keys = fieldsOf(message).map(([key]) => key);
    if (keys.length === 0) return null;
    const key = random.pick(keys);
    const rest = objectOf(Object.entries(message).filter(([other]) => other !== key));
    const after = replacedAt(form, path, rest);
    return { path: [...path, key], old: message[key], now: undefined, before: form, after, type };
  }

  /** A field that was not set has a value which it has elsewhere. */
  memberAdded(resource: Resource, random: Random): Mutation | null {
    const { form, messages } = this.#of(resource);
    const { path, type, message } = random.pick(messages);
    const seen = [...(this.#seen.get(type) ?? new Map([["key of the user's", ["value"]]]))];
    const candidates = seen.filter(([key]) => !Object.hasOwn(message, key));
    if (candidates.length === 0) return null;
    const [key, values] = random.pick(candidates);
    const now = random.pick(values);
    const after = replacedAt(form, path, objectOf([...Object.entries(message), [key, now]]));
    return { path: [...path, key], old: undefined, now, before: form, after, type };
  }

  /** A list has one item less. */
  itemRemoved(resource: Resource, random: Random): Mutation | null {
    const list = this.#list(resource, random);
    if (list === null || list.items.length === 0) return null;
    const { form, path, type, items } = list;
    const place = random.between(0, items.length - 1);
    const after = replacedAt(form, path, items.toSpliced(place, 1));
    return { path: [...path, place], old: items[place], now: undefined, before: form, after, type };
  }

  /** A list has one item more, anywhere in it, which such a list has elsewhere. */
  itemAdded(resource: Resource, random: Random): Mutation | null {
    const list = this.#list(resource, random);
    if (list === null) return null;
    const { form, path, type, key, items } = list;
    const seen = this.#seen
      .get(type)
      ?.get(key)
      ?.flatMap((value) => (isList(value) ? value : []));
    const item = random.pick(seen === undefined || seen.length === 0 ? ["value"] : seen);
    const now = withNewAddresses(item, random);
    const place = random.between(0, items.length);
    const after = replacedAt(form, path, items.toSpliced(place, 0, now));
    return { path: [...path, place], old: undefined, now, before: form, after, type };
  }

  /** Two items of a list have changed places; `path` is that of the list. */
  itemsSwapped(resource: Resource, random: Random): Mutation | null {
    const list = this.#list(resource, random);
    if (list === null || list.items.length < 2) return null;
    const { form, path, type, items } = list;
    const [one, other] = random.shuffle([...items.keys()]) as [number, number];
    if (JSON.stringify(items[one]) === JSON.stringify(items[other])) return null;
    const swapped = items.with(one, items[other]!).with(other, items[one]!);
    return { path, old: items, now: swapped, before: form, after: replacedAt(form, path, swapped), type };
  }

  #of(resource: Resource): { readonly form: JsonValue; readonly messages: readonly Message[] } {
    const known = this.#forms.get(resource);
    if (known === undefined) throw new Error(`${resource.name} is not of this set`);
    return known;
  }

  #list(resource: Resource, random: Random): (ListField & { readonly form: JsonValue }) | null {
    const { form, messages } = this.#of(resource);
    const lists = messages.flatMap(({ path, type, message }) =>
      fieldsOf(message).flatMap(([key, items]): ListField[] =>
        isList(items) ? [{ path: [...path, key], type, key, items }] : [],
      ),
    );
    return lists.length === 0 ? null : { form, ...random.pick(lists) };
  }
}

interface ListField {
  readonly path: Path;
  readonly type: string;
  readonly key: string;
  readonly items: readonly JsonValue[];
}

interface Message {
  readonly path: Path;
  readonly type: string;
  readonly message: JsonObject;
}

/** Every object of a value. */
function* messagesOf(value: JsonValue, shape: FieldValue, path: Path = []): Generator<Message> {
  if (isList(value))
    for (const [index, item] of value.entries()) yield* messagesOf(item, shape, [...path, index]);
  if (!isObject(value)) return;
  const url = shape.kind === "any" ? value["@type"] : undefined;
  const known = shape.kind === "message" || shape.kind === "any" ? (shape.type ?? "") : "";
  const type = currentName(typeof url === "string" ? typeName(url) : known);
  const fields = messageFields(type);
  yield { path, type: fields === undefined ? "" : type, message: value };
  for (const [key, item] of Object.entries(value)) {
    const inside = shape.kind === "map" ? shape.value : fields?.get(key)?.value;
    yield* messagesOf(item, inside ?? { kind: "opaque" }, [...path, key]);
  }
}

/** What is no part of a type's name. */
const fieldsOf = (message: JsonObject): [string, JsonValue][] =>
  Object.entries(message).filter(([key]) => key !== "@type" && key !== "type_url");

interface Leaf {
  readonly path: Path;
  readonly value: string | number | boolean;
}

/** Values that are no part of a type's name. */
export function* leavesOf(value: JsonValue, path: Path = []): Generator<Leaf> {
  if (isList(value)) for (const [index, item] of value.entries()) yield* leavesOf(item, [...path, index]);
  else if (isObject(value)) for (const [key, item] of fieldsOf(value)) yield* leavesOf(item, [...path, key]);
  else if (value !== null) yield { path, value };
}

function replacedAt(value: JsonValue, [step, ...rest]: Path, now: JsonValue): JsonValue {
  if (step === undefined) return now;
  if (isList(value)) return value.map((item, index) => (index === step ? replacedAt(item, rest, now) : item));
  return objectOf(
    Object.entries(value as JsonObject).map(
      ([key, item]) => [key, key === step ? replacedAt(item, rest, now) : item] as const,
    ),
  );
}

/** Another value of the same kind. */
function otherThan(value: string | number | boolean): JsonValue {
  // far enough from any sum: a locality's weight that is the sum of its hosts' says nothing
  if (typeof value === "number") return value + 1000;
  if (typeof value === "boolean") return !value;
  return /^-?\d+(?:\.\d+)?s$/.test(value) ? `1${value.replace("-", "")}` : `${value}~`;
}

/** A host, or all of a locality, somewhere else: where another host is, it would say nothing, or take its place. */
function withNewAddresses(item: JsonValue, random: Random): JsonValue {
  if (!isObject(item)) return item;
  const { endpoint, lb_endpoints: hosts } = item;
  const address = `203.0.113.${random.between(1, 254)}`;
  const socket = { address, port_value: random.between(1, 65_535) };
  return {
    ...item,
    ...(endpoint === undefined ? {} : { endpoint: { address: { socket_address: socket } } }),
    ...(isList(hosts) ? { lb_endpoints: hosts.map((host) => withNewAddresses(host, random)) } : {}),
  };
}
