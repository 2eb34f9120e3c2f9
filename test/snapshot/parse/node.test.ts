import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Node } from "../../../src/snapshot/model.js";
import {
  nodeFromBootstrap,
  parseNode,
  parseNodeId,
  proxyTypeOf,
  splitProxyId,
} from "../../../src/snapshot/parse/node.js";

const origin = { entry: "proxies/a/b/config_dump", pointer: "/configs/0/bootstrap/node" };
const nodeOf = (json: unknown): Node => parseNode(json, origin);

describe("a node id", () => {
  it("is type, address, proxy and domain", () => {
    expect(parseNodeId("sidecar~10.244.1.17~productpage-v1-abc.default~default.svc.cluster.local")).toEqual({
      type: "sidecar",
      ip: "10.244.1.17",
      proxyId: "productpage-v1-abc.default",
      dnsDomain: "default.svc.cluster.local",
    });
  });

  it.each([
    {
      id: "router~fd00::1~gateway.istio-system~istio-system.svc.cluster.local",
      because: "an IPv6 address has colons",
    },
    {
      id: "sidecar~10.0.0.1~pod.with.dots.default~default.svc.example.com",
      because: "a pod's name may have dots",
    },
    { id: "waypoint~~a.b~", because: "parts may be empty" },
    { id: "later~10.0.0.1~a.b~c", because: "there will be other types" },
  ])("may look like $id: $because", ({ id }) => {
    const parts = parseNodeId(id);
    expect([parts?.type, parts?.ip, parts?.proxyId, parts?.dnsDomain].join("~")).toBe(id);
  });

  it.each([
    { id: "", because: "it is empty" },
    { id: "envoy-1", because: "it is a name of somebody's own" },
    { id: "sidecar~10.0.0.1~a.b", because: "the domain is missing" },
    { id: "sidecar~10.0.0.1~a.b~c~d", because: "there is a part too many" },
  ])("of another grammar has no parts: $id, $because", ({ id }) => {
    expect(parseNodeId(id)).toBeNull();
    expect(nodeOf({ id, metadata: {} })).toMatchObject({ id, parts: null });
  });
});

describe("a proxy id", () => {
  it.each([
    { id: "a.default", pod: "a", namespace: "default" },
    { id: "pod.with.dots.default", pod: "pod.with.dots", namespace: "default" },
    { id: "a", pod: "a", namespace: "" },
    { id: "", pod: "", namespace: "" },
    { id: ".", pod: "", namespace: "" },
  ])("$id is pod $pod in namespace $namespace: the last dot divides", ({ id, pod, namespace }) => {
    expect(splitProxyId(id)).toEqual({ pod, namespace });
  });

  it("can be put together again", () => {
    const label = fc.stringMatching(/^[a-z0-9-]{1,12}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 3 }), label, (pods, namespace) => {
        const pod = pods.join(".");
        expect(splitProxyId(`${pod}.${namespace}`)).toEqual({ pod, namespace });
      }),
    );
  });
});

describe("the type of a proxy", () => {
  it.each(["sidecar", "router", "waypoint", "ztunnel", "agentgateway"])("is %s", (type) => {
    expect(proxyTypeOf(type)).toBe(type);
  });
  it.each([undefined, "", "Sidecar", "ingress", "toString"])("is unknown when the node says %s", (type) => {
    expect(proxyTypeOf(type)).toBe("unknown");
  });
});

describe("a node", () => {
  const snake = {
    id: "sidecar~10.0.0.1~a.default~default.svc.cluster.local",
    cluster: "a.default",
    metadata: { CLUSTER_ID: "Kubernetes", LABELS: { app_name: "a" } },
    locality: { region: "eu", zone: "eu-1", sub_zone: "rack" },
    user_agent_build_version: {
      version: { major_number: 1, minor_number: 32, patch: 3 },
      metadata: { "build.label": "dev", "revision.sha": "abc" },
    },
  };
  const camel = {
    id: snake.id,
    cluster: snake.cluster,
    metadata: snake.metadata,
    locality: { region: "eu", zone: "eu-1", subZone: "rack" },
    userAgentBuildVersion: {
      version: { majorNumber: 1, minorNumber: 32, patch: 3 },
      metadata: { "build.label": "dev" },
    },
  };

  it.each([
    { style: "snake_case", json: snake },
    { style: "lowerCamelCase", json: camel },
  ])("is read in $style", ({ json }) => {
    expect(nodeOf(json)).toEqual({
      id: snake.id,
      parts: {
        type: "sidecar",
        ip: "10.0.0.1",
        proxyId: "a.default",
        dnsDomain: "default.svc.cluster.local",
      },
      cluster: "a.default",
      metadata: { CLUSTER_ID: "Kubernetes", LABELS: { app_name: "a" } },
      locality: { region: "eu", zone: "eu-1", subZone: "rack" },
      envoyVersion: "1.32.3-dev",
      origin,
    });
  });

  it.each([
    { version: { major_number: 1, minor_number: 31 }, is: "1.31.0", because: "zero is left out" },
    { version: { minor_number: 1 }, is: "0.1.0", because: "zero is left out" },
    { version: {}, is: "0.0.0", because: "zero is left out" },
  ])("of the version $version is $is: $because", ({ version, is }) => {
    expect(nodeOf({ id: "a", user_agent_build_version: { version } }).envoyVersion).toBe(is);
  });

  it("need not say more than its id", () => {
    expect(nodeOf({ id: "a" })).toEqual({
      id: "a",
      parts: null,
      cluster: "",
      metadata: {},
      locality: null,
      envoyVersion: null,
      origin,
    });
  });

  it("need not say its id when it has metadata", () => {
    expect(nodeOf({ metadata: { ISTIO_VERSION: "1.10.0" } })).toMatchObject({
      id: "",
      metadata: { ISTIO_VERSION: "1.10.0" },
    });
  });

  it("has a locality without the parts that are empty", () => {
    expect(nodeOf({ id: "a", locality: { region: "eu" } }).locality).toEqual({
      region: "eu",
      zone: "",
      subZone: "",
    });
  });

  it.each([
    { json: {}, says: "proxies/a/b/config_dump: /configs/0/bootstrap/node/id is missing" },
    { json: { id: 7 }, says: "/configs/0/bootstrap/node/id must be string" },
    { json: { id: "a", metadata: [] }, says: "/configs/0/bootstrap/node/metadata must be object" },
    { json: { id: "a", locality: "eu" }, says: "/configs/0/bootstrap/node/locality must be object" },
    {
      json: { id: "a", locality: { zone: 1 } },
      says: "/configs/0/bootstrap/node/locality/zone must be string",
    },
    { json: [], says: "/configs/0/bootstrap/node must be object" },
    { json: null, says: "/configs/0/bootstrap/node must be object" },
    { json: "a", says: "/configs/0/bootstrap/node must be object" },
  ])("of the wrong shape names entry and field: $says", ({ json, says }) => {
    expect(() => nodeOf(json)).toThrow(says);
  });
});

describe("the node of a bootstrap", () => {
  it("is the one it names", () => {
    expect(nodeFromBootstrap('{"node":{"id":"a"}}', origin)?.id).toBe("a");
  });
  it("is null where it names none", () => {
    expect(nodeFromBootstrap("{}", origin)).toBeNull();
  });
});
