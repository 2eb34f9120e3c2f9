/**
 * Filters and other extensions by the names that API v2 knew them by. Up to Envoy 1.17 the name chose the extension, and
 * a `config` Struct held its message; since then the type of `typed_config` chooses and the name is free text (Envoy,
 * source/extensions/extensions_metadata.yaml and source/common/config/well_known_names.h).
 */

/** Names of v2 days for what has a longer one now. */
const newNames: ReadonlyMap<string, string> = new Map([
  ["envoy.http_connection_manager", "envoy.filters.network.http_connection_manager"],
  ["envoy.tcp_proxy", "envoy.filters.network.tcp_proxy"],
  ["envoy.mongo_proxy", "envoy.filters.network.mongo_proxy"],
  ["envoy.redis_proxy", "envoy.filters.network.redis_proxy"],
  ["envoy.ratelimit", "envoy.filters.network.ratelimit"],
  ["envoy.router", "envoy.filters.http.router"],
  ["envoy.cors", "envoy.filters.http.cors"],
  ["envoy.fault", "envoy.filters.http.fault"],
  ["envoy.lua", "envoy.filters.http.lua"],
  ["envoy.gzip", "envoy.filters.http.gzip"],
  ["envoy.buffer", "envoy.filters.http.buffer"],
  ["envoy.grpc_web", "envoy.filters.http.grpc_web"],
  ["envoy.grpc_http1_bridge", "envoy.filters.http.grpc_http1_bridge"],
  ["envoy.grpc_json_transcoder", "envoy.filters.http.grpc_json_transcoder"],
  ["envoy.ext_authz", "envoy.filters.http.ext_authz"],
  ["envoy.rate_limit", "envoy.filters.http.ratelimit"],
  ["envoy.health_check", "envoy.filters.http.health_check"],
  ["envoy.squash", "envoy.filters.http.squash"],
  ["envoy.listener.tls_inspector", "envoy.filters.listener.tls_inspector"],
  ["envoy.listener.http_inspector", "envoy.filters.listener.http_inspector"],
  ["envoy.listener.original_dst", "envoy.filters.listener.original_dst"],
  ["envoy.listener.original_src", "envoy.filters.listener.original_src"],
  ["envoy.listener.proxy_protocol", "envoy.filters.listener.proxy_protocol"],
  ["envoy.file_access_log", "envoy.access_loggers.file"],
  ["envoy.http_grpc_access_log", "envoy.access_loggers.http_grpc"],
  ["envoy.tcp_grpc_access_log", "envoy.access_loggers.tcp_grpc"],
  ["tls", "envoy.transport_sockets.tls"],
  ["raw_buffer", "envoy.transport_sockets.raw_buffer"],
]);

export const currentExtensionName = (name: string): string => newNames.get(name) ?? name;

const network = "envoy.extensions.filters.network";
const http = "envoy.extensions.filters.http";
const listener = "envoy.extensions.filters.listener";

/** The message of an extension, by its name of today. */
const types: ReadonlyMap<string, string> = new Map([
  [
    "envoy.filters.network.http_connection_manager",
    `${network}.http_connection_manager.v3.HttpConnectionManager`,
  ],
  ["envoy.filters.network.tcp_proxy", `${network}.tcp_proxy.v3.TcpProxy`],
  ["envoy.filters.network.mongo_proxy", `${network}.mongo_proxy.v3.MongoProxy`],
  ["envoy.filters.network.redis_proxy", `${network}.redis_proxy.v3.RedisProxy`],
  ["envoy.filters.network.rbac", `${network}.rbac.v3.RBAC`],
  ["envoy.filters.network.sni_cluster", `${network}.sni_cluster.v3.SniCluster`],
  ["envoy.filters.http.router", `${http}.router.v3.Router`],
  ["envoy.filters.http.cors", `${http}.cors.v3.Cors`],
  ["envoy.filters.http.fault", `${http}.fault.v3.HTTPFault`],
  ["envoy.filters.http.lua", `${http}.lua.v3.Lua`],
  ["envoy.filters.http.gzip", `${http}.gzip.v3.Gzip`],
  ["envoy.filters.http.buffer", `${http}.buffer.v3.Buffer`],
  ["envoy.filters.http.grpc_web", `${http}.grpc_web.v3.GrpcWeb`],
  ["envoy.filters.http.grpc_stats", `${http}.grpc_stats.v3.FilterConfig`],
  ["envoy.filters.http.ext_authz", `${http}.ext_authz.v3.ExtAuthz`],
  ["envoy.filters.http.ratelimit", `${http}.ratelimit.v3.RateLimit`],
  ["envoy.filters.http.rbac", `${http}.rbac.v3.RBAC`],
  ["envoy.filters.http.jwt_authn", `${http}.jwt_authn.v3.JwtAuthentication`],
  ["envoy.filters.listener.tls_inspector", `${listener}.tls_inspector.v3.TlsInspector`],
  ["envoy.filters.listener.http_inspector", `${listener}.http_inspector.v3.HttpInspector`],
  ["envoy.filters.listener.original_dst", `${listener}.original_dst.v3.OriginalDst`],
  ["envoy.filters.listener.original_src", `${listener}.original_src.v3.OriginalSrc`],
  ["envoy.filters.listener.proxy_protocol", `${listener}.proxy_protocol.v3.ProxyProtocol`],
  ["envoy.access_loggers.file", "envoy.extensions.access_loggers.file.v3.FileAccessLog"],
  ["envoy.transport_sockets.alts", "envoy.extensions.transport_sockets.alts.v3.Alts"],
  ["envoy.transport_sockets.raw_buffer", "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"],
  [
    "envoy.retry_host_predicates.previous_hosts",
    "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
  ],
]);

/** The type that a `config` without one stands for, or none at all; undefined where the name does not tell. */
export const typeOfExtension = (name: string): string | undefined => types.get(name);

/** The message that an HTTP filter takes for one route, by the filter's name of today. */
const routeTypes: ReadonlyMap<string, string> = new Map([
  ["envoy.filters.http.fault", `${http}.fault.v3.HTTPFault`],
  ["envoy.filters.http.buffer", `${http}.buffer.v3.BufferPerRoute`],
  ["envoy.filters.http.rbac", `${http}.rbac.v3.RBACPerRoute`],
  ["envoy.filters.http.ext_authz", `${http}.ext_authz.v3.ExtAuthzPerRoute`],
]);

export const typeForRoute = (name: string): string | undefined => routeTypes.get(name);
