/**
 * A generated proxy as an Envoy without Istio's additions can run it on this machine: without the filters that only Istio's
 * build knows and without the certificates of an agent, with resources from files instead of ADS, and on loopback.
 * What Istiod has not sent (routes of a warming listener, endpoints of a warming cluster) still comes from ADS, which is silent.
 */
import { isObject, textOf, type Json, type JsonObject } from "../mesh/json.js";
import type { Mesh, MeshProxy } from "../mesh/model.js";
import { fileSource } from "./xds-files.js";

/** The mesh with all addresses in 127.0.0.0/8, its proxies as a plain Envoy takes them. */
export function forPlainEnvoys(mesh: Mesh): Mesh {
  const moved = mapTexts(mesh, (text) =>
    text.replace(/(?<![\d.])10\.(\d{1,3}\.\d{1,3}\.\d{1,3})(?![\d.])/g, "127.$1"),
  );
  return { ...moved, proxies: moved.proxies.map(forPlainEnvoy) };
}

function forPlainEnvoy(proxy: MeshProxy): MeshProxy {
  const { desired, config } = proxy;
  const sent: Sent = {
    routes: new Set(desired.routes.map((routes) => textOf(routes, "name"))),
    endpoints: new Set(desired.endpoints.map((assignment) => textOf(assignment, "cluster_name"))),
  };
  const each = (resources: readonly JsonObject[]): JsonObject[] =>
    resources.map((resource) => plainObject(resource, sent));
  const listeners = (resources: readonly JsonObject[]): JsonObject[] =>
    resources.map((listener) => onFreePort(plainObject(listener, sent)));
  const listener = <T extends { readonly listener: JsonObject }>(state: T): T => ({
    ...state,
    listener: onFreePort(plainObject(state.listener, sent)),
  });
  return {
    ...proxy,
    desired: {
      ...desired,
      clusters: each(desired.clusters),
      listeners: listeners(desired.listeners),
      routes: each(desired.routes),
      secrets: [],
    },
    config: {
      ...config,
      bootstrap: plainObject(config.bootstrap, sent),
      clusters: { ...config.clusters, resources: each(config.clusters.resources) },
      warmingClusters: { ...config.warmingClusters, resources: each(config.warmingClusters.resources) },
      listeners: config.listeners.map(({ active, warming, draining, ...entry }) => ({
        ...entry,
        ...(active && { active: listener(active) }),
        ...(warming && { warming: listener(warming) }),
        ...(draining && { draining: listener(draining) }),
      })),
      routes: { ...config.routes, resources: each(config.routes.resources) },
      secrets: { ...config.secrets, resources: [] },
    },
  };
}

/** Names of what Istiod has sent: the rest is never answered. */
interface Sent {
  readonly routes: ReadonlySet<string>;
  readonly endpoints: ReadonlySet<string>;
}

const plainObject = (resource: JsonObject, sent: Sent): JsonObject =>
  Object.fromEntries(
    Object.entries(resource)
      .filter(([key, value]) => !agentCertificates.has(key) && !holdsOnlyIstiosFilters(value))
      .map(([key, value]): [string, Json] => [key, member(resource, key, value, sent)]),
  );

/** TLS with certificates that an agent delivers. */
const agentCertificates = new Set(["transport_socket", "transport_socket_matches"]);

function member(owner: JsonObject, key: string, value: Json, sent: Sent): Json {
  const routes = textOf(owner, "route_config_name");
  if (key === "config_source" && sent.routes.has(routes)) return fileSource("rds", routes);
  const endpoints = textOf(owner, "service_name");
  if (key === "eds_config" && sent.endpoints.has(endpoints)) return fileSource("eds", endpoints);
  return plain(value, sent);
}

function plain(value: Json, sent: Sent): Json {
  if (value === tracingHost) return "localhost"; // no name is asked for outside
  if (isObject(value)) return plainObject(value, sent);
  if (Array.isArray(value))
    return (value as readonly Json[])
      .filter((item) => !isIstiosFilter(item))
      .map((item) => plain(item, sent));
  return value;
}

const tracingHost = "zipkin.istio-system";

const isIstiosFilter = (item: Json): boolean =>
  isObject(item) && "typed_config" in item && /^istio[._]/.test(textOf(item, "name"));

const holdsOnlyIstiosFilters = (value: Json): boolean =>
  Array.isArray(value) && value.length > 0 && (value as readonly Json[]).every(isIstiosFilter);

/** Listeners that Istio binds get a port of their own: several Envoys share the machine. */
export const onFreePort = (listener: JsonObject): JsonObject =>
  listener["bind_to_port"] === false
    ? listener
    : { ...listener, address: { socket_address: { address: "127.0.0.1", port_value: 0 } } };

/** A copy of plain data with every text changed; what was one object in two places stays one. */
function mapTexts<T>(data: T, change: (text: string) => string): T {
  const copies = new Map<object, unknown>();
  const copy = (value: unknown): unknown => {
    if (typeof value === "string") return change(value);
    if (typeof value !== "object" || value === null) return value;
    const known = copies.get(value);
    if (known !== undefined) return known;
    const made = Array.isArray(value)
      ? value.map(copy)
      : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item)]));
    copies.set(value, made);
    return made;
  };
  return copy(data) as T;
}
