/** Fields of Istio: metadata of nodes, MeshConfig and the kinds of configuration that `/debug/configz` prints. */
import { isFigure, isSwitch } from "./envoy-fields.js";
import {
  anywhere,
  dataKeys,
  everything,
  membersOf,
  named,
  placeOf,
  plain,
  replacing,
  secretValue,
  withItself,
  type KeyName,
  type Place,
} from "./places.js";

// Metadata of a node: what an injected pod tells of itself, environment included

/** Keys that analyses read, or that only name and count. Everything else is the owner's. */
const nodeKeys: ReadonlySet<string> = new Set(
  (
    "name namespace workload_name owner service_account mesh_id cluster_id network labels static_labels instance_ips " +
    "interception_mode pod_ports app_containers node_name pilot_san envoy_status_port envoy_prometheus_port http10 " +
    "idle_timeout dns_capture dns_auto_allocate enable_hbone requested_network_view unprivileged_pod generator exchange_keys router_mode " +
    "locality trust_domain trustdomain proxy_via_agent sds sts " +
    // of the proxy's build
    "build_type build_label revision_sha revision_status ssl_version " +
    // up to Istio 1.4, when labels stood among them
    "pod_name config_namespace include_inbound_ports include_outbound_ports app version istio pod_template_hash"
  ).split(" "),
);
const isNodeKey = (key: KeyName): boolean => nodeKeys.has(key.folded) || key.text.startsWith("ISTIO_");

const annotationPrefixes = ["traffic.sidecar.istio.io/", "sidecar.istio.io/", "istio.io/"];
const isKeptAnnotation = (key: KeyName): boolean =>
  annotationPrefixes.some((prefix) => key.text.startsWith(prefix));

const nodeValue = withItself({ strings: replacing("node metadata") });
const nodeSetting = withItself({ strings: replacing("node metadata", isSwitch) });
const nodeAnnotations = placeOf({
  strings: nodeValue.strings,
  byName: (key) => (isKeptAnnotation(key) && key.secrecy === "none" ? null : nodeSetting),
});

/** Fields of `ProxyConfig` that hold no values of the owner (istio/api, mesh/v1alpha1/proxy.proto). */
const proxyConfigKeys: ReadonlySet<string> = new Set(
  (
    "discovery_address concurrency stat_name_length stats_udp_address binary_path config_path control_plane_auth_policy custom_config_file " +
    "drain_duration parent_shutdown_duration proxy_admin_port service_cluster status_port termination_drain_duration tracing " +
    "tracing_service_name sds interception_mode mesh_id envoy_access_log_service envoy_metrics_service proxy_stats_matcher " +
    "readiness_probe gateway_topology hold_application_until_proxy_starts image ca_certificates_pem proxy_bootstrap_template_path " +
    "availability_zone zipkin_address proxy_headers private_key_provider runtime_values proxy_metadata file_flush_interval " +
    "file_flush_min_size_kb extra_stat_tags"
  ).split(" "),
);
const proxyConfig = placeOf({
  strings: nodeValue.strings,
  byName: (key) => (proxyConfigKeys.has(key.folded) || key.secrecy !== "none" ? null : nodeValue),
});
const proxyMetadata = placeOf({
  strings: nodeValue.strings,
  byName: (key) => (key.text.startsWith("ISTIO_") && key.secrecy === "none" ? null : nodeSetting),
});
const isKept = (key: KeyName): Place | null =>
  isNodeKey(key) || key.secrecy !== "none" ? null : nodeSetting;
const nodeMetadata = placeOf({
  members: membersOf({
    metadata: placeOf({ strings: nodeSetting.strings, byName: isKept }),
    annotations: nodeAnnotations,
    environment: nodeValue,
    platform_metadata: nodeValue,
    proxy_config: proxyConfig,
  }),
  byName: isKept,
});
/** `node` of Envoy, a client of `/debug/adsz`. */
const nodeLike = placeOf({ members: membersOf({ metadata: nodeMetadata }), named: named({}) });

// MeshConfig

const meshSetting = everything("mesh config");
const extensionProvider: Place = withItself({
  members: membersOf({
    headers: placeOf({
      members: membersOf({ name: anywhere, value: meshSetting, env_name: anywhere }),
      others: meshSetting,
    }),
    initial_metadata: secretValue("mesh config", { name: anywhere, key: anywhere }),
    include_additional_headers_in_check: meshSetting,
  }),
  byName: (key) => (key.place === anywhere ? null : key.place),
  named: named({}),
});
const mesh = {
  extension_providers: extensionProvider,
  ca_certificates: placeOf({
    members: membersOf({ pem: placeOf({ strings: { kind: "fingerprint", base64: false } }) }),
  }),
  proxy_metadata: proxyMetadata,
  environment_variables: proxyMetadata,
  proxy_istio_io_config: placeOf({ strings: { kind: "YAML" } }),
};

// Kinds of configuration

/** Names of filters and types: what is patched can be told without what it is patched with. */
const isKnownName = (value: string): boolean =>
  /^(?:type\.googleapis\.com\/)?(?:envoy|istio|google|udpa|xds)\.[\w.]{1,200}$/.test(value);
const patchValue = withItself({
  strings: replacing("Istio config", (value) => isKnownName(value) || isDuration(value) || isFigure(value)),
  members: membersOf({ "@type": plain, type_url: plain }),
});
const isDuration = (value: string): boolean => /^\d{1,10}(?:\.\d{1,9})?s$/.test(value);

/** Conditions on what the network says; those on headers and claims compare with secrets. */
const isNetworkCondition = (name: string): boolean =>
  /^(?:source|destination|connection)\.[\w.]{1,40}$/.test(name);
const conditionValue = everything("Istio config");
const istioObjects = {
  patch: placeOf({ members: membersOf({ value: patchValue }) }),
  plugin_config: everything("Istio config"),
  verification_key: everything("Istio config"),
  jwks: everything("Istio config"),
  when: placeOf({
    members: membersOf({ values: conditionValue, not_values: conditionValue }),
    named: { isSecret: () => true, rule: "Istio config", isHarmless: isNetworkCondition },
  }),
};

export const istioFields: Readonly<Record<string, Place>> = {
  node: nodeLike,
  clients: nodeLike,
  platform_metadata: nodeValue,
  proxy_config: anywhere,
  ...mesh,
  ...istioObjects,
  ...Object.fromEntries(
    ["table", "namespace_to_policies", "watches", "workload_state", "services", "workloads", "endpoints"].map(
      (name) => [name, dataKeys],
    ),
  ),
};

/** Answers of Istiod that are maps of hosts, of namespaces below, of metrics. */
const secretHost = placeOf({ ...dataKeys, strings: replacing("secret") });
export const hostsAndNamespaces = placeOf({
  byName: ({ secrecy }) => (secrecy === "none" ? dataKeys : secretHost),
});
/** `/debug/clusterz` names the Secrets that hold the kubeconfigs of remote clusters. */
export const clusterzPlace = placeOf({ members: membersOf({ secret_name: meshSetting }), named: named({}) });
/** `/debug/inject`: templates and Helm values, of which only that they are the same can be told. */
export const injectionTemplate = everything("injection template");
