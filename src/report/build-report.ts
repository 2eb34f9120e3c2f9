/** Everything that the report says, counted, sorted and worded: nothing is computed when it is drawn. */
import { by } from "../shared/sorting.js";
import { excerpt } from "../shared/printable.js";
import { humanDuration } from "../shared/duration.js";
import {
  sectionKinds,
  type Collected,
  type Proxy,
  type ReferenceList,
  type ResourceReference,
  type SectionKind,
  type Snapshot,
} from "../snapshot/model.js";
import {
  columnStatus,
  columnTypes,
  isWrong,
  isWrongType,
  statusText,
  type ColumnType,
  type ProxyStatus,
  type SyncStatus,
  type TypeStatus,
} from "../status/sync-status.js";
import {
  reportSchemaVersion,
  type Fact,
  type ProxySection,
  type ReportDocument,
  type ResourceNotice,
  type SyncCell,
  type SyncRow,
  type VerdictPoint,
} from "./document.js";

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

/** The report of a snapshot. `programVersion` is that of istio-snapshot. */
export function buildReport(snapshot: Snapshot, status: SyncStatus, programVersion: string): ReportDocument {
  const anchors = anchorsOf(snapshot.proxies.map(({ id }) => id));
  const rows = status.rows.map((row) => syncRow(row, anchors));
  const sections = snapshot.proxies.map((proxy) => proxySection(proxy, rows, status, anchors));
  const points = verdictPoints(snapshot, status, sections);
  return {
    schemaVersion: reportSchemaVersion,
    program: { name: "istio-snapshot", version: programVersion },
    title: `Istio snapshot: ${baseName(snapshot.source.name)}`,
    verdict: { tone: verdictTone(points), headline: headline(snapshot, status, sections, points), points },
    capture: capture(snapshot, status),
    sync: { rows, missing: status.missing ?? "" },
    proxies: sections,
    ztunnels: snapshot.ztunnels.map(({ id, dump }) =>
      dump.state === "absent"
        ? { id, workloads: null, services: null, policies: null, certificates: null, reason: dump.reason }
        : {
            id,
            workloads: dump.value.workloads.length,
            services: dump.value.services.length,
            policies: dump.value.policies,
            certificates: dump.value.certificates,
            reason: "",
          },
    ),
    problems: snapshot.problems
      .map(({ severity, entry, pointer, message }) => ({ severity, entry, pointer, message }))
      .sort(
        by(
          ({ severity }) => severity,
          ({ entry }) => entry,
        ),
      ),
    gaps: snapshot.gaps.map(({ target, what, reason }) => ({ target, what, reason })),
  };
}

/** What `incomplete` lists where an answer is a JSON object: everything that was lost or not captured. */
export function incompleteness(snapshot: Snapshot): string[] {
  return [
    ...snapshot.problems
      .filter(({ severity }) => severity === "lost")
      .map(({ entry, pointer, message }) =>
        [entry, pointer, message].filter((part) => part !== "").join(" "),
      ),
    ...snapshot.gaps.map(({ target, what, reason }) => `${target}: ${what} was not captured: ${reason}`),
  ];
}

function syncRow(row: ProxyStatus, anchors: ReadonlyMap<string, string>): SyncRow {
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

function proxySection(
  proxy: Proxy,
  rows: readonly SyncRow[],
  status: SyncStatus,
  anchors: ReadonlyMap<string, string>,
): ProxySection {
  const own = rows.filter(({ name }) => name === proxy.id);
  const notices = sectionKinds.flatMap((kind) => noticesOf(proxy.config[kind], kind));
  const { tone, summary } = judge(
    proxy,
    status.rows.filter(({ name }) => name === proxy.id),
    notices,
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

function verdictPoints(
  snapshot: Snapshot,
  status: SyncStatus,
  sections: readonly ProxySection[],
): VerdictPoint[] {
  return [
    ...errorPoints(status),
    ...rejectionPoints(sections, status),
    ...stalePoints(status),
    ...connectionPoints(snapshot, status),
    ...statePoints(snapshot, sections),
    ...capturePoints(snapshot, status),
    ...versionPoints(status),
  ].sort((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level)); // stable: within a level the order above stays
}

const levels = ["error", "warning", "info"];

/** Rejections that Istiod knows of, one point a type and text. */
function errorPoints(status: SyncStatus): VerdictPoint[] {
  const groups = grouped(
    status.rows.flatMap((row) =>
      [...row.types]
        .filter(([, { state }]) => state === "ERROR")
        .map(([type, cell]) => ({ row, type, cell })),
    ),
    ({ type, cell }) => `${type}\n${causeOf(cell.error ?? "")}`,
  );
  return groups.map((group) => {
    const [first] = group;
    const proxies = unique(group.map(({ row }) => row.name));
    return {
      level: "error",
      text: `${countOf(proxies.length, "proxy")} rejected the last ${first.type} push${first.cell.error === null ? "" : `: ${excerpt(first.cell.error, 300)}`}`,
      nextStep:
        "Find the resource that the text names, and the Istio object that it comes from; correct or delete that. Do not restart the pods before: they would come up without it.",
      proxies,
      evidence: group.slice(0, 3).flatMap(({ row, cell }) =>
        row.origin === null
          ? []
          : [
              {
                entry: row.origin.entry,
                pointer: row.origin.pointer,
                excerpt: excerpt(cell.error ?? "ERROR", 200),
              },
            ],
      ),
    };
  });
}

/** Rejections that only the dumps know, grouped by Envoy's text. */
function rejectionPoints(sections: readonly ProxySection[], status: SyncStatus): VerdictPoint[] {
  // Istiod's text of a rejection holds Envoy's
  const told = status.rows.flatMap(({ name, types }) =>
    [...types.values()].flatMap(({ error }) => (error === null ? [] : [{ name, cause: causeOf(error) }])),
  );
  const isTold = (id: string, details: string): boolean =>
    told.some(({ name, cause }) => name === id && cause.includes(causeOf(details)));
  const all = sections.flatMap((section) =>
    section.notices
      .filter(({ state, details }) => state === "rejected" && !isTold(section.id, details))
      .map((item) => ({ section, item })),
  );
  return grouped(all, ({ item }) => `${item.kind}\n${causeOf(item.details)}`).map((group) => {
    const [{ item }] = group;
    const proxies = unique(group.map(({ section }) => section.id));
    const name = item.name === "" ? "" : ` ${excerpt(item.name, 100)}`;
    return {
      level: "error",
      text: `${item.kind}${name} was rejected by ${countOf(proxies.length, "proxy")}: ${excerpt(item.details, 300)}`,
      nextStep:
        "Correct or delete the Istio object that this resource comes from; the proxy goes on with what it had before.",
      proxies,
      evidence: group
        .slice(0, 3)
        .map((one) => ({ ...one.item.evidence, excerpt: excerpt(one.item.details, 200) })),
    };
  });
}

function stalePoints(status: SyncStatus): VerdictPoint[] {
  const open = status.rows.flatMap((row) =>
    [...row.types]
      .filter(([, { state }]) => state.startsWith("STALE"))
      .map(([type, cell]) => ({ row, type, cell })),
  );
  const points = (items: typeof open, level: "error" | "info"): VerdictPoint[] =>
    grouped(items, ({ type, row, cell }) => `${type}\n${row.istiod}\n${cell.progress ?? ""}`).map((group) => {
      const [{ type, row, cell }] = group;
      const proxies = unique(group.map(({ row: { name } }) => name));
      const ages = group.flatMap(({ cell: { age } }) => (age === null ? [] : [age]));
      const since =
        ages.length === 0
          ? ""
          : `, for ${humanDuration(Math.max(...ages))}${group.length > 1 ? " at most" : ""}`;
      const verb = proxies.length === 1 ? "has" : "have";
      return {
        level,
        text:
          level === "info"
            ? `${countOf(proxies.length, "proxy")} ${verb} a push of ${row.istiod} in flight (${type})`
            : `${countOf(proxies.length, "proxy")} ${verb} not acknowledged ${type} from ${row.istiod}${since}${cell.progress === "stuck" ? " (the same push in both answers: stuck)" : ""}`,
        nextStep:
          level === "info"
            ? ""
            : "Look at the log of the proxy and of that Istiod at the time of the push; if several proxies of one Istiod are stale, look there first.",
        proxies,
        evidence: group
          .slice(0, 3)
          .flatMap((one) =>
            one.row.origin === null
              ? []
              : [{ ...one.row.origin, excerpt: `${one.row.name}: ${type} ${statusText(one.cell)}` }],
          ),
      };
    });
  return [
    ...points(
      open.filter(({ cell }) => isWrongType(cell)),
      "error",
    ),
    ...points(
      open.filter(({ cell }) => !isWrongType(cell)),
      "info",
    ),
  ];
}

function connectionPoints(snapshot: Snapshot, status: SyncStatus): VerdictPoint[] {
  const points: VerdictPoint[] = [];
  const gone = status.rows.filter(({ connected }) => connected === false);
  if (gone.length > 0) {
    const proxies = gone.map(({ name }) => name);
    points.push({
      level: "error",
      text: `${countOf(proxies.length, "proxy")} ${proxies.length === 1 ? "is" : "are"} in no Istiod's list: not connected, so no change reaches ${proxies.length === 1 ? "it" : "them"}`,
      nextStep:
        "Check that the pod reaches Istiod on port 15012 and that its certificate is accepted; restart it only after the capture.",
      proxies,
      evidence: gone
        .slice(0, 3)
        .flatMap(({ origin, name }) => (origin === null ? [] : [{ ...origin, excerpt: name }])),
    });
  }
  const unsure = status.rows.filter(({ connected }) => connected === null);
  if (unsure.length > 0) {
    points.push({
      level: "warning",
      text: `Whether ${countOf(unsure.length, "proxy")} ${unsure.length === 1 ? "is" : "are"} connected is not known: ${status.listsIncomplete ?? "no list"}`,
      nextStep: "Capture debug/syncz of every Istiod replica.",
      proxies: unsure.map(({ name }) => name),
      evidence: [],
    });
  }
  if (status.listedTwice.size > 0) {
    points.push({
      level: "warning",
      text: `${countOf(status.listedTwice.size, "proxy")} ${status.listedTwice.size === 1 ? "stands" : "stand"} in more than one list: reconnecting, or two proxies with one id`,
      nextStep: "Capture once more; a proxy that is still in two lists has a twin.",
      proxies: [...status.listedTwice.keys()].sort(),
      evidence: [],
    });
  }
  const asked = snapshot.istiods.length;
  if (asked > 0 && status.missing !== null) {
    points.push({
      level: "warning",
      text: status.missing,
      nextStep: "Capture debug/syncz of every Istiod replica.",
      proxies: [],
      evidence: [],
    });
  }
  return points;
}

function statePoints(snapshot: Snapshot, sections: readonly ProxySection[]): VerdictPoint[] {
  const points: VerdictPoint[] = [];
  const notLive = snapshot.proxies.flatMap((proxy) =>
    proxy.serverInfo.state === "present" && proxy.serverInfo.value.state !== "LIVE"
      ? [{ proxy, info: proxy.serverInfo.value }]
      : [],
  );
  for (const group of grouped(notLive, ({ info }) => info.state)) {
    const [{ info }] = group;
    points.push({
      level: "error",
      text: `${countOf(group.length, "proxy")} ${group.length === 1 ? "is" : "are"} not live but ${excerpt(info.state, 40)}`,
      nextStep:
        "An Envoy that initialises serves nothing: look for what it waits for among its warming resources.",
      proxies: group.map(({ proxy }) => proxy.id),
      evidence: group
        .slice(0, 3)
        .map(({ info: { origin, state } }) => ({ entry: origin.entry, pointer: "/state", excerpt: state })),
    });
  }
  const warming = sections.flatMap((section) =>
    section.notices.filter(({ state }) => state === "warming").map((item) => ({ section, item })),
  );
  if (warming.length > 0) {
    points.push({
      level: "warning",
      text: `${countOf(warming.length, "resource")} ${warming.length === 1 ? "is" : "are"} still warming, on ${countOf(unique(warming.map(({ section }) => section.id)).length, "proxy")}`,
      nextStep:
        "A resource warms until its routes, endpoints or secrets have come; see which of them the proxy lacks.",
      proxies: unique(warming.map(({ section }) => section.id)),
      evidence: warming.slice(0, 3).map(({ item }) => ({ ...item.evidence, excerpt: item.name })),
    });
  }
  return points;
}

function capturePoints(snapshot: Snapshot, status: SyncStatus): VerdictPoint[] {
  const points: VerdictPoint[] = [];
  if (status.listedNotCaptured.length > 0) {
    points.push({
      level: "warning",
      text: `${countOf(status.listedNotCaptured.length, "proxy")} ${status.listedNotCaptured.length === 1 ? "is" : "are"} listed by Istiod, but nothing of ${status.listedNotCaptured.length === 1 ? "it" : "them"} was captured`,
      nextStep: "What is said of these proxies rests on Istiod's word alone.",
      proxies: [...status.listedNotCaptured],
      evidence: [],
    });
  }
  const lostPieces = snapshot.problems.filter(({ severity }) => severity === "lost");
  if (lostPieces.length > 0) {
    points.push({
      level: "warning",
      text: `${countOf(lostPieces.length, "piece")} of the snapshot could not be read`,
      nextStep: "What these pieces would have shown is not known; they are listed below with the reason.",
      proxies: [],
      evidence: lostPieces
        .slice(0, 3)
        .map(({ entry, pointer, message }) => ({ entry, pointer, excerpt: excerpt(message, 200) })),
    });
  }
  if (snapshot.gaps.length > 0) {
    points.push({
      level: "warning",
      text: `${countOf(snapshot.gaps.length, "answer")} could not be captured`,
      nextStep: "They are listed below with the reason.",
      proxies: [],
      evidence: [],
    });
  }
  return points;
}

function versionPoints(status: SyncStatus): VerdictPoint[] {
  const versions = counted(
    status.rows.filter(({ version }) => version !== "" && version !== "*").map(({ version }) => version),
  );
  if (versions.length < 2) return [];
  const [most] = [...versions].sort((a, b) => b[1] - a[1]);
  return [
    {
      level: "info",
      text: `Proxies run ${versions.length} versions: ${versions.map(([version, count]) => `${version} (${count})`).join(", ")}`,
      nextStep: "Restart the workloads that run an older proxy than their Istiod once the incident is over.",
      proxies: unique(
        status.rows
          .filter(({ version }) => version !== most?.[0] && version !== "" && version !== "*")
          .map(({ name }) => name),
      ),
      evidence: [],
    },
  ];
}

function headline(
  snapshot: Snapshot,
  status: SyncStatus,
  sections: readonly ProxySection[],
  points: readonly VerdictPoint[],
): string {
  const listed = unique(status.rows.map(({ name }) => name));
  const wrong = unique([
    ...status.rows.filter(isWrong).map(({ name }) => name),
    ...sections.filter(({ tone }) => tone === "bad").map(({ id }) => id),
  ]);
  if (listed.length === 0 && sections.length === 0) {
    return snapshot.ztunnels.length > 0
      ? `${countOf(snapshot.ztunnels.length, "ztunnel")}; no Envoy proxy in this snapshot`
      : "No proxy in this snapshot";
  }
  if (wrong.length > 0)
    return `${wrong.length} of ${countOf(listed.length, "proxy")} ${wrong.length === 1 ? "needs" : "need"} attention`;
  if (status.missing !== null) return `Sync state unknown: ${status.missing}`;
  if (points.some(({ level }) => level === "warning"))
    return `${countOf(listed.length, "proxy")}: nothing found wrong, but the snapshot has gaps`;
  return listed.length === 1 ? "The proxy is in sync" : `All ${listed.length} proxies are in sync`;
}

function verdictTone(points: readonly VerdictPoint[]): Tone {
  if (points.some(({ level }) => level === "error")) return "bad";
  return points.some(({ level }) => level === "warning") ? "waiting" : "good";
}

function capture(snapshot: Snapshot, status: SyncStatus): ReportDocument["capture"] {
  const { source, captureTime } = snapshot;
  const damaged = new Set(
    snapshot.problems.filter(({ severity }) => severity === "lost").map(({ entry }) => entry),
  );
  const listed = unique(status.rows.filter(({ connected }) => connected === true).map(({ name }) => name));
  const facts: Fact[] = [
    ...(source.window === null
      ? []
      : [
          {
            label: "Capture window",
            value: `${source.window.start} to ${source.window.end}`,
            missing: false,
          },
        ]),
    {
      label: "Written by",
      value: source.program ?? "the snapshot does not say",
      missing: source.program === null,
    },
    {
      label: "Redaction",
      value: source.redaction ?? "the snapshot does not say",
      missing: source.redaction === null,
    },
  ];
  const envoys = snapshot.proxies.flatMap(({ serverInfo, node }) => {
    if (serverInfo.state === "present") return [serverInfo.value.parts?.version ?? serverInfo.value.version];
    return node.state === "present" && node.value.envoyVersion !== null ? [node.value.envoyVersion] : [];
  });
  const istiodVersions = snapshot.istiods.flatMap(({ version }) =>
    version.state === "present" ? [version.value.version] : [],
  );
  const proxyVersions = unique(status.rows.map(({ name, version }) => `${name}\n${version}`)).map((pair) =>
    pair.slice(pair.indexOf("\n") + 1),
  );
  return {
    source: { kind: source.kind, name: baseName(source.name) },
    time: captureTime?.value ?? null,
    timeSource: captureTime?.source ?? "",
    facts,
    completeness: {
      listed: status.missing === null ? listed.length : null,
      captured: snapshot.proxies.length,
      read: snapshot.proxies.filter(
        ({ config, dumpEntry }) =>
          sectionKinds.some((kind) => config[kind].state === "present") && !damaged.has(dumpEntry ?? ""),
      ).length,
      listedNotCaptured: [...status.listedNotCaptured],
      capturedNotListed: status.missing === null ? [...status.capturedNotListed] : [],
    },
    istiods: snapshot.istiods.map(({ id, namespace, sync, version }) => ({
      id,
      namespace,
      version: version.state === "present" ? version.value.version : "",
      proxies: sync.state === "present" ? sync.value.states.length : null,
      capturedAt: sync.state === "present" ? sync.value.capturedAt : null,
      note: [sync, version].flatMap((part) => (part.state === "absent" ? [part.reason] : [])).join("; "),
    })),
    versions: [
      ...counted(istiodVersions).map(([version, count]) => ({ what: "Istiod" as const, version, count })),
      ...counted(proxyVersions.filter((version) => version !== "" && version !== "*")).map(
        ([version, count]) => ({ what: "proxy" as const, version, count }),
      ),
      ...counted(envoys).map(([version, count]) => ({ what: "Envoy" as const, version, count })),
    ],
  };
}

/** An error text without what differs between proxies: addresses, ids and numbers. */
function causeOf(text: string): string {
  return text.replace(/\d+/g, "#").trim();
}

function grouped<T>(items: readonly T[], key: (item: T) => string): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

function counted(texts: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(by(([text]) => text));
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

const plurals: Readonly<Record<string, string>> = { proxy: "proxies" };

/** "1 proxy", "3 proxies". */
function countOf(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : (plurals[noun] ?? `${noun}s`)}`;
}

/** An element id for each proxy: its own id where that is plain, so that a link to it stays the same in the next report. */
function anchorsOf(ids: readonly string[]): Map<string, string> {
  const anchors = new Map<string, string>();
  const taken = new Set<string>();
  for (const id of ids) {
    const plain = `proxy-${id.slice(0, 200).replace(/[^A-Za-z0-9._-]/g, "_")}`;
    let anchor = plain;
    for (let next = 2; taken.has(anchor); next++) anchor = `${plain}~${next}`;
    taken.add(anchor);
    anchors.set(id, anchor);
  }
  return anchors;
}

const baseName = (path: string): string =>
  path === "-" ? "standard input" : (path.split(/[\\/]/).findLast((part) => part !== "") ?? path);
