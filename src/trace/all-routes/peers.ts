/** The proxies of endpoints, as others connect to them. */
import {
  child,
  children,
  field,
  flag,
  isMessage,
  text,
  typeOf,
  unpacked,
  type Message,
} from "../../snapshot/message.js";
import type { Proxy, Snapshot } from "../../snapshot/model.js";
import { canonicalIp, isLoopback, isSameIp, socketText } from "../address.js";
import type { ResolvedHost } from "../cluster/cluster-resolution.js";
import type { HostAddress } from "../cluster/hosts.js";
import { acceptTls } from "../downstream-tls.js";
import { failure } from "../leaf.js";
import { chooseFilterChain } from "../listener/filter-chain.js";
import { receivingListener, takeConnection, type ActiveListener } from "../listener/listener-choice.js";
import { entryPod, podIps } from "../pod-addresses.js";
import type { ProxyView } from "../proxy-view.js";
import type { SocketAddress, TlsClient } from "../request.js";
import type { Outcome } from "../result.js";
import { inboundEntry, type EntryPod } from "../traffic-entry.js";
import { unknown, type Unknown } from "../unknown.js";
import { ClientKinds } from "./client-kinds.js";
import { endsWell, notKnown, type BadPart, type PartialEnd } from "./route-end.js";

/** What a proxy does with a connection of a kind of client. */
type Reception =
  | { readonly kind: "taken" }
  | ({ readonly kind: "refused" } & Refusal)
  | { readonly kind: "unknown"; readonly because: readonly Unknown[] };

interface Refusal extends Pick<BadPart, "reason" | "outcome" | "because"> {
  /** Whether something that the proxy does not have refuses it, not something that it has. */
  readonly isByAbsence: boolean;
}

const taken: Reception = { kind: "taken" };

/** Names of the listeners that endpoints of the same Envoy may name. */
export const internalListeners = ({ listeners }: ProxyView): readonly string[] | null =>
  "reason" in listeners
    ? null
    : [...listeners].flatMap(({ name, message }) =>
        child(message, "internal_listener") === undefined ? [] : [name],
      );

/** Each address is asked once for each kind of client. */
export class Peers {
  readonly #byIp = new Map<string, Proxy[]>();
  readonly #known = new Map<string, Reception>();
  readonly #doors = new Map<Proxy, Door | null>();
  /** Entries of dumps of which something could not be read: what they lack proves nothing. */
  readonly #damaged: ReadonlySet<string>;
  /** Of those who connect to what listens in this mesh. */
  readonly clients: ClientKinds;

  constructor(
    private readonly snapshot: Snapshot,
    private readonly view: (proxy: Proxy) => ProxyView,
  ) {
    this.#damaged = new Set(
      snapshot.problems.flatMap(({ severity, entry }) => (severity === "lost" ? [entry] : [])),
    );
    for (const proxy of snapshot.proxies)
      for (const ip of podIps(proxy)) {
        const key = canonicalIp(ip);
        const known = this.#byIp.get(key);
        if (known === undefined) this.#byIp.set(key, [proxy]);
        else known.push(proxy);
      }
    this.clients = new ClientKinds(
      snapshot.proxies.flatMap((proxy) => this.#door(proxy)?.bound.map(({ message }) => message) ?? []),
    );
  }

  /** Why what a proxy seems to lack may be there all the same; null where its dump was read as a whole. */
  gapIn({ id, dumpEntry }: Proxy): Unknown | null {
    if (dumpEntry === null || !this.#damaged.has(dumpEntry)) return null;
    return unknown("not captured", `A part of the dump of ${id} could not be read.`);
  }

  /**
   * What becomes of requests at a host, as far as its proxy was captured; where there is none they end well, and so they do
   * at another listener of the same Envoy, whose own routes tell the rest.
   */
  endAt(resolved: ResolvedHost, sender: ProxyView, isInbound: boolean): PartialEnd {
    const {
      host: { address },
      transport: { tls, unknowns },
    } = resolved;
    if (address.kind === "internal") return this.#inside(resolved, address, sender);
    if (address.kind !== "ip" || isLoopback(address.ip)) return endsWell;
    // the application that the proxy stands before
    if (isInbound && podIps(sender.proxy).some((own) => isSameIp(own, address.ip))) return endsWell;
    const proxy = this.#proxyAt(address);
    if (proxy === null) return endsWell;
    if (proxy === "several")
      return notKnown(
        unknown("not captured", `Which of the proxies with the address ${address.ip} takes it.`),
      );
    if (proxy.dumpEntry === null) return endsWell;
    if (tls === "unknown") return notKnown(...unknowns);
    const reception = this.#reception(proxy, address, tls);
    if (reception.kind === "taken") return endsWell;
    if (reception.kind === "unknown") return notKnown(...reception.because);
    const { reason, outcome, because, isByAbsence } = reception;
    const gap = isByAbsence ? this.gapIn(proxy) : null;
    if (gap !== null) return notKnown(gap);
    return { parts: [{ ...partOf(resolved), peer: proxy.id, reason, outcome, because }], unknowns: [] };
  }

  #inside(
    resolved: ResolvedHost,
    { listener }: Extract<HostAddress, { kind: "internal" }>,
    sender: ProxyView,
  ): PartialEnd {
    const names = internalListeners(sender);
    if (names === null || names.includes(listener)) return endsWell;
    const gap = this.gapIn(sender.proxy);
    if (gap !== null) return notKnown(gap);
    const because = `the proxy has no internal listener ${listener}`;
    const part = { ...partOf(resolved), endpoint: `envoy://${listener}/` };
    return {
      parts: [{ ...part, reason: "no inbound listener", outcome: unanswered("UF"), because }],
      unknowns: [],
    };
  }

  /** Of several on one host the one that listens there. */
  #proxyAt(address: SocketAddress): Proxy | null | "several" {
    const proxies = this.#byIp.get(canonicalIp(address.ip)) ?? [];
    const [first = null, ...others] = proxies;
    if (others.length === 0) return first;
    const listening = proxies.filter((proxy) => {
      const door = this.#door(proxy);
      return door !== null && receivingListener(door.bound, address) !== null;
    });
    const [only = null, ...more] = listening;
    return only !== null && more.length === 0 ? only : "several";
  }

  #reception(proxy: Proxy, address: SocketAddress, tls: TlsClient | null): Reception {
    const client = tls === null ? null : [tls.sni, tls.alpn, this.clients.of(tls.certificate)];
    const question = JSON.stringify([proxy.id, address.ip, address.port, client]);
    const known = this.#known.get(question) ?? this.#ask(proxy, address, tls);
    this.#known.set(question, known);
    return known;
  }

  #ask(proxy: Proxy, destination: SocketAddress, tls: TlsClient | null): Reception {
    const view = this.view(proxy);
    const door = this.#door(proxy);
    if (door === null) {
      const reason = "reason" in view.listeners ? view.listeners.reason : "";
      return {
        kind: "unknown",
        because: [unknown("not captured", `Listeners of ${proxy.id}: ${reason}`)],
      };
    }
    if (view.notServing !== null)
      return refused("no inbound listener", unanswered("UF"), view.notServing, false);
    return proxy.type === "sidecar"
      ? receivedBySidecar(view, door, destination, tls)
      : received(view, door, { at: destination, originalDestination: null }, tls);
  }

  /** null where its listeners were not captured. */
  #door(proxy: Proxy): Door | null {
    const known = this.#doors.get(proxy);
    if (known !== undefined) return known;
    const view = this.view(proxy);
    const door =
      "reason" in view.listeners
        ? null
        : {
            pod: entryPod(view, this.snapshot),
            all: [...view.listeners],
            bound: [...view.listeners].filter(({ message }) => flag(message, "bind_to_port") !== false),
          };
    this.#doors.set(proxy, door);
    return door;
  }
}

/** What a proxy has for connections from outside: read once. */
interface Door {
  readonly pod: EntryPod;
  readonly all: readonly ActiveListener[];
  /** Those with a socket: the only ones that count, unless a listener hands its connections on. */
  readonly bound: readonly ActiveListener[];
}

const partOf = ({
  host: { address },
  share,
  cluster,
}: ResolvedHost): Omit<BadPart, "reason" | "outcome" | "because"> => ({
  share,
  cluster,
  endpoint: address.kind === "ip" ? socketText(address) : null,
  peer: null,
});

const unanswered = (flag: "UF" | "UC"): Outcome =>
  failure(503, [flag], "upstream_reset_before_response_started");

const refused = (
  reason: BadPart["reason"],
  outcome: Outcome,
  because: string,
  isByAbsence = true,
): Reception => ({ kind: "refused", reason, outcome, because, isByAbsence });

function receivedBySidecar(
  view: ProxyView,
  door: Door,
  destination: SocketAddress,
  tls: TlsClient | null,
): Reception {
  const entry = inboundEntry(door.pod, destination);
  if (entry.enters === "unknown") return { kind: "unknown", because: entry.because };
  // what does not enter the proxy comes to the application itself
  if (!entry.enters) return taken;
  const originalDestination = entry.by === "bound" ? null : destination;
  return received(view, door, { at: entry.at, originalDestination }, tls);
}

interface Goal {
  readonly at: SocketAddress;
  readonly originalDestination: SocketAddress | null;
}

function received(
  view: ProxyView,
  { all, bound }: Door,
  { at, originalDestination }: Goal,
  tls: TlsClient | null,
): Reception {
  const receiver = receivingListener(bound, at);
  const isHandedOn = flag(receiver?.listener.message, "use_original_dst") === true;
  const choice = takeConnection(
    isHandedOn ? all : bound,
    { at, originalDestination, peer: "unknown", client: { proxyHeader: null, tls, protocol: "http/1.1" } },
    (name) => {
      const found = view.discovered(name);
      return isMessage(found) ? found : null;
    },
    view.envoy,
  );
  // without TLS the client has its connection before it is closed
  const lost = unanswered(tls === null ? "UC" : "UF");
  if (choice.kind === "refused") return refused("no inbound listener", unanswered("UF"), choice.because);
  if (choice.kind !== "taken") return refused("no inbound listener", lost, choice.because);
  const chosen = chooseFilterChain(choice.listener.message, choice.socket, view.envoy);
  if (chosen.kind === "unknown") return unknownChain(chosen.possible, chosen.because, tls);
  if (chosen.kind === "none") {
    const isOfTls = levelsOfTls.includes(chosen.lostAt ?? "");
    return refused(isOfTls ? "mTLS refused" : "no inbound listener", lost, chosen.because);
  }
  const accepted = acceptTls(chosen.chain.message, tls);
  if (accepted.kind === "refused") return refused("mTLS refused", lost, accepted.because, false);
  if (accepted.kind === "unknown") return { kind: "unknown", because: [accepted.because] };
  return behindChain(view, choice.listener.message, chosen.chain.message, originalDestination, lost);
}

const levelsOfTls: readonly string[] = ["transport protocol", "application protocol", "server name"];

/** Which chain it is may hang on the client's address; where all of them do the same with its TLS, that does not matter. */
function unknownChain(
  possible: readonly ({ readonly message: Message } | null)[],
  because: readonly Unknown[],
  tls: TlsClient | null,
): Reception {
  const isTaken =
    possible.length > 0 &&
    possible.every((chain) => chain !== null && acceptTls(chain.message, tls).kind === "accepted");
  return isTaken ? taken : { kind: "unknown", because };
}

/**
 * Behind the chain there is the application, whose port nobody can look into. A sidecar has a chain for each port that a
 * Service sends to; what comes for another port its chains without a port take and pass on (`InboundPassthroughCluster`).
 * In Envoy's terms that is no failure, and none is proved by it: the application may listen there all the same, as with a
 * `Sidecar` resource whose `ingress` leaves the port out. But the sidecar does not know the port, which Istiod would have told
 * it for a Service: a proxy that is behind, or a wrong `targetPort`, look like this. So it is not known how it ends, unless
 * the chain leads to a cluster without hosts, as that for the ports of Istio itself does.
 */
function behindChain(
  view: ProxyView,
  listener: Message,
  chain: Message,
  destination: SocketAddress | null,
  lost: Outcome,
): Reception {
  const dead = deadEnd(view, chain);
  if (dead !== null) return refused("no inbound listener", lost, dead);
  const hasPort = (one: Message): boolean =>
    field(child(one, "filter_chain_match"), "destination_port") !== undefined;
  const isForOtherPorts = !hasPort(chain) && children(listener, "filter_chains").some(hasPort);
  if (destination === null || view.proxy.type !== "sidecar" || !isForOtherPorts) return taken;
  const message = `No filter chain of ${view.proxy.id} is for port ${destination.port}: it is passed to the application, if that listens there.`;
  return { kind: "unknown", because: [unknown("runtime state", message)] };
}

/** Why nothing behind a chain of TCP can be reached; null where something may. */
function deadEnd(view: ProxyView, chain: Message): string | null {
  const proxy = children(chain, "filters")
    .map((filter) => child(filter, "typed_config"))
    .find((config) => typeOf(config).endsWith(".tcp_proxy.v3.TcpProxy"));
  const name = text(unpacked(proxy), "cluster");
  if (name === "") return null;
  if (view.hasCluster(name) === false)
    return `its filter chain leads to ${name}, which the proxy does not have`;
  const cluster = view.clusters.cluster(name);
  const isEmpty =
    cluster !== undefined &&
    (field(cluster, "type") === undefined || field(cluster, "type") === "STATIC") &&
    field(cluster, "cluster_type") === undefined &&
    children(child(cluster, "load_assignment"), "endpoints").every(
      (locality) => children(locality, "lb_endpoints").length === 0,
    );
  return isEmpty ? `its filter chain leads to ${name}, which has no hosts` : null;
}
