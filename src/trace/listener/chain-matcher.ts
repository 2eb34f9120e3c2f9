/** The `filter_chain_matcher` of a listener: a matcher tree over what is known of a connection, which names a chain. */
import { children, text, type Message } from "../../snapshot/message.js";
import { isEnvoyLoopback, isSameIp } from "../address.js";
import type { EnvoyMinor } from "../match-context.js";
import { evaluateTree, type InputValue } from "../matchers/matcher-tree.js";
import { filterStateValue, metadataValue } from "../matchers/metadata-matcher.js";
import { unknownTruth } from "../ternary.js";
import { unknown, type Unknown } from "../unknown.js";
import { transportProtocolOf, type AcceptedSocket, type Peer } from "./accepted-socket.js";

export type ChainMatcherResult =
  /** `matched`: the inputs that the tree asked for, with their values. */
  | { readonly kind: "name"; readonly name: string; readonly matched: readonly string[] }
  | { readonly kind: "no match" }
  | { readonly kind: "unknown"; readonly because: readonly Unknown[] };

/** @param matcher `xds.type.matcher.v3.Matcher` */
export function evaluateChainMatcher(
  matcher: Message,
  socket: AcceptedSocket,
  envoy: EnvoyMinor,
): ChainMatcherResult {
  const asked = new Set<string>();
  const result = evaluateTree(
    matcher,
    (type, input) => {
      const name = type.slice(type.lastIndexOf(".") + 1);
      const read = inputs.get(name);
      if (read === undefined)
        return unknownTruth(
          unknown("expression", `The input ${type} of a filter chain matcher is not evaluated.`),
        );
      const value = read.value(socket, input);
      if (typeof value === "string") asked.add(`${read.words} ${value}`);
      return value;
    },
    envoy,
  );
  if (result.kind === "none") return { kind: "no match" };
  if (result.kind === "unknown") return result;
  if (result.type === "google.protobuf.StringValue")
    return { kind: "name", name: text(result.action, "value"), matched: [...asked] };
  const because = unknown(
    "expression",
    `The action ${result.type} of a filter chain matcher is not evaluated.`,
  );
  return { kind: "unknown", because: [because] };
}

interface Input {
  readonly words: string;
  readonly value: (socket: AcceptedSocket, input: Message) => InputValue;
}

/** By the end of their types (facts 3.3). Undefined: there is no such value, which is no error. */
const inputs: ReadonlyMap<string, Input> = new Map([
  ["DestinationIPInput", { words: "destination", value: ({ destination }) => destination?.ip }],
  [
    "DestinationPortInput",
    { words: "destination port", value: ({ destination }) => destination?.port.toString() },
  ],
  ["SourceIPInput", { words: "source", value: ({ source }) => ofPeer(source, ({ ip }) => ip) }],
  ["SourcePortInput", { words: "source port", value: ({ source }) => ofPeer(source, portOf) }],
  [
    "DirectSourceIPInput",
    { words: "direct source", value: ({ directSource }) => ofPeer(directSource, ({ ip }) => ip) },
  ],
  ["SourceTypeInput", { words: "source type", value: sourceType }],
  ["ServerNameInput", { words: "server name", value: ({ serverName }) => orMissing(serverName) }],
  ["TransportProtocolInput", { words: "transport protocol", value: transportProtocolOf }],
  ["ApplicationProtocolInput", { words: "application protocols", value: quotedProtocols }],
  [
    "FilterStateInput",
    { words: "filter state", value: (socket, input) => filterStateValue(socket, text(input, "key")) },
  ],
  ["DynamicMetadataInput", { words: "dynamic metadata", value: metadata }],
  // the network namespace of the listener's address, which Istio never sets
  ["NetworkNamespaceInput", { words: "network namespace", value: () => undefined }],
]);

const orMissing = (value: string): string | undefined => (value === "" ? undefined : value);

function quotedProtocols({ applicationProtocols }: AcceptedSocket): string | undefined {
  return orMissing(applicationProtocols.map((protocol) => `'${protocol}'`).join(","));
}

const clientUnknown = unknownTruth(unknown("client address", "The address of the client is not known."));

function ofPeer(peer: Peer, part: (address: { ip: string; port: number }) => InputValue): InputValue {
  if (peer === "unknown") return clientUnknown;
  return peer === null ? undefined : part(peer);
}

const portOf = ({ port }: { port: number }): InputValue => (port === 0 ? clientUnknown : String(port));

function sourceType({ source, destination, isPipe }: AcceptedSocket): InputValue {
  if (isPipe) return "local";
  return ofPeer(source, ({ ip }) =>
    isEnvoyLoopback(ip) || (destination !== null && isSameIp(ip, destination.ip)) ? "local" : undefined,
  );
}

function metadata(socket: AcceptedSocket, input: Message): InputValue {
  const path = children(input, "path").map((segment) => text(segment, "key"));
  const value = metadataValue(socket, text(input, "filter"), path);
  return value.state === "unknown" ? value.truth : { metadata: value.value };
}
