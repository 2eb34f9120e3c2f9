import { describe, expect, it } from "vitest";

import { replaceEntryName } from "../../src/redact/entry-names.js";

const marked = (path: string): string => replaceEntryName(path, (name) => `<${name}>`);

describe("an entry's name", () => {
  it.each([
    [
      "istio-snapshot/proxies/prod/reviews-1/config_dump?include_eds",
      "istio-snapshot/proxies/<prod>/<reviews-1>/config_dump?include_eds",
    ],
    ["proxies/prod/reviews-1/stats/prometheus", "proxies/<prod>/<reviews-1>/stats/prometheus"],
    ["proxies/prod/reviews-1/cores/0.core", "proxies/<prod>/<reviews-1>/cores/0.core"],
    ["proxies/istio/debug/certs", "proxies/<istio>/<debug>/certs"],
    [
      "istio-snapshot/istio/mesh/istiod-1/debug/syncz.before",
      "istio-snapshot/istio/<mesh>/<istiod-1>/debug/syncz.before",
    ],
    [
      "istio/mesh/istiod-1/debug/config_dump/prod/reviews-1",
      "istio/<mesh>/<istiod-1>/debug/config_dump/<prod>/<reviews-1>",
    ],
    [
      "istio/mesh/istiod-1/debug/ndsz/prod/reviews-1",
      "istio/<mesh>/<istiod-1>/debug/ndsz/<prod>/<reviews-1>",
    ],
    ["istio/mesh/istiod-1/version", "istio/<mesh>/<istiod-1>/version"],
    [
      "istio-snapshot/ztunnel/mesh/ztunnel-1/config_dump",
      "istio-snapshot/ztunnel/<mesh>/<ztunnel-1>/config_dump",
    ],
    ["istio-snapshot/cluster/pods.json", "istio-snapshot/cluster/pods.json"],
    ["istio-snapshot/manifest.json", "istio-snapshot/manifest.json"],
    ["istio-snapshot/certificates.json", "istio-snapshot/certificates.json"],
    ["bug-report/istio-snapshot-redaction.json", "bug-report/istio-snapshot-redaction.json"],
    ["bug-report/cluster/k8s-resources", "bug-report/cluster/k8s-resources"],
    ["bug-report/analyze/allNamespaces/allNamespaces", "bug-report/analyze/allNamespaces/allNamespaces"],
    ["bug-report/analyze/prod/prod", "bug-report/analyze/<prod>/<prod>"],
    ["acme-july/proxies/prod/reviews-1/certs", "<acme-july>/proxies/<prod>/<reviews-1>/certs"],
    [
      "must-gather/quay-acme/namespaces/prod/pods/reviews-1/config_dump_proxy.json",
      "must-gather/<quay-acme>/namespaces/<prod>/pods/<reviews-1>/config_dump_proxy.json",
    ],
    ["namespaces/prod/blue/debug-syncz.json", "namespaces/<prod>/<blue>/debug-syncz.json"],
    ["namespaces/prod/core/pods.yaml", "namespaces/<prod>/core/pods.yaml"],
    ["cluster-scoped-resources/nodes/worker-1.yaml", "cluster-scoped-resources/<nodes>/<worker-1>.yaml"],
  ])("%s -> %s", (path, expected) => {
    expect(marked(path)).toBe(expected);
  });

  it.each(["prod", "core", "reviews-1", "istio-snapshot", "admin@acme"])("may be a bare name: %s", (name) => {
    expect(marked(name)).toBe(`<${name}>`);
  });

  it("is left where it is empty, and keeps the slashes at its ends", () => {
    expect(marked("")).toBe("");
    expect(marked("/a/")).toBe("/<a>/");
  });
});
