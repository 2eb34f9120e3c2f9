/** Credentials towards gRPC and HTTP services (api/envoy/config/core/v3/{grpc_service,http_service}.proto). */

import type { JsonObject } from "../mesh/json.js";
import type { Plant } from "./canary.js";
import { any, headerOption } from "./message.js";
import { base64, googleApiKey, jsonWebToken, password, privateKey, token } from "./values.js";

/** By way of a cluster, with metadata that authorizes. */
export const envoyGrpc = (plant: Plant, at: string): JsonObject => ({
  envoy_grpc: { cluster_name: "otel-collector" },
  initial_metadata: [
    { key: "x-tenant", value: plant(`${at}.initial_metadata.value`, password) },
    { key: "authorization", value: `Bearer ${plant(`${at}.initial_metadata authorization`, jsonWebToken)}` },
    { key: "x-raw-bin", raw_value: base64(plant(`${at}.initial_metadata.raw_value`, password)) },
  ],
});

/** With credentials of each kind that the message knows, inline. */
export const googleGrpc = (plant: Plant, at: string): JsonObject => ({
  google_grpc: {
    target_uri: "authz.internal:443",
    stat_prefix: "authz",
    channel_credentials: {
      ssl_credentials: {
        private_key: {
          inline_string: plant(`${at}.channel_credentials.ssl_credentials.private_key`, privateKey()),
        },
      },
    },
    call_credentials: [
      { access_token: plant(`${at}.call_credentials.access_token`, password) },
      { google_refresh_token: plant(`${at}.call_credentials.google_refresh_token`, token) },
      {
        service_account_jwt_access: {
          json_key: JSON.stringify({
            type: "service_account",
            private_key_id: plant(`${at}.call_credentials json_key private_key_id`, googleApiKey),
            private_key: plant(`${at}.call_credentials json_key private_key`, privateKey()),
          }),
          token_lifetime_seconds: "3600",
        },
      },
      {
        google_iam: {
          authorization_token: plant(`${at}.call_credentials.google_iam.authorization_token`, password),
          authority_selector: "ledger",
        },
      },
      {
        from_plugin: {
          name: "envoy.grpc_credentials.custom",
          typed_config: any("google.protobuf.Struct", {
            value: { access_token: plant(`${at}.call_credentials.from_plugin`, password) },
          }),
        },
      },
    ],
  },
});

export const httpService = (plant: Plant, at: string): JsonObject => ({
  http_uri: {
    uri: `https://${plant(`${at}.uri userinfo`, password)}:x@otel.internal/v1/traces`,
    cluster: "otel-collector",
    timeout: "1s",
  },
  request_headers_to_add: [
    headerOption("x-vendor-auth", plant(`${at}.request_headers_to_add`, password)),
    headerOption("authorization", `Basic ${base64(`otel:${plant(`${at} basic`, password)}`)}`),
  ],
});
