/** What the HTTP connection manager of a chain does with a request: routes, filters, and the cluster that it goes to. */
import { originOf } from "./route/route-origin.js";
import { child, flag, unpacked, type Message } from "../snapshot/message.js";
import type { FilterChainResult } from "./filters/http-filters.js";
import { answeredByRoute, replied, unrouted } from "./http-answers.js";
import { behindUpstreamFilters } from "./http-forward.js";
import {
  filtered,
  filtersOf,
  protocolOf,
  surroundingsOf,
  weighed,
  withDecisions,
  type Stage,
} from "./http-stage.js";
import { receiveRequest, upgradeFailed, type ReceivedRequest } from "./http/connection-manager.js";
import { upgradeDecision } from "./http/upgrade.js";
import {
  failure,
  leafOf,
  unknownOutcome,
  weights,
  withNearMisses,
  type HopInput,
  type Leaf,
} from "./leaf.js";
import type { MatchContext } from "./match-context.js";
import type { Hop } from "./result.js";
import { actionOf, type ActionResult } from "./route/route-action.js";
import { routeAction, type RouteEntry } from "./route/route-entry.js";
import {
  nearMissesOf,
  nearMissList,
  resolveRoute,
  type MatchedRoute,
  type RouteBranch,
} from "./route/route-table.js";

/** @param context as the network filters leave it */
export function httpLeaves(
  input: HopInput,
  hop: Hop,
  manager: Message,
  context: MatchContext,
  isRestored: boolean,
): readonly Leaf[] {
  if (input.request === null)
    return [
      leafOf(
        hop,
        failure(400, ["DPE"], "http1.codec_error"),
        [],
        ["the filter chain takes HTTP, and what comes is not"],
      ),
    ];
  // a connection manager without TLS takes a ClientHello for a request
  if (context.connection.tls !== null && context.isTlsTerminated === false)
    return [
      leafOf(
        hop,
        failure(400, ["DPE"], "http1.codec_error"),
        [],
        ["the filter chain takes HTTP in plaintext, and the client sends TLS"],
      ),
    ];
  const protocol = protocolOf(context);
  const received = receiveRequest(
    input.request,
    protocol,
    manager,
    {
      connection: context.connection,
      runtime: context.runtime,
      envoy: context.envoy,
      nodeId: input.view.nodeId,
    },
    input.view.tables,
  );
  const start: MatchContext = { ...context, headers: received.headers };
  const stage: Stage = { input, hop, manager, isRestored, received: received.headers };
  if (received.kind === "reset") return [leafOf(hop, failure(null, received.responseFlags, received.detail))];
  if (received.kind === "refused") {
    // Envoy looks whether a request is gRPC after it looked at its version
    const isLookedAt = received.reply.detail !== "low_version";
    return [replied(isLookedAt ? stage : { ...stage, received: [] }, received.reply, start, null)];
  }
  return routed(stage, received, {
    ...start,
    downstreamRemote: received.downstreamRemote,
    filterState: withStrippedPort(start.filterState, received.strippedPort),
  });
}

/** A CONNECT gets the port back upstream. */
const withStrippedPort = (
  filterState: MatchContext["filterState"],
  port: number | null,
): MatchContext["filterState"] =>
  port === null
    ? filterState
    : new Map([...filterState, ["envoy.router.original_connect_port", String(port)]]);

function routed(stage: Stage, received: ReceivedRequest, context: MatchContext): readonly Leaf[] {
  const { source, assumptions, unknowns } = received;
  const more = (leaf: Leaf): Leaf => ({
    ...leaf,
    assumptions: [...assumptions, ...leaf.assumptions],
    unknowns: [...unknowns, ...leaf.unknowns],
  });
  if (source.kind === "unknown")
    return [more(leafOf({ ...stage.hop, routeConfig: source.name }, unknownOutcome, [source.because]))];
  if (source.kind === "none") {
    const hop: Hop = { ...stage.hop, routeConfig: source.name };
    return withoutRoute({ ...stage, hop }, context, null, source.because).map(more);
  }
  const config = source.routes.configuration;
  const resolution = resolveRoute(config, context);
  const hop: Hop = {
    ...stage.hop,
    routeConfig: source.name,
    virtualHost: resolution.virtualHost?.name ?? null,
    domain: resolution.virtualHost?.domain ?? null,
    details: {
      ...stage.hop.details,
      // one that stands in its listener has no time of its own
      routesLoaded: source.routes.origin === null ? null : stage.input.view.routesLoaded(source.name),
    },
  };
  const near = nearMissList(nearMissesOf(config, resolution, context));
  return resolution.branches.flatMap((branch) =>
    branchLeaves({ ...stage, hop: withNearMisses(hop, near) }, branch, context, config).map(more),
  );
}

function branchLeaves(
  stage: Stage,
  { share, result, unknowns }: RouteBranch,
  context: MatchContext,
  config: Message,
): readonly Leaf[] {
  const weigh = (leaf: Leaf): Leaf => weighed({ ...leaf, unknowns: [...unknowns, ...leaf.unknowns] }, share);
  switch (result.kind) {
    case "route":
      return routeLeaves(
        { ...stage, hop: routeShown(stage.hop, result.route, result.action) },
        result.action.entry,
        context,
        config,
      ).map(weigh);
    case "TLS redirect":
      return withoutRoute(stage, context, config, null).map(weigh);
    case "no route":
      return withoutRoute(stage, context, config, result.because).map(weigh);
    case "unknown":
      return [
        weigh(
          leafOf(
            result.route === null ? stage.hop : { ...stage.hop, ...matched(result.route) },
            unknownOutcome,
          ),
        ),
      ];
  }
}

const matched = ({
  name,
  index,
  condition,
  message,
}: MatchedRoute): Pick<Hop, "route" | "routeMatch" | "origin"> => ({
  route: name !== "" ? name : index === null ? "" : `route ${index + 1}`,
  routeMatch: condition,
  origin: originOf(message),
});

function routeShown(hop: Hop, route: MatchedRoute, action: ActionResult): Hop {
  const shown: Hop = { ...hop, ...matched(route) };
  return action.kind === "forward"
    ? {
        ...shown,
        cluster: action.cluster,
        weightedClusters: weights(action.weightedClusters),
        virtualCluster: action.virtualCluster,
        mirrors: action.mirrors.map(({ cluster }) => cluster),
        details: {
          ...hop.details,
          policies: { timeout: action.timeout, retries: action.retries, mirrors: action.mirrors },
        },
      }
    : shown;
}

/**
 * Filters run all the same; the router answers at the end.
 * @param config null: there are no routes
 * @param because null: not for want of a route, but as `require_tls` has it
 */
function withoutRoute(
  stage: Stage,
  context: MatchContext,
  config: Message | null,
  because: string | null,
): readonly Leaf[] {
  const isRedirect = because === null;
  const upgrade = upgradeDecision(context.headers, stage.manager, undefined);
  if (upgrade.kind === "refused" && isRedirect) return [replied(stage, upgradeFailed, context, null)];
  const filters = (upgrade.kind === "allowed" ? upgrade.filters : null) ?? filtersOf(stage.manager);
  const surroundings = surroundingsOf(stage, config);
  return filtered({ filters, context, entry: null, surroundings }, (ran) => {
    if (ran.reply !== null) return [replied(stage, ran.reply, ran.context, ran)];
    const leaf = unrouted(stage, ran, config);
    return [isRedirect ? leaf : { ...leaf, assumptions: [because, ...leaf.assumptions] }];
  });
}

function routeLeaves(
  stage: Stage,
  entry: RouteEntry,
  context: MatchContext,
  config: Message,
): readonly Leaf[] {
  const upgrade = upgradeDecision(context.headers, stage.manager, routeAction(entry));
  if (upgrade.kind === "refused") return [replied(stage, upgradeFailed, context, null)];
  const filters = (upgrade.kind === "allowed" ? upgrade.filters : null) ?? filtersOf(stage.manager);
  const surroundings = surroundingsOf(stage, config);
  return filtered({ filters, context, entry, surroundings }, (ran) =>
    routedLeaves(stage, ran, config, suppressesEnvoyHeaders(filters)),
  );
}

function routedLeaves(
  stage: Stage,
  ran: FilterChainResult,
  config: Message,
  suppressesHeaders: boolean,
): readonly Leaf[] {
  if (ran.reply !== null) return [replied(stage, ran.reply, ran.context, ran)];
  if (ran.entry === null) return [unrouted(stage, ran, config)];
  const own = withDecisions(stage, ran);
  const action = actionOf(ran.entry, ran.context, { suppressesEnvoyHeaders: suppressesHeaders });
  const more = (leaf: Leaf): Leaf => ({ ...leaf, unknowns: [...ran.unknowns, ...leaf.unknowns] });
  if (action.kind === "forward") return behindUpstreamFilters(own, action, ran, config).map(more);
  return [more(answeredByRoute(own, action, ran.context))];
}

/** The router's own setting; it is the last of the filters. */
function suppressesEnvoyHeaders(filters: readonly Message[]): boolean {
  const router = unpacked(child(filters.at(-1), "typed_config"));
  return flag(router, "suppress_envoy_headers") ?? false;
}
