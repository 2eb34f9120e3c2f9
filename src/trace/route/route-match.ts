/** The conditions of a route, each with what it comes to (`RouteEntryImplBase::matchRoute` and its kinds of paths). */
import { isGrpc } from "../grpc-request.js";
import {
  child,
  children,
  field,
  flag,
  text,
  typeOf,
  unpacked,
  type Message,
} from "../../snapshot/message.js";
import { headerMatchers, headerWords, matchHeader } from "../matchers/header-matcher.js";
import { matchFilterState, matchMetadata } from "../matchers/metadata-matcher.js";
import { pathOnly } from "../matchers/path-matcher.js";
import { peerCertificate } from "../matchers/peer-certificate.js";
import {
  cookiesOf,
  cookieWords,
  matchCookie,
  matchQueryParameter,
  queryParameters,
  queryWords,
} from "../matchers/query-matcher.js";
import { certainty, runtimeFraction, type Fraction } from "../matchers/runtime-fraction.js";
import { regexIn, testText } from "../matchers/string-matcher.js";
import { matchTemplate } from "../matchers/uri-template.js";
import type { MatchContext } from "../match-context.js";
import { headerValue } from "../request.js";
import { isUnknown, unknownTruth, type Ternary } from "../ternary.js";
import { unknown, type Unknown } from "../unknown.js";

export type ConditionKind =
  | "path"
  | "runtime fraction"
  | "gRPC"
  | "header"
  | "query parameter"
  | "cookie"
  | "TLS"
  | "dynamic metadata"
  | "filter state";

export interface Condition {
  readonly kind: ConditionKind;
  /** `prefix /reviews`, `header end-user exact "jason"`. */
  readonly words: string;
  readonly holds: Ternary;
}

export interface RouteMatch {
  /** Without the runtime fraction. */
  readonly holds: Ternary;
  /** Of the requests for which it holds, those that the route takes; null for all of them. */
  readonly fraction: Fraction | null;
}

/** What requests are matched against, besides the route: read once for all of its neighbours. */
export interface RouteInput {
  readonly context: MatchContext;
  readonly path: string | undefined;
  /** `ignore_path_parameters_in_path_matching` */
  readonly ignoresPathParameters: boolean;
  readonly parameters: ReadonlyMap<string, string>;
  readonly cookies: ReadonlyMap<string, string>;
}

export function routeInput(config: Message, context: MatchContext): RouteInput {
  const path = headerValue(context.headers, ":path");
  return {
    context,
    path,
    ignoresPathParameters: flag(config, "ignore_path_parameters_in_path_matching") ?? false,
    parameters: queryParameters(path ?? ""),
    cookies: cookiesOf(context.headers),
  };
}

/** Whether a route takes the request. */
export function matchRoute(route: Message, input: RouteInput): RouteMatch {
  const match = child(route, "match");
  const fraction = fractionOf(match, input);
  const share = fraction === null ? true : certainty(fraction);
  const none: RouteMatch = { holds: false, fraction: null };
  if (share === false) return none;
  const because: Unknown[] = [];
  for (const condition of conditions(match, input)) {
    if (condition.holds === false) return none;
    if (isUnknown(condition.holds)) because.push(...condition.holds.because);
  }
  return { holds: because.length === 0 ? true : { because }, fraction: share === null ? fraction : null };
}

/** Every condition of a route, for people and for near misses. */
export function routeConditions(route: Message, input: RouteInput): Condition[] {
  const match = child(route, "match");
  const fraction = fractionOf(match, input);
  const share = fraction === null ? null : certainty(fraction);
  const all = [...conditions(match, input)];
  if (fraction === null || share === true) return all;
  const words = `${fraction.numerator} of ${fraction.denominator} requests`;
  const holds: Ternary =
    share ?? unknownTruth(unknown("random", `The route takes ${words}, by the random number of the stream.`));
  return [...all, { kind: "runtime fraction", words, holds }];
}

const fractionOf = (match: Message | undefined, { context }: RouteInput): Fraction | null => {
  const fraction = child(match, "runtime_fraction");
  return fraction === undefined ? null : runtimeFraction(fraction, context.runtime);
};

function* conditions(match: Message | undefined, input: RouteInput): Generator<Condition> {
  const { context, parameters, cookies } = input;
  const { headers, envoy } = context;
  yield pathCondition(match, input);
  if (child(match, "grpc") !== undefined)
    yield { kind: "gRPC", words: "gRPC", holds: isGrpc(context.headers) };
  for (const matcher of headerMatchers(match))
    yield {
      kind: "header",
      words: `header ${headerWords(matcher)}`,
      holds: matchHeader(matcher, headers, envoy),
    };
  for (const matcher of children(match, "query_parameters"))
    yield {
      kind: "query parameter",
      words: `query parameter ${queryWords(matcher)}`,
      holds: matchQueryParameter(matcher, parameters, envoy),
    };
  for (const matcher of children(match, "cookies"))
    yield { kind: "cookie", words: `cookie ${cookieWords(matcher)}`, holds: matchCookie(matcher, cookies) };
  const tls = child(match, "tls_context");
  if (tls !== undefined) yield* tlsConditions(tls, context);
  for (const matcher of children(match, "dynamic_metadata"))
    yield {
      kind: "dynamic metadata",
      words: `dynamic metadata of ${text(matcher, "filter")}`,
      holds: matchMetadata(matcher, context),
    };
  for (const matcher of children(match, "filter_state"))
    yield {
      kind: "filter state",
      words: `filter state ${text(matcher, "key")}`,
      holds: matchFilterState(matcher, context),
    };
}

function* tlsConditions(tls: Message, context: MatchContext): Generator<Condition> {
  const certificate = peerCertificate(context);
  const notKnown = unknownTruth(unknown("peer identity", "The certificate of the client is not known."));
  const presented = certificate === "unknown" ? notKnown : certificate !== null;
  const validity = certificate === "unknown" ? notKnown : (certificate?.isValidated ?? false);
  const validated = validity === "unknown" ? notKnown : validity;
  for (const [name, value] of [
    ["presented", presented],
    ["validated", validated],
  ] as const) {
    const wanted = flag(tls, name);
    if (wanted === undefined) continue;
    const words = `client certificate ${wanted ? "" : "not "}${name}`;
    yield { kind: "TLS", words, holds: typeof value === "boolean" ? value === wanted : value };
  }
}

/** How a route compares paths. */
export type PathSpecifier =
  | {
      readonly kind: "prefix" | "path" | "path_separated_prefix";
      readonly value: string;
      readonly isCaseSensitive: boolean;
    }
  | { readonly kind: "safe_regex" | "uri_template"; readonly value: string }
  | { readonly kind: "connect_matcher" | "none" };

/** What a route says of paths. */
export function pathSpecifier(match: Message | undefined): PathSpecifier {
  const isCaseSensitive = flag(match, "case_sensitive") ?? true;
  for (const kind of ["prefix", "path", "path_separated_prefix"] as const) {
    const value = field(match, kind);
    if (typeof value === "string") return { kind, value, isCaseSensitive };
  }
  if (child(match, "safe_regex") !== undefined)
    return { kind: "safe_regex", value: regexIn(match, "safe_regex") };
  if (typeof field(match, "regex") === "string") return { kind: "safe_regex", value: text(match, "regex") };
  if (child(match, "connect_matcher") !== undefined) return { kind: "connect_matcher" };
  const policy = child(match, "path_match_policy", "typed_config");
  if (typeOf(policy).endsWith(".uri_template.v3.UriTemplateMatchConfig"))
    return { kind: "uri_template", value: text(unpacked(policy), "path_template") };
  return { kind: "none" };
}

/** For people: `prefix /reviews`. */
export function pathWords(specifier: PathSpecifier): string {
  switch (specifier.kind) {
    case "prefix":
    case "path":
    case "path_separated_prefix":
      return `${specifier.kind} ${specifier.value}${specifier.isCaseSensitive ? "" : " in any case"}`;
    case "safe_regex":
    case "uri_template":
      return `${specifier.kind} ${specifier.value}`;
    case "connect_matcher":
      return "CONNECT";
    case "none":
      return "no path that we know";
  }
}

function pathCondition(match: Message | undefined, input: RouteInput): Condition {
  const specifier = pathSpecifier(match);
  return { kind: "path", words: pathWords(specifier), holds: holdsForPath(specifier, input) };
}

function holdsForPath(specifier: PathSpecifier, input: RouteInput): Ternary {
  if (specifier.kind === "connect_matcher") return isConnect(input.context);
  if (input.path === undefined) return false; // a request without a path is for those routes only
  return matchPathOf(specifier, input.path, input);
}

/** Whether a path, as `:path` has it, satisfies a route's; used for near misses with other paths, too. */
export function matchPathOf(
  specifier: PathSpecifier,
  path: string,
  { ignoresPathParameters, context }: Pick<RouteInput, "ignoresPathParameters" | "context">,
): Ternary {
  if (specifier.kind === "uri_template") return matchTemplate(specifier.value, pathOnly(path), context.envoy);
  const compared = pathOnly(ignoresPathParameters ? withoutParameters(path) : path);
  switch (specifier.kind) {
    case "safe_regex":
      return testText({ kind: "regex", pattern: specifier.value }, compared);
    case "prefix":
      return testText(
        { kind: "prefix", value: specifier.value, ignoresCase: !specifier.isCaseSensitive },
        compared,
      );
    case "path":
      return testText(
        { kind: "exact", value: specifier.value, ignoresCase: !specifier.isCaseSensitive },
        compared,
      );
    case "path_separated_prefix":
      return isUnder(compared, specifier.value, specifier.isCaseSensitive);
    case "connect_matcher":
      return false;
    case "none":
      return unknownTruth(unknown("expression", "A route with a kind of path that is not evaluated."));
  }
}

function isUnder(path: string, prefix: string, isCaseSensitive: boolean): Ternary {
  const isBorder = path.length === prefix.length || path.charAt(prefix.length) === "/";
  return isBorder && testText({ kind: "prefix", value: prefix, ignoresCase: !isCaseSensitive }, path);
}

function withoutParameters(path: string): string {
  const semicolon = path.indexOf(";");
  return semicolon < 0 ? path : path.slice(0, semicolon);
}

/** CONNECT, or an upgrade to UDP through it (`HeaderUtility::isConnectUdpRequest`). */
function isConnect({ headers }: MatchContext): boolean {
  if (headerValue(headers, ":method") === "CONNECT") return true;
  return headerValue(headers, "upgrade")?.toLowerCase() === "connect-udp";
}
