import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { FieldTable, messageFields } from "../../../src/snapshot/parse/field-table.js";
import type { FieldValue } from "../../../src/snapshot/parse/field-table.js";
import { istioMessages } from "../../../src/snapshot/parse/istio-types.js";
import { v2Fields } from "../../../src/snapshot/parse/v2-types.js";
import { encodeFieldTable, generateFieldTable } from "../../../src/tools/field-table.js";

const root = join(import.meta.dirname, "../../..");
const value = (type: string, key: string): FieldValue | undefined => messageFields(type)?.get(key)?.value;
const cluster = "envoy.config.cluster.v3.Cluster";
const hcm = "envoy.extensions.filters.network.http_connection_manager.v3";

describe("the generated table", () => {
  it("is what the installed package gives", () => {
    const file = readFileSync(join(root, "src/snapshot/parse/field-table.generated.ts"), "utf8");
    expect(file === generateFieldTable(), "outdated: npm run field-table").toBe(true);
    expect(file.length).toBeLessThan(400_000);
  });

  it("resolves names as protobuf does and keeps an explicit json_name", () => {
    const source = `syntax = "proto3"; package envoy.x;
      message A { enum E { Z = 0; } message B { A up = 1; } B b = 1; E e_1 = 2 [json_name = "odd"]; map<string, B> m = 3; }`;
    const encoded = encodeFieldTable([source]);
    expect(encoded).toBe("envoy.x.A b:1 e_1=odd:!Z m:{}1\nenvoy.x.A.B up:0");
    const fields = new FieldTable(encoded).messageFields("envoy.x.A");
    expect(fields?.all).toEqual([
      { name: "b", jsonName: "b", value: { kind: "message", type: "envoy.x.A.B" } },
      { name: "e_1", jsonName: "odd", value: { kind: "scalar", zero: "Z" } },
      { name: "m", jsonName: "m", value: { kind: "map", value: { kind: "message", type: "envoy.x.A.B" } } },
    ]);
    expect(fields?.get("odd")).toBe(fields?.get("e_1"));
    expect(() => encodeFieldTable(["package envoy.x; message A { optional Nowhere n = 1; }"])).toThrow(
      /Nowhere/,
    );
  });
});

describe("the forms of scalars", () => {
  const source = `syntax = "proto3"; package envoy.x; import "google/protobuf/duration.proto";
    enum E { FIRST = 0; SECOND = 1; }
    enum Odd { option allow_alias = true; LATER = 3; ZERO = 0; }
    message A {
      bool flag = 1; string text = 2; uint32 number = 3; double factor = 4; bytes blob = 5;
      uint64 big = 6; sint64 signed = 7; E kind = 8; Odd odd = 9;
      google.protobuf.Duration wait = 10; google.protobuf.UInt64Value wide = 11; google.protobuf.UInt32Value narrow = 12;
      repeated uint64 bigs = 13; repeated E kinds = 14; repeated google.protobuf.Duration waits = 15;
      map<string, uint64> counts = 16; map<string, E> named = 17; map<string, google.protobuf.Duration> times = 18;
      oneof choice { bool chosen = 19; uint64 chosen_big = 20; E chosen_kind = 21; }
      optional bool maybe = 22; optional fixed64 maybe_big = 23;
    }`;
  const fields = new FieldTable(encodeFieldTable([source])).messageFields("envoy.x.A")!;
  const plain = { kind: "scalar" } as const;

  it.each<[string, FieldValue]>([
    ["flag", { ...plain, zero: "" }],
    ["text", { ...plain, zero: "" }],
    ["number", { ...plain, zero: "" }],
    ["factor", { ...plain, zero: "" }],
    ["blob", { ...plain, zero: "" }],
    ["big", { ...plain, form: "int64", zero: "" }],
    ["signed", { ...plain, form: "int64", zero: "" }],
    ["kind", { ...plain, zero: "FIRST" }],
    ["odd", { ...plain, zero: "ZERO" }],
    ["wait", { ...plain, form: "duration" }],
    ["wide", { ...plain, form: "int64" }],
    ["narrow", plain],
    ["bigs", { ...plain, form: "int64" }],
    ["kinds", plain],
    ["waits", { ...plain, form: "duration" }],
    ["counts", { kind: "map", value: { ...plain, form: "int64" } }],
    ["named", { kind: "map", value: plain }],
    ["times", { kind: "map", value: { ...plain, form: "duration" } }],
    ["chosen", plain],
    ["chosen_big", { ...plain, form: "int64" }],
    ["chosen_kind", plain],
    ["maybe", plain],
    ["maybe_big", { ...plain, form: "int64" }],
  ])("%s", (name, expected) => {
    expect(fields.get(name)?.value).toEqual(expected);
  });

  it("of Envoy's own messages: what has a default, and what is told apart from it", () => {
    expect(value(cluster, "respect_dns_ttl")).toEqual({ kind: "scalar", zero: "" });
    expect(value(cluster, "lb_policy")).toEqual({ kind: "scalar", zero: "ROUND_ROBIN" });
    expect(value(cluster, "max_requests_per_connection")).toEqual({ kind: "scalar" });
    expect(value(`${hcm}.HttpConnectionManager`, "stream_idle_timeout")).toEqual({
      kind: "scalar",
      form: "duration",
    });
    expect(value("envoy.config.route.v3.RetryPolicy", "host_selection_retry_max_attempts")).toEqual({
      kind: "scalar",
      form: "int64",
      zero: "",
    });
    expect(value("envoy.config.route.v3.RouteMatch", "prefix")).toEqual({ kind: "scalar" });
  });
});

describe("messageFields", () => {
  it("finds a field by either spelling", () => {
    const field = messageFields(cluster)?.get("eds_cluster_config");
    expect(field).toMatchObject({ name: "eds_cluster_config", jsonName: "edsClusterConfig" });
    expect(messageFields(cluster)?.get("edsClusterConfig")).toBe(field);
    expect(messageFields(cluster)?.all).toContain(field);
  });

  it.each([
    [cluster, "http2_protocol_options", "http2ProtocolOptions"],
    ["envoy.config.core.v3.SocketAddress", "ipv4_compat", "ipv4Compat"],
    ["envoy.config.cluster.v3.OutlierDetection", "consecutive_5xx", "consecutive5xx"],
    ["envoy.type.matcher.v3.RegexMatcher", "google_re2", "googleRe2"],
  ])("spells digits of %s as protobuf does: %s", (type, name, jsonName) => {
    expect(messageFields(type)?.get(jsonName)?.name).toBe(name);
    expect(messageFields(type)?.get(name)?.jsonName).toBe(jsonName);
  });

  it.each<[string, string, FieldValue]>([
    [cluster, "connect_timeout", { kind: "scalar", form: "duration" }],
    [cluster, "type", { kind: "scalar" }],
    [cluster, "load_assignment", { kind: "message", type: "envoy.config.endpoint.v3.ClusterLoadAssignment" }],
    [cluster, "typed_extension_protocol_options", { kind: "map", value: { kind: "any" } }],
    ["envoy.config.core.v3.Metadata", "filter_metadata", { kind: "map", value: { kind: "opaque" } }],
    ["envoy.config.route.v3.Route", "typed_per_filter_config", { kind: "map", value: { kind: "any" } }],
    [`${hcm}.HttpFilter`, "typed_config", { kind: "any" }],
    ["xds.type.v3.TypedStruct", "value", { kind: "opaque" }],
    ["udpa.type.v1.TypedStruct", "value", { kind: "opaque" }],
    [
      "envoy.config.rbac.v3.RBAC",
      "policies",
      { kind: "map", value: { kind: "message", type: "envoy.config.rbac.v3.Policy" } },
    ],
    ["envoy.config.core.v3.Node", "metadata", { kind: "opaque" }],
    ["io.istio.http.peer_metadata.Config", "shared_with_upstream", { kind: "scalar" }],
  ])("knows what %s %s holds", (type, key, expected) => {
    expect(value(type, key)).toEqual(expected);
  });

  it("reads v2 names as their v3 successors, with the fields of both", () => {
    expect(messageFields("envoy.api.v2.Cluster")).toBe(messageFields(cluster));
    expect(value("envoy.api.v2.Cluster", "hosts")).toEqual({
      kind: "message",
      type: "envoy.config.core.v3.Address",
    });
    expect(value("envoy.api.v2.Listener", "deprecatedV1")).toMatchObject({ kind: "message" });
    expect(value("envoy.api.v2.listener.Filter", "config")).toEqual({ kind: "opaque" });
    expect(value("envoy.config.listener.v3.FilterChain", "tlsContext")).toMatchObject({
      type: "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    });
    expect(value("envoy.api.v2.route.Route", "perFilterConfig")).toEqual({
      kind: "map",
      value: { kind: "opaque" },
    });
    // The v2 message is shipped: no hand-written entry needed.
    expect(value(`${hcm}.HttpFilter`, "config")).toEqual({ kind: "opaque" });
    expect(value("envoy.type.matcher.StringMatcher", "regex")).toEqual({ kind: "scalar" });
    expect(value("envoy.config.filter.http.ext_authz.v2.ExtAuthz", "grpc_service")).toMatchObject({
      type: "envoy.config.core.v3.GrpcService",
    });
    // Up to Envoy 1.12 the admin sections held plain messages.
    expect(value("envoy.admin.v2alpha.ClustersConfigDump.StaticCluster", "cluster")).toEqual({
      kind: "any",
      type: cluster,
    });
  });

  it("reads a field of any message behind the prefix for removed ones", () => {
    const expected = {
      name: "hidden_envoy_deprecated_use_original_dst",
      jsonName: "hiddenEnvoyDeprecatedUseOriginalDst",
      value: { kind: "scalar" },
    };
    const fields = messageFields("envoy.config.listener.v3.Listener");
    expect(fields?.get("hiddenEnvoyDeprecatedUseOriginalDst")).toEqual(expected);
    expect(fields?.get("hidden_envoy_deprecated_use_original_dst")).toEqual(expected);
    expect(value(cluster, "hidden_envoy_deprecated_tls_context")).toEqual(value(cluster, "tls_context"));
    expect(fields?.get("hidden_envoy_deprecated_nonsense")).toBeUndefined();
    expect(fields?.get("hidden_envoy_deprecated_")).toBeUndefined();
    expect(fields?.get("hidden_envoy_deprecated___proto__")).toBeUndefined();
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "", " ", "get"])(
    "knows nothing of %j",
    (key) => {
      expect(messageFields(key)).toBeUndefined();
      expect(messageFields(cluster)?.get(key)).toBeUndefined();
    },
  );

  it("does not know unknown types", () => {
    for (const type of [
      "envoy.config.cluster.v3.Clust",
      "envoy.config.cluster.v3",
      "google.protobuf.Any",
      "stats",
    ]) {
      expect(messageFields(type)).toBeUndefined();
    }
  });

  it("knows every message that the hand-written tables name", () => {
    for (const type of Object.keys({ ...v2Fields, ...istioMessages })) {
      expect(messageFields(type), type).toBeDefined();
      for (const field of messageFields(type)?.all ?? []) {
        const held = field.value.kind === "map" ? field.value.value : field.value;
        if ("type" in held && !held.type.startsWith("opencensus."))
          expect(messageFields(held.type), held.type).toBeDefined();
      }
    }
  });
});

const corpus = join(root, "../shared/corpus/istioctl");
const required = (process.env["ISTIO_SNAPSHOT_REQUIRE_ALL"] ?? "") !== "";

describe("real dumps", () => {
  it.skipIf(!existsSync(corpus) && !required)("hold no field that the table does not know", () => {
    const unknownKeys = new Set<string>();
    const unknownTypes = new Set<string>();
    const styles = { snake: 0, camel: 0 };
    let dumps = 0;

    const walkMessage = (type: string, json: object, where: string): void => {
      const fields = messageFields(type);
      if (fields === undefined) return void unknownTypes.add(type);
      for (const [key, child] of Object.entries(json)) {
        if (key === "@type") continue;
        const field = fields.get(key);
        if (field === undefined) unknownKeys.add(`${type} ${key} (${where})`);
        else walk(field.value, child, where);
        if (field !== undefined && field.name !== field.jsonName)
          styles[key === field.name ? "snake" : "camel"]++;
      }
    };
    const walk = (kind: FieldValue, json: unknown, where: string): void => {
      if (typeof json !== "object" || json === null) return;
      if (Array.isArray(json)) for (const item of json) walk(kind, item, where);
      else if (kind.kind === "message") walkMessage(kind.type, json, where);
      else if (kind.kind === "map") Object.values(json).forEach((item) => walk(kind.value, item, where));
      else if (kind.kind === "any") {
        const url = (json as Record<string, unknown>)["@type"];
        const type = typeof url === "string" ? url.slice(url.lastIndexOf("/") + 1) : kind.type;
        if (type === undefined) {
          if (Object.keys(json).length > 0) unknownTypes.add(`no @type (${where})`);
        } else if (!type.startsWith("google.protobuf.")) walkMessage(type, json, where);
      } else if (kind.kind === "scalar")
        unknownKeys.add(`an object in a scalar: ${JSON.stringify(json)} (${where})`);
    };

    for (const file of readdirSync(corpus, { recursive: true, encoding: "utf8" })) {
      if (!/\.(json|yaml)$/.test(file)) continue;
      const text = readFileSync(join(corpus, file), "utf8");
      if (!text.startsWith("{")) continue;
      const { configs } = JSON.parse(text) as { configs?: unknown };
      if (configs === undefined) continue;
      dumps++;
      walk({ kind: "any" }, configs, file);
    }
    expect(dumps).toBeGreaterThan(15);
    expect(Math.min(styles.snake, styles.camel)).toBeGreaterThan(300);
    expect([...unknownKeys]).toEqual([]);
    // Mixer is gone since Istio 1.8; of its messages no complete description was at hand.
    const mixer = ["HttpClientConfig", "ServiceConfig", "TcpClientConfig"];
    expect([...unknownTypes].sort()).toEqual(mixer.map((name) => `istio.mixer.v1.config.client.${name}`));
  });
});
