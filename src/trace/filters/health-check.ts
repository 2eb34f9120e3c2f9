/** `envoy.filters.http.health_check` (`source/extensions/filters/http/health_check/health_check.cc`). */
import { child, children, field, flag, isMessage, number, type Message } from "../../snapshot/message.js";
import { matchHeaders } from "../matchers/header-matcher.js";
import { isUnknown } from "../ternary.js";
import { unknown } from "../unknown.js";
import {
  answeredSomehow,
  passed,
  undecided,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
} from "./filter.js";
import { localReply, type LocalReply } from "./local-reply.js";

/** Answers by the state of the server, which an operator may have set to failed; a snapshot does not hold it. */
export function evaluateHealthCheck({ name, config }: HttpFilter, context: FilterContext): FilterResult {
  const isHealthCheck = matchHeaders(children(config, "headers"), context.headers, context.envoy);
  if (isUnknown(isHealthCheck)) return undecided(isHealthCheck.because);
  if (!isHealthCheck) return passed();
  const because = unknown(
    "runtime state",
    `The filter ${name} answers health checks with 503 while the server is failed by its admin interface.`,
  );
  if (flag(config, "pass_through_mode") !== true) return answeredSomehow(replyOf(config, context), [because]);
  const isCached = field(config, "cache_time") !== undefined;
  const cached = unknown("runtime state", `The filter ${name} may have a cached answer.`);
  return undecided(isCached ? [because, cached] : [because]);
}

/** What a server that was not failed answers. */
function replyOf(config: Message, context: FilterContext): LocalReply {
  const clusters = Object.entries(child(config, "cluster_min_healthy_percentages") ?? {});
  if (clusters.length === 0) return localReply(200, "health_check_ok", { isHealthCheck: true });
  const missing = clusters.some(
    ([cluster, least]) =>
      context.surroundings.hasCluster(cluster) === false && isMessage(least) && number(least, "value") !== 0,
  );
  return missing
    ? localReply(503, "health_check_failed_no_cluster_found", {
        responseFlags: ["LH"],
        isHealthCheck: true,
      })
    : localReply(200, "health_check_ok_cluster_healthy", { isHealthCheck: true });
}
