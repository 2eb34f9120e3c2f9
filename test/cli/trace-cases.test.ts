import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Ajv } from "ajv";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { casesJunit } from "../../src/cli/commands/trace/cases-output.js";
import { root, type Answer } from "../support/cli.js";
import { inProcess } from "../support/in-process.js";

const healthy = `${root}samples/bookinfo-healthy.tar.gz`;
const scratch = mkdtempSync(join(tmpdir(), "istio-snapshot-cases-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let files = 0;
const fileOf = (text: string): string => {
  const path = join(scratch, `${files++}.yaml`);
  writeFileSync(path, text);
  return path;
};
const run = (cases: string, ...args: readonly string[]): Promise<Answer> =>
  inProcess(["trace", "-f", healthy, "--cases", fileOf(cases), ...args]);
const lines = ({ stdout }: Answer): string[] => stdout.trimEnd().split("\n");

/** One that holds, and two that do not: by its fields, and because there is no such proxy. */
const mixed = `
cases:
  - name: reviews
    request:
      from: productpage
      url: http://reviews:9080/reviews/0
      headers: { end-user: jason, x-list: [a, b] }
    expect:
      outcome: { kind: endpoint }
      request: { headers: { end-user: jason, x-list: "a,b" } }
      hops:
        - virtualHost: reviews.default.svc.cluster.local:9080
          weightedClusters: [{ weight: 80, share: 0.8 }]
  - request: { from: istio-ingressgateway, url: "http://nobody/" }
    expect:
      outcome: { status: 503, responseFlags: [] }
      hops: [{ virtualHost: null }, { cluster: there & back }]
  - name: "<nobody>"
    request: { from: nobody, url: "http://reviews:9080/" }
    expect: { outcome: { kind: endpoint } }
`;

describe("trace --cases", () => {
  it("runs all, and says of each what is not as expected; exit 1", async () => {
    const answer = await run(mixed);
    expect(answer).toMatchObject({ code: 1, stderr: "" });
    expect(lines(answer).map((line) => line.split(/ {2,}/).slice(0, 5))).toEqual([
      ["CASE", "RESULT", "FIELD", "EXPECTED", "ACTUAL"],
      ["reviews", "passed"],
      ["case 2", "FAILED", "outcome.status", "503", "404"],
      ["case 2", "FAILED", "outcome.responseFlags", "[]", '["NR"]'],
      ["case 2", "FAILED", "hops[1]", '{"cluster":"there & back"}', "(none)"],
      ["<nobody>", "FAILED", expect.stringMatching(/^no proxy fits "nobody"; there are /)],
      [""],
      ["3 cases: 1 passed, 2 failed."],
    ]);
  });

  it("exit 0 when all pass; --from is for those that name no proxy", async () => {
    const answer = await run(
      `cases: [{request: {url: "http://nobody.example.com/"}, expect: {outcome: {status: 404, responseFlags: [NR], detail: route_not_found}}}]`,
      "--from",
      "istio-ingressgateway",
    );
    expect(answer.code).toBe(0);
    expect(lines(answer).at(-1)).toBe("1 case: 1 passed, 0 failed.");
  });

  it("every flag of a request may stand in a case", async () => {
    const answer = await run(`
cases:
  - name: TLS
    request: { from: istio-ingressgateway, url: "http://bookinfo.example.com:443/productpage", tls: true, sni: bookinfo.example.com, alpn: [h2], sourceIp: 203.0.113.7 }
    expect: { hops: [{ listener: { port: 8443 } }], outcome: { kind: endpoint } }
  - name: draw
    request: { from: productpage, namespace: default, url: "http://reviews:9080/", random: 99, method: POST }
    expect: { hops: [{ cluster: "outbound|9080|v3|reviews.default.svc.cluster.local" }], request: { method: POST } }
  - name: branches
    request: { from: productpage, url: "http://reviews:9080/", allBranches: true, random: "18446744073709551615" }
    expect: { branches: [{ outcome: { kind: endpoint } }] }
  - name: address
    request: { from: productpage, url: "http://reviews:9080/", originalDst: "10.96.4.229:9080", direction: outbound }
    expect: { request: { originalDestination: "10.96.4.229:9080" } }
`);
    expect(lines(answer).slice(1)).toEqual([
      "TLS       passed",
      "draw      passed",
      "branches  passed",
      "address   passed",
      "",
      "4 cases: 4 passed, 0 failed.",
    ]);
  });

  it("as data: each field with what it is; as YAML the same", async () => {
    const { stdout } = await run(mixed, "-o", "json");
    const answer = JSON.parse(stdout) as { cases: { fields: unknown[] }[] };
    expect(answer).toMatchObject({ passed: 1, failed: 2 });
    expect(answer.cases[1]?.fields).toContainEqual({
      field: "outcome.status",
      expected: 503,
      actual: 404,
      passed: false,
    });
    expect(answer.cases[1]?.fields).toContainEqual({
      field: "hops[0].virtualHost",
      expected: null,
      actual: null,
      passed: true,
    });
    expect(answer.cases[2]).toMatchObject({ name: "<nobody>", passed: false, fields: [] });
    expect(parse((await run(mixed, "-o", "yaml")).stdout)).toEqual(answer);
  });

  it("as JUnit: a failure for what differs, an error for what cannot be run", async () => {
    const { stdout, code } = await run(mixed, "-o", "junit");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites /);
    expect(stdout).toContain(' tests="3" failures="1" errors="1">');
    expect(stdout).toMatch(/<testcase name="reviews" classname="[^"<]+"\/>/);
    expect(stdout).toContain('<failure message="outcome.status: expected 503, but it is 404">');
    expect(stdout).toContain("{&quot;cluster&quot;:&quot;there &amp; back&quot;}");
    expect(stdout).toContain('<testcase name="&lt;nobody&gt;"');
    expect(stdout).toContain('<error message="no proxy fits &quot;nobody&quot;;');
  });

  it("JUnit's XML holds no character that XML forbids", () => {
    const xml = casesJunit(
      [{ name: "a\u0000\u001b\ufffe\ud800'", passed: true, error: null, fields: [] }],
      "]]>",
    );
    expect(xml).toContain('name="a\\u0000\\u001b\ufffd\\ud800&apos;" classname="]]&gt;"/>');
  });

  it("what is wrong in one request fails that case alone", async () => {
    const answer = await run(`
cases:
  - { name: url, request: { from: productpage, url: reviews }, expect: { outcome: {} } }
  - { name: header, request: { from: productpage, url: "http://reviews:9080/", headers: { "a b": c } }, expect: { outcome: {} } }
  - { name: good, request: { from: productpage, url: "http://reviews:9080/" }, expect: { outcome: { status: null } } }
`);
    expect(answer.code).toBe(1);
    expect(lines(answer)[1]).toMatch(/^url +FAILED +"reviews" is no URL/);
    expect(lines(answer)[2]).toMatch(/^header +FAILED +"a b" is no name of a header/);
    expect(lines(answer)[3]).toBe("good    passed");
  });

  it.each([
    { cases: "cases: [", says: "is neither YAML nor JSON" },
    { cases: "cases: []", says: "/cases must NOT have fewer than 1 items" },
    { cases: "[]", says: "must be object" },
    {
      cases: "cases: [{request: {url: a, form: b}, expect: {outcome: {}}}]",
      says: "/cases/0/request has a field that is not known here: form",
    },
    {
      cases: "cases: [{request: {url: a}, expect: {}}]",
      says: "/cases/0/expect must NOT have fewer than 1 properties",
    },
    { cases: "a: &a [*a, *a]\ncases: *a", says: "" },
  ])("not answered, exit 2 and one line: $cases", async ({ cases, says }) => {
    const answer = await run(cases);
    expect(answer).toMatchObject({ code: 2, stdout: "" });
    expect(answer.stderr).toMatch(/^istio-snapshot: .+\n$/);
    expect(answer.stderr).toContain(says);
  });

  it("not answered where the file is missing, or a request stands beside it", async () => {
    const missing = await inProcess(["trace", "-f", healthy, "--cases", join(scratch, "nothing")]);
    expect(missing).toMatchObject({ code: 2, stdout: "" });
    expect(missing.stderr).toMatch(/^istio-snapshot: cannot read .*: ENOENT/);
    for (const more of [["http://reviews/"], ["-H", "a: b"], ["--tls"], ["-X", "GET"]]) {
      const answer = await run(mixed, ...more);
      expect(answer).toMatchObject({ code: 2, stdout: "" });
      expect(answer.stderr).toContain("the file of --cases holds the requests");
    }
  });

  it("the schema takes what is run here", () => {
    const schema = JSON.parse(readFileSync(`${root}schemas/trace-cases.schema.json`, "utf8")) as object;
    const validate = new Ajv({ allowUnionTypes: true }).compile(schema);
    expect(validate(parse(mixed))).toBe(true);
    expect(validate({ cases: [{ request: { url: "a" } }] })).toBe(false);
  });
});

describe("trace --cases with tests of the router check tool", () => {
  const routes = `
virtual_hosts:
  - name: shop
    domains: ["*"]
    routes:
      - { match: { prefix: /cart }, route: { cluster: cart } }
      - { match: { prefix: / }, redirect: { https_redirect: true } }
`;
  const tests = (cluster: string): string =>
    JSON.stringify({
      tests: [
        {
          test_name: "cart",
          input: { authority: "shop", path: "/cart/1", method: "GET" },
          validate: { cluster_name: cluster },
        },
      ],
    });
  const check = (given: string, ...args: readonly string[]): Promise<Answer> =>
    inProcess(["trace", "--cases", fileOf(given), "-f", fileOf(routes), ...args]);

  it("runs them on the route configuration that the snapshot is", async () => {
    const good = await check(tests("cart"));
    expect(good).toMatchObject({ code: 0, stderr: "" });
    expect(lines(good)[1]).toBe("cart  passed");
    const bad = await check(tests("basket"), "-o", "json");
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.stdout)).toEqual({
      passed: 0,
      failed: 1,
      cases: [
        {
          name: "cart",
          passed: false,
          error: null,
          fields: [{ field: "cluster_name", expected: "basket", actual: "cart", passed: false }],
        },
      ],
    });
  });

  it("is not answered where the snapshot is no route configuration", async () => {
    const answer = await inProcess(["trace", "--cases", fileOf(tests("cart")), "-f", healthy]);
    expect(answer).toMatchObject({ code: 2, stdout: "" });
    expect(answer.stderr).toMatch(/^istio-snapshot: .+\n$/);
  });
});
