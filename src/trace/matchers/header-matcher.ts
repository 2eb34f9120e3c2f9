/**
 * `envoy.config.route.v3.HeaderMatcher` (`source/common/http/header_utility.cc`): routes, virtual clusters, policies and
 * filters share it.
 */
import { child, children, field, flag, number, text, type Message } from "../../snapshot/message.js";
import { newestEnvoy, type EnvoyMinor } from "../match-context.js";
import { isUnknownValue, type HeaderList } from "../request.js";
import { allOf, anyOf, not, unknownTruth, type Ternary } from "../ternary.js";
import { unknown, type Unknown } from "../unknown.js";
import { isInlineHeader } from "./inline-headers.js";
import {
  asciiLower,
  matchString,
  regexIn,
  testText,
  textTest,
  textTestWords,
  type TextTest,
} from "./string-matcher.js";

/** Of `present_match: false`; before, it was taken for true. */
const absenceSince: EnvoyMinor = 18;
/** Lines of one name are compared one by one (`match_headers_individually`); before, joined with ",". */
const oneByOneSince: EnvoyMinor = 39;

export interface HeaderMatchOptions {
  /** Whether lines of one name are compared one by one; by default by the release. */
  readonly isOneByOne?: boolean;
}

/** Whether all matchers hold; an empty list holds. */
export const matchHeaders = (
  matchers: readonly Message[],
  headers: HeaderList,
  envoy: EnvoyMinor = newestEnvoy,
): Ternary => allOf(matchers, (matcher) => matchHeader(matcher, headers, envoy));

/** Whether the headers satisfy one matcher. */
export function matchHeader(
  matcher: Message,
  headers: HeaderList,
  envoy: EnvoyMinor = newestEnvoy,
  options: HeaderMatchOptions = {},
): Ternary {
  const isInverted = flag(matcher, "invert_match") ?? false;
  const values = valuesOf(headers, headerName(matcher));
  const isPresent = values.length > 0 || (flag(matcher, "treat_missing_header_as_empty") ?? false);
  const wantsPresence = presenceWanted(matcher, envoy);
  if (wantsPresence !== null) return (isPresent === wantsPresence) !== isInverted;
  if (!isPresent) return false; // inverted or not
  const isOneByOne = options.isOneByOne ?? envoy >= oneByOneSince;
  const compared = isOneByOne && !isInlineHeader(headerName(matcher)) ? values : [values.join(",")];
  const matches = anyOf(compared.length === 0 ? [""] : compared, (value) =>
    isUnknownValue(value) ? unknownTruth(valueNotKnown(headerName(matcher))) : matchValue(matcher, value),
  );
  return isInverted ? not(matches) : matches;
}

const valueNotKnown = (name: string): Unknown =>
  unknown("runtime state", `What Envoy writes into the header ${name} is not known.`);

/** Lower-case; `host` and `:authority` are one entry. */
export function headerName(matcher: Message): string {
  const name = asciiLower(text(matcher, "name"));
  return name === "host" ? ":authority" : name;
}

const valuesOf = (headers: HeaderList, name: string): string[] =>
  headers
    .filter(([own]) => own === name || (name === ":authority" && own === "host"))
    .map(([, value]) => value);

const valueFields = [
  "exact_match",
  "safe_regex_match",
  "regex_match",
  "range_match",
  "prefix_match",
  "suffix_match",
  "contains_match",
  "string_match",
];

/** For a matcher of presence, also the one without a condition; null for one of values. */
function presenceWanted(matcher: Message, envoy: EnvoyMinor): boolean | null {
  const present = flag(matcher, "present_match");
  if (present !== undefined) return present || envoy < absenceSince;
  return valueFields.some((name) => field(matcher, name) !== undefined) ? null : true;
}

function matchValue(matcher: Message, value: string): Ternary {
  const stringMatch = child(matcher, "string_match");
  if (stringMatch !== undefined) return matchString(stringMatch, value);
  const range = child(matcher, "range_match");
  if (range !== undefined) return isInRange(value, range);
  const test = oldTest(matcher);
  // the deprecated empty text takes every value, unlike that of a StringMatcher
  if (test === null || (test.kind === "exact" && test.value === "")) return true;
  return testText(test, value);
}

function oldTest(matcher: Message): TextTest | null {
  for (const kind of ["exact", "prefix", "suffix", "contains"] as const) {
    const value = field(matcher, `${kind}_match`);
    if (typeof value === "string") return { kind, value, ignoresCase: false };
  }
  if (child(matcher, "safe_regex_match") !== undefined)
    return { kind: "regex", pattern: regexIn(matcher, "safe_regex_match") };
  const regex = text(matcher, "regex_match");
  return regex === "" ? null : { kind: "regex", pattern: regex };
}

/** A whole number of 64 bits, blanks around it allowed (absl::SimpleAtoi), in a half-open range. */
function isInRange(value: string, range: Message): boolean {
  const whole = wholeNumber(value);
  if (whole === null || whole < -(1n << 63n) || whole >= 1n << 63n) return false;
  return whole >= boundOf(range, "start") && whole < boundOf(range, "end");
}

/** What absl::SimpleAtoi takes for a number; null for any other text. */
export function wholeNumber(value: string): bigint | null {
  const digits = /^[ \t\n\v\f\r]*([+-]?)0*(\d{1,20})[ \t\n\v\f\r]*$/.exec(value);
  return digits === null ? null : BigInt(`${digits[1] === "-" ? "-" : ""}${digits[2] ?? "0"}`);
}

function boundOf(range: Message, name: string): bigint {
  const value = field(range, name);
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  return BigInt(Math.trunc(number(range, name) ?? 0));
}

/** For people: `end-user is exact "jason"`. */
export function headerWords(matcher: Message): string {
  const name = text(matcher, "name");
  const isInverted = flag(matcher, "invert_match") ?? false;
  const wantsPresence = presenceWanted(matcher, newestEnvoy);
  if (wantsPresence !== null) return `${name} ${wantsPresence !== isInverted ? "present" : "absent"}`;
  return `${name} ${isInverted ? "not " : ""}${valueWords(matcher)}`;
}

function valueWords(matcher: Message): string {
  const range = child(matcher, "range_match");
  if (range !== undefined) return `in [${boundOf(range, "start")}, ${boundOf(range, "end")})`;
  const test = textTest(child(matcher, "string_match")) ?? oldTest(matcher);
  return test === null ? "by a custom matcher" : textTestWords(test);
}

/** The matchers of a list field, such as a route's `headers`. */
export const headerMatchers = (message: Message | undefined): Message[] => children(message, "headers");
