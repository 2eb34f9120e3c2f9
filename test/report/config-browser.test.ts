import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { renderHtml } from "../../src/report/html.js";
import { closeChromium, openPage, withoutChromium, type PageOptions } from "../support/chromium.js";
import { aReportWithConfig, hostile } from "../support/report-fixture.js";

const report = aReportWithConfig();

describe.skipIf(withoutChromium)("the tables of what a proxy holds, in Chromium", () => {
  let folder = "";
  let opened: Awaited<ReturnType<typeof openPage>> | undefined;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "istio-snapshot-config-"));
    writeFileSync(join(folder, "page.html"), renderHtml(report));
  });
  afterEach(async () => {
    // whatever a test did: the console is quiet, and nothing but the file was asked for
    expect(opened?.complaints ?? []).toEqual([]);
    await opened?.close();
    opened = undefined;
  });
  afterAll(async () => {
    await closeChromium();
    if (folder !== "") rmSync(folder, { recursive: true });
  });
  async function openProxy(options?: PageOptions): Promise<Page> {
    opened = await openPage(join(folder, "page.html"), options);
    await opened.page.locator("details.proxy > summary").first().click();
    return opened.page;
  }
  const tableOf = (page: Page, kind: string): Locator =>
    page.locator("details.proxy").first().locator(`details.config[data-kind=${kind}]`);
  async function openTable(page: Page, kind: string): Promise<Locator> {
    const table = tableOf(page, kind);
    await table.locator("summary").click();
    await table.locator("table").waitFor();
    return table;
  }
  const rows = (table: Locator): Locator => table.locator("tbody > tr:not(.detail)");

  it("opens a table, and a row to its JSON", async () => {
    const page = await openProxy();
    expect(await page.locator("table.held").count()).toBe(0);
    const table = await openTable(page, "listener");
    expect(await rows(table).count()).toBe(3);
    expect(await table.locator("thead th").allInnerTexts()).toEqual(report.config.kinds[0]!.header);
    const opener = rows(table).first().locator("th button");
    await opener.click();
    expect(await opener.getAttribute("aria-expanded")).toBe("true");
    expect(JSON.parse(await table.locator("pre").innerText())).toEqual(
      // what would be unseen is escaped, as JSON has it
      report.config.kinds[0]!.resources[0]!.json,
    );
    await opener.click();
    expect(await table.locator("pre").count()).toBe(0);
    expect(await page.locator("table:not(:has(caption)), th:not([scope])").count()).toBe(0);
  });

  it("shows hostile text as text", async () => {
    const page = await openProxy();
    const listeners = await openTable(page, "listener");
    const last = rows(listeners).last();
    expect(await last.locator("th").innerText()).toContain(hostile.script); // no address: the name
    expect(await last.locator("td").nth(1).innerText()).toBe(hostile.image);
    await last.locator("th button").click();
    expect(await listeners.locator("pre").innerText()).toContain("red\\u001b[31mbell\\u0007");
    const clusters = await openTable(page, "cluster");
    expect(await rows(clusters).nth(1).locator("th").innerText()).toContain("gateway-\\u202egnp.exe");
    expect(await page.locator("img, iframe, object, b, link").count()).toBe(0);
    expect(await page.locator("script").count()).toBe(3);
  });

  it("draws 500 rows, and filters and sorts all", async () => {
    const page = await openProxy();
    const table = await openTable(page, "cluster");
    expect(await rows(table).count()).toBe(500);
    expect(await table.getByRole("status").innerText()).toContain("700 more");
    await table.getByRole("searchbox").fill("TEAM s1196");
    expect(await rows(table).count()).toBe(1);
    expect(await table.getByRole("status").innerText()).toBe("1 of 1200 fit.");
    await table.getByRole("searchbox").fill("");
    const head = table.getByRole("columnheader", { name: "PORT" });
    await head.getByRole("button").click();
    await head.getByRole("button").click();
    expect(await head.getAttribute("aria-sort")).toBe("descending");
    expect(await rows(table).first().locator("td").first().innerText()).toBe("10199");
    // one is not active, so that there is a column for it
    await table.getByRole("columnheader", { name: "STATE" }).getByRole("button").click();
    await table.getByRole("columnheader", { name: "STATE" }).getByRole("button").click();
    expect(await rows(table).first().locator("td").last().innerText()).toBe("warming");
  });

  it("leads from a listener to its route, to a cluster, to its endpoints and back", async () => {
    const page = await openProxy();
    const listeners = await openTable(page, "listener");
    expect(await listeners.getByRole("button", { name: "absent" }).count()).toBe(0);
    await rows(listeners).first().getByRole("button", { name: "9080", exact: true }).click();
    const routes = tableOf(page, "routeConfiguration");
    await routes.locator("pre").waitFor();
    expect(await page.evaluate("document.activeElement.textContent")).toBe("9080");
    expect(await routes.locator(".leads button").count()).toBe(1); // "not held" is no link
    await routes.locator(".leads button").click();
    const clusters = tableOf(page, "cluster");
    await clusters.locator("pre").waitFor();
    expect(await clusters.locator("pre").innerText()).toContain("outbound|9080||reviews");
    expect(await page.evaluate("document.activeElement.textContent")).toBe(
      "reviews.bookinfo.svc.cluster.local",
    );
    await clusters.locator(".leads button").click();
    const endpoints = tableOf(page, "endpointAssignment");
    await endpoints.locator("pre").waitFor();
    expect(await rows(endpoints).count()).toBe(3); // one assignment has no endpoint
    await rows(endpoints).last().locator("th button").click();
    expect(await endpoints.getByText("prints no row of it").count()).toBe(1);
    // beyond what is drawn: the filter brings it
    await endpoints.locator(".leads button").last().click();
    await expect.poll(() => page.evaluate("document.activeElement.textContent")).toContain("s497.team");
  });

  it("gives the whole document back", async () => {
    const page = await openProxy();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download the JSON" }).click();
    const file = join(folder, "data.json");
    await (await download).saveAs(file);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(report);
    const { complaints } = opened!;
    complaints.splice(0, Infinity, ...complaints.filter((text) => !text.startsWith("request: blob:")));
  });

  it.each([390, 1280])("never scrolls sideways at %d px", async (width) => {
    const page = await openProxy({ width });
    for (const kind of ["listener", "routeConfiguration", "cluster", "endpointAssignment"]) {
      const table = await openTable(page, kind);
      await rows(table).first().locator("th button").click();
    }
    expect(await page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
  });

  it("says what shows the tables where JavaScript is off", async () => {
    const page = await openProxy({ javaScript: false });
    expect(await page.getByText("The tables need JavaScript").first().isVisible()).toBe(true);
    expect(await tableOf(page, "cluster").isVisible()).toBe(false);
  });

  it("prints without the tables that were not opened", async () => {
    const page = await openProxy();
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await page.locator("details.config[open], table.held").count()).toBe(0);
  });
});
