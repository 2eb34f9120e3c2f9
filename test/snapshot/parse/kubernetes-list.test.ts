import { describe, expect, it } from "vitest";
import { stringify } from "yaml";

import { ProblemList } from "../../../src/shared/problem.js";
import type { Pod } from "../../../src/snapshot/model.js";
import { parsePodList } from "../../../src/snapshot/parse/kubernetes-list.js";

const podsIn = (text: string): { pods: Pod[]; problems: string[] } => {
  const problems = new ProblemList();
  const pods = parsePodList(text, "k8s-resources", problems);
  return { pods, problems: problems.all.map(({ pointer, message }) => `${pointer} ${message}`) };
};
const namesIn = (text: string): string[] => podsIn(text).pods.map(({ name }) => name);

/** As kubectl prints it: the list's items at its own margin. */
const kubectlText = `apiVersion: v1
items:
- apiVersion: v1
  data:
    script: |
      items:
      - kind: Pod

      echo done
  kind: ConfigMap
  metadata:
    name: kind-pod
- apiVersion: v1
  kind: Pod
  metadata:
    labels:
      app: reviews
      pod-template-hash: abc
    name: reviews-abc-1
    namespace: shop
    ownerReferences:
    - apiVersion: apps/v1
      kind: ReplicaSet
      name: reviews-abc
  spec:
    containers:
    - name: reviews
    - name: istio-proxy
  status:
    phase: Running
    podIP: 10.0.0.1
    podIPs:
    - ip: 10.0.0.1
    - ip: fd00::1
- apiVersion: v1
  kind: Pod
  metadata:
    name: job
    namespace: shop
  status:
    phase: Succeeded
    podIP: 10.0.0.2
kind: List
metadata:
  resourceVersion: ""
`;

describe("pods in a list of Kubernetes objects", () => {
  it("as kubectl prints it, without those that have ended", () => {
    expect(podsIn(kubectlText)).toEqual({
      pods: [
        {
          name: "reviews-abc-1",
          namespace: "shop",
          labels: { app: "reviews", "pod-template-hash": "abc" },
          owner: "ReplicaSet/reviews-abc",
          ips: ["10.0.0.1", "fd00::1"],
          hasProxy: true,
          hostNetwork: false,
          origin: { entry: "k8s-resources", pointer: "/items/1" },
        },
      ],
      problems: [],
    });
    expect(namesIn(kubectlText.replace("Succeeded", "Pending"))).toEqual(["reviews-abc-1", "job"]);
  });

  it("with other margins, an old address, a native sidecar and the host's network", () => {
    const pod = {
      kind: "Pod",
      metadata: { name: "a", namespace: "n" },
      spec: { initContainers: [{ name: "istio-proxy" }], hostNetwork: true },
      status: { podIP: "10.0.0.1" },
    };
    const text = stringify(
      { apiVersion: "v1", items: [pod, { kind: "Service" }, { ...pod }], kind: "List" },
      { aliasDuplicateObjects: false },
    );
    expect(text).toContain("  - kind: Pod\n");
    expect(podsIn(text).pods).toMatchObject([
      { name: "a", owner: "", ips: ["10.0.0.1"], hasProxy: true, hostNetwork: true },
      { name: "a", origin: { pointer: "/items/2" } },
    ]);
  });

  it("of which one has no name, or is cut off", () => {
    expect(namesIn("items:\n- kind: Pod\n  spec: {}\n- kind: Pod\n  metadata:\n    name: b")).toEqual(["b"]);
  });

  it.each([
    { says: "no YAML", broken: "  metadata: {a" },
    { says: "aliases", broken: "  metadata: &a\n    name: x\n  spec: *a" },
    { says: "deep nesting", broken: `  metadata: ${"[".repeat(20_000)}` },
    { says: "more than a pod can be", broken: `  metadata: "${"x".repeat(1024 * 1024)}"` },
  ])("$says costs that pod only", ({ broken }) => {
    const { pods, problems } = podsIn(
      `items:\n- kind: Pod\n${broken}\n- kind: Pod\n  metadata:\n    name: b\nkind: List\n`,
    );
    expect(pods.map(({ name }) => name)).toEqual(["b"]);
    expect(problems).toEqual([expect.stringMatching(/^\/items\/0 is not valid YAML: /)]);
  });

  it("may be empty", () => {
    expect(namesIn("apiVersion: v1\nitems: []\nkind: List\n")).toEqual([]);
  });

  it.each(["", "Unable to connect to the server: timeout", "kind: Pod\n", "items: none\n"])(
    "%j is no list",
    (text) => {
      expect(() => podsIn(text)).toThrow("k8s-resources: is no list of Kubernetes objects");
    },
  );
});
