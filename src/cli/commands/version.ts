import type { CommandModule } from "yargs";

import { buildReport, incompleteness } from "../../report/build-report.js";
import type { EntryKind } from "../../ingest/read-snapshot.js";
import { UserError } from "../../shared/errors.js";
import { printable } from "../../shared/printable.js";
import type { Snapshot } from "../../snapshot/model.js";
import { syncStatus } from "../../status/sync-status.js";
import { exitCodes } from "../../shared/exit-codes.js";
import { document, formOf, outputForms, print, remarkGaps, remarkRedaction } from "../output.js";
import { programVersion } from "../../bundle/program-version.js";
import { loadSnapshot, withSnapshot, type SnapshotArgs } from "../snapshot-options.js";

interface VersionArgs extends SnapshotArgs {
  output: string;
}

const needed: ReadonlySet<EntryKind> = new Set<EntryKind>(["syncz", "serverInfo", "istiodVersion"]);

export const versionCommand: CommandModule<object, VersionArgs> = {
  command: "version",
  describe: "Versions of Istiod, the proxies and Envoy in the snapshot",
  builder: (yargs) =>
    withSnapshot(
      yargs
        .option("output", {
          alias: "o",
          choices: outputForms,
          default: "table",
          requiresArg: true,
          describe: "Form of the answer",
        })
        .example(
          "$0 version -f bundle.tar.gz",
          "as istioctl version prints them; --version is the program's own",
        ),
    ),
  handler: async (args) => {
    const form = formOf(args.output);
    const snapshot = await loadSnapshot(args, { want: needed, nodes: true });
    const { capture } = buildReport(snapshot, syncStatus(snapshot), programVersion());
    if (capture.versions.length === 0 && capture.istiods.length === 0 && snapshot.proxies.length === 0) {
      throw new UserError("the snapshot names no Istiod and no proxy, so no version");
    }
    const answer = form === "table" ? lines(snapshot, capture.versions) : document(json(snapshot), form);
    await print(answer);
    remarkGaps(snapshot);
    remarkRedaction(snapshot, answer);
    process.exitCode = exitCodes.clean;
  },
};

/** The wording of `istioctl version`, and Envoy's beside it. */
function lines(snapshot: Snapshot, versions: ReturnType<typeof buildReport>["capture"]["versions"]): string {
  const istiods = snapshot.istiods.map(({ id, version }) => {
    const text = version.state === "present" ? version.value.version : `unknown (${version.reason})`;
    return snapshot.istiods.length === 1
      ? `control plane version: ${text}`
      : `${id} control plane version: ${text}`;
  });
  const counts = (what: "proxy" | "Envoy"): string => {
    const own = versions.filter((version) => version.what === what);
    return (
      own
        .map(({ version, count }) => `${version} (${count} ${count === 1 ? "proxy" : "proxies"})`)
        .join(", ") || "unknown"
    );
  };
  const unknown = snapshot.proxies.filter(
    ({ serverInfo, node }) =>
      serverInfo.state === "absent" && (node.state === "absent" || node.value.envoyVersion === null),
  );
  const remarkUnknown =
    unknown.length === 0 ? "" : `, unknown (${unknown.length} ${unknown.length === 1 ? "proxy" : "proxies"})`;
  return [
    ...(istiods.length === 0
      ? ["control plane version: unknown (no answer of an Istiod in this snapshot)"]
      : istiods),
    `data plane version: ${counts("proxy")}`,
    `Envoy version: ${counts("Envoy")}${counts("Envoy") === "unknown" ? "" : remarkUnknown}`,
  ]
    .map((line) => `${printable(line)}\n`)
    .join("");
}

function json(snapshot: Snapshot): unknown {
  const { rows } = syncStatus(snapshot);
  return {
    istiods: snapshot.istiods.map(({ id, namespace, version }) => ({
      name: id,
      namespace,
      version: version.state === "present" ? version.value.version : null,
      ...(version.state === "absent" ? { reason: version.reason } : {}),
    })),
    proxies: rows.map(({ name, version, type }) => {
      const serverInfo = snapshot.proxies.find(({ id }) => id === name)?.serverInfo;
      const info = serverInfo?.state === "present" ? serverInfo.value : null;
      return {
        name,
        type,
        istioVersion: version === "" || version === "*" ? null : version,
        envoyVersion: info?.parts?.version ?? null,
        envoyBuild: info?.version ?? null,
      };
    }),
    incomplete: incompleteness(snapshot),
  };
}
