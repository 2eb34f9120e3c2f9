/** The verdict: what a reader of the ticket must know first, one point a cause, with the next step. */
import type { MeshDrift } from "../diff/mesh-drift.js";
import { humanDuration } from "../shared/duration.js";
import { excerpt } from "../shared/printable.js";
import type { Snapshot } from "../snapshot/model.js";
import { isWrong, isWrongType, statusText, type SyncStatus } from "../status/sync-status.js";
import type { DriftReport, ProxySection, SyncCell, VerdictPoint } from "./document.js";
import { driftPoints } from "./drift-verdict.js";
import { causeOf, countOf, counted, grouped, unique } from "./wording.js";

export function verdictPoints(
  snapshot: Snapshot,
  status: SyncStatus,
  sections: readonly ProxySection[],
  drift: MeshDrift | null,
  differing: DriftReport | null,
): VerdictPoint[] {
  return [
    ...errorPoints(status),
    ...rejectionPoints(sections, status),
    ...stalePoints(status),
    ...(drift === null || differing === null ? [] : driftPoints(drift, differing)),
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
          : `, for ${humanDuration(ages.reduce((a, b) => Math.max(a, b)))}${group.length > 1 ? " at most" : ""}`;
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

export function headline(
  snapshot: Snapshot,
  status: SyncStatus,
  sections: readonly ProxySection[],
  points: readonly VerdictPoint[],
): string {
  const listed = unique(status.rows.map(({ name }) => name));
  const wrong = unique([
    ...status.rows.filter(isWrong).map(({ name }) => name),
    ...sections.filter(({ tone }) => tone === "bad").map(({ id }) => id),
    ...points.filter(({ level }) => level === "error").flatMap(({ proxies }) => proxies),
  ]);
  if (listed.length === 0 && sections.length === 0) {
    return snapshot.ztunnels.length > 0
      ? `${countOf(snapshot.ztunnels.length, "ztunnel")}; no Envoy proxy in this snapshot`
      : "No proxy in this snapshot";
  }
  const known = Math.max(listed.length, sections.length);
  if (wrong.length > 0)
    return `${wrong.length} of ${countOf(known, "proxy")} ${wrong.length === 1 ? "needs" : "need"} attention`;
  if (status.missing !== null) return `Sync state unknown: ${status.missing}`;
  if (points.some(({ level }) => level === "warning"))
    return `${countOf(listed.length, "proxy")}: nothing found wrong, but the snapshot has gaps`;
  return listed.length === 1 ? "The proxy is in sync" : `All ${listed.length} proxies are in sync`;
}

export function verdictTone(points: readonly VerdictPoint[]): SyncCell["tone"] {
  if (points.some(({ level }) => level === "error")) return "bad";
  return points.some(({ level }) => level === "warning") ? "waiting" : "good";
}
