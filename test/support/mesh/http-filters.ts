/** The HTTP connection manager and its filters as Istio orders them (istio/istio, pilot/pkg/networking/core). */

import type { JsonObject } from "./json.js";
import { spiffeId, type Workload } from "./model.js";
import { atLeast } from "./release.js";
import { canonicalName, canonicalRevision } from "./topology.js";

export interface ManagerSettings {
  readonly statPrefix: string;
  readonly direction: "inbound" | "outbound" | "gateway";
  /** The name for RDS, or a whole route configuration. */
  readonly routes: string | JsonObject;
  readonly workload: Workload;
  readonly istioVersion: string;
}

export function httpConnectionManager(settings: ManagerSettings): JsonObject {
  const { direction, istioVersion, routes } = settings;
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type":
        "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      stat_prefix: settings.statPrefix,
      ...(typeof routes === "string"
        ? {
            rds: {
              config_source: { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" },
              route_config_name: routes,
            },
          }
        : { route_config: routes }),
      http_filters: httpFilters(settings),
      tracing: tracing(settings.workload),
      ...(direction === "outbound" ? {} : { server_name: "istio-envoy" }),
      use_remote_address: direction === "gateway",
      ...(direction === "outbound"
        ? {}
        : {
            forward_client_cert_details: direction === "gateway" ? "SANITIZE_SET" : "APPEND_FORWARD",
            set_current_client_cert_details: { subject: true, dns: true, uri: true },
          }),
      upgrade_configs: [{ upgrade_type: "websocket" }],
      stream_idle_timeout: "0s",
      normalize_path: true,
      request_id_extension: {
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
          use_request_id_for_trace_sampling: true,
        },
      },
      ...(atLeast(istioVersion, "1.10") ? { path_with_escaped_slashes_action: "KEEP_UNCHANGED" } : {}),
    },
  };
}

function httpFilters({ direction, istioVersion, workload }: ManagerSettings): JsonObject[] {
  return [
    metadataExchange(istioVersion),
    ...(direction === "inbound" ? authorization(workload, istioVersion) : []),
    filter("envoy.filters.http.grpc_stats", {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.grpc_stats.v3.FilterConfig",
      emit_filter_state: true,
      stats_for_all_methods: false,
    }),
    ...(direction === "inbound" ? [] : [alpnOverride]),
    filter("envoy.filters.http.fault", {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
    }),
    filter("envoy.filters.http.cors", {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors",
    }),
    filter("istio.stats", {
      "@type": "type.googleapis.com/stats.PluginConfig",
      ...(direction === "inbound" ? { disable_host_header_fallback: true } : {}),
    }),
    routerFilter,
  ];
}

const filter = (name: string, typedConfig: JsonObject): JsonObject => ({ name, typed_config: typedConfig });

export const routerFilter: JsonObject = filter("envoy.filters.http.router", {
  "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
});

const metadataExchange = (istioVersion: string): JsonObject =>
  filter(
    "istio.metadata_exchange",
    atLeast(istioVersion, "1.20")
      ? {
          "@type": "type.googleapis.com/io.istio.http.peer_metadata.Config",
          upstream_discovery: [{ istio_headers: {} }, { workload_discovery: {} }],
          upstream_propagation: [{ istio_headers: {} }],
        }
      : {
          "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
          config: {
            vm_config: {
              runtime: "envoy.wasm.runtime.null",
              code: { local: { inline_string: "envoy.wasm.metadata_exchange" } },
            },
            configuration: {
              "@type": "type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange",
            },
          },
        },
  );

const alpnOverride: JsonObject = filter("istio.alpn", {
  "@type": "type.googleapis.com/istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig",
  alpn_override: [
    { alpn_override: ["istio-http/1.0", "istio", "http/1.0"] },
    { upstream_protocol: "HTTP11", alpn_override: ["istio-http/1.1", "istio", "http/1.1"] },
    { upstream_protocol: "HTTP2", alpn_override: ["istio-h2", "istio", "h2"] },
  ],
});

/** The workload that an AuthorizationPolicy protects, and who may read from it. */
export const protectedApp = "ratings";
export const policyName = "ratings-viewer";
const admitted = spiffeId("default", "bookinfo-reviews");

/** ALLOW is the first value of its enumeration and therefore not printed (istio/istio, pilot/pkg/networking/core). */
function authorization(workload: Workload, istioVersion: string): JsonObject[] {
  if (workload.namespace !== "default" || workload.labels["app"] !== protectedApp) return [];
  return [
    filter("envoy.filters.http.rbac", {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
      rules: {
        policies: {
          [`ns[default]-policy[${policyName}]-rule[0]`]: {
            permissions: [
              {
                and_rules: {
                  rules: [
                    {
                      or_rules: {
                        rules: [{ header: { name: ":method", string_match: { exact: "GET" } } }],
                      },
                    },
                  ],
                },
              },
            ],
            principals: [
              {
                and_ids: {
                  ids: [
                    {
                      or_ids: {
                        ids: [peerIs(admitted, istioVersion)],
                      },
                    },
                  ],
                },
              },
            ],
          },
        },
      },
      shadow_rules_stat_prefix: "istio_dry_run_allow_",
    }),
  ];
}

/** Sidecars read the certificate since `istio_authn`, which left its name in the filter state, is gone. */
const peerIs = (principal: string, istioVersion: string): JsonObject =>
  atLeast(istioVersion, "1.24")
    ? { authenticated: { principal_name: { exact: principal } } }
    : { filter_state: { key: "io.istio.peer_principal", string_match: { exact: principal } } };

function tracing(workload: Workload): JsonObject {
  const literal = (tag: string, value: string): JsonObject => ({ tag, literal: { value } });
  return {
    client_sampling: { value: 100 },
    random_sampling: { value: 1 },
    overall_sampling: { value: 100 },
    custom_tags: [
      literal("istio.canonical_revision", canonicalRevision(workload)),
      literal("istio.canonical_service", canonicalName(workload)),
      literal("istio.mesh_id", "cluster.local"),
      literal("istio.namespace", workload.namespace),
    ],
  };
}
