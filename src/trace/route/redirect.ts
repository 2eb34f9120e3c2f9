/** Redirects of routes and of `require_tls` (`Utility::newUri` in `source/common/http/utility.cc`). */
import { child, field, flag, number, text, type Message } from "../../snapshot/message.js";
import { isText } from "../matchers/regex.js";
import { pathOnly } from "../matchers/path-matcher.js";
import type { EnvoyMinor } from "../match-context.js";
import { headerValue, withHeader, type HeaderList } from "../request.js";
import type { Unknown } from "../unknown.js";
import { rewrittenByPrefix, rewrittenByRegex } from "./path-rewrite.js";

const statuses: Readonly<Record<string, number>> = {
  MOVED_PERMANENTLY: 301,
  FOUND: 302,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
};
const statusesByNumber = [301, 302, 303, 307, 308];

/** Before it, the query of the request was lost (`preserve_query_string_in_path_redirects`). */
const keepsQuerySince: EnvoyMinor = 15;

/** 301 by default. */
export function redirectStatus(redirect: Message | undefined): number {
  const code = field(redirect, "response_code");
  const status =
    typeof code === "number" ? statusesByNumber[code] : statuses[text(redirect, "response_code")];
  return status ?? 301;
}

export interface RedirectTarget {
  /** null where it is not known. */
  readonly location: string | null;
  /** The request's headers after its path was rewritten, which happens once, before the location is made. */
  readonly headers: HeaderList;
  readonly unknowns: readonly Unknown[];
}

/** Where a redirect leads. @param route whose action is a redirect */
export function redirectTarget(route: Message, headers: HeaderList, envoy: EnvoyMinor): RedirectTarget {
  const redirect = child(route, "redirect");
  const path = headerValue(headers, ":path") ?? "";
  const byPrefix = rewrittenByPrefix(route, text(redirect, "prefix_rewrite"), path);
  const rewritten = byPrefix ?? rewrittenByRegex(child(redirect, "regex_rewrite"), path);
  if (rewritten !== null && !isText(rewritten))
    return { location: null, headers, unknowns: rewritten.because };
  // nothing left of the path: the rewrite does not count
  const isRewritten = rewritten !== null && (byPrefix !== null || pathOnly(rewritten) !== "");
  const own = isRewritten
    ? withHeader(withHeader(headers, "x-envoy-original-path", path), ":path", rewritten)
    : headers;
  return { location: newUri(redirect, own, envoy), headers: own, unknowns: [] };
}

/** The URL of a request, as a direct response gives it for its location. */
export const ownUri = (headers: HeaderList, envoy: EnvoyMinor): string => newUri(undefined, headers, envoy);

/** Same host and path, the scheme https. */
export const tlsRedirectLocation = (headers: HeaderList): string =>
  `https://${headerValue(headers, ":authority") ?? ""}${headerValue(headers, ":path") ?? ""}`;

function newUri(redirect: Message | undefined, headers: HeaderList, envoy: EnvoyMinor): string {
  const scheme = newScheme(redirect, headers);
  const redirectedPort = number(redirect, "port_redirect") ?? 0;
  const port = redirectedPort === 0 ? "" : `:${redirectedPort}`;
  const hostRedirect = text(redirect, "host_redirect");
  const host = hostRedirect === "" ? requestHost(headers, scheme, port) : hostRedirect;
  return `${scheme}://${host}${port}${newPath(redirect, headers, envoy)}`;
}

function newScheme(redirect: Message | undefined, headers: HeaderList): string {
  const scheme = text(redirect, "scheme_redirect");
  if (scheme !== "") return scheme;
  return (flag(redirect, "https_redirect") ?? false) ? "https" : (headerValue(headers, ":scheme") ?? "");
}

/** Without its port where another one is set, or where it was the default of a scheme that changes. */
function requestHost(headers: HeaderList, scheme: string, newPort: string): string {
  const host = headerValue(headers, ":authority") ?? "";
  const end = host.startsWith("[") ? bracketEnd(host) : host.lastIndexOf(":");
  if (end < 0) return host;
  const oldScheme = headerValue(headers, "x-forwarded-proto") ?? "";
  const port = host.slice(end);
  const isOldDefault =
    (/^https$/i.test(oldScheme) && port === ":443") || (/^http$/i.test(oldScheme) && port === ":80");
  return newPort !== "" || (scheme !== oldScheme && isOldDefault) ? host.slice(0, end) : host;
}

const bracketEnd = (host: string): number => {
  const end = host.lastIndexOf("]:");
  return end < 0 ? -1 : end + 1;
};

function newPath(redirect: Message | undefined, headers: HeaderList, envoy: EnvoyMinor): string {
  const path = headerValue(headers, ":path") ?? "";
  const pathRedirect = text(redirect, "path_redirect");
  const hasQuery = pathRedirect.includes("?");
  const query = path.includes("?") && envoy >= keepsQuerySince ? path.slice(path.indexOf("?")) : "";
  const own = pathRedirect === "" ? path : pathRedirect + (hasQuery ? "" : query);
  const absolute = own.startsWith("/") ? own : `/${own}`;
  const isStripped = (flag(redirect, "strip_query") ?? false) && !hasQuery;
  return isStripped ? (absolute.split("?", 1)[0] ?? "") : absolute;
}
