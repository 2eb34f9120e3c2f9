/**
 * A seeded, reproducible Istio mesh: same options, same bytes. No clock, no chance, no files.
 *
 * The shapes are those that Istio and Envoy print; `layouts.ts` prints the mesh as archives, `faults.ts` breaks it.
 */

import { bootstrapOf, revisionShaOf } from "./bootstrap.js";
import { createAuthority, type Authority, type Certificate } from "./certificates.js";
import {
  builtInClusters,
  inboundCluster,
  outboundCluster,
  outboundName,
  servicesOf,
  sortedByName,
} from "./clusters.js";
import { configObjectsOf } from "./config-objects.js";
import { addressesOf, assignmentOfCluster, liveAssignment, sentAssignment } from "./endpoints.js";
import { shared, textOf, type JsonObject } from "./json.js";
import { gatewayListeners, sidecarListeners, tcpListeners } from "./listeners.js";
import {
  clusterId,
  controlPlaneNamespace,
  spiffeId,
  trustDomain,
  type DesiredConfig,
  type EnvoyConfig,
  type Mesh,
  type MeshIstiod,
  type MeshOptions,
  type MeshPod,
  type MeshProxy,
  type MeshService,
  type Workload,
} from "./model.js";
import { randomFor } from "./random.js";
import { atLeast, envoyVersionOf } from "./release.js";
import {
  gatewayCredential,
  gatewayHosts,
  gatewayRouteNames,
  gatewayRoutes,
  httpPorts,
  outboundRoutes,
  sniffedRoutes,
} from "./routes.js";
import { certificateSecret, rootSecret } from "./secrets.js";
import { syncedRow } from "./syncz.js";
import { days, hours, minutes, rfc3339Seconds } from "./time.js";
import { buildTopology } from "./topology.js";

export const defaultOptions: MeshOptions = {
  seed: 1,
  istioVersion: "1.24.2",
  epoch: "2026-03-14T09:30:00Z",
  bookinfo: true,
  services: 0,
  proxies: 0,
  replicas: 3,
  istiods: 2,
  namespaces: 10,
  replaced: [],
};

/** A healthy mesh: every proxy connected, synced, and holding what Istiod would send it. */
export function buildMesh(given: Partial<MeshOptions> = {}): Mesh {
  const options = { ...defaultOptions, ...given };
  const capturedAt = Date.parse(options.epoch);
  const topology = buildTopology(options, capturedAt);
  const istiodPods = topology.pods.filter(({ workload }) => workload.name === "istiod");
  const controlPlane = istiodPods.map((pod) => pushOf(pod, options, capturedAt));
  const resources = resourcesOf(topology.services, topology.pods, options);
  const certificates = certificatesOf(options, capturedAt);
  const random = randomFor(options.seed, "connections");

  const proxies = topology.pods
    .filter(({ workload }) => workload.proxyType !== null)
    .map((pod) => {
      const push = random.pick(controlPlane);
      return proxyOf(pod, push, resources.of(pod.workload), certificates.of(pod), options);
    });
  return {
    options,
    capturedAt,
    clusterId,
    trustDomain,
    controlPlaneNamespace,
    revision: "default",
    services: topology.services,
    workloads: topology.workloads,
    pods: topology.pods,
    proxies,
    istiods: controlPlane.map((push) => istiodOf(push, proxies, options)),
    configObjects: configObjectsOf(topology.services, options.bookinfo, capturedAt - days(30)),
  };
}

/** The last push of one Istiod; each counts its own. */
interface Push {
  readonly pod: MeshPod;
  readonly at: number;
  readonly version: string;
}

function pushOf(pod: MeshPod, { seed }: MeshOptions, capturedAt: number): Push {
  const random = randomFor(seed, `push/${pod.name}`);
  const at = capturedAt - minutes(random.between(31, 45)) - random.between(0, 59_999);
  return { pod, at, version: `${rfc3339Seconds(at)}/${random.between(40, 400)}` };
}

/** What Istiod makes for a workload's proxies; the members are shared between proxies. */
interface WorkloadResources {
  readonly clusters: readonly JsonObject[];
  readonly listeners: readonly JsonObject[];
  readonly routes: readonly JsonObject[];
  /** As Istiod sends them, for EDS clusters only. */
  readonly sent: readonly JsonObject[];
  /** As Envoy shows them, for all clusters. */
  readonly live: readonly JsonObject[];
}

function resourcesOf(
  services: readonly MeshService[],
  pods: readonly MeshPod[],
  { istioVersion }: MeshOptions,
): { of(workload: Workload): WorkloadResources } {
  const sent = new Map<string, JsonObject>();
  const live = new Map<string, JsonObject>();
  const outbound = services.flatMap((service) =>
    service.ports.flatMap((port) =>
      ["", ...service.subsets.map(({ name }) => name)].map((subset) => {
        const name = outboundName(service, port.port, subset);
        const addresses = addressesOf(service, port, subset, pods);
        sent.set(name, sentAssignment(name, addresses));
        live.set(name, liveAssignment(name, addresses));
        return outboundCluster(service, port, subset, istioVersion);
      }),
    ),
  );
  const sharedTcpListeners = tcpListeners(services);
  const productpage = services.find(({ name }) => name === "productpage");
  const sniffed = services.flatMap((service) =>
    service.ports
      .filter(({ protocol }) => protocol === "auto")
      .map(({ port }) => sniffedRoutes(service, port, istioVersion)),
  );
  const routesFor = remembered((namespace: string) => [
    ...httpPorts(services).map((port) => outboundRoutes(port, services, namespace, istioVersion)),
    ...sniffed,
  ]);

  const gatewayRouteConfigs = (): JsonObject[] => {
    if (productpage === undefined) return [];
    const names = gatewayRouteNames(istioVersion);
    return [
      gatewayRoutes(names.http, 80, productpage, istioVersion),
      gatewayRoutes(names.https, 443, productpage, istioVersion),
    ];
  };

  const make = (workload: Workload): WorkloadResources => {
    const type = workload.proxyType ?? "sidecar";
    const inbound =
      type === "router"
        ? []
        : servicesOf(workload, services).flatMap((service) =>
            service.ports.map((port) => inboundCluster(service, port, istioVersion)),
          );
    const clusters = sortedByName([...outbound, ...inbound, ...builtInClusters(type, istioVersion)]);
    return {
      clusters,
      listeners:
        type === "router"
          ? gatewayListeners(workload, istioVersion)
          : sidecarListeners(workload, services, sharedTcpListeners, istioVersion),
      routes: type === "router" ? gatewayRouteConfigs() : routesFor(workload.namespace),
      sent: clusters.flatMap((cluster) => {
        const assignment = sent.get(textOf(cluster, "name"));
        return assignment === undefined ? [] : [assignment];
      }),
      live: clusters.map((cluster) => live.get(textOf(cluster, "name")) ?? assignmentOfCluster(cluster)),
    };
  };
  return { of: remembered(make) };
}

/** A function that works out each answer once. */
function remembered<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    const kept = known.get(key);
    if (kept !== undefined) return kept;
    const made = make(key);
    known.set(key, made);
    return made;
  };
}

interface PodCertificates {
  readonly leaf: Certificate;
  readonly root: JsonObject;
  /** Of a gateway's host. */
  readonly credentials: readonly JsonObject[];
}

function certificatesOf({ seed }: MeshOptions, capturedAt: number): { of(pod: MeshPod): PodCertificates } {
  const authority = createAuthority(seed, trustDomain, capturedAt - days(300), capturedAt + days(3350));
  const publicAuthority: Authority = createAuthority(
    `${seed}/public`,
    "Example Certificates",
    capturedAt - days(700),
    capturedAt + days(2000),
  );
  const root = shared(rootSecret(authority.root));
  return {
    of: (pod) => {
      const random = randomFor(seed, `certificate/${pod.name}`);
      const issuedAt = capturedAt - minutes(random.between(20, 11 * 60));
      return {
        root,
        leaf: authority.issue({
          keyName: pod.name,
          notBefore: issuedAt - minutes(2), // Istio allows for clocks that are behind
          notAfter: issuedAt + hours(24),
          uri: spiffeId(pod.namespace, pod.workload.serviceAccount),
        }),
        credentials:
          pod.workload.proxyType === "router"
            ? [
                certificateSecret(
                  gatewayCredential,
                  publicAuthority.issue({
                    keyName: gatewayCredential,
                    notBefore: capturedAt - days(20),
                    notAfter: capturedAt + days(70),
                    dnsNames: gatewayHosts,
                  }),
                ),
              ]
            : [],
      };
    },
  };
}

function proxyOf(
  pod: MeshPod,
  push: Push,
  resources: WorkloadResources,
  certificates: PodCertificates,
  { seed, istioVersion }: MeshOptions,
): MeshProxy {
  const type = pod.workload.proxyType ?? "sidecar";
  const envoyVersion = envoyVersionOf(istioVersion);
  const random = randomFor(seed, `proxy/${pod.name}`);
  const receivedAt = push.at + random.between(20, 600);
  const received = (resourcesOfKind: readonly JsonObject[], delay: number): EnvoyConfig["clusters"] => ({
    versionInfo: push.version,
    at: receivedAt + delay,
    resources: resourcesOfKind,
  });
  const desired: DesiredConfig = {
    versionInfo: push.version,
    clusters: resources.clusters,
    listeners: resources.listeners,
    routes: resources.routes,
    secrets: certificates.credentials,
    endpoints: resources.sent,
  };
  return {
    id: `${pod.name}.${pod.namespace}`,
    type,
    pod,
    istioVersion,
    envoyVersion,
    state: "LIVE",
    config: {
      startedAt: pod.startedAt,
      bootstrap: bootstrapOf({
        pod,
        type,
        istioVersion,
        envoyVersion,
        revisionSha: revisionShaOf(envoyVersion),
      }),
      clusters: received(resources.clusters, 0),
      warmingClusters: received([], 0),
      listenersVersion: push.version,
      listeners: resources.listeners.map((listener) => ({
        name: textOf(listener, "name"),
        active: { versionInfo: push.version, at: receivedAt + 150, listener },
      })),
      routes: received(resources.routes, 190),
      secrets: {
        versionInfo: rfc3339Seconds(certificates.leaf.notBefore + minutes(2)),
        at: certificates.leaf.notBefore + minutes(2) + random.between(30, 400),
        resources: [
          certificateSecret("default", certificates.leaf),
          certificates.root,
          ...certificates.credentials,
        ],
      },
      endpoints: resources.live,
    },
    desired,
    connectedTo: push.pod.name,
    rejectedUpdates: { cds: 0, lds: 0, rds: 0 },
    files: { captured: true, dump: "whole", endpoints: true, serverInfo: true },
  };
}

function istiodOf(
  push: Push,
  proxies: readonly MeshProxy[],
  { seed, istioVersion }: MeshOptions,
): MeshIstiod {
  const prefix = atLeast(istioVersion, "1.8") ? push.version : "";
  const syncz = proxies
    .filter(({ connectedTo }) => connectedTo === push.pod.name)
    .map((proxy) => syncedRow(proxy, push.at, seed, prefix));
  return {
    name: push.pod.name,
    namespace: push.pod.namespace,
    pod: push.pod,
    version: istioVersion,
    synczBefore: syncz,
    syncz,
  };
}
