import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";

import { addresses } from "../../src/redact/addresses.js";
import { aSalt } from "./readable-tokens.js";

const all = addresses(aSalt(), "all");
const publicOnly = addresses(aSalt(), "public");

const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((octets) => octets.join("."));
/** Many have a common beginning, and many begin as a special range does. */
const nearIpv4 = fc
  .tuple(
    fc.constantFrom("10", "8", "172.16", "172.17.1", "192.168.4", "240.240", "100.64", "203.0.113"),
    ipv4,
  )
  .map(([start, rest]) => [...start.split("."), ...rest.split(".")].slice(0, 4).join("."));
const anyIpv4 = fc.oneof(ipv4, nearIpv4);
const group = fc.nat(0xffff).map((value) => value.toString(16));
const anyIpv6 = fc
  .tuple(
    fc.constantFrom(
      [],
      ["fd00", "10"],
      ["2a00", "1450"],
      ["fe80"],
      ["0", "0", "0", "0", "0", "ffff"],
      ["64", "ff9b"],
    ),
    fc.array(group, { minLength: 8, maxLength: 8 }),
  )
  .map(([start, rest]) => [...start, ...rest].slice(0, 8).join(":"));

const bits = (address: string): string =>
  ipaddr
    .parse(address)
    .toByteArray()
    .map((byte) => byte.toString(2).padStart(8, "0"))
    .join("");
function commonBits(left: string, right: string): number {
  const [a, b] = [bits(left), bits(right)];
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
const replaced = (address: string, by = all): string => {
  const made = by.replace(address);
  if (made === undefined) throw new Error(`${address} is no address`);
  return made;
};

describe.each([
  ["IPv4", anyIpv4],
  ["IPv6", anyIpv6],
] as const)("%s", (_, any) => {
  it.each([
    ["all", all],
    ["public", publicOnly],
  ] as const)("has as many leading bits in common as before: %s", (_scope, by) => {
    fc.assert(
      fc.property(any, any, (left, right) => {
        expect(commonBits(replaced(left, by), replaced(right, by))).toBe(commonBits(left, right));
      }),
      { numRuns: 500 },
    );
  });

  it("stays in the range that it is in", () => {
    fc.assert(
      fc.property(any, fc.nat(128), (address, wanted) => {
        const parsed = ipaddr.parse(address);
        const length = Math.min(wanted, bits(address).length);
        const base = networkOf(address, length);
        const [range, rangeLength] = ipaddr.parseCIDR(replaced(`${base}/${length}`));
        expect(rangeLength).toBe(length);
        expect(ipaddr.parse(replaced(parsed.toString())).match([range, length] as never)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("is private or public as before", () => {
    fc.assert(
      fc.property(any, (address) => {
        expect(meaningOf(replaced(address))).toBe(meaningOf(address));
      }),
      { numRuns: 500 },
    );
  });
});

/** Of the ranges whose boundaries stay; all the others are routed. */
function meaningOf(address: string): string {
  const kinds = ["private", "uniqueLocal", "carrierGradeNat", "loopback", "linkLocal", "multicast"];
  const kind = ipaddr.parse(address).range();
  return kinds.includes(kind) ? kind : "routed";
}

function networkOf(address: string, length: number): string {
  const bytes = ipaddr.parse(address).toByteArray();
  const masked = bytes.map((byte, index) => byte & ~(0xff >> Math.min(8, Math.max(0, length - index * 8))));
  return ipaddr.fromByteArray(masked).toString();
}

describe("ranges with a meaning", () => {
  it.each([
    ["0.0.0.0/8"],
    ["127.0.0.0/8"],
    ["169.254.0.0/16"],
    ["224.0.0.0/4"],
    ["240.240.0.0/16"],
    ["255.255.255.255/32"],
  ])("%s stays, each address of it", (cidr) => {
    const [base, length] = ipaddr.parseCIDR(cidr);
    fc.assert(
      fc.property(ipv4, (random) => {
        const bytes = ipaddr.parse(random).toByteArray();
        const inside = base
          .toByteArray()
          .map(
            (byte, index) =>
              byte | ((bytes[index] ?? 0) & (0xff >> Math.min(8, Math.max(0, length - index * 8)))),
          );
        expect(replaced(inside.join("."))).toBe(inside.join("."));
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    "::",
    "::1",
    "::6",
    "fe80::1",
    "ff02::fb",
    "2001:2::f0f0:1",
    "::/0",
    "0.0.0.0/0",
    "::ffff:127.0.0.1",
  ])("%s stays", (address) => {
    expect(replaced(address)).toBe(address);
  });

  it.each(["10.1.2.3", "172.16.5.4", "192.168.7.9", "100.64.3.2", "fd00:10::a", "8.8.4.4", "2a00:1450::7"])(
    "%s does not",
    (address) => {
      expect(replaced(address)).not.toBe(address);
    },
  );

  it.each(["10.1.2.3", "172.16.5.4", "192.168.7.9", "100.64.3.2", "fd00:10::a", "240.1.2.3", "10.1.0.0/16"])(
    "%s is private and stays where public addresses only are replaced",
    (address) => {
      expect(replaced(address, publicOnly)).toBe(address);
      expect(replaced("8.8.4.4", publicOnly)).toBe(replaced("8.8.4.4"));
    },
  );
});

describe("an address", () => {
  it("is no other's", () => {
    const sample = Array.from({ length: 4096 }, (_, index) => `10.${index >> 8}.0.${index & 255}`);
    expect(new Set(sample.map((address) => replaced(address))).size).toBe(sample.length);
  });

  it("is the same as IPv4 and inside IPv6", () => {
    const v4 = replaced("10.1.2.3");
    expect(replaced("::ffff:10.1.2.3")).toBe(`::ffff:${v4}`);
    expect(replaced("64:ff9b::10.1.2.3")).toBe(`64:ff9b::${v4}`);
    expect(bits(replaced("::ffff:a01:203"))).toBe(bits(`::ffff:${v4}`));
  });

  it.each([
    ["fd00:10::A", /^[0-9A-F:]+$/],
    ["fd00:0010:0000:0000:0000:0000:0000:000a", /^(?:[0-9a-f]{4}:){7}[0-9a-f]{4}$/],
    ["fd00:10:0:0:0:0:0:a", /^(?:(?:0|[1-9a-f][0-9a-f]{0,3}):){7}(?:0|[1-9a-f][0-9a-f]{0,3})$/],
    ["010.001.002.003", /^\d+\.\d+\.\d+\.\d+$/],
  ])("is written as before: %s", (address, style) => {
    expect(replaced(address)).toMatch(style);
    expect(replaced(address)).not.toBe(address);
  });

  it("keeps bits behind a range's length that were 0, and only those", () => {
    expect(replaced("10.1.0.0/16")).toMatch(/^10\.\d+\.0\.0\/16$/);
    expect(replaced("fd00:10::/32")).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]{1,4}::\/32$/);
    expect(replaced("10.1.2.3/16")).toBe(`${replaced("10.1.2.3")}/16`);
  });

  it.each([
    "",
    "10.1.2",
    "10.1.2.256",
    "10.1.2.3.4",
    "10.1.2.3/33",
    "10.1.2.3/x",
    "fd00::1::2",
    "reviews",
    "fe80::1%eth0",
    "1",
    "08:46:11",
  ])("is not %j", (text) => {
    expect(all.replace(text)).toBeUndefined();
  });

  it("is another under another salt", () => {
    expect(addresses(aSalt(8), "all").replace("10.1.2.3")).not.toBe(replaced("10.1.2.3"));
    expect(addresses(aSalt(), "all").replace("10.1.2.3")).toBe(replaced("10.1.2.3"));
  });
});
