import { describe, expect, it } from "vitest";

import { withoutReplaced } from "../../src/diff/replaced-pods.js";
import { absent, present, type Pod } from "../../src/snapshot/model.js";
import { aProxy } from "../support/builders.js";
import { comparisonFindings } from "../support/drift-findings.js";
import { variants } from "../support/mesh/healthy-variants.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { bugReportOf, bundleOf } from "../support/snapshot-of.js";

const options = { seed: "replaced", services: 6, proxies: 12, replicas: 3 };
const healthy = buildMesh(options);
/** Of services with sidecars, and without. */
const [meshed = "", plain = ""] = [healthy.workloads.at(-6)?.name, healthy.workloads.at(-1)?.name];
const restarted = (...replaced: readonly string[]): ReturnType<typeof buildMesh> =>
  buildMesh({ ...options, replaced });

describe("pods that were replaced between two snapshots", () => {
  it("are no difference, in whatever names and addresses of theirs stand all over the mesh", () => {
    const after = bundleOf(restarted(meshed));
    expect(comparisonFindings(bundleOf(healthy), after)).toEqual([]);
    expect(after.proxies.map(({ id }) => id)).not.toEqual(healthy.proxies.map(({ id }) => id).sort());
  });

  it("are none without a proxy either, where the pods are listed", () => {
    expect(comparisonFindings(bundleOf(healthy), bundleOf(restarted(plain)))).toEqual([]);
  });

  it("are other endpoints where nothing says whose the addresses are", () => {
    const findings = comparisonFindings(bugReportOf(healthy), bugReportOf(restarted(plain)));
    expect(findings.length).toBeGreaterThan(0);
    for (const { about } of findings) expect(about).toContain(`endpointAssignment outbound|`);
    for (const { about } of findings) expect(about).toContain(plain);
  });

  it("have listeners named after them, of a headless service", () => {
    const [before, after] = [healthy, restarted(meshed)].map((mesh) => variants.headlessService(mesh));
    if (before === undefined || after === undefined) throw new Error("two meshes");
    expect(before.proxies.at(0)?.config.listeners.map(({ name }) => name)).not.toEqual(
      after.proxies.at(0)?.config.listeners.map(({ name }) => name),
    );
    expect(comparisonFindings(bundleOf(before), bundleOf(after))).toEqual([]);
  });

  it("hide no change that came with them", () => {
    const after = restarted(meshed);
    const [first, ...others] = after.proxies;
    if (first === undefined) throw new Error("no proxy");
    const clusters = { ...first.config.clusters, resources: first.config.clusters.resources.slice(1) };
    const changed = { ...after, proxies: [{ ...first, config: { ...first.config, clusters } }, ...others] };
    expect(comparisonFindings(bundleOf(healthy), bundleOf(changed))).toMatchObject([
      { what: "vanished", on: [first.id] },
    ]);
  });
});

describe("names of replaced pods", () => {
  const pod = (name: string, ip: string, more: Partial<Pod> = {}): Pod => ({
    name,
    namespace: "shop",
    labels: { "pod-template-hash": "5c7d" },
    owner: "ReplicaSet/cart-5c7d",
    ips: [ip],
    hasProxy: false,
    hostNetwork: false,
    origin: { entry: "cluster/pods.json", pointer: "" },
    ...more,
  });
  const names = (before: readonly Pod[], after: readonly Pod[]): ReturnType<typeof withoutReplaced> =>
    withoutReplaced([], present(before), present(after));

  it("stand for an address, alone or before a port in the name of a listener", () => {
    const sides = names([pod("cart-5c7d-a", "10.0.0.1")], [pod("cart-5c7d-b", "10.0.0.2")]);
    expect(sides?.before.name("10.0.0.1")).toBe("<pod of cart.shop>");
    expect(sides?.after.name("10.0.0.2_3306")).toBe("<pod of cart.shop>_3306");
  });

  it.each(["10.0.0.10", "10.0.0.1:80", "x10.0.0.1", "10.0.0.10_3306", ""])(
    "stand for no other text: %j",
    (text) => {
      const sides = names([pod("cart-5c7d-a", "10.0.0.1")], [pod("cart-5c7d-b", "10.0.0.2")]);
      expect(sides?.before.name(text)).toBe(text);
    },
  );

  it("are of one side: an address that another pod got since is that pod's", () => {
    const sides = names(
      [pod("cart-5c7d-a", "10.0.0.1"), pod("mail", "10.0.0.2", { owner: "Job/mail" })],
      [pod("cart-5c7d-b", "10.0.0.2"), pod("mail", "10.0.0.2", { owner: "Job/mail" })],
    );
    expect(sides?.before.name("10.0.0.2")).toBe("10.0.0.2");
    expect(sides?.after.name("10.0.0.2")).toBe("<pod of cart.shop>");
  });

  it("follow a Deployment to its next ReplicaSet", () => {
    const next = pod("cart-9f8e-b", "10.0.0.2", {
      owner: "ReplicaSet/cart-9f8e",
      labels: { "pod-template-hash": "9f8e" },
    });
    expect(names([pod("cart-5c7d-a", "10.0.0.1")], [next])?.after.name("10.0.0.2")).toBe(
      "<pod of cart.shop>",
    );
  });

  it.each([
    { because: "the pod is still there", after: [pod("cart-5c7d-a", "10.0.0.1")] },
    { because: "none came for it", after: [] },
    { because: "another owner's came", after: [pod("mail-1", "10.0.0.2", { owner: "Job/mail" })] },
    { because: "nobody owns what came", after: [pod("debug", "10.0.0.2", { owner: "" })] },
    {
      because: "what came has its node's address",
      after: [pod("cart-5c7d-b", "10.0.0.2", { hostNetwork: true })],
    },
  ])("are none where $because", ({ after }) => {
    expect(names([pod("cart-5c7d-a", "10.0.0.1")], after)).toBeNull();
  });

  it("come from the proxies alone where the pods are not listed", () => {
    const pair = { before: aProxy("a.default"), after: aProxy("b.default", { WORKLOAD_NAME: "b" }) };
    const none = absent("not captured");
    expect(withoutReplaced([pair], none, none)?.after.name("10.0.0.1")).toBe("<pod of b.default>");
    expect(withoutReplaced([{ before: pair.before, after: pair.before }], none, none)).toBeNull();
  });
});
