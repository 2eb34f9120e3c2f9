/**
 * The tree of the matching API, `xds.type.matcher.v3.Matcher` and its older twin `envoy.config.common.matcher.v3.Matcher`
 * (`source/common/matcher`): what filter chains, virtual hosts, RBAC and cluster specifiers choose an action with.
 */
import {
  child,
  children,
  field,
  flag,
  isMessage,
  text,
  typeOf,
  unpacked,
  type Message,
} from "../../snapshot/message.js";
import { cidrOfMessage, contains, parseIp, type Cidr } from "../address.js";
import type { EnvoyMinor } from "../match-context.js";
import { allOf, anyOf, isUnknown, not, unknownTruth, type Ternary, type UnknownTruth } from "../ternary.js";
import { unknown, type Unknown } from "../unknown.js";
import { asciiLower, matchString } from "./string-matcher.js";
import { matchValue } from "./value-matcher.js";

/** What an input gives: undefined where it has no value, which is no error. */
export type InputValue = string | { readonly metadata: unknown } | undefined | UnknownTruth;

/** Reads an input. @param input the message inside its `typed_config`, type beside it */
export type MatchInput = (type: string, input: Message) => InputValue;

export type TreeResult =
  | { readonly kind: "action"; readonly type: string; readonly name: string; readonly action: Message }
  | { readonly kind: "none" }
  | { readonly kind: "unknown"; readonly because: readonly Unknown[] };

interface Evaluation {
  readonly input: MatchInput;
  /** Whether a subtree without a result lets the search go on (1.35); before, it ended there. */
  readonly resumes: boolean;
}

const none: TreeResult = { kind: "none" };
/** Trees of a configuration are shallow; ours end before the stack does. */
const deepest = 64;
const resumesSince: EnvoyMinor = 35;

/** The action that a tree leads to. */
export const evaluateTree = (
  matcher: Message | undefined,
  input: MatchInput,
  envoy: EnvoyMinor,
): TreeResult => evaluate(matcher, { input, resumes: envoy >= resumesSince }, 0);

function evaluate(matcher: Message | undefined, evaluation: Evaluation, depth: number): TreeResult {
  if (depth > deepest)
    return notKnown(unknown("limit", `A matcher is nested deeper than ${deepest} levels.`));
  const list = child(matcher, "matcher_list");
  if (list !== undefined) return evaluateList(matcher, list, evaluation, depth);
  const tree = child(matcher, "matcher_tree");
  if (tree !== undefined) return evaluateMap(matcher, tree, evaluation, depth);
  return otherwise(matcher, evaluation, depth);
}

const otherwise = (matcher: Message | undefined, evaluation: Evaluation, depth: number): TreeResult =>
  follow(child(matcher, "on_no_match"), evaluation, depth);

/** An action, a nested matcher, or nothing; `keep_matching` makes a hit no result. */
function follow(onMatch: Message | undefined, evaluation: Evaluation, depth: number): TreeResult {
  const result = taken(onMatch, evaluation, depth);
  return result.kind === "action" && flag(onMatch, "keep_matching") === true ? none : result;
}

function taken(onMatch: Message | undefined, evaluation: Evaluation, depth: number): TreeResult {
  const nested = child(onMatch, "matcher");
  if (nested !== undefined) return evaluate(nested, evaluation, depth + 1);
  const action = child(onMatch, "action");
  if (action === undefined) return none;
  const config = child(action, "typed_config");
  return { kind: "action", type: typeOf(config), name: text(action, "name"), action: unpacked(config) ?? {} };
}

function evaluateList(
  matcher: Message | undefined,
  list: Message,
  evaluation: Evaluation,
  depth: number,
): TreeResult {
  for (const entry of children(list, "matchers")) {
    const holds = matchPredicate(child(entry, "predicate"), evaluation, depth);
    if (isUnknown(holds)) return { kind: "unknown", because: holds.because };
    if (!holds) continue;
    const result = follow(child(entry, "on_match"), evaluation, depth);
    const isSkipped = flag(child(entry, "on_match"), "keep_matching") === true;
    if (result.kind !== "none" || !(evaluation.resumes || isSkipped)) return result;
  }
  return otherwise(matcher, evaluation, depth);
}

function matchPredicate(predicate: Message | undefined, evaluation: Evaluation, depth: number): Ternary {
  if (depth > deepest) return unknownTruth(unknown("limit", "A condition is nested too deep."));
  const single = child(predicate, "single_predicate");
  if (single !== undefined) return matchSingle(single, evaluation);
  const inner = (name: string): Message[] => children(child(predicate, name), "predicate");
  const each = (one: Message): Ternary => matchPredicate(one, evaluation, depth + 1);
  if (child(predicate, "or_matcher") !== undefined) return anyOf(inner("or_matcher"), each);
  if (child(predicate, "and_matcher") !== undefined) return allOf(inner("and_matcher"), each);
  const negated = child(predicate, "not_matcher");
  if (negated !== undefined) return not(each(negated));
  return unknownTruth(unknown("expression", "A condition of a matcher tree that we do not know."));
}

function matchSingle(single: Message, evaluation: Evaluation): Ternary {
  const value = inputOf(child(single, "input"), evaluation);
  if (isUnknownValue(value)) return value;
  const custom = child(single, "custom_match");
  if (custom !== undefined) return matchCustom(custom, value);
  return typeof value === "string" && matchString(child(single, "value_match"), value);
}

function matchCustom(custom: Message, value: InputValue): Ternary {
  const config = child(custom, "typed_config");
  const type = typeOf(config);
  if (type.endsWith(".input_matchers.metadata.v3.Metadata"))
    return matchMetadataInput(unpacked(config), value);
  if (type.endsWith(".input_matchers.ip.v3.Ip")) return isInRanges(unpacked(config), value);
  return unknownTruth(
    unknown(
      "expression",
      `A condition of the type ${type === "" ? text(custom, "name") : type} is not evaluated.`,
    ),
  );
}

/** `envoy.extensions.matching.input_matchers.metadata.v3.Metadata` on what a metadata input gave. */
function matchMetadataInput(config: Message | undefined, value: InputValue): Ternary {
  const matches = matchValue(child(config, "value"), metadataIn(value));
  return (flag(config, "invert") ?? false) ? not(matches) : matches;
}

const metadataIn = (value: InputValue): unknown =>
  typeof value === "object" && "metadata" in value ? value.metadata : undefined;

function isInRanges(config: Message | undefined, value: InputValue): boolean {
  const ip = typeof value === "string" ? parseIp(value) : null;
  const ranges = children(config, "cidr_ranges").map(cidrOfMessage);
  return ip !== null && ranges.some((range) => range !== null && contains(range, ip));
}

function evaluateMap(
  matcher: Message | undefined,
  tree: Message,
  evaluation: Evaluation,
  depth: number,
): TreeResult {
  const value = inputOf(child(tree, "input"), evaluation);
  if (isUnknownValue(value)) return { kind: "unknown", because: value.because };
  const custom = child(tree, "custom_match");
  const candidates = typeof value === "string" ? candidatesOf(tree, custom, value) : [];
  if (!Array.isArray(candidates)) return candidates;
  for (const [index, { onMatch, isExclusive }] of candidates.entries()) {
    if (isExclusive && index > 0) continue;
    const result = follow(onMatch, evaluation, depth);
    // only maps of prefixes ended at a subtree without a result; ranges and domains always went on
    const goesOn = evaluation.resumes || custom !== undefined || flag(onMatch, "keep_matching") === true;
    if (result.kind !== "none" || !goesOn) return result;
  }
  return otherwise(matcher, evaluation, depth);
}

interface Candidate {
  readonly onMatch: Message;
  readonly isExclusive: boolean;
}

const candidate = (onMatch: unknown): Candidate[] =>
  isMessage(onMatch) ? [{ onMatch, isExclusive: false }] : [];

/** In the order in which they are tried. */
function candidatesOf(tree: Message, custom: Message | undefined, value: string): Candidate[] | TreeResult {
  const exact = child(tree, "exact_match_map", "map");
  if (exact !== undefined) return Object.hasOwn(exact, value) ? candidate(exact[value]) : [];
  const prefixes = child(tree, "prefix_match_map", "map");
  if (prefixes !== undefined)
    return Object.keys(prefixes)
      .filter((prefix) => value.startsWith(prefix))
      .sort((a, b) => b.length - a.length)
      .flatMap((prefix) => candidate(prefixes[prefix]));
  const config = child(custom, "typed_config");
  const type = typeOf(config);
  if (type === "xds.type.matcher.v3.IPMatcher") return byRange(unpacked(config), value);
  if (type === "xds.type.matcher.v3.ServerNameMatcher" || type === "xds.type.matcher.v3.DomainMatcher")
    return byDomain(unpacked(config), value);
  return notKnown(
    unknown(
      "expression",
      `A matcher of the type ${type === "" ? text(custom, "name") : type} is not evaluated.`,
    ),
  );
}

/** The longest prefix first, then in the order of the configuration; an exclusive range counts only if it is the first. */
function byRange(config: Message | undefined, value: string): Candidate[] {
  const ip = parseIp(value);
  if (ip === null) return [];
  return children(config, "range_matchers")
    .flatMap((entry) => children(entry, "ranges").map((range) => ({ entry, range: cidrOfMessage(range) })))
    .filter((one): one is { entry: Message; range: Cidr } => one.range !== null && contains(one.range, ip))
    .sort((a, b) => b.range.length - a.range.length)
    .map(({ entry }) => ({
      onMatch: child(entry, "on_match") ?? {},
      isExclusive: flag(entry, "exclusive") ?? false,
    }));
}

/** The name itself, then the longest `*.` suffix, then `*`. */
function byDomain(config: Message | undefined, value: string): Candidate[] {
  if (value === "") return [];
  const name = asciiLower(value);
  return children(config, "domain_matchers")
    .flatMap((entry) => {
      const domains = field(entry, "domains");
      return (Array.isArray(domains) ? domains : []).map((domain: unknown) => ({
        entry,
        domain: typeof domain === "string" ? asciiLower(domain) : "",
      }));
    })
    .filter(({ domain }) => domain === name || domain === "*" || isUnder(name, domain))
    .sort((a, b) => rankOf(b.domain) - rankOf(a.domain))
    .map(({ entry }) => ({ onMatch: child(entry, "on_match") ?? {}, isExclusive: false }));
}

const isUnder = (name: string, domain: string): boolean =>
  domain.startsWith("*.") && name.length >= domain.length && name.endsWith(domain.slice(1));
const rankOf = (domain: string): number =>
  domain === "*" ? 0 : domain.startsWith("*.") ? domain.length : Infinity;

function inputOf(input: Message | undefined, evaluation: Evaluation): InputValue {
  const config = child(input, "typed_config");
  return evaluation.input(typeOf(config), unpacked(config) ?? {});
}

const isUnknownValue = (value: InputValue): value is UnknownTruth =>
  typeof value === "object" && "because" in value;
const notKnown = (one: Unknown): TreeResult => ({ kind: "unknown", because: [one] });
