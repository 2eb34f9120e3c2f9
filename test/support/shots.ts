/**
 * Pictures of report pages, to be looked at: `npm run shots [report.html ...]`. Without arguments every page of out/,
 * and where there is none, pages of the fixtures. They go to out/shots/.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { renderHtml } from "../../src/report/html.js";
import { closeChromium, openPage } from "./chromium.js";
import { aBareReport, aHealthyReport, aLargeReport, aReport } from "./report-fixture.js";

const out = "out";
const shots = join(out, "shots");
const tallest = 7000;
mkdirSync(shots, { recursive: true });

try {
  for (const path of pages()) {
    for (const width of [1280, 390]) {
      for (const colorScheme of ["light", "dark"] as const) {
        const picture = join(shots, `${basename(path, ".html")}-${width}-${colorScheme}.png`);
        await shoot(path, picture, width, colorScheme);
        console.log(picture);
      }
    }
  }
} finally {
  await closeChromium();
}

async function shoot(
  path: string,
  picture: string,
  width: number,
  colorScheme: "light" | "dark",
): Promise<void> {
  const { page, complaints, close } = await openPage(path, { width, colorScheme });
  // the first proxies and differences opened, so that a picture shows what is inside
  for (const kind of ["proxy", "diff"]) {
    for (const summary of (await page.locator(`details.${kind} > summary`).all()).slice(0, 3)) {
      await summary.click();
    }
  }
  await page.evaluate("scrollTo(0, 0); document.activeElement.blur()");
  const height = await page.evaluate<number>("document.documentElement.scrollHeight");
  // a window of that height, not `fullPage`: what `content-visibility` has not drawn yet would be missing
  await page.setViewportSize({ width, height: Math.min(height, tallest) });
  await page.screenshot({ path: picture });
  for (const complaint of complaints) console.error(`${path}: ${complaint}`);
  if (complaints.length > 0) process.exitCode = 1;
  await close();
}

function pages(): string[] {
  const named = process.argv.slice(2);
  if (named.length > 0) return named;
  const written = existsSync(out) ? readdirSync(out).filter((file) => file.endsWith(".html")) : [];
  if (written.length > 0) return written.map((file) => join(out, file));
  const fixtures = {
    fixture: aReport(),
    healthy: aHealthyReport(),
    bare: aBareReport(),
    large: aLargeReport(),
  };
  return Object.entries(fixtures).map(([name, report]) => {
    const path = join(shots, `${name}.html`);
    writeFileSync(path, renderHtml(report));
    return path;
  });
}
