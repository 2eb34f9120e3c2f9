/** Which listener takes a connection, and how it gets there (facts 2.1, 2.2). */
import { child, children, field, flag, number, text, type Message } from "../../snapshot/message.js";
import { canonicalIp, familyOf, parseIp, socketText } from "../address.js";
import type { EnvoyMinor } from "../match-context.js";
import type { Connection, SocketAddress } from "../request.js";
import type { FilterDecision, NearMiss } from "../result.js";
import type { Unknown } from "../unknown.js";
import type { AcceptedSocket, Peer } from "./accepted-socket.js";
import { runListenerFilters, type ClientBytes, type ExtensionConfigs } from "./listener-filters.js";

/** A listener that takes new connections; warming, draining and rejected ones do not. */
export interface ActiveListener {
  readonly name: string;
  /** `envoy.config.listener.v3.Listener`. */
  readonly message: Message;
}

/** The listeners of a proxy; those of a port, or with a name, may be found without a look at all of them. */
export interface ActiveListeners extends Iterable<ActiveListener> {
  /** At least those with an address of that port, in their order. */
  readonly ofPort?: (port: number) => Iterable<ActiveListener>;
  /** At least those with that name, in their order. */
  readonly named?: (name: string) => Iterable<ActiveListener>;
}

/** A connection as it reaches Envoy. */
export interface Arrival {
  /** Where its packets go, after a redirect (`127.0.0.1:15001`); or the internal listener that an endpoint names. */
  readonly at: SocketAddress | { readonly internalListener: string };
  /** What the kernel answers for SO_ORIGINAL_DST; null where nothing was redirected. */
  readonly originalDestination: SocketAddress | null;
  readonly peer: Peer;
  readonly client: ClientBytes;
  /** What an internal connection brings with it, through the `internal_upstream` transport socket. */
  readonly passed?: Pick<AcceptedSocket, "dynamicMetadata" | "filterState" | "isComplete">;
}

export interface ListenerStep {
  readonly listener: string;
  /** The listener's own address that the connection came to, `0.0.0.0:15001`; the name of an internal listener. */
  readonly address: string;
  readonly how: "receives" | "takes over";
  /** For people: `virtualOutbound on 0.0.0.0:15001 receives 10.0.0.5:80`. */
  readonly words: string;
  readonly filters: readonly FilterDecision[];
}

export interface TakenConnection {
  readonly listener: ActiveListener;
  readonly address: string;
  /** What filter chains are chosen by. */
  readonly socket: AcceptedSocket;
  /** As filters see it: with a server name only where an inspector saw it. */
  readonly connection: Connection;
  /** Why it was only taken after a timeout; "" else. */
  readonly because: string;
}

export type ListenerChoice = {
  readonly steps: readonly ListenerStep[];
  readonly nearMisses: readonly NearMiss[];
  readonly unknowns: readonly Unknown[];
} & (
  | ({ readonly kind: "taken" } & TakenConnection)
  /** Nothing listens there. */
  | { readonly kind: "refused"; readonly because: string }
  /** A listener filter ends it, or it waits for ever. */
  | { readonly kind: "closed" | "waits"; readonly listener: ActiveListener; readonly because: string }
);

interface Place {
  readonly listener: ActiveListener;
  readonly address: string;
}

/** More near misses than this help nobody. */
const mostNearMisses = 20;

/** Follows a connection through the listener that receives it, its filters, and the one that it may be handed to. */
export function takeConnection(
  listeners: ActiveListeners,
  arrival: Arrival,
  extensionConfig: ExtensionConfigs,
  envoy: EnvoyMinor,
): ListenerChoice {
  const receiver =
    "internalListener" in arrival.at
      ? internalListener(listeners, arrival.at.internalListener)
      : receivingListener(listeners, arrival.at);
  const goal = "internalListener" in arrival.at ? arrival.at.internalListener : socketText(arrival.at);
  if (receiver === null) {
    const nearMisses = "internalListener" in arrival.at ? [] : nearMissesOf(listeners, arrival.at, null);
    return { kind: "refused", because: `nothing listens on ${goal}`, steps: [], nearMisses, unknowns: [] };
  }
  const surroundings = { originalDestination: arrival.originalDestination, extensionConfig, envoy };
  const first = runListenerFilters(receiver.listener.message, arrived(arrival), arrival.client, surroundings);
  const { originalDestination } = arrival;
  const sentTo =
    "internalListener" in arrival.at
      ? "a connection of the same Envoy"
      : originalDestination === null
        ? goal
        : socketText(originalDestination);
  const steps = [stepOf(receiver, "receives", sentTo, first.filters)];
  if (first.kind !== "accepted") {
    const { kind, because, unknowns } = first;
    return { kind, listener: receiver.listener, because, steps, nearMisses: [], unknowns };
  }
  const { destination } = first.socket;
  // what arrives at an internal listener is never handed on (`ActiveInternalListener::onAccept`)
  const isHandedOff =
    !("internalListener" in arrival.at) &&
    flag(receiver.listener.message, "use_original_dst") === true &&
    first.socket.isRestored;
  const next = isHandedOff && destination !== null ? handOffListener(listeners, destination) : null;
  const nearMisses = isHandedOff && destination !== null ? nearMissesOf(listeners, destination, next) : [];
  if (next === null)
    return {
      kind: "taken",
      steps,
      nearMisses,
      unknowns: first.unknowns,
      ...takenBy(receiver, first, arrival),
    };

  // also where it is the same listener again: its filters run twice
  // the stream's own state does not come along, what inspectors wrote on the socket does
  const socket = { ...first.socket, dynamicMetadata: new Map(), filterState: new Map(), isComplete: true };
  const second = runListenerFilters(next.listener.message, socket, first.client, surroundings);
  const allSteps = [
    ...steps,
    stepOf(next, "takes over", socketText(destination ?? noAddress), second.filters),
  ];
  const unknowns = [...first.unknowns, ...second.unknowns];
  if (second.kind !== "accepted") {
    const { kind, because } = second;
    return { kind, listener: next.listener, because, steps: allSteps, nearMisses, unknowns };
  }
  return { kind: "taken", steps: allSteps, nearMisses, unknowns, ...takenBy(next, second, arrival) };
}

const noAddress: SocketAddress = { ip: "0.0.0.0", port: 0 };

const stepOf = (
  { listener, address }: Place,
  how: ListenerStep["how"],
  goal: string,
  filters: readonly FilterDecision[],
): ListenerStep => {
  const isInternal = child(listener.message, "internal_listener") !== undefined;
  const on = address === goal || isInternal ? "" : ` on ${address}`;
  const name = listener.name === "" ? "a listener without a name" : listener.name;
  return { listener: listener.name, address, how, words: `${name}${on} ${how} ${goal}`, filters };
};

function arrived({ at, peer, passed }: Arrival): AcceptedSocket {
  const isInternal = "internalListener" in at;
  return {
    destination: isInternal ? null : { ip: canonicalIp(at.ip), port: at.port },
    isRestored: false,
    directSource: peer,
    source: peer,
    isPipe: peer === null && !isInternal,
    serverName: "",
    transportProtocol: "",
    applicationProtocols: [],
    dynamicMetadata: passed?.dynamicMetadata ?? new Map(),
    filterState: passed?.filterState ?? new Map(),
    isComplete: passed?.isComplete ?? true,
  };
}

function takenBy(
  { listener, address }: Place,
  { socket, because }: { readonly socket: AcceptedSocket; readonly because: string },
  { client }: Arrival,
): TakenConnection {
  const { destination, source, directSource } = socket;
  const tls = client.tls === null ? null : { ...client.tls, sni: socket.serverName };
  const connection = { destination, source, directSource, tls, protocol: client.protocol };
  return { listener, address, socket, connection, because };
}

/** The listener whose socket the kernel gives a connection to: the exact address, then the whole family's. */
export function receivingListener(listeners: ActiveListeners, address: SocketAddress): Place | null {
  const ofPort = ofPortIn(listeners, address.port).filter(({ message }) => isBound(message));
  return lookUp(ofPort, address);
}

/** The listener that a connection with a restored address is handed to, bound or not. */
export const handOffListener = (listeners: ActiveListeners, address: SocketAddress): Place | null =>
  lookUp(ofPortIn(listeners, address.port), address);

const ofPortIn = (listeners: ActiveListeners, port: number): readonly ActiveListener[] => [
  ...(listeners.ofPort?.(port) ?? listeners),
];

function internalListener(listeners: ActiveListeners, name: string): Place | null {
  const listener = [...(listeners.named?.(name) ?? listeners)].findLast(
    (one) => one.name === name && child(one.message, "internal_listener") !== undefined,
  );
  return listener === undefined ? null : { listener, address: name };
}

const isBound = (message: Message): boolean =>
  flag(message, "bind_to_port") !== false && flag(child(message, "deprecated_v1"), "bind_to_port") !== false;

/**
 * As `ConnectionHandlerImpl::getBalancedHandlerByAddress`: by text, exact, then the wildcard of the same family.
 * @param ofPort at least the listeners of the address' port
 */
function lookUp(ofPort: readonly ActiveListener[], address: SocketAddress): Place | null {
  const ip = parseIp(address.ip);
  if (ip === null) return null;
  const places = placesByAddress(ofPort, address.port);
  const wildcard = familyOf(ip) === "ipv4" ? "0.0.0.0" : "::";
  return (
    places.get(socketText({ ip: ip.toString(), port: address.port })) ??
    places.get(socketText({ ip: wildcard, port: address.port })) ??
    null
  );
}

/** The last listener of an address counts; `[::]` with `ipv4_compat` has 0.0.0.0 too, unless another listener does. */
function placesByAddress(listeners: readonly ActiveListener[], ofPort: number): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const listener of listeners) {
    for (const { ip, port, takesIpv4 } of addressesOf(listener.message, ofPort)) {
      const place = { listener, address: socketText({ ip, port }) };
      places.set(place.address, place);
      if (!takesIpv4) continue;
      const parsed = parseIp(ip);
      if (ip === "::") {
        const ipv4 = `0.0.0.0:${port}`;
        if (!places.has(ipv4)) places.set(ipv4, place);
      } else if (parsed?.kind() === "ipv6" && "isIPv4MappedAddress" in parsed && parsed.isIPv4MappedAddress())
        places.set(`${parsed.toIPv4Address().toString()}:${port}`, place);
    }
  }
  return places;
}

interface OwnAddress extends SocketAddress {
  /** An IPv6 address that is not for IPv6 only. */
  readonly takesIpv4: boolean;
}

/** The TCP addresses of a listener, those of one port. */
function addressesOf(message: Message, ofPort: number): OwnAddress[] {
  if (
    ["internal_listener", "api_listener", "udp_listener_config"].some(
      (name) => field(message, name) !== undefined,
    )
  )
    return [];
  const more = children(message, "additional_addresses").map((one) => child(one, "address"));
  return [child(message, "address"), ...more].flatMap((address) => {
    const socket = child(address, "socket_address");
    const port = number(socket, "port_value") ?? 0;
    if (port !== ofPort) return [];
    const ip = parseIp(text(socket, "address"));
    if (ip === null || field(socket, "protocol") === "UDP" || field(socket, "protocol") === 1) return [];
    const takesIpv4 = familyOf(ip) === "ipv6" && flag(socket, "ipv4_compat") === true;
    return [{ ip: ip.toString(), port, takesIpv4 }];
  });
}

/** Listeners of the same port on another address. */
function nearMissesOf(listeners: ActiveListeners, goal: SocketAddress, won: Place | null): NearMiss[] {
  const found: NearMiss[] = [];
  for (const listener of ofPortIn(listeners, goal.port)) {
    if (listener === won?.listener) continue;
    for (const { ip } of addressesOf(listener.message, goal.port)) {
      if (found.length === mostNearMisses) return found;
      found.push({ what: "listener", name: listener.name, because: whyNot(ip, goal, won, listener.message) });
    }
  }
  return found;
}

function whyNot(ip: string, goal: SocketAddress, won: Place | null, message: Message): string {
  const isGoalIpv6 = goal.ip.includes(":");
  const own = socketText({ ip, port: goal.port });
  if (ip === "0.0.0.0" || ip === "::") {
    if ((ip === "::") !== isGoalIpv6 && won === null)
      return `it listens on ${own}, for ${ip === "::" ? "IPv6" : "IPv4"} only`;
    if (won !== null) return `it listens on ${own}, and the listener on ${won.address} goes before it`;
  }
  if (!isBound(message) && canonicalIp(ip) === canonicalIp(goal.ip))
    return `it has no socket on ${own}: connections are only handed to it`;
  return `it listens on ${own}, and the connection goes to ${socketText(goal)}`;
}
