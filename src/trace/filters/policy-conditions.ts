/** Conditions that permissions and principals share (`source/extensions/filters/common/rbac/matchers.cc`). */
import { child, text, unpacked, type Message } from "../../snapshot/message.js";
import { cidrOfMessage, contains, parseIp } from "../address.js";
import { enumName } from "../enum-value.js";
import type { EnvoyMinor, MatchContext } from "../match-context.js";
import { matchHeader } from "../matchers/header-matcher.js";
import { matchMetadata } from "../matchers/metadata-matcher.js";
import { matchPath, pathOnly } from "../matchers/path-matcher.js";
import { matchTemplate } from "../matchers/uri-template.js";
import { firstHeader, type SocketAddress } from "../request.js";
import { unknownTruth, type Ternary } from "../ternary.js";
import { unknown } from "../unknown.js";

/** `CidrRange`: what is no IP address, such as a pipe, is in no range. @param whose for the sentence of an unknown */
export function matchRange(
  range: Message | undefined,
  address: SocketAddress | null | "unknown",
  whose: string,
): Ternary {
  if (address === "unknown")
    return unknownTruth(unknown("client address", `The address of ${whose} is not known.`));
  const cidr = range === undefined ? null : cidrOfMessage(range);
  const ip = address === null ? null : parseIp(address.ip);
  return cidr !== null && ip !== null && contains(cidr, ip);
}

/** Of policies, lines of one name are compared one by one; before, joined with ",". */
const oneByOneSince: EnvoyMinor = 38;

export const matchPolicyHeader = (matcher: Message, { headers, envoy }: MatchContext): Ternary =>
  matchHeader(matcher, headers, envoy, { isOneByOne: envoy >= oneByOneSince });

/** `url_path`: without a path, as in front of TCP, it matches nothing. */
export function matchUrlPath(matcher: Message, context: MatchContext): Ternary {
  const path = firstHeader(context.headers, ":path");
  return path === undefined ? false : matchPath(matcher, path);
}

/** `uri_template`, an extension around `UriTemplateMatchConfig`; no path is an empty one. */
export function matchUriTemplate(extension: Message, context: MatchContext): Ternary {
  const template = text(unpacked(child(extension, "typed_config")), "path_template");
  return matchTemplate(template, pathOnly(firstHeader(context.headers, ":path") ?? ""), context.envoy);
}

/** `sourced_metadata`: of the request, or of the route that was matched. */
export function matchSourcedMetadata(sourced: Message, context: MatchContext): Ternary {
  const matcher = child(sourced, "metadata_matcher") ?? {};
  if (enumName(sourced, "metadata_source", ["DYNAMIC", "ROUTE"]) !== "ROUTE")
    return matchMetadata(matcher, context);
  if (context.route === null) return false; // also when inverted
  const metadata = Object.entries(child(context.route, "metadata", "filter_metadata") ?? {});
  return matchMetadata(matcher, { dynamicMetadata: new Map(metadata), isComplete: true });
}
