import { describe, expect, it } from "vitest";

import { roleOf, rootOf, type Role } from "../../src/bundle/roles.js";
import { applyFaults } from "../support/mesh/faults.js";
import { bugReportLayout, bugReportVersions, mustGatherLayout, ownLayout } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";

const proxy = { namespace: "default", name: "a-1" };
const istiod = { namespace: "istio-system", name: "istiod-1" };

describe("the role of an entry", () => {
  it.each<{ name: string; role: Role }>([
    { name: "istio-snapshot/manifest.json", role: { kind: "manifest" } },
    { name: "manifest.json", role: { kind: "manifest" } },
    { name: "./manifest.json", role: { kind: "manifest" } },
    { name: "istio-snapshot/certificates.json", role: { kind: "certificates" } },
    { name: "certificates.json", role: { kind: "certificates" } },
    { name: "bug-report/istio-snapshot-redaction.json", role: { kind: "redaction" } },
    { name: "my dir/x/istio-snapshot-redaction.json", role: { kind: "redaction" } },
    { name: "my-certificates.json", role: { kind: "unknown" } },
    {
      name: "must-gather/namespaces/a/certificates.json",
      role: { kind: "other", layout: "must-gather" },
    },
    {
      name: "istio-snapshot/proxies/default/a-1/config_dump?include_eds",
      role: { kind: "proxyDump", proxy, layout: "shared" },
    },
    {
      name: "bug-report/proxies/default/a-1/config_dump",
      role: { kind: "proxyDump", proxy, layout: "shared" },
    },
    { name: "proxies/default/a-1/server_info", role: { kind: "serverInfo", proxy, layout: "shared" } },
    { name: "proxies/default/a-1/clusters", role: { kind: "clusters", proxy, layout: "shared" } },
    { name: "proxies/default/a-1/certs", role: { kind: "certs", proxy, layout: "shared" } },
    { name: "proxies/default/a-1/runtime", role: { kind: "runtime", proxy, layout: "shared" } },
    { name: "proxies/default/a-1/stats", role: { kind: "stats", proxy, layout: "shared" } },
    { name: "proxies/default/a-1/stats/prometheus", role: { kind: "stats", proxy, layout: "shared" } },
    {
      name: "proxies/default/a-1/istio-proxy.log",
      role: { kind: "otherProxyFile", proxy, layout: "shared" },
    },
    { name: "proxies/default/a-1/cores/0.core", role: { kind: "otherProxyFile", proxy, layout: "shared" } },
    {
      name: "istio-snapshot/ztunnel/istio-system/z-1/config_dump",
      role: { kind: "ztunnelDump", ztunnel: { namespace: "istio-system", name: "z-1" }, layout: "bundle" },
    },
    { name: "istio/istio-system/istiod-1/debug/syncz", role: { kind: "syncz", istiod, layout: "shared" } },
    {
      name: "istio/istio-system/istiod-1/debug/syncz.before",
      role: { kind: "synczBefore", istiod, layout: "bundle" },
    },
    {
      name: "istio/istio-system/istiod-1/debug/config_dump/default/a-1",
      role: { kind: "istiodDump", istiod, proxy, layout: "bundle" },
    },
    {
      name: "istio/istio-system/istiod-1/version",
      role: { kind: "istiodVersion", istiod, layout: "bundle" },
    },
    {
      name: "istio/istio-system/istiod-1/debug/configz",
      role: { kind: "istiodDebug", istiod, name: "configz", layout: "shared" },
    },
    {
      name: "istio/istio-system/istiod-1/debug/ndsz/default/a-1",
      role: { kind: "istiodDebug", istiod, name: "ndsz/default/a-1", layout: "shared" },
    },
    { name: "istio/istio-system/istiod-1/discovery.log", role: { kind: "other", layout: "bug-report" } },
    { name: "istio/istio-system/istiod-1/metrics", role: { kind: "other", layout: "bug-report" } },
    { name: "istio-snapshot/cluster/pods.json", role: { kind: "pods", layout: "bundle" } },
    { name: "istio-snapshot/cluster/services.json", role: { kind: "services", layout: "bundle" } },
    { name: "bug-report/cluster/pods", role: { kind: "other", layout: "bug-report" } },
    { name: "bug-report/versions", role: { kind: "other", layout: "bug-report" } },
    { name: "analyze/default/default", role: { kind: "other", layout: "bug-report" } },
    {
      name: "must-gather.local.1/image/namespaces/istio-system/default/debug-syncz.json",
      role: {
        kind: "syncz",
        istiod: { namespace: "istio-system", name: "revision/default" },
        layout: "must-gather",
      },
    },
    {
      name: "x/namespaces/istio-system/controlplane/synchronization",
      role: {
        kind: "syncz",
        istiod: { namespace: "istio-system", name: "controlplane" },
        layout: "must-gather",
      },
    },
    {
      name: "x/namespaces/default/pods/a-1/config_dump_proxy.json",
      role: { kind: "proxyDump", proxy, layout: "must-gather" },
    },
    {
      name: "x/namespaces/default/pods/a-1/envoyConfiguration",
      role: { kind: "proxyDump", proxy, layout: "must-gather" },
    },
    {
      name: "x/namespaces/default/pods/a-1/config_dump_istiod.json",
      role: { kind: "istiodDump", istiod: null, proxy, layout: "must-gather" },
    },
    {
      name: "x/namespaces/default/pods/a-1/pilotConfiguration",
      role: { kind: "istiodDump", istiod: null, proxy, layout: "must-gather" },
    },
    {
      name: "x/namespaces/default/pods/a-1/proxy_stats",
      role: { kind: "stats", proxy, layout: "must-gather" },
    },
    { name: "x/namespaces/default/core/pods.yaml", role: { kind: "other", layout: "must-gather" } },
    { name: "x/cluster-scoped-resources/nodes.yaml", role: { kind: "other", layout: "must-gather" } },
  ])("$name", ({ name, role }) => {
    expect(roleOf(name)).toEqual(role);
  });

  it.each([
    { name: "anything/else/proxies/default/a-1/config_dump", because: "the folders before it are free" },
    { name: "proxies/default/a-1/config_dump", because: "there may be no folder before it" },
    { name: "./proxies/default/a-1/config_dump", because: "tar may write it so" },
    { name: "line\nbreak/proxies/default/a-1/config_dump", because: "a folder may be called anything" },
  ])("is the same for $name: $because", ({ name }) => {
    expect(roleOf(name)).toEqual({ kind: "proxyDump", proxy, layout: "shared" });
  });

  it.each([
    { name: "", because: "there is no name" },
    { name: "README.md", because: "no tool writes it" },
    { name: "other/manifest.json", because: "another tool's manifest is none of ours" },
    { name: "istio-snapshot/manifest.json.bak", because: "the name goes on" },
    { name: "proxies/default/config_dump", because: "the pod is missing" },
    { name: "proxies/default/a-1/b/config_dump", because: "there is a folder too many" },
    { name: "notproxies/default/a-1/config_dump", because: "that is another folder" },
    { name: "proxies/default/a-1/config_dump?include_eds=false", because: "no tool writes it" },
    { name: "proxies/default/a-1/config_dumps", because: "the name goes on" },
  ])("is unknown for $name: $because", ({ name }) => {
    expect(roleOf(name)).toEqual({ kind: "unknown" });
  });

  it("may name a pod or namespace like a folder of ours", () => {
    expect(roleOf("proxies/proxies/istio/config_dump")).toEqual({
      kind: "proxyDump",
      proxy: { namespace: "proxies", name: "istio" },
      layout: "shared",
    });
  });
});

describe("no file of a layout is unknown", () => {
  const { mesh } = applyFaults(buildMesh(), ["listed-not-captured"]);
  it.each([
    { layout: "own", files: () => ownLayout(mesh) },
    ...bugReportVersions.map((istioctl) => ({
      layout: `bug-report of ${istioctl}`,
      files: () => bugReportLayout(mesh, { istioctl }),
    })),
    {
      layout: "bug-report without a top folder",
      files: () => bugReportLayout(mesh, { istioctl: "1.24", root: "" }),
    },
  ])("$layout", ({ files }) => {
    const unknown = [...files()].map(({ name }) => name).filter((name) => roleOf(name).kind === "unknown");
    expect(unknown).toEqual([]);
  });
  it.each([2, 3] as const)("must-gather %d, but for its version file", (ossm) => {
    const unknown = [...mustGatherLayout(mesh, { ossm, root: "x" })]
      .map(({ name }) => name)
      .filter((name) => roleOf(name).kind === "unknown");
    expect(unknown).toEqual(ossm === 3 ? ["x/version"] : []);
  });
});

describe("the root of a layout", () => {
  it.each([
    { name: "istio-snapshot/proxies/default/a-1/certs", root: "istio-snapshot/" },
    { name: "istio-snapshot/manifest.json", root: "istio-snapshot/" },
    { name: "proxies/default/a-1/certs", root: "" },
    { name: "versions", root: "" },
    { name: "my dir/x/istio/istio-system/istiod-1/debug/syncz", root: "my dir/x/" },
    { name: "must-gather.local.1/quay-io/namespaces/cluster/pods/a/b", root: "must-gather.local.1/quay-io/" },
    { name: "x/cluster-scoped-resources/core/nodes/a.yaml", root: "x/" },
  ])("of $name is $root", ({ name, root }) => {
    expect(rootOf(name)).toBe(root);
  });
});
