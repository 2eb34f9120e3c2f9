/** Everything that a capture ever asks, of kubectl, of Envoy, of Istiod and of ztunnel. A line more is a decision. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { capture, captured, type Capture } from "../support/live/collector-run.js";
import {
  adminServer,
  harmful,
  refuses,
  type AskedFor,
  type LocalServer,
} from "../support/live/faulty-server.js";
import { folderForEach, newFolder, type Folder } from "../support/live/folder.js";
import { podObject, podSecrets } from "../support/live/kubernetes-objects.js";
import { serveMesh, startStandIns, type LiveMesh, type StandIns } from "../support/live/live-mesh.js";
import { loadGauge } from "../support/live/load.js";
import { meshOf, versionFor } from "../support/live/named-mesh.js";
import { filesOf, gapsOf, proxyFiles, viewIn } from "../support/live/read-back.js";
import { serve } from "../support/live/served-mesh.js";
import { stoppedAfterEach } from "../support/live/until-the-end.js";

const untilTheEnd = stoppedAfterEach();
const folder = folderForEach();

const envoyPaths = [
  "certs",
  "clusters?format=json",
  "config_dump?include_eds",
  "runtime",
  "server_info",
  "stats?filter=<names>",
];
const istiodPaths = [
  "debug/adsz",
  "debug/ambientz",
  "debug/clusterz",
  "debug/config_dump?proxyID=<connection>&include_eds",
  "debug/configz",
  "debug/endpointShardz",
  "debug/mesh",
  "debug/ndsz?proxyID=<connection>",
  "debug/networkz",
  "debug/push_status",
  "debug/registryz",
  "debug/syncz",
  "version",
];
const slicePaths = [
  "config_dump?mask=bootstrap,last_updated",
  "config_dump?mask=ecds_filters",
  "config_dump?mask=version_info",
  "config_dump?resource=dynamic_active_clusters",
  "config_dump?resource=dynamic_active_secrets",
  "config_dump?resource=dynamic_endpoint_configs&include_eds",
  "config_dump?resource=dynamic_listeners",
  "config_dump?resource=dynamic_route_configs",
  "config_dump?resource=dynamic_scoped_route_configs",
  "config_dump?resource=dynamic_warming_clusters",
  "config_dump?resource=dynamic_warming_secrets",
  "config_dump?resource=inline_scoped_route_configs",
  "config_dump?resource=static_clusters",
  "config_dump?resource=static_endpoint_configs&include_eds",
  "config_dump?resource=static_listeners",
  "config_dump?resource=static_route_configs",
  "config_dump?resource=static_secrets",
];
const ztunnelPaths = ["config_dump"];

/** A path without what differs from proxy to proxy. */
const general = (path: string): string =>
  path.replace(/filter=.*/, "filter=<names>").replace(/(?<=proxyID=)[^&]*/, "<connection>");

const distinct = (lines: readonly string[]): string[] => [...new Set(lines)].sort();

const asLines = (requests: readonly AskedFor[]): string[] =>
  distinct(requests.map(({ method, url }) => `${method} ${general(url)}`));

const ids = ["cart.shop", "pay.shop"];
const mesh = meshOf(ids, { istiods: 2, istioVersion: "1.24.2" });

describe("a whole capture through kubectl", () => {
  let home: Folder;
  let standIns: StandIns;
  let ztunnel: LocalServer;
  let live: LiveMesh;
  let asked: string[][];
  let capturing: Capture;
  beforeAll(async () => {
    home = await newFolder();
    standIns = await startStandIns(mesh);
    ztunnel = await adminServer({ config_dump: JSON.stringify({ workloads: [], services: [] }) });
    live = await serveMesh(mesh, standIns.urls, {
      dnsCapture: new Set(["cart.shop"]),
      kubernetes: {
        pods: [
          podObject({
            name: "ztunnel-x1",
            namespace: "istio-system",
            labels: { app: "ztunnel" },
            owner: { kind: "DaemonSet", name: "ztunnel" },
            containers: [],
            proxy: "container",
          }),
        ],
        ports: { "istio-system/ztunnel-x1:15000": ztunnel.port },
      },
    });
    capturing = await capture(home.path, {
      kubectl: live.kubectl.program,
      context: "kind-test",
      kubeconfig: "/home/jane/.kube/config",
    });
    asked = await live.kubectl.asked();
  });
  afterAll(async () => {
    await Promise.all([standIns.stop(), ztunnel.stop(), live.stop(), home.remove()]);
  });

  it("is whole", () => {
    expect(gapsOf(capturing.manifest)).toEqual([]);
    expect(capturing.code).toBe(0);
    expect(capturing.snapshot.ztunnels).toMatchObject([{ pod: "ztunnel-x1", dump: { state: "present" } }]);
    for (const { id, connectedTo } of mesh.proxies) {
      expect(filesOf(capturing, id)).toEqual(proxyFiles);
      expect(viewIn(capturing, connectedTo ?? "", id)).toContain(versionFor(id));
    }
  });

  it("asks kubectl for this and for nothing else", () => {
    const istiods = new Set(mesh.istiods.map(({ name }) => name));
    const known = (word: string): string => {
      if (istiods.has(word)) return "<istiod>";
      if (ids.includes(`${word}.shop`)) return "<proxy>";
      if (word === "shop" || word === "istio-system") return "<namespace>";
      return general(word).replace("ztunnel-x1", "<ztunnel>");
    };
    expect(distinct(asked.map((args) => args.map(known).join(" ")))).toEqual(
      [
        "get pods --all-namespaces -o json",
        "get services --all-namespaces -o json",
        ...envoyPaths.map(
          (path) => `exec -n <namespace> <proxy> -c istio-proxy -- pilot-agent request GET ${path}`,
        ),
        ...istiodPaths.map(
          (path) => `exec -n <namespace> <istiod> -c discovery -- pilot-discovery request GET ${path}`,
        ),
        "port-forward -n <namespace> pod/<ztunnel> :15000",
      ]
        .map((line) => `--kubeconfig /home/jane/.kube/config --context kind-test ${line}`)
        .sort(),
    );
  });

  it("asks for nothing twice but for the sync state", () => {
    const lines = asked.map((args) => args.join(" "));
    const twice = distinct(lines.filter((line, index) => lines.indexOf(line) !== index));
    expect(twice.map((line) => line.replace(/^.* request GET /, ""))).toEqual(["debug/syncz", "debug/syncz"]);
    expect(lines.filter((line) => line.includes("port-forward"))).toHaveLength(1);
  });

  it("asks Envoy, Istiod and ztunnel for this and for nothing else", () => {
    expect(asLines(standIns.servers.flatMap(({ requests }) => requests))).toEqual(
      envoyPaths.map((path) => `GET /${path}`),
    );
    expect(asLines(live.istiods.flatMap(({ requests }) => requests))).toEqual(
      istiodPaths.map((path) => `GET /${path}`),
    );
    expect(asLines(ztunnel.requests)).toEqual(ztunnelPaths.map((path) => `GET /${path}`));
    expect(
      harmful([...standIns.servers, ...live.istiods, ztunnel].flatMap(({ requests }) => requests)),
    ).toEqual([]);
  });

  it("keeps of pods and services what they are, and nothing that they hold", () => {
    const lists = ["cluster/pods.json", "cluster/services.json"].map(
      (name) => capturing.files.get(name) ?? "",
    );
    const [pods = "", services = ""] = lists;
    const { pods: listed } = JSON.parse(pods) as { pods: { name: string; owner: object }[] };
    expect(listed.map(({ name }) => name)).toEqual(expect.arrayContaining(["cart", "pay", "ztunnel-x1"]));
    expect(listed.find(({ name }) => name === "ztunnel-x1")?.owner).toEqual({
      kind: "DaemonSet",
      name: "ztunnel",
    });
    expect(services).toContain("istiod");
    for (const text of capturing.files.values())
      for (const secret of Object.values(podSecrets)) expect(text).not.toContain(secret);
    for (const key of ["env", "annotations", "args", "volumes", "imagePullSecrets", "last-applied", "image"])
      for (const list of lists) expect(list).not.toContain(`"${key}`);
  });
});

describe("a capture without Kubernetes", () => {
  const many = meshOf(
    Array.from({ length: 8 }, (_, index) => `proxy-${index}.shop`),
    { istiods: 2 },
  );

  it.each([1, 5, 32])(
    "asks %i things at a time, two of an Istiod and one of a proxy",
    async (concurrency) => {
      const overall = loadGauge();
      const served = untilTheEnd(await serve(many, { latency: 10, overall }));
      const { code } = await captured(folder(), { ...served.ways, concurrency });
      expect(code).toBe(0);
      expect(overall.peak).toBeLessThanOrEqual(concurrency);
      if (concurrency > 1) expect(overall.peak).toBeGreaterThan(1);
      for (const istiod of served.istiods) expect(istiod.load.peak).toBeLessThanOrEqual(2);
      for (const envoy of served.envoys.values()) expect(envoy.load.peak).toBe(1);
      const all = [...served.istiods, ...served.envoys.values()].flatMap(({ requests }) => requests);
      expect(harmful(all)).toEqual([]);
      expect(asLines(all)).toEqual(
        [...envoyPaths, ...istiodPaths.filter((path) => !path.startsWith("debug/ndsz"))]
          .map((path) => `GET /${path}`)
          .sort(),
      );
    },
  );

  it("asks for parts of a dump where the whole is too large", async () => {
    const served = untilTheEnd(await serve(mesh));
    const dump = await fetch(`${served.envoys.get("cart.shop")?.url ?? ""}/config_dump?include_eds`);
    const maxSize = (await dump.text()).length - 1;
    await captured(folder(), { ...served.ways, limits: { maxSize } });
    const requests = served.envoys.get("cart.shop")?.requests ?? [];
    expect(asLines(requests)).toEqual([...envoyPaths, ...slicePaths].map((path) => `GET /${path}`).sort());
    expect(harmful(requests)).toEqual([]);
  });

  it("asks an Istiod that does not tell its connections whom it means by a name", async () => {
    const served = untilTheEnd(await serve(mesh, { istiods: [{ instead: { "debug/adsz": refuses(404) } }] }));
    await captured(folder(), served.ways);
    const [silent, telling] = served.istiods.map(({ requests }) => requests);
    const byName = "GET /debug/adsz?proxyID=<connection>";
    expect(asLines(silent ?? [])).toContain(byName);
    expect(asLines(telling ?? [])).not.toContain(byName);
    const others = asLines(silent ?? []).filter((line) => line !== byName);
    expect(istiodPaths.map((path) => `GET /${path}`)).toEqual(expect.arrayContaining(others));
  });
});
