import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { sectionKinds, type ResourceReference, type SectionKind } from "../../../src/snapshot/model.js";
import { pointerToken, readNode, type ConfigDump } from "../../../src/snapshot/parse/config-dump.js";
import { identityForm } from "../../../src/snapshot/parse/identity.js";
import {
  aCluster,
  aListener,
  aResource,
  aSection,
  aStore,
  at,
  bytesOf,
  corpus,
  everythingIsRequired,
  readDump,
  readText,
  reasonOf,
  referencesOf,
  renamed,
  resourceTypes,
  valueOf,
} from "../../support/builders.js";
import { envoyDump, istiodDump } from "../../support/mesh/dump.js";
import { applyFaults, faultNames } from "../../support/mesh/faults.js";
import { buildMesh } from "../../support/mesh/mesh.js";

const references = (dump: ConfigDump, kind: SectionKind): ResourceReference[] =>
  referencesOf(dump.sections[kind]);
const namesOf = (dump: ConfigDump, kind: SectionKind): string[] =>
  references(dump, kind).map(({ name }) => name);
const messagesOf = (dump: ConfigDump): string[] =>
  dump.problems.map(({ severity, pointer, message }) => `${severity} ${pointer}: ${message}`);

describe("every list of every section", () => {
  const lists = [
    {
      section: "Clusters",
      list: "static_clusters",
      field: "cluster",
      kind: "cluster",
      source: "static",
      state: "active",
    },
    {
      section: "Clusters",
      list: "dynamic_active_clusters",
      field: "cluster",
      kind: "cluster",
      source: "dynamic",
      state: "active",
    },
    {
      section: "Clusters",
      list: "dynamic_warming_clusters",
      field: "cluster",
      kind: "cluster",
      source: "dynamic",
      state: "warming",
    },
    {
      section: "Listeners",
      list: "static_listeners",
      field: "listener",
      kind: "listener",
      source: "static",
      state: "active",
    },
    {
      section: "Routes",
      list: "static_route_configs",
      field: "route_config",
      kind: "routeConfiguration",
      source: "static",
      state: "active",
    },
    {
      section: "Routes",
      list: "dynamic_route_configs",
      field: "route_config",
      kind: "routeConfiguration",
      source: "dynamic",
      state: "active",
    },
    {
      section: "Endpoints",
      list: "static_endpoint_configs",
      field: "endpoint_config",
      kind: "endpointAssignment",
      source: "static",
      state: "active",
    },
    {
      section: "Endpoints",
      list: "dynamic_endpoint_configs",
      field: "endpoint_config",
      kind: "endpointAssignment",
      source: "dynamic",
      state: "active",
    },
    {
      section: "Secrets",
      list: "static_secrets",
      field: "secret",
      kind: "secret",
      source: "static",
      state: "active",
    },
    {
      section: "Secrets",
      list: "dynamic_active_secrets",
      field: "secret",
      kind: "secret",
      source: "dynamic",
      state: "active",
    },
    {
      section: "Secrets",
      list: "dynamic_warming_secrets",
      field: "secret",
      kind: "secret",
      source: "dynamic",
      state: "warming",
    },
    {
      section: "Ecds",
      list: "ecds_filters",
      field: "ecds_filter",
      kind: "extensionConfig",
      source: "dynamic",
      state: "active",
    },
    // before Envoy 1.13
    {
      section: "Listeners",
      list: "dynamic_active_listeners",
      field: "listener",
      kind: "listener",
      source: "dynamic",
      state: "active",
    },
    {
      section: "Listeners",
      list: "dynamic_warming_listeners",
      field: "listener",
      kind: "listener",
      source: "dynamic",
      state: "warming",
    },
    {
      section: "Listeners",
      list: "dynamic_draining_listeners",
      field: "listener",
      kind: "listener",
      source: "dynamic",
      state: "draining",
    },
  ] as const;

  const inCamelCase = (name: string): string =>
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const styles = [
    { style: "snake_case", named: (name: string): string => name },
    { style: "lowerCamelCase", named: inCamelCase },
  ];
  const cases = lists.flatMap((list) => styles.map((style) => ({ ...list, ...style })));

  it.each(cases)(
    "$section $list in $style: $source, $state",
    ({ section, list, field, kind, source, state, named }) => {
      const element = {
        [named("version_info")]: "7",
        [named(field)]: aResource(kind, "a"),
        [named("last_updated")]: "2026-03-14T09:00:00.123Z",
      };
      for (const admin of ["envoy.admin.v3", "envoy.admin.v2alpha"]) {
        const dump = readDump([aSection(section, { [named(list)]: [element] }, admin)]);
        expect(references(dump, kind)).toEqual([
          {
            kind,
            name: "a",
            hash: expect.any(String) as string,
            source,
            state,
            versionInfo: "7",
            lastUpdated: "2026-03-14T09:00:00.123Z",
            rejection: null,
            origin: { entry: "dump", pointer: `/configs/0/${named(list)}/0/${named(field)}` },
          },
        ]);
        expect(dump.problems).toEqual([]);
      }
    },
  );

  it.each([
    { list: "inline_scoped_route_configs", source: "static" },
    { list: "dynamic_scoped_route_configs", source: "dynamic" },
  ])("ScopedRoutes $list: the list of scopes is the resource, named by its element", ({ list, source }) => {
    const scopes = [aResource("scopedRoutes", "one"), aResource("scopedRoutes", "two")];
    const dump = readDump([
      aSection("ScopedRoutes", { [list]: [{ name: "scopes", scoped_route_configs: scopes }] }),
    ]);
    expect(references(dump, "scopedRoutes")).toMatchObject([
      { name: "scopes", source, origin: { pointer: `/configs/0/${list}/0/scoped_route_configs` } },
    ]);
  });

  it("keeps the order of the dump, lists one after the other", () => {
    const dump = readDump([
      aSection("Clusters", {
        dynamic_active_clusters: [{ cluster: aCluster("z") }, { cluster: aCluster("a") }],
        static_clusters: [{ cluster: aCluster("m") }],
      }),
    ]);
    expect(namesOf(dump, "cluster")).toEqual(["z", "a", "m"]);
  });
});

describe("a dynamic listener", () => {
  const dumpOf = (...listeners: object[]): ConfigDump =>
    readDump([aSection("Listeners", { dynamic_listeners: listeners })]);
  const state = (name: string, version: string): object => ({
    version_info: version,
    listener: aListener(name),
  });

  it("has one reference for each of its states", () => {
    const dump = dumpOf({
      name: "0.0.0.0_80",
      active_state: state("0.0.0.0_80", "1"),
      warming_state: { ...state("0.0.0.0_80", "2"), last_updated: "2026-03-14T09:00:00Z" },
      draining_state: state("0.0.0.0_80", "0"),
    });
    expect(
      references(dump, "listener").map(({ state: is, versionInfo, lastUpdated, origin: { pointer } }) => [
        is,
        versionInfo,
        lastUpdated,
        pointer,
      ]),
    ).toEqual([
      ["active", "1", null, "/configs/0/dynamic_listeners/0/active_state/listener"],
      ["warming", "2", "2026-03-14T09:00:00Z", "/configs/0/dynamic_listeners/0/warming_state/listener"],
      ["draining", "0", null, "/configs/0/dynamic_listeners/0/draining_state/listener"],
    ]);
  });

  const error = {
    failed_configuration: aListener("0.0.0.0_80"),
    last_update_attempt: "2026-03-14T09:18:00Z",
    details: "has the same matching rules",
    version_info: "3",
  };
  const rejection = {
    details: "has the same matching rules",
    lastUpdateAttempt: "2026-03-14T09:18:00Z",
    versionInfo: "3",
  };

  it("that was rejected at once has an error and no content", () => {
    const dump = dumpOf({ name: "0.0.0.0_80", error_state: error });
    expect(references(dump, "listener")).toEqual([
      {
        kind: "listener",
        name: "0.0.0.0_80",
        hash: null,
        source: "dynamic",
        state: "rejected",
        versionInfo: "3",
        lastUpdated: null,
        rejection,
        origin: { entry: "dump", pointer: "/configs/0/dynamic_listeners/0/error_state" },
      },
    ]);
    expect(valueOf(dump.sections.listener).resource(0)).toBeNull();
    expect(dump.problems).toEqual([]);
  });

  it("of which an update was rejected keeps the state before it", () => {
    const dump = dumpOf({ name: "a", active_state: state("a", "2"), error_state: error });
    expect(references(dump, "listener")).toMatchObject([
      { state: "active", versionInfo: "2", rejection: null },
      { state: "rejected", versionInfo: "3", rejection },
    ]);
  });

  it("may be without a name when a whole update was rejected", () => {
    expect(references(dumpOf({ error_state: error }), "listener")).toMatchObject([{ name: "", rejection }]);
  });

  it("may be rejected without a word", () => {
    expect(references(dumpOf({ name: "a", error_state: {} }), "listener")).toMatchObject([
      { rejection: { details: "", lastUpdateAttempt: null, versionInfo: "" } },
    ]);
  });

  it("is read in lowerCamelCase too", () => {
    const dump = readDump([
      aSection("Listeners", {
        dynamicListeners: [
          { name: "a", activeState: { versionInfo: "1", listener: aListener("a") } },
          {
            name: "b",
            errorState: { lastUpdateAttempt: "2026-03-14T09:18:00Z", details: "no", versionInfo: "3" },
          },
        ],
      }),
    ]);
    expect(references(dump, "listener")).toMatchObject([
      {
        name: "a",
        state: "active",
        versionInfo: "1",
        origin: { pointer: "/configs/0/dynamicListeners/0/activeState/listener" },
      },
      {
        name: "b",
        state: "rejected",
        rejection: { details: "no", lastUpdateAttempt: "2026-03-14T09:18:00Z" },
      },
    ]);
  });

  it.each([
    {
      element: { name: "a", active_state: {} },
      message: "lost /configs/0/dynamic_listeners/0/active_state: holds no resource",
    },
    {
      element: { name: "a", active_state: 1 },
      message: "lost /configs/0/dynamic_listeners/0/active_state: must be object",
    },
    { element: { name: "a" }, message: "lost /configs/0/dynamic_listeners/0: holds no resource" },
  ])("of which nothing can be read costs itself: $element", ({ element, message }) => {
    const dump = dumpOf(element, { name: "b", active_state: state("b", "1") });
    expect(namesOf(dump, "listener")).toEqual(["b"]);
    expect(messagesOf(dump)).toContain(message);
  });
});

describe("names", () => {
  it("are the element's own where it has one", () => {
    const dump = readDump([
      aSection("Secrets", {
        dynamic_active_secrets: [{ name: "default", secret: aResource("secret", "inner") }],
      }),
    ]);
    expect(namesOf(dump, "secret")).toEqual(["default"]);
  });
  it("are the resource's where it has none", () => {
    const dump = readDump([aSection("Clusters", { dynamic_active_clusters: [{ cluster: aCluster("a") }] })]);
    expect(namesOf(dump, "cluster")).toEqual(["a"]);
  });
  it("are empty where nothing is named", () => {
    const dump = readDump([
      aSection("Routes", { static_route_configs: [{ route_config: { virtual_hosts: [] } }] }),
    ]);
    expect(namesOf(dump, "routeConfiguration")).toEqual([""]);
  });
});

describe("a section", () => {
  const clusters = (...names: string[]): object =>
    aSection("Clusters", { dynamic_active_clusters: names.map((name) => ({ cluster: aCluster(name) })) });

  it("is present and empty when the dump has it without lists", () => {
    const dump = readDump([aSection("ScopedRoutes"), aSection("Clusters", { version_info: "1" })]);
    expect(references(dump, "scopedRoutes")).toEqual([]);
    expect(references(dump, "cluster")).toEqual([]);
  });

  it.each(sectionKinds.filter((kind) => kind !== "endpointAssignment"))(
    "is absent when the dump does not have it: %s",
    (kind) => {
      expect(reasonOf(readDump([]).sections[kind])).toMatch(/^no \w+ConfigDump in this dump$/);
    },
  );

  it("of endpoints is absent because nobody asked for it", () => {
    expect(reasonOf(readDump([clusters("a")]).sections.endpointAssignment)).toBe(
      "no EndpointsConfigDump in this dump: it was captured without include_eds",
    );
  });

  it("of endpoints is just absent in a dump without clusters", () => {
    expect(reasonOf(readDump([aSection("Routes")]).sections.endpointAssignment)).toBe(
      "no EndpointsConfigDump in this dump",
    );
  });

  it("that stands twice counts as it stands last", () => {
    const dump = readDump([clusters("a", "b"), aSection("Routes"), clusters("c")]);
    expect(namesOf(dump, "cluster")).toEqual(["c"]);
    expect(references(dump, "cluster")[0]!.origin.pointer).toBe(
      "/configs/2/dynamic_active_clusters/0/cluster",
    );
    expect(messagesOf(dump)).toEqual([
      "note /configs/2: ClustersConfigDump stands twice; the last one counts",
    ]);
  });

  it("of ECDS that stands twice adds up", () => {
    const ecds = (name: string): object =>
      aSection("Ecds", { ecds_filters: [{ ecds_filter: aResource("extensionConfig", name) }] });
    const dump = readDump([ecds("a"), ecds("b")]);
    expect(namesOf(dump, "extensionConfig")).toEqual(["a", "b"]);
    expect(dump.problems).toEqual([]);
  });

  it("may name its type behind its lists", () => {
    const { "@type": type, ...lists } = clusters("a") as Record<string, unknown>;
    const dump = readDump([{ ...lists, "@type": type }]);
    expect(namesOf(dump, "cluster")).toEqual(["a"]);
    expect(dump.problems).toEqual([]);
  });

  it("without a type is read by the names of its lists", () => {
    const dump = readDump([{ dynamic_active_clusters: [{ cluster: aCluster("a") }] }]);
    expect(namesOf(dump, "cluster")).toEqual(["a"]);
    expect(messagesOf(dump)).toContain(
      "note /configs/0: has no @type; it was read by the names of its lists",
    );
  });

  it("of a type that nobody knows is passed over", () => {
    const dump = readDump([aSection("Later", { things: [1] }), clusters("a")]);
    expect(namesOf(dump, "cluster")).toEqual(["a"]);
    expect(messagesOf(dump)).toEqual([
      'note /configs/0: is of an unknown type "envoy.admin.v3.LaterConfigDump" and was passed over',
    ]);
  });
});

describe("resources of old dumps", () => {
  it("that name no type have the type of their section", () => {
    const dump = readDump([
      aSection(
        "Clusters",
        { dynamic_active_clusters: [{ cluster: { name: "a", hosts: [] } }] },
        "envoy.admin.v2alpha",
      ),
    ]);
    const resource = valueOf(dump.sections.cluster).resource(0);
    expect(resource).toMatchObject({ name: "a", type: "envoy.config.cluster.v3.Cluster" });
  });
  it("keep their v2 type", () => {
    const cluster = { "@type": "type.googleapis.com/envoy.api.v2.Cluster", name: "a" };
    const dump = readDump([aSection("Clusters", { static_clusters: [{ cluster }] })]);
    expect(valueOf(dump.sections.cluster).resource(0)?.type).toBe("envoy.api.v2.Cluster");
  });
});

describe("a ?resource= slice", () => {
  it.each([
    { type: "ClustersConfigDump.DynamicCluster", field: "cluster", kind: "cluster", source: "dynamic" },
    { type: "ClustersConfigDump.StaticCluster", field: "cluster", kind: "cluster", source: "static" },
    {
      type: "RoutesConfigDump.DynamicRouteConfig",
      field: "route_config",
      kind: "routeConfiguration",
      source: "dynamic",
    },
    {
      type: "EndpointsConfigDump.StaticEndpointConfig",
      field: "endpoint_config",
      kind: "endpointAssignment",
      source: "static",
    },
    { type: "SecretsConfigDump.DynamicSecret", field: "secret", kind: "secret", source: "dynamic" },
    {
      type: "EcdsConfigDump.EcdsFilterConfig",
      field: "ecds_filter",
      kind: "extensionConfig",
      source: "dynamic",
    },
  ] as const)("of $type does not tell the list, so the state is unknown", ({ type, field, kind, source }) => {
    const element = {
      "@type": `type.googleapis.com/envoy.admin.v3.${type}`,
      version_info: "1",
      [field]: aResource(kind, "a"),
    };
    const dump = readDump([element]);
    expect(dump.isSlice).toBe(true);
    expect(references(dump, kind)).toMatchObject([
      { name: "a", source, state: "unknown", versionInfo: "1", origin: { pointer: `/configs/0/${field}` } },
    ]);
  });

  it("of listeners tells the state, because their elements do", () => {
    const type = "type.googleapis.com/envoy.admin.v3.ListenersConfigDump.DynamicListener";
    const dump = readDump([
      { "@type": type, name: "a", active_state: { listener: aListener("a") } },
      { "@type": type, name: "b", error_state: { details: "no" } },
    ]);
    expect(
      references(dump, "listener").map(({ name, state, origin }) => [name, state, origin.pointer]),
    ).toEqual([
      ["a", "active", "/configs/0/active_state/listener"],
      ["b", "rejected", "/configs/1/error_state"],
    ]);
  });

  it("leaves the other sections absent", () => {
    const dump = readDump([
      {
        "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump.DynamicCluster",
        cluster: aCluster("a"),
      },
    ]);
    expect(dump.sections.listener.state).toBe("absent");
    expect(dump.bootstrap.state).toBe("absent");
  });

  it("is not what a whole dump is", () => {
    expect(readDump([aSection("Clusters")]).isSlice).toBe(false);
  });
});

describe("bare resources, as Istiod's ?types= gives them", () => {
  it.each([
    "cluster",
    "listener",
    "routeConfiguration",
    "endpointAssignment",
    "secret",
    "extensionConfig",
  ] as const)("are references of their kind: %s", (kind) => {
    const dump = readDump([aResource(kind, "a"), aResource(kind, "b")]);
    expect(dump.isSlice).toBe(true);
    expect(references(dump, kind)).toMatchObject([
      { name: "a", state: "unknown", origin: { pointer: "/configs/0" } },
      { name: "b", state: "unknown", origin: { pointer: "/configs/1" } },
    ]);
    expect(valueOf(dump.sections[kind]).resource(0)?.type).toBe(resourceTypes[kind]);
  });
  it("of types that no analysis reads are passed over", () => {
    const dump = readDump([
      { "@type": "type.googleapis.com/istio.networking.nds.v1.NameTable", table: {} },
      aCluster("a"),
    ]);
    expect(namesOf(dump, "cluster")).toEqual(["a"]);
    expect(messagesOf(dump)).toEqual([
      'note /configs/0: is of an unknown type "istio.networking.nds.v1.NameTable" and was passed over',
    ]);
  });
});

describe("the bootstrap", () => {
  const bootstrap = {
    node: { id: "sidecar~10.0.0.1~a.default~default.svc.cluster.local", metadata: { A_B: 1 } },
  };

  it.each([
    { style: "snake_case", section: { bootstrap, last_updated: "2026-03-14T08:00:00Z" } },
    { style: "lowerCamelCase", section: { bootstrap, lastUpdated: "2026-03-14T08:00:00Z" } },
    { style: "the time first", section: { last_updated: "2026-03-14T08:00:00Z", bootstrap } },
  ])("is a resource of its own, with the node ($style)", ({ section }) => {
    const dump = readDump([aSection("Bootstrap", section)]);
    expect(valueOf(dump.bootstrap)).toEqual({
      hash: expect.any(String) as string,
      lastUpdated: "2026-03-14T08:00:00Z",
      origin: { entry: "dump", pointer: "/configs/0/bootstrap" },
    });
    expect(valueOf(dump.node)).toMatchObject({
      parts: { proxyId: "a.default" },
      metadata: { A_B: 1 },
      origin: { entry: "dump", pointer: "/configs/0/bootstrap/node" },
    });
  });

  it.each([
    { configs: [], node: "no BootstrapConfigDump in this dump" },
    { configs: [aSection("Bootstrap", { bootstrap: {} })], node: "the bootstrap names no node" },
    {
      configs: [aSection("Bootstrap", { bootstrap: { node: { id: 7 } } })],
      node: "the bootstrap's node could not be read",
    },
    {
      configs: [aSection("Bootstrap", { bootstrap: { node: {} } })],
      node: "the bootstrap's node could not be read",
    },
  ])("that does not name its node says so: $node", ({ configs, node }) => {
    expect(reasonOf(readDump(configs).node)).toBe(node);
  });

  it("costs itself when it is broken", () => {
    const dump = readText(
      `{"configs":[{"@type":"x/a.BootstrapConfigDump","bootstrap":{"a":tru}},${JSON.stringify(aSection("Clusters"))}]}`,
    );
    expect(reasonOf(dump.bootstrap)).toBe("the bootstrap could not be read");
    expect(dump.sections.cluster.state).toBe("present");
    expect(messagesOf(dump)).toEqual([
      "lost /configs/0/bootstrap: is not valid JSON at character 5 of the resource",
    ]);
  });

  describe("in the head of a dump", () => {
    const text = JSON.stringify({ configs: [aSection("Bootstrap", { bootstrap }), aSection("Clusters")] });
    const nodeIn = (head: string): string | undefined => readNode(bytesOf(head), "dump", 256)?.parts?.proxyId;

    it("is enough for the node", () => {
      expect(nodeIn(text.slice(0, text.indexOf("Clusters")))).toBe("a.default");
      expect(nodeIn(text)).toBe("a.default");
    });
    it.each([
      { what: "the head ends in it", head: text.slice(0, 120) },
      {
        what: "another section comes first and is cut",
        head: '{"configs":[{"@type":"x","dynamic_active_clusters":[{',
      },
      { what: "it is no dump", head: "404 page not found" },
      { what: "it is an array", head: "[{}]" },
      { what: "there is nothing", head: "" },
    ])("is not there where $what", ({ head }) => {
      expect(nodeIn(head)).toBeUndefined();
    });
  });
});

describe("the newest time of a dump", () => {
  const times = (...updated: unknown[]): ConfigDump =>
    readDump([
      aSection("Clusters", {
        dynamic_active_clusters: updated.map((last_updated) => ({ cluster: aCluster("a"), last_updated })),
      }),
    ]);
  it.each([
    {
      updated: ["2026-03-14T09:00:00Z", "2026-03-14T09:00:00.5Z", "2025-01-01T00:00:00Z"],
      newest: "2026-03-14T09:00:00.5Z",
    },
    { updated: ["2026-03-14T09:00:00Z", "2026-03-14T10:30:00+02:00"], newest: "2026-03-14T09:00:00Z" },
    { updated: ["yesterday", "2026-03-14T09:00:00Z"], newest: "2026-03-14T09:00:00Z" },
    { updated: ["yesterday"], newest: null },
    { updated: [], newest: null },
  ])("of $updated is $newest", ({ updated, newest }) => {
    expect(times(...updated).newest).toBe(newest);
  });
  it("stays as it was printed", () => {
    expect(references(times("yesterday"), "cluster")[0]!.lastUpdated).toBe("yesterday");
  });
});

describe("one bad piece costs that piece", () => {
  it.each<{ what: string; elements: string; names: string[]; message: string | RegExp }>([
    {
      what: "a resource that is no JSON",
      elements: `{"cluster":{"name":tru}},${JSON.stringify({ cluster: aCluster("b") })}`,
      names: ["b"],
      message: /^lost \/configs\/0\/dynamic_active_clusters\/0\/cluster: is not valid JSON/,
    },
    {
      what: "a resource that is no object",
      elements: `{"cluster":"a"},${JSON.stringify({ cluster: aCluster("b") })}`,
      names: ["b"],
      message: "lost /configs/0/dynamic_active_clusters/0/cluster: must be object",
    },
    {
      what: "an element that is no object",
      elements: `1,${JSON.stringify({ cluster: aCluster("b") })}`,
      names: ["b"],
      message: "lost /configs/0/dynamic_active_clusters/0: must be object",
    },
    {
      what: "an element without a resource",
      elements: `{"version_info":"1"},${JSON.stringify({ cluster: aCluster("b") })}`,
      names: ["b"],
      message: "lost /configs/0/dynamic_active_clusters/0: holds no resource",
    },
    {
      what: "a resource that is nested too deep",
      elements: `{"cluster":${"[".repeat(300)}${"]".repeat(300)}},${JSON.stringify({ cluster: aCluster("b") })}`,
      names: ["b"],
      message:
        "lost /configs/0/dynamic_active_clusters/0/cluster: is nested deeper than 256 (--max-json-depth raises the limit)",
    },
    {
      what: "a version that is no text: it costs the version",
      elements: JSON.stringify({ version_info: 7, cluster: aCluster("a") }),
      names: ["a"],
      message: "lost /configs/0/dynamic_active_clusters/0/version_info: must be string",
    },
  ])("$what", ({ elements, names, message }) => {
    const dump = readText(
      `{"configs":[{"@type":"x/envoy.admin.v3.ClustersConfigDump","dynamic_active_clusters":[${elements}]}]}`,
    );
    expect(namesOf(dump, "cluster")).toEqual(names);
    expect(messagesOf(dump)).toEqual([
      typeof message === "string" ? message : (expect.stringMatching(message) as string),
    ]);
  });

  it.each([
    {
      what: "a section that is no object",
      configs: '["text",{"@type":"x/a.ClustersConfigDump"}]',
      message: "lost /configs/0: must be object",
    },
    {
      what: "a list that is no list",
      configs: '[{"@type":"x/a.ClustersConfigDump","dynamic_active_clusters":{}}]',
      message: "lost /configs/0/dynamic_active_clusters: must be array",
    },
  ])("$what", ({ configs, message }) => {
    const dump = readText(`{"configs":${configs}}`);
    expect(references(dump, "cluster")).toEqual([]);
    expect(messagesOf(dump)).toContain(message);
  });

  it("does not take fields of strangers for fields of ours", () => {
    const dump = readDump([
      aSection("Clusters", {
        toString: [1],
        __proto__x: 1,
        dynamic_active_clusters: [
          { constructor: 1, cluster: aCluster("a"), future_field: { cluster: aCluster("no") } },
        ],
      }),
    ]);
    expect(namesOf(dump, "cluster")).toEqual(["a"]);
    expect(dump.problems).toEqual([]);
  });
});

describe("a dump that is cut off", () => {
  const whole = JSON.stringify({
    configs: [
      aSection("Clusters", {
        dynamic_active_clusters: [{ cluster: aCluster("a") }, { cluster: aCluster("b") }],
      }),
      aSection("Listeners", { static_listeners: [{ listener: aListener("l") }] }),
    ],
  });
  const cutBehind = (text: string): ConfigDump => readText(whole.slice(0, whole.indexOf(text) + text.length));

  it("keeps what stood before the cut", () => {
    expect(namesOf(cutBehind('"b"'), "cluster")).toEqual(["a"]);
    expect(namesOf(cutBehind('ListenersConfigDump"'), "cluster")).toEqual(["a", "b"]);
  });
  it("says so, and why sections are absent", () => {
    const dump = cutBehind('"b"');
    expect(messagesOf(dump)).toEqual([
      expect.stringMatching(
        /^lost : the JSON is cut off after \d+ bytes; what stood before was read$/,
      ) as string,
    ]);
    expect(reasonOf(dump.sections.listener)).toBe("the dump is cut off or damaged before this section");
  });
  it("is no dump at all when it ends before its configs", () => {
    expect(() => readText('{"con')).toThrow("dump: the JSON is cut off after 5 bytes");
  });
  it("keeps, wherever it is cut, only references that the whole dump has", () => {
    const all = references(readText(whole), "cluster");
    for (let length = '{"configs":['.length; length < whole.length; length++) {
      const dump = readText(whole.slice(0, length));
      if (dump.sections.cluster.state === "absent") continue;
      const kept = references(dump, "cluster");
      expect(kept).toEqual(all.slice(0, kept.length));
      expect(dump.problems.some(({ severity }) => severity === "lost")).toBe(true);
    }
  });
});

describe("text around a dump", () => {
  it("before it is a remark", () => {
    const dump = readText(
      `Defaulted container "istio-proxy"\n${JSON.stringify({ configs: [aSection("Clusters")] })}`,
    );
    expect(dump.sections.cluster.state).toBe("present");
    expect(messagesOf(dump)).toEqual([
      'note : text stands before the JSON: "Defaulted container "istio-proxy""',
    ]);
  });
  it("behind it is a remark", () => {
    expect(messagesOf(readText('{"configs":[]}\ncommand terminated\n'))).toEqual([
      'note : text stands behind the JSON: "command terminated"',
    ]);
  });
  it("of white space is none", () => {
    expect(readText('\n {"configs":[]} \n').problems).toEqual([]);
  });
});

describe("what is no dump", () => {
  it.each([
    { text: "404 page not found", says: 'dump: is not JSON but the text "404 page not found"' },
    { text: "", says: "dump: is empty" },
    { text: "[{}]", says: "dump: is no config_dump: it is an array" },
    { text: '{"workloads":[]}', says: 'dump: is no config_dump: it has no "configs"' },
    { text: '{"configs":{}}', says: "dump: /configs must be array" },
  ])("is refused: $text", ({ text, says }) => {
    expect(() => readText(text)).toThrow(says);
  });
});

// Origins

/** Checks that every reference's pointer leads to what the reference says, in the JSON as it was dumped. */
function checkOrigins(text: string): number {
  const document = JSON.parse(text) as unknown;
  const dump = readText(text);
  let count = 0;
  for (const kind of sectionKinds) {
    const list = dump.sections[kind];
    if (list.state === "absent") continue;
    for (const [index, { hash, rejection, name, origin }] of [...list.value].entries()) {
      count++;
      const target = at(document, origin.pointer);
      const where = `${kind} ${name} at ${origin.pointer}`;
      const resource = list.value.resource(index);
      if (resource === null) {
        expect(hash, where).toBeNull();
        expect((target as { details?: string }).details ?? "", where).toBe(rejection?.details);
        continue;
      }
      expect(resource.hash, where).toBe(hash);
      const { type } = resource;
      expect(JSON.parse(identityForm(JSON.stringify(target), type, 256).text), where).toEqual(
        JSON.parse(resource.text),
      );
    }
  }
  if (dump.bootstrap.state === "present") {
    count++;
    expect(at(document, dump.bootstrap.value.origin.pointer)).toBeTypeOf("object");
    if (dump.node.state === "present") {
      const { origin, id } = dump.node.value;
      expect((at(document, origin.pointer) as { id?: string }).id ?? "").toBe(id);
    }
  }
  return count;
}

describe("the origin of every reference leads to its resource", () => {
  it.each(["1.6.14", "1.8.6", "1.14.5", "1.20.1", "1.24.2", "1.30.0"])(
    "in the dumps of Envoy and Istiod, of Istio %s, with and without faults",
    (istioVersion) => {
      const healthy = buildMesh({ istioVersion });
      const { mesh } = applyFaults(healthy, faultNames);
      for (const proxy of [...healthy.proxies.slice(-2), ...mesh.proxies]) {
        expect(checkOrigins(JSON.stringify(envoyDump(proxy, true)))).toBeGreaterThan(15);
        expect(
          checkOrigins(JSON.stringify(istiodDump(proxy.desired, istioVersion, true), null, 4)),
        ).toBeGreaterThan(15);
      }
    },
  );

  it("in a dump in the other style", () => {
    const proxy = buildMesh().proxies[0]!;
    expect(
      checkOrigins(JSON.stringify(renamed(envoyDump(proxy, true), "jsonName", "envoy.admin.v3.ConfigDump"))),
    ).toBeGreaterThan(50);
  });

  it.skipIf(!existsSync(corpus) && !everythingIsRequired)("in the dumps of others", () => {
    const folder = join(corpus, "istioctl");
    const counts = new Map<string, number>();
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!/\.(json|yaml)$/.test(file)) continue;
      const text = readFileSync(join(folder, file), "utf8");
      if (text.trimStart().startsWith("{") && Object.hasOwn(JSON.parse(text) as object, "configs"))
        counts.set(file, checkOrigins(text));
    }
    expect(counts.size).toBeGreaterThan(15);
    expect([...counts].filter(([, count]) => count === 0)).toEqual([]);
    expect(counts.get("release-1.4/cmd/testdata/describe/istio-ingressgateway-5bf6c9887-vvvmj.json")).toBe(
      131,
    );
  });
});

describe("pointerToken", () => {
  it.each([
    { key: "plain", token: "plain" },
    { key: "a/b", token: "a~1b" },
    { key: "a~b", token: "a~0b" },
    { key: "~1", token: "~01" },
  ])("of $key is $token (RFC 6901)", ({ key, token }) => {
    expect(pointerToken(key)).toBe(token);
    expect(at({ [key]: 1 }, `/${token}`)).toBe(1);
  });
});

it("stores a resource once that two dumps share", () => {
  const store = aStore();
  const configs = [aSection("Clusters", { dynamic_active_clusters: [{ cluster: aCluster("a") }] })];
  const first = valueOf(readDump(configs, store).sections.cluster).resource(0);
  expect(valueOf(readDump(configs, store).sections.cluster).resource(0)).toBe(first);
  expect(store.resources.size).toBe(1);
});
