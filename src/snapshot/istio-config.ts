/**
 * What Istio says about the objects that it makes: the resource an object comes from, and the parts of a cluster's name.
 * Sources: istio/istio, istioctl/pkg/writer/envoy/configdump/route.go (renderConfig); pilot/pkg/model/service.go
 * (ParseSubsetKey).
 */
import { compareText } from "../shared/sorting.js";
import { child, field, type Message } from "./message.js";

/** The Istio resource that an object comes from, as its metadata names it. */
export interface ConfigSource {
  /** `networking.istio.io`; `networking` up to Istio 1.4. */
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  /** As Kubernetes writes it: `VirtualService`. */
  readonly kind: string;
  readonly name: string;
}

/** The path that Istio leaves in `metadata` of clusters, routes and filter chains; null where there is none. */
function configPath(object: Message | undefined): string | null {
  const config = field(child(object, "metadata", "filter_metadata", "istio"), "config");
  if (config === undefined) return null;
  return typeof config === "string" ? config : "";
}

/**
 * The resource that an object comes from, as the columns VIRTUAL SERVICE and DESTINATION RULE have it: `<name>.<namespace>`,
 * `<unknown>` for another group, "" where nothing is said.
 */
export function renderConfig(object: Message | undefined, istioctl: number): string {
  const path = configPath(object);
  if (path === null) return "";
  const known = `/apis/networking.istio.io/${istioctl >= 24 ? "" : "v1alpha3/namespaces/"}`;
  if (!path.startsWith(known)) return "<unknown>";
  const pieces = path.split("/");
  return pieces.length === 8 ? `${pieces[7] ?? ""}.${pieces[5] ?? ""}` : "";
}

/** The resource that an object comes from, of whatever group; null where the object names none. */
export function configSourceOf(object: Message | undefined): ConfigSource | null {
  return parseConfigPath(configPath(object) ?? "");
}

/** `/apis/<group>/<version>/namespaces/<namespace>/<kind-in-kebab-case>/<name>`; null when it is not of that form. */
export function parseConfigPath(path: string): ConfigSource | null {
  const [, group, version, namespace, kind, name] =
    /^\/apis\/([^/]+)\/([^/]+)\/namespaces\/([^/]*)\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (
    group === undefined ||
    version === undefined ||
    namespace === undefined ||
    kind === undefined ||
    name === undefined
  )
    return null;
  return { group, version, namespace, kind: kubernetesKind(kind), name };
}

/** `virtual-service` -> `VirtualService`, `http-route` -> `HTTPRoute`. */
function kubernetesKind(kebab: string): string {
  return kebab
    .split("-")
    .map((word) =>
      /^(?:http|grpc|tls|tcp|udp)$/.test(word)
        ? word.toUpperCase()
        : word.charAt(0).toUpperCase() + word.slice(1),
    )
    .join("");
}

/** What the name of a cluster says. */
export interface SubsetKey {
  readonly direction: string;
  /** 0 when it is no number. */
  readonly port: number;
  readonly subset: string;
  readonly hostname: string;
}

/**
 * `<direction>|<port>|<subset>|<hostname>`, or with `_.` between the parts as in an SNI.
 * @returns null for a name that is neither
 */
export function parseSubsetKey(name: string): SubsetKey | null {
  const separator = /^(?:outbound|inbound)_\./.test(name) ? "_." : "|";
  const [direction, port, subset, ...rest] = name.split(separator);
  if (direction === undefined || port === undefined || subset === undefined || rest.length === 0) return null;
  return { direction, port: wholeNumber(port) ?? 0, subset, hostname: rest.join(separator) };
}

/** The key of a name that the tables of clusters and endpoints take apart: they ask for three `|`. */
export function tableKey(name: string): SubsetKey | null {
  return name.split("|", 4).length === 4 ? parseSubsetKey(name) : null;
}

/** The order of clusters in istioctl's tables; a name that has no parts counts as a hostname. */
export function compareClusterNames(a: string, b: string): number {
  const left = tableKey(a) ?? nameOnly(a);
  const right = tableKey(b) ?? nameOnly(b);
  return (
    compareText(left.hostname, right.hostname) ||
    compareText(left.subset, right.subset) ||
    left.port - right.port ||
    compareText(left.direction, right.direction)
  );
}

const nameOnly = (name: string): SubsetKey => ({ direction: "", port: 0, subset: "", hostname: name });

/** A text that Go's `strconv.Atoi` takes; null for any other. */
export function wholeNumber(text: string): number | null {
  return /^[+-]?\d{1,18}$/.test(text) ? Number(text) : null;
}
