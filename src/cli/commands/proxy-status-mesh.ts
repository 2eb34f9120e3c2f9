/** What `proxy-status` says besides Istiod's view against Envoy's: proxies and Istiods against each other. */
import { driftCauses } from "../../diff/causes.js";
import type { ProxyDrift } from "../../diff/drift.js";
import { endpointDivergences, type EndpointDivergence } from "../../diff/endpoint-sets.js";
import { endpointsAgainstShards, type ShardComparison } from "../../diff/endpoint-shards.js";
import { compareIstiods } from "../../diff/istiods.js";
import { replicaDivergences, replicaGroups, type ReplicaDivergence } from "../../diff/replicas.js";
import { comparer } from "../../diff/sections.js";
import { causeLine } from "../../report/drift-wording.js";
import {
  endpointLines,
  istiodLines,
  meshShardGapLines,
  replicaLines,
  shardGapLines,
  shardLines,
  shardSummary,
} from "../../report/mesh-drift-wording.js";
import { printable } from "../../shared/printable.js";
import type { Snapshot } from "../../snapshot/model.js";

/** Proxies that hold something else than others which must hold the same, or than their Istiod knows. */
export interface Divergences {
  readonly replicas: readonly ReplicaDivergence[];
  readonly endpoints: readonly EndpointDivergence[];
  /** Of proxies of which Istiod's own view was not captured. */
  readonly shards: ShardComparison;
}

export const noDivergences: Divergences = {
  replicas: [],
  endpoints: [],
  shards: { divergences: [], compared: 0, notCompared: [] },
};

/** @param concerns which proxies the user asked about */
export function divergencesOf(snapshot: Snapshot, concerns: (proxyId: string) => boolean): Divergences {
  return {
    replicas: replicaDivergences(snapshot, comparer()).filter(({ proxies }) => proxies.some(concerns)),
    endpoints: endpointDivergences(snapshot).filter(({ sets: [, ...others] }) =>
      others.some(({ proxies }) => proxies.some(concerns)),
    ),
    shards: endpointsAgainstShards(snapshot, concerns),
  };
}

/** What is said besides of a proxy of which Istiod's view was captured, should it be without endpoints. */
export const divergencesBesideView = (snapshot: Snapshot, proxyId: string): Divergences => ({
  ...noDivergences,
  shards: endpointsAgainstShards(snapshot, (id) => id === proxyId),
});

export const isDiverging = ({ replicas, endpoints, shards }: Divergences): boolean =>
  replicas.length > 0 || endpoints.length > 0 || shards.divergences.some(({ inFlight }) => !inFlight);

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
  { replicas, endpoints, shards }: Divergences,
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
    part("Endpoints that a proxy holds otherwise than its Istiod knows:", shardLines(shards.divergences)),
    part("Istiods that do not say the same:", istiodLines(compareIstiods(snapshot))),
  ].join("");
}

/** What can be said of a proxy whose Istiod side was not captured: by its replicas, other clients and Istiod's own list. */
export function substituteText(
  snapshot: Snapshot,
  proxyId: string,
  { replicas, endpoints, shards }: Divergences,
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
    knownEndpointsText(shards),
  ].join("");
}

/** One proxy's endpoints against those that its Istiod knows; nothing where Istiod's own view of them was captured. */
export function knownEndpointsText({ compared, divergences, notCompared }: ShardComparison): string {
  return part("Its endpoints against those that its Istiod knows:", [
    ...(compared === 0 ? [] : [shardSummary({ compared, divergences, notCompared })]),
    ...shardLines(divergences),
    ...shardGapLines(notCompared),
  ]);
}

/** What of the endpoints could not be held against those that Istiods know; each reason once. */
export const shardRemarks = ({ shards }: Divergences): string[] => [
  ...(shards.compared === 0
    ? []
    : [`endpoints against those that each proxy's Istiod knows: ${shardSummary(shards)}`]),
  ...meshShardGapLines(shards.notCompared),
];
