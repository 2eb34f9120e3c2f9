/**
 * Which scope's route configuration a request is routed by.
 * Source: envoyproxy/envoy, source/common/router/scoped_config_impl.cc.
 */
import { child, children, field, number, text, type Message } from "../../snapshot/message.js";
import { firstHeader, type HeaderList } from "../request.js";

export type ScopeChoice =
  | { readonly kind: "scope"; readonly scope: Message }
  /** @field key null: the request gives none */
  | { readonly kind: "none"; readonly key: readonly string[] | null };

/**
 * @param scopedRoutes `ScopedRoutes` of the connection manager
 * @param scopes `ScopedRouteConfiguration`s of the set that it names
 */
export function chooseScope(
  scopedRoutes: Message,
  scopes: readonly Message[],
  headers: HeaderList,
): ScopeChoice {
  const key = scopeKey(child(scopedRoutes, "scope_key_builder"), headers);
  if (key === null) return { kind: "none", key };
  // of two scopes with one key the last that was added counts
  const scope = scopes.findLast((one) => isKey(child(one, "key"), key));
  return scope === undefined ? { kind: "none", key } : { kind: "scope", scope };
}

/** null as soon as one fragment is missing; an empty key equals nothing. */
export function scopeKey(builder: Message | undefined, headers: HeaderList): string[] | null {
  const key: string[] = [];
  for (const fragment of children(builder, "fragments")) {
    const value = fragmentOf(child(fragment, "header_value_extractor"), headers);
    if (value === null) return null;
    key.push(value);
  }
  return key.length === 0 ? null : key;
}

/** From the first line of the header alone. */
function fragmentOf(extractor: Message | undefined, headers: HeaderList): string | null {
  const value = firstHeader(headers, text(extractor, "name").toLowerCase());
  if (value === undefined) return null;
  const separator = text(extractor, "element_separator");
  const elements = separator === "" ? [value] : value.split(separator);
  const element = child(extractor, "element");
  if (element === undefined) return elements[number(extractor, "index") ?? 0] ?? null;
  const between = text(element, "separator");
  for (const one of elements) {
    const at = one.indexOf(between);
    const name = at < 0 ? one : one.slice(0, at);
    if (name === text(element, "key")) return at < 0 ? "" : one.slice(at + between.length);
  }
  return null;
}

function isKey(key: Message | undefined, wanted: readonly string[]): boolean {
  const fragments = children(key, "fragments").map((fragment) => field(fragment, "string_key") ?? "");
  return fragments.length === wanted.length && fragments.every((one, index) => one === wanted[index]);
}
