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
