/**
 * What Envoy's messages hold, by field: enough to tell a field name (which has two spellings) from a map key or from
 * free-form data (which must stay as they are). Nothing is parsed before the first look-up.
 */
import { fieldTable } from "./field-table.generated.js";
import { istioMessages } from "./istio-types.js";
import { v2Fields, v2Renames } from "./v2-types.js";

/**
 * What a field holds; a repeated field has the kind of its elements. `scalar` is whatever JSON prints as one value
 * (enums, Duration, wrappers, bytes, ... too), `opaque` is free-form JSON (google.protobuf.Struct and the like).
 * `any` says by its `@type` what it holds; `type` is what it holds without one, as up to Envoy 1.12.
 */
export type FieldValue =
  | ({ kind: "scalar" } & ScalarForm)
  | { kind: "message"; type: string }
  | { kind: "any"; type?: string }
  | { kind: "opaque" }
  | { kind: "map"; value: FieldValue };

/** What else is known of a scalar: enough to tell two ways of writing one value from two values. */
export interface ScalarForm {
  readonly form?: "duration" | "int64";
  /** The value that protobuf leaves out, as text; undefined where absent is not the same (wrappers, oneofs, elements). */
  readonly zero?: string;
}

/** One field of a message. */
export interface Field {
  /** The proto name, snake_case. */
  readonly name: string;
  /** The name in protobuf's JSON mapping, lowerCamelCase. */
  readonly jsonName: string;
  readonly value: FieldValue;
}

/** The fields of one message type. */
export interface MessageFields {
  /** By proto name or JSON name; also with the prefix that Envoy 1.14 to 1.17 print before removed fields. */
  get(key: string): Field | undefined;
  readonly all: readonly Field[];
}

const scalar: FieldValue = { kind: "scalar" };
const opaque: FieldValue = { kind: "opaque" };

const scalarOf = (text: string): FieldValue => {
  switch (text) {
    case "!":
      return { kind: "scalar", zero: "" };
    case "!d":
      return { kind: "scalar", form: "duration" };
    case "!l":
      return { kind: "scalar", form: "int64" };
    case "!!l":
      return { kind: "scalar", form: "int64", zero: "" };
    default:
      return { kind: "scalar", zero: text.slice(1) };
  }
};

/** `name[=jsonName][:kind]`, see `encodeFieldTable`; `*<type>` is an Any with a type to assume. */
function parseField(token: string, nameOf: (line: number) => string): Field {
  const [, name = "", renamed, kind = ""] = /^([^=:]*)(?:=([^:]*))?(?::(.*))?$/.exec(token) ?? [];
  const value = (text: string): FieldValue => {
    if (text === "") return scalar;
    if (text.startsWith("!")) return scalarOf(text);
    if (text === "?") return opaque;
    if (text.startsWith("{}")) return { kind: "map", value: value(text.slice(2)) };
    if (text.startsWith("*")) return text === "*" ? { kind: "any" } : { kind: "any", type: text.slice(1) };
    return { kind: "message", type: /^\d+$/.test(text) ? nameOf(Number(text)) : text };
  };
  const jsonName = renamed ?? name.replace(/_+(.?)/g, (_, next: string) => next.toUpperCase());
  return { name, jsonName, value: value(kind) };
}

/** The message types of a table in the form of `encodeFieldTable` plus hand-written ones (type -> fields). */
export class FieldTable {
  readonly #lines: readonly string[];
  readonly #lineOf = new Map<string, number>();
  readonly #heirs = new Map<string, string>();
  readonly #ancestors = new Map<string, string>();
  readonly #extra: ReadonlyMap<string, string>;
  readonly #parsed = new Map<string, MessageFields>();
  readonly #current = new Map<string, string>();

  constructor(table: string, extra: Readonly<Record<string, string>> = {}) {
    this.#extra = new Map(Object.entries(extra));
    this.#lines = table.split("\n");
    this.#lines.forEach((line, index) => {
      const [name = "", ancestor] = this.#head(line).split("<");
      this.#lineOf.set(name, index);
      if (ancestor === undefined) return;
      this.#heirs.set(ancestor, name);
      this.#ancestors.set(name, ancestor);
    });
  }

  /** The name of today of a message: a v2 name's v3 successor. */
  currentName(type: string): string {
    const known = this.#current.get(type);
    if (known !== undefined) return known;
    const name = this.#currentName(type);
    if (this.#lineOf.has(name)) this.#current.set(type, name);
    return name;
  }

  #currentName(type: string): string {
    const [from, to] = v2Renames.find(([prefix]) => type.startsWith(prefix)) ?? ["", ""];
    const v2 = to + type.slice(from.length);
    return this.#heirs.get(v2) ?? v2;
  }

  messageFields(type: string): MessageFields | undefined {
    const known = this.#parsed.get(type);
    if (known !== undefined) return known;
    // One set of fields for a message and its v2 predecessor, since dumps mix them in either direction.
    const name = this.currentName(type);
    const fields = this.#parsed.get(name) ?? this.#parse(name);
    if (fields !== undefined) this.#parsed.set(name, fields).set(type, fields);
    return fields;
  }

  #parse(name: string): MessageFields | undefined {
    const texts = [this.#extra.get(name), this.#fieldsOf(name), this.#fieldsOf(this.#ancestors.get(name))];
    if (texts.every((text) => text === undefined)) return undefined;
    const all = new Map<string, Field>();
    for (const token of texts.flatMap((text) => text?.split(" ") ?? []).filter((token) => token !== "")) {
      const field = parseField(token, (line) => this.#head(this.#lines[line] ?? "").replace(/<.*/, ""));
      if (!all.has(field.name)) all.set(field.name, field);
    }
    return withLookup([...all.values()]);
  }

  #head(line: string): string {
    const end = line.indexOf(" ");
    return end < 0 ? line : line.slice(0, end);
  }

  #fieldsOf(name: string | undefined): string | undefined {
    const line = this.#lines[this.#lineOf.get(name ?? "") ?? -1];
    return line?.slice(this.#head(line).length + 1);
  }
}

function withLookup(all: readonly Field[]): MessageFields {
  const byKey = new Map<string, Field>();
  for (const field of all) byKey.set(field.jsonName, field);
  for (const field of all) byKey.set(field.name, field);
  return {
    all,
    get(key) {
      const plain = byKey.get(key);
      if (plain !== undefined) return plain;
      const [, snake, first, rest] =
        /^(?:hidden_envoy_deprecated_(.+)|hiddenEnvoyDeprecated([A-Z])(.*))$/.exec(key) ?? [];
      const field = byKey.get(snake ?? (first ?? "").toLowerCase() + (rest ?? ""));
      if (field === undefined) return undefined;
      const jsonName = field.jsonName.charAt(0).toUpperCase() + field.jsonName.slice(1);
      return {
        name: `hidden_envoy_deprecated_${field.name}`,
        jsonName: `hiddenEnvoyDeprecated${jsonName}`,
        value: field.value,
      };
    },
  };
}

let table: FieldTable | undefined;

/**
 * The fields of a message type, by its full name without a URL before it; a v2 name is as good as its v3 successor's.
 * undefined: unknown message type. The well-known types of google.protobuf are none of these messages.
 */
export function messageFields(type: string): MessageFields | undefined {
  return theTable().messageFields(type);
}

/** The v3 name of a message type; a name that is no v2 one stays. */
export function currentName(type: string): string {
  return theTable().currentName(type);
}

const theTable = (): FieldTable => (table ??= new FieldTable(fieldTable, { ...v2Fields, ...istioMessages }));
