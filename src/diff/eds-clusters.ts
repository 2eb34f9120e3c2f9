/** Which clusters get their endpoints by EDS, under which name, and of what. */
import { child, children, contentOf, text } from "../snapshot/message.js";
import type { Resource } from "../snapshot/model.js";

export interface EdsCluster {
  /** What EDS is asked for. */
  readonly serviceName: string;
  /**
   * The services and the DestinationRule that Istiod made it from, as one text: hosts of one name in two namespaces, or
   * subsets by two rules, have nothing but the name in common.
   */
  readonly madeFrom: string;
  /** Of the name `outbound|port|subset|host`; null for any other. */
  readonly target: OutboundTarget | null;
  /** Whether a DestinationRule shaped it. */
  readonly hasRule: boolean;
  /** Whether localities have weights in it, as they must where some clients get some localities only (`distribute`). */
  readonly isLocalityWeighted: boolean;
}

/** What a cluster leads to (Istio, pilot/pkg/model/service.go: ParseSubsetKey). */
export interface OutboundTarget {
  readonly port: number;
  readonly subset: string;
  readonly host: string;
  /** Of the service; null where the cluster does not name the one that has this host. */
  readonly namespace: string | null;
}

/** Tells of a cluster; null for one of another type. Worked out once per distinct cluster: most proxies hold the same. */
export function edsClusters(): (cluster: Resource) => EdsCluster | null {
  const known = new Map<string, EdsCluster | null>();
  return (cluster) => {
    let answer = known.get(cluster.hash);
    if (answer === undefined) {
      answer = edsClusterOf(cluster);
      known.set(cluster.hash, answer);
    }
    return answer;
  };
}

function edsClusterOf(cluster: Resource): EdsCluster | null {
  if (!cluster.text.includes('"type":"EDS"')) return null;
  const content = contentOf(cluster);
  if (text(content, "type") !== "EDS") return null;
  const service = text(child(content, "eds_cluster_config"), "service_name");
  const istio = child(content, "metadata", "filter_metadata", "istio");
  const services = children(istio, "services");
  const serviceName = service === "" ? cluster.name : service;
  const [direction, port = "", subset = "", host = "", ...rest] = serviceName.split("|");
  const namespaces = new Set(
    services.filter((entry) => text(entry, "host") === host).map((entry) => text(entry, "namespace")),
  );
  const [namespace = ""] = namespaces;
  return {
    serviceName,
    madeFrom: JSON.stringify([
      text(istio, "config"),
      services.map((entry) => [text(entry, "namespace"), text(entry, "name")]),
    ]),
    target:
      direction === "outbound" && /^\d{1,5}$/.test(port) && host !== "" && rest.length === 0
        ? {
            port: Number(port),
            subset,
            host,
            namespace: namespaces.size === 1 && namespace !== "" ? namespace : null,
          }
        : null,
    hasRule: text(istio, "config") !== "",
    isLocalityWeighted: child(content, "common_lb_config", "locality_weighted_lb_config") !== undefined,
  };
}
