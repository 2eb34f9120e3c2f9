/** Envoy's messages as scenarios write them: what a sentence does not mention is filled in here. */
import { isObject, type JsonObject } from "../mesh/json.js";
import { certificateFolder } from "./certificates.js";
import { echoAddress, echoPorts, type EchoKind } from "./network.js";

export const typeUrl = (name: string): string => `type.googleapis.com/${name}`;

/** A named extension with its configuration. */
export const extension = (name: string, type: string, config: JsonObject = {}): JsonObject => ({
  name,
  typed_config: { "@type": typeUrl(type), ...config },
});

export const socketAddress = (address: string, port: number): JsonObject => ({
  socket_address: { address, port_value: port },
});

// listeners

export const listener = (
  name: string,
  filterChains: readonly JsonObject[],
  overrides: JsonObject = {},
): JsonObject => ({ name, filter_chains: filterChains, ...overrides });

export const chain = (
  name: string,
  filters: readonly JsonObject[],
  match: JsonObject | null = null,
  overrides: JsonObject = {},
): JsonObject => ({ name, filters, ...(match !== null && { filter_chain_match: match }), ...overrides });

export const tlsInspector = extension(
  "envoy.filters.listener.tls_inspector",
  "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
);
export const httpInspector = extension(
  "envoy.filters.listener.http_inspector",
  "envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
);
export const proxyProtocol = extension(
  "envoy.filters.listener.proxy_protocol",
  "envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
);
export const originalDst = extension(
  "envoy.filters.listener.original_dst",
  "envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
);

/** `require`: only clients with a certificate that the root signed. */
export const downstreamTls = (options: { require?: boolean; alpn?: readonly string[] } = {}): JsonObject => ({
  transport_socket: extension(
    "envoy.transport_sockets.tls",
    "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    {
      ...(options.require !== undefined && { require_client_certificate: options.require }),
      common_tls_context: {
        ...(options.alpn !== undefined && { alpn_protocols: options.alpn }),
        tls_certificates: [
          {
            certificate_chain: { filename: `${certificateFolder}/server.pem` },
            private_key: { filename: `${certificateFolder}/server.key` },
          },
        ],
        ...(options.require !== undefined && {
          validation_context: { trusted_ca: { filename: `${certificateFolder}/ca.pem` } },
        }),
      },
    },
  ),
});

// network filters

export const tcpProxy = (target: string | JsonObject, overrides: JsonObject = {}): JsonObject =>
  extension("envoy.filters.network.tcp_proxy", "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", {
    stat_prefix: "judge",
    ...(typeof target === "string" ? { cluster: target } : target),
    ...overrides,
  });

export const router = extension(
  "envoy.filters.http.router",
  "envoy.extensions.filters.http.router.v3.Router",
);

/** A connection manager. @param filters of HTTP before the router */
export const httpManager = (
  routeConfig: JsonObject,
  filters: readonly JsonObject[] = [],
  overrides: JsonObject = {},
): JsonObject =>
  extension(
    "envoy.filters.network.http_connection_manager",
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
    {
      stat_prefix: "judge",
      generate_request_id: false,
      route_config: routeConfig,
      http_filters: [...filters, router],
      ...overrides,
    },
  );

// routes

export const routeConfig = (virtualHosts: readonly JsonObject[], overrides: JsonObject = {}): JsonObject => ({
  name: "routes",
  virtual_hosts: virtualHosts,
  validate_clusters: false,
  ...overrides,
});

export const virtualHost = (
  name: string,
  domains: readonly string[],
  routes: readonly JsonObject[],
  overrides: JsonObject = {},
): JsonObject => ({ name, domains, routes, ...overrides });

/** A route to the shared server, for every path. */
export const route = (name: string, match: JsonObject = {}, overrides: JsonObject = {}): JsonObject => ({
  name,
  match: { ...(hasPath(match) ? {} : { prefix: "/" }), ...match },
  ...(hasAction(overrides) ? {} : { route: { cluster: echoCluster } }),
  ...overrides,
});

/** A route with this `route` action; to the shared server where it names no cluster. */
export const forward = (
  name: string,
  match: JsonObject,
  action: JsonObject,
  overrides: JsonObject = {},
): JsonObject =>
  route(name, match, {
    route: { ...(hasCluster(action) ? {} : { cluster: echoCluster }), ...action },
    ...overrides,
  });

const hasOne = (message: JsonObject, names: readonly string[]): boolean =>
  names.some((name) => Object.hasOwn(message, name));
const hasPath = (match: JsonObject): boolean =>
  hasOne(match, [
    "prefix",
    "path",
    "safe_regex",
    "path_separated_prefix",
    "connect_matcher",
    "path_match_policy",
  ]);
const hasAction = (overrides: JsonObject): boolean =>
  hasOne(overrides, ["route", "redirect", "direct_response", "non_forwarding_action", "filter_action"]);
const hasCluster = (action: JsonObject): boolean =>
  hasOne(action, [
    "cluster",
    "cluster_header",
    "weighted_clusters",
    "cluster_specifier_plugin",
    "inline_cluster_specifier_plugin",
  ]);

// clusters

/** The cluster that is there in every configuration, with one HTTP/1.1 server. */
export const echoCluster = "echo";

export interface Host {
  readonly address: string;
  readonly kind?: EchoKind;
  /** In place of that of its kind. */
  readonly port?: number;
  readonly health?: "HEALTHY" | "UNHEALTHY" | "DRAINING" | "TIMEOUT" | "DEGRADED" | "UNKNOWN";
  readonly weight?: number;
  readonly metadata?: JsonObject;
  readonly hostname?: string;
}

export const lbEndpoint = ({
  address,
  kind = "http",
  port,
  health,
  weight,
  metadata,
  hostname,
}: Host): JsonObject => ({
  endpoint: {
    address: socketAddress(address, port ?? echoPorts[kind]),
    ...(hostname !== undefined && { hostname }),
  },
  ...(health !== undefined && { health_status: health }),
  ...(weight !== undefined && { load_balancing_weight: weight }),
  ...(metadata !== undefined && { metadata: { filter_metadata: metadata } }),
});

export const locality = (hosts: readonly Host[], overrides: JsonObject = {}): JsonObject => ({
  lb_endpoints: hosts.map(lbEndpoint),
  ...overrides,
});

/** A STATIC cluster of one locality. */
export const cluster = (name: string, hosts: readonly Host[], overrides: JsonObject = {}): JsonObject =>
  clusterOf(name, hosts.length === 0 ? [] : [locality(hosts)], overrides);

export const clusterOf = (
  name: string,
  localities: readonly JsonObject[],
  { load_assignment: assignment, ...overrides }: JsonObject = {},
): JsonObject => ({
  name,
  type: "STATIC",
  connect_timeout: "1s",
  load_assignment: {
    cluster_name: name,
    endpoints: localities,
    ...(isObject(assignment) ? assignment : {}),
  },
  ...overrides,
});

export const sharedCluster = cluster(echoCluster, [{ address: echoAddress }]);

export const http2Upstream: JsonObject = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": typeUrl("envoy.extensions.upstreams.http.v3.HttpProtocolOptions"),
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

export const upstreamTls = (
  options: { sni?: string; alpn?: readonly string[]; certificate?: boolean } = {},
): JsonObject =>
  extension("envoy.transport_sockets.tls", "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", {
    ...(options.sni !== undefined && { sni: options.sni }),
    common_tls_context: {
      ...(options.alpn !== undefined && { alpn_protocols: options.alpn }),
      ...(options.certificate === true && {
        tls_certificates: [
          {
            certificate_chain: { filename: `${certificateFolder}/client.pem` },
            private_key: { filename: `${certificateFolder}/client.key` },
          },
        ],
      }),
    },
  });

export const rawBuffer = extension(
  "envoy.transport_sockets.raw_buffer",
  "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
);
