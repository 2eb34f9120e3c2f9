import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { applyPatch } from "diff";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { aCluster } from "../support/builders.js";
import { cli, root, type Answer } from "../support/cli.js";
import { dumpOf } from "../support/drift-snapshot.js";
import { applyFaults } from "../support/mesh/faults.js";
import { bugReportLayout, type ArchiveFile } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { tarGz } from "../support/pack.js";

const healthy = "samples/bookinfo-healthy.tar.gz";
const drift = "samples/bookinfo-drift.tar.gz";

const scratch = mkdtempSync(join(tmpdir(), "istio-snapshot-compare-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const archive = async (name: string, files: Iterable<ArchiveFile>): Promise<string> => {
  const path = join(scratch, name);
  writeFileSync(path, await tarGz(files));
  return path;
};
const file = (name: string, body: string): ArchiveFile => ({
  name,
  body,
  mtime: new Date("2026-03-14T10:00:00Z"),
});

const compare = (...args: readonly string[]): Promise<Answer> => cli(["compare", ...args]);
const lines = ({ stdout }: Answer): string[] => stdout.trimEnd().split("\n");

describe("compare <before> <after>", () => {
  it("of one and the same: no difference, exit 0", async () => {
    const answer = await compare(healthy, healthy);
    expect(answer).toMatchObject({ code: 0, stdout: "7 proxies were compared: no difference.\n" });
  });

  it("says what changed by the Istio resource behind it, exit 1", async () => {
    const answer = await compare(healthy, drift);
    expect(answer.code).toBe(1);
    const [head, ...rest] = lines(answer);
    expect(head).toBe("7 proxies were compared: 8 differences.");
    expect(rest.filter((line) => line !== "" && !line.startsWith(" "))).toEqual([
      "DestinationRule/ratings.default",
      "Host/ratings.default.svc.cluster.local",
      "VirtualService/bookinfo.default",
      "(no Istio resource is named)",
    ]);
    expect(rest.find((line) => line.includes("|canary|"))).toMatch(
      /^ {2}cluster outbound\|9080\|canary\|ratings\.default\.svc\.cluster\.local appeared on details-.* and 3 more$/,
    );
  });

  it("reads one of them from standard input", async () => {
    const named = await compare(healthy, drift);
    const input = (file: string): { input: Uint8Array } => ({ input: readFileSync(`${root}${file}`) });
    expect((await cli(["compare", "-", drift], input(healthy))).stdout).toBe(named.stdout);
    expect((await cli(["compare", healthy, "-"], input(drift))).stdout).toBe(named.stdout);
    const both = ["--proxy", "reviews-v1", "--proxy", "reviews-v2"];
    expect((await cli(["compare", "-", ...both], input(healthy))).stdout).toBe(
      (await compare(healthy, ...both)).stdout,
    );
  });

  it("the other way round, what appeared has vanished", async () => {
    const { stdout, code } = await compare(drift, healthy);
    expect(code).toBe(1);
    expect(stdout).toContain("|canary|ratings.default.svc.cluster.local vanished on");
    expect(stdout).toContain("2 listeners (0.0.0.0_8080, 0.0.0.0_8443) appeared on istio-ingressgateway");
  });

  it("of bug-reports too, where the pods were replaced", async () => {
    const before = await archive(
      "before.tar.gz",
      bugReportLayout(buildMesh({ seed: 1 }), { istioctl: "1.24" }),
    );
    const after = await archive(
      "after.tar.gz",
      bugReportLayout(buildMesh({ seed: 2 }), { istioctl: "1.24" }),
    );
    const { stdout } = await compare(before, after);
    expect(stdout).toMatch(/^7 proxies were compared, 7 of them another pod of the same workload: /);
    expect(stdout).not.toMatch(/secret default|^ {2}listener /m);
  });

  it("as data: the same changes, and what was not captured", async () => {
    const json = await compare(healthy, drift, "-o", "json");
    expect(json.code).toBe(1);
    const answer = JSON.parse(json.stdout) as { changes: unknown[]; incomplete: string[] };
    expect(Object.keys(answer)).toEqual([
      "vanished",
      "appeared",
      "replaced",
      "compared",
      "sections",
      "noise",
      "notCompared",
      "changes",
      "incomplete",
    ]);
    expect(answer.changes).toHaveLength(8);
    expect(answer.changes[0]).toMatchObject({
      source: "DestinationRule/ratings.default",
      kind: "cluster",
      class: "appeared",
      before: null,
    });
    expect(answer.incomplete).toEqual([expect.stringContaining("server_info was not captured")]);
    expect(parse((await compare(healthy, drift, "-o", "yaml")).stdout)).toEqual(answer);
  });

  it("--diff adds the texts, each once and applicable", async () => {
    const cluster = (timeout: string): ArchiveFile[] => [
      file("proxies/n/p/config_dump", dumpOf({ clusters: [aCluster("a", { connect_timeout: timeout })] })),
    ];
    const before = await archive("one.tar.gz", cluster("1s"));
    const { stdout } = await compare(before, await archive("two.tar.gz", cluster("2s")), "--diff");
    const diff = stdout.slice(stdout.indexOf("--- "));
    expect(diff).toContain(`--- ${before} cluster a\n`);
    const text = (timeout: string): string =>
      `${JSON.stringify({ "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", connectTimeout: timeout, name: "a" }, null, 4)}\n`;
    expect(applyPatch(text("1s"), diff)).toBe(text("2s"));
    const { stdout: all } = await compare(healthy, drift, "--diff");
    expect(all.match(/^--- /gm)).toHaveLength(8);
  });

  it("what a dump has lost did not vanish, nor did a proxy that could not be asked", async () => {
    const trouble = "samples/bookinfo-trouble.tar.gz";
    const { stdout } = await compare(healthy, trouble);
    expect(stdout).toMatch(
      /^ {2}all resources of ratings-v1-\S+: after: error: unable to upgrade connection/m,
    );
    expect(stdout).not.toContain("Only in the first");
    expect(stdout).not.toMatch(/ on .*reviews-v3/);
    expect(stdout).toMatch(
      /^Not compared:\n {2}clusters, .* of reviews-v3-.*: after, in part: the JSON is cut off/m,
    );
  });
});

describe("compare --proxy A --proxy B", () => {
  it("of one snapshot, however that is named", async () => {
    const both = ["--proxy", "reviews-v1", "--proxy", "reviews-v2"];
    const answer = await compare("-f", healthy, ...both);
    expect(answer.code).toBe(1);
    expect(lines(answer)[0]).toMatch(/^reviews-v1-\S+ and reviews-v2-\S+ were compared: 8 differences\.$/);
    expect(answer.stdout).toMatch(
      /^ {2}7 listeners \(.*\) differ in .*tracing\.custom_tags\[0\]\.literal\.value \(v1 -> v2\)$/m,
    );
    expect((await compare(healthy, ...both)).stdout).toBe(answer.stdout);
    const { stdout } = await cli(["compare", ...both], { env: { ISTIO_SNAPSHOT: healthy } });
    expect(stdout).toBe(answer.stdout);
  });

  it("of replicas that hold the same: exit 0", async () => {
    const mesh = buildMesh({ bookinfo: false, services: 1, proxies: 2, replicas: 2 });
    const path = await archive("replicas.tar.gz", bugReportLayout(mesh, { istioctl: "1.24" }));
    const [one, other] = mesh.proxies.filter(({ type }) => type === "sidecar").map(({ id }) => id);
    const answer = await compare("-f", path, "--proxy", one!, "--proxy", other!);
    expect(answer).toMatchObject({ code: 0, stdout: `${one} and ${other} were compared: no difference.\n` });
  });
});

describe("compare --timeline", () => {
  it("has what arrived in the last hour before the capture, in order", async () => {
    const answer = await compare(drift, "--timeline");
    expect(answer.code).toBe(0);
    const times = lines(answer).map((line) => line.split("  ")[0]!);
    expect([...times].sort()).toEqual(times);
    expect(times.every((time) => time > "2026-03-14T08:30" && time < "2026-03-14T09:31")).toBe(true);
    expect(lines(answer).find((line) => line.includes("|canary|"))).toMatch(
      /arrived on 6 proxies; not on productpage-v1-[^,]*$/,
    );
  });

  it("as far back as asked for", async () => {
    const count = async (since: string): Promise<number> =>
      lines(await compare(drift, "--timeline", "--since", since)).length;
    const all = await count("all");
    expect(await count("99999999999d")).toBe(all);
    expect(await count("30m")).toBeLessThan(await count("1h"));
    expect(all).toBeGreaterThanOrEqual(await count("1h"));
    expect((await compare(drift, "--timeline", "--since", "1s")).stdout).toMatch(
      /^Nothing arrived since 2026-/,
    );
  });

  it("of one proxy, and as data", async () => {
    const { stdout } = await compare("-f", drift, "--timeline", "--proxy", "ratings-v1", "-o", "json");
    const { events } = JSON.parse(stdout) as { events: { arrivals: { proxyId: string }[] }[] };
    expect(events.length).toBeGreaterThan(10);
    for (const { arrivals } of events)
      expect(arrivals.map(({ proxyId }) => proxyId)).toEqual([expect.stringMatching(/^ratings-v1/)]);
  });

  it("names the replica where a change has not arrived", async () => {
    const mesh = buildMesh({ bookinfo: false, services: 2, proxies: 6, replicas: 3 });
    const { mesh: faulty, notes } = applyFaults(mesh, ["stale-cds"]);
    const path = await archive("stale.tar.gz", bugReportLayout(faulty, { istioctl: "1.24" }));
    const { stdout } = await compare(path, "--timeline");
    expect(stdout).toMatch(
      new RegExp(`\\|canary\\|.* arrived on 5 proxies.*; not on ${notes[0]!.proxyId}$`, "m"),
    );
  });
});

describe("compare refuses", () => {
  let empty = "";
  let broken = "";
  beforeAll(async () => {
    empty = await archive("empty.tar.gz", [file("istio/istio-system/istiod/debug/syncz", "[]")]);
    broken = await archive("broken.tar.gz", [file("proxies/n/p/config_dump", "connection refused")]);
  });

  it.each([
    { args: () => [], says: "name two snapshots" },
    { args: () => [healthy], says: "name two snapshots" },
    { args: () => [healthy, "no-such-file"], says: "no-such-file" },
    {
      args: () => [healthy, drift, "--proxy", "a", "--proxy", "b"],
      says: "two proxies are compared in one snapshot",
    },
    { args: () => ["-f", healthy, "--proxy", "reviews-v1"], says: "name two proxies" },
    { args: () => ["-f", healthy, "--proxy", "a", "--proxy", "b", "--proxy", "c"], says: "name two proxies" },
    {
      args: () => ["-f", healthy, "--proxy", "reviews-v1", "--proxy", "reviews-v1-"],
      says: "both name reviews-v1-",
    },
    {
      args: () => ["-f", healthy, "--proxy", "reviews-v1", "--proxy", "nobody"],
      says: 'no proxy fits "nobody"',
    },
    { args: () => ["-f", healthy, "--proxy", "reviews-v1", "--proxy", "reviews"], says: "fits 3 proxies" },
    { args: () => [healthy, drift, "--timeline"], says: "a timeline is of one snapshot" },
    { args: () => [drift, "--timeline", "--since", "yesterday"], says: "--since must be a time" },
    { args: () => [drift, "--timeline", "--proxy", "nobody"], says: 'no proxy fits "nobody"' },
    { args: () => [empty, "--timeline"], says: "holds no config dump of any proxy" },
    { args: () => [drift, "--timeline", "--diff"], says: "--diff prints texts" },
    { args: () => [healthy, drift, "--diff", "-o", "json"], says: "--diff prints texts" },
    { args: () => ["-", "-"], says: "standard input can be read once only" },
    { args: () => [healthy, drift, "-o", "xml"], says: "xml" },
    { args: () => [healthy, empty], says: "holds no config dump of any proxy" },
    { args: () => [broken, broken], says: "nothing could be compared: on both sides: is not JSON" },
  ])("$says", async ({ args, says }) => {
    const { code, stdout, stderr } = await compare(...args());
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^istio-snapshot: .+\n$/);
    expect(stderr).toContain(says);
    expect(stderr).not.toContain("    at ");
  });

  it("but not a snapshot of which a part can be compared", async () => {
    const part = await archive("part.tar.gz", [
      file("proxies/n/p/config_dump", "connection refused"),
      file("proxies/n/q/config_dump", dumpOf({ clusters: [aCluster("a")] })),
    ]);
    const { code, stdout } = await compare(part, part);
    expect(code).toBe(0);
    expect(stdout).toContain("of p.n: on both sides: is not JSON");
  });
});
