/** Which virtual host of a route configuration takes a request (`RouteMatcher::findVirtualHost` in `config_impl.cc`). */
import { children, flag, text, texts, type Message } from "../../snapshot/message.js";
import { asciiLower } from "../matchers/string-matcher.js";
import { firstHeader, type HeaderList } from "../request.js";

export interface VirtualHostChoice {
  readonly virtualHost: Message;
  /** As the configuration writes it. */
  readonly domain: string;
}

interface Entry extends VirtualHostChoice {
  /** Lower-case. */
  readonly pattern: string;
}

/** The domains of a route configuration by how they are looked up; wildcards by their fixed part, longest lengths first. */
export interface DomainTable {
  readonly exact: ReadonlyMap<string, Entry>;
  readonly suffixes: WildcardTable;
  readonly prefixes: WildcardTable;
  readonly any: Entry | null;
  /** Domains that stand twice: Envoy refuses such a configuration. */
  readonly duplicates: readonly string[];
}

interface WildcardTable {
  readonly lengths: readonly number[];
  readonly byText: ReadonlyMap<string, Entry>;
}

const tables = new WeakMap<Message, DomainTable>();

/** The domains of a route configuration; made once for each. */
export function domainTable(config: Message): DomainTable {
  const known = tables.get(config);
  if (known !== undefined) return known;
  const table = build(config);
  tables.set(config, table);
  return table;
}

function build(config: Message): DomainTable {
  const exact = new Map<string, Entry>();
  const suffixes = new Map<string, Entry>();
  const prefixes = new Map<string, Entry>();
  const any: Entry[] = [];
  const duplicates: string[] = [];
  const put = (map: Map<string, Entry>, key: string, entry: Entry): void => {
    if (map.has(key)) duplicates.push(entry.domain);
    else map.set(key, entry);
  };
  for (const virtualHost of children(config, "virtual_hosts")) {
    for (const domain of texts(virtualHost, "domains")) {
      const pattern = asciiLower(domain);
      const entry: Entry = { virtualHost, domain, pattern };
      if (pattern === "*") any.push(entry);
      else if (pattern.startsWith("*")) put(suffixes, pattern.slice(1), entry);
      else if (pattern.endsWith("*")) put(prefixes, pattern.slice(0, -1), entry);
      else put(exact, pattern, entry);
    }
  }
  if (any.length > 1) duplicates.push("*");
  return {
    exact,
    suffixes: wildcards(suffixes),
    prefixes: wildcards(prefixes),
    any: any[0] ?? null,
    duplicates,
  };
}

function wildcards(byText: ReadonlyMap<string, Entry>): WildcardTable {
  const lengths = [...new Set([...byText.keys()].map(({ length }) => length))].sort((a, b) => b - a);
  return { lengths, byText };
}

/** The virtual host of a request, or null. The authority itself stays as it is. */
export function chooseVirtualHost(config: Message, headers: HeaderList): VirtualHostChoice | null {
  const table = domainTable(config);
  // a table of "*" alone is not looked up in: it takes requests without a host, too
  if (table.exact.size + table.suffixes.byText.size + table.prefixes.byText.size === 0) return table.any;
  const authority = firstHeader(headers, "host");
  return authority === undefined ? null : lookUp(table, hostLookedUp(config, authority));
}

/** The name that is looked up for an authority. */
export function hostLookedUp(config: Message, authority: string): string {
  const isCut = flag(config, "ignore_port_in_host_matching") ?? false;
  return asciiLower(isCut ? withoutPort(authority) : authority);
}

/** Cut at the last ":" that stands behind any "]" (`HeaderUtility::getPortStart`). */
export function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(":");
  return colon > authority.lastIndexOf("]") ? authority.slice(0, colon) : authority;
}

/** Exact, then by the longest suffix, then by the longest prefix, then "*": the class counts before the length. */
export function lookUp(table: DomainTable, host: string): VirtualHostChoice | null {
  return (
    table.exact.get(host) ??
    lookUpWildcard(table.suffixes, host, (length) => host.slice(host.length - length)) ??
    lookUpWildcard(table.prefixes, host, (length) => host.slice(0, length)) ??
    table.any
  );
}

function lookUpWildcard(
  { lengths, byText }: WildcardTable,
  host: string,
  part: (length: number) => string,
): Entry | undefined {
  for (const length of lengths) {
    if (length >= host.length) continue; // "*" stands for at least one character
    const entry = byText.get(part(length));
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/** A virtual host that would have taken the request, but for one thing. */
export interface VirtualHostNearMiss extends VirtualHostChoice {
  readonly kind: "port" | "wildcard" | "short name" | "long name";
  readonly because: string;
}

/** At most this many of them are told. */
const mostNearMisses = 5;

/**
 * Virtual hosts that an authority missed by little: by its port, by a wildcard that stands for at least one character, by a
 * name that is shorter or longer than theirs.
 * @param port of the connection, which a client may have left out; null where there is none
 */
export function nearVirtualHosts(
  config: Message,
  authority: string,
  port: number | null,
): VirtualHostNearMiss[] {
  const table = domainTable(config);
  const host = asciiLower(authority);
  const chosen = lookUp(table, hostLookedUp(config, authority));
  const bare = withoutPort(host);
  const found: VirtualHostNearMiss[] = [];
  const add = (
    entry: VirtualHostChoice | null | undefined,
    kind: VirtualHostNearMiss["kind"],
    why: string,
  ): void => {
    if (
      entry === null ||
      entry === undefined ||
      entry === table.any ||
      entry.virtualHost === chosen?.virtualHost
    )
      return;
    if (found.length >= mostNearMisses || found.some(({ virtualHost }) => virtualHost === entry.virtualHost))
      return;
    found.push({
      virtualHost: entry.virtualHost,
      domain: entry.domain,
      kind,
      because: `its domain ${entry.domain} ${why}`,
    });
  };
  if (bare !== host) add(lookUp(table, bare), "port", `would match without the port: ${authority} has one`);
  else if (port !== null)
    add(lookUp(table, `${host}:${port}`), "port", `would match with the port: ${authority} has none`);
  for (const own of [host, bare]) {
    add(table.suffixes.byText.get(own), "wildcard", `needs at least one character in the place of "*"`);
    add(table.suffixes.byText.get(`.${own}`), "wildcard", `needs a name in front of .${own}`);
    add(table.prefixes.byText.get(own), "wildcard", `needs at least one character in the place of "*"`);
  }
  for (const [domain, entry] of table.exact) {
    if (found.length >= mostNearMisses) break;
    const name = withoutPort(domain);
    if (name.startsWith(`${bare}.`)) add(entry, "short name", `is longer than ${authority}`);
    else if (bare.startsWith(`${name}.`)) add(entry, "long name", `is shorter than ${authority}`);
  }
  return found;
}

/** Of a virtual host. */
export const virtualHostName = (virtualHost: Message): string => text(virtualHost, "name");
