import { describe, expect, it } from "vitest";

import { isObject, type JsonObject } from "../../support/mesh/json.js";
import { buildMesh } from "../../support/mesh/mesh.js";
import type { Mesh } from "../../support/mesh/model.js";
import {
  annotated,
  bookinfo,
  clusterOf,
  everyObject,
  filesWith,
  healthyPath,
  held,
  inboundHop,
  ipOf,
  objectIn,
  outboundHop,
  readForTrace,
  told,
  trace,
  without,
} from "./bookinfo.js";

const client = "productpage-v1";
const request = { from: client, url: "http://details:9080/details/0" };
const healthy = healthyPath(client, "details", "details-v1");

/** The chains of a port are gone from a workload's virtualInbound. */
const withoutPort = (mesh: Mesh, workload: string, port: number): Mesh =>
  held(mesh, workload, "listeners", "virtualInbound", (listener) =>
    objectIn(
      everyObject(listener, (object) =>
        objectIn(object["filter_chain_match"])["destination_port"] === port ? null : object,
      ),
    ),
  );

describe("the server's port", () => {
  it("with chains of its own goes to the application by its own cluster", () => {
    const result = trace(bookinfo, request);
    expect(told(result)).toEqual(healthy);
    expect(result.assumptions.filter((one) => one.includes("No filter chain"))).toEqual([]);
  });

  it("without one is passed through, which is said: nothing tells that the application listens", () => {
    const result = trace(withoutPort(bookinfo, "details-v1", 9080), request);
    const [first] = healthy.hops;
    expect(told(result)).toEqual({
      ...healthy,
      hops: [
        first,
        {
          ...inboundHop("details-v1"),
          chain: "virtualInbound",
          cluster: "InboundPassthroughCluster",
        },
      ],
    });
    const id = result.hops[1]?.proxy ?? "";
    expect(result.assumptions).toContain(
      `No filter chain of ${id} is for port 9080: it is passed to the application, if that listens there.`,
    );
  });

  it("without the capturing listener: the connection is refused, 503 UF", () => {
    const mesh = held(bookinfo, "details-v1", "listeners", "virtualInbound", () => null);
    const result = trace(mesh, request);
    expect(told(result)).toEqual({
      outcome: "503 UF upstream_reset_before_response_started",
      hops: [
        outboundHop(client, "details", "details-v1"),
        { at: "details-v1 inbound", listener: undefined, chain: undefined, cluster: null, to: [] },
      ],
      decided: [],
      nearMisses: [],
      unknowns: [],
    });
    expect(result.assumptions).toContain(`nothing listens on ${ipOf(bookinfo, "details-v1")}:15006`);
  });

  it("of a proxy that is still starting: 503 UF", () => {
    const mesh: Mesh = {
      ...bookinfo,
      proxies: bookinfo.proxies.map((proxy) =>
        proxy.pod.workload.name === "details-v1" ? { ...proxy, state: "PRE_INITIALIZING" } : proxy,
      ),
    };
    const result = trace(mesh, request);
    expect(told(result)).toMatchObject({
      outcome: "503 UF upstream_reset_before_response_started",
      hops: [{ cluster: clusterOf("details") }, { at: "details-v1 inbound", listener: undefined }],
      unknowns: [],
    });
    expect(result.assumptions.join("\n")).toContain("its state is PRE_INITIALIZING");
  });

  it("of a proxy of which nothing was captured: the path ends before it, and says so", () => {
    const mesh: Mesh = {
      ...bookinfo,
      proxies: bookinfo.proxies.map((proxy) =>
        proxy.pod.workload.name === "details-v1"
          ? { ...proxy, files: { ...proxy.files, captured: false } }
          : proxy,
      ),
    };
    const result = trace(mesh, request);
    expect(told(result)).toMatchObject({ outcome: "endpoint", hops: [healthy.hops[0]], unknowns: [] });
  });
});

describe("what does not enter a proxy", () => {
  const excluded = (what: string): JsonObject => ({ [`traffic.sidecar.istio.io/${what}`]: "9080,3306" });

  it("a port that the client's pod excludes is the first answer", () => {
    const mesh = annotated(bookinfo, client, excluded("excludeOutboundPorts"));
    const result = trace(mesh, request);
    expect(told(result)).toMatchObject({ outcome: "endpoint", hops: [], unknowns: [] });
    expect(result.bypass).toMatch(/does not enter the proxy: .*excludeOutboundPorts names 9080$/);
    const other = annotated(bookinfo, client, { "traffic.sidecar.istio.io/excludeOutboundPorts": "9081" });
    expect(trace(other, request).bypass).toBeNull();
    expect(told(trace(other, request))).toEqual(healthy);
  });

  it("a port that the server's pod excludes ends the path there: TLS comes to the application", () => {
    const mesh = annotated(bookinfo, "details-v1", excluded("excludeInboundPorts"));
    const result = trace(mesh, request);
    expect(told(result)).toEqual({ ...healthy, hops: [healthy.hops[0]] });
    expect(result.assumptions.join("\n")).toMatch(/excludeInboundPorts names 9080/);
    expect(result.assumptions.join("\n")).toMatch(
      /The TLS of the proxy before it is not ended by details-v1/,
    );
    const other = annotated(bookinfo, "details-v1", {
      "traffic.sidecar.istio.io/excludeInboundPorts": "3306",
    });
    expect(told(trace(other, request))).toEqual(healthy);
  });

  it("a pod's own loopback address", () => {
    const result = trace(bookinfo, { from: client, url: "http://127.0.0.1:9080/" });
    expect(told(result)).toMatchObject({ outcome: "endpoint", hops: [] });
    expect(result.bypass).toMatch(/^127\.0\.0\.1:9080 does not enter the proxy: /);
  });
});

describe("a pod calls", () => {
  it("itself by its service: out and in by the same proxy, which takes it in again", () => {
    const url = "http://productpage:9080/productpage";
    expect(told(trace(bookinfo, { from: client, url }))).toEqual(healthyPath(client, "productpage", client));
  });

  it("another pod by its address: plaintext, and that pod's own policy", () => {
    const there = { from: client, url: `http://${ipOf(bookinfo, "ratings-v1")}:9080/ratings/0` };
    const result = trace(bookinfo, there);
    expect(told(result)).toMatchObject({
      outcome: "403 rbac_access_denied_matched_policy[none]",
      hops: [
        { listener: "0.0.0.0_9080", cluster: "PassthroughCluster" },
        { at: "ratings-v1 inbound", chain: "0.0.0.0_9080", cluster: "inbound|9080||" },
      ],
      unknowns: [],
    });
    expect(result.hops[0]?.details.transports).toEqual(["plaintext"]);
    const details = told(trace(bookinfo, { ...there, url: `http://${ipOf(bookinfo, "details-v1")}:9080/` }));
    expect(details).toMatchObject({ outcome: "endpoint", unknowns: [] });
    expect(details.hops[1]).toEqual(inboundHop("details-v1"));
  });

  it("a headless service: the client connects to a pod, and the route is the service's", () => {
    const files = filesWith(bookinfo, "cluster/services.json", (list) =>
      everyObject(list, (object) =>
        object["name"] === "details" && "clusterIPs" in object ? { ...object, clusterIPs: ["None"] } : object,
      ),
    );
    const result = trace(readForTrace(files), request);
    expect(result.request.originalDestination).toBe(`${ipOf(bookinfo, "details-v1")}:9080`);
    expect(told(result)).toEqual(healthy);
    expect(trace(bookinfo, request).request.originalDestination).toBe(`${clusterIp("details")}:9080`);
  });

  it("an address that nobody has: through, and the end", () => {
    const result = told(trace(bookinfo, { from: client, url: "http://203.0.113.9:8123/" }));
    expect(result).toMatchObject({
      outcome: "endpoint",
      hops: [{ listener: "virtualOutbound", cluster: "PassthroughCluster", to: ["203.0.113.9:8123"] }],
      unknowns: [],
    });
  });
});

const clusterIp = (name: string): string =>
  bookinfo.services.find((service) => service.name === name)?.clusterIp ?? "";

describe("TCP", () => {
  const mesh = buildMesh({ seed: 7, services: 8, proxies: 16, replicas: 2 });
  const service = mesh.services.find(
    ({ ports, serviceAccounts }) =>
      serviceAccounts.length > 0 &&
      ports.some(({ protocol, name }) => protocol === "tcp" && name === "tcp-data"),
  );
  const port = service?.ports.find(({ protocol }) => protocol === "tcp");
  if (service === undefined || port === undefined) throw new Error("no service of TCP with sidecars");
  const host = `${service.name}.${service.namespace}`;
  const url = `tcp://${host}:${port.port}`;

  it("between two sidecars: mutual TLS around bytes", () => {
    const result = trace(mesh, { from: client, url });
    expect(told(result)).toMatchObject({
      outcome: "endpoint",
      hops: [
        {
          listener: `${service.clusterIp}_${port.port}`,
          cluster: clusterOf(service.name, "", port.port, mesh),
        },
        {
          at: `${service.name} inbound`,
          listener: "virtualInbound",
          chain: `0.0.0.0_${port.targetPort}`,
          cluster: `inbound|${port.targetPort}||`,
        },
      ],
      decided: [],
      unknowns: [],
    });
    expect(result.hops[0]?.routeConfig).toBeNull();
    expect(result.hops[1]?.filterChain?.matched).toContain("mutual TLS");
  });

  it("to a cluster that is not there: the connection is closed, NC", () => {
    const cluster = clusterOf(service.name, "", port.port, mesh);
    const without = held(mesh, client, "clusters", cluster, () => null);
    expect(told(trace(without, { from: client, url }))).toMatchObject({
      outcome: "closed: NC cluster_not_found",
      hops: [{ cluster }],
    });
  });

  it("from a client that sends plaintext to a server that wants TLS: it is closed at the server", () => {
    const cluster = clusterOf(service.name, "", port.port, mesh);
    const plain = held(mesh, client, "clusters", cluster, (old) => without(old, "transport_socket_matches"));
    const strict = held(plain, service.name, "listeners", "virtualInbound", (listener) => ({
      ...listener,
      filter_chains: [listener["filter_chains"]]
        .flat()
        .filter(isObject)
        .filter((chain) => "transport_socket" in chain),
    }));
    expect(told(trace(strict, { from: client, url }))).toMatchObject({
      outcome: "closed: NR filter_chain_not_found",
      hops: [{ cluster }, { at: `${service.name} inbound`, chain: undefined }],
    });
    expect(told(trace(plain, { from: client, url })).outcome).toBe("endpoint");
  });
});
