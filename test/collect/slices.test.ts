import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DumpAssembly, slices, type AssembledDump, type SliceAnswer } from "../../src/collect/slices.js";

type Element = Readonly<Record<string, unknown>>;
interface SectionShape {
  readonly type: string;
  readonly version?: string;
  readonly lists: Readonly<Record<string, readonly Element[]>>;
}
interface DumpShape {
  readonly bootstrap: Element;
  /** Not the bootstrap, in Envoy's order; at most one of each type but `EcdsConfigDump`. */
  readonly sections: readonly SectionShape[];
}

const admin = (type: string): string => `type.googleapis.com/envoy.admin.v3.${type}`;

const sectionJson = ({ type, version, lists }: SectionShape): Element => ({
  "@type": admin(type),
  ...(version === undefined ? {} : { version_info: version }),
  ...Object.fromEntries(Object.entries(lists).filter(([, elements]) => elements.length > 0)),
});

/** What Envoy answers when it is asked for everything. */
const wholeOf = ({ bootstrap, sections }: DumpShape): Element => ({
  configs: [{ "@type": admin("BootstrapConfigDump"), ...bootstrap }, ...sections.map(sectionJson)],
});

type Print = (value: Element) => string;
const compact: Print = (value) => JSON.stringify(value);

/** What Envoy answers to a slice's path; null: 404. As config_dump_handler.cc does it. */
function envoy(dump: DumpShape, path: string, print: Print = compact): string | null {
  const query = new URLSearchParams(path.slice(path.indexOf("?") + 1));
  const resource = query.get("resource");
  if (resource !== null) {
    const section = dump.sections.find(
      ({ type, lists }) => resource in lists && (type !== "EndpointsConfigDump" || query.has("include_eds")),
    );
    if (section === undefined) return null;
    const configs = (section.lists[resource] ?? []).map((element) => ({
      "@type": admin(`${section.type}.Element`),
      ...element,
    }));
    return print(configs.length === 0 ? {} : { configs });
  }
  const mask = query.get("mask") ?? "";
  const configs =
    mask === "bootstrap,last_updated"
      ? [{ "@type": admin("BootstrapConfigDump"), ...dump.bootstrap }]
      : mask === "version_info"
        ? dump.sections
            .filter(({ type }) => type === "ClustersConfigDump" || type === "ListenersConfigDump")
            .map(({ type, version }) =>
              sectionJson({ type, ...(version === undefined ? {} : { version }), lists: {} }),
            )
        : dump.sections.filter(({ type }) => type === "EcdsConfigDump").map(sectionJson);
  return configs.length === 0 ? null : print({ configs });
}

/** Asks for every slice and puts them together. */
function assemble(
  answerTo: (path: string, resource: string) => string | null | SliceAnswer,
): AssembledDump & {
  readonly text: string;
} {
  const assembly = new DumpAssembly();
  const contents = new Map<string, Buffer>();
  for (const { resource, path } of slices) {
    const answer = answerTo(path, resource);
    const cut = assembly.add(
      resource,
      answer === null
        ? { outcome: "absent" }
        : typeof answer === "string"
          ? { outcome: "answered", bytes: Buffer.from(answer) }
          : answer,
    );
    if (cut.outcome === "cut") contents.set(resource, Buffer.concat(cut.pieces));
  }
  const assembled = assembly.finish();
  const text = assembled.parts
    .map((part) => (typeof part === "string" ? part : (contents.get(part.resource)?.toString("utf8") ?? "?")))
    .join("");
  return { ...assembled, text };
}

const typesOf = (text: string): string[] =>
  (JSON.parse(text) as { configs: { "@type": string }[] }).configs.map((config) =>
    config["@type"].slice(admin("").length),
  );

const allLists: Readonly<Record<string, readonly string[]>> = {
  ClustersConfigDump: ["static_clusters", "dynamic_active_clusters", "dynamic_warming_clusters"],
  EcdsConfigDump: ["ecds_filters"],
  EndpointsConfigDump: ["static_endpoint_configs", "dynamic_endpoint_configs"],
  ListenersConfigDump: ["static_listeners", "dynamic_listeners"],
  ScopedRoutesConfigDump: ["inline_scoped_route_configs", "dynamic_scoped_route_configs"],
  RoutesConfigDump: ["static_route_configs", "dynamic_route_configs"],
  SecretsConfigDump: ["static_secrets", "dynamic_active_secrets", "dynamic_warming_secrets"],
};

/** One of every section, each list with one element. */
const full: DumpShape = {
  bootstrap: { bootstrap: { node: { id: "sidecar~1~a.b~c" } }, last_updated: "2026-03-14T09:30:00Z" },
  sections: Object.entries(allLists).map(([type, names]) => ({
    type,
    ...(/^(?:Clusters|Listeners)/.test(type) ? { version: `version of ${type}` } : {}),
    lists: Object.fromEntries(names.map((name) => [name, [{ name, value: { "@type": "x", of: name } }]])),
  })),
};

describe("a dump put together from its slices", () => {
  it("is the dump", () => {
    const { text, lost } = assemble((path) => envoy(full, path));
    expect(lost).toEqual([]);
    expect(JSON.parse(text)).toEqual(wholeOf(full));
    expect(typesOf(text)).toEqual(["BootstrapConfigDump", ...Object.keys(allLists)]);
  });

  const key = fc.oneof(
    fc.constantFrom("name", "cluster", "last_updated", "version_info", "configs", '@"\\', "€", "__proto_"),
    fc.string({ maxLength: 4 }).filter((text) => text !== "@type" && text !== "__proto__"),
  );
  const value = fc.oneof(
    fc.string({ unit: "binary", maxLength: 8 }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom({ "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", name: "[}" }, [], {}),
  );
  const element = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });
  const section = (type: string): fc.Arbitrary<SectionShape> =>
    fc.record({
      type: fc.constant(type),
      lists: fc.record(
        Object.fromEntries(
          (allLists[type] ?? []).map((name) => [name, fc.array(element, { maxLength: 3 })] as const),
        ),
      ),
      ...(/^(?:Clusters|Listeners)/.test(type) ? { version: fc.string({ unit: "binary" }) } : {}),
    });
  const dump: fc.Arbitrary<DumpShape> = fc.record({
    bootstrap: fc.record({ bootstrap: element, last_updated: fc.constant("2026-03-14T09:30:00Z") }),
    sections: fc
      .tuple(
        ...Object.keys(allLists).map((type) =>
          fc.array(section(type), { maxLength: type === "EcdsConfigDump" ? 3 : 1 }),
        ),
      )
      .map((sections) => sections.flat()),
  });
  const print = fc.constantFrom<Print>(
    compact,
    (json) => JSON.stringify(json, null, 1),
    (json) => `\n ${JSON.stringify(json, null, "\t").replaceAll("\n", "\r\n")}\n\n`,
  );

  it("is the dump, whatever is in it and however it is printed", () => {
    fc.assert(
      fc.property(dump, print, (shape, printed) => {
        const { text, lost } = assemble((path) => envoy(shape, path, printed));
        const whole = wholeOf(shape);
        expect({ lost, dump: JSON.stringify(JSON.parse(text)) }).toEqual({
          lost: [],
          dump: JSON.stringify(JSON.parse(JSON.stringify(whole))),
        });
      }),
      { numRuns: 300 },
    );
  });

  it("has the members of an element in order, wherever its type stands", () => {
    const bodies = ['"a":1,"@type":T,"b":[2]', '"a":1,"b":[2],"@type":T', ' "@type" : T , "a":1,"b":[2] '];
    for (const body of bodies) {
      const slice = `{"configs":[{${body.replace("T", `"${admin("ClustersConfigDump.StaticCluster")}"`)}}]}`;
      const { text } = assemble((path, resource) =>
        resource === "static_clusters" ? slice : envoy(full, path),
      );
      const [, clusters] = (JSON.parse(text) as { configs: Record<string, unknown>[] }).configs;
      expect(JSON.stringify(clusters?.["static_clusters"])).toBe('[{"a":1,"b":[2]}]');
    }
  });

  it("takes a type for one that is written with escapes", () => {
    const slice = `{"configs":[{"\\u0040type":"${admin("RoutesConfigDump.StaticRouteConfig")}","a":1}]}`;
    const { text } = assemble((path, resource) =>
      resource === "static_route_configs" ? slice : envoy(full, path),
    );
    expect(text).toContain('"static_route_configs":[{"a":1}]');
  });

  it("has as many elements as there are", () => {
    const elements = Array.from({ length: 100_000 }, (_, index) => ({ name: String(index) }));
    const { text, lost } = assemble((path, resource) =>
      resource === "dynamic_active_clusters"
        ? compact({ configs: elements.map((each) => ({ "@type": admin("ClustersConfigDump.X"), ...each })) })
        : envoy(full, path),
    );
    expect(lost).toEqual([]);
    const clusters = (JSON.parse(text) as { configs: Record<string, unknown[]>[] }).configs[1];
    expect(clusters?.["dynamic_active_clusters"]).toHaveLength(elements.length);
  });

  it("stands an element with very many members", () => {
    const members = Array.from(
      { length: 100_000 },
      (_, index) => `"${index}":0,"@type":"${admin("SecretsConfigDump.X")}"`,
    );
    const { lost } = assemble((path, resource) =>
      resource === "static_secrets" ? `{"configs":[{${members.join(",")}}]}` : envoy(full, path),
    );
    expect(lost).toEqual([]);
  });
});

describe("what an Envoy does not have", () => {
  it("is left out without a word: a section of which it knows no list", () => {
    const without = {
      ...full,
      sections: full.sections.filter(({ type }) => !/^(?:Ecds|Endpoints)/.test(type)),
    };
    const { text, lost } = assemble((path) => envoy(without, path));
    expect(lost).toEqual([]);
    expect(JSON.parse(text)).toEqual(wholeOf(without));
  });

  it("is a section without members where its lists are empty", () => {
    const empty = { ...full, sections: [{ type: "SecretsConfigDump", lists: { static_secrets: [] } }] };
    const { text, lost } = assemble((path) => envoy(empty, path));
    expect(lost).toEqual([]);
    expect(typesOf(text)).toEqual(["BootstrapConfigDump", "SecretsConfigDump"]);
  });

  it("is one list of a section that it has", () => {
    const { text, lost } = assemble((path, resource) =>
      resource === "dynamic_warming_secrets" ? null : envoy(full, path),
    );
    expect(lost).toEqual([]);
    expect(typesOf(text)).toContain("SecretsConfigDump");
    expect(text).not.toContain("dynamic_warming_secrets");
  });

  it("is what an Envoy masks away, where it answers with every section and empties it", () => {
    const { text, lost } = assemble((path, resource) =>
      resource === "ecds_filters"
        ? compact({ configs: [{ "@type": admin("ClustersConfigDump") }] })
        : envoy(full, path),
    );
    expect(lost).toEqual([]);
    expect(typesOf(text)).not.toContain("EcdsConfigDump");
  });
});

describe("a slice that is lost", () => {
  it.each(Object.entries(allLists).flatMap(([type, lists]) => lists.map((list) => ({ type, list }))))(
    "takes $type with it when it is $list, and says so",
    ({ type, list }) => {
      const { text, lost } = assemble((path, resource) =>
        resource === list ? { outcome: "lost", reason: "no answer" } : envoy(full, path),
      );
      expect(lost).toEqual([{ type, resource: list, reason: "no answer" }]);
      const others = full.sections.filter((section) => section.type !== type);
      expect(JSON.parse(text)).toEqual(wholeOf({ ...full, sections: others }));
    },
  );

  it("is the bootstrap", () => {
    const { text, lost } = assemble((path, resource) =>
      resource === "bootstrap" ? { outcome: "lost", reason: "no answer" } : envoy(full, path),
    );
    expect(lost).toEqual([{ type: "BootstrapConfigDump", resource: "bootstrap", reason: "no answer" }]);
    expect(typesOf(text)).toEqual(Object.keys(allLists));
  });

  it.each([
    { because: "404", answer: null },
    { because: "nothing", answer: "{}" },
    { because: "other sections", answer: compact({ configs: [{ "@type": admin("ClustersConfigDump") }] }) },
  ])("is the bootstrap where the answer is $because: every Envoy has one", ({ answer }) => {
    const { lost } = assemble((path, resource) => (resource === "bootstrap" ? answer : envoy(full, path)));
    expect(lost).toEqual([
      { type: "BootstrapConfigDump", resource: "bootstrap", reason: "the answer has no bootstrap" },
    ]);
  });

  it("leaves lists whole where only their versions are lost", () => {
    const { text, lost } = assemble((path, resource) =>
      resource === "version_info" ? { outcome: "lost", reason: "no answer" } : envoy(full, path),
    );
    expect(lost).toEqual([{ type: "version_info", resource: "version_info", reason: "no answer" }]);
    expect(typesOf(text)).toHaveLength(full.sections.length + 1);
    expect(text).not.toContain("version of");
  });

  it("leaves an empty list where all are", () => {
    const { text, lost } = assemble(() => ({ outcome: "lost", reason: "no answer" }));
    expect(JSON.parse(text)).toEqual({ configs: [] });
    expect(lost.map(({ type }) => type)).toEqual([
      "version_info",
      "BootstrapConfigDump",
      ...Object.keys(allLists),
    ]);
  });

  it("is one that nobody asked for", () => {
    const assembly = new DumpAssembly();
    expect(assembly.finish().lost).toContainEqual({
      type: "RoutesConfigDump",
      resource: "static_route_configs",
      reason: "it was not asked for",
    });
  });
});

describe("bytes that are no slice", () => {
  it.each([
    { because: "it is empty", bytes: "" },
    { because: "it is a text", bytes: "upstream connect error" },
    { because: "it is a list", bytes: "[]" },
    { because: "it is cut off", bytes: '{"configs":[{"@type":"a","b":"' },
    { because: "it ends in a key", bytes: '{"configs":[{"@ty' },
    { because: "configs is no list", bytes: '{"configs":{}}' },
    { because: "an element is a number", bytes: '{"configs":[1]}' },
    { because: "an element is null", bytes: '{"configs":[null]}' },
    { because: "commas are missing", bytes: '{"configs":[{"a":1 "b":2}]}' },
    { because: "an escape is broken", bytes: '{"configs":[{"\\u00":1}]}' },
    { because: "the type has a broken escape", bytes: '{"configs":[{"@type":"\\x"}]}' },
    { because: "brackets are never closed", bytes: `{"configs":[{"a":${"[".repeat(100_000)}` },
  ])("cost their section: $because", ({ bytes }) => {
    const { text, lost } = assemble((path, resource) =>
      resource === "static_listeners" ? bytes : envoy(full, path),
    );
    expect(lost).toEqual([
      {
        type: "ListenersConfigDump",
        resource: "static_listeners",
        reason: expect.stringMatching(
          /^the slice is no config dump: (?:the JSON is cut off|there is no valid JSON)/,
        ) as string,
      },
    ]);
    expect(typesOf(text)).toEqual(
      ["BootstrapConfigDump", ...Object.keys(allLists)].filter((type) => type !== "ListenersConfigDump"),
    );
  });

  it.each([
    { because: "another list", type: admin("RoutesConfigDump.StaticRouteConfig"), said: "RoutesConfigDump" },
    {
      because: "whole sections, as an Envoy that knows no slices",
      type: admin("BootstrapConfigDump"),
      said: "Bootstrap",
    },
    {
      because: "the section and not its elements",
      type: admin("ListenersConfigDump"),
      said: "ListenersConfigDump",
    },
    { because: "no type", type: "", said: "objects without a type" },
    { because: "a type that steers a terminal", type: "\u001b[2J", said: "\\u001b[2J" },
  ])("cost their section: they hold $because", ({ type, said }) => {
    const { text, lost } = assemble((path, resource) =>
      resource === "static_listeners" ? compact({ configs: [{ "@type": type }] }) : envoy(full, path),
    );
    expect(lost).toHaveLength(1);
    expect(lost[0]).toMatchObject({ type: "ListenersConfigDump", resource: "static_listeners" });
    expect(lost[0]?.reason).toMatch(/^the slice holds /);
    expect(lost[0]?.reason).toContain(said);
    expect(typesOf(text)).not.toContain("ListenersConfigDump");
  });

  it("are an object without configs: an error would read as an empty list", () => {
    const { lost } = assemble((path, resource) =>
      resource === "static_listeners" ? '{"error":"busy"}' : envoy(full, path),
    );
    expect(lost[0]?.reason).toBe("the slice is no config dump but has error");
  });

  it("may have members that a later Envoy adds", () => {
    const { lost } = assemble((path, resource) =>
      resource === "static_listeners" ? '{"new":1,"configs":[]}' : envoy(full, path),
    );
    expect(lost).toEqual([]);
  });

  it.each(["tru", "5", "{}", "[1}"])("give no version where it is %s", (version) => {
    const { text, lost } = assemble((path, resource) =>
      resource === "version_info"
        ? `{"configs":[{"@type":"${admin("ClustersConfigDump")}","version_info":${version}}]}`
        : envoy(full, path),
    );
    expect(lost).toEqual([]);
    const [, clusters] = (JSON.parse(text) as { configs: Record<string, unknown>[] }).configs;
    expect(clusters?.["version_info"] ?? "").toBe("");
  });

  it("never end in anything but a dump or a loss", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((json) => `{"configs":[${json}]}`),
        ),
        fc.constantFrom(...slices),
        (bytes, { resource }) => {
          const cut = new DumpAssembly().add(resource, { outcome: "answered", bytes: Buffer.from(bytes) });
          expect(["cut", "lost"]).toContain(cut.outcome);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("the slices", () => {
  it("are what is asked for, and nothing else", () => {
    expect(slices.map(({ resource, path }) => `${resource}: ${path}`)).toEqual([
      "bootstrap: config_dump?mask=bootstrap,last_updated",
      "version_info: config_dump?mask=version_info",
      "static_clusters: config_dump?resource=static_clusters",
      "dynamic_active_clusters: config_dump?resource=dynamic_active_clusters",
      "dynamic_warming_clusters: config_dump?resource=dynamic_warming_clusters",
      "ecds_filters: config_dump?mask=ecds_filters",
      "static_endpoint_configs: config_dump?resource=static_endpoint_configs&include_eds",
      "dynamic_endpoint_configs: config_dump?resource=dynamic_endpoint_configs&include_eds",
      "static_listeners: config_dump?resource=static_listeners",
      "dynamic_listeners: config_dump?resource=dynamic_listeners",
      "inline_scoped_route_configs: config_dump?resource=inline_scoped_route_configs",
      "dynamic_scoped_route_configs: config_dump?resource=dynamic_scoped_route_configs",
      "static_route_configs: config_dump?resource=static_route_configs",
      "dynamic_route_configs: config_dump?resource=dynamic_route_configs",
      "static_secrets: config_dump?resource=static_secrets",
      "dynamic_active_secrets: config_dump?resource=dynamic_active_secrets",
      "dynamic_warming_secrets: config_dump?resource=dynamic_warming_secrets",
    ]);
  });

  it("know by which words an Envoy has no filters by ECDS", () => {
    const notOffered = slices.find(({ resource }) => resource === "ecds_filters")?.notOffered;
    const said = "FieldMask ecds_filters could not be successfully applied to any configs.";
    expect(notOffered?.test(`HTTP 400: ${said}`)).toBe(true);
    expect(notOffered?.test("Error: received unsuccessful status code: 400 Bad Request")).toBe(true);
    expect(notOffered?.test("HTTP 403")).toBe(false);
  });

  it("are none that this program does not know", () => {
    expect(() =>
      new DumpAssembly().add("nothing", { outcome: "answered", bytes: Buffer.from("{}") }),
    ).toThrow(RangeError);
  });
});
