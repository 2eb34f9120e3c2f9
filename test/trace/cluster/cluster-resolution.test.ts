import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import {
  endpointShare,
  resolveCluster,
  type ClusterResolution,
} from "../../../src/trace/cluster/cluster-resolution.js";
import { aContext, anEndpoint, aRequest, aStaticCluster, runtimeOf, theProxy } from "./builders.js";

const resolve = (
  cluster: Message,
  request: Parameters<typeof aRequest>[0] = {},
  proxy: Parameters<typeof theProxy>[0] = {},
): ClusterResolution => resolveCluster(cluster, aRequest(request), theProxy(proxy));

const sharesOf = ({ hosts }: ClusterResolution): (number | null)[] => hosts.map(({ share }) => share);
/** Flags, details and shares of what fails. */
const failuresOf = ({ failures }: ClusterResolution): unknown[] =>
  failures.map(({ responseFlags, reply, share }) => [...responseFlags, reply?.detail ?? null, share]);

const one = aStaticCluster("c", {}, [anEndpoint(1)]);
const lb = (version: string) => ({ metadata: { filter_metadata: { "envoy.lb": { version } } } });

describe("a cluster", () => {
  it("gives its hosts with shares, transport and where they are from", () => {
    const resolution = resolve(aStaticCluster("c", {}, [anEndpoint(1), anEndpoint(2)]));
    expect(resolution).toMatchObject({
      cluster: "c",
      source: "cluster",
      failures: [],
      subset: null,
      unknowns: [],
    });
    expect(sharesOf(resolution)).toEqual([0.5, 0.5]);
    expect(resolution.hosts[0]).toMatchObject({ cluster: "c", transport: { name: "default", tls: null } });
  });

  it("without hosts answers 503 UH", () => {
    const resolution = resolve(aStaticCluster("c"));
    expect(failuresOf(resolution)).toEqual([["UH", "no_healthy_upstream", 1]]);
    expect(resolution.failures[0]?.reply).toMatchObject({ status: 503, body: "no healthy upstream" });
    expect(failuresOf(resolve(aStaticCluster("c"), { protocol: null }))).toEqual([["UH", null, 1]]);
  });

  it("whose hosts were not captured is not one without hosts", () => {
    expect(resolve({ name: "c", type: "EDS" })).toMatchObject({
      source: "not captured",
      failures: [{ share: null }],
      unknowns: [{ reason: "not captured" }],
    });
  });
});

describe("what keeps requests away", () => {
  it("is maintenance, for its share of HTTP requests", () => {
    const context = aContext({ runtime: runtimeOf({ "upstream.maintenance_mode.c": 25 }) });
    expect(failuresOf(resolve(one, { context }))).toEqual([["UO", "maintenance_mode", 0.25]]);
    expect(sharesOf(resolve(one, { context }))).toEqual([0.75]);
    expect(failuresOf(resolve(one, { context, protocol: null }))).toEqual([]);
  });

  it.each([
    ["max_requests", "http/1.1", ["UO", "upstream_reset_before_response_started", 1]],
    ["max_pending_requests", "http/1.1", ["UO", "upstream_reset_before_response_started", 1]],
    ["max_connections", "http/1.1", null],
    ["max_requests", null, null],
    ["max_pending_requests", null, ["URX", null, 1]],
    ["max_connections", null, ["UO", null, 1]],
  ] as const)("%s 0 for %s", (limit, protocol, expected) => {
    const resolution = resolve({ ...one, circuit_breakers: { thresholds: [{ [limit]: 0 }] } }, { protocol });
    expect(failuresOf(resolution)).toEqual(expected === null ? [] : [expected]);
    expect(sharesOf(resolution)).toEqual([expected === null ? 1 : 0]);
  });

  it("is a share of overload that is dropped", () => {
    const dropping = (numerator: number) => ({
      name: "c",
      load_assignment: {
        endpoints: [{ lb_endpoints: [anEndpoint(1)] }],
        policy: { drop_overloads: [{ category: "x", drop_percentage: { numerator } }] },
      },
    });
    expect(failuresOf(resolve(dropping(10)))).toEqual([["DO", "drop_overload", 0.1]]);
    expect(sharesOf(resolve(dropping(10)))).toEqual([0.9]);
    expect(failuresOf(resolve(dropping(100)))).toEqual([["UDO", "unconditional_drop_overload", 1]]);
    expect(failuresOf(resolve(dropping(100), { protocol: null }))).toEqual([]);
  });
});

describe("subsets", () => {
  const cluster = (fields: Message = {}) =>
    aStaticCluster("c", { lb_subset_config: { subset_selectors: [{ keys: ["version"] }], ...fields } }, [
      anEndpoint(1, lb("v1")),
      anEndpoint(2, { ...lb("v2"), health_status: "UNHEALTHY" }),
    ]);

  it("have panic and priorities of their own", () => {
    expect(resolve(cluster(), { criteria: { version: "v1" } })).toMatchObject({
      subset: "subset version=v1",
    });
    expect(sharesOf(resolve(cluster(), { criteria: { version: "v1" } }))).toEqual([1, 0]);
    expect(sharesOf(resolve(cluster(), { criteria: { version: "v2" } }))).toEqual([0, 1]); // in panic
  });

  it("without a fallback leave no host", () => {
    const resolution = resolve(cluster(), { criteria: { version: "v3" } });
    expect(resolution.subset).toBe("none");
    expect(failuresOf(resolution)).toEqual([["UH", "no_healthy_upstream", 1]]);
  });

  it("pass on to the next what they have no host for", () => {
    const fields = {
      fallback_policy: "DEFAULT_SUBSET",
      default_subset: { version: "v9" },
      panic_mode_any: true,
    };
    const resolution = resolve(cluster(fields), { criteria: null });
    expect(resolution.subset).toBe("any endpoint");
    expect(sharesOf(resolution)).toEqual([1, 0]);
    expect(failuresOf(resolution)).toEqual([]);
    const withoutAny = resolve(cluster({ ...fields, panic_mode_any: false }), { criteria: null });
    expect(failuresOf(withoutAny)).toEqual([["UH", "no_healthy_upstream", 1]]);
  });
});

describe("a stateful session", () => {
  const two = aStaticCluster("c", {}, [anEndpoint(1), anEndpoint(2, { health_status: "DRAINING" })]);
  const session = (host: string, isStrict = false) => ({ session: { host, isStrict } });

  it("gets its host", () => {
    expect(sharesOf(resolve(two, session("10.0.0.1:80")))).toEqual([1, 0]);
  });

  it("gets any other where its host may not be used, or none where it is strict", () => {
    expect(sharesOf(resolve(two, session("10.0.0.2:80")))).toEqual([1, 0]);
    expect(failuresOf(resolve(two, session("10.0.0.2:80", true)))).toEqual([
      ["UH", "no_healthy_upstream", 1],
    ]);
    expect(failuresOf(resolve(two, session("10.0.0.9:80", true)))).toEqual([
      ["UH", "no_healthy_upstream", 1],
    ]);
  });

  it("keeps a draining host where the cluster allows it", () => {
    const keeping = { ...two, common_lb_config: { override_host_status: { statuses: ["DRAINING"] } } };
    expect(sharesOf(resolve(keeping, session("10.0.0.2:80")))).toEqual([0, 1]);
  });
});

describe("other kinds of cluster", () => {
  it("ORIGINAL_DST goes where the connection was going", () => {
    const cluster = { name: "PassthroughCluster", type: "ORIGINAL_DST", lb_policy: "CLUSTER_PROVIDED" };
    const resolution = resolve(cluster);
    expect(resolution).toMatchObject({ source: "original destination", failures: [] });
    expect(resolution.hosts).toMatchObject([{ host: { address: { ip: "10.1.0.1", port: 9080 } }, share: 1 }]);
    expect(failuresOf(resolve(cluster, { isRestored: false }))).toEqual([["UH", "no_healthy_upstream", 1]]);
  });

  const aggregate = (...clusters: readonly string[]) => ({
    name: "all",
    cluster_type: {
      name: "envoy.clusters.aggregate",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig",
        clusters,
      },
    },
  });

  it("an aggregate passes over clusters that are missing, and over aggregates", () => {
    const known = new Map<string, Message>([
      ["c", one],
      ["nested", aggregate("c")],
    ]);
    const proxy = { cluster: (name: string) => known.get(name) };
    const resolution = resolve(aggregate("missing", "nested", "c"), {}, proxy);
    expect(resolution.hosts).toMatchObject([{ cluster: "c", share: 1 }]);
    expect(failuresOf(resolve(aggregate("missing"), {}, proxy))).toEqual([["UH", "no_healthy_upstream", 1]]);
    expect(failuresOf(resolve(aggregate("nested"), {}, proxy))).toEqual([["UH", "no_healthy_upstream", 1]]);
  });

  it("an aggregate is not known where a member is not", () => {
    const proxy = { cluster: () => ({ name: "e", type: "EDS" }) };
    expect(resolve(aggregate("e"), {}, proxy)).toMatchObject({
      failures: [{ share: null }],
      unknowns: [{ reason: "not captured" }],
    });
  });

  it("LOGICAL_DNS has one host, whose address may be another by then", () => {
    const cluster = { ...aStaticCluster("db", {}, [anEndpoint(1)]), type: "LOGICAL_DNS" };
    expect(resolve(cluster)).toMatchObject({ hosts: [{ share: 1 }], unknowns: [{ reason: "DNS" }] });
  });

  const forward = {
    name: "dfp",
    cluster_type: {
      name: "x",
      typed_config: { "@type": "x/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig" },
    },
  };

  it.each([
    ["www.example.com", "www.example.com", 80],
    ["www.example.com:8443", "www.example.com", 8443],
    ["10.9.9.9:1", "10.9.9.9", 1],
    ["[fd00::1]:1", "fd00::1", 1],
  ])("dynamic forward proxy goes to the authority %s", (authority, address, port) => {
    const context = aContext({ headers: [[":authority", authority]] });
    const resolution = resolve(forward, { context });
    expect(endpointShare(resolution.hosts[0]!, () => null)).toMatchObject({ address, port, share: 1 });
    expect(resolution.unknowns.map(({ reason }) => reason)).toEqual(
      address === "www.example.com" ? ["DNS"] : [],
    );
  });

  it("dynamic forward proxy does not guess a host", () => {
    expect(resolve(forward, { protocol: null })).toMatchObject({ hosts: [], unknowns: [{ reason: "DNS" }] });
  });

  it("of another type is not evaluated", () => {
    const typed_config = { "@type": "x/envoy.extensions.clusters.redis.v3.RedisClusterConfig" };
    expect(resolve({ name: "r", cluster_type: { name: "x", typed_config } })).toMatchObject({
      failures: [{ share: null }],
      unknowns: [{ reason: "unsupported filter" }],
    });
  });
});

it("words an endpoint as the answer does", () => {
  const addresses = [
    { socket_address: { address: "10.0.0.1", port_value: 80 } },
    { pipe: { path: "/run/app" } },
    { envoy_internal_address: { server_listener_name: "inner" } },
  ];
  const cluster = aStaticCluster(
    "c",
    {},
    addresses.map((address) => ({ endpoint: { address } })),
  );
  const podOf = (ip: string): string | null => (ip === "10.0.0.1" ? "a.default" : null);
  const third = 1 / 3;
  const rest = { health: "healthy", share: third, priority: 0 };
  expect(resolve(cluster).hosts.map((host) => endpointShare(host, podOf))).toEqual([
    { address: "10.0.0.1", port: 80, pod: "a.default", ...rest },
    { address: "/run/app", port: null, pod: null, ...rest },
    { address: "inner", port: null, pod: null, ...rest },
  ]);
});
