/** What was taken out of a snapshot before it was written, and what an answer can no longer tell because of that. */
import type { RedactionRecord } from "../shared/redaction-record.js";
import { redactionRules, type RedactionRule } from "../shared/redaction-rules.js";

/** As the manifest, or the record in an archive that is none of ours, has it. */
export type Redaction = Omit<RedactionRecord, "leftOut">;

/** A rule that replaced something, and what that takes from the answers. */
export interface Weakening {
  readonly rule: string;
  /** Values replaced. */
  readonly count: number;
  /** One sentence. */
  readonly text: string;
}

/** Everything that redaction took from the answers, by the manifest's word; empty where it took nothing. */
export function weakenings(redaction: Redaction | null): Weakening[] {
  return (redaction?.rules ?? []).flatMap(({ rule, count }) => {
    const known = Object.hasOwn(redactionRules, rule) ? rulesByName[rule] : undefined;
    if (known === undefined)
      return [{ rule, count, text: `"${rule}" was applied, a rule that this version does not know.` }];
    return count === 0 || known.weakens === null ? [] : [{ rule, count, text: known.weakens }];
  });
}

const rulesByName: Readonly<Record<string, RedactionRule>> = redactionRules;

/** Rules that put a name's token in the place of a name: which of them made one cannot be told. */
const namingRules: ReadonlySet<string> = new Set(["name", "host name", "environment identity"]);
/** A DNS label that nobody has: hyphens at its third and fourth place are kept for encodings (RFC 5890, 2.3.1). */
const nameToken = /(?<![a-z0-9-])nm--[a-z2-7]{12}(?![a-z0-9-])/;

/**
 * What redaction took from one answer, by what stands in it.
 * @param answer as it was printed; null for one that can have missed what is not there any more, such as a query's
 */
export function weakeningsOf(redaction: Redaction | null, answer: string | null): Weakening[] {
  if (redaction === null || answer === null) return weakenings(redaction);
  const shown = new Set(tokensIn(answer).map(kindOf));
  const showsNames = nameToken.test(answer);
  const concerns = (rule: string): boolean => {
    if (!Object.hasOwn(redactionRules, rule)) return true;
    if (namingRules.has(rule)) return showsNames;
    return rule === "address" ? showsAddress(answer, redaction.profile) : shown.delete(kindIn(rule));
  };
  const all = weakenings(redaction).filter(({ rule }) => concerns(rule));
  return shown.size === 0
    ? all
    : [...all, { rule: "", count: shown.size, text: `Secrets are tokens: ${[...shown].sort().join(", ")}.` }];
}

/**
 * Whether an answer has an address that the profile replaces. What replaced it is an address as well, so that nothing
 * tells whether that was done. Private ones stay under `support`; those with a meaning of their own always do.
 */
function showsAddress(answer: string, profile: Redaction["profile"]): boolean {
  for (const [address] of answer.matchAll(/(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])/g)) {
    if (/^(?:0|127|169\.254|240\.240|255\.255\.255\.255)\b/.test(address)) continue;
    if (
      profile === "public" ||
      !/^(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(address)
    )
      return true;
  }
  for (const [address] of answer.matchAll(/(?<![0-9a-z:.])[0-9a-f]{1,4}:[0-9a-f:.]{1,40}(?![0-9a-z:.])/gi)) {
    const isWhole = address.includes("::") || address.split(":").length === 8;
    if (!isWhole || /^(?:0|fe[89ab]|ff)/i.test(address)) continue;
    if (profile === "public" || !/^f[cd]/i.test(address)) return true;
  }
  return false;
}

/** The tokens that stand in a text, and in the base64 of a field of bytes in it, each once. */
export function tokensIn(text: string): string[] {
  const coded = [...text.matchAll(/4oC5cmVkYWN0ZWQ6[A-Za-z0-9+/]+={0,2}/g)].flatMap(([base64]) =>
    tokensOf(decoded(base64)),
  );
  return [...new Set([...tokensOf(text), ...coded])];
}

/** `\u2039redacted:<kind>:<length>:<hash>\u203a` */
const tokensOf = (text: string): string[] =>
  [...text.matchAll(/\u2039redacted:[^\u2039\u203a\s]{1,200}\u203a/g)].map(([token]) => token);

/** The kind of a token is the rule that made it, in one word. */
const kindOf = (token: string): string => token.split(":")[1] ?? "";
const kindIn = (rule: string): string => rule.replaceAll(" ", "-");

function decoded(base64: string): string {
  const whole = base64.slice(0, base64.length - (base64.length % 4));
  return new TextDecoder().decode(Uint8Array.from(atob(whole), (character) => character.charCodeAt(0)));
}
