/**
 * Records anew what the real Envoy decides about every scenario and some seeds:
 * `npx tsx test/support/judge/write-recordings.ts`; with names of groups only those.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { scenarios } from "../../trace/scenarios/index.js";
import { generatedTrial } from "./generator/generated-trial.js";
import { judge } from "./judge.js";
import { trialOf } from "./judge-scenarios.js";
import { recordedSeeds, recordingFolder, recordingSuffix } from "./recorded-files.js";
import { recordingLines } from "./recording.js";

const groups = [
  ...Object.entries(scenarios).map(([name, list]) => ({ name, trials: list.map(trialOf) })),
  { name: "generated", trials: recordedSeeds.map((seed) => generatedTrial(seed, 16)) },
];
const wanted = process.argv.slice(2);
for (const { name, trials } of groups) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { decisions, admin } = await judge(trials);
  const lines = recordingLines(trials, decisions, admin);
  const packed = gzipSync(`${lines.join("\n")}\n`, { level: 9 });
  await writeFile(join(fileURLToPath(recordingFolder), name + recordingSuffix), packed);
  console.log(`${name}: ${trials.length} trials, ${packed.length} bytes`);
}
