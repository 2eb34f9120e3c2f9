/**
 * `istioctl proxy-config cluster`, and what the views over sections have in common.
 * Source: istio/istio, istioctl/pkg/writer/envoy/configdump/cluster.go.
 */
import { contentOf, field, isMessage, type Message } from "../snapshot/message.js";
import type { Origin, ReferenceList, Resource, ResourceReference, ResourceState } from "../snapshot/model.js";
import { withJsonNames } from "../snapshot/parse/recase.js";
import { compareClusterNames, renderConfig, tableKey } from "../snapshot/istio-config.js";
import type { View, ViewOptions } from "./view.js";

/** All that are given must apply; they look at the name of the cluster, not at its parts. */
export interface ClusterFilter {
  /** Stands in the name. */
  readonly fqdn?: string;
  /** Stands in the name as `|<port>|`. */
  readonly port?: number;
  /** Stands in the name. */
  readonly subset?: string;
  /** Stands in the name, so that `inbound` finds `inbound-vip` too. */
  readonly direction?: string;
}

export function clusterView(section: ReferenceList, filter: ClusterFilter, options: ViewOptions): View {
  const prefixed = showsKinds(options);
  const clusters = shownReferences(section, options)
    .filter(({ reference }) => matches(reference.name, filter))
    .sort((a, b) => compareClusterNames(a.reference.name, b.reference.name));
  const withRule = options.istioctl >= 7;
  return {
    header: [
      ...(prefixed ? ["NAME"] : []),
      "SERVICE FQDN",
      "PORT",
      "SUBSET",
      "DIRECTION",
      "TYPE",
      ...(withRule ? ["DESTINATION RULE"] : []),
    ],
    rows: clusters.map(({ reference: { name }, content }) => {
      const key = tableKey(name);
      const shownName = prefixed && name !== "" ? `cluster/${name}` : name;
      return [
        ...(prefixed ? [shownName] : []),
        ...(key === null
          ? [shownName, "-", "-", "-"]
          : [key.hostname, String(key.port), key.subset === "" ? "-" : key.subset, key.direction]),
        content === null ? "" : enumName(field(content, "type"), discoveryTypes),
        ...(withRule ? [renderConfig(content ?? undefined, options.istioctl)] : []),
      ];
    }),
    origins: clusters.map(({ reference }) => reference.origin),
    padding: 5,
    json: clusters.flatMap(jsonOf),
    note: "",
  };
}

function matches(name: string, { fqdn = "", port = 0, subset = "", direction = "" }: ClusterFilter): boolean {
  return (
    name.includes(fqdn) &&
    name.includes(direction) &&
    name.includes(subset) &&
    (port === 0 || name.includes(`|${port}|`))
  );
}

/** `envoy.config.cluster.v3.Cluster.DiscoveryType`; the first is also that of a cluster with a custom type. */
const discoveryTypes = ["STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS", "ORIGINAL_DST"] as const;

// What the views over sections have in common

/** A reference with its content, null when none was dumped. */
export interface Shown {
  readonly reference: ResourceReference;
  readonly resource: Resource | null;
  readonly content: Message | null;
}

/** What istioctl shows: not what is only on its way in or out. The list of a bare slice is not known: it is shown. */
const shownStates: readonly ResourceState[] = ["active", "unknown"];

/** The references to show, in istioctl's order: dynamic ones, then static ones, each as dumped. */
export function shownReferences(section: ReferenceList, { states = shownStates }: ViewOptions): Shown[] {
  const shown = [...section].flatMap((reference, index): Shown[] => {
    if (!states.includes(reference.state)) return [];
    const resource = section.resource(index);
    return [{ reference, resource, content: resource === null ? null : contentOf(resource) }];
  });
  return [
    ...shown.filter(({ reference }) => reference.source === "dynamic"),
    ...shown.filter(({ reference }) => reference.source === "static"),
  ];
}

/** The resource as istioctl prints it: a message of a known type, so without `@type`. */
export function jsonOf({ resource, content }: Shown): unknown[] {
  if (resource === null || content === null) return [];
  return [withoutType(withJsonNames(content, resource.type))];
}

function withoutType(value: unknown): unknown {
  return isMessage(value)
    ? Object.fromEntries(Object.entries(value).filter(([key]) => key !== "@type"))
    : value;
}

/** Whether names carry their kind: only `proxy-config all`, since 1.19. */
export function showsKinds({ prefixed = false, istioctl }: ViewOptions): boolean {
  return prefixed && istioctl >= 19;
}

/** The messages of a repeated field with their places: another element counts, but is none. */
export function members(message: Message | undefined, name: string): (readonly [Message, number])[] {
  const value = field(message, name);
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown, index) => (isMessage(item) ? [[item, index] as const] : []));
}

/** A place inside an object. */
export function inside({ entry, pointer }: Origin, way: string): Origin {
  return { entry, pointer: pointer + way };
}

/** The name of an enum's value, which JSON may hold by number too; the first where it is absent. */
export function enumName(value: unknown, names: readonly [string, ...string[]]): string {
  if (typeof value === "number") return names[value] ?? String(value);
  return typeof value === "string" && value !== "" ? value : names[0];
}
