/** Which clusters get their endpoints by EDS, and under which name. */
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
  const services = children(istio, "services").map((entry) => [
    text(entry, "namespace"),
    text(entry, "name"),
  ]);
  return {
    serviceName: service === "" ? cluster.name : service,
    madeFrom: JSON.stringify([text(istio, "config"), services]),
  };
}
