import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { chromium, type Browser, type Page } from "playwright-core";

/** Where Chromium is, or undefined. A CHROMIUM_BIN that leads nowhere is a mistake, not an absence. */
export function chromiumPath(): string | undefined {
  const named = process.env["CHROMIUM_BIN"] ?? "";
  if (named !== "") {
    if (!existsSync(named)) throw new Error(`CHROMIUM_BIN: there is no file ${named}`);
    return named;
  }
  const usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  return usual.find((path) => existsSync(path));
}

/** Whether tests of the page are to be skipped: where Chromium is absent, unless everything is required. */
export const withoutChromium =
  chromiumPath() === undefined && (process.env["ISTIO_SNAPSHOT_REQUIRE_ALL"] ?? "") === "";

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: "light" | "dark";
  readonly javaScript?: boolean;
  /** The address's fragment, without "#". */
  readonly anchor?: string;
}

export interface OpenedPage {
  readonly page: Page;
  /** Everything that a clean page does not do: console messages, exceptions, requests for more than the file. */
  readonly complaints: string[];
  readonly close: () => Promise<void>;
}

let browser: Promise<Browser> | undefined;

export async function openPage(path: string, options: PageOptions = {}): Promise<OpenedPage> {
  const context = await (
    await (browser ??= launch())
  ).newContext({
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
    colorScheme: options.colorScheme ?? "light",
    javaScriptEnabled: options.javaScript ?? true,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const file = pathToFileURL(path).href;
  page.on("console", (message) => complaints.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== file) complaints.push(`request: ${request.url()}`);
  });
  await page.goto(options.anchor === undefined ? file : `${file}#${options.anchor}`);
  return { page, complaints, close: () => context.close() };
}

export async function closeChromium(): Promise<void> {
  const running = browser;
  browser = undefined;
  await (await running)?.close();
}

async function launch(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) {
    throw new Error("Chromium is needed: install it, or name it in CHROMIUM_BIN");
  }
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
}
