/**
 * The tables of `proxy-config` for the report. Replicas share nearly all that they hold, so each distinct resource is
 * read and drawn once, and a proxy has the numbers of those that it holds.
 */
import { child, children, contentOf, text, type Message } from "../snapshot/message.js";
import type {
  Collected,
  ReferenceList,
  Resource,
  ResourceReference,
  ResourceState,
  Snapshot,
} from "../snapshot/model.js";
import { withNamed } from "../snapshot/reference-list.js";
import { clusterView, enumName, jsonOf } from "../views/clusters.js";
import { ecdsView } from "../views/ecds.js";
import { edsView } from "../views/endpoints.js";
import { filterChains, filterConfig, httpManagerOf, listenerView } from "../views/listeners.js";
import { routeView } from "../views/routes.js";
import { secretView } from "../views/secrets.js";
import { newestIstioctl, type View } from "../views/view.js";
import type { ConfigKind, ConfigResource, HeldConfig, ReportDocument } from "./document.js";

interface TableKind {
  readonly kind: ConfigKind;
  readonly label: string;
  readonly view: (section: ReferenceList, snapshot: Snapshot) => View;
  readonly refersTo: (content: Message) => Partial<ConfigResource["refersTo"]>;
}

const istioctl = newestIstioctl;

const tableKinds: readonly TableKind[] = [
  {
    kind: "listener",
    label: "Listeners",
    view: (section) => listenerView(section, {}, { istioctl, verbose: true }),
    refersTo: listenerRefersTo,
  },
  {
    kind: "routeConfiguration",
    label: "Routes",
    view: (section) => routeView(section, {}, { istioctl, verbose: true }),
    refersTo: (content) => ({ clusters: clustersOfRoutes(content) }),
  },
  {
    kind: "cluster",
    label: "Clusters",
    view: (section) => clusterView(section, {}, { istioctl }),
    refersTo: clusterRefersTo,
  },
  {
    kind: "endpointAssignment",
    label: "Endpoints",
    view: (section) => edsView(section, {}, { istioctl }),
    refersTo: (content) => ({ clusters: [text(content, "cluster_name")] }),
  },
  {
    kind: "secret",
    label: "Secrets",
    view: (section, { captureTime, certificates }) =>
      secretView(section, { istioctl, at: captureTime?.value ?? null, certificates }),
    refersTo: () => ({}),
  },
  {
    kind: "extensionConfig",
    label: "Extension configurations",
    view: (section) => ecdsView(section, { istioctl }),
    refersTo: () => ({}),
  },
];

/** The report of a snapshot with what its proxies hold; `report` is that of the same snapshot. */
export function withConfig(report: ReportDocument, snapshot: Snapshot): ReportDocument {
  const held: Partial<Record<ConfigKind, HeldConfig>>[] = report.proxies.map(() => ({}));
  const kinds = tableKinds.map((table) => {
    const sections = snapshot.proxies.map(({ config }) => config[table.kind]);
    const { resources, ofSections } = tableOf(table, sections, snapshot);
    for (const [at, own] of ofSections.entries()) Object.assign(held[at] ?? {}, { [table.kind]: own });
    const { header } = resources;
    return { kind: table.kind, label: table.label, header, resources: resources.items };
  });
  return {
    ...report,
    config: { kinds },
    proxies: report.proxies.map((proxy, at) => ({ ...proxy, config: held[at] ?? {} })),
  };
}

/** What the distinct references of a kind have of their own; state and time are the proxies'. */
interface Distinct {
  readonly name: string;
  readonly source: ResourceReference["source"];
  readonly resource: Resource | null;
}

/** Envoy dumps equal inbound routes of several listeners once for each. */
interface HeldState {
  readonly state: ResourceState;
  times: number;
}

function tableOf(
  table: TableKind,
  sections: readonly Collected<ReferenceList>[],
  snapshot: Snapshot,
): {
  readonly resources: { readonly header: string[]; readonly items: ConfigResource[] };
  readonly ofSections: readonly HeldConfig[];
} {
  const all: Distinct[] = [];
  const known = new Map<string, number>();
  const states = sections.map((section) =>
    section.state === "absent" ? section : statesIn(section.value, all, known),
  );
  const list = listOf(table.kind, all);
  const view = table.view(list, snapshot);
  const rows = new Map<number, string[][]>();
  for (const [at, row] of view.rows.entries()) {
    const index = Number(/^\/(\d+)/.exec(view.origins[at]?.pointer ?? "")?.[1]);
    const own = rows.get(index);
    if (own === undefined) rows.set(index, [[...row]]);
    else own.push([...row]);
  }
  // the view's order; then those of which the view shows nothing, such as assignments without endpoints
  const order = [...new Set([...rows.keys(), ...all.keys()])];
  const places = new Uint32Array(all.length);
  for (const [place, index] of order.entries()) places[index] = place;
  return {
    resources: {
      header: [...view.header],
      items: order.map((index) =>
        resourceOf(table, list.at(index), list.resource(index), rows.get(index) ?? []),
      ),
    },
    ofSections: states.map((own) => (own instanceof Map ? heldOf(own, places) : { reason: own.reason })),
  };
}

/** The states of what a section holds, by number, one for each time that it holds it; what is new to `all` is put there. */
function statesIn(
  section: ReferenceList,
  all: Distinct[],
  known: Map<string, number>,
): Map<number, HeldState> {
  const states = new Map<number, HeldState>();
  for (let at = 0; at < section.length; at++) {
    const { name, hash, source, state } = section.at(at);
    if (hash === null && state === "rejected") continue; // nothing but an error: a notice says it
    const key = `${hash ?? ""} ${source} ${name}`;
    let index = known.get(key);
    if (index === undefined) {
      index = all.push({ name, source, resource: section.resource(at) }) - 1;
      known.set(key, index);
    }
    const own = states.get(index);
    if (own?.state === state) own.times++;
    else if (own?.state !== "active") states.set(index, { state, times: 1 });
  }
  return states;
}

function heldOf(states: ReadonlyMap<number, HeldState>, places: Uint32Array): HeldConfig {
  const indexes: number[] = [];
  const others: Record<string, string> = {};
  for (const [index, { state, times }] of states) {
    const place = places[index] ?? 0;
    for (let time = 0; time < times; time++) indexes.push(place);
    if (state !== "active") others[place] = state;
  }
  return { indexes: indexes.sort((a, b) => a - b), states: others };
}

/** The distinct ones as one section, in which the pointer of each is its number. */
function listOf(kind: ConfigKind, all: readonly Distinct[]): ReferenceList {
  const at = (index: number): ResourceReference => {
    const distinct = all[index];
    if (distinct === undefined) throw new RangeError(`no reference ${index} of ${all.length}`);
    return {
      kind,
      name: distinct.name,
      hash: distinct.resource?.hash ?? null,
      source: distinct.source,
      state: "active",
      versionInfo: "",
      lastUpdated: null,
      rejection: null,
      origin: { entry: "", pointer: `/${index}` },
    };
  };
  return withNamed({
    length: all.length,
    at,
    resource: (index) => all[index]?.resource ?? null,
    name: (index) => at(index).name,
    source: (index) => at(index).source,
    state: (index) => at(index).state,
    *[Symbol.iterator]() {
      for (let index = 0; index < all.length; index++) yield at(index);
    },
  });
}

function resourceOf(
  table: TableKind,
  reference: ResourceReference,
  resource: Resource | null,
  rows: string[][],
): ConfigResource {
  const { name } = reference;
  const none = { routes: [], clusters: [], endpoints: [] };
  if (resource === null) return { name, rows, json: null, refersTo: none };
  return {
    name,
    rows,
    /** Read when it is written: all of them at once are many times the size of their text. */
    get json() {
      return jsonOf({ reference, resource, content: contentOf(resource) })[0] ?? null;
    },
    refersTo: { ...none, ...table.refersTo(contentOf(resource)) },
  };
}

// Where a resource leads

const distinctNames = (names: readonly string[]): string[] => [
  ...new Set(names.filter((name) => name !== "")),
];

const tcpProxies = ["envoy.filters.network.tcp_proxy", "envoy.tcp_proxy"];
const tcpProxyType = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";

function listenerRefersTo(listener: Message): Partial<ConfigResource["refersTo"]> {
  const last = child(listener, "default_filter_chain");
  const chains = [
    ...filterChains(listener).map(({ message }) => message),
    ...(last === undefined ? [] : [last]),
  ];
  const routes: string[] = [];
  const clusters: string[] = [];
  for (const filter of chains.flatMap((chain) => children(chain, "filters"))) {
    const manager = httpManagerOf(filter);
    if (manager !== null) {
      routes.push(text(child(manager, "rds"), "route_config_name"));
      for (const name of clustersOfRoutes(child(manager, "route_config"))) clusters.push(name);
    } else if (tcpProxies.includes(text(filter, "name"))) {
      for (const name of clustersOfAction(filterConfig(filter, tcpProxyType))) clusters.push(name);
    }
  }
  return { routes: distinctNames(routes), clusters: distinctNames(clusters) };
}

function clustersOfRoutes(configuration: Message | undefined): string[] {
  if (configuration === undefined) return [];
  const hosts = children(configuration, "virtual_hosts");
  const actions = hosts.flatMap((host) =>
    children(host, "routes").map((route): Message => child(route, "route") ?? {}),
  );
  return distinctNames([...actions, ...hosts, configuration].flatMap(clustersOfAction));
}

/** The clusters that a route's action or a TCP proxy names: one, weighted ones, mirrors. */
function clustersOfAction(action: Message): string[] {
  return [
    text(action, "cluster"),
    ...children(child(action, "weighted_clusters"), "clusters").map((weighted) => text(weighted, "name")),
    ...[
      ...children(action, "request_mirror_policies"),
      ...[child(action, "request_mirror_policy") ?? {}], // up to Envoy 1.13
    ].map((mirror) => text(mirror, "cluster")),
  ];
}

function clusterRefersTo(cluster: Message): Partial<ConfigResource["refersTo"]> {
  const eds = child(cluster, "eds_cluster_config");
  if (eds === undefined && enumName(cluster["type"], ["STATIC"]) !== "EDS") return {};
  const service = text(eds, "service_name");
  return { endpoints: distinctNames([service === "" ? text(cluster, "name") : service]) };
}
