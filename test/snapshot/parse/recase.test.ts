import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { identityForm } from "../../../src/snapshot/parse/identity.js";
import { withJsonNames } from "../../../src/snapshot/parse/recase.js";
import { envoyDump } from "../../support/mesh/dump.js";
import { buildMesh } from "../../support/mesh/mesh.js";
import { aStore, bytesOf, corpus, everythingIsRequired } from "../../support/builders.js";
import { readConfigDump } from "../../../src/snapshot/parse/config-dump.js";

const cluster = (fields: object): unknown => ({ "@type": "x/envoy.config.cluster.v3.Cluster", ...fields });

describe("names of fields", () => {
  it.each([
    { proto: "connect_timeout", json: "connectTimeout", value: "1s" },
    { proto: "http2_protocol_options", json: "http2ProtocolOptions", value: {} },
    { proto: "a_field_of_tomorrow", json: "aFieldOfTomorrow", value: 1 },
  ])("$proto is $json", ({ proto, json, value }) => {
    expect(withJsonNames(cluster({ [proto]: value }), "")).toEqual(cluster({ [json]: value }));
  });

  it.each([
    {
      because: "a TypedStruct's value is data",
      fields: {
        typed_extension_protocol_options: {
          "a.b_c": {
            "@type": "x/xds.type.v3.TypedStruct",
            type_url: "x/y",
            value: { upstream_cluster: 1, statPrefix: 2, a_b_c: { d_e: 3 } },
          },
        },
      },
    },
    {
      because: "a map's keys are data",
      fields: { metadata: { filter_metadata: { a_b: { upstream_cluster: 1, statPrefix: 2, a_b_c: 3 } } } },
    },
    {
      because: "an unknown type is data",
      fields: {
        typed_extension_protocol_options: {
          x_y: { "@type": "x/some.Unknown", a_b_c: { d_e: 1 }, statPrefix: 2 },
        },
      },
    },
  ])("$because: it stays", ({ fields }) => {
    const text = JSON.stringify(withJsonNames(cluster(fields), ""));
    for (const key of Object.keys(dataOf(fields))) expect(text).toContain(`"${key}"`);
  });

  /** The innermost objects' keys that are data. */
  function dataOf(value: unknown): Record<string, unknown> {
    const text = JSON.stringify(value);
    return Object.fromEntries(
      [...text.matchAll(/"(a_b_c|statPrefix|upstream_cluster|a_b|x_y|a\.b_c|d_e)":/g)].map((match) => [
        match[1] ?? "",
        true,
      ]),
    );
  }
});

/** There and back: identity form -> JSON names -> identity form. */
function roundTrips(dump: unknown, entry: string): number {
  const store = aStore();
  readConfigDump(bytesOf(dump), entry, store);
  for (const { text, type, kind, name } of store.resources.values()) {
    const json = JSON.stringify(withJsonNames(JSON.parse(text), type));
    expect(identityForm(json, type, 256).text, `${entry} ${kind} ${name}`).toBe(text);
  }
  return store.resources.size;
}

it("going there and back is the identity for every generated resource", () => {
  const mesh = buildMesh({ seed: 2 });
  let count = 0;
  for (const proxy of mesh.proxies) count += roundTrips(envoyDump(proxy, true), proxy.id);
  expect(count).toBeGreaterThan(200);
});

describe.skipIf(!existsSync(corpus) && !everythingIsRequired)("the dumps of others", () => {
  const folder = join(corpus, "istioctl");
  const dumps = existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" })
        .filter((file) => /\.(?:json|yaml)$/.test(file))
        .map((file) => ({ file, text: readFileSync(join(folder, file), "utf8") }))
        .filter(({ text }) => /^\s*\{\s*"configs"/.test(text))
    : [];

  it.each(dumps)("$file goes there and back", ({ file, text }) => {
    expect(roundTrips(JSON.parse(text), file)).toBeGreaterThan(0);
  });

  it("are many", () => {
    expect(dumps.length).toBeGreaterThan(15);
  });
});
