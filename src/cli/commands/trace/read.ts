/** Reads of a snapshot only what a trace needs: of an archive the files of the proxies on its path, not those of the mesh. */
import type { ArgumentsCamelCase } from "yargs";

import type { EntryKind, ReadOptions } from "../../../ingest/read-snapshot.js";
import { UserError } from "../../../shared/errors.js";
import type { Snapshot } from "../../../snapshot/model.js";
import { splitProxyId } from "../../../snapshot/parse/node.js";
import { UnreadableResource } from "../../../snapshot/parse/dumped-json.js";
import { findProxy, proxyIds } from "../../../snapshot/proxy-name.js";
import type { TraceResult } from "../../../trace/result.js";
import { loadSnapshot, pathOf, type SnapshotArgs } from "../../snapshot-options.js";
import { mayBeMeant } from "../proxy-config/targets.js";

export interface ReadArgs extends SnapshotArgs {
  from?: string | undefined;
  namespace?: string | undefined;
}

export interface Traced {
  readonly snapshot: Snapshot;
  readonly result: TraceResult;
}

type Args = ArgumentsCamelCase<ReadArgs>;
type Trace = (snapshot: Snapshot, from: string) => TraceResult;

const needed: ReadonlySet<EntryKind> = new Set<EntryKind>([
  "proxyDump",
  "serverInfo",
  "clusters",
  "runtime",
  "istiodDebug",
  "pods",
  "services",
  "kubernetesObjects",
  "certificates",
]);
/** What can be read once only, and what many requests may need. */
const all: ReadOptions = { want: needed, debug: "all", hostStatistics: false };

/** Everything that any trace may need. */
export const readAll = (args: Args): Promise<Snapshot> => loadSnapshot(args, all);

/**
 * Traces with what was read, then reads the proxies that it came to and traces again.
 * @throws UserError when `--from` fits no proxy or several, or nothing of it was captured
 */
export async function readAndTrace(args: Args, trace: Trace): Promise<Traced> {
  if (pathOf(args) === "-") {
    const snapshot = await readAll(args);
    return { snapshot, result: trace(snapshot, startOf(snapshot, args)) };
  }
  try {
    return await readPath(args, trace, false);
  } catch (error) {
    if (!(error instanceof UnreadableResource)) throw error;
    return readPath(args, trace, true); // what is damaged is left out, and reported
  }
}

/** @throws UnreadableResource where resources are not read whole beforehand, and one on the path is damaged */
async function readPath(args: Args, trace: Trace, identities: boolean): Promise<Traced> {
  const names = await namesOf(args, identities);
  const first =
    names === null ? args : { ...args, from: startOf(names.snapshot, args), namespace: undefined };
  const isMeant = (id: string): boolean => mayBeMeant(id, first.from, first.namespace);
  let start =
    names?.isArchive === false
      ? names
      : await reading(first, { proxies: isMeant, debug: new Set(["mesh"]), identities });
  const from = startOf(start.snapshot, args);
  const known = new Set(proxyIds(start.snapshot).filter(isMeant));
  const nameTable = nameTableOf(from);
  const debug = new Set(["mesh", nameTable]);
  let result = trace(start.snapshot, from);
  const missing = (): string[] => pathOfProxies(result).filter((id) => !known.has(id));
  const again = async (proxies: (id: string) => boolean, whole = identities): Promise<void> => {
    start = await reading(first, { proxies, debug, identities: whole });
    result = trace(start.snapshot, from);
  };
  if (start.isArchive && (missing().length > 0 || start.answers.has(nameTable))) {
    for (const id of missing()) known.add(id);
    await again((id) => known.has(id));
    if (missing().length > 0) await again(() => true, true);
  }
  return { snapshot: start.snapshot, result };
}

/** Where the name alone does not tell which proxies are meant: all of them by name; null where it does. */
async function namesOf(args: Args, identities: boolean): Promise<Reading | null> {
  if (args.from !== undefined && !args.from.includes("/")) return null;
  return reading(args, { want: new Set(), identities });
}

interface Reading {
  readonly snapshot: Snapshot;
  /** false: one file, which was read as a whole. */
  readonly isArchive: boolean;
  /** Names of Istiod's debug answers that it holds. */
  readonly answers: ReadonlySet<string>;
}

async function reading(args: Args, options: ReadOptions): Promise<Reading> {
  let isArchive = true;
  const answers = new Set<string>();
  const snapshot = await loadSnapshot(args, {
    want: needed,
    nodes: true, // their addresses tell whose an endpoint is
    ...options,
    onEntry: ({ role }) => {
      if (role.kind === "document") isArchive = false;
      if (role.kind === "istiodDebug") answers.add(role.name);
    },
  });
  return { snapshot, isArchive, answers };
}

/**
 * Id of the proxy where a request begins.
 * @throws UserError when the name fits none or several, or nothing of the proxy was captured
 */
export function startOf(
  snapshot: Snapshot,
  { from, namespace }: Pick<ReadArgs, "from" | "namespace">,
): string {
  const captured = snapshot.proxies.filter(({ dumpEntry }) => dumpEntry !== null);
  if (from === undefined) {
    const [only, ...others] = captured.filter(
      (one) => namespace === undefined || one.namespace === namespace,
    );
    if (only !== undefined && others.length === 0) return only.id;
    throw new UserError(
      only === undefined
        ? "the snapshot holds no config dump of an Envoy proxy"
        : `name the proxy where the request begins with --from; there are ${proxyIds(snapshot).slice(0, 10).join(", ")}`,
    );
  }
  const id = findProxy(snapshot, from, namespace ?? null);
  if (!captured.some((proxy) => proxy.id === id))
    throw new UserError(`of ${id} no config dump was captured: what it does with a request is not known`);
  return id;
}

/** Of Istiod's answers the DNS table of a proxy. */
function nameTableOf(id: string): string {
  const { pod, namespace } = splitProxyId(id);
  return `ndsz/${namespace}/${pod}`;
}

const pathOfProxies = ({ hops, branches }: TraceResult): string[] => [
  ...new Set([...hops, ...branches.flatMap((branch) => branch.hops)].map(({ proxy }) => proxy)),
];
