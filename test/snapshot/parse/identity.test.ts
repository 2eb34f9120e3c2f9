import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { messageFields, type Field, type FieldValue } from "../../../src/snapshot/parse/field-table.js";
import { identityForm, IdentityError } from "../../../src/snapshot/parse/identity.js";
import { renamed } from "../../support/builders.js";
import { randomFor, type Random } from "../../support/mesh/random.js";

const form = (json: unknown, defaultType = ""): string =>
  identityForm(typeof json === "string" ? json : JSON.stringify(json), defaultType, 64).text;

// Generated resources: messages of the field table, in proto names

const rootTypes = [
  "envoy.config.cluster.v3.Cluster",
  "envoy.config.listener.v3.Listener",
  "envoy.config.route.v3.RouteConfiguration",
  "envoy.config.endpoint.v3.ClusterLoadAssignment",
  "envoy.extensions.transport_sockets.tls.v3.Secret",
  "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
  "envoy.config.bootstrap.v3.Bootstrap",
];
const typesInside = [
  ...rootTypes,
  "envoy.extensions.filters.http.rbac.v3.RBAC",
  "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
  "io.istio.http.peer_metadata.Config",
  "xds.type.v3.TypedStruct",
  "udpa.type.v1.TypedStruct",
  "google.protobuf.Struct",
  "example.com.v1.NobodyKnowsMe",
];
/** Keys that look like names of fields. */
const dataKeys = ["upstream_cluster", "statPrefix", "a_b_c", "aBC", "@type", "edsClusterConfig", "", "x/y~z"];

const text = fc.oneof(
  fc.constantFrom("", "outbound|9080||reviews", "a\nb", "\u2028", "ä", "\u202e", "1.0", "[redacted]"),
  fc.string({ unit: "grapheme", maxLength: 6 }),
);
const scalar = fc.oneof(
  text,
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const data = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...dataKeys.filter((key) => key !== "@type")), tie("value"), {
      maxKeys: 4,
    }),
  ),
})).value;

function valuesOf(shape: FieldValue, depth: number): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case "scalar":
      return scalar;
    case "opaque":
      return data;
    case "map":
      return fc.dictionary(
        fc.constantFrom(...dataKeys.filter((key) => key !== "@type")),
        valuesOf(shape.value, depth),
        {
          maxKeys: 3,
        },
      );
    case "any":
      return fc.constantFrom(...typesInside).chain((type) => messages(type, depth - 1, true));
    case "message":
      return messages(shape.type, depth - 1, false);
  }
}

/** A message of that type, with some of its fields. */
function messages(type: string, depth: number, isAny: boolean): fc.Arbitrary<Record<string, unknown>> {
  const named = isAny ? { "@type": `type.googleapis.com/${type}` } : {};
  const all = messageFields(type)?.all;
  if (all === undefined) {
    const unknown = fc.dictionary(fc.constantFrom("a_b_c", "statPrefix", "value"), data, { maxKeys: 3 });
    return unknown.map((members) => ({ ...named, ...members }));
  }
  if (depth <= 0) return fc.constant({ ...named });
  const some = (fields: readonly Field[], maxLength: number): fc.Arbitrary<Field[]> =>
    fc.subarray([...fields], { maxLength: Math.min(maxLength, fields.length) });
  return fc
    .tuple(
      some(
        all.filter(({ value }) => value.kind === "scalar"),
        2,
      ),
      some(
        all.filter(({ value }) => value.kind === "message"),
        2,
      ),
      some(
        all.filter(({ value }) => value.kind !== "scalar" && value.kind !== "message"),
        2,
      ),
    )
    .chain((chosen) =>
      fc.tuple(
        ...chosen
          .flat()
          .map((field) =>
            fc.tuple(
              fc.constant(field.name),
              fc.oneof(valuesOf(field.value, depth), listOf(field.value, depth)),
            ),
          ),
      ),
    )
    .map((members) => ({ ...named, ...Object.fromEntries(members) }));
}

const listOf = (shape: FieldValue, depth: number): fc.Arbitrary<unknown> =>
  shape.kind === "map" || shape.kind === "opaque"
    ? valuesOf(shape, depth)
    : fc.array(valuesOf(shape, depth), { maxLength: 2 });

const resource = fc.constantFrom(...rootTypes).chain((type) => messages(type, 5, true));

// The ways in which one resource can be printed

interface Printing {
  readonly keys?: boolean;
  readonly space?: boolean;
  readonly escapes?: boolean;
}

function printed(value: unknown, printing: Printing, random: Random): string {
  const space = (): string => (printing.space === true ? random.pick(["", " ", "\n\t", "\r\n   "]) : "");
  const string = (plain: string): string => {
    const token = JSON.stringify(plain);
    if (printing.escapes !== true) return token;
    return `"${token
      .slice(1, -1)
      .replace(/\\.|[^\\]/gsu, (unit) =>
        unit.length === 1 && random.next() < 0.3
          ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
          : unit === "/" || unit === "\\/"
            ? "\\/"
            : unit,
      )}"`;
  };
  const write = (item: unknown): string => {
    if (typeof item === "string") return string(item);
    if (typeof item !== "object" || item === null) return JSON.stringify(item);
    const [open, close] = Array.isArray(item) ? "[]" : "{}";
    const members = Array.isArray(item)
      ? item.map(write)
      : (printing.keys === true ? random.shuffle(Object.entries(item)) : Object.entries(item)).map(
          ([key, member]) => `${string(key)}${space()}:${space()}${write(member)}`,
        );
    return `${open ?? ""}${space()}${members.join(`${space()},${space()}`)}${space()}${close ?? ""}`;
  };
  return `${space()}${write(value)}${space()}`;
}

/** The same resource with a mixture of both styles of names. */
const mixed = (value: Record<string, unknown>, random: Random): unknown =>
  random.next() < 0.5
    ? renamed(value, "jsonName")
    : Object.fromEntries(
        Object.entries(value).map(([key, member]) =>
          Object.entries(
            random.next() < 0.5
              ? { [key]: member }
              : (renamed({ "@type": value["@type"], [key]: member }, "jsonName") as object),
          ).at(-1)!,
        ),
      );

it("the generated resources hold what the laws are about", () => {
  const texts = fc.sample(resource, { numRuns: 200, seed: 1 }).map((value) => JSON.stringify(value));
  const holding = (part: string): number => texts.filter((text) => text.includes(part)).length;
  expect(holding('"upstream_cluster":'), "keys that look like fields").toBeGreaterThan(20);
  expect(holding("TypedStruct"), "free-form data in an Any").toBeGreaterThan(5);
  expect(holding("NobodyKnowsMe"), "unknown types").toBeGreaterThan(5);
});

describe("the identity of a resource", () => {
  it.each<{ law: string; variant: (value: Record<string, unknown>, random: Random) => string }>([
    { law: "the order of keys", variant: (value, random) => printed(value, { keys: true }, random) },
    { law: "white space", variant: (value, random) => printed(value, { space: true }, random) },
    { law: "escapes", variant: (value, random) => printed(value, { escapes: true }, random) },
    {
      law: "who printed the names: Istiod (lowerCamelCase)",
      variant: (value) => JSON.stringify(renamed(value, "jsonName")),
    },
    {
      law: "all of them at once, with names mixed",
      variant: (value, random) =>
        printed(mixed(value, random), { keys: true, space: true, escapes: true }, random),
    },
  ])("does not depend on $law", ({ law, variant }) => {
    fc.assert(
      fc.property(resource, fc.nat(), (value, seed) => {
        expect(form(variant(value, randomFor(seed, law)))).toBe(form(value));
      }),
    );
  });

  it("is its own identity", () => {
    fc.assert(
      fc.property(resource, (value) => {
        expect(form(form(renamed(value, "jsonName")))).toBe(form(value));
      }),
    );
  });

  it("loses nothing: parsed, it is what was dumped, with proto names", () => {
    fc.assert(
      fc.property(resource, (value) => {
        expect(JSON.parse(form(value))).toEqual(JSON.parse(JSON.stringify(value)));
        expect(JSON.parse(form(renamed(value, "jsonName")))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("changes with every value", () => {
    fc.assert(
      fc.property(resource, fc.nat(), (value, seed) => {
        const changed = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
        fc.pre(changeOne(changed, seed));
        expect(form(changed)).not.toBe(form(value));
      }),
    );
  });

  it("changes with the order of a list", () => {
    expect(form({ domains: ["a", "b"] })).not.toBe(form({ domains: ["b", "a"] }));
    expect(form({ domains: ["a", "b"] })).toBe(form('{ "domains" : [ "a" , "b" ] }'));
  });

  it("tells a default that is written from one that is not", () => {
    const cluster = { "@type": "x/envoy.config.cluster.v3.Cluster", name: "a" };
    expect(form({ ...cluster, respect_dns_ttl: false })).not.toBe(form(cluster));
  });
});

/** Replaces one scalar somewhere below by another one; false when there is none. */
function changeOne(root: Record<string, unknown>, seed: number): boolean {
  const places: (() => void)[] = [];
  const visit = (holder: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries(holder)) {
      if (key === "@type") continue; // another type reads the names below it in another way
      if (typeof value === "object" && value !== null) visit(value as Record<string, unknown>);
      else places.push(() => (holder[key] = `${typeof value} ${String(value)} changed`));
    }
  };
  visit(root);
  places[seed % places.length]?.();
  return places.length > 0;
}

describe("numbers", () => {
  it.each(["1.0", "1", "1e5", "1E+05", "12345678901234567890", "-0", "0.10", "1.000000000000000000001"])(
    "keep the digits of %s",
    (number) => {
      expect(form(`{"a":[ ${number} ]}`)).toBe(`{"a":[${number}]}`);
    },
  );
  it.each(["01", "1.", ".5", "+1", "1e", "0x10", "NaN", "Infinity", "-"])("are refused as %s", (number) => {
    expect(() => form(`{"a":${number}}`)).toThrow(IdentityError);
  });
});

describe("texts", () => {
  it.each([
    { written: '"\\u0061"', plain: '"a"' },
    { written: '"\\/"', plain: '"/"' },
    { written: '"\\u00e4\\ud83d\\ude00"', plain: '"ä😀"' },
    { written: '"\\u000a"', plain: '"\\n"' },
    { written: '"\\ud83d"', plain: '"\\ud83d"' },
    { written: '"\ud83d"', plain: '"\\ud83d"' },
    { written: '"\u2028"', plain: '"\u2028"' },
  ])("written as $written are $plain", ({ written, plain }) => {
    expect(form(`{"a":${written}}`)).toBe(`{"a":${plain}}`);
  });
  it.each(['"\n"', '"\u0000"', '"\\x"', '"\\u12"', '"open', "'a'"])("are refused as %j", (written) => {
    expect(() => form(`{"a":${written}}`)).toThrow(IdentityError);
  });
});

const typed = (type: string, members: object): object => ({
  "@type": `type.googleapis.com/${type}`,
  ...members,
});
const cluster = "envoy.config.cluster.v3.Cluster";

describe("names of fields", () => {
  it.each<{ what: string; of: object; is: object }>([
    {
      what: "a field of a message",
      of: typed(cluster, { edsClusterConfig: { serviceName: "a" } }),
      is: typed(cluster, { eds_cluster_config: { service_name: "a" } }),
    },
    {
      what: "a field of a v2 message",
      of: typed("envoy.api.v2.Cluster", {
        hosts: [{ socketAddress: { portValue: 80 } }],
        tlsContext: { sni: "x" },
      }),
      is: typed("envoy.api.v2.Cluster", {
        hosts: [{ socket_address: { port_value: 80 } }],
        tls_context: { sni: "x" },
      }),
    },
    {
      what: "a removed field",
      of: typed("envoy.config.listener.v3.Listener", { hiddenEnvoyDeprecatedUseOriginalDst: true }),
      is: typed("envoy.config.listener.v3.Listener", { hidden_envoy_deprecated_use_original_dst: true }),
    },
    {
      what: "a field that is newer than the table, but nothing inside it",
      of: typed(cluster, { someNewField: { innerName: 1 } }),
      is: typed(cluster, { some_new_field: { innerName: 1 } }),
    },
    {
      what: "a field inside the value of a map",
      of: typed("envoy.extensions.filters.http.rbac.v3.RBAC", {
        rules: { policies: { "ns[a_b]-policy": { permissions: [{ notRule: { any: true } }] } } },
      }),
      is: typed("envoy.extensions.filters.http.rbac.v3.RBAC", {
        rules: { policies: { "ns[a_b]-policy": { permissions: [{ not_rule: { any: true } }] } } },
      }),
    },
  ])("become proto names: $what", ({ of, is }) => {
    expect(JSON.parse(form(of))).toEqual(is);
    expect(form(of)).toBe(form(is));
  });
});

describe("keys that are data", () => {
  it.each<{ what: string; value: object }>([
    {
      what: "of a map",
      value: typed("envoy.config.route.v3.RouteConfiguration", {
        virtual_hosts: [
          {
            typed_per_filter_config: {
              upstream_cluster: typed("envoy.extensions.filters.http.cors.v3.Cors", {}),
              statPrefix: typed("envoy.extensions.filters.http.cors.v3.Cors", {}),
            },
          },
        ],
      }),
    },
    {
      what: "of a Struct",
      value: typed(cluster, {
        metadata: {
          filter_metadata: { istio: { statPrefix: { a_b_c: 1, aBC: [{ upstream_cluster: 1 }] } } },
        },
      }),
    },
    {
      what: "of the value of a TypedStruct",
      value: typed("xds.type.v3.TypedStruct", {
        type_url: "type.googleapis.com/envoy.config.cluster.v3.Cluster",
        value: { edsClusterConfig: 1, eds_cluster_config: 2 },
      }),
    },
    {
      what: "of the value of an old TypedStruct",
      value: typed("udpa.type.v1.TypedStruct", { type_url: "x/y", value: { statPrefix: 1, a_b_c: 2 } }),
    },
    { what: "of a Struct in an Any", value: typed("google.protobuf.Struct", { value: { aB: 1, a_b: 2 } }) },
    {
      what: "of a type that is not known, and of all below it",
      value: typed("example.Unknown", { aB: typed(cluster, { edsClusterConfig: 1 }), a_b_c: 1 }),
    },
    { what: "of an object without a type", value: { edsClusterConfig: 1, a_b: 2 } },
    {
      what: "that no rule could have made",
      value: typed(cluster, { "x-y.z": 1, "A b": 2, _a: 3, __proto__x: 4 }),
    },
  ])("stay: $what", ({ value }) => {
    expect(JSON.parse(form(value))).toEqual(value);
  });

  it("stay: __proto__", () => {
    expect(form('{"__proto__":{"a":1},"constructor":2}')).toBe('{"__proto__":{"a":1},"constructor":2}');
  });
});

describe("the type", () => {
  const listener = "envoy.config.listener.v3.Listener";
  it.each([
    { json: `{"@type":"x/${listener}","filterChains":[]}`, because: "it stands first" },
    { json: `{"filterChains":[],"@type":"x/${listener}"}`, because: "it stands last" },
    {
      json: `{"filterChains":[{"a":["]"]}],"@type":"x/${listener}","name":""}`,
      because: "it stands in between",
    },
    { json: `{ "\\u0040type" :"x\\/${listener}","filterChains":[]}`, because: "escapes say the same" },
    { json: `{"@type":"${listener}","filterChains":[]}`, because: "the URL needs no host" },
  ])("of $json is found: $because", ({ json }) => {
    const { type, text } = identityForm(json, "", 64);
    expect(type).toBe(listener);
    expect(text).toContain('"filter_chains"');
  });

  it("is the one of the section where the dump is too old to name one", () => {
    expect(identityForm('{"connectTimeout":"1s"}', cluster, 64)).toEqual({
      text: '{"connect_timeout":"1s"}',
      type: cluster,
      name: "",
    });
  });

  it("that is named beats the one of the section", () => {
    expect(identityForm('{"@type":"x/example.Unknown","connectTimeout":"1s"}', cluster, 64).text).toContain(
      "connectTimeout",
    );
  });

  it("of a field that was no Any in v2 is the one it had then", () => {
    const dump = typed("envoy.admin.v2alpha.ClustersConfigDump.StaticCluster", {
      cluster: { connectTimeout: "1s" },
    });
    expect(form(dump)).toContain('"connect_timeout"');
  });

  it("counts in each element of a list", () => {
    expect(
      form([{ connectTimeout: "1s" }, typed("example.Unknown", { connectTimeout: "1s" })], cluster),
    ).toBe(
      '[{"connect_timeout":"1s"},{"@type":"type.googleapis.com/example.Unknown","connectTimeout":"1s"}]',
    );
  });
});

describe("the name", () => {
  it.each([
    { of: { name: "a" }, is: "a" },
    { of: { cluster_name: "a" }, is: "a" },
    { of: { cluster_name: "b", name: "a" }, is: "a" },
    { of: { name: "a", cluster_name: "b" }, is: "a" },
    { of: { name: { inner: "a" } }, is: "" },
    { of: { inner: { name: "a" } }, is: "" },
    { of: {}, is: "" },
  ])("of $of is $is", ({ of, is }) => {
    expect(identityForm(JSON.stringify(of), "", 64).name).toBe(is);
  });
  it("is found in either style", () => {
    const type = "envoy.config.endpoint.v3.ClusterLoadAssignment";
    expect(identityForm('{"clusterName":"outbound|80||a"}', type, 64).name).toBe("outbound|80||a");
  });
});

describe("what is no resource", () => {
  it.each([
    { json: "", says: "is cut off" },
    { json: '{"a":', says: "is cut off" },
    { json: '{"a":[1,2', says: "is cut off" },
    { json: '{"@type":"x/envoy.config.cluster.v3.Cluster","a', says: /cut off|not valid/ },
    { json: "{} {}", says: "is not valid JSON at character 3 of the resource" },
    { json: '{"a":1,}', says: "is not valid JSON at character 7 of the resource" },
    { json: "[1 2]", says: "is not valid JSON at character 3 of the resource" },
    { json: '{"a":tru}', says: "is not valid JSON at character 5 of the resource" },
    { json: "{a:1}", says: "is not valid JSON at character 1 of the resource" },
  ])("is refused: $json", ({ json, says }) => {
    expect(() => form(json)).toThrow(IdentityError);
    expect(() => form(json)).toThrow(says);
  });

  it("is refused when JSON.parse refuses it, and only then", () => {
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"b_c"',
      "1",
      "-",
      "true",
      "null",
      " ",
      '"@type"',
      "e1",
      '"\\',
    ];
    const verdict = (read: () => unknown): boolean => {
      try {
        read();
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 9 }), (tokens) => {
        const json = tokens.join("");
        expect(verdict(() => form(json))).toBe(verdict(() => JSON.parse(json)));
      }),
      { numRuns: 2000 },
    );
  });

  it("is refused beyond the depth that is allowed", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(identityForm(nested(9), "", 9).text).toBe(nested(9));
    expect(() => identityForm(nested(10), "", 9)).toThrow("is nested deeper than 9");
  });
});
