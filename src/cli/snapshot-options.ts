import type { ArgumentsCamelCase, Argv } from "yargs";

import { defaultLimits, type Limits } from "../bundle/limits.js";
import { readSnapshot, type ReadOptions } from "../ingest/read-snapshot.js";
import { UserError } from "../shared/errors.js";
import { parseSize } from "../shared/size.js";
import type { Snapshot } from "../snapshot/model.js";

/** The options that say which snapshot and how much of it is read, said once for every command. */
export interface InputArgs {
  file?: string | undefined;
  snapshot?: string | undefined;
  maxEntries: number;
  maxEntryBytes: string;
  maxTotalBytes: string;
  maxRatio: number;
  maxNameBytes: number;
  maxJsonDepth: number;
}

/** And those that add what a snapshot may not say. */
export interface SnapshotArgs extends InputArgs {
  at?: string | undefined;
  as?: string | undefined;
}

const limitGroup = "Limits on the input:";

export function withSnapshot<T>(yargs: Argv<T>): Argv<T & SnapshotArgs> {
  return withInput(yargs)
    .option("at", {
      type: "string",
      requiresArg: true,
      describe: "When it was captured, if it does not say (RFC 3339)",
    })
    .option("as", {
      type: "string",
      requiresArg: true,
      describe: "The proxy of a dump that does not name it (pod.namespace)",
    });
}

export function withInput<T>(yargs: Argv<T>): Argv<T & InputArgs> {
  return yargs
    .option("file", {
      alias: "f",
      type: "string",
      requiresArg: true,
      describe:
        'The snapshot: a bundle, bug-report, must-gather, folder, dump, or "-" (default: $ISTIO_SNAPSHOT)',
    })
    .option("max-entries", {
      type: "number",
      default: defaultLimits.entries,
      group: limitGroup,
      describe: "Entries",
    })
    .option("max-entry-bytes", {
      type: "string",
      default: String(defaultLimits.entryBytes),
      group: limitGroup,
      describe: "Size of one entry; k, M, G or KiB, MiB, GiB may follow",
    })
    .option("max-total-bytes", {
      type: "string",
      default: "64GiB",
      group: limitGroup,
      describe: "Size of all entries together",
    })
    .option("max-ratio", {
      type: "number",
      default: defaultLimits.ratio,
      group: limitGroup,
      describe: "Inflated to compressed size",
    })
    .option("max-name-bytes", {
      type: "number",
      default: defaultLimits.nameBytes,
      group: limitGroup,
      describe: "Length of an entry's name",
    })
    .option("max-json-depth", {
      type: "number",
      default: defaultLimits.jsonDepth,
      group: limitGroup,
      describe: "Nesting of JSON",
    }) as unknown as Argv<T & InputArgs>;
}

/** @throws UserError when no snapshot is named, or it cannot be read */
export async function loadSnapshot(
  args: ArgumentsCamelCase<SnapshotArgs>,
  options: ReadOptions = {},
): Promise<Snapshot> {
  return readSnapshot(pathOf(args), {
    ...options,
    limits: limitsOf(args),
    at: timeOf(args.at),
    as: args.as ?? null,
  });
}

export function pathOf(args: InputArgs): string {
  const fromEnvironment = process.env["ISTIO_SNAPSHOT"];
  // yargs makes "" of a bare "-"
  const named = args.snapshot === "" && process.argv.includes("-") ? "-" : args.snapshot;
  const path = named ?? args.file ?? (fromEnvironment === "" ? undefined : fromEnvironment);
  if (path === undefined || path === "") {
    throw new UserError("name a snapshot with -f <file>, or set ISTIO_SNAPSHOT");
  }
  if (args.snapshot !== undefined && args.file !== undefined && args.snapshot !== args.file) {
    throw new UserError("name the snapshot once, as an argument or with -f");
  }
  return path;
}

/** @throws UserError for what is no limit */
export function limitsOf(args: InputArgs): Limits {
  const count = (flag: string, value: number): number => {
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw new UserError(`--${flag} must be a whole number over 0`);
  };
  return {
    ...defaultLimits,
    entries: count("max-entries", args.maxEntries),
    entryBytes: Math.min(parseSize("max-entry-bytes", args.maxEntryBytes), defaultLimits.entryBytes),
    totalBytes: parseSize("max-total-bytes", args.maxTotalBytes),
    ratio: count("max-ratio", args.maxRatio),
    nameBytes: count("max-name-bytes", args.maxNameBytes),
    jsonDepth: Math.min(count("max-json-depth", args.maxJsonDepth), 1000),
  };
}

function timeOf(at: string | undefined): string | null {
  if (at === undefined) return null;
  if (
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/.test(at) &&
    !Number.isNaN(Date.parse(at))
  )
    return at;
  throw new UserError(`--at must be a time such as 2026-03-14T09:30:00Z, not "${at}"`);
}
