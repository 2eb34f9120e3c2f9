/**
 * Where `localityLbSetting.distribute` is set, in the mesh's configuration or a DestinationRule, clients get the endpoints
 * of some localities only, each according to its own (Istio, pilot/pkg/networking/core/loadbalancer).
 */
import { isMessage, field } from "../snapshot/message.js";
import type { Istiod } from "../snapshot/model.js";
import type { EdsCluster } from "./eds-clusters.js";

/** @param istiods those that may have made the cluster */
export function maySpareLocalities(
  { isLocalityWeighted, hasRule }: EdsCluster,
  istiods: readonly Pick<Istiod, "mesh">[],
): boolean {
  return isLocalityWeighted && (hasRule || istiods.length === 0 || istiods.some(distributes));
}

/** True also where the mesh's configuration was not captured. */
function distributes({ mesh }: Pick<Istiod, "mesh">): boolean {
  if (mesh.state === "absent") return true;
  const setting = field(mesh.value.config, "localityLbSetting");
  return isMessage(setting) && field(setting, "distribute") !== undefined;
}
