/** Clusters with credentials in their sockets, options and filters (api/envoy/config/cluster/v3/cluster.proto). */

import type { JsonObject } from "../mesh/json.js";
import type { Plant } from "./canary.js";
import { any, extension, headerOption } from "./message.js";
import { oldTlsContext, upstreamTls, wrappedTls } from "./tls.js";
import {
  base64,
  cloudAccount,
  cloudProject,
  hostLabel,
  password,
  podAddress,
  publicAddress,
  publicAddress6,
} from "./values.js";

const cluster = (name: string, address: string, fields: JsonObject): JsonObject =>
  any("envoy.config.cluster.v3.Cluster", {
    name,
    type: "STATIC",
    connect_timeout: "10s",
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: [{ endpoint: { address: { socket_address: { address, port_value: 443 } } } }],
        },
      ],
    },
    ...fields,
  });

/** The cluster that the seeded routes lead to. */
export const ledgerCluster = "outbound|8443||ledger.internal";

export const seededClusters = (plant: Plant): JsonObject[] => [
  cluster(ledgerCluster, "10.96.7.7", { transport_socket: upstreamTls(plant, "cluster transport_socket") }),
  cluster("outbound|8444||ledger.internal", "10.96.7.7", {
    transport_socket_matches: [
      {
        name: "tlsMode-custom",
        match: { tlsMode: "custom" },
        transport_socket: upstreamTls(plant, "cluster transport_socket_matches"),
      },
      { name: "wrapped", match: {}, transport_socket: wrappedTls(plant, "cluster nested transport_socket") },
    ],
  }),
  cluster("outbound|8445||ledger.internal", "10.96.7.7", {
    tls_context: oldTlsContext(plant, "cluster v2 tls_context"),
  }),
  cluster("outbound|6379||redis.internal", "10.96.7.8", {
    typed_extension_protocol_options: {
      "envoy.filters.network.redis_proxy": any(
        "envoy.extensions.filters.network.redis_proxy.v3.RedisProtocolOptions",
        {
          auth_username: { inline_string: plant("redis auth_username", password) },
          auth_password: { inline_string: plant("redis auth_password", password) },
        },
      ),
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": any(
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        {
          explicit_http_config: { http2_protocol_options: {} },
          http_filters: [
            extension(
              "credential_injector",
              "envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
              {
                credential: extension(
                  "generic",
                  "envoy.extensions.http.injected_credentials.generic.v3.Generic",
                  {
                    credential: {
                      inline_bytes: base64(plant("upstream filter credential_injector", password)),
                    },
                  },
                ),
              },
            ),
          ],
        },
      ),
    },
    health_checks: [
      {
        timeout: "1s",
        http_health_check: {
          path: "/healthz",
          request_headers_to_add: [
            headerOption("authorization", plant("health check request_headers_to_add", password)),
          ],
        },
      },
    ],
    metadata: {
      filter_metadata: { "com.example.ledger": { api_token: plant("cluster metadata", password) } },
    },
  }),
];

/** Clusters and a filter that tell where the mesh is and whom it talks to. @param sans names in the server's certificate */
export const identityClusters = (plant: Plant): JsonObject[] => {
  const outside = `api.${plant("external host label", hostLabel, "support")}.com`;
  return [
    {
      ...cluster(`outbound|443||${outside}`, plant("public IP of an endpoint", publicAddress, "support"), {}),
      alt_stat_name: "outside",
    },
    cluster("outbound|444||six.internal", plant("public IPv6 of an endpoint", publicAddress6, "support"), {}),
    cluster("outbound|445||vm.internal", plant("pod IP", podAddress, "public"), {}),
    {
      ...cluster("lambda", "10.96.7.9", {}),
      metadata: {
        filter_metadata: {
          "com.amazonaws.lambda": {
            arn: `arn:aws:lambda:eu-central-1:${plant("cloud account in an ARN", cloudAccount, "support")}:function:x`,
          },
          "com.google.topic": {
            name: `projects/${plant("cloud project", cloudProject, "support")}/topics/orders`,
          },
        },
      },
    },
  ];
};
