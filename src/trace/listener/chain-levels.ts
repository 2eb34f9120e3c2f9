/** The nine conditions of a `filter_chain_match`, in the order in which Envoy looks at them. */
import ipaddr from "ipaddr.js";

import { child, children, field, number, text, texts, type Message } from "../../snapshot/message.js";
import {
  cidrOfMessage,
  cidrText,
  contains,
  isEnvoyLoopback,
  isSameIp,
  parseIp,
  type Cidr,
  type Ip,
} from "../address.js";
import { transportProtocolOf, type AcceptedSocket } from "./accepted-socket.js";

export const levels = [
  "destination port",
  "destination address",
  "server name",
  "transport protocol",
  "application protocol",
  "direct source address",
  "source type",
  "source address",
  "source port",
] as const;
export type Level = (typeof levels)[number];

/** The first level that asks for the client's address. */
export const firstSourceLevel: Level = "direct source address";

/**
 * What a chain asks for, as the keys under which it stands at each level; "" is the key of a chain that asks for nothing
 * there. A chain stands once for each combination of its keys.
 */
export type ChainKeys = Readonly<Record<Level, readonly string[]>>;

/** Ranges by their key: `10.0.0.0/8`. */
export type Ranges = ReadonlyMap<string, Cidr>;

const addressLevels = {
  "destination address": "prefix_ranges",
  "direct source address": "direct_source_prefix_ranges",
  "source address": "source_prefix_ranges",
} as const;
export type AddressLevel = keyof typeof addressLevels;
export const isAddressLevel = (level: Level): level is AddressLevel => Object.hasOwn(addressLevels, level);

/** The keys of a chain; its ranges are added to `ranges`. */
export function chainKeys(chain: Message, ranges: Map<string, Cidr>): ChainKeys {
  const match = child(chain, "filter_chain_match");
  const rangesOf = (level: AddressLevel): string[] =>
    children(match, addressLevels[level]).map((message) => {
      const cidr = cidrOfMessage(message);
      if (cidr === null) return text(message, "address_prefix"); // takes nothing, as no range stands behind it
      ranges.set(cidrText(cidr), cidr);
      return cidrText(cidr);
    });
  const port = number(match, "destination_port") ?? 0;
  return {
    "destination port": [port === 0 ? "" : String(port)],
    "destination address": orAny(rangesOf("destination address")),
    "server name": orAny(texts(match, "server_names").map(serverNameKey)),
    "transport protocol": [text(match, "transport_protocol")],
    "application protocol": orAny(texts(match, "application_protocols")),
    "direct source address": orAny(rangesOf("direct source address")),
    "source type": [sourceType(match)],
    "source address": orAny(rangesOf("source address")),
    "source port": orAny(sourcePorts(match)),
  };
}

const orAny = (keys: readonly string[]): readonly string[] => (keys.length === 0 ? [""] : [...new Set(keys)]);

/** `*.example.com` stands as `.example.com`, which a name can be written as, too. */
function serverNameKey(name: string): string {
  const lower = name.toLowerCase();
  return lower.startsWith("*.") ? lower.slice(1) : lower;
}

/** LOCAL is what SAME_IP_OR_LOOPBACK was called first. */
function sourceType(match: Message | undefined): string {
  const value = field(match, "source_type");
  if (value === "SAME_IP_OR_LOOPBACK" || value === "LOCAL" || value === 1) return "SAME_IP_OR_LOOPBACK";
  return value === "EXTERNAL" || value === 2 ? "EXTERNAL" : "";
}

function sourcePorts(match: Message | undefined): string[] {
  const list = field(match, "source_ports");
  return (Array.isArray(list) ? list : []).map((port) => (Number(port) === 0 ? "" : String(port)));
}

/** The keys that a connection may stand under at a level, the one that Envoy looks up first at the beginning. */
export function lookups(level: Exclude<Level, AddressLevel>, socket: AcceptedSocket): readonly string[] {
  switch (level) {
    case "destination port":
      return socket.destination === null ? [""] : [String(socket.destination.port), ""];
    case "server name":
      return serverNameLookups(socket.serverName);
    case "transport protocol":
      return [transportProtocolOf(socket), ""];
    case "application protocol":
      return [...socket.applicationProtocols, ""];
    case "source type":
      return [isLocal(socket) ? "SAME_IP_OR_LOOPBACK" : "EXTERNAL", ""];
    case "source port":
      return typeof socket.source === "object" && socket.source !== null
        ? [String(socket.source.port), ""]
        : [""];
  }
}

/** The name, then its suffixes from the longest; the first dot that counts is at index 1, the last before the end. */
function serverNameLookups(name: string): string[] {
  const found = [name];
  for (let dot = name.indexOf(".", 1); dot > 0 && dot < name.length - 1; dot = name.indexOf(".", dot + 1))
    found.push(name.slice(dot));
  return name === "" ? found : [...found, ""];
}

/** `Utility::isSameIpOrLoopback`. */
function isLocal({ source, destination, isPipe }: AcceptedSocket): boolean {
  if (isPipe) return true;
  if (source === null || source === "unknown") return false;
  return isEnvoyLoopback(source.ip) || (destination !== null && isSameIp(source.ip, destination.ip));
}

/** What Envoy looks up for a peer or a local end that has no IP address. */
const noAddress = ipaddr.parse("255.255.255.255");

/** The address that is looked up at a level. */
export function addressAt(level: AddressLevel, socket: AcceptedSocket): Ip {
  const address =
    level === "destination address"
      ? socket.destination
      : level === "source address"
        ? socket.source
        : socket.directSource;
  return (address === null || address === "unknown" ? null : parseIp(address.ip)) ?? noAddress;
}

/** Whether a chain's key takes the connection, looked at alone. */
export function takes(level: Level, key: string, socket: AcceptedSocket, ranges: Ranges): boolean {
  if (key === "") return true;
  if (!isAddressLevel(level)) return lookups(level, socket).includes(key);
  const range = ranges.get(key);
  return range !== undefined && contains(range, addressAt(level, socket));
}

/** What a key asks for, in words: `server name *.example.com`. */
export function condition(level: Level, key: string): string {
  switch (level) {
    case "destination address":
      return `destination ${key}`;
    case "direct source address":
      return `direct source ${key}`;
    case "source address":
      return `source ${key}`;
    case "server name":
      return `server name ${key.startsWith(".") ? `*${key}` : key}`;
    default:
      return `${level} ${key}`;
  }
}

/** What the connection has at a level, in words. */
export function given(level: Level, socket: AcceptedSocket): string {
  const peer = (address: AcceptedSocket["source"]): string =>
    address === null ? "has no address" : address === "unknown" ? "is not known" : `is ${address.ip}`;
  switch (level) {
    case "destination port":
      return socket.destination === null ? "it has no port" : `it goes to port ${socket.destination.port}`;
    case "destination address":
      return socket.destination === null ? "it goes to no address" : `it goes to ${socket.destination.ip}`;
    case "server name":
      return socket.serverName === "" ? "no server name is known" : `the server name is ${socket.serverName}`;
    case "transport protocol":
      return `the transport is ${transportProtocolOf(socket)}`;
    case "application protocol":
      return socket.applicationProtocols.length === 0
        ? "no application protocol is known"
        : `the application protocols are ${socket.applicationProtocols.join(", ")}`;
    case "direct source address":
      return `the direct source ${peer(socket.directSource)}`;
    case "source type":
      return `the source ${isLocal(socket) ? "is local" : "is not local"}`;
    case "source address":
      return `the source ${peer(socket.source)}`;
    case "source port":
      return typeof socket.source === "object" && socket.source !== null && socket.source.port !== 0
        ? `the source port is ${socket.source.port}`
        : "the source port is not known";
  }
}
