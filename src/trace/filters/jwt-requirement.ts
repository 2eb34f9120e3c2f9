/** `JwtRequirement`: what a rule asks of tokens (`source/extensions/filters/http/jwt_authn/verifier.cc`). */
import { child, children, field, isMessage, text, type Message } from "../../snapshot/message.js";
import type { HeaderList } from "../request.js";
import { unknown, type Unknown } from "../unknown.js";
import { isWellFormed, tokensFor } from "./jwt-tokens.js";

/** `missing` and `malformed` fail for certain, with 401; `unknown` hangs on what a token proves to be. */
export type JwtStatus =
  | { readonly kind: "ok" }
  | { readonly kind: "missing" }
  | { readonly kind: "malformed" }
  | { readonly kind: "unknown"; readonly because: readonly Unknown[] };

export interface JwtInput {
  readonly providers: ReadonlyMap<string, Message>;
  readonly headers: HeaderList;
}

const ok: JwtStatus = { kind: "ok" };
/** As protobuf's parser ends. */
const deepest = 100;

export const providersIn = (config: Message): ReadonlyMap<string, Message> =>
  new Map(
    Object.entries(child(config, "providers") ?? {}).filter((entry): entry is [string, Message] =>
      isMessage(entry[1]),
    ),
  );

/** Whether the tokens of a request meet a requirement. */
export function checkRequirement(requirement: Message, input: JwtInput, depth = 0): JwtStatus {
  if (depth > deepest)
    return { kind: "unknown", because: [unknown("limit", `JWT requirements are nested beyond ${deepest}.`)] };
  const inner = (one: Message): JwtStatus => checkRequirement(one, input, depth + 1);
  const any = child(requirement, "requires_any");
  if (any !== undefined) return anyOfThem(children(any, "requirements").map(inner));
  const all = child(requirement, "requires_all");
  if (all !== undefined) return allOfThem(children(all, "requirements").map(inner));
  if (field(requirement, "allow_missing_or_failed") !== undefined) return ok;
  if (field(requirement, "allow_missing") !== undefined) return unlessMissing(tokenStatus(null, input));
  const provider = providerOf(requirement);
  return provider === "" ? ok : tokenStatus(provider, input);
}

/** The provider that a requirement names itself; "" for the other kinds. */
const providerOf = (requirement: Message): string =>
  text(requirement, "provider_name") || text(child(requirement, "provider_and_audiences"), "provider_name");

/** Every provider that is named, in order. */
export function requiredProviders(requirement: Message | undefined, depth = 0): string[] {
  if (requirement === undefined || depth > deepest) return [];
  const provider = providerOf(requirement);
  const groups = ["requires_any", "requires_all"].flatMap((name) =>
    children(child(requirement, name), "requirements"),
  );
  const inner = groups.flatMap((one) => requiredProviders(one, depth + 1));
  return [...new Set(provider === "" ? inner : [provider, ...inner])];
}

/** @param name null for every provider */
function tokenStatus(name: string | null, { providers, headers }: JwtInput): JwtStatus {
  const candidates = name === null ? [...providers.values()] : [providers.get(name) ?? {}];
  const tokens = tokensFor(candidates, headers);
  const [token] = tokens;
  if (token === undefined) return { kind: "missing" };
  // of several tokens each has to be good, and which one fails first decides the status
  if (tokens.length === 1 && !isWellFormed(token)) return { kind: "malformed" };
  const whose = name === null ? "a provider" : `the provider ${name}`;
  return {
    kind: "unknown",
    because: [unknown("token", `The request has a token for ${whose}, which is not verified.`)],
  };
}

const unlessMissing = (status: JwtStatus): JwtStatus => (status.kind === "missing" ? ok : status);

const isUnsettled = ({ kind }: JwtStatus): boolean => kind === "unknown";

function anyOfThem(statuses: readonly JwtStatus[]): JwtStatus {
  if (statuses.some(({ kind }) => kind === "ok")) return ok;
  // they hang on the same tokens: one reason is enough
  return statuses.find(isUnsettled) ?? statuses.find(({ kind }) => kind === "malformed") ?? statuses[0] ?? ok;
}

/** In order: the first that fails decides. */
function allOfThem(statuses: readonly JwtStatus[]): JwtStatus {
  return statuses.find(({ kind }) => kind !== "ok") ?? ok;
}
