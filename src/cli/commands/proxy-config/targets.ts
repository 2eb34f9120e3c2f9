import type { EntryKind } from "../../../ingest/read-snapshot.js";
import { UserError } from "../../../shared/errors.js";
import type { Proxy, Snapshot } from "../../../snapshot/model.js";
import { splitProxyId } from "../../../snapshot/parse/node.js";
import { findProxy } from "../../../snapshot/proxy-name.js";
import { loadSnapshot, type SnapshotArgs } from "../../snapshot-options.js";
import type { ArgumentsCamelCase } from "yargs";

export interface TargetArgs extends SnapshotArgs {
  proxy?: string | undefined;
  namespace?: string | undefined;
}

export interface Targets {
  readonly snapshot: Snapshot;
  readonly proxies: readonly Proxy[];
  /** Whether the answer is about several, and says which row is whose. */
  readonly several: boolean;
}

/**
 * The proxies that a command is about: the one that is named, or all. Of an archive only the files of those that may be
 * meant are read.
 * @throws UserError when the name fits none or several, or nothing of the proxy was captured
 */
export async function targetsOf(
  args: ArgumentsCamelCase<TargetArgs>,
  want: ReadonlySet<EntryKind>,
  onContent?: (entry: string, bytes: Uint8Array) => void,
): Promise<Targets> {
  const { proxy: name, namespace } = args;
  const snapshot = await loadSnapshot(args, {
    want,
    proxies: (id) => mayBeMeant(id, name, namespace),
    ...(onContent === undefined ? {} : { onContent: (entry, bytes) => onContent(entry.name, bytes) }),
  });
  if (name === undefined) {
    const proxies = snapshot.proxies.filter(
      (proxy) => namespace === undefined || proxy.namespace === namespace,
    );
    if (proxies.length === 0) {
      throw new UserError(
        namespace === undefined || snapshot.proxies.length === 0
          ? "the snapshot holds no file of any Envoy proxy"
          : `no proxy of namespace ${namespace} was captured`,
      );
    }
    return { snapshot, proxies, several: proxies.length > 1 };
  }
  const id = findProxy(snapshot, name, namespace ?? null);
  const proxy = snapshot.proxies.find((candidate) => candidate.id === id);
  if (proxy === undefined) throw new UserError(`${id} is listed by Istiod, but nothing of it was captured`);
  return { snapshot, proxies: [proxy], several: false };
}

/** A cheap test that lets through all that `findProxy` could choose. */
export function mayBeMeant(id: string, name: string | undefined, namespace: string | undefined): boolean {
  if (namespace !== undefined && splitProxyId(id).namespace !== namespace) return false;
  if (name === undefined || name.includes("/")) return true; // a workload may be named otherwise than its pods
  return id.startsWith(name);
}
