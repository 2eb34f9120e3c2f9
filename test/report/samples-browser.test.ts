import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { meshDrift } from "../../src/diff/mesh-drift.js";
import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { buildReport } from "../../src/report/build-report.js";
import { withConfig } from "../../src/report/config-tables.js";
import { renderHtml } from "../../src/report/html.js";
import { syncStatus } from "../../src/status/sync-status.js";
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
  ..."del fieldset figcaption figure ins legend line text".split(" "),
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
    const snapshot = await readSnapshot(
      fileURLToPath(new URL(`../../samples/${name}.tar.gz`, import.meta.url)),
    );
    const report = withConfig(
      buildReport(snapshot, syncStatus(snapshot), "0.0.0", meshDrift(snapshot)),
      snapshot,
    );
    const path = join(folder, `${name}.html`);
    writeFileSync(path, renderHtml(report));
    const { page, complaints, close } = await openPage(path);
    // as a reader does: a proxy, then each of its tables
    await page.locator("#proxies details[id] > summary").first().click();
    const tables = page.locator("#proxies details[id]").first().locator("details.config");
    expect(await tables.count()).toBeGreaterThan(0);
    for (const table of await tables.all()) {
      await table.locator(":scope > summary").click();
      await table.locator("tbody tr").first().waitFor();
    }
    const tags = await page.evaluate<string[]>(
      "[...new Set([...document.querySelectorAll('*')].map((element) => element.localName))]",
    );
    expect(tags.filter((tag) => !ours.includes(tag))).toEqual([]);
    const text = await page.evaluate<string>("document.body.textContent");
    for (const { name: proxy } of report.sync.rows) expect(text).toContain(proxy);
    expect(text).toContain(report.verdict.headline);
    expect(complaints).toEqual([]);
    await close();
  });
});
