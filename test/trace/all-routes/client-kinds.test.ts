import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { ClientKinds } from "../../../src/trace/all-routes/client-kinds.js";
import type { ClientCertificate } from "../../../src/trace/request.js";

const certificate = (account: string): ClientCertificate => ({
  uriSans: [`spiffe://cluster.local/ns/default/sa/${account}`],
  dnsSans: [],
  subject: "",
  isValidated: true,
});
const listenerFor = (...prefixes: readonly string[]): Message => ({
  filter_chains: prefixes.map((prefix) => ({
    transport_socket: {
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        require_client_certificate: true,
        common_tls_context: {
          validation_context: {
            trusted_ca: { filename: "/root" },
            match_subject_alt_names: [{ prefix }],
          },
        },
      },
    },
  })),
});

describe("ClientKinds", () => {
  it("are one for clients that every listener takes alike", () => {
    const kinds = new ClientKinds([listenerFor("spiffe://cluster.local/")]);
    expect(kinds.of(certificate("a"))).toBe(kinds.of(certificate("b")));
    expect(kinds.of(certificate("a"))).not.toBe(kinds.of({ ...certificate("a"), isValidated: false }));
  });

  it("differ where any listener tells them apart", () => {
    const kinds = new ClientKinds([
      listenerFor("spiffe://cluster.local/"),
      listenerFor("spiffe://cluster.local/ns/default/sa/a"),
    ]);
    expect(kinds.of(certificate("a"))).not.toBe(kinds.of(certificate("b")));
    expect(kinds.of(certificate("b"))).toBe(kinds.of(certificate("c")));
  });

  it("are those of their certificates where listeners ask for very many things", () => {
    const prefixes = Array.from({ length: 101 }, (_, index) => `spiffe://${index}/`);
    const kinds = new ClientKinds([listenerFor(...prefixes)]);
    expect(kinds.of(certificate("a"))).not.toBe(kinds.of(certificate("b")));
  });

  it("are two more without a certificate, and with one that is not known", () => {
    const kinds = new ClientKinds([]);
    expect(new Set([kinds.of(null), kinds.of("unknown"), kinds.of(certificate("a"))]).size).toBe(3);
  });
});
