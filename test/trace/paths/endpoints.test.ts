import { describe, expect, it } from "vitest";

import type { Snapshot } from "../../../src/snapshot/model.js";
import { addressesOf, liveAssignment } from "../../support/mesh/endpoints.js";
import { isObject, textOf, type JsonObject } from "../../support/mesh/json.js";
import type { Mesh } from "../../support/mesh/model.js";
import {
  bookinfo,
  clusterOf,
  everyObject,
  fileOf,
  filesWith,
  healthyPath,
  held,
  inboundHop,
  ipOf,
  readForTrace,
  objectIn,
  told,
  trace,
  type Told,
} from "./bookinfo.js";

const client = "productpage-v1";
const all = clusterOf("reviews");

/** The client's route to reviews leads to one cluster. */
const routedTo = (mesh: Mesh, cluster: string): Mesh =>
  held(mesh, client, "routes", "9080", (routes) =>
    objectIn(
      everyObject(routes, ({ weighted_clusters: weighted, ...action }) =>
        weighted === undefined ? action : { ...action, cluster },
      ),
    ),
  );

/** Outlier detection, with which Istio also turns panic off. */
const withOutlierDetection = (mesh: Mesh, cluster: string): Mesh =>
  held(mesh, client, "clusters", cluster, (old) => ({
    ...old,
    outlier_detection: { consecutive_5xx: 5 },
    common_lb_config: { ...objectIn(old["common_lb_config"]), healthy_panic_threshold: {} },
  }));

/** As `/clusters` of the client tells it: these addresses are ejected. */
function ejected(mesh: Mesh, cluster: string, addresses: readonly string[]): Snapshot {
  const eject = (host: JsonObject): JsonObject => ({
    ...host,
    health_status: { ...objectIn(host["health_status"]), failed_outlier_check: true },
  });
  const isEjected = (object: JsonObject): boolean =>
    addresses.includes(textOf(objectIn(objectIn(object["address"])["socket_address"]), "address"));
  const files = filesWith(mesh, fileOf(mesh, client, "clusters"), (statuses) =>
    everyObject(statuses, (object) =>
      object["name"] === cluster && Array.isArray(object["host_statuses"])
        ? {
            ...object,
            host_statuses: object["host_statuses"]
              .filter(isObject)
              .map((host) => (isEjected(host) ? eject(host) : host)),
          }
        : object,
    ),
  );
  return readForTrace(files);
}

const request = { from: client, url: "http://reviews:9080/reviews/0" };
const ips = ["reviews-v1", "reviews-v2", "reviews-v3"].map((workload) => ipOf(bookinfo, workload));
const third: unknown = expect.closeTo(1 / 3, 10);
const ends = (told: Told): readonly string[] => told.hops[0]?.to.map((end) => end.split(" ")[1] ?? "") ?? [];

describe("ejected endpoints", () => {
  const mesh = withOutlierDetection(routedTo(bookinfo, all), all);
  const sharesOf = (snapshot: Snapshot): unknown =>
    trace(snapshot, request).hops[0]?.endpoints.map(({ health, share }) => [health, share]);

  it("none: every endpoint has its share", () => {
    const snapshot = ejected(mesh, all, []);
    expect(told(trace(snapshot, request))).toMatchObject({
      outcome: "endpoint",
      nearMisses: [],
      unknowns: [],
    });
    expect(sharesOf(snapshot)).toEqual(ips.map(() => ["healthy", third]));
  });

  it("one of three: the others take its share, and it is never the end", () => {
    const [gone = "", ...others] = ips;
    const snapshot = ejected(mesh, all, [gone]);
    expect(sharesOf(snapshot)).toEqual(
      expect.arrayContaining([
        ["unhealthy", 0],
        ["healthy", 0.5],
        ["healthy", 0.5],
      ]),
    );
    const { branches } = trace(snapshot, { ...request, allBranches: true });
    expect(branches.map(({ share, outcome }) => [share, outcome.kind])).toEqual([
      [0.5, "endpoint"],
      [0.5, "endpoint"],
    ]);
    const reached = branches.map(({ hops }) => hops[1]?.endpoints[0]?.address);
    expect(reached.toSorted()).toEqual(others.toSorted());
  });

  it("all of them: 503 UH, at the client", () => {
    expect(told(trace(ejected(mesh, all, ips), request))).toEqual({
      outcome: "503 UH no_healthy_upstream",
      hops: [{ at: `${client} outbound`, listener: "0.0.0.0_9080", chain: "", cluster: all, to: [] }],
      decided: [],
      nearMisses: [],
      unknowns: [],
    });
  });

  it("all of them, where panic is not turned off: each is sent to all the same", () => {
    const snapshot = ejected(routedTo(bookinfo, all), all, ips);
    expect(told(trace(snapshot, request)).outcome).toBe("endpoint");
    expect(sharesOf(snapshot)).toEqual(ips.map(() => ["unhealthy", third]));
  });

  it("in another cluster are none in this one", () => {
    const elsewhere = ejected(mesh, clusterOf("reviews", "v1"), ips);
    expect(sharesOf(elsewhere)).toEqual(ips.map(() => ["healthy", third]));
  });
});

describe("a subset", () => {
  const subset = clusterOf("reviews", "v2");
  const mesh = routedTo(bookinfo, subset);

  it("with endpoints is reached", () => {
    expect(told(trace(mesh, request))).toEqual(healthyPath(client, "reviews", "reviews-v2", "v2"));
  });

  it("without endpoints: 503 UH", () => {
    const empty = held(mesh, client, "endpoints", subset, () => liveAssignment(subset, []));
    expect(told(trace(empty, request))).toEqual({
      outcome: "503 UH no_healthy_upstream",
      hops: [{ at: `${client} outbound`, listener: "0.0.0.0_9080", chain: "", cluster: subset, to: [] }],
      decided: [],
      nearMisses: [],
      unknowns: [],
    });
  });

  it("that no DestinationRule defines has no cluster: 503 NC", () => {
    const missing = held(mesh, client, "clusters", subset, () => null);
    expect(told(trace(missing, request))).toEqual({
      outcome: "503 NC cluster_not_found",
      hops: [{ at: `${client} outbound`, listener: "0.0.0.0_9080", chain: "", cluster: subset, to: [] }],
      decided: [],
      nearMisses: [],
      unknowns: [],
    });
  });

  it("one of three that is empty is a branch of its own, with its weight", () => {
    const empty = held(bookinfo, client, "endpoints", subset, () => liveAssignment(subset, []));
    const { outcome, branches } = trace(empty, { ...request, allBranches: true });
    expect(outcome.kind).toBe("endpoint");
    expect(branches.map(({ share, outcome: end }) => [share, end.kind, end.detail])).toEqual([
      [0.8, "endpoint", ""],
      [0.15, "failure", "no_healthy_upstream"],
      [0.05, "endpoint", ""],
    ]);
  });
});

describe("an endpoint", () => {
  it("that is a stale address: nothing tells of a proxy there, and it is the end", () => {
    const [service] = bookinfo.services.filter(({ name }) => name === "details");
    const [port] = service?.ports ?? [];
    if (service === undefined || port === undefined) throw new Error("no details");
    const [address] = addressesOf(service, port, "", bookinfo.pods);
    if (address === undefined) throw new Error("no endpoint");
    const cluster = clusterOf("details");
    const old = { ...address, address: "10.244.9.9", pod: null };
    const stale = held(bookinfo, client, "endpoints", cluster, () => liveAssignment(cluster, [old]));
    const result = told(trace(stale, { from: client, url: "http://details:9080/" }));
    expect(result).toMatchObject({ outcome: "endpoint", unknowns: [] });
    expect(result.hops).toHaveLength(1);
    const known = told(trace(bookinfo, { from: client, url: "http://details:9080/" }));
    expect(known.hops[1]).toEqual(inboundHop("details-v1"));
    expect(ends(known)).toEqual(["details-v1"]);
  });
});
