/** What a proxy says of itself: node metadata, command line, runtime (tools/packaging/common/envoy_bootstrap.json of istio/istio). */

import { isObject, type JsonObject } from "../mesh/json.js";
import type { Plant } from "./canary.js";
import { envoyGrpc } from "./grpc.js";
import { statsSinks } from "./telemetry.js";
import { staticSecrets } from "./tls.js";
import { base64, cloudProject, email, jsonWebToken, password, phrase, privateKey, token } from "./values.js";

const objectAt = (value: JsonObject, key: string): JsonObject => {
  const member = value[key];
  return isObject(member) ? member : {};
};

/** Node metadata with all that operators put into it. */
export function seededMetadata(plant: Plant, metadata: JsonObject): JsonObject {
  const proxyConfig = objectAt(metadata, "PROXY_CONFIG");
  return {
    ...metadata,
    ANNOTATIONS: {
      ...objectAt(metadata, "ANNOTATIONS"),
      "ledger.example/db-url": `postgres://app:${plant("annotation URL", password)}@db/ledger`,
      "ledger.example/note": plant("annotation", password),
      "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify({
        spec: { containers: [{ env: [{ name: "PIN", value: plant("annotation last-applied", password) }] }] },
      }),
      "proxy.istio.io/config": `proxyMetadata:\n  VAULT_TOKEN: ${plant("annotation proxy.istio.io/config", password)}\n`,
    },
    ENVIRONMENT: { DEPLOY_KEY: plant("ENVIRONMENT", password), TIER: plant("ENVIRONMENT plain key", phrase) },
    PLATFORM_METADATA: {
      gcp_project: plant("PLATFORM_METADATA gcp_project", cloudProject),
      gcp_gce_instance_id: plant("PLATFORM_METADATA", password),
    },
    PROXY_CONFIG: {
      ...proxyConfig,
      proxyMetadata: {
        XDS_ROOT_TOKEN: plant("PROXY_CONFIG.proxyMetadata", password),
        GREETING: plant("PROXY_CONFIG.proxyMetadata plain key", phrase),
      },
      tracing: {
        lightstep: { address: "lightstep:8080", accessToken: plant("PROXY_CONFIG.tracing", password) },
      },
    },
    OPERATOR: plant("own metadata key e-mail", email),
    BACKUP_PIN: plant("own metadata key", password),
    CREDENTIAL_FILE: base64(
      JSON.stringify({
        type: "service_account",
        private_key: plant("base64 of a service account's JSON with escaped PEM", privateKey()),
        client_email: "ledger@project.iam.gserviceaccount.com",
      }),
    ),
  };
}

/** The bootstrap around that node. */
export function seededBootstrap(plant: Plant, bootstrap: JsonObject): JsonObject {
  const node = objectAt(bootstrap, "node");
  const dynamic = objectAt(bootstrap, "dynamic_resources");
  return {
    ...bootstrap,
    node: { ...node, metadata: seededMetadata(plant, objectAt(node, "metadata")) },
    static_resources: {
      ...objectAt(bootstrap, "static_resources"),
      secrets: staticSecrets(plant),
    },
    dynamic_resources: {
      ...dynamic,
      ads_config: {
        ...objectAt(dynamic, "ads_config"),
        grpc_services: [envoyGrpc(plant, "ads_config grpc_service")],
      },
    },
    tracing: {
      http: {
        name: "envoy.tracers.lightstep",
        typed_config: {
          "@type": "type.googleapis.com/envoy.config.trace.v3.LightstepConfig",
          collector_cluster: "lightstep",
          access_token: { inline_string: plant("bootstrap tracing lightstep access_token", token) },
        },
      },
    },
    stats_sinks: statsSinks(plant),
    layered_runtime: {
      layers: [
        {
          name: "global config",
          static_layer: {
            "overload.global_downstream_max_connections": "2147483647",
            "ledger.motd": plant("bootstrap layered_runtime", password),
          },
        },
      ],
    },
    hds_config: {
      api_type: "GRPC",
      grpc_services: [
        {
          google_grpc: {
            target_uri: "hds.internal",
            call_credentials: [{ access_token: plant("hds_config call_credentials", password) }],
          },
        },
      ],
    },
  };
}

/** `/server_info`, whose command line can hold a whole bootstrap. */
export const seededServerInfo = (plant: Plant, serverInfo: JsonObject): JsonObject => ({
  ...serverInfo,
  command_line_options: {
    ...objectAt(serverInfo, "command_line_options"),
    config_yaml:
      `tracing:\n  http:\n    access_token: ${plant("command_line_options.config_yaml", password)}\n` +
      `note: ${plant("command_line_options.config_yaml JWT", jsonWebToken)}\n`,
  },
});

/** `/runtime`. */
export const seededRuntime = (plant: Plant, runtime: JsonObject): JsonObject => ({
  ...runtime,
  entries: {
    ...objectAt(runtime, "entries"),
    "ledger.motd": {
      final_value: plant("final_value", password),
      layer_values: [plant("layer_values", password), ""],
    },
  },
});
