/** Why an answer cannot be known from a snapshot: a closed list, so that scripts can rely on it. */

export const unknownReasons = [
  /** A Lua, Wasm, Go or other filter that runs code. */
  "code",
  /** A filter of a type that this version does not evaluate. */
  "unsupported filter",
  /** ext_proc: another process may change the request. */
  "external processor",
  /** ext_authz: another process decides. */
  "external authorization",
  /** A rate limit, local or remote, by its state. */
  "rate limit",
  /** Whether a token is valid: signature and time are not checked. */
  "token",
  /** Metadata that a filter sets while it runs. */
  "dynamic metadata",
  /** Filter state that a filter sets while it runs. */
  "filter state",
  /** A CEL expression, or another condition that this version does not evaluate. */
  "expression",
  /** Who the client is: its certificate is not known. */
  "peer identity",
  /** The address of the client. */
  "client address",
  /** An address that is looked up when the request comes. */
  "DNS",
  /** An answer of the server, a counter, a time: what only the running Envoy knows. */
  "runtime state",
  /** A random draw that was not given. */
  "random",
  /** Configuration that is loaded on demand. */
  "on demand",
  /** A piece of the dump that was not captured, or not read. */
  "not captured",
  /** What redaction took. */
  "redacted",
  /** A pattern that the RE2 port refuses and Envoy took. */
  "regular expression",
  /** More of something than is followed (hops, nesting). */
  "limit",
] as const;
export type UnknownReason = (typeof unknownReasons)[number];

export interface Unknown {
  readonly reason: UnknownReason;
  /** One sentence: what is not known, with the names that are needed to find it. */
  readonly message: string;
}

export const unknown = (reason: UnknownReason, message: string): Unknown => ({ reason, message });
