/** Everything that the report says, counted, sorted and worded: nothing is computed when it is drawn. */
import type { ProxyDrift } from "../diff/drift.js";
import type { MeshDrift } from "../diff/mesh-drift.js";
import { by } from "../shared/sorting.js";
import { sectionKinds, type Snapshot } from "../snapshot/model.js";
import { weakenings, type Redaction } from "../snapshot/redaction.js";
import type { SyncStatus } from "../status/sync-status.js";
import { reportSchemaVersion, type Fact, type ReportDocument } from "./document.js";
import { driftReport, timelineReport } from "./drift-section.js";
import { proxySection, syncRow } from "./proxy-section.js";
import { headline, verdictPoints, verdictTone } from "./verdict.js";
import { counted, unique } from "./wording.js";

/**
 * The report of a snapshot, without the tables that `withConfig` adds.
 * @param programVersion that of istio-snapshot
 * @param drift what differs; null where that was not worked out
 */
export function buildReport(
  snapshot: Snapshot,
  status: SyncStatus,
  programVersion: string,
  drift: MeshDrift | null = null,
): ReportDocument {
  const anchors = anchorsOf(snapshot.proxies.map(({ id }) => id));
  const rows = status.rows.map((row) => syncRow(row, anchors));
  const drifts = new Map<string, ProxyDrift[]>();
  for (const own of drift?.drifts ?? []) drifts.set(own.proxyId, [...(drifts.get(own.proxyId) ?? []), own]);
  const sections = snapshot.proxies.map((proxy) =>
    proxySection(proxy, rows, status, anchors, drifts.get(proxy.id) ?? []),
  );
  const differing = drift === null ? null : driftReport(snapshot, drift);
  const points = verdictPoints(snapshot, status, sections, drift, differing);
  return {
    schemaVersion: reportSchemaVersion,
    program: { name: "istio-snapshot", version: programVersion },
    title: `Istio snapshot: ${baseName(snapshot.source.name)}`,
    verdict: { tone: verdictTone(points), headline: headline(snapshot, status, sections, points), points },
    capture: capture(snapshot, status),
    sync: { rows, missing: status.missing ?? "" },
    proxies: sections,
    drift: differing,
    timeline: drift === null ? null : timelineReport(drift.timeline),
    config: { kinds: [] },
    ztunnels: snapshot.ztunnels.map(({ id, dump }) =>
      dump.state === "absent"
        ? { id, workloads: null, services: null, policies: null, certificates: null, reason: dump.reason }
        : {
            id,
            workloads: dump.value.workloads.length,
            services: dump.value.services.length,
            policies: dump.value.policies.length,
            certificates: dump.value.certificates.length,
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
      value: source.redaction === null ? "the snapshot does not say" : redactionText(source.redaction),
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
    weakened: weakenings(source.redaction).map(({ text }) => text),
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

/** The profile, and how much it took. */
export function redactionText({ profile, rules }: Redaction): string {
  const applied = rules.filter(({ count }) => count > 0);
  const values = applied.reduce((sum, { count }) => sum + count, 0);
  if (values === 0) return profile;
  return `${profile}: ${values} ${values === 1 ? "value" : "values"} replaced by ${applied.length} ${applied.length === 1 ? "rule" : "rules"}`;
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
