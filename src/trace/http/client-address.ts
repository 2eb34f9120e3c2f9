/**
 * Who the client is: the trusted client address out of `x-forwarded-for` and its like, and whether the request is internal.
 * Sources: envoyproxy/envoy, source/common/http/conn_manager_utility.cc (mutateRequestHeaders), utility.cc
 * (getLastAddressFromXFF), source/extensions/http/original_ip_detection; checked against Envoy 1.36.
 */
import {
  child,
  children,
  field,
  flag,
  isMessage,
  number,
  text,
  typeOf,
  unpacked,
  type Message,
} from "../../snapshot/message.js";
import { canonicalIp, cidrOfMessage, contains, isEnvoyLoopback, parseIp } from "../address.js";
import type { EnvoyMinor, Runtime } from "../match-context.js";
import {
  firstHeader,
  headerValue,
  unknownValue,
  withHeader,
  type Connection,
  type HeaderList,
  type SocketAddress,
} from "../request.js";
import { runtimeGuard } from "../runtime-values.js";
import { unknown, type Unknown } from "../unknown.js";

/** An address without its port (0): what a header says has none. */
type Peer = SocketAddress | null | "unknown";

export interface ClientAddress {
  /** The client as HTTP filters see it. */
  readonly address: Peer;
  /** Whether the way to the address is short enough to believe that it may be internal. */
  readonly mayBeInternal: boolean;
  /** With `x-forwarded-for` as it goes on. */
  readonly headers: HeaderList;
  /** The status that an extension refuses the request with; null where none does. */
  readonly rejectedWith: number | null;
  readonly assumptions: readonly string[];
  readonly unknowns: readonly Unknown[];
}

const xff = "x-forwarded-for";

export function clientAddress(headers: HeaderList, manager: Message, connection: Connection): ClientAddress {
  return flag(manager, "use_remote_address") === true
    ? fromPeer(headers, manager, connection)
    : fromHeaders(headers, manager, connection);
}

const plain = { rejectedWith: null, assumptions: [], unknowns: [] } as const;

function fromPeer(headers: HeaderList, manager: Message, connection: Connection): ClientAddress {
  const hops = number(manager, "xff_num_trusted_hops") ?? 0;
  const trusted = hops > 0 ? lastAddress(headers, hops - 1)?.address : undefined;
  const append = flag(manager, "skip_xff_append") !== true;
  return {
    ...plain,
    address: trusted ?? connection.source,
    mayBeInternal: headerValue(headers, xff) === undefined,
    ...(append ? appended(headers, connection) : { headers }),
  };
}

/** One way after the other, until one finds an address. */
function fromHeaders(headers: HeaderList, manager: Message, connection: Connection): ClientAddress {
  const configured = children(manager, "original_ip_detection_extensions");
  const extensions =
    configured.length > 0
      ? configured.map((extension) => child(extension, "typed_config"))
      : [{ "@type": xffType, xff_num_trusted_hops: number(manager, "xff_num_trusted_hops") ?? 0 }];
  let at: Pick<ClientAddress, "headers" | "assumptions"> = { headers, assumptions: [] };
  for (const any of extensions) {
    const found = detect(any, at.headers, connection);
    if (found.because !== undefined)
      return { ...plain, ...at, address: "unknown", mayBeInternal: false, unknowns: [found.because] };
    if (found.rejectedWith !== undefined)
      return {
        ...plain,
        ...at,
        address: connection.source,
        mayBeInternal: false,
        rejectedWith: found.rejectedWith,
      };
    if (found.appends === true) at = appended(at.headers, connection);
    if (found.address !== undefined)
      return { ...plain, ...at, address: found.address, mayBeInternal: found.mayBeInternal === true };
  }
  return { ...plain, ...at, address: connection.source, mayBeInternal: false };
}

interface Detected {
  readonly address?: SocketAddress;
  readonly mayBeInternal?: boolean;
  readonly appends?: boolean;
  readonly rejectedWith?: number;
  readonly because?: Unknown;
}

const extensionTypes = "envoy.extensions.http.original_ip_detection";
const xffType = `${extensionTypes}.xff.v3.XffConfig`;

function detect(any: Message | undefined, headers: HeaderList, connection: Connection): Detected {
  const config = unpacked(any);
  switch (typeOf(any)) {
    case xffType:
      return detectByXff(config, headers, connection);
    case `${extensionTypes}.custom_header.v3.CustomHeaderConfig`:
      return detectByHeader(config, headers);
    default:
      return {
        because: unknown(
          "client address",
          `The client's address is found by ${typeOf(any)}, which is not evaluated.`,
        ),
      };
  }
}

function detectByXff(config: Message | undefined, headers: HeaderList, connection: Connection): Detected {
  const appends = flag(config, "skip_xff_append") === false; // absent: it is skipped
  const trusted = children(child(config, "xff_trusted_cidrs"), "cidrs").flatMap(
    (range) => cidrOfMessage(range) ?? [],
  );
  if (trusted.length === 0)
    return { ...lastAddress(headers, number(config, "xff_num_trusted_hops") ?? 0), appends };
  if (connection.source === "unknown")
    return {
      because: unknown("client address", "Whether the peer is a trusted proxy depends on its address."),
    };
  const isTrusted = (ip: string): boolean => {
    const parsed = parseIp(ip);
    return parsed !== null && trusted.some((range) => contains(range, parsed));
  };
  if (connection.source === null || !isTrusted(connection.source.ip)) return { appends: true };
  return { ...lastUntrusted(headers, isTrusted), appends };
}

/** The first line of a header of one's own. */
function detectByHeader(config: Message | undefined, headers: HeaderList): Detected {
  const value = firstHeader(headers, text(config, "header_name").toLowerCase());
  const address = value === undefined ? null : addressIn(value);
  if (address !== null)
    return { address, mayBeInternal: flag(config, "allow_extension_to_set_address_as_trusted") === true };
  const status = child(config, "reject_with_status");
  if (status === undefined) return {};
  const code = number(status, "code") ?? 0;
  return { rejectedWith: code >= 400 && code < 600 ? code : 403 };
}

/** The address before the last so many of `x-forwarded-for`; undefined where that is none. */
function lastAddress(
  headers: HeaderList,
  skipped: number,
): Required<Pick<Detected, "address" | "mayBeInternal">> | undefined {
  let value = headerValue(headers, xff);
  for (let hop = 0; hop < skipped && value !== undefined; hop++) {
    const comma = value.lastIndexOf(",");
    value = comma < 0 ? undefined : value.slice(0, comma);
  }
  if (value === undefined) return undefined;
  const comma = value.lastIndexOf(",");
  const address = addressIn(value.slice(comma + 1).trim());
  return address === null ? undefined : { address, mayBeInternal: comma < 0 && skipped === 0 };
}

/** From the right, the first that is no trusted proxy; where all are, the leftmost. */
function lastUntrusted(headers: HeaderList, isTrusted: (ip: string) => boolean): Detected {
  const entries = (headerValue(headers, xff) ?? "").split(",").map((entry) => addressIn(entry.trim()));
  for (const entry of entries.toReversed()) {
    if (entry === null) return {};
    if (!isTrusted(entry.ip)) return { address: entry, mayBeInternal: entries.length === 1 };
  }
  const [leftmost] = entries;
  return leftmost === null || leftmost === undefined
    ? {}
    : { address: leftmost, mayBeInternal: entries.length === 1 };
}

function addressIn(value: string): SocketAddress | null {
  return parseIp(value) === null ? null : { ip: canonicalIp(value), port: 0 };
}

/** The peer's address goes to the end; in the place of a loopback address Envoy writes its own. */
function appended(
  headers: HeaderList,
  { source }: Connection,
): Pick<ClientAddress, "headers" | "assumptions"> {
  if (source === null) return { headers, assumptions: [] };
  const before = headerValue(headers, xff);
  const own = source === "unknown" || isEnvoyLoopback(source.ip) ? unknownValue : canonicalIp(source.ip);
  const value = before === undefined || before === "" ? own : `${before},${own}`;
  return {
    headers: withHeader(headers, xff, value),
    assumptions:
      own === unknownValue
        ? ["No condition looks at the address that Envoy adds to x-forwarded-for, which is not known."]
        : [],
  };
}

/** Since 1.33 nothing is internal that `internal_address_config` does not name; before, private addresses were. */
const firstWithoutDefault: EnvoyMinor = 33;
const firstWithoutGuard: EnvoyMinor = 36;

/** Whether Envoy holds an address for one of its own; only for requests that `mayBeInternal`. */
export function isInternalAddress(
  address: SocketAddress,
  manager: Message,
  runtime: Runtime,
  envoy: EnvoyMinor,
): boolean {
  const ip = parseIp(address.ip);
  if (ip === null) return false;
  const config = child(manager, "internal_address_config");
  const ranges = children(config, "cidr_ranges").flatMap((range) => cidrOfMessage(range) ?? []);
  if (ranges.length > 0) return ranges.some((range) => contains(range, ip));
  const isExplicit =
    envoy >= firstWithoutGuard ||
    runtimeGuard(runtime, "explicit_internal_address_config", envoy >= firstWithoutDefault);
  if (!isMessage(field(manager, "internal_address_config")) && isExplicit) return false;
  return isPrivate(address.ip);
}

const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"].map((range) => {
  const [address_prefix = "", length] = range.split("/");
  return cidrOfMessage({ address_prefix, prefix_len: Number(length) });
});

/** RFC 1918, RFC 4193, and the two loopback addresses (Utility::isInternalAddress). */
function isPrivate(value: string): boolean {
  const ip = parseIp(value);
  if (ip === null) return false;
  return isEnvoyLoopback(value) || privateRanges.some((range) => range !== null && contains(range, ip));
}
