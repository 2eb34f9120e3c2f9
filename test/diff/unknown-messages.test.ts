/** What Envoy and Istiod may say that the field table does not know, and spellings that mean something else. */
import { describe, expect, it } from "vitest";

import { semanticForm } from "../../src/diff/semantic-form.js";
import { messageFields } from "../../src/snapshot/parse/field-table.js";
import { aCluster, aResource } from "../support/builders.js";
import { resourceOf } from "../support/diff-resources.js";

type Fields = Readonly<Record<string, unknown>>;

const cluster = (fields: Fields): string => semanticForm(resourceOf("cluster", aCluster("a", fields))).text;
const policy = (name: string, content: Fields): Fields => ({
  load_balancing_policy: {
    policies: [
      {
        typed_extension_config: {
          name: "x",
          typed_config: { "@type": `type.googleapis.com/${name}`, ...content },
        },
      },
    ],
  },
});
const newType = "envoy.extensions.load_balancing_policies.not_made_yet.v9.NotMadeYet";
const roundRobin = "type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin";

describe("a message that the field table does not know", () => {
  it("means the same in the spelling of Istiod and in that of Envoy, however deep", () => {
    expect(messageFields(newType)).toBeUndefined();
    const istiods = cluster(
      policy(newType, {
        hostSources: [{ headerName: "x", retryOn5xx: true }],
        fallbackPolicy: { ipv4Compat: 1 },
      }),
    );
    const envoys = cluster(
      policy(newType, {
        host_sources: [{ header_name: "x", retry_on_5xx: true }],
        fallback_policy: { ipv4_compat: 1 },
      }),
    );
    expect(envoys).toBe(istiods);
    expect(envoys).not.toBe(cluster(policy(newType, { host_sources: [{ header_name: "y" }] })));
  });

  it("may hold one that it knows", () => {
    const of = (inside: Fields): string =>
      cluster(policy(newType, { fallback: { "@type": roundRobin, ...inside } }));
    expect(of({ slowStartConfig: { slowStartWindow: "1.0s" } })).toBe(
      of({ slow_start_config: { slow_start_window: "1s" } }),
    );
    expect(of({ slowStartConfig: { slowStartWindow: "1.0s" } })).not.toBe(of({}));
  });

  it("keeps keys that only look alike, where both stand in it", () => {
    const both = cluster(policy(newType, { labels: { app_name: "a", appName: "b" } }));
    expect(both).not.toBe(cluster(policy(newType, { labels: { app_name: "b", appName: "a" } })));
    expect(both).toContain('"appName":"b"');
  });
});

describe("a field that the field table does not know", () => {
  it("of a message that it knows means the same in either spelling", () => {
    expect(cluster({ notMadeYet: { someThing: 1 } })).toBe(cluster({ not_made_yet: { some_thing: 1 } }));
    expect(cluster({ notMadeYet: { someThing: 1 } })).not.toBe(cluster({ not_made_yet: { some_thing: 2 } }));
    expect(cluster({ notMadeYet: null })).not.toBe(cluster({}));
  });
});

describe("data", () => {
  it("keeps its keys", () => {
    const metadata = (key: string): string =>
      cluster({ metadata: { filter_metadata: { istio: { [key]: 1 } } } });
    expect(metadata("app_name")).not.toBe(metadata("appName"));
    const struct = (key: string): string =>
      cluster(policy("google.protobuf.Struct", { value: { [key]: 1 } }));
    expect(struct("app_name")).not.toBe(struct("appName"));
  });
});

describe("spellings", () => {
  const headers = (matcher: Fields): string =>
    semanticForm(
      resourceOf(
        "routeConfiguration",
        aResource("routeConfiguration", "80", {
          virtual_hosts: [{ name: "v", routes: [{ match: { headers: [{ name: "h", ...matcher }] } }] }],
        }),
      ),
    ).text;

  it("an empty `exact_match` asks for any value, an empty `string_match` for the empty one", () => {
    expect(headers({ exact_match: "" })).not.toBe(headers({ string_match: { exact: "" } }));
    expect(headers({ exact_match: "x" })).toBe(headers({ string_match: { exact: "x" } }));
  });

  it("nothing has a sign", () => {
    expect(cluster({ connect_timeout: "-0.0s" })).toBe(cluster({ connect_timeout: "0s" }));
    expect(cluster({ connect_timeout: "-0.5s" })).not.toBe(cluster({ connect_timeout: "0.5s" }));
  });
});
