/**
 * A listener whose connection managers and filters hold what filters can hold
 * (api/envoy/extensions/filters/{http,network}/<filter>/v3).
 */

import { randomFor } from "../mesh/random.js";
import type { JsonObject } from "../mesh/json.js";
import type { Plant } from "./canary.js";
import { envoyGrpc, googleGrpc, httpService } from "./grpc.js";
import { any, extension, headerOption, typeUrl } from "./message.js";
import { accessLogs, customTags, tracers } from "./telemetry.js";
import { downstreamTls } from "./tls.js";
import {
  awsKeyId,
  awsSecret,
  base64,
  digits,
  hexadecimal,
  jsonWebToken,
  password,
  phrase,
  privateKey,
  symmetricKey,
  token,
} from "./values.js";

const http = (name: string): string => `envoy.extensions.filters.http.${name}.v3`;
const network = (name: string): string => `envoy.extensions.filters.network.${name}.v3`;

/** A listener with one chain per tracer, and one of filters below HTTP. @param name its name, which no other has */
export const seededListener = (plant: Plant, name: string, routeName: string): JsonObject =>
  any("envoy.config.listener.v3.Listener", {
    name,
    address: { socket_address: { address: "0.0.0.0", port_value: 8443 } },
    access_log: accessLogs(plant, "listener"),
    filter_chains: [
      {
        name: "ledger",
        filter_chain_match: { server_names: ["ledger.internal"] },
        filters: [connectionManager(plant, "HCM", routeName, httpFilters(plant))],
        transport_socket: downstreamTls(plant, "filter chain"),
      },
      ...tracers(plant).map((provider, index): JsonObject => ({
        name: `traced-${index}`,
        filter_chain_match: { destination_port: 9000 + index },
        filters: [
          extension(
            "envoy.filters.network.http_connection_manager",
            `${network("http_connection_manager")}.HttpConnectionManager`,
            { stat_prefix: `traced-${index}`, rds: routesOf(routeName), tracing: { provider } },
          ),
        ],
      })),
    ],
    default_filter_chain: { name: "rest", filters: networkFilters(plant) },
    traffic_direction: "OUTBOUND",
    bind_to_port: false,
  });

const routesOf = (name: string): JsonObject => ({
  config_source: { ads: {}, resource_api_version: "V3" },
  route_config_name: name,
});

const connectionManager = (
  plant: Plant,
  at: string,
  routeName: string,
  filters: readonly JsonObject[],
): JsonObject =>
  extension(
    "envoy.filters.network.http_connection_manager",
    `${network("http_connection_manager")}.HttpConnectionManager`,
    {
      stat_prefix: "ledger",
      rds: routesOf(routeName),
      access_log: accessLogs(plant, at),
      tracing: { custom_tags: customTags(plant, at) },
      early_header_mutation_extensions: [
        extension(
          "envoy.http.early_header_mutation.header_mutation",
          "envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
          { mutations: [{ append: headerOption("authorization", plant(`${at} early header`, password)) }] },
        ),
      ],
      local_reply_config: {
        mappers: [
          {
            body: { inline_string: `ask ${plant(`${at} local_reply mapper body`, password)}` },
            headers_to_add: [headerOption("set-cookie", plant(`${at} local_reply headers_to_add`, password))],
            body_format_override: {
              text_format_source: { inline_string: plant(`${at} local_reply body_format_override`, phrase) },
            },
          },
        ],
        body_format: { json_format: { note: plant(`${at} local_reply body_format.json_format`, password) } },
      },
      http_filters: filters,
    },
  );

/** Each with a name of its own, as a chain may hold a filter twice. */
const httpFilters = (plant: Plant): JsonObject[] => [
  extension("oauth2", `${http("oauth2")}.OAuth2`, {
    config: {
      token_endpoint: {
        uri: `https://oauth:${plant("oauth2 token_endpoint userinfo", password)}@idp.internal/token`,
        cluster: "idp",
        timeout: "3s",
      },
      authorization_endpoint: `https://idp.internal/authorize?hint=${plant("oauth2 authorization_endpoint query", password)}`,
      credentials: {
        client_id: plant("oauth2 client_id", password),
        token_secret: { name: "token", inline_string: plant("oauth2 inline token_secret", password) },
        hmac_secret: { name: "hmac", inline_bytes: base64(plant("oauth2 inline hmac_secret", symmetricKey)) },
      },
    },
  }),
  extension("jwt_authn", `${http("jwt_authn")}.JwtAuthentication`, {
    providers: {
      "origins-0": {
        issuer: "https://idp.internal",
        local_jwks: {
          inline_string: octKeySet(plant("jwt_authn local_jwks.inline_string oct", symmetricKey)),
        },
      },
      "origins-1": {
        issuer: "https://idp2.internal",
        local_jwks: {
          inline_bytes: base64(octKeySet(plant("jwt_authn local_jwks.inline_bytes oct", symmetricKey))),
        },
      },
      "origins-2": {
        issuer: "https://idp3.internal",
        remote_jwks: {
          http_uri: {
            uri: `https://idp.internal/keys?apikey=${plant("jwt_authn remote_jwks query", password)}`,
            cluster: "idp",
            timeout: "1s",
          },
        },
      },
      "origins-3": {
        issuer: "https://idp4.internal",
        remote_jwks: {
          http_uri: {
            uri: `https://ci:${plant("jwt_authn remote_jwks userinfo", password)}@idp.internal/keys`,
            cluster: "idp",
            timeout: "1s",
          },
        },
      },
    },
  }),
  extension("ext_authz.http", `${http("ext_authz")}.ExtAuthz`, {
    http_service: {
      server_uri: { uri: "http://authz.internal", cluster: "authz", timeout: "1s" },
      authorization_request: {
        headers_to_add: [
          { key: "x-service", value: plant("ext_authz authorization_request.headers_to_add", password) },
        ],
      },
    },
  }),
  extension("ext_authz.grpc", `${http("ext_authz")}.ExtAuthz`, {
    grpc_service: googleGrpc(plant, "ext_authz google_grpc"),
  }),
  extension("ext_proc", `${http("ext_proc")}.ExternalProcessor`, {
    grpc_service: envoyGrpc(plant, "ext_proc envoy_grpc"),
  }),
  extension("basic_auth", `${http("basic_auth")}.BasicAuth`, {
    users: {
      inline_string: `ops:{SHA}${plant("basic_auth users hash", symmetricKey)}\nci:${plant("basic_auth users", password)}`,
    },
  }),
  extension("basic_auth.bytes", `${http("basic_auth")}.BasicAuth`, {
    users: { inline_bytes: base64(`ops:${plant("basic_auth users.inline_bytes", password)}`) },
  }),
  extension("api_key_auth", `${http("api_key_auth")}.ApiKeyAuth`, {
    credentials: [{ key: plant("api_key_auth credentials.key", password), client: "web" }],
    key_sources: [{ header: "x-api-key" }],
  }),
  extension("credential_injector", `${http("credential_injector")}.CredentialInjector`, {
    credential: extension("generic", "envoy.extensions.http.injected_credentials.generic.v3.Generic", {
      credential: { inline_string: plant("credential_injector generic", password) },
      header: "x-inject",
    }),
  }),
  extension("credential_injector.oauth2", `${http("credential_injector")}.CredentialInjector`, {
    credential: extension("oauth2", "envoy.extensions.http.injected_credentials.oauth2.v3.OAuth2", {
      token_endpoint: { uri: "https://idp.internal/token", cluster: "idp", timeout: "1s" },
      client_credentials: {
        client_id: plant("credential_injector oauth2 client_id", password),
        client_secret: { inline_string: plant("credential_injector oauth2 client_secret", password) },
      },
    }),
  }),
  extension("aws_request_signing", `${http("aws_request_signing")}.AwsRequestSigning`, {
    service_name: "s3",
    region: "eu-central-1",
    credential_provider: {
      inline_credential: {
        access_key_id: plant("aws_request_signing access_key_id", awsKeyId),
        secret_access_key: plant("aws_request_signing secret_access_key", awsSecret),
        session_token: plant("aws_request_signing session_token", password),
      },
    },
  }),
  extension("aws_lambda", `${http("aws_lambda")}.Config`, {
    arn: "arn:aws:lambda:eu-central-1:000000000000:function:ledger",
    credentials: {
      access_key_id: plant("aws_lambda access_key_id", password),
      secret_access_key: plant("aws_lambda secret_access_key", password),
    },
  }),
  extension("lua.inline_code", `${http("lua")}.Lua`, {
    inline_code: `function envoy_on_request(h)\n  h:headers():add("x", "${plant("lua inline_code", password)}")\nend\n`,
  }),
  extension("lua.source_code", `${http("lua")}.Lua`, {
    default_source_code: { inline_string: `-- ${plant("lua default_source_code.inline_string", password)}` },
    source_codes: {
      "a.lua": { inline_string: `local p = '${plant("lua source_codes.inline_string", password)}'` },
      "b.lua": {
        inline_bytes: base64(`local p = '${plant("lua source_codes.inline_bytes", password)}'`),
      },
    },
  }),
  wasmFilter(plant, "wasm StringValue", {
    configuration: any("google.protobuf.StringValue", {
      value: JSON.stringify({
        upstream: plant("wasm configuration StringValue", password),
        pem: plant("wasm configuration PEM escaped as JSON", privateKey()),
      }),
    }),
  }),
  wasmFilter(plant, "wasm Struct", {
    configuration: any("google.protobuf.Struct", {
      value: { mode: plant("wasm configuration Struct", password) },
    }),
  }),
  wasmFilter(plant, "wasm BytesValue", {
    configuration: any("google.protobuf.BytesValue", {
      value: base64(plant("wasm configuration BytesValue", password)),
    }),
  }),
  extension("golang", "envoy.extensions.filters.http.golang.v3alpha.Config", {
    library_id: "ledger",
    plugin_config: {
      "@type": typeUrl("xds.type.v3.TypedStruct"),
      value: { api_token: plant("golang plugin_config", password) },
    },
  }),
  matchedFilter(plant),
  ...unknownFilters(plant),
  ...oldFilters(plant),
  extension("rbac", `${http("rbac")}.RBAC`, {
    rules: {
      policies: {
        "ns[default]-policy[ledger]-rule[0]": {
          permissions: [
            {
              header: {
                name: "x-api-key",
                string_match: { exact: plant("rbac permission header", password) },
              },
            },
          ],
          principals: [
            {
              header: {
                name: "authorization",
                string_match: { prefix: `Basic ${base64(plant("rbac principal header", password))}` },
              },
            },
          ],
        },
      },
    },
  }),
  extension("envoy.filters.http.router", `${http("router")}.Router`),
];

/** RFC 7517: a key for HMAC, which is as secret as a password. */
export const octKeySet = (key: string): string =>
  JSON.stringify({ keys: [{ kty: "oct", kid: "1", alg: "HS256", k: key }] });

function wasmFilter(plant: Plant, name: string, more: JsonObject): JsonObject {
  return extension(name, `${http("wasm")}.Wasm`, {
    config: {
      name,
      vm_config: {
        runtime: "envoy.wasm.runtime.v8",
        code: {
          remote: {
            http_uri: {
              uri:
                "https://plugins.s3.amazonaws.com/auth.wasm?X-Amz-Expires=600" +
                `&X-Amz-Signature=${plant(`${name} code.remote query`, hexadecimal)}`,
              cluster: "plugins",
              timeout: "5s",
            },
            sha256: randomFor("canaries", `code of ${name}`).hex(64),
          },
        },
        configuration: any("google.protobuf.StringValue", {
          value: plant(`${name} vm_config.configuration`, password),
        }),
        environment_variables: {
          host_env_keys: ["HOSTNAME"],
          key_values: { MODE: plant(`${name} environment_variables`, password) },
        },
      },
      ...more,
    },
  });
}

/** A filter that a matcher chooses: its settings stand deep in the tree of the matcher. */
const matchedFilter = (plant: Plant): JsonObject =>
  extension("composite", "envoy.extensions.common.matching.v3.ExtensionWithMatcher", {
    extension_config: extension("composite", `${http("composite")}.Composite`),
    xds_matcher: {
      matcher_list: {
        matchers: [
          {
            on_match: {
              action: extension("composite-action", `${http("composite")}.ExecuteFilterAction`, {
                typed_config: extension("basic_auth", `${http("basic_auth")}.BasicAuth`, {
                  users: { inline_string: `ops:${plant("basic_auth in a matcher tree", password)}` },
                }),
              }),
            },
          },
        ],
      },
    },
  });

/** Filters whose type no table knows, so that only the names of their keys tell. */
const unknownFilters = (plant: Plant): JsonObject[] => [
  ...(["xds.type.v3.TypedStruct", "udpa.type.v1.TypedStruct"] as const).map((type) => ({
    name: `partner-auth.${type}`,
    typed_config: {
      "@type": typeUrl(type),
      type_url: typeUrl("example.gateway.v1.PartnerAuth"),
      value: {
        realm: "partners",
        client_secret: plant(`${type} client_secret`, password),
        dbPassword: plant(`${type} dbPassword`, password),
        upstream: {
          "x-api-key": plant(`${type} x-api-key`, password),
          endpoints: [{ accessKey: plant(`${type} accessKey in a list`, password) }],
          headers: { Authorization: plant(`${type} Authorization`, phrase) },
        },
        session_tokens: [plant(`${type} list of tokens`, password)],
        unlock_password: Number(plant(`${type} number`, digits)),
        signing: { private_key: plant(`${type} PEM`, privateKey()) },
        dsn: `postgres://ledger:${plant(`${type} URL userinfo`, password)}@db.internal/ledger`,
        note: plant(`${type} JWT under a plain key`, jsonWebToken),
        blob: base64(base64(plant(`${type} PEM in base64 in base64`, privateKey("RSA PRIVATE KEY")))),
        text: JSON.stringify({ pem: plant(`${type} PEM escaped as JSON`, privateKey()) }),
      },
    },
  })),
  {
    name: "partner-auth.unknown-any",
    typed_config: any("example.gateway.v1.PartnerAuth", {
      api_token: plant("Any of unknown type", password),
    }),
  },
];

/** Of the v2 API: `config` is a Struct, which Envoy never redacts. */
const oldFilters = (plant: Plant): JsonObject[] => [
  {
    name: "envoy.ext_authz",
    config: {
      http_service: {
        authorization_request: {
          headers_to_add: [{ key: "authorization", value: plant("v2 config ext_authz header", password) }],
        },
      },
    },
  },
  {
    name: "envoy.lua",
    config: { inline_code: `local p = "${plant("v2 config lua inline_code", password)}"` },
  },
  { name: "partner.auth", config: { shared_secret: plant("v2 config Struct", password) } },
  {
    name: "partner.auth.deprecated",
    hidden_envoy_deprecated_config: { access_token: plant("v2 hidden_envoy_deprecated_config", token) },
  },
];

const networkFilters = (plant: Plant): JsonObject[] => [
  extension("redis", `${network("redis_proxy")}.RedisProxy`, {
    stat_prefix: "redis",
    settings: { op_timeout: "5s" },
    downstream_auth_username: { inline_string: plant("redis downstream_auth_username", password) },
    downstream_auth_password: { inline_string: plant("redis downstream_auth_password", password) },
    downstream_auth_passwords: [
      { inline_string: plant("redis downstream_auth_passwords", password) },
      { inline_bytes: base64(plant("redis downstream_auth_passwords.inline_bytes", password)) },
    ],
  }),
  extension("ext_authz", `${network("ext_authz")}.ExtAuthz`, {
    stat_prefix: "authz",
    grpc_service: envoyGrpc(plant, "network ext_authz"),
  }),
  extension("direct_response", `${network("direct_response")}.Config`, {
    response: { inline_string: `code ${plant("network direct_response", password)}` },
  }),
  extension("otel", "envoy.extensions.filters.network.generic_proxy.v3.GenericProxy", {
    stat_prefix: "generic",
    tracing: {
      provider: extension("otel", "envoy.config.trace.v3.OpenTelemetryConfig", {
        http_service: httpService(plant, "generic_proxy tracing http_service"),
      }),
    },
  }),
];
