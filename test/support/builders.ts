/** Small inputs for tests: what a sentence does not mention is filled in here. */

import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readSnapshot, type ReadOptions } from "../../src/ingest/read-snapshot.js";
import type { Problem } from "../../src/shared/problem.js";
import {
  absent,
  present,
  resourceKinds,
  sectionKinds,
  type Collected,
  type Istiod,
  type Node,
  type Proxy,
  type ReferenceList,
  type Resource,
  type ResourceReference,
  type SectionKind,
  type Sections,
  type Snapshot,
  type SyncList,
  type SyncState,
  type TypeSync,
  type Ztunnel,
} from "../../src/snapshot/model.js";
import { readConfigDump, type ConfigDump } from "../../src/snapshot/parse/config-dump.js";
import { proxyTypeOf, splitProxyId } from "../../src/snapshot/parse/node.js";
import { resourceStore, type Platform, type ResourceStore } from "../../src/snapshot/parse/resources.js";
import { shortTypes } from "../../src/snapshot/parse/syncz.js";
import { messageFields } from "../../src/snapshot/parse/field-table.js";

/** Data of others; tests that need it skip where it is absent, unless everything is required. */
export const corpus = join(import.meta.dirname, "../../../shared/corpus");
export const everythingIsRequired = (process.env["ISTIO_SNAPSHOT_REQUIRE_ALL"] ?? "") !== "";

export const bytesOf = (value: unknown): Buffer =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

// Config dumps

export const platform: Platform = {
  hash: (text) => createHash("sha256").update(text).digest("hex"),
  same: (a, start, b) => Buffer.compare(a.subarray(start, start + b.length), b) === 0,
  searched: (bytes) => {
    const text = Buffer.from(bytes).toString("latin1");
    return { find: (what, from) => text.indexOf(what, from), all: () => text };
  },
};

export const aStore = (maxDepth = 256): ResourceStore => resourceStore(platform, maxDepth);

type Fields = Readonly<Record<string, unknown>>;

const typeUrl = (name: string): string => `type.googleapis.com/${name}`;

/** Types of the resources, by kind. */
export const resourceTypes = {
  cluster: "envoy.config.cluster.v3.Cluster",
  listener: "envoy.config.listener.v3.Listener",
  routeConfiguration: "envoy.config.route.v3.RouteConfiguration",
  scopedRoutes: "envoy.config.route.v3.ScopedRouteConfiguration",
  endpointAssignment: "envoy.config.endpoint.v3.ClusterLoadAssignment",
  secret: "envoy.extensions.transport_sockets.tls.v3.Secret",
  extensionConfig: "envoy.config.core.v3.TypedExtensionConfig",
} as const satisfies Record<SectionKind, string>;

/** A resource as it stands in a dump. */
export const aResource = (kind: SectionKind, name: string, fields: Fields = {}): Fields => ({
  "@type": typeUrl(resourceTypes[kind]),
  [kind === "endpointAssignment" ? "cluster_name" : "name"]: name,
  ...fields,
});
export const aCluster = (name: string, fields: Fields = {}): Fields => aResource("cluster", name, fields);
export const aListener = (name: string, fields: Fields = {}): Fields => aResource("listener", name, fields);

/** A section of `envoy.admin.v3`: `aSection("Clusters", { dynamic_active_clusters: [...] })`. */
export const aSection = (name: string, fields: Fields = {}, admin = "envoy.admin.v3"): Fields => ({
  "@type": typeUrl(`${admin}.${name}ConfigDump`),
  ...fields,
});

/** What the reader makes of a dump with these elements of `configs`. */
export const readDump = (configs: readonly unknown[], store = aStore()): ConfigDump =>
  readText({ configs }, store);

/** What the reader makes of a text (or of the text of a value). */
export const readText = (dump: unknown, store = aStore()): ConfigDump =>
  readConfigDump(bytesOf(dump), "dump", store);

/** The references of a section. */
export function referencesOf(list: Collected<ReferenceList>): ResourceReference[] {
  if (list.state === "absent") throw new Error(`absent: ${list.reason}`);
  return [...list.value];
}

export const reasonOf = (part: Collected<unknown>): string =>
  part.state === "absent" ? part.reason : "present";

export function valueOf<T>(part: Collected<T>): T {
  if (part.state === "absent") throw new Error(`absent: ${part.reason}`);
  return part.value;
}

/** What RFC 6901 says that a pointer leads to; undefined when it leads nowhere. */
export function at(document: unknown, pointer: string): unknown {
  let value = document;
  for (const token of pointer.split("/").slice(1)) {
    const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/**
 * A resource with the names of its fields in the other style, and everything else as it is; what is a field's name and
 * what is data is told by the types.
 */
export function renamed(value: unknown, style: "name" | "jsonName", type = ""): unknown {
  return renamedValue(value, { kind: "any", type }, style);
}

type Shape = NonNullable<ReturnType<NonNullable<ReturnType<typeof messageFields>>["get"]>>["value"];

function renamedValue(value: unknown, shape: Shape, style: "name" | "jsonName"): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => renamedValue(item, shape, style));
  const url = (value as Record<string, unknown>)["@type"];
  const type =
    shape.kind === "message"
      ? shape.type
      : shape.kind !== "any"
        ? ""
        : typeof url === "string"
          ? url.slice(url.lastIndexOf("/") + 1)
          : (shape.type ?? "");
  const fields = type === "" ? undefined : messageFields(type);
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      const field = fields?.get(key);
      const inner: Shape = field?.value ?? (shape.kind === "map" ? shape.value : { kind: "opaque" });
      return [field?.[style] ?? key, renamedValue(member, inner, style)];
    }),
  );
}

// The model

const origin = { entry: "test", pointer: "" };

/** What Istiod sent of a type and what came back. */
export const nonces = (sent: string, acked = sent, more: Partial<TypeSync> = {}): Partial<TypeSync> => ({
  evidence: { form: "nonces", sent, acked },
  ...more,
});

export const verdict = (
  status: (TypeSync["evidence"] & { form: "verdict" })["status"],
  more: Partial<TypeSync> = {},
): Partial<TypeSync> => ({ evidence: { form: "verdict", status }, ...more });

/** By short name (CDS, ...) or full type. */
type TypesGiven = Readonly<Record<string, Partial<TypeSync>>>;

/** A row of an Istiod's list, of a release that names the types that are subscribed to. */
export const aRow = (proxyId: string, types: TypesGiven = {}, more: Partial<SyncState> = {}): SyncState => ({
  proxyId,
  clusterId: "Kubernetes",
  proxyType: "sidecar",
  istioVersion: "1.24.2",
  proxyVersion: "",
  types: Object.entries(types).map(([name, type]): TypeSync => ({
    typeUrl: (shortTypes as Readonly<Record<string, string>>)[name] ?? name,
    evidence: { form: "nonces", sent: "nonce", acked: "nonce" },
    sentTime: null,
    error: "",
    ...type,
  })),
  listsOnlySubscribed: true,
  origin,
  ...more,
});

const aList = (states: readonly SyncState[], more: Partial<SyncList> = {}): SyncList => ({
  form: "syncz",
  states,
  lostRows: 0,
  capturedAt: null,
  origin,
  ...more,
});

interface IstiodGiven {
  /** What it listed; a text is the reason why that is missing. */
  readonly rows?: readonly SyncState[] | string;
  readonly before?: readonly SyncState[];
  readonly list?: Partial<SyncList>;
}

export const anIstiod = (id: string, { rows = [], before, list = {} }: IstiodGiven = {}): Istiod => ({
  id,
  namespace: "istio-system",
  sync: typeof rows === "string" ? absent(rows) : present(aList(rows, list)),
  syncBefore: before === undefined ? absent("not captured") : present(aList(before, list)),
  version: absent("not captured"),
  mesh: absent("not captured"),
  endpointShards: absent("not captured"),
  knownEndpoints: absent("not captured"),
  registry: absent("not captured"),
  views: [],
  nameTables: [],
});

const noSections = Object.fromEntries(
  sectionKinds.map((kind) => [kind, absent("not captured")]),
) as unknown as Sections;

export const aNode = (id: string, metadata: Fields = {}): Node => ({
  id: `sidecar~10.0.0.1~${id}~default.svc.cluster.local`,
  parts: { type: "sidecar", ip: "10.0.0.1", proxyId: id, dnsDomain: "default.svc.cluster.local" },
  cluster: "",
  metadata,
  locality: null,
  envoyVersion: null,
  origin,
});

/** A proxy of which the dump was captured. */
export function aProxy(id: string, metadata: Fields = {}): Proxy {
  const node = aNode(id, metadata);
  return {
    id,
    ...splitProxyId(id),
    type: proxyTypeOf(node.parts?.type),
    node: present(node),
    serverInfo: absent("not captured"),
    bootstrap: absent("not captured"),
    config: noSections,
    clusterStatuses: absent("not captured"),
    runtime: absent("not captured"),
    dumpEntry: `proxies/${id}/config_dump`,
    capturedAt: null,
  };
}

export const aZtunnel = (id: string): Ztunnel => ({
  id,
  ...splitProxyId(id),
  dump: absent("not captured"),
});

/** A bundle with just these Istiods and proxies. */
export const aSnapshot = (parts: Partial<Snapshot> = {}): Snapshot => ({
  source: {
    kind: "bundle",
    name: "test",
    program: null,
    redaction: null,
    window: null,
    asksOneIstiodOnly: false,
  },
  captureTime: null,
  istiods: [],
  proxies: [],
  ztunnels: [],
  pods: absent("not captured"),
  services: absent("not captured"),
  certificates: new Map(),
  resources: new Map<string, Resource>(),
  gaps: [],
  problems: [],
  ...parts,
});

// Whole snapshots

/** A folder for the files of one test file; `remove` it at the end. */
export async function aFolder(): Promise<{
  readonly path: string;
  readonly write: (name: string, content: Uint8Array | string) => Promise<string>;
  readonly remove: () => Promise<void>;
}> {
  const path = await mkdtemp(join(tmpdir(), "istio-snapshot-test-"));
  return {
    path,
    write: async (name, content) => {
      await writeFile(join(path, name), content);
      return join(path, name);
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** The snapshot in these bytes, as if they came on standard input. */
export async function snapshotIn(
  content: Uint8Array | string | object,
  options: ReadOptions = {},
): Promise<Snapshot> {
  const bytes = content instanceof Uint8Array ? content : bytesOf(content);
  const stream = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes);
  };
  return readSnapshot("-", { ...options, stdin: stream() });
}

const plainSections = (config: Sections): unknown =>
  Object.fromEntries(
    sectionKinds.map((kind) => {
      const list = config[kind];
      return [kind, list.state === "absent" ? list : present([...list.value])];
    }),
  );

const problemKey = ({ entry, pointer, message }: Problem): string => `${entry}#${pointer} ${message}`;

/** A snapshot as plain data that can be compared: lists written out, what has no order sorted. */
export function plain(snapshot: Snapshot): {
  readonly source: unknown;
  readonly captureTime: Snapshot["captureTime"];
  readonly proxies: readonly unknown[];
  readonly istiods: readonly unknown[];
  readonly others: unknown;
  readonly problems: readonly string[];
} {
  return {
    source: { ...snapshot.source, name: "" },
    captureTime: snapshot.captureTime,
    proxies: snapshot.proxies.map((proxy) => ({ ...proxy, config: plainSections(proxy.config) })),
    istiods: snapshot.istiods.map((istiod) => ({
      ...istiod,
      views: istiod.views.map((view) => ({ ...view, config: plainSections(view.config) })),
    })),
    others: {
      ztunnels: snapshot.ztunnels,
      pods: snapshot.pods,
      services: snapshot.services,
      gaps: snapshot.gaps,
      resources: [...snapshot.resources.values()].sort(
        (a, b) => resourceKinds.indexOf(a.kind) - resourceKinds.indexOf(b.kind) || (a.hash < b.hash ? -1 : 1),
      ),
    },
    problems: snapshot.problems.map(problemKey).sort(),
  };
}
