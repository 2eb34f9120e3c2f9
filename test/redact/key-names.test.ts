import { describe, expect, it } from "vitest";

import {
  folded,
  isBase64Field,
  isSecretFlag,
  isSecretHeader,
  secrecyOf,
} from "../../src/redact/key-names.js";

describe("names in one spelling", () => {
  it.each([
    ["privateKey", "private_key"],
    ["private_key", "private_key"],
    ["PRIVATE-KEY", "private_key"],
    ["X-Api-Key", "x_api_key"],
    ["DB_PASSWORD", "db_password"],
    ["APIKey", "api_key"],
    ["caBundle", "ca_bundle"],
    [".dockerconfigjson", "dockerconfigjson"],
    ["client-key-data", "client_key_data"],
    ["openshift.io/token-secret.value", "openshift_io_token_secret_value"],
    ["@type", "@type"],
    ["type", "type"],
    ["", ""],
  ])("%s -> %s", (name, spelling) => expect(folded(name)).toBe(spelling));
});

describe("names that say secret", () => {
  it.each(
    (
      "password passwd pwd DB_PASSWORD dbPass secret clientSecret client_secret hmac_secret token access_token idToken bearerToken private_key " +
      "apiKey api_key apikey X-API-Key access_key_id secret_access_key session_token credentials authorization cookie set-cookie " +
      "session_ticket_keys jwks kubeconfig .dockerconfigjson tls.key connectionString client-key-data json_key " +
      "openshift.io/token-secret.value downstream_auth_passwords google_refresh_token service_account_key AccountKey"
    ).split(" "),
  )("%s", (name) => expect(secrecyOf(folded(name))).not.toBe("none"));
});

describe("names that only name or describe one", () => {
  it.each(
    (
      "name key secret_name credentialName tls_certificate_sds_secret_configs validation_context_sds_secret_config token_endpoint " +
      "authorization_endpoint authorization_request authorizationPolicies token_bucket max_tokens tokens_per_fill secretKeyRef jwks_uri " +
      "password_file access_token_file provider_name token_type credentials_factory_name cookie_names header version_info " +
      "passthrough bypass_overload pass_through monkey routeKey forwarding secretNamespace tokenAudience"
    ).split(" "),
  )("%s", (name) => expect(secrecyOf(folded(name))).toBe("none"));
});

describe("words of plain language", () => {
  it("are weak alone and strong beside others", () => {
    expect(secrecyOf("token")).toBe("weak");
    expect(secrecyOf("access_token")).toBe("strong");
    expect(secrecyOf("password")).toBe("strong");
  });
});

describe("headers", () => {
  it.each([
    "Authorization",
    "cookie",
    "Set-Cookie",
    "x-api-key",
    "x-my-token",
    "x-secret",
    "x-auth-user",
    "proxy-authorization",
  ])("%s holds a secret", (name) => expect(isSecretHeader(name)).toBe(true));
  it.each([":authority", ":path", "host", "x-forwarded-for", "user-agent", "x-request-id", "author"])(
    "%s holds none",
    (name) => expect(isSecretHeader(name)).toBe(false),
  );
});

it("knows the fields that decoders expect base64 in", () => {
  for (const name of ["inline_bytes", "raw_value", "ca_bundle", "client_key_data"])
    expect(isBase64Field(name)).toBe(true);
  for (const name of ["inline_string", "value", "bytes"]) expect(isBase64Field(name)).toBe(false);
});

it("knows the arguments that announce a secret", () => {
  for (const argument of ["--password", "-token", "--api-key", "--clientSecret"])
    expect(isSecretFlag(argument)).toBe(true);
  for (const argument of ["password", "--password-file", "--port", "--password=x", "--"])
    expect(isSecretFlag(argument)).toBe(false);
});
