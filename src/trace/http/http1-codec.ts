/**
 * What the codec of HTTP/1 makes of a request before the connection manager sees it, and what it refuses.
 * Sources: envoyproxy/envoy, source/common/http/http1/codec_impl.cc (onHeadersCompleteImpl, handlePath), balsa_parser.cc,
 * utility.cc (Url::initialize, sanitizeConnectionHeader), header_utility.cc (requestHeadersValid); details as Envoy 1.36
 * logs them.
 */
import { child, flag, text, type Message } from "../../snapshot/message.js";
import { parseIp } from "../address.js";
import { localReply } from "../filters/local-reply.js";
import { firstHeader, headerValue, withHeader, withoutHeader, type HeaderList } from "../request.js";
import {
  asRequest,
  countLimit,
  hasUnderscore,
  sizeLimit,
  sizeOf,
  token,
  underscoresAction,
  withoutUnderscores,
  type DecodedRequest,
} from "./codec-limits.js";
import { isConnect, isUpgrade } from "./upgrade.js";

const refused = (detail: string, status = 400): DecodedRequest => ({
  kind: "refused",
  reply: localReply(status, detail, { responseFlags: ["DPE"] }),
});
/** @param request with its names in lower case, and no blanks around values */
export function decodeHttp1(
  request: HeaderList,
  protocol: "http/1.0" | "http/1.1",
  manager: Message,
): DecodedRequest {
  const unparsed = parseError(request, manager);
  if (unparsed !== null) return refused(unparsed);
  const limit = http1Limit(request, manager);
  if (limit !== null) return refused(limit, 431);
  const underscores = underscoresAction(manager);
  if (underscores === "REJECT_REQUEST" && request.some(hasUnderscore))
    return refused("http1.unexpected_underscore");
  const named = withOneHost(underscores === "DROP_HEADER" ? withoutUnderscores(request) : request);
  const upgraded = withoutH2cUpgrade(named);
  const bodyError = bodyErrorOf(upgraded, manager);
  if (bodyError !== null) return bodyError;
  const isUpgraded = isConnect(upgraded) || isUpgrade(upgraded);
  const sanitized = isUpgraded ? upgraded : withoutNominated(upgraded);
  if (sanitized === null) return refused("http1.connection_header_rejected");
  const targeted = decodeTarget(sanitized, manager);
  if (targeted.kind !== "request") return targeted;
  const options = child(manager, "http_protocol_options");
  if (protocol === "http/1.0" && flag(options, "accept_http_10") !== true) return refused("low_version", 426);
  const headers = protocol === "http/1.0" ? withDefaultHost(targeted.headers, options) : targeted.headers;
  return isAuthority(firstHeader(headers, ":authority") ?? "")
    ? asRequest(headers)
    : refused("http.invalid_authority");
}

/** What the parser stumbles over. */
function parseError(headers: HeaderList, manager: Message): string | null {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (headers.some(([, value]) => /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(value)))
    return "http1.invalid_characters";
  const method = firstHeader(headers, ":method") ?? "";
  const isMethod =
    flag(child(manager, "http_protocol_options"), "allow_custom_methods") === true
      ? token.test(method)
      : methods.has(method);
  const isName = headers.every(([name]) => name.startsWith(":") || token.test(name));
  const lengths = headers.filter(([name]) => name === "content-length");
  const isLength = lengths.length < 2 && lengths.every(([, value]) => /^\d+$/.test(value));
  const target = isConnect(headers) ? "/" : (firstHeader(headers, ":path") ?? "");
  return isMethod && isName && isLength && isTarget(target) ? null : "http1.codec_error";
}

/** Those that HTTP/1 may have unless others are allowed. */
const methods: ReadonlySet<string> = new Set(
  (
    "ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH NOTIFY " +
    "OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK " +
    "UNSUBSCRIBE"
  ).split(" "),
);

/** A path, "*", or a URL whose host has the characters that a host may have. */
function isTarget(target: string): boolean {
  if (/^[/*]/.test(target)) return /^[!-~]*$/.test(target);
  return (
    /^[A-Za-z][-+.0-9A-Za-z]*:\/\/[-A-Za-z0-9!$%&'()*+,.:;=@[\]_~]*(?:[/?][!-~]*)?$/.test(target) &&
    !(target.split("/", 3)[2] ?? "").includes("@@")
  );
}

/** One line of `host` after the other is one value. */
function withOneHost(headers: HeaderList): HeaderList {
  const hosts = headers
    .filter(([name]) => name === ":authority" || name === "host")
    .map(([, value]) => value);
  return hosts.length === 0
    ? headers
    : withHeader(withoutHeader(headers, "host"), ":authority", hosts.join(","));
}

/** Envoy does not go over to HTTP/2 in the middle of a connection. */
function withoutH2cUpgrade(headers: HeaderList): HeaderList {
  if (!isUpgrade(headers) || headerValue(headers, "upgrade")?.toLowerCase() !== "h2c") return headers;
  const tokens = connectionTokens(headers).filter((one) => !/^(?:upgrade|http2-settings)$/i.test(one));
  const left = withoutHeader(withoutHeader(headers, "upgrade"), "http2-settings");
  return tokens.length === 0
    ? withoutHeader(left, "connection")
    : withHeader(left, "connection", tokens.join(","));
}

function connectionTokens(headers: HeaderList): string[] {
  return (headerValue(headers, "connection") ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
}

/** How a body is announced. */
function bodyErrorOf(headers: HeaderList, manager: Message): DecodedRequest | null {
  const length = headerValue(headers, "content-length");
  const encoding = headerValue(headers, "transfer-encoding");
  if (isConnect(headers) && length !== undefined && length !== "0") return refused("http1.body_disallowed");
  const isChunked = encoding?.toLowerCase() === "chunked";
  const allowsBoth = flag(child(manager, "http_protocol_options"), "allow_chunked_length") === true;
  if (encoding !== undefined && length !== undefined && !(isChunked && allowsBoth))
    return refused("http1.content_length_and_chunked_not_allowed");
  return encoding !== undefined && (!isChunked || isConnect(headers))
    ? refused("http1.invalid_transfer_encoding", 501)
    : null;
}

const mostNominated = 10;
const longestTe = 256;

/** Without the headers that `connection` names; null where it may not name them. */
function withoutNominated(headers: HeaderList): HeaderList | null {
  const tokens = connectionTokens(headers).map((one) => one.toLowerCase());
  if (tokens.length >= mostNominated) return null;
  const nominated = tokens.filter(
    (one) => !/^(?:close|http2-settings|keep-alive|upgrade|connection)$/.test(one),
  );
  if (nominated.some((one) => one.startsWith(":") || /^x-forwarded-(?:for|host|proto)$/.test(one)))
    return null;
  const te = nominated.includes("te") ? (headerValue(headers, "te") ?? "") : "";
  if (te.length >= longestTe) return null;
  const hasTrailers = te.split(",").some((one) => one.trim().toLowerCase() === "trailers");
  const gone = new Set(nominated.map((one) => (one === "host" ? ":authority" : one)));
  if (hasTrailers) gone.delete("te");
  const left = headers.filter(([name]) => !gone.has(name));
  return hasTrailers ? withHeader(left, "te", "trailers") : left;
}

function decodeTarget(headers: HeaderList, manager: Message): DecodedRequest {
  if (isConnect(headers)) {
    const host = firstHeader(headers, ":authority") ?? "";
    const url = hostAndPort(host);
    return url === null || !/:\d+$/.test(url) ? refused("http1.invalid_url") : asRequest(headers);
  }
  const target = firstHeader(headers, ":path") ?? "";
  const isAsterisk = target.startsWith("*") && firstHeader(headers, ":method") === "OPTIONS";
  if (target.startsWith("/") || isAsterisk) return asRequest(headers);
  if (flag(child(manager, "http_protocol_options"), "allow_absolute_url") === false)
    return asRequest(headers);
  const scheme = target.indexOf("://");
  if (scheme <= 0) return refused("http1.invalid_url");
  const rest = target.slice(scheme + 3);
  const end = rest.search(/[/?]/);
  const authority = hostAndPort(end < 0 ? rest : rest.slice(0, end));
  if (authority === null) return refused("http1.invalid_url");
  const name = target.slice(0, scheme).toLowerCase();
  if (name !== "http" && name !== "https") return refused("http1.invalid_scheme");
  const path = end < 0 ? "/" : rest.slice(end);
  return asRequest(
    withHeader(withHeader(withHeader(headers, ":authority", authority), ":path", path), ":scheme", name),
  );
}

/** Host and port of a URL, without user information; null where they are none. */
function hostAndPort(server: string): string | null {
  const at = server.indexOf("@");
  const user = at < 0 ? "" : server.slice(0, at);
  const rest = server.slice(at + 1);
  const [, host = "", port] = /^(\[[^\]]*\]|[-.0-9A-Za-z]*)(?::(\d{1,9}))?$/.exec(rest) ?? [];
  const isPort = port === undefined || Number(port) <= 0xffff;
  const isHost = host.startsWith("[") ? parseIp(host.slice(1, -1)) !== null : host !== "";
  return isHost && isPort && /^[-!$%&'()*+,.:;=_~0-9A-Za-z]*$/.test(user) ? rest : null;
}

function withDefaultHost(headers: HeaderList, options: Message | undefined): HeaderList {
  const host = text(options, "default_host_for_http_10");
  return firstHeader(headers, ":authority") === undefined && host !== ""
    ? withHeader(headers, ":authority", host)
    : headers;
}

/** The characters of an authority, user information included. */
const isAuthority = (authority: string): boolean => /^[-!$%&'()*+,.0-9:;=@A-Z[\]_a-z~]*$/.test(authority);

function http1Limit(headers: HeaderList, manager: Message): string | null {
  const lines = headers.filter(([name]) => !name.startsWith(":") || name === ":authority");
  const target = firstHeader(headers, ":path") ?? "";
  const size = sizeOf(lines) + target.length;
  if (size > sizeLimit(manager)) return "http1.headers_too_large";
  return lines.length > countLimit(manager) ? "http1.too_many_headers" : null;
}
