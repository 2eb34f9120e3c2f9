import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { AcceptedSocket } from "../../../src/trace/listener/accepted-socket.js";
import { tcpRoute, type TcpRoute } from "../../../src/trace/network/tcp-proxy.js";
import { aSocket } from "../listener/builders.js";

const weights = (given: Readonly<Record<string, number>>): Message => ({
  weighted_clusters: { clusters: Object.entries(given).map(([name, weight]) => ({ name, weight })) },
});

const route = (
  proxy: Message,
  socket: Partial<AcceptedSocket> = {},
  random: bigint | null = null,
): TcpRoute =>
  tcpRoute(proxy, aSocket(socket), {
    headers: [],
    connection: { destination: null, source: null, directSource: null, tls: null, protocol: "other" },
    downstreamRemote: null,
    dynamicMetadata: new Map(),
    filterState: new Map(),
    isComplete: true,
    route: null,
    runtime: { value: () => undefined },
    random,
    envoy: 36,
  });
const shares = ({ clusters }: TcpRoute): unknown =>
  Object.fromEntries(clusters.map(({ name, share }) => [name, share]));
const preselected = { filterState: new Map([["envoy.tcp_proxy.cluster", "chosen"]]) };

describe("the cluster", () => {
  it("is the configured one, before weights", () => {
    expect(shares(route({ cluster: "a" }))).toEqual({ a: 1 });
    expect(route({ cluster: "a", ...weights({ b: 1 }) })).toMatchObject({
      clusters: [{ name: "a" }],
      weightedClusters: [],
    });
  });

  it("is the one that a filter chose, but never against weights", () => {
    expect(shares(route({ cluster: "a" }, preselected))).toEqual({ chosen: 1 });
    expect(shares(route(weights({ a: 1, b: 3 }), preselected))).toEqual({ a: 0.25, b: 0.75 });
  });

  it.each([
    [0n, "b"],
    [1n, "c"],
    [9n, "c"],
    [10n, "b"],
    [18446744073709551615n, "c"],
  ])("for the random number %d of weights 0/1/9 is %s", (random, name) => {
    expect(shares(route(weights({ a: 0, b: 1, c: 9 }), {}, random))).toEqual({ [name]: 1 });
  });

  it("is any with a weight, where the number is not known", () => {
    const result = route(weights({ a: 0, b: 1, c: 9 }));
    expect(shares(result)).toEqual({ b: 0.1, c: 0.9 });
    expect(result.weightedClusters.map(({ name, weight, share }) => [name, weight, share])).toEqual([
      ["a", 0, 0],
      ["b", 1, 0.1],
      ["c", 9, 0.9],
    ]);
  });

  it("has the criteria of the proxy, with those of its entry over them", () => {
    const lb = (criteria: Message): Message => ({
      metadata_match: { filter_metadata: { "envoy.lb": criteria } },
    });
    expect(route({ cluster: "a" }).clusters[0]?.metadataMatch).toBeNull();
    expect(route({ cluster: "a", ...lb({ x: "1" }) }).clusters[0]?.metadataMatch).toEqual({ x: "1" });
    const proxy = {
      ...lb({ x: "1", y: "1" }),
      weighted_clusters: { clusters: [{ name: "a", weight: 1, ...lb({ y: "2" }) }] },
    };
    expect(route(proxy).clusters[0]?.metadataMatch).toEqual({ x: "1", y: "2" });
  });

  it("of routes of the first version is unknown", () => {
    expect(route({ cluster: "a", deprecated_v1: { routes: [{ cluster: "b" }] } }).unknowns).toMatchObject([
      { reason: "unsupported filter" },
    ]);
    expect(route({ cluster: "a" }).unknowns).toEqual([]);
  });
});

describe("the rest", () => {
  it("has Envoy's defaults", () => {
    expect(route({ cluster: "a" })).toMatchObject({
      isOnDemand: false,
      maxConnectAttempts: 1,
      tunnel: null,
      hashPolicy: [],
    });
    expect(route({ cluster: "a", on_demand: {}, max_connect_attempts: 3, hash_policy: [{}] })).toMatchObject({
      isOnDemand: true,
      maxConnectAttempts: 3,
      hashPolicy: [{}],
    });
  });

  it("names the host of a tunnel", () => {
    const tunnel = (hostname: string, socket: Partial<AcceptedSocket> = {}): unknown =>
      route({ cluster: "a", tunneling_config: { hostname } }, socket).tunnel?.hostname;
    expect(tunnel("host.com:443")).toBe("host.com:443");
    expect(tunnel("%DOWNSTREAM_LOCAL_ADDRESS%")).toBe("10.0.0.1:8080");
    expect(tunnel("%REQUESTED_SERVER_NAME%:443", { serverName: "a.com" })).toBe("a.com:443");
    expect(tunnel("%REQUESTED_SERVER_NAME%:443")).toBe("-:443");
    expect(tunnel("%DOWNSTREAM_REMOTE_ADDRESS%", { source: "unknown" })).toMatchObject({
      reason: "client address",
    });
    expect(tunnel("%FILTER_STATE(a:PLAIN)%", { isComplete: false })).toMatchObject({
      reason: "filter state",
    });
    expect(tunnel("100%")).toMatchObject({ reason: "expression" });
    expect(tunnel("100%%")).toBe("100%");
  });

  it("has no tunnel where a filter switched it off", () => {
    const config = {
      cluster: "a",
      tunneling_config: { hostname: "h", use_post: true, headers_to_add: [{}] },
    };
    expect(route(config).tunnel).toEqual({ hostname: "h", usesPost: true, headersToAdd: [{}] });
    const filterState = new Map([["envoy.tcp_proxy.disable_tunneling", "true"]]);
    expect(route(config, { filterState }).tunnel).toBeNull();
  });
});
