import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { root } from "./support/cli.js";

let folder = "";
let tarball = "";
let packed: string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "istio-snapshot-package-"));
  // the build is there already; building it again would pull it from under the other tests
  const text = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const parsed = JSON.parse(text) as
    | { filename: string; files: { path: string }[] }[]
    | Record<string, { filename: string; files: { path: string }[] }>;
  const [about] = Array.isArray(parsed) ? parsed : Object.values(parsed);
  tarball = join(folder, about?.filename ?? "");
  packed = about?.files.map(({ path }) => path) ?? [];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("holds what runs, and no test", () => {
  for (const file of [
    "package.json",
    "README.md",
    "LICENSE",
    "bin/istio-snapshot.js",
    "bin/istio-snapshot-collect.js",
    "bin/program.js",
    "bin/package.json",
    "dist/program/istio-snapshot.js",
    "dist/program/istio-snapshot.cache",
    "dist/program/trace.js",
    "dist/program/trace.cache",
    "dist/program/query-worker.js",
    "dist/program/LICENSES.txt",
    "dist/collect/main.js",
    "templates/page.hbs",
    "schemas/report.schema.json",
  ]) {
    expect(packed).toContain(file);
  }
  expect(packed.filter((path) => /(?:^|\/)test\/|\.test\.|^samples\/|^src\/|tools\//.test(path))).toEqual([]);
});

it("has every dependency that the built program imports, and no other", () => {
  const { dependencies, bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    bin: Record<string, string>;
  };
  const built = packed
    .filter((path) => path.startsWith("dist/") && path.endsWith(".js"))
    .map((path) => readFileSync(join(root, path), "utf8"));
  const imported = new Set(
    built
      .flatMap((text) =>
        [
          ...text.matchAll(
            /^(?:import|export) (?:[^"\n]* from )?"([^".][^"]*)"|\bimport\("([^".][^"]*)"\)/gm,
          ),
        ].map((match) => match[1] ?? match[2] ?? ""),
      )
      .filter((name) => !name.startsWith("node:"))
      .map((name) => name.split("/")[0] ?? ""),
  );
  expect([...imported].sort()).toEqual(Object.keys(dependencies).sort());
  expect(bin).toEqual({
    "istio-snapshot": "bin/istio-snapshot.js",
    "istio-snapshot-collect": "bin/istio-snapshot-collect.js",
  });
});

it("works when it is installed into an empty folder", (context) => {
  try {
    execFileSync(
      "npm",
      [
        "install",
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
        "--prefix",
        folder,
        tarball,
      ],
      { cwd: folder, stdio: "pipe" },
    );
  } catch (error) {
    if ((process.env["ISTIO_SNAPSHOT_REQUIRE_ALL"] ?? "") !== "") throw error;
    context.skip("the package registry cannot be reached");
  }
  const program = join(folder, "node_modules/.bin/istio-snapshot");
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  expect(execFileSync(program, ["--version"], { encoding: "utf8" }).trim()).toBe(version);
  expect(execFileSync(`${program}-collect`, ["--version"], { encoding: "utf8" }).trim()).toBe(version);
  const report = execFileSync(program, ["report", join(root, "samples/bookinfo-healthy.tar.gz"), "-o", "-"], {
    encoding: "utf8",
  });
  expect(report).toContain("All 7 proxies are in sync");
});
