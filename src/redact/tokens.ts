/**
 * What stands in place of a secret: `‹redacted:<rule>:<length>:<16 hex digits>›`. The digits are an HMAC of the value with
 * the bundle's salt, so equal values are seen to be equal inside one bundle and tell nothing outside of it.
 */
import { createHmac } from "node:crypto";

import { redactionRules, type RedactionRuleName } from "../shared/redaction-rules.js";

const ruleNames = Object.keys(redactionRules).map((rule) => rule.replaceAll(" ", "-"));
/**
 * One of our tokens, as the source of a pattern. Nothing else is taken for one, or whoever writes `‹redacted:hunter2›`
 * would have found a way around redaction.
 */
export const tokenSource = `‹redacted:(?:${ruleNames.join("|")})(?::sha256=[0-9a-f]{64})?:\\d{1,12}(?:-\\d{1,12})?:[0-9a-f]{16}›`;
const onlyTokens = new RegExp(`^\\s*(?:${tokenSource}\\s*)+$`);
const onlyTokenBase64 = /^4oC5cmVkYWN0ZWQ6[A-Za-z0-9+/]{8,}={0,2}$/;

/** What Envoy and Istio put in place of a secret; the second is base64 of the first. */
const redactedElsewhere: ReadonlySet<string> = new Set([
  "[redacted]",
  "W3JlZGFjdGVkXQ==",
  "<Redacted>",
  "<redacted>",
  "REDACTED",
]);

/** Whether nothing is left to take out of a value. */
export function isRedacted(value: string): boolean {
  if (redactedElsewhere.has(value) || onlyTokens.test(value)) return true;
  return onlyTokenBase64.test(value) && onlyTokens.test(Buffer.from(value, "base64").toString("utf8"));
}

/** A coarse range of powers of two: `0`, `1`, `2`, `3-4`, `5-8`, `9-16`, ... */
export function lengthClass(length: number): string {
  if (length <= 2) return String(length);
  const upper = 2 ** Math.ceil(Math.log2(length));
  return `${upper / 2 + 1}-${upper}`;
}

/** Rules whose values are programs and documents: how large they were is of use and tells no secret. */
const exactLength: ReadonlySet<RedactionRuleName> = new Set([
  "code",
  "injection template",
  "rejected configuration",
]);

/** Makes the tokens of one bundle. @param salt random, kept from everybody */
export class Tokens {
  readonly #known = new Map<string, string>();

  constructor(private readonly salt: Uint8Array) {}

  /**
   * @param value the plain value: decoded where its field is base64
   * @param note stands between rule and length, for what may be known of the value
   */
  of(rule: RedactionRuleName, value: string | Uint8Array, note = ""): string {
    if (typeof value !== "string" || value.length > 256) return this.#make(rule, value, note);
    const key = `${rule}\0${note}\0${value}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= 50_000) this.#known.clear();
    const token = this.#make(rule, value, note);
    this.#known.set(key, token);
    return token;
  }

  #make(rule: RedactionRuleName, value: string | Uint8Array, note: string): string {
    const bytes = typeof value === "string" ? Buffer.from(canonical(value)) : value;
    const length = exactLength.has(rule) ? String(bytes.length) : lengthClass(bytes.length);
    const digits = createHmac("sha256", this.salt).update(bytes).digest("hex").slice(0, 16);
    return `‹redacted:${rule.replaceAll(" ", "-")}${note === "" ? "" : `:${note}`}:${length}:${digits}›`;
  }
}

/** PEM is the same PEM with other line ends, escaped or not; all other values are what they are. */
function canonical(value: string): string {
  if (!value.includes("-----BEGIN ")) return value;
  return value
    .replace(/\\+n/g, "\n")
    .replace(/\\+r|\r/g, "")
    .trim();
}
