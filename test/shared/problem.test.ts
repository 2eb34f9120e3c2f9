import { describe, expect, it } from "vitest";

import { lost, note, ProblemList } from "../../src/shared/problem.js";

const listOf = (perEntry: number, entries: readonly string[]): ProblemList => {
  const list = new ProblemList(perEntry);
  entries.forEach((entry, index) => list.add(lost(entry, `number ${index}`)));
  return list;
};

describe("lost and note", () => {
  it("differ in what they cost", () => {
    expect(lost("e", "is cut off", "/a")).toEqual({
      entry: "e",
      pointer: "/a",
      message: "is cut off",
      severity: "lost",
    });
    expect(note("e", "stands twice")).toEqual({
      entry: "e",
      pointer: "",
      message: "stands twice",
      severity: "note",
    });
  });
});

describe("ProblemList", () => {
  it("is empty at first", () => {
    expect(new ProblemList().all).toEqual([]);
  });

  it("keeps problems in the order in which they were found", () => {
    expect(listOf(5, ["b", "a", "b"]).all.map(({ entry, message }) => `${entry} ${message}`)).toEqual([
      "b number 0",
      "a number 1",
      "b number 2",
    ]);
  });

  it("keeps as many of one entry as it may, and no remark then", () => {
    expect(listOf(3, ["a", "a", "a"]).all).toHaveLength(3);
  });

  it("counts what goes beyond", () => {
    const { all } = listOf(3, ["a", "a", "a", "a", "a"]);
    expect(all).toHaveLength(4);
    expect(all.at(-1)).toEqual(lost("a", "has 2 more problems like these"));
  });

  it("does not let one entry hide the problems of another", () => {
    const { all } = listOf(2, ["noisy", "noisy", "noisy", "quiet"]);
    expect(all.filter(({ entry }) => entry === "quiet")).toHaveLength(1);
  });

  it("keeps 50 of each entry where nothing else is said", () => {
    const list = new ProblemList();
    for (let count = 0; count < 1000; count++) list.add(note("hostile", "again"));
    expect(list.all).toHaveLength(51);
    expect(list.all.at(-1)?.message).toBe("has 950 more problems like these");
  });
});
