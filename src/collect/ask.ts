/** How the answer to one request ended when it did not end well. */
export type RefusalKind =
  /** The target has nothing to say to this: it does not know the endpoint or the proxy. An answer, not a failure. */
  | "absent"
  /** Another try may succeed. */
  | "transient"
  /** Another try would end the same. */
  | "lasting"
  /** Larger than the cap. */
  | "too large"
  /** The user stopped us. */
  | "interrupted";

/** A request that brought no content; the message is in the words of whoever refused. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  constructor(
    readonly kind: RefusalKind,
    message: string,
  ) {
    super(message);
  }
}

/** A way to one target: by kubectl into its pod, or by HTTP. Knows GET only. */
export interface Channel {
  /**
   * Asks for one path and passes the body on as it comes, each piece when the one before was taken.
   * @param path without a leading slash, with its query
   * @throws Refusal; the signal's reason once that is aborted; what `onBytes` throws, which ends the request
   */
  get(path: string, onBytes: (bytes: Uint8Array) => Promise<void>, signal: AbortSignal): Promise<void>;
  /** What would be asked, as a line for people. */
  describe(path: string): string;
  close(): Promise<void>;
}

/** What a 404 body says, for those that arrive as a successful answer: `pilot-agent request` prints them and exits with 0. */
const absences: readonly RegExp[] = [
  /^404 page not found\s*$/,
  /^Proxy not connected to this Pilot instance\b/,
  /^invalid path\. admin commands are:/,
  /^[a-z_]+ not found in config dump\s*$/,
];

/** Whether a short text is one that Istiod or Envoy sends with status 404. */
export const isAbsence = (text: string): boolean => absences.some((pattern) => pattern.test(text));
