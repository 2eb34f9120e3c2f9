import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { sectionKinds, type Resource, type SectionKind } from "../../../src/snapshot/model.js";
import { readConfigDump, type ConfigDump } from "../../../src/snapshot/parse/config-dump.js";
import { UnreadableResource } from "../../../src/snapshot/parse/dumped-json.js";
import { unreadResources } from "../../../src/snapshot/parse/unread-resources.js";
import { namesIn, v3Content, v3Listener, v3RouteConfiguration } from "../../../src/snapshot/v3-content.js";
import {
  aCluster,
  aListener,
  aResource,
  aSection,
  aStore,
  bytesOf,
  platform,
  readText,
  referencesOf,
  renamed,
} from "../../support/builders.js";
import { smallDump } from "../../support/hostile.js";

const anUnreadStore = (maxDepth = 256): ReturnType<typeof unreadResources> =>
  unreadResources(aStore(maxDepth), platform);

/** What was thrown in the place of a value. */
function attempt<T>(read: () => T): T | UnreadableResource {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnreadableResource) return error;
    throw error;
  }
}

interface Seen {
  readonly lists: Map<SectionKind, unknown>;
  /** Pointers of resources that cannot be read. */
  readonly lost: ReadonlySet<string>;
  /** Kinds of which not even the names can be read. */
  readonly lostKinds: ReadonlySet<SectionKind>;
}

/** The references of a dump with the resources that can be read, and where those stand that cannot. */
function seen({ sections }: ConfigDump): Seen {
  const lost = new Set<string>();
  const lostKinds = new Set<SectionKind>();
  const lists = new Map<SectionKind, unknown>();
  for (const kind of sectionKinds) {
    const list = sections[kind];
    if (list.state === "absent") {
      lists.set(kind, list.reason);
      continue;
    }
    const references = attempt(() => referencesOf(list));
    if (references instanceof UnreadableResource) lostKinds.add(kind);
    else
      lists.set(
        kind,
        references.flatMap((reference, index) => {
          const resource = list.value.resource(index);
          const content = resource === null ? null : attempt(() => contentsOf(resource));
          if (!(content instanceof UnreadableResource)) return [{ ...reference, hash: "", content }];
          lost.add(reference.origin.pointer);
          return [];
        }),
      );
  }
  return { lists, lost, lostKinds };
}

const contentsOf = (resource: Resource): unknown => {
  const content = v3Content(resource);
  return {
    ...{ kind: resource.kind, name: resource.name, type: resource.type, text: resource.text },
    content: JSON.stringify(content), // with the order of its members
    listener: JSON.parse(JSON.stringify(v3Listener(resource, () => content))) as Message,
    routes: JSON.parse(JSON.stringify(v3RouteConfiguration(resource, () => content))) as Message,
  };
};

function expectTheSame(bytes: Uint8Array): void {
  const read = (store: ReturnType<typeof aStore>): ConfigDump | string => {
    try {
      return readConfigDump(bytes, "dump", store);
    } catch (error) {
      return String(error);
    }
  };
  const whole = read(aStore());
  const unread = read(anUnreadStore());
  if (typeof whole === "string" || typeof unread === "string") {
    expect(unread).toEqual(whole);
    return;
  }
  const { lost, lostKinds, lists } = seen(unread);
  const all = seen(whole);
  expect(all.lost.size + all.lostKinds.size).toBe(0);
  for (const kind of lostKinds) all.lists.delete(kind);
  expect(lists).toEqual(all.lists);
  const problems = whole.problems.filter(({ pointer }) => !lost.has(pointer));
  if (lostKinds.size === 0) expect(unread.problems).toEqual(problems);
  else expect(whole.problems.length).toBeGreaterThan(unread.problems.length); // what was wrong with the list
  expect(unread.node).toEqual(whole.node);
  const newest = attempt(() => unread.newest);
  if (newest instanceof UnreadableResource) expect(lostKinds.size).toBeGreaterThan(0);
  else expect(newest).toBe(whole.newest);
  expect(unread.isSlice).toBe(whole.isSlice);
  expect(unread.bootstrap.state).toBe(whole.bootstrap.state);
}

describe("a dump of which only the names are read", () => {
  it("says the same as one that is read whole", () => {
    expectTheSame(smallDump());
  });

  it("says the same in lowerCamelCase", () => {
    expectTheSame(
      bytesOf(renamed(JSON.parse(smallDump().toString()), "jsonName", "envoy.admin.v3.ConfigDump")),
    );
  });

  it("says the same, however it is damaged", () => {
    const tokens = [
      "{",
      "}",
      "[",
      "]",
      '"',
      ",",
      ":",
      "\\",
      "\\u0041",
      "null",
      "1e999",
      '"@type":"a",',
      '"name":"b",',
    ];
    const more = ['"cluster_name":"c",', '"__proto__":{"name":"d"},', "\n", "\0", "\xff", "-", "nam"];
    const damage = fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      taken: fc.nat(40),
      put: fc.oneof(fc.constantFrom(...tokens, ...more), fc.constant("")),
      isCut: fc.boolean().map((is) => is),
    });
    const dump = smallDump().toString("latin1");
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (changes) => {
        let text = dump;
        for (const { at, taken, put, isCut } of changes) {
          const place = Math.floor(at * text.length);
          text =
            text.slice(0, place) +
            put +
            (isCut && place > text.length * 0.9 ? "" : text.slice(place + taken));
        }
        expectTheSame(Buffer.from(text, "latin1"));
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    { what: "names itself first", member: '"name":"a","connect_timeout":"1s"' },
    { what: "names itself last", member: '"connect_timeout":"1s","name":"a"' },
    { what: "has no name", member: '"connect_timeout":"1s"' },
    { what: "has a name that is no text", member: '"name":7,"connect_timeout":"1s"' },
    { what: "has a name with an escape", member: '"name":"\\u0061\\n"' },
    { what: "has a key with an escape", member: '"n\\u0061me":"a"' },
    { what: "has two names, the second in another style", member: '"cluster_name":"a","clusterName":"b"' },
    {
      what: "has two types in a message inside of it",
      member: '"name":"a","filters":[{"@type":"a","@type":"b"}]',
    },
    { what: "has two types", member: '"name":"a","@type":"b"' },
    { what: "has a type with an escape", member: '"name":"a","filters":[{"@\\u0074ype":"a","@type":"b"}]' },
    { what: "has a key __proto__", member: '"name":"a","__proto__":{"name":"b"},"metadata":{"__proto__":1}' },
    {
      what: "has keys like numbers",
      member: '"name":"a","metadata":{"filter_metadata":{"10":{},"9":{},"a":{}}}',
    },
    { what: "holds a half of a surrogate pair", member: '"name":"a","connect_timeout":"\\ud800"' },
    { what: "holds a raw control character", member: '"name":"a","connect_timeout":"\u0001"' },
    { what: "has a control character in its name", member: '"name":"\u0001a"' },
    { what: "holds what is no number", member: '"name":"a","connect_timeout":01' },
    { what: "misses a comma", member: '"name":"a" "connect_timeout":"1s"' },
    { what: "misses a colon", member: '"name""a"' },
  ])("that $what is the same", ({ member }) => {
    for (const type of ['"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster",', ""]) {
      const section = JSON.stringify(
        aSection("Clusters", {
          dynamic_active_clusters: [{ cluster: aCluster("first") }, { cluster: "HERE" }],
        }),
      );
      expectTheSame(bytesOf(`{"configs":[${section.replace('"HERE"', `{${type}${member}}`)}]}`));
    }
  });
});

describe("a resource that was not read", () => {
  const clusters = (...list: unknown[]): unknown =>
    `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.ClustersConfigDump","dynamic_active_clusters":[${list.map((one) => `{"cluster":${typeof one === "string" ? one : JSON.stringify(one)}}`).join(",")}]}]}`;
  const first = (dump: ConfigDump): Resource => {
    const list = dump.sections.cluster;
    const resource = list.state === "present" ? list.value.resource(0) : null;
    if (resource === null) throw new Error("there is none");
    return resource;
  };

  it("is known by a key of its own, also where another one is the same", () => {
    const store = anUnreadStore();
    const dump = readText(clusters(aCluster("a"), aCluster("a")), store);
    const hashes = referencesOf(dump.sections.cluster).map(({ hash }) => hash);
    expect(new Set(hashes).size).toBe(2);
    expect(hashes.map((hash) => store.resources.get(hash ?? "")?.name)).toEqual(["a", "a"]);
  });

  it("says what is wrong with it when it is asked for", () => {
    const damaged = readText(
      clusters(JSON.stringify(aCluster("a", { type: "HERE" })).replace('"HERE"', "EDS")),
      anUnreadStore(),
    );
    expect(damaged.problems).toEqual([]);
    expect(first(damaged).name).toBe("a");
    expect(() => first(damaged).text).toThrow(/^the cluster "a" is not valid JSON at character \d+/);
    expect(() => v3Content(first(damaged))).toThrow(UnreadableResource);
    expect(
      v3Content(first(readText(clusters(aCluster("a", { type: "EDS" })), anUnreadStore()))),
    ).toMatchObject({
      name: "a",
      type: "EDS",
    });
  });

  it("that has two names is not what it was taken for", () => {
    const twice = JSON.stringify(aCluster("a")).replace('"name":"a"', '"name":"a","name":"b"');
    const resource = first(readText(clusters(twice), anUnreadStore()));
    expect(() => resource.text).toThrow('the cluster "a" names itself twice');
    expect(() => v3Content(resource)).toThrow('the cluster "a" names itself twice');
    expect(first(readText(clusters(twice))).name).toBe("b");
  });

  it("that is nested too deep cannot be listed, but others can be found", () => {
    const text = clusters(aCluster("deep", { metadata: { a: { b: {} } } }), aCluster("flat"));
    const { sections, problems } = readText(text, anUnreadStore(3));
    expect(problems).toEqual([]);
    const list = sections.cluster.state === "present" ? sections.cluster.value : null;
    expect(list?.named("flat").at(0).origin.pointer).toBe("/configs/0/dynamic_active_clusters/1/cluster");
    expect(() => list?.named("deep")).toThrow(UnreadableResource);
    expect(() => list?.length).toThrow("a list of the kind cluster is damaged");
    const whole = readText(text, aStore(3));
    expect(referencesOf(whole.sections.cluster).map(({ name }) => name)).toEqual(["flat"]);
    expect(whole.problems.map(({ message }) => message)).toEqual([
      "is nested deeper than 3 (--max-json-depth raises the limit)",
    ]);
  });

  it("is read at once where more bytes would be held than may be", () => {
    const bytes = bytesOf(clusters(aCluster("a")));
    const store = unreadResources(aStore(), platform, bytes.length * 2);
    const resources = [0, 1, 2].map(() => first(readConfigDump(Buffer.from(bytes), "dump", store)));
    expect(resources.map(({ dumped }) => dumped !== undefined)).toEqual([true, true, false]);
    expect(resources.map(({ hash }) => store.resources.get(hash))).toEqual(resources);
  });
});

describe("a listener that was not read", () => {
  const listenerIn = (fields: Readonly<Record<string, unknown>> | string): Resource => {
    const listener = typeof fields === "string" ? fields : JSON.stringify(aListener("l", fields));
    const section = `{"@type":"type.googleapis.com/envoy.admin.v3.ListenersConfigDump","dynamic_listeners":[{"active_state":{"listener":${listener}}}]}`;
    const { listener: list } = readText(`{"configs":[${section}]}`, anUnreadStore()).sections;
    const resource = list.state === "present" ? list.value.resource(0) : null;
    if (resource === null) throw new Error("there is none");
    return resource;
  };
  const address = { socket_address: { address: "10.0.0.1", port_value: 80 } };
  const notWhole = (): never => {
    throw new Error("the whole was read");
  };

  it("gives its address without the rest", () => {
    const resource = listenerIn({ address, filter_chains: [{ name: "c" }], use_original_dst: true });
    expect(v3Listener(resource, notWhole)).toHaveProperty("address", address);
    expect(v3Listener(resource, notWhole)).toHaveProperty("use_original_dst", true);
    expect(v3Listener(resource, notWhole)).not.toHaveProperty("listener_filters");
    expect(() => v3Listener(resource, notWhole)["filter_chains"]).toThrow("the whole was read");
    expect(v3Listener(resource, () => v3Content(resource))).toEqual(v3Content(resource));
  });

  it.each([
    { what: "says a field twice", fields: '{"name":"l","filter_chains":[],"filterChains":[{}]}' },
    { what: "has a hidden field", fields: { hidden_envoy_deprecated_filter_chains: [{}] } },
    { what: "is of another type", fields: '{"@type":"a/envoy.api.v2.Listener","name":"l"}' },
  ])("is read whole where it $what", ({ fields }) => {
    expect(() => v3Listener(listenerIn(fields), notWhole)).toThrow("the whole was read");
  });
});

describe("a host's name", () => {
  const routes = (text: string): ((host: string) => boolean) => {
    const config = JSON.stringify(
      aResource("routeConfiguration", "80", { virtual_hosts: [{ domains: ["HERE"] }] }),
    );
    const dump = `{"configs":[{"@type":"type.googleapis.com/envoy.admin.v3.RoutesConfigDump","dynamic_route_configs":[{"route_config":${config.replace("HERE", text)}}]}]}`;
    const list = readText(dump, anUnreadStore()).sections.routeConfiguration;
    const resource = list.state === "present" ? list.value.resource(0) : null;
    if (resource === null) throw new Error("there is none");
    return namesIn(resource);
  };

  it.each([
    { text: "a.example.com", host: "a.example.com", is: true },
    { text: "A.Example.com:80", host: "a.example.COM", is: true },
    { text: "b.example.com", host: "a.example.com", is: false },
    { text: "\\u0061.example.com", host: "a.example.com", is: true },
    { text: "a\\u002Eexample.com", host: "a.example.com", is: true },
    { text: "\\u003cb", host: "a.example.com", is: false },
  ])("$host in $text: $is", ({ text, host, is }) => {
    expect(routes(text)(host)).toBe(is);
  });
});
