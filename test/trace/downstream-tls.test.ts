import { describe, expect, it } from "vitest";

import type { Message } from "../../src/snapshot/message.js";
import { acceptTls, agreedProtocol } from "../../src/trace/downstream-tls.js";
import type { ClientCertificate, TlsClient } from "../../src/trace/request.js";

const certificate: ClientCertificate = {
  uriSans: ["spiffe://cluster.local/ns/default/sa/a"],
  dnsSans: ["*.example.com"],
  subject: "CN=a",
  isValidated: true,
};
const client = (own: TlsClient["certificate"]): TlsClient => ({ sni: "", alpn: [], certificate: own });

const at = (
  validation: Message | null,
  own: TlsClient["certificate"],
  { require = false, context = {} }: { require?: boolean; context?: Message } = {},
): string =>
  acceptTls(
    {
      transport_socket: {
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
          ...(require && { require_client_certificate: true }),
          common_tls_context: { ...(validation !== null && { validation_context: validation }), ...context },
        },
      },
    },
    client(own),
  ).kind;

const root = { trusted_ca: { filename: "ca.pem" } };
const name = (san_type: string, matcher: Message): Message => ({
  ...root,
  match_typed_subject_alt_names: [{ san_type, matcher }],
});

describe("a client certificate", () => {
  it("is required only where there is a root to check it by", () => {
    expect(at(root, null, { require: true })).toBe("refused");
    expect(at(root, null)).toBe("accepted");
    expect(at(null, null, { require: true })).toBe("accepted");
    const secret = { validation_context_sds_secret_config: { name: "ROOTCA" } };
    expect(at(null, null, { require: true, context: secret })).toBe("refused");
  });

  it("is required where names or pins are asked for", () => {
    expect(at(name("URI", { prefix: "spiffe://" }), null)).toBe("refused");
    expect(at({ ...root, verify_certificate_hash: ["aa"] }, null)).toBe("refused");
    const any = { trust_chain_verification: "ACCEPT_UNTRUSTED" };
    expect(at({ ...name("URI", { prefix: "spiffe://" }), ...any }, null)).toBe("accepted");
  });

  it.each([
    ["URI", { prefix: "spiffe://cluster.local/" }, "accepted"],
    ["URI", { prefix: "spiffe://other/" }, "refused"],
    ["DNS", { prefix: "spiffe://" }, "refused"],
    ["DNS", { exact: "a.example.com" }, "accepted"],
    ["DNS", { exact: "a.b.example.com" }, "refused"],
    ["DNS", { exact: "example.com" }, "refused"],
    ["EMAIL", { exact: "a@b" }, "unknown"],
  ])("with a name of the kind %s, %j: %s", (kind, matcher, outcome) => {
    expect(at(name(kind, matcher), certificate)).toBe(outcome);
  });

  it("has to have one of several names, as Istio asks for trust domains", () => {
    const ofDomains = (...domains: string[]): Message => ({
      combined_validation_context: {
        default_validation_context: {
          match_subject_alt_names: domains.map((domain) => ({ prefix: `spiffe://${domain}/` })),
        },
        validation_context_sds_secret_config: { name: "ROOTCA" },
      },
    });
    const require = true;
    expect(at(null, certificate, { require, context: ofDomains("old", "cluster.local") })).toBe("accepted");
    expect(at(null, certificate, { require, context: ofDomains("old") })).toBe("refused");
    expect(at(null, "unknown", { require, context: ofDomains("old") })).toBe("unknown");
  });

  it("is refused from a stranger, unless strangers are taken", () => {
    const stranger = { ...certificate, isValidated: false };
    expect(at(root, stranger)).toBe("refused");
    expect(at({ ...root, trust_chain_verification: "ACCEPT_UNTRUSTED" }, stranger)).toBe("accepted");
  });

  it("with pins cannot be told", () => {
    expect(at({ ...root, verify_certificate_spki: ["aa"] }, certificate)).toBe("unknown");
  });
});

describe("what a client sends", () => {
  const ended = {
    transport_socket: {
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
      },
    },
  };
  const plain = {
    transport_socket: {
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
      },
    },
  };

  it.each([
    ["plaintext", "no socket", {}, null, "accepted", false],
    ["plaintext", "a raw one", plain, null, "accepted", false],
    ["plaintext", "one of TLS", ended, null, "refused", null],
    ["TLS", "no socket", {}, client(null), "accepted", false],
    ["TLS", "a raw one", plain, client(null), "accepted", false],
    ["TLS", "one of TLS", ended, client(null), "accepted", true],
    ["mutual TLS", "one that asks for nothing", ended, client(certificate), "accepted", true],
    ["mutual TLS", "no socket", {}, client(certificate), "accepted", false],
  ] as const)("%s at a chain with %s", (_, __, chain, tls, kind, isTerminated) => {
    expect(acceptTls(chain, tls)).toMatchObject({ kind, ...(isTerminated !== null && { isTerminated }) });
  });
});

describe("ALPN", () => {
  const chain = (...protocols: string[]): Message => ({
    transport_socket: {
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        common_tls_context: { alpn_protocols: protocols },
      },
    },
  });
  it.each([
    [["h2", "http/1.1"], ["http/1.1", "h2"], "h2"],
    [["http/1.1", "h2"], ["h2", "http/1.1"], "http/1.1"],
    [["h2"], ["istio", "h2"], "h2"],
    [["h2"], ["http/1.1"], undefined],
    [["h2"], [], undefined],
    [[], ["h2"], undefined],
  ])("of the chain %j and the client %j is %s: the chain's order counts", (own, alpn, agreed) => {
    expect(agreedProtocol(chain(...own), { ...client(null), alpn })).toBe(agreed);
  });
});
