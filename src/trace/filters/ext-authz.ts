/** `envoy.filters.http.ext_authz` (`source/extensions/filters/http/ext_authz/ext_authz.cc`): another process decides. */
import { child, flag, text, type Message } from "../../snapshot/message.js";
import { matchMetadata } from "../matchers/metadata-matcher.js";
import { statusOf } from "./status-code.js";
import { allOf, isUnknown, type Ternary } from "../ternary.js";
import { unknown } from "../unknown.js";
import {
  allowed,
  denied,
  mostSpecific,
  passed,
  undecided,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
} from "./filter.js";
import { isDrawn } from "./fraction-gate.js";
import { localReply, type LocalReply } from "./local-reply.js";

const namespace = "envoy.filters.http.ext_authz";

/** Asked or not can be told; what is answered only where the service has no cluster. */
export function evaluateExtAuthz(filter: HttpFilter, context: FilterContext): FilterResult {
  if (flag(mostSpecific(filter), "disabled") === true) return passed();
  const asked = isAsked(filter, context);
  if (isUnknown(asked)) return undecided(asked.because, { hiddenMetadata: [namespace] });
  if (!asked) return isDeniedAtDisable(filter.config, context) ? denied(failure(filter.config)) : passed();
  const cluster = serviceCluster(filter.config);
  if (cluster !== null && context.surroundings.hasCluster(cluster) === false)
    return flag(filter.config, "failure_mode_allow") === true ? allowed("") : denied(failure(filter.config));
  const because = unknown(
    "external authorization",
    `The filter ${filter.name} asks ${cluster ?? "a service"}, whose answer is not known.`,
  );
  return undecided([because], { hiddenMetadata: [namespace] });
}

/** Istio's CUSTOM action asks only where the shadow rules before it matched, which is in dynamic metadata. */
function isAsked({ name, config }: HttpFilter, context: FilterContext): Ternary {
  const fraction = child(config, "filter_enabled");
  const metadata = child(config, "filter_enabled_metadata");
  const gates: (() => Ternary)[] = [
    () => fraction === undefined || isDrawn(fraction, context, `the filter ${name} asks`),
    () => metadata === undefined || matchMetadata(metadata, context),
  ];
  return allOf(gates, (gate) => gate());
}

/** `RuntimeFeatureFlag` */
function isDeniedAtDisable(config: Message, context: FilterContext): boolean {
  const feature = child(config, "deny_at_disable");
  const value = context.runtime.value(text(feature, "runtime_key"));
  if (value === true || value === "true") return true;
  return value === false || value === "false" ? false : (flag(feature, "default_value") ?? false);
}

/** The cluster that is asked; null where it is not one of the proxy. */
function serviceCluster(config: Message): string | null {
  const cluster =
    text(child(config, "http_service", "server_uri"), "cluster") ||
    text(child(config, "grpc_service", "envoy_grpc"), "cluster_name");
  return cluster === "" ? null : cluster;
}

function failure(config: Message): LocalReply {
  const status = statusOf(child(config, "status_on_error"), 403);
  return localReply(status, "ext_authz_error", { responseFlags: ["UAEX"] });
}
