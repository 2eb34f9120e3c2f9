/** The collector as a program, as a user starts it. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { root } from "../cli.js";

export interface Ended {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
  /** The largest resident set, in bytes; null when it did not get to tell. */
  readonly peakMemory: number | null;
}

export interface RunningCollector {
  readonly pid: number;
  /** What it has said so far. */
  stderr(): string;
  readonly ended: Promise<Ended>;
}

export interface ProgramOptions {
  /** A folder of the test's: where the program runs, and keeps its temporary files. */
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Blocks of 1024 bytes that it may write to one file: the nearest to a full disk that needs no rights. */
  readonly largestFile?: number;
  /** Whether it leads a group of processes, as what is started in a terminal does. */
  readonly group?: boolean;
}

const program = join(root, "bin/istio-snapshot-collect.js");
const accounting = new URL("../../bench/usage.js", import.meta.url).href;
let count = 0;

export function startCollector(
  args: readonly string[],
  { folder, env = {}, largestFile, group = false }: ProgramOptions,
): RunningCollector {
  const usage = join(folder, `usage-${count++}.json`);
  const command = [process.execPath, "--import", accounting, program, ...args];
  const [file = "", ...rest] =
    largestFile === undefined
      ? command
      : ["bash", "-c", 'ulimit -f "$1"; shift; exec "$@"', "bash", String(largestFile), ...command];
  const child = spawn(file, rest, {
    cwd: folder,
    env: { ...process.env, TMPDIR: folder, USAGE_FILE: usage, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: group,
  });
  const stdout: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (piece: Buffer) => stdout.push(piece));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      peakMemoryIn(usage).then(
        (peakMemory) => resolve({ code, stdout: Buffer.concat(stdout), stderr, peakMemory }),
        reject,
      );
    });
  });
  return { pid: child.pid ?? 0, stderr: () => stderr, ended };
}

export const collector = (args: readonly string[], options: ProgramOptions): Promise<Ended> =>
  startCollector(args, options).ended;

async function peakMemoryIn(usage: string): Promise<number | null> {
  const text = await readFile(usage, "utf8").catch(() => null);
  return text === null ? null : (JSON.parse(text) as { maxRSS: number }).maxRSS * 1024;
}
