/**
 * Substitution formatting, `%REQ(user-agent)%`, as headers and rewrites of routes use it
 * (`source/common/formatter/substitution_formatter.cc`): an absent value is empty. What only a running Envoy knows stays as
 * it is written, and is unknown.
 */
import { child, field, isMessage, text, type Message } from "../../snapshot/message.js";
import { socketText } from "../address.js";
import { filterStateValue, metadataValue } from "../matchers/metadata-matcher.js";
import { pathOnly } from "../matchers/path-matcher.js";
import { peerCertificate } from "../matchers/peer-certificate.js";
import { asciiLower } from "../matchers/string-matcher.js";
import type { MatchContext } from "../match-context.js";
import { firstHeader, type ClientCertificate, type HeaderList, type SocketAddress } from "../request.js";
import type { UnknownTruth } from "../ternary.js";
import { unknown, type Unknown } from "../unknown.js";
import { routeName, type RouteEntry } from "./route-entry.js";

export interface FormatInput {
  /** Of the request, as they are at that point. */
  readonly request: HeaderList;
  /** Of the response; null while there is none. */
  readonly response: HeaderList | null;
  readonly context: MatchContext;
  readonly entry: RouteEntry | null;
}

export interface Formatted {
  readonly text: string;
  readonly unknowns: readonly Unknown[];
}

/** undefined: it has no value. null: only the running Envoy knows it. */
type CommandValue = string | undefined | null | UnknownTruth;
type Command = (argument: string, input: FormatInput) => CommandValue;

const command = /%([A-Z][A-Z0-9_]{0,60})(?:\(([^)]{0,1024})\))?(?::(\d{1,6}))?%/y;

/** Fills in a format. */
export function format(template: string, input: FormatInput): Formatted {
  const pieces: string[] = [];
  const unknowns: Unknown[] = [];
  let at = 0;
  while (at < template.length) {
    const next = template.indexOf("%", at);
    if (next < 0) break;
    pieces.push(template.slice(at, next));
    at = next;
    if (template.startsWith("%%", at)) {
      pieces.push("%");
      at += 2;
      continue;
    }
    command.lastIndex = at;
    const match = command.exec(template);
    if (match === null) {
      unknowns.push(unknown("expression", `The format ${JSON.stringify(template)} is not understood.`));
      break;
    }
    const value = valueOf(match, input);
    if (typeof value === "string") pieces.push(value);
    else {
      pieces.push(match[0]);
      unknowns.push(...value);
    }
    at += match[0].length;
  }
  return { text: pieces.join("") + template.slice(at), unknowns };
}

function valueOf(
  [whole, name = "", argument = "", length]: RegExpExecArray,
  input: FormatInput,
): string | readonly Unknown[] {
  const read = Object.hasOwn(commands, name) ? commands[name] : undefined;
  const value = read === undefined ? null : read(argument, input);
  if (value === null)
    return [unknown("runtime state", `What ${whole} gives is known to the running Envoy only.`)];
  if (typeof value === "object") return value.because;
  return length === undefined ? (value ?? "") : (value ?? "").slice(0, Number(length));
}

const commands: Readonly<Record<string, Command>> = {
  REQ: (argument, { request }) => eitherHeader(argument, request),
  REQ_WITHOUT_QUERY: (argument, { request }) => withoutQuery(eitherHeader(argument, request)),
  RESP: (argument, { response }) => (response === null ? undefined : eitherHeader(argument, response)),
  PROTOCOL: (_, { context }) => protocolText(context),
  DOWNSTREAM_REMOTE_ADDRESS: (_, { context }) => addressText(context.downstreamRemote, socketText),
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT: (_, { context }) =>
    addressText(context.downstreamRemote, ({ ip }) => ip),
  DOWNSTREAM_REMOTE_PORT: (_, { context }) => addressText(context.downstreamRemote, portText),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS: (_, { context }) =>
    addressText(context.connection.directSource, socketText),
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT: (_, { context }) =>
    addressText(context.connection.directSource, ({ ip }) => ip),
  DOWNSTREAM_DIRECT_REMOTE_PORT: (_, { context }) => addressText(context.connection.directSource, portText),
  DOWNSTREAM_LOCAL_ADDRESS: (_, { context }) => addressText(context.connection.destination, socketText),
  DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT: (_, { context }) =>
    addressText(context.connection.destination, ({ ip }) => ip),
  DOWNSTREAM_LOCAL_PORT: (_, { context }) => addressText(context.connection.destination, portText),
  DOWNSTREAM_PEER_URI_SAN: (_, { context }) => certificateText(context, ({ uriSans }) => uriSans.join(",")),
  DOWNSTREAM_PEER_DNS_SAN: (_, { context }) => certificateText(context, ({ dnsSans }) => dnsSans.join(",")),
  DOWNSTREAM_PEER_SUBJECT: (_, { context }) => certificateText(context, ({ subject }) => subject),
  REQUESTED_SERVER_NAME: (_, { context }) => context.connection.tls?.sni,
  DYNAMIC_METADATA: (argument, { context }) => metadataText(argument, context),
  FILTER_STATE: (argument, { context }) => filterStateValue(context, beforeColon(argument)),
  PER_REQUEST_STATE: (argument, { context }) => filterStateValue(context, beforeColon(argument)),
  METADATA: (argument, { entry }) => configMetadata(argument, entry),
  ROUTE_NAME: (_, { entry }) => (entry === null ? undefined : routeName(entry)),
  UPSTREAM_CLUSTER_RAW: (_, { entry }) => entry?.cluster,
  // while headers of a request are changed no host has been chosen, so that there is nothing to tell
  UPSTREAM_METADATA: (_, { response }) => (response === null ? undefined : null),
  UPSTREAM_REMOTE_ADDRESS: (_, { response }) => (response === null ? undefined : null),
  UPSTREAM_HOST: (_, { response }) => (response === null ? undefined : null),
};

/** `X?Y`: the first value of X, else of Y. */
function eitherHeader(argument: string, headers: HeaderList): string | undefined {
  const [main = "", alternative] = argument.split("?", 2).map((name) => asciiLower(name.trim()));
  return (
    firstHeader(headers, main) ?? (alternative === undefined ? undefined : firstHeader(headers, alternative))
  );
}

const withoutQuery = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : pathOnly(path);

function protocolText({ connection }: MatchContext): CommandValue {
  const protocols = {
    "http/1.0": "HTTP/1.0",
    "http/1.1": "HTTP/1.1",
    h2c: "HTTP/2",
    other: null,
    nothing: null,
  };
  return protocols[connection.protocol];
}

const portText = ({ port }: SocketAddress): string => port.toString();

function addressText(
  address: SocketAddress | null | "unknown",
  part: (address: SocketAddress) => string,
): CommandValue {
  if (address === "unknown")
    return { because: [unknown("client address", "The address of the client is not known.")] };
  return address === null ? undefined : part(address);
}

function certificateText(
  context: MatchContext,
  part: (certificate: ClientCertificate) => string,
): CommandValue {
  const certificate = peerCertificate(context);
  if (certificate === "unknown")
    return { because: [unknown("peer identity", "The certificate of the client is not known.")] };
  return certificate === null ? undefined : part(certificate);
}

const beforeColon = (argument: string): string => argument.split(":", 1)[0] ?? "";

/** `filter:key:key`, or the older `["filter", "key"]`. */
function metadataText(argument: string, context: MatchContext): CommandValue {
  const [filter = "", ...path] = argument.startsWith("[")
    ? [...argument.matchAll(/"([^"]{0,200})"/g)].map(([, key = ""]) => key)
    : argument.split(":");
  const value = metadataValue(context, filter, path);
  return value.state === "unknown" ? value.truth : plainText(value.value);
}

/** `ROUTE:filter:key` and its like: metadata of the configuration itself. */
function configMetadata(argument: string, entry: RouteEntry | null): CommandValue {
  const [type, filter = "", ...path] = argument.split(":");
  const owner = type === "ROUTE" ? entry?.route : type === "VIRTUAL_HOST" ? entry?.virtualHost : null;
  if (owner === null) return null;
  let value: unknown = child(owner, "metadata", "filter_metadata", filter);
  for (const key of path) value = isMessage(value) ? field(value, key) : undefined;
  return plainText(value);
}

/** A text as it is, other values as JSON; none where it is not set. */
function plainText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The value of a header to add: text, or bytes in base64. */
export function headerFormat(header: Message | undefined): string {
  const raw = text(header, "raw_value");
  return raw === "" ? text(header, "value") : decodedBytes(raw);
}

/** Bytes that protobuf's JSON writes as base64, as text; "" for what is no base64. */
export function decodedBytes(base64: string): string {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(base64)) return "";
  const standard = base64.replaceAll("-", "+").replaceAll("_", "/");
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(standard), (character) => character.charCodeAt(0)));
  } catch {
    return "";
  }
}
