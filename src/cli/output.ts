import { stringify } from "yaml";

import { printable } from "../shared/printable.js";
import { UserError } from "../shared/errors.js";
import type { Snapshot } from "../snapshot/model.js";
import { weakeningsOf } from "../snapshot/redaction.js";

export const outputForms = ["table", "short", "json", "yaml"] as const;
export type OutputForm = (typeof outputForms)[number];

/** A value as one JSON or YAML document, with a newline at its end. */
export function document(value: unknown, form: "json" | "yaml"): string {
  return form === "json" ? `${JSON.stringify(value, null, 2)}\n` : stringify(value, { lineWidth: 0 });
}

/** Writes to standard output; resolves when it is written. */
export async function print(text: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** A remark for the reader, on standard error. */
export function remark(text: string): void {
  process.stderr.write(`istio-snapshot: ${printable(text)}\n`);
}

const shownAtMost = 10;

/** Says on standard error what could not be read, so that a partial answer is known to be one. */
export function remarkGaps(snapshot: Snapshot): void {
  const lines = [
    ...snapshot.problems
      .filter(({ severity }) => severity === "lost")
      .map(
        ({ entry, pointer, message }) =>
          `${entry === "" ? "" : `${entry}: `}${pointer === "" ? "" : `${pointer} `}${message}`,
      ),
    ...snapshot.gaps.map(({ target, what, reason }) => `${target}: ${what} was not captured: ${reason}`),
  ];
  for (const line of lines.slice(0, shownAtMost)) remark(line);
  if (lines.length > shownAtMost)
    remark(`and ${lines.length - shownAtMost} more ("istio-snapshot verify" lists all)`);
}

/**
 * Says on standard error what redaction took from an answer.
 * @param answer as it was printed; null for one that can have missed what is not there any more
 */
export function remarkRedaction({ source }: Snapshot, answer: string | null): void {
  const taken = weakeningsOf(source.redaction, answer).map(({ text }) => text);
  if (taken.length > 0)
    remark(`the snapshot is redacted (${source.redaction?.profile ?? ""}). ${taken.join(" ")}`);
}

export type Paint = (text: string, colour: "red" | "yellow" | "green" | "dim") => string;

const codes = { red: 31, yellow: 33, green: 32, dim: 2 } as const;

/** Colours for a terminal; none where it is piped, NO_COLOR is set (no-color.org), or --no-color is given. */
export function painter(color: boolean | undefined): Paint {
  const off = color === false || (process.env["NO_COLOR"] ?? "") !== "" || !process.stdout.isTTY;
  return off ? (text) => text : (text, colour) => `\u001b[${codes[colour]}m${text}\u001b[0m`;
}

/** @throws UserError for a form that a command does not have */
export function formOf(form: string): "table" | "json" | "yaml" {
  if (form === "short" || form === "table") return "table";
  if (form === "json" || form === "yaml") return form;
  throw new UserError(`-o takes ${outputForms.join(", ")}, not "${form}"`);
}
