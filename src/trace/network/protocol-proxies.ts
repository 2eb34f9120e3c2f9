/**
 * Proxies of other protocols that end a filter chain. Which cluster they choose hangs on commands that a trace does not
 * know; where the configuration leaves no choice, it is known all the same.
 */
import { child, children, field, text, type Message } from "../../snapshot/message.js";
import { unknown, type Unknown } from "../unknown.js";

/** The only cluster that the configuration can lead to, or why it is not known, with those that it may be. */
export type ProtocolRoute =
  | { readonly kind: "cluster"; readonly name: string }
  | { readonly kind: "unknown"; readonly because: Unknown; readonly possible: readonly string[] };

/** By prefix of the key, the longest first; else the catch-all. */
export function redisRoute(proxy: Message): ProtocolRoute {
  const prefixes = child(proxy, "prefix_routes");
  const clusters = [...children(prefixes, "routes"), child(prefixes, "catch_all_route")].map((route) =>
    text(route, "cluster"),
  );
  return onlyOne(clusters, "the key of a Redis command");
}

/** The first route that matches the method or the service; one that asks for nothing matches every message. */
export function thriftRoute(proxy: Message): ProtocolRoute {
  if (child(proxy, "trds") !== undefined) return notKnown([], "a Thrift route table that is fetched");
  const routes = children(child(proxy, "route_config"), "routes");
  const last = routes.findIndex((route) => matchesAll(child(route, "match")));
  const inReach = last < 0 ? routes : routes.slice(0, last + 1);
  const actions = inReach.map((route) => child(route, "route"));
  const clusters = actions.flatMap((action) => {
    const weighted = children(child(action, "weighted_clusters"), "clusters").map((entry) =>
      text(entry, "name"),
    );
    return weighted.length > 0 ? weighted : [text(action, "cluster")];
  });
  return last < 0
    ? notKnown(clusters, "the method of a Thrift message")
    : onlyOne(clusters, "the method of a Thrift message");
}

function matchesAll(match: Message | undefined): boolean {
  if (field(match, "invert") === true || children(match, "headers").length > 0) return false;
  return text(match, "method_name") === "" && text(match, "service_name") === "";
}

function onlyOne(clusters: readonly string[], what: string): ProtocolRoute {
  const distinct = [...new Set(clusters)].filter((name) => name !== "");
  const [name] = distinct;
  return distinct.length === 1 && name !== undefined && !clusters.slice(0, -1).includes("")
    ? { kind: "cluster", name }
    : notKnown(distinct, what);
}

const notKnown = (possible: readonly string[], what: string): ProtocolRoute => ({
  kind: "unknown",
  because: unknown("unsupported filter", `the cluster depends on ${what}`),
  possible: [...new Set(possible)].filter((name) => name !== ""),
});
