/** What a proxy's node tells of its pod. */
import type { Proxy, Snapshot } from "../snapshot/model.js";
import { proxyKind } from "./proxy-kind.js";
import type { ProxyView } from "./proxy-view.js";
import type { SocketAddress } from "./request.js";
import type { EntryPod } from "./traffic-entry.js";

/** All addresses of the pod, its first one first; empty where the node does not tell. */
export function podIps({ node }: Proxy): readonly string[] {
  if (node.state === "absent") return [];
  const told = node.value.metadata["INSTANCE_IPS"];
  return [
    ...new Set([...(typeof told === "string" ? told.split(",") : []), node.value.parts?.ip ?? ""]),
  ].filter((ip) => ip !== "");
}

/** The address that a connection of the proxy comes from: one of the family of its destination. */
export function ownPeer(proxy: Proxy, destination: SocketAddress): SocketAddress | "unknown" {
  const ips = podIps(proxy);
  const ip = ips.find((one) => one.includes(":") === destination.ip.includes(":")) ?? ips[0];
  return ip === undefined ? "unknown" : { ip, port: 0 };
}

/** What decides whether traffic enters the proxy. */
export function entryPod(view: ProxyView, { pods }: Snapshot): EntryPod {
  const { proxy, listeners } = view;
  const pod =
    pods.state === "present"
      ? pods.value.find(({ name, namespace }) => name === proxy.pod && namespace === proxy.namespace)
      : undefined;
  return {
    isSidecar: proxyKind(view).kind === "sidecar",
    metadata: proxy.node.state === "present" ? proxy.node.value.metadata : {},
    ips: podIps(proxy),
    hostNetwork: pod?.hostNetwork ?? null,
    listeners: "reason" in listeners ? [] : listeners,
  };
}
