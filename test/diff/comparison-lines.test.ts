/** Many changes in few lines. */
import { describe, expect, it } from "vitest";

import { compareProxies, compareSnapshots } from "../../src/diff/compare-snapshots.js";
import { unifiedDiff, resourceText } from "../../src/diff/diff-text.js";
import { timelineOf } from "../../src/diff/timeline.js";
import { comparer } from "../../src/diff/sections.js";
import { comparisonLines } from "../../src/report/drift-wording.js";
import type { Snapshot } from "../../src/snapshot/model.js";
import { aCluster, aListener } from "../support/builders.js";
import { resourceOf } from "../support/diff-resources.js";
import { meshOf, type Held } from "../support/drift-snapshot.js";

const clusterOf = (host: string): string => `outbound|80||${host}.n.svc.cluster.local`;
const clusters = (hosts: readonly string[], timeout: string): Held => ({
  clusters: [...hosts.map(clusterOf), "PassthroughCluster"].map((name) =>
    aCluster(name, { connect_timeout: timeout }),
  ),
});
const meshWith = (held: Readonly<Record<string, Held>>): Snapshot =>
  meshOf({ proxies: Object.fromEntries(Object.entries(held).map(([id, holds]) => [id, { holds }])) });
const everywhere = (held: Held): Snapshot =>
  meshWith(Object.fromEntries(["a.n", "b.n", "c.n", "d.n"].map((id) => [id, held])));

const linesOf = (hosts: readonly string[]): string[] =>
  comparisonLines(compareSnapshots(everywhere(clusters(hosts, "1s")), everywhere(clusters(hosts, "2s"))));
const change = "changed in connect_timeout (1s -> 2s) on all 4 proxies";
const unnamed = ["", "(no Istio resource is named)", `  cluster PassthroughCluster ${change}`];

describe("one change of many resources", () => {
  it("stands under each of a few Istio resources", () => {
    expect(linesOf(["x", "y"])).toEqual([
      "4 proxies were compared: 3 differences.",
      "",
      "Host/x.n.svc.cluster.local",
      `  cluster ${clusterOf("x")} ${change}`,
      "",
      "Host/y.n.svc.cluster.local",
      `  cluster ${clusterOf("y")} ${change}`,
      ...unnamed,
    ]);
  });

  it("is one line of many", () => {
    const [first, , heading, row, ...rest] = linesOf(["v", "w", "x", "y", "z"]);
    expect(first).toBe("4 proxies were compared: 6 differences.");
    expect(heading).toMatch(/^5 Istio resources \(Host\/v\.n\.svc\.cluster\.local, .* and 2 more\)$/);
    expect(row).toMatch(/^ {2}5 clusters \(outbound\|80\|\|v\..* and 2 more\) changed in connect_timeout /);
    expect(rest).toEqual(unnamed);
  });
});

describe("two proxies", () => {
  it("are named, and what only one of them has is said of it", () => {
    const snapshot = meshWith({ "a.n": clusters(["x"], "1s"), "b.n": clusters(["y"], "2s") });
    const [a, b] = snapshot.proxies;
    const lines = comparisonLines(compareProxies(snapshot, a!, b!), { before: "a.n", after: "b.n" });
    expect(lines).toEqual([
      "a.n and b.n were compared: 3 differences.",
      "",
      "Host/x.n.svc.cluster.local",
      `  cluster ${clusterOf("x")} only on a.n`,
      "",
      "Host/y.n.svc.cluster.local",
      `  cluster ${clusterOf("y")} only on b.n`,
      "",
      "(no Istio resource is named)",
      "  cluster PassthroughCluster differs in connect_timeout (1s -> 2s)",
    ]);
  });
});

describe("replicas that differ in their own addresses", () => {
  const replica = (ip: string, timeout: string): Held => ({
    listeners: [aListener("l", { stat_prefix: ip, listener_filters_timeout: timeout })],
    lastUpdated: "2026-03-14T09:30:00Z",
  });
  const events = (timeouts: readonly string[]) =>
    timelineOf(
      meshOf({
        proxies: Object.fromEntries(
          timeouts.map((timeout, index) => [
            `p-${index}.n`,
            {
              holds: replica(`10.0.0.${index + 1}`, timeout),
              ip: `10.0.0.${index + 1}`,
              metadata: { WORKLOAD_NAME: "p" },
            },
          ]),
        ),
      }),
      comparer(),
      null,
    ).events.map(({ arrivals }) => arrivals.length);

  it("got one thing in the timeline", () => {
    expect(events(["1s", "1s", "1s"])).toEqual([3]);
    expect(events(["1s", "1s", "2s"]).sort()).toEqual([1, 2]);
  });
});

describe("a text that would act on a terminal", () => {
  it("is shown as JSON's escape of it, so that the diff is harmless and its sides are the same JSON", () => {
    const stat = "\u202egnp.exe \u009b31m";
    const resource = resourceOf("cluster", aCluster("a", { alt_stat_name: stat }));
    const text = resourceText(resource);
    expect(text).toContain('"\\u202egnp.exe \\u009b31m"');
    expect(JSON.parse(text)).toMatchObject({ altStatName: stat });
    const diff = unifiedDiff({ before: "a", after: "b" }, [], [{ name: "a", text }]);
    expect(diff).not.toMatch(/[\u007f-\u009f\u202a-\u202e]/);
  });
});
