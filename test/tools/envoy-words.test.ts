import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect, it } from "vitest";

import { generateEnvoyWords, wordsOf } from "../../src/tools/envoy-words.js";

it("are up to date", () => {
  const file = readFileSync(join(import.meta.dirname, "../../src/redact/envoy-words.generated.ts"), "utf8");
  expect(file === generateEnvoyWords(), "outdated: npx tsx src/tools/envoy-words.ts").toBe(true);
});

it("are the names of fields, values, messages and packages", () => {
  const words = wordsOf([
    'syntax = "proto3"; package envoy.test.v3; message Thing { string first_name = 1; oneof kind { bool on = 2; } enum Mode { FAST = 0; } }',
  ]);
  expect([...words.fields].sort()).toEqual(["first_name", "kind", "on"]);
  expect([...words.values]).toEqual(["FAST"]);
  expect([...words.types].sort()).toEqual(["Thing", "envoy", "test", "v3"]);
});
