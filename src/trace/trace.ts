/**
 * The path of one request through the proxies of a snapshot: at each proxy what Envoy would do, then on to the proxy of the
 * pod that it reaches. What is not known is said; nothing is guessed.
 */
import type { Proxy, Snapshot } from "../snapshot/model.js";
import { socketText } from "./address.js";
import { clientDestination, firstArrival } from "./first-arrival.js";
import { hopLeaves } from "./hop.js";
import { endpoint, unknownOutcome, type HopInput, type Leaf } from "./leaf.js";
import { nextHop, ownersByIp, podNames, type Mesh } from "./next-hop.js";
import { likeliestWays, noWay, throughProxy, type Followed, type OpenWay, type Way } from "./path.js";
import { proxyViews } from "./proxy-view.js";
import type { HeaderList, SocketAddress } from "./request.js";
import type { Branch, TraceResult } from "./result.js";
import type { TraceInput } from "./trace-input.js";
import type { Unknown } from "./unknown.js";

export type { TraceInput } from "./trace-input.js";

/** Of all branches that are followed, the most likely ones are shown. */
const mostBranches = 256;

/** @throws RangeError where the snapshot has no such proxy */
export function traceRequest(snapshot: Snapshot, input: TraceInput): TraceResult {
  const start = snapshot.proxies.find(({ id }) => id === input.from);
  if (start === undefined) throw new RangeError(`no proxy ${input.from}`);
  const mesh: Mesh = { snapshot, view: proxyViews(snapshot), byIp: ownersByIp(snapshot) };
  return traceFrom(mesh, start, input);
}

function traceFrom(mesh: Mesh, start: Proxy, input: TraceInput): TraceResult {
  const view = mesh.view(start);
  const destination = clientDestination(mesh.snapshot, view, input);
  const assumptions = [...view.assumptions, ...destination.assumptions];
  const nothing: TraceResult = {
    request: requestOf(input, destination.address),
    bypass: null,
    outcome: unknownOutcome,
    hops: [],
    branches: [],
    assumptions: distinct(assumptions),
    unknowns: destination.unknowns,
  };
  if (destination.address === null) return nothing;
  const first = firstArrival(mesh.snapshot, view, input, destination.address);
  const told = [...assumptions, ...first.assumptions];
  switch (first.kind) {
    case "unknown":
      return { ...nothing, assumptions: distinct(told), unknowns: first.unknowns };
    case "bypasses":
      return { ...nothing, assumptions: distinct(told), bypass: first.because, outcome: endpoint };
    case "enters": {
      const hop: HopInput = {
        view,
        direction: first.direction,
        arrival: first.arrival,
        request: input.scheme === "tcp" ? null : requestHeaders(input),
        tunnelled: null,
        random: input.random,
        podOf: podNames(mesh, view),
      };
      const leaves = hopLeaves(hop);
      const [best] = ways(mesh, hop, leaves, "likeliest host", 1);
      const branches = input.allBranches ? ways(mesh, hop, leaves, "every host", mostBranches) : [];
      return {
        ...nothing,
        outcome: best?.outcome ?? unknownOutcome,
        hops: best?.hops ?? [],
        branches: branches.map(({ share, outcome, hops }): Branch => ({ share, outcome, hops })),
        assumptions: distinct([...told, ...(best?.assumptions ?? [])]),
        unknowns: distinctUnknowns(best?.unknowns ?? []),
      };
    }
  }
}

const requestOf = (
  { method, scheme, authority, path, headers }: TraceInput,
  destination: SocketAddress | null,
): TraceResult["request"] => ({
  method: scheme === "tcp" ? "" : method,
  scheme,
  authority,
  path: scheme === "tcp" ? "" : path,
  headers,
  originalDestination: destination === null ? null : socketText(destination),
});

/**
 * @param leaves what the first proxy does
 * @param most of the ways that are wanted, the most likely ones
 */
function ways(mesh: Mesh, first: HopInput, leaves: readonly Leaf[], followed: Followed, most: number): Way[] {
  const through = (way: OpenWay, input: HopInput, ofProxy: readonly Leaf[]): OpenWay[] =>
    ofProxy.flatMap((leaf) => throughProxy(way, leaf, input, followed));
  const follow = (way: OpenWay): OpenWay[] => {
    if (way.next.kind === "end") return [way];
    const next = nextHop(mesh, way.next.onward, way.next.from, way.hops.length);
    const reached: OpenWay = {
      ...way,
      assumptions: [...way.assumptions, ...next.assumptions],
      unknowns: [...way.unknowns, ...next.unknowns],
    };
    return next.kind === "end"
      ? [{ ...reached, next: { kind: "end", outcome: next.outcome, closing: null } }]
      : through(reached, next.input, hopLeaves(next.input));
  };
  return likeliestWays(through(noWay, first, leaves), follow, most);
}

/** Names in lower case, as HTTP/2 has them and Envoy keeps them. */
const requestHeaders = ({ method, scheme, authority, path, headers }: TraceInput): HeaderList => [
  [":method", method],
  [":scheme", scheme],
  [":authority", headers.find(([name]) => name.toLowerCase() === "host")?.[1] ?? authority],
  [":path", path],
  ...headers.flatMap(([name, value]) =>
    name.toLowerCase() === "host" ? [] : [[name.toLowerCase(), value] as const],
  ),
];

const distinct = (texts: readonly string[]): string[] => [...new Set(texts)];

const distinctUnknowns = (list: readonly Unknown[]): Unknown[] => [
  ...new Map(list.map((one) => [`${one.reason}\u0000${one.message}`, one])).values(),
];
