import type { CommandModule } from "yargs";

import type { EntryKind } from "../../ingest/read-snapshot.js";
import { UserError } from "../../shared/errors.js";
import { printable } from "../../shared/printable.js";
import { runQuery, type QueriedDump, type QueryHit } from "../../views/query.js";
import { exitCodes } from "../../shared/exit-codes.js";
import { document, formOf, outputForms, print, remark, remarkGaps, remarkRedaction } from "../output.js";
import { withSnapshot } from "../snapshot-options.js";
import { targetsOf, type TargetArgs } from "./proxy-config/targets.js";

interface QueryArgs extends TargetArgs {
  jsonpath: string;
  output: string;
  limit: number;
  timeLimit: number;
}

const needed: ReadonlySet<EntryKind> = new Set<EntryKind>(["proxyDump"]);
const shownOfAValue = 200;

export const queryCommand: CommandModule<object, QueryArgs> = {
  command: "query <jsonpath> [proxy]",
  describe: "JSONPath over every config dump, or one",
  builder: (yargs) =>
    withSnapshot(
      yargs
        .positional("jsonpath", {
          type: "string",
          demandOption: true,
          describe: "RFC 9535 style, e.g. '$..route_config.name'",
        })
        .positional("proxy", { type: "string", describe: "Only this proxy" })
        .option("namespace", {
          alias: "n",
          type: "string",
          requiresArg: true,
          describe: "The namespace of the proxy",
        })
        .option("output", {
          alias: "o",
          choices: outputForms,
          default: "table",
          requiresArg: true,
          describe: "Form of the answer",
        })
        .option("limit", {
          type: "number",
          default: 1000,
          requiresArg: true,
          describe: "Hits, after which it ends",
        })
        .option("time-limit", {
          type: "number",
          default: 30,
          requiresArg: true,
          describe: "Seconds that one dump may take",
        })
        .example(
          "$0 query '$..cluster.name' productpage -f bundle.tar.gz",
          "a line a hit: proxy, pointer, value",
        ),
    ) as never,
  handler: async (args) => {
    const form = formOf(args.output);
    for (const [flag, value] of [
      ["limit", args.limit],
      ["time-limit", args.timeLimit],
    ] as const) {
      if (!(Number.isFinite(value) && value > 0)) throw new UserError(`--${flag} must be a number over 0`);
    }
    const contents = new Map<string, Uint8Array>();
    const { snapshot, proxies } = await targetsOf(args, needed, (entry, bytes) => contents.set(entry, bytes));
    const dumps = async function* (): AsyncGenerator<QueriedDump> {
      for (const { id, dumpEntry } of proxies) {
        const bytes = contents.get(dumpEntry ?? "");
        if (dumpEntry !== null && bytes !== undefined)
          yield await Promise.resolve({ proxy: id, entry: dumpEntry, bytes });
      }
    };
    const hits: QueryHit[] = [];
    const options = {
      timeLimitMs: args.timeLimit * 1000,
      limitHits: args.limit,
      onProblem: (entry: string, message: string) => remark(`${entry}: ${message}`),
    };
    for await (const hit of runQuery(dumps(), args.jsonpath, options)) {
      if (form === "table") await print(`${line(hit)}\n`);
      else hits.push(hit);
    }
    if (form !== "table") await print(document(hits, form));
    remarkGaps(snapshot);
    remarkRedaction(snapshot, null);
    process.exitCode = exitCodes.clean;
  },
};

/** Proxy, pointer, value: tabs between, one line each. */
function line({ proxy, pointer, value }: QueryHit): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const shown = text.length > shownOfAValue ? `${text.slice(0, shownOfAValue)}…` : text;
  return [proxy, pointer, shown].map(printable).join("\t");
}
