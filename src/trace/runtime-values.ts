/** Guards of features in Envoy's runtime (envoyproxy/envoy, source/common/runtime/runtime_impl.cc). */
import type { Runtime } from "./match-context.js";
import { runtimeInteger } from "./matchers/runtime-fraction.js";

/** A whole number; the default where no layer has the key, or something else under it. */
export const runtimeNumber = (runtime: Runtime, key: string, otherwise: number): number =>
  runtimeInteger(runtime.value(key)) ?? otherwise;

/**
 * A guard, `envoy.reloadable_features.<name>`. `/runtime` prints every value as text, so the texts "true" and "false"
 * count as booleans, which they no longer do where Envoy 1.36 loads them.
 */
export function runtimeGuard(runtime: Runtime, name: string, otherwise: boolean): boolean {
  const value = runtime.value(`envoy.reloadable_features.${name}`);
  if (typeof value === "boolean") return value;
  if (typeof value === "string" && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === "true";
  const number = runtimeInteger(value);
  return number === undefined ? otherwise : number > 0;
}
