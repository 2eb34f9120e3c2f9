/**
 * Faults of content, each with all that the analyses must say of a capture of it and nothing else. Unlike `faults.ts`, which
 * is about states, these are about what Istiod and the Envoys hold.
 */
import type { Analysis, Finding } from "../drift-findings.js";
import { capturePlan } from "./capture.js";
import { outboundCluster, outboundName } from "./clusters.js";
import {
  edited,
  editedResource,
  nameOf,
  once,
  withNewResource,
  withProxies,
  withResource,
  type Place,
  type ResourceList,
  type Step,
} from "./edits.js";
import { addressesOf, liveAssignment, sentAssignment } from "./endpoints.js";
import { applyFaults, pushed, withRows, withType } from "./faults.js";
import { isObject, shared, type Json, type JsonObject } from "./json.js";
import { versionText } from "./istiod-answers.js";
import { httpListener } from "./listeners.js";
import { buildMesh } from "./mesh.js";
import type { Mesh, MeshIstiod, MeshOptions, MeshProxy, MeshService, SyncType } from "./model.js";
import { gatewayCredential } from "./routes.js";
import { minutes, seconds } from "./time.js";
import { podsBehind } from "./topology.js";

/** The mesh that the faults are put into: 100 proxies, three replicas a workload, three Istiods. */
export const faultyMeshOptions: Partial<MeshOptions> = {
  seed: "drift",
  istioVersion: "1.24.2",
  services: 32,
  proxies: 93,
  replicas: 3,
  istiods: 3,
};

/** A capture, and what must be found in it. */
export interface Seeded {
  readonly mesh: Mesh;
  /** For a comparison with an earlier capture, which was of this mesh. */
  readonly before?: Mesh;
  readonly findings: readonly Finding[];
  /** Of those, the analyses that a bug-report has no data for; it must be said so. Default: Istiod against Envoy. */
  readonly unseenInBugReport?: readonly Analysis[];
}

export interface DriftFault {
  readonly name: string;
  readonly about: Analysis;
  /** One sentence for people. */
  readonly says: string;
  readonly seed: (healthy: Mesh) => Seeded;
}

const byIstiod: readonly Analysis[] = ["Istiod against Envoy"];

// Who and what is chosen

const fail = (what: string): never => {
  throw new Error(`the mesh has no ${what}`);
};

/** The proxies of the n-th workload with three replicas, by id. */
function replicasOf(mesh: Mesh, index: number): readonly MeshProxy[] {
  const workloads = mesh.workloads.filter(
    ({ replicas, proxyType }) => replicas >= 3 && proxyType === "sidecar",
  );
  const workload = workloads[index] ?? fail(`workload ${index} with three replicas`);
  return mesh.proxies.filter(({ pod }) => pod.workload === workload).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The last replica of the n-th workload with three. */
const replicaOf = (mesh: Mesh, index: number): MeshProxy => replicasOf(mesh, index).at(-1) ?? fail("replica");

const proxyNamed = (mesh: Mesh, beginning: string): MeshProxy =>
  mesh.proxies.find(({ id }) => id.startsWith(beginning)) ?? fail(beginning);

/** The n-th service that has one HTTP port and neither subsets nor routes of its own. */
function plainService(mesh: Mesh, index: number): MeshService {
  const plain = mesh.services.filter(
    ({ namespace, ports }) => namespace.startsWith("team-") && ports.length === 1,
  );
  return plain[index] ?? fail(`plain service ${index}`);
}

const clusterOf = (service: MeshService): string => outboundName(service, service.ports[0]?.port ?? 0);

const only =
  (...proxies: readonly MeshProxy[]) =>
  ({ id }: MeshProxy): boolean =>
    proxies.some((proxy) => proxy.id === id);
const allBut =
  (...proxies: readonly MeshProxy[]) =>
  (proxy: MeshProxy): boolean =>
    !only(...proxies)(proxy);

const idsOf = (proxies: readonly MeshProxy[]): readonly string[] => proxies.map(({ id }) => id).sort();

// What is done to it

/** Changes one field of a resource, wherever proxies share it. */
const field = (path: readonly Step[], change: (old: Json | undefined) => Json | undefined) =>
  once((resource) => editedResource(resource, path, change));

interface Push {
  /** Who keeps the old. */
  readonly except: readonly MeshProxy[];
  /** Whose resource it changes; default: everyone's. */
  readonly among?: (proxy: MeshProxy) => boolean;
  /** Whether Istiod would send those who keep the old nothing else. */
  readonly alsoUnsent?: boolean;
}

/** Istiod pushed a change 26 minutes before the capture, and all got it but some. */
function pushedTo(
  mesh: Mesh,
  list: ResourceList,
  name: string,
  change: (resource: JsonObject) => JsonObject | null,
  { except, among = () => true, alsoUnsent = false }: Push,
): Mesh {
  const others = (proxy: MeshProxy): boolean => among(proxy) && allBut(...except)(proxy);
  const at = mesh.capturedAt - minutes(26);
  const sent = withResource(
    mesh,
    { list, name, side: "Istiod", proxies: alsoUnsent ? others : among },
    change,
  );
  return withResource(sent, { list, name, side: "Envoy", proxies: others, at }, change);
}

/** What a resource that is exported to its own namespace (`exportTo`) changes. */
const besideIn =
  (proxy: MeshProxy) =>
  ({ pod }: MeshProxy): boolean =>
    pod.namespace === proxy.pod.namespace;

/** Without a resource on either side. */
const without = (mesh: Mesh, places: readonly Place[]): Mesh =>
  places.reduce((current, place) => withResource(current, place, () => null), mesh);

/** Every analysis but the one by Istiod's view sees one replica among three that holds otherwise. */
const amongReplicas = (about: string, what: string, victim: MeshProxy): Finding[] => [
  { by: "replicas", about, what, on: [victim.id] },
  { by: "timeline", about, what: "not arrived", on: [victim.id] },
];
const againstIstiod = (about: string, what: string, proxies: readonly MeshProxy[]): Finding => ({
  by: "Istiod against Envoy",
  about,
  what,
  on: idsOf(proxies),
});
/** Where a push did not reach one replica of three. */
const notReached = (about: string, what: string, victim: MeshProxy): Finding[] => [
  againstIstiod(about, what, [victim]),
  ...amongReplicas(about, what, victim),
];

/** A fault by which one replica keeps what the others had before a change. */
function keptOld(
  name: string,
  says: string,
  {
    about = "Istiod against Envoy",
    list,
    resource,
    path,
    change,
    fields,
    replica,
    reach = "namespace",
  }: {
    readonly about?: "Istiod against Envoy" | "replicas";
    readonly list: "clusters" | "listeners" | "routes";
    /** Its name. */
    readonly resource: (mesh: Mesh) => string;
    readonly path: (mesh: Mesh) => readonly Step[];
    readonly change: (old: Json | undefined) => Json | undefined;
    /** How the fields are named that differ. */
    readonly fields: (mesh: Mesh) => string;
    /** Which workload's replica. */
    readonly replica: number;
    /** Whom the change was for: everyone, or the namespace of the replica. */
    readonly reach?: "mesh" | "namespace";
  },
): DriftFault {
  return {
    name,
    about,
    says,
    seed: (healthy) => {
      const victim = replicaOf(healthy, replica);
      const alsoUnsent = about === "replicas";
      const mesh = pushedTo(healthy, list, resource(healthy), field(path(healthy), change), {
        except: [victim],
        alsoUnsent,
        ...(reach === "mesh" ? {} : { among: besideIn(victim) }),
      });
      const finding = `${kindOf[list]} ${resource(healthy)}`;
      const what = `changed in ${fields(healthy)}`;
      return alsoUnsent
        ? { mesh, findings: amongReplicas(finding, what, victim), unseenInBugReport: [] }
        : { mesh, findings: notReached(finding, what, victim) };
    },
  };
}

const kindOf = { clusters: "cluster", listeners: "listener", routes: "routeConfiguration" } as const;

const hcm = ["filter_chains", 0, "filters", 0, "typed_config"] as const;
const hcmPath = "filter_chains[0].filters[envoy.filters.network.http_connection_manager].typed_config";
const route = ["virtual_hosts", 0, "routes", 0] as const;
const reviews = "reviews.default.svc.cluster.local";
const busyPort = "9080";
const busyListener = `0.0.0.0_${busyPort}`;

const swapped =
  (first: number, second: number) =>
  (old: Json | undefined): Json => {
    if (!Array.isArray(old)) return fail("list to swap in");
    const list = old as readonly Json[];
    return list.with(first, list[second] ?? null).with(second, list[first] ?? null);
  };

const fieldFaults: readonly DriftFault[] = [
  keptOld("cluster-field", "One replica keeps a cluster's old timeout.", {
    list: "clusters",
    resource: (mesh) => clusterOf(plainService(mesh, 3)),
    path: () => ["connect_timeout"],
    change: () => "3s",
    fields: () => "connect_timeout",
    replica: 0,
    reach: "mesh",
  }),
  keptOld("filter-order", "One replica runs two HTTP filters in the old order.", {
    list: "listeners",
    resource: () => busyListener,
    path: () => [...hcm, "http_filters"],
    change: swapped(2, 3),
    fields: () => `${hcmPath}.http_filters (moved)`,
    replica: 1,
  }),
  keptOld("chain-match", "One replica chooses a filter chain by other protocols.", {
    list: "listeners",
    resource: () => busyListener,
    path: () => ["filter_chains", 0, "filter_chain_match", "application_protocols"],
    change: () => ["http/1.0", "http/1.1", "h2c"],
    fields: () => "filter_chains[0].filter_chain_match.application_protocols[1] (removed)",
    replica: 2,
  }),
  keptOld("route-timeout", "One replica keeps a route's old timeout.", {
    list: "routes",
    resource: () => busyPort,
    path: () => [...route, "route", "timeout"],
    change: () => "7s",
    fields: (mesh) => `virtual_hosts[${firstHost(mesh)}].routes[default].route.timeout`,
    replica: 3,
    reach: "mesh",
  }),
  keptOld("route-weights", "One replica splits the requests to reviews as before.", {
    list: "routes",
    resource: () => "9080",
    path: () => [
      "virtual_hosts",
      { named: `${reviews}:9080` },
      "routes",
      0,
      "route",
      "weighted_clusters",
      "clusters",
    ],
    change: (old) =>
      Array.isArray(old)
        ? (old as readonly JsonObject[]).map((cluster, index) => ({
            ...cluster,
            weight: [50, 45, 5][index] ?? 0,
          }))
        : old,
    fields: () =>
      ["v1", "v2"]
        .map(
          (version) =>
            `virtual_hosts[${reviews}:9080].routes[default].route.weighted_clusters.clusters[outbound|9080|${version}|${reviews}].weight`,
        )
        .join(", "),
    replica: 4,
  }),
  keptOld("virtual-host-missing", "One replica has not got the virtual host of a service that is new.", {
    list: "routes",
    resource: () => busyPort,
    path: () => ["virtual_hosts"],
    change: (old) => [
      ...(Array.isArray(old) ? (old as readonly Json[]) : []),
      {
        name: "loyalty.team-0.svc.cluster.local:8080",
        domains: ["loyalty.team-0.svc.cluster.local"],
        routes: [{ match: { prefix: "/" }, route: { cluster: "PassthroughCluster" } }],
      },
    ],
    fields: () => "virtual_hosts[loyalty.team-0.svc.cluster.local:8080] (removed)",
    replica: 5,
  }),
  keptOld("domain-missing", "One replica does not know a new name of a service.", {
    list: "routes",
    resource: () => busyPort,
    path: () => ["virtual_hosts", 0, "domains"],
    change: (old) => [...(Array.isArray(old) ? (old as readonly Json[]) : []), "shop.example.com"],
    fields: (mesh) => `virtual_hosts[${firstHost(mesh)}].domains[4] (removed)`,
    replica: 0,
  }),
  keptOld("older-route", "One replica of three holds an older route; Istiod would send it nothing else.", {
    about: "replicas",
    list: "routes",
    resource: () => busyPort,
    path: () => [...route, "route", "timeout"],
    change: () => "9s",
    fields: (mesh) => `virtual_hosts[${firstHost(mesh)}].routes[default].route.timeout`,
    replica: 1,
  }),
  keptOld(
    "older-cluster",
    "One replica of three holds an older cluster; Istiod would send it nothing else.",
    {
      about: "replicas",
      list: "clusters",
      resource: (mesh) => clusterOf(plainService(mesh, 0)),
      path: () => ["lb_policy"],
      change: () => "RANDOM",
      fields: () => "lb_policy",
      replica: 2,
    },
  ),
  keptOld(
    "older-listener",
    "One replica of three holds an older listener; Istiod would send it nothing else.",
    {
      about: "replicas",
      list: "listeners",
      resource: () => busyListener,
      path: () => [...hcm, "stream_idle_timeout"],
      change: () => "60s",
      fields: () => `${hcmPath}.stream_idle_timeout`,
      replica: 3,
    },
  ),
];

/** The first virtual host of the busy port, by name as everywhere. */
function firstHost(mesh: Mesh): string {
  const routes = mesh.proxies[0]?.config.routes.resources.find((resource) => nameOf(resource) === busyPort);
  const hosts = routes?.["virtual_hosts"];
  const [first] = Array.isArray(hosts) ? (hosts as readonly Json[]) : [];
  return isObject(first) ? nameOf(first) : fail(`virtual host on ${busyPort}`);
}

// Whole resources

const resourceFaults: readonly DriftFault[] = [
  {
    name: "cluster-missing",
    about: "Istiod against Envoy",
    says: "One replica lacks a cluster, so it asks for no endpoints of it.",
    seed: (healthy) => {
      const victim = replicaOf(healthy, 4);
      const name = clusterOf(plainService(healthy, 1));
      const mesh = without(healthy, [
        { list: "clusters", name, side: "Envoy", proxies: only(victim) },
        { list: "endpoints", name, side: "Envoy", proxies: only(victim) },
        { list: "endpoints", name, side: "Istiod", proxies: only(victim) },
      ]);
      return { mesh, findings: notReached(`cluster ${name}`, "missing", victim) };
    },
  },
  {
    name: "lacks-cluster",
    about: "replicas",
    says: "One replica of three lacks a cluster, and Istiod would not send it.",
    seed: (healthy) => {
      const victim = replicaOf(healthy, 5);
      const name = clusterOf(plainService(healthy, 2));
      const places: readonly Place[] = (["Envoy", "Istiod"] as const).flatMap((side) => [
        { list: "clusters", name, side, proxies: only(victim) },
        { list: "endpoints", name, side, proxies: only(victim) },
      ]);
      return {
        mesh: without(healthy, places),
        findings: amongReplicas(`cluster ${name}`, "missing", victim),
        unseenInBugReport: [],
      };
    },
  },
  {
    name: "cluster-extra",
    about: "Istiod against Envoy",
    says: "All replicas keep the cluster of a service that is gone.",
    seed: (healthy) => {
      const victims = replicasOf(healthy, 0);
      const retired: MeshService = {
        ...plainService(healthy, 0),
        name: "retired",
        hostname: "retired.team-0.svc.cluster.local",
      };
      const [port] = retired.ports;
      if (port === undefined) return fail("port");
      const name = outboundName(retired, port.port);
      const where = { name, side: "Envoy", proxies: only(...victims) } as const;
      const withCluster = withNewResource(
        healthy,
        { ...where, list: "clusters" },
        outboundCluster(retired, port, "", healthy.options.istioVersion),
      );
      return {
        mesh: withNewResource(withCluster, { ...where, list: "endpoints" }, liveAssignment(name, [])),
        findings: [againstIstiod(`cluster ${name}`, "extra", victims)],
      };
    },
  },
  {
    name: "listener-missing",
    about: "Istiod against Envoy",
    says: "The only replica of productpage lacks a listener, so it asks for no routes of it.",
    seed: (healthy) => {
      const victim = proxyNamed(healthy, "productpage");
      const proxies = only(victim);
      return {
        mesh: without(healthy, [
          { list: "listeners", name: busyListener, side: "Envoy", proxies },
          { list: "routes", name: busyPort, side: "Envoy", proxies },
          { list: "routes", name: busyPort, side: "Istiod", proxies },
        ]),
        findings: [againstIstiod(`listener ${busyListener}`, "missing", [victim])],
      };
    },
  },
  {
    name: "route-order",
    about: "Istiod against Envoy",
    says: "The gateway matches routes in another order.",
    seed: (healthy) => {
      const victim = proxyNamed(healthy, "istio-ingressgateway");
      const name = "http.8080";
      return {
        mesh: withResource(
          healthy,
          { list: "routes", name, side: "Envoy", proxies: only(victim) },
          field(["virtual_hosts", 0, "routes"], swapped(0, 1)),
        ),
        findings: [
          againstIstiod(
            `routeConfiguration ${name}`,
            "changed in virtual_hosts[bookinfo.example.com:80].routes (moved)",
            [victim],
          ),
        ],
      };
    },
  },
  {
    name: "secret-missing",
    about: "Istiod against Envoy",
    says: "The gateway has not got the certificate of its host.",
    seed: (healthy) => {
      const victim = proxyNamed(healthy, "istio-ingressgateway");
      return {
        mesh: without(healthy, [
          { list: "secrets", name: gatewayCredential, side: "Envoy", proxies: only(victim) },
        ]),
        findings: [againstIstiod(`secret ${gatewayCredential}`, "missing", [victim])],
      };
    },
  },
  {
    name: "ecds-changed",
    about: "Istiod against Envoy",
    says: "One replica runs the old settings of a Wasm filter.",
    seed: (healthy) => {
      const replicas = replicasOf(healthy, 1);
      const victim = replicaOf(healthy, 1);
      const name = "team.shop.wasm";
      const plugin = (path: string): JsonObject =>
        shared({
          "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
          name,
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            config: {
              name,
              vm_config: { runtime: "envoy.wasm.runtime.v8", code: { local: { filename: path } } },
            },
          },
        });
      const [old, now] = [plugin("/var/lib/istio/data/one.wasm"), plugin("/var/lib/istio/data/two.wasm")];
      const place = { list: "extensions", name } as const;
      const at = healthy.capturedAt - minutes(26);
      const others = replicas.filter((proxy) => proxy !== victim);
      const sent = withNewResource(healthy, { ...place, side: "Istiod", proxies: only(...replicas) }, now);
      const held = withNewResource(sent, { ...place, side: "Envoy", proxies: only(...others), at }, now);
      return {
        mesh: withNewResource(held, { ...place, side: "Envoy", proxies: only(victim) }, old),
        findings: notReached(
          `extensionConfig ${name}`,
          "changed in typed_config.config.vm_config.code.local.filename",
          victim,
        ),
      };
    },
  },
];

// Endpoints

/** A fault in the endpoints that one client holds. */
function endpointFault(
  name: string,
  says: string,
  options: {
    readonly replica: number;
    readonly service: number;
    /** What the client holds instead of what Istiod sends. */
    readonly change: (assignment: JsonObject) => JsonObject;
    readonly fields: (target: Target) => string;
    /** How its set of addresses differs from that of the other clients; null where only weights do. */
    readonly set: ((target: Target) => string) | null;
    /** Whether Istiod would send the same. */
    readonly sent?: boolean;
  },
): DriftFault {
  return {
    name,
    about: options.sent === true ? "endpoints" : "Istiod against Envoy",
    says,
    seed: (healthy) => {
      const victim = replicaOf(healthy, options.replica);
      const service = plainService(healthy, options.service);
      const cluster = clusterOf(service);
      const target = targetOf(healthy, service);
      const change = once(options.change);
      const place = { list: "endpoints", name: cluster, proxies: only(victim) } as const;
      const held = withResource(healthy, { ...place, side: "Envoy" }, change);
      const mesh = options.sent === true ? withResource(held, { ...place, side: "Istiod" }, change) : held;
      const about = `endpointAssignment ${cluster}`;
      return {
        mesh,
        findings: [
          ...(options.sent === true
            ? []
            : [againstIstiod(about, `changed in ${options.fields(target)}`, [victim])]),
          ...(options.set === null
            ? []
            : [
                {
                  by: "endpoints" as const,
                  about,
                  what: `${options.set(target)}; by 1 of ${victim.connectedTo ?? ""}`,
                  on: [victim.id],
                },
              ]),
        ],
        unseenInBugReport: options.sent === true ? [] : byIstiod,
      };
    },
  };
}

/** The host that endpoint faults are about: the first of the first locality. */
interface Target {
  readonly address: string;
  readonly port: number;
  /** The locality as paths of changes name it. */
  readonly locality: string;
}

const ghost = "10.244.200.7";
const hosts = ["endpoints", 0, "lb_endpoints"] as const;
const socket = [...hosts, 0, "endpoint", "address", "socket_address"] as const;

function targetOf(mesh: Mesh, service: MeshService): Target {
  const [port] = service.ports;
  if (port === undefined) return fail("port");
  const [first] = [...addressesOf(service, port, "", mesh.pods)].sort((a, b) => (a.zone < b.zone ? -1 : 1));
  if (first === undefined) return fail("endpoint");
  const region = first.zone.slice(0, -1);
  return {
    address: first.address,
    port: first.port,
    locality: `endpoints[${region}/${first.zone} priority 0]`,
  };
}

const hostPath = ({ locality, address, port }: Target): string =>
  `${locality}.lb_endpoints[${address}:${port}]`;

/** One host more in the first locality, and in its weight where that is written. */
function withGhost(assignment: JsonObject): JsonObject {
  const more = editedResource(assignment, hosts, (old) => {
    const list = Array.isArray(old) ? (old as readonly Json[]) : [];
    const [first] = list;
    if (first === undefined) return fail("host");
    return [...list, edited(first, ["endpoint", "address", "socket_address", "address"], () => ghost)];
  });
  return editedResource(more, ["endpoints", 0, "load_balancing_weight"], (weight) =>
    typeof weight === "number" ? weight + 1 : weight,
  );
}

const endpointFaults: readonly DriftFault[] = [
  endpointFault("endpoint-missing", "One client has not got one of the pods.", {
    replica: 2,
    service: 3,
    change: (assignment) => editedResource(assignment, ["endpoints", 0], () => undefined),
    fields: ({ locality }) => `${locality} (removed)`,
    set: ({ address, port }) => `without ${address}:${port}`,
  }),
  endpointFault("endpoint-extra", "One client still sends requests to a pod that is gone.", {
    replica: 3,
    service: 0,
    change: withGhost,
    fields: ({ locality, port }) => `${locality}.lb_endpoints[${ghost}:${port}] (added)`,
    set: ({ port }) => `with ${ghost}:${port}`,
  }),
  endpointFault("endpoint-port", "One client sends requests to another port of a pod.", {
    replica: 4,
    service: 1,
    change: (assignment) => editedResource(assignment, [...socket, "port_value"], () => 9999),
    fields: (target) => `${hostPath(target)}.endpoint.address.socket_address.port_value`,
    set: ({ address, port }) => `without ${address}:${port}; with ${address}:9999`,
  }),
  endpointFault("endpoint-weight", "One client gives a pod five times the requests.", {
    replica: 5,
    service: 2,
    change: (assignment) => editedResource(assignment, [...hosts, 0, "load_balancing_weight"], () => 5),
    fields: (target) => `${hostPath(target)}.load_balancing_weight (added)`,
    set: null,
  }),
  endpointFault("endpoint-priority", "One client keeps a zone for the case that the others fail.", {
    replica: 0,
    service: 3,
    change: (assignment) => editedResource(assignment, ["endpoints", 0, "priority"], () => 1),
    fields: ({ locality }) => `${locality}.priority (added)`,
    set: null,
  }),
  endpointFault("client-ghost", "One client still has a pod that is gone, and Istiod would send it that.", {
    replica: 1,
    service: 0,
    change: withGhost,
    fields: () => "",
    set: ({ port }) => `with ${ghost}:${port}`,
    sent: true,
  }),
  {
    name: "istiod-lacks-pod",
    about: "endpoints",
    says: "One Istiod has not seen a pod, so none of its clients has.",
    seed: (healthy) => {
      const [istiod] = healthy.istiods;
      if (istiod === undefined) return fail("Istiod");
      const service = plainService(healthy, 1);
      const cluster = clusterOf(service);
      const { address, port } = targetOf(healthy, service);
      const clients = healthy.proxies.filter(({ connectedTo }) => connectedTo === istiod.name);
      const [servicePort] = service.ports;
      if (servicePort === undefined) return fail("port");
      const left = addressesOf(service, servicePort, "", healthy.pods).filter(
        (pod) => pod.address !== address,
      );
      const place = { list: "endpoints", name: cluster, proxies: only(...clients) } as const;
      const sent = sentAssignment(cluster, left);
      const live = liveAssignment(cluster, left);
      const changed = withResource(healthy, { ...place, side: "Istiod" }, () => sent);
      const mesh = withResource(changed, { ...place, side: "Envoy" }, () => live);
      return {
        mesh: {
          ...mesh,
          istiods: mesh.istiods.map((other) =>
            other.name === istiod.name ? { ...other, unseenAddresses: new Set([address]) } : other,
          ),
        },
        findings: [
          {
            by: "endpoints",
            about: `endpointAssignment ${cluster}`,
            what: `without ${address}:${port}; by ${clients.length} of ${istiod.name}`,
            on: idsOf(clients),
          },
          {
            by: "Istiods",
            about: `endpoints of ${service.hostname} in Kubernetes/${healthy.clusterId}`,
            what: "2 where most have 3",
            on: [istiod.name],
          },
        ],
        unseenInBugReport: [],
      };
    },
  },
];

// States

/** Istiod sent a type while the capture ran, and the proxies had not answered when its list was taken. */
function sentDuring(mesh: Mesh, type: SyncType, sentAt: number): Mesh {
  return mesh.proxies.reduce(
    (current, proxy) =>
      withRows(current, proxy, "second sample", (row) =>
        withType(row, type, pushed(current, row, type, current.capturedAt - sentAt)),
      ),
    mesh,
  );
}

const stateFaults: readonly DriftFault[] = [
  {
    name: "in-flight-arrived",
    about: "Istiod against Envoy",
    says: "Istiod was asked, then pushed a route to everyone, then the proxies were asked.",
    seed: (healthy) => {
      const asked = withProxies(
        healthy,
        () => true,
        (proxy) => ({ ...proxy, desired: { ...proxy.desired, askedAt: healthy.capturedAt } }),
      );
      const sidecars = healthy.proxies.filter(({ type }) => type === "sidecar");
      const at = healthy.capturedAt + seconds(1);
      return {
        mesh: withResource(
          asked,
          { list: "routes", name: busyPort, side: "Envoy", at },
          field([...route, "route", "timeout"], () => "7s"),
        ),
        findings: [
          againstIstiod(
            `routeConfiguration ${busyPort}`,
            `changed in virtual_hosts[${firstHost(healthy)}].routes[default].route.timeout; in flight`,
            sidecars,
          ),
        ],
      };
    },
  },
  {
    name: "in-flight-sent",
    about: "Istiod against Envoy",
    says: "The proxies were asked, then Istiod pushed a route to everyone, then it was asked.",
    seed: (healthy) => {
      const sidecars = healthy.proxies.filter(({ type }) => type === "sidecar");
      const pushedMesh = sentDuring(healthy, "rds", capturePlan(healthy).after - seconds(1));
      return {
        mesh: withResource(
          pushedMesh,
          { list: "routes", name: busyPort, side: "Istiod" },
          field([...route, "route", "timeout"], () => "7s"),
        ),
        findings: [
          againstIstiod(
            `routeConfiguration ${busyPort}`,
            `changed in virtual_hosts[${firstHost(healthy)}].routes[default].route.timeout; in flight`,
            sidecars,
          ),
        ],
      };
    },
  },
  {
    name: "warming-listener",
    about: "Istiod against Envoy",
    says: "A new listener waits for its routes in one replica; the others have it.",
    seed: (healthy) => {
      const replicas = replicasOf(healthy, 2);
      const victim = replicaOf(healthy, 2);
      const [{ pod }] = [victim];
      const listener = httpListener(9999, pod.workload, healthy.options.istioVersion);
      const name = nameOf(listener);
      const at = healthy.capturedAt - minutes(8);
      const place = { list: "listeners", name } as const;
      const others = replicas.filter((proxy) => proxy !== victim);
      const sent = withNewResource(
        healthy,
        { ...place, side: "Istiod", proxies: only(...replicas) },
        listener,
      );
      const held = withNewResource(sent, { ...place, side: "Envoy", proxies: only(...others), at }, listener);
      const mesh = withProxies(held, only(victim), (proxy) => ({
        ...proxy,
        config: {
          ...proxy.config,
          listeners: [
            ...proxy.config.listeners,
            { name, warming: { versionInfo: proxy.desired.versionInfo, at, listener } },
          ],
        },
      }));
      const about = `listener ${name}`;
      return {
        mesh,
        findings: [
          againstIstiod(about, "missing; warming", [victim]),
          ...amongReplicas(about, "missing; warming", victim),
        ],
      };
    },
  },
  {
    name: "rejected-update",
    about: "Istiod against Envoy",
    says: "One replica refused a change of a listener and keeps the old one.",
    seed: (healthy) => {
      const victim = replicaOf(healthy, 3);
      const change = field([...hcm, "stream_idle_timeout"], () => "60s");
      const mesh = pushedTo(healthy, "listeners", busyListener, change, {
        except: [victim],
        among: besideIn(victim),
      });
      const failed = mesh.proxies
        .find(({ id }) => id === victim.id)
        ?.desired.listeners.find((listener) => nameOf(listener) === busyListener);
      const details = `error adding listener '${busyListener}': no such cluster`;
      const refused = withProxies(mesh, only(victim), (proxy) => ({
        ...proxy,
        config: {
          ...proxy.config,
          listeners: proxy.config.listeners.map((entry) =>
            entry.name === busyListener
              ? {
                  ...entry,
                  error: {
                    failed: failed ?? fail(busyListener),
                    at: healthy.capturedAt - minutes(26),
                    details,
                    versionInfo: proxy.desired.versionInfo,
                  },
                }
              : entry,
          ),
        },
      }));
      const about = `listener ${busyListener}`;
      const what = `changed in ${hcmPath}.stream_idle_timeout; rejected: ${details}`;
      return {
        mesh: refused,
        findings: [againstIstiod(about, what, [victim]), ...amongReplicas(about, what, victim)],
      };
    },
  },
];

// Istiods

/** A fault of the first Istiod alone. */
const istiodFault = (
  name: string,
  says: string,
  change: (istiod: MeshIstiod, healthy: Mesh) => Partial<MeshIstiod>,
  finding: (istiod: MeshIstiod, healthy: Mesh) => Pick<Finding, "about" | "what">,
  unseenInBugReport: readonly Analysis[] = [],
): DriftFault => ({
  name,
  about: "Istiods",
  says,
  seed: (healthy) => {
    const [first] = healthy.istiods;
    if (first === undefined) return fail("Istiod");
    const changed = { ...first, ...change(first, healthy) };
    return {
      mesh: { ...healthy, istiods: healthy.istiods.map((istiod) => (istiod === first ? changed : istiod)) },
      findings: [{ by: "Istiods", ...finding(changed, healthy), on: [first.name] }],
      unseenInBugReport,
    };
  },
});

const istiodFaults: readonly DriftFault[] = [
  istiodFault(
    "mesh-config",
    "One Istiod runs with another mesh configuration.",
    () => ({ meshConfig: { outboundTrafficPolicy: { mode: "REGISTRY_ONLY" } } }),
    () => ({ about: "mesh configuration", what: "changed in outboundTrafficPolicy.mode" }),
  ),
  istiodFault(
    "shard-missing",
    "One Istiod knows no endpoint of a service.",
    (_istiod, healthy) => ({
      unseenAddresses: new Set(podsBehind(plainService(healthy, 2), healthy.pods).map(({ ip }) => ip)),
    }),
    (_istiod, healthy) => ({
      about: `endpoints of ${plainService(healthy, 2).hostname} in Kubernetes/${healthy.clusterId}`,
      what: "0 where most have 3",
    }),
  ),
  istiodFault(
    "istiod-version",
    "One Istiod is of another release.",
    () => ({ version: "1.24.1" }),
    (istiod) => ({ about: "version", what: versionText(istiod) }),
    ["Istiods"],
  ),
  {
    name: "listed-twice",
    about: "Istiods",
    says: "Two Istiods list one proxy.",
    seed: (healthy) => {
      const { mesh, notes } = applyFaults(healthy, ["in-two-lists"]);
      const [note] = notes;
      const proxy = healthy.proxies.find(({ id }) => id === note?.proxyId) ?? fail("victim");
      const on = [proxy.connectedTo ?? "", note?.expect.details ?? ""].sort();
      return {
        mesh,
        findings: [{ by: "Istiods", about: `proxy ${proxy.id}`, what: "listed twice", on }],
        unseenInBugReport: [],
      };
    },
  },
];

// Moments

/** The same seed and other options: what is not mentioned is as it was. */
const again = (mesh: Mesh, options: Partial<MeshOptions>): Mesh => buildMesh({ ...mesh.options, ...options });

const momentFaults: readonly DriftFault[] = [
  {
    name: "arrived-on-11-of-12",
    about: "timeline",
    says: "A change of a listener arrived on 11 of 12 replicas.",
    seed: (healthy) => {
      const twelve = again(healthy, { replicas: 12, services: 9, proxies: 93 });
      const victim = replicaOf(twelve, 2);
      const mesh = pushedTo(
        twelve,
        "listeners",
        busyListener,
        field([...hcm, "stream_idle_timeout"], () => "60s"),
        {
          except: [victim],
          alsoUnsent: true,
        },
      );
      return {
        mesh,
        findings: amongReplicas(
          `listener ${busyListener}`,
          `changed in ${hcmPath}.stream_idle_timeout`,
          victim,
        ),
        unseenInBugReport: [],
      };
    },
  },
  {
    name: "virtual-service-changed",
    about: "snapshots",
    says: "All routes of a VirtualService got another timeout.",
    seed: (healthy) => {
      const gateway = proxyNamed(healthy, "istio-ingressgateway");
      const names = [
        ["http.8080", 80],
        ["https.443.https.bookinfo-gateway.default", 443],
      ] as const;
      const change = field(["virtual_hosts", 0, "routes"], (old) =>
        Array.isArray(old)
          ? (old as readonly Json[]).map((item) => edited(item, ["route", "timeout"], () => "3s"))
          : old,
      );
      const push = { except: [], among: only(gateway) };
      const mesh = names.reduce(
        (current, [name]) => pushedTo(current, "routes", name, change, push),
        healthy,
      );
      return {
        mesh,
        before: healthy,
        findings: names.map(([name, port]): Finding => ({
          by: "snapshots",
          about: `VirtualService/bookinfo.default: routeConfiguration ${name}`,
          what: `changed in ${[0, 1, 2, 3, 4].map((index) => `virtual_hosts[bookinfo.example.com:${port}].routes[${index}].route.timeout`).join(", ")}`,
          on: [gateway.id],
        })),
        unseenInBugReport: [],
      };
    },
  },
  {
    name: "service-deleted",
    about: "snapshots",
    says: "A Service was deleted; its pods have no proxy.",
    seed: (healthy) => {
      const service = healthy.services.at(-1) ?? fail("service");
      const all = idsOf(healthy.proxies);
      const sidecars = healthy.proxies.filter(({ type }) => type === "sidecar");
      const inNamespace = idsOf(sidecars.filter(({ pod }) => pod.namespace === service.namespace));
      const elsewhere = idsOf(sidecars.filter(({ pod }) => pod.namespace !== service.namespace));
      const [{ port } = fail("port")] = service.ports;
      const name = outboundName(service, port);
      const host = `Host/${service.hostname}`;
      const change = field(["virtual_hosts", { named: `${service.hostname}:${port}` }], () => undefined);
      const gone = without(
        healthy,
        (["Envoy", "Istiod"] as const).flatMap((side) => [
          { list: "clusters", name, side },
          { list: "endpoints", name, side },
        ]),
      );
      const finding = (about: string, what: string, on: readonly string[]): Finding => ({
        by: "snapshots",
        about: `${host}: ${about}`,
        what,
        on,
      });
      return {
        mesh: {
          ...pushedTo(gone, "routes", String(port), change, { except: [] }),
          services: healthy.services.filter((other) => other !== service),
        },
        before: healthy,
        findings: [
          finding(`cluster ${name}`, "vanished", all),
          finding(`endpointAssignment ${name}`, "vanished", all),
          // proxies in the service's namespace knew it by its short name too
          ...[inNamespace, elsewhere].map((on) =>
            finding(
              `routeConfiguration ${port}`,
              `changed in virtual_hosts[${service.hostname}:${port}] (removed)`,
              on,
            ),
          ),
        ],
        unseenInBugReport: [],
      };
    },
  },
  {
    name: "pods-replaced",
    about: "snapshots",
    says: "All pods of a workload were replaced and nothing else changed: nothing is to be found.",
    seed: (healthy) => ({
      mesh: again(healthy, { replaced: [replicaOf(healthy, 4).pod.workload.name] }),
      before: healthy,
      findings: [],
      unseenInBugReport: [],
    }),
  },
];

export const driftFaults: readonly DriftFault[] = [
  ...resourceFaults,
  ...fieldFaults,
  ...endpointFaults,
  ...stateFaults,
  ...istiodFaults,
  ...momentFaults,
];
