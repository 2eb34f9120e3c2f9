import { describe, expect, it } from "vitest";

import { namedAfter, withoutOwnNames, withoutSelf } from "../../src/diff/own-names.js";
import { comparer } from "../../src/diff/sections.js";
import { present, type Proxy } from "../../src/snapshot/model.js";
import { aCluster, aNode, aProxy } from "../support/builders.js";
import { resourceOf } from "../support/diff-resources.js";

/** A pod with these addresses. */
function podWith(name: string, ips: string): Proxy {
  const proxy = aProxy(`${name}.default`);
  const [ip = ""] = ips.split(",");
  const node = aNode(proxy.id, { INSTANCE_IPS: ips });
  return { ...proxy, node: present({ ...node, parts: { ...node.parts!, ip } }) };
}

const pod = podWith("reviews-v1-abc", "10.0.0.1,fd00::1");

describe("a text without what its own pod is called", () => {
  it.each([
    { text: "10.0.0.1:9080", without: "<own address>:9080" },
    { text: "10.0.0.1_3306", without: "<own address>_3306" },
    { text: "10.0.0.1/32", without: "<own address>/32" },
    { text: "10.0.0.1", without: "<own address>" },
    { text: "10.0.0.10", without: "10.0.0.10" },
    { text: "110.0.0.1", without: "110.0.0.1" },
    { text: "a10.0.0.1", without: "a<own address>" },
    { text: "10.0.0.1.nip.io", without: "10.0.0.1.nip.io" },
    { text: "[fd00::1]:80", without: "[<own address>]:80" },
    { text: "fd00::1", without: "<own address>" },
    { text: "fd00::1:2", without: "fd00::1:2" },
    { text: "afd00::1", without: "afd00::1" },
    { text: "reviews-v1-abc.default", without: "<own name>.default" },
    { text: "reviews-v1", without: "reviews-v1" },
    { text: "reviews-v1-abc-2", without: "reviews-v1-abc-2" },
  ])("$text -> $without", ({ text, without }) => {
    expect(withoutOwnNames(pod)(text)).toBe(without);
  });

  it("keeps the name of a pod that is its workload's, as that of the service often is", () => {
    const proxy = podWith("reviews", "10.0.0.1");
    const bare = { ...proxy, node: present(aNode(proxy.id, { WORKLOAD_NAME: "reviews" })) };
    expect(withoutOwnNames(bare)("reviews.default")).toBe("reviews.default");
    expect(withoutOwnNames(proxy)("reviews.default")).toBe("<own name>.default");
  });

  it("names what begins with an own address", () => {
    expect(namedAfter(pod)("10.0.0.1_3306")).toBe(true);
    expect(namedAfter(pod)("10.0.0.10_3306")).toBe(false);
    expect(namedAfter(pod)("0.0.0.0_3306")).toBe(false);
  });
});

describe("a resource without what its own pod is called", () => {
  const cluster = (address: string): ReturnType<typeof resourceOf> =>
    resourceOf(
      "cluster",
      aCluster("inbound|9080||", {
        upstream_bind_config: { source_address: { address, port_value: 1 } },
        metadata: { filter_metadata: { [address]: { n: 1.5 } } },
      }),
    );

  it("is equal in replicas that hold the same", () => {
    const compare = comparer();
    const other = podWith("reviews-v1-def", "10.0.0.2");
    const [own, others] = [
      withoutSelf(cluster("10.0.0.1"), pod, compare),
      withoutSelf(cluster("10.0.0.2"), other, compare),
    ];
    expect(own.text).toBe(others.text);
    expect(own.value).toEqual(others.value);
    expect(withoutSelf(cluster("10.0.0.3"), other, compare).text).not.toBe(own.text);
  });

  it.each(["1", "1.5", ":1", "true", "e", "", "null", ",", "::", "0", "1.1.1", "999999999999"])(
    'is valid whatever calls itself an address: "%s"',
    (word) => {
      const { text, value } = withoutSelf(cluster("10.0.0.9"), podWith("x", word), comparer());
      expect(JSON.parse(text)).toEqual(value);
    },
  );

  it.each(['"', "{", "1", "true", ":", "a", "\\"])('and a pod: "%s"', (word) => {
    const { text, value } = withoutSelf(cluster("10.0.0.9"), podWith(word, "10.0.0.1"), comparer());
    expect(JSON.parse(text)).toEqual(value);
  });
});
