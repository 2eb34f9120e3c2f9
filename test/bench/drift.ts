/**
 * What comparing a whole mesh costs beside reading it, both in this process: what `npm run bench` calls the drift figure.
 * Leaves its seconds and megabytes in a file.
 */
import { writeFileSync } from "node:fs";

import { driftCauses } from "../../src/diff/causes.js";
import { driftOf } from "../../src/diff/drift.js";
import { endpointDivergences } from "../../src/diff/endpoint-sets.js";
import { compareIstiods } from "../../src/diff/istiods.js";
import { replicaDivergences } from "../../src/diff/replicas.js";
import { comparer } from "../../src/diff/sections.js";
import { readSnapshot } from "../../src/ingest/read-snapshot.js";

export interface DriftCost {
  readonly read: Cost;
  /** Megabytes: those of both. */
  readonly drift: Cost;
}
interface Cost {
  readonly seconds: number;
  /** Largest resident set so far. */
  readonly megabytes: number;
}

const [path, report] = process.argv.slice(2);
if (path === undefined || report === undefined) throw new Error("usage: drift <bundle> <report>");

const peak = (): number => process.resourceUsage().maxRSS / 1024;
const begin = performance.now();
const snapshot = await readSnapshot(path);
const read: Cost = { seconds: (performance.now() - begin) / 1000, megabytes: peak() };

const readAt = performance.now();
const drifts = driftOf(snapshot);
const differences = [
  driftCauses(drifts),
  replicaDivergences(snapshot, comparer()),
  endpointDivergences(snapshot),
  compareIstiods(snapshot).shards,
];
const drift: Cost = { seconds: (performance.now() - readAt) / 1000, megabytes: peak() };

// a healthy mesh, wholly compared: else the time is that of something else
if (drifts.length !== snapshot.proxies.length || differences.some((found) => found.length > 0))
  throw new Error(`${drifts.length} of ${snapshot.proxies.length} proxies were compared, or they differ`);
writeFileSync(report, JSON.stringify({ read, drift } satisfies DriftCost));
