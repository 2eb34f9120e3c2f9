/** Two snapshots of a mesh, or two proxies of one: what appeared, vanished and changed, by the Istio resource behind it. */
import { by, compareText } from "../shared/sorting.js";
import {
  sectionKinds,
  type Collected,
  type Proxy,
  type ReferenceList,
  type Resource,
  type SectionKind,
  type Snapshot,
} from "../snapshot/model.js";
import { selected } from "../snapshot/reference-list.js";
import { changesBetween, type Change } from "./changes.js";
import { damagedEntries, type Damage } from "./damage.js";
import type { JsonValue } from "../shared/json-value.js";
import { sectionOf } from "./optional-sections.js";
import { isOfEachPod, withoutSelf } from "./own-names.js";
import { withoutReplaced, type ProxyPair } from "./replaced-pods.js";
import { replicaKey } from "./replicas.js";
import { changeNumbers, comparer, type Comparer, type Difference, type Holding } from "./sections.js";
import type { SemanticForm } from "./semantic-form.js";
import { sourcesOfDifference, type SourceName } from "./sources.js";

/** One difference, the same on all the proxies that it names. */
export interface SnapshotChange {
  readonly kind: SectionKind;
  readonly name: string;
  readonly class: "appeared" | "vanished" | "changed";
  /** The fields, for `changed`; addresses and names of the pods themselves are taken out where pods were replaced. */
  readonly changes: readonly Change[];
  /** Ids in the second snapshot. */
  readonly proxies: readonly string[];
  readonly before: Resource | null;
  readonly after: Resource | null;
}

export interface SourceChanges {
  /** `VirtualService/reviews.default`, `Host/reviews.default.svc.cluster.local`; "" where nothing is named. */
  readonly source: SourceName;
  readonly changes: readonly SnapshotChange[];
}

export interface SnapshotComparison {
  /** Proxies of the first only, by id, that no pod of the same workload stands for in the second. */
  readonly vanished: readonly string[];
  readonly appeared: readonly string[];
  /** Pods that were replaced: first and second snapshot's id. */
  readonly replaced: readonly { readonly before: string; readonly after: string }[];
  readonly compared: number;
  /** How many of their sections were held against each other. */
  readonly sections: number;
  /** Resources that mean the same and are written differently. */
  readonly noise: number;
  readonly sources: readonly SourceChanges[];
  /** Sections that could not be compared, or not all of them, and why. */
  readonly notCompared: readonly {
    readonly proxyId: string;
    readonly kind: SectionKind;
    readonly reason: string;
  }[];
}

export function compareSnapshots(before: Snapshot, after: Snapshot): SnapshotComparison {
  const pairing = pairs(before.proxies, after.proxies);
  const replaced = withoutReplaced(pairing.pairs, before.pods, after.pods);
  const damage = { before: damagedEntries(before), after: damagedEntries(after) };
  const whyLost = { before: notCaptured(before), after: notCaptured(after) };
  const found = comparison(pairing, comparer(), replaced, damage);
  return {
    ...found,
    vanished: found.vanished.filter((id) => whyLost.after(id) === null),
    appeared: found.appeared.filter((id) => whyLost.before(id) === null),
    notCompared: [
      ...found.notCompared,
      ...found.vanished.flatMap((id) => wholeProxy(id, "after", whyLost.after(id))),
      ...found.appeared.flatMap((id) => wholeProxy(id, "before", whyLost.before(id))),
    ],
  };
}

/** Why a snapshot has nothing of a proxy that was there; null where nothing says that it was. */
function notCaptured({ gaps, pods }: Snapshot): (proxyId: string) => string | null {
  const reasons = new Map(
    pods.state === "present"
      ? pods.value
          .filter(({ hasProxy }) => hasProxy)
          .map(({ name, namespace }) => [`${name}.${namespace}`, "its pod is there, but no dump of it"])
      : [],
  );
  for (const { target, reason } of gaps) reasons.set(target, reason);
  return (proxyId) => reasons.get(proxyId) ?? null;
}

const wholeProxy = (
  proxyId: string,
  side: "before" | "after",
  reason: string | null,
): SnapshotComparison["notCompared"][number][] =>
  reason === null ? [] : sectionKinds.map((kind) => ({ proxyId, kind, reason: `${side}: ${reason}` }));

/** Two proxies of one snapshot; their own addresses and names are no difference. */
export function compareProxies(
  snapshot: Pick<Snapshot, "problems">,
  before: Proxy,
  after: Proxy,
): SnapshotComparison {
  const damage = damagedEntries(snapshot);
  const pairing = { pairs: [{ before, after }], vanished: [], appeared: [] };
  return { ...comparison(pairing, comparer(), null, { before: damage, after: damage }), replaced: [] };
}

interface Pairing {
  readonly pairs: readonly ProxyPair[];
  readonly vanished: readonly Proxy[];
  readonly appeared: readonly Proxy[];
}

/** The same pod, else another pod of the same workload: a restart is no change of the configuration. */
function pairs(before: readonly Proxy[], after: readonly Proxy[]): Pairing {
  const byId = new Map(after.map((proxy) => [proxy.id, proxy]));
  const found: ProxyPair[] = [];
  const gone: Proxy[] = [];
  for (const proxy of before) {
    const same = byId.get(proxy.id);
    if (same === undefined) gone.push(proxy);
    else {
      byId.delete(proxy.id);
      found.push({ before: proxy, after: same });
    }
  }
  const come = new Map<string, Proxy[]>();
  for (const proxy of byId.values()) {
    const key = replicaKey(proxy, "any release");
    if (key === null) continue;
    const group = come.get(key);
    if (group === undefined) come.set(key, [proxy]);
    else group.push(proxy);
  }
  const vanished = gone.filter((proxy) => {
    const key = replicaKey(proxy, "any release");
    const heir = key === null ? undefined : come.get(key)?.shift();
    if (heir === undefined) return true;
    byId.delete(heir.id);
    found.push({ before: proxy, after: heir });
    return false;
  });
  return { pairs: found, vanished, appeared: [...byId.values()] };
}

function comparison(
  pairing: Pairing,
  compare: Comparer,
  replaced: ReturnType<typeof withoutReplaced>,
  damage: { readonly before: Damage; readonly after: Damage },
): SnapshotComparison {
  const groups = new Map<string, { change: Omit<SnapshotChange, "proxies">; proxies: Set<string> }>();
  const numberOf = changeNumbers();
  const changesOf = changesOnce();
  const notCompared: SnapshotComparison["notCompared"][number][] = [];
  let noise = 0;
  let sections = 0;
  for (const { before, after } of pairing.pairs) {
    for (const kind of sectionKinds) {
      const old = sectionOf(kind, before, damage.before);
      const now = sectionOf(kind, after, damage.after);
      if (old.state === "absent" || now.state === "absent") {
        notCompared.push({ proxyId: after.id, kind, reason: whyNot(old, now) });
        continue;
      }
      const lost = {
        before: damage.before(before.dumpEntry ?? "", before.config, kind),
        after: damage.after(after.dumpEntry ?? "", after.config, kind),
      };
      for (const side of ["before", "after"] as const)
        if (lost[side] !== null)
          notCompared.push({ proxyId: after.id, kind, reason: `${side}, in part: ${lost[side]}` });
      const result = compare.compare(kind, activeOf(old.value), activeOf(now.value));
      noise += result.noise;
      sections++;
      const form = formsOf({ before, after }, compare, replaced);
      for (const difference of withoutMoved(result.differences, replaced, form)) {
        // what is missing from a list that is not whole proves nothing
        if (lost.after !== null && difference.class === "missing") continue;
        if (lost.before !== null && difference.class === "extra") continue;
        const changes = difference.class === "changed" ? changesOf(difference, form) : [];
        // only an address is another, or a certificate was renewed
        if (difference.class === "changed" && (changes.length === 0 || isOfEachPod(kind, difference.name)))
          continue;
        const change = {
          kind,
          name: difference.name,
          class: ({ missing: "vanished", extra: "appeared", changed: "changed" } as const)[difference.class],
          changes,
          before: difference.before?.resource ?? null,
          after: difference.after?.resource ?? null,
        };
        const key = [kind, change.class, numberOf(changes), change.name].join(" ");
        const group = groups.get(key) ?? { change, proxies: new Set<string>() };
        group.proxies.add(after.id);
        groups.set(key, group);
      }
    }
  }
  return {
    vanished: pairing.vanished.map(({ id }) => id).sort(),
    appeared: pairing.appeared.map(({ id }) => id).sort(),
    replaced: pairing.pairs
      .filter(({ before, after }) => before.id !== after.id)
      .map(({ before, after }) => ({ before: before.id, after: after.id }))
      .sort(by(({ before }) => before)),
    compared: pairing.pairs.length,
    sections,
    noise,
    sources: bySource(
      [...groups.values()].map(({ change, proxies }) => ({ ...change, proxies: [...proxies].sort() })),
      compare,
    ),
    notCompared,
  };
}

function whyNot(before: Collected<unknown>, after: Collected<unknown>): string {
  if (before.state === "present") return after.state === "present" ? "" : `after: ${after.reason}`;
  if (after.state === "present") return `before: ${before.reason}`;
  return before.reason === after.reason
    ? `on both sides: ${before.reason}`
    : `before: ${before.reason}; after: ${after.reason}`;
}

const activeOf = (list: ReferenceList): ReferenceList =>
  selected(list, (index) => list.state(index) === "active" || list.state(index) === "unknown");

/** What a resource means on one side, without the names of pods that were replaced. */
type FormOf = (side: "before" | "after", resource: Resource) => SemanticForm;

function formsOf(pair: ProxyPair, compare: Comparer, replaced: ReturnType<typeof withoutReplaced>): FormOf {
  const forms = replaced ?? { before: compare, after: compare };
  return pair.before.id === pair.after.id
    ? (side, resource) => forms[side].form(resource)
    : (side, resource) => withoutSelf(resource, pair[side], forms[side]);
}

/** The fields that differ, worked out once for each pair of forms: most proxies hold the same two. */
function changesOnce(): (difference: Difference, form: FormOf) => readonly Change[] {
  const known = new WeakMap<SemanticForm, WeakMap<SemanticForm, readonly Change[]>>();
  return ({ before, after }, form) => {
    if (before === null || after === null) return [];
    const [old, now] = [form("before", before.resource), form("after", after.resource)];
    if (old.text === now.text) return [];
    const own = known.get(old) ?? new WeakMap<SemanticForm, readonly Change[]>();
    known.set(old, own);
    const changes = own.get(now) ?? changesBetween(old.value, now.value);
    own.set(now, changes);
    return changes;
  };
}

/** What went with a replaced pod and came with the pod that stands for it: listeners of headless services. */
function withoutMoved(
  differences: readonly Difference[],
  replaced: ReturnType<typeof withoutReplaced>,
  form: FormOf,
): readonly Difference[] {
  if (replaced === null) return differences;
  const contentOf = (side: "before" | "after", name: string, { resource }: Holding): string =>
    `${replaced[side].name(name)}\u0000${form(side, resource).text}`;
  const come = new Map<string, Difference[]>();
  for (const difference of differences) {
    if (difference.class !== "extra" || difference.after === null) continue;
    const content = contentOf("after", difference.name, difference.after);
    const same = come.get(content);
    if (same === undefined) come.set(content, [difference]);
    else same.push(difference);
  }
  const moved = new Set<Difference>();
  for (const difference of differences) {
    if (difference.class !== "missing" || difference.before === null) continue;
    const heir = come.get(contentOf("before", difference.name, difference.before))?.pop();
    if (heir !== undefined) moved.add(difference).add(heir);
  }
  return differences.filter((difference) => !moved.has(difference));
}

function bySource(changes: readonly SnapshotChange[], compare: Comparer): SourceChanges[] {
  const value = (resource: Resource | null): JsonValue | null =>
    resource === null ? null : compare.form(resource).value;
  const groups = new Map<SourceName, SnapshotChange[]>();
  for (const change of changes) {
    const sources = sourcesOfDifference(change.kind, change.name, value(change.before), value(change.after));
    for (const source of sources.length === 0 ? [""] : sources) {
      const group = groups.get(source);
      if (group === undefined) groups.set(source, [change]);
      else group.push(change);
    }
  }
  return [...groups]
    .map(([source, list]) => ({
      source,
      changes: list.sort(
        by(
          ({ kind }) => kind,
          ({ name }) => name,
          ({ proxies }) => proxies[0] ?? "",
        ),
      ),
    }))
    .sort((a, b) => Number(a.source === "") - Number(b.source === "") || compareText(a.source, b.source));
}
