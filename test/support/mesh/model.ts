/** What a generated mesh consists of. Plain data: the builders make it, faults copy and change it, layouts print it. */

import type { JsonObject } from "./json.js";

export interface MeshOptions {
  /** Everything that is chosen is chosen from it. */
  readonly seed: number | string;
  /** Release of the control plane and of every proxy; it decides the shape of the answers. */
  readonly istioVersion: string;
  /** When the capture began, in RFC 3339; every other time is counted from it. */
  readonly epoch: string;
  /** The Bookinfo application with its ingress gateway. */
  readonly bookinfo: boolean;
  /** Further services, for large meshes. */
  readonly services: number;
  /** Further sidecars, dealt out to the first of these services; services beyond them have pods without a proxy. */
  readonly proxies: number;
  /** Pods behind each further service. */
  readonly replicas: number;
  /** Replicas of the control plane. */
  readonly istiods: number;
  /** Namespaces of the further services. */
  readonly namespaces: number;
  /** Workloads whose pods have been replaced, by name: same place, other names, addresses and certificates. */
  readonly replaced: readonly string[];
}

export type PortProtocol = "http" | "grpc" | "tcp" | "auto";

export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number;
  readonly protocol: PortProtocol;
}

export interface MeshService {
  readonly name: string;
  readonly namespace: string;
  readonly hostname: string;
  readonly clusterIp: string;
  readonly ports: readonly ServicePort[];
  /** Empty for a service whose endpoints are written by hand. */
  readonly selector: Readonly<Record<string, string>>;
  readonly handMadeEndpoints: readonly string[];
  /** Of the DestinationRule, which has the service's name and namespace. */
  readonly subsets: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>> }[];
  /** Weighted routes of the VirtualService, which has the service's name and namespace; none without one. */
  readonly weights: readonly { readonly subset: string; readonly weight: number }[];
  /** Service accounts of the pods behind it, for the names that mutual TLS accepts. */
  readonly serviceAccounts: readonly string[];
  /** `internalTrafficPolicy: Local`. */
  readonly isNodeLocal?: boolean;
}

export interface Workload {
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly replicas: number;
  /** null: its pods have no proxy. */
  readonly proxyType: "sidecar" | "router" | null;
  readonly containers: readonly string[];
  readonly containerPorts: readonly number[];
}

export interface MeshPod {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: { readonly kind: string; readonly name: string };
  readonly ip: string;
  readonly node: string;
  readonly zone: string;
  readonly startedAt: number;
  readonly workload: Workload;
}

/** Resources of one kind that came with one push. */
export interface Received {
  readonly versionInfo: string;
  readonly at: number;
  readonly resources: readonly JsonObject[];
  /** When those came that did not come with the rest, by name. */
  readonly times?: ReadonlyMap<string, number>;
}

/** One of `dynamic_listeners`: the states of one name (envoyproxy/envoy, api/envoy/admin/v3/config_dump.proto). */
export interface ListenerEntry {
  /** "" for the nameless copy of a rejection. */
  readonly name: string;
  readonly active?: ListenerState;
  readonly warming?: ListenerState;
  readonly draining?: ListenerState;
  readonly error?: {
    readonly failed: JsonObject;
    readonly at: number;
    readonly details: string;
    readonly versionInfo: string;
  };
}
export interface ListenerState {
  readonly versionInfo: string;
  readonly at: number;
  readonly listener: JsonObject;
}

/** What one Envoy holds. */
export interface EnvoyConfig {
  readonly startedAt: number;
  readonly bootstrap: JsonObject;
  readonly clusters: Received;
  readonly warmingClusters: Received;
  readonly listenersVersion: string;
  readonly listeners: readonly ListenerEntry[];
  readonly routes: Received;
  readonly secrets: Received;
  /** One per active cluster, in the clusters' order: Envoy rebuilds them from its hosts. */
  readonly endpoints: readonly JsonObject[];
  /** By ECDS (Wasm and other filters); left out where the proxy asked for none. */
  readonly extensions?: Received;
}

/** What Istiod would send one proxy now. */
export interface DesiredConfig {
  readonly versionInfo: string;
  readonly clusters: readonly JsonObject[];
  readonly listeners: readonly JsonObject[];
  readonly routes: readonly JsonObject[];
  /** Only those that Istiod delivers: the credentials of gateways. */
  readonly secrets: readonly JsonObject[];
  readonly endpoints: readonly JsonObject[];
  readonly extensions?: readonly JsonObject[];
  /** When Istiod was asked for it; left out, with Istiod's other answers, after all proxies. */
  readonly askedAt?: number;
}

export type ServerState = "LIVE" | "DRAINING" | "PRE_INITIALIZING" | "INITIALIZING";

export interface MeshProxy {
  /** `<pod>.<namespace>`. */
  readonly id: string;
  readonly type: "sidecar" | "router";
  readonly pod: MeshPod;
  readonly istioVersion: string;
  readonly envoyVersion: string;
  readonly state: ServerState;
  readonly config: EnvoyConfig;
  readonly desired: DesiredConfig;
  /** The name of the Istiod that it is connected to; null when to none. */
  readonly connectedTo: string | null;
  readonly rejectedUpdates: { readonly cds: number; readonly lds: number; readonly rds: number };
  readonly files: {
    /** False: nothing of it was captured. */
    readonly captured: boolean;
    readonly dump: "whole" | "cut off" | "error text";
    readonly endpoints: boolean;
    readonly serverInfo: boolean;
  };
}

/** xDS types by their short names, in the order of `proxy-status`. */
export const syncTypes = ["cds", "lds", "eds", "rds", "ecds", "sds"] as const;
export type SyncType = (typeof syncTypes)[number];

/** What Istiod sent of one type and what came back; `sent` is "" when nothing was sent. */
export interface TypeNonces {
  readonly sent: string;
  readonly acked: string;
  /** When it was last sent; null for never. */
  readonly sentAt: number | null;
  readonly lastError: string;
}

/** One row of `/debug/syncz`: one connection. */
export interface SynczRow {
  readonly proxyId: string;
  readonly proxyType: string;
  readonly istioVersion: string;
  readonly clusterId: string;
  /** Only the types that the proxy asked for. */
  readonly types: Readonly<Partial<Record<SyncType, TypeNonces>>>;
}

export interface MeshIstiod {
  readonly name: string;
  readonly namespace: string;
  readonly pod: MeshPod;
  readonly version: string;
  /** Before the proxies were captured, and after. */
  readonly synczBefore: readonly SynczRow[];
  readonly syncz: readonly SynczRow[];
  /** What `/debug/mesh` says otherwise than that of the other replicas. */
  readonly meshConfig?: JsonObject;
  /** Addresses that its `/debug/endpointShardz` lacks. */
  readonly unseenAddresses?: ReadonlySet<string>;
}

export interface Mesh {
  readonly options: MeshOptions;
  /** Milliseconds; `options.epoch`. */
  readonly capturedAt: number;
  readonly clusterId: string;
  readonly trustDomain: string;
  readonly controlPlaneNamespace: string;
  readonly revision: string;
  readonly services: readonly MeshService[];
  /** Hosts of ServiceEntries, which Istiod knows beside the services of Kubernetes. */
  readonly serviceEntries?: readonly MeshService[];
  /** That all pods are in; left out where there is just one. */
  readonly network?: string;
  readonly workloads: readonly Workload[];
  readonly pods: readonly MeshPod[];
  readonly istiods: readonly MeshIstiod[];
  readonly proxies: readonly MeshProxy[];
  /** Istio's own configuration objects, as `/debug/configz` prints them. */
  readonly configObjects: readonly JsonObject[];
}

export const trustDomain = "cluster.local";
export const clusterId = "Kubernetes";
export const controlPlaneNamespace = "istio-system";
export const spiffeId = (namespace: string, serviceAccount: string): string =>
  `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
