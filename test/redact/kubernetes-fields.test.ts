import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";

import { root } from "./certificate-fixtures.js";
import { itRedactsFields, secret, stays } from "./field-table.js";
import { aRedactor, base64, redacted, redactedJson } from "./redacting.js";

const coded = base64(secret);

/** Objects as JSON and as items of a YAML list: what is left of the object, and that both are the same. */
function left(object: unknown): unknown {
  const json = redactedJson(object);
  const yaml = redacted(
    "cluster/k8s-resources",
    stringify({ apiVersion: "v1", items: [object], kind: "List" }),
  );
  expect((parse(yaml) as { items: unknown[] }).items[0]).toEqual(json);
  expect(yaml).not.toContain(secret);
  expect(yaml).not.toContain(coded);
  expect(redacted("cluster/k8s-resources", yaml)).toBe(yaml);
  return json;
}

const token = expect.stringMatching(/^‹redacted:Kubernetes-object:/);
const codedToken = expect.stringMatching(/^4oC5/);

describe("objects of Kubernetes", () => {
  it("Secrets keep names and lose data, annotations and who changed them", () => {
    expect(
      left({
        apiVersion: "v1",
        data: { "tls.key": coded, user: coded },
        kind: "Secret",
        metadata: {
          annotations: { "openshift.io/token-secret.value": secret, note: secret },
          labels: { app: stays },
          managedFields: [{ manager: secret }],
          name: stays,
        },
        stringData: { a: secret },
        type: "Opaque",
      }),
    ).toEqual({
      apiVersion: "v1",
      data: { "tls.key": codedToken, user: codedToken },
      kind: "Secret",
      metadata: {
        annotations: { "openshift.io/token-secret.value": token, note: token },
        labels: { app: stays },
        managedFields: [],
        name: stays,
      },
      stringData: { a: token },
      type: "Opaque",
    });
  });

  it("Secrets in a list that an API server printed have no kind", () => {
    expect(left({ data: { a: coded }, metadata: { name: stays } })).toEqual({
      data: { a: codedToken },
      metadata: { name: stays },
    });
  });

  it("ConfigMaps lose their values, but Istio's own are walked", () => {
    const mesh = `accessLogFile: ${stays}\nextensionProviders:\n- name: a\n  envoyOtelAls:\n    headers:\n    - name: x\n      value: ${secret}\n`;
    const config = left({
      apiVersion: "v1",
      binaryData: { b: coded },
      data: { "app.properties": secret, mesh, "root-cert.pem": root.pem },
      kind: "ConfigMap",
      metadata: { name: "istio" },
    }) as { data: Record<string, string> };
    expect(config).toMatchObject({
      binaryData: { b: codedToken },
      data: { "app.properties": token, "root-cert.pem": root.pem },
    });
    expect(config.data["mesh"]).toContain(`accessLogFile: ${stays}`);
    expect(config.data["mesh"]).toContain("‹redacted:mesh-config:");
  });

  it("other objects keep their data", () => {
    const object = { kind: "Other", metadata: { name: "a" }, data: { b: stays } };
    expect(left(object)).toEqual(object);
  });

  itRedactsFields([
    [
      "environment of a container",
      "secret",
      {
        containers: [
          {
            name: stays,
            env: [
              { name: "API_TOKEN", value: secret },
              { name: "PORT", value: stays },
            ],
          },
        ],
      },
    ],
    [
      "arguments",
      "Kubernetes object",
      {
        containers: [{ args: ["--password", secret, "--port", stays], command: [stays, "--token", secret] }],
      },
    ],
    ["argument with its value", "secret in text", { args: [`--password=${secret}`, stays] }],
    ["pull secrets", "Kubernetes object", { image_pull_secrets: [{ name: secret }], name: stays }],
    [
      "what was applied last",
      "Kubernetes object",
      { annotations: { "kubectl.kubernetes.io/last-applied-configuration": `{"a":"${secret}"}`, a: stays } },
    ],
    [
      "a token in an annotation",
      "secret",
      { annotations: { "example.com/api-token": secret, "example.com/url": stays } },
    ],
    [
      "kubeconfig",
      "secret",
      { users: [{ name: stays, user: { token: secret, "client-key-data": base64(secret) } }] },
    ],
    [
      "credentials of a registry",
      "Kubernetes object",
      { auths: { "registry.example": { auth: secret } }, name: stays },
    ],
  ]);

  it("names of secrets stay", () => {
    const object = {
      env: [{ name: "API_TOKEN", valueFrom: { secretKeyRef: { name: "api", key: "token" } } }],
      volumes: [
        { name: "a", secret: { secretName: "b", items: [{ key: "c", path: "d" }], defaultMode: 420 } },
      ],
      secrets: [{ name: "default-token-x" }],
      tls: { credentialName: "bookinfo-credential" },
    };
    expect(left(object)).toEqual(object);
  });

  it("certificates of webhooks become fingerprints", () => {
    const webhook = redactedJson({ clientConfig: { caBundle: base64(root.pem) } }) as {
      clientConfig: { caBundle: string };
    };
    expect(Buffer.from(webhook.clientConfig.caBundle, "base64").toString()).toMatch(
      /^‹redacted:certificate:sha256=[0-9a-f]{64}:/,
    );
  });
});

it("counts each rule and its files", () => {
  const redactor = aRedactor();
  redacted("a.yaml", `kind: Secret\ndata:\n  a: ${coded}\n  b: ${coded}\n`, redactor);
  redacted("b.yaml", `kind: Secret\ndata:\n  a: ${coded}\n`, redactor);
  expect(redactor.rules).toEqual([{ rule: "Kubernetes object", count: 3, files: 2 }]);
});
