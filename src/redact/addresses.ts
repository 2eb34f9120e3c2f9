/**
 * Replaces IP addresses so that two addresses have as many leading bits in common afterwards as before (as Crypto-PAn
 * does, Xu et al. 2002): ranges and subnets still match. Each bit is turned over or not, as a keyed function of the
 * bits before it says. Where a bit leads into a range with a meaning of its own it is left, so that private stays private,
 * loopback stays loopback, and nothing else becomes either.
 */
import { createCipheriv, createHmac } from "node:crypto";

import ipaddr from "ipaddr.js";

export interface Addresses {
  /**
   * An address (`10.1.2.3`, `fd00::1`) or a range (`10.1.0.0/16`) in the same way of writing; undefined when the text
   * is neither. The length of a range stays, and bits behind it that were 0 stay 0.
   */
  replace(text: string): string | undefined;
}

/** `public`: private addresses stay as they are, as everything does that is not routed in the internet. */
export type AddressScope = "public" | "all";

/** What happens below the prefix: nothing, private use (kept by the scope `public`), or an IPv4 address follows. */
type Meaning = "kept" | "private" | "IPv4";

interface SpecialRange {
  readonly prefix: readonly number[];
  readonly length: number;
  readonly meaning: Meaning;
}

const ranges = (meaning: Meaning, cidrs: readonly string[]): SpecialRange[] =>
  cidrs.map((cidr) => {
    const [address, length] = ipaddr.parseCIDR(cidr);
    return { prefix: address.toByteArray(), length, meaning };
  });

/** By bytes of the address: 4 or 16. 240.240.0.0/16 and 2001:2::/48 are what Istio gives to services without an address. */
const special: Readonly<Record<4 | 16, readonly SpecialRange[]>> = {
  4: [
    ...ranges("kept", ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.240.0.0/16"]),
    ...ranges("kept", ["255.255.255.255/32"]),
    ...ranges("private", ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"]),
    ...ranges("private", ["198.18.0.0/15", "240.0.0.0/4"]),
  ],
  16: [
    ...ranges("kept", ["fe80::/10", "ff00::/8", "2001:2::/48"]),
    ...ranges("private", ["fc00::/7", "fd00::/8"]),
    ...ranges("IPv4", ["::/96", "::ffff:0:0/96", "64:ff9b::/96"]),
  ],
};

export function addresses(salt: Uint8Array, scope: AddressScope): Addresses {
  const flips = { 4: bitFlips(salt, 4), 16: bitFlips(salt, 16) };
  const replaced = new Map<string, string>();

  const replaceBytes = (bytes: readonly number[]): readonly number[] => {
    const size = bytes.length === 4 ? 4 : 16;
    let firstFree = 0;
    for (const { prefix, length, meaning } of special[size]) {
      const shared = sharedBits(bytes, prefix);
      const isInside = shared >= length;
      if (isInside && keepsInside(meaning, scope)) return bytes;
      if (isInside && meaning === "IPv4") return [...bytes.slice(0, 12), ...replaceBytes(bytes.slice(12))];
      // a bit may be turned over where the bits before it do not lead into a range
      firstFree = Math.max(firstFree, Math.min(shared, length - 1) + 1);
    }
    return turned(bytes, flips[size](bytes), firstFree);
  };

  return {
    replace(text) {
      const known = replaced.get(text);
      if (known !== undefined) return known;
      const parsed = parse(text);
      if (parsed === undefined) return undefined;
      const { bytes, length } = parsed;
      const isRange = length !== undefined && bitsBehind(bytes, length).every((byte) => byte === 0);
      const result = replaceBytes(bytes);
      const bits = isRange ? masked(result, length) : result;
      const made = bits.every((byte, index) => byte === bytes[index]) ? text : print(bits, text);
      if (replaced.size >= mostRemembered) replaced.clear();
      replaced.set(text, made);
      return made;
    },
  };
}

const mostRemembered = 200_000;

const keepsInside = (meaning: Meaning, scope: AddressScope): boolean =>
  meaning === "kept" || (meaning === "private" && scope === "public");

/**
 * For each bit of an address, in the highest bit of 16 bytes: whether it is turned over. They are AES of the bits before
 * it, ended by a 1 so that no two of them are the same block.
 */
function bitFlips(salt: Uint8Array, size: 4 | 16): (bytes: readonly number[]) => Uint8Array {
  const key = createHmac("sha256", salt).update(`address\0${size}`).digest();
  const cipher = createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
  return (bytes) => {
    const blocks = new Uint8Array(size * 8 * 16);
    for (let bit = 0; bit < size * 8; bit += 1) {
      const whole = bit >> 3;
      for (let index = 0; index < whole; index += 1) blocks[bit * 16 + index] = bytes[index] ?? 0;
      blocks[bit * 16 + whole] = ((bytes[whole] ?? 0) & ~(0xff >> (bit & 7))) | (0x80 >> (bit & 7));
    }
    return cipher.update(blocks);
  };
}

function turned(bytes: readonly number[], flips: Uint8Array, firstFree: number): number[] {
  const result = [...bytes];
  for (let bit = firstFree; bit < bytes.length * 8; bit += 1) {
    if ((flips[bit * 16] ?? 0) >= 0x80) {
      result[bit >> 3] = (result[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
    }
  }
  return result;
}

/** Leading bits that both have in common. */
function sharedBits(left: readonly number[], right: readonly number[]): number {
  const end = Math.min(left.length, right.length);
  for (let index = 0; index < end; index += 1) {
    const difference = (left[index] ?? 0) ^ (right[index] ?? 0);
    if (difference !== 0) return index * 8 + Math.clz32(difference) - 24;
  }
  return end * 8;
}

const bitsBehind = (bytes: readonly number[], length: number): number[] =>
  bytes.map((byte, index) => byte & (0xff >> Math.min(8, Math.max(0, length - index * 8))));

const masked = (bytes: readonly number[], length: number): number[] =>
  bytes.map((byte, index) => byte & ~(0xff >> Math.min(8, Math.max(0, length - index * 8))));

interface Parsed {
  readonly bytes: readonly number[];
  /** Of a range. */
  readonly length?: number;
}

/** Octets as people write them; `ipaddr.js` takes a leading zero for octal, which no dump means. */
const dotted = /^\d{1,3}(?:\.\d{1,3}){3}$/;

function parse(text: string): Parsed | undefined {
  const slash = text.indexOf("/");
  const address = slash < 0 ? text : text.slice(0, slash);
  const bytes = bytesOf(address);
  if (bytes === undefined) return undefined;
  if (slash < 0) return { bytes };
  const length = Number(text.slice(slash + 1));
  return Number.isInteger(length) && length <= bytes.length * 8 ? { bytes, length } : undefined;
}

function bytesOf(address: string): readonly number[] | undefined {
  if (dotted.test(address)) {
    const octets = address.split(".").map(Number);
    return octets.every((octet) => octet <= 255) ? octets : undefined;
  }
  return address.includes(":") && !address.includes("%") && ipaddr.IPv6.isValid(address)
    ? ipaddr.IPv6.parse(address).toByteArray()
    : undefined;
}

/** As the original was written: compressed or not, padded or not, capitals or not, with an IPv4 address at its end or not. */
function print(bytes: readonly number[], original: string): string {
  const slash = original.indexOf("/");
  const [address, length] = slash < 0 ? [original, ""] : [original.slice(0, slash), original.slice(slash)];
  if (bytes.length === 4) return bytes.join(".") + length;
  if (address.includes(".") && hasIPv4Tail(bytes)) {
    return `${address.slice(0, address.lastIndexOf(":") + 1)}${bytes.slice(12).join(".")}${length}`;
  }
  const parsed = new ipaddr.IPv6([...bytes]);
  const printed = address.includes("::") ? parsed.toString() : allGroups(parsed, isPadded(address));
  return (/[A-F]/.test(address) ? printed.toUpperCase() : printed) + length;
}

const isPadded = (address: string): boolean => /(?:^|:)0[0-9a-f]{3}/i.test(address);

const allGroups = (address: ipaddr.IPv6, padded: boolean): string =>
  address.parts.map((part) => part.toString(16).padStart(padded ? 4 : 1, "0")).join(":");

const hasIPv4Tail = (bytes: readonly number[]): boolean =>
  special[16].some(
    ({ meaning, prefix, length }) => meaning === "IPv4" && sharedBits(bytes, prefix) >= length,
  );
