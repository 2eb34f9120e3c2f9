import { describe, expect, it } from "vitest";

import { comparer } from "../../src/diff/sections.js";
import { timelineOf, type Timeline } from "../../src/diff/timeline.js";
import { timelineLines } from "../../src/report/drift-wording.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { aCluster, aListener, aResource } from "../support/builders.js";
import { dumpOf, meshOf, type GivenProxy, type Held } from "../support/drift-snapshot.js";

const reviews = {
  OWNER: "kubernetes://apis/apps/v1/namespaces/default/deployments/reviews",
  WORKLOAD_NAME: "reviews",
};

const at = (minute: number, second = 0): string =>
  `2026-03-14T09:${String(minute).padStart(2, "0")}:${String(second).padStart(2, "0")}Z`;

const timed = (timeout: string, time: string, name = "a"): Held => ({
  clusters: [aCluster(name, { connect_timeout: timeout })],
  lastUpdated: time,
});

/** Replicas r1, r2, ... that hold this. */
const replicasWith = (...held: readonly (Held | string)[]): Snapshot =>
  meshOf({
    proxies: Object.fromEntries(
      held.map((holds, index): [string, GivenProxy] => [
        `r${index + 1}.default`,
        { holds, metadata: reviews, ip: `10.0.0.${index + 1}` },
      ]),
    ),
  });

const timelineWith = (snapshot: Snapshot, since: string | null = null): Timeline =>
  timelineOf(snapshot, comparer(), since);
const linesOf = (snapshot: Snapshot, since: string | null = null): string[] =>
  timelineLines(timelineWith(snapshot, since));
const missingOf = (snapshot: Snapshot): (readonly [string, readonly string[]])[] =>
  timelineWith(snapshot).events.map(({ name, first, missing }) => [`${name} ${first}`, missing]);

describe("what arrived when", () => {
  it("is one event for one content on many proxies, in the order of time", () => {
    const snapshot = replicasWith(timed("1s", at(10)), timed("1s", at(12)), timed("1s", at(11)));
    expect(timelineWith(snapshot).events).toMatchObject([
      {
        kind: "cluster",
        name: "a",
        first: at(10),
        last: at(12),
        arrivals: [
          { proxyId: "r1.default", at: at(10) },
          { proxyId: "r3.default", at: at(11) },
          { proxyId: "r2.default", at: at(12) },
        ],
        missing: [],
      },
    ]);
  });

  it("also where it is written otherwise", () => {
    expect(timelineWith(replicasWith(timed("1s", at(10)), timed("1.0s", at(11)))).events).toHaveLength(1);
    expect(timelineWith(replicasWith(timed("1s", at(10)), timed("2s", at(11)))).events).toHaveLength(2);
  });

  it("names the replicas where it never arrived", () => {
    expect(missingOf(replicasWith(timed("2s", at(10)), timed("2s", at(10)), timed("1s", at(5))))).toEqual([
      [`a ${at(5)}`, []], // the others have had it, and something newer since
      [`a ${at(10)}`, ["r3.default"]],
    ]);
    expect(missingOf(replicasWith(timed("2s", at(10)), {}))).toEqual([[`a ${at(10)}`, ["r2.default"]]]);
  });

  it("but not those of which it is not known", () => {
    const whole = dumpOf({ clusters: [aCluster("0"), aCluster("a")], lastUpdated: at(1) });
    const cut = whole.slice(0, whole.indexOf('"a"'));
    expect(missingOf(replicasWith(timed("2s", at(10)), cut)).at(-1)).toEqual([`a ${at(10)}`, []]);
    const untimed = { clusters: [aCluster("a", { connect_timeout: "2s" })] };
    const snapshot = replicasWith(timed("2s", at(10)), untimed);
    expect(missingOf(snapshot)).toEqual([[`a ${at(10)}`, []]]);
    expect(timelineWith(snapshot).untimed).toBe(1);
  });

  it("nor proxies of other workloads, nor a pod's own certificate, nor a listener for its own address", () => {
    const snapshot = meshOf({
      proxies: {
        "r1.default": { holds: timed("1s", at(10)), metadata: reviews },
        "x.default": { holds: {}, metadata: { WORKLOAD_NAME: "x" } },
      },
    });
    expect(missingOf(snapshot)).toEqual([[`a ${at(10)}`, []]]);
    const certificates = ["1", "2"].map((chain): Held => ({
      secrets: [
        aResource("secret", "default", { tls_certificate: { certificate_chain: { inline_bytes: chain } } }),
      ],
      lastUpdated: at(10),
    }));
    expect(missingOf(replicasWith(...certificates)).flatMap(([, missing]) => missing)).toEqual([]);
    const headless = (last: number): Held => ({
      listeners: [aListener(`10.0.0.${last}_3306`)],
      lastUpdated: at(10),
    });
    expect(missingOf(replicasWith(headless(2), headless(1))).flatMap(([, missing]) => missing)).toEqual([]);
    expect(missingOf(replicasWith(headless(3), {})).flatMap(([, missing]) => missing)).toEqual([
      "r2.default",
    ]);
  });
});

describe("as lines", () => {
  it("one push is one line", () => {
    const names = ["a", "b", "c", "d", "e"];
    const held: Held = { clusters: names.map((name) => aCluster(name)), lastUpdated: at(10) };
    expect(linesOf(replicasWith(held, held))).toEqual([
      `${at(10)}  5 clusters (a, b, c and 2 more) arrived on 2 proxies (started then)`,
    ]);
  });

  it("tells a start from a change, how long it took, and who has not got it", () => {
    const started = { clusters: [aCluster("0")], lastUpdated: at(1) };
    const changed = (time: string): string =>
      dumpOf({
        ...started,
        more: {
          Listeners: {
            dynamic_listeners: [
              { name: "l", active_state: { listener: aListener("l"), last_updated: time } },
            ],
          },
        },
      });
    expect(linesOf(replicasWith(changed(at(20)), changed(at(22, 30)), started))).toEqual([
      `${at(1)}  cluster 0 arrived on 3 proxies (started then)`,
      `${at(20)}  listener l arrived on 2 proxies, the last 2m30s later; not on r3.default`,
    ]);
  });

  it("are cut off at a time", () => {
    const snapshot = replicasWith(timed("1s", at(10)), timed("2s", at(20)));
    expect(linesOf(snapshot, at(15))).toEqual([
      `${at(20)}  cluster a arrived on r2.default (started then); not on r1.default`,
    ]);
    expect(linesOf(snapshot, at(30))).toEqual([`Nothing arrived since ${at(30)}.`]);
    expect(linesOf(replicasWith({}))).toEqual(["No dump tells when anything arrived."]);
  });
});

it("costs what there is: 3,000 replicas with 20 contents", () => {
  const held = Array.from({ length: 3000 }, (_, index) => timed(`${index % 20}s`, at(index % 20)));
  const { events } = timelineWith(replicasWith(...held));
  expect(events).toHaveLength(20);
  expect(events.at(-1)!.missing).toHaveLength(2850);
});
