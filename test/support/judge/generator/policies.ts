/** RBAC filters of random trees over what the requests of this generator differ in. */
import type { JsonObject } from "../../mesh/json.js";
import type { Random } from "../../mesh/random.js";
import { extension } from "../messages.js";
import { chance, textCondition } from "./near-values.js";
import { headerCondition } from "./route-conditions.js";

const deepest = 2;

export const rbacFilter = (random: Random, name: string): JsonObject =>
  extension(
    name,
    "envoy.extensions.filters.http.rbac.v3.RBAC",
    chance(random, 0.1) ? {} : { rules: rules(random) },
  );

/** Leaves that the network filter takes, too. */
export const networkRbacFilter = (random: Random): JsonObject =>
  extension("network rbac", "envoy.extensions.filters.network.rbac.v3.RBAC", {
    stat_prefix: "judge",
    rules: {
      action: random.pick(["ALLOW", "DENY"]),
      policies: {
        p: { permissions: [networkPermission(random)], principals: [addressPrincipal(random)] },
      },
    },
  });

function rules(random: Random): JsonObject {
  const names = random.shuffle(["b", "a", "ns[x]-policy[y]-rule[0]"]).slice(0, random.between(0, 3));
  return {
    action: random.pick(["ALLOW", "DENY", "LOG"]),
    policies: Object.fromEntries(
      names.map((name) => [
        name,
        {
          permissions: Array.from({ length: random.between(1, 2) }, () => permission(random, 0)),
          principals: Array.from({ length: random.between(1, 2) }, () => principal(random, 0)),
        },
      ]),
    ),
  };
}

function permission(random: Random, depth: number): JsonObject {
  const inner = (): JsonObject => permission(random, depth + 1);
  if (depth < deepest && chance(random, 0.4))
    return random.pick<() => JsonObject>([
      () => ({ and_rules: { rules: [inner(), inner()] } }),
      () => ({ or_rules: { rules: [inner(), inner()] } }),
      () => ({ not_rule: inner() }),
    ])();
  return random.pick<() => JsonObject>([
    () => ({ any: true }),
    () => ({ header: headerCondition(random).match }),
    () => ({ url_path: { path: urlPath(random) } }),
    () => networkPermission(random),
  ])();
}

function principal(random: Random, depth: number): JsonObject {
  const inner = (): JsonObject => principal(random, depth + 1);
  if (depth < deepest && chance(random, 0.4))
    return random.pick<() => JsonObject>([
      () => ({ and_ids: { ids: [inner(), inner()] } }),
      () => ({ or_ids: { ids: [inner(), inner()] } }),
      () => ({ not_id: inner() }),
    ])();
  return random.pick<() => JsonObject>([
    () => ({ any: true }),
    () => ({ header: headerCondition(random).match }),
    () => ({ url_path: { path: urlPath(random) } }),
    () => addressPrincipal(random),
    () => ({ authenticated: {} }),
  ])();
}

const urlPath = (random: Random): JsonObject => textCondition(random, ["/a", "/ab", "/b"]).matcher;

const networkPermission = (random: Random): JsonObject =>
  random.pick<JsonObject>([
    { destination_port: 80 },
    { destination_port_range: { start: 80, end: 82 } },
    { destination_ip: { address_prefix: "10.1.0.0", prefix_len: 16 } },
    { requested_server_name: { suffix: "a.com" } },
    { any: true },
  ]);

const addressPrincipal = (random: Random): JsonObject => {
  const range = random.pick([
    { address_prefix: "10.9.0.0", prefix_len: 16 },
    { address_prefix: "10.9.9.9", prefix_len: 32 },
    { address_prefix: "127.0.0.0", prefix_len: 8 },
  ]);
  return { [random.pick(["direct_remote_ip", "remote_ip", "source_ip"])]: range };
};
