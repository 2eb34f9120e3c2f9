/** What a difference is called, in every output. */
import type { Change } from "../diff/changes.js";
import type { DriftCause } from "../diff/causes.js";
import type { SnapshotChange, SnapshotComparison } from "../diff/compare-snapshots.js";
import type { ComparedKind } from "../diff/drift.js";
import type { JsonValue } from "../shared/json-value.js";
import { changeNumbers } from "../diff/sections.js";
import type { Timeline } from "../diff/timeline.js";
import { sectionKinds, type SectionKind } from "../snapshot/model.js";
import { humanDuration } from "../shared/duration.js";
import { excerpt } from "../shared/printable.js";

/** As istioctl heads its diffs. */
export const kindTitles: Readonly<Record<ComparedKind, string>> = {
  cluster: "Clusters",
  listener: "Listeners",
  routeConfiguration: "Routes",
  endpointAssignment: "Endpoints",
  secret: "Secrets",
  extensionConfig: "ECDS",
};

const kindNames: Readonly<Record<SectionKind, string>> = {
  cluster: "cluster",
  listener: "listener",
  routeConfiguration: "route configuration",
  scopedRoutes: "scoped routes",
  endpointAssignment: "endpoints of",
  secret: "secret",
  extensionConfig: "extension configuration",
};

const kindPlurals: Readonly<Record<SectionKind, string>> = {
  cluster: "clusters",
  listener: "listeners",
  routeConfiguration: "route configurations",
  scopedRoutes: "scoped routes",
  endpointAssignment: "lists of endpoints",
  secret: "secrets",
  extensionConfig: "extension configurations",
};

const fieldsShown = 3;
const namesShown = 3;
const valueLength = 60;

export const resourceTitle = (kind: SectionKind, name: string): string =>
  `${kindNames[kind]} ${name === "" ? "without a name" : excerpt(name, 120)}`;

/** `missing on 12 proxies, all on istiod-x`. */
export function causeLine(cause: DriftCause): string {
  const { proxies, istiods, changes } = cause;
  const what =
    cause.class === "changed"
      ? `differs in ${fieldList(changes)}`
      : cause.class === "missing"
        ? "missing"
        : "not of Istiod";
  const [only] = proxies;
  const where = proxies.length === 1 && only !== undefined ? only : `${proxies.length} proxies`;
  const whose =
    istiods.length === 1
      ? `${proxies.length > 1 ? ", all" : ""} on ${istiods[0] ?? ""}`
      : `, on ${istiods.length} Istiods`;
  const why = [
    ...(cause.inFlight
      ? [`in flight: ${cause.names.length === 1 ? "it" : "they"} changed between the two captures`]
      : []),
    ...(cause.warming ? [`the proxy has ${cause.names.length === 1 ? "it" : "them"} warming`] : []),
    ...cause.rejections.map((text) => `rejected: ${excerpt(text, 160)}`),
    ...(cause.rejections.length > 0 || cause.unacknowledged === 0
      ? []
      : [
          `the last push is not acknowledged${cause.unacknowledged === proxies.length ? "" : ` by ${cause.unacknowledged} of them`}`,
        ]),
  ];
  return `${titleOf(cause)} ${what} on ${where}${whose}${why.length === 0 ? "" : ` (${why.join("; ")})`}`;
}

/** `cluster x`, or `16 listeners (a, b, c and 13 more)`. */
const titleOf = ({ kind, names }: DriftCause): string => severalTitle(kind, names);

export function severalTitle(kind: SectionKind, names: readonly string[]): string {
  const [first = ""] = names;
  if (names.length === 1) return resourceTitle(kind, first);
  const shown = names.slice(0, namesShown).map((name) => excerpt(name, 80));
  const more = names.length - shown.length;
  return `${names.length} ${kindPlurals[kind]} (${shown.join(", ")}${more > 0 ? ` and ${more} more` : ""})`;
}

/** The first fields, and how many more. */
export function fieldList(changes: readonly Change[]): string {
  const shown = changes.slice(0, fieldsShown).map(changeText);
  const more = changes.length - shown.length;
  return `${shown.join(", ")}${more > 0 ? ` and ${more} more field${more === 1 ? "" : "s"}` : ""}`;
}

/** `connect_timeout (10s -> 1s)`. */
export function changeText({ path, kind, before, after }: Change): string {
  const name = path === "" ? "the whole" : path;
  switch (kind) {
    case "added":
      return `${name} (added${isShort(after) ? `: ${valueText(after)}` : ""})`;
    case "removed":
      return `${name} (removed${isShort(before) ? `: ${valueText(before)}` : ""})`;
    case "moved":
      return `${name} (in another order)`;
    case "changed":
      return isShort(before) && isShort(after)
        ? `${name} (${valueText(before)} -> ${valueText(after)})`
        : name;
  }
}

const isShort = (value: JsonValue): boolean => typeof value !== "object" || value === null;
const valueText = (value: JsonValue): string =>
  excerpt(typeof value === "string" ? (value === "" ? '""' : value) : JSON.stringify(value), valueLength);

const proxiesShown = 3;

/** `a, b, c and 9 more`. */
export function nameList(names: readonly string[], shown = proxiesShown): string {
  const more = names.length - shown;
  return more <= 1 ? names.join(", ") : `${names.slice(0, shown).join(", ")} and ${more} more`;
}

const count = (number: number, one: string, many: string): string => `${number} ${number === 1 ? one : many}`;

/** Ids of two proxies that are held against each other. */
export interface ProxyNames {
  readonly before: string;
  readonly after: string;
}

/** Two snapshots or two proxies, for a terminal. @param between the two proxies */
export function comparisonLines(comparison: SnapshotComparison, between: ProxyNames | null = null): string[] {
  const { compared, replaced, appeared, vanished, noise, sources, notCompared } = comparison;
  const total = new Set(sources.flatMap(({ changes }) => changes)).size;
  const what =
    between === null
      ? `${count(compared, "proxy was", "proxies were")} compared${replaced.length === 0 ? "" : `, ${replaced.length} of them another pod of the same workload`}`
      : `${between.before} and ${between.after} were compared`;
  return [
    compared === 0
      ? "No proxy is in both."
      : `${what}: ${total === 0 ? "no difference" : count(total, "difference", "differences")}.`,
    ...(appeared.length === 0 ? [] : [`Only in the second: ${nameList(appeared)}`]),
    ...(vanished.length === 0 ? [] : [`Only in the first: ${nameList(vanished)}`]),
    ...changeParts(sources).flatMap(({ heading, rows }) => [
      "",
      heading,
      ...rows.map((row) => `  ${changeLine(row, compared, between)}`),
    ]),
    ...(noise === 0
      ? []
      : ["", `${noise} more are written differently and mean the same (order, defaults, spelling).`]),
    ...(notCompared.length === 0
      ? []
      : ["", "Not compared:", ...notComparedLines(notCompared).map((line) => `  ${line}`)]),
  ];
}

/** One line for each reason. */
function notComparedLines(list: SnapshotComparison["notCompared"]): string[] {
  const reasons = new Map<string, { kinds: Set<SectionKind>; proxies: Set<string> }>();
  for (const { proxyId, kind, reason } of list) {
    const entry = reasons.get(reason) ?? { kinds: new Set<SectionKind>(), proxies: new Set<string>() };
    entry.kinds.add(kind);
    entry.proxies.add(proxyId);
    reasons.set(reason, entry);
  }
  return [...reasons].map(([reason, { kinds, proxies }]) => {
    const what =
      kinds.size === sectionKinds.length
        ? "all resources"
        : [...kinds].map((kind) => kindPlurals[kind]).join(", ");
    return `${what} of ${nameList([...proxies])}: ${reason}`;
  });
}

/** What changed in one way on the same proxies. */
interface ChangeRow {
  readonly change: SnapshotChange;
  readonly names: Set<string>;
}

/** A change of more Istio resources than this is said once: a new release changes something of every host. */
const sourcesApart = 3;

/** Changes under the Istio resources that they come from, what changed in the same way as one row. */
function changeParts(sources: SnapshotComparison["sources"]): { heading: string; rows: ChangeRow[] }[] {
  const numberOf = changeNumbers();
  const keyOf = ({ kind, class: of, changes, proxies }: SnapshotChange): string =>
    JSON.stringify([kind, of, numberOf(changes), proxies]);
  const sourcesOf = new Map<string, Set<string>>();
  for (const { source, changes } of sources)
    for (const change of changes)
      if (source !== "")
        sourcesOf.set(keyOf(change), (sourcesOf.get(keyOf(change)) ?? new Set<string>()).add(source));
  const parts = new Map<string, Map<string, ChangeRow>>();
  for (const { source, changes } of sources)
    for (const change of changes) {
      const key = keyOf(change);
      const all = sourcesOf.get(key) ?? new Set<string>();
      const heading =
        source === ""
          ? "(no Istio resource is named)"
          : all.size > sourcesApart
            ? `${all.size} Istio resources (${nameList([...all])})`
            : source;
      const part = parts.get(heading) ?? new Map<string, ChangeRow>();
      const row = part.get(key) ?? { change, names: new Set<string>() };
      row.names.add(change.name);
      parts.set(heading, part.set(key, row));
    }
  return [...parts].map(([heading, rows]) => ({ heading, rows: [...rows.values()] }));
}

function changeLine(
  { change: { kind, class: of, changes, proxies }, names }: ChangeRow,
  compared: number,
  between: ProxyNames | null,
): string {
  const title = severalTitle(kind, [...names].sort());
  if (between !== null)
    return of === "changed"
      ? `${title} ${names.size === 1 ? "differs" : "differ"} in ${fieldList(changes)}`
      : `${title} only on ${of === "appeared" ? between.after : between.before}`;
  const what = of === "changed" ? `changed in ${fieldList(changes)}` : of;
  const all = proxies.length === compared && compared > proxiesShown;
  return `${title} ${what} on ${all ? `all ${compared} proxies` : nameList(proxies)}`;
}

/** What arrived at one time on the same proxies, as one line: a push brings many resources. */
export interface TimelineRow {
  /** RFC 3339. */
  readonly first: string;
  readonly last: string;
  readonly kind: SectionKind;
  readonly names: readonly string[];
  readonly proxies: readonly string[];
  readonly missing: readonly string[];
  readonly isStart: boolean;
}

export function timelineRows({ events }: Timeline): readonly TimelineRow[] {
  const rows = new Map<string, { row: Omit<TimelineRow, "names" | "last">; names: string[]; last: string }>();
  for (const { first, last, kind, name, arrivals, missing, isStart } of events) {
    const proxies = arrivals.map(({ proxyId }) => proxyId).sort();
    const second = Math.floor(Date.parse(first) / 1000);
    const key = JSON.stringify([second, kind, proxies, missing, isStart]);
    const row = rows.get(key) ?? { row: { first, kind, proxies, missing, isStart }, names: [], last };
    row.names.push(name);
    if (Date.parse(last) > Date.parse(row.last)) row.last = last;
    rows.set(key, row);
  }
  return [...rows.values()].map(({ row, names, last }) => ({ ...row, names: names.sort(), last }));
}

/** One line a row: when, what, on how many, who has not got it. */
export function timelineLines(timeline: Timeline): string[] {
  if (timeline.events.length === 0)
    return [
      timeline.since === null
        ? "No dump tells when anything arrived."
        : `Nothing arrived since ${timeline.since}.`,
    ];
  return timelineRows(timeline).map(rowLine);
}

function rowLine({ first, last, kind, names, proxies, missing, isStart }: TimelineRow): string {
  const spread = Math.round((Date.parse(last) - Date.parse(first)) / 1000);
  const until = spread < 1 ? "" : `, the last ${humanDuration(spread * 1000)} later`;
  const where = proxies.length === 1 ? nameList(proxies) : count(proxies.length, "proxy", "proxies");
  return `${first}  ${severalTitle(kind, names)} arrived on ${where}${until}${isStart ? " (started then)" : ""}${missing.length === 0 ? "" : `; not on ${nameList(missing)}`}`;
}
