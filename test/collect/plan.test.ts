import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Refusal, type Channel } from "../../src/collect/ask.js";
import type { Kubectl } from "../../src/collect/kubectl.js";
import { parseAddress, planAddresses, planCluster, type Plan } from "../../src/collect/plan.js";
import type { Filters } from "../../src/collect/targets.js";
import { temporaryFiles, type TemporaryFiles } from "../../src/collect/temporary-files.js";
import { UserError } from "../../src/shared/errors.js";
import { quickLimits } from "../support/collector.js";
import { listOf, podObject, serviceObject } from "../support/live/kubernetes-objects.js";

const everything: Filters = {
  istioNamespace: "istio-system",
  namespaces: [],
  excludedNamespaces: [],
  revision: null,
  workloads: [],
};

const istiod = (name: string) =>
  podObject({ name, namespace: "istio-system", labels: { app: "istiod" }, containers: ["discovery"] });
const sidecar = (name: string, namespace: string) => podObject({ name, namespace, proxy: "container" });
const ztunnel = podObject({
  name: "ztunnel-x",
  namespace: "istio-system",
  labels: { app: "ztunnel" },
  containers: ["istio-proxy"],
});
const mesh = [
  ztunnel,
  sidecar("web", "shop"),
  sidecar("cart", "shop"),
  sidecar("a", "bank"),
  istiod("istiod-2"),
  istiod("istiod-1"),
];
const services = [
  serviceObject({ name: "cart", namespace: "shop", ports: [{ name: "http", port: 80, targetPort: 8080 }] }),
];

type Lists = (kind: "pods" | "services", namespace: string | null) => string | Refusal;

/** kubectl that lists as it is told, and remembers what it was asked for. */
function fakeKubectl(lists: Lists) {
  const asked: string[] = [];
  const channel = (description: string): Channel => ({
    get: () => Promise.reject(new Error("a plan asks no target")),
    describe: (path) => `${description} ${path}`,
    close: () => Promise.resolve(),
  });
  const kubectl: Kubectl = {
    get: async (kind, namespace, onBytes) => {
      asked.push(`${kind} ${namespace ?? "everywhere"}`);
      const answer = lists(kind, namespace);
      if (answer instanceof Refusal) throw answer;
      await onBytes(Buffer.from(answer));
    },
    inPod: ({ namespace, pod }, container, program) =>
      channel(`${program} in ${pod}.${namespace}/${container}:`),
    forwarded: ({ namespace, pod }, port) => channel(`${pod}.${namespace}:${port}:`),
  };
  return { kubectl, asked };
}

const listing: Lists = (kind, namespace) =>
  JSON.stringify(
    listOf(
      (kind === "pods" ? mesh : services).filter(
        ({ metadata }) => namespace === null || (metadata as { namespace: string }).namespace === namespace,
      ),
    ),
  );

let files: TemporaryFiles;
beforeEach(async () => {
  files = await temporaryFiles(null);
});
afterEach(() => files.remove());

const plan = (
  lists: Lists,
  filters: Partial<Filters> = {},
  stop = new AbortController().signal,
): Promise<Plan> =>
  planCluster({
    kubectl: fakeKubectl(lists).kubectl,
    filters: { ...everything, ...filters },
    cluster: "prod",
    limits: quickLimits,
    files,
    stop,
  });

const names = ({ targets }: Plan): string[] =>
  targets.map(({ kind, namespace, pod }) => `${kind} ${pod}.${namespace}`);

describe("the plan of a cluster", () => {
  it("has Istiods, then proxies, then ztunnels, by namespace and name", async () => {
    const made = await plan(listing);
    expect(names(made)).toEqual([
      "istiod istiod-1.istio-system",
      "istiod istiod-2.istio-system",
      "proxy a.bank",
      "proxy cart.shop",
      "proxy web.shop",
      "ztunnel ztunnel-x.istio-system",
    ]);
    expect(made.cluster).toBe("prod");
    expect(made.failures).toEqual([]);
  });

  it("reaches each kind in its own way", async () => {
    const { targets } = await plan(listing);
    const ways = new Set(targets.map(({ kind, channel }) => `${kind}: ${channel.describe("stats")}`));
    expect(ways).toContain("istiod: pilot-discovery in istiod-1.istio-system/discovery: stats");
    expect(ways).toContain("proxy: pilot-agent in cart.shop/istio-proxy: stats");
    expect(ways).toContain("ztunnel: ztunnel-x.istio-system:15000: stats");
  });

  it("holds the lists, with the time at which they were asked for", async () => {
    const before = Date.now();
    const { lists } = await plan(listing);
    expect(lists?.pods.items.map(({ name }) => name).sort()).toEqual([
      "a",
      "cart",
      "istiod-1",
      "istiod-2",
      "web",
      "ztunnel-x",
    ]);
    expect(lists?.services?.items).toMatchObject([{ name: "cart", namespace: "shop" }]);
    expect(lists?.pods.askedAt.getTime()).toBeGreaterThanOrEqual(before);
    expect(lists?.pods.askedAt.getTime()).toBeLessThanOrEqual(Date.now());
  });

  it("asks for all namespaces at once where none is named", async () => {
    const { kubectl, asked } = fakeKubectl(listing);
    await planCluster({
      kubectl,
      filters: everything,
      cluster: "",
      limits: quickLimits,
      files,
      stop: new AbortController().signal,
    });
    expect(asked.sort()).toEqual(["pods everywhere", "services everywhere"]);
  });

  it("asks for the named namespaces and Istio's, each once, so that rights over them suffice", async () => {
    const { kubectl, asked } = fakeKubectl(listing);
    const filters = { ...everything, namespaces: ["shop", "bank", "shop"] };
    const made = await planCluster({
      kubectl,
      filters,
      cluster: "",
      limits: quickLimits,
      files,
      stop: new AbortController().signal,
    });
    expect(asked.filter((line) => line.startsWith("pods"))).toEqual([
      "pods bank",
      "pods istio-system",
      "pods shop",
    ]);
    expect(asked.filter((line) => line.startsWith("services"))).toEqual([
      "services bank",
      "services istio-system",
      "services shop",
    ]);
    expect(names(made).filter((name) => name.startsWith("proxy"))).toEqual([
      "proxy a.bank",
      "proxy cart.shop",
      "proxy web.shop",
    ]);
  });

  it("asks for Istio's namespace once where it is named, too", async () => {
    const { kubectl, asked } = fakeKubectl(listing);
    const filters = { ...everything, namespaces: ["istio-system"] };
    await planCluster({
      kubectl,
      filters,
      cluster: "",
      limits: quickLimits,
      files,
      stop: new AbortController().signal,
    });
    expect(asked.sort()).toEqual(["pods istio-system", "services istio-system"]);
  });

  it("is empty for an empty cluster", async () => {
    const { targets, failures } = await plan(() => JSON.stringify(listOf([])));
    expect({ targets, failures }).toEqual({ targets: [], failures: [] });
  });
});

describe("what cannot be listed", () => {
  const forbidden = new Refusal(
    "lasting",
    'Error from server (Forbidden): services is forbidden: User "u" cannot list',
  );

  it("is a gap where it is the services", async () => {
    const made = await plan((kind, namespace) =>
      kind === "services" ? forbidden : listing(kind, namespace),
    );
    expect(names(made)).toHaveLength(6);
    expect(made.lists?.services).toBeNull();
    expect(made.failures).toEqual([
      { target: null, what: "cluster/services.json", reason: forbidden.message },
    ]);
  });

  it("ends the plan where it is the pods, in kubectl's words", async () => {
    const refused = plan((kind, namespace) => (kind === "pods" ? forbidden : listing(kind, namespace)));
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(`cannot list the pods: ${forbidden.message}`);
  });

  it("ends it where it is the pods of one namespace, which is named", async () => {
    const refused = plan((kind, namespace) => (namespace === "shop" ? forbidden : listing(kind, namespace)), {
      namespaces: ["bank", "shop"],
    });
    await expect(refused).rejects.toThrow(`cannot list the pods of namespace shop: ${forbidden.message}`);
  });

  it.each([
    {
      because: "a text",
      answer: "No resources found",
      said: "the answer is no JSON but: No resources found",
    },
    { because: "broken JSON", answer: '{"items":[tru]}', said: "kubectl's answer is no valid JSON" },
    { because: "nothing", answer: "", said: "the answer is empty" },
  ])("is what comes as $because", async ({ answer, said }) => {
    const refused = plan((kind, namespace) => (kind === "pods" ? answer : listing(kind, namespace)));
    await expect(refused).rejects.toThrow(`cannot list the pods: ${said}`);
    const made = await plan((kind, namespace) => (kind === "services" ? answer : listing(kind, namespace)));
    expect(made.failures).toEqual([{ target: null, what: "cluster/services.json", reason: said }]);
  });

  it("is what the user did not wait for", async () => {
    const stop = new AbortController();
    stop.abort();
    await expect(plan(listing, {}, stop.signal)).rejects.toThrow(
      "cannot list the pods: not asked: the capture was stopped",
    );
  });

  it.each(["{}", "[]", '{"items":{}}', '{"items":[null,5,"x"]}'])(
    "finds nothing in %s, and does not break",
    async (answer) => {
      expect((await plan(() => answer)).targets).toEqual([]);
    },
  );

  it("is a pod whose name leads out of the bundle: the gap says how many", async () => {
    const hostile = { ...sidecar("x", "shop"), metadata: { name: "../../etc", namespace: "shop" } };
    const made = await plan((kind) => JSON.stringify(listOf(kind === "pods" ? [...mesh, hostile] : [])));
    expect(names(made)).toHaveLength(6);
    expect(made.failures).toEqual([
      {
        target: null,
        what: "cluster/pods.json",
        reason: "left out of kubectl's list, being no pod with a valid name: 1",
      },
    ]);
  });

  it("leaves no temporary file open", async () => {
    const open: unknown[] = [];
    const counting: TemporaryFiles = {
      ...files,
      create: async () => {
        const file = await files.create();
        open.push(file);
        return {
          ...file,
          get size() {
            return file.size;
          },
          close: async () => {
            open.splice(open.indexOf(file), 1);
            await file.close();
          },
        };
      },
    };
    const ask = (lists: Lists): Promise<Plan> =>
      planCluster({
        kubectl: fakeKubectl(lists).kubectl,
        filters: everything,
        cluster: "",
        limits: quickLimits,
        files: counting,
        stop: new AbortController().signal,
      });
    await ask(listing);
    await ask(() => "{tru}").catch(() => undefined);
    expect(open).toEqual([]);
  });
});

describe("targets by address", () => {
  const planned = (
    istiods: readonly string[],
    envoys: readonly string[],
    istioNamespace = "istio-system",
  ): Plan =>
    planAddresses(
      istiods.map((text) => parseAddress("--istiod", text)),
      envoys.map((text) => parseAddress("--envoy", text)),
      istioNamespace,
    );

  it("are in the same order, and reached by HTTP", () => {
    const made = planned(
      ["istiod-2.istio-system=http://127.0.0.1:2", "istiod-1=http://127.0.0.1:1"],
      ["web.shop=http://127.0.0.1:4/", "db.v1.shop=https://[::1]:3"],
    );
    expect(names(made)).toEqual([
      "istiod istiod-1.istio-system",
      "istiod istiod-2.istio-system",
      "proxy db.v1.shop",
      "proxy web.shop",
    ]);
    expect(made.targets.map(({ channel }) => channel.describe("stats"))).toEqual([
      "GET http://127.0.0.1:1/stats",
      "GET http://127.0.0.1:2/stats",
      "GET https://[::1]:3/stats",
      "GET http://127.0.0.1:4/stats",
    ]);
    expect(made).toMatchObject({ cluster: "", lists: null, failures: [] });
    expect(made.targets.every(({ unreachable }) => unreachable === null)).toBe(true);
  });

  it("may have the same name where they are of two kinds", () => {
    expect(planned(["a.b=http://h:1"], ["a.b=http://h:2"]).targets).toHaveLength(2);
  });

  it("may stand behind a path, as kubectl proxy puts them", () => {
    const [target] = planned([], ["a.b=http://127.0.0.1:8001/api/v1/pods/a:15000/proxy/"]).targets;
    expect(target?.channel.describe("stats")).toBe(
      "GET http://127.0.0.1:8001/api/v1/pods/a:15000/proxy/stats",
    );
  });

  it("may have a name with an equals sign in the address only", () => {
    expect(parseAddress("--envoy", "a.b=http://h:1/x=y")).toEqual({
      flag: "--envoy",
      name: "a.b",
      url: "http://h:1/x=y",
    });
  });

  it.each([
    "",
    "a.b",
    "=http://h:1",
    "a.b=",
    "a.b=h:1",
    "a.b=127.0.0.1:15000",
    "a.b=//h:1",
    "a.b=ftp://h:1",
    "a.b=file:///etc/passwd",
    "a.b=http://",
    "a.b=http://h:99999",
    "http://127.0.0.1:15000",
  ])("are none where %s is given", (text) => {
    expect(() => parseAddress("--envoy", text)).toThrow(UserError);
    expect(() => parseAddress("--envoy", text)).toThrow(
      `--envoy takes pod.namespace=http://host:port, not "${text}"`,
    );
    expect(() => parseAddress("--istiod", text)).toThrow(
      `--istiod takes name=http://host:port, not "${text}"`,
    );
  });

  it.each([
    "a.b=http://jane:s3cret@h:1",
    "a.b=http://jane@h:1",
    "a.b=http://h:1/?x=y",
    "a.b=http://h:1?",
    "a.b=http://h:1/#x",
  ])("have no user, query or fragment: %s", (text) => {
    expect(() => parseAddress("--envoy", text)).toThrow(
      "--envoy takes an address without user, query and fragment",
    );
  });

  it.each([
    { name: "cart", said: "name the proxy as pod.namespace" },
    { name: "cart.", said: '"cart." is no name that Kubernetes would accept' },
    { name: ".shop", said: '".shop" is no name that Kubernetes would accept' },
    { name: ".", said: '"." is no name that Kubernetes would accept' },
    { name: "..", said: '".." is no name that Kubernetes would accept' },
    { name: "a..b", said: '"a..b" is no name that Kubernetes would accept' },
    { name: "Cart.shop", said: "is no name that Kubernetes would accept" },
    { name: "cart.Shop", said: "is no name that Kubernetes would accept" },
    { name: "../x.shop", said: "is no name that Kubernetes would accept" },
    { name: "x/y.shop", said: "is no name that Kubernetes would accept" },
    { name: "cart.shop ", said: "is no name that Kubernetes would accept" },
    { name: "-cart.shop", said: "is no name that Kubernetes would accept" },
    { name: "c\u0000t.shop", said: "is no name that Kubernetes would accept" },
    { name: `${"a".repeat(254)}.shop`, said: "is no name that Kubernetes would accept" },
  ])("have names that Kubernetes accepts: $name", ({ name, said }) => {
    expect(() => planned([], [`${name}=http://h:1`])).toThrow(UserError);
    expect(() => planned([], [`${name}=http://h:1`])).toThrow(said);
  });

  it.each([
    { name: "Istiod", said: '"Istiod" is no name' },
    { name: "istiod.", said: '"istiod." is no name' },
    { name: "a/b", said: '"a/b" is no name' },
  ])("that are Istiods, too: $name", ({ name, said }) => {
    expect(() => planned([`${name}=http://h:1`], [])).toThrow(said);
  });

  it("have a namespace that Kubernetes accepts where -i gives it", () => {
    expect(() => planned(["istiod=http://h:1"], [], "../x")).toThrow('"istiod" is no name');
  });

  it("are named once", () => {
    expect(() => planned([], ["a.b=http://h:1", "a.b=http://h:2"])).toThrow("proxy a.b is named twice");
    expect(() => planned(["a=http://h:1", "a.istio-system=http://h:2"], [])).toThrow(
      "istiod a.istio-system is named twice",
    );
  });
});
