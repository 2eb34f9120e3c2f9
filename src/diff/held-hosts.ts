/** The hosts of an endpoint assignment, as clients hold them. */
import ipaddr from "ipaddr.js";

import { child, children, contentOf, number, text, type Message } from "../snapshot/message.js";
import type { Resource } from "../snapshot/model.js";

export interface HeldHost {
  /** `ip:port`; for what is reached otherwise (an internal listener, a pipe), its address as JSON. */
  readonly address: string;
  readonly isSocket: boolean;
  /** Of the same pod, `ip:port`. */
  readonly otherAddresses: readonly string[];
  /** `region/zone/subzone`, without what is empty at the end. */
  readonly locality: string;
}

export function hostsOf(assignment: Resource): readonly HeldHost[] {
  return children(contentOf(assignment), "endpoints").flatMap((group) => {
    const locality = localityText(child(group, "locality"));
    return children(group, "lb_endpoints").map((host): HeldHost => {
      const endpoint = child(host, "endpoint");
      const address = child(endpoint, "address");
      const socket = socketText(address);
      return {
        address: socket ?? JSON.stringify(address ?? null).replaceAll(" ", ""),
        isSocket: socket !== null,
        otherAddresses: children(endpoint, "additional_addresses").flatMap((other) => {
          const its = socketText(child(other, "address"));
          return its === null ? [] : [its];
        }),
        locality,
      };
    });
  });
}

const localityText = (locality: Message | undefined): string =>
  ["region", "zone", "sub_zone"]
    .map((part) => text(locality, part))
    .join("/")
    .replace(/\/{1,2}$/, "");

function socketText(address: Message | undefined): string | null {
  const socket = child(address, "socket_address");
  return socket === undefined ? null : `${text(socket, "address")}:${number(socket, "port_value") ?? 0}`;
}

/** `ip:port` in the one spelling that it has; of IPv6 there are several. */
export function inOneSpelling(address: string): string {
  const end = address.lastIndexOf(":");
  const ip = address.slice(0, end);
  return ip.includes(":") && ipaddr.IPv6.isValid(ip)
    ? ipaddr.IPv6.parse(ip).toString() + address.slice(end)
    : address;
}
