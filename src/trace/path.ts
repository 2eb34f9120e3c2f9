/** The ways that a request may go through several proxies, followed from the most likely one on. */
import { sumOf, times } from "./shares.js";
import {
  failure,
  hopSentTo,
  unknownOutcome,
  type Closing,
  type HopInput,
  type Leaf,
  type Onward,
} from "./leaf.js";
import type { Hop, Outcome } from "./result.js";
import { unknown, type Unknown } from "./unknown.js";

/** A way to its end. */
export interface Way {
  /** 0..1; null where it cannot be told. */
  readonly share: number | null;
  readonly outcome: Outcome;
  readonly hops: readonly Hop[];
  readonly assumptions: readonly string[];
  readonly unknowns: readonly Unknown[];
}

/** A way as far as it has been followed. */
export interface OpenWay extends Omit<Way, "outcome"> {
  /** What each hop sent to the one behind it. */
  readonly sent: readonly Onward[];
  readonly next:
    | { readonly kind: "host"; readonly onward: Onward; readonly from: HopInput }
    | { readonly kind: "end"; readonly outcome: Outcome; readonly closing: Closing | null };
}

export const noWay: OpenWay = {
  share: 1,
  hops: [],
  sent: [],
  assumptions: [],
  unknowns: [],
  next: { kind: "end", outcome: unknownOutcome, closing: null },
};

/** Which of a cluster's hosts are followed. Where it is the most likely one, that stands for all of them. */
export type Followed = "every host" | "likeliest host";

/** A way with what one more proxy does, one for each host that this may send to. */
export function throughProxy(way: OpenWay, leaf: Leaf, from: HopInput, followed: Followed): OpenWay[] {
  const share = times(way.share, leaf.share);
  const known = {
    share,
    sent: way.sent,
    assumptions: [...way.assumptions, ...leaf.assumptions],
    unknowns: [...way.unknowns, ...leaf.unknowns],
  };
  const { outcome, closing, hop } = leaf;
  if (outcome !== null)
    return [{ ...known, hops: [...way.hops, hop], next: { kind: "end", outcome, closing } }];
  const hosts = followed === "every host" ? leaf.onward : likeliest(leaf.onward);
  return hosts.map((onward) => ({
    ...known,
    share: followed === "every host" ? times(way.share, onward.share) : share,
    hops: [...way.hops, hopSentTo(hop, onward)],
    sent: [...way.sent, onward],
    next: { kind: "host", onward, from },
  }));
}

function likeliest(onward: readonly Onward[]): readonly Onward[] {
  const [best] = [...onward].sort((a, b) => (b.share ?? 0) - (a.share ?? 0));
  return best === undefined ? [] : [best];
}

/** Hosts that are looked at, and ways that are found behind them: a dump may have loops, and lists without measure. */
const mostFollowed = 256;
const mostBehind = 10_000;

/**
 * The ends of the most likely ways, in the order of their shares. What is not followed any more comes last, as one.
 * @param follow one step from a host on; the shares of what it gives add up to the way's own
 * @param most of the ends that are wanted
 */
export function likeliestWays(
  ways: readonly OpenWay[],
  follow: (way: OpenWay) => readonly OpenWay[],
  most: number,
): Way[] {
  // the most likely one last; the first of several as likely
  const open = [...ways].reverse().sort(byRank);
  const found: Way[] = [];
  let followed = 0;
  let behind = 0;
  for (let way = open.pop(); way !== undefined; way = open.pop()) {
    const isEnd = way.next.kind === "end";
    if (found.length === most || (!isEnd && (followed === mostFollowed || behind > mostBehind)))
      return [...found, unfollowed([...open, way])];
    if (way.next.kind === "end") {
      found.push(ended(way, way.next));
      if (most === 1) break;
      continue;
    }
    followed++;
    for (const one of follow(way)) {
      behind++;
      insert(open, one);
    }
  }
  return found;
}

/** Of two as likely ways the one that is at its end is the better one. */
const byRank = (a: OpenWay, b: OpenWay): number =>
  (a.share ?? 0) - (b.share ?? 0) || Number(a.next.kind === "end") - Number(b.next.kind === "end");

/** Behind all that are less likely, before its equals, which came earlier. */
function insert(open: OpenWay[], way: OpenWay): void {
  let [low, high] = [0, open.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = open[middle];
    if (other !== undefined && byRank(other, way) < 0) low = middle + 1;
    else high = middle;
  }
  open.splice(low, 0, way);
}

/** @param open the most likely one last */
function unfollowed(open: readonly OpenWay[]): Way {
  const { hops = [], assumptions = [], unknowns = [] } = open.at(-1) ?? {};
  const because = unknown("limit", `More than ${mostFollowed} branches are not followed.`);
  return {
    share: sumOf(open.map(({ share }) => share)),
    outcome: unknownOutcome,
    hops,
    assumptions,
    unknowns: [...unknowns, because],
  };
}

/** Back from the end: what the end of a connection is for those that opened the connections before it. */
function ended(
  { share, hops, sent, assumptions, unknowns }: OpenWay,
  end: { readonly outcome: Outcome; readonly closing: Closing | null },
): Way {
  const { outcome } = sent.reduceRight(closedUpstream, end);
  return { share, outcome, hops, assumptions, unknowns };
}

/** What a connection that the next proxy refuses or closes is for the one that opened it. */
function closedUpstream(
  { outcome, closing }: { readonly outcome: Outcome; readonly closing: Closing | null },
  { isHttp, host: { transport } }: Onward,
): { readonly outcome: Outcome; readonly closing: Closing | null } {
  if (closing === null) return { outcome, closing };
  // TLS that is only passed on is no part of making the connection
  const isConnected = closing === "later" || (closing === "at once" && transport.tls === null);
  const flags = [isConnected ? "UC" : "UF"] as const;
  if (isHttp)
    return { closing: null, outcome: failure(503, flags, "upstream_reset_before_response_started") };
  // bytes are passed on once there is a connection, and so is its end
  return isConnected
    ? { outcome, closing: "later" }
    : { closing: "at once", outcome: failure(null, flags, "") };
}
