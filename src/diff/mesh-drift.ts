/** All that differs in a mesh, worked out once: what a report says of it and `proxy-status --drift` prints. */
import type { Snapshot } from "../snapshot/model.js";
import { driftCauses, type DriftCause } from "./causes.js";
import { driftOf, type ProxyDrift } from "./drift.js";
import { endpointDivergences, type EndpointDivergence } from "./endpoint-sets.js";
import { endpointsAgainstShards, type ShardComparison } from "./endpoint-shards.js";
import { compareIstiods, type IstiodComparison } from "./istiods.js";
import { withNeverArrived } from "./never-arrived.js";
import { replicaDivergences, type ReplicaDivergence } from "./replicas.js";
import { comparer, type Comparer } from "./sections.js";
import { timelineOf, type Timeline } from "./timeline.js";

export interface MeshDrift {
  /** Of each proxy that an Istiod's view was captured of. */
  readonly drifts: readonly ProxyDrift[];
  /** The same by cause. */
  readonly causes: readonly DriftCause[];
  readonly replicas: readonly ReplicaDivergence[];
  readonly endpoints: readonly EndpointDivergence[];
  /** Of proxies whose endpoints Istiod's own view was not captured of. */
  readonly shards: ShardComparison;
  readonly istiods: IstiodComparison;
  readonly timeline: Timeline;
  /** What was worked out of the resources so far. */
  readonly compare: Comparer;
}

/** How far back a timeline goes, milliseconds: what led to an incident came shortly before it. */
const timelineSpan = 3_600_000;

/** The timeline is of the hour before the capture; of all times where nobody knows when that was. */
export function meshDrift(snapshot: Snapshot): MeshDrift {
  const compare = comparer();
  const drifts = driftOf(snapshot, null, compare);
  const { captureTime } = snapshot;
  const since =
    captureTime === null
      ? null
      : new Date(Math.max(0, Date.parse(captureTime.value) - timelineSpan)).toISOString();
  return {
    drifts,
    causes: driftCauses(drifts),
    replicas: replicaDivergences(snapshot, compare),
    endpoints: endpointDivergences(snapshot),
    shards: endpointsAgainstShards(snapshot),
    istiods: compareIstiods(snapshot),
    timeline: withNeverArrived(timelineOf(snapshot, compare, since), drifts, snapshot, compare),
    compare,
  };
}
