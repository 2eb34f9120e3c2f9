import { Readable } from "node:stream";

import { describe, expect, it } from "vitest";

import { defaultLimits } from "../../src/bundle/limits.js";
import { surveySnapshot, type Survey } from "../../src/ingest/survey.js";
import { bytesOf, snapshotIn } from "../support/builders.js";
import { bugReportLayout, mustGatherLayout, ownLayout, type ArchiveFile } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { bundle, tarGz } from "../support/pack.js";
import { manifestOf } from "../support/samples.js";

const mesh = buildMesh({ seed: 3, services: 3, proxies: 3, namespaces: 3 });
/** Namespaces of proxies and Istiods; others have pods without a proxy. */
const ofProxies = new Set(
  [...mesh.proxies, ...mesh.istiods].map((item) => ("pod" in item ? item.pod.namespace : "")),
);

const survey = (bytes: Uint8Array): Promise<Survey> =>
  surveySnapshot("-", { limits: defaultLimits, stdin: Readable.from([bytes]) });
const aFile = (name: string, json: unknown): ArchiveFile => ({
  name,
  body: bytesOf(json),
  mtime: new Date(0),
});

describe("the namespaces of a mesh", () => {
  it.each([
    { layout: "our own bundle", files: () => ownLayout(mesh) },
    { layout: "a bug-report", files: () => bugReportLayout(mesh, { istioctl: "1.24" }) },
    { layout: "a must-gather", files: () => mustGatherLayout(mesh) },
  ])("are found in $layout", async ({ files }) => {
    const { namespaces } = await survey(await tarGz(files()));
    for (const namespace of ofProxies) expect(namespaces).toContain(namespace);
  });

  it("are also those of proxies that only Istiod's list names, of pods, services and folders", async () => {
    const { namespaces } = await survey(
      await tarGz([
        aFile("istio-snapshot/istio/istio-system/istiod-1/debug/syncz", [{ proxy: "a-1.listed" }]),
        aFile("istio-snapshot/cluster/pods.json", {
          pods: [{ name: "p", namespace: "of-pod", labels: {}, owner: { kind: "", name: "" }, ips: [] }],
        }),
        aFile("istio-snapshot/cluster/services.json", {
          services: [{ name: "s", namespace: "of-service", clusterIPs: [], ports: [], selector: {} }],
        }),
        aFile("must-gather/namespaces/of-folder/pods.yaml", ""),
      ]),
    );
    expect([...namespaces].sort()).toEqual(["istio-system", "listed", "of-folder", "of-pod", "of-service"]);
  });

  it("are none where an answer names none", async () => {
    expect((await survey(bytesOf([{ proxy: "nobody" }]))).namespaces).toEqual(new Set());
  });
});

describe("what was redacted before", () => {
  const record = { profile: "public", rules: [{ rule: "name", count: 1, files: 1 }] } as const;
  const certs = aFile("x/proxies/a/b/server_info", { state: "LIVE" });

  it("the manifest says, which is given back with its place", async () => {
    const facts = { ...manifestOf(mesh), redaction: record };
    const found = await survey(await bundle(ownLayout(mesh), facts));
    expect(found.redaction).toEqual(record);
    expect(found.manifest).toMatchObject({ entry: "istio-snapshot/manifest.json", manifest: facts });
  });

  it("the record says in an archive that is none of ours", async () => {
    const archive = await tarGz([certs, aFile("x/istio-snapshot-redaction.json", record)]);
    expect(await survey(archive)).toMatchObject({ redaction: record, manifest: null });
    expect((await snapshotIn(archive)).source.redaction).toEqual(record);
  });

  it.each([
    { what: "nothing is said", files: [] },
    {
      what: "what is said cannot be read",
      files: [aFile("x/istio-snapshot-redaction.json", { profile: "all" })],
    },
  ])("is not known where $what", async ({ files }) => {
    const archive = await tarGz([certs, ...files]);
    expect((await survey(archive)).redaction).toBeNull();
    const snapshot = await snapshotIn(archive);
    expect(snapshot.source.redaction).toBeNull();
    expect(snapshot.problems).toHaveLength(files.length);
  });

  it("does not make an archive a snapshot that holds nothing else", async () => {
    const archive = await tarGz([
      aFile("istio-snapshot-redaction.json", record),
      aFile("certificates.json", {}),
    ]);
    await expect(survey(archive)).rejects.toThrow("no Istio snapshot in it");
  });
});
