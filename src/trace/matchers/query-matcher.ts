/** Query parameters and cookies in conditions of routes (`source/common/router/config_utility.cc`). */
import { child, flag, text, type Message } from "../../snapshot/message.js";
import type { EnvoyMinor } from "../match-context.js";
import type { HeaderList } from "../request.js";
import { not, type Ternary } from "../ternary.js";
import { matchString, textTest, textTestWords } from "./string-matcher.js";

/** Of `present_match: false` (`enable_new_query_param_present_match_behavior`); before, it asked for presence. */
const absenceSince: EnvoyMinor = 34;

/** `?a=1&b` of a raw path, first values only, nothing decoded. */
export function queryParameters(path: string): ReadonlyMap<string, string> {
  const start = path.indexOf("?");
  const parameters = new Map<string, string>();
  if (start < 0) return parameters;
  for (const piece of path.slice(start + 1).split("&")) {
    const equals = piece.indexOf("=");
    const name = equals < 0 ? piece : piece.slice(0, equals);
    if (!parameters.has(name)) parameters.set(name, equals < 0 ? "" : piece.slice(equals + 1));
  }
  return parameters;
}

/** `envoy.config.route.v3.QueryParameterMatcher`. */
export function matchQueryParameter(
  matcher: Message,
  parameters: ReadonlyMap<string, string>,
  envoy: EnvoyMinor,
): Ternary {
  const value = parameters.get(text(matcher, "name"));
  const wantsPresence = flag(matcher, "present_match");
  if (wantsPresence !== undefined) return (value !== undefined) === (wantsPresence || envoy < absenceSince);
  if (value === undefined) return false;
  const stringMatch = child(matcher, "string_match");
  return stringMatch === undefined ? true : matchString(stringMatch, value);
}

/** For people: `debug exact "1"`. */
export const queryWords = (matcher: Message): string => `${text(matcher, "name")} ${conditionWords(matcher)}`;

/** For people. */
export const cookieWords = (matcher: Message): string =>
  `${text(matcher, "name")} ${(flag(matcher, "invert_match") ?? false) ? "not " : ""}${conditionWords(matcher)}`;

function conditionWords(matcher: Message): string {
  const present = flag(matcher, "present_match");
  if (present !== undefined) return present ? "present" : "absent";
  const stringMatch = child(matcher, "string_match");
  if (stringMatch === undefined) return "present";
  const test = textTest(stringMatch);
  return test === null ? "by a custom matcher" : textTestWords(test);
}

/** The cookies of a request, first values only (`Http::Utility::parseCookies`). */
export function cookiesOf(headers: HeaderList): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>();
  for (const [name, value] of headers) {
    if (name !== "cookie") continue;
    for (const piece of value.split(";")) {
      const equals = piece.indexOf("=");
      const key = piece.slice(0, Math.max(equals, 0)).trim();
      if (equals < 0 || key === "" || cookies.has(key)) continue;
      cookies.set(key, unquoted(piece.slice(equals + 1).trim()));
    }
  }
  return cookies;
}

const unquoted = (value: string): string =>
  value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;

/** `envoy.config.route.v3.CookieMatcher`: an absent cookie is false, and then inverted, unlike a header. */
export function matchCookie(matcher: Message, cookies: ReadonlyMap<string, string>): Ternary {
  const value = cookies.get(text(matcher, "name"));
  const matches = value === undefined ? false : matchString(child(matcher, "string_match"), value);
  return (flag(matcher, "invert_match") ?? false) ? not(matches) : matches;
}
