/** What URLs carry of their users: `user:password@`, queries, and both in the forms that clients of databases take. */
import type { Replace } from "./strings.js";
import { isRedacted } from "./tokens.js";

/** The last "@" before the path: a password may hold one. */
const userInfo = /(?<![A-Za-z0-9+.-])([A-Za-z][A-Za-z0-9+.-]{1,30}:\/\/)([^\s/?#"'<>\\`]*)@/g;
/** `user:password@tcp(host:3306)/db` of Go's MySQL driver. */
const driverUser = /(?<![\w.-])([\w.-]{1,64}:[^\s:@/‹›]{1,128})@(?=(?:tcp|unix)\()/g;

export function redactUserInfo(text: string, replace: Replace): string {
  if (!text.includes("@")) return text;
  return text
    .replace(userInfo, (whole, scheme: string, user: string) =>
      user === "" || isRedacted(user) ? whole : `${scheme}${replace("URL part", user)}@`,
    )
    .replace(driverUser, (_, user: string) => `${replace("URL part", user)}@`);
}

/** The whole query of a URL, however its parameters are called. */
export function redactQuery(url: string, replace: Replace): string {
  const start = url.indexOf("?");
  if (start < 0) return url;
  const fragment = url.indexOf("#", start);
  const end = fragment < 0 ? url.length : fragment;
  const query = url.slice(start + 1, end);
  if (query === "" || isRedacted(query)) return url;
  return `${url.slice(0, start + 1)}${replace("URL part", query)}${url.slice(end)}`;
}

/** Queries of requests, as logs of access show them: a "?" inside a word that is a path. */
const queryInText = /(?<=[\w./~%*)-])\?([^\s"'<>\\`?]{3,}[^\s"'<>\\`]*)/g;

export function redactQueriesInText(text: string, replace: Replace): string {
  if (!text.includes("?")) return text;
  return text.replace(queryInText, (whole, query: string) =>
    isRedacted(query) ? whole : `?${replace("URL part", query)}`,
  );
}
