import type { ArgumentsCamelCase, CommandModule } from "yargs";

import { compareProxies, compareSnapshots, type SnapshotComparison } from "../../diff/compare-snapshots.js";
import { resourceText, unifiedDiff } from "../../diff/diff-text.js";
import { driftOf } from "../../diff/drift.js";
import { withNeverArrived } from "../../diff/never-arrived.js";
import { comparer } from "../../diff/sections.js";
import { timelineOf } from "../../diff/timeline.js";
import type { EntryKind } from "../../ingest/read-snapshot.js";
import { incompleteness } from "../../report/build-report.js";
import { comparisonLines, resourceTitle, timelineLines } from "../../report/drift-wording.js";
import { UserError } from "../../shared/errors.js";
import { exitCodes } from "../../shared/exit-codes.js";
import { parseDuration } from "../../shared/duration.js";
import { printable } from "../../shared/printable.js";
import type { Proxy, Snapshot } from "../../snapshot/model.js";
import { findProxy } from "../../snapshot/proxy-name.js";
import { document, formOf, outputForms, print, remark, remarkGaps, remarkRedaction } from "../output.js";
import { loadSnapshot, withSnapshot, type SnapshotArgs } from "../snapshot-options.js";
import { mayBeMeant } from "./proxy-config/targets.js";

interface CompareArgs extends SnapshotArgs {
  before?: string | undefined;
  after?: string | undefined;
  proxy?: string[] | undefined;
  timeline: boolean;
  since: string;
  diff: boolean;
  output: string;
}

const needed: ReadonlySet<EntryKind> = new Set<EntryKind>(["proxyDump"]);
/** What Istiod would send tells where something never arrived. */
const neededForTimeline: ReadonlySet<EntryKind> = new Set<EntryKind>([...needed, "istiodDump", "syncz"]);
/** The lists of pods tell which were replaced, also those without a proxy. */
const neededForTwo: ReadonlySet<EntryKind> = new Set<EntryKind>([...needed, "pods", "kubernetesObjects"]);

export const compareCommand: CommandModule<object, CompareArgs> = {
  command: "compare [before] [after]",
  describe: "What changed between two snapshots, or differs between two proxies of one",
  builder: (yargs) =>
    withSnapshot(
      yargs
        .positional("before", { type: "string", describe: "The first snapshot" })
        .positional("after", { type: "string", describe: "The second snapshot" })
        .option("proxy", {
          type: "string",
          array: true,
          nargs: 1,
          requiresArg: true,
          describe: "Twice: the two proxies of one snapshot to compare",
        })
        .option("diff", {
          type: "boolean",
          default: false,
          describe: "Print the differing texts as unified diffs",
        })
        .option("timeline", {
          type: "boolean",
          default: false,
          describe: "Print what arrived when on which proxy, of one snapshot",
        })
        .option("since", {
          type: "string",
          requiresArg: true,
          default: "1h",
          describe: 'How far back the timeline goes from the capture: 30m, 2h, 3d, or "all"',
        })
        .option("output", {
          alias: "o",
          choices: outputForms,
          default: "table",
          requiresArg: true,
          describe: "Form of the answer",
        })
        .example("$0 compare before.tar.gz after.tar.gz", "exit 1 when anything changed")
        .example(
          "$0 compare -f bundle.tar.gz --proxy reviews-v1 --proxy reviews-v2",
          "two proxies of one snapshot",
        )
        .example("$0 compare -f bundle.tar.gz --timeline --since 2h", "for a post-mortem"),
    ),
  handler: async (args) => {
    const form = formOf(args.output);
    if (args.diff && (form !== "table" || args.timeline))
      throw new UserError("--diff prints texts: it goes neither with -o json or yaml nor with --timeline");
    if (args.timeline) {
      await printTimeline(args, form);
      return;
    }
    const compared = args.proxy === undefined ? await twoSnapshots(args) : await twoProxies(args);
    const { comparison, titles, snapshots } = compared;
    if (comparison.compared > 0 && comparison.sections === 0)
      throw new UserError(`nothing could be compared: ${comparison.notCompared[0]?.reason ?? "no section"}`);
    snapshots.forEach(remarkGaps);
    const answer =
      form === "table"
        ? `${comparisonLines(comparison, args.proxy === undefined ? null : titles)
            .map(printable)
            .join("\n")}\n${args.diff ? diffs(comparison, titles) : ""}`
        : document({ ...comparisonJson(comparison), incomplete: snapshots.flatMap(incompleteness) }, form);
    await print(answer);
    for (const snapshot of snapshots) remarkRedaction(snapshot, answer);
    const isSame =
      comparison.sources.length === 0 && comparison.appeared.length === 0 && comparison.vanished.length === 0;
    process.exitCode = isSame ? exitCodes.clean : exitCodes.found;
  },
};

interface Titles {
  readonly before: string;
  readonly after: string;
}

interface Compared {
  readonly comparison: SnapshotComparison;
  readonly titles: Titles;
  readonly snapshots: readonly Snapshot[];
}

async function twoSnapshots(args: ArgumentsCamelCase<CompareArgs>): Promise<Compared> {
  const { before, after } = args;
  if (before === undefined || after === undefined)
    throw new UserError(
      "name two snapshots (compare before.tar.gz after.tar.gz), or two proxies of one (--proxy A --proxy B)",
    );
  if (before === "" && after === "") throw new UserError("standard input can be read once only");
  const load = async (file: string): Promise<Snapshot> => {
    const snapshot = await loadSnapshot(named(args, file), { want: neededForTwo });
    requireDumps(snapshot, titleOf(file));
    return snapshot;
  };
  const snapshots = [await load(before), await load(after)] as const;
  const titles = { before: titleOf(before), after: titleOf(after) };
  return { comparison: compareSnapshots(...snapshots), titles, snapshots };
}

/** With the snapshot that an argument names; yargs makes "" of a bare "-". */
const named = (
  args: ArgumentsCamelCase<CompareArgs>,
  snapshot: string | undefined,
): ArgumentsCamelCase<CompareArgs> =>
  snapshot === undefined ? args : { ...args, snapshot, file: undefined };

const titleOf = (file: string): string => (file === "" ? "standard input" : file);

/** @throws UserError where nothing can be compared */
function requireDumps({ proxies }: Snapshot, title: string): void {
  if (proxies.every(({ dumpEntry }) => dumpEntry === null))
    throw new UserError(`${title} holds no config dump of any proxy`);
}

async function twoProxies(args: ArgumentsCamelCase<CompareArgs>): Promise<Compared> {
  const names = args.proxy ?? [];
  const [first, second] = names;
  if (first === undefined || second === undefined || names.length > 2)
    throw new UserError("name two proxies: --proxy A --proxy B");
  if (args.after !== undefined) throw new UserError("two proxies are compared in one snapshot: name one");
  const snapshot = await loadSnapshot(named(args, args.before), {
    want: needed,
    proxies: (id) => names.some((name) => mayBeMeant(id, name, undefined)),
  });
  const [before, after] = [dumped(snapshot, first), dumped(snapshot, second)];
  if (before.id === after.id) throw new UserError(`both name ${before.id}`);
  return {
    comparison: compareProxies(snapshot, before, after),
    titles: { before: before.id, after: after.id },
    snapshots: [snapshot],
  };
}

function dumped(snapshot: Snapshot, name: string): Proxy {
  const id = findProxy(snapshot, name, null);
  const proxy = snapshot.proxies.find((candidate) => candidate.id === id);
  if (proxy?.dumpEntry === undefined || proxy.dumpEntry === null)
    throw new UserError(`no config dump of ${id} was captured`);
  return proxy;
}

/** Each differing resource once, however many Istio resources it is listed under. */
function diffs({ sources }: SnapshotComparison, titles: Titles): string {
  const changes = [...new Set(sources.flatMap(({ changes: list }) => list))];
  return changes
    .map(({ kind, name, before, after }) => {
      const named = (resource: typeof before) =>
        resource === null ? [] : [{ name, text: resourceText(resource) }];
      const title = resourceTitle(kind, name);
      return `\n${unifiedDiff(
        { before: printable(`${titles.before} ${title}`), after: printable(`${titles.after} ${title}`) },
        named(before),
        named(after),
      )}`;
    })
    .join("");
}

const comparisonJson = ({ sources, ...rest }: SnapshotComparison): object => ({
  ...rest,
  changes: sources.flatMap(({ source, changes }) =>
    changes.map(({ kind, name, class: of, changes: fields, proxies, before, after }) => ({
      source,
      kind,
      name,
      class: of,
      fields,
      proxies,
      before: before?.hash ?? null,
      after: after?.hash ?? null,
    })),
  ),
});

async function printTimeline(
  args: ArgumentsCamelCase<CompareArgs>,
  form: "table" | "json" | "yaml",
): Promise<void> {
  if (args.after !== undefined) throw new UserError("a timeline is of one snapshot: name one");
  const names = args.proxy;
  const span = args.since === "all" ? null : parseDuration("since", args.since);
  const read = await loadSnapshot(named(args, args.before), {
    want: neededForTimeline,
    ...(names === undefined
      ? {}
      : { proxies: (id) => names.some((name) => mayBeMeant(id, name, undefined)) }),
  });
  requireDumps(read, "the snapshot");
  const meant = new Set(names?.map((name) => dumped(read, name)));
  const snapshot =
    names === undefined ? read : { ...read, proxies: read.proxies.filter((proxy) => meant.has(proxy)) };
  remarkGaps(snapshot);
  const since = span === null ? null : sinceOf(span, snapshot);
  const compare = comparer();
  const timeline = withNeverArrived(
    timelineOf(snapshot, compare, since),
    driftOf(snapshot, null, compare),
    snapshot,
    compare,
  );
  if (form !== "table") await print(document(timeline, form));
  else {
    if (since !== null && timeline.events.length > 0)
      remark(`since ${since}, ${args.since} before the capture (--since all has everything)`);
    await print(`${timelineLines(timeline).map(printable).join("\n")}\n`);
  }
  if (timeline.untimed > 0) remark(`${timeline.untimed} resources carry no time and are not in the timeline`);
}

/** The time that lies so many milliseconds before the capture; null where nobody knows when that was. */
function sinceOf(span: number, { captureTime }: Snapshot): string | null {
  if (captureTime === null) {
    remark("when the snapshot was captured is not known, so the timeline is not cut off (--at says it)");
    return null;
  }
  return new Date(Math.max(0, Date.parse(captureTime.value) - span)).toISOString();
}
