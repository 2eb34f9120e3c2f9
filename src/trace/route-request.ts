/**
 * Requests that fit a route, made from the route's own conditions. What hangs on the connection or on filters (the client's
 * certificate, dynamic metadata, filter state) is taken to be as the route wants it.
 */
import { child, children, field, text, texts, type Message } from "../snapshot/message.js";
import type { MatchContext } from "./match-context.js";
import { examplesOf } from "./matchers/example-text.js";
import { headerMatchers, headerName, matchHeader } from "./matchers/header-matcher.js";
import { matchCookie, matchQueryParameter } from "./matchers/query-matcher.js";
import { fullMatch } from "./matchers/regex.js";
import { textTest } from "./matchers/string-matcher.js";
import type { HeaderList } from "./request.js";
import {
  matchRoute,
  pathSpecifier,
  routeConditions,
  routeInput,
  type PathSpecifier,
} from "./route/route-match.js";
import { chooseVirtualHost, domainTable, hostLookedUp, lookUp } from "./route/virtual-host.js";
import { isUnknown } from "./ternary.js";

export type RouteRequest =
  | {
      readonly kind: "request";
      /** The domain of the virtual host that it comes by. */
      readonly domain: string;
      readonly headers: HeaderList;
      /** More requests of the route, with other paths: for where something else takes the first. */
      readonly others: () => Iterable<HeaderList>;
    }
  /** @field because in one sentence */
  | { readonly kind: "none"; readonly because: string };

/**
 * A request that the virtual host gets and the route matches.
 * @param context of the connection; its headers do not count
 * @param wishes headers that it should have, where the route leaves that open
 */
export function requestFor(
  config: Message,
  virtualHost: Message,
  route: Message,
  context: MatchContext,
  wishes: HeaderList = [],
): RouteRequest {
  const host = hostFor(config, virtualHost);
  if (host === null)
    return { kind: "none", because: "other virtual hosts take every request for its domains" };
  const wanted = withoutConnection(route);
  const specifier = pathSpecifier(child(wanted, "match"));
  const paths = pathsFor(specifier);
  const [first] = paths;
  if (first === undefined)
    return { kind: "none", because: `no path was found for ${specifier.kind} ${valueOf(specifier)}` };
  const make = (path: string): HeaderList =>
    headersFor(child(wanted, "match"), host.authority, path, wishes, context);
  const fits = (headers: HeaderList): boolean =>
    chooseVirtualHost(config, headers)?.virtualHost === virtualHost &&
    matchRoute(wanted, routeInput(config, { ...context, headers })).holds === true;
  const at = paths.findIndex((path) => fits(make(path)));
  if (at < 0) return { kind: "none", because: whyNone(wanted, config, { ...context, headers: make(first) }) };
  return {
    kind: "request",
    domain: host.domain,
    headers: make(paths[at] ?? first),
    others: function* () {
      for (const path of paths.slice(at + 1)) {
        const headers = make(path);
        if (fits(headers)) yield headers;
      }
    },
  };
}

function whyNone(route: Message, config: Message, context: MatchContext): string {
  const conditions = routeConditions(route, routeInput(config, context));
  const failed = conditions.find(({ holds }) => holds === false);
  if (failed !== undefined) return `no request was found for ${failed.words}`;
  const unknowns = conditions.flatMap(({ holds }) => (isUnknown(holds) ? holds.because : []));
  return unknowns[0]?.message ?? "no request was found for its conditions, its fraction and its virtual host";
}

/** The conditions that a request itself decides. */
export function withoutConnection(route: Message): Message {
  const match = child(route, "match");
  if (!connectionConditions.some((name) => field(match, name) !== undefined)) return route;
  const left = Object.entries(match ?? {}).filter(([name]) => !connectionConditions.includes(name));
  return { ...route, match: Object.fromEntries(left) };
}

const connectionConditions: readonly string[] = ["tls_context", "dynamic_metadata", "filter_state"];

const valueOf = (specifier: PathSpecifier): string => ("value" in specifier ? specifier.value : "");

/** In the place of what a wildcard stands for; `example` and `invalid` are for documentation (RFC 2606). */
const hostFillings = ["any", "some-other", "x7"];
const anyHosts = ["host.example", "other.invalid", "host"];

/** The first of the domains whose requests come to this virtual host. */
function hostFor(
  config: Message,
  virtualHost: Message,
): { readonly domain: string; readonly authority: string } | null {
  const table = domainTable(config);
  for (const domain of texts(virtualHost, "domains"))
    for (const authority of hostsOf(domain))
      if (lookUp(table, hostLookedUp(config, authority))?.virtualHost === virtualHost)
        return { domain, authority };
  return null;
}

function hostsOf(domain: string): readonly string[] {
  if (domain === "*") return anyHosts;
  if (domain.startsWith("*")) return hostFillings.map((filling) => filling + domain.slice(1));
  if (domain.endsWith("*")) return anyHosts.map((host) => domain.slice(0, -1) + host);
  return [domain];
}

/** "" for CONNECT, which has none; the shortest first. */
function pathsFor(specifier: PathSpecifier): readonly string[] {
  switch (specifier.kind) {
    case "prefix": {
      const prefix = specifier.value === "" ? "/" : specifier.value;
      return [prefix, `${prefix}x`, `${prefix}/x`].filter(isPath);
    }
    case "path_separated_prefix":
      return [specifier.value, `${specifier.value}/x`].filter(isPath);
    case "path":
      return [specifier.value].filter(isPath);
    case "safe_regex":
      return examplesOf(specifier.value).filter(
        (path) => isPath(path) && fullMatch(specifier.value, path) === true,
      );
    case "uri_template":
      return ["x", "1"].map((filling) => specifier.value.replace(/\{[^{}]{0,200}\}|\*{1,2}/g, filling));
    case "connect_matcher":
      return [""];
    case "none":
      return [];
  }
}

const isPath = (path: string): boolean => path.startsWith("/");

/** Methods and schemes that a condition may ask for, or against. */
const usualValues: Readonly<Record<string, readonly string[]>> = {
  ":method": ["GET", "POST", "PUT", "DELETE"],
  ":scheme": ["http", "https"],
  "x-forwarded-proto": ["http", "https"],
};

function headersFor(
  match: Message | undefined,
  authority: string,
  path: string,
  wishes: HeaderList,
  context: MatchContext,
): HeaderList {
  const headers = new Map([
    [":method", path === "" ? "CONNECT" : "GET"],
    [":scheme", "http"],
    [":authority", authority],
    ...(path === "" ? [] : [[":path", path] as const]),
    ["x-forwarded-proto", "http"],
    ...(child(match, "grpc") === undefined ? [] : [["content-type", "application/grpc"] as const]),
    ...wishes,
  ]);
  const cookies = namedValues(children(match, "cookies"), (matcher, name, value) =>
    matchCookie(matcher, new Map(value === null ? [] : [[name, value]])),
  );
  if (cookies.length > 0)
    headers.set("cookie", cookies.map(([name, value]) => `${name}=${value}`).join("; "));
  for (const [name, matchers] of byName(headerMatchers(match), headerName)) {
    const usual = [headers.get(name) ?? null, null, ...(usualValues[name] ?? [])];
    const candidates = [...usual, ...matchers.flatMap(valuesFor)];
    const value = candidates.find((one) =>
      matchers.every((matcher) => matchHeader(matcher, headerList(name, one), context.envoy) === true),
    );
    if (value === null) headers.delete(name);
    else if (value !== undefined) headers.set(name, value);
  }
  const query = namedValues(children(match, "query_parameters"), (matcher, name, value) =>
    matchQueryParameter(matcher, new Map(value === null ? [] : [[name, value]]), context.envoy),
  ).map(([name, value]) => `${name}=${value}`);
  const whole = headers.get(":path");
  if (whole !== undefined && query.length > 0)
    headers.set(":path", `${whole}${whole.includes("?") ? "&" : "?"}${query.join("&")}`);
  // pseudo headers go first
  const list = [...headers];
  return [
    ...list.filter(([name]) => name.startsWith(":")),
    ...list.filter(([name]) => !name.startsWith(":")),
  ];
}

const headerList = (name: string, value: string | null): HeaderList =>
  value === null ? [] : [[name, value]];

function byName(
  matchers: readonly Message[],
  nameOf: (matcher: Message) => string,
): ReadonlyMap<string, Message[]> {
  const named = new Map<string, Message[]>();
  for (const matcher of matchers) {
    const known = named.get(nameOf(matcher));
    if (known === undefined) named.set(nameOf(matcher), [matcher]);
    else known.push(matcher);
  }
  return named;
}

/** For each name the value that all its conditions take, absent where that will do; without what has none. */
function namedValues(
  matchers: readonly Message[],
  holds: (matcher: Message, name: string, value: string | null) => unknown,
): (readonly [name: string, value: string])[] {
  return [...byName(matchers, (matcher) => text(matcher, "name"))].flatMap(([name, own]) => {
    const value = [null, ...own.flatMap(valuesFor)].find((one) =>
      own.every((matcher) => holds(matcher, name, one) === true),
    );
    return value === null || value === undefined ? [] : [[name, value] as const];
  });
}

/** Values that a condition of a header, a query parameter or a cookie may take, or may not: one of each at least. */
function valuesFor(matcher: Message): string[] {
  const range = child(matcher, "range_match");
  if (range !== undefined) return ["start", "end"].map((name) => numberText(field(range, name)));
  const wanted = exampleTexts(child(matcher, "string_match") ?? oldMatch(matcher));
  return [...wanted, ...wanted.map((value) => `not-${value}`), "x"];
}

const numberText = (value: unknown): string =>
  typeof value === "number" || typeof value === "string" ? String(value) : "0";

/** The deprecated conditions in the words of a StringMatcher. */
function oldMatch(matcher: Message): Message {
  for (const kind of ["exact", "prefix", "suffix", "contains"] as const) {
    const value = field(matcher, `${kind}_match`);
    if (typeof value === "string") return { [kind]: value };
  }
  const regex = text(matcher, "regex_match");
  return regex === "" ? { safe_regex: child(matcher, "safe_regex_match") } : { regex };
}

function exampleTexts(matcher: Message): readonly string[] {
  const test = textTest(matcher);
  if (test === null) return ["x"];
  return test.kind === "regex" ? examplesOf(test.pattern) : [test.value];
}

/**
 * The request with one header changed so that another route does not take it any more; null where none was found.
 * Headers that the route itself asks for stay as they are.
 * @param taker the route that takes the request
 */
export function evading(
  headers: HeaderList,
  taker: Message,
  route: Message,
  { envoy }: MatchContext,
): HeaderList | null {
  const own = new Set(headerMatchers(child(route, "match")).map(headerName));
  for (const matcher of headerMatchers(child(taker, "match"))) {
    const name = headerName(matcher);
    if (own.has(name) || name === ":authority" || name === ":path") continue;
    const candidates = [null, ...(usualValues[name] ?? []), ...valuesFor(matcher)];
    const value = candidates.find(
      (one) =>
        !(one === null && name.startsWith(":")) &&
        matchHeader(matcher, headerList(name, one), envoy) === false,
    );
    if (value === undefined) continue;
    const others = headers.filter(([other]) => other !== name);
    if (value === null) return others;
    return name.startsWith(":") ? [[name, value], ...others] : [...others, [name, value]];
  }
  return null;
}
