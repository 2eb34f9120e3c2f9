import { describe, expect, it } from "vitest";

import { aCluster } from "../support/builders.js";
import { lostOf, outcomeOf, readProxies, referenceCount, seen, snapshotOf } from "../support/hostile.js";
import {
  badFolder,
  baseline,
  contents,
  dump,
  inArchive,
  lostFiles,
  neighbour,
  parsed,
  readBeside,
  syncz,
  xdsAnswer,
  type Json,
  type Place,
} from "../support/hostile-neighbours.js";
import { tried } from "../support/hostile-count.js";

describe("the archive without damage", () => {
  it("is read whole", () => {
    expect(readProxies(baseline)).toEqual(["bad.default", neighbour]);
    expect(lostFiles(baseline)).toEqual([]);
    expect(baseline.istiods.map(({ id, sync }) => [id, sync.state])).toEqual([
      ["istiod-1", "present"],
      ["istiod-2", "present"],
    ]);
    expect(baseline.ztunnels[0]!.dump.state).toBe("present");
    expect(baseline.pods.state).toBe("present");
    expect(baseline.services.state).toBe("present");
  });
});

/** JSON that is cut short: at every twentieth, and before and inside each section or row. */
function cutsOf(bytes: Buffer): number[] {
  const text = bytes.toString("latin1");
  const sections = [...text.matchAll(/"@type"|"proxy"/g)].flatMap(({ index }) => [
    index - 1,
    index + 3,
    index + 60,
  ]);
  const parts = Array.from({ length: 20 }, (_, part) => Math.floor((bytes.length * part) / 20));
  return [...new Set([...parts, ...sections, bytes.length - 1])].filter(
    (cut) => cut >= 0 && cut < bytes.length,
  );
}

describe("JSON that is cut short", () => {
  it("keeps of a dump what stood before the cut", async () => {
    let before = 0;
    for (const cut of cutsOf(dump).sort((a, b) => a - b)) {
      tried("JSON cut short");
      const { snapshot } = await outcomeOf(dump.subarray(0, cut));
      const count = snapshot === null ? 0 : referenceCount(snapshot);
      expect(count).toBeGreaterThanOrEqual(before);
      if (snapshot !== null)
        expect(
          lostOf(snapshot)
            .map(({ message }) => message)
            .join(),
        ).toMatch(/is cut off after/);
      before = count;
    }
    expect(before).toBe(referenceCount(await snapshotOf(dump)));
  });

  it.each(Object.keys(contents) as Place[])("costs its file and no other: %s", async (place) => {
    for (const cut of cutsOf(contents[place])) {
      tried("JSON cut short");
      const snapshot = await readBeside({ [place]: contents[place].subarray(0, cut) });
      expect(lostOf(snapshot)).not.toEqual([]);
    }
  });
});

const deep = 100_000;
const nested = (open: string, close: string): string => open.repeat(deep) + close.repeat(deep);
const deepValues = [
  { what: "arrays", text: nested("[", "]") },
  { what: "objects", text: `${'{"a":'.repeat(deep)}1${"}".repeat(deep)}` },
  { what: "arrays without end", text: "[".repeat(deep) },
  { what: "objects in arrays", text: `${'[{"@type":"x","a":'.repeat(deep)}1${"}]".repeat(deep)}` },
];

describe("JSON of 100,000 levels", () => {
  const positions: readonly { what: string; wrap: (value: string) => string; keeps?: boolean }[] = [
    { what: "the whole", wrap: (value) => value },
    { what: "configs", wrap: (value) => `{"configs":${value}}` },
    { what: "a section", wrap: (value) => `{"configs":[${value}]}` },
    { what: "an unknown key", wrap: (value) => `{"zzz":${value},"configs":[${section()}]}`, keeps: true },
    {
      what: "an unknown key of a section",
      wrap: (value) => `{"configs":[${section(`"zzz":${value}`)}]}`,
      keeps: true,
    },
    { what: "@type", wrap: (value) => `{"configs":[{"@type":${value}},${section()}]}`, keeps: true },
    {
      what: "version_info",
      wrap: (value) => `{"configs":[${section(`"version_info":${value}`)}]}`,
      keeps: true,
    },
    { what: "a list", wrap: (value) => `{"configs":[${section(`"static_clusters":${value}`)}]}` },
    {
      what: "an element",
      wrap: (value) => `{"configs":[${section(`"static_clusters":[${value}]`)}]}`,
      keeps: true,
    },
    {
      what: "a resource",
      wrap: (value) => `{"configs":[${section(`"static_clusters":[{"cluster":${value}}]`)}]}`,
      keeps: true,
    },
    {
      what: "a field of a resource",
      wrap: (value) =>
        `{"configs":[${section(`"static_clusters":[{"cluster":{"name":"x","metadata":${value}}}]`)}]}`,
      keeps: true,
    },
    {
      what: "last_updated",
      wrap: (value) =>
        `{"configs":[${section(`"static_clusters":[{"cluster":{"name":"y"},"last_updated":${value}}]`)}]}`,
      keeps: true,
    },
    {
      what: "the bootstrap",
      wrap: (value) => `{"configs":[{"@type":"x.BootstrapConfigDump","bootstrap":${value}},${section()}]}`,
      keeps: true,
    },
    {
      what: "the node",
      wrap: (value) =>
        `{"configs":[{"@type":"x.BootstrapConfigDump","bootstrap":{"node":${value}}},${section()}]}`,
      keeps: true,
    },
    {
      what: "a listener's state",
      wrap: (value) =>
        `{"configs":[{"@type":"x.ListenersConfigDump","dynamic_listeners":[{"active_state":${value}}]},${section()}]}`,
      keeps: true,
    },
  ];
  const table = positions.flatMap((position) =>
    deepValues.map((value) => ({ ...position, ...value, value: value.what })),
  );

  it.each(table)("$value in $what of a dump", async ({ wrap, text, keeps = false }) => {
    tried("JSON too deep", 2);
    const bytes = Buffer.from(wrap(text));
    const { snapshot } = await outcomeOf(bytes);
    const isWhole = !text.startsWith("[[") || text.endsWith("]");
    if (keeps && isWhole) {
      expect(readProxies(snapshot!)).toHaveLength(1);
      expect(JSON.stringify(seen({ snapshot: snapshot!, error: null }))).toContain("good-cluster");
    }
    await readBeside({ [`${badFolder}/config_dump`]: bytes });
  });

  it.each(Object.keys(contents) as Place[])("in %s", async (place) => {
    for (const { text } of deepValues) {
      tried("JSON too deep", 3);
      await readBeside({ [place]: text });
      await readBeside({ [place]: `{"a":${text}}` });
      await readBeside({ [place]: contents[place].toString().replace(/"[^"]*"(?=[,}\]])/, () => text) });
    }
  });

  it("as a document", async () => {
    for (const { text } of deepValues)
      for (const wrapped of [
        text,
        `[{"proxy":${text}}]`,
        `{"resources":[${text}]}`,
        `{"a":${text}}`,
        `{"workloads":${text}}`,
      ]) {
        tried("JSON too deep");
        const { error } = await outcomeOf(Buffer.from(wrapped));
        expect(error?.message).toMatch(/nested deeper than 256|is no snapshot|known/);
      }
  });

  it("is read at 200 levels", async () => {
    tried("JSON too deep");
    const text = `${"[".repeat(200)}${"]".repeat(200)}`;
    const snapshot = await snapshotOf(
      Buffer.from(`{"configs":[${section(`"static_clusters":[{"cluster":{"name":"x","a":${text}}}]`)}]}`),
    );
    expect(lostOf(snapshot)).toEqual([]);
  });

  it("is refused in a report's file by the limit that is asked for", async () => {
    tried("JSON too deep", 2);
    const bytes = Buffer.from(`{"configs":[${section(`"static_clusters":[{"cluster":{"a":[[[[]]]]}}]`)}]}`);
    const { defaultLimits } = await import("../../src/bundle/limits.js");
    const strict = await snapshotOf(bytes, { limits: { ...defaultLimits, jsonDepth: 3 } });
    expect(lostOf(strict)[0]!.message).toMatch(/is nested deeper than 3 /);
    expect(lostOf(await snapshotOf(bytes))).toEqual([]);
  });
});

/** A section of one good cluster, and what else is given. */
function section(more = ""): string {
  const cluster = JSON.stringify(aCluster("good-cluster"));
  return `{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump",${more === "" ? "" : `${more},`}"dynamic_active_clusters":[{"cluster":${cluster}}]}`;
}

describe("keys that every object has", () => {
  const keys = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "length"];
  const values = ['{"polluted":true}', '{"prototype":{"polluted":true}}', '"text"', "null", "[]"];

  /** The text of a value with the member put at the beginning of every object. */
  const everywhere = (value: Json, member: string): string => {
    if (Array.isArray(value)) return `[${value.map((item) => everywhere(item, member)).join()}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    const members = Object.entries(value).map(
      ([key, item]) => `${JSON.stringify(key)}:${everywhere(item, member)}`,
    );
    return `{${[member, ...members].join()}}`;
  };

  it.each(keys.flatMap((key) => values.map((value) => ({ key, value }))))(
    "are keys like others: $key of $value in every object of every file",
    async ({ key, value }) => {
      const member = `"${key}":${value}`;
      for (const [place, content] of Object.entries(contents)) {
        tried("keys of prototypes");
        const text = everywhere(parsed(content), member);
        const snapshot = await readBeside({ [place]: text });
        if (place.startsWith(badFolder)) expect(readProxies(snapshot)).toContain("bad.default");
      }
    },
  );

  it.each(keys)("may be names: %s", async (key) => {
    tried("keys of prototypes", 8);
    const answers = `{"${key}":[{"proxy":"a.b","cluster_sent":"1"}],"istiod-2":[{"proxy":"${key}"}]}`;
    const snapshot = await snapshotOf(Buffer.from(answers));
    expect(snapshot.istiods.map(({ id }) => id).sort()).toEqual([key, "istiod-2"].sort());
    const row = `[{"proxy":"${key}","resources":{"${key}":{"sent":"1","acked":"1"}}}]`;
    const status = await snapshotOf(Buffer.from(row));
    const sync = status.istiods[0]!.sync;
    expect(sync.state === "present" && sync.value.states[0]!.types.map(({ typeUrl }) => typeUrl)).toEqual([
      key,
    ]);
    for (const text of [
      `{"${key}":1}`,
      `{"configs":[{"@type":"${key}"}]}`,
      `{"configs":[{"@type":"envoy.admin.v3.${key}"}]}`,
      `{"configs":[{"@type":"x.ClustersConfigDump","${key}":[{"cluster":{"name":"${key}"}}]}]}`,
      `{"configs":[{"@type":"x.ClustersConfigDump","static_clusters":[{"${key}":{"name":"x"}}]}]}`,
      `{"workloads":{"${key}":{"name":"${key}"}}}`,
    ])
      await outcomeOf(Buffer.from(text));
  });
});

describe("text of another kind", () => {
  const utf16le = (text: string): Buffer => Buffer.from(`\ufeff${text}`, "utf16le");
  const utf16be = (text: string): Buffer => utf16le(text).swap16();
  const readable: readonly { what: string; encode: (text: string) => Buffer }[] = [
    { what: "UTF-8", encode: (text) => Buffer.from(text) },
    { what: "UTF-8 with a byte order mark", encode: (text) => Buffer.from(`\ufeff${text}`) },
    { what: "UTF-16, low byte first", encode: utf16le },
    { what: "UTF-16, high byte first", encode: utf16be },
    { what: "lines of Windows", encode: (text) => Buffer.from(`\r\n${text}\r\n`) },
  ];

  it.each(readable)("is read in $what", async ({ encode }) => {
    for (const [place, content] of Object.entries(contents)) {
      tried("encodings");
      const snapshot = await readBeside({ [place]: encode(content.toString()) });
      expect(lostFiles(snapshot)).toEqual([]);
      expect(readProxies(snapshot)).toEqual(readProxies(baseline));
    }
    for (const document of [dump, syncz, Buffer.from(JSON.stringify(xdsAnswer))]) {
      tried("encodings");
      const encoded = await outcomeOf(encode(document.toString()));
      expect(seen(encoded)).toEqual(seen(await outcomeOf(document)));
    }
  });

  it("is read with invalid UTF-8 in it", async () => {
    tried("encodings", 2);
    const bad = Buffer.from(
      dump.toString("latin1").replace("cluster.local", "\xff\xfe\xc0\xaf\xed\xa0\x80"),
      "latin1",
    );
    expect(lostFiles(await readBeside({ [`${badFolder}/config_dump`]: bad }))).toEqual([]);
    expect(readProxies(await snapshotOf(bad))).toHaveLength(1);
  });

  it.each([
    {
      what: "an error",
      text: "upstream connect error or disconnect/reset before headers. reset reason: connection termination",
    },
    { what: "an error in brackets", text: "[error] something went wrong\n[info] bye" },
    { what: "HTML", text: "<!DOCTYPE html><html><body>403 {}</body></html>" },
    { what: "XML", text: '<?xml version="1.0"?><a/>' },
    { what: "nothing", text: "" },
    { what: "white space", text: " \n\t\r\n " },
    { what: "a byte order mark", text: "\ufeff" },
    { what: "NULs", text: "\0".repeat(1000) },
    { what: "YAML", text: "configs:\n- '@type': x\n" },
    { what: "a word", text: "null" },
    { what: "a number", text: "42" },
    { what: "a quoted text", text: '"configs"' },
    { what: "a brace", text: "{" },
    { what: "a bracket", text: "[" },
    { what: "a key without value", text: '{"configs"' },
    { what: "a key without comma", text: '{"configs":[] "a":1}' },
    { what: "comments", text: '{/* hello */"configs":[]}' },
    { what: "single quotes", text: "{'configs':[]}" },
    { what: "a comma at the end", text: '{"configs":[],}' },
    { what: "a million braces", text: "{".repeat(1e6) },
    { what: "a million quotes", text: '{"'.repeat(5e5) },
    { what: "a million backslashes", text: `{"${"\\".repeat(1e6)}` },
    { what: "an endless text", text: `{"configs":"${"x".repeat(1e6)}` },
    { what: "closing brackets", text: "]}]}]}" },
    { what: "mixed brackets", text: '{"configs":[{]}]}' },
    { what: "half UTF-16", text: "\xff\xfe{" },
  ])("is said to be that: $what", async ({ text }) => {
    for (const place of Object.keys(contents)) {
      tried("other text under a JSON name");
      const snapshot = await readBeside({ [place]: Buffer.from(text, "latin1") });
      expect(lostOf(snapshot).map(({ entry }) => entry)).toContain(place);
    }
    tried("other text under a JSON name");
    await outcomeOf(Buffer.from(text, "latin1"));
  });
});

describe("JSON that is valid, but strange", () => {
  it.each([
    { what: "numbers beyond all bounds", value: "1e999" },
    { what: "numbers below all bounds", value: "-1e999" },
    { what: "numbers of many digits", value: "9".repeat(10_000) },
    { what: "numbers with many zeros", value: `0.${"0".repeat(10_000)}1` },
    { what: "a lone surrogate", value: '"\\ud800"' },
    { what: "surrogates the wrong way round", value: '"\\udc00\\ud800"' },
    { what: "a NUL", value: '"\\u0000"' },
    { what: "all escapes", value: '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9"' },
    { what: "a text of 1 MB", value: `"${"x".repeat(1e6)}"` },
    { what: "a text of a million escapes", value: `"${"\\n".repeat(1e6)}"` },
    { what: "a text of 13 MB with one escape", value: `"\\n${"x".repeat(13e6)}"` },
    { what: "an array of a million", value: `[${"0,".repeat(1e6)}0]` },
  ])("keeps it: $what", async ({ value }) => {
    for (const [text, keeps] of [
      [`{"configs":[${section(`"static_clusters":[{"cluster":{"name":"x","metadata":${value}}}]`)}]}`, 2],
      [
        `{"configs":[${section(`"static_clusters":[{"cluster":{"metadata":{"a":${value}}},"version_info":${value}}]`)}]}`,
        2,
      ],
      [
        `{"configs":[{"@type":"x.BootstrapConfigDump","bootstrap":{"node":{"id":"a","metadata":{"K":${value}}}}},${section()}]}`,
        1,
      ],
    ] as const) {
      tried("strange JSON", 2);
      const snapshot = await snapshotOf(Buffer.from(text));
      expect(referenceCount(snapshot)).toBe(keeps);
      const beside = await readBeside({ [`${badFolder}/config_dump`]: text });
      const nodes = await snapshotOf(inArchive({ [`${badFolder}/config_dump`]: text }), {
        want: new Set(["syncz"]),
        nodes: true,
      });
      expect(nodes.proxies).toHaveLength(beside.proxies.length);
    }
    tried("strange JSON", 3);
    await outcomeOf(Buffer.from(`[{"proxy":"a","cluster_sent":${value}},{"proxy":"b"}]`));
    await outcomeOf(Buffer.from(`[{"proxy":"a","x":${value}},{"proxy":"b"}]`));
    await readBeside({
      [`${badFolder}/server_info`]: `{"version":"a","node":{"id":"x","metadata":{"a":${value}}}}`,
    });
  });

  it("takes the last one of two keys that are the same", async () => {
    tried("strange JSON", 3);
    const text = `{"configs":[],"configs":[${section('"static_clusters":[],"static_clusters":[{"cluster":{"name":"a","name":"b"}}]')}]}`;
    const snapshot = await snapshotOf(Buffer.from(text));
    expect(referenceCount(snapshot)).toBe(2);
    expect([...snapshot.resources.values()].map(({ name }) => name)).toContain("b");
    const rows = await snapshotOf(Buffer.from('[{"proxy":"a","proxy":"b"}]'));
    const sync = rows.istiods[0]!.sync;
    expect(sync.state === "present" && sync.value.states[0]!.proxyId).toBe("b");
  });

  it("says how many problems there are when there are many", async () => {
    tried("strange JSON");
    const bad = `{"configs":[${section(`"static_clusters":[${"1,".repeat(999)}1]`)}]}`;
    const snapshot = await snapshotOf(Buffer.from(bad));
    expect(snapshot.problems.length).toBeLessThan(60);
    const more = snapshot.problems
      .map(({ message }) => /has (\d+) more problems/.exec(message)?.[1])
      .find(Boolean);
    const shown = snapshot.problems.filter(({ message }) => message === "must be object").length;
    expect(Number(more) + shown).toBe(1000);
    const proxy = snapshot.proxies[0]!;
    const { listener } = proxy.config;
    expect(listener.state === "absent" && listener.reason).not.toMatch(/cut off/);
  });

  it("keeps its places apart although there are 70,000 sections", async () => {
    tried("strange JSON");
    const text = `{"configs":[${Array.from({ length: 70_000 }, (_, index) => `{"static_clusters":[{"cluster":{"name":"c${index}"}}]}`).join()}]}`;
    const snapshot = await snapshotOf(Buffer.from(text));
    const { cluster } = snapshot.proxies[0]!.config;
    if (cluster.state === "absent") throw new Error(cluster.reason);
    expect(cluster.value.length).toBe(70_000);
    for (let index = 0; index < 70_000; index++) {
      const { name, origin } = cluster.value.at(index);
      if (name === `c${index}` && origin.pointer === `/configs/${index}/static_clusters/0/cluster`) continue;
      throw new Error(`${index} is ${name} at ${origin.pointer}`);
    }
  });
});
