/**
 * Secrets of `envoy.extensions.transport_sockets.tls.v3` (api/envoy/extensions/transport_sockets/tls/v3/{common,secret}.proto):
 * by SDS, and inline in the sockets of clusters and listeners.
 */

import type { JsonObject } from "../mesh/json.js";
import type { Plant } from "./canary.js";
import { any, extension } from "./message.js";
import { base64, binary, hexadecimal, password, phrase, privateKey, symmetricKey, token } from "./values.js";

const secretType = "envoy.extensions.transport_sockets.tls.v3.Secret";
const tlsType = (name: string): string => `envoy.extensions.transport_sockets.tls.v3.${name}`;

/** A `TlsCertificate` with all that can be secret in one, each in another form of `DataSource`. */
const tlsCertificate = (plant: Plant, at: string): JsonObject => ({
  private_key: { inline_string: plant(`${at}.private_key.inline_string`, privateKey("EC PRIVATE KEY")) },
  password: { inline_string: plant(`${at}.password`, password) },
  pkcs12: { inline_bytes: plant(`${at}.pkcs12`, binary(160)) },
  private_key_provider: {
    provider_name: "cryptomb",
    typed_config: any(
      "envoy.extensions.private_key_providers.cryptomb.v3alpha.CryptoMbPrivateKeyMethodConfig",
      {
        private_key: {
          inline_string: plant(`${at}.private_key_provider`, privateKey("RSA PRIVATE KEY")),
        },
        poll_delay: "0.002s",
      },
    ),
  },
});

/** What SDS delivers. @returns the dynamic secrets */
export const tlsSecrets = (plant: Plant): JsonObject[] => [
  any(secretType, {
    name: "kubernetes://ledger-credential",
    tls_certificate: {
      private_key: { inline_bytes: base64(plant("SDS private_key.inline_bytes", privateKey())) },
    },
  }),
  any(secretType, {
    name: "kubernetes://ledger-twice-encoded",
    tls_certificate: {
      private_key: { inline_bytes: base64(base64(plant("SDS private_key base64 in base64", privateKey()))) },
    },
  }),
  any(secretType, {
    name: "ledger-protected",
    tls_certificate: tlsCertificate(plant, "SDS tls_certificate"),
  }),
  any(secretType, {
    name: "ledger-password-bytes",
    tls_certificate: { password: { inline_bytes: base64(plant("SDS password.inline_bytes", phrase)) } },
  }),
  any(secretType, {
    name: "ledger-tickets",
    session_ticket_keys: {
      keys: [
        { inline_bytes: plant("SDS session_ticket_keys.keys/0", binary(80)) },
        { inline_string: plant("SDS session_ticket_keys.keys/1", hexadecimal) },
      ],
    },
  }),
  any(secretType, {
    name: "ledger-generic",
    generic_secret: { secret: { inline_string: plant("SDS generic_secret.inline_string", password) } },
  }),
  any(secretType, {
    name: "ledger-generic-bytes",
    generic_secret: { secret: { inline_bytes: base64(plant("SDS generic_secret.inline_bytes", token)) } },
  }),
  any(secretType, {
    name: "ledger-generic-map",
    generic_secret: {
      secrets: { first: { inline_string: plant("SDS generic_secret.secrets", password) } },
    },
  }),
];

/** `bootstrap.static_resources.secrets`: messages without a type. */
export const staticSecrets = (plant: Plant): JsonObject[] => [
  {
    name: "static-server",
    tls_certificate: {
      private_key: { inline_string: plant("static secret private_key", privateKey("RSA PRIVATE KEY")) },
    },
  },
  {
    name: "static-generic",
    generic_secret: { secret: { inline_string: plant("static generic_secret", password) } },
  },
  {
    name: "static-tickets",
    session_ticket_keys: {
      keys: [{ inline_bytes: plant("static session_ticket_keys", binary(80)) }],
    },
  },
];

/** An `UpstreamTlsContext` with its certificate in it. */
export const upstreamTls = (plant: Plant, at: string): JsonObject =>
  extension("envoy.transport_sockets.tls", tlsType("UpstreamTlsContext"), {
    common_tls_context: { tls_certificates: [tlsCertificate(plant, at)] },
    sni: "ledger.internal",
  });

/** A `DownstreamTlsContext` with certificate and ticket keys in it. */
export const downstreamTls = (plant: Plant, at: string): JsonObject =>
  extension("envoy.transport_sockets.tls", tlsType("DownstreamTlsContext"), {
    common_tls_context: { tls_certificates: [tlsCertificate(plant, at)] },
    session_ticket_keys: {
      keys: [{ inline_bytes: plant(`${at}.session_ticket_keys`, symmetricBytes) }],
    },
  });

const symmetricBytes = binary(48);

/** A socket inside a socket: PROXY protocol around TLS. */
export const wrappedTls = (plant: Plant, at: string): JsonObject =>
  extension(
    "envoy.transport_sockets.upstream_proxy_protocol",
    "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
    { config: { version: "V2" }, transport_socket: upstreamTls(plant, at) },
  );

/** Of the v2 API: `tls_context` beside the cluster's other fields. */
export const oldTlsContext = (plant: Plant, at: string): JsonObject => ({
  common_tls_context: {
    tls_certificates: [
      { private_key: { inline_bytes: base64(plant(`${at}.private_key`, privateKey())) } },
      { password: { inline_string: plant(`${at}.password`, symmetricKey) } },
    ],
  },
});
