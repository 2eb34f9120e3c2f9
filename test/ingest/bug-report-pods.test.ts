import { afterAll, describe, expect, it } from "vitest";

import { everything, readSnapshot, type EntryKind } from "../../src/ingest/read-snapshot.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { aFolder, valueOf } from "../support/builders.js";
import { comparisonFindings } from "../support/drift-findings.js";
import { bugReportLayout } from "../support/mesh/layouts.js";
import { buildMesh } from "../support/mesh/mesh.js";
import { tarGz } from "../support/pack.js";

const folder = await aFolder();
afterAll(folder.remove);

const withObjects: ReadonlySet<EntryKind> = new Set<EntryKind>([...everything, "kubernetesObjects"]);
const options = { seed: "replaced", services: 4, proxies: 6, replicas: 3 };
const healthy = buildMesh(options);
/** Of a service whose pods have no proxy. */
const plain = healthy.workloads.at(-1)?.name ?? "";

async function bugReportOf(replaced: readonly string[], want = withObjects): Promise<Snapshot> {
  const mesh = buildMesh({ ...options, replaced });
  const name = `report-${replaced.join("-")}.tar.gz`;
  const path = await folder.write(name, await tarGz(bugReportLayout(mesh, { istioctl: "1.24" })));
  return readSnapshot(path, { want });
}

describe("the pods of a bug-report", () => {
  it("are those of all namespaces, where they are asked for", async () => {
    const pods = valueOf((await bugReportOf([])).pods);
    expect(pods.map(({ namespace, name, ips }) => `${namespace}/${name} ${ips.join()}`).sort()).toEqual(
      healthy.pods.map(({ namespace, name, ip }) => `${namespace}/${name} ${ip}`).sort(),
    );
    expect(pods.filter(({ hasProxy }) => hasProxy)).toHaveLength(healthy.proxies.length);
    expect((await bugReportOf([], everything)).pods.state).toBe("absent");
  });

  it("tell which were replaced between two, also without a proxy", async () => {
    expect(comparisonFindings(await bugReportOf([]), await bugReportOf([plain]))).toEqual([]);
    // and without them, nothing says whose the addresses are
    const [before, after] = [await bugReportOf([], everything), await bugReportOf([plain], everything)];
    expect(comparisonFindings(before, after).length).toBeGreaterThan(0);
  });
});
