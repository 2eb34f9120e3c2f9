import { lost, type ProblemList } from "../../shared/problem.js";
import type { Origin } from "../model.js";
import { pointerToken } from "./config-dump.js";

/** One object of a ztunnel's dump, as it stands there, unknown fields and all. */
export interface ZtunnelRow {
  readonly raw: Fields;
  readonly origin: Origin;
}
type Fields = Readonly<Record<string, unknown>>;

export interface WorkloadRow extends ZtunnelRow {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly addresses: readonly string[];
  readonly hostname: string;
  readonly node: string;
  readonly protocol: string;
  readonly status: string;
  readonly canonicalName: string;
  /** `network/ip` or `namespace/hostname` of a service, before 1.19 the address of a workload; null for no waypoint. */
  readonly waypoint: string | null;
}
export interface ServiceRow extends ZtunnelRow {
  readonly name: string;
  readonly namespace: string;
  readonly hostname: string;
  /** Each `network/ip`. */
  readonly vips: readonly string[];
  /** As a workload's. */
  readonly waypoint: string | null;
  /** The uid of each endpoint's workload, "" where the dump names none. */
  readonly endpoints: readonly string[];
}
export interface PolicyRow extends ZtunnelRow {
  readonly name: string;
  readonly namespace: string;
  readonly action: string;
  readonly scope: string;
}
export interface CertificateRow extends ZtunnelRow {
  readonly identity: string;
  readonly state: string;
  /** Leaf first; before 1.24 with the root as the last. */
  readonly chain: readonly Certificate[];
  readonly roots: readonly Certificate[];
}
export interface Certificate {
  /** Decimal. */
  readonly serialNumber: string;
  /** RFC 3339, like `expirationTime`; "" where the dump does not say. */
  readonly validFrom: string;
  readonly expirationTime: string;
  readonly origin: Origin;
}
/** What ztunnel says of one workload of its node (`workloadState`, since 1.22). */
export interface WorkloadStateRow extends ZtunnelRow {
  readonly state: string;
  readonly name: string;
  readonly namespace: string;
  readonly trustDomain: string;
  readonly serviceAccount: string;
  /** null where the dump has no such list. */
  readonly inbound: readonly Connection[] | null;
  readonly outbound: readonly Connection[] | null;
}
export interface Connection {
  readonly src: string;
  /** Where the client wanted to go; "" where the dump says null. */
  readonly originalDst: string;
  readonly actualDst: string;
  readonly protocol: string;
  readonly origin: Origin;
}

/** Everything in a ztunnel's `/config_dump` that tables are made of, in the order of the dump. */
export interface ZtunnelDump {
  readonly workloads: readonly WorkloadRow[];
  readonly services: readonly ServiceRow[];
  readonly policies: readonly PolicyRow[];
  readonly certificates: readonly CertificateRow[];
  readonly workloadStates: readonly WorkloadStateRow[];
}

/**
 * Reads a ztunnel's `/config_dump` of every release since 1.18, whose parts are lists in some and maps in others. What is
 * no object costs itself alone and is reported; a field of another type than ours reads as missing.
 * Sources: istio/ztunnel, src/state and src/identity; istio/istio, istioctl/pkg/writer/ztunnel/configdump/api.go.
 */
export function readZtunnelRows(json: unknown, entry: string, problems: ProblemList): ZtunnelDump {
  const dump = fields(json);
  if (dump === null) problems.add(lost(entry, "must be object"));
  const rowsAt = (...keys: readonly string[]): ZtunnelRow[] => {
    const key = keys.find((name) => dump?.[name] !== undefined);
    return key === undefined ? [] : rows(dump?.[key], { entry, pointer: `/${key}` }, problems);
  };
  return {
    workloads: rowsAt("workloads", "by_addr").map(workload),
    services: rowsAt("services", "by_vip").map(service),
    policies: rowsAt("policies").map(policy),
    certificates: rowsAt("certificates").map((row) => certificate(row, problems)),
    workloadStates: rowsAt("workloadState").map((row) => workloadState(row, problems)),
  };
}

function workload(row: ZtunnelRow): WorkloadRow {
  const { raw } = row;
  return {
    ...row,
    uid: text(raw["uid"]),
    name: text(raw["name"]),
    namespace: text(raw["namespace"]),
    addresses: texts(raw["workloadIps"] ?? raw["workloadIp"]),
    hostname: text(raw["hostname"]),
    node: text(raw["node"]),
    protocol: text(raw["protocol"]),
    status: text(raw["status"]),
    canonicalName: text(raw["canonicalName"]),
    // not gatewayAddress, which was the gateway of another network
    waypoint: waypoint(raw["waypoint"]) ?? texts(raw["waypointAddresses"])[0] ?? null,
  };
}

function service(row: ZtunnelRow): ServiceRow {
  const { raw } = row;
  return {
    ...row,
    name: text(raw["name"]),
    namespace: text(raw["namespace"]),
    hostname: text(raw["hostname"]),
    vips: texts(raw["vips"]),
    waypoint: waypoint(raw["waypoint"]),
    endpoints: members(raw["endpoints"]).map(([, endpoint]) => text(fields(endpoint)?.["workloadUid"])),
  };
}

function policy(row: ZtunnelRow): PolicyRow {
  const { raw } = row;
  return {
    ...row,
    name: text(raw["name"]),
    namespace: text(raw["namespace"]),
    action: text(raw["action"]),
    scope: text(raw["scope"]),
  };
}

function certificate(row: ZtunnelRow, problems: ProblemList): CertificateRow {
  const { raw } = row;
  const certificates = (key: string): Certificate[] =>
    rows(raw[key], within(row.origin, key), problems).map(({ raw: item, origin }) => {
      // names with an underscore are of 1.21 and before
      const { serial_number: serial, valid_from: from, expiration_time: until } = item;
      return {
        serialNumber: digits(item["serialNumber"] ?? serial),
        validFrom: text(item["validFrom"] ?? from),
        expirationTime: text(item["expirationTime"] ?? until),
        origin,
      };
    });
  return {
    ...row,
    identity: text(raw["identity"]),
    state: text(raw["state"]),
    // before 1.22 the leaf was, in spite of its name, the ca_cert, and the chain held what comes after it
    chain:
      raw["certChain"] === undefined
        ? [...certificates("ca_cert"), ...certificates("cert_chain")]
        : certificates("certChain"),
    roots: certificates("rootCerts"),
  };
}

function workloadState(row: ZtunnelRow, problems: ProblemList): WorkloadStateRow {
  const info = fields(row.raw["info"]);
  const connections = fields(row.raw["connections"]);
  const list = (direction: string): Connection[] | null => {
    if (connections?.[direction] === undefined || connections[direction] === null) return null;
    const at = within(within(row.origin, "connections"), direction);
    return rows(connections[direction], at, problems).map(({ raw, origin }) => ({
      src: text(raw["src"]),
      originalDst: text(raw["originalDst"]),
      actualDst: text(raw["actualDst"]),
      protocol: text(raw["protocol"]),
      origin,
    }));
  };
  return {
    ...row,
    state: text(row.raw["state"]),
    name: text(info?.["name"]),
    namespace: text(info?.["namespace"]),
    trustDomain: text(info?.["trustDomain"]),
    serviceAccount: text(info?.["serviceAccount"]),
    inbound: list("inbound"),
    outbound: list("outbound"),
  };
}

/** The objects of a list or of a map; a missing one is empty. */
function rows(value: unknown, at: Origin, problems: ProblemList): ZtunnelRow[] {
  if (value === undefined || value === null) return [];
  if (typeof value !== "object") {
    problems.add(lost(at.entry, "must be array or object", at.pointer));
    return [];
  }
  return members(value).flatMap(([key, item]) => {
    const origin = within(at, key);
    const raw = fields(item);
    if (raw !== null) return [{ raw, origin }];
    problems.add(lost(origin.entry, "must be object", origin.pointer));
    return [];
  });
}

const members = (value: unknown): [string, unknown][] =>
  typeof value === "object" && value !== null ? Object.entries(value) : [];
const within = ({ entry, pointer }: Origin, key: string): Origin => ({
  entry,
  pointer: `${pointer}/${pointerToken(key)}`,
});
const fields = (value: unknown): Fields | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : value ? [text(value)] : [];
const digits = (value: unknown): string => (Number.isSafeInteger(value) ? String(value) : text(value));

/** Where a waypoint is said to be; null for none. A waypoint without a destination reads as "", which names no service. */
function waypoint(value: unknown): string | null {
  const address = fields(value);
  return address === null ? null : text(address["destination"]);
}
