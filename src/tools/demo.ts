/** `npm run demo`: what a user does first, on a sample: the sync table, then the report. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("../../", import.meta.url)));

const sample = "samples/bookinfo-drift.tar.gz";
const report = "out/bookinfo-drift.html";

/** Runs the program; 1 is an answer too: something is wrong in the sample's mesh, on purpose. */
function run(...args: string[]): void {
  process.stdout.write(`$ npx istio-snapshot ${args.join(" ")}\n`);
  const { status } = spawnSync(process.execPath, ["bin/istio-snapshot.js", ...args], { stdio: "inherit" });
  if (status !== 0 && status !== 1) process.exit(status ?? 2);
  process.stdout.write("\n");
}

run("ps", "-f", sample);
mkdirSync("out", { recursive: true });
run("report", sample, "-o", report);
process.stdout.write(`Open ${report} in a browser.\n`);
