import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { evaluateTree, type InputValue, type TreeResult } from "../../../src/trace/matchers/matcher-tree.js";
import { unknownTruth } from "../../../src/trace/ternary.js";
import { unknown } from "../../../src/trace/unknown.js";

const input = (name: string): Message => ({
  name: "input",
  typed_config: { "@type": "type.googleapis.com/test.Input", name },
});
const action = (value: string): Message => ({
  action: {
    name: value,
    typed_config: { "@type": "type.googleapis.com/google.protobuf.StringValue", value },
  },
});
const is = (name: string, value: string): Message => ({
  single_predicate: { input: input(name), value_match: { exact: value } },
});
const list = (...matchers: readonly Message[]): Message => ({ matcher_list: { matchers } });
const when = (predicate: Message, onMatch: Message): Message => ({ predicate, on_match: onMatch });

const secret = unknownTruth(unknown("filter state", "Not known."));

function evaluated(
  matcher: Message | undefined,
  values: Readonly<Record<string, InputValue>>,
  envoy = 36,
): string {
  const read = (_: string, { name }: Message): InputValue => values[String(name)];
  return said(evaluateTree(matcher, read, envoy));
}

function said(result: TreeResult): string {
  if (result.kind === "action") return result.name;
  return result.kind === "none" ? "none" : `unknown: ${result.because.map(({ reason }) => reason).join()}`;
}

describe("a list", () => {
  const tree = {
    ...list(when(is("a", "1"), action("first")), when(is("b", "1"), action("second"))),
    on_no_match: action("rest"),
  };

  it.each([
    { values: { a: "1", b: "1" }, led: "first" },
    { values: { a: "2", b: "1" }, led: "second" },
    { values: { a: "2", b: "2" }, led: "rest" },
    { values: {}, led: "rest" },
    { values: { a: secret, b: "1" }, led: "unknown: filter state" },
    { values: { a: "1", b: secret }, led: "first" },
  ])("$values leads to $led", ({ values, led }) => {
    expect(evaluated(tree, values)).toBe(led);
  });

  it("without a hit leads nowhere", () => {
    expect(evaluated(list(when(is("a", "1"), action("first"))), { a: "2" })).toBe("none");
    expect(evaluated({}, {})).toBe("none");
    expect(evaluated(undefined, {})).toBe("none");
  });

  it("gives the action's type and content", () => {
    const result = evaluateTree(tree, () => "1", 36);
    expect(result).toMatchObject({
      kind: "action",
      type: "google.protobuf.StringValue",
      action: { value: "first" },
    });
  });
});

describe("predicates", () => {
  const both = { and_matcher: { predicate: [is("a", "1"), is("b", "1")] } };
  const either = { or_matcher: { predicate: [is("a", "1"), is("b", "1")] } };

  it.each([
    { predicate: both, values: { a: "1", b: "1" }, hit: true },
    { predicate: both, values: { a: "1", b: "2" }, hit: false },
    { predicate: both, values: { a: secret, b: "2" }, hit: false },
    { predicate: either, values: { a: "2", b: "1" }, hit: true },
    { predicate: either, values: { a: secret, b: "1" }, hit: true },
    { predicate: either, values: { a: "2", b: "2" }, hit: false },
    { predicate: { not_matcher: is("a", "1") }, values: { a: "2" }, hit: true },
    { predicate: { not_matcher: is("a", "1") }, values: { a: "1" }, hit: false },
    { predicate: { not_matcher: is("a", "1") }, values: {}, hit: true },
  ])("$predicate on $values: $hit", ({ predicate, values, hit }) => {
    expect(evaluated(list(when(predicate, action("hit"))), values)).toBe(hit ? "hit" : "none");
  });

  it.each([
    { predicate: both, values: { a: "1", b: secret } },
    { predicate: either, values: { a: "2", b: secret } },
    { predicate: { not_matcher: is("a", "1") }, values: { a: secret } },
  ])("$predicate on $values is unknown", ({ predicate, values }) => {
    expect(evaluated(list(when(predicate, action("hit"))), values)).toBe("unknown: filter state");
  });

  it("of types that are not evaluated are unknown", () => {
    const custom = {
      single_predicate: {
        input: input("a"),
        custom_match: { name: "cel", typed_config: { "@type": "x/cel.CelMatcher" } },
      },
    };
    expect(evaluated(list(when(custom, action("hit"))), { a: "1" })).toBe("unknown: expression");
    expect(evaluated(list(when({}, action("hit"))), { a: "1" })).toBe("unknown: expression");
  });

  it("on ranges of addresses", () => {
    const config = {
      "@type": "x/envoy.extensions.matching.input_matchers.ip.v3.Ip",
      cidr_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }],
    };
    const custom = { single_predicate: { input: input("a"), custom_match: { typed_config: config } } };
    const tree = list(when(custom, action("hit")));
    expect(evaluated(tree, { a: "10.9.9.9" })).toBe("hit");
    expect(evaluated(tree, { a: "11.9.9.9" })).toBe("none");
    expect(evaluated(tree, {})).toBe("none");
  });

  it("on metadata", () => {
    const config = {
      "@type": "x/envoy.extensions.matching.input_matchers.metadata.v3.Metadata",
      value: { bool_match: true },
    };
    const custom = (invert: boolean): Message => ({
      single_predicate: { input: input("a"), custom_match: { typed_config: { ...config, invert } } },
    });
    expect(evaluated(list(when(custom(false), action("hit"))), { a: { metadata: true } })).toBe("hit");
    expect(evaluated(list(when(custom(false), action("hit"))), { a: { metadata: "x" } })).toBe("none");
    expect(evaluated(list(when(custom(true), action("hit"))), { a: { metadata: undefined } })).toBe("hit");
  });
});

describe("a subtree without a result", () => {
  const nested = { matcher: list(when(is("b", "1"), action("nested"))) };

  it("lets a list go on, since 1.35", () => {
    const tree = {
      ...list(when(is("a", "1"), nested), when(is("a", "1"), action("next"))),
      on_no_match: action("rest"),
    };
    expect(evaluated(tree, { a: "1", b: "1" })).toBe("nested");
    expect(evaluated(tree, { a: "1", b: "2" })).toBe("next");
    expect(evaluated(tree, { a: "1", b: "2" }, 34)).toBe("none");
  });

  it("lets a map of values go to on_no_match", () => {
    const tree = {
      matcher_tree: { input: input("a"), exact_match_map: { map: { "1": nested } } },
      on_no_match: action("rest"),
    };
    expect(evaluated(tree, { a: "1", b: "1" })).toBe("nested");
    expect(evaluated(tree, { a: "1", b: "2" })).toBe("rest");
    expect(evaluated(tree, { a: "2" })).toBe("rest");
    expect(evaluated(tree, {})).toBe("rest");
    expect(evaluated(tree, { a: secret })).toBe("unknown: filter state");
    expect(evaluated(tree, { a: "constructor" })).toBe("rest");
  });

  it("lets a map of prefixes try shorter ones, since 1.35", () => {
    const map = { "/": action("short"), "/a": nested, "/a/b": action("long") };
    const tree = {
      matcher_tree: { input: input("a"), prefix_match_map: { map } },
      on_no_match: action("rest"),
    };
    expect(evaluated(tree, { a: "/a/b/c" })).toBe("long");
    expect(evaluated(tree, { a: "/a/x", b: "1" })).toBe("nested");
    expect(evaluated(tree, { a: "/a/x", b: "2" })).toBe("short");
    expect(evaluated(tree, { a: "/a/x", b: "2" }, 34)).toBe("none");
    expect(evaluated(tree, { a: "x" })).toBe("rest");
  });
});

it("keep_matching makes a hit no result", () => {
  const kept = { ...action("kept"), keep_matching: true };
  const tree = {
    ...list(when(is("a", "1"), kept), when(is("a", "1"), action("next"))),
    on_no_match: action("rest"),
  };
  expect(evaluated(tree, { a: "1" })).toBe("next");
  expect(evaluated({ ...list(when(is("a", "1"), kept)), on_no_match: action("rest") }, { a: "1" })).toBe(
    "rest",
  );
});

describe("ranges of addresses", () => {
  const range = (cidr: string, onMatch: Message, exclusive = false): Message => {
    const [address_prefix, length] = cidr.split("/");
    return { ranges: [{ address_prefix, prefix_len: Number(length) }], on_match: onMatch, exclusive };
  };
  const tree = (...matchers: readonly Message[]): Message => ({
    matcher_tree: {
      input: input("ip"),
      custom_match: {
        typed_config: {
          "@type": "type.googleapis.com/xds.type.matcher.v3.IPMatcher",
          range_matchers: matchers,
        },
      },
    },
    on_no_match: action("rest"),
  });
  const nowhere = { matcher: list() };

  it("the longest wins, whatever the order", () => {
    const ranges = tree(
      range("0.0.0.0/0", action("all")),
      range("10.1.0.0/16", action("16")),
      range("10.0.0.0/8", action("8")),
    );
    expect(evaluated(ranges, { ip: "10.1.2.3" })).toBe("16");
    expect(evaluated(ranges, { ip: "10.2.2.3" })).toBe("8");
    expect(evaluated(ranges, { ip: "11.2.2.3" })).toBe("all");
    expect(evaluated(ranges, { ip: "::1" })).toBe("rest");
    expect(evaluated(ranges, { ip: "x" })).toBe("rest");
    expect(evaluated(ranges, {})).toBe("rest");
  });

  it("the first of two that are equally long", () => {
    expect(
      evaluated(tree(range("10.0.0.0/8", action("one")), range("10.0.0.0/8", action("two"))), {
        ip: "10.1.1.1",
      }),
    ).toBe("one");
  });

  it("an exclusive one counts only if it is the first", () => {
    const longer = range("10.1.0.0/16", nowhere);
    expect(evaluated(tree(longer, range("10.0.0.0/8", action("8"))), { ip: "10.1.2.3" })).toBe("8");
    expect(evaluated(tree(longer, range("10.0.0.0/8", action("8"), true)), { ip: "10.1.2.3" })).toBe("rest");
    expect(evaluated(tree(longer, range("10.0.0.0/8", action("8"), true)), { ip: "10.2.2.3" })).toBe("8");
  });
});

describe("domains", () => {
  const domain = (name: string): Message => ({ domains: [name], on_match: action(name) });
  const tree = {
    matcher_tree: {
      input: input("name"),
      custom_match: {
        typed_config: {
          "@type": "type.googleapis.com/xds.type.matcher.v3.ServerNameMatcher",
          domain_matchers: ["*", "*.com", "*.example.com", "www.example.com"].map(domain),
        },
      },
    },
    on_no_match: action("rest"),
  };

  it.each([
    { name: "www.example.com", led: "www.example.com" },
    { name: "a.example.com", led: "*.example.com" },
    { name: "example.com", led: "*.com" },
    { name: "com", led: "*" },
    { name: "", led: "rest" },
  ])("$name leads to $led", ({ name, led }) => {
    expect(evaluated(tree, { name })).toBe(led);
  });

  it("of another type of matcher are unknown", () => {
    const other = { matcher_tree: { input: input("name"), custom_match: { name: "x" } } };
    expect(evaluated(other, { name: "a" })).toBe("unknown: expression");
  });
});

it("a tree that is nested too deep is unknown, not an overflow", () => {
  let deep: Message = {};
  for (let level = 0; level < 20_000; level++) deep = { on_no_match: { matcher: deep } };
  expect(evaluated(deep, {})).toBe("unknown: limit");
  let predicate: Message = is("a", "1");
  for (let level = 0; level < 20_000; level++) predicate = { not_matcher: predicate };
  expect(evaluated(list(when(predicate, action("hit"))), { a: "1" })).toBe("unknown: limit");
});
