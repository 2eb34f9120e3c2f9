/** The routes of route configurations, each with a request for it and what the proxy that has it does with that. */
import { originOf } from "../route/route-origin.js";
import { child, children, field, flag, text, unpacked, type Message } from "../../snapshot/message.js";
import type { MatchContext } from "../match-context.js";
import { headerMatchers, headerName } from "../matchers/header-matcher.js";
import { matchInputOf } from "../matchers/match-input.js";
import { evaluateTree, type TreeResult } from "../matchers/matcher-tree.js";
import { asciiLower } from "../matchers/string-matcher.js";
import type { ProxyView } from "../proxy-view.js";
import type { HeaderList } from "../request.js";
import { evading, requestFor, withoutConnection, type RouteRequest } from "../route-request.js";
import { routeInput } from "../route/route-match.js";
import { resolveRoute, type RouteBranch } from "../route/route-table.js";
import { unknown, type Unknown } from "../unknown.js";
import { budgetOfConfiguration, EarlierRoutes, type Budget } from "./earlier-routes.js";
import { treeRoutes } from "./matcher-routes.js";
import type { RouteEnd } from "./route-end.js";
import { SharedAnswers } from "./shared-answers.js";

export interface KnownRoute {
  readonly names: Pick<RouteEnd, "virtualHost" | "route" | "origin">;
  readonly ways: Ways;
}

/** What becomes of a route's requests at the proxy. */
export type Ways =
  | { readonly kind: "ways"; readonly branches: readonly RouteBranch[] }
  | { readonly kind: "no request"; readonly because: string }
  | { readonly kind: "unknown"; readonly because: readonly Unknown[] };

/** A route configuration of a proxy. */
export interface HeldRoutes {
  readonly config: Message;
  /** Whether it stands in a listener for what comes to the pod. */
  readonly isInbound: boolean;
}

/** Each configuration is gone through once, for all proxies of a release that have it. */
export class KnownRoutes {
  readonly #known = new SharedAnswers<readonly KnownRoute[]>();
  readonly #ofListener = new WeakMap<Message, readonly HeldRoutes[]>();
  readonly #inline = new Map<string, Message>();

  of(config: Message, context: MatchContext): readonly KnownRoute[] {
    return this.#known.of(config, String(context.envoy), context.runtime, (runtime) =>
      knownRoutes(config, { ...context, runtime }),
    );
  }

  /** Those of RDS, and those that stand in listeners. */
  heldBy(view: ProxyView): readonly HeldRoutes[] {
    const discovered = view.routeConfigurations().map((config) => ({ config, isInbound: false }));
    return "reason" in view.listeners
      ? discovered
      : [...discovered, ...[...view.listeners].flatMap(({ message }) => this.#inListener(message))];
  }

  #inListener(listener: Message): readonly HeldRoutes[] {
    const known = this.#ofListener.get(listener) ?? this.#inlineRoutes(listener);
    this.#ofListener.set(listener, known);
    return known;
  }

  /** Once each: chains for TLS and plaintext have the same routes, and so have many proxies. */
  #inlineRoutes(listener: Message): readonly HeldRoutes[] {
    const isInbound = text(listener, "traffic_direction") === "INBOUND";
    const chains = [...children(listener, "filter_chains"), child(listener, "default_filter_chain")];
    const found = new Map<string, HeldRoutes>();
    for (const filter of chains.flatMap((chain) => children(chain, "filters"))) {
      const config = child(unpacked(child(filter, "typed_config")), "route_config");
      if (config === undefined) continue;
      const whole = JSON.stringify(config);
      const shared = this.#inline.get(whole) ?? config;
      this.#inline.set(whole, shared);
      found.set(whole, { config: shared, isInbound });
    }
    return [...found.values()];
  }
}

function knownRoutes(config: Message, context: MatchContext): KnownRoute[] {
  const budget = budgetOfConfiguration();
  return children(config, "virtual_hosts").flatMap((virtualHost) => {
    const place = { config, virtualHost, context };
    return child(virtualHost, "matcher") === undefined
      ? listedRoutes(place, budget)
      : routesOfTree(place, budget);
  });
}

interface Place {
  readonly config: Message;
  readonly virtualHost: Message;
  readonly context: MatchContext;
}

function listedRoutes(place: Place, budget: Budget): KnownRoute[] {
  const earlier = new EarlierRoutes(budget);
  return children(place.virtualHost, "routes").map((route, index) => {
    const request = requestFor(place.config, place.virtualHost, route, place.context);
    const ways = waysOf(
      place,
      route,
      comingTo(place, route, request, earlier, () => null),
    );
    earlier.add(route);
    return { names: namesOf(place.virtualHost, route, index), ways };
  });
}

/** Envoy refuses a virtual host that has both; what its tree leads to is what there is to say of such a one. */
function routesOfTree(place: Place, budget: Budget): KnownRoute[] {
  const { config, virtualHost, context } = place;
  const tree = child(virtualHost, "matcher");
  return [...treeRoutes(tree)].map(({ route, earlier: before, wishes }, index) => {
    const earlier = new EarlierRoutes(budget);
    for (const one of before) earlier.add(one);
    const request = requestFor(config, virtualHost, route, context, wishes);
    const isLed = (headers: HeaderList): TreeResult | null => {
      const led = evaluateTree(tree, matchInputOf({ ...context, headers }), context.envoy);
      return led.kind === "action" && leadsTo(led.action, route) ? null : led;
    };
    const ways = waysOf(place, route, comingTo(place, route, request, earlier, isLed));
    return { names: namesOf(virtualHost, route, index), ways };
  });
}

const leadsTo = (action: Message, route: Message): boolean =>
  action === route || children(action, "routes").includes(route);

const namesOf = (virtualHost: Message, route: Message, index: number): KnownRoute["names"] => ({
  virtualHost: text(virtualHost, "name"),
  route: text(route, "name") === "" ? `route ${index + 1}` : text(route, "name"),
  origin: originOf(route),
});

type Coming = { readonly kind: "request"; readonly headers: HeaderList } | Exclude<Ways, { kind: "ways" }>;

/** What earlier routes take is changed so often that they do not take it. */
const mostChanges = 5;

/**
 * A request of the route that comes to it: neither does a route before it take it, nor does the tree lead it elsewhere.
 * @param elsewhere where the tree leads it; null: to this route
 */
function comingTo(
  { config, context }: Place,
  route: Message,
  request: RouteRequest,
  earlier: EarlierRoutes,
  elsewhere: (headers: HeaderList) => TreeResult | null,
): Coming {
  if (request.kind === "none") return { kind: "no request", because: request.because };
  const wanted = withoutConnection(route);
  let failure: Coming | null = null;
  for (const first of [request.headers, ...request.others()]) {
    let headers: HeaderList | null = first;
    for (let change = 0; headers !== null && change <= mostChanges; change++) {
      const taker = earlier.taker(routeInput(config, { ...context, headers }));
      if (taker === "not known") return tooMany;
      if (taker === null) break;
      failure ??= takenBy(taker);
      headers = evading(headers, taker, wanted, context);
      if (change === mostChanges) headers = null;
    }
    if (headers === null) continue;
    const led = elsewhere(headers);
    if (led === null) return { kind: "request", headers };
    failure ??= led.kind === "unknown" ? { kind: "unknown", because: led.because } : notLedTo;
  }
  return failure ?? notLedTo;
}

const tooMany: Coming = {
  kind: "unknown",
  because: [
    unknown("limit", "Whether earlier routes take its requests: too many of them would have to be tried."),
  ],
};

const notLedTo: Coming = {
  kind: "no request",
  because: "no request was found that the matcher of the virtual host leads to it",
};

function takenBy(taker: Message): Coming {
  const name = text(taker, "name");
  const which = name === "" ? "" : `, ${name},`;
  return {
    kind: "no request",
    because: `an earlier route${which} takes the requests that its match asks for`,
  };
}

/** As if the virtual host had this route alone, and what it asks of connections and filters were so. */
function waysOf({ config, virtualHost, context }: Place, route: Message, coming: Coming): Ways {
  if (coming.kind !== "request") return coming;
  const header = openHeader(route);
  if (header !== null)
    return {
      kind: "no request",
      because: `the header ${header} of the request names the cluster, and the route's match leaves open which`,
    };
  const onlyHost = { ...virtualHost, domains: ["*"], matcher: undefined, routes: [withoutConnection(route)] };
  const alone = { ...config, virtual_hosts: [onlyHost] };
  const all = resolveRoute(alone, { ...context, headers: coming.headers }).branches;
  const taken = all.filter(({ result }) => result.kind !== "no route");
  // a route for a fraction of requests: shares are those of the requests that it takes
  const whole = taken.reduce<number | null>(
    (sum, { share }) => (sum === null || share === null ? null : sum + share),
    0,
  );
  if (taken.length === 0 || whole === 0)
    return { kind: "no request", because: "the route takes no request: Envoy passes over it" };
  const branches = taken.map((branch) =>
    branch.share === null || whole === null ? branch : { ...branch, share: branch.share / whole },
  );
  return { kind: "ways", branches };
}

/** A header that names the cluster and that the match does not give one value; null where there is none. */
function openHeader(route: Message): string | null {
  const action = child(route, "route");
  const entries = children(child(action, "weighted_clusters"), "clusters");
  const names = [action, ...entries].map((one) => asciiLower(text(one, "cluster_header")));
  const matchers = headerMatchers(child(route, "match"));
  return (
    names.find(
      (name) => name !== "" && !matchers.some((matcher) => headerName(matcher) === name && isExact(matcher)),
    ) ?? null
  );
}

const isExact = (matcher: Message): boolean =>
  flag(matcher, "invert_match") !== true &&
  (typeof field(child(matcher, "string_match"), "exact") === "string" ||
    typeof field(matcher, "exact_match") === "string");
