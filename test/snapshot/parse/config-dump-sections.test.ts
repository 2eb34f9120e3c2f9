/** Sections that stand twice, out of order, empty or without a type. */
import { describe, expect, it } from "vitest";

import { aCluster, aSection, readDump, readText, reasonOf, referencesOf } from "../../support/builders.js";

const named = (name: string): object => ({ cluster: aCluster(name) });
const names = (configs: readonly unknown[]): string[] =>
  referencesOf(readDump(configs).sections.cluster).map(({ name }) => name);
const behind = (cluster: string): unknown => {
  const { "@type": type, ...lists } = aSection("Clusters", {
    dynamic_active_clusters: [named(cluster)],
  });
  return { ...lists, "@type": type };
};

describe("a section that stands twice", () => {
  it("counts as the last one says", () => {
    const section = (name: string): unknown =>
      aSection("Clusters", { dynamic_active_clusters: [named(name)] });
    expect(names([section("A"), section("B")])).toEqual(["B"]);
  });
  it("also where its @type stands behind its lists", () => {
    expect(names([behind("A"), behind("B")])).toEqual(["B"]);
  });
  it("also where the last one is empty", () => {
    expect(names([behind("A"), aSection("Clusters")])).toEqual([]);
  });
});

it("a section without a type is read, with one note about it", () => {
  const dump = readDump([{ dynamic_active_clusters: [named("A")] }]);
  expect(referencesOf(dump.sections.cluster)).toHaveLength(1);
  expect(dump.problems.map(({ message }) => message)).toEqual([
    "has no @type; it was read by the names of its lists",
  ]);
});

it("an empty bootstrap section is said to be empty, a missing one to be missing", () => {
  expect(reasonOf(readDump([aSection("Bootstrap")]).bootstrap)).toBe("the BootstrapConfigDump is empty");
  expect(reasonOf(readDump([]).bootstrap)).toBe("no BootstrapConfigDump in this dump");
});

it("the newest time may be the bootstrap's", () => {
  const bootstrap = aSection("Bootstrap", {
    bootstrap: { node: { id: "x" } },
    last_updated: "2026-01-01T00:00:00Z",
  });
  expect(readDump([bootstrap]).newest).toBe("2026-01-01T00:00:00Z");
});

it("many bad elements do not read as a dump that was cut off", () => {
  const bad = aSection("Clusters", {
    dynamic_active_clusters: Array.from({ length: 60 }, () => 1),
  });
  const { sections, problems } = readDump([bad]);
  expect(reasonOf(sections.endpointAssignment)).toContain("captured without include_eds");
  expect(problems.at(-1)).toMatchObject({
    severity: "lost",
    message: expect.stringMatching(/^has \d+ more problems like these$/),
  });
});

it("every element of very many sections keeps its own pointer", () => {
  const sections = Array.from({ length: 70_000 }, () => ({
    "@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump",
    ecds_filters: [{ ecds_filter: { name: "x" } }],
  }));
  const list = referencesOf(readDump(sections).sections.extensionConfig);
  expect(list).toHaveLength(70_000);
  expect(list.at(-1)?.origin.pointer).toBe("/configs/69999/ecds_filters/0/ecds_filter");
});

it("two @type members in one message are refused: readers disagree which one counts", () => {
  const cluster = '{"@type":"x/envoy.config.cluster.v3.Cluster","@type":"x/y.Z","name":"A"}';
  const json = `{"configs":[{"@type":"x/envoy.admin.v3.ClustersConfigDump","dynamic_active_clusters":[{"cluster":${cluster}},{"cluster":{"name":"B"}}]}]}`;
  const dump = readText(json);
  expect(referencesOf(dump.sections.cluster).map(({ name }) => name)).toEqual(["B"]);
  expect(dump.problems).toMatchObject([
    {
      severity: "lost",
      message: "has two @type members",
      pointer: "/configs/0/dynamic_active_clusters/0/cluster",
    },
  ]);
});
