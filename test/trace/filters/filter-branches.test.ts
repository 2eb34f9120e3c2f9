import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { runFilterBranches, type FilterBranch } from "../../../src/trace/filters/filter-branches.js";
import { aContext, aFilter, anEntry, router, surroundings } from "./filter-builders.js";

const fault = (config: Message): Message =>
  aFilter("envoy.extensions.filters.http.fault.v3.HTTPFault", config);
const aborts = (percent: number, status = 418): Message =>
  fault({ abort: { http_status: status, percentage: { numerator: percent } } });

const branches = (...filters: readonly Message[]): readonly FilterBranch[] =>
  runFilterBranches({
    filters: [...filters, router],
    context: aContext(),
    entry: anEntry(),
    surroundings,
  });

const statuses = (found: readonly FilterBranch[]): (readonly [number, number | null])[] =>
  found.map(({ share, result }) => [share, result.reply?.status ?? null] as const);

describe("the ways through the filters", () => {
  it("are one where nothing is drawn", () => {
    expect(statuses(branches(aborts(100)))).toEqual([[1, 418]]);
    expect(statuses(branches(aborts(0)))).toEqual([[1, null]]);
    expect(branches(aborts(100))[0]?.assumptions).toEqual([]);
  });

  it("part where a fault is injected into some requests", () => {
    const found = branches(aborts(25));
    expect(statuses(found)).toEqual([
      [0.25, 418],
      [0.75, null],
    ]);
    expect(found.map(({ assumptions }) => assumptions)).toEqual([
      ["Drawn: the abort of the filter fault (25 of 100 requests)."],
      ["Not drawn: the abort of the filter fault (75 of 100 requests)."],
    ]);
    expect(found.flatMap(({ result }) => result.unknowns)).toEqual([]);
  });

  it("multiply, as each filter draws for itself", () => {
    expect(statuses(branches(aborts(50), aborts(20, 503)))).toEqual([
      [0.5, 418],
      [0.1, 503],
      [0.4, null],
    ]);
  });

  it("know of a delay that is drawn, too", () => {
    const delayed = fault({ delay: { fixed_delay: "1s", percentage: { numerator: 10 } } });
    expect(branches(delayed).map(({ share, result }) => [share, result.responseFlags])).toEqual([
      [0.1, ["DI"]],
      [0.9, []],
    ]);
  });

  it("share out all requests, and end with what is unknown where too much is drawn", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 9 }), (percents) => {
        const found = branches(...percents.map((percent) => aborts(percent)));
        expect(found.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
        const drawn = percents.slice(0, percents.includes(100) ? percents.indexOf(100) : undefined);
        const isTooMuch = drawn.filter((percent) => percent > 0).length > 5;
        expect(found.some(({ result }) => result.unknowns.length > 0)).toBe(isTooMuch);
      }),
    );
  });
});
