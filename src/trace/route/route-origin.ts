/** Where Istiod says that a route comes from. */
import { parseConfigPath } from "../../snapshot/istio-config.js";
import { child, text, type Message } from "../../snapshot/message.js";

/** The Istio resource that Istiod wrote into the route's metadata, `VirtualService/reviews.default`; null where it wrote none. */
export function originOf(route: Message): string | null {
  const path = text(child(route, "metadata", "filter_metadata", "istio"), "config");
  const source = path === "" ? null : parseConfigPath(path);
  return source === null ? null : `${source.kind}/${source.name}.${source.namespace}`;
}
