/** What the conditions of routes, policies and chains are evaluated against. */
import type { Message } from "../snapshot/message.js";
import type { Connection, HeaderList, SocketAddress } from "./request.js";

/** Minor release of Envoy 1.x: 36 for 1.36.4. */
export type EnvoyMinor = number;

/** The newest release whose rules we know: taken where none is told. */
export const newestEnvoy: EnvoyMinor = 39;

/** Values of Envoy's runtime: the bundle's `runtime`, else the layers of the bootstrap. */
export interface Runtime {
  /** As it stands there; undefined where no layer names the key. */
  readonly value: (key: string) => unknown;
}

/** Whether a fraction of requests that is neither none nor all has this one; null: that stays open. @param what it decides */
export type DrawFraction = (
  fraction: { readonly numerator: number; readonly denominator: number },
  what: string,
) => boolean | null;

export interface MatchContext {
  /** As they are at this point of the chain; empty where there is no HTTP. */
  readonly headers: HeaderList;
  readonly connection: Connection;
  /** The client as HTTP filters see it, after `x-forwarded-for`; as `connection.source` where there is no HTTP. */
  readonly downstreamRemote: SocketAddress | null | "unknown";
  /** Filter -> what filters before this point have set; of a filter that is not in it nothing is known if `isComplete` is false. */
  readonly dynamicMetadata: ReadonlyMap<string, unknown>;
  readonly filterState: ReadonlyMap<string, string>;
  /** By key of filter state, whether connections that are opened for this one get it; absent: nothing tells. */
  readonly isShared?: ReadonlyMap<string, boolean>;
  /** Whether all that filters before this point set is in the two maps. */
  readonly isComplete: boolean;
  /** The route that was matched; null before, and without HTTP. */
  readonly route: Message | null;
  readonly runtime: Runtime;
  /** The stream's random number; null where it is not given. */
  readonly random: bigint | null;
  /** Decides what filters draw for themselves, apart from that number. Absent: what hangs on that is unknown. */
  readonly drawn?: DrawFraction | undefined;
  /** false: the filter chain passes the client's TLS on, so that filters see none. Absent: it ends the TLS that there is. */
  readonly isTlsTerminated?: boolean;
  readonly envoy: EnvoyMinor;
}
