/** The inputs of matcher trees, by their type, out of a request and its connection (`source/extensions/matching`). */
import { children, text, type Message } from "../../snapshot/message.js";
import type { MatchContext } from "../match-context.js";
import type { ClientCertificate, SocketAddress } from "../request.js";
import { headerValue, isUnknownValue } from "../request.js";
import { unknownTruth } from "../ternary.js";
import { unknown } from "../unknown.js";
import { isEnvoyLoopback, isSameIp } from "../address.js";
import type { InputValue, MatchInput } from "./matcher-tree.js";
import { filterStateValue, metadataValue } from "./metadata-matcher.js";
import { peerCertificate } from "./peer-certificate.js";
import { cookiesOf, queryParameters } from "./query-matcher.js";
import { asciiLower } from "./string-matcher.js";

type Reader = (input: Message, context: MatchContext) => InputValue;

/** Reads the inputs that a request or a connection offers; one of another type is unknown. */
export function matchInputOf(context: MatchContext): MatchInput {
  return (type, input) => {
    const name = type.slice(type.lastIndexOf(".") + 1);
    const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
    return read === undefined
      ? unknownTruth(unknown("expression", `An input of the type ${type} is not evaluated.`))
      : read(input, context);
  };
}

const readers: Readonly<Record<string, Reader>> = {
  HttpRequestHeaderMatchInput: (input, { headers }) => {
    const name = asciiLower(text(input, "header_name"));
    const value = headerValue(headers, name);
    return value !== undefined && isUnknownValue(value)
      ? unknownTruth(unknown("runtime state", `What Envoy writes into the header ${name} is not known.`))
      : value;
  },
  HttpRequestQueryParamMatchInput: (input, { headers }) =>
    queryParameters(headerValue(headers, ":path") ?? "").get(text(input, "query_param")),
  HttpRequestCookieMatchInput: (input, { headers }) => cookiesOf(headers).get(text(input, "name")),
  DestinationIPInput: (_, { connection }) => connection.destination?.ip,
  DestinationPortInput: (_, { connection }) => portOf(connection.destination),
  SourceIPInput: (_, { downstreamRemote }) => addressPart(downstreamRemote, ({ ip }) => ip),
  SourcePortInput: (_, { downstreamRemote }) => addressPart(downstreamRemote, portOf),
  DirectSourceIPInput: (_, { connection }) => addressPart(connection.directSource, ({ ip }) => ip),
  SourceTypeInput: (_, { connection }) => sourceType(connection.destination, connection.source),
  ServerNameInput: (_, { connection }) => notEmpty(connection.tls?.sni),
  TransportProtocolInput: (_, { connection }) => (connection.tls === null ? "raw_buffer" : "tls"),
  ApplicationProtocolInput: (_, { connection }) =>
    notEmpty(connection.tls?.alpn.map((protocol) => `'${protocol}'`).join(",")),
  FilterStateInput: (input, context) => filterStateValue(context, text(input, "key")),
  DynamicMetadataInput: (input, context) => metadataInput(input, context),
  UriSanInput: (_, context) => certificatePart(peerCertificate(context), ({ uriSans }) => uriSans.join(",")),
  DnsSanInput: (_, context) => certificatePart(peerCertificate(context), ({ dnsSans }) => dnsSans.join(",")),
  SubjectInput: (_, context) => certificatePart(peerCertificate(context), ({ subject }) => subject),
};

const notEmpty = (value: string | undefined): string | undefined => (value === "" ? undefined : value);
const portOf = (address: SocketAddress | null): string | undefined => address?.port.toString();

function addressPart(
  address: SocketAddress | null | "unknown",
  part: (address: SocketAddress) => string | undefined,
): InputValue {
  if (address === "unknown")
    return unknownTruth(unknown("client address", "The address of the client is not known."));
  return address === null ? undefined : part(address);
}

/** "local" for a connection of the host with itself. */
function sourceType(destination: SocketAddress | null, source: SocketAddress | null | "unknown"): InputValue {
  const isLocal = (peer: SocketAddress): boolean =>
    isEnvoyLoopback(peer.ip) || (destination !== null && isSameIp(peer.ip, destination.ip));
  return addressPart(source, (peer) => (isLocal(peer) ? "local" : undefined));
}

function certificatePart(
  certificate: ClientCertificate | null | "unknown",
  part: (certificate: ClientCertificate) => string,
): InputValue {
  if (certificate === "unknown")
    return unknownTruth(unknown("peer identity", "The certificate of the client is not known."));
  return certificate === null ? undefined : notEmpty(part(certificate));
}

function metadataInput(input: Message, context: MatchContext): InputValue {
  const path = children(input, "path").map((segment) => text(segment, "key"));
  const value = metadataValue(context, text(input, "filter"), path);
  return value.state === "unknown" ? value.truth : { metadata: value.value };
}
