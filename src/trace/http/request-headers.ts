/**
 * What the connection manager does to request headers before it routes: what it takes away, sets, and adds.
 * Source: envoyproxy/envoy, source/common/http/conn_manager_utility.cc (mutateRequestHeaders, cleanInternalHeaders,
 * mutateXfccRequestHeader); checked against Envoy 1.36.
 */
import { child, children, field, flag, number, text, texts, type Message } from "../../snapshot/message.js";
import { enumName } from "../enum-value.js";
import type { EnvoyMinor, Runtime } from "../match-context.js";
import {
  firstHeader,
  headerValue,
  unknownValue,
  withHeader,
  withoutHeader,
  type Connection,
  type HeaderList,
  type SocketAddress,
} from "../request.js";
import { unknown, type Unknown } from "../unknown.js";
import { clientAddress, isInternalAddress } from "./client-address.js";
import { isUpgrade } from "./upgrade.js";

export interface MutatedRequest {
  readonly headers: HeaderList;
  /** The client as HTTP filters see it. */
  readonly downstreamRemote: SocketAddress | null | "unknown";
  readonly isInternal: boolean;
  /** From outside, to a proxy that takes its peer for the client. */
  readonly isEdge: boolean;
  /** The status that original IP detection refuses the request with; null where it does not. */
  readonly rejectedWith: number | null;
  readonly assumptions: readonly string[];
  readonly unknowns: readonly Unknown[];
}

/** What beside the connection manager decides on headers. */
export interface HeaderSurroundings {
  readonly connection: Connection;
  /** `internal_only_headers` of the route configuration. */
  readonly internalOnly: readonly string[];
  readonly runtime: Runtime;
  readonly envoy: EnvoyMinor;
  /** `node.id` of the bootstrap. */
  readonly nodeId: string;
}

export function mutateRequest(
  request: HeaderList,
  manager: Message,
  surroundings: HeaderSurroundings,
): MutatedRequest {
  const { connection, runtime, envoy } = surroundings;
  const early = children(manager, "early_header_mutation_extensions").length > 0;
  const hopless = withoutHopHeaders(request);
  const client = clientAddress(hopless, manager, connection);
  const usesPeer = flag(manager, "use_remote_address") === true;
  const address = client.address;
  const isInternal =
    client.mayBeInternal &&
    address !== null &&
    address !== "unknown" &&
    isInternalAddress(address, manager, runtime, envoy);
  const isEdge = !isInternal && usesPeer;
  const unknowns = [
    ...client.unknowns,
    ...(early
      ? [unknown("unsupported filter", "Header mutations before the routing are not evaluated.")]
      : []),
    ...(client.mayBeInternal && address === "unknown"
      ? [unknown("client address", "Whether the request is internal depends on the client's address.")]
      : []),
  ];
  const shared = { downstreamRemote: address, isInternal, isEdge, unknowns };
  if (client.rejectedWith !== null)
    return { ...shared, headers: hopless, rejectedWith: client.rejectedWith, assumptions: [] };

  let headers = withScheme(client.headers, manager, connection);
  headers = isInternal
    ? withHeader(headers, "x-envoy-internal", "true")
    : withoutHeaders(headers, controlHeaders(isEdge, surroundings.internalOnly));
  if (flag(manager, "add_user_agent") === true) headers = withUserAgent(headers, surroundings.nodeId);
  if (text(manager, "via") !== "") headers = appendedTo(headers, "via", text(manager, "via"), ", ");
  if (isEdge && address !== null)
    headers = withHeader(
      headers,
      "x-envoy-external-address",
      address === "unknown" ? unknownValue : address.ip,
    );
  headers = withRequestId(headers, manager, isEdge);
  const certificate = forwardedCertificate(headers, manager, connection);
  return {
    ...shared,
    headers: certificate.headers,
    rejectedWith: null,
    assumptions: [...client.assumptions, ...certificate.assumptions],
  };
}

/** Headers of one connection, and what no client may claim. */
function withoutHopHeaders(request: HeaderList): HeaderList {
  const hop = ["x-envoy-internal", "keep-alive", "proxy-connection", "transfer-encoding"];
  if (isUpgrade(request)) return withoutHeaders(request, hop);
  const headers = withoutHeaders(request, [...hop, "connection", "upgrade"]);
  const te = headerValue(headers, "te");
  if (te === undefined) return headers;
  const hasTrailers = te.split(",").some((value) => value.trim() === "trailers");
  return hasTrailers ? withHeader(headers, "te", "trailers") : withoutHeader(headers, "te");
}

function withoutHeaders(headers: HeaderList, names: readonly string[]): HeaderList {
  const gone = new Set(names);
  return headers.filter(([name]) => !gone.has(name));
}

/** `x-forwarded-proto`, `x-forwarded-port` and `:scheme`. */
function withScheme(request: HeaderList, manager: Message, connection: Connection): HeaderList {
  const ofConnection = connection.tls === null ? "http" : "https";
  const isFirst =
    flag(manager, "use_remote_address") === true && (number(manager, "xff_num_trusted_hops") ?? 0) === 0;
  let headers = request;
  const setUnlessTrusted = (name: string, value: string): void => {
    if (isFirst || headerValue(headers, name) === undefined) headers = withHeader(headers, name, value);
  };
  setUnlessTrusted("x-forwarded-proto", forwardProto(manager, connection) ?? ofConnection);
  if (flag(manager, "append_x_forwarded_port") === true && connection.destination !== null)
    setUnlessTrusted("x-forwarded-port", String(connection.destination.port));

  const overwrite = text(child(manager, "scheme_header_transformation"), "scheme_to_overwrite");
  if (overwrite !== "")
    headers = withHeader(withHeader(headers, "x-forwarded-proto", overwrite), ":scheme", overwrite);
  const forwarded = headerValue(headers, "x-forwarded-proto") ?? "";
  const scheme = headerValue(headers, ":scheme") ?? (/^https?$/i.test(forwarded) ? forwarded : ofConnection);
  return withHeader(headers, ":scheme", scheme.toLowerCase());
}

/** Newer releases tell TLS that a load balancer ended by the port of the PROXY protocol. */
function forwardProto(manager: Message, { destination }: Connection): string | null {
  const config = child(manager, "forward_proto_config");
  const has = (name: string): boolean => {
    const ports = field(config, name);
    return Array.isArray(ports) && destination !== null && ports.includes(destination.port);
  };
  if (has("https_destination_ports")) return "https";
  return has("http_destination_ports") ? "http" : null;
}

/** What only Envoys of the mesh may tell each other. */
function controlHeaders(isEdge: boolean, internalOnly: readonly string[]): string[] {
  return [
    ...(isEdge
      ? [
          "x-envoy-decorator-operation",
          "x-envoy-downstream-service-cluster",
          "x-envoy-downstream-service-node",
          "x-envoy-original-path",
        ]
      : []),
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-max-retries",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-force-trace",
    "x-envoy-ip-tags",
    "x-envoy-original-url",
    "x-envoy-hedge-on-per-try-timeout",
    ...internalOnly.map((name) => name.toLowerCase()),
  ];
}

function withUserAgent(headers: HeaderList, nodeId: string): HeaderList {
  // the value is the service cluster of the command line, which a node names too
  const own = withHeader(headers, "x-envoy-downstream-service-cluster", unknownValue);
  const agent = headerValue(own, "user-agent") ?? "";
  const withAgent = agent === "" ? withHeader(own, "user-agent", unknownValue) : own;
  return nodeId === "" ? withAgent : withHeader(withAgent, "x-envoy-downstream-service-node", nodeId);
}

/** The edge makes a new one, unless it is told to keep what came. */
function withRequestId(headers: HeaderList, manager: Message, isEdge: boolean): HeaderList {
  if (flag(manager, "generate_request_id") === false) return headers;
  const own = firstHeader(headers, "x-request-id");
  const isKept = own !== undefined && (!isEdge || flag(manager, "preserve_external_request_id") === true);
  return isKept ? headers : withHeader(headers, "x-request-id", unknownValue);
}

const certificateModes = [
  "SANITIZE",
  "FORWARD_ONLY",
  "APPEND_FORWARD",
  "SANITIZE_SET",
  "ALWAYS_FORWARD_ONLY",
] as const;
const xfcc = "x-forwarded-client-cert";

/** `forward_client_cert_details`. */
function forwardedCertificate(
  headers: HeaderList,
  manager: Message,
  { tls }: Connection,
): { readonly headers: HeaderList; readonly assumptions: readonly string[] } {
  const kept = { headers, assumptions: [] };
  const mode = enumName(manager, "forward_client_cert_details", certificateModes);
  if (mode === "ALWAYS_FORWARD_ONLY") return kept;
  const certificate = tls?.certificate ?? null;
  if (mode === "SANITIZE" || certificate === null)
    return { headers: withoutHeader(headers, xfcc), assumptions: [] };
  if (mode === "FORWARD_ONLY") return kept;
  const own = `By=${unknownValue};Hash=${unknownValue}${certificateDetails(manager, certificate)}`;
  return {
    headers: mode === "APPEND_FORWARD" ? appendedTo(headers, xfcc, own, ",") : withHeader(headers, xfcc, own),
    assumptions: [`No condition looks at the parts of ${xfcc} that are not known.`],
  };
}

function certificateDetails(
  manager: Message,
  certificate: Exclude<NonNullable<Connection["tls"]>["certificate"], null>,
): string {
  const details = child(manager, "set_current_client_cert_details");
  const known = certificate === "unknown" ? null : certificate;
  return [
    ...(flag(details, "cert") === true ? [`Cert="${unknownValue}"`] : []),
    ...(flag(details, "chain") === true ? [`Chain="${unknownValue}"`] : []),
    ...(flag(details, "subject") === true ? [`Subject="${known?.subject ?? unknownValue}"`] : []),
    ...(flag(details, "uri") === true
      ? known === null
        ? [`URI=${unknownValue}`]
        : known.uriSans.length === 0
          ? ["URI="]
          : known.uriSans.map((uri) => `URI=${uri}`)
      : []),
    ...(flag(details, "dns") === true ? (known?.dnsSans ?? []).map((name) => `DNS=${name}`) : []),
  ]
    .map((part) => `;${part}`)
    .join("");
}

function appendedTo(headers: HeaderList, name: string, value: string, separator: string): HeaderList {
  const before = headerValue(headers, name);
  return withHeader(
    headers,
    name,
    before === undefined || before === "" ? value : `${before}${separator}${value}`,
  );
}

/** `internal_only_headers` of a route configuration. */
export const internalOnlyHeaders = (routeConfiguration: Message | null): readonly string[] =>
  routeConfiguration === null ? [] : texts(routeConfiguration, "internal_only_headers");
