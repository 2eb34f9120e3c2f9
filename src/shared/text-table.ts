import stringWidth from "string-width";

import { printable } from "./printable.js";

export interface TableOptions {
  /** Blanks behind the longest cell of a column; 5 where istioctl's proxy-status has them. */
  readonly padding?: number;
  /** Colours a cell; `row` counts from 0. */
  readonly paint?: (text: string, row: number, column: number) => string;
}

/** Columns on a terminal; string-width looks at each grapheme, which most names need not. */
const widthOf = (text: string): number => (/^[\x20-\x7e]*$/.test(text) ? text.length : stringWidth(text));

/**
 * A table as Go's tabwriter lays it out for istioctl: columns as wide as their longest cell plus `padding`, the last
 * cell of a line never padded. Cells are made printable first, so that a name cannot steer the terminal.
 */
export function textTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  options: TableOptions = {},
): string {
  const { padding = 5, paint } = options;
  const lines = [header, ...rows].map((row) => row.map(printable));
  const widths = header.map((_, column) =>
    lines.reduce((widest, line) => Math.max(widest, widthOf(line[column] ?? "")), 0),
  );
  return lines
    .map((line, index) => {
      const cells = line.map((cell, column) => {
        const text = paint === undefined || index === 0 ? cell : paint(cell, index - 1, column);
        return column === line.length - 1
          ? text
          : text + " ".repeat((widths[column] ?? 0) - widthOf(cell) + padding);
      });
      return `${cells.join("")}\n`;
    })
    .join("");
}
