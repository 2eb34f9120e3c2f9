/** Sets of endpoints that differ since Istio gives each client those of its own node, or of some localities, and no others. */
import { text } from "../snapshot/message.js";
import type { Proxy, Snapshot } from "../snapshot/model.js";
import type { OutboundTarget } from "./eds-clusters.js";
import type { HeldHost } from "./held-hosts.js";
import { ownAddresses } from "./own-names.js";

/** One set and the clients that hold it. */
export interface HeldSet {
  readonly hosts: readonly HeldHost[];
  readonly clients: readonly Proxy[];
}

/** The node that Istio knows a client by; "" where it is not told (before Istio 1.17). */
export const nodeOf = ({ node }: Proxy): string =>
  node.state === "present" ? text(node.value.metadata, "NODE_NAME") : "";

/** Whether `internalTrafficPolicy` of a service is Local: null where no Istiod's list of services tells. */
export function nodeLocalServices({
  istiods,
}: Pick<Snapshot, "istiods">): (target: OutboundTarget) => boolean | null {
  return ({ host, namespace }) => {
    const policies = istiods.flatMap(({ registry }) =>
      registry.state === "absent"
        ? []
        : (registry.value.services.get(host) ?? [])
            .filter((service) => namespace === null || service.namespace === namespace)
            .map(({ isNodeLocal }) => isNodeLocal),
    );
    return policies.length === 0 ? null : policies.includes(true);
  };
}

/** Address of a pod -> its node, as far as the proxies and the Istiods tell. */
export function nodesByAddress({ proxies, istiods }: Snapshot): ReadonlyMap<string, string> {
  const nodes = new Map<string, string>();
  for (const { knownEndpoints } of istiods)
    if (knownEndpoints.state === "present")
      for (const namespaces of knownEndpoints.value.services.values())
        for (const endpoints of namespaces.values())
          for (const { addresses, node } of endpoints)
            if (node !== "") for (const address of addresses) nodes.set(withoutPort(address), node);
  for (const proxy of proxies) {
    const node = nodeOf(proxy);
    if (node !== "") for (const address of ownAddresses(proxy)) nodes.set(address, node);
  }
  return nodes;
}

const withoutPort = (address: string): string => address.slice(0, address.lastIndexOf(":"));

/** Whether each client holds just the endpoints of its own node, of all that any of them holds. */
export function isByNode(sets: readonly HeldSet[], nodes: ReadonlyMap<string, string>): boolean {
  const setOf = new Map<string, HeldSet>();
  return sets.every(
    (set) =>
      set.clients.every((client) => {
        const node = nodeOf(client);
        const known = setOf.get(node) ?? set;
        setOf.set(node, known);
        return node !== "" && known === set;
      }) &&
      set.hosts.every(({ address }) => {
        const node = nodes.get(withoutPort(address));
        return node !== undefined && set.clients.every((client) => nodeOf(client) === node);
      }),
  );
}

/** Whether clients of one locality hold one set, and each set has all or nothing of the endpoints of a locality. */
export function isByLocality(sets: readonly HeldSet[]): boolean {
  const setOf = new Map<string, HeldSet>();
  const ofLocality = new Map<string, string>();
  return sets.every(
    (set) =>
      set.clients.every((client) => {
        const locality = localityOf(client);
        const known = setOf.get(locality) ?? set;
        setOf.set(locality, known);
        return locality !== "" && known === set;
      }) &&
      [...byLocality(set.hosts)].every(([locality, addresses]) => {
        const known = ofLocality.get(locality) ?? addresses;
        ofLocality.set(locality, known);
        return known === addresses;
      }),
  );
}

function localityOf({ node }: Proxy): string {
  const locality = node.state === "present" ? node.value.locality : null;
  return locality === null ? "" : [locality.region, locality.zone, locality.subZone].join("/");
}

/** Locality -> its addresses as one text. */
function byLocality(hosts: readonly HeldHost[]): ReadonlyMap<string, string> {
  const groups = new Map<string, string[]>();
  for (const { locality, address } of hosts) {
    const group = groups.get(locality);
    if (group === undefined) groups.set(locality, [address]);
    else group.push(address);
  }
  return new Map([...groups].map(([locality, addresses]) => [locality, addresses.sort().join(" ")]));
}
