import { describe, expect, it } from "vitest";

import type { ReferenceList } from "../../src/snapshot/model.js";
import { clusterView } from "../../src/views/clusters.js";
import { newestIstioctl } from "../../src/views/view.js";
import { aCluster, aSection, readDump, valueOf } from "../support/builders.js";
import {
  expectSuperset,
  expectText,
  golden,
  goldenSection,
  rendered,
  withoutGoldens,
} from "../support/golden.js";

const newest = { istioctl: newestIstioctl };

type Fields = Readonly<Record<string, unknown>>;
const sectionOf = (lists: Fields): ReferenceList =>
  valueOf(readDump([aSection("Clusters", lists)]).sections.cluster);
const dynamic = (...clusters: readonly Fields[]): ReferenceList =>
  sectionOf({ dynamic_active_clusters: clusters.map((cluster) => ({ cluster })) });
const names = (rows: readonly (readonly string[])[]): string[] => rows.map(([name = ""]) => name);

describe.skipIf(withoutGoldens)("istioctl's own cases", () => {
  const old = "release-1.6/writer/envoy/configdump/testdata";
  const section = (): ReferenceList => goldenSection(`${old}/configdump.json`, "cluster");

  it("01, 02: the clusters of proxy-config all", () => {
    const view = clusterView(
      goldenSection("proxyconfig/testdata/config_dump.json", "cluster"),
      {},
      {
        ...newest,
        prefixed: true,
      },
    );
    for (const file of ["config_dump_summary.txt", "config_dump_summary_withheaders.txt"]) {
      const all = golden(`proxyconfig/testdata/${file}`);
      const part = /^NAME +SERVICE FQDN[^]*?\n\n/m.exec(all)?.[0] ?? "";
      expectText(rendered(view), part);
    }
  });

  it.each([
    { case: 22, filter: {}, file: "clustersummary.txt" },
    {
      case: 23,
      filter: { fqdn: "istio-policy.istio-system.svc.cluster.local" },
      file: "clustersummaryfiltered.txt",
    },
    { case: 24, filter: { port: 15004 }, file: "clustersummaryfiltered.txt" },
  ])("$case: $file", ({ filter, file }) => {
    expectText(rendered(clusterView(section(), filter, { istioctl: 6 })), golden(`${old}/${file}`));
  });

  it("25: JSON", () => {
    expectSuperset(
      clusterView(section(), {}, { istioctl: 6 }).json,
      JSON.parse(golden(`${old}/clusterdump.json`)),
    );
  });
});

describe("the table of clusters", () => {
  const rule = "/apis/networking.istio.io/v1alpha3/namespaces/default/destination-rule/reviews";
  const reviews = aCluster("outbound|9080|v1|reviews.default.svc", {
    type: "EDS",
    metadata: { filter_metadata: { istio: { config: rule } } },
  });

  it("takes the name apart, and leaves a name of another form whole", () => {
    const view = clusterView(dynamic(reviews, aCluster("BlackHoleCluster")), {}, newest);
    expect(view.header).toEqual(["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"]);
    expect(view.rows).toEqual([
      ["BlackHoleCluster", "-", "-", "-", "STATIC", ""],
      ["reviews.default.svc", "9080", "v1", "outbound", "EDS", "reviews.default"],
    ]);
    expect(view.padding).toBe(5);
  });

  it("shows no subset as a dash", () => {
    expect(clusterView(dynamic(aCluster("inbound|80||")), {}, newest).rows).toEqual([
      ["", "80", "-", "inbound", "STATIC", ""],
    ]);
  });

  it("has the destination rule since 1.7", () => {
    expect(clusterView(dynamic(reviews), {}, { istioctl: 7 }).header).toContain("DESTINATION RULE");
    const before = clusterView(dynamic(reviews), {}, { istioctl: 6 });
    expect(before.header).not.toContain("DESTINATION RULE");
    expect(before.rows).toEqual([["reviews.default.svc", "9080", "v1", "outbound", "EDS"]]);
  });

  it.each([
    { fields: {}, type: "STATIC", because: "the default" },
    { fields: { type: "LOGICAL_DNS" }, type: "LOGICAL_DNS", because: "the name" },
    { fields: { type: 4 }, type: "ORIGINAL_DST", because: "the number" },
    { fields: { type: 9 }, type: "9", because: "a number of the future" },
    {
      fields: { cluster_type: { name: "envoy.clusters.redis" } },
      type: "STATIC",
      because: "a custom type has none",
    },
  ])("has the type $type: $because", ({ fields, type }) => {
    expect(clusterView(dynamic(aCluster("a", fields)), {}, newest).rows[0]?.[4]).toBe(type);
  });

  it("puts dynamic clusters before static ones of the same name, and hides warming ones", () => {
    const section = sectionOf({
      static_clusters: [{ cluster: aCluster("a", { type: "STRICT_DNS" }) }],
      dynamic_active_clusters: [{ cluster: aCluster("a", { type: "EDS" }) }],
      dynamic_warming_clusters: [{ cluster: aCluster("b") }],
    });
    const shown = clusterView(section, {}, newest);
    expect(shown.rows.map((row) => row[4])).toEqual(["EDS", "STRICT_DNS"]);
    expect(shown.origins).toEqual([
      { entry: "dump", pointer: "/configs/0/dynamic_active_clusters/0/cluster" },
      { entry: "dump", pointer: "/configs/0/static_clusters/0/cluster" },
    ]);
    const warming = clusterView(section, {}, { ...newest, states: ["warming"] });
    expect(names(warming.rows)).toEqual(["b"]);
    expect(warming.header).toEqual(shown.header);
  });

  it("shows what a bare slice holds, of which the state is not known", () => {
    expect(names(clusterView(valueOf(readDump([aCluster("a")]).sections.cluster), {}, newest).rows)).toEqual([
      "a",
    ]);
  });

  it("is empty where the section is", () => {
    expect(clusterView(sectionOf({}), {}, newest)).toMatchObject({
      rows: [],
      origins: [],
      json: [],
      note: "",
    });
  });

  it("names the kind in proxy-config all, since 1.19, except of a cluster without a name", () => {
    const section = dynamic(aCluster("a"), reviews, {
      "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    });
    const view = clusterView(section, {}, { ...newest, prefixed: true });
    expect(view.header[0]).toBe("NAME");
    expect(view.rows.map((row) => row.slice(0, 2))).toEqual([
      ["", ""],
      ["cluster/a", "cluster/a"],
      ["cluster/outbound|9080|v1|reviews.default.svc", "reviews.default.svc"],
    ]);
    expect(clusterView(section, {}, { istioctl: 18, prefixed: true }).header[0]).toBe("SERVICE FQDN");
  });
});

describe("filters of clusters", () => {
  const section = dynamic(
    aCluster("outbound|80|v1|a.default.svc"),
    aCluster("outbound|8080||a.default.svc"),
    aCluster("inbound|80||"),
    aCluster("inbound-vip|80|http|b.default.svc"),
  );
  it.each([
    { filter: { fqdn: "a.default" }, finds: 2 },
    { filter: { fqdn: "A.default" }, finds: 0 },
    { filter: { port: 80 }, finds: 3 },
    { filter: { port: 0 }, finds: 4 },
    { filter: { subset: "v1" }, finds: 1 },
    { filter: { subset: "svc" }, finds: 3 },
    { filter: { direction: "inbound" }, finds: 2 },
    { filter: { direction: "inbound-vip" }, finds: 1 },
    { filter: { direction: "outbound", port: 80 }, finds: 1 },
    { filter: { direction: "inbound", fqdn: "a.default" }, finds: 0 },
  ])("$filter finds $finds", ({ filter, finds }) => {
    const view = clusterView(section, filter, newest);
    expect(view.rows).toHaveLength(finds);
    expect(view.origins).toHaveLength(finds);
    expect(view.json).toHaveLength(finds);
  });
});

describe("the JSON of clusters", () => {
  it("has JSON names, keys of maps as they are, and no @type of its own", () => {
    const cluster = aCluster("a", {
      connect_timeout: "1s",
      metadata: { filter_metadata: { istio: { default_original_port: 80 } } },
      typed_extension_protocol_options: {
        my_key: { "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions" },
      },
    });
    expect(clusterView(dynamic(cluster), {}, newest).json).toEqual([
      {
        name: "a",
        connectTimeout: "1s",
        metadata: { filterMetadata: { istio: { default_original_port: 80 } } },
        typedExtensionProtocolOptions: {
          my_key: { "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions" },
        },
      },
    ]);
  });

  it("knows API v2", () => {
    const cluster = {
      "@type": "type.googleapis.com/envoy.api.v2.Cluster",
      name: "a",
      type: "STRICT_DNS",
      hosts: [{ socketAddress: { address: "b", portValue: 80 } }],
    };
    const view = clusterView(dynamic(cluster), {}, newest);
    expect(view.rows[0]?.[4]).toBe("STRICT_DNS");
    expect(view.json).toEqual([
      { name: "a", type: "STRICT_DNS", hosts: [{ socketAddress: { address: "b", portValue: 80 } }] },
    ]);
  });
});
