import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { changesBetween, mirrored } from "../../src/diff/changes.js";
import { isList, isObject, objectOf, type JsonObject, type JsonValue } from "../../src/shared/json-value.js";
import { semanticForm } from "../../src/diff/semantic-form.js";
import { sectionKinds } from "../../src/snapshot/model.js";
import { corpusResources, meshResources } from "../support/diff-resources.js";

const runs = 300;
const all = [...meshResources(), ...corpusResources()];

describe("order", () => {
  it.each([
    { says: "two routes swapped", after: [2, 1, 3], changes: ["moved routes"] },
    { says: "the last route first", after: [3, 1, 2], changes: ["moved routes"] },
    { says: "one route more", after: [1, 2, 9, 3], changes: ["added routes[2]"] },
    { says: "one route less", after: [1, 3], changes: ["removed routes[1]"] },
    { says: "a route twice", after: [1, 1, 2, 3], changes: ["added routes[1]"] },
    {
      says: "a route replaced",
      after: [1, 9, 3],
      changes: ["changed routes[1].match.prefix", "changed routes[1].route.cluster"],
    },
    {
      says: "swapped, and one of them changed",
      after: [2, -1, 3],
      changes: ["moved routes", "changed routes[1].route.timeout"],
    },
  ])("$says", ({ after, changes }) => {
    const route = (id: number): JsonObject => ({
      match: { prefix: `/${Math.abs(id)}` },
      route: { cluster: String(Math.abs(id)), timeout: id < 0 ? "9s" : "1s" },
    });
    const routes = (ids: readonly number[]): JsonObject => ({ routes: ids.map(route) });
    const found = changesBetween(routes([1, 2, 3]), routes(after));
    expect(found.map(({ kind, path }) => `${kind} ${path}`)).toEqual(changes);
    expect(changesBetween(routes([1, 2, 3]), routes([1, 2, 3]))).toEqual([]);
  });
});

// Laws of any two values

const value = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<JsonValue>("a", "b", 0, 1, true, null),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.array(fc.record({ name: fc.constantFrom("a", "b", "c"), match: tie("value") }, { requiredKeys: [] }), {
      maxLength: 4,
    }) as unknown as fc.Arbitrary<JsonValue>,
    fc.dictionary(
      fc.constantFrom("name", "match", "routes", "@type", "__proto__", "a.b"),
      tie("value"),
    ) as unknown as fc.Arbitrary<JsonValue>,
  ),
})).value;

describe("any two values", () => {
  const check = (a: JsonValue, b: JsonValue): void => {
    const there = changesBetween(a, b);
    expect(changesBetween(b, a).map(mirrored)).toEqual(there);
    expect(there.length === 0).toBe(sorted(a) === sorted(b));
    const keys = there.map(({ kind, path }) => `${kind} ${path}`);
    expect(new Set(keys).size, "each difference once").toBe(keys.length);
  };

  it("mirror each other, differ in nothing only when they are equal (2000 runs)", () => {
    fc.assert(fc.property(value, value, check), { numRuns: 2000, seed: 301 });
  });

  it(`so do resources of one kind (${runs} runs)`, () => {
    const forms = new Map<string, JsonValue[]>();
    for (const resource of all)
      forms.set(resource.kind, [...(forms.get(resource.kind) ?? []), semanticForm(resource).value]);
    fc.assert(
      fc.property(fc.constantFrom(...sectionKinds), fc.nat(), fc.nat(), (kind, i, j) => {
        const own = forms.get(kind) ?? [];
        check(own[i % own.length]!, own[j % own.length]!);
      }),
      { numRuns: runs, seed: 301 },
    );
  });

  function sorted(item: JsonValue): string {
    if (isList(item)) return `[${item.map(sorted).join()}]`;
    if (!isObject(item)) return JSON.stringify(item);
    return `{${Object.keys(item)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${sorted(item[key]!)}`)
      .join()}}`;
  }
});

describe("items with names", () => {
  const host = (address: string, more: JsonObject = {}): JsonObject => ({
    endpoint: { address: { socket_address: { address, port_value: 80 } } },
    ...more,
  });
  it.each<{
    says: string;
    before: readonly JsonValue[];
    after: readonly JsonValue[];
    changes: readonly string[];
  }>([
    {
      says: "a name of its own",
      before: [{ name: "a", x: 1 }, { name: "b" }],
      after: [{ name: "a", x: 2 }, { name: "b" }],
      changes: ["changed l[a].x"],
    },
    {
      says: "an address",
      before: [host("10.0.0.1"), host("10.0.0.2")],
      after: [host("10.0.0.1", { health_status: "UNHEALTHY" }), host("10.0.0.2")],
      changes: ["added l[10.0.0.1:80].health_status"],
    },
    {
      says: "a locality and its priority",
      before: [{ locality: { region: "a" }, lb_endpoints: [host("10.0.0.1")] }],
      after: [{ locality: { region: "a" }, lb_endpoints: [host("10.0.0.1"), host("10.0.0.2")] }],
      changes: ["added l[a priority 0].lb_endpoints[10.0.0.2:80]"],
    },
    {
      says: "another name is one change",
      before: [
        { name: "a", x: 1 },
        { name: "b", x: 2 },
      ],
      after: [
        { name: "a", x: 1 },
        { name: "c", x: 2 },
      ],
      changes: ["changed l[b].name"],
    },
    {
      says: "another name and another content are two things",
      before: [{ name: "a", x: 1 }],
      after: [{ name: "c", x: 2 }],
      changes: ["removed l[a]", "added l[c]"],
    },
    {
      says: "the match of a filter chain",
      before: [
        { filter_chain_match: { p: 1 }, f: 1, g: 1 },
        { filter_chain_match: { p: 2 }, f: 1 },
      ],
      after: [
        { filter_chain_match: { p: 3 }, f: 1 },
        { filter_chain_match: { p: 1 }, f: 2, g: 2 },
      ],
      changes: ["changed l[1].f", "changed l[1].g", "changed l[0].filter_chain_match.p"],
    },
    {
      says: "plain values by their place",
      before: ["a", "b", "c"],
      after: ["a", "x", "c"],
      changes: ["changed l[1]"],
    },
  ])("$says", ({ before, after, changes }) => {
    const found = changesBetween({ l: before }, { l: after });
    expect(found.map(({ kind, path }) => `${kind} ${path}`)).toEqual(changes);
  });

  it("a type of its own is the whole", () => {
    const typed = (type: string): JsonObject => ({ typed_config: { "@type": type, a: 1 } });
    expect(changesBetween(typed("a"), typed("b"))).toMatchObject([{ path: "typed_config", kind: "changed" }]);
  });
});

// Cost, counted in how often a member is looked at

/** A value that counts how often its members are asked for. */
function counted(plain: JsonValue, count: { looks: number }): JsonValue {
  if (typeof plain !== "object" || plain === null) return plain;
  const inside = isList(plain)
    ? plain.map((item) => counted(item, count))
    : objectOf(
        Object.entries(plain as JsonObject).map(([key, item]) => [key, counted(item, count)] as const),
      );
  return new Proxy(inside, {
    get: (target, key, receiver) => {
      count.looks++;
      return Reflect.get(target, key, receiver) as unknown;
    },
  });
}

function looksOf(before: JsonValue, after: JsonValue): number {
  const count = { looks: 0 };
  changesBetween(counted(before, count), counted(after, count));
  return count.looks;
}

describe("the cost grows with the size", () => {
  const route = (id: number, timeout: string): JsonObject => ({
    match: { prefix: `/${id}` },
    route: { cluster: "c", timeout },
  });
  const routes = (count: number, timeout: string): JsonObject => ({
    routes: Array.from({ length: count }, (_, id) => route(id, timeout)),
  });

  it.each([
    { says: "routes replaced", make: (n: number) => [routes(n, "1s"), routes(n, "2s")] as const },
    {
      says: "routes replaced, and one more before them",
      make: (n: number) =>
        [
          routes(n, "1s"),
          { routes: [route(-1, "1s"), ...(routes(n, "2s")["routes"] as JsonValue[])] },
        ] as const,
    },
    {
      says: "hosts replaced",
      make: (n: number) =>
        ["a", "b"].map((name) => ({ l: Array.from({ length: n }, (_, id) => ({ name: `${name}${id}` })) })),
    },
    {
      says: "nested lists of which each has one item less and one more",
      make: (n: number) => [nested(n, "a"), nested(n, "b")] as const,
    },
    {
      says: "nested names that all differ",
      make: (n: number) => [named(n, "a"), named(n, "b")] as const,
    },
  ])("$says", ({ make }) => {
    const cost = (n: number): number => {
      const [before, after] = make(n);
      return looksOf(before, after);
    };
    expect(cost(200) / cost(50)).toBeLessThan(6);
  });

  it("10,000 routes replaced, and one more before them, are matched by what they match", () => {
    const [before, after] = [routes(10_000, "1s"), routes(10_000, "2s")];
    const more = { routes: [route(-1, "1s"), ...(after["routes"] as JsonValue[])] };
    const changes = changesBetween(before, more);
    expect(changes).toHaveLength(10_001);
    expect(changes.filter(({ kind }) => kind === "added")).toHaveLength(1);
    expect(changes.every(({ kind, path }) => kind === "added" || path.endsWith(".route.timeout"))).toBe(true);
  });

  /** At every level something went before the list inside, and something came behind it. */
  function nested(depth: number, side: "a" | "b"): JsonValue {
    let inside: JsonValue = [side];
    for (let level = 0; level < depth; level++)
      inside = side === "a" ? [{ x: 1 }, { k: 0 }, { y: inside }] : [{ y: inside }, { k: 0 }, { x: 2 }];
    return inside;
  }
  function named(depth: number, side: string): JsonValue {
    let inside: JsonValue = side;
    for (let level = 0; level < depth; level++) inside = [{ name: `${side}${level}`, l: inside }];
    return inside;
  }
});
