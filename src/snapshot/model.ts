/**
 * The typed mesh: what a snapshot says about Istiods, proxies and their resources at one moment.
 *
 * Nothing here reads a file or a clock, so the model runs in a browser too. Names are Istio's and Envoy's own.
 */

import type { JsonObject, JsonValue } from "../shared/json-value.js";
import type { Problem } from "../shared/problem.js";
import type { Message } from "./message.js";
import type { CertificateSummary } from "../shared/certificate-summary.js";
import type { EndpointShards, KnownEndpoints, Registry } from "./parse/istiod-debug.js";
import type { NameTable } from "./parse/ndsz.js";
import type { ZtunnelDump } from "./parse/ztunnel-rows.js";
import type { Redaction } from "./redaction.js";

export type { Problem };

/** A part of the mesh that was collected, or the reason it was not. Missing never reads as fine. */
export type Collected<T> = Present<T> | Absent;
export interface Present<T> {
  readonly state: "present";
  readonly value: T;
}
export interface Absent {
  readonly state: "absent";
  readonly reason: string;
}

export const present = <T>(value: T): Present<T> => ({ state: "present", value });
export const absent = (reason: string): Absent => ({ state: "absent", reason });

/** Where in the snapshot an object stands: the bundle's entry and the RFC 6901 JSON pointer inside it ("" = all of it). */
export interface Origin {
  readonly entry: string;
  readonly pointer: string;
}

/** The kinds of xDS resource (and the bootstrap) that an Envoy dump holds. */
export const resourceKinds = [
  "cluster",
  "listener",
  "routeConfiguration",
  "scopedRoutes",
  "endpointAssignment",
  "secret",
  "extensionConfig",
  "bootstrap",
] as const;
export type ResourceKind = (typeof resourceKinds)[number];

/** The lists of a proxy; every one is collected or absent on its own (`envoy.admin.v3.*ConfigDump`). */
export type SectionKind = Exclude<ResourceKind, "bootstrap">;
export const sectionKinds = resourceKinds.filter((kind): kind is SectionKind => kind !== "bootstrap");

/**
 * One distinct resource, held once however many proxies have it.
 * `text` is the identity form: JSON, lossless but for white space, escapes, key order and name style.
 */
export interface Resource {
  /** Of kind and text; where identities were not asked for, a key that tells nothing of the content. */
  readonly hash: string;
  readonly kind: ResourceKind;
  /** Type name after the last "/" of `@type`, e.g. `envoy.config.cluster.v3.Cluster`; "" when the dump gave none. */
  readonly type: string;
  /** The resource's own name (`cluster_name` for endpoint assignments); "" when it has none. */
  readonly name: string;
  readonly text: string;
  /** The same, in the style of the dump, where `text` is only made when it is asked for: that costs much more. */
  readonly dumped?: DumpedContent;
}

/** A resource as it was dumped. */
export interface DumpedContent {
  /** Any JSON. */
  text(): string;
  /** @throws UnreadableResource */
  value(): JsonValue;
  /**
   * The value without some of its members, and which of these it has; null where its members are not all of one name each.
   * @throws UnreadableResource
   */
  without(
    members: ReadonlySet<string>,
  ): { readonly value: JsonObject; readonly left: readonly string[] } | null;
}

/** `error_state` of an Envoy admin section (`envoy.admin.v3.UpdateFailureState`). */
export interface Rejection {
  readonly details: string;
  /** RFC 3339, null when the dump does not say. */
  readonly lastUpdateAttempt: string | null;
  readonly versionInfo: string;
}

/** What a proxy says of one resource: which content it holds, in which state, since when, and where that is written. */
export interface ResourceReference {
  readonly kind: SectionKind;
  /** "" for the nameless (static) ones. */
  readonly name: string;
  /** Key into `Snapshot.resources`; null when only the error of a rejected resource was dumped. */
  readonly hash: string | null;
  /** From the bootstrap (static) or by xDS (dynamic). */
  readonly source: "static" | "dynamic";
  /** `unknown` for a bare `?resource=` slice, which does not tell which list it was taken from. */
  readonly state: ResourceState;
  readonly versionInfo: string;
  /** RFC 3339, null when the dump does not say. */
  readonly lastUpdated: string | null;
  /** Set for, and only for, state `rejected`. */
  readonly rejection: Rejection | null;
  readonly origin: Origin;
}

export const resourceStates = ["active", "warming", "draining", "rejected", "unknown"] as const;
export type ResourceState = (typeof resourceStates)[number];

/** The references of one section, in the order of the dump. Stored by column: a mesh has millions of them. */
export interface ReferenceList extends Iterable<ResourceReference> {
  readonly length: number;
  /** @throws RangeError outside 0..length-1 */
  at(index: number): ResourceReference;
  /** The content of one reference, null when none was dumped. */
  resource(index: number): Resource | null;
  /** `at(index).name`, and so on, for whoever looks at all references and needs few of them whole. */
  name(index: number): string;
  source(index: number): ResourceReference["source"];
  state(index: number): ResourceState;
  /** Those of a name, in the order of the list. */
  named(name: string): ReferenceList;
  /**
   * At least those with a word of ASCII in their content, in any case; there are no letters or digits around a word. Only
   * a list that was not read yet knows a shorter way to them than looking at all.
   */
  mentioning?(word: string): ReferenceList;
}

export type Sections = Readonly<Record<SectionKind, Collected<ReferenceList>>>;

/** `node.id` is `<type>~<ip>~<pod>.<namespace>~<dns domain>` (Istio, pkg/model/proxy.go). */
export interface NodeId {
  readonly type: string;
  readonly ip: string;
  readonly proxyId: string;
  readonly dnsDomain: string;
}

export interface Node {
  readonly id: string;
  /** null when the id does not follow Istio's grammar. */
  readonly parts: NodeId | null;
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly locality: { readonly region: string; readonly zone: string; readonly subZone: string } | null;
  /** Envoy's own version from `user_agent_build_version`, e.g. "1.31.2" or "1.31.2-dev"; null when not said. */
  readonly envoyVersion: string | null;
  readonly origin: Origin;
}

/** `/server_info` (`envoy.admin.v3.ServerInfo`). */
export interface ServerInfo {
  /** The whole text, `<sha>/<version>/<Clean|Modified|...>/<RELEASE|DEBUG>/<ssl library>`; older ones have four parts. */
  readonly version: string;
  readonly parts: {
    readonly revision: string;
    readonly version: string;
    readonly revisionStatus: string;
    readonly buildType: string;
    readonly ssl: string | null;
  } | null;
  /** LIVE, DRAINING, PRE_INITIALIZING, INITIALIZING; LIVE where proto3 left it out. */
  readonly state: string;
  /** Seconds; null when not said. */
  readonly uptimeSeconds: number | null;
  readonly node: Node | null;
  readonly origin: Origin;
}

/** Envoy's `/runtime`: what all of its layers come to. */
export interface RuntimeValues {
  /** Key -> final value; Envoy prints numbers, booleans and messages as texts, too. */
  readonly values: ReadonlyMap<string, string>;
  readonly origin: Origin;
}

/** Envoy's `/clusters`, from its JSON or its text form. */
export interface ClusterStatuses {
  /** `envoy.admin.v3.ClusterStatus`, proto names. */
  readonly messages: readonly Message[];
  /** Where each stands; without a pointer in the text form, into which none leads. */
  readonly origins: readonly Origin[];
}

export type ProxyType = "sidecar" | "router" | "waypoint" | "ztunnel" | "agentgateway" | "unknown";

/** One Envoy of the mesh. */
export interface Proxy {
  /** `<pod>.<namespace>`, as Istiod names it. */
  readonly id: string;
  readonly pod: string;
  readonly namespace: string;
  readonly type: ProxyType;
  readonly node: Collected<Node>;
  readonly serverInfo: Collected<ServerInfo>;
  /** Content in `Snapshot.resources`. */
  readonly bootstrap: Collected<{
    readonly hash: string;
    readonly lastUpdated: string | null;
    readonly origin: Origin;
  }>;
  readonly config: Sections;
  /** `/clusters`, which alone knows what was ejected. */
  readonly clusterStatuses: Collected<ClusterStatuses>;
  /** `/runtime`; the bootstrap's layers alone do not tell what an administrator set. */
  readonly runtime: Collected<RuntimeValues>;
  /** The entry of the config dump; null when none was captured. */
  readonly dumpEntry: string | null;
  /** When the dump was captured; null when nothing tells. */
  readonly capturedAt: string | null;
}

/** How far one xDS type of one proxy has got, from either form of Istiod's answer. */
export interface TypeSync {
  /** Full type, without `type.googleapis.com/`. */
  readonly typeUrl: string;
  /**
   * `nonces`: `/debug/syncz` tells what was sent and what was acknowledged. `verdict`: the XDS answer tells the result
   * (`envoy.service.status.v3.ConfigStatus`).
   */
  readonly evidence:
    | { readonly form: "nonces"; readonly sent: string; readonly acked: string }
    | { readonly form: "verdict"; readonly status: "UNKNOWN" | "SYNCED" | "NOT_SENT" | "STALE" | "ERROR" };
  /** RFC 3339 time of the last push; null when the release does not tell or nothing was sent. */
  readonly sentTime: string | null;
  /** The proxy's NACK text, "" when there is none or the release does not tell. */
  readonly error: string;
}

/** One row of Istiod's list: one ADS connection. */
export interface SyncState {
  readonly proxyId: string;
  readonly clusterId: string;
  /** "" before Istio 1.18 and in the XDS form. */
  readonly proxyType: string;
  readonly istioVersion: string;
  /** `proxy_version` of old releases. */
  readonly proxyVersion: string;
  readonly types: readonly TypeSync[];
  /** True when a type that is missing from `types` is one the proxy does not subscribe to (Istio 1.23 and newer). */
  readonly listsOnlySubscribed: boolean;
  readonly origin: Origin;
}

export interface SyncList {
  readonly form: "syncz" | "xds";
  readonly states: readonly SyncState[];
  /** Rows that could not be read: with any, "not in the list" proves nothing. */
  readonly lostRows: number;
  /** RFC 3339; null when nothing tells when it was asked. */
  readonly capturedAt: string | null;
  readonly origin: Origin;
}

/** What one Istiod would send one proxy (`/debug/config_dump?proxyID=`). */
export interface IstiodView {
  readonly proxyId: string;
  readonly config: Sections;
  readonly entry: string;
  readonly capturedAt: string | null;
}

/** One replica of the control plane. */
export interface Istiod {
  /** Pod name; for a must-gather, whose files name only the revision, `revision/<name>`. */
  readonly id: string;
  /** "" when the input does not tell. */
  readonly namespace: string;
  readonly sync: Collected<SyncList>;
  /** The same list taken before the proxies were asked. */
  readonly syncBefore: Collected<SyncList>;
  readonly version: Collected<{ readonly version: string; readonly origin: Origin }>;
  /** `/debug/mesh`: the mesh's configuration as this replica has it. */
  readonly mesh: Collected<{ readonly config: Message; readonly origin: Origin }>;
  /** `/debug/endpointShardz`, by the shards that Istiods have in common. */
  readonly endpointShards: Collected<{ readonly hosts: EndpointShards; readonly origin: Origin }>;
  /** The same answer, by service: what its clients are to hold. */
  readonly knownEndpoints: Collected<{
    readonly services: KnownEndpoints;
    /** RFC 3339; null where nothing tells. */
    readonly capturedAt: string | null;
    readonly origin: Origin;
  }>;
  /** `/debug/registryz`: the services that this replica knows. */
  readonly registry: Collected<{ readonly services: Registry; readonly origin: Origin }>;
  readonly views: readonly IstiodView[];
  /** `/debug/ndsz` of the proxies that capture DNS, as far as they are connected to this replica. */
  readonly nameTables: readonly NameTable[];
}

/** One ztunnel (`/config_dump` of ztunnel, which is not an Envoy dump). */
export interface Ztunnel {
  readonly id: string;
  readonly pod: string;
  readonly namespace: string;
  readonly dump: Collected<ZtunnelDump>;
}

export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `<kind>/<name>` of the first owner; "" for a bare pod. */
  readonly owner: string;
  readonly ips: readonly string[];
  /** Whether the pod has a container (or native sidecar) named istio-proxy. */
  readonly hasProxy: boolean;
  readonly hostNetwork: boolean;
  readonly origin: Origin;
}
export interface Service {
  readonly name: string;
  readonly namespace: string;
  readonly clusterIps: readonly string[];
  readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
  readonly selector: Readonly<Record<string, string>>;
  readonly origin: Origin;
}

/** What the collector promised of one target, from the manifest. */
export interface Gap {
  readonly target: string;
  readonly what: string;
  readonly reason: string;
}

export type CaptureTimeSource = "--at" | "manifest" | "tar entry" | "newest last_updated";

export type SourceKind =
  | "bundle"
  | "bug-report"
  | "must-gather"
  | "directory"
  | "config_dump"
  | "ztunnel config_dump"
  | "clusters"
  | "syncz"
  | "xds sync answer"
  | "istiod answers"
  | "route configuration";

/** Everything that a snapshot says. Lists are sorted by id, so two readings of one input are equal. */
export interface Snapshot {
  readonly source: {
    readonly kind: SourceKind;
    /** As the user named it; "-" for standard input. */
    readonly name: string;
    /** For a bundle: what wrote it. */
    readonly program: string | null;
    /** What was taken out before it was written; null when it does not say. */
    readonly redaction: Redaction | null;
    readonly window: { readonly start: string; readonly end: string } | null;
    /** Istiods of which the input holds just one replica each, so that "in no list" proves nothing. */
    readonly asksOneIstiodOnly: boolean;
  };
  /** What ages are measured against; null = unknown, and then no age may be shown. Never the present. */
  readonly captureTime: { readonly value: string; readonly source: CaptureTimeSource } | null;
  readonly istiods: readonly Istiod[];
  readonly proxies: readonly Proxy[];
  readonly ztunnels: readonly Ztunnel[];
  readonly pods: Collected<readonly Pod[]>;
  readonly services: Collected<readonly Service[]>;
  /** The certificates that redaction replaced, by the token that stands in their place. */
  readonly certificates: ReadonlyMap<string, CertificateSummary>;
  readonly resources: ReadonlyMap<string, Resource>;
  /** What the collector says it could not capture. */
  readonly gaps: readonly Gap[];
  readonly problems: readonly Problem[];
}
