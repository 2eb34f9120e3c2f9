import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { clientAddress, isInternalAddress } from "../../../src/trace/http/client-address.js";
import { headerValue, unknownValue, type Connection, type HeaderList } from "../../../src/trace/request.js";
import { aContext, noRuntime, runtimeOf } from "../cluster/builders.js";

const { connection } = aContext(); // from 10.2.0.1
const forwarded = (...values: readonly string[]): HeaderList =>
  values.map((value) => ["x-forwarded-for", value] as const);

/** Address, whether it may be internal, and what x-forwarded-for becomes. */
const found = (manager: Message, headers: HeaderList, from: Partial<Connection> = {}): unknown[] => {
  const {
    address,
    mayBeInternal,
    headers: after,
  } = clientAddress(headers, manager, { ...connection, ...from });
  const ip = address === null || address === "unknown" ? address : address.ip;
  return [ip, mayBeInternal, headerValue(after, "x-forwarded-for") ?? null];
};

describe("with use_remote_address", () => {
  const peer = { use_remote_address: true };
  const hop = { ...peer, xff_num_trusted_hops: 1 };

  it.each([
    [peer, [], ["10.2.0.1", true, "10.2.0.1"]],
    [peer, ["9.9.9.9"], ["10.2.0.1", false, "9.9.9.9,10.2.0.1"]],
    [{ ...peer, skip_xff_append: true }, ["9.9.9.9"], ["10.2.0.1", false, "9.9.9.9"]],
    [hop, ["10.1.1.1"], ["10.1.1.1", false, "10.1.1.1,10.2.0.1"]],
    [hop, ["9.9.9.9, 10.1.1.1"], ["10.1.1.1", false, "9.9.9.9, 10.1.1.1,10.2.0.1"]],
    [hop, ["bad"], ["10.2.0.1", false, "bad,10.2.0.1"]],
    [hop, [], ["10.2.0.1", true, "10.2.0.1"]],
    [
      { ...peer, xff_num_trusted_hops: 2 },
      ["9.9.9.9, 10.1.1.1"],
      ["9.9.9.9", false, "9.9.9.9, 10.1.1.1,10.2.0.1"],
    ],
  ])("%j, x-forwarded-for %j", (manager, values, expected) => {
    expect(found(manager, forwarded(...values))).toEqual(expected);
  });

  it("puts Envoy's own address in the place of a loopback peer, which no snapshot has", () => {
    const source = { ip: "127.0.0.1", port: 1 };
    expect(found(peer, [], { source })).toEqual(["127.0.0.1", true, unknownValue]);
    expect(clientAddress([], peer, { ...connection, source }).assumptions).toHaveLength(1);
    expect(clientAddress([], peer, connection).assumptions).toEqual([]);
    expect(found(peer, [], { source: "unknown" })).toEqual(["unknown", true, unknownValue]);
    expect(found(peer, [], { source: null })).toEqual([null, true, null]);
  });
});

describe("without it", () => {
  const hops = (xff_num_trusted_hops: number) => ({ xff_num_trusted_hops });

  it.each([
    [{}, [], ["10.2.0.1", false, null]],
    [{}, ["10.1.1.1"], ["10.1.1.1", true, "10.1.1.1"]],
    [{}, ["10.1.1.1, 10.1.1.2"], ["10.1.1.2", false, "10.1.1.1, 10.1.1.2"]],
    [{}, ["10.1.1.1", "10.1.1.2"], ["10.1.1.2", false, "10.1.1.1,10.1.1.2"]],
    [{}, ["10.1.1.1,"], ["10.2.0.1", false, "10.1.1.1,"]],
    [{}, [","], ["10.2.0.1", false, ","]],
    [{}, ["[::1]"], ["10.2.0.1", false, "[::1]"]],
    [{}, ["10.1.1.1:80"], ["10.2.0.1", false, "10.1.1.1:80"]],
    [{}, ["::1"], ["::1", true, "::1"]],
    [hops(1), ["10.1.1.1, 10.1.1.2"], ["10.1.1.1", false, "10.1.1.1, 10.1.1.2"]],
    [hops(1), ["10.1.1.1"], ["10.2.0.1", false, "10.1.1.1"]],
  ])("%j, x-forwarded-for %j", (manager, values, expected) => {
    expect(found(manager, forwarded(...values))).toEqual(expected);
  });
});

describe("original IP detection", () => {
  const extension = (type: string, fields: Message) => ({
    name: "x",
    typed_config: { "@type": `x/envoy.extensions.http.original_ip_detection.${type}`, ...fields },
  });
  const using = (...extensions: readonly Message[]): Message => ({
    original_ip_detection_extensions: extensions,
  });
  const xff = (fields: Message = {}) => extension("xff.v3.XffConfig", fields);
  const custom = (fields: Message = {}) =>
    extension("custom_header.v3.CustomHeaderConfig", { header_name: "X-Ip", ...fields });
  const trusted = xff({ xff_trusted_cidrs: { cidrs: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] } });

  it.each([
    [["9.9.9.9, 10.1.1.1"], ["9.9.9.9", false, "9.9.9.9, 10.1.1.1"]],
    [["10.2.2.2, 10.1.1.1"], ["10.2.2.2", false, "10.2.2.2, 10.1.1.1"]],
    [["10.2.2.2"], ["10.2.2.2", true, "10.2.2.2"]],
    [["9.9.9.9, bad, 10.1.1.1"], ["10.2.0.1", false, "9.9.9.9, bad, 10.1.1.1"]],
    [["10.3.3.3,,10.1.1.1"], ["10.2.0.1", false, "10.3.3.3,,10.1.1.1"]],
    [[], ["10.2.0.1", false, null]],
  ])("passes over trusted proxies: %j", (values, expected) => {
    expect(found(using(trusted), forwarded(...values))).toEqual(expected);
  });

  it("believes none of it where the peer is not trusted", () => {
    const source = { ip: "8.8.8.8", port: 1 };
    expect(found(using(trusted), forwarded("9.9.9.9"), { source })).toEqual([
      "8.8.8.8",
      false,
      "9.9.9.9,8.8.8.8",
    ]);
    const unclear = clientAddress([], using(trusted), { ...connection, source: "unknown" });
    expect(unclear).toMatchObject({ address: "unknown", unknowns: [{ reason: "client address" }] });
  });

  it("may append the peer", () => {
    expect(found(using(xff({ skip_xff_append: false })), forwarded("10.1.1.1"))).toEqual([
      "10.1.1.1",
      true,
      "10.1.1.1,10.2.0.1",
    ]);
    expect(found(using(xff({ skip_xff_append: true })), forwarded("10.1.1.1"))[2]).toBe("10.1.1.1");
  });

  it("may go by the first line of another header", () => {
    const two: HeaderList = [
      ["x-ip", "10.1.1.1"],
      ["x-ip", "10.1.1.2"],
    ];
    expect(found(using(custom()), two)).toEqual(["10.1.1.1", false, null]);
    const believing = custom({ allow_extension_to_set_address_as_trusted: true });
    expect(found(using(believing), two)).toEqual(["10.1.1.1", true, null]);
    expect(found(using(custom(), xff()), forwarded("10.1.1.1"))).toEqual(["10.1.1.1", true, "10.1.1.1"]);
  });

  it("may refuse the request", () => {
    const rejects = (headers: HeaderList, status: Message | undefined): number | null =>
      clientAddress(
        headers,
        using(custom(status === undefined ? {} : { reject_with_status: status })),
        connection,
      ).rejectedWith;
    expect(rejects([], { code: 401 })).toBe(401);
    expect(rejects([["x-ip", "bad"]], {})).toBe(403);
    expect(rejects([["x-ip", "bad"]], undefined)).toBeNull();
    expect(rejects([["x-ip", "10.1.1.1"]], { code: 401 })).toBeNull();
  });

  it("of another type is not evaluated", () => {
    expect(clientAddress([], using(extension("other.v3.X", {})), connection)).toMatchObject({
      address: "unknown",
      unknowns: [{ reason: "client address" }],
    });
  });
});

describe("an internal address", () => {
  const internal = (ip: string, manager: Message = {}, envoy = 36, runtime = noRuntime): boolean =>
    isInternalAddress({ ip, port: 0 }, manager, runtime, envoy);
  const ranges = {
    internal_address_config: { cidr_ranges: [{ address_prefix: "172.30.0.0", prefix_len: 16 }] },
  };

  it("is one that is configured", () => {
    expect(internal("172.30.1.1", ranges)).toBe(true);
    expect(internal("10.0.0.1", ranges)).toBe(false);
  });

  it("is none without a configuration since 1.33, and a private one before", () => {
    for (const ip of [
      "10.0.0.1",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.1.1",
      "127.0.0.1",
      "::1",
      "fd00::1",
    ]) {
      expect([internal(ip, {}, 36), internal(ip, {}, 33), internal(ip, {}, 32)]).toEqual([
        false,
        false,
        true,
      ]);
    }
    for (const ip of ["172.32.0.1", "8.8.8.8", "127.0.0.2", "fc00::1", "not an address"])
      expect(internal(ip, {}, 32)).toBe(false);
  });

  it("is a private one where the configuration has no ranges", () => {
    expect(internal("10.0.0.1", { internal_address_config: { unix_sockets: true } })).toBe(true);
    expect(internal("8.8.8.8", { internal_address_config: {} })).toBe(false);
  });

  it("goes by its guard while there was one", () => {
    const guard = (value: string) =>
      runtimeOf({ "envoy.reloadable_features.explicit_internal_address_config": value });
    expect(internal("10.0.0.1", {}, 31, guard("true"))).toBe(false);
    expect(internal("10.0.0.1", {}, 34, guard("false"))).toBe(true);
    expect(internal("10.0.0.1", {}, 36, guard("false"))).toBe(false);
  });
});
