import { describe, expect, it } from "vitest";

import type { JsonObject } from "../../support/mesh/json.js";
import type { Mesh } from "../../support/mesh/model.js";
import {
  bookinfo,
  clusterOf,
  everyObject,
  healthyPath,
  held,
  ipOf,
  objectIn,
  outboundHop,
  told,
  trace,
  without,
} from "./bookinfo.js";

const matchOf = (chain: JsonObject): JsonObject => objectIn(chain["filter_chain_match"]);

/** Peer authentication of a workload: only chains for TLS that ends here (STRICT), or only those for plaintext (DISABLE). */
const withMode = (mesh: Mesh, workload: string, mode: "STRICT" | "DISABLE"): Mesh =>
  held(mesh, workload, "listeners", "virtualInbound", (listener) =>
    objectIn(
      everyObject(listener, (object) => {
        if (!("filters" in object) || matchOf(object)["transport_protocol"] === undefined) return object;
        const isMutualTls = "transport_socket" in object;
        if (isMutualTls !== (mode === "STRICT")) return null;
        return isMutualTls ? ofStrict(object) : object;
      }),
    ),
  );

/** What is TLS has to be Istio's there; only ports of no declared protocol are told apart by ALPN. */
function ofStrict(chain: JsonObject): JsonObject {
  const { application_protocols: protocols, ...others } = matchOf(chain);
  const isDeclared = "destination_port" in others || JSON.stringify(protocols).includes("peer-exchange");
  return isDeclared ? { ...chain, filter_chain_match: others } : chain;
}

/** A DestinationRule with the TLS mode DISABLE. */
const withoutClientTls = (mesh: Mesh, workload: string, service: string): Mesh =>
  held(mesh, workload, "clusters", clusterOf(service), (old) => without(old, "transport_socket_matches"));

const request = { from: "productpage-v1", url: "http://details:9080/details/0" };
const healthy = healthyPath("productpage-v1", "details", "details-v1");

describe("mutual TLS of both ends", () => {
  it.each([
    ["STRICT", withMode(bookinfo, "details-v1", "STRICT"), "mutual TLS"],
    ["PERMISSIVE", bookinfo, "mutual TLS"],
    [
      "PERMISSIVE, from a client without TLS",
      withoutClientTls(bookinfo, "productpage-v1", "details"),
      "plaintext",
    ],
    [
      "DISABLE, from a client without TLS",
      withMode(withoutClientTls(bookinfo, "productpage-v1", "details"), "details-v1", "DISABLE"),
      "plaintext",
    ],
  ])("goes together: %s", (_, mesh, words) => {
    const result = trace(mesh, request);
    expect(told(result)).toEqual(healthy);
    expect(result.hops[1]?.filterChain?.matched).toContain(words);
  });

  it("a STRICT server closes a connection in plaintext that was already made: 503 UC at the client", () => {
    const strict = withMode(bookinfo, "details-v1", "STRICT");
    const result = trace(withoutClientTls(strict, "productpage-v1", "details"), request);
    expect(told(result)).toEqual({
      outcome: "503 UC upstream_reset_before_response_started",
      hops: [
        outboundHop("productpage-v1", "details", "details-v1"),
        { at: "details-v1 inbound", listener: "virtualInbound", chain: undefined, cluster: null, to: [] },
      ],
      decided: [],
      nearMisses: [
        "filter chain virtualInbound: it takes transport protocol tls, and the transport is raw_buffer",
        "filter chain 0.0.0.0_9080: it takes transport protocol tls, and the transport is raw_buffer",
        "filter chain virtualInbound-blackhole: it takes destination port 15006, and it goes to port 9080",
      ],
      unknowns: [],
    });
    expect(result.hops[0]?.details.transports).toEqual(["plaintext"]);
  });

  it("a server without TLS answers no handshake: 503 UF at the client", () => {
    const result = trace(withMode(bookinfo, "details-v1", "DISABLE"), request);
    expect(told(result)).toMatchObject({
      outcome: "503 UF upstream_reset_before_response_started",
      hops: [
        { at: "productpage-v1 outbound" },
        { at: "details-v1 inbound", chain: undefined, cluster: null },
      ],
      unknowns: [],
    });
  });

  it("a pod without a proxy gets plaintext, as its endpoint has no TLS mode", () => {
    const result = trace(bookinfo, { from: "productpage-v1", url: "http://zipkin.istio-system:9411/" });
    expect(told(result)).toMatchObject({ outcome: "endpoint", hops: [{ at: "productpage-v1 outbound" }] });
    expect(result.hops).toHaveLength(1);
    expect(result.hops[0]?.details.transports).toEqual(["plaintext"]);
  });
});

describe("TLS of an application, which neither proxy ends", () => {
  const direct = { from: "productpage-v1", url: `https://${ipOf(bookinfo, "details-v1")}:9443/` };
  const way = {
    at: "productpage-v1 outbound",
    listener: "virtualOutbound",
    chain: "virtualOutbound-catchall-tcp",
    cluster: "PassthroughCluster",
    to: [`${ipOf(bookinfo, "details-v1")}:9443 details-v1`],
  };

  it("goes through a PERMISSIVE server", () => {
    expect(told(trace(bookinfo, direct))).toEqual({
      outcome: "endpoint",
      hops: [
        way,
        {
          ...way,
          at: "details-v1 inbound",
          listener: "virtualInbound",
          chain: "virtualInbound",
          cluster: "InboundPassthroughCluster",
        },
      ],
      decided: [],
      nearMisses: [],
      unknowns: [],
    });
  });

  it("is ended by a STRICT one, which asks for the certificate of a client of the mesh", () => {
    const result = trace(withMode(bookinfo, "details-v1", "STRICT"), direct);
    expect(told(result)).toMatchObject({
      outcome: "closed:",
      hops: [way, { at: "details-v1 inbound", chain: "virtualInbound", cluster: null }],
      unknowns: [],
    });
    expect(result.assumptions).toContain(
      "the filter chain asks for a client certificate, and the client has none",
    );
  });
});
