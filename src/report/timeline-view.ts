/** The section "Timeline" of the page: when what arrived, as a table and drawn over time. */
import type { TimelineReport } from "./document.js";
import { nameList, type ProxyLinks } from "./name-lists.js";
import { countOf } from "./wording.js";

/** Bounds of the page; the document holds the rest. */
const most = { rows: 1000, names: 30 };
/** Names that the text of a row tells itself (drift-wording.ts). */
const namesTold = 3;

export function timelineView({ since, untimed, rows }: TimelineReport, links: ProxyLinks) {
  const newest = rows.slice(-most.rows);
  return {
    notes: [
      ...(since === null ? [] : [`What arrived before ${since} is left out.`]),
      ...(untimed === 0 ? [] : [`Of ${countOf(untimed, "resource")} no dump tells when: not in the table.`]),
      ...(rows.length === newest.length
        ? []
        : [`The newest ${most.rows} of ${rows.length} rows are drawn: the JSON of this report holds all.`]),
    ],
    empty:
      rows.length > 0 ? "" : since === null ? "No dump tells when anything arrived." : "Nothing arrived.",
    strip: stripOf(newest),
    rows: newest.map(({ first, last, what, names, proxies, missing, isStart }) => ({
      first,
      last: last === first ? "" : last,
      what,
      names: nameList(countOf(names.length, "name"), names.length <= namesTold ? [] : names, most.names),
      proxies: links(countOf(proxies.length, "proxy"), proxies, most.names),
      missing: links(countOf(missing.length, "proxy"), missing, most.names),
      isStart,
      tone: missing.length === 0 ? "good" : "bad",
    })),
  };
}

/** How long before the last arrival, in seconds. */
const marks: readonly (readonly [number, string])[] = [
  [10, "10 s"],
  [60, "1 min"],
  [600, "10 min"],
  [3600, "1 h"],
  [21_600, "6 h"],
  [86_400, "1 d"],
  [864_000, "10 d"],
  [8_640_000, "100 d"],
];
/** Percent of the width that the text of a mark takes at most. */
const markRoom = 9;

/**
 * Ticks over the time before the last arrival, in percent of the width. The scale is logarithmic: of the last minute
 * one wants to see the seconds, of last week the days.
 */
function stripOf(rows: TimelineReport["rows"]) {
  const arrivals = rows
    .map(({ first, missing, isStart }) => ({ first, time: Date.parse(first), missing, isStart }))
    .filter(({ time }) => Number.isFinite(time))
    .sort((a, b) => a.time - b.time);
  const [oldest, newest] = [arrivals[0], arrivals.at(-1)];
  // two times are told by the table
  if (oldest === undefined || newest === undefined || new Set(arrivals.map(({ time }) => time)).size < 3) {
    return { from: "", to: "", ticks: [], marks: [] };
  }
  const age = (time: number): number => Math.log1p((newest.time - time) / 1000);
  const range = age(oldest.time);
  const place = (value: number): string => (1 + 98 * (1 - value / range)).toFixed(1);
  const ticks = new Map<string, { x: string; top: number; tone: string }>();
  for (const { time, missing, isStart } of arrivals) {
    const x = place(age(time));
    const [tone, top] = missing.length > 0 ? ["bad", 2] : isStart ? ["neutral", 30] : ["good", 16];
    const other = ticks.get(x);
    // the tallest stands for all at one place
    if (other === undefined || top < other.top) ticks.set(x, { x, top, tone });
  }
  let room = 100 - markRoom;
  return {
    from: oldest.first,
    to: newest.first,
    ticks: [...ticks.values()].sort((a, b) => b.top - a.top),
    marks: marks.flatMap(([seconds, label]) => {
      const x = place(Math.log1p(seconds));
      if (Number(x) < markRoom / 2 || Number(x) > room) return [];
      room = Number(x) - markRoom;
      return [{ x, label }];
    }),
  };
}
