/** The answer of a trace as the JSON that is promised to scripts: its keys and nesting are fixed. */
import type { HeaderList } from "../../../trace/request.js";
import type { EndpointShare, Hop, Outcome, TraceResult } from "../../../trace/result.js";

export function traceJson({
  request,
  outcome,
  hops,
  branches,
  assumptions,
  unknowns,
}: TraceResult): Readonly<Record<string, unknown>> {
  const { method, scheme, authority, path, headers, originalDestination } = request;
  return {
    request: { method, scheme, authority, path, headers: headersJson(headers), originalDestination },
    outcome: outcomeJson(outcome),
    hops: hops.map(hopJson),
    branches: branches.map((branch) => ({
      share: branch.share,
      outcome: outcomeJson(branch.outcome),
      hops: branch.hops.map(hopJson),
    })),
    assumptions,
    unknowns: unknowns.map(({ reason, message }) => ({ reason, message })),
  };
}

const outcomeJson = ({ kind, status, responseFlags, detail, location }: Outcome): unknown => ({
  kind,
  status,
  responseFlags,
  detail,
  location,
});

const hopJson = (hop: Hop): unknown => ({
  proxy: hop.proxy,
  direction: hop.direction,
  listener: hop.listener,
  filterChain: hop.filterChain,
  filters: hop.filters.map(({ name, decision, policy }) => ({ name, decision, policy })),
  routeConfig: hop.routeConfig,
  virtualHost: hop.virtualHost,
  virtualCluster: hop.virtualCluster,
  domain: hop.domain,
  route: hop.route,
  routeMatch: hop.routeMatch,
  origin: hop.origin,
  cluster: hop.cluster,
  weightedClusters: hop.weightedClusters.map(({ name, weight, share }) => ({ name, weight, share })),
  rewritten: hop.rewritten,
  requestHeaders: headersJson(hop.requestHeaders),
  responseHeaders: headersJson(hop.responseHeaders),
  mirrors: hop.mirrors,
  nearMisses: hop.nearMisses.map(({ what, name, because }) => ({ what, name, because })),
  endpoints: hop.endpoints.map(endpointJson),
});

const endpointJson = ({ address, port, health, share, pod }: EndpointShare): unknown => ({
  address,
  port,
  health,
  share,
  pod,
});

/** Name -> value; values of one name joined with ",", as Envoy joins them. */
function headersJson(headers: HeaderList): Readonly<Record<string, string>> {
  const values = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return Object.fromEntries([...values].map(([name, list]) => [name, list.join(",")]));
}
