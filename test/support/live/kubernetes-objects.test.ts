import { describe, expect, it } from "vitest";

import { buildMesh } from "../mesh/mesh.js";
import { podObject, podSecrets, podsOf, servicesOf, type PodShape } from "./kubernetes-objects.js";

/** The parts of a pod that the tests look at. */
interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly ownerReferences?: unknown[];
  };
  readonly spec: {
    readonly containers: readonly { readonly name: string }[];
    readonly initContainers?: readonly { readonly name: string; readonly restartPolicy?: string }[];
    readonly hostNetwork?: boolean;
  };
  readonly status: object;
}
const pod = (shape: Partial<PodShape> = {}): Pod =>
  podObject({ name: "a", namespace: "b", ...shape }) as unknown as Pod;
const names = (containers: readonly { readonly name: string }[] = []): string[] =>
  containers.map(({ name }) => name);

describe("a pod", () => {
  it.each([
    { proxy: "container", containers: ["app", "istio-proxy"], before: ["istio-init"] },
    { proxy: "native sidecar", containers: ["app"], before: ["istio-init", "istio-proxy"] },
    { proxy: "none", containers: ["app"], before: [] },
  ] as const)("has its proxy where it belongs, and its secrets: $proxy", ({ proxy, containers, before }) => {
    const { spec, ...rest } = pod({ proxy });
    expect(names(spec.containers)).toEqual(containers);
    expect(names(spec.initContainers)).toEqual(before);
    expect(spec.initContainers?.find(({ name }) => name === "istio-proxy")?.restartPolicy).toBe(
      proxy === "native sidecar" ? "Always" : undefined,
    );
    const text = JSON.stringify({ spec, ...rest });
    for (const secret of Object.values(podSecrets)) expect(text).toContain(secret);
  });

  it("tells its owner, its network and its phase", () => {
    expect(pod({ owner: { kind: "Job", name: "j" } }).metadata.ownerReferences).toMatchObject([
      { apiVersion: "batch/v1", kind: "Job", name: "j" },
    ]);
    expect(pod({ owner: null }).metadata.ownerReferences).toBeUndefined();
    expect(pod({ hostNetwork: true }).spec.hostNetwork).toBe(true);
    expect(pod().spec.hostNetwork).toBeUndefined();
    expect(pod({ ips: ["10.0.0.1", "fd00::1"] }).status).toMatchObject({
      podIP: "10.0.0.1",
      podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }],
    });
    expect(pod({ phase: "Pending" }).status).not.toHaveProperty("podIP");
  });
});

describe("the objects of a mesh", () => {
  it("are its pods, with a proxy where it has one, and its services", () => {
    const mesh = buildMesh();
    const pods = podsOf(mesh) as unknown as Pod[];
    expect(pods).toHaveLength(mesh.pods.length);
    const proxied = pods.filter(({ spec }) => names(spec.containers).includes("istio-proxy"));
    expect(proxied.map(({ metadata }) => `${metadata.name}.${metadata.namespace}`).sort()).toEqual(
      mesh.proxies.map(({ id }) => id).sort(),
    );
    expect(servicesOf(mesh)).toHaveLength(mesh.services.length);
  });
});
