/** Dumps of real Envoys that are over the cap: asked for by slices and put together again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { captured, overHttp, type RunOptions } from "../support/live/collector-run.js";
import { withoutEnvoy } from "../support/live/envoy-binary.js";
import {
  liveMesh,
  proxyIn,
  startLiveEnvoys,
  type LiveEnvoys,
  type LiveState,
} from "../support/live/live-envoys.js";
import { serveMesh, type LiveMesh } from "../support/live/live-mesh.js";
import { canonical, gapsOf, readBack, withoutTokens, type ReadBack } from "../support/live/read-back.js";
import { textOf, type JsonObject } from "../support/mesh/json.js";

const mesh = liveMesh();
const states: readonly LiveState[] = ["healthy", "rejected", "warming"];

let folder: string;
let envoys: LiveEnvoys;
let live: LiveMesh;
beforeAll(async () => {
  if (withoutEnvoy) return;
  folder = await mkdtemp(join(tmpdir(), "istio-snapshot-slices-"));
  envoys = await startLiveEnvoys(mesh);
  live = await serveMesh(mesh, new Map(states.map((state) => [proxyIn(mesh, state).id, envoys[state].url])));
});
afterAll(async () => {
  if (withoutEnvoy) return;
  await (envoys as LiveEnvoys | undefined)?.stop(); // undefined when they could not start
  await (live as LiveMesh | undefined)?.stop();
  await rm(folder, { recursive: true, force: true });
});

const dumpName = (state: LiveState): string => {
  const { namespace, name } = proxyIn(mesh, state).pod;
  return `proxies/${namespace}/${name}/config_dump?include_eds`;
};

interface Capture extends ReadBack {
  readonly code: number;
}
const capture = async (options: RunOptions): Promise<Capture> => {
  const { code, path } = await captured(folder, { ...overHttp(live), ...options });
  return { code, ...(await readBack(path)) };
};

const dumpIn = ({ files }: ReadBack, state: LiveState): string => files.get(dumpName(state)) ?? "";
const slicesOf = (
  { manifest }: ReadBack,
  state: LiveState,
): readonly { resource: string; capturedAt: string }[] =>
  manifest.files.find(({ name }) => name === `istio-snapshot/${dumpName(state)}`)?.slices ?? [];

const sectionsOf = (dump: string): JsonObject[] => (JSON.parse(dump) as { configs: JsonObject[] }).configs;
const typeOf = (section: JsonObject): string => textOf(section, "@type").replace(/^.*\./, "");

describe.skipIf(withoutEnvoy)("the dumps of three Envoys", () => {
  let sizes: Record<LiveState, number>;
  beforeAll(async () => {
    const asked = states.map(async (state) => [state, (await envoys[state].ask(whole)).length] as const);
    sizes = Object.fromEntries(await Promise.all(asked)) as Record<LiveState, number>;
  });
  const whole = "config_dump?include_eds";

  it.each(states)("that are one byte over the cap come out as the whole one would: %s", async (state) => {
    const maxSize = sizes[state] - 1;
    const capturing = await capture({ limits: { maxSize }, profile: "none" });
    expect(gapsOf(capturing.manifest)).toEqual([]);
    expect(capturing.code).toBe(0);

    const dump = dumpIn(capturing, state);
    expect(canonical(dump)).toEqual(canonical(await envoys[state].ask(whole)));
    expect(sectionsOf(dump).map(typeOf)).toEqual(sectionsOf(await envoys[state].ask(whole)).map(typeOf));
    expect(sectionsOf(dump).length).toBeGreaterThan(4);

    const { start, end } = capturing.manifest;
    const slices = slicesOf(capturing, state);
    expect(slices.map(({ resource }) => resource)).toEqual(
      expect.arrayContaining(["bootstrap", "version_info", "dynamic_active_clusters", "dynamic_listeners"]),
    );
    for (const { capturedAt } of slices) expect(capturedAt >= start && capturedAt <= end).toBe(true);
    expect(slices.map(({ capturedAt }) => capturedAt)).toEqual(
      slices.map(({ capturedAt }) => capturedAt).sort(),
    );
  });

  it("that are just within the cap are asked for once", async () => {
    const capturing = await capture({ limits: { maxSize: Math.max(...Object.values(sizes)) } });
    expect(gapsOf(capturing.manifest)).toEqual([]);
    for (const state of states) {
      expect(slicesOf(capturing, state)).toEqual([]);
      expect(sectionsOf(dumpIn(capturing, state)).length).toBeGreaterThan(4);
    }
  });

  it("are redacted by slices as they are whole", async () => {
    const entire = await capture({});
    const sliced = await capture({ limits: { maxSize: Math.min(...Object.values(sizes)) - 1 } });
    expect(gapsOf(sliced.manifest)).toEqual([]);
    for (const state of states) {
      expect(slicesOf(sliced, state).length).toBeGreaterThan(4);
      const texts = [sliced, entire].map((each) => canonical(withoutTokens(dumpIn(each, state))));
      expect(texts[0]).toEqual(texts[1]);
    }
    expect(dumpIn(sliced, "rejected")).toContain("‹redacted:");
    expect(sliced.manifest.redaction.rules).toEqual(
      expect.arrayContaining([expect.objectContaining({ rule: "rejected configuration" })]),
    );
  });

  it("lose the sections of which a slice is over the cap, and say so", async () => {
    // the bootstrap, which names every extension of this Envoy, is the largest slice, and the listeners come next
    const maxSize = (await envoys.healthy.ask("config_dump?resource=dynamic_listeners")).length - 1;
    const capturing = await capture({ limits: { maxSize } });
    const { id } = proxyIn(mesh, "healthy");
    expect(capturing.code).toBe(1);
    expect(capturing.manifest.targets).toContainEqual(
      expect.objectContaining({ name: proxyIn(mesh, "healthy").pod.name, outcome: "partial" }),
    );
    for (const [section, slice] of [
      ["BootstrapConfigDump", "bootstrap"],
      ["ListenersConfigDump", "dynamic_listeners"],
    ])
      expect(gapsOf(capturing.manifest)).toContainEqual(
        expect.stringMatching(
          `^${id}: config_dump: ${section}: the whole dump is larger than .*, and its slice ${slice} failed: the answer is larger than ${maxSize} bytes`,
        ),
      );
    const types = sectionsOf(dumpIn(capturing, "healthy")).map(typeOf);
    expect(types).toEqual(expect.arrayContaining(["ClustersConfigDump", "RoutesConfigDump"]));
    expect(types).not.toContain("BootstrapConfigDump");
    expect(types).not.toContain("ListenersConfigDump");
    expect(capturing.snapshot.proxies.find((proxy) => proxy.id === id)?.config).toMatchObject({
      cluster: { state: "present" },
      listener: { state: "absent" },
      routeConfiguration: { state: "present" },
    });
  });
});
