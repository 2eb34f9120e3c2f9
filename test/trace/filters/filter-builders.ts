/** Builders for the tests of HTTP filters: a request, a route and a filter, without what a sentence does not mention. */
import type { Message } from "../../../src/snapshot/message.js";
import type { EvaluateFilter, FilterContext, FilterResult } from "../../../src/trace/filters/filter.js";
import {
  runHttpFilters,
  type FilterChainResult,
  type FilterSurroundings,
} from "../../../src/trace/filters/http-filters.js";
import type { MatchContext } from "../../../src/trace/match-context.js";
import type { Connection, HeaderList, TlsClient } from "../../../src/trace/request.js";
import type { RouteEntry } from "../../../src/trace/route/route-entry.js";

export const connection: Connection = {
  destination: { ip: "10.0.0.5", port: 8080 },
  source: { ip: "10.1.1.1", port: 40000 },
  directSource: { ip: "10.1.1.2", port: 40000 },
  tls: null,
  protocol: "http/1.1",
};

/** `GET http://svc.local/`, with what is given over it. */
export const headersOf = (own: Readonly<Record<string, string>> = {}): HeaderList =>
  Object.entries({ ":method": "GET", ":scheme": "http", ":authority": "svc.local", ":path": "/", ...own });

export const aContext = (own: Partial<MatchContext> = {}): MatchContext => ({
  headers: headersOf(),
  connection,
  downstreamRemote: { ip: "192.168.0.9", port: 40000 },
  dynamicMetadata: new Map(),
  filterState: new Map(),
  isComplete: true,
  route: null,
  runtime: { value: () => undefined },
  random: null,
  envoy: 36,
  ...own,
});

export const withTls = (certificate: TlsClient["certificate"]): MatchContext["connection"] => ({
  ...connection,
  tls: { sni: "svc.local", alpn: [], certificate },
});

export const anEntry = (own: Partial<RouteEntry> = {}): RouteEntry => ({
  config: {},
  virtualHost: {},
  route: { match: { prefix: "/" }, route: { cluster: "up" } },
  weighted: null,
  cluster: "up",
  ...own,
});

export const theRuntime = (values: Readonly<Record<string, unknown>>): MatchContext["runtime"] => ({
  value: (key) => values[key],
});

export interface Setting extends Partial<MatchContext> {
  readonly entry?: RouteEntry | null;
  /** Names of clusters that the proxy does not have. */
  readonly missingClusters?: readonly string[];
}

export function aFilterContext({ entry, missingClusters = [], ...own }: Setting = {}): FilterContext {
  const matched = entry === undefined ? anEntry() : entry;
  return {
    ...aContext({ route: matched?.route ?? null, ...own }),
    entry: matched,
    surroundings: { hasCluster: (name) => !missingClusters.includes(name) },
  };
}

/** Evaluates one filter. @param routeConfigs its configurations of the route, least specific first */
export const evaluate = (
  evaluator: EvaluateFilter,
  config: Message,
  setting: Setting = {},
  routeConfigs: readonly Message[] = [],
): FilterResult => evaluator({ name: "f", type: "", config, routeConfigs }, aFilterContext(setting));

export const aFilter = (type: string, config: Message = {}, own: Message = {}): Message => ({
  name: type.split(".").at(-3) ?? type,
  typed_config: { "@type": `type.googleapis.com/${type}`, ...config },
  ...own,
});

export const rbacType = "envoy.extensions.filters.http.rbac.v3.RBAC";
export const headerMutationType = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation";
export const luaType = "envoy.extensions.filters.http.lua.v3.Lua";
export const router = aFilter("envoy.extensions.filters.http.router.v3.Router");

export const surroundings: FilterSurroundings = {
  hasCluster: () => true,
  discovered: () => undefined,
  rematch: () => anEntry(),
};

/** Runs a chain that ends in the router. */
export function run(
  filters: readonly Message[],
  {
    entry,
    own,
    ...context
  }: Partial<MatchContext> & {
    readonly entry?: RouteEntry | null;
    readonly own?: Partial<FilterSurroundings>;
  } = {},
): FilterChainResult {
  return runHttpFilters({
    filters: [...filters, router],
    context: aContext(context),
    entry: entry === undefined ? anEntry() : entry,
    surroundings: { ...surroundings, ...own },
  });
}
