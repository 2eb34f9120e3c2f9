import { fileURLToPath } from "node:url";

import { meshDrift } from "../../src/diff/mesh-drift.js";
import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { buildReport } from "../../src/report/build-report.js";
import { syncStatus } from "../../src/status/sync-status.js";

/** The report of a committed sample as JSON text; the program's version stays out of it. */
export async function sampleReport(sample: URL): Promise<string> {
  const snapshot = await readSnapshot(fileURLToPath(sample));
  return `${JSON.stringify(buildReport(snapshot, syncStatus(snapshot), "0.0.0", meshDrift(snapshot)), null, 1)}\n`;
}
