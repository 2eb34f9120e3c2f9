/** `envoy.filters.http.rbac` (`source/extensions/filters/http/rbac/rbac_filter.cc`). */
import { child, text, type Message } from "../../snapshot/message.js";
import type { EnvoyMinor } from "../match-context.js";
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
import { localReply } from "./local-reply.js";
import { evaluateRbac, evaluateShadowRbac, rbacDetail, type RbacResult } from "./rbac.js";

/** Where the filter leaves its results, those of its shadow rules among them, which gate Istio's CUSTOM action. */
const namespace = "envoy.filters.http.rbac";
/** `enforced_effective_policy_id` and `enforced_engine_result`; not all older releases that write them are known. */
const writesEnforcedSince: EnvoyMinor = 36;

/** Shadow rules are evaluated first, and enforce nothing. */
export function evaluateRbacFilter(filter: HttpFilter, context: FilterContext): FilterResult {
  const rbac = effectiveConfig(filter);
  const shadow = evaluateShadowRbac(rbac, context);
  const result = evaluateRbac(rbac, context);
  const changes = changesOf(rbac, shadow, result, context.envoy);
  if (result.verdict === "unknown") return undecided(result.because, changes);
  if (result.verdict === "denied") {
    const reply = localReply(403, rbacDetail(result, context.envoy), { body: "RBAC: access denied" });
    return { ...denied(reply, result.policy), because: result.because };
  }
  return hasRules(rbac) ? allowed(result.policy, changes) : passed(changes);
}

/** `RBACPerRoute` takes the filter's place as a whole; without `rbac` it leaves nothing to enforce. */
function effectiveConfig(filter: HttpFilter): Message {
  const own = mostSpecific(filter);
  return own === undefined ? filter.config : (child(own, "rbac") ?? {});
}

const hasRules = (rbac: Message): boolean =>
  child(rbac, "rules") !== undefined || child(rbac, "matcher") !== undefined;

function changesOf(
  rbac: Message,
  shadow: RbacResult | null,
  result: RbacResult,
  envoy: EnvoyMinor,
): FilterChanges {
  const prefix = text(rbac, "shadow_rules_stat_prefix");
  if (shadow !== null && !isNameKnown(shadow)) return { hiddenMetadata: [namespace] };
  const enforced = hasRules(rbac) && envoy >= writesEnforcedSince ? resultFields("enforced_", result) : {};
  const fields = { ...(shadow === null ? {} : resultFields(`${prefix}shadow_`, shadow)), ...enforced };
  return Object.keys(fields).length === 0 ? {} : { dynamicMetadata: new Map([[namespace, fields]]) };
}

const isNameKnown = ({ verdict, because }: RbacResult): boolean =>
  verdict !== "unknown" && because.length === 0;

/** The policy's id only where one matched. */
function resultFields(prefix: string, { verdict, candidates, because }: RbacResult): Message {
  const [policy] = because.length === 0 ? candidates : [];
  return {
    ...(policy === undefined ? {} : { [`${prefix}effective_policy_id`]: policy }),
    [`${prefix}engine_result`]: verdict,
  };
}
