/** Small meshes for the comparisons: what each proxy holds and what each Istiod would send it. */
import type { EndpointShards } from "../../src/snapshot/parse/istiod-debug.js";
import { readConfigDump, type ConfigDump } from "../../src/snapshot/parse/config-dump.js";
import {
  present,
  type Istiod,
  type Problem,
  type Proxy,
  type Snapshot,
  type SyncState,
} from "../../src/snapshot/model.js";
import { aProxy, aResource, aSection, aSnapshot, aStore, anIstiod, bytesOf } from "./builders.js";

type Fields = Readonly<Record<string, unknown>>;

/** Resources of one dump; a text is the dump itself. */
export interface Held {
  readonly clusters?: readonly Fields[];
  readonly listeners?: readonly Fields[];
  readonly routes?: readonly Fields[];
  readonly endpoints?: readonly Fields[];
  readonly secrets?: readonly Fields[];
  readonly extensions?: readonly Fields[];
  /** Further elements of lists, as they stand in a dump: `{ dynamic_warming_clusters: [...] }`. */
  readonly more?: Readonly<Record<string, Fields>>;
  /** RFC 3339, of every resource. */
  readonly lastUpdated?: string;
  /** Of the bootstrap, for a dump that is read from a file. */
  readonly node?: Fields;
}

/** A dump with every section that an Envoy of today writes. */
export function dumpOf(held: Held): string {
  const { clusters = [], listeners = [], routes = [], endpoints = [], secrets = [], extensions = [] } = held;
  const more = (section: string): Fields => held.more?.[section] ?? {};
  const time = held.lastUpdated === undefined ? {} : { last_updated: held.lastUpdated };
  const each = (key: string, list: readonly Fields[]): Fields[] =>
    list.map((resource) => ({ [key]: resource, ...time }));
  const named = (elements: readonly Fields[]): Fields[] =>
    elements.map((element) => ({ name: (element["secret"] as Fields)["name"], ...element }));
  const wrapped = listeners.map((listener) => ({
    name: listener["name"],
    active_state: { listener, ...time },
  }));
  const list = (section: string, name: string, items: readonly unknown[]): Fields => ({
    ...more(section),
    [name]: [...items, ...((more(section)[name] as readonly unknown[] | undefined) ?? [])],
  });
  return JSON.stringify({
    configs: [
      ...(held.node === undefined ? [] : [aSection("Bootstrap", { bootstrap: { node: held.node } })]),
      aSection("Clusters", list("Clusters", "dynamic_active_clusters", each("cluster", clusters))),
      aSection("Listeners", list("Listeners", "dynamic_listeners", wrapped)),
      aSection("Routes", list("Routes", "dynamic_route_configs", each("route_config", routes))),
      aSection(
        "Endpoints",
        list("Endpoints", "dynamic_endpoint_configs", each("endpoint_config", endpoints)),
      ),
      aSection("Secrets", list("Secrets", "dynamic_active_secrets", named(each("secret", secrets)))),
      ...(extensions.length === 0
        ? []
        : [aSection("Ecds", list("Ecds", "ecds_filters", each("ecds_filter", extensions)))]),
    ],
  });
}

export interface GivenProxy {
  /** A text is the dump itself. */
  readonly holds: Held | string;
  readonly capturedAt?: string;
  readonly metadata?: Fields;
  readonly ip?: string;
}

export interface GivenIstiod {
  /** Proxy -> what it would be sent; a text is the dump itself. */
  readonly sends?: Readonly<Record<string, Held | string>>;
  readonly rows?: readonly SyncState[];
  readonly capturedAt?: string;
  readonly version?: string;
  readonly mesh?: Fields;
  readonly shards?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

export function meshOf(
  given: {
    readonly proxies?: Readonly<Record<string, GivenProxy>>;
    readonly istiods?: Readonly<Record<string, GivenIstiod>>;
  },
  more: Partial<Snapshot> = {},
): Snapshot {
  const store = aStore();
  const problems: Problem[] = [];
  const read = (held: Held | string, entry: string): ConfigDump => {
    const text = typeof held === "string" ? held : dumpOf(held);
    const dump = readConfigDump(bytesOf(text), entry, store);
    problems.push(...dump.problems);
    return dump;
  };
  const proxies = Object.entries(given.proxies ?? {}).map(([id, proxy]): Proxy => {
    const plain = aProxy(id, proxy.metadata ?? {});
    const entry = plain.dumpEntry ?? "";
    const dump = read(proxy.holds, entry);
    return {
      ...plain,
      node: withIp(plain.node, proxy.ip),
      config: dump.sections,
      capturedAt: proxy.capturedAt ?? null,
    };
  });
  const istiods = Object.entries(given.istiods ?? {}).map(([id, istiod]): Istiod =>
    istiodOf(id, istiod, read),
  );
  return aSnapshot({ proxies, istiods, problems, resources: store.resources, ...more });
}

function withIp(node: Proxy["node"], ip = "10.0.0.1"): Proxy["node"] {
  if (node.state === "absent" || node.value.parts === null) return node;
  return present({ ...node.value, parts: { ...node.value.parts, ip } });
}

function istiodOf(
  id: string,
  given: GivenIstiod,
  read: (held: Held | string, entry: string) => ConfigDump,
): Istiod {
  const origin = { entry: `istio/${id}`, pointer: "" };
  const plain = anIstiod(id, given.rows === undefined ? { rows: "not captured" } : { rows: given.rows });
  return {
    ...plain,
    ...(given.version === undefined ? {} : { version: present({ version: given.version, origin }) }),
    ...(given.mesh === undefined ? {} : { mesh: present({ config: given.mesh, origin }) }),
    ...(given.shards === undefined
      ? {}
      : { endpointShards: present({ hosts: shardsOf(given.shards), origin }) }),
    views: Object.entries(given.sends ?? {}).map(([proxyId, held]) => {
      const entry = `istio/${id}/config_dump/${proxyId}`;
      const dump = read(held, entry);
      return { proxyId, config: dump.sections, entry, capturedAt: given.capturedAt ?? null };
    }),
  };
}

const shardsOf = (hosts: NonNullable<GivenIstiod["shards"]>): EndpointShards =>
  new Map(Object.entries(hosts).map(([host, shards]) => [host, new Map(Object.entries(shards))]));

// Resources

/** A cluster that asks EDS for its endpoints. */
export const anEdsCluster = (name: string, fields: Fields = {}): Fields =>
  aResource("cluster", name, {
    type: "EDS",
    eds_cluster_config: { eds_config: { ads: {} }, service_name: name },
    ...fields,
  });

/** Hosts of one locality, as Istiod sends them. */
export const anAssignment = (cluster: string, addresses: readonly string[], host: Fields = {}): Fields =>
  aResource("endpointAssignment", cluster, {
    endpoints: [
      {
        locality: { region: "r" },
        lb_endpoints: addresses.map((address) => ({
          endpoint: { address: { socket_address: { address, port_value: 8080 } } },
          ...host,
        })),
      },
    ],
  });
