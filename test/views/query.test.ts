import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { UserError } from "../../src/shared/errors.js";
import { queryJson, runQuery, type Hit, type QueriedDump, type QueryHit } from "../../src/views/query.js";
import { at, bytesOf } from "../support/builders.js";

const dump = {
  configs: [
    {
      "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
      clusters: [
        { name: "outbound|80||a.b", port: 80, tls: { sni: "a" } },
        { name: "inbound|80||", port: "80" },
        { name: "outbound|443||(c)", port: 443, tags: ["x", "y"], match: { prefix: "/" } },
      ],
    },
    { "@type": "other", last: null, empty: {}, "we/ird~'key\"]": 1, "a,b": 2, a: 3, "*": 4 },
  ],
};

/** Hits of a path, of which each pointer leads to its value. */
function hitsOf(path: string, json: unknown = dump, limitHits = 1000): Hit[] {
  const hits = queryJson(json, path, { limitHits });
  for (const { pointer, value } of hits) expect(at(json, pointer)).toBe(value);
  return hits;
}
const pointersOf = (path: string, json: unknown = dump): string[] =>
  hitsOf(path, json).map(({ pointer }) => pointer);
const valuesOf = (path: string, json: unknown = dump): unknown[] =>
  hitsOf(path, json).map(({ value }) => value);

const clusters = "/configs/0/clusters";

describe("a path", () => {
  it.each([
    { path: "$", pointers: [""] },
    { path: "$.configs", pointers: ["/configs"] },
    { path: " $.configs[0].clusters[1].name ", pointers: [`${clusters}/1/name`] },
    { path: "$['configs'][0][\"clusters\"][1]['name']", pointers: [`${clusters}/1/name`] },
    { path: "$.configs.0.clusters.1.name", pointers: [`${clusters}/1/name`] },
    { path: "$.configs[0][clusters][1][name]", pointers: [`${clusters}/1/name`] },
    { path: "$.configs[0].clusters[*].name", pointers: [0, 1, 2].map((i) => `${clusters}/${i}/name`) },
    { path: "$.configs[0].clusters.*.name", pointers: [0, 1, 2].map((i) => `${clusters}/${i}/name`) },
    { path: "$.configs[0].clusters[-1].port", pointers: [`${clusters}/2/port`] },
    { path: "$.configs[0].clusters[-2].port", pointers: [`${clusters}/1/port`] },
    { path: "$.configs[0].clusters[0, 2].port", pointers: [`${clusters}/0/port`, `${clusters}/2/port`] },
    { path: "$.configs[0].clusters[1:].port", pointers: [`${clusters}/1/port`, `${clusters}/2/port`] },
    { path: "$.configs[0].clusters[:-1].port", pointers: [`${clusters}/0/port`, `${clusters}/1/port`] },
    { path: "$.configs[0].clusters[::2].port", pointers: [`${clusters}/0/port`, `${clusters}/2/port`] },
    { path: "$.configs[0].clusters[0:0]", pointers: [] },
    { path: "$.configs[0].clusters[7]", pointers: [] },
    { path: "$..sni", pointers: [`${clusters}/0/tls/sni`] },
    { path: "$..clusters[0]", pointers: [`${clusters}/0`] },
    { path: "$.configs..['sni']", pointers: [`${clusters}/0/tls/sni`] },
    { path: "$..['@type']", pointers: ["/configs/0/@type", "/configs/1/@type"] },
    { path: "$..@type", pointers: ["/configs/0/@type", "/configs/1/@type"] },
    { path: "$.configs[1].@type", pointers: ["/configs/1/@type"] },
    { path: "$..['sni','last']", pointers: [`${clusters}/0/tls/sni`, "/configs/1/last"] },
    { path: "$.configs[1]['we/ird~\\'key\"]']", pointers: [`/configs/1/we~1ird~0'key"]`] },
    { path: "$.configs[1]['a,b']", pointers: ["/configs/1/a,b"] },
    { path: "$.configs[0].clusters[0]['name,port']", pointers: [] },
    { path: "$.configs[1]['*']", pointers: ["/configs/1/*"] },
    { path: "$.configs[1].last", pointers: ["/configs/1/last"] },
    { path: "$..sni^", pointers: [`${clusters}/0/tls`] },
    { path: "$..sni^^.name", pointers: [`${clusters}/0/name`] },
    { path: "$..sni^^^[1].name", pointers: [`${clusters}/1/name`] },
    { path: "$..[?(@=='x')]^^.match.prefix", pointers: [`${clusters}/2/match/prefix`] },
    { path: "$..clusters[*]^", pointers: [clusters] },
    { path: "$..port^^", pointers: [clusters] },
    { path: "$.configs[0].clusters[*].port@string()", pointers: [`${clusters}/1/port`] },
    { path: "$.configs[1].*@null()", pointers: ["/configs/1/last"] },
    { path: "$.nothing", pointers: [] },
    { path: "$..constructor", pointers: [] },
    { path: "$.configs.length", pointers: [] },
    { path: "$..name[0]", pointers: [] },
    { path: "$.a^^^", pointers: [] },
  ])("$path leads to $pointers", ({ path, pointers }) => {
    expect(pointersOf(path)).toEqual(pointers);
  });

  it("ends in ~ for names, which stand where their values do", () => {
    expect(queryJson(dump, "$.configs[0].clusters[0].*~", { limitHits: 9 })).toEqual([
      { pointer: `${clusters}/0/name`, value: "name" },
      { pointer: `${clusters}/0/port`, value: "port" },
      { pointer: `${clusters}/0/tls`, value: "tls" },
    ]);
  });

  it("leads to a place once, however many ways there are", () => {
    const json = { a: { a: { a: { b: 1 } } } };
    expect(pointersOf("$..a..b", json)).toEqual(["/a/a/a/b"]);
    expect(pointersOf("$..a..a..*", json)).toEqual(["/a/a/a", "/a/a/a/b"]);
  });

  it.each([
    { key: "~", json: { "~": { x: 1 }, x: 1 } },
    { key: "^", json: { "^": { x: 1 }, x: 2 } },
    { key: "@string()", json: { "@string()": { x: 1 } } },
    { key: "..", json: { "..": { x: 1 } } },
    { key: "$", json: { $: { x: 1 } } },
    { key: "`x", json: { "`x": { x: 1 } } },
    { key: "", json: { "": { x: 1 } } },
    { key: "a;b", json: { "a;b": { x: 1 } } },
    { key: "?(0)", json: { "?(0)": { x: 1 } } },
  ])("finds the key $key, which jsonpath-plus has its own use for", ({ key, json }) => {
    expect(hitsOf(`$['${key}']['x']`, json)).toEqual([
      { pointer: `/${key.replaceAll("~", "~0")}/x`, value: 1 },
    ]);
  });

  it("finds keys like __proto__ where they are written, and nothing where they are not", () => {
    const json = JSON.parse('{"a":{"__proto__":{"b":1}},"constructor":2,"c":{}}') as unknown;
    expect(pointersOf("$..b", json)).toEqual(["/a/__proto__/b"]);
    expect(pointersOf("$..__proto__", json)).toEqual(["/a/__proto__"]);
    expect(pointersOf("$.a['__proto__'].b", json)).toEqual(["/a/__proto__/b"]);
    expect(pointersOf("$.constructor", json)).toEqual(["/constructor"]);
    expect(pointersOf("$..[?(@.__proto__)]", json)).toEqual(["/a"]);
    expect(pointersOf("$..[?(@.__proto__.b == 1)]", json)).toEqual(["/a"]);
    expect(({} as Record<string, unknown>)["b"]).toBeUndefined();
  });

  it("of everything leads to every place of any document", () => {
    const key = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.constantFrom("~", "^", "*", "..", "@string()", "__proto__", "length", "a/b", "'", "]"),
    );
    const document = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.constantFrom(null, 0, 1, "", "text", true),
        fc.array(tie("value"), { maxLength: 3 }),
        fc
          .array(fc.tuple(key, tie("value")), { maxLength: 3 })
          // Object.fromEntries keeps "__proto__" as a key
          .map((entries): unknown => Object.fromEntries(entries)),
      ),
    }));
    const places = (value: unknown, pointer = ""): string[] =>
      typeof value !== "object" || value === null
        ? []
        : Object.entries(value).flatMap(([name, item]) => {
            const place = `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
            return [place, ...places(item, place)];
          });
    fc.assert(
      fc.property(document.value, key, (json, name) => {
        expect(pointersOf("$..*", json).sort()).toEqual(places(json).sort());
        const found = pointersOf(`$["${name.replaceAll(/["\\]/g, "\\$&")}"]`, json);
        const holds = typeof json === "object" && json !== null && Object.hasOwn(json, name);
        expect(found).toHaveLength(holds && !(Array.isArray(json) && name === "length") ? 1 : 0);
      }),
    );
  });

  it("of a document that is a scalar leads to it alone", () => {
    for (const json of [null, 0, "", "text"]) {
      expect(queryJson(json, "$", { limitHits: 1 })).toEqual([{ pointer: "", value: json }]);
      expect(queryJson(json, "$..*", { limitHits: 1 })).toEqual([]);
    }
  });

  it.each([
    { limitHits: 0, names: 0 },
    { limitHits: 2, names: 2 },
    { limitHits: 3, names: 3 },
    { limitHits: 4, names: 3 },
  ])("finds $names of 3 names with a limit of $limitHits", ({ limitHits, names }) => {
    expect(hitsOf("$..name", dump, limitHits)).toHaveLength(names);
    expect(hitsOf("$", dump, limitHits)).toHaveLength(Math.min(1, limitHits));
  });
});

describe("a filter", () => {
  const [first, second, third] = dump.configs[0]!.clusters!;

  it.each([
    { filter: '?(@.name=="inbound|80||")', finds: [second] },
    { filter: "?(@.name == 'inbound|80||')", finds: [second] },
    { filter: "?@.name == 'inbound|80||'", finds: [second] },
    { filter: '?(@["name"] == "inbound|80||")', finds: [second] },
    { filter: '?(@.name == "outbound|443||(c)")', finds: [third] },
    { filter: '?(@.name == "a]b" || @.name == "outbound|443||(c)")', finds: [third] },
    { filter: '?(@.name.startsWith("outbound"))', finds: [first, third] },
    { filter: '?(@.name.endsWith("||"))', finds: [second] },
    { filter: "?(@.name.match(/^(in|out)bound.443/))", finds: [third] },
    { filter: "?(/[/'\"\\]@]|\\|443/g.test(@.name))", finds: [third] },
    { filter: '?(@.name.toUpperCase().includes("INBOUND"))', finds: [second] },
    { filter: "?(@.port == 80)", finds: [first, second] },
    { filter: "?(@.port === 80)", finds: [first] },
    { filter: "?(@.port != 80)", finds: [third] },
    { filter: "?(@.port !== 80)", finds: [second, third] },
    { filter: "?(@.port > 80)", finds: [third] },
    { filter: "?(@.port >= 80)", finds: [first, second, third] },
    { filter: "?(@.port < 443 && !@.tls)", finds: [second] },
    { filter: "?(@.port <= 80 || @.tags)", finds: [first, second, third] },
    { filter: "?(@.port - 1 == 79)", finds: [first, second] },
    { filter: "?(@.port * 2 + 1 > 160 % 1000)", finds: [first, second, third] },
    { filter: "?(@.tls.sni == 'a')", finds: [first] },
    { filter: "?(@.tls.sni.deeper.still)", finds: [] },
    { filter: "?(@.tags[1] == 'y')", finds: [third] },
    { filter: "?(@.tags.length == 2)", finds: [third] },
    { filter: "?(@.tags.includes('x'))", finds: [third] },
    { filter: "?(@.tags.indexOf('y') == 1)", finds: [third] },
    { filter: "?(['in', 'inbound|80||'].includes(@.name))", finds: [second] },
    { filter: "?(@.tls == null)", finds: [second, third] },
    { filter: "?(@.tls === undefined)", finds: [second, third] },
    { filter: "?(@.tls ? true : @.tags)", finds: [first, third] },
    { filter: "?(@property == 1)", finds: [second] },
    { filter: "?(@.port == @root.configs[0].clusters[2].port)", finds: [third] },
    { filter: "?(@.port == $.configs[0].clusters[2].port)", finds: [third] },
    { filter: "?(@.match)", finds: [third] },
    { filter: "?(@.tls < 5 || @.tls + '' == '[object Object]')", finds: [] },
    { filter: "?(@.tags == 'x,y')", finds: [] },
  ])("$filter finds what it says", ({ filter, finds }) => {
    expect(valuesOf(`$.configs[0].clusters[${filter}]`)).toEqual(finds);
  });

  it("is true of no text only because texts have a method of that name", () => {
    expect(pointersOf("$..[?(@.match)]")).toEqual([`${clusters}/2`]);
    expect(pointersOf("$..[?(@.filter || @.toString || @.valueOf != null)]")).toEqual([]);
  });

  it("reads names that begin with @", () => {
    expect(pointersOf('$..[?(@["@type"] == "other")]')).toEqual(["/configs/1"]);
    expect(pointersOf('$..[?(@.@type == "other")]')).toEqual(["/configs/1"]);
    expect(pointersOf('$..[?(@=="other")]')).toEqual(["/configs/1/@type"]);
    expect(pointersOf("$..[?(@.x == 'me@.home')]", { a: { x: "me@.home" } })).toEqual(["/a"]);
  });

  it("can be one of many, each its own", () => {
    const path = "$..[?(@.clusters)].clusters[?(@.port==443)]..[?(@=='y')]";
    expect(pointersOf(path)).toEqual([`${clusters}/2/tags/1`]);
    expect(pointersOf("$..[?(@.port==443)]")).toEqual([`${clusters}/2`]);
  });

  it.each([
    "$..[?(@.constructor.constructor('return process')())]",
    "$..[?(@.name.constructor.constructor('return globalThis.broken = true')())]",
    "$..[?(@['constructor']['constructor']('globalThis.broken = true')())]",
    "$..[?(''.sub.call.call(''.at, 'x'))]",
    "$..[?([].includes.constructor('globalThis.broken = true')())]",
    "$..[?(process.exit(3))]",
    "$..[?(globalThis.broken = true)]",
    "$..[?(@.tags.push(1))]",
    "$..[?(@.name.toString())]",
    "$..[?(@.__proto__.broken = true)]",
    "$..[?(this)]",
    "$..[?(require('fs'))]",
    "$..[?(import('fs'))]",
    "$..[?((() => 1)())]",
    "$..[?(new Date())]",
    "$..[?(`${1}`)]",
    "$..[?(eval('1'))]",
    "$..[?(_$_root)]",
    "$..[(@.constructor.constructor('globalThis.broken = true')())]",
  ])("cannot reach anything but the document: %s", (path) => {
    const before = JSON.stringify(dump);
    expect(() => queryJson(dump, path, { limitHits: 10 })).toThrow(UserError);
    expect(globalThis).not.toHaveProperty("broken");
    expect(JSON.stringify(dump)).toBe(before);
  });

  it.each([
    "$..[?(@.constructor)]",
    "$..[?(@.name.constructor)]",
    "$..[?(@.__proto__)]",
    "$..[?(@.name.at)]",
  ])("sees no inherited field: %s", (path) => {
    expect(pointersOf(path)).toEqual([]);
  });
});

describe("a wrong path", () => {
  it.each([
    { path: "", says: 'character 1: a path begins with "$"' },
    { path: "configs", says: 'character 1: a path begins with "$"' },
    { path: "__proto__", says: 'a path begins with "$"' },
    { path: "{.items}", says: 'a path begins with "$"' },
    { path: "$configs", says: 'character 2: "." or "[" is missing before "configs"' },
    { path: "$.", says: 'character 3: a name or "*" is missing' },
    { path: "$..", says: 'character 4: a name or "*" is missing' },
    { path: "$...a", says: 'character 4: a name or "*" is missing' },
    { path: "$.a b", says: 'character 4: "." or "[" is missing before "b"' },
    { path: "$.a[", says: 'character 4: this "[" is not closed' },
    { path: "$.a[0", says: 'character 4: this "[" is not closed' },
    { path: "$.a]", says: 'character 4: "." or "[" is missing before "]"' },
    { path: "$.a[]", says: 'character 5: "" is no name in quotes' },
    { path: "$.a['b]", says: "its quote is not closed" },
    { path: "$.a['b'", says: 'a "]" is missing for the "[" at character 4' },
    { path: "$.a['b',]", says: "character 9: a name in quotes is missing" },
    { path: "$.a[b.c]", says: '"b.c" is no name in quotes' },
    { path: "$.a[1,-1]", says: '"1,-1" is no name in quotes' },
    { path: "$.a[::0]", says: "a step of 0 leads nowhere" },
    { path: "$.a[(@.length-1)]", says: 'computed names are not supported; the last element is "[-1]"' },
    { path: "$.a~.b", says: 'nothing can follow "~"' },
    { path: "$^", says: "nothing is above the whole document" },
    { path: "$~", says: 'a name is missing before "~"' },
    { path: "$.a^~", says: 'a name is missing before "~"' },
    { path: "$@string()", says: 'a name is missing before "@string()"' },
    { path: "$.a@other()", says: '"@other()" is no type: null, boolean' },
    { path: "$.a@string().b", says: 'nothing can follow "@string()"' },
    { path: "$..[?(@.a=='b]", says: 'character 4: this "[" is not closed' },
    { path: "$..[?(@.a==)]", says: "character 12" },
    { path: "$..[?()]", says: "character 6" },
    { path: "$..[?]", says: "one expression is needed" },
    { path: "$..[?(@.a @.b)]", says: "an operator may be missing" },
    { path: "$..[?(@.a = 1)]", says: '"==", compare' },
    { path: '$..[?(name=="x")]', says: '"name" is unknown; a field is written "@.name"' },
    { path: "$..[?(@parent.a)]", says: '"@parent" is unknown; there are "@", "@property" and "@root"' },
    { path: "$..[?(@.a.split(1))]", says: '"split" cannot be called; what can: startsWith, endsWith' },
    { path: "$..[?(@.a['trim']())]", says: "this cannot be called" },
    { path: "$..[?(@.a << 1)]", says: 'the operator "<<" is not supported' },
    { path: "$..[?(typeof @.a)]", says: 'the operator "typeof" is not supported' },
    { path: "$..[?(/(/.test(@.a))]", says: "Invalid regular expression" },
    { path: `$..[?(${"(".repeat(100_000)}1${")".repeat(100_000)})]`, says: "nested too deeply" },
    { path: "$.\u001b[31m", says: "\\u001b" },
  ])("$path: $says", ({ path, says }) => {
    const query = (): unknown => queryJson(dump, path, { limitHits: 10 });
    expect(query).toThrow(UserError);
    expect(query).toThrow(says);
    expect(query).not.toThrow(/\n|ⓐ|\p{Cc}/u);
  });

  it("is wrong even where nothing would be searched", () => {
    expect(() => queryJson({}, "$.a[?(name)]", { limitHits: 0 })).toThrow(UserError);
  });
});

describe("a query over dumps", () => {
  const asDump = (proxy: string, content: unknown): QueriedDump => ({
    proxy,
    entry: `proxies/${proxy}/config_dump`,
    bytes: bytesOf(content),
  });
  const options = { timeLimitMs: 60_000, limitHits: 100 };
  let pulled: string[] = [];
  function stream(...dumps: readonly QueriedDump[]): AsyncIterable<QueriedDump> {
    pulled = [];
    return (async function* () {
      for (const item of dumps) {
        pulled.push(item.proxy);
        yield await Promise.resolve(item);
      }
    })();
  }
  async function all(
    dumps: AsyncIterable<QueriedDump>,
    path: string,
    more: Partial<Parameters<typeof runQuery>[2]> = {},
  ): Promise<QueryHit[]> {
    const hits: QueryHit[] = [];
    for await (const hit of runQuery(dumps, path, { ...options, ...more })) hits.push(hit);
    return hits;
  }

  it("finds hits in each, and says in which", async () => {
    const dumps = stream(
      asDump("a.ns", { x: 1 }),
      asDump("b.ns", {}),
      asDump("c.ns", { y: [{ x: { z: 2 } }] }),
    );
    expect(await all(dumps, "$..x")).toEqual([
      { proxy: "a.ns", entry: "proxies/a.ns/config_dump", pointer: "/x", value: 1 },
      { proxy: "c.ns", entry: "proxies/c.ns/config_dump", pointer: "/y/0/x", value: { z: 2 } },
    ]);
  });

  it("leaves the bytes as they are", async () => {
    const item = asDump("a", { x: 1 });
    expect(await all(stream(item, item), "$.x")).toHaveLength(2);
    expect(item.bytes).toEqual(bytesOf({ x: 1 }));
  });

  it("brings keys like __proto__ through", async () => {
    const [hit] = await all(stream(asDump("a", '{"x":{"__proto__":{"b":1}}}')), "$.x");
    expect(JSON.stringify(hit!.value)).toBe('{"__proto__":{"b":1}}');
  });

  it("passes over dumps that are no JSON, and reports them", async () => {
    const problems: string[] = [];
    const onProblem = (entry: string, message: string): number => problems.push(`${entry}: ${message}`);
    const dumps = stream(
      asDump("empty", ""),
      asDump("text", "upstream connect error"),
      asDump("cut", '{"x": [1, 2'),
      asDump("deep", "[".repeat(10_000)),
      asDump("good", { x: 1 }),
    );
    const hits = await all(dumps, "$.x", { onProblem });
    expect(hits.map(({ proxy }) => proxy)).toEqual(["good"]);
    expect(problems).toHaveLength(4);
    expect(problems.join("\n")).toMatch(
      /^proxies\/empty\/config_dump: is empty\n.*text.*: is not JSON.*\n.*cut.*: is not valid JSON.*\n.*deep.*: is nested deeper/,
    );
  });

  it("ends with the last hit that is wanted, and reads no further", async () => {
    const dumps = ["a", "b", "c"].map((proxy) => asDump(proxy, { x: 1, y: { x: 2 } }));
    const hits = await all(stream(...dumps), "$..x", { limitHits: 3 });
    expect(hits.map(({ proxy, pointer }) => proxy + pointer)).toEqual(["a/x", "a/y/x", "b/x"]);
    expect(pulled).toEqual(["a", "b"]);
    expect(await all(stream(...dumps), "$..x", { limitHits: 0 })).toEqual([]);
    expect(pulled).toEqual([]);
  });

  it("ends when its reader does", async () => {
    for await (const hit of runQuery(stream(asDump("a", { x: 1 }), asDump("b", { x: 1 })), "$.x", options)) {
      expect(hit.proxy).toBe("a");
      break;
    }
    expect(pulled).toEqual(["a"]);
  });

  it("says that a path is wrong before it reads anything", async () => {
    await expect(all(stream(asDump("a", {})), "$..[?(x)]")).rejects.toThrow(UserError);
    expect(pulled).toEqual([]);
  });

  it("hands on what goes wrong with reading dumps", async () => {
    async function* broken(): AsyncGenerator<QueriedDump> {
      yield await Promise.resolve(asDump("a", { x: 1 }));
      throw new Error("disk on fire");
    }
    await expect(all(broken(), "$.x")).rejects.toThrow("disk on fire");
  });

  let deep: unknown = {};
  for (let depth = 0; depth < 200; depth++) deep = { a: deep, b: {} };

  it.each([
    { what: "nested descents", path: "$..*..*..*..*..*..x", content: deep },
    {
      what: "a pattern that backtracks",
      path: "$..[?(/^(a+)+$/.test(@))]",
      content: ["a".repeat(200) + "!"],
    },
  ])("is stopped when $what take longer than the limit", async ({ path, content }) => {
    const result = all(stream(asDump("quick.ns", {}), asDump("slow.ns", content)), path, {
      timeLimitMs: 200,
    });
    await expect(result).rejects.toThrow(UserError);
    await expect(result).rejects.toThrow(
      /took longer than 200 ms at slow\.ns \(proxies\/slow\.ns\/config_dump\)/,
    );
  });
});
