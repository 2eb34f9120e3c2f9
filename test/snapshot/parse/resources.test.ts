import { describe, expect, it } from "vitest";

import type { Resource, ResourceKind } from "../../../src/snapshot/model.js";
import type { ResourceStore } from "../../../src/snapshot/parse/resources.js";
import { aCluster, aStore, bytesOf, readText, referencesOf, renamed } from "../../support/builders.js";
import { envoyDump, istiodDump } from "../../support/mesh/dump.js";
import { print } from "../../support/mesh/json.js";
import { buildMesh } from "../../support/mesh/mesh.js";

/** Stores a text (or the text of a value) as it stands in a document, where `behind` follows it. */
function stored(
  store: ResourceStore,
  json: unknown,
  kind: ResourceKind = "cluster",
  behind = ",",
): Resource | { readonly error: string } {
  const text = typeof json === "string" ? json : JSON.stringify(json);
  return store.store(bytesOf(text + behind), 0, Buffer.byteLength(text), kind);
}

function resourceOf(result: Resource | { readonly error: string }): Resource {
  if ("error" in result) throw new Error(result.error);
  return result;
}

describe("a resource", () => {
  it("is stored with its type, its name and its identity", () => {
    const store = aStore();
    const resource = resourceOf(stored(store, aCluster("a", { connectTimeout: "1s" })));
    expect(resource).toEqual({
      hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      kind: "cluster",
      type: "envoy.config.cluster.v3.Cluster",
      name: "a",
      text: '{"@type":"type.googleapis.com/envoy.config.cluster.v3.Cluster","connect_timeout":"1s","name":"a"}',
    });
    expect(store.resources.get(resource.hash)).toBe(resource);
  });

  it.each([
    { what: "in the same bytes", again: JSON.stringify(aCluster("a", { connect_timeout: "1s" })) },
    { what: "indented", again: JSON.stringify(aCluster("a", { connect_timeout: "1s" }), null, 4) },
    { what: "in the other style", again: JSON.stringify(aCluster("a", { connectTimeout: "1s" })) },
  ])("is stored once, printed again $what", ({ again }) => {
    const store = aStore();
    const first = resourceOf(stored(store, aCluster("a", { connect_timeout: "1s" })));
    expect(stored(store, again)).toBe(first);
    expect(store.resources.size).toBe(1);
  });

  it.each([
    { what: "a value", other: aCluster("a", { connect_timeout: "2s" }), kind: "cluster" as const },
    { what: "the name", other: aCluster("b", { connect_timeout: "1s" }), kind: "cluster" as const },
    { what: "the kind", other: aCluster("a", { connect_timeout: "1s" }), kind: "listener" as const },
  ])("is stored beside another one that differs in $what", ({ other, kind }) => {
    const store = aStore();
    const first = resourceOf(stored(store, aCluster("a", { connect_timeout: "1s" })));
    expect(resourceOf(stored(store, other, kind)).hash).not.toBe(first.hash);
    expect(store.resources.size).toBe(2);
  });

  it("is recognised by its bytes alone once it was stored", () => {
    const store = aStore();
    const first = resourceOf(stored(store, aCluster("a")));
    const text = JSON.stringify(aCluster("a"));
    expect(store.find(bytesOf(`${text},`), 0, "cluster")).toEqual({ value: first, end: text.length });
    expect(store.find(bytesOf(`${text},`), 0, "listener")).toBeNull();
    expect(store.find(bytesOf(`${JSON.stringify(aCluster("b"))},`), 0, "cluster")).toBeNull();
  });

  it("without a type is read as what its section holds", () => {
    const resource = resourceOf(stored(aStore(), '{"edsClusterConfig":{}}'));
    expect(resource.type).toBe("envoy.config.cluster.v3.Cluster");
    expect(resource.text).toBe('{"eds_cluster_config":{}}');
  });

  it.each([
    { json: '{"a":tru}', error: "is not valid JSON at character 5 of the resource" },
    { json: '{"a":[[[]]]}', error: "is nested deeper than 3" },
  ])("that is broken is none, and is not remembered: $json", ({ json, error }) => {
    const store = aStore(3);
    expect(stored(store, json)).toEqual({ error });
    expect(store.resources.size).toBe(0);
    expect(store.find(bytesOf(`${json},`), 0, "cluster")).toBeNull();
  });
});

describe("one resource as Envoy and as Istiod print it", () => {
  it.each(["1.6.14", "1.12.9", "1.20.1", "1.24.2", "1.30.0"])(
    "is one resource, in Istio %s",
    (istioVersion) => {
      const mesh = buildMesh({ istioVersion });
      const store = aStore();
      let compared = 0;
      for (const proxy of mesh.proxies) {
        const envoy = readText(print(envoyDump(proxy, true), 1).toString(), store);
        const count = store.resources.size;
        const istiod = readText(print(istiodDump(proxy.desired, istioVersion, true), 4).toString(), store);
        const { endpointAssignment, ...same } = istiod.sections;
        for (const [kind, sent] of Object.entries(same)) {
          if (sent.state === "absent" || sent.value.length === 0) continue;
          const held = new Set(
            referencesOf(envoy.sections[kind as keyof typeof same]).map(({ hash }) => hash),
          );
          for (const { name, hash } of referencesOf(sent)) {
            expect(held.has(hash), `${kind} ${name} of ${proxy.id}`).toBe(true);
            compared++;
          }
        }
        // Envoy rebuilds endpoints from its hosts, so those alone are other ones
        const others = endpointAssignment.state === "absent" ? 0 : endpointAssignment.value.length;
        expect(store.resources.size - count).toBeLessThanOrEqual(others);
      }
      expect(compared).toBeGreaterThan(200);
    },
  );

  it("is another one when one value differs", () => {
    const listener = { "@type": "x/envoy.config.listener.v3.Listener", filter_chains: [{ name: "a" }] };
    const store = aStore();
    stored(store, listener, "listener");
    stored(store, renamed(listener, "jsonName"), "listener");
    expect(store.resources.size).toBe(1);
    stored(store, { ...listener, filter_chains: [{ name: "b" }] }, "listener");
    expect(store.resources.size).toBe(2);
  });
});

describe("intern", () => {
  it("gives the same text", () => {
    const store = aStore();
    expect(store.intern("2026-03-14/12")).toBe("2026-03-14/12");
    expect(store.intern("2026-03-14/12")).toBe("2026-03-14/12");
    expect(store.intern("")).toBe("");
  });
});
