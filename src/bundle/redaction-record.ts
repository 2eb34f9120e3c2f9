import { BundleFormatError } from "../shared/errors.js";
import { parseJson } from "../shared/json.js";
import { validator } from "../shared/validator.js";

/** The last entry of a redacted archive that is none of ours, at the root of its layout. */
export const redactionRecordName = "istio-snapshot-redaction.json";
/** At the root of any layout. */
export const certificatesName = "certificates.json";

/** What was taken out of a snapshot, and what was not. Schema: `schemas/redaction.schema.json`. */
export interface RedactionRecord {
  readonly profile: "internal" | "support" | "public" | "none";
  /** Names of `src/shared/redaction-rules.ts`. */
  readonly rules: readonly { readonly rule: string; readonly count: number; readonly files: number }[];
  /** What was left on purpose. */
  readonly kept?: readonly { readonly what: string; readonly why: string }[];
  /** Where only the scanners for known shapes of secrets went through: `free text in ...`. */
  readonly notCovered?: readonly string[];
  /** What the last scan found and the user let pass (`--allow-finding`). */
  readonly allowedFindings?: readonly {
    readonly file: string;
    readonly rule: string;
    readonly fingerprint: string;
  }[];
  /** Files of the input that are not in the copy, or not whole; "" for a part in which no file could be told. */
  readonly leftOut?: readonly { readonly file: string; readonly reason: string }[];
}

const validate = validator<RedactionRecord>("redaction");

/** @throws BundleFormatError naming the field */
export function parseRedactionRecord(bytes: Uint8Array, entry: string): RedactionRecord {
  const { value, rest } = parseJson(bytes, entry);
  if (rest !== "") throw new BundleFormatError(entry, "", "holds more than one JSON value");
  return validate(value, entry);
}

/** From the least to the most that is taken out. */
const byStrictness = ["none", "internal", "support", "public"] as const;

/** Whether a snapshot with this record has had more taken out than the profile takes. */
export function isStricter(record: RedactionRecord, profile: RedactionRecord["profile"]): boolean {
  return byStrictness.indexOf(record.profile) > byStrictness.indexOf(profile);
}

/**
 * The record of a snapshot that was redacted twice: the stricter profile, the counts of both. What the stricter run kept
 * is what was kept; what neither could look through was not.
 * @param files files in the snapshot, which no rule's count of files may exceed
 */
export function mergedRecord(
  before: RedactionRecord | null,
  now: RedactionRecord,
  files: number,
): RedactionRecord {
  if (before === null) return now;
  const stricter = isStricter(before, now.profile) ? before : now;
  const rules = new Map(before.rules.map((rule) => [rule.rule, rule]));
  for (const { rule, count, files: own } of now.rules) {
    const earlier = rules.get(rule);
    rules.set(rule, {
      rule,
      count: (earlier?.count ?? 0) + count,
      files: Math.min((earlier?.files ?? 0) + own, Math.max(files, own)),
    });
  }
  return {
    profile: stricter.profile,
    rules: [...rules.values()],
    kept: stricter.kept ?? [],
    notCovered: [...new Set([...(before.notCovered ?? []), ...(now.notCovered ?? [])])],
    allowedFindings: [...(before.allowedFindings ?? []), ...(now.allowedFindings ?? [])],
    leftOut: [...(before.leftOut ?? []), ...(now.leftOut ?? [])],
  };
}
