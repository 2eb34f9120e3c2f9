import { describe, expect, it } from "vitest";

import { meshDrift } from "../../src/diff/mesh-drift.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { aCluster } from "../support/builders.js";
import { meshOf, type Held } from "../support/drift-snapshot.js";

const old = "2026-03-14T09:05:00Z";
const now = "2026-03-14T09:10:00Z";
const timed = (timeout: string, lastUpdated: string): Held => ({
  clusters: [aCluster("a", { connect_timeout: timeout })],
  lastUpdated,
});

/** What `late` holds, which is no replica of `early`, and what one Istiod would send both. */
const withLate = (holds: Held, sends: Held = timed("2s", now)): Snapshot =>
  meshOf({
    istiods: { x: { sends: { "early.n": sends, "late.m": sends } } },
    proxies: { "early.n": { holds: timed("2s", now) }, "late.m": { holds } },
  });
const missingOf = (snapshot: Snapshot): (readonly [string, readonly string[]])[] =>
  meshDrift(snapshot).timeline.events.map(({ first, missing }) => [first, missing]);

describe("what arrived elsewhere", () => {
  it("never arrived where Istiod would send it and the proxy holds an older one, or none", () => {
    expect(missingOf(withLate(timed("1s", old)))).toEqual([
      [old, []],
      [now, ["late.m"]],
    ]);
    expect(missingOf(withLate({}))).toEqual([[now, ["late.m"]]]);
  });

  it("is not missing where it is held, however it is written", () => {
    expect(missingOf(withLate(timed("2s", now)))).toEqual([[now, []]]);
    expect(missingOf(withLate(timed("2.0s", now)))).toEqual([[now, []]]);
  });

  it("is not missing where Istiod would send something else", () => {
    const snapshot = withLate(timed("1s", old), timed("3s", now));
    expect(missingOf(snapshot)).toEqual([
      [old, []],
      [now, []],
    ]);
  });

  it("is not known to be missing where Istiod's view was not captured", () => {
    const { proxies, resources } = withLate(timed("1s", old));
    expect(missingOf({ ...meshOf({}), proxies, resources })).toEqual([
      [old, []],
      [now, []],
    ]);
  });
});

describe("the timeline of a report", () => {
  it("begins an hour before the capture", () => {
    const captured = (value: string): Snapshot => ({
      ...withLate(timed("1s", old)),
      captureTime: { value, source: "manifest" },
    });
    expect(missingOf(captured("2026-03-14T10:07:00Z"))).toEqual([[now, ["late.m"]]]);
    expect(meshDrift(captured("2026-03-14T10:07:00Z")).timeline.since).toBe("2026-03-14T09:07:00.000Z");
    expect(missingOf(captured("2026-03-14T10:05:01Z"))).toHaveLength(1);
    expect(missingOf(captured("2026-03-14T10:05:00Z"))).toHaveLength(2);
  });
});
