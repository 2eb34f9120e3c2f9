/**
 * What a file is, by its entry's name: the layouts of our bundle, of `istioctl bug-report` and of must-gather. The folders
 * before the known part are free. What a name does not tell, the content does.
 */
import { clusterzPlace, hostsAndNamespaces } from "./istio-fields.js";
import { anywhere, type Place } from "./places.js";

export type EntryForm =
  /** An answer in JSON, or an error text in its place. */
  | { readonly kind: "JSON"; readonly place: Place }
  /** Templates and values of injection, in JSON or as one text. */
  | { readonly kind: "injection template" }
  | { readonly kind: "YAML" }
  | { readonly kind: "log" }
  /** Lines of names and figures: statistics, tables; JSON in newer releases. */
  | { readonly kind: "figures" }
  /** The context and the API server of who captured. */
  | { readonly kind: "cluster context" }
  /** Nobody looks into it. */
  | { readonly kind: "binary"; readonly reason: string }
  | { readonly kind: "unknown" };

const json: EntryForm = { kind: "JSON", place: anywhere };
const forms: readonly (readonly [RegExp, EntryForm])[] = [
  [/\.log$/, { kind: "log" }],
  [/(?:^|\/)debug\/inject$/, { kind: "injection template" }],
  [/(?:^|\/)debug\/clusterz$/, { kind: "JSON", place: clusterzPlace }],
  [
    /(?:^|\/)debug\/(?:endpointShardz|endpointz|push_status|instancesz|resourcesz|cachez)$/,
    { kind: "JSON", place: hostsAndNamespaces },
  ],
  [/(?:^|\/)(?:debug\/.+|config_dump(?:\?[^/]*)?|server_info|certs|runtime|memory)$/, json],
  [/\.json$|(?:^|\/)(?:envoyConfiguration|pilotConfiguration|synchronization)$/, json],
  [/(?:^|\/)(?:stats(?:\/prometheus)?|proxy_stats|metrics|clusters|listeners|version)$/, { kind: "figures" }],
  [/(?:^|\/)cluster\/cluster-context$/, { kind: "cluster context" }],
  [/(?:^|\/)cluster\/(?:k8s-resources|k8s-cluster-resources|crs|nodes|pods|secrets)$/, { kind: "YAML" }],
  [/\.ya?ml$/, { kind: "YAML" }],
  [/(?:^|\/)cores\/|\.core$/, { kind: "binary", reason: "is a core dump: memory of a process" }],
];

export function entryForm(name: string): EntryForm {
  const path = name.replaceAll("\\", "/");
  return forms.find(([pattern]) => pattern.test(path))?.[1] ?? { kind: "unknown" };
}

/** Why bytes are no text that can be looked through; null where they are one. */
export function binaryReason(bytes: Uint8Array): string | null {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return "is compressed";
  if (bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 0x03) return "is a zip archive";
  return bytes.includes(0) ? "is no text: it holds zero bytes" : null;
}

/** What a text without a telling name is. */
export function sniffedForm(head: string): "JSON" | "YAML" | "text" {
  const start = head.trimStart();
  if (start.startsWith("{") || /^\[\s*(?:[{[\]"]|$)/.test(start)) return "JSON";
  return /^(?:---\s|apiVersion:|items:|kind: )|^- apiVersion:/m.test(start.slice(0, 4096)) ? "YAML" : "text";
}

/** A name for people that says where free text stands without naming pods: `proxies/*\/*\/istio-proxy.log`. */
export function placeName(name: string): string {
  const path = name.replaceAll("\\", "/");
  const known = placeNames.find(([pattern]) => pattern.test(path));
  return known === undefined ? path : path.replace(known[0], known[1]);
}
const placeNames: readonly (readonly [RegExp, string])[] = [
  [/^.*?(proxies|istio|ztunnel|operator)\/[^/]+\/[^/]+\//s, "$1/*/*/"],
  [/^.*?cni\/[^/]+\//s, "cni/*/"],
  [/^.*?namespaces\/[^/]+\/pods\/[^/]+\//s, "namespaces/*/pods/*/"],
  [/^.*?namespaces\/[^/]+\//s, "namespaces/*/"],
  [/^.*?analyze\/.*$/s, "analyze/*"],
  [/^.*?cluster\//s, "cluster/"],
];
