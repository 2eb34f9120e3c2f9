import type { ArgumentsCamelCase, CommandModule } from "yargs";

import { driftOf, hasDrift, type ProxyDrift } from "../../diff/drift.js";
import type { EntryKind } from "../../ingest/read-snapshot.js";
import { UserError } from "../../shared/errors.js";
import { textTable } from "../../shared/text-table.js";
import type { Snapshot } from "../../snapshot/model.js";
import { splitProxyId } from "../../snapshot/parse/node.js";
import { findProxy } from "../../snapshot/proxy-name.js";
import {
  columnStatus,
  columnTypes,
  isWrong,
  isWrongType,
  statusText,
  syncStatus,
  type ProxyStatus,
  type SyncStatus,
  type TypeStatus,
} from "../../status/sync-status.js";
import { driftGaps } from "../../report/drift-gaps.js";
import { exitCodes } from "../../shared/exit-codes.js";
import {
  document,
  formOf,
  outputForms,
  painter,
  print,
  remark,
  remarkGaps,
  remarkRedaction,
  type Paint,
} from "../output.js";
import { loadSnapshot, pathOf, withSnapshot, type SnapshotArgs } from "../snapshot-options.js";
import { istioctlOf } from "./istioctl-version.js";
import { mayBeMeant } from "./proxy-config/targets.js";
import { driftJson, driftRemarks, driftText } from "./proxy-status-diff.js";
import {
  divergencesBesideView,
  divergencesOf,
  isDiverging,
  knownEndpointsText,
  meshDriftText,
  noDivergences,
  shardRemarks,
  substituteText,
} from "./proxy-status-mesh.js";

interface ProxyStatusArgs extends SnapshotArgs {
  proxy?: string | undefined;
  namespace?: string | undefined;
  output: string;
  drift: boolean;
  istioctlVersion?: string | undefined;
  color?: boolean | undefined;
}

/** The dumps are not among them: who was captured is known by the names of the entries. */
const needed: ReadonlySet<EntryKind> = new Set<EntryKind>(["syncz", "synczBefore", "serverInfo"]);
/** What the comparison of one proxy's content needs besides. */
const neededForOne: ReadonlySet<EntryKind> = new Set<EntryKind>([
  ...needed,
  "proxyDump",
  "istiodDump",
  "istiodDebug",
]);
/** And that of the mesh. */
const neededForDrift: ReadonlySet<EntryKind> = new Set<EntryKind>([...neededForOne, "istiodVersion", "pods"]);

export const proxyStatusCommand: CommandModule<object, ProxyStatusArgs> = {
  command: ["proxy-status [proxy]", "ps", "status"],
  describe: "Which proxies have what Istiod sent them",
  builder: (yargs) =>
    withSnapshot(
      yargs
        .positional("proxy", {
          type: "string",
          describe: "Only this proxy: times, rejections, and what Istiod would send against what it holds",
        })
        .option("namespace", {
          alias: "n",
          type: "string",
          requiresArg: true,
          describe: "Only proxies of this namespace",
        })
        .option("output", {
          alias: "o",
          choices: outputForms,
          default: "table",
          requiresArg: true,
          describe: "Form of the answer",
        })
        .option("drift", {
          type: "boolean",
          default: false,
          describe: "Compare every proxy with what Istiod would send it; one line per cause",
        })
        .option("istioctl-version", {
          type: "string",
          requiresArg: true,
          describe: "Head the diffs of a proxy as this release of istioctl (1.6, 1.17, ...)",
        })
        .example("$0 ps reviews-v1 -f bundle.tar.gz", "where Istiod and this Envoy differ")
        .example("$0 ps --drift -f bundle.tar.gz", "the same over the whole mesh, by cause")
        .example("$0 ps -f bug-report.tar.gz", "the table of istioctl proxy-status")
        .example("$0 ps -f bundle.tar.gz -o json | jq '.[] | select(.cds != \"SYNCED\")'", "for scripts"),
    ),
  handler: async (args) => {
    const form = formOf(args.output);
    const istioctl = istioctlOf(args.istioctlVersion);
    if (args.proxy !== undefined) await printProxy(args, form, istioctl);
    else await printMesh(args, form);
  },
};

async function printMesh(
  args: ArgumentsCamelCase<ProxyStatusArgs>,
  form: "table" | "json" | "yaml",
): Promise<void> {
  const isWanted = (id: string): boolean =>
    args.namespace === undefined || splitProxyId(id).namespace === args.namespace;
  const snapshot = await loadSnapshot(args, { want: args.drift ? neededForDrift : needed, nodes: true });
  const status = syncStatus(snapshot);
  const drifts = args.drift ? driftOf(snapshot).filter(({ proxyId }) => isWanted(proxyId)) : [];
  const divergences = args.drift ? divergencesOf(snapshot, isWanted) : noDivergences;
  if (!args.drift || !hasDumps(snapshot)) requireLists(status);
  const rows = status.rows.filter(({ name }) => isWanted(name));
  const answer =
    form === "table"
      ? [
          ...(status.missing === null ? [table(rows, painter(args.color))] : []),
          ...(args.drift ? [meshDriftText(snapshot, drifts, divergences)] : []),
        ].join("")
      : rowsDocument(rows, args.drift ? drifts : null, form);
  await print(answer);
  remarkGaps(snapshot);
  remarkRedaction(snapshot, answer + rows.map(errorsOf).join("\n"));
  if (form === "table" || rows.length === 0) remarkRows(status, rows, args, null);
  if (args.drift) {
    if (drifts.length === 0) remark(viewMissing(snapshot, "any proxy"));
    else {
      for (const line of driftGaps(drifts)) remark(line);
      remarkDrift(drifts);
    }
    for (const line of shardRemarks(divergences)) remark(line);
    if (form !== "table")
      remark(
        "replicas, endpoints and Istiods against each other are in the table and the report, not in these rows",
      );
  }
  const isFound = rows.some(isWrong) || drifts.some(hasDrift) || isDiverging(divergences);
  process.exitCode = isFound ? exitCodes.found : exitCodes.clean;
}

async function printProxy(
  args: ArgumentsCamelCase<ProxyStatusArgs>,
  form: "table" | "json" | "yaml",
  istioctl: number,
): Promise<void> {
  const { snapshot, id } = await loadProxy(args);
  const status = syncStatus(snapshot);
  const drifts = driftOf(snapshot, id);
  const isCaptured = snapshot.proxies.some((proxy) => proxy.id === id && proxy.dumpEntry !== null);
  const divergences = !isCaptured
    ? noDivergences
    : drifts.length === 0
      ? divergencesOf(snapshot, (other) => other === id)
      : divergencesBesideView(snapshot, id);
  if (!isCaptured) requireLists(status);
  const rows = status.rows.filter(({ name }) => name === id);
  const answer =
    form === "table"
      ? [
          ...(status.missing === null ? [table(rows, painter(args.color))] : []),
          ...(status.missing === null ? rows.map((row) => `\n${details(row)}`) : []),
          ...drifts.map(
            (drift) =>
              `\n${drifts.length > 1 ? `As ${drift.istiod} would send it:\n` : ""}${driftText(drift, snapshot, { istioctl })}`,
          ),
          drifts.length === 0 && isCaptured
            ? substituteText(snapshot, id, divergences)
            : knownEndpointsText(divergences.shards),
        ].join("")
      : rowsDocument(rows, drifts, form);
  await print(answer);
  remarkGaps(snapshot);
  remarkRedaction(snapshot, answer + rows.map(errorsOf).join("\n"));
  if (form === "table" || rows.length === 0) remarkRows(status, rows, args, id);
  if (drifts.length > 0) {
    remarkDrift(drifts);
    for (const line of drifts.flatMap(driftRemarks).slice(0, remarksShown)) remark(line);
  } else if (snapshot.ztunnels.some((ztunnel) => ztunnel.id === id))
    remark(`${id} is a ztunnel: it has no Envoy configuration to compare`);
  else {
    remark(viewMissing(snapshot, id));
    if (isCaptured)
      remark("it was compared with other proxies and with the endpoints that Istiod knows instead");
  }
  const isFound = rows.some(isWrong) || drifts.some(hasDrift) || isDiverging(divergences);
  process.exitCode = isFound ? exitCodes.found : exitCodes.clean;
}

const remarksShown = 10;

/** The proxy that is meant, with all other proxies where its own Istiod side was not captured. */
async function loadProxy(
  args: ArgumentsCamelCase<ProxyStatusArgs>,
): Promise<{ readonly snapshot: Snapshot; readonly id: string }> {
  const { proxy, namespace } = args;
  // standard input can be read once only
  const isStream = pathOf(args) === "-";
  const own = await loadSnapshot(args, {
    want: neededForOne,
    nodes: true,
    ...(isStream ? {} : { proxies: (id) => mayBeMeant(id, proxy, namespace) }),
  });
  const id = findProxy(own, proxy ?? "", namespace ?? null);
  const hasView = own.istiods.some(({ views }) => views.some(({ proxyId }) => proxyId === id));
  const snapshot = isStream || hasView ? own : await loadSnapshot(args, { want: neededForOne });
  return { snapshot, id };
}

const hasDumps = ({ proxies }: Snapshot): boolean => proxies.some(({ dumpEntry }) => dumpEntry !== null);

/** @throws UserError where no Istiod said anything */
function requireLists({ missing }: SyncStatus): void {
  if (missing !== null)
    throw new UserError(
      `no sync state: ${missing}. It needs Istiod's /debug/syncz or the XDS answer to istio.io/debug/syncz`,
    );
}

function rowsDocument(
  rows: readonly ProxyStatus[],
  drifts: readonly ProxyDrift[] | null,
  form: "json" | "yaml",
): string {
  return document(
    rows.map((row) =>
      jsonRow(row, drifts === null ? null : drifts.filter(({ proxyId }) => proxyId === row.name)),
    ),
    form,
  );
}

const viewMissing = (snapshot: Snapshot, whose: string): string =>
  snapshot.source.kind === "bug-report"
    ? "Istiod's view of a proxy is never in a bug-report, so it cannot be compared with Envoy's; istio-snapshot-collect captures it"
    : `Istiod's view of ${whose} was not captured, so it cannot be compared with Envoy's`;

/** What the comparison proves and what it could not see. */
function remarkDrift(drifts: readonly ProxyDrift[]): void {
  const noise = drifts.flatMap(({ kinds }) =>
    kinds.map((kind) => (kind.state === "compared" ? kind.noise : 0)),
  );
  const sum = noise.reduce((total, count) => total + count, 0);
  if (sum > 0)
    remark(`${sum} resources are written differently and mean the same (order, defaults, spelling)`);
  if (drifts.some((drift) => hasDrift(drift) && !hasTimes(drift)))
    remark("when both sides were captured is not known, so a push on its way counts as a difference");
  remark("a match says that the proxy has what was last pushed to it, not that this is Istiod's newest");
}

const hasTimes = ({ istiodCapturedAt, proxyCapturedAt }: ProxyDrift): boolean =>
  istiodCapturedAt !== null && proxyCapturedAt !== null;

const header = ["NAME", "CLUSTER", ...columnTypes, "ISTIOD", "VERSION"];

function table(rows: readonly ProxyStatus[], paint: Paint): string {
  const cells = rows.map((row) => [
    row.name,
    row.cluster,
    ...columnTypes.map((type) => statusText(columnStatus(row, type))),
    row.connected === false ? "NOT CONNECTED" : row.connected === null ? "UNKNOWN" : row.istiod,
    row.version === "" ? "-" : row.version,
  ]);
  return textTable(header, cells, {
    paint: (text, rowIndex, column) => {
      const row = rows[rowIndex];
      const type = columnTypes[column - 2];
      if (row === undefined) return text;
      if (column === 7 && row.connected === false) return paint(text, "red");
      if (type === undefined) return text;
      const status = columnStatus(row, type);
      if (isWrongType(status)) return paint(text, "red");
      if (status.progress === "in flight") return paint(text, "yellow");
      return paint(text, status.state === "SYNCED" ? "green" : "dim");
    },
  });
}

/** All types of one row, with what the release tells of each. */
function details(row: ProxyStatus): string {
  const lines = [...row.types].map(([name, status]) => [
    name,
    statusText(status),
    status.sentTime ?? "-",
    status.error?.trim() ?? "-",
  ]);
  return textTable(["TYPE", "STATUS", "LAST SENT", "REJECTED BECAUSE"], lines);
}

/** What standard error tells of a row's rejections. */
const errorsOf = (row: ProxyStatus): string =>
  [...row.types.values()].map(({ error }) => error ?? "").join("\n");

/** The keys of the contract; `progress` tells a push on its way from one that hangs. */
function jsonRow(row: ProxyStatus, drifts: readonly ProxyDrift[] | null): unknown {
  const state = (type: (typeof columnTypes)[number]): string => columnStatus(row, type).state;
  return {
    name: row.name,
    namespace: row.namespace,
    cluster: row.cluster,
    istiod: row.istiod,
    version: row.version,
    type: row.type,
    cds: state("CDS"),
    lds: state("LDS"),
    eds: state("EDS"),
    rds: state("RDS"),
    ecds: state("ECDS"),
    types: Object.fromEntries([...row.types].map(([name, status]) => [name, jsonType(status)])),
    connected: row.connected,
    ...(drifts === null ? {} : { drift: drifts.map(driftJson) }),
  };
}

function jsonType({ state, sentTime, error, progress }: TypeStatus): unknown {
  return { state, sentTime, error, ...(progress === null ? {} : { progress }) };
}

/** What the table cannot show, on standard error. */
function remarkRows(
  status: SyncStatus,
  rows: readonly ProxyStatus[],
  args: ProxyStatusArgs,
  id: string | null,
): void {
  const shown = new Set(rows.map(({ name }) => name));
  const names = (ids: readonly string[]): string => {
    const own = ids.filter((name) => shown.has(name));
    return own.length === 0
      ? ""
      : `${own.slice(0, 5).join(", ")}${own.length > 5 ? ` and ${own.length - 5} more` : ""}`;
  };
  if (rows.length === 0)
    remark(
      args.namespace === undefined ? "Istiod lists no proxy" : `no proxy in namespace ${args.namespace}`,
    );
  const unseen = names(status.listedNotCaptured);
  if (unseen !== "" && status.rows.some(({ captured }) => captured))
    remark(`listed by Istiod, but not captured: ${unseen}`);
  const twice = names([...status.listedTwice.keys()].sort());
  if (twice !== "") remark(`in more than one list (reconnecting, or two proxies with one id): ${twice}`);
  const unsure = names(rows.filter(({ connected }) => connected === null).map(({ name }) => name));
  if (unsure !== "")
    remark(`whether these are connected is not known (${status.listsIncomplete ?? "no list"}): ${unsure}`);
  const rejections = rows.flatMap((row) =>
    [...row.types].flatMap(([type, { error }]) =>
      error === null ? [] : [`${type} of ${row.name} rejected: ${error.trim()}`],
    ),
  );
  if (id === null) for (const line of rejections.slice(0, 5)) remark(line);
}
