/**
 * JSON values and the two ways in which Envoy and Istiod print them.
 *
 * Envoy's admin interface prints proto names (snake_case) indented by one space a level, Istiod prints lowerCamelCase,
 * compact since about 1.12 and indented by four spaces before (istio/istio, pilot/pkg/xds/debug.go).
 */

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Objects whose text is kept, because many proxies print the very same object. */
const sharedObjects = new WeakMap<JsonObject, Map<number, Buffer>>();

/** Marks an object that many documents hold, so that it is turned into text once only. Returns it. */
export function shared(value: JsonObject): JsonObject {
  if (!sharedObjects.has(value)) sharedObjects.set(value, new Map());
  return value;
}

export type Indent = 0 | 1 | 4;

/** The text of `JSON.stringify(value, null, indent)` and a line break, made from the kept texts of shared objects. */
export function print(value: Json, indent: Indent): Buffer {
  const sink = new Sink();
  write(value, 0, indent, sink);
  sink.text("\n");
  return sink.bytes();
}

/** Collects small texts and copies kept ones: a dump of 10 MB takes a few milliseconds, joined strings ten times that. */
class Sink {
  /** One buffer for all documents, as large as the largest so far: printing never nests. */
  static #scratch = Buffer.allocUnsafe(1 << 16);

  #target = Sink.#scratch;
  #length = 0;
  #pending = "";

  text(piece: string): void {
    this.#pending += piece;
  }

  kept(piece: Buffer): void {
    this.#flush();
    this.#makeRoom(piece.length);
    this.#length += piece.copy(this.#target, this.#length);
  }

  bytes(): Buffer {
    this.#flush();
    Sink.#scratch = this.#target;
    return Buffer.from(this.#target.subarray(0, this.#length));
  }

  #flush(): void {
    if (this.#pending === "") return;
    this.#makeRoom(this.#pending.length * 3); // UTF-8 needs at most three bytes for a UTF-16 unit
    this.#length += this.#target.write(this.#pending, this.#length);
    this.#pending = "";
  }

  #makeRoom(count: number): void {
    if (this.#length + count <= this.#target.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#target.length * 2, this.#length + count));
    this.#target.copy(larger, 0, 0, this.#length);
    this.#target = larger;
  }
}

function write(value: Json, depth: number, indent: Indent, sink: Sink): void {
  if (value === null || typeof value !== "object") {
    sink.text(JSON.stringify(value));
  } else if (isList(value)) {
    writeMembers("[", "]", value, depth, indent, sink, (member) => write(member, depth + 1, indent, sink));
  } else {
    const texts = sharedObjects.get(value);
    if (texts !== undefined) {
      sink.kept(sharedText(value, texts, depth, indent));
      return;
    }
    const colon = indent === 0 ? ":" : ": ";
    writeMembers("{", "}", Object.entries(value), depth, indent, sink, ([key, member]) => {
      sink.text(JSON.stringify(key) + colon);
      write(member, depth + 1, indent, sink);
    });
  }
}

function writeMembers<T>(
  open: string,
  close: string,
  members: readonly T[],
  depth: number,
  indent: Indent,
  sink: Sink,
  writeMember: (member: T) => void,
): void {
  if (members.length === 0) {
    sink.text(open + close);
    return;
  }
  const lineBreak = newLine(depth + 1, indent);
  let before = open + lineBreak;
  for (const member of members) {
    sink.text(before);
    writeMember(member);
    before = "," + lineBreak;
  }
  sink.text(newLine(depth, indent) + close);
}

const newLine = (depth: number, indent: Indent): string =>
  indent === 0 ? "" : "\n" + " ".repeat(depth * indent);

function sharedText(value: JsonObject, texts: Map<number, Buffer>, depth: number, indent: Indent): Buffer {
  const key = indent === 0 ? 0 : depth * 8 + indent;
  const kept = texts.get(key);
  if (kept !== undefined) return kept;
  const text = Buffer.from(JSON.stringify(value, null, indent).replaceAll("\n", newLine(depth, indent)));
  texts.set(key, text);
  return text;
}

const isList = (value: readonly Json[] | JsonObject): value is readonly Json[] => Array.isArray(value);

/** Below these keys stands a Struct: data, whose keys no printer changes. */
const structKeys = new Set(["filter_metadata"]);
/** The keys of these maps are data too, their values are messages. */
const mapKeys = new Set(["policies", "typed_per_filter_config", "typed_extension_protocol_options"]);

/** A message as Istiod prints it: the same names in lowerCamelCase (istio/istio, pkg/util/protomarshal). */
export function toCamelCase(value: Json): Json {
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map(toCamelCase);
  return camelCaseObject(value);
}

export function camelCaseObject(value: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([key, member]): [string, Json] => {
      const name = camelCaseName(key);
      if (structKeys.has(key)) return [name, member];
      if (mapKeys.has(key) && isObject(member)) {
        return [
          name,
          Object.fromEntries(Object.entries(member).map(([mapKey, entry]) => [mapKey, toCamelCase(entry)])),
        ];
      }
      return [name, toCamelCase(member)];
    }),
  );
}

const camelCaseName = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The member of that name when it is text, else "". */
export function textOf(value: JsonObject, key: string): string {
  const member = value[key];
  return typeof member === "string" ? member : "";
}
