import { describe, expect, it } from "vitest";

import type { ReferenceList, SectionKind } from "../../../src/snapshot/model.js";
import { readConfigDump, type ConfigDump } from "../../../src/snapshot/parse/config-dump.js";
import { UnreadableResource } from "../../../src/snapshot/parse/dumped-json.js";
import { unreadResources } from "../../../src/snapshot/parse/unread-resources.js";
import { aCluster, aSection, aStore, bytesOf, platform } from "../../support/builders.js";
import { envoyDump } from "../../support/mesh/dump.js";
import { print } from "../../support/mesh/json.js";
import { buildMesh } from "../../support/mesh/mesh.js";

const mesh = buildMesh({ proxies: 4, services: 12 });
const dumps = mesh.proxies.flatMap((proxy) =>
  [true, false].map((hasEndpoints) => Buffer.from(print(envoyDump(proxy, hasEndpoints), 1).toString())),
);

const readWhole = (bytes: Uint8Array): ConfigDump => readConfigDump(bytes, "dump", aStore());
const readDeferred = (bytes: Uint8Array): ConfigDump =>
  readConfigDump(bytes, "dump", unreadResources(aStore(), platform));

function listOf({ sections }: ConfigDump, kind: SectionKind): ReferenceList {
  const list = sections[kind];
  if (list.state === "absent") throw new Error(list.reason);
  return list.value;
}

/** What is told of references, but for their keys. */
const told = (list: ReferenceList): unknown =>
  [...list].map((reference, index) => [{ ...reference, hash: "" }, list.resource(index)?.text]);

const kinds = ["cluster", "listener", "routeConfiguration", "secret"] as const;
const clustersSection = (clusters: readonly unknown[]): unknown =>
  aSection("Clusters", { dynamic_active_clusters: clusters.map((cluster) => ({ cluster })) });

const clustersNamed = (...names: readonly string[]): Buffer =>
  bytesOf({
    configs: [clustersSection(names.map((name) => aCluster(name)))],
  });

describe("a list that was not read", () => {
  it("gives for each name what the whole list gives", () => {
    for (const bytes of dumps) {
      const whole = readWhole(bytes);
      for (const kind of kinds) {
        const all = listOf(whole, kind);
        for (const name of new Set([...all].map((reference) => reference.name))) {
          // a new one: names beyond the first ones are not searched for
          expect(told(listOf(readDeferred(bytes), kind).named(name))).toEqual(told(all.named(name)));
        }
        expect(listOf(readDeferred(bytes), kind).named("no such name").length).toBe(0);
      }
    }
  });

  it("gives many names", () => {
    const [bytes] = dumps;
    if (bytes === undefined) throw new Error("no dump");
    const all = listOf(readWhole(bytes), "cluster");
    const deferred = listOf(readDeferred(bytes), "cluster");
    const names = [...all].map((reference) => reference.name);
    expect(names.length).toBeGreaterThan(40);
    for (const name of [...names, ...names])
      expect(told(deferred.named(name))).toEqual(told(all.named(name)));
  });

  it("gives what mentions a word, in any case", () => {
    const pointers = (list: ReferenceList | undefined): string[] =>
      [...(list ?? [])].map(({ origin }) => origin.pointer);
    for (const bytes of dumps) {
      const whole = readWhole(bytes);
      for (const kind of kinds) {
        const all = listOf(whole, kind);
        for (const word of ["9080", "80", "15001", "Outbound", "default.svc.cluster.local", "10.0.0.1"]) {
          const isMentioned = new RegExp(`(?<![0-9a-z])${word.replaceAll(".", "[.]")}(?![0-9a-z])`, "i");
          const wanted = [...all].flatMap(({ origin }, index) =>
            isMentioned.test(all.resource(index)?.text ?? "") ? [origin.pointer] : [],
          );
          const found = pointers(listOf(readDeferred(bytes), kind).mentioning?.(word));
          expect(found).toEqual(expect.arrayContaining(wanted));
          if (wanted.length === 0) expect(found.length).toBeLessThan(Math.max(2, all.length));
        }
      }
    }
  });

  it("tells words from parts of words", () => {
    const list = listOf(readDeferred(clustersNamed("a|80|b", "a|8080|b", "a|x80|b", "80", "A80")), "cluster");
    expect([...(list.mentioning?.("80") ?? [])].map(({ name }) => name)).toEqual(["a|80|b", "80"]);
    expect([...(list.mentioning?.("a80") ?? [])].map(({ name }) => name)).toEqual(["A80"]);
  });

  it("finds a name that is written with escapes", () => {
    for (const [written, name] of [
      ["a\\u0062c", "abc"],
      ["a\\/c", "a/c"],
      ["a\\u003cc", "a<c"],
      ["caf\\u00e9", "caf\u00e9"],
      ['a\\"c', 'a"c'],
    ] as const) {
      const bytes = Buffer.from(
        clustersNamed("one", "written", "three").toString().replaceAll('"written"', `"${written}"`),
      );
      const deferred = listOf(readDeferred(bytes), "cluster").named(name);
      expect(deferred.length).toBe(1);
      expect(told(deferred)).toEqual(told(listOf(readWhole(bytes), "cluster").named(name)));
    }
  });

  it("gives all of a name", () => {
    const bytes = clustersNamed("twice", "once", "twice");
    const twice = listOf(readDeferred(bytes), "cluster").named("twice");
    expect([...twice].map(({ origin }) => origin.pointer)).toEqual([
      "/configs/0/dynamic_active_clusters/0/cluster",
      "/configs/0/dynamic_active_clusters/2/cluster",
    ]);
    expect(told(twice)).toEqual(told(listOf(readWhole(bytes), "cluster").named("twice")));
  });

  it("does not take a mention for a name", () => {
    const cluster = aCluster("other", { alt_stat_name: "wanted" });
    const bytes = bytesOf({ configs: [clustersSection([cluster, aCluster("wanted")])] });
    const names = [...listOf(readDeferred(bytes), "cluster").named("wanted")].map(
      ({ origin }) => origin.pointer,
    );
    expect(names).toEqual(["/configs/0/dynamic_active_clusters/1/cluster"]);
  });

  it("is damaged only for whoever asks for the damage", () => {
    const section = aSection("Clusters", {
      dynamic_active_clusters: [{ cluster: aCluster("sound") }, { cluster: "bad" }],
    });
    const bytes = bytesOf({ configs: [section] });
    const list = listOf(readDeferred(bytes), "cluster");
    expect(list.named("sound").length).toBe(1);
    expect(() => list.named("bad")).toThrow(UnreadableResource);
    expect(() => [...list]).toThrow(UnreadableResource);
  });

  it("is read at once where it is not one of objects alone", () => {
    const bytes = Buffer.from(
      clustersNamed("a", "b")
        .toString()
        .replace(/\},\{(?="cluster")/, "},7,{"),
    );
    expect(bytes.toString()).toContain("},7,{");
    const dump = readDeferred(bytes);
    expect(dump.problems.map(({ message, pointer }) => `${pointer} ${message}`)).toEqual([
      "/configs/0/dynamic_active_clusters/1 must be object",
    ]);
    const list = listOf(dump, "cluster");
    expect("mentioning" in list).toBe(false);
    expect([...list.named("b")].map(({ origin }) => origin.pointer)).toEqual([
      "/configs/0/dynamic_active_clusters/2/cluster",
    ]);
  });
});
