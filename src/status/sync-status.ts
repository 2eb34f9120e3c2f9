/**
 * Which proxies have what Istiod sent them: the rows of `istioctl proxy-status`, from every era of Istiod's answer.
 * Rules: istio/istio, istioctl/pkg/writer/pilot/status.go (releases 1.4 to 1.31) and pilot/pkg/xds/statusgen.go.
 */
import { humanDuration } from "../shared/duration.js";
import { by } from "../shared/sorting.js";
import type { Istiod, Proxy, Snapshot, SyncList, SyncState, TypeSync } from "../snapshot/model.js";
import { splitProxyId } from "../snapshot/parse/node.js";
import { shortTypes } from "../snapshot/parse/syncz.js";

/** `UNKNOWN`: the release that wrote the answer does not tell. `-`: the proxy is in no Istiod's list. */
export type SyncWord =
  "SYNCED" | "NOT SENT" | "STALE" | "STALE (Never Acknowledged)" | "ERROR" | "IGNORED" | "UNKNOWN" | "-";

export interface TypeStatus {
  readonly state: SyncWord;
  /** RFC 3339 time of the last push; null when the release does not tell. */
  readonly sentTime: string | null;
  /** The proxy's NACK text; null when there is none. */
  readonly error: string | null;
  /** From push to capture in milliseconds, for what is not acknowledged; null when either time is unknown. */
  readonly age: number | null;
  /** For STALE: whether the push was on its way (`in flight`) or the proxy hangs (`stuck`); null = one answer cannot tell. */
  readonly progress: "in flight" | "stuck" | null;
}

/** One row: one connection of a proxy to an Istiod, or a captured proxy that no Istiod lists. */
export interface ProxyStatus {
  /** The proxy id, `<pod>.<namespace>`. */
  readonly name: string;
  readonly namespace: string;
  readonly cluster: string;
  /** "" when it is in no list. */
  readonly istiod: string;
  readonly version: string;
  readonly type: string;
  /** By short name (CDS, LDS, ...) where there is one, else by the full type; sorted. */
  readonly types: ReadonlyMap<string, TypeStatus>;
  /** null: the snapshot cannot tell. */
  readonly connected: boolean | null;
  /** Whether the snapshot holds the proxy's config dump. */
  readonly captured: boolean;
  readonly origin: SyncState["origin"] | null;
}

export interface SyncStatus {
  readonly rows: readonly ProxyStatus[];
  /** Proxies in a list of which no file was captured. */
  readonly listedNotCaptured: readonly string[];
  /** Captured proxies in no list, whatever that proves. */
  readonly capturedNotListed: readonly string[];
  /** Proxies in several lists (or twice in one), with the Istiods. */
  readonly listedTwice: ReadonlyMap<string, readonly string[]>;
  /** Why "in no list" proves nothing; null when it does. */
  readonly listsIncomplete: string | null;
  /** Set when there is no list at all. */
  readonly missing: string | null;
}

/** The five types with columns of their own, in istioctl's order. */
export const columnTypes = ["CDS", "LDS", "EDS", "RDS", "ECDS"] as const;
export type ColumnType = (typeof columnTypes)[number];

/** A push younger than this when it was asked for is on its way, not late (in milliseconds). */
const inFlight = 30_000;

const shortNames = new Map<string, string>([
  ...Object.entries(shortTypes).map(([short, full]): [string, string] => [full, short]),
  ["envoy.extensions.transport_sockets.tls.v3.Secret", "SDS"],
  ["istio.networking.nds.v1.NameTable", "NDS"],
  ["istio.mesh.v1alpha1.ProxyConfig", "PCDS"],
  ["istio.workload.Address", "WDS"],
  ["istio.workload.Workload", "WDS"],
  ["istio.security.Authorization", "WADS"],
  // v2 names of old releases
  ["envoy.api.v2.Cluster", "CDS"],
  ["envoy.api.v2.Listener", "LDS"],
  ["envoy.api.v2.ClusterLoadAssignment", "EDS"],
  ["envoy.api.v2.RouteConfiguration", "RDS"],
]);

/** The status of every proxy of a snapshot. */
export function syncStatus(snapshot: Snapshot): SyncStatus {
  const captured = new Map(snapshot.proxies.map((proxy) => [proxy.id, proxy]));
  const ztunnels = new Set(snapshot.ztunnels.map(({ id }) => id));
  const lists = snapshot.istiods.flatMap((istiod) =>
    istiod.sync.state === "present" ? [{ istiod, list: istiod.sync.value, earlier: rowsBefore(istiod) }] : [],
  );
  const connections = new Map<string, string[]>();
  const listed = lists.flatMap(({ istiod, list, earlier }) =>
    list.states.map((state): ProxyStatus => {
      const istiods = connections.get(state.proxyId) ?? [];
      istiods.push(istiod.id);
      connections.set(state.proxyId, istiods);
      return {
        name: state.proxyId,
        namespace: splitProxyId(state.proxyId).namespace,
        cluster: state.clusterId,
        istiod: istiod.id,
        version: state.istioVersion !== "" ? state.istioVersion : `${state.proxyVersion}*`,
        type:
          state.proxyType !== ""
            ? state.proxyType
            : (captured.get(state.proxyId)?.type ?? (ztunnels.has(state.proxyId) ? "ztunnel" : "unknown")),
        types: typesOf(
          state,
          earlier === null ? null : (earlier.get(state.proxyId) ?? []),
          askedAt(list, snapshot),
        ),
        connected: true,
        captured: captured.get(state.proxyId)?.dumpEntry != null || ztunnels.has(state.proxyId),
        origin: state.origin,
      };
    }),
  );
  const missing = lists.length > 0 ? null : reasonForNone(snapshot);
  const listsIncomplete = missing ?? reasonForIncomplete(snapshot);
  const notListed = snapshot.proxies.filter(({ id }) => !connections.has(id));
  const unlisted = notListed.map((proxy) => unlistedRow(proxy, listsIncomplete === null ? false : null));
  const rows = [...listed, ...unlisted];
  const byId =
    lists.every(({ list }) => list.form === "xds") ||
    rows.every(({ connected, cluster }) => connected !== true || cluster === "");
  return {
    // istioctl: by cluster, then id, since 1.13 gave the cluster; the XDS form by id alone
    rows: rows.sort(
      by(
        ...(byId ? [] : [(row: ProxyStatus) => row.cluster]),
        (row) => row.name,
        (row) => row.istiod,
      ),
    ),
    listedNotCaptured: [...connections.keys()].filter((id) => !captured.has(id) && !ztunnels.has(id)).sort(),
    capturedNotListed: notListed.map(({ id }) => id),
    listedTwice: new Map([...connections].filter(([, istiods]) => istiods.length > 1)),
    listsIncomplete,
    missing,
  };
}

/** Whether a row is wrong by itself: a push not taken (and not just on its way), an error, no connection. */
export function isWrong(row: ProxyStatus): boolean {
  return row.connected === false || [...row.types.values()].some(isWrongType);
}

export function isWrongType({ state, progress }: TypeStatus): boolean {
  return state === "ERROR" || (state.startsWith("STALE") && progress !== "in flight");
}

/** The status of one of the five types; what the row does not have by the rule of its era. */
export function columnStatus(row: ProxyStatus, type: ColumnType): TypeStatus {
  return row.types.get(type) ?? untold(row.connected === true ? "UNKNOWN" : "-");
}

/** What a table prints of a status: `STALE (stuck, 3m12s)`. */
export function statusText({ state, age, progress }: TypeStatus): string {
  if (state === "UNKNOWN") return "-";
  const remarks = [progress, age === null ? null : humanDuration(age)].filter((remark) => remark !== null);
  if (remarks.length === 0 || !(state === "ERROR" || state.startsWith("STALE"))) return state;
  const text = remarks.join(", ");
  return state.endsWith(")") ? `${state.slice(0, -1)}, ${text})` : `${state} (${text})`;
}

/** When a list was asked for, by the user's word first. */
function askedAt(list: SyncList, { captureTime }: Snapshot): string | null {
  return captureTime?.source === "--at" ? captureTime.value : (list.capturedAt ?? captureTime?.value ?? null);
}

const untold = (state: SyncWord): TypeStatus => ({
  state,
  sentTime: null,
  error: null,
  age: null,
  progress: null,
});

function typesOf(
  state: SyncState,
  earlier: readonly SyncState[] | null,
  capturedAt: string | null,
): Map<string, TypeStatus> {
  const types = new Map<string, TypeStatus>();
  for (const type of state.types) {
    const before =
      earlier?.flatMap(({ types: earlierTypes }) =>
        earlierTypes.filter(({ typeUrl }) => typeUrl === type.typeUrl),
      ) ?? null;
    const short = shortNames.get(type.typeUrl) ?? type.typeUrl;
    // two types with one short name (WDS) are told apart by their full names
    types.set(types.has(short) ? type.typeUrl : short, typeStatus(type, state.proxyType, before, capturedAt));
  }
  const absentWord: SyncWord = state.listsOnlySubscribed ? "IGNORED" : "UNKNOWN";
  for (const name of columnTypes) if (!types.has(name)) types.set(name, untold(absentWord));
  return new Map([...types].sort(by(([name]) => order(name))));
}

/** CDS, LDS, EDS, RDS, ECDS first, then by name. */
function order(name: string): string {
  const index = columnTypes.findIndex((type) => type === name);
  return index < 0 ? `~${name}` : String(index);
}

function typeStatus(
  type: TypeSync,
  proxyType: string,
  earlier: readonly TypeSync[] | null,
  capturedAt: string | null,
): TypeStatus {
  const state = wordOf(type, proxyType);
  const open = state === "ERROR" || state.startsWith("STALE");
  const elapsed =
    type.sentTime === null || capturedAt === null
      ? Number.NaN
      : Date.parse(capturedAt) - Date.parse(type.sentTime);
  const age = Number.isNaN(elapsed) ? null : Math.max(0, elapsed);
  return {
    state,
    sentTime: type.sentTime,
    error: type.error === "" ? null : type.error,
    age: open ? age : null,
    progress: state.startsWith("STALE") ? progressOf(type, earlier, age) : null,
  };
}

function wordOf({ evidence, error }: TypeSync, proxyType: string): SyncWord {
  if (evidence.form === "verdict") {
    switch (evidence.status) {
      case "UNKNOWN":
        return "IGNORED";
      case "NOT_SENT":
        return "NOT SENT";
      default:
        return evidence.status;
    }
  }
  const { sent, acked } = evidence;
  if (error !== "") return "ERROR";
  if (sent === "") return proxyType === "ztunnel" ? "IGNORED" : "NOT SENT";
  if (sent === acked) return "SYNCED";
  return acked === "" ? "STALE (Never Acknowledged)" : "STALE";
}

/**
 * Two answers tell a busy proxy from one that hangs: the same push, still not acknowledged, is stuck; another push since
 * then is in flight. With one answer only a push of the last seconds is known to be in flight.
 */
function progressOf(
  type: TypeSync,
  earlier: readonly TypeSync[] | null,
  age: number | null,
): TypeStatus["progress"] {
  if (earlier !== null) {
    if (earlier.length === 0) return "in flight"; // it was not connected, or not subscribed, moments ago
    const verdicts = earlier.map((before) => isSamePush(before, type));
    if (verdicts.includes(true)) return "stuck";
    if (!verdicts.includes(null)) return "in flight";
  }
  return age !== null && age < inFlight ? "in flight" : null;
}

/** Whether two answers speak of one push that is still open; null when they do not tell. */
function isSamePush(before: TypeSync, now: TypeSync): boolean | null {
  if (before.evidence.form === "nonces" && now.evidence.form === "nonces") {
    return before.evidence.sent === now.evidence.sent && before.evidence.acked === now.evidence.acked;
  }
  if (before.evidence.form === "verdict" && before.evidence.status !== "STALE") return false;
  return before.sentTime === null || now.sentTime === null ? null : before.sentTime === now.sentTime;
}

/** A proxy has a connection, for moments two; a list that repeats one without end would be compared without end. */
const repeatedAtMost = 20;

/** The rows of each proxy in the answer taken before; null when there was none. */
function rowsBefore({ syncBefore }: Istiod): ReadonlyMap<string, readonly SyncState[]> | null {
  if (syncBefore.state === "absent") return null;
  const rows = new Map<string, SyncState[]>();
  for (const state of syncBefore.value.states) {
    const own = rows.get(state.proxyId) ?? [];
    if (own.length < repeatedAtMost) own.push(state);
    rows.set(state.proxyId, own);
  }
  return rows;
}

function unlistedRow(proxy: Proxy, connected: false | null): ProxyStatus {
  const metadata = proxy.node.state === "present" ? proxy.node.value.metadata : {};
  const text = (key: string): string => (typeof metadata[key] === "string" ? metadata[key] : "");
  return {
    name: proxy.id,
    namespace: proxy.namespace,
    cluster: text("CLUSTER_ID"),
    istiod: "",
    version: text("ISTIO_VERSION"),
    type: proxy.type,
    types: new Map(columnTypes.map((type) => [type, untold("-")])),
    connected,
    captured: proxy.dumpEntry !== null,
    origin: proxy.node.state === "present" ? proxy.node.value.origin : null,
  };
}

function reasonForNone(snapshot: Snapshot): string {
  const reasons = snapshot.istiods.flatMap(({ id, sync }) =>
    sync.state === "absent" ? [`${id}: ${sync.reason}`] : [],
  );
  return reasons.length === 0
    ? "no answer of any Istiod is in this snapshot"
    : `no list of any Istiod could be read (${reasons.join("; ")})`;
}

function reasonForIncomplete(snapshot: Snapshot): string | null {
  if (snapshot.source.asksOneIstiodOnly) return "a must-gather asks only one Istiod of each revision";
  const missing = snapshot.istiods.filter(({ sync }) => sync.state === "absent");
  if (missing.length > 0) return `the list of ${missing.map(({ id }) => id).join(", ")} is missing`;
  const torn = snapshot.istiods.filter(({ sync }) => sync.state === "present" && sync.value.lostRows > 0);
  if (torn.length > 0) return `rows of the list of ${torn.map(({ id }) => id).join(", ")} could not be read`;
  const failed = snapshot.gaps.find(({ what }) => what.includes("syncz"));
  return failed === undefined ? null : `the list of ${failed.target} was not captured (${failed.reason})`;
}
