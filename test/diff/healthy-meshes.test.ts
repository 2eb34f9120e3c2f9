import { describe, expect, it } from "vitest";

import { findingsOf } from "../support/drift-findings.js";
import { driftFaults } from "../support/mesh/drift-faults.js";
import { variants } from "../support/mesh/healthy-variants.js";
import { buildMesh } from "../support/mesh/mesh.js";
import type { Mesh, MeshOptions } from "../support/mesh/model.js";
import type { BugReportVersion } from "../support/mesh/layouts.js";
import { bugReportOf, bundleOf } from "../support/snapshot-of.js";

type VariantName = keyof typeof variants;

const small = { services: 8, proxies: 18 } as const;

/** Twenty meshes in which all is well, and why what they hold is not all the same. */
const healthyMeshes: readonly {
  readonly istioctl: BugReportVersion;
  readonly options: Partial<MeshOptions>;
  readonly because: readonly VariantName[];
}[] = [
  { istioctl: "1.8", options: { istioVersion: "1.6.14", seed: 1 }, because: [] },
  { istioctl: "1.8", options: { istioVersion: "1.8.6", seed: 2, ...small }, because: [] },
  {
    istioctl: "1.8",
    options: { istioVersion: "1.8.6", seed: 3, ...small },
    because: ["failover", "otherOrder"],
  },
  { istioctl: "1.8", options: { istioVersion: "1.8.6", seed: 4, ...small }, because: ["headlessService"] },
  { istioctl: "1.12", options: { istioVersion: "1.12.9", seed: 5, ...small, istiods: 3 }, because: [] },
  {
    istioctl: "1.12",
    options: { istioVersion: "1.12.9", seed: 6, ...small },
    because: ["dnsHost", "rollout"],
  },
  {
    istioctl: "1.12",
    options: { istioVersion: "1.12.9", seed: 7, ...small, replicas: 4, proxies: 20 },
    because: ["canary", "hostOfTwoNamespaces"],
  },
  {
    istioctl: "1.17",
    options: { istioVersion: "1.17.8", seed: 8, ...small, istiods: 1 },
    because: ["wasmModule"],
  },
  {
    istioctl: "1.17",
    options: { istioVersion: "1.17.8", seed: 9, ...small },
    because: ["twoNetworks", "failover"],
  },
  { istioctl: "1.17", options: { istioVersion: "1.17.8", seed: 10, ...small }, because: ["partlyCaptured"] },
  { istioctl: "1.20", options: { istioVersion: "1.20.3", seed: 11, ...small }, because: ["ejectedHost"] },
  {
    istioctl: "1.20",
    options: { istioVersion: "1.20.3", seed: 12, ...small, namespaces: 2 },
    because: ["localityWeights", "failover", "emptySubset", "nodeLocalService"],
  },
  {
    istioctl: "1.20",
    options: { istioVersion: "1.20.3", seed: 13, services: 5, proxies: 25, replicas: 5 },
    because: ["headlessService", "rollout", "otherOrder"],
  },
  {
    istioctl: "1.24",
    options: { istioVersion: "1.24.2", seed: 14 },
    because: ["otherOrder", "localityWeights"],
  },
  {
    istioctl: "1.24",
    options: { istioVersion: "1.24.2", seed: 15, ...small, bookinfo: false },
    because: ["hostOfTwoNamespaces"],
  },
  {
    istioctl: "1.24",
    options: { istioVersion: "1.24.2", seed: 16, services: 30, proxies: 60, replicas: 4, istiods: 3 },
    because: ["dnsHost", "wasmModule", "canary", "failover"],
  },
  {
    istioctl: "1.24",
    options: { istioVersion: "1.24.2", seed: 17, ...small },
    because: ["partlyCaptured", "rollout"],
  },
  { istioctl: "1.30", options: { istioVersion: "1.30.0", seed: 18, ...small }, because: ["twoNetworks"] },
  {
    istioctl: "1.30",
    options: { istioVersion: "1.30.0", seed: 19, ...small },
    because: ["localityWeights", "ejectedHost", "headlessService", "distributedLocalities"],
  },
  {
    istioctl: "1.30",
    options: { istioVersion: "1.30.0", seed: 20, services: 40, proxies: 100, istiods: 3 },
    because: [
      "failover",
      "otherOrder",
      "dnsHost",
      "hostOfTwoNamespaces",
      "wasmModule",
      "rollout",
      "emptySubset",
    ],
  },
];

/** @throws Error where a reason makes no difference: it would prove nothing */
const meshOf = ({ options, because }: (typeof healthyMeshes)[number]): Mesh =>
  because.reduce((mesh, name) => {
    const changed = variants[name](mesh);
    if (changed === mesh) throw new Error(`${name} changes nothing in this mesh`);
    return changed;
  }, buildMesh(options));

const titled = healthyMeshes.map((given) => ({
  ...given,
  title: `Istio ${given.options.istioVersion ?? ""}: ${given.because.join(", ") || "as it is built"}`,
}));

describe("meshes in which all is well", () => {
  it("are twenty, and every reason for a difference is among them", () => {
    expect(healthyMeshes).toHaveLength(20);
    expect(new Set(healthyMeshes.flatMap(({ because }) => because))).toEqual(new Set(Object.keys(variants)));
  });

  it.each(Object.entries(variants))("%s makes another mesh", (_name, variant) => {
    const mesh = buildMesh({ istioVersion: "1.24.2", ...small });
    const before = mesh.proxies.map((proxy) => JSON.stringify([proxy.config, proxy.desired, proxy.files]));
    const after = variant(mesh).proxies.map((proxy) =>
      JSON.stringify([proxy.config, proxy.desired, proxy.files]),
    );
    expect(after).not.toEqual(before);
  });

  it.each(titled)("$title: nothing is found in our own layout", (given) => {
    expect(findingsOf(bundleOf(meshOf(given)))).toEqual([]);
  });

  it.each(titled)("$title: nothing is found in a bug-report", (given) => {
    expect(findingsOf(bugReportOf(meshOf(given), given.istioctl))).toEqual([]);
  });
});

describe("a fault in a mesh that differs for good reasons", () => {
  // not those that put lists in another order, which the faults find their way in
  const varied = (
    [
      "localityWeights",
      "headlessService",
      "dnsHost",
      "hostOfTwoNamespaces",
      "emptySubset",
      "wasmModule",
    ] as const
  ).reduce((mesh, name) => variants[name](mesh), buildMesh({ istioVersion: "1.24.2", seed: 21, ...small }));

  it.each(driftFaults.filter(({ about }) => about === "Istiod against Envoy" || about === "replicas"))(
    "$name is found, and nothing else",
    ({ seed }) => {
      const { mesh, findings } = seed(varied);
      const sorted = (list: readonly unknown[]): string[] => list.map((item) => JSON.stringify(item)).sort();
      expect(sorted(findingsOf(bundleOf(mesh)))).toEqual(sorted(findings));
    },
  );
});
