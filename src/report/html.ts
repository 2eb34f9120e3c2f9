import { createHash } from "node:crypto";
import { deflateRawSync } from "node:zlib";

import type { DriftReport, ProxySection, ReportDocument, SyncRow } from "./document.js";
import { driftView } from "./drift-view.js";
import { captureTime, counted, istiodText, levels, noticeTones, rowTone, toneWords } from "./markdown.js";
import { proxyLinks, type ProxyLinks } from "./name-lists.js";
import { shown } from "./shown.js";
import { pageTemplates } from "./templates.js";
import { timelineView } from "./timeline-view.js";

/** The analysis as one HTML file that opens from disk, needs no network and is complete without JavaScript. */
export function renderHtml(document: ReportDocument): string {
  const { css, js, render } = pageTemplates();
  const csp = [
    "default-src 'none'",
    `style-src '${sourceHash(css)}'`,
    `script-src '${sourceHash(js)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const { config, ...rest } = document;
  const plain = {
    ...rest,
    config: { kinds: [] },
    proxies: rest.proxies.map((proxy) => ({ ...proxy, config: {} })),
  };
  const links = proxyLinks(document.proxies);
  return render({
    ...(shown(pageView(document, plain, links)) as object),
    drift: document.drift === null ? null : driftView(document.drift, links),
    csp,
    css,
    js,
    json: embeddedJson(plain),
    config: config.kinds.length === 0 ? "" : packedConfig(document),
  });
}

/**
 * The tables of what the proxies hold, deflated and in base64, which can stand in a page whatever they hold. Places are
 * written as distances from the one before: mostly 1, which takes next to nothing.
 */
function packedConfig({ config, proxies }: ReportDocument): string {
  const held = proxies.map((proxy) =>
    Object.fromEntries(
      Object.entries(proxy.config).map(([kind, own]) => [
        kind,
        "indexes" in own
          ? { ...own, indexes: own.indexes.map((index, at, all) => index - (all[at - 1] ?? 0)) }
          : own,
      ]),
    ),
  );
  return deflateRawSync(JSON.stringify({ kinds: config.kinds, proxies: held })).toString("base64");
}

/** What the Content-Security-Policy asks of an inline block: the hash of exactly what stands between its tags. */
function sourceHash(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** JSON that can stand inside `<script>` and hides nothing from who reads the page's source. */
function embeddedJson(document: ReportDocument): string {
  return JSON.stringify(document).replace(/[<>&]|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    // code units, not code points: JSON knows no other escape
    character
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/**
 * The document, with the words that only the page needs.
 * @param plain the document without its tables, which the page draws itself
 */
function pageView(document: ReportDocument, plain: ReportDocument, linked: ProxyLinks) {
  const { capture, verdict, sync, timeline, proxies, problems } = document;
  return {
    ...plain,
    drift: null, // whose texts are shown where it is drawn
    sections: sectionsOf(document),
    verdict: {
      ...verdict,
      toneWord: toneWords[verdict.tone],
      points: verdict.points.map((point) => ({
        ...point,
        tone: levels[point.level].tone,
        levelWord: levels[point.level].word,
        evidenceLabel: point.evidence.length === 1 ? "Evidence" : `Evidence (${point.evidence.length})`,
        proxies: linked(counted(point.proxies.length, "proxy", "proxies"), point.proxies),
      })),
    },
    capture: {
      ...capture,
      facts: [
        { label: "Source", value: `${capture.source.kind} ${capture.source.name}`, missing: false },
        { label: "Captured at", value: captureTime(capture.time, capture.timeSource), missing: false },
        ...capture.facts,
      ],
      completeness: {
        bars: barsOf(capture.completeness),
        listedNotCaptured: linked(
          `Listed by an Istiod, not captured (${capture.completeness.listedNotCaptured.length})`,
          capture.completeness.listedNotCaptured,
        ),
        capturedNotListed: linked(
          `Captured, listed by no Istiod (${capture.completeness.capturedNotListed.length})`,
          capture.completeness.capturedNotListed,
        ),
      },
      istiods: capture.istiods.map((istiod) => ({
        ...istiod,
        versionText: istiod.version === "" ? "unknown" : istiod.version,
        proxiesText: numberText(istiod.proxies),
      })),
    },
    sync: { missing: sync.missing, rows: sync.rows.map(rowView) },
    timeline: timeline === null ? null : timelineView(timeline, linked),
    proxies: { items: proxies.map((proxy, at) => proxyView(proxy, document.config.kinds, at)) },
    ztunnels: document.ztunnels.map(({ id, reason, ...held }) => ({
      id,
      reason,
      cells: [held.workloads, held.services, held.policies, held.certificates].map(numberText),
    })),
    problems: {
      list: problems.map((problem) => ({
        ...problem,
        tone: problem.severity === "lost" ? "bad" : "neutral",
        severityWord: problem.severity === "lost" ? "Lost" : "Note",
      })),
    },
  };
}

function sectionsOf({ sync, drift, timeline, proxies, ztunnels, problems, gaps }: ReportDocument) {
  return [
    { id: "verdict", label: "Verdict", count: 0 },
    { id: "capture", label: "Capture", count: 0 },
    { id: "sync", label: "Sync", count: sync.rows.length },
    ...(drift === null ? [] : [{ id: "drift", label: "Drift", count: driftCount(drift) }]),
    ...(timeline === null ? [] : [{ id: "timeline", label: "Timeline", count: timeline.rows.length }]),
    { id: "proxies", label: "Proxies", count: proxies.length },
    ...(ztunnels.length > 0 ? [{ id: "ztunnels", label: "ztunnels", count: ztunnels.length }] : []),
    { id: "problems", label: "Not read", count: problems.length },
    ...(gaps.length > 0 ? [{ id: "gaps", label: "Not captured", count: gaps.length }] : []),
  ];
}

const driftCount = ({ causes, replicas, endpoints, istiods }: DriftReport): number =>
  causes.length + replicas.length + endpoints.length + istiods.length;

function barsOf(completeness: ReportDocument["capture"]["completeness"]) {
  const { listed, captured, read, capturedNotListed } = completeness;
  const all = Math.max(1, captured, (listed ?? 0) + capturedNotListed.length);
  const bar = (label: string, count: number | null) => ({
    label,
    missing: count === null,
    text: count === null ? "not known: no Istiod's list was captured" : String(count),
    percent: Math.round(((count ?? 0) / all) * 100),
  });
  return [bar("Listed by Istiod", listed), bar("Captured", captured), bar("Config dump read", read)];
}

function rowView(row: SyncRow) {
  return {
    ...row,
    id: row.name,
    tone: rowTone(row),
    istiodText: istiodText(row),
    disconnected: row.connected === false,
  };
}

function proxyView(proxy: ProxySection, kinds: ReportDocument["config"]["kinds"], at: number) {
  return {
    ...proxy,
    config: kinds.flatMap(({ kind, label }) => {
      const held = proxy.config[kind];
      if (held === undefined || !("indexes" in held) || held.indexes.length === 0) return [];
      return [{ kind, label, count: held.indexes.length, proxy: at }];
    }),
    toneWord: toneWords[proxy.tone],
    sync: proxy.sync.map((row) => ({
      caption: row.istiod === "" ? "Listed by no Istiod" : `As ${row.istiod} tells it`,
      types: [
        { type: "CDS", ...row.cds },
        { type: "LDS", ...row.lds },
        { type: "EDS", ...row.eds },
        { type: "RDS", ...row.rds },
        { type: "ECDS", ...row.ecds },
      ],
    })),
    drift: proxy.drift.map(({ istiod, capturedAt, kinds }) => ({
      caption: `What ${istiod} would send it${capturedAt === null ? "" : `, as it answered at ${capturedAt}`}`,
      kinds,
    })),
    notices: proxy.notices.map((notice) => ({
      ...notice,
      name: notice.name === "" ? "(nameless)" : notice.name,
      tone: noticeTones[notice.state],
    })),
  };
}

const numberText = (count: number | null): string => (count === null ? "unknown" : String(count));
