/** The rig that tests of the collector stand on: if its Envoys are not as they are said to be, those tests prove nothing. */
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { root } from "../support/cli.js";
import { startEnvoy, type RunningEnvoy } from "../support/live/envoy.js";
import { withoutEnvoy } from "../support/live/envoy-binary.js";
import { startEnvoyStandIn } from "../support/live/envoy-stand-in.js";
import {
  dealtOut,
  liveMesh,
  liveWorkloads,
  proxyIn,
  startLiveEnvoys,
  startProxy,
  type LiveEnvoys,
  type LiveState,
} from "../support/live/live-envoys.js";
import { serveMesh, startStandIns } from "../support/live/live-mesh.js";
import { loadGauge } from "../support/live/load.js";
import { stoppedAfterEach } from "../support/live/until-the-end.js";
import { waitFor } from "../support/live/wait.js";
import { outboundName } from "../support/mesh/clusters.js";
import { sentAssignment } from "../support/mesh/endpoints.js";
import { textOf, type JsonObject } from "../support/mesh/json.js";
import { buildMesh } from "../support/mesh/mesh.js";
import type { MeshProxy } from "../support/mesh/model.js";

const untilTheEnd = stoppedAfterEach();

const names = (resources: readonly JsonObject[]): string[] =>
  resources.map((resource) => textOf(resource, "name")).sort();

const inOrder = (resources: readonly JsonObject[]): JsonObject[] =>
  [...resources].sort((left, right) => (textOf(left, "name") < textOf(right, "name") ? -1 : 1));

interface DynamicListener {
  readonly name?: string;
  readonly active_state?: { readonly version_info: string; readonly listener: JsonObject };
  readonly warming_state?: { readonly listener: JsonObject };
  readonly error_state?: { readonly details: string; readonly failed_configuration: JsonObject };
}

/** Elements of a repeated field of the dump. */
async function held<T>(envoy: RunningEnvoy, field: string): Promise<T[]> {
  const { configs } = (await envoy.askJson("config_dump?include_eds")) as {
    configs: Record<string, T[]>[];
  };
  return configs.flatMap((section) => section[field] ?? []);
}
const heldClusters = async (envoy: RunningEnvoy): Promise<JsonObject[]> =>
  (await held<{ cluster: JsonObject }>(envoy, "dynamic_active_clusters")).map(({ cluster }) => cluster);
const heldRoutes = async (envoy: RunningEnvoy): Promise<JsonObject[]> =>
  (await held<{ route_config: JsonObject }>(envoy, "dynamic_route_configs")).map(
    (entry) => entry.route_config,
  );
const heldEndpoints = async (envoy: RunningEnvoy): Promise<JsonObject[]> =>
  (await held<{ endpoint_config: JsonObject }>(envoy, "dynamic_endpoint_configs")).map(
    (entry) => entry.endpoint_config,
  );
const heldListeners = (envoy: RunningEnvoy): Promise<DynamicListener[]> =>
  held<DynamicListener>(envoy, "dynamic_listeners");

describe.skipIf(withoutEnvoy)("a real Envoy", () => {
  const mesh = liveMesh();
  let envoys: LiveEnvoys;
  beforeAll(async () => {
    envoys = await startLiveEnvoys(mesh);
  });
  afterAll(async () => {
    await (envoys as LiveEnvoys | undefined)?.stop(); // undefined when they could not start
  });

  it.each<LiveState>(["healthy", "rejected", "warming"])(
    "is LIVE and names itself as Istio does: %s",
    async (state) => {
      const { id, pod } = proxyIn(mesh, state);
      const info = (await envoys[state].askJson("server_info")) as {
        state: string;
        version: string;
        node: { id: string; metadata: JsonObject };
      };
      expect(info.state).toBe("LIVE");
      expect(info.version).toMatch(/^[0-9a-f]{40}\/1\.\d+\.\d+\/Clean\/RELEASE\/BoringSSL$/);
      expect(info.node.id).toBe(`sidecar~${pod.ip}~${id}~default.svc.cluster.local`);
      expect(info.node.metadata).toMatchObject({
        NAME: pod.name,
        NAMESPACE: "default",
        ISTIO_VERSION: "1.28.1",
        LABELS: { app: pod.labels["app"] },
      });
      expect(await envoys[state].ask("ready")).toBe("LIVE\n");
    },
  );

  it.each<LiveState>(["healthy", "rejected", "warming"])(
    "holds clusters, listeners, routes and endpoints as Istiod would send them: %s",
    async (state) => {
      const { desired } = proxyIn(mesh, state);
      const listeners = (await heldListeners(envoys[state])).flatMap(({ active_state, warming_state }) =>
        [active_state, warming_state].flatMap((held) => (held === undefined ? [] : [held.listener])),
      );
      const refused = (listener: JsonObject): boolean => listener["name"] === "0.0.0.0_9443";
      expect(inOrder(listeners)).toEqual(
        inOrder(desired.listeners.filter((listener) => state !== "rejected" || !refused(listener))),
      );
      expect(inOrder(await heldClusters(envoys[state]))).toEqual(inOrder(desired.clusters));
      expect(inOrder(await heldRoutes(envoys[state]))).toEqual(inOrder(desired.routes));
      expect(names(desired.clusters)).toEqual(
        expect.arrayContaining([
          "outbound|9080||reviews.default.svc.cluster.local",
          "outbound|9080|v1|reviews.default.svc.cluster.local",
          "inbound|9080||",
          "BlackHoleCluster",
          "PassthroughCluster",
        ]),
      );
      expect(names(desired.routes)).toContain("9080");
      const hosts = (await heldEndpoints(envoys[state])).map((assignment) => JSON.stringify(assignment));
      expect(hosts).toHaveLength(desired.clusters.length);
      expect(hosts.join("")).toMatch(/"address":"127\.244\.\d+\.\d+"/);
      expect(hosts.join("")).not.toMatch(/"address":"10\./);
    },
  );

  it("has all its listeners active when nothing is wrong", async () => {
    const listeners = await heldListeners(envoys.healthy);
    expect(listeners.map(({ name }) => name).sort()).toEqual(
      names(proxyIn(mesh, "healthy").desired.listeners),
    );
    expect(listeners.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["virtualOutbound", "virtualInbound", "0.0.0.0_9080"]),
    );
    expect(listeners.filter((listener) => Object.keys(listener).join() !== "name,active_state")).toEqual([]);
  });

  it("shows a listener that it refused, by its name and once without, and keeps the others", async () => {
    const listeners = await heldListeners(envoys.rejected);
    const refused = listeners.filter((listener) => listener.error_state !== undefined);
    expect(refused.map(({ name }) => name)).toEqual(["0.0.0.0_9443", undefined]);
    for (const { active_state, error_state } of refused) {
      expect(active_state).toBeUndefined();
      expect(error_state?.details).toContain("has the same matching rules defined as");
      expect(error_state?.failed_configuration["name"]).toBe("0.0.0.0_9443");
    }
    expect(listeners.filter((listener) => listener.active_state !== undefined)).toHaveLength(
      proxyIn(mesh, "rejected").desired.listeners.length - 1,
    );
    expect(await envoys.rejected.ask("stats?filter=lds.update_rejected")).toContain("update_rejected: 1");
  });

  it("shows a listener that waits for its routes", async () => {
    const listeners = await heldListeners(envoys.warming);
    const warming = listeners.filter((listener) => listener.warming_state !== undefined);
    expect(warming.map(({ name, active_state }) => ({ name, active_state }))).toEqual([
      { name: "0.0.0.0_9999", active_state: undefined },
    ]);
    expect(listeners.filter((listener) => listener.active_state !== undefined)).toHaveLength(
      proxyIn(mesh, "warming").desired.listeners.length - 1,
    );
    expect(await envoys.warming.ask("stats?filter=lds.update_rejected")).toContain("update_rejected: 0");
    expect(names(await heldRoutes(envoys.warming))).not.toContain("9999");
  });

  it("shows a cluster that waits for its endpoints", async () => {
    const [proxy] = liveMesh([{ fault: "warming-cluster", proxy: liveWorkloads.healthy }]).proxies;
    const envoy = untilTheEnd(await startProxy(proxy!));
    const warming = await held<{ cluster: JsonObject }>(envoy, "dynamic_warming_clusters");
    expect(names(warming.map((entry) => entry.cluster))).toEqual([
      "outbound|8080||loyalty.default.svc.cluster.local",
    ]);
    expect(names(await heldClusters(envoy))).toEqual(names(proxy!.config.clusters.resources));
  });

  it("says the same of its slices as the stand-in does", async () => {
    const standIn = untilTheEnd(await startEnvoyStandIn(mesh, proxyIn(mesh, "healthy")));
    const types = async (url: string, query: string): Promise<unknown> => {
      const response = await fetch(`${url}/config_dump?${query}`);
      const text = await response.text();
      if (!text.startsWith("{")) return { status: response.status, text };
      const { configs = [] } = JSON.parse(text) as { configs?: { "@type": string }[] };
      return { status: response.status, types: configs.map((element) => element["@type"]) };
    };
    const queries = [
      ...["static_clusters", "dynamic_active_clusters", "dynamic_warming_clusters"],
      ...["static_listeners", "dynamic_listeners", "static_route_configs", "dynamic_route_configs"],
      ...["dynamic_active_secrets", "dynamic_warming_secrets", "static_secrets"],
      ...["inline_scoped_route_configs", "dynamic_scoped_route_configs"],
      ...["dynamic_endpoint_configs", "ecds_filters", "nope"],
    ].map((field) => `resource=${field}`);
    queries.push(
      "include_eds&resource=static_endpoint_configs",
      "include_eds&resource=dynamic_endpoint_configs",
      "mask=bootstrap",
      "mask=bootstrap,last_updated",
      "mask=version_info",
      "mask=bootstrap,version_info",
      "mask=nope",
    );
    for (const query of queries)
      expect(await types(standIn.url, query), query).toEqual(await types(envoys.healthy.url, query));
  });

  it("refuses unknown paths and changes by GET as the stand-in does", async () => {
    const standIn = untilTheEnd(await startEnvoyStandIn(mesh, proxyIn(mesh, "healthy")));
    for (const url of [standIn.url, envoys.healthy.url]) {
      const response = await fetch(`${url}/nope`);
      expect(response.status).toBe(404);
      expect(await response.text()).toMatch(/^invalid path\. admin commands are:\n/);
    }
  });

  it("answers every path that a collector may ask, in the stand-in's form", async () => {
    const standIn = untilTheEnd(await startEnvoyStandIn(mesh, proxyIn(mesh, "healthy")));
    const keys = async (url: string): Promise<string[]> =>
      Object.keys((await (await fetch(url)).json()) as object);
    for (const path of ["config_dump?include_eds", "certs", "clusters?format=json", "runtime", "memory"])
      expect((await keys(`${standIn.url}/${path}`)).sort(), path).toEqual(
        (await keys(`${envoys.healthy.url}/${path}`)).sort(),
      );
    const pattern = `stats?filter=${encodeURIComponent("^server\\.(live|state)$")}`;
    for (const url of [standIn.url, envoys.healthy.url])
      expect(await (await fetch(`${url}/${pattern}`)).text()).toBe("server.live: 1\nserver.state: 0\n");
  });

  describe("is updated by files that are moved in:", () => {
    const { desired } = proxyIn(mesh, "healthy");
    const ratings = mesh.services.find(({ name }) => name === "ratings")!;
    const port = ratings.ports[0]!;

    it("clusters come and go", async () => {
      const added: JsonObject = { name: "outbound|7000||new.default.svc.cluster.local", type: "STATIC" };
      const clusters = desired.clusters.filter(({ name }) => name !== "PassthroughCluster");
      await envoys.healthy.update("cds", [...clusters, cluster(added)], "second");
      const now = await held<{ version_info: string; cluster: JsonObject }>(
        envoys.healthy,
        "dynamic_active_clusters",
      );
      expect(now.map((entry) => textOf(entry.cluster, "name"))).toContain(added["name"]);
      expect(now.map((entry) => textOf(entry.cluster, "name"))).not.toContain("PassthroughCluster");
      expect(now.map((entry) => entry.version_info)).toContain("second");
    });

    it("endpoints change under a cluster", async () => {
      const name = outboundName(ratings, port.port);
      const moved = sentAssignment(name, [{ address: "127.9.9.9", port: 9999, zone: "", pod: null }]);
      await envoys.healthy.update("eds", [moved], "third");
      await waitFor("Envoy had the new endpoint", async () =>
        (await heldEndpoints(envoys.healthy)).find((assignment) =>
          JSON.stringify(assignment).includes('"address":"127.9.9.9","port_value":9999'),
        ),
      );
    });

    it("routes change under a listener", async () => {
      const changed = { ...desired.routes.find(({ name }) => name === "9080"), virtual_hosts: [] };
      await envoys.healthy.update("rds", [changed], "fourth");
      await waitFor("Envoy had the new routes", async () =>
        (await heldRoutes(envoys.healthy)).some(
          ({ name, ...rest }) => name === "9080" && !("virtual_hosts" in rest),
        )
          ? true
          : undefined,
      );
    });

    it("a listener drains after it was taken away", async () => {
      await envoys.healthy.update(
        "lds",
        desired.listeners.filter(({ name }) => name !== "0.0.0.0_9411"),
        "fifth",
      );
      expect((await heldListeners(envoys.healthy)).find(({ name }) => name === "0.0.0.0_9411")).toMatchObject(
        {
          draining_state: { listener: { name: "0.0.0.0_9411" } },
        },
      );
    });
  });

  it("that cannot start tells why", async () => {
    const bootstrap = { node: { id: "x", cluster: "x" }, static_resources: { clusters: [{ name: 7 }] } };
    const nothing = { versionInfo: "", clusters: [], listeners: [], routes: [], endpoints: [] };
    await expect(startEnvoy({ ...nothing, bootstrap })).rejects.toThrow(
      /Envoy has ended\n[^]*INVALID_ARGUMENT/,
    );
  });

  it("ends with the process that started it", async () => {
    const child = await execa(
      process.execPath,
      [
        "--import",
        "tsx",
        "--input-type=module",
        "--eval",
        `const { liveMesh, proxyIn, startProxy } = await import("./test/support/live/live-envoys.ts");
         const { pid, url } = await startProxy(proxyIn(liveMesh(), "healthy"));
         process.stdout.write(JSON.stringify({ pid, url }));
         process.exit(3);`,
      ],
      { cwd: root, reject: false },
    );
    expect(child.exitCode, child.stderr).toBe(3);
    const { pid, url } = JSON.parse(child.stdout) as { pid: number; url: string };
    await waitFor("the orphan had ended", () => Promise.resolve(isRunning(pid) ? undefined : true));
    await expect(fetch(`${url}/ready`)).rejects.toThrow();
  });
});

const cluster = (resource: JsonObject): JsonObject => ({
  "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
  ...resource,
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a mesh of stand-ins", () => {
  it("can be asked through kubectl and over HTTP, every proxy and every Istiod", async () => {
    const overall = loadGauge();
    const mesh = dealtOut(buildMesh({ istiods: 2 }));
    const standIns = untilTheEnd(await startStandIns(mesh, { latency: 5, overall }));
    const live = untilTheEnd(await serveMesh(mesh, standIns.urls, { overall }));
    const [proxy] = mesh.proxies as [MeshProxy];
    const istiod = mesh.istiods.find(({ name }) => name === proxy.connectedTo)!;
    const own = await execa(live.kubectl.program, [
      ...["exec", "-n", proxy.pod.namespace, proxy.pod.name, "-c", "istio-proxy", "--"],
      ...["pilot-agent", "request", "GET", "server_info"],
    ]);
    expect(JSON.parse(own.stdout)).toMatchObject({ state: "LIVE" });
    const sent = await execa(live.kubectl.program, [
      ...["exec", "-n", istiod.namespace, istiod.name, "-c", "discovery", "--"],
      ...["pilot-discovery", "request", "GET", `debug/config_dump?proxyID=${proxy.id}&include_eds`],
    ]);
    expect((JSON.parse(sent.stdout) as { configs: unknown[] }).configs).toHaveLength(8);
    const answers = await Promise.all(
      mesh.proxies.map(async ({ id }) => (await fetch(`${standIns.urls.get(id)!}/certs`)).status),
    );
    expect(answers).toEqual(mesh.proxies.map(() => 200));
    expect(overall.peak).toBeGreaterThan(0);
    expect(standIns.servers.map(({ load }) => load.peak)).toEqual(mesh.proxies.map(() => 1));
  });

  it("lists a proxy that nobody answers for, and has it gone when it is asked", async () => {
    const mesh = dealtOut(buildMesh());
    const live = untilTheEnd(await serveMesh(mesh, new Map()));
    const { pod } = mesh.proxies[0]!;
    const listed = await execa(live.kubectl.program, ["get", "pods", "-n", pod.namespace, "-o", "json"]);
    expect(listed.stdout).toContain(`"${pod.name}"`);
    const asked = await execa(
      live.kubectl.program,
      [
        ...["exec", "-n", pod.namespace, pod.name, "-c", "istio-proxy", "--"],
        ...["pilot-agent", "request", "GET", "certs"],
      ],
      { reject: false },
    );
    expect(asked).toMatchObject({ exitCode: 1 });
    expect(asked.stderr).toContain("(NotFound)");
  });
});
