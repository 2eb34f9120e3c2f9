/** Where the paths of changes lead, worked out from a value alone. */
import { canonicalText, isList, isObject, type JsonValue } from "../../src/shared/json-value.js";

export interface Place {
  /** On the way to it, without the names and places of items. */
  readonly keys: readonly string[];
  /** undefined where only what would hold it is there. */
  readonly value: JsonValue | undefined;
}

/** Every place that a path may mean: the label of an item is its name, address, locality or place. */
export function placesAt(value: JsonValue, path: string, keys: readonly string[] = []): Place[] {
  if (path === "") return [{ keys, value }];
  const follow = (step: string, inside: JsonValue, more: readonly string[]): Place[] =>
    path.startsWith(step) ? placesAt(inside, path.slice(step.length), [...keys, ...more]) : [];
  if (isList(value)) {
    const holder = /^\[.*\]$/.test(path) ? [{ keys, value: undefined }] : [];
    const items = value.flatMap((item, place) =>
      [...labelsOf(item, place)].flatMap((label) => follow(`[${label}]`, item, [])),
    );
    return [...items, ...holder];
  }
  if (!isObject(value)) return [];
  const last = /^\.(\w+)$|^\[("(?:[^"\\]|\\.)*")\]$/.exec(path);
  const key = last === null ? undefined : (last[1] ?? (JSON.parse(last[2]!) as string));
  return [
    ...Object.entries(value).flatMap(([name, inside]) =>
      [`.${name}`, `[${JSON.stringify(name)}]`].flatMap((step) => follow(step, inside, [name])),
    ),
    ...(key === undefined ? [] : [{ keys: [...keys, key], value: undefined }]),
  ];
}

function labelsOf(item: JsonValue, place: number): ReadonlySet<string> {
  const at = (...keys: string[]): JsonValue =>
    keys.reduce<JsonValue>((inside, key) => (isObject(inside) ? (inside[key] ?? null) : null), item);
  const textOf = (value: JsonValue): string =>
    typeof value === "string" ? value : value === null ? "" : canonicalText(value);
  const socket = (key: string): JsonValue => at("endpoint", "address", "socket_address", key);
  const locality = ["region", "zone", "sub_zone"].map((part) => textOf(at("locality", part)));
  const parts = locality.filter((part) => part !== "").join("/");
  const priority = `priority ${textOf(at("priority")) || "0"}`;
  return new Set([
    String(place),
    textOf(at("name")),
    textOf(at("endpoint", "address")),
    `${textOf(socket("address"))}:${textOf(socket("port_value")) || "0"}`,
    parts === "" ? priority : `${parts} ${priority}`,
  ]);
}
