import { BundleFormatError } from "../../shared/errors.js";
import { validator } from "../../shared/validator.js";
import type { Node, NodeId, Origin, ProxyType } from "../model.js";

interface RawNode {
  readonly id?: string;
  readonly cluster?: string;
  readonly metadata?: Record<string, unknown>;
  readonly locality?: { readonly region?: string; readonly zone?: string; readonly sub_zone?: string };
  readonly user_agent_build_version?: {
    readonly version?: {
      readonly major_number?: number;
      readonly minor_number?: number;
      readonly patch?: number;
    };
    readonly metadata?: Readonly<Record<string, unknown>>;
  };
}
const validate = validator<RawNode>("node");

/**
 * The node of a bootstrap in identity form.
 * @returns null when the bootstrap names none
 * @throws BundleFormatError naming the field
 */
export function nodeFromBootstrap(bootstrapText: string, origin: Origin): Node | null {
  const { node } = JSON.parse(bootstrapText) as { readonly node?: unknown };
  return node === undefined ? null : parseNode(node, origin);
}

/** @throws BundleFormatError naming the field */
export function parseNode(json: unknown, origin: Origin): Node {
  const raw = validate(snakeNode(json), origin.entry, origin.pointer);
  if ((raw.id ?? "") === "" && raw.metadata === undefined) {
    throw new BundleFormatError(origin.entry, `${origin.pointer}/id`, "is missing");
  }
  const build = raw.user_agent_build_version;
  const version = build?.version;
  const label = build?.metadata?.["build.label"];
  return {
    id: raw.id ?? "",
    parts: parseNodeId(raw.id ?? ""),
    cluster: raw.cluster ?? "",
    metadata: raw.metadata ?? {},
    locality:
      raw.locality === undefined
        ? null
        : {
            region: raw.locality.region ?? "",
            zone: raw.locality.zone ?? "",
            subZone: raw.locality.sub_zone ?? "",
          },
    envoyVersion:
      version === undefined
        ? null
        : `${version.major_number ?? 0}.${version.minor_number ?? 0}.${version.patch ?? 0}${typeof label === "string" ? `-${label}` : ""}`,
    origin,
  };
}

/** The fields that we read, in the proto spelling (a node may also come from a lowerCamelCase server_info). */
function snakeNode(json: unknown): unknown {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return json;
  const raw = json as Record<string, unknown>;
  const build = raw["user_agent_build_version"] ?? raw["userAgentBuildVersion"];
  const buildVersion = isObject(build) && isObject(build["version"]) ? build["version"] : undefined;
  const locality = raw["locality"];
  return {
    ...pick(raw, ["id", "cluster", "metadata"]),
    ...(isObject(locality)
      ? { locality: { ...pick(locality, ["region", "zone"]), ...rename(locality, "sub_zone", "subZone") } }
      : pick(raw, ["locality"])),
    ...(buildVersion === undefined
      ? {}
      : {
          user_agent_build_version: {
            ...(isObject(build) ? pick(build, ["metadata"]) : {}),
            version: {
              ...rename(buildVersion, "major_number", "majorNumber"),
              ...rename(buildVersion, "minor_number", "minorNumber"),
              ...pick(buildVersion, ["patch"]),
            },
          },
        }),
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pick(from: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(from, key)).map((key) => [key, from[key]]));
}

function rename(from: Record<string, unknown>, name: string, jsonName: string): Record<string, unknown> {
  const value = Object.hasOwn(from, name)
    ? from[name]
    : Object.hasOwn(from, jsonName)
      ? from[jsonName]
      : undefined;
  return value === undefined ? {} : { [name]: value };
}

/** `<type>~<ip>~<pod>.<namespace>~<dns domain>`: exactly four parts, else null. */
export function parseNodeId(id: string): NodeId | null {
  const parts = id.split("~");
  const [type, ip, proxyId, dnsDomain] = parts;
  if (
    parts.length !== 4 ||
    type === undefined ||
    ip === undefined ||
    proxyId === undefined ||
    dnsDomain === undefined
  )
    return null;
  return { type, ip, proxyId, dnsDomain };
}

/** `<pod>.<namespace>` by the last dot: a pod's name may hold dots, a namespace may not. */
export function splitProxyId(id: string): { readonly pod: string; readonly namespace: string } {
  const dot = id.lastIndexOf(".");
  return dot < 0 ? { pod: id, namespace: "" } : { pod: id.slice(0, dot), namespace: id.slice(dot + 1) };
}

const proxyTypes: ReadonlySet<string> = new Set<ProxyType>([
  "sidecar",
  "router",
  "waypoint",
  "ztunnel",
  "agentgateway",
]);

export function proxyTypeOf(type: string | undefined): ProxyType {
  return type !== undefined && proxyTypes.has(type) ? (type as ProxyType) : "unknown";
}
