/**
 * Which transport socket a host gets, and what the proxy shows on it: the `tls` of the next hop's connection.
 * Sources: envoyproxy/envoy, source/common/upstream/transport_socket_match_impl.cc, source/common/tls/client_context_impl.cc,
 * source/common/router/upstream_codec_filter and source/common/router/router.cc (auto_sni).
 */
import {
  child,
  children,
  field,
  flag,
  isMessage,
  text,
  texts,
  typeOf,
  unpacked,
  type Message,
} from "../../snapshot/message.js";
import { parseIp } from "../address.js";
import { firstHeader, type ClientCertificate, type HeaderList, type TlsClient } from "../request.js";
import { unknown, type Unknown } from "../unknown.js";
import type { Host } from "./hosts.js";
import { labelsMatch } from "./metadata-labels.js";

/** What of a request and its proxy TLS to the next hop depends on. */
export interface UpstreamClient {
  readonly headers: HeaderList;
  /** Filter state `envoy.network.upstream_server_name`; "" where no filter set it. */
  readonly serverName: string;
  /** ALPN that a filter put in the place of the configured one (`istio.alpn`); empty where none did. */
  readonly alpn: readonly string[];
  /** What is spoken upstream; null for TCP. */
  readonly protocol: UpstreamProtocol | null;
  /** The certificate of the workload itself, which SDS calls `default`. */
  readonly workload: ClientCertificate | "unknown";
}

export type UpstreamProtocol = "http/1.1" | "h2" | "auto";

export interface UpstreamTransport {
  /** Of the match that decided; "default" for the cluster's own socket. "" where it is not known which. */
  readonly name: string;
  /** null: plaintext. */
  readonly tls: TlsClient | null | "unknown";
  /** Whether a PROXY protocol header goes first. */
  readonly sendsProxyProtocol: boolean;
  readonly unknowns: readonly Unknown[];
}

const matchFilter = "envoy.transport_socket_match";

export function upstreamTransport(cluster: Message, host: Host, client: UpstreamClient): UpstreamTransport {
  const choice = socketFor(cluster, host);
  if (choice.kind === "unknown")
    return { name: "", tls: "unknown", sendsProxyProtocol: false, unknowns: [choice.because] };
  return { name: choice.name, ...openSocket(choice.socket, cluster, host, client) };
}

type SocketChoice =
  | { readonly kind: "socket"; readonly name: string; readonly socket: Message | undefined }
  | { readonly kind: "unknown"; readonly because: Unknown };

/** The first match that the endpoint's metadata has, else its locality's, else the cluster's own socket. */
function socketFor(cluster: Message, host: Host): SocketChoice {
  const name = text(cluster, "name");
  if (isMessage(field(cluster, "transport_socket_matcher"))) {
    const message = `A matcher chooses the transport socket of ${name}, which is not evaluated.`;
    return { kind: "unknown", because: unknown("expression", message) };
  }
  const matches = children(cluster, "transport_socket_matches");
  for (const metadata of [host.metadata, host.localityMetadata]) {
    for (const match of matches) {
      const labels = child(match, "match") ?? {};
      const isCertain = metadata !== null || Object.keys(labels).length === 0;
      if (!isCertain) {
        const message = `Which transport socket a host of ${name} gets depends on its metadata, which was not captured.`;
        return { kind: "unknown", because: unknown("not captured", message) };
      }
      if (labelsMatch(labels, metadata ?? undefined, matchFilter))
        return { kind: "socket", name: text(match, "name"), socket: child(match, "transport_socket") };
    }
  }
  return { kind: "socket", name: "default", socket: child(cluster, "transport_socket") };
}

type OpenSocket = Omit<UpstreamTransport, "name">;

const plaintext: OpenSocket = { tls: null, sendsProxyProtocol: false, unknowns: [] };

/** Sockets hold sockets; ours end before the stack does. */
const deepest = 8;

function openSocket(
  socket: Message | undefined,
  cluster: Message,
  host: Host,
  client: UpstreamClient,
  depth = 0,
): OpenSocket {
  if (socket === undefined) return plaintext;
  const any = child(socket, "typed_config");
  const type = socketType(typeOf(any), text(socket, "name"));
  const config = unpacked(any);
  const inner = (): OpenSocket =>
    depth >= deepest
      ? {
          ...plaintext,
          tls: "unknown",
          unknowns: [unknown("limit", "Transport sockets are nested too deep.")],
        }
      : openSocket(child(config, "transport_socket"), cluster, host, client, depth + 1);
  switch (type) {
    case "RawBuffer":
    case "UpstreamStartTlsConfig": // begins in plaintext
      return plaintext;
    case "UpstreamTlsContext":
      return { ...plaintext, tls: tlsClient(config, cluster, host, client) };
    case "ProxyProtocolUpstreamTransport":
      return { ...inner(), sendsProxyProtocol: true };
    case "InternalUpstreamTransport":
    case "Http11ProxyUpstreamTransport":
    case "Tap":
    case "Config": // tcp_stats
      return inner();
    default: {
      const message = `The transport socket ${type} of ${text(cluster, "name")} is not evaluated.`;
      return { ...plaintext, tls: "unknown", unknowns: [unknown("unsupported filter", message)] };
    }
  }
}

/** The last part of the type; where there is none, by the well-known name. */
function socketType(type: string, name: string): string {
  if (type !== "") return type.slice(type.lastIndexOf(".") + 1);
  if (name === "raw_buffer" || name.endsWith(".raw_buffer")) return "RawBuffer";
  return name === "tls" || name.endsWith(".tls") ? "UpstreamTlsContext" : name;
}

function tlsClient(
  config: Message | undefined,
  cluster: Message,
  host: Host,
  client: UpstreamClient,
): TlsClient {
  const common = child(config, "common_tls_context");
  return {
    sni: serverNameFor(config, cluster, host, client),
    alpn: alpnFor(texts(common, "alpn_protocols"), client),
    certificate: certificateOf(common, client),
  };
}

/** What a filter or `auto_sni` names, else `auto_host_sni`, else the configured name. */
function serverNameFor(
  config: Message | undefined,
  cluster: Message,
  host: Host,
  client: UpstreamClient,
): string {
  const named =
    client.protocol === null ? client.serverName : (autoSni(cluster, client) ?? client.serverName);
  if (named !== "") return named;
  if (flag(config, "auto_host_sni") === true && host.hostname !== "") return host.hostname;
  return text(config, "sni");
}

/** `auto_sni`: the host of the authority, unless it is an IP address; null where it names nothing. */
function autoSni(cluster: Message, { headers }: UpstreamClient): string | null {
  const options =
    child(httpProtocolOptions(cluster), "upstream_http_protocol_options") ??
    child(cluster, "upstream_http_protocol_options");
  if (flag(options, "auto_sni") !== true) return null;
  const override = text(options, "override_auto_sni_header").toLowerCase();
  const header = override === "" ? undefined : firstHeader(headers, override);
  const authority = header === undefined || header === "" ? firstHeader(headers, ":authority") : header;
  const host = hostOf(authority ?? "");
  return host === "" || parseIp(host) !== null ? null : host;
}

/** An authority without its port and brackets. */
function hostOf(authority: string): string {
  const end = authority.lastIndexOf("]");
  if (authority.startsWith("[") && end > 0) return authority.slice(1, end);
  const colon = authority.lastIndexOf(":");
  return colon < 0 || authority.indexOf(":") !== colon ? authority : authority.slice(0, colon);
}

const httpOptionsType = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** The cluster's `HttpProtocolOptions`. */
export function httpProtocolOptions(cluster: Message): Message | undefined {
  const extensions = child(cluster, "typed_extension_protocol_options");
  return extensions === undefined
    ? undefined
    : Object.values(extensions)
        .filter(isMessage)
        .map((any) => (typeOf(any) === httpOptionsType ? unpacked(any) : undefined))
        .find((options) => options !== undefined);
}

/**
 * What a cluster's connection pools speak.
 * @param downstream what the request came in, for clusters that go by it
 */
export function upstreamProtocol(cluster: Message, downstream: "http/1.1" | "h2"): UpstreamProtocol {
  const options = httpProtocolOptions(cluster);
  if (options !== undefined) {
    const explicit = child(options, "explicit_http_config");
    if (explicit !== undefined)
      return isMessage(field(explicit, "http2_protocol_options")) ? "h2" : "http/1.1";
    if (isMessage(field(options, "use_downstream_protocol_config"))) return downstream;
    return isMessage(field(options, "auto_config")) ? "auto" : "http/1.1";
  }
  if (text(cluster, "protocol_selection") === "USE_DOWNSTREAM_PROTOCOL") return downstream;
  return isMessage(field(cluster, "http2_protocol_options")) ? "h2" : "http/1.1";
}

const poolAlpn: Readonly<Record<UpstreamProtocol, readonly string[]>> = {
  "http/1.1": ["http/1.1"],
  h2: ["h2"],
  auto: ["h2", "http/1.1"],
};

/** What a filter says, else what is configured, else what the connection pool speaks. */
function alpnFor(configured: readonly string[], { alpn, protocol }: UpstreamClient): readonly string[] {
  if (alpn.length > 0) return alpn;
  if (configured.length > 0) return configured;
  return protocol === null ? [] : poolAlpn[protocol];
}

const certificateFields = [
  "tls_certificates",
  "tls_certificate_sds_secret_configs",
  "tls_certificate_provider_instance",
  "tls_certificate_certificate_provider_instance",
  "tls_certificate_certificate_provider",
  "custom_tls_certificate_selector",
] as const;

/** What the client shows when it is asked; Istio's agent gives the workload's own under the name `default`. */
function certificateOf(
  common: Message | undefined,
  { workload }: UpstreamClient,
): ClientCertificate | null | "unknown" {
  const names = children(common, "tls_certificate_sds_secret_configs").map((one) => text(one, "name"));
  if (names.length > 0) return names.every((name) => name === "default") ? workload : "unknown";
  const hasAny = certificateFields.some((name) => {
    const value = field(common, name);
    return isMessage(value) || (Array.isArray(value) && value.length > 0);
  });
  return hasAny ? "unknown" : null;
}
