import { writeFile } from "node:fs/promises";
import { basename } from "node:path";

import type { CommandModule } from "yargs";

import { meshDrift } from "../../diff/mesh-drift.js";
import { buildReport } from "../../report/build-report.js";
import { withConfig } from "../../report/config-tables.js";
import type { ReportDocument } from "../../report/document.js";
import { UserError, messageOf } from "../../shared/errors.js";
import { syncStatus } from "../../status/sync-status.js";
import { exitCodes } from "../../shared/exit-codes.js";
import { print, remark, remarkGaps } from "../output.js";
import { loadSnapshot, pathOf, withSnapshot, type SnapshotArgs } from "../snapshot-options.js";
import { programVersion } from "../../bundle/program-version.js";

interface ReportArgs extends SnapshotArgs {
  output?: string | undefined;
  format: "html" | "json" | "markdown";
}

const endings = { html: "html", json: "json", markdown: "md" } as const;

export const reportCommand: CommandModule<object, ReportArgs> = {
  command: "report [snapshot]",
  describe: "Write a report to attach to the ticket: one HTML file, JSON or Markdown",
  builder: (yargs) =>
    withSnapshot(
      yargs
        .positional("snapshot", { type: "string", describe: "The snapshot, instead of -f" })
        .option("output", {
          alias: "o",
          type: "string",
          requiresArg: true,
          describe: 'File to write, "-" for standard output (default: the name of the snapshot)',
        })
        .option("format", {
          choices: ["html", "json", "markdown"] as const,
          default: "html" as const,
          requiresArg: true,
          describe: "Form of the report",
        })
        .example("$0 report bug-report.tar.gz", "writes bug-report.html")
        .example("$0 report bundle.tar.gz --format markdown -o -", "for a ticket's comment"),
    ),
  handler: async (args) => {
    if (args.output === "json" || args.output === "yaml" || args.output === "table") {
      throw new UserError(
        `here -o is the file to write; for the form say --format json (a file of that name: -o ./${args.output})`,
      );
    }
    if (args.output?.endsWith("/") === true) {
      throw new UserError("a report of many pages (-o folder/) is not in this version yet; name a file");
    }
    const snapshot = await loadSnapshot(args);
    const summary = buildReport(snapshot, syncStatus(snapshot), programVersion(), meshDrift(snapshot));
    const report = args.format === "markdown" ? summary : withConfig(summary, snapshot);
    const text = await draw(report, args.format);
    const target = args.output ?? defaultName(pathOf(args), endings[args.format]);
    const isStandardOutput = target === "-";
    if (isStandardOutput) await print(text);
    else {
      await writeFile(target, text).catch((error: unknown) => {
        throw new UserError(`cannot write ${target}: ${messageOf(error)}`);
      });
    }
    remarkGaps(snapshot);
    if (!isStandardOutput) remark(`${report.verdict.headline}. Wrote ${target}`);
    process.exitCode = report.verdict.tone === "bad" ? exitCodes.found : exitCodes.clean;
  },
};

async function draw(report: ReportDocument, format: ReportArgs["format"]): Promise<string> {
  switch (format) {
    case "json":
      return `${JSON.stringify(report)}\n`; // without indents: with the tables it is long
    case "markdown":
      return (await import("../../report/markdown.js")).renderMarkdown(report);
    case "html":
      return (await import("../../report/html.js")).renderHtml(report);
  }
}

/** `dir/bug-report.tar.gz` -> `bug-report.html`, in the folder where the command runs. */
function defaultName(path: string, ending: string): string {
  const name =
    path === "-" ? "istio-snapshot" : basename(path).replace(/\.(?:tar\.gz|tgz|tar|json|gz)$/i, "");
  return `${name === "" || name === "." || name === ".." ? "istio-snapshot" : name}.${ending}`;
}
