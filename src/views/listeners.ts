/**
 * Listeners as `istioctl proxy-config listener` prints them: one row per filter chain, one per listener, or the waypoint's
 * form. Source: istio/istio, istioctl/pkg/writer/envoy/configdump/listener.go of releases 1.4 to 1.31.
 */
import { compareText } from "../shared/sorting.js";
import {
  child,
  children,
  field,
  isMessage,
  number,
  text,
  texts,
  typeOf,
  unpacked,
  type Message,
} from "../snapshot/message.js";
import type { Origin, ReferenceList } from "../snapshot/model.js";
import { identityForm } from "../snapshot/parse/identity.js";
import { inside, jsonOf, members, shownReferences, showsKinds, type Shown } from "./clusters.js";
import { describeMatch } from "./routes.js";
import type { View, ViewOptions } from "./view.js";

/** All that are given must fit; "" and 0 are as good as not given. */
export interface ListenerFilter {
  /** Any of the listener's addresses, whatever its case. */
  readonly address?: string | undefined;
  /** Port of the main address. */
  readonly port?: number | undefined;
  /** HTTP, TCP, HTTP+TCP or UNKNOWN, in any case. */
  readonly type?: string | undefined;
}

export interface ListenerOptions extends ViewOptions {
  /** One row per filter chain; else, and always up to 1.6, one per listener. */
  readonly verbose: boolean;
  /** The form with names and matcher paths; istioctl applies no filter to it. */
  readonly waypoint?: boolean;
}

type Table = Pick<View, "header" | "rows" | "origins">;

export function listenerView(section: ReferenceList, filter: ListenerFilter, options: ListenerOptions): View {
  const { istioctl, verbose, waypoint = false } = options;
  const all = listenersOf(section, options);
  const listeners = waypoint ? all : all.filter((listener) => fits(listener, filter));
  const json = listeners.flatMap(({ shown }) => jsonOf(shown));
  if (waypoint) listeners.sort((a, b) => (a.internal && b.internal ? byName(a, b) : byPlace(a, b)));
  else if (istioctl >= 7) listeners.sort(byPlace); // the order of the dump before
  const table = waypoint
    ? waypointTable(listeners, istioctl)
    : addressTable(listeners, options, verbose && istioctl >= 7);
  return { ...table, padding: istioctl >= 7 ? 1 : 5, json, note: "" };
}

interface FilterChain {
  readonly message: Message;
  /** Of the chain inside the listener. */
  readonly pointer: string;
}

interface Listener {
  readonly shown: Shown;
  readonly message: Message;
  readonly origin: Origin;
  readonly name: string;
  /** The main one first. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly type: string;
  readonly chains: readonly FilterChain[];
  readonly internal: boolean;
}

function listenersOf(section: ReferenceList, options: ViewOptions): Listener[] {
  const { istioctl } = options;
  return shownReferences(section, options).flatMap((shown): Listener[] => {
    const { content: message, reference } = shown;
    if (message === null) return [];
    const last = istioctl >= 8 ? child(message, "default_filter_chain") : undefined;
    const chains = [
      ...filterChains(message),
      ...(last === undefined ? [] : [{ message: last, pointer: "/default_filter_chain" }]),
    ];
    const more = istioctl >= 18 ? children(message, "additional_addresses") : [];
    return [
      {
        shown,
        message,
        origin: reference.origin,
        name: text(message, "name"),
        addresses: [message, ...more].map((holder) => addressOf(child(holder, "address"))),
        port: number(child(message, "address", "socket_address"), "port_value") ?? 0,
        type: typeOfChains(chains),
        chains,
        internal: child(message, "internal_listener") !== undefined,
      },
    ];
  });
}

/** The chains that are matched, without the default one. */
export function filterChains(listener: Message): FilterChain[] {
  return members(listener, "filter_chains").map(([message, index]) => ({
    message,
    pointer: `/filter_chains/${index}`,
  }));
}

/** Path of a pipe; "" for internal listeners. */
const addressOf = (address: Message | undefined): string =>
  text(child(address, "socket_address"), "address") || text(child(address, "pipe"), "path");

const byName = (a: Listener, b: Listener): number => compareText(a.name, b.name);
const byPlace = (a: Listener, b: Listener): number =>
  a.port - b.port || compareText(a.addresses[0] ?? "", b.addresses[0] ?? "") || compareText(a.type, b.type);

function fits(listener: Listener, { address = "", port = 0, type = "" }: ListenerFilter): boolean {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  return (
    (address === "" || listener.addresses.some((own) => same(own, address))) &&
    (port === 0 || listener.port === port) &&
    (type === "" || same(listener.type, type))
  );
}

// Tables

function addressTable(listeners: readonly Listener[], options: ViewOptions, byChain: boolean): Table {
  const { istioctl } = options;
  const named = showsKinds(options);
  const rows = listeners.flatMap((listener) => {
    const { name, addresses, port, type, origin } = listener;
    const start = [...(named ? [`listener/${name}`] : []), addresses.join(","), String(port)];
    if (!byChain) return [{ cells: [...start, type], origin }];
    return listener.chains
      .map(({ message, pointer }) => ({
        match: matchText(child(message, "filter_chain_match"), istioctl),
        destination: destinationOf(message, istioctl),
        pointer,
      }))
      .sort((a, b) => compareText(b.destination, a.destination))
      .map(({ match, destination, pointer }) => ({
        cells: [...start, match, destination],
        origin: inside(origin, pointer),
      }));
  });
  return {
    header: [
      ...(named ? ["NAME"] : []),
      istioctl >= 18 ? "ADDRESSES" : "ADDRESS",
      "PORT",
      ...(byChain ? ["MATCH", "DESTINATION"] : ["TYPE"]),
    ],
    rows: rows.map(({ cells }) => cells),
    origins: rows.map(({ origin }) => origin),
  };
}

function waypointTable(listeners: readonly Listener[], istioctl: number): Table {
  const rows = listeners.flatMap(({ message, name, chains, internal, origin }) => {
    const address = `envoy://${name}`;
    const isOwnChain = internal && chains.length === 1 && text(chains[0]?.message, "name") === address;
    const matcher = child(message, "filter_chain_matcher");
    const root = matcher === undefined ? null : matcherNode(matcher);
    return chains.flatMap((chain) => {
      const chainName = text(chain.message, "name");
      const matches =
        root === null
          ? [matchText(child(chain.message, "filter_chain_match"), istioctl)]
          : matcherPaths(root, chainName);
      const destination = destinationOf(chain.message, istioctl);
      return matches.map((match) => ({
        cells: [isOwnChain ? "internal" : address, chainName, match, destination],
        origin: inside(origin, chain.pointer),
      }));
    });
  });
  return {
    header: ["LISTENER", "CHAIN", "MATCH", "DESTINATION"],
    rows: rows.map(({ cells }) => cells),
    origins: rows.map(({ origin }) => origin),
  };
}

// Filters

const httpManagers = ["envoy.filters.network.http_connection_manager", "envoy.http_connection_manager"];
const tcpProxies = ["envoy.filters.network.tcp_proxy", "envoy.tcp_proxy"];
const httpManagerType = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const tcpProxyType = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";

/** The configuration of a filter that is an HTTP connection manager, by its name of today or up to 1.6; else null. */
export function httpManagerOf(filter: Message): Message | null {
  return httpManagers.includes(text(filter, "name")) ? filterConfig(filter, httpManagerType) : null;
}

/** The configuration of a TCP proxy that leads somewhere; null for the black hole's, as for other filters. */
function tcpProxyOf(filter: Message): Message | null {
  if (!tcpProxies.includes(text(filter, "name"))) return null;
  const config = filterConfig(filter, tcpProxyType);
  return JSON.stringify(config).includes("BlackHoleCluster") ? null : config;
}

/**
 * What a filter is configured with, in proto names: its typed message, or the Struct of a TypedStruct or of the `config` of
 * old dumps, whose keys may have either spelling. Empty when there is none.
 * @param type what the filter takes
 */
export function filterConfig(filter: Message, type: string): Message {
  const any = child(filter, "typed_config");
  const content = unpacked(any);
  if (content !== undefined && content === any) return content;
  const struct = content ?? child(filter, "config") ?? {};
  const named: unknown = JSON.parse(identityForm(JSON.stringify(struct), type, Infinity).text);
  return isMessage(named) ? named : {};
}

function typeOfChains(chains: readonly FilterChain[]): string {
  const filters = chains.flatMap(({ message }) => children(message, "filters"));
  const isHttp = filters.some((filter) => httpManagers.includes(text(filter, "name")));
  const isTcp = filters.some((filter) => tcpProxyOf(filter) !== null);
  if (isHttp) return isTcp ? "HTTP+TCP" : "HTTP";
  return isTcp ? "TCP" : "UNKNOWN";
}

/** Where the first filter that decides sends a connection. */
function destinationOf(chain: Message, istioctl: number): string {
  for (const filter of children(chain, "filters")) {
    const manager = httpManagerOf(filter);
    if (manager !== null) return managerText(manager, istioctl);
    const proxy = tcpProxyOf(filter);
    if (proxy !== null) return clusterText(text(proxy, "cluster"));
  }
  return "Non-HTTP/Non-TCP";
}

/** PassthroughCluster and the like say themselves what they are. */
const clusterText = (cluster: string): string =>
  cluster.includes("Cluster") ? cluster : `Cluster: ${cluster}`;

function managerText(manager: Message, istioctl: number): string {
  const inline = child(manager, "route_config");
  if (inline !== undefined) return inlineText(inline, istioctl);
  const name = text(child(manager, "rds"), "route_config_name");
  return name === "" ? "HTTP" : `Route: ${name}`;
}

function inlineText(routeConfig: Message, istioctl: number): string {
  const hosts = children(routeConfig, "virtual_hosts");
  const [host] = hosts;
  const routes = children(host, "routes");
  const cluster = field(child(routes[0], "route"), "cluster");
  if (
    istioctl >= 8 &&
    hosts.length === 1 &&
    isAnyDomain(host) &&
    routes.length === 1 &&
    text(child(routes[0], "match"), "prefix") === "/" &&
    typeof cluster === "string"
  )
    return clusterText(cluster);
  const descriptions = hosts.map((virtualHost) => {
    const matches = children(virtualHost, "routes").map((route) =>
      describeMatch(child(route, "match"), istioctl),
    );
    const domains = isAnyDomain(virtualHost) ? "" : texts(virtualHost, "domains").join("/");
    return `${domains}${domains === "" ? "" : " "}${matches.join(", ")}`;
  });
  return `Inline Route: ${descriptions.join("; ")}`;
}

function isAnyDomain(host: Message | undefined): boolean {
  const domains = texts(host, "domains");
  return domains.length === 1 && domains[0] === "*";
}

// What a chain matches

/** Istio's lists of application protocols, in their exact order. */
const protocolLists: Readonly<Record<string, string>> = {
  "http/1.0,http/1.1,h2c": "HTTP",
  "istio,istio-http/1.0,istio-http/1.1,istio-h2": "Istio HTTP Plain",
  "http/1.0,http/1.1,h2c,istio-http/1.0,istio-http/1.1,istio-h2": "HTTP TLS",
  "istio-peer-exchange,istio": "TCP TLS",
};

/** Source types, source prefixes and suffix lengths are not shown. */
function matchText(match: Message | undefined, istioctl: number): string {
  const names = [...texts(match, "server_names"), ...texts(match, "sni_domains")];
  const transport = text(match, "transport_protocol");
  const protocols = texts(match, "application_protocols").join(",");
  const known = Object.hasOwn(protocolLists, protocols) ? protocolLists[protocols] : undefined;
  const parts = [
    ...(names.length === 0 ? [] : [`SNI: ${names.join(",")}`]),
    ...(transport === "" ? [] : [`Trans: ${transport}`]),
    ...(protocols === "" ? [] : [`App: ${known ?? protocols}`]),
    ...addressParts(match, istioctl),
  ];
  return parts.length === 0 ? "ALL" : parts.join("; ");
}

function addressParts(match: Message | undefined, istioctl: number): string[] {
  const destinationPort = number(match, "destination_port");
  const port = destinationPort === undefined ? "" : `:${destinationPort}`;
  const ranges = children(match, "prefix_ranges").map(
    (range) => `${text(range, "address_prefix")}/${number(range, "prefix_len") ?? 0}`,
  );
  const prefixes = ranges.length === 0 ? [] : [`Addr: ${ranges.join(",")}${port}`];
  if (istioctl >= 8) return prefixes.length === 0 && port !== "" ? [`Addr: *${port}`] : prefixes;
  const suffix = text(match, "address_suffix");
  return [...(suffix === "" ? [] : [`Addr: ${suffix}${port}`]), ...prefixes];
}

// The tree of a `filter_chain_matcher`

/** What a matcher leads to: a chain, or a further matcher. */
type Target = { readonly chain: string } | { readonly node: MatcherNode };

interface MatcherNode {
  readonly otherwise: Target | null;
  /** Condition, e.g. `port=80`, and what it leads to. */
  readonly branches: readonly (readonly [condition: string, target: Target])[];
}

const ipMatcher = "xds.type.matcher.v3.IPMatcher";

function matcherNode(matcher: Message): MatcherNode {
  const tree = child(matcher, "matcher_tree");
  const input = text(child(tree, "input"), "name");
  const prefixes = child(tree, "prefix_match_map", "map");
  const entries = Object.entries(child(tree, "exact_match_map", "map") ?? prefixes ?? addressRanges(tree));
  return {
    otherwise: targetOf(child(matcher, "on_no_match")),
    branches: entries
      .sort(([a], [b]) => compareText(a, b)) // istioctl has them in the chance order of a Go map
      .flatMap(([key, onMatch]) => {
        const target = isMessage(onMatch) ? targetOf(onMatch) : null;
        return target === null
          ? []
          : [[`${input}${prefixes === undefined ? "=" : "^"}${key}`, target] as const];
      }),
  };
}

/** The branches of an IP matcher by range, the mask left out where the range is one address. */
function addressRanges(tree: Message | undefined): Record<string, unknown> {
  const custom = child(tree, "custom_match", "typed_config");
  if (typeOf(custom) !== ipMatcher) return {};
  return Object.fromEntries(
    children(custom, "range_matchers").flatMap((matcher) =>
      children(matcher, "ranges").map((range) => {
        const length = number(range, "prefix_len") ?? 0;
        const mask = length === 32 || length === 128 ? "" : `/${length}`;
        return [`${text(range, "address_prefix")}${mask}`, field(matcher, "on_match")];
      }),
    ),
  );
}

function targetOf(onMatch: Message | undefined): Target | null {
  const action = child(onMatch, "action");
  if (action !== undefined) return { chain: text(action, "name") };
  const matcher = child(onMatch, "matcher");
  return matcher === undefined ? null : { node: matcherNode(matcher) };
}

const leadsTo = (target: Target | null, chain: string): boolean =>
  target !== null && "chain" in target && target.chain === chain;

/** How a connection reaches the chain: the conditions on the way, one text per way. */
function matcherPaths(root: MatcherNode, chain: string): string[] {
  if (leadsTo(root.otherwise, chain)) return ["UNMATCHED"];
  // as istioctl does it: a matcher for what is not matched stands for the whole tree
  const start = root.otherwise !== null && "node" in root.otherwise ? root.otherwise.node : root;
  const paths = pathsFrom(start, chain);
  return paths.length === 0 ? ["NONE"] : paths;
}

function pathsFrom({ otherwise, branches }: MatcherNode, chain: string): string[] {
  if (leadsTo(otherwise, chain)) return ["ANY"];
  if (otherwise !== null && "node" in otherwise) {
    const paths = pathsFrom(otherwise.node, chain);
    return paths.length === 0 ? ["NONE"] : paths;
  }
  return branches.flatMap(([condition, target]) => {
    if ("chain" in target) return target.chain === chain ? [condition] : [];
    return pathsFrom(target.node, chain).map((path) => `${condition} -> ${path}`);
  });
}
