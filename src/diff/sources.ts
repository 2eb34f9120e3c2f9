/** Which Istio resources a piece of Envoy's configuration comes from, and which of them a difference is about. */
import { configSourceOf, parseSubsetKey } from "../snapshot/istio-config.js";
import type { Resource, SectionKind } from "../snapshot/model.js";
import { canonicalText, isList, isObject, type JsonObject, type JsonValue } from "../shared/json-value.js";

/** The resource's name as users write it: `VirtualService/reviews.default`. */
export type SourceName = string;

/** Every object of a semantic form that names its source, as texts by source. */
function objectsBySource(value: JsonValue): Map<SourceName, string[]> {
  const found = new Map<SourceName, string[]>();
  const walk = (item: JsonValue): void => {
    if (isList(item)) item.forEach(walk);
    if (!isObject(item)) return;
    const source = configSourceOf(item);
    if (source !== null) {
      const name = `${source.kind}/${source.name}.${source.namespace}`;
      const texts = found.get(name);
      if (texts === undefined) found.set(name, [canonicalText(item)]);
      else texts.push(canonicalText(item));
    }
    for (const [key, inside] of Object.entries(item)) if (key !== "metadata") walk(inside);
  };
  walk(value);
  return found;
}

/**
 * The Istio resources behind a difference: those whose objects are not the same on both sides. Where none is, the host
 * that the piece is for (`Host/reviews.default.svc.cluster.local`), which a Service or ServiceEntry makes.
 * @param before null where there is none
 */
export function sourcesOfDifference(
  kind: SectionKind,
  name: string,
  before: JsonValue | null,
  after: JsonValue | null,
): readonly SourceName[] {
  const pieces =
    kind === "routeConfiguration"
      ? differingHosts(before, after)
      : [{ host: hostOf(kind, name), before, after }];
  const sources = new Set<SourceName>();
  for (const piece of pieces) {
    const differing = differingSources(piece.before, piece.after);
    for (const source of differing) sources.add(source);
    if (differing.length > 0) continue;
    const hosts = piece.host === null && kind === "listener" ? clusterHosts(piece) : [piece.host];
    for (const host of hosts) if (host !== null) sources.add(`Host/${host}`);
  }
  return [...sources].sort();
}

interface Piece {
  readonly before: JsonValue | null;
  readonly after: JsonValue | null;
}

function differingSources(before: JsonValue | null, after: JsonValue | null): readonly SourceName[] {
  const old = before === null ? new Map<SourceName, string[]>() : objectsBySource(before);
  const now = after === null ? new Map<SourceName, string[]>() : objectsBySource(after);
  return [...new Set([...old.keys(), ...now.keys()])].filter(
    (source) => (old.get(source) ?? []).join("\n") !== (now.get(source) ?? []).join("\n"),
  );
}

/** The virtual hosts that are not the same, each with the host that it is for; where all are, the configuration itself. */
function differingHosts(
  before: JsonValue | null,
  after: JsonValue | null,
): (Piece & { readonly host: string | null })[] {
  const [old, now] = [virtualHosts(before), virtualHosts(after)];
  const differing = [...new Set([...old.keys(), ...now.keys()])].flatMap((name) => {
    const piece = { before: old.get(name) ?? null, after: now.get(name) ?? null };
    return canonicalText(piece.before) === canonicalText(piece.after)
      ? []
      : [{ ...piece, host: hostOfVirtualHost(name) }];
  });
  return differing.length === 0 ? [{ before, after, host: null }] : differing;
}

function virtualHosts(routes: JsonValue | null): Map<string, JsonValue> {
  const list = isObject(routes ?? undefined) ? (routes as JsonObject)["virtual_hosts"] : undefined;
  return new Map(
    (isList(list) ? list : []).flatMap((host) =>
      isObject(host) && typeof host["name"] === "string" ? [[host["name"], host] as const] : [],
    ),
  );
}

/** `reviews.default.svc.cluster.local:9080`; the others are for no host: `allow_any`, `blackhole:80`. */
function hostOfVirtualHost(name: string): string | null {
  const end = name.lastIndexOf(":");
  const host = name.slice(0, Math.max(end, 0));
  return host.includes(".") ? host : null;
}

/** The host that a cluster or an endpoint assignment is for. */
function hostOf(kind: SectionKind, name: string): string | null {
  if (kind !== "cluster" && kind !== "endpointAssignment") return null;
  const hostname = parseSubsetKey(name)?.hostname ?? "";
  return hostname === "" ? null : hostname;
}

/** The hosts of the clusters that a listener leads to on one side only: of a TCP port that came or went. */
function clusterHosts({ before, after }: Piece): string[] {
  const [old, now] = [clustersIn(before), clustersIn(after)];
  return [...new Set([...old, ...now])].flatMap((cluster) => {
    const host = old.has(cluster) === now.has(cluster) ? null : hostOf("cluster", cluster);
    return host === null ? [] : [host];
  });
}

function clustersIn(value: JsonValue | null): ReadonlySet<string> {
  const found = new Set<string>();
  const walk = (item: JsonValue): void => {
    if (isList(item)) item.forEach(walk);
    if (!isObject(item)) return;
    if (typeof item["cluster"] === "string") found.add(item["cluster"]);
    Object.values(item).forEach(walk);
  };
  if (value !== null) walk(value);
  return found;
}

/** What a resource's semantic form comes from as a whole, for a title. */
export const allSources = (resource: Resource, value: JsonValue): readonly SourceName[] =>
  resource.text.includes('"config"') ? [...objectsBySource(value).keys()].sort() : [];
