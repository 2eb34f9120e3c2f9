/**
 * Differences as unified diffs, the form that people and `patch` read. A section is the text of its resources by name,
 * one JSON document after the other; only resources that differ are compared line by line.
 */
import { structuredPatch, type StructuredPatchHunk } from "diff";

import { printable } from "../shared/printable.js";
import { compareText } from "../shared/sorting.js";
import type { Resource } from "../snapshot/model.js";
import { withJsonNames } from "../snapshot/parse/recase.js";
import type { JsonValue } from "../shared/json-value.js";
import { semanticForm } from "./semantic-form.js";

/** Lines around a change, as istioctl prints them (istioctl/pkg/writer/compare). */
const context = 7;
/**
 * Lines added and removed beyond which a resource is shown as replaced. The search costs the square of them, so many
 * large resources have fewer each.
 */
const maxEdits = 2000;

/** What the search for differences may still cost; once it is used up, resources are shown as replaced. */
export interface EditBudget {
  steps: number;
}
export const editBudget = (): EditBudget => ({ steps: 4 * maxEdits ** 2 });

/** What a resource means, as text: JSON names and four blanks, as istioctl prints messages. */
export function resourceText(resource: Pick<Resource, "kind" | "text" | "type">): string {
  return meaningText(semanticForm(resource).value, resource.type);
}

/**
 * The same of a meaning that was worked out, such as one without the names of its proxy. What acts on a terminal or
 * reorders a line is written as JSON's escape of it.
 * @param type of the message
 */
export const meaningText = (meaning: JsonValue, type: string): string =>
  `${JSON.stringify(withJsonNames(meaning, type), null, 4).split("\n").map(printable).join("\n")}\n`;

/** One resource of a document. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** The document that `unifiedDiff` speaks of. */
export const documentOf = (resources: readonly NamedText[]): string =>
  sorted(resources)
    .map(({ text }) => text)
    .join("");

const sorted = (resources: readonly NamedText[]): NamedText[] =>
  [...resources].sort((a, b) => compareText(a.name, b.name));

/**
 * The difference of two documents, applicable to the first.
 * @param headings what stands behind `---` and `+++`
 * @param budget one for all the diffs of a page
 * @returns "" where they are equal
 */
export function unifiedDiff(
  headings: { readonly before: string; readonly after: string },
  before: readonly NamedText[],
  after: readonly NamedText[],
  budget: EditBudget = editBudget(),
): string {
  const old = new Map(before.map((resource) => [resource.name, resource.text]));
  const now = new Map(after.map((resource) => [resource.name, resource.text]));
  const hunks: string[] = [];
  let oldLine = 0;
  let newLine = 0;
  for (const name of [...new Set([...old.keys(), ...now.keys()])].sort(compareText)) {
    const first = old.get(name) ?? "";
    const second = now.get(name) ?? "";
    if (first !== second) {
      const limit = Math.min(maxEdits, Math.floor(Math.sqrt(budget.steps)));
      const own = hunksOf(first, second, limit);
      for (const hunk of own) hunks.push(hunkText(hunk, oldLine, newLine));
      budget.steps -= Math.min(limit, editsIn(own)) ** 2;
    }
    oldLine += linesIn(first);
    newLine += linesIn(second);
  }
  return hunks.length === 0 ? "" : `--- ${headings.before}\n+++ ${headings.after}\n${hunks.join("")}`;
}

/** The hunks of one resource's texts, numbered from its own first line. */
export function hunksOf(before: string, after: string, limit = maxEdits): StructuredPatchHunk[] {
  const patch = structuredPatch("", "", before, after, "", "", { context, maxEditLength: limit });
  return patch?.hunks ?? [replacement(before, after)];
}

const editsIn = (hunks: readonly StructuredPatchHunk[]): number =>
  hunks.reduce((count, { lines }) => count + lines.filter((line) => !line.startsWith(" ")).length, 0);

function replacement(before: string, after: string): StructuredPatchHunk {
  const lines = (text: string): string[] => text.split("\n").slice(0, -1);
  return {
    oldStart: 1,
    oldLines: linesIn(before),
    newStart: 1,
    newLines: linesIn(after),
    lines: [...lines(before).map((line) => `-${line}`), ...lines(after).map((line) => `+${line}`)],
  };
}

function hunkText(hunk: StructuredPatchHunk, oldLine: number, newLine: number): string {
  const range = (start: number, lines: number): string => (lines === 1 ? `${start}` : `${start},${lines}`);
  const { oldStart, oldLines, newStart, newLines, lines } = hunk;
  // the library numbers an empty side from 1, the format from the line before
  const from = (start: number, count: number, offset: number): number =>
    offset + (count === 0 ? Math.max(start - 1, 0) : start);
  return [
    `@@ -${range(from(oldStart, oldLines, oldLine), oldLines)} +${range(from(newStart, newLines, newLine), newLines)} @@`,
    ...lines,
    "",
  ].join("\n");
}

const linesIn = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++;
  return count;
};
