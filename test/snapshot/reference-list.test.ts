import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  resourceStates,
  type ReferenceList,
  type Resource,
  type ResourceReference,
} from "../../src/snapshot/model.js";
import {
  joined,
  ReferenceListBuilder,
  selected,
  type NewReference,
} from "../../src/snapshot/reference-list.js";

const entry = "proxies/default/a/config_dump";

const resourceNamed = (name: string, hash = `hash of ${name}`): Resource => ({
  hash,
  kind: "cluster",
  type: "envoy.config.cluster.v3.Cluster",
  name,
  text: "{}",
});

const aReference = (more: Partial<NewReference> = {}): NewReference => ({
  name: null,
  resource: resourceNamed("a"),
  source: "dynamic",
  state: "active",
  versionInfo: "1",
  lastUpdated: null,
  rejection: null,
  list: "/configs/1/dynamic_active_clusters",
  index: 0,
  inside: "/cluster",
  ...more,
});

function listOf(...references: NewReference[]): ReferenceList {
  const builder = new ReferenceListBuilder("cluster", entry, (text) => text);
  for (const reference of references) builder.add(reference);
  return builder.build();
}
const only = (more: Partial<NewReference>): ResourceReference => listOf(aReference(more)).at(0);

/** What a reference must read as, by the definition of its fields. */
const asObject = (reference: NewReference): ResourceReference => ({
  kind: "cluster",
  name: reference.name ?? reference.resource?.name ?? "",
  hash: reference.resource?.hash ?? null,
  source: reference.source,
  state: reference.state,
  versionInfo: reference.versionInfo,
  lastUpdated: reference.lastUpdated === "" ? null : reference.lastUpdated,
  rejection: reference.rejection,
  origin: { entry, pointer: `${reference.list}/${reference.index}${reference.inside}` },
});

describe("a reference", () => {
  it("comes out as it went in", () => {
    expect(only({ lastUpdated: "2026-03-14T09:00:00.123Z", index: 41 })).toEqual({
      kind: "cluster",
      name: "a",
      hash: "hash of a",
      source: "dynamic",
      state: "active",
      versionInfo: "1",
      lastUpdated: "2026-03-14T09:00:00.123Z",
      rejection: null,
      origin: { entry, pointer: "/configs/1/dynamic_active_clusters/41/cluster" },
    });
  });

  it.each([
    { own: null, resource: "a", name: "a", because: "only the resource has one" },
    { own: "b", resource: "a", name: "b", because: "the element's own one counts" },
    { own: "", resource: "a", name: "", because: "an empty one is one" },
    { own: "b", resource: null, name: "b", because: "there is no resource" },
    { own: null, resource: null, name: "", because: "there is none at all" },
  ])("of element $own and resource $resource is named $name: $because", ({ own, resource, name }) => {
    const reference = only({ name: own, resource: resource === null ? null : resourceNamed(resource) });
    expect(reference.name).toBe(name);
    expect(reference.hash).toBe(resource === null ? null : "hash of a");
  });

  it.each([
    "2026-03-14T09:00:00Z",
    "2026-03-14T09:00:00.120Z",
    "2026-03-14T09:00:00.12Z",
    "2026-03-14T09:00:00.000Z",
    "2026-03-14T09:00:00.123456789Z",
    "2026-03-14T09:00:00.123000Z",
    "2026-03-14T10:00:00+01:00",
    "2026-03-14T09:00:00-00:00",
    "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "yesterday",
  ])("keeps the time %j to the letter", (lastUpdated) => {
    expect(only({ lastUpdated }).lastUpdated).toBe(lastUpdated);
  });

  it.each([null, ""])("without a time (%j) has none", (lastUpdated) => {
    expect(only({ lastUpdated }).lastUpdated).toBeNull();
  });

  it.each(resourceStates)("may be %s", (state) => {
    expect(only({ state }).state).toBe(state);
  });

  it("that was rejected says why", () => {
    const rejection = { details: "no", lastUpdateAttempt: null, versionInfo: "2" };
    expect(only({ resource: null, state: "rejected", rejection })).toMatchObject({ hash: null, rejection });
  });
});

describe("a list", () => {
  const list = listOf(aReference(), aReference({ resource: null, name: "b", index: 1 }));

  it("has a length, and its references in order, again and again", () => {
    expect(list).toHaveLength(2);
    expect([...list].map(({ name }) => name)).toEqual(["a", "b"]);
    expect([...list]).toEqual([...list]);
  });

  it("gives the content of a reference, null where none was dumped", () => {
    expect(list.resource(0)).toEqual(resourceNamed("a"));
    expect(list.resource(1)).toBeNull();
  });

  it.each([-1, 2, 0.5, Number.NaN])("has no reference %d", (index) => {
    for (const of of [list, selected(list, () => true)])
      for (const read of ["at", "name", "source", "state"] as const)
        expect(() => of[read](index)).toThrow(RangeError);
  });

  it("may be empty", () => {
    expect([...listOf()]).toEqual([]);
    expect(() => listOf().at(0)).toThrow(RangeError);
  });

  it("keeps one copy of a version that many references have", () => {
    const seen: string[] = [];
    const builder = new ReferenceListBuilder("cluster", entry, (text) => (seen.push(text), text));
    builder.add(aReference());
    builder.add(aReference());
    expect(seen).toEqual(["1", "1"]);
    expect(builder).toHaveLength(2);
  });
});

it("any references read as the plain objects that they stand for", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 5 });
  const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });
  const time = fc.oneof(
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString().replace(/\.\d+Z$/, "Z")),
    fc.constantFrom("2026-03-14T09:00:00.123456789Z", "2026-03-14T10:00:00+01:00", "", "never"),
  );
  const reference: fc.Arbitrary<NewReference> = fc.record({
    name: maybe(text),
    resource: maybe(fc.constantFrom("a", "b", "").map((name) => resourceNamed(name))),
    source: fc.constantFrom("static", "dynamic"),
    state: fc.constantFrom(...resourceStates),
    versionInfo: text,
    lastUpdated: maybe(time),
    rejection: maybe(fc.record({ details: text, lastUpdateAttempt: maybe(time), versionInfo: text })),
    list: fc.constantFrom("/configs", "/configs/1/a", "/configs/12/b"),
    index: fc.nat(),
    inside: fc.constantFrom("", "/cluster", "/active_state/listener"),
  });
  fc.assert(
    fc.property(fc.array(reference), (references) => {
      expect([...listOf(...references)]).toEqual(references.map(asObject));
    }),
  );
  fc.assert(
    fc.property(fc.array(reference), fc.array(reference), fc.array(fc.boolean()), (some, more, kept) => {
      const all = joined([listOf(...some), listOf(...more)]);
      const keeps = (index: number): boolean => kept[index] === true;
      for (const list of [listOf(...some), all, selected(all, keeps)]) expectColumns(list);
      expect([...selected(all, keeps)]).toEqual([...all].filter((_, index) => keeps(index)));
    }),
  );
});

/** What is read by column is what the whole references say. */
function expectColumns(list: ReferenceList): void {
  const indexes = Array.from({ length: list.length }, (_, index) => index);
  expect(indexes.map((index) => list.at(index))).toEqual([...list]);
  expect(indexes.map((index) => list.name(index))).toEqual([...list].map(({ name }) => name));
  expect(indexes.map((index) => list.source(index))).toEqual([...list].map(({ source }) => source));
  expect(indexes.map((index) => list.state(index))).toEqual([...list].map(({ state }) => state));
  expect(indexes.map((index) => list.resource(index)?.hash ?? null)).toEqual(
    [...list].map(({ hash }) => hash),
  );
}

describe("references by name", () => {
  const names = ["a", "b", "a", "", "c"];
  const listOf = (all: readonly string[]): ReferenceList => {
    const builder = new ReferenceListBuilder("cluster", entry, (text) => text);
    all.forEach((name, index) => builder.add(aReference({ resource: resourceNamed(name), index })));
    return builder.build();
  };
  const pointers = (list: ReferenceList): string[] => [...list].map(({ origin }) => origin.pointer);
  const pointer = (index: number): string => `/configs/1/dynamic_active_clusters/${index}/cluster`;

  it("are those of a list, in its order", () => {
    const list = listOf(names);
    expect(pointers(list.named("a"))).toEqual([0, 2].map(pointer));
    expect(pointers(list.named(""))).toEqual([pointer(3)]);
    expect(list.named("d").length).toBe(0);
    expect(list.named("a").resource(1)?.name).toBe("a");
    expect(pointers(list.named("a").named("a"))).toEqual([0, 2].map(pointer));
    expect(list.named("a").named("b").length).toBe(0);
  });

  it("are those of several lists, and of a part of one", () => {
    const both = joined([listOf(names), listOf(["a"])]);
    expect(pointers(both.named("a"))).toEqual([0, 2, 0].map(pointer));
    expect(both.named("c").length).toBe(1);
    expect(pointers(selected(listOf(names), (index) => index > 0).named("a"))).toEqual([pointer(2)]);
  });

  it("are looked for in several lists without asking for these", () => {
    const asked: string[] = [];
    const unread = new Proxy(listOf(names), {
      get: (list, key) => {
        if (key === "length") asked.push(key);
        return Reflect.get(list, key) as unknown;
      },
    });
    const both = joined([unread, listOf(["a"])]);
    expect(both.named("a").length).toBe(3);
    expect(asked).toEqual([]);
    expect(both.length).toBe(6);
    expect(asked).not.toEqual([]);
  });
});

it.each([1, 64, 65, 200])("keeps the texts of %i times", (count) => {
  const texts = [
    "2026-01-02T03:04:05.678Z",
    "2026-01-02T03:04:05Z",
    "2026-01-02T03:04:05.678901234Z",
    "2026-01-02T04:04:05+01:00",
    "yesterday",
    null,
  ];
  const builder = new ReferenceListBuilder("cluster", entry, (text) => text);
  const wanted = Array.from({ length: count }, (_, index) => texts[index % texts.length] ?? null);
  wanted.forEach((lastUpdated, index) => builder.add(aReference({ lastUpdated, index })));
  expect([...builder.build()].map(({ lastUpdated }) => lastUpdated)).toEqual(wanted);
});
