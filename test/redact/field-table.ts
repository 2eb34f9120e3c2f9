import { expect, it } from "vitest";

import { folded } from "../../src/redact/key-names.js";
import type { RedactionRuleName } from "../../src/shared/redaction-rules.js";
import { aRedactor, redacted } from "./redacting.js";

/** A value that must go: nothing but its place tells. */
export const secret = "hunter2";
/** A neighbour that must stay. */
export const stays = "stays-here";

export type FieldCase = readonly [where: string, rule: RedactionRuleName, document: unknown];

/** Keys of fields as Istiod writes them; keys of maps, which have other characters, stay. */
function camelCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelCased);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      /^[a-z_]+$/.test(key) ? key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) : key,
      camelCased(member),
    ]),
  );
}

const count = (text: string, word: string): number => text.split(word).length - 1;

/**
 * Proves of each document, in both spellings, with its members in both orders and inside of a `TypedStruct`, that every
 * `secret` in it goes by the rule, and every `stays` stays.
 */
export function itRedactsFields(cases: readonly FieldCase[]): void {
  it.each(cases)("%s: %s", (_, rule, document) => {
    const forms = [
      document,
      camelCased(document),
      reversed(document),
      { type_url: "a/b.C", value: document },
    ];
    for (const form of forms) {
      const text = JSON.stringify(form);
      const redactor = aRedactor();
      const left = redacted("proxies/default/a/config_dump", text, redactor);
      expect(left).not.toContain(secret);
      expect(count(left, stays)).toBe(count(text, stays));
      expect(redactor.rules.map((one) => one.rule)).toContain(rule);
      expect(keysOf(JSON.parse(left))).toEqual(keysOf(form));
      expect(redacted("proxies/default/a/config_dump", left, redactor)).toBe(left);
    }
  });
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

/** Keys stay: in one spelling, for `failed_configuration` is all that loses some. */
function keysOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(keysOf);
  if (typeof value !== "object" || value === null) return null;
  return Object.entries(value)
    .filter(([key]) => folded(key) !== "failed_configuration")
    .map(([key, member]) => [key, keysOf(member)]);
}
