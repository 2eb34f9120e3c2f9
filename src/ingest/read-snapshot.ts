import { createHash } from "node:crypto";

import type { Entry } from "../bundle/entry.js";
import { defaultLimits, type Limits } from "../bundle/limits.js";
import { openBundle, type OpenBundle } from "../bundle/open.js";
import type { Role } from "../bundle/roles.js";
import { IndexMismatch } from "../bundle/seek.js";
import { BundleFormatError, UserError } from "../shared/errors.js";
import { lost, note, ProblemList } from "../shared/problem.js";
import type { Snapshot } from "../snapshot/model.js";
import { resourceStore, type Platform } from "../snapshot/parse/resources.js";
import { unreadResources } from "../snapshot/parse/unread-resources.js";
import { SnapshotBuilder } from "./snapshot-builder.js";

/** Kinds of entry that a command may want; what it does not want is not read, but for the small ones that say what it is. */
export type EntryKind = Role["kind"];

export interface ReadOptions {
  /** Entries that are read; `manifest`, `redaction` and `document` always are. Default: all that any analysis uses. */
  readonly want?: ReadonlySet<EntryKind>;
  /** Whether at least the node of each proxy is read where its dump is not wanted: it stands in the dump's first section. */
  readonly nodes?: boolean;
  /** Of Istiod's debug answers the ones that are read, where that kind is wanted; default: `comparedDebug`. */
  readonly debug?: ReadonlySet<string> | "all";
  /** The proxies (`pod.namespace`) whose files are read, where not all are needed; of the others only the names are known. */
  readonly proxies?: (id: string) => boolean;
  /**
   * Whether every resource is read whole and known by its content; default true. Without, what is in a resource is read when
   * it is asked for (see snapshot/parse/unread-resources), and all bytes of the dumps are held until then.
   */
  readonly identities?: boolean;
  /** Whether what `/clusters` counts of each host is kept; default true. It is most of what many proxies say of themselves. */
  readonly hostStatistics?: boolean;
  readonly limits?: Limits;
  /** Capture time by the user's word, RFC 3339. */
  readonly at?: string | null;
  /** Name of the proxy of a bare `?resource=` slice, `pod.namespace`. */
  readonly as?: string | null;
  readonly stdin?: AsyncIterable<Uint8Array>;
  /** Whether a bundle's index may be used instead of reading it through; default true. */
  readonly seek?: boolean;
  /** Told of every entry, whether it is read or not. */
  readonly onEntry?: (entry: Entry) => void;
  /** Told of every entry that was read, with its content. */
  readonly onContent?: (entry: Entry, bytes: Uint8Array) => void;
}

const alwaysRead: ReadonlySet<EntryKind> = new Set<EntryKind>(["manifest", "redaction", "document"]);

/** What the analyses of today read. */
export const everything: ReadonlySet<EntryKind> = new Set<EntryKind>([
  "certificates",
  "proxyDump",
  "serverInfo",
  "ztunnelDump",
  "syncz",
  "synczBefore",
  "istiodDump",
  "istiodVersion",
  "istiodDebug",
  "pods",
  "services",
]);

/** What Istiods are compared by, with each other and with what their proxies hold. */
export const comparedDebug: ReadonlySet<string> = new Set(["mesh", "endpointShardz", "registryz"]);

const platform: Platform = {
  hash: (text) => createHash("sha256").update(text).digest("hex"),
  same: (a, start, b) =>
    Buffer.from(a.buffer, a.byteOffset, a.length).compare(b, 0, b.length, start, start + b.length) === 0,
  searched: (bytes) => {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return {
      find: (text, from) => buffer.indexOf(text, from, "latin1"),
      all: () => buffer.toString("latin1"),
    };
  },
};

/**
 * Reads a snapshot of any accepted kind.
 * @param path a file, a folder, or "-"
 * @throws UserError when it is no snapshot, or a limit on the whole is reached
 */
export async function readSnapshot(path: string, options: ReadOptions = {}): Promise<Snapshot> {
  const limits = options.limits ?? defaultLimits;
  const stdin = options.stdin === undefined ? {} : { stdin: options.stdin };
  const bundle = await openBundle(path, { limits, seek: options.seek ?? true, ...stdin });
  try {
    return await fill(bundle, options, limits);
  } catch (error) {
    if (!(error instanceof IndexMismatch)) throw error;
    // the index leads astray: read the archive from its beginning, as any tar
    const again = await openBundle(path, { limits, seek: false });
    try {
      return await fill(
        again,
        options,
        limits,
        `the bundle's index is wrong (${error.message}); it was read from the beginning`,
      );
    } finally {
      await again.close();
    }
  } finally {
    await bundle.close();
  }
}

async function fill(
  bundle: OpenBundle,
  options: ReadOptions,
  limits: Limits,
  remark?: string,
): Promise<Snapshot> {
  const want = options.want ?? everything;
  const problems = new ProblemList();
  const store = resourceStore(platform, limits.jsonDepth);
  const builder = new SnapshotBuilder({
    name: bundle.name,
    form: bundle.form,
    store: options.identities === false ? unreadResources(store, platform) : store,
    problems,
    want,
    at: options.at ?? null,
    as: options.as ?? null,
    hostStatistics: options.hostStatistics ?? true,
  });
  if (remark !== undefined) problems.add(note("", remark));
  let count = 0;
  for await (const entry of bundle.entries((problem) => problems.add(problem))) {
    count++;
    options.onEntry?.(entry);
    builder.seen(entry);
    const { kind } = entry.role;
    try {
      if (isWanted(entry.role, want, options) || alwaysRead.has(kind)) {
        const { bytes, cut } = await entry.read();
        options.onContent?.(entry, bytes);
        builder.read(entry, bytes, cut);
      } else if (kind === "proxyDump" && options.nodes === true) {
        builder.readNode(entry, await entry.readHead());
      }
    } catch (error) {
      if (!(error instanceof BundleFormatError) || kind === "document") throw error;
      problems.add(lost(error.entry, error.detail, error.pointer));
    }
  }
  if (!builder.hasAnything) {
    throw new UserError(
      count === 0
        ? `${bundle.name}: the ${bundle.form} holds no file that can be read${firstOf(problems)}`
        : `${bundle.name}: no Istio snapshot in it: none of its ${count} files is one that the collector, istioctl bug-report or must-gather writes${firstOf(problems)}`,
    );
  }
  return builder.build();
}

function isWanted(role: Role, want: ReadonlySet<EntryKind>, { proxies, debug }: ReadOptions): boolean {
  if (!want.has(role.kind)) return false;
  if (role.kind === "istiodDebug") return debug === "all" || (debug ?? comparedDebug).has(role.name);
  return proxies === undefined || !("proxy" in role) || proxies(`${role.proxy.name}.${role.proxy.namespace}`);
}

function firstOf(problems: ProblemList): string {
  const [first] = problems.all;
  return first === undefined ? "" : ` (${first.entry === "" ? "" : `${first.entry} `}${first.message})`;
}
