import { containedTexts } from "./contained-texts.js";

/**
 * Which proxies an Istiod holds, from its `/debug/syncz` and `/debug/adsz` (Istio, pilot/pkg/xds/debug.go), as far as it
 * takes to ask the right replica for the right proxy.
 */
export interface Connections {
  /** `<pod>.<namespace>` of all proxies in the list. */
  readonly proxies: ReadonlySet<string>;
  /** Ids of all connections by proxy, the newest first; empty where the release does not tell. */
  readonly ids: ReadonlyMap<string, readonly string[]>;
  /** Proxies that use Istio's DNS proxy. */
  readonly dns: ReadonlySet<string>;
}

/** @param syncz @param adsz parsed answers; null where there is none */
export function connectionsOf(syncz: unknown, adsz: unknown): Connections {
  const proxies = new Set<string>();
  const dns = new Set<string>();
  const connections: Connection[] = [];
  for (const row of list(syncz)) {
    const proxy = text(row["proxy"]);
    if (proxy === "") continue;
    proxies.add(proxy);
    if (hasNameTable(row["resources"])) dns.add(proxy);
  }
  for (const client of clientsOf(adsz)) {
    // Istio 1.7 calls it a node
    const connection = connectionOf(text(client["connectionId"]) || text(client["node"]));
    if (connection === null) continue;
    connections.push(connection);
    proxies.add(connection.proxy);
    if (hasNameTable(client["watches"]) || isDnsCaptured(client["metadata"])) dns.add(connection.proxy);
  }
  const ids = new Map<string, string[]>();
  for (const { proxy, id } of connections.sort((a, b) => b.counter - a.counter)) {
    const known = ids.get(proxy);
    if (known === undefined) ids.set(proxy, [id]);
    else known.push(id);
  }
  return { proxies, ids, dns };
}

export type ProxyId = { readonly id: string } | { readonly unsure: string };

/** No id of a pod is longer: two names, an address, a domain, a counter. */
const longestId = 1024;

/**
 * What to ask an Istiod for, so that it can mean one connection only: Istiod takes the first connection whose id contains
 * the text, in no order.
 * @param names of all proxies that may be asked for, or be connected without being in the list
 * @returns what fits one proxy; `unsure` where another one's connection fits all that this one's fits
 */
export function proxyIds({ proxies, ids }: Connections, names: Iterable<string>): (proxy: string) => ProxyId {
  const known = new Set([...[...ids.values()].flat(), ...proxies, ...names]);
  const ambiguous = containedTexts(known, longestId);
  const isCertain = (id: string): boolean => known.has(id) && id.length <= longestId && !ambiguous.has(id);
  return (proxy) => {
    // without its connection's id, the name: what surrounds it there depends on the release
    const id = (ids.get(proxy) ?? [proxy]).find(isCertain);
    return id === undefined ? { unsure: `Istiod might take another proxy for ${proxy}` } : { id };
  };
}

/**
 * Proxies other than the one that was meant whose connection an id fits, too.
 * @param adsz parsed answer of an Istiod, narrowed to the id or not
 */
export function rivalsFor(id: string, proxy: string, adsz: unknown): readonly string[] {
  const { ids } = connectionsOf(null, adsz);
  return [...ids]
    .filter(([name, own]) => name !== proxy && own.some((connection) => connection.includes(id)))
    .map(([name]) => name)
    .sort();
}

interface Connection {
  readonly proxy: string;
  readonly id: string;
  readonly counter: number;
}

/**
 * `<pod>.<namespace>-<counter>`; before Istio 1.11 the whole node id stands before the counter. What is neither is a
 * client that is no pod, but its id may contain a pod's.
 */
function connectionOf(id: string): Connection | null {
  if (id === "") return null;
  const [, node = id, counter = "-1"] = /^(.+)-(\d+)$/s.exec(id) ?? [];
  const parts = node.split("~");
  return { proxy: parts.length === 4 ? (parts[2] ?? "") : node, id, counter: Number(counter) };
}

/** From Istio 1.8 on the clients stand in an object, before that alone. */
const clientsOf = (adsz: unknown): Record<string, unknown>[] =>
  list(isObject(adsz) && !Array.isArray(adsz) ? adsz["clients"] : adsz);

const isDnsCaptured = (metadata: unknown): boolean => {
  const flag = isObject(metadata) ? metadata["DNS_CAPTURE"] : undefined;
  return flag === "true" || flag === true;
};

const hasNameTable = (types: unknown): boolean =>
  isObject(types) &&
  Object.keys(types).some((typeUrl) => typeUrl.endsWith("istio.networking.nds.v1.NameTable"));

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
const text = (value: unknown): string => (typeof value === "string" ? value : "");
const list = (value: unknown): Record<string, unknown>[] =>
  Array.isArray(value) ? value.filter(isObject) : [];
