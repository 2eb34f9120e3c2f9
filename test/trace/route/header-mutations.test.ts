import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import {
  mutateHeaders,
  mutateRequest,
  mutateResponse,
  withAdded,
  type HeaderMutations,
} from "../../../src/trace/route/header-mutations.js";
import type { RouteEntry } from "../../../src/trace/route/route-entry.js";
import type { HeaderList } from "../../../src/trace/request.js";
import { aContext } from "../requests.js";

const add = (key: string, value: string, overrides: Message = {}): Message => ({
  header: { key, value },
  ...overrides,
});
const overwrite = (key: string, value: string): Message =>
  add(key, value, { append_action: "OVERWRITE_IF_EXISTS_OR_ADD" });
const context = aContext();

const mutated = (headers: HeaderList, mutations: Partial<HeaderMutations>) =>
  mutateHeaders(headers, { toAdd: [], toRemove: [], ...mutations }, (request) => ({
    request,
    response: null,
    context,
    entry: null,
  }));

describe("one level", () => {
  const there: HeaderList = [["x", "old"]];

  it.each([
    {
      option: add("x", "new"),
      there: [
        ["x", "old"],
        ["x", "new"],
      ],
      absent: [["x", "new"]],
      because: "appended by default",
    },
    {
      option: add("X", "new", { append: true }),
      there: [
        ["x", "old"],
        ["x", "new"],
      ],
      absent: [["x", "new"]],
      because: "the older field",
    },
    {
      option: add("x", "new", { append: false }),
      there: [["x", "new"]],
      absent: [["x", "new"]],
      because: "the older field",
    },
    {
      option: overwrite("x", "new"),
      there: [["x", "new"]],
      absent: [["x", "new"]],
      because: "overwritten or added",
    },
    {
      option: add("x", "new", { append_action: "OVERWRITE_IF_EXISTS" }),
      there: [["x", "new"]],
      absent: [],
      because: "overwritten only",
    },
    {
      option: add("x", "new", { append_action: "ADD_IF_ABSENT" }),
      there: [["x", "old"]],
      absent: [["x", "new"]],
      because: "added only",
    },
    {
      option: add("x", "new", { append_action: 1 }),
      there: [["x", "old"]],
      absent: [["x", "new"]],
      because: "an enum as a number",
    },
    { option: add("x", ""), there: [["x", "old"]], absent: [], because: "an empty value is not added" },
    {
      option: add("x", "", { keep_empty_value: true }),
      there: [
        ["x", "old"],
        ["x", ""],
      ],
      absent: [["x", ""]],
      because: "unless it is kept",
    },
  ])("$option: $because", ({ option, there: whenThere, absent }) => {
    expect(mutated(there, { toAdd: [option] }).headers).toEqual(whenThere);
    expect(mutated([], { toAdd: [option] }).headers).toEqual(absent);
  });

  it("removes before it adds, and whatever the case", () => {
    expect(mutated(there, { toRemove: ["X"], toAdd: [add("x", "new")] }).headers).toEqual([["x", "new"]]);
  });

  it("formats all values before it changes any", () => {
    const toAdd = [overwrite("x", "new"), add("y", "%REQ(x)%"), overwrite("z", "%REQ(y)%")];
    expect(mutated(there, { toAdd }).headers).toEqual([
      ["x", "new"],
      ["y", "old"],
    ]);
  });

  it("overwrites before it adds, whatever the order of the configuration", () => {
    const toAdd = [add("x", "added"), overwrite("x", "new")];
    expect(mutated(there, { toAdd }).headers).toEqual([
      ["x", "new"],
      ["x", "added"],
    ]);
  });

  it("judges absence before its own additions", () => {
    const absent = add("x", "second", { append_action: "ADD_IF_ABSENT" });
    expect(mutated([], { toAdd: [add("x", "first"), absent] }).headers).toEqual([
      ["x", "first"],
      ["x", "second"],
    ]);
  });

  it("leaves the host and pseudo headers alone, and says that Envoy refuses that", () => {
    const headers: HeaderList = [[":path", "/"]];
    const { headers: own, unknowns } = mutated(headers, {
      toAdd: [add(":path", "/x"), add("Host", "h")],
      toRemove: [":path"],
    });
    expect(own).toEqual(headers);
    expect(unknowns.map(({ reason }) => reason)).toEqual(["expression", "expression", "expression"]);
  });

  it("tells what it does not know", () => {
    const { headers, unknowns } = mutated([], { toAdd: [add("x", "%START_TIME%")] });
    expect(headers).toEqual([["x", "%START_TIME%"]]);
    expect(unknowns).toMatchObject([{ reason: "runtime state" }]);
  });
});

it("many mutations are made in one go", () => {
  const toAdd = Array.from({ length: 20_000 }, (_, index) => overwrite(`x${index}`, "v"));
  const { headers } = mutated([["x0", "old"]], { toAdd, toRemove: toAdd.map((_, index) => `y${index}`) });
  expect(headers).toHaveLength(20_000);
});

it("a header of which there is one entry grows by a comma", () => {
  expect(withAdded([["content-type", "a"]], "content-type", "b")).toEqual([["content-type", "a,b"]]);
  expect(withAdded([["x", "a"]], "x", "b")).toEqual([
    ["x", "a"],
    ["x", "b"],
  ]);
});

describe("levels", () => {
  const level = (kind: "request" | "response", value: string): Message => ({
    [`${kind}_headers_to_add`]: [overwrite("x", value)],
  });
  const entry = (
    kind: "request" | "response",
    mostSpecificWins: boolean,
    weighted: Message | null,
  ): RouteEntry => ({
    config: { ...level(kind, "config"), most_specific_header_mutations_wins: mostSpecificWins },
    virtualHost: level(kind, "virtual host"),
    route: level(kind, "route"),
    weighted,
    cluster: "c",
  });
  const input = { request: [], context };

  it.each([
    { mostSpecificWins: false, wins: "config" },
    { mostSpecificWins: true, wins: "route" },
  ])("most_specific_header_mutations_wins $mostSpecificWins: $wins", ({ mostSpecificWins, wins }) => {
    expect(mutateRequest(entry("request", mostSpecificWins, null), input).headers).toEqual([["x", wins]]);
    expect(mutateResponse(entry("response", mostSpecificWins, null), [], input).headers).toEqual([
      ["x", wins],
    ]);
    const weighted = level("request", "weighted");
    expect(mutateRequest(entry("request", mostSpecificWins, weighted), input).headers).toEqual([["x", wins]]);
  });

  it("the weighted entry is first: what it adds, others see", () => {
    const seeing = { ...entry("request", false, level("request", "weighted")), config: {}, virtualHost: {} };
    const route = { request_headers_to_add: [add("y", "%REQ(x)%")] };
    expect(mutateRequest({ ...seeing, route }, input).headers).toEqual([
      ["x", "weighted"],
      ["y", "weighted"],
    ]);
  });

  it("request and response have their own", () => {
    expect(mutateResponse(entry("request", false, null), [["x", "old"]], input).headers).toEqual([
      ["x", "old"],
    ]);
  });

  it("of appends keep everything, in the order of evaluation (a law)", () => {
    const value = fc.constantFrom("a", "b", "c");
    fc.assert(
      fc.property(
        fc.array(value, { maxLength: 3 }),
        fc.array(value, { maxLength: 3 }),
        fc.array(value, { maxLength: 3 }),
        fc.boolean(),
        (config, host, route, wins) => {
          const values = (list: readonly string[]): Message => ({
            request_headers_to_add: list.map((one) => add("x", one)),
          });
          const own: RouteEntry = {
            config: { ...values(config), most_specific_header_mutations_wins: wins },
            virtualHost: values(host),
            route: values(route),
            weighted: null,
            cluster: "",
          };
          const order = wins ? [...config, ...host, ...route] : [...route, ...host, ...config];
          expect(mutateRequest(own, input).headers.map(([, one]) => one)).toEqual(order);
        },
      ),
      { numRuns: 200, seed: 7 },
    );
  });
});
