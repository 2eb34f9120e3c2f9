/** One proxy's row and section: its facts, how far each type has got, what it holds, what it rejected. */
import type { ProxyDrift } from "../diff/drift.js";
import { humanDuration } from "../shared/duration.js";
import { excerpt } from "../shared/printable.js";
import {
  sectionKinds,
  type Collected,
  type Proxy,
  type ReferenceList,
  type ResourceReference,
  type SectionKind,
} from "../snapshot/model.js";
import {
  columnStatus,
  columnTypes,
  isWrongType,
  statusText,
  type ColumnType,
  type ProxyStatus,
  type SyncStatus,
  type TypeStatus,
} from "../status/sync-status.js";
import type { Fact, ProxySection, ResourceNotice, SyncCell, SyncRow } from "./document.js";
import { proxyDrift } from "./drift-section.js";
import { countOf } from "./wording.js";

type Tone = SyncCell["tone"];

const labels: Readonly<Record<SectionKind, string>> = {
  cluster: "Clusters (CDS)",
  listener: "Listeners (LDS)",
  routeConfiguration: "Route configurations (RDS)",
  scopedRoutes: "Scoped routes (SRDS)",
  endpointAssignment: "Endpoints (EDS)",
  secret: "Secrets (SDS)",
  extensionConfig: "Extension configurations (ECDS)",
};
const singular: Readonly<Record<SectionKind, string>> = {
  cluster: "cluster",
  listener: "listener",
  routeConfiguration: "route configuration",
  scopedRoutes: "scoped route configuration",
  endpointAssignment: "endpoint assignment",
  secret: "secret",
  extensionConfig: "extension configuration",
};

export function syncRow(row: ProxyStatus, anchors: ReadonlyMap<string, string>): SyncRow {
  const cell = (type: ColumnType): SyncCell => syncCell(columnStatus(row, type));
  return {
    name: row.name,
    namespace: row.namespace,
    cluster: row.cluster,
    type: row.type,
    cds: cell("CDS"),
    lds: cell("LDS"),
    eds: cell("EDS"),
    rds: cell("RDS"),
    ecds: cell("ECDS"),
    istiod: row.istiod,
    version: row.version,
    connected: row.connected,
    captured: row.captured,
    anchor: anchors.get(row.name) ?? "",
  };
}

function syncCell(status: TypeStatus): SyncCell {
  return {
    state: status.state,
    text: statusText(status),
    tone: isWrongType(status)
      ? "bad"
      : status.progress === "in flight"
        ? "waiting"
        : status.state === "SYNCED"
          ? "good"
          : "neutral",
    sentTime: status.sentTime,
    error: status.error ?? "",
  };
}

export function proxySection(
  proxy: Proxy,
  rows: readonly SyncRow[],
  status: SyncStatus,
  anchors: ReadonlyMap<string, string>,
  drifts: readonly ProxyDrift[],
): ProxySection {
  const own = rows.filter(({ name }) => name === proxy.id);
  const notices = sectionKinds.flatMap((kind) => noticesOf(proxy.config[kind], kind));
  const { tone, summary } = judge(
    proxy,
    status.rows.filter(({ name }) => name === proxy.id),
    notices,
    drifts,
  );
  return {
    id: proxy.id,
    anchor: anchors.get(proxy.id) ?? "",
    pod: proxy.pod,
    namespace: proxy.namespace,
    type: proxy.type,
    tone,
    summary,
    facts: proxyFacts(proxy, own),
    sync: own,
    resources: sectionKinds.map((kind) => {
      const rejected = notices.filter(
        (item) => item.state === "rejected" && item.kind === singular[kind],
      ).length;
      return resourceCounts(kind, proxy.config[kind], rejected);
    }),
    notices,
    drift: proxyDrift(drifts),
    config: {},
  };
}

function resourceCounts(
  kind: SectionKind,
  section: Collected<ReferenceList>,
  rejected: number,
): ProxySection["resources"][number] {
  if (section.state === "absent")
    return { kind, label: labels[kind], counts: null, reason: section.reason, newest: null };
  const counts = { total: 0, static: 0, active: 0, warming: 0, draining: 0, rejected };
  let newest: string | null = null;
  for (const { state, source, lastUpdated } of section.value) {
    if (state === "rejected") continue; // Envoy shows one twice
    counts.total++;
    if (source === "static") counts.static++;
    if (state !== "unknown") counts[state]++;
    if (lastUpdated !== null && (newest === null || Date.parse(lastUpdated) > Date.parse(newest)))
      newest = lastUpdated;
  }
  return { kind, label: labels[kind], counts, reason: "", newest };
}

/** Rejected, warming and draining resources. Envoy shows a rejected listener twice, by name and nameless: once is enough. */
function noticesOf(section: Collected<ReferenceList>, kind: SectionKind): ResourceNotice[] {
  if (section.state === "absent") return [];
  const notices: ResourceNotice[] = [];
  const nameless: ResourceReference[] = [];
  for (const reference of section.value) {
    if (reference.state === "active" || reference.state === "unknown") continue;
    if (reference.state === "rejected" && reference.name === "") nameless.push(reference);
    else notices.push(notice(reference, kind));
  }
  for (const reference of nameless) {
    const details = reference.rejection?.details ?? "";
    const isTold = notices.some(
      ({ details: other }) => other !== "" && (details.includes(other) || other.includes(details)),
    );
    if (!isTold) notices.push(notice(reference, kind));
  }
  return notices;
}

function notice(reference: ResourceReference, kind: SectionKind): ResourceNotice {
  const { state, rejection } = reference;
  return {
    kind: singular[kind],
    name: reference.name,
    state: state === "rejected" || state === "warming" ? state : "draining",
    time: rejection === null ? reference.lastUpdated : rejection.lastUpdateAttempt,
    details: rejection?.details ?? "",
    evidence: { entry: reference.origin.entry, pointer: reference.origin.pointer },
  };
}

function judge(
  proxy: Proxy,
  rows: readonly ProxyStatus[],
  notices: readonly ResourceNotice[],
  drifts: readonly ProxyDrift[],
): { tone: Tone; summary: string } {
  const parts: string[] = [];
  if (rows.some(({ connected }) => connected === false)) parts.push("in no Istiod's list");
  for (const row of rows) {
    const wrong = columnTypes.filter((type) => isWrongType(columnStatus(row, type)));
    for (const type of wrong) parts.push(`${type} ${statusText(columnStatus(row, type))}`);
  }
  const rejected = notices.filter(({ state }) => state === "rejected");
  if (rejected.length > 0)
    parts.push(`${countOf(rejected.length, rejected[0]?.kind ?? "resource")} rejected`);
  const drifting = drifts
    .flatMap(({ kinds }) => kinds)
    .flatMap((kind) => (kind.state === "compared" ? kind.differences : []))
    .filter(({ inFlight }) => !inFlight);
  if (drifting.length > 0)
    parts.push(
      `${countOf(drifting.length, "resource")} ${drifting.length === 1 ? "is" : "are"} not as Istiod would send ${drifting.length === 1 ? "it" : "them"}`,
    );
  if (proxy.dumpEntry === null || proxy.config.cluster.state === "absent") {
    const reason = proxy.config.cluster.state === "absent" ? proxy.config.cluster.reason : "not captured";
    if (parts.length > 0)
      return { tone: "bad", summary: [...parts, `no clusters read: ${excerpt(reason, 100)}`].join("; ") };
    return { tone: "waiting", summary: `no clusters read: ${excerpt(reason, 100)}` };
  }
  const state = proxy.serverInfo.state === "present" ? proxy.serverInfo.value.state : "LIVE";
  if (parts.length > 0)
    return { tone: "bad", summary: [...parts, ...(state === "LIVE" ? [] : [state])].join("; ") };
  if (state !== "LIVE") return { tone: "bad", summary: `server state ${state}` };
  const warming = notices.filter(({ state: noticeState }) => noticeState === "warming");
  if (warming.length > 0)
    return { tone: "waiting", summary: `${countOf(warming.length, warming[0]?.kind ?? "resource")} warming` };
  if (rows.length === 0 || rows.some(({ connected }) => connected === null))
    return { tone: "neutral", summary: "sync state unknown" };
  const flying = rows.some((row) =>
    columnTypes.some((type) => columnStatus(row, type).progress === "in flight"),
  );
  return flying ? { tone: "waiting", summary: "a push is in flight" } : { tone: "good", summary: "in sync" };
}

function proxyFacts(proxy: Proxy, rows: readonly SyncRow[]): Fact[] {
  const node = proxy.node.state === "present" ? proxy.node.value : null;
  const info = proxy.serverInfo;
  const metadata = (key: string): string => {
    const value = node?.metadata[key];
    return typeof value === "string" ? value : "";
  };
  const why = (collected: Collected<unknown>): string =>
    collected.state === "absent" ? collected.reason : "it does not say";
  const fact = (label: string, value: string | null | undefined, reason: string): Fact =>
    value === undefined || value === null || value === ""
      ? { label, value: reason, missing: true }
      : { label, value, missing: false };
  const fromNode = why(proxy.node);
  const fromInfo = why(info);
  const server = info.state === "present" ? info.value : null;
  const istiods = rows.map(({ istiod }) => istiod).filter((istiod) => istiod !== "");
  return [
    fact("Envoy version", server?.parts?.version ?? server?.version ?? node?.envoyVersion, fromInfo),
    fact("Envoy build", server?.version, fromInfo),
    fact("Server state", server?.state, fromInfo),
    fact(
      "Uptime",
      server?.uptimeSeconds == null ? null : humanDuration(server.uptimeSeconds * 1000),
      fromInfo,
    ),
    fact("Istio version", metadata("ISTIO_VERSION"), fromNode),
    fact("Revision", metadata("ISTIO_REVISION"), fromNode),
    fact(
      "Istiod",
      istiods.join(", "),
      rows.length === 0 || rows.some(({ connected }) => connected !== false)
        ? "Istiod's lists are incomplete"
        : "in no Istiod's list",
    ),
    fact("Type", proxy.type === "unknown" ? null : proxy.type, fromNode),
    fact("Workload", metadata("WORKLOAD_NAME"), fromNode),
    fact("Service account", metadata("SERVICE_ACCOUNT"), fromNode),
    fact("Cluster", metadata("CLUSTER_ID"), fromNode),
    fact("Network", metadata("NETWORK"), fromNode),
    fact(
      "IP addresses",
      metadata("INSTANCE_IPS") === "" ? node?.parts?.ip : metadata("INSTANCE_IPS"),
      fromNode,
    ),
    fact("Node id", node?.id, fromNode),
    fact("Captured at", proxy.capturedAt, "the snapshot does not tell"),
    fact("Config dump", proxy.dumpEntry, "not captured"),
  ];
}
