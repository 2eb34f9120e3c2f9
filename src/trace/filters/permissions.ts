/** `envoy.config.rbac.v3.Permission`: what may be done. */
import { child, field, flag, number, type Message } from "../../snapshot/message.js";
import type { MatchContext } from "../match-context.js";
import { matchMetadata } from "../matchers/metadata-matcher.js";
import { matchString } from "../matchers/string-matcher.js";
import type { Ternary } from "../ternary.js";
import {
  matchPolicyHeader,
  matchRange,
  matchSourcedMetadata,
  matchUriTemplate,
  matchUrlPath,
} from "./policy-conditions.js";
import { matchTree, unknownLeaf } from "./policy-tree.js";

const words = { and: "and_rules", or: "or_rules", not: "not_rule", list: "rules" };

/** Whether a request, or a connection without one, is covered by a permission. */
export const matchPermission = (permission: Message, context: MatchContext): Ternary =>
  matchTree(permission, words, (leaf) => matchLeaf(leaf, context));

function matchLeaf(leaf: Message, context: MatchContext): Ternary {
  if (flag(leaf, "any") !== undefined) return true;
  const port = context.connection.destination?.port;
  const wantedPort = number(leaf, "destination_port");
  if (wantedPort !== undefined) return port === wantedPort;
  const [name, condition] = conditionOf(leaf);
  switch (name) {
    case "header":
      return matchPolicyHeader(condition, context);
    case "url_path":
      return matchUrlPath(condition, context);
    case "uri_template":
      return matchUriTemplate(condition, context);
    case "destination_ip":
      return matchRange(condition, context.connection.destination, "the listener's side");
    case "destination_port_range":
      return port !== undefined && isInRange(condition, port);
    case "requested_server_name":
      return matchString(condition, context.connection.tls?.sni ?? "");
    case "metadata":
      return matchMetadata(condition, context);
    case "sourced_metadata":
      return matchSourcedMetadata(condition, context);
    default:
      return unknownLeaf("permission", leaf);
  }
}

const conditions = [
  "header",
  "url_path",
  "uri_template",
  "destination_ip",
  "destination_port_range",
  "requested_server_name",
  "metadata",
  "sourced_metadata",
] as const;

function conditionOf(leaf: Message): [(typeof conditions)[number] | null, Message] {
  const name = conditions.find((one) => field(leaf, one) !== undefined) ?? null;
  return [name, (name === null ? undefined : child(leaf, name)) ?? {}];
}

/** `Int32Range`: half-open. */
const isInRange = (range: Message, port: number): boolean =>
  port >= (number(range, "start") ?? 0) && port < (number(range, "end") ?? 0);
