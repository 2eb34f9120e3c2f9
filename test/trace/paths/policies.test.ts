import { describe, expect, it } from "vitest";

import { bugReportFiles } from "../../support/snapshot-of.js";
import { buildMesh } from "../../support/mesh/mesh.js";
import {
  bookinfo,
  healthyPath,
  inboundHop,
  outboundHop,
  readForTrace,
  told,
  trace,
  type Told,
} from "./bookinfo.js";

/** Only reviews may read from ratings: an AuthorizationPolicy of the sample. */
const url = "http://ratings:9080/ratings/0";
const allowed: Told = {
  ...healthyPath("reviews-v2", "ratings", "ratings-v1"),
  decided: ["envoy.filters.http.rbac allowed ns[default]-policy[ratings-viewer]-rule[0]"],
};
const denied = (from: string): Told => ({
  outcome: "403 rbac_access_denied_matched_policy[none]",
  hops: [outboundHop(from, "ratings", "ratings-v1"), { ...inboundHop("ratings-v1"), to: [] }],
  decided: [expect.stringMatching(/^envoy\.filters\.http\.rbac denied/)],
  nearMisses: [],
  unknowns: [],
});

describe("an authorization policy", () => {
  it("lets the principal through that it names", () => {
    expect(told(trace(bookinfo, { from: "reviews-v2", url }))).toEqual(allowed);
  });

  it("denies another principal: 403 at the server", () => {
    expect(told(trace(bookinfo, { from: "productpage-v1", url }))).toEqual(denied("productpage-v1"));
  });

  it("denies the right principal with another method", () => {
    expect(told(trace(bookinfo, { from: "reviews-v2", url, method: "POST" }))).toEqual(denied("reviews-v2"));
  });

  it("denies a client that nothing is known of: without TLS it is nobody", () => {
    const result = told(trace(bookinfo, { from: "ratings-v1", url, direction: "inbound" }));
    expect(result).toMatchObject({
      outcome: "403 rbac_access_denied_matched_policy[none]",
      hops: [{ at: "ratings-v1 inbound", chain: "0.0.0.0_9080" }],
      unknowns: [],
    });
  });

  it("of releases that keep the principal in filter state decides the same", () => {
    const old = buildMesh({ seed: 7, istioVersion: "1.20.4" });
    expect(told(trace(old, { from: "reviews-v2", url })).outcome).toBe("endpoint");
    expect(told(trace(old, { from: "productpage-v1", url })).outcome).toBe(denied("productpage-v1").outcome);
  });

  it("of a bug-report, whose /clusters are text, decides the same", () => {
    const snapshot = readForTrace(bugReportFiles()(bookinfo));
    expect(told(trace(snapshot, { from: "reviews-v2", url }))).toEqual(allowed);
    expect(told(trace(snapshot, { from: "productpage-v1", url }))).toEqual(denied("productpage-v1"));
  });
});
