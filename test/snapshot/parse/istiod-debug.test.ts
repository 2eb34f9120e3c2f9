import { describe, expect, it } from "vitest";

import {
  parseEndpointShards,
  parseKnownEndpoints,
  parseMeshConfig,
  parseRegistry,
} from "../../../src/snapshot/parse/istiod-debug.js";

/** As plain data. */
const shardsIn = (json: unknown): unknown =>
  Object.fromEntries(
    [...parseEndpointShards(json, "endpointShardz")].map(([host, shards]) => [
      host,
      Object.fromEntries(shards),
    ]),
  );

const host = "reviews.default.svc.cluster.local";
const shards = (list: unknown): unknown => ({ [host]: { default: { Shards: list, ServiceAccounts: {} } } });

describe("/debug/endpointShardz", () => {
  it.each([
    {
      says: "addresses, since 1.24",
      json: shards({ "Kubernetes/c": [{ Addresses: ["10.0.0.2", "10.0.0.1"], EndpointPort: 9080 }] }),
      is: { "Kubernetes/c": ["10.0.0.1:9080", "10.0.0.2:9080"] },
    },
    {
      says: "one address, before",
      json: shards({ "Kubernetes/c": [{ Address: "10.0.0.1", EndpointPort: 9080 }] }),
      is: { "Kubernetes/c": ["10.0.0.1:9080"] },
    },
    {
      says: "several shards",
      json: shards({ "Kubernetes/c": [], "Kubernetes/d": [{ Address: "10.1.0.1", EndpointPort: 1 }] }),
      is: { "Kubernetes/c": [], "Kubernetes/d": ["10.1.0.1:1"] },
    },
    { says: "a host without shards", json: { [host]: { default: { Shards: null } } }, is: {} },
    {
      says: "shards of another shape",
      json: shards({ a: 7, b: [7, null, {}, { Addresses: [7] }] }),
      is: { a: [], b: [] },
    },
    { says: "a host of another shape", json: { [host]: "none" }, is: {} },
  ])("$says", ({ json, is }) => {
    expect(shardsIn(json)).toEqual({ [host]: is });
  });

  it("adds up what one host has in several namespaces", () => {
    const one = { Shards: { s: [{ Address: "10.0.0.1", EndpointPort: 1 }] } };
    const other = { Shards: { s: [{ Address: "10.0.0.2", EndpointPort: 1 }] } };
    expect(shardsIn({ [host]: { a: one, b: other } })).toEqual({
      [host]: { s: ["10.0.0.1:1", "10.0.0.2:1"] },
    });
  });

  it.each([null, 7, "404 page not found", []])("refuses %j", (json) => {
    expect(() => parseEndpointShards(json, "endpointShardz")).toThrow("endpointShardz: must be object");
  });

  it("takes any key for a host", () => {
    const json = JSON.parse('{"__proto__":{"n":{"Shards":{"constructor":[]}}}}') as unknown;
    expect([...parseEndpointShards(json, "e").keys()]).toEqual(["__proto__"]);
  });
});

describe("/debug/endpointShardz, by service", () => {
  const endpointsIn = (list: unknown): unknown =>
    parseKnownEndpoints(shards(list), "e").get(host)?.get("default");
  const whole = {
    addresses: ["10.0.0.1:9080", "fd00::1:9080"],
    portName: "http",
    network: "east",
    cluster: "c",
    locality: "r/z",
    node: "node-1",
    isReady: true,
  };
  const raw = {
    Addresses: ["10.0.0.1", "fd00::1"],
    EndpointPort: 9080,
    ServicePortName: "http",
    Network: "east",
    Locality: { Label: "r/z/", ClusterID: "c" },
    NodeName: "node-1",
    HealthStatus: 1,
    Labels: { app: "reviews" },
  };

  it.each([
    { says: "of today", endpoint: raw, is: whole },
    {
      says: "of 1.6, when the locality was a text",
      endpoint: { ...raw, Locality: "r/z" },
      is: { ...whole, cluster: "d" },
    },
    { says: "healthy as 1.14 to 1.17 write it", endpoint: { ...raw, HealthStatus: 0 }, is: whole },
    { says: "unready", endpoint: { ...raw, HealthStatus: 2 }, is: { ...whole, isReady: false } },
    {
      says: "draining by its label",
      endpoint: { ...raw, Labels: { "istio.io/draining": "yes" } },
      is: { ...whole, isReady: false },
    },
    {
      says: "of another shape",
      endpoint: { Addresses: 7, ServicePortName: 7, Locality: [], NodeName: null, Labels: "none" },
      is: { addresses: [], portName: "", network: "", cluster: "d", locality: "", node: "", isReady: true },
    },
  ])("$says", ({ endpoint, is }) => {
    expect(endpointsIn({ "Kubernetes/d": [endpoint, 7, null] })).toEqual([is]);
  });

  it("a shard named by the cluster alone, before 1.12", () => {
    expect(endpointsIn({ d: [{ ...raw, Locality: "" }] })).toMatchObject([{ cluster: "d", locality: "" }]);
  });

  it("keeps namespaces apart, and knows nothing of what has another shape", () => {
    const known = parseKnownEndpoints(
      { [host]: { a: { Shards: { s: [raw] } }, b: { Shards: null }, c: 7 }, other: [] },
      "e",
    );
    expect([...(known.get(host) ?? [])].map(([namespace, list]) => [namespace, list.length])).toEqual([
      ["a", 1],
      ["b", 0],
      ["c", 0],
    ]);
    expect(known.get("other")?.size).toBe(0);
    expect(() => parseKnownEndpoints("404", "e")).toThrow("e: must be object");
  });
});

describe("/debug/registryz", () => {
  const service = {
    hostname: host,
    ports: [{ name: "http", port: 80 }, { port: 81 }, { name: "x", port: "82" }, null],
    Attributes: { Namespace: "default", NodeLocal: true, Labels: { app: "reviews" } },
    Resolution: 0,
  };

  it("names ports, and says who gets the endpoints", () => {
    expect(parseRegistry([service, {}], "e")).toEqual(
      new Map([
        [
          host,
          [
            {
              namespace: "default",
              ports: new Map([
                [80, "http"],
                [81, ""],
              ]),
              isNodeLocal: true,
              isDns: false,
              labels: { app: "reviews" },
            },
          ],
        ],
      ]),
    );
  });

  it.each([
    { resolution: 0, isDns: false },
    { resolution: 1, isDns: true },
    { resolution: 2, isDns: false },
    { resolution: 3, isDns: true },
    { resolution: undefined, isDns: false },
  ])("resolution $resolution", ({ resolution, isDns }) => {
    expect(parseRegistry([{ ...service, Resolution: resolution }], "e").get(host)).toMatchObject([{ isDns }]);
  });

  it("has all services of one host, and leaves out what is none", () => {
    const other = { hostname: host, Attributes: 7, ports: "none" };
    const known = parseRegistry([service, other, { hostname: 7 }, null, "x"], "e");
    expect(known.size).toBe(1);
    expect(known.get(host)).toMatchObject([
      { namespace: "default" },
      { namespace: "", isNodeLocal: false, labels: {} },
    ]);
  });

  it.each([null, {}, "404 page not found"])("refuses %j", (json) => {
    expect(() => parseRegistry(json, "registryz")).toThrow("registryz: must be array");
  });
});

describe("/debug/mesh", () => {
  it("is an object", () => {
    expect(parseMeshConfig({ rootNamespace: "istio-system" }, "mesh")).toEqual({
      rootNamespace: "istio-system",
    });
  });
  it.each([null, [], "404"])("refuses %j", (json) => {
    expect(() => parseMeshConfig(json, "mesh")).toThrow("mesh: must be object");
  });
});
