import { describe, expect, it } from "vitest";

import { isObject, type JsonObject } from "../../support/mesh/json.js";
import type { Mesh } from "../../support/mesh/model.js";
import { bookinfo, clusterOf, healthyPath, held, objectIn, told, trace } from "./bookinfo.js";

const client = "productpage-v1";
const host = "reviews.default.svc.cluster.local:9080";

/** The client's virtual host of reviews, changed. */
const withVirtualHost = (change: (virtualHost: JsonObject) => JsonObject | null): Mesh =>
  held(bookinfo, client, "routes", "9080", (routes) => ({
    ...routes,
    virtual_hosts: [routes["virtual_hosts"]]
      .flat()
      .filter(isObject)
      .flatMap((one) => {
        const now = one["name"] === host ? change(one) : one;
        return now === null ? [] : [now];
      }),
  }));
const withRoutes = (...routes: JsonObject[]): Mesh => withVirtualHost((old) => ({ ...old, routes }));

const route = (name: string, match: JsonObject, subset: string): JsonObject => ({
  name,
  match,
  route: { cluster: clusterOf("reviews", subset), timeout: "0s" },
});
const toAll = route("to all", { prefix: "/" }, "v1");
const forJason = route(
  "for jason",
  { prefix: "/", headers: [{ name: "end-user", string_match: { exact: "jason" } }] },
  "v2",
);
const jason = {
  from: client,
  url: "http://reviews:9080/reviews/0",
  headers: [["end-user", "jason"] as const],
};

describe("a route behind another one", () => {
  it("that takes everything is never reached", () => {
    const result = trace(withRoutes(toAll, forJason), jason);
    expect(told(result)).toEqual(healthyPath(client, "reviews", "reviews-v1", "v1"));
    expect(result.hops[0]).toMatchObject({ route: "to all", routeMatch: "prefix /" });
    expect(result.hops[0]?.nearMisses).toContainEqual({
      what: "route",
      name: "for jason",
      because: "prefix / comes first and takes the request",
    });
  });

  it("in the right order is reached by what it is for, and by nothing else", () => {
    const mesh = withRoutes(forJason, toAll);
    const result = trace(mesh, jason);
    expect(told(result)).toEqual(healthyPath(client, "reviews", "reviews-v2", "v2"));
    expect(result.hops[0]).toMatchObject({ route: "for jason" });
    const maria = trace(mesh, { ...jason, headers: [["end-user", "maria"]] });
    expect(told(maria)).toEqual(healthyPath(client, "reviews", "reviews-v1", "v1"));
    expect(maria.hops[0]?.route).toBe("to all");
  });
});

describe("no route", () => {
  it("for the path: 404 NR, and the near miss says what differs", () => {
    const mesh = withRoutes(route("reviews", { prefix: "/Reviews" }, "v1"));
    expect(told(trace(mesh, jason))).toEqual({
      outcome: "404 NR route_not_found",
      hops: [{ at: `${client} outbound`, listener: "0.0.0.0_9080", chain: "", cluster: null, to: [] }],
      decided: [],
      nearMisses: [expect.stringMatching(/^route reviews: .*case/)],
      unknowns: [],
    });
    const there = withRoutes(route("reviews", { prefix: "/reviews" }, "v1"));
    expect(told(trace(there, jason))).toEqual(healthyPath(client, "reviews", "reviews-v1", "v1"));
  });

  it("of the host: with ALLOW_ANY it goes on to where the client connects, past the mesh's own routes", () => {
    const result = told(
      trace(
        withVirtualHost(() => null),
        jason,
      ),
    );
    expect(result).toMatchObject({
      outcome: "endpoint",
      hops: [{ listener: "0.0.0.0_9080", cluster: "PassthroughCluster" }],
      unknowns: [],
    });
    expect(result.hops[0]?.to).toEqual([`${clusterIp("reviews")}:9080`]);
  });

  it("of the host: with REGISTRY_ONLY Istio's own answer, 502", () => {
    const registryOnly = held(bookinfo, client, "routes", "9080", (routes) => ({
      ...routes,
      virtual_hosts: [
        {
          name: "block_all",
          domains: ["*"],
          routes: [{ name: "block_all", match: { prefix: "/" }, direct_response: { status: 502 } }],
        },
      ],
    }));
    const { outcome, hops } = trace(registryOnly, jason);
    expect(outcome).toMatchObject({ kind: "direct_response", status: 502, responseFlags: [] });
    expect(hops).toHaveLength(1);
    expect(hops[0]).toMatchObject({ virtualHost: "block_all", cluster: null });
  });

  it("at all: the proxy has no such route configuration", () => {
    const none = held(bookinfo, client, "routes", "9080", () => null);
    const result = trace(none, jason);
    expect(result.outcome).toMatchObject({ kind: "failure", status: 404, responseFlags: ["NR"] });
    expect(result.hops).toHaveLength(1);
  });
});

const clusterIp = (name: string): string =>
  bookinfo.services.find((service) => service.name === name)?.clusterIp ?? "";

describe("what a route does on the way", () => {
  it("a rewritten path and host are what the next proxy gets", () => {
    const rewriting = withRoutes({
      ...toAll,
      route: { ...objectIn(toAll["route"]), prefix_rewrite: "/v1/", host_rewrite_literal: "other" },
    });
    const result = trace(rewriting, jason);
    expect(told(result)).toEqual(healthyPath(client, "reviews", "reviews-v1", "v1"));
    expect(result.hops[0]?.rewritten).toEqual({ path: "/v1/reviews/0", authority: "other" });
    expect(Object.fromEntries(result.hops[1]?.requestHeaders ?? [])).toMatchObject({
      ":path": "/v1/reviews/0",
      ":authority": "other",
      "end-user": "jason",
    });
    expect(trace(withRoutes(toAll), jason).hops[0]?.rewritten).toEqual({ path: null, authority: null });
  });

  it("a redirect ends it", () => {
    const redirecting = withRoutes({
      name: "moved",
      match: { prefix: "/" },
      redirect: { host_redirect: "new.example.com", response_code: "FOUND" },
    });
    const { outcome, hops } = trace(redirecting, jason);
    expect(outcome).toMatchObject({
      kind: "redirect",
      status: 302,
      location: "http://new.example.com/reviews/0",
    });
    expect(hops).toHaveLength(1);
  });
});
