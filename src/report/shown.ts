import { printable } from "../shared/printable.js";

/** Fields whose text keeps its lines: they stand in a `<pre>`. */
const ofLines: ReadonlySet<string> = new Set(["details", "error", "excerpt"]);

/**
 * Every text of a view, with the characters made visible that would be unseen or turn a line around. Names and
 * messages come from strangers; this and the escaping of the templates are all that stands between.
 */
export function shown(value: unknown, field = ""): unknown {
  if (typeof value === "string") {
    return ofLines.has(field) ? printableLines(value) : printable(value);
  }
  if (value === undefined) throw new Error(`The report's document lacks the field "${field}"`);
  if (Array.isArray(value)) return value.map((item) => shown(item, field));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item, key)]));
}

function printableLines(text: string): string {
  const rows = text.split(/\r?\n/);
  return rows.map((row) => row.split("\t").map(printable).join("\t")).join("\n");
}
