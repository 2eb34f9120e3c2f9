/** `envoy.filters.http.jwt_authn` (`source/extensions/filters/http/jwt_authn/filter.cc`). */
import { child, children, flag, isMessage, text, type Message } from "../../snapshot/message.js";
import { filterStateValue } from "../matchers/metadata-matcher.js";
import { asciiLower } from "../matchers/string-matcher.js";
import type { HeaderList } from "../request.js";
import { matchRoute, routeInput } from "../route/route-match.js";
import { isUnknown } from "../ternary.js";
import type { Unknown } from "../unknown.js";
import { isCorsPreflight } from "./cors-preflight.js";
import {
  allowed,
  denied,
  mostSpecific,
  passed,
  undecided,
  type FilterChanges,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
} from "./filter.js";
import { checkRequirement, providersIn, requiredProviders, type JwtInput } from "./jwt-requirement.js";
import { tokensFor } from "./jwt-tokens.js";
import { localReply, type LocalReply } from "./local-reply.js";
import { originalUri } from "./original-uri.js";

const namespace = "envoy.filters.http.jwt_authn";

/** Without a token everything can be told; with one, whether it is good is left open. */
export function evaluateJwtAuthn(filter: HttpFilter, context: FilterContext): FilterResult {
  const { config } = filter;
  if (flag(config, "bypass_cors_preflight") === true && isCorsPreflight(context.headers)) return passed();
  const own = mostSpecific(filter);
  const asked = own === undefined ? ruleFor(config, context) : routeRequirement(own, config);
  switch (asked.kind) {
    case "nothing":
      return passed(noClaims);
    case "wrong name":
      return denied(wrongName(asked.name, config));
    case "unknown":
      return undecided(asked.because, { hiddenMetadata: [namespace] });
    case "requirement":
      return checked(asked.requirement, config, context);
  }
}

function checked(requirement: Message, config: Message, context: FilterContext): FilterResult {
  const input = { providers: providersIn(config), headers: context.headers };
  const status = checkRequirement(requirement, input);
  const names = requiredProviders(requirement);
  const policy = names.join(", ");
  if (status.kind === "unknown") return undecided(status.because, changesOf(input, names));
  if (status.kind === "ok") return allowed(policy, changesOf(input, names));
  return denied(refusal(status.kind, config, context.headers), policy);
}

/** Of the request without claims: no filter may have written them. */
const noClaims: FilterChanges = { dynamicMetadata: new Map([[namespace, {}]]) };

/** Headers in which claims go on are taken off whoever sent them; claims are metadata once a token is good. */
function changesOf({ providers, headers }: JwtInput, names: readonly string[]): FilterChanges {
  const named = names.map((name) => providers.get(name)).filter((provider) => provider !== undefined);
  const asked = names.length === 0 ? [...providers.values()] : named;
  const claimHeaders = new Set(
    asked.flatMap((provider) => [
      asciiLower(text(provider, "forward_payload_header")),
      ...children(provider, "claim_to_headers").map((one) => asciiLower(text(one, "header_name"))),
    ]),
  );
  const left = headers.filter(([name]) => !claimHeaders.has(name));
  const writes = asked.some((provider) => metadataKeys.some((key) => text(provider, key) !== ""));
  const hasToken = tokensFor([...providers.values()], headers).length > 0;
  const fails = asked.some((provider) => text(provider, "failed_status_in_metadata") !== "");
  const state = (hasToken && writes) || fails ? { hiddenMetadata: [namespace] } : noClaims;
  return left.length === headers.length ? state : { ...state, headers: left };
}

const metadataKeys = ["payload_in_metadata", "header_in_metadata", "failed_status_in_metadata"];

/** What is asked of a request. */
type Asked =
  | { readonly kind: "nothing" }
  | { readonly kind: "requirement"; readonly requirement: Message }
  | { readonly kind: "wrong name"; readonly name: string }
  | { readonly kind: "unknown"; readonly because: readonly Unknown[] };

const asking = (requirement: Message | undefined): Asked =>
  requirement === undefined ? { kind: "nothing" } : { kind: "requirement", requirement };

/** The first rule that matches, also one that asks for nothing; then what filter state picks. */
function ruleFor(config: Message, context: FilterContext): Asked {
  const input = routeInput({}, context);
  for (const rule of children(config, "rules")) {
    const { holds } = matchRoute({ match: comparedFields(child(rule, "match")) }, input);
    if (isUnknown(holds)) return { kind: "unknown", because: holds.because };
    if (!holds) continue;
    const name = text(rule, "requirement_name");
    return asking(name === "" ? child(rule, "requires") : requirementNamed(name, config));
  }
  return byFilterState(child(config, "filter_state_rules"), context);
}

function byFilterState(rules: Message | undefined, context: FilterContext): Asked {
  const key = text(rules, "name");
  const value = key === "" ? undefined : filterStateValue(context, key);
  if (value === undefined) return { kind: "nothing" };
  return typeof value === "string"
    ? asking(child(rules, "requires", value))
    : { kind: "unknown", because: value.because };
}

/** Of a RouteMatch the filter compares path, headers and query parameters only. */
function comparedFields(match: Message | undefined): Message {
  const ignored = ["runtime_fraction", "grpc", "tls_context", "dynamic_metadata", "filter_state", "cookies"];
  return Object.fromEntries(Object.entries(match ?? {}).filter(([name]) => !ignored.includes(name)));
}

/** `PerRouteConfig` */
function routeRequirement(own: Message, config: Message): Asked {
  if (flag(own, "disabled") === true) return { kind: "nothing" };
  const name = text(own, "requirement_name");
  const requirement = requirementNamed(name, config);
  return requirement === undefined ? { kind: "wrong name", name } : { kind: "requirement", requirement };
}

function requirementNamed(name: string, config: Message): Message | undefined {
  const requirements = child(config, "requirement_map") ?? {};
  const found = Object.hasOwn(requirements, name) ? requirements[name] : undefined;
  return isMessage(found) ? found : undefined;
}

function wrongName(name: string, config: Message): LocalReply {
  const names = Object.keys(child(config, "requirement_map") ?? {}).sort();
  const message = `Wrong requirement_name: ${name}. It should be one of [${names.join(",")}]`;
  const body = isStripped(config) ? "" : `Failed JWT authentication: ${message}`;
  return localReply(403, "jwt_authn_access_denied", { body });
}

const isStripped = (config: Message): boolean => flag(config, "strip_failure_response") === true;

const messages = {
  missing: "Jwt is missing",
  malformed: "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
};

function refusal(kind: keyof typeof messages, config: Message, headers: HeaderList): LocalReply {
  if (isStripped(config)) return localReply(401, "jwt_authn_access_denied");
  const error = kind === "missing" ? "" : ', error="invalid_token"';
  return localReply(401, "jwt_authn_access_denied", {
    body: messages[kind],
    headers: [["www-authenticate", `Bearer realm="${originalUri(headers)}"${error}`]],
  });
}
