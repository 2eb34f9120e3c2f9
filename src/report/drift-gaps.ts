import type { ProxyDrift } from "../diff/drift.js";
import { kindTitles } from "./drift-wording.js";
import { countOf } from "./wording.js";

/** What of Istiod's view and Envoy's could not be held against each other, or not all of it; each reason once. */
export function driftGaps(drifts: readonly ProxyDrift[]): string[] {
  const reasons = new Map<string, { what: string; kinds: Set<string>; proxies: Set<string> }>();
  for (const { proxyId, kinds } of drifts)
    for (const kind of kinds) {
      const reason = kind.state === "not compared" ? kind.reason : kind.partial;
      if (reason === null) continue;
      const what = kind.state === "not compared" ? "not compared" : "compared in part";
      const key = `${what}\u0000${reason}`;
      const entry = reasons.get(key) ?? { what, kinds: new Set<string>(), proxies: new Set<string>() };
      entry.kinds.add(kindTitles[kind.kind]);
      entry.proxies.add(proxyId);
      reasons.set(key, entry);
    }
  return [...reasons].map(
    ([
      key,
      {
        what,
        kinds,
        proxies: { size },
      },
    ]) => {
      const reason = key.slice(key.indexOf("\u0000") + 1);
      return `${[...kinds].join(", ")} ${what} on ${countOf(size, "proxy")}: ${reason}`;
    },
  );
}
