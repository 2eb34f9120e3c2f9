import { describe, expect, it } from "vitest";

import { UserError } from "../../src/shared/errors.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { findProxy, proxyIds } from "../../src/snapshot/proxy-name.js";
import { anIstiod, aProxy, aRow, aSnapshot } from "../support/builders.js";

const reviews1 = "reviews-v1-545db77b95-abcde.default";
const reviews2 = "reviews-v2-7bf8c9648f-fghij.default";
const other = "reviews-v2-7bf8c9648f-klmno.staging";
const gateway = "gateway-6c9f7d8b5-q7k2m.istio-system";

const mesh = aSnapshot({
  proxies: [aProxy(reviews1), aProxy(reviews2), aProxy(gateway)],
  istiods: [anIstiod("istiod-1", { rows: [aRow(reviews1), aRow(other)] })],
});
const find = (name: string, namespace: string | null = null, snapshot: Snapshot = mesh): string =>
  findProxy(snapshot, name, namespace);

describe("a proxy is found", () => {
  it.each([
    { name: reviews1, id: reviews1, because: "that is its id" },
    { name: "reviews-v1-545db77b95-abcde", id: reviews1, because: "no other begins so" },
    { name: "reviews-v1", id: reviews1, because: "no other begins so" },
    { name: "g", id: gateway, because: "no other begins so" },
    { name: other, id: other, because: "Istiod lists it, though it was not captured" },
    { name: "deploy/reviews-v1", id: reviews1, because: "its pod's name begins with the Deployment's" },
    { name: "deployment/reviews-v1", id: reviews1, because: "kubectl knows that word" },
    { name: "deployments.apps/reviews-v1", id: reviews1, because: "kubectl knows that word" },
    { name: "deploy/reviews-v2.staging", id: other, because: "the namespace decides" },
    { name: "deploy/reviews-v2.default", id: reviews2, because: "the namespace decides" },
  ])("by $name: $because", ({ name, id }) => {
    expect(find(name)).toBe(id);
  });

  it.each([
    { name: "reviews-v2-7bf8c9648f-fghij", namespace: "default", id: reviews2 },
    { name: "reviews-v2", namespace: "staging", id: other },
    { name: "deploy/reviews-v2", namespace: "staging", id: other },
    { name: "", namespace: "istio-system", id: gateway },
    { name: gateway, namespace: "istio-system", id: gateway },
  ])("by $name in namespace $namespace", ({ name, namespace, id }) => {
    expect(find(name, namespace)).toBe(id);
  });

  it("by its whole id, even when others begin with it", () => {
    const snapshot = aSnapshot({ proxies: [aProxy("a.b"), aProxy("a.b-canary")] });
    expect(find("a.b", null, snapshot)).toBe("a.b");
    expect(find("a", "b", snapshot)).toBe("a.b");
  });

  it.each([
    { said: "reviews-v1", pod: "anything", finds: true, because: "the metadata says so" },
    { said: "web", pod: "reviews-v1-545db77b95-abcde", finds: false, because: "the metadata says otherwise" },
    { said: undefined, pod: "reviews-v1-545db77b95-abcde", finds: true, because: "the pod's name tells" },
    {
      said: undefined,
      pod: "reviews-v1-canary-545db77b95-abcde",
      finds: false,
      because: "that is another Deployment",
    },
    { said: undefined, pod: "reviews-v1-0", finds: false, because: "that is a StatefulSet's pod" },
  ])("by its Deployment ($pod, $said): $because", ({ said, pod, finds }) => {
    const metadata = said === undefined ? {} : { WORKLOAD_NAME: said };
    const snapshot = aSnapshot({ proxies: [aProxy(`${pod}.default`, metadata)] });
    if (finds) expect(find("deploy/reviews-v1", null, snapshot)).toBe(`${pod}.default`);
    else expect(() => find("deploy/reviews-v1", null, snapshot)).toThrow(UserError);
  });
});

describe("a name that does not fit one proxy", () => {
  it.each([
    { name: "reviews", says: `"reviews" fits 3 proxies: ${reviews1}, ${reviews2}, ${other}` },
    { name: "deploy/reviews-v2", says: `"deploy/reviews-v2" fits 2 proxies: ${reviews2}, ${other}` },
    {
      name: "ratings",
      says: `no proxy fits "ratings"; there are ${gateway}, ${reviews1}, ${reviews2}, ${other}`,
    },
    { name: "deploy/ratings", says: `no proxy fits "deploy/ratings"; there are ` },
  ])("is an error that lists the candidates: $name", ({ name, says }) => {
    expect(() => find(name)).toThrow(UserError);
    expect(() => find(name)).toThrow(says);
  });

  it.each([
    {
      name: "reviews",
      namespace: "default",
      says: `fits 2 proxies in namespace default: ${reviews1}, ${reviews2}`,
    },
    {
      name: "ratings",
      namespace: "staging",
      says: `no proxy fits "ratings" in namespace staging; there are ${other}`,
    },
    { name: reviews1, namespace: "staging", says: `in namespace staging; there are ${other}` },
    { name: "a", namespace: "nowhere", says: `in namespace nowhere; there are ${gateway}, ` },
  ])("in namespace $namespace lists those that are there: $name", ({ name, namespace, says }) => {
    expect(() => find(name, namespace)).toThrow(says);
  });

  it("lists no more than ten", () => {
    const proxies = Array.from({ length: 12 }, (_, index) =>
      aProxy(`a-${String(index).padStart(2, "0")}.default`),
    );
    expect(() => find("a-", null, aSnapshot({ proxies }))).toThrow(
      /fits 12 proxies: a-00.*a-09\.default and 2 more$/,
    );
  });

  it("is shown without what would act on a terminal", () => {
    expect(() => find("\u001b[31m")).toThrow('no proxy fits "\\u001b[31m"');
  });

  it("in an empty snapshot says that there is none", () => {
    expect(() => find("a", null, aSnapshot())).toThrow("the snapshot names no proxy");
  });
});

describe("proxyIds", () => {
  it("are all that were captured or listed, once each, sorted", () => {
    expect(proxyIds(mesh)).toEqual([gateway, reviews1, reviews2, other]);
    expect(proxyIds(aSnapshot({ istiods: [anIstiod("istiod-1", { rows: "timeout" })] }))).toEqual([]);
  });
});
