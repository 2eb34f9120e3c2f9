/**
 * Envoy's `/clusters`, which alone tells why a host is left out: as JSON (`?format=json`, either name style) or as the text
 * that `istioctl bug-report` captures. Both become `envoy.admin.v3.ClusterStatus` messages with proto names.
 * Sources: envoy/admin/v3/clusters.proto; envoyproxy/envoy, source/server/admin/clusters_handler.cc.
 */
import { BundleFormatError, messageOf } from "../../shared/errors.js";
import { decodeText, jsonStart, notJson, parseJson } from "../../shared/json.js";
import { excerpt } from "../../shared/printable.js";
import { lost, note, type Problem, type ProblemList } from "../../shared/problem.js";
import { validator } from "../../shared/validator.js";
import { isMessage, type Message } from "../message.js";
import type { ClusterStatuses, Origin } from "../model.js";

export type { ClusterStatuses };
import { identityForm, IdentityError } from "./identity.js";

interface RawClusters {
  readonly cluster_statuses?: readonly unknown[];
  readonly clusterStatuses?: readonly unknown[];
}
const validate = validator<RawClusters>("clusterStatuses");

/**
 * One bad cluster, host or line costs just that.
 * @param hasStatistics false: without what is counted of hosts, which is most of it
 * @throws BundleFormatError when it is neither form
 */
export function parseClusters(
  bytes: Uint8Array,
  entry: string,
  problems: ProblemList,
  maxDepth = 256,
  hasStatistics = true,
): ClusterStatuses {
  const statuses =
    jsonStart(bytes) >= 0
      ? fromJson(parseJson(bytes, entry, maxDepth).value, entry, problems, maxDepth)
      : fromText(bytes, entry, problems, hasStatistics);
  return hasStatistics ? statuses : { ...statuses, messages: statuses.messages.map(withoutStatistics) };
}

/** A copy that keeps nothing of the answer alive: parts of texts hold the whole of them. */
const withoutStatistics = (status: Message): Message =>
  JSON.parse(
    JSON.stringify(status, (key, value: unknown) => (key === "stats" ? undefined : value)),
  ) as Message;

function fromJson(json: unknown, entry: string, problems: ProblemList, maxDepth: number): ClusterStatuses {
  const raw = validate(json, entry);
  const list = raw.cluster_statuses === undefined ? "clusterStatuses" : "cluster_statuses";
  const messages: Message[] = [];
  const origins: Origin[] = [];
  for (const [index, element] of (raw[list] ?? []).entries()) {
    const pointer = `/${list}/${index}`;
    try {
      messages.push(clusterStatus(element, entry, pointer, problems, maxDepth));
      origins.push({ entry, pointer });
    } catch (error) {
      if (!(error instanceof IdentityError || error instanceof BundleFormatError)) throw error;
      const detail = error instanceof BundleFormatError ? error.detail : messageOf(error);
      problems.add(lost(entry, detail, pointer));
    }
  }
  return { messages, origins };
}

function clusterStatus(
  element: unknown,
  entry: string,
  pointer: string,
  problems: ProblemList,
  maxDepth: number,
): Message {
  const status: unknown = JSON.parse(
    identityForm(JSON.stringify(element), "envoy.admin.v3.ClusterStatus", maxDepth).text,
  );
  if (!isMessage(status)) throw new BundleFormatError(entry, pointer, "must be object");
  if (typeof status["name"] !== "string")
    throw new BundleFormatError(entry, pointer, "must have a name that is a string");
  const hosts = status["host_statuses"];
  if (hosts !== undefined && !Array.isArray(hosts)) {
    problems.add(lost(entry, "must be array", `${pointer}/host_statuses`));
  } else {
    for (const [index, host] of (hosts ?? []).entries()) {
      if (isMessage(host)) continue; // what is none keeps its place, so that pointers lead to the others
      problems.add(lost(entry, "must be object", `${pointer}/host_statuses/${index}`));
    }
  }
  return status;
}

// The text form: `<cluster>::<key>::<value>` and `<cluster>::<host>::<key>::<value>`. Names, hosts and values may hold
// "::" themselves, so a line is split from the right, at a key that is known.

/** Keys of a host that are its statistics, in Envoy's order. */
const statistics = [
  "cx_active",
  "cx_connect_fail",
  "cx_total",
  "rq_active",
  "rq_error",
  "rq_success",
  "rq_timeout",
  "rq_total",
] as const;
const statisticKeys: ReadonlySet<string> = new Set(statistics);

function isStatistic(line: string): boolean {
  const keyEnd = line.lastIndexOf("::");
  return keyEnd > 0 && statisticKeys.has(line.slice(line.lastIndexOf("::", keyEnd - 1) + 2, keyEnd));
}

const gauges: ReadonlySet<string> = new Set(["cx_active", "rq_active"]);

const hostKeys: ReadonlySet<string> = new Set([
  ...statistics,
  "hostname",
  "health_flags",
  "weight",
  "region",
  "zone",
  "sub_zone",
  "canary",
  "priority",
  "success_rate",
  "local_origin_success_rate",
]);
const clusterKeys: ReadonlySet<string> = new Set(["observability_name", "added_via_api", "eds_service_name"]);
/** Keys of a cluster that stand below another one. */
const groupedKeys: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ...["default_priority", "high_priority"].map(
    (group) =>
      [group, new Set(["max_connections", "max_pending_requests", "max_requests", "max_retries"])] as const,
  ),
  [
    "outlier",
    new Set([
      "success_rate_average",
      "success_rate_ejection_threshold",
      "local_origin_success_rate_average",
      "local_origin_success_rate_ejection_threshold",
    ]),
  ],
]);

interface TextHost {
  readonly address: Message;
  readonly values: Map<string, string>;
}
interface TextCluster {
  /** By key; grouped keys as `<group>::<key>`. */
  readonly values: Map<string, string>;
  readonly hosts: Map<string, TextHost>;
}

/** The longest line that is looked at; Envoy's own names end at 64 KiB. */
const longestLine = 256 * 1024;

function fromText(
  bytes: Uint8Array,
  entry: string,
  problems: ProblemList,
  hasStatistics: boolean,
): ClusterStatuses {
  const text = decodeText(bytes);
  const clusters = new Map<string, TextCluster>();
  /** The cluster of the line before. */
  let current = "";
  /** The host of the line before, and what lines of it begin with. */
  let lastHost: { readonly start: string; readonly host: TextHost } | null = null;
  let number = 0;
  const flagsSeen = new Set<string>();
  /** Problems of the lines before the first good one: nothing is lost of what is another kind of text. */
  const early: Problem[] = [];
  for (const line of linesOf(text)) {
    number++;
    if (lastHost !== null && line.startsWith(lastHost.start) && line.length <= longestLine) {
      const rest = keyAndValue(line, lastHost.start.length);
      if (rest !== null && rest.key !== "health_flags") {
        if (hasStatistics || !statisticKeys.has(rest.key)) lastHost.host.values.set(rest.key, rest.value);
        continue;
      }
    }
    if (line.trim() === "" || (!hasStatistics && isStatistic(line))) continue;
    const parsed = line.length > longestLine ? null : parseLine(line, current);
    if (parsed === null) {
      const problem = lost(
        entry,
        `line ${number} is none of /clusters and was passed over: "${excerpt(line)}"`,
      );
      if (clusters.size > 0) problems.add(problem);
      else if (early.length < problems.perEntry) early.push(problem);
      continue;
    }
    for (const problem of early.splice(0)) problems.add(problem);
    current = parsed.cluster;
    let cluster = clusters.get(current);
    if (cluster === undefined) clusters.set(current, (cluster = { values: new Map(), hosts: new Map() }));
    if (parsed.host === null) {
      cluster.values.set(parsed.key, parsed.value);
      continue;
    }
    let host = cluster.hosts.get(parsed.host);
    if (host === undefined)
      cluster.hosts.set(parsed.host, (host = { address: addressOf(parsed.host), values: new Map() }));
    host.values.set(parsed.key, parsed.value);
    lastHost = { start: `${parsed.cluster}::${parsed.host}::`, host };
    if (parsed.key === "health_flags") {
      for (const name of unknownFlags(parsed.value)) {
        if (flagsSeen.size >= problems.perEntry || flagsSeen.has(name)) continue;
        flagsSeen.add(name);
        problems.add(note(entry, `line ${number} has an unknown health flag "${excerpt(name)}"`));
      }
    }
  }
  if (clusters.size === 0)
    throw new BundleFormatError(entry, "", `is no answer of /clusters: it ${notJson(bytes)}`);
  return {
    messages: [...clusters].map(([name, cluster]) => statusOf(name, cluster)),
    origins: [...clusters].map(() => ({ entry, pointer: "" })),
  };
}

/** What is left of a line of a known host, where it is plain: one key, and a value without "::". */
function keyAndValue(line: string, from: number): { readonly key: string; readonly value: string } | null {
  const end = line.indexOf("::", from);
  if (end < 0 || line.lastIndexOf("::") !== end) return null;
  const key = line.slice(from, end);
  return hostKeys.has(key) ? { key, value: line.slice(end + 2) } : null;
}

function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    yield text.slice(start, text[end - 1] === "\r" ? end - 1 : end);
    start = end + 1;
  }
}

interface Line {
  readonly cluster: string;
  readonly host: string | null;
  readonly key: string;
  readonly value: string;
}

/** A value holds "::" only as an IPv6 address or a part of a name: it is not looked for further than that. */
const valueParts = 16;

/** @param current the cluster of the line before: where its name stands first, it is the name */
function parseLine(line: string, current: string): Line | null {
  let keyEnd = line.lastIndexOf("::");
  for (let parts = 0; parts < valueParts && keyEnd > 0; parts++) {
    const keyStart = line.lastIndexOf("::", keyEnd - 1);
    if (keyStart < 0) return null;
    const key = line.slice(keyStart + 2, keyEnd);
    const parsed = withKey(line.slice(0, keyStart), key, line.slice(keyEnd + 2), current);
    if (parsed !== null) return parsed;
    keyEnd = keyStart;
  }
  return null;
}

function withKey(before: string, key: string, value: string, current: string): Line | null {
  if (clusterKeys.has(key)) return before === "" ? null : { cluster: before, host: null, key, value };
  if (hostKeys.has(key)) {
    const place = splitHost(before, current);
    return place === null ? null : { ...place, key, value };
  }
  const groupAt = before.lastIndexOf("::");
  const group = groupAt <= 0 ? "" : before.slice(groupAt + 2);
  if (groupedKeys.get(group)?.has(key) !== true) return null;
  return { cluster: before.slice(0, groupAt), host: null, key: `${group}::${key}`, value };
}

/** `<cluster>::<host>` */
function splitHost(
  before: string,
  current: string,
): { readonly cluster: string; readonly host: string } | null {
  if (current !== "" && before.startsWith(`${current}::`)) {
    const host = before.slice(current.length + 2);
    if (isHost(host)) return { cluster: current, host };
  }
  for (const mark of ["::[", "::envoy://", "::"]) {
    const at = before.lastIndexOf(mark);
    const host = before.slice(at + 2);
    if (at > 0 && isHost(host)) return { cluster: before.slice(0, at), host };
  }
  return null;
}

const ipv6Host = /^\[([0-9a-fA-F:.]+(?:%[^\]:]+)?)\]:(\d{1,5})$/;
const socketHost = /^([^:/[\]]+):(\d{1,5})$/;
const internalHost = /^envoy:\/\/([^/]+)\/(.*)$/s;

/** An address as Envoy prints it: `ip:port`, `[ip]:port`, the path of a socket, or that of an internal listener. */
function isHost(host: string): boolean {
  if (host.startsWith("envoy://")) return internalHost.test(host);
  if (ipv6Host.test(host) || socketHost.test(host)) return true;
  return (host.includes("/") || host.startsWith("@")) && !host.includes("::");
}

function addressOf(host: string): Message {
  const [, listener, id] = internalHost.exec(host) ?? [];
  if (listener !== undefined)
    return {
      envoy_internal_address: {
        server_listener_name: listener,
        ...(id === undefined || id === "" ? {} : { endpoint_id: id }),
      },
    };
  const [, ip, port] = ipv6Host.exec(host) ?? socketHost.exec(host) ?? [];
  if (ip === undefined) return { pipe: { path: host } };
  return { socket_address: { address: ip, ...nonZero("port_value", port) } };
}

function statusOf(name: string, { values, hosts }: TextCluster): Message {
  const thresholds = (["default_priority", "high_priority"] as const).flatMap((group): Message[] => {
    const fields = ["max_connections", "max_pending_requests", "max_requests", "max_retries"].flatMap(
      (key): [string, unknown][] => {
        const value = numberOf(values.get(`${group}::${key}`));
        return value === null ? [] : [[key, value]];
      },
    );
    if (fields.length === 0) return [];
    return [{ ...(group === "high_priority" ? { priority: "HIGH" } : {}), ...Object.fromEntries(fields) }];
  });
  return {
    name,
    ...(values.get("added_via_api") === "true" ? { added_via_api: true } : {}),
    ...rate("success_rate_ejection_threshold", values.get("outlier::success_rate_ejection_threshold")),
    ...rate(
      "local_origin_success_rate_ejection_threshold",
      values.get("outlier::local_origin_success_rate_ejection_threshold"),
    ),
    ...(thresholds.length === 0 ? {} : { circuit_breakers: { thresholds } }),
    ...nonEmpty("observability_name", values.get("observability_name")),
    ...nonEmpty("eds_service_name", values.get("eds_service_name")),
    ...(hosts.size === 0 ? {} : { host_statuses: [...hosts.values()].map(hostStatus) }),
  };
}

function hostStatus({ address, values }: TextHost): Message {
  const stats = statistics
    .filter((name) => values.has(name))
    .map((name) => {
      const value = values.get(name) ?? "";
      return {
        name,
        ...(/^\d{1,20}$/.test(value) && Number(value) !== 0 ? { value } : {}),
        ...(gauges.has(name) ? { type: "GAUGE" } : {}),
      };
    });
  const locality = {
    ...nonEmpty("region", values.get("region")),
    ...nonEmpty("zone", values.get("zone")),
    ...nonEmpty("sub_zone", values.get("sub_zone")),
  };
  const flags = values.get("health_flags");
  return {
    address,
    ...(stats.length === 0 ? {} : { stats }),
    ...(flags === undefined ? {} : { health_status: healthStatus(flags) }),
    ...rate("success_rate", values.get("success_rate")),
    ...nonZero("weight", values.get("weight")),
    ...nonEmpty("hostname", values.get("hostname")),
    ...nonZero("priority", values.get("priority")),
    ...rate("local_origin_success_rate", values.get("local_origin_success_rate")),
    ...(Object.keys(locality).length === 0 ? {} : { locality }),
  };
}

/** Flags that have a field of `envoy.admin.v3.HostHealthStatus` each. */
const healthFields = new Map([
  ["failed_active_hc", "failed_active_health_check"],
  ["failed_outlier_check", "failed_outlier_check"],
  ["degraded_active_hc", "failed_active_degraded_check"],
  ["pending_dynamic_removal", "pending_dynamic_removal"],
  ["pending_active_hc", "pending_active_hc"],
  ["excluded_via_immediate_hc_fail", "excluded_via_immediate_hc_fail"],
  ["active_hc_timeout", "active_hc_timeout"],
]);
/** Flags that make up `eds_health_status`; the first that is set counts, as in Envoy's JSON. */
const edsFlags = [
  ["failed_eds_health", "UNHEALTHY"],
  ["degraded_eds_health", "DEGRADED"],
  ["eds_status_draining", "DRAINING"],
] as const;

const flagsIn = (text: string): string[] =>
  text === "healthy" ? [] : text.split("/").filter((name) => name !== "");

const unknownFlags = (text: string): string[] =>
  flagsIn(text).filter((name) => !healthFields.has(name) && !edsFlags.some(([flag]) => flag === name));

function healthStatus(text: string): Message {
  const flags = flagsIn(text);
  const set = flags.flatMap((name): [string, true][] => {
    const field = healthFields.get(name);
    return field === undefined ? [] : [[field, true]];
  });
  const eds = edsFlags.find(([flag]) => flags.includes(flag))?.[1] ?? "HEALTHY";
  return { ...Object.fromEntries(set), eds_health_status: eds };
}

function numberOf(text: string | undefined): number | null {
  return text !== undefined && /^-?\d{1,15}(?:\.\d{1,20})?$/.test(text) ? Number(text) : null;
}

function nonZero(name: string, text: string | undefined): Message {
  const value = numberOf(text);
  return value === null || value === 0 ? {} : { [name]: value };
}

function nonEmpty(name: string, text: string | undefined): Message {
  return text === undefined || text === "" ? {} : { [name]: text };
}

/** `envoy.type.v3.Percent`; Envoy's text has -1 where there is no rate. */
function rate(name: string, text: string | undefined): Message {
  const value = numberOf(text);
  return value === null || value < 0 ? {} : { [name]: value === 0 ? {} : { value } };
}
