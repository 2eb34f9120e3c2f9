import {
  resourceStates,
  type ReferenceList,
  type Rejection,
  type Resource,
  type ResourceReference,
  type ResourceState,
  type SectionKind,
} from "./model.js";

/** What a builder is told of one reference; the rest follows from the section. */
export interface NewReference {
  /** The wrapper's own name, null where only the resource has one. */
  readonly name: string | null;
  readonly resource: Resource | null;
  readonly source: "static" | "dynamic";
  readonly state: ResourceState;
  readonly versionInfo: string;
  readonly lastUpdated: string | null;
  readonly rejection: Rejection | null;
  /** Pointer of the list in the entry, e.g. `/configs/1/dynamic_active_clusters`. */
  readonly list: string;
  readonly index: number;
  /** What leads from the element to the resource, e.g. `/cluster` or `/active_state/listener`. */
  readonly inside: string;
}

/**
 * Collects the references of one section. Columns of plain numbers and shared texts: some 40 bytes a reference, where an
 * object with its own texts takes 300.
 */
export class ReferenceListBuilder {
  readonly #resources: (Resource | null)[] = [];
  readonly #versions: string[] = [];
  readonly #times: (string | null)[] = [];
  readonly #indexes: number[] = [];
  /** State, source and place, as an index into `#shapes`. */
  readonly #shapeOf: number[] = [];
  readonly #shapes: Shape[] = [];
  readonly #shapeIndex = new Map<string, number>();
  readonly #names = new Map<number, string>();
  readonly #rejections = new Map<number, Rejection>();
  /** What the last one had, as the next one has as a rule. */
  #lastShape: NewShape = { source: "static", state: "unknown", list: "", inside: "" };
  #lastShapeIndex = -1;

  constructor(
    readonly kind: SectionKind,
    readonly entry: string,
    readonly intern: (text: string) => string,
  ) {}

  get length(): number {
    return this.#resources.length;
  }

  add(reference: NewReference): void {
    const at = this.length;
    const { name, resource, lastUpdated, rejection, source, state, list, inside } = reference;
    this.#resources.push(resource);
    this.#versions.push(this.intern(reference.versionInfo));
    this.#indexes.push(reference.index);
    this.#shapeOf.push(this.#shape({ source, state, list, inside }));
    this.#times.push(lastUpdated === "" ? null : lastUpdated);
    if (name !== null && name !== (resource?.name ?? "")) this.#names.set(at, name);
    if (rejection !== null) this.#rejections.set(at, rejection);
  }

  #shape(shape: NewShape): number {
    const last = this.#lastShape;
    const { source, state, list, inside } = shape;
    if (
      this.#lastShapeIndex >= 0 &&
      last.list === list &&
      last.inside === inside &&
      last.state === state &&
      last.source === source
    )
      return this.#lastShapeIndex;
    const key = `${source} ${state} ${list} ${inside}`;
    let index = this.#shapeIndex.get(key);
    if (index === undefined) {
      index = this.#shapes.push({ source, state: resourceStates.indexOf(state), list, inside }) - 1;
      this.#shapeIndex.set(key, index);
    }
    this.#lastShape = shape;
    this.#lastShapeIndex = index;
    return index;
  }

  build(): ReferenceList {
    const { kind, entry, length } = this;
    const resources = this.#resources;
    const versions = this.#versions;
    const shapes = this.#shapes;
    const names = this.#names;
    const rejections = this.#rejections;
    const timeAt = timesOf(this.#times);
    const indexes = Uint32Array.from(this.#indexes);
    const shapeOf = (shapes.length > 0xffff ? Uint32Array : Uint16Array).from(this.#shapeOf);
    const shapeAt = (index: number): Shape => {
      const shape = shapes[shapeOf[index] ?? -1];
      if (shape === undefined) throw new RangeError(`no reference ${index} of ${length}`);
      return shape;
    };
    const name = (index: number): string => {
      const resource = resources[index];
      if (resource === undefined) throw new RangeError(`no reference ${index} of ${length}`);
      return names.get(index) ?? resource?.name ?? "";
    };
    const state = (index: number): ResourceState => resourceStates[shapeAt(index).state] ?? "unknown";
    const at = (index: number): ResourceReference => {
      const shape = shapeAt(index);
      return {
        kind,
        name: name(index),
        hash: resources[index]?.hash ?? null,
        source: shape.source,
        state: state(index),
        versionInfo: versions[index] ?? "",
        lastUpdated: timeAt(index),
        rejection: rejections.get(index) ?? null,
        origin: { entry, pointer: `${shape.list}/${indexes[index] ?? 0}${shape.inside}` },
      };
    };
    return withNamed({
      length,
      at,
      resource: (index) => resources[index] ?? null,
      name,
      source: (index) => shapeAt(index).source,
      state,
      *[Symbol.iterator]() {
        for (let index = 0; index < length; index++) yield at(index);
      },
    });
  }
}

/** Several lists as one. None of them is asked for anything before the whole is. */
export function joined(lists: readonly ReferenceList[]): ReferenceList {
  const [only] = lists;
  if (only !== undefined && lists.length === 1) return only;
  let known: Starts | null = null;
  const starts = (): Starts => (known ??= startsOf(lists));
  const place = (index: number): { list: ReferenceList; inside: number } => {
    const { length, starts: all } = starts();
    // the last list that begins at or before it
    let at = 0;
    for (let end = all.length; end - at > 1;) {
      const middle = Math.floor((at + end) / 2);
      if ((all[middle] ?? 0) <= index) at = middle;
      else end = middle;
    }
    const list = lists[at];
    if (list === undefined) throw new RangeError(`no reference ${index} of ${length}`);
    return { list, inside: index - (all[at] ?? 0) };
  };
  return {
    get length() {
      return starts().length;
    },
    at: (index) => {
      const { list, inside } = place(index);
      return list.at(inside);
    },
    resource: (index) => {
      if (index < 0 || index >= starts().length) return null;
      const { list, inside } = place(index);
      return list.resource(inside);
    },
    name: (index) => {
      const { list, inside } = place(index);
      return list.name(inside);
    },
    source: (index) => {
      const { list, inside } = place(index);
      return list.source(inside);
    },
    state: (index) => {
      const { list, inside } = place(index);
      return list.state(inside);
    },
    named: (wanted) => joined(lists.map((list) => list.named(wanted))),
    ...(lists.some((list) => list.mentioning !== undefined) && {
      mentioning: (word) => joined(lists.map((list) => list.mentioning?.(word) ?? list)),
    }),
    *[Symbol.iterator]() {
      for (const list of lists) yield* list;
    },
  };
}

interface Starts {
  readonly starts: readonly number[];
  readonly length: number;
}

function startsOf(lists: readonly ReferenceList[]): Starts {
  let length = 0;
  const starts = lists.map((list) => {
    const start = length;
    length += list.length;
    return start;
  });
  return { starts, length };
}

/** Those references of a list that are kept, in its order. */
export function selected(list: ReferenceList, keep: (index: number) => boolean): ReferenceList {
  const indexes: number[] = [];
  for (let index = 0; index < list.length; index++) if (keep(index)) indexes.push(index);
  return picked(list, indexes);
}

/** A list that finds names by looking at all of them once. */
export function withNamed(list: Omit<ReferenceList, "named">): ReferenceList {
  let places: Map<string, number[]> | null = null;
  const all: ReferenceList = Object.assign(list, {
    named: (wanted: string) => picked(all, (places ??= placesByName(list)).get(wanted) ?? []),
  });
  return all;
}

function placesByName(list: Omit<ReferenceList, "named">): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (let index = 0; index < list.length; index++) {
    const name = list.name(index);
    const found = places.get(name);
    if (found === undefined) places.set(name, [index]);
    else found.push(index);
  }
  return places;
}

function picked(list: ReferenceList, indexes: readonly number[]): ReferenceList {
  const place = (index: number): number => indexes[index] ?? -1;
  return withNamed({
    length: indexes.length,
    at: (index) => list.at(place(index)),
    resource: (index) => list.resource(place(index)),
    name: (index) => list.name(place(index)),
    source: (index) => list.source(place(index)),
    state: (index) => list.state(place(index)),
    *[Symbol.iterator]() {
      for (const index of indexes) yield list.at(index);
    },
  });
}

type NewShape = Pick<NewReference, "source" | "state" | "list" | "inside">;

interface Shape {
  readonly source: "static" | "dynamic";
  readonly state: number;
  readonly list: string;
  readonly inside: string;
}

/** Lists of as many keep the texts of their times: the first use of a date takes longer than what is spared. */
const fewTimes = 64;

type Times = (index: number) => string | null;

const timesOf = (texts: readonly (string | null)[]): Times =>
  texts.length <= fewTimes ? keptTimes(texts) : packedTimes(texts);

const keptTimes =
  (texts: readonly (string | null)[]): Times =>
  (index) =>
    texts[index] ?? null;

/** Times as numbers, and as texts where these would not print the same. The other texts are not held. */
function packedTimes(texts: readonly (string | null)[]): Times {
  const { times, unusual } = numbersOf(texts);
  return (index) => {
    const time = times[index] ?? Number.NaN;
    return unusual.get(index) ?? (Number.isNaN(time) ? null : timeText(time));
  };
}

function numbersOf(texts: readonly (string | null)[]): {
  readonly times: Float64Array;
  readonly unusual: ReadonlyMap<number, string>;
} {
  const times = new Float64Array(texts.length).fill(Number.NaN);
  const unusual = new Map<number, string>();
  let [last, time, isUsual] = ["", Number.NaN, true];
  for (const [index, text] of texts.entries()) {
    if (text === null) continue;
    if (text !== last) {
      last = text;
      time = Date.parse(text);
      isUsual = timeText(time) === text;
    }
    times[index] = time;
    if (!isUsual) unusual.set(index, text);
  }
  return { times, unusual };
}

/** As protobuf's JSON prints a time of whole milliseconds: no fraction where there is none. */
function timeText(milliseconds: number): string {
  return Number.isNaN(milliseconds) ? "" : new Date(milliseconds).toISOString().replace(".000Z", "Z");
}
