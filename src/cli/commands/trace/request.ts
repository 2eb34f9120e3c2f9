/** A request as a user writes it, with curl's flags or in a file of cases, as the tracer takes it. */
import { UserError } from "../../../shared/errors.js";
import { excerpt } from "../../../shared/printable.js";
import { parseIp, parseSocketAddress } from "../../../trace/address.js";
import { splitAuthority } from "../../../trace/original-destination.js";
import type { HeaderList, SocketAddress } from "../../../trace/request.js";
import type { TraceInput } from "../../../trace/trace.js";

/** Texts as they were given; what is missing was not. */
export interface RequestWords {
  readonly url: string;
  readonly method?: string | undefined;
  readonly headers?: HeaderList | undefined;
  readonly direction?: "outbound" | "inbound" | undefined;
  readonly originalDst?: string | undefined;
  readonly sourceIp?: string | undefined;
  readonly sni?: string | undefined;
  readonly alpn?: readonly string[] | undefined;
  readonly tls?: boolean | undefined;
  /** Decimal digits. */
  readonly random?: string | undefined;
  readonly allBranches?: boolean | undefined;
}

/** A token of RFC 9110, which methods and names of headers are. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,1000}$/;
const largestDraw = 2n ** 64n - 1n;

/**
 * @param from id of the proxy
 * @throws UserError that names what is wrong
 */
export function traceInput(words: RequestWords, from: string): TraceInput {
  const { method, headers = [], direction, originalDst, sourceIp, allBranches } = words;
  if (method !== undefined && !token.test(method))
    throw new UserError(`"${excerpt(method)}" is no method of HTTP`);
  return {
    from,
    direction: direction ?? "outbound",
    method: method ?? "GET",
    ...splitUrl(words.url),
    headers,
    originalDestination: originalDst === undefined ? null : socketAddress(originalDst),
    sourceIp: sourceIp === undefined ? null : ipAddress(sourceIp),
    tls: clientTls(words),
    random: words.random === undefined ? null : draw(words.random),
    allBranches: allBranches ?? false,
  };
}

/** Kept as it is, without what curl or a browser would tidy up: tidying is the proxy's to do. */
function splitUrl(url: string): Pick<TraceInput, "scheme" | "authority" | "path"> {
  const [, scheme = "", authority = "", path = ""] =
    /^(https?|tcp):\/\/([^/?#\s]{1,1000})([/?][^#\s]*)?(?:#\S*)?$/i.exec(url) ?? [];
  const wrong = (why: string): UserError => new UserError(`"${excerpt(url)}" ${why}`);
  if (scheme === "")
    throw wrong("is no URL such as http://reviews:9080/reviews/0, https://host/ or tcp://host:port");
  if (authority.includes("@"))
    throw wrong("holds a user's name: say it with -H 'authorization: ...' where it matters");
  const kind = scheme.toLowerCase() as TraceInput["scheme"];
  if (splitAuthority(authority, 80) === null) throw wrong("names no host, or a port that is none");
  if (kind === "tcp") {
    if (!/:\d+$/.test(authority)) throw wrong("needs a port: tcp://host:port");
    if (path !== "" && path !== "/") throw wrong("has a path, which TCP does not");
    return { scheme: kind, authority, path: "" };
  }
  return { scheme: kind, authority, path: path.startsWith("/") ? path : `/${path}` };
}

/** `name: value` as curl takes it; `name;` sends it empty, and `name:` does not send it. */
export function headerOf(line: string): HeaderList {
  const [, name = "", end, value = ""] = /^([^:;\s]{1,1000})\s?([:;])(.*)$/s.exec(line) ?? [];
  if (!token.test(name) || (end === ";" && value.trim() !== ""))
    throw new UserError(`-H takes 'name: value', not "${excerpt(line)}"`);
  return end === ":" && value.trim() === "" ? [] : [namedHeader(name, value)];
}

/** @throws UserError for what no request can carry */
export function namedHeader(name: string, value: string): readonly [string, string] {
  if (!token.test(name)) throw new UserError(`"${excerpt(name)}" is no name of a header`);
  if (/[\r\n\0]/.test(value)) throw new UserError(`the header ${name} holds a line break`);
  return [name, value.trim()];
}

function socketAddress(text: string): SocketAddress {
  const address = parseSocketAddress(text);
  if (address === null)
    throw new UserError(`the original destination must be ip:port, not "${excerpt(text)}"`);
  return address;
}

function ipAddress(text: string): string {
  const ip = parseIp(text);
  if (ip === null) throw new UserError(`the source must be an IP address, not "${excerpt(text)}"`);
  return ip.toString();
}

function clientTls({ tls, sni, alpn }: RequestWords): TraceInput["tls"] {
  if (tls === false && (sni !== undefined || alpn !== undefined))
    throw new UserError("a server name and ALPN are TLS: leave out --no-tls");
  if (tls !== true && sni === undefined && alpn === undefined) return null;
  return { ...(sni === undefined ? {} : { sni }), ...(alpn === undefined ? {} : { alpn }) };
}

function draw(text: string): bigint {
  const value = /^\d{1,20}$/.test(text) ? BigInt(text) : -1n;
  if (value < 0n || value > largestDraw)
    throw new UserError(`the random number must be a whole one of at most 64 bits, not "${excerpt(text)}"`);
  return value;
}
