/**
 * What Istiods are held against each other and against proxies by: `/debug/mesh`, `/debug/endpointShardz` and
 * `/debug/registryz` (Istio, pilot/pkg/xds/debug.go). Field names are Go's; what has another shape holds nothing.
 */
import { BundleFormatError } from "../../shared/errors.js";

/** Endpoints as one Istiod knows them: host -> shard (`Kubernetes/cluster`) -> `ip:port`, sorted. */
export type EndpointShards = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** One endpoint, with what decides who is sent it (Istio, pilot/pkg/model/service.go: IstioEndpoint). */
export interface KnownEndpoint {
  /** `ip:port`; of several, Envoy calls the endpoint by the first. None where only its network's gateway is known. */
  readonly addresses: readonly string[];
  /** Of the service; "" where the port has none. */
  readonly portName: string;
  /** "" for the only one. */
  readonly network: string;
  /** Kubernetes cluster; "" where it is not told. */
  readonly cluster: string;
  /** `region/zone/subzone`, without what is empty at the end. */
  readonly locality: string;
  /** Kubernetes node (Istio 1.17 and newer); "" where it is not told. */
  readonly node: string;
  /** Whether every client gets it that may see it. What is unready or drains, only some services' clients do. */
  readonly isReady: boolean;
}

/** Host -> namespace of the service -> endpoints, of all ports and clusters. */
export type KnownEndpoints = ReadonlyMap<string, ReadonlyMap<string, readonly KnownEndpoint[]>>;

/** One service as an Istiod knows it. */
export interface RegisteredService {
  readonly namespace: string;
  /** Number -> name. */
  readonly ports: ReadonlyMap<number, string>;
  /** `internalTrafficPolicy: Local`: clients get the endpoints on their own node only (Istio 1.17 and newer). */
  readonly isNodeLocal: boolean;
  /** Whether clients look its addresses up by themselves. */
  readonly isDns: boolean;
  /** Of the service, not of its pods. */
  readonly labels: Readonly<Record<string, unknown>>;
}

/** Host -> services: several where namespaces or registries have one of the same host. */
export type Registry = ReadonlyMap<string, readonly RegisteredService[]>;

type Fields = Readonly<Record<string, unknown>>;

/**
 * @param json `{host: {namespace: {"Shards": {shard: [endpoint]}}}}`
 * @throws BundleFormatError when it is no object
 */
export function parseEndpointShards(json: unknown, entry: string): EndpointShards {
  const hosts = new Map<string, Map<string, string[]>>();
  for (const [host, namespaces] of Object.entries(anObject(json, entry))) {
    const shards = new Map<string, string[]>();
    for (const { Shards: list } of objectsIn(namespaces)) {
      for (const [shard, endpoints] of Object.entries(isObject(list) ? list : {})) {
        const known = shards.get(shard) ?? [];
        for (const endpoint of listOf(endpoints)) known.push(...addressesOf(endpoint));
        shards.set(shard, known);
      }
    }
    for (const addresses of shards.values()) addresses.sort();
    hosts.set(host, shards);
  }
  return hosts;
}

/** The same answer, by service. @throws BundleFormatError when it is no object */
export function parseKnownEndpoints(json: unknown, entry: string): KnownEndpoints {
  return new Map(
    Object.entries(anObject(json, entry)).map(([host, namespaces]) => [
      host,
      new Map(
        Object.entries(isObject(namespaces) ? namespaces : {}).map(([namespace, own]) => [
          namespace,
          isObject(own) && isObject(own["Shards"])
            ? Object.entries(own["Shards"]).flatMap(([shard, endpoints]) =>
                listOf(endpoints).map((endpoint) => knownEndpoint(shard, endpoint)),
              )
            : [],
        ]),
      ),
    ]),
  );
}

/** `istio.io/draining` is the default of PILOT_DRAINING_LABEL. */
const drainingLabel = "istio.io/draining";

function knownEndpoint(shard: string, endpoint: Fields): KnownEndpoint {
  const { Locality: locality, HealthStatus: health, Labels: labels } = endpoint;
  // a text up to Istio 1.6
  const place = isObject(locality) ? locality : { Label: locality };
  return {
    addresses: addressesOf(endpoint),
    portName: textOf(endpoint["ServicePortName"]),
    network: textOf(endpoint["Network"]),
    // `cluster` before Istio 1.12, `provider/cluster` since
    cluster: textOf(place["ClusterID"]) || shard.slice(shard.indexOf("/") + 1),
    locality: textOf(place["Label"]).replace(/\/{1,2}$/, ""),
    node: textOf(endpoint["NodeName"]),
    // 1 means healthy since 1.18; before, unready endpoints (1) were there only where all clients were to have them
    isReady:
      (health === undefined || health === 0 || health === 1) &&
      !(isObject(labels) && textOf(labels[drainingLabel]) !== ""),
  };
}

/** `Addresses` since 1.24, `Address` before. */
function addressesOf(endpoint: Fields): string[] {
  const port = typeof endpoint["EndpointPort"] === "number" ? endpoint["EndpointPort"] : 0;
  const list = Array.isArray(endpoint["Addresses"]) ? endpoint["Addresses"] : [endpoint["Address"]];
  return list.filter((address) => typeof address === "string").map((address) => `${address}:${port}`);
}

/** Resolutions that leave the look-up to Envoy (Istio, pilot/pkg/model/service.go: DNSLB, DNSRoundRobinLB, DynamicDNS). */
const dnsResolutions: ReadonlySet<unknown> = new Set([1, 3, 5]);

/**
 * @param json `[{hostname, ports: [{name, port}], Attributes: {Namespace, NodeLocal, Labels}}]`; the last one is empty up
 *   to Istio 1.9
 * @throws BundleFormatError when it is no list
 */
export function parseRegistry(json: unknown, entry: string): Registry {
  if (!Array.isArray(json)) throw new BundleFormatError(entry, "", "must be array");
  const services = new Map<string, RegisteredService[]>();
  for (const service of json.filter(isObject)) {
    const host = textOf(service["hostname"]);
    if (host === "") continue;
    const attributes = isObject(service["Attributes"]) ? service["Attributes"] : {};
    const known = services.get(host) ?? [];
    known.push({
      namespace: textOf(attributes["Namespace"]),
      ports: new Map(
        listOf(service["ports"]).flatMap(({ name, port }) =>
          typeof port === "number" ? [[port, textOf(name)]] : [],
        ),
      ),
      isNodeLocal: attributes["NodeLocal"] === true,
      isDns: dnsResolutions.has(service["Resolution"]),
      labels: isObject(attributes["Labels"]) ? attributes["Labels"] : {},
    });
    services.set(host, known);
  }
  return services;
}

/** `/debug/mesh`, checked to be an object. @throws BundleFormatError */
export function parseMeshConfig(json: unknown, entry: string): Fields {
  return anObject(json, entry);
}

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const objectsIn = (value: unknown): Fields[] =>
  isObject(value) ? Object.values(value).filter(isObject) : [];
const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isObject) : []);
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

function anObject(json: unknown, entry: string): Fields {
  if (!isObject(json)) throw new BundleFormatError(entry, "", "must be object");
  return json;
}
