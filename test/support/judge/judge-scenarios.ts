/** Runs scenarios in one Envoy, each case as often as it says. */
import { disagreements, shareDisagreements } from "./expectation.js";
import { judge, type JudgedDecision, type Judgement, type Trial } from "./judge.js";
import type { Scenario, ScenarioCase } from "./scenario.js";

export interface JudgedScenario {
  readonly scenario: Scenario;
  readonly cases: readonly JudgedCase[];
}

export interface JudgedCase {
  readonly case: ScenarioCase;
  /** As many as the case has times. */
  readonly decisions: readonly JudgedDecision[];
}

export interface JudgedScenarios {
  readonly scenarios: readonly JudgedScenario[];
  readonly admin: Judgement["admin"];
}

export const trialOf = ({ name, configuration, cases }: Scenario): Trial => ({
  name,
  configuration,
  requests: cases.flatMap(({ request, times = 1 }) => Array.from({ length: times }, () => request)),
});

export async function judgeScenarios(scenarios: readonly Scenario[]): Promise<JudgedScenarios> {
  const { decisions, admin } = await judge(scenarios.map(trialOf));
  return {
    admin,
    scenarios: scenarios.map((scenario, index) => {
      const rest = [...(decisions[index] ?? [])];
      return {
        scenario,
        cases: scenario.cases.map((one) => ({ case: one, decisions: rest.splice(0, one.times ?? 1) })),
      };
    }),
  };
}

/** Where Envoy does not do what the facts say: sentences with the request that they are about. */
export function contradictions({ cases }: JudgedScenario): string[] {
  return cases.flatMap(({ case: { request, expected }, decisions }) => {
    const sentences = new Set(decisions.flatMap(({ decision }) => disagreements(expected, decision)));
    const { shares } = expected;
    const off =
      shares === undefined
        ? []
        : shareDisagreements(
            shares,
            decisions.map(({ decision }) => decision),
          );
    return [...sentences, ...off].map((sentence) => `${JSON.stringify(request)}: ${sentence}`);
  });
}
