import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BundleFormatError } from "../../../src/shared/errors.js";
import { ProblemList } from "../../../src/shared/problem.js";
import type { ClusterStatuses } from "../../../src/snapshot/model.js";
import { parseClusters } from "../../../src/snapshot/parse/clusters.js";
import { at, bytesOf, renamed } from "../../support/builders.js";

const entry = "proxies/default/a-1/clusters";

type Fields = Readonly<Record<string, unknown>>;

function read(content: unknown): ClusterStatuses & { readonly problems: readonly string[] } {
  const problems = new ProblemList();
  const statuses = parseClusters(bytesOf(content), entry, problems);
  return {
    ...statuses,
    problems: problems.all.map(({ pointer, message }) => `${pointer} ${message}`.trim()),
  };
}

function errorOf(content: unknown): BundleFormatError {
  try {
    read(content);
  } catch (error) {
    if (error instanceof BundleFormatError) return error;
    throw error;
  }
  throw new Error("it was read");
}

const reviews = "outbound|9080||reviews.default.svc.cluster.local";
const host = {
  address: { socket_address: { address: "10.0.0.1", port_value: 9080 } },
  stats: [{ name: "cx_active", value: "2", type: "GAUGE" }, { name: "cx_total" }],
  health_status: { failed_outlier_check: true, eds_health_status: "HEALTHY" },
  weight: 1,
  locality: { region: "r", sub_zone: "s" },
};
const document: Fields = {
  cluster_statuses: [
    { name: reviews, added_via_api: true, eds_service_name: "x", host_statuses: [host] },
    { name: "agent" },
  ],
};

describe("JSON", () => {
  it("has proto names, whatever names it was written with", () => {
    const camel = renamed(document, "jsonName", "envoy.admin.v3.Clusters");
    expect(Object.keys(camel as object)).toEqual(["clusterStatuses"]);
    expect(read(document).messages).toEqual(document["cluster_statuses"]);
    expect(read(camel).messages).toEqual(document["cluster_statuses"]);
    expect(read(camel).problems).toEqual([]);
  });

  it("tells where each cluster stands", () => {
    expect(read(document).origins).toEqual([
      { entry, pointer: "/cluster_statuses/0" },
      { entry, pointer: "/cluster_statuses/1" },
    ]);
  });

  it("may have text before it", () => {
    expect(read(`Defaulted container "istio-proxy"\n${JSON.stringify(document)}`).messages).toHaveLength(2);
  });

  it("costs a bad cluster, and the origins of the others lead to them", () => {
    const { messages, origins, problems } = read({
      cluster_statuses: [7, { name: "a" }, {}, { name: 7 }, { name: "b" }],
    });
    expect(messages).toEqual([{ name: "a" }, { name: "b" }]);
    expect(origins.map(({ pointer }) => pointer)).toEqual(["/cluster_statuses/1", "/cluster_statuses/4"]);
    expect(problems).toEqual([
      "/cluster_statuses/0 must be object",
      "/cluster_statuses/2 must have a name that is a string",
      "/cluster_statuses/3 must have a name that is a string",
    ]);
  });

  it("tells of bad hosts and keeps the others where they are", () => {
    const { messages, problems } = read({
      cluster_statuses: [
        { name: "a", host_statuses: [null, host] },
        { name: "b", host_statuses: "x" },
      ],
    });
    expect(at(messages[0], "/host_statuses/1")).toEqual(host);
    expect(problems).toEqual([
      "/cluster_statuses/0/host_statuses/0 must be object",
      "/cluster_statuses/1/host_statuses must be array",
    ]);
  });

  it.each([
    { content: { configs: [] }, message: /must have required property 'cluster_statuses'/ },
    { content: {}, message: /must have required property/ },
    { content: [], message: /must be object/ },
    { content: { cluster_statuses: {} }, message: /cluster_statuses must be array/ },
    { content: '{"cluster_statuses":[', message: /is not valid JSON/ },
  ])("$content is none: $message", ({ content, message }) => {
    const error = errorOf(content);
    expect(error.entry).toBe(entry);
    expect(error.message).toMatch(message);
  });

  it("has keys that mean something to JavaScript as any other", () => {
    const { messages } = read('{"cluster_statuses":[{"name":"__proto__","__proto__":{"polluted":true}}]}');
    expect(messages[0]?.["name"]).toBe("__proto__");
    expect(messages[0]?.["polluted"]).toBeUndefined();
    expect(({} as Fields)["polluted"]).toBeUndefined();
  });

  it("refuses what is nested too deep", () => {
    const deep = `{"cluster_statuses":[{"name":"a","x":${"[".repeat(1000)}${"]".repeat(1000)}}]}`;
    expect(errorOf(deep).message).toMatch(/nested deeper/);
  });
});

describe("text", () => {
  const lines = (...all: readonly string[]): string => all.map((line) => `${line}\n`).join("");
  const full = lines(
    `${reviews}::observability_name::${reviews};`,
    `${reviews}::outlier::success_rate_average::-1`,
    `${reviews}::outlier::success_rate_ejection_threshold::98.5`,
    `${reviews}::outlier::local_origin_success_rate_average::-1`,
    `${reviews}::outlier::local_origin_success_rate_ejection_threshold::-1`,
    `${reviews}::default_priority::max_connections::4294967295`,
    `${reviews}::default_priority::max_pending_requests::1024`,
    `${reviews}::default_priority::max_requests::0`,
    `${reviews}::default_priority::max_retries::3`,
    `${reviews}::high_priority::max_connections::5`,
    `${reviews}::added_via_api::true`,
    `${reviews}::eds_service_name::x`,
    `${reviews}::10.0.0.1:9080::cx_active::2`,
    `${reviews}::10.0.0.1:9080::cx_connect_fail::0`,
    `${reviews}::10.0.0.1:9080::cx_total::5`,
    `${reviews}::10.0.0.1:9080::rq_active::0`,
    `${reviews}::10.0.0.1:9080::hostname::reviews.svc`,
    `${reviews}::10.0.0.1:9080::health_flags::/failed_outlier_check/failed_eds_health`,
    `${reviews}::10.0.0.1:9080::weight::3`,
    `${reviews}::10.0.0.1:9080::region::r`,
    `${reviews}::10.0.0.1:9080::zone::`,
    `${reviews}::10.0.0.1:9080::sub_zone::s`,
    `${reviews}::10.0.0.1:9080::canary::false`,
    `${reviews}::10.0.0.1:9080::priority::1`,
    `${reviews}::10.0.0.1:9080::success_rate::-1`,
    `${reviews}::10.0.0.1:9080::local_origin_success_rate::100`,
    "agent::added_via_api::false",
  );

  it("says the same as JSON", () => {
    const { messages, origins, problems } = read(full);
    expect(messages).toEqual([
      {
        name: reviews,
        added_via_api: true,
        success_rate_ejection_threshold: { value: 98.5 },
        circuit_breakers: {
          thresholds: [
            { max_connections: 4294967295, max_pending_requests: 1024, max_requests: 0, max_retries: 3 },
            { priority: "HIGH", max_connections: 5 },
          ],
        },
        observability_name: `${reviews};`,
        eds_service_name: "x",
        host_statuses: [
          {
            address: { socket_address: { address: "10.0.0.1", port_value: 9080 } },
            stats: [
              { name: "cx_active", value: "2", type: "GAUGE" },
              { name: "cx_connect_fail" },
              { name: "cx_total", value: "5" },
              { name: "rq_active", type: "GAUGE" },
            ],
            health_status: { failed_outlier_check: true, eds_health_status: "UNHEALTHY" },
            weight: 3,
            hostname: "reviews.svc",
            priority: 1,
            local_origin_success_rate: { value: 100 },
            locality: { region: "r", sub_zone: "s" },
          },
        ],
      },
      { name: "agent" },
    ]);
    expect(origins).toEqual([
      { entry, pointer: "" },
      { entry, pointer: "" },
    ]);
    expect(problems).toEqual([]);
  });

  it("may have the line ends of Windows", () => {
    expect(read(full.replaceAll("\n", "\r\n"))).toEqual(read(full));
  });

  it.each([
    { flags: "healthy", is: { eds_health_status: "HEALTHY" } },
    { flags: "/failed_active_hc", is: { failed_active_health_check: true, eds_health_status: "HEALTHY" } },
    { flags: "/failed_outlier_check", is: { failed_outlier_check: true, eds_health_status: "HEALTHY" } },
    { flags: "/failed_eds_health", is: { eds_health_status: "UNHEALTHY" } },
    {
      flags: "/degraded_active_hc",
      is: { failed_active_degraded_check: true, eds_health_status: "HEALTHY" },
    },
    { flags: "/degraded_eds_health", is: { eds_health_status: "DEGRADED" } },
    { flags: "/eds_status_draining", is: { eds_health_status: "DRAINING" } },
    { flags: "/failed_eds_health/eds_status_draining", is: { eds_health_status: "UNHEALTHY" } },
    {
      flags: "/pending_dynamic_removal",
      is: { pending_dynamic_removal: true, eds_health_status: "HEALTHY" },
    },
    {
      flags: "/pending_active_hc/excluded_via_immediate_hc_fail/active_hc_timeout",
      is: {
        pending_active_hc: true,
        excluded_via_immediate_hc_fail: true,
        active_hc_timeout: true,
        eds_health_status: "HEALTHY",
      },
    },
  ])("has the health flags $flags", ({ flags, is }) => {
    const { messages, problems } = read(`a::10.0.0.1:80::health_flags::${flags}`);
    expect(at(messages[0], "/host_statuses/0/health_status")).toEqual(is);
    expect(problems).toEqual([]);
  });

  it("remarks on a health flag that it does not know, once", () => {
    const { messages, problems } = read(
      lines(
        "a::10.0.0.1:80::health_flags::/new_one/failed_active_hc",
        "a::10.0.0.2:80::health_flags::/new_one",
      ),
    );
    expect(at(messages[0], "/host_statuses/0/health_status/failed_active_health_check")).toBe(true);
    expect(problems).toEqual(['line 1 has an unknown health flag "new_one"']);
  });

  it("does not take a host of which no health was written for a healthy one", () => {
    expect(
      at(read("a::10.0.0.1:80::cx_active::1").messages[0], "/host_statuses/0/health_status"),
    ).toBeUndefined();
  });

  it.each([
    { host: "10.0.0.1:80", address: { socket_address: { address: "10.0.0.1", port_value: 80 } } },
    { host: "10.0.0.1:0", address: { socket_address: { address: "10.0.0.1" } } },
    { host: "[::1]:80", address: { socket_address: { address: "::1", port_value: 80 } } },
    { host: "[fe80::1%eth0]:80", address: { socket_address: { address: "fe80::1%eth0", port_value: 80 } } },
    { host: "./etc/istio/proxy/XDS", address: { pipe: { path: "./etc/istio/proxy/XDS" } } },
    { host: "@abstract", address: { pipe: { path: "@abstract" } } },
    {
      host: "envoy://connect_originate/10.0.0.1:80",
      address: {
        envoy_internal_address: { server_listener_name: "connect_originate", endpoint_id: "10.0.0.1:80" },
      },
    },
    {
      host: "envoy://connect_originate/[fd00::1]:80",
      address: {
        envoy_internal_address: { server_listener_name: "connect_originate", endpoint_id: "[fd00::1]:80" },
      },
    },
    { host: "envoy://encap/", address: { envoy_internal_address: { server_listener_name: "encap" } } },
  ])("takes the host $host from a cluster's name, with and without '::' in it", ({ host, address }) => {
    for (const name of ["a", "outbound|80||a", "a::b", "a::10.0.0.9:80"]) {
      const { messages } = read(lines(`${name}::observability_name::x`, `${name}::${host}::weight::1`));
      expect(messages).toEqual([{ name, observability_name: "x", host_statuses: [{ address, weight: 1 }] }]);
    }
    // the first line of an answer of which the beginning is missing
    expect(read(`a::b::${host}::weight::1`).messages).toEqual([
      { name: "a::b", host_statuses: [{ address, weight: 1 }] },
    ]);
  });

  it("takes values with '::' in them", () => {
    expect(
      read(
        lines(
          "a::b::eds_service_name::c::d",
          "a::b::[::1]:80::hostname::fd00::1",
          "a::b::[::1]:80::region::weight",
          "a::b::[::1]:80::zone::",
        ),
      ).messages,
    ).toEqual([
      {
        name: "a::b",
        eds_service_name: "c::d",
        host_statuses: [
          {
            address: { socket_address: { address: "::1", port_value: 80 } },
            hostname: "fd00::1",
            locality: { region: "weight" },
          },
        ],
      },
    ]);
  });

  it("costs a bad line, and says which", () => {
    const { messages, problems } = read(
      lines(
        'Defaulted container "istio-proxy"',
        "a::10.0.0.1:80::weight::1",
        "",
        "a::10.0.0.1:80::of_the_future::1",
        "a::nowhere::weight::1",
        "::weight::1",
        "a::10.0.0.1:80::priority::2",
        "a::10.0.0.1:80::rq_to",
      ),
    );
    expect(messages).toEqual([
      {
        name: "a",
        host_statuses: [
          { address: { socket_address: { address: "10.0.0.1", port_value: 80 } }, weight: 1, priority: 2 },
        ],
      },
    ]);
    expect(problems.map((problem) => /^line (\d+)/.exec(problem)?.[1])).toEqual(["1", "4", "5", "6", "8"]);
  });

  it.each([
    { content: "", message: /it is empty$/ },
    { content: "404 page not found\n", message: /it is not JSON but the text "404 page not found"/ },
    { content: "<!DOCTYPE html><html></html>", message: /it is HTML/ },
    { content: "a: 1\nb::c\n", message: /is no answer of \/clusters/ },
  ])("$content is none", ({ content, message }) => {
    const problems = new ProblemList();
    expect(() => parseClusters(bytesOf(content), entry, problems)).toThrow(message);
    expect(problems.all).toEqual([]);
  });

  it("bounds the problems of an answer that is nothing but wrong", () => {
    const { problems } = read(`a::added_via_api::true\n${"wrong\n".repeat(5000)}`);
    expect(problems).toHaveLength(51);
  });

  it("has names that mean something to JavaScript as any other", () => {
    const { messages } = read(
      lines(
        "__proto__::added_via_api::true",
        "__proto__::10.0.0.1:80::region::__proto__",
        "constructor::@a::weight::1",
      ),
    );
    expect(messages.map(({ name }) => name)).toEqual(["__proto__", "constructor"]);
    expect(({} as Fields)["added_via_api"]).toBeUndefined();
  });

  it.each([
    { what: "separators", line: "::".repeat(100_000) },
    { what: "keys", line: "weight::".repeat(30_000) },
    { what: "keys and hosts", line: "1.1.1.1:1::weight::".repeat(10_000) },
    { what: "brackets", line: `${"::[".repeat(60_000)}::weight::1` },
    { what: "a name", line: `${"a".repeat(300_000)}::added_via_api::true` },
  ])("is not slowed down by a line of many $what", ({ line }) => {
    const start = performance.now();
    read(`a::added_via_api::true\n${`${line}\n`.repeat(20)}`);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it("is read back from what Envoy prints, whatever the names", () => {
    const part = fc.stringMatching(/^[a-z0-9|._*:-]{1,12}$/).filter((text) => !/^:|:$|:::/.test(text));
    const anIp = fc.ipV4().map((ip) => ({ socket_address: { address: ip, port_value: 80 } }));
    const anIpV6 = fc.ipV6().map((ip) => ({ socket_address: { address: ip, port_value: 80 } }));
    const cluster = fc.record({
      name: part,
      hosts: fc.uniqueArray(fc.oneof(anIp, anIpV6), {
        selector: ({ socket_address }) => socket_address.address,
      }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(cluster, { selector: ({ name }) => name }), (clusters) => {
        fc.pre(clusters.length > 0);
        const text = clusters.flatMap(({ name, hosts }) => [
          `${name}::observability_name::${name}`,
          ...hosts.map(({ socket_address: { address, port_value } }) => {
            const ip = address.includes(":") ? `[${address}]` : address;
            return `${name}::${ip}:${port_value}::weight::1`;
          }),
        ]);
        expect(read(lines(...text)).messages).toEqual(
          clusters.map(({ name, hosts }) => ({
            name,
            observability_name: name,
            ...(hosts.length === 0
              ? {}
              : { host_statuses: hosts.map((address) => ({ address, weight: 1 })) }),
          })),
        );
      }),
    );
  });
});

describe("without statistics", () => {
  const text = [
    `${reviews}::added_via_api::true`,
    `${reviews}::10.0.0.1:9080::cx_active::2`,
    `${reviews}::10.0.0.1:9080::hostname::a::b`,
    `${reviews}::10.0.0.1:9080::health_flags::/failed_outlier_check`,
    `${reviews}::10.0.0.1:9080::weight::1`,
    `${reviews}::10.0.0.1:9080::rq_total::7`,
    `${reviews}::10.0.0.2:9080::rq_total::7`,
    `${reviews}::10.0.0.2:9080::health_flags::healthy`,
  ].join("\n");
  it.each([
    ["JSON", document],
    ["text", text],
  ])("%s has the same clusters and hosts, but not what they counted", (_, content) => {
    const whole = read(content).messages;
    const problems = new ProblemList();
    const { messages, origins } = parseClusters(bytesOf(content), entry, problems, 256, false);
    expect(problems.all).toEqual([]);
    expect(origins).toHaveLength(messages.length);
    expect(JSON.stringify(whole)).toContain('"stats"');
    expect(JSON.stringify(messages)).not.toContain('"stats"');
    const bare = JSON.stringify(whole, (key, value: unknown) => (key === "stats" ? undefined : value));
    expect(messages).toEqual(JSON.parse(bare));
  });
});
