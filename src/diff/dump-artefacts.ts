/**
 * What Envoy's dump of a resource says that nobody sent: endpoint dumps are rebuilt from live hosts, with weights and
 * factors written out and empty localities gone (Envoy, source/server/admin/config_dump_handler.cc,
 * dumpEndpointConfigs). Taken off on both sides, so that nothing depends on who wrote a dump.
 */
import {
  canonicalText,
  isList,
  isObject,
  objectOf,
  type JsonObject,
  type JsonValue,
} from "../shared/json-value.js";

const overprovisioning = 140;

const without = (message: JsonObject, ...names: readonly string[]): JsonObject =>
  objectOf(Object.entries(message).filter(([key]) => !names.includes(key)));

const isEmpty = (value: JsonValue | undefined): boolean => isObject(value) && Object.keys(value).length === 0;
const weightOf = (host: JsonValue): number => {
  const weight = isObject(host) ? Number(host["load_balancing_weight"] ?? 1) : 1;
  return Number.isFinite(weight) ? weight : 1;
};
const hostsOf = (locality: JsonValue): readonly JsonValue[] => {
  const hosts = isObject(locality) ? locality["lb_endpoints"] : undefined;
  return isList(hosts) ? hosts : [];
};

const rules: Readonly<Record<string, (message: JsonObject) => JsonObject>> = {
  "envoy.config.endpoint.v3.ClusterLoadAssignment": (message) => {
    const localities = message["endpoints"];
    const policy = message["policy"];
    const rest =
      isObject(policy) && policy["overprovisioning_factor"] === overprovisioning
        ? without(policy, "overprovisioning_factor")
        : policy;
    return objectOf([
      ...Object.entries(without(message, "endpoints", "policy")),
      ...(isList(localities)
        ? [
            [
              "endpoints",
              localities.filter((locality) => !isObject(locality) || !isHostless(locality)),
            ] as const,
          ]
        : []),
      ...(rest === undefined || isEmpty(rest) ? [] : [["policy", rest] as const]),
    ]);
  },
  "envoy.config.endpoint.v3.LocalityLbEndpoints": (message) => {
    // Istiod writes the sum of the hosts' weights; Envoy writes it only where localities are weighted, else 0 or nothing.
    // The number of hosts is the sum of before a host's own weight was changed
    const weight = message["load_balancing_weight"];
    const hosts = hostsOf(message);
    const derived = [0, hosts.length, hosts.reduce<number>((total, host) => total + weightOf(host), 0)];
    return objectOf(
      Object.entries(message).filter(
        ([key, value]) =>
          !(key === "locality" && isEmpty(value)) &&
          !(key === "load_balancing_weight" && derived.includes(Number(weight))),
      ),
    );
  },
  "envoy.config.endpoint.v3.LbEndpoint": (message) =>
    objectOf(
      Object.entries(message)
        .filter(
          ([key, value]) =>
            !(key === "load_balancing_weight" && value === 1) &&
            !(key === "metadata" && isEmpty(value)) &&
            !(key === "health_status" && (value === "HEALTHY" || value === "UNKNOWN")),
        )
        // the dump knows three states only
        .map(([key, value]) =>
          key === "health_status" && (value === "DRAINING" || value === "TIMEOUT")
            ? [key, "UNHEALTHY"]
            : [key, value],
        ),
    ),
  "envoy.config.endpoint.v3.Endpoint": (message) =>
    isEmpty(message["health_check_config"]) ? without(message, "health_check_config") : message,
};

/** A locality that another engine serves (`leds`) has no hosts here and is not empty. */
const isHostless = (locality: JsonObject): boolean =>
  hostsOf(locality).length === 0 &&
  locality["leds_cluster_locality_config"] === undefined &&
  locality["load_balancer_endpoints"] === undefined;

/**
 * An assignment without the hosts whose address stands in it before: only the first counts (Envoy,
 * source/common/upstream/upstream_impl.cc). For a message as it was sent, in its own order.
 */
export function withoutRepeatedHosts(type: string, message: JsonObject): JsonObject {
  const localities = message["endpoints"];
  if (type !== "envoy.config.endpoint.v3.ClusterLoadAssignment" || !isList(localities)) return message;
  const seen = new Set<string>();
  const isNew = (host: JsonValue): boolean => {
    const endpoint = isObject(host) ? host["endpoint"] : undefined;
    const address = isObject(endpoint) ? endpoint["address"] : undefined;
    const socket = isObject(address) ? address["socket_address"] : undefined;
    if (address === undefined) return true;
    const text = isObject(socket)
      ? canonicalText([socket["address"] ?? "", socket["port_value"] ?? 0])
      : canonicalText(address);
    const size = seen.size;
    return seen.add(text).size > size;
  };
  const endpoints = localities.map((locality) => {
    const hosts = hostsOf(locality);
    const own = hosts.filter(isNew);
    return isObject(locality) && own.length < hosts.length ? { ...locality, lb_endpoints: own } : locality;
  });
  return { ...message, endpoints };
}

/** A message whose members say what they mean. */
export function withoutDumpArtefacts(type: string, message: JsonObject): JsonObject {
  return rules[type]?.(message) ?? message;
}
