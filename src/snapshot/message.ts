/**
 * Reads protobuf messages as the identity form has them: proto names, any type, any release. Envoy leaves defaults out and
 * may write a number as text, so nothing is taken for granted and nothing throws.
 */
import type { Resource } from "./model.js";
import { typeName } from "./parse/type-url.js";

/** A message: field name -> value; a map field or a Struct reads alike. */
export type Message = Readonly<Record<string, unknown>>;

export function isMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The content of a resource. */
export function contentOf(resource: Resource): Message {
  const value: unknown = JSON.parse(resource.text);
  return isMessage(value) ? value : {};
}

/** A field, also under the prefix that Envoy 1.14 to 1.17 print before removed fields; undefined = absent. */
export function field(message: Message | undefined, name: string): unknown {
  if (message === undefined) return undefined;
  if (Object.hasOwn(message, name)) return message[name];
  const hidden = `hidden_envoy_deprecated_${name}`;
  return Object.hasOwn(message, hidden) ? message[hidden] : undefined;
}

/** A string field; "" where it is absent or something else. */
export function text(message: Message | undefined, name: string): string {
  const value = field(message, name);
  return typeof value === "string" ? value : "";
}

/** A number field, also written as text (64 bits); undefined where it is absent: that is not 0 for a wrapper. */
export function number(message: Message | undefined, name: string): number | undefined {
  const value = field(message, name);
  if (typeof value === "number") return value;
  return typeof value === "string" && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
}

/** A bool field; undefined where it is absent. */
export function flag(message: Message | undefined, name: string): boolean | undefined {
  const value = field(message, name);
  return typeof value === "boolean" ? value : undefined;
}

/** A message field. */
export function child(message: Message | undefined, ...path: readonly string[]): Message | undefined {
  let at: Message | undefined = message;
  for (const name of path) {
    const value = field(at, name);
    if (!isMessage(value)) return undefined;
    at = value;
  }
  return at;
}

/** A repeated message field. */
export function children(message: Message | undefined, name: string): Message[] {
  const value = field(message, name);
  return Array.isArray(value) ? value.filter(isMessage) : [];
}

/** A repeated string field. */
export function texts(message: Message | undefined, name: string): string[] {
  const value = field(message, name);
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

/** The type of an Any, after the last "/"; of a TypedStruct, the type that it stands for. */
export function typeOf(any: Message | undefined): string {
  const own = typeName(text(any, "@type"));
  return isTypedStruct(own) ? typeName(text(any, "type_url")) : own;
}

/** The content of an Any: of a TypedStruct its value, else the message itself. */
export function unpacked(any: Message | undefined): Message | undefined {
  return isTypedStruct(typeName(text(any, "@type"))) ? child(any, "value") : any;
}

const isTypedStruct = (type: string): boolean =>
  type === "xds.type.v3.TypedStruct" || type === "udpa.type.v1.TypedStruct";
