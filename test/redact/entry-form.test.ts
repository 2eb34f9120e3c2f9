import { describe, expect, it } from "vitest";

import { binaryReason, entryForm, placeName, sniffedForm } from "../../src/redact/entry-form.js";

describe("the form of a file", () => {
  it.each([
    ["istio-snapshot/proxies/ns/pod/config_dump?include_eds", "JSON"],
    ["bug-report/proxies/ns/pod/config_dump", "JSON"],
    ["bug-report\\proxies\\ns\\pod\\server_info", "JSON"],
    ["proxies/ns/pod/certs", "JSON"],
    ["istio/ns/pod/debug/syncz.before", "JSON"],
    ["istio/ns/pod/debug/config_dump/ns/pod", "JSON"],
    ["istio/ns/pod/debug/inject", "injection template"],
    ["cluster/pods.json", "JSON"],
    ["namespaces/ns/pods/pod/config_dump_proxy.json", "JSON"],
    ["namespaces/ns/pods/pod/envoyConfiguration", "JSON"],
    ["proxies/ns/pod/clusters", "figures"],
    ["proxies/ns/pod/stats/prometheus", "figures"],
    ["istio/ns/pod/metrics", "figures"],
    ["istio/ns/pod/version", "figures"],
    ["proxies/ns/pod/istio-proxy.log", "log"],
    ["bug-report.log", "log"],
    ["cluster/cluster-context", "cluster context"],
    ["cluster/k8s-resources", "YAML"],
    ["cluster/secrets", "YAML"],
    ["namespaces/ns/core/configmaps.yaml", "YAML"],
    ["proxies/ns/pod/cores/0.core", "binary"],
    ["versions", "unknown"],
    ["cluster/events", "unknown"],
  ])("%s: %s", (name, kind) => expect(entryForm(name).kind).toBe(kind));
});

describe("bytes that are no text", () => {
  it.each([
    [Buffer.from([0x1f, 0x8b, 8]), "is compressed"],
    [Buffer.from("PK\u0003\u0004"), "is a zip archive"],
    [Buffer.from("ELF\0"), "is no text: it holds zero bytes"],
    [Buffer.from("text"), null],
    [Buffer.alloc(0), null],
  ])("%s", (bytes, reason) => expect(binaryReason(bytes)).toBe(reason));
});

describe("a text without a telling name", () => {
  it.each([
    ['{"a":1}', "JSON"],
    ["\n [ {", "JSON"],
    ["[]", "JSON"],
    ["[info] a line", "text"],
    ["apiVersion: v1\nkind: Pod\n", "YAML"],
    ["---\na: 1\n", "YAML"],
    ["- apiVersion: v1\n", "YAML"],
    ["# made by x\napiVersion: v1\n", "YAML"],
    ["NAME  READY\n", "text"],
    ["", "text"],
  ])("%j: %s", (head, form) => expect(sniffedForm(head)).toBe(form));
});

describe("a place for people", () => {
  it.each([
    ["istio-snapshot/proxies/ns/pod/istio-proxy.log", "proxies/*/*/istio-proxy.log"],
    ["bug-report/istio/ns/pod/discovery.log", "istio/*/*/discovery.log"],
    ["x/cni/pod/cni.log", "cni/*/cni.log"],
    ["a/namespaces/ns/pods/pod/proxy_stats", "namespaces/*/pods/*/proxy_stats"],
    ["a/namespaces/ns/core/events.txt", "namespaces/*/core/events.txt"],
    ["bug-report/cluster/events", "cluster/events"],
    ["bug-report/analyze/ns/ns", "analyze/*"],
    ["versions", "versions"],
  ])("%s: %s", (name, place) => expect(placeName(name)).toBe(place));
});
