import { BundleFormatError } from "../shared/errors.js";
import { parseJson } from "../shared/json.js";
import type { RedactionRecord } from "../shared/redaction-record.js";
import { validator } from "../shared/validator.js";

export type { RedactionRecord };

/** The last entry of a redacted archive that is none of ours, at the root of its layout. */
export const redactionRecordName = "istio-snapshot-redaction.json";
/** At the root of any layout. */
export const certificatesName = "certificates.json";

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
