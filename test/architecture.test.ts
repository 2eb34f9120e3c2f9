import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

/** The arrows of the architecture: what each folder of src/ may import, beside itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  shared: ["generated"],
  generated: [],
  bundle: ["shared"],
  redact: ["shared"],
  collect: ["bundle", "redact", "shared"], // never snapshot/: the collector stores what it saw, it does not interpret
  snapshot: ["shared"],
  ingest: ["bundle", "snapshot", "shared"],
  status: ["snapshot", "shared"], // siblings do not know each other
  diff: ["snapshot", "shared"],
  views: ["snapshot", "shared"],
  trace: ["snapshot", "shared"],
  audits: ["snapshot", "status", "diff", "trace", "shared"], // the one exception: audits reuse their functions
  report: ["snapshot", "status", "diff", "views", "trace", "audits", "shared"], // shows results, computes none
  cli: [
    "bundle",
    "redact",
    "ingest",
    "snapshot",
    "status",
    "diff",
    "views",
    "trace",
    "audits",
    "report",
    "shared",
  ], // never collect/
  tools: [], // development only
};

/** Folders that run in a browser too. */
const browserSafe = ["shared", "snapshot", "status", "diff", "trace"];

const network = /^node:(?:http|https|http2|net|tls|dgram|dns)/;
/** Where files may be touched; of report/ only the loader of the templates. */
const touchesFiles = (file: string): boolean =>
  /^(?:collect|bundle|cli|tools)\//.test(file) || file === "report/templates.ts";

const src = fileURLToPath(new URL("../src/", import.meta.url));
const sources = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.split(sep).join("/"))
  .map((file) => {
    const text = readFileSync(join(src, file), "utf8");
    const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
    return { file, folder: file.split("/")[0] ?? "", imports };
  });

/** The folder of src/ that a relative import leads to; null for a package. */
function folderOf(file: string, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  const target = relative(src, join(src, dirname(file), specifier)).split(sep);
  return target[0] === ".." ? "outside src" : (target[0] ?? "");
}

describe("the arrows", () => {
  it("cover every folder", () => {
    expect(sources.length).toBeGreaterThan(30);
    expect(Object.keys(mayImport)).toEqual(
      expect.arrayContaining([...new Set(sources.map(({ folder }) => folder))]),
    );
  });

  it.each(sources)("$file imports only what its folder may", ({ file, folder, imports }) => {
    const allowed = new Set([folder, ...(mayImport[folder] ?? [])]);
    const wrong = imports.filter((specifier) => {
      const target = folderOf(file, specifier);
      return target !== null && !allowed.has(target);
    });
    expect(wrong).toEqual([]);
  });

  it("would see a forbidden import", () => {
    expect(folderOf("status/sync-status.ts", "../report/document.js")).toBe("report");
    expect(mayImport["status"]).not.toContain("report");
  });
});

describe("the layers", () => {
  it.each(sources.filter(({ folder }) => browserSafe.includes(folder)))(
    "$file runs in a browser",
    ({ imports }) => {
      expect(imports.filter((specifier) => specifier.startsWith("node:"))).toEqual([]);
    },
  );

  it("touch the network only in collect/", () => {
    const wrong = sources.filter(
      ({ folder, imports }) => folder !== "collect" && imports.some((specifier) => network.test(specifier)),
    );
    expect(wrong).toEqual([]);
  });

  it("touch files only in bundle/, cli/ and the loader of the templates", () => {
    const wrong = sources.filter(
      ({ file, imports }) =>
        !touchesFiles(file) && imports.some((specifier) => specifier.startsWith("node:fs")),
    );
    expect(wrong.map(({ file }) => file)).toEqual([]);
  });

  it("read no clock: ages are measured against the capture", () => {
    const wrong = sources.filter(({ file, folder }) => {
      if (folder === "collect" || folder === "tools" || folder === "generated") return false;
      return /\bDate\.now\(|new Date\(\)|performance\.now\(/.test(readFileSync(join(src, file), "utf8"));
    });
    expect(wrong.map(({ file }) => file)).toEqual([]);
  });
});
