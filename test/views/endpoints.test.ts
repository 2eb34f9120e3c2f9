import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { ProblemList } from "../../src/shared/problem.js";
import type { Message } from "../../src/snapshot/message.js";
import type { ReferenceList } from "../../src/snapshot/model.js";
import { parseClusters } from "../../src/snapshot/parse/clusters.js";
import { edsView, endpointView, wideEndpointView } from "../../src/views/endpoints.js";
import { newestIstioctl } from "../../src/views/view.js";
import { aResource, aSection, bytesOf, readDump, valueOf } from "../support/builders.js";
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
const socket = (address: string, port_value?: number): Fields => ({
  socket_address: { address, ...(port_value === undefined ? {} : { port_value }) },
});
const internal = {
  envoy_internal_address: { server_listener_name: "connect_originate", endpoint_id: "10.0.0.9:80" },
};
const pipe = { pipe: { path: "./xds.sock" } };
const firsts = (rows: readonly (readonly string[])[]): string[] => rows.map(([first = ""]) => first);

// EDS

const endpoint = (address: Fields | undefined, more: Fields = {}): Fields => ({
  endpoint: address === undefined ? {} : { address },
  health_status: "HEALTHY",
  ...more,
});
const assignment = (name: string, ...endpoints: readonly Fields[]): Fields => ({
  endpoint_config: aResource("endpointAssignment", name, { endpoints }),
});
const locality = (endpoints: readonly unknown[], more: Fields = {}): Fields => ({
  lb_endpoints: endpoints,
  ...more,
});
const sectionOf = (lists: Fields): ReferenceList =>
  valueOf(readDump([aSection("Endpoints", lists)]).sections.endpointAssignment);
const dynamic = (...dynamic_endpoint_configs: readonly Fields[]): ReferenceList =>
  sectionOf({ dynamic_endpoint_configs });

describe.skipIf(withoutGoldens)("istioctl's own cases", () => {
  const folder = "writer/envoy/configdump/testdata/endpoint";
  const eds = (): ReturnType<typeof edsView> =>
    edsView(goldenSection(`${folder}/configdump.json`, "endpointAssignment"), {}, newest);

  it("01, 02: the endpoints of proxy-config all", () => {
    const section = goldenSection("proxyconfig/testdata/config_dump.json", "endpointAssignment");
    const view = edsView(section, {}, { ...newest, prefixed: true });
    for (const file of ["config_dump_summary.txt", "config_dump_summary_withheaders.txt"]) {
      const all = golden(`proxyconfig/testdata/${file}`);
      expectText(rendered(view), /^NAME +STATUS[^]*/m.exec(all)?.[0] ?? "");
    }
  });
  it("08: eds", () => expectText(rendered(eds()), golden(`${folder}/emptyfilter_output.txt`)));
  it("09: eds, JSON", () =>
    expectSuperset(eds().json, JSON.parse(golden(`${folder}/emptyfilter_output.json`))));
  it("10: eds, YAML", () => expectSuperset(eds().json, parse(golden(`${folder}/emptyfilter_output.yaml`))));

  const old = "release-1.6/writer/envoy/clusters/testdata";
  const cluster = "outbound|15014||istio-policy.istio-system.svc.cluster.local";
  it.each([
    { case: "14", filter: {}, table: "clustersummary.txt", json: "clustersnofiltered.txt" },
    { case: "15, 19", filter: { cluster }, table: "clustersummaryfiltered.txt", json: "clusterfiltered.txt" },
    {
      case: "16, 20",
      filter: { address: "172.17.0.14" },
      table: "clustersummaryfiltered.txt",
      json: "clusterfiltered.txt",
    },
    {
      case: "17, 21",
      filter: { port: 15014 },
      table: "clustersummaryfiltered.txt",
      json: "clusterfiltered.txt",
    },
  ])("$case (and 18): endpoint $filter", ({ filter, table, json }) => {
    const { messages } = parseClusters(
      bytesOf(golden(`${old}/clusters.json`)),
      "clusters",
      new ProblemList(),
    );
    const view = endpointView(messages, filter, { istioctl: 6 });
    expectText(rendered(view), golden(`${old}/${table}`));
    expectSuperset(view.json, JSON.parse(golden(`${old}/${json}`)));
  });
});

describe("the table of EDS", () => {
  it("has a line for each endpoint, ordered by cluster", () => {
    const where = { locality: { region: "r", zone: "z", sub_zone: "s" } };
    const view = edsView(
      sectionOf({
        static_endpoint_configs: [assignment("xds-grpc", locality([endpoint(pipe)]))],
        dynamic_endpoint_configs: [
          assignment(
            "outbound|80||b",
            locality([endpoint(socket("10.0.0.2", 80)), endpoint(socket("10.0.0.1", 80))], where),
          ),
          assignment(
            "outbound|80||a",
            locality([]),
            locality([endpoint(internal, { health_status: "DRAINING" })]),
          ),
          assignment("none"),
        ],
      }),
      {},
      newest,
    );
    expect(view.header).toEqual(["NAME", "STATUS", "LOCALITY", "CLUSTER"]);
    expect(view.rows).toEqual([
      ["envoy://connect_originate/10.0.0.9:80", "DRAINING", "", "outbound|80||a"],
      ["10.0.0.2:80", "HEALTHY", "r/z/s", "outbound|80||b"],
      ["10.0.0.1:80", "HEALTHY", "r/z/s", "outbound|80||b"],
      ["./xds.sock", "HEALTHY", "", "xds-grpc"],
    ]);
    const start = "/configs/0/dynamic_endpoint_configs";
    expect(view.origins.map(({ pointer }) => pointer)).toEqual([
      `${start}/1/endpoint_config/endpoints/1/lb_endpoints/0`,
      `${start}/0/endpoint_config/endpoints/0/lb_endpoints/0`,
      `${start}/0/endpoint_config/endpoints/0/lb_endpoints/1`,
      "/configs/0/static_endpoint_configs/0/endpoint_config/endpoints/0/lb_endpoints/0",
    ]);
    expect(view).toMatchObject({ padding: 5, note: "" });
    expect(view.json).toMatchObject([
      { clusterName: "outbound|80||a" },
      { clusterName: "outbound|80||b" },
      { clusterName: "xds-grpc" },
    ]);
  });

  it.each([
    { status: undefined, shown: "UNKNOWN" },
    { status: "TIMEOUT", shown: "TIMEOUT" },
    { status: 5, shown: "DEGRADED" },
    { status: "OF_THE_FUTURE", shown: "OF_THE_FUTURE" },
  ])("has the status $shown for $status", ({ status, shown }) => {
    const section = dynamic(
      assignment("a", locality([endpoint(socket("10.0.0.1", 80), { health_status: status })])),
    );
    expect(edsView(section, {}, newest).rows[0]?.[1]).toBe(shown);
  });

  it.each([
    { of: undefined, shown: "" },
    { of: {}, shown: "" },
    { of: { region: "r" }, shown: "r" },
    { of: { region: "r", zone: "z" }, shown: "r/z" },
    { of: { region: "r", sub_zone: "s" }, shown: "r" },
    { of: { zone: "z" }, shown: "/z" },
  ])("has the locality $shown for $of", ({ of, shown }) => {
    const section = dynamic(assignment("a", locality([endpoint(socket("10.0.0.1", 80))], { locality: of })));
    expect(edsView(section, {}, newest).rows[0]?.[2]).toBe(shown);
  });

  it("calls its first column ENDPOINT up to 1.18", () => {
    expect(edsView(dynamic(), {}, { istioctl: 18 }).header[0]).toBe("ENDPOINT");
    expect(edsView(dynamic(), {}, { istioctl: 19 }).header[0]).toBe("NAME");
  });

  const dual = dynamic(
    assignment(
      "a",
      locality([
        {
          endpoint: {
            address: socket("10.0.0.1", 80),
            additional_addresses: [{ address: socket("fd00::1", 80) }, {}],
          },
        },
      ]),
    ),
  );

  it("has additional addresses since 1.23", () => {
    expect(firsts(edsView(dual, {}, { istioctl: 23 }).rows)).toEqual(["10.0.0.1:80,fd00::1:80,unknown"]);
    expect(firsts(edsView(dual, {}, { istioctl: 22 }).rows)).toEqual(["10.0.0.1:80"]);
  });

  it("names the kind in proxy-config all, since 1.19", () => {
    const prefixed = (istioctl: number): string[] =>
      firsts(edsView(dual, {}, { istioctl, prefixed: true }).rows);
    expect(prefixed(19)).toEqual(["endpoint/10.0.0.1:80"]);
    expect(prefixed(18)).toEqual(["10.0.0.1:80"]);
  });

  it.each([
    { filter: { address: "10.0.0.1:80" }, istioctl: 31, finds: 1 },
    { filter: { address: "FD00::1:80" }, istioctl: 31, finds: 1 },
    { filter: { address: "fd00::1:80" }, istioctl: 22, finds: 0 },
    { filter: { address: "10.0.0.1:80" }, istioctl: 15, finds: 1 },
    { filter: { address: "10.0.0.1" }, istioctl: 31, finds: 0 },
    { filter: { address: "unknown" }, istioctl: 31, finds: 1 },
    { filter: { port: 80 }, istioctl: 31, finds: 1 },
    { filter: { port: 8 }, istioctl: 31, finds: 0 },
    { filter: { port: 0, address: "", cluster: "", status: "" }, istioctl: 31, finds: 1 },
    { filter: { cluster: "A" }, istioctl: 31, finds: 1 },
    { filter: { cluster: "b" }, istioctl: 31, finds: 0 },
    { filter: { status: "unknown" }, istioctl: 31, finds: 1 },
    { filter: { status: "healthy" }, istioctl: 31, finds: 0 },
    { filter: { port: 80, status: "healthy" }, istioctl: 31, finds: 0 },
  ])("1.$istioctl $filter finds $finds", ({ filter, istioctl, finds }) => {
    expect(edsView(dual, filter, { istioctl }).rows).toHaveLength(finds);
  });

  it("has in its JSON the endpoints that fit and every locality, but no cluster without one", () => {
    const section = dynamic(
      assignment(
        "a",
        locality([endpoint(socket("10.0.0.1", 80)), endpoint(socket("10.0.0.2", 81))], { priority: 1 }),
        locality([endpoint(socket("10.0.0.3", 80))], { locality: { sub_zone: "s" } }),
      ),
      assignment("b", locality([endpoint(socket("10.0.0.4", 80))])),
    );
    expect(edsView(section, { port: 81 }, newest).json).toEqual([
      {
        clusterName: "a",
        endpoints: [
          {
            priority: 1,
            lbEndpoints: [
              {
                endpoint: { address: { socketAddress: { address: "10.0.0.2", portValue: 81 } } },
                healthStatus: "HEALTHY",
              },
            ],
          },
          { locality: { subZone: "s" } },
        ],
      },
    ]);
  });

  it("knows API v2, and is empty where the section is", () => {
    const v2 = {
      "@type": "type.googleapis.com/envoy.api.v2.ClusterLoadAssignment",
      clusterName: "a",
      endpoints: [
        { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: "b", portValue: 80 } } } }] },
      ],
    };
    const view = edsView(dynamic({ endpoint_config: v2 }), {}, newest);
    expect(view.rows).toEqual([["b:80", "UNKNOWN", "", "a"]]);
    expect(view.json).toEqual([{ clusterName: "a", endpoints: v2.endpoints }]);
    expect(edsView(dynamic(), {}, newest)).toMatchObject({ rows: [], origins: [], json: [] });
  });
});

// /clusters

const status = (name: string, hosts: readonly unknown[], more: Fields = {}): Message => ({
  name,
  host_statuses: hosts,
  ...more,
});
const healthy = { health_status: { eds_health_status: "HEALTHY" } };

describe("the table of endpoints", () => {
  it("has a line for each host, ordered by address, port as a number, and cluster", () => {
    const view = endpointView(
      [
        status("b", [
          { address: socket("10.0.0.1", 443), ...healthy },
          { address: socket("10.0.0.1", 80), health_status: { failed_outlier_check: true } },
        ]),
        status("a", [
          { address: socket("10.0.0.1", 80), ...healthy },
          { address: pipe },
          { address: internal },
          { address: socket("10.0.0.0") },
          {},
        ]),
      ],
      {},
      newest,
    );
    expect(view.header).toEqual(["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"]);
    expect(view.rows).toEqual([
      ["10.0.0.0", "UNKNOWN", "OK", "a"],
      ["10.0.0.1:80", "HEALTHY", "OK", "a"],
      ["10.0.0.1:80", "UNKNOWN", "FAILED", "b"],
      ["10.0.0.1:443", "HEALTHY", "OK", "b"],
      ["envoy://connect_originate/10.0.0.9:80", "UNKNOWN", "OK", "a"],
      ["unix://./xds.sock", "UNKNOWN", "OK", "a"],
      ["unknown", "UNKNOWN", "OK", "a"],
    ]);
    expect(view.origins[1]).toEqual({ entry: "", pointer: "/cluster_statuses/1/host_statuses/0" });
    expect(view.padding).toBe(5);
  });

  const two = [
    status("a", [
      { address: socket("10.0.0.1", 80), ...healthy },
      { address: socket("fd00::A", 81), health_status: { eds_health_status: "DRAINING" } },
    ]),
    status("b", [{ address: pipe }]),
    status("none", []),
  ];
  it.each([
    { filter: {}, finds: 3, clusters: ["a", "b"] },
    { filter: { address: "10.0.0.1" }, finds: 1, clusters: ["a"] },
    { filter: { address: "10.0.0.1:80" }, finds: 0, clusters: [] },
    { filter: { address: "FD00::a" }, finds: 1, clusters: ["a"] },
    { filter: { address: "unix://./xds.sock" }, finds: 1, clusters: ["b"] },
    { filter: { port: 81 }, finds: 1, clusters: ["a"] },
    { filter: { cluster: "B" }, finds: 1, clusters: ["b"] },
    { filter: { status: "draining" }, finds: 1, clusters: ["a"] },
    { filter: { status: "draining", port: 80 }, finds: 0, clusters: [] },
  ])("$filter finds $finds", ({ filter, finds, clusters }) => {
    const view = endpointView(two, filter, newest);
    expect(view.rows).toHaveLength(finds);
    expect(view.json).toMatchObject(clusters.map((name) => ({ name })));
  });

  it("has whole clusters in its JSON, with JSON names", () => {
    expect(endpointView(two, { port: 80 }, newest).json).toEqual([
      {
        name: "a",
        hostStatuses: [
          {
            address: { socketAddress: { address: "10.0.0.1", portValue: 80 } },
            healthStatus: { edsHealthStatus: "HEALTHY" },
          },
          {
            address: { socketAddress: { address: "fd00::A", portValue: 81 } },
            healthStatus: { edsHealthStatus: "DRAINING" },
          },
        ],
      },
    ]);
  });

  it("leads to the host in JSON, and to the whole entry in a text", () => {
    const origins = (pointer: string): unknown =>
      endpointView([status("a", [7, {}])], {}, { ...newest, statusOrigins: [{ entry: "clusters", pointer }] })
        .origins;
    expect(origins("/cluster_statuses/7")).toEqual([
      { entry: "clusters", pointer: "/cluster_statuses/7/host_statuses/1" },
    ]);
    expect(origins("")).toEqual([{ entry: "clusters", pointer: "" }]);
  });
});

describe("the wide table of endpoints", () => {
  const istio = (fields: Fields, tlsMode?: string): Fields => ({
    metadata: {
      filter_metadata: {
        istio: fields,
        ...(tlsMode === undefined ? {} : { "envoy.transport_socket_match": { tlsMode } }),
      },
    },
  });
  const section = dynamic(
    assignment(
      "outbound|80||a",
      locality(
        [
          endpoint(socket("10.0.0.1", 80), {
            load_balancing_weight: 3,
            ...istio({ workload: "a-v1;default;a;v1;Kubernetes" }, "istio"),
          }),
          endpoint(socket("10.0.0.2", 80)),
        ],
        { locality: { region: "r" }, priority: 1 },
      ),
    ),
  );
  const statuses = [
    status(
      "mine",
      [
        {
          address: socket("10.0.0.1", 80),
          weight: 2,
          health_status: {
            failed_active_health_check: true,
            failed_outlier_check: true,
            eds_health_status: "UNHEALTHY",
          },
        },
        { address: internal, priority: 4, locality: { region: "q", zone: "z" }, ...healthy },
      ],
      { eds_service_name: "outbound|80||a" },
    ),
  ];
  const pods = new Map([
    ["10.0.0.2", "a-2.default"],
    ["10.0.0.9", "b-1.default"],
  ]);

  it("joins both sources", () => {
    const view = wideEndpointView(section, statuses, {}, { ...newest, pods });
    expect(view.rows).toEqual([
      [
        "10.0.0.1:80",
        "UNHEALTHY",
        "FAILED",
        "/failed_active_hc/failed_outlier_check/failed_eds_health",
        "1",
        "2",
        "r",
        "istio",
        "a-v1.default",
        "mine",
      ],
      ["10.0.0.2:80", "HEALTHY", "-", "-", "1", "1", "r", "disabled", "a-2.default", "outbound|80||a"],
      [
        "envoy://connect_originate/10.0.0.9:80",
        "HEALTHY",
        "OK",
        "healthy",
        "4",
        "-",
        "q/z",
        "-",
        "b-1.default",
        "mine",
      ],
    ]);
    expect(view.header).toHaveLength(10);
    expect(view.origins.map(({ pointer }) => pointer)).toEqual([
      "/cluster_statuses/0/host_statuses/0",
      "/configs/0/dynamic_endpoint_configs/0/endpoint_config/endpoints/0/lb_endpoints/1",
      "/cluster_statuses/0/host_statuses/1",
    ]);
    expect(view.json).toMatchObject([
      {
        endpoint: "10.0.0.1:80",
        failedOutlierCheck: true,
        healthFlags: ["failed_active_hc", "failed_outlier_check", "failed_eds_health"],
        tlsMode: "istio",
        pod: "a-v1.default",
        weight: 2,
      },
      { failedOutlierCheck: null, healthFlags: null, tlsMode: "disabled" },
      { healthFlags: [], tlsMode: null, weight: null },
    ]);
  });

  it("does with EDS alone: ejections are not known, and do not read as fine", () => {
    const view = wideEndpointView(section, null, {}, newest);
    expect(view.rows.map((row) => row.slice(0, 9))).toEqual([
      ["10.0.0.1:80", "HEALTHY", "-", "-", "1", "3", "r", "istio", "a-v1.default"],
      ["10.0.0.2:80", "HEALTHY", "-", "-", "1", "1", "r", "disabled", "-"],
    ]);
  });

  it("does with /clusters alone: the TLS mode is not known", () => {
    const view = wideEndpointView(null, statuses, { address: "10.0.0.1" }, newest);
    expect(view.rows.map((row) => row.slice(4, 9))).toEqual([["0", "2", "", "-", "-"]]);
    expect(wideEndpointView(null, null, {}, newest).rows).toEqual([]);
  });

  it("filters as endpoint does", () => {
    const finds = (filter: Fields): number => wideEndpointView(section, statuses, filter, newest).rows.length;
    expect(finds({ address: "10.0.0.1" })).toBe(1);
    expect(finds({ address: "10.0.0.1:80" })).toBe(0);
    expect(finds({ cluster: "mine" })).toBe(2);
    expect(finds({ status: "unhealthy" })).toBe(1);
    expect(finds({ port: 80 })).toBe(2);
  });

  it.each([
    { flags: { eds_health_status: "DEGRADED" }, shown: "/degraded_eds_health" },
    { flags: { eds_health_status: "DRAINING" }, shown: "/eds_status_draining" },
    { flags: { active_hc_timeout: true, eds_health_status: "HEALTHY" }, shown: "/active_hc_timeout" },
    { flags: { pending_dynamic_removal: false }, shown: "healthy" },
    { flags: {}, shown: "healthy" },
    { flags: undefined, shown: "-" },
  ])("has the health flags $shown for $flags", ({ flags, shown }) => {
    const host = {
      address: socket("10.0.0.1", 80),
      ...(flags === undefined ? {} : { health_status: flags }),
    };
    expect(wideEndpointView(null, [status("a", [host])], {}, newest).rows[0]?.[3]).toBe(shown);
  });

  it("takes the first of entries with one name, as clusters that share a service have", () => {
    const twice = dynamic(
      assignment("s", locality([endpoint(socket("10.0.0.1", 80), istio({}, "istio"))])),
      assignment("s", locality([endpoint(socket("10.0.0.1", 80))])),
    );
    const both = ["a", "b"].map((name) =>
      status(name, [{ address: socket("10.0.0.1", 80) }], { eds_service_name: "s" }),
    );
    expect(wideEndpointView(twice, both, {}, newest).rows.map((row) => [row[7], row[9]])).toEqual([
      ["istio", "a"],
      ["istio", "b"],
    ]);
  });
});
