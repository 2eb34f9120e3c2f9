/** Resources to hold against each other: of generated meshes, of the corpus' dumps, and written by hand where neither has them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { currentName, messageFields, type FieldValue } from "../../src/snapshot/parse/field-table.js";
import { typeName } from "../../src/snapshot/parse/type-url.js";
import { BundleFormatError } from "../../src/shared/errors.js";
import type { Resource, ResourceKind } from "../../src/snapshot/model.js";
import type { ResourceStore } from "../../src/snapshot/parse/resources.js";
import { isList, isObject, objectOf, type JsonObject, type JsonValue } from "../../src/shared/json-value.js";
import { aResource, aSection, aStore, bytesOf, corpus, readText, resourceTypes } from "./builders.js";
import { envoyDump, istiodDump } from "./mesh/dump.js";
import { buildMesh } from "./mesh/mesh.js";

/** Up to 1.6 with the types of API v2. */
export const releases = ["1.6.14", "1.12.9", "1.17.8", "1.24.2", "1.30.0"] as const;

/** The kinds that generated meshes lack, and secrets with lists. */
const handMade = {
  configs: [
    aSection("Secrets", {
      dynamic_active_secrets: [
        {
          name: "tickets",
          secret: aResource("secret", "tickets", {
            session_ticket_keys: {
              keys: ["a", "b", "c"].map((name) => ({ filename: `/etc/tickets/${name}` })),
            },
          }),
        },
        {
          name: "peers",
          secret: aResource("secret", "peers", {
            validation_context: {
              trusted_ca: { filename: "/etc/ca.pem" },
              verify_certificate_hash: ["0a:1b", "2c:3d"],
              match_typed_subject_alt_names: ["a.example", "b.example"].map((exact) => ({
                san_type: "DNS",
                matcher: { exact },
              })),
            },
          }),
        },
      ],
    }),
    aSection("ScopedRoutes", {
      dynamic_scoped_route_configs: [
        {
          name: "scopes",
          scoped_route_configs: [
            aResource("scopedRoutes", "blue", {
              route_configuration_name: "routes",
              key: { fragments: [{ string_key: "blue" }, { string_key: "10" }] },
              on_demand: true,
            }),
          ],
        },
        {
          name: "few scopes",
          scoped_route_configs: [
            aResource("scopedRoutes", "green", {
              route_configuration_name: "routes",
              key: { fragments: [{ string_key: "green" }] },
            }),
          ],
        },
      ],
    }),
    aSection("Ecds", {
      ecds_filters: [
        {
          version_info: "7",
          ecds_filter: aResource("extensionConfig", "default.rate-limit", {
            typed_config: {
              "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
              config: {
                root_id: "limit",
                configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: "{}" },
                vm_config: {
                  runtime: "envoy.wasm.runtime.v8",
                  code: { local: { filename: "/var/lib/istio/data/0a/1b.wasm" } },
                  environment_variables: { host_env_keys: ["ZONE", "REGION"], key_values: { LEVEL: "info" } },
                },
              },
            },
          }),
        },
      ],
    }),
  ],
};

function filled(fill: (store: ResourceStore) => void): readonly Resource[] {
  const store = aStore();
  fill(store);
  return [...store.resources.values()].filter(({ kind }) => kind !== "bootstrap");
}

/** Of one mesh per release, as Envoy and as Istiod print them. */
export const meshResources = (ofReleases: readonly string[] = releases): readonly Resource[] =>
  filled((store) => {
    readText(handMade, store);
    for (const istioVersion of ofReleases) {
      const mesh = buildMesh({ istioVersion });
      for (const proxy of mesh.proxies) {
        readText(envoyDump(proxy, true), store);
        readText(istiodDump(proxy.desired, istioVersion, true), store);
      }
    }
  });

const folder = join(corpus, "istioctl");
/** Whether the tests that need the data are to be passed over. */
export const withoutCorpus = !existsSync(folder);

/** Of every dump of the corpus. */
export const corpusResources = (): readonly Resource[] =>
  filled((store) => {
    if (withoutCorpus) return;
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".json") || file.startsWith("derived")) continue;
      try {
        readText(readFileSync(join(folder, file), "utf8"), store);
      } catch (error) {
        if (!(error instanceof BundleFormatError)) throw error; // it is something else than a config_dump
      }
    }
  });

/** A resource as it would be read from a dump that says this. */
export function resourceOf(kind: ResourceKind, content: object): Resource {
  const store = aStore();
  const bytes = bytesOf(content);
  const resource = store.store(bytes, 0, bytes.length, kind);
  if ("error" in resource) throw new Error(resource.error);
  return resource;
}

export const contentOf = ({ text }: Pick<Resource, "text">): JsonObject => JSON.parse(text) as JsonObject;

/** A value of a message, with what it is told to be. */
export interface Typed {
  readonly value: JsonValue;
  readonly shape: FieldValue;
}

/**
 * The value with every message in it rewritten, from the inmost outwards.
 * @param change takes the v3 name of the message's type and the message
 */
export function rewritten(
  value: JsonValue,
  shape: FieldValue,
  change: (type: string, message: JsonObject) => JsonObject,
): JsonValue {
  if (isList(value)) return value.map((item) => rewritten(item, shape, change));
  if (!isObject(value) || shape.kind === "opaque" || shape.kind === "scalar") return value;
  if (shape.kind === "map")
    return objectOf(
      Object.entries(value).map(([key, item]) => [key, rewritten(item, shape.value, change)] as const),
    );
  const url = shape.kind === "any" ? value["@type"] : undefined;
  const type = currentName(
    shape.kind === "message" ? shape.type : typeof url === "string" ? typeName(url) : (shape.type ?? ""),
  );
  const fields = messageFields(type);
  if (fields === undefined) return value;
  const inside = Object.entries(value).map(
    ([key, item]) => [key, rewritten(item, fields.get(key)?.value ?? { kind: "opaque" }, change)] as const,
  );
  return change(type, objectOf(inside));
}

/** A resource that says the same or something else in every message. */
export const rewrittenResource = (
  resource: Resource,
  change: (type: string, message: JsonObject) => JsonObject,
): Resource =>
  resourceOf(resource.kind, rewritten(contentOf(resource), shapeOf(resource), change) as JsonObject);

/** What the content of a resource is told to be. */
export const shapeOf = ({ kind }: Pick<Resource, "kind">): FieldValue => ({
  kind: "any",
  type: kind === "bootstrap" ? "" : resourceTypes[kind],
});
