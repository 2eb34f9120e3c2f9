/** Runs generated configurations, some in each Envoy, and compares every decision with the tracer's prediction. */
import type { UnknownReason } from "../../../src/trace/unknown.js";
import { comparison } from "./compare.js";
import { unmetAims } from "./generator/aims.js";
import { generatedTrial } from "./generator/generated-trial.js";
import { judge } from "./judge.js";
import { predictor } from "./prediction.js";

export interface GeneratedRun {
  readonly configurations: number;
  readonly requests: number;
  /** Sentences with the seed and the request that they are about. */
  readonly disagreements: readonly string[];
  /** Where Envoy itself does not do what a request was made for: a mistake of the generator. */
  readonly unmetAims: readonly string[];
  /** How often the tracer said that it cannot know, by its reason. */
  readonly unknowns: ReadonlyMap<UnknownReason, number>;
  /** How often Envoy ended a request so: status, flags and details. */
  readonly endings: ReadonlyMap<string, number>;
}

/** Few enough that their listeners and clusters are up in a second. */
const perEnvoy = 50;
export const requestsPerConfiguration = 34;

export async function judgeSeeds(seeds: readonly number[]): Promise<GeneratedRun> {
  const disagreements: string[] = [];
  const aims: string[] = [];
  const unknowns = new Map<UnknownReason, number>();
  const endings = new Map<string, number>();
  let requests = 0;
  for (let start = 0; start < seeds.length; start += perEnvoy) {
    const trials = seeds
      .slice(start, start + perEnvoy)
      .map((seed) => generatedTrial(seed, requestsPerConfiguration));
    const { decisions, admin } = await judge(trials);
    const predict = predictor(admin);
    trials.forEach((trial, index) => {
      const judged = decisions[index] ?? [];
      aims.push(
        ...unmetAims(
          trial,
          judged.map(({ decision }) => decision),
        ),
      );
      judged.forEach(({ decision, connectedTo, from }, position) => {
        const request = trial.requests[position] ?? {};
        requests += 1;
        const { status, flags, details } = decision;
        count(endings, `${status ?? "-"} ${flags.join(",")} ${details.replace(/\[.*/, "")}`);
        const { disagreements: found, unknown } = comparison(
          decision,
          predict(request, { connectedTo, from }),
        );
        if (unknown !== null) count(unknowns, unknown);
        if (found.length > 0)
          disagreements.push(`seed ${trial.seed}, ${JSON.stringify(request)}: ${found.join("; ")}`);
      });
    });
  }
  return { configurations: seeds.length, requests, disagreements, unmetAims: aims, unknowns, endings };
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
