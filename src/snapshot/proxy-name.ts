import { UserError } from "../shared/errors.js";
import { excerpt } from "../shared/printable.js";
import type { Snapshot } from "./model.js";
import { splitProxyId } from "./parse/node.js";

const listedAtMost = 10;

/**
 * The proxy that a user means: `pod.namespace`, `pod` with a namespace, `deploy/<workload>[.namespace]`, or any prefix
 * that fits just one.
 * @returns its id
 * @throws UserError listing the candidates when none or several fit
 */
export function findProxy(snapshot: Snapshot, name: string, namespace: string | null): string {
  const all = proxyIds(snapshot);
  const ids = all.filter((id) => namespace === null || splitProxyId(id).namespace === namespace);
  const exact = ids.find((id) => id === name || (namespace !== null && id === `${name}.${namespace}`));
  if (exact !== undefined) return exact;
  const deployment = /^(?:deploy|deployment|deployments)(?:\.apps)?\/([^.]+)(?:\.(.+))?$/.exec(name);
  const fitting =
    deployment === null
      ? ids.filter((id) => id.startsWith(name))
      : ids.filter((id) => isOf(snapshot, id, deployment[1] ?? "", deployment[2] ?? null));
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  const where = namespace === null ? "" : ` in namespace ${excerpt(namespace)}`;
  if (fitting.length > 1)
    throw new UserError(`"${excerpt(name)}" fits ${fitting.length} proxies${where}: ${listing(fitting)}`);
  throw new UserError(
    all.length === 0
      ? "the snapshot names no proxy"
      : `no proxy fits "${excerpt(name)}"${where}; there are ${listing(ids.length === 0 ? all : ids)}`,
  );
}

/** Every proxy that the snapshot knows of, captured or listed, sorted. */
export function proxyIds(snapshot: Snapshot): string[] {
  const listed = snapshot.istiods.flatMap(({ sync }) =>
    sync.state === "present" ? sync.value.states.map(({ proxyId }) => proxyId) : [],
  );
  return [...new Set([...snapshot.proxies.map(({ id }) => id), ...listed])].sort();
}

/** Whether a proxy belongs to a workload: by its metadata, else by its pod's name, `<workload>-<hash>-<5 characters>`. */
function isOf(snapshot: Snapshot, id: string, workload: string, namespace: string | null): boolean {
  const name = splitProxyId(id);
  if (namespace !== null && name.namespace !== namespace) return false;
  const node = snapshot.proxies.find((proxy) => proxy.id === id)?.node;
  const said = node?.state === "present" ? node.value.metadata["WORKLOAD_NAME"] : undefined;
  if (typeof said === "string") return said === workload;
  return (
    name.pod.startsWith(`${workload}-`) &&
    /^[a-z0-9]{6,10}-[a-z0-9]{5}$/.test(name.pod.slice(workload.length + 1))
  );
}

function listing(ids: readonly string[]): string {
  const shown = ids.slice(0, listedAtMost).map((id) => excerpt(id, 120));
  const more = ids.length - shown.length;
  return shown.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
