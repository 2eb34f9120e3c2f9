import { bootstrapOf, revisionShaOf } from "../mesh/bootstrap.js";
import { buildMesh } from "../mesh/mesh.js";
import type { Mesh, MeshOptions, MeshPod, MeshProxy, SynczRow } from "../mesh/model.js";
import { dealtOut } from "./live-envoys.js";

/**
 * A small mesh of sidecars with names of the test's choice, dealt out over its Istiods in their order. What an Istiod would
 * send each tells by its version whose it is.
 * @param ids `<pod>.<namespace>`
 */
export function meshOf(ids: readonly string[], options: Partial<MeshOptions> = {}): Mesh {
  const count = ids.length;
  const plain = dealtOut(
    buildMesh({ bookinfo: false, services: 1, replicas: count, proxies: count, istiods: 1, ...options }),
  );
  const names = new Map(plain.proxies.map(({ id }, index) => [id, ids[index] ?? id]));
  const nameOf = (id: string): string => names.get(id) ?? id;
  const pods = new Map(
    plain.pods.map((pod): [MeshPod, MeshPod] => {
      const [name = "", namespace = ""] = nameOf(`${pod.name}.${pod.namespace}`).split(".");
      return [pod, { ...pod, name, namespace }];
    }),
  );
  const rename = (rows: readonly SynczRow[]): SynczRow[] =>
    rows.map((row) => ({ ...row, proxyId: nameOf(row.proxyId) }));
  return {
    ...plain,
    pods: [...pods.values()],
    proxies: plain.proxies.map((proxy): MeshProxy => {
      const id = nameOf(proxy.id);
      const pod = pods.get(proxy.pod) ?? proxy.pod;
      const { type, istioVersion, envoyVersion, desired, config } = proxy;
      const revisionSha = revisionShaOf(envoyVersion);
      const bootstrap = bootstrapOf({ pod, type, istioVersion, envoyVersion, revisionSha });
      return {
        ...proxy,
        id,
        pod,
        config: { ...config, bootstrap },
        desired: { ...desired, versionInfo: versionFor(id) },
      };
    }),
    istiods: plain.istiods.map((istiod) => ({
      ...istiod,
      syncz: rename(istiod.syncz),
      synczBefore: rename(istiod.synczBefore),
    })),
  };
}

/** What stands as `version_info` in what an Istiod would send a proxy of `meshOf`. */
export const versionFor = (id: string): string => `version of ${id}`;
