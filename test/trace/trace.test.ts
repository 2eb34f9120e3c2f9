import { describe, expect, it } from "vitest";

import { withProxies } from "../support/mesh/edits.js";
import type { JsonObject } from "../support/mesh/json.js";
import type { Mesh, MeshPod } from "../support/mesh/model.js";
import { bundleFiles } from "../support/snapshot-of.js";
import { traceRequest, type TraceInput } from "../../src/trace/trace.js";
import {
  bookinfo,
  clusterOf,
  everyObject,
  held,
  ipOf,
  objectIn,
  of,
  proxyOf,
  readForTrace,
  told,
  trace,
  without,
} from "./paths/bookinfo.js";

const client = "productpage-v1";
const request = { from: client, url: "http://details:9080/details/0" };

describe("where a request begins", () => {
  const input: TraceInput = {
    from: "nobody.default",
    direction: "outbound",
    method: "GET",
    scheme: "http",
    authority: "details:9080",
    path: "/",
    headers: [],
    originalDestination: null,
    sourceIp: null,
    tls: null,
    random: null,
    allBranches: false,
  };

  it("is a proxy of the snapshot, or nothing", () => {
    const snapshot = readForTrace(bundleFiles(bookinfo));
    expect(() => traceRequest(snapshot, input)).toThrow(RangeError);
    expect(traceRequest(snapshot, { ...input, from: proxyOf(bookinfo, client).id }).hops).toHaveLength(2);
  });

  it("is not known for an authority that is none", () => {
    const result = trace(bookinfo, { ...request, url: "http://details:port/" });
    expect(told(result)).toMatchObject({ outcome: expect.stringMatching(/^unknown/) as unknown, hops: [] });
    expect(told(result).unknowns).toEqual(["DNS: details:port is no host with a port."]);
  });

  it("is the address that is given, whatever the host is", () => {
    const originalDestination = { ip: ipOf(bookinfo, "ratings-v1"), port: 8123 };
    const result = trace(bookinfo, { ...request, originalDestination });
    expect(result.request.originalDestination).toBe(`${originalDestination.ip}:8123`);
    expect(result.hops[0]).toMatchObject({ listener: { name: "virtualOutbound" } });
  });

  it("may be a connection that comes in", () => {
    const result = trace(bookinfo, { ...request, from: "details-v1", direction: "inbound" });
    expect(told(result)).toMatchObject({
      outcome: "endpoint",
      hops: [{ at: "details-v1 inbound", listener: "virtualInbound", chain: "0.0.0.0_9080" }],
    });
    expect(result.request.originalDestination).toBe(`${ipOf(bookinfo, "details-v1")}:9080`);
  });

  it("is told by the listeners where no node tells what the proxy is", () => {
    const nameless = (workload: string): Mesh =>
      withProxies(bookinfo, of(workload), (proxy) => ({
        ...proxy,
        files: { ...proxy.files, serverInfo: false },
        config: { ...proxy.config, bootstrap: without(proxy.config.bootstrap, "node") },
      }));
    const sidecar = trace(nameless(client), request);
    expect(told(sidecar)).toMatchObject({
      outcome: "endpoint",
      hops: [{ at: `${client} outbound`, cluster: clusterOf("details") }, { at: "details-v1 inbound" }],
    });
    expect(sidecar.assumptions.join("\n")).toMatch(/is taken for a sidecar, by its listeners/);
    const gateway = trace(nameless("istio-ingressgateway"), {
      from: "istio-ingressgateway",
      url: "http://bookinfo.example.com:8080/productpage",
    });
    expect(told(gateway).hops[0]).toMatchObject({
      listener: "0.0.0.0_8080",
      cluster: clusterOf("productpage"),
    });
    expect(gateway.assumptions.join("\n")).toMatch(/is taken for a gateway, by its listeners/);
    expect(gateway.assumptions.join("\n")).toMatch(/192\.0\.2\.1 stands for it/);
  });
});

describe("the request that is shown", () => {
  it("of HTTP has its own parts", () => {
    const headers = [["X-One", "1"]] as const;
    expect(trace(bookinfo, { ...request, method: "PUT", headers }).request).toMatchObject({
      method: "PUT",
      scheme: "http",
      authority: "details:9080",
      path: "/details/0",
      headers,
    });
  });

  it("has the Host header for its authority", () => {
    const named = trace(bookinfo, { ...request, headers: [["Host", "ratings"]] });
    expect(named.hops[0]).toMatchObject({ virtualHost: "ratings.default.svc.cluster.local:9080" });
  });

  it("of TCP has neither method nor path", () => {
    expect(trace(bookinfo, { from: client, url: "tcp://kubernetes:443" }).request).toMatchObject({
      method: "",
      scheme: "tcp",
      path: "",
      headers: [],
    });
  });
});

describe("a draw", () => {
  const url = "http://reviews:9080/";
  it.each([
    [0n, "v1"],
    [79n, "v1"],
    [80n, "v2"],
    [94n, "v2"],
    [95n, "v3"],
    [100n, "v1"],
  ])("of %d is for %s", (random, subset) => {
    const { hops, branches } = trace(bookinfo, { from: client, url, random, allBranches: true });
    expect(hops[0]?.cluster).toBe(clusterOf("reviews", subset));
    expect(branches.map(({ share }) => share)).toEqual([1]);
  });

  it("that is not given leaves all of them, the largest first", () => {
    const { hops, branches } = trace(bookinfo, { from: client, url, allBranches: true });
    expect(hops).toEqual(branches[0]?.hops);
    expect(branches.map(({ share }) => share)).toEqual([0.8, 0.15, 0.05]);
    expect(trace(bookinfo, { from: client, url }).branches).toEqual([]);
  });
});

describe("several proxies with one address", () => {
  /** The pod of one workload has the address of another's. */
  const sharing = (workload: string, other: string): Mesh => {
    const pod: MeshPod = { ...proxyOf(bookinfo, workload).pod, ip: ipOf(bookinfo, other) };
    return withProxies(bookinfo, of(workload), (proxy) => ({
      ...proxy,
      pod,
      config: {
        ...proxy.config,
        bootstrap: objectIn(
          everyObject(proxy.config.bootstrap, (object): JsonObject => {
            const id = object["id"];
            return {
              ...object,
              ...("INSTANCE_IPS" in object ? { INSTANCE_IPS: pod.ip } : {}),
              ...(typeof id === "string" && id.includes("~")
                ? { id: id.replace(/~[\d.]+~/, `~${pod.ip}~`) }
                : {}),
            };
          }),
        ),
      },
    }));
  };

  it("leave open which of them takes the connection", () => {
    const result = told(trace(sharing("ratings-v1", "details-v1"), request));
    expect(result.hops).toHaveLength(1);
    expect(result.unknowns).toEqual([
      `not captured: Which of the proxies with the address ${ipOf(bookinfo, "details-v1")} takes it.`,
    ]);
  });

  it("leave nothing open for another address", () => {
    const elsewhere = { ...request, url: "http://reviews:9080/" };
    expect(told(trace(sharing("ratings-v1", "details-v1"), elsewhere))).toMatchObject({
      outcome: "endpoint",
      unknowns: [],
    });
  });
});

describe("a loop", () => {
  /** The inbound route of a workload leads out again, to these clusters. */
  const leadingTo = (mesh: Mesh, workload: string, ...clusters: string[]): Mesh =>
    held(mesh, workload, "listeners", "virtualInbound", (listener) =>
      objectIn(
        everyObject(listener, (object) =>
          object["cluster"] === "inbound|9080||"
            ? {
                ...without(object, "cluster"),
                weighted_clusters: { clusters: clusters.map((name) => ({ name, weight: 1 })) },
              }
            : object,
        ),
      ),
    );

  const unguarded = held(bookinfo, "ratings-v1", "listeners", "virtualInbound", (listener) =>
    objectIn(
      everyObject(listener, (object) => (object["name"] === "envoy.filters.http.rbac" ? null : object)),
    ),
  );

  it("of two proxies ends after ten of them", () => {
    const there = leadingTo(unguarded, "details-v1", clusterOf("ratings"));
    const result = trace(leadingTo(there, "ratings-v1", clusterOf("details")), request);
    expect(result.hops).toHaveLength(10);
    expect(told(result).unknowns).toEqual(["limit: More than 10 proxies are not followed."]);
    expect(told(trace(there, request))).toMatchObject({ outcome: "endpoint", unknowns: [] });
  });

  it("that doubles at each proxy is not followed everywhere", () => {
    const services = ["details", "ratings", "reviews"];
    const mesh = ["details-v1", "ratings-v1", "reviews-v1", "reviews-v2", "reviews-v3"].reduce(
      (changed, workload) =>
        leadingTo(
          changed,
          workload,
          ...services.filter((name) => !workload.startsWith(name)).map((name) => clusterOf(name)),
        ),
      unguarded,
    );
    const { branches, unknowns } = trace(mesh, { ...request, allBranches: true });
    expect(unknowns.map(({ reason }) => reason)).toContain("limit");
    expect(branches.length).toBeLessThanOrEqual(257);
    expect(branches.reduce((sum, { share }) => sum + (share ?? Number.NaN), 0)).toBeCloseTo(1, 9);
  });
});
