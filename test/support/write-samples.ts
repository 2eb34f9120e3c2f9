/** Rebuilds `samples/`: the archives from the generator, and the report of each. Review what changed. */
import { writeFileSync } from "node:fs";

import { bundle, tarGz } from "./pack.js";
import { sampleReport } from "./sample-report.js";
import { samples } from "./samples.js";

for (const { name, files, manifest } of samples) {
  const path = new URL(`../../samples/${name}.tar.gz`, import.meta.url);
  const bytes = manifest === null ? await tarGz(files()) : await bundle(files(), manifest);
  writeFileSync(path, bytes);
  writeFileSync(new URL(`../../samples/${name}.report.json`, import.meta.url), await sampleReport(path));
  process.stdout.write(`samples/${name}.tar.gz ${bytes.length} bytes\n`);
}
