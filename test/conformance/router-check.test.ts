/** Envoy's own tests of its router check tool: each pair passes, and the one that is to fail fails in exactly its fields. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { checkRoutes } from "../../src/trace/router-check.js";
import { corpus, everythingIsRequired } from "../support/builders.js";

const folder = join(corpus, "router_check");
const isAbsent = !existsSync(folder) && !everythingIsRequired;
const suffix = ".golden.proto.json";
const names = isAbsent
  ? []
  : readdirSync(folder)
      .filter((file) => file.endsWith(suffix))
      .map((file) => file.slice(0, -suffix.length));

/** The tests that are meant to fail have the routes of the others. */
const failures = "TestRoutesFailures";
const routesOf = (name: string): string => (name === failures ? "TestRoutes" : name);
const checked = (name: string, envoy: number) =>
  checkRoutes(
    readFileSync(join(folder, `${routesOf(name)}.yaml`), "utf8"),
    readFileSync(join(folder, `${name}${suffix}`), "utf8"),
    { envoy },
  );
const failingFields = (name: string, envoy: number): string[] =>
  checked(name, envoy).flatMap((test) =>
    test.fields
      .filter(({ passed }) => !passed)
      .map(({ field, expected, actual }) => `${test.name}: ${field} is ${actual}, not ${expected}`),
  );

describe.skipIf(isAbsent)("the router check tool", () => {
  describe.each([36, 39])("by the rules of 1.%i", (envoy) => {
    it.each(names.filter((name) => name !== failures))("%s passes", (name) => {
      expect(failingFields(name, envoy)).toEqual([]);
      expect(checked(name, envoy).every(({ passed }) => passed)).toBe(true);
    });

    it(`${failures} fails in its assertions of response headers, and in no other`, () => {
      const [only, ...others] = checked(failures, envoy);
      expect(others).toEqual([]);
      expect(only?.passed).toBe(false);
      const wrong = only?.fields.filter(({ passed }) => !passed).map(({ field }) => field);
      expect(wrong).toEqual([0, 1, 2, 3, 4].map((index) => `response_header_matches[${index}]`));
      expect(only?.fields.length).toBe(6 + 5);
    });
  });

  it("has all of its tests run", () => {
    const counts = names.map((name) => checked(name, 36).length);
    expect(names).toHaveLength(10);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(80);
    console.info(`router check: ${names.length - 1} pairs conform, ${failures} fails as it is meant to`);
  });
});
