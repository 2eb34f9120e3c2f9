/** Where what arrived elsewhere never arrived, by what Istiod would send: the timeline alone knows it of replicas only. */
import type { Snapshot } from "../snapshot/model.js";
import type { ProxyDrift } from "./drift.js";
import type { Comparer, Holding } from "./sections.js";
import type { Timeline } from "./timeline.js";

/** The timeline, with the proxies that Istiod would send the content of an event to and that do not hold it. */
export function withNeverArrived(
  timeline: Timeline,
  drifts: readonly ProxyDrift[],
  { resources }: Pick<Snapshot, "resources">,
  compare: Pick<Comparer, "same">,
): Timeline {
  const lacking = new Map<string, { proxyId: string; sent: Holding }[]>();
  for (const { proxyId, kinds } of drifts)
    for (const kind of kinds) {
      if (kind.state === "not compared") continue;
      for (const { name, before } of kind.differences) {
        if (before === null) continue;
        const key = keyOf(kind.kind, name);
        const list = lacking.get(key);
        if (list === undefined) lacking.set(key, [{ proxyId, sent: before }]);
        else list.push({ proxyId, sent: before });
      }
    }
  return {
    ...timeline,
    events: timeline.events.map((event) => {
      const resource = resources.get(event.hash);
      const absent = (lacking.get(keyOf(event.kind, event.name)) ?? []).filter(
        ({ sent }) => resource !== undefined && compare.same(sent.resource, resource),
      );
      return absent.length === 0
        ? event
        : {
            ...event,
            missing: [...new Set([...event.missing, ...absent.map(({ proxyId }) => proxyId)])].sort(),
          };
    }),
  };
}

const keyOf = (kind: string, name: string): string => `${kind}\u0000${name}`;
