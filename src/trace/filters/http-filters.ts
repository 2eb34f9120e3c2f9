/**
 * The HTTP filters of a connection manager on the way of a request, up to the one that ends the chain
 * (`source/common/http/filter_chain_helper.cc`, `filter_manager.cc`).
 */
import { child, isMessage, text, type Message } from "../../snapshot/message.js";
import type { EnvoyMinor, MatchContext } from "../match-context.js";
import type { HeaderList } from "../request.js";
import type { FilterDecision, ResponseFlag } from "../result.js";
import { levelsOf as routeLevels, type RouteEntry } from "../route/route-entry.js";
import { unknown, type Unknown } from "../unknown.js";
import { evaluatorOf, isTerminal, kindOf } from "./filter-kinds.js";
import {
  answered,
  passed,
  undecided,
  type FilterChanges,
  type FilterContext,
  type FilterResult,
  type HttpFilter,
  type Surroundings,
} from "./filter.js";
import { localReply, type LocalReply } from "./local-reply.js";
import { evaluateMatchDelegate } from "./match-delegate.js";
import { configsOf, isEnabled, levelsOf } from "./per-route-config.js";
import { namedConfig } from "./typed-config.js";

/** What a request meets. */
export interface FilterChainInput {
  /** `http_filters`, or those of the upgrade. */
  readonly filters: readonly Message[];
  /** As it is when the chain begins, with the route that was matched. */
  readonly context: MatchContext;
  readonly entry: RouteEntry | null;
  readonly surroundings: FilterSurroundings;
}

export interface FilterSurroundings extends Surroundings {
  /**
   * A filter that is discovered (ECDS): its `TypedExtensionConfig`, undefined where Envoy has none, "unknown" where that was
   * not captured.
   */
  readonly discovered: (name: string) => Message | undefined | "unknown";
  /** Matches the route anew, after a filter cleared it; "unknown" where that cannot be told. */
  readonly rematch: (context: MatchContext) => RouteEntry | null | UnknownRoute;
}

export interface UnknownRoute {
  readonly because: readonly Unknown[];
}

export interface FilterChainResult {
  /** Of every filter that the request reached, and of those that are off. */
  readonly decisions: readonly FilterDecision[];
  /** What a filter answers; null where the request reaches the end of the chain. */
  readonly reply: LocalReply | null;
  /** As it is at the end: headers, metadata, route. If a decision is unknown, as if that filter let the request pass. */
  readonly context: MatchContext;
  readonly entry: RouteEntry | null;
  /** Whether the outcome of the chain is the only possible one: nothing unknown could have changed it. */
  readonly isKnown: boolean;
  readonly unknowns: readonly Unknown[];
  /** Of delays. */
  readonly responseFlags: readonly ResponseFlag[];
  /** What filters add to a response. */
  readonly responseHeaders: HeaderList;
  /** Namespaces of dynamic metadata into which a filter may have written what is not known. */
  readonly hiddenMetadata: ReadonlySet<string>;
}

/** Runs the chain until a filter answers. */
export function runHttpFilters(input: FilterChainInput): FilterChainResult {
  let state = startOf(input);
  // which filters are on is settled with the first route, also where the route changes later
  for (const { filter, isOn } of filtersOf(input)) {
    const name = text(filter, "name");
    if (!isOn) {
      state = { ...state, decisions: [...state.decisions, { name, decision: "disabled", policy: "" }] };
      continue;
    }
    const found = configured(filter, input.surroundings, state);
    state = after(state, name, evaluateFilter(found, state, input.surroundings), input.surroundings);
    if (state.reply !== null || isTerminal(found.kind)) break;
  }
  return state;
}

const startOf = ({ context, entry }: FilterChainInput): FilterChainResult => ({
  decisions: [],
  reply: null,
  context: { ...context, route: entry?.route ?? null },
  entry,
  isKnown: true,
  unknowns: [],
  responseFlags: [],
  responseHeaders: [],
  hiddenMetadata: new Set(),
});

function filtersOf({ filters, context, entry }: FilterChainInput): { filter: Message; isOn: boolean }[] {
  return filters.map((filter) => {
    const { type } = namedConfig(filter);
    const levels = levelsOf(perFilterConfigs(entry), lookupNames(filter, type, context.envoy));
    return { filter, isOn: isEnabled(filter, levels) };
  });
}

const perFilterConfigs = (entry: RouteEntry | null): Message[] =>
  entry === null ? [] : routeLevels(entry).map((level) => child(level, "typed_per_filter_config") ?? {});

/** 1.23 looks up the filter's name first; before, the well-known name of its kind alone counted; 1.26 ends that. */
const ownNameSince: EnvoyMinor = 23;
const kindNameUntil: EnvoyMinor = 26;

function lookupNames(filter: Message, type: string, envoy: EnvoyMinor): string[] {
  const name = text(filter, "name");
  const kind = kindOf(type, name);
  const wellKnown = kind === null ? name : `envoy.filters.http.${kind}`;
  if (envoy < ownNameSince) return [wellKnown];
  return envoy < kindNameUntil ? [name, wellKnown] : [name];
}

interface ConfiguredFilter {
  readonly kind: string | null;
  /** Without a configuration: whether that is because none was discovered, or captured. */
  readonly filter: HttpFilter | "missing" | "not captured";
  readonly name: string;
}

function configured(
  filter: Message,
  surroundings: FilterSurroundings,
  { entry, context }: FilterChainResult,
): ConfiguredFilter {
  const name = text(filter, "name");
  const discovery = child(filter, "config_discovery");
  const found = discovery === undefined ? filter : discoveredConfig(name, discovery, surroundings);
  if (typeof found === "string") return { kind: null, filter: found, name };
  const { type, config } = namedConfig(found);
  const levels = levelsOf(perFilterConfigs(entry), lookupNames(filter, type, context.envoy));
  return {
    kind: kindOf(type, name),
    filter: { name, type, config, routeConfigs: configsOf(levels) },
    name,
  };
}

/** What was discovered, else the default that the listener brings. */
function discoveredConfig(
  name: string,
  discovery: Message,
  surroundings: FilterSurroundings,
): Message | "missing" | "not captured" {
  const found = surroundings.discovered(name);
  if (isMessage(found)) return found;
  const fallback = child(discovery, "default_config");
  if (fallback !== undefined && found === undefined) return { name, typed_config: fallback };
  return found === undefined ? "missing" : "not captured";
}

function evaluateFilter(
  { kind, filter, name }: ConfiguredFilter,
  { context, entry }: FilterChainResult,
  surroundings: Surroundings,
): FilterResult {
  if (filter === "missing") return withoutConfig;
  if (filter === "not captured")
    return undecided([
      unknown("not captured", `The configuration of the filter ${name}, which is discovered.`),
    ]);
  if (isTerminal(kind)) return passed();
  const filterContext: FilterContext = { ...context, entry, surroundings };
  const evaluate = kind === "match_delegate" ? evaluateMatchDelegate : evaluatorOf(filter.type, filter.name);
  return evaluate(filter, filterContext);
}

/** In the place of a filter without a configuration stands one that answers every request. */
const withoutConfig = answered(localReply(500, "", { responseFlags: ["NFCF"] }));

function after(
  state: FilterChainResult,
  name: string,
  result: FilterResult,
  surroundings: FilterSurroundings,
): FilterChainResult {
  const decision = { name, decision: result.decision, policy: result.policy };
  const changed = changedState(state, result.changes);
  const next: FilterChainResult = {
    ...changed,
    decisions: [...state.decisions, decision],
    reply: result.reply,
    isKnown: state.isKnown && result.decision !== "unknown",
    unknowns: [...state.unknowns, ...result.because],
  };
  return result.changes.clearsRouteCache === true ? rematched(next, surroundings) : next;
}

function changedState(state: FilterChainResult, changes: FilterChanges): FilterChainResult {
  const { context } = state;
  const hiddenFilterState = changes.hiddenFilterState ?? [];
  const hiddenMetadata = new Set([...state.hiddenMetadata, ...(changes.hiddenMetadata ?? [])]);
  const filterState = new Map([...context.filterState, ...(changes.filterState ?? [])]);
  for (const key of hiddenFilterState) filterState.delete(key);
  return {
    ...state,
    context: {
      ...context,
      headers: changes.headers ?? context.headers,
      dynamicMetadata: mergedMetadata(context.dynamicMetadata, changes.dynamicMetadata, hiddenMetadata),
      filterState,
      isShared: new Map([...(context.isShared ?? []), ...(changes.isShared ?? [])]),
      isComplete: context.isComplete && hiddenMetadata.size + hiddenFilterState.length === 0,
    },
    responseFlags: [...state.responseFlags, ...(changes.responseFlags ?? [])],
    responseHeaders: [...state.responseHeaders, ...(changes.responseHeaders ?? [])],
    hiddenMetadata,
  };
}

/** Field by field of a namespace (`StreamInfo::setDynamicMetadata`); a hidden one stays unknown as a whole. */
function mergedMetadata(
  current: ReadonlyMap<string, unknown>,
  written: ReadonlyMap<string, Message> = new Map(),
  hidden: ReadonlySet<string>,
): Map<string, unknown> {
  const merged = new Map(current);
  for (const [namespace, fields] of written) {
    const old = merged.get(namespace);
    merged.set(namespace, isMessage(old) ? { ...old, ...fields } : fields);
  }
  for (const namespace of hidden) merged.delete(namespace);
  return merged;
}

/** The next filter that asks for the route gets one for the headers of that moment. */
function rematched(state: FilterChainResult, surroundings: FilterSurroundings): FilterChainResult {
  const entry = surroundings.rematch(state.context);
  if (entry !== null && "because" in entry)
    return { ...state, isKnown: false, unknowns: [...state.unknowns, ...entry.because] };
  return { ...state, entry, context: { ...state.context, route: entry?.route ?? null } };
}
