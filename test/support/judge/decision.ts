/** What Envoy decided about one request, as its access logs, the client and the server tell it. */
import type { HeaderList } from "../../../src/trace/request.js";

export interface Decision {
  /** null where nothing of the kind was chosen. */
  readonly listener: string | null;
  readonly filterChain: string | null;
  readonly virtualHost: string | null;
  readonly route: string | null;
  readonly cluster: string | null;
  /** `ip:port`, a path, or `envoy://<internal listener>/<endpoint id>`. */
  readonly upstreamHost: string | null;
  /** null where the client got no HTTP response. */
  readonly status: number | null;
  readonly flags: readonly string[];
  /** `%RESPONSE_CODE_DETAILS%`, for TCP `%CONNECTION_TERMINATION_DETAILS%`; up to its first "{". */
  readonly details: string;
  /** Whether the client's TLS handshake failed: a TCP proxy connects upstream before that. */
  readonly isHandshakeFailed: boolean;
  readonly location: string | null;
  /** In the order in which they came; [] without a response. */
  readonly responseHeaders: HeaderList;
  /** By the server at the end; null where it got nothing. */
  readonly received: Received | null;
  /** What the same Envoy decided about it in an internal listener. */
  readonly next: Decision | null;
}

export interface Received {
  /** `ip:port` that the server was reached at. */
  readonly at: string;
  /** null where it came without TLS. */
  readonly tls: {
    readonly sni: string | null;
    readonly alpn: string | null;
    readonly hasCertificate: boolean;
  } | null;
  /** null where it was no HTTP. */
  readonly http: {
    readonly version: string;
    readonly method: string;
    readonly path: string | null;
    readonly authority: string | null;
    readonly headers: HeaderList;
  } | null;
}
