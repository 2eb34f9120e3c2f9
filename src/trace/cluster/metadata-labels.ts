/** Labels looked up in metadata (envoyproxy/envoy, source/common/config/metadata.cc, metadataLabelMatch). */
import { child, type Message } from "../../snapshot/message.js";

/**
 * Whether the metadata of a filter has all the labels, with equal values; no labels match anything, missing metadata too.
 * @param metadata `filter_metadata`
 * @param isListAny whether one element of a list is enough
 */
export function labelsMatch(
  labels: Message,
  metadata: Message | undefined,
  filter: string,
  isListAny = false,
): boolean {
  const own = child(metadata, filter);
  return Object.entries(labels).every(([key, wanted]) => {
    const value = own !== undefined && Object.hasOwn(own, key) ? own[key] : undefined;
    if (value === undefined) return false;
    return isListAny && Array.isArray(value)
      ? value.some((item: unknown) => isEqualValue(item, wanted))
      : isEqualValue(value, wanted);
  });
}

/** Whether two values of a Struct are equal: "1" and 1 are not. */
export function isEqualValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item: unknown, index) => isEqualValue(item, b[index]));
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) || Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && isEqualValue((a as Message)[key], (b as Message)[key]))
  );
}
