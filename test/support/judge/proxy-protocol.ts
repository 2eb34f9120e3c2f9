/** The header of PROXY protocol v2 (haproxy, doc/proxy-protocol.txt, section 2.2), TCP over IPv4 or IPv6. */
import ipaddr from "ipaddr.js";

import type { SocketAddress } from "../../../src/trace/request.js";

const signature = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const versionAndProxyCommand = 0x21;

/** @throws Error where the two addresses are not of one family */
export function proxyHeader(source: SocketAddress, destination: SocketAddress): Buffer {
  const [from, to] = [ipaddr.parse(source.ip), ipaddr.parse(destination.ip)];
  if (from.kind() !== to.kind()) throw new Error(`${source.ip} and ${destination.ip} are of two families`);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  const addresses = Buffer.concat([Buffer.from(from.toByteArray()), Buffer.from(to.toByteArray()), ports]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(addresses.length);
  return Buffer.concat([
    signature,
    Buffer.from([versionAndProxyCommand, from.kind() === "ipv4" ? 0x11 : 0x21]),
    length,
    addresses,
  ]);
}
