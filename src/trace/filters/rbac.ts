/** The engine of both RBAC filters, network and HTTP (`source/extensions/filters/common/rbac/engine_impl.cc`). */
import { child, children, field, isMessage, text, type Message } from "../../snapshot/message.js";
import { enumName } from "../enum-value.js";
import type { EnvoyMinor, MatchContext } from "../match-context.js";
import { matchInputOf } from "../matchers/match-input.js";
import { evaluateTree } from "../matchers/matcher-tree.js";
import { allOf, anyOf, unknownTruth, type Ternary } from "../ternary.js";
import { unknown, type Unknown } from "../unknown.js";
import { matchPermission } from "./permissions.js";
import { matchPrincipal } from "./principals.js";

export interface RbacResult {
  readonly verdict: "allowed" | "denied" | "unknown";
  /** The policy that matched first; "none" where the lack of one denies; "" where none decided, or which one is not known. */
  readonly policy: string;
  /** Those that may be the first to match, in order: one where it is known. */
  readonly candidates: readonly string[];
  /** Of an unknown verdict what it hangs on; of a known one why the policy's name is not known. */
  readonly because: readonly Unknown[];
}

/**
 * What a filter enforces: `matcher`, else `rules`; without both it lets everything pass.
 * @param rbac the configuration of the HTTP or of the network filter
 */
export const evaluateRbac = (rbac: Message, context: MatchContext): RbacResult =>
  evaluate(child(rbac, "matcher"), child(rbac, "rules"), context) ?? permitted;

/** What `shadow_matcher` or `shadow_rules` say, which is never enforced; null without them. */
export const evaluateShadowRbac = (rbac: Message, context: MatchContext): RbacResult | null =>
  evaluate(child(rbac, "shadow_matcher"), child(rbac, "shadow_rules"), context);

function evaluate(
  matcher: Message | undefined,
  rules: Message | undefined,
  context: MatchContext,
): RbacResult | null {
  if (matcher !== undefined) return evaluateMatcher(matcher, context);
  return rules === undefined ? null : evaluateRules(rules, context);
}

type Action = "ALLOW" | "DENY" | "LOG";

/** Policies in the order of their names; the first that matches is the effective one. */
function evaluateRules(rules: Message, context: MatchContext): RbacResult {
  const candidates: string[] = [];
  const because: Unknown[] = [];
  const action = actionOf(rules);
  for (const [name, policy] of policiesOf(rules)) {
    const matches = matchPolicy(name, policy, context);
    if (matches === false) continue;
    candidates.push(name);
    if (matches === true) return matched(action, candidates, because);
    because.push(...matches.because);
  }
  return candidates.length === 0 ? unmatched(action) : maybeMatched(action, candidates, because);
}

function matched(action: Action, candidates: readonly string[], because: readonly Unknown[]): RbacResult {
  const policy = because.length === 0 ? (candidates[0] ?? "") : "";
  return { verdict: action === "DENY" ? "denied" : "allowed", policy, candidates, because };
}

function maybeMatched(
  action: Action,
  candidates: readonly string[],
  because: readonly Unknown[],
): RbacResult {
  return { verdict: action === "LOG" ? "allowed" : "unknown", policy: "", candidates, because };
}

/** An engine that allows denies what nothing matched. */
const unmatched = (action: Action): RbacResult => (action === "ALLOW" ? nothingAllows : permitted);

const permitted: RbacResult = { verdict: "allowed", policy: "", candidates: [], because: [] };
const nothingAllows: RbacResult = { verdict: "denied", policy: "none", candidates: [], because: [] };

/** An omitted action is the enum's first. */
function actionOf(message: Message): Action {
  const action = enumName(message, "action", ["ALLOW", "DENY", "LOG"]);
  return action === "DENY" || action === "LOG" ? action : "ALLOW";
}

/** A `std::map`: by the bytes of the names, so by code points. */
function policiesOf(rules: Message): [string, Message][] {
  return Object.entries(child(rules, "policies") ?? {})
    .filter((entry): entry is [string, Message] => isMessage(entry[1]))
    .sort(([a], [b]) => compareCodePoints(a, b));
}

function compareCodePoints(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  const at = left.findIndex((character, index) => character !== right[index]);
  if (at < 0) return left.length - right.length;
  return (left[at]?.codePointAt(0) ?? -1) - (right[at]?.codePointAt(0) ?? -1);
}

function matchPolicy(name: string, policy: Message, context: MatchContext): Ternary {
  const parts: (() => Ternary)[] = [
    () => anyOf(children(policy, "permissions"), (permission) => matchPermission(permission, context)),
    () => anyOf(children(policy, "principals"), (principal) => matchPrincipal(principal, context)),
    () => matchCondition(name, policy),
  ];
  return allOf(parts, (part) => part());
}

/** CEL is not evaluated. */
function matchCondition(name: string, policy: Message): Ternary {
  const hasCondition = ["condition", "checked_condition"].some((key) => field(policy, key) !== undefined);
  return hasCondition
    ? unknownTruth(unknown("expression", `The policy ${name} has a CEL condition, which is not evaluated.`))
    : true;
}

/** A tree whose actions are `envoy.config.rbac.v3.Action`; what it does not match is denied. */
function evaluateMatcher(matcher: Message, context: MatchContext): RbacResult {
  const result = evaluateTree(matcher, matchInputOf(context), context.envoy);
  if (result.kind === "none") return nothingAllows;
  if (result.kind === "unknown")
    return { verdict: "unknown", policy: "", candidates: [], because: result.because };
  return matched(actionOf(result.action), [text(result.action, "name")], []);
}

/** The details that Envoy gives a denial; "" where the policy's name, which is part of them, is not known. */
export function rbacDetail({ policy }: RbacResult, envoy: EnvoyMinor): string {
  if (envoy < detailNamesPolicySince) return "rbac_access_denied";
  return policy === "" ? "" : `rbac_access_denied_matched_policy[${policy.replace(/[ \t\n\v\f\r]/g, "_")}]`;
}

const detailNamesPolicySince: EnvoyMinor = 16;
