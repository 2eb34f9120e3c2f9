/**
 * What comparing a whole mesh costs beside reading it, both in this process: what `npm run bench` calls the drift figure.
 * Leaves its seconds and megabytes in a file.
 */
import { writeFileSync } from "node:fs";

import { meshDrift } from "../../src/diff/mesh-drift.js";
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
const { drifts, causes, replicas, endpoints, shards, istiods } = meshDrift(snapshot);
const differences = [causes, replicas, endpoints, shards.divergences, istiods.shards];
const drift: Cost = { seconds: (performance.now() - readAt) / 1000, megabytes: peak() };

// a healthy mesh, wholly compared: else the time is that of something else
if (drifts.length !== snapshot.proxies.length || differences.some((found) => found.length > 0))
  throw new Error(`${drifts.length} of ${snapshot.proxies.length} proxies were compared, or they differ`);
writeFileSync(report, JSON.stringify({ read, drift } satisfies DriftCost));
