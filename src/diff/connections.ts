/** Which Istiods list a proxy: what it holds came from one of them. */
import type { Istiod, Snapshot } from "../snapshot/model.js";

/** Istiods by the id of a proxy, in the snapshot's order; more than one while it reconnects. */
export function connections({ istiods }: Pick<Snapshot, "istiods">): ReadonlyMap<string, readonly Istiod[]> {
  const connected = new Map<string, Istiod[]>();
  // the later lists, and the earlier ones for whom those do not have
  for (const list of ["sync", "syncBefore"] as const) {
    const later = new Set(connected.keys());
    for (const istiod of istiods) {
      const answer = istiod[list];
      if (answer.state === "absent") continue;
      for (const { proxyId } of answer.value.states) {
        if (later.has(proxyId)) continue;
        const known = connected.get(proxyId);
        if (known === undefined) connected.set(proxyId, [istiod]);
        else if (known.at(-1) !== istiod) known.push(istiod);
      }
    }
  }
  return connected;
}
