import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { licencesOf } from "../../src/tools/licences.js";
import { root } from "../support/cli.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "istio-snapshot-licences-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function aPackage(path: string, licence: string | null): string {
  const place = join(folder, "node_modules", path);
  mkdirSync(place, { recursive: true });
  writeFileSync(
    join(place, "package.json"),
    JSON.stringify({ name: path, version: "1.2.3", license: "MIT" }),
  );
  if (licence !== null) writeFileSync(join(place, "LICENSE.md"), licence);
  return join(place, "lib/index.js");
}

it("are those of the packages, each once, also of one inside another", () => {
  const outer = aPackage("@scope/outer", "outer's terms");
  const inner = aPackage("@scope/outer/node_modules/inner", "inner's terms");
  const text = licencesOf(["src/cli/main.ts", outer, inner, outer.replace("index.js", "other.js")]);
  expect(text.match(/terms|\(MIT\)/g)).toHaveLength(4);
  expect(text.indexOf("outer's terms")).toBeLessThan(text.indexOf("inner's terms"));
});

it("cannot be left out", () => {
  expect(() => licencesOf([aPackage("bare", null)])).toThrow("brings no licence (MIT)");
});

it("stand beside the program", () => {
  const text = readFileSync(join(root, "dist/program/LICENSES.txt"), "utf8");
  for (const name of ["yargs", "yaml", "re2js", "handlebars", "ajv"])
    expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, "m"));
});
