import { describe, expect, it } from "vitest";

import { editedResource, withNewResource, withProxies } from "../../support/mesh/edits.js";
import { isObject, type JsonObject } from "../../support/mesh/json.js";
import type { Mesh } from "../../support/mesh/model.js";
import {
  bookinfo,
  clusterOf,
  everyObject,
  held,
  ipOf,
  objectIn,
  of,
  proxyOf,
  told,
  trace,
  type ToldHop,
} from "./bookinfo.js";
import {
  connectOriginate,
  connectOriginateCluster,
  connectTerminate,
  mainInternal,
  mainInternalCluster,
  tunnelledAssignment,
  tunnelSocket,
} from "./tunnel-resources.js";

const server = "ratings-v1";
const cluster = clusterOf("ratings");
const url = "http://ratings:9080/ratings/0";
const serverIp = ipOf(bookinfo, server);

const withListener = (mesh: Mesh, workload: string, listener: JsonObject): Mesh =>
  withNewResource(mesh, { list: "listeners", name: "", side: "Envoy", proxies: of(workload) }, listener);
const withCluster = (mesh: Mesh, workload: string, added: JsonObject): Mesh =>
  withNewResource(mesh, { list: "clusters", name: "", side: "Envoy", proxies: of(workload) }, added);

/** Inside of a tunnel is no certificate: the principal is in the filter state. */
const byFilterState = (filters: JsonObject): JsonObject =>
  objectIn(
    everyObject(filters, (object) => {
      const { authenticated, ...others } = object;
      const name = objectIn(authenticated)["principal_name"];
      return name === undefined
        ? object
        : { ...others, filter_state: { key: "io.istio.peer_principal", string_match: name } };
    }),
  );

/** The filters of the server's port for plaintext. */
function portFilters(mesh: Mesh, port: number): JsonObject[] {
  const virtualInbound = proxyOf(mesh, server).config.listeners.find(({ name }) => name === "virtualInbound");
  const chain = [virtualInbound?.active?.listener["filter_chains"]]
    .flat()
    .filter(isObject)
    .find((one) => {
      const match = objectIn(one["filter_chain_match"]);
      return match["destination_port"] === port && match["transport_protocol"] === "raw_buffer";
    });
  return [chain?.["filters"]].flat().filter(isObject).map(byFilterState);
}

/** The server takes tunnels. */
function withTunnelEnd(mesh: Mesh): Mesh {
  const inside = mainInternal({
    filter_chains: [
      {
        name: "0.0.0.0_9080",
        filter_chain_match: {
          destination_port: 9080,
          prefix_ranges: [{ address_prefix: serverIp, prefix_len: 32 }],
        },
        filters: portFilters(mesh, 9080),
      },
    ],
  });
  return [connectTerminate, inside].reduce(
    (changed, listener) => withListener(changed, server, listener),
    withCluster(mesh, server, mainInternalCluster),
  );
}

/** A client sends into tunnels. @param endpoint where they lead */
function withTunnels(mesh: Mesh, client: string, assignment: JsonObject): Mesh {
  const sending = withCluster(withListener(mesh, client, connectOriginate), client, connectOriginateCluster);
  const matching = held(sending, client, "clusters", cluster, (old) => ({
    ...old,
    transport_socket_matches: [
      { name: "hbone", match: { tunnel: "http" }, transport_socket: tunnelSocket },
      ...[old["transport_socket_matches"]].flat().filter(isObject),
    ],
  }));
  return held(matching, client, "endpoints", cluster, () => assignment);
}

const tunnelled = (mesh: Mesh, client: string, port = 9080): Mesh =>
  withTunnels(mesh, client, tunnelledAssignment(cluster, serverIp, port));

const intoTunnel = (client: string): ToldHop[] => [
  {
    at: `${client} outbound`,
    listener: "0.0.0.0_9080",
    chain: "",
    cluster,
    to: ["connect_originate"],
  },
  {
    at: `${client} outbound`,
    listener: "connect_originate",
    chain: "",
    cluster: "connect_originate",
    to: [`${serverIp}:15008 ${server}`],
  },
];
const tunnelEnd: ToldHop = {
  at: `${server} inbound`,
  listener: "connect_terminate",
  chain: "default",
  cluster: "main_internal",
  to: ["main_internal"],
};
const inTunnel: ToldHop = {
  at: `${server} inbound`,
  listener: "main_internal",
  chain: "0.0.0.0_9080",
  cluster: "inbound|9080||",
  to: [`${serverIp}:9080 ${server}`],
};

describe("HBONE between two sidecars", () => {
  const mesh = withTunnelEnd(bookinfo);

  it("four listeners, and the principal of the tunnel for the policy in it", () => {
    const result = trace(tunnelled(mesh, "reviews-v2"), { from: "reviews-v2", url });
    expect(told(result)).toEqual({
      outcome: "endpoint",
      hops: [...intoTunnel("reviews-v2"), tunnelEnd, inTunnel],
      decided: ["envoy.filters.http.rbac allowed ns[default]-policy[ratings-viewer]-rule[0]"],
      nearMisses: [],
      unknowns: [],
    });
    expect(result.hops[2]?.filterChain?.matched).toContain("mutual TLS");
    expect(Object.fromEntries(result.hops[3]?.requestHeaders ?? [])).toMatchObject({
      ":path": "/ratings/0",
      ":authority": "ratings:9080",
    });
  });

  it("another principal is denied in the tunnel", () => {
    const result = told(trace(tunnelled(mesh, "productpage-v1"), { from: "productpage-v1", url }));
    expect(result).toMatchObject({
      outcome: "403 rbac_access_denied_matched_policy[none]",
      hops: [...intoTunnel("productpage-v1"), tunnelEnd, { ...inTunnel, to: [] }],
      unknowns: [],
    });
  });

  it("a server whose proxy takes no tunnels: it ends before that, and what listens there is not its proxy", () => {
    const result = trace(tunnelled(bookinfo, "reviews-v2"), { from: "reviews-v2", url });
    expect(told(result)).toMatchObject({ outcome: "endpoint", hops: intoTunnel("reviews-v2"), unknowns: [] });
    expect(result.hops).toHaveLength(2);
    expect(result.assumptions).toContain(
      `${serverIp}:15008 does not enter the proxy: port 15008 is that of HBONE, which is not captured`,
    );
  });

  it("a port without a chain in the tunnel is no way in", () => {
    const result = told(trace(tunnelled(mesh, "reviews-v2", 9999), { from: "reviews-v2", url }));
    expect(result.outcome).toMatch(/^503 U[CF] upstream_reset_before_response_started$/);
    expect(result.hops.at(-1)).toMatchObject({ listener: "main_internal", chain: undefined });
    expect(result.nearMisses).toEqual([
      "filter chain 0.0.0.0_9080: it takes destination port 9080, and it goes to port 9999",
    ]);
  });
});

describe("a waypoint", () => {
  const workload = "istio-ingressgateway";
  const viaVip = "inbound-vip|9080|http|ratings.default.svc.cluster.local";
  const vip = bookinfo.services.find(({ name }) => name === "ratings")?.clusterIp ?? "";
  const named = (name: string): JsonObject => ({
    action: {
      name,
      typed_config: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: name },
    },
  });
  const input = (name: string): JsonObject => ({
    name,
    typed_config: {
      "@type": `type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.${name}`,
    },
  });
  /** By the service's address and port. */
  const tree: JsonObject = {
    matcher_tree: {
      input: input("DestinationIPInput"),
      custom_match: {
        name: "ip",
        typed_config: {
          "@type": "type.googleapis.com/xds.type.matcher.v3.IPMatcher",
          range_matchers: [
            {
              ranges: [{ address_prefix: vip, prefix_len: 32 }],
              on_match: {
                matcher: {
                  matcher_tree: {
                    input: input("DestinationPortInput"),
                    exact_match_map: { map: { "9080": named(viaVip) } },
                  },
                },
              },
            },
          ],
        },
      },
    },
  };

  /** The pod of the gateway is a waypoint instead. */
  function withWaypoint(mesh: Mesh): Mesh {
    const chain = {
      name: viaVip,
      filters: portFilters(mesh, 9080).map((one) =>
        objectIn(
          everyObject(one, (object) =>
            object["cluster"] === "inbound|9080||" ? { ...object, cluster: viaVip } : object,
          ),
        ),
      ),
    };
    const emptied = withProxies(mesh, of(workload), (proxy) => ({
      ...proxy,
      config: {
        ...proxy.config,
        listeners: [],
        bootstrap: editedResource(proxy.config.bootstrap, ["node", "id"], (old) =>
          typeof old === "string" ? old.replace(/^router~/, "waypoint~") : old,
        ),
      },
    }));
    const vipCluster: JsonObject = {
      "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
      name: viaVip,
      type: "EDS",
      eds_cluster_config: { eds_config: { ads: {} }, service_name: viaVip },
      transport_socket: tunnelSocket,
    };
    const listeners = [
      connectTerminate,
      mainInternal({ filter_chains: [chain], filter_chain_matcher: tree }),
      connectOriginate,
    ];
    const clusters = [mainInternalCluster, connectOriginateCluster, vipCluster];
    const there = listeners.reduce((changed, one) => withListener(changed, workload, one), emptied);
    const known = clusters.reduce((changed, one) => withCluster(changed, workload, one), there);
    return withNewResource(
      known,
      { list: "endpoints", name: "", side: "Envoy", proxies: of(workload) },
      tunnelledAssignment(viaVip, serverIp, 9080),
    );
  }

  const inWaypoint: ToldHop[] = [
    {
      at: `${workload} gateway`,
      listener: "main_internal",
      chain: viaVip,
      cluster: viaVip,
      to: ["connect_originate"],
    },
    {
      at: `${workload} gateway`,
      listener: "connect_originate",
      chain: "",
      cluster: "connect_originate",
      to: [`${serverIp}:15008 ${server}`],
    },
  ];
  const mesh = withWaypoint(withTunnelEnd(bookinfo));
  const waypointIp = ipOf(bookinfo, workload);

  it("between a client's tunnel and the server's: the client's principal is for its own policy", () => {
    const client = "reviews-v2";
    const assignment = tunnelledAssignment(cluster, vip, 9080, `${waypointIp}:15008`);
    const result = trace(withTunnels(mesh, client, assignment), { from: client, url });
    const [first, second] = intoTunnel(client);
    expect(told(result)).toMatchObject({
      hops: [
        first,
        { ...second, to: [`${waypointIp}:15008 ${workload}`] },
        { ...tunnelEnd, at: `${workload} gateway` },
        ...inWaypoint,
        tunnelEnd,
        { listener: "main_internal", at: `${server} inbound` },
      ],
      decided: [
        "envoy.filters.http.rbac allowed ns[default]-policy[ratings-viewer]-rule[0]",
        expect.stringMatching(/^envoy\.filters\.http\.rbac denied/),
      ],
      unknowns: [],
    });
    // the server's own policy sees the waypoint's principal, which it does not name
    expect(result.outcome).toMatchObject({ status: 403 });
  });

  it("as the first proxy: a tunnel brings the request, and of whom is not known", () => {
    const result = told(trace(mesh, { from: workload, url: "http://ratings.default:9080/ratings/0" }));
    expect(result.hops[0]).toMatchObject({ listener: "main_internal", chain: viaVip });
    expect(result.unknowns.join("\n")).toMatch(/^filter state: .*io\.istio\.peer_principal/);
  });

  it("has no chain for an address of no service of its own, and says what it does not know", () => {
    const other = told(trace(mesh, { from: workload, url: "http://details.default:9080/" }));
    expect(other).toMatchObject({
      outcome: "closed: NR filter_chain_not_found",
      hops: [{ listener: "main_internal", chain: undefined }],
    });
    const nobody = told(trace(mesh, { from: workload, url: "http://nobody.example.com:9080/" }));
    expect(nobody).toMatchObject({
      hops: [],
      unknowns: ["DNS: Nothing in the snapshot tells the address of nobody.example.com."],
    });
  });
});
