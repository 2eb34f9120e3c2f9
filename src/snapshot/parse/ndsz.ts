/** The DNS table that Istiod gives a proxy, `/debug/ndsz?proxyID=` (Istio, pilot/pkg/xds/debug.go, pkg/dns/proto/nds.proto). */
import { BundleFormatError } from "../../shared/errors.js";
import { jsonStart, parseJson, utf8 } from "../../shared/json.js";
import type { Origin } from "../model.js";
import { typeName } from "./type-url.js";

export interface NameTable {
  readonly proxyId: string;
  /** Host, which may begin with `*.`, in lower case -> its addresses. */
  readonly hosts: ReadonlyMap<string, readonly string[]>;
  readonly origin: Origin;
}

/**
 * Reads any release's form: `{"configs": [table]}` since 1.16, `{"resource": table}` since 1.11, `[table` before, whose
 * bracket is never closed.
 * @returns null for a proxy that does not capture DNS
 * @throws BundleFormatError when it is no JSON
 */
export function parseNameTable(
  bytes: Uint8Array,
  entry: string,
  proxyId: string,
  maxDepth?: number,
): NameTable | null {
  const json = parseJson(withoutBracket(bytes), entry, maxDepth).value;
  if (!isObject(json)) throw new BundleFormatError(entry, "", "must be object");
  const found = candidates(json).find(({ value }) => isNameTable(value));
  if (found === undefined) return null;
  const { table } = found.value;
  const hosts = new Map<string, readonly string[]>();
  for (const [host, info] of Object.entries(isObject(table) ? table : {})) {
    const ips = isObject(info) && Array.isArray(info["ips"]) ? info["ips"] : [];
    const addresses = ips.filter((ip) => typeof ip === "string");
    for (const name of [host, ...altHosts(info)]) hosts.set(name.toLowerCase(), addresses);
  }
  return { proxyId, hosts, origin: { entry, pointer: found.pointer } };
}

interface Candidate {
  readonly value: Readonly<Record<string, unknown>>;
  readonly pointer: string;
}

function candidates(json: Readonly<Record<string, unknown>>): Candidate[] {
  const configs = Array.isArray(json["configs"]) ? json["configs"] : [];
  return [
    ...configs.map((value: unknown, index) => ({ value, pointer: `/configs/${index}` })),
    { value: json["resource"], pointer: "/resource" },
    { value: json, pointer: "" },
  ].filter((one): one is Candidate => isObject(one.value));
}

function isNameTable(value: Readonly<Record<string, unknown>>): boolean {
  const type = value["@type"];
  const isOther = typeof type === "string" && typeName(type) !== "istio.networking.nds.v1.NameTable";
  return !isOther && (isObject(value["table"]) || typeof type === "string");
}

/** `altHosts`, by proto name `alt_hosts`. */
function altHosts(info: unknown): string[] {
  const list = isObject(info) ? (info["altHosts"] ?? info["alt_hosts"]) : undefined;
  return (Array.isArray(list) ? list : []).filter((host) => typeof host === "string");
}

/** The text behind a bracket that opens a list of one object. */
function withoutBracket(bytes: Uint8Array): Uint8Array {
  const plain = utf8(bytes);
  const start = jsonStart(plain);
  return plain[start] === 0x5b ? plain.subarray(start + 1) : plain;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
