/**
 * Whether hand-off can be driven on this machine: PROXY protocol restores an address, and the original_dst filter that
 * Envoy adds behind it overwrites that where SO_ORIGINAL_DST answers, as it does where loopback has connection tracking.
 */
import type { Decision } from "./decision.js";
import type { Trial } from "./judge.js";
import { chain, echoCluster, listener, proxyProtocol, socketAddress, tcpProxy } from "./messages.js";

const target = { ip: "127.77.253.1", port: 7 };

export const originalDstProbe: Trial = {
  name: "probe of SO_ORIGINAL_DST",
  configuration: {
    listeners: [
      listener("probe capture", [chain("capture", [tcpProxy(echoCluster)])], {
        listener_filters: [proxyProtocol],
        use_original_dst: true,
      }),
      listener("probe target", [chain("target", [tcpProxy(echoCluster)])], {
        address: socketAddress(target.ip, target.port),
        bind_to_port: false,
      }),
    ],
  },
  requests: [{ proxy: { source: { ip: "10.0.0.1", port: 1 }, destination: target } }],
};

/** @throws Error that says what to do */
export function throwUnlessRestored(decision: Decision | undefined): void {
  if (decision?.listener === "probe target") return;
  throw new Error(
    "Loopback has connection tracking here: SO_ORIGINAL_DST answers and overwrites the destination that PROXY protocol " +
      "tells, so hand-off between listeners cannot be judged. Run in a network without it: `unshare --map-root-user --net`, " +
      `then \`ip link set lo up\`. (The probe ended in the listener ${decision?.listener ?? "of no name"}.)`,
  );
}
