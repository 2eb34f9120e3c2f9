/**
 * What a real Envoy decided, kept beside the configuration as its admin port showed it: the comparison runs on these where
 * there is no Envoy. A file has one line of JSON for what its trials share, then one for each trial.
 */
import type { SocketAddress } from "../../../src/trace/request.js";
import { isObject, textOf, type Json, type JsonObject } from "../mesh/json.js";
import type { Decision, Received } from "./decision.js";
import type { AdminAnswers, JudgedDecision, Trial } from "./judge.js";
import { markerHeader, type JudgedRequest } from "./judged-request.js";
import { echoCluster } from "./messages.js";
import { addressOf, clientAddress } from "./network.js";
import { plantedNamespace } from "./planting.js";

export interface Recording {
  readonly admin: AdminAnswers;
  readonly trials: readonly RecordedTrial[];
}

export interface RecordedTrial {
  readonly name: string;
  readonly requests: readonly RecordedRequest[];
}

export interface RecordedRequest {
  readonly request: JudgedRequest;
  readonly connectedTo: SocketAddress;
  /** The address of the client, whose port does not matter. */
  readonly from: string;
  /** What was decided, each different decision once, with how often it was. */
  readonly decisions: readonly { readonly times: number; readonly decision: Decision }[];
}

/** The trial's part of the answers. */
interface Line {
  readonly name: string;
  readonly listeners: readonly Json[];
  readonly clusters: readonly Json[];
  readonly routes: readonly Json[];
  readonly endpoints: readonly Json[];
  readonly hosts: readonly Json[];
  readonly requests: readonly Json[];
}

interface Shared extends Line {
  readonly serverInfo: Json;
  readonly runtime: Json;
  /** The static layer of the bootstrap: the only place where a fraction is more than text. */
  readonly layer: Json;
}

// writing

/** @param trials with their decisions, in the order of the judgement */
export function recordingLines(
  trials: readonly Trial[],
  decisions: readonly (readonly JudgedDecision[])[],
  admin: AdminAnswers,
): string[] {
  const answers = readAnswers(admin);
  const line = (name: string, own: OwnNames, requests: readonly Json[]): Line => ({
    name,
    listeners: answers.listeners.filter((one) => own.listeners.has(nameIn(one, "listener"))).map(unplanted),
    clusters: answers.clusters.filter((one) => own.clusters.has(nameIn(one, "cluster"))),
    routes: answers.routes.filter((one) => own.routes.has(nameIn(one, "route_config"))).map(unplanted),
    endpoints: answers.endpoints.filter((one) =>
      own.endpoints.has(textIn(one, "endpoint_config", "cluster_name")),
    ),
    hosts: answers.hosts
      .filter((one) => isObject(one) && own.clusters.has(textOf(one, "name")))
      .map(withoutStats),
    requests,
  });
  const { version } = JSON.parse(admin.serverInfo) as { version: string };
  const shared: Shared = {
    ...line(
      "shared",
      { ...noNames, clusters: new Set([echoCluster]), endpoints: new Set([echoCluster]) },
      [],
    ),
    serverInfo: { version, state: "LIVE" },
    runtime: runtimeOf(trials, admin),
    layer: asJson(Object.assign({}, ...trials.map(({ configuration: { runtime = {} } }) => runtime))),
  };
  const lines = trials.map((trial, index) =>
    line(trial.name, namesOf(trial), grouped(trial, decisions[index] ?? [])),
  );
  return [shared, ...lines].map((one) => JSON.stringify(one));
}

interface OwnNames {
  readonly listeners: ReadonlySet<string>;
  readonly clusters: ReadonlySet<string>;
  readonly routes: ReadonlySet<string>;
  readonly endpoints: ReadonlySet<string>;
}
const noNames: OwnNames = {
  listeners: new Set(),
  clusters: new Set(),
  routes: new Set(),
  endpoints: new Set(),
};

function namesOf({
  configuration: { listeners, clusters = [], routes = [], endpoints = [] },
}: Trial): OwnNames {
  const names = (list: readonly JsonObject[]): string[] => list.map((one) => textOf(one, "name"));
  return {
    listeners: new Set(names(listeners)),
    clusters: new Set(names(clusters)),
    routes: new Set(names(routes)),
    endpoints: new Set([
      ...clusters.flatMap(({ name = "", load_assignment: assignment }) => [
        typeof name === "string" ? name : "",
        isObject(assignment) ? textOf(assignment, "cluster_name") : "",
      ]),
      ...endpoints.map((one) => textOf(one, "cluster_name")),
    ]),
  };
}

/** Requests that were sent several times stand once, with each different decision. */
function grouped(trial: Trial, judged: readonly JudgedDecision[]): Json[] {
  const groups = new Map<
    string,
    { first: JudgedDecision; request: JudgedRequest; counts: Map<string, number> }
  >();
  trial.requests.forEach((request, index) => {
    const one = judged[index];
    if (one === undefined) return;
    const key = JSON.stringify(request);
    const group = groups.get(key) ?? { first: one, request, counts: new Map<string, number>() };
    const decision = JSON.stringify(compact(one.decision));
    group.counts.set(decision, (group.counts.get(decision) ?? 0) + 1);
    groups.set(key, group);
  });
  return [...groups.values()].map(({ first, request, counts }) =>
    asJson({
      request,
      connectedTo: `${first.connectedTo.ip}:${first.connectedTo.port}`,
      ...(first.from.ip !== clientAddress && { from: first.from.ip }),
      decisions: [...counts].map(([text, times]) => ({
        ...(times > 1 && { times }),
        decision: JSON.parse(text) as Json,
      })),
    }),
  );
}

const asJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** Of every run its own, or what joins logs and requests. */
const passing = new Set(["date", "server", "x-envoy-upstream-service-time", markerHeader, "host"]);
/** What only frames the body of an answer. */
const framing = new Set(["content-length", "transfer-encoding"]);

function compact(decision: Decision): Json {
  const { received, responseHeaders, next, ...rest } = decision;
  const isLasting = ([name]: readonly [string, string]): boolean => !passing.has(name) && !framing.has(name);
  const told = Object.entries(rest).filter(
    ([, value]) =>
      value !== null && value !== "" && value !== false && !(Array.isArray(value) && value.length === 0),
  );
  const headers = responseHeaders.filter(isLasting);
  return asJson({
    ...Object.fromEntries(told),
    ...(headers.length > 0 && { responseHeaders: headers }),
    ...(received !== null && {
      received: {
        at: received.at,
        ...(received.tls !== null && { tls: received.tls }),
        ...(received.http !== null && {
          http: compactRequest(received.http),
        }),
      },
    }),
    ...(next !== null && { next: compact({ ...next, received: null, responseHeaders: [], location: null }) }),
  });
}

function compactRequest({ version, headers, ...rest }: NonNullable<Received["http"]>): Json {
  const lasting = headers.filter(([name]) => !passing.has(name));
  return asJson({ ...(version !== usualVersion && { version }), ...rest, headers: lasting });
}
const usualVersion = "1.1";

const emptyDecision: Decision = {
  listener: null,
  filterChain: null,
  virtualHost: null,
  route: null,
  cluster: null,
  upstreamHost: null,
  status: null,
  flags: [],
  details: "",
  isHandshakeFailed: false,
  location: null,
  responseHeaders: [],
  received: null,
  next: null,
};

function whole(decision: WrittenDecision): Decision {
  const { next = null, received = null } = decision;
  const own = {
    ...emptyDecision,
    ...decision,
    received: received && {
      at: received.at,
      tls: received.tls ?? null,
      http:
        received.http === undefined
          ? null
          : { ...received.http, version: received.http.version ?? usualVersion },
    },
  };
  return { ...own, next: next === null ? null : { ...whole(next), received: own.received } };
}

/** What the judge planted is no part of what is judged. */
function unplanted(value: Json): Json {
  if (Array.isArray(value)) return value.map(unplanted);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      if (key === "access_log") return [];
      const kept = key === "metadata" ? withoutIds(member) : unplanted(member);
      return kept === null ? [] : [[key, kept] as const];
    }),
  );
}

/** null where nothing else is left. */
function withoutIds(metadata: Json): Json {
  const { filter_metadata: filters } = isObject(metadata) ? metadata : {};
  if (!isObject(filters) || !Object.hasOwn(filters, plantedNamespace)) return metadata;
  const others = without(filters, plantedNamespace);
  return Object.keys(others).length === 0 ? null : { filter_metadata: others };
}

const without = (message: JsonObject, key: string): JsonObject =>
  Object.fromEntries(Object.entries(message).filter(([own]) => own !== key));

/** What tells how healthy each host is. */
const withoutStats = (status: Json): Json => {
  if (!isObject(status)) return status;
  const { host_statuses: hosts = [] } = status;
  // places and weights stand in the endpoints of the dump, too
  const plain = (host: Json): Json =>
    isObject(host) ? without(without(without(host, "stats"), "locality"), "weight") : host;
  return { name: textOf(status, "name"), host_statuses: Array.isArray(hosts) ? hosts.map(plain) : [] };
};

function runtimeOf(trials: readonly Trial[], admin: AdminAnswers): Json {
  const own = new Set(trials.flatMap(({ configuration: { runtime = {} } }) => Object.keys(runtime)));
  const { layers, entries } = JSON.parse(admin.runtime) as { layers: Json; entries: JsonObject };
  return { layers, entries: Object.fromEntries(Object.entries(entries).filter(([key]) => own.has(key))) };
}

// the dump, by what is in it

interface Answers {
  readonly listeners: readonly Json[];
  readonly clusters: readonly Json[];
  readonly routes: readonly Json[];
  readonly endpoints: readonly Json[];
  readonly hosts: readonly Json[];
}

function readAnswers({ configDump, clusters }: AdminAnswers): Answers {
  const { configs } = JSON.parse(configDump) as { configs: JsonObject[] };
  const list = (type: string, key: string): Json[] => {
    const section = configs.find((one) => textOf(one, "@type").endsWith(`.${type}`)) ?? {};
    const members = section[key];
    return Array.isArray(members) ? members.map(withoutTime) : [];
  };
  const { cluster_statuses: hosts } = JSON.parse(clusters) as { cluster_statuses: Json[] };
  return {
    listeners: list("ListenersConfigDump", "static_listeners"),
    clusters: list("ClustersConfigDump", "static_clusters"),
    routes: list("RoutesConfigDump", "dynamic_route_configs"),
    endpoints: list("EndpointsConfigDump", "static_endpoint_configs"),
    hosts,
  };
}

const withoutTime = (entry: Json): Json => (isObject(entry) ? without(entry, "last_updated") : entry);

const textIn = (entry: Json, key: string, name: string): string => {
  const { [key]: inner } = isObject(entry) ? entry : {};
  return isObject(inner) ? textOf(inner, name) : "";
};
const nameIn = (entry: Json, key: string): string => textIn(entry, key, "name");

// reading

/** A request as a line has it: what is usual is left out. */
interface WrittenRequest {
  readonly request: JudgedRequest;
  readonly connectedTo: string;
  readonly from?: string;
  readonly decisions: readonly { readonly times?: number; readonly decision: WrittenDecision }[];
}
type WrittenDecision = Partial<Omit<Decision, "received" | "next">> & {
  readonly received?: {
    readonly at: string;
    readonly tls?: Received["tls"];
    readonly http?: Omit<NonNullable<Received["http"]>, "version"> & { readonly version?: string };
  };
  readonly next?: WrittenDecision;
};

export function readRecording(text: string): Recording {
  const [shared, ...lines] = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Shared);
  if (shared === undefined) throw new Error("an empty recording");
  const all = [shared, ...lines];
  const section = (type: string, key: string, members: readonly Json[]): JsonObject => ({
    "@type": `type.googleapis.com/envoy.admin.v3.${type}`,
    [key]: members,
  });
  const configs: JsonObject[] = [
    {
      "@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump",
      bootstrap: {
        node: { id: "judge" },
        layered_runtime: { layers: [{ name: "static", static_layer: shared.layer }] },
      },
    },
    section(
      "ClustersConfigDump",
      "static_clusters",
      all.flatMap(({ clusters }) => clusters),
    ),
    section(
      "EndpointsConfigDump",
      "static_endpoint_configs",
      all.flatMap(({ endpoints }) => endpoints),
    ),
    section(
      "ListenersConfigDump",
      "static_listeners",
      all.flatMap(({ listeners }) => listeners),
    ),
    section(
      "RoutesConfigDump",
      "dynamic_route_configs",
      all.flatMap(({ routes }) => routes),
    ),
  ];
  return {
    admin: {
      configDump: JSON.stringify({ configs }),
      clusters: JSON.stringify({ cluster_statuses: all.flatMap(({ hosts }) => hosts) }),
      serverInfo: JSON.stringify(shared.serverInfo),
      runtime: JSON.stringify(shared.runtime),
    },
    trials: lines.map(({ name, requests }) => ({
      name,
      requests: (requests as unknown as WrittenRequest[]).map(
        ({ request, connectedTo, from = clientAddress, decisions }) => ({
          request,
          connectedTo: addressOf(connectedTo),
          from,
          decisions: decisions.map(({ times = 1, decision }) => ({ times, decision: whole(decision) })),
        }),
      ),
    })),
  };
}
