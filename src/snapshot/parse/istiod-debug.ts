/** What Istiods are held against each other by: `/debug/mesh` and `/debug/endpointShardz` (Istio, pilot/pkg/xds/debug.go). */
import { BundleFormatError } from "../../shared/errors.js";

/** Endpoints as one Istiod knows them: host -> shard (`Kubernetes/cluster`) -> `ip:port`, sorted. */
export type EndpointShards = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/**
 * @param json `{host: {namespace: {"Shards": {shard: [endpoint]}}}}`; field names are Go's
 * @throws BundleFormatError when it is no object; a part of another shape holds nothing
 */
export function parseEndpointShards(json: unknown, entry: string): EndpointShards {
  if (!isObject(json)) throw new BundleFormatError(entry, "", "must be object");
  const hosts = new Map<string, Map<string, string[]>>();
  for (const [host, namespaces] of Object.entries(json)) {
    const shards = new Map<string, string[]>();
    for (const { Shards: list } of objectsIn(namespaces)) {
      for (const [shard, endpoints] of Object.entries(isObject(list) ? list : {})) {
        const known = shards.get(shard) ?? [];
        for (const endpoint of Array.isArray(endpoints) ? endpoints : [])
          known.push(...addressesOf(endpoint));
        shards.set(shard, known);
      }
    }
    for (const addresses of shards.values()) addresses.sort();
    hosts.set(host, shards);
  }
  return hosts;
}

/** `Addresses` since 1.24, `Address` before. */
function addressesOf(endpoint: unknown): string[] {
  if (!isObject(endpoint)) return [];
  const port = typeof endpoint["EndpointPort"] === "number" ? endpoint["EndpointPort"] : 0;
  const list = Array.isArray(endpoint["Addresses"]) ? endpoint["Addresses"] : [endpoint["Address"]];
  return list.filter((address) => typeof address === "string").map((address) => `${address}:${port}`);
}

/** `/debug/mesh`, checked to be an object. @throws BundleFormatError */
export function parseMeshConfig(json: unknown, entry: string): Readonly<Record<string, unknown>> {
  if (!isObject(json)) throw new BundleFormatError(entry, "", "must be object");
  return json;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const objectsIn = (value: unknown): Readonly<Record<string, unknown>>[] =>
  isObject(value) ? Object.values(value).filter(isObject) : [];
