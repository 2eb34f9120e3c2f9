import { describe, expect, it } from "vitest";

import { parsePods, parseServices } from "../../../src/snapshot/parse/cluster-objects.js";

const entry = "cluster/pods.json";

describe("pods", () => {
  it("are read with all that a bundle says of them", () => {
    const pod = {
      name: "a-1",
      namespace: "default",
      labels: { app: "a" },
      owner: { kind: "ReplicaSet", name: "a" },
      ips: ["10.0.0.1", "fd00::1"],
      hostNetwork: true,
      proxyContainer: true,
    };
    expect(parsePods({ pods: [{ name: "z", namespace: "y" }, pod] }, entry)[1]).toEqual({
      name: "a-1",
      namespace: "default",
      labels: { app: "a" },
      owner: "ReplicaSet/a",
      ips: ["10.0.0.1", "fd00::1"],
      hasProxy: true,
      hostNetwork: true,
      origin: { entry, pointer: "/pods/1" },
    });
  });

  it("need not say more than their names", () => {
    expect(parsePods({ pods: [{ name: "a", namespace: "b" }] }, entry)).toEqual([
      {
        name: "a",
        namespace: "b",
        labels: {},
        owner: "",
        ips: [],
        hasProxy: false,
        hostNetwork: false,
        origin: { entry, pointer: "/pods/0" },
      },
    ]);
  });

  it("may be none", () => {
    expect(parsePods({ pods: [] }, entry)).toEqual([]);
  });

  it.each([
    { json: {}, says: "cluster/pods.json: must have required property 'pods'" },
    { json: { pods: [{ name: "a" }] }, says: "/pods/0 must have required property 'namespace'" },
    { json: { pods: [{ name: 1, namespace: "b" }] }, says: "/pods/0/name must be string" },
    { json: { pods: [{ name: "a", namespace: "b", ips: "x" }] }, says: "/pods/0/ips must be array" },
    { json: [], says: "must be object" },
  ])("of the wrong shape name entry and field: $says", ({ json, says }) => {
    expect(() => parsePods(json, entry)).toThrow(says);
  });
});

describe("services", () => {
  it("are read with all that a bundle says of them", () => {
    const service = {
      name: "reviews",
      namespace: "default",
      clusterIPs: ["10.96.0.7"],
      selector: { app: "reviews" },
      ports: [{ name: "http", port: 9080, targetPort: "web" }],
    };
    expect(parseServices({ services: [service] }, entry)).toEqual([
      {
        name: "reviews",
        namespace: "default",
        clusterIps: ["10.96.0.7"],
        selector: { app: "reviews" },
        ports: [{ name: "http", port: 9080, targetPort: "web" }],
        origin: { entry, pointer: "/services/0" },
      },
    ]);
  });

  it.each([
    {
      port: { port: 80 },
      is: { name: "", port: 80, targetPort: "80" },
      because: "the port is its own target",
    },
    {
      port: { port: 80, targetPort: 8080 },
      is: { name: "", port: 80, targetPort: "8080" },
      because: "a target may be a number",
    },
    {
      port: { port: 80, targetPort: "web" },
      is: { name: "", port: 80, targetPort: "web" },
      because: "a target may be a name",
    },
  ])("have ports like $port: $because", ({ port, is }) => {
    const [service] = parseServices({ services: [{ name: "a", namespace: "b", ports: [port] }] }, entry);
    expect(service?.ports).toEqual([is]);
  });

  it("need not say more than their names", () => {
    const [service] = parseServices({ services: [{ name: "a", namespace: "b" }] }, entry);
    expect(service).toMatchObject({ clusterIps: [], selector: {}, ports: [] });
  });

  it.each([
    { json: {}, says: "must have required property 'services'" },
    {
      json: { services: [{ name: "a", namespace: "b", ports: [{}] }] },
      says: "/services/0/ports/0 must have required property 'port'",
    },
    {
      json: { services: [{ name: "a", namespace: "b", ports: [{ port: 1.5 }] }] },
      says: "/services/0/ports/0/port must be integer",
    },
  ])("of the wrong shape name entry and field: $says", ({ json, says }) => {
    expect(() => parseServices(json, entry)).toThrow(says);
  });
});
