/**
 * Whether a connection enters a proxy at all: the rules that istio-iptables, its CNI plugin and nftables write into a pod
 * (istio/istio, tools/istio-iptables/pkg/capture/run.go; the injection template), in their order.
 */
import { isMessage, type Message } from "../snapshot/message.js";
import { contains, isLoopback, isSameIp, parseCidr, parseIp, parsePort, socketText } from "./address.js";
import { receivingListener, type ActiveListeners } from "./listener/listener-choice.js";
import type { SocketAddress } from "./request.js";
import { unknown, type Unknown } from "./unknown.js";

/** What is known of the pod that a proxy runs in. */
export interface EntryPod {
  /** `sidecar` pods are captured; others take what reaches their sockets. */
  readonly isSidecar: boolean;
  /** `node.metadata`. */
  readonly metadata: Message;
  readonly ips: readonly string[];
  /** null: the list of pods was not captured, or does not name the pod. */
  readonly hostNetwork: boolean | null;
  readonly listeners: ActiveListeners;
  /** Ports of the capture listeners where the mesh has others than 15001 and 15006. */
  readonly capturePorts?: { readonly outbound: number; readonly inbound: number };
}

export type TrafficEntry = { readonly assumptions: readonly string[] } & (
  | {
      readonly enters: true;
      /** `redirect` and `tproxy` to a capture listener, or straight to a socket of the proxy. */
      readonly by: "redirect" | "tproxy" | "bound";
      readonly direction: "outbound" | "inbound";
      /** Where the packets go; the kernel keeps the original destination. */
      readonly at: SocketAddress;
      readonly because: string;
    }
  | { readonly enters: false; readonly because: string }
  | { readonly enters: "unknown"; readonly because: readonly Unknown[] }
);

/** What the first rule that applies says. */
type Verdict =
  { readonly captures: boolean; readonly because: string } | { readonly unknown: Unknown } | null;

/** A setting of the pod: its text, and whether the snapshot says it. */
const annotations = {
  includeInboundPorts: "*",
  excludeInboundPorts: "",
  includeOutboundIPRanges: "*",
  excludeOutboundIPRanges: "",
  includeOutboundPorts: "",
  excludeOutboundPorts: "",
} as const;
type AnnotationName = keyof typeof annotations;

/** Left alone by every release that has them: Prometheus, health, the agent's merged metrics and health. */
const ownInboundPorts = [15090, 15021, 15020];
/** HBONE comes to its own socket. */
const tunnelPort = 15008;
const dnsPort = 53;

/** A connection that an application of the pod opens. @param destination the address that it dials */
export function outboundEntry(pod: EntryPod, destination: SocketAddress): TrafficEntry {
  return enter(pod, destination, "outbound", outboundRules);
}

/** A connection from outside to an address of the pod. */
export function inboundEntry(pod: EntryPod, destination: SocketAddress): TrafficEntry {
  return enter(pod, destination, "inbound", inboundRules);
}

/**
 * A connection that the pod's own proxy opens: never captured on its way out, but one to an address of its own pod comes
 * in again.
 */
export function entryOfProxy(pod: EntryPod, destination: SocketAddress): TrafficEntry {
  const isOwn = pod.ips.some((ip) => isSameIp(ip, destination.ip));
  if (isOwn && destination.port !== tunnelPort)
    return enter(pod, destination, "inbound", () => captured("it comes from the proxy of the same pod"));
  const because = isLoopback(destination.ip)
    ? "the proxy dials a loopback address"
    : "it comes from the proxy itself";
  return { enters: false, because, assumptions: [] };
}

type Rules = (pod: EntryPod, destination: SocketAddress, read: (name: AnnotationName) => string) => Verdict;

const captured = (because: string): Verdict => ({ captures: true, because });
const passedBy = (because: string): Verdict => ({ captures: false, because });

function enter(
  pod: EntryPod,
  destination: SocketAddress,
  direction: "outbound" | "inbound",
  rules: Rules,
): TrafficEntry {
  const uncaptured = whyUncaptured(pod);
  if (uncaptured !== null) return bound(pod, destination, direction, uncaptured, []);
  const usual = new Map<AnnotationName, string>();
  const read = (name: AnnotationName): string => {
    const told = annotation(pod.metadata, name);
    if (told === null) usual.set(name, annotations[name]);
    return told ?? annotations[name];
  };
  const verdict = rules(pod, destination, read) ?? passedBy("no rule captures it");
  const assumptions = [
    ...(pod.hostNetwork === null ? ["The pod is not on the host's network."] : []),
    ...usualWords(usual),
  ];
  if (verdict === null) return { enters: false, because: "no rule captures it", assumptions };
  if ("unknown" in verdict) return { enters: "unknown", because: [verdict.unknown], assumptions };
  if (!verdict.captures) return bound(pod, destination, direction, verdict.because, assumptions);
  const isTproxy = modeOf(pod.metadata) === "TPROXY" && direction === "inbound";
  return {
    enters: true,
    by: isTproxy ? "tproxy" : "redirect",
    direction,
    at: captureAddress(pod, destination, direction),
    because: verdict.because,
    assumptions,
  };
}

/** Why the pod has no rules; null where it has. */
function whyUncaptured({ isSidecar, metadata, hostNetwork }: EntryPod): string | null {
  if (!isSidecar) return "a proxy that is no sidecar captures nothing";
  if (hostNetwork === true) return "the pod is on the host's network, where nothing is captured";
  return modeOf(metadata) === "NONE" ? "its interception mode is NONE" : null;
}

function modeOf(metadata: Message): string {
  const mode = metadata["INTERCEPTION_MODE"];
  return typeof mode === "string" && mode !== "" ? mode.toUpperCase() : "REDIRECT";
}

/** Traffic that is not captured still enters where the proxy has a socket of its own. */
function bound(
  pod: EntryPod,
  destination: SocketAddress,
  direction: "outbound" | "inbound",
  because: string,
  assumptions: readonly string[],
): TrafficEntry {
  const isReachable =
    direction === "inbound" ||
    isLoopback(destination.ip) ||
    pod.ips.some((ip) => isSameIp(ip, destination.ip));
  const receiver = isReachable ? receivingListener(pod.listeners, destination) : null;
  if (receiver === null) return { enters: false, because, assumptions };
  const words = `${because}, and the proxy listens on ${receiver.address} itself`;
  return { enters: true, by: "bound", direction, at: destination, because: words, assumptions };
}

/** REDIRECT sends packets from inside to a loopback address, those from outside to the pod's own. */
function captureAddress(
  { capturePorts, ips }: EntryPod,
  { ip }: SocketAddress,
  direction: "outbound" | "inbound",
): SocketAddress {
  const isIpv6 = ip.includes(":");
  if (direction === "outbound")
    return { ip: isIpv6 ? "::1" : "127.0.0.1", port: capturePorts?.outbound ?? 15001 };
  const own = ips.find((one) => one.includes(":") === isIpv6);
  return { ip: own ?? ip, port: capturePorts?.inbound ?? 15006 };
}

const outboundRules: Rules = (pod, destination, read) => {
  const { ip, port } = destination;
  if (listed(read("excludeOutboundPorts"), port))
    return passedBy(excluded("excludeOutboundPorts", String(port)));
  const capturesDns = isOn(pod.metadata["DNS_CAPTURE"]) && port === dnsPort;
  const included = read("includeOutboundIPRanges");
  const isLocal = isLoopback(ip) || pod.ips.some((own) => isSameIp(own, ip));
  if (isLocal && !includesLoopback(included) && !capturesDns)
    return passedBy("it stays inside the pod, on the loopback interface");
  if (capturesDns) return passedBy("DNS goes to the DNS proxy of the agent, on port 15053");
  if (isSameIp(ip, "127.0.0.1") || isSameIp(ip, "::1")) return passedBy("it goes to the loopback address");
  return (
    inRanges(read("excludeOutboundIPRanges"), destination, "excludeOutboundIPRanges", false) ??
    (listed(read("includeOutboundPorts"), port)
      ? captured(`traffic.sidecar.istio.io/includeOutboundPorts names port ${port}`)
      : inRanges(included, destination, "includeOutboundIPRanges", true)) ??
    passedBy(`traffic.sidecar.istio.io/includeOutboundIPRanges, "${included}", does not hold ${ip}`)
  );
};

const inboundRules: Rules = (_, { port }, read) => {
  if (port === tunnelPort) return passedBy(`port ${tunnelPort} is that of HBONE, which is not captured`);
  const included = read("includeInboundPorts");
  if (included !== "*") {
    return listed(included, port)
      ? captured(`traffic.sidecar.istio.io/includeInboundPorts names port ${port}`)
      : passedBy(`traffic.sidecar.istio.io/includeInboundPorts, "${included}", does not name port ${port}`);
  }
  if (ownInboundPorts.includes(port))
    return passedBy(`port ${port} is one of Istio's own, which are not captured`);
  if (listed(read("excludeInboundPorts"), port))
    return passedBy(excluded("excludeInboundPorts", String(port)));
  return captured("all inbound ports are captured");
};

const excluded = (name: AnnotationName, what: string): string =>
  `traffic.sidecar.istio.io/${name} names ${what}`;

/** What the pod's annotation says; null where it has none. */
function annotation(metadata: Message, name: AnnotationName): string | null {
  const list = metadata["ANNOTATIONS"];
  const key = `traffic.sidecar.istio.io/${name}`;
  const value = isMessage(list) && Object.hasOwn(list, key) ? list[key] : undefined;
  return typeof value === "string" ? value.trim() : null;
}

/** What Istio does by default may have been set otherwise for the whole mesh, which the pod does not show. */
function usualWords(usual: ReadonlyMap<AnnotationName, string>): string[] {
  const list = [...usual].map(([name, value]) => `${name} ${value === "" ? "nothing" : `"${value}"`}`);
  return list.length === 0 ? [] : [`The mesh has Istio's defaults of capture: ${list.join(", ")}.`];
}

const isOn = (value: unknown): boolean => value === true || value === "true" || value === "1";

const items = (list: string): string[] =>
  list
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

const listed = (list: string, port: number): boolean =>
  items(list).some((item) => item === "*" || parsePort(item) === port);

const includesLoopback = (ranges: string): boolean =>
  items(ranges).some((item) => {
    const range = parseCidr(item);
    return range !== null && isLoopback(range.first.toString());
  });

/** null: the ranges do not hold the address. */
function inRanges(
  list: string,
  { ip }: SocketAddress,
  name: AnnotationName,
  captures: boolean,
): Verdict | null {
  const address = parseIp(ip);
  let unreadable: string | null = null;
  for (const item of items(list)) {
    if (item === "*") return { captures, because: `traffic.sidecar.istio.io/${name} holds every address` };
    const range = parseCidr(item);
    if (range === null) unreadable ??= item;
    else if (address !== null && contains(range, address))
      return { captures, because: `traffic.sidecar.istio.io/${name} holds ${ip}, in ${item}` };
  }
  if (unreadable === null) return null;
  return { unknown: unknown("redacted", `${name} names "${unreadable}", which is no range of addresses`) };
}

/** For people: `10.0.0.1:80 does not enter the proxy: <because>`. */
export function entryWords(entry: TrafficEntry, destination: SocketAddress): string {
  const where = socketText(destination);
  if (entry.enters === "unknown")
    return `whether ${where} enters the proxy is unknown: ${entry.because.map(({ message }) => message).join("; ")}`;
  return entry.enters
    ? `${where} enters the proxy: ${entry.because}`
    : `${where} does not enter the proxy: ${entry.because}`;
}
