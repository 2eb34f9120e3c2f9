/**
 * `istioctl proxy-config eds` (the endpoints of the config dump) and `endpoint` (the hosts of `/clusters`), and a view
 * over both.
 * Sources: istio/istio, istioctl/pkg/writer/envoy/configdump/endpoint.go and writer/envoy/clusters/clusters.go.
 */
import { compareText } from "../shared/sorting.js";
import { child, children, field, flag, number, text, type Message } from "../snapshot/message.js";
import type { Origin, ReferenceList } from "../snapshot/model.js";
import { withJsonNames } from "../snapshot/parse/recase.js";
import { enumName, inside, jsonOf, members, showsKinds, shownReferences, type Shown } from "./clusters.js";
import { compareClusterNames } from "../snapshot/istio-config.js";
import type { View, ViewOptions } from "./view.js";

/** All that are given must apply; case does not count. */
export interface EndpointFilter {
  /** `ip:port` in `eds`, the host alone in `endpoint`; else as the table has it. */
  readonly address?: string;
  readonly port?: number;
  /** The whole name. */
  readonly cluster?: string;
  /** As the column STATUS has it. */
  readonly status?: string;
}

/** `envoy.config.core.v3.HealthStatus` */
const healthStatuses = ["UNKNOWN", "HEALTHY", "UNHEALTHY", "DRAINING", "TIMEOUT", "DEGRADED"] as const;

// eds

/** An endpoint of a cluster, with what its locality says. */
interface Endpoint {
  readonly endpoint: Message;
  readonly locality: Message;
  /** The first one, then, since 1.23, the additional ones. */
  readonly addresses: readonly string[];
  readonly status: string;
  readonly origin: Origin;
}

interface Assignment {
  readonly shown: Shown;
  readonly cluster: string;
  readonly endpoints: readonly Endpoint[];
}

export function edsView(section: ReferenceList, filter: EndpointFilter, options: ViewOptions): View {
  const assignments = shownReferences(section, options)
    .map((shown) => assignmentOf(shown, filter, options.istioctl))
    .filter(({ endpoints }) => endpoints.length > 0)
    .sort((a, b) => compareClusterNames(a.cluster, b.cluster));
  const prefix = showsKinds(options) ? "endpoint/" : "";
  const lines = assignments.flatMap(({ cluster, endpoints }) =>
    endpoints.map(({ addresses, status, locality, origin }) => ({
      cells: [prefix + addresses.join(","), status, localityText(child(locality, "locality")), cluster],
      origin,
    })),
  );
  return {
    header: [options.istioctl >= 19 ? "NAME" : "ENDPOINT", "STATUS", "LOCALITY", "CLUSTER"],
    rows: lines.map(({ cells }) => cells),
    origins: lines.map(({ origin }) => origin),
    padding: 5,
    json: assignments.flatMap(({ shown, endpoints }) =>
      jsonOf({ ...shown, content: withOnly(shown.content, new Set(endpoints.map((item) => item.endpoint))) }),
    ),
    note: "",
  };
}

function assignmentOf(shown: Shown, filter: EndpointFilter, istioctl: number): Assignment {
  const { reference, content } = shown;
  const endpoints = members(content ?? undefined, "endpoints").flatMap(([locality, at]) =>
    members(locality, "lb_endpoints").map(([endpoint, index]): Endpoint => {
      const host = child(endpoint, "endpoint");
      const more = istioctl >= 23 ? children(host, "additional_addresses") : [];
      return {
        endpoint,
        locality,
        addresses: [host, ...more].map((item) => edsAddress(child(item, "address"))),
        status: enumName(field(endpoint, "health_status"), healthStatuses),
        origin: inside(reference.origin, `/endpoints/${at}/lb_endpoints/${index}`),
      };
    }),
  );
  const cluster = reference.name;
  return {
    shown,
    cluster,
    endpoints: endpoints.filter(({ endpoint, addresses, status }) =>
      fits(filter, {
        addresses,
        port: portOf(child(endpoint, "endpoint", "address")),
        cluster,
        status,
      }),
    ),
  };
}

/** The assignment with just these endpoints; its localities stay. */
function withOnly(assignment: Message | null, kept: ReadonlySet<unknown>): Message | null {
  if (assignment === null) return null;
  const endpoints = children(assignment, "endpoints").map((locality) => {
    const { lb_endpoints: all, ...rest } = locality;
    const some = Array.isArray(all) ? all.filter((endpoint) => kept.has(endpoint)) : [];
    return some.length === 0 ? rest : { ...rest, lb_endpoints: some };
  });
  return { ...assignment, endpoints };
}

// endpoint

export interface EndpointOptions extends ViewOptions {
  /** Where each of the cluster statuses stands; an origin without a pointer is that of its hosts too. */
  readonly statusOrigins?: readonly Origin[];
}

/** A host of `/clusters`. */
interface Host {
  readonly host: Message;
  readonly clusterStatus: Message;
  readonly cluster: string;
  /** Without the port. */
  readonly address: string;
  readonly port: number;
  readonly status: string;
  readonly origin: Origin;
}

/** @param statuses `envoy.admin.v3.ClusterStatus` messages with proto names */
export function endpointView(
  statuses: readonly Message[],
  filter: EndpointFilter,
  options: EndpointOptions,
): View {
  const hosts = hostsOf(statuses, options.statusOrigins)
    .filter(({ address, ...host }) => fits(filter, { ...host, addresses: [address] }))
    .sort(byAddress);
  const shown = new Set(hosts.map(({ clusterStatus }) => clusterStatus));
  return {
    header: ["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"],
    rows: hosts.map(({ address, port, status, host, cluster }) => [
      withPort(address, port),
      status,
      outlierCheck(host),
      cluster,
    ]),
    origins: hosts.map(({ origin }) => origin),
    padding: 5,
    json: statuses
      .filter((status) => shown.has(status))
      .map((status) => withJsonNames(status, "envoy.admin.v3.ClusterStatus")),
    note: "",
  };
}

function hostsOf(statuses: readonly Message[], origins: readonly Origin[] = []): Host[] {
  return statuses.flatMap((clusterStatus, index) => {
    const place = origins[index] ?? { entry: "", pointer: `/cluster_statuses/${index}` };
    return members(clusterStatus, "host_statuses").map(([host, at]): Host => {
      const address = child(host, "address");
      return {
        host,
        clusterStatus,
        cluster: text(clusterStatus, "name"),
        address: hostAddress(address),
        port: portOf(address),
        status: enumName(field(child(host, "health_status"), "eds_health_status"), healthStatuses),
        origin: place.pointer === "" ? place : inside(place, `/host_statuses/${at}`),
      };
    });
  });
}

const outlierCheck = (host: Message): string =>
  flag(child(host, "health_status"), "failed_outlier_check") === true ? "FAILED" : "OK";

interface Placed {
  readonly address: string;
  readonly port: number;
  readonly cluster: string;
}

const byAddress = (a: Placed, b: Placed): number =>
  compareText(a.address, b.address) || a.port - b.port || compareText(a.cluster, b.cluster);

// endpoint --wide

export interface WideOptions extends EndpointOptions {
  /** Names of pods by their IPs; where one is not known, the workload that the endpoint's metadata names. */
  readonly pods?: ReadonlyMap<string, string>;
}

/** One endpoint, as far as either source tells; null is what none of them does. */
interface WideEndpoint extends Placed {
  readonly status: string;
  readonly failedOutlierCheck: boolean | null;
  /** As Envoy's text form has them, without the slash. */
  readonly healthFlags: readonly string[] | null;
  readonly priority: number;
  readonly weight: number | null;
  readonly locality: string;
  readonly tlsMode: string | null;
  readonly pod: string | null;
  readonly origin: Origin;
}

/**
 * What the config dump and `/clusters` say of each endpoint; what neither tells is `-`. Filters are those of `endpoint`.
 * @param section EDS of the config dump; null when it was not captured
 * @param statuses those of `/clusters`; null when it was not captured
 */
export function wideEndpointView(
  section: ReferenceList | null,
  statuses: readonly Message[] | null,
  filter: EndpointFilter,
  options: WideOptions,
): View {
  const endpoints = joined(section, statuses, options)
    .filter(({ address, ...endpoint }) => fits(filter, { ...endpoint, addresses: [address] }))
    .sort(byAddress);
  const cell = (value: number | string | null): string => (value === null ? "-" : String(value));
  return {
    header: [
      "ENDPOINT",
      "STATUS",
      "OUTLIER CHECK",
      "HEALTH FLAGS",
      "PRIORITY",
      "WEIGHT",
      "LOCALITY",
      "TLS MODE",
      "POD",
      "CLUSTER",
    ],
    rows: endpoints.map((endpoint) => [
      withPort(endpoint.address, endpoint.port),
      endpoint.status,
      endpoint.failedOutlierCheck === null ? "-" : endpoint.failedOutlierCheck ? "FAILED" : "OK",
      flagsText(endpoint.healthFlags),
      cell(endpoint.priority),
      cell(endpoint.weight),
      endpoint.locality,
      cell(endpoint.tlsMode),
      cell(endpoint.pod),
      endpoint.cluster,
    ]),
    origins: endpoints.map(({ origin }) => origin),
    padding: 5,
    json: endpoints.map(wideJson),
    note: "",
  };
}

function wideJson(endpoint: WideEndpoint): unknown {
  const { address, port, cluster, status, failedOutlierCheck, healthFlags } = endpoint;
  const { priority, weight, locality, tlsMode: mode, pod } = endpoint;
  return {
    endpoint: withPort(address, port),
    cluster,
    status,
    failedOutlierCheck,
    healthFlags,
    priority,
    weight,
    locality,
    tlsMode: mode,
    pod,
  };
}

/** Every host of `/clusters` with its endpoint of the dump, then the endpoints that `/clusters` does not have. */
function joined(
  section: ReferenceList | null,
  statuses: readonly Message[] | null,
  options: WideOptions,
): WideEndpoint[] {
  const { pods } = options;
  const assignments = (section === null ? [] : shownReferences(section, options)).map((shown) =>
    assignmentOf(shown, {}, options.istioctl),
  );
  const known = new Map<string, Endpoint>();
  for (const { cluster, endpoints } of assignments) {
    for (const item of endpoints) {
      const key = joinKey(cluster, child(item.endpoint, "endpoint", "address"));
      // clusters that share a service have an entry each, which are equal but for the health
      if (!known.has(key)) known.set(key, item);
    }
  }
  const used = new Set<string>();
  const live = hostsOf(statuses ?? [], options.statusOrigins).map((host): WideEndpoint => {
    const service = text(host.clusterStatus, "eds_service_name");
    const key = joinKey(service === "" ? host.cluster : service, child(host.host, "address"));
    used.add(key);
    return wide(host.cluster, host, known.get(key) ?? null, pods);
  });
  const dumped = assignments.flatMap(({ cluster, endpoints }) =>
    endpoints
      .filter(({ endpoint }) => !used.has(joinKey(cluster, child(endpoint, "endpoint", "address"))))
      .map((endpoint) => wide(cluster, null, endpoint, pods)),
  );
  return [...live, ...dumped];
}

const joinKey = (cluster: string, address: Message | undefined): string =>
  JSON.stringify([cluster, hostAddress(address), portOf(address)]);

function wide(
  cluster: string,
  host: Host | null,
  endpoint: Endpoint | null,
  pods: ReadonlyMap<string, string> | undefined,
): WideEndpoint {
  const address =
    host === null ? child(endpoint?.endpoint, "endpoint", "address") : child(host.host, "address");
  const health = child(host?.host, "health_status");
  const locality = child(endpoint?.locality, "locality") ?? child(host?.host, "locality");
  return {
    address: hostAddress(address),
    port: portOf(address),
    cluster,
    status: host?.status ?? endpoint?.status ?? "",
    failedOutlierCheck: health === undefined ? null : flag(health, "failed_outlier_check") === true,
    healthFlags: health === undefined ? null : healthFlags(health),
    priority: number(host?.host, "priority") ?? number(endpoint?.locality, "priority") ?? 0,
    // an endpoint that names none has the weight 1
    weight:
      number(host?.host, "weight") ??
      (endpoint === null ? null : (number(endpoint.endpoint, "load_balancing_weight") ?? 1)),
    locality: localityText(locality),
    tlsMode: endpoint === null ? null : tlsMode(endpoint.endpoint),
    pod: pods?.get(ipOf(address)) ?? workload(endpoint?.endpoint),
    origin: host?.origin ?? endpoint?.origin ?? { entry: "", pointer: "" },
  };
}

/** Fields of `envoy.admin.v3.HostHealthStatus`, as the text form of `/clusters` names them. */
const flagNames = [
  ["failed_active_health_check", "failed_active_hc"],
  ["failed_outlier_check", "failed_outlier_check"],
  ["failed_active_degraded_check", "degraded_active_hc"],
  ["pending_dynamic_removal", "pending_dynamic_removal"],
  ["pending_active_hc", "pending_active_hc"],
  ["excluded_via_immediate_hc_fail", "excluded_via_immediate_hc_fail"],
  ["active_hc_timeout", "active_hc_timeout"],
] as const;
const edsFlagNames = new Map([
  ["UNHEALTHY", "failed_eds_health"],
  ["DEGRADED", "degraded_eds_health"],
  ["DRAINING", "eds_status_draining"],
]);

function healthFlags(health: Message): string[] {
  const fromEds = edsFlagNames.get(enumName(field(health, "eds_health_status"), healthStatuses));
  return [
    ...flagNames.filter(([name]) => flag(health, name) === true).map(([, shown]) => shown),
    ...(fromEds === undefined ? [] : [fromEds]),
  ];
}

function flagsText(flags: readonly string[] | null): string {
  if (flags === null) return "-";
  return flags.length === 0 ? "healthy" : flags.map((name) => `/${name}`).join("");
}

/** What the sidecar goes by to choose between Istio's mTLS and plain text (cluster, `transport_socket_matches`). */
function tlsMode(endpoint: Message): string {
  const mode = text(
    child(endpoint, "metadata", "filter_metadata", "envoy.transport_socket_match"),
    "tlsMode",
  );
  return mode === "" ? "disabled" : mode;
}

/** `<workload>.<namespace>` by Istio's `workload;namespace;canonical name;canonical revision;cluster`. */
function workload(endpoint: Message | undefined): string | null {
  const parts = text(child(endpoint, "metadata", "filter_metadata", "istio"), "workload").split(";");
  const [name = "", namespace = ""] = parts;
  if (name === "") return null;
  return namespace === "" ? name : `${name}.${namespace}`;
}

// What they have in common

function fits(
  filter: EndpointFilter,
  endpoint: {
    readonly addresses: readonly string[];
    readonly port: number;
    readonly cluster: string;
    readonly status: string;
  },
): boolean {
  const { address = "", port = 0, cluster = "", status = "" } = filter;
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  return (
    (address === "" || endpoint.addresses.some((item) => same(item, address))) &&
    (port === 0 || endpoint.port === port) &&
    (cluster === "" || same(endpoint.cluster, cluster)) &&
    (status === "" || same(endpoint.status, status))
  );
}

const portOf = (address: Message | undefined): number =>
  number(child(address, "socket_address"), "port_value") ?? 0;

const withPort = (address: string, port: number): string => (port === 0 ? address : `${address}:${port}`);

/** `envoy.config.core.v3.Address` as `eds` prints it. */
function edsAddress(address: Message | undefined): string {
  const socket = child(address, "socket_address");
  if (socket !== undefined) return `${text(socket, "address")}:${portOf(address)}`;
  const pipe = child(address, "pipe");
  return pipe === undefined ? internalAddress(address) : text(pipe, "path");
}

/** The same as `endpoint` prints it, without the port. */
function hostAddress(address: Message | undefined): string {
  const socket = child(address, "socket_address");
  if (socket !== undefined) return text(socket, "address");
  const pipe = child(address, "pipe");
  return pipe === undefined ? internalAddress(address) : `unix://${text(pipe, "path")}`;
}

function internalAddress(address: Message | undefined): string {
  const internal = child(address, "envoy_internal_address");
  const listener = text(internal, "server_listener_name");
  return listener === "" ? "unknown" : `envoy://${listener}/${text(internal, "endpoint_id")}`;
}

/** The IP of an address; of an endpoint behind an internal listener, that of the peer which its id names. */
function ipOf(address: Message | undefined): string {
  const socket = child(address, "socket_address");
  if (socket !== undefined) return text(socket, "address");
  const id = text(child(address, "envoy_internal_address"), "endpoint_id");
  return id.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

function localityText(locality: Message | undefined): string {
  const parts = ["region", "zone", "sub_zone"].map((name) => text(locality, name));
  const end = parts.indexOf("", 1);
  return parts.slice(0, end < 0 ? parts.length : end).join("/");
}
