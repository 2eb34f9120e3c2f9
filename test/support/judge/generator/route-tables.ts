/** Virtual hosts and routes that overlap, with requests for each route: hits, and misses by one condition. */
import type { HeaderList } from "../../../../src/trace/request.js";
import { textOf, type JsonObject } from "../../mesh/json.js";
import type { Random } from "../../mesh/random.js";
import { route, routeConfig, virtualHost } from "../messages.js";
import { chance, swappedCase } from "./near-values.js";
import { headerCondition, pathCondition, queryCondition } from "./route-conditions.js";
import { routeAction } from "./route-actions.js";

/** What a request asks for, and what it was made for. */
export interface AimedRequest {
  readonly path: string;
  readonly authority: string;
  readonly headers: HeaderList;
  /** It meets every condition of this route: in its virtual host it takes this one or an earlier one. */
  readonly aim?: Aim;
  /** It fails a condition of this route. */
  readonly miss?: Aim;
}

export interface Aim {
  readonly virtualHost: string;
  readonly route: string;
}

export interface RouteTable {
  readonly routeConfig: JsonObject;
  /** In the order in which they are tried. */
  readonly routeNames: readonly string[];
  aimed(random: Random): AimedRequest;
}

interface GeneratedRoute {
  readonly name: string;
  readonly message: JsonObject;
  readonly isCertain: boolean;
  hit(random: Random): Pieces;
  /** null where it has no condition that could fail. */
  miss(random: Random): Pieces | null;
}
type Pieces = Pick<AimedRequest, "path" | "headers">;

interface GeneratedHost {
  readonly name: string;
  readonly message: JsonObject;
  readonly routes: readonly GeneratedRoute[];
  readonly domains: readonly string[];
}

const domainPool = [
  ...["a.com", "www.a.com", "a.com:81", "A.org", "b.a.com"],
  ...["*.a.com", "*a.com", "*-b.a.com", "*.com", "*.com:81"],
  ...["www.a.*", "www.*", "w*", "a.com:*"],
];

/** @param clusters that routes lead to */
export function routeTable(random: Random, clusters: readonly string[]): RouteTable {
  const pool = random.shuffle(domainPool);
  const hosts = Array.from({ length: random.between(1, 5) }, (_, index): GeneratedHost => {
    // the first one often takes all hosts that no other takes
    const domains = index === 0 && chance(random, 0.6) ? ["*"] : pool.splice(0, random.between(1, 2));
    const name = `host ${index}`;
    const own = Array.from({ length: random.between(1, 6) }, (_member, position) =>
      generatedRoute(random, `${name}/${position}`, clusters),
    );
    const routes = chance(random, 0.4) ? [...own, lastRoute(random, `${name}/last`, clusters)] : own;
    const message = virtualHost(
      name,
      domains,
      routes.map((one) => one.message),
      { ...(chance(random, 0.07) && { require_tls: random.pick(["ALL", "EXTERNAL_ONLY"]) }) },
    );
    return { name, message, routes, domains };
  });
  return {
    routeConfig: routeConfig(
      hosts.map(({ message }) => message),
      {
        ...(chance(random, 0.15) && { ignore_port_in_host_matching: true }),
        ...(chance(random, 0.1) && { ignore_path_parameters_in_path_matching: true }),
      },
    ),
    routeNames: hosts.flatMap(({ routes }) => routes.map(({ name }) => name)),
    aimed: (draw) => aimedRequest(draw, draw.pick(hosts)),
  };
}

function aimedRequest(random: Random, host: GeneratedHost): AimedRequest {
  const target = random.pick(host.routes);
  const aim = { virtualHost: host.name, route: target.name };
  const authority = authorityFor(random, random.pick(host.domains));
  const missed = chance(random, 0.4) ? target.miss(random) : null;
  if (missed !== null) return { ...missed, authority, miss: aim };
  // a redirect to TLS comes before all routes
  const isCertain = target.isCertain && !("require_tls" in host.message);
  return { ...target.hit(random), authority, ...(isCertain && { aim }) };
}

/** One that the domain takes, or nearly. */
function authorityFor(random: Random, domain: string): string {
  const filler = random.pick(["x", "x.y", "x-b", "www", ""]);
  const text = domain.startsWith("*")
    ? filler + domain.slice(1)
    : domain.endsWith("*")
      ? domain.slice(0, -1) + filler
      : domain;
  const variants = [
    ...Array<string>(8).fill(text),
    swappedCase(text),
    `${text}:81`,
    `${text}.`,
    text.replace(/:\d+$/, ""),
  ];
  return random.pick(variants) || "a.com";
}

/** For all that the others leave. */
function lastRoute(random: Random, name: string, clusters: readonly string[]): GeneratedRoute {
  const pieces: Pieces = { path: "/last", headers: [] };
  return {
    name,
    message: route(name, {}, routeAction(random, clusters, true)),
    isCertain: true,
    hit: () => pieces,
    miss: () => null,
  };
}

function generatedRoute(random: Random, name: string, clusters: readonly string[]): GeneratedRoute {
  const path = pathCondition(random);
  const headers = Array.from({ length: random.pick([0, 0, 1, 1, 2]) }, () => headerCondition(random));
  const query = Array.from({ length: random.pick([0, 0, 0, 1]) }, () => queryCondition(random));
  const isGrpc = chance(random, 0.04);
  const fraction = random.pick([null, null, null, null, null, null, 0, 100, 50]);
  const match: JsonObject = {
    ...path.match,
    ...(headers.length > 0 && { headers: headers.map(({ match: own }) => own) }),
    ...(query.length > 0 && { query_parameters: query.map(({ match: own }) => own) }),
    ...(isGrpc && { grpc: {} }),
    ...(fraction !== null && { runtime_fraction: { default_value: { numerator: fraction } } }),
  };
  const names = headers.map(({ match: own }) => textOf(own, "name"));
  const whole = (parts: {
    readonly path: string;
    readonly headers: readonly HeaderList[];
    readonly query: readonly (readonly string[])[];
  }): Pieces => ({
    path: [parts.path, parts.query.flat().join("&")].filter((part) => part !== "").join("?"),
    headers: [...parts.headers.flat(), ...(isGrpc ? [["content-type", "application/grpc"] as const] : [])],
  });
  const hits = {
    path: path.hit,
    headers: headers.map(({ hit }) => hit),
    query: query.map(({ hit }) => hit),
  };
  return {
    name,
    message: route(name, match, routeAction(random, clusters, !("path_match_policy" in match))),
    // two matchers of one name could contradict each other
    isCertain: new Set(names).size === names.length && (fraction === null || fraction === 100),
    hit: () => whole(hits),
    miss: (draw) => {
      const which = draw.between(0, headers.length + query.length);
      if (which === 0) return whole({ ...hits, path: draw.pick(path.misses) });
      const [header, parameter] = [headers[which - 1], query[which - 1 - headers.length]];
      if (header !== undefined) {
        if (names.filter((own) => own === header.match["name"]).length > 1) return null;
        const missed = draw.pick(header.misses);
        return whole({ ...hits, headers: headers.map((one) => (one === header ? missed : one.hit)) });
      }
      if (parameter === undefined || parameter.misses.length === 0) return null;
      const missed = draw.pick(parameter.misses);
      return whole({ ...hits, query: query.map((one) => (one === parameter ? missed : one.hit)) });
    },
  };
}
