/**
 * Where a client that dials a host connects to, when nobody has said it: what the names in a snapshot give for it. The way
 * that the answer was found is an assumption, as the client's resolver may have answered something else.
 */
import { children, text, texts, type Message } from "../snapshot/message.js";
import type { Pod, Service } from "../snapshot/model.js";
import type { NameTable } from "../snapshot/parse/ndsz.js";
import { parseIp, parsePort } from "./address.js";
import type { SocketAddress } from "./request.js";

/** What names are looked up in; null: not captured. */
export interface DestinationSources {
  /** Namespace of the client. */
  readonly namespace: string;
  /** The client's `node.id` ends in it: `default.svc.cluster.local`; "" where it is not known. */
  readonly dnsDomain: string;
  readonly nameTable: NameTable | null;
  readonly services: readonly Service[] | null;
  readonly pods: readonly Pod[] | null;
  /** `envoy.config.route.v3.RouteConfiguration` of the client's proxy: at least those that have a name in them. */
  readonly routeConfigurations: (name: string) => readonly Message[];
}

export interface OriginalDestination {
  readonly from:
    | "literal"
    | "name table"
    | "service"
    | "headless service"
    | "pod"
    | "route configuration"
    /** Nothing names an address: it is one that stands for any that no listener names. */
    | "unknown host";
  /** In the order in which a client would try them; one of `unknown host` belongs to nobody. */
  readonly addresses: readonly [SocketAddress, ...SocketAddress[]];
  /** The full name under which the host was found; as given for the others. */
  readonly host: string;
  readonly assumptions: readonly string[];
}

/** Of the blocks for documentation (RFC 5737): no service has it. */
const standIn = "192.0.2.1";

/** Names with fewer dots are tried in the search domains first, as Kubernetes writes into `resolv.conf`. */
const searchedDots = 5;

interface Found {
  readonly from: OriginalDestination["from"];
  readonly ips: readonly string[];
  readonly words: string;
  readonly notes?: readonly string[];
}

/** A host and its port: `reviews:9080`, `10.0.0.1`, `[fd00::1]:80`. null where it is neither. */
export function splitAuthority(
  authority: string,
  defaultPort: number,
): { readonly host: string; readonly port: number } | null {
  const [, bracketed, plain, ending] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d+))?$/.exec(authority) ?? [];
  const host = bracketed ?? plain ?? "";
  const port = ending === undefined ? defaultPort : parsePort(ending);
  if (host === "" || port === null || (bracketed !== undefined && !bracketed.includes(":"))) return null;
  return bracketed !== undefined && parseIp(bracketed) === null ? null : { host, port };
}

/** Prepares the sources once for many hosts. */
export function destinationResolver(
  sources: DestinationSources,
): (host: string, port: number) => OriginalDestination {
  const clusterDomain = clusterDomainOf(sources.dnsDomain);
  const services = new Map(
    (sources.services ?? []).map((service) => [`${service.name}.${service.namespace}`, service]),
  );

  return (host, port) => {
    const literal = parseIp(host);
    if (literal !== null)
      return { from: "literal", addresses: [{ ip: literal.toString(), port }], host, assumptions: [] };
    for (const name of expanded(host, sources.namespace, clusterDomain)) {
      const found =
        inNameTable(sources.nameTable, name) ??
        inServices(services, sources.pods, name, clusterDomain, port) ??
        inPods(sources.pods, name, clusterDomain) ??
        inRoutes(sources.routeConfigurations(name), name, port);
      const [first, ...more] = (found?.ips ?? []).map((ip): SocketAddress => ({ ip, port }));
      if (found === undefined || first === undefined) continue;
      const assumption = `${host} is ${found.ips.slice(0, 3).join(", ")}${more.length > 2 ? ", ..." : ""}: ${found.words}.`;
      const assumptions = [assumption, ...(found.notes ?? [])];
      return { from: found.from, addresses: [first, ...more], host: name, assumptions };
    }
    return unknownHost(host, port, sources);
  };
}

function unknownHost(host: string, port: number, sources: DestinationSources): OriginalDestination {
  const gaps = [
    ...(sources.services === null ? ["services"] : []),
    ...(sources.pods === null ? ["pods"] : []),
  ];
  const notCaptured = gaps.length === 0 ? "" : ` (the lists of ${gaps.join(" and ")} were not captured)`;
  const assumption =
    `${host} is an address that no listener names: nothing in the snapshot tells its address${notCaptured}; ` +
    `${standIn} stands for it.`;
  return { from: "unknown host", addresses: [{ ip: standIn, port }], host, assumptions: [assumption] };
}

/** `default.svc.cluster.local` -> `cluster.local`. */
function clusterDomainOf(dnsDomain: string): string {
  const at = dnsDomain.indexOf(".svc.");
  return at < 0 ? "cluster.local" : dnsDomain.slice(at + ".svc.".length);
}

/** The full names that the resolver tries for a name, in its order. One that ends in a dot is full. */
function expanded(host: string, namespace: string, clusterDomain: string): string[] {
  const name = host.toLowerCase();
  if (name.endsWith(".")) return [name.slice(0, -1)];
  const domains = [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
  const searched = domains.map((domain) => `${name}.${domain}`);
  return name.split(".").length - 1 >= searchedDots ? [name, ...searched] : [...searched, name];
}

/** Exact, then the longest wildcard. */
function inNameTable(table: NameTable | null, name: string): Found | undefined {
  if (table === null) return undefined;
  const labels = name.split(".");
  const wildcards = labels.slice(1).map((_, at) => `*.${labels.slice(at + 1).join(".")}`);
  for (const key of [name, ...wildcards]) {
    const ips = literals(table.hosts.get(key) ?? []);
    if (ips.length > 0)
      return { from: "name table", ips, words: `Istiod's DNS table for ${table.proxyId} says so` };
  }
  return undefined;
}

const literals = (list: readonly string[]): string[] =>
  list.flatMap((one) => {
    const ip = parseIp(one);
    return ip === null ? [] : [ip.toString()];
  });

function inServices(
  services: ReadonlyMap<string, Service>,
  pods: readonly Pod[] | null,
  name: string,
  clusterDomain: string,
  port: number,
): Found | undefined {
  const suffix = `.svc.${clusterDomain}`;
  if (!name.endsWith(suffix)) return undefined;
  const labels = name.slice(0, -suffix.length).split(".");
  const service = services.get(labels.slice(-2).join("."));
  if (service === undefined || labels.length < 2 || labels.length > 3) return undefined;
  const notes = service.ports.some((own) => own.port === port)
    ? []
    : [`The service ${service.name}.${service.namespace} has no port ${port}.`];
  const clusterIps = literals(service.clusterIps);
  if (labels.length === 2 && clusterIps.length > 0)
    return { from: "service", ips: clusterIps, words: "the service's cluster IP", notes };
  if (clusterIps.length > 0) return undefined; // names of single pods exist below headless services only
  const members = (pods ?? []).filter(
    (pod) => isSelected(pod, service) && (labels.length === 2 || pod.name === labels[0]),
  );
  const words =
    labels.length === 2
      ? `the pods of the headless service ${service.name}.${service.namespace}`
      : `the pod of that name in the headless service ${service.name}.${service.namespace}`;
  return { from: "headless service", ips: members.flatMap(({ ips }) => literals(ips.slice(0, 1))), words };
}

function isSelected(pod: Pod, { namespace, selector }: Service): boolean {
  const wanted = Object.entries(selector);
  return (
    pod.namespace === namespace &&
    wanted.length > 0 &&
    wanted.every(([key, value]) => Object.hasOwn(pod.labels, key) && pod.labels[key] === value)
  );
}

/** `10-0-0-1.default.pod.cluster.local`. */
function inPods(pods: readonly Pod[] | null, name: string, clusterDomain: string): Found | undefined {
  const suffix = `.pod.${clusterDomain}`;
  if (!name.endsWith(suffix)) return undefined;
  const [dashed = "", namespace, ...rest] = name.slice(0, -suffix.length).split(".");
  const ip = parseIp(dashed.replaceAll("-", ".")) ?? parseIp(dashed.replaceAll("-", ":"));
  if (ip === null || namespace === undefined || rest.length > 0) return undefined;
  const isKnown = (pods ?? []).some(
    (pod) => pod.namespace === namespace && literals(pod.ips).includes(ip.toString()),
  );
  const notes =
    pods === null || isKnown
      ? []
      : [`No pod of the namespace ${namespace} has the address ${ip.toString()}.`];
  return { from: "pod", ips: [ip.toString()], words: "the name of a pod holds its address", notes };
}

/** Istiod writes a service's names and its virtual IP as domains of one virtual host; the first one of a name counts. */
function inRoutes(configurations: readonly Message[], name: string, port: number): Found | undefined {
  for (const config of configurations) {
    for (const virtualHost of children(config, "virtual_hosts")) {
      if (portOf(config, virtualHost) !== port) continue;
      const domains = texts(virtualHost, "domains");
      if (!domains.some((domain) => isNamed(domain, name, port))) continue;
      const ips = literals(domains.map((domain) => hostIn(domain, port)));
      if (ips.length > 0)
        return {
          from: "route configuration",
          ips: [...new Set(ips)],
          words: "the virtual host of that name has it among its domains",
        };
    }
  }
  return undefined;
}

const hostIn = (domain: string, port: number): string => splitAuthority(domain, port)?.host ?? domain;

/** A look at its beginning spares most domains the rest. */
const isNamed = (domain: string, name: string, port: number): boolean =>
  domain.toLowerCase().startsWith(name) && hostIn(domain, port).toLowerCase() === name;

/** The port of a virtual host `<host>:<port>`, else of a route configuration `<port>` or `<host>:<port>`. */
function portOf(config: Message, virtualHost: Message): number | null {
  const behindColon = (name: string): number | null => parsePort(name.slice(name.lastIndexOf(":") + 1));
  return behindColon(text(virtualHost, "name")) ?? behindColon(text(config, "name"));
}
