import { describe, expect, it } from "vitest";

import { FailureStreak } from "../../src/collect/failure-streak.js";

/** A streak that has seen these outcomes. */
function after(
  limit: number,
  before: number,
  ...outcomes: ("failed" | "answered" | "absent" | "too large")[]
) {
  const streak = new FailureStreak(limit, before);
  for (const outcome of outcomes) streak.saw({ outcome });
  return streak;
}

describe("a streak of failures", () => {
  it.each([
    { outcomes: [], before: 0, isOver: false, because: "nothing was asked" },
    { outcomes: ["failed"], before: 0, isOver: false, because: "one may fail alone" },
    { outcomes: ["failed", "failed"], before: 0, isOver: true, because: "two in a row" },
    {
      outcomes: ["failed", "answered", "failed"],
      before: 0,
      isOver: false,
      because: "an answer came between",
    },
    { outcomes: ["failed", "absent", "failed"], before: 0, isOver: false, because: "a 404 is an answer" },
    {
      outcomes: ["failed", "too large", "failed"],
      before: 0,
      isOver: false,
      because: "so is one over the cap",
    },
    { outcomes: ["failed"], before: 1, isOver: true, because: "one is behind it already" },
    { outcomes: ["answered", "failed"], before: 1, isOver: false, because: "that one is forgotten" },
  ] as const)("is over: $isOver for $outcomes after $before: $because", ({ outcomes, before, isOver }) => {
    expect(after(2, before, ...outcomes).isOver).toBe(isOver);
  });

  it("says how long it is", () => {
    expect(after(2, 0, "failed", "failed").reason).toBe("not asked: 2 requests in a row had failed");
    expect(after(2, 0, "failed", "failed", "failed").reason).toBe(
      "not asked: 3 requests in a row had failed",
    );
  });
});
