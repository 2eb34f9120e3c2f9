/** What comes behind a proxy: the proxy of the pod that an address belongs to, another listener of the same Envoy, or the end. */
import type { Proxy, Snapshot } from "../snapshot/model.js";
import { canonicalIp, isLoopback, isSameIp } from "./address.js";
import { endpoint, unknownOutcome, type HopInput, type Onward } from "./leaf.js";
import type { ClientBytes } from "./listener/listener-filters.js";
import { receivingListener, type Arrival } from "./listener/listener-choice.js";
import { entryPod, ownPeer, podIps } from "./pod-addresses.js";
import { proxyKind } from "./proxy-kind.js";
import type { ProxyView } from "./proxy-view.js";
import type { SocketAddress, TlsClient } from "./request.js";
import type { Outcome } from "./result.js";
import { entryOfProxy, entryWords, inboundEntry, type TrafficEntry } from "./traffic-entry.js";
import { unknown, type Unknown } from "./unknown.js";

/** The proxies that a request may come by. */
export interface Mesh {
  readonly snapshot: Snapshot;
  readonly view: (proxy: Proxy) => ProxyView;
  /** By canonical address. */
  readonly byIp: ReadonlyMap<string, AddressOwners>;
}

/** Whose an address is. */
export interface AddressOwners {
  /** `pod.namespace` */
  readonly pods: readonly string[];
  readonly proxies: readonly Proxy[];
}

export type NextHop = { readonly assumptions: readonly string[]; readonly unknowns: readonly Unknown[] } & (
  { readonly kind: "proxy"; readonly input: HopInput } | { readonly kind: "end"; readonly outcome: Outcome }
);

/** Further proxies are not followed: a loop, or a mesh beyond measure. */
const mostHops = 10;

/** @param depth how many proxies the request has come by */
export function nextHop(mesh: Mesh, onward: Onward, from: HopInput, depth: number): NextHop {
  const { host, transport } = onward.host;
  const { address } = host;
  const end = (
    outcome: Outcome,
    assumptions: readonly string[] = [],
    unknowns: readonly Unknown[] = [],
  ): NextHop => ({ kind: "end", outcome, assumptions, unknowns: [...transport.unknowns, ...unknowns] });
  if (address.kind === "pipe" || address.kind === "name") return end(endpoint);
  const isIp = address.kind === "ip";
  if (isIp && from.direction === "inbound" && isOwn(from, address))
    return end(endpoint, passedThrough(onward, from));
  const proxy = isIp ? proxyAt(mesh, address) : from.view.proxy;
  if (proxy === null) return end(endpoint, isIp ? beyondProxies(mesh, address) : []);
  if (proxy === "several") {
    const where = isIp ? address.ip : address.listener;
    const because = unknown("not captured", `Which of the proxies with the address ${where} takes it.`);
    return end(unknownOutcome, [], [because]);
  }
  if (proxy.dumpEntry === null)
    return end(endpoint, [`Nothing of the proxy ${proxy.id} was captured: its own part is not traced.`]);
  if (depth >= mostHops)
    return end(unknownOutcome, [], [unknown("limit", `More than ${mostHops} proxies are not followed.`)]);
  const { tls } = onward.sent;
  if (tls === "unknown") return end(unknownOutcome);
  return isIp
    ? atAddress(mesh, proxy, address, tls, onward, from)
    : atInternalListener(address.listener, tls, onward, from);
}

/** Whether an address is one of the proxy's own pod: the application that it stands before. */
const isOwn = ({ view }: HopInput, { ip }: { readonly ip: string }): boolean =>
  isLoopback(ip) || podIps(view.proxy).some((own) => isSameIp(own, ip));

/** The proxy of an address; null where there is none. Of several on one host the one that listens there. */
function proxyAt({ byIp, view }: Mesh, address: SocketAddress): Proxy | null | "several" {
  const proxies = byIp.get(canonicalIp(address.ip))?.proxies ?? [];
  const [first = null, ...others] = proxies;
  if (others.length === 0) return first;
  const listening = proxies.filter((proxy) => {
    const { listeners } = view(proxy);
    return !("reason" in listeners) && receivingListener(listeners, address) !== null;
  });
  const [only = null, ...more] = listening;
  return only !== null && more.length === 0 ? only : "several";
}

function beyondProxies({ snapshot: { services } }: Mesh, { ip }: SocketAddress): string[] {
  const service = (services.state === "present" ? services.value : []).find(({ clusterIps }) =>
    clusterIps.some((own) => isSameIp(own, ip)),
  );
  return service === undefined
    ? []
    : [
        `${ip} is the cluster IP of ${service.name}.${service.namespace}: which pod the node sends it to is not traced.`,
      ];
}

/** What goes on to an application for which the proxy has no filter chain of its own. */
function passedThrough({ host: { cluster, host } }: Onward, { view }: HopInput): string[] {
  if (!cluster.startsWith("InboundPassthroughCluster") || host.address.kind !== "ip") return [];
  return [
    `No filter chain of ${view.proxy.id} is for port ${host.address.port}: it is passed to the application, if that listens there.`,
  ];
}

/** Another listener of the same Envoy. */
function atInternalListener(
  listener: string,
  tls: TlsClient | null,
  { sent, passed }: Onward,
  from: HopInput,
): NextHop {
  const client = { proxyHeader: null, tls, protocol: sent.protocol };
  const at = { internalListener: listener };
  const arrival: Arrival = { at, originalDestination: null, peer: null, client, passed };
  const { request, tunnelled } = sent;
  return {
    kind: "proxy",
    input: { ...from, arrival, request, tunnelled },
    assumptions: [],
    unknowns: [],
  };
}

function atAddress(
  mesh: Mesh,
  proxy: Proxy,
  destination: SocketAddress,
  tls: TlsClient | null,
  onward: Onward,
  from: HopInput,
): NextHop {
  const view = mesh.view(proxy);
  const { kind, assumptions: ofKind } = proxyKind(view);
  const entry = proxyEntry(mesh, view, destination, from);
  const assumptions = [...view.assumptions, ...ofKind, ...entry.assumptions];
  if (entry.enters === "unknown")
    return { kind: "end", outcome: unknownOutcome, assumptions: entry.assumptions, unknowns: entry.because };
  if (!entry.enters) {
    const words = [entryWords(entry, destination), ...tlsPastProxy(view, onward)];
    return { kind: "end", outcome: endpoint, assumptions: [...words, ...entry.assumptions], unknowns: [] };
  }
  const header = proxyHeader(onward, from);
  const { request, tunnelled, protocol } = onward.sent;
  const arrival: Arrival = {
    at: entry.at,
    originalDestination: entry.by === "bound" ? null : destination,
    peer: ownPeer(from.view.proxy, destination),
    client: { proxyHeader: header.value, tls, protocol },
  };
  return {
    kind: "proxy",
    input: {
      view,
      direction: kind === "sidecar" ? "inbound" : "gateway",
      arrival,
      request,
      tunnelled,
      random: from.random,
      podOf: podNames(mesh, view),
    },
    assumptions,
    unknowns: header.unknowns,
  };
}

/** A server's proxy that is not asked ends no TLS. */
const tlsPastProxy = ({ proxy }: ProxyView, { host: { transport } }: Onward): string[] =>
  transport.tls === null
    ? []
    : [`The TLS of the proxy before it is not ended by ${proxy.id}: the application has to take it.`];

function proxyEntry(
  { snapshot }: Mesh,
  view: ProxyView,
  destination: SocketAddress,
  from: HopInput,
): TrafficEntry {
  if (proxyKind(view).kind !== "sidecar")
    return { enters: true, by: "bound", direction: "inbound", at: destination, because: "", assumptions: [] };
  const pod = entryPod(view, snapshot);
  return view.proxy === from.view.proxy ? entryOfProxy(pod, destination) : inboundEntry(pod, destination);
}

/** The PROXY header that a transport socket sends first: the client's address and where it went. */
function proxyHeader(
  { host: { transport } }: Onward,
  { arrival }: HopInput,
): { readonly value: ClientBytes["proxyHeader"]; readonly unknowns: readonly Unknown[] } {
  if (!transport.sendsProxyProtocol) return { value: null, unknowns: [] };
  const destination = arrival.originalDestination ?? ("ip" in arrival.at ? arrival.at : null);
  if (destination !== null && arrival.peer !== null && arrival.peer !== "unknown")
    return { value: { source: arrival.peer, destination }, unknowns: [] };
  return {
    value: "local",
    unknowns: [unknown("client address", "What the PROXY header says of the client is not known.")],
  };
}

/** `pod.namespace` of an address, as a proxy sees it; null where none or several have it. */
export function podNames({ byIp }: Mesh, { proxy }: ProxyView): HopInput["podOf"] {
  return (ip) => {
    if (isLoopback(ip)) return proxy.id;
    const { pods = [] } = byIp.get(canonicalIp(ip)) ?? {};
    return pods.length === 1 ? (pods[0] ?? null) : null;
  };
}

/** Pods by their addresses; one on the host's network has none of its own, but its proxy may be the only one there. */
export function ownersByIp({ proxies, pods }: Snapshot): ReadonlyMap<string, AddressOwners> {
  const byIp = new Map<string, { readonly pods: string[]; readonly proxies: Proxy[] }>();
  const ownersOf = (ip: string): { readonly pods: string[]; readonly proxies: Proxy[] } => {
    const known = byIp.get(ip) ?? { pods: [], proxies: [] };
    byIp.set(ip, known);
    return known;
  };
  for (const proxy of proxies) {
    for (const ip of new Set(podIps(proxy).map(canonicalIp))) {
      const owners = ownersOf(ip);
      owners.proxies.push(proxy);
      owners.pods.push(proxy.id);
    }
  }
  // where nothing of a proxy tells its address, the list of pods does
  const unaddressed = new Map(
    proxies.flatMap((proxy) => (podIps(proxy).length === 0 ? [[proxy.id, proxy] as const] : [])),
  );
  for (const { name, namespace, ips, hostNetwork } of pods.state === "present" ? pods.value : []) {
    if (hostNetwork) continue;
    for (const ip of ips) {
      const owners = ownersOf(canonicalIp(ip));
      // a pod that has ended keeps its address in the list: one with a proxy there is the one that lives
      if (owners.proxies.length > 0) continue;
      owners.pods.push(`${name}.${namespace}`);
      const proxy = unaddressed.get(`${name}.${namespace}`);
      if (proxy !== undefined) owners.proxies.push(proxy);
    }
  }
  return byIp;
}
