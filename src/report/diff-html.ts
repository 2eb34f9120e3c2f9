/**
 * Unified diffs as HTML, drawn by diff2html. It gets lines, not a patch to parse: whatever a line begins with, it is a
 * line, and no name of a file. What is drawn is bounded over the whole page, in each difference and in each line.
 */
import { parsePatch, type StructuredPatchHunk } from "diff";
import { html } from "diff2html";
import { LineType, type DiffFile, type DiffLine } from "diff2html/lib/types.js";

import { printable } from "../shared/printable.js";
import type { DiffText } from "./document.js";

export interface DrawnDiff {
  /** HTML of diff2html, the only markup of the page that no template of ours wrote. */
  readonly sideBySide: string;
  readonly inline: string;
  /** Lines of the whole difference, drawn or not. */
  readonly removed: number;
  readonly added: number;
  /** What of it is not drawn, and where it is; "" when nothing. */
  readonly leftOut: string;
}

/** A difference drawn, or why it is not. */
export type DiffDrawing = DrawnDiff | { readonly reason: string };

/**
 * Bounds of a page, so that it opens fast and what a stranger wrote costs little: lines of one difference, characters of
 * one line, and characters of all, for which a line counts as `lineCost` more than it is long.
 */
const most = { lines: 400, line: 300, characters: 1_000_000 };
const lineCost = 40;
/** How much of what two long lines have in common stands before what they have not. */
const sharedShown = 60;

const elsewhere = "the JSON of this report holds it whole";

/** Draws the differences of one page, in their order, as long as they fit. */
export function diffDrawer(): (diff: DiffText) => DiffDrawing {
  let left = most.characters;
  return ({ text, omitted }) => {
    if (omitted !== "") return { reason: omitted };
    const hunks = hunksOf(text);
    if (hunks === null) return { reason: `it is no difference that could be drawn; ${elsewhere}` };
    if (left <= 0) return { reason: `this page draws only as many as stay readable; ${elsewhere}` };
    const all = countLines(hunks);
    const blocks: DiffFile["blocks"] = [];
    // when half is spent, the others share the rest: a beginning of each says more than nothing of most
    let room = left > most.characters / 2 ? most.lines : Math.ceil(most.lines / 10);
    const wanted = Math.min(room, all.lines);
    for (const hunk of hunks) {
      const lines = linesOf(hunk, most.line).slice(0, room);
      if (lines.length === 0) break;
      room -= lines.length;
      left -= lines.reduce((sum, { content }) => sum + content.length + lineCost, 0);
      const { oldStart, newStart } = hunk;
      blocks.push({ oldStartLine: oldStart, newStartLine: newStart, header: headerOf(hunk), lines });
    }
    return {
      sideBySide: drawn(blocks, "side-by-side"),
      inline: drawn(blocks, "line-by-line"),
      removed: all.removed,
      added: all.added,
      leftOut:
        wanted === all.lines
          ? ""
          : `Of ${all.lines} lines the first ${wanted} are drawn: ${elsewhere}, and istio-snapshot proxy-status <proxy> prints what differs from Istiod.`,
    };
  };
}

/** The hunks of a unified diff, by the number of lines that each says it has; null where they are otherwise. */
function hunksOf(text: string): StructuredPatchHunk[] | null {
  // without the headings, which hold names
  const start = text.search(/^@@ /m);
  if (start < 0) return null;
  try {
    const [patch, ...others] = parsePatch(text.slice(start));
    if (patch === undefined || others.length > 0) return null;
    return patch.hunks.every(({ oldStart }) => Number.isFinite(oldStart)) ? patch.hunks : null;
  } catch {
    return null;
  }
}

function countLines(hunks: readonly StructuredPatchHunk[]) {
  const all = hunks.flatMap(({ lines }) => lines).filter((line) => !isRemark(line));
  return {
    lines: all.length,
    removed: all.filter((line) => line.startsWith("-")).length,
    added: all.filter((line) => line.startsWith("+")).length,
  };
}

/** `\ No newline at end of file` */
const isRemark = (line: string): boolean => line.startsWith("\\");

/** As in the text: a side without lines is numbered from the line before. */
function headerOf({ oldStart, oldLines, newStart, newLines }: StructuredPatchHunk): string {
  const range = (start: number, lines: number): string => `${lines === 0 ? start - 1 : start},${lines}`;
  return `@@ -${range(oldStart, oldLines)} +${range(newStart, newLines)} @@`;
}

function linesOf({ oldStart, newStart, lines }: StructuredPatchHunk, length: number): DiffLine[] {
  let [oldNumber, newNumber] = [oldStart, newStart];
  return shortened(
    lines.filter((line) => !isRemark(line)),
    length,
  ).map((content): DiffLine => {
    if (content.startsWith("-"))
      return { type: LineType.DELETE, content, oldNumber: oldNumber++, newNumber: undefined };
    if (content.startsWith("+"))
      return { type: LineType.INSERT, content, oldNumber: undefined, newNumber: newNumber++ };
    return { type: LineType.CONTEXT, content, oldNumber: oldNumber++, newNumber: newNumber++ };
  });
}

/**
 * The lines with every character visible and none longer than `length`. Of two long lines that stand for each other the
 * beginning that they share is left out, so that what differs is seen.
 */
function shortened(lines: readonly string[], length: number): string[] {
  const starts = new Map<number, number>();
  for (let at = 0; at < lines.length; at++) {
    let [removed, added] = [at, at];
    while (lines[added]?.startsWith("-") === true) added++;
    for (let other = added; removed < added && lines[other]?.startsWith("+") === true; removed++, other++) {
      const [before = "", after = ""] = [lines[removed], lines[other]];
      if (Math.max(before.length, after.length) <= length) continue;
      const start = sharedLength(before, after) - sharedShown;
      if (start > sharedShown) starts.set(removed, start).set(other, start);
    }
    at = Math.max(at, added - 1);
  }
  return lines.map((line, at) => cut(line, starts.get(at) ?? 1, length));
}

/** Characters behind the mark of the line that both have. */
function sharedLength(before: string, after: string): number {
  let at = 1;
  while (at < before.length && before[at] === after[at]) at++;
  return at;
}

/** @param start where to begin; 1 is behind the mark */
function cut(line: string, start: number, length: number): string {
  if (line.length <= length && start === 1) return printable(line);
  const from = whole(line, start);
  const to = whole(line, from + length);
  const [before, after] = [from - 1, line.length - to];
  return [
    line.slice(0, 1),
    ...(before > 0 ? [`${/^ */.exec(line.slice(1, 81))?.[0] ?? ""}…(${before} characters)… `] : []),
    printable(line.slice(from, to)),
    ...(after > 0 ? [` …(${after} more characters)`] : []),
  ].join("");
}

/** A place that does not part a character of two code units. */
const whole = (text: string, at: number): number => (/[\udc00-\udfff]/.test(text[at] ?? "") ? at - 1 : at);

/** Without names of files, and with rows of half the size: there are many. */
const rawTemplates = {
  "generic-wrapper": "{{{content}}}",
  "line-by-line-file-diff": `<div class="d2h-file-diff"><table role="presentation" class="d2h-diff-table"><tbody class="d2h-diff-tbody">{{{diffs}}}</tbody></table></div>`,
  "side-by-side-file-diff": `<div class="d2h-files-diff d2h-file-diff">${["left", "right"]
    .map(
      (side) =>
        `<table role="presentation" class="d2h-diff-table d2h-${side}"><tbody class="d2h-diff-tbody">{{{diffs.${side}}}}</tbody></table>`,
    )
    .join("")}</div>`,
  "line-by-line-numbers": `<span class="line-num1">{{oldNumber}}</span><span class="line-num2">{{newNumber}}</span>`,
  "generic-line": `<tr class="{{type}}"><td class="{{lineClass}}">{{{lineNumber}}}</td><td class="{{contentClass}}">{{#prefix}}<span class="d2h-code-line-prefix">{{{prefix}}}</span>{{/prefix}}{{{content}}}</td></tr>`,
  "generic-block-header": `<tr class="{{CSSLineClass.INFO}}"><td class="{{lineClass}}"></td><td class="{{contentClass}}">{{{blockHeader}}}</td></tr>`,
};

function drawn(blocks: DiffFile["blocks"], outputFormat: "side-by-side" | "line-by-line"): string {
  const file: DiffFile = {
    oldName: "",
    newName: "",
    language: "",
    isCombined: false,
    isGitDiff: false,
    addedLines: 0,
    deletedLines: 0,
    blocks,
  };
  return html([file], {
    outputFormat,
    drawFileList: false,
    rawTemplates,
    // the cost of finding which line became which, and which words: each is the square of its limit
    matching: "lines",
    matchingMaxComparisons: 26,
    maxLineSizeInBlockForComparison: 90,
    maxLineLengthHighlight: 200,
  });
}
