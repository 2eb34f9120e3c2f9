/** TLS settings that Istio writes for mutual TLS: SDS names `default` and `ROOTCA` (istio/istio, pilot/pkg/security/model). */

import type { Json, JsonObject } from "./json.js";

/** Where a proxy fetches its own certificate and the root: its agent, over a Unix socket. */
const agentSds: JsonObject = {
  api_config_source: {
    api_type: "GRPC",
    grpc_services: [{ envoy_grpc: { cluster_name: "sds-grpc" } }],
    set_node_on_first_message_only: true,
    transport_api_version: "V3",
  },
  initial_fetch_timeout: "0s",
  resource_api_version: "V3",
};

const secretOf = (name: string): JsonObject => ({ name, sds_config: agentSds });

const commonContext = (
  alpn: readonly string[],
  subjectAltNames: readonly JsonObject[],
  parameters: JsonObject,
): JsonObject => ({
  tls_params: parameters,
  alpn_protocols: alpn,
  tls_certificate_sds_secret_configs: [secretOf("default")],
  combined_validation_context: {
    default_validation_context:
      subjectAltNames.length === 0 ? {} : { match_subject_alt_names: subjectAltNames },
    validation_context_sds_secret_config: secretOf("ROOTCA"),
  },
});

const versions = { tls_minimum_protocol_version: "TLSv1_2", tls_maximum_protocol_version: "TLSv1_3" };

/** What a client uses towards endpoints with `tlsMode: istio`. */
export const upstreamMutualTls = (
  sni: string,
  identities: readonly string[],
  alpn: readonly string[],
): JsonObject => ({
  name: "envoy.transport_sockets.tls",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    common_tls_context: commonContext(
      alpn,
      identities.map((exact) => ({ exact })),
      versions,
    ),
    sni,
  },
});

export const plaintext: JsonObject = {
  name: "envoy.transport_sockets.raw_buffer",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
  },
};

/** What a sidecar asks of its clients. */
export const downstreamMutualTls = (trustDomain: string, alpn: readonly string[]): JsonObject => ({
  name: "envoy.transport_sockets.tls",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    common_tls_context: commonContext(alpn, [{ prefix: `spiffe://${trustDomain}/` }], {
      ...versions,
      cipher_suites: [
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
        "AES128-GCM-SHA256",
      ],
    }),
    require_client_certificate: true,
  },
});

/** What a gateway shows to the world: a certificate that Istiod delivers by ADS. */
export const downstreamSimpleTls = (credential: string): JsonObject => ({
  name: "envoy.transport_sockets.tls",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    common_tls_context: {
      tls_params: versions,
      alpn_protocols: ["h2", "http/1.1"],
      tls_certificate_sds_secret_configs: [
        {
          name: credential,
          sds_config: { ads: {}, initial_fetch_timeout: "0s", resource_api_version: "V3" } satisfies Json,
        },
      ],
    },
    require_client_certificate: false,
  },
});
