/** What a proxy was started with: node, static resources, admin address (istio/istio, tools/packaging/common/envoy_bootstrap.json). */

import { staticClusters } from "./clusters.js";
import type { Json, JsonObject } from "./json.js";
import { staticListeners } from "./listeners.js";
import { clusterId, controlPlaneNamespace, type MeshPod } from "./model.js";
import { randomFor } from "./random.js";
import { atLeast, numbersOf } from "./release.js";
import { canonicalName } from "./topology.js";

export interface Identity {
  readonly pod: MeshPod;
  readonly type: "sidecar" | "router";
  readonly istioVersion: string;
  readonly envoyVersion: string;
  /** Of the build of the proxy. */
  readonly revisionSha: string;
}

/** One build of the proxy has one commit, in whatever mesh it runs. */
export const revisionShaOf = (envoyVersion: string): string => randomFor("build", envoyVersion).hex(40);

export function bootstrapOf(identity: Identity): JsonObject {
  const withoutType = (resource: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(resource).filter(([key]) => key !== "@type"));
  return {
    node: nodeOf(identity),
    static_resources: {
      listeners: staticListeners().map(withoutType),
      clusters: staticClusters(identity.istioVersion).map(withoutType),
    },
    dynamic_resources: {
      lds_config: { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" },
      cds_config: { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" },
      ads_config: {
        api_type: "GRPC",
        grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
        set_node_on_first_message_only: true,
        transport_api_version: "V3",
      },
    },
    tracing: {
      http: {
        name: "envoy.tracers.zipkin",
        typed_config: {
          "@type": "type.googleapis.com/envoy.config.trace.v3.ZipkinConfig",
          collector_cluster: "zipkin",
          collector_endpoint: "/api/v2/spans",
          trace_id_128bit: true,
          shared_span_context: false,
          collector_endpoint_version: "HTTP_JSON",
        },
      },
    },
    admin: {
      profile_path: "/var/lib/istio/data/envoy.prof",
      address: { socket_address: { address: "127.0.0.1", port_value: 15000 } },
    },
  };
}

/** `node.id` is `<type>~<ip>~<pod>.<namespace>~<dns domain>`. */
export function nodeOf({ pod, type, istioVersion, envoyVersion, revisionSha }: Identity): JsonObject {
  const [major, minor, patch] = numbersOf(envoyVersion);
  return {
    id: `${type}~${pod.ip}~${pod.name}.${pod.namespace}~${pod.namespace}.svc.cluster.local`,
    cluster: `${canonicalName(pod.workload)}.${pod.namespace}`,
    metadata: metadataOf(pod, type, istioVersion, revisionSha),
    locality: { region: pod.zone.slice(0, -1), zone: pod.zone },
    user_agent_name: "envoy",
    user_agent_build_version: {
      version: { major_number: major, minor_number: minor, patch },
      metadata: {
        "build.label": "dev",
        "build.type": "RELEASE",
        "revision.sha": revisionSha,
        "revision.status": "Clean",
        "ssl.version": "BoringSSL",
      },
    },
  };
}

function metadataOf(pod: MeshPod, type: string, istioVersion: string, revisionSha: string): JsonObject {
  const { workload } = pod;
  const proxyConfig: Json = {
    binaryPath: "/usr/local/bin/envoy",
    concurrency: 2,
    configPath: "./etc/istio/proxy",
    controlPlaneAuthPolicy: "MUTUAL_TLS",
    discoveryAddress: `istiod.${controlPlaneNamespace}.svc:15012`,
    drainDuration: "45s",
    proxyAdminPort: 15000,
    serviceCluster: "istio-proxy",
    statNameLength: 189,
    statusPort: 15020,
    terminationDrainDuration: "5s",
    tracing: { zipkin: { address: `zipkin.${controlPlaneNamespace}:9411` } },
  };
  return {
    ANNOTATIONS: {
      "istio.io/rev": "default",
      "prometheus.io/path": "/stats/prometheus",
      "prometheus.io/port": "15020",
      "prometheus.io/scrape": "true",
    },
    APP_CONTAINERS: workload.containers.join(","),
    CLUSTER_ID: clusterId,
    ENVOY_PROMETHEUS_PORT: 15090,
    ENVOY_STATUS_PORT: 15021,
    INSTANCE_IPS: pod.ip,
    ...(type === "sidecar" ? { INTERCEPTION_MODE: "REDIRECT" } : { UNPRIVILEGED_POD: "true" }),
    ISTIO_PROXY_SHA: `istio-proxy:${revisionSha}`,
    ISTIO_VERSION: istioVersion,
    LABELS: pod.labels,
    MESH_ID: "cluster.local",
    NAME: pod.name,
    NAMESPACE: pod.namespace,
    ...(atLeast(istioVersion, "1.17") ? { NODE_NAME: pod.node } : {}),
    OWNER: `kubernetes://apis/apps/v1/namespaces/${pod.namespace}/deployments/${workload.name}`,
    PILOT_SAN: [`istiod.${controlPlaneNamespace}.svc`],
    POD_PORTS: JSON.stringify(
      workload.containerPorts.map((containerPort) => ({ containerPort, protocol: "TCP" })),
    ),
    PROXY_CONFIG: proxyConfig,
    SERVICE_ACCOUNT: workload.serviceAccount,
    WORKLOAD_NAME: workload.name,
  };
}
