/**
 * What the protos of today do not tell about v2 dumps (Envoy up to 1.17). Most of v2 needs nothing here: v3 messages
 * name their v2 predecessor in an annotation, which the generated table keeps, and it has the v2 filters' own messages.
 */
const core = "envoy.config.core.v3";
const route = "envoy.config.route.v3";
const tls = "envoy.extensions.transport_sockets.tls.v3";
const hcm = "envoy.extensions.filters.network.http_connection_manager.v3";

/** Prefixes of v2 names that no v3 message names as its predecessor, and what to read them as. */
export const v2Renames: readonly (readonly [from: string, to: string])[] = [
  ["envoy.config.filter.http.ext_authz.v2alpha.", "envoy.config.filter.http.ext_authz.v2."],
  ["envoy.config.filter.http.ext_authz.v2.ExtAuthz", "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz"],
  ["envoy.config.rbac.v2alpha.", "envoy.config.rbac.v2."],
  ["envoy.config.wasm.v2alpha.", "envoy.extensions.wasm.v3."],
];

/**
 * Message -> fields in the form of the generated table (`name[:kind]`; `?` Struct, `*` Any, `*<type>` Any that was a
 * plain message up to Envoy 1.12, `{}` map, else a message). The fields of a v3 message are those that it has lost since
 * the first v2 release, valid under both names; a message that no table has is given whole.
 */
export const v2Fields: Readonly<Record<string, string>> = {
  "envoy.admin.v3.ClustersConfigDump.StaticCluster": "cluster:*envoy.config.cluster.v3.Cluster",
  "envoy.admin.v3.ClustersConfigDump.DynamicCluster": "cluster:*envoy.config.cluster.v3.Cluster",
  "envoy.admin.v3.CommandLineOptions":
    "allow_unknown_fields hot_restart_version max_stats max_obj_name_len bootstrap_version",
  "envoy.admin.v3.ListenersConfigDump":
    "dynamic_active_listeners:envoy.admin.v3.ListenersConfigDump.DynamicListener dynamic_warming_listeners:envoy.admin.v3.ListenersConfigDump.DynamicListener dynamic_draining_listeners:envoy.admin.v3.ListenersConfigDump.DynamicListener",
  "envoy.admin.v3.ListenersConfigDump.DynamicListener":
    "version_info listener:*envoy.config.listener.v3.Listener last_updated",
  "envoy.admin.v3.ListenersConfigDump.DynamicListenerState": "listener:*envoy.config.listener.v3.Listener",
  "envoy.admin.v3.ListenersConfigDump.StaticListener": "listener:*envoy.config.listener.v3.Listener",
  "envoy.admin.v3.RoutesConfigDump.StaticRouteConfig": `route_config:*${route}.RouteConfiguration`,
  "envoy.admin.v3.RoutesConfigDump.DynamicRouteConfig": `route_config:*${route}.RouteConfiguration`,
  "envoy.admin.v3.ScopedRoutesConfigDump.InlineScopedRouteConfigs": `scoped_route_configs:*${route}.ScopedRouteConfiguration`,
  "envoy.admin.v3.ScopedRoutesConfigDump.DynamicScopedRouteConfigs": `scoped_route_configs:*${route}.ScopedRouteConfiguration`,
  "envoy.admin.v3.SecretsConfigDump.StaticSecret": `secret:*${tls}.Secret`,
  "envoy.admin.v3.SecretsConfigDump.DynamicSecret": `secret:*${tls}.Secret`,

  "envoy.config.bootstrap.v3.Bootstrap":
    "rate_limit_service:envoy.config.ratelimit.v3.RateLimitServiceConfig",
  "envoy.config.bootstrap.v3.Bootstrap.DynamicResources":
    "deprecated_v1:envoy.config.bootstrap.v2.Bootstrap.DynamicResources.DeprecatedV1",
  "envoy.config.bootstrap.v2.Bootstrap.DynamicResources.DeprecatedV1": `sds_config:${core}.ConfigSource`,
  "envoy.config.ratelimit.v3.RateLimitServiceConfig": "cluster_name use_data_plane_proto",
  "envoy.config.trace.v3.OpenCensusConfig": "zipkin_service_name",

  "envoy.config.cluster.v3.Cluster": `hosts:${core}.Address tls_context:${tls}.UpstreamTlsContext extension_protocol_options:{}? drain_connections_on_host_removal`,
  "envoy.config.cluster.v3.Cluster.RingHashLbConfig":
    "deprecated_v1:envoy.api.v2.Cluster.RingHashLbConfig.DeprecatedV1",
  "envoy.api.v2.Cluster.RingHashLbConfig.DeprecatedV1": "use_std_hash",
  "envoy.config.cluster.v3.LoadBalancingPolicy.Policy": "name config:? typed_config:*",
  "envoy.config.endpoint.v3.ClusterLoadAssignment.Policy": "drop_overload disable_overprovisioning",

  [`${core}.ConfigSource`]: "xds_api_version",
  [`${core}.GrpcService`]: "credentials:envoy.api.v2.core.GrpcService.Credentials",
  "envoy.api.v2.core.GrpcService.Credentials": "access_token",
  [`${core}.GrpcService.GoogleGrpc`]: `ssl_credentials:${core}.GrpcService.GoogleGrpc.SslCredentials`,
  [`${core}.GrpcService.GoogleGrpc.CallCredentials.MetadataCredentialsFromPlugin`]: "config:?",
  [`${core}.HealthCheck`]: "redis_health_check:envoy.api.v2.core.HealthCheck.RedisHealthCheck",
  "envoy.api.v2.core.HealthCheck.RedisHealthCheck": "key",
  [`${core}.HealthCheck.CustomHealthCheck`]: "config:?",
  [`${core}.HealthCheck.HttpHealthCheck`]: "service_name use_http2",
  [`${core}.Node`]: "build_version",
  [`${core}.TransportSocket`]: "config:?",

  "envoy.config.listener.v3.Listener": `bugfix_reverse_write_filter_order udp_writer_config:${core}.TypedExtensionConfig`,
  "envoy.config.listener.v3.Filter": "config:? deprecated_v1:envoy.api.v2.listener.Filter.DeprecatedV1",
  "envoy.api.v2.listener.Filter.DeprecatedV1": "type",
  "envoy.config.listener.v3.FilterChain": `tls_context:${tls}.DownstreamTlsContext`,
  "envoy.config.listener.v3.FilterChainMatch": "sni_domains",
  "envoy.config.listener.v3.ListenerFilter": "config:?",
  "envoy.config.listener.v3.QuicProtocolOptions": "max_concurrent_streams",
  "envoy.config.listener.v3.UdpListenerConfig": "udp_listener_name config:? typed_config:*",

  [`${route}.VirtualHost`]: "per_filter_config:{}?",
  [`${route}.Route`]: "per_filter_config:{}?",
  [`${route}.WeightedCluster.ClusterWeight`]: "per_filter_config:{}?",
  [`${route}.CorsPolicy`]: "allow_origin allow_origin_regex enabled",
  [`${route}.HeaderMatcher`]: "value regex regex_match",
  [`${route}.QueryParameterMatcher`]: "value regex",
  [`${route}.RetryPolicy.RetryHostPredicate`]: "config:?",
  [`${route}.RetryPolicy.RetryPriority`]: "config:?",
  [`${route}.RouteAction`]: `host_rewrite auto_host_rewrite_header request_mirror_policy:${route}.RouteAction.RequestMirrorPolicy request_headers_to_add:${core}.HeaderValueOption response_headers_to_add:${core}.HeaderValueOption response_headers_to_remove use_websocket websocket_config:envoy.api.v2.route.RouteAction.WebSocketProxyConfig`,
  "envoy.api.v2.route.RouteAction.WebSocketProxyConfig": "stat_prefix idle_timeout max_connect_attempts",
  [`${route}.RouteAction.RequestMirrorPolicy`]: "runtime_key",
  [`${route}.RouteMatch`]: `regex runtime:${core}.RuntimeUInt32`,
  [`${route}.VirtualCluster`]: "pattern method",

  "envoy.extensions.filters.common.fault.v3.FaultDelay": "percent",
  "envoy.extensions.filters.http.fault.v3.FaultAbort": "percent",
  // Its v2 predecessor is not annotated, so what it has lost is repeated here.
  "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz": "use_alpha",
  "envoy.extensions.filters.http.buffer.v3.Buffer": "max_request_time",
  "envoy.extensions.filters.http.health_check.v3.HealthCheck": "endpoint",
  [`${hcm}.HttpConnectionManager`]: "bugfix_reverse_encode_order",
  [`${hcm}.HttpConnectionManager.SetCurrentClientCertDetails`]: "san",
  [`${hcm}.HttpFilter`]:
    "deprecated_v1:envoy.config.filter.network.http_connection_manager.v2.HttpFilter.DeprecatedV1",
  "envoy.config.filter.network.http_connection_manager.v2.HttpFilter.DeprecatedV1": "type",
  "envoy.extensions.wasm.v3.PluginConfig": "group_name inline_vm_config:envoy.extensions.wasm.v3.VmConfig",

  [`${tls}.CertificateValidationContext`]: "verify_spki_sha256 verify_subject_alt_name require_ocsp_staple",
  [`${tls}.CommonTlsContext`]: "deprecated_v1:envoy.api.v2.auth.CommonTlsContext.DeprecatedV1",
  "envoy.api.v2.auth.CommonTlsContext.DeprecatedV1": "alt_alpn_protocols",
  [`${tls}.PrivateKeyProvider`]: "config:?",
};
