/** The debug answers of Istiod beside syncz and config_dump: shaped as its own, and small (istio/istio, pilot/pkg/xds/debug.go). */

import { addressesOf, type EndpointAddress } from "./endpoints.js";
import { isObject, print, type Json, type JsonObject } from "./json.js";
import { spiffeId, type Mesh, type MeshIstiod, type MeshService, type SyncType } from "./model.js";
import { randomFor } from "./random.js";
import { atLeast } from "./release.js";
import { rfc3339Seconds } from "./time.js";
import { typeUrls } from "./syncz.js";

const indentOf = (mesh: Mesh): 0 | 4 => (atLeast(mesh.options.istioVersion, "1.12") ? 0 : 4);
const answer = (mesh: Mesh, value: Json): Buffer => print(value, indentOf(mesh));

/** `/version`: release, commit and state of the work tree. */
export const versionText = ({ version }: MeshIstiod): string =>
  `${version}-${randomFor("build of istiod", version).hex(40)}-Clean`;

/** `/debug/adsz`: the connections with their metadata and what they watch. */
export function adsz(mesh: Mesh, istiod: MeshIstiod): Buffer {
  const clients = istiod.syncz.map((row, index): JsonObject => {
    const proxy = mesh.proxies.find(({ id }) => id === row.proxyId);
    const node = proxy?.config.bootstrap["node"];
    return {
      connectionId: `${row.proxyId}-${index + 3}`,
      connectedAt: rfc3339Seconds((proxy?.config.startedAt ?? mesh.capturedAt) + 2000),
      address: `${proxy?.pod.ip ?? "10.244.0.1"}:${40_000 + index}`,
      ...(proxy && atLeast(mesh.options.istioVersion, "1.16") ? { labels: proxy.pod.labels } : {}),
      metadata: isObject(node) ? (node["metadata"] ?? {}) : {},
      watches: Object.fromEntries(
        (Object.keys(row.types) as SyncType[]).map((type) => [
          typeUrls[type],
          type === "rds" && proxy ? proxy.desired.routes.map((routes) => routes["name"] ?? "") : [],
        ]),
      ),
    };
  });
  return answer(mesh, { totalClients: clients.length, clients });
}

interface Registered {
  readonly service: MeshService;
  readonly registry: "Kubernetes" | "External";
}

const registered = (mesh: Mesh): Registered[] => [
  ...mesh.services.map((service): Registered => ({ service, registry: "Kubernetes" })),
  ...(mesh.serviceEntries ?? []).map((service): Registered => ({ service, registry: "External" })),
];

/** `/debug/endpointShardz`: the endpoints that Istiod knows, by service and cluster. */
export function endpointShardz(mesh: Mesh, { unseenAddresses }: MeshIstiod): Buffer {
  const hasAddressList = atLeast(mesh.options.istioVersion, "1.24");
  const isSeen = ({ address }: EndpointAddress): boolean => unseenAddresses?.has(address) !== true;
  const hosts = new Map<string, Record<string, Json>>();
  for (const { service, registry } of registered(mesh)) {
    const namespaces = hosts.get(service.hostname) ?? {};
    hosts.set(service.hostname, namespaces);
    namespaces[service.namespace] = {
      Shards: {
        [`${registry}/${mesh.clusterId}`]: service.ports.flatMap((port) =>
          addressesOf(service, port, "", mesh.pods)
            .filter(isSeen)
            .map(({ address, pod, zone }): JsonObject => ({
              Labels: pod?.labels ?? {},
              ...(hasAddressList ? { Addresses: [address] } : { Address: address }),
              ServicePortName: port.name,
              ServiceAccount: pod ? spiffeId(pod.namespace, pod.workload.serviceAccount) : "",
              Network: mesh.network ?? "",
              Locality: { Label: `${zone.slice(0, -1)}/${zone}`, ClusterID: mesh.clusterId },
              EndpointPort: port.targetPort,
              LbWeight: 0,
              TLSMode: pod?.workload.proxyType ? "istio" : "disabled",
              Namespace: pod?.namespace ?? service.namespace,
              WorkloadName: pod?.workload.name ?? "",
              HostName: "",
              SubDomain: "",
              ...(atLeast(mesh.options.istioVersion, "1.14")
                ? { HealthStatus: atLeast(mesh.options.istioVersion, "1.18") ? 1 : 0 }
                : {}),
              ...(atLeast(mesh.options.istioVersion, "1.17") ? { NodeName: pod?.node ?? "" } : {}),
            })),
        ),
      },
      ServiceAccounts: Object.fromEntries(
        service.serviceAccounts.map((account) => [spiffeId(service.namespace, account), {}]),
      ),
    };
  }
  return answer(mesh, Object.fromEntries(hosts));
}

/** `/debug/registryz`: the services that Istiod knows. */
export const registryz = (mesh: Mesh): Buffer =>
  answer(
    mesh,
    registered(mesh).map(({ service, registry }) => ({
      Attributes: {
        ServiceRegistry: registry,
        Name: service.name,
        Namespace: service.namespace,
        Labels: {},
        ExportTo: null,
        LabelSelectors: service.selector,
        ...(atLeast(mesh.options.istioVersion, "1.17") ? { NodeLocal: service.isNodeLocal === true } : {}),
      },
      ports: service.ports.map(({ name, port, protocol }) => ({
        name,
        port,
        protocol: { http: "HTTP", grpc: "GRPC", tcp: "TCP", auto: "UnsupportedProtocol" }[protocol],
      })),
      hostname: service.hostname,
      clusterVIPs: { Addresses: { [mesh.clusterId]: [service.clusterIp] } },
      defaultAddress: service.clusterIp,
      Resolution: 0,
      MeshExternal: registry === "External",
      ResourceVersion: "1201",
      creationTime: rfc3339Seconds(mesh.capturedAt - 30 * 86_400_000),
    })),
  );

export const configz = (mesh: Mesh): Buffer => answer(mesh, mesh.configObjects);

export const meshConfig = (mesh: Mesh, istiod: MeshIstiod): Buffer =>
  answer(mesh, {
    proxyListenPort: 15001,
    proxyInboundListenPort: 15006,
    connectTimeout: "10s",
    ingressService: "istio-ingressgateway",
    ingressControllerMode: "STRICT",
    enableTracing: true,
    accessLogFile: "",
    defaultConfig: {
      discoveryAddress: `istiod.${mesh.controlPlaneNamespace}.svc:15012`,
      tracing: { zipkin: { address: `zipkin.${mesh.controlPlaneNamespace}:9411` } },
    },
    outboundTrafficPolicy: { mode: "ALLOW_ANY" },
    enableAutoMtls: true,
    trustDomain: mesh.trustDomain,
    rootNamespace: mesh.controlPlaneNamespace,
    dnsRefreshRate: "60s",
    ...istiod.meshConfig,
  });

/** The answers that say little about a mesh in one cluster without ambient mode. */
export const smallAnswers: Readonly<Record<string, (mesh: Mesh, istiod: MeshIstiod) => Buffer>> = {
  ambientz: (mesh) => answer(mesh, { workloads: [], services: [], policies: [] }),
  authorizationz: (mesh) => answer(mesh, { authorization_policies: { namespace_to_policies: {} } }),
  cachez: (mesh) => answer(mesh, {}),
  clusterz: (mesh) => answer(mesh, [{ id: mesh.clusterId, secretName: "", syncStatus: "synced" }]),
  inject: (mesh) => answer(mesh, { config: "policy: enabled\n", values: "{}" }),
  instancesz: (mesh, istiod) =>
    answer(mesh, Object.fromEntries(istiod.syncz.map(({ proxyId }): [string, Json] => [proxyId, []]))),
  krtz: (mesh) => answer(mesh, []),
  mcsz: (mesh) => answer(mesh, []),
  networkz: (mesh) => answer(mesh, []),
  push_status: (mesh) => answer(mesh, {}),
  resourcesz: (mesh) => answer(mesh, {}),
  telemetryz: (mesh) => answer(mesh, { namespace_to_telemetries: {} }),
};
