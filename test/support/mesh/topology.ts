/** Who is in the mesh: services, workloads and pods, with their names and addresses as Kubernetes would choose them. */

import { controlPlaneNamespace } from "./model.js";
import type { MeshOptions, MeshPod, MeshService, PortProtocol, ServicePort, Workload } from "./model.js";
import { randomFor } from "./random.js";
import { hours, minutes } from "./time.js";

export interface Topology {
  readonly services: readonly MeshService[];
  readonly workloads: readonly Workload[];
  readonly pods: readonly MeshPod[];
}

export function buildTopology(options: MeshOptions, capturedAt: number): Topology {
  const workloads = [
    ...systemWorkloads(options.istiods),
    ...(options.bookinfo ? bookinfoWorkloads() : []),
    ...furtherWorkloads(options),
  ];
  const services = [
    ...systemServices(),
    ...(options.bookinfo ? bookinfoServices() : []),
    ...furtherServices(options),
  ].map((service, index) => ({ ...service, clusterIp: service.clusterIp || clusterIpOf(index) }));
  return { services, workloads, pods: podsOf(workloads, options, capturedAt) };
}

/** The pods that a service's selector picks. */
export function podsBehind(service: MeshService, pods: readonly MeshPod[]): readonly MeshPod[] {
  const wanted = Object.entries(service.selector);
  if (wanted.length === 0) return [];
  return pods.filter(
    (pod) =>
      pod.namespace === service.namespace && wanted.every(([label, value]) => pod.labels[label] === value),
  );
}

type PortDraft = readonly [name: string, port: number, targetPort: number, protocol: PortProtocol];

interface ServiceDraft {
  readonly name: string;
  readonly namespace: string;
  readonly ports: readonly PortDraft[];
  readonly selector?: Readonly<Record<string, string>>;
  readonly serviceAccounts?: readonly string[];
  readonly subsets?: MeshService["subsets"];
  readonly weights?: MeshService["weights"];
  readonly clusterIp?: string;
  readonly handMadeEndpoints?: readonly string[];
}

const toService = (draft: ServiceDraft): MeshService => ({
  name: draft.name,
  namespace: draft.namespace,
  hostname: `${draft.name}.${draft.namespace}.svc.cluster.local`,
  clusterIp: draft.clusterIp ?? "",
  ports: draft.ports.map(([name, port, targetPort, protocol]): ServicePort => ({
    name,
    port,
    targetPort,
    protocol,
  })),
  selector: draft.selector ?? {},
  handMadeEndpoints: draft.handMadeEndpoints ?? [],
  subsets: draft.subsets ?? [],
  weights: draft.weights ?? [],
  serviceAccounts: draft.serviceAccounts ?? [],
});

/** What every cluster with Istio has, and a tracing back end without a proxy. */
const systemServices = (): MeshService[] => {
  const drafts: readonly ServiceDraft[] = [
    {
      name: "kubernetes",
      namespace: "default",
      clusterIp: "10.96.0.1",
      ports: [["https", 443, 6443, "tcp"]],
      handMadeEndpoints: ["172.18.0.2"],
    },
    {
      name: "kube-dns",
      namespace: "kube-system",
      clusterIp: "10.96.0.10",
      ports: [
        ["dns-tcp", 53, 53, "tcp"],
        ["metrics", 9153, 9153, "auto"],
      ],
      selector: { "k8s-app": "kube-dns" },
    },
    {
      name: "istiod",
      namespace: controlPlaneNamespace,
      ports: [
        ["grpc-xds", 15010, 15010, "grpc"],
        ["https-dns", 15012, 15012, "tcp"],
        ["https-webhook", 443, 15017, "tcp"],
        ["http-monitoring", 15014, 15014, "http"],
      ],
      selector: { app: "istiod", istio: "pilot" },
    },
    {
      name: "zipkin",
      namespace: controlPlaneNamespace,
      ports: [["http-query", 9411, 9411, "http"]],
      selector: { app: "zipkin" },
    },
  ];
  return drafts.map(toService);
};

const bookinfoServices = (): MeshService[] => {
  const http: readonly PortDraft[] = [["http", 9080, 9080, "http"]];
  const simple = (name: string): ServiceDraft => ({
    name,
    namespace: "default",
    ports: http,
    selector: { app: name },
    serviceAccounts: [`bookinfo-${name}`],
  });
  const drafts: readonly ServiceDraft[] = [
    simple("details"),
    simple("productpage"),
    simple("ratings"),
    {
      ...simple("reviews"),
      subsets: ["v1", "v2", "v3"].map((version) => ({ name: version, labels: { version } })),
      weights: [
        { subset: "v1", weight: 80 },
        { subset: "v2", weight: 15 },
        { subset: "v3", weight: 5 },
      ],
    },
    {
      name: "istio-ingressgateway",
      namespace: controlPlaneNamespace,
      ports: [
        ["status-port", 15021, 15021, "auto"],
        ["http2", 80, 8080, "http"],
        ["https", 443, 8443, "tcp"],
      ],
      selector: { app: "istio-ingressgateway", istio: "ingressgateway" },
      serviceAccounts: ["istio-ingressgateway-service-account"],
    },
  ];
  return drafts.map(toService);
};

const plain = (
  name: string,
  namespace: string,
  labels: Readonly<Record<string, string>>,
  replicas: number,
  containerPorts: readonly number[],
): Workload => ({
  name,
  namespace,
  serviceAccount: name,
  labels,
  replicas,
  proxyType: null,
  containers: [name],
  containerPorts,
});

const systemWorkloads = (istiods: number): Workload[] => [
  plain("coredns", "kube-system", { "k8s-app": "kube-dns" }, 2, [53, 9153]),
  {
    ...plain(
      "istiod",
      controlPlaneNamespace,
      { app: "istiod", istio: "pilot", "istio.io/rev": "default" },
      istiods,
      [8080, 15010, 15017],
    ),
    containers: ["discovery"],
  },
  plain("zipkin", controlPlaneNamespace, { app: "zipkin" }, 1, [9411]),
];

const bookinfoWorkloads = (): Workload[] => {
  const bookinfo = (app: string, version: string): Workload => ({
    name: `${app}-${version}`,
    namespace: "default",
    serviceAccount: `bookinfo-${app}`,
    labels: { app, version },
    replicas: 1,
    proxyType: "sidecar",
    containers: [app],
    containerPorts: [9080],
  });
  return [
    bookinfo("details", "v1"),
    bookinfo("productpage", "v1"),
    bookinfo("ratings", "v1"),
    bookinfo("reviews", "v1"),
    bookinfo("reviews", "v2"),
    bookinfo("reviews", "v3"),
    {
      name: "istio-ingressgateway",
      namespace: controlPlaneNamespace,
      serviceAccount: "istio-ingressgateway-service-account",
      labels: { app: "istio-ingressgateway", istio: "ingressgateway" },
      replicas: 1,
      proxyType: "router",
      containers: [],
      containerPorts: [15021, 8080, 8443],
    },
  ];
};

const trades = [
  "catalog",
  "billing",
  "search",
  "orders",
  "stock",
  "identity",
  "mail",
  "media",
  "price",
  "quota",
];
const parts = ["api", "worker", "store", "cache", "index", "feed", "gate", "sync", "audit", "report"];

const furtherName = (index: number): string =>
  `${trades[index % trades.length] ?? ""}-${parts[Math.floor(index / trades.length) % parts.length] ?? ""}-${index}`;
const furtherNamespace = (index: number, options: MeshOptions): string =>
  `team-${index % Math.max(1, options.namespaces)}`;

/** How many services have sidecars: as many as it takes to place all proxies. */
const meshedServices = (options: MeshOptions): number => Math.ceil(options.proxies / options.replicas);

function furtherServices(options: MeshOptions): MeshService[] {
  const random = randomFor(options.seed, "services");
  return Array.from({ length: options.services }, (_, index) => {
    const ports: PortDraft[] = [["http", random.pick([8080, 8080, 8080, 80, 8000, 9090]), 8080, "http"]];
    if (random.next() < 0.25) ports.push(["tcp-data", random.pick([5432, 6379, 9042, 27017]), 9000, "tcp"]);
    else if (random.next() < 0.1) ports.push(["grpc", 7070, 7070, "grpc"]);
    return toService({
      name: furtherName(index),
      namespace: furtherNamespace(index, options),
      ports,
      selector: { app: furtherName(index) },
      serviceAccounts: index < meshedServices(options) ? [furtherName(index)] : [],
    });
  });
}

function furtherWorkloads(options: MeshOptions): Workload[] {
  if (options.proxies > options.services * options.replicas) {
    throw new Error(
      `${options.services} services of ${options.replicas} pods cannot hold ${options.proxies} proxies`,
    );
  }
  return Array.from({ length: options.services }, (_, index): Workload => {
    const meshed = index < meshedServices(options);
    const left = options.proxies - index * options.replicas;
    return {
      name: furtherName(index),
      namespace: furtherNamespace(index, options),
      serviceAccount: furtherName(index),
      labels: { app: furtherName(index), version: "v1" },
      replicas: meshed ? Math.min(options.replicas, left) : options.replicas,
      proxyType: meshed ? "sidecar" : null,
      containers: ["app"],
      containerPorts: [8080],
    };
  });
}

function podsOf(workloads: readonly Workload[], options: MeshOptions, capturedAt: number): MeshPod[] {
  const random = randomFor(options.seed, "pods");
  const total = workloads.reduce((sum, workload) => sum + workload.replicas, 0);
  const nodes = Math.max(3, Math.ceil(total / 100));
  let index = 0;
  return workloads.flatMap((workload) => {
    const templateHash = random.kubernetesSuffix(random.between(9, 10));
    const startedAt = capturedAt - hours(random.between(20, 160)) - random.between(0, minutes(50));
    const isReplaced = options.replaced.includes(workload.name);
    const again = randomFor(options.seed, `replaced pods/${workload.name}`);
    return Array.from({ length: workload.replicas }, (): MeshPod => {
      const node = index % nodes;
      const suffix = random.kubernetesSuffix(5);
      const place = Math.floor(index / nodes);
      const pod: MeshPod = {
        name: `${workload.name}-${templateHash}-${isReplaced ? again.kubernetesSuffix(5) : suffix}`,
        namespace: workload.namespace,
        labels: labelsOf(workload, templateHash),
        owner: { kind: "ReplicaSet", name: `${workload.name}-${templateHash}` },
        ip: isReplaced ? `10.245.${node}.${10 + place}` : `10.244.${node}.${10 + place}`,
        node: `worker-${node}`,
        zone: `eu-central-1${["a", "b", "c"][node % 3] ?? ""}`,
        startedAt: (isReplaced ? capturedAt - hours(1) : startedAt) + random.between(0, 4000),
        workload,
      };
      index += 1;
      return pod;
    });
  });
}

/** The pod's labels; the injector adds its own to pods with a sidecar. */
const labelsOf = (workload: Workload, templateHash: string): Readonly<Record<string, string>> => ({
  ...workload.labels,
  "pod-template-hash": templateHash,
  ...(workload.proxyType === null
    ? {}
    : {
        "security.istio.io/tlsMode": "istio",
        "service.istio.io/canonical-name": canonicalName(workload),
        "service.istio.io/canonical-revision": canonicalRevision(workload),
        "istio.io/rev": "default",
      }),
});

export const canonicalName = (workload: Workload): string => workload.labels["app"] ?? workload.name;
export const canonicalRevision = (workload: Workload): string => workload.labels["version"] ?? "latest";

/** Addresses 10.96.4.x and up, scattered but never twice. */
function clusterIpOf(index: number): string {
  const offset = 1031 + index * 37;
  return `10.${96 + (offset >> 16)}.${(offset >> 8) & 255}.${offset & 255}`;
}
