import { printable } from "../shared/printable.js";
import { textTable } from "../shared/text-table.js";
import type { View } from "../views/view.js";

/** What one proxy (or ztunnel) gives for a view. */
export interface ProxyView {
  readonly proxy: string;
  readonly view: View;
}

/** One table; with several proxies, one table over all of them with a leading PROXY column. */
export function viewTable(views: readonly ProxyView[], several: boolean): string {
  const [first] = views;
  if (first === undefined) return "";
  const { note, padding } = views.find(({ view }) => view.note !== "")?.view ?? first.view;
  const lead = note === "" ? "" : `${printable(note)}\n`;
  if (views.every(({ view }) => view.rows.length === 0) && lead !== "") return lead; // istioctl: the remark alone
  if (!several) return lead + oneTable(first.view.header, first.view.rows, padding);
  // a column that only some proxies have is blank for the others
  const columns =
    [...views].sort((a, b) => b.view.header.length - a.view.header.length)[0]?.view.header ?? [];
  const rows = views.flatMap(({ proxy, view }) =>
    view.rows.map((row) => [
      proxy,
      ...(view.header.length === 0 ? row : columns.map((column) => row[view.header.indexOf(column)] ?? "")),
    ]),
  );
  return lead + oneTable(columns.length === 0 ? [] : ["PROXY", ...columns], rows, padding);
}

/** A view without a header is lines alone (istioctl's bootstrap summary). */
function oneTable(header: readonly string[], rows: readonly (readonly string[])[], padding: number): string {
  if (header.length > 0) return textTable(header, rows, { padding });
  const [head, ...rest] = rows;
  return head === undefined ? "" : textTable(head.map(printable), rest, { padding });
}

/** One document: of one proxy istioctl's own shape, of several an array that names each. */
export function viewJson(views: readonly ProxyView[], several: boolean): unknown {
  return several
    ? views.map(({ proxy, view }) => ({ proxy, result: view.json }))
    : (views[0]?.view.json ?? null);
}
