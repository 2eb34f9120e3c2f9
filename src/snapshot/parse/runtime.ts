import { isMessage, text } from "../message.js";
import type { RuntimeValues } from "../model.js";
import { validator } from "../../shared/validator.js";

interface RawRuntime {
  readonly entries: Readonly<Record<string, unknown>>;
}
const validate = validator<RawRuntime>("runtime");

/**
 * `/runtime` (envoyproxy/envoy, source/server/admin/runtime_handler.cc). An entry without a final value is left out.
 * @throws BundleFormatError naming the field
 */
export function parseRuntime(json: unknown, entry: string): RuntimeValues {
  const values = Object.entries(validate(json, entry).entries).flatMap(([key, value]) =>
    isMessage(value) && typeof value["final_value"] === "string"
      ? [[key, text(value, "final_value")] as const]
      : [],
  );
  return { values: new Map(values), origin: { entry, pointer: "" } };
}
