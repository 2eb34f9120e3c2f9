/** A request, as a user asks for its path. */
import type { HeaderList, SocketAddress, TlsClient } from "./request.js";

export interface TraceInput {
  /** Id of the proxy where it begins. */
  readonly from: string;
  /** `inbound`: it comes to that proxy's pod from somewhere else. */
  readonly direction: "outbound" | "inbound";
  readonly method: string;
  readonly scheme: "http" | "https" | "tcp";
  /** Host and port, as in a URL. */
  readonly authority: string;
  /** With the query. */
  readonly path: string;
  /** As given: names in any case, without pseudo headers. */
  readonly headers: HeaderList;
  /** Where the client connects to; null: found out from the snapshot. */
  readonly originalDestination: SocketAddress | null;
  readonly sourceIp: string | null;
  /** null: that of the scheme. */
  readonly tls: Partial<TlsClient> | null;
  readonly random: bigint | null;
  readonly allBranches: boolean;
}
