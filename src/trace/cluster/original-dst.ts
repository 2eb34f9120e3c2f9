/**
 * The host of an ORIGINAL_DST cluster: where the connection was going, unless something names another place.
 * Source: envoyproxy/envoy, source/extensions/clusters/original_dst/original_dst_cluster.cc.
 */
import {
  child,
  children,
  field,
  flag,
  isMessage,
  number,
  text,
  type Message,
} from "../../snapshot/message.js";
import { parseSocketAddress } from "../address.js";
import type { MatchContext } from "../match-context.js";
import { firstHeader, type SocketAddress } from "../request.js";
import { unknown, type Unknown } from "../unknown.js";

export type OriginalDestination =
  | {
      readonly kind: "host";
      readonly address: SocketAddress;
      /** What named it. */
      readonly by: "filter state" | "metadata" | "header" | "connection";
    }
  /** 503 UH. */
  | { readonly kind: "none" }
  | { readonly kind: "unknown"; readonly because: Unknown };

const filterStateKey = "envoy.network.transport_socket.original_dst_address";
const defaultHeader = "x-envoy-original-dst-host";

/** @param isRestored whether the connection's local address is an original destination that was restored */
export function originalDestination(
  cluster: Message,
  context: MatchContext,
  isRestored: boolean,
): OriginalDestination {
  const config = child(cluster, "original_dst_lb_config");
  const found = named(config, context) ?? ofConnection(context, isRestored);
  const port = number(config, "upstream_port_override");
  return found.kind === "host" && port !== undefined
    ? { ...found, address: { ...found.address, port } }
    : found;
}

function named(config: Message | undefined, context: MatchContext): OriginalDestination | null {
  const state = context.filterState.get(filterStateKey);
  if (state !== undefined) {
    const address = parseSocketAddress(state);
    if (address !== null) return { kind: "host", address, by: "filter state" };
  }
  const metadata = metadataDestination(child(config, "metadata_key"), context);
  if (metadata !== null) return metadata;
  if (flag(config, "use_http_header") !== true) return null;
  const name = text(config, "http_header_name").toLowerCase();
  const address = parseSocketAddress(firstHeader(context.headers, name === "" ? defaultHeader : name) ?? "");
  return address === null ? null : { kind: "host", address, by: "header" };
}

function metadataDestination(key: Message | undefined, context: MatchContext): OriginalDestination | null {
  if (key === undefined) return null;
  const filter = text(key, "key");
  if (!context.dynamicMetadata.has(filter) && !context.isComplete) {
    const message = `The destination may be named by the metadata ${filter}, which filters set while they run.`;
    return { kind: "unknown", because: unknown("dynamic metadata", message) };
  }
  let value = context.dynamicMetadata.get(filter);
  for (const segment of children(key, "path"))
    value = isMessage(value) ? field(value, text(segment, "key")) : undefined;
  const address = typeof value === "string" ? parseSocketAddress(value) : null;
  return address === null ? null : { kind: "host", address, by: "metadata" };
}

function ofConnection(context: MatchContext, isRestored: boolean): OriginalDestination {
  const { destination } = context.connection;
  return isRestored && destination !== null
    ? { kind: "host", address: destination, by: "connection" }
    : { kind: "none" };
}
