import { describe, expect, it } from "vitest";

import { parseEndpointShards, parseMeshConfig } from "../../../src/snapshot/parse/istiod-debug.js";

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
