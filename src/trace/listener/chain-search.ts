/**
 * Envoy's search for a filter chain (facts 3.2): level by level the most specific key that any chain in reach has, and never
 * a step back: what a deeper level then loses, is lost.
 */
import type { Message } from "../../snapshot/message.js";
import { contains, type Cidr } from "../address.js";
import type { AcceptedSocket } from "./accepted-socket.js";
import {
  addressAt,
  chainKeys,
  isAddressLevel,
  levels,
  lookups,
  type AddressLevel,
  type ChainKeys,
  type Level,
  type Ranges,
} from "./chain-levels.js";

export interface IndexedChain {
  readonly index: number;
  readonly message: Message;
  readonly keys: ChainKeys;
}

/** The chains of a listener with what they ask for. */
export interface ChainIndex {
  readonly chains: readonly IndexedChain[];
  readonly ranges: Ranges;
}

export function indexChains(messages: readonly Message[]): ChainIndex {
  const ranges = new Map<string, Cidr>();
  return {
    chains: messages.map((message, index) => ({ index, message, keys: chainKeys(message, ranges) })),
    ranges,
  };
}

/** How one search went on: the chains left, and the key that was chosen at each level. */
export interface SearchState {
  readonly chains: readonly IndexedChain[];
  readonly path: ReadonlyMap<Level, string>;
  /** At which level a chain that was in reach fell behind. */
  readonly lost: ReadonlyMap<number, Level>;
}

export const startOf = (index: ChainIndex): SearchState => ({
  chains: index.chains,
  path: new Map(),
  lost: new Map(),
});

/**
 * Goes through some levels.
 * @returns one state; several where chains stand under two spellings of one whole family (absent and 0.0.0.0/0), between
 * which Envoy's choice is not defined. A state without chains is a search that found none.
 */
export function goThrough(
  from: SearchState,
  some: readonly Level[],
  socket: AcceptedSocket,
  ranges: Ranges,
): SearchState[] {
  let states = [from];
  for (const level of some) states = states.flatMap((state) => step(state, level, socket, ranges));
  return states;
}

/** All levels. */
export const search = (index: ChainIndex, socket: AcceptedSocket): SearchState[] =>
  goThrough(startOf(index), levels, socket, index.ranges);

function step(state: SearchState, level: Level, socket: AcceptedSocket, ranges: Ranges): SearchState[] {
  if (state.chains.length === 0) return [state];
  const present = new Set(state.chains.flatMap(({ keys }) => keys[level]));
  const chosen = isAddressLevel(level)
    ? longestRanges(level, present, socket, ranges)
    : lookups(level, socket)
        .filter((key) => present.has(key))
        .slice(0, 1);
  if (chosen.length === 0) return [{ ...state, chains: [], lost: withLost(state, state.chains, level) }];
  return chosen.map((key) => {
    const taken = state.chains.filter(({ keys }) => keys[level].includes(key));
    const behind = state.chains.filter(({ keys }) => !keys[level].includes(key));
    return {
      chains: taken,
      path: new Map([...state.path, [level, key]]),
      lost: withLost(state, behind, level),
    };
  });
}

function withLost(
  { lost }: SearchState,
  chains: readonly IndexedChain[],
  level: Level,
): ReadonlyMap<number, Level> {
  return chains.length === 0
    ? lost
    : new Map([...lost, ...chains.map(({ index }) => [index, level] as const)]);
}

function longestRanges(
  level: AddressLevel,
  present: ReadonlySet<string>,
  socket: AcceptedSocket,
  ranges: Ranges,
): string[] {
  const address = addressAt(level, socket);
  let longest = -1;
  let found: string[] = [];
  for (const key of present) {
    const range = ranges.get(key);
    if (key !== "" && (range === undefined || !contains(range, address))) continue;
    const length = range?.length ?? 0;
    if (length > longest) found = [];
    if (length >= longest) found.push(key);
    longest = Math.max(longest, length);
  }
  return found;
}
