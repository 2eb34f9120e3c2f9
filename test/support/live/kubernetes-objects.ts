/** Pods and services as `kubectl get -o json` prints them, with the secrets that real ones hold. */
import type { JsonObject } from "../mesh/json.js";
import type { Mesh, MeshPod, MeshService } from "../mesh/model.js";
import { rfc3339Seconds } from "../mesh/time.js";

export interface PodShape {
  readonly name: string;
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** null: nobody's. */
  readonly owner?: { readonly kind: PodOwner; readonly name: string } | null;
  /** Names of the application's containers. */
  readonly containers?: readonly string[];
  readonly containerPorts?: readonly number[];
  /** How the proxy runs beside them; a native sidecar is an init container that goes on. */
  readonly proxy?: "container" | "native sidecar" | "none";
  /** Of the control plane that injected the proxy. */
  readonly revision?: string;
  readonly hostNetwork?: boolean;
  readonly phase?: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
  readonly ips?: readonly string[];
  readonly node?: string;
  readonly startedAt?: number;
}

export type PodOwner = "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" | "Node";

/** What stands in every pod here and must never leave the cluster. */
export const podSecrets = {
  environment: "pod-environment-secret-5f1c",
  argument: "pod-argument-secret-81aa",
  annotation: "pod-annotation-secret-c02e",
  lastApplied: "pod-last-applied-secret-77d3",
  probeHeader: "pod-probe-header-secret-9b40",
} as const;

const proxyName = "istio-proxy";
const apiVersions: Readonly<Record<PodOwner, string>> = {
  ReplicaSet: "apps/v1",
  StatefulSet: "apps/v1",
  DaemonSet: "apps/v1",
  Job: "batch/v1",
  Node: "v1",
};

export const listOf = (items: readonly JsonObject[]): JsonObject => ({
  apiVersion: "v1",
  items,
  kind: "List",
  metadata: { resourceVersion: "" },
});

export function podObject(shape: PodShape): JsonObject {
  const { name, namespace, owner = { kind: "ReplicaSet", name: `${name}-owner` } } = shape;
  const { phase = "Running", ips = ["10.244.0.9"], node = "worker-0", proxy = "none" } = shape;
  const startedAt = rfc3339Seconds(shape.startedAt ?? Date.UTC(2026, 2, 14));
  const application = (shape.containers ?? ["app"]).map((container) =>
    containerObject(container, shape.containerPorts ?? []),
  );
  const sidecar = proxyContainer(proxy === "native sidecar");
  const initContainers = [
    ...(proxy === "none" ? [] : [initContainer]),
    ...(proxy === "native sidecar" ? [sidecar] : []),
  ];
  const containers = [...application, ...(proxy === "container" ? [sidecar] : [])];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      uid: "0b8f1d5e-6a3c-4c6e-9a52-3f0e6c1d2b7a",
      resourceVersion: "81423",
      creationTimestamp: startedAt,
      ...(shape.labels === undefined ? {} : { labels: shape.labels }),
      annotations: annotationsOf(shape),
      ...(owner === null
        ? {}
        : {
            ownerReferences: [
              {
                apiVersion: apiVersions[owner.kind],
                blockOwnerDeletion: true,
                controller: true,
                kind: owner.kind,
                name: owner.name,
                uid: "5d1f2c4b-8e7a-4b3d-a1c6-9e0f7d6b5a43",
              },
            ],
          }),
    },
    spec: {
      ...(initContainers.length === 0 ? {} : { initContainers }),
      containers,
      dnsPolicy: "ClusterFirst",
      ...(shape.hostNetwork === true ? { hostNetwork: true } : {}),
      imagePullSecrets: [{ name: "registry-credentials" }],
      nodeName: node,
      restartPolicy: owner?.kind === "Job" ? "Never" : "Always",
      serviceAccountName: "default",
      volumes: [{ name: "tls", secret: { defaultMode: 420, secretName: "application-tls" } }],
    },
    status: {
      phase,
      ...(phase === "Pending" ? {} : { hostIP: "172.18.0.4", startTime: startedAt }),
      ...(phase === "Pending" || ips.length === 0
        ? {}
        : { podIP: ips[0] ?? "", podIPs: ips.map((ip) => ({ ip })) }),
      containerStatuses: containers.map((container) => statusOf(container, phase, startedAt)),
      ...(initContainers.length === 0
        ? {}
        : {
            initContainerStatuses: initContainers.map((container) => statusOf(container, phase, startedAt)),
          }),
      qosClass: "Burstable",
    },
  };
}

function annotationsOf({ annotations = {}, proxy = "none", revision = "default" }: PodShape): JsonObject {
  return {
    "example.com/token": podSecrets.annotation,
    "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({
      kind: "Pod",
      spec: { containers: [{ env: [{ name: "PASSWORD", value: podSecrets.lastApplied }] }] },
    }),
    ...(proxy === "none"
      ? {}
      : {
          "sidecar.istio.io/status": JSON.stringify({
            initContainers: proxy === "native sidecar" ? ["istio-init", proxyName] : ["istio-init"],
            containers: proxy === "native sidecar" ? null : [proxyName],
            volumes: ["workload-socket", "istio-envoy", "istio-data", "istio-podinfo", "istio-token"],
            imagePullSecrets: null,
            revision,
          }),
        }),
    ...annotations,
  };
}

const containerObject = (name: string, ports: readonly number[]): JsonObject => ({
  name,
  image: `registry.example.com/${name}:1.0.0`,
  imagePullPolicy: "IfNotPresent",
  args: ["--serve", `--token=${podSecrets.argument}`],
  env: [
    { name: "DATABASE_PASSWORD", value: podSecrets.environment },
    { name: "API_KEY", valueFrom: { secretKeyRef: { key: "api-key", name: "application" } } },
  ],
  ...(ports.length === 0
    ? {}
    : { ports: ports.map((containerPort) => ({ containerPort, protocol: "TCP" })) }),
  livenessProbe: {
    httpGet: {
      path: "/healthz",
      port: 8080,
      scheme: "HTTP",
      httpHeaders: [{ name: "Authorization", value: podSecrets.probeHeader }],
    },
  },
  volumeMounts: [{ mountPath: "/etc/tls", name: "tls", readOnly: true }],
});

const initContainer: JsonObject = {
  name: "istio-init",
  image: "docker.io/istio/proxyv2:1.28.1",
  args: ["istio-iptables", "-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT"],
};

const proxyContainer = (native: boolean): JsonObject => ({
  name: proxyName,
  image: "docker.io/istio/proxyv2:1.28.1",
  args: ["proxy", "sidecar", "--domain", "$(POD_NAMESPACE).svc.cluster.local"],
  env: [{ name: "PROXY_CONFIG", value: "{}\n" }],
  ports: [{ containerPort: 15090, name: "http-envoy-prom", protocol: "TCP" }],
  ...(native ? { restartPolicy: "Always" } : {}),
});

const statusOf = (container: JsonObject, phase: string, startedAt: string): JsonObject => ({
  name: container["name"] ?? "",
  image: container["image"] ?? "",
  ready: phase === "Running",
  restartCount: 0,
  started: phase === "Running",
  state: phase === "Running" ? { running: { startedAt } } : { waiting: { reason: "PodInitializing" } },
});

export interface ServiceShape {
  readonly name: string;
  readonly namespace: string;
  readonly clusterIp?: string;
  readonly type?: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly {
    readonly name: string;
    readonly port: number;
    readonly targetPort: number | string;
  }[];
}

export const serviceObject = (shape: ServiceShape): JsonObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: {
    name: shape.name,
    namespace: shape.namespace,
    uid: "c7f6b1f0-2f0f-4b2d-8a51-4c2f7a9e6d10",
    resourceVersion: "742",
    creationTimestamp: "2026-03-01T08:00:00Z",
    annotations: {
      "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({
        kind: "Service",
        metadata: { annotations: { token: podSecrets.lastApplied } },
      }),
    },
  },
  spec: {
    type: shape.type ?? "ClusterIP",
    clusterIP: shape.clusterIp ?? "None",
    clusterIPs: [shape.clusterIp ?? "None"],
    internalTrafficPolicy: "Cluster",
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
    ports: (shape.ports ?? []).map((port) => ({ ...port, protocol: "TCP" })),
    ...(shape.selector === undefined ? {} : { selector: shape.selector }),
    sessionAffinity: "None",
  },
  status: { loadBalancer: {} },
});

/** All pods of a mesh; a gateway's only container is its proxy. */
export const podsOf = (mesh: Mesh): JsonObject[] =>
  mesh.pods.map((pod: MeshPod) =>
    podObject({
      name: pod.name,
      namespace: pod.namespace,
      labels: pod.labels,
      owner: { kind: pod.owner.kind as PodOwner, name: pod.owner.name },
      containers: pod.workload.containers,
      containerPorts: pod.workload.containerPorts,
      proxy: pod.workload.proxyType === null ? "none" : "container",
      ips: [pod.ip],
      node: pod.node,
      startedAt: pod.startedAt,
    }),
  );

export const servicesOf = (mesh: Mesh): JsonObject[] =>
  mesh.services.map((service: MeshService) =>
    serviceObject({
      name: service.name,
      namespace: service.namespace,
      clusterIp: service.clusterIp,
      ports: service.ports.map(({ name, port, targetPort }) => ({ name, port, targetPort })),
      ...(Object.keys(service.selector).length === 0 ? {} : { selector: service.selector }),
    }),
  );
