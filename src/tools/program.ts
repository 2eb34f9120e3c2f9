/**
 * Bundles the analyzer into `dist/program`, so that a run reads one file in place of hundreds; `npm run build` calls it.
 * What is not in the bundle are the templates, the style sheet of diff2html, and package.json.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { build, type BuildOptions } from "esbuild";

import { isFile, lateLoading } from "./late-loading.js";
import { licencesOf } from "./licences.js";

process.chdir(fileURLToPath(new URL("../../", import.meta.url)));
const folder = "dist/program";
const fresh = `dist/program-${process.pid}`;
/** By what their arguments begin with, as bin/program.js chooses. */
const programs = ["istio-snapshot", "trace"];

const common = {
  bundle: true,
  platform: "node",
  target: "node20.19",
  outdir: fresh,
  minifyWhitespace: true, // names stay: they are in the stack of an error that a user reports
  minifySyntax: true,
  charset: "ascii", // a string of single bytes is the cheapest to read
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  logOverride: { "empty-import-meta": "silent" }, // import.meta.resolve: for running from the sources
  plugins: [lateLoading],
} satisfies BuildOptions;

try {
  await bundle();
  replace();
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** Makes everything but the caches. */
async function bundle(): Promise<void> {
  const program = await build({
    ...common,
    entryPoints: { "istio-snapshot": "src/cli/main.ts", trace: "src/cli/trace.ts" },
    format: "cjs",
    // the program is the value of the script: a function of what it needs to know
    banner: { js: "(function (require, programUrl) { const module = { exports: {} };" },
    footer: { js: "return module.exports; })" },
    define: { "import.meta.url": "programUrl" },
  });
  const worker = await build({ ...common, entryPoints: ["src/views/query-worker.ts"], format: "esm" });
  const inputs = [program, worker].flatMap(({ metafile }) => Object.keys(metafile.inputs).filter(isFile));
  writeFileSync(join(fresh, "LICENSES.txt"), licencesOf(inputs));
  for (const name of programs) {
    const file = join(fresh, `${name}.js`);
    appendFileSync(file, `//${createHash("sha256").update(readFileSync(file)).digest("hex")}`); // bin/program.js says why
  }
}

/** Puts what was made in its place, then has each program run for its cache. */
function replace(): void {
  mkdirSync(folder, { recursive: true });
  for (const name of programs) rmSync(join(folder, `${name}.cache`), { force: true });
  for (const file of readdirSync(fresh)) renameSync(join(fresh, file), join(folder, file));
  for (const name of programs) {
    const cache = `${name}.cache`;
    const { status } = spawnSync(
      process.execPath,
      ["--import", "tsx", "src/tools/program-cache.ts", name, join(fresh, cache)],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    if (status !== 0) throw new Error("the program that was built does not run");
    renameSync(join(fresh, cache), join(folder, cache));
  }
}
