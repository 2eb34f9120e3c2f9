/** `envoy.filters.http.cors` (`source/extensions/filters/http/cors/cors_filter.cc`). */
import { child, children, field, flag, text, texts, type Message } from "../../snapshot/message.js";
import { matchString } from "../matchers/string-matcher.js";
import { firstHeader, type HeaderList } from "../request.js";
import { anyOf, isUnknown, type Ternary } from "../ternary.js";
import { isCorsPreflight } from "./cors-preflight.js";
import {
  answered,
  isForwarding,
  passed,
  undecided,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
} from "./filter.js";
import { isDrawn } from "./fraction-gate.js";
import { localReply } from "./local-reply.js";

/** A preflight is answered; to other requests of an allowed origin the response's headers are added. */
export function evaluateCors(filter: HttpFilter, context: FilterContext): FilterResult {
  const policies = isForwarding(context) ? policiesOf(filter, context) : [];
  const origin = firstHeader(context.headers, "origin") ?? "";
  if (policies.length === 0 || origin === "") return passed();
  const enabled = isEnabled(filter, policies, context);
  if (enabled === false) return passed();
  const isAllowed = isOriginAllowed(policies, origin);
  if (isUnknown(enabled)) return undecided(enabled.because);
  if (isUnknown(isAllowed)) return undecided(isAllowed.because);
  if (!isCorsPreflight(context.headers))
    return isAllowed ? passed({ responseHeaders: simpleHeaders(policies, origin) }) : passed();
  if (!isAllowed && (firstFlag(policies, "forward_not_matching_preflights") ?? true)) return passed();
  const headers = preflightHeaders(policies, context.headers, isAllowed ? origin : null);
  return answered(localReply(200, "cors_response", { headers, isFinal: true }));
}

/** Most specific first; the deprecated fields count only where no level has a policy for the filter. */
function policiesOf(filter: HttpFilter, context: FilterContext): Message[] {
  if (filter.routeConfigs.length > 0) return filter.routeConfigs.toReversed();
  const { entry } = context;
  return [child(entry?.route, "route", "cors"), child(entry?.virtualHost, "cors")].filter(
    (policy) => policy !== undefined,
  );
}

/** By the most specific policy alone; one that says nothing is on. */
function isEnabled(filter: HttpFilter, policies: readonly Message[], context: FilterContext): Ternary {
  const [policy] = policies;
  if (child(policy, "filter_enabled") === undefined) return flag(policy, "enabled") ?? true;
  return isDrawn(child(policy, "filter_enabled"), context, `the filter ${filter.name} applies its policy`);
}

/** By the first policy that lists origins; "*" is in the list as a text. */
function isOriginAllowed(policies: readonly Message[], origin: string): Ternary {
  const origins = policies.map(allowedOrigins).find((list) => list.length > 0) ?? [];
  return anyOf(origins, (matcher) =>
    anyOf([matchString(matcher, "*"), matchString(matcher, origin)], (one) => one),
  );
}

const allowedOrigins = (policy: Message): Message[] => [
  ...texts(policy, "allow_origin").map((exact) => ({ exact })),
  ...texts(policy, "allow_origin_regex").map((regex) => ({ safe_regex: { regex } })),
  ...children(policy, "allow_origin_string_match"),
];

function simpleHeaders(policies: readonly Message[], origin: string): HeaderList {
  const exposed = firstText(policies, "expose_headers");
  return [
    ["access-control-allow-origin", origin],
    ...credentials(policies),
    ...(exposed === "" ? [] : ([["access-control-expose-headers", exposed]] as const)),
  ];
}

function preflightHeaders(
  policies: readonly Message[],
  request: HeaderList,
  origin: string | null,
): HeaderList {
  const asked = (name: string): string => firstHeader(request, `access-control-request-${name}`) ?? "";
  const given = (name: string): HeaderList => {
    const value = firstText(policies, `allow_${name}`);
    const told = value === "*" ? asked(name === "methods" ? "method" : name) : value;
    return value === "" ? [] : [[`access-control-allow-${name}`, told]];
  };
  const age = firstText(policies, "max_age");
  const isPrivate =
    (firstFlag(policies, "allow_private_network_access") ?? false) && asked("private-network") === "true";
  return [
    ...(origin === null ? [] : ([["access-control-allow-origin", origin]] as const)),
    ...credentials(policies),
    ...given("methods"),
    ...given("headers"),
    ...(age === "" ? [] : ([["access-control-max-age", age]] as const)),
    ...(isPrivate ? ([["access-control-allow-private-network", "true"]] as const) : []),
  ];
}

const credentials = (policies: readonly Message[]): HeaderList =>
  (firstFlag(policies, "allow_credentials") ?? false) ? [["access-control-allow-credentials", "true"]] : [];

const firstText = (policies: readonly Message[], name: string): string =>
  policies.map((policy) => text(policy, name)).find((value) => value !== "") ?? "";

const firstFlag = (policies: readonly Message[], name: string): boolean | undefined =>
  policies.map((policy) => field(policy, name)).find((value) => typeof value === "boolean");
