import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { absent, present } from "../../../src/snapshot/model.js";
import {
  addressText,
  discoveryOf,
  hostSources,
  hostsOf,
  noHostSources,
  serviceNameOf,
  type HostSources,
} from "../../../src/trace/cluster/hosts.js";
import { aResource, readDump, aSection, aProxy } from "../../support/builders.js";
import { anEndpoint } from "./builders.js";

const eds = (service?: string): Message => ({
  name: "outbound|80||a",
  type: "EDS",
  ...(service === undefined ? {} : { eds_cluster_config: { service_name: service } }),
});

const assignmentOf = (...endpoints: readonly unknown[]): Message => ({
  cluster_name: "outbound|80||a",
  endpoints: [{ lb_endpoints: endpoints }],
});

const sources = ({
  status,
  assignments,
}: {
  readonly status?: Message;
  readonly assignments?: readonly Message[];
}): HostSources => ({
  status:
    status === undefined
      ? absent("not captured")
      : present((name) =>
          name === status["name"]
            ? { message: status, origin: { entry: "clusters", pointer: "/cluster_statuses/0" } }
            : null,
        ),
  assignments:
    assignments === undefined
      ? absent("not captured")
      : present((service) =>
          assignments
            .filter((one) => one["cluster_name"] === service)
            .map((message) => ({ message, origin: { entry: "dump", pointer: "/configs/4/x" } })),
        ),
});

const statusOf = (...hosts: readonly unknown[]): Message => ({
  name: "outbound|80||a",
  host_statuses: hosts,
});
const hostStatus = (last: number, more: Message = {}): Message => ({
  address: { socket_address: { address: `10.0.0.${last}`, port_value: 80 } },
  weight: 1,
  health_status: { eds_health_status: "HEALTHY" },
  ...more,
});

const lbMetadata = (version: string): Message => ({
  metadata: { filter_metadata: { "envoy.lb": { version } } },
});

describe("the source of hosts", () => {
  it("is /clusters where it knows the cluster, with health from there and metadata from the dump", () => {
    const found = hostsOf(
      eds(),
      sources({
        status: statusOf(
          hostStatus(1, { health_status: { eds_health_status: "HEALTHY", failed_outlier_check: true } }),
          hostStatus(9),
        ),
        assignments: [assignmentOf(anEndpoint(1, { ...lbMetadata("v1"), health_status: "UNHEALTHY" }))],
      }),
      36,
    );
    expect(found.source).toBe("/clusters");
    expect(found.hosts.map(({ metadata }) => metadata)).toEqual([{ "envoy.lb": { version: "v1" } }, null]);
    expect(found.hosts[0]?.health.because).toEqual(["failed_outlier_check"]);
    expect(found.hosts[1]?.origin).toEqual({
      entry: "clusters",
      pointer: "/cluster_statuses/0/host_statuses/1",
    });
  });

  it("has no pointer into the text form", () => {
    const status: HostSources["status"] = present(() => ({
      message: statusOf(hostStatus(1)),
      origin: { entry: "clusters", pointer: "" },
    }));
    const found = hostsOf(eds(), { ...noHostSources, status }, 36);
    expect(found.hosts[0]?.origin).toEqual({ entry: "clusters", pointer: "" });
  });

  it("is the dump of endpoints where /clusters was not captured or lacks the cluster", () => {
    const assignments = [assignmentOf(anEndpoint(1), anEndpoint(2, { health_status: "UNHEALTHY" }))];
    for (const given of [{ assignments }, { assignments, status: { name: "other" } }]) {
      const found = hostsOf(eds(), sources(given), 36);
      expect(found).toMatchObject({ source: "endpoints", unknowns: [] });
      expect(found.hosts.map(({ health }) => health.class)).toEqual(["healthy", "unhealthy"]);
      expect(found.hosts[1]?.origin.pointer).toBe("/configs/4/x/endpoints/0/lb_endpoints/1");
    }
  });

  it("goes by the EDS service name", () => {
    const assignments = [{ ...assignmentOf(anEndpoint(7)), cluster_name: "service" }];
    expect(hostsOf(eds("service"), sources({ assignments }), 36).hosts).toHaveLength(1);
    expect(hostsOf(eds(), sources({ assignments }), 36)).toMatchObject({ source: "not captured", hosts: [] });
    expect(serviceNameOf(eds("service"))).toBe("service");
    expect(serviceNameOf(eds())).toBe("outbound|80||a");
  });

  it("says when clusters share an EDS service name and their endpoints differ", () => {
    const one = assignmentOf(anEndpoint(1));
    const other = assignmentOf(anEndpoint(1, { health_status: "UNHEALTHY" }));
    expect(hostsOf(eds(), sources({ assignments: [one, one] }), 36).unknowns).toEqual([]);
    expect(hostsOf(eds(), sources({ assignments: [one, other] }), 36).unknowns).toMatchObject([
      { reason: "not captured" },
    ]);
    const status = statusOf(hostStatus(1));
    expect(hostsOf(eds(), sources({ status, assignments: [one, other] }), 36).unknowns).toEqual([]);
  });

  it("is the cluster itself where it is STATIC, and else nothing: missing is not empty", () => {
    const load_assignment = assignmentOf(anEndpoint(1, { health_status: "DRAINING" }));
    const fixed = hostsOf({ name: "s", load_assignment }, noHostSources, 36);
    expect(fixed).toMatchObject({ source: "cluster", unknowns: [] });
    expect(fixed.hosts[0]?.health).toMatchObject({ class: "unhealthy", isExcluded: true });
    expect(hostsOf({ name: "s" }, noHostSources, 36)).toMatchObject({
      source: "cluster",
      hosts: [],
      unknowns: [],
    });
    expect(hostsOf(eds(), noHostSources, 36)).toMatchObject({
      source: "not captured",
      unknowns: [{ reason: "not captured" }],
    });
  });

  it("knows names, not addresses, of DNS clusters that are only configured", () => {
    const endpoint = {
      endpoint: { address: { socket_address: { address: "db.example.com", port_value: 5432 } } },
    };
    const cluster = { name: "db", type: "STRICT_DNS", load_assignment: assignmentOf(endpoint) };
    const found = hostsOf(cluster, noHostSources, 36);
    expect(found.hosts.map(({ address }) => addressText(address))).toEqual(["db.example.com:5432"]);
    expect(found.unknowns).toMatchObject([{ reason: "DNS" }]);
  });

  it("says that health checks were not captured where hosts are only configured", () => {
    const cluster = { name: "s", health_checks: [{}], load_assignment: assignmentOf(anEndpoint(1)) };
    expect(hostsOf(cluster, noHostSources, 36).unknowns).toMatchObject([{ reason: "runtime state" }]);
  });
});

describe("a host", () => {
  it("has priority, locality, weight and the weight and metadata of its locality", () => {
    const assignment = {
      cluster_name: "outbound|80||a",
      endpoints: [
        {
          priority: 1,
          locality: { region: "r", zone: "z", sub_zone: "s" },
          load_balancing_weight: 5,
          metadata: { filter_metadata: { x: { a: 1 } } },
          lb_endpoints: [anEndpoint(1, { load_balancing_weight: "7" })],
        },
      ],
    };
    const expected = {
      priority: 1,
      locality: { region: "r", zone: "z", subZone: "s" },
      weight: 7,
      localityWeight: 5,
      localityMetadata: { x: { a: 1 } },
    };
    expect(hostsOf(eds(), sources({ assignments: [assignment] }), 36).hosts[0]).toMatchObject(expected);
    const status = statusOf(
      hostStatus(1, { priority: 1, weight: 7, locality: { region: "r", zone: "z", sub_zone: "s" } }),
    );
    expect(hostsOf(eds(), sources({ status, assignments: [assignment] }), 36).hosts[0]).toMatchObject(
      expected,
    );
    expect(hostsOf(eds(), sources({ status }), 36).hosts[0]).toMatchObject({ localityWeight: null });
  });

  it.each([
    [{ pipe: { path: "/var/run/x" } }, "/var/run/x"],
    [
      { envoy_internal_address: { server_listener_name: "connect", endpoint_id: "1.2.3.4:80" } },
      "envoy://connect/1.2.3.4:80",
    ],
    [{ socket_address: { address: "fd00::1", port_value: 80 } }, "[fd00::1]:80"],
  ])("may be at %j", (address, expected) => {
    const found = hostsOf(eds(), sources({ assignments: [assignmentOf({ endpoint: { address } })] }), 36);
    expect(found.hosts.map((host) => addressText(host.address))).toEqual([expected]);
  });

  it("without an address is lost, and the others stay", () => {
    const assignments = [assignmentOf({ endpoint: {} }, "broken", anEndpoint(1))];
    const found = hostsOf(eds(), sources({ assignments }), 36);
    expect(found.hosts).toHaveLength(1);
    expect(found.unknowns).toMatchObject([{ message: expect.stringContaining("2 of the hosts") as string }]);
    const status = statusOf(7, { address: null }, hostStatus(1));
    expect(hostsOf(eds(), sources({ status }), 36).hosts).toHaveLength(1);
  });

  it("stands twice where it was configured twice", () => {
    const load_assignment = assignmentOf(anEndpoint(1), anEndpoint(1));
    expect(hostsOf({ name: "s", load_assignment }, noHostSources, 36).hosts).toHaveLength(2);
  });
});

describe("the policy of an assignment", () => {
  it("is 140 % by default", () => {
    expect(hostsOf(eds(), sources({ assignments: [assignmentOf()] }), 36)).toMatchObject({
      overprovisioningFactor: 140,
      isWeightedPriorityHealth: "unknown",
      dropShare: 0,
    });
  });

  it("that is not in a dump is read from the cluster, where it is configured there", () => {
    const load_assignment = { ...assignmentOf(anEndpoint(1)), policy: { weighted_priority_health: true } };
    const cluster = { name: "outbound|80||a", load_assignment };
    const assignments = [assignmentOf(anEndpoint(1))];
    expect(hostsOf(cluster, sources({ assignments }), 36).isWeightedPriorityHealth).toBe(true);
    expect(hostsOf({ name: "outbound|80||a" }, sources({ assignments }), 36).isWeightedPriorityHealth).toBe(
      false,
    );
  });

  it("is read from the dump, also where hosts are from /clusters", () => {
    const policy = {
      overprovisioning_factor: 100,
      drop_overloads: [{ category: "x", drop_percentage: { numerator: 250000, denominator: "MILLION" } }],
    };
    const assignments = [{ ...assignmentOf(anEndpoint(1)), policy }];
    expect(hostsOf(eds(), sources({ assignments, status: statusOf(hostStatus(1)) }), 36)).toMatchObject({
      source: "/clusters",
      overprovisioningFactor: 100,
      dropShare: 0.25,
    });
  });
});

describe("how hosts are found", () => {
  it.each([
    [{}, "STATIC"],
    [{ type: "EDS" }, "EDS"],
    [{ type: 4 }, "ORIGINAL_DST"],
    [{ type: "LOGICAL_DNS" }, "LOGICAL_DNS"],
    [{ cluster_type: { name: "envoy.clusters.aggregate" } }, "custom"],
    [{ cluster_type: { name: "envoy.cluster.eds" } }, "EDS"],
    [{ cluster_type: { name: "toString" } }, "custom"],
    [
      {
        cluster_type: {
          name: "envoy.cluster.dns",
          typed_config: { "@type": "x/envoy.extensions.clusters.dns.v3.DnsCluster" },
        },
      },
      "STRICT_DNS",
    ],
  ])("%j is %s", (cluster, expected) => {
    expect(discoveryOf(cluster)).toBe(expected);
  });
});

it("reads a proxy's own sections", () => {
  const dump = readDump([
    aSection("Endpoints", {
      dynamic_endpoint_configs: [
        { endpoint_config: aResource("endpointAssignment", "outbound|80||a", assignmentOf(anEndpoint(1))) },
      ],
    }),
  ]);
  const proxy = { ...aProxy("a.default"), config: dump.sections };
  const found = hostsOf(eds(), hostSources(proxy), 36);
  expect(found).toMatchObject({ source: "endpoints", hosts: [{ address: { ip: "10.0.0.1", port: 80 } }] });
  expect(found.hosts[0]?.origin.pointer).toBe(
    "/configs/0/dynamic_endpoint_configs/0/endpoint_config/endpoints/0/lb_endpoints/0",
  );
  const clusterStatuses = present({
    messages: [statusOf(hostStatus(2))],
    origins: [{ entry: "clusters", pointer: "/cluster_statuses/0" }],
  });
  expect(hostsOf(eds(), hostSources({ ...proxy, clusterStatuses }), 36)).toMatchObject({
    source: "/clusters",
    hosts: [{ address: { ip: "10.0.0.2" } }],
  });
});
