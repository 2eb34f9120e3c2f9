/**
 * The two dumps of one proxy: what its Envoy holds (`/config_dump`, snake_case) and what Istiod would send it
 * (`/debug/config_dump`, lowerCamelCase). Shapes: envoyproxy/envoy, api/envoy/admin/v3; istio/istio, pilot/pkg/xds/debug.go.
 */

import { staticClusters } from "./clusters.js";
import { assignmentOfCluster } from "./endpoints.js";
import { camelCaseObject, print, shared, textOf, type Json, type JsonObject } from "./json.js";
import { inlineRoutesOf, staticListeners } from "./listeners.js";
import type { DesiredConfig, ListenerEntry, MeshProxy, Received } from "./model.js";
import { atLeast } from "./release.js";
import { rfc3339 } from "./time.js";
import { withOldTypes } from "./v2-types.js";

const adminType = (name: string): string => `type.googleapis.com/envoy.admin.v3.${name}ConfigDump`;

/** `/config_dump`, with or without `?include_eds`. */
export function envoyDump(proxy: MeshProxy, includeEndpoints: boolean): JsonObject {
  const { config, istioVersion } = proxy;
  const start = rfc3339(config.startedAt);
  const current = eraOf(istioVersion);
  const statics = staticsOf(istioVersion);
  const activeListeners = config.listeners.flatMap(({ active }) => (active ? [active.listener] : []));
  const inline = [...statics.listeners, ...activeListeners].flatMap(inlineRoutesOf);
  const configs: JsonObject[] = [
    { "@type": adminType("Bootstrap"), bootstrap: current(config.bootstrap), last_updated: start },
    {
      "@type": adminType("Clusters"),
      version_info: config.clusters.versionInfo,
      static_clusters: statics.clusters.map((cluster) => ({
        cluster: current(cluster),
        last_updated: start,
      })),
      ...list("dynamic_active_clusters", updated(config.clusters, "cluster", current)),
      ...list("dynamic_warming_clusters", updated(config.warmingClusters, "cluster", current)),
    },
    ...(includeEndpoints
      ? [
          {
            "@type": adminType("Endpoints"),
            static_endpoint_configs: statics.assignments.map((assignment) => ({
              endpoint_config: current(assignment),
            })),
            ...list(
              "dynamic_endpoint_configs",
              config.endpoints.map((assignment) => ({ endpoint_config: current(assignment) })),
            ),
          },
        ]
      : []),
    {
      "@type": adminType("Listeners"),
      version_info: config.listenersVersion,
      static_listeners: statics.listeners.map((listener) => ({
        listener: current(listener),
        last_updated: start,
      })),
      ...list(
        "dynamic_listeners",
        config.listeners.map((entry) => listenerEntry(entry, current)),
      ),
    },
    { "@type": adminType("ScopedRoutes") },
    {
      "@type": adminType("Routes"),
      ...list(
        "static_route_configs",
        inline.map((routes) => ({ route_config: current(routes), last_updated: start })),
      ),
      ...list("dynamic_route_configs", updated(config.routes, "route_config", current)),
    },
    {
      "@type": adminType("Secrets"),
      ...list(
        "dynamic_active_secrets",
        config.secrets.resources.map((secret) => ({
          name: secret["name"] ?? "",
          version_info: config.secrets.versionInfo,
          last_updated: rfc3339(config.secrets.at),
          secret: current(secret),
        })),
      ),
    },
    ...(config.extensions === undefined
      ? []
      : [
          {
            "@type": adminType("Ecds"),
            ...list("ecds_filters", updated(config.extensions, "ecds_filter", current)),
          },
        ]),
  ];
  return { configs };
}

export const envoyDumpText = (proxy: MeshProxy, includeEndpoints: boolean): Buffer =>
  print(envoyDump(proxy, includeEndpoints), 1);

/** `/debug/config_dump?proxyID=`: dynamic resources only, without times; sections by release. */
export function istiodDump(
  desired: DesiredConfig,
  istioVersion: string,
  includeEndpoints: boolean,
): JsonObject {
  const current = eraOf(istioVersion);
  const { versionInfo } = desired;
  const withVersion = (key: string, resources: readonly JsonObject[]): JsonObject[] =>
    resources.map((resource) => ({ versionInfo, [key]: camelCased(current(resource)) }));
  const configs: JsonObject[] = [
    { "@type": adminType("Bootstrap") },
    {
      "@type": adminType("Clusters"),
      versionInfo,
      ...list("dynamicActiveClusters", withVersion("cluster", desired.clusters)),
    },
    ...(includeEndpoints && atLeast(istioVersion, "1.15")
      ? [
          {
            "@type": adminType("Endpoints"),
            ...list("dynamicEndpointConfigs", withVersion("endpointConfig", desired.endpoints)),
          },
        ]
      : []),
    {
      "@type": adminType("Listeners"),
      versionInfo,
      ...list(
        "dynamicListeners",
        desired.listeners.map((listener) => ({
          name: listener["name"] ?? "",
          activeState: { versionInfo, listener: camelCased(current(listener)) },
        })),
      ),
    },
    ...(atLeast(istioVersion, "1.8") ? [{ "@type": adminType("ScopedRoutes") }] : []),
    {
      "@type": adminType("Routes"),
      ...list("dynamicRouteConfigs", withVersion("routeConfig", desired.routes)),
    },
    ...(atLeast(istioVersion, "1.8")
      ? [
          {
            "@type": adminType("Secrets"),
            ...list(
              "dynamicActiveSecrets",
              desired.secrets.map((secret) => ({
                name: secret["name"] ?? "",
                versionInfo,
                secret: camelCased(current(secret)),
              })),
            ),
          },
        ]
      : []),
    ...(atLeast(istioVersion, "1.17")
      ? [
          {
            "@type": adminType("Ecds"),
            ...list("ecdsFilters", withVersion("ecdsFilter", desired.extensions ?? [])),
          },
        ]
      : []),
  ];
  return { configs };
}

export const istiodDumpText = (
  desired: DesiredConfig,
  istioVersion: string,
  includeEndpoints: boolean,
): Buffer =>
  print(istiodDump(desired, istioVersion, includeEndpoints), atLeast(istioVersion, "1.12") ? 0 : 4);

/** Proto3 leaves empty lists out. */
const list = (key: string, members: readonly Json[]): JsonObject =>
  members.length === 0 ? {} : { [key]: members };

/** Entries of one push; Envoy needs about a millisecond for twenty of them. */
function updated(
  { resources, versionInfo, at, times }: Received,
  key: string,
  current: (resource: JsonObject) => JsonObject,
): JsonObject[] {
  let time = "";
  return resources.map((resource, index) => {
    if (index % 20 === 0) time = rfc3339(at + index / 20);
    const own = times?.get(textOf(resource, "name"));
    return {
      version_info: versionInfo,
      [key]: current(resource),
      last_updated: own === undefined ? time : rfc3339(own),
    };
  });
}

function listenerEntry(entry: ListenerEntry, current: (resource: JsonObject) => JsonObject): JsonObject {
  const states = [
    ["active_state", entry.active],
    ["warming_state", entry.warming],
    ["draining_state", entry.draining],
  ] as const;
  return {
    ...(entry.name === "" ? {} : { name: entry.name }),
    ...Object.fromEntries(
      states.flatMap(([key, state]): [string, JsonObject][] =>
        state === undefined
          ? []
          : [
              [
                key,
                {
                  version_info: state.versionInfo,
                  listener: current(state.listener),
                  last_updated: rfc3339(state.at),
                },
              ],
            ],
      ),
    ),
    ...(entry.error === undefined
      ? {}
      : {
          error_state: {
            failed_configuration: current(entry.error.failed),
            last_update_attempt: rfc3339(entry.error.at),
            details: entry.error.details,
            version_info: entry.error.versionInfo,
          },
        }),
  };
}

/** Proxies up to 1.6 hold v2 resources inside v3 sections (istio/istio, pkg/util/protomarshal). */
function eraOf(istioVersion: string): (resource: JsonObject) => JsonObject {
  return atLeast(istioVersion, "1.7") ? (resource) => resource : withOldTypes;
}

interface Statics {
  readonly clusters: readonly JsonObject[];
  readonly listeners: readonly JsonObject[];
  readonly assignments: readonly JsonObject[];
}
const knownStatics = new Map<string, Statics>();

/** The same for all proxies of one release. */
function staticsOf(istioVersion: string): Statics {
  const known = knownStatics.get(istioVersion);
  if (known !== undefined) return known;
  const clusters = staticClusters(istioVersion);
  const statics = {
    clusters,
    listeners: staticListeners(),
    assignments: clusters.map(assignmentOfCluster),
  };
  knownStatics.set(istioVersion, statics);
  return statics;
}

const camelCasedOnce = new WeakMap<JsonObject, JsonObject>();

function camelCased(resource: JsonObject): JsonObject {
  const known = camelCasedOnce.get(resource);
  if (known !== undefined) return known;
  const converted = shared(camelCaseObject(resource));
  camelCasedOnce.set(resource, converted);
  return converted;
}
