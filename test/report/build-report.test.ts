import { describe, expect, it } from "vitest";

import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { buildReport } from "../../src/report/build-report.js";
import type { Fact, ReportDocument } from "../../src/report/document.js";
import { redactionRules } from "../../src/shared/redaction-rules.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { syncStatus } from "../../src/status/sync-status.js";
import { aSnapshot } from "../support/builders.js";
import { applyFaults, type FaultName } from "../support/mesh/faults.js";
import { bugReportLayout, ownLayout, type ArchiveFile } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { bundle, tarGz } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";

// eslint-disable-next-line @typescript-eslint/require-await -- the shape of a stream
async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function reportOf(bytes: Uint8Array): Promise<ReportDocument> {
  const snapshot = await readSnapshot("-", { stdin: stream(bytes) });
  return buildReport(snapshot, syncStatus(snapshot), "0.0.0");
}

async function faulty(...faults: FaultName[]): Promise<{ report: ReportDocument; proxies: string[] }> {
  const { mesh, notes } = applyFaults(buildMesh({ seed: 3 }), faults);
  const report = await reportOf(await bundle(ownLayout(mesh), manifestOf(mesh)));
  return { report, proxies: notes.map(({ proxyId }) => proxyId) };
}

it("finds nothing wrong in a healthy mesh", async () => {
  const { report } = await faulty();
  expect(report.verdict).toEqual({ tone: "good", headline: "All 7 proxies are in sync", points: [] });
  expect(report.proxies.map(({ tone }) => tone)).toEqual(report.proxies.map(() => "good"));
  expect(report.problems).toEqual([]);
});

describe("each fault is said, with its proxy", () => {
  it.each([
    { fault: "stale-cds", level: "error", says: /has not acknowledged CDS from istiod-.*stuck/ },
    { fault: "never-acked-lds", level: "error", says: /has not acknowledged LDS/ },
    { fault: "missing-from-syncz", level: "error", says: /in no Istiod's list/ },
    {
      fault: "listed-not-captured",
      level: "warning",
      says: /listed by Istiod, but nothing of it was captured/,
    },
    { fault: "rejected-listener", level: "error", says: /rejected the last LDS push: .*filter chain/ },
    { fault: "warming-listener", level: "warning", says: /still warming/ },
    { fault: "warming-cluster", level: "warning", says: /still warming/ },
    { fault: "version-skew", level: "info", says: /Proxies run 2 versions/ },
    { fault: "not-live", level: "error", says: /not live but PRE_INITIALIZING/ },
    { fault: "in-two-lists", level: "warning", says: /more than one list/ },
    { fault: "in-flight", level: "info", says: /in flight \(EDS\)/ },
    { fault: "stuck", level: "error", says: /has not acknowledged EDS.*stuck/ },
  ] as const)("$fault: $level", async ({ fault, level, says }) => {
    const { report, proxies } = await faulty(fault);
    const point = report.verdict.points.find(({ text }) => says.test(text));
    expect(point, report.verdict.points.map(({ text }) => text).join("\n")).toMatchObject({ level });
    expect(point?.proxies).toEqual(expect.arrayContaining(proxies));
  });

  it("a rejected listener is one notice, though Envoy lists it twice", async () => {
    const { report, proxies } = await faulty("rejected-listener");
    const section = report.proxies.find(({ id }) => id === proxies[0]);
    expect(section?.notices).toHaveLength(1);
    expect(section?.resources.find(({ kind }) => kind === "listener")?.counts?.rejected).toBe(1);
    const about = report.verdict.points.filter(({ level }) => level === "error");
    expect(about).toHaveLength(1); // Istiod's word and Envoy's are one cause
  });

  it("a draining listener is a notice, and no fault", async () => {
    const { report, proxies } = await faulty("draining-listener");
    expect(report.proxies.find(({ id }) => id === proxies[0])?.notices).toMatchObject([
      { state: "draining" },
    ]);
    expect(report.verdict.points).toEqual([]);
  });

  it.each([
    { fault: "missing-server-info", label: "Server state", because: "no server_info of it was captured" },
    { fault: "no-eds", kind: "endpointAssignment", because: "captured without include_eds" },
    { fault: "dump-error-text", kind: "cluster", because: "is not JSON but the text" },
    { fault: "dump-truncated", kind: "secret", because: "cut off or damaged before this section" },
  ] as const)("what $fault hides is not known, with the reason", async (expected) => {
    const { report, proxies } = await faulty(expected.fault);
    const section = report.proxies.find(({ id }) => id === proxies[0]);
    if ("label" in expected) {
      expect(section?.facts.find(({ label }) => label === expected.label)).toEqual({
        label: expected.label,
        value: expected.because,
        missing: true,
      });
    } else {
      const resources = section?.resources.find(({ kind }) => kind === expected.kind);
      expect(resources).toMatchObject({ counts: null, reason: expect.stringContaining(expected.because) });
    }
  });
});

it("the same text of many proxies is one point", async () => {
  const mesh = buildMesh({ seed: 3, bookinfo: true });
  const { mesh: twice, notes } = applyFaults(mesh, [
    { fault: "rejected-listener", proxy: "reviews-v1" },
    { fault: "rejected-listener", proxy: "reviews-v2" },
  ]);
  const report = await reportOf(await bundle(ownLayout(twice), manifestOf(twice)));
  const points = report.verdict.points.filter(({ level }) => level === "error");
  expect(points).toHaveLength(1);
  expect(points[0]?.proxies).toEqual(notes.map(({ proxyId }) => proxyId).sort());
});

it("names each proxy's anchor once, whatever its name", async () => {
  const row = (proxy: string): ArchiveFile => ({
    name: `bug-report/proxies/ns/${proxy}/server_info`,
    body: '{"version":"a/1.32.3/Clean/RELEASE/BoringSSL","state":"LIVE"}',
    mtime: new Date(0),
  });
  const report = await reportOf(await tarGz(["a b", "a_b", "a<b", "<script>"].map(row)));
  const anchors = report.proxies.map(({ anchor }) => anchor);
  expect(new Set(anchors).size).toBe(4);
  for (const anchor of anchors) expect(anchor).toMatch(/^proxy-[A-Za-z0-9._~-]+$/);
});

describe("redaction", () => {
  const redacted = (redaction: Snapshot["source"]["redaction"]): ReportDocument["capture"] => {
    const snapshot = aSnapshot();
    const from = { ...snapshot, source: { ...snapshot.source, redaction } };
    return buildReport(from, syncStatus(from), "0.0.0").capture;
  };
  const factOf = ({ facts }: ReportDocument["capture"]): Fact | undefined =>
    facts.find(({ label }) => label === "Redaction");

  it("is told with how much it took, and what that takes from the analysis", () => {
    const capture = redacted({
      profile: "support",
      rules: [
        { rule: "header value", count: 3, files: 2 },
        { rule: "code", count: 0, files: 0 },
        { rule: "private key", count: 1, files: 1 },
        { rule: "rule of tomorrow", count: 1, files: 1 },
      ],
    });
    expect(factOf(capture)?.value).toBe("support: 5 values replaced by 3 rules");
    expect(capture.weakened).toEqual([
      redactionRules["header value"].weakens,
      '"rule of tomorrow" was applied, a rule that this version does not know.',
    ]);
  });

  it("that took nothing weakens nothing", () => {
    const capture = redacted({ profile: "internal", rules: [{ rule: "code", count: 0, files: 0 }] });
    expect(factOf(capture)?.value).toBe("internal");
    expect(capture.weakened).toEqual([]);
  });

  it("of which the snapshot says nothing is not known", () => {
    expect(factOf(redacted(null))).toMatchObject({ missing: true });
    expect(redacted(null).weakened).toEqual([]);
  });
});

it("without any list the sync state is unknown, not fine", async () => {
  const files = [...bugReportLayout(buildMesh({ seed: 3 }), { istioctl: "1.24" })].filter(
    ({ name }) => !name.includes("syncz"),
  );
  const report = await reportOf(await tarGz(files));
  expect(report.verdict.tone).not.toBe("good");
  expect(report.verdict.headline).toMatch(/^Sync state unknown/);
  expect(report.proxies.map(({ tone }) => tone)).not.toContain("good");
});
