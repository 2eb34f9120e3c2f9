/**
 * What proxies hold against the endpoints that their own Istiod knows (`/debug/endpointShardz`): a substitute where nobody
 * asked Istiod what it would send them. The rules are Istio's (pilot/pkg/xds/endpoints/endpoint_builder.go); where one
 * needs what a snapshot does not have, the cluster is not evaluated, and of a mere doubt about one endpoint nothing is made.
 */
import ipaddr from "ipaddr.js";

import { by } from "../shared/sorting.js";
import { field, text } from "../snapshot/message.js";
import type { Istiod, Proxy, ReferenceList, Resource, Snapshot } from "../snapshot/model.js";
import type { KnownEndpoint, RegisteredService } from "../snapshot/parse/istiod-debug.js";
import { connections } from "./connections.js";
import { isBetween } from "./drift.js";
import { edsClusters, type EdsCluster, type OutboundTarget } from "./eds-clusters.js";
import { hostsOf, inOneSpelling, type HeldHost } from "./held-hosts.js";
import { maySpareLocalities } from "./locality-distribution.js";

/** Proxies that hold otherwise than their Istiod knows. Addresses are `ip:port`, sorted. */
export interface ShardDivergence {
  /** EDS name of the cluster. */
  readonly cluster: string;
  /** Ids of those who know it so: the one that the proxies are connected to, or all where that is not known. */
  readonly istiods: readonly string[];
  readonly lacks: readonly string[];
  readonly besides: readonly string[];
  /** Ids. */
  readonly proxies: readonly string[];
  /** Istiod sent endpoints between the two captures: a push on its way, not drift. */
  readonly inFlight: boolean;
  /** When the Istiods' lists were captured (the first and the last of them) and the proxies; null where nothing tells. */
  readonly istiodsCapturedAt: TimeSpan | null;
  readonly proxiesCapturedAt: TimeSpan | null;
}

/** RFC 3339. */
export interface TimeSpan {
  readonly first: string;
  readonly last: string;
}

export interface ShardComparison {
  readonly divergences: readonly ShardDivergence[];
  /** Pairs of proxy and cluster that were compared. */
  readonly compared: number;
  /** Why some were not, the reason of most pairs first. */
  readonly notCompared: readonly ShardGap[];
}

export interface ShardGap {
  readonly reason: string;
  /** EDS names; none where nothing of a proxy could be compared. */
  readonly clusters: readonly string[];
  /** Ids. */
  readonly proxies: readonly string[];
}

/** @param concerns which proxies are compared; those are left out of which Istiod's own view was captured */
export function endpointsAgainstShards(
  snapshot: Snapshot,
  concerns: (proxyId: string) => boolean = () => true,
): ShardComparison {
  const result = new Results();
  const judge = judges();
  const edsCluster = edsClusters();
  const connected = connections(snapshot);
  const viewed = proxiesWithView(snapshot);
  const answersOf = istiodAnswers();
  for (const proxy of snapshot.proxies) {
    if (proxy.dumpEntry === null || viewed.has(proxy.id) || !concerns(proxy.id)) continue;
    const knowing = knowledgeFor(proxy, connected.get(proxy.id) ?? snapshot.istiods, answersOf);
    if (typeof knowing === "string") {
      result.gap(knowing, null, proxy);
      continue;
    }
    const { clusters, assignments, istiods } = knowing;
    const judgeHere = judge(knowing);
    const asked = outboundClusters(clusters, edsCluster);
    const inFlight = isPushInFlight(proxy, istiods);
    for (let index = 0; index < assignments.length; index++) {
      const cluster = asked.get(assignments.name(index));
      const assignment = cluster === undefined ? null : assignments.resource(index);
      if (cluster === undefined || assignment === null) continue;
      asked.delete(cluster.serviceName);
      const verdict = judgeHere(cluster, assignment);
      if (typeof verdict === "string") result.gap(verdict, cluster.serviceName, proxy);
      else result.compared(verdict, cluster.serviceName, { proxy, istiods, inFlight });
    }
  }
  return result.all();
}

/** Those of whom Istiod said what endpoints it would send: that is compared instead (`drift.ts`). */
function proxiesWithView({ istiods }: Snapshot): ReadonlySet<string> {
  return new Set(
    istiods.flatMap(({ views }) =>
      views
        .filter(({ config }) => config.endpointAssignment.state === "present")
        .map(({ proxyId }) => proxyId),
    ),
  );
}

/** What of a client decides which endpoints it is sent. */
interface Client {
  readonly cluster: string;
  readonly network: string;
  readonly node: string;
  readonly isGateway: boolean;
}

/** One Istiod's answers. */
interface KnowingIstiod {
  readonly istiod: Istiod;
  readonly endpoints: Extract<Istiod["knownEndpoints"], { readonly state: "present" }>["value"];
  readonly registry: Extract<Istiod["registry"], { readonly state: "present" }>["value"];
  /** Whether some service's clients get the endpoints of their own node only: elsewhere the node decides nothing. */
  readonly hasNodeLocal: boolean;
  /** When it last sent endpoints, by proxy, RFC 3339. */
  readonly pushes: ReadonlyMap<string, string | null>;
}

interface Knowledge {
  readonly clusters: ReferenceList;
  readonly assignments: ReferenceList;
  readonly client: Client;
  readonly istiods: readonly KnowingIstiod[];
}

/** The answers of each Istiod, or the reason why one is missing. */
function istiodAnswers(): (istiod: Istiod) => KnowingIstiod | string {
  const known = new Map<Istiod, KnowingIstiod | string>();
  return (istiod) => {
    const answers = known.get(istiod) ?? knowingIstiod(istiod);
    known.set(istiod, answers);
    return answers;
  };
}

function knowingIstiod(istiod: Istiod): KnowingIstiod | string {
  const { knownEndpoints, registry, sync } = istiod;
  if (knownEndpoints.state === "absent") return knownEndpoints.reason;
  if (registry.state === "absent") return registry.reason;
  return {
    istiod,
    endpoints: knownEndpoints.value,
    registry: registry.value,
    hasNodeLocal: [...registry.value.services.values()].flat().some(({ isNodeLocal }) => isNodeLocal),
    pushes: new Map(
      sync.state === "absent"
        ? []
        : sync.value.states.map(({ proxyId, types }) => [
            proxyId,
            types.find(({ typeUrl }) => typeUrl === edsType)?.sentTime ?? null,
          ]),
    ),
  };
}

const edsType = "envoy.config.endpoint.v3.ClusterLoadAssignment";

/** Both sides, or the reason why one is not there. */
function knowledgeFor(
  proxy: Proxy,
  istiods: readonly Istiod[],
  answersOf: ReturnType<typeof istiodAnswers>,
): Knowledge | string {
  const { cluster, endpointAssignment } = proxy.config;
  if (cluster.state === "absent") return cluster.reason;
  if (endpointAssignment.state === "absent") return endpointAssignment.reason;
  if (proxy.node.state === "absent") return proxy.node.reason;
  if (proxy.type !== "sidecar" && proxy.type !== "router")
    return "the endpoints of sidecars and gateways only can be told from Istiod's list";
  const { metadata } = proxy.node.value;
  const view = field(metadata, "REQUESTED_NETWORK_VIEW");
  if (view !== undefined && view !== "" && !(Array.isArray(view) && view.length === 0))
    return "the proxy asked for the endpoints of some networks only";
  const knowing: KnowingIstiod[] = [];
  for (const istiod of istiods) {
    const answers = answersOf(istiod);
    if (typeof answers === "string") return answers;
    knowing.push(answers);
  }
  if (knowing.length === 0) return "no Istiod was captured";
  return {
    clusters: cluster.value,
    assignments: endpointAssignment.value,
    client: {
      cluster: text(metadata, "CLUSTER_ID"),
      network: text(metadata, "NETWORK"),
      node: text(metadata, "NODE_NAME"),
      isGateway: proxy.type === "router",
    },
    istiods: knowing,
  };
}

function outboundClusters(
  clusters: ReferenceList,
  edsCluster: ReturnType<typeof edsClusters>,
): Map<string, TargetedCluster> {
  const asked = new Map<string, TargetedCluster>();
  for (let index = 0; index < clusters.length; index++) {
    const resource = clusters.name(index).startsWith("outbound|") ? clusters.resource(index) : null;
    const eds = resource === null ? null : edsCluster(resource);
    if (eds !== null && isTargeted(eds) && clusters.state(index) === "active")
      asked.set(eds.serviceName, eds);
  }
  return asked;
}

type TargetedCluster = EdsCluster & { readonly target: OutboundTarget };
const isTargeted = (cluster: EdsCluster): cluster is TargetedCluster => cluster.target !== null;

const isPushInFlight = ({ id, capturedAt }: Proxy, istiods: readonly KnowingIstiod[]): boolean =>
  istiods.some(({ pushes, endpoints }) =>
    isBetween(pushes.get(id) ?? null, [capturedAt, endpoints.capturedAt]),
  );

// What a client must hold

/** What one assignment lacks and has besides, or why that cannot be told. */
type Verdict = string | { readonly lacks: readonly string[]; readonly besides: readonly string[] };

type Judge = (cluster: TargetedCluster, assignment: Resource) => Verdict;

/** For each client; a verdict is worked out once: most clients are told the same and hold the same. */
function judges(): (knowledge: Knowledge) => Judge {
  const known = new Map<string, Map<TargetedCluster, Map<string, Verdict>>>();
  const hosts = new Map<string, readonly HeldHost[]>();
  const held = (assignment: Resource): readonly HeldHost[] => {
    const kept = hosts.get(assignment.hash) ?? hostsOf(assignment);
    hosts.set(assignment.hash, kept);
    return kept;
  };
  return ({ client, istiods }) => {
    const key = JSON.stringify([
      istiods.some(({ hasNodeLocal }) => hasNodeLocal) ? client : { ...client, node: "" },
      istiods.map(({ istiod: { namespace, id } }) => [namespace, id]),
    ]);
    const ofClient = known.get(key) ?? new Map<TargetedCluster, Map<string, Verdict>>();
    known.set(key, ofClient);
    return (cluster, assignment) => {
      const ofCluster = ofClient.get(cluster) ?? new Map<string, Verdict>();
      ofClient.set(cluster, ofCluster);
      let verdict = ofCluster.get(assignment.hash);
      if (verdict === undefined) {
        verdict = agreed(istiods.map((istiod) => judged(cluster, held(assignment), client, istiod)));
        ofCluster.set(assignment.hash, verdict);
      }
      return verdict;
    };
  };
}

/** What all Istiods say; a reason where they do not say the same. */
function agreed([first, ...others]: readonly Verdict[]): Verdict {
  if (first === undefined) return "no Istiod was captured";
  if (others.length === 0) return first;
  const own = JSON.stringify(first);
  return others.every((other) => JSON.stringify(other) === own)
    ? first
    : "which Istiod the proxy is connected to is not known, and they do not know the same endpoints";
}

function judged(
  cluster: TargetedCluster,
  held: readonly HeldHost[],
  client: Client,
  { istiod, endpoints, registry }: KnowingIstiod,
): Verdict {
  const { target } = cluster;
  if (target.subset !== "")
    return "subsets: which pods belong to one is in its DestinationRule, which is not read";
  const service = serviceOf(target, registry.services.get(target.host) ?? []);
  if (typeof service === "string") return service;
  const unsure = reasonAgainst(service, client);
  if (unsure !== null) return unsure;
  const ofService = endpoints.services.get(target.host)?.get(service.namespace);
  if (ofService === undefined) return "Istiod's list of endpoints does not have the service";
  const known = ofService.filter(({ portName }) => portName === service.portName);
  if (known.length === 0 && ofService.some(({ portName }) => !service.portNames.has(portName)))
    return "the ports in Istiod's list of endpoints are not those of the service";
  if (known.some(({ network }) => network !== "" && network !== client.network))
    return "endpoints in another network than the proxy's are reached through gateways";
  if (held.some(({ isSocket }) => !isSocket))
    return "the proxy reaches the endpoints by HBONE or a pipe, not by their addresses";
  const localities = new Set(held.map(({ locality }) => locality));
  const mayBeLeftOut = maySpareLocalities(cluster, [istiod])
    ? ({ locality }: KnownEndpoint): boolean => !localities.has(locality)
    : (): boolean => false;
  return difference(
    held,
    known,
    (endpoint) => isSentTo(endpoint, client, service) && !mayBeLeftOut(endpoint),
  );
}

/** The service that a cluster is made for, with what its name means to this Istiod. */
interface TargetService extends RegisteredService {
  readonly portName: string;
  readonly portNames: ReadonlySet<string>;
}

function serviceOf(
  { port, namespace }: OutboundTarget,
  services: readonly RegisteredService[],
): TargetService | string {
  const own = namespace === null ? services : services.filter((service) => service.namespace === namespace);
  const [service, ...others] = own;
  if (service === undefined) return "Istiod's list of services does not have the host";
  if (others.some((other) => other.namespace !== service.namespace))
    return "services of several namespaces have the host";
  const portName = service.ports.get(port);
  if (portName === undefined) return "Istiod's list of services does not have the port";
  const isSame = (other: RegisteredService): boolean =>
    other.ports.get(port) === portName &&
    other.isNodeLocal === service.isNodeLocal &&
    other.isDns === service.isDns;
  if (!others.every(isSame)) return "several services have the host, and differ";
  return { ...service, portName, portNames: new Set(own.flatMap(({ ports }) => [...ports.values()])) };
}

/** Services whose endpoints follow rules of their own. */
function reasonAgainst({ isDns, isNodeLocal, labels }: TargetService, client: Client): string | null {
  if (isDns) return "clients look the addresses up by themselves";
  if (isNodeLocal && client.node === "")
    return "clients get the endpoints of their own node only, and the proxy's node is not known";
  if (labels["internal.istio.io/service-semantics"] === "inferencepool")
    return "an inference pool has the endpoints of all of its ports";
  if (client.isGateway && ("istio.io/use-waypoint" in labels || "istio.io/ingress-use-waypoint" in labels))
    return "gateways may reach the service through its waypoint";
  return null;
}

/** Whether it is certain that the client is sent an endpoint of its network. */
function isSentTo(endpoint: KnownEndpoint, client: Client, { isNodeLocal }: TargetService): boolean {
  const { addresses, isReady, cluster, node } = endpoint;
  return (
    isReady &&
    addresses.some(isReachable) &&
    // of another Kubernetes cluster, it may be kept from this one
    cluster === client.cluster &&
    (!isNodeLocal || node === client.node)
  );
}

/** Not a host name, a pipe or an address that only a gateway knows. */
function isReachable(address: string): boolean {
  const end = address.lastIndexOf(":");
  return address.slice(end) !== ":0" && ipaddr.isValid(address.slice(0, end));
}

function difference(
  held: readonly HeldHost[],
  known: readonly KnownEndpoint[],
  isSent: (endpoint: KnownEndpoint) => boolean,
): Verdict {
  const has = new Set(
    held.flatMap(({ address, otherAddresses }) => [address, ...otherAddresses]).map(inOneSpelling),
  );
  const all = new Set(known.flatMap(({ addresses }) => addresses).map(inOneSpelling));
  const lacks = known
    .filter(isSent)
    .map(({ addresses }) => addresses.map(inOneSpelling))
    .filter((addresses) => !addresses.some((address) => has.has(address)))
    .flatMap(([first]) => (first === undefined ? [] : [first]));
  const besides = held.map(({ address }) => inOneSpelling(address)).filter((address) => !all.has(address));
  return { lacks: [...new Set(lacks)].sort(), besides: [...new Set(besides)].sort() };
}

// What was found, over the mesh

interface Comparand {
  readonly proxy: Proxy;
  readonly istiods: readonly KnowingIstiod[];
  readonly inFlight: boolean;
}

class Results {
  #compared = 0;
  readonly #found = new Map<
    string,
    { readonly cluster: string; difference: Exclude<Verdict, string>; of: Comparand[] }
  >();
  readonly #gaps = new Map<string, { pairs: number; clusters: Set<string>; proxies: Set<string> }>();

  gap(reason: string, cluster: string | null, { id }: Proxy): void {
    const gap = this.#gaps.get(reason) ?? {
      pairs: 0,
      clusters: new Set<string>(),
      proxies: new Set<string>(),
    };
    this.#gaps.set(reason, gap);
    gap.pairs++;
    if (cluster !== null) gap.clusters.add(cluster);
    gap.proxies.add(id);
  }

  compared(difference: Exclude<Verdict, string>, cluster: string, comparand: Comparand): void {
    this.#compared++;
    const { lacks, besides } = difference;
    if (lacks.length === 0 && besides.length === 0) return;
    const { istiods, inFlight } = comparand;
    const key = JSON.stringify([cluster, istiods.map(({ istiod }) => istiod.id), lacks, besides, inFlight]);
    const found = this.#found.get(key) ?? { cluster, difference, of: [] };
    this.#found.set(key, found);
    found.of.push(comparand);
  }

  all(): ShardComparison {
    return {
      divergences: [...this.#found.values()].map(divergenceOf).sort(
        by(
          ({ cluster }) => cluster,
          ({ istiods }) => istiods.join(),
          ({ proxies }) => proxies.join(),
        ),
      ),
      compared: this.#compared,
      notCompared: [...this.#gaps]
        .sort(([a, { pairs }], [b, other]) => other.pairs - pairs || (a < b ? -1 : 1))
        .map(([reason, { clusters, proxies }]) => ({
          reason,
          clusters: [...clusters].sort(),
          proxies: [...proxies].sort(),
        })),
    };
  }
}

function divergenceOf({
  cluster,
  difference: { lacks, besides },
  of,
}: {
  readonly cluster: string;
  readonly difference: Exclude<Verdict, string>;
  readonly of: readonly Comparand[];
}): ShardDivergence {
  const [first] = of;
  const istiods = first?.istiods ?? [];
  return {
    cluster,
    istiods: istiods.map(({ istiod }) => istiod.id).sort(),
    lacks,
    besides,
    proxies: of.map(({ proxy }) => proxy.id).sort(),
    inFlight: first?.inFlight ?? false,
    istiodsCapturedAt: spanOf(istiods.map(({ endpoints }) => endpoints.capturedAt)),
    proxiesCapturedAt: spanOf(of.map(({ proxy }) => proxy.capturedAt)),
  };
}

/** null where one of the times is not known. */
function spanOf(times: readonly (string | null)[]): TimeSpan | null {
  const sorted = times.filter((time) => time !== null).sort((a, b) => Date.parse(a) - Date.parse(b));
  const [first] = sorted;
  const last = sorted.at(-1);
  return first === undefined || last === undefined || sorted.length < times.length ? null : { first, last };
}
