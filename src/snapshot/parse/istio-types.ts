/**
 * Messages of Istio's own Envoy filters (istio/proxy, istio/api), written as in the generated table: fields as
 * `name[:kind]`, where no kind is a scalar, `{}` a map and a name a message. Fields of any release are listed.
 */
const authn = "istio.authentication.v1alpha1";
const peer = "io.istio.http.peer_metadata.Config";
const alpn = "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig";

/** Message type -> its fields. */
export const istioMessages: Readonly<Record<string, string>> = {
  [alpn]: `alpn_override:${alpn}.AlpnOverride`,
  [`${alpn}.AlpnOverride`]: "upstream_protocol alpn_override",
  "istio.envoy.config.filter.http.authn.v2alpha1.FilterConfig": `policy:${authn}.Policy jwt_output_payload_locations:{} skip_validate_trust_domain allowed_trust_domains disable_clear_route_cache`,
  [`${authn}.Policy`]: `targets:${authn}.TargetSelector peers:${authn}.PeerAuthenticationMethod peer_is_optional origins:${authn}.OriginAuthenticationMethod origin_is_optional principal_binding`,
  [`${authn}.TargetSelector`]: `name ports:${authn}.PortSelector`,
  [`${authn}.PortSelector`]: "number name",
  [`${authn}.PeerAuthenticationMethod`]: `mtls:${authn}.MutualTls jwt:${authn}.Jwt`,
  [`${authn}.OriginAuthenticationMethod`]: `jwt:${authn}.Jwt`,
  [`${authn}.MutualTls`]: "allow_tls mode",
  [`${authn}.Jwt`]: `issuer audiences jwks_uri jwks jwt_headers jwt_params trigger_rules:${authn}.Jwt.TriggerRule`,
  [`${authn}.Jwt.TriggerRule`]: `excluded_paths:${authn}.StringMatch included_paths:${authn}.StringMatch`,
  [`${authn}.StringMatch`]: "exact prefix suffix regex",
  [peer]: `downstream_discovery:${peer}.DiscoveryMethod upstream_discovery:${peer}.DiscoveryMethod downstream_propagation:${peer}.PropagationMethod upstream_propagation:${peer}.PropagationMethod shared_with_upstream additional_labels`,
  [`${peer}.DiscoveryMethod`]: `baggage:${peer}.Baggage workload_discovery:${peer}.WorkloadDiscovery istio_headers:${peer}.IstioHeaders upstream_filter_state:${peer}.UpstreamFilterState`,
  [`${peer}.PropagationMethod`]: `istio_headers:${peer}.IstioHeaders baggage:${peer}.Baggage`,
  [`${peer}.Baggage`]: "",
  [`${peer}.WorkloadDiscovery`]: "",
  [`${peer}.IstioHeaders`]: "skip_external_clusters",
  [`${peer}.UpstreamFilterState`]: "peer_metadata_key",
  "envoy.extensions.network_filters.peer_metadata.Config": "baggage_key",
  "envoy.tcp.metadataexchange.config.MetadataExchange": "protocol enable_discovery additional_labels",
  "io.istio.http.connect_authority.Config": "enabled port",
  "io.istio.network.authn.Config": "shared",
  "istio.workload.BootstrapExtension": "config_source:envoy.config.core.v3.ConfigSource",
  "stats.PluginConfig":
    "debug max_peer_cache_size stat_prefix field_separator value_separator disable_host_header_fallback tcp_reporting_duration metrics:stats.MetricConfig definitions:stats.MetricDefinition reporter rotation_interval graceful_deletion_interval",
  "stats.MetricConfig": "dimensions:{} name tags_to_remove match drop",
  "stats.MetricDefinition": "name value type",
};
