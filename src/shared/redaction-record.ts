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
