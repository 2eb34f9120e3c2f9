/** Listeners of sidecars and gateways: names, addresses and chains (istio/istio, pilot/pkg/networking/core). */

import { inboundName, outboundName, passthroughInbound, servicesOf } from "./clusters.js";
import { socketAddress } from "./endpoints.js";
import { httpConnectionManager, routerFilter } from "./http-filters.js";
import { isObject, shared, type Json, type JsonObject } from "./json.js";
import { trustDomain, type MeshService, type ServicePort, type Workload } from "./model.js";
import { atLeast } from "./release.js";
import {
  gatewayCredential,
  gatewayHosts,
  gatewayRouteNames,
  httpPorts,
  inboundRoutes,
  isHttp,
  routeType,
  sniffedRouteName,
} from "./routes.js";
import { downstreamMutualTls, downstreamSimpleTls } from "./tls.js";

export const listenerType = "type.googleapis.com/envoy.config.listener.v3.Listener";

/** All dynamic listeners of a workload's sidecars. */
export function sidecarListeners(
  workload: Workload,
  services: readonly MeshService[],
  tcpListeners: readonly JsonObject[],
  istioVersion: string,
): JsonObject[] {
  return [
    ...tcpListeners,
    ...services.flatMap((service) =>
      service.ports
        .filter(({ protocol }) => protocol === "auto")
        .map((port) => sniffingListener(service, port, workload, istioVersion)),
    ),
    ...httpPorts(services).map((port) => httpListener(port, workload, istioVersion)),
    virtualOutbound(),
    virtualInbound(workload, services, istioVersion),
  ];
}

/** Listeners on the addresses of services with TCP ports. */
export const tcpListeners = (services: readonly MeshService[]): JsonObject[] =>
  services.flatMap((service) =>
    service.ports
      .filter(({ protocol }) => protocol === "tcp")
      .map(({ port }) =>
        shared({
          "@type": listenerType,
          name: `${service.clusterIp}_${port}`,
          address: socketAddress(service.clusterIp, port),
          filter_chains: [{ filters: tcpFilters(outboundName(service, port)) }],
          traffic_direction: "OUTBOUND",
          bind_to_port: false,
        }),
      ),
  );

/** All services with an HTTP port of that number share one listener; what is not HTTP passes through. */
export function httpListener(port: number, workload: Workload, istioVersion: string): JsonObject {
  return detectingListener(`0.0.0.0_${port}`, "0.0.0.0", port, istioVersion, {
    manager: httpConnectionManager({
      statPrefix: `outbound_0.0.0.0_${port}`,
      direction: "outbound",
      routes: String(port),
      workload,
      istioVersion,
    }),
    otherwise: "PassthroughCluster",
    otherwiseName: "PassthroughFilterChain",
  });
}

/** A port without a declared protocol: HTTP or TCP, both to the same service. */
function sniffingListener(
  service: MeshService,
  { port }: ServicePort,
  workload: Workload,
  istioVersion: string,
): JsonObject {
  const name = `${service.clusterIp}_${port}`;
  return detectingListener(name, service.clusterIp, port, istioVersion, {
    manager: httpConnectionManager({
      statPrefix: `outbound_${name}`,
      direction: "outbound",
      routes: sniffedRouteName(service, port),
      workload,
      istioVersion,
    }),
    otherwise: outboundName(service, port),
    otherwiseName: "",
  });
}

function detectingListener(
  name: string,
  address: string,
  port: number,
  istioVersion: string,
  chains: { readonly manager: JsonObject; readonly otherwise: string; readonly otherwiseName: string },
): JsonObject {
  return shared({
    "@type": listenerType,
    name,
    address: socketAddress(address, port),
    filter_chains: [
      {
        filter_chain_match: {
          transport_protocol: "raw_buffer",
          application_protocols: plaintextProtocols(istioVersion),
        },
        filters: [chains.manager],
      },
    ],
    listener_filters: [tlsInspector, httpInspector],
    listener_filters_timeout: "0s",
    traffic_direction: "OUTBOUND",
    continue_on_listener_filters_timeout: true,
    default_filter_chain: {
      filter_chain_match: {},
      filters: tcpFilters(chains.otherwise),
      ...(chains.otherwiseName === "" ? {} : { name: chains.otherwiseName }),
    },
    bind_to_port: false,
  });
}

const plaintextProtocols = (istioVersion: string): string[] =>
  atLeast(istioVersion, "1.9") ? ["http/1.1", "h2c"] : ["http/1.0", "http/1.1", "h2c"];

/** Takes all outbound connections and hands them on by their original destination. */
const virtualOutbound = (): JsonObject =>
  shared({
    "@type": listenerType,
    name: "virtualOutbound",
    address: socketAddress("0.0.0.0", 15001),
    filter_chains: [
      {
        filter_chain_match: { destination_port: 15001 },
        filters: tcpFilters("BlackHoleCluster"),
        name: "virtualOutbound-blackhole",
      },
      { filters: tcpFilters("PassthroughCluster"), name: "virtualOutbound-catchall-tcp" },
    ],
    use_original_dst: true,
    traffic_direction: "OUTBOUND",
  });

const istioAlpn = ["istio-http/1.0", "istio-http/1.1", "istio-h2"];
const httpAlpn = ["h2", "http/1.1"];
const tcpAlpn = ["istio-peer-exchange", "h2", "http/1.1"];

/** Takes all inbound connections; mode PERMISSIVE, so each port has a chain with and one without mutual TLS. */
export function virtualInbound(
  workload: Workload,
  services: readonly MeshService[],
  istioVersion: string,
): JsonObject {
  const ports = servicesOf(workload, services).flatMap((service) =>
    service.ports.map((port) => ({ service, port })),
  );
  const passthrough = passthroughInbound(istioVersion);
  const anyAddress = { prefix_ranges: [{ address_prefix: "0.0.0.0", prefix_len: 0 }] };
  const passthroughManager = httpConnectionManager({
    statPrefix: passthrough,
    direction: "inbound",
    routes: inboundRoutes(passthrough, "passthrough", ":0/*", istioVersion),
    workload,
    istioVersion,
  });
  const http = [...authentication(istioVersion), tcpMetadataExchange, passthroughManager];
  const tcp = inboundTcpFilters(passthrough, istioVersion);
  return shared({
    "@type": listenerType,
    name: "virtualInbound",
    address: socketAddress("0.0.0.0", 15006),
    filter_chains: [
      {
        filter_chain_match: { destination_port: 15006 },
        filters: inboundTcpFilters("BlackHoleCluster", istioVersion),
        name: "virtualInbound-blackhole",
      },
      {
        filter_chain_match: { ...anyAddress, transport_protocol: "tls", application_protocols: istioAlpn },
        filters: http,
        transport_socket: downstreamMutualTls(trustDomain, httpAlpn),
        name: "virtualInbound-catchall-http",
      },
      {
        filter_chain_match: {
          ...anyAddress,
          transport_protocol: "raw_buffer",
          application_protocols: plaintextProtocols(istioVersion),
        },
        filters: http,
        name: "virtualInbound-catchall-http",
      },
      {
        filter_chain_match: {
          ...anyAddress,
          transport_protocol: "tls",
          application_protocols: ["istio-peer-exchange", "istio"],
        },
        filters: tcp,
        transport_socket: downstreamMutualTls(trustDomain, tcpAlpn),
        name: "virtualInbound",
      },
      {
        filter_chain_match: { ...anyAddress, transport_protocol: "raw_buffer" },
        filters: tcp,
        name: "virtualInbound",
      },
      {
        filter_chain_match: { ...anyAddress, transport_protocol: "tls" },
        filters: tcp,
        name: "virtualInbound",
      },
      ...ports.flatMap(({ service, port }) => inboundChains(service, port, workload, istioVersion)),
    ],
    listener_filters: [
      {
        name: "envoy.filters.listener.original_dst",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.listener.original_dst.v3.OriginalDst",
        },
      },
      { ...tlsInspector, filter_disabled: { destination_port_range: { start: 15006, end: 15007 } } },
      {
        ...httpInspector,
        filter_disabled: {
          or_match: {
            rules: [...ports.map(({ port }) => port.targetPort), 15006]
              .sort((left, right) => left - right)
              .map((port) => ({ destination_port_range: { start: port, end: port + 1 } })),
          },
        },
      },
    ],
    listener_filters_timeout: "0s",
    traffic_direction: "INBOUND",
    continue_on_listener_filters_timeout: true,
  });
}

/** One port of the workload: with mutual TLS, without, and for TCP with the application's own TLS. */
function inboundChains(
  service: MeshService,
  port: ServicePort,
  workload: Workload,
  istioVersion: string,
): JsonObject[] {
  const name = `0.0.0.0_${port.targetPort}`;
  const cluster = inboundName(service, port, istioVersion);
  const filters = isHttp(port)
    ? [
        ...authentication(istioVersion),
        tcpMetadataExchange,
        httpConnectionManager({
          statPrefix: `inbound_${name}`,
          direction: "inbound",
          routes: inboundRoutes(cluster, port.port, `${service.hostname}:${port.port}/*`, istioVersion),
          workload,
          istioVersion,
        }),
      ]
    : inboundTcpFilters(cluster, istioVersion);
  return [
    {
      filter_chain_match: {
        destination_port: port.targetPort,
        transport_protocol: "tls",
        application_protocols: ["istio", "istio-peer-exchange", ...istioAlpn],
      },
      filters,
      transport_socket: downstreamMutualTls(trustDomain, isHttp(port) ? httpAlpn : tcpAlpn),
      name,
    },
    ...(isHttp(port)
      ? []
      : [
          {
            filter_chain_match: { destination_port: port.targetPort, transport_protocol: "tls" },
            filters,
            name,
          },
        ]),
    {
      filter_chain_match: {
        destination_port: port.targetPort,
        ...(atLeast(istioVersion, "1.8") ? { transport_protocol: "raw_buffer" } : {}),
      },
      filters,
      name,
    },
  ];
}

/** Bookinfo's gateway: HTTP and HTTPS on the ports that the pod listens on. */
export function gatewayListeners(workload: Workload, istioVersion: string): JsonObject[] {
  const names = gatewayRouteNames(istioVersion);
  const manager = (port: number, routes: string): JsonObject =>
    httpConnectionManager({
      statPrefix: `outbound_0.0.0.0_${port}`,
      direction: "gateway",
      routes,
      workload,
      istioVersion,
    });
  return [
    shared({
      "@type": listenerType,
      name: "0.0.0.0_8080",
      address: socketAddress("0.0.0.0", 8080),
      filter_chains: [{ filters: [manager(8080, names.http)] }],
      traffic_direction: "OUTBOUND",
    }),
    shared({
      "@type": listenerType,
      name: "0.0.0.0_8443",
      address: socketAddress("0.0.0.0", 8443),
      filter_chains: [
        {
          filter_chain_match: { server_names: gatewayHosts },
          filters: [manager(8443, names.https)],
          transport_socket: downstreamSimpleTls(gatewayCredential),
        },
      ],
      listener_filters: [tlsInspector],
      listener_filters_timeout: "0s",
      traffic_direction: "OUTBOUND",
      continue_on_listener_filters_timeout: true,
    }),
  ];
}

/** The bootstrap's listeners: Prometheus and the health check, both nameless. */
export function staticListeners(): JsonObject[] {
  const listener = (port: number, statPrefix: string, prefix: string, cluster: string): JsonObject =>
    shared({
      "@type": listenerType,
      address: socketAddress("0.0.0.0", port),
      filter_chains: [
        {
          filters: [
            {
              name: "envoy.filters.network.http_connection_manager",
              typed_config: {
                "@type":
                  "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                stat_prefix: statPrefix,
                route_config: {
                  virtual_hosts: [
                    { name: "backend", domains: ["*"], routes: [{ match: { prefix }, route: { cluster } }] },
                  ],
                },
                http_filters: [routerFilter],
              },
            },
          ],
        },
      ],
    });
  return [
    listener(15090, "stats", "/stats/prometheus", "prometheus_stats"),
    listener(15021, "agent", "/healthz/ready", "agent"),
  ];
}

const inlineRoutes = new WeakMap<JsonObject, readonly JsonObject[]>();

/** The route configurations inside a listener: Envoy lists them as static ones. */
export function inlineRoutesOf(listener: JsonObject): readonly JsonObject[] {
  const known = inlineRoutes.get(listener);
  if (known !== undefined) return known;
  const found: JsonObject[] = [];
  const search = (value: Json | undefined): void => {
    if (Array.isArray(value)) value.forEach(search);
    else if (isObject(value)) {
      const routes = value["route_config"];
      if (isObject(routes)) found.push(shared({ "@type": routeType, ...routes }));
      else Object.values(value).forEach(search);
    }
  };
  search(listener["filter_chains"]);
  inlineRoutes.set(listener, found);
  return found;
}

const tlsInspector: JsonObject = {
  name: "envoy.filters.listener.tls_inspector",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
  },
};
const httpInspector: JsonObject = {
  name: "envoy.filters.listener.http_inspector",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector",
  },
};

const tcpMetadataExchange: JsonObject = {
  name: "istio.metadata_exchange",
  typed_config: {
    "@type": "type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange",
    protocol: "istio-peer-exchange",
  },
};

/** A filter that Istio dropped in 1.24. */
const authentication = (istioVersion: string): JsonObject[] =>
  atLeast(istioVersion, "1.24")
    ? []
    : [
        {
          name: "istio_authn",
          typed_config: {
            "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
            type_url: "type.googleapis.com/io.istio.network.authn.Config",
          },
        },
      ];

const tcpFilters = (cluster: string): JsonObject[] => [
  { name: "istio.stats", typed_config: { "@type": "type.googleapis.com/stats.PluginConfig" } },
  {
    name: "envoy.filters.network.tcp_proxy",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
      stat_prefix: cluster,
      cluster,
    },
  },
];

const inboundTcpFilters = (cluster: string, istioVersion: string): JsonObject[] => [
  ...authentication(istioVersion),
  tcpMetadataExchange,
  ...tcpFilters(cluster),
];
