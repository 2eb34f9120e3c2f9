import { expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { evaluateHeaderMutation } from "../../../src/trace/filters/header-mutation.js";
import { evaluate, headersOf } from "./filter-builders.js";

const append = (key: string, value: string, append_action?: string): Message => ({
  append: { header: { key, value }, ...(append_action === undefined ? {} : { append_action }) },
});
const mutations = (...request_mutations: readonly Message[]): Message => ({
  mutations: { request_mutations },
});
const at = (
  config: Message,
  headers: Readonly<Record<string, string>> = {},
  routes: readonly Message[] = [],
): ReturnType<typeof evaluate> =>
  evaluate(evaluateHeaderMutation, config, { headers: headersOf(headers) }, routes);
const added = (result: ReturnType<typeof at>): unknown => result.changes.headers?.slice(headersOf().length);

it("removes, overwrites and adds, one after the other", () => {
  const config = mutations(
    { remove: "x-a" },
    append("x-b", "2", "OVERWRITE_IF_EXISTS"),
    append("x-c", "2", "OVERWRITE_IF_EXISTS"),
    append("x-d", "2", "ADD_IF_ABSENT"),
    append("x-e", "%REQ(x-b)%"),
    append("x-f", ""),
  );
  expect(added(at(config, { "x-a": "1", "x-b": "1", "x-d": "1" }))).toEqual([
    ["x-d", "1"],
    ["x-b", "2"],
    ["x-e", "2"],
  ]);
});

it("does not clear the route", () => {
  expect(at(mutations(append("x", "1"))).changes.clearsRouteCache).toBeUndefined();
});

it("applies its own, then the levels of the route, the least specific last", () => {
  const levels = ["config", "host", "route"].map((level) => mutations(append("x", level)));
  const own = mutations(append("x", "filter"));
  const order = (config: Message): unknown =>
    (added(at(config, {}, levels)) as [string, string][]).map(([, value]) => value);
  expect(order(own)).toEqual(["filter", "route", "host", "config"]);
  expect(order({ ...own, most_specific_header_mutations_wins: true })).toEqual([
    "filter",
    "config",
    "host",
    "route",
  ]);
});

it.each<Message>([
  { mutations: { query_parameter_mutations: [{ remove: "a" }] } },
  mutations({ remove_on_match: { key_matcher: { prefix: "x-" } } }),
])("leaves open what is not evaluated: %j", (config) => {
  expect(at(config).decision).toBe("unknown");
  expect(at({}).decision).toBe("passed");
});

it("says so where a value is known to the running Envoy only, and lets the request pass", () => {
  expect(at(mutations(append("x", "%UPTIME%")))).toMatchObject({
    decision: "passed",
    because: [{ reason: "runtime state" }],
  });
  expect(at(mutations(append("x", "%REQ(:path)%"))).because).toEqual([]);
});
