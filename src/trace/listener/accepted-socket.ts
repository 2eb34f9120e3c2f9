/** A connection between its acceptance and its filter chain: what listener filters find out, and filter chains ask for. */
import type { SocketAddress } from "../request.js";

/** A peer's address; null where it has none (a pipe, a socket inside of Envoy); "unknown" where the snapshot does not tell. */
export type Peer = SocketAddress | null | "unknown";

/** The inputs of facts 3.1, as they are at this point. */
export interface AcceptedSocket {
  /** The local address, once restored the original destination; null for a socket inside of Envoy that was not restored. */
  readonly destination: SocketAddress | null;
  /** Whether a filter restored the local address: only then another listener may be looked for. */
  readonly isRestored: boolean;
  /** The TCP peer. A port of 0 means that the port is not known. */
  readonly directSource: Peer;
  /** The client, after PROXY protocol. A port of 0 means that the port is not known. */
  readonly source: Peer;
  /** The peer is the other end of a Unix socket: that counts as local. */
  readonly isPipe: boolean;
  /** Lower-case SNI that an inspector saw; "" where it saw none. */
  readonly serverName: string;
  /** What an inspector saw; "" while none has set it. */
  readonly transportProtocol: string;
  /** ALPN in the client's order, or what the HTTP inspector saw. */
  readonly applicationProtocols: readonly string[];
  readonly dynamicMetadata: ReadonlyMap<string, unknown>;
  readonly filterState: ReadonlyMap<string, string>;
  /** By key of filter state, whether connections that are opened for this one get it; absent: nothing tells. */
  readonly isShared?: ReadonlyMap<string, boolean>;
  /** Whether the two maps hold all that was set. */
  readonly isComplete: boolean;
}

/** What Envoy takes for the transport where no filter has said anything. */
export const transportProtocolOf = (socket: AcceptedSocket): string =>
  socket.transportProtocol === "" ? "raw_buffer" : socket.transportProtocol;
