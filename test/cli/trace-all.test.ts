import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { aResource } from "../support/builders.js";
import { root, type Answer } from "../support/cli.js";
import { anAssignment, anEdsCluster, dumpOf } from "../support/drift-snapshot.js";
import { inProcess } from "../support/in-process.js";

const sample = (name: string): string => `${root}samples/bookinfo-${name}.tar.gz`;
const scratch = mkdtempSync(join(tmpdir(), "istio-snapshot-all-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const all = (file: string, ...args: readonly string[]): Promise<Answer> =>
  inProcess(["trace", "--all", "-f", file, ...args]);
const lines = ({ stdout }: Answer): string[] => stdout.trimEnd().split("\n");

type Fields = Readonly<Record<string, unknown>>;
/** A dump of one proxy whose only virtual host has these routes. */
function fileOf(routes: readonly Fields[], more: Partial<Parameters<typeof dumpOf>[0]> = {}): string {
  const path = join(scratch, "dump.json");
  const dump = dumpOf({
    node: { id: "sidecar~10.0.0.1~client-1.default~default.svc.cluster.local", cluster: "client" },
    clusters: [anEdsCluster("here")],
    endpoints: [anAssignment("here", ["192.0.2.1"])],
    routes: [
      aResource("routeConfiguration", "80", {
        virtual_hosts: [{ name: "a:80", domains: ["a"], routes }],
      }),
    ],
    ...more,
  });
  writeFileSync(path, dump);
  return path;
}
const here: Fields = { name: "here", match: { prefix: "/here" }, route: { cluster: "here" } };
const gone: Fields = { name: "gone", match: { prefix: "/gone" }, route: { cluster: "gone" } };
const shadowed: Fields = { name: "shadowed", match: { prefix: "/here/" }, route: { cluster: "here" } };
const unknown: Fields = { name: "unknown", match: { prefix: "/x" }, route: { cluster: "lost" } };

describe("trace --all", () => {
  it("is clean where every route ends well", async () => {
    const answer = await all(sample("healthy"));
    expect(answer).toMatchObject({ code: 0, stderr: "" });
    expect(answer.stdout).toMatch(
      /^✓ \d+ routes of 7 proxies: \d+ end well, 0 cannot, 0 cannot be known, 0 not\n {2}asked\n$/,
    );
  });

  it("shows what cannot end well, once for all proxies that have it", async () => {
    const answer = await all(sample("drift"));
    expect(answer.code).toBe(1);
    expect(lines(answer).slice(2)).toEqual([
      "",
      "✗ details-v1-4289slrk9g-kwvjw.default, and 5 more proxies",
      "  routes    80",
      "  host      istio-ingressgateway.istio-system.svc.cluster.local:80",
      "  route     default",
      "  end       no inbound listener: 503 UF upstream_reset_before_response_started",
      "  cluster   outbound|80||istio-ingressgateway.istio-system.svc.cluster.local",
      "  endpoint  10.244.2.13:8080, istio-ingressgateway-5shjwrqhmg-9mvbt.istio-system",
      "  because   nothing listens on 10.244.2.13:8080",
    ]);
    expect(Math.max(...lines(answer).map(({ length }) => length))).toBeLessThanOrEqual(80);
  });

  it("is clean where it cannot be known, and says why", async () => {
    const answer = await all(sample("must-gather"));
    expect(answer.code).toBe(0);
    expect(answer.stdout).toContain("0 cannot, 60 cannot be known");
    expect(answer.stdout).toContain("Not known:\n  - not captured, 60 routes: The hosts of\n");
    expect(answer.stdout).toContain('And 11 more like this ("-o json" has all).');
  });

  it("says of which proxies no routes were captured, and what is missing", async () => {
    const answer = await all(sample("trouble"));
    expect(answer.code).toBe(1);
    expect(answer.stdout).toContain("for 15 % of its requests");
    expect(answer.stdout).toContain(
      "Routes that were not captured:\n  - reviews-v3-ml47h4w8v4-xxw7z.default: the dump is cut off",
    );
    expect(answer.stderr).toContain("the JSON is cut off");
    const json = JSON.parse((await all(sample("trouble"), "-o", "json")).stdout) as Fields;
    expect(json["notCaptured"]).toEqual([
      { proxy: expect.stringMatching(/^reviews-v3/) as string, reason: expect.any(String) as string },
    ]);
    expect(json["incomplete"]).not.toEqual([]);
  });

  it("prints a document for scripts", async () => {
    const clusters = [anEdsCluster("here"), anEdsCluster("lost")];
    const file = fileOf([here, gone, shadowed, unknown], { clusters });
    const answer = await all(file, "-o", "json");
    expect(answer.code).toBe(1);
    const json = JSON.parse(answer.stdout) as Fields;
    expect(json).toEqual({
      summary: {
        proxies: 1,
        routes: 4,
        well: 1,
        bad: 1,
        unknown: 1,
        notAsked: 1,
        badReasons: { "no cluster": 1 },
        unknownReasons: { "not captured": 1 },
      },
      routes: [
        {
          proxy: "client-1.default",
          routeConfig: "80",
          virtualHost: "a:80",
          route: "gone",
          origin: null,
          end: {
            kind: "bad",
            parts: [
              {
                reason: "no cluster",
                share: 1,
                cluster: "gone",
                endpoint: null,
                peer: null,
                outcome: {
                  kind: "failure",
                  status: 503,
                  responseFlags: ["NC"],
                  detail: "cluster_not_found",
                },
                because: "the proxy has no cluster gone",
              },
            ],
          },
        },
        {
          proxy: "client-1.default",
          routeConfig: "80",
          virtualHost: "a:80",
          route: "unknown",
          origin: null,
          end: {
            kind: "unknown",
            unknowns: [
              { reason: "not captured", message: "The hosts of lost were not captured (the dump has none)." },
            ],
          },
        },
      ],
    });
    expect(parse((await all(file, "-o", "yaml")).stdout)).toEqual(json);
  });

  it("shows only a few of many endpoints of a route", async () => {
    const weighted = { clusters: Array.from({ length: 8 }, (_, i) => ({ name: `gone ${i}`, weight: 1 })) };
    const file = fileOf([{ match: { prefix: "/" }, route: { weighted_clusters: weighted } }]);
    const answer = await all(file);
    expect(answer.stdout.match(/no cluster, for 12.5 % of its requests: 503 NC/g)).toHaveLength(5);
    expect(lines(answer).at(-1)).toBe('            and 3 more ("-o json" has all)');
  });

  it("asks one proxy, or those of one namespace", async () => {
    const counts = async (...args: readonly string[]): Promise<unknown> => {
      const { stdout } = await all(sample("drift"), "-o", "json", ...args);
      const { summary } = JSON.parse(stdout) as { readonly summary: Fields };
      return [summary["proxies"], summary["bad"]];
    };
    expect(await counts("--from", "productpage")).toEqual([1, 1]);
    expect(await counts("-n", "istio-system")).toEqual([1, 0]);
    expect(await counts("--from", "deploy/productpage-v1", "-n", "default")).toEqual([1, 1]);
  });

  it.each([
    [["--from", "nobody"], 'no proxy fits "nobody"'],
    [["-n", "nowhere"], "no config dump of an Envoy proxy in the namespace nowhere"],
    [["http://reviews:9080/"], "--all makes the requests itself"],
    [["-H", "a: b"], "--all makes the requests itself"],
    [["--random", "1"], "--all makes the requests itself"],
    [["--cases", "cases.yaml"], "--all makes the requests itself"],
    [["-o", "junit"], "-o junit is for --cases"],
  ])("refuses %j", async (args, message) => {
    const answer = await all(sample("healthy"), ...args);
    expect(answer).toMatchObject({ code: 2, stdout: "" });
    expect(answer.stderr).toContain(message);
  });

  it("is not answered where no routes were captured", async () => {
    const path = join(scratch, "empty.json");
    writeFileSync(path, JSON.stringify({ configs: [] }));
    const answer = await all(path, "--as", "a.b");
    expect(answer).toMatchObject({ code: 2, stdout: "" });
    expect(answer.stderr).toContain("the snapshot holds no routes; of a.b: no RoutesConfigDump");
    expect((await all(fileOf([here]))).code).toBe(0);
  });

  it("does not let a name steer the terminal", async () => {
    const answer = await all(fileOf([{ ...gone, name: "\u001b[2J", route: { cluster: "\u0007" } }]));
    expect(answer.code).toBe(1);
    expect(answer.stdout.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });
});
