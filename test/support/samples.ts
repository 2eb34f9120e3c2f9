import type { ManifestFacts } from "./pack.js";
import { capturePlan } from "./mesh/capture.js";
import { applyFaults, type FaultName, type FaultRequest } from "./mesh/faults.js";
import { bugReportLayout, mustGatherLayout, ownLayout, type ArchiveFile } from "./mesh/layouts.js";
import { buildMesh } from "./mesh/mesh.js";
import type { Mesh } from "./mesh/model.js";

/** A committed snapshot, and the report that it must produce (`<name>.report.json` beside it). */
export interface Sample {
  readonly name: string;
  readonly files: () => Iterable<ArchiveFile>;
  /** null for an archive that is none of ours. */
  readonly manifest: ManifestFacts | null;
}

const drift: readonly (FaultName | FaultRequest)[] = [
  { fault: "stale-cds", proxy: "productpage-v1" },
  "not-sent-rds-gateway",
  { fault: "missing-from-syncz", proxy: "details-v1" },
  { fault: "rejected-listener", proxy: "reviews-v2" },
  { fault: "version-skew", proxy: "ratings-v1" },
  { fault: "missing-server-info", proxy: "reviews-v3" },
];

const seed = 7;

/** What the collector would say of a mesh. */
export function manifestOf(mesh: Mesh): ManifestFacts {
  const plan = capturePlan(mesh);
  return {
    formatVersion: 1,
    program: { name: "istio-snapshot-collect", version: "0.1.0" },
    cluster: "bookinfo-demo",
    start: new Date(plan.before).toISOString(),
    end: new Date(plan.after).toISOString(),
    targets: [
      ...mesh.istiods.map(({ pod }) => ({
        kind: "istiod" as const,
        namespace: pod.namespace,
        name: pod.name,
        outcome: "captured" as const,
      })),
      ...mesh.proxies.map(({ pod, files }) => ({
        kind: "proxy" as const,
        namespace: pod.namespace,
        name: pod.name,
        outcome: files.captured
          ? files.serverInfo
            ? ("captured" as const)
            : ("partial" as const)
          : ("failed" as const),
      })),
    ],
    failures: mesh.proxies.flatMap(({ id, files }) =>
      !files.captured
        ? [
            {
              target: id,
              what: "all files",
              reason: 'error: unable to upgrade connection: container not found ("istio-proxy")',
            },
          ]
        : files.serverInfo
          ? []
          : [{ target: id, what: "server_info", reason: "the answer timed out after 30s" }],
    ),
    redaction: { profile: "internal", rules: [] },
  };
}

const bookinfo = (
  faults: readonly (FaultName | FaultRequest)[],
  era: Parameters<typeof buildMesh>[0] = {},
): Mesh => applyFaults(buildMesh({ seed, ...era }), faults).mesh;

function own(name: string, mesh: Mesh): Sample {
  return { name, files: () => ownLayout(mesh), manifest: manifestOf(mesh) };
}

export const samples: readonly Sample[] = [
  own("bookinfo-healthy", bookinfo([])),
  own("bookinfo-drift", bookinfo(drift)),
  own(
    "bookinfo-trouble",
    bookinfo([
      { fault: "stuck", proxy: "productpage-v1" },
      { fault: "in-flight", proxy: "details-v1" },
      { fault: "warming-listener", proxy: "reviews-v1" },
      { fault: "not-live", proxy: "reviews-v2" },
      { fault: "dump-truncated", proxy: "reviews-v3" },
      { fault: "listed-not-captured", proxy: "ratings-v1" },
    ]),
  ),
  {
    name: "bookinfo-bug-report",
    files: () =>
      bugReportLayout(bookinfo([...drift, { fault: "dump-error-text", proxy: "reviews-v1" }]), {
        istioctl: "1.24",
      }),
    manifest: null,
  },
  {
    name: "bookinfo-bug-report-1.12",
    files: () =>
      bugReportLayout(
        bookinfo([{ fault: "never-acked-lds", proxy: "productpage-v1" }], { istioVersion: "1.12.9" }),
        { istioctl: "1.12" },
      ),
    manifest: null,
  },
  { name: "bookinfo-must-gather", files: () => mustGatherLayout(bookinfo(drift)), manifest: null },
];
