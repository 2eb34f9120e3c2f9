/** JSON as a dump has it in the place of the identity form: read by `JSON.parse`, where that hides nothing. */
import { isList, isObject, type JsonValue } from "../../shared/json-value.js";
import { fieldName } from "../v3/typed-message.js";

/** A resource turned out to be none when its content was asked for; the same dump read with identities tells the rest. */
export class UnreadableResource extends Error {
  override readonly name = "UnreadableResource";
}

/** An object says a field in two spellings, and which of them stands last is not seen any more. */
export class TwoSpellings extends UnreadableResource {}

/** Whether no message may have two `@type`, of which `JSON.parse` shows one. */
export function saysTypesOnce(text: string, value: JsonValue): boolean {
  if (/\\u00[4-7]/.test(text)) return false; // the name may be written with escapes
  const count = text.split('"@type"').length - 1;
  const own = isObject(value) && Object.hasOwn(value, "@type") ? 1 : 0;
  return count === own || count === typesIn(value);
}

function typesIn(value: JsonValue): number {
  let count = 0;
  if (isList(value)) for (const item of value) count += typesIn(item);
  else if (isObject(value))
    for (const key of Object.keys(value)) count += typesIn(value[key] ?? null) + (key === "@type" ? 1 : 0);
  return count;
}

/**
 * With sorted keys, as in the identity form: what is told in the order of a map does not hang on who printed it.
 * @throws TwoSpellings where an object says a field in two spellings, of which the last one in the text counts
 */
export function withSortedKeys(value: JsonValue): JsonValue {
  if (isList(value)) return value.map(withSortedKeys);
  if (!isObject(value)) return value;
  const sorted: Record<string, JsonValue> = {};
  for (const key of Object.keys(value).sort()) {
    const item = value[key] ?? null;
    if (/[A-Z]/.test(key) && isTwice(key, value)) throw new TwoSpellings(`says "${key}" in two spellings`);
    if (key === "__proto__") Object.defineProperty(sorted, key, { value: withSortedKeys(item), ...plain });
    else sorted[key] = typeof item === "object" ? withSortedKeys(item) : item;
  }
  return sorted;
}

const isTwice = (key: string, value: object): boolean =>
  fieldName(key) !== key && Object.hasOwn(value, fieldName(key));

const plain = { enumerable: true, configurable: true, writable: true };
