import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import type { AcceptedSocket } from "../../../src/trace/listener/accepted-socket.js";
import type { MatchContext } from "../../../src/trace/match-context.js";
import {
  runNetworkFilters,
  type ClosedConnection,
  type NetworkFiltersResult,
} from "../../../src/trace/network/network-filters.js";
import type { Connection } from "../../../src/trace/request.js";
import { aSocket } from "../listener/builders.js";

const aFilter = (type: string, config: Message = {}, name = type): Message => ({
  name,
  typed_config: { "@type": `type.googleapis.com/${type.includes(".") ? type : typeName(type)}`, ...config },
});
const typeName = (kind: string): string => `envoy.extensions.filters.network.${kind}.v3.Config`;

const tcp = aFilter("tcp_proxy", { cluster: "default" });
const plain: Connection = {
  ...{ destination: null, source: null, directSource: null, tls: null },
  protocol: "other",
};

interface Given {
  readonly socket?: Partial<AcceptedSocket>;
  readonly connection?: Partial<Connection>;
  readonly random?: bigint;
  readonly chain?: Message;
  readonly extensions?: Readonly<Record<string, Message>>;
}

function run(filters: readonly Message[], given: Given = {}): NetworkFiltersResult {
  const socket = aSocket(given.socket);
  const { destination, source, directSource } = socket;
  const context: MatchContext = {
    headers: [],
    connection: { ...plain, destination, source, directSource, ...given.connection },
    downstreamRemote: source,
    dynamicMetadata: new Map(),
    filterState: new Map(),
    isComplete: true,
    route: null,
    runtime: { value: () => undefined },
    random: given.random ?? null,
    envoy: 36,
  };
  return runNetworkFilters(
    { filters, ...given.chain },
    socket,
    context,
    (name) => given.extensions?.[name] ?? null,
  );
}

const clusterOf = ({ end }: NetworkFiltersResult): string =>
  end.kind === "tcp" ? end.route.clusters.map(({ name }) => name).join(",") : end.kind;
const decisions = ({ filters }: NetworkFiltersResult): string[] =>
  filters.map(({ name, decision, policy }) =>
    [name, decision, policy].filter((part) => part !== "").join(" "),
  );

describe("a chain", () => {
  it("ends at an HTTP connection manager", () => {
    const manager = aFilter("http_connection_manager", { stat_prefix: "x" });
    expect(run([manager, tcp])).toMatchObject({
      end: { kind: "http", manager: { stat_prefix: "x" } },
      filters: [{ name: "http_connection_manager", decision: "passed" }],
    });
  });

  it("ends at a TCP proxy", () => {
    expect(clusterOf(run([tcp]))).toBe("default");
  });

  it("without filters is closed", () => {
    expect(run([]).end).toEqual({
      kind: "closed",
      because: "the filter chain has no filters",
      detail: "",
      responseFlags: [],
    });
  });

  it("that nothing ends is unknown", () => {
    expect(run([aFilter("mongo_proxy")]).end).toMatchObject({ kind: "unknown" });
  });

  it("ends where Envoy answers by itself", () => {
    expect(run([aFilter("direct_response")]).end.kind).toBe("answered");
    expect(run([aFilter("echo")]).end.kind).toBe("answered");
  });

  it("of filters without types goes by their names", () => {
    expect(clusterOf(run([{ name: "envoy.filters.network.mysql_proxy" }, { name: "envoy.tcp_proxy" }]))).toBe(
      "",
    );
    expect(run([{ name: "envoy.http_connection_manager" }]).end.kind).toBe("http");
  });

  it("is closed while a filter's configuration has not been delivered", () => {
    const filter = { name: "late", config_discovery: {} };
    expect(run([filter]).end).toMatchObject({
      kind: "closed",
      because: "the configuration of the network filter late has not been delivered",
    });
    const extensions = { late: aFilter("tcp_proxy", { cluster: "x" })["typed_config"] as Message };
    expect(clusterOf(run([filter], { extensions }))).toBe("x");
  });
});

describe("filters that only observe", () => {
  const nativePlugin = (code: string, runtime = "envoy.wasm.runtime.null"): Message =>
    aFilter("wasm", { config: { vm_config: { runtime, code: { local: { inline_string: code } } } } });

  it.each([
    ...["mongo_proxy", "mysql_proxy", "postgres_proxy", "zookeeper_proxy", "kafka_broker"].map((kind) =>
      aFilter(kind),
    ),
    aFilter("envoy.tcp.metadataexchange.config.MetadataExchange"),
    aFilter("envoy.extensions.network_filters.peer_metadata.Config"),
    {
      name: "istio.stats",
      typed_config: {
        "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
        type_url: "type.googleapis.com/stats.PluginConfig",
        value: {},
      },
    },
    nativePlugin("envoy.wasm.stats"),
  ])("$name passes", (filter) => {
    const result = run([filter, tcp]);
    expect(clusterOf(result)).toBe("default");
    expect(result.unknowns).toEqual([]);
    expect(result.socket.isComplete).toBe(true);
  });

  it.each([
    [aFilter("wasm"), "code"],
    [nativePlugin("envoy.wasm.stats", "envoy.wasm.runtime.v8"), "code"],
    [nativePlugin("mine"), "code"],
    [aFilter("golang"), "code"],
    [aFilter("ratelimit"), "rate limit"],
    [aFilter("local_ratelimit"), "rate limit"],
    [aFilter("connection_limit"), "rate limit"],
    [aFilter("ext_proc"), "external processor"],
    [aFilter("ext_authz"), "external authorization"],
    [aFilter("sni_dynamic_forward_proxy"), "DNS"],
    [aFilter("example.Other"), "unsupported filter"],
  ])("$name does more: %s", (filter, reason) => {
    const result = run([filter, tcp]);
    expect(result.unknowns).toMatchObject([{ reason }]);
    expect(result.filters[0]?.decision).toBe("unknown");
    expect(clusterOf(result)).toBe("default");
    expect(result.socket.isComplete).toBe(false);
  });

  it("of an unknown type at the end leaves the end unknown", () => {
    expect(run([aFilter("example.Other")])).toMatchObject({
      end: { kind: "unknown", because: [{ reason: "unsupported filter" }] },
      unknowns: [],
    });
  });
});

describe("sni_cluster", () => {
  const filters = [aFilter("sni_cluster"), tcp];

  it("takes the server name for the cluster", () => {
    const serverName = "outbound_.80_.v1_.reviews.default.svc.cluster.local";
    expect(clusterOf(run(filters, { socket: { serverName } }))).toBe(serverName);
  });

  it("leaves the proxy's own cluster where there is none", () => {
    expect(clusterOf(run(filters))).toBe("default");
  });

  it("is rewritten between clusters by Istio's filter", () => {
    const rewrite = aFilter(
      "istio.envoy.config.filter.network.tcp_cluster_rewrite.v2alpha1.TcpClusterRewrite",
      {
        cluster_pattern: "\\.global$",
        cluster_replacement: ".svc.cluster.local",
      },
    );
    const given = { socket: { serverName: "outbound_.80_._.reviews.default.global" } };
    expect(clusterOf(run([aFilter("sni_cluster"), rewrite, tcp], given))).toBe(
      "outbound_.80_._.reviews.default.svc.cluster.local",
    );
    expect(clusterOf(run([rewrite, tcp], given))).toBe("default");
    const broken = {
      ...rewrite,
      typed_config: { ...(rewrite["typed_config"] as Message), cluster_pattern: "(" },
    };
    expect(run([aFilter("sni_cluster"), broken, tcp], given).unknowns).toMatchObject([
      { reason: "regular expression" },
    ]);
  });
});

describe("set_filter_state", () => {
  const sets = (format: string): Message =>
    aFilter("set_filter_state", {
      on_new_connection: [
        {
          object_key: "envoy.tcp_proxy.cluster",
          format_string: { text_format_source: { inline_string: format } },
        },
      ],
    });

  it("chooses the cluster", () => {
    expect(clusterOf(run([sets("to-%DOWNSTREAM_LOCAL_PORT%"), tcp]))).toBe("to-8080");
  });

  it("leaves it, where it cannot be told", () => {
    const result = run([sets("%START_TIME%"), tcp]);
    expect(clusterOf(result)).toBe("default");
    expect(result.unknowns).toHaveLength(1);
  });
});

/** What closes a connection that has an upstream by then. */
const deniedIn = ({ end }: NetworkFiltersResult): ClosedConnection | null => {
  if (end.kind !== "tcp") throw new Error(`it ends with ${end.kind}`);
  return end.denied;
};

describe("rbac", () => {
  const rules = (action: string, principal: Message): Message => ({
    action,
    policies: { "ns[a]-policy[b] c": { permissions: [{ any: true }], principals: [principal] } },
  });
  const client = { direct_remote_ip: { address_prefix: "10.9.0.0", prefix_len: 16 } };
  const other = { direct_remote_ip: { address_prefix: "10.8.0.0", prefix_len: 16 } };

  it("that denies closes the connection", () => {
    const result = run([aFilter("rbac", { rules: rules("DENY", client) }), tcp]);
    expect(deniedIn(result)).toEqual({
      kind: "closed",
      because: "the network filter rbac denies the connection by ns[a]-policy[b] c",
      detail: "rbac_access_denied_matched_policy[ns[a]-policy[b]_c]",
      responseFlags: [],
    });
    expect(decisions(result)).toEqual(["rbac denied ns[a]-policy[b] c", "tcp_proxy passed"]);
    expect(result.assumptions).toEqual([]);
  });

  it("that denies comes before what waits for bytes, and after what acts at once", () => {
    const denies = aFilter("rbac", { rules: rules("DENY", client) });
    const manager = aFilter("http_connection_manager");
    expect(run([denies, manager]).end).toMatchObject({ kind: "closed", responseFlags: [] });
    expect(run([aFilter("rbac"), manager]).end.kind).toBe("http");
    expect(run([denies, aFilter("echo")]).end.kind).toBe("closed");
    expect(run([denies, aFilter("direct_response")]).end.kind).toBe("answered");
    const waiting = run([denies, aFilter("ext_authz"), tcp]);
    expect(decisions(waiting)).toEqual(["rbac denied ns[a]-policy[b] c", "tcp_proxy passed"]);
    expect(waiting.unknowns).toEqual([]);
  });

  it("that allows nothing denies without a policy", () => {
    expect(run([aFilter("rbac", { rules: {} }), tcp])).toMatchObject({
      end: { denied: { because: "the network filter rbac denies the connection" } },
      filters: [{ policy: "none" }, { decision: "passed" }],
    });
  });

  it("that allows goes on", () => {
    const result = run([aFilter("rbac", { rules: rules("ALLOW", client) }), tcp]);
    expect(decisions(result)).toEqual(["rbac allowed ns[a]-policy[b] c", "tcp_proxy passed"]);
    expect(clusterOf(run([aFilter("rbac", { rules: rules("DENY", other) }), tcp]))).toBe("default");
    expect(decisions(run([aFilter("rbac"), tcp]))).toEqual(["rbac passed", "tcp_proxy passed"]);
  });

  it("has no headers: what is said about them is about missing ones", () => {
    const header = { not_id: { header: { name: "x", present_match: true } } };
    expect(deniedIn(run([aFilter("rbac", { rules: rules("DENY", header) }), tcp]))?.kind).toBe("closed");
    expect(
      deniedIn(
        run([aFilter("rbac", { rules: rules("DENY", { header: { name: "x", present_match: true } }) }), tcp]),
      ),
    ).toBeNull();
  });

  it("waits for the client's first bytes", () => {
    const denies = [aFilter("rbac", { rules: rules("DENY", client) }), tcp];
    const result = run(denies, { connection: { protocol: "nothing" } });
    expect(deniedIn(result)?.kind).toBe("closed");
    expect(result.assumptions).toHaveLength(1);
  });

  it("that cannot be decided is unknown, and the chain goes on", () => {
    const result = run([aFilter("rbac", { rules: rules("DENY", client) }), tcp], {
      socket: { source: "unknown", directSource: "unknown" },
    });
    expect(result.unknowns).toMatchObject([{ reason: "client address" }]);
    expect(clusterOf(result)).toBe("default");
  });

  it("sees the client's certificate only where the chain ends TLS", () => {
    const principal = { authenticated: { principal_name: { exact: "spiffe://td/ns/a/sa/b" } } };
    const certificate = { uriSans: ["spiffe://td/ns/a/sa/b"], dnsSans: [], subject: "", isValidated: true };
    const connection = { tls: { sni: "", alpn: [], certificate } };
    const filters = [aFilter("rbac", { rules: rules("ALLOW", principal) }), tcp];
    const type = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
    const chain = { transport_socket: { typed_config: { "@type": type } } };
    expect(deniedIn(run(filters, { connection, chain }))).toBeNull();
    expect(deniedIn(run(filters, { connection }))?.kind).toBe("closed");
  });

  describe("with shadow rules", () => {
    const custom = (principal: Message): Message[] => [
      aFilter("rbac", {
        shadow_rules: rules("DENY", principal),
        shadow_rules_stat_prefix: "istio_ext_authz_",
      }),
      aFilter("ext_authz", {
        filter_enabled_metadata: {
          filter: "envoy.filters.network.rbac",
          path: [{ key: "istio_ext_authz_shadow_effective_policy_id" }],
          value: { string_match: { prefix: "ns[a]" } },
        },
      }),
      tcp,
    ];

    it("enforces nothing, and gates the authorizer behind it", () => {
      const result = run(custom(client));
      expect(decisions(result)).toEqual(["rbac passed", "ext_authz unknown", "tcp_proxy passed"]);
      expect(result.unknowns).toMatchObject([{ reason: "external authorization" }]);
    });

    it("keeps it out where they do not match", () => {
      const result = run(custom(other));
      expect(decisions(result)).toEqual(["rbac passed", "ext_authz disabled", "tcp_proxy passed"]);
      expect(result.unknowns).toEqual([]);
    });

    it("that cannot be decided leave the authorizer unknown", () => {
      const result = run(custom(client), { socket: { source: "unknown", directSource: "unknown" } });
      expect(result.unknowns.map(({ reason }) => reason)).toEqual([
        "dynamic metadata",
        "external authorization",
      ]);
    });
  });
});

describe("proxies of other protocols", () => {
  const route = (cluster: string, match: Message = {}): Message => ({ match, route: { cluster } });
  const endOf = (filter: Message): unknown => {
    const result = run([filter]);
    return result.end.kind === "unknown" ? result.end.possible : clusterOf(result);
  };

  it.each([
    ["a catch-all alone", { catch_all_route: { cluster: "a" } }, "a"],
    [
      "prefixes that agree with it",
      { routes: [{ prefix: "x", cluster: "a" }], catch_all_route: { cluster: "a" } },
      "a",
    ],
    [
      "another prefix",
      { routes: [{ prefix: "x", cluster: "b" }], catch_all_route: { cluster: "a" } },
      ["b", "a"],
    ],
    ["no catch-all", {}, []],
  ])("Redis: %s", (_, prefixes, expected) => {
    expect(endOf(aFilter("redis_proxy", { prefix_routes: prefixes }))).toEqual(expected);
  });

  it.each([
    ["one for all methods", [route("a", { method_name: "" })], "a"],
    ["what stands behind it is out of reach", [route("a"), route("b")], "a"],
    ["one before it", [route("b", { method_name: "get" }), route("a")], ["b", "a"]],
    ["not all methods", [route("a", { method_name: "", invert: true })], ["a"]],
    ["headers", [route("a", { headers: [{ name: "x" }] })], ["a"]],
    ["weights", [{ route: { weighted_clusters: { clusters: [{ name: "a" }, { name: "b" }] } } }], ["a", "b"]],
    ["a cluster that a header names", [{ route: { cluster_header: "x" } }], []],
  ])("Thrift: %s", (_, routes, expected) => {
    expect(endOf(aFilter("thrift_proxy", { route_config: { routes } }))).toEqual(expected);
  });

  it("are unknown where they are not evaluated at all", () => {
    expect(run([aFilter("dubbo_proxy")]).end).toMatchObject({
      kind: "unknown",
      because: [{ reason: "unsupported filter" }],
    });
    expect(endOf(aFilter("thrift_proxy", { trds: {} }))).toEqual([]);
  });
});
