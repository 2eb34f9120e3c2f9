/** Kubernetes' own objects, as `kubectl get -o yaml` and must-gather print them. */

import type { JsonObject } from "../mesh/json.js";
import type { Plant } from "./canary.js";
import {
  base64,
  awsSecret,
  binary,
  certificate,
  cloudAccount,
  hostLabel,
  jsonWebToken,
  password,
  phrase,
  privateKey,
  token,
} from "./values.js";

const object = (kind: string, name: string, fields: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind,
  metadata: { name, namespace: "default", ...metadata },
  ...fields,
});

export const secrets = (plant: Plant): JsonObject[] => [
  object("Secret", "ledger-db", {
    type: "Opaque",
    data: {
      password: base64(plant("Secret data", password)),
      motto: base64(plant("Secret data plain key", phrase)),
      "tls.key": base64(plant("Secret data tls.key", privateKey())),
      blob: plant("Secret data of bytes", binary(64)),
    },
    stringData: { pin: plant("Secret stringData", password) },
  }),
  object(
    "Secret",
    "builder-dockercfg",
    {
      type: "kubernetes.io/dockercfg",
      data: {
        ".dockercfg": base64(
          JSON.stringify({ "registry:5000": { auth: base64(`ci:${plant("Secret .dockercfg", password)}`) } }),
        ),
      },
    },
    {
      annotations: {
        "openshift.io/token-secret.value": plant("Secret annotation token-secret.value", jsonWebToken),
        "openshift.io/note": plant("Secret annotation of a plain key", password),
      },
    },
  ),
];

export const configMaps = (plant: Plant): JsonObject[] => [
  object("ConfigMap", "ledger-settings", {
    data: {
      MOTTO: plant("ConfigMap data", phrase),
      "app.properties": `db.password=${plant("ConfigMap data properties", password)}\ndb.user=ledger\n`,
      kubeconfig:
        "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n" +
        `    server: https://api.${plant("kubeconfig API server host", hostLabel)}.com:6443\n` +
        "  name: prod\nusers:\n- name: ci\n  user:\n" +
        `    token: ${plant("kubeconfig token", password)}\n` +
        `    client-key-data: ${base64(plant("kubeconfig client-key-data", privateKey("RSA PRIVATE KEY")))}\n`,
    },
    binaryData: { "store.jks": plant("ConfigMap binaryData", binary(64)) },
  }),
];

/** A pod with what its template can say. */
export const pods = (plant: Plant): JsonObject[] => [
  object(
    "Pod",
    "ledger-0",
    {
      spec: {
        imagePullSecrets: [{ name: "builder-dockercfg" }],
        containers: [
          {
            name: "app",
            image: "registry.example/ledger:1",
            args: [`--db-password=${plant("Pod args", password)}`],
            env: [
              { name: "DB_PASSWORD", value: plant("Pod env DB_PASSWORD", password) },
              { name: "AWS_SECRET_ACCESS_KEY", value: plant("Pod env AWS_SECRET_ACCESS_KEY", awsSecret) },
              { name: "API_TOKEN", value: plant("Pod env API_TOKEN", token) },
              {
                name: "GOOGLE_CREDENTIALS",
                value: base64(
                  JSON.stringify({
                    type: "service_account",
                    private_key: plant("Pod env base64 service account", privateKey()),
                  }),
                ),
              },
            ],
            livenessProbe: {
              httpGet: {
                path: "/healthz",
                port: 8080,
                httpHeaders: [
                  { name: "Authorization", value: `Basic ${base64(plant("Pod probe header", password))}` },
                ],
              },
            },
          },
        ],
      },
      status: { phase: "Running", podIP: "10.244.3.99" },
    },
    {
      annotations: {
        "eks.amazonaws.com/role-arn": `arn:aws:iam::${plant("Pod annotation ARN", cloudAccount, "support")}:role/ledger`,
        "vault.example/bootstrap-token": plant("Pod annotation token", password),
        "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({
          spec: {
            containers: [
              {
                env: [
                  {
                    name: "SA",
                    value: base64(
                      JSON.stringify({
                        private_key: plant("Pod last-applied base64 service account", privateKey()),
                      }),
                    ),
                  },
                  { name: "DB_PASSWORD", value: plant("Pod last-applied env", password) },
                ],
              },
            ],
          },
        }),
      },
    },
  ),
];

/** @param caCertificate a certificate that nothing else holds */
export const webhooks = (plant: Plant, caCertificate: string): JsonObject[] => [
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "istio-sidecar-injector" },
    webhooks: [
      {
        name: "namespace.sidecar-injector.istio.io",
        clientConfig: {
          caBundle: base64(plant("webhook caBundle", certificate(caCertificate))),
          url: `https://hooks.internal/inject?key=${plant("webhook url query", password)}`,
        },
      },
    ],
  },
];

/** `kubectl describe pods`. */
export const describedPod = (plant: Plant): string =>
  "Name:         ledger-0\nNamespace:    istio-system\nContainers:\n  app:\n    Environment:\n" +
  `      DB_PASSWORD:  ${plant("Environment", password)}\n` +
  `      API_TOKEN:    ${plant("Environment token", token)}\n`;
