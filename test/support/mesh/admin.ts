/** The answers of an Envoy's admin interface beside the config dump (envoyproxy/envoy, docs/root/operations/admin.rst). */

import { X509Certificate } from "node:crypto";

import { revisionShaOf } from "./bootstrap.js";
import { isObject, print, shared, textOf, type Json, type JsonObject } from "./json.js";
import type { MeshProxy } from "./model.js";
import { randomFor } from "./random.js";
import { days, rfc3339Seconds } from "./time.js";

/** `/server_info`; the only answer that prints defaults. */
export function serverInfo(proxy: MeshProxy, askedAt: number): Buffer {
  const node = proxy.config.bootstrap["node"] ?? {};
  const uptime = `${Math.floor((askedAt - proxy.config.startedAt) / 1000)}s`;
  return print(
    {
      version: `${revisionShaOf(proxy.envoyVersion)}/${proxy.envoyVersion}/Clean/RELEASE/BoringSSL`,
      state: proxy.state,
      uptime_current_epoch: uptime,
      uptime_all_epochs: uptime,
      hot_restart_version: "disabled",
      command_line_options: {
        base_id: "0",
        use_dynamic_base_id: false,
        base_id_path: "",
        concurrency: 2,
        config_path: "etc/istio/proxy/envoy-rev.json",
        config_yaml: "",
        allow_unknown_static_fields: false,
        reject_unknown_dynamic_fields: false,
        ignore_unknown_dynamic_fields: false,
        admin_address_path: "",
        local_address_ip_version: "v4",
        log_level: "warning",
        component_log_level: "misc:error",
        log_format: "%Y-%m-%dT%T.%fZ\t%l\tenvoy %n %g:%#\t%v\tthread=%t",
        log_path: "",
        service_cluster: "",
        service_node: isObject(node) ? textOf(node, "id") : "",
        service_zone: "",
        drain_strategy: "Immediate",
        mode: "Serve",
        disable_hot_restart: true,
        drain_time: "45s",
        parent_shutdown_time: "60s",
      },
      node,
    },
    1,
  );
}

/** `/certs`: what the dump's certificates say, without the certificates. */
export function certs(proxy: MeshProxy, askedAt: number): Buffer {
  const found: { readonly ca: JsonObject[]; readonly chain: JsonObject[] } = { ca: [], chain: [] };
  for (const secret of proxy.config.secrets.resources) {
    const trusted = pemOf(secret, "validation_context", "trusted_ca");
    const chain = pemOf(secret, "tls_certificate", "certificate_chain");
    if (trusted !== "") found.ca.push(certificateEntry(trusted, askedAt));
    if (chain !== "") found.chain.push(certificateEntry(chain, askedAt));
  }
  return print({ certificates: [{ ca_cert: found.ca, cert_chain: found.chain }] }, 1);
}

function pemOf(secret: JsonObject, kind: string, field: string): string {
  const content = secret[kind];
  const source = isObject(content) ? content[field] : undefined;
  return isObject(source) ? Buffer.from(textOf(source, "inline_bytes"), "base64").toString() : "";
}

function certificateEntry(pem: string, askedAt: number): JsonObject {
  const certificate = new X509Certificate(pem);
  const end = Date.parse(certificate.validTo);
  return {
    path: "<inline>",
    serial_number: certificate.serialNumber.toLowerCase(),
    subject_alt_names: (certificate.subjectAltName ?? "")
      .split(", ")
      .filter((name) => name !== "")
      .map((name): JsonObject => {
        const value = name.slice(name.indexOf(":") + 1);
        return name.startsWith("URI:") ? { uri: value } : { dns: value };
      }),
    days_until_expiration: String(Math.max(0, Math.floor((end - askedAt) / days(1)))),
    valid_from: rfc3339Seconds(Date.parse(certificate.validFrom)),
    expiration_time: rfc3339Seconds(end),
  };
}

/** `/clusters?format=json`: every active cluster with its hosts and their counters. */
export const clustersJson = (proxy: MeshProxy): Buffer =>
  print({ cluster_statuses: proxy.config.endpoints.map(clusterStatus) }, 1);

const knownStatuses = new WeakMap<JsonObject, JsonObject>();

function clusterStatus(assignment: JsonObject): JsonObject {
  const known = knownStatuses.get(assignment);
  if (known !== undefined) return known;
  const name = textOf(assignment, "cluster_name");
  const hosts = hostsOf(assignment);
  const limits = { max_connections: 4294967295, max_pending_requests: 4294967295, max_requests: 4294967295 };
  const status = shared({
    name,
    added_via_api: true,
    ...(hosts.length === 0
      ? {}
      : {
          host_statuses: hosts.map((host) => ({
            address: host.address,
            stats: [
              metric("cx_connect_fail", 0),
              metric("cx_total", host.connections),
              metric("rq_error", 0),
              metric("rq_success", host.requests),
              metric("rq_timeout", 0),
              metric("rq_total", host.requests),
              { type: "GAUGE", ...metric("cx_active", Math.min(2, host.connections)) },
              { type: "GAUGE", ...metric("rq_active", 0) },
            ],
            health_status: { eds_health_status: "HEALTHY" },
            weight: 1,
            locality: host.locality,
          })),
        }),
    circuit_breakers: {
      thresholds: [
        { ...limits, max_retries: 4294967295 },
        {
          priority: "HIGH",
          max_connections: 1024,
          max_pending_requests: 1024,
          max_requests: 1024,
          max_retries: 3,
        },
      ],
    },
    observability_name: name,
    ...(name.startsWith("outbound|") ? { eds_service_name: name } : {}),
  });
  knownStatuses.set(assignment, status);
  return status;
}

const metric = (name: string, value: number): JsonObject => ({
  ...(value === 0 ? {} : { value: String(value) }),
  name,
});

interface Host {
  readonly address: JsonObject;
  /** `10.0.0.1:9080`, `envoy://connect_originate/10.0.0.1:9080`. */
  readonly name: string;
  readonly locality: JsonObject;
  readonly connections: number;
  readonly requests: number;
}

/** The hosts of an assignment; their traffic is a function of their names. */
function hostsOf(assignment: JsonObject): Host[] {
  const members = (value: Json | undefined): JsonObject[] =>
    Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
  return members(assignment["endpoints"]).flatMap((group) =>
    members(group["lb_endpoints"]).map((host): Host => {
      const endpoint = objectAt(objectAt(host, "endpoint"), "address");
      const socket = objectAt(endpoint, "socket_address");
      const ip = textOf(socket, "address");
      const port = Number(socket["port_value"]);
      const random = randomFor(ip, `${textOf(assignment, "cluster_name")}:${port}`);
      const connections = random.between(0, 12);
      return {
        address: endpoint,
        name: "envoy_internal_address" in endpoint ? internalName(endpoint) : `${ip}:${port}`,
        locality: objectAt(group, "locality"),
        connections,
        requests: connections * random.between(1, 40),
      };
    }),
  );
}

const internalName = (address: JsonObject): string => {
  const internal = objectAt(address, "envoy_internal_address");
  return `envoy://${textOf(internal, "server_listener_name")}/${textOf(internal, "endpoint_id")}`;
};

const objectAt = (value: JsonObject, key: string): JsonObject => {
  const member = value[key];
  return isObject(member) ? member : {};
};

/** `/clusters` in its text form, which is what a bug-report holds. */
export const clustersText = (proxy: MeshProxy): string => proxy.config.endpoints.map(clusterLines).join("");

const knownLines = new WeakMap<JsonObject, string>();

function clusterLines(assignment: JsonObject): string {
  const known = knownLines.get(assignment);
  if (known !== undefined) return known;
  const name = textOf(assignment, "cluster_name");
  const lines = [
    `${name}::observability_name::${name}`,
    `${name}::default_priority::max_connections::4294967295`,
    `${name}::default_priority::max_pending_requests::4294967295`,
    `${name}::default_priority::max_requests::4294967295`,
    `${name}::default_priority::max_retries::4294967295`,
    `${name}::high_priority::max_connections::1024`,
    `${name}::high_priority::max_pending_requests::1024`,
    `${name}::high_priority::max_requests::1024`,
    `${name}::high_priority::max_retries::3`,
    `${name}::added_via_api::true`,
    ...(name.startsWith("outbound|") ? [`${name}::eds_service_name::${name}`] : []),
    ...hostsOf(assignment).flatMap((host) =>
      Object.entries({
        cx_active: Math.min(2, host.connections),
        cx_connect_fail: 0,
        cx_total: host.connections,
        rq_active: 0,
        rq_error: 0,
        rq_success: host.requests,
        rq_timeout: 0,
        rq_total: host.requests,
        hostname: "",
        health_flags: "healthy",
        weight: 1,
        region: textOf(host.locality, "region"),
        zone: textOf(host.locality, "zone"),
        sub_zone: "",
        canary: "false",
        priority: 0,
        success_rate: "-1",
        local_origin_success_rate: "-1",
      }).map(([key, value]) => `${name}::${host.name}::${key}::${value}`),
    ),
  ];
  const text = lines.join("\n") + "\n";
  knownLines.set(assignment, text);
  return text;
}

/** The counters and gauges of Istio's default inclusion list that findings use. */
function counters(proxy: MeshProxy): [name: string, value: number][] {
  const { config, rejectedUpdates } = proxy;
  const random = randomFor(proxy.id, "stats");
  const updates = random.between(20, 90);
  const active = config.listeners.filter((entry) => entry.active !== undefined).length;
  const states = { LIVE: 0, DRAINING: 1, PRE_INITIALIZING: 2, INITIALIZING: 3 };
  return [
    ["cluster_manager.active_clusters", config.clusters.resources.length + 5],
    ["cluster_manager.cds.init_fetch_timeout", 0],
    ["cluster_manager.cds.update_failure", 0],
    ["cluster_manager.cds.update_rejected", rejectedUpdates.cds],
    ["cluster_manager.cds.update_success", updates],
    ["cluster_manager.warming_clusters", config.warmingClusters.resources.length],
    ["cluster.xds-grpc.upstream_cx_active", proxy.connectedTo === null ? 0 : 1],
    ["control_plane.connected_state", proxy.connectedTo === null ? 0 : 1],
    ["listener_manager.lds.init_fetch_timeout", 0],
    ["listener_manager.lds.update_failure", 0],
    ["listener_manager.lds.update_rejected", rejectedUpdates.lds],
    ["listener_manager.lds.update_success", updates - rejectedUpdates.lds],
    ["listener_manager.listener_create_failure", rejectedUpdates.lds],
    ["listener_manager.total_listeners_active", active + 2],
    ["listener_manager.total_listeners_draining", config.listeners.filter(({ draining }) => draining).length],
    ["listener_manager.total_listeners_warming", config.listeners.filter(({ warming }) => warming).length],
    ["listener_manager.workers_started", proxy.state === "LIVE" ? 1 : 0],
    ["server.live", proxy.state === "LIVE" ? 1 : 0],
    ["server.state", states[proxy.state]],
    ["server.total_connections", random.between(0, 40)],
  ];
}

/** `/stats`: `name: value`. */
export const statsText = (proxy: MeshProxy): string =>
  [
    ...(proxy.connectedTo === null
      ? []
      : [`control_plane.identifier: "{\\"Component\\":\\"istiod\\",\\"ID\\":\\"${proxy.connectedTo}\\"}"`]),
    ...counters(proxy).map(([name, value]) => `${name}: ${value}`),
  ].join("\n") + "\n";

/** `/stats/prometheus`: the same, with other names. */
export const prometheusText = (proxy: MeshProxy): string =>
  counters(proxy)
    .map(([name, value]) => {
      const metricName = `envoy_${name.replace(/[^a-zA-Z0-9]/g, "_")}`;
      return `# TYPE ${metricName} gauge\n${metricName}{} ${value}\n`;
    })
    .join("\n");

export const runtime = (): Buffer =>
  print(
    {
      layers: ["global config", "admin"],
      entries: {
        "overload.global_downstream_max_connections": {
          final_value: "2147483647",
          layer_values: ["2147483647", ""],
        },
      },
    },
    1,
  );

/** `/listeners`: `name::address:port`. */
export const listenersText = (proxy: MeshProxy): string =>
  proxy.config.listeners
    .flatMap(({ name, active }) => {
      if (active === undefined) return [];
      const socket = objectAt(objectAt(active.listener, "address"), "socket_address");
      return [`${name}::${textOf(socket, "address")}:${Number(socket["port_value"])}`];
    })
    .join("\n") + "\n";

export const memory = (proxy: MeshProxy): Buffer => {
  const allocated = 20_000_000 + proxy.config.clusters.resources.length * 4096;
  return print(
    {
      allocated: String(allocated),
      heap_size: String(Math.round(allocated * 1.4)),
      pageheap_unmapped: "0",
      pageheap_free: "1318912",
      total_thread_cache: "1843072",
      total_physical_bytes: String(Math.round(allocated * 1.6)),
    },
    1,
  );
};
