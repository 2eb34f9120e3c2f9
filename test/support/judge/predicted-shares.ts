/** What the tracer says of many equal requests: how often each value comes. */
import { shareDisagreements } from "./expectation.js";
import type { Decision } from "./decision.js";
import type { PredictedBranch } from "./prediction.js";
import type { Expected } from "./scenario.js";

type ShareOf = NonNullable<Expected["shares"]>["of"];

/** By value of the first hop; null where the tracer does not tell a share. */
export function predictedShares(
  of: ShareOf,
  branches: readonly PredictedBranch[],
): Readonly<Record<string, number>> | null {
  const shares = new Map<string, number>();
  for (const branch of branches)
    for (const [value, share] of valuesOf(of, branch)) {
      if (share === null) return null;
      shares.set(value, (shares.get(value) ?? 0) + share);
    }
  return Object.fromEntries(shares);
}

function valuesOf(
  of: ShareOf,
  { share, outcome, hops: [hop] }: PredictedBranch,
): (readonly [string, number | null])[] {
  switch (of) {
    case "status":
      // the server at the end answers 200 to all
      return [[String(outcome.kind === "endpoint" ? 200 : outcome.status), share]];
    case "route":
    case "cluster":
      return [[String(hop?.[of] ?? null), share]];
    case "upstreamHost": {
      if (outcome.kind !== "endpoint") return [["null", share]];
      const endpoints = hop?.endpoints ?? [];
      const all = endpoints.reduce((sum, one) => sum + (one.share ?? Number.NaN), 0);
      return endpoints.map(({ address, port, share: own }) => [
        `${address}:${port}`,
        share === null || own === null ? null : (share * own) / all,
      ]);
    }
  }
}

/** Where Envoy's choices do not fit the shares that the tracer tells: a sentence. */
export function predictionDisagreements(
  of: ShareOf,
  branches: readonly PredictedBranch[],
  decisions: readonly Decision[],
): string[] {
  const are = predictedShares(of, branches);
  return are === null ? [`${of}: the tracer tells no shares`] : shareDisagreements({ of, are }, decisions);
}
