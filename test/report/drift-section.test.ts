import { applyPatch } from "diff";
import { describe, expect, it } from "vitest";

import { meshDrift } from "../../src/diff/mesh-drift.js";
import { buildReport } from "../../src/report/build-report.js";
import type { DriftReport, ReportDocument } from "../../src/report/document.js";
import { renderMarkdown } from "../../src/report/markdown.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { syncStatus } from "../../src/status/sync-status.js";
import { aCluster, aListener, aResource, aRow } from "../support/builders.js";
import {
  anAssignment,
  anEdsCluster,
  meshOf,
  type GivenIstiod,
  type GivenProxy,
  type Held,
} from "../support/drift-snapshot.js";
import { outboundName } from "../support/mesh/clusters.js";
import { withResource } from "../support/mesh/edits.js";
import { addressesOf, liveAssignment } from "../support/mesh/endpoints.js";
import { applyFaults } from "../support/mesh/faults.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { podsBehind } from "../support/mesh/topology.js";
import { bugReportOf, bundleOf } from "../support/snapshot-of.js";

const reportOf = (snapshot: Snapshot): ReportDocument =>
  buildReport(snapshot, syncStatus(snapshot), "0.0.0", meshDrift(snapshot));
function driftIn(snapshot: Snapshot): DriftReport {
  const { drift } = reportOf(snapshot);
  if (drift === null) throw new Error("no drift");
  return drift;
}

const dns = "outbound|53||kube-dns.kube-system.svc.cluster.local";
const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `p${index}.n`);
const sends = (proxies: readonly string[], held: Held, more: GivenIstiod = {}): GivenIstiod => ({
  sends: Object.fromEntries(proxies.map((id) => [id, held])),
  ...more,
});
const hold = (proxies: readonly string[], holds: Held, more: Partial<GivenProxy> = {}) =>
  Object.fromEntries(proxies.map((id): [string, GivenProxy] => [id, { holds, ...more }]));
const against = (sent: Held, held: Held, count = 1): Snapshot =>
  meshOf({
    istiods: { "istiod-x": sends(ids(count), sent, { rows: ids(count).map((id) => aRow(id)) }) },
    proxies: hold(ids(count), held),
  });

const timeout = (connectTimeout: string): Held => ({
  clusters: [aCluster("a", { connect_timeout: connectTimeout })],
});

describe("Istiod's view against Envoy's", () => {
  const missing = against({ clusters: [aCluster("a"), aCluster(dns)] }, { clusters: [aCluster("a")] }, 12);

  it("is a finding by cause, with what its line says", () => {
    const { causes, compared, tone, summary } = driftIn(missing);
    expect(causes).toMatchObject([
      {
        text: `cluster ${dns} missing on 12 proxies, all on istiod-x`,
        tone: "bad",
        kindLabel: "Clusters",
        class: "missing",
        names: [dns],
        fields: [],
        istiods: ["istiod-x"],
        inFlight: false,
      },
    ]);
    expect(causes[0]?.proxies).toEqual(ids(12).sort());
    expect(causes[0]?.evidence).toMatchObject([{ excerpt: "What Istiod would send" }]);
    expect({ compared, tone }).toEqual({ compared: 12, tone: "bad" });
    expect(summary).toContain("on 12 of 12 proxies: 1 cause.");
  });

  it("has a diff that makes Envoy's text of Istiod's", () => {
    const [cause] = driftIn(against(timeout("1s"), timeout("2s"))).causes;
    expect(cause?.fields).toEqual(["connect_timeout (1s -> 2s)"]);
    expect(cause?.diff).toMatchObject({ before: "Istiod cluster a", after: "Envoy cluster a", omitted: "" });
    const text = cause?.diff.text ?? "";
    expect(text).toMatch(/^--- Istiod cluster a\n\+\+\+ Envoy cluster a\n@@ /);
    const whole = driftIn(against(timeout("1s"), {})).causes[0]?.diff.text ?? "";
    const sent = whole
      .split("\n")
      .slice(3)
      .map((line) => line.slice(1))
      .join("\n");
    expect(applyPatch(sent, text)).toBe(sent.replace('"connectTimeout": "1s"', '"connectTimeout": "2s"'));
  });

  it("shows of a secret its name only", () => {
    const secret = aResource("secret", "kubernetes://tls", { generic_secret: { secret: "hunter2" } });
    const [cause] = driftIn(against({ secrets: [secret] }, { secrets: [] })).causes;
    expect(cause?.diff.text).toContain('-"kubernetes://tls"');
    expect(JSON.stringify(cause)).not.toContain("hunter2");
  });

  it("is nothing where both have the same", () => {
    const report = reportOf(against(timeout("1s"), timeout("1.0s")));
    expect(report.drift).toMatchObject({ causes: [], replicas: [], endpoints: [], tone: "good", noise: 1 });
    expect(report.verdict).toMatchObject({ tone: "good", points: [] });
  });

  it("is a note, not an error, while it is on its way", () => {
    const capture = "2026-03-14T09:00:00Z";
    const snapshot = meshOf({
      istiods: {
        x: sends(["p0.n"], timeout("1s"), { capturedAt: capture, rows: [aRow("p0.n")] }),
      },
      proxies: hold(
        ["p0.n"],
        { ...timeout("2s"), lastUpdated: "2026-03-14T09:00:03Z" },
        { capturedAt: "2026-03-14T09:00:05Z" },
      ),
    });
    const { drift, verdict, proxies } = reportOf(snapshot);
    expect(drift?.causes).toMatchObject([{ inFlight: true, tone: "waiting" }]);
    expect(verdict).toMatchObject({ tone: "good", points: [{ level: "info" }] });
    expect(proxies[0]?.tone).toBe("good");
  });

  it("stands in the section of its proxy, kind by kind", () => {
    const { proxies } = reportOf(against({ ...timeout("1s"), listeners: [aListener("l")] }, timeout("2s")));
    expect(proxies[0]).toMatchObject({
      tone: "bad",
      summary: "2 resources are not as Istiod would send them",
      drift: [
        {
          istiod: "istiod-x",
          kinds: [
            { label: "Clusters", text: "1 differs", tone: "bad" },
            { label: "Listeners", text: "1 differs", tone: "bad" },
            { label: "Routes", text: "match", tone: "good" },
            { label: "Endpoints", text: "match", tone: "good" },
            { label: "Secrets", text: "match", tone: "good" },
            { label: "ECDS" },
          ],
        },
      ],
    });
    expect(reportOf(against(timeout("1s"), timeout("1.0s"))).proxies[0]?.drift[0]?.kinds[0]).toEqual({
      label: "Clusters",
      text: "match (1 written differently)",
      tone: "good",
    });
  });

  it("says what was not compared and why", () => {
    const { proxies, istiods, resources } = against(timeout("1s"), timeout("1s"));
    const [proxy] = proxies;
    if (proxy === undefined) throw new Error("no proxy");
    const config = { ...proxy.config, listener: { state: "absent" as const, reason: "it was cut off" } };
    const report = reportOf({ ...meshOf({}), proxies: [{ ...proxy, config }], istiods, resources });
    expect(report.drift?.notCompared).toContain(
      "Listeners not compared on 1 proxy: the proxy's side: it was cut off",
    );
    expect(report.proxies[0]?.drift[0]?.kinds[1]).toEqual({
      label: "Listeners",
      text: "not compared: the proxy's side: it was cut off",
      tone: "neutral",
    });
  });
});

describe("the verdict", () => {
  it("has a point a cause, and the proxies that need attention", () => {
    const { verdict } = reportOf(against({ clusters: [aCluster(dns)] }, {}, 3));
    expect(verdict).toMatchObject({ tone: "bad", headline: "3 of 3 proxies need attention" });
    expect(verdict.points).toMatchObject([
      { level: "error", text: `cluster ${dns} missing on 3 proxies, all on istiod-x`, proxies: ids(3) },
    ]);
  });

  it("folds many causes", () => {
    const clusters = Array.from({ length: 20 }, (_, index) => `c${index}`);
    const each = (value: string): Held => ({
      clusters: clusters.map((name, index) => aCluster(name, { connect_timeout: `${value}${index}s` })),
    });
    const { verdict, drift } = reportOf(against(each("1"), each("2")));
    expect(drift?.causes).toHaveLength(20);
    expect(verdict.points).toHaveLength(9);
    expect(verdict.points.at(-1)).toMatchObject({
      level: "error",
      text: "and 12 more differences of this sort",
      proxies: ["p0.n"],
    });
  });

  it("tells a replica's difference once, by Istiod's view where that was captured", () => {
    const replica = (held: Held, at: number): [string, GivenProxy] => [
      `r${at}.n`,
      {
        holds: held,
        metadata: { OWNER: "kubernetes://apis/apps/v1/namespaces/n/deployments/r", WORKLOAD_NAME: "r" },
        ip: `10.0.0.${at + 1}`,
      },
    ];
    const proxies = Object.fromEntries([timeout("1s"), timeout("1s"), timeout("2s")].map(replica));
    const rows = Object.keys(proxies).map((id) => aRow(id));
    const viewed = meshOf({ istiods: { x: sends(Object.keys(proxies), timeout("1s"), { rows }) }, proxies });
    const texts = (snapshot: Snapshot): string[] => reportOf(snapshot).verdict.points.map(({ text }) => text);
    expect(texts(viewed)).toEqual(["cluster a differs in connect_timeout (1s -> 2s) on r2.n on x"]);
    expect(texts(meshOf({ istiods: { x: { rows } }, proxies }))).toEqual([
      "cluster a differs in connect_timeout (1s -> 2s) on r2.n, of 3 replicas of r.n",
    ]);
  });

  it("does not tell a refused listener twice", () => {
    const { mesh } = applyFaults(buildMesh({ seed: 3 }), ["rejected-listener"]);
    const { verdict, drift } = reportOf(bundleOf(mesh));
    expect(drift?.causes).toHaveLength(1);
    expect(verdict.points.filter(({ level }) => level === "error")).toHaveLength(1);
  });
});

describe("proxies against each other", () => {
  const reviews = { OWNER: "kubernetes://apis/apps/v1/namespaces/n/deployments/r", WORKLOAD_NAME: "r" };
  const replicas = (...held: readonly Held[]): Snapshot =>
    meshOf({
      proxies: Object.fromEntries(
        held.map((holds, at): [string, GivenProxy] => [
          `r${at}.n`,
          { holds, metadata: reviews, ip: `10.0.0.${at + 1}` },
        ]),
      ),
    });

  it("are findings where a replica differs, with the texts of both", () => {
    const { replicas: found, tone, summary } = driftIn(replicas(timeout("1s"), timeout("1s"), timeout("2s")));
    expect(found).toMatchObject([
      {
        text: "cluster a differs in connect_timeout (1s -> 2s) on r2.n, of 3 replicas of r.n",
        class: "changed",
        proxies: ["r2.n"],
        diff: { before: "r0.n cluster a", after: "r2.n cluster a" },
      },
    ]);
    expect(found[0]?.diff.text).toContain('-    "connectTimeout": "1s"');
    expect(found[0]?.diff.text).toContain('+    "connectTimeout": "2s"');
    expect(found[0]?.evidence).toHaveLength(2);
    expect(tone).toBe("bad");
    expect(summary).toContain("Istiod's view of no proxy was captured");
    expect(driftIn(replicas(timeout("1s"), timeout("1s"), timeout("1s"))).replicas).toEqual([]);
  });

  it("take their own addresses out of the texts", () => {
    const named = (address: string, value: string): Held => ({
      clusters: [aCluster("a", { alt_stat_name: address, connect_timeout: value })],
    });
    const { replicas: found } = driftIn(
      replicas(named("10.0.0.1", "1s"), named("10.0.0.2", "1s"), named("10.0.0.3", "2s")),
    );
    expect(found[0]?.fields).toEqual(["connect_timeout (1s -> 2s)"]);
    expect(found[0]?.diff.text).toContain('"altStatName": "<own address>"');
    expect(found[0]?.diff.text).not.toContain("10.0.0.");
  });

  it("are a table of endpoint sets by Istiod", () => {
    const clients = (name: string, addresses: readonly string[]): Held => ({
      clusters: [anEdsCluster(name)],
      endpoints: [anAssignment(name, addresses)],
    });
    const name = "outbound|80||a.n.svc.cluster.local";
    const both = ["10.0.1.1", "10.0.1.2"];
    const clientsWith = (late: readonly string[]): Snapshot =>
      meshOf({
        istiods: {
          x: { rows: [aRow("p0.n"), aRow("p1.n")] },
          y: { rows: [aRow("p2.n")] },
        },
        proxies: { ...hold(["p0.n", "p1.n"], clients(name, both)), ...hold(["p2.n"], clients(name, late)) },
      });
    const { drift, verdict } = reportOf(clientsWith(["10.0.1.1"]));
    expect(drift?.endpoints).toMatchObject([
      {
        clusters: [name],
        istiods: ["x", "y"],
        sets: [
          { endpoints: both.map((address) => `${address}:8080`), counts: [2, 0] },
          { text: "lacks 10.0.1.2", proxies: ["p2.n"], counts: [0, 1] },
        ],
      },
    ]);
    expect(verdict.points.map(({ text }) => text)).toContain(`endpoints of ${name}: 1 client lacks 10.0.1.2`);
    expect(driftIn(clientsWith(both)).endpoints).toEqual([]);
  });
});

describe("a bug-report", () => {
  it("says that Istiod's view is never in it", () => {
    const { drift, proxies } = reportOf(bugReportOf(buildMesh({ seed: 3 })));
    expect(drift).toMatchObject({ compared: 0, tone: "neutral", causes: [] });
    expect(drift?.summary).toContain("A bug-report never holds Istiod's view of a proxy");
    expect(proxies.every(({ drift: own }) => own.length === 0)).toBe(true);
  });
});

describe("endpoints that Istiod knows", () => {
  const healthy = buildMesh({ seed: "known", services: 6, proxies: 8, replicas: 3 });
  const service = healthy.services.find(
    (one) => podsBehind(one, healthy.pods).length === 3 && one.subsets.length === 0,
  );
  if (service === undefined) throw new Error("no service of three pods");
  const [port] = service.ports;
  if (port === undefined) throw new Error("no port");
  const name = outboundName(service, port.port);
  const [gone] = podsBehind(service, healthy.pods);
  const left = addressesOf(service, port, "", healthy.pods).filter(({ address }) => address !== gone?.ip);
  const late = healthy.proxies[0]?.id ?? "";
  const missed = withResource(
    healthy,
    { list: "endpoints", name, side: "Envoy", proxies: ({ id }) => id === late },
    () => liveAssignment(name, left),
  );

  it("are findings where a proxy of a bug-report lacks one", () => {
    expect(driftIn(bugReportOf(healthy))).toMatchObject({ known: [], tone: "neutral" });
    const { drift, verdict } = reportOf(bugReportOf(missed));
    expect(drift?.known).toMatchObject([
      {
        tone: "bad",
        clusters: [name],
        proxies: [late],
        lacks: [`${gone?.ip ?? ""}:${port.targetPort}`],
        besides: [],
      },
    ]);
    expect(drift?.tone).toBe("bad");
    expect(drift?.summary).toContain("proxies hold other endpoints than their Istiod knows in 1 way");
    expect(verdict.points.map(({ text }) => text)).toContain(drift?.known[0]?.text);
  });

  it("are not asked where Istiod's own view was captured", () => {
    expect(driftIn(bundleOf(missed)).known).toEqual([]);
    expect(driftIn(bundleOf(missed)).causes).toMatchObject([{ names: [name] }]);
  });
});

describe("in Markdown", () => {
  it("stands what the verdict has no room for, and what arrived last", () => {
    const { mesh } = applyFaults(buildMesh({ seed: 3 }), ["stale-cds", "rejected-listener"]);
    const text = renderMarkdown(reportOf(bundleOf(mesh)));
    expect(text).toContain("### Drift");
    expect(text).toContain("### Last arrivals");
    const causes = reportOf(bundleOf(mesh)).drift?.causes ?? [];
    expect(causes.length).toBeGreaterThan(1);
    for (const { names } of causes) {
      const name = (names[0] ?? "").replaceAll("|", "\\|").replaceAll("_", "\\_");
      expect(
        text
          .split("\n")
          .filter((line) => line.includes(`${name} missing`) || line.includes(`${name} differs`)),
      ).toHaveLength(1);
    }
  });

  it("nothing of it stands where nothing was compared", () => {
    const snapshot = bundleOf(buildMesh({ seed: 3 }));
    const text = renderMarkdown(buildReport(snapshot, syncStatus(snapshot), "0.0.0"));
    expect(text).not.toContain("### Drift");
    expect(text).not.toContain("### Last arrivals");
  });
});
