import { excerpt } from "../shared/printable.js";
import type { PodAddress } from "./kubectl.js";

/** A pod as the API server describes it, as far as we look (Kubernetes, core/v1 Pod). */
interface RawPod {
  readonly metadata?: {
    readonly name?: unknown;
    readonly namespace?: unknown;
    readonly labels?: Readonly<Record<string, unknown>>;
    readonly annotations?: Readonly<Record<string, unknown>>;
    readonly ownerReferences?: readonly {
      readonly kind?: unknown;
      readonly name?: unknown;
      readonly controller?: unknown;
    }[];
  };
  readonly spec?: {
    readonly hostNetwork?: unknown;
    readonly containers?: readonly RawContainer[];
    readonly initContainers?: readonly RawContainer[];
  };
  readonly status?: {
    readonly phase?: unknown;
    readonly podIP?: unknown;
    readonly podIPs?: readonly { readonly ip?: unknown }[];
    readonly initContainerStatuses?: readonly {
      readonly name?: unknown;
      readonly state?: { readonly running?: unknown };
    }[];
  };
}
interface RawContainer {
  readonly name?: unknown;
  readonly ports?: readonly {
    readonly name?: unknown;
    readonly containerPort?: unknown;
    readonly protocol?: unknown;
  }[];
}

/** What of a pod goes into `cluster/pods.json`: names, owner, IPs, labels, ports, proxy container, and nothing else. */
export interface PodRecord {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner?: { readonly kind: string; readonly name: string };
  readonly ips: readonly string[];
  readonly hostNetwork: boolean;
  readonly proxyContainer: boolean;
  readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol?: string }[];
}

export type TargetKind = "istiod" | "proxy" | "ztunnel";

export interface Target extends PodAddress {
  readonly kind: TargetKind;
  /** Why it cannot be asked; null when it can. */
  readonly unreachable: string | null;
}

export interface Filters {
  readonly istioNamespace: string;
  /** Empty: all. */
  readonly namespaces: readonly string[];
  readonly excludedNamespaces: readonly string[];
  readonly revision: string | null;
  /** `deploy/reviews.bookinfo`, `deploy/reviews`, `pod.namespace`, `pod`; empty: all. */
  readonly workloads: readonly string[];
}

export interface Inventory {
  readonly targets: readonly Target[];
  readonly pods: readonly PodRecord[];
  /** Objects of the list that are no pods as Kubernetes names them. */
  readonly malformed: number;
}

const proxyContainer = "istio-proxy";

/**
 * Which pods of a `kubectl get pods -o json` answer are to be asked.
 * @param lists parsed answers: `v1 List`s or `PodList`s; a pod that is in several counts once
 */
export function inventory(lists: readonly unknown[], filters: Filters): Inventory {
  const known = new Map<string, { readonly pod: RawPod; readonly record: PodRecord }>();
  let malformed = 0;
  for (const pod of lists.flatMap(itemsOf) as (RawPod | null)[]) {
    const record = recordOf(pod);
    if (pod === null || record === null) malformed++;
    else known.set(`${record.name}.${record.namespace}`, { pod, record });
  }
  const targets = [...known.values()].flatMap(({ pod, record }): Target[] => {
    const kind = kindOf(record, filters.istioNamespace);
    if (kind === null || !isWanted(kind, pod, record, filters)) return [];
    const phase = text(pod.status?.phase);
    if (phase === "Succeeded" || phase === "Failed") return []; // a job that has ended runs no proxy
    const { namespace, name } = record;
    return [{ kind, namespace, pod: name, unreachable: unreachable(pod, phase) }];
  });
  return { targets, pods: [...known.values()].map(({ record }) => record), malformed };
}

function unreachable({ status }: RawPod, phase: string): string | null {
  if (phase === "Running" || phase === "") return null;
  // a native sidecar runs while the containers behind it are still being waited for
  const isUp = list(status?.initContainerStatuses).some(
    ({ name, state }) => name === proxyContainer && (state?.running ?? null) !== null,
  );
  return isUp ? null : `not asked: the pod is ${excerpt(phase, 40)}`;
}

/** Names and selectors of services, for `cluster/services.json`. */
export function serviceRecords(lists: readonly unknown[]): unknown[] {
  return lists.flatMap(itemsOf).flatMap((item) => {
    const { metadata, spec } = (item ?? {}) as {
      metadata?: { name?: unknown; namespace?: unknown };
      spec?: {
        clusterIPs?: unknown;
        clusterIP?: unknown;
        selector?: unknown;
        ports?: unknown;
        type?: unknown;
      };
    };
    const name = text(metadata?.name);
    const namespace = text(metadata?.namespace);
    if (!isName(name) || !isNamespace(namespace)) return [];
    const ips = Array.isArray(spec?.clusterIPs) ? spec.clusterIPs : [spec?.clusterIP];
    return [
      {
        name,
        namespace,
        type: text(spec?.type) || "ClusterIP",
        clusterIPs: ips.map(text).filter((ip) => ip !== ""),
        selector: strings(spec?.selector),
        ports: (Array.isArray(spec?.ports) ? spec.ports : []).flatMap((port: unknown) => {
          const {
            name: portName,
            port: number,
            targetPort,
            protocol,
            appProtocol,
          } = (port ?? {}) as Record<string, unknown>;
          if (!Number.isInteger(number)) return [];
          return [
            {
              ...(text(portName) === "" ? {} : { name: text(portName) }),
              port: number,
              ...(Number.isInteger(targetPort) || text(targetPort) !== "" ? { targetPort } : {}),
              ...(text(protocol) === "" ? {} : { protocol: text(protocol) }),
              ...(text(appProtocol) === "" ? {} : { appProtocol: text(appProtocol) }),
            },
          ];
        }),
      },
    ];
  });
}

function itemsOf(list: unknown): unknown[] {
  const items = (list as { items?: unknown } | null)?.items;
  return Array.isArray(items) ? items : [];
}

/** null for what has no name that Kubernetes would accept: it could lead out of the bundle's folders. */
function recordOf(pod: RawPod | null): PodRecord | null {
  const name = text(pod?.metadata?.name);
  const namespace = text(pod?.metadata?.namespace);
  if (pod === null || !isName(name) || !isNamespace(namespace)) return null;
  const containers = [...list(pod.spec?.initContainers), ...list(pod.spec?.containers)];
  const owner = ownerOf(pod);
  const ips = list(pod.status?.podIPs).map(({ ip }) => text(ip));
  return {
    name,
    namespace,
    labels: strings(pod.metadata?.labels),
    ...(owner === null ? {} : { owner }),
    ips: (ips.length > 0 ? ips : [text(pod.status?.podIP)]).filter((ip) => ip !== ""),
    hostNetwork: pod.spec?.hostNetwork === true,
    proxyContainer: containers.some((container) => container.name === proxyContainer),
    ports: containers.flatMap(({ ports }) =>
      list(ports).flatMap(({ name: portName, containerPort, protocol }) =>
        typeof containerPort === "number"
          ? [
              {
                ...(text(portName) === "" ? {} : { name: text(portName) }),
                port: containerPort,
                ...(text(protocol) === "" ? {} : { protocol: text(protocol) }),
              },
            ]
          : [],
      ),
    ),
  };
}

/** The workload: a ReplicaSet stands for the Deployment whose name it carries before the template's hash. */
function ownerOf(pod: RawPod): { kind: string; name: string } | null {
  const owners = list(pod.metadata?.ownerReferences);
  const owner = owners.find(({ controller }) => controller === true) ?? owners[0];
  const kind = text(owner?.kind);
  const name = text(owner?.name);
  if (kind === "" || name === "") return null;
  const hash = text(pod.metadata?.labels?.["pod-template-hash"]);
  return kind === "ReplicaSet" && hash !== "" && name.endsWith(`-${hash}`)
    ? { kind: "Deployment", name: name.slice(0, -hash.length - 1) }
    : { kind, name };
}

/** Istiods carry the label that istioctl looks for; ztunnel's only container is named as a sidecar's. */
function kindOf({ labels, namespace, proxyContainer }: PodRecord, istioNamespace: string): TargetKind | null {
  if (labels["app"] === "istiod" && namespace === istioNamespace) return "istiod";
  if (!proxyContainer) return null;
  return labels["app"] === "ztunnel" || labels["app.kubernetes.io/name"] === "ztunnel" ? "ztunnel" : "proxy";
}

function isWanted(
  kind: TargetKind,
  pod: RawPod,
  record: PodRecord,
  { namespaces, excludedNamespaces, revision, workloads }: Filters,
): boolean {
  if (revision !== null && kind !== "ztunnel" && revisionOf(pod) !== revision) return false;
  if (kind === "istiod") return true;
  if (namespaces.length > 0 && !namespaces.includes(record.namespace)) return false;
  if (excludedNamespaces.includes(record.namespace)) return false;
  return workloads.length === 0 || workloads.some((workload) => belongsTo(record, workload));
}

/** The control plane's revision that injected a pod, or that an Istiod is of; `default` where nothing says so. */
function revisionOf({ metadata }: RawPod): string {
  const status = text(metadata?.annotations?.["sidecar.istio.io/status"]);
  const injected = /"revision"\s*:\s*"([^"]*)"/.exec(status)?.[1] ?? "";
  return (
    [injected, text(metadata?.labels?.["istio.io/rev"]), text(metadata?.annotations?.["istio.io/rev"])].find(
      (revision) => revision !== "",
    ) ?? "default"
  );
}

/** The names by which kubectl knows a kind, beside its own. */
const kindNames: ReadonlyMap<string, string> = new Map([
  ["po", "pod"],
  ["pods", "pod"],
  ["deploy", "deployment"],
  ["deployments", "deployment"],
  ["sts", "statefulset"],
  ["statefulsets", "statefulset"],
  ["ds", "daemonset"],
  ["daemonsets", "daemonset"],
  ["rs", "replicaset"],
  ["replicasets", "replicaset"],
  ["jobs", "job"],
]);

function belongsTo({ name, namespace, owner }: PodRecord, workload: string): boolean {
  const slash = workload.indexOf("/");
  const [asked = ""] = workload.slice(0, Math.max(slash, 0)).toLowerCase().split("."); // deployment.apps
  const kind = slash < 0 ? "pod" : (kindNames.get(asked) ?? asked);
  const rest = workload.slice(slash + 1);
  const isNamed = (what: string): boolean => rest === what || rest === `${what}.${namespace}`;
  if (kind === "pod") return isNamed(name);
  return owner?.kind.toLowerCase() === kind && isNamed(owner.name);
}

/** A name that Kubernetes accepts (RFC 1123 subdomain), which is also safe as a folder's. */
export const isName = (name: string): boolean =>
  name.length <= 253 && /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(name) && !name.includes("..");

/** A namespace that Kubernetes accepts (RFC 1123 label). */
const isNamespace = (name: string): boolean => name.length <= 63 && isName(name) && !name.includes(".");

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const list = <T>(value: readonly T[] | undefined): readonly T[] =>
  Array.isArray(value) ? (value as T[]).filter((item) => typeof item === "object" && item !== null) : [];
const strings = (value: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(typeof value === "object" && value !== null ? value : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
