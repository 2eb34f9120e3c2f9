import { mkdirSync } from "node:fs";

import { afterAll, describe, expect, it } from "vitest";

import { buildReport } from "../../src/report/build-report.js";
import { renderHtml } from "../../src/report/html.js";
import { renderMarkdown } from "../../src/report/markdown.js";
import type { ReportDocument } from "../../src/report/document.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { syncStatus } from "../../src/status/sync-status.js";
import { aCluster, aFolder, aSection } from "../support/builders.js";
import { cli } from "../support/cli.js";
import { snapshotOf, tarOf } from "../support/hostile.js";
import { tried } from "../support/hostile-count.js";

const folder = await aFolder();
afterAll(() => folder.remove());

const names = [
  "a.default",
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "</script><script>alert(1)</script>.default",
  "<!--",
  "]]>",
  "{{constructor.constructor('alert(1)')()}}",
  "{{{json}}}",
  "${7*7}`",
  "../../x",
  "..",
  "/etc/passwd",
  "C:\\windows",
  "\u001b[31mred\u001b[0m.default",
  "\u001b]0;title\u0007",
  "\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\",
  "\u009b31mC1\u0085",
  "a\rb\nc\td\u0000e\u007f",
  "admin\u202egnp.exe\u202c",
  "\u2066isolated\u2069\u200b\u200f\ufeff\u061c",
  "\u2028line\u2029paragraph",
  "\ud800lone\udc00",
  "e\u0301\u0302\u0303\u0304".repeat(50),
  "x".repeat(5000),
  "👩‍👩‍👧‍👦.default",
  "| a | b |\n|---|",
  "[link](javascript:alert(1))",
  "`code` **bold** # title",
  "__proto__",
  "constructor",
  "-o.json",
  "=cmd|' /C calc'!A0",
];

const controls =
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

const rows = (name: string): unknown => [
  {
    proxy: name,
    cluster_id: name,
    istio_version: name,
    cluster_sent: "1",
    cluster_acked: "2",
    resources: { [name]: { sent: "1", acked: "", lastError: name } },
  },
  { proxy: "neighbour.default", cluster_sent: "1", cluster_acked: "1" },
];
const dumpOf = (name: string): unknown => ({
  configs: [
    {
      "@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump",
      bootstrap: {
        node: {
          id: `sidecar~10.0.0.1~${name}~x`,
          cluster: name,
          metadata: { ISTIO_VERSION: name, WORKLOAD_NAME: name, CLUSTER_ID: name },
        },
      },
    },
    aSection("Clusters", { version_info: name, static_clusters: [{ cluster: aCluster(name) }] }),
    aSection("Listeners", {
      dynamic_listeners: [
        { name, error_state: { details: name, last_update_attempt: name, version_info: name } },
      ],
    }),
    { "@type": name },
  ],
});
const serverInfoOf = (name: string): unknown => ({ version: name, state: name, uptime_current_epoch: "5s" });

const withoutSlash = (name: string): string =>
  name.replaceAll("/", "_").replaceAll("\\", "_").replaceAll("\0", "_");
/** An archive with the name wherever it may stand. */
const archiveOf = (name: string): Buffer => {
  const part = withoutSlash(name).slice(0, 300);
  return tarOf([
    { name: `bug-report/proxies/default/${part}/config_dump`, body: JSON.stringify(dumpOf(name)) },
    { name: `bug-report/proxies/default/${part}/server_info`, body: JSON.stringify(serverInfoOf(name)) },
    { name: `bug-report/proxies/${part}/b/server_info`, body: JSON.stringify(serverInfoOf(name)) },
    { name: `bug-report/istio/istio-system/${part}x/debug/syncz`, body: JSON.stringify(rows(name)) },
    { name: `bug-report/proxies/default/c/config_dump`, body: name },
    { name, body: name },
  ]);
};

const inputs: readonly { input: string; make: (name: string) => Uint8Array }[] = [
  { input: "a bare dump", make: (name) => Buffer.from(JSON.stringify(dumpOf(name))) },
  { input: "a syncz answer", make: (name) => Buffer.from(JSON.stringify(rows(name))) },
  {
    input: "the answers of Istiods",
    make: (name) => Buffer.from(JSON.stringify({ [name]: rows(name), other: rows("b.default") })),
  },
  {
    input: "an XDS answer",
    make: (name) =>
      Buffer.from(
        JSON.stringify({
          resources: [
            {
              node: { id: name, metadata: { CLUSTER_ID: name } },
              genericXdsConfigs: [{ typeUrl: name, configStatus: "ERROR", errorState: { details: name } }],
            },
          ],
          controlPlane: { identifier: JSON.stringify({ ID: name, Info: { version: name } }) },
        }),
      ),
  },
  { input: "an archive", make: archiveOf },
];
const table = inputs.flatMap((input) => names.map((name, index) => ({ ...input, name, index })));

const reportOf = (snapshot: Snapshot): ReportDocument => buildReport(snapshot, syncStatus(snapshot), "0.0.0");

/** What a browser would take for elements, attributes of which are not looked at. */
const tagsIn = (html: string): string[] =>
  [...html.matchAll(/<(\/?[a-zA-Z][^\s>/]*)/g)].map((match) => match[1]!);

describe("a proxy of any name", () => {
  it.each(table)("is harmless in a report: name $index in $input", async ({ make, name }) => {
    tried("names of proxies");
    const snapshot = await snapshotOf(make(name));
    const plain = await snapshotOf(make("plain.default"));
    const document = reportOf(snapshot);

    const html = renderHtml(document);
    expect(html).not.toMatch(/<script>alert|<img src=x/);
    expect(html.replaceAll("\t", "")).not.toMatch(controls);
    // the name makes no element: there are those that an ordinary name has
    const ordinary = new Set(tagsIn(renderHtml(reportOf(plain))));
    expect(tagsIn(html).filter((tag) => !ordinary.has(tag))).toEqual([]);

    const markdown = renderMarkdown(document);
    expect(markdown.replaceAll("\t", "")).not.toMatch(controls);
    expect(markdown.replace(/(`+)(?!`).*?(?<!`)\1(?!`)/g, "")).not.toMatch(
      /(?<!\\)<script|(?<!\\)\]\(javascript:/,
    );

    // JSON carries it as it is
    if (!name.includes("\ud800"))
      expect(JSON.stringify(document)).toContain(JSON.stringify(name).slice(1, 200).replace(/"$/, ""));
  });

  const everyName = names.map((name, index) => ({
    name,
    part: `${withoutSlash(name).slice(0, 200)}-${index}`,
  }));
  const archive = tarOf([
    ...everyName.flatMap(({ name, part }) => [
      { name: `bug-report/proxies/default/${part}/config_dump`, body: JSON.stringify(dumpOf(name)) },
      { name: `bug-report/proxies/${part}/b/server_info`, body: JSON.stringify(serverInfoOf(name)) },
      { name: `bug-report/istio/istio-system/${part}x/debug/syncz`, body: JSON.stringify(rows(name)) },
      { name: `bug-report/proxies/other/${part}/config_dump`, body: name },
    ]),
    ...everyName.map(({ name }) => ({ name, body: name })),
  ]);
  const machines = ["json", "yaml", "html"];

  it.each([
    { args: ["ps"] },
    { args: ["ps", "-o", "json"] },
    { args: ["ps", "-o", "yaml"] },
    { args: ["ps", names[1]!] },
    { args: ["ps", names[14]!] },
    { args: ["ps", "no such\u001b[31m"] },
    { args: ["ps", "-n", "\u001b[31m"] },
    { args: ["verify"] },
    { args: ["verify", "-o", "json"] },
    { args: ["version"] },
    { args: ["version", "-o", "json"] },
    { args: ["report", "-o", "-", "--format", "html"] },
    { args: ["report", "-o", "-", "--format", "json"] },
    { args: ["report", "-o", "-", "--format", "markdown"] },
  ])("is harmless on a terminal: $args", async ({ args }) => {
    tried("names of proxies");
    const path = await folder.write("names\u001b[31m.tar", archive);
    const { code, stdout, stderr } = await cli([...args, "-f", path]);
    expect(code, stderr).toBe(
      args.join().includes("no such") ? 2 : args[0] === "version" || args.includes("-n") ? 0 : 1,
    );
    if (!args.some((arg) => machines.includes(arg)))
      expect(stdout.replaceAll("\t", "")).not.toMatch(controls);
    expect(stderr).not.toMatch(controls);
    for (const line of stderr.split("\n").slice(0, -1)) expect(line).toMatch(/^istio-snapshot: /);
    if (args.join() !== "ps,-o,json") return;
    const listed = (JSON.parse(stdout) as { name: string }[]).map((row) => row.name);
    for (const name of names) expect(listed).toContain(name);
  });

  it("may be too much for a path, and harms nobody there", async () => {
    tried("names of proxies");
    const { code, stderr } = await cli(["report", "-f", `no\u001b[31m such\u202efile${"x".repeat(5000)}`]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^istio-snapshot: cannot read [^\n]*\n$/);
    expect(stderr).not.toMatch(controls);
  });

  it("writes no file of its name", async () => {
    tried("names of proxies");
    const inside = `${folder.path}/inside`;
    mkdirSync(inside);
    const path = await folder.write("evil.json", JSON.stringify(dumpOf("../../x")));
    const { code } = await cli(["report", path], { cwd: inside });
    expect(code).toBe(1);
    const { readdirSync } = await import("node:fs");
    expect(readdirSync(inside)).toEqual(["evil.html"]);
  });
});

describe("more proxies than a function takes arguments", () => {
  const many = (name: (index: number) => string): string =>
    JSON.stringify(
      Array.from({ length: 130_000 }, (_, index) => ({
        proxy: name(index),
        cluster_sent: "1",
        cluster_acked: "2",
      })),
    );
  const archiveWith = (rowsText: string): Buffer =>
    tarOf([
      { name: "bug-report/istio/istio-system/istiod-1/debug/syncz", body: rowsText },
      { name: "bug-report/istio/istio-system/istiod-1/debug/syncz.before", body: rowsText },
    ]);

  it.each([{ what: "of one name", text: many(() => "a.default") }])(
    "are all counted, soon: $what",
    async ({ text }) => {
      tried("names of proxies");
      const snapshot = await snapshotOf(archiveWith(text));
      const document = reportOf(snapshot);
      expect(document.sync.rows).toHaveLength(130_000);
      renderMarkdown(document);
    },
  );

  it("are all listed", async () => {
    tried("names of proxies");
    const path = await folder.write("many.tar", archiveWith(many((index) => `a-${index}.default`)));
    const { code, stdout } = await cli(["ps", "-f", path]);
    expect(code).toBe(1);
    expect(stdout.split("\n")).toHaveLength(130_002);
  });
});
