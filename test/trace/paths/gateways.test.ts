import { describe, expect, it } from "vitest";

import { withNewResource } from "../../support/mesh/edits.js";
import { liveAssignment, socketAddress } from "../../support/mesh/endpoints.js";
import { isObject, type JsonObject } from "../../support/mesh/json.js";
import { listenerType } from "../../support/mesh/listeners.js";
import type { Mesh } from "../../support/mesh/model.js";
import {
  bookinfo,
  clusterOf,
  everyObject,
  held,
  inboundHop,
  ipOf,
  objectIn,
  of,
  outboundHop,
  told,
  trace,
} from "./bookinfo.js";

const gateway = "istio-ingressgateway";
const url = "http://bookinfo.example.com/productpage";
/** Without the client's address it is not known whether the request is an internal one. */
const client = { sourceIp: "203.0.113.7" };

const throughGateway = (listener: string): JsonObject => ({
  at: `${gateway} gateway`,
  listener,
  chain: "",
  cluster: clusterOf("productpage"),
  to: [`${ipOf(bookinfo, "productpage-v1")}:9080 productpage-v1`],
});

describe("an ingress gateway", () => {
  it("takes HTTP at the port that its Service maps, and goes on with mutual TLS", () => {
    const result = trace(bookinfo, { from: gateway, url, ...client });
    expect(told(result)).toEqual({
      outcome: "endpoint",
      hops: [throughGateway("0.0.0.0_8080"), inboundHop("productpage-v1")],
      decided: [],
      nearMisses: [],
      unknowns: [],
    });
    expect(result.assumptions).toContain(
      "Port 80 of the Service istio-ingressgateway.istio-system is port 8080 of the gateway.",
    );
    expect(Object.fromEntries(result.hops[1]?.requestHeaders ?? [])).toMatchObject({
      ":authority": "bookinfo.example.com",
      "x-forwarded-for": expect.stringContaining("203.0.113.7") as unknown,
    });
  });

  it("at its own port needs no Service", () => {
    const direct = trace(bookinfo, { from: gateway, url: url.replace(".com", ".com:8080"), ...client });
    expect(told(direct).hops[0]).toEqual(throughGateway("0.0.0.0_8080"));
    expect(direct.assumptions.join("\n")).not.toContain("of the Service");
  });

  it("nothing listens on another port", () => {
    const result = trace(bookinfo, { from: gateway, url: url.replace(".com", ".com:8888"), ...client });
    expect(told(result)).toMatchObject({
      outcome: "closed:",
      hops: [{ listener: undefined, cluster: null }],
    });
    expect(result.assumptions).toContain(`nothing listens on ${ipOf(bookinfo, gateway)}:8888`);
  });

  it("takes HTTPS by the server name, and closes a connection for another one", () => {
    const secure = { from: gateway, url: url.replace("http", "https"), ...client };
    expect(told(trace(bookinfo, secure))).toEqual({
      outcome: "endpoint",
      hops: [throughGateway("0.0.0.0_8443"), inboundHop("productpage-v1")],
      decided: [],
      nearMisses: [],
      unknowns: [],
    });
    const tls = { sni: "other.example.com" };
    expect(told(trace(bookinfo, { ...secure, tls }))).toEqual({
      outcome: "closed: NR filter_chain_not_found",
      hops: [{ at: `${gateway} gateway`, listener: "0.0.0.0_8443", chain: undefined, cluster: null, to: [] }],
      decided: [],
      nearMisses: [expect.stringMatching(/it takes server name bookinfo\.example\.com/)],
      unknowns: [],
    });
    const plain = told(trace(bookinfo, { ...secure, url: url.replace(".com", ".com:8443") }));
    expect(plain.outcome).toBe("closed: NR filter_chain_not_found");
    // who dials an address sends no server name
    const byAddress = `https://${ipOf(bookinfo, gateway)}:8443/productpage`;
    expect(told(trace(bookinfo, { ...secure, url: byAddress })).outcome).toBe(
      "closed: NR filter_chain_not_found",
    );
  });

  it("sends to HTTPS what comes by HTTP, where the Gateway asks for that", () => {
    const redirecting = held(bookinfo, gateway, "routes", "http.8080", (routes) => ({
      ...routes,
      virtual_hosts: [routes["virtual_hosts"]]
        .flat()
        .filter(isObject)
        .map((virtualHost) => ({ ...virtualHost, require_tls: "ALL" })),
    }));
    const { outcome, hops } = trace(redirecting, { from: gateway, url, ...client });
    expect(outcome).toMatchObject({
      kind: "redirect",
      status: 301,
      location: "https://bookinfo.example.com/productpage",
    });
    expect(hops).toHaveLength(1);
    const behindTls = { from: gateway, url: url.replace("http", "https"), ...client };
    expect(told(trace(redirecting, behindTls)).outcome).toBe("endpoint");
  });

  it("has no route for a path that no VirtualService names", () => {
    const other = { from: gateway, url: "http://bookinfo.example.com/reviews", ...client };
    expect(told(trace(bookinfo, other))).toMatchObject({
      outcome: "404 NR route_not_found",
      hops: [{ listener: "0.0.0.0_8080", cluster: null }],
      unknowns: [],
    });
  });
});

describe("an east-west gateway", () => {
  const service = "ratings";
  const cluster = clusterOf(service);
  /** Also the name of the cluster. */
  const serverName = "outbound_.9080_._.ratings.default.svc.cluster.local";
  const gatewayIp = ipOf(bookinfo, gateway);
  const tlsInspector: JsonObject = {
    name: "envoy.filters.listener.tls_inspector",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
    },
  };
  const tcpProxy = (name: string): JsonObject => ({
    name: "envoy.filters.network.tcp_proxy",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
      stat_prefix: name,
      cluster: name,
    },
  });
  const sniCluster: JsonObject = {
    name: "envoy.filters.network.sni_cluster",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.sni_cluster.v3.SniCluster",
    },
  };

  /** AUTO_PASSTHROUGH at port 15443, as Istio wrote it first (`sni_cluster`) and writes it now (a chain for each service). */
  const passthrough = {
    "by sni_cluster": {
      filter_chain_match: { server_names: ["*.local"] },
      filters: [sniCluster, tcpProxy("BlackHoleCluster")],
    },
    "by a chain for each service": {
      filter_chain_match: { server_names: [serverName], transport_protocol: "tls" },
      filters: [tcpProxy(serverName)],
    },
  };

  /** The gateway in front of another network: the client's endpoints of the service are the gateway's address. */
  function withGateway(chain: JsonObject, knowsCluster: boolean): Mesh {
    const add = (mesh: Mesh, list: "listeners" | "clusters" | "endpoints", resource: JsonObject): Mesh =>
      withNewResource(mesh, { list, name: "", side: "Envoy", proxies: of(gateway) }, resource);
    const listening = add(bookinfo, "listeners", {
      "@type": listenerType,
      name: "0.0.0.0_15443",
      address: socketAddress("0.0.0.0", 15443),
      filter_chains: [chain],
      listener_filters: [tlsInspector],
    });
    const assignment = (name: string): JsonObject =>
      liveAssignment(name, [
        {
          address: ipOf(bookinfo, "ratings-v1"),
          port: 9080,
          zone: "eu-central-1a",
          pod: bookinfo.pods.find(({ ip }) => ip === ipOf(bookinfo, "ratings-v1")) ?? null,
        },
      ]);
    const known = knowsCluster
      ? add(
          add(listening, "clusters", {
            "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
            name: serverName,
            type: "EDS",
            eds_cluster_config: { eds_config: { ads: {} }, service_name: serverName },
          }),
          "endpoints",
          assignment(serverName),
        )
      : listening;
    return ["reviews-v2", "productpage-v1"].reduce(
      (mesh, workload) =>
        held(mesh, workload, "endpoints", cluster, (old) =>
          objectIn(
            everyObject(old, (object) =>
              "port_value" in object ? { ...object, address: gatewayIp, port_value: 15443 } : object,
            ),
          ),
        ),
      known,
    );
  }

  const request = { from: "reviews-v2", url: "http://ratings:9080/ratings/0" };
  const toGateway = {
    ...outboundHop("reviews-v2", service, "ratings-v1"),
    to: [`${gatewayIp}:15443 ${gateway}`],
  };

  it.each(Object.entries(passthrough))("%s: passes mutual TLS on to the pod of that name", (_, chain) => {
    const result = trace(withGateway(chain, true), request);
    expect(told(result)).toEqual({
      outcome: "endpoint",
      hops: [
        toGateway,
        {
          at: `${gateway} gateway`,
          listener: "0.0.0.0_15443",
          chain: "",
          cluster: serverName,
          to: [`${ipOf(bookinfo, "ratings-v1")}:9080 ratings-v1`],
        },
        inboundHop("ratings-v1"),
      ],
      decided: ["envoy.filters.http.rbac allowed ns[default]-policy[ratings-viewer]-rule[0]"],
      nearMisses: [],
      unknowns: [],
    });
    // the certificate is the client's, not the gateway's
    expect(result.hops[2]?.filterChain?.matched).toContain("mutual TLS");
  });

  it.each(Object.entries(passthrough))("%s: the policy behind it sees who the client is", (_, chain) => {
    const other = { ...request, from: "productpage-v1" };
    expect(told(trace(withGateway(chain, true), other))).toMatchObject({
      outcome: "403 rbac_access_denied_matched_policy[none]",
      hops: [{}, { cluster: serverName }, { at: "ratings-v1 inbound" }],
      unknowns: [],
    });
  });

  it.each(Object.entries(passthrough))("%s: a name without a cluster is no way in", (_, chain) => {
    expect(told(trace(withGateway(chain, false), request))).toEqual({
      outcome: "503 UF upstream_reset_before_response_started",
      hops: [
        toGateway,
        {
          at: `${gateway} gateway`,
          listener: "0.0.0.0_15443",
          chain: "",
          cluster: serverName,
          to: [],
        },
      ],
      decided: [],
      nearMisses: [],
      unknowns: [],
    });
  });
});
