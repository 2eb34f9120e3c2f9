/** Clusters whose hosts differ in health, priority, weight, locality and metadata. */
import { textOf, type JsonObject } from "../../mesh/json.js";
import type { Random } from "../../mesh/random.js";
import { clusterOf, extension, locality, type Host } from "../messages.js";
import { chance, some } from "./near-values.js";

export interface GeneratedClusters {
  readonly clusters: readonly JsonObject[];
  /** What routes may name, with one that is missing. */
  readonly names: readonly string[];
}

/** @param prefix of their names */
export function generatedClusters(random: Random, prefix: string): GeneratedClusters {
  const plain = Array.from({ length: random.between(2, 4) }, (_, index) =>
    generatedCluster(random, `${prefix} cluster ${index}`, index),
  );
  const names = plain.map((one) => textOf(one, "name"));
  const aggregate: JsonObject[] = chance(random, 0.2)
    ? [
        {
          name: `${prefix} aggregate`,
          connect_timeout: "1s",
          lb_policy: "CLUSTER_PROVIDED",
          cluster_type: extension("aggregate", "envoy.extensions.clusters.aggregate.v3.ClusterConfig", {
            clusters: [`${prefix} missing`, ...random.shuffle(names).slice(0, 2)],
          }),
        },
      ]
    : [];
  return {
    clusters: [...plain, ...aggregate],
    names: [...names, ...aggregate.map(() => `${prefix} aggregate`), `${prefix} missing`],
  };
}

function generatedCluster(random: Random, name: string, index: number): JsonObject {
  const levels = random.pick([1, 1, 2, 3]);
  let number = 0;
  const hosts = (): Host[] =>
    Array.from({ length: random.pick([0, 1, 1, 2, 2, 3, 3, 4]) }, () => {
      number += 1;
      return generatedHost(random, `127.77.${3 + index}.${number}`);
    });
  const localities = Array.from({ length: levels }, (_, priority) =>
    Array.from({ length: random.pick([1, 1, 2]) }, (_member, zone) =>
      locality(hosts(), {
        priority,
        locality: { zone: `zone ${zone}` },
        ...(chance(random, 0.6) && { load_balancing_weight: random.between(1, 5) }),
      }),
    ),
  ).flat();
  return clusterOf(name, localities, {
    lb_policy: random.pick(["ROUND_ROBIN", "RANDOM", "LEAST_REQUEST"]),
    ...(chance(random, 0.6) && {
      common_lb_config: {
        ...(chance(random, 0.5) && { locality_weighted_lb_config: {} }),
        ...(chance(random, 0.5) && { healthy_panic_threshold: { value: random.pick([0, 25, 50, 100]) } }),
      },
    }),
    ...(chance(random, 0.2) && {
      load_assignment: {
        policy: {
          ...(chance(random, 0.5) && { overprovisioning_factor: random.pick([100, 140, 200]) }),
          ...(chance(random, 0.5) && { weighted_priority_health: true }),
        },
      },
    }),
    ...(chance(random, 0.25) && {
      lb_subset_config: {
        subset_selectors: random.pick([
          [{ keys: ["version"] }],
          [{ keys: ["version"] }, { keys: ["version", "stage"] }],
          [{ keys: ["stage"], fallback_policy: "ANY_ENDPOINT" }],
        ]),
        ...(chance(random, 0.6) && { fallback_policy: random.pick(["NO_FALLBACK", "ANY_ENDPOINT"]) }),
      },
    }),
  });
}

const generatedHost = (random: Random, address: string): Host => ({
  address,
  ...(chance(random, 0.3) && {
    health: random.pick(["HEALTHY", "UNHEALTHY", "DRAINING", "TIMEOUT", "DEGRADED", "UNKNOWN"] as const),
  }),
  ...(chance(random, 0.3) && { weight: random.between(1, 9) }),
  ...(chance(random, 0.5) && {
    metadata: {
      "envoy.lb": Object.fromEntries(
        some(random, ["version", "stage"], 0.7).map((key) => [key, random.pick(["v1", "v2"])]),
      ),
    },
  }),
});
