import { utf8, jsonStart } from "../../../shared/json.js";
import type { Proxy, SectionKind } from "../../../snapshot/model.js";
import type { View } from "../../../views/view.js";

/**
 * The resources of a view as the dump itself spells them.
 * @param contents bytes by entry
 */
export function rawOf(
  proxy: Proxy,
  kind: SectionKind,
  view: View,
  contents: ReadonlyMap<string, Uint8Array>,
): unknown[] {
  const section = proxy.config[kind];
  const bytes = contents.get(proxy.dumpEntry ?? "");
  if (section.state === "absent" || bytes === undefined) return [];
  const plain = utf8(bytes);
  const dump: unknown = JSON.parse(new TextDecoder().decode(plain.subarray(jsonStart(plain))));
  const shown = view.origins.map(({ pointer }) => pointer);
  const raw: unknown[] = [];
  for (const { origin } of section.value) {
    if (shown.some((pointer) => pointer === origin.pointer || pointer.startsWith(`${origin.pointer}/`))) {
      raw.push(at(dump, origin.pointer));
    }
  }
  return raw;
}

/** The value at a JSON pointer (RFC 6901); undefined where there is none. */
function at(json: unknown, pointer: string): unknown {
  let value = json;
  for (const token of pointer.split("/").slice(1)) {
    const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}
