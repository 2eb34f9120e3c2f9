import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { aCluster, aListener, aResource } from "../support/builders.js";
import { cli, type Answer } from "../support/cli.js";
import { anAssignment, anEdsCluster, dumpOf, type Held } from "../support/drift-snapshot.js";
import { tarGz } from "../support/pack.js";

const scratch = mkdtempSync(join(tmpdir(), "istio-snapshot-ps-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let folders = 0;

/** A folder with these files. */
function folderWith(files: Readonly<Record<string, string>>): string {
  const path = join(scratch, String(++folders));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return path;
}

const dumpFile = (id: string): string => `proxies/default/${id}/config_dump?include_eds`;
const viewFile = (istiod: string, id: string): string =>
  `istio/istio-system/${istiod}/debug/config_dump/default/${id}`;
const synczFile = (istiod: string): string => `istio/istio-system/${istiod}/debug/syncz`;
const syncz = (...ids: readonly string[]): string =>
  JSON.stringify(
    ids.map((id) => ({
      proxy: `${id}.default`,
      istio_version: "1.20.0",
      cluster_sent: "n",
      cluster_acked: "n",
      listener_sent: "n",
      listener_acked: "n",
    })),
  );
const nodeOf = (id: string, ip = "10.0.0.1"): Record<string, unknown> => ({
  id: `sidecar~${ip}~${id}.default~default.svc.cluster.local`,
  metadata: {
    WORKLOAD_NAME: "reviews",
    OWNER: "kubernetes://apis/apps/v1/namespaces/default/deployments/reviews",
  },
});

const ps = (...args: readonly string[]): Promise<Answer> => cli(["ps", ...args]);

const dns = "outbound|53||kube-dns.kube-system.svc.cluster.local";
const lines = ({ stdout }: Answer): string[] => stdout.trimEnd().split("\n");

describe("proxy-status <proxy>", () => {
  const routes: Held = {
    listeners: [aListener("l")],
    routes: [aResource("routeConfiguration", "80")],
    lastUpdated: "2026-03-14T09:30:00Z",
  };
  const sends: Held = { ...routes, clusters: [aCluster("a"), aCluster(dns), aCluster("z")] };
  const holds: Held = { ...routes, clusters: [aCluster("a"), aCluster("z")] };
  const path = folderWith({
    [synczFile("istiod-x")]: syncz("a"),
    [viewFile("istiod-x", "a")]: dumpOf(sends),
    [dumpFile("a")]: dumpOf(holds),
  });

  it("shows a cluster that Envoy lacks as that, and what matches", async () => {
    const answer = await ps("a", "-f", path);
    expect(answer.code).toBe(1);
    expect(answer.stdout.slice(answer.stdout.indexOf("Clusters"))).toBe(
      `${[
        "Clusters Don't Match",
        "--- Istiod Clusters",
        "+++ Envoy Clusters",
        "@@ -5,4 +4,0 @@",
        "-{",
        '-    "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",',
        `-    "name": "${dns}"`,
        "-}",
        "",
        "Listeners Match",
        "Routes Match (RDS last loaded at Sat, 14 Mar 2026 09:30:00 UTC)",
        "Endpoints Match",
        "Secrets Match",
        "ECDS not compared: Istiod's side: no EcdsConfigDump in this dump",
      ].join("\n")}\n`,
    );
    expect(answer.stderr).toContain(`cluster ${dns}: the proxy lacks it`);
    expect(answer.stderr).toContain("a match says that the proxy has what was last pushed to it");
  });

  it("matches, and exits with 0", async () => {
    const same = folderWith({
      [synczFile("x")]: syncz("a"),
      [viewFile("x", "a")]: dumpOf(sends),
      [dumpFile("a")]: dumpOf(sends),
    });
    const answer = await ps("a", "-f", same);
    expect(answer.code).toBe(0);
    expect(answer.stdout).toContain("\nClusters Match\nListeners Match\nRoutes Match (RDS");
  });

  it("for scripts: the same as data", async () => {
    const json = await ps("a", "-f", path, "-o", "json");
    const [row] = JSON.parse(json.stdout) as Record<string, unknown>[];
    expect(row?.["drift"]).toMatchObject([
      {
        proxy: "a.default",
        istiod: "istiod-x",
        kinds: {
          cluster: {
            compared: true,
            same: 2,
            orderOnly: 0,
            partial: null,
            acknowledged: true,
            refusal: null,
            differences: [
              {
                name: dns,
                class: "missing",
                inFlight: false,
                evidence: [{ entry: expect.stringContaining("debug/config_dump/default/a") }],
              },
            ],
          },
          listener: { compared: true, same: 1, differences: [] },
        },
      },
    ]);
    expect(parse((await ps("a", "-f", path, "-o", "yaml")).stdout)).toEqual(JSON.parse(json.stdout));
  });

  it("lists names of secrets, and nothing of what is in them", async () => {
    const secret = (name: string): Record<string, unknown> =>
      aResource("secret", name, { tls_certificate: { private_key: { inline_string: "canary" } } });
    const path = folderWith({
      [synczFile("x")]: syncz("a"),
      [viewFile("x", "a")]: dumpOf({ secrets: [secret("kubernetes://a"), secret("kubernetes://b")] }),
      [dumpFile("a")]: dumpOf({ secrets: [secret("kubernetes://b")] }),
    });
    const { stdout, code } = await ps("a", "-f", path);
    expect(code).toBe(1);
    expect(stdout).toContain('+++ Envoy Secrets\n@@ -1 +0,0 @@\n-"kubernetes://a"\n');
    expect(stdout).not.toContain("canary");
  });

  it("a proxy that two Istiods list is shown as either would send it", async () => {
    const path = folderWith({
      [synczFile("x")]: syncz("a"),
      [synczFile("y")]: syncz("a"),
      [viewFile("x", "a")]: dumpOf(holds),
      [viewFile("y", "a")]: dumpOf(sends),
      [dumpFile("a")]: dumpOf(holds),
    });
    const { stdout, code } = await ps("a", "-f", path);
    expect(code).toBe(1);
    const [, x, y] = stdout.split(/^As /m);
    expect(x).toMatch(/^x would send it:\nClusters Match\n/);
    expect(y).toMatch(/^y would send it:\nClusters Don't Match\n/);
  });

  it("a change that arrived between the captures is shown, and is no fault", async () => {
    const cluster = (timeout: string): Held => ({
      clusters: [aCluster("a", { connect_timeout: timeout })],
      lastUpdated: "2026-03-14T09:30:05Z",
    });
    const archive = join(scratch, "in-flight.tar.gz");
    writeFileSync(
      archive,
      await tarGz(
        [
          { name: synczFile("x"), body: syncz("a"), mtime: new Date("2026-03-14T09:30:10Z") },
          { name: viewFile("x", "a"), body: dumpOf(cluster("1s")), mtime: new Date("2026-03-14T09:30:00Z") },
          { name: dumpFile("a"), body: dumpOf(cluster("2s")), mtime: new Date("2026-03-14T09:30:10Z") },
        ].map((file) => ({ ...file, name: `istio-snapshot/${file.name}` })),
      ),
    );
    const { stdout, stderr, code } = await ps("a", "-f", archive);
    expect(stdout).toContain('-    "connectTimeout": "1s",\n+    "connectTimeout": "2s",\n');
    expect(stderr).toContain("cluster a: connect_timeout (1s -> 2s) (in flight)");
    expect(code).toBe(0);
  });

  it("what a dump lacks that is cut off is not missing, and that is said", async () => {
    const whole = dumpOf(sends);
    const path = folderWith({
      [synczFile("x")]: syncz("a"),
      [viewFile("x", "a")]: whole,
      [dumpFile("a")]: whole.slice(0, whole.indexOf(dns)),
    });
    const { stdout, code } = await ps("a", "-f", path);
    expect(stdout).toContain("Clusters Match (in part: the proxy's dump is not whole: the JSON is cut off");
    expect(stdout).toContain("Listeners not compared: the proxy's side: the dump is cut off or damaged");
    expect(code).toBe(0);
  });

  it("refuses what is no release of istioctl", async () => {
    const { code, stdout, stderr } = await ps("a", "-f", path, "--istioctl-version", "two");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain('--istioctl-version takes a version such as 1.17, not "two"');
  });

  it("writes no character that acts on a terminal", async () => {
    const name = "l\u001b[31m\u202e";
    const path = folderWith({
      [synczFile("x")]: syncz("a"),
      [viewFile("x", "a")]: dumpOf({ listeners: [aListener(name)], clusters: [aCluster(name)] }),
      [dumpFile("a")]: dumpOf({}),
    });
    for (const args of [["a"], ["--drift"]]) {
      const { stdout, stderr } = await ps(...args, "-f", path);
      expect(stdout + stderr).not.toContain("\u001b");
      expect(stderr).not.toContain("\u202e");
    }
    expect((await ps("--drift", "-f", path)).stdout).not.toContain("\u202e");
  });
});

describe("where Istiod's side was not captured", () => {
  const eds = (...addresses: readonly string[]): Held => ({
    clusters: [anEdsCluster(dns), aCluster("b")],
    endpoints: [anAssignment(dns, addresses)],
  });
  const all = eds("10.1.0.1", "10.1.0.2");
  const report = (third: Held): string =>
    folderWith({
      "istio/istio-system/istiod-x/discovery.log": "",
      [synczFile("istiod-x")]: syncz("r1", "r2", "r3"),
      [dumpFile("r1")]: dumpOf({ ...all, node: nodeOf("r1", "10.0.0.1") }),
      [dumpFile("r2")]: dumpOf({ ...all, node: nodeOf("r2", "10.0.0.2") }),
      [dumpFile("r3")]: dumpOf({ ...third, node: nodeOf("r3", "10.0.0.3") }),
    });
  const healthy = report(all);
  const faulty = report({ ...eds("10.1.0.1"), clusters: [anEdsCluster(dns)] });

  it("a proxy is held against its replicas and other clients", async () => {
    const answer = await ps("r3", "-f", faulty);
    expect(answer.code).toBe(1);
    expect(lines(answer).slice(-8)).toEqual([
      "Against its replicas:",
      "cluster b missing on r3.default, of 3 replicas of reviews.default",
      "",
      "Its endpoints against those of other clients:",
      `endpoints of ${dns}: r3.default lacks 10.1.0.2, unlike 2 proxies, all on istiod-x`,
      "",
      "Its endpoints against those that its Istiod knows:",
      "Not compared: no /debug/endpointShardz of it was captured",
    ]);
    expect(answer.stderr).toContain("Istiod's view of a proxy is never in a bug-report");
    expect(answer.stderr).toContain(
      "it was compared with other proxies and with the endpoints that Istiod knows instead",
    );
  });

  it("also from standard input, which can be read once only", async () => {
    const files = ["r1", "r2", "r3"].map((id) => ({
      name: `bug-report/${dumpFile(id)}`,
      body: dumpOf({ ...(id === "r3" ? eds("10.1.0.1") : all), node: nodeOf(id) }),
      mtime: new Date(0),
    }));
    const { stdout, code } = await cli(["ps", "r3", "-f", "-"], { input: await tarGz(files) });
    expect(stdout).toContain("r3.default lacks 10.1.0.2");
    expect(code).toBe(1);
  });

  it("which may find no fault with it", async () => {
    const fine = await ps("r1", "-f", faulty);
    expect(fine.code).toBe(0);
    expect(lines(fine).slice(-8, -3)).toEqual([
      "Against its replicas:",
      "The same as most of its 2 replicas.",
      "",
      "Its endpoints against those of other clients:",
      "No difference.",
    ]);
    expect((await ps("r3", "-f", healthy)).code).toBe(0);
  });

  it("nor have anything to hold against it", async () => {
    const path = folderWith({
      "istio/istio-system/istiod-x/discovery.log": "",
      [dumpFile("r1")]: dumpOf({ clusters: [aCluster("a")], node: nodeOf("r1") }).replace(
        "EndpointsConfigDump",
        "X",
      ),
    });
    const answer = await ps("r1", "-f", path);
    expect(lines(answer).slice(-8, -3)).toEqual([
      "Against its replicas:",
      "No other replica of its workload was captured.",
      "",
      "Its endpoints against those of other clients:",
      "Not compared: no EndpointsConfigDump in this dump: it was captured without include_eds",
    ]);
    expect(lines(answer).slice(-1)).toEqual([
      "Not compared: no EndpointsConfigDump in this dump: it was captured without include_eds",
    ]);
    expect(answer.code).toBe(0);
  });

  it("nor is it held to be the same where its dump cannot be read", async () => {
    const path = folderWith({
      "istio/istio-system/istiod-x/discovery.log": "",
      [dumpFile("r1")]: dumpOf({ ...all, node: nodeOf("r1") }),
      [dumpFile("r2")]: "connection refused",
      "proxies/default/r2/server_info": JSON.stringify({
        version: "a/1.29.2/Clean/RELEASE/x",
        node: nodeOf("r2"),
      }),
    });
    const answer = await ps("r2", "-f", path);
    expect(lines(answer).filter((line) => line.startsWith("Not compared: is not JSON"))).toHaveLength(3);
    expect(answer.stdout).not.toContain("The same as");
  });

  it("--drift has nothing of Istiod's, and says so, but compares proxies", async () => {
    const answer = await ps("--drift", "-f", faulty);
    expect(answer.code).toBe(1);
    expect(answer.stdout).not.toContain("Istiod's view");
    expect(lines(answer).slice(-5)).toEqual([
      "Replicas of one workload that do not hold the same:",
      "cluster b missing on r3.default, of 3 replicas of reviews.default",
      "",
      "Clients of one cluster that do not hold the same endpoints:",
      `endpoints of ${dns}: r3.default lacks 10.1.0.2, unlike 2 proxies, all on istiod-x`,
    ]);
    expect(answer.stderr).toContain("Istiod's view of a proxy is never in a bug-report");
    const fine = await ps("--drift", "-f", healthy);
    expect(fine.code).toBe(0);
    expect(lines(fine)).toHaveLength(4);
  });
});

describe("the endpoints that Istiod knows, where its view of a proxy was not captured", () => {
  const host = "kube-dns.kube-system.svc.cluster.local";
  const subset = `outbound|53|v1|${host}`;
  const holding = (...addresses: readonly string[]): Held => ({
    clusters: [anEdsCluster(dns), anEdsCluster(subset)],
    endpoints: [anAssignment(dns, addresses), anAssignment(subset, [])],
  });
  const answers = (registry: unknown): Record<string, string> => ({
    "istio/istio-system/istiod-x/debug/endpointShardz": JSON.stringify({
      [host]: {
        "kube-system": {
          Shards: {
            "Kubernetes/c": ["10.1.0.1", "10.1.0.2"].map((Address) => ({
              Address,
              EndpointPort: 8080,
              ServicePortName: "dns",
              Locality: { Label: "r", ClusterID: "c" },
            })),
          },
        },
      },
    }),
    "istio/istio-system/istiod-x/debug/registryz": JSON.stringify(registry),
  });
  const registry = [
    { hostname: host, Attributes: { Namespace: "kube-system" }, ports: [{ name: "dns", port: 53 }] },
  ];
  /** One client, so that there is no other to tell from. */
  const report = (holds: Held, known: unknown = registry): string =>
    folderWith({
      "istio/istio-system/istiod-x/discovery.log": "",
      [synczFile("istiod-x")]: syncz("r1"),
      [dumpFile("r1")]: dumpOf({
        ...holds,
        node: { ...nodeOf("r1"), metadata: { CLUSTER_ID: "c", WORKLOAD_NAME: "reviews" } },
      }),
      ...answers(known),
    });
  const faulty = report(holding("10.1.0.1", "10.1.0.9"));
  const healthy = report(holding("10.1.0.2", "10.1.0.1"));
  const difference = `endpoints of ${dns}: r1.default lacks 10.1.0.2, which istiod-x knows, and has 10.1.0.9, which istiod-x does not know`;

  it("are what the proxy must hold", async () => {
    const answer = await ps("r1", "-f", faulty);
    expect(answer.code).toBe(1);
    const [heading, summary, line, gap] = lines(answer).slice(-4);
    expect([heading, summary, gap]).toEqual([
      "Its endpoints against those that its Istiod knows:",
      "1 list of endpoints compared.",
      `Not compared: endpoints of ${subset}: subsets: which pods belong to one is in its DestinationRule, which is not read`,
    ]);
    expect(line).toContain(difference);
  });

  it("and its healthy twin does", async () => {
    const answer = await ps("r1", "-f", healthy);
    expect(answer.code).toBe(0);
    expect(lines(answer).slice(-3, -1)).toEqual([
      "Its endpoints against those that its Istiod knows:",
      "1 list of endpoints compared, no difference.",
    ]);
  });

  it("over the mesh", async () => {
    const answer = await ps("--drift", "-f", faulty);
    expect(answer.code).toBe(1);
    expect(answer.stdout).toContain(
      `\nEndpoints that a proxy holds otherwise than its Istiod knows:\n${difference}`,
    );
    expect(answer.stderr).toContain(
      "endpoints against those that each proxy's Istiod knows: 1 list of endpoints compared.",
    );
    expect(answer.stderr).toContain(
      `endpoints of ${subset} not compared with what Istiod knows on 1 proxy: subsets`,
    );
    const fine = await ps("--drift", "-f", healthy);
    expect(fine.code).toBe(0);
    expect(fine.stdout).not.toContain("Endpoints that");
    expect(fine.stderr).toContain("1 list of endpoints compared, no difference.");
  });

  it("prove nothing where Istiod's list of services is missing", async () => {
    const answer = await ps("r1", "-f", report(holding("10.1.0.9"), {}));
    expect(answer.code).toBe(0);
    expect(lines(answer).slice(-1)).toEqual(["Not compared: must be array"]);
  });

  it("are compared as well where Istiod's view is without endpoints", async () => {
    const path = folderWith({
      [synczFile("istiod-x")]: syncz("r1"),
      [viewFile("istiod-x", "r1")]: dumpOf({ clusters: holding().clusters ?? [] }).replace(
        "EndpointsConfigDump",
        "X",
      ),
      [dumpFile("r1")]: dumpOf({
        ...holding("10.1.0.1"),
        node: { ...nodeOf("r1"), metadata: { CLUSTER_ID: "c" } },
      }),
      ...answers(registry),
    });
    const answer = await ps("r1", "-f", path);
    expect(answer.code).toBe(1);
    expect(answer.stdout).toContain("Endpoints not compared: Istiod's side:");
    expect(answer.stdout).toContain(`endpoints of ${dns}: r1.default lacks 10.1.0.2, which istiod-x knows`);
  });
});

describe("proxy-status --drift", () => {
  const all: Held = { clusters: [aCluster("a"), aCluster(dns)] };
  const files = (third: Held, otherVersion: string): Record<string, string> => ({
    [synczFile("istiod-6d4cf56db6-aaaaa")]: syncz("r1", "r2", "r3"),
    [synczFile("istiod-6d4cf56db6-bbbbb")]: syncz("r3"),
    "istio/istio-system/istiod-6d4cf56db6-aaaaa/version": "1.20.0-sha-Clean",
    "istio/istio-system/istiod-6d4cf56db6-bbbbb/version": otherVersion,
    ...Object.fromEntries(
      ["r1", "r2", "r3"].flatMap((id) => [
        [viewFile("istiod-6d4cf56db6-aaaaa", id), dumpOf(all)],
        [dumpFile(id), dumpOf({ ...(id === "r3" ? third : all), node: nodeOf(id) })],
      ]),
    ),
  });

  it("is one line a cause, then replicas and Istiods", async () => {
    const answer = await ps(
      "--drift",
      "-f",
      folderWith(files({ clusters: [aCluster("a")] }, "1.19.0-sha-Clean")),
    );
    expect(answer.code).toBe(1);
    expect(lines(answer).slice(6)).toEqual([
      "Istiod's view against Envoy's, 3 of 3 proxies:",
      `cluster ${dns} missing on r3.default on istiod-6d4cf56db6-aaaaa`,
      "",
      "Replicas of one workload that do not hold the same:",
      `cluster ${dns} missing on r3.default, of 3 replicas of reviews.default`,
      "",
      "Istiods that do not say the same:",
      "version 1.20.0-sha-Clean on istiod-6d4cf56db6-aaaaa, 1.19.0-sha-Clean on istiod-6d4cf56db6-bbbbb",
      "r3.default is in the lists of istiod-6d4cf56db6-aaaaa and istiod-6d4cf56db6-bbbbb",
    ]);
  });

  it("says so where there is none", async () => {
    const healthy = await cli(["ps", "--drift", "-f", "samples/bookinfo-healthy.tar.gz"]);
    expect(healthy.code).toBe(0);
    expect(healthy.stdout).toContain("\nIstiod's view against Envoy's, 7 of 7 proxies:\nNo difference.\n");
    expect(healthy.stdout).not.toMatch(/Replicas|Clients|Istiods that/);
  });

  it("as rows has each proxy's own part, and says where the rest is", async () => {
    const { stdout, stderr } = await cli([
      "ps",
      "--drift",
      "-f",
      "samples/bookinfo-drift.tar.gz",
      "-o",
      "json",
    ]);
    const rows = JSON.parse(stdout) as { name: string; drift: readonly { proxy: string }[] }[];
    expect(rows).toHaveLength(7);
    for (const { name, drift } of rows)
      expect(drift.map(({ proxy }) => proxy)).toEqual(name.startsWith("details") ? [] : [name]);
    expect(stderr).toContain("not in these rows");
  });

  it("of one namespace", async () => {
    const drift = ["ps", "--drift", "-f", "samples/bookinfo-drift.tar.gz", "-n"];
    expect((await cli([...drift, "istio-system"])).stdout).toContain("1 of 7 proxies:\nNo difference.");
    expect((await cli([...drift, "default"])).stdout).toContain("5 of 7 proxies:\ncluster ");
  });

  it("names what was compared in part, once for each reason", async () => {
    const { stderr } = await cli(["ps", "--drift", "-f", "samples/bookinfo-trouble.tar.gz"]);
    expect(stderr).toMatch(
      /Clusters, Listeners, .*compared in part on 1 proxy: the proxy's dump is not whole/,
    );
    expect(stderr).toMatch(/Routes, .*not compared on 1 proxy: the proxy's side: the dump is cut off/);
  });
});
