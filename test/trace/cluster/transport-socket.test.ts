import { describe, expect, it } from "vitest";

import {
  upstreamProtocol,
  upstreamTransport,
  type UpstreamClient,
} from "../../../src/trace/cluster/transport-socket.js";
import type { ClientCertificate } from "../../../src/trace/request.js";
import { aHost } from "./builders.js";

type Fields = Readonly<Record<string, unknown>>;

const socketOf = (type: string, fields: Fields = {}): Fields => ({
  name: "x",
  typed_config: { "@type": `type.googleapis.com/envoy.extensions.transport_sockets.${type}`, ...fields },
});
const tls = (fields: Fields = {}, common: Fields = {}): Fields =>
  socketOf("tls.v3.UpstreamTlsContext", { ...fields, common_tls_context: common });
const raw = socketOf("raw_buffer.v3.RawBuffer");

const workload: ClientCertificate = {
  uriSans: ["spiffe://cluster.local/ns/default/sa/productpage"],
  dnsSans: [],
  subject: "",
  isValidated: "unknown",
};
const client: UpstreamClient = {
  headers: [[":authority", "reviews:9080"]],
  serverName: "",
  alpn: [],
  protocol: "http/1.1",
  workload,
};

const mutual = tls(
  { sni: "outbound_.9080_._.reviews.default.svc.cluster.local" },
  {
    alpn_protocols: ["istio-peer-exchange", "istio"],
    tls_certificate_sds_secret_configs: [{ name: "default" }],
  },
);
/** As Istiod writes auto mTLS. */
const auto = {
  name: "outbound|9080||reviews",
  transport_socket_matches: [
    { name: "tlsMode-istio", match: { tlsMode: "istio" }, transport_socket: mutual },
    { name: "tlsMode-disabled", match: {}, transport_socket: raw },
  ],
};
const withLabels = (labels: Fields) => aHost(1, { metadata: { "envoy.transport_socket_match": labels } });
const transport = (cluster: Fields, host = aHost(1), more: Partial<UpstreamClient> = {}) =>
  upstreamTransport(cluster, host, { ...client, ...more });

describe("the transport socket of a host", () => {
  it("goes by its metadata: auto mTLS", () => {
    expect(transport(auto, withLabels({ tlsMode: "istio" }))).toEqual({
      name: "tlsMode-istio",
      tls: {
        sni: "outbound_.9080_._.reviews.default.svc.cluster.local",
        alpn: ["istio-peer-exchange", "istio"],
        certificate: workload,
      },
      sendsProxyProtocol: false,
      unknowns: [],
    });
    expect(transport(auto, withLabels({ tlsMode: "disabled" }))).toMatchObject({
      name: "tlsMode-disabled",
      tls: null,
    });
    expect(transport(auto)).toMatchObject({ name: "tlsMode-disabled", tls: null });
  });

  it("is unknown where its metadata was not captured, unless anything matches", () => {
    const lost = aHost(1, { metadata: null, localityMetadata: null });
    expect(transport(auto, lost)).toMatchObject({ tls: "unknown", unknowns: [{ reason: "not captured" }] });
    const catchAll = { name: "c", transport_socket_matches: [{ name: "all", transport_socket: raw }] };
    expect(transport(catchAll, lost)).toMatchObject({ name: "all", tls: null, unknowns: [] });
    expect(transport({ name: "c", transport_socket: tls() }, lost)).toMatchObject({
      name: "default",
      unknowns: [],
    });
  });

  it("goes by its locality's metadata next, then by the cluster's own, else it is plaintext", () => {
    const cluster = {
      name: "c",
      transport_socket_matches: [{ name: "m", match: { a: "b" }, transport_socket: raw }],
      transport_socket: tls(),
    };
    const localityMetadata = { "envoy.transport_socket_match": { a: "b" } };
    expect(transport(cluster, aHost(1, { localityMetadata }))).toMatchObject({ name: "m", tls: null });
    expect(transport(cluster)).toMatchObject({ name: "default", tls: { sni: "" } });
    expect(transport({ name: "c" })).toMatchObject({ name: "default", tls: null });
  });

  it("is not known where a matcher chooses it", () => {
    expect(transport({ ...auto, transport_socket_matcher: {} })).toMatchObject({
      tls: "unknown",
      unknowns: [{ reason: "expression" }],
    });
  });

  it.each([
    ["raw_buffer.v3.RawBuffer", {}, null, false],
    ["starttls.v3.UpstreamStartTlsConfig", {}, null, false],
    ["proxy_protocol.v3.ProxyProtocolUpstreamTransport", { transport_socket: raw }, null, true],
    ["internal_upstream.v3.InternalUpstreamTransport", { transport_socket: raw }, null, false],
    ["tap.v3.Tap", { transport_socket: raw }, null, false],
  ])("%s is seen through", (type, fields, expected, sendsProxyProtocol) => {
    const found = transport({ name: "c", transport_socket: socketOf(type, fields) });
    expect(found).toMatchObject({ tls: expected, sendsProxyProtocol, unknowns: [] });
  });

  it("with TLS inside of another is TLS", () => {
    const wrapped = socketOf("proxy_protocol.v3.ProxyProtocolUpstreamTransport", {
      transport_socket: mutual,
    });
    expect(transport({ name: "c", transport_socket: wrapped })).toMatchObject({
      tls: { certificate: workload },
      sendsProxyProtocol: true,
    });
  });

  it("of another type is unknown; nesting ends", () => {
    expect(transport({ name: "c", transport_socket: socketOf("alts.v3.Alts") })).toMatchObject({
      tls: "unknown",
      unknowns: [{ reason: "unsupported filter" }],
    });
    let nested = raw;
    for (let depth = 0; depth < 50; depth++) nested = socketOf("tap.v3.Tap", { transport_socket: nested });
    expect(transport({ name: "c", transport_socket: nested })).toMatchObject({
      unknowns: [{ reason: "limit" }],
    });
  });

  it("without a configuration goes by its name", () => {
    expect(transport({ name: "c", transport_socket: { name: "envoy.transport_sockets.tls" } })).toMatchObject(
      {
        tls: { sni: "", alpn: ["http/1.1"], certificate: null },
      },
    );
    expect(transport({ name: "c", transport_socket: { name: "raw_buffer" } })).toMatchObject({ tls: null });
  });
});

describe("the server name", () => {
  const autoSni = (more: Fields = {}): Fields => ({
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        upstream_http_protocol_options: { auto_sni: true, ...more },
      },
    },
  });
  const named = { name: "c", transport_socket: tls({ sni: "configured" }) };
  const sniOf = (cluster: Fields, more: Partial<UpstreamClient> = {}, hostname = ""): unknown => {
    const found = transport(cluster, aHost(1, { hostname }), more).tls;
    return found === null || found === "unknown" ? found : found.sni;
  };

  it.each([
    ["configured", named, {}, "configured"],
    ["from the authority, without its port", { ...named, ...autoSni() }, {}, "reviews"],
    [
      "not from an IP address",
      { ...named, ...autoSni() },
      { headers: [[":authority", "10.0.0.1:80"]] as const },
      "configured",
    ],
    [
      "not from an IPv6 address",
      { ...named, ...autoSni() },
      { headers: [[":authority", "[::1]:80"]] as const },
      "configured",
    ],
    [
      "from another header",
      { ...named, ...autoSni({ override_auto_sni_header: "X-Sni" }) },
      {
        headers: [
          [":authority", "a"],
          ["x-sni", "b.com"],
        ] as const,
      },
      "b.com",
    ],
    ["from a filter", named, { serverName: "filter" }, "filter"],
    ["from a filter, for TCP", { ...named, ...autoSni() }, { protocol: null, serverName: "" }, "configured"],
    ["from the older field", { ...named, upstream_http_protocol_options: { auto_sni: true } }, {}, "reviews"],
  ])("is %s", (_, cluster, more, expected) => {
    expect(sniOf(cluster, more)).toBe(expected);
  });

  it("may be that of the host", () => {
    const cluster = { name: "c", transport_socket: tls({ sni: "configured", auto_host_sni: true }) };
    expect(sniOf(cluster, {}, "host.example")).toBe("host.example");
    expect(sniOf(cluster)).toBe("configured");
  });
});

describe("the certificate", () => {
  const certificateOf = (common: Fields): unknown => {
    const found = transport({ name: "c", transport_socket: tls({}, common) }).tls;
    return found === null || found === "unknown" ? found : found.certificate;
  };

  it.each([
    ["none", {}, null],
    ["the workload's", { tls_certificate_sds_secret_configs: [{ name: "default" }] }, workload],
    ["another of SDS", { tls_certificate_sds_secret_configs: [{ name: "kubernetes://x" }] }, "unknown"],
    ["in files or inline", { tls_certificates: [{}] }, "unknown"],
    ["from a provider", { tls_certificate_provider_instance: {} }, "unknown"],
    [
      "trust alone is none",
      { combined_validation_context: { validation_context_sds_secret_config: { name: "ROOTCA" } } },
      null,
    ],
  ])("is %s", (_, common, expected) => {
    expect(certificateOf(common)).toEqual(expected);
  });
});

describe("ALPN", () => {
  const alpnOf = (configured: readonly string[], more: Partial<UpstreamClient>): unknown => {
    const cluster = { name: "c", transport_socket: tls({}, { alpn_protocols: configured }) };
    const found = transport(cluster, aHost(1), more).tls;
    return found === null || found === "unknown" ? found : found.alpn;
  };

  it.each([
    ["a filter's first", ["istio"], { alpn: ["istio-http/1.1", "istio"] }, ["istio-http/1.1", "istio"]],
    ["then the configured", ["istio"], {}, ["istio"]],
    ["then the pool's", [], { protocol: "h2" as const }, ["h2"]],
    ["both of them", [], { protocol: "auto" as const }, ["h2", "http/1.1"]],
    ["none for TCP", [], { protocol: null }, []],
  ])("is %s", (_, configured, more, expected) => {
    expect(alpnOf(configured, more)).toEqual(expected);
  });
});

describe("what is spoken upstream", () => {
  const options = (fields: Fields): Fields => ({
    typed_extension_protocol_options: {
      any: { "@type": "x/envoy.extensions.upstreams.http.v3.HttpProtocolOptions", ...fields },
    },
  });

  it.each([
    [{}, "http/1.1"],
    [{ http2_protocol_options: {} }, "h2"],
    [{ protocol_selection: "USE_DOWNSTREAM_PROTOCOL" }, "h2"],
    [options({ explicit_http_config: { http2_protocol_options: {} } }), "h2"],
    [options({ explicit_http_config: { http_protocol_options: {} } }), "http/1.1"],
    [options({ use_downstream_protocol_config: { http2_protocol_options: {} } }), "h2"],
    [options({ auto_config: {} }), "auto"],
  ])("%j: %s", (cluster, expected) => {
    expect(upstreamProtocol(cluster, "h2")).toBe(expected);
  });

  it("follows what the request came in only where it is told to", () => {
    expect(upstreamProtocol(options({ use_downstream_protocol_config: {} }), "http/1.1")).toBe("http/1.1");
    expect(upstreamProtocol({ http2_protocol_options: {} }, "http/1.1")).toBe("h2");
  });
});
