/** A request and the connection that it comes on, as Envoy's filters and matchers see them. */

/** Lower-case name and value, in order; a name may stand several times. Pseudo headers (`:path`, ...) are among them. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

export interface SocketAddress {
  /** An IPv4 or IPv6 address without brackets. */
  readonly ip: string;
  readonly port: number;
}

/** What the client shows in its TLS handshake. */
export interface TlsClient {
  /** "" where it sends none. */
  readonly sni: string;
  readonly alpn: readonly string[];
  /** null: it has none; "unknown": the snapshot does not tell. */
  readonly certificate: ClientCertificate | null | "unknown";
}

export interface ClientCertificate {
  /** Such as `spiffe://cluster.local/ns/default/sa/productpage`. */
  readonly uriSans: readonly string[];
  readonly dnsSans: readonly string[];
  readonly subject: string;
  /** Whether the server's trust accepts it; "unknown" where that cannot be told. */
  readonly isValidated: boolean | "unknown";
}

/** What a listener sees of a connection (`envoy/docs`, section 3.1 of the facts that this follows). */
export interface Connection {
  /** The local address after it was restored; null for an internal listener or a pipe without one. */
  readonly destination: SocketAddress | null;
  /** The peer, after PROXY protocol; null where it has no IP address; "unknown" where the snapshot does not tell. */
  readonly source: SocketAddress | null | "unknown";
  /** The TCP peer itself. */
  readonly directSource: SocketAddress | null | "unknown";
  readonly tls: TlsClient | null;
  /** What the client sends first, inside TLS where there is TLS; "nothing" for protocols in which the server begins. */
  readonly protocol: "http/1.0" | "http/1.1" | "h2c" | "other" | "nothing";
}

/** The request of HTTP; for TCP there is none. */
export interface HttpRequest {
  readonly headers: HeaderList;
}

/** All values of a header joined with "," as matchers read them; undefined = absent. @param name lower-case; `host` is `:authority` */
export function headerValue(headers: HeaderList, name: string): string | undefined {
  const wanted = name === "host" ? ":authority" : name;
  const values = headers.filter(([own]) => own === wanted).map(([, value]) => value);
  return values.length === 0 ? undefined : values.join(",");
}

/** The first value of a header, as what picks a cluster or a host reads it. */
export function firstHeader(headers: HeaderList, name: string): string | undefined {
  const wanted = name === "host" ? ":authority" : name;
  return headers.find(([own]) => own === wanted)?.[1];
}

/** With one header set to one value, in the place of the first, or at the end. */
export function withHeader(headers: HeaderList, name: string, value: string): HeaderList {
  const at = headers.findIndex(([own]) => own === name);
  const others = headers.filter(([own], index) => own !== name || index === at);
  return at < 0
    ? [...others, [name, value]]
    : others.map((header) => (header[0] === name ? ([name, value] as const) : header));
}

export const withoutHeader = (headers: HeaderList, name: string): HeaderList =>
  headers.filter(([own]) => own !== name);

/** Stands in headers for what Envoy writes there and a snapshot cannot tell. */
export const unknownValue = "(unknown)";

/** Whether a header's value is not known, or not all of it. */
export const isUnknownValue = (value: string): boolean => value.includes(unknownValue);
