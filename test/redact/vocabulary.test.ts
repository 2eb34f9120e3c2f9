import { describe, expect, it } from "vitest";

import {
  isFieldName,
  isKept,
  isLabelName,
  isMakersName,
  isMakersType,
  isProjectDomain,
  isProse,
  isTechnical,
  isWellKnown,
} from "../../src/redact/vocabulary.js";

describe("words that are kept", () => {
  it.each([
    "outbound",
    "svc",
    "Kubernetes",
    "istio-system",
    "x-request-id",
    "X-Request-Id",
    "refused-stream",
    "GET",
    "LEAST_REQUEST",
    "VirtualService",
    "version_info",
    "versionInfo",
    "upstream_cx_total",
    "istio_requests_total",
    "envoy_cluster_upstream_rq_total",
    "TLSv1_2",
    "ECDHE-RSA-AES256-GCM-SHA384",
  ])("%s in values", (word) => {
    expect(isKept(word)).toBe(true);
  });

  it.each([
    "details",
    "identity",
    "catalog",
    "prod",
    "payments",
    "metrics-server",
    "update_user",
    "upstream_acme",
    "istio_acme",
    "ACME_PROD",
    "virtualservice-acme",
    "constructor",
    "__proto__",
  ])("%s is none of them", (word) => {
    expect(isKept(word)).toBe(false);
  });

  it.each([
    "details",
    "virtual_hosts",
    "virtualHosts",
    "hidden_envoy_deprecated_tls_context",
    "spec",
    "connectionId",
    "Shards",
    "ISTIO_META_CLUSTER_ID",
    "@type",
  ])("%s as a key", (key) => {
    expect(isFieldName(key)).toBe(true);
  });

  it.each(["payments", "prod", "acme.com/team", "ISTIO_META_ACME", "constructor", "__proto__", ""])(
    "%j is no field's name",
    (key) => {
      expect(isFieldName(key)).toBe(false);
    },
  );

  it("has words of sentences and of Envoy's dotted names apart", () => {
    expect([isProse("Listener"), isKept("update"), isProse("acme")]).toEqual([true, false, false]);
    expect([isTechnical("identity"), isTechnical("HttpConnectionManager"), isTechnical("acme")]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe("names of the makers", () => {
  it("begin as theirs do, and are no hosts", () => {
    const at = (name: string, before = ""): boolean => isMakersName(name, before.length, before + name);
    expect(at("envoy.filters.http.router")).toBe(true);
    expect(at("stats.PluginConfig", "type.googleapis.com/")).toBe(true);
    expect(at("stats.PluginConfig")).toBe(false);
    expect(at("istio.prod.svc.cluster.local")).toBe(false);
    expect(isMakersType("envoy.acme.Thing", 20, "type.googleapis.com/envoy.acme.Thing")).toBe(true);
    expect(isMakersType("acme.Thing", 20, "type.googleapis.com/acme.Thing")).toBe(false);
  });

  it("are below their domains", () => {
    expect([
      isProjectDomain("istio.io"),
      isProjectDomain("security.istio.io"),
      isProjectDomain("myistio.io"),
    ]).toEqual([true, true, false]);
    expect([
      isLabelName("security.istio.io", "tlsMode"),
      isLabelName("app.kubernetes.io", "name"),
      isLabelName("node-role.kubernetes.io", "acme"),
    ]).toEqual([true, true, false]);
  });

  it("may be a whole value", () => {
    expect([isWellKnown("./etc/istio/proxy"), isWellKnown("./etc/acme/proxy")]).toEqual([true, false]);
  });
});
