import { BundleFormatError } from "../../shared/errors.js";
import { validator } from "../../shared/validator.js";
import { present, type Ztunnel, type ZtunnelService, type ZtunnelWorkload } from "../model.js";
import { pointerToken } from "./config-dump.js";

type Rows = readonly unknown[] | Readonly<Record<string, unknown>>;
interface RawDump {
  readonly workloads?: Rows;
  readonly by_addr?: Rows;
  readonly services?: Rows;
  readonly by_vip?: Rows;
  readonly policies?: Rows;
  readonly certificates?: Rows;
}
const validate = validator<RawDump>("ztunnelDump");

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
 * A ztunnel's `/config_dump`: workloads, services, and how many policies and certificates there are. Lists and maps are
 * both read, of every release since 1.18 (istio/ztunnel, src/state.rs).
 * @throws BundleFormatError naming the field
 */
export function parseZtunnelDump(json: unknown, entry: string): Ztunnel["dump"] {
  const raw = validate(json, entry);
  const workloadField = raw.workloads === undefined ? "by_addr" : "workloads";
  const serviceField = raw.services === undefined ? "by_vip" : "services";
  return present({
    workloads: rows(raw[workloadField], `/${workloadField}`, entry).map(
      ({ row, pointer }): ZtunnelWorkload => ({
        uid: text(row["uid"]),
        name: text(row["name"]),
        namespace: text(row["namespace"]),
        addresses: texts(row["workloadIps"] ?? row["workloadIp"]),
        protocol: text(row["protocol"]),
        node: text(row["node"]),
        status: text(row["status"]),
        origin: { entry, pointer },
      }),
    ),
    services: rows(raw[serviceField], `/${serviceField}`, entry).map(({ row, pointer }): ZtunnelService => ({
      name: text(row["name"]),
      namespace: text(row["namespace"]),
      hostname: text(row["hostname"]),
      vips: texts(row["vips"]),
      origin: { entry, pointer },
    })),
    policies: count(raw.policies),
    certificates: count(raw.certificates),
    origin: { entry, pointer: "" },
  });
}

function rows(
  list: Rows | undefined,
  at: string,
  entry: string,
): { row: Readonly<Record<string, unknown>>; pointer: string }[] {
  return Object.entries(list ?? {}).map(([key, row]: [string, unknown]) => {
    const pointer = `${at}/${pointerToken(key)}`;
    if (typeof row !== "object" || row === null || Array.isArray(row))
      throw new BundleFormatError(entry, pointer, "must be object");
    return { row: row as Readonly<Record<string, unknown>>, pointer };
  });
}

const count = (list: Rows | undefined): number => Object.keys(list ?? {}).length;
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const texts = (value: unknown): string[] =>
  Array.isArray(value)
    ? value.filter((item) => typeof item === "string")
    : typeof value === "string"
      ? [value]
      : [];
