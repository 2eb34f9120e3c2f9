import { describe, expect, it } from "vitest";

import {
  compareClusterNames,
  configSourceOf,
  parseConfigPath,
  parseSubsetKey,
  renderConfig,
  tableKey,
} from "../../src/snapshot/istio-config.js";

const withConfig = (config: unknown): Record<string, unknown> => ({
  metadata: { filter_metadata: { istio: { config } } },
});
const path = (version: string, kind = "virtual-service", group = "networking.istio.io"): string =>
  `/apis/${group}/${version}/namespaces/default/${kind}/reviews`;

describe("the resource in a cell", () => {
  it.each([
    { config: path("v1alpha3"), istioctl: 31, is: "reviews.default", because: "of the group" },
    { config: path("v1"), istioctl: 31, is: "reviews.default", because: "any version since 1.24" },
    { config: path("v1"), istioctl: 24, is: "reviews.default", because: "any version since 1.24" },
    { config: path("v1"), istioctl: 23, is: "<unknown>", because: "only v1alpha3 up to 1.23" },
    { config: path("v1alpha3"), istioctl: 23, is: "reviews.default", because: "v1alpha3 up to 1.23" },
    { config: path("v1alpha3", "destination-rule"), istioctl: 7, is: "reviews.default", because: "any kind" },
    {
      config: path("v1alpha3", "virtual-service", "networking"),
      istioctl: 31,
      is: "<unknown>",
      because: "the group of Istio 1.4",
    },
    {
      config: path("v1alpha2", "http-route", "gateway.networking.k8s.io"),
      istioctl: 31,
      is: "<unknown>",
      because: "another group",
    },
    { config: `${path("v1alpha3")}/more`, istioctl: 31, is: "", because: "too many pieces" },
    { config: "/apis/networking.istio.io/v1/namespaces/default", istioctl: 31, is: "", because: "too few" },
    { config: "", istioctl: 31, is: "<unknown>", because: "an empty path" },
    { config: 7, istioctl: 31, is: "<unknown>", because: "no text" },
  ])("1.$istioctl $config -> $is: $because", ({ config, istioctl, is }) => {
    expect(renderConfig(withConfig(config), istioctl)).toBe(is);
  });

  it("is empty where no metadata names one", () => {
    expect(renderConfig(undefined, 31)).toBe("");
    expect(renderConfig({}, 31)).toBe("");
    expect(renderConfig({ metadata: { filter_metadata: { istio: { subset: "v1" } } } }, 31)).toBe("");
  });
});

describe("the resource, taken apart", () => {
  it("has all that the path says", () => {
    expect(configSourceOf(withConfig(path("v1alpha3", "destination-rule")))).toEqual({
      group: "networking.istio.io",
      version: "v1alpha3",
      namespace: "default",
      kind: "DestinationRule",
      name: "reviews",
    });
  });

  it.each([
    { path: path("v1", "envoy-filter"), kind: "EnvoyFilter" },
    { path: path("v1alpha3", "virtual-service", "networking"), kind: "VirtualService" },
    { path: path("v1", "http-route", "gateway.networking.k8s.io"), kind: "HTTPRoute" },
    { path: path("v1", "sidecar"), kind: "Sidecar" },
  ])("$path is a $kind", ({ path, kind }) => {
    expect(parseConfigPath(path)).toMatchObject({ kind, name: "reviews", namespace: "default" });
  });

  it.each(["", "/apis", `${path("v1")}/more`, "apis/a/b/namespaces/c/d/e", "/apis/a/b/namespaces/c/d/"])(
    "%j is none",
    (path) => expect(parseConfigPath(path)).toBeNull(),
  );

  it("is none where no metadata names one", () => expect(configSourceOf({})).toBeNull());
});

describe("the parts of a cluster's name", () => {
  const parts = (direction: string, port: number, subset: string, hostname: string): unknown => ({
    direction,
    port,
    subset,
    hostname,
  });
  it.each([
    { name: "outbound|80|v1|a.b.svc", key: parts("outbound", 80, "v1", "a.b.svc") },
    { name: "inbound|80||", key: parts("inbound", 80, "", "") },
    { name: "inbound-vip|80|http|a.b.svc", key: parts("inbound-vip", 80, "http", "a.b.svc") },
    { name: "outbound|http||a", key: parts("outbound", 0, "", "a") },
    { name: "outbound|80||a|b", key: parts("outbound", 80, "", "a|b") },
    { name: "outbound_.80_.v1_.a.b.svc", key: parts("outbound", 80, "v1", "a.b.svc") },
    { name: "outbound_.80_._.*.b.svc", key: parts("outbound", 80, "", "*.b.svc") },
    { name: "inbound_.80_._.a", key: parts("inbound", 80, "", "a") },
    { name: "outbound|80|v1", key: null },
    { name: "outbound_.80_.a", key: null },
    { name: "xds-grpc", key: null },
    { name: "", key: null },
  ])("$name", ({ name, key }) => expect(parseSubsetKey(name)).toEqual(key));

  it("count in tables only where there are three bars", () => {
    expect(tableKey("outbound|80||a")).not.toBeNull();
    expect(tableKey("outbound_.80_._.a")).toBeNull();
  });

  it("order clusters: hostname, subset, port as a number, direction", () => {
    const inOrder = [
      "",
      "inbound|80||",
      "BlackHoleCluster",
      "outbound|9||a",
      "inbound-vip|80||a",
      "outbound|80||a",
      "outbound|9|v1|a",
      "agent",
      "outbound|9||b",
    ];
    expect([...inOrder].reverse().sort(compareClusterNames)).toEqual(inOrder);
  });
});
