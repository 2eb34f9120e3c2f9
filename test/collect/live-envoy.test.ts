/** Captures of real Envoys and Istiods of several releases, by both ways, and what the analyzer says of them. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { syncStatus } from "../../src/status/sync-status.js";
import { cli } from "../support/cli.js";
import { argumentsOf, captured, overHttp } from "../support/live/collector-run.js";
import { collector } from "../support/live/collector-program.js";
import { withoutEnvoy } from "../support/live/envoy-binary.js";
import { harmful } from "../support/live/faulty-server.js";
import { liveMesh, proxyIn, startLiveEnvoys, type LiveEnvoys } from "../support/live/live-envoys.js";
import { serveMesh, type AdminUrls, type LiveMesh } from "../support/live/live-mesh.js";
import { canonical, gapsOf, readBack, withoutTokens, type ReadBack } from "../support/live/read-back.js";
import { stoppedAfterEach } from "../support/live/until-the-end.js";
import { applyFaults } from "../support/mesh/faults.js";
import type { MeshProxy } from "../support/mesh/model.js";

const mesh = liveMesh();
const healthy = proxyIn(mesh, "healthy");
const rejected = proxyIn(mesh, "rejected");
const warming = proxyIn(mesh, "warming");

const untilTheEnd = stoppedAfterEach();
let folder: string;
let envoys: LiveEnvoys;
let urls: AdminUrls;

const folderOf = ({ pod }: MeshProxy): string => `proxies/${pod.namespace}/${pod.name}`;
const dumpOf = (proxy: MeshProxy): string => `${folderOf(proxy)}/config_dump?include_eds`;
/** What an Istiod would send a proxy, by either's name. */
const viewOf = (proxy: MeshProxy, istiod = proxy.connectedTo): string =>
  `istio/istio-system/${istiod ?? ""}/debug/config_dump/${proxy.pod.namespace}/${proxy.pod.name}`;

/** The files of a capture that is whole. */
const filesOf = ({ istiods, proxies }: typeof mesh): string[] => [
  ...istiods.flatMap(({ namespace, name }) =>
    [
      ...["debug/syncz.before", "debug/syncz", "debug/adsz", "version"],
      ...["debug/configz", "debug/endpointShardz", "debug/registryz", "debug/mesh"],
      ...["debug/networkz", "debug/ambientz", "debug/clusterz", "debug/push_status"],
    ].map((file) => `istio/${namespace}/${name}/${file}`),
  ),
  ...proxies.flatMap((proxy) => [
    viewOf(proxy),
    ...["config_dump?include_eds", "server_info", "certs", "clusters", "runtime", "stats"].map(
      (file) => `${folderOf(proxy)}/${file}`,
    ),
  ]),
];

const states = ({ snapshot }: ReadBack): Record<string, string> =>
  Object.fromEntries(
    syncStatus(snapshot).rows.map(({ name, connected, istiod, types }) => [
      name,
      `${connected === true ? istiod : "NOT CONNECTED"} LDS ${types.get("LDS")?.state ?? ""}`,
    ]),
  );

const listenersOf = ({ snapshot }: ReadBack, { id }: MeshProxy): string[] => {
  const section = snapshot.proxies.find((proxy) => proxy.id === id)?.config.listener;
  if (section?.state !== "present") return [section?.reason ?? "no such proxy"];
  return [...section.value]
    .filter(({ state }) => state !== "active")
    .map(({ name, state, rejection }) => [name, state, rejection?.details].join(" ").trim());
};

const paths = { http: "", kubectl: "" };
const ways = ["http", "kubectl"] as const;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "istio-snapshot-live-"));
  paths.http = join(folder, "http.tar.gz");
  paths.kubectl = join(folder, "kubectl.tar.gz");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(withoutEnvoy)("three real Envoys", () => {
  beforeAll(async () => {
    envoys = await startLiveEnvoys(mesh);
    urls = new Map([
      [healthy.id, envoys.healthy.url],
      [rejected.id, envoys.rejected.url],
      [warming.id, envoys.warming.url],
    ]);
  });
  afterAll(async () => {
    await (envoys as LiveEnvoys | undefined)?.stop(); // undefined when they could not start
  });

  describe("and Istiods of every era", () => {
    it.each(["1.9.9", "1.12.2", "1.20.3", "1.24.1"])("are captured whole: %s", async (release) => {
      const live = untilTheEnd(await serveMesh(mesh, urls, { release }));
      const { code, path } = await captured(folder, overHttp(live));
      const bundle = await readBack(path);
      expect(gapsOf(bundle.manifest)).toEqual([]);
      expect(code).toBe(0);
      for (const proxy of mesh.proxies) {
        expect(bundle.files.get(viewOf(proxy)), proxy.id).toContain('"configs":');
        const others = mesh.istiods.filter(({ name }) => name !== proxy.connectedTo);
        expect(others.map(({ name }) => bundle.files.get(viewOf(proxy, name)))).toEqual([undefined]);
      }
      expect(Object.values(states(bundle)).join()).not.toContain("NOT CONNECTED");
      expect(bundle.snapshot.istiods.map(({ version }) => version)).toMatchObject(
        mesh.istiods.map(() => ({
          state: "present",
          value: { version: expect.stringMatching(`^${release}(-|$)`) as unknown },
        })),
      );
      expect(live.istiods.flatMap(({ requests }) => harmful(requests))).toEqual([]);
    });

    it("say of a proxy that it is not connected where that is so", async () => {
      const lonely = applyFaults(mesh, [{ fault: "missing-from-syncz", proxy: healthy.id }]).mesh;
      const live = untilTheEnd(await serveMesh(lonely, urls, { release: "1.24.1" }));
      const { code, path } = await captured(folder, overHttp(live));
      const bundle = await readBack(path);
      expect(gapsOf(bundle.manifest)).toEqual([]);
      expect(code).toBe(0);
      expect(states(bundle)).toMatchObject({
        [healthy.id]: "NOT CONNECTED LDS -",
        [warming.id]: expect.stringMatching(/^istiod-/) as unknown,
      });
      const views = mesh.istiods.map(({ name }) => bundle.files.has(viewOf(healthy, name)));
      expect(views).toEqual([false, false]);
      expect(bundle.files.has(viewOf(warming))).toBe(true);
    });
  });

  describe("and two Istiods that each know their share of them", () => {
    let live: LiveMesh;
    const bundles = {} as Record<keyof typeof paths, ReadBack>;
    beforeAll(async () => {
      live = await serveMesh(mesh, urls);
      const flags = { http: argumentsOf(overHttp(live)), kubectl: ["--kubectl", live.kubectl.program] };
      for (const way of ways) {
        const { code, stdout, stderr } = await collector([...flags[way], "-o", paths[way]], { folder });
        expect({ code, stdout: stdout.toString() }, stderr).toEqual({ code: 0, stdout: "" });
        expect(stderr).toContain("Captured 2 of 2 Istiods, 3 of 3 proxies in ");
        bundles[way] = await readBack(paths[way]);
      }
    });
    afterAll(() => live.stop());

    it.each(ways)("are captured whole: %s", (way) => {
      const { manifest, files } = bundles[way];
      expect(gapsOf(manifest)).toEqual([]);
      expect(manifest.targets.map(({ kind, name, outcome }) => `${kind} ${name} ${outcome}`).sort()).toEqual(
        [
          ...mesh.istiods.map(({ name }) => `istiod ${name} captured`),
          ...mesh.proxies.map(({ pod }) => `proxy ${pod.name} captured`),
        ].sort(),
      );
      const lists = way === "kubectl" ? ["cluster/pods.json", "cluster/services.json"] : [];
      expect([...files.keys()].sort()).toEqual([...lists, ...filesOf(mesh)].sort());
    });

    it("come out alike over HTTP and through kubectl", () => {
      const changing = /\/(?:server_info|stats|clusters)$/; // times and counters
      const compared = filesOf(mesh).filter((name) => !changing.test(name));
      expect(compared.length).toBeGreaterThan(30);
      for (const name of compared) {
        const [first, second] = [bundles.http, bundles.kubectl].map(({ files }) =>
          withoutTokens(files.get(name) ?? "").trim(),
        );
        const content = name.endsWith("/version") ? (text = ""): unknown => text : canonical;
        expect(content(second ?? ""), name).toEqual(content(first ?? ""));
      }
    });

    it("are asked for nothing that changes them", () => {
      expect(live.istiods.flatMap(({ requests }) => harmful(requests))).toEqual([]);
      expect(live.istiods.every(({ requests }) => requests.length > 20)).toBe(true);
    });

    it.each(ways)("show what each Envoy refuses and waits for: %s", (way) => {
      expect(listenersOf(bundles[way], healthy)).toEqual([]);
      expect(listenersOf(bundles[way], warming)).toEqual(["0.0.0.0_9999 warming"]);
      const [named, nameless, ...more] = listenersOf(bundles[way], rejected);
      expect(named).toMatch(/^0\.0\.0\.0_9443 rejected error adding listener .*same matching rules/);
      expect(nameless).toMatch(/^rejected error adding listener .*same matching rules/);
      expect(more).toEqual([]);
    });

    it.each(ways)("have the status that their own Istiod tells: %s", (way) => {
      const istiodOf = ({ connectedTo }: MeshProxy): string => connectedTo ?? "";
      expect(new Set(mesh.proxies.map(istiodOf)).size).toBe(2);
      expect(states(bundles[way])).toEqual({
        [healthy.id]: `${istiodOf(healthy)} LDS SYNCED`,
        [rejected.id]: `${istiodOf(rejected)} LDS ERROR`,
        [warming.id]: `${istiodOf(warming)} LDS SYNCED`,
      });
    });

    it.each(ways)("keep Istiod's view of each proxy close in time to it: %s", (way) => {
      const { manifest } = bundles[way];
      const times = new Map(manifest.files.map(({ name, capturedAt }) => [name, Date.parse(capturedAt)]));
      const at = (name: string): number => times.get(`istio-snapshot/${name}`) ?? NaN;
      const syncz = (when: string): number[] =>
        mesh.istiods.map(({ name }) => at(`istio/istio-system/${name}/debug/${when}`));
      for (const proxy of mesh.proxies) {
        const both = [at(dumpOf(proxy)), at(viewOf(proxy))];
        expect(Math.max(...syncz("syncz.before"))).toBeLessThanOrEqual(Math.min(...both));
        expect(Math.max(...both)).toBeLessThanOrEqual(Math.min(...syncz("syncz")));
      }
    });
  });
});

describe.skipIf(withoutEnvoy)("the bundles of three real Envoys, in the analyzer's words", () => {
  const ask = async (way: keyof typeof paths, ...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cli([...args, "-f", paths[way]]);
    return `${stdout}${stderr}exit ${code ?? "by a signal"}`;
  };

  it.each(ways)("ps: %s", async (way) => {
    const text = await ask(way, "ps");
    expect(text).toMatch(/exit 1$/);
    expect(text).toMatch(new RegExp(`${rejected.id} .* ERROR .* ${rejected.connectedTo ?? ""} `));
    expect(text).toMatch(new RegExp(`${warming.id} .* SYNCED .* ${warming.connectedTo ?? ""} `));
    expect(text).not.toContain("NOT CONNECTED");
  });

  it.each(ways)("verify: %s", async (way) => {
    const text = await ask(way, "verify");
    const count = filesOf(mesh).length + (way === "kubectl" ? 2 : 0);
    expect(text).toContain(`${count} in the manifest, ${count} match it by size and SHA-256`);
    expect(text).toContain("3 listed, 3 captured, 3 config dumps read");
    expect(text).toMatch(/^whole +yes$/m);
    expect(text).toMatch(/exit 0$/);
  });

  it.each([
    [
      "pc listeners, rejected",
      ["pc", "listeners", rejected.id, "--state", "rejected"],
      /0\.0\.0\.0_9443 .*same matching rules/,
    ],
    [
      "pc listeners, none rejected",
      ["pc", "listeners", healthy.id, "--state", "rejected"],
      /^(?![^]*matching rules)/,
    ],
    ["pc listeners, warming", ["pc", "listeners", warming.id, "--state", "warming"], /^0\.0\.0\.0 +9999 /m],
    ["pc listeners, active", ["pc", "listeners", warming.id], /^0\.0\.0\.0 +9080 /m],
    [
      "pc clusters",
      ["pc", "clusters", healthy.id],
      /^reviews\.default\.svc\.cluster\.local +9080 +v1 +outbound +EDS/m,
    ],
    ["pc routes", ["pc", "routes", healthy.id], /^9080 +reviews\S* .*reviews/m],
    [
      "pc endpoints",
      ["pc", "endpoints", healthy.id],
      /^127\.244\.\d+\.\d+:9080 +HEALTHY +OK +outbound\|9080\|\|reviews/m,
    ],
    [
      "pc bootstrap",
      ["pc", "bootstrap", healthy.id],
      /"discoveryAddress": "istiod\.istio-system\.svc:15012"/,
    ],
    ["pc secret", ["pc", "secret", healthy.id], /^No active or warming secrets found\.$/m],
  ])("%s", async (_name, args, words) => {
    const text = await ask("kubectl", ...args);
    expect(text).toMatch(words);
    expect(text).toMatch(/exit 0$/);
  });

  it("report", async () => {
    const path = join(folder, "report.json");
    const text = await ask("http", "report", "--format", "json", "-o", path);
    expect(text).toMatch(/2 of 3 proxies need attention\./);
    expect(text).toMatch(/exit 1$/);
    expect(await readFile(path, "utf8")).toContain("has the same matching rules defined as");
  });
});
