import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { cli, root } from "../support/cli.js";

const drift = "samples/bookinfo-drift.tar.gz";
const healthy = "samples/bookinfo-healthy.tar.gz";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "istio-snapshot-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("exit codes", () => {
  it.each([
    { args: ["ps", "-f", healthy], code: 0, because: "all proxies are in sync" },
    { args: ["ps", "-f", drift], code: 1, because: "a proxy is STALE" },
    { args: ["ps", "-f", drift, "reviews-v1"], code: 0, because: "this proxy is in sync" },
    { args: ["ps", "-f", drift, "productpage"], code: 1, because: "this proxy is STALE" },
    { args: ["ps", "-f", drift, "-n", "istio-system"], code: 0, because: "NOT SENT is not wrong" },
    { args: ["version", "-f", drift], code: 0, because: "versions are no fault" },
    { args: ["verify", healthy], code: 0, because: "nothing is missing" },
    { args: ["verify", drift], code: 1, because: "a server_info is missing" },
    { args: ["ps"], code: 2, because: "no snapshot is named" },
    { args: ["ps", "-f", "no-such-file"], code: 2, because: "there is no such file" },
    { args: ["ps", "-f", "package.json"], code: 2, because: "that is no snapshot" },
    { args: ["ps", "-f", drift, "nobody"], code: 2, because: "no proxy fits" },
    { args: ["ps", "-f", drift, "reviews"], code: 2, because: "several proxies fit" },
    { args: ["no-such-command"], code: 2, because: "there is no such command" },
    { args: ["ps", "-f", drift, "--no-such-flag"], code: 2, because: "there is no such flag" },
    { args: ["ps", "-f", drift, "-o", "xml"], code: 2, because: "there is no such form" },
    { args: ["ps", "-f", drift, "--at", "yesterday"], code: 2, because: "that is no time" },
    { args: ["report", drift, "-o", "json"], code: 2, because: "-o is a path here" },
    { args: ["report", drift, "-o", "no/such/folder/r.html"], code: 2, because: "it cannot be written" },
    { args: ["--version"], code: 0, because: "the program's own version" },
    { args: ["--help"], code: 0, because: "help was asked for" },
  ])("$code for $args: $because", async ({ args, code }) => {
    const answer = await cli(args);
    expect({ code: answer.code, stderr: answer.stderr }).toMatchObject({ code });
    if (code === 2) {
      expect(answer.stdout).toBe("");
      expect(answer.stderr).toMatch(/^istio-snapshot: .+\n$/); // one line, with what and where
    }
    expect(answer.stderr).not.toContain("    at ");
  });
});

describe("proxy-status", () => {
  it("prints istioctl's columns", async () => {
    const { stdout } = await cli(["proxy-status", "-f", drift]);
    const [header, ...rows] = stdout.trimEnd().split("\n");
    expect(header?.split(/\s+/)).toEqual([
      "NAME",
      "CLUSTER",
      "CDS",
      "LDS",
      "EDS",
      "RDS",
      "ECDS",
      "ISTIOD",
      "VERSION",
    ]);
    expect(rows).toHaveLength(7);
    expect(rows.find((row) => row.startsWith("details"))).toContain("NOT CONNECTED");
    expect(rows.find((row) => row.startsWith("istio-ingressgateway"))).toContain("NOT SENT");
    expect(rows.find((row) => row.startsWith("productpage"))).toContain("STALE (stuck, 26m)");
    expect(rows.find((row) => row.startsWith("reviews-v2"))).toContain("ERROR (12m)");
    expect(rows.find((row) => row.startsWith("ratings"))).toContain("1.20.8");
  });

  it("has the contract's keys as JSON, and the same as YAML", async () => {
    const json = await cli(["ps", "-f", drift, "-o", "json"]);
    const yaml = await cli(["ps", "-f", drift, "-o", "yaml"]);
    const rows = JSON.parse(json.stdout) as Record<string, unknown>[];
    expect(parse(yaml.stdout)).toEqual(rows);
    for (const row of rows) {
      expect(Object.keys(row)).toEqual([
        "name",
        "namespace",
        "cluster",
        "istiod",
        "version",
        "type",
        "cds",
        "lds",
        "eds",
        "rds",
        "ecds",
        "types",
        "connected",
      ]);
    }
    const stale = rows.find(({ name }) => String(name).startsWith("productpage"));
    expect(stale).toMatchObject({ cds: "STALE", namespace: "default", connected: true, type: "sidecar" });
    expect(stale?.["types"]).toMatchObject({ CDS: { state: "STALE", error: null, progress: "stuck" } });
    expect(rows.find(({ name }) => String(name).startsWith("details"))).toMatchObject({
      connected: false,
      cds: "-",
    });
    const rejected = rows.find(({ name }) => String(name).startsWith("reviews-v2"));
    expect(rejected?.["types"]).toMatchObject({
      LDS: { state: "ERROR", error: expect.stringContaining("0.0.0.0_9443") },
    });
  });

  it("shows the text of a rejection for one proxy", async () => {
    const { stdout } = await cli(["ps", "reviews-v2", "-f", drift]);
    expect(stdout).toContain("REJECTED BECAUSE");
    expect(stdout).toContain("filter chain '' has the same matching rules");
  });

  it("takes the snapshot from ISTIO_SNAPSHOT, and -f before that", async () => {
    expect((await cli(["ps"], { env: { ISTIO_SNAPSHOT: healthy } })).code).toBe(0);
    expect((await cli(["ps", "-f", drift], { env: { ISTIO_SNAPSHOT: healthy } })).code).toBe(1);
  });

  it("reads standard input", async () => {
    const input = readFileSync(join(root, drift));
    const piped = await cli(["ps", "-f", "-"], { input });
    expect(piped.stdout).toBe((await cli(["ps", "-f", drift])).stdout);
    expect((await cli(["verify", "-"], { input })).stdout).toContain("standard input");
  });

  it("has no colours where it is piped", async () => {
    expect((await cli(["ps", "-f", drift])).stdout).not.toContain("\u001b");
  });

  it("measures ages against --at", async () => {
    const { stdout } = await cli(["ps", "-f", drift, "--at", "2026-03-14T12:30:00Z"]);
    expect(stdout).toContain("STALE (stuck, 3h26m)");
    const bare = await cli(["ps", "-f", "-", "-o", "json"], {
      input: Buffer.from('[{"proxy":"a.b","cluster_sent":"1"}]'),
    });
    expect(JSON.parse(bare.stdout)[0]).toMatchObject({ cds: "STALE (Never Acknowledged)" });
  });
});

describe("report", () => {
  it("writes HTML beside the user, JSON and Markdown on request", async () => {
    const html = await cli(["report", join(root, drift)], { cwd: folder });
    expect(html.code).toBe(1);
    expect(html.stderr).toContain("Wrote bookinfo-drift.html");
    expect(readFileSync(join(folder, "bookinfo-drift.html"), "utf8")).toMatch(/^<!doctype html>/i);
    const json = await cli(["report", healthy, "--format", "json", "-o", "-"]);
    expect(json.code).toBe(0);
    expect(JSON.parse(json.stdout)).toMatchObject({ schemaVersion: 1, verdict: { tone: "good" } });
    const markdown = await cli(["report", drift, "--format", "markdown", "-o", "-"]);
    expect(markdown.stdout).toMatch(/^## 3 of 7 proxies need attention/);
    expect(readdirSync(folder)).toEqual(["bookinfo-drift.html"]);
  });

  it("says the same of one mesh, packed three ways, but for what a kind never holds", async () => {
    const verdicts = await Promise.all(
      [drift, "samples/bookinfo-bug-report.tar.gz"].map(async (sample) => {
        const { stdout } = await cli(["report", sample, "--format", "json", "-o", "-"]);
        const { sync } = JSON.parse(stdout) as { sync: { rows: Record<string, { state?: string }>[] } };
        return sync.rows.map(({ name, cds, lds, eds, rds }) => [
          name,
          cds?.state,
          lds?.state,
          eds?.state,
          rds?.state,
        ]);
      }),
    );
    expect(verdicts[0]).toEqual(verdicts[1]);
  });
});

describe("version", () => {
  it("prints istioctl's words, and Envoy's version", async () => {
    const { stdout } = await cli(["version", "-f", drift]);
    expect(stdout).toMatch(/control plane version: 1\.24\.2-/);
    expect(stdout).toContain("data plane version: 1.20.8 (1 proxy), 1.24.2 (6 proxies)");
    expect(stdout).toMatch(/^Envoy version: /m);
  });

  it("lists what could not be read", async () => {
    const { stdout } = await cli(["version", "-f", drift, "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      incomplete: [expect.stringContaining("server_info was not captured")],
    });
  });
});

describe("verify", () => {
  it("proves each file by its SHA-256", async () => {
    const { stdout } = await cli(["verify", healthy, "-o", "json"]);
    expect(JSON.parse(stdout)).toMatchObject({ whole: true, incomplete: [], files: { wrong: [] } });
  });

  it("says of a cut bundle that it was cut", async () => {
    const bytes = readFileSync(join(root, healthy));
    const cut = await cli(["verify", "-f", "-", "-o", "json"], {
      input: bytes.subarray(0, bytes.length >> 1),
    });
    expect(cut.code).toBe(1);
    expect(JSON.parse(cut.stdout)).toMatchObject({
      whole: false,
      incomplete: expect.arrayContaining([expect.stringContaining("it was cut off")]),
    });
  });
});

it("a closed pipe ends quietly", async () => {
  const { code, stderr } = await new Promise<{ code: number | null; stderr: string }>((resolve) => {
    const child = spawn(
      "sh",
      [
        "-c",
        `"${process.execPath}" bin/istio-snapshot.js report ${drift} --format json -o - | head -c 10 >/dev/null`,
      ],
      { cwd: root },
    );
    let text = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    child.on("close", (status) => resolve({ code: status, stderr: text }));
  });
  expect(code).toBe(0);
  expect(stderr).not.toMatch(/EPIPE| {4}at /);
});
