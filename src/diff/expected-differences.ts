/** Differences between what Istiod sends and what a proxy holds that are no drift: somebody else's doing, and known. */
import type { Change } from "./changes.js";
import { isObject, type JsonValue } from "../shared/json-value.js";
import type { Difference } from "./sections.js";

/** Whether all that differs is expected. */
export function isExpected({ kind, class: of, changes }: Difference): boolean {
  if (of !== "changed") return false;
  switch (kind) {
    // of secrets only the names can be held against each other: Istiod never shows what is in them
    case "secret":
      return true;
    case "endpointAssignment":
      return changes.every(isLiveHealth);
    case "extensionConfig":
      return changes.every(isFetchedModule);
    default:
      return false;
  }
}

/**
 * A host that Envoy itself found unhealthy. Its dump has one health for what Istiod said, active checks and outlier
 * detection together (Envoy, source/server/admin/config_dump_handler.cc), so this proves nothing; a host that is better
 * than Istiod says does.
 */
const isLiveHealth = ({ path, kind, after }: Change): boolean =>
  path.endsWith(".health_status") && kind === "added" && (after === "UNHEALTHY" || after === "DEGRADED");

/**
 * The agent fetches a Wasm module and gives Envoy the file instead of the URL, without the variables that were meant for
 * the agent (Istio, pkg/wasm/convert.go). Where it could not, another filter stands there, which is a difference.
 */
function isFetchedModule({ path, kind, before, after }: Change): boolean {
  if (path.endsWith(".vm_config.code.remote")) return kind === "removed";
  if (path.endsWith(".vm_config.code.local"))
    return kind === "added" && isObject(after) && typeof after["filename"] === "string";
  if (kind !== "removed") return false;
  if (path.endsWith(".vm_config.environment_variables"))
    return isObject(before) && Object.keys(before).join() === "key_values" && isAgents(before["key_values"]);
  if (path.endsWith(".vm_config.environment_variables.key_values")) return isAgents(before);
  return /\.vm_config\.environment_variables\.key_values\.ISTIO_META_\w+$/.test(path);
}

/** Variables that the agent takes out. */
const isAgents = (variables: JsonValue | undefined): boolean =>
  isObject(variables) && Object.keys(variables).every((name) => name.startsWith("ISTIO_META_"));
