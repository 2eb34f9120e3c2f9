import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { readSnapshot } from "../../src/ingest/read-snapshot.js";
import { textTable } from "../../src/shared/text-table.js";
import type { ReferenceList } from "../../src/snapshot/model.js";
import { authzView } from "../../src/views/authz.js";
import { newestIstioctl, type View, type ViewOptions } from "../../src/views/view.js";
import {
  aListener,
  aSection,
  at,
  corpus,
  everythingIsRequired,
  readDump,
  valueOf,
} from "../support/builders.js";
import { envoyDump } from "../support/mesh/dump.js";
import { policyName, protectedApp } from "../support/mesh/http-filters.js";
import { buildMesh } from "../support/mesh/mesh.js";

type Fields = Readonly<Record<string, unknown>>;

const istioctlCorpus = join(corpus, "istioctl");
const withoutCorpus = !existsSync(istioctlCorpus) && !everythingIsRequired;

const any = (type: string): string => `type.googleapis.com/${type}`;
const httpRbacType = "envoy.extensions.filters.http.rbac.v3.RBAC";
const tcpRbacType = "envoy.extensions.filters.network.rbac.v3.RBAC";
const managerType = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

const policies = (...keys: readonly string[]): Fields => ({
  policies: Object.fromEntries(keys.map((key) => [key, { permissions: [{ any: true }] }])),
});
const rule = (name: string, index = 0, prefix = ""): string =>
  `${prefix}ns[default]-policy[${name}]-rule[${index}]`;
const allow = (...keys: readonly string[]): Fields => ({ rules: policies(...keys) });
const deny = (...keys: readonly string[]): Fields => ({ rules: { action: "DENY", ...policies(...keys) } });

const httpRbac = (config: Fields): Fields => ({
  name: "envoy.filters.http.rbac",
  typed_config: { "@type": any(httpRbacType), ...config },
});
const http = (...filters: readonly Fields[]): Fields => ({
  name: "envoy.filters.network.http_connection_manager",
  typed_config: { "@type": any(managerType), http_filters: filters },
});
const tcpRbac = (config: Fields): Fields => ({
  name: "envoy.filters.network.rbac",
  typed_config: { "@type": any(tcpRbacType), stat_prefix: "tcp.", ...config },
});
const listener = (name: string, ...filters: readonly Fields[]): Fields =>
  aListener(name, { filter_chains: [{ filters }] });

const sectionOf = (dynamic: readonly Fields[], fields: Fields = {}): ReferenceList =>
  valueOf(
    readDump([
      aSection("Listeners", {
        dynamic_listeners: dynamic.map((own) => ({ name: own["name"], active_state: { listener: own } })),
        ...fields,
      }),
    ]).sections.listener,
  );

const view = (section: ReferenceList, options: Partial<ViewOptions> = {}): View =>
  authzView(section, { istioctl: newestIstioctl, ...options });
/** The rows for the filters of one chain, cells joined by a blank. */
const rowsOf = (...filters: readonly Fields[]): string[] =>
  view(sectionOf([listener("virtualInbound", ...filters)])).rows.map((row) => row.join(" "));

it.skipIf(withoutCorpus)("istioctl's own case 58", async () => {
  const { proxies } = await readSnapshot(join(istioctlCorpus, "authz/testdata/configdump.yaml"), {
    as: "httpbin.default",
  });
  const { header, rows, padding } = view(valueOf(proxies[0]!.config.listener));
  expect(textTable(header, rows, { padding })).toBe(
    [
      "ACTION   AuthorizationPolicy         RULES",
      "ALLOW    _anonymous_match_nothing_   1",
      "ALLOW    httpbin.default             1",
      "CUSTOM   ext-authz.default           1",
      "",
    ].join("\n"),
  );
});

describe("a policy", () => {
  it.each([
    { name: "ALLOW, the default", config: allow(rule("a")), rows: ["ALLOW a.default 1"] },
    {
      name: "ALLOW by name",
      config: { rules: { action: "ALLOW", ...policies(rule("a")) } },
      rows: ["ALLOW a.default 1"],
    },
    { name: "DENY", config: deny(rule("a")), rows: ["DENY a.default 1"] },
    {
      name: "DENY by number",
      config: { rules: { action: 1, ...policies(rule("a")) } },
      rows: ["DENY a.default 1"],
    },
    { name: "LOG", config: { rules: { action: "LOG", ...policies(rule("a")) } }, rows: ["LOG a.default 1"] },
    {
      name: "an action of the future",
      config: { rules: { action: "WINK", ...policies(rule("a")) } },
      rows: [],
    },
    {
      name: "with three rules",
      config: allow(rule("a"), rule("a", 1), rule("a", 2)),
      rows: ["ALLOW a.default 3"],
    },
    { name: "with a key of no known form", config: allow("mine"), rows: ["ALLOW  1"] },
    {
      name: "in dry run: only its filter shows",
      config: { shadow_rules: policies(rule("a")), shadow_rules_stat_prefix: "istio_dry_run_allow_" },
      rows: ["ALLOW _anonymous_match_nothing_ 1"],
    },
    {
      name: "CUSTOM",
      config: { shadow_rules: { action: "DENY", ...policies(rule("a", 0, "istio-ext-authz-")) } },
      rows: ["ALLOW _anonymous_match_nothing_ 1", "CUSTOM a.default 1"],
    },
    {
      name: "CUSTOM with its provider",
      config: {
        shadow_rules: policies(rule("a", 0, "istio-ext-authz-opa-"), rule("a", 1, "istio-ext-authz-opa-")),
      },
      rows: ["ALLOW _anonymous_match_nothing_ 1", "CUSTOM a.default 2"],
    },
    {
      name: "CUSTOM with a provider that is not there",
      config: deny(`${rule("a", 0, "istio-ext-authz-")}-deny-due-to-bad-CUSTOM-action`),
      rows: ["DENY a.default 1"],
    },
    { name: "none in the filter", config: { rules: {} }, rows: ["ALLOW _anonymous_match_nothing_ 1"] },
    { name: "none, and no rules", config: {}, rows: ["ALLOW _anonymous_match_nothing_ 1"] },
    { name: "none, of DENY", config: deny(), rows: ["DENY _anonymous_match_nothing_ 1"] },
  ])("$name", ({ config, rows }) => {
    expect(rowsOf(http(httpRbac(config)))).toEqual(rows);
    expect(rowsOf(tcpRbac(config))).toEqual(rows);
  });

  it("is counted once, wherever it stands", () => {
    const section = sectionOf([
      listener("a", tcpRbac(allow(rule("p"), rule("p", 1)))),
      listener("b", http(httpRbac(allow(rule("p", 1), rule("p", 2))))),
    ]);
    expect(view(section).rows).toEqual([["ALLOW", "p.default", "3"]]);
  });
});

describe("what counts", () => {
  const rbac = tcpRbac(allow(rule("a")));

  it("not: other filters", () => {
    expect(
      rowsOf(http({ name: "envoy.filters.http.router" }, { ...httpRbac(allow(rule("a"))), name: "mine" }), {
        ...rbac,
        name: "mine",
      }),
    ).toEqual([]);
  });

  it("every one of several filters of the same name", () => {
    expect(rowsOf(http(httpRbac(allow(rule("a"))), httpRbac(deny(rule("b")))))).toEqual([
      "DENY b.default 1",
      "ALLOW a.default 1",
    ]);
  });

  it("not: the default chain, static listeners and those that are not active", () => {
    const section = sectionOf([aListener("a", { default_filter_chain: { filters: [rbac] } })], {
      static_listeners: [{ listener: listener("b", rbac) }],
    });
    expect(view(section).rows).toEqual([]);
    const warming = valueOf(
      readDump([
        aSection("Listeners", {
          dynamic_listeners: [{ name: "a", warming_state: { listener: listener("a", rbac) } }],
        }),
      ]).sections.listener,
    );
    expect(view(warming).rows).toEqual([]);
    expect(view(warming, { states: ["warming"] }).rows).toHaveLength(1);
  });
});

describe("the table", () => {
  const section = sectionOf([
    listener(
      "virtualInbound",
      tcpRbac(allow(rule("z"), rule("b"))),
      http(
        httpRbac({ shadow_rules: policies(rule("c", 0, "istio-ext-authz-")) }),
        httpRbac({ rules: { action: "LOG", ...policies(rule("l")) } }),
        httpRbac(deny(rule("d"))),
      ),
    ),
  ]);

  it("has DENY, ALLOW, LOG and CUSTOM in this order, names sorted", () => {
    const { header, rows, padding, note, json } = view(section);
    expect(header).toEqual(["ACTION", "AuthorizationPolicy", "RULES"]);
    expect(rows.map((row) => row.join(" "))).toEqual([
      "DENY d.default 1",
      "ALLOW _anonymous_match_nothing_ 1",
      "ALLOW b.default 1",
      "ALLOW z.default 1",
      "LOG l.default 1",
      "CUSTOM c.default 1",
    ]);
    expect(padding).toBe(3);
    expect(note).toBe("");
    expect((json as unknown[])[0]).toEqual({ action: "DENY", authorizationPolicy: "d.default", rules: 1 });
  });

  it.each([
    { istioctl: 31, actions: ["DENY", "ALLOW", "LOG", "CUSTOM"] },
    { istioctl: 25, actions: ["DENY", "ALLOW", "LOG", "CUSTOM"] },
    { istioctl: 24, actions: ["DENY", "ALLOW", "LOG"] },
    { istioctl: 8, actions: ["DENY", "ALLOW", "LOG"] },
    { istioctl: 7, actions: ["DENY", "ALLOW"] },
  ])("of 1.$istioctl knows $actions", ({ istioctl, actions }) => {
    expect([...new Set(view(section, { istioctl }).rows.map(([action]) => action))]).toEqual(actions);
  });

  it("says where each policy was seen first", () => {
    const start = "/configs/0/dynamic_listeners/0/active_state/listener/filter_chains/0/filters";
    expect(view(section).origins.map(({ pointer }) => pointer)).toEqual(
      [1, 1, 0, 0, 1, 1].map((index) => `${start}/${index}`),
    );
  });
});

describe("the content of old releases", () => {
  it.each([
    {
      name: "v2 types and names",
      filter: {
        name: "envoy.http_connection_manager",
        typed_config: {
          "@type": any("envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager"),
          http_filters: [
            {
              name: "envoy.filters.http.rbac",
              typed_config: { "@type": any("envoy.config.filter.http.rbac.v2.RBAC"), ...deny(rule("a")) },
            },
          ],
        },
      },
    },
    {
      name: "config in JSON's spelling",
      filter: {
        name: "envoy.http_connection_manager",
        config: { httpFilters: [{ name: "envoy.filters.http.rbac", config: deny(rule("a")) }] },
      },
    },
    {
      name: "config of the network filter",
      filter: { name: "envoy.filters.network.rbac", config: deny(rule("a")) },
    },
    {
      name: "a TypedStruct",
      filter: http({
        name: "envoy.filters.http.rbac",
        typed_config: {
          "@type": any("xds.type.v3.TypedStruct"),
          type_url: any(httpRbacType),
          value: { rules: { action: "DENY", ...policies(rule("a")) } },
        },
      }),
    },
  ])("$name", ({ filter }) => {
    expect(rowsOf(filter)).toEqual(["DENY a.default 1"]);
  });

  it("reads the shadow rules of a TypedStruct in JSON's spelling", () => {
    const filter = {
      name: "envoy.filters.network.rbac",
      typed_config: {
        "@type": any("udpa.type.v1.TypedStruct"),
        type_url: any(tcpRbacType),
        value: { shadowRules: policies(rule("a", 0, "istio-ext-authz-")) },
      },
    };
    expect(rowsOf(filter)).toContain("CUSTOM a.default 1");
  });

  it("is not slowed down by a key made to be slow", () => {
    const started = performance.now();
    const keys = ["ns[".repeat(100_000), "ns[a]-policy[".repeat(50_000), `ns[${"a]-policy[".repeat(50_000)}`];
    expect(rowsOf(tcpRbac(allow(...keys)))).toEqual(["ALLOW  1"]);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

it("finds the policy of a generated mesh at the workload that it protects, and nowhere else", () => {
  for (const proxy of buildMesh().proxies) {
    const dump = envoyDump(proxy, false);
    const { rows, origins } = view(valueOf(readDump(dump["configs"] as unknown[]).sections.listener));
    if (proxy.pod.workload.labels["app"] !== protectedApp) expect(rows).toEqual([]);
    else {
      expect(rows).toEqual([["ALLOW", `${policyName}.default`, "1"]]);
      expect(JSON.stringify(at(dump, origins[0]!.pointer))).toContain(`policy[${policyName}]`);
    }
  }
});
