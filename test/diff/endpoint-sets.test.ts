import { describe, expect, it } from "vitest";

import { endpointDivergences } from "../../src/diff/endpoint-sets.js";
import { endpointLines } from "../../src/report/mesh-drift-wording.js";
import { present, type Snapshot } from "../../src/snapshot/model.js";
import { parseKnownEndpoints, parseRegistry } from "../../src/snapshot/parse/istiod-debug.js";
import { aCluster, aResource, aRow } from "../support/builders.js";
import { anAssignment, anEdsCluster, meshOf, type GivenProxy, type Held } from "../support/drift-snapshot.js";

const reviews = "outbound|80||reviews.default.svc.cluster.local";

const holds = (addresses: readonly string[], name = reviews): Held => ({
  clusters: [anEdsCluster(name)],
  endpoints: [anAssignment(name, addresses)],
});

/** Clients by name, each with the last numbers of the addresses that it holds. */
const clientsWith = (
  clients: Readonly<Record<string, readonly number[]>>,
  istiods: Readonly<Record<string, readonly string[]>> = {},
  metadata: GivenProxy["metadata"] = {},
): Snapshot =>
  meshOf({
    istiods: Object.fromEntries(
      Object.entries(istiods).map(([id, names]) => [id, { rows: names.map((name) => aRow(`${name}.n`)) }]),
    ),
    proxies: Object.fromEntries(
      Object.entries(clients).map(([name, last]): [string, GivenProxy] => [
        `${name}.n`,
        { holds: holds(last.map((number) => `10.0.0.${number}`)), metadata },
      ]),
    ),
  });

const linesOf = (snapshot: Snapshot): string[] => endpointLines(endpointDivergences(snapshot));

describe("clients of one cluster", () => {
  it("hold the same endpoints, in whatever order and weight", () => {
    expect(linesOf(clientsWith({ a: [1, 2], b: [2, 1] }))).toEqual([]);
    const weighted = meshOf({
      proxies: {
        "a.n": { holds: holds(["10.0.0.1"]) },
        "b.n": {
          holds: {
            clusters: [anEdsCluster(reviews)],
            endpoints: [
              anAssignment(reviews, ["10.0.0.1"], { load_balancing_weight: 5, health_status: "UNHEALTHY" }),
            ],
          },
        },
      },
    });
    expect(linesOf(weighted)).toEqual([]);
  });

  it("that all lack a pod are those of one Istiod", () => {
    const snapshot = clientsWith(
      { a: [1, 2], b: [1, 2], c: [1, 2], d: [1], e: [1] },
      { "istiod-x": ["a", "b", "c"], "istiod-y": ["d", "e"] },
    );
    expect(linesOf(snapshot)).toEqual([
      `endpoints of ${reviews}: 2 proxies, all on istiod-y lack 10.0.0.2, unlike 3 proxies, all on istiod-x`,
    ]);
    expect(endpointDivergences(snapshot)).toMatchObject([
      {
        cluster: reviews,
        sets: [
          { endpoints: ["10.0.0.1:8080", "10.0.0.2:8080"], proxies: ["a.n", "b.n", "c.n"] },
          { endpoints: ["10.0.0.1:8080"], proxies: ["d.n", "e.n"] },
        ],
      },
    ]);
    expect(endpointDivergences(snapshot)[0]!.sets.map(({ istiods }) => [...istiods])).toEqual([
      [["istiod-x", 3]],
      [["istiod-y", 2]],
    ]);
  });

  it("of which one has a ghost", () => {
    expect(linesOf(clientsWith({ a: [1], b: [1], c: [1, 9] }, { x: ["a", "b", "c"] }))).toEqual([
      `endpoints of ${reviews}: c.n has 10.0.0.9 besides, unlike 2 proxies, all on x`,
    ]);
  });

  it("of several Istiods, and of none that is known", () => {
    const snapshot = clientsWith({ a: [1, 2], b: [1, 2], c: [1, 2], d: [3] }, { x: ["a"], y: ["b"] });
    expect(linesOf(snapshot)).toEqual([
      `endpoints of ${reviews}: d.n lacks 10.0.0.1, 10.0.0.2 and has 10.0.0.3 besides, unlike 3 proxies (1 on no known Istiod, 1 on x, 1 on y)`,
    ]);
  });

  it("one line for one pod behind several clusters", () => {
    const both = (last: readonly number[]): Held => {
      const [one, other] = [reviews, reviews.replace("|80|", "|81|")].map((name) =>
        holds(
          last.map((number) => `10.0.0.${number}`),
          name,
        ),
      );
      return {
        clusters: [...one!.clusters!, ...other!.clusters!],
        endpoints: [...one!.endpoints!, ...other!.endpoints!],
      };
    };
    const snapshot = meshOf({
      proxies: {
        "a.n": { holds: both([1, 2]) },
        "b.n": { holds: both([1, 2]) },
        "c.n": { holds: both([1]) },
      },
    });
    expect(linesOf(snapshot)).toEqual([
      `2 lists of endpoints (${reviews}, ${reviews.replace("|80|", "|81|")}): c.n lacks 10.0.0.2, unlike 2 proxies, all on no known Istiod`,
    ]);
  });
});

describe("a service with internalTrafficPolicy Local", () => {
  const host = "reviews.default.svc.cluster.local";
  const origin = { entry: "istio", pointer: "" };

  /** Clients on nodes, each with the last numbers of the addresses that it holds. */
  const onNodes = (
    clients: Readonly<Record<string, { readonly node: string; readonly has: readonly number[] }>>,
    isLocal: boolean | null,
    nodes: Readonly<Record<number, string>> = {},
  ): Snapshot => {
    const snapshot = meshOf({
      istiods: { x: { rows: [] } },
      proxies: Object.fromEntries(
        Object.entries(clients).map(([name, { node, has }], index): [string, GivenProxy] => [
          `${name}.n`,
          {
            holds: holds(has.map((number) => `10.0.0.${number}`)),
            metadata: node === "" ? {} : { NODE_NAME: node },
            ip: `10.9.0.${index + 1}`,
          },
        ]),
      ),
    });
    const attributes = { Namespace: "default", NodeLocal: isLocal };
    const services = parseRegistry(isLocal === null ? [] : [{ hostname: host, Attributes: attributes }], "e");
    const endpoints = Object.entries(nodes).map(([number, NodeName]) => ({
      Address: `10.0.0.${number}`,
      EndpointPort: 8080,
      NodeName,
    }));
    const known = parseKnownEndpoints({ [host]: { default: { Shards: { s: endpoints } } } }, "e");
    return {
      ...snapshot,
      istiods: snapshot.istiods.map((istiod) => ({
        ...istiod,
        registry: present({ services, origin }),
        knownEndpoints: present({ services: known, capturedAt: null, origin }),
      })),
    };
  };
  const byNode = {
    a: { node: "one", has: [1, 2] },
    b: { node: "two", has: [3] },
    c: { node: "three", has: [] },
  } as const;
  const where = { 1: "one", 2: "one", 3: "two" } as const;

  it("has other endpoints on each node", () => {
    expect(linesOf(onNodes(byNode, true))).toEqual([]);
    expect(linesOf(onNodes(byNode, false, where))).toHaveLength(2);
  });

  it("but the same for all clients on one", () => {
    const snapshot = onNodes(
      { ...byNode, d: { node: "one", has: [1] }, e: { node: "one", has: [1, 2] } },
      true,
    );
    expect(linesOf(snapshot)).toEqual([
      `endpoints of ${reviews}: d.n lacks 10.0.0.2, unlike 2 proxies, all on no known Istiod`,
    ]);
    expect(endpointDivergences(snapshot)[0]?.scope).toBe("node one");
  });

  it("nor is a client compared of which the node is not known", () => {
    expect(linesOf(onNodes({ ...byNode, d: { node: "", has: [9] } }, true))).toEqual([]);
  });

  it("is known by its endpoints where no Istiod tells of it", () => {
    expect(linesOf(onNodes(byNode, null, where))).toEqual([]);
    expect(linesOf(onNodes({ ...byNode, b: { node: "two", has: [1, 3] } }, null, where))).toHaveLength(2);
    expect(linesOf(onNodes({ ...byNode, d: { node: "one", has: [1] } }, null, where))).toHaveLength(3);
    expect(linesOf(onNodes({ ...byNode, d: { node: "", has: [] } }, null, where))).toHaveLength(2);
    // where one of the endpoints is, is not known
    expect(linesOf(onNodes(byNode, null, { 1: "one", 2: "one" }))).toHaveLength(2);
  });
});

describe("a cluster of which some localities' clients get some localities only", () => {
  const group = (region: string, addresses: readonly string[]): Record<string, unknown> => ({
    locality: { region },
    lb_endpoints: addresses.map((address) => ({
      endpoint: { address: { socket_address: { address, port_value: 80 } } },
    })),
  });
  const rule = { filter_metadata: { istio: { config: "/apis/n/v1/namespaces/d/destination-rule/r" } } };
  const weighted = { common_lb_config: { locality_weighted_lb_config: {} }, metadata: rule };
  const inRegions = (
    clients: Readonly<Record<string, readonly Record<string, unknown>[]>>,
    fields: Record<string, unknown>,
    regionOf = (name: string): string => name.slice(0, 1),
  ): Snapshot => {
    const snapshot = meshOf({
      proxies: Object.fromEntries(
        Object.entries(clients).map(([name, endpoints]): [string, GivenProxy] => [
          `${name}.n`,
          {
            holds: {
              clusters: [anEdsCluster(reviews, fields)],
              endpoints: [aResource("endpointAssignment", reviews, { endpoints })],
            },
          },
        ]),
      ),
    });
    return {
      ...snapshot,
      proxies: snapshot.proxies.map((proxy) => ({
        ...proxy,
        node:
          proxy.node.state === "absent"
            ? proxy.node
            : present({
                ...proxy.node.value,
                locality: { region: regionOf(proxy.id), zone: "", subZone: "" },
              }),
      })),
    };
  };
  const east = group("e", ["10.0.0.1", "10.0.0.2"]);
  const west = group("w", ["10.0.0.3"]);

  it("differs between localities, by whole localities", () => {
    const clients = { e1: [east], e2: [east], w1: [east, west] };
    expect(linesOf(inRegions(clients, weighted))).toEqual([]);
    expect(linesOf(inRegions(clients, { metadata: rule }))).toHaveLength(1);
  });

  it("but not within one, nor by single pods", () => {
    expect(linesOf(inRegions({ e1: [east], e2: [east, west] }, weighted))).toHaveLength(1);
    expect(linesOf(inRegions({ e1: [east], w1: [group("e", ["10.0.0.1"]), west] }, weighted))).toHaveLength(
      1,
    );
    expect(linesOf(inRegions({ e1: [east], w1: [west] }, weighted, () => ""))).toHaveLength(1);
  });
});

describe("who must hold the same", () => {
  it("not clients of another network, nor those of whom nothing is known", () => {
    const of = (network: string): Snapshot =>
      meshOf({
        proxies: {
          "a.n": { holds: holds(["10.0.0.1"]), metadata: { NETWORK: "one" } },
          "b.n": { holds: holds(["10.0.0.2"]), metadata: { NETWORK: network } },
        },
      });
    expect(linesOf(of("two"))).toEqual([]);
    expect(linesOf(of("one"))).toHaveLength(1);
  });

  it("not clients that found the addresses otherwise than by EDS", () => {
    const byDns = (address: string): Held => ({
      clusters: [aCluster(reviews, { type: "STRICT_DNS" })],
      endpoints: [anAssignment(reviews, [address])],
    });
    const snapshot = meshOf({
      proxies: { "a.n": { holds: byDns("10.0.0.1") }, "b.n": { holds: byDns("10.0.0.2") } },
    });
    expect(linesOf(snapshot)).toEqual([]);
  });

  it("not proxies whose endpoints were not captured", () => {
    const snapshot = clientsWith({ a: [1], b: [2] });
    const [first, second] = snapshot.proxies;
    const absent = { state: "absent", reason: "not captured" } as const;
    expect(
      linesOf({
        ...snapshot,
        proxies: [first!, { ...second!, config: { ...second!.config, endpointAssignment: absent } }],
      }),
    ).toEqual([]);
    expect(linesOf(snapshot)).toHaveLength(1);
  });
});
