/**
 * What the connection manager does to `:authority` before it routes.
 * Source: envoyproxy/envoy, source/common/http/header_utility.cc (stripTrailingHostDot, stripPortFromHost).
 */
import { flag, type Message } from "../../snapshot/message.js";

export interface NormalizedHost {
  readonly authority: string;
  /** The port that was taken off, which a CONNECT request gets back upstream; null where none was. */
  readonly strippedPort: number | null;
}

/** @param localPort of the connection, after it was restored; 0 where it has none */
export function normalizeHost(authority: string, manager: Message, localPort: number): NormalizedHost {
  const host = flag(manager, "strip_trailing_host_dot") === true ? withoutTrailingDot(authority) : authority;
  const isAny = flag(manager, "strip_any_host_port") === true;
  if (!isAny && flag(manager, "strip_matching_host_port") !== true)
    return { authority: host, strippedPort: null };
  const colon = portStart(host);
  const port = colon < 0 ? null : portNumber(host.slice(colon + 1));
  if (port === null || (!isAny && port !== localPort)) return { authority: host, strippedPort: null };
  return { authority: host.slice(0, colon), strippedPort: port };
}

/** Only the last dot counts, at the end or right before the port. */
function withoutTrailingDot(host: string): string {
  const dot = host.lastIndexOf(".");
  if (dot < 0) return host;
  const next = host.charAt(dot + 1);
  return next === "" || next === ":" ? host.slice(0, dot) + host.slice(dot + 1) : host;
}

/** The colon before the port; -1 where there is none. Colons inside of brackets belong to an address. */
function portStart(host: string): number {
  const colon = host.lastIndexOf(":");
  return colon > host.lastIndexOf("]") ? colon : -1;
}

/** As absl::SimpleAtoi reads it: a sign may stand before it; null where it is no number of 32 bits. */
function portNumber(port: string): number | null {
  if (!/^\+?\d{1,20}$/.test(port)) return null;
  const number = Number(port);
  return number <= 0xffffffff ? number : null;
}
