/**
 * What the judge adds to a configuration so that Envoy tells its decisions: access logs, and an id in the metadata of
 * every listener, virtual host and route (the name of a route, too).
 */
import { isObject, textOf, type Json, type JsonObject } from "../mesh/json.js";
import { typeUrl } from "./messages.js";

/** Of the ids in `filter_metadata`. */
export const plantedNamespace = "judge";

const logFormat = (kind: LogKind, listener: string): JsonObject => ({
  kind,
  logged_by: listener.replaceAll("%", "%%"),
  marker: "%REQ(X-REQUEST-MARKER)%",
  from: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%",
  listener: `%METADATA(LISTENER:${plantedNamespace}:id)%`,
  filter_chain: "%FILTER_CHAIN_NAME%",
  virtual_host: `%METADATA(VIRTUAL_HOST:${plantedNamespace}:id)%`,
  route: `%METADATA(ROUTE:${plantedNamespace}:id)%`,
  route_name: "%ROUTE_NAME%",
  cluster: "%UPSTREAM_CLUSTER_RAW%",
  upstream_host: "%UPSTREAM_HOST%",
  status: "%RESPONSE_CODE%",
  flags: "%RESPONSE_FLAGS%",
  details: "%RESPONSE_CODE_DETAILS%",
  connection_details: "%CONNECTION_TERMINATION_DETAILS%",
  transport_failure: "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%",
});
export type LogKind = "http" | "tcp" | "listener";

const accessLog = (kind: LogKind, listener: string): JsonObject => ({
  name: "envoy.access_loggers.stdout",
  typed_config: {
    "@type": typeUrl("envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"),
    log_format: { json_format: logFormat(kind, listener) },
  },
});

/** With an access log of its own, of its connection managers and TCP proxies, and ids. */
export function plantedListener(listener: JsonObject): JsonObject {
  const name = textOf(listener, "name");
  const chain = (one: Json): Json => (isObject(one) ? plantedChain(one, name) : one);
  const { filter_chains: chains, default_filter_chain: fallback } = listener;
  return {
    ...withId(listener, name),
    access_log: [accessLog("listener", name)],
    ...(Array.isArray(chains) && { filter_chains: chains.map(chain) }),
    ...(isObject(fallback) && { default_filter_chain: plantedChain(fallback, name) }),
  };
}

function plantedChain(chain: JsonObject, listener: string): JsonObject {
  const { filters } = chain;
  return Array.isArray(filters)
    ? {
        ...chain,
        filters: filters.map((filter: Json) => (isObject(filter) ? plantedFilter(filter, listener) : filter)),
      }
    : chain;
}

function plantedFilter(filter: JsonObject, listener: string): JsonObject {
  const { typed_config: config } = filter;
  if (!isObject(config)) return filter;
  const type = textOf(config, "@type");
  if (type.endsWith(".TcpProxy"))
    return { ...filter, typed_config: { ...config, access_log: [accessLog("tcp", listener)] } };
  if (!type.endsWith(".HttpConnectionManager")) return filter;
  const { route_config: routes, scoped_routes: scopes } = config;
  return {
    ...filter,
    typed_config: {
      ...config,
      access_log: [accessLog("http", listener)],
      ...(isObject(routes) && { route_config: plantedRoutes(routes) }),
      ...(isObject(scopes) && { scoped_routes: plantedScopes(scopes) }),
    },
  };
}

/** The scopes that stand in the manager itself. */
function plantedScopes(scopes: JsonObject): JsonObject {
  const { scoped_route_configurations_list: list } = scopes;
  const { scoped_route_configurations: members } = isObject(list) ? list : {};
  if (!Array.isArray(members)) return scopes;
  const planted = members.map((scope: Json) => {
    const { route_configuration: routes } = isObject(scope) ? scope : {};
    return isObject(scope) && isObject(routes)
      ? { ...scope, route_configuration: plantedRoutes(routes) }
      : scope;
  });
  return { ...scopes, scoped_route_configurations_list: { scoped_route_configurations: planted } };
}

/** A route configuration with ids; routes without a name are `<virtual host>/<index>`. */
export function plantedRoutes(routeConfig: JsonObject): JsonObject {
  const { virtual_hosts: hosts } = routeConfig;
  if (!Array.isArray(hosts)) return routeConfig;
  return {
    ...routeConfig,
    virtual_hosts: hosts.map((host: Json) => {
      if (!isObject(host)) return host;
      const name = textOf(host, "name");
      const { routes } = host;
      return {
        ...withId(host, name),
        ...(Array.isArray(routes) && {
          routes: routes.map((route: Json, index) =>
            isObject(route) ? plantedRoute(route, `${name}/${index}`) : route,
          ),
        }),
      };
    }),
  };
}

function plantedRoute(route: JsonObject, fallback: string): JsonObject {
  const name = textOf(route, "name") || fallback;
  return { ...withId(route, name), name };
}

function withId(message: JsonObject, id: string): JsonObject {
  const { metadata } = message;
  const { filter_metadata: own } = isObject(metadata) ? metadata : {};
  return {
    ...message,
    metadata: { filter_metadata: { ...(isObject(own) ? own : {}), [plantedNamespace]: { id } } },
  };
}
