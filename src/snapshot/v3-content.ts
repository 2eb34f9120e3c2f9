/**
 * The content of a resource in the words of API v3, whatever release wrote it: v2's fields and types by those that took
 * their place, TypedStructs as the messages that they stand for, fields by their proto names. Nothing is left out or sorted.
 */
import { isList, isObject, objectOf, type JsonObject, type JsonValue } from "../shared/json-value.js";
import { isMessage, type Message } from "./message.js";
import type { Resource } from "./model.js";
import { TwoSpellings, withSortedKeys } from "./parse/dumped-json.js";
import { currentName, messageFields, type FieldValue } from "./parse/field-table.js";
import { typeName } from "./parse/type-url.js";
import {
  fieldName,
  isFreeForm,
  properlyNamed,
  resourceTypes,
  withoutTypedStruct,
} from "./v3/typed-message.js";
import { inV3 } from "./v3/v2-spelling.js";

type Shape = FieldValue | { readonly kind: "unknown" };
const unknown: Shape = { kind: "unknown" };

/** Costs a parse: keep the result by the resource's hash. @throws UnreadableResource */
export function v3Content(resource: Pick<Resource, "kind" | "text" | "dumped">): Message {
  const { dumped } = resource;
  const value =
    dumped === undefined
      ? (JSON.parse(resource.text) as JsonValue)
      : withSpellingOf(resource, () => withSortedKeys(dumped.value()));
  const message = translated(value, { kind: "any", type: resourceTypes[resource.kind] });
  return isMessage(message) ? message : {};
}

/** What says a field in two spellings only the identity form can tell. */
function withSpellingOf(resource: Pick<Resource, "text">, read: () => JsonValue): JsonValue {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TwoSpellings)) throw error;
    return JSON.parse(resource.text) as JsonValue;
  }
}

/** What a listener consists of, as a rule by far the most of it. */
const largeInListener: ReadonlySet<string> = new Set([
  "filter_chains",
  "default_filter_chain",
  "listener_filters",
]);

/** What a bootstrap consists of, and what other parts of a dump tell better. */
const largeInBootstrap: ReadonlySet<string> = new Set([
  "admin",
  "bootstrap_extensions",
  "dynamic_resources",
  "node",
  "static_resources",
  "stats_config",
  "stats_sinks",
  "tracing",
]);

/**
 * The content of a listener, of which the large fields are read when they are first asked for: an address is looked for in
 * all of a proxy's listeners, the rest is wanted of one or two.
 * @param whole gives `v3Content` of it
 * @throws UnreadableResource, also where a field is asked for
 */
export const v3Listener = (resource: Resource, whole: () => Message): Message =>
  v3Parts(resource, largeInListener, whole);

/** The content of a bootstrap, whose large fields are read like those of a listener. @throws UnreadableResource */
export const v3Bootstrap = (resource: Resource, whole: () => Message): Message =>
  v3Parts(resource, largeInBootstrap, whole);

function v3Parts(resource: Resource, large: ReadonlySet<string>, whole: () => Message): Message {
  const type = resourceTypes[resource.kind];
  const parts = resource.type === type ? resource.dumped?.without(large) : undefined;
  if (parts === undefined || parts === null || hasHidden(parts.value)) return whole();
  const message = translated(withSortedKeys(parts.value), { kind: "any", type });
  return isObject(message) ? withLater(message, parts.left, (name) => whole()[name]) : whole();
}

/**
 * The content of a route configuration, of whose virtual hosts the routes are read when they are first asked for: a host is
 * looked for in all of them.
 * @param whole gives `v3Content` of it
 * @throws UnreadableResource, also where a field is asked for
 */
export function v3RouteConfiguration(resource: Resource, whole: () => Message): Message {
  const type = resourceTypes.routeConfiguration;
  const value = resource.type === type ? resource.dumped?.value() : undefined;
  if (!isObject(value) || hasHidden(value) || value["virtualHosts"] !== undefined) return whole();
  const { virtual_hosts: hosts, ...rest } = value;
  const shape = messageFields(type)?.get("virtual_hosts")?.value;
  if (!isList(hosts) || shape?.kind !== "message") return whole();
  const message = translated(withSortedKeys(rest), { kind: "any", type });
  const virtualHosts = hosts.map((host) => virtualHost(host, shape));
  return isObject(message) ? withLater(message, ["virtual_hosts"], () => virtualHosts) : whole();
}

function virtualHost(host: JsonValue, shape: Extract<FieldValue, { kind: "message" }>): unknown {
  const routesShape = messageFields(shape.type)?.get("routes")?.value ?? unknown;
  if (!isObject(host) || hasHidden(host) || host["routes"] === undefined)
    return translated(withSortedKeys(host), shape);
  const { routes, ...rest } = host;
  const message = translated(withSortedKeys(rest), shape);
  let read: JsonValue | null = null;
  const later = (): JsonValue => (read ??= translated(withSortedKeys(routes), routesShape));
  return isObject(message) ? withLater(message, ["routes"], later) : message;
}

/** What was moved out of the way may take the place of what is left for later. */
const hasHidden = (message: JsonObject): boolean =>
  Object.keys(message).some((name) => name.startsWith("hidden"));

/** A message with fields that are read when they are first asked for. */
const withLater = (message: JsonObject, names: readonly string[], read: (name: string) => unknown): Message =>
  Object.defineProperties(
    { ...message },
    Object.fromEntries(names.map((name) => [name, { enumerable: true, get: () => read(name) }])),
  );

/** An escape that stands for a character of a host's name. */
const escapedName = /\\u00(?:2[de]|3\d|[4-7])/i;

/** Tells of hosts whether their names stand in a resource, in any case; true also where that is not sure. */
export function namesIn(resource: Resource): (host: string) => boolean {
  const text = (resource.dumped?.text() ?? resource.text).toLowerCase();
  const isSure = !escapedName.test(text);
  return (host) => !isSure || text.includes(host.toLowerCase());
}

/** Gives the same object where nothing is to do, as for nearly all of a dump of today. */
function translated(value: JsonValue, shape: Shape): JsonValue {
  if (isList(value)) {
    const items = value.map((item) => translated(item, shape));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  if (!isObject(value) || shape.kind === "opaque" || shape.kind === "scalar") return value;
  if (shape.kind === "map") return mapped(value, () => shape.value);
  const isAny = shape.kind === "any" || (shape.kind === "unknown" && value["@type"] !== undefined);
  const unwrapped = isAny ? withoutTypedStruct(value) : value;
  const type = typeFor(unwrapped, shape, isAny);
  const fields = messageFields(type);
  const named = isAny && type !== "" ? withType(unwrapped, `type.googleapis.com/${type}`) : unwrapped;
  if (fields === undefined)
    return isFreeForm(type) && shape.kind !== "unknown"
      ? named
      : objectOf(Object.entries(named).map(([key, item]) => [fieldName(key), translated(item, unknown)]));
  const message = inV3(type, properlyNamed(named, fields));
  return mapped(message, (key) => fields.get(key)?.value ?? unknown);
}

const withType = (value: JsonObject, url: string): JsonObject =>
  value["@type"] === url ? value : { ...value, "@type": url };

function mapped(value: JsonObject, shapeOf: (key: string) => Shape): JsonObject {
  const changed = new Map<string, JsonValue>();
  for (const key of Object.keys(value)) {
    const item = value[key] ?? null;
    const now = typeof item === "object" ? translated(item, shapeOf(key)) : item;
    if (now !== item) changed.set(key, now);
  }
  if (changed.size === 0) return value;
  return objectOf(Object.entries(value).map(([key, item]) => [key, changed.get(key) ?? item]));
}

function typeFor(value: JsonObject, shape: Shape, isAny: boolean): string {
  if (shape.kind === "message") return currentName(shape.type);
  const url = isAny ? value["@type"] : undefined;
  if (typeof url === "string") return currentName(typeName(url));
  return shape.kind === "any" ? currentName(shape.type ?? "") : "";
}
