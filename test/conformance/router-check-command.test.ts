/** Envoy's own tests of its router check tool through the command: `trace --cases <tests> -f <route configuration>`. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { corpus, everythingIsRequired } from "../support/builders.js";
import { inProcess } from "../support/in-process.js";

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

interface Answer {
  readonly failed: number;
  readonly cases: readonly {
    readonly fields: readonly { readonly field: string; readonly passed: boolean }[];
  }[];
}

async function check(
  name: string,
): Promise<Answer & { readonly code: number | null; readonly stderr: string }> {
  const routes = join(folder, `${name === failures ? "TestRoutes" : name}.yaml`);
  const { code, stdout, stderr } = await inProcess([
    "trace",
    "--cases",
    join(folder, `${name}${suffix}`),
    "-f",
    routes,
    "-o",
    "json",
  ]);
  return { code, stderr, ...(JSON.parse(stdout) as Answer) };
}

describe.skipIf(isAbsent)("trace --cases with the router check tool's tests", () => {
  it.each(names.filter((name) => name !== failures))("%s: exit 0", async (name) => {
    const { code, stderr, failed, cases } = await check(name);
    expect({ code, stderr, failed }).toEqual({ code: 0, stderr: "", failed: 0 });
    expect(cases.length).toBeGreaterThan(0);
  });

  it(`${failures}: exit 1, by its assertions of response headers alone`, async () => {
    const { code, cases } = await check(failures);
    expect(code).toBe(1);
    const wrong = cases.flatMap(({ fields }) => fields.filter(({ passed }) => !passed));
    expect(wrong.map(({ field }) => field)).toEqual(
      [0, 1, 2, 3, 4].map((index) => `response_header_matches[${index}]`),
    );
  });

  it("covers all pairs", () => {
    expect(names).toHaveLength(10);
  });
});
