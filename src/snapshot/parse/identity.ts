/**
 * The identity form of a resource: JSON without white space, with sorted keys, plain escapes and proto (snake_case) names,
 * and otherwise as it was dumped. Numbers keep their digits. Two dumps of one resource have the same identity form,
 * whoever printed them.
 *
 * Which keys are names of fields and which are data is told by the message types (field-table), never by their looks:
 * keys of maps, of Structs and of TypedStruct values stay as they are, and so does all below a type that we do not know.
 */
import { messageFields, type FieldValue } from "./field-table.js";
import { typeName } from "./type-url.js";

export interface Identity {
  readonly text: string;
  /** The type after the last "/" of the outermost `@type`; "" when there is none. */
  readonly type: string;
  /** The value of the outermost `name` or `cluster_name`, "" when there is none. */
  readonly name: string;
}

export class IdentityError extends Error {
  override readonly name = "IdentityError";
}

/** @throws IdentityError when the text is not one valid JSON value, or is nested too deep */
export function identityForm(json: string, defaultType: string, maxDepth: number): Identity {
  const reader = new IdentityReader(json, maxDepth);
  const text = reader.document(defaultType);
  return { text, type: reader.type, name: reader.name };
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// eslint-disable-next-line no-control-regex -- JSON forbids raw control characters in strings
const plainString = /"[^"\\\u0000-\u001f]*"/y;
/** An escape, and the plain text up to the next one: `(a|b)*` over a whole text overflows the stack of a long one. */
// eslint-disable-next-line no-control-regex -- as above
const escaped = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*/y;
// eslint-disable-next-line no-control-regex -- as above
const beginning = /"[^"\\\u0000-\u001f]*/y;
const opaque: FieldValue = { kind: "opaque" };
const any: FieldValue = { kind: "any" };

class IdentityReader {
  type = "";
  name = "";
  #at = 0;
  #depth = 0;

  constructor(
    readonly json: string,
    readonly maxDepth: number,
  ) {}

  document(defaultType: string): string {
    this.#space();
    const text = this.#value(any, defaultType);
    this.#space();
    if (this.#at !== this.json.length) throw this.#error();
    return text;
  }

  #value(shape: FieldValue, defaultType = ""): string {
    switch (this.json.charCodeAt(this.#at)) {
      case 0x7b:
        return this.#object(shape, defaultType);
      case 0x5b:
        return this.#array(shape, defaultType);
      case 0x22:
        return this.#string();
      case 0x74:
        return this.#word("true");
      case 0x66:
        return this.#word("false");
      case 0x6e:
        return this.#word("null");
      default:
        return this.#number();
    }
  }

  #object(shape: FieldValue, defaultType: string): string {
    this.#enter();
    const outermost = this.#depth === 1;
    const type =
      shape.kind === "message"
        ? shape.type
        : shape.kind === "any"
          ? (this.#anyType() ?? shape.type ?? defaultType)
          : "";
    if (outermost) this.type = type;
    const fields = type === "" ? undefined : messageFields(type);
    const members = new Map<string, string>();
    this.#at++;
    this.#space();
    while (this.json.charCodeAt(this.#at) !== 0x7d) {
      if (members.size > 0) this.#comma();
      const token = this.#string();
      this.#space();
      if (this.json.charCodeAt(this.#at) !== 0x3a) throw this.#error();
      this.#at++;
      this.#space();
      const key = token.includes("\\") ? (JSON.parse(token) as string) : token.slice(1, -1);
      const field = fields?.get(key);
      const value = this.#value(field?.value ?? (shape.kind === "map" ? shape.value : opaque));
      // a field of a newer release than the table: its name follows the rule, what is inside stays as it is
      const name = field?.name ?? (fields === undefined ? key : snakeCase(key));
      if (
        outermost &&
        (name === "name" || (name === "cluster_name" && this.name === "")) &&
        value.startsWith('"')
      ) {
        this.name = JSON.parse(value) as string;
      }
      if (key === "@type" && members.has(token)) throw new IdentityError("has two @type members");
      members.set(name === key ? token : `"${name}"`, value);
      this.#space();
    }
    this.#at++;
    this.#depth--;
    const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${sorted.map(([key, value]) => `${key}:${value}`).join(",")}}`;
  }

  #array(shape: FieldValue, defaultType: string): string {
    this.#enter();
    const items: string[] = [];
    this.#at++;
    this.#space();
    while (this.json.charCodeAt(this.#at) !== 0x5d) {
      if (items.length > 0) this.#comma();
      items.push(this.#value(shape, defaultType));
      this.#space();
    }
    this.#at++;
    this.#depth--;
    return `[${items.join(",")}]`;
  }

  /** The type that the object at the cursor names in its `@type`, wherever among its members that stands. */
  #anyType(): string | null {
    const start = this.#at;
    const match = /^\{\s*"@type"\s*:\s*"([^"\\]*)"/.exec(this.json.slice(start, start + 512));
    if (match !== null) return typeName(match[1] ?? "");
    let type: string | null = null;
    const depth = this.#depth;
    this.#at++;
    this.#space();
    while (this.json.charCodeAt(this.#at) !== 0x7d) {
      if (this.json.charCodeAt(this.#at) === 0x2c) this.#comma();
      const key = this.#string();
      this.#space();
      this.#at++;
      this.#space();
      const from = this.#at;
      this.#skip();
      if (key === '"@type"' && this.json.charCodeAt(from) === 0x22) {
        type = typeName(JSON.parse(this.json.slice(from, this.#at)) as string);
      }
      this.#space();
    }
    this.#at = start;
    this.#depth = depth;
    return type;
  }

  /** Passes over a value by its brackets. */
  #skip(): void {
    const { json } = this;
    let depth = 0;
    do {
      this.#space();
      const code = json.charCodeAt(this.#at);
      if (Number.isNaN(code)) throw this.#error();
      if (code === 0x22) this.#string();
      else {
        if (code === 0x7b || code === 0x5b) depth++;
        else if (code === 0x7d || code === 0x5d) depth--;
        if (depth === 0 && code !== 0x7d && code !== 0x5d) {
          while (/[-+.\w]/.test(json.charAt(this.#at))) this.#at++;
          return;
        }
        this.#at++;
      }
    } while (depth > 0);
  }

  #string(): string {
    plainString.lastIndex = this.#at;
    const plain = plainString.exec(this.json);
    if (plain !== null) {
      this.#at = plainString.lastIndex;
      return plain[0].isWellFormed() ? plain[0] : JSON.stringify(plain[0].slice(1, -1));
    }
    const start = this.#at;
    beginning.lastIndex = start;
    if (!beginning.test(this.json)) throw this.#error();
    let at = beginning.lastIndex;
    while (this.json.charCodeAt(at) !== 0x22) {
      escaped.lastIndex = at;
      if (!escaped.test(this.json)) throw this.#error();
      at = escaped.lastIndex;
    }
    this.#at = at + 1;
    return JSON.stringify(JSON.parse(this.json.slice(start, this.#at)));
  }

  #number(): string {
    number.lastIndex = this.#at;
    const match = number.exec(this.json);
    if (match === null) throw this.#error();
    this.#at = number.lastIndex;
    return match[0];
  }

  #word(word: string): string {
    if (!this.json.startsWith(word, this.#at)) throw this.#error();
    this.#at += word.length;
    return word;
  }

  #comma(): void {
    if (this.json.charCodeAt(this.#at) !== 0x2c) throw this.#error();
    this.#at++;
    this.#space();
  }

  #space(): void {
    for (;;) {
      const code = this.json.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #enter(): void {
    this.#depth++;
    if (this.#depth > this.maxDepth) throw new IdentityError(`is nested deeper than ${this.maxDepth}`);
  }

  #error(): IdentityError {
    return new IdentityError(
      this.#at >= this.json.length
        ? "is cut off"
        : `is not valid JSON at character ${this.#at} of the resource`,
    );
  }
}

/** The name that the identity form has for a member of a message. */
export function memberName(type: string, key: string): string {
  const fields = type === "" ? undefined : messageFields(type);
  return fields?.get(key)?.name ?? (fields === undefined ? key : snakeCase(key));
}

/** The proto name of a JSON name (protobuf's JSON mapping, the other way round); other keys stay. */
function snakeCase(key: string): string {
  return /^[a-z][a-zA-Z0-9]*$/.test(key)
    ? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    : key;
}
