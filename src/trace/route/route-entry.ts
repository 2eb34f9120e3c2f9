/** What a request was matched to: the messages from the route configuration down to the entry of weighted clusters. */
import { child, flag, text, type Message } from "../../snapshot/message.js";

export interface RouteEntry {
  readonly config: Message;
  readonly virtualHost: Message;
  readonly route: Message;
  /** The entry of `weighted_clusters` that was drawn. */
  readonly weighted: Message | null;
  /** "" where the route names none, or a header that is missing was to name it. */
  readonly cluster: string;
}

/** From the least to the most specific: what `typed_per_filter_config` and other levels are read from. */
export const levelsOf = ({ config, virtualHost, route, weighted }: RouteEntry): Message[] => [
  config,
  virtualHost,
  route,
  ...(weighted === null ? [] : [weighted]),
];

/**
 * The levels whose headers are changed, in the order in which that is done: the last one wins. The weighted entry is always
 * first; of the others the least specific one is last, unless `most_specific_header_mutations_wins`.
 */
export function mutationLevels({ config, virtualHost, route, weighted }: RouteEntry): Message[] {
  const isAscending = flag(config, "most_specific_header_mutations_wins") ?? false;
  const levels = isAscending ? [config, virtualHost, route] : [route, virtualHost, config];
  return weighted === null ? levels : [weighted, ...levels];
}

/** `RouteAction`; undefined for a redirect, a direct response, and the actions that name no cluster. */
export const routeAction = ({ route }: Pick<RouteEntry, "route">): Message | undefined =>
  child(route, "route");

export const routeName = ({ route }: Pick<RouteEntry, "route">): string => text(route, "name");
