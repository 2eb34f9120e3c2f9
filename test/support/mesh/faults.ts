/**
 * Named faults for a generated mesh. Each takes a healthy mesh and gives a copy with one thing wrong, and says what a
 * reader of a capture must see. What each fault looks like is from istio/istio, pilot/pkg/xds, and envoyproxy/envoy, api/envoy/admin/v3.
 */

import { bootstrapOf, revisionShaOf } from "./bootstrap.js";
import { capturePlan } from "./capture.js";
import { outboundCluster, outboundName, sortedByName } from "./clusters.js";
import { configObjectsOf } from "./config-objects.js";
import { addressesOf, liveAssignment, sentAssignment, socketAddress } from "./endpoints.js";
import { isObject, shared, textOf, type JsonObject } from "./json.js";
import { httpListener, listenerType } from "./listeners.js";
import type { ListenerEntry, Mesh, MeshProxy, MeshService, SynczRow, SyncType, TypeNonces } from "./model.js";
import { randomFor } from "./random.js";
import { atLeast, envoyVersionOf, numbersOf } from "./release.js";
import { newNonce } from "./syncz.js";
import { days, minutes, rfc3339Seconds, seconds } from "./time.js";

export const faultNames = [
  "stale-cds",
  "never-acked-lds",
  "not-sent-rds-gateway",
  "missing-from-syncz",
  "listed-not-captured",
  "rejected-listener",
  "warming-listener",
  "warming-cluster",
  "draining-listener",
  "version-skew",
  "missing-server-info",
  "not-live",
  "in-two-lists",
  "in-flight",
  "stuck",
  "dump-truncated",
  "dump-error-text",
  "no-eds",
] as const;
export type FaultName = (typeof faultNames)[number];

export interface FaultRequest {
  readonly fault: FaultName;
  /** The proxy's id or its beginning; left out, the fault takes the first suitable proxy without a fault. */
  readonly proxy?: string;
}

/** As `istioctl proxy-status` and, for ERROR, the contract say it. */
export type StatusText = "SYNCED" | "NOT SENT" | "STALE" | "STALE (Never Acknowledged)" | "ERROR";

export interface FaultNote {
  readonly fault: FaultName;
  readonly proxyId: string;
  readonly expect: {
    /** One sentence for people. */
    readonly says: string;
    /** States that differ from SYNCED. */
    readonly status?: Readonly<Partial<Record<SyncType, StatusText>>>;
    /** The name of the resource that the fault is about. */
    readonly resource?: string;
    /** The text that stands in the capture as the reason. */
    readonly details?: string;
  };
}

export interface FaultyMesh {
  readonly mesh: Mesh;
  readonly notes: readonly FaultNote[];
}

/** The mesh with these faults, applied one after the other. */
export function applyFaults(healthy: Mesh, faults: readonly (FaultName | FaultRequest)[]): FaultyMesh {
  let mesh = healthy;
  const notes: FaultNote[] = [];
  for (const request of faults) {
    const { fault, proxy: wanted } =
      typeof request === "string" ? { fault: request } : { proxy: undefined, ...request };
    const proxy = victimOf(mesh, fault, wanted, notes);
    const change = changes[fault](mesh, proxy);
    mesh = change.mesh;
    notes.push({ fault, proxyId: proxy.id, expect: change.expect });
  }
  return { mesh, notes };
}

/** Faults after which nothing else of the proxy could be seen: each gets a proxy of its own while there is one. */
const hidingFaults: ReadonlySet<FaultName> = new Set([
  "missing-from-syncz",
  "listed-not-captured",
  "dump-truncated",
  "dump-error-text",
]);

/** The suitable proxy with the fewest faults; one whose faults would hide this one, or be hidden by it, only if named. */
function victimOf(
  mesh: Mesh,
  fault: FaultName,
  wanted: string | undefined,
  notes: readonly FaultNote[],
): MeshProxy {
  const type = fault === "not-sent-rds-gateway" ? "router" : "sidecar";
  const candidates = mesh.proxies.filter((proxy) =>
    wanted === undefined ? proxy.type === type : proxy.id.startsWith(wanted),
  );
  const faultsOf = ({ id }: MeshProxy): FaultName[] =>
    notes.filter(({ proxyId }) => proxyId === id).map((note) => note.fault);
  const cost = (proxy: MeshProxy): number => {
    const earlier = faultsOf(proxy);
    const hidden =
      earlier.some((name) => hidingFaults.has(name)) || (hidingFaults.has(fault) && earlier.length > 0);
    return earlier.length + (hidden ? 100 : 0) + (proxy.files.captured ? 0 : 1000);
  };
  const [proxy] = [...candidates].sort((left, right) => cost(left) - cost(right));
  if (proxy === undefined) throw new Error(`no ${wanted ?? type} for the fault ${fault}`);
  return proxy;
}

interface Change {
  readonly mesh: Mesh;
  readonly expect: FaultNote["expect"];
}

const changes: Readonly<Record<FaultName, (mesh: Mesh, proxy: MeshProxy) => Change>> = {
  "stale-cds": staleClusters,
  "never-acked-lds": (mesh, proxy) => ({
    mesh: withRows(mesh, proxy, "both samples", (row) =>
      withType(row, "lds", { ...pushed(mesh, row, "lds", minutes(27)), acked: "" }),
    ),
    expect: {
      says: "Listeners were sent 27 minutes before the capture and never acknowledged on this connection.",
      status: { lds: "STALE (Never Acknowledged)" },
    },
  }),
  "not-sent-rds-gateway": gatewayWithoutServers,
  "missing-from-syncz": (mesh, proxy) => ({
    mesh: withProxy(withoutRows(mesh, proxy), proxy, () => ({ connectedTo: null })),
    expect: { says: "The proxy was captured, but no Istiod lists it." },
  }),
  "listed-not-captured": (mesh, proxy) => ({
    mesh: withFiles(mesh, proxy, { captured: false }),
    expect: { says: "An Istiod lists the proxy, but nothing of it was captured." },
  }),
  "rejected-listener": rejectedListener,
  "warming-listener": warmingListener,
  "warming-cluster": warmingCluster,
  "draining-listener": drainingListener,
  "version-skew": versionSkew,
  "missing-server-info": (mesh, proxy) => ({
    mesh: withFiles(mesh, proxy, { serverInfo: false }),
    expect: { says: "server_info is missing." },
  }),
  "not-live": (mesh, proxy) => ({
    mesh: withProxy(mesh, proxy, ({ config }) => ({
      state: "PRE_INITIALIZING",
      config: {
        ...config,
        // before its workers start, Envoy lists all dynamic listeners as warming
        listeners: config.listeners.map((entry): ListenerEntry =>
          entry.active === undefined ? entry : { name: entry.name, warming: entry.active },
        ),
      },
    })),
    expect: {
      says: "server_info says PRE_INITIALIZING; all listeners are warming.",
      details: "PRE_INITIALIZING",
    },
  }),
  "in-two-lists": inTwoLists,
  "in-flight": (mesh, proxy) => {
    const sentAt = capturePlan(mesh).after - seconds(2);
    return {
      mesh: withRows(mesh, proxy, "second sample", (row) =>
        withType(row, "eds", { ...pushed(mesh, row, "eds", mesh.capturedAt - sentAt) }),
      ),
      expect: {
        says: "Endpoints were sent while the capture ran: SYNCED before, STALE after, with another nonce.",
        status: { eds: "STALE" },
      },
    };
  },
  stuck: (mesh, proxy) => ({
    mesh: withRows(mesh, proxy, "both samples", (row) =>
      withType(row, "eds", pushed(mesh, row, "eds", minutes(19))),
    ),
    expect: {
      says: "Endpoints were sent 19 minutes before the capture; both samples are STALE with the same nonces.",
      status: { eds: "STALE" },
    },
  }),
  "dump-truncated": (mesh, proxy) => ({
    mesh: withFiles(mesh, proxy, { dump: "cut off" }),
    expect: { says: "The config dump ends in the middle." },
  }),
  "dump-error-text": (mesh, proxy) => ({
    mesh: withFiles(mesh, proxy, { dump: "error text" }),
    expect: { says: "Under the config dump's name stands an error text.", details: dumpErrorText.trim() },
  }),
  "no-eds": (mesh, proxy) => ({
    mesh: withFiles(mesh, proxy, { endpoints: false }),
    expect: { says: "The config dump has no endpoints section." },
  }),
};

/** What Envoy answers when its JSON printer meets a type that it does not know. */
export const dumpErrorText =
  "Unable to convert message to JSON: type URL type.googleapis.com/stats.PluginConfig not found\n";

/** A DestinationRule was added 26 minutes before the capture; all proxies have its cluster but one. */
function staleClusters(mesh: Mesh, laggard: MeshProxy): Change {
  const pushedAt = mesh.capturedAt - minutes(26);
  const old = mesh.services.find(({ name }) => name === "ratings") ?? mesh.services.at(-1);
  const labels = mesh.workloads.find(({ labels }) => labels["app"] === old?.selector["app"])?.labels;
  if (old === undefined || labels === undefined) throw new Error("the mesh has no service to add a rule for");
  const service: MeshService = {
    ...old,
    subsets: [...old.subsets, { name: "canary", labels: { version: labels["version"] ?? "v1" } }],
  };
  const made = service.ports.flatMap((port) =>
    ["", ...service.subsets.map(({ name }) => name)].map((subset) => {
      const name = outboundName(service, port.port, subset);
      const addresses = addressesOf(service, port, subset, mesh.pods);
      return {
        name,
        cluster: outboundCluster(service, port, subset, mesh.options.istioVersion),
        sent: sentAssignment(name, addresses),
        live: liveAssignment(name, addresses),
      };
    }),
  );
  const names = new Set(made.map(({ name }) => name));
  const merged = (
    resources: readonly JsonObject[],
    additions: readonly JsonObject[],
  ): readonly JsonObject[] =>
    [...resources.filter((resource) => !names.has(nameOf(resource))), ...additions].sort((left, right) =>
      nameOf(left) < nameOf(right) ? -1 : 1,
    );

  const proxies = mesh.proxies.map((proxy): MeshProxy => {
    const versionInfo = nextVersion(proxy.desired.versionInfo, pushedAt);
    const desired = {
      ...proxy.desired,
      versionInfo,
      clusters: merged(
        proxy.desired.clusters,
        made.map(({ cluster }) => cluster),
      ),
      endpoints: merged(
        proxy.desired.endpoints,
        made.map(({ sent }) => sent),
      ),
    };
    if (proxy.id === laggard.id) return { ...proxy, desired };
    return {
      ...proxy,
      desired,
      config: {
        ...proxy.config,
        clusters: { versionInfo, at: pushedAt + 120, resources: desired.clusters },
        endpoints: merged(
          proxy.config.endpoints,
          made.map(({ live }) => live),
        ),
      },
    };
  });
  const services = mesh.services.map((candidate) => (candidate === old ? service : candidate));
  const pushedMesh: Mesh = {
    ...mesh,
    proxies,
    services,
    configObjects: configObjectsOf(services, mesh.options.bookinfo, mesh.capturedAt - days(30)),
  };
  const withPush = mesh.proxies.reduce(
    (current, proxy) =>
      withRows(current, proxy, "both samples", (row) => {
        const nonces = pushed(current, row, "cds", minutes(26));
        return withType(row, "cds", proxy.id === laggard.id ? nonces : { ...nonces, acked: nonces.sent });
      }),
    pushedMesh,
  );
  const newest = made.find(({ name }) => name.includes("|canary|"))?.name ?? "";
  return {
    mesh: withPush,
    expect: {
      says: `Clusters were sent 26 minutes before the capture and not acknowledged; Envoy lacks ${newest}.`,
      status: { cds: "STALE" },
      resource: newest,
    },
  };
}

/** A gateway that no Gateway object selects: no listeners, no routes, RDS asked for and never sent. */
function gatewayWithoutServers(mesh: Mesh, proxy: MeshProxy): Change {
  const changed = withProxy(mesh, proxy, ({ config, desired }) => ({
    config: {
      ...config,
      listeners: [],
      routes: { ...config.routes, resources: [] },
      secrets: {
        ...config.secrets,
        resources: config.secrets.resources.filter((secret) => !nameOf(secret).startsWith("kubernetes://")),
      },
    },
    desired: { ...desired, listeners: [], routes: [], secrets: [] },
  }));
  const withoutSecrets = withRows(changed, proxy, "both samples", (row) => {
    const { cds, lds, eds } = row.types;
    const rds = { sent: "", acked: "", sentAt: null, lastError: "" };
    return { ...row, types: { ...(cds && { cds }), ...(lds && { lds }), ...(eds && { eds }), rds } };
  });
  return {
    mesh: {
      ...withoutSecrets,
      configObjects: mesh.configObjects.filter(
        ({ kind, metadata }) =>
          kind !== "Gateway" &&
          !(kind === "VirtualService" && isObject(metadata) && textOf(metadata, "name") === "bookinfo"),
      ),
    },
    expect: {
      says: "A gateway without servers: no routes were sent, which is no fault.",
      status: { rds: "NOT SENT" },
    },
  };
}

/** A listener with two chains of the same match: Envoy refuses it and keeps the others. */
function rejectedListener(mesh: Mesh, proxy: MeshProxy): Change {
  const name = "0.0.0.0_9443";
  const chain = {
    filter_chain_match: { server_names: ["shop.example.com"] },
    filters: [
      {
        name: "envoy.filters.network.tcp_proxy",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
          stat_prefix: "BlackHoleCluster",
          cluster: "BlackHoleCluster",
        },
      },
    ],
  };
  const failed = shared({
    "@type": listenerType,
    name,
    address: socketAddress("0.0.0.0", 9443),
    filter_chains: [chain, chain],
    traffic_direction: "OUTBOUND",
  });
  const details = `error adding listener '${name}': filter chain '' has the same matching rules defined as ''`;
  const age = minutes(12);
  const versionInfo = nextVersion(proxy.desired.versionInfo, mesh.capturedAt - age);
  const error = { failed, at: mesh.capturedAt - age + 80, details, versionInfo };
  const changed = withProxy(mesh, proxy, ({ config, desired, rejectedUpdates }) => ({
    config: { ...config, listeners: [...config.listeners, { name, error }, { name: "", error }] },
    desired: { ...desired, versionInfo, listeners: [...desired.listeners, failed] },
    rejectedUpdates: { ...rejectedUpdates, lds: rejectedUpdates.lds + 1 },
  }));
  const lastError = `Error adding/updating listener(s) ${name}: ${details}\n`;
  return {
    mesh: withRows(changed, proxy, "both samples", (row) =>
      withType(row, "lds", { ...pushed(mesh, row, "lds", age), lastError }),
    ),
    expect: {
      says: `Envoy rejected the listener ${name} 12 minutes before the capture.`,
      status: { lds: atLeast(mesh.options.istioVersion, "1.23") ? "ERROR" : "STALE" },
      resource: name,
      details,
    },
  };
}

/** A new port whose route configuration has not come. */
function warmingListener(mesh: Mesh, proxy: MeshProxy): Change {
  const listener = httpListener(9999, proxy.pod.workload, mesh.options.istioVersion);
  const name = nameOf(listener);
  const versionInfo = nextVersion(proxy.desired.versionInfo, mesh.capturedAt - minutes(8));
  return {
    mesh: withProxy(mesh, proxy, ({ config, desired }) => ({
      config: {
        ...config,
        listeners: [
          ...config.listeners,
          { name, warming: { versionInfo, at: mesh.capturedAt - minutes(8) + 150, listener } },
        ],
      },
      desired: { ...desired, listeners: [...desired.listeners, listener] },
    })),
    expect: {
      says: `The listener ${name} has been warming for 8 minutes: it waits for the routes 9999.`,
      resource: name,
    },
  };
}

/** A new service whose endpoints have not come. */
function warmingCluster(mesh: Mesh, proxy: MeshProxy): Change {
  const port = { name: "http", port: 8080, targetPort: 8080, protocol: "http" } as const;
  const service: MeshService = {
    name: "loyalty",
    namespace: "default",
    hostname: "loyalty.default.svc.cluster.local",
    clusterIp: "10.103.7.21",
    ports: [port],
    selector: { app: "loyalty" },
    handMadeEndpoints: [],
    subsets: [],
    weights: [],
    serviceAccounts: ["loyalty"],
  };
  const cluster = outboundCluster(service, port, "", mesh.options.istioVersion);
  const at = mesh.capturedAt - minutes(6);
  const versionInfo = nextVersion(proxy.desired.versionInfo, at);
  return {
    mesh: withProxy(mesh, proxy, ({ config, desired }) => ({
      config: {
        ...config,
        warmingClusters: { versionInfo, at, resources: [...config.warmingClusters.resources, cluster] },
      },
      desired: { ...desired, clusters: sortedByName([...desired.clusters, cluster]) },
    })),
    expect: {
      says: `The cluster ${nameOf(cluster)} has been warming for 6 minutes: it waits for its endpoints.`,
      resource: nameOf(cluster),
    },
  };
}

/** A listener that Istiod has removed and whose connections are not over. */
function drainingListener(mesh: Mesh, proxy: MeshProxy): Change {
  const listener = httpListener(8888, proxy.pod.workload, mesh.options.istioVersion);
  const name = nameOf(listener);
  const at = mesh.capturedAt - minutes(50);
  const draining = { versionInfo: proxy.desired.versionInfo, at, listener };
  return {
    mesh: withProxy(mesh, proxy, ({ config }) => ({
      config: { ...config, listeners: [...config.listeners, { name, draining }] },
    })),
    expect: { says: `The listener ${name} is draining; Istiod no longer has it.`, resource: name },
  };
}

/** Four minor releases behind: twice as far as Istio supports. */
function versionSkew(mesh: Mesh, proxy: MeshProxy): Change {
  const [major, minor] = numbersOf(mesh.options.istioVersion);
  const istioVersion = `${major}.${Math.max(1, minor - 4)}.8`;
  const envoyVersion = envoyVersionOf(istioVersion);
  const older = withProxy(mesh, proxy, ({ config, pod, type }) => ({
    istioVersion,
    envoyVersion,
    config: {
      ...config,
      bootstrap: bootstrapOf({
        pod,
        type,
        istioVersion,
        envoyVersion,
        revisionSha: revisionShaOf(envoyVersion),
      }),
    },
  }));
  return {
    mesh: withRows(older, proxy, "both samples", (row) => ({ ...row, istioVersion })),
    expect: {
      says: `The proxy runs Istio ${istioVersion}, its Istiod ${mesh.options.istioVersion}.`,
      details: istioVersion,
    },
  };
}

/** The proxy is reconnecting: the Istiod that it left has not noticed. */
function inTwoLists(mesh: Mesh, proxy: MeshProxy): Change {
  const other = mesh.istiods.find(({ name }) => name !== proxy.connectedTo);
  const row = mesh.istiods.flatMap(({ syncz }) => syncz).find(({ proxyId }) => proxyId === proxy.id);
  if (other === undefined || row === undefined)
    throw new Error("in-two-lists needs two Istiods and a listed proxy");
  const random = randomFor(mesh.options.seed, `second connection/${proxy.id}`);
  const types = Object.fromEntries(
    Object.entries(row.types).map(([type, nonces]): [string, TypeNonces] => {
      const nonce = newNonce(random, "");
      return [type, { ...nonces, sent: nonce, acked: nonce }];
    }),
  );
  const second: SynczRow = { ...row, types };
  return {
    mesh: {
      ...mesh,
      istiods: mesh.istiods.map((istiod) =>
        istiod === other
          ? { ...istiod, syncz: [...istiod.syncz, second], synczBefore: [...istiod.synczBefore, second] }
          : istiod,
      ),
    },
    expect: { says: "Two Istiods list the proxy.", details: other.name },
  };
}

const nameOf = (resource: JsonObject): string => textOf(resource, "name") || textOf(resource, "cluster_name");

/** The version of the push after that one: `<time>/<count>`. */
export function nextVersion(version: string, pushedAt: number): string {
  const count = Number(version.slice(version.indexOf("/") + 1));
  return `${rfc3339Seconds(pushedAt)}/${count + 1}`;
}

/** One more push of a type that has not been acknowledged. */
export function pushed(mesh: Mesh, row: SynczRow, type: SyncType, age: number): TypeNonces {
  const sentAt = mesh.capturedAt - age;
  const acked = row.types[type]?.acked ?? "";
  const prefix = atLeast(mesh.options.istioVersion, "1.8") ? `${rfc3339Seconds(sentAt)}/401` : "";
  const random = randomFor(mesh.options.seed, `push of ${type}/${row.proxyId}/${age}`);
  return { sent: newNonce(random, prefix), acked, sentAt, lastError: "" };
}

function withProxy(mesh: Mesh, victim: MeshProxy, change: (proxy: MeshProxy) => Partial<MeshProxy>): Mesh {
  return {
    ...mesh,
    proxies: mesh.proxies.map((proxy) => (proxy.id === victim.id ? { ...proxy, ...change(proxy) } : proxy)),
  };
}

const withFiles = (mesh: Mesh, victim: MeshProxy, files: Partial<MeshProxy["files"]>): Mesh =>
  withProxy(mesh, victim, (proxy) => ({ files: { ...proxy.files, ...files } }));

export const withType = (row: SynczRow, type: SyncType, nonces: TypeNonces): SynczRow => ({
  ...row,
  types: { ...row.types, [type]: nonces },
});

export function withRows(
  mesh: Mesh,
  proxy: MeshProxy,
  samples: "both samples" | "second sample",
  change: (row: SynczRow) => SynczRow,
): Mesh {
  const changeRows = (rows: readonly SynczRow[]): readonly SynczRow[] =>
    rows.some(({ proxyId }) => proxyId === proxy.id)
      ? rows.map((row) => (row.proxyId === proxy.id ? change(row) : row))
      : rows;
  return {
    ...mesh,
    istiods: mesh.istiods.map((istiod) => ({
      ...istiod,
      syncz: changeRows(istiod.syncz),
      synczBefore: samples === "both samples" ? changeRows(istiod.synczBefore) : istiod.synczBefore,
    })),
  };
}

function withoutRows(mesh: Mesh, proxy: MeshProxy): Mesh {
  const others = (rows: readonly SynczRow[]): readonly SynczRow[] =>
    rows.filter(({ proxyId }) => proxyId !== proxy.id);
  return {
    ...mesh,
    istiods: mesh.istiods.map((istiod) => ({
      ...istiod,
      syncz: others(istiod.syncz),
      synczBefore: others(istiod.synczBefore),
    })),
  };
}
