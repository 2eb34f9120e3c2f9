import { describe, expect, it } from "vitest";

import type { Message } from "../../../src/snapshot/message.js";
import { nearRoutes, routeWords } from "../../../src/trace/route/near-routes.js";
import { routeInput } from "../../../src/trace/route/route-match.js";
import { aContext, aRequest, type RequestParts } from "../requests.js";

const input = (request: RequestParts) => routeInput({}, aContext({ headers: aRequest(request) }));
const near = (matches: readonly Message[], winner: number | null, request: RequestParts): string[] =>
  nearRoutes(
    matches.map((match) => ({ match })),
    winner,
    input(request),
  ).map(({ index, kind, because }) => `${index} ${kind}: ${because}`);

const jason = { name: "end-user", string_match: { exact: "jason" } };

describe("a route is near", () => {
  it.each([
    {
      match: { prefix: "/Reviews" },
      path: "/reviews/1",
      because: "its prefix /Reviews differs in case only",
    },
    {
      match: { path: "/reviews" },
      path: "/reviews/",
      because: 'its path would match without a "/" at the end',
    },
    {
      match: { prefix: "/reviews/" },
      path: "/reviews",
      because: 'its path would match with a "/" at the end',
    },
    {
      match: { safe_regex: { regex: "/reviews" } },
      path: "/reviews/1",
      because: "its regular expression /reviews matches a part of the path, and has to match all of it",
    },
  ])("by its path: $match and $path", ({ match, path, because }) => {
    expect(near([match], null, { path })).toEqual([`0 path: ${because}`]);
  });

  it.each([
    { match: { prefix: "/other" }, path: "/reviews" },
    { match: { safe_regex: { regex: "/ratings" } }, path: "/reviews" },
    { match: { prefix: "/Reviews", case_sensitive: false, headers: [jason] }, path: "/x" },
  ])("but not by another path: $match and $path", ({ match, path }) => {
    expect(near([match], null, { path })).toEqual([]);
  });

  it("by one header, whether it is missing or different", () => {
    const matches = [{ prefix: "/", headers: [jason] }, { prefix: "/" }];
    const expected = ['0 header: all but one of its conditions hold: header end-user exact "jason" does not'];
    expect(near(matches, 1, {})).toEqual(expected);
    expect(near(matches, 1, { headers: [["end-user", "eve"]] })).toEqual(expected);
    expect(near(matches, 0, { headers: [["end-user", "jason"]] })).toEqual([]);
  });

  it("by its method, or by a query parameter", () => {
    const matches = [
      { prefix: "/", headers: [{ name: ":method", string_match: { exact: "POST" } }] },
      { prefix: "/", query_parameters: [{ name: "q" }] },
    ];
    expect(near(matches, null, {}).map((line) => line.split(":")[0])).toEqual([
      "0 header",
      "1 query parameter",
    ]);
  });

  it("not by two conditions", () => {
    const headers = [jason, { name: ":method", string_match: { exact: "POST" } }];
    expect(near([{ prefix: "/", headers }], null, {})).toEqual([]);
  });

  it("by the order: a more specific one behind the one that took the request", () => {
    const matches = [{ prefix: "/" }, { prefix: "/reviews" }, { prefix: "/" }];
    expect(near(matches, 0, { path: "/reviews" })).toEqual([
      "1 order: prefix / comes first and takes the request",
    ]);
    expect(near([{ prefix: "/reviews" }, { prefix: "/" }], 0, { path: "/reviews" })).toEqual([]);
  });

  it("in small numbers", () => {
    const many = Array.from({ length: 100 }, () => ({ prefix: "/", headers: [jason] }));
    expect(near(many, null, {})).toHaveLength(10);
  });
});

it("a route in words has all of its conditions", () => {
  expect(routeWords({ match: { prefix: "/a", grpc: {}, headers: [jason] } }, input({}))).toBe(
    'prefix /a, gRPC, header end-user exact "jason"',
  );
});
