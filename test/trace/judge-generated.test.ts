/**
 * The real Envoy on generated configurations: fresh seeds in every run, which are printed and stand in each failure.
 * ISTIO_SNAPSHOT_JUDGE_SEEDS says how many (300 for the long run), ISTIO_SNAPSHOT_JUDGE_FIRST_SEED which is the first.
 */
import { randomInt } from "node:crypto";

import { beforeAll, describe, expect, it } from "vitest";

import { withoutEnvoy } from "../support/live/envoy-binary.js";
import { generatedTrial } from "../support/judge/generator/generated-trial.js";
import { judgeSeeds, requestsPerConfiguration, type GeneratedRun } from "../support/judge/judge-generated.js";

const numberOf = (name: string, fallback: number): number => {
  const text = process.env[name] ?? "";
  if (!/^\d*$/.test(text)) throw new Error(`${name} is no number: ${text}`);
  return text === "" ? fallback : Number(text);
};
const count = numberOf("ISTIO_SNAPSHOT_JUDGE_SEEDS", 20);
const first = numberOf("ISTIO_SNAPSHOT_JUDGE_FIRST_SEED", randomInt(1, 1_000_000_000));

it("generates the same configuration and requests for a seed, others for another", () => {
  expect(generatedTrial(7, 5)).toEqual(generatedTrial(7, 5));
  expect(generatedTrial(7, 5)).not.toEqual(generatedTrial(8, 5));
});

describe.skipIf(withoutEnvoy)(`a real Envoy and the seeds ${first} to ${first + count - 1}`, () => {
  let run: GeneratedRun;

  beforeAll(async () => {
    console.log(`seeds ${first} to ${first + count - 1}`);
    run = await judgeSeeds(Array.from({ length: count }, (_, index) => first + index));
    const words = (counts: ReadonlyMap<string, number>): string =>
      [...counts]
        .sort((a, b) => b[1] - a[1])
        .map(([name, times]) => `${times} ${name}`)
        .join(", ");
    console.log(`${run.requests} requests over ${run.configurations} configurations: ${words(run.endings)}`);
    console.log(`the tracer cannot know: ${run.unknowns.size === 0 ? "none" : words(run.unknowns)}`);
  }, 900_000);

  it("has decided about every request", () => {
    expect(run.requests).toBe(count * requestsPerConfiguration);
  });

  it("takes the route that a request was made for, and not one whose condition it was made to miss", () => {
    expect(run.unmetAims).toEqual([]);
  });

  it("decides as the tracer says", () => {
    expect(run.disagreements).toEqual([]);
  });
});
