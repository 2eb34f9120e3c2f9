/**
 * `npm run bench`: what reading a large mesh costs, as ratios to a naive reader measured in the same run. Each figure is
 * the median of fresh processes, taken in turn; the time is that of the whole process, the memory its largest resident set.
 * The drift figure is what comparing the whole mesh with Istiod's view costs beside reading both, within one process. The
 * figure of a trace is measured by `trace.ts`, on one dump.
 *
 * Options: --proxies 200 --services 1000 --runs 5 --keep <folder> (keeps the archives there and reuses them).
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { bugReportLayout, ownLayout } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { packBundle, packTarGz, toFile } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";
import type { DriftCost } from "./drift.js";

const { values: options } = parseArgs({
  options: {
    proxies: { type: "string", default: "200" },
    services: { type: "string", default: "1000" },
    runs: { type: "string", default: "5" },
    keep: { type: "string" },
  },
});
const proxies = Number(options.proxies);
const services = Number(options.services);
const runs = Number(options.runs);

const folder = options.keep ?? mkdtempSync(join(tmpdir(), "istio-snapshot-bench-"));
mkdirSync(folder, { recursive: true });

const root = fileURLToPath(new URL("../../", import.meta.url));
const program = join(root, "bin/istio-snapshot.js");
const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Run {
  readonly seconds: number;
  readonly megabytes: number;
}

/** One fresh process. Its peak memory is what the process itself read of its own accounting when it ended. */
async function measure(args: readonly string[]): Promise<Run> {
  const report = join(folder, `usage-${process.pid}.json`);
  const begin = process.hrtime.bigint();
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(
      process.execPath,
      ["--import", new URL("./usage.js", import.meta.url).href, ...args],
      {
        stdio: ["ignore", "ignore", "inherit"],
        env: { ...process.env, USAGE_FILE: report },
      },
    );
    child.on("error", reject);
    child.on("close", resolve);
  });
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  if (code !== 0 && code !== 1) throw new Error(`${args.join(" ")} ended with ${String(code)}`);
  const { maxRSS } = JSON.parse(readFileSync(report, "utf8")) as { readonly maxRSS: number };
  return { seconds, megabytes: maxRSS / 1024 };
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

/** Medians of several commands, run in turn so that a slow minute hits all alike. */
async function medians(
  commands: Readonly<Record<string, readonly string[]>>,
  times: number,
): Promise<Record<string, Run>> {
  const all: Record<string, Run[]> = {};
  for (let run = 0; run < times; run++) {
    for (const [name, args] of Object.entries(commands)) (all[name] ??= []).push(await measure(args));
  }
  return Object.fromEntries(
    Object.entries(all).map(([name, measured]) => [
      name,
      {
        seconds: median(measured.map(({ seconds }) => seconds)),
        megabytes: median(measured.map(({ megabytes }) => megabytes)),
      },
    ]),
  );
}

async function archive(count: number): Promise<string> {
  const path = join(folder, `bug-report-${count}x${services}.tar.gz`);
  if (!existsSync(path)) {
    const mesh = buildMesh({ proxies: count, services });
    await packTarGz(bugReportLayout(mesh, { istioctl: "1.24" }), toFile(path), 1);
  }
  say(`${count} proxies x ${services} services, bug-report of ${(statSync(path).size / 1e6).toFixed(0)} MB`);
  return path;
}

/** A bundle with what Istiod would send each proxy. */
async function bundle(): Promise<string> {
  const path = join(folder, `bundle-${proxies}x${services}.tar.gz`);
  if (!existsSync(path)) {
    const mesh = buildMesh({ proxies, services });
    await packBundle(ownLayout(mesh), manifestOf(mesh), toFile(path));
  }
  say(
    `${proxies} proxies x ${services} services with Istiod's dumps, bundle of ${(statSync(path).size / 1e6).toFixed(0)} MB`,
  );
  return path;
}

async function driftFigure(path: string, times: number): Promise<void> {
  const report = join(folder, "drift.json");
  const costs: DriftCost[] = [];
  for (let run = 0; run < times; run++) {
    await measure(["--import", "tsx", join(root, "test/bench/drift.ts"), path, report]);
    costs.push(JSON.parse(readFileSync(report, "utf8")) as DriftCost);
  }
  const middle = (of: (cost: DriftCost) => number): number => median(costs.map(of));
  const part = middle(({ read, drift }) => drift.seconds / read.seconds);
  say(
    `  reading ${middle(({ read }) => read.seconds).toFixed(2)} s ${middle(({ read }) => read.megabytes).toFixed(0)} MB, drift of the whole mesh ${middle(({ drift }) => drift.seconds).toFixed(2)} s: ${part.toFixed(3)} of reading, ${middle(({ read, drift }) => drift.megabytes / read.megabytes).toFixed(2)} of the memory`,
  );
}

try {
  const single = await archive(proxies);
  const out = join(folder, "report.json");
  const naive = join(root, "test/bench/naive.js");
  const measured = await medians(
    {
      naive: ["--import", "tsx", naive.replace(/\.js$/, ".ts"), single],
      ps: [program, "ps", "-f", single],
      report: [program, "report", single, "--format", "json", "-o", out],
    },
    runs,
  );
  const row = (name: string, run: Run, of: Run): void =>
    say(
      `  ${name.padEnd(24)} ${run.seconds.toFixed(2).padStart(7)} s ${(run.seconds / of.seconds).toFixed(2).padStart(6)} of naive ${run.megabytes.toFixed(0).padStart(6)} MB`,
    );
  const base = measured["naive"];
  if (base === undefined) throw new Error("nothing was measured");
  for (const [name, run] of Object.entries(measured)) row(name, run, base);

  const twice = await archive(proxies * 2);
  const doubled = await medians(
    { report: [program, "report", twice, "--format", "json", "-o", out] },
    Math.min(runs, 3),
  );
  const [one, two] = [measured["report"], doubled["report"]];
  if (one === undefined || two === undefined) throw new Error("nothing was measured");
  say(
    `  report, twice the proxies ${two.seconds.toFixed(2)} s ${two.megabytes.toFixed(0)} MB: ${(two.megabytes / one.megabytes).toFixed(2)} of the memory`,
  );

  await driftFigure(await bundle(), Math.min(runs, 3));

  const trace = fileURLToPath(new URL("trace.ts", import.meta.url));
  const { status } = spawnSync(process.execPath, ["--import", "tsx", trace], { stdio: "inherit" });
  if (status !== 0) throw new Error("the trace was not measured");
} finally {
  if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
}
