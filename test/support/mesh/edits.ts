/** Changes to what Envoys hold and Istiod would send them, resource by resource; what proxies share stays shared. */

import { isObject, shared, textOf, type Json, type JsonObject } from "./json.js";
import type { DesiredConfig, EnvoyConfig, Mesh, MeshProxy, Received } from "./model.js";

export type Side = "Envoy" | "Istiod";
export type ResourceList = "clusters" | "listeners" | "routes" | "secrets" | "endpoints" | "extensions";

export interface Place {
  readonly list: ResourceList;
  readonly name: string;
  /** Whose; default: every proxy's. */
  readonly proxies?: (proxy: MeshProxy) => boolean;
  readonly side: Side;
  /** When it came to Envoy; left out, with the rest. */
  readonly at?: number;
}

/** The name of a resource of any kind. */
export const nameOf = (resource: JsonObject): string =>
  textOf(resource, "name") || textOf(resource, "cluster_name");

/** The mesh with one resource changed wherever it stands; null takes it away. Where there is none, nothing happens. */
export function withResource(
  mesh: Mesh,
  place: Place,
  change: (resource: JsonObject, proxy: MeshProxy) => JsonObject | null,
): Mesh {
  return withProxies(mesh, place.proxies ?? (() => true), (proxy) => {
    const changed = (resources: readonly JsonObject[]): readonly JsonObject[] =>
      resources.flatMap((resource) => {
        const now = nameOf(resource) === place.name ? change(resource, proxy) : resource;
        return now === null ? [] : [now];
      });
    return place.side === "Istiod"
      ? { ...proxy, desired: sent(proxy.desired, place.list, changed) }
      : { ...proxy, config: held(proxy.config, place, changed) };
  });
}

/** The mesh with one resource more. */
export function withNewResource(mesh: Mesh, place: Place, resource: JsonObject): Mesh {
  const added = (resources: readonly JsonObject[]): readonly JsonObject[] => [...resources, resource];
  return withProxies(mesh, place.proxies ?? (() => true), (proxy) =>
    place.side === "Istiod"
      ? { ...proxy, desired: sent(proxy.desired, place.list, added) }
      : { ...proxy, config: held(proxy.config, place, added) },
  );
}

export const withProxies = (
  mesh: Mesh,
  which: (proxy: MeshProxy) => boolean,
  change: (proxy: MeshProxy) => MeshProxy,
): Mesh => ({ ...mesh, proxies: mesh.proxies.map((proxy) => (which(proxy) ? change(proxy) : proxy)) });

type Change = (resources: readonly JsonObject[]) => readonly JsonObject[];

function sent(desired: DesiredConfig, list: ResourceList, change: Change): DesiredConfig {
  return { ...desired, [list]: change(desired[list] ?? []) };
}

function held(config: EnvoyConfig, { list, name, at }: Place, change: Change): EnvoyConfig {
  if (list === "endpoints") return { ...config, endpoints: change(config.endpoints) };
  if (list === "listeners") {
    const known = new Map(config.listeners.map((entry) => [entry.name, entry]));
    const active = config.listeners.flatMap((entry) => (entry.active ? [entry.active.listener] : []));
    const others = config.listeners.filter((entry) => entry.active === undefined);
    return {
      ...config,
      listeners: [
        ...change(active).map((listener) => {
          const old = known.get(nameOf(listener))?.active;
          const came = at !== undefined && nameOf(listener) === name ? at : (old?.at ?? config.clusters.at);
          const versionInfo = old?.versionInfo ?? config.listenersVersion;
          const entry = known.get(nameOf(listener));
          return { ...entry, name: nameOf(listener), active: { versionInfo, at: came, listener } };
        }),
        ...others,
      ],
    };
  }
  const old: Received = config[list] ?? { ...config.clusters, resources: [] };
  const times = at === undefined ? old.times : new Map([...(old.times ?? []), [name, at]]);
  return {
    ...config,
    [list]: { ...old, resources: change(old.resources), ...(times === undefined ? {} : { times }) },
  };
}

/** A function of shared objects that makes each answer once and shares it. */
export function once(change: (resource: JsonObject) => JsonObject): (resource: JsonObject) => JsonObject {
  const known = new Map<JsonObject, JsonObject>();
  return (resource) => {
    const kept = known.get(resource);
    if (kept !== undefined) return kept;
    const made = shared(change(resource));
    known.set(resource, made);
    return made;
  };
}

/** A step into a value: a member, an item, or the item with that name. */
export type Step = string | number | { readonly named: string };

/** The value with another one at a place; undefined takes it away. @throws Error where there is no such place */
export function edited(
  value: Json,
  path: readonly Step[],
  change: (old: Json | undefined) => Json | undefined,
): Json {
  const [step, ...rest] = path;
  if (step === undefined) throw new Error("no path");
  const inner = (old: Json | undefined): Json | undefined => {
    if (rest.length === 0) return change(old);
    if (old === undefined) throw new Error(`nothing at ${JSON.stringify(step)}`);
    return edited(old, rest, change);
  };
  if (typeof step === "string") {
    if (!isObject(value)) throw new Error(`no object around ${step}`);
    const now = inner(value[step]);
    const others = Object.entries(value).filter(([key]) => key !== step);
    return now === undefined
      ? Object.fromEntries(others)
      : step in value
        ? Object.fromEntries(Object.entries(value).map(([key, old]) => [key, key === step ? now : old]))
        : { ...value, [step]: now };
  }
  if (!Array.isArray(value)) throw new Error(`no list around ${JSON.stringify(step)}`);
  const list = value as readonly Json[];
  const index =
    typeof step === "number"
      ? step
      : list.findIndex((item) => isObject(item) && textOf(item, "name") === step.named);
  if (index < 0 || index >= list.length) throw new Error(`no item ${JSON.stringify(step)}`);
  const now = inner(list[index]);
  return now === undefined ? list.toSpliced(index, 1) : list.with(index, now);
}

/** `edited` for a whole resource. */
export const editedResource = (
  resource: JsonObject,
  path: readonly Step[],
  change: (old: Json | undefined) => Json | undefined,
): JsonObject => {
  const now = edited(resource, path, change);
  if (!isObject(now)) throw new Error("a resource is an object");
  return now;
};
