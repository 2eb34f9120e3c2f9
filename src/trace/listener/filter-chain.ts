/** Which filter chain of a listener takes a connection (facts 3.2, 3.3). */
import { child, children, text, type Message } from "../../snapshot/message.js";
import type { EnvoyMinor } from "../match-context.js";
import type { NearMiss } from "../result.js";
import { unknown, type Unknown } from "../unknown.js";
import type { AcceptedSocket } from "./accepted-socket.js";
import {
  condition,
  firstSourceLevel,
  given,
  isAddressLevel,
  levels,
  takes,
  type Level,
} from "./chain-levels.js";
import { goThrough, indexChains, startOf, type ChainIndex, type SearchState } from "./chain-search.js";
import { evaluateChainMatcher } from "./chain-matcher.js";
import { possibleClients } from "./possible-clients.js";

export interface FilterChain {
  readonly message: Message;
  /** "" where it has none. */
  readonly name: string;
  /** Its place in `filter_chains`. */
  readonly index: number | "default";
  /** The conditions that applied, in words: `destination port 8080`. */
  readonly matched: readonly string[];
}

export type ChainChoice = { readonly nearMisses: readonly NearMiss[] } & (
  | { readonly kind: "chain"; readonly chain: FilterChain }
  /** Envoy closes the connection: response flag NR. */
  | {
      readonly kind: "none";
      readonly detail: "filter_chain_not_found";
      readonly because: string;
      readonly lostAt: Level | null;
    }
  | {
      readonly kind: "unknown";
      readonly because: readonly Unknown[];
      /** The chains that it may be; null: or none of them. */
      readonly possible: readonly (FilterChain | null)[];
    }
);

/** More near misses than this help nobody. */
const mostNearMisses = 20;

/** @param listener `envoy.config.listener.v3.Listener` */
export function chooseFilterChain(listener: Message, socket: AcceptedSocket, envoy: EnvoyMinor): ChainChoice {
  const chains = children(listener, "filter_chains");
  const fallback = child(listener, "default_filter_chain") ?? null;
  const matcher = child(listener, "filter_chain_matcher");
  if (matcher !== undefined) return chooseByMatcher(matcher, chains, fallback, socket, envoy);
  return chooseByMatch(indexChains(chains), fallback, socket);
}

function chooseByMatch(index: ChainIndex, fallback: Message | null, socket: AcceptedSocket): ChainChoice {
  const firstSource = levels.indexOf(firstSourceLevel);
  const before = goThrough(startOf(index), levels.slice(0, firstSource), socket, index.ranges);
  const clients = before.map(({ chains }) => possibleClients(socket, chains, index.ranges));
  const states = before.flatMap((state, at) =>
    (clients[at] ?? []).flatMap((client) =>
      goThrough(state, levels.slice(firstSource), client, index.ranges),
    ),
  );
  const [state] = states;
  const nearMisses = nearMissesOf(index, states, socket);
  const possible = distinctChains(index, states, fallback);
  const [only] = possible;
  if (clients.includes(null) || possible.length > 1 || only === undefined || state === undefined)
    return { kind: "unknown", because: [whyUnknown(possible, socket)], possible, nearMisses };
  if (only !== null) return { kind: "chain", chain: only, nearMisses };
  return { kind: "none", detail: "filter_chain_not_found", ...whyNone(index, state, socket), nearMisses };
}

/** The chains that the searches end at; null where one ends at none and there is no default chain. */
function distinctChains(
  index: ChainIndex,
  states: readonly SearchState[],
  fallback: Message | null,
): (FilterChain | null)[] {
  const found = new Map<number, Set<string>>();
  let isLost = false;
  for (const { chains, path } of states) {
    const matched = [...path].flatMap(([level, key]) => (key === "" ? [] : [condition(level, key)]));
    isLost ||= chains.length === 0;
    for (const { index: at } of chains) {
      const common = found.get(at);
      found.set(at, new Set(matched.filter((words) => common?.has(words) ?? true)));
    }
  }
  const chains = [...found]
    .sort(([a], [b]) => a - b)
    .map(([at, matched]) => chainOf(index.chains[at]?.message, at, [...matched]));
  if (!isLost) return chains;
  return [...chains, fallback === null ? null : chainOf(fallback, "default", ["default filter chain"])];
}

const chainOf = (
  message: Message | undefined,
  index: FilterChain["index"],
  matched: readonly string[],
): FilterChain => ({ message: message ?? {}, name: text(message, "name"), index, matched });

function whyUnknown(
  possible: readonly (FilterChain | null)[],
  { source, directSource }: AcceptedSocket,
): Unknown {
  const names = possible.map((chain) => (chain === null ? "none" : chainWords(chain))).join(", ");
  const among = names === "" ? "" : `: ${names}`;
  const isOfClient = [source, directSource].some(
    (peer) => peer === "unknown" || (peer !== null && peer.port === 0),
  );
  return isOfClient
    ? unknown("client address", `which filter chain it is depends on the client's address and port${among}`)
    : unknown("runtime state", `which filter chain it is depends on how Envoy stored them${among}`);
}

const chainWords = ({ name, index }: FilterChain): string =>
  name !== "" ? `"${name}"` : index === "default" ? "the default filter chain" : `number ${index}`;

function whyNone(
  index: ChainIndex,
  { path, lost }: SearchState,
  socket: AcceptedSocket,
): { because: string; lostAt: Level | null } {
  if (index.chains.length === 0) return { because: "the listener has no filter chain", lostAt: null };
  const lostAt = levels[path.size] ?? "source port";
  const asked = [...path].flatMap(([level, key]) => (key === "" ? [] : [condition(level, key)]));
  const left = index.chains.filter(({ index: at }) => lost.get(at) === lostAt).length;
  const scope =
    asked.length === 0 ? "no filter chain" : `of ${left} filter chains for ${asked.join(", ")}, none`;
  return { because: `${scope} takes it at the level of ${lostAt}: ${given(lostAt, socket)}`, lostAt };
}

/**
 * Chains that would take the connection if one condition were another, and chains whose conditions all hold but that
 * were out of reach because another chain asked for more.
 */
function nearMissesOf(
  index: ChainIndex,
  states: readonly SearchState[],
  socket: AcceptedSocket,
): readonly NearMiss[] {
  const won = new Set(states.flatMap(({ chains }) => chains.map(({ index: at }) => at)));
  const [state] = states;
  const found = index.chains
    .filter(({ index: at }) => !won.has(at))
    .flatMap(({ index: at, message, keys }) => {
      const failed = levels.filter(
        (level) =>
          isDecided(level, socket) && !keys[level].some((key) => takes(level, key, socket, index.ranges)),
      );
      const [level, another] = failed;
      if (another !== undefined) return [];
      const name = chainWords(chainOf(message, at, [])).replaceAll('"', "");
      if (level !== undefined) {
        const wanted = keys[level].map((key) => condition(level, key)).join(" or ");
        const because = `it takes ${wanted}, and ${given(level, socket)}`;
        return [{ depth: levels.indexOf(level), miss: { what: "filter chain", name, because } as const }];
      }
      const behind = state?.lost.get(at);
      const key = behind === undefined ? undefined : state?.path.get(behind);
      if (behind === undefined || key === undefined) return [];
      const because = `chains that ask for ${condition(behind, key)} are looked at alone, whatever else they ask for`;
      return [{ depth: levels.length, miss: { what: "filter chain", name, because } as const }];
    });
  return found
    .sort((a, b) => b.depth - a.depth)
    .slice(0, mostNearMisses)
    .map(({ miss }) => miss);
}

/** Whether a level's answer does not hang on an address or port that is not known. */
function isDecided(level: Level, { source, directSource }: AcceptedSocket): boolean {
  if (level === "direct source address") return directSource !== "unknown";
  if (level === "source port") return source !== "unknown" && source?.port !== 0;
  if (level === "source type" || (isAddressLevel(level) && level !== "destination address"))
    return source !== "unknown";
  return true;
}

/** The matcher tree names a chain; what it names must exist, the default chain is for trees without a result. */
function chooseByMatcher(
  matcher: Message,
  chains: readonly Message[],
  fallback: Message | null,
  socket: AcceptedSocket,
  envoy: EnvoyMinor,
): ChainChoice {
  const result = evaluateChainMatcher(matcher, socket, envoy);
  const nearMisses: readonly NearMiss[] = [];
  if (result.kind === "unknown")
    return { kind: "unknown", because: result.because, possible: [], nearMisses };
  if (result.kind === "no match") {
    if (fallback !== null)
      return { kind: "chain", chain: chainOf(fallback, "default", ["default filter chain"]), nearMisses };
    const because = "the filter chain matcher has no result, and there is no default filter chain";
    return { kind: "none", detail: "filter_chain_not_found", because, lostAt: null, nearMisses };
  }
  const at = chains.findIndex((chain) => text(chain, "name") === result.name);
  if (at >= 0) return { kind: "chain", chain: chainOf(chains[at], at, result.matched), nearMisses };
  const because = `the filter chain matcher names "${result.name}", and the listener has no such chain`;
  return { kind: "none", detail: "filter_chain_not_found", because, lostAt: null, nearMisses };
}
