/**
 * Meshes in which proxies hold different things, or write the same thing differently, and all is well: what a comparison
 * must know not to call a fault.
 */
import { configPath, outboundCluster, outboundName } from "./clusters.js";
import {
  editedResource,
  edited,
  nameOf,
  once,
  withNewResource,
  withProxies,
  withResource,
  type Side,
} from "./edits.js";
import {
  addressesOf,
  liveAssignment,
  sentAssignment,
  socketAddress,
  type EndpointAddress,
} from "./endpoints.js";
import { applyFaults } from "./faults.js";
import { isObject, shared, textOf, type Json, type JsonObject } from "./json.js";
import { listenerType } from "./listeners.js";
import type { Mesh, MeshProxy, MeshService } from "./model.js";
import { randomFor } from "./random.js";
import { atLeast } from "./release.js";
import { podsBehind } from "./topology.js";

export type Variant = (mesh: Mesh) => Mesh;

const sides: readonly Side[] = ["Envoy", "Istiod"];
const listIn = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : [];

/** The resources of every proxy's endpoints, each distinct one changed once. */
function withEndpoints(
  mesh: Mesh,
  sidesChanged: readonly Side[],
  change: (assignment: JsonObject, proxy: MeshProxy) => JsonObject,
): Mesh {
  return withProxies(
    mesh,
    () => true,
    (proxy) => ({
      ...proxy,
      config: sidesChanged.includes("Envoy")
        ? {
            ...proxy.config,
            endpoints: proxy.config.endpoints.map((assignment) => change(assignment, proxy)),
          }
        : proxy.config,
      desired: sidesChanged.includes("Istiod")
        ? {
            ...proxy.desired,
            endpoints: proxy.desired.endpoints.map((assignment) => change(assignment, proxy)),
          }
        : proxy.desired,
    }),
  );
}

const withLocalities = (assignment: JsonObject, change: (locality: JsonObject) => JsonObject): JsonObject =>
  assignment["endpoints"] === undefined
    ? assignment
    : editedResource(assignment, ["endpoints"], (old) =>
        listIn(old).map((locality) => (isObject(locality) ? change(locality) : locality)),
      );

const zoneOf = (locality: JsonObject): string => {
  const own = locality["locality"];
  return isObject(own) ? textOf(own, "zone") : "";
};

/** Every proxy prefers its own zone (a DestinationRule with outlier detection). */
export const failover: Variant = (mesh) => {
  const byZone = new Map<string, (assignment: JsonObject) => JsonObject>();
  return withEndpoints(mesh, sides, (assignment, { pod }) => {
    const change =
      byZone.get(pod.zone) ??
      once((whole) =>
        withLocalities(whole, (locality) =>
          zoneOf(locality) === pod.zone ? locality : { ...locality, priority: 1 },
        ),
      );
    byZone.set(pod.zone, change);
    return change(assignment);
  });
};

/** Envoy prints the weights of localities that it was sent, as 1.36 does. */
export const localityWeights: Variant = (mesh) => {
  const change = once((whole) =>
    withLocalities(whole, (locality) =>
      zoneOf(locality) === ""
        ? locality
        : { ...locality, load_balancing_weight: listIn(locality["lb_endpoints"]).length },
    ),
  );
  return withEndpoints(mesh, ["Envoy"], change);
};

/** Envoy's maps have an order of their own. */
export const otherOrder: Variant = (mesh) => {
  const random = randomFor(mesh.options.seed, "another order");
  const hosts = once((assignment) =>
    withLocalities(assignment, (locality) => ({
      ...locality,
      lb_endpoints: [...listIn(locality["lb_endpoints"])].reverse(),
    })),
  );
  const routes = once((resource) =>
    editedResource(resource, ["virtual_hosts"], (old) => [...listIn(old)].reverse()),
  );
  return withProxies(
    mesh,
    () => true,
    (proxy) => {
      const { config } = proxy;
      return {
        ...proxy,
        config: {
          ...config,
          clusters: { ...config.clusters, resources: random.shuffle(config.clusters.resources) },
          endpoints: random.shuffle(config.endpoints.map(hosts)),
          listeners: random.shuffle(config.listeners),
          routes: { ...config.routes, resources: config.routes.resources.map(routes) },
        },
      };
    },
  );
};

/** One client found a host unhealthy, which Istiod does not know. */
export const ejectedHost: Variant = (mesh) => {
  const victim = mesh.proxies.at(-1);
  const name = victim?.config.endpoints.find((assignment) => assignment["endpoints"] !== undefined);
  if (victim === undefined || name === undefined) return mesh;
  return withResource(
    mesh,
    { list: "endpoints", name: nameOf(name), side: "Envoy", proxies: ({ id }) => id === victim.id },
    (assignment) =>
      shared(
        editedResource(assignment, ["endpoints", 0, "lb_endpoints", 0, "health_status"], () => "UNHEALTHY"),
      ),
  );
};

/** A service of the mesh whose pods are replicas of one workload, with proxies. */
const meshedService = (mesh: Mesh): MeshService | undefined =>
  mesh.services.find((service) => {
    const [first, ...others] = podsBehind(service, mesh.pods);
    return (
      first?.workload.proxyType === "sidecar" &&
      others.length > 1 &&
      others.every(({ workload }) => workload === first.workload)
    );
  });

/** A headless service of TCP: a listener for each of its pods in all proxies, but for the pod's own in its own. */
export const headlessService: Variant = (mesh) => {
  const service = meshedService(mesh);
  if (service === undefined) return mesh;
  return podsBehind(service, mesh.pods).reduce((current, { ip }) => {
    const listener = shared({
      "@type": listenerType,
      name: `${ip}_3306`,
      address: socketAddress(ip, 3306),
      filter_chains: [
        {
          filters: [
            {
              name: "envoy.filters.network.tcp_proxy",
              typed_config: {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                stat_prefix: "PassthroughCluster",
                cluster: "PassthroughCluster",
              },
            },
          ],
        },
      ],
      traffic_direction: "OUTBOUND",
      bind_to_port: false,
    });
    return sides.reduce(
      (changed, side) =>
        withNewResource(
          changed,
          {
            list: "listeners",
            name: nameOf(listener),
            side,
            proxies: ({ type, pod }) => type === "sidecar" && pod.ip !== ip,
          },
          listener,
        ),
      current,
    );
  }, mesh);
};

/** A rollout is on its way: the last replica of a workload has another label and so another tag in its listeners. */
export const rollout: Variant = (mesh) => {
  const service = meshedService(mesh);
  const pods = service === undefined ? [] : podsBehind(service, mesh.pods);
  const newest = mesh.proxies.find(({ pod }) => pod === pods.at(-1));
  if (newest === undefined) return mesh;
  const proxies = ({ id }: MeshProxy): boolean => id === newest.id;
  const labelled = withProxies(mesh, proxies, (proxy) => ({
    ...proxy,
    config: {
      ...proxy.config,
      bootstrap: editedResource(
        proxy.config.bootstrap,
        ["node", "metadata", "LABELS", "version"],
        () => "v2",
      ),
    },
  }));
  const tags = [
    "filter_chains",
    0,
    "filters",
    0,
    "typed_config",
    "tracing",
    "custom_tags",
    0,
    "literal",
    "value",
  ];
  return sides.reduce(
    (current, side) =>
      withResource(current, { list: "listeners", name: "0.0.0.0_9080", side, proxies }, (listener) =>
        shared(editedResource(listener, tags, () => "v2")),
      ),
    labelled,
  );
};

/** Further clusters, with the endpoints that each proxy is to have. */
function withClusters(
  mesh: Mesh,
  made: readonly {
    readonly cluster: JsonObject;
    readonly sent: JsonObject | null;
    readonly live: (proxy: MeshProxy) => JsonObject;
    readonly proxies: (proxy: MeshProxy) => boolean;
  }[],
): Mesh {
  return made.reduce((current, { cluster, sent, live, proxies }) => {
    const place = { name: nameOf(cluster), proxies };
    const clusters = sides.reduce(
      (changed, side) => withNewResource(changed, { ...place, list: "clusters", side }, cluster),
      current,
    );
    const withSent =
      sent === null
        ? clusters
        : withNewResource(clusters, { ...place, list: "endpoints", side: "Istiod" }, sent);
    return withProxies(withSent, proxies, (proxy) => ({
      ...proxy,
      config: { ...proxy.config, endpoints: [...proxy.config.endpoints, live(proxy)] },
    }));
  }, mesh);
}

const port = { name: "https", port: 443, targetPort: 443, protocol: "tcp" } as const;

const externalHost = (namespace: string): MeshService => ({
  name: "shop",
  namespace,
  hostname: "shop.example.com",
  clusterIp: "240.240.0.7",
  ports: [port],
  selector: {},
  handMadeEndpoints: [],
  subsets: [],
  weights: [],
  serviceAccounts: [],
});

const at = (address: string): EndpointAddress => ({ address, port: 443, zone: "", pod: null });

/** Two namespaces have ServiceEntries of one host, each for itself, with addresses of their own. */
export const hostOfTwoNamespaces: Variant = (mesh) => {
  const isFirst = ({ pod }: MeshProxy): boolean => pod.namespace === "team-0";
  const services = [true, false].map((first) => ({
    ...externalHost(first ? "team-0" : "istio-system"),
    handMadeEndpoints: [first ? "203.0.113.10" : "203.0.113.20"],
  }));
  const known = { ...mesh, serviceEntries: [...(mesh.serviceEntries ?? []), ...services] };
  return withClusters(
    known,
    services.map((service, index) => {
      const first = index === 0;
      const name = outboundName(service, port.port);
      const addresses = service.handMadeEndpoints.map(at);
      const live = liveAssignment(name, addresses);
      return {
        cluster: outboundCluster(service, port, "", mesh.options.istioVersion),
        sent: sentAssignment(name, addresses),
        live: () => live,
        proxies: (proxy: MeshProxy) => isFirst(proxy) === first,
      };
    }),
  );
};

/** A host that every proxy looks up for itself. */
export const dnsHost: Variant = (mesh) => {
  const service = { ...externalHost("team-0"), name: "bank", hostname: "bank.example.com" };
  const name = outboundName(service, port.port);
  const eds = outboundCluster(service, port, "", mesh.options.istioVersion);
  const cluster = shared({
    ...Object.fromEntries(Object.entries(eds).filter(([key]) => key !== "eds_cluster_config")),
    type: "STRICT_DNS",
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress("bank.example.com", 443) } }] }],
    },
  });
  const found = [1, 2, 3].map((last) => liveAssignment(name, [at(`198.51.100.${last}`)]));
  const random = randomFor(mesh.options.seed, "DNS");
  return withClusters(mesh, [{ cluster, sent: null, live: () => random.pick(found), proxies: () => true }]);
};

/** Two networks: whoever is in the west reaches the pods of the east through a gateway. */
export const twoNetworks: Variant = (mesh) => {
  const isWest = ({ pod }: MeshProxy): boolean => /[13579]$/.test(pod.namespace);
  const change = once((assignment) =>
    withLocalities(assignment, (locality) => ({
      ...locality,
      lb_endpoints: listIn(locality["lb_endpoints"])
        .slice(0, 1)
        .map((host) => edited(host, ["endpoint", "address"], () => socketAddress("203.0.113.99", 15443))),
      ...(locality["load_balancing_weight"] === undefined ? {} : { load_balancing_weight: 1 }),
    })),
  );
  const moved = withProxies(
    { ...mesh, network: "east" },
    () => true,
    (proxy) => ({
      ...proxy,
      config: {
        ...proxy.config,
        bootstrap: editedResource(proxy.config.bootstrap, ["node", "metadata", "NETWORK"], () =>
          isWest(proxy) ? "west" : "east",
        ),
      },
    }),
  );
  return withEndpoints(moved, sides, (assignment, proxy) =>
    isWest(proxy) && nameOf(assignment).startsWith("outbound") ? change(assignment) : assignment,
  );
};

/** The agent fetched a Wasm module and gave Envoy the file instead of the URL. */
export const wasmModule: Variant = (mesh) => {
  const name = "default.auth.wasm";
  const plugin = (code: JsonObject): JsonObject =>
    shared({
      "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
      name,
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        config: { name, vm_config: { runtime: "envoy.wasm.runtime.v8", code } },
      },
    });
  const sent = plugin({
    remote: {
      http_uri: { uri: "oci://registry.example.com/auth:1", cluster: "_", timeout: "30s" },
      sha256: "0f3b5e",
    },
  });
  const held = plugin({ local: { filename: "/var/lib/istio/data/0f3b5e.wasm" } });
  const place = { list: "extensions", name } as const;
  return withNewResource(
    withNewResource(mesh, { ...place, side: "Istiod" }, sent),
    { ...place, side: "Envoy" },
    held,
  );
};

/** One replica of a workload is of an older release, which is told other things. */
export const canary: Variant = (mesh) => {
  const service = meshedService(mesh);
  const pods = service === undefined ? [] : podsBehind(service, mesh.pods);
  const victim = mesh.proxies.find(({ pod }) => pod === pods.at(-1));
  if (victim === undefined) return mesh;
  const { mesh: skewed } = applyFaults(mesh, [{ fault: "version-skew", proxy: victim.id }]);
  return sides.reduce(
    (current, side) =>
      withResource(
        current,
        { list: "listeners", name: "virtualInbound", side, proxies: ({ id }) => id === victim.id },
        (listener) => shared({ ...listener, listener_filters_timeout: "5s" }),
      ),
    skewed,
  );
};

/** A capture in which much went wrong, of a mesh in which nothing is. */
export const partlyCaptured: Variant = (mesh) =>
  applyFaults(mesh, [
    "dump-truncated",
    "dump-error-text",
    "no-eds",
    "listed-not-captured",
    "missing-server-info",
    "missing-from-syncz",
    "draining-listener",
    "stuck",
  ]).mesh;

/** Addresses without those that some service's own pods have, so that a subset is empty. */
export const emptySubset: Variant = (mesh) => {
  const service = meshedService(mesh);
  const [servicePort] = service?.ports ?? [];
  if (service === undefined || servicePort === undefined) return mesh;
  const withSubset = { ...service, subsets: [{ name: "v9", labels: { version: "v9" } }] };
  const name = outboundName(withSubset, servicePort.port, "v9");
  const addresses = addressesOf(withSubset, servicePort, "v9", mesh.pods);
  const live = liveAssignment(name, addresses);
  return withClusters(mesh, [
    {
      cluster: outboundCluster(withSubset, servicePort, "v9", mesh.options.istioVersion),
      sent: sentAssignment(name, addresses),
      live: () => live,
      proxies: () => true,
    },
  ]);
};

/** A service with `internalTrafficPolicy: Local`: each client has its pods on the client's own node, if any. */
export const nodeLocalService: Variant = (mesh) => {
  const service = meshedService(mesh);
  if (service === undefined || !atLeast(mesh.options.istioVersion, "1.17")) return mesh;
  const nodes = new Map(mesh.pods.map(({ ip, node }) => [ip, node]));
  const byNode = new Map<string, (assignment: JsonObject) => JsonObject>();
  const local = {
    ...mesh,
    services: mesh.services.map((other) => (other === service ? { ...other, isNodeLocal: true } : other)),
  };
  return withEndpoints(local, sides, (assignment, { pod }) => {
    if (!nameOf(assignment).startsWith("outbound") || !nameOf(assignment).endsWith(`|${service.hostname}`))
      return assignment;
    const change =
      byNode.get(pod.node) ?? once((whole) => withHosts(whole, (ip) => nodes.get(ip) === pod.node));
    byNode.set(pod.node, change);
    return change(assignment);
  });
};

/** The zones of clients get the pods of their own zone only (`distribute` in a DestinationRule). */
export const distributedLocalities: Variant = (mesh) => {
  const service = meshedService(mesh);
  if (service === undefined) return mesh;
  const zones = new Map(mesh.pods.map(({ ip, zone }) => [ip, zone]));
  const isOwn = (resource: JsonObject): boolean =>
    nameOf(resource).startsWith("outbound") && nameOf(resource).endsWith(`|${service.hostname}`);
  const weighted = once((cluster) => ({
    ...cluster,
    common_lb_config: { locality_weighted_lb_config: {} },
    metadata: edited(cluster["metadata"] ?? {}, ["filter_metadata", "istio", "config"], () =>
      configPath("destination-rule", service.namespace, service.name),
    ),
  }));
  const ruled = mesh.proxies.flatMap(({ config }) => config.clusters.resources.filter(isOwn).map(nameOf));
  const clusters = [...new Set(ruled)].reduce(
    (current, name) =>
      sides.reduce(
        (changed, side) => withResource(changed, { list: "clusters", name, side }, weighted),
        current,
      ),
    mesh,
  );
  const byZone = new Map<string, (assignment: JsonObject) => JsonObject>();
  return withEndpoints(clusters, sides, (assignment, { pod }) => {
    if (!isOwn(assignment)) return assignment;
    const change =
      byZone.get(pod.zone) ?? once((whole) => withHosts(whole, (ip) => zones.get(ip) === pod.zone));
    byZone.set(pod.zone, change);
    return change(assignment);
  });
};

/** The hosts of which the address is wanted; a locality without any is left out, as Envoy prints it. */
function withHosts(assignment: JsonObject, isWanted: (ip: string) => boolean): JsonObject {
  if (assignment["endpoints"] === undefined) return assignment;
  const left = listIn(assignment["endpoints"]).flatMap((locality) => {
    if (!isObject(locality)) return [];
    const hosts = listIn(locality["lb_endpoints"]).filter((host) => isWanted(ipOf(host)));
    if (hosts.length === 0) return [];
    const weight =
      locality["load_balancing_weight"] === undefined ? {} : { load_balancing_weight: hosts.length };
    return [{ ...locality, lb_endpoints: hosts, ...weight }];
  });
  return editedResource(assignment, ["endpoints"], () => (left.length === 0 ? undefined : left));
}

function ipOf(host: Json): string {
  const step = (value: Json | undefined, key: string): Json | undefined =>
    isObject(value) ? value[key] : undefined;
  const socket = ["endpoint", "address", "socket_address"].reduce<Json | undefined>(step, host);
  return isObject(socket) ? textOf(socket, "address") : "";
}

export const variants = {
  failover,
  localityWeights,
  otherOrder,
  ejectedHost,
  headlessService,
  rollout,
  hostOfTwoNamespaces,
  dnsHost,
  twoNetworks,
  wasmModule,
  canary,
  partlyCaptured,
  emptySubset,
  nodeLocalService,
  distributedLocalities,
} as const satisfies Readonly<Record<string, Variant>>;
