import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { inventory, isName, serviceRecords, type Filters, type Target } from "../../src/collect/targets.js";

const everything: Filters = {
  istioNamespace: "istio-system",
  namespaces: [],
  excludedNamespaces: [],
  revision: null,
  workloads: [],
};

interface PodOptions {
  readonly namespace?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly owner?: { kind: string; name: string; controller?: boolean };
  readonly containers?: readonly string[];
  readonly initContainers?: readonly string[];
  readonly status?: unknown;
}

/** As `kubectl get pods -o json` has it, with what we look at and something beside. */
const aPod = (
  name: string,
  {
    namespace = "shop",
    labels = {},
    annotations = {},
    owner,
    containers = ["app", "istio-proxy"],
    initContainers = [],
    status = { phase: "Running", podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }] },
  }: PodOptions = {},
): unknown => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    namespace,
    labels,
    annotations,
    ...(owner === undefined ? {} : { ownerReferences: [owner] }),
  },
  spec: {
    containers: containers.map((container) => ({
      name: container,
      image: "private/image",
      env: [{ name: "TOKEN" }],
    })),
    initContainers: initContainers.map((container) => ({ name: container })),
  },
  status,
});

const listOf = (...items: unknown[]): unknown => ({ apiVersion: "v1", kind: "List", items });

const targetsOf = (pods: readonly unknown[], filters: Partial<Filters> = {}): readonly Target[] =>
  inventory([listOf(...pods)], { ...everything, ...filters }).targets;

const namesOf = (pods: readonly unknown[], filters: Partial<Filters> = {}): string[] =>
  targetsOf(pods, filters).map(({ kind, pod, namespace }) => `${kind} ${pod}.${namespace}`);

const recordOf = (pod: unknown): unknown => inventory([listOf(pod)], everything).pods[0];

const istiod = (name: string, more: PodOptions = {}): unknown =>
  aPod(name, {
    namespace: "istio-system",
    containers: ["discovery"],
    ...more,
    labels: { app: "istiod", ...more.labels },
  });

describe("a target", () => {
  it.each([
    {
      what: "of a Deployment",
      pod: aPod("a", { owner: { kind: "ReplicaSet", name: "a-5d4" } }),
      found: ["proxy a.shop"],
    },
    {
      what: "of a StatefulSet",
      pod: aPod("db-0", { owner: { kind: "StatefulSet", name: "db" } }),
      found: ["proxy db-0.shop"],
    },
    {
      what: "of a DaemonSet",
      pod: aPod("d-x", { owner: { kind: "DaemonSet", name: "d" } }),
      found: ["proxy d-x.shop"],
    },
    { what: "of a Job", pod: aPod("j-x", { owner: { kind: "Job", name: "j" } }), found: ["proxy j-x.shop"] },
    { what: "of nobody", pod: aPod("bare"), found: ["proxy bare.shop"] },
    {
      what: "with a native sidecar",
      pod: aPod("n", { containers: ["app"], initContainers: ["istio-validation", "istio-proxy"] }),
      found: ["proxy n.shop"],
    },
    {
      what: "that is a gateway",
      pod: aPod("istio-ingressgateway-x", {
        namespace: "istio-ingress",
        containers: ["istio-proxy"],
        labels: { istio: "ingressgateway" },
      }),
      found: ["proxy istio-ingressgateway-x.istio-ingress"],
    },
    {
      what: "that is a waypoint",
      pod: aPod("waypoint-x", {
        containers: ["istio-proxy"],
        labels: { "gateway.networking.k8s.io/gateway-name": "waypoint" },
      }),
      found: ["proxy waypoint-x.shop"],
    },
    {
      what: "that is a ztunnel",
      pod: aPod("ztunnel-x", {
        namespace: "istio-system",
        containers: ["istio-proxy"],
        labels: { app: "ztunnel" },
      }),
      found: ["ztunnel ztunnel-x.istio-system"],
    },
    {
      what: "that is a ztunnel elsewhere, by its newer label",
      pod: aPod("ztunnel-x", {
        namespace: "kube-system",
        containers: ["istio-proxy"],
        labels: { "app.kubernetes.io/name": "ztunnel" },
      }),
      found: ["ztunnel ztunnel-x.kube-system"],
    },
    { what: "that is an Istiod", pod: istiod("istiod-x"), found: ["istiod istiod-x.istio-system"] },
    { what: "that only has Istiod's label", pod: istiod("x", { namespace: "shop" }), found: [] },
    {
      what: "that only has Istiod's label, and a proxy",
      pod: istiod("x", { namespace: "shop", containers: ["istio-proxy"] }),
      found: ["proxy x.shop"],
    },
    {
      what: "that only has ztunnel's label",
      pod: aPod("z", { containers: ["app"], labels: { app: "ztunnel" } }),
      found: [],
    },
    {
      what: "without a proxy",
      pod: aPod("plain", { containers: ["app"], initContainers: ["istio-init"] }),
      found: [],
    },
    { what: "with a dot in its name", pod: aPod("a.b"), found: ["proxy a.b.shop"] },
  ])("$what: $found", ({ pod, found }) => {
    expect(namesOf([pod])).toEqual(found);
  });

  it("is every Istiod, whatever its revision", () => {
    const pods = [istiod("istiod-1"), istiod("istiod-canary-1", { labels: { "istio.io/rev": "canary" } })];
    expect(namesOf(pods)).toEqual(["istiod istiod-1.istio-system", "istiod istiod-canary-1.istio-system"]);
  });

  const waiting = { name: "istio-proxy", state: { waiting: { reason: "PodInitializing" } } };
  const running = { name: "istio-proxy", state: { running: { startedAt: "2025-01-01T00:00:00Z" } } };
  it.each([
    { status: { phase: "Running" }, unreachable: null },
    { status: {}, unreachable: null },
    { status: { phase: "Pending" }, unreachable: "not asked: the pod is Pending" },
    { status: { phase: "Unknown" }, unreachable: "not asked: the pod is Unknown" },
    { status: { phase: "\u001b[2J" }, unreachable: "not asked: the pod is \\u001b[2J" },
    {
      status: {
        phase: "Pending",
        initContainerStatuses: [{ name: "wait", state: { running: {} } }, waiting],
      },
      unreachable: "not asked: the pod is Pending",
    },
    { status: { phase: "Pending", initContainerStatuses: [running] }, unreachable: null },
    {
      status: {
        phase: "Pending",
        initContainerStatuses: [{ name: "istio-proxy", state: { running: null } }],
      },
      unreachable: "not asked: the pod is Pending",
    },
  ])("whose status is $status is unreachable: $unreachable", ({ status, unreachable }) => {
    expect(targetsOf([aPod("a", { status })]).map((target) => target.unreachable)).toEqual([unreachable]);
  });

  it.each(["Succeeded", "Failed"])("is no pod that is %s", (phase) => {
    expect(namesOf([aPod("done", { status: { phase } }), aPod("a")])).toEqual(["proxy a.shop"]);
  });

  it("counts once where two lists hold it", () => {
    const { targets, pods } = inventory([listOf(aPod("a")), listOf(aPod("a"), aPod("b"))], everything);
    expect(targets.map(({ pod }) => pod)).toEqual(["a", "b"]);
    expect(pods).toHaveLength(2);
  });
});

describe("a filter", () => {
  const reviews = aPod("reviews-5d4-x", {
    labels: { "pod-template-hash": "5d4" },
    owner: { kind: "ReplicaSet", name: "reviews-5d4" },
  });
  const database = aPod("db-0", { owner: { kind: "StatefulSet", name: "db" } });
  const agent = aPod("agent-x", { namespace: "ops", owner: { kind: "DaemonSet", name: "agent" } });
  const job = aPod("load-x", { namespace: "ops", owner: { kind: "Job", name: "load" } });
  const bare = aPod("bare", { namespace: "ops" });
  const set = aPod("set-x", { namespace: "ops", owner: { kind: "ReplicaSet", name: "set" } });
  const ztunnel = aPod("ztunnel-x", {
    namespace: "istio-system",
    containers: ["istio-proxy"],
    labels: { app: "ztunnel" },
  });
  const pods = [istiod("istiod-1"), reviews, database, agent, job, bare, set, ztunnel];
  const proxies = (filters: Partial<Filters>): string[] =>
    namesOf(pods, filters).flatMap((name) =>
      name.startsWith("istiod ") ? [] : [name.replace(/^proxy /, "")],
    );

  it.each([
    { namespaces: ["shop"], excluded: [], found: ["reviews-5d4-x.shop", "db-0.shop"] },
    { namespaces: ["shop", "ops"], excluded: ["ops"], found: ["reviews-5d4-x.shop", "db-0.shop"] },
    { namespaces: [], excluded: ["shop", "ops"], found: ["ztunnel ztunnel-x.istio-system"] },
    { namespaces: ["nowhere"], excluded: [], found: [] },
  ])("by namespace $namespaces but $excluded finds $found", ({ namespaces, excluded, found }) => {
    expect(proxies({ namespaces, excludedNamespaces: excluded })).toEqual(found);
  });

  it("by namespace or workload leaves every Istiod in", () => {
    for (const filters of [
      { namespaces: ["shop"] },
      { excludedNamespaces: ["istio-system"] },
      { workloads: ["deploy/x"] },
    ])
      expect(namesOf(pods, filters)).toContain("istiod istiod-1.istio-system");
  });

  it.each([
    { workload: "deploy/reviews", found: ["reviews-5d4-x.shop"] },
    { workload: "deployment/reviews.shop", found: ["reviews-5d4-x.shop"] },
    { workload: "Deployments/reviews", found: ["reviews-5d4-x.shop"] },
    { workload: "deployment.apps/reviews", found: ["reviews-5d4-x.shop"] },
    { workload: "deploy/reviews.ops", found: [] },
    { workload: "deploy/review", found: [] },
    { workload: "sts/db", found: ["db-0.shop"] },
    { workload: "statefulset/db.shop", found: ["db-0.shop"] },
    { workload: "deploy/db", found: [] },
    { workload: "ds/agent", found: ["agent-x.ops"] },
    { workload: "daemonsets/agent.ops", found: ["agent-x.ops"] },
    { workload: "job/load", found: ["load-x.ops"] },
    { workload: "rs/set", found: ["set-x.ops"] },
    { workload: "rs/reviews-5d4", found: [] },
    { workload: "bare", found: ["bare.ops"] },
    { workload: "bare.ops", found: ["bare.ops"] },
    { workload: "pod/bare", found: ["bare.ops"] },
    { workload: "po/db-0.shop", found: ["db-0.shop"] },
    { workload: "bare.shop", found: [] },
    { workload: "/bare", found: [] },
    { workload: "constructor/bare", found: [] },
    { workload: "", found: [] },
  ])("by workload $workload finds $found", ({ workload, found }) => {
    expect(proxies({ workloads: [workload] })).toEqual(found);
  });

  it("by workloads finds what any of them is", () => {
    expect(proxies({ workloads: ["deploy/reviews", "bare.ops"] })).toEqual([
      "reviews-5d4-x.shop",
      "bare.ops",
    ]);
  });

  const injected = (revision: string): PodOptions => ({
    annotations: { "sidecar.istio.io/status": JSON.stringify({ containers: ["istio-proxy"], revision }) },
  });
  it.each([
    { says: "the injector", pod: aPod("a", injected("canary")), revision: "canary" },
    {
      says: "the injector, whatever tag was asked for",
      pod: aPod("a", { ...injected("1-27"), labels: { "istio.io/rev": "prod" } }),
      revision: "1-27",
    },
    { says: "a label", pod: aPod("a", { labels: { "istio.io/rev": "canary" } }), revision: "canary" },
    {
      says: "an annotation",
      pod: aPod("a", { annotations: { "istio.io/rev": "canary" } }),
      revision: "canary",
    },
    { says: "nothing", pod: aPod("a"), revision: "default" },
    {
      says: "an older injector, nothing",
      pod: aPod("a", { annotations: { "sidecar.istio.io/status": '{"version":"1"}' } }),
      revision: "default",
    },
    {
      says: "an Istiod's label",
      pod: istiod("a", { labels: { "istio.io/rev": "canary" } }),
      revision: "canary",
    },
  ])("by revision goes by what $says", ({ pod, revision }) => {
    expect(namesOf([pod], { revision })).toHaveLength(1);
    expect(namesOf([pod], { revision: "another" })).toEqual([]);
  });

  it("by revision leaves ztunnel in, which serves all of them", () => {
    expect(namesOf([ztunnel], { revision: "canary" })).toEqual(["ztunnel ztunnel-x.istio-system"]);
  });
});

describe("what is kept of a pod", () => {
  it("is names, owner, addresses, labels, ports and its proxy, and nothing else", () => {
    const pod = {
      metadata: {
        name: "reviews-5d4-x",
        namespace: "shop",
        labels: { app: "reviews", "pod-template-hash": "5d4" },
        annotations: { token: "secret" },
        ownerReferences: [{ kind: "ReplicaSet", name: "reviews-5d4", uid: "1", controller: true }],
      },
      spec: {
        hostNetwork: true,
        nodeName: "node-1",
        initContainers: [
          {
            name: "istio-proxy",
            ports: [{ containerPort: 15090, name: "http-envoy-prom", protocol: "TCP" }],
          },
        ],
        containers: [
          {
            name: "app",
            env: [{ name: "PASSWORD", value: "secret" }],
            ports: [{ containerPort: 9080, hostPort: 1 }, { containerPort: "x" }, null],
          },
        ],
      },
      status: {
        phase: "Running",
        podIP: "10.0.0.1",
        podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }],
        hostIP: "192.0.2.1",
      },
    };
    expect(recordOf(pod)).toEqual({
      name: "reviews-5d4-x",
      namespace: "shop",
      labels: { app: "reviews", "pod-template-hash": "5d4" },
      owner: { kind: "Deployment", name: "reviews" },
      ips: ["10.0.0.1", "fd00::1"],
      hostNetwork: true,
      proxyContainer: true,
      ports: [{ name: "http-envoy-prom", port: 15090, protocol: "TCP" }, { port: 9080 }],
    });
  });

  it("takes the owner that controls it", () => {
    const pod = aPod("a") as { metadata: Record<string, unknown> };
    pod.metadata["ownerReferences"] = [
      { kind: "Node", name: "n" },
      { kind: "StatefulSet", name: "a", controller: true },
    ];
    expect(recordOf(pod)).toMatchObject({ owner: { kind: "StatefulSet", name: "a" } });
  });

  it("takes the one address of an older API server", () => {
    expect(recordOf(aPod("a", { status: { podIP: "10.0.0.9" } }))).toMatchObject({ ips: ["10.0.0.9"] });
    expect(recordOf(aPod("a", { status: {} }))).toMatchObject({ ips: [] });
  });
});

describe("a list of pods", () => {
  it.each([
    "",
    "..",
    "../../etc/passwd",
    "a/b",
    "A",
    "-a",
    "a-",
    "a b",
    "a\u0000",
    "a\n",
    "é",
    "a".repeat(254),
  ])("loses a pod whose name is %j, and says so", (name) => {
    const { targets, pods, malformed } = inventory([listOf(aPod(name), aPod("good"))], everything);
    expect(targets.map(({ pod }) => pod)).toEqual(["good"]);
    expect(pods).toHaveLength(1);
    expect(malformed).toBe(1);
  });

  it("loses a pod whose namespace is none, and says so", () => {
    for (const namespace of ["a.b", "..", "a/b", "", "a".repeat(64)]) {
      const { pods, malformed } = inventory([listOf(aPod("x", { namespace }))], everything);
      expect([namespace, pods.length, malformed]).toEqual([namespace, 0, 1]);
    }
  });

  it("loses what is no pod, and says so", () => {
    for (const item of [null, 1, "pod", [], {}, { metadata: null }, { metadata: "x" }]) {
      const { pods, malformed } = inventory([listOf(item, aPod("good"))], everything);
      expect([pods.length, malformed]).toEqual([1, 1]);
    }
  });

  it.each([
    { field: "metadata.labels", value: null },
    { field: "metadata.labels", value: { app: 1, x: null, good: "yes" } },
    { field: "metadata.annotations", value: "none" },
    { field: "metadata.annotations", value: { "sidecar.istio.io/status": { revision: 1 } } },
    { field: "metadata.ownerReferences", value: {} },
    { field: "metadata.ownerReferences", value: [null, 1] },
    { field: "spec.initContainers", value: {} },
    {
      field: "spec.initContainers",
      value: [null, { name: null, ports: {} }, { ports: [null, { containerPort: null }] }],
    },
    { field: "status", value: null },
    { field: "status", value: { phase: 1, podIPs: {}, podIP: 2, initContainerStatuses: [{ state: null }] } },
  ])("keeps a pod with a strange $field", ({ field, value }) => {
    const pod = aPod("a") as Record<string, Record<string, unknown>>;
    const [part = "", key] = field.split(".");
    const strange =
      key === undefined ? { ...pod, [part]: value } : { ...pod, [part]: { ...pod[part], [key]: value } };
    expect(namesOf([strange], { workloads: ["a"], revision: "default" })).toEqual(["proxy a.shop"]);
  });

  it("keeps a pod without a specification, as one without a proxy", () => {
    const { targets, pods } = inventory([listOf({ ...(aPod("a") as object), spec: null })], everything);
    expect(targets).toEqual([]);
    expect(pods).toMatchObject([{ name: "a", proxyContainer: false, ports: [] }]);
  });

  it("may be anything at all", () => {
    const filters = { ...everything, revision: "default", workloads: ["deploy/a", "a"] };
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (lists) => {
        expect(inventory(lists, everything).targets).toEqual([]);
        expect(serviceRecords(lists)).toEqual([]);
      }),
    );
    const part = fc.oneof(fc.jsonValue(), fc.constant(null));
    const pods = fc.array(
      fc.record({
        metadata: fc.record({
          name: fc.constantFrom("a", "b", "..", 1),
          namespace: fc.constantFrom("shop", null),
          labels: part,
          annotations: part,
          ownerReferences: part,
        }),
        spec: fc.oneof(
          part,
          fc.record({
            containers: fc.oneof(part, fc.constant([{ name: "istio-proxy" }])),
            initContainers: part,
          }),
        ),
        status: fc.oneof(part, fc.record({ phase: part, podIPs: part, initContainerStatuses: part })),
      }),
    );
    fc.assert(
      fc.property(pods, (items) => {
        const { targets, pods: kept } = inventory([{ items }], filters);
        for (const { pod, namespace } of [...targets])
          expect([isName(pod), namespace]).toEqual([true, "shop"]);
        expect(new Set(kept.map(({ name }) => name)).size).toBe(kept.length);
      }),
    );
  });
});

describe("what is kept of a service", () => {
  it("is names, addresses, selector and ports, and nothing else", () => {
    const service = {
      metadata: { name: "reviews", namespace: "shop", annotations: { token: "secret" } },
      spec: {
        clusterIP: "10.1.0.1",
        clusterIPs: ["10.1.0.1", "fd00::2"],
        selector: { app: "reviews", wrong: 1 },
        type: "NodePort",
        externalName: "secret",
        ports: [
          {
            name: "http",
            port: 9080,
            targetPort: "web",
            protocol: "TCP",
            appProtocol: "http",
            nodePort: 30000,
          },
          { port: 9090, targetPort: 9090 },
          { port: "x" },
          null,
        ],
      },
    };
    expect(
      serviceRecords([listOf(service, null, { metadata: { name: "../x", namespace: "shop" } })]),
    ).toEqual([
      {
        name: "reviews",
        namespace: "shop",
        type: "NodePort",
        clusterIPs: ["10.1.0.1", "fd00::2"],
        selector: { app: "reviews" },
        ports: [
          { name: "http", port: 9080, targetPort: "web", protocol: "TCP", appProtocol: "http" },
          { port: 9090, targetPort: 9090 },
        ],
      },
    ]);
  });

  it("takes the one address of an older API server, and the type that goes without saying", () => {
    const service = { metadata: { name: "a", namespace: "shop" }, spec: { clusterIP: "None" } };
    expect(serviceRecords([listOf(service)])).toEqual([
      { name: "a", namespace: "shop", type: "ClusterIP", clusterIPs: ["None"], selector: {}, ports: [] },
    ]);
  });
});
