import { describe, expect, it } from "vitest";

import type { Host } from "../../../src/trace/cluster/hosts.js";
import { chooseSubset } from "../../../src/trace/cluster/subsets.js";
import { aHost } from "./builders.js";

const labelled = (last: number, labels: Readonly<Record<string, unknown>>, more: Partial<Host> = {}): Host =>
  aHost(last, { metadata: { "envoy.lb": labels }, ...more });

const hosts = [
  labelled(1, { version: "v1", stage: "prod" }),
  labelled(2, { version: "v1", stage: "dev" }),
  labelled(3, { version: "v2", stage: "prod" }),
  aHost(4),
];
const byVersion = { subset_selectors: [{ keys: ["version"] }] };
const byBoth = { subset_selectors: [{ keys: ["stage", "version"] }, { keys: ["version"] }] };

/** What is tried, in order, as the last parts of addresses. */
const triesOf = (config: object, criteria: object | null, all: readonly Host[] = hosts): string[] =>
  chooseSubset({ ...config }, all, criteria === null ? null : { ...criteria }).tries.map(
    ({ what, hosts: tried }) =>
      `${what}: ${tried.map(({ address }) => (address.kind === "ip" ? address.ip.slice(7) : "?")).join(" ")}`.trim(),
  );

describe("a subset", () => {
  it("is the hosts with the values that are asked for", () => {
    expect(triesOf(byVersion, { version: "v1" })).toEqual(["subset version=v1: 1 2"]);
    expect(triesOf(byBoth, { version: "v1", stage: "prod" })).toEqual(["subset stage=prod,version=v1: 1"]);
  });

  it("takes exactly the keys of one selector", () => {
    expect(triesOf(byVersion, { version: "v1", stage: "prod" })).toEqual([]);
    expect(triesOf({ subset_selectors: [{ keys: ["stage", "version"] }] }, { stage: "prod" })).toEqual([]);
    expect(triesOf({ ...byVersion, allow_redundant_keys: true }, { version: "v1", stage: "x" })).toEqual([
      "subset version=v1: 1 2",
    ]);
  });

  it("compares values with their types", () => {
    const numbered = [labelled(1, { version: 1 })];
    expect(triesOf(byVersion, { version: 1 }, numbered)).toEqual(["subset version=1: 1"]);
    expect(triesOf(byVersion, { version: "1" }, numbered)).toEqual([]);
  });

  it("counts the elements of lists one by one only where it is told to", () => {
    const listed = [labelled(1, { version: ["v1", "v2"] })];
    expect(triesOf(byVersion, { version: "v2" }, listed)).toEqual([]);
    expect(triesOf({ ...byVersion, list_as_any: true }, { version: "v2" }, listed)).toEqual([
      "subset version=v2: 1",
    ]);
  });

  it("of single hosts has the first of every priority", () => {
    const config = { subset_selectors: [{ keys: ["version"], single_host_per_subset: true }] };
    const two = [...hosts, labelled(5, { version: "v1" }, { priority: 1 })];
    expect(triesOf(config, { version: "v1" }, two)).toEqual(["subset version=v1: 1 5"]);
  });

  it("knows of locality weights only where it is told to", () => {
    const weightsOf = (more: object) =>
      chooseSubset({ ...byVersion, ...more }, hosts, { version: "v1" }).tries.map(
        ({ localityWeights }) => localityWeights.kind,
      );
    expect(weightsOf({})).toEqual(["ignored"]);
    expect(weightsOf({ locality_weight_aware: true })).toEqual(["kept"]);
    expect(weightsOf({ locality_weight_aware: true, scale_locality_weight: true })).toEqual(["scaled"]);
    expect(weightsOf({ scale_locality_weight: true })).toEqual(["ignored"]);
  });
});

describe("the fallback", () => {
  const any = { ...byVersion, fallback_policy: "ANY_ENDPOINT" };
  const byDefault = { ...byVersion, fallback_policy: "DEFAULT_SUBSET", default_subset: { stage: "prod" } };

  it.each([
    ["none by default", byVersion, { version: "v9" }, []],
    ["any endpoint", any, { version: "v9" }, ["any endpoint: 1 2 3 4"]],
    ["without criteria too", any, null, ["any endpoint: 1 2 3 4"]],
    ["with empty criteria too", any, {}, ["any endpoint: 1 2 3 4"]],
    ["the default subset", byDefault, { version: "v9" }, ["default subset: 1 3"]],
    ["by number", { ...byVersion, fallback_policy: 1 }, { version: "v9" }, ["any endpoint: 1 2 3 4"]],
    ["not where the subset is found", byDefault, { version: "v2" }, ["subset version=v2: 3"]],
    [
      "then any endpoint where the default panics",
      { ...byDefault, panic_mode_any: true },
      null,
      ["default subset: 1 3", "any endpoint: 1 2 3 4"],
    ],
  ])("%s", (_, config, criteria, expected) => {
    expect(triesOf(config, criteria)).toEqual(expected);
  });

  it.each([
    ["NO_FALLBACK", []],
    ["ANY_ENDPOINT", ["any endpoint: 1 2 3 4"]],
    ["DEFAULT_SUBSET", ["default subset: 2"]],
    ["NOT_DEFINED", ["any endpoint: 1 2 3 4"]],
  ])("of a selector is %s", (fallback_policy, expected) => {
    const config = {
      subset_selectors: [{ keys: ["version"], fallback_policy }],
      fallback_policy: "ANY_ENDPOINT",
      default_subset: { stage: "dev" },
    };
    expect(triesOf(config, { version: "v9" })).toEqual(expected);
  });

  it("of a selector may be fewer keys, and so on", () => {
    const config = {
      subset_selectors: [
        { keys: ["stage", "version"], fallback_policy: "KEYS_SUBSET", fallback_keys_subset: ["version"] },
        { keys: ["version"], fallback_policy: "ANY_ENDPOINT" },
      ],
    };
    expect(triesOf(config, { version: "v1", stage: "none" })).toEqual(["subset version=v1: 1 2"]);
    expect(triesOf(config, { version: "v9", stage: "none" })).toEqual(["any endpoint: 1 2 3 4"]);
  });

  it("ends where a selector falls back to itself", () => {
    const fallback = { fallback_policy: "KEYS_SUBSET", fallback_keys_subset: ["version"] };
    expect(triesOf({ subset_selectors: [{ keys: ["version"], ...fallback }] }, { version: "v9" })).toEqual(
      [],
    );
  });

  it("of a selector is lost behind a longer one with the same first keys, as in Envoy", () => {
    const shorter = { keys: ["stage"], fallback_policy: "ANY_ENDPOINT" };
    const longer = { keys: ["stage", "version"] };
    expect(triesOf({ subset_selectors: [shorter, longer] }, { stage: "none" })).toHaveLength(1);
    expect(triesOf({ subset_selectors: [longer, shorter] }, { stage: "none" })).toEqual([]);
  });

  it("may be a list of other values", () => {
    const config = { ...byVersion, metadata_fallback_policy: "FALLBACK_LIST" };
    const fallback_list = [{ version: "v9" }, { version: "v2" }];
    expect(triesOf(config, { version: "v0", fallback_list })).toEqual(["subset version=v2: 3"]);
    expect(triesOf(byVersion, { version: "v1", fallback_list })).toEqual([]); // a key like any other
    expect(triesOf(config, { version: "v1", fallback_list: [] })).toEqual(["subset version=v1: 1 2"]);
  });
});

it("says when the metadata of hosts was not captured", () => {
  const lost = [aHost(1, { metadata: null })];
  expect(chooseSubset(byVersion, lost, { version: "v1" }).unknowns).toMatchObject([
    { reason: "not captured" },
  ]);
  expect(chooseSubset(byVersion, hosts, { version: "v1" }).unknowns).toEqual([]);
});
