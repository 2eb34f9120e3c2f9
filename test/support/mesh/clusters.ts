/** Clusters as Istiod makes them and Envoy lists them (istio/istio, pilot/pkg/networking/core). */

import { shared, textOf, type JsonObject } from "./json.js";
import { spiffeId, type MeshService, type ServicePort, type Workload } from "./model.js";
import { atLeast } from "./release.js";
import { plaintext, upstreamMutualTls } from "./tls.js";

const clusterType = "type.googleapis.com/envoy.config.cluster.v3.Cluster";

/** No limit: Istio writes the greatest 32-bit number instead of Envoy's own default of 1024. */
const noLimits: JsonObject = {
  thresholds: [
    {
      max_connections: 4294967295,
      max_pending_requests: 4294967295,
      max_requests: 4294967295,
      max_retries: 4294967295,
      track_remaining: true,
    },
  ],
};

export const outboundName = (service: MeshService, port: number, subset = ""): string =>
  `outbound|${port}|${subset}|${service.hostname}`;

/** Up to 1.7 the service's port, its name and the service; then the port that the workload listens on. */
export const inboundName = (service: MeshService, port: ServicePort, istioVersion: string): string =>
  atLeast(istioVersion, "1.8")
    ? `inbound|${port.targetPort}||`
    : `inbound|${port.port}|${port.name}|${service.hostname}`;

export const passthroughInbound = (istioVersion: string): string =>
  atLeast(istioVersion, "1.23") ? "InboundPassthroughCluster" : "InboundPassthroughClusterIpv4";

/** The path of the object that a resource was made from. */
export const configPath = (kind: string, namespace: string, name: string): string =>
  `/apis/networking.istio.io/v1alpha3/namespaces/${namespace}/${kind}/${name}`;

const http2 = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

/** A cluster of one port of a service: EDS, mutual TLS to whoever offers it. */
export function outboundCluster(
  service: MeshService,
  port: ServicePort,
  subset: string,
  istioVersion: string,
): JsonObject {
  const name = outboundName(service, port.port, subset);
  const isHttp2 = port.protocol === "grpc";
  const alpn = ["istio-peer-exchange", "istio", ...(isHttp2 ? ["h2"] : [])];
  const identities = service.serviceAccounts.map((account) => spiffeId(service.namespace, account));
  const rule = service.subsets.length > 0;
  return shared({
    "@type": clusterType,
    name,
    type: "EDS",
    eds_cluster_config: {
      eds_config: { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" },
      service_name: name,
    },
    connect_timeout: "10s",
    ...(atLeast(istioVersion, "1.14") ? { lb_policy: "LEAST_REQUEST" } : {}),
    circuit_breakers: noLimits,
    ...(isHttp2 ? http2 : {}),
    metadata: {
      filter_metadata: {
        istio: {
          ...(rule ? { config: configPath("destination-rule", service.namespace, service.name) } : {}),
          default_original_port: port.port,
          services: [servicesEntry(service)],
          ...(subset === "" ? {} : { subset }),
        },
      },
    },
    common_lb_config: {},
    filters: [
      {
        name: "istio.metadata_exchange",
        typed_config: {
          "@type": "type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange",
          protocol: "istio-peer-exchange",
        },
      },
    ],
    transport_socket_matches: [
      {
        name: "tlsMode-istio",
        match: { tlsMode: "istio" },
        transport_socket: upstreamMutualTls(
          `outbound_.${port.port}_.${subset}_.${service.hostname}`,
          identities,
          alpn,
        ),
      },
      { name: "tlsMode-disabled", match: {}, transport_socket: plaintext },
    ],
  });
}

/** Towards the application in the same pod; since 1.10 at the pod's own address, from 127.0.0.6. */
export function inboundCluster(service: MeshService, port: ServicePort, istioVersion: string): JsonObject {
  const name = inboundName(service, port, istioVersion);
  const base = {
    "@type": clusterType,
    name,
    connect_timeout: "10s",
    circuit_breakers: noLimits,
    metadata: { filter_metadata: { istio: { services: [servicesEntry(service)] } } },
    common_lb_config: {},
  };
  if (atLeast(istioVersion, "1.10")) {
    return shared({
      ...base,
      type: "ORIGINAL_DST",
      lb_policy: "CLUSTER_PROVIDED",
      upstream_bind_config: { source_address: { address: "127.0.0.6", port_value: 0 } },
    });
  }
  return shared({ ...base, type: "STATIC", load_assignment: localHost(name, port.targetPort) });
}

/** The clusters without a service: where unknown traffic goes. */
export function builtInClusters(type: "sidecar" | "router", istioVersion: string): JsonObject[] {
  const blackHole = {
    "@type": clusterType,
    name: "BlackHoleCluster",
    type: "STATIC",
    connect_timeout: "10s",
  };
  if (type === "router") return [shared(blackHole)]; // it has no redirected connections
  const passthrough = (name: string, source: string): JsonObject =>
    shared({
      "@type": clusterType,
      name,
      type: "ORIGINAL_DST",
      connect_timeout: "10s",
      lb_policy: "CLUSTER_PROVIDED",
      circuit_breakers: noLimits,
      ...(source === ""
        ? {}
        : { upstream_bind_config: { source_address: { address: source, port_value: 0 } } }),
    });
  return [
    shared(blackHole),
    passthrough(passthroughInbound(istioVersion), "127.0.0.6"),
    ...(atLeast(istioVersion, "1.23") ? [] : [passthrough("InboundPassthroughClusterIpv6", "::6")]),
    passthrough("PassthroughCluster", ""),
  ];
}

/** The bootstrap's clusters: the agent's sockets and Envoy's own admin port. */
export function staticClusters(istioVersion: string): JsonObject[] {
  const pipe = (name: string, path: string): JsonObject => ({
    name,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
    },
    ...(atLeast(istioVersion, "1.9") ? http2 : { http2_protocol_options: {} }),
  });
  const local = (name: string, port: number): JsonObject => ({
    name,
    type: "STATIC",
    connect_timeout: "0.250s",
    load_assignment: localHost(name, port),
  });
  return [
    local("agent", 15020),
    local("prometheus_stats", 15000),
    pipe("sds-grpc", "./var/run/secrets/workload-spiffe-uds/socket"),
    pipe("xds-grpc", "./etc/istio/proxy/XDS"),
    {
      name: "zipkin",
      type: "STRICT_DNS",
      connect_timeout: "1s",
      dns_lookup_family: "V4_ONLY",
      dns_refresh_rate: "30s",
      load_assignment: {
        cluster_name: "zipkin",
        endpoints: [
          {
            lb_endpoints: [
              {
                endpoint: {
                  address: { socket_address: { address: "zipkin.istio-system", port_value: 9411 } },
                },
              },
            ],
          },
        ],
      },
    },
  ].map((cluster) => shared({ "@type": clusterType, ...cluster }));
}

/** Byte order of the names, as Envoy's map has it. */
export const sortedByName = (resources: readonly JsonObject[]): JsonObject[] =>
  [...resources].sort((left, right) => (textOf(left, "name") < textOf(right, "name") ? -1 : 1));

const servicesEntry = (service: MeshService): JsonObject => ({
  host: service.hostname,
  name: service.name,
  namespace: service.namespace,
});

const localHost = (name: string, port: number): JsonObject => ({
  cluster_name: name,
  endpoints: [
    {
      lb_endpoints: [
        { endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: port } } } },
      ],
    },
  ],
});

/** The services whose pods the workload's pods are. */
export const servicesOf = (workload: Workload, services: readonly MeshService[]): MeshService[] =>
  services.filter((service) => {
    const selector = Object.entries(service.selector);
    return (
      service.namespace === workload.namespace &&
      selector.length > 0 &&
      selector.every(([label, value]) => workload.labels[label] === value)
    );
  });
