/**
 * Endpoint assignments in their two forms: as Istiod sends them and as Envoy rebuilds them from its live hosts
 * (envoyproxy/envoy, api/envoy/admin/v3/config_dump.proto).
 */

import { isObject, shared, textOf, type Json, type JsonObject } from "./json.js";
import { clusterId, type MeshPod, type MeshService, type ServicePort } from "./model.js";
import { canonicalName, canonicalRevision, podsBehind } from "./topology.js";

const assignmentType = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";

export interface EndpointAddress {
  readonly address: string;
  readonly port: number;
  readonly zone: string;
  /** null for an address that is no pod. */
  readonly pod: MeshPod | null;
}

/** The addresses behind one port of a service, or behind one of its subsets. */
export function addressesOf(
  service: MeshService,
  port: ServicePort,
  subset: string,
  pods: readonly MeshPod[],
): EndpointAddress[] {
  const labels = Object.entries(service.subsets.find(({ name }) => name === subset)?.labels ?? {});
  return [
    ...service.handMadeEndpoints.map((address) => ({
      address,
      port: port.targetPort,
      zone: "eu-central-1a",
      pod: null,
    })),
    ...podsBehind(service, pods)
      .filter((pod) => labels.every(([label, value]) => pod.labels[label] === value))
      .map((pod) => ({ address: pod.ip, port: port.targetPort, zone: pod.zone, pod })),
  ];
}

/** As Istiod sends it: localities with the sum of their weights, no health where it is good. */
export function sentAssignment(clusterName: string, addresses: readonly EndpointAddress[]): JsonObject {
  return shared({
    "@type": assignmentType,
    cluster_name: clusterName,
    ...(addresses.length === 0
      ? {}
      : {
          endpoints: byZone(addresses).map(([zone, members]) => ({
            locality: localityOf(zone),
            lb_endpoints: members.map((member) => ({
              endpoint: { address: socketAddress(member.address, member.port) },
              ...metadataOf(member),
              load_balancing_weight: 1,
            })),
            load_balancing_weight: members.length,
          })),
        }),
  });
}

/** As Envoy prints it: health, weight and policy always written, no weight of localities. */
export function liveAssignment(clusterName: string, addresses: readonly EndpointAddress[]): JsonObject {
  return shared({
    "@type": assignmentType,
    cluster_name: clusterName,
    ...(addresses.length === 0
      ? {}
      : {
          endpoints: byZone(addresses).map(([zone, members]) => ({
            locality: localityOf(zone),
            lb_endpoints: members.map((member) => ({
              endpoint: {
                address: socketAddress(member.address, member.port),
                health_check_config: {},
              },
              health_status: "HEALTHY",
              ...metadataOf(member),
              load_balancing_weight: 1,
            })),
          })),
        }),
    policy: { overprovisioning_factor: 140 },
  });
}

/** The assignment of a cluster without EDS: its own `load_assignment`, or no host at all (ORIGINAL_DST). */
export function assignmentOfCluster(cluster: JsonObject): JsonObject {
  const name = textOf(cluster, "name");
  const own = cluster["load_assignment"];
  if (!isObject(own)) return liveAssignment(name, []);
  return shared({
    "@type": assignmentType,
    cluster_name: name,
    endpoints: listOf(own["endpoints"]).map((group) => ({
      locality: {},
      lb_endpoints: listOf(group["lb_endpoints"]).map((host) => ({
        endpoint: { ...objectOf(host["endpoint"]), health_check_config: {} },
        health_status: "HEALTHY",
        load_balancing_weight: 1,
      })),
    })),
    policy: { overprovisioning_factor: 140 },
  });
}

export const socketAddress = (address: string, port: number): JsonObject => ({
  socket_address: { address, port_value: port },
});

const localityOf = (zone: string): JsonObject => (zone === "" ? {} : { region: zone.slice(0, -1), zone });

function metadataOf({ pod }: EndpointAddress): JsonObject {
  if (pod === null) return {};
  const { workload } = pod;
  const text = [
    workload.name,
    workload.namespace,
    canonicalName(workload),
    canonicalRevision(workload),
    clusterId,
  ].join(";");
  return {
    metadata: {
      filter_metadata: {
        ...(workload.proxyType === null ? {} : { "envoy.transport_socket_match": { tlsMode: "istio" } }),
        istio: { workload: text },
      },
    },
  };
}

function byZone(addresses: readonly EndpointAddress[]): [string, EndpointAddress[]][] {
  const groups = new Map<string, EndpointAddress[]>();
  for (const address of addresses) {
    const group = groups.get(address.zone);
    if (group === undefined) groups.set(address.zone, [address]);
    else group.push(address);
  }
  return [...groups].sort(([left], [right]) => (left < right ? -1 : 1));
}

const listOf = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter((member): member is JsonObject => isObject(member as Json)) : [];
const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
