/** What the listener filters do with a connection before its filter chain is looked for (facts 2.2, 3.4). */
import {
  child,
  children,
  flag,
  isMessage,
  number,
  text,
  typeOf,
  unpacked,
  type Message,
} from "../../snapshot/message.js";
import { parseSocketAddress } from "../address.js";
import type { EnvoyMinor } from "../match-context.js";
import { setFilterState } from "../network/filter-state-values.js";
import type { Connection, SocketAddress, TlsClient } from "../request.js";
import type { FilterDecision } from "../result.js";
import { unknown, type Unknown } from "../unknown.js";
import type { AcceptedSocket } from "./accepted-socket.js";

/** What the client sends on a new connection, from its first byte. */
export interface ClientBytes {
  /** What a PROXY header says, `local` where it leaves the addresses as they are; null: there is none. */
  readonly proxyHeader:
    { readonly source: SocketAddress; readonly destination: SocketAddress } | "local" | null;
  readonly tls: TlsClient | null;
  readonly protocol: Connection["protocol"];
  /** Of the request line, where it is HTTP/1; absent: one that every parser takes. */
  readonly requestLine?: { readonly method: string; readonly target: string };
}

/** The configuration of a filter that comes by ECDS; null where it is not there. */
export type ExtensionConfigs = (name: string) => Message | null;

export interface FilterSurroundings {
  /** What the kernel answers for SO_ORIGINAL_DST; null where nothing was redirected. */
  readonly originalDestination: SocketAddress | null;
  readonly extensionConfig: ExtensionConfigs;
  readonly envoy: EnvoyMinor;
}

export interface ListenerFiltersResult {
  /** `waits`: for bytes that the client does not send before it hears from the server, without a time limit. */
  readonly kind: "accepted" | "closed" | "waits";
  /** Why, where it is not accepted, or accepted only after a timeout; "" else. */
  readonly because: string;
  readonly socket: AcceptedSocket;
  /** What is left of them for another listener's filters: the PROXY header is taken off once. */
  readonly client: ClientBytes;
  readonly filters: readonly FilterDecision[];
  readonly unknowns: readonly Unknown[];
}

type Step =
  | {
      readonly kind: "continue";
      readonly socket?: AcceptedSocket;
      readonly client?: ClientBytes;
      readonly unknowns?: readonly Unknown[];
    }
  | { readonly kind: "wait" }
  | { readonly kind: "close"; readonly because: string };

type Filter = (input: {
  readonly config: Message | undefined;
  readonly socket: AcceptedSocket;
  readonly client: ClientBytes;
  readonly surroundings: FilterSurroundings;
  readonly name: string;
}) => Step;

const go = (socket?: AcceptedSocket): Step =>
  socket === undefined ? { kind: "continue" } : { kind: "continue", socket };

/**
 * `Utility::getOriginalDst`, or for a socket inside of Envoy what was handed over with it: the destination in metadata, else
 * in filter state, the client in filter state alone.
 */
const originalDst: Filter = ({ socket, surroundings: { originalDestination } }) => {
  if (originalDestination !== null)
    return go(
      isSame(socket.destination, originalDestination) ? socket : restored(socket, originalDestination),
    );
  if (socket.destination !== null) return go();
  const key = "envoy.filters.listener.original_dst";
  const ofState = (name: string): string => socket.filterState.get(`${key}.${name}`) ?? "";
  const destination = parseSocketAddress(metadataText(socket, key, "local") || ofState("local_ip"));
  const source = parseSocketAddress(ofState("remote_ip"));
  const withSource = source === null ? socket : { ...socket, source };
  if (destination !== null) return go(restored(withSource, destination));
  if (socket.isComplete) return go(withSource);
  const unknowns = [
    unknown("filter state", "the original destination that was handed to the internal listener"),
  ];
  return { kind: "continue", socket: withSource, unknowns };
};

/** Older waypoints: the destination of the tunnel, which the cluster's endpoint names in its metadata. */
const internalDst: Filter = ({ socket, name }) => {
  const destination = parseSocketAddress(metadataText(socket, "tunnel", "destination"));
  if (destination !== null) return go(restored(socket, destination));
  const unknowns = [
    unknown("filter state", `${name}: the destination that was handed to the internal listener`),
  ];
  return { kind: "continue", unknowns };
};

function metadataText(socket: AcceptedSocket, namespace: string, name: string): string {
  const metadata = socket.dynamicMetadata.get(namespace);
  return isMessage(metadata) ? text(metadata, name) : "";
}

/** An address that is the connection's own is not restored. */
const isSame = (own: SocketAddress | null, other: SocketAddress): boolean =>
  own !== null && own.ip === other.ip && own.port === other.port;

const restored = (socket: AcceptedSocket, destination: SocketAddress): AcceptedSocket => ({
  ...socket,
  destination,
  isRestored: true,
});

const proxyProtocol: Filter = ({ config, socket, client }) => {
  const { proxyHeader } = client;
  if (proxyHeader === null) {
    if (client.protocol === "nothing" && client.tls === null) return { kind: "wait" };
    return flag(config, "allow_requests_without_proxy_protocol") === true
      ? go()
      : { kind: "close", because: "the client sends no PROXY header" };
  }
  const rest = { ...client, proxyHeader: null };
  if (proxyHeader === "local") return { kind: "continue", client: rest };
  const { source, destination } = proxyHeader;
  const local = isSame(socket.destination, destination) ? socket : restored(socket, destination);
  return { kind: "continue", socket: { ...local, source }, client: rest };
};

const tlsInspector: Filter = ({ config, socket, client }) => {
  if (client.proxyHeader === null && client.tls !== null) {
    const { sni, alpn } = client.tls;
    return go({
      ...socket,
      transportProtocol: "tls",
      serverName: sni.toLowerCase(),
      applicationProtocols: alpn.length === 0 ? socket.applicationProtocols : alpn,
    });
  }
  if (client.proxyHeader === null && client.protocol === "nothing") return { kind: "wait" };
  return flag(config, "close_connection_on_client_hello_parsing_errors") === true
    ? { kind: "close", because: "the client sends no TLS ClientHello" }
    : go();
};

const httpInspector: Filter = ({ socket, client, surroundings: { envoy } }) => {
  if (socket.transportProtocol !== "" && socket.transportProtocol !== "raw_buffer") return go();
  if (client.proxyHeader !== null || client.tls !== null || client.protocol === "other") return go();
  if (client.protocol === "nothing") return { kind: "wait" };
  const isHttp1 = client.protocol === "http/1.0" || client.protocol === "http/1.1";
  if (isHttp1 && envoy < anyMethodSince && !isRequestLine(client.requestLine)) return go();
  return go({ ...socket, applicationProtocols: [client.protocol] });
};

/** Before, the inspector reads request lines by http_parser, which knows its methods alone, in capitals. */
const anyMethodSince: EnvoyMinor = 39;

const knownMethods = new Set(
  (
    "DELETE GET HEAD POST PUT CONNECT OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND REBIND " +
    "UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PATCH PURGE MKCALENDAR LINK " +
    "UNLINK SOURCE"
  ).split(" "),
);

/** As http_parser takes it: a known method, and a target that is a path, `*` or an absolute URL. */
function isRequestLine(line: ClientBytes["requestLine"]): boolean {
  if (line === undefined) return true;
  const { method, target } = line;
  return knownMethods.has(method) && (method === "CONNECT" || /^(?:[/*]|[a-z]{1,64}:\/\/)/i.test(target));
}

const setsFilterState: Filter = ({ config, socket, surroundings: { envoy } }) => {
  const { socket: after, unknowns } = setFilterState(children(config, "on_accept"), socket, envoy);
  return { kind: "continue", socket: after, unknowns };
};

/** By the middle of the type (`envoy.extensions.filters.listener.<this>.v3.X`), or the end of the name. */
const known: ReadonlyMap<string, Filter> = new Map([
  ["original_dst", originalDst],
  ["set_internal_dst_address", internalDst],
  ["proxy_protocol", proxyProtocol],
  ["tls_inspector", tlsInspector],
  ["http_inspector", httpInspector],
  ["set_filter_state", setsFilterState],
  ["original_src", () => go()],
  [
    "local_ratelimit",
    ({ name }) => ({
      kind: "continue",
      unknowns: [unknown("rate limit", `the listener filter ${name} closes connections that are too many`)],
    }),
  ],
]);

const types =
  /^(?:envoy\.extensions\.filters\.listener\.(\w+)\.v\d\w*\.\w+|istio\.(set_internal_dst_address)\.v1\.Config)$/;

/** Without a type the name tells: `envoy.filters.listener.x`, first `envoy.listener.x`. */
function kindOf(name: string, type: string): string {
  if (type === "") return /^envoy\.(?:filters\.)?listener\.(\w+)$/.exec(name)?.[1] ?? "";
  const [, ofEnvoy, ofIstio] = types.exec(type) ?? [];
  return ofEnvoy ?? ofIstio ?? "";
}

/** The filters of a listener, with those that its flags imply: they come last. */
function filtersOf(listener: Message): readonly Message[] {
  const implied = [
    ...(flag(listener, "use_original_dst") === true ? ["envoy.filters.listener.original_dst"] : []),
    ...(flag(children(listener, "filter_chains")[0], "use_proxy_proto") === true
      ? ["envoy.filters.listener.proxy_protocol"]
      : []),
  ];
  return [...children(listener, "listener_filters"), ...implied.map((name): Message => ({ name }))];
}

/**
 * Runs the filters of a listener over a connection, as far as they go.
 * @param listener `envoy.config.listener.v3.Listener`
 */
export function runListenerFilters(
  listener: Message,
  accepted: AcceptedSocket,
  from: ClientBytes,
  surroundings: FilterSurroundings,
): ListenerFiltersResult {
  const filters: FilterDecision[] = [];
  const unknowns: Unknown[] = [];
  let socket = accepted;
  let client = from;
  const end = (kind: ListenerFiltersResult["kind"], because = ""): ListenerFiltersResult => ({
    ...{ kind, because, socket, client, filters, unknowns },
  });
  for (const message of filtersOf(listener)) {
    const name = text(message, "name");
    if (isDisabled(child(message, "filter_disabled"), socket)) {
      filters.push(decided(name, "disabled"));
      continue;
    }
    const step = runFilter(message, { socket, client, surroundings, name });
    if (step.kind === "close") {
      filters.push(decided(name, "denied"));
      return end("closed", `the listener filter ${name} closes the connection: ${step.because}`);
    }
    if (step.kind === "wait") {
      filters.push(decided(name, "unknown"));
      return afterWaiting(listener, name, end);
    }
    filters.push(
      decided(name, step.unknowns === undefined || step.unknowns.length === 0 ? "passed" : "unknown"),
    );
    unknowns.push(...(step.unknowns ?? []));
    socket = step.socket ?? socket;
    client = step.client ?? client;
    if (unknowns.length > 0) socket = { ...socket, isComplete: false };
  }
  return end("accepted");
}

const decided = (name: string, decision: FilterDecision["decision"]): FilterDecision => ({
  name,
  decision,
  policy: "",
});

function runFilter(message: Message, input: Omit<Parameters<Filter>[0], "config">): Step {
  const isDiscovered = child(message, "config_discovery") !== undefined;
  const any = isDiscovered ? input.surroundings.extensionConfig(input.name) : child(message, "typed_config");
  if (isDiscovered && any === null)
    return { kind: "close", because: "its configuration has not been delivered" };
  const type = typeOf(any ?? undefined);
  const filter = known.get(kindOf(input.name, type));
  if (filter !== undefined) return filter({ ...input, config: unpacked(any ?? undefined) });
  const what = type === "" ? input.name : `${input.name} (${type})`;
  return { kind: "continue", unknowns: [unknown("unsupported filter", `the listener filter ${what}`)] };
}

/** Envoy goes on without the filters that had not run, closes, or, with a time limit of 0, waits for ever. */
function afterWaiting(
  listener: Message,
  name: string,
  end: (kind: ListenerFiltersResult["kind"], because: string) => ListenerFiltersResult,
): ListenerFiltersResult {
  const seconds = timeoutOf(listener);
  const waits = `the listener filter ${name} waits for the client, which sends nothing first`;
  if (seconds === 0) return end("waits", `${waits}; there is no time limit`);
  if (flag(listener, "continue_on_listener_filters_timeout") === true)
    return end("accepted", `${waits}; after ${seconds} s the listener goes on with what it knows`);
  return end("closed", `${waits}; after ${seconds} s the listener closes the connection`);
}

/** Seconds; 15 where it is not said. */
function timeoutOf(listener: Message): number {
  const [, seconds] = /^(-?\d{1,12}(?:\.\d{1,9})?)s$/.exec(text(listener, "listener_filters_timeout")) ?? [];
  return seconds === undefined ? 15 : Number(seconds);
}

/** `ListenerFilterChainMatchPredicate`, on the local address of the moment. A pipe or internal socket matches any range. */
function isDisabled(predicate: Message | undefined, socket: AcceptedSocket): boolean {
  if (predicate === undefined) return false;
  if (flag(predicate, "any_match") !== undefined) return true;
  const and = child(predicate, "and_match");
  if (and !== undefined) return children(and, "rules").every((rule) => isDisabled(rule, socket));
  const or = child(predicate, "or_match");
  if (or !== undefined) return children(or, "rules").some((rule) => isDisabled(rule, socket));
  const not = child(predicate, "not_match");
  if (not !== undefined) return !isDisabled(not, socket);
  const range = child(predicate, "destination_port_range");
  if (range === undefined) return false;
  const port = socket.destination?.port;
  return port === undefined || (port >= (number(range, "start") ?? 0) && port < (number(range, "end") ?? 0));
}
