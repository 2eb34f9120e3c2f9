import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { renderHtml } from "../../src/report/html.js";
import { closeChromium, openPage, withoutChromium, type PageOptions } from "../support/chromium.js";
import {
  aBareReport,
  aCell,
  aDriftedReport,
  aHealthyReport,
  aLargeReport,
  aReport,
  aRow,
  hostile,
} from "../support/report-fixture.js";

const reports = { broken: aReport(), healthy: aHealthyReport(), bare: aBareReport(), large: aLargeReport() };
type Name = keyof typeof reports;

describe.skipIf(withoutChromium)("the page in Chromium", () => {
  let folder = "";
  let opened: Awaited<ReturnType<typeof openPage>> | undefined;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "istio-snapshot-page-"));
    for (const [name, report] of Object.entries(reports)) {
      writeFileSync(join(folder, `${name}.html`), renderHtml(report));
    }
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
  async function open(name: Name, options?: PageOptions): Promise<Page> {
    opened = await openPage(join(folder, `${name}.html`), options);
    return opened.page;
  }
  const visible = (page: Page, selector: string): Promise<number> =>
    page.locator(selector).filter({ visible: true }).count();
  const firstName = (page: Page): Promise<string> =>
    page.locator("#sync tbody > tr").first().locator("th").innerText();

  it.each(Object.keys(reports) as Name[])("opens quietly: %s", async (name) => {
    const page = await open(name);
    expect(await page.title()).toContain(reports[name].verdict.headline);
    expect(await page.locator("html.js").count()).toBe(1);
  });

  it("shows hostile text as text", async () => {
    const page = await open("broken");
    expect(await page.locator("img, iframe, object, b, link").count()).toBe(0);
    expect(await page.locator("script").count()).toBe(2);
    expect(await firstName(page)).toBe(`${hostile.script}.${hostile.path}`);
    expect(await page.locator("#sync tbody > tr").first().locator("td").first().innerText()).toBe(
      hostile.image,
    );
  });

  it("gives its data back", async () => {
    const page = await open("broken");
    const data: unknown = JSON.parse((await page.locator("#report-data").textContent()) ?? "");
    expect(data).toEqual(reports.broken);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download the JSON" }).click();
    const file = join(folder, "data.json");
    await (await download).saveAs(file);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(reports.broken);
    // a download of data in the page asks no server
    opened!.complaints.splice(
      0,
      Infinity,
      ...opened!.complaints.filter((text) => !text.startsWith("request: blob:")),
    );
  });

  it("filters the table and the proxies by every word", async () => {
    const page = await open("large");
    await page.getByLabel("Filter the table").fill("team-3 APP-27-");
    expect(await visible(page, "#sync tbody > tr")).toBe(1);
    expect(await page.locator("#sync .status").innerText()).toBe("1 of 300 shown");
    await page.getByLabel("Filter the proxies").fill("app-27-");
    expect(await visible(page, "details.proxy")).toBe(1);
    await page.getByLabel("Filter the table").fill("");
    expect(await visible(page, "#sync tbody > tr")).toBe(300);
    expect(await page.locator("#sync .status").innerText()).toBe("");
  });

  it("hides what is in sync on request", async () => {
    const page = await open("large");
    await page.getByLabel("Only what is not in sync").check();
    expect(await visible(page, "#sync tbody > tr")).toBe(34);
  });

  it("sorts by a column, up and down, and says so", async () => {
    const page = await open("broken");
    const head = page.getByRole("columnheader", { name: "EDS", exact: true });
    await head.getByRole("button").click();
    expect(await head.getAttribute("aria-sort")).toBe("ascending");
    expect(await firstName(page)).toContain("ratings-v1"); // the worst first
    await page.getByRole("columnheader", { name: "NAME" }).getByRole("button").click();
    expect(await head.getAttribute("aria-sort")).toBeNull();
    const ascending = await page.locator("#sync tbody > tr > th").allInnerTexts();
    await page.getByRole("columnheader", { name: "NAME" }).getByRole("button").click();
    expect(await page.locator("#sync tbody > tr > th").allInnerTexts()).toEqual(ascending.toReversed());
  });

  it("opens the section that its address names", async () => {
    const page = await open("large", { anchor: "proxy-app-250" });
    const section = page.locator("#proxy-app-250");
    expect(await section.getAttribute("open")).toBe("");
    const top = "document.getElementById('proxy-app-250').getBoundingClientRect().top";
    await expect.poll(() => page.evaluate<number>(top)).toBeLessThan(60);
    expect(await page.evaluate<number>(top)).toBeGreaterThanOrEqual(0);
    expect(await page.locator("details.proxy[open]").count()).toBe(1);
  });

  it("opens the section of a name in the table, even a filtered one", async () => {
    const page = await open("broken");
    await page.getByLabel("Filter the proxies").fill("nothing is named so");
    expect(await visible(page, "details.proxy")).toBe(0);
    await page.locator("#sync").getByRole("link", { name: "details-v1" }).click();
    expect(await page.locator("#proxy-details").getAttribute("open")).toBe("");
    expect(await visible(page, "details.proxy")).toBe(6);
  });

  it.each(["no-such-id", "%E0%A4%A", "a%22%5D"])("survives the address #%s", async (anchor) => {
    const page = await open("healthy", { anchor });
    expect(await page.locator("details.proxy[open]").count()).toBe(0);
  });

  it("copies the place of the evidence", async () => {
    const page = await open("broken");
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.locator("#verdict summary").first().click();
    await page.locator("#verdict .evidence button").first().click();
    await page.getByText("Copied").waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(
      "istio-snapshot/proxies/istio-system/gateway-6c9/config_dump?include_eds#/configs/2/dynamic_listeners/4/error_state",
    );
  });

  it.each([
    { name: "broken" as const, width: 390 },
    { name: "large" as const, width: 390 },
    { name: "broken" as const, width: 360 },
    { name: "broken" as const, width: 320 },
    { name: "broken" as const, width: 1000 },
    { name: "broken" as const, width: 1280 },
  ])("never scrolls sideways: $name at $width px", async ({ name, width }) => {
    const page = await open(name, { width });
    await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
    const wide = await page.evaluate<number>("document.documentElement.scrollWidth");
    expect(wide).toBeLessThanOrEqual(width);
  });

  it("never scrolls sideways, whatever word a cell holds", async () => {
    const path = join(folder, "words.html");
    const word = "W".repeat(300);
    const row = aRow(word, {
      cds: aCell(word),
      lds: aCell(word, { error: word }),
      istiod: word,
      version: word,
    });
    writeFileSync(path, renderHtml(aHealthyReport({ title: word, sync: { rows: [row], missing: "" } })));
    opened = await openPage(path);
    await opened.page.locator("#sync summary").click();
    expect(await opened.page.evaluate<number>("document.documentElement.scrollWidth")).toBeLessThanOrEqual(
      1280,
    );
  });

  it("is complete without JavaScript", async () => {
    const page = await open("broken", { javaScript: false });
    expect(await page.getByRole("heading", { name: "4 of 7 proxies are not in sync" }).isVisible()).toBe(
      true,
    );
    expect(await visible(page, "#sync tbody > tr")).toBe(7);
    expect(await visible(page, "button, input")).toBe(0);
    await page.locator("#proxy-gateway > summary").click();
    expect(
      await page.locator("#proxy-gateway").getByText("Invalid path: /etc/certs/tls.crt").first().isVisible(),
    ).toBe(true);
  });

  it("prints what is folded", async () => {
    const page = await open("broken", { javaScript: false });
    await page.emulateMedia({ media: "print" });
    expect(await page.locator("#proxy-details dl").first().isVisible()).toBe(true);
    expect((await page.pdf()).byteLength).toBeGreaterThan(10_000);
  });

  it("prints with everything open, and is afterwards as it was", async () => {
    const page = await open("broken");
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await page.locator("details:not([open], .diff)").count()).toBe(0);
    expect(await page.locator("details.diff[open]").count()).toBe(0);
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    expect(await page.locator("details[open]").count()).toBe(0);
  });

  it("has landmarks, and headings that skip no level", async () => {
    const page = await open("broken");
    for (const role of ["banner", "navigation", "main", "contentinfo"] as const) {
      expect(await page.getByRole(role).count(), role).toBe(1);
    }
    const levels = await page.evaluate<number[]>(
      "[...document.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.tagName[1]))",
    );
    expect(levels[0]).toBe(1);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    expect(levels.filter((level, at) => at > 0 && level > levels[at - 1]! + 1)).toEqual([]);
    expect(await page.locator("table:not(:has(caption), [role=presentation]), th:not([scope])").count()).toBe(
      0,
    );
    expect(await page.locator("section:not([aria-labelledby])").count()).toBe(0);
  });

  const lines = (page: Page, view: "side-by-side" | "inline"): Promise<boolean> =>
    page.locator(`#drift details.diff .${view}`).nth(1).isVisible();
  const openDiff = (page: Page): Promise<void> =>
    page.locator("#drift details.diff > summary").nth(1).click();

  it.each([true, false])(
    "draws a difference side by side and inline (JavaScript: %s)",
    async (javaScript) => {
      const page = await open("broken", { javaScript });
      await openDiff(page);
      expect([await lines(page, "side-by-side"), await lines(page, "inline")]).toEqual([true, false]);
      await page.getByRole("radio", { name: "Inline" }).filter({ visible: true }).check();
      expect([await lines(page, "side-by-side"), await lines(page, "inline")]).toEqual([false, true]);
      expect(
        await page.locator("#drift details.diff").nth(1).locator(".inline tr.d2h-del").first().innerText(),
      ).toContain('"connectTimeout": "10s"');
      // the choice is for all of them, where that can be
      const others = await page.locator(".views input[value=inline]:checked").count();
      expect(others).toBe(javaScript ? 4 : 3);
    },
  );

  it.each([false, true])(
    "draws a difference inline where the window is narrow (chosen: %s)",
    async (isChosen) => {
      const page = await open("broken");
      await openDiff(page);
      if (isChosen) await page.getByRole("radio", { name: "Inline" }).filter({ visible: true }).check();
      await page.setViewportSize({ width: 360, height: 800 });
      expect([await lines(page, "side-by-side"), await lines(page, "inline")]).toEqual([false, true]);
      expect(await visible(page, ".views input")).toBe(0);
    },
  );

  it("keeps lines that stand for each other side by side, also where one is wrapped", async () => {
    const page = await open("broken", { width: 1000 });
    const rows = await page.evaluate<[number, number, number][]>(`
      [...document.querySelectorAll("#drift details.diff")].flatMap((diff) => {
        diff.open = true;
        const [left, right] = ["left", "right"].map((side) => [...diff.querySelectorAll(".d2h-" + side + " tr")]);
        return left.map((row, at) => {
          const [a, b] = [row.getBoundingClientRect(), right[at].getBoundingClientRect()];
          return [a.top - b.top, a.height - b.height, a.height];
        });
      })`);
    const drawn = rows.filter(([, , height]) => height > 0);
    expect(drawn.length).toBeGreaterThan(25);
    expect(drawn.filter(([top, height]) => top !== 0 || height !== 0)).toEqual([]);
    expect(new Set(drawn.map(([, , height]) => Math.round(height))).size).toBeGreaterThan(1); // some are wrapped
  });

  it.each([
    { colorScheme: "light" as const, removed: "rgb(255, 235, 233)", added: "rgb(218, 251, 225)" },
    { colorScheme: "dark" as const, removed: "rgb(60, 22, 24)", added: "rgb(18, 38, 30)" },
  ])("draws differences in the $colorScheme theme", async ({ colorScheme, removed, added }) => {
    const page = await open("broken", { colorScheme });
    await openDiff(page);
    const ground = (row: string): Promise<string> =>
      page.evaluate<string>(
        `getComputedStyle(document.querySelectorAll("#drift details.diff")[1].querySelector(".side-by-side tr.${row}")).backgroundColor`,
      );
    expect([await ground("d2h-del"), await ground("d2h-ins")]).toEqual([removed, added]);
  });

  it("leads to the drift and the timeline", async () => {
    const page = await open("broken", { anchor: "drift" });
    expect(await page.evaluate<number>("scrollY")).toBeGreaterThan(0);
    await page.getByRole("navigation").getByRole("link", { name: "Timeline" }).click();
    await page.getByLabel("Only what did not arrive everywhere").check();
    expect(await visible(page, "#timeline tbody > tr")).toBe(2);
    expect(await page.locator("#timeline .status").innerText()).toBe("2 of 7 shown");
    await page.getByLabel("Filter the timeline").fill("<script>");
    expect(await visible(page, "#timeline tbody > tr")).toBe(1);
  });

  it("stays usable with hundreds of long differences", async () => {
    const path = join(folder, "drifted.html");
    writeFileSync(path, renderHtml(aDriftedReport(120, 400, 300)));
    opened = await openPage(path);
    const { page } = opened;
    await page.getByLabel("Filter what differs from Istiod").fill("s117.");
    expect(await visible(page, "#drift .point")).toBe(1);
    expect(await page.getByText("120 causes.").isVisible()).toBe(true);
    await page.getByLabel("Filter what differs from Istiod").fill("");
    await page.locator("#drift details.diff > summary").first().click();
    expect(await visible(page, "#drift .side-by-side tr.d2h-del")).toBeGreaterThan(100);
    const drawn = await page.locator("#drift details.diff").count();
    expect(drawn).toBeGreaterThan(30);
    expect(
      await page.locator("#drift").getByText("are drawn: the JSON of this report holds it whole").count(),
    ).toBeGreaterThan(0);
  });

  it("leads the keyboard to the verdict first, and shows where it is", async () => {
    const page = await open("broken");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Skip to the verdict");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("verdict");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
  });

  it("filters 300 proxies to those that fit", async () => {
    const page = await open("large");
    await page.locator("#sync input[type=search]").fill("team-3");
    const fitting = reports.large.sync.rows.filter(({ name }) => name.includes("team-3")).length;
    expect(fitting).toBeGreaterThan(0);
    expect(await visible(page, "#sync tbody > tr")).toBe(fitting);
  });
});
