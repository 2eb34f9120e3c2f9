import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import {
  evaluateHeaderToMetadata,
  evaluateSetMetadata,
} from "../../../src/trace/filters/metadata-filters.js";
import { evaluate, headersOf } from "./filter-builders.js";

describe("header_to_metadata", () => {
  const pair = (own: Message = {}): Message => ({ metadata_namespace: "n", key: "k", ...own });
  const at = (
    rule: Message,
    headers: Readonly<Record<string, string>> = {},
    own: Message = {},
  ): ReturnType<typeof evaluate> =>
    evaluate(evaluateHeaderToMetadata, { request_rules: [rule], ...own }, { headers: headersOf(headers) });
  const value = (...parameters: Parameters<typeof at>): unknown =>
    at(...parameters).changes.dynamicMetadata?.get("n")?.["k"];

  it.each<[string, Message, Readonly<Record<string, string>>, unknown]>([
    ["a header", { header: "X-A", on_header_present: pair() }, { "x-a": "v" }, "v"],
    ["no header", { header: "x-a", on_header_present: pair() }, {}, undefined],
    ["a fixed value", { header: "x-a", on_header_present: pair({ value: "f" }) }, { "x-a": "v" }, "f"],
    ["a missing header", { header: "x-a", on_header_missing: pair({ value: "none" }) }, {}, "none"],
    [
      "not a missing header",
      { header: "x-a", on_header_missing: pair({ value: "none" }) },
      { "x-a": "v" },
      undefined,
    ],
    ["an empty header", { header: "x-a", on_header_present: pair() }, { "x-a": "" }, undefined],
    ["a number", { header: "x-a", on_header_present: pair({ type: "NUMBER" }) }, { "x-a": "1.5e1" }, 15],
    [
      "no number",
      { header: "x-a", on_header_present: pair({ type: "NUMBER" }) },
      { "x-a": "abc" },
      undefined,
    ],
    ["base64", { header: "x-a", on_header_present: pair({ encode: "BASE64" }) }, { "x-a": "aGk=" }, "hi"],
    [
      "a rewrite",
      {
        header: "x-a",
        on_header_present: pair({ regex_value_rewrite: { pattern: { regex: "a+" }, substitution: "X" } }),
      },
      { "x-a": "baab" },
      "bXb",
    ],
    ["a cookie", { cookie: "c", on_header_present: pair() }, { cookie: "c=1" }, "1"],
    [
      "an empty cookie",
      { cookie: "c", on_header_missing: pair({ value: "none" }) },
      { cookie: "c=" },
      "none",
    ],
    [
      "too long a value",
      { header: "x-a", on_header_present: pair() },
      { "x-a": "v".repeat(8192) },
      undefined,
    ],
  ])("writes %s", (_, rule, headers, wanted) => {
    expect(value(rule, headers)).toEqual(wanted);
  });

  it("takes the header off where that is asked for", () => {
    const rule = { header: "x-a", on_header_present: pair() };
    expect(at({ ...rule, remove: true }, { "x-a": "v" }).changes.headers).toEqual(headersOf());
    expect(at(rule, { "x-a": "v" }).changes.headers).toEqual(headersOf({ "x-a": "v" }));
  });

  it("hides what it writes as a message", () => {
    const rule = { header: "x-a", on_header_present: pair({ type: "PROTOBUF_VALUE" }) };
    expect(at(rule, { "x-a": "v" }).changes.hiddenMetadata).toEqual(["n"]);
    expect(at(rule).changes.hiddenMetadata).toEqual([]);
  });

  it("clears the route where that is asked for", () => {
    const rule = { header: "x-a", on_header_present: pair() };
    expect(at(rule, {}, { clear_route_cache: true }).changes.clearsRouteCache).toBe(true);
    expect(at(rule).changes.clearsRouteCache).toBe(false);
  });
});

describe("set_metadata", () => {
  const at = (config: Message, current?: Message): unknown =>
    evaluate(evaluateSetMetadata, config, {
      dynamicMetadata: new Map(current === undefined ? [] : [["n", current]]),
    }).changes.dynamicMetadata?.get("n");
  const entry = (value: Message, allow_overwrite = false): Message => ({
    metadata: [{ metadata_namespace: "n", value, allow_overwrite }],
  });

  it("writes what is not there yet", () => {
    expect(at(entry({ a: "b" }))).toEqual({ a: "b" });
    expect(at(entry({ a: "b" }), { a: "c" })).toBeUndefined();
  });

  it("merges over what is there, where it may", () => {
    expect(at(entry({ a: "b", l: [2], s: { y: 2 } }, true), { a: "c", z: 1, l: [1], s: { x: 1 } })).toEqual({
      a: "b",
      z: 1,
      l: [1, 2],
      s: { x: 1, y: 2 },
    });
  });

  it("merges by its deprecated fields always", () => {
    expect(at({ metadata_namespace: "n", value: { a: "b" } }, { a: "c", z: 1 })).toEqual({ a: "b", z: 1 });
  });
});
