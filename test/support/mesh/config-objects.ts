/** Istio's configuration objects behind the generated resources, as `/debug/configz` prints them (istio/istio, pilot/pkg/xds/debug.go). */

import { policyName, protectedApp } from "./http-filters.js";
import type { JsonObject } from "./json.js";
import { gatewayHosts, gatewayName, gatewayPaths } from "./routes.js";
import { controlPlaneNamespace, type MeshService } from "./model.js";
import { rfc3339Seconds } from "./time.js";

export function configObjectsOf(
  services: readonly MeshService[],
  bookinfo: boolean,
  createdAt: number,
): JsonObject[] {
  let resourceVersion = 40_000;
  const object = (
    apiVersion: string,
    kind: string,
    namespace: string,
    name: string,
    spec: JsonObject,
  ): JsonObject => {
    resourceVersion += 7;
    return {
      kind,
      apiVersion,
      metadata: {
        name,
        namespace,
        resourceVersion: String(resourceVersion),
        creationTimestamp: rfc3339Seconds(createdAt),
      },
      spec,
    };
  };
  const networking = "networking.istio.io/v1";
  const ofServices = services.flatMap((service) => [
    ...(service.subsets.length === 0
      ? []
      : [
          object(networking, "DestinationRule", service.namespace, service.name, {
            host: service.hostname,
            subsets: service.subsets.map(({ name, labels }) => ({ name, labels })),
          }),
        ]),
    ...(service.weights.length === 0
      ? []
      : [
          object(networking, "VirtualService", service.namespace, service.name, {
            hosts: [service.hostname],
            http: [
              {
                route: service.weights.map(({ subset, weight }) => ({
                  destination: { host: service.hostname, subset },
                  weight,
                })),
              },
            ],
          }),
        ]),
  ]);
  if (!bookinfo) return ofServices;
  return [
    ...ofServices,
    object(networking, "Gateway", "default", gatewayName, {
      selector: { istio: "ingressgateway" },
      servers: [
        { hosts: gatewayHosts, port: { name: "http", number: 80, protocol: "HTTP" } },
        {
          hosts: gatewayHosts,
          port: { name: "https", number: 443, protocol: "HTTPS" },
          tls: { mode: "SIMPLE", credentialName: "bookinfo-credential" },
        },
      ],
    }),
    object(networking, "VirtualService", "default", "bookinfo", {
      hosts: gatewayHosts,
      gateways: [gatewayName],
      http: [
        {
          match: gatewayPaths.map(({ match, value }) => ({
            uri: match === "path" ? { exact: value } : { prefix: value },
          })),
          route: [{ destination: { host: "productpage", port: { number: 9080 } } }],
        },
      ],
    }),
    object("security.istio.io/v1", "AuthorizationPolicy", "default", policyName, {
      selector: { matchLabels: { app: protectedApp } },
      rules: [
        {
          from: [{ source: { principals: ["cluster.local/ns/default/sa/bookinfo-reviews"] } }],
          to: [{ operation: { methods: ["GET"] } }],
        },
      ],
    }),
    object("security.istio.io/v1", "PeerAuthentication", controlPlaneNamespace, "default", {
      mtls: { mode: "PERMISSIVE" },
    }),
  ];
}
