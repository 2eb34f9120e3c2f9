/** `envoy.type.matcher.v3.StringMatcher` (`source/common/common/matchers.h`, StringMatcherImpl). */
import { child, field, flag, text, typeOf, type Message } from "../../snapshot/message.js";
import { unknownTruth, type Ternary } from "../ternary.js";
import { unknown } from "../unknown.js";
import { fullMatch } from "./regex.js";

/** ASCII letters only, as Envoy lowers them. */
export const asciiLower = (value: string): string =>
  value.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** How a text is compared, without the field that it came from. */
export type TextTest =
  | {
      readonly kind: "exact" | "prefix" | "suffix" | "contains";
      readonly value: string;
      readonly ignoresCase: boolean;
    }
  | { readonly kind: "regex"; readonly pattern: string };

/** Compares one text. */
export function testText(test: TextTest, value: string): Ternary {
  if (test.kind === "regex") return fullMatch(test.pattern, value);
  const [own, wanted] = test.ignoresCase ? [asciiLower(value), asciiLower(test.value)] : [value, test.value];
  switch (test.kind) {
    case "exact":
      return own === wanted;
    case "prefix":
      return own.startsWith(wanted);
    case "suffix":
      return own.endsWith(wanted);
    case "contains":
      return own.includes(wanted);
  }
}

/** The pattern of a `RegexMatcher`. */
export const regexIn = (message: Message | undefined, name: string): string =>
  text(child(message, name), "regex");

/** What a StringMatcher asks for; null for one of another program, and for one without a condition, which Envoy refuses. */
export function textTest(matcher: Message | undefined): TextTest | null {
  const ignoresCase = flag(matcher, "ignore_case") ?? false;
  for (const kind of ["exact", "prefix", "suffix", "contains"] as const)
    if (typeof field(matcher, kind) === "string") return { kind, value: text(matcher, kind), ignoresCase };
  if (child(matcher, "safe_regex") !== undefined)
    return { kind: "regex", pattern: regexIn(matcher, "safe_regex") };
  if (typeof field(matcher, "regex") === "string") return { kind: "regex", pattern: text(matcher, "regex") };
  return null;
}

/** Whether a text satisfies a StringMatcher. */
export function matchString(matcher: Message | undefined, value: string): Ternary {
  const test = textTest(matcher);
  return test === null ? otherMatcher(matcher) : testText(test, value);
}

function otherMatcher(matcher: Message | undefined): Ternary {
  const custom = child(matcher, "custom");
  const type = typeOf(child(custom, "typed_config"));
  return unknownTruth(
    unknown(
      "expression",
      custom === undefined
        ? "A string matcher without a condition: Envoy would have refused it."
        : `A string matcher of the type ${type === "" ? text(custom, "name") : type} is not evaluated.`,
    ),
  );
}

/** For people: `exact "a"`, `regex "a.*"`. */
export function textTestWords(test: TextTest): string {
  if (test.kind === "regex") return `regex ${test.pattern}`;
  return `${test.kind} ${JSON.stringify(test.value)}${test.ignoresCase ? " in any case" : ""}`;
}
