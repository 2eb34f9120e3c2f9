/**
 * What keeps a cluster from taking a request before a host is asked: circuit breakers of 0 and maintenance mode. How many
 * connections and requests there were is state that a snapshot does not have.
 * Sources: envoyproxy/envoy, source/common/router/router.cc, source/common/conn_pool/conn_pool_base.cc,
 * source/common/tcp_proxy/tcp_proxy.cc.
 */
import { child, children, number, text, type Message } from "../../snapshot/message.js";
import { enumName } from "../enum-value.js";
import type { Runtime } from "../match-context.js";
import { runtimeNumber } from "../runtime-values.js";

const priorities = ["DEFAULT", "HIGH"] as const;
export type RoutingPriority = (typeof priorities)[number];

/** A limit that lets nothing pass. */
export type ClosedLimit = "max_requests" | "max_pending_requests" | "max_connections";

/**
 * The first limit of 0 that refuses every request; null where there is none. With `max_connections: 0` an HTTP pool
 * opens a connection all the same, the TCP proxy does not.
 */
export function closedLimit(
  cluster: Message,
  priority: RoutingPriority,
  protocol: "http" | "tcp",
): ClosedLimit | null {
  const threshold = children(child(cluster, "circuit_breakers"), "thresholds").find(
    (one) => enumName(one, "priority", priorities) === priority,
  );
  const limits: readonly ClosedLimit[] =
    protocol === "tcp"
      ? ["max_connections", "max_pending_requests"]
      : ["max_pending_requests", "max_requests"];
  return limits.find((limit) => number(threshold, limit) === 0) ?? null;
}

/** 0..1 of the requests that are refused because the cluster is under maintenance. */
export function maintenanceShare(cluster: Message, runtime: Runtime): number {
  const percent = runtimeNumber(runtime, `upstream.maintenance_mode.${text(cluster, "name")}`, 0);
  return Math.min(100, percent) / 100;
}
