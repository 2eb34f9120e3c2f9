import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import {
  chooseCluster,
  clusterNotFoundStatus,
  weightedClusters,
  type ClusterChoice,
} from "../../../src/trace/route/cluster-choice.js";
import type { HeaderList } from "../../../src/trace/request.js";
import { aContext, aRequest } from "../requests.js";

const choose = (action: Message | undefined, headers: HeaderList = [], config: Message = {}): ClusterChoice =>
  chooseCluster(config, action, aContext({ headers: aRequest({ authority: "a.com", headers }) }));

/** Of a table whose rows have lists of different lengths. */
const lines = (list: readonly (readonly string[])[]): HeaderList =>
  list.map(([name = "", value = ""]) => [name, value]);

/** `name` or `name [from, to) of modulus` */
function said(choice: ClusterChoice): readonly string[] | string {
  if (choice.kind === "unknown") return `unknown: ${choice.because.map(({ reason }) => reason).join()}`;
  if (choice.kind === "no match") return "no match";
  return choice.clusters.map(({ name, interval }) =>
    interval === null ? name : `${name} [${interval.from}, ${interval.to}) of ${interval.modulus}`,
  );
}

const weighted = (weights: readonly number[], overrides: Message = {}): Message => ({
  weighted_clusters: {
    clusters: weights.map((weight, index) => ({ name: `c${index}`, weight })),
    ...overrides,
  },
});

describe("the cluster", () => {
  it.each([
    { action: { cluster: "c" }, headers: [], result: ["c"], because: "literal" },
    {
      action: { cluster_header: "X" },
      headers: [
        ["x", "c"],
        ["x", "d"],
      ],
      result: ["c"],
      because: "the first value of a header",
    },
    { action: { cluster_header: ":authority" }, headers: [], result: ["a.com"], because: "a pseudo header" },
    { action: { cluster_header: "x" }, headers: [], result: [""], because: "the header is missing" },
    { action: undefined, headers: [], result: [""], because: "an action that names none" },
    { action: {}, headers: [], result: [""], because: "an action that names none" },
    {
      action: weighted([0, 1, 9]),
      headers: [],
      result: ["c1 [0, 1) of 10", "c2 [1, 10) of 10"],
      because: "weight 0 is never chosen",
    },
    {
      action: weighted([40, 40], { total_weight: 100 }),
      headers: [],
      result: ["c0 [0, 40) of 80", "c1 [40, 80) of 80"],
      because: "the total is the sum",
    },
  ])("of $action: $because", ({ action, headers, result }) => {
    expect(said(choose(action, lines(headers)))).toEqual(result);
  });

  it.each([
    { headers: [["h", "10"]], result: ["c0"], because: "10 of 80" },
    { headers: [["h", "50"]], result: ["c1"], because: "50 of 80" },
    { headers: [["h", "90"]], result: ["c0"], because: "90 mod 80" },
    { headers: [["h", "18446744073709551615"]], result: ["c0"], because: "64 bits, 15 mod 80" },
    {
      headers: [
        ["h", "10"],
        ["h", "10"],
      ],
      result: ["c0 [0, 40) of 80", "c1 [40, 80) of 80"],
      because: "two lines are none",
    },
    {
      headers: [["h", "-1"]],
      result: ["c0 [0, 40) of 80", "c1 [40, 80) of 80"],
      because: "no number without a sign",
    },
    { headers: [["h", "x"]], result: ["c0 [0, 40) of 80", "c1 [40, 80) of 80"], because: "no number" },
    { headers: [], result: ["c0 [0, 40) of 80", "c1 [40, 80) of 80"], because: "no header" },
  ])("by the number in a header, $headers: $because", ({ headers, result }) => {
    expect(said(choose(weighted([40, 40], { header_name: "H" }), lines(headers)))).toEqual(result);
  });

  it("of an entry may stand in a header", () => {
    const action = {
      weighted_clusters: {
        clusters: [
          { cluster_header: "x", weight: 1 },
          { name: "c", weight: 1 },
        ],
      },
    };
    expect(said(choose(action, [["x", "from-header"]]))).toEqual([
      "from-header [0, 1) of 2",
      "c [1, 2) of 2",
    ]);
  });

  it.each([
    { weights: [0, 0], because: "nothing to choose" },
    { weights: [4_294_967_295, 1], because: "more than 32 bits" },
  ])("of $weights is unknown: $because", ({ weights }) => {
    expect(said(choose(weighted(weights)))).toBe("unknown: expression");
  });

  it("has the weights of the runtime", () => {
    const runtime = { value: (key: string) => (key === "p.c0" ? "3" : undefined) };
    const action = weighted([1, 1], { runtime_key_prefix: "p" });
    expect(said(chooseCluster({}, action, aContext({ runtime })))).toEqual([
      "c0 [0, 3) of 4",
      "c1 [3, 4) of 4",
    ]);
    expect(weightedClusters(action, [], runtime)).toEqual([
      { name: "c0", weight: 3, share: 0.75 },
      { name: "c1", weight: 1, share: 0.25 },
    ]);
    expect(said(chooseCluster({}, weighted([1, 1]), aContext({ runtime })))).toEqual([
      "c0 [0, 1) of 2",
      "c1 [1, 2) of 2",
    ]);
  });
});

describe("a hash", () => {
  const hashed = (policy: Message): Message => ({
    ...weighted([1, 1], { use_hash_policy: true }),
    hash_policy: [policy],
  });
  const isRandom = (action: Message, headers: HeaderList = [], path = "/"): boolean | null => {
    const choice = chooseCluster({}, action, aContext({ headers: aRequest({ path, headers }) }));
    return choice.kind === "clusters" ? choice.isRandom : null;
  };

  it.each([
    { policy: { header: { header_name: "x" } }, headers: [["x", "v"]], random: false },
    { policy: { header: { header_name: "x" } }, headers: [], random: true },
    { policy: { cookie: { name: "c" } }, headers: [["cookie", "c=1"]], random: false },
    { policy: { cookie: { name: "c", ttl: "0s" } }, headers: [], random: true },
    { policy: { query_parameter: { name: "q" } }, headers: [], random: false },
    { policy: { query_parameter: { name: "r" } }, headers: [], random: true },
    { policy: { connection_properties: { source_ip: true } }, headers: [], random: false },
    { policy: { filter_state: { key: "k" } }, headers: [], random: true },
  ])("by $policy with $headers: random $random", ({ policy, headers, random }) => {
    expect(isRandom(hashed(policy), lines(headers), "/?q=1")).toBe(random);
  });

  it("does not choose where it is not asked for, or where there is one cluster", () => {
    const policy = { header: { header_name: "x" } };
    expect(isRandom({ ...weighted([1, 1]), hash_policy: [policy] }, [["x", "v"]])).toBe(true);
    expect(
      isRandom({ ...hashed(policy), ...weighted([1, 0], { use_hash_policy: true }) }, [["x", "v"]]),
    ).toBe(true);
  });
});

describe("a plugin", () => {
  const plugin = (type: string, config: Message = {}, isOptional = false): Message => ({
    extension: { name: "p", typed_config: { "@type": `type.googleapis.com/${type}`, ...config } },
    is_optional: isOptional,
  });
  const lua = plugin("envoy.extensions.router.cluster_specifiers.lua.v3.LuaConfig");
  const tree = plugin("envoy.extensions.router.cluster_specifiers.matcher.v3.MatcherClusterSpecifier", {
    cluster_matcher: {
      matcher_tree: {
        input: {
          typed_config: { "@type": "x/envoy.type.matcher.v3.HttpRequestHeaderMatchInput", header_name: "x" },
        },
        exact_match_map: {
          map: {
            a: { action: { name: "c", typed_config: { "@type": "x/ClusterAction", cluster: "from-tree" } } },
          },
        },
      },
    },
  });

  it.each([
    {
      action: { inline_cluster_specifier_plugin: tree },
      headers: [["x", "a"]],
      result: ["from-tree"],
      because: "a tree",
    },
    {
      action: { inline_cluster_specifier_plugin: tree },
      headers: [],
      result: [""],
      because: "a tree that leads nowhere",
    },
    {
      action: { inline_cluster_specifier_plugin: lua },
      headers: [],
      result: "unknown: code",
      because: "code",
    },
    {
      action: { inline_cluster_specifier_plugin: plugin("x.Unknown") },
      headers: [],
      result: "unknown: code",
      because: "a type that we do not know",
    },
    {
      action: { inline_cluster_specifier_plugin: plugin("x.Unknown", {}, true) },
      headers: [],
      result: "no match",
      because: "which may be missing",
    },
    {
      action: { cluster_specifier_plugin: "p" },
      headers: [],
      result: "unknown: code",
      because: "by its name",
    },
    {
      action: { cluster_specifier_plugin: "q" },
      headers: [],
      result: "unknown: expression",
      because: "a name that there is not",
    },
  ])("$action: $because", ({ action, headers, result }) => {
    expect(said(choose(action, lines(headers), { cluster_specifier_plugins: [lua] }))).toEqual(result);
  });
});

it.each([
  [{}, 503],
  [{ cluster_not_found_response_code: "SERVICE_UNAVAILABLE" }, 503],
  [{ cluster_not_found_response_code: "NOT_FOUND" }, 404],
  [{ cluster_not_found_response_code: 2 }, 500],
])("a cluster that does not exist: %j is %i", (action, status) => {
  expect(clusterNotFoundStatus(action)).toBe(status);
});
