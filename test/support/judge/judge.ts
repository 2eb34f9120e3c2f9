/**
 * The real Envoy as judge: runs many small configurations in one Envoy, sends their requests, and gives what it decided and
 * what its admin port shows. Everything that it starts has ended when it returns or throws.
 */
import pLimit from "p-limit";

import type { SocketAddress } from "../../../src/trace/request.js";
import { deliver, prepareXdsFolders } from "../live/xds-files.js";
import { waitFor } from "../live/wait.js";
import { isObject, textOf, type Json, type JsonObject } from "../mesh/json.js";
import { AccessLog } from "./access-log.js";
import { readCertificate, writeCertificates } from "./certificates.js";
import { send, type ClientAnswer } from "./client.js";
import type { Decision } from "./decision.js";
import { startEchoServers } from "./echo.js";
import { newHome, refusalOf, startEnvoy, type EnvoyProcess } from "./envoy-process.js";
import type { JudgedRequest } from "./judged-request.js";
import { sharedCluster, typeUrl } from "./messages.js";
import { addressOf, claimNetwork, clientAddress, echoPorts, type ClaimedNetwork } from "./network.js";
import { originalDstProbe, throwUnlessRestored } from "./original-dst-probe.js";
import { plantedListener, plantedRoutes } from "./planting.js";
import { boundAddress, type JudgedConfiguration } from "./judged-configuration.js";

/** A configuration and what is sent to it. */
export interface Trial {
  readonly name: string;
  readonly configuration: JudgedConfiguration;
  readonly requests: readonly JudgedRequest[];
}

/** A decision and the connection that it is about. */
export interface JudgedDecision {
  readonly decision: Decision;
  /** The address that the client connected to. */
  readonly connectedTo: SocketAddress;
  readonly from: SocketAddress;
}

export interface AdminAnswers {
  /** `/config_dump?include_eds` */
  readonly configDump: string;
  /** `/clusters?format=json` */
  readonly clusters: string;
  readonly serverInfo: string;
  readonly runtime: string;
}

export interface Judgement {
  /** By trial, then by request. */
  readonly decisions: readonly (readonly JudgedDecision[])[];
  readonly admin: AdminAnswers;
}

const connectionsAtATime = 32;

/** @throws Error when Envoy refuses a configuration, when loopback tracks connections, or when a log line stays away */
export async function judge(trials: readonly Trial[]): Promise<Judgement> {
  const all = [...trials, originalDstProbe].map((trial, index) => placed(trial, index));
  refuseSharedNames(all);
  const ends: (() => Promise<void>)[] = [];
  try {
    const network = await claimNetwork();
    ends.push(() => network.release());
    const home = await newHome();
    ends.push(() => home.remove());
    await writeCertificates(home.path);
    const echo = await startEchoServers(
      echoAddresses(network.toRun([sharedCluster, all] as unknown as Json)),
      await readCertificate(home.path, "server"),
    );
    ends.push(() => echo.stop());
    await writeXdsFiles(home.path, network, all);
    const log = new AccessLog();
    const envoy = await startEnvoy(home.path, network.toRun(bootstrapOf(all)), log.add);
    ends.push(() => envoy.stop());
    const sent = await sendAll(home.path, network, all);
    await allWritten(log, sent.flat(), envoy);
    const decisions = sent.map((answers) =>
      answers.map(({ marker, answer, to }) =>
        network.toWritten({
          decision: log.decision(marker, answer, echo.received(marker)),
          connectedTo: to,
          from: addressOf(answer.from),
        }),
      ),
    );
    throwUnlessRestored(decisions.pop()?.[0]?.decision);
    return { decisions, admin: network.toWritten(await adminAnswers(envoy)) };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** Why Envoy does not take a configuration; null where it does. */
export async function refusal(configuration: JudgedConfiguration): Promise<string | null> {
  const home = await newHome();
  try {
    await writeCertificates(home.path);
    return await refusalOf(
      home.path,
      bootstrapOf([placed({ name: "refused", configuration, requests: [] }, 0)]),
    );
  } finally {
    await home.remove();
  }
}

/** The trial with an address for each listener that needs one. */
const placed = (trial: Trial, index: number): Trial => ({
  ...trial,
  configuration: {
    ...trial.configuration,
    listeners: trial.configuration.listeners.map((listener, position) =>
      Object.hasOwn(listener, "address") || Object.hasOwn(listener, "internal_listener")
        ? listener
        : { ...listener, address: boundAddress(index, position) },
    ),
  },
});

/** Trials share an Envoy, so they must not share what it finds by name. */
function refuseSharedNames(trials: readonly Trial[]): void {
  const seen = new Map<string, string>();
  for (const { name, configuration } of trials) {
    const { listeners, clusters = [], runtime = {} } = configuration;
    const names = [
      ...listeners.map((one) => `listener ${textOf(one, "name")}`),
      ...listeners.flatMap((one) => ("address" in one ? [`address ${JSON.stringify(one["address"])}`] : [])),
      ...clusters.map((one) => `cluster ${textOf(one, "name")}`),
      ...Object.keys(runtime).map((key) => `runtime key ${key}`),
    ];
    for (const one of names) {
      const other = seen.get(one);
      if (other !== undefined) throw new Error(`"${name}" and "${other}" both have ${one}`);
      seen.set(one, name);
    }
  }
}

function bootstrapOf(trials: readonly Trial[]): JsonObject {
  const configurations = trials.map(({ configuration }) => configuration);
  return {
    node: { id: "judge", cluster: "judge" },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: 0 } } },
    layered_runtime: {
      layers: [
        {
          name: "static",
          static_layer: Object.assign({}, ...configurations.map(({ runtime = {} }) => runtime)) as JsonObject,
        },
      ],
    },
    bootstrap_extensions: [
      {
        name: "envoy.bootstrap.internal_listener",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener",
        },
      },
    ],
    static_resources: {
      listeners: configurations.flatMap(({ listeners }) => listeners.map(plantedListener)),
      clusters: [sharedCluster, ...configurations.flatMap(({ clusters = [] }) => clusters)],
    },
  };
}

async function writeXdsFiles(home: string, network: ClaimedNetwork, trials: readonly Trial[]): Promise<void> {
  await prepareXdsFolders(home);
  const configurations = trials.map(({ configuration }) => configuration);
  const routes = configurations
    .flatMap(({ routes: own = [] }) => own.map(plantedRoutes))
    .map((one) => ({ "@type": typeUrl("envoy.config.route.v3.RouteConfiguration"), ...one }));
  const endpoints = configurations
    .flatMap(({ endpoints: own = [] }) => own)
    .map((one) => ({ "@type": typeUrl("envoy.config.endpoint.v3.ClusterLoadAssignment"), ...one }));
  await deliver(home, "rds", network.toRun(routes), "1");
  await deliver(home, "eds", network.toRun(endpoints), "1");
}

/** Every address in 127.0.0.0/8 that stands beside the port of an echo server, in a configuration or in a request. */
function echoAddresses(data: Json): Set<string> {
  const ports = new Set<Json | undefined>(Object.values(echoPorts));
  const found = new Set<string>();
  const visit = (value: Json): void => {
    if (typeof value === "string") {
      for (const [, ip = "", port] of value.matchAll(/\b(127(?:\.\d{1,3}){3}):(\d{1,5})\b/g))
        if (ports.has(Number(port))) found.add(ip);
    } else if (Array.isArray(value)) value.forEach(visit);
    else if (isObject(value)) {
      const ip = textOf(value, "address") || textOf(value, "ip");
      if (ip.startsWith("127.") && ports.has(value["port_value"] ?? value["port"])) found.add(ip);
      Object.values(value).forEach(visit);
    }
  };
  visit(data);
  return found;
}

interface Sent {
  readonly marker: string;
  readonly answer: ClientAnswer;
  readonly to: SocketAddress;
}

async function sendAll(home: string, network: ClaimedNetwork, trials: readonly Trial[]): Promise<Sent[][]> {
  const certificates = {
    client: await readCertificate(home, "client"),
    stranger: await readCertificate(home, "stranger"),
  };
  let port = 20_000;
  const nextPort = (): number => {
    port += 1;
    if (port > 60_000) throw new Error("more connections than ports: send fewer requests to one Envoy");
    return port;
  };
  const limit = pLimit(connectionsAtATime);
  return Promise.all(
    trials.map(({ name, configuration, requests }, trialIndex) =>
      Promise.all(
        requests.map((written, index) =>
          limit(async () => {
            const request = network.toRun(written);
            const marker = `m${trialIndex}-${index}`;
            const to = network.toRun(targetOf(name, configuration, request));
            const source = request.source ?? network.toRun(clientAddress);
            return {
              marker,
              to,
              answer: await send(request, to, source, marker, { certificates, nextPort }),
            };
          }),
        ),
      ),
    ),
  );
}

/** Where the client connects. */
function targetOf(
  name: string,
  { listeners }: JudgedConfiguration,
  { listener }: JudgedRequest,
): SocketAddress {
  const target = listeners.find((one) =>
    listener === undefined
      ? one["bind_to_port"] !== false && Object.hasOwn(one, "address")
      : one["name"] === listener,
  );
  const { address } = target ?? {};
  const { socket_address: socket } = isObject(address) ? address : {};
  if (!isObject(socket)) throw new Error(`${name}: there is no bound listener ${listener ?? ""}`);
  return { ip: textOf(socket, "address"), port: Number(socket["port_value"]) };
}

async function allWritten(log: AccessLog, sent: readonly Sent[], envoy: EnvoyProcess): Promise<void> {
  const missing = (): Sent[] => sent.filter(({ answer }) => !log.isComplete(answer.from));
  await waitFor(
    "the access logs told of every connection",
    () => Promise.resolve(missing().length === 0 ? true : undefined),
    {
      evidence: () =>
        `${missing()
          .map(({ marker, to }) => `${marker} to ${to.ip}:${to.port}`)
          .join("\n")}\n${envoy.log()}`,
    },
  );
}

const adminAnswers = async (envoy: EnvoyProcess): Promise<AdminAnswers> => ({
  configDump: await envoy.ask("config_dump?include_eds"),
  clusters: await envoy.ask("clusters?format=json"),
  serverInfo: await envoy.ask("server_info"),
  runtime: await envoy.ask("runtime"),
});
