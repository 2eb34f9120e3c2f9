/** What `proxy-status` says besides Istiod's view against Envoy's: proxies and Istiods against each other. */
import { driftCauses } from "../../diff/causes.js";
import type { ProxyDrift } from "../../diff/drift.js";
import { endpointDivergences, type EndpointDivergence } from "../../diff/endpoint-sets.js";
import { compareIstiods } from "../../diff/istiods.js";
import { replicaDivergences, replicaGroups, type ReplicaDivergence } from "../../diff/replicas.js";
import { comparer } from "../../diff/sections.js";
import { causeLine, kindTitles } from "../../report/drift-wording.js";
import { endpointLines, istiodLines, replicaLines } from "../../report/mesh-drift-wording.js";
import { printable } from "../../shared/printable.js";
import type { Snapshot } from "../../snapshot/model.js";

/** Proxies that hold something else than others which must hold the same. */
export interface Divergences {
  readonly replicas: readonly ReplicaDivergence[];
  readonly endpoints: readonly EndpointDivergence[];
}

/** @param concerns which proxies the user asked about */
export function divergencesOf(snapshot: Snapshot, concerns: (proxyId: string) => boolean): Divergences {
  return {
    replicas: replicaDivergences(snapshot, comparer()).filter(({ proxies }) => proxies.some(concerns)),
    endpoints: endpointDivergences(snapshot).filter(({ sets: [, ...others] }) =>
      others.some(({ proxies }) => proxies.some(concerns)),
    ),
  };
}

export const isDiverging = ({ replicas, endpoints }: Divergences): boolean =>
  replicas.length > 0 || endpoints.length > 0;

const linesShown = 100;

/** A heading and its lines, set apart by an empty line; nothing where there are none. */
function part(heading: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  const more = lines.length - linesShown;
  const shown = [
    ...lines.slice(0, linesShown),
    ...(more > 0 ? [`and ${more} more lines (the report has all)`] : []),
  ];
  return `\n${[heading, ...shown].map(printable).join("\n")}\n`;
}

/** The drift of the mesh by cause, then who differs from whom. */
export function meshDriftText(
  snapshot: Snapshot,
  drifts: readonly ProxyDrift[],
  { replicas, endpoints }: Divergences,
): string {
  const causes = driftCauses(drifts).map(causeLine);
  const compared = new Set(drifts.map(({ proxyId }) => proxyId)).size;
  return [
    compared === 0
      ? ""
      : part(
          `Istiod's view against Envoy's, ${compared} of ${snapshot.proxies.length} proxies:`,
          causes.length === 0 ? ["No difference."] : causes,
        ),
    part("Replicas of one workload that do not hold the same:", replicaLines(replicas)),
    part("Clients of one cluster that do not hold the same endpoints:", endpointLines(endpoints)),
    part("Istiods that do not say the same:", istiodLines(compareIstiods(snapshot))),
  ].join("");
}

/** What can be said of a proxy whose Istiod side was not captured: its replicas and other clients. */
export function substituteText(
  snapshot: Snapshot,
  proxyId: string,
  { replicas, endpoints }: Divergences,
): string {
  const group = replicaGroups(snapshot).find(({ proxies }) => proxies.some(({ id }) => id === proxyId));
  const others = (group?.proxies.length ?? 1) - 1;
  const held = snapshot.proxies.find(({ id }) => id === proxyId)?.config;
  return [
    part(
      "Against its replicas:",
      held?.cluster.state === "absent"
        ? [`Not compared: ${held.cluster.reason}`]
        : others === 0
          ? ["No other replica of its workload was captured."]
          : replicas.length === 0
            ? [`The same as most of its ${others} replicas.`]
            : replicaLines(replicas),
    ),
    part(
      "Its endpoints against those of other clients:",
      held?.endpointAssignment.state === "absent"
        ? [`Not compared: ${held.endpointAssignment.reason}`]
        : endpoints.length === 0
          ? ["No difference."]
          : endpointLines(endpoints),
    ),
  ].join("");
}

/** What of Istiod's view and Envoy's could not be held against each other, or not all of it; each reason once. */
export function notComparedLines(drifts: readonly ProxyDrift[]): string[] {
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
      return `${[...kinds].join(", ")} ${what} on ${size} ${size === 1 ? "proxy" : "proxies"}: ${reason}`;
    },
  );
}
