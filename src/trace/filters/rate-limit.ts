/** `envoy.filters.http.ratelimit`: a service counts (`source/extensions/filters/http/ratelimit/ratelimit.cc`). */
import { child, children, flag, number, text, type Message } from "../../snapshot/message.js";
import { enumName } from "../enum-value.js";
import { firstHeader } from "../request.js";
import { anyOf, type Ternary } from "../ternary.js";
import { unknown } from "../unknown.js";
import {
  allowed,
  denied,
  isForwarding,
  mostSpecific,
  passed,
  undecided,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
} from "./filter.js";
import { isDrawn } from "./fraction-gate.js";
import { localReply } from "./local-reply.js";
import { hasDescriptor } from "./rate-limit-descriptors.js";
import { statusOf } from "./status-code.js";

const namespace = "envoy.filters.http.ratelimit";

/** Without a descriptor nobody is asked; else the service's answer is not known. */
export function evaluateRateLimit(filter: HttpFilter, context: FilterContext): FilterResult {
  const { config } = filter;
  const enabled = isEnabled(filter, context);
  if (enabled === false || !isRequestType(config, context) || !isForwarding(context)) return passed();
  if (context.surroundings.hasCluster(context.entry?.cluster ?? "") === false) return passed();
  const asked = isAsked(filter, context);
  if (asked === false) return passed();
  const service = text(child(config, "rate_limit_service", "grpc_service", "envoy_grpc"), "cluster_name");
  const isCertain = asked === true && enabled === true;
  if (isCertain && service !== "" && context.surroundings.hasCluster(service) === false)
    return withoutService(config);
  const because = unknown(
    "rate limit",
    `The filter ${filter.name} asks ${service === "" ? "a service" : service}, whose answer is not known.`,
  );
  return undecided([because], { hiddenMetadata: [namespace] });
}

function isEnabled({ name, config }: HttpFilter, context: FilterContext): Ternary {
  const fraction = child(config, "filter_enabled") ?? {
    runtime_key: "ratelimit.http_filter_enabled",
    default_value: { numerator: 100 },
  };
  return isDrawn(fraction, context, `the filter ${name} asks`);
}

function isRequestType(config: Message, { headers }: FilterContext): boolean {
  const wanted = text(config, "request_type");
  const isInternal = firstHeader(headers, "x-envoy-internal") === "true";
  return wanted === "internal" ? isInternal : wanted !== "external" || !isInternal;
}

/** Limits of the filter or of its configuration on the route take the place of those of route and virtual host. */
function isAsked(filter: HttpFilter, context: FilterContext): Ternary {
  const own = mostSpecific(filter);
  const stage = number(filter.config, "stage") ?? 0;
  const embedded = [own, filter.config]
    .map((one) => children(one, "rate_limits"))
    .find(({ length }) => length > 0);
  if (embedded !== undefined) return hasDescriptor(embedded, 0, context);
  const ofRoute = children(child(context.entry?.route, "route"), "rate_limits");
  const ofHost = children(context.entry?.virtualHost, "rate_limits");
  const lists = (takesHost(own, context) ?? ofRoute.length === 0) ? [ofRoute, ofHost] : [ofRoute];
  return anyOf(lists, (limits) => hasDescriptor(limits, stage, context));
}

/** Whether the limits of the virtual host count as well; null: only where the route has none. */
function takesHost(own: Message | undefined, { entry }: FilterContext): boolean | null {
  if (flag(child(entry?.route, "route"), "include_vh_rate_limits") === true) return true;
  const overrides = ["DEFAULT", "OVERRIDE_POLICY", "INCLUDE_POLICY", "IGNORE_POLICY"];
  const option = enumName(own, "override_option", overrides);
  const older = enumName(own, "vh_rate_limits", ["OVERRIDE", "INCLUDE", "IGNORE"]);
  const wanted = option === "DEFAULT" ? older : option.replace("_POLICY", "");
  return wanted === "OVERRIDE" ? null : wanted === "INCLUDE";
}

/** A service that cannot be reached. */
function withoutService(config: Message): FilterResult {
  if (flag(config, "failure_mode_deny") !== true) return allowed("");
  const status = statusOf(child(config, "status_on_error"), 500);
  return denied(localReply(status, "rate_limiter_error", { responseFlags: ["RLSE"] }));
}
