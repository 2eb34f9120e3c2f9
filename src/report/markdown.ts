import { excerpt } from "../shared/printable.js";
import { matrixLines } from "./drift-verdict.js";
import type {
  DriftFinding,
  Fact,
  ProxySection,
  ReportDocument,
  ResourceNotice,
  SyncCell,
  SyncRow,
  VerdictPoint,
} from "./document.js";

export type Tone = SyncCell["tone"];

export const toneWords: Record<Tone, string> = {
  good: "OK",
  bad: "Problem",
  waiting: "Waiting",
  neutral: "Unknown",
};
export const levels: Record<VerdictPoint["level"], { word: string; tone: Tone }> = {
  error: { word: "Error", tone: "bad" },
  warning: { word: "Warning", tone: "waiting" },
  info: { word: "Note", tone: "neutral" },
};
export const noticeTones: Record<ResourceNotice["state"], Tone> = {
  rejected: "bad",
  warming: "waiting",
  draining: "neutral",
};

/** The worst of a row's cells. A type that nobody watches (IGNORED) is no reason for doubt, an UNKNOWN one is. */
export function rowTone(row: SyncRow): Tone {
  const cells = [row.cds, row.lds, row.eds, row.rds, row.ecds];
  const some = (tone: Tone): boolean => cells.some((cell) => cell.tone === tone);
  if (row.connected === false || some("bad")) return "bad";
  if (some("waiting")) return "waiting";
  if (cells.some((cell) => cell.state === "UNKNOWN")) return "neutral";
  return some("good") || cells.every((cell) => cell.state === "IGNORED") ? "good" : "neutral";
}

/** What the ISTIOD column prints: a proxy that no Istiod lists is shown as such. */
export function istiodText(row: SyncRow): string {
  if (row.connected !== false) return row.istiod === "" ? "-" : row.istiod;
  return row.istiod === "" ? "not connected" : `${row.istiod} (not connected)`;
}

export function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A comment must fit: GitHub takes 65,536 characters, Jira 32,767. The whole is in the HTML report and its JSON. */
const most = {
  points: 12,
  names: 5,
  rows: 50,
  sections: 10,
  problems: 15,
  gaps: 15,
  arrivals: 8,
  characters: 240,
};

/** The analysis as the comment of a ticket: the verdict first, and of the rest what a reader needs to judge it. */
export function renderMarkdown(document: ReportDocument): string {
  const blocks = [
    ...verdict(document),
    ...capture(document),
    ...sync(document),
    ...rejections(document.proxies),
    ...drift(document),
    ...timeline(document),
    ...problems(document),
    ...gaps(document),
    `${document.program.name} ${prose(document.program.version)}`,
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

function verdict({ title, verdict: { headline, tone, points } }: ReportDocument): string[] {
  const lines = points
    .slice(0, most.points)
    .flatMap((point) => [
      `- **${levels[point.level].word}:** ${prose(point.text)}`,
      ...(point.nextStep === "" ? [] : [`  - Next: ${prose(point.nextStep)}`]),
      ...(point.proxies.length === 0
        ? []
        : [`  - ${counted(point.proxies.length, "proxy", "proxies")}: ${names(point.proxies)}`]),
      ...point.evidence.slice(0, 1).map((evidence) => `  - Evidence: ${place(evidence)}`),
    ]);
  return [
    `## ${prose(headline)}`,
    `**${toneWords[tone]}** in ${prose(title)}`,
    [...lines, ...rest(points.length - most.points, "point", "points", "- ")].join("\n"),
  ];
}

function capture({
  capture: { source, time, timeSource, facts, weakened, completeness },
}: ReportDocument): string[] {
  const known = (label: string, value: string): Fact => ({ label, value, missing: false });
  const { listed, captured, read, listedNotCaptured, capturedNotListed } = completeness;
  const rows: string[] = [
    row("Source", `${prose(source.kind)} ${code(source.name, "cell")}`),
    ...[
      known("Captured at", captureTime(time, timeSource)),
      ...facts,
      known("Proxies", `${listed ?? "unknown"} listed, ${captured} captured, ${read} read whole`),
    ].map((fact) => row(prose(fact.label), `${fact.missing ? "not known: " : ""}${prose(fact.value)}`)),
  ];
  if (listedNotCaptured.length > 0) {
    rows.push(row("Listed, not captured", names(listedNotCaptured, "cell")));
  }
  if (capturedNotListed.length > 0) {
    rows.push(row("Captured, not listed", names(capturedNotListed, "cell")));
  }
  return [
    "### Capture",
    ["| | |", "| --- | --- |", ...rows].join("\n"),
    ...(weakened.length === 0
      ? []
      : ["Redaction took from this analysis:", weakened.map((text) => `- ${prose(text)}`).join("\n")]),
  ];
}

export function captureTime(time: string | null, timeSource: string): string {
  if (time === null) return "unknown, so no ages are given";
  return timeSource === "" ? time : `${time} (${timeSource})`;
}

function sync({ sync: { rows, missing } }: ReportDocument): string[] {
  const wrong = rows.filter((row) => rowTone(row) !== "good");
  const fine = rows.length - wrong.length;
  const table = wrong
    .slice(0, most.rows)
    .map((entry) =>
      row(
        code(entry.name, "cell"),
        prose(entry.cluster),
        ...[entry.cds, entry.lds, entry.eds, entry.rds, entry.ecds].map((cell) => prose(cell.text)),
        istiodText(entry) === entry.istiod ? code(entry.istiod, "cell") : prose(istiodText(entry)),
        prose(entry.version),
      ),
    );
  const head = [
    "| NAME | CLUSTER | CDS | LDS | EDS | RDS | ECDS | ISTIOD | VERSION |",
    `|${" --- |".repeat(9)}`,
  ];
  const left = wrong.length - most.rows;
  return [
    "### Sync",
    missing === "" ? "" : prose(missing),
    wrong.length === 0 ? "" : [...head, ...table].join("\n"),
    left > 0 ? `and ${left} more not in sync` : "",
    syncedLine(fine, wrong.length, missing),
  ];
}

function syncedLine(fine: number, wrong: number, missing: string): string {
  if (wrong > 0) return fine === 0 ? "" : `and ${fine} in sync`;
  if (fine > 0) return fine === 1 ? "The one proxy listed is in sync." : `All ${fine} are in sync.`;
  return missing === "" ? "No Istiod lists a proxy." : "";
}

function rejections(proxies: readonly ProxySection[]): string[] {
  const wrong = proxies.filter((proxy) => proxy.notices.some((notice) => notice.state === "rejected"));
  if (wrong.length === 0) return [];
  const lines = wrong.slice(0, most.sections).flatMap((proxy) => [
    `- ${code(proxy.id)}`,
    ...proxy.notices
      .filter((notice) => notice.state === "rejected")
      .slice(0, most.names)
      .map((notice) => `  - ${prose(notice.kind)} ${code(notice.name)}: ${code(notice.details)}`),
  ]);
  return [
    "### Rejected by Envoy",
    [...lines, ...rest(wrong.length - most.sections, "proxy", "proxies", "- ")].join("\n"),
  ];
}

/** What the verdict has no room for. */
function drift({ drift: found, verdict: { points } }: ReportDocument): string[] {
  if (found === null) return [];
  const told = new Set(points.slice(0, most.points).map(({ text }) => text));
  const part = (heading: string, all: readonly string[]): string[] => {
    const texts = all.filter((text) => !told.has(text));
    const lines = texts.slice(0, most.points).map((text) => `- ${prose(text)}`);
    return texts.length === 0
      ? []
      : [heading, [...lines, ...rest(texts.length - most.points, "line", "lines", "- ")].join("\n")];
  };
  const textsOf = (findings: readonly DriftFinding[]): string[] => findings.map(({ text }) => text);
  return [
    "### Drift",
    prose(found.summary),
    ...part("Istiod's view against Envoy's, besides:", textsOf(found.causes)),
    ...part("Replicas of one workload, besides:", textsOf(found.replicas)),
    ...part("Endpoints that clients of one cluster hold, besides:", found.endpoints.flatMap(matrixLines)),
    ...part(
      "Endpoints that Istiod knows, besides:",
      found.known.map(({ text }) => text),
    ),
    ...part("Istiods, besides:", found.istiods),
    ...part("Not compared:", found.notCompared),
  ];
}

/** The newest first: what came last before the capture is what a ticket asks for. */
function timeline({ timeline: told }: ReportDocument): string[] {
  if (told === null || told.rows.length === 0) return [];
  const newest = told.rows.filter(({ isStart }) => !isStart).slice(-most.arrivals);
  if (newest.length === 0) return [];
  const earlier = told.rows.length - newest.length;
  const lines = newest.reverse().map(({ first, what, proxies, missing }) => {
    const where = `${counted(proxies.length, "proxy", "proxies")}: ${names(proxies)}`;
    return `- ${first} ${prose(what)} on ${where}${missing.length === 0 ? "" : `; not on ${names(missing)}`}`;
  });
  return [
    "### Last arrivals",
    [...lines, ...(earlier > 0 ? [`- and ${counted(earlier, "arrival", "arrivals")} before`] : [])].join(
      "\n",
    ),
  ];
}

function problems({ problems: all }: ReportDocument): string[] {
  if (all.length === 0) return [];
  const lines = all
    .slice(0, most.problems)
    .map(
      (problem) =>
        `- **${problem.severity === "lost" ? "Lost" : "Note"}:** ${problem.entry === "" ? "" : `${place(problem)}: `}${prose(problem.message)}`,
    );
  return [
    "### What could not be read",
    [...lines, ...rest(all.length - most.problems, "entry", "entries", "- ")].join("\n"),
  ];
}

function gaps({ gaps: all }: ReportDocument): string[] {
  if (all.length === 0) return [];
  const lines = all
    .slice(0, most.gaps)
    .map((gap) => `- ${code(gap.target)} ${prose(gap.what)}: ${prose(gap.reason)}`);
  return [
    "### What could not be captured",
    [...lines, ...rest(all.length - most.gaps, "gap", "gaps", "- ")].join("\n"),
  ];
}

const row = (...cells: string[]): string => `| ${cells.join(" | ")} |`;

const rest = (count: number, one: string, many: string, before: string): string[] =>
  count > 0 ? [`${before}and ${counted(count, one, many)} more`] : [];

function names(all: readonly string[], where: "text" | "cell" = "text"): string {
  const shown = all.slice(0, most.names).map((name) => code(name, where));
  return [...shown, ...rest(all.length - most.names, "proxy", "proxies", "")].join(", ");
}

const place = ({ entry, pointer }: { entry: string; pointer: string }): string =>
  code(pointer === "" ? entry : `${entry}#${pointer}`);

/**
 * Text of the snapshot as it reads, without a meaning: no markup, no HTML, no link, and nobody is called by "@name",
 * nor another ticket by "#12".
 */
export function prose(text: string): string {
  return excerpt(text, most.characters).replace(meaningful, (match) => {
    if (match === "@" || match === "#") return `\`${match}\``;
    return entities[match] ?? `${match.slice(0, -1)}\\${match.slice(-1)}`;
  });
}

/** In this order: calls, addresses, the start of a list, a heading or a rule, marks, HTML. */
const meaningful =
  /(?<!\w)@(?=\w)|#(?=\w)|:(?=\/\/)|(?<=www)\.|^\d+[.)](?=\s)|^[#+=-](?=.)|[\\`*_[\]|~{}$]|[<>&]/gi;
const entities: Record<string, string> = { "<": "&lt;", ">": "&gt;", "&": "&amp;" };

/** A code span, with a fence longer than any run of backticks inside; in a table's cell "|" must be escaped too. */
export function code(text: string, where: "text" | "cell" = "text"): string {
  const line = excerpt(text, most.characters);
  if (line === "") return "-";
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = longest > 0 ? " " : "";
  return `${fence}${pad}${where === "cell" ? line.replaceAll("|", "\\|") : line}${pad}${fence}`;
}
