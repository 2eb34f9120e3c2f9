/** What a client does on a connection of its own: one request, or some bytes, or nothing. */
import type { HeaderList, SocketAddress } from "../../../src/trace/request.js";
import type { ClientCertificateName } from "./certificates.js";

export interface ProxiedAddresses {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
}

export interface JudgedRequest {
  /** The listener that it connects to: the first of the configuration that is bound, if absent. */
  readonly listener?: string;
  /** The address that it connects from; `proxy` tells another one. */
  readonly source?: string;
  /** Told by PROXY protocol v2; the listener must have that filter. */
  readonly proxy?: ProxiedAddresses;
  readonly tls?: {
    readonly sni?: string;
    readonly alpn?: readonly string[];
    readonly certificate?: ClientCertificateName;
  };
  /** `tcp`: sends `bytes`; `silent`: sends nothing and waits for what comes. */
  readonly protocol?: "http/1.1" | "http/1.0" | "h2" | "tcp" | "silent";
  readonly method?: string;
  /** null: an HTTP/2 request without one. */
  readonly path?: string | null;
  /** null: there is no Host header. */
  readonly authority?: string | null;
  /** HTTP/2 only. */
  readonly scheme?: string;
  /** Further pseudo headers of HTTP/2, too. */
  readonly headers?: HeaderList;
  readonly bytes?: string;
}

/** Joins the lines of the logs, and what a server received, with the request. */
export const markerHeader = "x-request-marker";
