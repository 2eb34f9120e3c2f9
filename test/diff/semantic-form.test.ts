import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isList, isObject, objectOf, type JsonObject, type JsonValue } from "../../src/shared/json-value.js";
import { unorderedLists } from "../../src/diff/list-order.js";
import { semanticForm } from "../../src/diff/semantic-form.js";
import { messageFields } from "../../src/snapshot/parse/field-table.js";
import { withJsonNames } from "../../src/snapshot/parse/recase.js";
import type { Resource } from "../../src/snapshot/model.js";
import {
  contentOf,
  corpusResources,
  meshResources,
  resourceOf,
  rewrittenResource,
} from "../support/diff-resources.js";
import { randomFor, type Random } from "../support/mesh/random.js";
import { aCluster, aResource } from "../support/builders.js";

const resources = [...meshResources(), ...corpusResources()];
const someResource = fc.constantFrom(...resources.keys()).map((index) => resources[index]!);
const runs = 400;

const meaningOf = (resource: Resource): string => semanticForm(resource).text;

/** Holds for any resource and any choice of how to rewrite it. */
function law(says: string, rewrite: (resource: Resource, random: Random) => Resource): void {
  it(`${says} (${runs} runs)`, () => {
    let rewritten = 0;
    fc.assert(
      fc.property(someResource, fc.nat(), (resource, seed) => {
        const other = rewrite(resource, randomFor(seed, says));
        if (other.hash !== resource.hash) rewritten++;
        expect(meaningOf(other)).toBe(meaningOf(resource));
      }),
      { numRuns: runs, seed: 7 },
    );
    expect(rewritten, "resources that were rewritten at all").toBeGreaterThan(50);
  });
}

/** The fields of a message, each changed or not. */
const withMembers = (message: JsonObject, change: (key: string, value: JsonValue) => JsonValue): JsonObject =>
  objectOf(Object.entries(message).map(([key, value]) => [key, change(key, value)] as const));

describe("what does not matter gives no difference", () => {
  law("the order of lists that Envoy ignores", (resource, random) =>
    rewrittenResource(resource, (type, message) =>
      withMembers(message, (key, value) =>
        isList(value) && unorderedLists.get(type)?.has(key) === true ? random.shuffle(value) : value,
      ),
    ),
  );

  law("defaults written out", (resource, random) =>
    rewrittenResource(resource, (type, message) => {
      const defaults = (messageFields(type)?.all ?? []).flatMap(({ name, value }) => {
        if (value.kind !== "scalar" || value.zero === undefined || message[name] !== undefined) return [];
        if (random.next() < 0.5) return [];
        const plain = value.form === "int64" ? ["0", 0, null] : [false, 0, "", null];
        return [[name, random.pick<JsonValue>(value.zero === "" ? plain : [value.zero, 0, null])] as const];
      });
      return objectOf([...Object.entries(message), ...defaults]);
    }),
  );

  law("durations and numbers of 64 bits in another spelling", (resource, random) =>
    rewrittenResource(resource, (type, message) =>
      withMembers(message, (key, value) => {
        const field = messageFields(type)?.get(key)?.value;
        if (field?.kind !== "scalar") return value;
        if (field.form === "duration" && typeof value === "string")
          return value.includes(".")
            ? value.replace("s", "0s")
            : value.replace("s", random.pick([".000s", ".0s", "s"]));
        return field.form === "int64" && typeof value === "string" && Number(value) < 2 ** 53
          ? Number(value)
          : value;
      }),
    ),
  );

  it("the spelling of names, and the order of keys (every resource)", () => {
    const random = randomFor(7, "keys");
    const shuffled = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== "object" || value === null) return value;
      return Object.fromEntries(random.shuffle(Object.entries(value).map(([k, v]) => [k, shuffled(v)])));
    };
    for (const resource of resources) {
      const camel = shuffled(withJsonNames(contentOf(resource), resource.type)) as object;
      const other = resourceOf(resource.kind, camel);
      expect(meaningOf(other)).toBe(meaningOf(resource));
    }
    expect(
      JSON.stringify(withJsonNames({ lb_policy: "MAGLEV" }, "envoy.config.cluster.v3.Cluster")),
    ).toContain("lbPolicy");
  });

  it("what was already said in the one way that the form has (every resource)", () => {
    for (const { kind, text } of resources) {
      const form = semanticForm({ kind, text });
      expect(semanticForm({ kind, text: form.text }).text).toBe(form.text);
    }
  });
});

const rewrittenCluster = (fields: JsonObject): string =>
  meaningOf(resourceOf("cluster", aCluster("a", fields)));
const said = (kind: Resource["kind"], content: object): string => meaningOf(resourceOf(kind, content));

describe("what matters stays", () => {
  it.each<[string, JsonObject, JsonObject]>([
    ["a wrapper of 0 is not an absent one", { max_requests_per_connection: 0 }, {}],
    ["a message without fields is not an absent one", { common_lb_config: {} }, {}],
    ["a duration of 0 is not an absent one", { connect_timeout: "0s" }, {}],
    ["durations by their sign", { connect_timeout: "-1s" }, { connect_timeout: "1s" }],
    ["durations by their fraction", { connect_timeout: "1.5s" }, { connect_timeout: "1.05s" }],
    [
      "the type of a TypedStruct",
      { typed_extension_protocol_options: { a: typedStruct("example.com/b.C", { d: 1 }) } },
      { typed_extension_protocol_options: { a: typedStruct("example.com/b.D", { d: 1 }) } },
    ],
    [
      "empty values in data",
      { metadata: { filter_metadata: { a: { b: "" } } } },
      { metadata: { filter_metadata: { a: {} } } },
    ],
    [
      '1 and "1" in data',
      { metadata: { filter_metadata: { a: { b: "1" } } } },
      { metadata: { filter_metadata: { a: { b: 1 } } } },
    ],
    [
      "a key __proto__",
      { metadata: { filter_metadata: JSON.parse('{"__proto__":{"a":1}}') as JsonObject } },
      {},
    ],
  ])("%s", (_, one, other) => {
    expect(rewrittenCluster(one)).not.toBe(rewrittenCluster(other));
    expect(rewrittenCluster(one)).toBe(rewrittenCluster(structuredClone(one)));
  });

  function typedStruct(type: string, value: JsonObject): JsonObject {
    return { "@type": "type.googleapis.com/xds.type.v3.TypedStruct", type_url: type, value };
  }
});

describe("a TypedStruct", () => {
  const router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
  const listener = (typedConfig: JsonObject): object =>
    aResource("extensionConfig", "a", { typed_config: typedConfig });

  it.each(["xds.type.v3.TypedStruct", "udpa.type.v1.TypedStruct"])(
    "%s is the message that it names",
    (type) => {
      const struct = (value: JsonObject): object =>
        listener({ "@type": `type.googleapis.com/${type}`, type_url: router, value });
      const plain = said("extensionConfig", listener({ "@type": router, start_child_span: true }));
      expect(said("extensionConfig", struct({ start_child_span: true }))).toBe(plain);
      expect(said("extensionConfig", struct({ startChildSpan: true, suppressEnvoyHeaders: false }))).toBe(
        plain,
      );
      expect(said("extensionConfig", struct({ startChildSpan: false }))).not.toBe(plain);
    },
  );

  it("is the same in either package also where its type is not known", () => {
    const struct = (type: string, value: JsonObject): string =>
      said(
        "extensionConfig",
        listener({ "@type": `type.googleapis.com/${type}`, type_url: "example.com/nobody.Knows", value }),
      );
    expect(struct("udpa.type.v1.TypedStruct", { a: 1 })).toBe(struct("xds.type.v3.TypedStruct", { a: 1 }));
    expect(struct("udpa.type.v1.TypedStruct", { a: 2 })).not.toBe(
      struct("xds.type.v3.TypedStruct", { a: 1 }),
    );
  });
});

describe("hostile input", () => {
  it.each(["__proto__", "constructor", "toString"])("takes %s for a type, a name and a key", (word) => {
    const filter = { name: word, typed_config: { "@type": `type.googleapis.com/${word}`, [word]: [1, 2] } };
    const content = aResource("listener", "a", {
      [word]: ["b", "a"],
      filter_chains: [{ filters: [filter] }],
      listener_filters: [{ name: word }],
    });
    expect(said("listener", content)).toContain(`"name":"${word}"`);
  });

  it("takes values of other kinds than the protos have", () => {
    for (const odd of [null, 1, "a", true, [], [[]], [null], {}, { a: [] }])
      for (const kind of ["cluster", "listener", "routeConfiguration", "endpointAssignment"] as const)
        for (const type of messageFields(
          kind === "cluster" ? "envoy.config.cluster.v3.Cluster" : "envoy.config.listener.v3.Listener",
        )!.all)
          expect(() => said(kind, aResource(kind, "a", { [type.name]: odd }))).not.toThrow();
    expect(isObject(contentOf(resourceOf("cluster", aCluster("a"))))).toBe(true);
  });
});
