import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { applyFaults } from "../support/mesh/faults.js";
import { bugReportLayout, ownLayout } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { bundle, tarGz } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";
import { cli, root, type Answer } from "../support/cli.js";

const healthy = { env: { ISTIO_SNAPSHOT: "samples/bookinfo-healthy.tar.gz" } };
const run = (...args: string[]): Promise<Answer> => cli(args, healthy);
const lines = ({ stdout }: Answer): string[] => stdout.trimEnd().split("\n");

/** The page "Debugging Envoy and Istiod" of Istio's documentation, on a snapshot. */
describe("the walk of Istio's debugging page", () => {
  it("1. is every proxy in sync?", async () => {
    const answer = await run("proxy-status");
    expect(answer.code).toBe(0);
    expect(lines(answer)).toHaveLength(8);
  });
  it("2. what does 15001 do with a connection?", async () => {
    const rows = lines(await run("proxy-config", "listeners", "productpage", "--port", "15001"));
    expect(rows[0]).toMatch(/^ADDRESSES +PORT +MATCH +DESTINATION$/);
    expect(rows[1]).toMatch(/^0\.0\.0\.0 +15001 +ALL +PassthroughCluster$/);
    expect(rows).toHaveLength(3);
  });
  it("3. who takes what goes to port 9080?", async () => {
    const rows = lines(await run("pc", "listeners", "productpage", "--address", "0.0.0.0", "--port", "9080"));
    expect(rows[1]).toMatch(/App: http\/1\.1,h2c +Route: 9080$/);
  });
  it("... and as JSON: the name of the route configuration", async () => {
    const { stdout } = await run(
      "pc",
      "listeners",
      "productpage",
      "--address",
      "0.0.0.0",
      "--port",
      "9080",
      "-o",
      "json",
    );
    expect(stdout).toContain('"routeConfigName": "9080"');
    expect(JSON.parse(stdout)).toHaveLength(1);
  });
  it("4. which virtual hosts does route 9080 have?", async () => {
    const rows = lines(await run("pc", "routes", "productpage", "--name", "9080"));
    const reviews = rows.find((row) => row.includes("reviews.default.svc.cluster.local:9080"));
    expect(reviews).toMatch(/\/\* +reviews\.default$/);
  });
  it("5. which clusters does reviews have, and from which DestinationRule?", async () => {
    const rows = lines(
      await run("pc", "clusters", "productpage", "--fqdn", "reviews.default.svc.cluster.local"),
    );
    expect(rows.slice(1).map((row) => row.split(/\s+/).slice(1, 4))).toEqual([
      ["9080", "-", "outbound"],
      ["9080", "v1", "outbound"],
      ["9080", "v2", "outbound"],
      ["9080", "v3", "outbound"],
    ]);
    for (const row of rows.slice(1)) expect(row).toMatch(/EDS +reviews\.default$/);
  });
  it("6. which endpoints, and are they healthy?", async () => {
    const rows = lines(
      await run(
        "pc",
        "endpoints",
        "productpage",
        "--cluster",
        "outbound|9080||reviews.default.svc.cluster.local",
      ),
    );
    expect(rows).toHaveLength(4);
    for (const row of rows.slice(1)) expect(row).toMatch(/:9080 +HEALTHY +OK +outbound\|9080\|\|reviews/);
  });
  it("7. what was the gateway started with?", async () => {
    const { stdout } = await run("pc", "bootstrap", "istio-ingressgateway");
    expect((JSON.parse(stdout) as { bootstrap: { node: { id: string } } }).bootstrap.node.id).toMatch(
      /^router~/,
    );
  });
  it("8. which versions?", async () => {
    expect((await run("version")).stdout).toMatch(
      /control plane version: 1\.24\.2[^]*Envoy version: 1\.32\.3/,
    );
    expect((await run("pc", "bootstrap", "istio-ingressgateway", "-o", "short")).stdout).toMatch(
      /^Envoy Version: +1\.32\.3/m,
    );
  });
});

describe("beyond istioctl", () => {
  it("without a proxy the table is over all of them", async () => {
    const rows = lines(await run("pc", "clusters", "--fqdn", "ratings.default"));
    expect(rows[0]).toMatch(/^PROXY +SERVICE FQDN/);
    expect(new Set(rows.slice(1).map((row) => row.split(" ")[0])).size).toBe(7);
    const json = JSON.parse(
      (await run("pc", "clusters", "--fqdn", "ratings.default", "-o", "json")).stdout,
    ) as { proxy: string; result: unknown[] }[];
    expect(json).toHaveLength(7);
    expect(json[0]?.result[0]).toMatchObject({ name: expect.stringContaining("ratings.default") });
  });

  it("--origin says where an Istio resource landed", async () => {
    const rows = lines(await run("pc", "all", "--origin", "VirtualService/reviews.default"));
    expect(rows[0]).toMatch(/^PROXY +KIND +NAME +OBJECT +POINTER$/);
    expect(rows.slice(1)).toHaveLength(6);
    for (const row of rows.slice(1))
      expect(row).toMatch(/routeConfiguration +9080 +route default +\/configs\/\d+\/dynamic_route_configs/);
    const one = await run(
      "pc",
      "clusters",
      "productpage",
      "--origin",
      "destination-rule/reviews.default",
      "-o",
      "json",
    );
    expect(JSON.parse(one.stdout)).toHaveLength(4);
    const none = await run("pc", "all", "--origin", "VirtualService/nobody.default");
    expect(none).toMatchObject({ code: 0, stdout: "" });
    expect(none.stderr).toContain("no object of these proxies names that resource");
    expect((await run("pc", "all", "--origin", "reviews")).code).toBe(2);
  });

  it("endpoint --wide joins EDS and /clusters", async () => {
    const rows = lines(
      await run(
        "pc",
        "ep",
        "productpage",
        "--wide",
        "--cluster",
        "outbound|9080|v1|reviews.default.svc.cluster.local",
      ),
    );
    expect(rows[0]).toMatch(/HEALTH FLAGS +PRIORITY +WEIGHT +LOCALITY +TLS MODE +POD +CLUSTER/);
    expect(rows[1]).toMatch(/healthy +0 +1 +eu-central-1\S+ +istio +reviews-v1-\S+\.default/);
  });

  it("--raw prints the dump's own spelling", async () => {
    const plain = await run("pc", "cluster", "productpage", "--fqdn", "ratings", "-o", "json");
    const raw = await run("pc", "cluster", "productpage", "--fqdn", "ratings", "-o", "json", "--raw");
    expect(plain.stdout).toContain('"edsClusterConfig"');
    expect(raw.stdout).toContain('"eds_cluster_config"');
    expect(JSON.parse(raw.stdout)).toHaveLength((JSON.parse(plain.stdout) as unknown[]).length);
    expect((await run("pc", "cluster", "productpage", "--raw")).code).toBe(2);
  });

  it("yaml is the JSON", async () => {
    const [json, yaml] = await Promise.all(
      ["json", "yaml"].map((form) => run("pc", "route", "productpage", "--name", "9080", "-o", form)),
    );
    expect(parse(yaml?.stdout ?? "")).toEqual(JSON.parse(json?.stdout ?? ""));
  });

  it("--state shows what istioctl hides", async () => {
    const { mesh } = applyFaults(buildMesh({ seed: 9 }), [
      { fault: "rejected-listener", proxy: "reviews-v2" },
      { fault: "warming-cluster", proxy: "reviews-v1" },
      { fault: "draining-listener", proxy: "reviews-v3" },
    ]);
    const input = await bundle(ownLayout(mesh), manifestOf(mesh));
    const ask = (...args: string[]): Promise<Answer> => cli([...args, "-f", "-"], { input });
    const rejected = await ask("pc", "listener", "reviews-v2", "--state", "rejected");
    expect(rejected.stdout).toMatch(/REJECTED +LAST ATTEMPT +REASON\n.*0\.0\.0\.0_9443.*filter chain/);
    expect(lines(await ask("pc", "cluster", "reviews-v1", "--state", "warming")).length).toBe(2);
    expect(lines(await ask("pc", "listener", "reviews-v3", "--state", "draining")).length).toBeGreaterThan(1);
    expect(lines(await ask("pc", "cluster", "reviews-v2", "--state", "warming")).length).toBe(1);
  });

  it("what was not captured is said, never an empty table", async () => {
    const gather = { env: { ISTIO_SNAPSHOT: "samples/bookinfo-must-gather.tar.gz" } };
    const eds = await cli(["pc", "eds", "productpage"], gather);
    expect(eds).toMatchObject({ code: 2, stdout: "" });
    expect(eds.stderr).toContain("captured without include_eds");
    const { mesh } = applyFaults(buildMesh({ seed: 9 }), [{ fault: "no-eds", proxy: "reviews-v1" }]);
    const input = await bundle(ownLayout(mesh), manifestOf(mesh));
    const all = await cli(["pc", "eds", "-f", "-"], { input });
    expect(all.code).toBe(0);
    expect(all.stderr).toMatch(/reviews-v1\S+: no EndpointsConfigDump/);
    const without = [...ownLayout(mesh)].filter(({ name }) => !name.endsWith("/clusters"));
    const fromEds = await cli(["pc", "ep", "productpage", "-f", "-"], { input: await tarGz(without) });
    expect(lines(fromEds)[1]).toMatch(/HEALTHY +- +/);
    expect(fromEds.stderr).toContain("ejections are not known");
  });

  it("endpoints of a bug-report come from its text form of /clusters", async () => {
    const mesh = buildMesh({ seed: 9 });
    const input = await tarGz(bugReportLayout(mesh, { istioctl: "1.24" }));
    const rows = lines(
      await cli(
        [
          "pc",
          "ep",
          "productpage",
          "-f",
          "-",
          "--cluster",
          "outbound|9080||reviews.default.svc.cluster.local",
        ],
        { input },
      ),
    );
    expect(rows).toHaveLength(4);
    expect(rows[1]).toMatch(/HEALTHY +OK/);
  });

  it.each([
    { args: ["pc", "cluster", "nobody"], because: "no proxy fits" },
    { args: ["pc"], because: "no kind is named" },
    { args: ["pc", "nothing"], because: "there is no such kind" },
    { args: ["pc", "cluster", "--istioctl-version", "two"], because: "that is no version" },
    { args: ["pc", "route", "--fqdn", "x"], because: "routes have no such filter" },
    { args: ["zc", "workload"], because: "there is no ztunnel" },
    { args: ["pc", "all", "-o", "json"], because: "a whole dump is of one proxy" },
  ])("exit 2 for $args: $because", async ({ args }) => {
    const answer = await run(...args);
    expect(answer.code).toBe(2);
    expect(answer.stderr).toMatch(/^istio-snapshot: [^\n]+\n$/);
    expect(answer.stdout).toBe("");
  });

  it("all -o json is the dump as it was captured", async () => {
    const { stdout } = await run("pc", "all", "productpage", "-o", "json");
    expect(stdout).toMatch(/^\{\s*"configs": \[/);
    expect(Object.keys(JSON.parse(stdout) as object)).toEqual(["configs"]);
  });
});

describe("query", () => {
  it("prints a line a hit: proxy, pointer, value", async () => {
    const rows = lines(
      await run("query", "$.configs[*].dynamic_route_configs[*].route_config.name", "productpage"),
    );
    expect(rows[0]?.split("\t")).toMatchObject([
      expect.stringMatching(/^productpage/),
      expect.stringMatching(/^\/configs\/\d+\//),
      expect.any(String),
    ]);
    expect(rows.map((row) => row.split("\t")[2])).toContain("9080");
  });
  it("-o json gives the whole values, of every proxy", async () => {
    const { stdout } = await run("query", "$.configs[0].bootstrap.node.id", "-o", "json");
    const hits = JSON.parse(stdout) as { proxy: string; pointer: string; value: string }[];
    expect(hits).toHaveLength(7);
    for (const { proxy, pointer, value } of hits)
      expect([pointer, value.split("~")[2]]).toEqual(["/configs/0/bootstrap/node/id", proxy]);
  });
  it("--limit ends it", async () => {
    expect(lines(await run("query", "$..name", "--limit", "5"))).toHaveLength(5);
  });
  it("a wrong path is exit 2", async () => {
    expect(await run("query", "$..[?(")).toMatchObject({ code: 2, stdout: "" });
  });
});

it("authz prints the policies in force", async () => {
  expect(lines(await run("authz", "ratings"))[1]).toMatch(/^ALLOW +ratings-viewer\.default +1$/);
});

it("the README's walk holds the commands that are tested here", () => {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  for (const command of [
    "pc listeners productpage --port 15001",
    "pc routes productpage --name 9080",
    "pc clusters productpage --fqdn reviews.default.svc.cluster.local",
    "pc bootstrap istio-ingressgateway",
  ]) {
    expect(readme).toContain(command);
  }
});
