/** The real Envoy on every scenario: it does what the facts say, and the tracer says what it does. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { withoutEnvoy } from "../support/live/envoy-binary.js";
import { comparison } from "../support/judge/compare.js";
import { refusal } from "../support/judge/judge.js";
import {
  contradictions,
  judgeScenarios,
  type JudgedScenario,
  type JudgedScenarios,
} from "../support/judge/judge-scenarios.js";
import { predictionDisagreements } from "../support/judge/predicted-shares.js";
import { predictor, type Predict } from "../support/judge/prediction.js";
import { unknownReasons, type UnknownReason } from "../../src/trace/unknown.js";
import { scenarios } from "./scenarios/index.js";
import { notDriven } from "./scenarios/not-driven.js";
import { refusals } from "./scenarios/refusals.js";

const all = Object.values(scenarios).flat();

it("has a scenario of its own for every name, and enough of them", () => {
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  expect(all.length).toBeGreaterThanOrEqual(150);
  const shared = all.filter(({ cases }) => cases.some(({ expected }) => expected.shares !== undefined));
  expect(shared.length).toBeGreaterThanOrEqual(30);
});

it("drives each of the sixty tricky cases, or says why it cannot", () => {
  const told = [...all, ...refusals, ...notDriven].flatMap(({ facts }) =>
    [...facts.matchAll(/#(\d+)/g)].map(([, number]) => Number(number)),
  );
  const missing = Array.from({ length: 60 }, (_, index) => index + 1).filter(
    (number) => !told.includes(number),
  );
  expect(missing).toEqual([]);
});

describe.skipIf(withoutEnvoy)("a real Envoy", () => {
  let judged: JudgedScenarios;
  let byName: ReadonlyMap<string, JudgedScenario>;
  let predict: Predict;
  const unknowns = new Map<UnknownReason, number>();
  let decisions = 0;

  beforeAll(async () => {
    judged = await judgeScenarios(all);
    byName = new Map(judged.scenarios.map((one) => [one.scenario.name, one]));
    predict = predictor(judged.admin);
  }, 300_000);

  afterAll(() => {
    const share = [...unknowns].map(([reason, count]) => `${reason}: ${count}`).join(", ");
    console.log(
      `${decisions} decisions of scenarios; the tracer cannot know ${share === "" ? "none" : share}`,
    );
  });

  it.each(all)("decides as the facts say: $name ($facts)", ({ name }) => {
    expect(contradictions(byName.get(name)!)).toEqual([]);
  });

  it.each(all)("decides as the tracer says: $name", ({ name }) => {
    const disagreements = new Set<string>();
    for (const { case: one, decisions: own } of byName.get(name)!.cases)
      for (const { decision, connectedTo, from } of own) {
        const { disagreements: found, unknown } = comparison(
          decision,
          predict(one.request, { connectedTo, from }),
        );
        decisions += 1;
        if (unknown !== null) {
          expect(unknownReasons).toContain(unknown);
          unknowns.set(unknown, (unknowns.get(unknown) ?? 0) + 1);
        }
        for (const sentence of found) disagreements.add(`${JSON.stringify(one.request)}: ${sentence}`);
      }
    expect([...disagreements]).toEqual([]);
  });

  const repeated = all.filter(({ cases }) => cases.some(({ expected }) => expected.shares !== undefined));
  it.each(repeated)("chooses as often as the tracer says: $name", ({ name }) => {
    const disagreements = byName
      .get(name)!
      .cases.flatMap(({ case: { request, expected }, decisions: own }) =>
        own[0] === undefined || expected.shares === undefined
          ? []
          : predictionDisagreements(
              expected.shares.of,
              predict(request, own[0]),
              own.map(({ decision }) => decision),
            ),
      );
    expect(disagreements).toEqual([]);
  });

  it.each(refusals)("refuses $name ($facts)", async ({ refused, says, taken }) => {
    expect(await refusal(refused)).toMatch(says);
    expect(await refusal(taken)).toBeNull();
  });
});
