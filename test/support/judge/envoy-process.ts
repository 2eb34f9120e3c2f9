/** One Envoy with a static configuration that writes its access logs to standard output. It ends with `stop`. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { mkdtemp } from "node:fs/promises";
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { envoyPath } from "../live/envoy-binary.js";
import { waitFor } from "../live/wait.js";
import type { JsonObject } from "../mesh/json.js";

export interface EnvoyProcess {
  /** The body of what the admin port answers. @param path without a leading slash */
  ask(path: string): Promise<string>;
  /** Its log, as far as it is kept. */
  log(): string;
  stop(): Promise<void>;
}

const keptLog = 64 * 1024;
const endsWithin = 2000;
const bootstrapFile = "bootstrap.json";
const adminAddress = "admin-address";

/** A folder that goes away with this process at the latest. */
export interface Home {
  readonly path: string;
  remove(): Promise<void>;
}

const homes = new Set<string>();
process.once("exit", () => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

export async function newHome(): Promise<Home> {
  const path = await mkdtemp(join(tmpdir(), "istio-snapshot-judge-"));
  homes.add(path);
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true });
      homes.delete(path);
    },
  };
}

/**
 * Starts one in that folder and waits until it is LIVE.
 * @param onLogLine is given each line of the access logs
 * @throws Error with its log when that does not come
 */
export async function startEnvoy(
  home: string,
  bootstrap: JsonObject,
  onLogLine: (line: string) => void,
): Promise<EnvoyProcess> {
  await writeFile(join(home, bootstrapFile), JSON.stringify(bootstrap));
  const child = launch(home, []);
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-keptLog);
  });
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLogLine(line);
  });
  let ended = false;
  void child.finally(() => {
    ended = true;
  });
  const stop = async (): Promise<void> => {
    child.kill();
    await child;
  };
  const until = <T>(what: string, ask: () => Promise<T | undefined>): Promise<T> =>
    waitFor(what, ask, {
      evidence: () => log,
      hopeless: () => (ended ? "Envoy has ended" : undefined),
    });
  try {
    const address = await until("Envoy had an admin port", async () => {
      const text = await readFile(join(home, adminAddress), "utf8");
      return text === "" ? undefined : text.trim();
    });
    const ask = async (path: string): Promise<string> => (await fetch(`http://${address}/${path}`)).text();
    await until("Envoy was LIVE", async () => ((await ask("ready")).trim() === "LIVE" ? true : undefined));
    return { ask, log: () => log, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Why Envoy refuses a configuration; null where it takes it. Opens no port. */
export async function refusalOf(home: string, bootstrap: JsonObject): Promise<string | null> {
  await writeFile(join(home, bootstrapFile), JSON.stringify(bootstrap));
  const child = launch(home, ["--mode", "validate"]);
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  child.stdout.resume();
  const { exitCode } = await child;
  return exitCode === 0 ? null : log;
}

function launch(home: string, words: readonly string[]) {
  const program = envoyPath();
  if (program === undefined) throw new Error("Envoy is needed: install it, or name it in ENVOY_BIN");
  return execa(
    program,
    [
      ...["--config-path", bootstrapFile, "--admin-address-path", adminAddress],
      ...["--concurrency", "1"], // one worker: a connection's lines come in the order of its events
      ...["--file-flush-interval-msec", "20"], // of access logs; 10 s otherwise
      ...["--disable-hot-restart", "--log-level", "warning"],
      ...words,
    ],
    {
      cwd: home,
      stdin: "ignore",
      buffer: false,
      reject: false,
      cleanup: true,
      forceKillAfterDelay: endsWithin,
    },
  );
}
