/** What Istiod adds to proxies for HBONE (istio/istio, pilot/pkg/networking/core/{waypoint,listener_waypoint,cluster_waypoint}.go). */
import { routerFilter } from "../../support/mesh/http-filters.js";
import type { JsonObject } from "../../support/mesh/json.js";
import { listenerType } from "../../support/mesh/listeners.js";
import { socketAddress } from "../../support/mesh/endpoints.js";
import { plaintext } from "../../support/mesh/tls.js";

const extension = (type: string, config: JsonObject = {}): JsonObject => ({
  "@type": `type.googleapis.com/envoy.extensions.${type}`,
  ...config,
});
const filter = (
  kind: "network" | "http" | "listener",
  name: string,
  type: string,
  config: JsonObject,
): JsonObject => ({
  name,
  typed_config: extension(`filters.${kind}.${type}`, config),
});
const originalDestination = filter(
  "listener",
  "envoy.filters.listener.original_dst",
  "original_dst.v3.OriginalDst",
  {},
);
const inText = (text: string): JsonObject => ({
  format_string: { text_format_source: { inline_string: text } },
});
const shared = (key: string, text: string): JsonObject => ({
  object_key: key,
  ...inText(text),
  factory_key: "istio.hashable_string",
  shared_with_upstream: "ONCE",
});

/** The certificate of the workload on both sides of a tunnel, with HTTP/2 in it. */
const tunnelTls = (type: "DownstreamTlsContext" | "UpstreamTlsContext"): JsonObject => ({
  name: "tls",
  typed_config: extension(`transport_sockets.tls.v3.${type}`, {
    common_tls_context: {
      alpn_protocols: ["h2"],
      tls_certificate_sds_secret_configs: [{ name: "default" }],
      combined_validation_context: {
        default_validation_context: {},
        validation_context_sds_secret_config: { name: "ROOTCA" },
      },
    },
    ...(type === "DownstreamTlsContext" ? { require_client_certificate: true } : {}),
  }),
});

/** Takes tunnels on port 15008 and hands what is in them to `main_internal`. */
export const connectTerminate: JsonObject = {
  "@type": listenerType,
  name: "connect_terminate",
  address: socketAddress("0.0.0.0", 15008),
  filter_chains: [
    {
      name: "default",
      transport_socket: tunnelTls("DownstreamTlsContext"),
      filters: [
        filter(
          "network",
          "envoy.filters.network.http_connection_manager",
          "http_connection_manager.v3.HttpConnectionManager",
          {
            stat_prefix: "connect_terminate",
            route_config: {
              name: "default",
              virtual_hosts: [
                {
                  name: "default",
                  domains: ["*"],
                  routes: [
                    {
                      match: { connect_matcher: {} },
                      route: {
                        cluster: "main_internal",
                        upgrade_configs: [{ upgrade_type: "CONNECT", connect_config: {} }],
                      },
                    },
                  ],
                },
              ],
            },
            http2_protocol_options: { allow_connect: true },
            upgrade_configs: [{ upgrade_type: "CONNECT" }],
            http_filters: [
              filter("http", "connect_authority", "set_filter_state.v3.Config", {
                on_request_headers: [
                  shared("envoy.filters.listener.original_dst.local_ip", "%REQ(:AUTHORITY)%"),
                  shared("envoy.filters.listener.original_dst.remote_ip", "%DOWNSTREAM_REMOTE_ADDRESS%"),
                  shared("io.istio.peer_principal", "%DOWNSTREAM_PEER_URI_SAN%"),
                ],
              }),
              routerFilter,
            ],
          },
        ),
      ],
    },
  ],
};

/** @param more chains, or a tree that chooses them */
export const mainInternal = (more: JsonObject): JsonObject => ({
  "@type": listenerType,
  name: "main_internal",
  internal_listener: {},
  listener_filters: [
    originalDestination,
    filter("listener", "envoy.filters.listener.http_inspector", "http_inspector.v3.HttpInspector", {}),
  ],
  traffic_direction: "INBOUND",
  ...more,
});

/** Puts what it gets into a tunnel to where it was going. */
export const connectOriginate: JsonObject = {
  "@type": listenerType,
  name: "connect_originate",
  use_original_dst: false,
  internal_listener: {},
  listener_filters: [originalDestination],
  filter_chains: [
    {
      filters: [
        filter("network", "envoy.filters.network.tcp_proxy", "tcp_proxy.v3.TcpProxy", {
          stat_prefix: "connect_originate",
          cluster: "connect_originate",
          tunneling_config: { hostname: "%DOWNSTREAM_LOCAL_ADDRESS%" },
        }),
      ],
    },
  ],
};

const clusterType = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
const originalDestinationKey = "envoy.filters.listener.original_dst";

export const connectOriginateCluster: JsonObject = {
  "@type": clusterType,
  name: "connect_originate",
  type: "ORIGINAL_DST",
  lb_policy: "CLUSTER_PROVIDED",
  original_dst_lb_config: {
    upstream_port_override: 15008,
    metadata_key: { key: originalDestinationKey, path: [{ key: "waypoint" }] },
  },
  transport_socket: tunnelTls("UpstreamTlsContext"),
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": extension(
      "upstreams.http.v3.HttpProtocolOptions",
      { explicit_http_config: { http2_protocol_options: { allow_connect: true } } },
    ),
  },
};

const internalUpstream = (passthrough: JsonObject[]): JsonObject => ({
  name: "internal_upstream",
  typed_config: extension("transport_sockets.internal_upstream.v3.InternalUpstreamTransport", {
    passthrough_metadata: passthrough,
    transport_socket: plaintext,
  }),
});

export const mainInternalCluster: JsonObject = {
  "@type": clusterType,
  name: "main_internal",
  type: "STATIC",
  load_assignment: {
    cluster_name: "main_internal",
    endpoints: [
      {
        lb_endpoints: [
          { endpoint: { address: { envoy_internal_address: { server_listener_name: "main_internal" } } } },
        ],
      },
    ],
  },
  transport_socket: internalUpstream([]),
};

/** Of clusters whose endpoints may be behind tunnels: what goes along into `connect_originate`. */
export const tunnelSocket: JsonObject = internalUpstream(
  [originalDestinationKey, "istio"].map((name) => ({ name, kind: { host: {} } })),
);

/** An endpoint behind a tunnel. @param waypoint where the tunnel ends; left out: at the endpoint itself */
export function tunnelledAssignment(
  cluster: string,
  address: string,
  port: number,
  waypoint?: string,
): JsonObject {
  const local = `${address}:${port}`;
  return {
    "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
    cluster_name: cluster,
    endpoints: [
      {
        locality: {},
        lb_endpoints: [
          {
            endpoint: {
              address: {
                envoy_internal_address: {
                  server_listener_name: "connect_originate",
                  endpoint_id: waypoint ?? local,
                },
              },
            },
            health_status: "HEALTHY",
            metadata: {
              filter_metadata: {
                "envoy.transport_socket_match": { tunnel: "http" },
                [originalDestinationKey]: { local, ...(waypoint === undefined ? {} : { waypoint }) },
              },
            },
            load_balancing_weight: 1,
          },
        ],
      },
    ],
  };
}
