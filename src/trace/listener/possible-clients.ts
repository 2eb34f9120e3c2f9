/**
 * The clients that could be behind a connection whose peer is not known. Chains tell addresses apart by ranges, so one
 * address of each stretch between two ends of ranges stands for all of them.
 */
import ipaddr from "ipaddr.js";

import { cidrOf, familyOf, firstBehind, parseIp, type Cidr, type Ip, type IpFamily } from "../address.js";
import type { AcceptedSocket } from "./accepted-socket.js";
import { type AddressLevel, type Ranges } from "./chain-levels.js";
import type { IndexedChain } from "./chain-search.js";

/** More clients times chains than this are not tried. */
const mostTries = 100_000;

/**
 * The same connection from every client that chains could tell from others.
 * @returns the connection alone where its peer is known; null where there are too many
 */
export function possibleClients(
  socket: AcceptedSocket,
  chains: readonly IndexedChain[],
  ranges: Ranges,
): AcceptedSocket[] | null {
  const { source, directSource } = socket;
  const ports = (address: AcceptedSocket["source"]): readonly number[] =>
    address === "unknown" || address?.port === 0 ? possiblePorts(chains) : [address?.port ?? 0];
  const ips = (address: AcceptedSocket["source"], of: readonly AddressLevel[]): readonly string[] =>
    address === "unknown" ? possibleAddresses(socket, chains, ranges, of) : [address?.ip ?? ""];

  const isOnePeer = source === "unknown" && directSource === "unknown";
  const sourceLevels: readonly AddressLevel[] = isOnePeer
    ? ["source address", "direct source address"]
    : ["source address"];
  const sources = ips(source, sourceLevels);
  const sourcePorts = ports(source);
  const directs = isOnePeer ? [""] : ips(directSource, ["direct source address"]);
  if (sources.length * sourcePorts.length * directs.length * chains.length > mostTries) return null;

  return sources.flatMap((ip) =>
    sourcePorts.flatMap((port) =>
      directs.map((direct): AcceptedSocket => {
        const own = source === null ? null : { ip, port };
        return {
          ...socket,
          source: own,
          directSource: isOnePeer ? own : directSource === null ? null : { ip: direct, port: 0 },
        };
      }),
    ),
  );
}

/** Every port that a chain names, and one that none names. */
function possiblePorts(chains: readonly IndexedChain[]): number[] {
  const named = new Set(chains.flatMap(({ keys }) => keys["source port"]).map(Number));
  let other = 1024; // where the ports of clients begin
  while (named.has(other)) other++;
  return [...named, other].filter((port) => port !== 0);
}

function possibleAddresses(
  { destination }: AcceptedSocket,
  chains: readonly IndexedChain[],
  ranges: Ranges,
  of: readonly AddressLevel[],
): string[] {
  const families: readonly IpFamily[] =
    destination === null ? ["ipv4", "ipv6"] : [familyOfText(destination.ip)];
  const stretches = new Set<string>();
  const add = (range: Cidr | null): void => {
    if (range === null || !families.includes(range.family)) return;
    stretches.add(range.first.toString());
    const behind = firstBehind(range);
    if (behind !== null) stretches.add(behind.toString());
  };
  for (const whole of wholeFamilies) add(whole);
  for (const single of ["127.0.0.1", "::1", destination?.ip ?? ""]) add(singleAddress(parseIp(single)));
  for (const { keys } of chains)
    for (const level of of) for (const key of keys[level]) add(ranges.get(key) ?? null);
  return [...stretches];
}

const familyOfText = (ip: string): IpFamily => (ip.includes(":") ? "ipv6" : "ipv4");
const wholeFamilies: readonly Cidr[] = ["0.0.0.0", "::"].map((first) => cidrOf(ipaddr.parse(first), 0));
const singleAddress = (ip: Ip | null): Cidr | null =>
  ip === null ? null : cidrOf(ip, familyOf(ip) === "ipv4" ? 32 : 128);
