/**
 * What a connection to an internal listener brings along: metadata by the `internal_upstream` transport socket, and the
 * filter state that is shared with upstream connections.
 * Source: envoyproxy/envoy, source/extensions/transport_sockets/internal_upstream/internal_upstream.cc.
 */
import {
  child,
  children,
  field,
  isMessage,
  text,
  typeOf,
  unpacked,
  type Message,
} from "../snapshot/message.js";
import type { ResolvedHost } from "./cluster/cluster-resolution.js";
import type { Arrival } from "./listener/listener-choice.js";
import type { MatchContext } from "./match-context.js";

/** Where nothing tells whether a key is shared: Istio shares all of these. */
const sharedPrefixes = ["io.istio.", "envoy.filters.listener.original_dst."];

/** @param context as the filters of the sending listener leave it */
export function passedOn(
  cluster: Message | undefined,
  { host, transport }: ResolvedHost,
  {
    filterState,
    isShared = new Map(),
    isComplete,
  }: Pick<MatchContext, "filterState" | "isShared" | "isComplete">,
): NonNullable<Arrival["passed"]> {
  const toldOf = [...filterState.keys()].filter(
    (key) => isShared.has(key) || sharedPrefixes.some((prefix) => key.startsWith(prefix)),
  );
  const shared = [...filterState].filter(([key]) => toldOf.includes(key) && isShared.get(key) !== false);
  return {
    dynamicMetadata: passedMetadata(socketOf(cluster, transport.name), cluster, host.metadata ?? {}),
    filterState: new Map(shared),
    isComplete: isComplete && host.metadata !== null && toldOf.length === filterState.size,
  };
}

/** @param name of the match that decided, "default" for the cluster's own socket */
function socketOf(cluster: Message | undefined, name: string): Message | undefined {
  const match = children(cluster, "transport_socket_matches").find((one) => text(one, "name") === name);
  return child(match ?? cluster, "transport_socket");
}

function passedMetadata(
  socket: Message | undefined,
  cluster: Message | undefined,
  hostMetadata: Message,
): Map<string, unknown> {
  const any = child(socket, "typed_config");
  const passed = new Map<string, unknown>();
  if (!typeOf(any).endsWith(".InternalUpstreamTransport")) return passed;
  for (const source of children(unpacked(any), "passthrough_metadata")) {
    const name = text(source, "name");
    const isOfHost = child(source, "kind", "host") !== undefined;
    const value = field(
      isOfHost ? hostMetadata : (child(cluster, "metadata", "filter_metadata") ?? {}),
      name,
    );
    if ((isOfHost || child(source, "kind", "cluster") !== undefined) && isMessage(value))
      passed.set(name, value);
  }
  return passed;
}
