import type { ProblemList } from "../../shared/problem.js";
import { validator } from "../../shared/validator.js";
import { readZtunnelRows, type ZtunnelDump } from "./ztunnel-rows.js";

const validate = validator<object>("ztunnelDump");

/** Whether a JSON object is a ztunnel's dump and not an Envoy's. */
export function isZtunnelDump(json: unknown): boolean {
  return (
    typeof json === "object" &&
    json !== null &&
    !("configs" in json) &&
    ("workloads" in json || "by_addr" in json)
  );
}

/**
 * A ztunnel's `/config_dump` of any release. A bad row costs that row.
 * @throws BundleFormatError when the whole is none
 */
export function parseZtunnelDump(json: unknown, entry: string, problems: ProblemList): ZtunnelDump {
  return readZtunnelRows(validate(json, entry), entry, problems);
}
