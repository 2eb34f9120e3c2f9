/**
 * `istioctl proxy-config route`.
 * Source: istio/istio, istioctl/pkg/writer/envoy/configdump/route.go and listener.go (describeMatch).
 */
import { child, text, texts, type Message } from "../snapshot/message.js";
import type { Origin, ReferenceList } from "../snapshot/model.js";
import { inside, jsonOf, members, showsKinds, shownReferences, type Shown } from "./clusters.js";
import { renderConfig, wholeNumber } from "../snapshot/istio-config.js";
import type { View, ViewOptions } from "./view.js";

export interface RouteFilter {
  /** The name of the route configuration. */
  readonly name?: string;
}

export interface RouteOptions extends ViewOptions {
  /** A line for each route, and not just one for each route configuration. */
  readonly verbose: boolean;
}

interface Line {
  readonly cells: readonly string[];
  readonly origin: Origin;
}

export function routeView(section: ReferenceList, filter: RouteFilter, options: RouteOptions): View {
  const { istioctl } = options;
  const { name = "" } = filter;
  const prefix = showsKinds(options) ? "route/" : "";
  const configurations = numbersInOrder(shownReferences(section, options)).filter(
    ({ reference }) => name === "" || reference.name === name,
  );
  const verbose = options.verbose && istioctl >= 7;
  const lines = configurations.flatMap((shown) => {
    const { content, reference } = shown;
    const shownName = prefix + reference.name;
    if (content === null) return [{ cells: [shownName], origin: reference.origin }];
    if (!verbose)
      return [
        { cells: [shownName, String(members(content, "virtual_hosts").length)], origin: reference.origin },
      ];
    return routeLines(content, reference.origin, istioctl).map(({ cells, origin }) => ({
      cells: [shownName, ...cells],
      origin,
    }));
  });
  const header = verbose
    ? ["NAME", ...(istioctl >= 18 ? ["VHOST NAME"] : []), "DOMAINS", "MATCH", "VIRTUAL SERVICE"]
    : ["NAME", "VIRTUAL HOSTS"];
  return {
    header,
    rows: lines.map(({ cells }) => header.map((_, column) => cells[column] ?? "")),
    origins: lines.map(({ origin }) => origin),
    padding: 5,
    json: configurations.flatMap(jsonOf),
    note: istioctl < 10 ? "NOTE: This output only contains routes loaded via RDS." : "",
  };
}

/** Numbers that stand beside each other are put in order; every other name keeps its place. */
function numbersInOrder(shown: readonly Shown[]): Shown[] {
  const sorted: Shown[] = [];
  let numbers: (readonly [number, Shown])[] = [];
  const flush = (): void => {
    for (const [, item] of numbers.sort(([a], [b]) => a - b)) sorted.push(item);
    numbers = [];
  };
  for (const item of shown) {
    const number = wholeNumber(item.reference.name);
    if (number === null) {
      flush();
      sorted.push(item);
    } else numbers.push([number, item]);
  }
  flush();
  return sorted;
}

/** The lines of a route configuration, without its name. */
function routeLines(configuration: Message, origin: Origin, istioctl: number): Line[] {
  return members(configuration, "virtual_hosts").flatMap(([host, index]): Line[] => {
    const place = inside(origin, `/virtual_hosts/${index}`);
    const start = [
      ...(istioctl >= 18 ? [text(host, "name")] : []),
      describeDomains(texts(host, "domains"), istioctl),
    ];
    const routes = members(host, "routes");
    if (routes.length === 0) return istioctl >= 8 ? [{ cells: [...start, "/*", "404"], origin: place }] : [];
    return routes
      .filter(([route]) => text(child(route, "route"), "cluster") !== "PassthroughCluster")
      .map(([route, at]) => ({
        cells: [...start, describeMatch(child(route, "match"), istioctl), renderConfig(route, istioctl)],
        origin: inside(place, `/routes/${at}`),
      }));
  });
}

/** The path that a route asks for; headers and query parameters are not shown. */
export function describeMatch(match: Message | undefined, istioctl: number): string {
  const prefix = text(match, "prefix");
  const separated = istioctl >= 21 ? text(match, "path_separated_prefix") : "";
  const path = text(match, "path");
  const regex = child(match, "safe_regex");
  const plainRegex = text(match, "regex"); // API v2
  return [
    ...(prefix === "" ? [] : [`${prefix}*`]),
    ...(separated === "" ? [] : [`PathPrefix:${separated}`]),
    ...(path === "" ? [] : [path]),
    ...(regex === undefined ? [] : [`regex ${text(regex, "regex")}`]),
    ...(plainRegex === "" ? [] : [`regex ${plainRegex}`]),
  ].join(" ");
}

/** The domains of a virtual host, cut down to what tells it from others. */
export function describeDomains(domains: readonly string[], istioctl: number): string {
  const [first = ""] = domains;
  if (domains.length <= 1) return first;
  if (istioctl <= 10)
    return domains
      .filter((domain) => /^[^1-9]/.test(domain))
      .reduce((shortest, domain) => (domain.length < shortest.length ? domain : shortest), first);
  const [one, two, ...more] = withoutLongForms(
    domains.filter(
      (domain) => !domain.includes(":") || (istioctl >= 14 && /^(?:[^:]*:){3}.*\]$/s.test(domain)),
    ),
  );
  const shown = [one, two].filter((domain) => domain !== undefined).join(", ");
  return more.length === 0 ? shown : `${shown} + ${more.length} more...`;
}

/** Without the domains of which a shorter form stands in the list too. */
function withoutLongForms(domains: readonly string[]): string[] {
  const all = new Set(domains);
  return domains.filter((domain) =>
    [".svc.cluster.local", ".svc"].every(
      (suffix) => !domain.endsWith(suffix) || !all.has(domain.slice(0, -suffix.length)),
    ),
  );
}
