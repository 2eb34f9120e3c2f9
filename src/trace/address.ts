/** IP addresses and ranges as Envoy takes them: `inet_pton`'s spellings only, IPv4 never equal to an IPv6 form of itself. */
import ipaddr from "ipaddr.js";

import { child, number, text, type Message } from "../snapshot/message.js";
import type { SocketAddress } from "./request.js";

export type Ip = ipaddr.IPv4 | ipaddr.IPv6;
export type IpFamily = "ipv4" | "ipv6";

/** The longest that an IPv6 address can be written, `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`. */
const longestAddress = 45;

/** An address without brackets, port, zone or range; null for any other text. */
export function parseIp(value: string): Ip | null {
  if (value.length > longestAddress) return null;
  if (value.includes(":")) {
    if (value.includes("%") || !ipaddr.IPv6.isValid(value)) return null;
    return ipaddr.IPv6.parse(value);
  }
  // 010.1.1.1 and 10.1 are addresses for some libraries, not for Envoy
  if (!ipaddr.IPv4.isValidFourPartDecimal(value) || /(?:^|\.)0\d/.test(value)) return null;
  return ipaddr.IPv4.parse(value);
}

export const familyOf = (ip: Ip): IpFamily => ip.kind();

/** One spelling for every address, so that texts can be compared; as it is where it is no address. */
export function canonicalIp(value: string): string {
  return parseIp(value)?.toString() ?? value;
}

/** Whether two texts name one address. */
export const isSameIp = (a: string, b: string): boolean => canonicalIp(a) === canonicalIp(b);

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function socketText({ ip, port }: SocketAddress): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** `10.0.0.1:80` or `[fd00::1]:80`; null for any other text. */
export function parseSocketAddress(value: string): SocketAddress | null {
  const colon = value.lastIndexOf(":");
  const port = parsePort(value.slice(colon + 1));
  const host = value.slice(0, Math.max(colon, 0));
  const isBracketed = host.startsWith("[") && host.endsWith("]");
  const ip = parseIp(isBracketed ? host.slice(1, -1) : host);
  if (ip === null || port === null || isBracketed !== (familyOf(ip) === "ipv6")) return null;
  return { ip: ip.toString(), port };
}

/** A decimal number of 0 to 65535; null for any other text. */
export function parsePort(value: string): number | null {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : NaN;
  return port <= 65535 ? port : null;
}

/** The whole of 127.0.0.0/8, and ::1: what the kernel keeps inside of a network namespace. */
export function isLoopback(value: string): boolean {
  return parseIp(value)?.range() === "loopback";
}

/** What Envoy calls a loopback address: these two only (`Utility::isLoopbackAddress`). */
export function isEnvoyLoopback(value: string): boolean {
  const canonical = canonicalIp(value);
  return canonical === "127.0.0.1" || canonical === "::1";
}

/** A range: every address of its family whose first `length` bits are those of `first`. */
export interface Cidr {
  readonly family: IpFamily;
  /** Its lowest address, host bits masked off. */
  readonly first: Ip;
  readonly length: number;
}

const bitsOf = (family: IpFamily): number => (family === "ipv4" ? 32 : 128);

/** Host bits are masked off, and a length beyond the family's is the family's (`CidrRange::create`). */
export function cidrOf(ip: Ip, length: number): Cidr {
  const family = familyOf(ip);
  const bits = Math.min(length, bitsOf(family));
  const range = `${ip.toString()}/${bits}`;
  const first =
    family === "ipv4" ? ipaddr.IPv4.networkAddressFromCIDR(range) : ipaddr.IPv6.networkAddressFromCIDR(range);
  return { family, first, length: bits };
}

/** `envoy.config.core.v3.CidrRange`: an absent length is 0, the whole family; null where the address is none. */
export function cidrOfMessage(range: Message): Cidr | null {
  const ip = parseIp(text(range, "address_prefix"));
  const length = number(range, "prefix_len") ?? number(child(range, "prefix_len"), "value") ?? 0;
  return ip === null || !Number.isInteger(length) || length < 0 ? null : cidrOf(ip, length);
}

/** `10.0.0.0/8`; an address alone is a range of itself. null for any other text. */
export function parseCidr(value: string): Cidr | null {
  const [address = "", length, ...rest] = value.split("/", 3);
  const ip = parseIp(address);
  if (ip === null || rest.length > 0) return null;
  if (length === undefined) return cidrOf(ip, bitsOf(familyOf(ip)));
  return /^\d{1,3}$/.test(length) && Number(length) <= bitsOf(familyOf(ip))
    ? cidrOf(ip, Number(length))
    : null;
}

export const cidrText = ({ first, length }: Cidr): string => `${first.toString()}/${length}`;

/** An IPv4 address is in IPv4 ranges only. */
export function contains(cidr: Cidr, ip: Ip): boolean {
  if (familyOf(ip) !== cidr.family) return false;
  return cidr.length === 0 || ip.match(cidr.first, cidr.length);
}

/** The first address behind a range; null where the range reaches the end of its family. */
export function firstBehind(cidr: Cidr): Ip | null {
  const bytes = cidr.first.toByteArray();
  let at = Math.ceil(cidr.length / 8) - 1;
  let carry = cidr.length === 0 ? 256 : 1 << ((8 - (cidr.length % 8)) % 8);
  for (; at >= 0 && carry > 0; at--) {
    const sum = (bytes[at] ?? 0) + carry;
    bytes[at] = sum & 0xff;
    carry = sum >> 8;
  }
  return carry > 0 ? null : ipaddr.fromByteArray(bytes);
}
