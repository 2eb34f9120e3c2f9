/**
 * A route configuration and a request: which virtual host, which route, and what comes of it
 * (`RouteMatcher::route`, `VirtualHostImpl::getRouteFromEntries`).
 *
 * Where the random number of the stream is not given, and where a condition is not known, the answer has several branches.
 */
import { child, children, field, text, type Message } from "../../snapshot/message.js";
import { matchInputOf } from "../matchers/match-input.js";
import { evaluateTree } from "../matchers/matcher-tree.js";
import type { MatchContext } from "../match-context.js";
import { headerValue } from "../request.js";
import type { NearMiss } from "../result.js";
import { isUnknown } from "../ternary.js";
import { unknown, type Unknown } from "../unknown.js";
import { chooseCluster, type ChosenCluster, type ClusterChoice } from "./cluster-choice.js";
import { nearRoutes, routeWords, type RouteNearMiss } from "./near-routes.js";
import { anyDraw, isDrawn, ShareCounter, splitBy, within, type Draw } from "./random-draw.js";
import { tlsRedirectLocation } from "./redirect.js";
import { actionOf, type ActionResult } from "./route-action.js";
import { matchRoute, routeInput, type RouteInput } from "./route-match.js";
import {
  chooseVirtualHost,
  domainTable,
  nearVirtualHosts,
  virtualHostName,
  type VirtualHostChoice,
  type VirtualHostNearMiss,
} from "./virtual-host.js";

export interface MatchedRoute {
  readonly message: Message;
  readonly name: string;
  /** Its place among the routes of the virtual host; null for one that a matcher tree led to. */
  readonly index: number | null;
  /** What holds, such as `prefix /reviews`. */
  readonly condition: string;
}

export type RouteResult =
  | { readonly kind: "route"; readonly route: MatchedRoute; readonly action: ActionResult }
  /** `require_tls`: 301 to the same URL with https. */
  | { readonly kind: "TLS redirect"; readonly status: 301; readonly location: string }
  /** 404, NR, `route_not_found`. */
  | { readonly kind: "no route"; readonly because: string }
  /** The route may be known where its cluster is not. */
  | { readonly kind: "unknown"; readonly route: MatchedRoute | null };

export interface RouteBranch {
  /** 0..1 of requests like this one; null where it cannot be told. */
  readonly share: number | null;
  readonly result: RouteResult;
  /** What this branch hangs on; empty where it is certain, or a matter of the random number alone. */
  readonly unknowns: readonly Unknown[];
}

export interface RouteResolution {
  readonly virtualHost: (VirtualHostChoice & { readonly name: string }) | null;
  /** At least one; those with the share 0 are left out. */
  readonly branches: readonly RouteBranch[];
}

/** Branches beyond this number are one that is unknown. */
const mostBranches = 256;

/**
 * Resolves a request.
 * @param config a RouteConfiguration
 * @param context with the headers of the request, as the connection manager leaves them
 */
export function resolveRoute(config: Message, context: MatchContext): RouteResolution {
  const { duplicates } = domainTable(config);
  const choice = chooseVirtualHost(config, context.headers);
  const virtualHost = choice === null ? null : { ...choice, name: virtualHostName(choice.virtualHost) };
  const [duplicate] = duplicates;
  if (duplicate !== undefined)
    return {
      virtualHost,
      branches: [
        notKnown([
          unknown("expression", `The domain ${duplicate} stands twice: Envoy would have refused this.`),
        ]),
      ],
    };
  if (virtualHost === null) return { virtualHost, branches: [certain(noVirtualHost(context))] };
  return { virtualHost, branches: resolveIn(config, virtualHost.virtualHost, context) };
}

const certain = (result: RouteResult): RouteBranch => ({ share: 1, result, unknowns: [] });
const notKnown = (unknowns: readonly Unknown[]): RouteBranch => ({
  share: null,
  result: { kind: "unknown", route: null },
  unknowns,
});
const noRoute = (because: string): RouteResult => ({ kind: "no route", because });

function noVirtualHost({ headers }: MatchContext): RouteResult {
  const authority = headerValue(headers, ":authority");
  return noRoute(
    authority === undefined ? "the request has no host" : `no virtual host has a domain for ${authority}`,
  );
}

function resolveIn(config: Message, virtualHost: Message, context: MatchContext): RouteBranch[] {
  const proto = headerValue(context.headers, "x-forwarded-proto") ?? "";
  if (proto === "") return [certain(noRoute("the request has no x-forwarded-proto"))];
  if (proto !== "https" && requiresTls(virtualHost, context))
    return [certain({ kind: "TLS redirect", status: 301, location: tlsRedirectLocation(context.headers) })];
  const input = routeInput(config, context);
  const tree = child(virtualHost, "matcher");
  const listed = children(virtualHost, "routes");
  if (tree === undefined)
    return new Branches(config, virtualHost, input).take(
      listed.map((message, index) => ({ message, index })),
    );
  if (listed.length > 0)
    return [
      notKnown([
        unknown("expression", "The virtual host has routes and a matcher: Envoy would have refused it."),
      ]),
    ];
  const led = evaluateTree(tree, matchInputOf(context), context.envoy);
  if (led.kind === "unknown") return [notKnown(led.because)];
  if (led.kind === "none") return [certain(noRoute("the matcher of the virtual host leads to no route"))];
  const routes = led.type.endsWith(".RouteList") ? children(led.action, "routes") : [led.action];
  return new Branches(config, virtualHost, input).take(routes.map((message) => ({ message, index: null })));
}

function requiresTls(virtualHost: Message, { headers }: MatchContext): boolean {
  const wanted = field(virtualHost, "require_tls");
  if (wanted === "ALL" || wanted === 2) return true;
  if (wanted !== "EXTERNAL_ONLY" && wanted !== 1) return false;
  return headerValue(headers, "x-envoy-internal") !== "true";
}

type Candidate = Pick<MatchedRoute, "message" | "index">;

/** Goes through routes in order, and follows each way that the request can take. */
class Branches {
  readonly #found: RouteBranch[] = [];
  readonly #shares = new ShareCounter();
  /** What earlier routes hang on: if that held, they would have taken the request. */
  readonly #pending: Unknown[] = [];
  #draw: Draw = anyDraw;

  constructor(
    readonly config: Message,
    readonly virtualHost: Message,
    readonly input: RouteInput,
  ) {}

  take(routes: readonly Candidate[]): RouteBranch[] {
    for (const route of routes) if (this.#takes(route) || this.#isFull()) return this.#found;
    this.#add(this.#draw, noRoute("no route of the virtual host matches"), []);
    return this.#found;
  }

  #isFull(): boolean {
    return this.#found.length > mostBranches;
  }

  /** Whether nothing is left for the routes behind it. */
  #takes(route: Candidate): boolean {
    const match = matchRoute(route.message, this.input);
    if (match.holds === false) return false;
    const choice = this.#choice(route.message);
    if (choice.kind === "no match") return false;
    const { hit, miss } =
      match.fraction === null ? { hit: this.#draw, miss: null } : splitBy(this.#draw, match.fraction);
    const because = isUnknown(match.holds) ? match.holds.because : [];
    if (this.#isPossible(hit)) this.#follow(route, choice, hit, because);
    if (because.length > 0) {
      this.#pending.push(...because);
      return false;
    }
    if (miss === null || !this.#isPossible(miss)) return true;
    this.#draw = miss;
    return false;
  }

  #choice(route: Message): ClusterChoice {
    const isForwarding =
      child(route, "redirect") === undefined && child(route, "direct_response") === undefined;
    return isForwarding
      ? chooseCluster(this.config, child(route, "route"), this.input.context)
      : { kind: "clusters", clusters: [{ name: "", entry: null, interval: null }], isRandom: true };
  }

  #follow(route: Candidate, choice: ClusterChoice, draw: Draw, because: readonly Unknown[]): void {
    if (choice.kind === "no match") return;
    if (choice.kind === "unknown") {
      const result: RouteResult = { kind: "unknown", route: this.#matched(route) };
      this.#add(draw, result, [...because, ...choice.because]);
      return;
    }
    for (const cluster of choice.clusters) {
      if (this.#isFull()) return;
      const byHash = choice.isRandom
        ? []
        : [unknown("random", "A hash of the request chooses among weighted clusters.")];
      const own = cluster.interval === null || byHash.length > 0 ? draw : within(draw, cluster.interval);
      if (this.#isPossible(own)) this.#add(own, this.#result(route, cluster), [...because, ...byHash]);
    }
  }

  #result(route: Candidate, cluster: ChosenCluster): RouteResult {
    const { config, virtualHost, input } = this;
    const entry = {
      config,
      virtualHost,
      route: route.message,
      weighted: cluster.entry,
      cluster: cluster.name,
    };
    return { kind: "route", route: this.#matched(route), action: actionOf(entry, input.context) };
  }

  #matched({ message, index }: Candidate): MatchedRoute {
    return { message, name: text(message, "name"), index, condition: routeWords(message, this.input) };
  }

  /** Whether the random number can be one of these. */
  #isPossible(draw: Draw): boolean {
    const { random } = this.input.context;
    if (random !== null) return isDrawn(draw, random);
    return this.#shares.shareOf(draw) !== 0;
  }

  #add(draw: Draw, result: RouteResult, because: readonly Unknown[]): void {
    if (this.#found.length === mostBranches) {
      this.#found.push(
        notKnown([unknown("limit", `There are more than ${mostBranches} ways for this request.`)]),
      );
      return;
    }
    const unknowns = [...this.#pending, ...because];
    const share = this.input.context.random === null ? this.#shares.shareOf(draw) : 1;
    const uncounted =
      share === null ? [unknown("random", "Too many random numbers would have to be counted.")] : [];
    this.#found.push({
      share: unknowns.length > 0 ? null : share,
      result,
      unknowns: distinct([...unknowns, ...uncounted]),
    });
  }
}

function distinct(list: readonly Unknown[]): Unknown[] {
  const seen = new Map(list.map((one) => [`${one.reason}\u0000${one.message}`, one]));
  return [...seen.values()];
}

export interface RouteNearMisses {
  readonly virtualHosts: readonly VirtualHostNearMiss[];
  readonly routes: readonly RouteNearMiss[];
}

/**
 * What would have taken the request, but for one thing. It costs another look at every route, so it is asked for where it is
 * shown.
 */
export function nearMissesOf(
  config: Message,
  resolution: RouteResolution,
  context: MatchContext,
): RouteNearMisses {
  const authority = headerValue(context.headers, ":authority");
  const port = context.connection.destination?.port ?? null;
  const routes = children(resolution.virtualHost?.virtualHost, "routes");
  return {
    virtualHosts: authority === undefined ? [] : nearVirtualHosts(config, authority, port),
    routes: nearRoutes(routes, winnerOf(resolution), routeInput(config, context)),
  };
}

function winnerOf({ branches }: RouteResolution): number | null {
  const [first] = branches;
  return first?.result.kind === "route" ? first.result.route.index : null;
}

/** As a trace tells them. */
export function nearMissList({ virtualHosts, routes }: RouteNearMisses): NearMiss[] {
  return [
    ...virtualHosts.map(({ virtualHost, because }): NearMiss => ({
      what: "virtual host",
      name: virtualHostName(virtualHost),
      because,
    })),
    ...routes.map(({ name, index, because }): NearMiss => ({
      what: "route",
      name: name === "" ? `route ${index + 1}` : name,
      because,
    })),
  ];
}
