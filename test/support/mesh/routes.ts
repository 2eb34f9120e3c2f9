/** Route configurations of sidecars and gateways (istio/istio, pilot/pkg/networking/core). */

import { configPath, outboundName } from "./clusters.js";
import { shared, type JsonObject } from "./json.js";
import type { MeshService, ServicePort } from "./model.js";
import { atLeast } from "./release.js";

export const routeType = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";

/** The public names of Bookinfo's gateway. */
export const gatewayHosts = ["bookinfo.example.com"] as const;
export const gatewayName = "bookinfo-gateway";
export const gatewayCredential = "kubernetes://bookinfo-credential";

/** Paths that Bookinfo's VirtualService lets in, and how it matches them. */
export const gatewayPaths = [
  { match: "path", value: "/productpage" },
  { match: "prefix", value: "/static" },
  { match: "path", value: "/login" },
  { match: "path", value: "/logout" },
  { match: "prefix", value: "/api/v1/products" },
] as const;

/** Since 1.11 by the port that the gateway's pod listens on, before by the Gateway's. */
export const gatewayRouteNames = (istioVersion: string): { http: string; https: string } => ({
  http: atLeast(istioVersion, "1.11") ? "http.8080" : "http.80",
  https: `https.443.https.${gatewayName}.default`,
});

export const isHttp = (port: ServicePort): boolean => port.protocol === "http" || port.protocol === "grpc";

/** The HTTP ports of all services, each once, in the order of the numbers. */
export const httpPorts = (services: readonly MeshService[]): number[] =>
  [...new Set(services.flatMap(({ ports }) => ports.filter(isHttp).map(({ port }) => port)))].sort(
    (left, right) => left - right,
  );

const noTimeout = {
  timeout: "0s",
  max_stream_duration: { max_stream_duration: "0s", grpc_timeout_header_max: "0s" },
};

const retries = (istioVersion: string): JsonObject => ({
  retry_on: atLeast(istioVersion, "1.24")
    ? "connect-failure,refused-stream,unavailable,cancelled"
    : "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
  num_retries: 2,
  retry_host_predicate: [
    {
      name: "envoy.retry_host_predicates.previous_hosts",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
      },
    },
  ],
  host_selection_retry_max_attempts: "5",
  ...(atLeast(istioVersion, "1.24") ? {} : { retriable_status_codes: [503] }),
});

const configurationDefaults = (istioVersion: string): JsonObject => ({
  validate_clusters: false,
  ...(atLeast(istioVersion, "1.12") ? { max_direct_response_body_size_bytes: 1048576 } : {}),
  ...(atLeast(istioVersion, "1.18") ? { ignore_port_in_host_matching: true } : {}),
});

/** The vhosts of all services with an HTTP port of that number, and the one for unknown hosts. */
export function outboundRoutes(
  port: number,
  services: readonly MeshService[],
  proxyNamespace: string,
  istioVersion: string,
): JsonObject {
  return shared({
    "@type": routeType,
    name: String(port),
    virtual_hosts: [
      ...services
        .filter(({ ports }) => ports.some((candidate) => candidate.port === port && isHttp(candidate)))
        .map((service) =>
          virtualHost(service, port, domainsOf(service, port, proxyNamespace, istioVersion), istioVersion),
        ),
      {
        name: "allow_any",
        domains: ["*"],
        routes: [
          {
            match: { prefix: "/" },
            route: { cluster: "PassthroughCluster", ...noTimeout },
            name: "allow_any",
          },
        ],
        include_request_attempt_count: true,
      },
    ],
    ...configurationDefaults(istioVersion),
  });
}

/** Of a listener that looks at the traffic of one service to learn its protocol: any host is that service. */
export function sniffedRoutes(service: MeshService, port: number, istioVersion: string): JsonObject {
  return shared({
    "@type": routeType,
    name: sniffedRouteName(service, port),
    virtual_hosts: [virtualHost(service, port, ["*"], istioVersion)],
    ...configurationDefaults(istioVersion),
  });
}

export const sniffedRouteName = (service: MeshService, port: number): string => `${service.hostname}:${port}`;

/** One vhost for Bookinfo's public host; its routes come from the VirtualService. */
export function gatewayRoutes(
  name: string,
  serverPort: number,
  productpage: MeshService,
  istioVersion: string,
): JsonObject {
  return shared({
    "@type": routeType,
    name,
    virtual_hosts: gatewayHosts.map((host) => ({
      name: `${host}:${serverPort}`,
      domains: atLeast(istioVersion, "1.18") ? [host] : [host, `${host}:*`],
      routes: gatewayPaths.map(({ match, value }) => ({
        match: { [match]: value, case_sensitive: true },
        route: {
          cluster: outboundName(productpage, 9080),
          timeout: "0s",
          retry_policy: retries(istioVersion),
          max_stream_duration: noTimeout.max_stream_duration,
        },
        metadata: madeFrom("virtual-service", "default", "bookinfo"),
        decorator: {
          operation: `${productpage.hostname}:9080${value}${match === "prefix" ? "*" : ""}`,
        },
      })),
      include_request_attempt_count: true,
    })),
    ...configurationDefaults(istioVersion),
  });
}

/** Inline in the chain of one port of the workload: everything goes to the application. */
export const inboundRoutes = (
  clusterName: string,
  servicePort: number | "passthrough",
  operation: string,
  istioVersion: string,
): JsonObject => ({
  name: clusterName,
  virtual_hosts: [
    {
      name: servicePort === "passthrough" ? "inbound|http|0" : `inbound|http|${servicePort}`,
      domains: ["*"],
      routes: [
        {
          match: { prefix: "/" },
          route: { cluster: clusterName, ...noTimeout },
          decorator: { operation },
          name: "default",
        },
      ],
    },
  ],
  ...configurationDefaults(istioVersion),
});

function virtualHost(
  service: MeshService,
  port: number,
  domains: readonly string[],
  istioVersion: string,
): JsonObject {
  const target =
    service.weights.length === 0
      ? { cluster: outboundName(service, port) }
      : {
          weighted_clusters: {
            clusters: service.weights.map(({ subset, weight }) => ({
              name: outboundName(service, port, subset),
              weight,
            })),
            ...(atLeast(istioVersion, "1.15") ? {} : { total_weight: 100 }),
          },
        };
  return {
    name: `${service.hostname}:${port}`,
    domains,
    routes: [
      {
        match: { prefix: "/" },
        route: {
          ...target,
          timeout: "0s",
          retry_policy: retries(istioVersion),
          max_stream_duration: noTimeout.max_stream_duration,
        },
        ...(service.weights.length === 0
          ? {}
          : { metadata: madeFrom("virtual-service", service.namespace, service.name) }),
        decorator: { operation: `${service.hostname}:${port}/*` },
        name: "default",
      },
    ],
    include_request_attempt_count: true,
  };
}

const madeFrom = (kind: string, namespace: string, name: string): JsonObject => ({
  filter_metadata: { istio: { config: configPath(kind, namespace, name) } },
});

/** The full name, the shorter ones as far as the proxy's namespace allows, the address; with ports before 1.18. */
function domainsOf(
  service: MeshService,
  port: number,
  proxyNamespace: string,
  istioVersion: string,
): string[] {
  const names = [
    service.hostname,
    ...(service.namespace === proxyNamespace ? [service.name] : []),
    `${service.name}.${service.namespace}`,
    `${service.name}.${service.namespace}.svc`,
    service.clusterIp,
  ];
  return atLeast(istioVersion, "1.18") ? names : names.flatMap((name) => [name, `${name}:${port}`]);
}
