/**
 * `npm run bench:collect`: what capturing many proxies costs, from local servers that answer late: the time against the sum
 * of the latencies, and the largest resident set of the collector, which is to follow the largest answer and not the mesh.
 *
 * Options: --proxies 200 --services 67 --latency 20.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { asFigures, manyTargets } from "../support/live/scale.js";

const { values: options } = parseArgs({
  options: {
    proxies: { type: "string", default: "200" },
    services: { type: "string", default: "67" },
    latency: { type: "string", default: "20" },
  },
});
const proxies = Number(options.proxies);
const services = Number(options.services);
const latency = Number(options.latency);

const folder = mkdtempSync(join(tmpdir(), "istio-snapshot-bench-"));
const targets = await manyTargets({ proxies, services, latency });
try {
  for (const concurrency of [8, 32])
    for (const count of [Math.ceil(proxies / 4), proxies]) {
      const measured = await targets.measure(count, concurrency, folder);
      if (measured.code !== 0) throw new Error(measured.stderr);
      process.stdout.write(`${asFigures(count, concurrency, measured)}\n`);
    }
} finally {
  await targets.stop();
  rmSync(folder, { recursive: true, force: true });
}
