/** Requests through the whole mesh of the samples, with something of it changed, and their paths in short. */
import { isObject, type Json, type JsonObject } from "../../support/mesh/json.js";
import type { ArchiveFile } from "../../support/mesh/layouts.js";
import { buildMesh } from "../../support/mesh/mesh.js";
import type { Mesh, MeshProxy } from "../../support/mesh/model.js";
import { editedResource, withProxies, withResource, type ResourceList } from "../../support/mesh/edits.js";
import { aStore } from "../../support/builders.js";
import { bundleFiles, snapshotOf } from "../../support/snapshot-of.js";
import { everything } from "../../../src/ingest/read-snapshot.js";
import { outboundName } from "../../support/mesh/clusters.js";
import type { Snapshot } from "../../../src/snapshot/model.js";
import type { Hop, NearMiss, Outcome, TraceResult } from "../../../src/trace/result.js";
import { traceRequest, type TraceInput } from "../../../src/trace/trace.js";

/** What `samples/bookinfo-healthy.tar.gz` holds. */
export const bookinfo = buildMesh({ seed: 7 });

/** The proxies of a workload: `productpage-v1`. */
export const of =
  (workload: string) =>
  ({ pod }: MeshProxy): boolean =>
    pod.workload.name === workload;

export const proxyOf = (mesh: Mesh, workload: string): MeshProxy => {
  const proxy = mesh.proxies.find(of(workload));
  if (proxy === undefined) throw new Error(`no proxy of ${workload}`);
  return proxy;
};
export const ipOf = (mesh: Mesh, workload: string): string => proxyOf(mesh, workload).pod.ip;

/** `outbound|9080|v1|reviews.default.svc.cluster.local` */
export function clusterOf(name: string, subset = "", port = 9080, mesh: Mesh = bookinfo): string {
  const service = mesh.services.find((one) => one.name === name);
  if (service === undefined) throw new Error(`no service ${name}`);
  return outboundName(service, port, subset);
}

/** What the Envoys of a workload hold, changed. @throws Error where nothing was changed */
export function held(
  mesh: Mesh,
  workload: string,
  list: ResourceList,
  name: string,
  change: (resource: JsonObject, proxy: MeshProxy) => JsonObject | null,
): Mesh {
  let changes = 0;
  const changed = withResource(
    mesh,
    { list, name, side: "Envoy", proxies: of(workload) },
    (resource, proxy) => {
      changes++;
      return change(resource, proxy);
    },
  );
  if (changes === 0) throw new Error(`${workload} has no ${name} among its ${list}`);
  return changed;
}

/** Every object inside of a value, changed from the inside out; null takes a member or an item away. */
export function everyObject(value: Json, change: (object: JsonObject) => JsonObject | null): Json {
  if (Array.isArray(value))
    return (value as readonly Json[]).flatMap((item) => {
      const now = isObject(item) || Array.isArray(item) ? everyObjectOrNone(item, change) : item;
      return now === null ? [] : [now];
    });
  if (!isObject(value)) return value;
  return everyObjectOrNone(value, change) ?? {};
}

function everyObjectOrNone(value: Json, change: (object: JsonObject) => JsonObject | null): Json | null {
  if (!isObject(value)) return everyObject(value, change);
  const members = Object.entries(value).flatMap(([key, member]): [string, Json][] => {
    const now = typeof member === "object" ? everyObjectOrNone(member, change) : member;
    return now === null ? [] : [[key, now]];
  });
  return change(Object.fromEntries(members));
}

export const without = (object: JsonObject, key: string): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([own]) => own !== key));

export const objectIn = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

/** Files of a bundle, one of them rewritten. @throws Error where there is none */
export function* filesWith(
  mesh: Mesh,
  name: string,
  change: (content: Json) => Json,
): Generator<ArchiveFile> {
  let changes = 0;
  for (const one of bundleFiles(mesh)) {
    if (!one.name.endsWith(name)) {
      yield one;
      continue;
    }
    changes++;
    const body = JSON.stringify(change(JSON.parse(one.body.toString()) as Json));
    yield { ...one, body };
  }
  if (changes === 0) throw new Error(`no file ${name}`);
}

/** The name of a file of a workload's proxy ends so. */
export const fileOf = (mesh: Mesh, workload: string, file: string): string =>
  `${proxyOf(mesh, workload).pod.name}/${file}`;

/** Annotations of a workload's pods, as the bootstrap has them. */
export const annotated = (mesh: Mesh, workload: string, annotations: JsonObject): Mesh =>
  withProxies(mesh, of(workload), (proxy) => ({
    ...proxy,
    config: {
      ...proxy.config,
      bootstrap: editedResource(proxy.config.bootstrap, ["node", "metadata", "ANNOTATIONS"], (old) => ({
        ...objectIn(old),
        ...annotations,
      })),
    },
  }));

const traced = new Set([...everything, "clusters", "runtime"] as const);

/** The snapshot in files, with all that the command reads of them. */
export const readForTrace = (files: Iterable<ArchiveFile>): Snapshot =>
  snapshotOf(files, aStore(), () => true, traced);

export interface Asked extends Partial<Omit<TraceInput, "from" | "scheme" | "authority" | "path">> {
  /** A workload. */
  readonly from: string;
  readonly url: string;
}

/** The answer of a trace, without the parts of names that are drawn. */
export function trace(where: Mesh | Snapshot, { from, url, ...asked }: Asked): TraceResult {
  const snapshot = "proxies" in where && "options" in where ? readForTrace(bundleFiles(where)) : where;
  const proxy = snapshot.proxies.find(({ id }) => shortName(id) === from);
  if (proxy === undefined) throw new Error(`no proxy of ${from}`);
  const [, scheme, authority = "", path = "/"] = /^(https?|tcp):\/\/([^/]*)(\/.*)?$/.exec(url) ?? [];
  return traceRequest(snapshot, {
    direction: "outbound",
    method: "GET",
    headers: [],
    originalDestination: null,
    sourceIp: null,
    tls: null,
    random: null,
    allBranches: false,
    ...asked,
    from: proxy.id,
    scheme: scheme as TraceInput["scheme"],
    authority,
    path,
  });
}

/** `productpage-v1-bwnngqzdlv-p8g4q.default` -> `productpage-v1` */
const shortName = (id: string): string => id.replace(/-[a-z0-9]{8,10}-[a-z0-9]{5}\.[^.]*$/, "");

/** `503 UH no_healthy_upstream`, `endpoint`, `closed: NR filter_chain_not_found`. */
export function outcomeText({ kind, status, responseFlags, detail }: Outcome): string {
  const rest = [status ?? "closed:", ...responseFlags, detail].filter((part) => part !== "").join(" ");
  return kind === "failure" ? rest : kind === "endpoint" ? kind : `${kind} ${rest}`;
}

export interface ToldHop {
  /** `productpage-v1 outbound` */
  readonly at: string;
  readonly listener: string | undefined;
  readonly chain: string | undefined;
  readonly cluster: string | null;
  /** `10.244.2.12:9080 reviews-v1`, those that can be reached. */
  readonly to: readonly string[];
}

/** What every test of a path looks at. */
export interface Told {
  readonly outcome: string;
  readonly hops: readonly ToldHop[];
  /** Filters that denied or answered, with the policy. */
  readonly decided: readonly string[];
  /** Of the hop where it fails. */
  readonly nearMisses: readonly string[];
  readonly unknowns: readonly string[];
}

export const told = ({ outcome, hops, unknowns }: TraceResult): Told => ({
  outcome: outcomeText(outcome),
  hops: hops.map(({ proxy, direction, listener, filterChain, cluster, endpoints }) => ({
    at: `${shortName(proxy)} ${direction}`,
    listener: listener?.name,
    chain: filterChain?.name,
    cluster,
    to: endpoints.flatMap(({ address, port, pod, share }) =>
      share === 0
        ? []
        : [`${address}${port === null ? "" : `:${port}`}${pod === null ? "" : ` ${shortName(pod)}`}`],
    ),
  })),
  decided: hops.flatMap(({ filters }) =>
    filters
      .filter(({ decision }) => decision !== "passed" && decision !== "disabled")
      .map(({ name, decision, policy }) => `${name} ${decision} ${policy}`.trim()),
  ),
  nearMisses:
    outcome.kind === "failure"
      ? tellingMisses(hops.at(-1)).map(({ what, name, because }) => `${what} ${name}: ${because}`)
      : [],
  unknowns: unknowns.map(({ reason, message }) => `${reason}: ${message}`),
});

/** What is behind the place where it ends is looked at alone, as the command shows it. */
function tellingMisses(hop: Hop | undefined): readonly NearMiss[] {
  if (hop === undefined) return [];
  return hop.nearMisses.filter(({ what }) =>
    hop.filterChain === null
      ? what === "listener" || what === "filter chain"
      : what !== "listener" && what !== "filter chain",
  );
}

/** The path to a service with one port 9080 of HTTP, where nothing is wrong. */
export const healthyPath = (from: string, service: string, to: string, subset = ""): Told => ({
  outcome: "endpoint",
  hops: [outboundHop(from, service, to, subset), inboundHop(to)],
  decided: [],
  nearMisses: [],
  unknowns: [],
});

export const outboundHop = (from: string, service: string, to: string, subset = ""): ToldHop => ({
  at: `${from} outbound`,
  listener: "0.0.0.0_9080",
  chain: "",
  cluster: clusterOf(service, subset),
  to: [`${ipOf(bookinfo, to)}:9080 ${to}`],
});

export const inboundHop = (to: string): ToldHop => ({
  at: `${to} inbound`,
  listener: "virtualInbound",
  chain: "0.0.0.0_9080",
  cluster: "inbound|9080||",
  to: [`${ipOf(bookinfo, to)}:9080 ${to}`],
});
