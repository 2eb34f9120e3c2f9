/** What tells the endpoints that a proxy has for its clusters from those of other proxies. */
import { field, isMessage, text, type Message } from "../../snapshot/message.js";
import type { Proxy } from "../../snapshot/model.js";
import { serviceNameOf } from "../cluster/hosts.js";

/** One text for all proxies that have the same endpoints for a cluster, in the same health. */
export type EndpointsKey = (cluster: Message) => string;

export function endpointsKey({ clusterStatuses, config: { endpointAssignment } }: Proxy): EndpointsKey {
  const hashes = new Map<string, string>();
  if (endpointAssignment.state === "present") {
    const list = endpointAssignment.value;
    for (let index = 0; index < list.length; index++) {
      const name = list.name(index);
      hashes.set(name, `${hashes.get(name) ?? ""} ${list.resource(index)?.hash ?? ""}`);
    }
  }
  const statuses = new Map(
    clusterStatuses.state === "present"
      ? clusterStatuses.value.messages.map((status) => [text(status, "name"), status])
      : [],
  );
  // where they were not captured, the reason is part of the answer
  const reason = endpointAssignment.state === "absent" ? endpointAssignment.reason : "";
  return (cluster) => {
    const status = statuses.get(text(cluster, "name"));
    const live = status === undefined ? "" : hostsText(status);
    return `${reason}${hashes.get(serviceNameOf(cluster)) ?? ""} ${live}`;
  };
}

/** The hosts of a `ClusterStatus` without what counts up. */
function hostsText(status: Message): string {
  const hosts = field(status, "host_statuses");
  if (!Array.isArray(hosts)) return "";
  return JSON.stringify(
    hosts.map((host: unknown) =>
      isMessage(host)
        ? { ...host, stats: undefined, success_rate: undefined, local_origin_success_rate: undefined }
        : host,
    ),
  );
}
