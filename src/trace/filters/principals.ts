/** `envoy.config.rbac.v3.Principal`: who asks. */
import { child, field, flag, typeOf, unpacked, type Message } from "../../snapshot/message.js";
import { enumName } from "../enum-value.js";
import type { MatchContext } from "../match-context.js";
import { matchFilterState, matchMetadata } from "../matchers/metadata-matcher.js";
import { matchString } from "../matchers/string-matcher.js";
import type { ClientCertificate } from "../request.js";
import { allOf, anyOf, unknownTruth, type Ternary } from "../ternary.js";
import { unknown } from "../unknown.js";
import { matchPolicyHeader, matchRange, matchSourcedMetadata, matchUrlPath } from "./policy-conditions.js";
import { matchTree, unknownLeaf } from "./policy-tree.js";

const words = { and: "and_ids", or: "or_ids", not: "not_id", list: "ids" };

/** Whether who asks is one of a principal. */
export const matchPrincipal = (principal: Message, context: MatchContext): Ternary =>
  matchTree(principal, words, (leaf) => matchLeaf(leaf, context));

function matchLeaf(leaf: Message, context: MatchContext): Ternary {
  if (flag(leaf, "any") !== undefined) return true;
  const [name, condition] = conditionOf(leaf);
  switch (name) {
    case "authenticated":
      return matchAuthenticated(child(condition, "principal_name"), context);
    case "source_ip": // deprecated
      return matchRange(condition, context.connection.source, "the client");
    case "direct_remote_ip":
      return matchRange(condition, context.connection.directSource, "the TCP peer");
    case "remote_ip":
      return matchRange(condition, context.downstreamRemote, "the client behind x-forwarded-for");
    case "header":
      return matchPolicyHeader(condition, context);
    case "url_path":
      return matchUrlPath(condition, context);
    case "metadata":
      return matchMetadata(condition, context);
    case "sourced_metadata":
      return matchSourcedMetadata(condition, context);
    case "filter_state":
      return matchFilterState(condition, context);
    case "custom":
      return matchCustom(condition, context) ?? unknownLeaf("principal", leaf);
    default:
      return unknownLeaf("principal", leaf);
  }
}

const conditions = [
  "authenticated",
  "source_ip",
  "direct_remote_ip",
  "remote_ip",
  "header",
  "url_path",
  "metadata",
  "sourced_metadata",
  "filter_state",
  "custom",
] as const;

function conditionOf(leaf: Message): [(typeof conditions)[number] | null, Message] {
  const name = conditions.find((one) => field(leaf, one) !== undefined) ?? null;
  return [name, (name === null ? undefined : child(leaf, name)) ?? {}];
}

/** Any URI name, else any DNS name, else the subject, which is "" without a certificate; without a name any TLS at all. */
function matchAuthenticated(name: Message | undefined, context: MatchContext): Ternary {
  const certificate = peerCertificate(context);
  if (certificate === "no TLS") return false;
  if (name === undefined) return true;
  if (certificate === "unknown") return unknownPeer;
  const names = [
    ...(certificate?.uriSans ?? []),
    ...(certificate?.dnsSans ?? []),
    certificate?.subject ?? "",
  ];
  return anyOf(names, (own) => matchString(name, own));
}

/** What the connection's TLS says of the client; TLS that the filter chain does not end is none. */
function peerCertificate(context: MatchContext): ClientCertificate | null | "unknown" | "no TLS" {
  const { tls } = context.connection;
  return tls === null || context.isTlsTerminated === false ? "no TLS" : tls.certificate;
}

const unknownPeer = unknownTruth(
  unknown("peer identity", "Which certificate the client shows is not known."),
);

const mtlsAuthenticated = "envoy.extensions.rbac.principals.mtls_authenticated.v3.Config";

/** The extension of this kind that Envoy brings; null for another one. */
function matchCustom(extension: Message, context: MatchContext): Ternary | null {
  const any = child(extension, "typed_config");
  if (typeOf(any) !== mtlsAuthenticated) return null;
  const certificate = peerCertificate(context);
  if (certificate === "no TLS" || certificate === null) return false;
  if (certificate === "unknown") return unknownPeer;
  const san = child(unpacked(any), "san_matcher");
  return allOf([isValidated(certificate), san === undefined || matchSan(san, certificate)], (one) => one);
}

const isValidated = ({ isValidated: known }: ClientCertificate): Ternary =>
  known === "unknown"
    ? unknownTruth(unknown("peer identity", "Whether the client's certificate is valid is not known."))
    : known;

const sanTypes = ["SAN_TYPE_UNSPECIFIED", "EMAIL", "DNS", "URI", "IP_ADDRESS", "OTHER_NAME"];

/** `SubjectAltNameMatcher`, of the kinds of names that are known. */
function matchSan(san: Message, certificate: ClientCertificate): Ternary {
  const kind = enumName(san, "san_type", sanTypes);
  const matches = (name: string): Ternary => matchString(child(san, "matcher"), name);
  if (kind === "URI") return anyOf(certificate.uriSans, matches);
  if (kind === "DNS") return anyOf(certificate.dnsSans, matches);
  return unknownTruth(unknown("peer identity", `Alternative names of the kind ${kind} are not known.`));
}
