/** A mesh that can be captured: servers that answer, and a kubectl that knows the way to them. */
import type { Mesh, MeshProxy } from "../mesh/model.js";
import type { LoadGauge } from "./load.js";
import { startEnvoyStandIn } from "./envoy-stand-in.js";
import type { LocalServer } from "./faulty-server.js";
import { startIstiod, type IstiodOptions } from "./istiod.js";
import { standInKubectl, type KubectlOptions, type KubectlStandIn } from "./kubectl.js";
import { podsOf, servicesOf } from "./kubernetes-objects.js";

/** Who answers for a proxy: its admin port. */
export type AdminUrls = ReadonlyMap<string, string>;

export interface LiveMesh {
  readonly mesh: Mesh;
  /** In the order of the mesh's. */
  readonly istiods: readonly LocalServer[];
  /** Admin ports by the proxies' ids. */
  readonly envoys: AdminUrls;
  readonly kubectl: KubectlStandIn;
  stop(): Promise<void>;
}

/**
 * Istiods and a kubectl around Envoys that run already.
 * @param envoys a proxy without one is listed by Kubernetes, and gone when it is asked
 * @param options `kubernetes`: what else kubectl knows, such as a ztunnel and the way to its port
 */
export async function serveMesh(
  mesh: Mesh,
  envoys: AdminUrls,
  { kubernetes = {}, ...options }: IstiodOptions & { readonly kubernetes?: KubectlOptions } = {},
): Promise<LiveMesh> {
  const istiods = await Promise.all(mesh.istiods.map((istiod) => startIstiod(mesh, istiod, options)));
  const agents = mesh.proxies.flatMap(({ id, pod }) => {
    const url = envoys.get(id);
    return url === undefined
      ? []
      : [[`${pod.namespace}/${pod.name}/istio-proxy`, { program: "pilot-agent", url }] as const];
  });
  const discoveries = mesh.istiods.map(
    ({ namespace, name }, index) =>
      [
        `${namespace}/${name}/discovery`,
        { program: "pilot-discovery", url: istiods[index]?.url ?? "" },
      ] as const,
  );
  const kubectl = await standInKubectl({
    ...kubernetes,
    pods: [...podsOf(mesh), ...(kubernetes.pods ?? [])],
    services: [...servicesOf(mesh), ...(kubernetes.services ?? [])],
    containers: { ...Object.fromEntries([...agents, ...discoveries]), ...kubernetes.containers },
  });
  return {
    mesh,
    istiods,
    envoys,
    kubectl,
    stop: async () => {
      await Promise.all([...istiods.map((istiod) => istiod.stop()), kubectl.stop()]);
    },
  };
}

export interface StandIns {
  readonly urls: AdminUrls;
  readonly servers: readonly LocalServer[];
  stop(): Promise<void>;
}

/** A stand-in for the Envoy of every proxy. @param latency milliseconds of every answer */
export async function startStandIns(
  mesh: Mesh,
  options: { readonly latency?: number; readonly overall?: LoadGauge } = {},
): Promise<StandIns> {
  const started = await Promise.all(
    mesh.proxies.map(
      async (proxy: MeshProxy) => [proxy.id, await startEnvoyStandIn(mesh, proxy, options)] as const,
    ),
  );
  const servers = started.map(([, server]) => server);
  return {
    urls: new Map(started.map(([id, { url }]) => [id, url])),
    servers,
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}
