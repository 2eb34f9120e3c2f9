/** What Istiod's debug answers can hold (istio/istio, pilot/pkg/xds/debug.go): its objects, its settings, its clients. */

import { type Json, type JsonObject } from "../mesh/json.js";
import {
  base64,
  email,
  hexadecimal,
  jsonWebToken,
  password,
  phrase,
  privateKey,
  symmetricKey,
  token,
  certificate,
} from "./values.js";
import type { Plant } from "./canary.js";
import { octKeySet } from "./filters.js";
import { any, headerOption } from "./message.js";

/** Objects of `debug/configz` and of a bug-report's `crs`. */
export function seededObjects(plant: Plant): JsonObject[] {
  const object = (apiVersion: string, kind: string, name: string, spec: JsonObject): JsonObject => ({
    kind,
    apiVersion,
    metadata: { name, namespace: "default", resourceVersion: "90001" },
    spec,
  });
  const networking = "networking.istio.io/v1";
  return [
    object("networking.istio.io/v1alpha3", "EnvoyFilter", "ledger-auth", {
      configPatches: [
        {
          applyTo: "HTTP_FILTER",
          patch: {
            operation: "INSERT_BEFORE",
            value: {
              name: "ledger.auth",
              typed_config: any("example.gateway.v1.PartnerAuth", {
                realm: plant("EnvoyFilter patch.value plain key", password),
                client_secret: plant("EnvoyFilter patch.value", password),
              }),
            },
          },
        },
        {
          applyTo: "CLUSTER",
          patch: {
            operation: "MERGE",
            value: {
              transport_socket: {
                typed_config: any("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", {
                  common_tls_context: {
                    tls_certificates: [
                      {
                        private_key: {
                          inline_string: plant("EnvoyFilter patch.value private_key", privateKey()),
                        },
                      },
                    ],
                  },
                }),
              },
            },
          },
        },
        {
          applyTo: "ROUTE_CONFIGURATION",
          patch: {
            operation: "MERGE",
            value: {
              request_headers_to_add: [
                headerOption("x-partner", plant("EnvoyFilter patch.value header", password)),
              ],
            },
          },
        },
      ],
    }),
    object("extensions.istio.io/v1alpha1", "WasmPlugin", "ledger-plugin", {
      url: `https://plugins.internal/auth.wasm?sig=${plant("WasmPlugin url query", hexadecimal)}`,
      pluginConfig: {
        greeting: plant("WasmPlugin pluginConfig plain key", phrase),
        openid: { client_secret: plant("WasmPlugin pluginConfig", password) },
      },
      vmConfig: {
        env: [{ name: "MODE", valueFrom: "INLINE", value: plant("WasmPlugin vmConfig.env", password) }],
      },
    }),
    object("security.istio.io/v1", "RequestAuthentication", "ledger-jwt", {
      jwtRules: [
        {
          issuer: "https://idp.internal",
          jwks: octKeySet(plant("RequestAuthentication jwks oct", symmetricKey)),
        },
        {
          issuer: "https://idp2.internal",
          jwksUri: `https://ci:${plant("RequestAuthentication jwksUri userinfo", password)}@idp.internal/keys?k=${plant("RequestAuthentication jwksUri query", password)}`,
        },
      ],
    }),
    object("security.istio.io/v1", "AuthorizationPolicy", "ledger-key", {
      rules: [
        {
          when: [
            {
              key: "request.headers[x-api-key]",
              values: [plant("AuthorizationPolicy when header", password)],
            },
            {
              key: "request.headers[authorization]",
              notValues: [`Basic ${base64(plant("AuthorizationPolicy when notValues", password))}`],
            },
            {
              key: "request.auth.claims[email]",
              values: [plant("AuthorizationPolicy request.auth value", email)],
            },
          ],
        },
      ],
    }),
    {
      ...object(networking, "VirtualService", "ledger", {
        hosts: ["ledger.internal"],
        http: [
          {
            match: [
              {
                headers: { authorization: { exact: plant("VirtualService match authorization", password) } },
              },
            ],
            headers: {
              request: {
                set: {
                  authorization: `Basic ${base64(plant("VirtualService headers.request.set", password))}`,
                },
                add: { "x-api-key": plant("VirtualService headers.request.add", password) },
              },
              response: {
                set: { "set-cookie": `sid=${plant("VirtualService headers.response.set", password)}` },
              },
            },
            route: [
              {
                destination: { host: "ledger.internal" },
                headers: {
                  request: {
                    add: { "x-db-password": plant("VirtualService route destination headers", password) },
                  },
                },
              },
            ],
          },
          {
            directResponse: {
              status: 503,
              body: { string: `code ${plant("VirtualService directResponse.body", password)}` },
            },
          },
        ],
      }),
      metadata: {
        name: "ledger",
        namespace: "default",
        resourceVersion: "90002",
        annotations: {
          "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({
            spec: { note: plant("last-applied-configuration", password) },
          }),
          "ledger.example/contact-token": plant("annotation of an object", password),
        },
        managedFields: [
          {
            manager: "kubectl-client-side-apply",
            operation: "Update",
            fieldsV1: { "f:spec": { [`k:{"pin":"${plant("managedFields", password)}"}`]: {} } },
          },
        ],
      },
    },
    object("telemetry.istio.io/v1", "Telemetry", "ledger-tags", {
      tracing: [
        {
          customTags: {
            billing: { literal: { value: plant("Telemetry customTags literal", password) } },
            build: {
              environment: {
                name: "BUILD",
                defaultValue: plant("Telemetry customTags environment", password),
              },
            },
          },
        },
      ],
    }),
    object("networking.istio.io/v1beta1", "ProxyConfig", "ledger-env", {
      environmentVariables: { ROOT_TOKEN: plant("ProxyConfig environmentVariables", password) },
    }),
    object("gateway.networking.k8s.io/v1", "HTTPRoute", "ledger-http", {
      rules: [
        {
          filters: [
            {
              type: "RequestHeaderModifier",
              requestHeaderModifier: {
                set: [{ name: "authorization", value: plant("HTTPRoute requestHeaderModifier", password) }],
              },
            },
          ],
        },
      ],
    }),
  ];
}

/** `debug/mesh`. @param caCertificate a certificate that nothing else holds */
export const seededMeshConfig = (plant: Plant, mesh: JsonObject, caCertificate: string): JsonObject => ({
  ...mesh,
  extensionProviders: [
    {
      name: "authz",
      envoyExtAuthzHttp: {
        service: "authz.default.svc.cluster.local",
        port: "8080",
        includeAdditionalHeadersInCheck: {
          "x-ext-authz": plant("extensionProviders includeAdditionalHeadersInCheck", password),
        },
      },
    },
    {
      name: "otel",
      opentelemetry: {
        service: "otel.default.svc.cluster.local",
        port: 4318,
        http: {
          path: "/v1/traces",
          headers: [{ name: "x-vendor", value: plant("extensionProviders http.headers", password) }],
        },
      },
    },
    {
      name: "otel-grpc",
      opentelemetry: {
        service: "otel.default.svc.cluster.local",
        port: 4317,
        grpc: {
          initialMetadata: [
            { name: "x-vendor", value: plant("extensionProviders grpc.initialMetadata", password) },
          ],
        },
      },
    },
    {
      name: "lightstep",
      lightstep: {
        service: "lightstep.default.svc.cluster.local",
        port: 8080,
        accessToken: plant("extensionProviders lightstep.accessToken", password),
      },
    },
  ],
  caCertificates: [{ pem: plant("caCertificates.pem", certificate(caCertificate)) }],
  defaultConfig: {
    discoveryAddress: "istiod.istio-system.svc:15012",
    proxyMetadata: { BOOT_TOKEN: plant("defaultConfig.proxyMetadata", password) },
    tracing: {
      customTags: { billing: { literal: { value: plant("defaultConfig.tracing customTags", password) } } },
    },
  },
});

/** `debug/inject`: the template and the values of the installation. */
export const injectAnswer = (plant: Plant): JsonObject => ({
  config:
    "policy: enabled\ntemplates:\n  sidecar: |\n    spec:\n      containers:\n      - env:\n" +
    `        - name: TRACE_TOKEN\n          value: ${plant("config", password)}\n`,
  values: JSON.stringify({
    global: {
      imagePullSecrets: [plant("values imagePullSecrets", password)],
      proxy: { tracer: "lightstep" },
      tracer: { lightstep: { accessToken: plant("values", password) } },
      motd: plant("values plain key", phrase),
    },
  }),
});

export const clusterzAnswer = (plant: Plant): Json => [
  { id: "Kubernetes", secretName: "", syncStatus: "synced" },
  { id: "remote", secretName: `istio-system/${plant("secretName", password)}`, syncStatus: "synced" },
];

export const pushStatusAnswer = (plant: Plant): JsonObject => ({
  pilot_eds_no_instances: {
    "outbound|80||reviews.default.svc.cluster.local": {
      proxy: "catalog-api-0-0.team-0",
      message: `fetching with Authorization: Bearer ${plant("message", token)} failed`,
    },
  },
});

/** Of an endpoint that is internal to Istiod and has no documented shape. */
export const internalAnswer = (plant: Plant, name: string): JsonObject => ({
  namespace_to_things: {
    default: [
      {
        Name: "ledger",
        Spec: { client_secret: plant(`${name} secret-named key`, password) },
        Dump: `&Secret{Data:map[string][]byte{key: ${plant(`${name} PEM in text`, privateKey())}}}`,
        Note: `sent ${plant(`${name} JWT in text`, jsonWebToken)}`,
      },
    ],
  },
});
