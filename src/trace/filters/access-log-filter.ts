/** `envoy.config.accesslog.v3.AccessLogFilter` on a local reply (`source/common/access_log/access_log_impl.cc`). */
import { child, children, flag, number, text, texts, type Message } from "../../snapshot/message.js";
import { enumName, enumNames } from "../enum-value.js";
import type { MatchContext } from "../match-context.js";
import { matchHeader } from "../matchers/header-matcher.js";
import { matchMetadata, metadataValue } from "../matchers/metadata-matcher.js";
import { runtimeNumber } from "../runtime-values.js";
import { allOf, anyOf, unknownTruth, type Ternary } from "../ternary.js";
import { unknown } from "../unknown.js";
import { isDrawn } from "./fraction-gate.js";
import { grpcStatusNames, grpcStatusOf } from "./grpc-status.js";
import type { LocalReply } from "./local-reply.js";

/** As protobuf's parser ends. */
const deepest = 100;

/** Whether a condition holds; an absent one never does. */
export function matchAccessLogFilter(
  filter: Message | undefined,
  reply: LocalReply,
  context: MatchContext,
  depth = 0,
): Ternary {
  if (filter === undefined) return false;
  if (depth > deepest)
    return unknownTruth(unknown("limit", "Conditions of a local reply are nested too deep."));
  const inner = (one: Message): Ternary => matchAccessLogFilter(one, reply, context, depth + 1);
  const and = child(filter, "and_filter");
  if (and !== undefined) return allOf(children(and, "filters"), inner);
  const or = child(filter, "or_filter");
  if (or !== undefined) return anyOf(children(or, "filters"), inner);
  const name = Object.keys(tests).find((one) => child(filter, one) !== undefined);
  const test = name === undefined ? undefined : tests[name];
  return test === undefined ? notEvaluated(filter) : test(child(filter, name ?? "") ?? {}, reply, context);
}

type FilterTest = (filter: Message, reply: LocalReply, context: MatchContext) => Ternary;

const tests: Readonly<Record<string, FilterTest>> = {
  status_code_filter: compareStatus,
  not_health_check_filter: (_, { isHealthCheck }) => !isHealthCheck,
  header_filter: (filter, _, { headers, envoy }) =>
    matchHeader(child(filter, "header") ?? {}, headers, envoy),
  response_flag_filter: (filter, { responseFlags }) => {
    const flags = texts(filter, "flags");
    return flags.length === 0 ? responseFlags.length > 0 : responseFlags.some((own) => flags.includes(own));
  },
  // the reply is not one of gRPC yet
  grpc_status_filter: (filter, { status }) => {
    const isListed = enumNames(filter, "statuses", grpcStatusNames).includes(
      grpcStatusNames[grpcStatusOf(status)] ?? "",
    );
    return isListed !== (flag(filter, "exclude") === true);
  },
  metadata_filter: compareMetadata,
  log_type_filter: (filter) =>
    enumNames(filter, "types", ["NotSet"]).includes("NotSet") !== (flag(filter, "exclude") === true),
  runtime_filter: (filter, _, context) =>
    isDrawn(
      { runtime_key: text(filter, "runtime_key"), default_value: child(filter, "percent_sampled") },
      context,
      "a mapper of local replies",
    ),
};

/** `ComparisonFilter` */
function compareStatus(filter: Message, { status }: LocalReply, { runtime }: MatchContext): boolean {
  const comparison = child(filter, "comparison");
  const value = child(comparison, "value");
  const wanted = runtimeNumber(runtime, text(value, "runtime_key"), number(value, "default_value") ?? 0);
  switch (enumName(comparison, "op", ["EQ", "GE", "LE", "NE"])) {
    case "GE":
      return status >= wanted;
    case "LE":
      return status <= wanted;
    case "NE":
      return status !== wanted;
    default:
      return status === wanted;
  }
}

/** A value that is not set counts as a match, unless it is told not to. */
function compareMetadata(filter: Message, _: LocalReply, context: MatchContext): Ternary {
  const matcher = child(filter, "matcher");
  const path = children(matcher, "path").map((segment) => text(segment, "key"));
  const value = metadataValue(context, text(matcher, "filter"), path);
  if (value.state === "unknown") return value.truth;
  if (matcher === undefined || value.value === undefined)
    return flag(filter, "match_if_key_not_found") ?? true;
  return matchMetadata(matcher, context);
}

function notEvaluated(filter: Message): Ternary {
  const name = Object.keys(filter).join(", ");
  return unknownTruth(
    unknown("expression", `The condition ${name} of a mapper of local replies is not evaluated.`),
  );
}
