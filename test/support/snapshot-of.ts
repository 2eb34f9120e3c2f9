/** The snapshot in the files of a generated mesh, without packing and unpacking them. */
import type { Entry } from "../../src/bundle/entry.js";
import { manifestName } from "../../src/bundle/manifest.js";
import { roleOf, type Role } from "../../src/bundle/roles.js";
import { everything } from "../../src/ingest/read-snapshot.js";
import { SnapshotBuilder } from "../../src/ingest/snapshot-builder.js";
import { ProblemList } from "../../src/shared/problem.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import type { ResourceStore } from "../../src/snapshot/parse/resources.js";
import { aStore } from "./builders.js";
import { bugReportLayout, ownLayout, type ArchiveFile, type BugReportVersion } from "./mesh/layouts.js";
import type { Mesh } from "./mesh/model.js";
import { manifestOf } from "./samples.js";

const debug: ReadonlySet<string> = new Set(["mesh", "endpointShardz"]);

/** A bundle of the collector. @param store see `snapshotOf` */
export function bundleOf(mesh: Mesh, store?: ResourceStore): Snapshot {
  const files = function* (): Generator<ArchiveFile> {
    yield* ownLayout(mesh);
    yield* manifestFile(mesh);
  };
  return snapshotOf(files(), store);
}

export const bugReportOf = (
  mesh: Mesh,
  istioctl: BugReportVersion = "1.24",
  store?: ResourceStore,
): Snapshot => snapshotOf(bugReportLayout(mesh, { istioctl }), store);

/** Last in a bundle; without the files' sizes, which nothing here asks for. */
const manifestFile = (mesh: Mesh): ArchiveFile[] => [
  {
    name: manifestName,
    body: JSON.stringify({ ...manifestOf(mesh), files: [] }),
    mtime: new Date(mesh.capturedAt),
  },
];

/** @param store shared by several snapshots, it knows what they have in common */
export function snapshotOf(files: Iterable<ArchiveFile>, store: ResourceStore = aStore()): Snapshot {
  const builder = new SnapshotBuilder({
    name: "test",
    form: "archive",
    store,
    problems: new ProblemList(),
    want: everything,
    at: null,
    as: null,
  });
  for (const file of files) {
    const role = roleOf(file.name);
    const entry: Entry = {
      name: file.name,
      role,
      size: null,
      capturedAt: { time: file.mtime.toISOString(), source: "manifest" },
      read: () => Promise.resolve({ bytes: bytesOf(file), cut: false }),
      readHead: () => Promise.resolve(bytesOf(file)),
    };
    builder.seen(entry);
    if (isRead(role)) builder.read(entry, bytesOf(file), false);
  }
  return builder.build();
}

const bytesOf = ({ body }: ArchiveFile): Buffer => (typeof body === "string" ? Buffer.from(body) : body);

const isRead = (role: Role): boolean =>
  role.kind === "manifest" ||
  (everything.has(role.kind) && (role.kind !== "istiodDebug" || debug.has(role.name)));
