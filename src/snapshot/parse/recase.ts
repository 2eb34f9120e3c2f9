/**
 * The spelling of protobuf's JSON mapping (lowerCamelCase), as istioctl and Istiod print it, from the identity form, which
 * has proto names. The way back is `identityForm`. Keys of maps, Structs and unknown types stay as they are.
 */
import { messageFields, type FieldValue } from "./field-table.js";
import { typeName } from "./type-url.js";

const opaque: FieldValue = { kind: "opaque" };

/**
 * A message with JSON names.
 * @param type what it is when it has no `@type`
 */
export function withJsonNames(value: unknown, type: string): unknown {
  return renamed(value, { kind: "any", type });
}

function renamed(value: unknown, shape: FieldValue): unknown {
  if (shape.kind === "opaque" || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => renamed(item, shape));
  const message = value as Readonly<Record<string, unknown>>;
  if (shape.kind === "map")
    return fromEntries(Object.entries(message).map(([key, item]) => [key, renamed(item, shape.value)]));
  const fields = messageFields(typeOf(message, shape));
  if (fields === undefined) return value;
  return fromEntries(
    Object.entries(message).map(([key, item]) => {
      const field = fields.get(key);
      // a field of a newer release than the table: its name follows the rule, what is inside stays as it is
      return [field?.jsonName ?? camelCase(key), renamed(item, field?.value ?? opaque)];
    }),
  );
}

function typeOf(message: Readonly<Record<string, unknown>>, shape: FieldValue): string {
  if (shape.kind === "message") return shape.type;
  const url = Object.hasOwn(message, "@type") ? message["@type"] : undefined;
  if (typeof url === "string") return typeName(url);
  return shape.kind === "any" ? (shape.type ?? "") : "";
}

/** Own properties only, so that a key "__proto__" is a key. */
const fromEntries = (entries: readonly (readonly [string, unknown])[]): Record<string, unknown> =>
  Object.fromEntries(entries);

/** The JSON name of a proto name, by protobuf's rule; other keys stay. */
function camelCase(key: string): string {
  return /^[a-z][a-z0-9_]*$/.test(key)
    ? key.replace(/_+(.)/g, (_, letter: string) => letter.toUpperCase())
    : key;
}
