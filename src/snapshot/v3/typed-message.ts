/** Messages by their types: how a value's type is told, and its fields by their proto names. */
import { isObject, objectOf, type JsonObject } from "../../shared/json-value.js";
import type { ResourceKind } from "../model.js";
import { currentName, messageFields } from "../parse/field-table.js";
import { typeName } from "../parse/type-url.js";

/** The message that a resource of a kind is. */
export const resourceTypes: Readonly<Record<ResourceKind, string>> = {
  cluster: "envoy.config.cluster.v3.Cluster",
  listener: "envoy.config.listener.v3.Listener",
  routeConfiguration: "envoy.config.route.v3.RouteConfiguration",
  scopedRoutes: "envoy.config.route.v3.ScopedRouteConfiguration",
  endpointAssignment: "envoy.config.endpoint.v3.ClusterLoadAssignment",
  secret: "envoy.extensions.transport_sockets.tls.v3.Secret",
  extensionConfig: "envoy.config.core.v3.TypedExtensionConfig",
  bootstrap: "envoy.config.bootstrap.v3.Bootstrap",
};

/**
 * A TypedStruct (of either package) holds a message of another type as a Struct, in either spelling of its names; Envoy
 * reads it as that message (source/common/config/utility.cc, translateOpaqueConfig).
 */
export function withoutTypedStruct(value: JsonObject): JsonObject {
  const url = value["@type"];
  if (typeof url !== "string" || !/(?:xds\.type\.v3|udpa\.type\.v1)\.TypedStruct$/.test(url)) return value;
  const { type_url: inner, value: content } = value;
  if (typeof inner !== "string" || messageFields(currentName(typeName(inner))) === undefined)
    return { ...value, "@type": "type.googleapis.com/xds.type.v3.TypedStruct" };
  return { "@type": inner, ...(isObject(content) ? content : {}) };
}

/** Struct and the like, whose keys are data, and what says of no type that it is of it. */
export const isFreeForm = (type: string): boolean => type === "" || type.startsWith("google.protobuf.");

/** One spelling of a name that may be in either. JSON's drops what stands between letters, so both go through it. */
export const fieldName = (key: string): string =>
  /^[a-z]\w*$/.test(key)
    ? key
        .replace(/_+(.?)/g, (_, next: string) => next.toUpperCase())
        .replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    : key;

/** Fields by their proto names: a Struct's were written by hand. */
export function properlyNamed(
  message: JsonObject,
  fields: NonNullable<ReturnType<typeof messageFields>>,
): JsonObject {
  const nameOf = (key: string): string => fields.get(key)?.name ?? fieldName(key);
  const isProper = Object.keys(message).every((key) => nameOf(key) === key);
  return isProper ? message : objectOf(Object.entries(message).map(([key, value]) => [nameOf(key), value]));
}
