/** What an HTTP filter is given and what it does to a request, whatever its type. */
import { field, type Message } from "../../snapshot/message.js";
import type { MatchContext } from "../match-context.js";
import type { HeaderList } from "../request.js";
import type { FilterDecision, ResponseFlag } from "../result.js";
import type { RouteEntry } from "../route/route-entry.js";
import type { Unknown } from "../unknown.js";
import type { LocalReply } from "./local-reply.js";

/** What filters ask of the rest of the proxy. */
export interface Surroundings {
  /** Whether the proxy has a cluster; "unknown" where its clusters were not captured. */
  readonly hasCluster: (name: string) => boolean | "unknown";
}

export interface FilterContext extends MatchContext {
  /** The route as filters see it; null where none matched. */
  readonly entry: RouteEntry | null;
  readonly surroundings: Surroundings;
}

/** A filter of the chain that is enabled for the request. */
export interface HttpFilter {
  /** As the connection manager's configuration names it. */
  readonly name: string;
  readonly type: string;
  readonly config: Message;
  /** Its own configurations of the route, least specific first; levels that only enable it are not among them. */
  readonly routeConfigs: readonly Message[];
}

/** What a filter leaves behind when the request goes on. */
export interface FilterChanges {
  readonly headers?: HeaderList;
  /** Filter or namespace -> what is merged over it. */
  readonly dynamicMetadata?: ReadonlyMap<string, Message>;
  readonly filterState?: ReadonlyMap<string, string>;
  /** By key of it, whether connections to hosts get it; absent: nothing tells. */
  readonly isShared?: ReadonlyMap<string, boolean>;
  /** Namespaces of dynamic metadata that it may set, by what is not known. */
  readonly hiddenMetadata?: readonly string[];
  /** Keys of filter state that it may set, likewise. */
  readonly hiddenFilterState?: readonly string[];
  readonly clearsRouteCache?: boolean;
  readonly responseFlags?: readonly ResponseFlag[];
  /** What it adds to or sets on the response later. */
  readonly responseHeaders?: HeaderList;
}

export interface FilterResult {
  readonly decision: FilterDecision["decision"];
  readonly policy: string;
  /** Of a filter that denies or answers; of an unknown decision that of a filter which answers in any case, else null. */
  readonly reply: LocalReply | null;
  /** What is not known of it: of an unknown decision what it hangs on, else what the decision does not hang on. */
  readonly because: readonly Unknown[];
  /** For an unknown decision: if it lets the request pass, and no more than this is known of what it changes. */
  readonly changes: FilterChanges;
}

export type EvaluateFilter = (filter: HttpFilter, context: FilterContext) => FilterResult;

export const passed = (changes: FilterChanges = {}): FilterResult => ({
  decision: "passed",
  policy: "",
  reply: null,
  because: [],
  changes,
});

export const allowed = (policy: string, changes: FilterChanges = {}): FilterResult => ({
  ...passed(changes),
  decision: "allowed",
  policy,
});

export const denied = (reply: LocalReply, policy = ""): FilterResult => ({
  ...passed(),
  decision: "denied",
  policy,
  reply,
});

export const answered = (reply: LocalReply): FilterResult => ({ ...passed(), decision: "answered", reply });

export const undecided = (because: readonly Unknown[], changes: FilterChanges = {}): FilterResult => ({
  ...passed(changes),
  decision: "unknown",
  because,
});

/** It answers for certain, but what it answers hangs on something. @param likely what it answers else */
export const answeredSomehow = (likely: LocalReply, because: readonly Unknown[]): FilterResult => ({
  ...undecided(because),
  reply: likely,
});

/** The most specific configuration of the route; undefined where no level has one. */
export const mostSpecific = (filter: HttpFilter): Message | undefined => filter.routeConfigs.at(-1);

/** Whether the matched route is a `route`: what Envoy calls a route entry. A redirect and a direct response are none. */
export function isForwarding(context: FilterContext): boolean {
  const route = context.entry?.route;
  return (
    route !== undefined &&
    !["redirect", "direct_response"].some((action) => field(route, action) !== undefined)
  );
}
