import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  canonicalIp,
  cidrOfMessage,
  cidrText,
  contains,
  firstBehind,
  isEnvoyLoopback,
  isLoopback,
  isSameIp,
  parseCidr,
  parseIp,
  parsePort,
  parseSocketAddress,
  socketText,
  type Cidr,
} from "../../src/trace/address.js";

const cidr = (value: string): Cidr => parseCidr(value)!;

describe("an address", () => {
  it.each(["10.0.0.1", "255.255.255.255", "0.0.0.0", "::", "fd00::1", "::ffff:10.0.0.1"])(
    "%s is one",
    (value) => {
      expect(parseIp(value)).not.toBeNull();
    },
  );

  it.each([
    ...[
      "",
      "10.0.0",
      "10.1",
      "0x7f.0.0.1",
      "010.0.0.1",
      "10.0.0.256",
      "1.2.3.4.5",
      "10.0.0.1:80",
      "10.0.0.0/8",
    ],
    ...["[::1]", "fe80::1%eth0", ":", "reviews", "1::2::3", "1".repeat(1000)],
  ])("%s is none", (value) => {
    expect(parseIp(value)).toBeNull();
  });

  it("is compared by value, and IPv4 is not its IPv6 form", () => {
    expect(isSameIp("fd00:0::0:1", "FD00::1")).toBe(true);
    expect(isSameIp("::ffff:10.0.0.1", "10.0.0.1")).toBe(false);
    expect(isSameIp("10.0.0.1", "10.0.0.2")).toBe(false);
    expect(canonicalIp("reviews")).toBe("reviews");
  });

  it("is loopback for the kernel in more cases than for Envoy", () => {
    expect(["127.0.0.1", "127.0.0.2", "::1", "10.0.0.1", "::2"].map(isLoopback)).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(["127.0.0.1", "127.0.0.2", "::1", "0:0::1"].map(isEnvoyLoopback)).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });
});

describe("an address with its port", () => {
  it.each(["10.0.0.1:80", "[fd00::1]:8080", "0.0.0.0:0"])("%s is read and written", (value) => {
    expect(socketText(parseSocketAddress(value)!)).toBe(value);
  });

  it.each([
    "10.0.0.1",
    ":80",
    "fd00::1:80",
    "[10.0.0.1]:80",
    "[fd00::1]",
    "10.0.0.1:65536",
    "a:80",
    "10.0.0.1:",
    "",
  ])("%s is none", (value) => {
    expect(parseSocketAddress(value)).toBeNull();
  });

  it("has a port of 0 to 65535", () => {
    expect(["0", "65535", "65536", "-1", "1e3", "080", ""].map(parsePort)).toEqual([
      0,
      65535,
      null,
      null,
      null,
      80,
      null,
    ]);
  });
});

describe("a range", () => {
  it("has no host bits", () => {
    expect(cidrText(cidr("10.1.2.3/16"))).toBe("10.1.0.0/16");
    expect(contains(cidr("10.1.2.3/16"), parseIp("10.1.200.1")!)).toBe(true);
    expect(contains(cidr("10.1.2.3/16"), parseIp("10.2.0.1")!)).toBe(false);
  });

  it("holds addresses of its family only", () => {
    expect(contains(cidr("0.0.0.0/0"), parseIp("::1")!)).toBe(false);
    expect(contains(cidr("::/0"), parseIp("10.0.0.1")!)).toBe(false);
    expect(contains(cidr("::/0"), parseIp("::ffff:10.0.0.1")!)).toBe(true);
  });

  it("of a message is the whole family where it has no length, and never longer than the family", () => {
    const text = (message: object): string | null => {
      const range = cidrOfMessage(message as Record<string, unknown>);
      return range === null ? null : cidrText(range);
    };
    expect(text({ address_prefix: "10.1.2.3" })).toBe("0.0.0.0/0");
    expect(text({ address_prefix: "10.1.2.3", prefix_len: 8 })).toBe("10.0.0.0/8");
    expect(text({ address_prefix: "10.1.2.3", prefix_len: 99 })).toBe("10.1.2.3/32");
    expect(text({ address_prefix: "fd00::1", prefix_len: { value: 64 } })).toBe("fd00::/64");
    expect(text({ address_prefix: "reviews", prefix_len: 8 })).toBeNull();
    expect(text({ address_prefix: "10.1.2.3", prefix_len: -1 })).toBeNull();
  });

  it.each(["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/-1", "x/8", "*"])("%s is none", (value) => {
    expect(parseCidr(value)).toBeNull();
  });

  it.each([
    ["10.0.0.0/8", "11.0.0.0"],
    ["10.0.0.0/9", "10.128.0.0"],
    ["10.0.255.255/32", "10.1.0.0"],
    ["0.0.0.0/0", null],
    ["255.255.255.255/32", null],
    ["128.0.0.0/1", null],
    ["fd00::/64", "fd00:0:0:1::"],
  ])("%s ends before %s", (range, next) => {
    expect(firstBehind(cidr(range))?.toString() ?? null).toBe(next);
  });

  it("ends right behind its last address", () => {
    const bytes = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((list) => [...list].join("."));
    fc.assert(
      fc.property(bytes, fc.integer({ min: 0, max: 32 }), (address, length) => {
        const range = cidr(`${address}/${length}`);
        const behind = firstBehind(range);
        const size = 2 ** (32 - length);
        const value = range.first.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0);
        const expected = value + size;
        const actual = behind?.toByteArray().reduce((sum, byte) => sum * 256 + byte, 0) ?? 2 ** 32;
        expect(actual).toBe(expected);
        if (behind !== null) expect(contains(range, behind)).toBe(false);
      }),
    );
  });
});
