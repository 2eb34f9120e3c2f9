/** Sections and states of a config dump that the generated mesh has none of (api/envoy/admin/v3/config_dump*.proto). */

import type { JsonObject } from "../mesh/json.js";
import type { Plant } from "./canary.js";
import { any, headerOption, typeUrl } from "./message.js";
import { base64, jsonWebToken, password, privateKey, token } from "./values.js";

const admin = (name: string): string => typeUrl(`envoy.admin.v3.${name}ConfigDump`);

/** Extensions that come by ECDS, of which one that failed. */
export const extensionSection = (plant: Plant): JsonObject => ({
  "@type": admin("Ecds"),
  ecds_filters: [
    {
      version_info: "1",
      ecds_filter: any("envoy.config.core.v3.TypedExtensionConfig", {
        name: "ledger.plugin",
        typed_config: any("envoy.extensions.filters.http.wasm.v3.Wasm", {
          config: {
            vm_config: {
              environment_variables: { key_values: { PIN: plant("ECDS wasm environment", password) } },
            },
            configuration: any("google.protobuf.StringValue", {
              value: plant("ECDS wasm configuration", password),
            }),
          },
        }),
      }),
      last_updated: "2026-03-02T09:00:00.000Z",
    },
  ],
});

export const scopedRoutesSection = (plant: Plant): JsonObject => ({
  "@type": admin("ScopedRoutes"),
  dynamic_scoped_route_configs: [
    {
      name: "scopes",
      version_info: "1",
      scoped_route_configs: [
        any("envoy.config.route.v3.ScopedRouteConfiguration", {
          name: "scope",
          route_configuration: {
            name: "scoped",
            virtual_hosts: [
              {
                name: "v",
                domains: ["*"],
                request_headers_to_add: [
                  headerOption("authorization", plant("scoped route header", password)),
                ],
              },
            ],
          },
          key: { fragments: [{ string_key: "a" }] },
        }),
      ],
      last_updated: "2026-03-02T09:00:00.000Z",
    },
  ],
});

/** Secrets that the process began with, that wait, and that failed. */
export const secretLists = (plant: Plant): JsonObject => ({
  static_secrets: [
    {
      name: "file-cert",
      last_updated: "2026-03-02T09:00:00.000Z",
      secret: any("envoy.extensions.transport_sockets.tls.v3.Secret", {
        name: "file-cert",
        tls_certificate: {
          private_key: {
            inline_bytes: base64(plant("static_secrets private_key", privateKey("RSA PRIVATE KEY"))),
          },
        },
      }),
    },
  ],
  dynamic_warming_secrets: [
    {
      name: "waiting",
      version_info: "1",
      last_updated: "2026-03-02T09:00:00.000Z",
      secret: any("envoy.extensions.transport_sockets.tls.v3.Secret", {
        name: "waiting",
        generic_secret: {
          secret: { inline_string: plant("dynamic_warming_secrets generic_secret", password) },
        },
      }),
      error_state: {
        last_update_attempt: "2026-03-02T09:00:00.000Z",
        details: `bad secret: access_token=${plant("dynamic_warming_secrets error_state.details", token)}`,
      },
    },
  ],
});

/** How Envoy refuses a listener: it quotes what it refuses (envoyproxy/envoy issue 4757). */
export const rejection = (plant: Plant, name: string): { details: string; failed: JsonObject } => ({
  details:
    "Failed to load certificate chain from <inline>, only P-256 is supported: " +
    `private_key { inline_string: ${JSON.stringify(plant("error_state.details PEM", privateKey()))} } ` +
    `header { key: "authorization" value: "Bearer ${plant("error_state.details Bearer", token)}" } ` +
    `jwt ${plant("error_state.details JWT", jsonWebToken)}`,
  failed: any("envoy.config.listener.v3.Listener", {
    name,
    note: plant("failed_configuration", password),
    filter_chains: [
      {
        transport_socket: {
          name: "tls",
          typed_config: any("envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", {
            common_tls_context: {
              tls_certificates: [
                { private_key: { inline_string: plant("failed_configuration private_key", privateKey()) } },
              ],
            },
          }),
        },
      },
    ],
  }),
});
