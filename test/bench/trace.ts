/**
 * `npm run bench:trace`, also a part of `npm run bench`: what a trace on a config dump of 10 MB costs, beside parsing that
 * dump. Each figure is the median of fresh processes, taken in turn; what an empty process takes is taken off both.
 *
 * Options: --runs 15 --services 975 (which makes 10 MB).
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { envoyDump } from "../support/mesh/dump.js";
import { print } from "../support/mesh/json.js";
import { buildMesh } from "../support/mesh/mesh.js";

const { values: options } = parseArgs({
  options: { runs: { type: "string", default: "15" }, services: { type: "string", default: "975" } },
});
const runs = Number(options.runs);
const program = fileURLToPath(new URL("../../bin/istio-snapshot.js", import.meta.url));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const folder = mkdtempSync(join(tmpdir(), "istio-snapshot-bench-trace-"));
try {
  const file = join(folder, "config_dump.json");
  const size = writeDump(file);
  const times = medians({
    empty: ["-e", "0"],
    parse: ["-e", `JSON.parse(require("node:fs").readFileSync(${JSON.stringify(file)}))`],
    known: [program, "trace", "http://details:9080/", "-f", file],
    unknown: [program, "trace", "http://shop-1.default:8080/", "-f", file],
  });
  const ofParse = (time: number): string => ((time - times.empty) / (times.parse - times.empty)).toFixed(2);
  say(
    `a trace on a dump of ${(size / 1e6).toFixed(1)} MB, medians of ${runs}, and of JSON.parse without the start of Node.js`,
  );
  say(`  empty process ${times.empty.toFixed(0)} ms, JSON.parse ${times.parse.toFixed(0)} ms`);
  say(`  to a host of the mesh ${times.known.toFixed(0)} ms: ${ofParse(times.known)}`);
  say(`  to a host that it does not have ${times.unknown.toFixed(0)} ms: ${ofParse(times.unknown)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A sidecar's dump, printed as Envoy does; its size in bytes. */
function writeDump(file: string): number {
  const { proxies } = buildMesh({ proxies: 4, services: Number(options.services) });
  const sidecar = proxies.find(({ type }) => type === "sidecar");
  if (sidecar === undefined) throw new Error("the mesh has no sidecar");
  const dump = print(envoyDump(sidecar, true), 1);
  writeFileSync(file, dump);
  return dump.length;
}

/** Milliseconds of each command, run in turn so that a slow minute hits all alike. */
function medians<Name extends string>(commands: Record<Name, readonly string[]>): Record<Name, number> {
  const names = Object.keys(commands) as Name[];
  const rounds = Array.from({ length: runs + 1 }, () => names.map((name) => milliseconds(commands[name])));
  const measured = rounds.slice(1); // the first finds the files on the disk
  return Object.fromEntries(
    names.map((name, index) => [name, median(measured.map((round) => round[index] ?? NaN))]),
  ) as Record<Name, number>;
}

function milliseconds(args: readonly string[]): number {
  const begin = process.hrtime.bigint();
  const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  const taken = Number(process.hrtime.bigint() - begin) / 1e6;
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${String(status)}`);
  return taken;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}
