import { describe, expect, it } from "vitest";

import { absent, present, type Pod, type Proxy, type Snapshot } from "../../src/snapshot/model.js";
import { entryPod, ownPeer, podIps } from "../../src/trace/pod-addresses.js";
import { proxyViews } from "../../src/trace/proxy-view.js";
import { aProxy, aSnapshot } from "../support/builders.js";

/** Its node id holds 10.0.0.1. */
const withIps = (ips?: string): Proxy => aProxy("a.default", ips === undefined ? {} : { INSTANCE_IPS: ips });

describe("the addresses of a pod", () => {
  it.each([
    ["10.0.0.1,fd00::1", ["10.0.0.1", "fd00::1"]],
    ["10.0.0.2", ["10.0.0.2", "10.0.0.1"]],
    ["", ["10.0.0.1"]],
    [undefined, ["10.0.0.1"]],
  ])("with INSTANCE_IPS %s are %j", (told, ips) => {
    expect(podIps(withIps(told))).toEqual(ips);
  });

  it("are none where there is no node", () => {
    expect(podIps({ ...withIps(), node: absent("not captured") })).toEqual([]);
  });
});

describe("the address that it connects from", () => {
  const both = withIps("10.0.0.1,fd00::1");
  it.each([
    [both, "10.0.0.9", "10.0.0.1"],
    [both, "fd00::9", "fd00::1"],
    [withIps(), "fd00::9", "10.0.0.1"],
  ])("is of the family of the destination, if it has one: %#", (proxy, destination, ip) => {
    expect(ownPeer(proxy, { ip: destination, port: 80 })).toEqual({ ip, port: 0 });
  });

  it("is not known without a node", () => {
    const nobody = { ...both, node: absent("not captured") } as const;
    expect(ownPeer(nobody, { ip: "10.0.0.9", port: 80 })).toBe("unknown");
  });
});

describe("what decides whether traffic enters", () => {
  const pod = (more: Partial<Pod>): Pod =>
    ({
      name: "a",
      namespace: "default",
      ips: [],
      labels: {},
      hostNetwork: false,
      ...more,
    }) as Pod;
  const entryIn = (pods: Snapshot["pods"], proxy = withIps()): ReturnType<typeof entryPod> => {
    const snapshot = aSnapshot({ proxies: [proxy], pods });
    return entryPod(proxyViews(snapshot)(proxy), snapshot);
  };

  it("is whether the pod is on the host's network, as far as the list of pods tells", () => {
    expect(entryIn(present([pod({ hostNetwork: true })])).hostNetwork).toBe(true);
    expect(entryIn(present([pod({})])).hostNetwork).toBe(false);
    expect(entryIn(present([pod({ namespace: "other", hostNetwork: true })])).hostNetwork).toBeNull();
    expect(entryIn(absent("not captured")).hostNetwork).toBeNull();
  });

  it("are the node's metadata and addresses", () => {
    const told = entryIn(absent("not captured"), withIps("10.0.0.1,fd00::1"));
    expect(told).toMatchObject({
      isSidecar: true,
      ips: ["10.0.0.1", "fd00::1"],
      metadata: { INSTANCE_IPS: "10.0.0.1,fd00::1" },
      listeners: [],
    });
  });

  it("is whether it is a sidecar", () => {
    expect(entryIn(absent("not captured"), { ...withIps(), type: "router" }).isSidecar).toBe(false);
  });
});
