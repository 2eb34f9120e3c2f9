/** Real Envoys on loopback, configured from files. They end with `stop`, and at the latest with this process. */
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { execa } from "execa";

import { isObject, type Json, type JsonObject } from "../mesh/json.js";
import { envoyPath } from "./envoy-binary.js";
import { onFreePort } from "./plain-envoy.js";
import { waitFor } from "./wait.js";
import { deliver, fileSource, prepareXdsFolders, type XdsKind } from "./xds-files.js";

export interface EnvoyConfiguration {
  /** As Istio writes it; the admin address and where LDS and CDS come from are set here. */
  readonly bootstrap: JsonObject;
  readonly versionInfo: string;
  readonly clusters: readonly JsonObject[];
  readonly listeners: readonly JsonObject[];
  readonly routes: readonly JsonObject[];
  readonly endpoints: readonly JsonObject[];
}

export interface RunningEnvoy {
  /** Of the admin port: `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly pid: number;
  /** The body of what the admin port answers, whatever its status. @param path without a leading slash */
  ask(path: string): Promise<string>;
  askJson(path: string): Promise<unknown>;
  /** Moves new resources in: all clusters or listeners, or some route configurations or endpoints. */
  update(kind: XdsKind, resources: readonly JsonObject[], versionInfo: string): Promise<void>;
  /** What it has written to its log, as far as it is kept. */
  log(): string;
  stop(): Promise<void>;
}

/** Characters of the log that are kept. */
const keptLog = 64 * 1024;
const endsWithin = 2000;

const homes = new Set<string>();
process.once("exit", () => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

/** Starts one and waits until it is LIVE. @throws Error with its log when that does not come */
export async function startEnvoy(configuration: EnvoyConfiguration): Promise<RunningEnvoy> {
  const program = envoyPath();
  if (program === undefined) throw new Error("Envoy is needed: install it, or name it in ENVOY_BIN");
  const home = await mkdtemp(join(tmpdir(), "istio-snapshot-envoy-"));
  homes.add(home);
  const ends: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).reverse()) await end();
    await rm(home, { recursive: true, force: true });
    homes.delete(home);
  };
  try {
    ends.push(await silentAgent(join(home, xdsSocket)));
    await prepare(home, configuration);
    const envoy = launch(program, home);
    ends.push(envoy.end);
    const address = await envoy.until("Envoy had an admin port", async () => {
      const text = await readFile(join(home, adminAddress), "utf8");
      return text === "" ? undefined : text.trim();
    });
    const url = `http://${address}`;
    await envoy.until("Envoy was LIVE", async () => ((await isLive(url)) ? true : undefined));
    return running(url, home, envoy, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function isLive(url: string): Promise<boolean> {
  const ready = await fetch(`${url}/ready`);
  const info = (await (await fetch(`${url}/server_info`)).json()) as Json;
  return ready.ok && isObject(info) && info["state"] === "LIVE";
}

/** Names in the folder that Envoy runs in. */
const bootstrapFile = "envoy-rev.json";
const adminAddress = "admin-address";
/** Where Istio's bootstrap has ADS, relative to the folder. */
const xdsSocket = "etc/istio/proxy/XDS";

async function prepare(home: string, configuration: EnvoyConfiguration): Promise<void> {
  const { bootstrap, versionInfo, clusters, listeners, routes, endpoints } = configuration;
  await prepareXdsFolders(home);
  await deliver(home, "eds", endpoints, versionInfo);
  await deliver(home, "rds", routes, versionInfo);
  await deliver(home, "cds", clusters, versionInfo);
  await deliver(home, "lds", listeners, versionInfo);
  await writeFile(join(home, bootstrapFile), JSON.stringify(onLoopback(bootstrap)));
}

function onLoopback(bootstrap: JsonObject): JsonObject {
  const { static_resources: resources = {}, dynamic_resources: dynamic = {} } = bootstrap;
  const { listeners = [] } = isObject(resources) ? resources : {};
  return {
    ...bootstrap,
    static_resources: {
      ...(isObject(resources) ? resources : {}),
      listeners: Array.isArray(listeners) ? (listeners as readonly JsonObject[]).map(onFreePort) : [],
    },
    dynamic_resources: {
      ...(isObject(dynamic) ? dynamic : {}),
      lds_config: fileSource("lds"),
      cds_config: fileSource("cds"),
    },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
  };
}

/** Takes connections where the agent of a pod would, and never answers: what comes by ADS stays away. Gives what ends it. */
async function silentAgent(path: string): Promise<() => Promise<void>> {
  await mkdir(dirname(path), { recursive: true });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.resume().on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(path);
  await once(server, "listening");
  return async () => {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
}

type Launched = ReturnType<typeof launch>;

function launch(program: string, home: string) {
  const child = execa(
    program,
    [
      "--config-path",
      bootstrapFile,
      "--admin-address-path",
      adminAddress,
      "--concurrency",
      "1",
      "--disable-hot-restart", // no shared memory, which one Envoy would share with the next and leave behind when killed
      "--log-level",
      "info",
    ],
    {
      cwd: home,
      stdin: "ignore",
      stdout: "ignore",
      buffer: false,
      reject: false,
      cleanup: true,
      forceKillAfterDelay: endsWithin,
    },
  );
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-keptLog);
  });
  let ended = false;
  void child.finally(() => {
    ended = true;
  });
  return {
    pid: child.pid ?? 0,
    log: () => log,
    end: async () => {
      child.kill();
      await child;
    },
    /** Waits, but not for one that has ended. */
    until: <T>(what: string, ask: () => Promise<T | undefined>) =>
      waitFor(what, ask, {
        evidence: () => log,
        hopeless: () => (ended ? "Envoy has ended" : undefined),
      }),
  };
}

function running(url: string, home: string, envoy: Launched, stop: () => Promise<void>): RunningEnvoy {
  const ask: RunningEnvoy["ask"] = async (path) => (await fetch(`${url}/${path}`)).text();
  /** How many deliveries were read, taken or refused; null where nothing counts them all. */
  const read = async (kind: XdsKind): Promise<number | null> => {
    const manager = { lds: "listener_manager.lds", cds: "cluster_manager.cds", rds: null, eds: null }[kind];
    if (manager === null) return null;
    const lines = (await ask(`stats?filter=^${manager}.update_(success|rejected)$`)).trim().split("\n");
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  };
  return {
    url,
    pid: envoy.pid,
    ask,
    askJson: async (path) => JSON.parse(await ask(path)) as unknown,
    update: async (kind, resources, versionInfo) => {
      const before = await read(kind);
      await deliver(home, kind, resources, versionInfo);
      if (before === null) return;
      await envoy.until(`Envoy had read the new ${kind}`, async () =>
        ((await read(kind)) ?? 0) > before ? true : undefined,
      );
    },
    log: envoy.log,
    stop,
  };
}
