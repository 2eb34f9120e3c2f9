/**
 * The hosts of a cluster, from the best source that the snapshot has: `/clusters`, which alone knows health and DNS as they
 * were; else the endpoints that Envoy dumps from its live hosts; else what is configured in the cluster itself.
 * Sources: envoyproxy/envoy, source/server/admin/clusters_handler.cc and config_dump_handler.cc,
 * source/common/upstream/upstream_impl.cc.
 */
import {
  child,
  children,
  field,
  flag,
  isMessage,
  number,
  text,
  typeOf,
  unpacked,
  type Message,
} from "../../snapshot/message.js";
import type { Collected, Origin, Proxy } from "../../snapshot/model.js";
import { absent, present } from "../../snapshot/model.js";
import { v3Content } from "../../snapshot/v3-content.js";
import { parseIp } from "../address.js";
import { enumName } from "../enum-value.js";
import type { EnvoyMinor } from "../match-context.js";
import { unknown, type Unknown } from "../unknown.js";
import { healthInConfiguration, healthInDump, healthInStatus, type HostHealth } from "./host-health.js";

export type HostAddress =
  | { readonly kind: "ip"; readonly ip: string; readonly port: number }
  | { readonly kind: "pipe"; readonly path: string }
  /** A listener of the same Envoy. */
  | { readonly kind: "internal"; readonly listener: string; readonly endpointId: string }
  /** Looked up when it is used. */
  | { readonly kind: "name"; readonly name: string; readonly port: number };

export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subZone: string;
}

export interface Host {
  readonly address: HostAddress;
  readonly hostname: string;
  readonly priority: number;
  readonly locality: Locality;
  readonly weight: number;
  /** `load_balancing_weight` of its locality, 0 where it has none; null where that was not captured. */
  readonly localityWeight: number | null;
  readonly health: HostHealth;
  /** `filter_metadata`, by filter; null where it was not captured, which only EDS knows. */
  readonly metadata: Message | null;
  readonly localityMetadata: Message | null;
  /** Where it stands in the snapshot. */
  readonly origin: Origin;
}

export type HostSource = "/clusters" | "endpoints" | "cluster" | "not captured";

export interface ClusterHosts {
  readonly source: HostSource;
  /** In Envoy's order. */
  readonly hosts: readonly Host[];
  /** Percent. */
  readonly overprovisioningFactor: number;
  /** "unknown" for EDS, whose policy Envoy dumps without it. */
  readonly isWeightedPriorityHealth: boolean | "unknown";
  /** Of requests that are refused by `drop_overloads`; 0..1. */
  readonly dropShare: number;
  readonly unknowns: readonly Unknown[];
}

/** A message and where it stands. */
export interface Placed {
  readonly message: Message;
  readonly origin: Origin;
}

/** What a proxy's part of the snapshot says about hosts; read only for the cluster that is asked for. */
export interface HostSources {
  /** `envoy.admin.v3.ClusterStatus` of a cluster; null: there is no such cluster. */
  readonly status: Collected<(cluster: string) => Placed | null>;
  /** `ClusterLoadAssignment`s of an EDS service name, one for every cluster that uses it. */
  readonly assignments: Collected<(service: string) => readonly Placed[]>;
}

export function hostSources(proxy: Proxy): HostSources {
  const statuses = proxy.clusterStatuses;
  const endpoints = proxy.config.endpointAssignment;
  return {
    status: statuses.state === "absent" ? statuses : present(statusByName(statuses.value)),
    assignments:
      endpoints.state === "absent"
        ? endpoints
        : present((service) => assignmentsOf(endpoints.value, service)),
  };
}

type Statuses = Extract<Proxy["clusterStatuses"], { state: "present" }>["value"];
type Endpoints = Extract<Proxy["config"]["endpointAssignment"], { state: "present" }>["value"];

function statusByName({ messages, origins }: Statuses): (cluster: string) => Placed | null {
  const places = new Map(messages.map((message, index) => [text(message, "name"), { message, index }]));
  return (cluster) => {
    const place = places.get(cluster);
    const origin = place === undefined ? undefined : origins[place.index];
    return place === undefined || origin === undefined ? null : { message: place.message, origin };
  };
}

function assignmentsOf(list: Endpoints, service: string): readonly Placed[] {
  const named = list.named(service);
  return [...named].flatMap(({ origin }, index) => {
    const resource = named.resource(index);
    return resource === null ? [] : [{ message: v3Content(resource), origin }];
  });
}

/** No source at all, for a cluster that stands alone. */
export const noHostSources: HostSources = {
  status: absent("not captured"),
  assignments: absent("not captured"),
};

/** `envoy.config.cluster.v3.Cluster.DiscoveryType`, in its order. */
const discoveryTypes = ["STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS", "ORIGINAL_DST"] as const;
export type DiscoveryType = (typeof discoveryTypes)[number];

/** Extensions that stand for a type. */
const discoveryByExtension: Readonly<Record<string, DiscoveryType>> = {
  "envoy.cluster.static": "STATIC",
  "envoy.cluster.strict_dns": "STRICT_DNS",
  "envoy.cluster.logical_dns": "LOGICAL_DNS",
  "envoy.cluster.eds": "EDS",
  "envoy.cluster.original_dst": "ORIGINAL_DST",
};

/** How a cluster's hosts are found; "custom" where `cluster_type` names another extension. */
export function discoveryOf(cluster: Message): DiscoveryType | "custom" {
  const extension = child(cluster, "cluster_type");
  if (extension !== undefined) {
    const config = child(extension, "typed_config");
    if (typeOf(config) === "envoy.extensions.clusters.dns.v3.DnsCluster")
      return flag(unpacked(config), "all_addresses_in_single_endpoint") === true
        ? "LOGICAL_DNS"
        : "STRICT_DNS";
    const name = text(extension, "name");
    return (Object.hasOwn(discoveryByExtension, name) ? discoveryByExtension[name] : undefined) ?? "custom";
  }
  const name = enumName(cluster, "type", discoveryTypes);
  return discoveryTypes.find((type) => type === name) ?? "custom";
}

/** The name by which a cluster's endpoints are dumped. */
export function serviceNameOf(cluster: Message): string {
  const service = text(child(cluster, "eds_cluster_config"), "service_name");
  return service === "" ? text(cluster, "name") : service;
}

const defaultFactor = 140;

export function hostsOf(cluster: Message, sources: HostSources, envoy: EnvoyMinor): ClusterHosts {
  const name = text(cluster, "name");
  const dumped =
    sources.assignments.state === "present" ? sources.assignments.value(serviceNameOf(cluster)) : [];
  const [assignment] = dumped;
  const differ = dumped.some(
    ({ message }) => JSON.stringify(message) !== JSON.stringify(assignment?.message),
  );
  const policy = policyOf(cluster, assignment?.message);

  const status = sources.status.state === "present" ? sources.status.value(name) : null;
  if (status !== null) {
    const { hosts, lost } = hostsInStatus(status, hostsInAssignment(assignment, healthInDump).hosts);
    return { source: "/clusters", hosts, ...policy, unknowns: lostHosts(name, lost) };
  }
  if (assignment !== undefined) {
    const { hosts, lost } = hostsInAssignment(assignment, healthInDump);
    const unknowns = differ
      ? [
          unknown(
            "not captured",
            `Several clusters use the endpoints ${serviceNameOf(cluster)}, and they differ; which of them are those of ${name} only /clusters tells.`,
          ),
        ]
      : [];
    return { source: "endpoints", hosts, ...policy, unknowns: [...unknowns, ...lostHosts(name, lost)] };
  }
  return configuredHosts(cluster, policy, sources, envoy);
}

function configuredHosts(
  cluster: Message,
  policy: Policy,
  sources: HostSources,
  envoy: EnvoyMinor,
): ClusterHosts {
  const name = text(cluster, "name");
  const discovery = discoveryOf(cluster);
  const configured = child(cluster, "load_assignment");
  if (discovery === "EDS" || discovery === "custom" || configured === undefined) {
    if (discovery !== "EDS" && discovery !== "custom")
      return { source: "cluster", hosts: [], ...policy, unknowns: [] }; // no assignment is one without hosts
    const reason = sources.assignments.state === "absent" ? sources.assignments.reason : "the dump has none";
    const message = `The hosts of ${name} were not captured (${reason}).`;
    return { source: "not captured", hosts: [], ...policy, unknowns: [unknown("not captured", message)] };
  }
  const { hosts, lost } = hostsInAssignment(
    { message: configured, origin: { entry: "", pointer: "" } },
    (endpoint) => healthInConfiguration(endpoint, envoy),
  );
  const names = hosts.filter(({ address }) => address.kind === "name");
  const unknowns = [
    ...(names.length === 0
      ? []
      : [unknown("DNS", `The hosts of ${name} are looked up by name, and the answers were not captured.`)]),
    ...(children(cluster, "health_checks").length === 0
      ? []
      : [unknown("runtime state", `What the health checks of ${name} found was not captured.`)]),
    ...lostHosts(name, lost),
  ];
  return { source: "cluster", hosts, ...policy, unknowns };
}

const lostHosts = (cluster: string, lost: number): Unknown[] =>
  lost === 0
    ? []
    : [
        unknown(
          "not captured",
          `${lost} of the hosts of ${cluster} could not be read: they have no address.`,
        ),
      ];

type Policy = Pick<ClusterHosts, "overprovisioningFactor" | "isWeightedPriorityHealth" | "dropShare">;

function policyOf(cluster: Message, assignment: Message | undefined): Policy {
  const configured = child(cluster, "load_assignment", "policy");
  const policy = child(assignment, "policy") ?? configured;
  const factor = number(policy, "overprovisioning_factor") ?? defaultFactor;
  return {
    overprovisioningFactor: Number.isInteger(factor) && factor > 0 ? factor : defaultFactor,
    isWeightedPriorityHealth:
      discoveryOf(cluster) === "EDS" ? "unknown" : flag(configured, "weighted_priority_health") === true,
    dropShare: dropShareOf(children(policy, "drop_overloads")[0]),
  };
}

const dropDenominators = ["HUNDRED", "TEN_THOUSAND", "MILLION"] as const;

/** Envoy takes one category only. */
function dropShareOf(overload: Message | undefined): number {
  const percentage = child(overload, "drop_percentage");
  const numerator = number(percentage, "numerator") ?? 0;
  const name = enumName(percentage, "denominator", dropDenominators);
  return Math.min(1, numerator / ({ TEN_THOUSAND: 10_000, MILLION: 1_000_000 }[name] ?? 100));
}

interface Read {
  readonly hosts: Host[];
  /** How many had to be left out. */
  readonly lost: number;
}

/** `/clusters` has no metadata and no locality weights: those come from the dump's endpoint of the same address. */
function hostsInStatus({ message, origin }: Placed, dumped: readonly Host[]): Read {
  const known = new Map(dumped.map((host) => [addressText(host.address), host]));
  const localityWeights = new Map(dumped.map((host) => [placeOf(host), host.localityWeight]));
  const statuses = field(message, "host_statuses");
  const hosts: Host[] = [];
  let lost = 0;
  for (const [index, status] of (Array.isArray(statuses) ? (statuses as unknown[]) : []).entries()) {
    const address = isMessage(status) ? addressOf(child(status, "address")) : null;
    if (!isMessage(status) || address === null) {
      lost++;
      continue;
    }
    const twin = known.get(addressText(address));
    const host = {
      address,
      hostname: text(status, "hostname"),
      priority: number(status, "priority") ?? 0,
      locality: localityOf(child(status, "locality")),
      weight: number(status, "weight") ?? 1,
      health: healthInStatus(child(status, "health_status")),
      metadata: twin?.metadata ?? null,
      localityMetadata: twin?.localityMetadata ?? null,
      origin: {
        entry: origin.entry,
        pointer: origin.pointer === "" ? "" : `${origin.pointer}/host_statuses/${index}`,
      },
    };
    hosts.push({ ...host, localityWeight: localityWeights.get(placeOf(host)) ?? null });
  }
  return { hosts, lost };
}

function hostsInAssignment(
  assignment: Placed | undefined,
  healthOf: (endpoint: Message) => HostHealth,
): Read {
  const hosts: Host[] = [];
  let lost = 0;
  if (assignment === undefined) return { hosts, lost };
  const { message, origin } = assignment;
  const groups = field(message, "endpoints");
  for (const [group, locality] of (Array.isArray(groups) ? (groups as unknown[]) : []).entries()) {
    if (!isMessage(locality)) continue;
    const shared = {
      priority: number(locality, "priority") ?? 0,
      locality: localityOf(child(locality, "locality")),
      localityWeight: number(locality, "load_balancing_weight") ?? 0,
      localityMetadata: child(locality, "metadata", "filter_metadata") ?? {},
    };
    const endpoints = field(locality, "lb_endpoints");
    for (const [index, endpoint] of (Array.isArray(endpoints) ? (endpoints as unknown[]) : []).entries()) {
      const inner = isMessage(endpoint) ? child(endpoint, "endpoint") : undefined;
      const address = addressOf(child(inner, "address"));
      if (!isMessage(endpoint) || address === null) {
        lost++;
        continue;
      }
      hosts.push({
        ...shared,
        address,
        hostname: text(inner, "hostname"),
        weight: number(endpoint, "load_balancing_weight") ?? 1,
        health: healthOf(endpoint),
        metadata: child(endpoint, "metadata", "filter_metadata") ?? {},
        origin: { ...origin, pointer: `${origin.pointer}/endpoints/${group}/lb_endpoints/${index}` },
      });
    }
  }
  return { hosts, lost };
}

/** A locality within its priority, as a key. */
export function placeOf({ priority, locality }: Pick<Host, "priority" | "locality">): string {
  return JSON.stringify([priority, locality.region, locality.zone, locality.subZone]);
}

function localityOf(locality: Message | undefined): Locality {
  return {
    region: text(locality, "region"),
    zone: text(locality, "zone"),
    subZone: text(locality, "sub_zone"),
  };
}

/** `envoy.config.core.v3.Address`; null where it is none that we know. */
export function addressOf(address: Message | undefined): HostAddress | null {
  const socket = child(address, "socket_address");
  if (socket !== undefined) {
    const host = text(socket, "address");
    const port = number(socket, "port_value") ?? 0;
    return parseIp(host) === null ? { kind: "name", name: host, port } : { kind: "ip", ip: host, port };
  }
  const pipe = child(address, "pipe");
  if (pipe !== undefined) return { kind: "pipe", path: text(pipe, "path") };
  const internal = child(address, "envoy_internal_address");
  if (internal === undefined) return null;
  return {
    kind: "internal",
    listener: text(internal, "server_listener_name"),
    endpointId: text(internal, "endpoint_id"),
  };
}

/** As Envoy prints it: `10.0.0.1:80`, `[fd00::1]:80`, a path, `envoy://listener/id`. */
export function addressText(address: HostAddress): string {
  if (address.kind === "pipe") return address.path;
  if (address.kind === "internal") return `envoy://${address.listener}/${address.endpointId}`;
  if (address.kind === "name") return `${address.name}:${address.port}`;
  return address.ip.includes(":") ? `[${address.ip}]:${address.port}` : `${address.ip}:${address.port}`;
}
