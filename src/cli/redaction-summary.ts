/** What the `redact` command says on standard error: what was taken out, what was kept, what nobody could look through. */
import type { Copied, Loss } from "../bundle/redacted-copy.js";
import type { Redactor, ScanFinding } from "../redact/types.js";
import { printable } from "../shared/printable.js";
import { textTable } from "../shared/text-table.js";
import { remark } from "./output.js";

/** Lines of one kind that are shown. */
const shownAtMost = 20;
const findingsAtMost = 100;

export interface Task {
  /** "-" for standard output. */
  readonly target: string;
  /** Where it was written what the tokens stand for; null for nowhere. */
  readonly map: string | null;
  /** Whether the copy is one document, which has no place for what is known of its certificates. */
  readonly isDocument: boolean;
  /** Fingerprints that the user let pass. */
  readonly allowed: ReadonlySet<string>;
}

export function remarkCopy({ files, losses, notes }: Copied, redactor: Redactor, task: Task): void {
  const { profile, rules, kept, notCovered, certificates, names } = redactor;
  const applied = rules.filter(({ count }) => count > 0);
  remark(
    `wrote ${task.target === "-" ? "to standard output" : task.target}: ${counted(files, "file")}, redacted (${profile})${applied.length === 0 ? "; nothing had to be replaced" : ""}`,
  );
  if (applied.length > 0) {
    process.stderr.write(
      textTable(
        ["RULE", "VALUES", "FILES"],
        applied.map(({ rule, count, files: inFiles }) => [rule, String(count), String(inFiles)]),
      ),
    );
  }
  for (const { what, why } of kept) remark(`kept: ${what}: ${why}`);
  for (const what of notCovered) remark(`not covered: ${what}`);
  if (task.isDocument && certificates.size > 0)
    remark(
      `${counted(certificates.size, "certificate")} replaced: what is known of them has no place in a bare document`,
    );
  remarkPassed(redactor, task.allowed);
  for (const note of notes) remark(note);
  remarkLosses(losses);
  if (task.map !== null) remark(`what the tokens stand for is in ${task.map}: keep that file to yourself`);
  else if (names.size > 0)
    remark("what the tokens stand for is not written: standard output has no place beside it");
}

function remarkPassed({ allowed }: Redactor, fingerprints: ReadonlySet<string>): void {
  for (const fingerprint of fingerprints) {
    const places = allowed.filter((finding) => finding.fingerprint === fingerprint);
    remark(
      places.length === 0
        ? `no finding has the fingerprint ${fingerprint}`
        : `let pass: ${fingerprint} (${places[0]?.rule ?? ""}) at ${counted(places.length, "place")}`,
    );
  }
}

function remarkLosses(losses: readonly Loss[]): void {
  for (const { file, reason } of losses.slice(0, shownAtMost))
    remark(`${file === "" ? "" : `${file}: `}${reason}`);
  if (losses.length > shownAtMost)
    remark(`and ${losses.length - shownAtMost} more are missing or not whole; the copy itself lists all`);
}

/** What the scan of the redacted files found: each fingerprint once, with the first place where it stands. */
export function remarkFindings(findings: readonly ScanFinding[]): void {
  const places = new Map<string, { readonly first: ScanFinding; count: number }>();
  for (const finding of findings) {
    const known = places.get(finding.fingerprint);
    if (known === undefined) places.set(finding.fingerprint, { first: finding, count: 1 });
    else known.count++;
  }
  const rows = [...places.values()].map(({ first: { fingerprint, rule, file, pointer, offset }, count }) => [
    fingerprint,
    rule,
    String(count),
    `${file}${pointer === "" ? ` at byte ${offset}` : `#${pointer}`}`,
  ]);
  process.stderr.write(
    textTable(["FINGERPRINT", "LOOKS LIKE", "PLACES", "FIRST PLACE"], rows.slice(0, findingsAtMost)),
  );
  if (rows.length > findingsAtMost)
    process.stderr.write(printable(`and ${rows.length - findingsAtMost} more`).concat("\n"));
}

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;
