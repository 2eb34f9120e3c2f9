/** A mesh whose Envoys and Istiods are stand-ins that fail where the test says so, reached over HTTP. */
import type { RunOptions } from "./collector-run.js";
import { startEnvoyStandIn } from "./envoy-stand-in.js";
import type { Answers, LocalServer, ServerOptions } from "./faulty-server.js";
import { startIstiod, type IstiodOptions } from "./istiod.js";
import type { Mesh } from "../mesh/model.js";

export interface ServedMesh {
  readonly mesh: Mesh;
  /** In the order of the mesh's. */
  readonly istiods: readonly LocalServer[];
  /** By the ids of the proxies. */
  readonly envoys: ReadonlyMap<string, LocalServer>;
  /** How the collector gets to them. */
  readonly ways: Required<Pick<RunOptions, "istiods" | "envoys">>;
  stop(): Promise<void>;
}

export interface Differences extends ServerOptions {
  /** In place of an Envoy's own answers, by the proxy's id. */
  readonly envoys?: Readonly<Record<string, Answers>>;
  /** Of the Istiods in their order. */
  readonly istiods?: readonly IstiodOptions[];
}

export async function serve(
  mesh: Mesh,
  { envoys: envoyAnswers = {}, istiods: istiodOptions = [], ...options }: Differences = {},
): Promise<ServedMesh> {
  const istiods = await Promise.all(
    mesh.istiods.map((istiod, index) => startIstiod(mesh, istiod, { ...options, ...istiodOptions[index] })),
  );
  const started = mesh.proxies.map(async (proxy) => {
    const instead = envoyAnswers[proxy.id] ?? {};
    return [proxy.id, await startEnvoyStandIn(mesh, proxy, { ...options, instead })] as const;
  });
  const envoys = new Map(await Promise.all(started));
  return {
    mesh,
    istiods,
    envoys,
    ways: {
      istiods: mesh.istiods.map(({ name, namespace }, index) => ({
        flag: "--istiod",
        name: `${name}.${namespace}`,
        url: istiods[index]?.url ?? "",
      })),
      envoys: [...envoys].map(([name, { url }]) => ({ flag: "--envoy", name, url })),
    },
    stop: async () => {
      await Promise.all([...istiods, ...envoys.values()].map((server) => server.stop()));
    },
  };
}
