import { describe, expect, it } from "vitest";

import type { JsonValue } from "../../src/shared/json-value.js";
import { sourcesOfDifference } from "../../src/diff/sources.js";

const path = (kind: string, name: string, group = "networking.istio.io"): JsonValue => ({
  filter_metadata: { istio: { config: `/apis/${group}/v1/namespaces/default/${kind}/${name}` } },
});
const made = (name: string, fields: Record<string, JsonValue>): JsonValue => ({
  ...fields,
  metadata: path("virtual-service", name),
});

describe("the Istio resources behind a difference", () => {
  it.each<{ says: string; before: JsonValue | null; after: JsonValue | null; sources: readonly string[] }>([
    {
      says: "the one whose object differs",
      before: { routes: [made("a", { t: 1 }), made("b", { t: 1 })] },
      after: { routes: [made("a", { t: 2 }), made("b", { t: 1 })] },
      sources: ["VirtualService/a.default"],
    },
    {
      says: "all of what came",
      before: null,
      after: { routes: [made("b", {}), made("a", {})] },
      sources: ["VirtualService/a.default", "VirtualService/b.default"],
    },
    {
      says: "the old and the new one",
      before: { routes: [made("a", {})] },
      after: { routes: [made("b", {})] },
      sources: ["VirtualService/a.default", "VirtualService/b.default"],
    },
    {
      says: "their order",
      before: { routes: [made("a", { t: 1 }), made("a", { t: 2 })] },
      after: { routes: [made("a", { t: 2 }), made("a", { t: 1 })] },
      sources: ["VirtualService/a.default"],
    },
    {
      says: "of other groups",
      before: null,
      after: { metadata: path("http-route", "a", "gateway.networking.k8s.io") },
      sources: ["HTTPRoute/a.default"],
    },
    { says: "none, where nothing is named", before: { t: 1 }, after: { t: 2 }, sources: [] },
  ])("$says", ({ before, after, sources }) => {
    expect(sourcesOfDifference("listener", "l", before, after)).toEqual(sources);
  });

  it("the host of a cluster or of endpoints, where nothing else is named", () => {
    const name = "outbound|80|v1|reviews.default.svc.cluster.local";
    const host = ["Host/reviews.default.svc.cluster.local"];
    expect(sourcesOfDifference("cluster", name, null, { t: 1 })).toEqual(host);
    expect(sourcesOfDifference("endpointAssignment", name, null, {})).toEqual(host);
    expect(sourcesOfDifference("cluster", "BlackHoleCluster", null, {})).toEqual([]);
    expect(sourcesOfDifference("cluster", name, null, { metadata: path("destination-rule", "r") })).toEqual([
      "DestinationRule/r.default",
    ]);
  });

  it("costs what there is: 50,000 routes of one VirtualService", () => {
    const routes = (t: number): JsonValue => ({
      routes: Array.from({ length: 50_000 }, () => made("a", { t })),
    });
    expect(sourcesOfDifference("routeConfiguration", "80", routes(1), routes(2))).toEqual([
      "VirtualService/a.default",
    ]);
  });
});
