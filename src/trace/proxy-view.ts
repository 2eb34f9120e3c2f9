/** One proxy of a snapshot as the tracer asks for it: read from its dump piece by piece, and only what a request comes by. */
import { child, children, field, isMessage, number, text, type Message } from "../snapshot/message.js";
import type { Proxy, ReferenceList, Resource, SectionKind, Snapshot } from "../snapshot/model.js";
import { namesIn, v3Bootstrap, v3Content, v3Listener, v3RouteConfiguration } from "../snapshot/v3-content.js";
import { hostSources } from "./cluster/hosts.js";
import type { ProxyClusters } from "./cluster/cluster-resolution.js";
import type { RouteTables } from "./http/route-source.js";
import type { ActiveListener, ActiveListeners } from "./listener/listener-choice.js";
import { newestEnvoy, type EnvoyMinor, type Runtime } from "./match-context.js";
import type { ClientCertificate } from "./request.js";

export interface ProxyView {
  readonly proxy: Proxy;
  readonly envoy: EnvoyMinor;
  /** In force; "not captured" with the reason. */
  readonly listeners: ActiveListeners | { readonly reason: string };
  readonly tables: RouteTables;
  /** All route configurations in force; with a host's name, those that hold it somewhere, and perhaps others. */
  readonly routeConfigurations: (host?: string) => readonly Message[];
  /** When the route configuration in force was loaded, RFC 3339; null where the dump does not say. */
  readonly routesLoaded: (name: string) => string | null;
  /** A `TypedExtensionConfig` of ECDS; undefined: there is none. */
  readonly discovered: (name: string) => Message | undefined | "unknown";
  readonly hasCluster: (name: string) => boolean | "unknown";
  readonly clusters: ProxyClusters;
  readonly runtime: Runtime;
  readonly nodeId: string;
  /** Why it takes no connections, in one sentence; null where it does, as far as is known. */
  readonly notServing: string | null;
  /** What is taken for granted about the proxy as a whole. */
  readonly assumptions: readonly string[];
}

/** Snapshots do not change: many requests through one read its dumps once. */
const viewsOf = new WeakMap<Snapshot, (proxy: Proxy) => ProxyView>();

/** Views of the proxies of a snapshot, each made once. */
export function proxyViews(snapshot: Snapshot): (proxy: Proxy) => ProxyView {
  const known = viewsOf.get(snapshot);
  if (known !== undefined) return known;
  const made = newViews(snapshot);
  viewsOf.set(snapshot, made);
  return made;
}

function newViews(snapshot: Snapshot): (proxy: Proxy) => ProxyView {
  const views = new Map<Proxy, ProxyView>();
  const contents = new Map<string, Message>();
  const read = (resource: Resource): Message => {
    const known = contents.get(resource.hash) ?? contentOf(resource);
    contents.set(resource.hash, known);
    return known;
  };
  return (proxy) => {
    const known = views.get(proxy) ?? viewOf(snapshot, proxy, read);
    views.set(proxy, known);
    return known;
  };
}

type Read = (resource: Resource) => Message;

const contentOf = (resource: Resource): Message =>
  resource.kind === "routeConfiguration"
    ? v3RouteConfiguration(resource, () => v3Content(resource))
    : v3Content(resource);

function viewOf(snapshot: Snapshot, proxy: Proxy, read: Read): ProxyView {
  const version = envoyVersionOf(proxy);
  const bootstrap = bootstrapOf(snapshot, proxy, read);
  const routes = section(proxy, "routeConfiguration");
  const route = heldIn(routes);
  const scopes = section(proxy, "scopedRoutes");
  const clusters = section(proxy, "cluster");
  const cluster = heldIn(clusters);
  const extensions = section(proxy, "extensionConfig");
  const extension = heldIn(extensions);
  const identity = workloadCertificate(snapshot, proxy);
  const runtime = runtimeOf(proxy, bootstrap);
  return {
    proxy,
    envoy: version ?? newestEnvoy,
    listeners: listenersOf(proxy, read),
    tables: {
      routes: (name) => {
        if (routes === null) return "not captured";
        const held = route(name);
        return held === undefined
          ? undefined
          : { configuration: read(held.resource), origin: held.list.at(held.index).origin };
      },
      scopes: (name) =>
        scopes === null
          ? "not captured"
          : inForce(scopes).flatMap(({ resource }) => {
              const set = read(resource);
              const members = children(set, "scoped_route_configs");
              return members.length > 0 ? (text(set, "name") === name ? members : []) : [set];
            }),
    },
    routeConfigurations: routeConfigurationsOf(routes, route, read),
    routesLoaded: (name) => {
      const held = route(name);
      return held === undefined ? null : held.list.at(held.index).lastUpdated;
    },
    discovered: (name) => {
      if (extensions === null) return "unknown";
      const held = extension(name);
      return held === undefined ? undefined : read(held.resource);
    },
    hasCluster: (name) => (clusters === null ? "unknown" : cluster(name) !== undefined),
    clusters: {
      sources: hostSources(proxy),
      cluster: (name) => {
        const held = cluster(name);
        return held === undefined ? undefined : read(held.resource);
      },
      hasLocalCluster: text(child(bootstrap, "cluster_manager"), "local_cluster_name") !== "",
      workload: identity.certificate,
    },
    runtime,
    nodeId: proxy.node.state === "present" ? proxy.node.value.id : "",
    assumptions: [
      ...(version === null
        ? [`The Envoy of ${proxy.id} tells no version: the rules of the newest (1.${newestEnvoy}) are taken.`]
        : []),
      ...runtimeAssumptions(proxy, bootstrap),
      ...identity.assumptions,
    ],
    notServing: whyNotServing(proxy),
  };
}

/** What names a host is searched for before it is read. */
function routeConfigurationsOf(
  routes: ReferenceList | null,
  named: (name: string) => Held | undefined,
  read: Read,
): ProxyView["routeConfigurations"] {
  if (routes === null) return () => [];
  let held: readonly Held[] | null = null;
  const all = (): readonly Held[] => (held ??= ofEachName(inForce(routes)));
  const searches = new Map<Resource, (host: string) => boolean>();
  const hasName = (host: string, { resource }: Held): boolean => {
    const has = searches.get(resource) ?? namesIn(resource);
    searches.set(resource, has);
    return has(host);
  };
  return (host) => {
    const some =
      host === undefined
        ? all()
        : routes.mentioning === undefined
          ? all().filter((one) => hasName(host, one))
          : inForce(routes.mentioning(host)).filter((one) => isHeld(one, named));
    return some.map(({ resource }) => read(resource));
  };
}

/** Listeners have their sockets, but nobody takes connections before Envoy has started its workers. */
function whyNotServing({ id, serverInfo }: Proxy): string | null {
  const state = serverInfo.state === "present" ? serverInfo.value.state : "LIVE";
  return state === "INITIALIZING" || state === "PRE_INITIALIZING"
    ? `the Envoy of ${id} takes no connections yet: its state is ${state}`
    : null;
}

/** The minor release by `server_info`, else by the node. */
function envoyVersionOf({ serverInfo, node }: Proxy): EnvoyMinor | null {
  const told = [
    serverInfo.state === "present" ? (serverInfo.value.parts?.version ?? serverInfo.value.version) : null,
    node.state === "present" ? node.value.envoyVersion : null,
  ];
  const [minor] = told.flatMap((version) => /^1\.(\d{1,4})(?!\d)/.exec(version ?? "")?.[1] ?? []);
  return minor === undefined ? null : Number(minor);
}

const section = (proxy: Proxy, kind: SectionKind): ReferenceList | null => {
  const list = proxy.config[kind];
  return list.state === "absent" ? null : list.value;
};

interface Held {
  readonly list: ReferenceList;
  readonly index: number;
  readonly resource: Resource;
}

/** Neither warming, nor draining, nor refused. */
function inForce(list: ReferenceList): Held[] {
  const held: Held[] = [];
  for (let index = 0; index < list.length; index++) {
    const state = list.state(index);
    const resource = state === "active" || state === "unknown" ? list.resource(index) : null;
    if (resource !== null) held.push({ list, index, resource });
  }
  return held;
}

/** Whether it is the one that counts of all with its name. */
function isHeld({ list, index }: Held, named: (name: string) => Held | undefined): boolean {
  const { name, origin } = list.at(index);
  const held = named(name);
  return held?.list.at(held.index).origin.pointer === origin.pointer;
}

/** What is in force under a name; each is looked up once. */
function heldIn(list: ReferenceList | null): (name: string) => Held | undefined {
  const known = new Map<string, Held | undefined>();
  return (name) => {
    if (list === null || known.has(name)) return known.get(name);
    const [held] = ofEachName(inForce(list.named(name)));
    known.set(name, held);
    return held;
  };
}

/** Of two of one name the one that came by xDS counts. */
function ofEachName(all: readonly Held[]): Held[] {
  const named = new Map<string, Held>();
  for (const held of all) {
    const name = held.list.name(held.index);
    const known = named.get(name);
    if (known === undefined || known.list.source(known.index) === "static") named.set(name, held);
  }
  return [...named.values()];
}

function listenersOf(proxy: Proxy, read: Read): ProxyView["listeners"] {
  const list = proxy.config.listener;
  if (list.state === "absent") return { reason: list.reason };
  const { value } = list;
  const known = new Map<Resource, ActiveListener>();
  const listener = ({ resource }: Held): ActiveListener => {
    const one = known.get(resource) ?? {
      name: resource.name,
      message: v3Listener(resource, () => read(resource)),
    };
    known.set(resource, one);
    return one;
  };
  const active = (some: ReferenceList): ActiveListener[] => inForce(some).map(listener);
  let all: readonly ActiveListener[] | null = null;
  return {
    *[Symbol.iterator]() {
      yield* (all ??= active(value));
    },
    ...(value.mentioning !== undefined && {
      ofPort: (port) => active(value.mentioning?.(String(port)) ?? value),
      named: (name) => active(value.mentioning?.(name) ?? value),
    }),
  };
}

function bootstrapOf(snapshot: Snapshot, { bootstrap }: Proxy, read: Read): Message | undefined {
  const resource = bootstrap.state === "present" ? snapshot.resources.get(bootstrap.value.hash) : undefined;
  return resource === undefined ? undefined : v3Bootstrap(resource, () => read(resource));
}

/** What `/runtime` says, which has all layers; without it the static layers of the bootstrap. */
function runtimeOf({ runtime }: Proxy, bootstrap: Message | undefined): Runtime {
  const configured = layerValues(bootstrap);
  if (runtime.state === "absent") return { value: (key) => configured.get(key) };
  const { values } = runtime.value;
  return {
    value: (key) => {
      const value = values.get(key);
      // of a message `/runtime` prints the debug text
      return value?.startsWith("fields") === true ? configured.get(key) : value;
    },
  };
}

/** The last layer that has a key wins; dots in keys may be nesting (`Runtime` proto). */
function layerValues(bootstrap: Message | undefined): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>();
  for (const layer of runtimeLayers(bootstrap)) flatten(child(layer, "static_layer") ?? {}, "", values);
  return values;
}

const runtimeLayers = (bootstrap: Message | undefined): Message[] =>
  children(child(bootstrap, "layered_runtime"), "layers");

function runtimeAssumptions({ id, runtime }: Proxy, bootstrap: Message | undefined): string[] {
  if (runtime.state === "present") return [];
  if (bootstrap === undefined)
    return [`No runtime key of ${id} is set: neither its /runtime nor its bootstrap was captured.`];
  return runtimeLayers(bootstrap).some((layer) => field(layer, "rtds_layer") !== undefined)
    ? [`The runtime of ${id} is that of its bootstrap: what it gets by RTDS was not captured.`]
    : [];
}

function flatten(layer: Message, prefix: string, values: Map<string, unknown>): void {
  for (const key of Object.keys(layer)) {
    const value = field(layer, key);
    if (isMessage(value) && number(value, "numerator") === undefined)
      flatten(value, `${prefix}${key}.`, values);
    else values.set(prefix + key, value);
  }
}

const defaultTrustDomain = "cluster.local";

/** `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` (Istio, pkg/spiffe). */
function workloadCertificate(
  { istiods }: Snapshot,
  { id, node, namespace }: Proxy,
): { readonly certificate: ClientCertificate | "unknown"; readonly assumptions: readonly string[] } {
  const account = node.state === "present" ? node.value.metadata["SERVICE_ACCOUNT"] : undefined;
  if (typeof account !== "string" || account === "" || namespace === "")
    return { certificate: "unknown", assumptions: [] };
  const [told] = istiods.flatMap(({ mesh }) =>
    mesh.state === "present" ? [text(mesh.value.config, "trustDomain")] : [],
  );
  const domain = told === undefined || told === "" ? defaultTrustDomain : told;
  return {
    certificate: {
      uriSans: [`spiffe://${domain}/ns/${namespace}/sa/${account}`],
      dnsSans: [],
      subject: "",
      isValidated: true,
    },
    assumptions:
      domain === told
        ? []
        : [`The trust domain of ${id} is taken to be ${defaultTrustDomain}: no mesh configuration tells it.`],
  };
}
