/**
 * Fields of Envoy's API that hold secrets, code or texts of the owner, by name. A field's rule holds wherever the field
 * stands: in static and dynamic resources, in the bootstrap, inside `TypedStruct` and v2's `config`, on Envoy's and on
 * Istiod's side.
 */
import {
  anywhere,
  dataKeys,
  everything,
  errorText,
  membersOf,
  named,
  placeOf,
  plain,
  replacing,
  secretHeaders,
  secretValue,
  withItself,
  type Place,
} from "./places.js";

const boolean = /^(?:true|false)$/i;
const number = /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/;
export const isSwitch = (value: string): boolean => boolean.test(value);
export const isFigure = (value: string): boolean => boolean.test(value) || number.test(value);

// TLS (envoy/extensions/transport_sockets/tls/v3): in secrets, contexts of clusters and of filter chains

const privateKey = secretValue("private key");
const privateKeyProvider = placeOf({
  members: membersOf({
    provider_name: anywhere,
    fallback: anywhere,
    typed_config: secretValue("private key"),
    config: secretValue("private key"),
  }),
});
const ticketKeys = secretValue("secret");
const genericSecret = secretValue("secret");
const known = (...names: string[]): Readonly<Record<string, Place>> =>
  Object.fromEntries(names.map((name) => [name, anywhere]));
/** `Secret`: what is in it is public or has a rule of its own; what a newer release adds is taken for a secret. */
const secretMessage = withItself({
  strings: replacing("secret"),
  members: membersOf({
    ...known("@type", "name", "namespace", "version_info", "last_updated", "error_state", "client_status"),
    ...known("tls_certificate", "tls_certificates", "validation_context", "sds_config"),
    ...known("secret_name", "items", "optional"), // a volume of Kubernetes
    private_key: privateKey,
    session_ticket_keys: ticketKeys,
    generic_secret: genericSecret,
  }),
});
const tls = {
  private_key: privateKey,
  pkcs12: privateKey,
  private_key_provider: privateKeyProvider,
  session_ticket_keys: ticketKeys,
  generic_secret: genericSecret,
  secret: secretMessage,
  secrets: secretMessage,
  ...known("static_secrets", "dynamic_active_secrets", "dynamic_warming_secrets"),
};

// Headers (envoy/config/core/v3/base.proto, route/v3)

const headerValue = placeOf({ strings: { kind: "header value" } });
/** `HeaderValue`, or a `HeaderMatcher` under the same name. */
const header = placeOf({
  members: membersOf({ value: headerValue, raw_value: headerValue }),
  named: secretHeaders,
});
const headerList = placeOf({
  members: membersOf({ header, value: headerValue, raw_value: headerValue }),
  named: secretHeaders,
});
/** Names of headers to values, as Istio writes them. */
const secretHeaderValue = everything("header value");
const headerMap = placeOf({
  byName: (key) => (secretHeaders.isSecret(key.text) ? secretHeaderValue : headerValue),
});
const headerOperations = placeOf({ members: membersOf({ set: headerMap, add: headerMap }) });
/** Matchers as a list, operations of a VirtualService, or a map from names to matchers. */
const headers = placeOf({
  members: membersOf({ request: headerOperations, response: headerOperations, value: headerValue }),
  byName: (key) =>
    key.siblingRole !== "name" && key.siblingRole !== "value" && secretHeaders.isSecret(key.text)
      ? secretHeaderValue
      : null,
  named: secretHeaders,
});
/** Parameters of a query are matched as headers are: a list in Envoy, a map in Istio. */
const queryParameters = placeOf({
  byName: (key) => (key.secrecy === "none" ? null : secretHeaderValue),
  named: named({ rule: "header value" }),
});
const httpHeaders = {
  query_parameters: queryParameters,
  query_params: queryParameters,
  header,
  headers,
  without_headers: headers,
  request_headers_to_add: headerList,
  response_headers_to_add: headerList,
  response_trailers_to_add: headerList,
  request_trailers_to_add: headerList,
  headers_to_add: headerList,
  headers_to_set: headerList,
  response_headers_to_set: headerList,
  request_headers_to_set: headerList,
  client_headers: headerList,
};

// Services that Envoy calls (envoy/config/core/v3/grpc_service.proto, http_service.proto)

const services = {
  initial_metadata: placeOf({
    members: membersOf({ value: secretValue("credential"), raw_value: secretValue("credential") }),
  }),
  call_credentials: secretValue("credential"),
  channel_credentials: secretValue("credential"),
  ssl_credentials: secretValue("credential"),
};

// Filters

const inlineSource = { inline_string: secretValue("credential"), inline_bytes: secretValue("credential") };
const code = secretValue("code");
/** `configuration` of Wasm: plain settings tell little and are of use, everything else may hold anything. */
const wasmConfiguration = withItself({
  strings: replacing("code", (value) => isFigure(value.trim()) || value.trim() === "{}"),
  members: membersOf({ "@type": plain, type_url: plain }),
});
/** Istio says there which version of a WasmPlugin this is. */
const wasmEnvironment = withItself({
  strings: replacing("code"),
  members: membersOf({ istio_meta_wasm_plugin_resource_version: plain }),
});
/** Code that is compiled into Envoy is named, and that is all. */
const isNameOfCode = (value: string): boolean => /^[\w.-]{1,100}$/.test(value);
const filterSettings = {
  client_id: secretValue("filter setting"),
  local_jwks: secretValue("filter setting"),
  remote_jwks: anywhere,
  context_extensions: everything("filter setting"),
  authorization_request: placeOf({
    members: membersOf({
      headers_to_add: placeOf({
        members: membersOf({ value: everything("filter setting"), raw_value: everything("filter setting") }),
      }),
    }),
  }),
  users: placeOf({ members: membersOf(inlineSource), named: named({}) }),
  credentials: secretValue("credential"),
  credential: secretValue("credential"),
  auth_username: secretValue("credential"),
  auth_usernames: secretValue("credential"),
  downstream_auth_username: secretValue("credential"),
  inline_code: code,
  source_code: code,
  source_codes: code,
  default_source_code: code,
  configuration: wasmConfiguration,
  vm_config: placeOf({
    members: membersOf({
      configuration: wasmConfiguration,
      environment_variables: placeOf({ members: membersOf({ key_values: wasmEnvironment }) }),
      code: placeOf({
        members: membersOf({
          local: placeOf({
            members: membersOf({
              inline_string: placeOf({ strings: replacing("code", isNameOfCode) }),
              inline_bytes: everything("code"),
            }),
          }),
        }),
      }),
      // WasmPlugin of Istio
      env: placeOf({ members: membersOf({ value: everything("Istio config") }) }),
    }),
  }),
  direct_response: placeOf({
    members: membersOf({ body: secretValue("response body"), body_format: secretValue("response body") }),
  }),
  // the network filter of that name
  response: placeOf({
    members: membersOf({
      inline_string: everything("response body"),
      inline_bytes: everything("response body"),
    }),
    named: named({}),
  }),
  local_reply_config: placeOf({
    members: membersOf({
      body_format: secretValue("response body"),
      mappers: placeOf({
        members: membersOf({
          body: secretValue("response body"),
          body_format_override: secretValue("response body"),
        }),
      }),
    }),
  }),
  cookie: secretValue("secret", { name: anywhere, ttl: anywhere }),
};

// Telemetry

/** Istio's own tags say which workload it is. */
const isIstioTag = (name: string): boolean => /^istio\.[a-z_]+$/.test(name);
const telemetrySetting = everything("telemetry setting");
const customTag = withItself({
  members: membersOf({
    literal: telemetrySetting,
    environment: placeOf({ members: membersOf({ default_value: telemetrySetting }) }),
    request_header: placeOf({ members: membersOf({ default_value: telemetrySetting }) }),
    header: placeOf({ members: membersOf({ default_value: telemetrySetting }) }),
    metadata: placeOf({ members: membersOf({ default_value: telemetrySetting }) }),
  }),
  named: { isSecret: () => false, rule: "telemetry setting", isHarmless: isIstioTag },
});

// The process

const runtimeValues = withItself({ strings: replacing("runtime value", isFigure) });
const runtime = {
  final_value: runtimeValues,
  layer_values: runtimeValues,
  static_layer: runtimeValues,
  runtime_values: runtimeValues,
  runtime: placeOf({ members: membersOf({ base: runtimeValues }) }),
  config_yaml: everything("command line"),
};

// Rejections: their texts repeat what was rejected (envoyproxy/envoy#4757)

const rejections = {
  failed_configuration: placeOf({ whole: "rejected configuration" }),
  details: errorText,
  last_error: errorText,
  error_detail: errorText,
};

// Maps whose keys are names of filters, policies, providers

const maps = Object.fromEntries(
  [
    "typed_per_filter_config",
    "per_filter_config",
    "filter_metadata",
    "typed_filter_metadata",
    "typed_extension_protocol_options",
    "extension_protocol_options",
    "policies",
    "providers",
    "requirement_map",
  ].map((name) => [name, dataKeys]),
);

export const envoyFields: Readonly<Record<string, Place>> = {
  ...tls,
  ...httpHeaders,
  ...services,
  ...filterSettings,
  custom_tags: customTag,
  ...runtime,
  ...rejections,
  ...maps,
  regex: placeOf({ strings: { kind: "regular expression" }, named: named({}) }),
  uri_regex_rewrite: placeOf({
    members: membersOf({ match: placeOf({ strings: { kind: "regular expression" } }) }),
  }),
  regex_match: placeOf({ strings: { kind: "regular expression" } }),
};
