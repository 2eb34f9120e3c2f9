/**
 * Proxy against proxy: replicas of one workload must hold the same, but for their own addresses and names. Needs nothing
 * of Istiod's, so it works on a bug-report. Whole mesh: hashes are counted, and only what differs is looked into.
 */
import { by, compareText } from "../shared/sorting.js";
import type { Proxy, ReferenceList, Resource, SectionKind, Snapshot } from "../snapshot/model.js";
import { changesBetween, type Change } from "./changes.js";
import { damagedEntries } from "./damage.js";
import { sectionOf } from "./optional-sections.js";
import type { Comparer } from "./sections.js";
import { namedAfter, withoutOwnNames, withoutSelf } from "./own-names.js";
import type { JsonValue } from "../shared/json-value.js";

/** Proxies that must hold the same. */
export interface ReplicaGroup {
  /** `reviews-v1.default`, with what else sets replicas apart where it does: `..., 1.24.2`. */
  readonly name: string;
  readonly proxies: readonly Proxy[];
}

/** A resource of which some replicas hold something else than the others. */
export interface ReplicaDivergence {
  readonly group: string;
  readonly groupSize: number;
  readonly kind: SectionKind;
  readonly name: string;
  /** Of the minority: it lacks the resource, has one that the others lack, or another content. */
  readonly class: "missing" | "extra" | "changed";
  /** From the majority's content to the minority's, own addresses and names taken out. */
  readonly changes: readonly Change[];
  /** One of the minority has it warming, which is not in force. */
  readonly warming: boolean;
  /** Why proxies of the minority refused an update of it, each text once. */
  readonly rejections: readonly string[];
  /** Ids of the minority. */
  readonly proxies: readonly string[];
  /** One of the majority, to compare with. */
  readonly reference: string;
}

/** Kinds whose content depends on the workload, its release and its place in the mesh only; endpoints have their own check. */
const kinds = [
  "cluster",
  "listener",
  "routeConfiguration",
  "extensionConfig",
] as const satisfies readonly SectionKind[];

/**
 * Groups by namespace, owner, type, release, revision, network and cluster (Istio, pkg/model: node metadata OWNER,
 * WORKLOAD_NAME, ISTIO_VERSION, NETWORK, CLUSTER_ID and LABELS).
 */
export function replicaGroups({ proxies }: Pick<Snapshot, "proxies">): readonly ReplicaGroup[] {
  const groups = new Map<string, { name: string; proxies: Proxy[] }>();
  for (const proxy of proxies) {
    const key = replicaKey(proxy, "one release");
    if (key === null) continue; // whose replica it is nobody says
    const group = groups.get(key) ?? { name: workloadOf(proxy), proxies: [] };
    group.proxies.push(proxy);
    groups.set(key, group);
  }
  return [...groups.values()].filter((group) => group.proxies.length > 1).sort(by(({ name }) => name));
}

/**
 * What proxies that are replicas of each other have in common; null where a proxy does not say whose it is.
 * @param releases whether proxies of other releases and revisions count as other workloads
 */
export function replicaKey(proxy: Proxy, releases: "one release" | "any release"): string | null {
  const told = metadataOf(proxy);
  const owner = told("OWNER");
  const workload = told("WORKLOAD_NAME");
  if (owner === "" && workload === "") return null;
  return [
    proxy.namespace,
    owner === "" ? workload : owner,
    proxy.type,
    told("NETWORK"),
    told("CLUSTER_ID"),
    told("INTERCEPTION_MODE"),
    ...(releases === "one release" ? [told("ISTIO_VERSION"), labelsOf(proxy)] : []),
  ].join("\u0000");
}

/** `reviews-v1.default`, as the metadata names the workload. */
export function workloadOf(proxy: Proxy): string {
  const told = metadataOf(proxy);
  const owner = told("OWNER");
  const workload = told("WORKLOAD_NAME");
  return `${workload === "" ? owner.slice(owner.lastIndexOf("/") + 1) : workload}.${proxy.namespace}`;
}

const metadataOf =
  ({ node }: Proxy) =>
  (key: string): string => {
    const value = node.state === "present" ? node.value.metadata[key] : undefined;
    return typeof value === "string" ? value : "";
  };

/** Labels that differ between the pods of one template, or between templates that say the same. */
const ownLabels: ReadonlySet<string> = new Set([
  "pod-template-hash",
  "controller-revision-hash",
  "statefulset.kubernetes.io/pod-name",
  "apps.kubernetes.io/pod-index",
  "batch.kubernetes.io/job-completion-index",
]);

/**
 * The revision, and whatever else Sidecar, EnvoyFilter, AuthorizationPolicy and the rest select workloads by: while a
 * rollout changes labels, old and new pods are told different things.
 */
function labelsOf({ node }: Proxy): string {
  const labels = node.state === "present" ? node.value.metadata["LABELS"] : undefined;
  if (typeof labels !== "object" || labels === null) return "";
  return JSON.stringify(
    Object.entries(labels)
      .filter(([label]) => !ownLabels.has(label))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** What replicas hold otherwise than most of their kind; a tie goes to the content that was there first. */
export function replicaDivergences(snapshot: Snapshot, compare: Comparer): readonly ReplicaDivergence[] {
  const damage = damagedEntries(snapshot);
  return replicaGroups(snapshot).flatMap((group) =>
    kinds.flatMap((kind) => {
      const members = group.proxies.flatMap((proxy): Member[] => {
        const list = sectionOf(kind, proxy, damage);
        if (list.state === "absent") return [];
        const isWhole = damage(proxy.dumpEntry ?? "", proxy.config, kind) === null;
        return [{ proxy, list: list.value, isWhole }];
      });
      return members.length < 2 ? [] : divergencesOf(group, members, kind, compare);
    }),
  );
}

/** One replica's list of a kind. */
interface Member {
  readonly proxy: Proxy;
  readonly list: ReferenceList;
  /** Whether what is not in it is missing. */
  readonly isWhole: boolean;
}

/** Replicas that hold the same. */
interface Part {
  /** null where they hold nothing. */
  readonly value: JsonValue | null;
  readonly copies: Copy[];
}

/** An update that a proxy has not in force. */
interface Pending {
  readonly proxyId: string;
  /** Why it was refused; null where it warms. */
  readonly rejection: string | null;
}

interface Copy {
  readonly proxy: Proxy;
  /** What it holds and where that stands in its list; null for nothing. */
  readonly held: { readonly resource: Resource; readonly list: ReferenceList; readonly index: number } | null;
}

function divergencesOf(
  group: ReplicaGroup,
  members: readonly Member[],
  kind: (typeof kinds)[number],
  compare: Comparer,
): ReplicaDivergence[] {
  const copies = new Map<string, Map<string, Copy>>();
  const hashes = new Map<string, Set<string>>();
  const pending = new Map<string, Pending[]>();
  for (const { proxy, list } of members) {
    const isOwn = namedAfter(proxy);
    for (let index = 0; index < list.length; index++) {
      const resource = list.resource(index);
      const called = list.name(index);
      const state = list.state(index);
      if (state === "warming" || state === "rejected") {
        const { rejection } = list.at(index);
        const updates = pending.get(called) ?? [];
        updates.push({ proxyId: proxy.id, rejection: rejection?.details ?? null });
        pending.set(called, updates);
      }
      if (resource === null || list.source(index) !== "dynamic" || state !== "active") continue;
      const name = isOwn(called) ? withoutOwnNames(proxy)(called) : called;
      const own = copies.get(name) ?? new Map<string, Copy>();
      own.set(proxy.id, { proxy, held: { resource, list, index } });
      copies.set(name, own);
      const seen = hashes.get(name) ?? new Set<string>();
      seen.add(resource.hash);
      hashes.set(name, seen);
    }
  }
  return [...copies].flatMap(([name, own]) =>
    own.size === members.length && hashes.get(name)?.size === 1
      ? []
      : minorities(
          group,
          kind,
          name,
          members
            .filter(({ proxy, isWhole }) => own.has(proxy.id) || (isWhole && !namedAfter(proxy)(name)))
            .map(({ proxy }): Copy => own.get(proxy.id) ?? { proxy, held: null }),
          pending.get(name) ?? [],
          compare,
        ),
  );
}

function minorities(
  group: ReplicaGroup,
  kind: SectionKind,
  name: string,
  copies: readonly Copy[],
  pending: readonly Pending[],
  compare: Comparer,
): ReplicaDivergence[] {
  const parts = new Map<string, Part>();
  for (const copy of copies) {
    const form = copy.held === null ? null : withoutSelf(copy.held.resource, copy.proxy, compare);
    const part = parts.get(form?.text ?? "") ?? { value: form?.value ?? null, copies: [] };
    part.copies.push(copy);
    parts.set(form?.text ?? "", part);
  }
  if (parts.size < 2) return [];
  const since = (part: Part): number => Math.min(...part.copies.map(arrivalOf));
  const [majority, ...others] = [...parts.values()].sort(
    (a, b) =>
      b.copies.length - a.copies.length ||
      since(a) - since(b) ||
      compareText(a.copies[0]?.proxy.id ?? "", b.copies[0]?.proxy.id ?? ""),
  );
  const reference = majority?.copies[0];
  if (majority === undefined || reference === undefined) return [];
  return others.map(({ value, copies: part }): ReplicaDivergence => {
    const proxies = part.map(({ proxy }) => proxy.id).sort();
    const own = pending.filter(({ proxyId }) => proxies.includes(proxyId));
    return {
      group: group.name,
      groupSize: copies.length,
      kind,
      name,
      class: value === null ? "missing" : majority.value === null ? "extra" : "changed",
      changes: value === null || majority.value === null ? [] : changesBetween(majority.value, value),
      warming: own.some(({ rejection }) => rejection === null),
      rejections: [...new Set(own.flatMap(({ rejection }) => rejection ?? []))].sort(),
      proxies,
      reference: reference.proxy.id,
    };
  });
}

/** Milliseconds; infinite where nothing says. */
function arrivalOf({ held }: Copy): number {
  const at = held?.list.at(held.index).lastUpdated ?? null;
  return at === null ? Number.POSITIVE_INFINITY : Date.parse(at);
}
