/** The snapshot in the files of a generated mesh, without packing and unpacking them. */
import type { Entry } from "../../src/bundle/entry.js";
import { manifestName } from "../../src/bundle/manifest.js";
import { roleOf, type Role } from "../../src/bundle/roles.js";
import { comparedDebug, everything } from "../../src/ingest/read-snapshot.js";
import { SnapshotBuilder } from "../../src/ingest/snapshot-builder.js";
import { ProblemList } from "../../src/shared/problem.js";
import { by } from "../../src/shared/sorting.js";
import type { IstiodView, Snapshot } from "../../src/snapshot/model.js";
import type { ResourceStore } from "../../src/snapshot/parse/resources.js";
import { aStore } from "./builders.js";
import { bugReportLayout, ownLayout, type ArchiveFile, type BugReportVersion } from "./mesh/layouts.js";
import type { Mesh, MeshProxy } from "./mesh/model.js";
import { manifestOf } from "./samples.js";

/** The files of a capture. */
export type Layout = (mesh: Mesh) => Iterable<ArchiveFile>;

/** A bundle of the collector. */
export const bundleFiles: Layout = function* (mesh) {
  yield* ownLayout(mesh);
  yield* manifestFile(mesh);
};

export const bugReportFiles =
  (istioctl: BugReportVersion = "1.24"): Layout =>
  (mesh) =>
    bugReportLayout(mesh, { istioctl });

export const bundleOf = (mesh: Mesh): Snapshot => snapshotOf(bundleFiles(mesh));

export const bugReportOf = (mesh: Mesh, istioctl?: BugReportVersion): Snapshot =>
  snapshotOf(bugReportFiles(istioctl)(mesh));

/** Last in a bundle; without the files' sizes, which nothing here asks for. */
const manifestFile = (mesh: Mesh): ArchiveFile[] => [
  {
    name: manifestName,
    body: JSON.stringify({ ...manifestOf(mesh), files: [] }),
    mtime: new Date(mesh.capturedAt),
  },
];

/**
 * @param store shared by several snapshots, it knows what they have in common
 * @param isWanted whether a file of a role is read
 * @param want which kinds of files are
 */
export function snapshotOf(
  files: Iterable<ArchiveFile>,
  store: ResourceStore = aStore(),
  isWanted: (role: Role) => boolean = () => true,
  want: ReadonlySet<Role["kind"]> = everything,
): Snapshot {
  const builder = new SnapshotBuilder({
    name: "test",
    form: "archive",
    store,
    problems: new ProblemList(),
    want,
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
    if (isRead(role, want) && isWanted(role)) builder.read(entry, bytesOf(file), false);
  }
  return builder.build();
}

/**
 * Snapshots of meshes that have proxies in common with another, which is read first. The files of a proxy are the same as
 * long as the proxy is, so they are read once.
 */
export function snapshotsLike(common: Mesh, layout: Layout): (mesh: Mesh) => Snapshot {
  const store = aStore();
  const known = snapshotOf(layout(common), store);
  const proxies = new Map(known.proxies.map((proxy) => [proxy.id, proxy]));
  const views = new Map(
    known.istiods.flatMap(({ id, views: own }) => own.map((view) => [`${id} ${view.proxyId}`, view])),
  );
  return (mesh) => {
    if (mesh === common) return known;
    const { held, sent } = unchanged(common, mesh);
    const taken: { readonly istiod: string; readonly view: IstiodView }[] = [];
    const isWanted = (role: Role): boolean => {
      if (!("proxy" in role)) return true;
      const id = `${role.proxy.name}.${role.proxy.namespace}`;
      if (role.kind !== "istiodDump") return !held.has(id);
      const istiod = role.istiod?.name ?? "";
      const view = sent.has(id) ? views.get(`${istiod} ${id}`) : undefined;
      if (view !== undefined) taken.push({ istiod, view });
      return view === undefined;
    };
    const snapshot = snapshotOf(layout(mesh), store, isWanted);
    return {
      ...snapshot,
      proxies: snapshot.proxies.map((proxy) => (held.has(proxy.id) ? proxies.get(proxy.id)! : proxy)),
      istiods: snapshot.istiods.map((istiod) => ({
        ...istiod,
        views: [
          ...istiod.views,
          ...taken.flatMap(({ istiod: of, view }) => (of === istiod.id ? [view] : [])),
        ].sort(by(({ proxyId }) => proxyId)),
      })),
    };
  };
}

/** Ids of proxies that hold the same, and of those that Istiod would send the same, at the same times. */
function unchanged(
  common: Mesh,
  mesh: Mesh,
): { readonly held: ReadonlySet<string>; readonly sent: ReadonlySet<string> } {
  const [held, sent] = [new Set<string>(), new Set<string>()];
  if (mesh.capturedAt !== common.capturedAt) return { held, sent };
  for (const [index, { desired, ...proxy }] of mesh.proxies.entries()) {
    const { desired: oldDesired, ...old } = common.proxies[index] ?? {};
    if ((old as Partial<MeshProxy>).id !== proxy.id) continue;
    if (desired === oldDesired) sent.add(proxy.id);
    const before: Readonly<Record<string, unknown>> = old;
    if (Object.entries(proxy).every(([key, value]) => before[key] === value)) held.add(proxy.id);
  }
  return { held, sent };
}

const bytesOf = ({ body }: ArchiveFile): Buffer => (typeof body === "string" ? Buffer.from(body) : body);

const isRead = (role: Role, want: ReadonlySet<Role["kind"]>): boolean =>
  role.kind === "manifest" ||
  (want.has(role.kind) && (role.kind !== "istiodDebug" || comparedDebug.has(role.name)));
