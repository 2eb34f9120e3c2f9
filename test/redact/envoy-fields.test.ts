import { describe, expect, it } from "vitest";

import { isFigure, isSwitch } from "../../src/redact/envoy-fields.js";
import { itRedactsFields, secret, stays } from "./field-table.js";
import { aRedactor, base64, redactedJson } from "./redacting.js";

const inline = { inline_string: secret };
const bytes = { inline_bytes: base64(`${secret} in bytes`) };
const file = { filename: stays, watched_directory: { path: stays } };
const header = (key: string, value: string): unknown => ({ header: { key, value }, append_action: stays });

describe("TLS", () => {
  itRedactsFields([
    [
      "private key",
      "private key",
      { tls_certificate: { private_key: inline, certificate_chain: { inline_string: stays } } },
    ],
    ["private key in bytes", "private key", { private_key: bytes, name: stays }],
    ["private key in a file", "private key", { private_key: { ...file, inline_string: secret } }],
    ["PKCS #12", "private key", { pkcs12: bytes, ocsp_staple: { filename: stays } }],
    ["password", "secret", { password: inline, name: stays }],
    ["ticket keys", "secret", { session_ticket_keys: { keys: [inline, bytes] }, name: stays }],
    [
      "private key provider",
      "private key",
      {
        private_key_provider: {
          provider_name: stays,
          fallback: true,
          typed_config: { "@type": stays, key: secret, more: { pin: secret } },
        },
      },
    ],
    ["generic secret", "secret", { generic_secret: { secret: inline, secrets: { a: bytes } }, name: stays }],
    [
      "secret of a newer release",
      "secret",
      { secret: { "@type": stays, name: stays, unknown_secret_kind: { value: secret } } },
    ],
    [
      "static secrets",
      "private key",
      { secrets: [{ name: stays, tls_certificate: { private_key: inline } }] },
    ],
    [
      "dynamic secrets",
      "private key",
      {
        dynamic_active_secrets: [
          {
            name: stays,
            version_info: stays,
            secret: { name: stays, tls_certificate: { private_key: inline } },
          },
        ],
      },
    ],
    [
      "context of a cluster and of its matches",
      "private key",
      {
        transport_socket: {
          typed_config: { common_tls_context: { tls_certificates: [{ private_key: inline }] } },
        },
        transport_socket_matches: [
          { name: stays, transport_socket: { typed_config: { private_key: inline } } },
        ],
      },
    ],
  ]);

  it("leaves names of secrets that are fetched from elsewhere", () => {
    const document = {
      tls_certificate_sds_secret_configs: [{ name: "default", sds_config: { ads: {} } }],
      token_secret: { name: "oauth-token", sds_config: { path: "/etc/token" } },
      hmac_secret: { sds_config: { ads: {} }, name: "oauth-hmac" },
      credential: {
        name: "cred",
        typed_config: { "@type": "a/b", credential: { name: "c", sds_config: {} } },
      },
    };
    expect(redactedJson(document)).toEqual(document);
  });

  it("does not take a name for one that nothing fetches", () => {
    expect(JSON.stringify(redactedJson({ token_secret: { name: secret } }))).not.toContain(secret);
  });
});

describe("headers", () => {
  itRedactsFields([
    ...["route", "virtual host", "route configuration", "weighted cluster"].map(
      (place) =>
        [
          place,
          "header value",
          { request_headers_to_add: [header("Authorization", secret), header("x-tenant", stays)] },
        ] as const,
    ),
    [
      "raw value",
      "header value",
      {
        response_headers_to_add: [{ header: { key: "set-cookie", raw_value: base64(secret) } }],
        name: stays,
      },
    ],
    [
      "list without options",
      "header value",
      {
        headers_to_add: [
          { key: "x-api-key", value: secret },
          { key: "x", value: stays },
        ],
      },
    ],
    [
      "matcher",
      "header value",
      {
        headers: [
          { name: "cookie", string_match: { exact: secret } },
          { name: ":path", string_match: { exact: stays } },
        ],
      },
    ],
    [
      "matcher, deprecated",
      "header value",
      { headers: [{ name: "x-token", exact_match: secret }], name: stays },
    ],
    [
      "permission",
      "header value",
      { permissions: [{ header: { name: "authorization", string_match: { prefix: secret } } }], name: stays },
    ],
    [
      "parameter of a query in a VirtualService",
      "header value",
      { match: [{ query_params: { token: { exact: secret }, page: { exact: stays } } }] },
    ],
    [
      "parameter of a query",
      "header value",
      { query_parameters: [{ name: "token", string_match: { exact: secret } }], name: stays },
    ],
    [
      "headers of a VirtualService",
      "header value",
      { headers: { request: { set: { "x-api-key": secret, "x-tenant": stays } } } },
    ],
    [
      "matcher of a VirtualService",
      "header value",
      { match: [{ headers: { authorization: { exact: secret }, "end-user": { exact: stays } } }] },
    ],
  ]);

  it("takes a value that looks like a key under any name", () => {
    const key = "kJ8sd72hGs6Lq0Zm4Yt1";
    expect(JSON.stringify(redactedJson({ request_headers_to_add: [header("x-tenant", key)] }))).not.toContain(
      key,
    );
    expect(JSON.stringify(redactedJson({ description: key }))).toContain(key);
  });

  it("takes every value under public, and no name", () => {
    const left = JSON.stringify(
      redactedJson({ request_headers_to_add: [header("x-forwarded-proto", "https")] }, "public"),
    );
    expect(left).toContain("x-forwarded-proto");
    expect(left).toMatch(/"value":"‹redacted:header-value:/);
  });
});

describe("services that Envoy calls", () => {
  itRedactsFields([
    ["initial metadata", "credential", { initial_metadata: [{ key: stays, value: secret }] }],
    [
      "call credentials",
      "credential",
      {
        google_grpc: {
          call_credentials: [
            { access_token: secret },
            { google_iam: { authorization_token: secret, authority_selector: secret } },
          ],
          stat_prefix: stays,
        },
      },
    ],
    [
      "service account",
      "credential",
      {
        call_credentials: [
          { service_account_jwt_access: { json_key: secret, token_lifetime_seconds: "60" } },
        ],
        name: stays,
      },
    ],
    ["refresh token", "secret", { google_refresh_token: secret, name: stays }],
    [
      "channel credentials",
      "credential",
      { channel_credentials: { ssl_credentials: { private_key: inline } }, target_uri: stays },
    ],
    [
      "query of an address",
      "URL part",
      { http_uri: { uri: `https://host/a?cid=${secret}`, cluster: stays } },
    ],
    [
      "user in an address",
      "URL part",
      { remote_jwks: { http_uri: { uri: `https://u:${secret}@host/${stays}` } } },
    ],
    [
      "collector",
      "URL part",
      { collector_endpoint: `/api/v2/spans?cid=${secret}`, collector_cluster: stays },
    ],
  ]);
});

describe("filters", () => {
  itRedactsFields([
    ["OAuth client", "filter setting", { client_id: secret, token_endpoint: { uri: stays, cluster: stays } }],
    ["OAuth secrets", "secret", { token_secret: inline, hmac_secret: inline, name: stays }],
    ["local JWKS", "filter setting", { local_jwks: inline, issuer: stays }],
    [
      "local JWKS in a file",
      "filter setting",
      { local_jwks: { filename: stays, inline_bytes: base64(secret) } },
    ],
    ["context extensions", "filter setting", { context_extensions: { tenant: secret }, name: stays }],
    [
      "headers for the authorizer",
      "filter setting",
      { authorization_request: { headers_to_add: [{ key: stays, value: secret }] } },
    ],
    ["users", "credential", { users: inline, forward_username_header: stays }],
    [
      "API keys",
      "credential",
      { credentials: [{ key: secret, client: secret }], key_sources: [{ query: stays }] },
    ],
    [
      "Redis",
      "credential",
      {
        auth_username: inline,
        auth_password: inline,
        downstream_auth_username: inline,
        downstream_auth_passwords: [inline],
        stat_prefix: stays,
      },
    ],
    [
      "AWS",
      "secret",
      {
        inline_credential: { access_key_id: secret, secret_access_key: secret, session_token: secret },
        region: stays,
      },
    ],
    ["Lua", "code", { inline_code: secret, name: stays }],
    ["Lua sources", "code", { default_source_code: inline, source_codes: { a: bytes }, name: stays }],
    ["Wasm configuration", "code", { configuration: { "@type": stays, value: secret }, root_id: stays }],
    [
      "Wasm virtual machine",
      "code",
      {
        vm_config: {
          runtime: stays,
          configuration: { a: secret },
          environment_variables: { key_values: { A: secret }, host_env_keys: [stays] },
        },
      },
    ],
    [
      "Wasm code",
      "code",
      { vm_config: { code: { local: { inline_string: `(${secret})` } }, runtime: stays } },
    ],
    [
      "query of Wasm code",
      "URL part",
      { code: { remote: { http_uri: { uri: `https://h/a?sig=${secret}` }, sha256: stays } } },
    ],
    ["direct response", "response body", { direct_response: { status: 503, body: inline }, name: stays }],
    ["network direct response", "response body", { response: inline, name: stays }],
    [
      "local replies",
      "response body",
      {
        local_reply_config: {
          mappers: [
            {
              body: inline,
              body_format_override: { text_format: secret, json_format: { a: secret } },
              filter: { name: stays },
            },
          ],
          body_format: { text_format_source: inline },
        },
      },
    ],
    [
      "unknown, by name",
      "secret",
      {
        config: {
          apiKey: secret,
          DB_PASSWORD: secret,
          nested: { clientSecret: { value: secret } },
          list: [{ token: secret }],
          user: stays,
        },
      },
    ],
    [
      "unknown, by the name beside",
      "secret",
      {
        env: [
          { name: "DB_PASSWORD", value: secret },
          { name: "DB_HOST", value: stays },
        ],
      },
    ],
    [
      "web key",
      "secret",
      {
        keys: [
          { kty: "oct", k: secret, kid: stays },
          { kty: "RSA", d: secret, p: secret, n: stays },
        ],
      },
    ],
  ]);

  it("keeps what is compiled into Envoy, and settings without a value", () => {
    const document = {
      vm_config: {
        runtime: "envoy.wasm.runtime.null",
        code: { local: { inline_string: "envoy.wasm.stats" } },
      },
      configuration: { "@type": "type.googleapis.com/google.protobuf.StringValue", value: "{}\n" },
      cookie: { name: "user", path: "/", ttl: "0s" },
    };
    expect(redactedJson(document)).toEqual(document);
  });

  it("says how large code is", () => {
    expect(redactedJson({ inline_code: "x".repeat(321) })).toEqual({
      inline_code: expect.stringMatching(/^‹redacted:code:321:[0-9a-f]{16}›$/),
    });
  });

  it("replaces numbers under a name that says secret, and no others", () => {
    expect(
      redactedJson({ password: 12345, max_tokens: 5, port: 80, pin_password: [1], has_password: true }),
    ).toEqual({
      password: 0,
      max_tokens: 5,
      port: 80,
      pin_password: [0],
      has_password: true,
    });
  });
});

describe("telemetry", () => {
  itRedactsFields([
    ["token of a tracer", "secret", { access_token: inline, collector_cluster: stays }],
    ["token of SkyWalking", "secret", { client_config: { backend_token: secret, service_name: stays } }],
    ["literal tag", "telemetry setting", { custom_tags: [{ tag: stays, literal: { value: secret } }] }],
    [
      "tag of the environment",
      "telemetry setting",
      { custom_tags: [{ tag: stays, environment: { name: stays, default_value: secret } }] },
    ],
    [
      "tag of a header",
      "telemetry setting",
      { custom_tags: [{ tag: stays, request_header: { name: stays, default_value: secret } }] },
    ],
    [
      "tags of the mesh",
      "telemetry setting",
      { custom_tags: { team: { literal: { value: secret } } }, name: stays },
    ],
    [
      "access log service",
      "credential",
      {
        common_config: { grpc_service: { initial_metadata: [{ key: "x", value: secret }] }, log_name: stays },
      },
    ],
  ]);

  it("keeps what Istio says of a workload", () => {
    const document = { custom_tags: [{ literal: { value: "reviews" }, tag: "istio.canonical_service" }] };
    expect(redactedJson(document)).toEqual(document);
  });
});

describe("the process", () => {
  itRedactsFields([
    ["command line", "command line", { command_line_options: { config_yaml: secret, service_node: stays } }],
    [
      "runtime",
      "runtime value",
      { entries: { [stays]: { final_value: secret, layer_values: [secret, "", "5", "true"] } } },
    ],
    [
      "static layer",
      "runtime value",
      { layered_runtime: { layers: [{ name: stays, static_layer: { a: { b: secret }, c: 5 } }] } },
    ],
    ["runtime of old releases", "runtime value", { runtime: { base: { a: secret }, symlink_root: stays } }],
  ]);

  it("keeps figures and switches", () => {
    for (const value of ["1", "-1.5", "1e5", "true", "False"]) expect(isFigure(value)).toBe(true);
    for (const value of ["", "one", "1s", "truely"]) expect(isFigure(value)).toBe(false);
    expect([isSwitch("true"), isSwitch("1")]).toEqual([true, false]);
  });
});

describe("rejections", () => {
  itRedactsFields([
    [
      "reason of Envoy",
      "secret in text",
      { error_state: { details: `bad password: "${secret}"`, version_info: stays } },
    ],
    [
      "reason of Istiod",
      "secret in text",
      { resources: { a: { lastError: `token=${secret}`, sent: stays } } },
    ],
    [
      "configuration",
      "rejected configuration",
      {
        error_state: { failed_configuration: { "@type": stays, name: "a", x: secret }, version_info: stays },
      },
    ],
  ]);

  it("keep type and name of what was rejected, once", () => {
    const failed = {
      name: "0.0.0.0_80",
      "@type": "type.googleapis.com/a.Listener",
      filter_chains: [{ x: secret }],
    };
    const redactor = aRedactor();
    const once = redactedJson({ failed_configuration: failed }, redactor);
    expect(once).toEqual({
      failed_configuration: {
        "@type": failed["@type"],
        name: failed.name,
        redacted: expect.stringMatching(/^‹redacted:rejected-configuration:\d+:/),
      },
    });
    expect(redactedJson(once, redactor)).toEqual(once);
    const faked = { failed_configuration: { redacted: secret, "@type": "x" } };
    expect(JSON.stringify(redactedJson(faked))).not.toContain(secret);
  });

  it("lose what was seen as a secret before", () => {
    const redactor = aRedactor();
    redactedJson({ password: "correct-horse" }, redactor);
    expect(JSON.stringify(redactedJson({ details: "no user for correct-horse" }, redactor))).not.toContain(
      "horse",
    );
  });
});

it("asks keys of maps for nothing but strings", () => {
  const document = {
    policies: { "ns[default]-policy[require-token]-rule[0]": { permissions: [{ any: true }], name: "x" } },
    resources: {
      "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret": { sent: "a", acked: "a" },
    },
    typed_per_filter_config: { "token-check": { "@type": "a/b", disabled: true, mode: "x" } },
    "secret-service.default.svc.cluster.local": { vips: { mode: "x" } },
  };
  expect(redactedJson(document)).toEqual(document);
  expect(redactedJson({ "openshift.io/token-secret.value": secret })).not.toEqual({
    "openshift.io/token-secret.value": secret,
  });
});
