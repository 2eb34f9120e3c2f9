/** What stays the same while a request passes a connection manager, and the filters that it passes. */
import { times } from "./shares.js";
import { field, isMessage, type Message } from "../snapshot/message.js";
import { runFilterBranches } from "./filters/filter-branches.js";
import type { FilterChainInput, FilterChainResult, FilterSurroundings } from "./filters/http-filters.js";
import type { HttpProtocol } from "./http/connection-manager.js";
import type { HopInput, Leaf } from "./leaf.js";
import type { MatchContext } from "./match-context.js";
import type { HeaderList } from "./request.js";
import type { Hop } from "./result.js";
import type { RouteEntry } from "./route/route-entry.js";
import { resolveRoute, type RouteResolution } from "./route/route-table.js";
import { unknown, type Unknown } from "./unknown.js";

/** What stays the same while a request passes a connection manager. */
export interface Stage {
  readonly input: HopInput;
  readonly hop: Hop;
  readonly manager: Message;
  readonly isRestored: boolean;
  /** The headers before any filter. */
  readonly received: HeaderList;
}

/** HTTP/2 where the client speaks it: as it was agreed upon, or by the preface. */
export function protocolOf({ connection: { protocol } }: MatchContext): HttpProtocol {
  if (protocol === "http/1.0") return protocol;
  return protocol === "h2c" ? "h2" : "http/1.1";
}

/** The ways behind all the ways through the filters. */
export const filtered = (
  input: FilterChainInput,
  behind: (ran: FilterChainResult) => readonly Leaf[],
): readonly Leaf[] =>
  runFilterBranches(input).flatMap(({ share, result, assumptions }) =>
    behind(result).map((leaf) =>
      weighed({ ...leaf, assumptions: [...assumptions, ...leaf.assumptions] }, share),
    ),
  );

/** A way that only a part of the requests goes. */
export function weighed(leaf: Leaf, share: number | null): Leaf {
  return {
    ...leaf,
    share: times(share, leaf.share),
    onward: leaf.onward.map((onward) => ({ ...onward, share: times(share, onward.share) })),
  };
}

export const filtersOf = (manager: Message): readonly Message[] => {
  const list = field(manager, "http_filters");
  return Array.isArray(list) ? list.filter(isMessage) : [];
};

/** @param config the route configuration, which a filter may have matched again */
export function surroundingsOf({ input }: Stage, config: Message | null): FilterSurroundings {
  const { view } = input;
  return {
    hasCluster: view.hasCluster,
    discovered: view.discovered,
    rematch: (context) => {
      if (config === null) return null;
      const resolution = resolveRoute(config, context);
      return onlyEntry(resolution);
    },
  };
}

function onlyEntry({
  branches,
}: RouteResolution): RouteEntry | null | { readonly because: readonly Unknown[] } {
  const [first, ...others] = branches;
  if (first === undefined) return null;
  if (others.length > 0 || first.unknowns.length > 0)
    return {
      because:
        first.unknowns.length > 0
          ? first.unknowns
          : [unknown("random", "The route that is matched anew hangs on a random number.")],
    };
  const { result } = first;
  return result.kind === "route" ? result.action.entry : null;
}

export function withDecisions(stage: Stage, ran: FilterChainResult): Stage {
  const decisions = ran.decisions.filter(({ decision }) => decision !== "passed" && decision !== "disabled");
  return { ...stage, hop: { ...stage.hop, filters: [...stage.hop.filters, ...decisions] } };
}

export const downstreamProtocol = (context: MatchContext): "http/1.1" | "h2" =>
  protocolOf(context) === "h2" ? "h2" : "http/1.1";
