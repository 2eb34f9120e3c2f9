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
  const { places, untimed } = placesOf(snapshot, from);
  const meaningOf = meanings(compare);
  const damage = damagedEntries(snapshot);
  const groupOf = new Map(
    replicaGroups(snapshot).flatMap(({ proxies }) => proxies.map(({ id }) => [id, proxies] as const)),
  );
  return {
    events: places
      .flatMap((place) => eventsAt(place, from, meaningOf, groupOf, damage))
      .sort(
        (a, b) => Date.parse(a.first) - Date.parse(b.first) || (a.kind + a.name < b.kind + b.name ? -1 : 1),
      ),
    since,
    untimed,
  };
}

/** Who holds something of one name. */
interface Place {
  readonly kind: SectionKind;
  readonly name: string;
  readonly copies: Copy[];
}

interface Copy {
  readonly proxy: Proxy;
  readonly resource: Resource;
  /** RFC 3339; null where the dump does not say. */
  readonly lastUpdated: string | null;
  readonly versionInfo: string;
  /** Milliseconds; NaN where the dump does not say. */
  readonly time: number;
  /** Whether it belongs to the proxy's start. */
  readonly isOfStart: boolean;
}

/** The places where anything arrived in time. */
function placesOf(
  snapshot: Snapshot,
  from: number,
): { readonly places: readonly Place[]; readonly untimed: number } {
  const places = new Map<string, Place>();
  const recent = new Set<Place>();
  let untimed = 0;
  for (const proxy of snapshot.proxies) {
    const started = startOf(proxy.config);
    for (const kind of sectionKinds) {
      const list = proxy.config[kind];
      if (list.state === "absent") continue;
      for (let index = 0; index < list.value.length; index++) {
        if (list.value.source(index) !== "dynamic" || list.value.state(index) !== "active") continue;
        const resource = list.value.resource(index);
        if (resource === null) continue;
        const { name, lastUpdated, versionInfo } = list.value.at(index);
        // a dump rebuilds endpoints from live hosts and does not say when they came
        if (kind === "endpointAssignment" && lastUpdated === null) continue;
        const key = `${kind}\u0000${name}`;
        const place = places.get(key) ?? { kind, name, copies: [] };
        places.set(key, place);
        const time = lastUpdated === null ? Number.NaN : Date.parse(lastUpdated);
        if (lastUpdated === null) untimed++;
        else if (time >= from) recent.add(place);
        const isOfStart = started !== null && time - started <= startWindow;
        place.copies.push({ proxy, resource, lastUpdated, versionInfo, time, isOfStart });
      }
    }
  }
  return { places: [...recent], untimed };
}

function eventsAt(
  { kind, name, copies }: Place,
  from: number,
  meaningOf: ReturnType<typeof meanings>,
  groupOf: ReadonlyMap<string, readonly Proxy[]>,
  damage: Damage,
): TimelineEvent[] {
  // where all hold the very same, nobody needs to read it
  const isOne = copies.every(({ resource }) => resource.hash === copies[0]?.resource.hash);
  const held = new Map<string, Held>();
  const drafts = new Map<number, Draft>();
  for (const { proxy, resource, lastUpdated, versionInfo, time, isOfStart } of copies) {
    const meaning = isOne ? 0 : meaningOf(resource, proxy);
    held.set(proxy.id, { meaning, time });
    if (lastUpdated === null || !(time >= from)) continue;
    const draft = drafts.get(meaning) ?? {
      kind,
      name,
      hash: resource.hash,
      meaning,
      arrivals: [],
      starts: 0,
    };
    draft.arrivals.push({ proxyId: proxy.id, at: lastUpdated, versionInfo, time });
    if (isOfStart) draft.starts++;
    drafts.set(meaning, draft);
  }
  return [...drafts.values()].map((draft) => eventOf(draft, held, groupOf, damage));
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
  held: ReadonlyMap<string, Held>,
  groupOf: ReadonlyMap<string, readonly Proxy[]>,
  damage: Damage,
): TimelineEvent {
  const sorted = arrivals.sort((a, b) => a.time - b.time || (a.proxyId < b.proxyId ? -1 : 1));
  const groups = new Set(sorted.map(({ proxyId }) => groupOf.get(proxyId) ?? []));
  const siblings = new Set([...groups].flat());
  const lacksIt = (proxy: Proxy): boolean => {
    if (isOfEachPod(kind, name)) return false;
    const other = held.get(proxy.id);
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
