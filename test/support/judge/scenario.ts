/** Hand-written scenarios: a small configuration, its requests, and what the facts say that Envoy decides. */
import type { JsonObject } from "../mesh/json.js";
import type { JudgedConfiguration } from "./judged-configuration.js";
import type { JudgedRequest } from "./judged-request.js";
import { chain, httpManager, listener, routeConfig, virtualHost } from "./messages.js";

export interface Scenario {
  readonly name: string;
  /** The sections of the facts about Envoy that it shows, with "#" the numbers of the tricky cases. */
  readonly facts: string;
  readonly configuration: JudgedConfiguration;
  readonly cases: readonly ScenarioCase[];
}

export interface ScenarioCase {
  readonly request: JudgedRequest;
  readonly expected: Expected;
  /** Sent so often; each must agree, and the shares must fit. 1 if absent. */
  readonly times?: number;
}

/** Only what is named must hold. */
export interface Expected {
  readonly listener?: string | null;
  readonly filterChain?: string | null;
  readonly virtualHost?: string | null;
  readonly route?: string | null;
  readonly cluster?: string | null;
  readonly upstreamHost?: string | null;
  readonly status?: number | null;
  readonly flags?: readonly string[];
  readonly details?: string;
  readonly location?: string | null;
  /** Whether a server got anything. */
  readonly isReceived?: boolean;
  readonly path?: string;
  readonly authority?: string;
  readonly method?: string;
  /** As the server got them; null: it must not be there. Several values in order. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly responseHeaders?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly upstreamTls?: { readonly sni: string | null; readonly alpn?: string | null } | null;
  readonly next?: Expected;
  /** Value -> its share, of what differs from request to request. */
  readonly shares?: {
    readonly of: "cluster" | "upstreamHost" | "route" | "status";
    readonly are: Readonly<Record<string, number>>;
  };
}

export type CasePair = readonly [request: JudgedRequest, expected: Expected, times?: number];

export interface HttpParts {
  /** Of one virtual host `all` for every domain; or `virtualHosts`. */
  readonly routes?: readonly JsonObject[];
  readonly virtualHosts?: readonly JsonObject[];
  readonly routeConfig?: JsonObject;
  /** Before the router. */
  readonly filters?: readonly JsonObject[];
  readonly manager?: JsonObject;
  readonly chain?: JsonObject;
  readonly listener?: JsonObject;
  readonly clusters?: readonly JsonObject[];
  /** Of EDS, from a file. */
  readonly endpoints?: readonly JsonObject[];
  readonly runtime?: JsonObject;
  readonly cases: readonly CasePair[];
}

/** A listener of the scenario's name with one connection manager. */
export const httpScenario = (name: string, facts: string, parts: HttpParts): Scenario => {
  const { routes = [], virtualHosts = [virtualHost("all", ["*"], routes)] } = parts;
  const manager = httpManager(routeConfig(virtualHosts, parts.routeConfig), parts.filters, parts.manager);
  return scenario(
    name,
    facts,
    {
      listeners: [listener(name, [chain("http", [manager], null, parts.chain)], parts.listener)],
      ...(parts.clusters && { clusters: parts.clusters }),
      ...(parts.endpoints && { endpoints: parts.endpoints }),
      ...(parts.runtime && { runtime: parts.runtime }),
    },
    parts.cases,
  );
};

export const scenario = (
  name: string,
  facts: string,
  configuration: JudgedConfiguration,
  cases: readonly CasePair[],
): Scenario => ({
  name,
  facts,
  configuration,
  cases: cases.map(([request, expected, times]) => ({
    request,
    expected,
    ...(times !== undefined && { times }),
  })),
});

// what many expect

export const to = (route: string, more: Expected = {}): Expected => ({
  route,
  status: 200,
  flags: [],
  details: "via_upstream",
  ...more,
});
export const noRoute: Expected = {
  route: null,
  status: 404,
  flags: ["NR"],
  details: "route_not_found",
  isReceived: false,
};
export const answered = (status: number, details: string, more: Expected = {}): Expected => ({
  status,
  details,
  isReceived: false,
  ...more,
});
/** A TCP connection that reaches a host of the cluster. */
export const through = (cluster: string, more: Expected = {}): Expected => ({
  cluster,
  status: null,
  flags: [],
  isReceived: true,
  ...more,
});
/** A connection that ends without reaching anything. */
export const closed = (more: Expected = {}): Expected => ({
  status: null,
  upstreamHost: null,
  isReceived: false,
  ...more,
});
