/** What a proxy is for the traffic: its node tells, or else its listeners do. */
import { child, flag } from "../snapshot/message.js";
import type { ActiveListener, ActiveListeners } from "./listener/listener-choice.js";
import type { ProxyView } from "./proxy-view.js";

/** `sidecar`: a pod's connections are captured for it; `gateway`: clients come to its sockets; `waypoint`: by tunnels. */
export type ProxyKind = "sidecar" | "gateway" | "waypoint";

export interface KnownKind {
  readonly kind: ProxyKind;
  readonly assumptions: readonly string[];
}

/** The internal listener of waypoints to which the ends of tunnels hand what was in them (Istio, pilot/pkg/networking/core). */
export const insideTunnels = "main_internal";

/** @param view of an Envoy */
export function proxyKind({ proxy, listeners }: Pick<ProxyView, "proxy" | "listeners">): KnownKind {
  if (proxy.type === "sidecar" || proxy.type === "waypoint") return { kind: proxy.type, assumptions: [] };
  if (proxy.type !== "unknown" || "reason" in listeners) return { kind: "gateway", assumptions: [] };
  const kind = kindByListeners(listeners);
  return {
    kind,
    assumptions: [`${proxy.id} is taken for a ${kind}, by its listeners: no node tells what it is.`],
  };
}

function kindByListeners(active: ActiveListeners): ProxyKind {
  const listeners: readonly ActiveListener[] = [...active];
  if (listeners.some(({ message }) => flag(message, "use_original_dst") === true)) return "sidecar";
  const isInside = listeners.some(
    ({ name, message }) => name === insideTunnels && child(message, "internal_listener") !== undefined,
  );
  return isInside ? "waypoint" : "gateway";
}
