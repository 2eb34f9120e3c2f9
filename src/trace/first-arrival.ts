/** Where a request begins: the address that its client connects to, and how that comes to the first proxy, if it does. */
import type { Proxy, Snapshot } from "../snapshot/model.js";
import { parseIp, socketText } from "./address.js";
import type { ClientBytes } from "./listener/listener-filters.js";
import { receivingListener, type Arrival } from "./listener/listener-choice.js";
import { destinationResolver, splitAuthority } from "./original-destination.js";
import { entryPod, ownPeer, podIps } from "./pod-addresses.js";
import { insideTunnels, proxyKind } from "./proxy-kind.js";
import type { ProxyView } from "./proxy-view.js";
import type { SocketAddress, TlsClient } from "./request.js";
import type { Hop } from "./result.js";
import type { TraceInput } from "./trace-input.js";
import { entryWords, inboundEntry, outboundEntry } from "./traffic-entry.js";
import { unknown, type Unknown } from "./unknown.js";

export interface Destination {
  /** null: no address, see `unknowns`. */
  readonly address: SocketAddress | null;
  readonly assumptions: readonly string[];
  readonly unknowns: readonly Unknown[];
}

export type FirstArrival = { readonly assumptions: readonly string[] } & (
  | { readonly kind: "enters"; readonly direction: Hop["direction"]; readonly arrival: Arrival }
  /** It never comes to the proxy; why, in one sentence. */
  | { readonly kind: "bypasses"; readonly because: string }
  | { readonly kind: "unknown"; readonly unknowns: readonly Unknown[] }
);

/** Of the blocks for documentation (RFC 5737): stands for the address of a pod that does not tell it. */
const standIn = "192.0.2.1";

/** Where the client connects to. */
export function clientDestination(snapshot: Snapshot, view: ProxyView, input: TraceInput): Destination {
  if (input.originalDestination !== null)
    return { address: input.originalDestination, assumptions: [], unknowns: [] };
  const split = splitAuthority(input.authority, input.scheme === "https" ? 443 : 80);
  if (split === null) return nowhere(`${input.authority} is no host with a port.`);
  const { kind } = proxyKind(view);
  if (input.direction === "inbound" || kind === "gateway") return ownAddress(view.proxy, split.port);
  const resolve = destinationResolver({
    namespace: view.proxy.namespace,
    dnsDomain: view.proxy.node.state === "present" ? (view.proxy.node.value.parts?.dnsDomain ?? "") : "",
    nameTable:
      snapshot.istiods
        .flatMap(({ nameTables }) => nameTables)
        .find(({ proxyId }) => proxyId === view.proxy.id) ?? null,
    services: snapshot.services.state === "present" ? snapshot.services.value : null,
    pods: snapshot.pods.state === "present" ? snapshot.pods.value : null,
    routeConfigurations: view.routeConfigurations,
  });
  const { from, addresses, assumptions } = resolve(split.host, split.port);
  // no listener of a waypoint is for any address
  if (kind === "waypoint" && from === "unknown host")
    return nowhere(`Nothing in the snapshot tells the address of ${split.host}.`);
  return { address: addresses[0], assumptions, unknowns: [] };
}

const nowhere = (because: string): Destination => ({
  address: null,
  assumptions: [],
  unknowns: [unknown("DNS", because)],
});

function ownAddress(proxy: Proxy, port: number): Destination {
  const own = podIps(proxy)[0];
  const address = { ip: own ?? standIn, port };
  const words =
    own === undefined
      ? `The request comes to the pod's own address, which is not known: ${standIn} stands for it.`
      : `The request comes to ${socketText(address)}, the pod's own address.`;
  return { address, assumptions: [words], unknowns: [] };
}

/** Whether and where the traffic enters the first proxy. */
export function firstArrival(
  snapshot: Snapshot,
  view: ProxyView,
  input: TraceInput,
  destination: SocketAddress,
): FirstArrival {
  const { proxy, listeners } = view;
  const { kind, assumptions } = proxyKind(view);
  const client: ClientBytes = {
    proxyHeader: null,
    tls: tlsOf(input),
    protocol: input.scheme === "tcp" ? "other" : "http/1.1",
  };
  if (proxy.type === "unknown" && "reason" in listeners) {
    const because = `Listeners of ${proxy.id}: ${listeners.reason}`;
    return { kind: "unknown", assumptions: [], unknowns: [unknown("not captured", because)] };
  }
  const source = input.sourceIp === null ? null : { ip: input.sourceIp, port: 0 };
  switch (kind) {
    case "gateway": {
      const bound = gatewayPort(snapshot, view, destination);
      return {
        kind: "enters",
        direction: "gateway",
        arrival: { at: bound.address, originalDestination: null, peer: source ?? "unknown", client },
        assumptions: [...assumptions, ...bound.assumptions],
      };
    }
    case "waypoint":
      return {
        kind: "enters",
        direction: "gateway",
        arrival: insideTunnel(destination, source, client),
        assumptions: [
          ...assumptions,
          "A tunnel (HBONE) brings the request: what it says of the client is not known.",
        ],
      };
    case "sidecar": {
      const ownSource = input.direction === "outbound" ? ownPeer(proxy, destination) : "unknown";
      const entered = sidecarArrival(snapshot, view, input, destination, {
        peer: source ?? ownSource,
        client,
      });
      return { ...entered, assumptions: [...assumptions, ...entered.assumptions] };
    }
  }
}

function sidecarArrival(
  snapshot: Snapshot,
  view: ProxyView,
  { direction }: TraceInput,
  destination: SocketAddress,
  from: Pick<Arrival, "peer" | "client">,
): FirstArrival {
  const pod = entryPod(view, snapshot);
  const entry = direction === "inbound" ? inboundEntry(pod, destination) : outboundEntry(pod, destination);
  const { assumptions } = entry;
  if (entry.enters === "unknown") return { kind: "unknown", assumptions, unknowns: entry.because };
  if (!entry.enters) {
    const because = entryWords(entry, destination);
    return { kind: "bypasses", because, assumptions: [because, ...assumptions] };
  }
  const originalDestination = entry.by === "bound" ? null : destination;
  return { kind: "enters", direction, arrival: { at: entry.at, originalDestination, ...from }, assumptions };
}

/** A Service may map its ports to other ones of the gateway's pods. */
function gatewayPort(
  { services }: Snapshot,
  view: ProxyView,
  destination: SocketAddress,
): { readonly address: SocketAddress; readonly assumptions: readonly string[] } {
  if ("reason" in view.listeners || receivingListener(view.listeners, destination) !== null)
    return { address: destination, assumptions: [] };
  const labels = labelsOf(view.proxy);
  for (const service of services.state === "present" ? services.value : []) {
    if (service.namespace !== view.proxy.namespace || Object.keys(service.selector).length === 0) continue;
    if (!Object.entries(service.selector).every(([key, value]) => labels[key] === value)) continue;
    const port = service.ports.find(({ port: own }) => own === destination.port);
    const target = Number(port?.targetPort ?? Number.NaN);
    if (Number.isInteger(target))
      return {
        address: { ...destination, port: target },
        assumptions: [
          `Port ${destination.port} of the Service ${service.name}.${service.namespace} is port ${target} of the gateway.`,
        ],
      };
  }
  return { address: destination, assumptions: [] };
}

function labelsOf({ node }: Proxy): Readonly<Record<string, unknown>> {
  const labels = node.state === "present" ? node.value.metadata["LABELS"] : undefined;
  return typeof labels === "object" && labels !== null ? (labels as Readonly<Record<string, unknown>>) : {};
}

/** As a waypoint's `connect_terminate` hands it over. Releases differ in where the destination stands. */
function insideTunnel(
  destination: SocketAddress,
  source: SocketAddress | null,
  client: ClientBytes,
): Arrival {
  const local = socketText(destination);
  const remote = source === null ? {} : { remote: socketText(source) };
  return {
    at: { internalListener: insideTunnels },
    originalDestination: null,
    peer: "unknown",
    client,
    passed: {
      dynamicMetadata: new Map<string, unknown>([
        ["envoy.filters.listener.original_dst", { local, ...remote }],
        ["tunnel", { destination: local }],
      ]),
      filterState: new Map([["envoy.filters.listener.original_dst.local_ip", local]]),
      isComplete: false,
    },
  };
}

function tlsOf({ scheme, tls, authority }: TraceInput): TlsClient | null {
  if (scheme !== "https" && tls === null) return null;
  const host = splitAuthority(authority, 443)?.host ?? "";
  // a server name is never an address (RFC 6066, section 3)
  const name = parseIp(host) === null ? host : "";
  return { sni: tls?.sni ?? name, alpn: tls?.alpn ?? [], certificate: tls?.certificate ?? null };
}
