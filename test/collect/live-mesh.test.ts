/** Which of a cluster's pods are asked, through kubectl: every kind of owner, of proxy and of filter. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { UserError } from "../../src/shared/errors.js";
import {
  capture,
  captured,
  type Capture,
  type Finished,
  type RunOptions,
} from "../support/live/collector-run.js";
import { folderForEach, leftIn, newFolder, type Folder } from "../support/live/folder.js";
import { podObject, podSecrets, serviceObject, type PodShape } from "../support/live/kubernetes-objects.js";
import { standInKubectl, type KubectlOptions, type KubectlStandIn } from "../support/live/kubectl.js";
import { meshOf, versionFor } from "../support/live/named-mesh.js";
import { filesOf, gapsOf, proxyFiles, viewIn } from "../support/live/read-back.js";
import { serve, type ServedMesh } from "../support/live/served-mesh.js";

const folder = folderForEach();

/** A Deployment's: its ReplicaSet is named after its template. */
const ofDeployment = (name: string, hash: string): Pick<PodShape, "labels" | "owner"> => ({
  labels: { app: name, "pod-template-hash": hash },
  owner: { kind: "ReplicaSet", name: `${name}-${hash}` },
});
const istiod = (name: string, revision: string): PodShape => ({
  name,
  namespace: "istio-system",
  labels: { app: "istiod", "istio.io/rev": revision },
  containers: ["discovery"],
});
const canary = { revision: "canary" };

const pods: readonly PodShape[] = [
  istiod("istiod-1", "default"),
  istiod("istiod-canary-1", "canary"),
  { ...istiod("istiod-elsewhere", "default"), namespace: "mesh-admin" },
  {
    name: "ztunnel-n1",
    namespace: "istio-system",
    labels: { app: "ztunnel" },
    owner: { kind: "DaemonSet", name: "ztunnel" },
    containers: [],
    proxy: "container",
  },
  {
    name: "gateway-7c9-a",
    namespace: "ingress",
    ...ofDeployment("gateway", "7c9"),
    containers: [],
    proxy: "container",
  },
  {
    name: "waypoint-5f4-a",
    namespace: "shop",
    labels: { "gateway.istio.io/managed": "istio.io-mesh-controller", "pod-template-hash": "5f4" },
    owner: { kind: "ReplicaSet", name: "waypoint-5f4" },
    containers: [],
    proxy: "container",
  },
  { name: "web-6d8-a", namespace: "shop", ...ofDeployment("web", "6d8"), proxy: "container" },
  { name: "web-6d8-b", namespace: "shop", ...ofDeployment("web", "6d8"), proxy: "native sidecar" },
  { name: "cart-5b6-a", namespace: "shop", ...ofDeployment("cart", "5b6"), proxy: "container", ...canary },
  { name: "bare", namespace: "shop", owner: null, proxy: "container" },
  { name: "report-x1", namespace: "shop", owner: { kind: "Job", name: "report" }, proxy: "native sidecar" },
  {
    name: "report-x0",
    namespace: "shop",
    owner: { kind: "Job", name: "report" },
    proxy: "container",
    phase: "Succeeded",
  },
  { name: "starting", namespace: "shop", owner: null, proxy: "container", phase: "Pending", ...canary },
  { name: "plain-1", namespace: "shop" },
  { name: "db-0", namespace: "data", owner: { kind: "StatefulSet", name: "db" }, proxy: "container" },
  {
    name: "db-1",
    namespace: "data",
    owner: { kind: "StatefulSet", name: "db" },
    proxy: "native sidecar",
    ...canary,
  },
  { name: "agent-z9", namespace: "data", owner: { kind: "DaemonSet", name: "agent" }, proxy: "container" },
];
const services = [
  serviceObject({
    name: "web",
    namespace: "shop",
    clusterIp: "10.96.0.7",
    selector: { app: "web" },
    ports: [{ name: "http", port: 80, targetPort: 8080 }],
  }),
  serviceObject({ name: "db", namespace: "data", ports: [{ name: "tcp", port: 5432, targetPort: "pg" }] }),
];

const all = {
  istiods: ["istiod-1.istio-system", "istiod-canary-1.istio-system"],
  ingress: ["gateway-7c9-a.ingress"],
  shop: [
    "bare.shop",
    "cart-5b6-a.shop",
    "report-x1.shop",
    "starting.shop",
    "waypoint-5f4-a.shop",
    "web-6d8-a.shop",
    "web-6d8-b.shop",
  ],
  data: ["agent-z9.data", "db-0.data", "db-1.data"],
  ztunnels: ["ztunnel-n1.istio-system"],
};

describe("a cluster", () => {
  let kubectl: KubectlStandIn;
  beforeAll(async () => {
    kubectl = await standInKubectl({ pods: pods.map(podObject), services });
  });
  afterAll(() => kubectl.stop());

  /** The command lines of a run, sorted. */
  async function askedBy(run: () => Promise<unknown>): Promise<string[]> {
    const before = (await kubectl.asked()).length;
    await run();
    const lines = (await kubectl.asked()).slice(before).map((args) => args.join(" "));
    return lines.map((line) => line.replace(/^--kubeconfig \S+ /, "")).sort();
  }
  const dryRun = (filters: RunOptions["filters"] = {}): Promise<Finished> =>
    captured(folder(), { kubectl: kubectl.program, dryRun: true, filters });
  /** Who would be asked, by kind. */
  async function targetsOf(filters: RunOptions["filters"]): Promise<Record<string, string[]>> {
    const { stdout } = await dryRun(filters);
    const targets: Record<string, string[]> = { istiod: [], proxy: [], ztunnel: [] };
    for (const line of stdout.split("\n").filter((each) => each !== "" && !each.startsWith(" "))) {
      const [kind = "", name = ""] = line.split(" ");
      targets[kind]?.push(name);
    }
    return targets;
  }

  it.each<{
    flags: string;
    filters: RunOptions["filters"];
    istiods?: string[];
    proxies: string[];
    ztunnels?: string[];
  }>([
    {
      flags: "none",
      filters: {},
      proxies: [...all.data, ...all.ingress, ...all.shop],
      ztunnels: all.ztunnels,
    },
    { flags: "-n shop", filters: { namespaces: ["shop"] }, proxies: all.shop },
    {
      flags: "-n data -n ingress",
      filters: { namespaces: ["data", "ingress"] },
      proxies: [...all.data, ...all.ingress],
    },
    {
      flags: "-n istio-system",
      filters: { namespaces: ["istio-system"] },
      proxies: [],
      ztunnels: all.ztunnels,
    },
    { flags: "-n nobody", filters: { namespaces: ["nobody"] }, proxies: [] },
    {
      flags: "--exclude-namespace shop",
      filters: { excludedNamespaces: ["shop"] },
      proxies: [...all.data, ...all.ingress],
      ztunnels: all.ztunnels,
    },
    {
      flags: "-n shop --exclude-namespace shop",
      filters: { namespaces: ["shop"], excludedNamespaces: ["shop"] },
      proxies: [],
    },
    {
      flags: "--revision canary",
      filters: { revision: "canary" },
      istiods: ["istiod-canary-1.istio-system"],
      proxies: ["db-1.data", "cart-5b6-a.shop", "starting.shop"],
      ztunnels: all.ztunnels,
    },
    {
      flags: "--revision canary -n data",
      filters: { revision: "canary", namespaces: ["data"] },
      istiods: ["istiod-canary-1.istio-system"],
      proxies: ["db-1.data"],
    },
    {
      flags: "-i mesh-admin",
      filters: { istioNamespace: "mesh-admin" },
      istiods: ["istiod-elsewhere.mesh-admin"],
      proxies: [...all.data, ...all.ingress, ...all.shop],
      ztunnels: all.ztunnels,
    },
    {
      flags: "deploy/web",
      filters: { workloads: ["deploy/web"] },
      proxies: ["web-6d8-a.shop", "web-6d8-b.shop"],
    },
    {
      flags: "deployment.apps/web.shop",
      filters: { workloads: ["deployment.apps/web.shop"] },
      proxies: ["web-6d8-a.shop", "web-6d8-b.shop"],
    },
    { flags: "deploy/web.data", filters: { workloads: ["deploy/web.data"] }, proxies: [] },
    {
      flags: "sts/db ds/agent job/report",
      filters: { workloads: ["sts/db", "ds/agent", "job/report"] },
      proxies: [...all.data, "report-x1.shop"],
    },
    {
      flags: "bare db-0.data",
      filters: { workloads: ["bare", "db-0.data"] },
      proxies: ["db-0.data", "bare.shop"],
    },
    { flags: "ds/ztunnel", filters: { workloads: ["ds/ztunnel"] }, proxies: [], ztunnels: all.ztunnels },
  ])("is asked in part: $flags", async ({ filters, istiods = all.istiods, proxies, ztunnels = [] }) => {
    expect(await targetsOf(filters)).toEqual({ istiod: istiods, proxy: proxies, ztunnel: ztunnels });
  });

  it("is asked for its lists alone in a dry run, and every request is printed", async () => {
    let run: Finished | undefined;
    const asked = await askedBy(async () => {
      run = await dryRun({ workloads: ["starting", "db-0"] });
    });
    expect(asked).toEqual(["get pods --all-namespaces -o json", "get services --all-namespaces -o json"]);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(await leftIn(folder())).toEqual([]);
    const lines = run?.stdout.split("\n") ?? [];
    const inPod = (line: string): string =>
      `  ${kubectl.program} --kubeconfig ${folder()}/no-kubeconfig exec -n ${line}`;
    expect(lines).toEqual(
      expect.arrayContaining([
        "proxy db-0.data",
        inPod("data db-0 -c istio-proxy -- pilot-agent request GET 'config_dump?include_eds'"),
        inPod("data db-0 -c istio-proxy -- pilot-agent request GET server_info"),
        inPod("istio-system istiod-1 -c discovery -- pilot-discovery request GET debug/syncz"),
        inPod(
          "istio-system istiod-1 -c discovery -- pilot-discovery request GET debug/syncz (again, at the end)",
        ),
        "proxy starting.shop",
        "  not asked: the pod is Pending",
      ]),
    );
    expect(lines.filter((line) => line.includes(" db-0 -c istio-proxy "))).toHaveLength(6);
  });

  it("is listed by namespaces, where only some are asked", async () => {
    expect(await askedBy(() => dryRun({ namespaces: ["shop"] }))).toEqual([
      "get pods -n istio-system -o json",
      "get pods -n shop -o json",
      "get services -n istio-system -o json",
      "get services -n shop -o json",
    ]);
  });

  it("without anything to ask is no mesh", async () => {
    const nothing = dryRun({ istioNamespace: "nowhere", namespaces: ["nobody"] });
    await expect(nothing).rejects.toThrow(UserError);
    await expect(nothing).rejects.toThrow(/^there is no Istiod and no proxy to ask: .*\(nowhere\)$/);
  });
});

describe("a capture of some workloads of one revision", () => {
  /** Both Istiods know all of their own revision, asked or not. */
  const mesh = meshOf(["web-6d8-a.shop", "cart-5b6-a.shop", "db-0.data", "db-1.data"], { istiods: 2 });
  let home: Folder;
  let served: ServedMesh;
  let kubectl: KubectlStandIn;
  let capturing: Capture;
  beforeAll(async () => {
    home = await newFolder();
    served = await serve(mesh);
    const agents = mesh.proxies.map(({ id, pod }) => [
      `${pod.namespace}/${pod.name}/istio-proxy`,
      { program: "pilot-agent", url: served.envoys.get(id)?.url ?? "" },
    ]);
    const discoveries = ["istiod-1", "istiod-canary-1"].map((name, index) => [
      `istio-system/${name}/discovery`,
      { program: "pilot-discovery", url: served.istiods[index]?.url ?? "" },
    ]);
    kubectl = await standInKubectl({
      pods: pods.map(podObject),
      services,
      containers: Object.fromEntries([...agents, ...discoveries]) as NonNullable<
        KubectlOptions["containers"]
      >,
    });
    capturing = await capture(home.path, {
      kubectl: kubectl.program,
      filters: { revision: "canary", workloads: ["deploy/cart", "sts/db", "starting"] },
    });
  });
  afterAll(async () => {
    await Promise.all([served.stop(), kubectl.stop(), home.remove()]);
  });

  it("has their files, and those of their Istiod, and no other", () => {
    expect(gapsOf(capturing.manifest)).toEqual(["starting.shop: all files: not asked: the pod is Pending"]);
    expect(capturing.code).toBe(1);
    expect(
      capturing.manifest.targets.map(({ kind, namespace, name }) => `${kind} ${name}.${namespace}`),
    ).toEqual([
      "istiod istiod-canary-1.istio-system",
      "proxy db-1.data",
      "proxy cart-5b6-a.shop",
      "proxy starting.shop",
    ]);
    expect(filesOf(capturing, "db-1.data")).toEqual(proxyFiles);
    expect(filesOf(capturing, "cart-5b6-a.shop")).toEqual(proxyFiles);
    for (const id of ["db-1.data", "cart-5b6-a.shop"])
      expect(viewIn(capturing, "istiod-canary-1", id)).toContain(versionFor(id));
    expect(served.istiods[0]?.requests).toEqual([]);
    expect([...served.envoys].filter(([, { requests }]) => requests.length > 0).map(([id]) => id)).toEqual([
      "cart-5b6-a.shop",
      "db-1.data",
    ]);
  });

  it("has the lists of the whole cluster, without what pods hold", () => {
    const [podList = "", serviceList = ""] = ["pods", "services"].map((kind) =>
      capturing.files.get(`cluster/${kind}.json`),
    );
    const { pods: listed } = JSON.parse(podList) as { pods: readonly { name: string }[] };
    expect(listed).toHaveLength(pods.length);
    const about = (wanted: string): unknown => listed.find(({ name }) => name === wanted);
    expect(about("db-1")).toEqual({
      name: "db-1",
      namespace: "data",
      labels: {},
      owner: { kind: "StatefulSet", name: "db" },
      ips: ["10.244.0.9"],
      hostNetwork: false,
      proxyContainer: true,
      ports: [{ name: "http-envoy-prom", port: 15090, protocol: "TCP" }],
    });
    expect(about("web-6d8-a")).toMatchObject({ owner: { kind: "Deployment", name: "web" } });
    expect(about("bare")).not.toHaveProperty("owner");
    expect(about("plain-1")).toMatchObject({ proxyContainer: false });
    expect(JSON.parse(serviceList)).toEqual({
      services: [
        expect.objectContaining({
          name: "web",
          namespace: "shop",
          clusterIPs: ["10.96.0.7"],
          selector: { app: "web" },
        }),
        expect.objectContaining({ name: "db", namespace: "data" }),
      ],
    });
    for (const secret of Object.values(podSecrets)) expect(podList + serviceList).not.toContain(secret);
  });
});
