import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { connectionsOf, proxyIds, type Connections, type ProxyId } from "../../src/collect/connections.js";

const nameTable = "type.googleapis.com/istio.networking.nds.v1.NameTable";
const clusterType = "type.googleapis.com/envoy.config.cluster.v3.Cluster";

const proxyIdFor = (proxy: string, connections: Connections, names: readonly string[]): ProxyId =>
  proxyIds(connections, names)(proxy);

const adszOf = (...ids: string[]): unknown => ({
  totalClients: ids.length,
  clients: ids.map((connectionId) => ({ connectionId })),
});

describe("the connections of an Istiod", () => {
  it.each([
    { era: "1.6", row: { proxy: "a-1.shop", istio_version: "1.6.0", cluster_sent: "x" } },
    { era: "1.18", row: { cluster_id: "Kubernetes", proxy: "a-1.shop", proxy_type: "sidecar" } },
    { era: "1.23", row: { proxy: "a-1.shop", resources: { [clusterType]: { sent: "x", acked: "x" } } } },
  ])("are in syncz since Istio $era", ({ row }) => {
    const { proxies, ids, dns } = connectionsOf([row], null);
    expect([...proxies]).toEqual(["a-1.shop"]);
    expect(ids.size).toBe(0);
    expect(dns.size).toBe(0);
  });

  it.each([
    {
      era: "1.7",
      adsz: [{ node: "sidecar~10.0.0.1~a-1.shop~shop.svc.cluster.local-3", listeners: [], clusters: [] }],
    },
    { era: "1.8", adsz: adszOf("sidecar~10.0.0.1~a-1.shop~shop.svc.cluster.local-3") },
    { era: "1.11", adsz: adszOf("a-1.shop-3") },
  ])("have ids in adsz since Istio $era", ({ adsz }) => {
    const connections = connectionsOf(null, adsz);
    expect([...connections.proxies]).toEqual(["a-1.shop"]);
    expect(connections.ids.get("a-1.shop")).toHaveLength(1);
    expect(proxyIdFor("a-1.shop", connections, [])).toEqual({ id: connections.ids.get("a-1.shop")?.[0] });
  });

  it("of one proxy come with the newest first", () => {
    const { ids } = connectionsOf([], adszOf("a-1.shop-9", "a-1.shop-12", "b-1.shop-10", "a-1.shop-2"));
    expect(ids.get("a-1.shop")).toEqual(["a-1.shop-12", "a-1.shop-9", "a-1.shop-2"]);
    expect(ids.get("b-1.shop")).toEqual(["b-1.shop-10"]);
  });

  it.each([
    { where: "syncz", syncz: [{ proxy: "a.shop", resources: { [nameTable]: {} } }], adsz: null, dns: true },
    {
      where: "syncz, which lists others",
      syncz: [{ proxy: "a.shop", resources: { [clusterType]: {} } }],
      adsz: null,
      dns: false,
    },
    {
      where: "a watch",
      syncz: [],
      adsz: { clients: [{ connectionId: "a.shop-1", watches: { [nameTable]: [""] } }] },
      dns: true,
    },
    {
      where: "another watch",
      syncz: [],
      adsz: { clients: [{ connectionId: "a.shop-1", watches: { [clusterType]: [] } }] },
      dns: false,
    },
    {
      where: "its metadata",
      syncz: [],
      adsz: { clients: [{ connectionId: "a.shop-1", metadata: { DNS_CAPTURE: "true" } }] },
      dns: true,
    },
    {
      where: "its metadata, off",
      syncz: [],
      adsz: { clients: [{ connectionId: "a.shop-1", metadata: { DNS_CAPTURE: "false" } }] },
      dns: false,
    },
  ])("tell of Istio's DNS proxy in $where: $dns", ({ syncz, adsz, dns }) => {
    expect(connectionsOf(syncz, adsz).dns.has("a.shop")).toBe(dns);
  });

  it("are read from whatever comes", () => {
    const hostile = fc.oneof(
      fc.jsonValue(),
      fc.array(fc.record({ proxy: fc.jsonValue(), resources: fc.jsonValue() }, { requiredKeys: [] })),
      fc.record({
        clients: fc.array(
          fc.record(
            {
              connectionId: fc.oneof(
                fc.jsonValue(),
                fc.constantFrom("", "-", "-1", "a", "a.b-1", "~~~-1", "1"),
              ),
              metadata: fc.oneof(fc.jsonValue(), fc.constant({ DNS_CAPTURE: { toString: null } })),
              watches: fc.jsonValue(),
            },
            { requiredKeys: [] },
          ),
        ),
      }),
    );
    fc.assert(
      fc.property(hostile, hostile, (syncz, adsz) => {
        const connections = connectionsOf(syncz, adsz);
        proxyIdFor("a.b", connections, ["a.b"]);
        for (const ids of connections.ids.values()) expect(ids.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe("what to ask an Istiod for", () => {
  const unsure = (proxy: string): { unsure: string } => ({
    unsure: `Istiod might take another proxy for ${proxy}`,
  });

  it.each([
    { because: "it is the only one", ids: ["a.b-1"], asked: { id: "a.b-1" } },
    {
      because: "the namespace of another begins like its own",
      ids: ["a.b-1", "a.b2-2"],
      asked: { id: "a.b-1" },
    },
    {
      because: "another's name ends like its own, with another counter",
      ids: ["a.b-1", "my-a.b-2"],
      asked: { id: "a.b-1" },
    },
    {
      because: "another's name and counter end like its own",
      ids: ["a.b-1", "my-a.b-1"],
      asked: unsure("a.b"),
    },
    { because: "another's counter begins like its own", ids: ["a.b-1", "my-a.b-12"], asked: unsure("a.b") },
    {
      because: "of its two connections one is part of the other",
      ids: ["a.b-1", "a.b-12"],
      asked: { id: "a.b-12" },
    },
    {
      because: "its newest connection is ambiguous",
      ids: ["a.b-3", "a.b-12", "my-a.b-123"],
      asked: { id: "a.b-3" },
    },
    { because: "a pod's name may hold a dot", ids: ["a.b-1", "x.a.b-1-y.c-7"], asked: unsure("a.b") },
    {
      because: "a client that is no pod may have any id",
      ids: ["a.b-1", "client of a.b-1!"],
      asked: unsure("a.b"),
    },
    {
      because: "a node id has the whole name between its marks",
      ids: ["sidecar~10.0.0.1~a.b~b.svc-1", "sidecar~10.0.0.1~my-a.b~b.svc-1"],
      asked: { id: "sidecar~10.0.0.1~a.b~b.svc-1" },
    },
  ])("is $asked: $because", ({ ids, asked }) => {
    expect(proxyIdFor("a.b", connectionsOf([], adszOf(...ids)), ["a.b"])).toEqual(asked);
  });

  it.each([
    { because: "nothing else is known", syncz: [], names: ["a.b"], asked: { id: "a.b" } },
    { because: "it was not among those to tell apart", syncz: [], names: ["c.d"], asked: unsure("a.b") },
    {
      because: "no other name holds it",
      syncz: [{ proxy: "a.b" }, { proxy: "c.d" }],
      names: ["e.f"],
      asked: { id: "a.b" },
    },
    {
      because: "the list holds a longer name",
      syncz: [{ proxy: "my-a.b" }],
      names: [],
      asked: unsure("a.b"),
    },
    { because: "the cluster holds a longer name", syncz: [], names: ["a.b", "a.b2"], asked: unsure("a.b") },
  ])("is $asked without ids: $because", ({ syncz, names, asked }) => {
    expect(proxyIdFor("a.b", connectionsOf(syncz, null), names)).toEqual(asked);
  });

  it("is not another's connection where only that one's id is known", () => {
    const connections = connectionsOf([{ proxy: "a.b" }], adszOf("my-a.b-1", "c.d-2"));
    expect(proxyIdFor("a.b", connections, [])).toEqual(unsure("a.b"));
    expect(proxyIdFor("c.d", connections, [])).toEqual({ id: "c.d-2" });
  });

  it("is part of that proxy's connection and of no other, or unsure", () => {
    const name = fc
      .tuple(
        fc.string({ unit: fc.constantFrom("a", "b", ".", "-", "1"), minLength: 1, maxLength: 5 }),
        fc.constantFrom("b", "ab", "b2"),
      )
      .map(([pod, namespace]) => `${pod}.${namespace}`);
    const connection = fc
      .tuple(name, fc.integer({ min: 1, max: 120 }))
      .map(([proxy, counter]) => ({ proxy, counter }));
    fc.assert(
      fc.property(fc.array(connection, { maxLength: 12 }), fc.boolean(), (list, isOld) => {
        const idOf = ({ proxy, counter }: { proxy: string; counter: number }): string =>
          isOld ? `sidecar~10.0.0.1~${proxy}~b.svc-${counter}` : `${proxy}-${counter}`;
        const ids = [...new Set(list.map(idOf))];
        const ask = proxyIds(connectionsOf(null, adszOf(...ids)), []);
        for (const { proxy } of list) {
          const own = list.filter((each) => each.proxy === proxy).map(idOf);
          const asked = ask(proxy);
          if ("id" in asked) {
            expect(own).toContain(asked.id);
            expect(ids.filter((id) => id.includes(asked.id))).toEqual([asked.id]);
          } else {
            const isPart = (id: string): boolean =>
              [...ids, ...list.map((each) => each.proxy)].some((other) => other !== id && other.includes(id));
            expect(own.every(isPart)).toBe(true);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("is told for every proxy of a large mesh from one pass over it", () => {
    const names = Array.from(
      { length: 5000 },
      (_, i) => `reviews-v1-${(i * 7919).toString(36)}.namespace-${i % 50}`,
    );
    const ask = proxyIds(connectionsOf([], adszOf(...names.map((name, i) => `${name}-${i}`))), names);
    expect(names.map(ask)).toEqual(names.map((name, i) => ({ id: `${name}-${i}` })));
  });
});
