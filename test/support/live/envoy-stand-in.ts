/** The admin port of an Envoy that holds what a generated proxy holds: for runs with more targets than real Envoys fit. */
import {
  certs,
  clustersJson,
  clustersText,
  listenersText,
  memory,
  runtime,
  serverInfo,
  statsText,
} from "../mesh/admin.js";
import { envoyDump, envoyDumpText } from "../mesh/dump.js";
import { isObject, print, type Json, type JsonObject } from "../mesh/json.js";
import type { Mesh, MeshProxy } from "../mesh/model.js";
import {
  answer,
  lookUp,
  refuses,
  startServer,
  unknownAdminPath,
  type Answers,
  type Behaviour,
  type LocalServer,
  type ServerOptions,
} from "./faulty-server.js";

export interface EnvoyStandInOptions extends ServerOptions {
  /** In place of its own answers, by path, or by path and query. */
  readonly instead?: Answers;
}

/** @param mesh tells when it is asked */
export async function startEnvoyStandIn(
  mesh: Mesh,
  proxy: MeshProxy,
  options: EnvoyStandInOptions = {},
): Promise<LocalServer> {
  const now = mesh.capturedAt;
  const answers: Readonly<Record<string, (query: URLSearchParams) => Behaviour>> = {
    "/config_dump": (query) => dump(proxy, query),
    "/server_info": () => answer(() => serverInfo(proxy, now)),
    "/certs": () => answer(() => certs(proxy, now)),
    "/clusters": (query) =>
      answer(() => (query.get("format") === "json" ? clustersJson(proxy) : clustersText(proxy))),
    "/listeners": () => answer(() => listenersText(proxy)),
    "/memory": () => answer(() => memory(proxy)),
    "/runtime": () => answer(runtime),
    "/stats": (query) => answer(() => filtered(statsText(proxy), query.get("filter"))),
    "/ready": () => (proxy.state === "LIVE" ? answer("LIVE\n") : refuses(503, `${proxy.state}\n`)),
  };
  const instead = lookUp(options.instead ?? {});
  return startServer(({ url }) => {
    const { pathname, searchParams } = new URL(url, "http://envoy");
    return instead(url) ?? answers[pathname]?.(searchParams) ?? unknownAdminPath;
  }, options);
}

/** The type of the elements of each repeated field (envoyproxy/envoy, api/envoy/admin/v3/config_dump.proto). */
const elementTypes: Readonly<Record<string, string>> = {
  static_clusters: "ClustersConfigDump.StaticCluster",
  dynamic_active_clusters: "ClustersConfigDump.DynamicCluster",
  dynamic_warming_clusters: "ClustersConfigDump.DynamicCluster",
  static_endpoint_configs: "EndpointsConfigDump.StaticEndpointConfig",
  dynamic_endpoint_configs: "EndpointsConfigDump.DynamicEndpointConfig",
  static_listeners: "ListenersConfigDump.StaticListener",
  dynamic_listeners: "ListenersConfigDump.DynamicListener",
  static_route_configs: "RoutesConfigDump.StaticRouteConfig",
  dynamic_route_configs: "RoutesConfigDump.DynamicRouteConfig",
  inline_scoped_route_configs: "ScopedRoutesConfigDump.InlineScopedRouteConfigs",
  dynamic_scoped_route_configs: "ScopedRoutesConfigDump.DynamicScopedRouteConfigs",
  static_secrets: "SecretsConfigDump.StaticSecret",
  dynamic_active_secrets: "SecretsConfigDump.DynamicSecret",
  dynamic_warming_secrets: "SecretsConfigDump.DynamicSecret",
};
const adminType = (name: string): string => `type.googleapis.com/envoy.admin.v3.${name}`;

/** The whole dump, the elements of one repeated field (`resource`), or some fields (`mask`). */
function dump(proxy: MeshProxy, query: URLSearchParams): Behaviour {
  const endpoints = query.has("include_eds");
  const resource = query.get("resource");
  const mask = query.get("mask");
  if (resource === null && mask === null) return answer(() => envoyDumpText(proxy, endpoints));
  const sections = envoyDump(proxy, endpoints)["configs"] as readonly JsonObject[];
  if (resource !== null) return slice(sections, resource);
  return masked(sections, mask ?? "");
}

/** Of the sections that have all these fields, these fields. */
function masked(sections: readonly JsonObject[], mask: string): Behaviour {
  const fields = mask.split(",");
  const configs = sections
    .filter((section) => fields.every((field) => field in section))
    .map((section): JsonObject =>
      Object.fromEntries(Object.entries(section).filter(([key]) => key === "@type" || fields.includes(key))),
    );
  return configs.length === 0
    ? refuses(400, `FieldMask ${mask} could not be successfully applied to any configs.`)
    : answer(print({ configs }, 1));
}

/** A field without elements is an empty message; one whose section is not there is not found. */
function slice(sections: readonly JsonObject[], resource: string): Behaviour {
  const type = elementTypes[resource] ?? "";
  const section = sections.find((candidate) => candidate["@type"] === adminType(type.split(".")[0] ?? ""));
  if (section === undefined) return refuses(404, `${resource} not found in config dump`);
  const elements = section[resource];
  const configs = (Array.isArray(elements) ? (elements as readonly Json[]) : []).filter(isObject);
  if (configs.length === 0) return answer("{}\n");
  return answer(print({ configs: configs.map((element) => ({ "@type": adminType(type), ...element })) }, 1));
}

/** The lines whose name the pattern finds something in. */
function filtered(stats: string, pattern: string | null): string {
  if (pattern === null) return stats;
  const wanted = new RegExp(pattern);
  return stats
    .split("\n")
    .filter((line) => wanted.test(line.slice(0, line.indexOf(": "))))
    .map((line) => `${line}\n`)
    .join("");
}
