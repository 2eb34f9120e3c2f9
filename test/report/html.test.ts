import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";

import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";

import type { ReportDocument } from "../../src/report/document.js";
import { renderHtml } from "../../src/report/html.js";
import {
  aBareReport,
  aCell,
  aDriftedReport,
  aHealthyReport,
  aLargeReport,
  aProxy,
  aReport,
  aReportWithConfig,
  aRow,
  hostile,
} from "../support/report-fixture.js";
import { changed, fieldsOf, without } from "./fields.js";

const reports: Record<string, ReportDocument> = {
  broken: aReport(),
  healthy: aHealthyReport(),
  bare: aBareReport(),
  large: aLargeReport(40),
};

const inline = (html: string, tag: "style" | "script"): string =>
  new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(html)?.[1] ?? "";
const embedded = (html: string): string =>
  /<script type="application\/json" id="report-data">([^]*?)<\/script>/.exec(html)?.[1] ?? "";
/** The page without its style, its script and its JSON. */
const markup = (html: string): string => html.replace(/<(style|script)[ >][^]*?<\/\1>/g, "");

describe.each(Object.entries(reports))("the page of a %s mesh", (_, report) => {
  const html = renderHtml(report);

  it("leaves nothing of the templates, and no blank where a field is missing", () => {
    const own = markup(html).replaceAll(hostile.handlebars, "");
    expect(own).not.toMatch(/\{\{|\}\}|undefined|\[object|NaN|>null</);
  });
  it("allows exactly its own style and script", () => {
    const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1];
    expect(policy?.replaceAll("&#x27;", "'").replaceAll("&#x3D;", "=")).toBe(
      `default-src 'none'; style-src ${hash(inline(html, "style"))}; script-src ${hash(inline(html, "script"))}; base-uri 'none'; form-action 'none'`,
    );
  });
  it("holds the document it was drawn from", () => {
    expect(JSON.parse(embedded(html))).toEqual(report);
  });
  it("names every id once", () => {
    const ids = [...markup(html).matchAll(/ id="([^"]*)"/g)].map(([, id]) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });
  it("leads only to places in itself", () => {
    const page = markup(html);
    const targets = [...page.matchAll(/href="([^"]*)"/g)].map(([, target]) => target!);
    expect(targets.filter((target) => !target.startsWith("#"))).toEqual([]);
    expect(targets.filter((target) => !page.includes(` id="${target.slice(1)}"`))).toEqual([]);
  });
  it("has no inline handler and no inline style", () => {
    for (const [tag] of markup(html).matchAll(/<[a-z][^>]*>/g)) {
      expect(tag.replace(/"[^"]*"/g, '""')).not.toMatch(/\s(on\w+|style|src)=/);
    }
  });
});

describe("text of the snapshot", () => {
  const html = renderHtml(aReport());

  it.each(["script", "image", "endOfData"] as const)("is escaped: %s", (name) => {
    expect(markup(html)).not.toContain(hostile[name]);
    expect(embedded(html)).not.toMatch(/[<>&\u2028]/);
  });
  it("shows characters that would be unseen or turn the line around", () => {
    expect(markup(html)).toContain("gateway-\\u202egnp.exe");
    expect(markup(html)).toContain("red\\u001b[31mbell\\u0007");
    expect(html).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/); // eslint-disable-line no-control-regex
  });
  it("keeps the lines of Envoy's text as they are", () => {
    expect(html).toContain(
      "<pre>Error adding/updating listener(s) 0.0.0.0_443:\n  Invalid path: /etc/certs/tls.crt</pre>",
    );
  });
  it("says what redaction took, and nothing where it took nothing", () => {
    expect(markup(html)).toContain("<li>Values of headers are tokens.</li>");
    expect(markup(html)).toContain(
      '<li>"&lt;script&gt;alert(1)&lt;/script&gt;" was applied'.replaceAll('"', "&quot;"),
    );
    expect(markup(renderHtml(aBareReport()))).not.toContain("Weakened by redaction");
  });
  it("is not a template", () => {
    expect(markup(html)).toContain(hostile.handlebars);
  });
});

describe("a missing field", () => {
  it.each([
    "title",
    "program.version",
    "schemaVersion",
    "verdict.headline",
    "verdict.points",
    "verdict.points.0.text",
    "verdict.points.0.nextStep",
    "verdict.points.0.evidence.0.entry",
    "verdict.points.0.evidence.0.excerpt",
    "capture.facts.0.value",
    "capture.facts.0.missing",
    "capture.weakened",
    "capture.istiods.0.note",
    "capture.versions.0.count",
    "sync.missing",
    "sync.rows.0.name",
    "sync.rows.0.anchor",
    "sync.rows.0.captured",
    "sync.rows.0.eds.text",
    "sync.rows.0.eds.error",
    "proxies.0.summary",
    "proxies.0.facts",
    "proxies.0.sync.0.eds.sentTime",
    "proxies.0.notices.0.details",
    "proxies.0.notices.0.evidence.pointer",
    "proxies.0.resources.0.counts",
    "proxies.0.resources.0.counts.rejected",
    "proxies.0.resources.2.reason",
    "drift.summary",
    "drift.tone",
    "drift.notCompared",
    "drift.istiods",
    "drift.causes.0.text",
    "drift.causes.0.class",
    "drift.causes.0.fields",
    "drift.causes.0.evidence.0.pointer",
    "drift.causes.0.diff.before",
    "drift.causes.0.diff.text",
    "drift.replicas.0.proxies",
    "drift.endpoints.0.scope",
    "drift.endpoints.0.sets.0.counts",
    "drift.endpoints.0.sets.0.newest",
    "timeline.rows.0.what",
    "timeline.rows.0.missing",
    "timeline.rows.0.isStart",
    "proxies.3.drift",
    "proxies.3.drift.0.kinds.0.tone",
    "ztunnels.0.id",
    "problems.0.message",
    "gaps.0.reason",
  ])("is an error, not a blank: %s", (field) => {
    expect(() => renderHtml(without(aReport(), field.split(".")))).toThrow();
  });
});

describe("the sync table", () => {
  const rowsOf = (html: string): string[] =>
    (/<table class="sync"[^]*?<tbody>([^]*?)<\/tbody>/.exec(html)?.[1] ?? "").split("<tr").slice(1);

  it("has istioctl's columns in istioctl's order", () => {
    const head = /<table class="sync"[^]*?<thead>([^]*?)<\/thead>/.exec(renderHtml(aReport()))?.[1] ?? "";
    expect([...head.matchAll(/<th scope="col">([^<]*)</g)].map(([, name]) => name).join(" ")).toBe(
      "NAME CLUSTER CDS LDS EDS RDS ECDS ISTIOD VERSION",
    );
  });
  it.each([
    { tone: "good", row: aRow("a.b"), because: "all is SYNCED or IGNORED" },
    { tone: "good", row: aRow("a.b", { rds: aCell("NOT SENT") }), because: "NOT SENT is normal" },
    { tone: "waiting", row: aRow("a.b", { eds: aCell("STALE") }), because: "a push is not acknowledged" },
    {
      tone: "bad",
      row: aRow("a.b", { eds: aCell("STALE"), lds: aCell("ERROR") }),
      because: "one is rejected",
    },
    { tone: "bad", row: aRow("a.b", { connected: false }), because: "no Istiod lists it" },
    { tone: "neutral", row: aRow("a.b", { rds: aCell("UNKNOWN") }), because: "one is not known" },
  ])("marks a row $tone where $because", ({ tone, row }) => {
    const [html] = rowsOf(renderHtml(aHealthyReport({ sync: { rows: [row], missing: "" } })));
    expect(html).toContain(`data-tone="${tone}"`.trim());
    expect(html?.trimStart().startsWith(`data-tone="${tone}"`)).toBe(true);
  });
  it("says that a proxy is not connected", () => {
    const row = aRow("a.b", { connected: false, istiod: "" });
    expect(rowsOf(renderHtml(aHealthyReport({ sync: { rows: [row], missing: "" } })))[0]).toContain(
      "not connected",
    );
  });
  it("links a name to its section, and only where there is one", () => {
    const rows = rowsOf(renderHtml(aReport()));
    expect(rows[1]).toContain('<a class="mono" href="#proxy-details">');
    expect(rows[3]).toContain('<span class="mono">mongodb-0.bookinfo</span>');
  });
  it("is replaced by the reason where no Istiod answered", () => {
    const html = renderHtml(aBareReport());
    expect(html).not.toContain('<table class="sync"');
    expect(html).toContain("No Istiod&#x27;s answer was captured, so the sync state is not known.");
  });
});

describe("what differs", () => {
  const html = markup(renderHtml(aReport()));

  it("is said in the document's words, with what it is about", () => {
    expect(html).toContain(
      '<span class="badge" data-tone="bad">Missing</span> cluster outbound|53||kube-dns.kube-system.svc.cluster.local missing on 12 proxies, all on istiod-7d4f8b9c6-x2x8p',
    );
    expect(html).toContain('<span class="badge" data-tone="waiting">In flight</span> 16 listeners');
    expect(html).toContain("<summary>16 names</summary>");
    expect(html).toContain("27 resources more are written differently and mean the same");
    expect(html).toContain("<li>Istiod&#x27;s view of broken-0.bookinfo was not captured</li>");
  });
  it("is drawn where its text is there, and else the reason said", () => {
    expect(html.match(/<div class="side-by-side"><div class="d2h-files-diff/g)).toHaveLength(4);
    expect(html.match(/<div class="inline"><div class="d2h-file-diff"/g)).toHaveLength(4);
    expect(html).toContain("No difference is drawn: only the first 200 differences have their text here.");
  });
  it("counts the clients of each Istiod by what they hold, and marks who holds otherwise", () => {
    expect(html).toContain('<th scope="col" class="right">no known Istiod</th>');
    expect(html).toContain(
      '<th scope="row">lack 10.244.3.4</th><td class="right">0</td><td class="right" data-tone="waiting">2</td><td class="right">0</td>',
    );
    expect(html).toContain(
      '<th scope="row">what most clients hold</th><td class="right">10</td><td class="right">1</td>',
    );
  });
  it("stands in each proxy's section, by Istiod", () => {
    expect(html).toContain(
      "<caption>What istiod-7d4f8b9c6-x2x8p would send it, as it answered at 2026-03-14T10:42:01Z</caption>",
    );
    expect(html).toContain('<th scope="row">Clusters</th><td data-tone="bad">2 differ</td>');
  });
  it("is said to be nothing where all was compared, and is no section where nothing was", () => {
    expect(markup(renderHtml(aHealthyReport()))).toContain(
      "No difference was found between Istiod and Envoy, between replicas, in the endpoints that clients hold, between Istiods.",
    );
    const bare = markup(renderHtml(aBareReport()));
    expect(bare).not.toMatch(/id="(drift|timeline)"/);
    expect(bare).not.toContain("Against Istiod");
  });
});

describe("the timeline", () => {
  const html = markup(renderHtml(aReport()));
  const rows = (/id="timeline"[^]*?<tbody>([^]*?)<\/tbody>/.exec(html)?.[1] ?? "").split("<tr").slice(1);

  it("has a row for each of the document's, in its order", () => {
    expect(rows.map((row) => /datetime="([^"]*)"/.exec(row)?.[1])).toEqual(
      aReport().timeline?.rows.map(({ first }) => first),
    );
  });
  it("says what came with a start, what came over a while, and where it is missing", () => {
    expect(rows[0]).toContain("started</span> 41 clusters");
    expect(rows[1]).not.toContain("started");
    expect(rows[3]).toContain('until <time datetime="2026-03-14T10:39:20Z">');
    expect(rows[4]).toContain('<td data-tone="bad">');
    expect(rows[5]).toContain("gateway-\\u202egnp.exe");
    expect(rows[6]).not.toContain('data-tone="bad"');
  });
  it("folds long lists, and says how many of them it leaves out", () => {
    expect(rows[0]).toContain("<summary>41 names</summary>");
    expect(rows[0]).toContain("<li>and 11 more</li>");
    expect(rows[3]).toContain("<summary>41 proxies</summary>");
  });
  it("draws a tick for each time, in the order of time", () => {
    const ticks = [...html.matchAll(/class="tick" data-tone="(\w+)" x1="([\d.]+)%"/g)];
    expect(ticks.map(([, tone]) => tone).sort()).toEqual([
      ...["bad", "bad"],
      ...["good", "good", "good", "good"],
      "neutral",
    ]);
    const places = ticks.map(([, , x]) => Number(x)).sort((a, b) => a - b);
    expect(new Set(places).size).toBe(7);
    expect(places[0]).toBeCloseTo(1);
    expect(places[6]).toBeCloseTo(99);
  });
  it("draws none of two times", () => {
    const rows = aReport().timeline?.rows.slice(0, 2) ?? [];
    const page = markup(renderHtml(aReport({ timeline: { since: null, untimed: 0, rows } })));
    expect(page).not.toContain('class="tick"');
    expect(page).toContain("listener virtualInbound");
  });
  it("draws the newest rows of very many, and says so", () => {
    const page = markup(renderHtml(aDriftedReport(1, 10, 1001)));
    expect(page).toContain("The newest 1000 of 1001 rows are drawn");
    expect(page).not.toContain(">cluster s0<");
    expect(page).toContain(">cluster s1<");
  });
  it("says that nothing is known, or nothing arrived", () => {
    const timeline = { since: null, untimed: 7, rows: [] };
    expect(renderHtml(aReport({ timeline }))).toContain("No dump tells when anything arrived.");
    const since = "2026-03-14T10:00:00Z";
    expect(renderHtml(aReport({ timeline: { ...timeline, since } }))).toContain("Nothing arrived.");
  });
});

describe("what is empty", () => {
  const html = renderHtml(aHealthyReport());
  it("is left out, or said", () => {
    expect(html).not.toContain('id="ztunnels"');
    expect(html).not.toContain('id="gaps"');
    expect(html).toContain("Nothing: all that was captured could be read.");
  });
  it("folds long lists of names", () => {
    expect(renderHtml(aLargeReport(90))).toContain("<summary>10 proxies</summary>");
  });
  it("keeps a section without a dump", () => {
    const proxies = [aProxy("x.y", "proxy-x", { resources: [], sync: [], facts: [] })];
    expect(renderHtml(aHealthyReport({ proxies, sync: { rows: [], missing: "" } }))).toContain(
      "No config dump of this proxy was captured.",
    );
  });
});

describe("the tables of what the proxies hold", () => {
  const report = aReportWithConfig();
  const html = renderHtml(report);

  it("are packed beside the rest of the document", () => {
    const packed = /id="report-config">([A-Za-z0-9+/=]*)<\/script>/.exec(html)?.[1] ?? "";
    const data = JSON.parse(inflateRawSync(Buffer.from(packed, "base64")).toString()) as {
      kinds: unknown;
      proxies: { cluster: { indexes: number[] } }[];
    };
    expect(data.kinds).toEqual(report.config.kinds);
    expect(data.proxies[1]?.cluster.indexes.slice(0, 4)).toEqual([0, 1, 1, 1]); // distances
    expect(JSON.parse(embedded(html))).toEqual({
      ...report,
      config: { kinds: [] },
      proxies: report.proxies.map((proxy) => ({ ...proxy, config: {} })),
    });
  });
  it("are named with their number, and are none where nothing is known", () => {
    expect(html).toContain("<summary>Clusters (1200)</summary>");
    expect(html).not.toContain("<summary>Secrets");
    expect(renderHtml(aReport())).not.toContain('report-config">');
  });
});

describe("the schema of the document", () => {
  const schema = JSON.parse(
    readFileSync(new URL("../../schemas/report.schema.json", import.meta.url), "utf8"),
  ) as object;
  const validate = new Ajv({ strict: true, allErrors: true }).compile(schema);
  const report = aReport();

  it.each(Object.entries(reports))("accepts the %s mesh", (_, document) => {
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
  });
  it("accepts tables, and no field in them that it does not know", () => {
    const { config, proxies, ...rest } = aReportWithConfig();
    const kinds = config.kinds.map((kind) => ({ ...kind, resources: kind.resources.slice(0, 1) }));
    const held = { cluster: { indexes: [0], states: { "0": "warming" } }, secret: { reason: "cut off" } };
    const small = {
      ...rest,
      config: { kinds },
      proxies: proxies.slice(0, 1).map((proxy) => ({ ...proxy, config: held })),
    };
    validate(small);
    expect(validate.errors ?? []).toEqual([]);
    const ways = fieldsOf(small).filter((way) => way.includes("config") && !way.includes("json"));
    const open = ways.filter((way) =>
      validate(changed(small, way, (holder) => Object.assign(holder, { surprise: 1 }))),
    );
    expect(open.map((way) => way.join("."))).toEqual([]);
  });
  it("asks for every field", () => {
    const optional = fieldsOf(report).filter((way) => validate(without(report, way)));
    expect(optional.map((way) => way.join("."))).toEqual([]);
  });
  it("refuses every field that it does not know", () => {
    const open = fieldsOf(report).filter((way) =>
      validate(changed(report, way, (holder) => Object.assign(holder, { surprise: 1 }))),
    );
    expect(open.map((way) => way.join("."))).toEqual([]);
  });
  it.each([
    { way: ["verdict", "tone"], value: "purple" },
    { way: ["schemaVersion"], value: 2 },
    { way: ["capture", "time"], value: "yesterday" },
    { way: ["proxies", "0", "anchor"], value: "no id" },
    { way: ["proxies", "0", "anchor"], value: '"><b>' },
    { way: ["proxies", "1", "resources", "0", "counts", "total"], value: -1 },
    { way: ["sync", "rows", "0", "cds", "sentTime"], value: "" },
  ])("refuses $value in $way", ({ way, value }) => {
    expect(validate(changed(report, way, (holder, field) => (holder[field] = value)))).toBe(false);
  });
  it("describes every field", () => {
    const undescribed = fieldsOf(schema).filter((way) => {
      if (way.at(-2) !== "properties") return false;
      const field = way.reduce<unknown>(
        (at, step) => (at as Record<string, unknown>)[step],
        schema,
      ) as object;
      return !("description" in field) && !("$ref" in field);
    });
    expect(undescribed.map((way) => way.join("."))).toEqual([]);
  });
});
