import { describe, expect, it } from "vitest";

import { driftCauses, type DriftCause } from "../../src/diff/causes.js";
import { driftOf } from "../../src/diff/drift.js";
import { causeLine } from "../../src/report/drift-wording.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { aCluster, aListener, aRow, nonces, verdict } from "../support/builders.js";
import { meshOf, type GivenIstiod, type GivenProxy, type Held } from "../support/drift-snapshot.js";

const causesOf = (snapshot: Snapshot): readonly DriftCause[] => driftCauses(driftOf(snapshot));
const linesOf = (snapshot: Snapshot): string[] => causesOf(snapshot).map(causeLine);

const dns = "outbound|53||kube-dns.kube-system.svc.cluster.local";
const all: Held = { clusters: [aCluster("a"), aCluster(dns)] };
const without: Held = { clusters: [aCluster("a")] };
const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `p${index}.n`);

/** The same for every proxy of an Istiod. */
const sends = (proxies: readonly string[], held: Held): GivenIstiod => ({
  sends: Object.fromEntries(proxies.map((id) => [id, held])),
});
const hold = (proxies: readonly string[], held: Held): Record<string, GivenProxy> =>
  Object.fromEntries(proxies.map((id) => [id, { holds: held }]));

describe("one line a cause", () => {
  it("for one difference on many proxies", () => {
    const proxies = ids(12);
    const snapshot = meshOf({
      istiods: { "istiod-x": sends(proxies, all) },
      proxies: hold(proxies, without),
    });
    expect(linesOf(snapshot)).toEqual([`cluster ${dns} missing on 12 proxies, all on istiod-x`]);
    expect(causesOf(snapshot)[0]).toMatchObject({
      kind: "cluster",
      names: [dns],
      class: "missing",
      proxies: [...proxies].sort(),
      example: { proxyId: "p0.n" },
    });
    expect(linesOf(meshOf({ istiods: { x: sends(proxies, all) }, proxies: hold(proxies, all) }))).toEqual([]);
  });

  it("for all that the same proxies lack", () => {
    const many = { clusters: ["a", "b", "c", "d", "e"].map((name) => aCluster(name)) };
    const snapshot = meshOf({
      istiods: { x: sends(["p.n"], many), y: sends(["q.n"], many) },
      proxies: { ...hold(["p.n"], {}), ...hold(["q.n"], { clusters: [aCluster("a")] }) },
    });
    expect(linesOf(snapshot)).toEqual([
      "4 clusters (b, c, d and 1 more) missing on 2 proxies, on 2 Istiods",
      "cluster a missing on p.n on x",
    ]);
  });

  it("but not for what differs otherwise", () => {
    const cluster = (timeout: string): Held => ({ clusters: [aCluster("a", { connect_timeout: timeout })] });
    const snapshot = meshOf({
      istiods: { x: sends(["p.n", "q.n", "r.n"], cluster("1s")) },
      proxies: { ...hold(["p.n", "q.n"], cluster("2s")), ...hold(["r.n"], cluster("3s")) },
    });
    expect(linesOf(snapshot)).toEqual([
      "cluster a differs in connect_timeout (1s -> 2s) on 2 proxies, all on x",
      "cluster a differs in connect_timeout (1s -> 3s) on r.n on x",
    ]);
  });

  it("those of most proxies first, pushes on their way last", () => {
    const late = {
      clusters: [aCluster("a", { connect_timeout: "1s" })],
      lastUpdated: "2026-03-14T09:30:05Z",
    };
    const snapshot = meshOf({
      istiods: { x: { ...sends(["p.n", "q.n", "r.n"], all), capturedAt: "2026-03-14T09:30:00Z" } },
      proxies: {
        "p.n": {
          holds: { ...late, clusters: [...late.clusters, aCluster(dns)] },
          capturedAt: "2026-03-14T09:30:10Z",
        },
        "q.n": {
          holds: { ...late, clusters: [...late.clusters, aCluster(dns)] },
          capturedAt: "2026-03-14T09:30:10Z",
        },
        "r.n": { holds: without },
      },
    });
    expect(linesOf(snapshot)).toEqual([
      `cluster ${dns} missing on r.n on x`,
      "cluster a differs in connect_timeout (added: 1s) on 2 proxies, all on x (in flight: it changed between the two captures)",
    ]);
  });
});

describe("why", () => {
  const lines = (row: Parameters<typeof aRow>[1], holds: Held = without): string[] =>
    linesOf(
      meshOf({
        istiods: { x: { ...sends(["p.n"], all), rows: [aRow("p.n", row)] } },
        proxies: hold(["p.n"], holds),
      }),
    );

  it("the push is not acknowledged", () => {
    expect(lines({ CDS: nonces("2", "1") })).toEqual([
      `cluster ${dns} missing on p.n on x (the last push is not acknowledged)`,
    ]);
    expect(lines({ CDS: nonces("2") })).toEqual([`cluster ${dns} missing on p.n on x`]);
    expect(lines({ LDS: nonces("2", "1") })).toEqual([`cluster ${dns} missing on p.n on x`]);
  });

  it("by how many of several", () => {
    const snapshot = meshOf({
      istiods: {
        x: {
          ...sends(["p.n", "q.n"], all),
          rows: [aRow("p.n", { CDS: verdict("STALE") }), aRow("q.n", { CDS: verdict("SYNCED") })],
        },
      },
      proxies: hold(["p.n", "q.n"], without),
    });
    expect(linesOf(snapshot)).toEqual([
      `cluster ${dns} missing on 2 proxies, all on x (the last push is not acknowledged by 1 of them)`,
    ]);
  });

  it("the proxy refused the push, naming the resource", () => {
    const error = `Error adding/updating cluster(s) ${dns}: no`;
    expect(lines({ CDS: nonces("2", "1", { error }) })).toEqual([
      `cluster ${dns} missing on p.n on x (rejected: ${error})`,
    ]);
    expect(lines({ CDS: nonces("2", "1", { error: "Error adding/updating cluster(s) b: no" }) })).toEqual([
      `cluster ${dns} missing on p.n on x (the last push is not acknowledged)`,
    ]);
  });

  it("the proxy has it warming", () => {
    const names = ["l", "m"];
    const warming = names.map((name) => ({ name, warming_state: { listener: aListener(name) } }));
    const of = (count: number): string[] =>
      linesOf(
        meshOf({
          istiods: {
            x: sends(["p.n"], { listeners: names.slice(0, count).map((name) => aListener(name)) }),
          },
          proxies: hold(["p.n"], { more: { Listeners: { dynamic_listeners: warming.slice(0, count) } } }),
        }),
      );
    expect(of(1)).toEqual(["listener l missing on p.n on x (the proxy has it warming)"]);
    expect(of(2)).toEqual(["2 listeners (l, m) missing on p.n on x (the proxy has them warming)"]);
  });
});

it("costs what there is: 20,000 resources that one proxy lacks are one cause", () => {
  const clusters = Array.from({ length: 20_000 }, (_, index) => aCluster(`c${index}`));
  const snapshot = meshOf({ istiods: { x: sends(["p.n"], { clusters }) }, proxies: hold(["p.n"], {}) });
  expect(causesOf(snapshot).map(({ names }) => names.length)).toEqual([20_000]);
});
