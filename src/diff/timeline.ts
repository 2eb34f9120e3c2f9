/**
 * When what arrived where: every `last_updated` of every resource on every proxy, as one list in order. One content that
 * arrived on many proxies is one event; replicas that should have it and have not are named.
 */
import type { Proxy, Resource, SectionKind, Snapshot } from "../snapshot/model.js";
import { sectionKinds } from "../snapshot/model.js";
import { isOfEachPod, namedAfter, withoutSelf } from "./own-names.js";
import { replicaGroups } from "./replicas.js";
import { damagedEntries, type Damage } from "./damage.js";
import { sectionOf } from "./optional-sections.js";
import type { Comparer } from "./sections.js";
import type { SemanticForm } from "./semantic-form.js";

export interface Arrival {
  readonly proxyId: string;
  /** RFC 3339. */
  readonly at: string;
  readonly versionInfo: string;
}

export interface TimelineEvent {
  readonly kind: SectionKind;
  readonly name: string;
  /** The first arrival, RFC 3339. */
  readonly first: string;
  readonly last: string;
  /** By time. */
  readonly arrivals: readonly Arrival[];
  /** Replicas of the same workloads that still hold an older content of that name, or none. */
  readonly missing: readonly string[];
  /** Whether all that each proxy has arrived with it: the proxy had started then. */
  readonly isStart: boolean;
  /** Content in `Snapshot.resources`. */
  readonly hash: string;
}

export interface Timeline {
  /** By time of the first arrival. */
  readonly events: readonly TimelineEvent[];
  /** RFC 3339; events before it were left out. */
  readonly since: string | null;
  /** Entries of dumps that carry no time. */
  readonly untimed: number;
}

/** What arrives within this many milliseconds of a proxy's oldest dynamic resource belongs to its start. */
const startWindow = 10_000;

/**
 * @param since RFC 3339; only what arrived later. null: everything
 */
export function timelineOf(snapshot: Snapshot, compare: Comparer, since: string | null): Timeline {
  const from = since === null ? Number.NEGATIVE_INFINITY : Date.parse(since);
  const events = new Map<string, Draft>();
  const contents = new Map<string, Map<string, Held>>();
  let untimed = 0;
  const meaningOf = meanings(compare);
  const damage = damagedEntries(snapshot);
  for (const proxy of snapshot.proxies) {
    const started = startOf(proxy.config);
    for (const kind of sectionKinds) {
      const list = proxy.config[kind];
      if (list.state === "absent") continue;
      for (let index = 0; index < list.value.length; index++) {
        const { name, source, state, lastUpdated, versionInfo } = list.value.at(index);
        const resource = list.value.resource(index);
        if (resource === null || source !== "dynamic" || state !== "active") continue;
        // a dump rebuilds endpoints from live hosts and does not say when they came
        if (kind === "endpointAssignment" && lastUpdated === null) continue;
        const meaning = meaningOf(resource, proxy);
        const place = `${kind}\u0000${name}`;
        const held = contents.get(place) ?? new Map<string, Held>();
        const at = lastUpdated === null ? Number.NaN : Date.parse(lastUpdated);
        held.set(proxy.id, { meaning, time: at });
        contents.set(place, held);
        if (lastUpdated === null) {
          untimed++;
          continue;
        }
        if (!(at >= from)) continue;
        const key = `${place}\u0000${meaning}`;
        const event = events.get(key) ?? {
          kind,
          name,
          hash: resource.hash,
          meaning,
          arrivals: [],
          starts: 0,
        };
        event.arrivals.push({ proxyId: proxy.id, at: lastUpdated, versionInfo, time: at });
        if (started !== null && at - started <= startWindow) event.starts++;
        events.set(key, event);
      }
    }
  }
  const groupOf = new Map(
    replicaGroups(snapshot).flatMap(({ proxies }) => proxies.map(({ id }) => [id, proxies] as const)),
  );
  return {
    events: [...events.values()]
      .map((draft) => eventOf(draft, contents, groupOf, damage))
      .sort(
        (a, b) => Date.parse(a.first) - Date.parse(b.first) || (a.kind + a.name < b.kind + b.name ? -1 : 1),
      ),
    since,
    untimed,
  };
}

interface Held {
  readonly meaning: number;
  /** Of its arrival, milliseconds; NaN where the dump does not say. */
  readonly time: number;
}

interface Draft {
  readonly kind: SectionKind;
  readonly name: string;
  readonly hash: string;
  readonly meaning: number;
  readonly arrivals: (Arrival & { readonly time: number })[];
  starts: number;
}

function eventOf(
  { kind, name, hash, meaning, arrivals, starts }: Draft,
  contents: ReadonlyMap<string, ReadonlyMap<string, Held>>,
  groupOf: ReadonlyMap<string, readonly Proxy[]>,
  damage: Damage,
): TimelineEvent {
  const sorted = arrivals.sort((a, b) => a.time - b.time || (a.proxyId < b.proxyId ? -1 : 1));
  const held = contents.get(`${kind}\u0000${name}`);
  const groups = new Set(sorted.map(({ proxyId }) => groupOf.get(proxyId) ?? []));
  const siblings = new Set([...groups].flat());
  const lacksIt = (proxy: Proxy): boolean => {
    if (isOfEachPod(kind, name)) return false;
    const other = held?.get(proxy.id);
    if (other === undefined) return isWhole(proxy, kind, damage) && !namedAfter(proxy)(name);
    // what came later has replaced it there
    return other.meaning !== meaning && !(other.time > (sorted[0]?.time ?? Number.NaN));
  };
  return {
    kind,
    name,
    hash,
    first: sorted[0]?.at ?? "",
    last: sorted.at(-1)?.at ?? "",
    arrivals: sorted.map(({ proxyId, at, versionInfo }) => ({ proxyId, at, versionInfo })),
    missing: [...siblings]
      .filter(lacksIt)
      .map(({ id }) => id)
      .sort(),
    isStart: starts === sorted.length,
  };
}

/** Whether what is not in a proxy's list is missing. */
const isWhole = (proxy: Proxy, kind: SectionKind, damage: Damage): boolean =>
  sectionOf(kind, proxy, damage).state === "present" &&
  damage(proxy.dumpEntry ?? "", proxy.config, kind) === null;

/** When a proxy got its first resource by xDS, milliseconds; null where no dump says. */
function startOf(config: Snapshot["proxies"][number]["config"]): number | null {
  let first: number | null = null;
  for (const kind of ["cluster", "listener"] as const) {
    const list = config[kind];
    if (list.state === "absent") continue;
    for (const { source, lastUpdated } of list.value) {
      const time = source === "dynamic" && lastUpdated !== null ? Date.parse(lastUpdated) : Number.NaN;
      if (!Number.isNaN(time) && (first === null || time < first)) first = time;
    }
  }
  return first;
}

/** A number for what a resource means, its proxy's own name and addresses left out: replicas hold the same. */
function meanings(compare: Comparer): (resource: Resource, proxy: Proxy) => number {
  const byForm = new WeakMap<SemanticForm, number>();
  const byText = new Map<string, number>();
  return (resource, proxy) => {
    const form = withoutSelf(resource, proxy, compare);
    let meaning = byForm.get(form);
    if (meaning === undefined) {
      meaning = byText.get(form.text) ?? byText.size;
      byText.set(form.text, meaning);
      byForm.set(form, meaning);
    }
    return meaning;
  };
}
