import type { AcceptedSocket } from "../../../src/trace/listener/accepted-socket.js";
import { parseSocketAddress } from "../../../src/trace/address.js";
import type { SocketAddress } from "../../../src/trace/request.js";
import type { Message } from "../../../src/snapshot/message.js";

export const address = (text: string): SocketAddress => {
  const found = parseSocketAddress(text);
  if (found === null) throw new Error(`no address: ${text}`);
  return found;
};

/** A plaintext connection to 10.0.0.1:8080 from 10.9.9.9:40000, with nothing detected. */
export const aSocket = (given: Partial<AcceptedSocket> = {}): AcceptedSocket => ({
  destination: address("10.0.0.1:8080"),
  isRestored: false,
  directSource: given.source ?? address("10.9.9.9:40000"),
  source: address("10.9.9.9:40000"),
  isPipe: false,
  serverName: "",
  transportProtocol: "",
  applicationProtocols: [],
  dynamicMetadata: new Map(),
  filterState: new Map(),
  isComplete: true,
  ...given,
});

/** A chain with its `filter_chain_match`. */
export const aChain = (name: string, match?: Message): Message => ({
  name,
  ...(match === undefined ? {} : { filter_chain_match: match }),
});

/** `10.0.0.0/8` as a CidrRange. */
export const aRange = (text: string): Message => {
  const [prefix = "", length] = text.split("/");
  return { address_prefix: prefix, ...(length === undefined ? {} : { prefix_len: Number(length) }) };
};
