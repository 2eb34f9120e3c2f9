import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { ReportDocument } from "../../src/report/document.js";
import { renderHtml } from "../../src/report/html.js";
import { closeChromium, openPage, withoutChromium } from "../support/chromium.js";
import { samples } from "../support/samples.js";

/** What a page of ours is made of; anything else would be markup from a bundle. */
const ours = [
  ..."a article body br button caption code dd details div dl dt footer h1 h2 h3 h4 head header html input label li main".split(
    " ",
  ),
  ..."meta nav ol p pre rect script section small span strong style summary svg table tbody td th thead time title tr ul".split(
    " ",
  ),
];

describe.skipIf(withoutChromium)("the report of each sample in Chromium", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "istio-snapshot-samples-"));
  });
  afterAll(async () => {
    await closeChromium();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(samples)("$name: quiet console, no request, no markup but ours", async ({ name }) => {
    const report = JSON.parse(
      readFileSync(new URL(`../../samples/${name}.report.json`, import.meta.url), "utf8"),
    ) as ReportDocument;
    const path = join(folder, `${name}.html`);
    writeFileSync(path, renderHtml(report));
    const { page, complaints, close } = await openPage(path);
    const tags = await page.evaluate<string[]>(
      "[...new Set([...document.querySelectorAll('*')].map((element) => element.localName))]",
    );
    expect(tags.filter((tag) => !ours.includes(tag))).toEqual([]);
    expect(await page.locator("script").count()).toBe(2); // the program and the document
    const text = await page.evaluate<string>("document.body.textContent");
    for (const { name: proxy } of report.sync.rows) expect(text).toContain(proxy);
    expect(text).toContain(report.verdict.headline);
    const embedded = await page.evaluate<string>("document.getElementById('report-data').textContent");
    expect(JSON.parse(embedded)).toEqual(report);
    expect(complaints).toEqual([]);
    await close();
  });
});
