/** Real Envoys in the states that matter: what the generated proxies of a mesh with faults should hold, they hold. */
import { applyFaults, type FaultRequest } from "../mesh/faults.js";
import { buildMesh } from "../mesh/mesh.js";
import type { Mesh, MeshProxy } from "../mesh/model.js";
import { startEnvoy, type RunningEnvoy } from "./envoy.js";
import { envoysTurn } from "./envoys-turn.js";
import { forPlainEnvoys } from "./plain-envoy.js";

/** Each a workload of Bookinfo. */
export const liveWorkloads = {
  healthy: "productpage-v1",
  rejected: "reviews-v1",
  warming: "ratings-v1",
} as const;
export type LiveState = keyof typeof liveWorkloads;
const liveStates = Object.keys(liveWorkloads) as LiveState[];

const liveFaults: readonly FaultRequest[] = [
  { fault: "rejected-listener", proxy: liveWorkloads.rejected },
  { fault: "warming-listener", proxy: liveWorkloads.warming },
];

/** Bookinfo with three sidecars and two Istiods, of the release that goes with the Envoy of the tests. */
export function liveMesh(faults: readonly FaultRequest[] = liveFaults): Mesh {
  const whole = buildMesh({ istioVersion: "1.28.1", istiods: 2 });
  const isLive = (workload: string): boolean => Object.values<string>(liveWorkloads).includes(workload);
  const few: Mesh = {
    ...whole,
    pods: whole.pods.filter(({ workload }) => workload.proxyType === null || isLive(workload.name)),
    proxies: whole.proxies.filter(({ pod }) => isLive(pod.workload.name)),
  };
  return forPlainEnvoys(applyFaults(dealtOut(few), faults).mesh);
}

/** The mesh with its connections dealt out evenly: every Istiod knows its share of the proxies and no other. */
export function dealtOut(mesh: Mesh): Mesh {
  const owner = new Map(
    mesh.proxies.map(({ id }, index): [string, string] => [
      id,
      mesh.istiods[index % mesh.istiods.length]?.name ?? "",
    ]),
  );
  const rows = mesh.istiods.flatMap(({ syncz }) => syncz);
  return {
    ...mesh,
    proxies: mesh.proxies.map((proxy) => ({ ...proxy, connectedTo: owner.get(proxy.id) ?? null })),
    istiods: mesh.istiods.map((istiod) => {
      const own = rows.filter(({ proxyId }) => owner.get(proxyId) === istiod.name);
      return { ...istiod, syncz: own, synczBefore: own };
    }),
  };
}

/** The proxy of the mesh whose Envoy is in that state. */
export function proxyIn(mesh: Mesh, state: LiveState): MeshProxy {
  const found = mesh.proxies.find(({ pod }) => pod.workload.name === liveWorkloads[state]);
  if (found === undefined) throw new Error(`the mesh has no ${liveWorkloads[state]}`);
  return found;
}

/** Starts an Envoy with what the proxy held before the fault, and then delivers what Istiod would send now. */
export async function startProxy({ config, desired }: MeshProxy): Promise<RunningEnvoy> {
  const listeners = config.listeners.flatMap(({ active }) => (active === undefined ? [] : [active.listener]));
  const clusters = config.clusters.resources;
  const { routes, endpoints, versionInfo } = desired;
  const envoy = await startEnvoy({
    bootstrap: config.bootstrap,
    versionInfo: config.listenersVersion,
    clusters,
    listeners,
    routes,
    endpoints,
  });
  try {
    if (clusters.length !== desired.clusters.length) await envoy.update("cds", desired.clusters, versionInfo);
    if (listeners.length !== desired.listeners.length)
      await envoy.update("lds", desired.listeners, versionInfo);
    return envoy;
  } catch (error) {
    await envoy.stop();
    throw error;
  }
}

export interface LiveEnvoys extends Readonly<Record<LiveState, RunningEnvoy>> {
  stop(): Promise<void>;
}

/** All three, or none; once nobody else has any. @param mesh made by `liveMesh` */
export async function startLiveEnvoys(mesh: Mesh): Promise<LiveEnvoys> {
  const endTurn = await envoysTurn();
  const started = await Promise.allSettled(
    liveStates.map(async (state) => [state, await startProxy(proxyIn(mesh, state))] as const),
  );
  const envoys = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(envoys.map(([, envoy]) => envoy.stop()));
    await endTurn();
  };
  const failure = started.find((result) => result.status === "rejected");
  if (failure !== undefined) {
    await stop();
    throw failure.reason;
  }
  return { ...(Object.fromEntries(envoys) as Record<LiveState, RunningEnvoy>), stop };
}
