/** Routes, in which headers are set and matched (api/envoy/config/route/v3/{route,route_components}.proto). */

import type { JsonObject } from "../mesh/json.js";
import type { Plant } from "./canary.js";
import { any, headerOption } from "./message.js";
import { awsKeyId, base64, jsonWebToken, password, phrase, token } from "./values.js";

/** A route configuration with credentials on each level. @param cluster one that the proxy has */
export const seededRoutes = (plant: Plant, cluster: string): JsonObject =>
  any("envoy.config.route.v3.RouteConfiguration", {
    name: "8443",
    request_headers_to_add: [
      headerOption("x-api-key", plant("route config request_headers_to_add x-api-key", password)),
      headerOption("x-upstream-context", plant("route config header value AKIA", awsKeyId)),
    ],
    response_headers_to_add: [
      headerOption("set-cookie", `sid=${plant("route config response set-cookie", password)}; Secure`),
    ],
    virtual_hosts: [
      {
        name: "ledger:8443",
        domains: ["ledger.internal"],
        request_headers_to_add: [
          headerOption("cookie", `session=${plant("vhost request_headers_to_add cookie", phrase)}`),
          headerOption("x-forwarded-proof", plant("vhost header value JWT", jsonWebToken)),
        ],
        response_headers_to_add: [
          headerOption("x-refresh-token", plant("vhost response_headers_to_add", password)),
        ],
        typed_per_filter_config: perFilterConfig(plant, "vhost"),
        routes: [plainRoute(plant, cluster), weightedRoute(plant, cluster), ...answers(plant)],
      },
    ],
  });

const plainRoute = (plant: Plant, cluster: string): JsonObject => ({
  name: "ledger",
  match: {
    prefix: "/",
    headers: [
      { name: "authorization", string_match: { exact: plant("route match authorization", password) } },
      {
        name: "cookie",
        string_match: { safe_regex: { regex: `^.*sid=${plant("route match cookie regex", password)}.*$` } },
      },
      { name: "x-api-key", exact_match: plant("route match x-api-key exact_match", password) },
    ],
    query_parameters: [
      { name: "api_token", string_match: { exact: plant("route match query_parameters", password) } },
    ],
  },
  route: { cluster },
  request_headers_to_add: [
    headerOption("authorization", `Bearer ${plant("route authorization", password)}`),
    headerOption("x-caller", `Bearer ${plant("route header value Bearer", token)}`),
    headerOption("x-proof", `Basic ${base64(`ledger:${plant("route header value Basic", password)}`)}`),
    headerOption("x-trace-seed", plant("route header value of high entropy", token)),
    headerOption("x-db-password", plant("route x-db-password", password)),
    { header: { key: "x-client-secret", raw_value: base64(plant("route header raw_value", password)) } },
  ],
  response_headers_to_add: [headerOption("x-session-key", plant("route response_headers_to_add", password))],
});

const weightedRoute = (plant: Plant, cluster: string): JsonObject => ({
  name: "ledger-canary",
  match: { path: "/v2" },
  route: {
    weighted_clusters: {
      clusters: [
        {
          name: cluster,
          weight: 100,
          request_headers_to_add: [
            headerOption("authorization", plant("weighted cluster request header", password)),
          ],
          response_headers_to_add: [
            headerOption("x-issued-token", plant("weighted cluster response header", password)),
          ],
          typed_per_filter_config: perFilterConfig(plant, "weighted cluster"),
        },
      ],
    },
  },
});

/** Routes that Envoy answers itself. */
const answers = (plant: Plant): JsonObject[] => [
  {
    name: "maintenance",
    match: { path: "/maintenance" },
    direct_response: {
      status: 503,
      body: { inline_string: `call us with the code ${plant("direct_response.body", password)}` },
    },
  },
  {
    name: "maintenance-bytes",
    match: { path: "/maintenance.bin" },
    direct_response: {
      status: 503,
      body: { inline_bytes: base64(`code ${plant("direct_response.body.inline_bytes", password)}`) },
    },
  },
];

/** Settings of filters on one level of the routes: a map by the filters' names. */
const perFilterConfig = (plant: Plant, at: string): JsonObject => ({
  // an Any in an Any
  "envoy.filters.http.basic_auth.optional": any("envoy.config.route.v3.FilterConfig", {
    is_optional: true,
    config: any("envoy.extensions.filters.http.basic_auth.v3.BasicAuthPerRoute", {
      users: { inline_string: `ops:${plant(`${at} FilterConfig basic_auth users`, password)}` },
    }),
  }),
  "envoy.filters.http.ext_authz": any("envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute", {
    check_settings: {
      context_extensions: { tenant: plant(`${at} ext_authz context_extensions`, password) },
    },
  }),
  "envoy.filters.http.lua": any("envoy.extensions.filters.http.lua.v3.LuaPerRoute", {
    source_code: { inline_string: `local pin = "${plant(`${at} lua source_code`, password)}"` },
  }),
  "envoy.filters.http.basic_auth": any("envoy.extensions.filters.http.basic_auth.v3.BasicAuthPerRoute", {
    users: { inline_string: `admin:${plant(`${at} basic_auth users`, password)}` },
  }),
  "envoy.filters.http.api_key_auth": any("envoy.extensions.filters.http.api_key_auth.v3.ApiKeyAuthPerRoute", {
    credentials: [{ key: plant(`${at} api_key_auth credentials`, password), client: "mobile" }],
  }),
  "envoy.filters.http.header_mutation": any(
    "envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute",
    {
      mutations: {
        request_mutations: [
          { append: headerOption("authorization", plant(`${at} header_mutation`, password)) },
        ],
      },
    },
  ),
});
