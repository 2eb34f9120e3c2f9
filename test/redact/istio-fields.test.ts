import { describe, expect, it } from "vitest";

import { itRedactsFields, secret, stays } from "./field-table.js";
import { aRedactor, redacted, redactedJson } from "./redacting.js";

describe("metadata of a node", () => {
  const node = (metadata: object): object => ({ node: { id: stays, metadata } });
  itRedactsFields([
    ["environment", "node metadata", node({ ENVIRONMENT: { A: secret }, NAME: stays })],
    ["platform", "node metadata", node({ PLATFORM_METADATA: { gcp_project: secret }, NAMESPACE: stays })],
    [
      "proxy metadata",
      "node metadata",
      node({ PROXY_CONFIG: { proxyMetadata: { TEAM: secret, ISTIO_META_X: stays } } }),
    ],
    [
      "unknown settings",
      "node metadata",
      node({ PROXY_CONFIG: { somethingNew: secret, discoveryAddress: stays } }),
    ],
    ["unknown keys", "node metadata", node({ MY_TEAM: secret, ISTIO_META_X: stays, MESH_ID: stays })],
    [
      "annotations",
      "node metadata",
      node({
        ANNOTATIONS: {
          "example.com/owner": secret,
          "sidecar.istio.io/inject": stays,
          "traffic.sidecar.istio.io/includePorts": stays,
          "istio.io/rev": stays,
        },
      }),
    ],
    [
      "a client of adsz",
      "node metadata",
      { clients: [{ connectionId: stays, metadata: { MY_TEAM: secret } }] },
    ],
  ]);

  it("keeps what analyses read", () => {
    const document = {
      node: {
        id: "sidecar~10.0.0.1~reviews-v1.default~default.svc.cluster.local",
        metadata: {
          NAME: "reviews-v1",
          NAMESPACE: "default",
          OWNER: "kubernetes://apis/apps/v1/namespaces/default/deployments/reviews-v1",
          SERVICE_ACCOUNT: "reviews",
          INSTANCE_IPS: "10.0.0.1",
          CLUSTER_ID: "Kubernetes",
          LABELS: { app: "reviews", "pod-template-hash": "abc" },
          INTERCEPTION_MODE: "REDIRECT",
          PILOT_SAN: ["istiod.istio-system.svc"],
          POD_PORTS: '[{"containerPort":9080,"protocol":"TCP"}]',
          PROXY_CONFIG: {
            discoveryAddress: "istiod.istio-system.svc:15012",
            concurrency: 2,
            tracing: { zipkin: { address: "zipkin:9411" } },
          },
          ENVOY_STATUS_PORT: 15021,
          UNPRIVILEGED_POD: "true",
          MY_SWITCH: "true",
        },
      },
    };
    expect(redactedJson(document)).toEqual(document);
  });
});

describe("the mesh", () => {
  itRedactsFields([
    [
      "headers of a provider",
      "mesh config",
      {
        extension_providers: [
          {
            name: stays,
            opentelemetry: { http: { headers: [{ name: stays, value: secret }] }, service: stays },
          },
        ],
      },
    ],
    [
      "headers in a check",
      "mesh config",
      {
        extension_providers: [
          {
            envoy_ext_authz_http: {
              include_additional_headers_in_check: { "x-tenant": secret },
              service: stays,
            },
          },
        ],
      },
    ],
    [
      "metadata of a provider",
      "mesh config",
      { extension_providers: [{ initial_metadata: [{ name: stays, value: secret }], service: stays }] },
    ],
    [
      "proxy metadata",
      "node metadata",
      { default_config: { proxy_metadata: { TEAM: secret, ISTIO_META_X: stays } } },
    ],
  ]);

  it("certificates become fingerprints", () => {
    expect(redactedJson({ caCertificates: [{ pem: "not one", certSigners: ["a"] }] })).toEqual({
      caCertificates: [{ pem: expect.stringMatching(/^‹redacted:certificate:/), certSigners: ["a"] }],
    });
  });

  it("settings in the YAML of an annotation are walked as YAML", () => {
    const annotations = {
      "proxy.istio.io/config": `concurrency: 2\nproxyMetadata:\n  TEAM: ${secret}\n  ISTIO_META_X: ${stays}\n`,
    };
    const left = JSON.stringify(redactedJson({ metadata: { annotations } }));
    expect(left).not.toContain(secret);
    expect(left).toContain(`ISTIO_META_X: ${stays}`);
    expect(left).toContain("concurrency: 2");
  });
});

describe("configuration of Istio", () => {
  itRedactsFields([
    [
      "EnvoyFilter",
      "Istio config",
      {
        config_patches: [
          {
            apply_to: stays,
            patch: {
              operation: stays,
              value: { name: secret, typed_config: { "@type": stays, a: [secret] } },
            },
          },
        ],
      },
    ],
    [
      "WasmPlugin",
      "Istio config",
      { plugin_config: { a: secret }, vm_config: { env: [{ name: stays, value: secret }] }, phase: stays },
    ],
    ["key of a WasmPlugin", "Istio config", { verification_key: secret, sha256: stays }],
    ["pull secret of a WasmPlugin", "Kubernetes object", { image_pull_secret: secret, url: stays }],
    ["RequestAuthentication", "Istio config", { jwt_rules: [{ issuer: stays, jwks: secret }] }],
    [
      "condition on a claim",
      "Istio config",
      { when: [{ key: "request.auth.claims[group]", values: [secret], not_values: [secret] }], name: stays },
    ],
    [
      "condition on a header",
      "Istio config",
      {
        when: [
          { key: "request.headers[x-tenant]", values: [secret] },
          { key: "source.ip", values: [stays] },
        ],
      },
    ],
    [
      "fixed response",
      "response body",
      { direct_response: { status: 503, body: { string: secret } }, name: stays },
    ],
    [
      "environment of a ProxyConfig",
      "node metadata",
      { environment_variables: { TEAM: secret, ISTIO_META_X: stays } },
    ],
  ]);

  it("keeps what a patch is made of, without its values", () => {
    const value = {
      name: "envoy.filters.http.lua",
      "@type": "type.googleapis.com/a.B",
      timeout: "10s",
      max: "5",
    };
    expect(redactedJson({ patch: { value } })).toEqual({ patch: { value } });
  });
});

describe("answers of Istiod", () => {
  it("of clusterz name no Secrets", () => {
    const left = redacted(
      "istio/istio-system/istiod-1/debug/clusterz",
      JSON.stringify([{ id: stays, secretName: secret, syncStatus: "synced" }]),
    );
    expect(left).not.toContain(secret);
    expect(left).toContain(stays);
    const elsewhere = { secretName: stays };
    expect(redactedJson(elsewhere)).toEqual(elsewhere);
  });

  it("of inject are tokens, in JSON and as a text", () => {
    const redactor = aRedactor();
    const name = "istio/istio-system/istiod-1/debug/inject";
    const json = redacted(name, JSON.stringify({ config: `policy: ${secret}`, values: "{}" }), redactor);
    expect(JSON.parse(json)).toEqual({
      config: expect.stringMatching(/^‹redacted:injection-template:15:/),
      values: expect.stringMatching(/^‹redacted:injection-template:2:/),
    });
    expect(redactor.rules).toEqual([{ rule: "injection template", count: 2, files: 1 }]);
    expect(redacted(name, `policy: ${secret}\ntemplate: |\n  x`)).toMatch(
      /^‹redacted:injection-template:\d+:[0-9a-f]{16}›$/,
    );
  });

  it("of endpointShardz keep hosts and namespaces called after secrets", () => {
    const document = {
      "secrets.external-secrets.svc.cluster.local": {
        "external-secrets": { Shards: { "Kubernetes/a": [{ Addresses: ["10.0.0.1"], TLSMode: "istio" }] } },
      },
    };
    const name = "istio/istio-system/istiod-1/debug/endpointShardz";
    expect(redactedJson(document, "internal", name)).toEqual(document);
  });
});
