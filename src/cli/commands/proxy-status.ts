import type { ArgumentsCamelCase, CommandModule } from "yargs";

import type { EntryKind } from "../../ingest/read-snapshot.js";
import { UserError } from "../../shared/errors.js";
import { textTable } from "../../shared/text-table.js";
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
import { loadSnapshot, withSnapshot, type SnapshotArgs } from "../snapshot-options.js";

interface ProxyStatusArgs extends SnapshotArgs {
  proxy?: string | undefined;
  namespace?: string | undefined;
  output: string;
  color?: boolean | undefined;
}

/** The dumps are not among them: who was captured is known by the names of the entries. */
const needed: ReadonlySet<EntryKind> = new Set<EntryKind>(["syncz", "synczBefore", "serverInfo"]);

export const proxyStatusCommand: CommandModule<object, ProxyStatusArgs> = {
  command: ["proxy-status [proxy]", "ps", "status"],
  describe: "Which proxies have what Istiod sent them",
  builder: (yargs) =>
    withSnapshot(
      yargs
        .positional("proxy", {
          type: "string",
          describe: "Only this proxy, with times and the text of a rejection",
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
        .example("$0 ps -f bug-report.tar.gz", "the table of istioctl proxy-status")
        .example("$0 ps -f bundle.tar.gz -o json | jq '.[] | select(.cds != \"SYNCED\")'", "for scripts"),
    ),
  handler: async (args) => {
    const form = formOf(args.output);
    const snapshot = await loadSnapshot(args, { want: needed, nodes: true });
    const status = syncStatus(snapshot);
    if (status.missing !== null) {
      throw new UserError(
        `no sync state: ${status.missing}. It needs Istiod's /debug/syncz or the XDS answer to istio.io/debug/syncz`,
      );
    }
    const id = args.proxy === undefined ? null : findProxy(snapshot, args.proxy, args.namespace ?? null);
    const rows = status.rows.filter((row) => (id === null ? inNamespace(row, args) : row.name === id));
    const answer =
      form !== "table"
        ? document(rows.map(jsonRow), form)
        : id === null
          ? table(rows, painter(args.color))
          : table(rows, painter(args.color)) + rows.map((row) => `\n${details(row)}`).join("");
    await print(answer);
    remarkGaps(snapshot);
    remarkRedaction(snapshot, answer + rows.map(errorsOf).join("\n"));
    if (form === "table" || rows.length === 0) remarkRows(status, rows, args, id);
    process.exitCode = rows.some(isWrong) ? exitCodes.found : exitCodes.clean;
  },
};

function inNamespace(row: ProxyStatus, { namespace }: ArgumentsCamelCase<ProxyStatusArgs>): boolean {
  return namespace === undefined || row.namespace === namespace;
}

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
function jsonRow(row: ProxyStatus): unknown {
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
  if (id !== null) remark("the comparison of Istiod's view with Envoy's is not in this version yet");
}
